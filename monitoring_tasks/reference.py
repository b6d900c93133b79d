"""What one window is compared with: rows counted on the baseline's bins. Pure.

With `period` or `table` these are the baseline's own rows, the same for every window. With `rolling` and `seasonal`
they are those of earlier windows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import lru_cache
from statistics import median_low

import numpy as np
from numpy.typing import NDArray

from monitoring_tasks.look_back import MINIMUM_WINDOWS
from monitoring_tasks.profile import Baseline, ColumnProfile, Profile
from monitoring_tasks.statistics.homogeneity import ColumnDispersion, column_dispersion, pooled, with_shared_priors
from monitoring_tasks.window import Window, format_instant
from monitoring_tasks.window_counts import Places, WindowCounts, add_up, stack

KEPT = 8
"""Baselines, one for each length of windows, whose reference is kept: a run has one, and its days three lengths."""

OWN_ROWS = "baseline"
"""Name of all of the baseline's own rows."""

SHORTER = 0.4
"""Parts at most so long, over the longest, show how what rows have in common grows with the length."""


@dataclass(frozen=True)
class Reference:
    """Counts to compare with, and by how much such counts differ from one part of them to the next."""

    name: str
    """What it is, as it stands in results: ``baseline``, or of earlier windows what, how many, from when to when."""
    columns: Mapping[str, Mapping[str, ColumnProfile]]
    """By segment ('' is all rows), then by column."""
    dispersions: Mapping[str, Mapping[str, ColumnDispersion]] = field(default_factory=dict)
    """The same; without an entry rows are taken to be independent."""
    windows: int = 0
    """How many earlier windows with rows it is made of; 0 for the baseline's own rows."""
    period: Window | None = None
    """From the start of the first of them to the end of the last."""
    exceptions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By segment and column, the name of what stands there instead of earlier windows, where too few had rows."""

    @classmethod
    def of_baseline(cls, baseline: Baseline, length: timedelta) -> Reference:
        """Return the baseline's own rows, for windows of this length."""
        return _of_baseline(_Same(baseline), length)

    @classmethod
    def of_windows(
        cls,
        label: str,
        windows: Sequence[WindowCounts],
        baseline: Baseline,
        length: timedelta,
        places: Places | None = None,
    ) -> Reference:
        """Return the sum of earlier windows.

        Where fewer than `MINIMUM_WINDOWS` of them have rows, of all columns or of one column in one segment, the
        baseline's own rows stand instead, and `named` says so.

        Parameters
        ----------
        label
            What chose them, such as ``rolling 28d``.
        windows
            The windows' profiles in time order, unpacked with `places`.
        baseline
            On whose bins they were counted.
        length
            Of the window that is compared.
        places
            By default those of the baseline's bins.
        """
        places = places or Places(baseline.bins)
        windows = [window for window in windows if window.rows]
        fixed = cls.of_baseline(baseline, length)
        number = sum(window.windows for window in windows)
        if number < MINIMUM_WINDOWS:
            return replace(fixed, name=too_few(label, number))
        period = Window(windows[0].window.start, windows[-1].window.end)
        columns: dict[str, Mapping[str, ColumnProfile]] = {}
        dispersions: dict[str, dict[str, ColumnDispersion]] = {}
        exceptions: dict[str, dict[str, str]] = {}
        for segment in dict.fromkeys([*fixed.columns, *(name for window in windows for name in window.counts)]):
            counts, known = stack(windows, segment, places), fixed.columns.get(segment)
            seen = _with_rows(windows, counts, places)
            few = {name for name, count in seen.items() if count < MINIMUM_WINDOWS}
            if known is None and len(few) == len(seen):
                continue
            columns[segment] = {
                name: known[name] if known is not None and name in few and name in known else column
                for name, column in add_up(windows, segment, places, counts).items()
            }
            if known is not None:
                exceptions[segment] = {name: too_few(label, seen[name]) for name in seen if name in few & known.keys()}
            # A few earlier windows may be alike by chance: the parts of the baseline say as well how much they differ.
            measured = dict(fixed.dispersions.get(segment, {}))
            for name, own in _dispersions(windows, counts, places, length).items():
                if name not in exceptions.get(segment, {}):
                    measured[name] = pooled(own, measured[name]) if name in measured else own
            dispersions[segment] = with_shared_priors(measured)
        return cls(
            name=earlier_windows(label, number, period),
            columns=columns,
            dispersions=dispersions,
            windows=number,
            period=period,
            exceptions=exceptions,
        )

    def without(self, window: Sequence[Profile]) -> Reference:
        """Return the reference without the rows of a window inside the baseline's period.

        Nothing is compared with itself. Earlier windows do not hold it: only what is the baseline's own is without it.
        A column stays whole where that does not hold all of the window's rows: some came since.

        Parameters
        ----------
        window
            The profiles of all rows and of the segments.
        """
        columns = dict(self.columns)
        for profile in window:
            if profile.segment not in columns:
                continue
            known = columns[profile.segment]
            own = self.exceptions.get(profile.segment, {}) if self.windows else known
            rest = {name: known[name].without(profile.columns[name]) for name in own if name in profile.columns}
            columns[profile.segment] = {**known, **{name: column for name, column in rest.items() if column}}
        return replace(self._renamed(without_window), columns=columns)

    def with_a_part_of_it(self) -> Reference:
        """Return the reference named as one that holds a part of the window that is compared with it."""
        return self._renamed(with_a_part)

    def _renamed(self, rename: Callable[[str], str]) -> Reference:
        exceptions = {
            segment: {column: rename(name) for column, name in names.items()}
            for segment, names in self.exceptions.items()
        }
        return replace(self, name=self.name if self.windows else rename(self.name), exceptions=exceptions)

    def named(self, segment: str = "", column: str = "") -> str:
        """Return the name of what a column is compared with in a segment; without a column, what the window is."""
        return self.exceptions.get(segment, {}).get(column, self.name)


