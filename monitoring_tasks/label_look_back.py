"""Which earlier windows' labels a window's change detectors and the backtest of its estimates look at. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from monitoring_tasks.checks.estimate_coverage import LOOK_BACK
from monitoring_tasks.config import Monitor
from monitoring_tasks.window import Window


def looked_back_on(monitor: Monitor, window: Window) -> tuple[Window, ...]:
    """Return the windows of the schedule before this one whose labels its checks look at, in time order.

    They are as many as `checks.concept_drift.look_back` says, or as the estimates are held against if that is more.
    Nothing before the baseline's period is looked at; with a
    baseline that is a table, nothing before the monitor's `start`.
    """
    count = _count(monitor)
    if not count:
        return ()
    floor, length = _floor(monitor), window.length * (count + 1)
    while True:
        start = max(floor, _moved(window.start, -length, floor))
        found = monitor.schedule.windows(start, window.start) if start < window.start else ()
        if len(found) >= count or start <= floor:
            return found[-count:]
        length *= 2


def all_looked_back_on(monitor: Monitor, windows: Sequence[Window]) -> set[Window]:
    """Return what any of these windows looks back on, without these windows themselves."""
    mine = set(windows)
    ends = {window.end for window in windows}
    # What a window looks back on, the one before it does, but for itself.
    found = {each for window in windows if window.start not in ends for each in looked_back_on(monitor, window)}
    return {each for each in found - mine if not any(each.overlaps(window) for window in windows)}


def looking_back_on(monitor: Monitor, window: Window) -> tuple[Window, ...]:
    """Return the windows of the schedule that look back on this one, in time order."""
    count = _count(monitor)
    if not count or window.start < _floor(monitor):
        return ()
    last, length = datetime.max.replace(tzinfo=UTC), window.length * (count + 1)
    while True:
        end = _moved(window.end, length, last)
        if end >= last:  # nobody has windows there
            return ()
        found = monitor.schedule.windows(window.end, end)
        if len(found) >= count:
            return found[:count]
        length *= 2


def _count(monitor: Monitor) -> int:
    """Return how many windows are looked back on; each check takes the latest of them that it needs."""
    settings = monitor.checks.concept_drift
    detectors = 0 if settings is None else settings.look_back
    return detectors if monitor.checks.estimated_performance is None else max(detectors, LOOK_BACK - 1)


def _floor(monitor: Monitor) -> datetime:
    period = monitor.baseline.period
    return monitor.start if period is None else period.start


def _moved(instant: datetime, length: timedelta, otherwise: datetime) -> datetime:
    try:
        return instant + length
    except OverflowError:
        return otherwise
