"""Silences, the time since the last row, and whether all expected rows came."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from monitoring_tasks.checks import Result
from monitoring_tasks.checks.operations import operations
from monitoring_tasks.traffic import Traffic, traffic_of
from monitoring_tasks.window import Window
from tests.checks.context import WINDOW
from tests.checks.traffic import given, traffic

HOURS = (5.0, 5.2, 4.9, 5.0, 5.1, 5.0, 4.8, 5.3)


def judged(metric: str, now: Traffic, before: list[Traffic] | None = None, settings: str = "{}") -> Result:
    weeks = [traffic(480, 8 - i, silence=timedelta(hours=each)) for i, each in enumerate(HOURS)]
    found = operations(given(now, weeks if before is None else before, settings))
    return next(result for result in found if result.metric == metric)


def test_a_silence_as_long_as_every_week_is_in_order():
    result = judged("longest_silence", traffic(480, silence=timedelta(hours=5)))
    assert (result.value, result.decided()) == (18_000, "ok")
    assert result.message == (
        "longest time without a row: 5h, from 2024-04-01T12:00Z to 2024-04-01T17:00Z (5h is usual at this time of the "
        "week; alarm above 10h)"
    )


def test_a_longer_one_is_an_alarm_with_its_times():
    result = judged("longest_silence", traffic(480, silence=timedelta(hours=11, minutes=30)))
    assert (result.decided(), result.detail["from"]) == ("alarm", "2024-04-01T12:00Z")
    assert result.message == (
        "no row for 11h30m, from 2024-04-01T12:00Z to 2024-04-01T23:30Z (5h is usual at this time of the week; alarm "
        "above 10h)"
    )


def test_the_longest_that_the_file_allows_counts_more():
    result = judged("longest_silence", traffic(480, silence=timedelta(hours=5)), settings="{maximum_silence: 4h}")
    assert (result.decided(), result.threshold_upper) == ("alarm", 14_400)
    assert result.message.endswith("(alarm above 4h)")
    assert judged("freshness", traffic(480), settings="{maximum_silence: 4h}").threshold_upper == 14_400


def test_of_a_few_rows_a_long_silence_is_no_surprise():
    weeks = [traffic(4, 8 - i, silence=timedelta(hours=each)) for i, each in enumerate(HOURS)]
    result = judged("longest_silence", traffic(4, silence=timedelta(hours=11, minutes=30)), weeks)
    assert result.decided() == "ok"
    assert result.threshold_upper == pytest.approx(86_400 * (1 - (0.0005 / 5) ** 0.25))


def test_of_too_few_earlier_weeks_nothing_is_said():
    result = judged("longest_silence", traffic(480), [traffic(480, 1)])
    assert (result.decided(), result.threshold_upper) == ("info", None)
    assert result.message.endswith("with too few to compare: 1 earlier window of this time of the week, 4 are needed")


def test_rows_that_stopped_before_the_end():
    fresh = judged("freshness", traffic(480))
    assert (fresh.value, fresh.decided()) == (300, "ok")
    assert fresh.message.startswith("rows came until 2024-04-01T23:55Z, 5m before the window's end (5m is usual at ")
    stale = judged("freshness", traffic(480, last=timedelta(hours=3)))
    assert (stale.value, stale.decided()) == (10_800, "alarm")
    assert stale.message.startswith("rows came only until 2024-04-01T21:00Z, 3h before the window's end (5m is ")


def test_a_window_without_rows_is_one_silence_and_has_no_last_row():
    silence = judged("longest_silence", traffic(0))
    assert (silence.value, silence.decided()) == (86_400, "alarm")
    fresh = judged("freshness", traffic(0))
    assert (fresh.value, fresh.status, fresh.message) == (None, "insufficient_data", "no rows")
    closed = [traffic(0, week) for week in range(8, 0, -1)]
    assert judged("longest_silence", traffic(0), closed).decided() == "ok"


def test_where_times_are_dates_there_is_no_row():
    day = Traffic(WINDOW, 480)
    found = {result.metric for result in operations(given(day))}
    assert found.isdisjoint({"longest_silence", "freshness"})
    assert "throughput" in found


def test_silences_within_a_minute_are_not_seen_and_two_minutes_are_no_alarm():
    """The silence of a busy log is known to the minute only, so that fifty times a usual second is not."""

    def busy(week: int, seconds: int) -> Traffic:
        of = traffic(10**6, week, silence=timedelta(seconds=seconds), last=timedelta(seconds=1))
        return replace(of, first=of.window.start + timedelta(seconds=1))

    weeks = [busy(8 - i, 2) for i in range(8)]
    assert judged("longest_silence", busy(0, 100), weeks).decided() == "ok"
    assert judged("longest_silence", busy(0, 1800), weeks).decided() == "alarm"


def test_silences_that_differ_from_week_to_week_leave_room_for_more():
    """Half an hour to four hours: nine hours are more than twice the median, and more than chance makes evenly."""
    hours = (0.5, 4.0, 1.0, 2.0, 0.6, 3.5, 1.2, 2.8)
    weeks = [traffic(480, 8 - i, silence=timedelta(hours=each)) for i, each in enumerate(hours)]
    assert judged("longest_silence", traffic(480, silence=timedelta(hours=9)), weeks).decided() == "ok"
    assert judged("longest_silence", traffic(480, silence=timedelta(hours=9))).decided() == "ok"
    steady = [traffic(480, 8 - i, silence=timedelta(hours=2)) for i in range(8)]
    assert judged("longest_silence", traffic(480, silence=timedelta(hours=9)), steady).decided() == "alarm"


def test_weeks_without_rows_count_for_freshness_too():
    weeks = [traffic(480 if week < 3 else 0, week) for week in range(8, 0, -1)]
    assert judged("freshness", traffic(480, last=timedelta(hours=3)), weeks).detail["usual"] == 86_400


def test_between_fewer_rows_chance_makes_longer_silences():
    """That they are fewer is for `rows` to say."""
    weeks = [traffic(40, 8 - i, silence=timedelta(hours=each)) for i, each in enumerate((2.0, 2.1) * 4)]
    bounds = [judged("longest_silence", traffic(rows), weeks).threshold_upper for rows in (9, 30, 60)]
    assert bounds == pytest.approx([86_400 * (1 - (0.0005 / (n + 1)) ** (1 / n)) for n in (20, 30, 40)])
    # Where half of the time is lost, that stays an alarm.
    assert judged("longest_silence", traffic(20, silence=timedelta(hours=12)), weeks).decided() == "alarm"


@pytest.mark.parametrize("weeks", [5, 7, 8])
def test_a_shop_that_opens_every_other_week_is_as_silent_as_usual(weeks):
    before = [traffic(480 if week % 2 else 0, week) for week in range(weeks, 0, -1)]
    assert judged("longest_silence", traffic(0), before).decided() == "ok"
    early = [traffic(480, week, last=timedelta(minutes=5 if week % 2 else 600)) for week in range(weeks, 0, -1)]
    assert judged("freshness", traffic(480, last=timedelta(hours=10)), early).decided() == "ok"


def drawn(rng: np.random.Generator, week: int, rows: int, shape: str) -> Traffic:
    shift = timedelta(weeks=week)
    window = Window(WINDOW.start - shift, WINDOW.end - shift)
    hours = {
        "even": lambda n: rng.random(n) * 24,
        "opening hours": lambda n: 8 + 10 * rng.beta(2, 2, n),
        "bursts": lambda n: np.repeat(rng.random(max(n // 20, 1)) * 24, 20),
    }[shape](rng.poisson(rows))
    times = np.sort(np.minimum((hours * 3600).astype(int), 86_399))
    starts, first, counts = np.unique(times // 60, return_index=True, return_counts=True)
    at = [window.start + timedelta(seconds=int(second)) for second in times]
    minutes = [
        (window.start + timedelta(minutes=int(start)), int(n), at[i], at[i + n - 1])
        for start, i, n in zip(starts, first, counts, strict=True)
    ]
    return replace(traffic_of(window, minutes))


@pytest.mark.integration
@pytest.mark.parametrize("shape", ["even", "opening hours", "bursts"])
@pytest.mark.parametrize("rows", [20, 300])
def test_silences_of_rows_that_come_as_they_did_are_in_order(shape, rows):
    rng = np.random.default_rng(rows)
    alarms = 0
    for _ in range(250):
        before = [drawn(rng, week, rows, shape) for week in range(8, 0, -1)]
        context = given(drawn(rng, 0, rows, shape), before)
        found = {result.metric: result.decided() for result in operations(context)}
        alarms += "alarm" in (found["longest_silence"], found["freshness"])
    assert alarms <= 2  # 1 % asked for of the whole check, a tenth of it of these two


@pytest.mark.parametrize(
    ("expected", "status", "value", "message"),
    [
        ({"rows": 480, "missing": 0}, "ok", 1.0, "480 of 480 expected rows came: 100 % (alarm below 100 %)"),
        (
            {"rows": 500, "missing": 20, "examples": ("a1", "a2", "b 3")},
            "alarm",
            0.96,
            "480 of 500 expected rows came: 96 % (alarm below 100 %); missing: a1, a2, b 3 and 17 more",
        ),
        (
            {"rows": 1, "missing": 1, "examples": ("a1",)},
            "alarm",
            0.0,
            "0 of 1 expected row came: 0 % (alarm below 100 %); missing: a1",
        ),
        ({"rows": 500}, "alarm", 0.96, "480 of 500 expected rows came: 96 % (alarm below 100 %)"),
        ({"rows": 470}, "ok", 1.0, "all of 470 expected rows came, and 10 more"),
        ({"rows": 0}, "info", None, "no row was expected, 480 came"),
        ({"unreadable": "table 'asked' is not there"}, "error", None, "table 'asked' is not there"),
        ({}, "insufficient_data", None, "it is not known how many rows were expected"),
    ],
)
def test_completeness(expected, status, value, message):
    from monitoring_tasks.traffic import Expected

    result = judged("completeness", traffic(480, expected=Expected(**expected)))
    assert (result.decided(), result.value, result.message) == (status, value, message)


def test_completeness_may_be_less_if_the_file_says_so():
    from monitoring_tasks.traffic import Expected

    now = traffic(480, expected=Expected(500, 20, ("a1",)))
    assert judged("completeness", now, settings="{minimum_completeness: 0.95}").decided() == "ok"
