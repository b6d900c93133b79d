"""Concept drift is found where it is planted, named, and not found where only the inputs moved."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.special import stdtrit

from monitoring_tasks.checks.concept_drift import Tested as Held
from monitoring_tasks.checks.concept_drift import concept_drift
from monitoring_tasks.checks.detectors import Series, Usual, _chart, _warning, chart_threshold
from monitoring_tasks.checks.result import Result
from monitoring_tasks.labelled_baseline import MOST_PARTS, LabelledBaseline
from monitoring_tasks.statistics.change import average_run_length, change_detector
from monitoring_tasks.statistics.intervals import Z
from tests.checks import labelled_rows as made
from tests.checks.labelled_rows import BINARY, MULTICLASS, REGRESSION, Rows, counted, day, split

DAYS = 30
WINDOW = day(40)


def binary(
    rng: np.random.Generator,
    n: int = 1000,
    columns: int = 2,
    *,
    level: float = 0.0,
    in_bin: float = 0.0,
    shift: bool = False,
) -> Rows:
    """The rate rises with `a`, which the score knows; it does not with the others.

    `level` is added to the rate everywhere, `in_bin` where `a` is in [2, 3); `shift` has three rows of four there.
    """
    names = "abcdefghijklmnopqrstuvwxyz" if columns <= 26 else [f"f{i}" for i in range(columns)]
    features = {name: rng.random(n) * 8 for name in names[:columns]}
    first = features[names[0]]
    if shift:
        first[: 3 * n // 4] = 2 + rng.random(3 * n // 4)
        rng.shuffle(first)
    expected = 0.1 + 0.05 * first
    rate = np.clip(expected + level + np.where((first >= 2) & (first < 3), in_bin, 0.0), 0, 1)
    label = (rng.random(n) < rate).astype(int)
    return Rows(features, label, (expected > 0.3).astype(int), expected)


@cache
def baseline(seed: int = 1, n: int = 1000, columns: int = 2, spread: float = 0.0) -> LabelledBaseline:
    rng = np.random.default_rng(seed)
    days = [binary(rng, n, columns, level=spread * rng.normal()) for _ in range(DAYS)]
    return made.labelled_baseline(days, BINARY)


def run(rows: Rows, known: LabelledBaseline | None = None, checks: str = "{}", **more: object) -> list[Result]:
    its = made.monitor(list(rows.features), checks=checks)
    profile = counted(rows, BINARY, WINDOW)
    return concept_drift(made.context(its, known or baseline(), [profile], **more))


def found(results: list[Result], metric: str, column: str = "", segment: str = "") -> Result:
    (its,) = [
        each for each in results if each.metric == metric and each.column_name == column and each.segment == segment
    ]
    return its


def alarms(results: list[Result]) -> set[tuple[str, str]]:
    return {(each.metric, each.column_name) for each in results if each.decided() == "alarm"}


def test_labels_that_changed_in_one_bin_are_found_and_named():
    results = run(binary(np.random.default_rng(3), in_bin=0.4))
    its = found(results, "label_shift", "a")
    assert its.decided() == "alarm"
    assert its.detail["bin"]["bin"] == "[2,3)"
    assert its.detail["bin"]["observed"] - its.detail["bin"]["expected"] == pytest.approx(0.4, abs=0.1)
    # The bin is what was found, and the p-value its.
    assert its.message.startswith("in a=[2,3) 65 % instead of 23 % of 123 rows have repaid=1 (p = ")
    assert "; at equal a and probability 37 % instead of 29 % of the rows have repaid=1 (alarm beyond" in its.message
    everywhere = found(run(binary(np.random.default_rng(3), level=0.15)), "label_shift", "a")
    assert everywhere.message.startswith("at equal a and probability ")
    assert "; most in a=[" in everywhere.message
    verdict = found(results, "drifted_share")
    assert verdict.decided() == "alarm"
    assert "a" in verdict.detail["columns"]
    assert its.message in verdict.message


def test_a_change_in_one_bin_that_the_mean_does_not_show_is_found_too():
    rng = np.random.default_rng(4)
    rows = binary(rng, 2000, in_bin=0.3)
    first = rows.features["a"]
    other = (first >= 5) & (first < 6) & (rows.label == 1) & (rng.random(2000) < 0.8)
    rows.label[other] = 0
    its = found(run(rows), "label_shift", "a")
    assert abs(its.value) < 0.03 < its.threshold_upper
    assert its.decided() == "alarm"
    assert its.message.startswith("in a=[2,3) ")


def test_a_shift_of_the_inputs_alone_is_none():
    results = run(binary(np.random.default_rng(5), shift=True))
    assert found(results, "label_shift", "a").decided() == "ok"
    assert found(results, "label_shift", "probability").decided() == "ok"
    assert found(results, "calibration_drift", "probability").decided() == "ok"


def test_an_interval_holds_0_where_its_p_value_is_above_5_percent():
    """So it counts the windows' own levels, as the decision does; those of rows alone left out 0 in most windows."""
    rng = np.random.default_rng(61)
    known, without = baseline(spread=0.05), 0
    for _ in range(20):
        results = run(binary(rng, level=0.05 * rng.normal()), known)
        its = found(results, "calibration_drift", "probability")
        assert (its.value_lower <= 0 <= its.value_upper) == (its.p_value > 0.05)
        without += abs(its.value) > 1.96 * its.detail["sampling_error"]
        its = found(results, "label_shift", "a")
        half = stdtrit(DAYS - 1, 0.975) * math.hypot(
            its.detail["sampling_error"], its.detail["between_windows"] * math.sqrt(1 + 1 / DAYS)
        )
        assert its.value_upper - its.value == pytest.approx(half, rel=0.01)
        assert its.value - its.value_lower == pytest.approx(half, rel=0.01)
    assert without > 5


