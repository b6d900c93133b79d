"""What the drift check knows about a distance, and the bins of a column that a distance is taken over."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from monitoring_tasks.statistics.histogram import (
    FloatArray,
    IntArray,
    checked_counts,
    grouped,
    merge_ordered,
    merge_unordered,
)

Layout = Literal["numeric", "categorical"]
"""How the counts of a column are laid out, see `select`: a time's are like a number's."""


@dataclass(frozen=True)
class DriftMetric:
    """A distance between a reference and a current window, with what is needed to apply it to a column."""

    name: str
    """Name in monitor files and result rows."""
    function: Callable[..., float]
    """``function(reference, current)`` of two count vectors; with `needs_edges` also ``edges, scale``."""
    layouts: tuple[Layout, ...]
    """Columns it suits. Distances that use the order of the bins are for numeric columns only."""
    unit: str
    """Unit of the value, for people."""
    bins: Literal["all", "merged", "non_null"]
    """Bins it is taken over, see `select`: all of them, about ten merged ones, or all but the null bin."""
    minimum_effect: float
    """Usual floor: below it a difference is too small to matter, however certain. In the units of `effect`.

    0.1 is the default of every distance in Evidently and the bound of "slight change" for PSI in credit scoring [1]_.
    The floors are of the same order, for a small drift gives PSI = 2 KL = 8 Hellinger**2 = 5.5 Jensen-Shannon**2 =
    4 Cramer's V**2 to first order: 0.1 of PSI stands beside 0.05, 0.11, 0.13 and 0.16 of those.

    .. [1] Siddiqi, N. (2006). Credit Risk Scorecards. Wiley.
    """
    maximum: float = math.inf
    """Largest possible value."""
    needs_edges: bool = False
    """Whether `function` also takes the bins' edges and a scale."""
    effect: Callable[[npt.ArrayLike, npt.ArrayLike], float] | None = None
    """Size of the drift where the value itself also grows with the rows; None: the value is the size."""
    many: Callable[..., FloatArray] | None = None
    """The same of one reference and many windows, shapes (n_bins,) and (n_windows, n_bins), unchecked: for drawing what
    chance makes; None: `function` is called for each."""
    many_effects: Callable[..., FloatArray] | None = None
    """The same of `effect`."""
    quadratic: float | None = None
    """To first order the value is ``(quadratic * Q) ** power``, Q the sum of ``(p - q)**2 / p``; None if it is not."""
    power: float = 1.0
    smoothed: bool = False
    """Whether half a row is added to every bin, which makes small windows more alike."""
    title: str = ""
    """As messages call it; by default its name."""

    @property
    def grows_with_rows(self) -> bool:
        """Whether the value of one and the same drift grows with the rows."""
        return self.effect is not None

    @property
    def label(self) -> str:
        """Return what messages call it."""
        return self.title or self.name.replace("_", " ")


def select(
    metric: DriftMetric, layout: Layout, reference: npt.ArrayLike, current: npt.ArrayLike
) -> tuple[IntArray, IntArray]:
    """Return the two count vectors that `metric` is taken over.

    ``all`` keeps every bin, the null bin too, so that missingness is drift. ``non_null`` drops the null bin.
    ``merged`` keeps the null bin (and of a categorical column the unseen bin) on its own and merges the rest into at
    most ten groups, by the reference alone: PSI's conventional bounds are for about ten bins, and it grows with them.

    Parameters
    ----------
    metric : DriftMetric
        Its `bins` decide.
    layout : "numeric" or "categorical"
        That of the counts: ``[null, below range, bin_1 ... bin_k, above range]`` of a numeric column,
        ``[null, category_1 ... category_K, other, unseen]`` of a categorical one.
    reference, current : int array, shape (n_bins,)
        Rows per bin of the whole column.

    Returns
    -------
    reference, current : int ndarray, shape (n_selected,)
        A side may be left without rows, as when every value is null: check before taking a distance.

    Raises
    ------
    ValueError
        If `metric` is not for columns of this layout, or the counts are not two such vectors of one length.

    Examples
    --------
    >>> from monitoring_tasks.statistics.drift import drift_metric
    >>> select(drift_metric("kolmogorov_smirnov"), "numeric", [7, 0, 4, 5, 0], [9, 1, 2, 3, 1])
    (array([0, 4, 5, 0]), array([1, 2, 3, 1]))
    """
    if layout not in metric.layouts:
        suited = " and ".join(metric.layouts)
        raise ValueError(f"metric {metric.name!r} does not suit {layout} columns, only {suited} ones")
    a = checked_counts("reference", reference).astype(np.int64)
    b = checked_counts("current", current).astype(np.int64)
    if a.size != b.size or a.size < 3:
        raise ValueError(
            f"`reference` has {a.size} bins and `current` {b.size}: both must be the whole column's counts on the "
            "reference's bins, the null bin first, at least three"
        )
    if metric.bins == "all":
        return a, b
    if metric.bins == "non_null":
        return a[1:], b[1:]
    groups = _merged(layout, a)
    return grouped(a, groups), grouped(b, groups)


