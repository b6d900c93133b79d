"""The check of performance: its numbers against scikit-learn on the rows, its decisions against what was planted."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from sklearn import metrics as sk

from monitoring_tasks.checks import CheckContext, Result
from monitoring_tasks.checks.concept_drift import concept_drift
from monitoring_tasks.checks.estimated_performance import estimated_performance
from monitoring_tasks.checks.performance import performance
from monitoring_tasks.config import parse_monitor
from monitoring_tasks.labelled_rows import LabelledSamples
from monitoring_tasks.labels_profile import WindowLabels
from monitoring_tasks.outcome_bins import OutcomeBins
from monitoring_tasks.window import Window
from tests.made_labels import (
    BINARY,
    BINS,
    CLASSES,
    MONITOR,
    REGRESSION,
    WINDOW,
    Rows,
    baseline_of,
    binary_rows,
    by_segment,
    context_of,
    counted,
    drawn,
)


def days(rows: int = 500, seed: int = 1, spread: float = 0.0) -> list[Rows]:
    """Twenty days, each with a level of its own of this standard deviation."""
    rng = np.random.default_rng(seed)
    return [binary_rows(rows, rng, level=spread * rng.normal()) for _ in range(20)]


BASELINE = baseline_of(days(), BINARY)


def of(results: list[Result], metric: str, segment: str = "", column: str = "") -> Result:
    return next(r for r in results if (r.metric, r.segment, r.column_name) == (metric, segment, column))


def test_numbers_are_those_of_the_rows():
    rows = binary_rows(4000, np.random.default_rng(2))
    found = performance(context_of(rows, BINARY, BASELINE))
    y, score, predicted = rows.label, rows.answer, rows.predicted
    exact = {
        "accuracy": sk.accuracy_score(y, predicted),
        "balanced_accuracy": sk.balanced_accuracy_score(y, predicted),
        "precision": sk.precision_score(y, predicted),
        "recall": sk.recall_score(y, predicted),
        "f1": sk.f1_score(y, predicted),
        "mcc": sk.matthews_corrcoef(y, predicted),
        "log_loss": sk.log_loss(y, score),
        "brier": sk.brier_score_loss(y, score),
    }
    for metric, value in exact.items():
        result = of(found, metric)
        assert result.value == pytest.approx(value, abs=1e-9), metric
        assert result.value_lower < value < result.value_upper
    assert of(found, "roc_auc").value == pytest.approx(sk.roc_auc_score(y, score), abs=1e-3)
    north = rows.shop == 0
    assert of(found, "f1", "shop=north").value == pytest.approx(sk.f1_score(y[north], predicted[north]), abs=1e-9)
    assert of(found, "f1", "shop=north").window_rows == north.sum()
    assert of(found, "label_coverage").value == 1.0


def test_what_the_file_names_is_all_that_is_told_and_all_of_it_decides():
    rows = binary_rows(2000, np.random.default_rng(2))
    found = performance(context_of(rows, BINARY, BASELINE, "{performance: {metrics: [recall, log_loss]}}"))
    told = {result.metric for result in found if result.segment == "" and result.column_name == ""}
    assert told == {
        *("recall", "log_loss", "recall_change", "label_coverage", "labels_arrived", "unknown_label_keys"),
        *("label_delay_p50", "label_delay_p90", "label_delay_p99", "label_lag", "worst_bins"),
    }
    assert of(found, "recall").status == of(found, "log_loss").status == "ok"
    assert of(found, "recall").threshold_lower is not None
    assert of(found, "log_loss").threshold_upper is not None


def test_worse_is_an_alarm_and_better_is_none():
    rng = np.random.default_rng(3)
    worse = binary_rows(3000, rng, concept=1.5)
    found = performance(context_of(worse, BINARY, BASELINE))
    auc = of(found, "roc_auc")
    assert auc.status == "alarm"
    assert auc.value < auc.threshold_lower < auc.detail["baseline"]
    assert auc.p_value < 0.01 / 12
    assert auc.message.startswith("ROC AUC is worse than the baseline's: ")
    rows = binary_rows(3000, rng)
    better = Rows(rows.amount, rows.shop, rows.answer, rows.predicted, rows.predicted.astype(float))
    for result in performance(context_of(better, BINARY, BASELINE)):
        assert result.status != "alarm", result
    assert of(performance(context_of(better, BINARY, BASELINE)), "f1").p_value > 0.99


def test_status_follows_from_value_and_threshold():
    rng = np.random.default_rng(4)
    for concept in (0.0, 0.1, 0.2, 0.3, 0.5, 1.0):
        for result in performance(context_of(binary_rows(1500, rng, concept=concept), BINARY, BASELINE)):
            if result.metric in ("roc_auc", "f1", "brier") and result.p_value is not None:
                low, high = result.threshold_lower or -math.inf, result.threshold_upper or math.inf
                assert (result.status == "alarm") == (not low <= result.value <= high), result


@pytest.mark.integration
@pytest.mark.parametrize("spread", [0.0, 0.5])
def test_windows_that_are_like_the_baselines_alarm_as_seldom_as_configured(spread: float):
    """At 5 %, so that few windows show it: of 300 windows 15 are expected and 24 are two errors more."""
    rng = np.random.default_rng(5)
    baseline = baseline_of(days(400, 6, spread), BINARY)
    checks = "{performance: {false_alarm_rate: 0.05}}"
    alarms = 0
    for _ in range(300):
        rows = binary_rows(400, rng, level=spread * rng.normal())
        found = performance(context_of(rows, BINARY, baseline, checks))
        alarms += any(result.status == "alarm" for result in found)
    assert alarms <= 24
    assert alarms >= 1  # a check that never speaks would pass as well


def test_a_month_of_days_with_levels_of_their_own_is_held_to_less_than_a_day_is():
    baseline = baseline_of(days(400, 6, 0.5), BINARY)
    rows = binary_rows(400 * 30, np.random.default_rng(7))
    day = of(performance(context_of(rows, BINARY, baseline)), "brier")
    window = Window(WINDOW.start, WINDOW.start + timedelta(days=30))
    month = of(performance(context_of(rows, BINARY, baseline, window=window)), "brier")
    assert day.value == month.value
    assert month.threshold_upper - month.detail["baseline"] < 0.6 * (day.threshold_upper - day.detail["baseline"])


@pytest.mark.parametrize(
    ("fixed", "metric", "alarm"),
    [
        ({"roc_auc": 0.99}, "roc_auc", True),
        ({"roc_auc": 0.5}, "roc_auc", False),
        ({"brier": 0.01}, "brier", True),
        ({"brier": 0.5}, "brier", False),
    ],
)
def test_fixed_bounds_decide_alone(fixed: dict[str, float], metric: str, alarm: bool):
    rows = binary_rows(2000, np.random.default_rng(8))
    found = of(performance(context_of(rows, BINARY, None, f"{{performance: {{fixed: {fixed}}}}}")), metric)
    assert (found.status == "alarm") is alarm
    assert found.message.endswith("which is fixed)")


def test_bias_is_held_on_both_sides():
    rng = np.random.default_rng(9)
    number = rng.normal(size=1000)
    for bias in (-1.0, 1.0):
        rows = Rows(number, rng.integers(0, 3, 1000), number + bias, np.zeros(1000, int), number)
        found = of(performance(context_of(rows, REGRESSION, None, "{performance: {fixed: {bias: 0.5}}}")), "bias")
        assert (found.value, found.status) == (pytest.approx(bias), "alarm")
        assert (found.threshold_lower, found.threshold_upper) == (-0.5, 0.5)


def test_bias_is_held_to_the_size_that_it_has_in_the_baseline():
    rng = np.random.default_rng(9)
    number = rng.normal(size=1000)

    def rows(bias: float) -> Rows:
        return Rows(
            number, rng.integers(0, 3, 1000), number + bias + rng.normal(size=1000), np.zeros(1000, int), number
        )

    baseline = baseline_of([rows(1.0) for _ in range(20)], REGRESSION)
    for bias, status in ((1.0, "ok"), (0.0, "ok"), (-0.8, "ok"), (1.5, "alarm"), (-1.5, "alarm")):
        context = context_of(rows(bias), REGRESSION, baseline, "{performance: {metrics: [bias]}}")
        found = of(performance(context), "bias")
        assert found.status == status, found
        assert found.threshold_lower == -found.threshold_upper < -1.0


def test_too_few_labels_are_no_verdict():
    rows = binary_rows(2000, np.random.default_rng(10), concept=3.0)
    rows.label[np.random.default_rng(0).random(2000) < 0.4] = np.nan
    found = performance(context_of(rows, BINARY, BASELINE, final=False))
    auc, coverage = of(found, "roc_auc"), of(found, "label_coverage")
    assert (auc.status, coverage.status) == ("insufficient_data", "insufficient_data")
    assert auc.value is not None
    assert "a verdict needs 80 %" in auc.message
    assert coverage.value == pytest.approx(0.6, abs=0.03)
    assert "more are to come until 2024-04-03T00:00Z" in coverage.message
    assert not [result for result in found if result.status == "alarm"]
    judged = performance(context_of(rows, BINARY, BASELINE, "{performance: {minimum_coverage: 0.5}}", final=False))
    assert of(judged, "roc_auc").status == "alarm"
    assert "provisional, 59 % of the labels are known" in of(judged, "roc_auc").message


def test_what_rests_on_too_few_labels_says_so_and_bins_are_not_told():
    rows = binary_rows(2000, np.random.default_rng(10))
    rows.label[np.random.default_rng(0).random(2000) < 0.4] = np.nan
    few = "; 59 % of the labels are known, a verdict needs 80 %"
    final = performance(context_of(rows, BINARY, BASELINE))
    early = performance(context_of(rows, BINARY, BASELINE, final=False))
    for metric in ("accuracy", "roc_auc"):
        assert of(final, metric).message.endswith(f"labelled rows{few}")
        assert of(early, metric).message.endswith(f"labelled rows, provisional{few}")
    assert {result.metric for result in final} >= {"accuracy", "roc_auc"}
    assert not [r for r in final if r.metric == "worst_bins" or r.segment.startswith("amount=")]


def test_every_bin_of_a_provisional_window_says_that_it_is_provisional():
    rows = binary_rows(2000, np.random.default_rng(10))
    rows.label[:100] = np.nan
    found = performance(context_of(rows, BINARY, BASELINE, final=False))
    bins = [r for r in found if r.metric == "worst_bins" or r.segment.startswith("amount=")]
    assert len(bins) > 10
    assert all(result.message.endswith("provisional, 95 % of the labels are known") for result in bins)


def test_of_each_class_it_is_said_too():
    rng = np.random.default_rng(31)
    label = rng.integers(0, 3, 600).astype(float)
    scores = rng.dirichlet(np.ones(3), 600)
    label[:60] = np.nan
    rows = Rows(rng.normal(size=600), rng.integers(0, 3, 600), scores, scores.argmax(axis=1), label)
    found = performance(context_of(rows, CLASSES, None, final=False))
    classes = [r for r in found if r.metric == "f1_weighted" or r.segment.startswith("late=")]
    assert len(classes) >= 4
    assert all(result.message.endswith(", provisional, 90 % of the labels are known") for result in classes)


def test_a_baseline_with_few_labels_is_not_compared_with():
    """400 of 6,000 rows, all of them negative, say nothing of the others."""
    rows = days(300, 32)
    for day in rows:
        day.label[np.arange(300) >= 20] = np.nan
        day.label[:20] = 0.0
    baseline = baseline_of(rows, BINARY)
    context = context_of(binary_rows(900, np.random.default_rng(1)), BINARY, baseline)
    for check in (concept_drift, estimated_performance):
        judged = [result for result in check(context) if "a verdict needs 80 %" in result.message]
        assert judged
        assert all(" of the baseline's labels are known" in result.message for result in judged)
        assert not [result for result in check(context) if result.p_value is not None or result.status == "alarm"]
    found = performance(context)
    brier = of(found, "brier")
    assert (brier.status, brier.p_value, brier.threshold_upper) == ("insufficient_data", None, None)
    assert brier.message.endswith("; 6.7 % of the baseline's labels are known, a verdict needs 80 %")
    assert not [result for result in found if result.status == "alarm"]
    lower = performance(
        context_of(
            binary_rows(900, np.random.default_rng(1)), BINARY, baseline, "{performance: {minimum_coverage: 0.05}}"
        )
    )
    assert of(lower, "brier").p_value is not None


def test_without_a_prediction_what_needs_one_is_not_told():
    score_only = replace(BINARY, has_prediction=False)
    baseline = baseline_of(days(), score_only)
    rows = binary_rows(900, np.random.default_rng(33))
    found = performance(context_of(rows, score_only, baseline))
    assert {r.metric for r in found if r.segment == "" and r.status != "info"} == {"roc_auc", "brier", "label_coverage"}
    assert not [r for r in found if r.metric in ("f1", "accuracy", "mcc")]
    # Four segments and two metrics: F1 takes no share of the rate.
    named = performance(context_of(rows, score_only, baseline, "{performance: {metrics: [roc_auc, brier]}}"))
    assert of(found, "brier").threshold_upper == of(named, "brier").threshold_upper
    asked = performance(context_of(rows, score_only, baseline, "{performance: {metrics: [f1, roc_auc]}}"))
    assert [(r.status, r.message) for r in asked if r.metric == "f1"] == [
        ("insufficient_data", "F1 score: the monitor file names no `prediction`")
    ]
    assert of(asked, "roc_auc").status == "ok"


def test_without_a_score_or_any_answer_it_is_said():
    classes_only = OutcomeBins("binary_classification", BINARY.classes)
    rows = binary_rows(900, np.random.default_rng(34))
    for bins, checks, metric, lacking in (
        (classes_only, "{performance: {metrics: [roc_auc]}}", "roc_auc", "ROC AUC: the monitor file names no `score`"),
        (
            classes_only,
            "{performance: {fixed: {brier: 0.2}}}",
            "brier",
            "Brier score: the monitor file names no `score`",
        ),
        (
            replace(classes_only, has_prediction=False),
            "{}",
            "f1",
            "F1 score: the monitor file names no `prediction`",
        ),
    ):
        profile = replace(counted(rows, BINARY), bins=bins, cells=by_prediction(rows, bins), units={}, columns={})
        context = replace(
            context_of(rows, BINARY, None, checks), labels=WindowLabels((profile,), final=True), labelled_baseline=None
        )
        assert of(performance(context), metric).message == lacking
    number = Rows(rows.amount, rows.shop, rows.amount, rows.shop * 0, rows.amount)
    nothing = performance(context_of(number, replace(REGRESSION, has_prediction=False), None))
    assert [(r.metric, r.message) for r in nothing if r.status == "insufficient_data"] == [
        ("mae", "mean absolute error: the monitor file names no `prediction`"),
        ("rmse", "root mean squared error: the monitor file names no `prediction`"),
    ]


def by_prediction(rows: Rows, bins: OutcomeBins) -> np.ndarray:
    """Count rows of a model without a score."""
    cells = np.zeros(bins.shape, np.int64)
    np.add.at(cells, (0, 1 + rows.predicted, rows.label.astype(int)), 1)
    return cells.reshape(-1)


def test_the_delay_curve_ends_where_labels_are_complete():
    """Complete after two days: of rows of the window's last minute no more is known to have come."""
    rows = binary_rows(400, np.random.default_rng(35))
    rows.label[:100] = np.nan
    final = of(performance(context_of(rows, BINARY, BASELINE)), "label_coverage").detail["delay_curve"]
    assert [hours for hours, _ in final] == [1, 3, 6, 12, 24, 48]
    assert final[-1] == [48, 0.75]
    early = of(performance(context_of(rows, BINARY, BASELINE, final=False)), "label_coverage")
    assert early.detail["delay_curve"] == []