def test_the_bound_of_a_message_is_a_distance_from_the_baseline():
    results = run(binary(np.random.default_rng(62)))
    assert "(alarm beyond ±" in found(results, "label_shift", "a").message
    assert "(alarm beyond +" in found(results, "loss_drift").message


def test_a_shift_of_one_feature_is_no_change_at_equal_values_of_the_others():
    """It was, for labels became fewer in all bins of the other nine: in 64 % of such windows one alarmed."""
    rng = np.random.default_rng(63)
    known = baseline(columns=10)
    for _ in range(20):
        results = run(binary(rng, columns=10, shift=True), known)
        assert alarms(results) == set()
    assert found(results, "label_shift", "b").message.startswith("at equal b and probability ")
    assert found(results, "label_shift", "probability").message.startswith("at equal probability 2")


def test_what_is_expected_is_what_the_inputs_say():
    """Of three rows in four a rate of 0.225, of the others 0.3: scores move inside the groups, too."""
    rng = np.random.default_rng(65)
    days = [binary(rng, 4000) for _ in range(DAYS)]
    results = run(binary(rng, 20_000, shift=True), made.labelled_baseline(days, BINARY))
    for column in ("a", "b", "probability"):
        its = found(results, "label_shift", column)
        assert its.detail["expected"] == pytest.approx(0.75 * 0.225 + 0.25 * 0.3, abs=0.004), column
        assert its.decided() == "ok"


def test_without_a_score_rows_of_equal_predictions_are_compared():
    """The rate hangs on the class predicted alone, and `b` knows nothing: rows of the second class have become many."""
    rng = np.random.default_rng(64)

    def classes(n: int, second: float) -> Rows:
        prediction = (rng.random(n) < second).astype(int)
        label = np.where(rng.random(n) < 0.8, prediction, 2)
        return Rows({"b": rng.random(n) * 8}, label, prediction)

    its = made.monitor(["b"], "multiclass_classification")
    known = made.labelled_baseline([classes(500, 0.2) for _ in range(DAYS)], MULTICLASS)
    results = concept_drift(made.context(its, known, [counted(classes(1000, 0.6), MULTICLASS, WINDOW)]))
    assert alarms(results) == set()
    assert found(results, "label_shift", "b").message.startswith("at equal b and predicted ")


