"""Labels that come later than their inferences: what a run reads of them, and which windows it reads again."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from monitoring_tasks.checks import enabled
from monitoring_tasks.columns import Column
from monitoring_tasks.config import ColumnType, Monitor
from monitoring_tasks.errors import DataError
from monitoring_tasks.label_maturity import baseline_labels_until, complete_at
from monitoring_tasks.labels import labelled, measure_labelled_baseline, measured_in
from monitoring_tasks.labels_profile import LabelsProfile, WindowLabels
from monitoring_tasks.labels_read import LabelsRead, Place
from monitoring_tasks.profile import Baseline, Profile
from monitoring_tasks.results.store import Store
from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.labels import (
    MINUTE,
    Arrivals,
    Labelled,
    LabelSource,
    Mistimed,
    arrivals,
    arrived,
    has_mistimed,
    label_count,
    mistimed,
    watermark,
)
from monitoring_tasks.warehouse.statement import Source
from monitoring_tasks.window import Window

Counted = tuple[tuple[Profile, ...], tuple[LabelsProfile, ...]]
"""What a scan yields of one window."""


def windows_holding(minutes: Iterable[datetime], windows: Sequence[Window]) -> tuple[Window, ...]:
    """Return those of the disjoint windows, in time order, that hold one of the minutes.

    Examples
    --------
    >>> days = [Window.parse("2013-04-01", "2013-04-02"), Window.parse("2013-04-03", "2013-04-04")]
    >>> [str(each) for each in windows_holding([days[1].start, days[0].end], days)]
    ['2013-04-03T00:00Z/2013-04-04T00:00Z']
    """
    starts = [window.start for window in windows]
    found = set()
    for minute in minutes:
        place = bisect_right(starts, minute) - 1
        if place >= 0 and minute < windows[place].end:
            found.add(place)
    return tuple(windows[place] for place in sorted(found))


@dataclass(frozen=True)
class Labels:
    """The labels as the warehouse holds them now."""

    how: Labelled | None
    """None where they cannot be read."""
    now: datetime
    """The present: no label arrives later."""
    watermark: datetime | None = None
    """When the latest of all arrived."""
    unreadable: str | None = None
    """Why they cannot be read."""
    has_mistimed: bool = False
    """Whether some have a time that cannot be that of their arrival."""
    arrived: Mapping[Window, Arrivals] = field(default_factory=dict)
    """What arrived in the time of each window that is read."""
    mistimed: Mapping[Window, Mistimed] = field(default_factory=dict)
    """The labels of each window's inferences that have such a time."""

    def of(self, monitor: Monitor, window: Window, counted: tuple[LabelsProfile, ...]) -> WindowLabels:
        """Return what is stored of a window's labels."""
        if self.unreadable is not None:
            return WindowLabels((), final=False, unreadable=self.unreadable)
        came, wrong = self.arrived.get(window, Arrivals()), self.mistimed.get(window, Mistimed())
        return WindowLabels(
            counted,
            self.are_complete(monitor, window),
            arrived=came.rows,
            unknown=came.unknown,
            latest=came.latest,
            untimed=wrong.untimed,
            future=wrong.future,
        )

    def came_for(self, period: Window, windows: Sequence[Window]) -> bool:
        """Tell whether labels of inferences in the period arrived in one of the windows."""
        came = (self.arrived.get(window, Arrivals()) for window in windows)
        return any(period.start <= minute < period.end for each in came for minute in each.minutes)

    def are_complete(self, monitor: Monitor, window: Window) -> bool:
        """Tell whether a label arrived after the window's had to be complete: by then the warehouse held them all."""
        return self.watermark is not None and self.watermark >= complete_at(monitor, window)

    def unread(self, error: DataError) -> Labels:
        """Return the labels after one of their statements has failed: none of them can be read."""
        return Labels(None, self.now, unreadable=f"the labels cannot be read: {error}")


def read_labels(
    monitor: Monitor, warehouse: Warehouse, types: Mapping[str, ColumnType], baseline: Baseline, now: datetime
) -> Labels | None:
    """Return the labels of a monitor that has some; one reason for all where they cannot be read.

    They are read whichever checks are on: how many of a window's labels are known stands in its record as well. `now`
    is the present.
    """
    if monitor.labels is None or baseline.outcomes is None:
        return None
    try:
        how = labelled(monitor, warehouse, types, baseline)
        latest = watermark(warehouse, how.source, _just_after(now), monitor.timezone)
        wrong = has_mistimed(warehouse, how.source, _just_after(now), monitor.timezone)
        return Labels(how, now, latest, has_mistimed=wrong)
    except DataError as error:
        return Labels(None, now, unreadable=str(error))


