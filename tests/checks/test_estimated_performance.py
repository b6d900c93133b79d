"""Estimates of performance: made-up windows whose relation between inputs and labels is known."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import reduce

import numpy as np
import pytest

from monitoring_tasks.checks import CHECKS, Result, enabled, not_computed
from monitoring_tasks.checks.estimate_coverage import Backtest, coverage_of
from monitoring_tasks.checks.estimated_performance import estimated_performance
from monitoring_tasks.checks.expected_performance import UsualError, expect
from monitoring_tasks.config import Monitor, parse_monitor
from monitoring_tasks.labelled_baseline import LabelledBaseline
from monitoring_tasks.labels_profile import LabelsProfile
from monitoring_tasks.statistics.intervals import wilson_interval
from monitoring_tasks.statistics.performance import performance_metric
from tests.checks import simulated_labels as made
from tests.checks.simulated_labels import BINARY, MULTICLASS, REGRESSION, SCORED, context_of

FILE = """\
monitor: loans
schedule: "@daily"
start: 2024-03-21
warehouse: loans
inference_log:
  {{table: log, timestamp: asked_at, key: id, prediction: predicted, features: {{x: numeric, w: numeric}}{more}}}
labels: {{table: paid, key: id, value: late, timestamp: known_at, complete_after: 2d}}
task: {task}
baseline: {{period: {{start: 2024-03-01, end: 2024-03-21}}}}
checks: {{estimated_performance: {settings}}}
"""

DAYS, ROWS = 20, 500
"""Of the baseline."""

SHIFT = 0.8
"""Standard deviations by which `x` moves."""


def monitor_of(settings: str = "{}", task: str = "binary_classification") -> Monitor:
    more = {
        "binary_classification": ", score: score, positive_class: 1",
        "multiclass_classification": ", score: {0: p_0, 1: p_1, 2: p_2}",
        "regression": "",
    }[task]
    return parse_monitor(FILE.format(settings=settings, task=task, more=more), environ={})


def sigmoid(logit: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logit))


def drawn(
    day: int,
    rows: int = ROWS,
    x: float = 0.0,
    sharpness: float = 1.0,
    slope: float = 1.0,
    labelled: bool = True,
    segment: str = "",
    cut: float = 0.5,
) -> LabelsProfile:
    """Draw a day of a binary model that has learned too little of `x`; P(late | x, z) is fixed, but for `slope`.

    `sharpness` is how far `z` spreads, which the model knows well and nobody watches; `w` says nothing.
    """
    rng = np.random.default_rng([7, day, rows])
    of_x, of_z = x + rng.normal(size=rows), sharpness * rng.normal(size=rows)
    score = sigmoid(0.2 * of_x + 1.2 * of_z - 0.5)
    label = (rng.random(rows) < sigmoid(slope * (0.9 * of_x + 1.2 * of_z) - 0.5)).astype(float)
    known = label if labelled else np.full(rows, np.nan)
    edges = np.linspace(-2, 2, made.BY_COLUMN - 1)
    columns = {name: 1 + np.searchsorted(edges, each) for name, each in (("x", of_x), ("w", rng.normal(size=rows)))}
    return made.labels_of(BINARY, day, known, (score > cut).astype(float), score, columns, segment)


def baseline_of(make: Callable[[int], LabelsProfile] = drawn, days: int = DAYS) -> LabelledBaseline:
    parts = [[make(day)] for day in range(days)]
    return LabelledBaseline.of(replace(made.window_of(0), end=made.window_of(days - 1).end), parts)


@pytest.fixture(scope="module")
def baseline() -> LabelledBaseline:
    return baseline_of()


def test_a_baseline_of_one_class_allows_no_estimate():
    """Of rare events it may hold none. The estimate of F1 was 0 (0 to 0) and in order."""

    def none(day: int) -> LabelsProfile:
        rng = np.random.default_rng(day)
        score = rng.random(ROWS)
        return made.labels_of(BINARY, day, np.zeros(ROWS), (score > 0.9).astype(float), score, {})

    results = estimated_performance(context_of(monitor_of(), [drawn(40)], baseline_of(none), final=True))
    assert {result.metric for result in results} == {"roc_auc", "f1", "brier"}
    for result in results:
        assert (result.status, result.value) == ("insufficient_data", None)
        assert result.message.endswith("all 10,000 labels of the baseline's rows are of one class")


def found(results: list[Result], segment: str = "") -> dict[str, Result]:
    return {result.metric: result for result in results if result.segment == segment}


def test_it_is_a_check_of_every_monitor_with_labels():
    assert "estimated_performance" in [check.name for check in enabled(monitor_of())]
    assert next(check for check in CHECKS if check.name == "estimated_performance").family == "performance"
    assert "checks.estimated_performance" not in not_computed(monitor_of("{metrics: [f1]}"))


def test_a_quiet_window_is_estimated_as_good_as_the_baseline_and_says_so(baseline):
    results = found(estimated_performance(context_of(monitor_of(), [drawn(40, 970, labelled=False)], baseline)))
    auc = results["roc_auc"]
    assert auc.status == "ok"
    assert auc.value_lower < auc.value < auc.value_upper
    assert auc.value == pytest.approx(auc.detail["baseline"], abs=0.03)
    assert auc.message.startswith(f"ROC AUC is estimated at {auc.value:.3g} ({auc.value_lower:.3g} to ")
    assert " from 970 scores" in auc.message
    assert f", the baseline's is {auc.detail['baseline']:.3g} (alarm below " in auc.message, (
        "nothing is known to be corrected"
    )
    assert (auc.baseline_rows, auc.window_rows) == (DAYS * ROWS, 970)
    assert auc.threshold_lower < auc.value
    assert auc.threshold_upper is None
    assert {"accuracy", "lift", "mcc"} <= set(results)
    assert results["accuracy"].status == "info"
    assert "realised" not in auc.detail


def test_it_does_not_depend_on_labels_nor_on_the_run(baseline):
    def values(labelled: bool) -> list[tuple[str, float | None, float | None, float | None, float | None]]:
        profiles = [drawn(41, labelled=labelled), drawn(41, 300, labelled=labelled, segment="x=low")]
        results = estimated_performance(context_of(monitor_of(), profiles, baseline))
        return [(r.metric, r.value, r.value_lower, r.value_upper, r.p_value) for r in results if "_co" not in r.metric]

    assert values(False) == values(False) == values(True)


def test_a_window_whose_scores_say_less_is_an_alarm_before_any_label(baseline):
    profile = drawn(42, 900, sharpness=0.3, labelled=False)
    results = found(estimated_performance(context_of(monitor_of(), [profile], baseline)))
    auc = results["roc_auc"]
    assert auc.status == "alarm"
    assert auc.value < auc.threshold_lower
    assert auc.p_value < 0.01 / 3
    assert "which is worse (alarm below" in auc.message


def test_getting_better_is_no_alarm(baseline):
    profile = drawn(42, 900, sharpness=3, labelled=False)
    results = estimated_performance(context_of(monitor_of(), [profile], baseline))
    assert not [result for result in results if result.status == "alarm"]
    assert found(results)["roc_auc"].value > found(results)["roc_auc"].detail["baseline"]


def test_the_truth_stands_beside_the_estimate_once_labels_are_complete(baseline):
    context = context_of(monitor_of("{metrics: [roc_auc, brier]}"), [drawn(43, 900)], baseline, final=True)
    results = found(estimated_performance(context))
    auc = results["roc_auc"]
    assert auc.detail["inside"] is (auc.value_lower <= auc.detail["realised"] <= auc.value_upper)
    assert f"; the labels show {auc.detail['realised']:.3g}, inside" in auc.message
    assert results["roc_auc_error"].value == pytest.approx(auc.value - auc.detail["realised"])
    assert set(results) == {"roc_auc", "brier", "roc_auc_error", "brier_error", "estimate_coverage"}


def test_the_truth_waits_for_the_labels(baseline):
    results = found(estimated_performance(context_of(monitor_of(), [drawn(43, 900)], baseline)))
    assert "realised" not in results["roc_auc"].detail
    assert results["estimate_coverage"].status == "insufficient_data"
    assert "more are to come until 2024-04-16T00:00Z" in results["estimate_coverage"].message


@pytest.mark.parametrize(
    ("profile", "has_baseline", "message"),
    [
        (drawn(44, 12), True, "F1 score is not estimated: 12 rows, an estimate needs 50"),
        (drawn(44), False, "F1 score is not estimated: the baseline's labels are complete from 2024-03-23T00:00Z on"),
    ],
)
def test_what_cannot_be_estimated_says_why(baseline, profile, has_baseline, message):
    context = context_of(monitor_of("{metrics: [f1]}"), [profile], baseline if has_baseline else None, final=True)
    result = found(estimated_performance(context))["f1"]
    assert (result.status, result.value) == ("insufficient_data", None)
    assert result.message.startswith(message)


def test_rows_without_a_score_do_not_count(baseline):
    rows = 60
    label, missing = np.zeros(rows), np.full(rows, np.nan)
    columns = {"x": np.ones(rows, int), "w": np.ones(rows, int)}
    profile = made.labels_of(BINARY, 45, label, label, missing, columns)
    result = found(estimated_performance(context_of(monitor_of("{metrics: [brier]}"), [profile], baseline)))["brier"]
    assert result.message == "Brier score is not estimated: 0 of 60 rows have a score, an estimate needs 50"


def test_a_segment_is_calibrated_on_its_own_rows_if_they_are_enough():
    parts = [[drawn(day), drawn(day, 300, segment="x=low"), drawn(day, 4, segment="x=rare")] for day in range(8)]
    baseline = LabelledBaseline.of(replace(made.window_of(0), end=made.window_of(7).end), parts)
    profiles = [drawn(46), drawn(46, segment="x=low"), drawn(46, segment="x=rare")]
    results = estimated_performance(context_of(monitor_of("{metrics: [f1]}"), profiles, baseline))
    low, rare = found(results, "x=low")["f1"], found(results, "x=rare")["f1"]
    assert (low.detail["calibrated_on"], low.baseline_rows) == ("x=low", 2400)
    assert (rare.detail["calibrated_on"], rare.baseline_rows) == ("all rows", 8 * ROWS)


def test_the_shift_of_the_feature_that_matters_is_corrected_for(baseline):
    moved = context_of(monitor_of("{metrics: [accuracy]}"), [drawn(47, 2000, SHIFT)], baseline, final=True)
    corrected = found(estimated_performance(moved))["accuracy"]
    assert corrected.detail["corrected_for"] == "x"
    assert "corrected for the shift of x" in corrected.message
    assert corrected.detail["inside"] is True
    blind = replace(baseline.whole, columns={"w": baseline.whole.columns["w"]})
    without = replace(baseline, profiles={"": blind})
    uncorrected = found(estimated_performance(replace(moved, labelled_baseline=without)))["accuracy"]
    assert uncorrected.detail["corrected_for"] is None
    assert uncorrected.detail["inside"] is False
    quiet = context_of(monitor_of("{metrics: [accuracy]}"), [drawn(48, 2000)], baseline)
    assert found(estimated_performance(quiet))["accuracy"].detail["corrected_for"] is None


def test_the_bounds_are_those_of_the_value_that_is_told():
    """Days that differ, on which AUC is another than over all of them, and a metric to which chance adds."""

    def stormy(day: int) -> LabelsProfile:
        return drawn(day, x=3.0 * (day % 2) - 1.5, sharpness=1 + 0.3 * (day % 3))

    monitor = monitor_of("{metrics: [roc_auc, brier, f1, expected_calibration_error]}")
    baseline, statuses = baseline_of(stormy), set()
    for day in range(40, 52):
        for profile in (stormy(day), drawn(day, 400, sharpness=0.05)):
            for result in found(estimated_performance(context_of(monitor, [profile], baseline))).values():
                if result.p_value is not None:
                    outside = replace(result, status=None).decided()
                    assert result.status == outside, result
                    statuses.add(outside)
    assert statuses == {"ok", "alarm"}


def test_a_month_is_not_corrected_as_its_days_are():
    """Over many days the scores tell bad days from good ones, too, and on any one of them they cannot."""

    def stormy(day: int) -> LabelsProfile:
        """The scores know which days are bad, and say little of the rows of one day."""
        rng = np.random.default_rng([23, day])
        level, of_row = 2.0 * (day % 2) - 1, rng.normal(size=ROWS)
        score = sigmoid(level + of_row)
        label = (rng.random(ROWS) < sigmoid(level + 0.2 * of_row)).astype(float)
        columns = {"x": rng.integers(1, 5, ROWS), "w": rng.integers(1, 5, ROWS)}
        return made.labels_of(BINARY, day, label, (score > 0.5).astype(float), score, columns)

    def together(first: int, days: int) -> LabelsProfile:
        window = replace(made.window_of(first), end=made.window_of(first + days - 1).end)
        parts = [stormy(first + day) for day in range(days)]
        return reduce(lambda a, b: a.with_rows_of(b, window), parts[1:], replace(parts[0], window=window))

    baseline, auc = baseline_of(stormy), performance_metric("roc_auc")
    day, days, month, year = (UsualError.of(auc, baseline, windows) for windows in (1, 2, 20, 365))
    assert day.mean < -0.2
    assert abs(month.mean) < 0.02
    # Two days are one of each kind, as a month is. Days vary by chance alone here, and a month by no more.
    assert days.mean == pytest.approx(month.mean, abs=0.05)
    assert year.mean == pytest.approx(month.mean)
    assert year.variance <= month.variance <= day.variance
    monitor = monitor_of("{metrics: [roc_auc]}")
    # A day is held against what days usually have: their AUC is that of one kind alone. It was an alarm at 5e-17.
    for number in range(40, 50):
        its = found(estimated_performance(context_of(monitor, [together(number, 1)], baseline)))["roc_auc"]
        said = re.search("baseline's is 0.72, of its windows usually ([0-9.]+) [(]alarm below ([0-9.]+);", its.message)
        assert said is not None, its.message
        assert float(said[2]) < float(said[1]) < 0.6
        assert its.p_value is not None
        assert its.p_value > 0.01
    for length in (10, 20, 30):
        profile = together(40, length)
        result = found(estimated_performance(context_of(monitor, [profile], baseline, final=True)))["roc_auc"]
        assert result.value == pytest.approx(result.detail["realised"], abs=0.015)
        assert (result.detail["inside"], result.status) == (True, "ok")


def nearly_perfect(day: int, rows: int = 2000, wrong: int = 0, rare: bool = False) -> LabelsProfile:
    """Draw a day of a model that is always right but in `wrong` rows of the first day, or that never says yes."""
    rng = np.random.default_rng([17, day, rows])
    label = (rng.random(rows) < (0.03 if rare else 0.5)).astype(float)
    prediction = np.zeros(rows) if rare else label.copy()
    prediction[: wrong if day == 0 else 0] = 1 - label[: wrong if day == 0 else 0]
    score = np.full(rows, 0.05) if rare else np.where(prediction == 1, 0.9, 0.1)
    columns = {"x": rng.integers(1, 5, rows), "w": rng.integers(1, 5, rows)}
    return made.labels_of(BINARY, day, label, prediction, score, columns)


def test_a_perfect_window_is_not_worse_than_a_baseline_with_six_errors_of_forty_thousand():
    """Half a row of forty is further from the bound than the baseline is: it was an alarm in every window."""
    baseline = baseline_of(lambda day: nearly_perfect(day, wrong=6))
    monitor = monitor_of("{metrics: [accuracy, f1, mcc, roc_auc]}")
    for rows in (60, 200, 2000):
        for day in range(30, 34):
            results = found(estimated_performance(context_of(monitor, [nearly_perfect(day, rows)], baseline)))
            assert {results[name].status for name in ("accuracy", "f1", "mcc", "roc_auc")} == {"ok"}
    bad = found(estimated_performance(context_of(monitor, [drawn(42, 900, sharpness=0.3)], baseline)))
    assert bad["roc_auc"].status == "alarm"


def test_a_metric_that_is_zero_as_it_is_in_the_windows_of_the_baseline_is_no_alarm():
    """A model that says yes in one window of ten has an F1 of 0 in the others, and of more over all of them."""

    def day_of(day: int) -> LabelsProfile:
        return nearly_perfect(day, 60, rare=day % 10 != 0)

    monitor, baseline = monitor_of("{metrics: [f1, recall]}"), baseline_of(day_of)
    results = found(estimated_performance(context_of(monitor, [day_of(31)], baseline)))
    for name in ("f1", "recall"):
        result = results[name]
        assert (result.value, result.status) == (0.0, "ok"), result
        assert result.threshold_lower == 0.0
        assert "(no value of so few rows is an alarm; p = " in result.message
        assert replace(result, status=None).decided() == "ok"
    # Where the model says yes in every window of the baseline, one in which it does not is an alarm.
    results = found(estimated_performance(context_of(monitor, [drawn(31, 200, cut=1.0)], baseline_of())))
    for name in ("f1", "recall"):
        result = results[name]
        assert (result.value, result.status) == (0.0, "alarm"), result
        assert replace(result, status=None).decided() == "alarm"


def test_a_loss_of_zero_is_compared_too():
    """Its logarithm is infinite, and nothing was said of it."""

    def sure(day: int, rows: int = 500, wrong: float = 0.0) -> LabelsProfile:
        rng = np.random.default_rng([19, day])
        label = (rng.random(rows) < 0.5).astype(float)
        score = np.where(rng.random(rows) < wrong, 0.5, label)
        columns = {"x": rng.integers(1, 5, rows), "w": rng.integers(1, 5, rows)}
        return made.labels_of(BINARY, day, label, (score > 0.5).astype(float), score, columns)

    monitor, baseline = monitor_of("{metrics: [brier]}"), baseline_of(sure)
    with np.errstate(divide="ignore", invalid="ignore"):
        same, worse = (
            found(estimated_performance(context_of(monitor, [sure(31, wrong=wrong)], baseline)))["brier"]
            for wrong in (0.0, 0.3)
        )
    assert (same.value, same.status) == (0.0, "ok")
    assert worse.value == pytest.approx(0.3 * 0.25, abs=0.03)
    assert worse.status == "alarm"


# --- The backtest -----------------------------------------------------------------------------------------------------


def coverage(baseline: LabelledBaseline, days: range, **how: float) -> Result:
    """The row of the last of these days."""
    *before, last = (drawn(day, **how) for day in days)
    context = context_of(monitor_of("{metrics: [roc_auc, brier]}"), [last], baseline, final=True, before=tuple(before))
    return found(estimated_performance(context))["estimate_coverage"]


def test_estimates_that_hold_are_in_order(baseline):
    result = coverage(baseline, range(60, 90))
    assert result.status == "ok"
    assert result.detail["windows"] == 30
    assert result.value == result.detail["inside"] / 30 >= 0.8
    ends = wilson_interval(result.detail["inside"], 30)
    assert (result.value_lower, result.value_upper) == ends
    held = result.detail["inside_by_metric"]
    assert result.detail["inside"] == min(held.values()) == held[result.detail["metric"]]
    labels = {"roc_auc": "ROC AUC", "brier": "Brier score"}
    least = labels.pop(result.detail["metric"])
    (other, label), *_ = labels.items()
    assert result.message.startswith(
        f"{result.detail['inside']} of 30 intervals held the truth of {least} ({held[other]} that of {label}); they"
    )


def test_the_metric_that_is_held_least_often_is_watched_and_not_the_first():
    """The area alone was watched, and F1, which decides too, was held in 77 % of the demo's windows."""
    area, brier = performance_metric("roc_auc"), performance_metric("brier")
    good, bad = Backtest(0.01, inside=True), Backtest(-0.05, inside=False)
    result = coverage_of([area, brier], [{"roc_auc": good, "brier": bad if i < 10 else good} for i in range(30)])
    assert (result.status, result.value) == ("warning", 20 / 30)
    assert result.detail["metric"] == "brier"
    assert result.detail["mean_error"] == pytest.approx((-10 * 0.05 + 20 * 0.01) / 30)
    assert result.message == (
        "the estimates miss too often: 20 of 30 intervals held the truth of Brier score (30 that of ROC AUC); they "
        "were off by 0.0233 on average"
    )
    # A metric that is hardly ever defined says nothing, and hides no other.
    rare = coverage_of([area, brier], [{"roc_auc": good, **({"brier": bad} if i < 9 else {})} for i in range(30)])
    assert (rare.status, rare.detail["metric"]) == ("ok", "roc_auc")


