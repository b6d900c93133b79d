"""How often the 95 % intervals hold the true value, over simulated samples whose truth is that of millions of rows."""

import numpy as np
import pytest

from monitoring_tasks.statistics.performance import interval, performance_metric
from tests.statistics.performance import raw_rows, simulated

BINARY = ("accuracy", "balanced_accuracy", "precision", "recall", "specificity", "f1", "mcc", "roc_auc")
BINARY += ("average_precision", "log_loss", "brier", "kolmogorov_smirnov", "lift")
CALIBRATION = "expected_calibration_error"
REGRESSION = ("mae", "rmse", "mape", "medae", "r2", "bias")
SAMPLES = 1500
CHANCE = 0.012
"""Two standard deviations of the share of 1,500 samples that an interval misses when it misses 5.5 % on average."""


def coverage(metric, truth, outcomes, average="macro"):
    """Share of the samples with an interval whose interval holds the true value."""
    true = metric.function(truth, average=average)[0]
    lower, upper = interval(metric, outcomes, average)
    measured = ~np.isnan(lower)
    assert measured.mean() > 0.9
    return np.mean(((lower <= true) & (true <= upper))[measured])


def settings(sizes, base_rates, areas):
    return [(n, rate, auc) for rate in base_rates for auc in areas for n in sizes if n * rate >= 10]


def check_binary(n, base_rate, auc):
    rng = np.random.default_rng(7)
    _, scores = raw_rows.binormal(rng, 200_000, base_rate, auc)
    edges, cut = raw_rows.quantile_edges(scores, 60), np.quantile(scores, 1 - base_rate)
    truth = simulated.binary(rng, 1, 1_500_000, base_rate, auc, edges, cut)
    outcomes = simulated.binary(rng, SAMPLES if n < 5000 else SAMPLES // 2, n, base_rate, auc, edges, cut)
    found = {name: coverage(performance_metric(name), truth, outcomes) for name in BINARY}
    highest = {"kolmogorov_smirnov": 0.99}
    wrong = {
        name: share
        for name, share in found.items()
        if not 0.92 - CHANCE <= share <= highest.get(name, 0.98) + CHANCE / 2
    }
    assert not wrong


@pytest.mark.parametrize(("n", "base_rate", "auc"), [(100, 0.2, 0.8), (300, 0.05, 0.95), (1000, 0.5, 0.6)])
def test_intervals_of_binary_metrics_hold_the_true_value(n, base_rate, auc):
    check_binary(n, base_rate, auc)


@pytest.mark.integration
@pytest.mark.parametrize(
    ("n", "base_rate", "auc"), settings((100, 300, 1000, 5000), (0.5, 0.2, 0.05), (0.6, 0.8, 0.95))
)
def test_intervals_of_binary_metrics_hold_the_true_value_everywhere(n, base_rate, auc):
    check_binary(n, base_rate, auc)


@pytest.mark.parametrize(("shift", "stretch"), [(0.0, 1.0), (0.5, 1.0), (0.0, 0.7), (0.0, 1.5)])
@pytest.mark.parametrize(("base_rate", "auc", "n"), [(0.5, 0.7, 300), (0.2, 0.8, 1000), (0.05, 0.8, 5000)])
def test_interval_of_the_calibration_error_holds_the_true_value(base_rate, auc, n, shift, stretch):
    from scipy.special import expit, logit

    rng = np.random.default_rng(8)
    _, scores = raw_rows.binormal(rng, 200_000, base_rate, auc)
    edges = raw_rows.quantile_edges(expit(stretch * logit(scores) + shift), 60)
    metric = performance_metric(CALIBRATION)
    outcomes = simulated.binary(rng, 600, n, base_rate, auc, edges, 0.5, shift, stretch)
    if (shift, stretch) == (0.0, 1.0):  # calibrated: the true error is 0, and only chance is above it
        lower, upper = interval(metric, outcomes)
        assert np.nanmean(lower == 0.0) > 0.95
        assert np.nanmedian(upper) < 2 * np.nanmean(metric.function(outcomes))
    else:
        truth = simulated.binary(rng, 1, 1_500_000, base_rate, auc, edges, 0.5, shift, stretch)
        assert 0.90 < coverage(metric, truth, outcomes) < 0.99


@pytest.mark.parametrize("n", [100, 300, 1000])
@pytest.mark.parametrize("tails", [np.inf, 8.0])
def test_intervals_of_regression_metrics_hold_the_true_value(n, tails):
    rng = np.random.default_rng(9)
    errors = 0.5 + 4 * (rng.standard_normal(50_000) if np.isinf(tails) else rng.standard_t(tails, 50_000))
    edges = raw_rows.quantile_edges(errors, 100)
    truth = simulated.regression(rng, 1, 1_500_000, edges, tails)
    outcomes = simulated.regression(rng, SAMPLES, n, edges, tails)
    for name in REGRESSION:
        lowest = 0.90 if name == "rmse" and tails == 8 else 0.92 - CHANCE
        assert lowest < coverage(performance_metric(name), truth, outcomes) < 0.98, name


@pytest.mark.parametrize("average", ["macro", "weighted"])
@pytest.mark.parametrize(("n_classes", "imbalance"), [(2, 1.0), (3, 0.4), (5, 1.0)])
def test_intervals_of_multiclass_metrics_hold_the_true_value(n_classes, imbalance, average):
    rng = np.random.default_rng(10)
    edges = np.arange(0.02, 1.0, 0.02)
    truth = simulated.multiclass(rng, 1, 300_000, edges, n_classes, imbalance)
    outcomes = simulated.multiclass(rng, 500, 400, edges, n_classes, imbalance)
    for name in BINARY:
        highest = 1.0 if "scores" in performance_metric(name).needs else 0.98
        share = coverage(performance_metric(name), truth, outcomes, average)
        assert 0.92 - CHANCE < share <= highest, (name, share)
