"""Windows and schedules, held against Airflow's own timetable."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring_tasks.errors import ConfigError
from monitoring_tasks.window import (
    PRESETS,
    Schedule,
    Window,
    begins_day,
    first_date,
    format_instant,
    parse_duration,
    parse_instant,
    parse_schedule,
)

EXPRESSIONS = {  # and the days on both sides of a change of clocks that show enough of their windows
    "*/10 * * * *": 1,
    "0 * * * *": 2,
    "0 */2 * * *": 3,
    "15 */6 * * *": 5,
    "0 0 * * *": 20,
    "30 1 * * *": 20,
    "30 2 * * *": 20,
    "0 0 * * 1": 20,
    "0 0 1,15 * *": 40,
    "0 9-17 * * mon-fri": 5,
}
CHANGES = {
    "UTC": ("2013-03-10", "2013-11-03"),
    "America/New_York": ("2013-03-10", "2013-11-03"),
    "Europe/Berlin": ("2013-03-31", "2013-10-27"),
    "America/Sao_Paulo": ("2013-02-17", "2013-10-20"),
    "Asia/Kolkata": ("2013-03-10", "2013-11-03"),
}
NEW_YEAR = datetime(2013, 1, 1)  # noqa: DTZ001  a wall clock of no zone
HALF_AN_HOUR = "Australia/Lord_Howe"
"""Its clocks change by half an hour, which Airflow's timetable refuses to pass in an hourly schedule."""


@pytest.mark.integration
@pytest.mark.parametrize(("zone", "change"), [(zone, day) for zone, days in CHANGES.items() for day in days])
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_windows_are_the_data_intervals_of_airflow(expression: str, zone: str, change: str) -> None:
    pytest.importorskip("airflow", reason="Airflow's timetable is the oracle")
    import pendulum
    from airflow.timetables.base import TimeRestriction
    from airflow.timetables.interval import CronDataIntervalTimetable

    middle = datetime.fromisoformat(change).replace(hour=3, minute=7, tzinfo=UTC)
    start, end = (middle + days * timedelta(days=EXPRESSIONS[expression]) for days in (-1, 1))
    timetable = CronDataIntervalTimetable(expression, zone)
    restriction = TimeRestriction(earliest=pendulum.instance(start), latest=pendulum.instance(end), catchup=True)
    expected: list[tuple[datetime, datetime]] = []
    interval = None
    while info := timetable.next_dagrun_info(last_automated_data_interval=interval, restriction=restriction):
        interval = info.data_interval
        if interval.end > end:
            break
        expected.append((interval.start, interval.end))
    assert [(window.start, window.end) for window in Schedule(expression, zone).windows(start, end)] == expected
    assert expected