def test_of_a_changed_concept_the_estimates_miss_and_the_monitor_says_so(baseline):
    result = coverage(baseline, range(60, 90), slope=0.4)
    assert result.status == "warning"
    assert result.detail["inside"] < 15
    assert result.message.startswith(f"the estimates miss too often: {result.detail['inside']} of 30 intervals")
    assert result.detail["mean_error"] > 0.05


def test_the_look_back_is_bounded_and_of_few_windows_nothing_is_said(baseline):
    assert coverage(baseline, range(60, 105)).detail == coverage(baseline, range(75, 105)).detail
    few = coverage(baseline, range(60, 69))
    assert (few.status, few.value) == ("insufficient_data", None)
    assert few.message == "9 windows with complete labels and an estimate, 10 are needed"


def test_windows_with_few_labels_are_left_out(baseline):
    *before, last = (drawn(day, labelled=day % 2 == 0) for day in range(60, 83))
    context = context_of(monitor_of("{metrics: [brier]}"), [last], baseline, final=True, before=tuple(before))
    assert found(estimated_performance(context))["estimate_coverage"].detail["windows"] == 12


# --- Other tasks ------------------------------------------------------------------------------------------------------


def three_classes(day: int, rows: int = 600, share: float = 0.3) -> LabelsProfile:
    """Draw a day of a model that is right in 9 of 10 rows that it calls a, and in 6 of 10 others."""
    rng = np.random.default_rng([9, day])
    prediction = np.where(rng.random(rows) < share, 0, 1 + rng.integers(0, 2, rows))
    right = rng.random(rows) < np.where(prediction == 0, 0.9, 0.6)
    label = np.where(right, prediction, (prediction + 1 + rng.integers(0, 2, rows)) % 3).astype(float)
    columns = {"x": rng.integers(1, 5, rows), "w": rng.integers(1, 5, rows)}
    return made.labels_of(MULTICLASS, day, label, prediction.astype(float), None, columns)