@pytest.mark.parametrize("level", [0.15, -0.15])
def test_a_change_everywhere_is_found_in_either_direction_and_the_calibration_with_it(level: float):
    results = run(binary(np.random.default_rng(6), level=level))
    for metric, column in (("label_shift", "a"), ("label_shift", "probability"), ("calibration_drift", "probability")):
        its = found(results, metric, column)
        assert its.decided() == "alarm", its
        assert its.value == pytest.approx(level, abs=0.06)
        assert its.value_lower < its.value < its.value_upper
        assert its.threshold_lower == -its.threshold_upper
        assert abs(its.value) > its.threshold_upper


def test_a_smaller_loss_is_no_alarm_and_a_larger_one_is():
    rows = binary(np.random.default_rng(7))
    better = replace_labels(rows, rows.prediction)
    worse = replace_labels(rows, 1 - rows.prediction)
    assert found(run(better), "loss_drift").decided() == "ok"
    assert found(run(worse), "loss_drift").decided() == "alarm"
    assert found(run(better), "label_shift", "a").decided() == "alarm", "labels changed all the same"


def replace_labels(rows: Rows, label: np.ndarray) -> Rows:
    return Rows(rows.features, label, rows.prediction, rows.score)


def test_a_loss_is_an_alarm_where_it_is_beyond_its_bound():
    """The bound was 9.3 points where 9.5 were none: its error is another at each p-value, that of 5 % was taken."""
    rng = np.random.default_rng(66)
    decided = set()
    for wrong_in_baseline in (0.05, 0.02):
        days = []
        for _ in range(DAYS):
            rows = binary(rng, 200)
            days.append(replace_labels(rows, np.abs(rows.prediction - (rng.random(200) < wrong_in_baseline))))
        known = made.labelled_baseline(days, BINARY)
        for wrong in range(8, 45):
            rows = binary(rng, 200)
            its = found(
                run(replace_labels(rows, np.abs(rows.prediction - (np.arange(200) < wrong))), known), "loss_drift"
            )
            assert (its.decided() == "alarm") == (its.value > its.threshold_upper), its
            decided.add(its.decided())
    assert decided == {"ok", "alarm"}


def test_a_bound_that_no_share_reaches_is_not_told():
    """Windows with shares of labels of 0 to 1: bounds were up to 134 points."""
    its = found(run(binary(np.random.default_rng(67), 100), baseline(spread=0.6)), "label_shift", "a")
    most = max(its.detail["expected"], 1 - its.detail["expected"])
    assert (its.decided(), its.threshold_lower, its.threshold_upper) == ("ok", -most, most)
    assert "(no share is beyond the usual ups and downs; p = " in its.message
    settings = made.monitor(["a"]).checks.concept_drift
    few = Held(
        **{"metric": "label_shift", "column": "a", "segment": "", "value": 0.3, "lower": 0.0, "upper": 0.6},
        **{"p_value": 0.05, "effect": 0.3, "unit": 1.0, "error": 0.2, "freedom": math.inf, "sides": 4, "words": "30 %"},
        **{"baseline_rows": 900, "window_rows": 6, "detail": {}, "reach": 0.7},
    )
    assert few.result(False, 0.1, settings, "").message == "30 % (alarm beyond ±39.2 points; p = 0.05)"
    its = few.result(False, 1e-4, settings, "")
    assert its.message == "30 % (no share of so few rows is an alarm; p = 0.05)"
    assert its.threshold_upper == 0.7


def test_an_alarm_without_any_column_says_what_changed():
    rows = binary(np.random.default_rng(68))
    turned = Rows(rows.features, rows.label, 1 - rows.prediction, rows.score)
    verdict = found(run(turned), "drifted_share")
    assert (verdict.decided(), verdict.value) == ("alarm", 0.0)
    assert verdict.message.startswith("the mean loss has risen: share of wrong predictions ")
    assert verdict.message.endswith("; by column alone labels changed at equal values of 0 of 3 columns")


