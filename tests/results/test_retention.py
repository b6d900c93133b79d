from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import reduce
from operator import add

import pytest

from monitoring_tasks.profile import Baseline, Profile
from monitoring_tasks.results.retention import prune, rollup
from monitoring_tasks.results.store import Store, WindowRun
from monitoring_tasks.results.tables import metadata
from monitoring_tasks.window import Schedule, Window, parse_schedule
from tests.results.example import (
    BASELINE,
    BINS,
    NOW,
    START,
    carrier,
    contents,
    day,
    distance,
    drift,
    fill,
    flights,
    hour,
    profile,
)

DAYS = "1d"
END = START + timedelta(days=30)


def hourly(number: int) -> tuple[Profile, ...]:
    """Every hour is different; JFK is closed in odd hours."""
    window = hour(number)
    whole = profile(window, distance(number, 1, 2, 3, 0), carrier(0, number, 3, 2, 1))
    return (whole,) if number % 2 else (whole, profile(window, distance(0, 0, 1, number, 0), segment="origin=JFK"))


@pytest.fixture
def hours(store):
    store.write_baseline(BASELINE, "hash")
    for number in range(30):
        store.write_profiles("flights", hour(number), hourly(number), BASELINE.id)
        store.write_results("flights", hour(number), "data_drift", [drift(0.1)])
    return store


def test_a_rolled_up_profile_is_the_sum_of_the_old_ones(hours):
    assert rollup(hours, END, DAYS) == {"flights": (day(0),)}
    assert hours.profiled_windows("flights", None, None) == (day(0), *(hour(number) for number in range(24, 30)))
    baseline_id, (whole, jfk) = hours.read_profiles("flights", day(0))
    assert baseline_id == BASELINE.id
    assert whole == reduce(add, (hourly(number)[0] for number in range(24)))
    assert whole.columns["carrier"].unseen == (("HA", 24),)
    # distance of JFK: in each even hour one row of [0,500) and as many of [500,1000) as the hour's number
    assert jfk.columns["distance"] == distance(0, 0, 12, sum(range(0, 24, 2)), 0)
    assert (jfk.window, jfk.rows) == (day(0), 12 + sum(range(0, 24, 2)))


def test_hours_without_rows_of_a_segment_add_up_with_those_far_from_zero(store):
    store.write_baseline(BASELINE, "hash")
    far = replace(distance(0, 0, 1, 1, 0), origin=1e8)
    for number in range(24):
        parts = [profile(hour(number), far), *([profile(hour(number), far, segment="origin=JFK")] if number else [])]
        store.write_profiles("flights", hour(number), parts, BASELINE.id)
    assert rollup(store, END, DAYS) == {"flights": (day(0),)}
    _, (whole, jfk) = store.read_profiles("flights", day(0))
    assert (whole.columns["distance"].counts, jfk.columns["distance"].counts) == ((0, 0, 24, 24, 0), (0, 0, 23, 23, 0))
    assert whole.columns["distance"].origin == jfk.columns["distance"].origin == 1e8


def test_results_stay_until_they_are_pruned(hours):
    rollup(hours, END, DAYS)
    assert len(list(hours.results("flights"))) == 30
    assert prune(hours, day(0).end) == {
        "result": 24,
        "check_run": 24,
        "profile": 5,
        "traffic": 0,
        "labels_profile": 0,
        "window_labels": 0,
        "window_run": 0,
        "window_due": 0,
    }
    assert [row["window_start"] for row in hours.results("flights")] == [hour(number).start for number in range(24, 30)]


def test_rolling_up_again_changes_nothing(hours):
    rollup(hours, END, DAYS)
    before = contents(hours, *metadata.tables)
    assert rollup(hours, END, DAYS) == {"flights": ()}
    assert contents(hours, *metadata.tables) == before


def test_by_steps_or_at_once_is_the_same(hours):
    rollup(hours, END, "6h")
    assert hours.profiled_windows("flights", None, None)[:4] == tuple(
        Window(START + timedelta(hours=at), START + timedelta(hours=at + 6)) for at in (0, 6, 12, 18)
    )
    rollup(hours, END, DAYS)
    assert hours.read_profiles("flights", day(0))[1][0] == reduce(add, (hourly(number)[0] for number in range(24)))


