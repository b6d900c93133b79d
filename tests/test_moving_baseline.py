"""Moving and seasonal baselines over the whole line: what windows are compared with, and that the laws hold."""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import duckdb
import pytest
from sqlalchemy import Connection, insert

from monitoring_tasks import history, run
from monitoring_tasks.baseline import find_baseline
from monitoring_tasks.checks import enabled
from monitoring_tasks.config import Monitor, parse_monitor
from monitoring_tasks.history import History
from monitoring_tasks.reference import Reference
from monitoring_tasks.results import tables
from monitoring_tasks.results.migrate import migrate
from monitoring_tasks.results.retention import prune, rollup
from monitoring_tasks.results.store import Store, open_store
from monitoring_tasks.run import check_window, close_window, run_windows, scan_windows
from monitoring_tasks.samples import Samples
from monitoring_tasks.warehouse.engine import open_warehouse
from monitoring_tasks.window import Window, format_instant, parse_instant
from tests import inference_log
from tests.inference_log import EMPTY, END, SHIFTED, START, contents, day

# Children are forked from a server that has imported everything once and runs no thread.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["__main__", "tests.inference_log"])

DAYS = tuple(day(number) for number in range(20, 32))
NOW = parse_instant("2024-05-01", "UTC")
ROLLING = "rolling: 7d"
EVERY = {
    "rolling": (ROLLING, "@daily"),
    "rolling by 6 hours": ("rolling: 42h", "6h"),
    "hour of day": ("seasonal: {by: hour_of_day, over: 5d}", "8h"),
    "day of week": ("seasonal: {by: day_of_week, over: 3w}", "@daily"),
    "hour of week": ("seasonal: {by: hour_of_week, over: 3w}", "12h"),
}


QUICK = [each if each == "rolling" else pytest.param(each, marks=pytest.mark.integration) for each in EVERY]
"""One of them for while one works."""

ALONE = "{multivariate_drift: off}"
"""The check that takes most of a run's time: its own tests hold it to the same laws."""


def moving(look_back: str = ROLLING, every: str = "@daily", checks: str = ALONE, **changes: str) -> Monitor:
    period = "period: {start: 2024-03-01, end: 2024-03-21}"
    changes = {"baseline": f"{{{period}, {look_back}}}", "schedule": f'"{every}"'} | changes
    return inference_log.monitor(checks, **changes)


@pytest.fixture
def ran(tmp_path, one_run) -> Iterator[Store]:
    """A store of its own for each test in which all days were run with a rolling baseline."""
    with open_store(f"sqlite:///{shutil.copy(one_run(moving()), tmp_path / 'ran.db')}") as store:
        yield store


def reference(store: Store, window: Window, monitor: Monitor | None = None) -> Reference:
    """Return what a window is compared with by what is in the store now."""
    monitor = monitor or moving()
    baseline = find_baseline(monitor, store)
    assert baseline is not None
    return History(monitor, [window], store).reference(window, baseline)


def numbers(store: Store, window: Window, metric: str = "psi", column: str = "amount") -> list[dict]:
    return list(store.results("loans", window.start, window.end, metrics=[metric], columns=[column], segments=[""]))


def check(store: Store, window: Window, monitor: Monitor | None = None) -> None:
    monitor = monitor or moving()
    names = [check.name for check in enabled(monitor) if not check.reads_rows(monitor)]
    assert check_window(monitor, window, names, store) == ()


# --- What a window is compared with -----------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [20, 24, 29, 31])
def test_a_rolling_baseline_counts_the_rows_before_the_window(ran, number):
    """Held against a recount of the raw log."""
    start, end = day(number - 7).start, day(number).start
    log = inference_log.log()
    times = log["asked_at"].dt.tz_localize("UTC")
    before = log[(times >= start) & (times < end)]
    found = reference(ran, day(number))
    for segment, rows in {"": before, **{f"region={name}": part for name, part in before.groupby("region")}}.items():
        columns = found.columns[segment]
        assert {column.rows for name, column in columns.items()} == {len(rows)}
        countries = rows["country"].value_counts()
        shares = dict(
            zip(
                ran.read_baseline(ran.read_profiles("loans", day(20))[0]).bins["country"].labels(),
                columns["country"].counts,
                strict=True,
            )
        )
        assert {name: shares[name] for name in ("DE", "FR", "IT", "ES")} == countries.reindex(
            ["DE", "FR", "IT", "ES"]
        ).to_dict()
        assert columns["age"].nulls == rows["age"].isna().sum()
        assert columns["age"].mean == pytest.approx(rows["age"].mean(), rel=1e-12)
        assert columns["amount"].minimum == rows["amount"].min()
        assert columns["amount"].standard_deviation == pytest.approx(rows["amount"].std(ddof=0), rel=1e-9)
    assert found.windows == 7 - (number in (29, 31))
    (row,) = numbers(ran, day(number))
    assert (row["baseline_rows"], row["detail"]["compared_with"]) == (len(before), found.name)


