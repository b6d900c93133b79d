"""How the baseline's rows decide the bins of every column; afterwards they are frozen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from sqlglot import exp

from monitoring_tasks.columns import Column
from monitoring_tasks.errors import TransientError
from monitoring_tasks.outcome_bins import SCORE_BINS
from monitoring_tasks.profile import LARGEST, Bins, Kind, just_above
from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.expressions import finite, integer, named, selected, subquery, value
from monitoring_tasks.warehouse.statement import Source, rows_of
from monitoring_tasks.window import Window

BINS = 32
"""Equal-frequency bins of a continuous column. A power of two: then every engine finds the same quantiles exactly."""

TAILS = (1 / 1024, 1 / 128)
"""The outermost bins on both sides are cut there too: what is far out has bins in which little is expected."""

FRACTIONS = tuple(sorted({*(i / BINS for i in range(BINS + 1)), *TAILS, *(1 - tail for tail in TAILS)}))
"""Where quantiles are taken: minimum and maximum, and whole multiples of 1/1024 between."""

ROWS_PER_BIN = 10
"""A baseline too small to put as many rows into every bin gets fewer bins."""

CATEGORIES = 100
"""Categories with a bin of their own."""

KNOWN = 1000
"""Categories that are remembered, so that others can be told from them."""

LONGEST = 200
"""A longer text is not remembered: it is no category."""

BEYOND = (*range(1, 13), *(12 + 2**i for i in range(2, 8)))
"""Beyond the extremes a moving baseline's bins are cut after so many steps, on both sides.

A window of July is compared with June then, on bins that were cut from March: all warm days would share one.
"""

STEPS = 12
"""A step is this part of what the middle seven eighths of the values span, a quarter of a normal column's deviation."""

QUANTILE_COLUMNS = 4
"""Columns whose quantiles are found at once, at most."""

QUANTILE_VALUES = 30_000_000
"""Values of all columns of such a statement on DuckDB, which holds them in memory: 8 to 16 bytes of its limit each.

A column of more is sorted instead, which takes longer and spills to disk. PostgreSQL always sorts so.
"""

QUANTILES_AT_ONCE = ("duckdb", "postgres")
"""Engines whose PERCENTILE_DISC takes a list of fractions."""

CLOSE_TOGETHER = 2.0**-10
"""Values that spread over less than this share of their size are squared as distances to their median.

Wider ones lose to rounding at most a millionth of the square of their range.
"""

LATENCY_EDGES = tuple(0.05 * 1.04**i for i in range(482))
"""Milliseconds, from 50 microseconds to two hours: a percentile read off them is within 2 % of the exact one."""

LATENCY_BINS = Bins("numeric", LATENCY_EDGES, exponent=20)
"""The same in every baseline."""


def measure_bins(
    warehouse: Warehouse, source: Source, columns: Sequence[Column], period: Window | None, moves: bool = False
) -> dict[str, Bins]:
    """Find the bins of every column in the baseline's rows.

    Parameters
    ----------
    warehouse
        An open warehouse.
    source
        The baseline's table.
    columns
        The columns to count.
    period
        The rows that count; None for the whole table.
    moves
        Whether windows are compared with later ones than these rows: a column of numbers has bins `BEYOND` its
        extremes then.

    Returns
    -------
    dict
        By column name. Continuous columns: 32 bins of equal frequency, of which the outermost are cut again at `TAILS`;
        a value that fills a bin alone has a bin of its own. Discrete columns (at most 32 values, each at least three
        times on average): a bin for every value and for every gap between two. Categorical columns: the 100 most
        frequent categories.
    """
    found = {column.name: LATENCY_BINS for column in columns if "latency" in column.roles}
    numeric = [column for column in columns if column.kind != "categorical" and column.name not in found]
    quantiles = _quantiles(warehouse, source, numeric, period)
    for column in columns:
        if column.kind == "categorical":
            found[column.name] = _categories(warehouse, source, column, period)
        elif column.name not in found:
            rows, its = quantiles[column.name]
            bins = _edges(warehouse, source, column, period, rows, its)
            found[column.name] = replace(bins, edges=edges_beyond(bins.edges, its)) if moves else bins
    return {column.name: found[column.name] for column in columns}


