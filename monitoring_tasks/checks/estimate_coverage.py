"""Backtest of the estimates: how often their intervals held what the labels showed, over the latest windows."""

from __future__ import annotations

import math
from collections.abc import Sequence
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
    context: CheckContext, metric: PerformanceMetric, baseline: LabelledBaseline, inputs: Inputs
) -> Result:
    """Tell in how many of the latest windows the interval held the truth, and warn if they are significantly too few.

    It is of all rows and the first metric that decides. It is only told where the window's own labels are complete: by
    then those of earlier windows are, too, so that it does not depend on when they came.
    """
    assert context.labels is not None
    waiting = maturity(context)
    detail = {"metric": metric.name}
    if waiting:
        message = f"the estimates cannot be held against the labels yet: {waiting}"
        return Result("estimate_coverage", status="insufficient_data", message=message, detail=detail)
    minimum = (context.monitor.checks.performance or Performance()).minimum_coverage
    found = [
        backtest(metric, profile, baseline, inputs)
        for profile in (*context.labels_before(), context.labels.profiles[0])[-LOOK_BACK:]
        if too_few_labels(profile, minimum) is None
    ]
    return coverage_of(metric, [each for each in found if each is not None])


@lru_cache(maxsize=LOOK_BACK + 1)
def backtest(
    metric: PerformanceMetric, profile: LabelsProfile, baseline: LabelledBaseline, inputs: Inputs
) -> Backtest | None:
    """Estimate a window whose labels are known as if they were not; None where either is not defined.

    It is a function of its arguments, and kept for a while: the next window asks for the same ones.
    """
    if not is_enough(profile):
        return None
    expected = expect(profile, baseline, inputs)
    truth = float(metric.function(profile.outcomes))
    if expected is None or math.isnan(truth):
        return None
    found = estimate_of(metric, expected, baseline)
    inside = holds(found, truth)
    return None if inside is None else Backtest(found.value - truth, inside)


def coverage_of(metric: PerformanceMetric, found: Sequence[Backtest]) -> Result:
    """Return the share of intervals that held the truth, with its own interval and what follows from it."""
    windows, inside = len(found), sum(each.inside for each in found)
    detail: dict[str, Any] = {"metric": metric.name, "windows": windows, "inside": inside}
    if windows < FEWEST_WINDOWS:
        message = f"{counted(windows, 'window')} with complete labels and an estimate, {FEWEST_WINDOWS} are needed"
        return Result("estimate_coverage", status="insufficient_data", message=message, detail=detail)
    lower, upper = wilson_interval(inside, windows)
    error = sum(abs(each.error) for each in found) / windows
    held = f"{inside} of {windows} intervals held the truth"
    status: Status = "warning" if upper < TOO_LOW else "ok"
    words = f"the estimates miss too often: {held}" if status == "warning" else held
    return Result(
        "estimate_coverage",
        value=inside / windows,
        value_lower=lower,
        value_upper=upper,
        status=status,
        message=f"{words} of {metric.label}; they were off by {number(error)} on average",
        detail={**detail, "mean_absolute_error": error, "mean_error": sum(each.error for each in found) / windows},
    )