def test_multiclass_is_estimated_from_the_predictions():
    monitor = monitor_of("{metrics: [accuracy, f1, roc_auc]}", "multiclass_classification")
    profile = three_classes(30, share=0.8)
    results = found(estimated_performance(context_of(monitor, [profile], baseline_of(three_classes), final=True)))
    matrix = baseline_of(three_classes).whole.outcomes.confusion
    called = profile.outcomes.confusion.sum(axis=1)[:3] / profile.rows
    expected = float(np.sum(called * np.diag(matrix)[:3] / matrix.sum(axis=1)[:3]))
    assert results["accuracy"].value == pytest.approx(expected, abs=1e-3)
    assert results["accuracy"].detail["inside"] is True
    assert results["accuracy"].message.startswith("accuracy is estimated at 0.8")
    assert "from 600 predictions" in results["accuracy"].message
    assert results["f1"].status == "ok"
    assert results["roc_auc"].status == "insufficient_data"


def softmax_classes(day: int, rows: int = 1000, sharpness: float = 1.0, labelled: bool = True) -> LabelsProfile:
    """Draw a day of three classes whose scores are too sure; P(label | scores) is fixed, `sharpness` moves them."""
    rng = np.random.default_rng([13, day, rows])
    logits = sharpness * (rng.normal(size=(rows, 3)) + 1.2 * np.eye(3)[rng.choice(3, rows, p=(0.5, 0.3, 0.2))])
    score, chance = (np.exp(logits * scale) for scale in (1.3, 1.0))
    score, chance = score / score.sum(axis=1, keepdims=True), chance / chance.sum(axis=1, keepdims=True)
    label = (rng.random((rows, 1)) > np.cumsum(chance, axis=1)[:, :2]).sum(axis=1).astype(float)
    columns = {"x": rng.integers(1, 5, rows), "w": rng.integers(1, 5, rows)}
    prediction = score.argmax(axis=1).astype(float)
    return made.labels_of(SCORED, day, label if labelled else np.full(rows, np.nan), prediction, score, columns)