def test_a_rolling_baseline_is_the_profile_of_one_scan_of_all_of_it(ran, warehouse, tmp_path):
    """Bin by bin."""
    window = Window(day(18).start, day(25).start)
    with open_store(f"sqlite:///{tmp_path / 'long.db'}") as long:
        scan_windows(moving(), [window], warehouse, long)
        _, scanned = long.read_profiles("loans", window)
    found = reference(ran, day(25))
    assert found.columns == {profile.segment: profile.columns for profile in scanned}
    assert str(found.period) == str(window)


@pytest.mark.parametrize("which", QUICK)
def test_results_say_what_they_were_compared_with(undisturbed, which):
    rows = [
        row
        for row in undisturbed(moving(*EVERY[which]))["result"]
        if row["check_name"] in ("data_drift", "prediction_drift")
    ]
    season = {row["detail"]["reference"].partition(":")[0] for row in rows if row["metric"] == "baseline_shift"}
    said = {row["detail"]["compared_with"].partition(":")[0] for row in rows if row["metric"] != "baseline_shift"}
    label = {
        "rolling": "rolling 7d",
        "rolling by 6 hours": "rolling 1d18h",
        "hour of day": "seasonal hour_of_day over 5d",
        "day of week": "seasonal day_of_week over 21d",
        "hour of week": "seasonal hour_of_week over 21d",
    }[which]
    assert label in said
    assert said <= {label, "baseline"}
    # A season is that of all windows, at whatever place of the cycle.
    assert season == {f"rolling {label.rpartition(' ')[2]}"}


def test_a_fixed_baseline_is_as_it_was(warehouse, tmp_path):
    """No row more, no detail more."""
    with open_store(f"sqlite:///{tmp_path / 'fixed.db'}") as store:
        run_windows(inference_log.monitor(), START, END, warehouse=warehouse, store=store)
        rows = list(store.results("loans"))
        assert not any("compared_with" in row["detail"] or row["metric"] == "baseline_shift" for row in rows)


def test_the_tested_window_is_not_in_its_own_baseline(ran):
    """Whatever is stored of the window itself and of later ones, twice as many rows say, is nothing to it."""
    before = {number: reference(ran, day(number)) for number in (SHIFTED, SHIFTED + 1)}
    for number in range(SHIFTED, 32):
        baseline_id, profiles = ran.read_profiles("loans", day(number))
        ran.write_profiles("loans", day(number), [doubled(profile) for profile in profiles], baseline_id)
    assert reference(ran, day(SHIFTED)) == before[SHIFTED]
    assert reference(ran, day(SHIFTED + 1)) != before[SHIFTED + 1]


def doubled(profile):
    columns = {name: column + column for name, column in profile.columns.items()}
    return replace(profile, rows=2 * profile.rows, columns=columns)


def test_what_moved_on_one_day_moved_against_the_days_before_it(ran):
    moved = [number for number in range(20, 32) if numbers(ran, day(number))[0]["status"] == "alarm"]
    assert moved == [SHIFTED]


