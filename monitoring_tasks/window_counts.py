"""A window's profiles as arrays, so that those of many windows add up at once. Pure.

A run over a year compares every window with hundreds before it. Adding up profiles one by one takes microseconds for
each column of each of them; here each stored profile is unpacked once, and a sum is one pass of numpy over all columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from monitoring_tasks.profile import Bins, ColumnProfile, Profile, named_values
from monitoring_tasks.window import Window

SUMS = ("minimum", "maximum", "total", "total_squares")
"""What a profile holds of a column beside its counts, in this order."""


class Places:
    """Where each column's bins stand in one long row of counts.

    Parameters
    ----------
    bins
        The baseline's, by column name.
    """

    def __init__(self, bins: Mapping[str, Bins]) -> None:
        self.bins = bins
        ends = np.cumsum([len(its) for its in bins.values()], dtype=np.int64)
        self.starts: NDArray[np.int64] = np.concatenate(([0], ends[:-1])) if bins else ends
        self.size = int(ends[-1]) if bins else 0
        self.slices = {
            name: slice(int(start), int(end)) for name, start, end in zip(bins, self.starts, ends, strict=True)
        }


@dataclass(frozen=True, eq=False)
class WindowCounts:
    """All rows of one window and each of its segments."""

    window: Window
    rows: int
    counts: Mapping[str, NDArray[np.int64]]
    """By segment, shape (`Places.size`,): rows per bin of every column; no rows of a column that was not counted."""
    sums: Mapping[str, NDArray[np.float64]] = field(repr=False)
    """By segment, shape (4, n_columns): `SUMS` of every column, NaN without a value."""
    unseen: Mapping[str, Mapping[str, tuple[tuple[str, int], ...] | None]] = field(default_factory=dict, repr=False)
    """By segment and column: `ColumnProfile.unseen` where that is not empty."""
    windows: int = 1
    """Of how many windows of the schedule it is the sum: more than one if it was rolled up."""

    @property
    def size(self) -> int:
        """Bytes of the arrays."""
        return sum(array.nbytes for arrays in (self.counts, self.sums) for array in arrays.values())

    @classmethod
    def of(cls, profiles: Sequence[Profile], places: Places, windows: int = 1) -> WindowCounts:
        """Unpack a window's profiles, that of all rows first."""
        return cls(
            window=profiles[0].window,
            rows=profiles[0].rows,
            counts={profile.segment: _counts(profile, places) for profile in profiles},
            sums={profile.segment: _sums(profile, places) for profile in profiles},
            unseen={profile.segment: _unseen(profile) for profile in profiles},
            windows=windows,
        )


def _counts(profile: Profile, places: Places) -> NDArray[np.int64]:
    counts = np.zeros(places.size, np.int64)
    for name, column in profile.columns.items():
        if name in places.slices:
            counts[places.slices[name]] = column.counts
    return counts


def _sums(profile: Profile, places: Places) -> NDArray[np.float64]:
    columns = [profile.columns.get(name) for name in places.bins]
    sums = [[None if column is None else getattr(column, name) for column in columns] for name in SUMS]
    return np.array(sums, np.float64)


def _unseen(profile: Profile) -> dict[str, tuple[tuple[str, int], ...] | None]:
    return {name: column.unseen for name, column in profile.columns.items() if column.unseen != ()}


def stack(windows: Sequence[WindowCounts], segment: str, places: Places) -> NDArray[np.int64]:
    """Return the counts of a segment, shape (n_windows, `Places.size`): zeros where a window has no row of it."""
    none = np.zeros(places.size, np.int64)
    return np.stack([window.counts.get(segment, none) for window in windows])


def add_up(
    windows: Sequence[WindowCounts], segment: str, places: Places, counts: NDArray[np.int64] | None = None
) -> dict[str, ColumnProfile]:
    """Return what adding up the windows' profiles of a segment one by one comes to.

    Parameters
    ----------
    windows
        At least one; they are disjoint.
    segment
        '' for all rows; a window without a row of it adds nothing.
    places
        Those that the windows were unpacked with.
    counts
        What `stack` returns for them, if that is known.

    Returns
    -------
    dict
        By column name, every column of the bins.
    """
    counts = (stack(windows, segment, places) if counts is None else counts).sum(axis=0)
    none = np.full((len(SUMS), len(places.bins)), np.nan)
    parts = np.stack([window.sums.get(segment, none) for window in windows])
    totals = np.where(np.isnan(parts[:, 2:]).all(axis=0), np.nan, np.nansum(parts[:, 2:], axis=0))
    sums = np.stack([np.fmin.reduce(parts[:, 0]), np.fmax.reduce(parts[:, 1]), *totals])
    found = {}
    for place, (name, bins) in enumerate(places.bins.items()):
        known = {key: float(value) for key, value in zip(SUMS, sums[:, place], strict=True) if not np.isnan(value)}
        in_bins = tuple(counts[places.slices[name]].tolist())
        names = _names([window.unseen.get(segment, {}).get(name, ()) for window in windows])
        found[name] = ColumnProfile(name, bins.kind, in_bins, origin=bins.origin, unseen=names, **known)
    return found


def _names(unseen: Sequence[tuple[tuple[str, int], ...] | None]) -> tuple[tuple[str, int], ...] | None:
    """Return the names of all windows together; None if one of them has too many, or all have."""
    found: list[tuple[str, int]] = []
    for names in unseen:
        if names is None:
            return None
        found += names
    return named_values(found) if found else ()
