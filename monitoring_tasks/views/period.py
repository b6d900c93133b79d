"""The results of a longer period: stored windows add up, and the checks see their sum as one window."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import reduce
from zoneinfo import ZoneInfo

from monitoring_tasks.checks import CHECKS, CheckContext, Result
from monitoring_tasks.config import Monitor
from monitoring_tasks.errors import DataError
from monitoring_tasks.labels_profile import LabelsProfile, WindowLabels
from monitoring_tasks.profile import added
from monitoring_tasks.results.store import Store
from monitoring_tasks.window import Window, parse_instant


def period_results(monitor: Monitor, period: Window, checks: Collection[str], store: Store) -> dict[str, list[Result]]:
    """Return, by check, what these say of all stored windows inside a period together; nothing is read or written anew.

    Parameters
    ----------
    monitor
        The monitor file.
    period
        Its stored windows must fill it without a gap.
    checks
        Names of checks that need neither rows nor earlier windows.
    store
        An open store.

    Raises
    ------
    DataError
        If windows are missing, or are on several baselines.
    """
    found = list(store.profiles(monitor.name, period.start, period.end))
    windows = [window for window, _, _ in found]
    ids = {baseline_id for _, baseline_id, _ in found}
    if not windows or windows[0].start != period.start or windows[-1].end != period.end or len(ids) != 1:
        raise DataError(f"monitor {monitor.name!r}: {period} is not filled by stored windows of one baseline")
    baseline = store.read_baseline(ids.pop())
    whole, *segments = added([profiles for _, _, profiles in found])
    labels = [store.read_labels(monitor.name, window) for window in windows]
    context = CheckContext(
        monitor=monitor,
        window=period,
        profile=whole,
        baseline=baseline,
        segments=tuple(segments),
        labels=_added(period, [each for each in labels if each is not None]),
        labelled_baseline=store.labelled_baseline(baseline),
    )
    return {check.name: check.run(context) for check in CHECKS if check.name in checks}


def _added(period: Window, labels: Sequence[WindowLabels]) -> WindowLabels | None:
    """Add up the labels of windows, segment by segment."""
    by_segment: dict[str, list[LabelsProfile]] = {}
    for each in labels:
        for profile in each.profiles:
            by_segment.setdefault(profile.segment, []).append(profile)
    if "" not in by_segment:
        return None
    sums = (reduce(lambda a, b: a.with_rows_of(b, period), its[1:], its[0]) for its in by_segment.values())
    return WindowLabels(
        profiles=tuple(replace(each, window=period) for each in sums),
        final=all(each.final for each in labels),
        arrived=sum(each.arrived for each in labels),
        unknown=sum(each.unknown for each in labels),
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
