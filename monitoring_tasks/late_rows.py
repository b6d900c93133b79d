"""Rows that came after their window was read: which windows hold some, and who compares with those."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence

from monitoring_tasks.checks import enabled
from monitoring_tasks.config import Monitor
from monitoring_tasks.errors import about
from monitoring_tasks.history import History, looks_back
from monitoring_tasks.look_back import look_back_start
from monitoring_tasks.profile import Baseline
from monitoring_tasks.results.store import Store
from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.statement import Source
from monitoring_tasks.warehouse.traffic import count_rows
from monitoring_tasks.window import Window


def windows_with_late_rows(
    monitor: Monitor, warehouse: Warehouse, source: Source, windows: Sequence[Window], baseline: Baseline, store: Store
) -> tuple[Window, ...]:
    """Return the windows before these that were read and of which the warehouse holds more, or fewer, rows now.

    Looked at are those that ended in the time `operations.late_rows` before the first of the `windows`, so that a
    longer window is looked at by the next run: one statement counts them. Windows that were rolled up since, or stand
    on another baseline, are left as they are.
    """
    settings, first = monitor.checks.operations, windows[0].start
    if settings is None or not settings.late_rows:
        return ()
    since = look_back_start(first, settings.late_rows, monitor.schedule.timezone)
    earliest = min(since, look_back_start(first, 2 * windows[0].length, "UTC"))  # or the window right before
    found = store.profiled_windows(monitor.name, earliest, first, baseline_id=baseline.id)
    profiled = [window for window in found if window.end > since]
    ran = {*store.windows_run(monitor.name, earliest, first), *store.waiting(monitor.name)}
    mine = set(ran)
    if not mine.issuperset(profiled):  # some were only looked back on, or are sums that a rollup has made
        mine.update(monitor.schedule.windows(profiled[0].start, first))
    known = [window for window in profiled if window in mine]
    with about(f"table {source.table!r}"):
        counts = count_rows(warehouse, source, known)
    now = dict(zip(known, counts, strict=True))
    return tuple(sorted(read_otherwise(monitor, now, baseline, store, timed=ran.intersection(known))))


def read_otherwise(
    monitor: Monitor, now: Mapping[Window, int], baseline: Baseline, store: Store, *, timed: Collection[Window]
) -> set[Window]:
    """Return those of the windows that held another number of rows when they were read.

    Parameters
    ----------
    monitor, baseline, store
        Whose windows they are, the baseline of their profiles, and an open store.
    now
        How many rows each holds now.
    timed
        Those of which not only the profile tells, but their traffic as well: it may have been read at another time.
    """
    if not now:
        return set()
    first, last = min(now).start, max(window.end for window in now)
    profiled = store.rows_read(monitor.name, first, last, baseline.id)
    traffic = {each.window: each.rows for each in store.traffic(monitor.name, timed)}
    return {window for window, rows in now.items() if {profiled.get(window, rows), traffic.get(window, rows)} != {rows}}


def left_waiting(monitor: Monitor, windows: Sequence[Window], baseline: Baseline, store: Store) -> set[Window]:
    """Return the others that wait on a baseline of before the file was edited: a run that was killed has left them.

    Those of a monitor with labels are read again for their labels, see `monitoring_tasks.late_labels.late_windows`.
    """
    if monitor.labels is not None:
        return set()
    waiting = {*store.waiting(monitor.name)}.difference(windows)
    return waiting.difference(store.waiting(monitor.name, baseline.id)) if waiting else set()


def beside(windows: Collection[Window], others: Collection[Window]) -> set[Window]:
    """Return the windows that are among the others, or share no instant with any of them.

    One that does share some is of another schedule: rows would be read into two windows at once.
    """
    ordered = sorted(others)
    found = set()
    for window in windows:
        place = bisect_left(ordered, window.end, key=lambda other: other.start)
        if window in others or place == 0 or ordered[place - 1].end <= window.start:
            found.add(window)
    return found


def compare_anew(
    monitor: Monitor, late: Collection[Window], windows: Sequence[Window], baseline: Baseline, store: Store
) -> None:
    """Have the windows run again that were compared with one whose rows came late; the `windows` run anyway.

    Those that stand on another baseline were not, and what was rolled up has no profile to run on: what they say stays.
    """
    first = min(late).start
    ran = set(store.windows_run(monitor.name, first)).difference(late, windows)
    ran.intersection_update(
        store.profiled_windows(monitor.name, first, None, overlapping=True, baseline_id=baseline.id)
    )
    if not ran or not looks_back(monitor):
        return
    candidates = sorted(ran)
    history, others = History(monitor, candidates, store), sorted(late)
    comparing = [each for each in candidates if history.looks_at_any(each, others)]
    store.run_again(monitor.name, comparing, comparing_checks(monitor))


def comparing_checks(monitor: Monitor) -> tuple[str, ...]:
    """Return the names of the checks whose results of a window may depend on the rows of windows before it."""
    return tuple(check.name for check in enabled(monitor) if check.compares or check.looks_at_traffic)
