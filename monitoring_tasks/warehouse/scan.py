"""The scan: every column of any number of windows becomes counts and sums, inside the warehouse.

The plan differs per engine, the counts do not: `stream` on DuckDB, `lateral` on PostgreSQL, `union_all` elsewhere. For
a column that holds values which the baseline never saw, one more statement, alike on every engine, asks which they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, cast

from monitoring_tasks.columns import Column
from monitoring_tasks.errors import DataError
from monitoring_tasks.labels_profile import LONGEST_PART, LabelsProfile
from monitoring_tasks.profile import Bins, Profile
from monitoring_tasks.warehouse import labels, lateral, union_all, unseen
from monitoring_tasks.warehouse.broken_columns import broken_columns
from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.labels import Labelled
from monitoring_tasks.warehouse.statement import Source
from monitoring_tasks.warehouse.tally import Segments, Tally
from monitoring_tasks.window import Window

if TYPE_CHECKING:
    from monitoring_tasks.warehouse.duckdb_engine import DuckDBWarehouse

GROUPS = 2_000_000
"""Groups one statement may return; further windows are read by further statements, each over its own rows."""

COUNTS = 20_000_000
"""The same for DuckDB, which returns rows and no groups: what they are counted in takes 160 MB."""


def scan(
    warehouse: Warehouse,
    source: Source,
    columns: Sequence[Column],
    bins: Mapping[str, Bins],
    windows: Sequence[Window],
    segments: Sequence[str] = (),
) -> Iterator[tuple[Profile, ...]]:
    """Count every column of every window.

    Parameters
    ----------
    warehouse
        An open warehouse.
    source
        The table and its timestamp column.
    columns
        What to count; each must have its bins.
    bins
        The baseline's frozen bins by column name.
    windows
        Disjoint, in time order. They are read once, however many there are; what lies between them is not read, unless
        the gaps are many.
    segments
        Names of categorical columns, among `bins`, by whose categories the counts are also split.

    Yields
    ------
    tuple of Profile
        For each window, in order: the profile of all its rows, then one of each segment that has rows. A column that
        cannot be read in a window stands in the profile's `unreadable` with the reason, and costs nothing else.
    """
    for profiles, _ in scan_with_labels(warehouse, source, columns, bins, windows, segments, None):
        yield profiles


def scan_with_labels(
    warehouse: Warehouse,
    source: Source,
    columns: Sequence[Column],
    bins: Mapping[str, Bins],
    windows: Sequence[Window],
    segments: Sequence[str],
    labelled: Labelled | None,
) -> Iterator[tuple[tuple[Profile, ...], tuple[LabelsProfile, ...]]]:
    """Count every column of every window, split by what became of each row; as `scan`, and in the same statement.

    Parameters
    ----------
    labelled
        The labels, and how outcomes are counted; None to leave labels alone.

    Yields
    ------
    tuple
        For each window, in order: its profiles as `scan` has them, and the labels of the same segments; of these none
        without `labelled`.
    """
    for tally in tallies(warehouse, source, columns, bins, windows, segments, labelled):
        names = [column.name for column in columns if column.name not in tally.unreadable]
        for i in range(len(tally.windows)):
            yield tally.profiles(i, names), tally.labels(i, names)
        del tally  # before the next one is counted


def tallies(
    warehouse: Warehouse,
    source: Source,
    columns: Sequence[Column],
    bins: Mapping[str, Bins],
    windows: Sequence[Window],
    segments: Sequence[str] = (),
    labelled: Labelled | None = None,
) -> Iterator[Tally]:
    """Count every column of every window, as arrays: where nobody needs the profile of each, these are much smaller.

    As `scan`, with the windows of one statement after the other. Whoever lets go of one before asking for the next
    never has two in memory.

    Columns that cannot be read are left out of the windows in which they fail, see `Tally.unreadable`.
    """
    split = Segments(tuple(segments), tuple(bins[name].categories for name in segments))
    size = _windows_per_statement(warehouse.dialect, columns, bins, split, labelled)
    for first in range(0, len(windows), size):
        part = windows[first : first + size]
        try:
            tally = _counted(warehouse, source, columns, bins, part, segments, labelled)
        except DataError as error:
            yield from _without_broken(warehouse, source, columns, bins, part, segments, labelled, error)
            continue
        yield tally
        del tally  # before the next one is counted


def _counted(
    warehouse: Warehouse,
    source: Source,
    columns: Sequence[Column],
    bins: Mapping[str, Bins],
    windows: Sequence[Window],
    segments: Sequence[str],
    labelled: Labelled | None,
) -> Tally:
    """Count the windows of one statement."""
    split = Segments(tuple(segments), tuple(bins[name].categories for name in segments))
    tally = Tally.empty(windows, split, labelled)
    _read(warehouse, source, columns, bins, tally)
    unseen.read(warehouse, source, bins, tally)
    if labelled is not None and tally.outcomes is not None and tally.outcomes.repeated.any():
        its = (labelled.source, labelled.bins, tally.windows)
        tally.outcomes.corrected[:] = labels.corrected(warehouse, source, *its)
    return tally


def _without_broken(
    warehouse: Warehouse,
    source: Source,
    columns: Sequence[Column],
    bins: Mapping[str, Bins],
    windows: Sequence[Window],
    segments: Sequence[str],
    labelled: Labelled | None,
    error: DataError,
) -> Iterator[Tally]:
    """Count the windows of a statement that failed with this error, each without the columns that fail it."""
    if source.timestamp is not None:  # else no statement is without columns
        _counted(warehouse, source, (), bins, windows, (), labelled)

    def count(some: Sequence[Column], its_windows: Sequence[Window]) -> None:
        _counted(warehouse, source, some, bins, its_windows, (), None)

    broken = broken_columns(warehouse, source, columns, windows, count)
    if not broken or any(len(reasons) == len(columns) for reasons in broken.values()):
        raise error
    for reasons, run in groupby(windows, lambda window: broken.get(window, {})):
        readable = [column for column in columns if column.name not in reasons]
        split = [name for name in segments if name not in reasons]
        tally = _counted(warehouse, source, readable, bins, list(run), split, labelled)
        yield replace(tally, unreadable=reasons)


def _read(
    warehouse: Warehouse, source: Source, columns: Sequence[Column], bins: Mapping[str, Bins], tally: Tally
) -> None:
    """Count and sum the columns into the tally, by the plan that the engine is quickest with."""
    if warehouse.dialect == "duckdb":
        from monitoring_tasks.warehouse import stream

        stream.read(cast("DuckDBWarehouse", warehouse), source, columns, bins, tally)
    elif warehouse.dialect == "postgres" or tally.outcomes is not None:
        lateral.read(warehouse, source, columns, bins, tally)
    else:
        union_all.read(warehouse, source, columns, bins, tally)


def _windows_per_statement(
    dialect: str,
    columns: Sequence[Column],
    bins: Mapping[str, Bins],
    segments: Segments,
    labelled: Labelled | None,
) -> int:
    groups = 1 + sum(len(bins[column.name]) for column in columns)
    if labelled is not None:
        groups = (groups + LONGEST_PART) * labelled.bins.outcomes // 2  # of four bytes, where others have eight
        groups += labelled.bins.cells * (1 + 2 * len(labelled.bins.losses))
    groups *= len(segments)
    if dialect == "duckdb":
        return max(1, COUNTS // groups)
    windows = max(1, GROUPS // groups)
    return windows if dialect == "postgres" else min(windows, union_all.WINDOWS)
