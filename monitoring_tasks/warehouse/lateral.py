"""The scan's plan for PostgreSQL: a statement turns the columns into rows, and groups and sums those.

With labels it is that of all engines but DuckDB, for then every other plan would join them once for each column.

For a million rows of 25 columns it takes 4 s where GROUPING SETS take 7 to 8. Every segment column is a statement of
its own, in one snapshot, and the first of them counts all rows too: grouped by two at once, there would be as many
groups as their categories have pairs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sqlglot import exp

from monitoring_tasks.columns import Column
from monitoring_tasks.profile import Bins
from monitoring_tasks.warehouse.arrow import integers
from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.expressions import double, finite, integer, named, selected, subquery, value
from monitoring_tasks.warehouse.outcome_expressions import Entry, entries, outcome_rows
from monitoring_tasks.warehouse.statement import (
    Source,
    bin_number,
    rows_of,
    segment_number,
    whole_units,
    window_number,
)
from monitoring_tasks.warehouse.tally import ColumnTally, Groups, Tally

COLUMNS = 60
"""Columns per statement: more would be quicker to read and slower to plan."""


def read(
    warehouse: Warehouse, source: Source, columns: Sequence[Column], bins: Mapping[str, Bins], tally: Tally
) -> None:
    """Count and sum these columns into the tally."""
    for start in range(0, max(len(columns), 1), COLUMNS):
        others = [] if start or tally.outcomes is None else entries(source, tally.outcomes, warehouse.dialect)
        _read(warehouse, source, columns[start : start + COLUMNS], bins, tally, others)


def _read(
    warehouse: Warehouse,
    source: Source,
    columns: Sequence[Column],
    bins: Mapping[str, Bins],
    tally: Tally,
    others: Sequence[Entry],
) -> None:
    tally.rows[:] = 0
    counted = [None, *(tally.add(column, bins[column.name]) for column in columns)]
    splits = range(len(tally.segments.columns))
    for split in splits or [None]:
        answer = warehouse.query(_select(warehouse, source, bins, tally, counted, others, split))
        number, window, bin_ = (integers(answer[name], -1) for name in "iwb")
        outcome = None if tally.outcomes is None else integers(answer["o"], -1)
        groups, places = Groups.of(answer), window * len(tally.segments)
        if not split:
            tally.count(counted, number, places, bin_, groups, outcome, others)
        if split is not None:
            segment = integers(answer["s"], -1)
            places = np.where((window >= 0) & (segment >= 0), places + segment, -1)
            tally.count(counted, number, places, bin_, groups, outcome, others)


def _select(
    warehouse: Warehouse,
    source: Source,
    bins: Mapping[str, Bins],
    tally: Tally,
    counted: Sequence[ColumnTally | None],
    others: Sequence[Entry],
    split: int | None,
) -> exp.Select:
    """Return the statement over these columns, and None for the rows, by one segment column or by none.

    `others` are what is counted of outcomes beside the columns.
    """
    dialect = warehouse.dialect
    fields = "ibxtq" if tally.outcomes is None else "iboxtq"
    keys = ["w", *fields[: fields.index("x")]]
    inside: dict[str, exp.Expr] = {"w": window_number(source, tally.windows, dialect)}
    if split is not None:
        keys.append("s")
        inside["s"] = segment_number(tally.segments, split, bins, dialect)
    none = exp.cast(exp.null(), "bigint")
    outcome = exp.cast(integer(0), "int") if tally.outcomes is None else named("o", "monitored")
    rows: list[tuple[exp.Expr, ...]] = []
    for i, each in enumerate(counted):
        if each is None:
            rows.append(
                (integer(i), exp.cast(integer(0), "int"), exp.cast(integer(0), "int"), double(exp.null()), none, none)
            )
            continue
        inside[f"b{i}"] = exp.cast(bin_number(each.column, each.bins, dialect), "int")
        if each.column.kind == "categorical":
            rows.append((integer(i), named(f"b{i}"), outcome, double(exp.null()), none, none))
            continue
        inside[f"x{i}"] = value(each.column, dialect)
        x = named(f"x{i}")
        wholes = (whole_units(x, each.bins, squares=squares) for squares in (False, True))
        rows.append((integer(i), named(f"b{i}"), outcome, finite(x, dialect), *wholes))
    for i, entry in enumerate(others, start=len(counted)):
        sums = (*entry.sums, none, none)[:2]
        its = outcome if entry.by_outcome else exp.cast(integer(0), "int")
        rows.append((integer(i), exp.cast(entry.bin, "int"), its, double(exp.null()), *sums))

    aggregates = {
        "n": exp.Count(this=exp.Star()),
        "l": exp.Min(this=named("x")),
        "h": exp.Max(this=named("x")),
        "t": exp.Sum(this=named("t")),
        "q": exp.Sum(this=named("q")),
    }
    if tally.outcomes is None:
        inner = subquery(rows_of(warehouse, source, tally.windows, inside), "monitored")
    else:
        inner = outcome_rows(warehouse, source, tally.outcomes, inside)
    if dialect == "postgres":
        where = ["iboxtq".index(field) for field in fields]
        tuples = [exp.Tuple(expressions=[row[i].copy() for i in where]) for row in rows]
        unpivoted = exp.Lateral(
            this=exp.Subquery(this=exp.Values(expressions=tuples)),
            alias=exp.TableAlias(this=exp.to_identifier("v"), columns=[exp.to_identifier(name) for name in fields]),
        )
        select = selected({**{name: _key(name) for name in keys}, **aggregates}, inner)
        select.set("joins", [exp.Join(this=unpivoted, kind="CROSS")])
        select.set("group", exp.Group(expressions=[_key(name) for name in keys]))
        return select
    places = [key for key in keys if key not in "ibo"]
    every = selected({**{name: named(name) for name in places}, **_cases(rows)}, inner)
    every.set("joins", [exp.Join(this=subquery(_numbers(len(rows)), "v"), kind="CROSS")])
    # 64 bits do not hold the sums, and not every engine widens them by itself.
    wide = {name: exp.Sum(this=exp.cast(named(name), "decimal(38, 0)")) for name in "tq"}
    select = selected({**{name: named(name) for name in keys}, **aggregates, **wide}, subquery(every, "entries"))
    select.set("group", exp.Group(expressions=[named(name) for name in keys]))
    return select


def _numbers(count: int) -> Any:
    """Return the whole numbers below `count` as rows i."""
    selects = [exp.select(exp.alias_(exp.cast(integer(i), "int"), "i", quoted=True)) for i in range(count)]
    return exp.union(*selects, distinct=False, copy=False) if count > 1 else selects[0]


def _cases(rows: Sequence[tuple[exp.Expr, ...]]) -> dict[str, exp.Expr]:
    """Return the fields of the row of number i, where an engine has no LATERAL."""
    found: dict[str, exp.Expr] = {"i": named("i", "v")}
    for field, name in enumerate("boxtq", start=1):
        ifs = [
            exp.If(this=exp.EQ(this=named("i", "v"), expression=integer(i)), true=row[field].copy())
            for i, row in enumerate(rows)
        ]
        found[name] = exp.Case(ifs=ifs)
    return found


def _key(name: str) -> exp.Column:
    return named(name, "v" if name == "o" else None)