def test_a_window_that_is_worse_but_not_by_enough_is_not_called_like_the_baseline():
    rng = np.random.default_rng(36)
    rows, restless = binary_rows(500, rng, level=1.0), baseline_of(days(400, 6, 0.5), BINARY)
    brier = of(performance(context_of(rows, BINARY, restless)), "brier")
    assert brier.status == "ok"
    assert brier.message.startswith("Brier score is no worse than usual ups and downs explain: 0.2")
    quiet = of(performance(context_of(binary_rows(500, rng), BINARY, baseline_of(days()[:3], BINARY))), "brier")
    assert quiet.message.startswith("Brier score is no worse than chance explains: 0.1")
    assert quiet.message.endswith("; how much windows differ beyond chance is not known)")
    few = of(performance(context_of(binary_rows(8, rng), BINARY, restless)), "f1")
    assert few.threshold_lower == 0.0
    assert "(no value of so few rows is an alarm; p = " in few.message
    checks = "{performance: {metrics: [expected_calibration_error]}}"
    usual = of(performance(context_of(rows, BINARY, restless, checks)), "expected_calibration_error")
    assert ", of its windows usually 0.0" in usual.message


def test_early_labels_that_are_of_another_kind_are_said_to_be():
    rows = binary_rows(2000, np.random.default_rng(10))
    rows.label[(rows.predicted == 1) & (np.arange(2000) % 4 > 0)] = np.nan
    coverage = of(performance(context_of(rows, BINARY, BASELINE, final=False)), "label_coverage")
    assert "those known are of another kind: " in coverage.message
    assert "those known are" not in of(performance(context_of(rows, BINARY, BASELINE)), "label_coverage").message


