"""Windows whose checks must run again wait for it, through an edit of the file, a rollup and a killed run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from monitoring_tasks import run as steps
from monitoring_tasks.checks import enabled
from monitoring_tasks.config import Monitor
from monitoring_tasks.errors import DataError
from monitoring_tasks.results.retention import rollup
from monitoring_tasks.results.store import Store, open_store
from monitoring_tasks.run import (
    check_window,
    close_window,
    missing_checks,
    run_windows,
    scan_windows,
    waiting_windows,
)
from monitoring_tasks.samples import Samples
from monitoring_tasks.warehouse.engine import open_warehouse
from monitoring_tasks.window import Window
from tests import labelled_log
from tests.inference_log import END, START, day, log
from tests.labelled_log import append, arrived

CHECKS = (
    "{data_drift: off, prediction_drift: off, operations: off, multivariate_drift: off, estimated_performance: off, "
    "concept_drift: {look_back: 3}}"
)
EDITED = "{period: {start: 2024-03-02, end: 2024-03-21}}"
BEFORE = labelled_log.monitor(CHECKS)
AFTER = labelled_log.monitor(CHECKS, baseline=EDITED)
LOADED = 25
"""The first day whose labels are not loaded."""


@pytest.fixture(scope="module")
def run_before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("before")
    url = labelled_log.to_duckdb(folder / "loans.duckdb", arrived(None, day(LOADED).start))
    with open_store(f"sqlite:///{folder / 'results.db'}") as store:
        watch(BEFORE, url, store, day(20), day(LOADED - 1))
    return folder


@pytest.fixture
def edited(run_before: Path, tmp_path: Path) -> Iterator[tuple[str, Store]]:
    """A warehouse and a store in which five days stand on the baseline of before the edit."""
    for file in run_before.iterdir():
        shutil.copy(file, tmp_path)
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store:
        yield f"duckdb:///{tmp_path / 'loans.duckdb'}", store


def watch(monitor: Monitor, url: str, store: Store, first: Window, last: Window | None = None) -> list[str]:
    with open_warehouse(url) as warehouse:
        found = run_windows(monitor, first.start, (last or first).end, warehouse=warehouse, store=store)
    return [run.state for run in found]


def tasks(monitor: Monitor, url: str, store: Store, window: Window) -> None:
    """Do what Airflow's tasks do, which know of the other windows only from the store."""
    names = [check.name for check in enabled(monitor)]
    with open_warehouse(url) as warehouse:
        scan_windows(monitor, [window], warehouse, store)
        every = sorted({window, *waiting_windows(monitor, store)})
        for each in every:
            wanted = names if each == window else missing_checks(monitor, each, names, store)
            check_window(monitor, each, wanted, store, None, Samples(monitor, warehouse, every))
    for each in sorted({window, *waiting_windows(monitor, store)}):
        close_window(monitor, each, store, END)


def late_label(url: str, number: int, at: Window) -> None:
    """Load a label of the first row of one day, which arrived in another."""
    mine = log()[log()["asked_at"] >= day(number).start.replace(tzinfo=None)].iloc[:1]
    moment = (at.start + timedelta(minutes=5)).replace(tzinfo=None)
    append(url, pd.DataFrame({"id": mine["id"], "defaulted": 1, "known_at": moment}))


def states(store: Store) -> dict[Window, str]:
    return {run.window: run.state for run in store.window_runs("loans", START, END)}


def baselines(store: Store) -> list[bool]:
    """Tell of each run whether it is on the baseline of the latest one."""
    runs = store.window_runs("loans", START, END)
    return [run.baseline_id == runs[-1].baseline_id for run in runs]


@pytest.mark.parametrize("run", [watch, tasks])
def test_a_late_label_after_an_edited_baseline_costs_no_window_its_record(edited: tuple[str, Store], run) -> None:
    url, store = edited
    before = states(store)
    assert set(before.values()) == {"done"}
    late_label(url, 21, day(26))
    run(AFTER, url, store, day(26))
    assert states(store) == {**before, day(26): "done"}
    assert store.waiting("loans") == ()
    # Read again were day 21, and day 22, whose labels are complete by now. Days 23 and 24 had looked back on them, and
    # are what they were: results on the other baseline.
    assert baselines(store) == [False, True, True, False, False, True]
    run(AFTER, url, store, day(27))
    assert states(store) == {**before, day(26): "done", day(27): "done"}
    assert store.waiting("loans") == ()


