"""The scan's plan for DuckDB and the standard: one statement of GROUPING SETS counts, a second one sums.

The window, the segment and the bin of a value are packed into one number, and every set is one such number: that groups
a fifth faster than several columns, and a row of the answer tells which set it belongs to by the number that it has.

On DuckDB a column is not compared with its 33 edges but divided into the cells of the grid that the edges lie on (see
`grid`), because a multiplication and a cast cost a sixth of a binary search by CASE; the cells are added up to bins
here. Values that leave the grid's 16 bits, NaN among them, come back as NULL, as null does. Where the sums tell that
there were such values, the column is counted again by comparison: the short cut never costs exactness.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sqlglot import exp

from monitoring_tasks.columns import Column
from monitoring_tasks.profile import Bins
from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.expressions import finite, integer, named, value
from monitoring_tasks.warehouse.grid import grid
from monitoring_tasks.warehouse.statement import (
    Source,
    bin_number,
    cell_number,
    known_position,
    rows_of,
    segment_number,
    whole_units,
    window_number,
)
from monitoring_tasks.warehouse.tally import ColumnTally, Tally, floats, integers, whole_numbers

BITS = 16
"""Of a packed number for the bin or cell; the rest is the place: window * segments + segment."""


def read(
    warehouse: Warehouse, source: Source, columns: Sequence[Column], bins: Mapping[str, Bins], tally: Tally
) -> None:
    """Count and sum these columns into the tally."""
    if warehouse.dialect == "duckdb":
        _read(warehouse, source, columns, bins, tally, short_cut=True)
        columns = [column for column in columns if not tally.columns[column.name].settle(tally.rows)]
    if columns:
        _read(warehouse, source, columns, bins, tally, short_cut=False)


def _read(
    warehouse: Warehouse,
    source: Source,
    columns: Sequence[Column],
    bins: Mapping[str, Bins],
    tally: Tally,
    *,
    short_cut: bool,
) -> None:
    tallies = [tally.add(column, bins[column.name]) for column in columns]
    _sum(warehouse, source, bins, tally, tallies, short_cut=short_cut)
    _count(warehouse, source, bins, tally, tallies, short_cut=short_cut)


def _count(
    warehouse: Warehouse,
    source: Source,
    bins: Mapping[str, Bins],
    tally: Tally,
    tallies: Sequence[ColumnTally],
    *,
    short_cut: bool,
) -> None:
    """Count the rows of every place, and of every place and bin."""
    places = _places(warehouse, source, bins, tally)
    keys = {f"b{i}": _key(counted, warehouse.dialect, short_cut=short_cut) for i, counted in enumerate(tallies)}
    inner = _rows(warehouse, source, tally, {**places, **keys})
    packed: dict[str, exp.Expr] = {place: named(place) for place in places}
    for place in places:
        shifted = exp.cast(named(place), "bigint") * integer(1 << BITS) + integer(1 << (BITS - 1))
        packed |= {f"{place}{name}": shifted.copy() + named(name) for name in keys}
    middle = exp.select(*(exp.alias_(e, name, quoted=True) for name, e in packed.items())).from_(inner)
    outer = exp.select(*map(named, packed), exp.alias_(exp.Count(this=exp.Star()), "n"))
    answer = warehouse.query(_by_sets(outer.from_(middle.subquery("packed")), list(packed)))

    rows = integers(answer["n"], 0)
    flat = tally.rows.reshape(-1)
    flat[:] = 0
    for place in places:
        for name in ["", *keys]:
            chosen = np.asarray(answer[place + name].is_valid())
            number = integers(answer[place + name].drop_null(), 0)
            n = rows[chosen][number >= 0]
            number = number[number >= 0]
            if not name:
                np.add.at(flat, number, n)
                continue
            counted = tallies[int(name[1:])]
            key = (number & ((1 << BITS) - 1)) - (1 << (BITS - 1))
            bin_ = _bins_of_keys(counted, key, short_cut=short_cut)
            np.add.at(counted.counts.reshape(flat.size, -1), (number >> BITS, bin_), n)


def _sum(
    warehouse: Warehouse,
    source: Source,
    bins: Mapping[str, Bins],
    tally: Tally,
    tallies: Sequence[ColumnTally],
    *,
    short_cut: bool,
) -> None:
    """Sum the values of every place."""
    places = _places(warehouse, source, bins, tally)
    values = {f"x{i}": value(counted.column) for i, counted in enumerate(tallies)}
    sums: list[exp.Expr] = []
    for i, counted in enumerate(tallies):
        x = named(f"x{i}")
        sums.append(exp.alias_(exp.Count(this=x), f"n{i}"))
        if counted.column.kind == "categorical":
            continue
        inside = x if short_cut else finite(x, warehouse.dialect)
        wholes = (whole_units(x, counted.bins, squares=squares, careful=not short_cut) for squares in (False, True))
        aggregates = [exp.Min(this=inside.copy()), exp.Max(this=inside.copy()), *(exp.Sum(this=w) for w in wholes)]
        sums += [exp.alias_(e, f"{letter}{i}") for letter, e in zip("lhtq", aggregates, strict=True)]
    inner = _rows(warehouse, source, tally, {**places, **values})
    answer = warehouse.query(_by_sets(exp.select(*map(named, places), *sums).from_(inner), list(places)))
    for name in places:
        part = answer.filter(answer[name].is_valid())
        place = integers(part[name], 0)
        part, place = part.filter(pa.array(place >= 0)), place[place >= 0]
        for i, counted in enumerate(tallies):
            counted.values.reshape(-1)[place] = integers(part[f"n{i}"], 0)
            if counted.column.kind != "categorical":
                counted.minimum.reshape(-1)[place] = floats(part[f"l{i}"])
                counted.maximum.reshape(-1)[place] = floats(part[f"h{i}"])
                counted.total.reshape(-1)[place] = whole_numbers(part[f"t{i}"])
                counted.total_squares.reshape(-1)[place] = whole_numbers(part[f"q{i}"])


def _places(warehouse: Warehouse, source: Source, bins: Mapping[str, Bins], tally: Tally) -> dict[str, exp.Expr]:
    """Return the place of a row among all rows, and for each segment column among its segments; else -1 or NULL."""
    window = window_number(source, tally.windows, warehouse.dialect)
    size = len(tally.segments)
    places: dict[str, exp.Expr] = {"p": exp.Paren(this=window) * integer(size) if size > 1 else window}
    for i in range(len(tally.segments.columns)):
        places[f"p{i}_"] = places["p"].copy() + segment_number(tally.segments, i, bins, warehouse.dialect)
    return places


def _rows(warehouse: Warehouse, source: Source, tally: Tally, selected: Mapping[str, exp.Expr]) -> exp.Subquery:
    aliased = [exp.alias_(e, name, quoted=True) for name, e in selected.items()]
    return rows_of(warehouse, source, tally.windows, aliased).subquery("monitored")


def _by_sets(select: exp.Select, names: Sequence[str]) -> exp.Select:
    sets = [exp.Tuple(expressions=[named(name)]) for name in names]
    select.set("group", exp.Group(expressions=[exp.GroupingSets(expressions=sets)]))
    return select


def _key(counted: ColumnTally, dialect: str, *, short_cut: bool) -> exp.Expr:
    column, bins = counted.column, counted.bins
    if short_cut and bins.kind == "categorical":
        return known_position(column, bins)
    cells = grid(bins, column.type == "integer") if short_cut else None
    if cells is not None:
        return cell_number(column, cells)
    return exp.cast(bin_number(column, bins, dialect), "smallint")


def _bins_of_keys(counted: ColumnTally, keys: NDArray[np.int64], *, short_cut: bool) -> NDArray[np.int64]:
    bins = counted.bins
    if bins.kind == "categorical":
        return np.minimum(keys, len(bins.categories) + 1) if short_cut else keys
    cells = grid(bins, counted.column.type == "integer") if short_cut else None
    if cells is None:
        return keys
    return 1 + np.searchsorted(np.array(bins.edges), (keys + cells.first) * cells.width, side="right")