def test_one_class_only_is_said_where_a_metric_needs_both():
    rows = binary_rows(500, np.random.default_rng(11))
    rows.label[:] = 0.0
    found = of(performance(context_of(rows, BINARY, BASELINE)), "roc_auc")
    assert (found.value, found.status) == (None, "insufficient_data")
    assert found.message == "ROC AUC: all 500 labels are of one class"


def test_no_label_and_no_row_at_all():
    rows = binary_rows(50, np.random.default_rng(11))
    rows.label[:] = np.nan
    found = performance(context_of(rows, BINARY, BASELINE))
    assert of(found, "roc_auc").message == "ROC AUC: no label is known"
    assert of(found, "label_coverage").value == 0.0
    empty = rows[np.zeros(50, bool)]
    nothing = performance(context_of(empty, BINARY, BASELINE, profiles=by_segment(empty, BINARY)[:1]))
    assert of(nothing, "label_coverage").message == "no rows"
    assert {result.status for result in nothing} <= {"insufficient_data", "info"}


def test_labels_that_cannot_be_read_are_one_error():
    context = context_of(binary_rows(50, np.random.default_rng(1)), BINARY, BASELINE)
    broken = replace(context, labels=WindowLabels((), final=False, unreadable="no table 'labels'"))
    assert [(r.metric, r.status, r.message) for r in performance(broken)] == [
        ("label_coverage", "error", "no table 'labels'")
    ]


