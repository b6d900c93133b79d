"""Quantiles read off a histogram."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike


def histogram_quantile(counts: ArrayLike, edges: Sequence[float], share: float) -> float | None:
    """Return the quantile of values counted on logarithmically spaced edges.

    Parameters
    ----------
    counts : int array, shape (n_edges + 1,)
        Values below the first edge, in each bin, and above the last edge.
    edges : shape (n_edges,)
        Positive, ascending.
    share : float
        In (0, 1]: 0.95 for the 95th percentile.

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
    """
    rows = np.asarray(counts, dtype=np.int64)
    if rows.shape != (len(edges) + 1,):
        raise ValueError(f"`counts` must have one entry more than the {len(edges)} `edges`, not shape {rows.shape}")
    total = int(rows.sum())
    if total == 0:
        return None
    rank = max(1, math.ceil(share * total))
    place = int(np.searchsorted(np.cumsum(rows), rank))
    if place == 0:
        return edges[0]
    if place == len(edges):
        return edges[-1]
    return math.sqrt(edges[place - 1] * edges[place])
