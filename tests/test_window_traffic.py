"""A key, or a table of expected rows, that cannot be read costs itself and says why; the rows are counted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import psycopg
import pytest

from monitoring_tasks.config import Monitor
from monitoring_tasks.errors import DataError
from monitoring_tasks.inference_log import log_source
from monitoring_tasks.traffic import Expected, Traffic
from monitoring_tasks.warehouse.engine import open_warehouse
from monitoring_tasks.window_traffic import window_traffic
from tests import inference_log
from tests.inference_log import day

HOURS = "SELECT i AS id, TIMESTAMP '2024-03-21' + i * INTERVAL '1 hour' AS asked_at FROM {} AS made(i)"
DAYS = [day(20), day(21)]


def monitor(expected: str | None = None, schedule: str = "@daily") -> Monitor:
    text = inference_log.MONITOR.format(checks="{}").replace("@daily", schedule)
    if expected is not None:
        text = text.replace("  error: error\n", f"  error: error\n  expected_rows: {expected}\n")
    return inference_log.parse_monitor(text, environ={})


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., list[Traffic]]:
    """Make the log, of 36 rows in two days, and read its traffic."""

    def traffic(mine: Monitor, *statements: str) -> list[Traffic]:
        file = tmp_path / "loans.duckdb"
        with duckdb.connect(str(file)) as database:
            database.execute("CREATE TABLE inference_log AS " + HOURS.format("range(36)"))
            for statement in statements:
                database.execute(statement)
        with open_warehouse(f"duckdb:///{file}") as warehouse:
            types = warehouse.columns("inference_log")
            found = window_traffic(mine, warehouse, types, log_source(mine, types), DAYS)
        assert list(found) == DAYS
        assert [each.rows for each in found.values()] == [24, 12]
        return list(found.values())

    return traffic


DUE = "CREATE TABLE due AS " + HOURS.format("range(40)")


def test_without_a_table_of_expected_rows_nothing_is_expected(read) -> None:
    assert [each.expected for each in read(monitor())] == [None, None]


def test_expected_keys_by_default_have_the_names_of_the_log(read) -> None:
    found = read(monitor("due"), DUE)
    assert [each.expected for each in found] == [Expected(24, 0), Expected(16, 4, ("36", "37", "38", "39"))]


def test_expected_counts(read) -> None:
    found = read(monitor("{table: due, rows: id}"), DUE)
    assert [each.expected for each in found] == [Expected(sum(range(24))), Expected(sum(range(24, 40)))]


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("nowhere", "the expected rows cannot be read: "),
        ("{table: due, key: ident}", "table 'due' of the expected rows has no column 'ident' (inference_log."),
        (
            "{table: due, timestamp: id}",
            "column 'id' of table 'due' of the expected rows is a whole number, not a time",
        ),
        (
            "{table: due, rows: asked_at}",
            "column 'asked_at' of table 'due' of the expected rows is a time, not a number",
        ),
    ],
)
def test_expected_rows_that_cannot_be_read_say_why_and_cost_nothing_else(read, written: str, why: str) -> None:
    for each in read(monitor(written), DUE):
        assert each.expected is not None
        assert each.expected.rows is None
        assert str(each.expected.unreadable).startswith(why)
        assert each.repeats == 0


def test_days_of_expected_rows_beside_windows_of_hours_are_refused(read) -> None:
    hourly = monitor("{table: due, timestamp: on_day}", "6h")
    (first, _) = read(hourly, DUE, "ALTER TABLE due ADD COLUMN on_day DATE")
    assert "'on_day' of table 'due' of the expected rows is a date, and windows of" in str(first.expected.unreadable)


def test_a_key_of_a_type_that_cannot_be_compared_is_not_measured(read) -> None:
    change = "ALTER TABLE inference_log ALTER id TYPE STRUCT(a BIGINT) USING {'a': id}"
    for each in read(monitor("due"), DUE, change):
        assert (each.without_key, each.repeats) == (None, None)
        assert each.key_unreadable == (
            "column 'id' of table 'inference_log' (inference_log.key) is of a type that cannot be compared"
        )
        assert each.expected == Expected(
            unreadable="column 'id' of the inference log is of a type that cannot be compared (inference_log.key): no "
            "expected key is found by it"
        )


def test_a_log_without_its_key_is_counted_all_the_same(read) -> None:
    for each in read(monitor("{table: due, rows: id}"), DUE, "ALTER TABLE inference_log RENAME id TO number"):
        assert (each.repeats, each.expected.unreadable) == (None, None)
        assert str(each.key_unreadable).startswith("table 'inference_log' has no column 'id' (inference_log.key)")
        assert each.expected.rows is not None


def test_a_key_that_fails_in_one_window_costs_that_window_only(read) -> None:
    bad = "CASE WHEN asked_at >= '2024-03-22' THEN CAST('x' || id AS BIGINT) ELSE id END"
    broken = (
        "ALTER TABLE inference_log RENAME TO made",
        f"CREATE VIEW inference_log AS SELECT * REPLACE ({bad} AS id) FROM made",
    )
    *others, last = read(monitor(), *broken)
    assert [(each.key_unreadable, each.repeats) for each in others] == [(None, 0)] * len(others)
    assert str(last.key_unreadable).startswith("column 'id' (inference_log.key) cannot be read: ")
    assert last.repeats is None
    assert last.rows


def test_a_view_of_expected_rows_that_fails_when_it_is_read_costs_only_itself(read) -> None:
    broken = "CREATE VIEW broken AS SELECT asked_at, CAST('x' || id AS BIGINT) AS id FROM due"
    for each in read(monitor("broken"), DUE, broken):
        assert each.repeats == 0
        assert str(each.expected.unreadable).startswith("the expected rows cannot be read: ")


def test_a_log_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "loans.duckdb")) as database:
        database.execute("CREATE TABLE made AS " + HOURS.format("range(36)"))
        database.execute("CREATE VIEW inference_log AS SELECT id, CAST('x' || id AS TIMESTAMP) AS asked_at FROM made")
    with open_warehouse(f"duckdb:///{tmp_path / 'loans.duckdb'}") as warehouse:
        types = warehouse.columns("inference_log")
        with pytest.raises(DataError, match="invalid timestamp"):
            window_traffic(monitor("made"), warehouse, types, log_source(monitor(), types), DAYS)


@pytest.mark.integration
def test_refused_permissions_on_postgresql_cost_only_what_they_refuse(
    postgres_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the key's column, and of the other table; each statement fails by itself."""
    role = "reader_of_" + postgres_database.rsplit("/", 1)[1]
    made = HOURS.replace("TIMESTAMP", "timestamp").format("generate_series(0, {})")
    with psycopg.connect(postgres_database, autocommit=True) as server:
        server.execute("CREATE TABLE inference_log AS " + made.format(35))  # type: ignore[arg-type]
        server.execute("CREATE TABLE due AS " + made.format(39))  # type: ignore[arg-type]
        server.execute(f"CREATE ROLE {role} LOGIN")  # type: ignore[arg-type]
        server.execute(f"GRANT SELECT (asked_at) ON inference_log TO {role}")  # type: ignore[arg-type]
        try:
            with open_warehouse(postgres_database.replace("postgres@", f"{role}@")) as warehouse:
                mine, types, asked = monitor("due", "1h"), warehouse.columns("inference_log"), []
                hours = mine.schedule.windows(day(20).start, day(21).end)
                original = warehouse.query
                monkeypatch.setattr(warehouse, "query", lambda select: asked.append(select) or original(select))
                for some in (hours, hours[:1]):
                    asked.clear()
                    by_hour = window_traffic(mine, warehouse, types, log_source(mine, types), some)
                    assert len(asked) == 3, "once with it, once to learn that it is refused, once without"
                    assert len({(each.key_unreadable, each.expected) for each in by_hour.values()}) == 1
                    assert "permission denied for table inference_log" in str(by_hour[hours[0]].key_unreadable)
            found = []
            for more in ("inference_log (id)", "due"):
                with open_warehouse(postgres_database.replace("postgres@", f"{role}@")) as warehouse:
                    types = warehouse.columns("inference_log")
                    mine = monitor("due")
                    found.append(window_traffic(mine, warehouse, types, log_source(mine, types), DAYS)[day(21)])
                column = more.removeprefix("inference_log ")
                grant = f"SELECT {column} ON inference_log" if column != more else "SELECT ON due"
                server.execute(f"GRANT {grant} TO {role}")  # type: ignore[arg-type]
            with open_warehouse(postgres_database.replace("postgres@", f"{role}@")) as warehouse:
                types = warehouse.columns("inference_log")
                found.append(window_traffic(mine, warehouse, types, log_source(mine, types), DAYS)[day(21)])
        finally:
            server.execute(f"DROP OWNED BY {role}")  # type: ignore[arg-type]
            server.execute(f"DROP ROLE {role}")  # type: ignore[arg-type]
    assert [(each.rows, each.repeats) for each in found] == [(12, None), (12, 0), (12, 0)]
    assert ["permission denied" in str(each.expected and each.expected.unreadable) for each in found] == [
        True,
        True,
        False,
    ]
    assert found[2].expected == Expected(16, 4, ("36", "37", "38", "39"))
