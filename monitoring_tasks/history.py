"""Earlier windows as the results store holds them: which are missing, and what a window is compared with."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property

from monitoring_tasks.config import Monitor
from monitoring_tasks.earlier_windows import EarlierWindows
from monitoring_tasks.look_back import LookBack
from monitoring_tasks.profile import Baseline, ColumnProfile
from monitoring_tasks.reference import Reference, earlier_windows, moving_columns
from monitoring_tasks.results.selection import apart
from monitoring_tasks.results.store import Store
from monitoring_tasks.traffic_history import TrafficHistory
from monitoring_tasks.window import Window
from monitoring_tasks.window_counts import Places, WindowCounts

KEPT = 256 * 2**20
"""Bytes of unpacked profiles that are kept from one window to the next; those of one window are held all the same."""


def looks_back(monitor: Monitor) -> bool:
    """Tell whether a check of the monitor looks at earlier windows: their profiles, or their traffic."""
    profiles = monitor.baseline_is_past or monitor.band_over is not None or stale_windows(monitor) > 1
    return profiles or monitor.checks.operations is not None


class History:
    """What the windows of one run look back on. Each stored profile is read once, if memory allows.

    Parameters
    ----------
    monitor
        One that looks back, see `looks_back`.
    windows
        Those of the run, in time order.
    store
        An open store.
    """

    def __init__(self, monitor: Monitor, windows: Sequence[Window], store: Store) -> None:
        self._monitor, self._windows, self._store = monitor, tuple(windows), store
        self._stored: dict[str, tuple[Window, ...]] = {}
        self._incidents: tuple[Window, ...] | None = None
        self._places: dict[str, Places] = {}
        self._kept: OrderedDict[tuple[str, Window], WindowCounts] = OrderedDict()
        self._size = 0

    # Both are worked out when they are first needed: not every check looks back.

    @cached_property
    def _look_back(self) -> LookBack:
        return LookBack(self._monitor, self._windows)

    @cached_property
    def _season(self) -> LookBack:
        if self._monitor.baseline.seasonal is None:
            return self._look_back
        return LookBack(self._monitor, self._windows, whole_cycles=True)

    @cached_property
    def _band(self) -> LookBack | None:
        over = self._monitor.band_over
        return None if over is None else LookBack(self._monitor, self._windows, over)

    @cached_property
    def traffic(self) -> TrafficHistory:
        """What the windows look back on to know how many rows to expect."""
        return TrafficHistory(self._monitor, self._windows, self._store)

    @cached_property
    def _latest(self) -> EarlierWindows:
        return EarlierWindows(self._monitor, self._windows, stale_windows(self._monitor) - 1)

    @cached_property
    def _all(self) -> tuple[LookBack, ...]:
        of_baseline = dict.fromkeys((self._look_back, self._season)) if self._monitor.baseline_is_past else ()
        return (*of_baseline, *([] if self._band is None else [self._band]))

    def missing(self, baseline_id: str) -> tuple[Window, ...]:
        """Return the windows, in time order, that must be profiled so that those of the run can be compared.

        They are those that the run's windows look back on and that have no profile on this baseline, neither one of
        their own nor, for a rolling baseline, as a part of a longer window that was rolled up and is looked back on.
        The windows of the run themselves are not among them.
        """
        stored = self._of_store(baseline_id)
        left = {each for window in self._windows for each in self._latest.right_before(window)}.difference(stored)
        for back in self._all:
            asked = [window for window in self._windows if back.is_asked(window)]
            lacking = back.looked_at(asked).difference(stored)
            within = stored[bisect_left(stored, back.reach, key=_start) :]
            if lacking and not back.singly and not back.windows.issuperset(within):
                lacking = _not_rolled_up(lacking, (each for window in asked for each in back.looks(window)), stored)
            left |= lacking
        return tuple(sorted(window for window in left if not _overlaps(window, self._windows)))

    def looks_at_any(self, window: Window, others: Sequence[Window]) -> bool:
        """Tell whether results of a window may depend on the rows of one of the others."""
        if any(back.looks_at_any(window, others) for back in self._all):
            return True
        looked = {*self._latest.right_before(window), *(self.traffic.looked_at([window]) if self.traffic.asked else ())}
        return not looked.isdisjoint(others)

    def reference(self, window: Window, baseline: Baseline) -> Reference:
        """Return what the window is compared with: the sum of the profiles that are stored, without incidents."""
        return Reference.of_windows(
            self._look_back.label,
            self._counts(self._look_back, self._look_back.before(window), baseline),
            baseline,
            window.length,
            self._places_of(baseline),
        )

    def season(self, window: Window, baseline: Baseline) -> Reference | None:
        """Return all rows of the time that a seasonal baseline reaches back, at whatever place of its cycle.

        The windows of one hour are never like a period of all hours; whole days are, or the season has changed. It is
        asked once in a cycle: None for a window that is not the first of one, and where too few windows have rows.
        """
        back = self._season
        if not back.begins_cycle(window):
            return None
        counts = [each for each in self._counts(back, back.before(window), baseline) if each.rows]
        columns = moving_columns(counts, baseline, self._places_of(baseline))
        if not columns:
            return None
        number, period = sum(each.windows for each in counts), Window(counts[0].window.start, counts[-1].window.end)
        return Reference(earlier_windows(back.label, number, period), {"": columns}, windows=number, period=period)

    def seasons_before(self, window: Window, baseline: Baseline) -> Iterator[Mapping[str, ColumnProfile]]:
        """Yield what some of those windows had before them, the latest first: see `moving_columns`."""
        places = self._places_of(baseline)
        for looked in self._season.before_some(window):
            yield moving_columns(self._counts(self._season, looked, baseline), baseline, places)

    def windows_before(self, window: Window, baseline: Baseline) -> tuple[WindowCounts, ...]:
        """Return the windows that bands are taken over, one by one, without incidents; none of a file without bands."""
        return () if self._band is None else tuple(self._counts(self._band, self._band.before(window), baseline))

    def latest_before(self, window: Window, baseline: Baseline) -> tuple[WindowCounts, ...]:
        """Return the windows right before, one by one: with this one so many as make a column stale."""
        return tuple(self._singly(self._latest.right_before(window), baseline))

    def incidents(self) -> tuple[Window, ...]:
        """Return what people confirmed as incidents: nothing is compared with it."""
        if self._incidents is None:
            self._incidents = self._store.incidents(self._monitor.name, self._reach, self._windows[-1].start)
        return self._incidents

    def _counts(self, back: LookBack, wanted: Sequence[Window], baseline: Baseline) -> list[WindowCounts]:
        """Return the profiles of these windows that are stored and no incidents, in time order."""
        if back.singly:
            return self._singly(wanted, baseline)
        return self._without_incidents(_chosen(wanted, self._of_store(baseline.id)), baseline)

    def _singly(self, wanted: Sequence[Window], baseline: Baseline) -> list[WindowCounts]:
        stored = set(self._of_store(baseline.id))
        return self._without_incidents(dict.fromkeys(sorted(stored.intersection(wanted)), 1), baseline)

    def _without_incidents(self, found: Mapping[Window, int], baseline: Baseline) -> list[WindowCounts]:
        people = self.incidents()
        kept = {window: number for window, number in found.items() if not any(map(window.overlaps, people))}
        return self._read(kept, baseline)

    def _read(self, chosen: Mapping[Window, int], baseline: Baseline) -> list[WindowCounts]:
        places = self._places_of(baseline)
        unread = [window for window in chosen if (baseline.id, window) not in self._kept]
        for window, baseline_id, profiles in self._store.profiles_of(self._monitor.name, unread):
            if baseline_id == baseline.id:
                self._kept[baseline_id, window] = counts = WindowCounts.of(profiles, places, chosen[window])
                self._size += counts.size
        found = []
        for window in chosen:
            if (baseline.id, window) in self._kept:  # else it was removed since
                self._kept.move_to_end((baseline.id, window))
                found.append(self._kept[baseline.id, window])
        while self._size > KEPT and len(self._kept) > len(found):
            self._size -= self._kept.popitem(last=False)[1].size
        return found

    @cached_property
    def _reach(self) -> datetime:
        first = self._windows[0]
        latest = [each.start for each in self._latest.right_before(first)]
        return min([first.start, *latest, *(back.reach for back in self._all)])

    def _places_of(self, baseline: Baseline) -> Places:
        return self._places.setdefault(baseline.id, Places(baseline.bins))

    def _of_store(self, baseline_id: str) -> tuple[Window, ...]:
        """Return the windows with a profile on this baseline; of those that begin together the longest first."""
        if baseline_id not in self._stored:
            self._stored[baseline_id] = self._store.profiled_windows(
                self._monitor.name,
                self._reach,
                self._windows[-1].start,
                overlapping=True,
                baseline_id=baseline_id,
            )
        return self._stored[baseline_id]


def stale_windows(monitor: Monitor) -> int:
    """Return how many windows without change make a column stale; 1 where nobody looks."""
    quality = monitor.checks.data_quality
    return 1 if quality is None else quality.stale_windows


def _chosen(wanted: Sequence[Window], stored: Sequence[Window]) -> dict[Window, int]:
    """Return the stored windows that make up the neighbours `wanted`, and of how many of those each one is the sum.

    A longer one counts in place of its parts if it begins and ends where they do. `stored` is in time order, of those
    that begin together the longest first.
    """
    starts = {window.start: place for place, window in enumerate(wanted)}
    ends = {window.end: place for place, window in enumerate(wanted)}
    if not wanted:
        return {}
    first = bisect_left(stored, wanted[0].start, key=_start)
    inside = stored[first : bisect_left(stored, wanted[-1].end, key=_start)]
    made = [window for window in inside if window.start in starts and window.end in ends]
    return {window: ends[window.end] - starts[window.start] + 1 for window in apart(made, lambda itself: itself)}


def _not_rolled_up(
    windows: Iterable[Window], looks: Iterable[Sequence[Window]], stored: Sequence[Window]
) -> frozenset[Window]:
    """Return those of `windows` that in some look, which is of neighbours, no longer one stands for; see `_chosen`."""
    left: set[Window] = set()
    doubtful = sorted(windows)
    for looked in looks:
        inside = doubtful[bisect_left(doubtful, looked[0]) : bisect_right(doubtful, looked[-1])] if looked else []
        if inside:
            found = tuple(_chosen(looked, stored))
            if lacking := {each for each in inside if not _overlaps(each, found)}:
                left |= lacking
                doubtful = [each for each in doubtful if each not in lacking]
    return frozenset(left)


def _overlaps(window: Window, others: Sequence[Window]) -> bool:
    """Tell whether a window has an instant in common with one of `others`, disjoint and in time order."""
    place = bisect_left(others, window.end, key=_start)
    return place > 0 and others[place - 1].end > window.start


def _start(window: Window) -> datetime:
    return window.start
