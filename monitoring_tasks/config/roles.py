"""What the columns that a monitor names are to it, and which types of the warehouse can be that.

The one place with these rules: `validate` complains by them before a run, and a run leaves out by them, with the same
words, what it cannot count.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from monitoring_tasks.config.document import KeyPath
from monitoring_tasks.config.models import KindName, Monitor
from monitoring_tasks.window import begins_day

ColumnType = Literal["integer", "number", "decimal", "boolean", "string", "timestamp", "timestamptz", "date", "other"]
Role = Literal["feature", "prediction", "score", "segment", "model_version", "latency", "error"]

NUMBERS: tuple[ColumnType, ...] = ("integer", "number", "decimal")
TIMES: tuple[ColumnType, ...] = ("timestamp", "timestamptz", "date")
COUNTABLE: tuple[ColumnType, ...] = ("string", "boolean", *NUMBERS, *TIMES)

TYPES_OF_KIND: Mapping[KindName, tuple[ColumnType, ...]] = {
    "numeric": (*NUMBERS, "boolean"),
    "categorical": COUNTABLE,
    "timestamp": TIMES,
}
"""What can be counted as each kind."""

KIND_OF_TYPE: Mapping[ColumnType, KindName] = {
    "integer": "numeric",
    "number": "numeric",
    "decimal": "numeric",
    "boolean": "categorical",
    "string": "categorical",
    "timestamp": "timestamp",
    "timestamptz": "timestamp",
    "date": "timestamp",
}
"""How a column is counted when neither the monitor file nor its role says."""

IN_WORDS: Mapping[ColumnType, str] = {
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
_KIND_IN_WORDS: Mapping[KindName, str] = {"numeric": "numeric", "categorical": "categorical", "timestamp": "a time"}


@dataclass(frozen=True)
class Use:
    """One place of the monitor file that names a column."""

    path: KeyPath
    column: str
    role: Role


@dataclass(frozen=True)
class Misfit:
    """Why a column cannot be what the monitor says it is."""

    role: Role
    """The one it cannot have."""
    message: str
    """Begins with a verb: what the column is, and what it would have to be."""
    remedy: str


@dataclass(frozen=True)
class _Rule:
    """What a role asks of its column."""

    types: tuple[ColumnType, ...]
    noun: str
    """What that is, in words."""
    kind: KindName | None = None
    """How it is counted whatever its type; None leaves that to the file and the type."""
    title: str = ""
    """What the column is to the monitor."""


_RULES: Mapping[Role, _Rule] = {
    "feature": _Rule(COUNTABLE, "a feature"),
    "prediction": _Rule(COUNTABLE, "a class or number"),
    "score": _Rule(NUMBERS, "a number", "numeric", "a score"),
    "segment": _Rule(COUNTABLE, "a value to group by", "categorical", "a segment"),
    "model_version": _Rule(COUNTABLE, "a version", "categorical", "the model's version"),
    "latency": _Rule(NUMBERS, "a number", "numeric", "the latency"),
    "error": _Rule(COUNTABLE, "a text, or true or false", "categorical", "the error"),
}
_PREDICTED_CLASS = _Rule(COUNTABLE, "a class or number", "categorical", "the predicted class")
_PREDICTED_NUMBER = _Rule(NUMBERS, "a number", "numeric", "the predicted number")


def uses(monitor: Monitor) -> Iterator[Use]:
    """Yield every column of the inference log that the file names, in the order in which they are counted."""
    log, features = monitor.inference_log, monitor.inference_log.features
    for i, name in enumerate(features.names or ()):
        yield Use(("inference_log", "features", name if features.kinds else i), name, "feature")
    if log.prediction is not None:
        yield Use(("inference_log", "prediction"), log.prediction, "prediction")
    if isinstance(log.score, str):
        yield Use(("inference_log", "score"), log.score, "score")
    elif log.score is not None:
        for class_, name in log.score.items():
            yield Use(("inference_log", "score", class_), name, "score")
    for i, name in enumerate(monitor.segments):
        yield Use(("segments", i), name, "segment")
    if log.model_version is not None:
        yield Use(("inference_log", "model_version"), log.model_version, "model_version")
    if log.latency_ms is not None:
        yield Use(("inference_log", "latency_ms"), log.latency_ms, "latency")
    if log.error is not None:
        yield Use(("inference_log", "error"), log.error, "error")


def roles_of(monitor: Monitor, features: Sequence[str] | None = None) -> dict[str, tuple[Role, ...]]:
    """Return all roles of each column that the file names; `features` are those that ``'*'`` stands for."""
    roles: dict[str, tuple[Role, ...]] = dict.fromkeys(features or (), ("feature",))
    for use in uses(monitor):
        if use.role not in roles.get(use.column, ()):
            roles[use.column] = (*roles.get(use.column, ()), use.role)
    return roles


def feature_names(
    monitor: Monitor, types: Mapping[str, ColumnType], partition_keys: Collection[str] = ()
) -> tuple[str, ...]:
    """Return the features, those of ``features: '*'`` read off the table.

    They are the columns that can be counted and have no other meaning to the monitor; `partition_keys`, which stand in
    the names of folders and not in the rows, say how the table is stored.
    """
    named = monitor.inference_log.features.names
    if named is not None:
        return tuple(named)
    taken = {*no_features(monitor), *partition_keys}
    return tuple(name for name, type_ in types.items() if name not in taken and type_ != "other")


def no_features(monitor: Monitor) -> frozenset[str]:
    """Return the columns that ``features: '*'`` does not stand for: the file gives them another meaning."""
    log, labels = monitor.inference_log, monitor.labels
    taken = {log.timestamp, log.key}
    taken |= {name for name, roles in roles_of(monitor).items() if set(roles) - {"segment"}}
    if labels is not None:
        taken |= {labels.value} | ({labels.timestamp} if labels.table == log.table else set())
    return frozenset(taken)


def stated_kind(monitor: Monitor, column: str, roles: Sequence[Role]) -> KindName | None:
    """Return the kind that the file declares, or that a role implies; None where only the type can tell."""
    declared = monitor.inference_log.features.kinds.get(column)
    return declared or next((rule.kind for role in roles if (rule := _rule(monitor, role)).kind), None)


def misfit(monitor: Monitor, column: str, roles: Sequence[Role], kind: KindName, type_: ColumnType) -> Misfit | None:
    """Return the first role that a column of this kind and type cannot have, or None when it fits.

    Parameters
    ----------
    monitor
        Its task decides what a prediction is.
    column
        Its name.
    roles
        All that it has.
    kind
        As what it is counted.
    type_
        Its type in the warehouse.
    """
    declared = column in monitor.inference_log.features.kinds
    for role in roles:
        rule = _rule(monitor, role)
        if role == "feature" and declared:
            if type_ not in TYPES_OF_KIND[kind]:
                remedy = f"{_other_kind(type_)}, or cast it in a view"
                return Misfit(role, f"is {IN_WORDS[type_]}, not {_KIND_IN_WORDS[kind]}", remedy)
        elif type_ not in rule.types:
            return Misfit(
                role, f"is {IN_WORDS[type_]}, not {rule.noun}", "name another column, or cast this one in a view"
            )
        elif rule.kind not in (None, kind):
            remedy = f"declare it {rule.kind}, or name another column" if declared else "name another column"
            return Misfit(role, f"is {rule.title}, which is {rule.kind}, and is counted as {kind}", remedy)
        elif type_ not in TYPES_OF_KIND[kind]:
            return Misfit(role, f"is {IN_WORDS[type_]} and is counted as {kind}", "cast it in a view")
    return None


def timestamp_misfit(monitor: Monitor, type_: ColumnType) -> tuple[str, str] | None:
    """Return why a column of this type cannot be the timestamp, and the remedy; None when it can.

    A date names a day of the monitor's time zone: it cannot tell in which part of the day a row belongs.
    """
    wrong = arrival_misfit(monitor, type_)
    if wrong is not None or type_ != "date":
        return wrong
    zone, period = monitor.schedule.timezone, monitor.baseline.period
    if period is not None and not (begins_day(period.start, zone) and begins_day(period.end, zone)):
        message = f"is a date, and `baseline.period` does not begin and end at midnight in {zone}"
        return message, "write dates without times there, or name a column of times"
    return None


def arrival_misfit(monitor: Monitor, type_: ColumnType) -> tuple[str, str] | None:
    """Return why a column of this type cannot say when labels arrived, and the remedy; None when it can.

    Labels of a day that is not over would be of its first window, which nobody runs again for those of its last.
    """
    if type_ not in TIMES:
        return f"is {IN_WORDS[type_]}, not a time", "name another column, or cast this one in a view"
    if type_ == "date" and not monitor.schedule.of_whole_days:
        message = f"is a date, and windows of `schedule` {monitor.schedule.expression!r} do not begin at midnight"
        return message, "write a schedule of whole days such as @daily, or name a column of times"
    return None


@dataclass(frozen=True)
class ExpectedColumn:
    """One column that the table of expected rows must have."""

    part: Literal["timestamp", "key", "rows"]
    column: str
    written: KeyPath
    """Where the file names it: a column that it does not name is called as that of the inference log."""

    def misfit(self, monitor: Monitor, type_: ColumnType) -> tuple[str, str] | None:
        """Return why a column of this type cannot be that, beginning with a verb, and the remedy; None when it can."""
        if self.part == "timestamp":
            return arrival_misfit(monitor, type_)
        types, noun = (NUMBERS, "a number of rows") if self.part == "rows" else (COUNTABLE, "a key")
        if type_ in types:
            return None
        return f"is {IN_WORDS[type_]}, not {noun}", "name another column, or cast this one in a view"


def expected_columns(monitor: Monitor) -> tuple[ExpectedColumn, ...]:
    """Return what the table of a monitor's expected rows must have; nothing of one that names no such table."""
    log, expected = monitor.inference_log, monitor.inference_log.expected_rows
    if expected is None:
        return ()
    here: KeyPath = ("inference_log", "expected_rows")
    time: KeyPath = ("inference_log", "timestamp") if expected.timestamp is None else (*here, "timestamp")
    found = [ExpectedColumn("timestamp", expected.timestamp or log.timestamp, time)]
    if expected.rows is not None:
        return (*found, ExpectedColumn("rows", expected.rows, (*here, "rows")))
    key: KeyPath = ("inference_log", "key") if expected.key is None else (*here, "key")
    return (*found, ExpectedColumn("key", expected.key or log.key, key))


def _rule(monitor: Monitor, role: Role) -> _Rule:
    if role == "prediction" and monitor.task is not None:
        return _PREDICTED_NUMBER if monitor.task == "regression" else _PREDICTED_CLASS
    return _RULES[role]


def _other_kind(type_: ColumnType) -> str:
    if type_ in TIMES:
        return "declare it timestamp"
    return "declare it categorical" if type_ in COUNTABLE else "take it out of the features"
