"""What windows are compared with: found by what the monitor file declares of it, or measured once and frozen."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from monitoring_tasks.baseline_parts import PartCounts, parts_of
from monitoring_tasks.columns import Column, monitored_columns
from monitoring_tasks.config import ColumnType, Monitor
from monitoring_tasks.config.roles import Role, no_features, roles_of, stated_kind
from monitoring_tasks.errors import DataError, about
from monitoring_tasks.labels import measure_outcome_bins
from monitoring_tasks.profile import Baseline, Bins, ColumnProfile, Kind
from monitoring_tasks.results.store import Store
from monitoring_tasks.warehouse.bins import LATENCY_BINS, measure_bins
from monitoring_tasks.warehouse.broken_columns import without_broken
from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.scan import tallies
from monitoring_tasks.warehouse.statement import Source
from monitoring_tasks.window import ALL_TIME, Window, format_instant

METHOD = 6
"""Raise it when a baseline is measured in another way: each monitor's is then measured again."""

COMPARED: frozenset[Role] = frozenset({"feature", "segment"})
"""Roles that mean nothing without a reference; a column with any other is counted all the same."""


def find_baseline(monitor: Monitor, store: Store) -> Baseline | None:
    """Return the monitor's baseline if it was measured already.

    It is looked up by what the file declares: warehouse, source, period, whether it moves, and the columns with their
    kinds and roles. So it stays as it is when rows are added to its period or a column vanishes from its table, and a
    changed declaration makes a new one. A warehouse is its name in the file, wherever the environment says that it is.
    """
    return store.find_baseline(monitor.name, _digest(_declared(monitor)))


def is_declared(monitor: Monitor, baseline: Baseline) -> bool:
    """Return whether the monitor file still asks for this baseline and these columns."""
    declared = _declared(monitor)
    return declared == {key: baseline.definition.get(key) for key in declared}


def measure_baseline(
    monitor: Monitor,
    types: Mapping[str, ColumnType],
    features: Sequence[str],
    log: Source,
    warehouse: Warehouse,
    store: Store,
) -> Baseline:
    """Measure the baseline, store it for good and return it.

    A column that cannot be read now has no bins in it, and says so from then on; see `Baseline.unreadable`.

    Parameters
    ----------
    monitor
        The monitor file.
    types
        The inference log's columns.
    features
        The features that it holds.
    log
        The inference log.
    warehouse
        An open warehouse.
    store
        An open store.

    Raises
    ------
    DataError
        If the baseline has no rows.
    """
    source, columns, unreadable = log, *monitored_columns(monitor, types, features)
    kinds = {column.name: column.kind for column in columns}
    if monitor.baseline.table is not None:
        source = Source(monitor.baseline.table, None)
        its_types = warehouse.columns(source.table)
        features = [name for name in features if name in its_types or monitor.inference_log.features.names]
        columns, unreadable = monitored_columns(monitor, its_types, features, kinds=kinds, table=source.table)
    period = monitor.baseline.period
    window = ALL_TIME if period is None else period.window
    with about(f"table {source.table!r}"):
        rows_of_it = None if period is None else window
        bins, broken = without_broken(
            warehouse,
            source,
            columns,
            rows_of_it,
            lambda some: measure_bins(warehouse, source, some, rows_of_it, monitor.baseline_is_past),
        )
        columns = tuple(column for column in columns if column.name not in broken)
        unreadable = {**unreadable, **broken}
        outcomes = measure_outcome_bins(monitor, warehouse, source, columns, bins, rows_of_it)
        segments = [name for name in monitor.segments if name in bins]
        windows = [window] if period is None else parts_of(window, source.timezone, source.timestamp_type == "date")
        counted = _count(warehouse, source, columns, bins, windows, segments)
        if counted.unreadable:  # such as a latency, whose bins are no question to the table
            columns = tuple(column for column in columns if column.name not in counted.unreadable)
            bins = {column.name: bins[column.name] for column in columns}
            unreadable = {**unreadable, **counted.unreadable}
            segments = [name for name in segments if name in bins]
            counted = _count(warehouse, source, columns, bins, windows, segments)
    rows, parts, sums = counted.rows, counted.parts, counted.sums
    if rows == 0:
        where = f"between {format_instant(window.start)} and {format_instant(window.end)}" if period else "at all"
        raise DataError(f"monitor {monitor.name!r}: the baseline's table {source.table!r} has no rows {where}")
    unmeasured = {
        name: _bins_without_rows(roles, stated_kind(monitor, name, roles) or kinds.get(name, "categorical"))
        for name, roles in roles_of(monitor).items()
        if name in unreadable and set(roles) - COMPARED
    }
    whole = sums.pop("")
    declared = _declared(monitor)
    reasons = {name: _without(name, why) for name, why in unreadable.items()}
    # Not of the whole table, which may hold more in one warehouse than in another.
    its_own = {name: types[name] for name in roles_of(monitor, features) if name in types}
    found = {"features": list(features), "unreadable": reasons, "types": its_own}
    baseline = Baseline(
        monitor=monitor.name,
        definition=declared | found,
        bins={**bins, **unmeasured},
        columns={**whole, **{name: _no_rows(name, its) for name, its in unmeasured.items()}},
        rows=rows,
        segments=sums,
        dispersions={} if period is None else parts.dispersions(),
        outcomes=outcomes,
    )
    return store.write_baseline(baseline, _digest(declared))


