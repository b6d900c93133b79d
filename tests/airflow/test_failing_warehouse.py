"""What Airflow retries when a real PostgreSQL fails, and what it fails at once."""

import pytest
from airflow.sdk.exceptions import AirflowFailException

from monitoring_tasks.airflow import tasks
from monitoring_tasks.airflow.retries import heals_by_waiting
from monitoring_tasks.checks import families
from monitoring_tasks.errors import TransientError
from monitoring_tasks.results.store import open_store
from tests import inference_log
from tests.warehouse import tables

pytestmark = pytest.mark.integration

DAYS = (inference_log.day(20), inference_log.day(21))
MONITOR = inference_log.monitor("{multivariate_drift: off, data_quality: off}")
FIRST = 20 * inference_log.ROWS


@pytest.fixture
def warehouse(postgres_database, monkeypatch):
    """URL of a warehouse with the log, and what a role of its own is told; the tasks know it as that role."""
    inference_log.to_postgres(postgres_database)
    tables.run_postgres(postgres_database, ["CREATE ROLE tasks LOGIN", "GRANT SELECT ON inference_log TO tasks"])
    monkeypatch.setenv("MONITORING_WAREHOUSE_LOANS", postgres_database.replace("postgres@", "tasks@"))
    yield postgres_database
    tables.run_postgres(postgres_database, ["DROP OWNED BY tasks", "DROP ROLE tasks"])


@pytest.fixture
def results(tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path / 'results.db'}"
    monkeypatch.setenv("MONITORING_RESULTS_URL", url)
    with open_store(url) as store:
        yield store


def state(results):
    return [(run.state, run.error) for run in results.window_runs("loans", DAYS[0].start, DAYS[-1].end)]


scan = heals_by_waiting(tasks.scan)
check = heals_by_waiting(tasks.check)
close = heals_by_waiting(tasks.close)


def test_a_slow_or_full_server_is_retried_and_the_retry_completes(warehouse, results):
    for setting, message in (
        ("SET statement_timeout = '5ms'", "statement timeout"),
        ("CONNECTION LIMIT 0", "too many connections"),
    ):
        tables.run_postgres(warehouse, [f"ALTER ROLE tasks {setting}"])
        with pytest.raises(TransientError, match=message):
            scan(MONITOR, DAYS)
    assert {each for each, _ in state(results)} == {"failed"}
    tables.run_postgres(warehouse, ["ALTER ROLE tasks RESET ALL", "ALTER ROLE tasks CONNECTION LIMIT -1"])
    scan(MONITOR, DAYS)
    for family in families(MONITOR):
        check(MONITOR, family, DAYS)
    close(MONITOR, DAYS)
    assert state(results) == [("done", None)] * 2


def test_a_refused_table_fails_at_once_with_the_grant_in_the_tasks_message(warehouse, results):
    tables.run_postgres(warehouse, ["REVOKE SELECT ON inference_log FROM tasks"])
    with pytest.raises(AirflowFailException, match='run GRANT SELECT ON "inference_log" TO "tasks"'):
        scan(MONITOR, DAYS)
    with pytest.raises(AirflowFailException, match=r"2 windows failed: .*GRANT SELECT"):
        close(MONITOR, DAYS, ["scan", "drift", "operations"])
    assert ["permission denied" in error for _, error in state(results)] == [True, True]


def test_a_broken_column_fails_the_task_of_its_check_and_no_other(warehouse, results):
    view = f"SELECT *, latency_ms / (id - {FIRST + 5}) AS odd FROM inference_log"
    tables.run_postgres(warehouse, [f"CREATE VIEW scores AS {view}", "GRANT SELECT ON scores TO tasks"])
    monitor = inference_log.monitor("{multivariate_drift: off, data_quality: off}", table="scores", latency_ms="odd")
    scan(monitor, DAYS)
    check(monitor, "drift", DAYS)
    with pytest.raises(AirflowFailException, match=r"1 window could not be checked: 2024-03-21.*operations"):
        check(monitor, "operations", DAYS)
    with pytest.raises(AirflowFailException, match="column 'odd' of table 'scores' cannot be read: division by zero"):
        close(monitor, DAYS)
    assert [each for each, _ in state(results)] == ["failed", "done"]