def test_a_change_far_from_the_period_is_seen(duckdb_url, tmp_path, store: Store):
    """Ten standard deviations above all that the bins were cut from, as July's warm days are above March's."""
    file = shutil.copy(duckdb_url.removeprefix("duckdb:///"), tmp_path / "warm.duckdb")
    with duckdb.connect(str(file)) as database:
        database.execute("UPDATE inference_log SET amount = amount + 200 WHERE asked_at >= TIMESTAMP '2024-03-11'")
    monitor = moving(baseline="{period: {start: 2024-03-01, end: 2024-03-11}, rolling: 7d}")
    with open_warehouse(f"duckdb:///{file}") as warehouse:
        run_windows(monitor, day(22).start, day(24).start, warehouse=warehouse, store=store)
    ((shifted,), (quiet,)) = numbers(store, day(22)), numbers(store, day(23))
    assert (shifted["status"], quiet["status"]) == ("alarm", "ok")
    assert shifted["value"] == pytest.approx(1.0, abs=0.25)  # of normal distributions a standard deviation apart: 1


# --- Incidents, gaps, young monitors ----------------------------------------------------------------------------------


def confirm(store: Store, first: int, last: int, state: str = "confirmed", resolved: int | None = None) -> None:
    """Record an alert that the days from `first` to `last` kept open, and what a person said of it."""
    opened, latest = day(first), day(last)
    row = {
        "alert_id": f"{state} {first}",
        "monitor": "loans",
        "name": "drift",
        "group_key": "",
        "severity": "high",
        "state": state,
        "window_start": opened.start,
        "window_end": opened.end,
        "last_window_start": latest.start,
        "last_window_end": latest.end,
        "resolved_window_end": None if resolved is None else day(resolved).end,
        "columns": ["amount"],
        "message": "amount moved",
    }
    with store.writing("loans") as connection:
        connection.execute(insert(tables.alert), row)


@pytest.mark.parametrize(
    ("first", "last", "resolved", "left_out"),
    [(22, 22, None, {22}), (21, 23, None, {21, 22, 23}), (22, 24, 25, {22, 23, 24}), (15, 18, None, {18})],
)
def test_confirmed_incidents_are_in_nobodys_baseline(ran, first, last, resolved, left_out):
    confirm(ran, first, last, resolved=resolved)
    check(ran, day(25))
    (row,) = numbers(ran, day(25))
    assert row["baseline_rows"] == 480 * (7 - len(left_out))
    assert row["detail"]["compared_with"].startswith(f"rolling 7d: {7 - len(left_out)} windows from ")


@pytest.mark.parametrize("state", ["open", "acknowledged", "resolved", "false_alarm"])
def test_an_alert_that_nobody_confirmed_leaves_nothing_out(ran, state):
    confirm(ran, 22, 23, state)
    assert reference(ran, day(25)).windows == 7


def test_when_all_but_two_windows_are_incidents_the_fixed_baseline_is_back(ran):
    confirm(ran, 20, 24)
    check(ran, day(25))
    (row,) = numbers(ran, day(25))
    assert row["baseline_rows"] == 9600
    assert row["detail"]["compared_with"] == "baseline: rolling 7d holds 2 windows with rows, 3 are needed"


def test_the_first_windows_of_a_period_are_compared_with_the_rest_of_it(warehouse, store: Store):
    """Nothing is before them, and they are not in their own baseline either."""
    run_windows(moving(), day(0).start, day(4).end, warehouse=warehouse, store=store)
    found = [numbers(store, day(number))[0] for number in range(5)]
    assert [row["baseline_rows"] for row in found] == [9600 - 480] * 3 + [3 * 480, 4 * 480]
    assert [row["detail"]["compared_with"] for row in found[:3]] == [
        f"baseline: rolling 7d holds {number} with rows, 3 are needed, without this window"
        for number in ("no window", "1 window", "2 windows")
    ]
    assert found[3]["detail"]["compared_with"].startswith("rolling 7d: 3 windows from ")


def test_a_column_that_few_earlier_windows_have_is_compared_with_the_rest_of_the_period(warehouse, store: Store):
    """Of the column alone, the others have their earlier windows."""
    monitor = moving()
    run_windows(monitor, day(0).start, day(5).end, warehouse=warehouse, store=store)
    for number in range(4):
        baseline_id, profiles = store.read_profiles("loans", day(number))
        without = [
            replace(profile, columns={name: its for name, its in profile.columns.items() if name != "amount"})
            for profile in profiles
        ]
        store.write_profiles("loans", day(number), without, baseline_id)
    check(store, day(5), monitor)
    (amount,), (age,) = numbers(store, day(5)), numbers(store, day(5), column="age")
    assert (amount["baseline_rows"], age["baseline_rows"]) == (9600 - 480, 5 * 480)
    assert amount["detail"]["compared_with"].endswith(" holds 1 window with rows, 3 are needed, without this window")
    assert "without" not in age["detail"]["compared_with"]