def test_a_change_below_the_smallest_that_matters_is_none():
    rows = binary(np.random.default_rng(8), 20_000, level=0.06)
    assert ("label_shift", "a") in alarms(run(rows))
    assert not alarms(run(rows, checks="{concept_drift: {minimum_effect: 0.2}}")) & {("label_shift", "a")}


def test_the_level_of_windows_is_not_called_drift():
    """Of windows whose rates differ by 0.06, one that is 0.1 higher is none; of windows that do not, it is."""
    rows = binary(np.random.default_rng(9), level=0.1)
    assert ("label_shift", "probability") in alarms(run(rows))
    assert not alarms(run(rows, baseline(spread=0.06)))


def test_segments_are_tested_by_themselves():
    rng = np.random.default_rng(10)
    days = [binary(rng) for _ in range(DAYS)]
    known = made.labelled_baseline(days, BINARY, low="b")
    rows = binary(rng)
    of_segment = rows.features["b"] < 4
    rows.label[of_segment] = (rng.random(of_segment.sum()) < 0.7).astype(int)
    its = made.monitor(["a", "b"])
    results = concept_drift(made.context(its, known, split(rows, BINARY, WINDOW, low="b")))
    assert found(results, "label_shift", "a", "b=low").decided() == "alarm"
    assert found(results, "drifted_share", segment="b=low").decided() == "alarm"
    assert not [each for each in results if each.segment == "b=low" and each.column_name == "b"]


@pytest.mark.parametrize("n", [99, 20])
def test_few_rows_are_not_judged(n: int):
    results = run(binary(np.random.default_rng(11), n))
    (its,) = results
    assert its.metric == "drifted_share"
    assert its.decided() == "insufficient_data"
    assert f"{n} labelled rows are too few to judge, 100 are needed" in its.message


def test_without_the_baselines_labels_it_says_when_they_come():
    rows = binary(np.random.default_rng(12))
    its = made.monitor(list(rows.features))
    (result,) = concept_drift(made.context(its, None, [counted(rows, BINARY, WINDOW)]))
    assert result.decided() == "insufficient_data"
    assert "the baseline's labels are complete from" in result.message


def test_labels_that_are_not_complete_are_said_to_be_provisional():
    results = run(binary(np.random.default_rng(13)), final=False)
    assert all("provisional" in each.message for each in results)


def test_too_few_labels_are_not_judged():
    rows = binary(np.random.default_rng(14))
    profile = counted(rows, BINARY, WINDOW)
    cells = profile.cells.reshape(BINARY.shape).copy()
    cells[..., -1] += 1000 // cells[..., -1].size + 1  # as many rows without a label
    its = made.monitor(list(rows.features))
    (result,) = concept_drift(made.context(its, baseline(), [replace(profile, cells=cells.reshape(-1))]))
    assert result.decided() == "insufficient_data"
    assert "a verdict needs 80 %" in result.message


def test_few_labels_of_one_kind_are_not_judged():
    rows = binary(np.random.default_rng(15))
    known = made.labelled_baseline([replace_labels(rows, np.zeros(1000, int))] * 5, BINARY)
    results = run(replace_labels(rows, np.zeros(1000, int)), known)
    assert found(results, "label_shift", "a").decided() == "insufficient_data"
    assert found(results, "drifted_share").decided() == "insufficient_data"


def test_a_calibration_that_holds_to_the_row_is_judged():
    """Once a residual of exactly 0 was called too few labels."""
    rows = binary(np.random.default_rng(16))
    half = Rows(rows.features, np.arange(1000) % 2, rows.prediction, np.full(1000, 0.5))
    its = found(run(half, made.labelled_baseline([half] * 5, BINARY)), "calibration_drift", "probability")
    assert (its.value, its.decided()) == (0.0, "ok")
    assert its.value_upper == pytest.approx(Z * np.sqrt(0.25 * (1 / 1000 + 1 / 5000)))


