"""What moved performance: intervals against quiet windows, and what the sentence rests on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from monitoring_tasks.checks import CheckContext, Result
from monitoring_tasks.checks.performance import performance
from monitoring_tasks.checks.performance_change import _needed, performance_change
from monitoring_tasks.labelled_rows import LabelledSamples
from monitoring_tasks.statistics.performance import (
    PERFORMANCE_METRICS,
    Outcomes,
    PerformanceMetric,
    performance_metric,
)
from monitoring_tasks.statistics.performance.decomposition import decompose
from tests.made_labels import (
    BINARY,
    CLASSES,
    REGRESSION,
    Rows,
    baseline_of,
    binary_rows,
    context_of,
    counted,
    drawn,
)


def of(results: list[Result], metric: str, column: str = "") -> Result:
    return next(r for r in results if (r.metric, r.column_name) == (metric, column))


def changed(metric: str, context: CheckContext, samples: LabelledSamples | None = None) -> list[Result]:
    return performance_change(context, performance_metric(metric), samples)


@pytest.mark.integration
def test_days_with_levels_of_their_own_leave_the_relation_in_its_interval():
    """Quiet days whose logits have a standard deviation of 0.3: the rows' own error is the smaller part."""
    rng = np.random.default_rng(30)
    held, held_by_rows, whole = [], [], []
    for _ in range(8):
        baseline = baseline_of([binary_rows(800, rng, level=0.3 * rng.normal()) for _ in range(20)], BINARY)
        for _ in range(20):
            context = context_of(binary_rows(800, rng, level=0.3 * rng.normal()), BINARY, baseline)
            found = changed("precision", context)
            relation, change = of(found, "precision_change_relation", "amount"), of(found, "precision_change")
            chance = "which chance and the windows' usual ups and downs may do" in change.message
            usual = change.detail.get("usual", change.detail["baseline"]) - change.detail["baseline"]
            low, high = min(usual, 0.0), max(usual, 0.0)
            assert chance == (change.value_lower <= high and change.value_upper >= low)
            held.append(relation.value_lower <= 0 <= relation.value_upper)
            whole.append(change.value_lower <= 0 <= change.value_upper)
            alone = of(changed("precision", _without_levels(context)), "precision_change_relation", "amount")
            held_by_rows.append(alone.value_lower <= 0 <= alone.value_upper)
    assert np.mean(held_by_rows) < 0.7
    assert 0.9 <= np.mean(held) <= 0.99
    assert 0.9 <= np.mean(whole) <= 0.99


def _without_levels(context: CheckContext) -> CheckContext:
    baseline = context.labelled_baseline
    assert baseline is not None
    return replace(
        context,
        labelled_baseline=replace(
            baseline,
            part_counts=baseline.part_counts[:1],
            part_sums={name: each[:1] for name, each in baseline.part_sums.items()},
        ),
    )


def test_a_window_is_held_against_what_windows_usually_are_as_the_verdict_does():
    """Days off in opposite directions cancel in the calibration error of all rows: each is worse, and that is usual."""
    rng = np.random.default_rng(44)
    baseline = baseline_of([binary_rows(800, rng, level=sign * 0.7) for sign in (-1, 1) * 10], BINARY)
    metric, error = "expected_calibration_error", "expected_calibration_error_change"

    def said(rows: Rows) -> Result:
        return of(changed(metric, context_of(rows, BINARY, baseline)), error)

    day = binary_rows(800, rng, level=0.7)
    usual = said(day)
    assert usual.value_lower > 0  # larger than that of all rows, surely
    assert usual.detail["baseline"] < 0.04 < 0.08 < usual.detail["usual"] < 0.16
    assert "which chance and the windows' usual ups and downs may do" in usual.message
    judged = performance(context_of(day, BINARY, baseline, f"{{performance: {{metrics: [{metric}]}}}}"))
    words = f"of its windows usually {usual.detail['usual']:.3g}"
    assert f" ({words}) to " in usual.message
    assert f", {words} (alarm " in of(judged, metric).message
    # One that comes out as all rows do is no news either, and one that is off by far more is.
    assert "which chance " in said(binary_rows(800, rng)).message
    assert "which chance " not in said(binary_rows(800, rng, level=2.5)).message


def apart(rows: int, rng: np.random.Generator, lowest: float, logit: float) -> Rows:
    """Rows whose amounts lie in [lowest, lowest + 1), while the score knows nothing of them."""
    latent = rng.normal(size=rows) + logit
    score = 1 / (1 + np.exp(-latent))
    label = (rng.random(rows) < score).astype(float)
    return Rows(rng.uniform(lowest, lowest + 1, rows), np.zeros(rows, int), score, (score >= 0.5).astype(int), label)