def test_an_empty_window_and_an_unreadable_column_add_nothing(ran):
    assert reference(ran, day(EMPTY + 1)).windows == 6
    baseline_id, profiles = ran.read_profiles("loans", day(23))
    without = [
        replace(
            profile,
            columns={name: column for name, column in profile.columns.items() if name != "amount"},
            unreadable={"amount": "column 'amount' was in the baseline and is not in table 'inference_log' any more"},
        )
        for profile in profiles
    ]
    ran.write_profiles("loans", day(23), without, baseline_id)
    found = reference(ran, day(25))
    assert (found.columns[""]["amount"].rows, found.columns[""]["age"].rows) == (6 * 480, 7 * 480)


def test_a_young_monitor_is_compared_with_its_table_and_says_so(warehouse, store: Store):
    """With a table nothing before `start` is looked at: the log may hold anything there."""
    monitor = moving(baseline="{table: inference_log, rolling: 7d}")
    run_windows(monitor, START, END, warehouse=warehouse, store=store)
    said = [numbers(store, day(number))[0]["detail"]["compared_with"] for number in range(20, 25)]
    assert said == [
        "baseline: rolling 7d holds no window with rows, 3 are needed",
        "baseline: rolling 7d holds 1 window with rows, 3 are needed",
        "baseline: rolling 7d holds 2 windows with rows, 3 are needed",
        "rolling 7d: 3 windows from 2024-03-21T00:00Z to 2024-03-24T00:00Z",
        "rolling 7d: 4 windows from 2024-03-21T00:00Z to 2024-03-25T00:00Z",
    ]
    rows = [numbers(store, day(number))[0]["baseline_rows"] for number in range(20, 25)]
    assert rows == [len(inference_log.log())] * 3 + [3 * 480, 4 * 480]
    assert [numbers(store, day(number), "baseline_shift") for number in range(20, 23)] == [[]] * 3
    assert store.profiled_windows("loans", None, None) == DAYS


def test_what_was_pruned_is_missing_in_a_check_and_made_again_by_a_scan(ran, warehouse):
    before = reference(ran, day(25))
    prune(ran, "2024-03-23")
    assert reference(ran, day(25)).windows == 3
    scan_windows(moving(), [day(25)], warehouse, ran)
    assert reference(ran, day(25)) == before


# --- The look-back is made --------------------------------------------------------------------------------------------


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


def test_what_is_missing_of_the_look_back_is_read_in_the_same_scan_and_never_again(store: Store, warehouse, scanned):
    """Seven days before the window; what they were compared with themselves only of those after the period."""
    for number in (20, 21, 22):
        run_windows(moving(), day(number).start, day(number).end, warehouse=warehouse, store=store)
    assert scanned == [[day(number) for number in range(13, 21)], [day(21)], [day(22)]]
    assert store.profiled_windows("loans", None, None) == tuple(day(number) for number in range(13, 23))
    assert [run.window for run in store.window_runs("loans", day(0).start, END)] == list(DAYS[:3])
    assert {row["window_start"] for row in store.query("SELECT window_start FROM check_run")} == {
        window.start for window in DAYS[:3]
    }


def test_a_season_reads_only_its_own_windows(tmp_path, warehouse, scanned):
    monitor = moving("seasonal: {by: day_of_week, over: 3w}")
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store:
        scan_windows(monitor, [day(25)], warehouse, store)
    assert scanned == [[day(4), day(11), day(18), day(23), day(24), day(25)]]  # and two in which a column may be stale


def test_nothing_before_the_period_is_read(tmp_path, warehouse, scanned):
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store:
        scan_windows(moving("rolling: 60d"), [day(20)], warehouse, store)
    assert scanned == [[day(number) for number in range(21)]]


