"""Which values the baseline never saw: asked after the scan, and only of columns in which it counted some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from sqlglot import exp

from monitoring_tasks.columns import Column
from monitoring_tasks.error_template import template
from monitoring_tasks.errors import TransientError
from monitoring_tasks.profile import NAME_LENGTH, NAMED, Bins, named_values
from monitoring_tasks.warehouse import union_all
from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.expressions import integer, named, selected, subquery, value
from monitoring_tasks.warehouse.statement import Source, rows_of, segment_number, window_number
from monitoring_tasks.warehouse.tally import ColumnTally, Segments, Tally
from monitoring_tasks.window import Window

WINDOWS = 1000
"""In one statement, where its text may be long; elsewhere as many as a scan takes."""

GROUPS = 2_000_000
"""Values one statement may return, at most `NAMED` for each window and segment, and `TEXTS` for a window's errors."""

TEXTS = 10_000
"""Texts of errors that are read of a window, at most. What they have in common is named: see `template`.

A day with more of them is named where it is added up from hours with fewer, and only there.
"""


def read(warehouse: Warehouse, source: Source, bins: Mapping[str, Bins], tally: Tally) -> None:
    """Name the values in the bin *unseen* of every column, window and segment.

    Without such values nothing is asked. Else it is one statement for each column that has some, and one more for each
    segment column; what they return is bounded, however many values there are.

    Parameters
    ----------
    warehouse
        An open warehouse.
    source
        The table that was counted.
    bins
        Those of all columns and segment columns.
    tally
        The counts of all columns; receives the names.

    Raises
    ------
    TransientError
        If the values do not add up to what was counted, because the table changed between two statements.
    """
    splits = [None, *range(len(tally.segments.columns))]
    for counted in tally.columns.values():
        if counted.column.kind == "categorical" and not counted.bins.open_ended:
            for split in splits:
                if split is not None and "error" in counted.column.roles:
                    _leave_unnamed(counted, _segments(tally.segments, split))
                else:
                    _read(warehouse, source, bins, tally, counted, split)


def _leave_unnamed(counted: ColumnTally, segments: range) -> None:
    """Say that the values have no names: those of errors are many, and nobody looks at them by segment."""
    for number, segment in zip(*np.nonzero(counted.counts[:, segments, -1]), strict=True):
        counted.unseen[int(number), segments[segment]] = None


def _read(
    warehouse: Warehouse,
    source: Source,
    bins: Mapping[str, Bins],
    tally: Tally,
    counted: ColumnTally,
    split: int | None,
) -> None:
    """Name one column's values, over all rows or by one segment column."""
    segments = _segments(tally.segments, split)
    rows = counted.counts[:, segments, -1]
    where = np.flatnonzero(rows.any(axis=1)).tolist()
    size = _windows_per_statement(warehouse.dialect, len(segments), _most(counted.column))
    for first in range(0, len(where), size):
        numbers = where[first : first + size]
        windows = [tally.windows[number] for number in numbers]
        answer = warehouse.query(_select(warehouse, source, bins, tally.segments, windows, counted, split))
        values: dict[tuple[int, int], list[tuple[str, int]]] = {}
        totals: dict[tuple[int, int], tuple[int, int]] = {}
        for place, text, count, distinct, total in zip(*(answer[name].to_pylist() for name in "pxnct"), strict=True):
            at, segment = divmod(int(place), len(tally.segments))
            values.setdefault((numbers[at], segment), []).append((str(text), int(count)))
            totals[numbers[at], segment] = int(distinct), int(total)
        expected = {
            (number, segment): int(counted.counts[number, segment, -1])
            for number in numbers
            for segment in segments
            if counted.counts[number, segment, -1]
        }
        if {key: total for key, (_, total) in totals.items()} != expected:
            raise TransientError(f"table {source.table!r} was written to while it was read: try again")
        for key, found in values.items():
            distinct, _ = totals[key]
            counted.unseen[key] = None if distinct > _most(counted.column) else _named(counted.column, found)


