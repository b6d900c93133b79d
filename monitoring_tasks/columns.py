"""Which columns of the inference log are counted, and as what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from monitoring_tasks.config.roles import (
    KIND_OF_TYPE,
    NUMBERS,
    TIMES,
    ColumnType,
    Role,
    feature_names,
    misfit,
    roles_of,
    stated_kind,
)
from monitoring_tasks.profile import Baseline, Kind

if TYPE_CHECKING:
    from monitoring_tasks.config import Monitor

__all__ = ["KIND_OF_TYPE", "NUMBERS", "TIMES", "Column", "Role", "feature_names", "monitored_columns", "window_columns"]


@dataclass(frozen=True)
class Column:
    """One column to count."""

    name: str
    kind: Kind
    type: ColumnType
    """Its type in the warehouse."""
    roles: tuple[Role, ...]
    """What it is to the monitor; a feature may be a segment too."""


def monitored_columns(
    monitor: Monitor,
    types: Mapping[str, ColumnType],
    features: Sequence[str] | None = None,
    *,
    kinds: Mapping[str, Kind] | None = None,
    table: str | None = None,
) -> tuple[tuple[Column, ...], dict[str, str]]:
    """Return the columns of a table that can be counted, and the reason for each of the others.

    A column that is missing or of the wrong type costs itself only: the rest is counted, and the checks write one
    ``error`` row for it.

    Parameters
    ----------
    monitor
        The monitor file.
    types
        The table's columns.
    features
        What ``features: '*'`` stands for; by default read off the table.
    kinds
        As what columns are counted whose kind the file does not state, where that is settled; else their types tell.
    table
        Its name, by default that of the inference log.
    """
    table = table or monitor.inference_log.table
    star = monitor.inference_log.features.names is None
    if star and features is None:
        features = feature_names(monitor, types)
    columns: list[Column] = []
    unreadable: dict[str, str] = {}
    for name, roles in roles_of(monitor, features if star else None).items():
        if name not in types:
            unreadable[name] = f"column {name!r} is not in table {table!r}{_hint(name, types)}"
            continue
        settled = (kinds or {}).get(name, KIND_OF_TYPE.get(types[name], "categorical"))
        kind = stated_kind(monitor, name, roles) or settled
        wrong = misfit(monitor, name, roles, kind, types[name])
        if wrong is None:
            columns.append(Column(name, kind, types[name], roles))
        else:
            unreadable[name] = f"column {name!r} of table {table!r} {wrong.message}: {wrong.remedy}"
    return tuple(columns), unreadable


def window_columns(
    monitor: Monitor, types: Mapping[str, ColumnType], baseline: Baseline, present: Sequence[str]
) -> tuple[tuple[Column, ...], dict[str, str]]:
    """Return the columns that can be counted on a baseline's bins, and the reason for each of the others.

    What ``features: '*'`` stands for, and the kinds that the file leaves to the table, are those of the baseline: so a
    column that vanishes, comes or changes its type costs itself only.

    Parameters
    ----------
    monitor
        The monitor file.
    types
        The inference log's columns now.
    baseline
        The monitor's baseline.
    present
        The features that the inference log holds now, see `feature_names`.
    """
    frozen = baseline.features
    kinds = {name: bins.kind for name, bins in baseline.bins.items()}
    columns, unreadable = monitored_columns(monitor, types, frozen, kinds=kinds)
    table = monitor.inference_log.table
    for name in unreadable:
        if name not in types and name in baseline.columns and name not in baseline.unreadable:
            unreadable[name] = (
                f"column {name!r} was in the baseline and is not in table {table!r} any more{_hint(name, types)}"
            )
    for column in columns:
        if column.name not in baseline.bins:
            unreadable[column.name] = baseline.unreadable[column.name]
    for name in present:
        if name not in frozen and name not in unreadable and name not in {column.name for column in columns}:
            unreadable[name] = (
                f"column {name!r} is in table {table!r} and not in the baseline, so it is compared with nothing: to "
                "compare it, name another period or table under `baseline`"
            )
    return tuple(column for column in columns if column.name in baseline.bins), unreadable


def _hint(name: str, types: Mapping[str, ColumnType]) -> str:
    near = get_close_matches(name, types, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; it has {', '.join(types)}"