def test_a_finished_window_that_is_looked_back_on_stays_as_it_is(ran, warehouse):
    before = contents(ran, *inference_log.TABLES, "window_run")
    scan_windows(moving(), [day(31)], warehouse, ran)
    names = [each.name for each in enabled(moving())]
    assert check_window(moving(), day(31), names, ran, samples=Samples(moving(), warehouse, [day(31)])) == ()
    close_window(moving(), day(31), ran, NOW)
    after = contents(ran, *inference_log.TABLES, "window_run")
    assert [row for row in after["window_run"] if row["window_start"] != day(31).start] == [
        row for row in before["window_run"] if row["window_start"] != day(31).start
    ]
    del before["window_run"], after["window_run"]
    assert after == before


class Interrupted(Store):
    """A store that lets something happen once, when a window is about to be written."""

    def __init__(self, store: Store, window: Window, happens: Callable[[], object]) -> None:
        super().__init__(store.engine)
        self.what_happens = {window: happens}

    @contextmanager
    def writing(self, monitor: str, window: Window | None = None) -> Iterator[Connection]:
        if window in self.what_happens:
            self.what_happens.pop(window)()
        with super().writing(monitor, window) as connection:
            yield connection


def test_a_run_of_a_window_that_others_look_back_on_is_not_disturbed(store: Store, duckdb_url, warehouse):
    """It is scanned, checked and closed while another scan has found it missing and is about to write it."""
    monitor = moving()

    def meanwhile() -> None:
        with open_warehouse(duckdb_url) as another:
            run_windows(monitor, day(22).start, day(22).end, warehouse=another, store=store)
        finished.append(contents(store, "window_run", "check_run", "result"))

    finished: list[dict] = []
    interrupted = Interrupted(store, day(22), meanwhile)
    scan_windows(monitor, [day(25)], warehouse, interrupted)
    assert not interrupted.what_happens
    assert contents(store, "window_run", "check_run", "result") == finished[0]
    assert len(finished[0]["window_run"]) == 1
    assert close_window(monitor, day(22), store, NOW).state == "done"


def test_a_profile_on_another_baseline_is_counted_anew_and_its_results_stay(store: Store, warehouse):
    """The bins of the two are others. What was found on the old ones stays, and says on which."""
    old = moving(baseline="{period: {start: 2024-03-01, end: 2024-03-11}, rolling: 7d}")
    run_windows(old, START, day(23).end, warehouse=warehouse, store=store)
    before = contents(store, "result", "window_run")
    scan_windows(moving(), [day(24)], warehouse, store)
    assert contents(store, "result", "window_run") == before
    check(store, day(24))
    assert reference(store, day(24)).windows == 7
    ids = {store.read_profiles("loans", day(number))[0] for number in range(16, 25)}
    assert len(ids) == 1
    assert close_window(moving(), day(23), store, NOW).state == "failed"


@pytest.mark.parametrize("schedule", ["0 0 * * 1", "0 0 */9 * *"])
def test_longer_windows_that_were_rolled_up_are_used_where_they_lie_inside(ran, warehouse, schedule, scanned):
    """Weeks since Mondays, days 3, 10, 17 and 24; those that the look-back only touches are read again, day by day."""
    monitor = moving("rolling: 14d")
    scan_windows(monitor, DAYS, warehouse, ran)
    fresh = {number: reference(ran, day(number), monitor) for number in (24, 26, 31)}
    made = rollup(ran, "2024-03-28", schedule)["loans"]
    assert made
    scanned.clear()
    for number, before in fresh.items():
        scan_windows(monitor, [day(number)], warehouse, ran)
        found = reference(ran, day(number), monitor)
        assert (found.name, without_totals(found)) == (before.name, without_totals(before))
        totals = [of.columns[""]["amount"].total for of in (found, before)]
        assert totals[0] == pytest.approx(totals[1], rel=1e-14)
    if schedule == "0 0 * * 1":
        assert scanned[0] == [day(number) for number in range(17, 25)]  # day 23: a column may be stale


def without_totals(of: Reference) -> dict:
    """Leave out the sums of so many rows that they are no longer exact: their last place depends on the order."""
    return {
        segment: {name: replace(column, total=None, total_squares=None) for name, column in columns.items()}
        for segment, columns in of.columns.items()
    }


