"""1-Wasserstein (earth mover's) distance of binned samples, in standard deviations of the baseline."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from monitoring_tasks.statistics.drift.metric import DriftMetric
from monitoring_tasks.statistics.histogram import FloatArray, cumulative_shares, paired_counts


def wasserstein(reference: npt.ArrayLike, current: npt.ArrayLike, edges: npt.ArrayLike, scale: float) -> float:
    """Mean distance, in units of `scale`, that rows must be moved to turn one sample into the other [1]_.

    Rows are taken to lie evenly inside their bin, so it is the area between two piecewise linear CDFs, computed
    exactly also where they cross inside a bin.

    Error of binning: with w the widths and p, q the shares of the two sides, the value differs from that of the raw
    rows by at most ``sum(w * (p + q) / 2) / scale``. For spreading a bin's rows evenly moves them by half its width on
    average at worst (when all lie on one edge), and by the triangle inequality both sides' moves add. A value that
    has a bin of its own, one unit in the last place wide, adds nothing to it.

    Parameters
    ----------
    reference, current : int array, shape (n_bins,)
        Rows per bin, both on the reference's bins, without the null bin.
    edges : float array, shape (n_bins + 1,)
        Edges of the bins in the column's unit, finite and ascending; a bin may have no width. Bins that are open to
        one side need the most extreme value seen as their outer edge.
    scale : float
        Standard deviation of the baseline, in the column's unit, above 0.

    Returns
    -------
    float
        Multiples of `scale`, >= 0, symmetric at a given scale. A shift by s standard deviations is s. Without drift
        about 1.3 * sqrt(1/n + 1/m) for a bell-shaped column.

    Raises
    ------
    ValueError
        If a side is no vector of counts or holds no rows, the sides do not share their bins, `edges` do not fit them
        or are not finite and ascending, or `scale` is not finite and above 0.

    References
    ----------
    .. [1] Vallender, S. S. (1974). Calculation of the Wasserstein distance between probability distributions on the
       line. Theory of Probability and its Applications, 18(4), 784-786.

    Examples
    --------
    >>> wasserstein([10, 10, 0], [0, 10, 10], edges=[0.0, 5.0, 10.0, 15.0], scale=2.5)
    2.0
    """
    before, after = paired_counts(reference, current)
    checked = _checked_edges(edges, before.size)
    if not (math.isfinite(scale) and scale > 0):
        raise ValueError(
            f"`scale` must be a finite standard deviation above 0, not {scale:g}: a constant baseline has no unit to "
            "measure in, use another distance"
        )
    return float(_many(before, after, checked, scale))


def _many(reference: FloatArray, current: FloatArray, edges: npt.ArrayLike, scale: float) -> FloatArray:
    right = cumulative_shares(reference) - cumulative_shares(current)
    left = np.concatenate((np.zeros_like(right[..., :1]), right[..., :-1]), axis=-1)
    size = np.abs(left) + np.abs(right)
    # Where the CDFs cross, two triangles remain of the trapezium.
    crossed = np.divide(left**2 + right**2, 2 * size, out=np.zeros_like(size), where=size > 0)
    height = np.where(left * right < 0, crossed, size / 2)
    return np.asarray(np.sum(np.diff(np.asarray(edges, dtype=np.float64)) * height, axis=-1) / scale)


def _checked_edges(edges: npt.ArrayLike, bins: int) -> FloatArray:
    array = np.asarray(edges, dtype=np.float64)
    if array.shape != (bins + 1,):
        raise ValueError(f"`edges` has the shape {array.shape}: {bins} bins need {bins + 1} edges")
    if not np.isfinite(array).all():
        place = int(np.argmin(np.isfinite(array)))
        raise ValueError(
            f"`edges` must be finite, not {array[place]:g} (edge {place}): close open bins with the extreme values seen"
        )
    if (array[1:] < array[:-1]).any():
        place = int(np.argmax(array[1:] < array[:-1]))
        raise ValueError(f"`edges` must ascend, not fall from {array[place]:g} to {array[place + 1]:g}")
    if not math.isfinite(float(array[-1]) - float(array[0])):
        raise ValueError(f"`edges` span more than a float holds, from {array[0]:g} to {array[-1]:g}")
    return array


METRIC = DriftMetric(
    "wasserstein",
    wasserstein,
    ("numeric",),
    unit="baseline standard deviations",
    bins="non_null",
    minimum_effect=0.1,
    needs_edges=True,
    many=_many,
    title="Wasserstein distance",
)