def _most(column: Column) -> int:
    """Return how many values of a place are read, at most."""
    return TEXTS if "error" in column.roles else NAMED


def _named(column: Column, found: Sequence[tuple[str, int]]) -> tuple[tuple[str, int], ...] | None:
    return named_values([(template(text), n) for text, n in found] if "error" in column.roles else found)


def _segments(segments: Segments, split: int | None) -> range:
    """Return the numbers of a segment column's segments, or of all rows."""
    if split is None:
        return range(1)
    return range(segments.first(split), segments.first(split + 1))


def _windows_per_statement(dialect: str, segments: int, values: int) -> int:
    most = WINDOWS if dialect in ("duckdb", "postgres") else union_all.WINDOWS
    return max(1, min(most, GROUPS // (values * max(segments, 1))))


def _select(
    warehouse: Warehouse,
    source: Source,
    bins: Mapping[str, Bins],
    segments: Segments,
    windows: Sequence[Window],
    counted: ColumnTally,
    split: int | None,
) -> exp.Select:
    """Return the statement: places, values and rows; of a place with more than `_most` values the first one only.

    Beside them stand the values and rows of the whole place, by which the answer is held to the scan's counts.
    """
    dialect = warehouse.dialect
    window = window_number(source, windows, dialect)
    place = exp.Paren(this=window) * integer(len(segments)) if len(segments) > 1 else window
    if split is not None:
        place = place + segment_number(segments, split, bins, dialect)
    rows = rows_of(warehouse, source, windows, {"p": place, "x": _name(value(counted.column, dialect), dialect)})
    rows = rows.where(_is_unseen(counted.column, counted.bins, dialect), copy=False)
    groups = selected({"p": named("p"), "x": named("x"), "n": exp.Count(this=exp.Star())}, subquery(rows, "monitored"))
    groups = groups.where(named("p") >= integer(0), copy=False)
    groups.set("group", exp.Group(expressions=[named("p"), named("x")]))
    over = {
        "c": exp.Count(this=exp.Star()),
        "t": exp.Sum(this=named("n")),
        "f": exp.Min(this=named("x")),
    }
    places = {name: exp.Window(this=function, partition_by=[named("p")]) for name, function in over.items()}
    wide = selected({**{name: named(name) for name in "pxn"}, **places}, subquery(groups, "grouped"))
    few = exp.or_(named("c") <= integer(_most(counted.column)), exp.EQ(this=named("x"), expression=named("f")))
    return selected({name: named(name) for name in "pxnct"}, subquery(wide, "placed")).where(few, copy=False)


def _is_unseen(column: Column, bins: Bins, dialect: str) -> exp.Expr:
    known = (*bins.categories, *bins.others)
    if dialect == "duckdb":  # beside an IN, which is dear, it would also look for the window of every row
        from monitoring_tasks.warehouse.stream import position

        return exp.Is(this=position(column, known), expression=exp.null())
    x = value(column, dialect)
    if not known:
        return exp.not_(exp.Is(this=x, expression=exp.null()))
    return exp.not_(exp.In(this=x, expressions=[exp.Literal.string(text) for text in known]))


def _name(x: exp.Expr, dialect: str) -> exp.Expr:
    """Return what `named_values` keeps of a value, so that no two groups are of one name."""
    if dialect == "duckdb":  # which holds the character NUL in texts
        nul = exp.Anonymous(this="chr", expressions=[integer(0)])
        x = exp.Anonymous(this="replace", expressions=[x, nul, exp.Literal.string("\N{SYMBOL FOR NULL}")])
    if dialect == "clickhouse":  # whose plain function counts bytes, and may cut a character in two
        return exp.Anonymous(this="substringUTF8", expressions=[x, integer(1), integer(NAME_LENGTH)])
    return exp.Substring(this=x, start=integer(1), length=integer(NAME_LENGTH))
