"""The scan's plan for DuckDB and the standard: one statement of GROUPING SETS counts, a second one sums.

The window, the segment and the bin of a value are packed into one number, and every set is one such number: that groups
a fifth faster than several columns.

On DuckDB a column is not compared with its 33 edges but divided into the cells of the grid that the edges lie on (see
`grid`), because a multiplication and a cast cost a sixth of a binary search by CASE. The cells are added up to bins
here; of many windows, whose cells would be too many groups, the bin is looked up in a list by its cell. Values that
leave the grid, NaN among them, come back as NULL, as null does. Where the sums tell that there were such values, the
column is counted again by comparison: the short cut never costs exactness.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sqlglot import exp

from monitoring_tasks.columns import Column
from monitoring_tasks.profile import Bins
from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.expressions import finite, integer, named, selected, subquery, value
from monitoring_tasks.warehouse.grid import Grid, grid
from monitoring_tasks.warehouse.statement import (
    Source,
    bin_number,
    cell_number,
    compared_bin,
    known_position,
    looked_up_bin,
    rows_of,
    segment_number,
    whole_units,
    window_number,
)
from monitoring_tasks.warehouse.tally import ColumnTally, Tally, floats, integers, whole_numbers

BITS = 16
"""Of a packed number for the bin or cell; the rest is the place: window * segments + segment."""

CELL_GROUPS = 50_000
"""Groups that one column's cells may make; with more windows it is quicker to look the bins, which are fewer, up."""

LIST = 800
"""Cells in a list that is looked up: it is copied for every 2,048 rows, and a longer one costs as much as comparing."""


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
    grids = [_cells(counted, tally, short_cut=short_cut) for counted in tallies]
    keys = {
        f"b{i}": _key(counted, cells, warehouse.dialect, short_cut=short_cut)
        for i, (counted, cells) in enumerate(zip(tallies, grids, strict=True))
    }
    inner = _rows(warehouse, source, tally, {**places, **keys})
    packed: dict[str, exp.Expr] = {place: exp.cast(named(place), "bigint") for place in places}
    for place in places:
        shifted = exp.cast(named(place), "bigint") * integer(1 << BITS) + integer(1 << (BITS - 1))
        packed |= {f"{place}{name}": shifted.copy() + named(name) for name in keys}
    middle = selected(packed, inner)
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
    flat[:] = 0
    for place, name in product(places, ["", *keys]):
        chosen = (sets == names.index(place + name)) & (numbers >= 0)
        number, n = numbers[chosen], rows[chosen]
        if not name:
            np.add.at(flat, number, n)
            continue
        counted, cells = tallies[int(name[1:])], grids[int(name[1:])]
        key = (number & ((1 << BITS) - 1)) - (1 << (BITS - 1))
        bin_ = _bins_of_keys(counted, cells, key, short_cut=short_cut)
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
    values = {f"x{i}": value(counted.column, warehouse.dialect) for i, counted in enumerate(tallies)}
    sums: dict[str, exp.Expr] = {}
    for i, counted in enumerate(tallies):
        x = named(f"x{i}")
        sums[f"n{i}"] = exp.Count(this=x)
        if counted.column.kind == "categorical":
            continue
        inside = x if short_cut else finite(x, warehouse.dialect)
        wholes = (whole_units(x, counted.bins, squares=squares, dialect=warehouse.dialect) for squares in (False, True))
        aggregates = [exp.Min(this=inside.copy()), exp.Max(this=inside.copy()), *(exp.Sum(this=w) for w in wholes)]
        sums |= {f"{letter}{i}": aggregate for letter, aggregate in zip("lhtq", aggregates, strict=True)}
    inner = _rows(warehouse, source, tally, {**places, **values})
    grouped: dict[str, exp.Expr] = {place: named(place) for place in places}
    answer = warehouse.query(_by_sets(selected({**grouped, **sums}, inner), list(places)))
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


def _rows(warehouse: Warehouse, source: Source, tally: Tally, columns: Mapping[str, exp.Expr]) -> exp.Subquery:
    return subquery(rows_of(warehouse, source, tally.windows, columns), "monitored")


def _by_sets(select: exp.Select, names: Sequence[str]) -> exp.Select:
    sets = [exp.Tuple(expressions=[named(name)]) for name in names]
    select.set("group", exp.Group(expressions=[exp.GroupingSets(expressions=sets)]))
    return select


def _key(counted: ColumnTally, cells: Grid | None, dialect: str, *, short_cut: bool) -> exp.Expr:
    """Return what identifies the bin; with `short_cut` NULL for null, and for some values that are not in any bin."""
    column, bins = counted.column, counted.bins
    if not short_cut:
        return exp.cast(bin_number(column, bins, dialect), "smallint")
    if bins.kind == "categorical":
        return known_position(column, bins)
    if cells is not None:
        return cell_number(column, cells)
    look = grid(bins, column.type == "integer")
    if look is not None and look.cells <= LIST:
        return looked_up_bin(column, bins, look)
    return exp.cast(compared_bin(column, bins), "smallint")


def _cells(counted: ColumnTally, tally: Tally, *, short_cut: bool) -> Grid | None:
    """Return the grid by which the column is counted, or None where comparing is quicker, or asked for."""
    if not short_cut or counted.bins.kind == "categorical":
        return None
    cells = grid(counted.bins, counted.column.type == "integer")
    return cells if cells is not None and cells.cells * tally.rows.size <= CELL_GROUPS else None


def _bins_of_keys(
    counted: ColumnTally, cells: Grid | None, keys: NDArray[np.int64], *, short_cut: bool
) -> NDArray[np.int64]:
    if short_cut and counted.bins.kind == "categorical":
        return np.minimum(keys, len(counted.bins.categories) + 1)
    if cells is None:
        return keys
    return 1 + np.searchsorted(np.array(counted.bins.edges), (keys + cells.first) * cells.width, side="right")