@pytest.fixture(scope="module")
def softmax_baseline() -> LabelledBaseline:
    return baseline_of(softmax_classes)


OF_CLASSES = ("accuracy", "f1", "mcc", "roc_auc", "log_loss", "brier")


def test_multiclass_is_estimated_from_the_scores_where_there_are_some(softmax_baseline):
    """The confusion that the baseline's predictions had is too good for harder rows, and too bad for easier ones."""
    monitor = monitor_of(f"{{metrics: [{', '.join(OF_CLASSES)}]}}", "multiclass_classification")
    for sharpness in (0.5, 2.0):
        truth = softmax_classes(31, 20_000, sharpness).outcomes
        profile = softmax_classes(31, 20_000, sharpness, labelled=False)
        results = found(estimated_performance(context_of(monitor, [profile], softmax_baseline)))
        for name in OF_CLASSES:
            real = float(performance_metric(name).function(truth))
            assert results[name].value == pytest.approx(real, abs=0.04), (name, sharpness)
            assert abs(results[name].value - real) < abs(results[name].detail["baseline"] - real) / 3
            assert " from 20,000 scores" in results[name].message
        assert results["accuracy"].status == ("alarm" if sharpness < 1 else "ok")
    quiet = found(estimated_performance(context_of(monitor, [softmax_classes(32, labelled=False)], softmax_baseline)))
    assert {quiet[name].status for name in OF_CLASSES} == {"ok"}


