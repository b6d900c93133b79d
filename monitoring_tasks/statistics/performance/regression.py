"""Metrics of predicted numbers: MAE, RMSE, MAPE, R squared and bias, exactly from sums over rows."""

from __future__ import annotations

import math

import numpy as np

from monitoring_tasks.statistics.histogram import FloatArray
from monitoring_tasks.statistics.performance.metric import (
    Average,
    Estimate,
    PerformanceMetric,
    Task,
    cells,
    ratio,
    require,
    total,
)
from monitoring_tasks.statistics.performance.outcomes import Outcomes

REGRESSION: tuple[Task, ...] = ("regression",)


def mae(outcomes: Outcomes, average: Average = "macro") -> FloatArray:
    """Mean distance of the prediction from the label.

    Parameters
    ----------
    outcomes : Outcomes
        Of a regression, with the sum ``absolute_error``.
    average : "macro" or "weighted"
        Changes nothing here.

    Returns
    -------
    float ndarray, shape (...)
        In the label's unit, at least 0; NaN without rows.

    Raises
    ------
    ValueError
        If the outcomes are not of a regression, or nothing was summed.

    Examples
    --------
    Errors of -1 and 3.

    >>> counts = np.array([0, 1, 1]).reshape(3, 1, 1)
    >>> mae(Outcomes(counts, {"absolute_error": np.array([0.0, 1.0, 3.0]).reshape(3, 1, 1)}, edges=np.array([0.0])))
    array(2.)
    """
    del average
    return _mean(outcomes, "mae", "absolute_error")


def rmse(outcomes: Outcomes, average: Average = "macro") -> FloatArray:
    """Root of the mean squared distance of the prediction from the label.

    Parameters
    ----------
    outcomes : Outcomes
        Of a regression, with the sum ``error_squares``.
    average : "macro" or "weighted"
        Changes nothing here.

    Returns
    -------
    float ndarray, shape (...)
        In the label's unit, at least 0; NaN without rows.

    Raises
    ------
    ValueError
        If the outcomes are not of a regression, or nothing was summed.

    Examples
    --------
    Errors of -1 and 3.

    >>> counts = np.array([0, 1, 1]).reshape(3, 1, 1)
    >>> squares = np.array([0.0, 1.0, 9.0]).reshape(3, 1, 1)
    >>> rmse(Outcomes(counts, {"error_squares": squares}, edges=np.array([0.0]))).round(4)
    np.float64(2.2361)
    """
    del average
    return np.sqrt(_mean(outcomes, "rmse", "error_squares"))


def mape(outcomes: Outcomes, average: Average = "macro") -> FloatArray:
    """Mean distance of the prediction from the label, as a share of the label's absolute value.

    Of rows whose label is 0 there is no such share. They add 0 to ``percentage_error`` and are left out of the mean if
    the outcomes have the sum ``percentage_rows``, the rows of each cell whose label is not 0; else all rows with a
    residual count. scikit-learn instead divides by the double's epsilon, which lets one such row decide the mean.

    Parameters
    ----------
    outcomes : Outcomes
        Of a regression, with the sum ``percentage_error`` and, where labels may be 0, ``percentage_rows``.
    average : "macro" or "weighted"
        Changes nothing here.

    Returns
    -------
    float ndarray, shape (...)
        At least 0, 0.1 is ten per cent; NaN without rows.

    Raises
    ------
    ValueError
        If the outcomes are not of a regression, or nothing was summed.

    Examples
    --------
    Errors of -1 and 3 of the labels 10 and 20.

    >>> counts = np.array([0, 1, 1]).reshape(3, 1, 1)
    >>> shares = np.array([0.0, 0.1, 0.15]).reshape(3, 1, 1)
    >>> mape(Outcomes(counts, {"percentage_error": shares}, edges=np.array([0.0]))).round(4)
    np.float64(0.125)
    """
    del average
    require(outcomes, REGRESSION, "mape")
    return ratio(np.maximum(total(outcomes, "percentage_error", _first(outcomes)), 0.0), _percentage_rows(outcomes))


