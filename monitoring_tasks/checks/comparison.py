"""A metric of a window beside the baseline's: worse by more than chance and the usual ups and downs explain, or not."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from monitoring_tasks.labelled_baseline import LabelledBaseline
from monitoring_tasks.labels_profile import LabelsProfile
from monitoring_tasks.statistics.intervals import Z
from monitoring_tasks.statistics.performance import PerformanceMetric, off_scale, on_scale, reach, scaled, task_of
from monitoring_tasks.statistics.performance.between_variance import between_variance
from monitoring_tasks.window import Window

FEWEST_PARTS = 4
"""Windows of the baseline that show how much performance varies from one to the next; with fewer it is not known."""

SURELY = 2.0
"""Standard errors from which on windows are said to be usually otherwise than all rows together."""


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
    between: float | None
    """Standard deviation from window to window beyond chance, on the scale; None where it is not known."""
    freedom: float
    """Degrees of freedom of that error."""
    p_value: float
    """Of no change to the worse."""
    reach: tuple[float, float]
    """Values of the metric beyond which none of so few rows as the window's lies, see `interval.reach`."""

    @classmethod
    def of(
        cls,
        metric: PerformanceMetric,
        reference: float,
        before: tuple[float, float],
        after: tuple[float, float],
        between: tuple[float, int],
        windows: float = 1.0,
        reach: tuple[float, float] | None = None,
    ) -> Comparison:
        """Compare two values, one-sided.

        Of a metric that is best at 0 sizes are compared, and the p-value is doubled: where the baseline's is 0, chance
        has two sides to be worse on.

        Parameters
        ----------
        metric
            Of what.
        reference
            The baseline's value.
        before, after
            The baseline's value and the window's on the scale, each with its standard error.
        between
            Variance from window to window, and of how many windows it is, see `between_windows`; of 0 windows it is not
            known and taken as 0.
        windows
            How many such windows this one is as long as: a month of days varies as a mean of thirty does.
        reach
            Values of the metric between which those of so few rows as the window's lie. The baseline's is taken as such
            a window shows it: by forty rows 0.9999 and 1 are not told apart. By default all.
        """
        from scipy.special import ndtr, stdtr

        reach = reach or (metric.lowest, metric.highest)
        variance, parts = between
        at, before_error = before
        if (metric.lowest, metric.highest) != reach:
            at, before_error = _within(before, *(float(on_scale(metric, end)) for end in reach))
        error = math.sqrt(before_error**2 + after[1] ** 2 + variance * (1 / windows + 1 / max(parts, 1)))
        freedom = float(parts - 1) if variance > 0 else math.inf
        if metric.better == "zero":
            # Worse is farther from 0 than the baseline, on either side: nearer to it is never an alarm.
            worse = -max(_in_errors(abs(at), abs(after[0]), error), 0.0)
        else:
            worse = _in_errors(at, after[0], error) * (1 if metric.better == "higher" else -1)
        tail = float(ndtr(worse) if math.isinf(freedom) else stdtr(freedom, worse))
        return cls(
            metric=metric,
            reference=reference,
            at=at,
            error=error,
            between=math.sqrt(variance) if parts else None,
            freedom=freedom,
            p_value=min(1.0, tail * (2 if metric.better == "zero" else 1)),
            reach=reach,
        )

    def bounds(self, rate: float, more: float = 0.0) -> tuple[float | None, float | None]:
        """Return between which values a window is in order at this rate of false alarms, within the metric's range.

        `more` is what chance adds to the window's value, see `Estimate.centre`.
        """
        from scipy.special import ndtri, stdtrit

        tail = rate / (2 if self.metric.better == "zero" else 1)
        quantile = ndtri(tail) if math.isinf(self.freedom) else stdtrit(self.freedom, tail)
        margin = -float(quantile) * self.error
        centre = abs(self.at) if self.metric.better == "zero" else self.at
        low, high = (float(off_scale(self.metric, centre + sign * margin)) for sign in (-1, 1))
        if self.metric.better == "zero":
            low = -high
        lowest, highest = self.metric.lowest, self.metric.highest
        # A value at a bound is taken as half a row inside of it: where that is in order, so is the bound.
        low = lowest if low <= self.reach[0] else min(max(low + more, lowest), highest)
        high = highest if high >= self.reach[1] else min(max(high + more, lowest), highest)
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
    differ beyond what their rows explain. Where the baseline's windows are usually worse than all of its rows together,
    as by the calibration error, of which days in opposite directions cancel, the window is compared with them. Where a
    loss is 0 on either side, or R squared 1, their logarithm is infinite and the values themselves are compared. None
    where an error is not known.
    """
    metric = metric.of_task(task_of(reference.outcomes))
    found = _compare(metric, reference, current, baseline)
    return found or _compare(replace(metric, scale="identity"), reference, current, baseline)


def _compare(
    metric: PerformanceMetric, reference: LabelsProfile, current: LabelsProfile, baseline: LabelledBaseline | None
) -> Comparison | None:
    before, before_error, value = _of_baseline(metric, reference)
    after, after_error = (float(each) for each in scaled(metric, current.outcomes))
    if not all(map(math.isfinite, (before, before_error, after, after_error))):
        return None
    # Rows that are all alike say nothing of how much others vary: they are taken to vary as the other side's do.
    rows = reference.labelled, current.labelled
    if before_error == 0:
        before_error = after_error * math.sqrt(rows[1] / rows[0])
    elif after_error == 0:
        after_error = before_error * math.sqrt(rows[0] / rows[1])
    windows = windows_in(current.window, baseline)
    lowest, highest = (float(end) for end in reach(metric, current.outcomes))
    return Comparison.of(
        metric,
        reference=value,
        before=(before + usually_worse(metric, baseline) / windows, before_error),
        after=(after, after_error),
        between=between_windows(metric, baseline),
        windows=windows,
        reach=(lowest, highest),
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


def between_windows(metric: PerformanceMetric, baseline: LabelledBaseline | None) -> tuple[float, int]:
    """Return the variance from window to window beyond chance, on the metric's scale, and of how many windows it is.

    (0, 0) where it is not known: of fewer windows than `FEWEST_PARTS`, or where none is counted as the metric needs.
    """
    found = _of_windows(metric, baseline)
    return found.between, found.windows


def usually_worse(metric: PerformanceMetric, baseline: LabelledBaseline | None) -> float:
    """Return by how much windows of the baseline are usually worse than all of its rows together, on the scale.

    0 where they are better: a window is never held against more than the baseline's value. What a window of k windows'
    length is worse by is a k-th of it: that is the share of pairs of rows which are of one window.
    """
    beyond = _of_windows(metric, baseline).beyond
    return {"higher": min(beyond, 0.0), "lower": max(beyond, 0.0), "zero": 0.0}[metric.better]


def is_usually_worse(metric: PerformanceMetric, baseline: LabelledBaseline | None) -> bool:
    """Tell whether windows of the baseline are usually worse than all of its rows together by more than chance."""
    return abs(usually_worse(metric, baseline)) > SURELY * _of_windows(metric, baseline).error


def value_of_windows(comparison: Comparison, baseline: LabelledBaseline | None, more: float = 0.0) -> float | None:
    """Return the value that windows of the baseline usually have, where they are worse than all of its rows together.

    None where they are not for certain, or where so few rows as the window's do not tell the baseline's value apart
    from the next. `more` is what chance adds to the window's value, see `added_by_chance`.
    """
    if not is_usually_worse(comparison.metric, baseline):
        return None
    lowest, highest = comparison.reach
    usual = float(off_scale(comparison.metric, comparison.at)) + more
    return usual if lowest <= comparison.reference <= highest and math.isfinite(usual) else None


def added_by_chance(metric: PerformanceMetric, current: LabelsProfile) -> float:
    """Return by how much the window's value is larger than the one that is compared; 0 of most metrics."""
    centre = metric.estimate(current.outcomes).centre
    return 0.0 if centre is None else float(metric.function(current.outcomes)) - float(centre)


