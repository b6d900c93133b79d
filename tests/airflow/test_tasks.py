from datetime import timedelta

import duckdb
import pytest
from airflow.sdk.exceptions import AirflowFailException

from monitoring_tasks.airflow import tasks
from monitoring_tasks.airflow.backfill import run_chunk
from monitoring_tasks.airflow.retries import heals_by_waiting
from monitoring_tasks.checks import families
from monitoring_tasks.config import load_monitor
from monitoring_tasks.errors import ConfigError, DataError, TransientError
from monitoring_tasks.results.store import Store, open_store
from monitoring_tasks.run import run_windows
from monitoring_tasks.warehouse.duckdb_engine import DuckDBWarehouse
from monitoring_tasks.warehouse.engine import open_warehouse
from monitoring_tasks.window import Schedule, Window
from tests import inference_log, labelled_log

SCORES = """
create table inference_log as
select row_number() over () as id, asked_at, hash(asked_at) % 50 + 1000.0 as pressure,
    if(hash(asked_at) % 3 = 0, 'fog', 'clear') as sky, 1 as predicted, (hash(asked_at) % 97) / 97 as probability
from (select unnest(generate_series('2013-03-01'::timestamp, '2013-04-10', interval 20 minutes)) as asked_at)
"""
DAYS = (Window.parse("2013-04-01", "2013-04-02"), Window.parse("2013-04-02", "2013-04-03"))
TWO_DAYS = Window(DAYS[0].start, DAYS[1].end)


@pytest.fixture
def results(tmp_path, monkeypatch):
    """Return the results store that the tasks write to."""
    url = f"sqlite:///{tmp_path / 'results.db'}"
    monkeypatch.setenv("MONITORING_RESULTS_URL", url)
    with open_store(url) as store:
        yield store


@pytest.fixture
def warehouse(tmp_path, monkeypatch):
    file = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(file)) as database:
        database.execute(SCORES)
    monkeypatch.setenv("MONITORING_WAREHOUSE_DEMO", f"duckdb:///{file}")
    return file


@pytest.fixture
def monitor(write_monitor):
    return load_monitor(write_monitor())


def run_all(monitor, windows=DAYS):
    tasks.scan(monitor, windows)
    for family in ("drift", "data_quality", "operations", "multivariate"):
        tasks.check(monitor, family, windows)
    return tasks.close(monitor, windows)


def state(store, monitor, windows=TWO_DAYS):
    return [(run.state, run.error) for run in store.window_runs(monitor.name, windows.start, windows.end)]


@pytest.mark.usefixtures("warehouse")
def test_tasks_fill_the_tables_and_return_only_a_text(monitor, results):
    assert run_all(monitor) == "2013-04-01T00:00Z/2013-04-03T00:00Z, 2 windows"
    assert run_all(monitor, DAYS[:1]) == "2013-04-01T00:00Z/2013-04-02T00:00Z"
    assert state(results, monitor) == [("done", None)] * 2
    checks = {row["check_name"] for row in results.results("rain")}
    assert checks == {"data_drift", "prediction_drift", "data_quality", "operations", "multivariate_drift"}
    assert results.query("SELECT * FROM window_due") == [], "a rule that is added tomorrow tells nobody of today"


def test_a_failed_check_fails_its_task_after_the_others_have_written(monitor, results, warehouse):
    with duckdb.connect(str(warehouse)) as database:
        database.execute("alter table inference_log drop pressure")
    tasks.scan(monitor, DAYS)
    with pytest.raises(AirflowFailException) as failed:
        tasks.check(monitor, "drift", DAYS)
    assert str(failed.value).startswith(
        "2 windows could not be checked: 2013-04-01T00:00Z/2013-04-02T00:00Z (data_drift); "
    )
    tasks.check(monitor, "data_quality", DAYS)
    tasks.check(monitor, "operations", DAYS)
    tasks.check(monitor, "multivariate", DAYS)
    with pytest.raises(AirflowFailException, match=r"2 windows failed: .*pressure"):
        tasks.close(monitor, DAYS)
    assert [each for each, _ in state(results, monitor)] == ["failed"] * 2
    rows = list(results.results("rain", checks=["data_drift"]))
    assert {row["column_name"] for row in rows if row["status"] == "error"} == {"pressure"}
    assert {row["column_name"] for row in rows if row["status"] != "error"} >= {"sky"}


@pytest.mark.usefixtures("warehouse")
def test_a_window_that_cannot_be_checked_does_not_cost_the_later_ones(write_monitor, results):
    monitor = load_monitor(write_monitor(more="checks: {data_quality: off}"))  # which looks at the windows before
    tasks.scan(monitor, DAYS[1:])
    with pytest.raises(AirflowFailException) as failed:
        tasks.check(monitor, "drift", DAYS)
    assert str(failed.value) == (
        "1 window could not be checked: 2013-04-01T00:00Z/2013-04-02T00:00Z (monitor 'rain' has no profile of "
        "2013-04-01T00:00Z/2013-04-02T00:00Z that this version has stored: scan the window first)"
    )
    assert {row["window_start"] for row in results.results("rain", checks=["data_drift"])} == {DAYS[1].start}


