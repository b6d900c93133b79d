"""Normal scores of ordered bins: they turn counts into the two ways in which most columns move, level and spread."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from monitoring_tasks.statistics.histogram import FloatArray, checked_counts


def level_scores(counts: npt.ArrayLike) -> FloatArray:
    """Van der Waerden's scores [1]_: the mean normal quantile of each bin's ranks.

    The test of their mean is as powerful as Student's against a moved mean of normal values, more powerful for all
    others [2]_, and knows no outliers.

    Parameters
    ----------
    counts : int array, shape (n_bins,)
        Rows per bin, in the order of the values.

    Returns
    -------
    float ndarray, shape (n_bins,)
        Ascending where there are rows, mean 0 over the rows; 0 of a bin without rows. Variance 1 for many bins.

    References
    ----------
    .. [1] van der Waerden, B. L. (1952). Order tests for the two-sample problem and their power. Indagationes
       Mathematicae, 14, 453-458.
    .. [2] Chernoff, H., & Savage, I. R. (1958). Asymptotic normality and efficiency of certain nonparametric test
       statistics. Annals of Mathematical Statistics, 29(4), 972-994.

    Examples
    --------
    >>> level_scores([1, 0, 1])
    array([-0.7979, 0. , 0.7979])
    """
    share, _, density = _cuts(counts)
    return _per_row(density[:-1] - density[1:], share)


def spread_scores(counts: npt.ArrayLike) -> FloatArray:
    """Klotz's scores [1]_ less 1: the mean squared normal quantile of each bin's ranks.

    Parameters
    ----------
    counts : int array, shape (n_bins,)
        Rows per bin, in the order of the values.

    Returns
    -------
    float ndarray, shape (n_bins,)
        High at both ends, mean 0 over the rows; 0 of a bin without rows. Variance 2 for many bins.

    References
    ----------
    .. [1] Klotz, J. (1962). Nonparametric tests for scale. Annals of Mathematical Statistics, 33(2), 498-512.

    Examples
    --------
    >>> spread_scores([1, 1, 1, 1])
    array([ 0.8574, -0.8574, -0.8574,  0.8574])
    """
    share, quantile, density = _cuts(counts)
    product = np.where(density > 0, quantile, 0.0) * density
    return _per_row(product[:-1] - product[1:], share)


def _cuts(counts: npt.ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return each bin's share of the rows, and normal quantile and density at the bins' limits."""
    from scipy.special import ndtri

    rows = checked_counts("counts", counts)
    share = rows / rows.sum()
    quantile = ndtri(np.concatenate(([0.0], np.minimum(np.cumsum(share), 1.0))))
    quantile[-1] = np.inf
    return share, quantile, np.exp(-(quantile**2) / 2) / np.sqrt(2 * np.pi)


def _per_row(sums: FloatArray, share: FloatArray) -> FloatArray:
    return np.divide(sums, share, out=np.zeros_like(sums), where=share > 0)
