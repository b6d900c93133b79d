"""Servers that SQLAlchemy has a dialect for."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlglot import exp

from monitoring_tasks.config import ColumnType
from monitoring_tasks.errors import ConfigError, DataError, ForbiddenError, MonitoringError, TransientError, first_line
from monitoring_tasks.patience import LOCK_SECONDS, libpq_patience, session_patience
from monitoring_tasks.sql_state import INSUFFICIENT_PRIVILEGE, OUT_OF_MEMORY, heals, is_refused, remedy, sql_state
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

REPLACED = sa.text(
    "SELECT c.relfilenode IS DISTINCT FROM pg_relation_filenode(t.oid) FROM (SELECT to_regclass(:name) AS oid) AS t "
    "LEFT JOIN pg_class AS c ON c.oid = t.oid WHERE pg_relation_filenode(t.oid) IS NOT NULL"
)
"""Whether a table was emptied, replaced or made since the snapshot: the catalogue's row is of then, its file of now."""

ELSEWHERE = sa.text(
    "SELECT n.nspname, has_schema_privilege(n.oid, 'USAGE') FROM pg_class AS c JOIN pg_namespace AS n "
    "ON n.oid = c.relnamespace WHERE c.relname = :name AND n.nspname = coalesce(:schema, n.nspname) "
    "AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND has_table_privilege(c.oid, 'SELECT') IS NOT NULL ORDER BY 1"
)
"""Schemas that have a table of this name, and whether they may be used. Of one that was dropped no right is known."""


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
        """Read the catalogue. From then on PostgreSQL lets nobody empty or alter the table until it is read."""
        table = quoted_table(name, self.dialect)
        if self.dialect == "postgres":
            self._hold(name, table)
        with sqlalchemy_errors(f"table {name!r}", self._url), warnings.catch_warnings():
            warnings.simplefilter("ignore", sa.exc.SAWarning)  # of a type that it does not know: `other` to us
            if self.dialect == "postgres" and self._connection.scalar(REPLACED, {"name": self._text(table)}):
                raise TransientError(f"table {name!r} was replaced or emptied while others were read: try again")
            try:
                found = sa.inspect(self._connection).get_columns(table.name, schema=table.db or None)
            except sa.exc.NoSuchTableError:
                where = self._elsewhere(table) if self.dialect == "postgres" else ", or may not be read"
                raise DataError(f"table {name!r} is not in the warehouse{where}") from None
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

    def batches(self, select: exp.Query, rows: int) -> Iterator[pa.RecordBatch]:
        """Run one statement and yield its rows piecewise; where the driver has cursors, the server holds the rest."""
        with sqlalchemy_errors("the query", self._url), self._savepoint():
            text = self._escaped(rendered(select, self.dialect))
            options = {"stream_results": True, "max_row_buffer": rows}
            with self._connection.exec_driver_sql(text, execution_options=options) as answer:
                names = list(answer.keys())
                for part in answer.partitions(rows):
                    columns = [pa.array(values) for values in zip(*part, strict=True)]
                    yield pa.RecordBatch.from_arrays(columns, names=names)

    def explain(self, select: exp.Query) -> str:
        """Return the server's EXPLAIN ANALYZE."""
        with sqlalchemy_errors("the query", self._url):
            return "\n".join(row[0] for row in self._execute("EXPLAIN ANALYZE " + rendered(select, self.dialect)))

    def _savepoint(self) -> AbstractContextManager[object]:
        """Keep the snapshot where a statement fails: PostgreSQL would refuse all others after it."""
        return self._connection.begin_nested() if self.dialect == "postgres" else nullcontext()

    def _hold(self, name: str, table: exp.Table) -> None:
        """Wait for the locks of others before the snapshot is taken, where this is the first table that is read.

        TRUNCATE and what rewrites a table are not of any snapshot: one that was taken while a load held its lock shows
        the table empty once the load is done. Of more partitions than the server can hold locks for, the table itself
        is locked and not all of them: what the scan reads may be a few.
        """
        text, state = self._text(table), None
        lock, alone = (f"LOCK TABLE {only}{text} IN ACCESS SHARE MODE" for only in ("", "ONLY "))
        look = f"SELECT FROM {text} LIMIT 0"
        for statement in (lock, alone, look):
            if statement == alone and state != OUT_OF_MEMORY:
                continue
            try:
                with self._connection.begin_nested():
                    self._execute(statement)
                    return
            except sa.exc.DBAPIError as error:
                state = sql_state(error.orig)
                refused = state == INSUFFICIENT_PRIVILEGE and statement == look  # which any one column would allow
                healed = state is None or (heals(state) and state != OUT_OF_MEMORY)
                if error.connection_invalidated or healed or refused:
                    with sqlalchemy_errors(f"table {name!r}", self._url):
                        raise
                # It is not there, or no table, or not all of it may be read: the next statement tells.

    def _elsewhere(self, table: exp.Table) -> str:
        """Say where a table of that name is that this role does not see."""
        names = {"name": table.name, "schema": table.db or None}
        for schema, usable in self._connection.execute(ELSEWHERE, names).all():
            if not usable:
                return f" as this role sees it{remedy(f'permission denied for schema {schema}', self._role)}"
            return f": there is one in schema {schema!r}, write {f'{schema}.{table.name}'!r}"
        return ""

    def _text(self, table: exp.Table) -> str:
        return table.sql(self.dialect)

    @property
    def _role(self) -> str | None:
        return self._connection.engine.url.username

    def _execute(self, sql: str) -> Any:
        return self._connection.exec_driver_sql(self._escaped(sql))

    def _escaped(self, sql: str) -> str:
        """Double per cent signs: the text holds no parameters, and drivers of these styles would read one."""
        return sql.replace("%", "%%") if self._connection.dialect.paramstyle in {"format", "pyformat"} else sql


