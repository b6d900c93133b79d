"""A grid under a column's edges: cells of a power-of-two width, so that binning is a multiplication and a cast."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from monitoring_tasks.profile import Bins

CELLS = 4096
"""More cells than this between the first and last edge cost more groups than the short cut saves."""

FINENESS = 4
"""Cells that the narrowest bin holds at least: moving its edges to the grid changes its rows by a quarter at most."""


@dataclass(frozen=True)
class Grid:
    """Cell i is ``[(first + i) * width, (first + i + 1) * width)``; every edge of the bins is a cell's edge."""

    width: float
    first: int
    """Cells are counted from the first edge, where that is needed for their numbers to fit 16 bits; else from 0."""
    cells: int
    """Between the first and the last edge."""


def snap(edges: list[float]) -> list[float]:
    """Move ascending edges to the nearest points of a grid, the two outer ones outwards; or leave them.

    They are left where the grid would need too many cells, as for a long-tailed column or one with a heavy value.

    Examples
    --------
    >>> snap([0.013, 1.004, 1.998, 3.011])
    [0.0, 1.0, 2.0, 3.125]
    >>> snap([0.0, 0.001, 1000.0])
    [0.0, 0.001, 1000.0]
    """
    narrowest = min(after - before for before, after in pairwise(edges))
    if not 1e-200 < narrowest < 1e200:
        return edges
    width = math.ldexp(1.0, math.floor(math.log2(narrowest / FINENESS)))
    if (edges[-1] - edges[0]) / width > CELLS or max(abs(edges[0]), abs(edges[-1])) / width > 2**50:
        return edges
    first, last = math.floor(edges[0] / width), math.ceil(edges[-1] / width)
    places = [first, *(round(edge / width) for edge in edges[1:-1]), last]
    snapped = [place * width for place in places]
    return snapped if snapped[0] <= edges[0] and edges[-1] <= snapped[-1] else edges  # denormal edges underflow


def grid(bins: Bins, whole_numbers: bool) -> Grid | None:
    """Return the grid the edges lie on, or None where they lie on none that is coarse enough.

    Parameters
    ----------
    bins
        A column's bins.
    whole_numbers
        The column can hold nothing else, so that cells of width one serve whatever the edges are.
    """
    if len(bins.edges) < 2:
        return None
    low, high = bins.edges[0], bins.edges[-1]
    width = min((_granularity(edge) for edge in bins.edges if edge), default=1.0)
    if whole_numbers and high - low <= CELLS:
        width = 1.0
    largest = max(abs(low), abs(high)) / width
    if not 1e-200 < width < 1e200 or (high - low) / width > CELLS or largest > 2**50:
        return None
    first = math.floor(low / width)
    return Grid(width, 0 if largest < CELLS else first, math.ceil(high / width) - first)


def _granularity(edge: float) -> float:
    """Return the largest power of two that divides the number."""
    mantissa, exponent = math.frexp(abs(edge))
    whole = int(mantissa * 2**53)
    return math.ldexp(whole & -whole, exponent - 53)
