"""Metrics of the order that scores put rows in: ROC AUC, Kolmogorov-Smirnov and lift, from rows by bin of the score."""

from __future__ import annotations

import numpy as np

from monitoring_tasks.statistics.histogram import FloatArray
from monitoring_tasks.statistics.performance.confusion import multinomial_variance
from monitoring_tasks.statistics.performance.metric import (
    Average,
    Estimate,
    PerformanceMetric,
    ratio,
)
from monitoring_tasks.statistics.performance.outcomes import Outcomes
from monitoring_tasks.statistics.performance.score_table import (
    CLASSIFICATION,
    ranked,
    ranked_estimate,
    table_per_class,
)
from monitoring_tasks.statistics.performance.wilson import wilson_ends

TOP = 0.1
"""Share of the rows that `lift` is about."""


def roc_auc(outcomes: Outcomes, average: Average = "macro") -> FloatArray:
    """Probability that a positive row has a higher score than a negative one, plus half that both lie in one bin [1]_.

    Parameters
    ----------
    outcomes : Outcomes
        Of a model with scores.
    average : "macro" or "weighted"
        Multiclass: how the classes, each against the rest, are averaged; those without labelled rows are left out.

    Returns
    -------
    float ndarray, shape (...)
        In [0, 1], 0.5 of scores that say nothing; NaN where one class only is labelled. Exact where every distinct
        score has a bin of its own; on 200 quantile bins of 20,000 rows at most 2e-4 below that of the rows.

    Raises
    ------
    ValueError
        If the outcomes are of a regression, or rows are not counted by score.

    References
    ----------
    .. [1] Hanley, J. A., & McNeil, B. J. (1982). The meaning and use of the area under a receiver operating
       characteristic (ROC) curve. Radiology, 143(1), 29-36.

    Examples
    --------
    Hanley and McNeil's table I: 58 normal and 51 abnormal images, rated from 1 to 5.

    >>> rated = np.array([[33, 3], [6, 2], [6, 2], [11, 11], [2, 33]])
    >>> counts = np.zeros((6, 3, 2), dtype=int)
    >>> counts[1:, 1] = rated
    >>> roc_auc(Outcomes(counts, edges=np.array([1.5, 2.5, 3.5, 4.5]))).round(3)
    np.float64(0.893)
    """
    return ranked(outcomes, average, "roc_auc", _area)


def kolmogorov_smirnov(outcomes: Outcomes, average: Average = "macro") -> FloatArray:
    """Largest distance between the score distributions of the negative and of the positive rows.

    Parameters
    ----------
    outcomes : Outcomes
        Of a model with scores.
    average : "macro" or "weighted"
        Multiclass: how the classes, each against the rest, are averaged; those without labelled rows are left out.

    Returns
    -------
    float ndarray, shape (...)
        In [0, 1], NaN where one class only is labelled. Without any relation about 0.87 sqrt(1/n + 1/m), and always a
        little high, as the largest of many distances. Exact where every distinct score has a bin of its own; on 200
        quantile bins of 20,000 rows at most 1e-3 below that of the rows in nearly all samples.

    Raises
    ------
    ValueError
        If the outcomes are of a regression, or rows are not counted by score.

    Examples
    --------
    >>> counts = np.zeros((4, 3, 2), dtype=int)
    >>> counts[1:, 1] = [[60, 5], [30, 15], [10, 20]]
    >>> kolmogorov_smirnov(Outcomes(counts, edges=np.array([0.3, 0.7])))
    array(0.475)
    """
    return ranked(outcomes, average, "kolmogorov_smirnov", _distance)


def lift(outcomes: Outcomes, average: Average = "macro") -> FloatArray:
    """Precision among the tenth of the rows with the highest scores, over the share of positive rows.

    The tenth is exactly a tenth: of the bin at the cut, as many rows count as are missing, with the bin's share of
    positive ones, as if ties were broken by lot. It is ten times the share of the positive rows that lie in that tenth.

    Parameters
    ----------
    outcomes : Outcomes
        Of a model with scores.
    average : "macro" or "weighted"
        Multiclass: how the classes, each against the rest, are averaged; those without labelled rows are left out.

    Returns
    -------
    float ndarray, shape (...)
        In [0, 10], at most one over the share of positive rows, 1 of scores that say nothing; NaN without positive
        rows.

    Raises
    ------
    ValueError
        If the outcomes are of a regression, or rows are not counted by score.

    Examples
    --------
    >>> counts = np.zeros((4, 3, 2), dtype=int)
    >>> counts[1:, 1] = [[60, 5], [30, 15], [10, 20]]
    >>> lift(Outcomes(counts, edges=np.array([0.3, 0.7]))).round(4)
    np.float64(2.3333)
    """
    return ranked(outcomes, average, "lift", _lift)


