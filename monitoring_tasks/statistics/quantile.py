"""Quantiles read off a histogram."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray


def histogram_quantile(
    counts: ArrayLike,
    edges: Sequence[float],
    share: float,
    minimum: float | None = None,
    maximum: float | None = None,
) -> float | None:
    """Return the quantile of values counted on logarithmically spaced edges.

    Parameters
    ----------
    counts : int array, shape (n_edges + 1,)
        Values below the first edge, in each bin, and above the last edge.
    edges : shape (n_edges,)
        Positive, ascending.
    share : float
        In (0, 1]: 0.95 for the 95th percentile.
    minimum, maximum : float, optional
        Of the values: no quantile lies outside.

    Returns
    -------
    float or None
        The geometric middle of the bin that holds the value of rank ``ceil(share * n)``, so within a factor of
        ``sqrt(edges[i+1] / edges[i])`` of it: 2 % for edges 4 % apart. The first or last edge where the value lies
        outside of all. None of no values.

    Raises
    ------
    ValueError
        If there is not one count more than edges.

    Examples
    --------
    >>> histogram_quantile([0, 90, 10, 0], [10.0, 20.0, 40.0], 0.95)
    28.284271247461902
    >>> histogram_quantile([0, 90, 10, 0], [10.0, 20.0, 40.0], 0.95, minimum=11.0, maximum=25.0)
    25.0
    """
    rows = _checked(counts, edges)
    total = int(rows.sum())
    if total == 0:
        return None
    place = _place(rows, max(1, math.ceil(share * total)))
    if place == 0:
        value = edges[0]
    elif place == len(edges):
        value = edges[-1]
    else:
        value = math.sqrt(edges[place - 1] * edges[place])
    least, most = -math.inf if minimum is None else minimum, math.inf if maximum is None else maximum
    return min(max(value, least), most)


def quantile_interval(
    counts: ArrayLike,
    edges: Sequence[float],
    share: float,
    minimum: float | None = None,
    maximum: float | None = None,
) -> tuple[float | None, float | None]:
    """Return the 95 % interval of a quantile, by the ranks between which it lies whatever the distribution [1]_.

    The number of values below the quantile is binomial. So the values of the ranks at that number's 2.5 and 97.5 %
    quantiles hold it between them with at least 95 %. The ends are the outer edges of those values' bins.

    Parameters
    ----------
    counts, edges, share, minimum, maximum
        As of `histogram_quantile`, `share` in (0, 1).

    Returns
    -------
    tuple
        Lower and upper end; None where no value is extreme enough to be one, or none of its bin's edges and neither the
        minimum nor the maximum bounds it.

    References
    ----------
    .. [1] Hahn, G. J., & Meeker, W. Q. (1991). Statistical Intervals, section 5.2. Wiley.

    Examples
    --------
    Of 100 values, the median lies between those of the ranks 40 and 61.

    >>> quantile_interval([0, 39, 1, 20, 1, 39, 0], [1.0, 2.0, 4.0, 8.0, 16.0, 32.0], 0.5)
    (2.0, 16.0)
    """
    rows = _checked(counts, edges)
    total = int(rows.sum())
    first = _binomial_quantile(0.025, total, share) if total else 0
    last = _binomial_quantile(0.975, total, share) + 1
    lower = upper = None
    if first >= 1:
        place = _place(rows, first)
        lower = _highest(edges[place - 1] if place else None, minimum)
    if last <= total:
        place = _place(rows, last)
        upper = _lowest(edges[place] if place < len(edges) else None, maximum)
    return lower, upper


def rows_above(counts: ArrayLike, edges: Sequence[float], value: float) -> int:
    """Return how many values certainly lie above this one: those of the bins that begin there or later.

    Examples
    --------
    >>> rows_above([0, 90, 10, 3], [10.0, 20.0, 40.0], 20.0), rows_above([0, 90, 10, 3], [10.0, 20.0, 40.0], 21.0)
    (13, 3)
    """
    return int(_checked(counts, edges)[1 + int(np.searchsorted(np.asarray(edges), value, "left")) :].sum())


def _checked(counts: ArrayLike, edges: Sequence[float]) -> NDArray[np.int64]:
    rows = np.asarray(counts, dtype=np.int64)
    if rows.shape != (len(edges) + 1,):
        raise ValueError(f"`counts` must have one entry more than the {len(edges)} `edges`, not shape {rows.shape}")
    return rows


def _place(rows: NDArray[np.int64], rank: int) -> int:
    return int(np.searchsorted(np.cumsum(rows), rank))


def _binomial_quantile(chance: float, trials: int, share: float) -> int:
    """Return the smallest number that a binomial count is at most with this probability."""
    from scipy.special import betainc

    low, high = 0, trials
    while low < high:
        middle = (low + high) // 2
        # `bdtr`, which says the same, is NaN from 2**31 trials on.
        at_most = betainc(trials - middle, middle + 1, 1 - share)
        low, high = (low, middle) if at_most >= chance else (middle + 1, high)
    return low


def _highest(a: float | None, b: float | None) -> float | None:
    return max((x for x in (a, b) if x is not None), default=None)


def _lowest(a: float | None, b: float | None) -> float | None:
    return min((x for x in (a, b) if x is not None), default=None)