def test_the_sentence_rests_on_a_column_whose_values_both_sides_have():
    rng = np.random.default_rng(31)
    baseline = baseline_of([apart(500, rng, -1.0, 0.0) for _ in range(20)], BINARY)
    rows = apart(2000, rng, -0.6, 1.0)  # 0.6 of them lie where the baseline has some
    rows.shop[:] = 1  # the baseline has no row of this shop
    found = changed("accuracy", context_of(rows, BINARY, baseline))
    whole, inputs = of(found, "accuracy_change"), of(found, "accuracy_change_inputs", "amount")
    assert inputs.detail["shared"] == pytest.approx(0.6, abs=0.05)
    assert inputs.message.endswith(", by amount (60 % of the rows lie where both sides have some)")
    assert (whole.detail["by"], whole.detail["shared"]) == ("score", 1.0)
    assert "from other inputs, by score, " in whole.message


def test_without_a_column_that_both_sides_share_nothing_is_said_to_have_moved_it():
    rng = np.random.default_rng(32)

    def rows(count: int, lowest: float, shop: int) -> Rows:
        label = rng.normal(size=count)
        answer = label + rng.normal(size=count)
        amount = rng.uniform(lowest, lowest + 1, count)
        return Rows(amount, np.full(count, shop), answer, np.zeros(count, int), label)

    baseline = baseline_of([rows(200, -1.0, 0) for _ in range(20)], REGRESSION)
    whole = of(changed("mae", context_of(rows(1000, -0.6, 1), REGRESSION, baseline)), "mae_change")
    assert "by" not in whole.detail
    assert ": what moved it cannot be told, for at most " in whole.message
    assert whole.message.endswith(" % of the rows lie where both sides have some")


@pytest.mark.parametrize("final", [True, False])
def test_every_message_of_a_provisional_window_says_so(final: bool):
    rng = np.random.default_rng(33)
    reference, rows = binary_rows(1000, rng), binary_rows(1000, rng, shift=4.0)
    context = context_of(rows, BINARY, baseline_of([reference] * 20, BINARY), final=final)
    found = changed("roc_auc", context, LabelledSamples(drawn(reference, BINARY), drawn(rows, BINARY), "own rows"))
    assert {r.status for r in found} == {"info", "insufficient_data"}  # too far away for a split by all at once
    assert len(found) == 9
    for result in found:
        assert result.message.endswith(", provisional, 100 % of the labels are known") != final, result


def test_of_few_rows_of_a_label_no_part_has_an_interval():
    rng = np.random.default_rng(34)
    baseline = baseline_of([binary_rows(500, rng) for _ in range(20)], BINARY)
    rows = binary_rows(400, rng)
    positive = np.flatnonzero(rows.label)
    rows.label[positive[15:]] = 0.0
    found = changed("roc_auc", context_of(rows, BINARY, baseline))
    whole, relation = of(found, "roc_auc_change"), of(found, "roc_auc_change_relation", "amount")
    assert whole.message.endswith(": too few rows to tell what moved it")
    assert "equal inputs" not in whole.message
    assert relation.value is not None
    assert (relation.value_lower, relation.value_upper) == (None, None)


@pytest.mark.parametrize("metric", PERFORMANCE_METRICS, ids=lambda metric: metric.name)
def test_what_a_metric_does_not_read_changes_no_part(metric: PerformanceMetric):
    rng = np.random.default_rng(37)
    if "binary" in metric.tasks:
        sides = [counted(binary_rows(rows, rng, shift=shift), BINARY) for rows, shift in ((3000, 0), (1000, 0.3))]
    else:
        sides = [counted(regression(rows, rng, spread), REGRESSION) for rows, spread in ((3000, 0.5), (1000, 0.7))]
    tables = [side.by_bin("amount") for side in sides]
    # Average precision reads the sum of the scores where there is one, and makes do without.
    read = [name for name in tables[0].sums if metric.name != "average_precision"]
    reference, current = (Outcomes(t.counts, {name: t.sums[name] for name in read}, t.edges) for t in tables)
    every = np.ones(len(reference.counts), bool)
    full = decompose(metric.function, reference, current)
    less = decompose(metric.function, _needed(metric, reference, every), _needed(metric, current, every))
    for name in ("change", "inputs", "relation", "rest", "interaction"):
        a, b = getattr(full, name), getattr(less, name)
        assert b.value == pytest.approx(a.value, rel=1e-9, abs=1e-12), name
        assert b.standard_error == pytest.approx(a.standard_error, rel=1e-4, abs=1e-8, nan_ok=True), name


