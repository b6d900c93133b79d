"""Servers that SQLAlchemy has a dialect for."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlglot import exp

from monitoring_tasks.config import ColumnType
from monitoring_tasks.errors import ConfigError, DataError, MonitoringError, TransientError, first_line
from monitoring_tasks.url import shown, without_secrets
from monitoring_tasks.warehouse.expressions import quoted_table, rendered

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


class SQLAlchemyWarehouse:
    """A server that SQLAlchemy has a dialect for, in one read-only transaction."""

    def __init__(self, connection: sa.Connection, dialect: str, url: str) -> None:
        self._connection = connection
        self._url = url
        self.dialect = dialect

    def table(self, name: str) -> exp.Expr:
        """Return the quoted name."""
        return quoted_table(name, self.dialect)

    def columns(self, name: str) -> dict[str, ColumnType]:
        """Read the catalogue."""
        table = quoted_table(name, self.dialect)
        with sqlalchemy_errors(f"table {name!r}", self._url), warnings.catch_warnings():
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
        with sqlalchemy_errors("the query", self._url), self._savepoint():
            answer = self._execute(rendered(select, self.dialect))
            names = list(answer.keys())
            columns = list(zip(*answer.fetchall(), strict=True)) or [()] * len(names)
        return pa.table({name: pa.array(values) for name, values in zip(names, columns, strict=True)})

    def explain(self, select: exp.Query) -> str:
        """Return the server's EXPLAIN ANALYZE."""
        with sqlalchemy_errors("the query", self._url):
            return "\n".join(row[0] for row in self._execute("EXPLAIN ANALYZE " + rendered(select, self.dialect)))

    def _savepoint(self) -> AbstractContextManager[object]:
        """Keep the snapshot where a statement fails: PostgreSQL would refuse all others after it."""
        return self._connection.begin_nested() if self.dialect == "postgres" else nullcontext()

    def _execute(self, sql: str) -> Any:
        # The text holds no parameters; drivers of these styles would read a per cent sign in a literal as one.
        if self._connection.dialect.paramstyle in {"format", "pyformat"}:
            sql = sql.replace("%", "%%")
        return self._connection.exec_driver_sql(sql)


def address_of(warehouse: SQLAlchemyWarehouse) -> tuple[str, dict[str, Any]]:
    """Return the URL of an open server, with its password, and the arguments of its driver, to connect once more."""
    return warehouse._url, _patience(warehouse.dialect)


def _patience(dialect: str) -> dict[str, Any]:
    """Return what keeps a server that is away from holding the task for the minutes of TCP's own patience."""
    return {"connect_timeout": 30} if dialect == "postgres" else {}


@contextmanager
def open_sqlalchemy(url: str) -> Iterator[SQLAlchemyWarehouse]:
    """Open a server for reading; see `monitoring_tasks.warehouse.engine.open_warehouse`."""
    try:
        address = sa.make_url(url)
        if address.drivername in {"postgres", "postgresql"}:
            address = address.set(drivername="postgresql+psycopg")
        url = address.render_as_string(hide_password=False)
        dialect = DIALECTS.get(address.get_backend_name())
        if dialect is None:
            raise ConfigError(
                f"a warehouse cannot be {address.get_backend_name()!r}: it is duckdb or one of {', '.join(DIALECTS)}"
            )
        engine = sa.create_engine(address, poolclass=sa.NullPool, connect_args=_patience(dialect))
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
    with sqlalchemy_errors(f"warehouse {shown(url)!r}", url):
        connection = engine.connect().execution_options(**options)
    try:
        if dialect == "postgres":
            connection.exec_driver_sql("SET TIME ZONE 'UTC'")
        yield SQLAlchemyWarehouse(connection, dialect, url)
    finally:
        connection.close()
        engine.dispose()


def _remedy(dialect: str | None) -> str:
    if dialect in EXTRAS:
        return f'pip install "monitoring-tasks[{dialect}]"'
    return "install the package that brings it"


@contextmanager
def sqlalchemy_errors(subject: str, url: str) -> Iterator[None]:
    """Turn the driver's errors into ours, which say whether trying again can help. Secrets stay hidden."""
    try:
        yield
    except MonitoringError:
        raise
    except sa.exc.PendingRollbackError as error:
        # The connection broke in an earlier statement. A new one would have another snapshot, so nobody makes one here.
        raise TransientError(f"{subject}: the connection to the warehouse was lost") from error
    except sa.exc.DBAPIError as error:
        cause = without_secrets(first_line(error.orig or error), url)
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


def _sqlalchemy_type(kind: Any) -> ColumnType:
    if isinstance(kind, sa.DateTime):
        return "timestamptz" if kind.timezone else "timestamp"
    families: tuple[tuple[type, ColumnType], ...] = (
        (sa.Boolean, "boolean"),
        (sa.Integer, "integer"),
        (sa.Float, "number"),
        (sa.Numeric, "decimal"),
        (sa.Date, "date"),
        (sa.String, "string"),
        (sa.Uuid, "string"),
    )
    return next((name for family, name in families if isinstance(kind, family)), "other")
