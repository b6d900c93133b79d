"""Two histograms on the same bins: checked, turned into shares, merged into fewer bins."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


def paired_counts(reference: npt.ArrayLike, current: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Check two count vectors and return them as floats, exact up to 2**53 rows.

    Parameters
    ----------
    reference, current : int array, shape (n_bins,)
        Rows per bin, both on the reference's bins.

    Raises
    ------
    ValueError
        If a side is not a vector of whole, non-negative, finite counts, if the sides differ in length, or if a side
        holds no rows: a distance from nothing is not a number, so callers decide before they ask.

    Examples
    --------
    >>> paired_counts([1, 2], [0, 4])
    (array([1., 2.]), array([0., 4.]))
    """
    a, b = checked_counts("reference", reference), checked_counts("current", current)
    if a.size != b.size:
        raise ValueError(f"`reference` has {a.size} bins and `current` {b.size}: count both on the reference's bins")
    for name, counts in (("reference", a), ("current", b)):
        if not counts.any():
            raise ValueError(f"`{name}` holds no rows in its {counts.size} bins: compare only sides that have rows")
    return a, b


def checked_counts(name: str, counts: npt.ArrayLike) -> FloatArray:
    """Return `counts` as a float vector, or say what about the argument called `name` is no count.

    Raises
    ------
    ValueError
        If `counts` is not one-dimensional, or holds anything but whole, non-negative, finite numbers.

    Examples
    --------
    >>> checked_counts("current", [0.25, 0.75])
    Traceback (most recent call last):
    ValueError: `current` must hold whole numbers of rows, not 0.25 (bin 0): pass counts, not proportions
    """
    array = np.asarray(counts)
    if array.ndim != 1:
        raise ValueError(f"`{name}` must have one dimension (rows per bin), not the shape {array.shape}")
    if array.size and array.dtype.kind not in "iuf":
        raise ValueError(f"`{name}` must hold numbers of rows, not values of type {array.dtype}")
    # Integers are whole and finite by their type: of the counts of profiles, which come in thousands, no more is asked.
    if array.dtype.kind in "iu" and array.size and array.min() >= 0:
        return array.astype(np.float64)
    array = array.astype(np.float64)
    for wrong, rule, remedy in (
        (~np.isfinite(array), "finite numbers", "leave out what was not measured"),
        (array < 0, "non-negative numbers", "a bin cannot hold fewer than no rows"),
        (array != np.floor(array), "whole numbers", "pass counts, not proportions"),
    ):
        if wrong.any():
            bin_ = int(np.argmax(wrong))
            raise ValueError(f"`{name}` must hold {rule} of rows, not {array[bin_]:g} (bin {bin_}): {remedy}")
    return array