def address_of(warehouse: SQLAlchemyWarehouse) -> tuple[str, dict[str, Any]]:
    """Return the URL of an open server, with its password, and the arguments of its driver, to connect once more."""
    return warehouse._url, libpq_patience(sa.make_url(warehouse._url))


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
        engine = sa.create_engine(address, poolclass=sa.NullPool, connect_args=libpq_patience(address))
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
            with sqlalchemy_errors(f"warehouse {shown(url)!r}", url):
                _prepare(connection)
        yield SQLAlchemyWarehouse(connection, dialect, url)
    finally:
        connection.close()
        engine.dispose()


def _prepare(connection: sa.Connection) -> None:
    """Set what the session needs by statements that take no snapshot, see `SQLAlchemyWarehouse._hold`."""
    connection.exec_driver_sql("SET TIME ZONE 'UTC'")
    lock_timeout = str(connection.exec_driver_sql("SHOW lock_timeout").scalar())
    version = connection.dialect.server_version_info
    for statement in session_patience(lock_timeout, version, LOCK_SECONDS):
        # A server on a system that cannot tell whether a client is there refuses to look.
        with suppress(sa.exc.DBAPIError), connection.begin_nested():
            connection.exec_driver_sql(statement)


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
        reason = first_line(error.orig or error)
        cause = without_secrets(reason + remedy(reason, sa.make_url(url).username), url)
        if is_refused(error.orig):
            raise ConfigError(f"{subject}: {cause}") from error
        raise error_class(error)(f"{subject}: {cause}") from error


def error_class(error: sa.exc.DBAPIError) -> type[MonitoringError]:
    """Return which of our errors the driver's is, but for a refused login."""
    state = sql_state(error.orig)
    if error.connection_invalidated:
        return TransientError
    if state == INSUFFICIENT_PRIVILEGE:
        return ForbiddenError
    if state is not None:
        return TransientError if heals(state) else DataError
    away = isinstance(error, (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.InternalError))
    return TransientError if away else DataError


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