@dataclass(frozen=True)
class _Same:
    """A baseline that is the same as another if it has the same id: comparing all of it would take longer."""

    baseline: Baseline

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.baseline.id == other.baseline.id

    def __hash__(self) -> int:
        return hash(self.baseline.id)


@lru_cache(maxsize=KEPT)
def _of_baseline(same: _Same, length: timedelta) -> Reference:
    baseline = same.baseline
    columns = {"": baseline.columns, **baseline.segments}
    if not baseline.dispersions:
        return Reference(OWN_ROWS, columns)
    # The longest parts that are no longer than the window, of which a day of 23 hours is one; else the shortest.
    lengths = sorted(baseline.dispersions)
    seconds = length.total_seconds()
    chosen = max((each for each in lengths if each * 0.95 <= seconds), default=lengths[0])
    times = seconds / chosen
    shorter = max((each for each in lengths if each <= chosen * SHORTER), default=None)
    dispersions = {}
    for segment, of in baseline.dispersions[chosen].items():
        before = {} if shorter is None else baseline.dispersions[shorter].get(segment, {})
        dispersions[segment] = with_shared_priors(
            {
                name: replace(each, rows=each.rows * times / _grown(before.get(name), each, chosen, shorter, times))
                for name, each in of.items()
            }
        )
    return Reference(OWN_ROWS, columns, dispersions)


def _grown(
    shorter: ColumnDispersion | None, longer: ColumnDispersion, length: float, before: float | None, times: float
) -> float:
    """Return by how much more the rows of a window have in common that is so many times as long as the longest parts.

    Days that each have their own level make up a week that has no more in common than each of them; where a warm day
    follows a warm day it has. As what parts have in common grew to the longest ones from shorter ones, it grows on.
    """
    if times <= 1.05 or shorter is None or before is None:
        return 1.0
    both = [max(each.of_all_shares.mean - 1, 1e-3) if each.groups else 1.0 for each in (shorter, longer)]
    power = math.log(both[1] / both[0]) / math.log(length / before)
    return float(times ** min(max(power, 0.0), 1.0))


def moving_columns(
    windows: Sequence[WindowCounts], baseline: Baseline, places: Places | None = None
) -> dict[str, ColumnProfile]:
    """Return the sum of all rows of earlier windows, without the columns of which too few windows have rows."""
    places = places or Places(baseline.bins)
    windows = [window for window in windows if window.rows]
    if sum(window.windows for window in windows) < MINIMUM_WINDOWS:
        return {}
    counts = stack(windows, "", places)
    seen = _with_rows(windows, counts, places)
    columns = add_up(windows, "", places, counts)
    return {name: column for name, column in columns.items() if seen[name] >= MINIMUM_WINDOWS}


def earlier_windows(label: str, number: int, period: Window) -> str:
    """Say of which earlier windows a reference is made."""
    return f"{label}: {number} windows from {format_instant(period.start)} to {format_instant(period.end)}"


def too_few(label: str, number: int) -> str:
    """Say why a baseline's own rows stand in the place of earlier windows."""
    holds = "no window" if number == 0 else "1 window" if number == 1 else f"{number} windows"
    return f"baseline: {label} holds {holds} with rows, {MINIMUM_WINDOWS} are needed"


def without_window(name: str) -> str:
    """Name the baseline's own rows where those of the window that is compared with them were taken out."""
    return f"{name}, without this window"


def with_a_part(name: str) -> str:
    """Name the baseline's own rows where some of those of the window that is compared with them are among them."""
    return f"{name}, which holds a part of this window"


def _with_rows(windows: Sequence[WindowCounts], counts: NDArray[np.int64], places: Places) -> dict[str, int]:
    """Return for each column how many windows have rows of it."""
    if not places.bins:
        return {}
    rows: NDArray[np.int64] = np.add.reduceat(counts, places.starts, axis=1)
    numbers = np.array([window.windows for window in windows]) @ (rows > 0)
    return dict(zip(places.bins, numbers.tolist(), strict=True))


def _dispersions(
    windows: Sequence[WindowCounts], counts: NDArray[np.int64], places: Places, length: timedelta
) -> dict[str, ColumnDispersion]:
    """Measure how much the windows differ: only those of the schedule's own length, for longer ones differ less."""
    single = np.array([window.windows == 1 for window in windows])
    if single.sum() < MINIMUM_WINDOWS:
        return {}
    times = length / median_low(window.window.length for window in windows if window.windows == 1)
    found = {}
    for name, place in places.slices.items():
        its = column_dispersion(counts[single, place], places.bins[name].layout)
        if its is not None:
            found[name] = replace(its, rows=its.rows * times)
    return found
