"""How steady the mean of a batch is, where batches have levels of their own."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from monitoring_tasks.statistics.change.detector import checked_series
from monitoring_tasks.statistics.histogram import FloatArray, IntArray


def standard_deviation_of_means(rows: npt.ArrayLike, standard_deviation: float, between: float = 0.0) -> FloatArray:
    """Return the standard deviation of each batch's mean: ``sqrt(standard_deviation**2 / rows + between**2)``.

    Windows of a real model have levels of their own, by weekday and by who comes: `between` holds that, and it does not
    shrink with the rows. Left out where it is not 0, large batches are false alarms.

    Parameters
    ----------
    rows : int array, shape (n,)
        Rows per batch. Of a batch without rows NaN comes back: leave it out, by ``rows=rows > 0`` in `cusum`.
    standard_deviation : float
        Of a row inside a batch. Of a 0/1 error with rate p it is ``sqrt(p * (1 - p))``.
    between : float, default: 0
        Standard deviation of the batches' own levels.

    Returns
    -------
    float ndarray, shape (n,)
        In units of the values.

    Raises
    ------
    ValueError
        If `rows` are not whole numbers, or a standard deviation is negative.

    Examples
    --------
    >>> standard_deviation_of_means([100, 10_000], 0.3, between=0.04).round(4)
    array([0.05  , 0.0401])
    """
    sizes = _checked(rows, standard_deviation, between)
    variance = np.full(sizes.shape, np.nan)
    np.divide(standard_deviation**2, sizes, out=variance, where=sizes > 0)
    return np.asarray(np.sqrt(variance + between**2))


def effective_rows(rows: npt.ArrayLike, standard_deviation: float, between: float) -> IntArray:
    """Return how many independent rows have a mean as steady as each batch's: rows over their design effect [1]_.

    ``rows / (1 + rows * between**2 / standard_deviation**2)``, rounded, at least 1 where there are rows. Passed as
    `rows` to a detector that weighs them, it keeps levels that batches have of their own from being called changes.

    Parameters
    ----------
    rows : int array, shape (n,)
        Rows per batch.
    standard_deviation : float
        Of a row inside a batch, above 0.
    between : float
        Standard deviation of the batches' own levels.

    Returns
    -------
    int ndarray, shape (n,)
        At most `rows`, and at most about ``(standard_deviation / between)**2``.

    Raises
    ------
    ValueError
        If `rows` are not whole numbers, or a standard deviation is negative or, of a row, 0.

    References
    ----------
    .. [1] Kish, L. (1965). Survey Sampling. Wiley. Section 5.4.

    Examples
    --------
    Errors at a rate of 0.1, in windows whose own rates differ by 0.02.

    >>> effective_rows([0, 100, 1000, 10**6], 0.3, between=0.02)
    array([  0,  69, 184, 225])
    """
    sizes = _checked(rows, standard_deviation, between)
    if standard_deviation == 0:
        raise ValueError("`standard_deviation` must be positive, not 0: rows that are all alike count without limit")
    effective = np.rint(sizes / (1 + sizes * (between / standard_deviation) ** 2)).astype(np.int64)
    return np.where(sizes > 0, np.maximum(effective, 1), 0)


def _checked(rows: npt.ArrayLike, standard_deviation: float, between: float) -> FloatArray:
    sizes = np.asarray(rows)
    checked_series(np.zeros(sizes.shape), sizes)
    for name, value in (("standard_deviation", standard_deviation), ("between", between)):
        if not 0 <= value < math.inf:
            raise ValueError(f"`{name}` must not be negative, not {value:g}: take it from batches without change")
    return sizes.astype(np.float64)
