"""A bounded sample of rows: those with the smallest hash of their key, the same on every run and on every engine."""

from __future__ import annotations

from collections.abc import Collection, Sequence

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
    text = exp.cast(named(key), "text")
    inner = {"h": exp.MD5(this=text), "k": text.copy(), **sampled(source, columns, windows, warehouse.dialect)}
    found = rows_of(warehouse, source, windows, inner)
    present = exp.not_(exp.Is(this=named(key), expression=exp.null()))
    keyed = subquery(found.where(present, copy=False), "keyed")
    texts = {"k", *texts_of(columns)}
    values = [f"x{i}" for i in range(len(columns))]
    answers = first_rows(warehouse, keyed, ["h", "k", *values], texts, values, len(windows), rows)
    return [bottom_k(answer, columns, rows) for answer in answers]


def sampled(source: Source, columns: Sequence[Column], windows: Sequence[Window], dialect: str) -> dict[str, exp.Expr]:
    """Return the number ``w`` of the window, if there are several, and the values ``x0``, ``x1`` and so on."""
    number_of: dict[str, exp.Expr] = {"w": window_number(source, windows, dialect)} if len(windows) > 1 else {}
    return number_of | {f"x{i}": value(column, dialect) for i, column in enumerate(columns)}


def texts_of(columns: Sequence[Column]) -> set[str]:
    """Return which of the values are texts."""
    return {f"x{i}" for i, column in enumerate(columns) if column.kind == "categorical"}


def first_rows(
    warehouse: Warehouse,
    keyed: exp.Subquery,
    order: Sequence[str],
    texts: Collection[str],
    values: Sequence[str],
    windows: int,
    rows: int,
) -> list[pa.Table]:
    """Return the first rows of each window, with the hash ``h`` and the values.

    Parameters
    ----------
    warehouse
        An open warehouse.
    keyed
        The rows that may be drawn.
    order
        Names of what they are sorted by: the hash, then what tells apart rows of one key.
    texts
        Which of these are texts.
    values
        What to return beside the hash.
    windows
        How many there are, 0 for a table without times.
    rows
        How many of each at most.
    """
    ascending = [_ascending(name, warehouse.dialect if name in texts else "") for name in order]
    wanted = [named(name) for name in ("h", *values)]
    if windows <= 1:
        return [warehouse.query(exp.select(*wanted).from_(keyed).order_by(*ascending).limit(integer(rows)))]
    place = exp.Window(this=exp.RowNumber(), partition_by=[named("w")], order=exp.Order(expressions=ascending))
    numbered = exp.select("*", exp.alias_(place, "r", quoted=True)).from_(keyed).where(named("w") >= integer(0))
    query = exp.select(named("w"), *wanted).from_(subquery(numbered, "numbered"))
    answer = warehouse.query(query.where(named("r") <= integer(rows)).order_by(named("w"), named("r")))
    return [answer.filter(pc.equal(answer["w"], i)) if len(answer) else answer for i in range(windows)]


def bottom_k(answer: pa.Table, columns: Sequence[Column], rows: int) -> BottomK:
    """Return what `first_rows` found of the columns, under their names."""
    types = [pa.string() if column.kind == "categorical" else pa.float64() for column in columns]
    return BottomK(
        pa.table(
            [answer[f"x{i}"].combine_chunks().cast(type_) for i, type_ in enumerate(types)],
            names=[column.name for column in columns],
        ),
        np.asarray(answer["h"].to_pylist(), dtype="S32"),
        rows,
    )


def _ascending(name: str, dialect: str) -> exp.Ordered:
    """Sort by code points, as the other engines do, where a database has an order of texts of its own."""
    column: exp.Expr = named(name)
    if dialect == "postgres":
        column = exp.Collate(this=column, expression=exp.to_identifier("C", quoted=True))
    return exp.Ordered(this=column, nulls_first=True)