# --- The laws ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("empty_url", "which"),
    [
        ("sqlite", "rolling"),
        *(pytest.param("sqlite", each, marks=pytest.mark.integration) for each in EVERY if each != "rolling"),
        *(pytest.param("postgresql", each, marks=pytest.mark.integration) for each in ("rolling", "hour of week")),
    ],
    indirect=["empty_url"],
)
def test_law_1_running_again_changes_no_row(store: Store, warehouse, undisturbed, which):
    for _ in range(2):
        run_windows(moving(*EVERY[which]), START, END, warehouse=warehouse, store=store)
        assert contents(store) == undisturbed(moving(*EVERY[which]))


# What is looked back on is there in one order and not in another; a rolling baseline and a season try every order.
@pytest.mark.integration
@pytest.mark.parametrize(
    ("which", "order"),
    [
        *((each, "shuffled") for each in EVERY),
        *((each, order) for each in ("rolling", "hour of day") for order in ("forwards", "backwards")),
    ],
)
def test_law_2_one_by_one_in_any_order_comes_to_the_same_rows(tmp_path, warehouse, undisturbed, which, order):
    monitor = moving(*EVERY[which])
    windows = list(monitor.schedule.windows(START, END))
    {"forwards": list, "backwards": list.reverse, "shuffled": random.Random(1).shuffle}[order](windows)
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store:
        for window in windows:
            run_windows(monitor, window.start, window.end, warehouse=warehouse, store=store)
        assert contents(store) == undisturbed(moving(*EVERY[which]))


@pytest.mark.integration
def test_law_2_step_by_step_as_airflow_does_comes_to_the_same_rows(store: Store, warehouse, undisturbed):
    monitor = moving()
    for window in reversed(DAYS):
        scan_windows(monitor, [window], warehouse, store)
        for each in reversed(enabled(monitor)):
            check_window(monitor, window, [each.name], store, samples=Samples(monitor, warehouse, [window]))
        assert close_window(monitor, window, store, NOW).state == ("empty" if window == day(EMPTY) else "done")
    assert contents(store) == undisturbed(moving())


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "loans.yaml"
    period = "period: {start: 2024-03-01, end: 2024-03-21}"
    path.write_text(inference_log.MONITOR.format(checks=ALONE).replace(period, f"{period}, {ROLLING}"))
    return path


@pytest.mark.integration
def test_law_2_in_two_processes_comes_to_the_same_rows(empty_url, duckdb_url, undisturbed, file):
    """The later half looks back on what the other is writing."""
    migrate(empty_url)
    processes = [
        PROCESSES.Process(
            target=inference_log.run_in_process,
            args=(str(file), duckdb_url, empty_url, day(first).start, day(last).start),
        )
        for first, last in [(20, 26), (24, 32)]
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=120)
    assert [process.exitcode for process in processes] == [0] * 2
    with open_store(empty_url) as store:
        assert contents(store) == undisturbed(moving())


@pytest.mark.integration
def test_law_3_a_killed_run_is_completed_by_the_next(tmp_path, duckdb_url, warehouse, undisturbed, file, monkeypatch):
    monkeypatch.setenv("MONITORING_WAREHOUSE_LOANS", duckdb_url)
    moments = random.Random(20240301)
    left = []
    period = ("--start", format_instant(START), "--end", format_instant(END))
    for number in range(6):
        url = f"sqlite:///{tmp_path / f'{number}.db'}"
        migrate(url)
        monkeypatch.setenv("MONITORING_RESULTS_URL", url)
        command = [sys.executable, "-m", "monitoring_tasks", "run", str(file), *period]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            assert process.stderr is not None
            assert process.stderr.readline().startswith(b"Measure the baseline")
            time.sleep(moments.uniform(0.0, 0.5))
            os.kill(process.pid, signal.SIGKILL)
            process.wait(timeout=60)
        with open_store(url) as store:
            left.append(len(store.profiled_windows("loans", None, None)))
            run_windows(moving(), START, END, warehouse=warehouse, store=store)
            assert contents(store) == undisturbed(moving())
    assert len(set(left)) > 1


def test_bounded_memory_changes_no_row(store: Store, warehouse, undisturbed, monkeypatch):
    monkeypatch.setattr(history, "KEPT", 1)
    run_windows(moving(), START, END, warehouse=warehouse, store=store)
    assert contents(store) == undisturbed(moving())


