"""Rows that came after their window was read: which windows hold some, and who compares with those."""

from __future__ import annotations

from collections.abc import Sequence

from monitoring_tasks.checks import enabled
from monitoring_tasks.config import Monitor
from monitoring_tasks.look_back import look_back_start
from monitoring_tasks.profile import Baseline
from monitoring_tasks.results.selection import apart
from monitoring_tasks.results.store import Store
from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.statement import Source
from monitoring_tasks.warehouse.traffic import count_rows
from monitoring_tasks.window import Window


def windows_with_late_rows(
    monitor: Monitor, warehouse: Warehouse, source: Source, windows: Sequence[Window], baseline: Baseline, store: Store
) -> tuple[Window, ...]:
    """Return the windows before these that were run and of which the warehouse holds more, or fewer, rows now.

    Looked at are those of the time `operations.late_rows` before the first of the `windows`: one statement counts them.
    Windows that were rolled up since, or stand on another baseline, are left as they are.
    """
    settings, first = monitor.checks.operations, windows[0].start
    if settings is None or not settings.late_rows:
        return ()
    since = look_back_start(first, settings.late_rows, monitor.schedule.timezone)
    profiled = store.profiled_windows(monitor.name, since, first, baseline_id=baseline.id)
    ran = set(store.windows_run(monitor.name, since, first)).intersection(profiled)
    known = tuple(apart(store.traffic(monitor.name, ran), lambda each: each.window))
    now = count_rows(warehouse, source, [each.window for each in known])
    return tuple(each.window for each, rows in zip(known, now, strict=True) if each.rows != rows)


def windows_after(monitor: Monitor, late: Sequence[Window], windows: Sequence[Window], store: Store) -> list[Window]:
    """Return the windows run between those with late rows and these: they may have been compared with them."""
    ran = store.windows_run(monitor.name, min(late).start, windows[0].start)
    return [each for each in ran if each not in late]


def comparing_checks(monitor: Monitor) -> tuple[str, ...]:
    """Return the names of the checks whose results of a window may depend on the rows of windows before it."""
    return tuple(check.name for check in enabled(monitor) if check.compares or check.looks_at_traffic)