def regression(rows: int, rng: np.random.Generator, spread: float) -> Rows:
    label = rng.normal(size=rows)
    answer = label + spread * rng.normal(size=rows)
    return Rows(rng.normal(size=rows), rng.integers(0, 3, rows), answer, np.zeros(rows, int), label)


def several(rows: int, rng: np.random.Generator, noise: float) -> Rows:
    label = rng.integers(0, 3, rows)
    scores = rng.dirichlet(np.ones(3), rows) * noise + np.eye(3)[label] * (1 - noise) * rng.random((rows, 1))
    scores /= scores.sum(axis=1, keepdims=True)
    return Rows(rng.normal(size=rows), rng.integers(0, 3, rows), scores, scores.argmax(axis=1), label.astype(float))


def test_of_several_classes_predictions_are_split_and_scores_are_not():
    rng = np.random.default_rng(35)
    reference, rows = several(1000, rng, 0.3), several(1000, rng, 0.6)
    context = context_of(rows, CLASSES, baseline_of([reference] * 20, CLASSES))
    samples = LabelledSamples(drawn(reference, CLASSES), drawn(rows, CLASSES), "own rows")
    by_prediction = changed("f1", context, samples)
    whole, relation = of(by_prediction, "f1_change"), of(by_prediction, "f1_change_relation")
    assert relation.value_lower <= whole.value <= relation.value_upper < 0
    # Nobody asks of several classes along which feature the labels turned.
    assert "labels follow" not in whole.message
    by_score = changed("roc_auc", context, samples)
    assert [r.metric for r in by_score] == ["roc_auc_change"]
    assert by_score[0].message.endswith(": it is not split, for scores by class are not counted by bin")


def test_of_a_regression_no_feature_is_said_to_be_followed_otherwise():
    rng = np.random.default_rng(36)
    baseline = baseline_of([regression(300, rng, 0.5) for _ in range(20)], REGRESSION)
    whole = of(changed("mae", context_of(regression(1000, rng, 0.7), REGRESSION, baseline)), "mae_change")
    assert "because equal inputs come out otherwise" in whole.message
    assert "labels follow" not in whole.message
    assert whole.detail["relation_of"] is None


def by_bin(rows: int, rng: np.random.Generator, spread: float, turned: float = 0.0) -> Rows:
    """Rows of a day on which labels at equal amounts have levels of their own, and large ones come out otherwise."""
    made = binary_rows(rows, rng)
    level = spread * rng.normal(size=8)[np.clip((made.amount + 2) * 2, 0, 7).astype(int)]
    true = 1 / (1 + np.exp(-(np.log(made.answer / (1 - made.answer)) + level - turned * (made.amount > 0.5))))
    return replace(made, label=(rng.random(rows) < true).astype(float))


def turned(days: int, spread: float, rng: np.random.Generator, *windows: Rows) -> list[str | None]:
    """Return the feature that labels are said to follow in another way, of each window."""
    baseline = baseline_of([by_bin(1000, rng, spread) for _ in range(days)], BINARY)
    names = []
    for rows in windows:
        whole = of(changed("roc_auc", context_of(rows, BINARY, baseline)), "roc_auc_change")
        name = whole.detail["relation_of"]
        assert (f"(labels follow {name} in another way)" in whole.message) == (name is not None)
        names.append(name)
    return names


def test_labels_whose_bins_go_up_and_down_every_day_are_not_said_to_follow_a_feature_otherwise():
    """Of independent rows the sum of these days is too large nearly always: at p < 0.001 on 25 of 30."""
    rng = np.random.default_rng(39)
    quiet = [by_bin(1000, rng, 0.6) for _ in range(30)]
    assert turned(20, 0.6, rng, *quiet) == [None] * 30


def test_more_rows_a_day_show_the_same_levels_better_and_are_not_said_to_follow_otherwise():
    rng = np.random.default_rng(41)
    assert turned(30, 0.6, rng, *(by_bin(30_000, rng, 0.6) for _ in range(8))) == [None] * 8


def test_a_feature_is_named_whose_labels_turn_by_more_than_the_windows_usually_do():
    rng = np.random.default_rng(40)
    steady = [by_bin(1000, rng, 0.0, turned=3.0) for _ in range(5)]
    assert turned(20, 0.0, rng, *steady) == ["amount"] * 5
    assert turned(20, 0.0, rng, *(by_bin(1000, rng, 0.0) for _ in range(10))) == [None] * 10
    assert turned(20, 0.2, rng, by_bin(4000, rng, 0.2, turned=3.0)) == ["amount"]
    # Of three days nobody knows what is usual.
    assert turned(3, 0.0, rng, *steady) == [None] * 5
