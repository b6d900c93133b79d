"""What every performance metric obeys, and a new one must."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring_tasks.statistics.performance import PERFORMANCE_METRICS, interval, scaled, standard_error
from monitoring_tasks.statistics.performance.outcomes import Outcomes
from tests.statistics.performance import raw_rows

EDGES = np.array([0.1, 0.25, 0.4, 0.5, 0.6, 0.8, 0.9])
RESIDUAL_EDGES = np.array([-4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0])

every_case = pytest.mark.parametrize(
    ("metric", "task"),
    [(metric, task) for metric in PERFORMANCE_METRICS for task in metric.tasks],
    ids=lambda each: getattr(each, "name", each),
)
seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(1, 60)


def rows(task, seed, n):
    """Labels and answers of a model, some of them at bounds and tied."""
    rng = np.random.default_rng(seed)
    if task == "binary":
        return (rng.random(n) < rng.random()).astype(int), rng.beta(0.5, 0.5, n).round(rng.integers(1, 6))
    if task == "multiclass":
        return raw_rows.dirichlet(rng, n, 3, imbalance=rng.uniform(0.1, 1), concentration=0.5)
    labels = rng.normal(rng.normal(0, 5), 3, n)
    return labels, labels + rng.normal(0, rng.exponential(2), n)


def counted(task, labels, answers):
    if task == "regression":
        return raw_rows.regression(labels, answers, RESIDUAL_EDGES)
    return getattr(raw_rows, task)(labels, answers, EDGES)


def random_outcomes(task, seed, n):
    return counted(task, *rows(task, seed, n))


def same(found, expected, tolerance=1e-9):
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


@every_case
@settings(max_examples=20)
@given(seed=seeds, n=sizes)
def test_lies_within_its_bounds(metric, task, seed, n):
    outcomes = random_outcomes(task, seed, n)
    assert metric.suits(outcomes)
    value = metric.function(outcomes)
    assert value.shape == ()
    assert np.isnan(value) or metric.lowest <= value <= metric.highest + 1e-9


@every_case
@settings(max_examples=20)
@given(seed=seeds, n=sizes)
def test_interval_holds_the_value_and_lies_within_the_bounds(metric, task, seed, n):
    outcomes = random_outcomes(task, seed, n)
    value, (lower, upper) = metric.function(outcomes), interval(metric, outcomes)
    if not np.isnan(lower + upper):
        slack = 1e-9 * max(1.0, abs(value))
        assert metric.lowest - slack <= lower <= value + slack
        assert value - slack <= upper <= metric.highest + slack


@every_case
@settings(max_examples=20)
@given(seed=seeds, n=sizes)
def test_is_the_same_of_ten_times_the_rows(metric, task, seed, n):
    outcomes = random_outcomes(task, seed, n)
    same(metric.function(raw_rows.times(outcomes, 10)), metric.function(outcomes))


@every_case
@settings(max_examples=20)
@given(seed=seeds, n=st.integers(40, 200))
def test_error_shrinks_with_the_root_of_the_rows(metric, task, seed, n):
    outcomes = random_outcomes(task, seed, n)
    few, many = (standard_error(metric, raw_rows.times(outcomes, factor)) for factor in (1000, 100_000))
    if not np.isnan(few):
        # Or faster, where all rows are right. The median's is the distance of two quantiles, which follow the bins.
        assert many <= few / 10 * (1.5 if metric.name == "medae" else 1.05) + 1e-12


@every_case
@settings(max_examples=20)
@given(seed=seeds, n=st.integers(2, 60))
def test_outcomes_of_two_halves_add_up_to_those_of_the_whole(metric, task, seed, n):
    labels, answers = rows(task, seed, n)
    halves = [counted(task, labels[part], answers[part]) for part in (slice(0, n // 2), slice(n // 2, n))]
    same(metric.function(halves[0] + halves[1]), metric.function(counted(task, labels, answers)))


def test_outcomes_that_count_other_things_do_not_add_up():
    """Half a class table, or a sum over some rows alone, would pass for that of all."""
    first = random_outcomes("multiclass", 1, 40)
    for other, what in (
        (Outcomes(first.counts, first.sums, first.edges), "with `class_scores` on the same bins, not"),
        (Outcomes(first.counts, {}, first.edges, first.class_scores), "if the same was summed, not"),
        (Outcomes(first.counts[:, :3], first.sums, first.edges, first.class_scores), "on the same places and classes"),
    ):
        for one, another in ((first, other), (other, first)):
            with pytest.raises(ValueError, match=f"add up only {what}"):
                one + another


@every_case
@settings(max_examples=20)
@given(seed=seeds, n=sizes)
def test_many_tables_at_once_are_as_each_alone(metric, task, seed, n):
    each = [random_outcomes(task, seed + more, n) for more in range(5)]
    each.append(raw_rows.times(each[0], 0))
    together = raw_rows.stacked(each)
    same(metric.function(together), [metric.function(one) for one in each])
    same(standard_error(metric, together), [standard_error(metric, one) for one in each], 1e-6)
    for side in range(2):
        same(interval(metric, together)[side], [interval(metric, one)[side] for one in each], 1e-6)
        same(scaled(metric, together)[side], [scaled(metric, one)[side] for one in each], 1e-6)
    two_axes = raw_rows.stacked([raw_rows.stacked(each[:3]), raw_rows.stacked(each[3:])])
    same(metric.function(two_axes).ravel(), metric.function(together))
    if metric.per_class is not None and task == "multiclass":
        same(metric.per_class(together), [metric.per_class(one) for one in each])


@every_case
def test_is_not_measured_without_rows(metric, task):
    empty = raw_rows.times(random_outcomes(task, 1, 20), 0)
    assert np.isnan(metric.function(empty))
    assert np.isnan(standard_error(metric, empty))
    assert np.isnan(interval(metric, empty)).all()
    assert np.isnan(scaled(metric, empty)).all()


def perfect(task):
    if task == "regression":
        return counted(task, np.arange(1.0, 21.0), np.arange(1.0, 21.0))
    labels = np.arange(20) % 2 if task == "binary" else np.arange(21) % 3
    return counted(task, labels, labels.astype(float) if task == "binary" else np.eye(3)[labels])


@every_case
def test_is_best_of_a_perfect_model(metric, task):
    value = metric.function(perfect(task))
    best = {"higher": metric.highest, "lower": metric.lowest, "zero": 0.0}[metric.better]
    if metric.name == "lift":
        best = 2.0 if task == "binary" else 3.0  # one over the share of the class
    if metric.name == "expected_calibration_error" and task == "multiclass":
        assert value == pytest.approx(0.05, abs=0.01)  # half the outermost bins, as documented
    else:
        # The bin of a residual of 0 reaches from 0 to 1, and half its rows lie within half of it.
        assert value == pytest.approx(0.5 if metric.name == "medae" else best, abs=1e-9)


@every_case
@settings(max_examples=20)
@given(seed=seeds, noise=st.floats(0.3, 1.0))
def test_is_worse_of_a_worse_model(metric, task, seed, noise):
    """Answers of another model, drawn without regard to the label, take the place of a share of perfect ones.

    Of fewer than three in ten the calibration error of several classes is not above that of ten bins' middles, 0.05.
    """
    rng = np.random.default_rng(seed)
    n = 3000
    if task == "regression":
        labels = rng.normal(10, 3, n)
        answers = labels + 0.1 + noise * (1.5 + rng.random(n))
        outcomes, better = counted(task, labels, answers), counted(task, labels, labels + 0.1)
    else:
        n_classes = 2 if task == "binary" else 3
        labels = rng.integers(0, n_classes, n)
        scores = np.eye(n_classes)[labels]
        other = rng.dirichlet(np.ones(n_classes), n)
        mixed = np.where((rng.random(n) < noise)[:, np.newaxis], other, scores)
        given_scores = (mixed, scores) if task == "multiclass" else (mixed[:, 1], scores[:, 1])
        outcomes, better = (counted(task, labels, each) for each in given_scores)
    values = np.array([metric.function(outcomes), metric.function(better)])
    goodness = {"higher": values, "lower": -values, "zero": -np.abs(values)}[metric.better]
    # The top tenth may still be all right, and a median may stay in its bin.
    assert goodness[0] < goodness[1] or (metric.name in ("lift", "medae") and goodness[0] <= goodness[1] + 1e-9)


@pytest.mark.parametrize("metric", PERFORMANCE_METRICS, ids=lambda metric: metric.name)
def test_refuses_outcomes_of_another_task(metric):
    for other in {"binary", "multiclass", "regression"} - set(metric.tasks):
        outcomes = random_outcomes(other, 2, 20)
        assert not metric.suits(outcomes)
        with pytest.raises(ValueError, match=f"are of a {other} model, and {metric.name} is for"):
            metric.function(outcomes)


@every_case
def test_names_what_the_outcomes_do_not_hold(metric, task):
    full = random_outcomes(task, 3, 20)
    bare = Outcomes(full.counts.sum(axis=-3, keepdims=True))
    if metric.suits(bare):
        assert metric.needs == ("predictions",)
        same(metric.function(bare), metric.function(full))
    else:
        with pytest.raises(ValueError, match=r"ask `metric.suits` first|bin the residuals"):
            metric.function(bare)


def test_names_are_fixed():
    assert [metric.name for metric in PERFORMANCE_METRICS] == [
        "accuracy",
        "balanced_accuracy",
        "precision",
        "recall",
        "specificity",
        "f1",
        "mcc",
        "roc_auc",
        "average_precision",
        "log_loss",
        "brier",
        "expected_calibration_error",
        "kolmogorov_smirnov",
        "lift",
        "mae",
        "rmse",
        "mape",
        "medae",
        "r2",
        "bias",
    ]
