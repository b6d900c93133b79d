"""Connections to warehouses: DuckDB natively, everything with a SQLAlchemy dialect through SQLAlchemy. Reading only.

Queries come in as sqlglot trees and go out as text of the engine's dialect with every identifier quoted, so no name or
value of a monitor file is ever pasted into SQL.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

import pyarrow as pa
from sqlglot import exp

from monitoring_tasks.config import ColumnType
from monitoring_tasks.environment import variable
from monitoring_tasks.errors import ConfigError


class Warehouse(Protocol):
    """What the scan needs of an engine, which is only read.

    PostgreSQL answers all statements from one snapshot, taken by the first, and a DuckDB file has no writer while it is
    open. Parquet files and the other engines answer each statement from what is stored when it begins.
    """

    dialect: str
    """sqlglot's name of the SQL that `query` speaks."""

    def table(self, name: str) -> exp.Expr:
        """Return what stands after FROM for a table, view or path of the monitor file."""
        ...

    def columns(self, name: str) -> dict[str, ColumnType]:
        """Return the columns of a table in its own order. Raises DataError when there is no such table."""
        ...

    def partition_keys(self, name: str) -> frozenset[str]:
        """Return the table's columns that stand in the names of its folders and not in its files."""
        ...

    def query(self, select: exp.Query) -> pa.Table:
        """Run one statement and return its rows."""
        ...

    def batches(self, select: exp.Query, rows: int) -> Iterator[pa.RecordBatch]:
        """Run one statement and yield its rows piecewise, about so many at a time: they are never held all at once."""
        ...

    def explain(self, select: exp.Query) -> str:
        """Return the plan of the statement as the engine prints it, with what was really read."""
        ...


def warehouse_url(name: str, environ: Mapping[str, str] = os.environ) -> str:
    """Return the URL that the environment gives a warehouse of a monitor file.

    Examples
    --------
    >>> warehouse_url("demo", {"MONITORING_WAREHOUSE_DEMO": "duckdb:///demo.duckdb"})
    'duckdb:///demo.duckdb'
    """
    setting = variable("warehouse", name)
    url = environ.get(setting, "").strip()
    if not url:
        raise ConfigError(
            f"warehouse {name!r} is not known: set {setting} to a SQLAlchemy URL, duckdb:///FILE or duckdb://, "
            f"or under Airflow make a connection of that id"
        )
    return url


@contextmanager
def open_warehouse(url: str) -> Iterator[Warehouse]:
    """Open a warehouse for reading and close it in the end.

    Parameters
    ----------
    url
        ``duckdb:///FILE`` for a DuckDB file, ``duckdb:///DIRECTORY`` for a directory in which every table is a Parquet
        file or a directory of them, ``duckdb://`` for tables that are Parquet paths, or a SQLAlchemy URL.

    Raises
    ------
    ConfigError
        If the URL names no engine that can be scanned.
    DataError
        If there is nothing at a DuckDB URL.
    TransientError
        If the server does not answer.
    """
    if url.startswith("duckdb:"):
        from monitoring_tasks.warehouse.duckdb_engine import open_duckdb

        with open_duckdb(url) as warehouse:
            yield warehouse
    else:
        from monitoring_tasks.warehouse.sqlalchemy_engine import open_sqlalchemy

        with open_sqlalchemy(url) as warehouse:
            yield warehouse