def test_a_shift_that_the_scores_of_classes_do_not_know_is_corrected_for():
    """The feature makes the first class likelier at equal scores: where it falls, that class's scores are too high."""

    def unknown(day: int, rows: int = 1000, x: float = 0.0) -> LabelsProfile:
        rng = np.random.default_rng([29, day, rows])
        of_x = x + rng.normal(size=rows)
        logits = rng.normal(size=(rows, 3)) + 1.5 * np.eye(3)[rng.choice(3, rows, p=(0.4, 0.3, 0.3))]
        score, chance = np.exp(logits), np.exp(logits + np.outer(of_x, [1, 0, 0]))
        score, chance = score / score.sum(axis=1, keepdims=True), chance / chance.sum(axis=1, keepdims=True)
        label = (rng.random((rows, 1)) > np.cumsum(chance, axis=1)[:, :2]).sum(axis=1).astype(float)
        columns = {
            "x": 1 + np.searchsorted(np.linspace(-2, 2, made.BY_COLUMN - 1), of_x),
            "w": rng.integers(1, 5, rows),
        }
        return made.labels_of(SCORED, day, label, score.argmax(axis=1).astype(float), score, columns)

    names = ("accuracy", "f1", "log_loss", "brier")
    monitor = monitor_of(f"{{metrics: [{', '.join(names)}]}}", "multiclass_classification")
    baseline = baseline_of(unknown)
    blind = replace(baseline, profiles={"": replace(baseline.whole, columns={"w": baseline.whole.columns["w"]})})
    off = {}
    for knows, its in ((True, baseline), (False, blind)):
        results = found(estimated_performance(context_of(monitor, [unknown(50, 20_000, -1.0)], its, final=True)))
        assert results["f1"].detail["corrected_for"] == ("x" if knows else None)
        off[knows] = {name: abs(results[name].value - results[name].detail["realised"]) for name in names}
    profile = unknown(50, 20_000, -1.0)
    corrected = expect(profile, baseline, (("x", 1.0), ("w", 1.0)))
    assert corrected is not None
    labels = [each.confusion.sum(axis=0)[:3] for each in (corrected.found.expected, profile.outcomes)]
    # A third of the first class's labels is gone, at equal scores.
    assert labels[0] == pytest.approx(labels[1], rel=0.03)
    assert labels[1][0] < 0.7 * baseline.whole.outcomes.confusion.sum(axis=0)[0] * profile.rows / baseline.whole.rows
    assert max(off[True].values()) < 0.015, off
    assert sum(off[True].values()) < sum(off[False].values()) / 2, off


