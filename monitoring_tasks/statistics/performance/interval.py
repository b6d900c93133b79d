"""95 % intervals of performance metrics, and the scale on which two windows are compared."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from monitoring_tasks.statistics.histogram import FloatArray
from monitoring_tasks.statistics.intervals import Z
from monitoring_tasks.statistics.performance.metric import Average, Estimate, PerformanceMetric, ratio, task_of
from monitoring_tasks.statistics.performance.outcomes import Outcomes
from monitoring_tasks.statistics.performance.wilson import wilson_ends


def standard_error(metric: PerformanceMetric, outcomes: Outcomes, average: Average = "macro") -> FloatArray:
    """Return the standard error of the metric in its own unit, rows being independent.

    It is that of the metric's influence function: of a ratio of counts the multinomial one, of ROC AUC DeLong's, of a
    mean loss the rows' standard deviation over the root of their number.

    Parameters
    ----------
    metric : PerformanceMetric
        One that suits the outcomes.
    outcomes : Outcomes
        Rows counted.
    average : "macro" or "weighted"
        Of a multiclass model.

    Returns
    -------
    float ndarray, shape (...)
        NaN where the metric is not defined, one row cannot say how much rows vary, or there is no honest one: of
        `expected_calibration_error` with fewer than 40 rows of a label, or of a class and of all others.

    Examples
    --------
    >>> from monitoring_tasks.statistics.performance import performance_metric
    >>> outcomes = Outcomes(np.array([[[0, 0], [50, 10], [5, 35]]]))
    >>> standard_error(performance_metric("accuracy"), outcomes).round(4)
    np.float64(0.0357)
    """
    return np.asarray(np.sqrt(_measured(metric, outcomes, average).variance))


def interval(
    metric: PerformanceMetric, outcomes: Outcomes, average: Average = "macro"
) -> tuple[FloatArray, FloatArray]:
    """Return the 95 % interval of the metric, within its bounds.

    Metrics between two bounds have Wilson's interval [1]_, of as many rows as a share would need to have the metric's
    standard error: for accuracy, precision, recall and specificity this is the interval of a share itself. It is
    symmetric on the logit's scale, and not empty where the value is at a bound. Losses have theirs on the log scale,
    with Student's quantile. Distances, lifts and calibration errors have intervals of their own, see the functions.

    Parameters
    ----------
    metric : PerformanceMetric
        One that suits the outcomes.
    outcomes : Outcomes
        Rows counted.
    average : "macro" or "weighted"
        Of a multiclass model.

    Returns
    -------
    lower, upper : float ndarray, shape (...)
        NaN where the standard error is, and where a loss is 0.

    Notes
    -----
    Share of simulated samples whose interval holds the true value, in per cent; 100 to 5,000 rows, base rates of 0.5,
    0.2 and 0.05 with at least ten rows of the rarer label on average, areas of 0.6, 0.8 and 0.95; 500 to 2,000 samples
    each, so that one per cent is chance:

    - shares, F1, balanced accuracy, MCC, log loss and Brier score: 92 to 97;
    - ROC AUC 92.7 to 96.5, average precision 92 to 98, lift 93 to 97;
    - Kolmogorov-Smirnov 96 to 98.5: its lower end is for a cut that does not follow chance, its upper end for the
      largest distance, which is too large by chance;
    - expected calibration error: 97 to 100 of calibrated scores, whose true error is 0; 91 to 99 of logits shifted by
      0.2 to 1 or stretched by 0.7; 87 to 95 of logits stretched by 1.5, scores far too sure of themselves, the fewest
      where positive rows are rare or there are a hundred rows;
    - regression with normal errors 93 to 97; with Student's of eight degrees of freedom 92.5 or more, but RMSE 91 with
      100 rows, as a few large errors decide it;
    - multiclass: confusion metrics and losses 93 to 97; ROC AUC, average precision, Kolmogorov-Smirnov and lift 95 to
      100, as how the classes' errors go together is not counted and the largest error is taken.

    References
    ----------
    .. [1] Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. JASA 22.

    Examples
    --------
    >>> from monitoring_tasks.statistics.performance import performance_metric
    >>> outcomes = Outcomes(np.array([[[0, 0], [50, 10], [5, 35]]]))
    >>> [float(end) for end in interval(performance_metric("accuracy"), outcomes)]
    [0.7672, 0.9069]
    """
    metric = metric.of_task(task_of(outcomes))
    estimate = _measured(metric, outcomes, average)
    if estimate.ends is not None:
        return estimate.ends
    quantile = _quantile(estimate.freedom)
    if metric.scale in ("logit", "fisher"):
        return _bounded(metric, estimate, quantile)
    if metric.scale == "identity":
        margin = quantile * np.sqrt(estimate.variance)
        return estimate.value - margin, estimate.value + margin
    size = _size(metric, estimate.value)
    with np.errstate(over="ignore"):
        factor = np.exp(quantile * ratio(np.sqrt(estimate.variance), size))
        lower, upper = size / factor, size * factor
    if metric.scale == "log_of_remainder":
        return 1 - upper, 1 - lower
    return np.asarray(np.maximum(lower, metric.lowest)), np.asarray(np.minimum(upper, metric.highest))


def on_scale(metric: PerformanceMetric, value: npt.ArrayLike) -> FloatArray:
    """Return a value on the scale on which the metric's errors are about normal and its bounds infinitely far.

    Metrics between two bounds: the logit of the share of the way from the lower to the upper one, halved for
    correlations (Fisher's z). Losses: the logarithm. R squared: minus the logarithm of 1 - R squared. Bias: itself, as
    are the Kolmogorov-Smirnov distance and the calibration error, which may well be 0. The scale rises with the metric.

    Parameters
    ----------
    metric : PerformanceMetric
        Whose scale.
    value : float array
        Values within the metric's bounds.

    Returns
    -------
    float ndarray
        Infinite at a bound.

    Examples
    --------
    >>> from monitoring_tasks.statistics.performance import performance_metric
    >>> on_scale(performance_metric("accuracy"), 0.9).round(4)
    np.float64(2.1972)
    """
    value = np.asarray(value, dtype=np.float64)
    with np.errstate(divide="ignore"):
        if metric.scale in ("logit", "fisher"):
            logit = np.log(value - metric.lowest) - np.log(metric.highest - value)
            return np.asarray(logit / 2 if metric.scale == "fisher" else logit)
        if metric.scale == "log":
            return np.asarray(np.log(value))
        return np.asarray(-np.log(1 - value)) if metric.scale == "log_of_remainder" else value


def off_scale(metric: PerformanceMetric, value: npt.ArrayLike) -> FloatArray:
    """Return the metric's value from that on its scale: the inverse of `on_scale`.

    Examples
    --------
    >>> from monitoring_tasks.statistics.performance import performance_metric
    >>> off_scale(performance_metric("accuracy"), 2.1972).round(4)
    np.float64(0.9)
    """
    value = np.asarray(value, dtype=np.float64)
    if metric.scale in ("logit", "fisher"):
        half = value if metric.scale == "fisher" else value / 2
        share = (1 + np.tanh(half)) / 2
        return np.asarray(metric.lowest + (metric.highest - metric.lowest) * share)
    if metric.scale == "log":
        return np.asarray(np.exp(value))
    return np.asarray(-np.expm1(-value)) if metric.scale == "log_of_remainder" else value


def scaled(metric: PerformanceMetric, outcomes: Outcomes, average: Average = "macro") -> tuple[FloatArray, FloatArray]:
    """Return the metric on its scale with a standard error there, to compare a window with a baseline.

    The error is half the width of the interval on that scale, unlimited by the bounds, over the normal distribution's
    97.5 % quantile, so that ``(a - b) / hypot(error_a, error_b)`` is about normal without change. A share or a
    correlation at a bound is drawn inside by half a row, since it would be infinitely far: a perfect window of ten rows
    is not infinitely better than any other. A loss of 0 and an R squared of 1 have no such row and stay infinitely far,
    with an error of NaN: compare them with ``replace(metric, scale="identity")``. The Kolmogorov-Smirnov distance
    and the calibration error are taken without what chance adds to them, which is more in a small window than in a
    large baseline.

    Parameters
    ----------
    metric : PerformanceMetric
        One that suits the outcomes.
    outcomes : Outcomes
        Rows counted.
    average : "macro" or "weighted"
        Of a multiclass model.

    Returns
    -------
    value, error : float ndarray, shape (...)
        NaN where the standard error is. An error of 0, of rows that are all wrong by the same, says that more rows of
        the kind would be as well, and nothing of others.

    Examples
    --------
    >>> from monitoring_tasks.statistics.performance import performance_metric
    >>> outcomes = Outcomes(np.array([[[0, 0], [50, 10], [5, 35]]]))
    >>> [round(float(each), 4) for each in scaled(performance_metric("accuracy"), outcomes)]
    [1.7346, 0.2767]
    """
    estimate = _measured(metric, outcomes, average)
    if estimate.ends is None and metric.scale not in ("logit", "fisher"):
        relative = ratio(np.sqrt(estimate.variance), _size(metric, estimate.value))
        return on_scale(metric, estimate.value), np.asarray(_quantile(estimate.freedom) / Z * relative)
    lower, upper = interval(metric, outcomes, average)
    value, ends = estimate.value if estimate.centre is None else estimate.centre, [lower, upper]
    if metric.scale in ("logit", "fisher"):
        room = _room(metric, estimate.trials)
        value = np.clip(value, metric.lowest + room, metric.highest - room)
        ends = [np.clip(end, metric.lowest + room / 8, metric.highest - room / 8) for end in ends]
    at, low, high = (on_scale(metric, each) for each in (value, *ends))
    return at, np.asarray((high - np.where(np.isfinite(high), low, np.nan)) / (2 * Z))


def reach(metric: PerformanceMetric, outcomes: Outcomes, average: Average = "macro") -> tuple[FloatArray, FloatArray]:
    """Return the metric's values between which `scaled` tells values of so many rows apart.

    Parameters
    ----------
    metric : PerformanceMetric
        One that suits the outcomes.
    outcomes : Outcomes
        Rows counted.
    average : "macro" or "weighted"
        Of a multiclass model.

    Returns
    -------
    lowest, highest : float ndarray, shape (...)
        Half a row inside of the metric's bounds where those are infinitely far, else the bounds themselves.

    Examples
    --------
    >>> from monitoring_tasks.statistics.performance import performance_metric
    >>> nine_right = Outcomes(np.array([[[0, 0], [4, 0], [0, 5]]]))
    >>> [float(end) for end in reach(performance_metric("accuracy"), nine_right)]
    [0.05, 0.95]
    """
    trials = metric.estimate(outcomes, average=average).trials
    room = _room(metric, trials) if metric.scale in ("logit", "fisher") else np.zeros(np.shape(trials))
    return metric.lowest + room, metric.highest - room


def _room(metric: PerformanceMetric, trials: FloatArray) -> FloatArray:
    """Return half a row of so many, on the metric's own scale; NaN without any."""
    return np.asarray((metric.highest - metric.lowest) / (2 * (np.where(trials > 0, trials, np.nan) + 1)))


def _size(metric: PerformanceMetric, value: FloatArray) -> FloatArray:
    """Return the unit, on the metric's own scale, of a small step on the scale of comparison."""
    if metric.scale == "identity":
        return np.ones_like(value)
    return np.asarray(1 - value if metric.scale == "log_of_remainder" else value)


def _measured(metric: PerformanceMetric, outcomes: Outcomes, average: Average) -> Estimate:
    """Return the estimate, of which nothing is known where the value is not."""
    estimate = metric.estimate(outcomes, average=average)
    there = ~np.isnan(estimate.value)
    ends = estimate.ends
    return replace(
        estimate,
        variance=np.where(there, estimate.variance, np.nan),
        centre=None if estimate.centre is None else np.where(there, estimate.centre, np.nan),
        ends=None if ends is None else (np.where(there, ends[0], np.nan), np.where(there, ends[1], np.nan)),
    )


def _quantile(freedom: FloatArray) -> FloatArray:
    """Return the 97.5 % quantile of Student's distribution."""
    if np.isinf(freedom).all():
        return np.asarray(Z)
    from scipy.special import stdtrit

    some = np.isfinite(freedom)
    return np.where(some, stdtrit(np.where(some, freedom, 1.0), 0.975), Z)


def _bounded(metric: PerformanceMetric, estimate: Estimate, quantile: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return Wilson's interval of a share with this standard error."""
    width = metric.highest - metric.lowest
    share = (estimate.value - metric.lowest) / width
    inside = (share > 0) & (share < 1) & (estimate.variance > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(estimate.variance) / width / (share * (1 - share))
        # The roots of Wilson's equation lie this far on both sides on the logit's scale.
        margin = 2 * np.arcsinh(quantile * error / 2)
        logit = np.log(share) - np.log1p(-share)
        lower, upper = 1 / (1 + np.exp(margin - logit)), 1 / (1 + np.exp(-margin - logit))
    # Without a variance, at a bound or where no class says anything of it, the value is that of a share of few rows.
    bare = wilson_ends(share, np.where(np.isfinite(estimate.trials), estimate.trials, 0.0))
    undefined = np.isnan(estimate.value) | np.isnan(estimate.variance)
    lower = np.where(undefined, np.nan, np.where(inside, lower, bare[0]))
    upper = np.where(undefined, np.nan, np.where(inside, upper, bare[1]))
    return metric.lowest + width * lower, metric.lowest + width * upper
