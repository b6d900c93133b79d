"""What the keys of a monitor file say about the warehouse's columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from monitoring_tasks.config.document import KeyPath
from monitoring_tasks.config.models import Monitor
from monitoring_tasks.config.problem import Problem, suggestion
from monitoring_tasks.config.roles import (
    COUNTABLE,
    IN_WORDS,
    KIND_OF_TYPE,
    NUMBERS,
    TIMES,
    ColumnType,
    Role,
    arrival_misfit,
    expected_columns,
    feature_names,
    misfit,
    no_features,
    roles_of,
    stated_kind,
    timestamp_misfit,
    uses,
)

SHOWN_LABELS = 5
"""Labels that a message names; the rest is counted."""

_CLASSES: Mapping[type, tuple[ColumnType, ...]] = {bool: ("boolean",), int: NUMBERS, str: ("string",)}


@dataclass(frozen=True)
class _Need:
    """A column that is read and not counted."""

    path: KeyPath
    column: str
    types: tuple[ColumnType, ...]
    noun: str


def column_problems(
    monitor: Monitor,
    columns: Mapping[str, ColumnType],
    table: str,
    log: Mapping[str, ColumnType] | None = None,
) -> list[Problem]:
    """Return what is wrong with the columns that a monitor names in one table.

    Parameters
    ----------
    monitor
        Read from its file.
    columns
        The table's columns.
    table
        That of the inference log, of the labels, of the baseline or of the expected rows, as the file names it; one
        table may be several.
    log
        The inference log's columns, which decide how a column is counted in the baseline's table too where the file
        does not say.

    Returns
    -------
    list of Problem
        In the order in which the parts are described; empty when everything fits.
    """
    problems = list(_timestamp_problems(monitor, columns, table))
    for need in _needs(monitor, table):
        found = columns.get(need.column)
        if found is None:
            problems.append(_missing(monitor, need.path, need.column, columns, table))
        elif found not in need.types:
            remedy = "name another column, or cast this one in a view"
            message = f"{{value}} is {IN_WORDS[found]}, not {need.noun}"
            problems.append(monitor.document.problem(need.path, message, remedy))
    problems += _misfits(monitor, columns, table, log or {})
    problems += _expected_problems(monitor, columns, table)
    problems += _weights_of_no_feature(monitor, columns, table)
    return [*problems, *_class_problems(monitor, columns, table)]


def label_value_problems(monitor: Monitor, values: Sequence[object]) -> list[Problem]:
    """Return what is wrong with the classes that a monitor names, none of which any label is.

    Parameters
    ----------
    monitor
        Read from its file.
    values
        All different labels that the warehouse holds. Of a binary model one alone says nothing: what is rare, such as
        fraud, may still be to come.
    """
    log = monitor.inference_log
    if monitor.task == "binary_classification" and log.positive_class is not None:
        if len(values) < 2 or log.positive_class in values:
            return []
        path: KeyPath = ("inference_log", "positive_class")
        message = f"no label is {{value}}: {{labels.value}} holds {_listed(values)}"
        return [monitor.document.problem(path, message, suggestion(str(log.positive_class), _texts(values[:20])))]
    if monitor.task == "multiclass_classification" and isinstance(log.score, Mapping):
        if not values or set(log.score) & set(_texts(values)):
            return []
        message = f"no label is of one of its classes: {{labels.value}} holds {_listed(values)}"
        return [monitor.document.problem(("inference_log", "score"), message, "name the classes as the labels do")]
    return []


def _texts(values: Sequence[object]) -> list[str]:
    """Return classes as a monitor file writes them: whole numbers without a point."""
    return [
        str(int(each)) if isinstance(each, (float, Decimal)) and each == int(each) else str(each) for each in values
    ]


def _listed(values: Sequence[object]) -> str:
    shown = [repr(each) if isinstance(each, str) else text for each, text in zip(values, _texts(values), strict=True)]
    more = f" and {len(shown) - SHOWN_LABELS} more" if len(shown) > SHOWN_LABELS else ""
    return ", ".join(shown[:SHOWN_LABELS]) + more


def _timestamp_problems(monitor: Monitor, columns: Mapping[str, ColumnType], table: str) -> Iterator[Problem]:
    log, labels, path = monitor.inference_log, monitor.labels, ("inference_log", "timestamp")
    if table == log.table and log.timestamp not in columns:
        yield _missing(monitor, path, log.timestamp, columns, table)
    elif table == log.table and (wrong := timestamp_misfit(monitor, columns[log.timestamp])):
        yield monitor.document.problem(path, f"{{value}} {wrong[0]}", wrong[1])
    if labels is None or table != labels.table or columns.get(labels.timestamp) not in TIMES:
        return
    if wrong := arrival_misfit(monitor, columns[labels.timestamp]):
        yield monitor.document.problem(("labels", "timestamp"), f"{{value}} {wrong[0]}", wrong[1])


def _misfits(
    monitor: Monitor, columns: Mapping[str, ColumnType], table: str, log: Mapping[str, ColumnType]
) -> Iterator[Problem]:
    """Yield the columns that a run could not count."""
    if table not in (monitor.inference_log.table, monitor.baseline.table):
        return
    compared = compared_roles(monitor) if table != monitor.inference_log.table else None
    roles = roles_of(monitor)
    for use in uses(monitor):
        if compared is not None and use.role not in compared:
            continue
        found = columns.get(use.column)
        if found is None:
            yield _missing(monitor, use.path, use.column, columns, table)
            continue
        parts = roles[use.column]
        type_ = log.get(use.column, found)
        kind = stated_kind(monitor, use.column, parts) or KIND_OF_TYPE.get(type_, "categorical")
        wrong = misfit(monitor, use.column, parts, kind, found)
        if wrong is not None and wrong.role == use.role:
            yield monitor.document.problem(use.path, f"{_subject(use.path)} {wrong.message}", wrong.remedy)


def _expected_problems(monitor: Monitor, columns: Mapping[str, ColumnType], table: str) -> Iterator[Problem]:
    """Yield what the table of expected rows lacks; of a column that only the inference log names, at that table."""
    here, expected = ("inference_log", "expected_rows"), monitor.inference_log.expected_rows
    if expected is None or table != expected.table:
        return
    its_table = "{inference_log.expected_rows.table}"
    if (*here, "table") not in monitor.document.places:  # its name alone
        its_table = "{inference_log.expected_rows}"
    for need in expected_columns(monitor):
        is_named = need.written[:2] == here
        path: KeyPath = need.written if is_named else here
        column = "{value}" if is_named else f"{{{'.'.join(map(str, need.written))}}}"
        if need.column not in columns:
            remedy = suggestion(need.column, list(columns))
            if not is_named:
                remedy = f"name its column: expected_rows: {{table: ..., {need.part}: ...}}"
            yield monitor.document.problem(path, f"{column} is not a column of {its_table}", remedy)
        elif wrong := need.misfit(monitor, columns[need.column]):
            yield monitor.document.problem(path, f"{column} of {its_table} {wrong[0]}", wrong[1])


def _weights_of_no_feature(monitor: Monitor, columns: Mapping[str, ColumnType], table: str) -> Iterator[Problem]:
    """Yield the weights of what ``features: '*'`` does not stand for; of listed features the file itself tells."""
    drift, log = monitor.checks.data_drift, monitor.inference_log
    if drift is None or log.features.names is not None or table != log.table:
        return
    features, other = feature_names(monitor, columns), no_features(monitor)
    for name in drift.importance:
        path: KeyPath = ("checks", "data_drift", "importance", name)
        if name not in columns:
            yield _missing(monitor, path, name, columns, table)
        elif name not in features:
            why = "its part in the monitor is another" if name in other else f"it is {IN_WORDS['other']}"
            yield monitor.document.problem(path, f"is no feature: {why}", "remove its weight")


def compared_roles(monitor: Monitor) -> frozenset[Role]:
    """Return the roles whose columns a baseline's table must have: the others are counted without one."""
    predictions: tuple[Role, ...] = ("prediction", "score") if monitor.checks.prediction_drift is not None else ()
    return frozenset({"feature", "segment", *predictions})


