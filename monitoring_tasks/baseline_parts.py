"""The parts of a baseline's period: windows of many lengths without drift, which show how much such windows differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from monitoring_tasks.profile import Bins, Dispersions
from monitoring_tasks.statistics.histogram import IntArray
from monitoring_tasks.statistics.homogeneity import column_dispersion
from monitoring_tasks.window import Window, parse_schedule
from monitoring_tasks.window_counts import Places

if TYPE_CHECKING:
    from monitoring_tasks.warehouse.tally import Tally

LENGTHS = (
    timedelta(minutes=10),
    *(timedelta(hours=hours) for hours in (1, 2, 3, 4, 6, 8, 12)),
    *(timedelta(days=days) for days in (1, 2, 3, 7)),
)
"""Lengths of the parts of a baseline: the usual ones of windows, and two that show how days hang together. They do not
depend on a monitor's schedule: hours that are added up to a day are judged like the day."""

MOST_PARTS = 2400
"""Of a baseline: a hundred days of hours. A longer one has longer parts."""

FEWEST_PARTS = 8
"""With fewer of a length, shorter parts say more."""


def parts_of(period: Window, timezone: str, whole_days: bool = False) -> tuple[Window, ...]:
    """Cut a baseline's period into parts of one length, and what is left over at its end.

    Parameters
    ----------
    period
        The baseline's.
    timezone
        Where days begin.
    whole_days
        Whether the log knows days only, which then are the parts.

    Examples
    --------
    >>> parts = parts_of(Window.parse("2013-03-01", "2013-03-08T00:05"), "UTC")
    >>> len(parts), str(parts[0]), str(parts[-1])
    (1009, '2013-03-01T00:00Z/2013-03-01T00:10Z', '2013-03-08T00:00Z/2013-03-08T00:05Z')
    """
    if whole_days:
        return parse_schedule("@daily", timezone).windows(period.start, period.end)
    length = next((each for each in LENGTHS if period.length / each <= MOST_PARTS), LENGTHS[-1])
    starts = [period.start + i * length for i in range(-(-period.length // length))]
    return tuple(Window(start, min(start + length, period.end)) for start in starts)


class PartCounts:
    """The counts of a baseline's parts, packed: of thousands of them, most segments have a few rows or none in each.

    Parameters
    ----------
    parts
        See `parts_of`.
    bins
        The baseline's, by column name.
    """

    def __init__(self, parts: Sequence[Window], bins: Mapping[str, Bins]) -> None:
        self._places = Places(bins)
        self._length = parts[0].length
        # A day of 23 hours is one.
        self._numbers = {part: i for i, part in enumerate(p for p in parts if p.length >= self._length * 0.95)}
        self._packed: dict[str, list[tuple[int, _Packed]]] = {"": []}

    def add(self, tally: Tally) -> None:
        """Keep the counts of the next parts."""
        whole = [i for i, window in enumerate(tally.windows) if window in self._numbers]
        names = tally.segments.names
        for s in tally.occurring():
            if self._places.bins and tally.rows[whole, s].any():
                first = self._numbers[tally.windows[whole[0]]]
                counts = np.concatenate(
                    [tally.columns[name].counts[whole, s] for name in self._places.bins], axis=1, dtype=np.int64
                )
                self._packed.setdefault(names[s], []).append((first, _Packed.of(counts)))

    def dispersions(self) -> Dispersions:
        """Measure the dispersion of every column over the parts, at every length that there are enough of.

        Returns
        -------
        dict
            By the length of the parts in seconds, then by segment, then by column.
        """
        times_of = self._lengths()
        found: Dispersions = {seconds: {} for seconds in times_of}
        for segment in self._packed:
            counts = self._unpacked(segment)
            for seconds, times in times_of.items():
                found[seconds][segment] = {
                    name: dispersion
                    for name, where in self._places.slices.items()
                    if (
                        dispersion := column_dispersion(_added(counts[:, where], times), self._places.bins[name].layout)
                    )
                    is not None
                }
        return found

    def _lengths(self) -> dict[float, int]:
        """Return the lengths in seconds that there are enough parts of, and of how many parts each of those is made."""
        found = {}
        for each in LENGTHS:
            times = round(each / self._length)
            if times < 1 or each < self._length * 0.95 or abs(times * self._length - each) > each * 0.05:
                continue
            if len(self._numbers) // times < FEWEST_PARTS:
                break
            found[each.total_seconds()] = times
        return found

    def _unpacked(self, segment: str) -> NDArray[np.unsignedinteger]:
        """Return the counts of a segment, shape (n_parts, `Places.size`); zeros where it had no row."""
        packed = self._packed[segment]
        dtype = np.result_type(np.uint8, *(each.counts.dtype for _, each in packed))
        found = np.zeros((len(self._numbers), self._places.size), dtype)
        for first, each in packed:
            each.write(found[first:])
        return found


@dataclass(frozen=True)
class _Packed:
    """Counts as the smallest integers that hold them; where that takes less, only those that are not zero."""

    parts: int
    counts: NDArray[np.unsignedinteger]
    places: NDArray[np.unsignedinteger] | None
    """Of each count, row by row; None where there are all."""

    @classmethod
    def of(cls, counts: IntArray) -> _Packed:
        every = counts.astype(np.min_scalar_type(int(counts.max()))).reshape(-1)
        places = np.flatnonzero(every)
        narrow = places.astype(np.min_scalar_type(len(every)))
        if narrow.nbytes + len(narrow) * every.itemsize < every.nbytes:
            return cls(len(counts), every[places], narrow)
        return cls(len(counts), every, None)

    def write(self, zeros: NDArray[np.unsignedinteger]) -> None:
        """Write the counts into the first rows of an array."""
        flat = zeros[: self.parts].reshape(-1)
        flat[slice(None) if self.places is None else self.places] = self.counts


def _added(parts: NDArray[np.unsignedinteger], times: int) -> IntArray:
    """Add up so many neighbours; what does not fill the last one is left out."""
    longer = len(parts) // times
    sums: IntArray = parts[: longer * times].reshape(longer, times, parts.shape[1]).sum(axis=1, dtype=np.int64)
    return sums
