"""The parts of a baseline's period: windows of many lengths without drift, which show how much such windows differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import numpy as np

from monitoring_tasks.profile import Bins, Dispersions, Profile
from monitoring_tasks.statistics.histogram import IntArray
from monitoring_tasks.statistics.homogeneity import column_dispersion
from monitoring_tasks.window import Window, parse_schedule

LENGTHS = (
    timedelta(minutes=10),
    *(timedelta(hours=hours) for hours in (1, 2, 3, 4, 6, 8, 12)),
    timedelta(days=1),
    timedelta(days=7),
)
"""Lengths of the parts of a baseline, the usual ones of windows. They do not depend on a monitor's schedule: hours that
are added up to a day are judged like the day."""

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


def dispersions_of(parts: Sequence[Sequence[Profile]], bins: Mapping[str, Bins]) -> Dispersions:
    """Measure the dispersion of every column over the parts of a baseline, at every length that there are enough of.

    Parameters
    ----------
    parts
        The profiles of all rows and each segment, in time order, see `parts_of`.
    bins
        The baseline's, by column name.

    Returns
    -------
    dict
        By the length of the parts in seconds, then by segment, then by column.
    """
    length = parts[0][0].window.length
    whole = [profiles for profiles in parts if profiles[0].window.length >= length * 0.95]  # a day of 23 hours is one
    counts = _stacked(whole, bins)
    found: Dispersions = {}
    for each in LENGTHS:
        times = round(each / length)
        if times < 1 or each < length * 0.95 or abs(times * length - each) > each * 0.05:
            continue
        if len(whole) // times < FEWEST_PARTS:
            break
        found[each.total_seconds()] = {
            segment: {
                name: dispersion
                for name, of_parts in columns.items()
                if (dispersion := column_dispersion(_added(of_parts, times), bins[name].layout)) is not None
            }
            for segment, columns in counts.items()
        }
    return found


def _stacked(parts: Sequence[Sequence[Profile]], bins: Mapping[str, Bins]) -> dict[str, dict[str, IntArray]]:
    """Return the counts of each segment and column, shape (n_parts, n_bins); zeros where a segment had no row."""
    segments = dict.fromkeys(profile.segment for profiles in parts for profile in profiles)
    shapes = {name: (len(parts), len(its)) for name, its in bins.items()}
    found = {segment: {name: np.zeros(shape, np.int64) for name, shape in shapes.items()} for segment in segments}
    for i, profiles in enumerate(parts):
        for profile in profiles:
            for name, column in profile.columns.items():
                if name in bins:
                    found[profile.segment][name][i] = column.counts
    return found


def _added(parts: IntArray, times: int) -> IntArray:
    """Add up so many neighbours; what does not fill the last one is left out."""
    longer = len(parts) // times
    sums: IntArray = parts[: longer * times].reshape(longer, times, parts.shape[1]).sum(axis=1)
    return sums
