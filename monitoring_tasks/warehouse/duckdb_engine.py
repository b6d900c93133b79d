"""DuckDB: a file, or Parquet files that it reads in place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import duckdb
import pyarrow as pa
from sqlglot import exp

from monitoring_tasks.config import ColumnType
from monitoring_tasks.errors import DataError, MonitoringError, TransientError, first_line
from monitoring_tasks.url import shown
from monitoring_tasks.warehouse.expressions import quoted_table, rendered

MEMORY_LIMIT = "1GB"
"""Counting streams, so more would not make it faster; a DuckDB that needs more spills to disk."""

_DUCKDB_TYPES: dict[str, ColumnType] = {
    "FLOAT": "number",
    "DOUBLE": "number",
    "BOOLEAN": "boolean",
    "VARCHAR": "string",
    "UUID": "string",
    "DATE": "date",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
}


class DuckDBWarehouse:
    """A DuckDB file, or Parquet files that DuckDB reads in place."""

    dialect = "duckdb"

    def __init__(self, connection: Any, directory: Path | None) -> None:
        self._connection = connection
        self._directory = directory

    def table(self, name: str) -> exp.Expr:
        """Return a quoted name, or a call of ``read_parquet`` for a path."""
        path = self._path(name)
        if path is None:
            return quoted_table(name, self.dialect)
        return _read_parquet(path, folders=True)

    def columns(self, name: str) -> dict[str, ColumnType]:
        """Ask for no row and read the types off the answer."""
        return self._columns(name, self.table(name))

    def partition_keys(self, name: str) -> frozenset[str]:
        """Read the files' own columns; what the table has beyond them is from the folders' names."""
        path = self._path(name)
        if path is None:
            return frozenset()
        return frozenset(self.columns(name).keys() - self._columns(name, _read_parquet(path, folders=False)).keys())

    def _columns(self, name: str, source: exp.Expr) -> dict[str, ColumnType]:
        with duckdb_errors(f"table {name!r}"):
            cursor = self._connection.execute(rendered(exp.select("*").from_(source).limit(0), self.dialect))
            return {column[0]: _duckdb_type(str(column[1])) for column in cursor.description}

    def query(self, select: exp.Query) -> pa.Table:
        """Run one statement and return its rows."""
        with duckdb_errors("the query"):
            return self._connection.sql(rendered(select, self.dialect)).to_arrow_table()

    def batches(self, select: exp.Query, rows: int) -> Iterator[pa.RecordBatch]:
        """Run one statement and yield its rows piecewise, about so many at a time: they are never held all at once."""
        with duckdb_errors("the query"):
            yield from self._connection.sql(rendered(select, self.dialect)).to_arrow_reader(rows)

    def interrupt(self) -> None:
        """End the statement that another thread is waiting for."""
        self._connection.interrupt()

    def explain(self, select: exp.Query) -> str:
        """Return DuckDB's EXPLAIN ANALYZE."""
        with duckdb_errors("the query"):
            rows = self._connection.execute("EXPLAIN ANALYZE " + rendered(select, self.dialect)).fetchall()
        return "\n".join(row[-1] for row in rows)

    def _path(self, name: str) -> str | None:
        """Return the Parquet glob that a table name stands for, or None when it is a name in the DuckDB file."""
        looks_like_path = "/" in name or "*" in name or name.endswith(".parquet")
        if self._directory is None and not looks_like_path:
            return None
        path = (self._directory or Path()) / name
        if looks_like_path and (path.is_file() or "*" in name):
            return str(path)
        for candidate in (path, path.with_name(path.name + ".parquet")):
            if candidate.is_dir():
                return str(candidate / "**" / "*.parquet")
            if candidate.is_file():
                return str(candidate)
        raise DataError(f"table {name!r} is not there: neither the directory {path} nor the file {path}.parquet exists")


