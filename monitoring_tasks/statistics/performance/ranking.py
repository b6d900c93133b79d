"""Metrics of the order that scores put rows in: ROC AUC, Kolmogorov-Smirnov and lift, from rows by bin of the score."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

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

PRIOR_ROWS = 4.0
"""Rows of each label that the error of `roc_auc` takes from a model of the scores."""


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
        score has a bin of its own; on 200 quantile bins of 20,000 rows within 1.2e-4 of that of
        the rows.

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
        quantile bins of 20,000 rows 5e-4 below that of the rows on average and 2e-3 at most; at a base rate of 0.05
        1.3e-3 and 3.5e-3, which is what chance adds within a bin: a parabola through each bin by the labels' mean
        scores leaves 0.9e-3 and 2.2e-3.

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

    Of a few rows, all ranked right or nearly, the variance of their placements is too small more often than not. Each
    side's is therefore taken as if `PRIOR_ROWS` more rows had been seen whose placements vary as Hanley and McNeil's
    model [3]_ says at this area, drawn inside by one row of two.

    .. [1] DeLong, E. R., DeLong, D. M., & Clarke-Pearson, D. L. (1988). Comparing the areas under two or more
       correlated receiver operating characteristic curves. Biometrics, 44(3), 837-845.
    .. [2] Brunner, E., & Munzel, U. (2000). The nonparametric Behrens-Fisher problem. Biometrical Journal, 42(1),
       17-25.
    .. [3] Hanley, J. A., & McNeil, B. J. (1982). The meaning and use of the area under a receiver operating
       characteristic (ROC) curve. Radiology, 143(1), 29-36.
    """
    negative, positive = _sizes(table)
    area = _area(table)
    fewest = np.minimum(negative, positive)
    drawn = (area * fewest + 1) / (fewest + 2)
    expected = (2 * drawn**2 / (1 + drawn) - drawn**2, drawn / (2 - drawn) - drawn**2)
    of_positive = _below(table[..., 0]) / negative[..., np.newaxis]
    of_negative = 1 - _below(table[..., 1]) / positive[..., np.newaxis]
    parts = []
    for side, (placement, rows) in enumerate(((of_negative, negative), (of_positive, positive))):
        squares = (table[..., side] * (placement - area[..., np.newaxis]) ** 2).sum(axis=-1)
        parts.append(ratio(squares + PRIOR_ROWS * expected[side], rows * (rows - 1 + PRIOR_ROWS)))
    variance = parts[0] + parts[1]
    freedom = [rows - 1 + PRIOR_ROWS for rows in (negative, positive)]
    welch = variance**2 / (parts[0] ** 2 / freedom[0] + parts[1] ** 2 / freedom[1])
    return Estimate(area, variance, fewest, welch)


def _distances(table: FloatArray) -> FloatArray:
    negative, positive = _sizes(table)
    cumulative = np.cumsum(table, axis=-2)
    return np.asarray(
        np.abs(cumulative[..., 0] / negative[..., np.newaxis] - cumulative[..., 1] / positive[..., np.newaxis])
    )


def _distance(table: FloatArray) -> FloatArray:
    return np.asarray(np.minimum(_distances(table).max(axis=-1), 1.0))


def _distance_estimate(table: FloatArray) -> Estimate:
    """Take the distance at two cuts: the farthest for the upper end, one that does not follow chance for the lower.

    The largest of many distances is too high by chance: of 100 rows with an area of 0.6 by half its value. The other
    cut is half way between the labels' mean normal scores of ranks, the best one if both labels' scores are normal with
    one variance after some monotone change. What it misses of the largest distance is of second order in its own error.
    At either cut the distance is a difference of two shares, with Newcombe's interval [1]_.

    .. [1] Newcombe, R. G. (1998). Interval estimation for the difference between independent proportions. Statistics in
       Medicine, 17(8), 873-890.
    """
    negative, positive = _sizes(table)
    value = _distance(table)
    distances = _distances(table)
    farthest = np.argmax(np.nan_to_num(distances), axis=-1)
    cut, sign = _middle_cut(table, negative, positive)
    centre, lower, _, variance = _at_cut(table, negative, positive, cut, sign)
    _, _, upper, _ = _at_cut(table, negative, positive, farthest, None)
    ends = (np.clip(lower, 0.0, value), np.clip(upper, value, 1.0))
    return Estimate(value, variance, np.minimum(negative, positive), ends=ends, centre=np.maximum(centre, 0.0))


