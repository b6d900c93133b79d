"""Domain classifier: how well the rows of two samples can be told apart."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from monitoring_tasks.statistics.histogram import FloatArray
from monitoring_tasks.statistics.intervals import Z
from monitoring_tasks.statistics.multivariate.z_score import ZScore

BLOCKS = 4
"""Each side is cut into so many blocks; all but the first are scored, each by a model of the blocks before it."""

BINS, DISTINCT = 32, 128
"""Columns of more distinct values are cut into so many bins of about equally many rows of both sides together."""

ENOUGH, MANY = 2000, 3
"""Of a reference only so many rows are used, or so many times the current rows if these are more.

Three times the current rows leave the standard deviation of the AUC 15 % above that of a reference without end, in half
the time of six times as many.
"""

TREES, LEAVES = 20, 8
"""A small model: more finds hardly more and takes longer, see `domain_classifier`."""

SHUFFLED_VALUES = 2_000_000
"""Numbers of copies with one column shuffled that are scored at once: 16 MB."""

SEED = 20130401
"""Any will do; that of the shuffles, for without early stopping nothing in the trees is random."""


@dataclass(frozen=True)
class DomainClassifier:
    """How well the current rows are told from the reference ones."""

    auc: float
    """Chance that a current row scores above a reference row, ties counted half: 0.5 is none, 1 tells all apart."""
    lower: float
    """Lower end of the 95 % interval."""
    upper: float
    p_value: float
    """Of an AUC this high when both sides are independent rows of one distribution."""
    z: ZScore
    """Of the AUC."""
    contributions: FloatArray
    """Shape (n_columns,): by how much the AUC of the last block falls when the column is shuffled; NaN: not asked."""


def domain_classifier(
    reference: npt.ArrayLike, current: npt.ArrayLike, *, explain_below: float = 1.0
) -> DomainClassifier:
    """Train gradient-boosted trees to tell the samples apart, and score only rows that they have not seen [1]_.

    Each side is cut into four blocks. The second is scored by a model of the first, the third by one of the first two,
    the last by one of the first three: progressive validation [2]_. The AUC is the mean of the three blocks' AUCs,
    weighted by the square root of the blocks that were learned from.

    Why not K folds that are each scored by a model of all the others: there every pair of folds counts twice, once with
    either as the one that was learned from, so that the folds' AUCs are correlated. Their mean then has up to twice the
    variance of the Mann-Whitney statistic, and permuting labels within the folds does not see it. Progressively no
    pair counts twice: given what was learned, a block's labels are a fair shuffle, so that without drift its AUC is
    exactly the Mann-Whitney statistic [3]_, whatever the model has learned, and the blocks' AUCs are uncorrelated.
    Measured, the share of undrifted windows with a p-value below 1 % and 5 %, of 400 to 2000 each, normal columns (five
    folds and the variance of independent ones: 4.5 / 11.0 % with 200 rows on each side, 3.7 / 11.0 % with 1000):

    ================== =============== ================
    n, m, columns      independent     correlated 0.6
    ================== =============== ================
    200, 200, 5        0.7 / 4.8 %     1.0 / 4.8 %
    5,000, 200, 5      1.1 / 5.4 %     1.2 / 4.4 %
    5,000, 1,000, 16   0.7 / 3.7 %     1.3 / 6.0 %
    5,000, 5,000, 5    0.0 / 5.2 %     0.5 / 3.8 %
    ================== =============== ================

    Parameters
    ----------
    reference : float array, shape (n, n_columns)
        Rows in a random order, such as that of a hash: blocks are every fourth row. NaN is missing, which the trees
        take as it is. A category is a number, best its rank by frequency: two splits find any. Of more than 2000 rows
        and three times the current ones, only as many are used.
    current : float array, shape (m, n_columns)
        The same columns.
    explain_below : float
        Contributions are measured if the p-value is at most this.

    Returns
    -------
    DomainClassifier
        Without drift the AUC is 0.5 with a standard deviation of ``sqrt((n + m) / (8.6 n m))``. The interval is
        Newcombe's [4]_, for the rows that were scored.

    Raises
    ------
    ValueError
        If a side has fewer than 8 rows, or the sides do not share their columns.

    References
    ----------
    .. [1] Lopez-Paz, D., & Oquab, M. (2017). Revisiting classifier two-sample tests. ICLR.
    .. [2] Blum, A., Kalai, A., & Langford, J. (1999). Beating the hold-out: bounds for K-fold and progressive
       cross-validation. COLT, 203-208.
    .. [3] Mann, H. B., & Whitney, D. R. (1947). On a test of whether one of two random variables is stochastically
       larger than the other. Annals of Mathematical Statistics, 18(1), 50-60.
    .. [4] Newcombe, R. G. (2006). Confidence intervals for an effect size measure based on the Mann-Whitney statistic.
       Part 2. Statistics in Medicine, 25(4), 559-573. Method 5.
    """
    before, after = checked_samples(reference, current)
    before = before[: max(ENOUGH, MANY * len(after))]
    for name, side in (("reference", before), ("current", after)):
        if len(side) < 2 * BLOCKS:
            raise ValueError(f"`{name}` has {len(side)} rows, {2 * BLOCKS} are needed for {BLOCKS} blocks of two")
    both = _binned(np.vstack([before, after]))
    drawn = np.concatenate([np.zeros(len(before)), np.ones(len(after))])
    block = np.concatenate([np.arange(len(side)) % BLOCKS for side in (before, after)])
    # Both sides weigh the same, so that a small window is not drowned by its baseline.
    weight = np.where(drawn == 1, len(drawn) / (2 * len(after)), len(drawn) / (2 * len(before)))
    learned = np.arange(1, BLOCKS)
    share = np.sqrt(learned) / np.sqrt(learned).sum()
    aucs, variances = np.empty(BLOCKS - 1), np.empty(BLOCKS - 1)
    with one_thread():
        for place, last in enumerate(learned):
            seen, scored = block < last, block == last
            # scikit-learn cannot bin a column without any value; as a constant it says nothing either.
            known = np.where(np.isnan(both[seen]).all(axis=0), 0.0, both)
            model = _model().fit(known[seen], drawn[seen], weight[seen])
            aucs[place], variances[place] = mann_whitney(model.decision_function(known[scored]), drawn[scored] == 1)
        auc, deviation = float(share @ aucs), math.sqrt(float(share**2 @ variances))
        z = (auc - 0.5) / deviation if deviation > 0 else 0.0
        p_value = _upper_tail(z) if deviation > 0 else 1.0
        contributions = np.full(both.shape[1], np.nan)
        if p_value <= explain_below:
            contributions = _contributions(model, known[scored], drawn[scored] == 1, float(aucs[-1]))
    counted = 1 / float(share @ share) / BLOCKS
    lower, upper = newcombe_interval(auc, counted * len(before), counted * len(after))
    rows = len(before) * len(after) / (len(before) + len(after))
    # What no more than one row in doubt would make of a perfect AUC.
    within = min(max(auc, 0.5 / len(both)), 1 - 0.5 / len(both))
    stretched = z * probit(within) / (auc - 0.5) if auc != 0.5 else z
    return DomainClassifier(auc, lower, upper, p_value, ZScore(z, rows, stretched=stretched), contributions)


def mann_whitney(scores: npt.ArrayLike, current: npt.ArrayLike) -> tuple[float, float]:
    """Return the AUC, ties counted half, and its variance when both sides come from one distribution.

    ``1/12 (1/n + 1/m + 1/(n m))``, less where scores tie.

    Parameters
    ----------
    scores : float array, shape (n + m,)
    current : bool array, shape (n + m,)
        True for the m rows that should score higher.

    Returns
    -------
    tuple of float

    Examples
    --------
    >>> mann_whitney([0.1, 0.4, 0.35, 0.8], [False, False, True, True])
    (0.75, 0.10416666666666667)
    """
    is_current = np.asarray(current, dtype=np.bool_)
    _, place, ties = np.unique(np.asarray(scores, dtype=np.float64), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(ties) - (ties - 1) / 2)[place]
    m = int(is_current.sum())
    n = is_current.size - m
    auc = (ranks[is_current].sum() - m * (m + 1) / 2) / (m * n)
    total = float(n + m)
    tied = float(np.sum(ties.astype(np.float64) ** 3 - ties)) / (total * (total - 1))
    return float(auc), max((total + 1 - tied) / (12 * m * n), 0.0)


def probit(auc: float) -> float:
    """Return the AUC on a scale without end, on which it is ``auc - 0.5`` close to 0.5.

    Two normal distributions that lie d standard deviations apart have the AUC ``Phi(d / sqrt(2))`` [1]_, of which this
    is ``d / sqrt(4 pi)``: in these units twice as much is twice as far, where an AUC of 0.95 has nowhere to go.

    References
    ----------
    .. [1] Green, D. M., & Swets, J. A. (1966). Signal Detection Theory and Psychophysics. Wiley.

    Examples
    --------
    >>> round(probit(0.501), 6), round(probit(0.999), 3)
    (0.001, 1.233)
    """
    from scipy.special import ndtri

    return float(ndtri(auc)) / math.sqrt(2 * math.pi)


def inverse_probit(distance: float) -> float:
    """Return the AUC that lies so far from 0.5 on the scale without end."""
    from scipy.special import ndtr

    return float(ndtr(distance * math.sqrt(2 * math.pi)))


def newcombe_interval(auc: float, n: float, m: float) -> tuple[float, float]:
    """Return the 95 % interval of an AUC by Newcombe's score method 5 [1]_.

    The ends are the AUCs from which this one is as far as 1.96 standard deviations by Hanley and McNeil's formula [2]_
    with ``(n + m) / 2`` in the place of either sample's size.

    Parameters
    ----------
    auc
        In [0, 1].
    n, m
        Rows on the two sides; need not be whole.

    Returns
    -------
    tuple of float
        Lower and upper end, within [0, 1].

    References
    ----------
    .. [1] Newcombe, R. G. (2006). Confidence intervals for an effect size measure based on the Mann-Whitney statistic.
       Part 2. Statistics in Medicine, 25(4), 559-573.
    .. [2] Hanley, J. A., & McNeil, B. J. (1982). The meaning and use of the area under a ROC curve. Radiology, 143(1),
       29-36.

    Examples
    --------
    >>> [round(end, 4) for end in newcombe_interval(0.75, 50, 50)]
    [0.6419, 0.8309]
    """

    def beyond(theta: float) -> float:
        """Return by how much the distance is above 1.96 standard deviations, squared."""
        size = (n + m) / 2 - 1
        inner = 1 + size * ((1 - theta) / (2 - theta) + theta / (1 + theta))
        return (auc - theta) ** 2 - Z * Z * theta * (1 - theta) * inner / (n * m)

    def end(outside: float) -> float:
        inside = auc
        for _ in range(60):  # halves the distance to the end each time
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if beyond(middle) < 0 else (inside, middle)
        return (inside + outside) / 2

    return (0.0 if auc == 0 else end(0.0)), (1.0 if auc == 1 else end(1.0))


def checked_samples(reference: npt.ArrayLike, current: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return the two as matrices of doubles.

    Raises
    ------
    ValueError
        If they are not, or do not share their columns.
    """
    before, after = np.asarray(reference, dtype=np.float64), np.asarray(current, dtype=np.float64)
    if before.ndim != 2 or after.ndim != 2 or before.shape[1] != after.shape[1] or before.shape[1] == 0:
        raise ValueError(
            f"`reference` of shape {before.shape} and `current` of shape {after.shape} must be rows of the same columns"
        )
    return before, after


