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


def wandering_share_p_value(reference: npt.ArrayLike, current: npt.ArrayLike, dispersion: FloatArray) -> FloatArray:
    """Two-sided probability of one bin's two counts where its share wanders from window to window.

    Rows that hang together are not so many times fewer independent ones: on a cold day half of all rows may lie in a
    bin that holds a hundredth of a year's. The share of a window is then Beta(p / r - p, (1 - p) / r - (1 - p)) with
    the intraclass correlation r = (dispersion - 1) / (rows - 1) [1]_. Of a rare bin its tail is far heavier than that
    of a binomial of fewer rows with the same variance.

    Parameters
    ----------
    reference, current : int array, shape (2,)
        Rows in the bin, and elsewhere.
    dispersion : float array, shape (n_values,)
        By how much the variance of the bin's count in the window is inflated, above 1.

    Returns
    -------
    float ndarray, shape (n_values,)
        Twice the smaller tail, at most 1.

    References
    ----------
    .. [1] Skellam, J. G. (1948). A probability distribution derived from the binomial distribution by regarding the
       probability of success as variable between the sets of trials. J. R. Stat. Soc. B, 10(2), 257-261.

    Examples
    --------
    >>> wandering_share_p_value([36, 35964], [168, 232], np.array([40.0, 80.0]))
    array([0.0001, 0.001])
    """
    from scipy.special import betainc

    a, b = paired_counts(reference, current)
    n, m = a.sum(), b.sum()
    inflation = np.minimum(dispersion, m)  # all rows are one
    # Half an effective row is added, Jeffreys' prior: what the reference never saw is not impossible.
    share = (a[0] + inflation / 2) / (n + inflation)
    alike = np.clip((inflation - 1) / max(m - 1, 1), 1e-12, 1 - 1e-9)
    of_bin, elsewhere = share * (1 / alike - 1), (1 - share) * (1 / alike - 1)
    # Of few effective rows, a window that lies all in one bin is one step from the end.
    step = 1 - inflation / (2 * m)
    above = betainc(elsewhere, of_bin, 1 - b[0] / m * step)
    below = betainc(of_bin, elsewhere, 1 - b[1] / m * step)
    return np.asarray(np.minimum(1.0, 2 * np.minimum(above, below)))