@dataclass
class _Counted:
    """The baseline's rows, counted on its bins."""

    parts: PartCounts
    rows: int = 0
    sums: dict[str, dict[str, ColumnProfile]] = field(default_factory=dict)
    """By segment, then by column."""
    unreadable: dict[str, str] = field(default_factory=dict)
    """Columns that could not be read in some part, and why: what was counted of them is not all."""


def _count(
    warehouse: Warehouse,
    source: Source,
    columns: Sequence[Column],
    bins: Mapping[str, Bins],
    windows: Sequence[Window],
    segments: Sequence[str],
) -> _Counted:
    counted = _Counted(PartCounts(windows, bins))
    for tally in tallies(warehouse, source, columns, bins, windows, segments):
        counted.unreadable.update(tally.unreadable)
        if not counted.unreadable:
            counted.rows += int(tally.rows[:, 0].sum())
            counted.sums = tally.added(counted.sums)
            counted.parts.add(tally)
        del tally  # before the next one is counted
    return counted


def _declared(monitor: Monitor) -> dict[str, Any]:
    """Return what the file says of the baseline, whatever the warehouse holds today."""
    log, period, table = monitor.inference_log, monitor.baseline.period, monitor.baseline.table
    return {
        **_declared_labels(monitor),
        "method": METHOD,
        "warehouse": monitor.warehouse,
        "source": table or log.table,
        "timestamp": None if table else log.timestamp,
        "moves": monitor.baseline_is_past,
        "period": None if period is None else [format_instant(period.start), format_instant(period.end)],
        "columns": [
            [name, stated_kind(monitor, name, roles), list(roles)] for name, roles in sorted(roles_of(monitor).items())
        ],
        "all_columns_but": sorted(no_features(monitor)) if log.features.names is None else None,
    }


def _declared_labels(monitor: Monitor) -> dict[str, Any]:
    """Return what decides how labels are counted; a monitor without them keeps the baseline that it had."""
    log, labels = monitor.inference_log, monitor.labels
    if labels is None:
        return {}
    score = dict(log.score) if isinstance(log.score, Mapping) else log.score
    return {
        "labels": [labels.table, labels.key, labels.value],
        "task": [monitor.task, log.positive_class, score, log.prediction],
    }


def _digest(declared: Mapping[str, Any]) -> str:
    return sha256(json.dumps(declared, sort_keys=True).encode()).hexdigest()


def _without(column: str, reason: str) -> str:
    return (
        f"the baseline was measured without column {column!r} and never changes ({reason}): once that is mended, name "
        "another period or table under `baseline` to measure a new one"
    )


def _bins_without_rows(roles: Sequence[Role], kind: Kind) -> Bins:
    """Return bins that need no reference: those of a latency are fixed, elsewhere null is told from the rest."""
    return LATENCY_BINS if "latency" in roles else Bins(kind)


def _no_rows(name: str, bins: Bins) -> ColumnProfile:
    return ColumnProfile(name, bins.kind, (0,) * len(bins))
