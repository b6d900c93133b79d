"""Chi-squared test of homogeneity, and Cramer's V as the size of the difference."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitoring_tasks.statistics.drift.metric import DriftMetric
from monitoring_tasks.statistics.histogram import FloatArray, paired_counts, shares


@dataclass(frozen=True)
class ChiSquaredTest:
    """What the test found."""

    statistic: float
    """Pearson's chi-squared, >= 0."""
    degrees_of_freedom: int
    """Bins with rows on either side, less one."""
    p_value: float
    """Asymptotic, in [0, 1]; 1 with a single bin, where nothing can differ."""
    cramers_v: float
    """Without bias correction, in [0, 1]; see `cramers_v`."""


def chi_squared_test(reference: npt.ArrayLike, current: npt.ArrayLike) -> ChiSquaredTest:
    """Test whether two samples come from one distribution over the bins: Pearson's test of a 2 x k table.

    Both sides are samples. Tools that take the reference's shares as exact (Evidently) compute the limit of an
    infinite reference instead, and call any new category drift. Bins empty on both sides are dropped. The p-value is
    reliable where most expected counts are 5 or more [1]_; for rare categories it is rough.

    Parameters
    ----------
    reference, current : int array, shape (n_bins,)
        Rows per bin, both on the reference's bins.

    Raises
    ------
    ValueError
        If a side is no vector of counts or holds no rows, or the sides do not share their bins.

    References
    ----------
    .. [1] Cochran, W. G. (1954). Some methods for strengthening the common chi-squared tests. Biometrics, 10(4),
       417-451.

    Examples
    --------
    >>> test = chi_squared_test([40, 60], [30, 70])
    >>> test.statistic, test.degrees_of_freedom, test.p_value
    (2.1978, 1, 0.1382)
    """
    from scipy.special import chdtrc  # 0.3 s to import: only whoever wants a p-value pays

    a, b = paired_counts(reference, current)
    statistic = chi_squared(reference, current)
    degrees_of_freedom = int(np.count_nonzero(a + b)) - 1
    p_value = float(chdtrc(degrees_of_freedom, statistic)) if degrees_of_freedom else 1.0
    return ChiSquaredTest(statistic, degrees_of_freedom, p_value, math.sqrt(statistic / (a.sum() + b.sum())))


def chi_squared(reference: npt.ArrayLike, current: npt.ArrayLike) -> float:
    """Pearson's chi-squared statistic of the 2 x k table of two samples.

    Parameters
    ----------
    reference, current : int array, shape (n_bins,)
        Rows per bin, both on the reference's bins. Bins empty on both sides are dropped.

    Returns
    -------
    float
        In [0, n + m], symmetric. Without drift about n_bins - 1; with it, it grows with the rows.

    Raises
    ------
    ValueError
        If a side is no vector of counts or holds no rows, or the sides do not share their bins.

    Examples
    --------
    >>> chi_squared([40, 60], [30, 70])
    2.1978
    """
    return float(_many(*paired_counts(reference, current)))


def _many(reference: FloatArray, current: FloatArray) -> FloatArray:
    both = reference + current
    # The sum over both rows of (observed - expected)**2 / expected, written so that equal shares give exactly 0.
    squares = (shares(reference) - shares(current)) ** 2
    terms = np.divide(squares, both, out=np.zeros_like(both), where=both > 0)
    return np.asarray(reference.sum(axis=-1) * current.sum(axis=-1) * np.sum(terms, axis=-1))


def cramers_v(reference: npt.ArrayLike, current: npt.ArrayLike) -> float:
    """Cramer's V of the 2 x k table of two samples: sqrt(chi-squared / (n + m)) [1]_.

    Without the bias correction that Deepchecks applies (it has 0.217 for the 0.218 below). It depends on the ratio
    of the sides: the shift that gives 0.22 with 1000 rows on both sides gives 0.05 when the reference has 100 000.
    Compare sizes by `balanced_cramers_v`.

    Parameters
    ----------
    reference, current : int array, shape (n_bins,)
        Rows per bin, both on the reference's bins.

    Returns
    -------
    float
        In [0, 1], symmetric; 1 if no bin has rows on both sides.

    Raises
    ------
    ValueError
        If a side is no vector of counts or holds no rows, or the sides do not share their bins.

    References
    ----------
    .. [1] Cramer, H. (1946). Mathematical Methods of Statistics. Princeton University Press.

    Examples
    --------
    >>> cramers_v([200, 800], [400, 600]), cramers_v([20_000, 80_000], [400, 600])
    (0.2182, 0.0493)
    """
    a, b = paired_counts(reference, current)
    return min(1.0, float(np.sqrt(chi_squared(a, b) / (a.sum() + b.sum()))))


def balanced_cramers_v(reference: npt.ArrayLike, current: npt.ArrayLike) -> float:
    """Cramer's V as it would be if both sides had equally many rows: the size of a drift, whatever the samples.

    ``sqrt(sum((p - q)**2 / (p + q)) / 2)``: the root of half the triangular discrimination [1]_. A bound on it means
    the same for a window of a hundred rows and one of a million against the same reference.

    Parameters
    ----------
    reference, current : int array, shape (n_bins,)
        Rows per bin, both on the reference's bins.

    Returns
    -------
    float
        In [0, 1], symmetric; 1 if no bin has rows on both sides. With two sides this is Cohen's w: 0.1 is small, 0.3
        medium, 0.5 large [2]_.

    Raises
    ------
    ValueError
        If a side is no vector of counts or holds no rows, or the sides do not share their bins.

    References
    ----------
    .. [1] Topsoe, F. (2000). Some inequalities for information divergence and related measures of discrimination.
       IEEE Transactions on Information Theory, 46(4), 1602-1609.
    .. [2] Cohen, J. (1988). Statistical Power Analysis for the Behavioral Sciences, chapter 7. Erlbaum.

    Examples
    --------
    >>> balanced_cramers_v([200, 800], [400, 600]), balanced_cramers_v([20_000, 80_000], [400, 600])
    (0.2182, 0.2182)
    """
    return float(_many_balanced(*paired_counts(reference, current)))


def _many_balanced(reference: FloatArray, current: FloatArray) -> FloatArray:
    p, q = shares(reference), shares(current)
    both = p + q
    terms = np.divide((p - q) ** 2, both, out=np.zeros_like(both), where=both > 0)
    return np.asarray(np.minimum(1.0, np.sqrt(np.sum(terms, axis=-1) / 2)))


METRIC = DriftMetric(
    "chi_squared",
    chi_squared,
    ("numeric", "categorical"),
    unit="chi-squared",
    bins="all",
    minimum_effect=0.1,
    effect=balanced_cramers_v,
    many=_many,
    many_effects=_many_balanced,
    quadratic=1.0,
    title="chi-squared",
)
