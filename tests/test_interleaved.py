"""Two runs of a window at the same time, over two connections: nothing is done that stands on an old profile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import Connection

from monitoring_tasks import checks
from monitoring_tasks.checks import Check, CheckContext, Result, enabled
from monitoring_tasks.errors import DataError, TransientError
from monitoring_tasks.results.store import Store, open_store
from monitoring_tasks.run import TRIES, check_window, close_window, scan_windows
from monitoring_tasks.warehouse.engine import open_warehouse
from monitoring_tasks.window import Window, parse_instant
from tests import inference_log
from tests.inference_log import SHIFTED, day

NOW = parse_instant("2024-05-01", "UTC")
MONITOR = inference_log.monitor("{data_drift: off, prediction_drift: off, data_quality: off, multivariate_drift: off}")
WINDOW = day(20)


@pytest.fixture
def scanned(store: Store, duckdb_url) -> Store:
    """A store with the profiles of two days."""
    with open_warehouse(duckdb_url) as warehouse:
        scan_windows(MONITOR, [WINDOW, day(SHIFTED)], warehouse, store)
    return store


@pytest.fixture
def another(empty_url, store: Store) -> Iterator[Store]:  # noqa: ARG001 - the store has migrated it
    """The same database over connections of its own."""
    with open_store(empty_url) as opened:
        yield opened


def rescan(store: Store, number: int) -> None:
    """Replace the window's profile by that of another day, as after a correction in the warehouse."""
    baseline_id, profiles = store.read_profiles("loans", day(number))
    store.write_profiles("loans", WINDOW, [replace(profile, window=WINDOW) for profile in profiles], baseline_id)


def mean(store: Store) -> list[float | None]:
    return [row["value"] for row in store.results("loans", WINDOW.start, WINDOW.end, metrics=["mean"])]


def mean_of_amount(during: Callable[[], None]) -> Check:
    """A check that lets something else happen while it computes."""

    def compute(context: CheckContext) -> list[Result]:
        during()
        return [Result("mean", context.profile.columns["amount"].mean)]

    return Check("concept_drift", "performance", compute)


def test_a_check_whose_profile_is_replaced_while_it_computes_is_computed_again(scanned, another, monkeypatch):
    """Also those checks that had written before it was replaced."""
    scans = iter([SHIFTED])
    check = mean_of_amount(lambda: [rescan(another, number) for number in scans])
    monkeypatch.setattr(checks, "CHECKS", (*checks.CHECKS, check))
    names = [check.name for check in enabled(MONITOR)]
    assert check_window(MONITOR, WINDOW, names, scanned) == ()
    assert mean(scanned) == [scanned.read_profiles("loans", day(SHIFTED))[1][0].columns["amount"].mean]
    assert {run.check_name for run in scanned.check_runs("loans", WINDOW)} == {"operations", "concept_drift"}
    assert close_window(MONITOR, WINDOW, scanned, NOW).state == "done"


def test_a_check_whose_profile_is_replaced_again_and_again_gives_up_and_writes_nothing(scanned, another, monkeypatch):
    rescan(another, SHIFTED)
    scans = []

    def correct() -> None:
        scans.append(None)
        _, (whole, *_) = another.read_profiles("loans", WINDOW)
        baseline_id, _ = another.read_profiles("loans", day(SHIFTED))
        another.write_profiles("loans", WINDOW, [replace(whole, rows=whole.rows + 1)], baseline_id)

    monkeypatch.setattr(checks, "CHECKS", (mean_of_amount(correct),))
    with pytest.raises(TransientError, match="another run has replaced the profile or results of 2024-03-21T00:00Z/"):
        check_window(MONITOR, WINDOW, ["concept_drift"], scanned)
    assert len(scans) == TRIES
    assert mean(scanned) == []
    assert close_window(MONITOR, WINDOW, scanned, NOW).error == "not written: concept_drift"


class Interrupted(Store):
    """A store that lets something happen once: when it has read what it needs, and is about to write."""

    def __init__(self, store: Store, happens: Callable[[], object]) -> None:
        super().__init__(store.engine)
        self.left = [happens]

    @contextmanager
    def writing(self, monitor: str, window: Window | None = None) -> Iterator[Connection]:
        while self.left:
            self.left.pop()()
        with super().writing(monitor, window) as connection:
            yield connection


def test_a_window_whose_profile_is_replaced_while_it_is_closed_is_not_done(scanned, another):
    check_window(MONITOR, WINDOW, ["operations"], scanned)
    interrupted = Interrupted(scanned, lambda: rescan(another, SHIFTED))
    run = close_window(MONITOR, WINDOW, interrupted, NOW)
    assert not interrupted.left
    assert (run.state, run.error) == ("failed", "not written: operations")
    assert another.window_runs("loans", WINDOW.start, WINDOW.end) == (run,)
    check_window(MONITOR, WINDOW, ["operations"], another)
    assert close_window(MONITOR, WINDOW, scanned, NOW).state == "done"


def test_a_check_that_writes_while_its_window_is_closed_counts(scanned, another):
    interrupted = Interrupted(scanned, lambda: check_window(MONITOR, WINDOW, ["operations"], another))
    assert close_window(MONITOR, WINDOW, interrupted, NOW).state == "done"


def test_a_window_whose_profile_was_rolled_up_can_be_neither_checked_nor_closed(scanned):
    check_window(MONITOR, WINDOW, ["operations"], scanned)
    with scanned.writing("loans") as connection:
        connection.exec_driver_sql("DELETE FROM profile")
    for step in (
        lambda: check_window(MONITOR, WINDOW, ["operations"], scanned),
        lambda: close_window(MONITOR, WINDOW, scanned, NOW),
    ):
        with pytest.raises(DataError, match=r"'loans' has no profile of 2024-03-21T00:00Z/.*: scan the window first"):
            step()
