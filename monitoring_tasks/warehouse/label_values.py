"""Which values the labels of a table have."""

from __future__ import annotations

from sqlglot import exp

from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.expressions import integer, named, selected

MOST = 1_000
"""Values that are read; a model with more classes is none that is checked by them."""


def label_values(warehouse: Warehouse, table: str, column: str) -> tuple[object, ...]:
    """Return the different values of a column as the warehouse types them, without NULL and NaN, ordered as text.

    Parameters
    ----------
    warehouse
        An open warehouse.
    table, column
        Of the labels; the column is read once. Of more than `MOST` values as many are returned, whichever come first.
    """
    rows = selected({"y": named(column)}, warehouse.table(table)).distinct()
    rows = rows.where(exp.Not(this=exp.Is(this=named(column), expression=exp.null())))
    answer = warehouse.query(rows.limit(integer(MOST)))
    return tuple(sorted((value for value in answer["y"].to_pylist() if value == value), key=str))
