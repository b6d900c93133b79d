"""Total variation distance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from monitoring_tasks.statistics.drift.metric import DriftMetric
from monitoring_tasks.statistics.histogram import FloatArray, paired_counts, shares


def total_variation(reference: npt.ArrayLike, current: npt.ArrayLike) -> float:
    """Share of rows that would have to change their bin to turn one sample into the other [1]_.

    Parameters
    ----------
    reference, current : int array, shape (n_bins,)
        Rows per bin, both on the reference's bins.

    Returns
    -------
    float
        Share of rows in [0, 1], symmetric; 1 if no bin has rows on both sides. Without drift at most
        sqrt((1/n + 1/m) * (n_bins - 1)) / 2 on average, so small samples read high.

    Raises
    ------
    ValueError
        If a side is no vector of counts or holds no rows, or the sides do not share their bins.

    References
    ----------
    .. [1] Levin, D. A., Peres, Y., & Wilmer, E. L. (2009). Markov Chains and Mixing Times, chapter 4. AMS.

    Examples
    --------
    >>> total_variation([50, 50], [60, 40])
    0.1
    """
    return float(_many(*paired_counts(reference, current)))


def _many(reference: FloatArray, current: FloatArray) -> FloatArray:
    return np.asarray(np.minimum(1.0, np.sum(np.abs(shares(reference) - shares(current)), axis=-1) / 2))


METRIC = DriftMetric(
    "total_variation",
    total_variation,
    ("numeric", "categorical"),
    unit="share of rows",
    bins="all",
    minimum_effect=0.1,
    maximum=1.0,
    many=_many,
)