def proportions(reference: npt.ArrayLike, current: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Each side's share of rows per bin; each sums to 1.

    Parameters
    ----------
    reference, current : int array, shape (n_bins,)
        Rows per bin, both on the reference's bins.

    Raises
    ------
    ValueError
        As `paired_counts`.

    Examples
    --------
    >>> proportions([1, 3], [5, 5])
    (array([0.25, 0.75]), array([0.5, 0.5]))
    """
    a, b = paired_counts(reference, current)
    return shares(a), shares(b)


def shares(counts: FloatArray) -> FloatArray:
    """Divide the counts by their sum, along the last axis; nothing is checked."""
    divided: FloatArray = counts / counts.sum(axis=-1, keepdims=True)
    return divided


def smoothed_shares(counts: FloatArray) -> FloatArray:
    """Return the same after half a row was added to every bin."""
    return shares(counts + 0.5)


def smoothed_proportions(reference: npt.ArrayLike, current: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Each side's share of rows per bin after half a row was added to every bin; each sums to 1, none is 0.

    Half a row is Jeffreys' prior of a multinomial [1]_ and weighs less the more rows there are. Replacing zeros by a
    small constant instead lets that constant decide the result: with 2.2e-308 one empty bin adds hundreds of nats.

    Parameters
    ----------
    reference, current : int array, shape (n_bins,)
        Rows per bin, both on the reference's bins.

    Raises
    ------
    ValueError
        As `paired_counts`.

    References
    ----------
    .. [1] Krichevsky, R., & Trofimov, V. (1981). The performance of universal encoding. IEEE Transactions on
       Information Theory, 27(2), 199-207.

    Examples
    --------
    >>> smoothed_proportions([0, 3], [4, 0])
    (array([0.125, 0.875]), array([0.9, 0.1]))
    """
    a, b = paired_counts(reference, current)
    return smoothed_shares(a), smoothed_shares(b)


def cumulative_proportions(reference: npt.ArrayLike, current: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Each side's share of rows up to the right edge of each bin; the last is exactly 1.

    Parameters
    ----------
    reference, current : int array, shape (n_bins,)
        Rows per bin, bins in ascending order, both on the reference's bins.

    Raises
    ------
    ValueError
        As `paired_counts`.

    Examples
    --------
    >>> cumulative_proportions([1, 3], [5, 5])
    (array([0.25, 1.  ]), array([0.5, 1. ]))
    """
    a, b = paired_counts(reference, current)
    return cumulative_shares(a), cumulative_shares(b)


def cumulative_shares(counts: FloatArray) -> FloatArray:
    """Return the share of rows up to the right edge of each bin, along the last axis; nothing is checked."""
    sums = np.cumsum(counts, axis=-1)
    divided: FloatArray = sums / sums[..., -1:]
    return divided


def merge_ordered(reference: npt.ArrayLike, bins: int = 10) -> IntArray:
    """Assign each bin to one of at most `bins` groups of neighbours that hold near-equal reference rows.

    A bin goes to the group in which its middle row falls, so a group holds at most 1/`bins` of the rows plus its own
    largest bin. Only the reference decides: all windows are then compared on the same groups.

    Parameters
    ----------
    reference : int array, shape (n_bins,)
        Reference rows per bin, bins in ascending order.
    bins : int
        Most groups wanted, at least 1. With no more bins than this nothing is merged; heavy bins leave fewer groups.

    Returns
    -------
    int ndarray, shape (n_bins,)
        Group of each bin: ascending from 0 without gaps. A reference without rows makes one group.

    Raises
    ------
    ValueError
        If `reference` holds no valid counts or `bins` is below 1.

    Examples
    --------
    >>> merge_ordered([5, 5, 5, 5, 5, 5], bins=3)
    array([0, 0, 1, 1, 2, 2])
    >>> merge_ordered([1, 1, 90, 1, 1, 6], bins=3)
    array([0, 0, 1, 2, 2, 2])
    """
    counts = checked_counts("reference", reference).astype(np.int64)
    _check_bins(bins)
    if counts.size <= bins:
        return np.arange(counts.size)
    total = int(counts.sum())
    if total == 0:
        return np.zeros(counts.size, dtype=np.int64)
    # Whole numbers throughout, so that ten times the rows fall into the same groups.
    twice_middle = 2 * np.cumsum(counts) - counts
    group = np.minimum(bins * twice_middle // (2 * total), bins - 1)
    return np.unique(group, return_inverse=True)[1].astype(np.int64)


def merge_unordered(reference: npt.ArrayLike, bins: int = 10) -> IntArray:
    """Assign each bin to a group: the `bins` - 1 most frequent keep their own, all others share the last.

    Only the reference decides: all windows are then compared on the same groups.

    Parameters
    ----------
    reference : int array, shape (n_bins,)
        Reference rows per bin, in any order; of equally frequent bins the earlier keeps its own group.
    bins : int
        Most groups wanted, at least 1. With no more bins than this nothing is merged.

    Returns
    -------
    int ndarray, shape (n_bins,)
        Group of each bin, from 0 without gaps; bins with their own group are numbered in their order.

    Raises
    ------
    ValueError
        If `reference` holds no valid counts or `bins` is below 1.

    Examples
    --------
    >>> merge_unordered([2, 50, 1, 40, 3], bins=3)
    array([2, 0, 2, 1, 2])
    """
    counts = checked_counts("reference", reference)
    _check_bins(bins)
    if counts.size <= bins:
        return np.arange(counts.size)
    most_frequent = np.sort(np.argsort(-counts, kind="stable")[: bins - 1])
    group = np.full(counts.size, bins - 1, dtype=np.int64)
    group[most_frequent] = np.arange(bins - 1)
    return group


def grouped(counts: npt.ArrayLike, groups: npt.ArrayLike) -> IntArray:
    """Add up the counts of each group; the total stays the same.

    Parameters
    ----------
    counts : int array, shape (n_bins,)
        Rows per bin.
    groups : int array, shape (n_bins,)
        Group of each bin, from 0 without gaps, as `merge_ordered` and `merge_unordered` return it.

    Returns
    -------
    int ndarray, shape (n_groups,)
        Rows per group.

    Raises
    ------
    ValueError
        If `counts` are no valid counts, or there is not one group per bin.

    Examples
    --------
    >>> grouped([2, 50, 1, 40, 3], [2, 0, 2, 1, 2])
    array([50, 40,  6])
    """
    rows = checked_counts("counts", counts).astype(np.int64)
    group = np.asarray(groups)
    if group.shape != rows.shape:
        raise ValueError(f"`groups` has the shape {group.shape} for {rows.size} bins: pass the group of every bin")
    totals = np.zeros(int(group.max(initial=-1)) + 1, dtype=np.int64)
    np.add.at(totals, group, rows)
    return totals


def _check_bins(bins: int) -> None:
    if bins < 1:
        raise ValueError(f"`bins` must be at least 1, not {bins}")
