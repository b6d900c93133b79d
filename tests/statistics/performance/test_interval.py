"""Standard errors against derivatives and bootstraps, intervals against published ones."""

import math

import numpy as np
import pytest

from monitoring_tasks.errors import ConfigError
from monitoring_tasks.statistics.intervals import wilson_interval
from monitoring_tasks.statistics.performance import (
    PERFORMANCE_METRICS,
    interval,
    off_scale,
    on_scale,
    performance_metric,
    scaled,
    standard_error,
)
from monitoring_tasks.statistics.performance.outcomes import Outcomes
from monitoring_tasks.statistics.performance.wilson import wilson_ends
from tests.statistics.performance import raw_rows, simulated


def confusion(true_positive, false_positive, false_negative, true_negative):
    return Outcomes(np.array([[[0, 0], [true_negative, false_negative], [false_positive, true_positive]]]))


def by_score(table):
    """Rows of a binary model by bin of the score and label, without sums."""
    table = np.asarray(table)
    counts = np.zeros((len(table) + 1, 3, 2), dtype=table.dtype)
    counts[1:, 2] = table
    return Outcomes(counts, edges=np.arange(1.0, len(table)))


def test_many_wilson_intervals_are_each_alone():
    trials = np.array([1, 7, 20, 263, 5000])
    successes = np.array([0, 7, 0, 81, 4999])
    lower, upper = wilson_ends(successes / trials, trials.astype(float))
    expected = [wilson_interval(int(k), int(n)) for k, n in zip(successes, trials, strict=True)]
    assert np.stack([lower, upper], axis=-1) == pytest.approx(np.array(expected), abs=1e-12)


@pytest.mark.parametrize(
    ("name", "successes", "trials"),
    [("accuracy", 70, 100), ("precision", 30, 50), ("recall", 30, 40), ("specificity", 40, 60)],
)
def test_interval_of_a_share_is_wilsons(name, successes, trials):
    found = interval(performance_metric(name), confusion(30, 20, 10, 40))
    assert [float(end) for end in found] == pytest.approx(wilson_interval(successes, trials), abs=1e-12)


@pytest.mark.parametrize("name", ["accuracy", "precision", "recall", "specificity"])
def test_interval_at_a_bound_is_wilsons(name):
    for all_right in (True, False):
        outcomes = confusion(20, 0, 0, 20) if all_right else confusion(0, 20, 20, 0)
        trials = 40 if name == "accuracy" else 20
        found = interval(performance_metric(name), outcomes)
        assert [float(each) for each in found] == pytest.approx(wilson_interval(trials * all_right, trials), abs=1e-12)


def test_interval_of_f1_is_that_of_the_share_of_true_positives():
    """F1 = 2 J / (1 + J) of the share J of true positives among rows labelled or predicted positive."""
    for counts in ((30, 20, 10, 40), (30, 0, 0, 10), (0, 12, 8, 10)):
        expected = [2 * end / (1 + end) for end in wilson_interval(counts[0], sum(counts[:3]))]
        assert [float(each) for each in interval(performance_metric("f1"), confusion(*counts))] == pytest.approx(
            expected
        )


def test_error_of_roc_auc_is_delongs():
    """DeLong's sums over pairs of rows, on enough rows that the few from the model do not matter."""
    labels, scores = raw_rows.binormal(np.random.default_rng(1), 4000, 0.4, 0.8)
    positive, negative = scores[labels == 1], scores[labels == 0]
    wins = (positive[:, np.newaxis] > negative) + 0.5 * (positive[:, np.newaxis] == negative)
    variance = wins.mean(axis=1).var(ddof=1) / len(positive) + wins.mean(axis=0).var(ddof=1) / len(negative)
    found = standard_error(performance_metric("roc_auc"), raw_rows.binary(labels, scores, raw_rows.own_bins(scores)))
    assert found == pytest.approx(math.sqrt(variance), rel=1e-3)


