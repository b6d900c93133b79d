import sqlite3
from contextlib import closing

import pytest

from monitoring_tasks.airflow.sqlite import CONNECT


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "airflow.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = wal")
        connection.execute("CREATE TABLE run (id INTEGER)")
    return path


def read_then_write_while_another_process_writes(first, second):
    cursor = first.cursor()
    cursor.execute("SAVEPOINT one")
    cursor.execute("SELECT count(*) FROM run").fetchall()
    second.execute("INSERT INTO run VALUES (1)")
    second.commit()
    cursor.execute("INSERT INTO run VALUES (2)")


def test_sqlite_refuses_at_once_without_it(database):
    with (
        closing(sqlite3.connect(database, timeout=60)) as first,
        closing(sqlite3.connect(database)) as second,
        pytest.raises(sqlite3.OperationalError, match="database is locked"),
    ):
        read_then_write_while_another_process_writes(first, second)


def test_a_savepoint_takes_the_write_lock_so_that_the_other_waits(database):
    with (
        closing(sqlite3.connect(database, **CONNECT)) as first,
        closing(sqlite3.connect(database, **CONNECT | {"timeout": 0.1})) as second,
    ):
        with pytest.raises(sqlite3.OperationalError, match="database is locked"):
            read_then_write_while_another_process_writes(first, second)
        assert first.in_transaction
        assert not second.in_transaction
        first.execute("INSERT INTO run VALUES (2)")
        first.commit()
        second.execute("INSERT INTO run VALUES (1)")
        second.commit()
        assert sorted(first.execute("SELECT id FROM run").fetchall()) == [(1,), (2,)]


def test_releasing_a_savepoint_does_not_end_the_transaction(database):
    with closing(sqlite3.connect(database, **CONNECT)) as connection:
        cursor = connection.cursor()
        for statement in ("SAVEPOINT one", "INSERT INTO run VALUES (1)", "RELEASE one"):
            cursor.execute(statement)
        assert connection.in_transaction
        connection.rollback()
        assert connection.execute("SELECT count(*) FROM run").fetchall() == [(0,)]
