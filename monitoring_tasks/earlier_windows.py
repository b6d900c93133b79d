"""Windows of a monitor's schedule before another one, by their number and not by a length of time. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cached_property

from monitoring_tasks.config.models import Monitor
from monitoring_tasks.look_back import look_back_start
from monitoring_tasks.window import Window

WEEK = timedelta(weeks=1)

MANY = 100
"""Of more windows the schedule is worked out once for all of them: eight weeks of ten minutes take 0.2 s."""


class EarlierWindows:
    """The windows that some windows of a monitor look back on whose number counts.

    Which those are depends on a window alone and not on the others that it is run with, though months and the days on
    which clocks change differ in length. Nothing before the baseline's period is looked at; with a baseline that is a
    table, nothing before the monitor's `start`.

    Parameters
    ----------
    monitor
        Whose schedule it is.
    windows
        Those that will be asked for, in time order.
    number
        How many windows each looks back on at most.
    """

    def __init__(self, monitor: Monitor, windows: Sequence[Window], number: int) -> None:
        period = monitor.baseline.period
        self._schedule, self._windows, self._number = monitor.schedule, tuple(windows), number
        self._floor = monitor.start if period is None else period.start

    def right_before(self, window: Window) -> tuple[Window, ...]:
        """Return the windows right before this one, in time order."""
        # Twice the time holds as many windows as long as none is more than twice as long as this one.
        start = max(self._floor, _back(window.start, 2 * self._number * window.length))
        return self._between(start, window.start)[-self._number :] if self._number else ()

    def weeks_before(self, window: Window) -> tuple[Window, ...]:
        """Return those that began as many weeks before, by the wall clock of the monitor's zone, in time order."""
        found = []
        for weeks in range(self._number, 0, -1):
            start = look_back_start(window.start, weeks * WEEK, self._schedule.timezone)
            first = self._first_since(start, window.start) if start >= self._floor else None
            if first is not None and first.start == start:
                found.append(first)
        return tuple(found)

    def _between(self, start: datetime, end: datetime) -> tuple[Window, ...]:
        if len(self._windows) <= MANY:
            return self._schedule.windows(start, end) if start < end else ()
        first = bisect_left(self._all, start, key=lambda each: each.start)
        return self._all[first : max(first, bisect_right(self._all, end, key=lambda each: each.end))]

    def _first_since(self, start: datetime, end: datetime) -> Window | None:
        if len(self._windows) <= MANY:
            return next(self._schedule.each_window(start, end), None)
        place = bisect_left(self._all, start, key=lambda each: each.start)
        return self._all[place] if place < len(self._all) and self._all[place].end <= end else None

    @cached_property
    def _all(self) -> tuple[Window, ...]:
        first, last = self._windows[0].start, self._windows[-1].start
        longest = max(window.length for window in self._windows)
        since = min(_back(first, 2 * self._number * longest), _back(first, self._number * WEEK + timedelta(days=1)))
        since = max(since, self._floor)
        return self._schedule.windows(since, last) if since < last else ()


def _back(end: datetime, length: timedelta) -> datetime:
    """Return an instant so long before, by the time that goes by; the first of all where the calendar has none."""
    return look_back_start(end, length + timedelta(seconds=1), "UTC") + timedelta(seconds=1)
