"""The scan's plan for DuckDB: one statement's rows stream through this process in batches and are counted by numpy.

DuckDB runs inside this process, so no row leaves the machine for it. It filters, casts and looks categories up; what is
left are numbers, which numpy bins, counts and sums for any number of windows at the same price. GROUPING SETS in DuckDB
itself, a hash table per column, take twice as long for one window and four times as long for 720 of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from sqlglot import exp

from monitoring_tasks.columns import Column
from monitoring_tasks.profile import LARGEST, Bins
from monitoring_tasks.statistics.bin_search import BinSearch
from monitoring_tasks.statistics.histogram import IntArray
from monitoring_tasks.warehouse.arrow import as_floats, microseconds
from monitoring_tasks.warehouse.duckdb_engine import DuckDBWarehouse
from monitoring_tasks.warehouse.expressions import named, value
from monitoring_tasks.warehouse.labels import are_of_others, joined
from monitoring_tasks.warehouse.numbered_labels import NumberedLabels
from monitoring_tasks.warehouse.runs import STRETCH, Runs
from monitoring_tasks.warehouse.statement import Source, boundaries, rows_of
from monitoring_tasks.warehouse.stream_outcomes import StreamedOutcomes
from monitoring_tasks.warehouse.tally import ColumnTally, Tally

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

VALUES = 4_000_000
"""Most values in a batch, of all columns together: 32 MB."""

ROWS = 32_768
"""Most rows in a batch: a column of them stays in the processor's cache from one step of counting to the next."""

EXACT = 2.0**42
"""Whole numbers up to this add up exactly over a stretch."""