def _just_after(now: datetime) -> datetime:
    """Return the first instant that is still to come: what arrives at this very moment has arrived."""
    return now + timedelta(microseconds=1)


def how_far(warehouse: Warehouse, labels: Labels, known: Place | None) -> tuple[Labels, LabelsRead]:
    """Return the labels, and how far they have come before they are read; `known` was stored of that before."""
    if labels.how is None or labels.watermark is None:
        return labels, LabelsRead()
    try:
        count = label_count(warehouse, labels.how.source)
    except DataError as error:
        return labels.unread(error), LabelsRead()
    return labels, LabelsRead(Place(labels.watermark, count), known)


def measure_their_baseline(
    monitor: Monitor,
    warehouse: Warehouse,
    source: Source,
    columns: Sequence[Column],
    segments: Sequence[str],
    baseline: Baseline,
    labels: Labels,
    windows: Sequence[Window],
    store: Store,
    read: LabelsRead | None = None,
) -> Labels:
    """Measure the labels of the baseline's rows and store them, if they are complete; return the labels.

    Those count that arrived by a time which follows from the latest of all labels, see `baseline_labels_until`. So they
    are measured when that moves on, and not for every late one. They are measured again when labels of before that time
    arrived in these windows, loaded in another order than that of their times; and when the schedule has other windows
    now, or the labels another timestamp. If they cannot be read, none of the labels can: no window could be held
    against them. `read` says how far the labels have come.
    """
    period, table = monitor.baseline.period, monitor.baseline.table
    if labels.how is None:
        return labels
    until = baseline_labels_until(monitor, labels.watermark)
    counted = [window for window in windows if until is not None and window.start < until]
    more_came = period is not None and labels.came_for(period.window, counted)
    stored, same = store.labelled_baseline(baseline), store.labelled_until(baseline.id) == until
    if not more_came and same and stored is not None and stored.measured_in == measured_in(monitor):
        return labels
    try:
        how = replace(labels.how, source=replace(labels.how.source, until=until))
        if table is not None:
            its_types = warehouse.columns(table)
            if monitor.labels is None or monitor.labels.value not in its_types:
                return labels
            how = labelled(monitor, warehouse, its_types, baseline, table)
            columns = [replace(column, type=its_types[column.name]) for column in columns if column.name in its_types]
            segments = [name for name in segments if name in its_types]
        elif until is None:
            return labels
        measured = measure_labelled_baseline(monitor, warehouse, source, columns, segments, baseline, how)
    except DataError as error:
        return labels.unread(error)
    store.write_labelled_baseline(
        monitor.name, baseline.id, measured, checks_of_labels(monitor), until=until, read=read
    )
    return labels


def scanned(
    scan: Callable[[Sequence[Window], Labelled | None], Iterator[Counted]],
    windows: Sequence[Window],
    monitor: Monitor,
    labels: Labels | None,
) -> Iterator[tuple[tuple[Profile, ...], WindowLabels | None]]:
    """Yield each window's profiles and what is stored of its labels; labels that fail the scan cost no profile.

    Parameters
    ----------
    scan
        Reads windows, with their labels or without.
    windows
        Disjoint, in time order.
    monitor, labels
        Whose labels they are; None of a monitor without.

    Raises
    ------
    DataError
        If the windows cannot be read without their labels either.
    """
    done = 0
    if labels is not None and labels.how is not None:
        try:
            for profiles, counted in scan(windows, labels.how):
                yield profiles, labels.of(monitor, windows[done], counted)
                done += 1
        except DataError as error:
            left = windows[done:]
            if len(left) > 1:  # a label that cannot be read costs its own window, whatever is read beside it
                half = len(left) // 2
                yield from scanned(scan, left[:half], monitor, labels)
                yield from scanned(scan, left[half:], monitor, labels)
                return
            labels = labels.unread(error)
    if done < len(windows):
        for window, (profiles, counted) in zip(windows[done:], scan(windows[done:], None), strict=True):
            yield profiles, None if labels is None else labels.of(monitor, window, counted)


