"""How far columns moved away from the baseline, and whether that is more than chance and more than a trifle."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from monitoring_tasks.checks.check import CheckContext
from monitoring_tasks.checks.result import Result, Status
from monitoring_tasks.checks.unreadable import unreadable
from monitoring_tasks.checks.wording import number, percent
from monitoring_tasks.profile import NULL, OTHER, UNSEEN, Bins, ColumnProfile
from monitoring_tasks.reference import Reference
from monitoring_tasks.statistics.drift import (
    DriftMetric,
    chi_squared_test,
    drift_metric,
    kolmogorov_smirnov,
    kolmogorov_smirnov_p_value,
    select,
)
from monitoring_tasks.statistics.drift.metric import Layout
from monitoring_tasks.statistics.histogram import IntArray
from monitoring_tasks.statistics.multiple_testing import benjamini_hochberg

if TYPE_CHECKING:
    from monitoring_tasks.config import DriftSettings

ORDERED = ("kolmogorov_smirnov", "wasserstein")
"""Metrics of the order of values; their p-value is Kolmogorov's, the others' that of chi-squared on the merged bins."""


@dataclass(frozen=True)
class Measured:
    """One metric of one column in one segment, not yet decided."""

    metric: DriftMetric
    result: Result
    size: float | None = None
    """What a threshold is applied to; None where it could not be measured."""
    why_not: str = ""
    """Why it could not be measured."""
    moved: Callable[[], str] = str
    """Says which bin moved most; asked only where something did."""


def drift(context: CheckContext, columns: Sequence[str], settings: DriftSettings) -> list[Result]:
    """Compare these columns with the baseline, over all rows and in every segment that the baseline knows.

    An alarm needs both: significance at `false_alarm_rate`, for each metric after Benjamini and Hochberg's correction
    over all columns and segments of the window that have rows enough to be judged; and a size above `minimum_effect`.
    A significant change above half that size is a warning. A `fixed` threshold replaces both.
    """
    results = unreadable(context, columns)
    missing = {result.column_name for result in results}
    readable = [name for name in columns if name in context.profile.columns and name not in missing]
    measured: list[Measured] = []
    for profile in (context.profile, *context.segments):
        reference = context.reference.columns.get(profile.segment)
        if reference is None:
            continue
        for name in readable:
            if profile.segment.partition("=")[0] != name:  # within origin=JFK the origin cannot move
                bins, current = context.baseline.bins[name], profile.columns[name]
                measured += _measured(settings.metrics, bins, reference[name], current, profile.segment)
    decided = _decide(measured, settings)
    segments = dict.fromkeys(result.segment for result in decided)
    shares = [_drifted_share([result for result in decided if result.segment == segment]) for segment in segments]
    return [*results, *(_compared_with(context.earlier, result) for result in (*decided, *shares))]


def _compared_with(earlier: Reference | None, result: Result) -> Result:
    """Say what the numbers were compared with, where that is not the same in every window."""
    if earlier is None:
        return result
    name = earlier.named(result.segment, result.column_name)
    return replace(result, detail={**result.detail, "compared_with": name})


def _measured(
    names: Sequence[str], bins: Bins, reference: ColumnProfile, current: ColumnProfile, segment: str
) -> list[Measured]:
    """Take every metric that suits the column."""
    layout: Layout = "categorical" if bins.kind == "categorical" else "numeric"
    metrics = [metric for name in names if layout in (metric := drift_metric(name)).layouts]
    before, after = reference.array(), current.array()
    # Several metrics, and the tests, are taken over the same bins.
    by_bins = {metric.bins: metric for metric in (*metrics, *map(_test, metrics))}
    sides = {name: select(metric, layout, before, after) for name, metric in by_bins.items()}
    p_values = {test.name: _p_value(test, *sides[test.bins]) for test in dict.fromkeys(map(_test, metrics))}
    rows = Result(
        "", column_name=current.column, segment=segment, baseline_rows=reference.rows, window_rows=current.rows
    )
    found = []
    for metric in metrics:
        a, b = sides[metric.bins]
        scale = reference.standard_deviation if metric.needs_edges else None
        if not a.any() or not b.any() or (metric.needs_edges and not scale):
            empty = "the window holds no value" if a.any() else "the baseline holds no value"
            why = "its baseline is constant" if a.any() and b.any() else empty
            found.append(Measured(metric, replace(rows, metric=metric.name), why_not=why))
            continue
        extra = (_closed_edges(bins, reference, current), scale) if metric.needs_edges else ()
        value = metric.function(a, b, *extra)
        size = value if metric.effect is None else float(metric.effect(a, b))
        detail = {} if metric.effect is None else {"effect": size}
        result = replace(rows, metric=metric.name, value=value, p_value=p_values[_test(metric).name], detail=detail)
        found.append(Measured(metric, result, size, moved=partial(what_moved, bins, before, after)))
    return found


def _decide(measured: Sequence[Measured], settings: DriftSettings) -> list[Result]:
    significant = np.zeros(len(measured), np.bool_)
    for name in {item.metric.name for item in measured}:
        mine = [i for i, item in enumerate(measured) if item.metric.name == name]
        p_values = [_judged_p_value(measured[i].result, settings) for i in mine]
        significant[mine] = benjamini_hochberg(p_values, settings.false_alarm_rate)
    return [_decided(item, bool(sure), settings) for item, sure in zip(measured, significant, strict=True)]


def _judged_p_value(result: Result, settings: DriftSettings) -> float:
    """Return NaN for what is not judged, so that it does not count as one more test."""
    judged = result.p_value is not None and (result.window_rows or 0) >= settings.minimum_rows
    return result.p_value if judged and result.p_value is not None else math.nan


def _decided(item: Measured, significant: bool, settings: DriftSettings) -> Result:
    result, metric = item.result, item.metric
    fixed = settings.fixed.get(metric.name)  # type: ignore[call-overload]
    usual = settings.minimum_effect.get(metric.name, metric.minimum_effect)  # type: ignore[call-overload]
    threshold: float = usual if fixed is None else fixed
    if metric.effect is None:
        result = replace(result, threshold_upper=threshold)
    else:  # the bound is on the effect: beside the value, in other units, it would mislead
        result = replace(result, detail={**result.detail, "effect_threshold": threshold})
    rows = result.window_rows or 0
    if rows < settings.minimum_rows:
        message = f"{result.column_name}: {rows} rows are too few to judge, {settings.minimum_rows} are needed"
        return replace(result, status="insufficient_data", message=message)
    if item.size is None:
        message = f"{result.column_name}: {metric.name} cannot be measured, {item.why_not}"
        return replace(result, status="insufficient_data", message=message)
    status: Status = "ok"
    if item.size > threshold and (significant or fixed is not None):
        status = "alarm"
    elif item.size > threshold / 2 and significant and fixed is None:
        status = "warning"
    verb = {"ok": "is in order", "warning": "moved a little", "alarm": "moved"}[status]
    bound = f"alarm above {threshold:g}"
    if item.size > threshold and status == "ok":
        bound += f", but chance alone may do this: p = {number(result.p_value or 0.0)}"
    size = f"{metric.name} {number(result.value or 0.0)}"
    if metric.effect is not None:
        size += f", effect {number(item.size)}"
    message = f"{result.column_name} {verb}: {size} ({bound})"
    return replace(result, status=status, message=message if status == "ok" else f"{message}; {item.moved()}")


def _drifted_share(results: Sequence[Result]) -> Result:
    judged = {r.column_name for r in results if r.decided() in ("ok", "warning", "alarm")}
    moved = sorted({r.column_name for r in results if r.decided() == "alarm"})
    rows, segment = results[0].window_rows, results[0].segment
    if not judged:
        message = "no column could be judged"
        return Result("drifted_share", segment=segment, window_rows=rows, status="insufficient_data", message=message)
    return Result(
        "drifted_share",
        value=len(moved) / len(judged),
        segment=segment,
        baseline_rows=results[0].baseline_rows,
        window_rows=rows,
        status="info",
        message=f"{len(moved)} of {len(judged)} columns moved" + (f": {', '.join(moved)}" if moved else ""),
    )


def _test(metric: DriftMetric) -> DriftMetric:
    """Return the metric on whose bins the significance of this one is tested."""
    return _TEST_OF_ORDER if metric.name in ORDERED else _TEST_OF_SHARES


def _p_value(test: DriftMetric, reference: IntArray, current: IntArray) -> float | None:
    if not reference.any() or not current.any():
        return None
    if test is _TEST_OF_SHARES:
        return chi_squared_test(reference, current).p_value
    rows = int(reference.sum()), int(current.sum())
    return kolmogorov_smirnov_p_value(kolmogorov_smirnov(reference, current), *rows)


def _closed_edges(bins: Bins, reference: ColumnProfile, current: ColumnProfile) -> NDArray[np.float64]:
    """Return the edges with the two open bins closed by the extreme values seen."""
    low = min(x for x in (bins.edges[0], reference.minimum, current.minimum) if x is not None)
    high = max(x for x in (bins.edges[-1], reference.maximum, current.maximum) if x is not None)
    return np.array([low, *bins.edges, high])


def what_moved(bins: Bins, reference: IntArray, current: IntArray) -> str:
    """Name the bin whose share changed most."""
    before, after = reference / reference.sum(), current / current.sum()
    place = int(np.argmax(np.abs(after - before)))
    label = bins.labels()[place]
    verb = "rose" if after[place] > before[place] else "fell"
    return f"the share of {_WORDS.get(label, label)} {verb} from {percent(before[place])} to {percent(after[place])}"


_WORDS = {NULL: "missing values", OTHER: "rarer values", UNSEEN: "values never seen before"}
_TEST_OF_ORDER, _TEST_OF_SHARES = drift_metric("kolmogorov_smirnov"), drift_metric("psi")
