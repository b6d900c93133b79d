"""The results of a longer period: stored windows add up, and the checks see their sum as one window."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import reduce
from zoneinfo import ZoneInfo

from monitoring_tasks.checks import CHECKS, CheckContext, Result
from monitoring_tasks.checks.wording import counted
from monitoring_tasks.config import Monitor
from monitoring_tasks.errors import DataError
from monitoring_tasks.labels_profile import LabelsProfile, WindowLabels
from monitoring_tasks.profile import added
from monitoring_tasks.results.store import Store
from monitoring_tasks.window import Window, parse_instant


def period_context(monitor: Monitor, period: Window, store: Store) -> CheckContext:
    """Return all stored windows inside a period as if they were one; nothing is read from the warehouse.

    Where the labels of a window are not known, those of the whole period are not: the others' rows would stand for it.

    Parameters
    ----------
    monitor
        The monitor file.
    period
        Its stored windows must fill it without a gap.
    store
        An open store.

    Raises
    ------
    DataError
        If windows are missing, or are on several baselines; names the first that is missing.
    """
    found = list(store.profiles(monitor.name, period.start, period.end))
    windows = [window for window, _, _ in found]
    gap = _gap(period, windows)
    if gap is not None:
        raise DataError(f"monitor {monitor.name!r}: {gap} is not stored: run it first")
    ids = {baseline_id for _, baseline_id, _ in found}
    if len(ids) != 1:
        message = f"the windows of {period} are on {len(ids)} baselines, and cannot be added up: run them again"
        raise DataError(f"monitor {monitor.name!r}: {message}")
    baseline = store.read_baseline(ids.pop())
    whole, *segments = added([profiles for _, _, profiles in found])
    return CheckContext(
        monitor=monitor,
        window=period,
        profile=whole,
        baseline=baseline,
        segments=tuple(segments),
        labels=_labels(period, [store.read_labels(monitor.name, window) for window in windows]),
        labelled_baseline=store.labelled_baseline(baseline),
    )


def period_results(context: CheckContext, checks: Collection[str]) -> dict[str, list[Result]]:
    """Return, by name, what these checks say of a period.

    Parameters
    ----------
    context
        As of `period_context`.
    checks
        Names of checks that need neither rows nor earlier windows.
    """
    return {check.name: check.run(context) for check in CHECKS if check.name in checks}


def _gap(period: Window, windows: Sequence[Window]) -> Window | None:
    """Return the first part of the period that no window fills; the windows are in time order."""
    edges = [period.start, *(edge for window in windows for edge in (window.start, window.end)), period.end]
    outside = zip(edges[::2], edges[1::2], strict=True)
    return next((Window(start, end) for start, end in outside if start < end), None)


def _labels(period: Window, labels: Sequence[WindowLabels | None]) -> WindowLabels | None:
    """Add up the labels of windows, segment by segment; None where no window was scanned with them."""
    known = [each for each in labels if each is not None and each.profiles]
    if all(each is None for each in labels):
        return None
    if len(known) < len(labels):
        reasons = [each.unreadable for each in labels if each is not None and each.unreadable is not None]
        why = f"the labels of {len(labels) - len(known)} of {counted(len(labels), 'window')} are not known"
        return WindowLabels((), final=False, unreadable=": ".join([why, *reasons[:1]]))
    by_segment: dict[str, list[LabelsProfile]] = {}
    for each in known:
        for profile in each.profiles:
            by_segment.setdefault(profile.segment, []).append(profile)
    sums = (reduce(lambda a, b: a.with_rows_of(b, period), its[1:], its[0]) for its in by_segment.values())
    return WindowLabels(
        profiles=tuple(replace(each, window=period) for each in sums),
        final=all(each.final for each in known),
        arrived=sum(each.arrived for each in known),
        unknown=sum(each.unknown for each in known),
    )


def months(start: datetime, end: datetime, timezone: str) -> Iterator[Window]:
    """Yield the calendar months of a zone that lie in ``[start, end)``, the first and the last as far as they do.

    Examples
    --------
    >>> start, end = (parse_instant(day, "UTC") for day in ("2013-04-01", "2013-05-10"))
    >>> [str(month) for month in months(start, end, "UTC")]
    ['2013-04-01T00:00Z/2013-05-01T00:00Z', '2013-05-01T00:00Z/2013-05-10T00:00Z']
    """
    while start < end:
        local = start.astimezone(ZoneInfo(timezone))
        year, month = (local.year + 1, 1) if local.month == 12 else (local.year, local.month + 1)
        until = min(parse_instant(f"{year:04}-{month:02}-01", timezone), end)
        yield Window(start, until)
        start = until
