"""Fifty writers lose nothing, and a process killed at any point leaves whole steps: real processes, real signals."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time

import pytest

from monitoring_tasks.results.migrate import migrate
from monitoring_tasks.results.store import open_store
from tests.results import writers
from tests.results.example import BASELINE, day
from tests.results.writers import CHECKS, SHARED, write_version

pytestmark = pytest.mark.integration

# Children are forked from a server that has imported everything once and runs no thread.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["__main__", "tests.results.writers"])


def start(work, *arguments):
    process = PROCESSES.Process(target=work, args=arguments)
    process.start()
    return process


def versions(store, number):
    """Return the versions of the window's profile rows and of each check's results, one entry a row, and its run."""
    window = {"start": day(number).start}
    profile = store.query("SELECT rows FROM profile WHERE window_start = :start", **window)
    results = store.query("SELECT check_name, value FROM result WHERE window_start = :start", **window)
    by_check = {check: [int(row["value"]) for row in results if row["check_name"] == check] for check in CHECKS}
    runs = store.window_runs("flights", day(number).start, day(number).end)
    return [row["rows"] for row in profile], by_check, [run.rows for run in runs]


def assert_whole(store, number):
    """Each step is of one version and complete; the window is done only if all its steps are of that version."""
    profile, by_check, run = versions(store, number)
    assert profile == profile[:1] * 9 or not profile
    for check, found in by_check.items():
        assert found == [found[0]] * 30 if found else True, check
    written = [check.check_name for check in store.check_runs("flights", day(number))]
    for check in written:
        assert by_check[check] == profile[:1] * 30
    if run:
        assert written == list(CHECKS)
        assert run == profile[:1]


def test_fifty_writers_lose_nothing(empty_url):
    """On SQLite they also create the file, all at once."""
    if not empty_url.startswith("sqlite"):
        migrate(empty_url)
    processes = [start(writers.write_a_few_windows, empty_url, writer) for writer in range(50)]
    for process in processes:
        process.join(timeout=300)
    assert [process.exitcode for process in processes] == [0] * 50
    with open_store(empty_url) as store:
        assert store.profiled_windows("flights", None, None) == (*(day(number) for number in range(150)), day(SHARED))
        for number in range(150):
            assert versions(store, number)[2] == [number // 3]
            assert_whole(store, number)
        profile, by_check, _ = versions(store, SHARED)
        assert (len(profile), *map(len, by_check.values())) == (9, 30, 30)
        assert store.query("SELECT baseline_id FROM baseline") == [{"baseline_id": BASELINE.id}]


def test_killed_after_any_statement_a_step_is_whole_or_not_there(store):
    url = store.engine.url.render_as_string()
    store.write_baseline(BASELINE, "hash")
    seen = []
    for statement in range(1, 100):
        write_version(store, 0, version=1)
        process = start(writers.die_at_statement, url, statement)
        process.join(timeout=60)
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
        assert_whole(store, 0)
        profile, by_check, run = versions(store, 0)
        seen.append((profile[0], *(found[0] for found in by_check.values()), *run))
        write_version(store, 0, version=2)
        assert versions(store, 0) == ([2] * 9, dict.fromkeys(CHECKS, [2] * 30), [2])
    # Every state that four transactions can leave, in their order, and no other.
    assert list(dict.fromkeys(seen)) == [(1, 1, 1, 1), (2, 1, 1), (2, 2, 1), (2, 2, 2)]
    assert len(seen) > 12


def test_killed_at_random_moments_nothing_is_half_done(store):
    url = store.engine.url.render_as_string()
    store.write_baseline(BASELINE, "hash")
    moments = random.Random(20130401)
    progress = []
    while len(progress) < 20 or set(progress) != {2, 3}:  # in the middle of a window, and between two
        assert len(progress) < 100
        begun = PROCESSES.Event()
        process = start(writers.write_until_killed, url, begun)
        assert begun.wait(timeout=60)
        time.sleep(moments.uniform(0.0, 0.2))
        os.kill(process.pid, signal.SIGKILL)
        process.join(timeout=60)
        assert process.exitcode == -signal.SIGKILL
        for number in range(3):
            assert_whole(store, number)
        progress.append(sum(len(versions(store, number)[2]) for number in range(3)))
    for number in range(3):
        write_version(store, number, version=7)
        assert versions(store, number) == ([7] * 9, dict.fromkeys(CHECKS, [7] * 30), [7])
