"""Whether the share of the rows that are in one bin differs, with what is known of how much such shares wander."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import numpy.typing as npt

from monitoring_tasks.statistics.histogram import FloatArray, IntArray
from monitoring_tasks.statistics.homogeneity.cell_test import cell_p_values, wandering_share_p_value
from monitoring_tasks.statistics.homogeneity.column_dispersion import ColumnDispersion
from monitoring_tasks.statistics.homogeneity.dispersion import INDEPENDENT_ROWS, Dispersion

FEW = 10
"""Effective reference rows below which a bin says little about its own dispersion: where all of its rows came on one
cold day, the next one may be colder. It is then taken to be at least that of the shares."""


def share_test(reference: npt.ArrayLike, current: npt.ArrayLike, belief: Dispersion = INDEPENDENT_ROWS) -> float:
    """Return the two-sided p-value of one bin's two counts, averaged over what is believed of its dispersion.

    The larger one of `cell_p_values` and, where rows hang together, `wandering_share_p_value`.

    Parameters
    ----------
    reference, current : int array, shape (2,)
        Rows in the bin, and elsewhere; both together more than 0 on either side.
    belief
        By default rows are independent.

    Returns
    -------
    float
        In (0, 1]; without drift uniform, or larger.

    Examples
    --------
    >>> round(share_test([300, 29700], [30, 970]), 8)
    8.6e-07
    """
    a, b = np.asarray(reference), np.asarray(current)
    return belief.averaged(partial(_p_values, a, b), float(b.sum()))


def risen_share_test(reference: npt.ArrayLike, current: npt.ArrayLike, belief: Dispersion = INDEPENDENT_ROWS) -> float:
    """Return the one-sided p-value of `share_test`: of no rise.

    Parameters
    ----------
    reference, current : int array, shape (2,)
        As of `share_test`.
    belief
        By default rows are independent.

    Returns
    -------
    float
        In (0, 1]: half of the two-sided one where the share rose, else 1. NaN where neither side has a row in the bin:
        both counts' sum is what the test is conditional on, so that such a bin need not count as one more test.

    Examples
    --------
    Of values beyond both extremes of n others the number k is negative binomial: about two of them are expected per n.
    To be compared with, that is one row of the reference.

    >>> round(risen_share_test([1, 999], [7, 993]), 4)
    0.0347
    >>> risen_share_test([20, 980], [7, 993]), risen_share_test([0, 100], [0, 50])
    (1.0, nan)
    """
    a, b = np.asarray(reference), np.asarray(current)
    if a[0] + b[0] == 0:
        return math.nan
    # As Python's integers: the product of a billion rows and thirty billion is none of 64 bits.
    rose = int(b[0]) * int(a.sum()) > int(a[0]) * int(b.sum())
    return share_test(a, b, belief) / 2 if rose else 1.0


def belief_in_bin(reference: IntArray, place: int, dispersion: ColumnDispersion | None) -> Dispersion:
    """Return what is believed of the dispersion of one bin's share.

    Parameters
    ----------
    reference : int array, shape (n_bins,)
        Rows per bin of the whole column.
    place
        The bin's place.
    dispersion
        Measured on the parts of the reference; None, or one of fewer than two parts, says that rows are independent.
    """
    if dispersion is None or dispersion.parts < 2:
        return INDEPENDENT_ROWS
    return dispersion.of_bin(totals_of_bins(reference, dispersion)[place])


def totals_of_bins(reference: IntArray, dispersion: ColumnDispersion) -> list[float]:
    """Return the sum of squares that each bin shows over the parts."""
    own = np.array(dispersion.bins)
    known = reference >= FEW * np.maximum(1.0, own / max(dispersion.parts - 1, 1))
    totals: list[float] = np.where(known, own, np.maximum(own, dispersion.shares)).tolist()
    return totals


def _p_values(before: npt.NDArray[np.generic], after: npt.NDArray[np.generic], inflation: FloatArray) -> FloatArray:
    p_values = cell_p_values(before, after, inflation[:, None])[:, 0]
    dependent = inflation > 1
    if dependent.any():
        together = wandering_share_p_value(before, after, inflation[dependent])
        p_values[dependent] = np.maximum(p_values[dependent], together)
    return p_values
