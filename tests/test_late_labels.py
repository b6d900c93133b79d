"""Labels come late, and whatever order they come in, the final rows are those of one run over everything: law 5."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from monitoring_tasks.config import Monitor
from monitoring_tasks.results.store import Store, open_store
from monitoring_tasks.run import run_windows
from monitoring_tasks.warehouse.engine import open_warehouse
from monitoring_tasks.window import Window
from tests import labelled_log
from tests.inference_log import END, contents, day
from tests.labelled_log import TABLES, append, arrived

DAYS = tuple(day(number) for number in range(20, 32))

ORDERS: dict[str, Callable[[list[Window]], None]] = {
    "in order": lambda _: None,
    "reversed": list.reverse,
    "shuffled": random.Random(1).shuffle,
}


def run(monitor: Monitor, url: str, store: Store, *windows: Window) -> None:
    """Run these neighbouring windows on the warehouse as it is now."""
    with open_warehouse(url) as warehouse:
        run_windows(monitor, windows[0].start, windows[-1].end, warehouse=warehouse, store=store)


def replay(monitor: Monitor, url: str, store: Store, days: Sequence[Window]) -> None:
    """Append each day's labels, then run the day."""
    for window in days:
        append(url, arrived(window.start, window.end))
        run(monitor, url, store, window)


def final(store: Store) -> dict[str, list[dict[str, object]]]:
    """Return what must not depend on any order: all but the clocks."""
    rows = contents(store, *TABLES, "window_run")
    for row in rows["window_run"]:
        del row["computed_at"], row["seconds"]
    return rows


def assert_same(found: dict[str, list[dict[str, object]]], expected: dict[str, list[dict[str, object]]]) -> None:
    for name, rows in expected.items():
        differing = [
            {key: (a[key], b[key]) for key in b if a[key] != b[key]}
            for a, b in zip(found[name], rows, strict=False)
            if a != b
        ]
        assert len(found[name]) == len(rows), name
        assert not differing, (name, differing[0])


@pytest.fixture(scope="module")
def bulk(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, object]]]:
    """The tables after one run over everything."""
    folder = tmp_path_factory.mktemp("bulk")
    url = labelled_log.to_duckdb(folder / "loans.duckdb", arrived(None, END))
    with open_store(f"sqlite:///{folder / 'results.db'}") as store:
        run(labelled_log.monitor(), url, store, *DAYS)
        return final(store)


@pytest.mark.parametrize("order", ORDERS)
def test_law_5_labels_in_any_order_come_to_the_rows_of_one_run(store: Store, tmp_path: Path, bulk, order: str) -> None:
    days = list(DAYS)
    ORDERS[order](days)
    url = labelled_log.to_duckdb(tmp_path / "loans.duckdb")
    replay(labelled_log.monitor(), url, store, days)
    assert_same(final(store), bulk)
