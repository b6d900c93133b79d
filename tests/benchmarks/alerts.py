"""How long it takes to decide on alerts: a store of 8,000 ten-minute windows (eight weeks) of 100 results each.

First on all windows at once, as after a backfill; then on one more, as every ten minutes; then on one that is a day
late, which replays the windows after it. Three rules; every alert has its message made. On SQLite, in one process. Run
it by ``python -m tests.benchmarks.alerts [WINDOWS]``.
"""

from __future__ import annotations

import resource
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
from sqlalchemy import insert

from monitoring_tasks.alerting import decide_alerts
from monitoring_tasks.checks import Result
from monitoring_tasks.config import Monitor, parse_monitor
from monitoring_tasks.results import tables
from monitoring_tasks.results.migrate import migrate
from monitoring_tasks.results.store import Store, WindowRun, open_store
from monitoring_tasks.window import Window

START = datetime(2026, 1, 1, tzinfo=UTC)
COLUMNS = 50
ALARMS = 0.002
"""Of the results of one column: one window in ten has an alarm."""
MONITOR = """\
monitor: benchmark
schedule: 10m
start: 2026-01-01
warehouse: none
inference_log: {table: log, timestamp: ts, key: id, features: '*'}
baseline: {table: log}
alerts:
  - {name: drift, when: {check: data_drift}, notify: [ops]}
  - {name: often, when: {check: data_drift, windows: 2 of 6}, notify: [ops], group_by: [column]}
  - {name: quality, when: {check: data_quality, windows: 3}, notify: [ops]}
"""


def window(number: int) -> Window:
    """Return one of the windows."""
    return Window(START + timedelta(minutes=10 * number), START + timedelta(minutes=10 * (number + 1)))


def results(rng: np.random.Generator) -> dict[str, list[Result]]:
    """Return what two checks find in a window."""
    return {
        check: [
            Result(metric, float(value), f"column_{column}", threshold_upper=ALARMS, status=status, message="moved")
            for column, value in enumerate(rng.random(COLUMNS))
            for status in ["alarm" if value < ALARMS else "ok"]
        ]
        for check, metric in (("data_drift", "psi"), ("data_quality", "missing_share"))
    }


def fill(store: Store, monitor: Monitor, windows: int, rng: np.random.Generator) -> None:
    """Write the windows as they stand after a backfill: closed, with nothing decided."""
    for first in range(0, windows, 500):
        found, runs, due = [], [], []
        for number in range(first, min(first + 500, windows)):
            key: dict[str, Any] = {
                "monitor": monitor.name,
                "window_start": window(number).start,
                "window_end": window(number).end,
            }
            runs.append(key | {"state": "done", "config_hash": "", "computed_at": START})
            due.append(key | {"tell": True})
            for check, each in ((check, each) for check, them in results(rng).items() for each in them):
                row = {"check_name": check, "metric": each.metric, "column_name": each.column_name, "segment": ""}
                numbers = {"value": each.value, "threshold_upper": each.threshold_upper, "status": each.status}
                found.append(key | row | numbers | {"message": each.message, "detail": {}})
        with store.writing(monitor.name) as connection:
            connection.execute(insert(tables.result), found)
            connection.execute(insert(tables.window_run), runs)
            connection.execute(insert(tables.window_due), due)


def close(store: Store, monitor: Monitor, number: int, rng: np.random.Generator) -> None:
    """Write one window as a run does."""
    for check, found in results(rng).items():
        store.write_results(monitor.name, window(number), check, found)
    store.write_window_run(WindowRun(monitor.name, window(number), "done", "", START), tell=True)


def main(windows: int = 8_000) -> None:
    """Measure, and print what it took."""
    monitor, rng = parse_monitor(MONITOR), np.random.default_rng(0)
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'results.db'}"
        migrate(url)
        with open_store(url) as store:
            fill(store, monitor, windows, rng)
            began = perf_counter()
            events = decide_alerts(monitor, store, now=START)
            print(f"all {windows:,} windows, {len(events):,} events: {perf_counter() - began:.1f} s")
            took = []
            for number in range(windows, windows + 20):
                close(store, monitor, number, rng)
                began = perf_counter()
                decide_alerts(monitor, store, now=START)
                took.append(perf_counter() - began)
            print(f"one more window: {1000 * float(np.median(took)):.0f} ms, at most {1000 * max(took):.0f} ms")
            close(store, monitor, windows - 124, rng)
            began = perf_counter()
            decide_alerts(monitor, store, now=START)
            print(f"one that is a day late: {1000 * (perf_counter() - began):.0f} ms")
    print(f"peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