def test_roc_auc_of_hanley_and_mcneils_images():
    """Radiology 143 (1982), table I and II: area 0.893; standard error 0.032 by their model, 0.031 by the rows."""
    outcomes = by_score([[33, 3], [6, 2], [6, 2], [11, 11], [2, 33]])
    metric = performance_metric("roc_auc")
    assert metric.function(outcomes) == pytest.approx(0.893, abs=5e-4)
    assert standard_error(metric, outcomes) == pytest.approx(0.031, abs=5e-4)


@pytest.mark.parametrize("name", ["accuracy", "precision", "recall", "specificity", "f1", "mcc"])
@pytest.mark.parametrize("average", ["macro", "weighted"])
def test_error_of_a_confusion_metric_is_by_its_derivatives(name, average):
    matrix = np.array([[5.0, 2, 1], [1, 9, 3], [2, 0, 6]]) * 1e4
    metric = performance_metric(name)

    def value(each):
        return metric.function(Outcomes(np.concatenate([np.zeros((1, 3)), each])[np.newaxis]), average=average)

    outcomes = Outcomes(np.concatenate([np.zeros((1, 3)), matrix])[np.newaxis])
    assert standard_error(metric, outcomes, average) == pytest.approx(by_derivatives(value, matrix), rel=1e-3)


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
@pytest.mark.parametrize("table", [[[40, 3], [20, 9], [0, 7], [10, 12], [5, 0], [3, 20]], [[9, 0], [0, 3], [4, 4]]])
def test_error_of_a_ranking_metric_is_by_its_derivatives(name, table):
    table = np.array(table) * 1e5
    metric = performance_metric(name)
    expected = by_derivatives(lambda each: metric.function(by_score(each)), table)
    assert standard_error(metric, by_score(table)) == pytest.approx(expected, rel=1e-3)


def by_derivatives(value, counts):
    """Root of the sum over cells of rows times squared derivative, taken numerically."""
    total = 0.0
    for cell in np.ndindex(counts.shape):
        step = np.zeros_like(counts)
        # An empty bin becomes a mixed one by a step, so only cells with rows are moved.
        step[cell] = 1e-4 * counts[cell]
        if counts[cell]:
            slope = (value(counts + step) - value(counts - step)) / (2 * step[cell])
            total += counts[cell] * slope**2
    return math.sqrt(total)


@pytest.mark.parametrize("metric", PERFORMANCE_METRICS, ids=lambda metric: metric.name)
def test_scale_goes_there_and_back_and_rises(metric):
    low = metric.lowest if math.isfinite(metric.lowest) else -5.0
    high = metric.highest if math.isfinite(metric.highest) else 5.0
    values = low + (high - low) * np.linspace(0.01, 0.99, 9)
    there = on_scale(metric, values)
    assert (np.diff(there) > 0).all()
    assert off_scale(metric, there) == pytest.approx(values)


def test_scaled_error_of_accuracy_is_that_of_a_logit():
    value, error = scaled(performance_metric("accuracy"), confusion(300, 200, 100, 400))
    assert value == pytest.approx(math.log(0.7 / 0.3))
    assert error == pytest.approx(1 / math.sqrt(1000 * 0.7 * 0.3), rel=1e-2)


def test_scaled_value_at_a_bound_is_finite_and_compares():
    perfect, good = confusion(10, 0, 0, 10), confusion(450, 50, 50, 450)
    (a, error_a), (b, error_b) = (scaled(performance_metric("accuracy"), each) for each in (perfect, good))
    assert math.isfinite(a)
    assert 0 < (a - b) / math.hypot(error_a, error_b) < 1.96  # twenty of twenty is no better than nine of ten


@pytest.mark.parametrize("name", ["roc_auc", "average_precision", "kolmogorov_smirnov"])
def test_interval_of_perfectly_ranked_rows_is_not_empty(name):
    lower, upper = interval(performance_metric(name), by_score([[10, 0], [0, 10]]))
    assert 0.5 < lower < 0.9
    assert upper == pytest.approx(1.0, abs=0.03)


def test_one_row_says_nothing_of_how_losses_vary():
    outcomes = raw_rows.binary([1], [0.7], [0.5])
    for name in ("log_loss", "brier"):
        assert np.isnan(standard_error(performance_metric(name), outcomes))
        assert np.isnan(interval(performance_metric(name), outcomes)).all()