def regression(rng: np.random.Generator, n: int = 1000, *, level: float = 0.0, shift: bool = False) -> Rows:
    a, b = rng.random(n) * 8, rng.random(n) * 8
    if shift:
        a[:] = 2 + rng.random(n)
    label = 5 + a + rng.normal(size=n) + np.where((a >= 2) & (a < 3), level, 0.0)
    return Rows({"a": a, "b": b}, label, 5 + a)


def test_the_residuals_of_a_regression():
    rng = np.random.default_rng(20)
    known = made.labelled_baseline([regression(rng) for _ in range(DAYS)], REGRESSION)
    its = made.monitor(["a", "b"], "regression")

    def of(rows: Rows) -> list[Result]:
        return concept_drift(made.context(its, known, [counted(rows, REGRESSION, WINDOW)]))

    quiet, moved, shifted = (of(regression(rng, **more)) for more in ({}, {"level": 2.0}, {"shift": True}))
    assert not alarms(quiet)
    assert not alarms(shifted)
    its_a = found(moved, "residual_drift", "a")
    assert its_a.decided() == "alarm"
    assert its_a.detail["bin"]["bin"] == "[2,3)"
    assert its_a.detail["bin"]["observed"] == pytest.approx(-2.0, abs=0.4)
    assert ("loss_drift", "") in alarms(moved)
    assert {each.column_name for each in moved if each.metric == "cusum"} == {"", "predicted"}


def multiclass(rng: np.random.Generator, n: int = 1000, *, greener: float = 0.0) -> Rows:
    a = rng.random(n) * 8
    guess = np.where(a < 3, 0, np.where(a < 6, 1, 2))
    label = np.where(rng.random(n) < 0.7, guess, rng.integers(0, 3, n))
    label[(a >= 6) & (rng.random(n) < greener)] = 1
    return Rows({"a": a, "b": rng.random(n) * 8}, label, guess)


def test_the_classes_of_a_multiclass_model():
    rng = np.random.default_rng(21)
    known = made.labelled_baseline([multiclass(rng) for _ in range(DAYS)], MULTICLASS)
    its = made.monitor(["a", "b"], "multiclass_classification")
    quiet, moved = (
        concept_drift(made.context(its, known, [counted(multiclass(rng, **more), MULTICLASS, WINDOW)]))
        for more in ({}, {"greener": 0.5})
    )
    assert not alarms(quiet)
    of_a = found(moved, "label_shift", "a")
    assert of_a.decided() == "alarm"
    assert of_a.detail["label"] in ("green", "blue")
    assert of_a.detail["bin"]["bin"] in ("[6,7)", "[7,8)")
    assert ("loss_drift", "") in alarms(moved)


def test_the_baselines_columns_survive_the_store():
    rng = np.random.default_rng(22)
    for days, bins in (
        ([binary(rng, 200) for _ in range(5)], BINARY),
        ([regression(rng, 200) for _ in range(5)], REGRESSION),
    ):
        known = made.labelled_baseline(days, bins, low="a")
        profiles, parts = (json.loads(json.dumps(each)) for each in known.to_json())
        sizes = dict.fromkeys(("a", "b"), len(made.FEATURE))
        again = LabelledBaseline.from_json(known.window, bins, sizes, profiles, parts)
        assert set(again.part_columns) == {"", "a=low"}
        for segment, columns in known.part_columns.items():
            for name, array in columns.items():
                np.testing.assert_array_equal(again.part_columns[segment][name], array)
        assert again.between("", "b").level == known.between("", "b").level


def test_of_many_windows_neighbours_are_added_up():
    rng = np.random.default_rng(23)
    known = made.labelled_baseline([binary(rng, 20) for _ in range(MOST_PARTS + 50)], BINARY)
    kept = known.part_columns[""]["a"]
    assert len(kept) == MOST_PARTS
    assert kept.sum() == 20 * (MOST_PARTS + 50)
    assert set(kept.sum(axis=(1, 2))) == {20, 40}


