"""The labels of a monitor: where they are, how outcomes are counted, and which windows they have come for."""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256

from monitoring_tasks.checks import enabled
from monitoring_tasks.class_spelling import class_text, plain_number
from monitoring_tasks.columns import Column
from monitoring_tasks.config import ColumnType, Monitor
from monitoring_tasks.config.roles import NUMBERS, arrival_misfit
from monitoring_tasks.errors import DataError, about
from monitoring_tasks.label_maturity import baseline_labels_until, complete_at
from monitoring_tasks.labelled_baseline import LabelledBaseline
from monitoring_tasks.labels_profile import LabelsProfile, WindowLabels
from monitoring_tasks.labels_read import LabelsRead, Place
from monitoring_tasks.outcome_bins import CLASSES, OTHER_CLASS, SCORE_BINS, OutcomeBins, residual_edges, shared_edges
from monitoring_tasks.profile import Baseline, Bins, Kind, Profile
from monitoring_tasks.results.store import Store
from monitoring_tasks.warehouse.bins import measure_score_edges
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
    values_of_no_class,
    watermark,
)
from monitoring_tasks.warehouse.scan import scan_with_labels
from monitoring_tasks.warehouse.statement import Source
from monitoring_tasks.window import ALL_TIME, Window

Counted = tuple[tuple[Profile, ...], tuple[LabelsProfile, ...]]
"""What a scan yields of one window."""


def measure_outcome_bins(
    monitor: Monitor,
    warehouse: Warehouse,
    source: Source,
    columns: Sequence[Column],
    bins: Mapping[str, Bins],
    period: Window | None,
) -> OutcomeBins | None:
    """Decide how outcomes are counted, from the baseline's rows; None of a monitor without labels.

    Parameters
    ----------
    monitor
        The monitor file.
    warehouse, source, columns, bins, period
        The baseline's table, its readable columns, their bins, and the rows of it that count.
    """
    log = monitor.inference_log
    if monitor.labels is None or monitor.task is None:
        return None
    if monitor.task == "regression":
        its = bins.get(log.prediction or "")
        exponent = 20 if its is None else its.exponent
        return OutcomeBins(
            "regression",
            edges=residual_edges(exponent),
            has_prediction=log.prediction is not None,
            exponent=exponent,
        )
    scores = score_columns(monitor, {column.name: column.type for column in columns})
    edges = measure_score_edges(warehouse, source, scores, period)
    has_prediction = log.prediction is not None
    if monitor.task == "binary_classification":
        positive = class_text(log.positive_class)
        its_edges = next(iter(edges.values()), ()) or (_EVEN if isinstance(log.score, str) else ())
        return OutcomeBins("binary_classification", (f"not {positive}", positive), its_edges, has_prediction)
    if isinstance(log.score, Mapping):
        classes = [class_text(name) for name in log.score]
    else:
        known = bins.get(log.prediction or "")
        types = {column.name: column.type for column in columns}
        is_number = types.get(log.prediction or "") in NUMBERS
        names = () if known is None else known.categories
        # The text of 1 is 1.0 where it is a double: not on every engine, so it names no class.
        classes = [plain_number(name) if is_number else name for name in names]
    score_edges: tuple[float, ...] = ()
    if isinstance(log.score, Mapping):
        score_edges = shared_edges([its for its in edges.values() if its]) or _EVEN
    return OutcomeBins(
        "multiclass_classification",
        (*dict.fromkeys(classes[:CLASSES]), OTHER_CLASS),
        has_prediction=has_prediction,
        score_edges=score_edges,
    )


VALUES_SHOWN = 5
"""So many values of labels are named where none is a class."""

_EVEN = tuple(i / SCORE_BINS for i in range(SCORE_BINS + 1))
"""For scores that the baseline does not hold."""


def score_columns(monitor: Monitor, types: Mapping[str, ColumnType]) -> tuple[Column, ...]:
    """Return the score's column, or those of all classes; none if one of them is missing or no number."""
    score = monitor.inference_log.score
    names = [score] if isinstance(score, str) else list((score or {}).values())
    if any(types.get(name) not in NUMBERS for name in names):
        return ()
    return tuple(Column(name, "numeric", types[name], ("score",)) for name in names)


def labelled(
    monitor: Monitor,
    warehouse: Warehouse,
    types: Mapping[str, ColumnType],
    baseline: Baseline,
    table: str | None = None,
) -> Labelled:
    """Return how a scan splits its counts by label.

    Parameters
    ----------
    monitor
        With `labels`.
    warehouse
        An open warehouse.
    types
        The columns of the inference log, or of the baseline's `table`.
    baseline
        With `outcomes`.
    table
        A table that holds labels beside its features, without a time.

    Raises
    ------
    DataError
        If the labels' table or one of its columns is missing, or of the wrong type.
    """
    log, outcomes = monitor.inference_log, baseline.outcomes
    assert outcomes is not None
    prediction = None
    if log.prediction is not None and log.prediction in types:
        regression = outcomes.task == "regression"
        kind: Kind = "numeric" if regression else "categorical"
        if not regression or types[log.prediction] in NUMBERS:
            prediction = Column(log.prediction, kind, types[log.prediction], ("prediction",))
    scores = score_columns(monitor, types)
    if outcomes.task == "multiclass_classification" and len(scores) != len(outcomes.classes) - 1:
        scores = ()
    return Labelled(label_source(monitor, warehouse, types, table), outcomes, prediction, scores)


