"""Hellinger distance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from monitoring_tasks.statistics.drift.metric import DriftMetric
from monitoring_tasks.statistics.histogram import FloatArray, paired_counts, shares


def hellinger(reference: npt.ArrayLike, current: npt.ArrayLike) -> float:
    """Hellinger distance: Euclidean distance between the roots of the shares, over sqrt(2) [1]_.

    Parameters
    ----------
    reference, current : int array, shape (n_bins,)
        Rows per bin, both on the reference's bins.

    Returns
    -------
    float
        In [0, 1], symmetric; 1 if no bin has rows on both sides. Without drift about
        sqrt((1/n + 1/m) * (n_bins - 1) / 8), so small samples read high.

    Raises
    ------
    ValueError
        If a side is no vector of counts or holds no rows, or the sides do not share their bins.

    References
    ----------
    .. [1] Le Cam, L. (1986). Asymptotic Methods in Statistical Decision Theory. Springer.

    Examples
    --------
    >>> hellinger([50, 50], [60, 40])
    0.0711
    """
    return float(_many(*paired_counts(reference, current)))


def _many(reference: FloatArray, current: FloatArray) -> FloatArray:
    p, q = shares(reference), shares(current)
    # Squared differences rather than 1 - sum(sqrt(p q)), which loses every digit below 1e-8.
    return np.asarray(np.minimum(1.0, np.sqrt(np.sum((np.sqrt(p) - np.sqrt(q)) ** 2, axis=-1) / 2)))


METRIC = DriftMetric(
    "hellinger",
    hellinger,
    ("numeric", "categorical"),
    unit="distance",
    bins="all",
    minimum_effect=0.1,
    maximum=1.0,
    many=_many,
    quadratic=1 / 8,
    power=0.5,
    title="Hellinger distance",
)
