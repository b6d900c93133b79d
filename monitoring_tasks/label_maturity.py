"""When labels are complete. Pure: by the times of windows and labels, never by the clock."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from monitoring_tasks.window import Window

if TYPE_CHECKING:
    from monitoring_tasks.config import Monitor


def complete_at(monitor: Monitor, window: Window) -> datetime:
    """Return when a window's labels are complete, and those of the baseline that they are held against.

    Parameters
    ----------
    monitor
        With `labels`.
    window
        One of its windows.
    """
    if monitor.labels is None:
        raise ValueError(f"monitor {monitor.name!r} has no labels")
    period = monitor.baseline.period
    end = window.end if period is None else max(window.end, period.end)
    try:
        return end + monitor.labels.complete_after
    except OverflowError:
        return datetime.max.replace(tzinfo=end.tzinfo)


def baseline_labels_until(monitor: Monitor, latest: datetime | None) -> datetime | None:
    """Return by when labels of the baseline's rows must have arrived to be counted.

    First it is when they are complete. From then on it moves by the length of the period, or by `complete_after` if
    that is longer. So late ones are counted in the end, without every window being compared anew for each of them; and
    what is counted depends on the labels alone, and not on the runs that were made.

    Parameters
    ----------
    monitor
        With `labels`.
    latest
        When the latest label of all arrived, of whatever row; None without one.

    Returns
    -------
    datetime or None
        At most `latest`. None before they are complete, and of a baseline that is a table without times.
    """
    period = monitor.baseline.period
    if period is None or monitor.labels is None or latest is None:
        return None
    first, step = complete_at(monitor, period.window), max(period.window.length, monitor.labels.complete_after)
    return first + (latest - first) // step * step if latest >= first else None
