"""Two-sample Kolmogorov-Smirnov statistic of binned samples, and its p-value."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from monitoring_tasks.statistics.drift.metric import DriftMetric
from monitoring_tasks.statistics.histogram import FloatArray, cumulative_shares, paired_counts


def kolmogorov_smirnov(reference: npt.ArrayLike, current: npt.ArrayLike) -> float:
    """Largest difference of the two cumulative distribution functions at the bins' edges [1]_.

    Error of binning: with p and q the shares of the two sides, the statistic of the raw rows lies in
    ``[value, value + max(min(p, q))]``, the maximum taken over the bins. For the edges are among the points the raw
    statistic looks at; and at a point inside a bin each CDF lies between its values at the two edges, so their
    difference exceeds that at the right edge by at most q, and that at the left edge by at most p (or the other way
    round). Equal-frequency bins keep this at 1/n_bins; a value that has a bin of its own costs its share only in this
    bound, not in truth.

    Parameters
    ----------
    reference, current : int array, shape (n_bins,)
        Rows per bin, bins in ascending order, both on the reference's bins. Without the null bin: it has no place in
        the order.

    Returns
    -------
    float
        Share of rows in [0, 1], symmetric. Without drift about 0.87 * sqrt(1/n + 1/m).

    Raises
    ------
    ValueError
        If a side is no vector of counts or holds no rows, or the sides do not share their bins.

    References
    ----------
    .. [1] Smirnov, N. (1948). Table for estimating the goodness of fit of empirical distributions. Annals of
       Mathematical Statistics, 19(2), 279-281.

    Examples
    --------
    >>> kolmogorov_smirnov([25, 25, 25, 25], [10, 20, 30, 40])
    0.2
    """
    return float(_many(*paired_counts(reference, current)))


def _many(reference: FloatArray, current: FloatArray) -> FloatArray:
    return np.asarray(np.max(np.abs(cumulative_shares(reference) - cumulative_shares(current)), axis=-1))


def kolmogorov_smirnov_p_value(statistic: float, reference_rows: int, current_rows: int) -> float:
    """Asymptotic probability of a statistic at least this large if both samples come from one distribution.

    ``K(sqrt(n m / (n + m)) * statistic)``, K the survival function of Kolmogorov's distribution [1]_. Conservative (too
    large, so alarms are too few rather than too many) in three cases: few rows, where below 0.1 it stands above the
    exact probability, up to tenfold with 5 rows on a side and up to 1.2 times with 100 on both; values that repeat;
    and a binned statistic, which never exceeds that of the raw rows. The fewer the bins, the more conservative.

    Parameters
    ----------
    statistic : float
        In [0, 1].
    reference_rows, current_rows : int
        Rows behind the statistic, each at least 1, without nulls.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    ValueError
        If the statistic is outside [0, 1] or a side holds no rows.

    References
    ----------
    .. [1] Smirnov, N. (1948). Table for estimating the goodness of fit of empirical distributions. Annals of
       Mathematical Statistics, 19(2), 279-281.

    Examples
    --------
    >>> kolmogorov_smirnov_p_value(0.192, 100, 100)
    0.0501
    """
    from scipy.special import kolmogorov  # 0.3 s to import: only whoever wants a p-value pays

    if not 0 <= statistic <= 1:
        raise ValueError(f"`statistic` must lie in [0, 1], not {statistic:g}: pass the largest CDF difference")
    for name, rows in (("reference_rows", reference_rows), ("current_rows", current_rows)):
        if rows < 1:
            raise ValueError(f"`{name}` must be at least 1, not {rows}: test only sides that have rows")
    effective_rows = reference_rows / (reference_rows + current_rows) * current_rows
    return float(kolmogorov(math.sqrt(effective_rows) * statistic))


METRIC = DriftMetric(
    "kolmogorov_smirnov",
    kolmogorov_smirnov,
    ("numeric",),
    unit="share of rows",
    bins="non_null",
    minimum_effect=0.1,
    maximum=1.0,
    many=_many,
    title="Kolmogorov-Smirnov",
)
