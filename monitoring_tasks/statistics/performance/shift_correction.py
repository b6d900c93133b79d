"""Covariate shift correction: what a moved feature says about labels, at each score."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from monitoring_tasks.statistics.histogram import FloatArray, IntArray
from monitoring_tasks.statistics.multiple_testing import BoolArray
from monitoring_tasks.statistics.performance.calibration_map import Calibration, fit_calibration
from monitoring_tasks.statistics.performance.outcomes import Outcomes

EXPECTED = 5.0
"""Rows of a label, or as many in effect, without which its share is not tested by itself: Cochran's rule."""


@dataclass(frozen=True, eq=False)
class ShiftCorrection:
    """By how much a feature's shift changes the chance of each label, in groups of places and by prediction."""

    weights: FloatArray
    """Shape (groups, predictions, labels): by how much more a row of the baseline counts."""
    inflation: FloatArray
    """Shaped so, at least 1: rows of different weights are less informative than as many of one."""
    effect: float
    """Root mean square, over the window's rows, of the change of P(label) that noise does not explain; 0 without."""
    usual: float
    """By how much, measured so, windows differ that have the same inputs."""
    p_value: float
    """Of a feature that says nothing about the label beyond the score and the prediction."""


def shift_correction(
    reference: Outcomes,
    current: npt.ArrayLike,
    expected: npt.ArrayLike,
    *,
    correlation: float = 0.0,
    dispersion: float = 1.0,
) -> ShiftCorrection:
    """Measure what the shift of one feature does to P(label | place, prediction).

    Rows of the baseline are weighted by the window's density over the baseline's among rows of the same group of places
    and prediction, importance weighting under covariate shift [1]_. The label shares of the weighted rows, less those
    of all rows, are what the feature's shift changes. What the places within the group show in the same direction is
    left out of it: a feature that the score depends on moves the score as well, and that is no news. Rows of bins that
    the baseline does not have are taken like the others.

    The test is Pearson's, of that change. If the feature says nothing about labels that the place does not say, it is
    chance alone, with the variance of a contrast of the bins, or less. Rare labels make it skewed: neighbouring groups
    are added up for the test until five rows of two labels are expected. So it is significant as often as it may be:
    by simulation, 10 groups and 10 bins, 0.7 to 1.2 % at 1 % with labels of one row in 5, 100 and 1,000.

    Rows of one window have more in common than their inputs: on a stormy day all flights are late, and a bin of the
    wind that holds that day alone shows the day. Where labels of a window are correlated and the rows of a bin come in
    clusters, the noise is larger by Kish's design effect [2]_.

    Parameters
    ----------
    reference : Outcomes
        The baseline's, with one leading axis of the feature's bins, over groups of places.
    current : int array, shape (n_bins, n_groups, n_predictions)
        All rows of the window, labelled or not.
    expected : float array, shape (n_groups, n_predictions, n_labels)
        Rows of the window by label, as they are expected without a correction, from the places.
    correlation : float
        Of the labels of a window's rows with the same place and prediction, see `label_correlation`.
    dispersion : float
        Variance of the rows of a bin between windows of the baseline, over that of independent rows; at least 1.

    Returns
    -------
    ShiftCorrection

    Raises
    ------
    ValueError
        If the bins are not the same.

    References
    ----------
    .. [1] Shimodaira, H. (2000). Improving predictive inference under covariate shift by weighting the log-likelihood
       function. Journal of Statistical Planning and Inference, 90(2), 227-244.
    .. [2] Kish, L. (1965). Survey Sampling. Wiley.

    Examples
    --------
    At one score a fifth of the rows is positive in the first bin and half in the second. The window has only the
    second's: negative rows count 5 / 6.5 times, positive ones 5 / 3.5 times.

    >>> baseline = Outcomes(np.array([[[[80, 20]]], [[[50, 50]]]]))
    >>> found = shift_correction(baseline, np.array([[[0]], [[90]]]), 90 * np.array([[[0.65, 0.35]]]))
    >>> found.weights.ravel().round(3).tolist(), round(found.effect, 3), found.p_value < 0.01
    ([0.769, 1.429], 0.146, True)
    """
    counts, rows = np.asarray(reference.counts, dtype=np.float64), np.asarray(current, dtype=np.float64)
    before = np.asarray(expected, dtype=np.float64)
    if counts.ndim != 4 or rows.shape != counts.shape[:3] or before.shape != counts.shape[1:]:
        raise ValueError(
            f"`current` of shape {rows.shape} must count the bins, groups and predictions of `reference`, and "
            f"`expected` of shape {before.shape} its groups, predictions and labels: the counts have the shape "
            f"{counts.shape}"
        )
    known = counts.sum(axis=3)
    whole, its = _shares(known), _shares(np.where(known > 0, rows, 0.0))
    weight = np.divide(its, whole, out=np.zeros(known.shape), where=whole > 0)[..., np.newaxis]
    summed, squares = (weight * counts).sum(axis=0), (weight**2 * counts).sum(axis=0)
    total = counts.sum(axis=0)
    share, at_first, after = _label_shares(before), _label_shares(total), _label_shares(summed)
    # Without rows of the window in known bins, or without an expectation, nothing is known to correct.
    there = (summed.sum(axis=-1, keepdims=True) > 0) & (before.sum(axis=-1, keepdims=True) > 0)
    by_bins, by_places = after - at_first, share - at_first
    same = np.clip(by_places, np.minimum(by_bins, 0), np.maximum(by_bins, 0))
    change = np.where(there, by_bins - same, 0.0)
    some = there & (share > 0) & (summed > 0)
    weights = np.divide(np.clip(share + change, 0, 1), share, out=np.ones(share.shape), where=some)
    # A part of the rows is clustered less than all of them are.
    part = (known.sum(axis=0) / max(float(known.sum()), 1.0))[..., np.newaxis]
    design = 1 + correlation * part * (max(dispersion, 1.0) - 1)
    inflation = design * np.divide(squares * total, summed**2, out=np.ones(share.shape), where=some)

    moved = np.abs(its - whole)
    second = np.divide(moved**2, known, out=np.zeros(known.shape), where=known > 0).sum(axis=0)
    third = np.divide(moved**3, known**2, out=np.zeros(known.shape), where=known > 0).sum(axis=0)
    contrast = np.where(there, design * second[..., np.newaxis], 0.0)
    independent, skewed = np.where(there[..., 0], second, 0.0), np.where(there[..., 0], third, 0.0)
    statistic, freedom = 0.0, 0
    for prediction in range(share.shape[1]):
        its_statistic, its_freedom = _pearson(
            *(each[:, prediction] for each in (before, share, change, contrast, independent, skewed))
        )
        statistic, freedom = statistic + its_statistic, freedom + its_freedom
    explained = np.sum(before.sum(axis=-1) * (change**2 - share * (1 - share) * contrast).sum(axis=-1))
    effect = math.sqrt(max(float(explained), 0.0) / (2 * max(float(before.sum()), 1.0)))
    common = correlation * float(np.sum(before * (1 - share)))
    usual = math.sqrt(common / (2 * max(float(before.sum()), 1.0)))
    return ShiftCorrection(weights, inflation, effect, usual, _tail(statistic, freedom))