def measure_score_edges(
    warehouse: Warehouse, source: Source, columns: Sequence[Column], period: Window | None
) -> dict[str, tuple[float, ...]]:
    """Find, for each column of scores, the edges of bins so narrow that a ROC AUC can be read off them.

    They are `SCORE_BINS` bins of equal frequency; a value that fills one alone has a bin of its own, and so has every
    value where there are no more than that. Of a column without a value there are none.
    """
    fractions = tuple(i / SCORE_BINS for i in range(SCORE_BINS + 1))
    quantiles = _quantiles(warehouse, source, columns, period, fractions)
    found: dict[str, tuple[float, ...]] = {}
    for column in columns:
        rows, its = quantiles[column.name]
        values = sorted(set(its))
        if rows and len(values) <= SCORE_BINS // 2:
            every = _distinct(warehouse, source, column, period, SCORE_BINS)
            values = every if len(every) <= SCORE_BINS else values
            its = [value for value in values for _ in range(2)] if len(every) <= SCORE_BINS else its
        heavy = {value for value, after in pairwise(its) if value == after}
        ends = {just_above(values[-1])} if rows else set()
        found[column.name] = tuple(sorted({*values, *map(just_above, heavy), *ends}))
    return found


def _quantiles(
    warehouse: Warehouse,
    source: Source,
    columns: Sequence[Column],
    period: Window | None,
    wanted: Sequence[float] = FRACTIONS,
) -> dict[str, tuple[int, list[float]]]:
    """Return of each column the number of finite values, and their quantiles at the fractions wanted."""
    at_once = _columns_at_once(warehouse, source, period) if columns else QUANTILE_COLUMNS
    if at_once == 0:
        return {column.name: _ranked(warehouse, source, column, period, wanted) for column in columns}
    found: dict[str, tuple[int, list[float]]] = {}
    fractions = exp.Array(expressions=[exp.Literal.number(str(fraction)) for fraction in wanted])
    for first in range(0, len(columns), at_once):
        part = columns[first : first + at_once]
        inner = {f"x{i}": _finite(warehouse, column) for i, column in enumerate(part)}
        aggregates: dict[str, exp.Expr] = {}
        for i in range(len(part)):
            x = named(f"x{i}")
            order = exp.Order(expressions=[exp.Ordered(this=x.copy(), nulls_first=False)])
            quantile = exp.WithinGroup(this=exp.PercentileDisc(this=fractions.copy()), expression=order)
            aggregates |= {f"n{i}": exp.Count(this=x), f"q{i}": quantile}
        answer = warehouse.query(selected(aggregates, _rows(warehouse, source, period, inner)))
        for i, column in enumerate(part):
            quantiles = answer[f"q{i}"][0].as_py() or []
            found[column.name] = (answer[f"n{i}"][0].as_py(), [x + 0.0 for x in quantiles])  # 0.0 for -0.0
    return found


