"""What fails in a warehouse fails right: what is recorded and said, and whether it is tried again. On a real server."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import psycopg
import pytest
from sqlglot import exp

from monitoring_tasks.errors import ConfigError, DataError, ForbiddenError, MonitoringError, TransientError
from monitoring_tasks.results.store import Store, open_store
from monitoring_tasks.run import run_windows
from monitoring_tasks.warehouse.engine import open_warehouse
from monitoring_tasks.warehouse.expressions import named, selected
from tests import inference_log, postgres
from tests.warehouse import tables

pytestmark = pytest.mark.integration

DAYS = 2
END = inference_log.START + timedelta(days=DAYS)
QUICK = "{multivariate_drift: off, data_quality: off}"
SECRET = "hunter2"
COLUMNS = "id, asked_at, amount, age, country, member, one, region, predicted, probability, latency_ms, error"

Fail = Callable[..., MonitoringError]


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    """A server of this module's own, with the log: it is stopped in the middle."""
    programs = postgres.binaries()
    if programs is None:
        pytest.skip("no PostgreSQL server here: neither `postgres` on the path nor in /usr/lib/postgresql")
    with postgres.restartable(programs) as running:
        inference_log.to_postgres(running.url)
        tables.run_postgres(
            running.url,
            [
                "CREATE ROLE monitor LOGIN",
                "REVOKE USAGE ON SCHEMA public FROM public",
                "CREATE VIEW slow AS SELECT l.* FROM inference_log AS l, (SELECT pg_sleep(5)) AS wait",
            ],
        )
        yield running


@pytest.fixture
def role(server: postgres.Server) -> Iterator[str]:
    """URL of a role that may read everything; what a test takes from it or sets is undone."""
    mend = [
        "GRANT USAGE ON SCHEMA public TO monitor",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO monitor",
        "ALTER ROLE monitor RESET ALL",
        "ALTER ROLE monitor CONNECTION LIMIT -1",
    ]
    tables.run_postgres(server.url, mend)
    yield server.url.replace("postgres@", f"monitor:{SECRET}@")
    tables.run_postgres(server.url, mend)


