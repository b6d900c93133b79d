"""Suites inside a real PostgreSQL: verdicts as on DuckDB's rows, reading only, with errors that heal or not."""

import math

import psycopg
import pytest
import sqlalchemy as sa

from monitoring_tasks.errors import DataError, TransientError
from monitoring_tasks.expectations.validation import validate_window
from monitoring_tasks.warehouse.engine import open_warehouse
from monitoring_tasks.window import Window
from tests import inference_log
from tests.expectations import suites
from tests.expectations.suites import expected
from tests.inference_log import ROWS, day

pytestmark = pytest.mark.integration

DAYS = (21, inference_log.SHIFTED, inference_log.NEW_COUNTRY, inference_log.MISSING)


@pytest.fixture
def filled(postgres_database: str) -> str:
    return inference_log.to_postgres(postgres_database)


def test_twenty_expectations_and_more_give_the_same_verdicts_on_duckdb_and_postgresql(tmp_path, warehouse, filled):
    assert len(suites.EVERY) > 40
    monitor = suites.monitor(tmp_path)
    statuses = set()
    with open_warehouse(filled) as server:
        for number in DAYS:
            here = validate_window(monitor, warehouse, day(number), ROWS)
            there = validate_window(monitor, server, day(number), ROWS)
            assert (here.pushed_down, there.pushed_down) == (False, True)
            assert len(here.outcomes) == len(there.outcomes) == len(suites.EVERY)
            for mine, its in zip(here.outcomes, there.outcomes, strict=True):
                assert verdict(mine) == verdict(its)
                assert near(mine.observed, its.observed), (mine, its)
                statuses.add((mine.expectation, mine.success))
    both = {type_ for type_, success in statuses if success} & {type_ for type_, success in statuses if not success}
    assert len(both) > 15  # each is met on one day and failed on another, or there is one of either kind


def verdict(outcome):
    return outcome.expectation, outcome.success, outcome.unexpected_rows, outcome.judged_rows, outcome.error


def near(a, b):
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(near(a[name], b[name]) for name in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(near, a, b))
    return math.isclose(a, b, rel_tol=1e-9) if isinstance(a, float) else a == b


def test_it_reads_the_same_twice_and_writes_nothing(tmp_path, filled):
    monitor = suites.monitor(tmp_path)
    with open_warehouse(filled) as server:
        first = validate_window(monitor, server, day(inference_log.NEW_COUNTRY), ROWS)
        assert validate_window(monitor, server, day(inference_log.NEW_COUNTRY), ROWS) == first
    pairs = next(
        each for each in first.outcomes if each.expectation == "expect_column_pair_values_a_to_be_greater_than_b"
    )
    assert len(pairs.examples) == 5
    assert sorted(pairs.examples) == list(pairs.examples)  # the smallest, whatever row the server comes to first
    with psycopg.connect(filled) as database:
        tables = database.execute("SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'v') AND relnamespace = 2200")
        assert tables.fetchall() == [(1,)]
        others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        assert database.execute(others).fetchall() == [(0,)]


def test_a_query_of_the_suite_cannot_write(tmp_path, filled):
    query = "SELECT nextval('counter') FROM {batch}"
    with psycopg.connect(filled) as database:
        database.execute("CREATE SEQUENCE counter")
    monitor = suites.monitor(
        tmp_path, [{"type": "unexpected_rows_expectation", "kwargs": {"unexpected_rows_query": query}}]
    )
    with open_warehouse(filled) as server:
        (outcome,) = validate_window(monitor, server, day(21), ROWS).outcomes
    assert outcome.error is not None
    assert "read-only transaction" in outcome.error


def test_a_condition_of_pandas_is_one_error_that_says_so(tmp_path, filled):
    between = "column_values_to_be_between"
    suite = [
        expected(between, "amount", min_value=0, row_condition="age > 30", condition_parser="pandas"),
        suites.EVERY[0],
    ]
    with open_warehouse(filled) as server:
        first, second = validate_window(suites.monitor(tmp_path, suite), server, day(21), ROWS).outcomes
    assert first.error is not None
    assert first.error.startswith("its row_condition is one of pandas")
    assert second.success is True