@contextmanager
def open_duckdb(url: str) -> Iterator[DuckDBWarehouse]:
    """Open a file or directory for reading; see `monitoring_tasks.warehouse.engine.open_warehouse`."""
    location = url.removeprefix("duckdb:").removeprefix("//").removeprefix("/")
    path = Path(location) if location else None
    if path is not None and not path.exists():
        raise DataError(f"warehouse {shown(url)!r}: there is no file or directory (seen from {Path.cwd()})")
    directory = path if path is not None and path.is_dir() else None
    with duckdb_errors(f"warehouse {shown(url)!r}"):
        if path is None or directory is not None:
            connection = duckdb.connect()
        else:
            connection = duckdb.connect(str(path), read_only=True)
    try:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
        connection.execute("SET preserve_insertion_order = false")
        connection.execute("SET enable_progress_bar = false")
        _spill_elsewhere(connection)
        yield DuckDBWarehouse(connection, directory)
    finally:
        connection.close()


def _spill_elsewhere(connection: Any) -> None:
    """Let DuckDB write what memory does not hold to the system's temporary folder, under names of this process.

    By default it writes beside the file that it reads, which is not ours to write to. Connections to one file share the
    setting, and it cannot be set again once it was used.
    """
    folder = gettempdir()
    if connection.execute("SELECT current_setting('temp_directory')").fetchone() != (folder,):
        connection.execute("SET temp_directory = " + exp.Literal.string(folder).sql("duckdb"))


HALF_WRITTEN = ("No magic bytes found at end of file", "too small to be a Parquet file", "Could not read enough bytes")
"""How it words a file that ends too early. The end of a Parquet file is written last."""

GONE = ("Cannot open file", "No such file or directory")
"""How it words a file that was there when the folder was listed."""

HEALED_BY_WAITING = ("HTTP Error", "Connection Error", "IO Error: Could not set lock", *HALF_WRITTEN)
"""How DuckDB words what another try may not meet again: a network, or a file that a writer has not finished.

Its message is all there is to tell by: what happens while rows stream comes as an `OSError` of the Arrow reader.
"""


@contextmanager
def duckdb_errors(subject: str) -> Iterator[None]:
    """Turn DuckDB's errors into ours, which say whether trying again can help."""
    try:
        yield
    except MonitoringError:
        raise
    except (duckdb.Error, OSError, pa.ArrowException) as error:
        reason = first_line(error)
        gone = all(_says(reason, words) for words in GONE)
        heals = gone or any(_says(reason, words) for words in HEALED_BY_WAITING)
        raise (TransientError if heals else DataError)(f"{subject}: {reason}{_remedy(reason)}") from error


def _says(reason: str, words: str) -> bool:
    return words.lower() in reason.lower()


def _remedy(reason: str) -> str:
    if any(_says(reason, words) for words in HALF_WRITTEN):
        return (
            "; it is being written, or its writer was stopped: write it under another name and rename it when it is "
            "whole, or write it again"
        )
    return ""


def _read_parquet(path: str, *, folders: bool) -> exp.Expr:
    """Return the call that reads Parquet files, with or without the columns that their folders' names hold."""
    return exp.Anonymous(
        this="read_parquet",
        expressions=[
            exp.Literal.string(path),
            exp.EQ(this=exp.column("hive_partitioning"), expression=exp.Boolean(this=folders)),
            exp.EQ(this=exp.column("union_by_name"), expression=exp.true()),
        ],
    )


def _duckdb_type(name: str) -> ColumnType:
    if name in _DUCKDB_TYPES:
        return _DUCKDB_TYPES[name]
    if name.endswith("]"):  # a list
        return "other"
    if name.startswith("DECIMAL"):
        return "decimal"
    if name.startswith("ENUM"):
        return "string"
    if name.startswith("TIMESTAMP"):
        return "timestamp"
    return "integer" if name.endswith(("INT", "INTEGER", "BIGNUM")) else "other"
