"""How far columns moved away from the baseline, and whether that is more than chance and more than a trifle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from monitoring_tasks.checks.check import CheckContext
from monitoring_tasks.checks.result import Result, Status
from monitoring_tasks.profile import Bins, ColumnProfile
from monitoring_tasks.statistics.drift import (
    DriftMetric,
    chi_squared_test,
    drift_metric,
    kolmogorov_smirnov,
    kolmogorov_smirnov_p_value,
    select,
)
from monitoring_tasks.statistics.drift.metric import Kind
from monitoring_tasks.statistics.multiple_testing import benjamini_hochberg

if TYPE_CHECKING:
    from monitoring_tasks.config import DriftSettings

ORDERED = ("kolmogorov_smirnov", "wasserstein")
"""Metrics of the order of values; their p-value is Kolmogorov's, the others' that of chi-squared on the merged bins."""


@dataclass(frozen=True)
class Measured:
    """One metric of one column, not yet decided."""

    metric: DriftMetric
    result: Result
    size: float | None
    """What a threshold is applied to; None where it could not be measured."""
    moved: str = ""
    """Which bin moved most, in words."""


def drift(context: CheckContext, columns: Sequence[str], settings: DriftSettings) -> list[Result]:
    """Compare these columns with the baseline, over all rows and in every segment that the baseline knows.

    An alarm needs both: significance after Benjamini and Hochberg's correction over all columns of the window, at
    `false_alarm_rate`; and a size of at least `minimum_effect`. A significant change of half that size is a warning. A
    `fixed` threshold replaces both.
    """
    results = [
        Result("unreadable", column_name=name, status="error", message=context.profile.unreadable[name])
        for name in columns
        if name in context.profile.unreadable
    ]
    readable = [name for name in columns if name in context.profile.columns]
    for segment in (context.profile, *context.segments):
        reference = context.baseline.columns if not segment.segment else context.baseline.segments.get(segment.segment)
        if reference is None:
            continue
        measured = [
            item
            for name in readable
            if segment.segment.partition("=")[0] != name  # within origin=JFK the origin cannot move
            for item in _measured(settings.metrics, context.baseline.bins[name], reference[name], segment.columns[name])
        ]
        decided = [replace(result, segment=segment.segment) for result in _decide(measured, settings)]
        results += decided
        if decided:
            results.append(replace(_drifted_share(decided), segment=segment.segment))
    return results


def _measured(names: Sequence[str], bins: Bins, reference: ColumnProfile, current: ColumnProfile) -> list[Measured]:
    """Take every metric that suits the column; a metric without values on both sides has none."""
    metrics = [metric for name in names if _layout(bins) in (metric := drift_metric(name)).kinds]
    p_values = {
        ordered: _p_value(bins, reference, current, ordered=ordered)
        for ordered in {metric.name in ORDERED for metric in metrics}
    }
    moved = _what_moved(bins, reference, current) if reference.rows and current.rows else ""
    found = []
    for metric in metrics:
        result = Result(metric.name, column_name=current.column, baseline_rows=reference.rows, window_rows=current.rows)
        before, after = select(metric, _layout(bins), reference.array(), current.array())
        scale = reference.standard_deviation if metric.needs_edges else 1.0
        if not before.sum() or not after.sum() or not scale:
            found.append(Measured(metric, result, None))
            continue
        extra = (_closed_edges(bins, reference, current), scale) if metric.needs_edges else ()
        value = metric.function(before, after, *extra)
        size = value if metric.effect is None else float(metric.effect(before, after))
        detail = {} if metric.effect is None else {"effect": size}
        result = replace(result, value=value, p_value=p_values[metric.name in ORDERED], detail=detail)
        found.append(Measured(metric, result, size, moved))
    return found


def _decide(measured: Sequence[Measured], settings: DriftSettings) -> list[Result]:
    significant = np.zeros(len(measured), np.bool_)
    for metric in {item.metric.name for item in measured}:
        mine = [i for i, item in enumerate(measured) if item.metric.name == metric]
        p_values = np.array([np.nan if (p := measured[i].result.p_value) is None else p for i in mine])
        significant[mine] = benjamini_hochberg(p_values, settings.false_alarm_rate)
    return [_decided(item, bool(sure), settings) for item, sure in zip(measured, significant, strict=True)]


def _decided(item: Measured, significant: bool, settings: DriftSettings) -> Result:
    result, name = item.result, item.metric.name
    fixed = settings.fixed.get(name)  # type: ignore[call-overload]
    threshold = fixed if fixed is not None else settings.minimum_effect.get(name, item.metric.minimum_effect)  # type: ignore[call-overload]
    rows = result.window_rows or 0
    if rows < settings.minimum_rows:
        message = f"{result.column_name}: {rows} rows are too few to judge, {settings.minimum_rows} are needed"
        return replace(result, threshold_upper=threshold, status="insufficient_data", message=message)
    if item.size is None:
        message = f"{result.column_name}: {name} cannot be measured, there is no value on one of the two sides"
        return replace(result, threshold_upper=threshold, status="insufficient_data", message=message)
    status: Status = "ok"
    if fixed is not None:
        status = "alarm" if item.size > fixed else "ok"
    elif significant and item.size >= threshold:
        status = "alarm"
    elif significant and item.size >= threshold / 2:
        status = "warning"
    verb = {"ok": "is in order", "warning": "moved a little", "alarm": "moved"}[status]
    size = f"{name} {item.size:.3g}" if item.metric.effect is None else f"{name} effect {item.size:.3g}"
    message = f"{result.column_name} {verb}: {size} (alarm above {threshold:g})"
    if status != "ok" and item.moved:
        message = f"{message}; {item.moved}"
    return replace(result, threshold_upper=threshold, status=status, message=message)


def _drifted_share(results: Sequence[Result]) -> Result:
    judged = {r.column_name for r in results if r.decided() in ("ok", "warning", "alarm")}
    moved = sorted({r.column_name for r in results if r.decided() == "alarm"})
    some = results[0]
    if not judged:
        message = "no column could be judged"
        return Result("drifted_share", window_rows=some.window_rows, status="insufficient_data", message=message)
    return Result(
        "drifted_share",
        value=len(moved) / len(judged),
        baseline_rows=some.baseline_rows,
        window_rows=some.window_rows,
        status="info",
        message=f"{len(moved)} of {len(judged)} columns moved" + (f": {', '.join(moved)}" if moved else ""),
    )


def _p_value(bins: Bins, reference: ColumnProfile, current: ColumnProfile, *, ordered: bool) -> float | None:
    metric = drift_metric("kolmogorov_smirnov" if ordered else "psi")
    before, after = select(metric, _layout(bins), reference.array(), current.array())
    if not before.sum() or not after.sum():
        return None
    if ordered:
        return kolmogorov_smirnov_p_value(kolmogorov_smirnov(before, after), int(before.sum()), int(after.sum()))
    return chi_squared_test(before, after).p_value


def _closed_edges(bins: Bins, reference: ColumnProfile, current: ColumnProfile) -> NDArray[np.float64]:
    """Return the edges with the two open bins closed by the extreme values seen."""
    low = min(x for x in (bins.edges[0], reference.minimum, current.minimum) if x is not None)
    high = max(x for x in (bins.edges[-1], reference.maximum, current.maximum) if x is not None)
    return np.array([low, *bins.edges, high])


def _what_moved(bins: Bins, reference: ColumnProfile, current: ColumnProfile) -> str:
    """Name the bin whose share changed most."""
    before, after = reference.array() / reference.rows, current.array() / current.rows
    place = int(np.argmax(np.abs(after - before)))
    verb = "rose" if after[place] > before[place] else "fell"
    return f"{bins.labels()[place]} {verb} from {_percent(before[place])} to {_percent(after[place])}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.095 or share == 0 else f"{100 * share:.2g} %"


def _layout(bins: Bins) -> Kind:
    return "categorical" if bins.kind == "categorical" else "numeric"