def _pearson(
    rows: FloatArray, share: FloatArray, change: FloatArray, contrast: FloatArray, second: FloatArray, third: FloatArray
) -> tuple[float, int]:
    """Return Pearson's statistic of the changes in groups of places, and its degrees of freedom.

    Changes of neighbouring groups are added up, by the window's rows, until two labels are frequent enough; the rare
    labels of a sum count with its most frequent one. Frequent is EXPECTED rows, or a sum over bins that is no more
    skewed than the count of so many.
    """
    weight = rows.sum(axis=-1, keepdims=True)
    square = weight**2
    moments = np.stack(
        [
            weight * change,
            square * contrast * share,
            square * second[:, np.newaxis] * share,
            square * weight * third[:, np.newaxis] * share,
        ],
        axis=1,
    )
    starts, summed = [0], np.zeros(moments.shape[1:])
    for group, each in enumerate(moments):
        summed = summed + each
        if np.count_nonzero(_frequent(summed)) >= 2:
            starts, summed = [*starts, group + 1], np.zeros(summed.shape)
    # What is left at the end joins the last sum, if there is one.
    if len(starts) == 1:
        return 0.0, 0
    statistic, freedom = 0.0, 0
    for total in np.add.reduceat(moments, starts[:-1], axis=0):
        most = int(np.argmax(total[1]))
        into = np.where(_frequent(total), np.arange(total.shape[1]), most)
        changed, variance = np.bincount(into, total[0]), np.bincount(into, total[1])
        there = variance > 0
        statistic += float(np.sum(changed[there] ** 2 / variance[there]))
        freedom += int(there.sum()) - 1
    return statistic, freedom


