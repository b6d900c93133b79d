"""Which columns of the inference log are counted, and as what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal

from monitoring_tasks.profile import Kind

if TYPE_CHECKING:
    from monitoring_tasks.config import Monitor
    from monitoring_tasks.warehouse.engine import Type

Role = Literal["feature", "prediction", "score", "segment", "model_version", "latency", "error"]

KIND_OF_TYPE: Mapping[Type, Kind] = {
    "integer": "numeric",
    "number": "numeric",
    "decimal": "numeric",
    "boolean": "categorical",
    "string": "categorical",
    "timestamp": "timestamp",
    "timestamptz": "timestamp",
    "date": "timestamp",
}
"""How a column is counted when the monitor file does not say."""

NUMBERS: tuple[Type, ...] = ("integer", "number", "decimal")
TIMES: tuple[Type, ...] = ("timestamp", "timestamptz", "date")


@dataclass(frozen=True)
class Column:
    """One column to count."""

    name: str
    kind: Kind
    type: Type
    """Its type in the warehouse."""
    roles: tuple[Role, ...]
    """What it is to the monitor; a feature may be a segment too."""


def feature_names(monitor: Monitor, types: Mapping[str, Type]) -> tuple[str, ...]:
    """Return the features, those of ``features: '*'`` read off the table: every column that has no other meaning."""
    named = monitor.inference_log.features.names
    if named is not None:
        return tuple(named)
    log = monitor.inference_log
    taken = {log.timestamp, log.key, log.prediction, log.model_version, log.latency_ms, log.error, *_scores(monitor)}
    if monitor.labels is not None:
        taken |= {monitor.labels.value} | ({monitor.labels.timestamp} if monitor.labels.table == log.table else set())
    return tuple(name for name in types if name not in taken)


def monitored_columns(monitor: Monitor, types: Mapping[str, Type]) -> tuple[tuple[Column, ...], dict[str, str]]:
    """Return the columns that can be counted, and the reason for each of the others.

    A column that is missing or of the wrong type costs itself only: the rest is counted, and the checks write one
    ``error`` row for it.

    Parameters
    ----------
    monitor
        The monitor file.
    types
        The table's columns.
    """
    roles: dict[str, list[Role]] = {}
    for name, role in _named(monitor, types):
        roles.setdefault(name, []).append(role)
    columns: list[Column] = []
    unreadable: dict[str, str] = {}
    for name, parts in roles.items():
        if name not in types:
            near = get_close_matches(name, types, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; it has {', '.join(types)}"
            unreadable[name] = f"column {name!r} is not in table {monitor.inference_log.table!r}{hint}"
            continue
        kind = _kind(monitor, name, types[name], parts)
        problem = _problem(name, kind, types[name], parts)
        if problem:
            unreadable[name] = problem
        else:
            columns.append(Column(name, kind, types[name], tuple(parts)))
    return tuple(columns), unreadable


def _named(monitor: Monitor, types: Mapping[str, Type]) -> Iterator[tuple[str, Role]]:
    log = monitor.inference_log
    for name in feature_names(monitor, types):
        yield name, "feature"
    parts: tuple[tuple[Role, tuple[str | None, ...]], ...] = (
        ("prediction", (log.prediction,)),
        ("score", _scores(monitor)),
        ("segment", tuple(monitor.segments)),
        ("model_version", (log.model_version,)),
        ("latency", (log.latency_ms,)),
        ("error", (log.error,)),
    )
    for role, named in parts:
        for column in named:
            if column is not None:
                yield column, role


def _scores(monitor: Monitor) -> tuple[str, ...]:
    score = monitor.inference_log.score
    if score is None:
        return ()
    return (score,) if isinstance(score, str) else tuple(score.values())


def _kind(monitor: Monitor, name: str, type_: Type, roles: Sequence[Role]) -> Kind:
    role = roles[0]
    if role == "feature" and name in monitor.inference_log.features.kinds:
        return monitor.inference_log.features.kinds[name]
    if role in ("model_version", "error") or "segment" in roles:
        return "categorical"
    if role in ("score", "latency"):
        return "numeric"
    if role == "prediction" and monitor.task is not None:
        return "numeric" if monitor.task == "regression" else "categorical"
    return KIND_OF_TYPE.get(type_, "categorical")


def _problem(name: str, kind: Kind, type_: Type, roles: Sequence[Role]) -> str | None:
    if type_ == "other":
        return f"column {name!r} has a type that cannot be counted: leave it out of the features, or cast it in a view"
    if kind == "numeric" and type_ not in (*NUMBERS, "boolean"):
        return (
            f"column {name!r} is {type_} in the warehouse, not a number: declare it categorical, or cast it in a view"
        )
    if kind != "categorical" and "segment" in roles:
        return f"column {name!r} is a segment and declared {kind}: declare it categorical, or take it out of `segments`"
    if kind == "timestamp" and type_ not in TIMES:
        return f"column {name!r} is {type_} in the warehouse, not a time: declare another kind, or cast it in a view"
    return None
