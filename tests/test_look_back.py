"""Which earlier windows a window is compared with, by the calendar alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring_tasks.look_back import SOME, LookBack, look_back_start
from monitoring_tasks.window import Window, parse_instant
from tests import inference_log

NEW_YORK = "America/New_York"
YEAR = "{start: 2023-01-01, end: 2024-03-01}"


def looking(baseline: str, schedule: str = "@daily", timezone: str = NEW_YORK, period: str = YEAR):
    return inference_log.monitor(
        baseline=f"{{period: {period}, {baseline}}}", schedule=f'"{schedule}"\ntimezone: {timezone}'
    )


def window(monitor, start: str) -> Window:
    """Return the window of the schedule that begins then, on the wall clock."""
    begins = parse_instant(start, monitor.schedule.timezone)
    found = monitor.schedule.windows(begins, begins + timedelta(days=8))
    assert found[0].start == begins
    return found[0]


def before(monitor, start: str) -> tuple[Window, ...]:
    of = window(monitor, start)
    return LookBack(monitor, [of]).before(of)


def clock(instant: datetime) -> str:
    return instant.astimezone(ZoneInfo(NEW_YORK)).strftime("%a %d %b %H:%M")


def test_a_rolling_baseline_is_all_windows_just_before():
    monitor = looking("rolling: 7d")
    found = before(monitor, "2024-04-01")
    assert [clock(each.start) for each in found] == [
        *("Mon 25 Mar 00:00", "Tue 26 Mar 00:00", "Wed 27 Mar 00:00", "Thu 28 Mar 00:00", "Fri 29 Mar 00:00"),
        *("Sat 30 Mar 00:00", "Sun 31 Mar 00:00"),
    ]
    assert found[-1].end == window(monitor, "2024-04-01").start


@pytest.mark.parametrize("start", ["2024-03-11", "2024-03-20", "2023-11-06", "2023-11-20", "2024-07-01"])
def test_days_of_the_look_back_are_those_of_the_time_zone(start):
    """28 days are 28 windows, although in one of them the clocks changed."""
    found = before(looking("rolling: 28d"), start)
    assert len(found) == 28
    assert sum((each.length for each in found), timedelta()) != timedelta(days=28) or start == "2024-07-01"


def test_hours_of_the_look_back_are_elapsed_time():
    zone = ZoneInfo(NEW_YORK)
    end = datetime(2024, 3, 10, 12, tzinfo=zone)
    assert look_back_start(end, timedelta(hours=12), NEW_YORK) == datetime(2024, 3, 9, 23, tzinfo=zone)
    assert look_back_start(end, timedelta(hours=24), NEW_YORK) == datetime(2024, 3, 9, 12, tzinfo=zone)
    assert look_back_start(end, timedelta(weeks=200_000), NEW_YORK) == datetime(1, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("season", "schedule", "start", "expected"),
    [
        # Over the change of 10 March the hour is that of the wall clock, not 24 or 168 hours ago.
        (
            "{by: hour_of_week, over: 4w}",
            "@hourly",
            "2024-03-13T09:00",
            ["Wed 14 Feb 09:00", "Wed 21 Feb 09:00", "Wed 28 Feb 09:00", "Wed 06 Mar 09:00"],
        ),
        (
            "{by: hour_of_day, over: 3d}",
            "@hourly",
            "2024-03-11T03:00",
            ["Fri 08 Mar 03:00", "Sat 09 Mar 03:00", "Sun 10 Mar 03:00"],
        ),
        # 02:00 did not exist on 10 March.
        ("{by: hour_of_day, over: 3d}", "@hourly", "2024-03-11T02:00", ["Fri 08 Mar 02:00", "Sat 09 Mar 02:00"]),
        # Over that of 5 November, when 01:00 came twice.
        (
            "{by: hour_of_week, over: 3w}",
            "@hourly",
            "2023-11-12T01:00",
            ["Sun 22 Oct 01:00", "Sun 29 Oct 01:00", "Sun 05 Nov 01:00", "Sun 05 Nov 01:00"],
        ),
        (
            "{by: hour_of_week, over: 3w}",
            "@hourly",
            "2023-11-12T00:00",
            ["Sun 22 Oct 00:00", "Sun 29 Oct 00:00", "Sun 05 Nov 00:00"],
        ),
        (
            "{by: hour_of_week, over: 3w}",
            "@hourly",
            "2023-11-08T09:00",
            ["Wed 18 Oct 09:00", "Wed 25 Oct 09:00", "Wed 01 Nov 09:00"],
        ),
        (
            "{by: day_of_week, over: 3w}",
            "@daily",
            "2024-03-13",
            ["Wed 21 Feb 00:00", "Wed 28 Feb 00:00", "Wed 06 Mar 00:00"],
        ),
        (
            "{by: hour_of_week, over: 3w}",
            "@daily",
            "2024-03-13",
            ["Wed 21 Feb 00:00", "Wed 28 Feb 00:00", "Wed 06 Mar 00:00"],
        ),
        # All windows of the weekday, those of the day itself too.
        (
            "{by: day_of_week, over: 1w}",
            "8h",
            "2024-03-13T16:00",
            ["Wed 06 Mar 16:00", "Wed 13 Mar 00:00", "Wed 13 Mar 08:00"],
        ),
        # Only the windows of working days are daily; Friday's lasts until Monday.
        (
            "{by: day_of_week, over: 3w}",
            "0 0 * * 1-5",
            "2024-03-15",
            ["Fri 23 Feb 00:00", "Fri 01 Mar 00:00", "Fri 08 Mar 00:00"],
        ),
    ],
)
def test_a_season_is_the_same_place_on_the_wall_clock(season, schedule, start, expected):
    found = before(looking(f"seasonal: {season}", schedule), start)
    assert [clock(each.start) for each in found] == expected


def test_nothing_before_the_period_is_looked_at_and_with_a_table_nothing_before_the_start():
    monitor = looking("rolling: 28d", period="{start: 2024-03-01, end: 2024-03-21}")
    assert [clock(each.start) for each in before(monitor, "2024-03-03")] == ["Fri 01 Mar 00:00", "Sat 02 Mar 00:00"]
    assert before(monitor, "2024-03-01") == before(monitor, "2024-02-01") == ()
    table = inference_log.monitor(baseline="{table: training, rolling: 28d}")
    assert [each.start.day for each in before(table, "2024-03-23")] == [21, 22]
    assert before(table, "2024-03-21") == ()


def test_the_windows_before_come_with_their_own_the_latest_first():
    monitor = looking("rolling: 7d")
    of = window(monitor, "2024-04-01")
    days = ["2024-03-31", "2024-03-30", "2024-03-29", "2024-03-28", "2024-03-27", "2024-03-26", "2024-03-25"]
    assert LookBack(monitor, [of]).before_some(of) == tuple(before(monitor, day) for day in days)
    season = looking("seasonal: {by: hour_of_week, over: 3w}", "@hourly")
    of = window(season, "2024-04-01T07:00")
    days = ["2024-03-25T07:00", "2024-03-18T07:00", "2024-03-11T07:00"]
    assert LookBack(season, [of]).before_some(of) == tuple(before(season, day) for day in days)
    young = looking("rolling: 7d", period="{start: 2024-03-01, end: 2024-03-21}")
    of = window(young, "2024-03-01")
    assert LookBack(young, [of]).before_some(of) == ()


def test_windows_of_the_period_are_not_asked_what_they_were_compared_with():
    """The first days of a month differ from all of it, but they are the baseline."""
    monitor = looking("rolling: 7d")
    of = window(monitor, "2024-03-03")
    assert LookBack(monitor, [of]).before_some(of) == (before(monitor, "2024-03-02"), before(monitor, "2024-03-01"))


def test_of_many_windows_before_some_evenly_back_to_the_earliest():
    monitor = looking("rolling: 7d", "@hourly")
    of = window(monitor, "2024-04-20")
    found = LookBack(monitor, [of]).before_some(of)
    assert len(found) == SOME == 28
    assert [each[-1].end for each in found] == [of.start - timedelta(hours=1 + 6 * number) for number in range(28)]


BASELINES = st.sampled_from(
    [
        ("rolling: 3d", "8h"),
        ("rolling: 30h", "8h"),
        ("rolling: 9d", "@daily"),
        ("rolling: 5w", "@weekly"),
        ("seasonal: {by: hour_of_day, over: 4d}", "8h"),
        ("seasonal: {by: day_of_week, over: 3w}", "8h"),
        ("seasonal: {by: hour_of_week, over: 3w}", "@daily"),
    ]
)


@given(BASELINES, st.sampled_from(["2023-03-01", "2023-10-20", "2024-02-20"]), st.integers(0, 20), st.integers(1, 40))
def test_law_2_what_is_looked_at_does_not_depend_on_the_windows_of_the_run(which, start, first, number):
    """And is bounded, whole windows of the schedule, and ends before the window."""
    monitor = looking(*which)
    begins = parse_instant(start, NEW_YORK)
    windows = monitor.schedule.windows(begins, begins + timedelta(days=200))[first : first + number]
    together = LookBack(monitor, windows)
    longest = timedelta(weeks=5, hours=1)
    for each in (windows[0], windows[-1]):
        alone = LookBack(monitor, [each])
        looked = alone.before(each)
        assert looked == together.before(each)
        assert alone.before_some(each) == together.before_some(each)
        assert {window for looks in (looked, *alone.before_some(each)) for window in looks} <= {
            window for looks in alone.looks(each) for window in looks
        }
        assert all(each.start - longest <= earlier.start and earlier.end <= each.start for earlier in looked)
        assert set(looked) <= set(monitor.schedule.windows(each.start - longest, each.start))


def test_a_window_that_is_not_of_the_run_and_a_fixed_baseline_are_refused():
    monitor = looking("rolling: 7d")
    days = monitor.schedule.windows(parse_instant("2024-04-01", NEW_YORK), parse_instant("2024-04-05", NEW_YORK))
    with pytest.raises(ValueError, match="2024-03-31T04:00Z/2024-04-01T04:00Z is not among the windows"):
        LookBack(monitor, days).before(window(monitor, "2024-03-31"))
    with pytest.raises(ValueError, match="the baseline of monitor 'loans' does not move"):
        LookBack(inference_log.monitor(), days)


def test_bands_look_at_all_windows_of_the_longest_whatever_the_baseline_is():
    checks = "{data_drift: {band: {psi: {over: 14d}}}, prediction_drift: {band: {psi: {over: 21d}}}}"
    monitor = inference_log.monitor(checks, baseline=f"{{period: {YEAR}, seasonal: {{by: day_of_week, over: 4w}}}}")
    days = monitor.schedule.windows(parse_instant("2024-04-01", "UTC"), parse_instant("2024-04-04", "UTC"))
    assert monitor.band_over == timedelta(days=21)
    back = LookBack(monitor, days, monitor.band_over)
    for each in days:
        assert back.looks(each) == (back.before(each),)
        assert back.before(each) == monitor.schedule.windows(each.start - timedelta(days=21), each.start)
    assert back.reach == days[0].start - timedelta(days=21)
    assert inference_log.monitor("{data_drift: off, prediction_drift: off}").band_over is None