def checks_of_labels(monitor: Monitor) -> tuple[str, ...]:
    """Return the names of the enabled checks that read labels."""
    return tuple(check.name for check in enabled(monitor) if check.reads_labels)


def late_windows(
    monitor: Monitor,
    warehouse: Warehouse,
    source: Source,
    labels: Labels,
    windows: Sequence[Window],
    earlier: Collection[Window],
    baseline: Baseline,
    store: Store,
) -> tuple[Labels, tuple[Window, ...]]:
    """Return the stored windows, others than these, that must be read again; and the labels with what arrived in all.

    They are those whose labels arrived in the `windows`, by the labels' timestamp, those whose labels were not complete
    when they were read last and are now, and those that wait on another baseline than this one. One that shares rows
    with the `windows`, or with the `earlier` ones that are read for them, is not among them: it is of another schedule,
    or was rolled up.
    """
    if labels.how is None:
        return labels, ()
    read = sorted({*windows, *earlier})
    try:
        came = arrivals(warehouse, source, labels.how.source, windows)
    except DataError as error:
        return labels.unread(error), ()
    minutes = {minute for each in came.values() for minute in each.minutes}
    provisional = store.provisional(monitor.name, labels.watermark)
    candidates = {window for window in provisional if labels.are_complete(monitor, window)}
    candidates |= {*store.waiting(monitor.name)}.difference(store.waiting(monitor.name, baseline.id))
    # The store is asked for what lies between the first and the last of them: it holds years.
    first = min([*minutes, *(window.start for window in candidates)], default=None)
    last = max([*(minute + MINUTE for minute in minutes), *(window.end for window in candidates)], default=None)
    between = () if first is None else store.labelled_windows(monitor.name, first, last)
    stored = [window for window in between if not _overlaps(window, read)]
    late = tuple(sorted({*windows_holding(minutes, stored), *candidates.intersection(stored)}))
    labels = replace(labels, arrived=came)
    return with_arrivals(labels, monitor, warehouse, source, {*read, *late}, baseline, store), late


def with_arrivals(
    labels: Labels,
    monitor: Monitor,
    warehouse: Warehouse,
    source: Source,
    windows: Collection[Window],
    baseline: Baseline,
    store: Store,
) -> Labels:
    """Return the labels with what arrived in these windows too, and with the mistimed ones of their inferences.

    Of a window in which as many arrived as when it was read last, all of known keys, nobody joins them to the whole log
    again.
    """
    if labels.how is None or not windows:
        return labels
    its, every = labels.how.source, sorted(windows)
    more = [window for window in every if window not in labels.arrived]
    try:
        came = arrived(warehouse, source, its, more)
        before = store.labels_arrived(monitor.name, more, baseline.id)
        same = {window for window, each in came.items() if before.get(window) == (each.rows, 0)}
        came = {window: each for window, each in came.items() if window in same}
        came |= arrivals(warehouse, source, its, [window for window in more if window not in same])
        known = {**labels.arrived, **came}
        known |= _latest_before(monitor, warehouse, its, every, known)
        wrong = dict(labels.mistimed)
        if labels.has_mistimed:
            wrong |= mistimed(warehouse, source, its, every, _just_after(labels.now))
    except DataError as error:
        return labels.unread(error)
    return replace(labels, arrived=known, mistimed=wrong)


def _latest_before(
    monitor: Monitor,
    warehouse: Warehouse,
    source: LabelSource,
    windows: Sequence[Window],
    arrived: Mapping[Window, Arrivals],
) -> dict[Window, Arrivals]:
    """Return, of the windows in which nothing arrived, when the last label before did."""
    found: dict[Window, Arrivals] = {}
    end, latest = None, None
    for window in windows:
        its = arrived.get(window, Arrivals())
        if its.latest is None:
            if window.start != end:
                latest = watermark(warehouse, source, window.end, monitor.timezone, valued=True)
            found[window] = replace(its, latest=latest)
        end, latest = window.end, its.latest or latest
    return found


def _overlaps(window: Window, others: Sequence[Window]) -> bool:
    """Tell whether one of the disjoint windows, in time order, has an instant in common with this one."""
    place = bisect_left(others, window.end, key=lambda other: other.start)
    return place > 0 and others[place - 1].end > window.start
