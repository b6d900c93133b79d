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