def test_without_the_baselines_labels_nothing_is_decided():
    found = performance(context_of(binary_rows(900, np.random.default_rng(1)), BINARY, None))
    auc = of(found, "roc_auc")
    assert (auc.status, auc.threshold_lower) == ("insufficient_data", None)
    assert "the baseline's labels are complete from 2024-03-23T00:00Z on" in auc.message


def test_a_segment_that_the_baseline_does_not_know_is_said_to_be_new():
    """It was said to be waiting for labels of the baseline, which were there."""
    known = replace(BASELINE, profiles={key: each for key, each in BASELINE.profiles.items() if key != "shop=north"})
    found = performance(context_of(binary_rows(900, np.random.default_rng(1)), BINARY, known))
    auc = of(found, "roc_auc", "shop=north")
    assert (auc.status, auc.threshold_lower) == ("insufficient_data", None)
    assert auc.message.endswith("; the baseline holds no labelled row of this segment")
    assert of(found, "roc_auc", "shop=south").status == "ok"


def test_bins_share_the_loss_out_and_the_worst_is_named():
    rng = np.random.default_rng(12)
    rows = binary_rows(6000, rng)
    bad = (rows.shop == 1) & (rng.random(6000) < 0.5)
    rows.label[bad] = 1 - rows.label[bad]
    found = performance(context_of(rows, BINARY, BASELINE))
    shares = [r for r in found if r.metric == "brier" and r.segment.startswith("amount=")]
    assert sum(r.detail["loss_share"] for r in shares) == pytest.approx(1.0)
    assert sum(r.window_rows for r in shares) == 6000
    labels = BINS["amount"].labels()
    for result in shares:
        place = labels.index(result.segment.removeprefix("amount=")) - 1
        mine = np.searchsorted(BINS["amount"].edges, rows.amount, side="right") == place
        exact = float(((rows.answer - rows.label)[mine] ** 2).mean())
        assert result.value == pytest.approx(exact, abs=0.02)  # by the mean loss of the same outcome
        assert result.value_lower <= result.value <= result.value_upper
        assert result.message.endswith(" of the rows (losses by outcome, within about 4 %)")
    worst = of(found, "worst_bins")
    assert worst.detail["bins"][0]["column"] == "shop"
    assert worst.detail["bins"][0]["bin"] == "south"
    assert "shop=south" in worst.message
    assert not [r for r in found if r.segment.startswith("shop=") and r.metric == "worst_bins"]


