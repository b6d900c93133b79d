"""Why performance moved: what the inputs' shift explains, and what the changed relation does."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitoring_tasks.checks.check import CheckContext
from monitoring_tasks.checks.result import Result
from monitoring_tasks.checks.wording import number, percent
from monitoring_tasks.labels_profile import LabelsProfile
from monitoring_tasks.statistics.intervals import Z
from monitoring_tasks.statistics.performance import Outcomes, PerformanceMetric
from monitoring_tasks.statistics.performance.decomposition import Decomposition, Part, by_place, decompose
from monitoring_tasks.statistics.performance.metric import SUMS

DRAWS = 60
"""Redrawn tables of each decomposition: standard errors are within 9 %."""

MISSING = 0.05
"""A share of missing or never seen values that is larger than the baseline's by this is named beside a change."""

JOINTLY = ""
"""The column of the decomposition by all features at once."""


@dataclass(frozen=True)
class Split:
    """The change of a metric, split by one column or by all."""

    column: str
    parts: Decomposition
    rest: float
    """What is left of the whole change: it is also what coarser bins of the score do not tell."""


def performance_change(context: CheckContext, metric: PerformanceMetric) -> list[Result]:
    """Split the change of the metric against the baseline by the score, by each feature and jointly.

    The parts of every split add up to the whole exactly. For each column there are the rows
    ``<metric>_change_inputs`` and ``<metric>_change_relation``; with an empty column they are of all features at once.
    The row ``<metric>_change`` has the whole change, and says in one sentence what moved it.
    """
    current, baseline = context.labels_profile, context.labelled_baseline
    if current is None or baseline is None or not current.labelled or not baseline.whole.labelled:
        return []
    before, after = (float(metric.function(each.outcomes)) for each in (baseline.whole, current))
    if math.isnan(before) or math.isnan(after):
        return []
    splits = _splits(context, metric, baseline.whole, current, after - before)
    if not splits:
        return []
    results = [_whole(context, metric, before, after, splits)]
    for split in splits:
        results += _rows(metric, split, current.labelled, baseline.whole.labelled)
    return results


def _splits(
    context: CheckContext, metric: PerformanceMetric, before: LabelsProfile, after: LabelsProfile, change: float
) -> list[Split]:
    sides: list[tuple[str, Outcomes, Outcomes]] = []
    score = context.monitor.inference_log.score
    if before.bins.task == "binary_classification" and isinstance(score, str) and before.bins.edges:
        sides.append((score, by_place(before.coarse), by_place(after.coarse)))
    names = [name for name in context.baseline.features if name in before.columns and name in after.columns]
    sides += [(name, before.by_bin(name), after.by_bin(name)) for name in names]
    found = []
    for column, reference, current in sides:
        if metric.suits(reference) and metric.suits(current):
            held = [_needed(metric, side, reference.rows + current.rows > 0) for side in (reference, current)]
            parts = decompose(metric.function, held[0], held[1], rng=np.random.default_rng(0), draws=DRAWS)
            if not math.isnan(parts.inputs.value + parts.relation.value):
                found.append(Split(column, parts, change - parts.inputs.value - parts.relation.value))
    return found


def _needed(metric: PerformanceMetric, outcomes: Outcomes, bins: NDArray[np.bool_]) -> Outcomes:
    """Leave out what the metric does not read, and bins without a row: every draw would carry them along."""
    needed = SUMS.get(metric.name, ())
    sums = {name: each[bins] for name, each in outcomes.sums.items() if name in needed}
    return Outcomes(outcomes.counts[bins], sums, outcomes.edges)