def _binned(rows: FloatArray) -> FloatArray:
    """Return the rank of each value, or its bin's where there are many; a value of many rows is a bin. NaN stays.

    scikit-learn would do the same, and take ten times as long for it as for the trees where rows have weights. The bins
    know nothing of which side a row is from, so without drift they tell nothing.
    """
    found = rows.copy()
    for values in found.T:
        present = ~np.isnan(values)
        ascending = np.sort(values[present])
        edges = np.unique(ascending)
        if len(edges) > DISTINCT:
            quantiles = ascending[np.arange(1, BINS) * len(ascending) // BINS]
            heavy = quantiles[1:][quantiles[1:] == quantiles[:-1]]
            edges = np.unique(np.concatenate([quantiles, np.nextafter(heavy, np.inf)]))
        values[present] = np.searchsorted(edges, values[present], side="right")
    return found


def _model() -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier  # 1 s to import: only whoever trains pays

    return HistGradientBoostingClassifier(
        max_iter=TREES,
        max_leaf_nodes=LEAVES,
        learning_rate=0.2,
        min_samples_leaf=10,
        l2_regularization=1.0,
        max_bins=DISTINCT,
        early_stopping=False,
        random_state=SEED,
    )


def _contributions(model: Any, rows: FloatArray, is_current: npt.NDArray[np.bool_], auc: float) -> FloatArray:
    """Return Breiman's permutation importance of each column, on rows that the model has not learned from."""
    order = np.random.default_rng(SEED).permutation(len(rows))
    columns = rows.shape[1]
    at_once = max(1, SHUFFLED_VALUES // rows.size)
    found = np.empty(columns)
    for first in range(0, columns, at_once):
        part = range(first, min(first + at_once, columns))
        copies = np.repeat(rows[np.newaxis], len(part), axis=0)
        for place, column in enumerate(part):
            copies[place, :, column] = rows[order, column]
        scores = model.decision_function(copies.reshape(-1, columns)).reshape(len(part), -1)
        for place, column in enumerate(part):
            found[column] = auc - mann_whitney(scores[place], is_current)[0]
    return found


def _upper_tail(z: float) -> float:
    """Return the chance that a standard normal number is above z."""
    return math.erfc(z / math.sqrt(2)) / 2


def one_thread() -> AbstractContextManager[object]:
    """Hold scikit-learn to one thread: for so few rows its threads wait for each other longer than they compute."""
    limits: AbstractContextManager[object] = _thread_pools().limit(limits=1)
    return limits


@cache
def _thread_pools() -> Any:
    """Find the libraries with threads, which takes a fifth of the time of training, once."""
    import sklearn.ensemble  # noqa: F401  loads what is to be found
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
