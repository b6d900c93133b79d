"""Kullback-Leibler divergence of the current window from the reference."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from monitoring_tasks.statistics.drift.metric import DriftMetric
from monitoring_tasks.statistics.histogram import FloatArray, paired_counts, smoothed_shares


def kl_divergence(reference: npt.ArrayLike, current: npt.ArrayLike) -> float:
    """Kullback-Leibler divergence KL(current || reference) of two binned samples [1]_.

    The direction weighs each bin by the rows the window has now, so it answers what a monitor asks: by how much, per
    row arriving now, does the reference mislead? It is loud where rows appear that the reference hardly knew, and
    quiet where known rows cease. Half a row is added to every bin on both sides; with at least c rows in every bin on
    both sides, that moves the result by at most (2 + max |log(p / q)|) / c.

    Parameters
    ----------
    reference, current : int array, shape (n_bins,)
        Rows per bin (counts, not proportions), both on the reference's bins.

    Returns
    -------
    float
        Nats, >= 0, not symmetric. Without drift about (1/n + 1/m) / 2 * chi2(n_bins - 1), so small samples read high.

    Raises
    ------
    ValueError
        If a side is no vector of counts or holds no rows, or the sides do not share their bins.

    References
    ----------
    .. [1] Kullback, S., & Leibler, R. A. (1951). On information and sufficiency. Annals of Mathematical Statistics,
       22(1), 79-86.

    Examples
    --------
    >>> kl_divergence([5000, 5000], [6000, 4000])
    0.0201
    """
    return float(_many(*paired_counts(reference, current)))


def _many(reference: FloatArray, current: FloatArray) -> FloatArray:
    p, q = smoothed_shares(reference), smoothed_shares(current)
    # Rounding can leave a sum of -1e-17 where both sides have the same shares.
    return np.asarray(np.maximum(0.0, np.sum(q * np.log(q / p), axis=-1)))


METRIC = DriftMetric(
    "kl_divergence",
    kl_divergence,
    ("numeric", "categorical"),
    unit="nats",
    bins="merged",
    minimum_effect=0.1,
    many=_many,
    quadratic=0.5,
    smoothed=True,
    title="Kullback-Leibler divergence",
)