def test_the_chart_finds_a_lasting_rise_that_no_single_window_shows():
    known = baseline(n=300, spread=0.03)
    rng = np.random.default_rng(30)
    before = [counted(binary(rng, 300, level=0.03 * rng.normal()), BINARY, day(i)) for i in range(10, 40)]
    quiet = run(binary(rng, 300), known, before=before)
    assert found(quiet, "cusum").decided() == "ok"
    # The error rate is that of labels against predictions: turn some labels round.
    worse = []
    for i in range(10, 40):
        rows = binary(rng, 300, level=0.03 * rng.normal())
        if i >= 30:
            turned = rng.random(300) < 0.12
            rows.label[turned] = 1 - rows.prediction[turned]
        worse.append(counted(rows, BINARY, day(i)))
    reported = [found(run_of(worse[i], known, worse[:i]), "cusum") for i in range(15, 30)]
    assert [each.decided() for each in reported[:5]] == ["ok"] * 5
    assert "alarm" in [each.decided() for each in reported[5:]]
    first = next(each for each in reported if each.decided() == "alarm")
    assert first.value > first.threshold_upper
    assert "the mean loss has risen" in first.message


def test_the_charts_value_at_a_change_is_its_sum_since_the_change_before():
    """Each value of 3 adds 2.5: the bound is passed after three of them, and the sum then starts at 0 again."""
    values = np.repeat([0.0, 3.0, 0.0, 3.0], [10, 10, 10, 3])
    series = Series(values, np.ones(33, int), tuple(day(i).start for i in range(33)), 32)
    settings = made.monitor(["a"]).checks.concept_drift
    its = _chart(change_detector("cusum"), series, Usual(0.0, 1.0, 0.0, 30), settings, two_sided=False)
    assert 5 < its.threshold_upper < 7.5
    assert its.decided() == "alarm"
    assert its.value == pytest.approx(7.5)
    assert len(its.detail["changes"]) == 4


def run_of(profile, known, before):
    its = made.monitor(["a", "b"])
    return concept_drift(made.context(its, known, [profile], before))


def at_parts(detector: str, values: np.ndarray, rows: int, known: Usual, loss: str) -> Result:
    """Return what a detector says of a day and the 30 before it, cut into hours of so many rows."""
    starts = tuple(day(0).start + i * day(0).length / 24 for i in range(values.size))
    series = Series(values, np.full(values.size, rows), starts, 30 * 24)
    return _warning(change_detector(detector), series, known, loss)


@pytest.mark.parametrize("rows", [20, 60, 200, 5000])
def test_hddm_w_finds_a_change_however_many_rows_a_part_has(rows: int):
    """Errors from 0.1 to 0.4 on the last three days."""
    values = np.random.default_rng(9).binomial(rows, np.repeat([0.1, 0.4], [28 * 24, 3 * 24])) / rows
    its = at_parts("hddm_w", values, rows, Usual(0.1, 0.3, 0.0, 30), "accuracy")
    assert min(its.detail["changes"]) >= "2024-03-29"


@pytest.mark.parametrize("rows", [5, 100, 10_000])
def test_page_hinkley_knows_how_steady_the_mean_of_many_rows_is(rows: int):
    """With a threshold of single rows it reported 0.5, 29 and 100 % of quiet days with 5, 100 and 10,000 an hour."""
    known = Usual(3.0, 2.0, 0.0, 30)
    quiet = np.random.default_rng(17).normal(3.0, 2.0 / np.sqrt(rows), (20, 31 * 24))
    assert {at_parts("page_hinkley", each, rows, known, "mae").decided() for each in quiet} == {"ok"}
    risen = quiet + np.repeat([0.0, 2.0 / np.sqrt(rows)], [28 * 24, 3 * 24])
    for each in risen:
        assert min(at_parts("page_hinkley", each, rows, known, "mae").detail["changes"]) >= "2024-03-29"


def test_the_order_of_the_windows_before_is_all_that_detectors_keep():
    rng = np.random.default_rng(31)
    before = [counted(binary(rng, 300), BINARY, day(i)) for i in range(10, 40)]
    rows = binary(rng, 300)
    first, second = (run(rows, before=before) for _ in range(2))
    assert first == second
    names = [each.metric for each in first][-7:]
    assert names == ["page_hinkley", "cusum", "adwin", "ddm", "hddm_a", "hddm_w", "kswin"]


