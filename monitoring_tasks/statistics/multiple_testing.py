"""Which of many p-values to believe: the more columns a monitor has, the more of them look drifted by chance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from monitoring_tasks.statistics.histogram import FloatArray

BoolArray = npt.NDArray[np.bool_]


def benjamini_hochberg(p_values: npt.ArrayLike, rate: float) -> BoolArray:
    """Reject so that at most `rate` of the rejections are false, in expectation.

    With the m p-values in ascending order, all up to the largest k with ``p_(k) <= k / m * rate`` are rejected [1]_.
    If nothing has drifted, the chance of any rejection is at most `rate`. Holds for independent and for positively
    dependent tests [2]_.

    Parameters
    ----------
    p_values : float array, shape (n,)
        NaN means not tested: not counted in m and never rejected.
    rate : float
        False discovery rate, in (0, 1).

    Returns
    -------
    bool ndarray, shape (n,)
        True where the null hypothesis is rejected.

    Raises
    ------
    ValueError
        If `p_values` is not a vector of values in [0, 1] or NaN, or `rate` is not inside (0, 1).

    References
    ----------
    .. [1] Benjamini, Y., & Hochberg, Y. (1995). Controlling the false discovery rate. J. R. Stat. Soc. B, 57(1),
       289-300.
    .. [2] Benjamini, Y., & Yekutieli, D. (2001). The control of the false discovery rate in multiple testing under
       dependency. Annals of Statistics, 29(4), 1165-1188.

    Examples
    --------
    >>> benjamini_hochberg([0.03, 0.012, float("nan"), 0.4], rate=0.05)
    array([ True,  True, False, False])
    """
    values, ascending = _checked(p_values, rate)
    passed = np.flatnonzero(ascending <= np.arange(1, ascending.size + 1) / max(ascending.size, 1) * rate)
    cut = ascending[passed[-1]] if passed.size else -1.0
    return values <= cut  # NaN is never below anything


def holm(p_values: npt.ArrayLike, rate: float) -> BoolArray:
    """Reject so that the chance of even one false rejection is at most `rate`, whatever the dependence.

    With the m p-values in ascending order, rejection goes on while ``p_(k) <= rate / (m - k + 1)`` and stops at the
    first that fails [1]_. Rejects all that Bonferroni's rule does, and more.

    Parameters
    ----------
    p_values : float array, shape (n,)
        NaN means not tested: not counted in m and never rejected.
    rate : float
        Family-wise error rate, in (0, 1).

    Returns
    -------
    bool ndarray, shape (n,)
        True where the null hypothesis is rejected.

    Raises
    ------
    ValueError
        If `p_values` is not a vector of values in [0, 1] or NaN, or `rate` is not inside (0, 1).

    References
    ----------
    .. [1] Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of
       Statistics, 6(2), 65-70.

    Examples
    --------
    >>> holm([0.03, 0.012, float("nan"), 0.4], rate=0.05)
    array([False,  True, False, False])
    """
    values, ascending = _checked(p_values, rate)
    failed = np.flatnonzero(ascending > rate / np.arange(ascending.size, 0, -1))
    rejections = failed[0] if failed.size else ascending.size
    cut = ascending[rejections - 1] if rejections else -1.0
    return values <= cut  # NaN is never below anything


def holm_p_values(p_values: npt.ArrayLike) -> FloatArray:
    """Return the p-values that Holm's method adjusts: each is the smallest rate at which `holm` rejects.

    Parameters
    ----------
    p_values : float array, shape (n,)
        NaN means not tested: not counted.

    Returns
    -------
    float ndarray, shape (n,)
        ``max((m - j + 1) p_(j), j <= k)`` for the k-th smallest of m, at most 1; NaN where not tested.

    Raises
    ------
    ValueError
        If `p_values` is not a vector of values in [0, 1] or NaN.

    References
    ----------
    .. [1] Wright, S. P. (1992). Adjusted p-values for simultaneous inference. Biometrics, 48(4), 1005-1013.

    Examples
    --------
    >>> holm_p_values([0.03, 0.012, float("nan"), 0.4])
    array([0.06 , 0.036,   nan, 0.4  ])
    """
    values, ascending = _checked(p_values, 0.5)
    adjusted = np.full(values.size, np.nan)
    order = np.argsort(values, kind="stable")[: ascending.size]  # NaN comes last
    adjusted[order] = np.minimum(np.maximum.accumulate(ascending * np.arange(ascending.size, 0, -1)), 1.0)
    return adjusted


def simes(p_values: npt.ArrayLike) -> float:
    """Return the p-value of the hypothesis that all null hypotheses are true [1]_.

    ``min(m / k * p_(k))`` over the m ascending p-values. It is at most a rate exactly if `benjamini_hochberg` rejects
    anything at that rate.

    Parameters
    ----------
    p_values : float array, shape (n,)
        NaN means not tested.

    Returns
    -------
    float
        In [0, 1]; without any effect uniform, for independent tests. NaN if nothing was tested.

    Raises
    ------
    ValueError
        If `p_values` is not a vector of values in [0, 1] or NaN.

    References
    ----------
    .. [1] Simes, R. J. (1986). An improved Bonferroni procedure for multiple tests of significance. Biometrika, 73(3),
       751-754.

    Examples
    --------
    >>> simes([0.03, 0.012, float("nan"), 0.4])
    0.036
    """
    _, ascending = _checked(p_values, 0.5)
    if not ascending.size:
        return float("nan")
    return float(np.min(ascending * ascending.size / np.arange(1, ascending.size + 1)))


def _checked(p_values: npt.ArrayLike, rate: float) -> tuple[FloatArray, FloatArray]:
    """Return the p-values, and those of them that were tested in ascending order."""
    values = np.asarray(p_values, dtype=np.float64)
    if values.ndim != 1:
        raise ValueError(f"`p_values` must have one dimension, not the shape {values.shape}")
    outside = (values < 0) | (values > 1)
    if outside.any():
        place = int(np.argmax(outside))
        raise ValueError(
            f"`p_values` must lie in [0, 1], not {values[place]:g} (position {place}): write NaN for not tested"
        )
    if not 0 < rate < 1:
        raise ValueError(f"`rate` must lie inside (0, 1), not {rate:g}: 0.05 lets one in twenty through")
    return values, np.sort(values[~np.isnan(values)])