def test_no_bin_is_called_bad_by_chance_alone():
    """By Benjamini and Hochberg's correction five windows of a hundred may name one."""
    rng = np.random.default_rng(13)
    named = 0
    for _ in range(60):
        rows = binary_rows(800, rng)
        rows = Rows(
            rows.amount, rows.shop, np.full(800, 0.3), np.zeros(800, int), (rng.random(800) < 0.3).astype(float)
        )
        named += of(performance(context_of(rows, BINARY, BASELINE)), "worst_bins").value > 0
    assert named <= 8


@pytest.mark.parametrize("metric", ["roc_auc", "brier", "f1"])
def test_the_parts_of_a_change_add_up_exactly(metric: str):
    rows = binary_rows(3000, np.random.default_rng(14), shift=0.5, concept=0.7)
    found = performance(context_of(rows, BINARY, BASELINE, f"{{performance: {{metrics: [{metric}]}}}}"))
    whole = of(found, f"{metric}_change")
    assert whole.value == of(found, metric).value - whole.detail["baseline"]
    for column in ("score", "amount", "shop"):
        inputs, relation = (of(found, f"{metric}_change_{part}", column=column) for part in ("inputs", "relation"))
        total = inputs.value + relation.value + inputs.detail["rest"]
        assert total == pytest.approx(whole.value, abs=1e-12)
        assert inputs.value_lower <= inputs.value <= inputs.value_upper
    inputs, relation = (of(found, f"{metric}_change_{part}", column="amount") for part in ("inputs", "relation"))
    assert not relation.value_lower <= 0 <= relation.value_upper
    label = {"roc_auc": "ROC AUC", "brier": "Brier score", "f1": "F1 score"}[metric]
    assert whole.message.startswith(f"{label} {'rose' if whole.value > 0 else 'fell'} ")