@pytest.mark.integration
@pytest.mark.parametrize("sharpness", [1.0, 0.6, 1.5])
def test_the_intervals_of_a_multiclass_model_hold_the_truth(softmax_baseline, sharpness):
    monitor = monitor_of(f"{{metrics: [{', '.join(OF_CLASSES)}]}}", "multiclass_classification")
    held: dict[str, list[bool]] = {name: [] for name in OF_CLASSES}
    for day in range(1000, 1150):
        profile = softmax_classes(day, 800, sharpness)
        results = found(estimated_performance(context_of(monitor, [profile], softmax_baseline, final=True)))
        for name in OF_CLASSES:
            held[name].append(results[name].detail["inside"])
    assert all(np.mean(each) >= 0.92 for each in held.values()), {name: np.mean(each) for name, each in held.items()}


def amounts(day: int, rows: int = 600, x: float = 0.0, labelled: bool = True) -> LabelsProfile:
    """Draw a day of a regression whose errors spread with `x`."""
    rng = np.random.default_rng([11, day])
    bin_of_x = np.clip(np.round(5 + x + 2 * rng.normal(size=rows)), 1, 10).astype(int)
    label = 10 + rng.normal(size=rows)
    prediction = label + 0.3 * bin_of_x * rng.normal(size=rows)
    columns = {"x": bin_of_x, "w": rng.integers(1, 5, rows)}
    return made.labels_of(REGRESSION, day, label if labelled else np.full(rows, np.nan), prediction, None, columns)


