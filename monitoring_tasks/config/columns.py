"""What the keys of a monitor file say about the warehouse's columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from monitoring_tasks.config.document import KeyPath
from monitoring_tasks.config.models import Monitor
from monitoring_tasks.config.problem import Problem, suggestion

ColumnType = Literal["integer", "number", "decimal", "boolean", "string", "timestamp", "timestamptz", "date", "other"]

_NUMBERS = ("integer", "number", "decimal")
_TIMES = ("timestamp", "timestamptz", "date")
_ANY = ("string", "boolean", *_NUMBERS, *_TIMES)
_KINDS = {"numeric": (*_NUMBERS, "boolean"), "categorical": _ANY, "timestamp": _TIMES}
_CLASSES = {bool: ("boolean",), int: _NUMBERS, str: ("string",)}


@dataclass(frozen=True)
class _Use:
    """One column that the file names, and the part it plays."""

    path: KeyPath
    column: str
    types: tuple[str, ...]
    """Those the part allows."""
    part: str
    """What the part needs, as a noun."""


def column_problems(monitor: Monitor, columns: Mapping[str, str], table: str) -> list[Problem]:
    """Return what is wrong with the columns that a monitor names in one table.

    Parameters
    ----------
    monitor
        Read from its file.
    columns
        The table's columns, each with its `ColumnType`.
    table
        That of the inference log, of the labels or of the baseline, as the file names it; one table may be several.

    Returns
    -------
    list of Problem
        In the order in which the parts are described; empty when everything fits.
    """
    problems: list[Problem] = []
    for use in _uses(monitor, table):
        found = columns.get(use.column)
        is_key = use.path[:2] == ("inference_log", "features") and isinstance(use.path[-1], str)
        if found is None:
            section = "labels" if use.path[0] == "labels" else "inference_log"
            name = "{baseline.table}" if table not in (monitor.inference_log.table, _labels_table(monitor)) else ""
            subject = "is" if is_key else "{value} is"
            message = f"{subject} not a column of {name or f'{{{section}.table}}'}"
            problems.append(monitor.document.problem(use.path, message, suggestion(use.column, list(columns))))
        elif found not in use.types:
            subject = "the column" if is_key else "{value}"
            remedy = f"{_kind_remedy(found) if is_key else 'name another column, or '}cast this one in a view"
            problems.append(monitor.document.problem(use.path, f"{subject} is {_TYPES[found]}, not {use.part}", remedy))
    return [*problems, *_class_problems(monitor, columns, table)]


_TYPES = {
    "integer": "a whole number",
    "number": "a number",
    "decimal": "a decimal number",
    "boolean": "true or false",
    "string": "text",
    "timestamp": "a time",
    "timestamptz": "a time",
    "date": "a date",
    "other": "of a type that cannot be counted",
}


def _kind_remedy(found: str) -> str:
    if found in _TIMES:
        return "write timestamp, or "
    if found in _ANY:
        return "write categorical, or "
    return "remove it, or "


def _labels_table(monitor: Monitor) -> str | None:
    return monitor.labels.table if monitor.labels else None


def _uses(monitor: Monitor, table: str) -> Iterator[_Use]:
    log, labels = monitor.inference_log, monitor.labels
    outcome = (_NUMBERS, "a number") if monitor.task == "regression" else (_ANY, "a class or number")
    if table == log.table:
        yield _Use(("inference_log", "timestamp"), log.timestamp, _TIMES, "a time")
        yield _Use(("inference_log", "key"), log.key, _ANY, "a key")
        yield from _features(monitor)
        if log.prediction is not None:
            yield _Use(("inference_log", "prediction"), log.prediction, *outcome)
        if isinstance(log.score, str):
            yield _Use(("inference_log", "score"), log.score, _NUMBERS, "a number")
        elif log.score is not None:
            for name, column in log.score.items():
                yield _Use(("inference_log", "score", name), column, _NUMBERS, "a number")
        if log.model_version is not None:
            yield _Use(("inference_log", "model_version"), log.model_version, _ANY, "a version")
        if log.latency_ms is not None:
            yield _Use(("inference_log", "latency_ms"), log.latency_ms, _NUMBERS, "a number")
        if log.error is not None:
            yield _Use(("inference_log", "error"), log.error, _ANY, "a text, or true or false")
        for i, column in enumerate(monitor.segments):
            yield _Use(("segments", i), column, _ANY, "a value to group by")
    elif table == monitor.baseline.table:
        yield from _features(monitor)
    if labels is not None and table == labels.table:
        yield _Use(("labels", "key"), labels.key, _ANY, "a key")
        yield _Use(("labels", "value"), labels.value, *outcome)
        yield _Use(("labels", "timestamp"), labels.timestamp, _TIMES, "a time")


def _features(monitor: Monitor) -> Iterator[_Use]:
    features = monitor.inference_log.features
    for i, name in enumerate(features.names or ()):
        kind = features.kinds.get(name)
        path: KeyPath = ("inference_log", "features", name if features.kinds else i)
        yield _Use(path, name, _KINDS[kind] if kind else _ANY, _PARTS[kind] if kind else "a feature")


_PARTS = {"numeric": "numeric", "categorical": "categorical", "timestamp": "a time"}


def _class_problems(monitor: Monitor, columns: Mapping[str, str], table: str) -> Iterator[Problem]:
    """Yield where `positive_class` can never equal a label: YAML reads ``yes`` as true and ``1`` as a number."""
    log, labels = monitor.inference_log, monitor.labels
    if labels is None or log.positive_class is None or table != labels.table:
        return
    found = columns.get(labels.value, "other")
    if found != "other" and found not in _CLASSES[type(log.positive_class)]:
        remedies = {"string": "put it in quotes", "boolean": "write true or false"}
        yield monitor.document.problem(
            ("inference_log", "positive_class"),
            f"{{value}} can never be a label: {{labels.value}} is {_TYPES[found]}",
            remedies.get(found, "write it as digits, without quotes"),
        )