NORMAL = ["accuracy", "balanced_accuracy", "precision", "recall", "specificity", "f1", "mcc", "roc_auc"]
NORMAL += ["average_precision", "log_loss", "brier", "lift"]


@pytest.mark.parametrize(("base_rate", "auc"), [(0.5, 0.7), (0.2, 0.9)])
def test_error_is_the_standard_deviation_over_samples(base_rate, auc):
    rng = np.random.default_rng(2)
    _, scores = raw_rows.binormal(rng, 100_000, base_rate, auc)
    edges, cut = raw_rows.quantile_edges(scores, 50), np.quantile(scores, 1 - base_rate)
    outcomes = simulated.binary(rng, 1000, 1000, base_rate, auc, edges, cut)
    for name in NORMAL:
        metric = performance_metric(name)
        typical = np.sqrt(np.mean(standard_error(metric, outcomes) ** 2))
        assert typical == pytest.approx(np.std(metric.function(outcomes)), rel=0.09), name


def test_error_of_a_regression_metric_is_the_standard_deviation_over_samples():
    rng = np.random.default_rng(3)
    outcomes = simulated.regression(rng, 1000, 1000, np.linspace(-10, 10, 81))
    for name in ("mae", "rmse", "mape", "medae", "r2", "bias"):
        metric = performance_metric(name)
        typical = np.sqrt(np.mean(standard_error(metric, outcomes) ** 2))
        assert typical == pytest.approx(np.std(metric.function(outcomes)), rel=0.09), name


@pytest.mark.parametrize("counts", [(10, 0, 0, 10), (0, 10, 10, 0)])
def test_scaled_error_at_a_bound_is_finite(counts):
    for name in ("accuracy", "balanced_accuracy", "recall", "f1", "mcc"):
        assert np.isfinite(scaled(performance_metric(name), confusion(*counts))).all(), name


@pytest.mark.parametrize("auc", [0.6, 0.9])
def test_scaled_differences_of_a_window_and_a_larger_baseline_are_normal_without_change(auc):
    rng = np.random.default_rng(4)
    _, scores = raw_rows.binormal(rng, 100_000, 0.3, auc)
    edges, cut = raw_rows.quantile_edges(scores, 50), np.quantile(scores, 0.7)
    window = simulated.binary(rng, 1500, 300, 0.3, auc, edges, cut, shift=0.3)
    baseline = simulated.binary(rng, 1500, 2000, 0.3, auc, edges, cut, shift=0.3)
    for metric in PERFORMANCE_METRICS:
        if "binary" in metric.tasks:
            (a, error_a), (b, error_b) = (scaled(metric, each) for each in (window, baseline))
            z = (a - b) / np.hypot(error_a, error_b)
            assert np.isfinite(z).all(), metric.name
            share = [np.mean(z > 1.96), np.mean(z < -1.96)]
            assert sum(share) < 0.068, (metric.name, share)
            assert max(share) < 0.05, (metric.name, share)
            biased = metric.name in ("kolmogorov_smirnov", "expected_calibration_error")
            assert sum(share) > (0.002 if biased else 0.03), (metric.name, share)


def test_scaled_differences_of_regression_metrics_are_normal_without_change():
    rng = np.random.default_rng(5)
    window, baseline = (simulated.regression(rng, 1500, n, np.linspace(-10, 10, 81)) for n in (300, 2000))
    for name in ("mae", "rmse", "mape", "medae", "r2", "bias"):
        (a, error_a), (b, error_b) = (scaled(performance_metric(name), each) for each in (window, baseline))
        share = np.mean(np.abs(a - b) > 1.96 * np.hypot(error_a, error_b))
        assert 0.035 < share < 0.068, name


def test_a_misspelt_metric_is_told_what_was_meant():
    with pytest.raises(ConfigError, match="'roc_acu' is not a performance metric; did you mean 'roc_auc'"):
        performance_metric("roc_acu")
    with pytest.raises(ConfigError, match="write one of accuracy, balanced_accuracy"):
        performance_metric("nothing like it")
