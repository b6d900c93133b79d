"""Population stability index (PSI): credit scoring's name of the Jeffreys divergence."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from monitoring_tasks.statistics.drift.metric import DriftMetric
from monitoring_tasks.statistics.histogram import FloatArray, paired_counts, smoothed_shares


def population_stability_index(reference: npt.ArrayLike, current: npt.ArrayLike) -> float:
    """Jeffreys divergence between two binned samples: both Kullback-Leibler divergences added [1]_.

    Half a row is added to every bin on both sides. With at least c rows in every bin on both sides, that moves the
    result by at most (2 + max |log(p / q)|) / c. A bin that is empty on both sides still adds about
    log(n / m) / (2 m), where m is much the smaller side: 0.05 for a window of 100 rows against a million.

    Parameters
    ----------
    reference, current : int array, shape (n_bins,)
        Rows per bin (counts, not proportions), both on the reference's bins.

    Returns
    -------
    float
        Nats, >= 0, symmetric. Without drift about (1/n + 1/m) * chi2(n_bins - 1) [2]_, so small samples read high.
        By convention below 0.1 is a slight change, above 0.25 a large one.

    Raises
    ------
    ValueError
        If a side is no vector of counts or holds no rows, or the sides do not share their bins.

    References
    ----------
    .. [1] Jeffreys, H. (1946). An invariant form for the prior probability. Proc. R. Soc. Lond. A, 186(1007), 453-461.
    .. [2] Yurdakul, B. (2018). Statistical Properties of Population Stability Index. Western Michigan University.

    Examples
    --------
    >>> population_stability_index([5000, 5000], [6000, 4000])
    0.0405
    """
    return float(_many(*paired_counts(reference, current)))


def _many(reference: FloatArray, current: FloatArray) -> FloatArray:
    p, q = smoothed_shares(reference), smoothed_shares(current)
    return np.asarray(np.sum((p - q) * np.log(p / q), axis=-1))


METRIC = DriftMetric(
    "psi",
    population_stability_index,
    ("numeric", "categorical"),
    unit="nats",
    bins="merged",
    minimum_effect=0.1,
    many=_many,
    quadratic=1.0,
    smoothed=True,
    title="PSI",
)