@pytest.mark.usefixtures("warehouse")
@pytest.mark.usefixtures("results")
def test_a_store_that_does_not_answer_ends_a_check_at_once(monitor, monkeypatch):
    tasks.scan(monitor, DAYS)
    asked = []

    def busy(_store, _monitor, window):
        asked.append(window)
        raise TransientError("database is locked")

    monkeypatch.setattr(Store, "window_state", busy)
    with pytest.raises(TransientError, match="database is locked"):
        tasks.check(monitor, "drift", DAYS)
    assert asked == [DAYS[0]]


def test_only_a_check_that_reads_rows_opens_the_warehouse(monitor, results, warehouse):
    tasks.scan(monitor, DAYS)
    warehouse.rename(warehouse.with_suffix(".away"))
    tasks.check(monitor, "drift", DAYS)
    tasks.check(monitor, "data_quality", DAYS)
    tasks.check(monitor, "operations", DAYS)
    with pytest.raises(DataError, match="there is no file or directory"):
        tasks.check(monitor, "multivariate", DAYS)
    written = {row["check_name"] for row in results.results("rain")}
    assert written == {"data_drift", "prediction_drift", "data_quality", "operations"}
    warehouse.with_suffix(".away").rename(warehouse)
    tasks.check(monitor, "multivariate", DAYS)
    assert len(list(results.results("rain", checks=["multivariate_drift"]))) == 2
    tasks.close(monitor, DAYS)


def test_a_chunk_fails_after_all_its_windows_are_written(monitor, results, warehouse):
    with duckdb.connect(str(warehouse)) as database:
        database.execute("alter table inference_log drop pressure")
    with pytest.raises(AirflowFailException, match="2 windows failed"):
        run_chunk(monitor, TWO_DAYS)
    assert len(state(results, monitor)) == 2


@pytest.mark.usefixtures("warehouse")
def test_a_chunk_is_retried_for_rows_that_could_not_be_read_after_all_its_windows_are_written(
    write_monitor, results, monkeypatch
):
    monitor = load_monitor(write_monitor(more="checks: {multivariate_drift: {minimum_rows: 50}}"))
    query, refused = DuckDBWarehouse.query, []

    def falter(self, select):
        if not refused and "MD5(" in select.sql("duckdb"):
            refused.append(select)
            raise TransientError("the server closed the connection")
        return query(self, select)

    monkeypatch.setattr(DuckDBWarehouse, "query", falter)
    task = heals_by_waiting(run_chunk)
    with pytest.raises(TransientError, match="1 of 2 windows failed because their rows could not be read, first 2013-"):
        task(monitor, TWO_DAYS)
    reason = "multivariate_drift: table 'inference_log': the server closed the connection"
    assert state(results, monitor) == [("failed", reason), ("done", None)]
    assert {row["window_start"] for row in results.results("rain", checks=["data_drift"])} == {
        each.start for each in DAYS
    }
    task(monitor, TWO_DAYS)
    assert state(results, monitor) == [("done", None)] * 2


@pytest.mark.usefixtures("warehouse")
def test_a_chunk_says_what_it_did(monitor, results):
    assert run_chunk(monitor, TWO_DAYS) == "2013-04-01T00:00Z/2013-04-03T00:00Z, 2 windows"
    assert state(results, monitor) == [("done", None)] * 2


def test_a_warehouse_that_cannot_be_opened_is_the_recorded_reason(monitor, results, monkeypatch):
    monkeypatch.delenv("MONITORING_WAREHOUSE_DEMO", raising=False)
    for run in (lambda: tasks.scan(monitor, DAYS), lambda: run_chunk(monitor, TWO_DAYS)):
        with pytest.raises(ConfigError, match="MONITORING_WAREHOUSE_DEMO"):
            run()
    with pytest.raises(AirflowFailException, match="MONITORING_WAREHOUSE_DEMO"):
        tasks.close(monitor, DAYS, ["scan", "data_quality", "drift", "operations"])
    assert ["MONITORING_WAREHOUSE_DEMO" in error for _, error in state(results, monitor)] == [True, True]


def test_a_done_window_whose_warehouse_went_away_is_failed_when_it_is_run_again(monitor, results, warehouse):
    run_all(monitor)
    warehouse.unlink()
    with pytest.raises(DataError):
        tasks.scan(monitor, DAYS)
    with pytest.raises(AirflowFailException, match="2 windows failed"):
        tasks.close(monitor, DAYS, ["scan", "data_quality", "drift", "operations"])
    assert [each for each, _ in state(results, monitor)] == ["failed"] * 2