def _rows(metric: PerformanceMetric, split: Split, rows: int, baseline_rows: int) -> list[Result]:
    by = f"by {split.column}" if split.column else "by all features at once"
    words = {
        "inputs": f"other inputs explain {{}} of the change of {metric.label}, {by}",
        "relation": f"equal inputs that come out otherwise explain {{}} of the change of {metric.label}, {by}",
    }
    detail = {
        "rest": split.rest,
        "interaction": split.parts.interaction.value,
        "shared": split.parts.shared,
    }
    return [
        Result(
            f"{metric.name}_change_{name}",
            value=part.value,
            value_lower=_known(part.lower),
            value_upper=_known(part.upper),
            column_name=split.column,
            window_rows=rows,
            baseline_rows=baseline_rows,
            status="info",
            message=words[name].format(_signed(part)),
            detail=detail,
        )
        for name, part in (("inputs", split.parts.inputs), ("relation", split.parts.relation))
    ]


def _whole(
    context: CheckContext, metric: PerformanceMetric, before: float, after: float, splits: Sequence[Split]
) -> Result:
    """Return the whole change, and the sentence that says it."""
    change = after - before
    first = splits[0].parts.change
    # The same error on finer bins: the interval lies about the exact change.
    half = Z * first.standard_error
    jointly = next((split for split in splits if split.column == JOINTLY), None)
    by_feature = [split for split in splits if split.column not in (JOINTLY, context.monitor.inference_log.score)]
    shown = jointly or max(by_feature, key=_certainty, default=splits[0])
    verb = "rose" if change > 0 else "fell"
    sentence = f"{metric.label} {verb} {number(abs(change))} from {number(before)} to {number(after)}"
    if not abs(change) > half:
        sentence = f"{sentence}, which chance alone may do"
    sentence = f"{sentence}: {_explained(shown, by_feature)}"
    beside = data_failures(context)
    return Result(
        f"{metric.name}_change",
        value=change,
        value_lower=_known(change - half),
        value_upper=_known(change + half),
        window_rows=context.labels_profile.labelled if context.labels_profile else None,
        baseline_rows=context.labelled_baseline.whole.labelled if context.labelled_baseline else None,
        status="info",
        message="; ".join([sentence, *beside[:3]]),
        detail={
            "baseline": before,
            "by": shown.column or "all features",
            "inputs": shown.parts.inputs.value,
            "relation": shown.parts.relation.value,
            "rest": shown.rest,
            "data_failures": beside,
        },
    )


def _certainty(split: Split) -> float:
    """Return how many standard errors the inputs' part is from none: the largest part of all is one of the noisiest."""
    error = split.parts.inputs.standard_error
    return abs(split.parts.inputs.value) / error if error > 1e-9 else 0.0


def _explained(shown: Split, by_feature: Sequence[Split]) -> str:
    """Say the two parts, each with the feature that shows it most."""
    moved = max(by_feature, key=_certainty, default=None)
    turned = max(by_feature, key=lambda split: abs(split.parts.relation.value), default=None)
    inputs = f"{_signed(shown.parts.inputs)} from other inputs"
    inputs += f" (most by {moved.column}, {_signed(moved.parts.inputs)})" if moved and not shown.column else ""
    inputs += f", by {shown.column}" if shown.column else ""
    relation = f"{_signed(shown.parts.relation)} because equal inputs come out otherwise"
    if turned is not None and not shown.column:
        relation += f" (most at equal {turned.column})"
    rest = f", {shown.rest:+.2g} not told apart" if abs(shown.rest) >= 0.005 else ""
    return f"{inputs}, {relation}{rest}"


def data_failures(context: CheckContext) -> list[str]:
    """Return what is wrong with the window's data: a reason that no split of performance can tell."""
    found = [f"{name} could not be read" for name in context.profile.unreadable]
    for name in context.baseline.features:
        column, reference = context.profile.columns.get(name), context.baseline.columns.get(name)
        if column is None or reference is None or not column.rows or not reference.rows:
            continue
        missing, usual = column.nulls / column.rows, reference.nulls / reference.rows
        if missing - usual > MISSING:
            found.append(f"{name} is missing in {percent(missing)} of the rows instead of {percent(usual)}")
        unseen = column.counts[-1] / column.rows if column.kind == "categorical" else 0.0
        if unseen > MISSING:
            found.append(f"{percent(unseen)} of the rows have a {name} that the baseline never saw")
    return found


def _signed(part: Part) -> str:
    return f"{part.value:+.2g}"


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
