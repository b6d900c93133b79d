"""The two rows that sum a window up."""

from __future__ import annotations

import math

import pytest

from monitoring_tasks.checks.drift import drift
from monitoring_tasks.checks.result import Result
from monitoring_tasks.checks.verdict import verdict
from monitoring_tasks.profile import Bins
from tests import inference_log
from tests.checks.context import categorical, context

CARRIERS = Bins("categorical", categories=("AA", "UA"), others=("B6",))


def row(name: str, value: float | None = 0.0, status: str = "ok", **fields) -> Result:
    return Result("psi", value, name, threshold_upper=0.1, window_rows=500, baseline_rows=900, status=status, **fields)


def test_what_moved_is_named_farthest_first():
    rows = [row("a", 0.2, "alarm"), row("b", 0.05), row("c", 0.4, "alarm"), row("d", 0.06, "warning")]
    share, whole = verdict(rows, [0.001, 0.5, 0.0001, 0.01], 0.05, {})
    assert (share.metric, share.value, share.status) == ("drifted_share", 0.5, "info")
    assert share.message == "2 of 4 columns moved: c, a"
    assert [(each["column"], each["moved"]) for each in share.detail["ranking"]] == [
        ("c", pytest.approx(4.0)),
        ("a", pytest.approx(2.0)),
        ("d", pytest.approx(0.6)),
        ("b", pytest.approx(0.5)),
    ]
    assert (whole.metric, whole.status) == ("global_test", "alarm")
    assert whole.value == whole.p_value == pytest.approx(0.0004)  # Simes: 4 * 0.0001
    assert whole.message == "the window differs from its baseline: p = 0.0004 over 4 columns"
    assert {(each.window_rows, each.baseline_rows, each.segment) for each in (share, whole)} == {(500, 900, "")}


def test_of_many_that_moved_three_are_named():
    rows = [row(name, 0.2, "alarm") for name in "edcba"]
    (share, _) = verdict(rows, [0.001] * 5, 0.05, {})
    assert share.message == "5 of 5 columns moved: a, b, c and 2 more"
    assert len(share.detail["ranking"]) == 5


def test_importance_weighs_the_share_and_the_ranking():
    rows = [row("a", 0.2, "alarm"), row("b", 0.3, "alarm"), row("c", 0.01)]
    (share, _) = verdict(rows, [0.001, 0.001, 0.9], 0.05, {"a": 3.0, "c": 6.0})
    assert share.value == pytest.approx(4 / 10)
    assert share.message == "2 of 3 columns moved: a, b"
    (share, _) = verdict(rows, [0.001, 0.001, 0.9], 0.05, dict.fromkeys("abc", 0.0))
    assert share.value is None  # of no weight at all there is no share


@pytest.mark.parametrize(
    ("status", "p_value", "message"),
    [
        ("ok", 0.3, "nothing beyond chance: p = 0.3 over 1 column"),
        ("ok", 0.001, "the window differs, by less than matters: p = 0.001 over 1 column"),
        ("warning", 0.001, "the window differs from its baseline: p = 0.001 over 1 column"),
        ("alarm", 0.01, "the window differs from its baseline: p = 0.01 over 1 column"),
        ("alarm", 0.3, "chance alone may do this, but a column moved: p = 0.3 over 1 column"),
    ],
)
def test_what_is_said_of_the_whole(status, p_value, message):
    _, whole = verdict([row("a", 0.2, status)], [p_value], 0.01, {})
    assert (whole.status, whole.message) == (status, message)


def test_several_metrics_of_a_column_are_one_column_that_moved_by_the_most():
    rows = [row("a", 0.2, "alarm"), Result("chi_squared", 90.0, "a", window_rows=500, status="ok")]
    rows[1].detail.update({"effect": 0.5, "effect_threshold": 0.1})
    (share, _) = verdict(rows, [0.001], 0.05, {})
    assert share.message == "1 of 1 column moved: a"
    assert share.detail["ranking"] == [{"column": "a", "moved": 5.0}]


def test_where_no_column_was_judged_that_is_said():
    rows = [row("a", None, "insufficient_data"), row("b", 0.4, "insufficient_data")]
    (share,) = verdict(rows, [math.nan, math.nan], 0.05, {})
    assert (share.metric, share.value, share.status) == ("drifted_share", None, "insufficient_data")
    assert share.message.startswith("no column could be judged, with ")


def test_columns_that_were_not_judged_do_not_count():
    rows = [row("a", 0.2, "alarm"), row("b", 0.4, "insufficient_data")]
    share, whole = verdict(rows, [0.01, math.nan], 0.05, {})
    assert (share.value, share.message) == (1.0, "1 of 1 column moved: a")
    assert whole.p_value == pytest.approx(0.01)


def test_with_fixed_thresholds_and_no_p_value_there_is_no_test_of_the_whole():
    (share,) = verdict([row("a", 0.2, "alarm")], [math.nan], 0.05, {})
    assert share.message == "1 of 1 column moved: a"


def test_metrics_that_suit_no_column_leave_nothing_to_say():
    """Once an IndexError: `metrics: [wasserstein]` and a prediction that is a class."""
    monitor = inference_log.monitor("{data_drift: {metrics: [wasserstein]}}")
    of = {"": [categorical("carrier", 0, 500, 400, 100, 0)]}
    assert monitor.checks.data_drift is not None
    assert drift(context(monitor, {"carrier": CARRIERS}, of, of), ["carrier"], monitor.checks.data_drift) == []


def test_a_column_that_only_moved_beside_those_of_other_segments_is_not_said_to_have_a_fixed_threshold():
    """Nine of ten columns moved in JFK, so Benjamini and Hochberg's bound is high enough for one of ten over all rows.

    Over those ten alone it may be chance; no threshold is fixed.
    """
    names = [f"x{i}" for i in range(10)]
    monitor = inference_log.monitor("{data_drift: {metrics: [psi], minimum_effect: {psi: 0.0}}}")

    def columns(*first: int, others: tuple[int, ...]):
        return [categorical(name, *(first if name == "x0" else others)) for name in names]

    still, moved = (0, 5000, 4000, 1000, 0), (0, 200, 700, 100, 0)
    same = (0, 500, 400, 100, 0)
    before = {"": columns(*still, others=still), "origin=JFK": columns(*still, others=still)}
    after = {"": columns(0, 557, 347, 96, 0, others=same), "origin=JFK": columns(*moved, others=moved)}
    assert monitor.checks.data_drift is not None
    found = drift(context(monitor, dict.fromkeys(names, CARRIERS), before, after), names, monitor.checks.data_drift)
    (whole,) = [each for each in found if each.metric == "global_test" and each.segment == ""]
    assert whole.status == "alarm"
    assert whole.p_value > monitor.checks.data_drift.false_alarm_rate
    assert whole.message.startswith("chance alone may do this, but a column moved: p = ")
