"""A results store that fails: nothing is half written, and the message says what heals it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from monitoring_tasks.errors import ConfigError, DataError, MonitoringError, TransientError
from monitoring_tasks.results import connection as results_connection
from monitoring_tasks.results.connection import BUSY_SECONDS, failures, results_url
from monitoring_tasks.results.migrate import migrate
from monitoring_tasks.results.store import Store, open_store
from monitoring_tasks.run import run_windows
from monitoring_tasks.warehouse.engine import open_warehouse
from tests import inference_log, postgres
from tests.warehouse import tables

END = inference_log.START + timedelta(days=2)
MONITOR = inference_log.monitor("{multivariate_drift: off, data_quality: off}")
SECRET = "hunter2"


def run(duckdb_url: str, results: str) -> list[str]:
    with open_store(results) as store, open_warehouse(duckdb_url) as warehouse:
        runs = run_windows(MONITOR, inference_log.START, END, warehouse=warehouse, store=store)
        return [each.state for each in runs]


def fails(duckdb_url: str, results: str) -> MonitoringError:
    with pytest.raises(MonitoringError) as caught:
        run(duckdb_url, results)
    assert SECRET not in str(caught.value)
    return caught.value


def contents(results: str) -> dict[str, list[dict[str, object]]]:
    with open_store(results) as store:
        return inference_log.contents(store)


@pytest.fixture
def file(tmp_path: Path) -> str:
    """URL of an empty store in a file."""
    url = f"sqlite:///{tmp_path / 'results.db'}"
    migrate(url)
    return url


def test_a_full_disk_is_tried_again_and_leaves_nothing_half_written(
    file: str, duckdb_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite refuses to grow its file in the middle of a run; with room again, the run completes as if nothing was."""
    prepare = results_connection._prepare_sqlite
    with sqlite3.connect(tmp_path / "results.db") as database:
        (pages,) = database.execute("PRAGMA page_count").fetchone()

    def small(connection: Any, record: Any) -> None:
        prepare(connection, record)
        connection.execute(f"PRAGMA max_page_count = {pages + 20}")

    with monkeypatch.context() as limited:
        limited.setattr(results_connection, "_prepare_sqlite", small)
        error = fails(duckdb_url, file)
    assert isinstance(error, TransientError)
    assert str(error).endswith(
        "database or disk is full; free space on its disk, `monitoring-tasks prune` removes old windows"
    )
    assert run(duckdb_url, file) == ["done", "done"]
    undisturbed = f"sqlite:///{tmp_path / 'undisturbed.db'}"
    run(duckdb_url, undisturbed)
    assert contents(file) == contents(undisturbed)


def test_a_file_that_may_only_be_read_says_so(file: str, duckdb_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare = results_connection._prepare_sqlite

    def only_reading(connection: Any, record: Any) -> None:
        prepare(connection, record)
        connection.execute("PRAGMA query_only = ON")

    monkeypatch.setattr(results_connection, "_prepare_sqlite", only_reading)
    error = fails(duckdb_url, file)
    assert isinstance(error, ConfigError)
    assert str(error).endswith("attempt to write a readonly database; let this user write the file and its folder")


def test_a_file_that_another_process_writes_for_too_long(
    file: str, duckdb_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results_connection, "BUSY_SECONDS", 0.1)
    writer = sqlite3.connect(tmp_path / "results.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    error = fails(duckdb_url, file)
    writer.close()
    assert isinstance(error, TransientError)
    assert "database is locked; another process has been writing to it for more than" in str(error)
    assert run(duckdb_url, file) == ["done", "done"]


def test_a_store_of_a_newer_version_is_refused(file: str, duckdb_url: str, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "results.db") as database:
        database.execute("UPDATE monitoring_revision SET version_num = '9999'")
    database.close()
    error = fails(duckdb_url, file)
    assert isinstance(error, ConfigError)
    assert "has the tables of revision 9999, this version of monitoring-tasks knows" in str(error)
    assert "upgrade monitoring-tasks" in str(error)


def test_a_folder_that_cannot_be_made_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"its folder cannot be made \(.+\); name another file, or make the folder"):
        open_store(f"sqlite:///{tmp_path / 'file' / 'results.db'}")


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("40P01", TransientError),
        ("53100", TransientError),
        ("57P01", TransientError),
        ("25006", TransientError),
        ("54001", DataError),
        ("XX001", DataError),
    ],
)
def test_the_server_says_what_waiting_heals(state: str, kind: type[MonitoringError]) -> None:
    """A statement that is too complex and a corrupt page come as the driver's errors for a server that is away."""
    refused = psycopg.errors.lookup(state)("no")
    url = results_url(f"postgresql://ada:{SECRET}@db/x")
    with pytest.raises(kind) as caught, failures(url):
        raise sa.exc.DBAPIError.instance("DELETE", None, refused, psycopg.Error, dialect=url.get_dialect()())
    assert SECRET not in str(caught.value)


