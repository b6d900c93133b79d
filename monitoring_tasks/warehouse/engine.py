"""Connections to warehouses: DuckDB natively, everything with a SQLAlchemy dialect through SQLAlchemy. Reading only.

Queries come in as sqlglot trees and go out as text of the engine's dialect with every identifier quoted, so no name or
value of a monitor file is ever pasted into SQL.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, Protocol

import pyarrow as pa
from sqlglot import exp
from sqlglot.errors import SqlglotError

from monitoring_tasks.errors import ConfigError, DataError, MonitoringError, TransientError

Type = Literal["integer", "number", "decimal", "boolean", "string", "timestamp", "timestamptz", "date", "other"]

MEMORY_LIMIT = "1GB"
"""Counting streams, so more would not make it faster; a DuckDB that needs more spills to disk."""

DIALECTS = {
    "postgresql": "postgres",
    "snowflake": "snowflake",
    "bigquery": "bigquery",
    "trino": "trino",
    "redshift": "redshift",
    "databricks": "databricks",
    "clickhouse": "clickhouse",
}
"""SQLAlchemy's names of the dialects that can be scanned, and sqlglot's."""

EXTRAS = ("postgres", "snowflake", "bigquery", "trino")
"""Dialects whose drivers are optional dependencies of this package."""

REFUSED = ("password authentication failed", "no password supplied", "no pg_hba.conf entry", '" does not exist')
"""How PostgreSQL words a refused login: an attempt to connect that failed has no SQLSTATE."""

_DUCKDB_TYPES: dict[str, Type] = {
    "FLOAT": "number",
    "DOUBLE": "number",
    "BOOLEAN": "boolean",
    "VARCHAR": "string",
    "UUID": "string",
    "DATE": "date",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
}


class Warehouse(Protocol):
    """What the scan needs of an engine. One read-only transaction lasts as long as the object is open."""

    dialect: str
    """sqlglot's name of the SQL that `query` speaks."""

    def table(self, name: str) -> exp.Expr:
        """Return what stands after FROM for a table, view or path of the monitor file."""
        ...

    def columns(self, name: str) -> dict[str, Type]:
        """Return the columns of a table in its own order. Raises DataError when there is no such table."""
        ...

    def partition_keys(self, name: str) -> frozenset[str]:
        """Return the table's columns that stand in the names of its folders and not in its files."""
        ...

    def query(self, select: exp.Query) -> pa.Table:
        """Run one statement and return its rows."""
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
    variable = "MONITORING_WAREHOUSE_" + "".join(c if c.isalnum() else "_" for c in name.upper())
    url = environ.get(variable, "").strip()
    if not url:
        raise ConfigError(
            f"warehouse {name!r} is not known: set {variable} to a SQLAlchemy URL, duckdb:///FILE or duckdb://, "
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
        with _open_duckdb(url) as warehouse:
            yield warehouse
    else:
        with _open_sqlalchemy(url) as warehouse:
            yield warehouse


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
            return _table(name, self.dialect)
        return _read_parquet(path, folders=True)

    def columns(self, name: str) -> dict[str, Type]:
        """Ask for no row and read the types off the answer."""
        return self._columns(name, self.table(name))

    def partition_keys(self, name: str) -> frozenset[str]:
        """Read the files' own columns; what the table has beyond them is from the folders' names."""
        path = self._path(name)
        if path is None:
            return frozenset()
        return frozenset(self.columns(name).keys() - self._columns(name, _read_parquet(path, folders=False)).keys())

    def _columns(self, name: str, source: exp.Expr) -> dict[str, Type]:
        with _duckdb_errors(f"table {name!r}"):
            cursor = self._connection.execute(_text(exp.select("*").from_(source).limit(0), self.dialect))
            return {column[0]: _duckdb_type(str(column[1])) for column in cursor.description}

    def query(self, select: exp.Query) -> pa.Table:
        """Run one statement and return its rows."""
        with _duckdb_errors("the query"):
            return self._connection.sql(_text(select, self.dialect)).to_arrow_table()

    def explain(self, select: exp.Query) -> str:
        """Return DuckDB's EXPLAIN ANALYZE."""
        with _duckdb_errors("the query"):
            rows = self._connection.execute("EXPLAIN ANALYZE " + _text(select, self.dialect)).fetchall()
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


class SQLAlchemyWarehouse:
    """A server that SQLAlchemy has a dialect for, in one read-only transaction."""

    def __init__(self, connection: Any, dialect: str) -> None:
        self._connection = connection
        self.dialect = dialect

    def table(self, name: str) -> exp.Expr:
        """Return the quoted name."""
        return _table(name, self.dialect)

    def columns(self, name: str) -> dict[str, Type]:
        """Read the catalogue."""
        import sqlalchemy as sa

        table = _table(name, self.dialect)
        with _sqlalchemy_errors(f"table {name!r}"), warnings.catch_warnings():
            warnings.simplefilter("ignore", sa.exc.SAWarning)  # of a type that it does not know: `other` to us
            try:
                found = sa.inspect(self._connection).get_columns(table.name, schema=table.db or None)
            except sa.exc.NoSuchTableError:
                raise DataError(f"table {name!r} is not in the warehouse, or may not be read") from None
        return {column["name"]: _sqlalchemy_type(column["type"]) for column in found}

    def partition_keys(self, name: str) -> frozenset[str]:  # noqa: ARG002  a server's tables hold all their columns
        """Return nothing."""
        return frozenset()

    def query(self, select: exp.Query) -> pa.Table:
        """Run one statement and return its rows."""
        with _sqlalchemy_errors("the query"):
            answer = self._execute(_text(select, self.dialect))
            names = list(answer.keys())
            columns = list(zip(*answer.fetchall(), strict=True)) or [()] * len(names)
        return pa.table({name: pa.array(values) for name, values in zip(names, columns, strict=True)})

    def explain(self, select: exp.Query) -> str:
        """Return the server's EXPLAIN ANALYZE."""
        with _sqlalchemy_errors("the query"):
            return "\n".join(row[0] for row in self._execute("EXPLAIN ANALYZE " + _text(select, self.dialect)))

    def _execute(self, sql: str) -> Any:
        # The text holds no parameters; drivers of these styles would read a per cent sign in a literal as one.
        if self._connection.dialect.paramstyle in {"format", "pyformat"}:
            sql = sql.replace("%", "%%")
        return self._connection.exec_driver_sql(sql)


@contextmanager
def _open_duckdb(url: str) -> Iterator[DuckDBWarehouse]:
    import duckdb

    location = url.removeprefix("duckdb:").removeprefix("//").removeprefix("/")
    path = Path(location) if location else None
    if path is not None and not path.exists():
        raise DataError(f"warehouse {url!r}: there is no file or directory {str(path)!r} (seen from {Path.cwd()})")
    directory = path if path is not None and path.is_dir() else None
    with _duckdb_errors(f"warehouse {url!r}"):
        if path is None or directory is not None:
            connection = duckdb.connect()
        else:
            connection = duckdb.connect(str(path), read_only=True)
    try:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
        connection.execute("SET preserve_insertion_order = false")
        connection.execute("SET enable_progress_bar = false")
        yield DuckDBWarehouse(connection, directory)
    finally:
        connection.close()


@contextmanager
def _open_sqlalchemy(url: str) -> Iterator[SQLAlchemyWarehouse]:
    import sqlalchemy as sa

    try:
        address = sa.make_url(url)
        if address.drivername in {"postgres", "postgresql"}:
            address = address.set(drivername="postgresql+psycopg")
        dialect = DIALECTS.get(address.get_backend_name())
        if dialect is None:
            raise ConfigError(
                f"a warehouse cannot be {address.get_backend_name()!r}: it is duckdb or one of {', '.join(DIALECTS)}"
            )
        # A server that is away must not hold the task for the minutes of TCP's own patience.
        patience = {"connect_timeout": 30} if dialect == "postgres" else {}
        engine = sa.create_engine(address, poolclass=sa.NullPool, connect_args=patience)
    except sa.exc.NoSuchModuleError:
        raise ConfigError(
            f"the SQLAlchemy dialect {address.drivername!r} for the warehouse is not installed: {_remedy(dialect)}"
        ) from None
    except (sa.exc.ArgumentError, ValueError):
        raise ConfigError("a warehouse's URL cannot be read: write duckdb:///FILE or a SQLAlchemy URL") from None
    except ImportError as error:
        raise ConfigError(f"the driver {error.name!r} for the warehouse is not installed: {_remedy(dialect)}") from None
    options: dict[str, Any] = {}
    if dialect == "postgres":
        # One snapshot for both passes of a scan, and the server itself refuses any write.
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with _sqlalchemy_errors(f"warehouse {address.render_as_string(hide_password=True)!r}"):
        connection = engine.connect().execution_options(**options)
    try:
        if dialect == "postgres":
            connection.exec_driver_sql("SET TIME ZONE 'UTC'")
        yield SQLAlchemyWarehouse(connection, dialect)
    finally:
        connection.close()
        engine.dispose()


def _remedy(dialect: str | None) -> str:
    if dialect in EXTRAS:
        return f'pip install "monitoring-tasks[{dialect}]"'
    return "install the package that brings it"


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


def _table(name: str, dialect: str) -> exp.Table:
    try:
        parts = exp.to_table(name, dialect=dialect).parts
    except SqlglotError:
        parts = []
    if not 1 <= len(parts) <= 3 or not all(isinstance(part, exp.Identifier) for part in parts):
        raise ConfigError(f"{name!r} is not a table: write table or schema.table, with quotes round odd names")
    names = [exp.to_identifier(part.name, quoted=True) for part in reversed(parts)]
    return exp.Table(**dict(zip(("this", "db", "catalog"), names, strict=False)))


def _text(select: exp.Query, dialect: str) -> str:
    return select.sql(dialect=dialect, identify=True, comments=False)


@contextmanager
def _duckdb_errors(subject: str) -> Iterator[None]:
    import duckdb

    try:
        yield
    except MonitoringError:
        raise
    except duckdb.IOException as error:
        kind = TransientError if "could not set lock" in str(error).lower() else DataError
        raise kind(f"{subject}: {_first_line(error)}") from error
    except (duckdb.OutOfMemoryException, duckdb.HTTPException, duckdb.ConnectionException) as error:
        raise TransientError(f"{subject}: {_first_line(error)}") from error
    except duckdb.Error as error:
        raise DataError(f"{subject}: {_first_line(error)}") from error


@contextmanager
def _sqlalchemy_errors(subject: str) -> Iterator[None]:
    import sqlalchemy as sa

    try:
        yield
    except MonitoringError:
        raise
    except sa.exc.DBAPIError as error:
        cause = _first_line(error.orig or error)
        if _wrong_credentials(error):
            raise ConfigError(f"{subject}: {cause}") from error
        waiting_heals = error.connection_invalidated or isinstance(
            error, (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.InternalError)
        )
        raise (TransientError if waiting_heals else DataError)(f"{subject}: {cause}") from error


def _wrong_credentials(error: Any) -> bool:
    """Tell a refused login (SQLSTATE class 28, or no such database) from a server that is merely away."""
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return str(state).startswith("28") or state == "3D000"
    return any(words in str(error.orig) for words in REFUSED)


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n", 1)[0]


def _duckdb_type(name: str) -> Type:
    if name in _DUCKDB_TYPES:
        return _DUCKDB_TYPES[name]
    if name.startswith("DECIMAL"):
        return "decimal"
    if name.startswith("ENUM"):
        return "string"
    if name.startswith("TIMESTAMP"):
        return "timestamp"
    return "integer" if name.endswith(("INT", "INTEGER", "BIGNUM")) else "other"


def _sqlalchemy_type(kind: Any) -> Type:
    import sqlalchemy as sa

    if isinstance(kind, sa.DateTime):
        return "timestamptz" if kind.timezone else "timestamp"
    families: tuple[tuple[type, Type], ...] = (
        (sa.Boolean, "boolean"),
        (sa.Integer, "integer"),
        (sa.Float, "number"),
        (sa.Numeric, "decimal"),
        (sa.Date, "date"),
        (sa.String, "string"),
        (sa.Uuid, "string"),
    )
    return next((name for family, name in families if isinstance(kind, family)), "other")
