"""Rows come after their window was read: it is read again, and the results are those of one run over everything."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from monitoring_tasks.airflow import tasks
from monitoring_tasks.checks import enabled, families
from monitoring_tasks.config import Monitor
from monitoring_tasks.late_rows import beside
from monitoring_tasks.results.migrate import migrate
from monitoring_tasks.results.retention import rollup
from monitoring_tasks.results.store import Store, open_store
from monitoring_tasks.run import check_window, close_window, run_windows, scan_windows, waiting_windows
from monitoring_tasks.warehouse.engine import open_warehouse
from monitoring_tasks.window import Window
from tests import inference_log, labelled_log
from tests.inference_log import END, START, contents, day
from tests.labelled_log import execute

FEW = "multivariate_drift: off, prediction_drift: off, data_drift: {metrics: [psi]}"
"""What costs most of a run is off."""

CHECKS = f"{{{FEW}, operations: {{late_rows: %s}}}}"
OF_LABELS = f"{{{FEW}, estimated_performance: off, concept_drift: {{look_back: 3}}, operations: {{late_rows: 3d}}}}"
HELD_BACK = "asked_at >= '2024-03-23 10:00' AND asked_at < '2024-03-23 18:00'"
"""Rows of day 22 that are loaded late."""

MONITOR = inference_log.monitor(CHECKS % "1d")
ROLLING = inference_log.monitor(CHECKS % "3d", baseline="{period: {start: 2024-03-01, end: 2024-03-21}, rolling: 4d}")
LABELLED = labelled_log.monitor(OF_LABELS)
MONITORS = {"fixed": MONITOR, "rolling": ROLLING, "labelled": LABELLED}


Rows = dict[str, list[dict[str, Any]]]


def watch(monitor: Monitor, url: str, store: Store, first: Window, last: Window | None = None) -> None:
    with open_warehouse(url) as warehouse:
        run_windows(monitor, first.start, (last or first).end, warehouse=warehouse, store=store)


def hold_back(url: str, where: str = HELD_BACK) -> None:
    execute(url, f"CREATE TABLE held AS SELECT * FROM inference_log WHERE {where}")
    execute(url, f"DELETE FROM inference_log WHERE {where}")


def load(url: str) -> None:
    execute(url, "INSERT INTO inference_log SELECT * FROM held", "DROP TABLE held")


def final(store: Store, monitor: Monitor) -> Rows:
    """Return what must be a function of the warehouse: all but clocks, and what only a second reading can know."""
    names = labelled_log.TABLES if monitor.labels else inference_log.TABLES
    rows = contents(store, *names, "window_run")
    clocks = {"window_run": ("computed_at", "seconds"), "traffic": ("late_rows",)}
    clocks |= {"window_labels": ("read_through", "read_labels"), "labelled_baseline": ("read_through", "read_labels")}
    for name, its in clocks.items():
        for row in rows.get(name, []):
            for column in its:
                del row[column]
    return rows


def assert_same(found: Rows, expected: Rows) -> None:
    for name, rows in expected.items():
        pairs = zip(found[name], rows, strict=False)
        differing = [{key: (a[key], b[key]) for key in b if a[key] != b[key]} for a, b in pairs if a != b]
        assert not differing, (name, differing[0])
        assert len(found[name]) == len(rows), name


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A warehouse to which all rows have come: tests read it, none writes."""
    return labelled_log.to_duckdb(tmp_path_factory.mktemp("loaded") / "loans.duckdb", labelled_log.arrived(None, END))


@pytest.fixture
def url(loaded: str, tmp_path: Path) -> str:
    """A warehouse of its own, in which rows of day 22 are held back."""
    shutil.copy(loaded.removeprefix("duckdb:///"), tmp_path / "loans.duckdb")
    own = f"duckdb:///{tmp_path / 'loans.duckdb'}"
    hold_back(own)
    return own


@pytest.fixture
def mine(tmp_path: Path) -> Iterator[Store]:
    """A store of its own, on SQLite."""
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store:
        yield store


