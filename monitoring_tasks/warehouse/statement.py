"""What every statement of a scan selects: the window and segment of a row, and the bin of each of its values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlglot import exp

from monitoring_tasks.columns import Column
from monitoring_tasks.config import ColumnType
from monitoring_tasks.profile import Bins
from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.expressions import (
    instant,
    integer,
    is_nan,
    named,
    number,
    search,
    selected,
    value,
)
from monitoring_tasks.warehouse.tally import Segments
from monitoring_tasks.window import Window, first_date

RUNS = 100
"""Up to so many periods a statement names one by one, so that nothing between them is read."""


@dataclass(frozen=True)
class Source:
    """Where the rows are."""

    table: str
    timestamp: str | None
    """None for a table that is one window as a whole, such as a training set."""
    timestamp_type: ColumnType = "timestamp"
    timezone: str = "UTC"
    """Whose days the values of a DATE are; times without a zone are UTC whatever it is."""

    def place(self, moment: datetime) -> datetime | date:
        """Return where the instant stands among the values of the timestamp: a date is where its day begins."""
        return first_date(moment, self.timezone) if self.timestamp_type == "date" else moment


def rows_of(
    warehouse: Warehouse, source: Source, windows: Sequence[Window], columns: Mapping[str, exp.Expr]
) -> exp.Select:
    """Return the SELECT of these expressions over all rows of the windows, and of the gaps where there are many."""
    query = selected(columns, warehouse.table(source.table))
    if source.timestamp is not None and windows:
        whole = _inside(source, windows[0].start, windows[-1].end)
        runs = _without_gaps(windows)
        if 1 < len(runs) <= RUNS:
            parts = [exp.Paren(this=_inside(source, start, end)) for start, end in runs]
            whole = exp.and_(whole, exp.Paren(this=exp.or_(*parts)))
        query.set("where", exp.Where(this=whole))
    return query


def _inside(source: Source, start: datetime, end: datetime) -> exp.Expr:
    column = named(source.timestamp or "")
    first, after = (instant(source.place(moment), source.timestamp_type) for moment in (start, end))
    return exp.and_(column >= first, column.copy() < after)


def _without_gaps(windows: Sequence[Window]) -> list[tuple[datetime, datetime]]:
    """Return start and end of each run of windows that follow one another."""
    runs: list[tuple[datetime, datetime]] = []
    for window in windows:
        if runs and runs[-1][1] == window.start:
            runs[-1] = (runs[-1][0], window.end)
        else:
            runs.append((window.start, window.end))
    return runs


def boundaries(source: Source, windows: Sequence[Window]) -> tuple[list[datetime | date], list[int]]:
    """Return where windows begin and end among the values of the timestamp, and what lies before, between and after.

    Returns
    -------
    tuple
        k ascending places, and k + 1 numbers of windows, -1 for a gap.
    """
    places: list[datetime | date] = []
    numbers = [-1]
    for i, window in enumerate(windows):
        start, end = source.place(window.start), source.place(window.end)
        if places and places[-1] == start:
            places.pop()
            numbers.pop()
        places += [start, end]
        numbers += [i, -1]
    return places, numbers


def window_number(source: Source, windows: Sequence[Window], dialect: str) -> exp.Expr:
    """Return the number of the row's window, -1 between two windows."""
    if source.timestamp is None or len(windows) == 1:
        return exp.cast(integer(0), "int")
    column = named(source.timestamp)
    places, numbers = boundaries(source, windows)
    bounds = [instant(place, source.timestamp_type) for place in places]
    if dialect == "postgres":
        place = exp.Anonymous(this="WIDTH_BUCKET", expressions=[column, exp.Array(expressions=bounds)])
        if numbers == [-1, *range(len(windows)), -1]:
            return place - integer(1)
        lookup = exp.Paren(this=exp.cast(exp.Array(expressions=[integer(n) for n in numbers]), "int[]"))
        return exp.Bracket(this=lookup, expressions=[place + integer(1)], offset=1)
    return search(column, bounds, [exp.cast(integer(n), "int") for n in numbers])


def bin_number(column: Column, bins: Bins, dialect: str) -> exp.Expr:
    """Return the bin of the column's value as `Bins` numbers them, found by comparison; never NULL."""
    x = value(column, dialect)
    if bins.kind == "categorical":
        return _category_number(x, bins, dialect)
    missing = exp.or_(_is_null(x), is_nan(x.copy(), dialect))
    return exp.Case(ifs=[exp.If(this=missing, true=integer(0))], default=place_number(x, bins, dialect))


def place_number(x: exp.Expr, bins: Bins, dialect: str) -> exp.Expr:
    """Return the bin of a number that is not null."""
    if not bins.edges:
        return integer(2)
    edges = [number(edge) for edge in bins.edges]
    if dialect == "postgres":
        thresholds = exp.cast(exp.Array(expressions=edges), "double[]")
        return exp.Anonymous(this="WIDTH_BUCKET", expressions=[x.copy(), thresholds]) + integer(1)
    return search(x, edges, [integer(i + 1) for i in range(len(edges) + 1)])