@dataclass(frozen=True)
class _Windows:
    """What the baseline's windows show of a metric, on its scale."""

    between: float = 0.0
    """Variance from window to window beyond chance."""
    windows: int = 0
    """Of how many."""
    beyond: float = 0.0
    """Their mean less the value of all rows."""
    error: float = 0.0
    """Standard error of the mean."""


@lru_cache(maxsize=64)
def _of_windows(metric: PerformanceMetric, baseline: LabelledBaseline | None) -> _Windows:
    if baseline is None or not metric.suits(baseline.parts):
        return _Windows()
    values, errors = scaled(metric, baseline.parts)
    known = np.isfinite(values) & np.isfinite(errors) & (errors**2 > 0)
    if known.sum() < FEWEST_PARTS:
        return _Windows()
    variance = between_variance(values[known], errors[known])
    # The mean is of the values themselves, by rows: an error on the scale depends on the value, so that weights by it
    # favour some values, and the mean of logits is not the logit of the mean. Of a share it is that of all rows.
    estimate = metric.estimate(baseline.parts)
    own = estimate.value if estimate.centre is None else estimate.centre
    rows = baseline.parts.counts.sum(axis=(1, 2, 3))
    weights = np.where(np.isfinite(estimate.trials) & (estimate.trials > 0), estimate.trials, rows)
    # What chance adds is not known of windows without an error.
    counted = np.isfinite(own) & (known if estimate.centre is not None else True)
    mean = weights[counted] @ own[counted] / weights[counted].sum()
    whole = baseline.parts.added()
    beyond = float(on_scale(metric, np.clip(mean, *reach(metric, whole))) - scaled(metric, whole)[0])
    weight = weights[known]
    error = float(np.sqrt(weight**2 @ (errors[known] ** 2 + variance)) / weight.sum())
    return _Windows(variance, int(known.sum()), beyond if math.isfinite(beyond) else 0.0, error)


def _within(before: tuple[float, float], lowest: float, highest: float) -> tuple[float, float]:
    """Return a value and its error with both ends of its interval drawn inside."""
    value, error = before
    low, at, high = (min(max(value + sign * Z * error, lowest), highest) for sign in (-1, 0, 1))
    inside = lowest <= value - Z * error and value + Z * error <= highest
    return at, error if inside else (high - low) / (2 * Z)


def _in_errors(before: float, after: float, error: float) -> float:
    """Return the difference in standard errors; without an error any difference but rounding is infinitely many."""
    if error > 0:
        return (after - before) / error
    return 0.0 if math.isclose(before, after, rel_tol=1e-9) else math.copysign(math.inf, after - before)
