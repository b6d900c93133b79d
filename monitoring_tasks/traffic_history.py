"""Earlier windows whose traffic says what to expect of a window: which they are, and what the results store holds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import cached_property

from monitoring_tasks.config import Monitor
from monitoring_tasks.earlier_windows import EarlierWindows
from monitoring_tasks.results.retention import tiles
from monitoring_tasks.results.store import Store
from monitoring_tasks.traffic import Traffic, added
from monitoring_tasks.window import Window

WINDOWS = 8
"""So many earlier windows at the same time of the week: eight weeks back."""

LONGEST_DAY = timedelta(hours=25)
"""One on which clocks are put back."""


def stored_traffic(monitor: str, windows: Sequence[Window], store: Store) -> dict[Window, Traffic]:
    """Return what is stored of the traffic of these windows; of one that was not read, the sum of shorter ones."""
    found = {each.window: each for each in store.traffic(monitor, windows)}
    for window in windows:
        if window not in found:
            parts = {each.window: each for each in store.traffic_inside(monitor, window)}
            if fill := tiles(list(parts), window):
                found[window] = added([parts[each] for each in fill], window)
    return found


class TrafficHistory:
    """What the windows of one run look back on to know how many rows to expect.

    Windows of up to a day are like those that begin at the same time of the week, by the wall clock of the monitor's
    zone; longer ones like those right before, unless one of these is not half as long, or more than twice: where a
    schedule ticks from Monday to Friday, the weekend is like weekends. Nothing before the baseline's period is looked
    at, or before the monitor's start where the baseline is a table, and no confirmed incident.

    Parameters
    ----------
    monitor
        Whose schedule it is.
    windows
        Those of the run, in time order.
    store
        An open store.
    """

    def __init__(self, monitor: Monitor, windows: Sequence[Window], store: Store) -> None:
        self._monitor, self._windows, self._store = monitor, tuple(windows), store
        self._known: dict[Window, Traffic] = {}

    @property
    def asked(self) -> bool:
        """Whether the monitor file leaves a check on that looks at it."""
        return self._monitor.checks.operations is not None

    @cached_property
    def _earlier(self) -> EarlierWindows:
        return EarlierWindows(self._monitor, self._windows, WINDOWS)

    def _before(self, window: Window) -> tuple[Window, ...]:
        if window.length > LONGEST_DAY:
            before = self._earlier.right_before(window)
            if all(window.length <= 2 * each.length and each.length <= 2 * window.length for each in before):
                return before
        return self._earlier.weeks_before(window)

    def looked_at(self, windows: Sequence[Window]) -> frozenset[Window]:
        """Return the windows that these should be like."""
        return frozenset(each for window in windows for each in self._before(window))

    def missing(self) -> tuple[Window, ...]:
        """Return the windows, in time order, whose traffic must be read so that those of the run can be compared."""
        if not self.asked:
            return ()
        needed = self.looked_at(self._windows).difference(self._windows)
        known = {each.window for each in self._store.traffic(self._monitor.name, needed)}
        return tuple(sorted(needed.difference(known)))

    def before(self, window: Window) -> tuple[Traffic, ...]:
        """Return the traffic of the windows that this one should be like, in time order, without incidents."""
        looked = self._before(window)
        unknown = [each for each in looked if each not in self._known]
        self._known.update(stored_traffic(self._monitor.name, unknown, self._store))
        found = [self._known[each] for each in looked if each in self._known]
        return tuple(each for each in found if not any(map(each.window.overlaps, self._incidents)))

    @cached_property
    def _incidents(self) -> tuple[Window, ...]:
        first, last = self._windows[0], self._windows[-1]
        since = min([each.start for each in self._before(first)], default=first.start)
        return self._store.incidents(self._monitor.name, since, last.start)