def _sizes(table: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the negative and the positive rows, NaN where there are none of one."""
    negative, positive = np.moveaxis(table.sum(axis=-2), -1, 0)
    both = (negative > 0) & (positive > 0)
    return np.where(both, negative, np.nan), np.where(both, positive, np.nan)


def _below(counts: FloatArray) -> FloatArray:
    """Return the rows in lower bins plus half of those in the same."""
    return np.asarray(np.cumsum(counts, axis=-1) - counts / 2)


def _area(table: FloatArray) -> FloatArray:
    negative, positive = _sizes(table)
    pairs = (table[..., 1] * _below(table[..., 0])).sum(axis=-1)
    return np.asarray(np.minimum(pairs / negative / positive, 1.0))


def _area_estimate(table: FloatArray) -> Estimate:
    """DeLong's variance [1]_ and Brunner and Munzel's degrees of freedom [2]_.

    .. [1] DeLong, E. R., DeLong, D. M., & Clarke-Pearson, D. L. (1988). Comparing the areas under two or more
       correlated receiver operating characteristic curves. Biometrics, 44(3), 837-845.
    .. [2] Brunner, E., & Munzel, U. (2000). The nonparametric Behrens-Fisher problem. Biometrical Journal, 42(1),
       17-25.
    """
    negative, positive = _sizes(table)
    area = _area(table)
    of_positive = _below(table[..., 0]) / negative[..., np.newaxis]
    of_negative = 1 - _below(table[..., 1]) / positive[..., np.newaxis]
    parts = []
    for side, (placement, rows) in enumerate(((of_negative, negative), (of_positive, positive))):
        squares = (table[..., side] * (placement - area[..., np.newaxis]) ** 2).sum(axis=-1)
        parts.append(ratio(squares, rows * (rows - 1)))
    variance = parts[0] + parts[1]
    with np.errstate(invalid="ignore", divide="ignore"):
        freedom = variance**2 / (parts[0] ** 2 / (negative - 1) + parts[1] ** 2 / (positive - 1))
    fewest = np.minimum(negative, positive)
    return Estimate(area, variance, fewest, np.where(variance > 0, freedom, np.inf))


def _distances(table: FloatArray) -> FloatArray:
    negative, positive = _sizes(table)
    cumulative = np.cumsum(table, axis=-2)
    return np.asarray(
        np.abs(cumulative[..., 0] / negative[..., np.newaxis] - cumulative[..., 1] / positive[..., np.newaxis])
    )


def _distance(table: FloatArray) -> FloatArray:
    return np.asarray(np.minimum(_distances(table).max(axis=-1), 1.0))


def _distance_estimate(table: FloatArray) -> Estimate:
    """Take the two shares at the cut that is farthest: their difference has Newcombe's interval."""
    negative, positive = _sizes(table)
    cumulative = np.cumsum(table, axis=-2)
    at = np.argmax(np.nan_to_num(_distances(table)), axis=-1)[..., np.newaxis]
    shares = [
        np.take_along_axis(cumulative[..., side], at, axis=-1)[..., 0] / rows
        for side, rows in enumerate((negative, positive))
    ]
    variance = ratio(shares[0] * (1 - shares[0]), negative) + ratio(shares[1] * (1 - shares[1]), positive)
    return Estimate(_distance(table), variance, np.minimum(negative, positive))


def _share_in_top(table: FloatArray, top: float) -> FloatArray:
    """Return the share of each bin's rows that lie among the `top` share of rows with the highest scores."""
    rows = table.sum(axis=-1)
    above = np.cumsum(rows[..., ::-1], axis=-1)[..., ::-1] - rows
    room = top * rows.sum(axis=-1, keepdims=True) - above
    share: FloatArray = np.clip(np.divide(room, rows, out=np.zeros_like(rows), where=rows > 0), 0.0, 1.0)
    return share


def _captured(table: FloatArray) -> FloatArray:
    """Return the share of the positive rows that lie in the top tenth."""
    positive = table[..., 1]
    return np.minimum(ratio((_share_in_top(table, TOP) * positive).sum(axis=-1), positive.sum(axis=-1)), 1.0)


def _lift(table: FloatArray) -> FloatArray:
    return np.asarray(_captured(table) / TOP)


def _lift_estimate(table: FloatArray) -> Estimate:
    """Take the share captured, A / (A + B), by the shares of positive rows in the top tenth and in the rest.

    The two have Wilson's intervals, and their ratio one by squares that add up on the log scale [1]_.

    .. [1] Zou, G. Y., & Donner, A. (2008). Construction of confidence limits about effect measures. Statistics in
       Medicine, 27(10), 1693-1702.
    """
    captured = _captured(table)
    rows = table.sum(axis=(-2, -1))
    positive = table[..., 1].sum(axis=-1)
    top, rest = TOP * rows, (1 - TOP) * rows
    shares = (
        np.minimum(ratio(captured * positive, top), 1.0),
        np.minimum(ratio((1 - captured) * positive, rest), 1.0),
    )
    inside, outside = wilson_ends(shares[0], top), wilson_ends(shares[1], rest)
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = np.log(ratio(captured, 1 - captured))
        odds = np.where(captured == 1, np.inf, odds)
        below = np.hypot(np.log(shares[0] / inside[0]), np.log(outside[1] / shares[1]))
        above = np.hypot(np.log(inside[1] / shares[0]), np.log(shares[1] / outside[0]))
        lower, upper = 1 / (1 + np.exp(below - odds)), 1 / (1 + np.exp(-above - odds))
        # Where one of the two holds no positive rows, its own end decides.
        full = inside[0] * top / (inside[0] * top + outside[1] * rest)
        none = inside[1] * top / (inside[1] * top + outside[0] * rest)
    lower = np.where(captured == 1, full, np.where(captured == 0, 0.0, lower))
    upper = np.where(captured == 0, none, np.where(captured == 1, 1.0, upper))
    defined = ~np.isnan(captured)
    ends = tuple(np.where(defined, end / TOP, np.nan) for end in (lower, upper))
    return Estimate(captured / TOP, _lift_variance(table, captured), top, ends=(ends[0], ends[1]))


def _lift_variance(table: FloatArray, captured: FloatArray) -> FloatArray:
    share = _share_in_top(table, TOP)
    positive = table[..., 1].sum(axis=-1)
    # A row moves the cut, and with it rows of the precision there: of one bin that would be mostly chance.
    around = _share_in_top(table, 1.5 * TOP) - _share_in_top(table, 0.5 * TOP)
    precision = ratio((around * table[..., 1]).sum(axis=-1), (around * table.sum(axis=-1)).sum(axis=-1))
    moved = precision[..., np.newaxis] * (TOP - share)
    slope = np.stack([moved, moved + share - captured[..., np.newaxis]], axis=-1)
    variance = multinomial_variance(table, slope)
    return np.asarray(ratio(variance, positive**2) / TOP**2)


METRICS: tuple[PerformanceMetric, ...] = (
    PerformanceMetric(
        "roc_auc",
        "ROC AUC",
        roc_auc,
        lambda outcomes, average="macro": ranked_estimate(outcomes, average, "roc_auc", _area_estimate),
        CLASSIFICATION,
        ("scores",),
        "higher",
        0.0,
        1.0,
        "logit",
        lambda outcomes: table_per_class(outcomes, "roc_auc", _area),
    ),
    PerformanceMetric(
        "kolmogorov_smirnov",
        "Kolmogorov-Smirnov distance",
        kolmogorov_smirnov,
        lambda outcomes, average="macro": ranked_estimate(outcomes, average, "kolmogorov_smirnov", _distance_estimate),
        CLASSIFICATION,
        ("scores",),
        "higher",
        0.0,
        1.0,
        "logit",
        lambda outcomes: table_per_class(outcomes, "kolmogorov_smirnov", _distance),
    ),
    PerformanceMetric(
        "lift",
        "lift of the top tenth",
        lift,
        lambda outcomes, average="macro": ranked_estimate(outcomes, average, "lift", _lift_estimate),
        CLASSIFICATION,
        ("scores",),
        "higher",
        0.0,
        1 / TOP,
        "logit",
        lambda outcomes: table_per_class(outcomes, "lift", _lift),
    ),
)
"""In the order people see them."""
