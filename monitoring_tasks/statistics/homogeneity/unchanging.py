"""How likely it is that rows which may differ do not: all have one value, or are spread as others were exactly."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from monitoring_tasks.statistics.histogram import FloatArray, checked_counts


def one_bin_p_value(reference: npt.ArrayLike, rows: int, inflation: npt.ArrayLike = 1.0) -> FloatArray:
    """Probability that all rows of a window lie in one bin, whichever it is.

    Of each bin that of the Dirichlet-multinomial law [1]_ which the reference predicts with Jeffreys' prior: its shares
    are not known exactly.

    Parameters
    ----------
    reference : int array, shape (n_bins,)
        Rows per bin.
    rows
        Of the window, above 0.
    inflation : float array, shape (n_values,)
        By how much the variance of shares is inflated, at least 1: rows count as so many times fewer, and all of them
        as at least one.

    Returns
    -------
    float ndarray
        Of the shape of `inflation`; in (0, 1].

    References
    ----------
    .. [1] Mosimann, J. E. (1962). On the compound multinomial distribution, the multivariate beta-distribution, and
       correlations among proportions. Biometrika, 49, 65-82.

    Examples
    --------
    >>> one_bin_p_value([60, 40], 10, [1.0, 10.0]).round(4)
    array([0.008, 1.   ])
    """
    from scipy.special import betaln

    counts, dispersion = checked_counts("reference", reference), np.asarray(inflation, dtype=np.float64)[..., None]
    effective = np.minimum(dispersion, rows)
    before, window = counts / effective, rows / effective
    others = counts.sum() / effective - before
    logarithms = betaln(before + window + 0.5, others + 0.5) - betaln(before + 0.5, others + 0.5)
    return np.asarray(np.minimum(1.0, np.exp(logarithms)[..., counts > 0].sum(axis=-1)))


def same_shares_probability(
    reference: npt.ArrayLike, current: npt.ArrayLike, inflation: npt.ArrayLike = 1.0
) -> FloatArray:
    """Probability that a window has exactly these counts: how likely a window is to repeat another.

    The multinomial law's with the reference's shares, to each bin of which half a row is added; with fewer effective
    rows continued to counts that are no whole numbers.

    Parameters
    ----------
    reference, current : int array, shape (n_bins,)
        Rows per bin.
    inflation : float array, shape (n_values,)
        By how much the variance of shares is inflated, at least 1: rows count as so many times fewer, and all of them
        as at least one.

    Returns
    -------
    float ndarray
        Of the shape of `inflation`; in [0, 1].

    Examples
    --------
    >>> same_shares_probability([500, 500], [50, 50], [1.0, 10.0]).round(4)
    array([0.0796, 0.2461])
    """
    from scipy.special import gammaln

    before, after = checked_counts("reference", reference), checked_counts("current", current)
    dispersion = np.asarray(inflation, dtype=np.float64)[..., None]
    effective = np.minimum(dispersion, max(after.sum(), 1.0))
    occupied = before + after > 0
    shares = (before[occupied] + 0.5) / (before[occupied] + 0.5).sum()
    counts = after[occupied] / effective
    logarithms = (counts * np.log(shares) - gammaln(counts + 1)).sum(axis=-1) + gammaln(counts.sum(axis=-1) + 1)
    return np.asarray(np.minimum(1.0, np.exp(logarithms)))