def test_a_bulk_run_reads_each_profile_once(store: Store, warehouse, monkeypatch):
    read: list[Window] = []
    real = Store.profiles_of

    def profiles_of(self, monitor, windows):
        for found in real(self, monitor, windows):
            read.append(found[0])
            yield found

    monkeypatch.setattr(Store, "profiles_of", profiles_of)
    run_windows(moving(), START, END, warehouse=warehouse, store=store)
    assert sorted(read) == [day(number) for number in range(13, 31)]


def test_operations_alone_compare_with_what_they_do_beside_the_others(ran):
    """Latencies and errors are held against the reference: a task of that check alone must know it too."""

    window = day(25)

    def found() -> list[dict]:
        return list(ran.results("loans", window.start, window.end, checks=["operations"]))

    before = found()
    assert any("compared_with" in row["detail"] for row in before)
    assert check_window(moving(), window, ["operations"], ran) == ()
    assert found() == before


@pytest.mark.integration
def test_hourly_windows_over_both_changes_of_the_clocks_have_their_season(tmp_path, warehouse):
    """In New York, 3 March to 12 March: every hour is compared with the same hour of the wall clock of days before."""
    zone = "America/New_York"
    monitor = moving(
        baseline="{period: {start: 2024-03-01, end: 2024-03-05}, seasonal: {by: hour_of_day, over: 4d}}",
        schedule=f'"@hourly"\ntimezone: {zone}',
        start="2024-03-05",
        checks="{data_drift: {minimum_rows: 5}}",
    )
    start, end = parse_instant("2024-03-10", zone), parse_instant("2024-03-12", zone)
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store:
        run_windows(monitor, start, end, warehouse=warehouse, store=store)
        log = inference_log.log()["asked_at"].dt.tz_localize("UTC").dt.tz_convert(zone)
        for window in monitor.schedule.windows(start, end):
            begins = window.start.astimezone(log.dt.tz)
            first = (begins.replace(tzinfo=None) - timedelta(days=4)).date()
            dates = log.dt.date
            expected = ((log.dt.hour == begins.hour) & (dates >= first) & (dates < begins.date())).sum()
            (row,) = numbers(store, window)
            assert row["baseline_rows"] == expected, window


@pytest.mark.integration
def test_a_daily_cycle_is_no_change_of_season_and_one_that_is_is_said_once(tmp_path):
    """A value that follows the hour, and is warmer from the 14th on: no hour is like all hours, every day is."""
    with duckdb.connect(str(tmp_path / "log.duckdb")) as log:
        log.execute(
            "CREATE TABLE inference_log AS SELECT number AS id, hour + INTERVAL (row) MINUTE AS asked_at, 1 AS one, "
            "5 * sin(hour(hour) * pi() / 12) + hash(number) % 1000 / 500 + if(hour >= '2024-03-14', 9, 0) AS amount "
            "FROM (SELECT hour, row, row_number() OVER () AS number FROM generate_series(TIMESTAMP '2024-03-01', "
            "TIMESTAMP '2024-03-20', INTERVAL 1 HOUR) hours(hour), range(60) rows(row))"
        )
    monitor = parse_monitor(
        "{monitor: loans, schedule: '@hourly', start: 2024-03-11, warehouse: loans, task: regression, "
        "inference_log: {table: inference_log, timestamp: asked_at, key: id, features: [amount], prediction: one}, "
        "baseline: {period: {start: 2024-03-01, end: 2024-03-11}, seasonal: {by: hour_of_day, over: 4d}}, "
        "checks: {multivariate_drift: off}}",
        environ={},
    )
    url = f"duckdb:///{tmp_path / 'log.duckdb'}"
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store, open_warehouse(url) as warehouse:
        run_windows(monitor, day(10).start, day(18).end, warehouse=warehouse, store=store)
        rows = list(store.results("loans", metrics=["baseline_shift"], columns=["amount"]))
        assert [row["window_start"] for row in rows] == [day(number).start for number in range(10, 19)]
        assert [row["window_start"].day for row in rows if row["value"] > 0.1] == [15, 16, 17, 18, 19]
        assert [row["window_start"].day for row in rows if row["status"] == "warning"] == [15]
        assert rows[4]["message"].startswith("amount: the 4 days before this window differ from the baseline's period")