def test_only_whole_windows_that_have_ended_are_made(hours):
    assert rollup(hours, day(0).end - timedelta(seconds=1), DAYS) == {"flights": ()}
    with hours.writing("flights") as connection:
        connection.exec_driver_sql(f"DELETE FROM profile WHERE window_start = '{hour(5).start.isoformat(' ')[:19]}'")
    assert rollup(hours, END, DAYS) == {"flights": ()}
    assert len(hours.profiled_windows("flights", None, None)) == 29


def corrected(store, numbers):
    """Run these hours again: one row more in each."""
    for number in numbers:
        whole = profile(hour(number), distance(number, 1, 2, 4, 0), carrier(0, number, 4, 2, 1))
        store.write_profiles("flights", hour(number), [whole], BASELINE.id)


def counted(store):
    """Return how many rows a reader of the series counts in the first day."""
    return sum(profiles[0].rows for _, _, profiles in store.profiles("flights", START, day(0).end))


def test_a_part_of_a_rolled_up_window_that_is_run_again_is_not_counted_twice(hours):
    before = counted(hours)
    rollup(hours, END, DAYS)
    corrected(hours, [5, 23])
    assert hours.profiled_windows("flights", None, None)[:2] == (day(0), hour(24))
    assert hours.profiled_windows("flights", None, None, overlapping=True)[:4] == (day(0), hour(5), hour(23), hour(24))
    assert counted(hours) == before
    assert [window for window, *_ in hours.profiles("flights", hour(5).start, hour(23).end)] == [hour(5), hour(23)]


def test_a_rollup_drops_parts_that_do_not_fill_the_longer_window(hours):
    rollup(hours, END, DAYS)
    before = contents(hours, *metadata.tables)
    corrected(hours, range(1, 24))
    assert rollup(hours, END, DAYS) == {"flights": ()}
    assert contents(hours, "profile") == {"profile": before["profile"]}


def test_a_rollup_adds_parts_up_again_that_fill_the_longer_window(hours):
    before = counted(hours)
    rollup(hours, END, DAYS)
    corrected(hours, range(24))
    # To longer windows than the one they are in, too.
    assert rollup(hours, END, "0 0 */2 * *") == {"flights": (day(0),)}
    assert hours.profiled_windows("flights", None, None, overlapping=True)[:2] == (day(0), hour(24))
    assert counted(hours) == before + 24


def test_hours_are_reconciled_with_their_day_before_the_day_with_its_days(hours):
    whole_month = "0 0 1 * *"
    for number in range(1, 30):
        hours.write_profiles("flights", day(number), flights(day(number)), BASELINE.id)
    rollup(hours, END, DAYS)
    april = Window(START, END)
    assert rollup(hours, END, whole_month) == {"flights": (april,)}
    before = counted_in(hours, april)
    for number in range(1, 30):
        hours.write_profiles("flights", day(number), flights(day(number)), BASELINE.id)
    corrected(hours, range(24))
    hours.write_profiles("flights", day(0), flights(day(0)), BASELINE.id)
    assert rollup(hours, END, whole_month) == {"flights": (day(0), april)}
    assert hours.profiled_windows("flights", None, None, overlapping=True) == (april,)
    assert counted_in(hours, april) == before + 24


def counted_in(store, window):
    return store.read_profiles("flights", window)[1][0].rows


def test_profiles_on_different_bins_are_not_added(hours):
    other = Baseline("flights", {"period": "another"}, BINS, {"distance": distance(0, 0, 5, 0, 0)}, 5)
    hours.write_baseline(other, "another hash")
    hours.write_profiles("flights", hour(7), hourly(7), other.id)
    before = contents(hours, "profile")
    assert rollup(hours, END, DAYS) == {"flights": ()}
    assert contents(hours, "profile") == before


NEW_YORK = parse_schedule("1d", "America/New_York")
EASTERN_DAY = Window(START + timedelta(hours=4), START + timedelta(hours=28))


