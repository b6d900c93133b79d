"""Decisions by a band from past windows over the whole line: what is looked back on, and that the laws hold."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from statistics import median

import pytest
from sqlalchemy import insert

from monitoring_tasks import history, run
from monitoring_tasks.checks import enabled
from monitoring_tasks.config import Monitor
from monitoring_tasks.history import History
from monitoring_tasks.results import tables
from monitoring_tasks.results.retention import rollup
from monitoring_tasks.results.store import Store, open_store
from monitoring_tasks.run import check_window, close_window, run_windows, scan_windows
from monitoring_tasks.samples import Samples
from monitoring_tasks.statistics.drift import drift_metric, select
from monitoring_tasks.window import Window, parse_instant
from tests import inference_log
from tests.inference_log import EMPTY, END, FEW, SHIFTED, START, contents, day

DAYS = tuple(day(number) for number in range(20, 32))
NOW = parse_instant("2024-05-01", "UTC")
FIXED, ROLLING, SEASONAL = "fixed", "rolling: 5d", "seasonal: {by: day_of_week, over: 3w}"
PSI = drift_metric("psi")
BASELINES = (FIXED, ROLLING, SEASONAL)
PERIOD = "period: {start: 2024-03-01, end: 2024-03-21}"
CHECKS = (
    "{multivariate_drift: off, data_drift: {metrics: [psi, wasserstein], band: {psi: {over: 10d}, wasserstein: "
    "{over: 9d}}}, prediction_drift: {band: {jensen_shannon: {over: 12d, width: 3}}}}"
)


def banded(baseline: str = FIXED, checks: str = CHECKS, **changes: str) -> Monitor:
    text = PERIOD if baseline == FIXED else f"{PERIOD}, {baseline}"
    return inference_log.monitor(checks, **{"baseline": f"{{{text}}}"} | changes)


@pytest.fixture
def ran(tmp_path, one_run) -> Iterator[Store]:
    """A store of its own for each test in which all days were run."""
    with open_store(f"sqlite:///{shutil.copy(one_run(banded()), tmp_path / 'ran.db')}") as store:
        yield store


def number(store: Store, window: Window, column: str = "amount", segment: str = "", metric: str = "psi") -> dict:
    found = store.results("loans", window.start, window.end, metrics=[metric], columns=[column], segments=[segment])
    (row,) = list(found)
    return row


def confirm(store: Store, number: int) -> None:
    """Record that a person confirmed an incident of this day."""
    window = day(number)
    row = {"window_start": window.start, "window_end": window.end, "columns": ["amount"], "message": "amount moved"}
    row |= {"last_window_start": window.start, "last_window_end": window.end, "state": "confirmed", "severity": "high"}
    with store.writing("loans") as connection:
        connection.execute(
            insert(tables.alert), row | {"alert_id": "1", "monitor": "loans", "name": "drift", "group_key": ""}
        )


def check(store: Store, window: Window) -> None:
    names = [each.name for each in enabled(banded())]
    assert check_window(banded(), window, names, store) == ()


# --- What the band is made of -----------------------------------------------------------------------------------------


def test_the_band_is_made_of_the_numbers_of_the_windows_before(ran):
    """Those that stand in the store: with a fixed baseline every day was compared with the same."""
    before = sorted(number(ran, day(day_))["value"] for day_ in range(21, 31) if day_ not in (EMPTY, FEW))
    row = number(ran, day(31))
    assert row["detail"]["band"]["windows"] == len(before) == 8
    assert row["detail"]["band"]["median"] == pytest.approx((before[3] + before[4]) / 2, rel=1e-9)


def test_a_planted_shift_is_beyond_the_band_on_its_day_only(ran):
    statuses = {day_: number(ran, day(day_))["status"] for day_ in range(20, 28)}
    assert [day_ for day_, status in statuses.items() if status == "alarm"] == [SHIFTED]
    in_segment = number(ran, day(SHIFTED), segment="region=north")
    assert (in_segment["status"], in_segment["detail"]["band"]["windows"]) == ("alarm", 10)
    assert in_segment["threshold_upper"] != number(ran, day(SHIFTED))["threshold_upper"]


def test_windows_without_rows_or_with_too_few_do_not_count(ran):
    assert number(ran, day(EMPTY))["status"] == number(ran, day(FEW))["status"] == "insufficient_data"
    counted = [number(ran, day(day_))["detail"]["band"]["windows"] for day_ in (26, 27, 30, 31)]
    assert counted == [10, 10, 8, 8]


def test_confirmed_incidents_do_not_count(ran):
    before = number(ran, day(27))
    confirm(ran, SHIFTED)
    check(ran, day(27))
    after = number(ran, day(27))
    assert (before["detail"]["band"]["windows"], after["detail"]["band"]["windows"]) == (10, 9)
    assert after["threshold_upper"] < before["threshold_upper"]


def test_a_young_monitor_is_decided_by_calibration_and_says_so(warehouse, store: Store):
    """With a table nothing before `start` is looked at."""
    monitor = inference_log.monitor(CHECKS, baseline="{table: inference_log}")
    run_windows(monitor, START, END, warehouse=warehouse, store=store)
    assert [number(store, day(day_))["detail"]["band"]["windows"] for day_ in (20, 21, 27)] == [0, 1, 7]
    assert "no earlier window for its band" in number(store, day(20))["message"]
    assert "only 7 earlier windows for its band" in number(store, day(27))["message"]
    assert number(store, day(27))["threshold_upper"] == pytest.approx(0.1225, abs=1e-4)
    assert number(store, day(30))["detail"]["band"]["windows"] == 8
    assert number(store, day(30))["threshold_upper"] < 0.1
    assert store.profiled_windows("loans", None, None) == DAYS


def test_with_a_moving_baseline_the_windows_before_are_compared_with_what_this_one_is(warehouse, store: Store):
    """The sum of the five days before this one, not of those before each."""
    monitor = banded(ROLLING)
    run_windows(monitor, START, END, warehouse=warehouse, store=store)
    row = number(store, day(27))
    assert row["detail"]["compared_with"].startswith("rolling 5d: 5 windows")
    baseline = store.read_baseline(store.read_profiles("loans", day(27))[0])
    five = History(monitor, [day(27)], store).reference(day(27), baseline).columns[""]["amount"].array()
    assert five.sum() == row["baseline_rows"] == 5 * 480
    sizes = []
    for day_ in range(17, 27):
        (column,) = (each.columns["amount"] for each in store.read_profiles("loans", day(day_))[1][:1])
        sizes.append(PSI.function(*select(PSI, "numeric", five, column.array())))
    assert row["detail"]["band"]["windows"] == len(sizes)
    assert row["detail"]["band"]["median"] == pytest.approx(median(sizes), rel=1e-9)


# --- The look-back ----------------------------------------------------------------------------------------------------


@pytest.fixture
def scanned(monkeypatch) -> list[list[Window]]:
    """The windows of each scan."""
    found = []
    real = run.scan_with_labels

    def scan(warehouse, source, columns, bins, windows, segments, labelled):
        found.append(list(windows))
        return real(warehouse, source, columns, bins, windows, segments, labelled)

    monkeypatch.setattr(run, "scan_with_labels", scan)
    return found


@pytest.mark.parametrize(
    ("baseline", "first", "then"),
    [
        (FIXED, range(8, 20), []),
        ("rolling: 8d", range(8, 20), []),
        ("rolling: 12d", range(8, 20), []),
        (SEASONAL, [6, *range(8, 20)], [0, 7]),  # Wednesdays
    ],
)
def test_one_scan_reads_what_baseline_and_bands_look_back_on(store: Store, warehouse, scanned, baseline, first, then):
    """The longest band is 12 days; what is stored already is not read again."""
    scan_windows(banded(baseline), [day(20)], warehouse, store)
    scan_windows(banded(baseline), [day(21)], warehouse, store)
    assert scanned == [[*map(day, first), day(20)], [*map(day, then), day(21)]]


def test_only_profiles_are_stored_of_them(store: Store, warehouse):
    run_windows(banded(), day(25).start, day(25).end, warehouse=warehouse, store=store)
    assert store.profiled_windows("loans", None, None) == tuple(day(each) for each in range(13, 26))
    assert [each.window for each in store.window_runs("loans", day(0).start, END)] == [day(25)]


def test_windows_that_were_rolled_up_are_read_again(ran, warehouse, scanned):
    """A week is no window of the schedule: its distance is another."""
    before = number(ran, day(31))
    assert rollup(ran, "2024-03-28", "0 0 * * 1")["loans"]
    scan_windows(banded(), [day(31)], warehouse, ran)
    assert len(scanned[-1]) > 1
    check(ran, day(31))
    assert number(ran, day(31)) == before


# --- The laws ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "baseline", [FIXED, *(pytest.param(each, marks=pytest.mark.integration) for each in (ROLLING, SEASONAL))]
)
def test_law_1_running_again_changes_no_row(store: Store, warehouse, undisturbed, baseline):
    for _ in range(2):
        run_windows(banded(baseline), START, END, warehouse=warehouse, store=store)
        assert contents(store) == undisturbed(banded(baseline))


# What a baseline looks back on is there in one order and not in another; one of them tries every order.
@pytest.mark.integration
@pytest.mark.parametrize(
    ("baseline", "order"),
    [*((each, "shuffled") for each in BASELINES), (ROLLING, "forwards"), (ROLLING, "backwards")],
)
def test_law_2_one_by_one_in_any_order_comes_to_the_same_rows(tmp_path, warehouse, undisturbed, baseline, order):
    windows = list(DAYS)
    {"forwards": list, "backwards": list.reverse, "shuffled": random.Random(1).shuffle}[order](windows)
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store:
        for window in windows:
            run_windows(banded(baseline), window.start, window.end, warehouse=warehouse, store=store)
        assert contents(store) == undisturbed(banded(baseline))


@pytest.mark.integration
@pytest.mark.parametrize(
    ("empty_url", "baseline"),
    [*(("sqlite", each) for each in BASELINES), ("postgresql", ROLLING)],
    indirect=["empty_url"],
)
def test_law_2_step_by_step_as_airflow_does_comes_to_the_same_rows(store: Store, warehouse, undisturbed, baseline):
    monitor = banded(baseline)
    for window in reversed(DAYS):
        scan_windows(monitor, [window], warehouse, store)
        for each in reversed(enabled(monitor)):
            check_window(monitor, window, [each.name], store, None, Samples(monitor, warehouse, [window]))
        assert close_window(monitor, window, store, NOW).state == ("empty" if window == day(EMPTY) else "done")
    assert contents(store) == undisturbed(banded(baseline))


def test_bounded_memory_changes_no_row(store: Store, warehouse, undisturbed, monkeypatch):
    monkeypatch.setattr(history, "KEPT", 1)
    run_windows(banded(ROLLING), START, END, warehouse=warehouse, store=store)
    assert contents(store) == undisturbed(banded(ROLLING))


def test_a_bulk_run_reads_each_profile_once(store: Store, warehouse, monkeypatch):
    read: list[Window] = []
    real = Store.profiles_of

    def profiles_of(self, monitor, windows):
        for found in real(self, monitor, windows):
            read.append(found[0])
            yield found

    monkeypatch.setattr(Store, "profiles_of", profiles_of)
    run_windows(banded(ROLLING), START, END, warehouse=warehouse, store=store)
    assert sorted(read) == [day(each) for each in range(8, 31)]
