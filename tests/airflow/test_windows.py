import doctest
from datetime import UTC, datetime, timedelta

import pendulum
import pytest
from airflow.timetables.base import TimeRestriction
from airflow.timetables.interval import CronDataIntervalTimetable
from hypothesis import given
from hypothesis import strategies as st

from monitoring_tasks.airflow import windows as windows_module
from monitoring_tasks.airflow.windows import latest_window, windows_of_run
from monitoring_tasks.errors import ConfigError
from monitoring_tasks.window import PRESETS, Schedule, Window

DAYS = Schedule("0 0 * * *", "America/New_York")
NOON = datetime(2013, 4, 15, 12, tzinfo=UTC)
DAY = Window.parse("2013-04-14T04:00", "2013-04-15T04:00")


def resolve(run_type="manual", interval=None, run_after=NOON, schedule=DAYS, **params):
    return windows_of_run(schedule, run_type=run_type, interval=interval, run_after=run_after, params=params, now=NOON)


def airflow_windows(schedule, start, end):
    timetable = CronDataIntervalTimetable(schedule.expression, schedule.timezone)
    restriction = TimeRestriction(earliest=pendulum.instance(start), latest=pendulum.instance(end), catchup=True)
    windows, last = [], None
    while True:
        run = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)
        if run is None or run.data_interval.end > end:
            return tuple(windows)
        last = run.data_interval
        windows.append(Window(last.start, last.end))


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kathmandu"])
@pytest.mark.parametrize(
    "expression",
    ["0 0 * * *", "*/10 * * * *", "0 * * * *", "0 */2 * * *", "30 1 * * *", "30 2 * * *", "0 0 * * 1", "0 0 1 * *"],
)
@pytest.mark.parametrize("day", ["2013-03-08T03:07", "2013-03-29T00:00", "2013-10-18T22:00", "2013-11-01T01:00"])
def test_windows_are_the_timetables_intervals_over_clock_changes(zone, expression, day):
    start = datetime.fromisoformat(day).replace(tzinfo=UTC)
    end = start + timedelta(days=3 if expression.startswith("*/") else 33)
    schedule = Schedule(expression, zone)
    windows = schedule.windows(start, end)
    assert windows == airflow_windows(schedule, start, end)
    assert windows or expression == "0 0 1 * *"


def test_scheduled_and_backfill_runs_are_their_interval_whatever_the_parameters():
    for run_type in ("scheduled", "backfill"):
        windows = resolve(run_type, (DAY.start, DAY.end), window_start="2012-01-01", window_end="2012-01-02")
        assert windows == (DAY,)


def test_manual_run_with_parameters_is_every_whole_window_between_them():
    windows = resolve(
        interval=(DAY.start, DAY.end), window_start="2013-04-01T04:00:00Z", window_end="2013-04-04T03:59:59+00:00"
    )
    assert [str(window.start.date()) for window in windows] == ["2013-04-01", "2013-04-02"]


def test_times_without_a_zone_are_read_in_the_monitors():
    assert resolve(window_start="2013-04-14", window_end="2013-04-15T00:00") == (DAY,)


def test_manual_run_without_parameters_is_its_interval_or_the_latest_complete_window():
    earlier = Window.parse("2013-04-01T04:00", "2013-04-02T04:00")
    assert resolve(interval=(earlier.start, earlier.end)) == (earlier,)
    assert resolve(window_start=None, window_end=None) == (DAY,)
    assert resolve(interval=(NOON, NOON)) == (DAY,)


def test_a_run_older_than_the_present_schedule_is_the_windows_inside():
    hours = Schedule("0 * * * *", "America/New_York")
    windows = resolve("scheduled", (DAY.start, DAY.end), schedule=hours)
    assert len(windows) == 24
    assert (windows[0].start, windows[-1].end) == (DAY.start, DAY.end)


@pytest.mark.parametrize(
    ("params", "text"),
    [
        (
            {"window_start": "2013-04-14"},
            "window_start '2013-04-14' and window_end None go together: give both, or neither",
        ),
        (
            {"window_start": "2013-04-14", "window_end": "2013-04-14T23:00"},
            "window_start to window_end is 2013-04-14T04:00Z to 2013-04-15T03:00Z: no whole window of the schedule "
            "'0 0 * * *' (America/New_York) lies inside; one nearby is 2013-04-13T04:00Z/2013-04-14T04:00Z",
        ),
        ({"window_start": "2013-04-15", "window_end": "2013-04-01"}, "no whole window"),
        (
            {"window_start": "2013-04-13", "window_end": "2013-04-17"},
            "window_start to window_end: window 2013-04-15T04:00Z/2013-04-16T04:00Z has not ended yet, it is "
            "2013-04-15T12:00Z: choose a period that ends by 2013-04-15T04:00Z",
        ),
        ({"window_start": "yesterday", "window_end": "today"}, "'yesterday' is not a date or time"),
    ],
)
def test_unusable_parameters_say_what_to_give(params, text):
    with pytest.raises(ConfigError) as error:
        resolve(**params)
    assert text in str(error.value)


@given(
    st.sampled_from([*PRESETS.values(), "*/10 * * * *", "15 */6 * * *"]),
    st.sampled_from(["UTC", "America/New_York", "Europe/Berlin"]),
    st.integers(1_325_376_000, 1_893_456_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
)
def test_latest_window_is_what_airflow_infers_for_a_run_by_hand(expression, zone, instant):
    timetable = CronDataIntervalTimetable(expression, zone)
    inferred = timetable.infer_manual_data_interval(run_after=pendulum.instance(instant))
    assert latest_window(Schedule(expression, zone), instant) == Window(inferred.start, inferred.end)


def test_the_docstrings_examples_hold():
    assert doctest.testmod(windows_module) == doctest.TestResults(failed=0, attempted=3)
