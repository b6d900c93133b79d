"""Jensen-Shannon distance."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from monitoring_tasks.statistics.drift.metric import DriftMetric
from monitoring_tasks.statistics.histogram import FloatArray, paired_counts, shares


def jensen_shannon(reference: npt.ArrayLike, current: npt.ArrayLike) -> float:
    """Jensen-Shannon distance: root of the mean divergence, in bits, of both samples from their mixture.

    This is the distance, a metric [1]_, to base 2. Tools that print the divergence print its square; tools that use
    natural logarithms (Evidently) print it times sqrt(log 2) = 0.8326.

    Parameters
    ----------
    reference, current : int array, shape (n_bins,)
        Rows per bin, both on the reference's bins.

    Returns
    -------
    float
        In [0, 1], symmetric; 1 if no bin has rows on both sides. Without drift about
        sqrt((1/n + 1/m) * (n_bins - 1) / 5.5), so small samples read high.

    Raises
    ------
    ValueError
        If a side is no vector of counts or holds no rows, or the sides do not share their bins.

    References
    ----------
    .. [1] Endres, D. M., & Schindelin, J. E. (2003). A new metric for probability distributions. IEEE Transactions on
       Information Theory, 49(7), 1858-1860.

    Examples
    --------
    >>> jensen_shannon([50, 50], [60, 40])
    0.0854
    """
    return float(_many(*paired_counts(reference, current)))


def _many(reference: FloatArray, current: FloatArray) -> FloatArray:
    p, q = shares(reference), shares(current)
    mixture = (p + q) / 2
    divergence = (_relative_entropy(p, mixture) + _relative_entropy(q, mixture)) / 2
    return np.sqrt(np.clip(divergence, 0.0, 1.0))


def _relative_entropy(p: FloatArray, mixture: FloatArray) -> FloatArray:
    """Kullback-Leibler divergence in bits; a bin without rows adds nothing, as x log x tends to 0."""
    ratio = np.divide(p, mixture, out=np.ones_like(mixture), where=np.broadcast_to(p > 0, mixture.shape))
    return np.asarray(np.sum(p * np.log2(ratio), axis=-1))


METRIC = DriftMetric(
    "jensen_shannon",
    jensen_shannon,
    ("numeric", "categorical"),
    unit="distance, base 2",
    bins="all",
    minimum_effect=0.1,
    maximum=1.0,
    many=_many,
    quadratic=1 / (8 * math.log(2)),
    power=0.5,
    title="Jensen-Shannon distance",
)
