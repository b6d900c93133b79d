"""The labels of a monitor: where they are, how outcomes are counted, and which windows they have come for."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from monitoring_tasks.checks import enabled
from monitoring_tasks.columns import TIMES, Column
from monitoring_tasks.config import ColumnType, Monitor
from monitoring_tasks.config.roles import NUMBERS
from monitoring_tasks.errors import DataError, about
from monitoring_tasks.label_maturity import baseline_labels_until, complete_at
from monitoring_tasks.labelled_baseline import LabelledBaseline
from monitoring_tasks.labels_profile import LabelsProfile, WindowLabels
from monitoring_tasks.labels_read import LabelsRead, Place
from monitoring_tasks.outcome_bins import CLASSES, OTHER_CLASS, SCORE_BINS, OutcomeBins, residual_edges, shared_edges
from monitoring_tasks.profile import Baseline, Bins, Kind
from monitoring_tasks.results.store import Store
from monitoring_tasks.warehouse.bins import measure_score_edges
from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.labels import (
    MINUTE,
    Arrivals,
    Labelled,
    LabelSource,
    arrivals,
    label_count,
    watermark,
)
from monitoring_tasks.warehouse.scan import scan_with_labels
from monitoring_tasks.warehouse.statement import Source
from monitoring_tasks.window import ALL_TIME, Window


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
        classes = [class_text(name) for name in (known.categories if known is not None else ())]
    score_edges: tuple[float, ...] = ()
    if isinstance(log.score, Mapping):
        score_edges = shared_edges([its for its in edges.values() if its]) or _EVEN
    return OutcomeBins(
        "multiclass_classification",
        (*dict.fromkeys(classes[:CLASSES]), OTHER_CLASS),
        has_prediction=has_prediction,
        score_edges=score_edges,
    )


_EVEN = tuple(i / SCORE_BINS for i in range(SCORE_BINS + 1))
"""For scores that the baseline does not hold."""


def class_text(value: object) -> str:
    """Return a class as the statements compare it: whole numbers without a point, true and false in small letters.

    Examples
    --------
    >>> class_text(1), class_text("1.0"), class_text(True), class_text("late")
    ('1', '1', 'true', 'late')
    """
    text = str(value).lower() if isinstance(value, bool) else str(value)
    try:
        number = float(text)
    except ValueError:
        return text
    return str(int(number)) if number.is_integer() and abs(number) < 2**53 else text


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
    if its[labels.timestamp] not in TIMES:
        raise DataError(f"{name}labels.timestamp {labels.timestamp!r} of table {labels.table!r} is not a time")
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
        # The text of 1 is 1.0 where it is a double.
        as_text=its[labels.key] != types[log.key] and not {its[labels.key], types[log.key]} <= {*NUMBERS},
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
    return LabelledBaseline.of(whole, parts)


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
    watermark: datetime | None = None
    """When the latest of all arrived."""
    unreadable: str | None = None
    """Why they cannot be read."""
    arrived: Mapping[Window, Arrivals] = field(default_factory=dict)
    """What arrived in the time of each window that is read."""

    def of(self, monitor: Monitor, window: Window, counted: tuple[LabelsProfile, ...]) -> WindowLabels:
        """Return what is stored of a window's labels."""
        if self.unreadable is not None:
            return WindowLabels((), final=False, unreadable=self.unreadable)
        came = self.arrived.get(window, Arrivals())
        return WindowLabels(counted, self.are_complete(monitor, window), arrived=came.rows, unknown=came.unknown)

    def came_for(self, period: Window, windows: Sequence[Window]) -> bool:
        """Tell whether labels of inferences in the period arrived in one of the windows."""
        came = (self.arrived.get(window, Arrivals()) for window in windows)
        return any(period.start <= minute < period.end for each in came for minute in each.minutes)

    def are_complete(self, monitor: Monitor, window: Window) -> bool:
        """Tell whether a label arrived after the window's had to be complete: by then the warehouse held them all."""
        return self.watermark is not None and self.watermark >= complete_at(monitor, window)


def read_labels(
    monitor: Monitor, warehouse: Warehouse, types: Mapping[str, ColumnType], baseline: Baseline
) -> Labels | None:
    """Return the labels of a monitor that has some and a check that reads them; one reason for all where it fails."""
    if monitor.labels is None or baseline.outcomes is None:
        return None
    try:
        how = labelled(monitor, warehouse, types, baseline)
        return Labels(how, watermark(warehouse, how.source, monitor.timezone))
    except DataError as error:
        return Labels(None, unreadable=str(error))


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
) -> bool:
    """Measure the labels of the baseline's rows and store them, if they are complete; tell whether they have changed.

    Those count that arrived by a time which follows from the latest of all labels, see `baseline_labels_until`. So they
    are measured when that moves on, and not for every late one. They are measured again when labels of before that time
    arrived in these windows, loaded in another order than that of their times, and when the schedule has other windows
    now. `read` says how far the labels have come.
    """
    period, table = monitor.baseline.period, monitor.baseline.table
    if labels.how is None:
        return False
    until = baseline_labels_until(monitor, labels.watermark)
    counted = [window for window in windows if until is not None and window.start < until]
    more_came = period is not None and labels.came_for(period.window, counted)
    stored = store.labelled_baseline(baseline)
    same = store.labelled_until(baseline.id) == until
    if not more_came and same and stored is not None and len(stored.part_counts) == len(baseline_parts(monitor)):
        return False
    how = replace(labels.how, source=replace(labels.how.source, until=until))
    if table is not None:
        its_types = warehouse.columns(table)
        if monitor.labels is None or monitor.labels.value not in its_types:
            return False
        how = labelled(monitor, warehouse, its_types, baseline, table)
        columns = [replace(column, type=its_types[column.name]) for column in columns if column.name in its_types]
        segments = [name for name in segments if name in its_types]
    elif until is None:
        return False
    measured = measure_labelled_baseline(monitor, warehouse, source, columns, segments, baseline, how)
    checks = checks_of_labels(monitor)
    return store.write_labelled_baseline(monitor.name, baseline.id, measured, checks, until=until, read=read)


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
    came = arrivals(warehouse, source, labels.how.source, windows)
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
    return with_arrivals(replace(labels, arrived=came), warehouse, source, {*read, *late} - {*windows}), late


def with_arrivals(labels: Labels, warehouse: Warehouse, source: Source, windows: Collection[Window]) -> Labels:
    """Return the labels with what arrived in these windows too."""
    if labels.how is None or not windows:
        return labels
    came = arrivals(warehouse, source, labels.how.source, sorted(windows))
    return replace(labels, arrived={**labels.arrived, **came})


def _overlaps(window: Window, others: Sequence[Window]) -> bool:
    """Tell whether one of the disjoint windows, in time order, has an instant in common with this one."""
    place = bisect_left(others, window.end, key=lambda other: other.start)
    return place > 0 and others[place - 1].end > window.start
