"""Backtest of the estimates: how often their intervals held what the labels showed, over the latest windows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from monitoring_tasks.checks.check import CheckContext
from monitoring_tasks.checks.expected_performance import Inputs, estimate_of, expect, holds, is_enough
from monitoring_tasks.checks.labels import maturity, too_few_labels
from monitoring_tasks.checks.result import Result, Status
from monitoring_tasks.checks.wording import counted, number
from monitoring_tasks.config import Performance
from monitoring_tasks.labelled_baseline import LabelledBaseline
from monitoring_tasks.labels_profile import LabelsProfile
from monitoring_tasks.statistics.intervals import wilson_interval
from monitoring_tasks.statistics.performance import PerformanceMetric

LOOK_BACK = 30
"""Windows that are looked at, this one with them."""

FEWEST_WINDOWS = 10
"""With fewer nothing is said: of five, two may miss by chance."""

TOO_LOW = 0.9
"""Coverage of 95 % intervals below which the estimates are not to be relied on."""


@dataclass(frozen=True)
class Backtest:
    """An estimate beside what the labels showed."""

    error: float
    """Estimate minus truth."""
    inside: bool
    """Whether the interval held the truth."""


def estimate_coverage(
    context: CheckContext, metrics: Sequence[PerformanceMetric], baseline: LabelledBaseline, inputs: Inputs
) -> Result:
    """Tell in how many of the latest windows the interval held the truth, and warn if they are significantly too few.

    It is of all rows, and of the metric that decides whose intervals held it least often. It is only told where the
    window's own labels are complete: by then those of earlier windows are, too, so that it does not depend on when they
    came.
    """
    assert context.labels is not None
    waiting = maturity(context)
    detail = {"metrics": [metric.name for metric in metrics]}
    if waiting:
        message = f"the estimates cannot be held against the labels yet: {waiting}"
        return Result("estimate_coverage", status="insufficient_data", message=message, detail=detail)
    minimum = (context.monitor.checks.performance or Performance()).minimum_coverage
    return coverage_of(
        metrics,
        [
            backtest(tuple(metrics), profile, baseline, inputs)
            for profile in (*context.labels_before(), context.labels.profiles[0])[-LOOK_BACK:]
            if too_few_labels(profile, minimum) is None
        ],
    )


@lru_cache(maxsize=LOOK_BACK + 1)
def backtest(
    metrics: tuple[PerformanceMetric, ...], profile: LabelsProfile, baseline: LabelledBaseline, inputs: Inputs
) -> Mapping[str, Backtest]:
    """Estimate a window whose labels are known as if they were not, by metric; without those that are not defined.

    It is a function of its arguments, and kept for a while: the next window asks for the same ones.
    """
    expected = expect(profile, baseline, inputs) if is_enough(profile) else None
    found: dict[str, Backtest] = {}
    for metric in metrics if expected is not None else ():
        assert expected is not None
        truth = float(metric.function(profile.outcomes))
        estimate = estimate_of(metric, expected, baseline)
        inside = None if math.isnan(truth) else holds(estimate, truth)
        if inside is not None:
            found[metric.name] = Backtest(estimate.value - truth, inside)
    return found


def coverage_of(metrics: Sequence[PerformanceMetric], found: Sequence[Mapping[str, Backtest]]) -> Result:
    """Return the share of intervals that held the truth, of the metric that has the least of them, with its interval.

    Parameters
    ----------
    metrics
        Those that are watched.
    found
        Of each window what `backtest` returned.
    """
    by_metric = {metric: [each[metric.name] for each in found if metric.name in each] for metric in metrics}
    held = {metric: sum(each.inside for each in its) for metric, its in by_metric.items()}
    enough = {metric: its for metric, its in by_metric.items() if len(its) >= FEWEST_WINDOWS}
    if not enough:
        metric, its = max(by_metric.items(), key=lambda each: len(each[1]))
        message = f"{counted(len(its), 'window')} with complete labels and an estimate, {FEWEST_WINDOWS} are needed"
        detail: dict[str, Any] = {"metric": metric.name, "windows": len(its), "inside": held[metric]}
        return Result("estimate_coverage", status="insufficient_data", message=message, detail=detail)
    metric, its = min(enough.items(), key=lambda each: held[each[0]] / len(each[1]))
    windows, inside = len(its), held[metric]
    lower, upper = wilson_interval(inside, windows)
    error = sum(abs(each.error) for each in its) / windows
    words = f"{inside} of {windows} intervals held the truth of {metric.label}"
    others = [f"{held[each]} that of {each.label}" for each in enough if each is not metric]
    words += f" ({', '.join(others)})" if others else ""
    status: Status = "warning" if upper < TOO_LOW else "ok"
    start = "the estimates miss too often: " if status == "warning" else ""
    return Result(
        "estimate_coverage",
        value=inside / windows,
        value_lower=lower,
        value_upper=upper,
        status=status,
        message=f"{start}{words}; they were off by {number(error)} on average",
        detail={
            "metric": metric.name,
            "windows": windows,
            "inside": inside,
            "mean_absolute_error": error,
            "mean_error": sum(each.error for each in its) / windows,
            "inside_by_metric": {each.name: held[each] for each in enough},
        },
    )
