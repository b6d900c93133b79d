"""Two runs side by side, between which labels are loaded, come to what one run comes to that is made after them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from monitoring_tasks.checks import enabled
from monitoring_tasks.results.store import Store, open_store
from monitoring_tasks.run import missing_checks, run_windows
from monitoring_tasks.warehouse.engine import Warehouse, open_warehouse
from monitoring_tasks.window import Window
from tests import labelled_log
from tests.inference_log import END, START, day
from tests.labelled_log import arrived

MONITOR = labelled_log.monitor(
    "{data_drift: off, prediction_drift: off, operations: off, multivariate_drift: off, concept_drift: off, "
    "estimated_performance: off}"
)

Known = dict[Window, tuple[int | None, str | None]]


class Loading:
    """A warehouse into which more labels are loaded while it is open."""

    def __init__(self, *states: Warehouse) -> None:
        self._states = list(states)

    def load(self) -> None:
        self._states.pop(0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._states[0], name)


@contextmanager
def loading(tmp_path: Path, *until: int) -> Iterator[Loading]:
    """Open one that has the labels of before each of these days, one after the other."""
    with ExitStack() as stack:
        yield Loading(*(stack.enter_context(open_warehouse(loaded(tmp_path, number))) for number in until))


def loaded(tmp_path: Path, until: int) -> str:
    path = tmp_path / f"until {until}.duckdb"
    return f"duckdb:///{path}" if path.exists() else labelled_log.to_duckdb(path, arrived(None, day(until).start))


def run(warehouse: Loading | Warehouse, store: Store, *windows: Window) -> None:
    its = cast("Warehouse", warehouse)
    run_windows(MONITOR, windows[0].start, windows[-1].end, warehouse=its, store=store)


def meanwhile(monkeypatch: pytest.MonkeyPatch, window: Window, act: Callable[[Store], None]) -> list[Window]:
    """Act once, right before this window is stored by whoever stores it."""
    happened: list[Window] = []
    for name in ("write_profiles", "write_labels"):
        original = getattr(Store, name)

        def write(self: Store, monitor: str, its: Window, *rest: Any, original: Any = original, **named: Any) -> Any:
            if its == window and not happened:
                happened.append(window)
                act(self)
            return original(self, monitor, its, *rest, **named)

        monkeypatch.setattr(Store, name, write)
    return happened


def known(store: Store) -> Known:
    return {each.window: (each.label_rows, each.labels) for each in store.window_runs("loans", START, END)}


def at_once(tmp_path: Path, until: int, *windows: Window) -> Known:
    with loading(tmp_path, until) as warehouse, open_store(f"sqlite:///{tmp_path / 'at once.db'}") as store:
        for window in windows:
            run(warehouse, store, window)
        return known(store)


def test_a_day_that_is_not_stored_yet_when_its_labels_come_is_read_again(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with loading(tmp_path, 21, 22) as warehouse:

        def next_day(its: Store) -> None:
            warehouse.load()
            run(warehouse, its, day(21))

        happened = meanwhile(monkeypatch, day(20), next_day)
        run(warehouse, store, day(20))
    monkeypatch.undo()
    assert happened
    assert known(store) == at_once(tmp_path, 22, day(20), day(21))


def test_a_run_that_read_fewer_labels_does_not_replace_those_of_one_that_read_more(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: list[Any] = []
    with loading(tmp_path, 21, 22, 23) as warehouse:
        run(warehouse, store, day(20))
        warehouse.load()

        def next_day(its: Store) -> None:
            warehouse.load()
            run(warehouse, its, day(22))
            rows.append(known(its)[day(20)])

        happened = meanwhile(monkeypatch, day(20), next_day)
        run(warehouse, store, day(21))
    monkeypatch.undo()
    assert happened
    assert known(store)[day(20)] == rows[0]
    assert known(store) == at_once(tmp_path, 23, day(20), day(21), day(22))


def test_labels_that_were_deleted_keep_nobody_from_writing(store: Store, tmp_path: Path) -> None:
    with loading(tmp_path, 24, 22) as warehouse:
        run(warehouse, store, day(20), day(21))
        before = known(store)
        warehouse.load()
        run(warehouse, store, day(20), day(21))
    assert known(store) == at_once(tmp_path, 22, day(20), day(21)) != before


def test_a_window_that_was_only_looked_back_on_and_is_run_meanwhile_waits_for_its_new_labels(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other run read before those labels came, and closed the window as done: it lost its record, all green."""
    monitor = labelled_log.monitor("{multivariate_drift: off, estimated_performance: off}")
    looked_back_on = day(21)

    def go(until: int, window: Window) -> None:
        with open_warehouse(loaded(tmp_path, until)) as warehouse:
            run_windows(monitor, window.start, window.end, warehouse=warehouse, store=store)

    go(26, day(25))
    assert looked_back_on in store.labelled_windows("loans")
    assert not store.window_runs("loans", looked_back_on.start, looked_back_on.end)
    happened = meanwhile(monkeypatch, looked_back_on, lambda _: go(26, looked_back_on))
    go(27, day(26))
    assert happened
    (its,) = store.window_runs("loans", looked_back_on.start, looked_back_on.end)
    assert (its.state, its.labels) == ("done", "final")
    assert missing_checks(monitor, looked_back_on, [check.name for check in enabled(monitor)], store) == ()
    assert store.waiting("loans") == ()
