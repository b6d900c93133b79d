"""A bounded sample of rows: those with the smallest hash of their key, the same on every run and on every engine."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from monitoring_tasks.bottom_k import BottomK
from monitoring_tasks.columns import Column
from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.expressions import integer, named, subquery, value
from monitoring_tasks.warehouse.statement import Source, rows_of, window_number
from monitoring_tasks.window import Window


def sample(
    warehouse: Warehouse, source: Source, columns: Sequence[Column], key: str, windows: Sequence[Window], rows: int
) -> list[BottomK]:
    """Draw rows without chance: sort them by the MD5 of the key's text and take the first.

    MD5 spreads keys as evenly as chance would, is spelled alike by every engine, and does not care where a row lies. So
    a row is drawn again by every run, and one that is added moves at most one other out. Rows of one key are sorted by
    the values asked for: those that still tie are equal, and it does not matter which is taken. A row without a key
    cannot be told from others like it and is never drawn.

    The warehouse sorts and cuts, so this process holds at most `rows` rows of each window.

    Parameters
    ----------
    warehouse
        An open warehouse.
    source
        The table and its timestamp column.
    columns
        What to read, as the scan does: numbers and seconds since 1970 as doubles, categories as texts.
    key
        The column that is unique for each row. Whole numbers, texts and UUIDs are spelled alike by every engine.
    windows
        Disjoint, in time order; a table without times is drawn from as a whole. One window costs a sort that remembers
        only the first rows, several are sorted whole: ask for several of few rows.
    rows
        How many of each window at most.

    Returns
    -------
    list of BottomK
        For each window (for the table, if it has no times) float64 and string columns named as `columns` are.
    """
    names = [f"x{i}" for i in range(len(columns))]
    keyed = _keyed(warehouse, source, columns, key, windows)
    texts = {name for name, column in zip(names, columns, strict=True) if column.kind == "categorical"}
    order = [_ascending(name, warehouse.dialect if name in {"k", *texts} else "") for name in ("h", "k", *names)]
    if len(windows) <= 1:
        query = (
            exp.select(named("h"), *(named(name) for name in names)).from_(keyed).order_by(*order).limit(integer(rows))
        )
        answers = [warehouse.query(query)]
    else:
        place = exp.Window(this=exp.RowNumber(), partition_by=[named("w")], order=exp.Order(expressions=order))
        numbered = exp.select("*", exp.alias_(place, "r", quoted=True)).from_(keyed).where(named("w") >= integer(0))
        query = exp.select(named("w"), named("h"), *(named(name) for name in names)).from_(
            subquery(numbered, "numbered")
        )
        query = query.where(named("r") <= integer(rows)).order_by(named("w"), named("r"))
        answer = warehouse.query(query)
        answers = [answer.filter(pc.equal(answer["w"], i)) if len(answer) else answer for i in range(len(windows))]
    types = [pa.string() if name in texts else pa.float64() for name in names]
    return [
        BottomK(
            pa.table(
                [answer[name].combine_chunks().cast(type_) for name, type_ in zip(names, types, strict=True)],
                names=[column.name for column in columns],
            ),
            np.asarray(answer["h"].to_pylist(), dtype="S32"),
            rows,
        )
        for answer in answers
    ]


def _keyed(
    warehouse: Warehouse, source: Source, columns: Sequence[Column], key: str, windows: Sequence[Window]
) -> exp.Subquery:
    """Return the rows that have a key: the hash h, the key's text k, the number w of the window and the values."""
    text = exp.cast(named(key), "text")
    inner: dict[str, exp.Expr] = {"h": exp.MD5(this=text), "k": text.copy()}
    if len(windows) > 1:
        inner["w"] = window_number(source, windows, warehouse.dialect)
    inner |= {f"x{i}": value(column, warehouse.dialect) for i, column in enumerate(columns)}
    found = rows_of(warehouse, source, windows, inner)
    return subquery(found.where(exp.not_(exp.Is(this=named(key), expression=exp.null())), copy=False), "keyed")


def _ascending(name: str, dialect: str) -> exp.Ordered:
    """Sort by code points, as the other engines do, where a database has an order of texts of its own."""
    column: exp.Expr = named(name)
    if dialect == "postgres":
        column = exp.Collate(this=column, expression=exp.to_identifier("C", quoted=True))
    return exp.Ordered(this=column, nulls_first=True)