def test_regression_is_estimated_by_the_column_that_explains_most_of_the_loss():
    monitor, baseline = monitor_of("{metrics: [mae, rmse, medae]}", "regression"), baseline_of(amounts)
    profile = amounts(30, x=1.5)
    results = found(estimated_performance(context_of(monitor, [profile], baseline, final=True)))
    by_bin = baseline.whole.by_bin("x")
    rows = profile.columns["x"].sum(axis=1)
    means = by_bin.sums["absolute_error"].sum(axis=(1, 2, 3)) / np.maximum(by_bin.rows, 1)
    assert results["mae"].value == pytest.approx(float(rows @ means / rows.sum()), rel=0.02)
    assert results["mae"].detail["by_column"] == "x"
    assert (results["mae"].status, results["rmse"].status) == ("alarm", "alarm")
    assert "from 600 rows by x, the baseline's is" in results["mae"].message
    quiet = found(estimated_performance(context_of(monitor, [amounts(31, labelled=False)], baseline)))
    assert quiet["mae"].status == "ok"


def test_the_intervals_of_a_regression_hold_the_truth():
    monitor, baseline = monitor_of("{metrics: [mae, rmse, medae, bias]}", "regression"), baseline_of(amounts)
    held: dict[str, list[bool]] = {}
    for day in range(100, 160):
        results = found(estimated_performance(context_of(monitor, [amounts(day)], baseline, final=True)))
        for name in ("mae", "rmse", "medae", "bias"):
            held.setdefault(name, []).append(results[name].detail["inside"])
    # 95 %, less two standard errors of sixty windows and what is left out of the spread within a bin of the residual.
    assert all(np.mean(each) >= 0.85 for each in held.values()), held