def _at_cut(
    table: FloatArray,
    negative: FloatArray,
    positive: FloatArray,
    cut: npt.NDArray[np.intp],
    sign: FloatArray | None,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return the distance up to bin `cut` in the direction `sign`, Newcombe's ends and its variance."""
    below = np.take_along_axis(np.cumsum(table, axis=-2), cut[..., np.newaxis, np.newaxis], axis=-2)[..., 0, :]
    shares = ratio(below[..., 0], negative), ratio(below[..., 1], positive)
    ends = wilson_ends(shares[0], negative), wilson_ends(shares[1], positive)
    apart = shares[0] - shares[1]
    upward = apart >= 0 if sign is None else sign >= 0
    # The distance in the direction asked for: of the share that is to be the larger one, less the other.
    far_lower, far_upper = np.where(upward, ends[0][0], ends[1][0]), np.where(upward, ends[0][1], ends[1][1])
    near_lower, near_upper = np.where(upward, ends[1][0], ends[0][0]), np.where(upward, ends[1][1], ends[0][1])
    far, near = np.where(upward, shares[0], shares[1]), np.where(upward, shares[1], shares[0])
    lower = far - near - np.hypot(far - far_lower, near_upper - near)
    upper = far - near + np.hypot(far_upper - far, near - near_lower)
    variance = ratio(far * (1 - far), np.where(upward, negative, positive))
    variance = variance + ratio(near * (1 - near), np.where(upward, positive, negative))
    return far - near, lower, upper, variance


def _middle_cut(
    table: FloatArray, negative: FloatArray, positive: FloatArray
) -> tuple[npt.NDArray[np.intp], FloatArray]:
    """Return the bin after which to cut, half way between the labels' means, and which label scores higher."""
    from scipy.special import ndtri

    # Ranks are those among as many negative as positive rows, whatever the share of positive ones.
    share = (_below(table[..., 0]) / negative[..., np.newaxis] + _below(table[..., 1]) / positive[..., np.newaxis]) / 2
    share = np.nan_to_num(share, nan=0.5)
    score = ndtri(np.clip(share, 1e-9, 1 - 1e-9))
    means = (
        ratio((score * table[..., 0]).sum(axis=-1), negative),
        ratio((score * table[..., 1]).sum(axis=-1), positive),
    )
    middle = np.nan_to_num(means[0] + means[1]) / 2
    cut = np.maximum((score <= middle[..., np.newaxis]).sum(axis=-1) - 1, 0)
    return cut, np.where(means[1] >= means[0], 1.0, -1.0)


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
    variance = _lift_variance(table, captured)
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
        # The two shares are as if the cut stood still; the influence of a row knows that it moves.
        fixed = ratio(np.maximum(1 - shares[0], 0.0), top * shares[0]) + ratio(1 - shares[1], rest * shares[1])
        moving = ratio(variance * TOP**2, (captured * (1 - captured)) ** 2)
        stretch = np.maximum(np.nan_to_num(np.sqrt(ratio(moving, fixed)), nan=1.0), 1.0)
        below, above = below * stretch, above * stretch
        lower, upper = 1 / (1 + np.exp(below - odds)), 1 / (1 + np.exp(-above - odds))
        # Where one of the two holds no positive rows, its own end decides.
        full = inside[0] * top / (inside[0] * top + outside[1] * rest)
        none = inside[1] * top / (inside[1] * top + outside[0] * rest)
    lower = np.where(captured == 1, full, np.where(captured == 0, 0.0, lower))
    upper = np.where(captured == 0, none, np.where(captured == 1, 1.0, upper))
    defined = ~np.isnan(captured)
    ends = tuple(np.where(defined, end / TOP, np.nan) for end in (lower, upper))
    return Estimate(captured / TOP, variance, top, ends=(ends[0], ends[1]))


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
        "identity",
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
