"""The mean of values that come in days, with an interval for days that resemble their neighbours."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FEWEST_DAYS = 10
"""Fewer days say too little about how much days differ: there is no interval."""

_TWO_SIDED_95 = (1.9600, 2.9694, 0.4160, -0.5324)
"""Critical value at 97.5 % as a polynomial in b, the bandwidth's share of the days: [2]_, table 1, Bartlett."""


@dataclass(frozen=True)
class MeanOverDays:
    """A mean with its 95 % interval."""

    value: float
    lower: float
    upper: float
    days: int


def mean_over_days(values: NDArray[np.float64], days: NDArray[np.int64]) -> MeanOverDays:
    """Return the mean of `values` and its 95 % interval, when rows of one day and days in a row are alike.

    A storm delays hundreds of flights of one day and some of the next. Rows are therefore summed by day, and the
    variance of the mean takes in the covariance of days up to a lag that grows with their number: Newey and West [1]_
    over sums, as Driscoll and Kraay [3]_ do. That estimate reads low when days are few; the critical value of Kiefer
    and Vogelsang [2]_ makes up for it.

    Parameters
    ----------
    values : float ndarray, shape (n_rows,)
        Any unit; finite.
    days : int ndarray, shape (n_rows,)
        The day of each row, as a number that rises by one a day. Days without a row are passed over.

    Returns
    -------
    MeanOverDays
        In the values' unit. The bounds are NaN with fewer than `FEWEST_DAYS` days.

    Raises
    ------
    ValueError
        If there is no row, or a value is not finite.

    References
    ----------
    .. [1] Newey, W. K. and West, K. D. (1994). Automatic Lag Selection in Covariance Matrix Estimation. Review of
       Economic Studies, 61(4), 631-653: the lag 4 (n / 100)^(2/9) of the Bartlett kernel.
    .. [2] Kiefer, N. M. and Vogelsang, T. J. (2005). A New Asymptotic Theory for Heteroskedasticity-Autocorrelation
       Robust Tests. Econometric Theory, 21(6), 1130-1164.
    .. [3] Driscoll, J. C. and Kraay, A. C. (1998). Consistent Covariance Matrix Estimation with Spatially Dependent
       Panel Data. Review of Economics and Statistics, 80(4), 549-560.

    Examples
    --------
    >>> values = np.array([1.0, 3.0] * 10)
    >>> mean = mean_over_days(values, np.repeat(np.arange(10), 2))
    >>> mean.value, mean.lower, mean.upper
    (2.0, 2.0, 2.0)
    """
    if not len(values) or not np.isfinite(values).all():
        raise ValueError("values must be finite, and at least one")
    _, day = np.unique(days, return_inverse=True)
    count = int(day.max()) + 1
    value = float(values.mean())
    if count < FEWEST_DAYS:
        return MeanOverDays(value, math.nan, math.nan, count)
    sums = np.bincount(day, values - value)
    lag = int(4 * (count / 100) ** (2 / 9))
    variance = sums @ sums + 2 * sum((1 - k / (lag + 1)) * (sums[k:] @ sums[:-k]) for k in range(1, lag + 1))
    share = (lag + 1) / count
    reach = sum(c * share**power for power, c in enumerate(_TWO_SIDED_95)) * math.sqrt(variance) / len(values)
    return MeanOverDays(value, value - reach, value + reach, count)
