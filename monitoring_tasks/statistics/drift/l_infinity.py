"""L-infinity (Chebyshev) distance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from monitoring_tasks.statistics.drift.metric import DriftMetric
from monitoring_tasks.statistics.histogram import FloatArray, paired_counts, shares


def l_infinity(reference: npt.ArrayLike, current: npt.ArrayLike) -> float:
    """Largest change of one bin's share of the rows.

    TensorFlow Data Validation's comparator for categorical features [1]_. It sees one category that grows and is deaf
    to a change spread over many.

    Parameters
    ----------
    reference, current : int array, shape (n_bins,)
        Rows per bin, both on the reference's bins.

    Returns
    -------
    float
        Share of rows in [0, 1], symmetric, at most the total variation. Without drift about the largest of the bins'
        sampling errors, each at most sqrt((1/n + 1/m) / 4).

    Raises
    ------
    ValueError
        If a side is no vector of counts or holds no rows, or the sides do not share their bins.

    References
    ----------
    .. [1] Breck, E., Polyzotis, N., Roy, S., Whang, S. E., & Zinkevich, M. (2019). Data validation for machine
       learning. MLSys.

    Examples
    --------
    >>> l_infinity([50, 30, 20], [60, 25, 15])
    0.1
    """
    return float(_many(*paired_counts(reference, current)))


def _many(reference: FloatArray, current: FloatArray) -> FloatArray:
    return np.asarray(np.max(np.abs(shares(reference) - shares(current)), axis=-1))


METRIC = DriftMetric(
    "l_infinity",
    l_infinity,
    ("numeric", "categorical"),
    unit="share of rows",
    bins="all",
    minimum_effect=0.1,
    maximum=1.0,
    many=_many,
    title="L-infinity",
)