def test_a_day_that_is_run_again_after_an_edit_leaves_the_others_on_their_baseline(edited: tuple[str, Store]) -> None:
    url, store = edited
    before = states(store)
    assert watch(AFTER, url, store, day(20)) == ["done"]
    assert states(store) == before
    assert baselines(store)[-1] != baselines(store)[0]


@pytest.mark.parametrize("run", [watch, tasks])
def test_a_window_left_waiting_by_a_kill_is_read_on_the_edited_baseline(edited: tuple[str, Store], run) -> None:
    url, store = edited
    before = states(store)
    store.forget_checks("loans", [day(20), day(23)], ["performance"])  # as a run leaves them that is killed
    assert store.waiting("loans") == (day(20), day(23))
    assert day(20) not in states(store)
    assert waiting_windows(AFTER, store) == (), "no check can run before they are read on the new baseline"
    run(AFTER, url, store, day(26))
    assert states(store) == {**before, day(26): "done"}
    assert store.waiting("loans") == ()
    assert baselines(store) == [True, False, False, True, False, True]


def test_a_window_that_is_looked_back_on_goes_on_waiting(edited: tuple[str, Store]) -> None:
    url, store = edited
    with open_warehouse(url) as warehouse:
        scan_windows(AFTER, [day(26)], warehouse, store)  # so that there is a profile of day 24 on the new baseline
    profiles, labels = store.read_profiles("loans", day(24))[1], store.read_labels("loans", day(24))
    store.forget_checks("loans", [day(22)], ["performance"])
    new = store.read_profiles("loans", day(24))[0]
    old = store.read_profiles("loans", day(22))[0]
    assert new != old
    moved = [replace(profile, window=day(22)) for profile in profiles]
    assert store.write_missing_profiles("loans", day(22), moved, new, labels)
    assert store.waiting("loans") == (day(22),)
    assert store.read_profiles("loans", day(22))[0] == new


def test_a_window_that_cannot_be_checked_fails_and_costs_no_other(
    edited: tuple[str, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, store = edited
    before = states(store)
    store.forget_checks("loans", [day(20)], ["performance"])
    original = steps.check_window

    def check(monitor, window, *rest):
        if window == day(20):
            raise DataError("its profile is gone")
        return original(monitor, window, *rest)

    monkeypatch.setattr(steps, "check_window", check)
    assert watch(BEFORE, url, store, day(26)) == ["failed", "done"]
    (run,) = store.window_runs("loans", day(20).start, day(20).end)
    assert (run.state, run.error) == ("failed", "its profile is gone")
    assert states(store) == {**before, day(20): "failed", day(26): "done"}
    monkeypatch.undo()
    assert watch(BEFORE, url, store, day(27)) == ["done"]
    assert states(store) == {**before, day(26): "done", day(27): "done"}, "it went on waiting"


QUARTER = timedelta(hours=6)


def test_a_rollup_takes_no_window_its_record(tmp_path: Path, store: Store) -> None:
    quarterly = labelled_log.monitor(CHECKS, schedule="6h")
    url = labelled_log.to_duckdb(tmp_path / "loans.duckdb", arrived(None, day(31).start))
    parts = quarterly.schedule.windows(day(22).start, day(22).end)
    later = quarterly.schedule.windows(day(31).start, day(31).end)
    watch(quarterly, url, store, day(22))
    # One that waits keeps its profile, and the day is made once it has run.
    store.forget_checks("loans", parts[:1], ["performance"])
    assert rollup(store, day(23).start, "1d") == {"loans": ()}
    assert store.waiting("loans") == parts[:1]
    watch(quarterly, url, store, later[0])
    assert set(states(store)) == {*parts, later[0]}
    assert rollup(store, day(23).start, "1d") == {"loans": (day(22),)}
    # A late label of the day: those that looked back on it have no profile to run on, and stay as they are.
    late_label(url, 22, later[1])
    watch(quarterly, url, store, later[1])
    assert states(store) == dict.fromkeys([*parts, *later[:2]], "done")
    assert store.waiting("loans") == ()
    # A part that was run again beside its day, and waits, is not dropped.
    watch(quarterly, url, store, parts[0])
    store.forget_checks("loans", parts[:1], ["performance"])
    assert rollup(store, day(23).start, "1d") == {"loans": ()}
    assert store.waiting("loans") == parts[:1]