def r2(outcomes: Outcomes, average: Average = "macro") -> FloatArray:
    """Coefficient of determination: 1 less the mean squared error over the labels' variance.

    Parameters
    ----------
    outcomes : Outcomes
        Of a regression, with the sums ``error_squares``, ``label`` and ``label_squares``.
    average : "macro" or "weighted"
        Changes nothing here.

    Returns
    -------
    float ndarray, shape (...)
        At most 1, 0 of a model that always answers the window's mean label, below 0 of a worse one; NaN where all
        labels are the same (scikit-learn says 1 or 0).

    Raises
    ------
    ValueError
        If the outcomes are not of a regression, or nothing was summed.

    Notes
    -----
    The labels' variance is a difference of two sums and loses digits where the labels lie far from 0: with a mean of
    1,000 standard deviations six of sixteen, and below 1e-12 of the mean square it counts as 0.

    Examples
    --------
    Errors of -1 and 3 of the labels 10 and 20.

    >>> def per_place(*values):
    ...     return np.array(values).reshape(3, 1, 1)
    >>> sums = {"error_squares": per_place(0, 1, 9), "label": per_place(0, 10, 20)}
    >>> sums["label_squares"] = per_place(0, 100, 400)
    >>> r2(Outcomes(per_place(0, 1, 1), sums, edges=np.array([0.0])))
    array(0.8)
    """
    del average
    require(outcomes, REGRESSION, "r2")
    first = _first(outcomes)
    squares, around = total(outcomes, "error_squares", first), _label_spread(outcomes)
    return np.asarray(1 - ratio(np.maximum(squares, 0.0), around))


def bias(outcomes: Outcomes, average: Average = "macro") -> FloatArray:
    """Mean of prediction minus label.

    Parameters
    ----------
    outcomes : Outcomes
        Of a regression, with the sum ``error``.
    average : "macro" or "weighted"
        Changes nothing here.

    Returns
    -------
    float ndarray, shape (...)
        In the label's unit, above 0 where predictions are too high; NaN without rows.

    Raises
    ------
    ValueError
        If the outcomes are not of a regression, or nothing was summed.

    Examples
    --------
    Errors of -1 and 3.

    >>> counts = np.array([0, 1, 1]).reshape(3, 1, 1)
    >>> bias(Outcomes(counts, {"error": np.array([0.0, -1.0, 3.0]).reshape(3, 1, 1)}, edges=np.array([0.0])))
    array(1.)
    """
    del average
    require(outcomes, REGRESSION, "bias")
    return ratio(total(outcomes, "error", _first(outcomes)), residual_rows(outcomes))


def residual_rows(outcomes: Outcomes) -> FloatArray:
    """Return the rows that have a residual, shape (...)."""
    return np.asarray(outcomes.counts[..., _first(outcomes) :, :, :].sum(axis=(-3, -2, -1)), dtype=np.float64)


def _first(outcomes: Outcomes) -> int:
    """Return the first place of rows with a residual: place 0 is of those without, unless places are not told apart."""
    return 1 if outcomes.counts.shape[-3] > 1 else 0


def _mean(outcomes: Outcomes, name: str, of: str) -> FloatArray:
    require(outcomes, REGRESSION, name)
    return ratio(np.maximum(total(outcomes, of, _first(outcomes)), 0.0), residual_rows(outcomes))


def _percentage_rows(outcomes: Outcomes) -> FloatArray:
    if "percentage_rows" in outcomes.sums:
        return total(outcomes, "percentage_rows", _first(outcomes))
    return residual_rows(outcomes)


def _label_spread(outcomes: Outcomes) -> FloatArray:
    """Return the sum of squared distances of the labels from their mean, 0 where it is all rounding."""
    first = _first(outcomes)
    squares, sums = total(outcomes, "label_squares", first), total(outcomes, "label", first)
    around = squares - np.nan_to_num(ratio(sums**2, residual_rows(outcomes)))
    return np.where(around > 1e-12 * squares, around, 0.0)


def _mean_estimate(mean: FloatArray, squares: FloatArray, rows: FloatArray) -> Estimate:
    variance = ratio(np.maximum(ratio(squares, rows) - mean**2, 0.0), rows - 1)
    return Estimate(mean, variance, rows, np.maximum(rows - 1, 1.0))


def _mae_estimate(outcomes: Outcomes, average: Average = "macro") -> Estimate:
    squares = total(outcomes, "error_squares", _first(outcomes))
    return _mean_estimate(mae(outcomes, average), squares, residual_rows(outcomes))


def _mape_estimate(outcomes: Outcomes, average: Average = "macro") -> Estimate:
    squares = total(outcomes, "percentage_error_squares", _first(outcomes))
    return _mean_estimate(mape(outcomes, average), squares, _percentage_rows(outcomes))


def _bias_estimate(outcomes: Outcomes, average: Average = "macro") -> Estimate:
    squares = total(outcomes, "error_squares", _first(outcomes))
    return _mean_estimate(bias(outcomes, average), squares, residual_rows(outcomes))