def ran_in(store: Store, monitor: str, schedule: Schedule) -> None:
    """Let the monitor run once more by a schedule, so that the store knows where its days begin."""
    run = WindowRun(monitor, EASTERN_DAY, "done", "config", NOW)
    store.write_window_run(run, schedule=schedule)


def test_days_begin_where_the_monitors_own_do(hours):
    ran_in(hours, "flights", NEW_YORK)
    assert rollup(hours, END, DAYS) == {"flights": (EASTERN_DAY,)}


def test_days_begin_where_they_are_told_to(hours):
    ran_in(hours, "flights", NEW_YORK)
    assert rollup(hours, END, DAYS, timezone="UTC") == {"flights": (day(0),)}


def test_each_monitors_days_begin_in_its_own_zone(hours):
    for number in range(30):
        hours.write_profiles("trains", hour(number), hourly(number), BASELINE.id)
    ran_in(hours, "trains", NEW_YORK)
    assert rollup(hours, "2013-04-02", DAYS) == {"flights": (day(0),), "trains": (EASTERN_DAY,)}
    # The trains' 2 April begins at 4:00 in UTC: their hours until then are old, those of the flights are not.
    assert prune(hours, "2013-04-02")["window_run"] == 1
    assert hours.profiled_windows("trains", None, None) == (hour(28), hour(29))
    assert hours.profiled_windows("flights", None, None) == tuple(hour(number) for number in range(24, 30))


def test_an_unreadable_column_stays_unreadable_in_the_sum(hours):
    hours.write_profiles(
        "flights", hour(3), [profile(hour(3), distance(0, 0, 1, 0, 0), carrier="a struct")], BASELINE.id
    )
    rollup(hours, END, DAYS)
    _, (whole, jfk) = hours.read_profiles("flights", day(0))
    assert (list(whole.columns), whole.unreadable) == (["distance"], {"carrier": "a struct"})
    assert jfk.columns["distance"].rows == 12 + sum(range(0, 24, 2))


def test_only_the_monitor_that_was_named(hours):
    fill(hours)
    assert rollup(hours, END, DAYS, "nobody") == {"nobody": ()}
    assert prune(hours, END, "nobody") == {
        "result": 0,
        "check_run": 0,
        "profile": 0,
        "traffic": 0,
        "labels_profile": 0,
        "window_labels": 0,
        "window_run": 0,
        "window_due": 0,
    }


def test_prune_keeps_what_ends_later_and_the_baseline(store):
    fill(store)
    store.write_profiles("flights", hour(47), flights(hour(47)), BASELINE.id)
    deleted = prune(store, day(1).end)
    # two days of 10 results, 2 checks, 6 profile rows, 1 run; and one hour's profile
    assert deleted == {
        "result": 20,
        "check_run": 4,
        "profile": 18,
        "traffic": 0,
        "labels_profile": 0,
        "window_labels": 0,
        "window_run": 2,
        "window_due": 2,
    }
    assert store.profiled_windows("flights", None, None) == (day(2), day(3), day(4))
    assert [run.window for run in store.window_runs("flights", START, END)] == [day(2), day(3), day(4)]
    assert store.find_baseline("flights", "hash") == BASELINE
    assert prune(store, day(1).end) == {
        "result": 0,
        "check_run": 0,
        "profile": 0,
        "traffic": 0,
        "labels_profile": 0,
        "window_labels": 0,
        "window_run": 0,
        "window_due": 0,
    }


def test_prune_in_many_small_transactions_deletes_the_same(store, monkeypatch):
    monkeypatch.setattr("monitoring_tasks.results.retention.WINDOWS_PER_DELETE", 2)
    fill(store)
    assert prune(store, END) == {
        "result": 50,
        "check_run": 10,
        "profile": 30,
        "traffic": 0,
        "labels_profile": 0,
        "window_labels": 0,
        "window_run": 5,
        "window_due": 5,
    }
    left = contents(store, "result", "profile", "check_run", "window_run")
    assert left == {name: [] for name in left}