@pytest.fixture(scope="module")
def undelayed(loaded: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Rows]:
    """Return what the tables hold after a first run of five days over the full data."""

    @cache
    def rows(name: str) -> Rows:
        with open_store(f"sqlite:///{tmp_path_factory.mktemp('undelayed') / 'results.db'}") as store:
            watch(MONITORS[name], loaded, store, day(20), day(24))
            return final(store, MONITORS[name])

    return rows


@pytest.fixture(scope="module")
def run_before(loaded: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a folder with a warehouse in which rows are held back, and a store into which days 20 to 23 were run."""

    @cache
    def folder(name: str) -> Path:
        found = tmp_path_factory.mktemp("before")
        shutil.copy(loaded.removeprefix("duckdb:///"), found / "loans.duckdb")
        url = f"duckdb:///{found / 'loans.duckdb'}"
        hold_back(url)
        with open_store(f"sqlite:///{found / 'results.db'}") as store:
            watch(MONITORS[name], url, store, day(20), day(23))
        return found

    return folder


@pytest.fixture
def before(run_before: Callable[[str], Path], tmp_path: Path) -> Iterator[Callable[[str], tuple[str, Store]]]:
    """Return such a warehouse, to which the rows have come by now, and a store of this test's own."""
    with ExitStack() as stack:

        def copied(name: str) -> tuple[str, Store]:
            for file in run_before(name).iterdir():
                shutil.copy(file, tmp_path)
            url = f"duckdb:///{tmp_path / 'loans.duckdb'}"
            load(url)
            return url, stack.enter_context(open_store(f"sqlite:///{tmp_path / 'results.db'}"))

        yield copied


def late_of(store: Store) -> dict[int, int]:
    return {(window.start - day(0).start).days: rows for window, rows in store.late_rows("loans", START, END).items()}


def test_a_window_with_late_rows_is_read_again_by_the_next_run(url: str, mine: Store, undelayed) -> None:
    watch(MONITOR, url, mine, day(20), day(22))
    before = mine.window_runs("loans", day(22).start, day(22).end)[0].rows
    load(url)
    watch(MONITOR, url, mine, day(23))
    watch(MONITOR, url, mine, day(24))
    assert_same(final(mine, MONITOR), undelayed("fixed"))
    (run,) = mine.window_runs("loans", day(22).start, day(22).end)
    assert (run.state, run.rows) == ("done", inference_log.ROWS)
    assert before is not None
    assert late_of(mine) == {22: inference_log.ROWS - before}
    assert inference_log.ROWS - before > 100
    assert mine.waiting("loans") == ()


@pytest.mark.parametrize("name", ["rolling", pytest.param("labelled", marks=pytest.mark.integration)])
def test_windows_that_were_compared_with_it_meanwhile_are_compared_anew(name: str, before, undelayed) -> None:
    """Day 23 was run before the rows of day 22 came: a rolling baseline holds them, and a detector saw their labels."""
    url, store = before(name)
    watch(MONITORS[name], url, store, day(24))
    assert_same(final(store, MONITORS[name]), undelayed(name))


def test_only_windows_that_look_at_it_are_compared_anew(url: str, mine: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Days 23 and 24 may say that a column is stale since day 22; day 25 looks at two days, and at day 18."""
    asked = []
    original = Store.run_again
    monkeypatch.setattr(Store, "run_again", lambda self, *its: asked.append(list(its[1])) or original(self, *its))
    monitor = inference_log.monitor(CHECKS % "7d")
    watch(monitor, url, mine, day(20), day(25))
    load(url)
    watch(monitor, url, mine, day(26))
    assert asked == [[day(23), day(24)], []], "or those that another run has run meanwhile"
    assert [run.state for run in mine.window_runs("loans", day(20).start, day(27).end)] == ["done"] * 7


def test_a_run_of_earlier_windows_has_later_ones_compared_anew(before, undelayed) -> None:
    """Day 23 is run again after day 24 had looked at day 22."""
    url, store = before("rolling")
    hold_back(url)
    watch(ROLLING, url, store, day(24))
    load(url)
    watch(ROLLING, url, store, day(23))
    assert_same(final(store, ROLLING), undelayed("rolling"))


def test_a_window_that_is_run_again_by_hand_has_later_ones_compared_anew(before, undelayed) -> None:
    """Rows have come to day 22, which is cleared in Airflow: day 23, which was compared with it, cannot stay."""
    url, store = before("rolling")
    watch(ROLLING, url, store, day(22))
    watch(ROLLING, url, store, day(24))
    assert_same(final(store, ROLLING), undelayed("rolling"))


def test_late_rows_of_a_window_that_was_only_looked_back_on_count_as_well(
    url: str, mine: Store, tmp_path: Path
) -> None:
    """Day 23 is the first that is run, and is compared with day 22."""
    watch(ROLLING, url, mine, day(23))
    load(url)
    watch(ROLLING, url, mine, day(24))
    watch(ROLLING, url, mine, day(25))
    with open_store(f"sqlite:///{tmp_path / 'first.db'}") as first:
        watch(ROLLING, url, first, day(23), day(25))
        expected = final(first, ROLLING)
    found = final(mine, ROLLING)
    assert_same({**found, "traffic": expected["traffic"]}, expected)
    assert [run.state for run in mine.window_runs("loans", START, END)] == ["done"] * 3
    assert mine.waiting("loans") == ()


def test_windows_that_are_longer_than_the_time_looked_back_are_looked_at_by_the_next_run(url: str, mine: Store) -> None:
    """Of three days, by a run that looks one day back."""
    monitor = inference_log.monitor(CHECKS % "1d", schedule='"0 0 */3 * *"')
    first, second, third = monitor.schedule.windows(day(21).start, day(30).start)
    watch(monitor, url, mine, first)
    load(url)
    watch(monitor, url, mine, second)
    assert [*mine.late_rows("loans", START, END)] == [first]
    watch(monitor, url, mine, third)
    assert {run.state for run in mine.window_runs("loans", START, END)} == {"done"}


def test_late_rows_of_a_window_that_the_version_before_has_read_are_found(url: str, mine: Store) -> None:
    """It has stored no traffic, only how many rows the profile counted."""
    watch(MONITOR, url, mine, day(22))
    (before,) = mine.window_runs("loans", day(22).start, day(22).end)
    with mine.engine.begin() as connection:
        connection.execute(text("DELETE FROM traffic"))
        connection.execute(text("UPDATE profile SET type = NULL"))
    watch(MONITOR, url, mine, day(23))
    assert mine.window_runs("loans", day(22).start, day(22).end) == (before,)
    with mine.engine.begin() as connection:
        connection.execute(text("DELETE FROM traffic"))
    load(url)
    watch(MONITOR, url, mine, day(23))
    (run,) = mine.window_runs("loans", day(22).start, day(22).end)
    assert (run.state, run.rows) == ("done", inference_log.ROWS)
    assert late_of(mine) == {22: inference_log.ROWS - (before.rows or 0)}


def test_rows_that_vanish_are_late_rows_below_zero(url: str, mine: Store) -> None:
    load(url)
    watch(MONITOR, url, mine, day(20), day(22))
    execute(url, f"DELETE FROM inference_log WHERE {HELD_BACK}")
    watch(MONITOR, url, mine, day(23))
    (run,) = mine.window_runs("loans", day(22).start, day(22).end)
    assert run.rows is not None
    assert run.rows < inference_log.ROWS
    assert late_of(mine) == {22: run.rows - inference_log.ROWS}


def test_a_window_that_loses_all_its_rows_is_empty(url: str, mine: Store) -> None:
    watch(MONITOR, url, mine, day(22))
    execute(url, "DELETE FROM inference_log WHERE asked_at >= '2024-03-23' AND asked_at < '2024-03-24'")
    watch(MONITOR, url, mine, day(23))
    (run,) = mine.window_runs("loans", day(22).start, day(22).end)
    assert (run.state, run.rows) == ("empty", 0)


@pytest.mark.parametrize("how", ["0", "off"])
def test_late_rows_are_not_looked_for_where_the_file_says_so(how: str, url: str, mine: Store) -> None:
    checks = CHECKS % "0" if how == "0" else "{multivariate_drift: off, operations: off}"
    monitor = inference_log.monitor(checks)
    watch(monitor, url, mine, day(22))
    load(url)
    watch(monitor, url, mine, day(23))
    assert late_of(mine) == {}
    watch(monitor, url, mine, day(22))  # by hand it is read again all the same, and what came is said
    assert late_of(mine)[22] > 100


def test_rows_that_come_after_the_time_that_is_looked_back_stay_unread(url: str, mine: Store) -> None:
    watch(MONITOR, url, mine, day(20), day(23))
    load(url)
    watch(MONITOR, url, mine, day(24))
    assert late_of(mine) == {}


def test_late_rows_add_up_over_several_readings(url: str, mine: Store) -> None:
    watch(ROLLING, url, mine, day(22))
    execute(url, "INSERT INTO inference_log SELECT * FROM held LIMIT 7", "DELETE FROM held WHERE rowid < 7")
    watch(ROLLING, url, mine, day(23))
    assert late_of(mine) == {22: 7}
    execute(url, "INSERT INTO inference_log SELECT * FROM held LIMIT 5")
    watch(ROLLING, url, mine, day(24))
    assert late_of(mine) == {22: 12}


def test_a_window_without_late_rows_is_not_read_again(url: str, mine: Store) -> None:
    watch(ROLLING, url, mine, day(20), day(22))
    (before,) = mine.window_runs("loans", day(22).start, day(22).end)
    watch(ROLLING, url, mine, day(23))
    assert mine.window_runs("loans", day(22).start, day(22).end) == (before,)


def test_a_window_on_the_baseline_of_before_an_edit_is_left_as_it_is(url: str, mine: Store) -> None:
    """Its results are results on the other baseline; so are those of the windows between, which keep their record."""
    checks = CHECKS % "3d"
    before = inference_log.monitor(checks)
    after = inference_log.monitor(checks, baseline="{period: {start: 2024-03-02, end: 2024-03-21}}")
    watch(before, url, mine, day(20), day(23))
    runs = mine.window_runs("loans", START, day(23).end)
    load(url)
    watch(after, url, mine, day(24))
    assert [run.state for run in mine.window_runs("loans", START, day(24).end)] == ["done"] * 5
    # Days 22 and 23 are looked back on for stale columns and have a profile on the new baseline now.
    assert mine.window_runs("loans", START, day(22).start) == runs[:2]
    assert mine.waiting("loans") == ()


def test_windows_that_were_rolled_up_are_left_alone(url: str, mine: Store) -> None:
    hourly = inference_log.monitor(CHECKS % "2d", schedule='"6h"')
    watch(hourly, url, mine, day(22), day(23))
    assert rollup(mine, day(23).start, "1d") == {"loans": (day(22),)}
    load(url)
    watch(hourly, url, mine, day(24))
    runs = mine.window_runs("loans", day(22).start, day(24).end)
    assert [run.state for run in runs if run.rows] == ["done"] * 11  # no row has come from 12 to 18
    assert late_of(mine) == {}
    assert mine.waiting("loans") == ()


def test_windows_of_another_schedule_are_not_read_into_those_of_the_run(url: str, mine: Store) -> None:
    """A daily monitor becomes one of six hours; what those look back on lies in the day whose rows came late."""
    watch(inference_log.monitor(CHECKS % "3d"), url, mine, day(21), day(22))
    load(url)
    shorter = inference_log.monitor(CHECKS % "3d", schedule='"6h"')
    watch(shorter, url, mine, day(23))
    runs = mine.window_runs("loans", day(22).start, day(23).end)
    assert [run.state for run in runs] == ["done"] * 5
    assert [run.rows for run in runs][1:] == [
        sum(
            part.start.replace(tzinfo=None) <= at < part.end.replace(tzinfo=None) for at in inference_log.log().asked_at
        )
        for part in shorter.schedule.windows(day(23).start, day(23).end)
    ]


def test_beside_leaves_out_what_overlaps() -> None:
    half = Window(day(1).start, day(1).start + timedelta(hours=12))
    assert beside([day(0), half, day(2)], [day(1)]) == {day(0), day(2)}
    assert beside([day(0), day(1)], [day(1), day(3)]) == {day(0), day(1)}
    assert beside([half], []) == {half}


# Killed, and side by side.

STEPS = [
    ("run_again", False),
    ("run_again", True),
    ("write_profiles", False),
    ("write_profiles", True),
    ("write_results", True),
    ("write_window_run", False),
]
"""The writes of a run, and whether it is killed right after the first of the kind or before it."""


class KilledError(BaseException):
    """What nothing catches, like the end of the process."""


@pytest.mark.parametrize(("step", "after"), STEPS)
def test_killed_at_any_write_the_next_run_completes_it(
    step: str, after: bool, before, undelayed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then the next run finds what is missing."""
    url, mine = before("rolling")
    original = getattr(Store, step)

    def dying(self: Store, *its: Any, **more: Any) -> Any:
        if after:
            original(self, *its, **more)
        raise KilledError

    monkeypatch.setattr(Store, step, dying)
    with pytest.raises(KilledError):
        watch(ROLLING, url, mine, day(24))
    monkeypatch.undo()
    watch(ROLLING, url, mine, day(24))
    assert mine.waiting("loans") == ()
    assert_same(final(mine, ROLLING), undelayed("rolling"))


def test_killed_before_the_file_is_edited_the_next_run_completes_it_on_the_new_baseline(
    before, loaded: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, mine = before("fixed")
    original = Store.write_profiles

    def dying(self: Store, *its: Any, **more: Any) -> Any:
        original(self, *its, **more)
        raise KilledError

    monkeypatch.setattr(Store, "write_profiles", dying)
    checks = CHECKS.replace("operations", "data_quality: {stale_windows: 1}, operations") % "3d"
    near = inference_log.monitor(checks)  # none looks back at day 22, which would read it for that
    with pytest.raises(KilledError):
        watch(near, url, mine, day(24))
    monkeypatch.undo()
    assert day(22) in mine.waiting("loans")
    edited = inference_log.monitor(checks, baseline="{period: {start: 2024-03-02, end: 2024-03-21}}")
    watch(edited, url, mine, day(24))
    assert mine.waiting("loans") == ()
    with open_store(f"sqlite:///{tmp_path / 'first.db'}") as first:
        watch(edited, loaded, first, day(22), day(24))
        expected, found = (
            [row for row in rows if row["window_start"] == day(22).start]
            for rows in (final(store, edited)["result"] for store in (first, mine))
        )
    assert found == expected


def test_another_run_that_forgets_checks_of_a_window_before_it_is_closed_fails_neither(
    before, undelayed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While day 24 is checked, another run finds late rows of day 22 and has what was compared with it run again."""
    url, mine = before("rolling")
    hold_back(url)
    original = Store.write_results

    def disturbed(self: Store, monitor: str, window: Window, check: str, *its: Any, **more: Any) -> Any:
        original(self, monitor, window, check, *its, **more)
        if (window, check) == (day(24), "operations"):
            monkeypatch.undo()
            warehouse.close()
            load(url)
            with open_warehouse(url) as other:
                scan_windows(ROLLING, [day(25)], other, mine)

    monkeypatch.setattr(Store, "write_results", disturbed)
    with ExitStack() as warehouse:
        opened = warehouse.enter_context(open_warehouse(url))
        (run,) = run_windows(ROLLING, day(24).start, day(24).end, warehouse=opened, store=mine)
    assert run.state == "done"
    watch(ROLLING, url, mine, day(24))
    assert mine.waiting("loans") == ()
    found = final(mine, ROLLING)["result"]
    assert [row for row in found if row["window_start"] < day(25).start] == undelayed("rolling")["result"]


def test_another_run_that_compares_with_the_old_rows_meanwhile_is_run_again(
    before, undelayed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While day 24's run reads day 22 again, another process runs day 23 and what waits, all on the old rows."""
    url, mine = before("rolling")
    original = Store.write_profiles

    def disturbed(self: Store, monitor: str, window: Window, *its: Any, **more: Any) -> Any:
        if window == day(22):
            monkeypatch.undo()
            names = [check.name for check in enabled(ROLLING)]
            for each in waiting_windows(ROLLING, mine):
                steps_of(each, names)
        return original(self, monitor, window, *its, **more)

    def steps_of(window: Window, names: list[str]) -> None:
        check_window(ROLLING, window, names, mine)
        assert close_window(ROLLING, window, mine, END).state == "done"

    monkeypatch.setattr(Store, "write_profiles", disturbed)
    watch(ROLLING, url, mine, day(24))
    assert mine.waiting("loans") == ()
    assert_same(final(mine, ROLLING), undelayed("rolling"))


def test_two_runs_that_find_the_same_late_rows_come_to_the_same(before, undelayed) -> None:
    """The second scans while the first has scanned and not checked yet."""
    url, mine = before("rolling")
    with open_warehouse(url) as warehouse:
        assert day(22) in scan_windows(ROLLING, [day(24)], warehouse, mine)
    watch(ROLLING, url, mine, day(24))
    assert late_of(mine) == {22: late_of(mine)[22]}
    assert_same(final(mine, ROLLING), undelayed("rolling"))


def test_airflows_tasks_run_a_window_with_late_rows(
    before, undelayed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url, store = before("rolling")
    monkeypatch.setenv("MONITORING_RESULTS_URL", f"sqlite:///{tmp_path / 'results.db'}")
    monkeypatch.setenv("MONITORING_WAREHOUSE_LOANS", url)
    tasks.scan(ROLLING, [day(24)])
    for family in families(ROLLING):
        tasks.check(ROLLING, family, [day(24)])
    tasks.close(ROLLING, [day(24)])
    assert store.waiting("loans") == ()
    assert_same(final(store, ROLLING), undelayed("rolling"))


def test_airflows_run_whose_results_another_one_forgets_runs_them_again(
    before, undelayed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Day 23's run has run its checks; day 24's run finds the late rows of day 22, with which day 23 was compared."""
    url, store = before("rolling")
    hold_back(url)
    monkeypatch.setenv("MONITORING_RESULTS_URL", f"sqlite:///{tmp_path / 'results.db'}")
    monkeypatch.setenv("MONITORING_WAREHOUSE_LOANS", url)
    tasks.scan(ROLLING, [day(23)])
    for family in families(ROLLING):
        tasks.check(ROLLING, family, [day(23)])
    load(url)
    tasks.scan(ROLLING, [day(24)])
    tasks.close(ROLLING, [day(23)])
    (run,) = store.window_runs("loans", day(23).start, day(23).end)
    assert run.state == "done"
    for family in families(ROLLING):
        tasks.check(ROLLING, family, [day(24)])
    tasks.close(ROLLING, [day(24)])
    assert store.waiting("loans") == ()
    assert_same(final(store, ROLLING), undelayed("rolling"))


@pytest.mark.integration
def test_late_rows_on_postgresql_for_both(postgres_database: str, mine: Store) -> None:
    migrate(postgres_database)
    inference_log.to_postgres(postgres_database)
    hold_back(postgres_database)
    with open_store(postgres_database) as there:
        watch(ROLLING, postgres_database, there, day(22), day(23))
        load(postgres_database)
        watch(ROLLING, postgres_database, there, day(24))
        assert set(late_of(there)) == {22}
        watch(ROLLING, postgres_database, mine, day(22), day(24))
        assert_same(final(there, ROLLING), final(mine, ROLLING))


# The laws.


def test_law_2_one_by_one_in_any_order_comes_to_the_traffic_and_types_of_one_run(
    loaded: str, mine: Store, undelayed
) -> None:
    """Windows before the first one are looked back on: for their traffic, and to tell whether a column is stale."""
    for number in (23, 20, 24, 22, 21):
        watch(MONITOR, loaded, mine, day(number))
    assert_same(final(mine, MONITOR), undelayed("fixed"))
    assert late_of(mine) == {}
    earliest = min(row["window_start"] for row in final(mine, MONITOR)["traffic"])
    assert earliest == day(0).start, "day 21 looks three weeks back, and the baseline begins there"