def _is_null(x: exp.Expr) -> exp.Expr:
    return exp.Is(this=x.copy(), expression=exp.null())


def _category_number(x: exp.Expr, bins: Bins, dialect: str) -> exp.Expr:
    known = len(bins.categories)
    unknown = integer(known + (1 if bins.open_ended else 2))
    missing = exp.If(this=exp.Is(this=x.copy(), expression=exp.null()), true=integer(0))
    if dialect == "postgres":
        place: exp.Expr = exp.Coalesce(this=_position(x, bins.categories), expressions=[unknown])
        if bins.others:
            other = exp.not_(exp.Is(this=_position(x, bins.others), expression=exp.null()))
            fallback = exp.Case(ifs=[exp.If(this=other, true=integer(known + 1))], default=unknown)
            place = exp.Coalesce(this=_position(x, bins.categories), expressions=[fallback])
        return exp.Case(ifs=[missing], default=place)
    cases = [
        exp.If(this=exp.EQ(this=x.copy(), expression=exp.Literal.string(category)), true=integer(i + 1))
        for i, category in enumerate(bins.categories)
    ]
    if bins.others:
        others = exp.In(this=x.copy(), expressions=[exp.Literal.string(other) for other in bins.others])
        cases.append(exp.If(this=others, true=integer(known + 1)))
    return exp.Case(ifs=[missing, *cases], default=unknown)


def _position(x: exp.Expr, texts: Sequence[str]) -> exp.Expr:
    """Return the place of a text in a list, from 1, or NULL."""
    listed = exp.cast(exp.Array(expressions=[exp.Literal.string(text) for text in texts]), "text[]")
    return exp.Anonymous(this="array_position", expressions=[listed, x.copy()])


def segment_number(segments: Segments, index: int, bins: Mapping[str, Bins], dialect: str) -> exp.Expr:
    """Return the number of the row's segment by one of the segment columns; NULL where the value has none."""
    name = segments.columns[index]
    known = bins[name]
    bin_ = bin_number(Column(name, "categorical", "other", ("segment",)), known, dialect)
    inside = exp.Between(this=bin_, low=integer(1), high=integer(len(known.categories)))
    return exp.Paren(this=exp.Case(ifs=[exp.If(this=inside, true=bin_.copy() + integer(segments.first(index) - 1))]))


def whole_units(x: exp.Expr, bins: Bins, *, squares: bool) -> exp.Expr:
    """Return the value, or its distance from the origin squared, as a whole multiple of the bins' unit, for summing.

    Sums of doubles depend on the order in which threads add them; sums of integers do not, and so a window has one
    profile, however often and beside whatever other windows it is scanned.

    Parameters
    ----------
    x
        The value, a double.
    bins
        The column's bins, which state the unit.
    squares
        Take the distance's square.
    """
    # PostgreSQL refuses numbers that over- or underflow, so values whose product would are told by themselves. Such
    # comparisons cost it more than the sums do: each is made only where it can be needed.
    if not squares:
        bound = math.ldexp(bins.unit, 63)
        inside = exp.Between(this=x.copy(), low=number(-bound), high=number(math.nextafter(bound, 0.0)))
        whole = exp.If(this=inside, true=exp.cast(x.copy() * number(1 / bins.unit), "bigint"))
        return exp.Case(ifs=[whole] if bins.unit <= 1 else [_nothing(x, bins.unit / 2), whole])
    distance = x.copy() - number(bins.origin) if bins.origin else x
    smallest, largest = math.ldexp(1.0, bins.square_exponent - 22), _largest_root(math.ldexp(bins.square_unit, 63))
    inside = exp.Between(this=exp.Abs(this=distance.copy()), low=number(smallest), high=number(largest))
    square = distance.copy() * distance.copy() * number(1 / bins.square_unit)
    units = exp.Case(ifs=[exp.If(this=inside, true=exp.cast(square, "bigint")), _nothing(distance, smallest)])
    if not bins.origin:
        return units
    # Then the difference may overflow too.
    near = exp.Between(this=x.copy(), low=number(bins.origin - 2 * largest), high=number(bins.origin + 2 * largest))
    return exp.Case(ifs=[exp.If(this=near, true=units)])


def _nothing(x: exp.Expr, smallest: float) -> exp.If:
    """Return the branch of values that are too small for one unit."""
    return exp.If(this=exp.LT(this=exp.Abs(this=x.copy()), expression=number(smallest)), true=integer(0))


def _largest_root(square: float) -> float:
    """Return the largest double whose own square, rounded, is below this one."""
    root = math.sqrt(square)
    while root * root >= square:
        root = math.nextafter(root, 0.0)
    while math.nextafter(root, math.inf) ** 2 < square:
        root = math.nextafter(root, math.inf)
    return root
