"""The rows of a window as a pandas frame, for engines that Great Expectations cannot compute in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from monitoring_tasks.config import ColumnType
from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.expressions import integer, named, subquery
from monitoring_tasks.warehouse.statement import Source, rows_of
from monitoring_tasks.window import Window

if TYPE_CHECKING:
    import pandas as pd

EXACT = 2**53
"""Whole numbers up to here are doubles too."""


def window_frame(
    warehouse: Warehouse,
    source: Source,
    window: Window,
    columns: Mapping[str, ColumnType],
    key: str | None,
    rows: int,
    *,
    drawn: bool,
) -> pd.DataFrame:
    """Read these columns of the window's rows, with their own types, in an order that does not depend on the engine.

    Null and NaN are both missing, as they are everywhere else in a profile. Whole numbers of a column with missing
    values are doubles where they are exact as such.

    Parameters
    ----------
    warehouse
        An open warehouse.
    source
        The table and its timestamp column.
    window
        Whose rows.
    columns
        What to read, with the types.
    key
        The column that is unique for each row; None if the table has none.
    rows
        How many at most.
    drawn
        Whether to read those with the smallest MD5 of their key, see `monitoring_tasks.warehouse.sample`, instead of
        all in the order of their time.
    """
    # A text, a UUID and an enum are all texts to a suite.
    values: dict[str, exp.Expr] = {
        f"x{i}": exp.cast(named(name), "text") if type_ == "string" else named(name)
        for i, (name, type_) in enumerate(columns.items())
    }
    order: dict[str, exp.Expr] = {} if drawn or source.timestamp is None else {"t": named(source.timestamp)}
    if key is not None:
        text = exp.cast(named(key), "text")
        order |= {"h": exp.MD5(this=text), "k": text.copy()} if drawn else {"k": text}
    inner = rows_of(warehouse, source, [window], order | (values or {"x0": integer(0)}))
    if drawn and key is not None:
        inner = inner.where(exp.not_(exp.Is(this=named(key), expression=exp.null())), copy=False)
    sortable = [f"x{i}" for i, type_ in enumerate(columns.values()) if type_ != "other"]
    by = [exp.Ordered(this=named(name), nulls_first=True) for name in (*order, *sortable)]
    query = exp.select(*map(named, values or ["x0"])).from_(subquery(inner, "inferences"))
    answer = warehouse.query(query.order_by(*by).limit(integer(rows)))
    return frame_of(answer, list(values), columns)


def frame_of(answer: pa.Table, names: Sequence[str], columns: Mapping[str, ColumnType]) -> pd.DataFrame:
    """Return columns of an answer, under their own names, as Great Expectations computes with them."""
    import pandas as pd

    parts = {
        column: _series(answer[name].combine_chunks(), type_)
        for name, (column, type_) in zip(names, columns.items(), strict=True)
    }
    return pd.DataFrame(parts, index=pd.RangeIndex(len(answer)))


def _series(values: pa.Array, type_: ColumnType) -> Any:
    import pandas as pd

    if type_ == "decimal" or (type_ == "integer" and not pa.types.is_integer(values.type)):
        values = values.cast(pa.float64())
    if type_ == "integer" and values.null_count and pa.types.is_integer(values.type) and _is_large(values):
        return values.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype(), pa.uint64(): pd.UInt64Dtype()}.get)
    return values.to_pandas()


def _is_large(values: pa.Array) -> bool:
    ends = pc.min_max(values).as_py()
    return ends["min"] is not None and max(-ends["min"], ends["max"]) > EXACT