@given(
    expression=st.sampled_from(list(EXPRESSIONS)),
    zone=st.sampled_from([*CHANGES, HALF_AN_HOUR]),
    start=st.datetimes(NEW_YEAR, NEW_YEAR.replace(year=2014), timezones=st.just(UTC)),
    length=st.timedeltas(timedelta(0), timedelta(days=5)),
)
@settings(deadline=None, max_examples=60)
def test_windows_touch_and_fill_the_period(expression: str, zone: str, start: datetime, length: timedelta) -> None:
    schedule = Schedule(expression, zone)
    windows = schedule.windows(start, start + length)
    assert all(before.end == after.start for before, after in pairwise(windows))
    assert all(start <= window.start < window.end <= start + length for window in windows)
    assert all(window.start.tzinfo is UTC and window.end.tzinfo is UTC for window in windows)
    if windows:  # any part of them, asked for alone, is the same windows
        middle = windows[len(windows) // 2]
        assert schedule.windows(middle.start, middle.end) == (middle,)
        assert schedule.windows(middle.start, windows[-1].end) == windows[len(windows) // 2 :]


def test_days_of_a_zone_have_23_and_25_hours_when_the_clocks_change() -> None:
    days = Schedule("0 0 * * *", "Europe/Berlin")
    hours = {
        window.length / timedelta(hours=1)
        for window in days.windows(datetime(2013, 1, 1, tzinfo=UTC), datetime(2014, 1, 1, tzinfo=UTC))
    }
    assert hours == {23, 24, 25}


def test_hours_are_all_there_when_the_clocks_change() -> None:
    hours = Schedule("0 * * * *", "Europe/Berlin")
    year = hours.windows(datetime(2013, 1, 1, tzinfo=UTC), datetime(2014, 1, 1, tzinfo=UTC))
    assert len(year) == 365 * 24
    assert {window.length for window in year} == {timedelta(hours=1)}


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("every day", "schedule 'every day' is not a cron expression"),
        ("0 0 * *", "schedule '0 0 \\* \\*' is not a cron expression"),
        ("0 0 0 * * *", "has 6 fields: write five"),
        ("61 * * * *", "schedule '61 \\* \\* \\* \\*' is not a cron expression"),
        ("* * * * *", "makes windows of 1 minutes: the shortest is 10 minutes"),
        ("0,55 * * * *", "makes windows of 5 minutes: the shortest is 10 minutes"),
        ("0 0 30 2 *", "schedule '0 0 30 2 \\*' never ticks: there is no such date"),
        ("0 0 31 4,6,9,11 *", "never ticks: there is no such date"),
        ("R * * * *", "schedule 'R \\* \\* \\* \\*' is not a cron expression: R and H are drawn at random"),
        ("R(0-10) 0 * * *", "is not a cron expression: R and H are drawn at random"),
        ("0 h * * *", "is not a cron expression: R and H are drawn at random"),
    ],
)
def test_a_schedule_that_makes_no_windows_is_refused(expression: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Schedule(expression)


@pytest.mark.parametrize("expression", ["0 0 29 2 *", "0 0 * mar thu", "0 0 l * *", "0 0 * * fri#1"])
def test_a_rare_or_named_tick_is_no_mistake(expression: str) -> None:
    windows = Schedule(expression).windows(datetime(2000, 1, 1, tzinfo=UTC), datetime(2013, 1, 1, tzinfo=UTC))
    assert len(windows) >= 3


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(ConfigError, match="'Europe/Berln' is not a time zone: write an IANA name"):
        Schedule("0 0 * * *", "Europe/Berln")


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        *PRESETS.items(),
        ("10m", "*/10 * * * *"),
        ("30m", "*/30 * * * *"),
        ("60m", "0 * * * *"),
        ("1h", "0 * * * *"),
        ("6h", "0 */6 * * *"),
        ("24h", "0 0 * * *"),
        ("1d", "0 0 * * *"),
        (" 0  6 * * 1 ", "0 6 * * 1"),
    ],
)
def test_a_schedule_is_read(text: str, expression: str) -> None:
    assert parse_schedule(text, "Europe/Berlin") == Schedule(expression, "Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("@fortnightly", "'@fortnightly' is not a preset: write one of @hourly, @daily"),
        ("5m", "'5m' is too short: the shortest window is 10 minutes"),
        ("0m", "'0m' is too short"),
        ("7h", "'7h' divides neither an hour nor a day"),
        ("11m", "'11m' divides neither"),
        ("2d", "'2d' divides neither"),
        ("1w", "'1w' divides neither .* '0 0 \\* \\* 1' for weeks"),
        ("daily", "'daily' is not a duration: write a number and a unit"),
        ("", "'' is not a duration"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_schedule(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0s", timedelta(0)),
        ("90s", timedelta(seconds=90)),
        ("15m", timedelta(minutes=15)),
        ("36h", timedelta(hours=36)),
        ("1d12h", timedelta(hours=36)),
        (" 8w ", timedelta(weeks=8)),
    ],
)
def test_a_duration_is_read(text: str, expected: timedelta) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize("text", ["", "1", "h", "1 h", "-1d", "1.5h", "1y", "1H", "1d 12h", "١d1"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="is not a duration: write a number and a unit, such as 30m"):
        parse_duration(text)


@pytest.mark.parametrize("timezone", ["UTC", "America/New_York", "Asia/Tokyo", "Pacific/Auckland"])
@pytest.mark.parametrize("schedule", ["@daily", "6h", "@yearly", "0 0 29 2 *"])
@pytest.mark.parametrize(("start", "end"), [("0001-01-01", "0001-01-03"), ("9999-12-29", "9999-12-31T23:59:59")])
def test_the_ends_of_the_calendar_are_refused_by_name(start, end, schedule, timezone):
    """West of UTC the clocks show the year 0 on its first day, and east of it the year 10000 on its last."""
    with pytest.raises(ConfigError, match=r"(0001-01-01|9999-12-31)T.* (beyond the calendar's|between the) years 1 "):
        parse_schedule(schedule, timezone).windows(parse_instant(start, timezone), parse_instant(end, timezone))


@pytest.mark.parametrize("text", ["99999999999999d", "999999999d1d", "9" * 400 + "s", "9" * 5000 + "w"])
def test_a_duration_beyond_all_time_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="is longer than time can be counted"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("value", "zone", "expected"),
    [
        ("2013-04-01", "UTC", datetime(2013, 4, 1, tzinfo=UTC)),
        ("2013-04-01", "America/New_York", datetime(2013, 4, 1, 4, tzinfo=UTC)),
        ("2013-04-01T06:00", "Europe/Berlin", datetime(2013, 4, 1, 4, tzinfo=UTC)),
        ("2013-04-01T06:00Z", "Europe/Berlin", datetime(2013, 4, 1, 6, tzinfo=UTC)),
        ("2013-04-01T06:00+05:30", "UTC", datetime(2013, 4, 1, 0, 30, tzinfo=UTC)),
        (date(2013, 4, 1), "America/New_York", datetime(2013, 4, 1, 4, tzinfo=UTC)),
        (NEW_YEAR.replace(month=4, hour=6), "America/New_York", datetime(2013, 4, 1, 10, tzinfo=UTC)),
        ("2013-03-10T02:30", "America/New_York", datetime(2013, 3, 10, 7, 30, tzinfo=UTC)),  # skipped: 03:30
        ("2013-11-03T01:30", "America/New_York", datetime(2013, 11, 3, 5, 30, tzinfo=UTC)),  # twice: the first
    ],
)
def test_an_instant_is_read_in_its_zone(value: str | date, zone: str, expected: datetime) -> None:
    assert parse_instant(value, zone) == expected
    assert parse_instant(value, zone).tzinfo is UTC


@pytest.mark.parametrize("value", ["", "yesterday", "2013-02-30", "01.04.2013", "2013-04-01T25:00"])
def test_what_is_no_instant_is_refused(value: str) -> None:
    with pytest.raises(ConfigError, match="is not a date or time: write 2013-04-01"):
        parse_instant(value, "UTC")


@pytest.mark.parametrize(
    ("value", "zone"),
    [
        ("0001-01-01", "Asia/Tokyo"),
        ("9999-12-31T23:00", "America/New_York"),
        ("0001-01-01T00:00+10:00", "UTC"),
        (date(1, 1, 1), "Asia/Tokyo"),
    ],
)
def test_an_instant_beyond_the_calendar_is_refused(value: str | date, zone: str) -> None:
    with pytest.raises(ConfigError, match="is not a date or time between the years 1 and 9999"):
        parse_instant(value, zone)


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (NEW_YEAR, datetime(2013, 4, 2, tzinfo=UTC), "`start` must have a time zone, not 2013-01-01T"),
        (datetime(2013, 4, 1, tzinfo=UTC), datetime(2013, 4, 1, tzinfo=UTC), "a window must end after it starts"),
        (datetime(2013, 4, 2, tzinfo=UTC), datetime(2013, 4, 1, tzinfo=UTC), "a window must end after it starts"),
    ],
)
def test_a_window_without_time_in_it_is_refused(start: datetime, end: datetime, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Window(start, end)


@pytest.mark.parametrize(
    ("zone", "first"),
    [
        ("America/New_York", date(2013, 3, 5)),
        ("America/New_York", date(2013, 10, 29)),
        ("America/Sao_Paulo", date(2017, 10, 10)),  # 15 October began at one o'clock
        ("America/Sao_Paulo", date(2018, 2, 13)),  # 17 February had a second hour before midnight
        ("America/Havana", date(2013, 10, 29)),  # 3 November had two midnights
    ],
)
def test_every_daily_window_begins_the_day_of_its_date(zone: str, first: date) -> None:
    start = parse_instant(first, zone)
    days = Schedule("0 0 * * *", zone).windows(start, start + timedelta(days=10))
    assert len(days) >= 9
    for i, window in enumerate(days):
        assert begins_day(window.start, zone)
        assert first_date(window.start, zone) == first + timedelta(days=i)
        for later in (timedelta(microseconds=1), timedelta(hours=4), timedelta(hours=22)):
            assert first_date(window.start + later, zone) == first + timedelta(days=i + 1)


@pytest.mark.parametrize(
    ("expression", "whole"),
    [
        ("0 0 * * *", True),
        ("00 0 1,15 * mon", True),
        ("0 0,12 * * *", False),
        ("0 6 * * *", False),
        ("30 0 * * *", False),
        ("0 * * * *", False),
    ],
)
def test_a_schedule_of_whole_days_ticks_at_midnight_only(expression: str, whole: bool) -> None:
    assert Schedule(expression).of_whole_days is whole


@given(st.datetimes(timezones=st.just(UTC)), st.timedeltas(timedelta(microseconds=1), timedelta(days=1)))
def test_a_window_survives_being_written(start: datetime, length: timedelta) -> None:
    if start > datetime(9999, 12, 30, tzinfo=UTC):
        return
    window = Window(start, start + length)
    assert Window.parse(*str(window).split("/")) == window
    assert parse_instant(format_instant(start), "America/New_York") == start


@pytest.mark.parametrize(
    ("start", "end", "overlaps", "holds"),
    [
        (0, 1, False, False),
        (0, 2, True, False),
        (1, 2, True, True),
        (1, 3, True, True),
        (2, 4, True, False),
        (0, 4, True, False),
        (3, 4, False, False),
    ],
)
def test_windows_are_half_open(start, end, overlaps, holds):
    """The first instant after one is not inside it."""
    days = [datetime(2024, 3, 1 + number, tzinfo=UTC) for number in range(5)]
    outer, other = Window(days[1], days[3]), Window(days[start], days[end])
    assert (outer.overlaps(other), other.overlaps(outer), outer.holds(other)) == (overlaps, overlaps, holds)