def select_many(
    metric: DriftMetric, layout: Layout, reference: IntArray, windows: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return the same of one reference and many windows, whose bins are grouped once. Nothing is checked.

    Parameters
    ----------
    metric, layout
        As in `select`.
    reference : int array, shape (n_bins,)
        Rows per bin of the whole column.
    windows : int array, shape (n_windows, n_bins)
        The same of each window.

    Returns
    -------
    reference : float ndarray, shape (n_selected,)
    windows : float ndarray, shape (n_windows, n_selected)
        Whole numbers, exact up to 2**53 rows.
    """
    a, many = reference.astype(np.float64), windows.astype(np.float64)
    if metric.bins == "all":
        return a, many
    if metric.bins == "non_null":
        return a[1:], many[:, 1:]
    groups = _merged(layout, reference)
    into = (groups[:, np.newaxis] == np.arange(groups.max() + 1)).astype(np.float64)
    return a @ into, many @ into


def sizes(
    metric: DriftMetric,
    reference: FloatArray,
    windows: FloatArray,
    edges: FloatArray | None = None,
    scale: float | None = None,
) -> FloatArray:
    """Return the size of the drift between one reference and each of many windows: what a threshold is applied to.

    Parameters
    ----------
    metric : DriftMetric
        The distance.
    reference : float array, shape (n_bins,)
        Rows per bin, on the bins that the distance is taken over, see `select_many`. It has rows.
    windows : float array, shape (n_windows, n_bins)
        The same of each window; each has rows.
    edges : float array, shape (n_windows, n_bins + 1), optional
        For a distance that needs them; those of a window may end where its own extreme values are.
    scale : float, optional
        For the same, see `wasserstein`.

    Returns
    -------
    float ndarray, shape (n_windows,)
        In the units of the metric's `effect` if it has one, else of its value.
    """
    one: Callable[..., float] = metric.function if metric.effect is None else metric.effect
    many = metric.many if metric.effect is None else metric.many_effects
    if many is not None:
        extra = (edges, scale) if metric.needs_edges else ()
        return np.asarray(many(reference, windows, *extra), dtype=np.float64)
    if metric.needs_edges and edges is not None:
        return np.array([one(reference, window, its, scale) for window, its in zip(windows, edges, strict=True)])
    return np.array([one(reference, window) for window in windows], dtype=np.float64)


def _merged(layout: Layout, reference: IntArray) -> IntArray:
    return _merged_once(layout, reference.tobytes())


@lru_cache(maxsize=4096)
def _merged_once(layout: Layout, counts: bytes) -> IntArray:
    """Find the groups of a reference once: with a fixed baseline it is the same in every window."""
    groups = _merge(layout, np.frombuffer(counts, np.int64))
    groups.setflags(write=False)
    return groups


def _merge(layout: Layout, reference: IntArray) -> IntArray:
    if layout == "numeric":
        return np.concatenate(([0], 1 + merge_ordered(reference[1:])))
    categories = 1 + merge_unordered(reference[1:-1])
    return np.concatenate(([0], categories, [categories.max() + 1]))