@pytest.mark.usefixtures("warehouse")
def test_a_warehouse_whose_driver_breaks_is_the_recorded_reason_too(monitor, results, monkeypatch):
    run_all(monitor)
    monkeypatch.setattr(duckdb, "connect", lambda *_, **__: (_ for _ in ()).throw(MemoryError("8 GB")))
    with pytest.raises(MemoryError):
        tasks.scan(monitor, DAYS)
    assert state(results, monitor) == [("failed", "MemoryError: 8 GB")] * 2


@pytest.mark.usefixtures("warehouse")
def test_a_killed_scan_does_not_pass_for_the_run_before(monitor, results):
    run_all(monitor)
    with pytest.raises(AirflowFailException, match="task scan failed: its log says why"):
        tasks.close(monitor, DAYS, ["scan", "data_quality", "drift", "operations"])
    assert state(results, monitor) == [("failed", "task scan failed: its log says why")] * 2
    run_all(monitor)
    assert state(results, monitor) == [("done", None)] * 2


@pytest.mark.usefixtures("warehouse")
def test_a_killed_check_leaves_its_run_red(monitor, results):
    run_all(monitor)
    with pytest.raises(AirflowFailException, match="task drift failed: what is stored is of an earlier run"):
        tasks.close(monitor, DAYS, ["drift"])
    tasks.scan(monitor, DAYS)
    tasks.check(monitor, "data_quality", DAYS)
    tasks.check(monitor, "operations", DAYS)
    tasks.check(monitor, "multivariate", DAYS)
    with pytest.raises(AirflowFailException, match="not written: data_drift, prediction_drift"):
        tasks.close(monitor, DAYS, ["drift"])
    assert [each for each, _ in state(results, monitor)] == ["failed"] * 2


@pytest.mark.usefixtures("warehouse")
def test_a_moving_baseline_has_the_rows_of_a_bulk_run(monitor, results, tmp_path):
    """The check's task has only the store: what it looks back on, the scan's task has put there."""
    past = monitor.baseline.model_copy(update={"rolling": timedelta(days=7)})
    rolling = monitor.model_copy(update={"baseline": past})
    run_all(rolling, DAYS[1:])
    run_all(rolling, DAYS[:1])
    rows = list(results.results("rain"))
    said = {row["detail"]["compared_with"] for row in rows if "compared_with" in row["detail"]}
    assert said == {
        "rolling 7d: 7 windows from 2013-03-25T00:00Z to 2013-04-01T00:00Z",
        "rolling 7d: 7 windows from 2013-03-26T00:00Z to 2013-04-02T00:00Z",
    }
    with open_store(f"sqlite:///{tmp_path / 'bulk.db'}") as bulk:
        run_windows(rolling, TWO_DAYS.start, TWO_DAYS.end, store=bulk)
        assert list(bulk.results("rain")) == rows


def test_long_lists_of_failed_windows_are_cut():
    windows = Schedule("0 * * * *").windows(DAYS[0].start, DAYS[0].start + timedelta(hours=8))
    with pytest.raises(AirflowFailException) as failed:
        tasks.fail_if_failed(dict.fromkeys(windows, "no rows"))
    assert str(failed.value).count("no rows") == tasks.SHOWN
    assert str(failed.value).endswith("; and 3 more")
    tasks.fail_if_failed({})


def test_the_tasks_also_run_the_days_whose_labels_have_come(tmp_path, monkeypatch, results):
    """Day 20 is run with the labels of its own day; those that come on day 21 change its numbers, and no other's."""
    first, second = inference_log.day(20), inference_log.day(21)
    url = labelled_log.to_duckdb(tmp_path / "loans.duckdb", labelled_log.arrived(None, first.end))
    monkeypatch.setenv("MONITORING_WAREHOUSE_LOANS", url)
    monitor = labelled_log.monitor()
    waiting = {}
    for window in (first, second):
        tasks.scan(monitor, [window])
        waiting[window] = results.waiting("loans")
        for family in families(monitor):
            tasks.check(monitor, family, [window])
        tasks.close(monitor, [window])
        if window == first:
            labelled_log.append(url, labelled_log.arrived(second.start, second.end))
    assert waiting == {first: (), second: (first,)}
    assert results.waiting("loans") == ()
    assert {run.labels for run in results.window_runs("loans", first.start, second.end)} == {"provisional"}
    with open_store(f"sqlite:///{tmp_path / 'bulk.db'}") as bulk, open_warehouse(url) as warehouse:
        run_windows(monitor, first.start, second.end, warehouse=warehouse, store=bulk)
        expected = inference_log.contents(bulk, "result", "labels_profile")
    assert inference_log.contents(results, "result", "labels_profile") == expected
