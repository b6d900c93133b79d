"""Rows without a score, a prediction or a residual, and counts that are not whole."""

import numpy as np
import pytest

from monitoring_tasks.statistics.performance import PERFORMANCE_METRICS, interval, performance_metric
from monitoring_tasks.statistics.performance.outcomes import Outcomes
from tests.statistics.performance import raw_rows

EDGES = np.linspace(0.1, 0.9, 9)


def with_more(outcomes, cell, rows):
    counts = outcomes.counts.copy()
    counts[cell] += rows
    return Outcomes(counts, outcomes.sums, outcomes.edges, outcomes.class_scores)


@pytest.fixture
def outcomes():
    labels, scores = raw_rows.binormal(np.random.default_rng(1), 400, 0.4, 0.8)
    return raw_rows.binary(labels, scores, EDGES)


@pytest.mark.parametrize("metric", [m for m in PERFORMANCE_METRICS if "binary" in m.tasks], ids=lambda m: m.name)
def test_rows_without_score_and_prediction_change_nothing(metric, outcomes):
    more = with_more(outcomes, (0, 0, 1), 50)
    assert metric.function(more) == metric.function(outcomes)
    assert interval(metric, more) == interval(metric, outcomes)


@pytest.mark.parametrize("metric", [m for m in PERFORMANCE_METRICS if "binary" in m.tasks], ids=lambda m: m.name)
def test_rows_without_a_score_count_where_predictions_do_and_vice_versa(metric, outcomes):
    without_score = metric.function(with_more(outcomes, (0, 2, 0), 50)) != metric.function(outcomes)
    without_prediction = metric.function(with_more(outcomes, (9, 0, 0), 50)) != metric.function(outcomes)
    assert without_score == ("predictions" in metric.needs and metric.name != "recall")
    assert without_prediction == ("predictions" not in metric.needs)


def test_rows_of_a_multiclass_model_without_scores_are_not_in_its_losses():
    labels, scores = raw_rows.dirichlet(np.random.default_rng(2), 300, 3)
    outcomes = raw_rows.multiclass(labels, scores, EDGES)
    more = with_more(outcomes, (0, 1, 2), 40)
    for name in ("log_loss", "brier", "roc_auc"):
        assert performance_metric(name).function(more) == performance_metric(name).function(outcomes)
    assert performance_metric("accuracy").function(more) < performance_metric("accuracy").function(outcomes)


@pytest.mark.parametrize("metric", [m for m in PERFORMANCE_METRICS if "regression" in m.tasks], ids=lambda m: m.name)
def test_rows_without_a_residual_change_nothing(metric):
    rng = np.random.default_rng(3)
    labels = rng.normal(10, 2, 200)
    outcomes = raw_rows.regression(labels, labels + rng.normal(0, 1, 200), [-1.0, 0.0, 1.0])
    more = with_more(outcomes, (0, 0, 0), 30)
    assert metric.function(more) == metric.function(outcomes)
    assert interval(metric, more) == interval(metric, outcomes)


@pytest.mark.parametrize("metric", [m for m in PERFORMANCE_METRICS if "binary" in m.tasks], ids=lambda m: m.name)
def test_expected_rows_need_not_be_whole(metric, outcomes):
    tenth = raw_rows.times(outcomes, 0.1)
    assert metric.function(tenth) == pytest.approx(metric.function(outcomes), rel=1e-9)


def test_a_window_of_another_distribution_than_the_bins_has_finite_values():
    labels, scores = raw_rows.binormal(np.random.default_rng(4), 300, 0.5, 0.7)
    outside = raw_rows.binary(labels, 0.95 + 0.05 * scores, EDGES)
    for metric in PERFORMANCE_METRICS:
        if metric.suits(outside):
            assert np.isfinite(metric.function(outside)), metric.name
            assert np.isfinite(interval(metric, outside)).all(), metric.name
    assert performance_metric("roc_auc").function(outside) == 0.5
    assert performance_metric("kolmogorov_smirnov").function(outside) == 0.0
    assert performance_metric("lift").function(outside) == pytest.approx(1.0)
