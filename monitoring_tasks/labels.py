"""The labels of a monitor: where they are, and how outcomes are counted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

from monitoring_tasks.class_spelling import class_text, plain_number
from monitoring_tasks.columns import Column
from monitoring_tasks.config import ColumnType, Monitor
from monitoring_tasks.config.roles import NUMBERS, arrival_misfit
from monitoring_tasks.errors import DataError, about
from monitoring_tasks.labelled_baseline import LabelledBaseline
from monitoring_tasks.outcome_bins import CLASSES, OTHER_CLASS, SCORE_BINS, OutcomeBins, residual_edges, shared_edges
from monitoring_tasks.profile import Baseline, Bins, Kind
from monitoring_tasks.warehouse.bins import measure_score_edges
from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.keys import compared_as_text
from monitoring_tasks.warehouse.labels import (
    Labelled,
    LabelSource,
    values_of_no_class,
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
        as_text=compared_as_text(types[log.key], its[labels.key]),
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
        measured = replace(LabelledBaseline.of(whole, parts), measured_in=measured_in(monitor))
        if measured.shows_no_class:
            no_class = values_of_no_class(warehouse, source, how.source, how.bins, windows, VALUES_SHOWN)
            measured = replace(measured, no_class=no_class)
    return measured


def measured_in(monitor: Monitor) -> str:
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