def test_missing_values_stand_beside_a_change():
    rows = binary_rows(1000, np.random.default_rng(15))
    context = context_of(rows, BINARY, BASELINE)
    column = context.profile.columns["amount"]
    holey = replace(column, counts=(400, *column.counts[1:]))
    columns = {**context.profile.columns, "amount": holey}
    broken = replace(context.profile, rows=1400, columns=columns)
    found = performance(replace(context, profile=broken))
    assert of(found, "roc_auc_change").detail["data_failures"] == [
        "amount is missing in 29 % of the rows instead of 0 %"
    ]
    assert "amount is missing in 29 %" in of(found, "roc_auc_change").message


def multiclass(rows: int, rng: np.random.Generator, noise: float = 0.3) -> Rows:
    label = rng.integers(0, 3, rows)
    scores = rng.dirichlet(np.ones(3), rows) * noise + np.eye(3)[label] * (1 - noise) * rng.random((rows, 1))
    scores /= scores.sum(axis=1, keepdims=True)
    return Rows(rng.normal(size=rows), rng.integers(0, 3, rows), scores, scores.argmax(axis=1), label.astype(float))


def test_several_classes_are_told_one_by_one():
    rng = np.random.default_rng(16)
    baseline = baseline_of([multiclass(300, rng) for _ in range(20)], CLASSES)
    rows = multiclass(2000, rng)
    found = performance(context_of(rows, CLASSES, baseline))
    y = rows.label.astype(int)
    assert of(found, "f1").value == pytest.approx(sk.f1_score(y, rows.predicted, average="macro"), abs=1e-9)
    weighted = sk.f1_score(y, rows.predicted, average="weighted")
    assert of(found, "f1_weighted").value == pytest.approx(weighted, abs=1e-9)
    for i, name in enumerate(("red", "green", "blue")):
        its = sk.f1_score(y, rows.predicted, average=None)[i]
        assert of(found, "f1", f"late={name}", "late").value == pytest.approx(its, abs=1e-9)
    assert of(found, "log_loss").value == pytest.approx(sk.log_loss(y, rows.answer), abs=1e-9)
    assert of(found, "f1").status == "ok"
    worse = performance(context_of(multiclass(2000, rng, noise=0.95), CLASSES, baseline))
    assert of(worse, "f1").status == of(worse, "log_loss").status == "alarm"


