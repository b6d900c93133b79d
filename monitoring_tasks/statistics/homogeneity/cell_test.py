"""Whether one bin's share of the rows differs: each bin against all others, exact for rare ones."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from monitoring_tasks.statistics.histogram import FloatArray, paired_counts


def cell_p_values(reference: npt.ArrayLike, current: npt.ArrayLike, dispersion: npt.ArrayLike = 1.0) -> FloatArray:
    """Two-sided probability of each bin's two counts if both samples come from one distribution.

    Of t rows that both sides have in a bin, the current side has Binomial(t, m / (n + m)): the exact test of two
    Poisson rates [1]_, and Fisher's for a rare bin. The variance of a common bin is less by one minus its share; its
    counts are divided by that, which makes them count for more. A bin that holds more than half of all rows is tested
    by those outside of it. A bin that only one side knows needs no special case.

    Parameters
    ----------
    reference, current : int array, shape (n_bins,)
        Rows per bin.
    dispersion : float array, shape (n_bins,) or (n_values, n_bins)
        By how much the variance of each bin's count is inflated, at least 1: rows count as so many times fewer.

    Returns
    -------
    float ndarray
        Of the shape of `dispersion` and the bins; in (0, 1], twice the smaller tail; 1 of a bin without rows. Without
        drift uniform, or larger: counts are whole numbers.

    Raises
    ------
    ValueError
        If a side is no vector of counts or holds no rows.

    References
    ----------
    .. [1] Przyborowski, J., & Wilenski, H. (1940). Homogeneity of results in testing samples from Poisson series.
       Biometrika, 31, 313-323.

    Examples
    --------
    >>> cell_p_values([3, 9997], [4, 996])
    array([0.0038, 0.0038])
    """
    from scipy.special import betainc

    a, b = paired_counts(reference, current)
    n, m = a.sum(), b.sum()
    common = 2 * (a + b) > n + m
    a, b = np.where(common, n - a, a), np.where(common, m - b, b)
    both, share = a + b, m / (n + m)
    weight = 1 / (np.asarray(dispersion, dtype=np.float64) * np.maximum(1 - both / (n + m), 1e-12))
    here, there = b * weight, a * weight
    # P(X >= c) and P(X <= c) of a binomial, continued to counts that are no whole numbers.
    above = np.where(here > 0, betainc(np.maximum(here, 1e-300), there + 1, share), 1.0)
    below = np.where(there > 0, betainc(np.maximum(there, 1e-300), here + 1, 1 - share), 1.0)
    return np.where(both > 0, np.minimum(1.0, 2 * np.minimum(above, below)), 1.0)
