"""The scan's plan for standard SQL: one statement of GROUPING SETS counts, a second one sums.

The window, the segment and the bin of a value are packed into one number, and every set is one such number: that groups
faster than several columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
import pyarrow as pa
from sqlglot import exp

from monitoring_tasks.columns import Column
from monitoring_tasks.errors import TransientError
from monitoring_tasks.profile import Bins
from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.expressions import finite, integer, named, selected, subquery, value
from monitoring_tasks.warehouse.statement import (
    Source,
    bin_number,
    rows_of,
    segment_number,
    whole_units,
    window_number,
)
from monitoring_tasks.warehouse.tally import ColumnTally, Tally, floats, integers, whole_numbers

BITS = 16
"""Of a packed number for the bin; the rest is the place: window * segments + segment."""

KEYS = 62
"""Sets in a statement: GROUPING has 64 bits, one for each."""

SEGMENTS = 20
"""Segment columns in a statement, so that two columns at least are counted by it."""


def read(
    warehouse: Warehouse, source: Source, columns: Sequence[Column], bins: Mapping[str, Bins], tally: Tally
) -> None:
    """Count and sum these columns into the tally.

    Raises
    ------
    TransientError
        If the table changed between the two statements: these engines have no snapshot that holds for both.
    """
    tallies = [tally.add(column, bins[column.name]) for column in columns]
    for first in range(0, max(len(tally.segments.columns), 1), SEGMENTS):
        places = _places(warehouse, source, bins, tally, first)
        size = KEYS // len(places) - 1
        for start in range(0, max(len(tallies), 1), size):
            part = tallies[start : start + size]
            _count(warehouse, source, tally, places, part)
            _sum(warehouse, source, tally, places, part)


def _count(
    warehouse: Warehouse,
    source: Source,
    tally: Tally,
    places: Mapping[str, exp.Expr],
    tallies: Sequence[ColumnTally],
) -> None:
    """Count the rows of every place, and of every place and bin."""
    keys = {
        f"b{i}": exp.cast(bin_number(counted.column, counted.bins, warehouse.dialect), "smallint")
        for i, counted in enumerate(tallies)
    }
    packed: dict[str, exp.Expr] = {place: exp.cast(named(place), "bigint") for place in places}
    for place in places:
        shifted = exp.cast(named(place), "bigint") * integer(1 << BITS)
        packed |= {f"{place}{name}": shifted.copy() + named(name) for name in keys}
    middle = selected(packed, _rows(warehouse, source, tally, {**places, **keys}))
    names = list(packed)
    outer = selected(
        {
            "k": exp.Coalesce(this=named(names[0]), expressions=[named(name) for name in names[1:]]),
            "g": exp.Grouping(expressions=[named(name) for name in names]),
            "n": exp.Count(this=exp.Star()),
        },
        subquery(middle, "packed"),
    )
    answer = warehouse.query(_by_sets(outer, names))

    # A row is grouped by one number only: GROUPING has a bit set for every other.
    numbers, rows = integers(answer["k"], -1), integers(answer["n"], 0)
    sets = len(names) - 1 - np.log2((1 << len(names)) - 1 - integers(answer["g"], 0)).round().astype(np.int64)
    flat = tally.rows.reshape(-1)
    for place, name in product(places, ["", *keys]):
        chosen = (sets == names.index(place + name)) & (numbers >= 0)
        number, n = numbers[chosen], rows[chosen]
        if name:
            counts = tallies[int(name[1:])].counts.reshape(flat.size, -1)
            np.add.at(counts, (number >> BITS, number & ((1 << BITS) - 1)), n)
        else:
            flat[number] = n


def _sum(
    warehouse: Warehouse,
    source: Source,
    tally: Tally,
    places: Mapping[str, exp.Expr],
    tallies: Sequence[ColumnTally],
) -> None:
    """Sum the values of every place, and hold its rows against those counted."""
    values: dict[str, exp.Expr] = {}
    sums: dict[str, exp.Expr] = {"n": exp.Count(this=exp.Star())}
    for i, counted in enumerate(tallies):
        if counted.column.kind == "categorical":
            continue
        values[f"x{i}"] = value(counted.column, warehouse.dialect)
        x = named(f"x{i}")
        inside = finite(x, warehouse.dialect)
        wholes = (whole_units(x, counted.bins, squares=squares) for squares in (False, True))
        aggregates = [exp.Min(this=inside.copy()), exp.Max(this=inside.copy()), *(exp.Sum(this=w) for w in wholes)]
        sums |= {f"{letter}{i}": aggregate for letter, aggregate in zip("lhtq", aggregates, strict=True)}
    inner = _rows(warehouse, source, tally, {**places, **values})
    grouped: dict[str, exp.Expr] = {place: named(place) for place in places}
    answer = warehouse.query(_by_sets(selected({**grouped, **sums}, inner), list(places)))
    for name in places:
        part = answer.filter(answer[name].is_valid())
        place = integers(part[name], 0)
        part, place = part.filter(pa.array(place >= 0)), place[place >= 0]
        if (tally.rows.reshape(-1)[place] != integers(part["n"], 0)).any():
            raise TransientError(
                f"table {source.table!r} was written to while it was read, its counts and its sums disagree: try again"
            )
        for i, counted in enumerate(tallies):
            if counted.column.kind != "categorical":
                counted.minimum.reshape(-1)[place] = floats(part[f"l{i}"])
                counted.maximum.reshape(-1)[place] = floats(part[f"h{i}"])
                counted.total.reshape(-1)[place] = whole_numbers(part[f"t{i}"])
                counted.total_squares.reshape(-1)[place] = whole_numbers(part[f"q{i}"])


def _places(
    warehouse: Warehouse, source: Source, bins: Mapping[str, Bins], tally: Tally, first: int
) -> dict[str, exp.Expr]:
    """Return a row's place among all rows, and by each of some segment columns, from the `first`; else -1 or NULL."""
    window = window_number(source, tally.windows, warehouse.dialect)
    size = len(tally.segments)
    whole = exp.Paren(this=window) * integer(size) if size > 1 else window
    places: dict[str, exp.Expr] = {} if first else {"p": whole}
    for i in range(first, min(first + SEGMENTS, len(tally.segments.columns))):
        places[f"p{i}_"] = whole.copy() + segment_number(tally.segments, i, bins, warehouse.dialect)
    return places


def _rows(warehouse: Warehouse, source: Source, tally: Tally, columns: Mapping[str, exp.Expr]) -> exp.Subquery:
    return subquery(rows_of(warehouse, source, tally.windows, columns), "monitored")


def _by_sets(select: exp.Select, names: Sequence[str]) -> exp.Select:
    sets = [exp.Tuple(expressions=[named(name)]) for name in names]
    select.set("group", exp.Group(expressions=[exp.GroupingSets(expressions=sets)]))
    return select
