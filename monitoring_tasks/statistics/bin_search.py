"""Which bin a number falls into, for many numbers at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IndexArray = npt.NDArray[np.intp]

CELLS = 4096
"""Cells of equal width between the first and the last edge: a table of 32 KB, which stays in the fastest cache."""

RATIO_CELLS = 65_536
"""Cells of equal ratio: most of them lie near zero, where nearly no value does."""

STEPS = 8
"""Edges in one cell from which on a binary search is quicker."""


class BinSearch:
    """Finds how many of the ascending edges are not above a value: ``numpy.searchsorted(edges, x, side="right")``.

    Ten times as fast: a value's cell is computed, a table says how many edges lie below that cell, and only where the
    cell holds edges itself is the value compared with them. The result is exact for any edges, because the cell is a
    monotone function of the value: an edge of a lower cell cannot be above the value, one of a higher cell cannot be
    below it. Cells have equal width, or, for edges that crowd about zero as those of a long-tailed column do, an equal
    ratio.

    Parameters
    ----------
    edges : array of float, shape (n_edges,)
        Ascending, finite.
    first : int
        What a value below all edges gives, at least 0.

    Examples
    --------
    >>> BinSearch([0.0, 1.0, 2.5])(np.array([-1.0, 0.0, 2.4, 2.5, np.inf]))
    array([0, 1, 2, 3, 3])
    """

    def __init__(self, edges: npt.ArrayLike, first: int = 0) -> None:
        self.edges: FloatArray = np.asarray(edges, np.float64)
        self.first = first
        choices = [_equal_widths(self.edges), _equal_ratios(self.edges)] if len(self.edges) else []
        tables = [_Table(self.edges, first, cell, cells) for cell, cells in choices]
        best = min(tables, key=lambda table: table.steps, default=None)
        self._table = best if best is not None and best.steps <= STEPS else None

    @property
    def steps(self) -> int | None:
        """Comparisons per value, the most edges that share a cell; None for a binary search."""
        return None if self._table is None else self._table.steps

    def __call__(self, values: FloatArray) -> IndexArray:
        """Return `first` and the number of edges that are not above each value.

        Parameters
        ----------
        values : array of float, shape (n,)
            Infinities are allowed; NaN is not, its place is undefined.
        """
        if self._table is None:
            return np.searchsorted(self.edges, values, side="right").astype(np.intp) + self.first
        return self._table(values)


class _Table:
    """How many edges lie below each cell, and how many at most inside one."""

    def __init__(self, edges: FloatArray, first: int, cell: Callable[[FloatArray], IndexArray], cells: int) -> None:
        self._cell = cell
        inside = np.bincount(cell(edges), minlength=cells)
        self.steps = int(inside.max())
        below = np.cumsum(inside) - inside + first
        self._below = np.where(inside > 0, ~below, below)
        """Negative, by its bitwise complement, where the cell holds edges and a comparison must tell."""
        # No value is above NaN: no step goes beyond the last edge.
        self._edges = np.concatenate([np.full(first, np.nan), edges, [np.nan]])

    def __call__(self, values: FloatArray) -> IndexArray:
        place: IndexArray = self._below.take(self._cell(values), mode="clip")
        unsure = place < 0
        count = np.count_nonzero(unsure)
        if count > len(values) // 4:
            return self._compared(values, np.where(unsure, ~place, place))
        if count:
            rows = np.flatnonzero(unsure)
            place[rows] = self._compared(values.take(rows), ~place.take(rows))
        return place

    def _compared(self, values: FloatArray, place: IndexArray) -> IndexArray:
        for _ in range(self.steps):
            place += values >= self._edges.take(place, mode="clip")
        return place


def _equal_widths(edges: FloatArray) -> tuple[Callable[[FloatArray], IndexArray], int]:
    """Return the function from values to cells, and the number of cells: the two outer ones reach to infinity."""
    low, high = edges[0], edges[-1]
    with np.errstate(over="ignore", divide="ignore"):  # beyond 1e308, and of a single edge
        scale = CELLS / (high - low)
    scale = scale if 0 < scale < np.inf else 1.0

    def cell(values: FloatArray) -> IndexArray:
        with np.errstate(over="ignore"):
            x = (values - low) * scale
        np.clip(x, -1.0, CELLS, out=x)
        x += 1.0
        with np.errstate(invalid="ignore"):  # NaN becomes some number, and `take` clips that
            cells: IndexArray = x.astype(np.intp)
        return cells

    return cell, CELLS + 2


def _equal_ratios(edges: FloatArray) -> tuple[Callable[[FloatArray], IndexArray], int]:
    """Return the same for cells of equal ratio: a double's bits, read as an integer, grow like its logarithm."""
    low, high = (int(key) for key in _keys(edges[[0, -1]]))
    shift = max((high - low).bit_length() - RATIO_CELLS.bit_length() + 1, 0)
    first, last = low >> shift, high >> shift

    def cell(values: FloatArray) -> IndexArray:
        keys = _keys(values)
        keys >>= shift
        cells: IndexArray = np.clip(keys, first - 1, last + 1, out=keys) - (first - 1)
        return cells

    return cell, last - first + 3


def _keys(values: FloatArray) -> npt.NDArray[np.int64]:
    """Return integers in the order of the values; the bits of a negative double grow as it falls."""
    bits = (values + 0.0).view(np.int64)  # + 0.0 makes -0.0 the zero that it is equal to
    keys: npt.NDArray[np.int64] = bits ^ ((bits >> 63) & np.int64(2**63 - 1))
    return keys
