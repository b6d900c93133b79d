"""Suites that a server computes by itself: its rows stay where they are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlglot import exp

from monitoring_tasks.config import ColumnType
from monitoring_tasks.errors import DataError, TransientError, first_line
from monitoring_tasks.patience import LOCK_SECONDS, session_patience
from monitoring_tasks.url import without_secrets
from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.expressions import integer, is_nan, named, rendered
from monitoring_tasks.warehouse.sqlalchemy_engine import SQLAlchemyWarehouse, address_of, error_class, sqlalchemy_errors
from monitoring_tasks.warehouse.statement import Source, rows_of
from monitoring_tasks.window import Window

PUSHED_DOWN = ("postgres", "snowflake", "bigquery", "trino", "redshift", "databricks")
"""Engines in which Great Expectations computes; the rows of the others are read."""

POSTGRES_SESSION = (
    "SET default_transaction_read_only = on",
    "SET TIME ZONE 'UTC'",
    # Sums of doubles must be the same on every run, and so must the order in which they are added.
    "SET synchronize_seqscans = off",
    "SET max_parallel_workers_per_gather = 0",
)


@contextmanager
def query_batch(
    context: Any, warehouse: Warehouse, source: Source, window: Window, columns: Mapping[str, ColumnType]
) -> Iterator[Any]:
    """Yield the window's rows as a batch of Great Expectations, on connections of its own that are closed afterwards.

    Parameters
    ----------
    context
        A context of Great Expectations.
    warehouse
        A server.
    source
        The table and its timestamp column.
    window
        Whose rows.
    columns
        What is read of them, with the types. NaN is null there, as it is in a profile.

    Raises
    ------
    DataError, TransientError
        If the server fails: what Great Expectations itself would only note down.
    """
    assert isinstance(warehouse, SQLAlchemyWarehouse)
    failures: list[BaseException | None] = []
    url, arguments = address_of(warehouse)
    with sqlalchemy_errors("the suite", url):
        try:
            server = context.data_sources.add_sql(
                "server", connection_string=_literal(url), create_temp_table=False, kwargs={"connect_args": arguments}
            )
        except Exception as error:  # noqa: BLE001  it raises what it wants, with the URL in it
            cause = _cause(error)
            if cause is not None:
                raise cause from None
            reason = without_secrets(first_line(error), url)
            raise DataError(f"Great Expectations cannot use this warehouse: {reason}") from None
        engines = [server.get_engine(), server.get_execution_engine().engine]
        for engine in engines:
            engine.dispose()
            if warehouse.dialect == "postgres":
                sa.event.listen(engine, "connect", _prepare)
            sa.event.listen(engine, "before_execute", _in_order(columns), retval=True)
            if engine.dialect.paramstyle in {"format", "pyformat"} and any("%" in name for name in columns):
                sa.event.listen(engine, "before_cursor_execute", _compiled_once, retval=True)
            sa.event.listen(engine, "handle_error", lambda failure: failures.append(failure.sqlalchemy_exception))
        try:
            query = _query(warehouse, source, window, columns)
            definition = server.add_query_asset("window", query=query).add_batch_definition_whole_table("whole")
            yield definition.get_batch()
            for failure in failures:
                if failure is not None and _is_broken(failure):
                    raise failure
        finally:
            server.get_execution_engine().close()
            for engine in engines:
                engine.dispose()


def _query(warehouse: Warehouse, source: Source, window: Window, columns: Mapping[str, ColumnType]) -> str:
    read: dict[str, exp.Expr] = {
        name: _without_nan(name, warehouse.dialect) if type_ == "number" else named(name)
        for name, type_ in columns.items()
    }
    query = rows_of(warehouse, source, [window], read or {"row": integer(1)})
    # SQLAlchemy would read a name after a colon as a parameter, both times that Great Expectations has it compiled.
    return rendered(query, warehouse.dialect).replace(":", r"\\:")


def _without_nan(name: str, dialect: str) -> exp.Expr:
    return exp.Case(ifs=[exp.If(this=exp.not_(is_nan(named(name), dialect)), true=named(name))])


def _prepare(connection: Any, _: Any) -> None:
    """Set what the session needs: by statements, because a pooler between refuses settings of the start."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        lock_timeout = cursor.fetchone()[0]
        for statement in (*POSTGRES_SESSION, *session_patience(lock_timeout, None, LOCK_SECONDS)):
            cursor.execute(statement)
    connection.commit()


def _literal(url: str) -> str:
    """Keep Great Expectations from reading a dollar sign as the name of a variable."""
    return re.sub(r"\$", r"\\$", url)


def _in_order(columns: Mapping[str, ColumnType]) -> Any:
    """Return what makes a statement that asks for a few unexpected values ask for the smallest: always the same."""

    def ordered(_: Any, statement: Any, multiparams: Any, params: Any, *__: Any) -> tuple[Any, Any, Any]:
        if not isinstance(statement, sa.Select) or statement._limit_clause is None or statement._order_by_clauses:
            return statement, multiparams, params
        selected = list(statement.selected_columns)
        names = [getattr(getattr(column, "element", column), "name", None) for column in selected]
        if all(columns.get(str(name), "other") != "other" for name in names):
            statement = statement.distinct().order_by(*selected)
        return statement, multiparams, params

    return ordered


def _compiled_once(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> tuple[str, Any]:
    """Undo that a per cent sign of a name was doubled for the driver twice."""
    return statement.replace("%%%%", "%%"), parameters


def _is_broken(failure: BaseException) -> bool:
    """Tell a server that failed from a statement that it refused, which is one expectation's error."""
    return isinstance(failure, sa.exc.DBAPIError) and error_class(failure) is TransientError


def _cause(error: BaseException) -> BaseException | None:
    """Return SQLAlchemy's error inside one of Great Expectations; None where there is none."""
    inner: BaseException | None = error
    while inner is not None and not isinstance(inner, sa.exc.SQLAlchemyError):
        inner = getattr(inner, "cause", None) or inner.__cause__ or inner.__context__
    return inner