def _frequent(moments: FloatArray) -> BoolArray:
    """Return whether sums with these moments are no more skewed than Poisson's count of EXPECTED rows."""
    _, _, second, third = moments
    frequent: BoolArray = (third > 0) & (second**3 >= EXPECTED * third**2)
    return frequent


def label_correlation(parts: Outcomes) -> float:
    """Return how much the labels of one window have in common beyond their places and predictions.

    The intraclass correlation, by the moments of Pearson's statistics of the windows' label shares: 0 of independent
    rows, 1 where all rows of a window with the same place and prediction have one label.

    Parameters
    ----------
    parts : Outcomes
        With one leading axis of windows.

    Returns
    -------
    float
        In [0, 1]; 0 where it cannot be told.

    Examples
    --------
    Of two windows of ten rows, one has only positive labels, the other only negative ones:

    >>> label_correlation(Outcomes(np.array([[[[10, 0]]], [[[0, 10]]]])))
    1.0
    """
    counts = np.asarray(parts.counts, dtype=np.float64)
    rows, total = counts.sum(axis=-1), counts.sum(axis=0)
    share = _label_shares(total)
    expected = rows[..., np.newaxis] * share
    statistic = np.divide((counts - expected) ** 2, expected, out=np.zeros(counts.shape), where=expected > 0).sum()
    labels = np.maximum((share > 0).sum(axis=-1) - 1, 0)
    windows, whole = (rows > 0).sum(axis=0), rows.sum(axis=0)
    usual = float((np.maximum(windows - 1, 0) * labels).sum())
    common = np.divide((rows**2).sum(axis=0), whole, out=np.zeros(whole.shape), where=whole > 0)
    more = float(((whole - common - np.maximum(windows - 1, 0)) * labels).sum())
    return min(max((float(statistic) - usual) / more, 0.0), 1.0) if more > 0 else 0.0


def fit_corrected(
    reference: Outcomes,
    correction: ShiftCorrection,
    place_groups: IntArray,
    prediction_groups: IntArray,
    label_groups: IntArray,
) -> Calibration:
    """Fit the calibration of a baseline as if its feature had moved as the window's has.

    Parameters
    ----------
    reference : Outcomes
        The baseline's, by place, without leading axes.
    correction : ShiftCorrection
        Measured in groups of these places.
    place_groups, prediction_groups, label_groups
        The group of each place, prediction and label.

    Returns
    -------
    Calibration
        Its cells have fewer effective rows than the baseline, so that its intervals are wider.
    """
    each = np.ix_(place_groups, prediction_groups, label_groups)
    found = fit_calibration(reference, correction.weights[each])
    return replace(found, squares=found.squares * correction.inflation[each])


def _shares(rows: FloatArray) -> FloatArray:
    """Return the share of each bin, the first axis; 0 where no row is."""
    total = rows.sum(axis=0)
    shares: FloatArray = np.divide(rows, total, out=np.zeros(rows.shape), where=total > 0)
    return shares


def _label_shares(rows: FloatArray) -> FloatArray:
    """Return the share of each label, the last axis; 0 where no row is."""
    total = rows.sum(axis=-1, keepdims=True)
    shares: FloatArray = np.divide(rows, total, out=np.zeros(rows.shape), where=total > 0)
    return shares


def _tail(statistic: float, freedom: int) -> float:
    from scipy.special import chdtrc

    return float(chdtrc(freedom, statistic)) if freedom else 1.0