def read(
    warehouse: DuckDBWarehouse, source: Source, columns: Sequence[Column], bins: Mapping[str, Bins], tally: Tally
) -> None:
    """Count and sum these columns into the tally."""
    tallies = [tally.add(column, bins[column.name]) for column in columns]
    tally.rows[:] = 0
    places = _Places(source, tally)
    split = None if tally.outcomes is None else StreamedOutcomes(tally.outcomes, places.starts)
    counters = [
        _Counter(counted, None if tally.outcomes is None else tally.outcomes.columns[counted.column.name])
        for counted in tallies
    ]
    selected = {**_place_columns(source, tally), **{f"x{i}": counter.select() for i, counter in enumerate(counters)}}
    if split is None or tally.outcomes is None:
        select = rows_of(warehouse, source, tally.windows, selected)
    else:
        labelled = tally.outcomes.labelled
        columns_ = {**selected, **split.select()}
        split.numbered = NumberedLabels.read(warehouse, source, labelled, tally.windows)
        if split.numbered is None:
            apart = are_of_others(warehouse, source, labelled.source, tally.windows)
            select = joined(warehouse, source, labelled.source, labelled.bins, tally.windows, columns_, apart=apart)
        else:
            select = rows_of(warehouse, source, tally.windows, {**columns_, "k": named(labelled.source.log_key)})
    rows = min(max(VALUES // len(selected), STRETCH), ROWS)
    for batch in _ahead(warehouse, warehouse.batches(select, rows)):
        if not batch.num_rows:
            continue
        windows = places.windows_of(batch)
        runs = places.of(batch, windows)
        for each in runs:
            tally.rows.reshape(-1)[each.places] += each.lengths
        outcomes = None if split is None else split.add(batch, places.moments_of(batch), windows, runs)
        for i, counter in enumerate(counters):
            counter.add(batch[f"x{i}"], runs, outcomes)
    for counter in counters:
        counter.close()


def _ahead(warehouse: DuckDBWarehouse, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the batches, each fetched by another thread while the one before it is counted."""
    with ThreadPoolExecutor(1) as thread:
        following = thread.submit(next, batches, None)
        try:
            while (batch := following.result()) is not None:
                following = thread.submit(next, batches, None)
                yield batch
        except BaseException:  # Ctrl-C too, which would otherwise wait for the thread, and that for the whole scan
            warehouse.interrupt()
            raise


def _place_columns(source: Source, tally: Tally) -> dict[str, exp.Expr]:
    """Return what tells the window and the segments of a row: its timestamp, and places in lists of categories."""
    columns: dict[str, exp.Expr] = {} if source.timestamp is None else {"w": named(source.timestamp)}
    for i, (name, categories) in enumerate(zip(tally.segments.columns, tally.segments.categories, strict=True)):
        columns[f"s{i}"] = position(Column(name, "categorical", "other", ("segment",)), categories)
    return columns


class _Places:
    """Finds the runs of a batch: those of windows, and for each segment column those of its segments."""

    def __init__(self, source: Source, tally: Tally) -> None:
        self._segments = tally.segments
        places, numbers = boundaries(source, tally.windows)
        bounds = [_microseconds_of(place) for place in places]
        self._start = bounds[0]
        self.starts = [_microseconds_of(source.place(window.start)) for window in tally.windows]
        self._search = BinSearch([bound - self._start for bound in bounds])
        self._windows = np.array(numbers, np.intp)

    def of(self, batch: pa.RecordBatch, windows: NDArray[np.intp]) -> list[Runs]:
        """Return the runs that have rows."""
        size = len(self._segments)
        if len(windows) == 1:
            found = [Runs.one(int(windows[0]) * size, batch.num_rows)] if windows[0] >= 0 else []
        else:
            found = [Runs.of(windows * size)]
        for i, categories in enumerate(self._segments.categories):
            position = _whole(batch[f"s{i}"])
            known = (windows >= 0) & (position >= 1) & (position <= len(categories))
            place = windows * size + self._segments.first(i) - 1 + position
            found.append(Runs.of(np.where(known, place, -1)))
        return [runs for runs in found if len(runs.starts)]

    def windows_of(self, batch: pa.RecordBatch) -> NDArray[np.intp]:
        """Return each row's window, -1 for none; one number where all rows have the same."""
        if "w" not in batch.schema.names:
            return np.zeros(1, np.intp)
        moments = self.moments_of(batch)
        assert moments is not None
        extremes = np.array([moments.min(), moments.max()])
        first, last = self._search_of(extremes)
        return self._windows.take([first] if first == last else self._search_of(moments))

    def moments_of(self, batch: pa.RecordBatch) -> NDArray[np.int64] | None:
        """Return the microseconds since 1970 of each row; None of a table without times."""
        return microseconds(batch["w"]) if "w" in batch.schema.names else None

    def _search_of(self, moments: NDArray[np.int64]) -> NDArray[np.intp]:
        # Since the first window, so that doubles hold them exactly.
        return self._search((moments - self._start).astype(np.float64))


class _Counter:
    """Bins one column's batches and adds them to its tally."""

    def __init__(self, counted: ColumnTally, split: IntArray | None) -> None:
        self._counted = counted
        self._split = split
        self._bins = counted.bins
        self._search = BinSearch(counted.bins.edges, first=1)
        known = len(self._bins.categories)
        unknown = known + (1 if self._bins.open_ended else 2)
        # By position in the list of `position`: 0 for what is not in it, and the last for NULL.
        self._bin_of = np.array([unknown, *range(1, known + 1), *[known + 1] * len(self._bins.others), 0], np.intp)

    def select(self) -> exp.Expr:
        """Return what the statement selects of the column: a double, or a position in the list of categories."""
        if self._bins.kind == "categorical":
            return position(self._counted.column, (*self._bins.categories, *self._bins.others))
        return value(self._counted.column, "duckdb")

    def add(self, values: pa.Array, runs: Sequence[Runs], outcomes: NDArray[np.intp] | None) -> None:
        """Count the batch, by outcome if those are given, and sum it if it holds numbers."""
        if self._bins.kind == "categorical":
            bins = self._bin_of.take(_whole(values))
            self._count(bins, runs, outcomes)
            return
        numbers = as_floats(values)
        bins = self._search(numbers) if self._bins.edges else np.full(len(numbers), 2)
        finite = None
        low, high = numbers.min(), numbers.max()
        if not (low >= -LARGEST and high <= LARGEST):  # or NaN
            bins[np.isnan(numbers)] = 0
            finite = np.abs(numbers) <= LARGEST
            low, high = -np.inf, np.inf
        self._count(bins, runs, outcomes)
        for each in runs:
            self._sum(each.take(numbers), None if finite is None else each.take(finite), each, (low, high))

    def _count(self, bins: NDArray[np.intp], runs: Sequence[Runs], outcomes: NDArray[np.intp] | None) -> None:
        counts: NDArray[Any] = self._counted.counts.reshape(-1, len(self._bins))
        if self._split is not None and outcomes is not None:
            size = self._split.shape[-1]
            counts = self._split.reshape(-1, len(self._bins) * size)
            bins = bins * size + outcomes
        for each in runs:
            each.count(counts, each.take(bins))

    def close(self) -> None:
        """Add the outcomes up to the counts of the column itself."""
        if self._split is not None:
            self._counted.counts[:] = self._split.sum(axis=-1)

    def _sum(
        self,
        x: NDArray[np.float64],
        finite: NDArray[np.bool_] | None,
        runs: Runs,
        extremes: tuple[float, float],
    ) -> None:
        """Add the rows of the runs, of which only the finite ones count; `extremes` are no closer than their own."""
        counted, places, bins = self._counted, runs.places, self._bins
        low = x if finite is None else np.where(finite, x, np.inf)
        high = x if finite is None else np.where(finite, x, -np.inf)
        lowest, highest = np.minimum.reduceat(low, runs.starts), np.maximum.reduceat(high, runs.starts)
        lowest[lowest == np.inf] = np.nan
        highest[highest == -np.inf] = np.nan
        minimum, maximum = counted.minimum.reshape(-1), counted.maximum.reshape(-1)
        minimum[places] = np.fmin(minimum[places], lowest)
        maximum[places] = np.fmax(maximum[places], highest)
        farthest = max(abs(extreme) for extreme in extremes)
        spread = max(abs(extreme - bins.origin) for extreme in extremes)
        with np.errstate(over="ignore"):
            distances = x - bins.origin if bins.origin else x
            if finite is not None:
                x, distances = np.where(finite, x, 0.0), np.where(finite, distances, 0.0)
            squares = distances * distances
            counted.total.reshape(-1)[places] += _whole_sums(x, bins.unit, runs, farthest)
            counted.total_squares.reshape(-1)[places] += _whole_sums(squares, bins.square_unit, runs, spread * spread)


def _whole_sums(x: NDArray[np.float64], unit: float, runs: Runs, largest: float) -> NDArray[Any]:
    """Return each run's sum of the values as whole multiples of the unit, as Python integers.

    Sums of doubles depend on the order in which they are added; sums of integers do not, and so a window has one
    profile, however often and beside whatever other windows it is scanned. Values of 2**63 units and more are left out.
    `largest` is not below any value.
    """
    units = x * (1 / unit)
    np.rint(units, out=units)
    if largest <= EXACT * unit:  # such doubles are integers, and add up as such
        sums = np.add.reduceat(units, runs.stretches).astype(np.int64)
        return np.add.reduceat(sums, runs.first_stretches).astype(object)
    fits = (units >= -(2.0**63)) & (units < 2.0**63)
    whole = np.where(fits, units, 0.0).astype(np.int64)
    high, low = (np.add.reduceat(half, runs.starts).astype(object) for half in (whole >> 31, whole & (2**31 - 1)))
    total: NDArray[Any] = high * 2**31 + low
    return total


def position(column: Column, texts: Sequence[str]) -> exp.Expr:
    """Return the place of a category in a list, from 1; the place after the last for NULL; NULL for all others.

    A bare function of the column is evaluated once per entry of a dictionary-encoded Parquet column, a CASE for every
    row: 54 ms instead of 280 to 1,900 ms for ten million rows and a hundred categories.
    """
    entries = [*(exp.Literal.string(text) for text in texts), exp.null()]
    listed = exp.cast(exp.Array(expressions=entries), "text[]")
    return exp.Anonymous(this="list_position", expressions=[listed, value(column, "duckdb")])


def _microseconds_of(place: datetime | date) -> int:
    """Return the whole microseconds from 1970 to an instant, or to a day's beginning."""
    moment = place if isinstance(place, datetime) else datetime.combine(place, time(), UTC)
    return (moment - EPOCH) // timedelta(microseconds=1)


def _whole(values: pa.Array) -> NDArray[np.intp]:
    """Return an Arrow array of positions as integers, NULL as 0."""
    return np.asarray(pc.fill_null(values, 0).to_numpy(zero_copy_only=False), np.intp)