def test_classes_that_are_values_of_a_feature_too_have_rows_of_their_own():
    """As of tomorrow's class predicted from today's, in a column of the same name that is a segment too."""
    rng = np.random.default_rng(21)
    bins = replace(CLASSES, classes=(*BINS["shop"].categories, "(other)"))
    context = context_of(multiclass(2000, rng), bins, baseline_of([multiclass(300, rng) for _ in range(20)], bins))
    assert context.monitor.labels is not None
    labels = context.monitor.labels.model_copy(update={"value": "shop"})
    found = performance(replace(context, monitor=context.monitor.model_copy(update={"labels": labels})))
    keys = [(result.metric, result.column_name, result.segment) for result in found]
    assert len(set(keys)) == len(keys)
    assert {("f1", "", "shop=north"), ("f1", "shop", "shop=north")} <= set(keys)


def test_a_regression_is_held_by_its_errors():
    rng = np.random.default_rng(17)

    def rows(count: int, spread: float) -> Rows:
        label = rng.normal(size=count)
        answer = label + spread * rng.normal(size=count)
        return Rows(rng.normal(size=count), rng.integers(0, 3, count), answer, np.zeros(count, int), label)

    baseline = baseline_of([rows(300, 0.5) for _ in range(20)], REGRESSION)
    like, worse = rows(1000, 0.5), rows(1000, 0.7)
    found = performance(context_of(like, REGRESSION, baseline))
    y, answer = like.label, like.answer
    assert of(found, "mae").value == pytest.approx(sk.mean_absolute_error(y, answer), abs=1e-9)
    assert of(found, "rmse").value == pytest.approx(sk.root_mean_squared_error(y, answer), abs=1e-9)
    assert of(found, "r2").value == pytest.approx(sk.r2_score(y, answer), abs=1e-9)
    assert of(found, "medae").value == pytest.approx(sk.median_absolute_error(y, answer), rel=0.02)
    assert of(found, "mae").status == of(found, "rmse").status == "ok"
    judged = performance(context_of(worse, REGRESSION, baseline))
    assert of(judged, "mae").status == of(judged, "rmse").status == "alarm"
    assert of(judged, "mae_change").value > 0