def _columns_at_once(warehouse: Warehouse, source: Source, period: Window | None) -> int:
    """Return how many columns' quantiles one statement may ask for; 0 if not even one's."""
    if warehouse.dialect not in QUANTILES_AT_ONCE:
        return 0
    if warehouse.dialect != "duckdb":
        return QUANTILE_COLUMNS
    rows = rows_of(warehouse, source, [] if period is None else [period], {"n": exp.Count(this=exp.Star())})
    count: int = warehouse.query(rows)["n"][0].as_py()
    return min(QUANTILE_COLUMNS, QUANTILE_VALUES // max(count, 1))


def _ranked(
    warehouse: Warehouse, source: Source, column: Column, period: Window | None, fractions: Sequence[float] = FRACTIONS
) -> tuple[int, list[float]]:
    """Return the same of one column in plain SQL: the values of the ranks that the quantiles are defined by."""
    rows = _rows(warehouse, source, period, {"x": _finite(warehouse, column)})
    present = exp.not_(exp.Is(this=named("x"), expression=exp.null()))
    count = warehouse.query(selected({"n": exp.Count(this=named("x"))}, rows))["n"][0].as_py()
    ranks = ranks_of(count, fractions)
    order = exp.Order(expressions=[exp.Ordered(this=named("x"), nulls_first=False)])
    numbered = selected({"x": named("x"), "r": exp.Window(this=exp.RowNumber(), order=order)}, rows.copy())
    wanted = exp.In(this=named("r"), expressions=[integer(rank) for rank in sorted(set(ranks))])
    answer = warehouse.query(
        selected({"r": named("r"), "x": named("x")}, subquery(numbered.where(present), "numbered")).where(wanted)
    )
    values = dict(zip(answer["r"].to_pylist(), answer["x"].to_pylist(), strict=True))
    if count and set(ranks) - set(values):
        raise TransientError(f"table {source.table!r} was written to while its baseline was read: try again")
    return count, [values[rank] + 0.0 for rank in ranks] if count else []


def _edges(
    warehouse: Warehouse, source: Source, column: Column, period: Window | None, rows: int, quantiles: list[float]
) -> Bins:
    if not rows:
        return Bins(column.kind)
    scale = _scale(column.kind, quantiles)
    if len(set(quantiles)) <= BINS:
        values = _distinct(warehouse, source, column, period)
        if len(values) <= BINS and rows >= 3 * len(values):
            edges = {edge for x in values for edge in (x, just_above(x))}
            return replace(scale, edges=tuple(sorted(edges)))
    return replace(scale, edges=tuple(quantile_edges(quantiles, rows)))


def _scale(kind: Kind, quantiles: Sequence[float]) -> Bins:
    """Return bins that state the units of sums and squares, and have no edges yet."""
    low, median, high = quantiles[0], quantiles[FRACTIONS.index(0.5)], quantiles[-1]
    largest = max(abs(low), abs(high))
    # A column of zeros says nothing about its scale: 2**20 lets values up to 2**41 be summed, to 2**-22.
    exponent = 20 if largest == 0 else _exponent(largest)
    if largest >= 2.0**400 or not high - low < abs(median) * CLOSE_TOGETHER:
        return Bins(kind, exponent=exponent)
    # A constant says nothing about its spread: this is as wide as one that has an origin can be.
    spread = max(high - median, median - low) or abs(median) * CLOSE_TOGETHER
    return Bins(kind, exponent=exponent, origin=median, spread_exponent=_exponent(spread))


def _exponent(largest: float) -> int:
    return min(max(math.frexp(largest)[1], -400), 400)


def ranks_of(count: int, fractions: Sequence[float] = FRACTIONS) -> list[int]:
    """Return the ranks, from 1, of the quantiles of so many values: the smallest that holds at least the fraction.

    Examples
    --------
    >>> ranks_of(2048)[:3], ranks_of(2048)[-3:]
    ([1, 2, 16], [2032, 2046, 2048])
    """
    return [max(1, -(-int(fraction * 1024) * count // 1024)) for fraction in fractions]


def quantile_edges(quantiles: Sequence[float], rows: int) -> list[float]:
    """Turn minimum, quantiles and maximum into edges.

    A small baseline has fewer bins of equal frequency, and no tails of less than `ROWS_PER_BIN` rows.

    Parameters
    ----------
    quantiles
        Ascending, at `FRACTIONS`.
    rows
        Values they were taken of.

    Returns
    -------
    list of float
        Strictly ascending; the last is above the maximum. A value that several quantiles share has a bin of its own.

    Examples
    --------
    >>> edges = quantile_edges([max(0.0, 32 * fraction - 16) for fraction in FRACTIONS], 1000)
    >>> edges[:3], edges[-2:]
    ([0.0, 1e-300, 1.0], [16.0, 16.000000000000004])
    """
    bins = BINS
    while bins > 1 and rows < bins * ROWS_PER_BIN:
        bins //= 2
    chosen = [
        value
        for fraction, value in zip(FRACTIONS, quantiles, strict=True)
        if (fraction * bins).is_integer() or _is_tail(fraction, rows)
    ]
    edges = sorted(set(chosen))
    heavy = [value for value in edges if chosen.count(value) > 1]
    edges = sorted({*edges, *map(just_above, heavy), just_above(chosen[-1])})
    if heavy:
        return edges
    # The maximum itself is no bin of its own: the last bin reaches from the last quantile to beyond it.
    return [*edges[:-2], edges[-1]] if len(edges) > 2 else edges


def edges_beyond(edges: tuple[float, ...], quantiles: Sequence[float]) -> tuple[float, ...]:
    """Add edges below the smallest and above the largest value of a column that may move on.

    A column of one or two values has no more of them, and one that was never negative has none below zero.

    Parameters
    ----------
    edges
        Ascending, the first at the smallest value, the last just above the largest.
    quantiles
        Ascending, at `FRACTIONS`.

    Examples
    --------
    >>> edges = edges_beyond((0.0, 4.0, 8.0, 16.0), [16 * fraction for fraction in FRACTIONS])
    >>> [round(edge, 1) for edge in edges[3:8]], round(edges[-1])
    ([16.0, 17.2, 18.3, 19.5, 20.7], 179)
    """
    if len(set(quantiles)) <= 2:
        return edges
    low, high = quantiles[0], quantiles[-1]
    first, last = (quantiles[FRACTIONS.index(fraction)] for fraction in (1 / 16, 15 / 16))
    step = (last - first or high - low) / STEPS
    # Sets: steps that vanish beside the extreme itself end on one number.
    below = {low - times * step for times in BEYOND}
    above = {high + times * step for times in BEYOND}
    return (
        *sorted(edge for edge in below if -LARGEST < edge < edges[0] and not edge <= 0 <= low),
        *edges,
        *sorted(edge for edge in above if edges[-1] < edge < LARGEST),
    )


def _is_tail(fraction: float, rows: int) -> bool:
    """Return whether it cuts off a tail that holds rows enough for a bin."""
    outside = min(fraction, 1 - fraction)
    return outside in TAILS and outside * rows >= ROWS_PER_BIN


def _distinct(
    warehouse: Warehouse, source: Source, column: Column, period: Window | None, most: int = BINS
) -> list[float]:
    """Return the values in ascending order, or one more than may have a bin each when there are more."""
    rows = _rows(warehouse, source, period, {"x": _finite(warehouse, column)})
    present = exp.not_(exp.Is(this=named("x"), expression=exp.null()))
    query = exp.select(named("x")).distinct().from_(rows).where(present).limit(most + 1)
    return sorted(x + 0.0 for x in warehouse.query(query)["x"].to_pylist())


def _categories(warehouse: Warehouse, source: Source, column: Column, period: Window | None) -> Bins:
    rows = _rows(warehouse, source, period, {"x": value(column, warehouse.dialect)})
    text: exp.Expr = named("x")
    if warehouse.dialect == "postgres":  # code-point order, as DuckDB and Python have it, whatever the database's own
        text = exp.Collate(this=text, expression=exp.to_identifier("C", quoted=True))
    present = exp.not_(exp.Is(this=named("x"), expression=exp.null()))
    query = (
        exp.select(named("x"), exp.alias_(exp.Count(this=exp.Star()), "n"))
        .from_(rows)
        .where(present)
        .group_by(named("x"))
        .order_by(exp.Ordered(this=exp.column("n"), desc=True), exp.Ordered(this=text))
        .limit(KNOWN + 1)
    )
    answer = warehouse.query(query)
    values, rows_of_each = [str(text) for text in answer["x"].to_pylist()], answer["n"].to_pylist()
    known = [text for text in values[:KNOWN] if len(text) <= LONGEST]
    open_ended = len(values) > len(known)
    # What is not listed counts as other then, listed or not: a scan that searches a list less is ten times as fast.
    others = () if open_ended else tuple(known[CATEGORIES:])
    # All values are listed then; of an open-ended column nothing is ever unseen.
    singletons = 0 if open_ended else rows_of_each.count(1)
    return Bins(
        "categorical",
        categories=tuple(known[:CATEGORIES]),
        others=others,
        open_ended=open_ended,
        singletons=singletons,
    )


def _finite(warehouse: Warehouse, column: Column) -> exp.Expr:
    return finite(value(column, warehouse.dialect), warehouse.dialect)


def _rows(warehouse: Warehouse, source: Source, period: Window | None, columns: Mapping[str, exp.Expr]) -> exp.Subquery:
    return subquery(rows_of(warehouse, source, [] if period is None else [period], columns), "baseline")
