"""A metric of a window beside the baseline's: worse by more than chance and the usual ups and downs explain, or not."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from monitoring_tasks.labelled_baseline import LabelledBaseline
from monitoring_tasks.labels_profile import LabelsProfile
from monitoring_tasks.statistics.performance import PerformanceMetric, off_scale, scaled
from monitoring_tasks.statistics.performance.between_variance import between_variance

FEWEST_PARTS = 4
"""Windows of the baseline that show how much performance varies from one to the next; with fewer it is not known."""


@dataclass(frozen=True)
class Comparison:
    """A metric of a window beside the baseline's, on the metric's scale."""

    metric: PerformanceMetric
    reference: float
    """The baseline's value."""
    at: float
    """The baseline's on the scale."""
    error: float
    """Standard error of the difference, on the scale."""
    between: float
    """Standard deviation from window to window beyond chance, on the scale."""
    freedom: float
    """Degrees of freedom of that error."""
    p_value: float
    """Of no change to the worse."""

    def bounds(self, rate: float) -> tuple[float | None, float | None]:
        """Return between which values a window is in order at this rate of false alarms."""
        from scipy.special import ndtri, stdtrit

        tail = rate / (2 if self.metric.better == "zero" else 1)
        quantile = ndtri(tail) if math.isinf(self.freedom) else stdtrit(self.freedom, tail)
        margin = -float(quantile) * self.error
        low, high = (float(off_scale(self.metric, self.at + sign * margin)) for sign in (-1, 1))
        return (
            low if self.metric.better != "lower" else None,
            high if self.metric.better != "higher" else None,
        )


def compare(
    metric: PerformanceMetric,
    reference: LabelsProfile,
    current: LabelsProfile,
    baseline: LabelledBaseline | None,
) -> Comparison | None:
    """Compare a window's metric with the baseline's, one-sided: getting better is no change.

    Its error has three parts: that of the window's rows, that of the baseline's, and how much windows of the baseline
    differ beyond what their rows explain. None where it cannot be told.
    """
    from scipy.special import ndtr, stdtr

    before, before_error, value = _of_baseline(metric, reference)
    after, after_error = (float(each) for each in scaled(metric, current.outcomes))
    if not all(map(math.isfinite, (before, before_error, after, after_error))):
        return None
    between, parts = between_windows(metric, baseline)
    windows = 1.0
    if baseline is not None and parts:  # a month of days varies as a mean of thirty does
        windows = max(1.0, current.window.length / (baseline.window.length / len(baseline.parts.counts)))
    error = math.sqrt(before_error**2 + after_error**2 + between * (1 / windows + 1 / max(parts, 1)))
    freedom = float(parts - 1) if between > 0 else math.inf
    z = (after - before) / error
    worse = {"higher": z, "lower": -z, "zero": -abs(z)}[metric.better]
    tail = float(ndtr(worse) if math.isinf(freedom) else stdtr(freedom, worse))
    return Comparison(
        metric=metric,
        reference=value,
        at=before,
        error=error,
        between=math.sqrt(between),
        freedom=freedom,
        p_value=min(1.0, tail * (2 if metric.better == "zero" else 1)),
    )


@lru_cache(maxsize=512)
def _of_baseline(metric: PerformanceMetric, reference: LabelsProfile) -> tuple[float, float, float]:
    """Return the baseline's value and error on the scale, and the value itself: the same for every window."""
    at, error = scaled(metric, reference.outcomes)
    return float(at), float(error), float(metric.function(reference.outcomes))


@lru_cache(maxsize=64)
def between_windows(metric: PerformanceMetric, baseline: LabelledBaseline | None) -> tuple[float, int]:
    """Return the variance from window to window beyond chance, on the metric's scale, and of how many windows it is."""
    if baseline is None or not metric.suits(baseline.parts):
        return 0.0, 0
    values, errors = scaled(metric, baseline.parts)
    known = np.isfinite(values) & np.isfinite(errors) & (errors > 0)
    if known.sum() < FEWEST_PARTS:
        return 0.0, 0
    found = between_variance(values[known], errors[known])
    return (0.0 if math.isnan(found) else float(found)), int(known.sum())