def test_odd_names_and_nan_and_times_with_a_zone(tmp_path, postgres_database):
    with psycopg.connect(postgres_database) as database:
        database.execute(
            """CREATE TABLE inference_log AS SELECT i AS id, '2024-03-21'::timestamp AS asked_at,
            CASE WHEN i = 0 THEN NULL WHEN i = 1 THEN 'NaN'::float8 ELSE i END AS "x :y % z""w",
            '2024-03-01 00:00:00+02'::timestamptz + i * interval '1 day' AS "At", i / 4.0 AS d,
            '{"a": 1}'::json AS j FROM generate_series(0, 3) i"""
        )
    odd = 'x :y % z"w'
    suite = [
        expected("column_values_to_not_be_null", odd),
        expected("column_mean_to_be_between", odd, min_value=2, max_value=3),
        expected("column_values_to_be_between", "At", min_value="2024-03-01", max_value="2024-03-03T00:00:00+02:00"),
        expected("column_sum_to_be_between", "d", min_value=1.5, max_value=1.5),
        expected("column_values_to_be_null", "j"),
    ]
    with open_warehouse(postgres_database) as server:
        found = validate_window(suites.monitor(tmp_path, suite), server, day(20), 4).outcomes
    assert [(each.error, each.success, each.unexpected_rows, each.observed) for each in found] == [
        (None, False, 2, None),
        (None, True, None, 2.5),
        (None, False, 2, None),
        (None, True, None, 1.5),
        (None, False, 4, None),
    ]


def test_a_server_that_stops_in_the_middle_is_waited_for_and_a_refused_statement_is_one_error(
    tmp_path, filled, monkeypatch
):
    suite = [expected("column_values_to_be_in_set", "amount", value_set=["a"]), *suites.EVERY[:2]]
    monitor = suites.monitor(tmp_path, suite)
    with open_warehouse(filled) as server:
        refused, *others = validate_window(monitor, server, day(21), ROWS).outcomes
        assert refused.error is not None
        assert "double precision" in refused.error
        assert [each.error for each in others] == [None, None]
        monkeypatch.setattr(
            "monitoring_tasks.expectations.pushed_down.POSTGRES_SESSION", ("SET statement_timeout = 100",)
        )
        slow = [{"type": "unexpected_rows_expectation", "kwargs": {"unexpected_rows_query": SLOW}}]
        with pytest.raises(TransientError, match="statement timeout"):
            validate_window(suites.monitor(tmp_path, slow), server, day(21), ROWS)


SLOW = "SELECT pg_sleep(1) FROM {batch}"


def test_a_server_that_went_away_is_a_transient_error_without_its_password(tmp_path, filled, monkeypatch):
    monitor = suites.monitor(tmp_path)
    url = sa.make_url(filled).set(password="hunter$2").render_as_string(hide_password=False)
    gone = sa.make_url(url).set(port=1).render_as_string(hide_password=False)
    with open_warehouse(url) as server:
        assert validate_window(monitor, server, day(21), ROWS).pushed_down
        monkeypatch.setattr(server, "_url", gone.replace("postgresql:", "postgresql+psycopg:"))
        with pytest.raises(TransientError, match="refused") as caught:
            validate_window(monitor, server, day(21), ROWS)
    assert "hunter" not in str(caught.value)


def test_what_great_expectations_says_of_a_url_keeps_its_password_out(tmp_path, filled, monkeypatch):
    monitor = suites.monitor(tmp_path)
    url = sa.make_url(filled).set(password="hunter2").render_as_string(hide_password=False)
    with open_warehouse(url) as server:
        monkeypatch.setattr("sqlalchemy.create_engine", lambda address, **_: 1 / 0 if address else None)
        monkeypatch.setattr(server, "_url", "nonsense://me:hunter2@db/x")
        with pytest.raises(DataError, match="Great Expectations cannot use this warehouse") as caught:
            validate_window(monitor, server, day(21), ROWS)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None or "hunter2" not in str(caught.value.__cause__)


def test_only_the_windows_own_rows_are_read(tmp_path, filled):
    monitor = suites.monitor(tmp_path, [expected("table_row_count_to_equal", value=ROWS)])
    two = Window(day(21).start, day(22).end)
    with open_warehouse(filled) as server:
        assert validate_window(monitor, server, day(21), ROWS).outcomes[0].observed == ROWS
        assert validate_window(monitor, server, two, 2 * ROWS).outcomes[0].observed == 2 * ROWS
