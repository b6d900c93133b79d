"""What a scan reads: which windows beside those of the run, why, and how the rows of all of them are counted."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from monitoring_tasks.columns import Column, window_columns
from monitoring_tasks.config import ColumnType, Monitor
from monitoring_tasks.history import History
from monitoring_tasks.label_history import LabelHistory
from monitoring_tasks.labels_read import LabelsRead
from monitoring_tasks.late_labels import (
    Labels,
    how_far,
    late_windows,
    measure_their_baseline,
    read_labels,
    with_arrivals,
)
from monitoring_tasks.late_rows import beside, left_waiting, windows_with_late_rows
from monitoring_tasks.profile import Baseline, Profile
from monitoring_tasks.results.store import Store
from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.statement import Source
from monitoring_tasks.window import Window


@dataclass(frozen=True)
class CountedLog:
    """The inference log, and how its rows are counted."""

    source: Source
    types: Mapping[str, ColumnType]
    """All columns of the table."""
    baseline: Baseline
    columns: Sequence[Column]
    """Those that are counted, on the baseline's bins."""
    unreadable: Mapping[str, str]
    """Those that cannot be counted in any window, and why."""
    segments: Sequence[str]

    def described(self, profiles: Sequence[Profile]) -> tuple[Profile, ...]:
        """Return a window's profiles; that of all rows with what cannot be read, and with the columns' types."""
        names = (*(column.name for column in self.columns), *self.unreadable)
        types = {name: self.types[name] for name in names if name in self.types}
        broken = {**self.unreadable, **profiles[0].unreadable}
        return (replace(profiles[0], unreadable=broken, types=types), *profiles[1:])


def counted_log(
    monitor: Monitor, source: Source, types: Mapping[str, ColumnType], features: Sequence[str], baseline: Baseline
) -> CountedLog:
    """Return how the inference log, which has these columns and holds these features, is counted on a baseline."""
    columns, unreadable = window_columns(monitor, types, baseline, features)
    readable = {column.name for column in columns}
    segments = [name for name in monitor.segments if name in readable and name not in baseline.unreadable]
    return CountedLog(source, types, baseline, columns, unreadable, segments)


@dataclass(frozen=True)
class ScanPlan:
    """Which windows one scan reads, and why."""

    windows: Sequence[Window]
    """Those of the run."""
    earlier: Collection[Window]
    """Those that are looked back on and have no profile."""
    late: Collection[Window]
    """Others that were read before and are read again: their rows or labels came, or they wait on an old baseline."""
    came: Collection[Window]
    """Of these, all but those that are read for their labels only."""
    run_before: Collection[Window]
    """Of the late ones, at least, those that were run, and not only looked back on."""
    looked_back_on: Sequence[Window]
    """Those whose traffic is missing to know how many rows to expect."""
    labels: Labels | None
    """None of a monitor without labels."""
    read: LabelsRead | None
    label_history: LabelHistory

    @property
    def every(self) -> list[Window]:
        """All that are profiled, in time order."""
        return sorted({*self.windows, *self.earlier, *self.late})

    @property
    def timed(self) -> list[Window]:
        """Those whose traffic is read whole, in time order."""
        return sorted({*self.windows, *(window for window in self.late if window in self.run_before)})


def plan_scan(
    monitor: Monitor,
    windows: Sequence[Window],
    warehouse: Warehouse,
    log: CountedLog,
    store: Store,
    history: History | None,
    reread: Collection[Window],
    now: datetime,
) -> ScanPlan:
    """Find out which windows must be read beside these; see `monitoring_tasks.run.scan_windows`.

    Labels of the baseline's rows are measured and stored if there are more by `now`. `reread` are windows that an
    attempt before this one has read, before another run had stored newer labels.
    """
    source, baseline = log.source, log.baseline
    known = None if monitor.labels is None else store.labels_read(monitor.name)
    labels = read_labels(monitor, warehouse, log.types, baseline, now)
    labels, read = (None, None) if labels is None else how_far(warehouse, labels, known)
    earlier = set(history.missing(baseline.id)) if history else set()
    label_history = LabelHistory(monitor, store, baseline.id)
    found_came = {
        *windows_with_late_rows(monitor, warehouse, source, windows, baseline, store),
        *left_waiting(monitor, windows, baseline, store),
    }
    late: set[Window] = set()
    run_before: set[Window] = set()
    if labels is not None:
        earlier |= label_history.missing(windows)
        labels, found_late = late_windows(monitor, warehouse, source, labels, windows, earlier, baseline, store)
        labels = measure_their_baseline(
            monitor, warehouse, source, log.columns, log.segments, baseline, labels, windows, store, read
        )
        late = {*found_late, *reread} if labels.how is not None else set()
    came = beside(found_came, {*windows, *earlier, *late})
    late |= came
    if late:
        first, last = min(late).start, max(window.end for window in late)
        run_before = {*store.windows_run(monitor.name, first, last), *store.waiting(monitor.name)}
    if labels is not None and late:
        more = label_history.missing([*windows, *(late & run_before)]) - late - earlier
        more_read = more | {*reread, *came}.difference(found_late)
        labels = with_arrivals(labels, monitor, warehouse, source, more_read, baseline, store)
        earlier |= more
    looked_back_on = () if history is None else history.traffic.missing()
    return ScanPlan(windows, earlier, late, came, run_before, looked_back_on, labels, read, label_history)
