"""The scan: every column of any number of windows becomes counts and sums, inside the warehouse.

The plan differs per engine, the counts do not: `lateral` on PostgreSQL, `grouping_sets` elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from monitoring_tasks.columns import Column
from monitoring_tasks.profile import Bins, Profile
from monitoring_tasks.warehouse import grouping_sets, lateral
from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.statement import Source
from monitoring_tasks.warehouse.tally import Segments, Tally
from monitoring_tasks.window import Window

GROUPS = 2_000_000
"""Groups one statement may return; further windows are read by further statements, each over its own rows."""

KEYS = 62
"""Columns times segment columns per statement: GROUPING has 64 bits. A statement reads its own columns only."""


def scan(
    warehouse: Warehouse,
    source: Source,
    columns: Sequence[Column],
    bins: Mapping[str, Bins],
    windows: Sequence[Window],
    segments: Sequence[str] = (),
    progress: Callable[[int, int], None] | None = None,
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
        Disjoint, in time order. What lies between the first and the last is read once, however many there are.
    segments
        Names of categorical columns, among `bins`, by whose categories the counts are also split.
    progress
        Called with the windows done and the windows in all.

    Yields
    ------
    tuple of Profile
        For each window, in order: the profile of all its rows, then one of each segment that has rows.
    """
    split = Segments(tuple(segments), tuple(bins[name].categories for name in segments))
    plan = lateral if warehouse.dialect == "postgres" else grouping_sets
    size = _windows_per_statement(columns, bins, split)
    batch = max(1, KEYS // (1 + len(segments)) - 1)
    for first in range(0, len(windows), size):
        part = windows[first : first + size]
        tally = Tally.empty(part, split)
        for start in range(0, max(len(columns), 1), batch):
            plan.read(warehouse, source, columns[start : start + batch], bins, tally)
        for i in range(len(part)):
            yield tally.profiles(i, [column.name for column in columns])
        if progress is not None:
            progress(first + len(part), len(windows))


def _windows_per_statement(columns: Sequence[Column], bins: Mapping[str, Bins], segments: Segments) -> int:
    groups = 1 + sum(len(bins[column.name]) for column in columns)
    return max(1, GROUPS // (groups * len(segments)))
