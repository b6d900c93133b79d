"""What the store says and keeps of windows that others look back on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import insert

from monitoring_tasks.results import store as module
from monitoring_tasks.results import tables
from monitoring_tasks.results.store import Store
from monitoring_tasks.window import Window
from tests.results.example import BASELINE, contents, day, fill, flights, hour

OTHER = replace(BASELINE, definition={"table": "another"})
TABLES = ("profile", "check_run", "window_run", "result")


def written(store: Store, window: Window, baseline_id: str = BASELINE.id) -> bool:
    return store.write_missing_profiles("flights", window, flights(window), baseline_id)


def test_a_missing_profile_is_written_as_a_scan_of_the_window_would(store: Store):
    store.write_baseline(BASELINE, "hash")
    assert written(store, day(0))
    found = contents(store, *TABLES)
    store.write_profiles("flights", day(0), flights(day(0)), BASELINE.id)
    assert contents(store, *TABLES) == found
    assert found["profile"]
    assert not found["window_run"]


def test_a_profile_on_this_baseline_stays_with_all_that_stands_on_it(store: Store):
    fill(store)
    before = contents(store, *TABLES)
    assert not written(store, day(2))
    assert contents(store, *TABLES) == before


def test_one_on_another_baseline_is_replaced_and_its_results_stay(store: Store):
    fill(store)
    store.write_baseline(OTHER, "other hash")
    before = contents(store, *TABLES)
    assert written(store, day(2), OTHER.id)
    assert store.read_profiles("flights", day(2)) == (OTHER.id, flights(day(2)))
    assert store.check_runs("flights", day(2)) == ()
    assert contents(store, "result", "window_run") == {name: before[name] for name in ("result", "window_run")}
    assert store.profiled_windows("flights", None, None, baseline_id=OTHER.id) == (day(2),)
    assert day(2) not in store.profiled_windows("flights", None, None, baseline_id=BASELINE.id)


def test_profiles_of_a_list_of_windows(store: Store, monkeypatch: pytest.MonkeyPatch):
    """Neither those between them nor another that begins with one of them."""
    monkeypatch.setattr(module, "STARTS_PER_READ", 2)
    fill(store)
    store.write_profiles("flights", hour(0), flights(hour(0)), BASELINE.id)
    wanted = [day(3), day(0), day(1), day(99)]
    found = {window: (id_, profiles) for window, id_, profiles in store.profiles_of("flights", wanted)}
    assert found == {window: (BASELINE.id, flights(window)) for window in (day(0), day(1), day(3))}
    assert list(store.profiles_of("flights", [])) == []
    assert list(store.profiles_of("others", wanted)) == []


def alert(store: Store, name: str, state: str, first: int, last: int, resolved: int | None = None) -> None:
    opened, latest = day(first), day(last)
    row = {
        "alert_id": name,
        "monitor": "flights",
        "name": name,
        "group_key": "",
        "severity": "high",
        "state": state,
        "window_start": opened.start,
        "window_end": opened.end,
        "last_window_start": latest.start,
        "last_window_end": latest.end,
        "resolved_window_end": None if resolved is None else day(resolved).end,
        "columns": [],
        "message": "",
    }
    with store.writing("flights") as connection:
        connection.execute(insert(tables.alert), row)


def test_incidents_are_what_people_confirmed_from_the_first_window_to_the_last(store: Store):
    alert(store, "resolved", "confirmed", 2, 5, resolved=6)
    alert(store, "not resolved", "confirmed", 1, 3)
    alert(store, "open", "open", 1, 3)
    alert(store, "false alarm", "false_alarm", 1, 3, resolved=4)
    alert(store, "later", "confirmed", 9, 9)
    alert(store, "earlier", "confirmed", -3, -1)
    found = store.incidents("flights", day(0).start, day(8).end)
    assert found == (Window(day(1).start, day(3).end), Window(day(2).start, day(5).end))
    assert store.incidents("flights", day(5).start, day(6).end) == found[1:]
    assert store.incidents("flights", day(6).start, day(6).end) == ()
    assert store.incidents("flights", day(0).start, day(1).start) == ()
    assert store.incidents("flights", day(0).start, day(1).start + timedelta(hours=1)) == found[:1]
    assert store.incidents("others", day(0).start, day(8).end) == ()
