"""Comparisons with the baseline where errors are 0, values at a bound, or rows few: nothing worse may pass for good."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.stats import norm, t

from monitoring_tasks.checks.comparison import Comparison, between_windows, compare, is_usually_worse, usually_worse
from monitoring_tasks.labelled_baseline import LabelledBaseline
from monitoring_tasks.labels_profile import LabelsProfile
from monitoring_tasks.outcome_bins import OutcomeBins
from monitoring_tasks.statistics.performance import (
    PERFORMANCE_METRICS,
    interval,
    off_scale,
    on_scale,
    performance_metric,
)
from tests.made_labels import BINARY, CLASSES, REGRESSION, Rows, baseline_of, binary_rows, counted


def regression(errors: np.ndarray | list[float], labels: np.ndarray | None = None) -> Rows:
    """Rows whose predictions are off by these errors, of labels in eighths."""
    off = np.asarray(errors, float)
    label = np.arange(len(off)) % 9 / 8 - 0.5 if labels is None else labels
    return Rows(np.zeros(len(off)), np.zeros(len(off), int), label + off, np.zeros(len(off), int), label)


def binary(scores: np.ndarray | list[float], labels: np.ndarray | list[float]) -> Rows:
    score = np.asarray(scores, float)
    zeros = np.zeros(len(score))
    return Rows(zeros, zeros.astype(int), score, (score >= 0.5).astype(int), np.asarray(labels, float))


def compared(metric: str, before: Rows, after: Rows, bins: OutcomeBins = REGRESSION) -> Comparison | None:
    baseline = baseline_of([before], bins)
    return compare(performance_metric(metric), baseline.whole, counted(after, bins), baseline)


def constant(error: float, rows: int = 500) -> Rows:
    return regression(np.full(rows, error))


@pytest.mark.parametrize(
    ("metric", "before"), [("bias", 0.0), ("mae", 1.0), ("rmse", 1.0), ("mae", 0.0), ("rmse", 0.0)]
)
def test_rows_that_are_all_off_by_the_same_are_worse_than_others_that_were_off_by_less(metric: str, before: float):
    worse, like, better = (
        compared(metric, constant(each[0]), constant(each[1], 300))
        for each in ((before, 5.0), (5.0, 5.0), (5.0, before))
    )
    assert worse is not None
    assert like is not None
    assert better is not None
    assert worse.p_value == 0.0
    assert like.p_value == (1.0 if metric == "bias" else 0.5)
    assert better.p_value == 1.0
    low, high = worse.bounds(0.01)
    assert low is None or low == pytest.approx(-before)
    assert high == pytest.approx(before)


@pytest.mark.parametrize("rows", [100, 500, 20_000])
def test_the_error_of_rows_that_are_all_alike_is_that_of_as_many_rows_of_the_other_side(rows: int):
    """Ten rows of 500 are off by 1: their MAE is a share p, with the error sqrt(p (1 - p) / (n - 1)), by Student."""
    off = np.arange(500) < 10
    found = compared("mae", constant(0.0, rows), regression(off.astype(float)))
    assert found is not None
    error = math.sqrt(0.02 * 0.98 / 499) * t(499).ppf(0.975) / norm.ppf(0.975)
    assert found.p_value == pytest.approx(norm.sf(0.02 / (error * math.sqrt(1 + 500 / rows))), rel=1e-3)


def test_a_perfect_model_is_compared_with():
    rng = np.random.default_rng(1)
    right, wrong = np.arange(500) % 2 * 1.0, rng.random(500) < 0.1
    turned = np.where(wrong, 1 - right, right)
    for metric in ("brier", "log_loss"):
        found = compared(metric, binary(right, right), binary(turned, right), BINARY)
        assert found is not None
        assert found.reference == pytest.approx(0.0, abs=1e-9)
        assert found.p_value < 1e-6
        better = compared(metric, binary(turned, right), binary(right, right), BINARY)
        assert better is not None
        assert better.p_value > 0.99
    all_wrong = compared("brier", binary(right, right), binary(1 - right, right), BINARY)
    assert all_wrong is not None
    assert all_wrong.p_value == 0.0


def test_an_r_squared_of_one_is_compared_with():
    rng = np.random.default_rng(2)
    noisy = regression(rng.normal(0, 0.3, 500))
    found, better = compared("r2", constant(0.0), noisy), compared("r2", noisy, constant(0.0))
    assert found is not None
    assert better is not None
    assert (found.reference, found.metric.scale) == (1.0, "identity")
    assert found.p_value < 1e-6
    assert better.p_value > 0.999
    like = compared("r2", constant(0.0), constant(0.0, 300))
    assert like is not None
    assert like.p_value == 0.5


def test_one_row_does_not_tell_its_error():
    assert compared("mae", regression([0.1, 0.4, 0.9]), constant(5.0, 1)) is None
    assert compared("mae", constant(5.0, 1), regression([0.1, 0.4, 0.9])) is None


def test_values_and_bounds_lie_in_the_metrics_range():
    """Windows of two and three rows, some of them as wrong as can be."""
    rng = np.random.default_rng(3)
    baseline = baseline_of([binary_rows(2000, rng)], BINARY)
    for rows in (2, 3, 3, 3, 5, 20):
        scores = np.concatenate([[0.98], rng.random(rows - 1)])
        window = counted(binary(scores, scores < 0.5), BINARY)
        for metric in PERFORMANCE_METRICS:
            if not metric.suits(window.outcomes):
                continue
            lowest, highest = metric.lowest, 1.0 if metric.name == "brier" else metric.highest
            value, ends = metric.function(window.outcomes), interval(metric, window.outcomes)
            found = compare(metric, baseline.whole, window, baseline)
            shown = [float(value), *map(float, ends), *([] if found is None else found.bounds(1e-4))]
            assert all(lowest <= each <= highest for each in shown if each is not None and not math.isnan(each)), shown


def test_a_window_of_two_rows_is_not_held_to_a_bound_that_chance_reaches():
    baseline = baseline_of([binary_rows(2000, np.random.default_rng(4))], BINARY)
    window = counted(binary([0.98, 0.6], [0.0, 0.0]), BINARY)
    found = compare(performance_metric("brier"), baseline.whole, window, baseline)
    assert found is not None
    assert found.bounds(0.01) == (None, 1.0)
    assert found.p_value > 0.05


def several(rows: int, rng: np.random.Generator, noise: float = 0.3) -> Rows:
    """Rows of three classes, whose scores tell them less well the more noise there is."""
    label = rng.integers(0, 3, rows)
    scores = rng.dirichlet(np.ones(3), rows) * noise + np.eye(3)[label] * (1 - noise) * rng.random((rows, 1))
    scores /= scores.sum(axis=1, keepdims=True)
    zeros = np.zeros(rows)
    return Rows(zeros, zeros.astype(int), scores, scores.argmax(axis=1), label.astype(float))


def days_of_classes(rng: np.random.Generator, spread: float, days: int = 20) -> LabelledBaseline:
    return baseline_of([several(400, rng, 0.7 + spread * rng.uniform(-1, 1)) for _ in range(days)], CLASSES)


SCORE_METRICS = ("roc_auc", "average_precision", "kolmogorov_smirnov", "lift", "expected_calibration_error")


def test_the_scores_of_several_classes_show_how_much_windows_differ():
    rng = np.random.default_rng(5)
    restless, quiet = days_of_classes(rng, 0.25), days_of_classes(rng, 0.0)
    for name in SCORE_METRICS:
        metric = performance_metric(name)
        assert metric.suits(restless.parts), name
        variance, parts = between_windows(metric, restless)
        assert (variance, parts) > (0.0, 4), name
        assert between_windows(metric, quiet)[0] < 0.1 * variance, name
    assert restless.part_class_scores is not None
    assert (restless.part_class_scores.sum(axis=0) == restless.whole.class_scores[..., :2]).all()


def test_what_windows_scores_show_is_kept():
    baseline = days_of_classes(np.random.default_rng(6), 0.2, days=5)
    profiles, parts = baseline.to_json()
    sizes = {name: len(each) for name, each in baseline.whole.columns.items()}
    again = LabelledBaseline.from_json(baseline.window, baseline.bins, sizes, profiles, parts)
    assert (again.part_class_scores == baseline.part_class_scores).all()
    assert (again.parts.edges == baseline.parts.edges).all()
    del parts["class_scores"]  # as a baseline was written before
    older = LabelledBaseline.from_json(baseline.window, baseline.bins, sizes, profiles, parts)
    metric = performance_metric("roc_auc")
    assert between_windows(metric, older) == (0.0, 0)
    found = compare(metric, older.whole, counted(several(400, np.random.default_rng(7)), CLASSES), older)
    assert found is not None
    assert found.between is None


def test_score_bins_of_very_many_classes_and_windows_are_added_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("monitoring_tasks.labelled_baseline.MOST_CELLS", 3000)
    fine = days_of_classes(np.random.default_rng(8), 0.25)
    scores = fine.part_class_scores
    assert scores is not None
    assert scores.shape == (20, 4, 18, 2)
    assert scores.sum() == fine.whole.class_scores[..., :2].sum()
    edges = fine.parts.edges
    # Scores below each edge are those of the groups below it, as of the 66 bins.
    all_edges = np.array(CLASSES.score_edges)
    whole, coarse = fine.whole.class_scores[..., :2].sum(axis=(0, 2)), scores.sum(axis=(0, 1, 3))
    for i, edge in enumerate(edges):
        assert coarse[: i + 1].sum() == whole[: 1 + int(np.flatnonzero(all_edges == edge)[0])].sum()


@pytest.mark.integration
@pytest.mark.parametrize("spread", [0.0, 0.25])
def test_days_of_several_classes_alarm_as_seldom_as_asked(spread: float):
    """At 5 %: of 200 days 10 are expected and 17 are two errors more; the metrics are more cautious."""
    rng = np.random.default_rng(9)
    baseline = days_of_classes(rng, spread)
    alarms = dict.fromkeys(SCORE_METRICS, 0)
    for _ in range(200):
        window = counted(several(400, rng, 0.7 + spread * rng.uniform(-1, 1)), CLASSES)
        for name in SCORE_METRICS:
            found = compare(performance_metric(name), baseline.whole, window, baseline)
            assert found is not None, name
            alarms[name] += found.p_value < 0.05
    assert max(alarms.values()) <= 17, alarms
    worse = counted(several(400, rng, 1.0), CLASSES)
    for name in SCORE_METRICS if not spread else ():
        found = compare(performance_metric(name), baseline.whole, worse, baseline)
        assert found is not None
        # The top tenth of three classes is nearly all right on any day.
        assert found.p_value < (1e-3 if name != "lift" else 0.05), name


def test_the_distance_of_several_classes_is_taken_without_what_chance_adds():
    """Of scores that say nothing, a window of 60 rows has a larger distance than one of 4,000, by chance alone."""
    rng = np.random.default_rng(10)
    metric = performance_metric("kolmogorov_smirnov")
    centres = [float(metric.estimate(counted(several(rows, rng, 1.0), CLASSES).outcomes).centre) for rows in (60,) * 40]
    values = [float(metric.function(counted(several(60, rng, 1.0), CLASSES).outcomes)) for _ in range(40)]
    assert np.mean(values) > 0.2
    assert np.mean(centres) < 0.1


@cache
def matrix(tn: int, fp: int, fn: int, tp: int) -> LabelsProfile:
    """Count rows with a predicted class and no score that says more."""
    once = [counted(binary([score], [label]), BINARY) for label in (0.0, 1.0) for score in (0.25, 0.75)]
    rows = list(zip(once, (tn, fp, fn, tp), strict=True))
    units = {name: sum(each.units[name] * times for each, times in rows) for name in once[0].units}
    return replace(once[0], cells=sum(each.cells * times for each, times in rows), units=units)


NEARLY_PERFECT = 29_997, 3, 3, 29_997


SHARES = ("accuracy", "balanced_accuracy", "precision", "recall", "specificity", "f1", "mcc", "roc_auc")


@pytest.mark.parametrize("rows", [20, 50, 200, 2000])
@pytest.mark.parametrize("metric", SHARES)
def test_a_perfect_window_is_never_worse(metric: str, rows: int):
    """Six errors in 60,000 rows: 200 without any are taken as 0.9975, drawn inside by half a row, which is less."""
    found = compare(performance_metric(metric), matrix(*NEARLY_PERFECT), matrix(rows // 2, 0, 0, rows // 2), None)
    assert found is not None
    assert found.p_value >= 0.5


@pytest.mark.parametrize("metric", SHARES)
def test_some_errors_beside_a_nearly_perfect_baseline_are_found(metric: str):
    """Ten errors in 200 rows, 0.02 being expected."""
    found = compare(performance_metric(metric), matrix(*NEARLY_PERFECT), matrix(95, 5, 5, 95), None)
    assert found is not None
    assert found.p_value < 1e-4


@pytest.mark.parametrize("rows", [2, 5, 20, 100])
@pytest.mark.parametrize("metric", SHARES)
def test_the_verdict_is_that_of_the_value_and_the_bounds(metric: str, rows: int):
    """Values at a bound are compared half a row inside of it, and told as they are."""
    rng = np.random.default_rng(rows)
    for right in (0.0, 0.02, 0.5, 0.98, 1.0):
        for wrong in (0.01, 0.3, 0.6):
            counts = [round(5000 * each) for each in (1 - wrong, wrong, wrong, 1 - wrong)]
            hit = rng.random((2, rows)) < right
            window = matrix(*(int(each.sum()) for each in (hit[0], ~hit[0], ~hit[1], hit[1])))
            found = compare(performance_metric(metric), matrix(*counts), window, None)
            value = float(performance_metric(metric).function(window.outcomes))
            if found is None:
                continue
            for rate in (0.2, 0.01, 1e-4):
                low, high = found.bounds(rate)
                assert low is not None
                assert high is None
                assert (found.p_value < rate) == (value < low - 1e-12), (right, wrong, rate, value, low)


def test_a_bound_below_any_value_of_so_few_rows_is_the_lowest_value():
    """An F1 score of 0 of a few rows is like one of 0.02."""
    found = compare(performance_metric("f1"), matrix(900, 50, 60, 40), matrix(18, 0, 2, 0), None)
    assert found is not None
    assert found.p_value > 0.001
    assert found.bounds(0.001) == (0.0, None)


def test_windows_that_are_usually_worse_than_all_rows_together_are_compared_with_each_other():
    """Days off in opposite directions cancel in the calibration error of all, and none of them is an alarm."""
    rng = np.random.default_rng(11)
    days = [binary_rows(800, rng, level=sign * 0.7) for sign in (-1, 1) * 10]
    baseline, metric = baseline_of(days, BINARY), performance_metric("expected_calibration_error")
    assert usually_worse(metric, baseline) == pytest.approx(0.09, abs=0.02)
    assert is_usually_worse(metric, baseline)
    day = counted(binary_rows(800, rng, level=0.7), BINARY)
    found = compare(metric, baseline.whole, day, baseline)
    assert found is not None
    assert found.reference < 0.04
    assert found.at == pytest.approx(0.1, abs=0.02)
    assert found.p_value > 0.05
    month = compare(metric, baseline.whole, replace(day, window=baseline.window), baseline)
    assert month is not None
    assert month.p_value < 1e-4
    # What is better than all rows together is never asked for.
    auc = performance_metric("roc_auc")
    assert usually_worse(auc, baseline) == 0.0
    assert usually_worse(performance_metric("bias"), None) == 0.0


def right_and_wrong(rows: int, share: float, right: float, rng: np.random.Generator) -> Rows:
    """Rows of which this share is positive; of either label the model finds this share."""
    label = (rng.random(rows) < share).astype(float)
    hit = rng.random(rows) < right
    return binary(np.where(hit, label, 1 - label) * 0.5 + 0.25, label)


@pytest.mark.parametrize(
    ("metric", "rows", "share"),
    [("recall", 100, 0.05), ("accuracy", 30, 0.5), ("specificity", 30, 0.5), ("f1", 60, 0.5)],
)
def test_a_share_is_not_usually_worse_in_windows_that_differ_by_chance_alone(metric: str, rows: int, share: float):
    """Weights by the error on the logit, which is large where the value is, made 0.884 of a recall of 0.946."""
    rng = np.random.default_rng(14)
    baseline = baseline_of([right_and_wrong(rows, share, 0.95, rng) for _ in range(60)], BINARY)
    its = performance_metric(metric)
    at = float(on_scale(its, its.function(baseline.whole.outcomes)))
    usual = float(off_scale(its, at + usually_worse(its, baseline)))
    assert usual == pytest.approx(float(off_scale(its, at)), abs=1e-9 if metric != "f1" else 0.005)
    assert not is_usually_worse(its, baseline)


@pytest.mark.parametrize("metric", ["mae", "rmse"])
def test_a_loss_is_not_usually_worse_either(metric: str):
    rng = np.random.default_rng(15)
    baseline = baseline_of([regression(rng.normal(size=5) * rng.uniform(0.5, 2)) for _ in range(40)], REGRESSION)
    assert usually_worse(performance_metric(metric), baseline) == pytest.approx(0.0, abs=1e-9)


def test_a_difference_of_rounding_only_is_none():
    metric = performance_metric("bias")
    found = Comparison.of(metric, 0.1, (0.1, 0.0), (np.nextafter(0.1, 1), 0.0), (0.0, 0))
    assert found.p_value == 1.0
    assert replace(found, at=0.2).bounds(0.01) == (-0.2, 0.2)


def test_a_bias_that_gets_smaller_is_no_alarm_and_one_that_gets_larger_on_either_side_is():
    """2 in the baseline: held on both sides of that, 0 was called worse, with p = 5e-176."""
    rng = np.random.default_rng(12)
    for sign in (1, -1):
        before = regression(sign * 2 + rng.normal(0, 0.5, 2000))
        for off, worse in ((0.0, False), (1.0, False), (-1.9, False), (2.3, True), (-2.3, True)):
            found = compared("bias", before, regression(sign * off + rng.normal(0, 0.5, 500)))
            assert found is not None
            low, high = found.bounds(0.001)
            assert low == -high
            assert high == pytest.approx(2.08, abs=0.04)
            assert (found.p_value < 0.001) == worse, off
            assert (found.p_value == 1.0) == (abs(off) < 2), off


def test_a_bias_is_an_alarm_as_seldom_as_asked():
    """At 5 %, of a baseline without any bias and of one: of 1,000 windows 50 are expected, 64 are two errors more."""
    rng = np.random.default_rng(13)
    for bias in (0.0, 2.0):
        before = compared("bias", regression(bias + rng.normal(size=20_000)), regression(bias + rng.normal(size=200)))
        assert before is not None
        windows = bias + rng.normal(size=(1000, 200)).mean(axis=1)
        low, high = before.bounds(0.05)
        assert ((windows < low) | (windows > high)).sum() <= 64
