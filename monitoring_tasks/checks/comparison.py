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
from monitoring_tasks.window import Window

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

    @classmethod
    def of(
        cls,
        metric: PerformanceMetric,
        reference: float,
        before: tuple[float, float],
        after: tuple[float, float],
        between: tuple[float, int],
        windows: float = 1.0,
    ) -> Comparison:
        """Compare two values, one-sided.

        Parameters
        ----------
        metric
            Of what.
        reference
            The baseline's value.
        before, after
            The baseline's value and the window's on the scale, each with its standard error.
        between
            Variance from window to window, and of how many windows it is, see `between_windows`.
        windows
            How many such windows this one is as long as: a month of days varies as a mean of thirty does.
        """
        from scipy.special import ndtr, stdtr

        variance, parts = between
        error = math.sqrt(before[1] ** 2 + after[1] ** 2 + variance * (1 / windows + 1 / max(parts, 1)))
        freedom = float(parts - 1) if variance > 0 else math.inf
        z = (after[0] - before[0]) / error if error > 0 else 0.0
        worse = {"higher": z, "lower": -z, "zero": -abs(z)}[metric.better]
        tail = float(ndtr(worse) if math.isinf(freedom) else stdtr(freedom, worse))
        return cls(
            metric=metric,
            reference=reference,
            at=before[0],
            error=error,
            between=math.sqrt(variance),
            freedom=freedom,
            p_value=min(1.0, tail * (2 if metric.better == "zero" else 1)),
        )

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
    before, before_error, value = _of_baseline(metric, reference)
    after, after_error = (float(each) for each in scaled(metric, current.outcomes))
    if not all(map(math.isfinite, (before, before_error, after, after_error))):
        return None
    return Comparison.of(
        metric,
        reference=value,
        before=(before, before_error),
        after=(after, after_error),
        between=between_windows(metric, baseline),
        windows=windows_in(current.window, baseline),
    )


def windows_in(window: Window, baseline: LabelledBaseline | None) -> float:
    """Return how many of the baseline's windows this one is as long as, at least 1."""
    if baseline is None or not len(baseline.part_counts):
        return 1.0
    return max(1.0, window.length / (baseline.window.length / len(baseline.part_counts)))


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