def test_a_pool_without_a_free_connection_is_tried_again(file: str) -> None:
    engine = sa.create_engine(file, poolclass=sa.QueuePool, pool_size=1, max_overflow=0, pool_timeout=0.1)
    with engine.connect(), pytest.raises(TransientError, match="QueuePool limit of size 1"), failures(engine.url):
        engine.connect()
    engine.dispose()


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    """A server of this module's own, with a store: it is stopped in the middle."""
    programs = postgres.binaries()
    if programs is None:
        pytest.skip("no PostgreSQL server here: neither `postgres` on the path nor in /usr/lib/postgresql")
    with postgres.restartable(programs) as running:
        migrate(running.url)
        tables.run_postgres(running.url, ["CREATE ROLE writer LOGIN"])
        yield running


@pytest.fixture
def writer(server: postgres.Server) -> Iterator[str]:
    """URL of a role that may write; what a test takes from it or sets is undone."""
    mend = [
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO writer",
        "ALTER ROLE writer RESET ALL",
        "ALTER ROLE writer CONNECTION LIMIT -1",
    ]
    tables.run_postgres(server.url, mend)
    yield server.url.replace("postgres@", f"writer:{SECRET}@")
    tables.run_postgres(server.url, mend)


@pytest.mark.integration
@pytest.mark.parametrize("step", ["write_profiles", "write_results"])
def test_a_store_that_is_stopped_in_the_middle_of_writing(
    step: str, server: postgres.Server, duckdb_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server dies while a transaction has written and not ended; the next run completes what it had begun."""
    with psycopg.connect(server.url, autocommit=True) as database:
        database.execute("CREATE DATABASE stopped")
    url = server.url.removesuffix("/postgres") + "/stopped"
    migrate(url)
    calls = []
    writing = Store.writing

    def stop(self: Store, *about: Any) -> Any:
        calls.append(about)
        context = writing(self, *about)
        if len(calls) != {"write_profiles": 2, "write_results": 5}[step]:
            return context
        return _then_stop(context, server)

    with monkeypatch.context() as patched:
        patched.setattr(Store, "writing", stop)
        error = fails(duckdb_url, url)
    assert isinstance(error, TransientError)
    server.start()
    assert run(duckdb_url, url) == ["done", "done"]
    undisturbed = f"sqlite:///{tmp_path / 'undisturbed.db'}"
    run(duckdb_url, undisturbed)
    assert contents(url) == contents(undisturbed)
    with psycopg.connect(server.url, autocommit=True) as database:
        database.execute("DROP DATABASE stopped WITH (FORCE)")


class _then_stop:
    """A transaction at whose end the server is gone."""

    def __init__(self, context: Any, server: postgres.Server) -> None:
        self._context, self._server = context, server

    def __enter__(self) -> Any:
        return self._context.__enter__()

    def __exit__(self, *error: Any) -> Any:
        self._server.stop(immediately=True)
        return self._context.__exit__(*error)


@pytest.mark.integration
def test_a_store_that_may_not_be_written_names_the_grant(server: postgres.Server, writer: str, duckdb_url: str) -> None:
    tables.run_postgres(server.url, ["REVOKE INSERT ON baseline FROM writer"])
    error = fails(duckdb_url, writer)
    assert isinstance(error, ConfigError)
    assert str(error).endswith(
        "permission denied for table baseline; as its owner run GRANT SELECT, INSERT, UPDATE, DELETE ON "
        '"baseline" TO "writer", as on all tables of the store'
    )


@pytest.mark.integration
@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("SET statement_timeout = '1ms'", "statement timeout; raise statement_timeout for this role"),
        ("CONNECTION LIMIT 0", "let fewer tasks run at once (an Airflow pool), or raise the server's or the role's "),
        ("SET default_transaction_read_only = on", "name a server that is no standby, and a role that may write"),
    ],
)
def test_a_store_that_is_slow_full_or_a_standby_is_tried_again(
    setting: str, message: str, server: postgres.Server, writer: str, duckdb_url: str
) -> None:
    tables.run_postgres(server.url, [f"ALTER ROLE writer {setting}"])
    error = fails(duckdb_url, writer)
    assert isinstance(error, TransientError)
    assert message in str(error)


@pytest.mark.integration
def test_a_locked_store_is_tried_again(server: postgres.Server, writer: str, duckdb_url: str) -> None:
    tables.run_postgres(server.url, ["ALTER ROLE writer SET lock_timeout = '300ms'"])
    with psycopg.connect(server.url) as other:
        other.execute("LOCK TABLE result, profile IN ACCESS EXCLUSIVE MODE")
        error = fails(duckdb_url, writer)
    assert isinstance(error, TransientError)
    assert "lock timeout; another session holds a lock on it" in str(error)
    assert "LINE 1" not in str(error)
    assert run(duckdb_url, writer) == ["done", "done"]


@pytest.mark.integration
def test_a_session_of_the_store_never_waits_for_ever(writer: str) -> None:
    with open_store(writer) as store, store.reading() as connection:
        assert connection.exec_driver_sql("SHOW lock_timeout").scalar() == f"{BUSY_SECONDS // 60}min"
        given = connection.connection.driver_connection.info.get_parameters()  # type: ignore[union-attr]
    assert {name: given[name] for name in ("keepalives_idle", "tcp_user_timeout", "application_name")} == {
        "keepalives_idle": "60",
        "tcp_user_timeout": "120000",
        "application_name": "monitoring-tasks",
    }
