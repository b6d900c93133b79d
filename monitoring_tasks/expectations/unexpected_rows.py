"""A query of the author's own for rows that should not be there, where Great Expectations itself runs no SQL."""

from __future__ import annotations

from collections.abc import Iterable

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from monitoring_tasks.errors import DataError, first_line
from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.expressions import named, subquery
from monitoring_tasks.warehouse.statement import Source, rows_of
from monitoring_tasks.window import Window

BATCH = "window_rows"
"""The name of the window's rows in a statement."""


def unexpected_rows(warehouse: Warehouse, source: Source, window: Window, columns: Iterable[str], query: str) -> int:
    """Return how many rows a query finds.

    Parameters
    ----------
    warehouse
        An open warehouse.
    source
        The table and its timestamp column.
    window
        Whose rows stand for ``{batch}`` in the query.
    columns
        Which of their columns it may read.
    query
        A SELECT in the engine's dialect.

    Raises
    ------
    DataError
        If it is no SELECT, or the engine refuses it.
    TransientError
        If the warehouse does not answer.
    """
    try:
        found = sqlglot.parse_one(query.rstrip("; \t\r\n").format(batch=BATCH), dialect=warehouse.dialect)
    except (SqlglotError, KeyError, IndexError, ValueError) as error:
        raise DataError(f"the query cannot be read: {first_line(error)}") from None
    if not isinstance(found, exp.Query):
        raise DataError("the query is no SELECT")
    rows = rows_of(warehouse, source, [window], {name: named(name) for name in columns})
    for table in list(found.find_all(exp.Table)):
        if table.name == BATCH and not table.db:
            table.replace(subquery(rows.copy(), table.alias or BATCH))
    count = exp.alias_(exp.Count(this=exp.Star()), "n")
    answer = warehouse.query(exp.select(count).from_(subquery(found, "unexpected")))
    return int(answer["n"][0].as_py())
