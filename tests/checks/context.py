"""What a check is given, made of counts: no warehouse, no store."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from monitoring_tasks.checks import CheckContext
from monitoring_tasks.config import Monitor
from monitoring_tasks.profile import Baseline, Bins, ColumnProfile, Profile
from monitoring_tasks.window import Window

WINDOW = Window(datetime(2024, 4, 1, tzinfo=UTC), datetime(2024, 4, 2, tzinfo=UTC))


def numeric(name: str, bins: Bins, values: np.ndarray) -> ColumnProfile:
    """Count raw values as the scan does; NaN is null."""
    known = values[~np.isnan(values)]
    edges = np.array(bins.edges or (-np.inf,))  # without edges every value is above
    counts = [len(values) - len(known), *np.bincount(np.searchsorted(edges, known, "right"), minlength=len(edges) + 1)]
    sums = (known.min(), known.max(), known.sum(), (known**2).sum()) if known.size else (None,) * 4
    return ColumnProfile(name, "numeric", tuple(map(int, counts)), *(None if x is None else float(x) for x in sums))


def categorical(name: str, *counts: int) -> ColumnProfile:
    """Null, each category, other, unseen."""
    return ColumnProfile(name, "categorical", counts)


def context(
    monitor: Monitor,
    bins: dict[str, Bins],
    reference: dict[str, list[ColumnProfile]],
    current: dict[str, list[ColumnProfile]],
    unreadable: dict[str, str] | None = None,
) -> CheckContext:
    """Put profiles together, by segment; '' is all rows."""
    before = {segment: {column.column: column for column in columns} for segment, columns in reference.items()}
    after = [
        Profile(WINDOW, columns[0].rows if columns else 0, {c.column: c for c in columns}, segment, unreadable or {})
        for segment, columns in current.items()
    ]
    whole = before.pop("")
    rows = next(iter(whole.values())).rows
    definition = {"features": list(monitor.inference_log.features.names or bins)}
    baseline = Baseline(monitor.name, definition, bins, whole, rows, before)
    return CheckContext(monitor, WINDOW, after[0], baseline, tuple(after[1:]))