@pytest.fixture
def results(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store:
        yield store


def run(url: str, store: Store, **changes: str) -> list[tuple[str, str | None]]:
    with open_warehouse(url) as warehouse:
        monitor = inference_log.monitor(QUICK, **changes)
        return [
            (each.state, each.error)
            for each in run_windows(monitor, inference_log.START, END, warehouse=warehouse, store=store)
        ]


@pytest.fixture
def fails(results: Store, monkeypatch: pytest.MonkeyPatch) -> Fail:
    """Run, and return what that raised: it is the recorded reason of every window, and holds no secret."""

    def fail(url: str, **changes: str) -> MonitoringError:
        monkeypatch.setenv("MONITORING_WAREHOUSE_LOANS", url)
        monitor = inference_log.monitor(QUICK, **changes)
        with pytest.raises(MonitoringError) as caught:
            run_windows(monitor, inference_log.START, END, store=results)
        recorded = [(each.state, each.error) for each in results.window_runs("loans", inference_log.START, END)]
        assert recorded == [("failed", str(caught.value))] * DAYS
        assert results.query("SELECT * FROM result") == []
        assert SECRET not in str(caught.value)
        return caught.value

    return fail


@contextmanager
def stopping(server: postgres.Server, seconds: float) -> Iterator[None]:
    """Stop the server as a crash does while the block runs, and start it again after it."""
    stop = threading.Timer(seconds, server.stop, kwargs={"immediately": True})
    stop.start()
    try:
        yield
    finally:
        stop.join()
        server.start()


def test_a_server_that_is_stopped_in_the_middle_is_tried_again_and_the_next_run_completes_it(
    server: postgres.Server, fails: Fail, results: Store, tmp_path: Path
) -> None:
    with stopping(server, seconds=1.0):
        stopped = fails(server.url, table="slow")
        away = fails(server.url)
    assert isinstance(stopped, TransientError)
    assert str(stopped).startswith("table 'slow': the query: ")
    assert isinstance(away, TransientError)
    assert "connection failed" in str(away)
    assert run(server.url, results) == [("done", None)] * DAYS
    with open_store(f"sqlite:///{tmp_path / 'undisturbed.db'}") as undisturbed:
        run(server.url, undisturbed)
        assert inference_log.contents(results) == inference_log.contents(undisturbed)


def test_a_statement_timeout_is_tried_again_and_says_what_to_raise(
    server: postgres.Server, role: str, fails: Fail
) -> None:
    tables.run_postgres(server.url, ["ALTER ROLE monitor SET statement_timeout = '200ms'"])
    error = fails(role, table="slow")
    assert isinstance(error, TransientError)
    assert str(error) == (
        "table 'slow': the query: canceling statement due to statement timeout; raise statement_timeout for this role, "
        "read fewer windows in one run, or give the table an index on its timestamp"
    )


def test_a_table_that_may_not_be_read_names_the_grant_and_is_not_tried_again(
    server: postgres.Server, role: str, fails: Fail
) -> None:
    tables.run_postgres(server.url, ["REVOKE SELECT ON inference_log FROM monitor"])
    error = fails(role)
    assert isinstance(error, ForbiddenError)
    assert str(error) == (
        "table 'inference_log': permission denied for table inference_log; as its owner run GRANT SELECT ON "
        '"inference_log" TO "monitor" (of what a view reads: to the owner of the view)'
    )


def test_a_schema_that_may_not_be_used_names_the_grant(server: postgres.Server, role: str, fails: Fail) -> None:
    tables.run_postgres(server.url, ["REVOKE USAGE ON SCHEMA public FROM monitor"])
    grant = 'as its owner run GRANT USAGE ON SCHEMA "public" TO "monitor"'
    unseen = fails(role)
    assert isinstance(unseen, DataError)
    assert str(unseen) == f"table 'inference_log' is not in the warehouse as this role sees it; {grant}"
    named = fails(role, table="public.inference_log")
    assert isinstance(named, DataError)
    assert str(named) == f"table 'public.inference_log': permission denied for schema public; {grant}"


def test_a_table_of_another_schema_is_named(server: postgres.Server, role: str, fails: Fail) -> None:
    tables.run_postgres(
        server.url,
        [
            "CREATE SCHEMA lake",
            "GRANT USAGE ON SCHEMA lake TO monitor",
            "CREATE TABLE lake.scores (asked_at timestamp)",
        ],
    )
    error = fails(role, table="scores")
    assert isinstance(error, DataError)
    assert str(error) == "table 'scores' is not in the warehouse: there is one in schema 'lake', write 'lake.scores'"


def test_a_database_that_may_not_be_connected_to_is_a_mistake(
    server: postgres.Server, role: str, results: Store
) -> None:
    tables.run_postgres(server.url, ["CREATE DATABASE closed", "REVOKE CONNECT ON DATABASE closed FROM public"])
    with pytest.raises(ConfigError, match='GRANT CONNECT ON DATABASE "closed" TO "monitor"'):
        run(role.removesuffix("/postgres") + "/closed", results)


def test_a_column_that_may_not_be_read_costs_one_row_of_a_window_but_no_baseline(
    server: postgres.Server, role: str, fails: Fail, results: Store
) -> None:
    without_age = COLUMNS.replace("age, ", "", 1)
    revoked = [
        "REVOKE SELECT ON inference_log FROM monitor",
        f"GRANT SELECT ({without_age}) ON inference_log TO monitor",
    ]
    tables.run_postgres(server.url, revoked)
    denied = (
        "column 'age' of table 'inference_log' cannot be read: permission denied for table inference_log; as its owner "
        'run GRANT SELECT ON "inference_log" TO "monitor" (of what a view reads: to the owner of the view)'
    )
    before = fails(role)
    assert isinstance(before, ForbiddenError)
    assert denied in str(before)

    run(server.url, results)
    assert run(role, results) == [("failed", f"data_drift: {denied}")] * DAYS
    rows = results.query("SELECT check_name, column_name FROM result WHERE status = 'error'")
    assert rows == [{"check_name": "data_drift", "column_name": "age"}] * DAYS
    assert len(results.query("SELECT DISTINCT column_name FROM result WHERE check_name = 'data_drift'")) >= 5


def test_a_full_server_is_tried_again(server: postgres.Server, role: str, fails: Fail) -> None:
    tables.run_postgres(server.url, ["ALTER ROLE monitor CONNECTION LIMIT 1"])
    with psycopg.connect(role):
        error = fails(role)
    assert isinstance(error, TransientError)
    assert str(error).endswith(
        'FATAL:  too many connections for role "monitor"; let fewer tasks run at once (an Airflow pool), or raise the '
        "server's or the role's connection limit"
    )


@contextmanager
def transaction(url: str, *statements: str, seconds: float | None = None) -> Iterator[None]:
    """Hold the transaction of these statements open during the block; with `seconds`, commit it after so many."""
    with psycopg.connect(url) as connection:
        for statement in statements:
            connection.execute(statement)
        if seconds is None:
            yield
            connection.rollback()
            return
        commit = threading.Timer(seconds, connection.commit)
        commit.start()
        yield
        commit.join()


def test_a_lock_is_waited_for_so_long_and_no_longer(server: postgres.Server, role: str, fails: Fail) -> None:
    tables.run_postgres(server.url, ["ALTER ROLE monitor SET lock_timeout = '500ms'"])
    began = monotonic()
    with transaction(server.url, "ALTER TABLE inference_log ADD COLUMN later int"):
        error = fails(role)
    assert monotonic() - began < 30
    assert isinstance(error, TransientError)
    assert str(error) == (
        "table 'inference_log': canceling statement due to lock timeout; another session holds a lock on it, such as a "
        "load: let it end, or raise lock_timeout for this role"
    )


RELOAD = ("CREATE TEMP TABLE kept AS SELECT * FROM inference_log", "TRUNCATE inference_log")
RELOADED = "INSERT INTO inference_log SELECT * FROM kept"


def test_a_table_that_is_loaded_anew_is_read_when_that_is_done(
    server: postgres.Server, role: str, results: Store
) -> None:
    """TRUNCATE is of no snapshot: one taken before the load is done would show an empty table for ever."""
    with transaction(server.url, *RELOAD, RELOADED, seconds=1.0):
        assert run(role, results) == [("done", None)] * DAYS
    assert {each.rows for each in results.window_runs("loans", inference_log.START, END)} == {inference_log.ROWS}


def test_a_table_of_more_partitions_than_the_server_has_locks_for_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scan of one window reads one of them."""
    few = ("max_connections=10", "max_locks_per_transaction=10", "max_worker_processes=0", "max_wal_senders=0")
    monkeypatch.setattr(postgres, "FAST", (*postgres.FAST, *few))
    partition = (
        "EXECUTE format('CREATE TABLE log_%s PARTITION OF log FOR VALUES FROM (%s) TO (%s)', i, i, i + 1); "
        "IF i % 20 = 0 THEN COMMIT; END IF;"
    )
    programs = postgres.binaries()
    if programs is None:
        pytest.skip("no PostgreSQL server here")
    with postgres.restartable(programs) as server:
        tables.run_postgres(server.url, ["CREATE TABLE log (at int) PARTITION BY RANGE (at)"])
        tables.run_postgres(server.url, [f"DO $$ BEGIN FOR i IN 1..1200 LOOP {partition} END LOOP; END $$"])
        tables.run_postgres(server.url, ["INSERT INTO log VALUES (7)", "CREATE VIEW seen AS SELECT * FROM log"])
        for table in ("log", "seen"):
            with open_warehouse(server.url) as warehouse:
                assert warehouse.columns(table) == {"at": "integer"}
                one = selected({"n": exp.Count(this=exp.Star())}, warehouse.table(table)).where(named("at").eq(7))
                assert warehouse.query(one)["n"].to_pylist() == [1]


@pytest.mark.parametrize(
    "statements",
    [
        ("TRUNCATE labels", "INSERT INTO labels VALUES (2)"),
        ("DROP TABLE labels", "CREATE TABLE labels AS SELECT 2 AS x"),
    ],
)
def test_a_table_that_was_replaced_since_another_was_read_is_tried_again(
    statements: tuple[str, ...], server: postgres.Server
) -> None:
    tables.run_postgres(server.url, ["DROP TABLE IF EXISTS labels", "CREATE TABLE labels AS SELECT 1 AS x"])
    with open_warehouse(server.url) as warehouse:
        warehouse.columns("inference_log")
        tables.run_postgres(server.url, statements)
        with pytest.raises(TransientError, match="table 'labels' was replaced or emptied while others were read"):
            warehouse.columns("labels")
    with open_warehouse(server.url) as warehouse:
        warehouse.columns("inference_log")
        assert warehouse.columns("labels") == {"x": "integer"}


def session(url: str) -> dict[str, Any]:
    """Return how long the warehouse's session waits: what the server says, and what libpq was given."""
    with open_warehouse(url) as warehouse:
        connection = warehouse._connection  # type: ignore[attr-defined]
        names = ("lock_timeout", "client_connection_check_interval", "transaction_read_only")
        settings = {name: connection.exec_driver_sql(f"SHOW {name}").scalar() for name in names}
        given = connection.connection.driver_connection.info.get_parameters()
    return {
        **settings,
        **{name: value for name, value in given.items() if name.startswith(("keepalives", "tcp", "con"))},
    }


def test_a_session_never_waits_for_ever(server: postgres.Server, role: str) -> None:
    ours = {
        "lock_timeout": "1min",
        "client_connection_check_interval": "10s",
        "transaction_read_only": "on",
        "connect_timeout": "30",
        "keepalives_idle": "60",
        "keepalives_interval": "10",
        "keepalives_count": "6",
        "tcp_user_timeout": "120000",
    }
    assert session(role) == ours
    tables.run_postgres(server.url, ["ALTER ROLE monitor SET lock_timeout = '5s'"])
    theirs = session(role + "?keepalives_idle=7&connect_timeout=9")
    assert theirs == {**ours, "lock_timeout": "5s", "keepalives_idle": "7", "connect_timeout": "9"}


KILLED = """
from sqlglot import exp
from monitoring_tasks import patience
from monitoring_tasks.warehouse.engine import open_warehouse
from monitoring_tasks.warehouse.expressions import named, selected
patience.LEFT_ALONE = "100ms"
with open_warehouse({url!r}) as warehouse:
    warehouse.query(exp.select("x").from_(exp.to_table('"endless"')))
"""


def test_the_statement_of_a_killed_task_ends(server: postgres.Server) -> None:
    """Without the setting, the server would go on with its scan to the end."""
    running = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    with psycopg.connect(server.url, autocommit=True) as watcher:

        def becomes(expected: int) -> bool:
            deadline = monotonic() + 10
            while (found := watcher.execute(running).fetchone()) != (expected,) and monotonic() < deadline:
                sleep(0.05)
            return found == (expected,)

        watcher.execute("CREATE VIEW endless AS SELECT 1 AS x FROM pg_sleep(60)")
        with subprocess.Popen([sys.executable, "-c", KILLED.format(url=server.url)]) as task:
            assert becomes(1)
            task.kill()
        assert becomes(0)


def view(server: postgres.Server, name: str, column: str, expression: str) -> None:
    columns = COLUMNS.replace(f"{column}, ", f"{expression} AS {column}, ", 1)
    tables.run_postgres(
        server.url, [f"DROP VIEW IF EXISTS {name}", f"CREATE VIEW {name} AS SELECT {columns} FROM inference_log"]
    )


FIRST = 20 * inference_log.ROWS
"""The key of the first row of the first monitored window."""


@pytest.mark.parametrize(
    ("column", "expression", "check", "reason"),
    [
        (
            "age",
            f"(CASE WHEN id = {FIRST + 5} THEN 'n/a' ELSE age::text END)::float8",
            "data_drift",
            'invalid input syntax for type double precision: "n/a"',
        ),
        ("region", f"CASE WHEN 1 / (id - {FIRST + 5}) = 0 THEN region END", "operations", "division by zero"),
        ("latency_ms", f"latency_ms / (id - {FIRST + 5})", "operations", "division by zero"),
    ],
    ids=["cast", "segment", "latency"],
)
def test_a_column_that_fails_in_one_window_costs_one_row(
    column: str, expression: str, check: str, reason: str, server: postgres.Server, results: Store
) -> None:
    view(server, "odd", column, expression)
    said = f"column {column!r} of table 'odd' cannot be read: {reason}"
    assert run(server.url, results, table="odd") == [("failed", f"{check}: {said}"), ("done", None)]
    rows = results.query("SELECT check_name, column_name, message FROM result WHERE status = 'error'")
    assert rows == [{"check_name": check, "column_name": column, "message": said}]


def test_a_column_that_fails_in_the_baseline_is_left_out_of_it(server: postgres.Server, results: Store) -> None:
    view(server, "early", "age", "1 / (id - 5)")
    states = run(server.url, results, table="early")
    assert [state for state, _ in states] == ["failed"] * DAYS
    assert str(states[0][1]).startswith(
        "data_drift: the baseline was measured without column 'age' and never changes (column 'age' of table 'early' "
        "cannot be read: division by zero): once that is mended, "
    )
    assert results.query("SELECT column_name FROM result WHERE status = 'error'") == [{"column_name": "age"}] * DAYS


def test_a_timestamp_that_fails_fails_the_windows_at_once(server: postgres.Server, fails: Fail) -> None:
    view(server, "odd_time", "asked_at", f"asked_at + (1 / (id - {FIRST + 5})) * interval '0 s'")
    error = fails(server.url, table="odd_time")
    assert type(error) is DataError
    assert str(error) == "table 'odd_time': the query: division by zero"


def test_what_fails_in_some_windows_is_the_same_one_by_one(server: postgres.Server, tmp_path: Path) -> None:
    """One column fails on two days, another on one of them and a third, and the days between are as they were."""
    days = [FIRST + day * inference_log.ROWS + 3 for day in (0, 1, 3)]
    columns = COLUMNS.replace("age,", f"CASE WHEN id IN ({days[0]}, {days[1]}) THEN 1 / (id - id) ELSE age END AS age,")
    columns = columns.replace(
        "region,", f"CASE WHEN id IN ({days[1]}, {days[2]}) THEN (1 / (id - id))::text ELSE region END AS region,"
    )
    tables.run_postgres(server.url, [f"CREATE VIEW mixed AS SELECT {columns} FROM inference_log"])
    monitor = inference_log.monitor("{multivariate_drift: off, data_quality: off}", table="mixed")
    end = inference_log.START + timedelta(days=4)
    found = []
    for windows in (
        [monitor.schedule.windows(inference_log.START, end)],
        list(zip(monitor.schedule.windows(inference_log.START, end))),
    ):
        with (
            open_store(f"sqlite:///{tmp_path / str(len(windows))}.db") as store,
            open_warehouse(server.url) as warehouse,
        ):
            for some in windows:
                run_windows(monitor, some[0].start, some[-1].end, warehouse=warehouse, store=store)
            found.append(inference_log.contents(store))
            failed = store.query("SELECT window_start, column_name FROM result WHERE status = 'error' ORDER BY 1, 2")
            assert [(row["window_start"].day, row["column_name"]) for row in failed] == [
                (21, "age"), (22, "age"), (22, "region"), (24, "region"),
            ]  # fmt: skip
    assert found[0] == found[1]


def test_an_empty_table_has_no_baseline_and_a_vanished_one_is_named(server: postgres.Server, fails: Fail) -> None:
    tables.run_postgres(server.url, ["CREATE TABLE fresh AS SELECT * FROM inference_log WHERE false"])
    for table, message in (
        (
            "fresh",
            "monitor 'loans': the baseline's table 'fresh' has no rows between 2024-03-01T00:00Z and 2024-03-21T00:00Z",
        ),
        ("vanished", "table 'vanished' is not in the warehouse"),
    ):
        error = fails(server.url, table=table)
        assert type(error) is DataError
        assert str(error) == message


def command(folder: Path, warehouse: str, *changes: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as a user does."""
    text = inference_log.MONITOR.format(checks=QUICK)
    for change in changes:
        text = text.replace("table: inference_log", change)
    (folder / "loans.yaml").write_text(text)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MONITORING_")}
    environ = {**kept, "MONITORING_WAREHOUSE_LOANS": warehouse, "NO_COLOR": "1", "COLUMNS": "200"}
    arguments = ["run", "loans.yaml", "--start", "2024-03-21", "--end", "2024-03-23"]
    return subprocess.run(
        [sys.executable, "-m", "monitoring_tasks", *arguments],
        cwd=folder, env=environ, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def test_the_command_line_says_it_in_a_line_and_by_its_exit_code(
    server: postgres.Server, role: str, tmp_path: Path
) -> None:
    tables.run_postgres(server.url, ["REVOKE SELECT ON inference_log FROM monitor"])
    denied = command(tmp_path, role)
    view(server, "odd_age", "age", f"1 / (id - {FIRST + 5})")
    broken = command(tmp_path, server.url, "table: odd_age")
    assert (denied.returncode, broken.returncode) == (1, 1)
    assert denied.stderr.splitlines()[-1].startswith(
        "error: table 'inference_log': permission denied for table inference_log; as its owner run GRANT "
    )
    assert broken.stdout == "loans: 2 windows (1 done, 1 failed), 960 rows\n"
    assert broken.stderr.splitlines()[-1] == (
        "failed 2024-03-21T00:00Z/2024-03-22T00:00Z: data_drift: column 'age' of table 'odd_age' cannot be read: "
        "division by zero"
    )
    for done in (denied, broken):
        assert "Traceback" not in done.stderr
        assert SECRET not in done.stderr