# --- What rows tell beside the counts ---------------------------------------------------------------------------------


def with_rows(rows: Rows, reference: Rows) -> CheckContext:
    """Return a context whose samples are these rows."""
    context = context_of(rows, BINARY, baseline_of([reference] * 20, BINARY))
    samples = LabelledSamples(drawn(reference, BINARY), drawn(rows, BINARY), "own rows")
    return replace(context, draw_labelled=lambda _columns, _rows: samples)


def test_all_features_at_once_split_a_covariate_shift_from_a_concept_shift():
    rng = np.random.default_rng(20)
    reference = binary_rows(1000, rng)
    shifted = performance(with_rows(binary_rows(1000, rng, shift=0.3), reference))
    relation = of(shifted, "roc_auc_change_relation")
    assert relation.value_lower < 0 < relation.value_upper
    turned = performance(with_rows(binary_rows(1000, rng, concept=1.0), reference))
    inputs, relation = of(turned, "roc_auc_change_inputs"), of(turned, "roc_auc_change_relation")
    assert inputs.value_lower < 0 < inputs.value_upper
    assert relation.value_upper < 0
    whole = of(turned, "roc_auc_change")
    assert inputs.value + relation.value + inputs.detail["rest"] == pytest.approx(whole.value, abs=1e-12)
    assert whole.detail["by"] == "all features"
    assert " because equal inputs come out otherwise (labels follow amount in another way)" in whole.message


def test_windows_that_have_nothing_in_common_with_the_baseline_are_not_split_jointly():
    rng = np.random.default_rng(21)
    found = performance(with_rows(binary_rows(600, rng, shift=4.0), binary_rows(600, rng, shift=-1.0)))
    inputs = of(found, "roc_auc_change_inputs")
    assert (inputs.value, inputs.status) == (None, "insufficient_data")
    assert inputs.message.endswith("nearly no row has inputs, taken together, that both sides have")
    whole = of(found, "roc_auc_change")
    assert whole.message.endswith("which chance alone may do: too few rows to tell what moved it")  # 19 are negative
    assert "by" not in whole.detail


def test_the_weakest_pair_is_named():
    rng = np.random.default_rng(22)
    rows = binary_rows(3000, rng)
    bad = (rows.shop == 2) & (rows.amount > 0.5)
    rows.label[bad] = 0.0
    found = of(performance(with_rows(rows, binary_rows(500, rng))), "weakest_segments")
    first = found.detail["segments"][0]
    assert first["segment"].endswith("shop=east")
    assert first["segment"].startswith("amount=[")
    assert first["loss"] > 2 * first["other_loss"]
    assert first["segment"] in found.message
    calm = of(performance(with_rows(binary_rows(1000, rng), binary_rows(500, rng))), "weakest_segments")
    assert calm.detail["rows"] == 1000


def test_few_rows_are_not_searched():
    rng = np.random.default_rng(23)
    found = performance(with_rows(binary_rows(150, rng), binary_rows(500, rng)))
    assert "weakest_segments" not in {result.metric for result in found}


def test_scores_of_too_many_classes_are_told():
    names = [f"c{i}" for i in range(101)]
    scores = ", ".join(f"{name}: score_{name}" for name in names)
    extra = f"  score: {{{scores}}}"
    text = MONITOR.format(task="multiclass_classification", extra=extra, checks="{}")
    rows = binary_rows(200, np.random.default_rng(3))
    context = replace(context_of(rows, BINARY, None), monitor=parse_monitor(text, environ={}))
    (row,) = [result for result in performance(context) if result.metric == "score"]
    assert (row.status, row.message) == (
        "insufficient_data",
        "there are scores of 101 classes, and at most 100 classes are told apart: no metric of scores is computed",
    )
