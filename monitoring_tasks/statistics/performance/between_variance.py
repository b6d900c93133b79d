"""Between-window variance: by how much a metric moves from window to window beyond its sampling error."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

STEPS = 100
"""Of Newton's iteration at most; it takes five to ten."""


def between_variance(values: npt.ArrayLike, standard_errors: npt.ArrayLike) -> float:
    """Estimate the variance of the true values behind estimates with known standard errors.

    Paule and Mandel's estimate [1]_: the variance with which the weighted sum of squares,
    ``sum((values - mean)**2 / (standard_errors**2 + variance))``, equals its expectation, one less than the number of
    values. Unlike DerSimonian and Laird's it needs no approximation where the values' precisions differ [2]_.

    Parameters
    ----------
    values : float array, shape (n,)
        A metric of n parts of the baseline, such as its days. NaN is not measured and left out.
    standard_errors : float array, shape (n,)
        Sampling error of each, above 0; NaN or 0 (a metric that could not vary) leaves the value out.

    Returns
    -------
    float
        In squared units of the metric, at least 0. Of parts that differ by sampling alone it is 0 about half of the
        time. NaN if fewer than two values were measured.

    Raises
    ------
    ValueError
        If the two are no vectors of one length, or a standard error is negative.

    References
    ----------
    .. [1] Paule, R. C., & Mandel, J. (1982). Consensus values and weighting factors. Journal of Research of the
       National Bureau of Standards, 87(5), 377-385.
    .. [2] DerSimonian, R., & Kacker, R. (2007). Random-effects model for meta-analysis of clinical trials: an update.
       Contemporary Clinical Trials, 28(2), 105-114.

    Examples
    --------
    >>> round(between_variance([0.80, 0.90, 0.85, 0.75], [0.02, 0.02, 0.03, 0.03]), 5)
    0.0035
    """
    value, error = np.asarray(values, dtype=np.float64), np.asarray(standard_errors, dtype=np.float64)
    if value.ndim != 1 or value.shape != error.shape:
        raise ValueError(
            f"`values` of shape {value.shape} and `standard_errors` of shape {error.shape} must be vectors of one "
            "length"
        )
    if (error < 0).any():
        place = int(np.argmax(error < 0))
        raise ValueError(
            f"`standard_errors` must not be negative, as {error[place]:g} (position {place}) is: write NaN for not "
            "known"
        )
    known = np.isfinite(value) & np.isfinite(error) & (error**2 > 0)
    value, sampling = value[known], error[known] ** 2
    if value.size < 2:
        return math.nan
    variance = 0.0
    # The sum falls as the variance grows, and ever more slowly: Newton's steps come from below and never pass the root.
    for _ in range(STEPS):
        weight = 1 / (sampling + variance)
        off = value - weight @ value / weight.sum()
        excess = float(weight @ off**2) - (value.size - 1)
        step = excess / float((weight * off) @ (weight * off)) if excess > 0 else 0.0
        if not variance + step > variance:
            break
        variance += step
    return variance
