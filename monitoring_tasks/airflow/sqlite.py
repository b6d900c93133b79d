"""How Airflow's own SQLite database is opened by `standalone`, so that its processes do not trip over each other.

A transaction that begins with a savepoint begins as a reader. When another process has written by the time it wants
to write, SQLite refuses at once, however long the timeout. Airflow 3.3 begins that way when it creates a backfill: the
request then ends with 503, its half-made runs are deleted, and a scheduler that has just seen them ends with a
``StaleDataError``. Taking the write lock at the beginning makes the second process wait instead.
"""

from __future__ import annotations

import sqlite3
from typing import Any


class Cursor(sqlite3.Cursor):
    """Begins a transaction before a savepoint that is not in one."""

    def execute(self, sql: str, parameters: Any = (), /) -> Cursor:
        """Run one statement."""
        if sql.startswith("SAVEPOINT") and not self.connection.in_transaction:
            super().execute("BEGIN IMMEDIATE")
        super().execute(sql, parameters)
        return self


class Connection(sqlite3.Connection):
    """Makes such cursors."""

    def cursor(self, factory: Any = Cursor) -> Any:
        """Return a new cursor."""
        return super().cursor(factory)


CONNECT = {"timeout": 60, "isolation_level": "IMMEDIATE", "factory": Connection}
"""Arguments of ``sqlite3.connect``."""
