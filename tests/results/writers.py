"""What the child processes of `test_concurrency` do. Each version of a window has its number in every row."""

from __future__ import annotations

import os
import signal
from itertools import count
from multiprocessing.synchronize import Event

from sqlalchemy import event

from monitoring_tasks.checks.result import Result
from monitoring_tasks.results.store import Store, WindowRun, open_store
from tests.results.example import BASELINE, NOW, carrier, day, distance, profile

CHECKS = ("data_drift", "operations")
SHARED = 1000
"""Number of the day that every writer writes."""


def write_version(store: Store, number: int, version: int) -> None:
    """Run a window: nine profile rows, two checks of thirty results, and the run, in four transactions."""
    window = day(number)
    counted = (distance(0, 0, version, 0, 0), carrier(0, version, 0, 0, 0))
    segments = ("", "origin=JFK", "origin=LGA")
    store.write_profiles(
        "flights", window, [profile(window, *counted, segment=segment) for segment in segments], BASELINE.id
    )
    for check in CHECKS:
        store.write_results("flights", window, check, [Result(f"m{i}", float(version)) for i in range(30)])
    store.write_window_run(WindowRun("flights", window, "done", "config", NOW, rows=version), CHECKS)


def write_a_few_windows(url: str, writer: int) -> None:
    with open_store(url) as store:
        assert store.write_baseline(BASELINE, "hash") == BASELINE
        for number in range(3):
            write_version(store, 3 * writer + number, version=writer)
        write_version(store, SHARED, version=writer)


def write_until_killed(url: str, begun: Event) -> None:
    with open_store(url) as store:
        for version in count(1):
            for number in range(3):
                write_version(store, number, version)
            begun.set()


def die_at_statement(url: str, statement: int) -> None:
    """Write version 2 of day 0, and die by SIGKILL after the given statement of it, counted from 1."""
    with open_store(url) as store:
        done = count(1)

        def die(*_: object) -> None:
            if next(done) == statement:
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(store.engine, "after_cursor_execute", die)
        write_version(store, 0, version=2)