def test_the_bound_of_the_chart_is_that_of_its_run_length():
    assert average_run_length(0.5, chart_threshold(0.002, 10**9, 1), 0.0, sides=1) == pytest.approx(500, rel=0.01)
    assert average_run_length(0.5, chart_threshold(0.002, 25, 2), 0.2, sides=2) == pytest.approx(500, rel=0.01)


def false_alarms(
    n: int, columns: int, spread: float, baselines: int, windows: int, *, shift: bool = False, seed: int = 0
) -> float:
    """Return the share of windows without drift in which any row alarms, of several baselines."""
    rng = np.random.default_rng(seed)
    alarmed = 0
    for _ in range(baselines):
        days = [binary(rng, n, columns, level=spread * rng.normal()) for _ in range(DAYS)]
        known = made.labelled_baseline(days, BINARY)
        for _ in range(windows):
            rows = binary(rng, n, columns, level=spread * rng.normal(), shift=shift)
            alarmed += bool(alarms(run(rows, known)))
    return alarmed / (baselines * windows)


@pytest.mark.integration
@pytest.mark.parametrize(
    ("n", "columns", "spread"),
    [(200, 1, 0.0), (1000, 10, 0.0), (200, 10, 0.05), (1000, 10, 0.05), (10_000, 1, 0.05), (1000, 50, 0.03)],
)
def test_false_alarms_are_as_rare_as_the_file_says(n: int, columns: int, spread: float):
    """At a rate of 1 %; 400 windows of 20 baselines. More than 10 are chance in one of 350 tests at that rate."""
    assert false_alarms(n, columns, spread, 20, 20) * 400 <= 10


@pytest.mark.integration
@pytest.mark.parametrize(("n", "columns", "spread"), [(1000, 10, 0.0), (1000, 10, 0.05), (10_000, 2, 0.0)])
def test_false_alarms_are_as_rare_where_the_inputs_move(n: int, columns: int, spread: float):
    """At equal values of one feature alone 64 % of the first alarmed."""
    assert false_alarms(n, columns, spread, 20, 20, shift=True) * 400 <= 10


def reports(n: int, spread: float, runs: int, windows: int, seed: int = 0) -> dict[str, float]:
    """Return, of every detector, in how many of 1,000 windows without drift it reports a change."""
    rng = np.random.default_rng(seed)
    count: dict[str, int] = {}
    for _ in range(runs):
        days = [binary(rng, n, 1, level=spread * rng.normal()) for _ in range(DAYS)]
        known = made.labelled_baseline(days, BINARY)
        series = []
        for i in range(DAYS + windows):
            rows = binary(rng, n, 1)
            # A level of the errors, not of the labels alone: all parts of a window share it.
            turned = rng.random(n) < abs(spread * rng.normal())
            rows.label[turned] = 1 - rows.prediction[turned]
            series.append(counted(rows, BINARY, day(i)))
        known = LabelledBaseline.of(known.window, [[each] for each in series[:DAYS]])
        its = made.monitor(["a"])
        for i in range(DAYS, DAYS + windows):
            for each in concept_drift(made.context(its, known, [series[i]], series[i - 30 : i])):
                if each.metric in DETECTORS:
                    count[each.metric] = count.get(each.metric, 0) + (each.decided() in ("warning", "alarm"))
    return {name: 1000 * each / (runs * windows) for name, each in count.items()}


DETECTORS = ("page_hinkley", "cusum", "adwin", "ddm", "hddm_a", "hddm_w", "kswin")


@pytest.mark.integration
@pytest.mark.parametrize("spread", [0.0, 0.1])
def test_detectors_rarely_report_what_is_no_change(spread: float):
    """In 150 windows of 5 baselines, at a rate of 1 % of which the chart has a fifth."""
    its = reports(500, spread, 5, 30)
    assert its["cusum"] <= 14, "two of 150: at 2 of 1,000 a third is chance in one of 280 tests"
    assert all(each <= 30 for each in its.values()), its