# --- Through the whole check, three hundred windows -------------------------------------------------------------------

WINDOWS = 300


def simulated(x: float, baseline: LabelledBaseline) -> tuple[dict[str, float], float]:
    """Return, by metric, in how many windows the interval held the truth; and the share of windows with an alarm."""
    monitor = monitor_of("{metrics: [roc_auc, accuracy, brier]}")
    inside: dict[str, list[bool]] = {"roc_auc": [], "accuracy": [], "brier": []}
    alarms = []
    for day in range(1000, 1000 + WINDOWS):
        results = found(estimated_performance(context_of(monitor, [drawn(day, 800, x)], baseline, final=True)))
        for name, held in inside.items():
            held.append(results[name].detail["inside"])
        alarms.append(any(results[name].status == "alarm" for name in inside))
    return {name: float(np.mean(held)) for name, held in inside.items()}, float(np.mean(alarms))


@pytest.mark.integration
def test_without_a_shift_the_intervals_hold_the_truth(baseline):
    held, alarms = simulated(0.0, baseline)
    assert all(0.92 <= share <= 0.98 for share in held.values()), held
    assert alarms <= 0.03  # 0.01, and two standard errors of 300 windows


@pytest.mark.integration
def test_under_covariate_shift_the_corrected_intervals_hold_the_truth(baseline):
    held, _ = simulated(SHIFT, baseline)
    assert all(share >= 0.9 for share in held.values()), held
