"""Ratios of a confusion matrix: of one class against the rest, averaged over classes, with their derivatives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitoring_tasks.statistics.histogram import FloatArray
from monitoring_tasks.statistics.performance.metric import Average, Estimate, ratio
from monitoring_tasks.statistics.performance.outcomes import Outcomes


@dataclass(frozen=True)
class ConfusionRatio:
    """A share of rows: weights of true positives, false positives, false negatives and true negatives."""

    numerator: tuple[float, float, float, float]
    denominator: tuple[float, float, float, float]
    empty: float = 0.0
    """What a class counts as in an average where its denominator is 0; NaN: it is left out."""


def one_versus_rest(matrix: npt.ArrayLike) -> FloatArray:
    """Return the four counts of each class against the rest.

    Parameters
    ----------
    matrix : array, shape (..., n_classes, n_classes)
        Rows by predicted class and label.

    Returns
    -------
    float ndarray, shape (..., n_classes, 4)
        True positives, false positives, false negatives, true negatives.

    Examples
    --------
    >>> one_versus_rest(np.array([[5, 2], [1, 4]]))[1]
    array([4., 1., 2., 5.])
    """
    counts = np.asarray(matrix, dtype=np.float64)
    hits = np.diagonal(counts, axis1=-2, axis2=-1)
    predicted, labelled = counts.sum(axis=-1), counts.sum(axis=-2)
    rows = counts.sum(axis=(-2, -1))[..., np.newaxis]
    return np.stack([hits, predicted - hits, labelled - hits, rows - predicted - labelled + hits], axis=-1)


def value_per_class(quotient: ConfusionRatio, four: FloatArray) -> FloatArray:
    """Return the ratio of each class, NaN where its denominator is 0; shape (..., n_classes)."""
    return ratio(four @ np.array(quotient.numerator), four @ np.array(quotient.denominator))


def derivative_per_class(quotient: ConfusionRatio, four: FloatArray) -> FloatArray:
    """Return the derivative by each of the four counts, 0 where the ratio is not defined; (..., n_classes, 4)."""
    a, b = np.array(quotient.numerator), np.array(quotient.denominator)
    value = value_per_class(quotient, four)
    slope = ratio(a - value[..., np.newaxis] * b, (four @ b)[..., np.newaxis])
    return np.nan_to_num(slope, nan=0.0)


def average_weights(
    quotient: ConfusionRatio, four: FloatArray, value: FloatArray, average: Average
) -> tuple[FloatArray, FloatArray]:
    """Return the weight of each class in an average, which add up to 1 or are all NaN, and its value there."""
    support = four[..., 0] + four[..., 2]
    active = (support + four[..., 1] > 0) & ~(np.isnan(value) & np.isnan(quotient.empty))
    raw = np.where(active, 1.0 if average == "macro" else support, 0.0)
    weights = ratio(raw, raw.sum(axis=-1, keepdims=True))
    return weights, np.where(np.isnan(value), np.nan_to_num(quotient.empty), value)


def averaged(quotient: ConfusionRatio, outcomes: Outcomes, average: Average) -> FloatArray:
    """Return the ratio of the classes, averaged; shape (...)."""
    four = one_versus_rest(outcomes.confusion)
    weights, value = average_weights(quotient, four, value_per_class(quotient, four), average)
    mean: FloatArray = np.minimum((weights * value).sum(axis=-1), 1.0)
    return mean


def averaged_estimate(quotient: ConfusionRatio, outcomes: Outcomes, average: Average) -> Estimate:
    """Return the same with its sampling error, the rows being multinomial over the matrix's cells."""
    matrix = np.asarray(outcomes.confusion, dtype=np.float64)
    four = one_versus_rest(matrix)
    weights, value = average_weights(quotient, four, value_per_class(quotient, four), average)
    mean = (weights * value).sum(axis=-1)
    slope = spread(weights[..., np.newaxis] * derivative_per_class(quotient, four))
    if average == "weighted":  # the weights are shares of rows too
        labelled = np.where(weights > 0, four[..., 0] + four[..., 2], 0.0).sum(axis=-1)
        counted = np.where(weights > 0, value - mean[..., np.newaxis], 0.0)
        slope = slope + ratio(counted, labelled[..., np.newaxis])[..., np.newaxis, :]
    rows = matrix.sum(axis=(-2, -1))
    return Estimate(np.minimum(mean, 1.0), multinomial_variance(matrix, slope), rows)


def spread(slopes: FloatArray) -> FloatArray:
    """Return the derivative by each cell of the matrix from those by each class's four counts.

    Parameters
    ----------
    slopes : array, shape (..., n_classes, 4)
        Of a sum over classes, by true positives, false positives, false negatives and true negatives.

    Returns
    -------
    float ndarray, shape (..., n_classes, n_classes)
        By predicted class and label.
    """
    hit, false_alarm, miss, rest = np.moveaxis(slopes, -1, 0)
    everywhere = rest.sum(axis=-1)[..., np.newaxis, np.newaxis]
    off = (false_alarm - rest)[..., :, np.newaxis] + (miss - rest)[..., np.newaxis, :]
    on = (hit - rest)[..., :, np.newaxis]
    return np.asarray(everywhere + np.where(np.eye(slopes.shape[-2], dtype=bool), on, off))


def multinomial_variance(counts: FloatArray, slope: FloatArray, axes: tuple[int, ...] = (-2, -1)) -> FloatArray:
    """Return the variance of a ratio of counts: rows times squared derivatives [1]_.

    The rows' own mean derivative is 0, as the ratio stays as it is where all counts grow alike.

    References
    ----------
    .. [1] Efron, B. (1982). The Jackknife, the Bootstrap and Other Resampling Plans. SIAM, chapter 6.
    """
    return np.asarray((counts * slope**2).sum(axis=axes))
