"""Which columns a statement fails for, and in which windows: those cost themselves only.

A view may divide by zero or cast a text that is no number; a column may be without a GRANT, or a page of it corrupt.
The statement that counts all columns of all windows then fails as a whole. What is found here of a window does not
depend on which others are read beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from sqlglot import exp

from monitoring_tasks.columns import Column
from monitoring_tasks.errors import DataError, ForbiddenError
from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.expressions import named, selected
from monitoring_tasks.warehouse.statement import Source, rows_of
from monitoring_tasks.window import Window

T = TypeVar("T")


def failing(items: Sequence[T], take: Callable[[Sequence[T]], object]) -> list[tuple[T, DataError]]:
    """Return the items that `take` fails for one by one, and how; it is given ever smaller parts of them.

    For k failing ones among n about 2 k log2(n) parts are taken.

    Examples
    --------
    >>> def take(numbers):
    ...     if 7 in numbers:
    ...         raise DataError("seven")
    >>> failing(range(20), take)
    [(7, DataError('seven'))]
    """
    try:
        if items:
            take(items)
    except DataError as error:
        if len(items) == 1:
            return [(items[0], error)]
        half = len(items) // 2
        return [*failing(items[:half], take), *failing(items[half:], take)]
    return []


def broken_columns(
    warehouse: Warehouse,
    source: Source,
    columns: Sequence[Column],
    windows: Sequence[Window],
    count: Callable[[Sequence[Column], Sequence[Window]], object],
) -> dict[Window, dict[str, str]]:
    """Return, for each window that has some, the columns that cannot be read in it and why.

    Parameters
    ----------
    warehouse, source
        The table.
    columns
        Those of a statement that failed.
    windows
        Its windows, in time order.
    count
        Counts some of the columns in some of the windows; raises DataError where that fails.
    """
    found: dict[Window, dict[str, str]] = {}
    for column, _ in failing(columns, lambda some: count(some, windows)):
        try:
            _plan(warehouse, source, column)
            where = failing(windows, partial(_of_one, count, column))
        except DataError as always:
            where = [(window, always) for window in windows]
        for window, reason in where:
            found.setdefault(window, {})[column.name] = why_unreadable(column.name, source.table, reason)
    return found


def without_broken(
    warehouse: Warehouse,
    source: Source,
    columns: Sequence[Column],
    period: Window | None,
    count: Callable[[Sequence[Column]], T],
) -> tuple[T, Mapping[str, str]]:
    """Return what `count` returns of the columns that it does not fail for, and why it fails for each of the others.

    Parameters
    ----------
    warehouse, source, columns, period
        The table, and the rows of it that count; None for all.
    count
        Reads some of the columns in these rows; raises DataError where that fails.

    Raises
    ------
    DataError
        If the rows cannot be read whatever the column, or none of the columns can.
    ForbiddenError
        If one of them may not be read: only a GRANT heals that, and what is counted here is kept for good.
    """
    try:
        return count(columns), {}
    except DataError as reason:
        rows = rows_of(warehouse, source, [] if period is None else [period], {"n": exp.Count(this=exp.Star())})
        warehouse.query(rows)
        broken = failing(columns, count)
        if not 0 < len(broken) < len(columns):
            raise reason from None
    reasons = {column.name: why_unreadable(column.name, source.table, error) for column, error in broken}
    for column, error in broken:
        if isinstance(error, ForbiddenError):
            raise ForbiddenError(reasons[column.name]) from error
    return count([column for column in columns if column.name not in reasons]), reasons


def why_unreadable(column: str, table: str, error: DataError) -> str:
    """Return the reason of a result row.

    Examples
    --------
    >>> why_unreadable("age", "log", DataError("the query: division by zero"))
    "column 'age' of table 'log' cannot be read: division by zero"
    """
    return f"column {column!r} of table {table!r} cannot be read: {str(error).removeprefix('the query: ')}"


def _of_one(
    count: Callable[[Sequence[Column], Sequence[Window]], object], column: Column, windows: Sequence[Window]
) -> None:
    count([column], windows)


def _plan(warehouse: Warehouse, source: Source, column: Column) -> None:
    """Ask for no row of the column: what fails then, such as a missing GRANT, fails in every window."""
    warehouse.query(selected({"x": named(column.name)}, warehouse.table(source.table)).limit(0))
