"""The same rows in every kind of warehouse."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from psycopg import sql

from monitoring_tasks.columns import KIND_OF_TYPE, Column, Role
from monitoring_tasks.config import ColumnType
from monitoring_tasks.profile import Kind
from monitoring_tasks.warehouse.engine import Warehouse, open_warehouse
from monitoring_tasks.warehouse.statement import Source

POSTGRES_TYPES = {
    pa.float64(): "double precision",
    pa.float32(): "real",
    pa.int64(): "bigint",
    pa.int32(): "integer",
    pa.int16(): "smallint",
    pa.bool_(): "boolean",
    pa.string(): "text",
    pa.large_string(): "text",
    pa.date32(): "date",
    pa.timestamp("us"): "timestamp",
    pa.timestamp("us", "UTC"): "timestamptz",
}

Make = Callable[[pa.Table, Path], tuple[str, str]]
"""Writes the rows beneath a folder; returns the warehouse's URL and the table's name in it."""


def parquet_file(rows: pa.Table, folder: Path) -> tuple[str, str]:
    pq.write_table(rows, folder / "log.parquet", row_group_size=max(1, rows.num_rows // 3))
    return "duckdb://", str(folder / "log.parquet")


def parquet_glob(rows: pa.Table, folder: Path) -> tuple[str, str]:
    for i in range(3):
        pq.write_table(rows.slice(i * rows.num_rows // 3, _third(rows, i)), folder / f"part-{i}.parquet")
    return "duckdb://", str(folder / "part-*.parquet")


def hive_directory(rows: pa.Table, folder: Path) -> tuple[str, str]:
    for i in range(3):
        part = folder / "log" / f"part={i}"
        part.mkdir(parents=True)
        pq.write_table(rows.slice(i * rows.num_rows // 3, _third(rows, i)), part / "rows.parquet")
    return f"duckdb:///{folder}", "log"


def duckdb_file(rows: pa.Table, folder: Path) -> tuple[str, str]:
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        connection.register("rows", rows)
        connection.execute("CREATE TABLE log AS SELECT * FROM rows")
    return f"duckdb:///{folder / 'warehouse.duckdb'}", "log"


DUCKDB: Mapping[str, Make] = {
    "parquet file": parquet_file,
    "parquet glob": parquet_glob,
    "hive directory": hive_directory,
    "duckdb file": duckdb_file,
}


def _third(rows: pa.Table, i: int) -> int:
    return (i + 1) * rows.num_rows // 3 - i * rows.num_rows // 3


def write_postgres(url: str, rows: pa.Table, table: str = "log", schema: str = "public") -> None:
    """Make the table anew."""
    name = sql.Identifier(schema, table)
    columns = [
        sql.SQL("{} {}").format(sql.Identifier(field.name), sql.SQL(_postgres_type(field.type)))
        for field in rows.schema
    ]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(name))
        connection.execute(sql.SQL("CREATE TABLE {} ({})").format(name, sql.SQL(", ").join(columns)))
        with connection.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(name)) as copy:
            for row in zip(*(column.to_pylist() for column in rows.columns), strict=True):
                copy.write_row(row)


def _postgres_type(type_: pa.DataType) -> str:
    return f"numeric({type_.precision}, {type_.scale})" if pa.types.is_decimal(type_) else POSTGRES_TYPES[type_]


@contextmanager
def opened(
    url: str, table: str, timestamp: str | None = "at"
) -> Iterator[tuple[Warehouse, Source, dict[str, ColumnType]]]:
    """Open a warehouse and read the table's columns."""
    with open_warehouse(url) as warehouse:
        types = warehouse.columns(table)
        yield warehouse, Source(table, timestamp, types[timestamp] if timestamp else "timestamp"), types


def columns_of(
    types: Mapping[str, ColumnType],
    kinds: Mapping[str, Kind] | None = None,
    roles: Mapping[str, tuple[Role, ...]] | None = None,
    *,
    without: Sequence[str] = ("at", "part"),
) -> tuple[Column, ...]:
    """Return the columns as features of their types' kinds, but for those that are said otherwise."""
    return tuple(
        Column(name, (kinds or {}).get(name, KIND_OF_TYPE[type_]), type_, (roles or {}).get(name, ("feature",)))
        for name, type_ in types.items()
        if name not in without
    )


def write_duckdb(file: Path, statements: Sequence[str]) -> str:
    """Make a DuckDB file by SQL; return its URL."""
    with duckdb.connect(str(file)) as connection:
        for statement in statements:
            connection.execute(statement)
    return f"duckdb:///{file}"


def run_postgres(url: str, statements: Sequence[str]) -> None:
    """Run SQL, each statement in a transaction of its own."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)