def label_source(
    monitor: Monitor, warehouse: Warehouse, types: Mapping[str, ColumnType], table: str | None = None
) -> LabelSource:
    """Return where the labels are; parameters and errors as in `labelled`."""
    labels, log = monitor.labels, monitor.inference_log
    assert labels is not None
    name = f"monitor {monitor.name!r}: "
    if table is not None:
        if labels.value not in types:
            raise DataError(f"{name}table {table!r} of `baseline` has no column {labels.value!r} (labels.value)")
        return LabelSource(table, log.key, labels.value, types[labels.value], "", "timestamp", log.key, inline=True)
    its = types if labels.table == log.table else warehouse.columns(labels.table)
    for key, column in (("key", labels.key), ("value", labels.value), ("timestamp", labels.timestamp)):
        if column not in its:
            raise DataError(
                f"{name}table {labels.table!r} has no column {column!r} (labels.{key}); it has {', '.join(its)}"
            )
    wrong = arrival_misfit(monitor, its[labels.timestamp])
    if wrong is not None:
        where = f"labels.timestamp {labels.timestamp!r} of table {labels.table!r}"
        raise DataError(f"{name}{where} {wrong[0]}: {wrong[1]}")
    if monitor.task == "regression" and its[labels.value] not in NUMBERS:
        raise DataError(f"{name}labels.value {labels.value!r} of table {labels.table!r} is not a number")
    if log.key not in types:
        raise DataError(f"{name}table {log.table!r} has no column {log.key!r} (inference_log.key)")
    return LabelSource(
        table=labels.table,
        key=labels.key,
        value=labels.value,
        value_type=its[labels.value],
        timestamp=labels.timestamp,
        timestamp_type=its[labels.timestamp],
        log_key=log.key,
        as_text=its[labels.key] != types[log.key] and not {its[labels.key], types[log.key]} <= {*NUMBERS},
        key_type=its[labels.key],
        log_key_type=types[log.key],
        inline=labels.table == log.table and labels.key == log.key,
    )


def measure_labelled_baseline(
    monitor: Monitor,
    warehouse: Warehouse,
    source: Source,
    columns: Sequence[Column],
    segments: Sequence[str],
    baseline: Baseline,
    how: Labelled,
) -> LabelledBaseline:
    """Count the baseline's rows by outcome, in the windows of the schedule that its period holds."""
    period = monitor.baseline.period
    windows = baseline_parts(monitor)
    if period is None:
        source = Source(how.source.table, None)
    with about(f"table {source.table!r}"):
        parts = [
            labels for _, labels in scan_with_labels(warehouse, source, columns, baseline.bins, windows, segments, how)
        ]
        whole = windows[0] if len(windows) == 1 else Window(windows[0].start, windows[-1].end)
        measured = replace(LabelledBaseline.of(whole, parts), measured_in=_measured_in(monitor))
        if measured.shows_no_class:
            no_class = values_of_no_class(warehouse, source, how.source, how.bins, windows, VALUES_SHOWN)
            measured = replace(measured, no_class=no_class)
    return measured


def _measured_in(monitor: Monitor) -> str:
    """Return a digest of what the labels of the baseline's rows depend on beside what the baseline itself does."""
    windows = [str(window) for window in baseline_parts(monitor)]
    arrival = monitor.labels.timestamp if monitor.labels is not None and monitor.baseline.period is not None else None
    return sha256(json.dumps([windows, arrival]).encode()).hexdigest()[:16]


def baseline_parts(monitor: Monitor) -> Sequence[Window]:
    """Return the windows of the schedule inside the baseline's period, and what is left of it on either side."""
    period = monitor.baseline.period
    if period is None:
        return [ALL_TIME]
    windows = monitor.schedule.windows(period.start, period.end) or [period.window]
    edges = [period.start, windows[0].start, windows[-1].end, period.end]
    first = [Window(edges[0], edges[1])] if edges[0] < edges[1] else []
    last = [Window(edges[2], edges[3])] if edges[2] < edges[3] else []
    return [*first, *windows, *last]


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


def how_far(monitor: Monitor, warehouse: Warehouse, labels: Labels, store: Store) -> LabelsRead:
    """Return how far the labels have come before they are read, and what is stored of that."""
    if labels.how is None or labels.watermark is None:
        return LabelsRead()
    known = store.labels_read(monitor.name)
    return LabelsRead(Place(labels.watermark, label_count(warehouse, labels.how.source)), known)


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
    if not more_came and same and stored is not None and stored.measured_in == _measured_in(monitor):
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

    Of a window in which as many arrived as when it was read last, nobody joins them to the whole log again.
    """
    if labels.how is None or not windows:
        return labels
    its, every = labels.how.source, sorted(windows)
    more = [window for window in every if window not in labels.arrived]
    try:
        came = arrived(warehouse, source, its, more)
        before = store.labels_arrived(monitor.name, more, baseline.id)
        same = {window for window, each in came.items() if before.get(window, (None,))[0] == each.rows}
        came = {window: replace(each, unknown=before[window][1]) for window, each in came.items() if window in same}
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