def _missing(monitor: Monitor, path: KeyPath, column: str, columns: Mapping[str, ColumnType], table: str) -> Problem:
    if table not in (monitor.inference_log.table, _labels_table(monitor)):
        where = "{baseline.table}"
    else:
        where = "{labels.table}" if path[0] == "labels" else "{inference_log.table}"
    subject = "" if _is_key(path) else "{value} "
    message = f"{subject}is not a column of {where}"
    return monitor.document.problem(path, message, suggestion(column, list(columns)))


def _subject(path: KeyPath) -> str:
    return "the column" if _is_key(path) else "{value}"


def _is_key(path: KeyPath) -> bool:
    """Tell whether the column's name is the key itself, and the value its kind or weight."""
    if path[:3] == ("checks", "data_drift", "importance"):
        return True
    return path[:2] == ("inference_log", "features") and isinstance(path[-1], str)


def _labels_table(monitor: Monitor) -> str | None:
    return monitor.labels.table if monitor.labels else None


def _needs(monitor: Monitor, table: str) -> Iterator[_Need]:
    log, labels = monitor.inference_log, monitor.labels
    if table == log.table:
        yield _Need(("inference_log", "key"), log.key, COUNTABLE, "a key")
    if labels is not None and table == labels.table:
        outcome = (NUMBERS, "a number") if monitor.task == "regression" else (COUNTABLE, "a class or number")
        yield _Need(("labels", "key"), labels.key, COUNTABLE, "a key")
        yield _Need(("labels", "value"), labels.value, *outcome)
        yield _Need(("labels", "timestamp"), labels.timestamp, TIMES, "a time")


def _class_problems(monitor: Monitor, columns: Mapping[str, ColumnType], table: str) -> Iterator[Problem]:
    """Yield where `positive_class` can never equal a label: YAML reads ``yes`` as true and ``1`` as a number."""
    log, labels = monitor.inference_log, monitor.labels
    if labels is None or log.positive_class is None or table != labels.table:
        return
    found = columns.get(labels.value, "other")
    if found != "other" and found not in _CLASSES[type(log.positive_class)]:
        remedies = {"string": "put it in quotes", "boolean": "write true or false"}
        yield monitor.document.problem(
            ("inference_log", "positive_class"),
            f"{{value}} can never be a label: {{labels.value}} is {IN_WORDS[found]}",
            remedies.get(found, "write it as digits, without quotes"),
        )
