"""A batch's rows, put together by window and segment: what is counted and summed at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

STRETCH = 2048
"""Rows that are added up at once, as doubles."""


@dataclass(frozen=True)
class Runs:
    """The rows of a batch, put in runs that belong to one place each: a window, or a segment of one."""

    order: NDArray[np.intp] | None
    """Which rows, in which order; None for all as they came."""
    places: NDArray[np.intp]
    """Of each run: window * segments + segment."""
    starts: NDArray[np.intp]
    """Of each run."""
    lengths: NDArray[np.intp]

    @classmethod
    def one(cls, place: int, rows: int) -> Runs:
        """Return all rows as one run."""
        return cls(None, np.array([place]), np.array([0]), np.array([rows]))

    @classmethod
    def of(cls, places: NDArray[np.intp]) -> Runs:
        """Put the rows of a place together; a place below zero leaves a row out."""
        order = None
        if places[0] < 0 or (places[1:] < places[:-1]).any():
            order = np.argsort(places, kind="stable")
            order = order[np.searchsorted(places[order], 0) :]
            places = places[order]
        starts = np.flatnonzero(np.diff(places, prepend=-1))
        return cls(order, places[starts], starts, np.diff(starts, append=len(places)))

    def take(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the rows' values in the order of the runs."""
        return values if self.order is None else values.take(self.order)

    @cached_property
    def numbers(self) -> NDArray[np.intp]:
        """Of each row: the number of its run."""
        return np.repeat(np.arange(len(self.starts)), self.lengths)

    @cached_property
    def stretches(self) -> NDArray[np.intp]:
        """Starts of stretches that end with their run, and after `STRETCH` rows at the latest."""
        return np.union1d(self.starts, np.arange(0, int(self.lengths.sum()), STRETCH))

    @cached_property
    def first_stretches(self) -> NDArray[np.intp]:
        """Of each run: the number of the stretch that it begins with."""
        return np.searchsorted(self.stretches, self.starts)

    def count(self, counts: NDArray[Any], bins: NDArray[np.intp]) -> None:
        """Add the rows to their entries.

        Parameters
        ----------
        counts
            Shape (places, bins).
        bins
            Of each row, in the order of the runs.
        """
        size, count = counts.shape[1], len(self.starts)
        if count == 1:
            counts[self.places[0]] += np.bincount(bins, minlength=size).astype(counts.dtype)
        elif count * size <= len(bins):
            found = np.bincount(self.numbers * size + bins, minlength=count * size)
            counts[self.places] += found.reshape(-1, size).astype(counts.dtype)
        else:
            np.add.at(counts, (self.places.take(self.numbers), bins), 1)

    def add(self, sums: NDArray[np.int64], bins: NDArray[np.intp], units: NDArray[np.int64]) -> None:
        """Add whole numbers below 2**31 to their entries; shapes as in `count`.

        Their sums over a batch are exact in doubles.
        """
        size, count = sums.shape[1], len(self.starts)
        if count == 1:
            sums[self.places[0]] += np.bincount(bins, units, minlength=size).astype(np.int64)
        elif count * size <= len(bins):
            found = np.bincount(self.numbers * size + bins, units, minlength=count * size)
            sums[self.places] += found.reshape(-1, size).astype(np.int64)
        else:
            np.add.at(sums, (self.places.take(self.numbers), bins), units)