def _fourth_powers(rows: FloatArray, sums: FloatArray, squares: FloatArray, centre: FloatArray | float) -> FloatArray:
    """Return each place's sum of (x - centre)**4 from its sums of x and x**2, x being normal within the place.

    The square of an estimated variance is too large by chance: with the factor below the sum is unbiased for any number
    of rows, and exact for one.
    """
    mean = np.nan_to_num(ratio(sums, rows))
    variance = np.maximum(np.nan_to_num(ratio(squares, rows)) - mean**2, 0.0)
    away = mean - centre
    unbiased = np.maximum(rows - 1, 0.0) / (rows + 1)
    return np.asarray(rows * (away**4 + 6 * away**2 * variance + 3 * unbiased * variance**2))


def _places(outcomes: Outcomes, name: str) -> FloatArray:
    return np.asarray(cells(outcomes, name).sum(axis=(-2, -1))[..., _first(outcomes) :])


def _place_rows(outcomes: Outcomes) -> FloatArray:
    return np.asarray(outcomes.counts.sum(axis=(-2, -1))[..., _first(outcomes) :], dtype=np.float64)


def _rmse_estimate(outcomes: Outcomes, average: Average = "macro") -> Estimate:
    """Fourth powers of the errors are not summed: they come from the places, within which sizes are nearly equal."""
    value = rmse(outcomes, average)
    rows = residual_rows(outcomes)
    fourth = _fourth_powers(
        _place_rows(outcomes), _places(outcomes, "absolute_error"), _places(outcomes, "error_squares"), 0.0
    ).sum(axis=-1)
    variance = ratio(np.maximum(ratio(fourth, rows) - value**4, 0.0), rows - 1)
    variance = np.where((value == 0) & (rows > 1), 0.0, ratio(variance, 4 * value**2))
    return Estimate(value, variance, rows, np.maximum(rows - 1, 1.0))


def _r2_estimate(outcomes: Outcomes, average: Average = "macro") -> Estimate:
    """Influence of a row: squared error and squared distance of the label, whose fourth powers come from the places.

    Within a place the error is taken as independent of the label and the label as normal.
    """
    value = r2(outcomes, average)
    n = residual_rows(outcomes)
    rows, squares = _place_rows(outcomes), _places(outcomes, "error_squares")
    labels, label_squares = _places(outcomes, "label"), _places(outcomes, "label_squares")
    mean_error = ratio(squares.sum(axis=-1), n)
    spread = ratio(_label_spread(outcomes), n)
    centre = ratio(labels.sum(axis=-1), n)[..., np.newaxis]
    errors = _fourth_powers(rows, _places(outcomes, "absolute_error"), squares, 0.0)
    distances = _fourth_powers(rows, labels, label_squares, centre)
    label_spreads = label_squares - 2 * centre * labels + rows * centre**2
    both = np.nan_to_num(ratio(squares, rows)) * label_spreads
    # Of 1 - r2, relative to itself: e**2 / mean(e**2) - (y - centre)**2 / spread, whose mean is 0.
    relative = ratio(errors.sum(axis=-1), n * mean_error**2) + ratio(distances.sum(axis=-1), n * spread**2)
    relative = relative - 2 * ratio(both.sum(axis=-1), n * mean_error * spread)
    variance = ratio(np.maximum(relative, 0.0), n - 1) * (1 - value) ** 2
    variance = np.where(mean_error == 0, 0.0, variance)
    return Estimate(value, np.where(np.isnan(value), np.nan, variance), n, np.maximum(n - 1, 1.0))


METRICS: tuple[PerformanceMetric, ...] = (
    PerformanceMetric(
        "mae", "mean absolute error", mae, _mae_estimate, REGRESSION, ("sums",), "lower", 0.0, math.inf, "log"
    ),
    PerformanceMetric(
        "rmse", "root mean squared error", rmse, _rmse_estimate, REGRESSION, ("sums",), "lower", 0.0, math.inf, "log"
    ),
    PerformanceMetric(
        "mape",
        "mean absolute percentage error",
        mape,
        _mape_estimate,
        REGRESSION,
        ("sums",),
        "lower",
        0.0,
        math.inf,
        "log",
    ),
    PerformanceMetric(
        "r2", "R squared", r2, _r2_estimate, REGRESSION, ("sums",), "higher", -math.inf, 1.0, "log_of_remainder"
    ),
    PerformanceMetric(
        "bias", "bias", bias, _bias_estimate, REGRESSION, ("sums",), "zero", -math.inf, math.inf, "identity"
    ),
)
"""In the order people see them, without the median absolute error."""
