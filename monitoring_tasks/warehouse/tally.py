"""What the statements of a scan return, sorted into arrays: the raw material of profiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring_tasks.columns import Column
from monitoring_tasks.profile import Bins, ColumnProfile, Profile, readable
from monitoring_tasks.window import Window


@dataclass(frozen=True)
class Segments:
    """The segments of a scan, numbered: 0 is all rows, then the categories of every segment column in turn."""

    columns: tuple[str, ...] = ()
    categories: tuple[tuple[str, ...], ...] = ()
    """Of each column, those of its baseline; rows of other values count in segment 0 only."""

    def __len__(self) -> int:
        """Return the number of segments, all rows included."""
        return 1 + sum(map(len, self.categories))

    @property
    def names(self) -> tuple[str, ...]:
        """As results name them, so that one odd value does not keep all others from being stored."""
        pairs = zip(self.columns, self.categories, strict=True)
        return ("", *(f"{column}={readable(category)}" for column, categories in pairs for category in categories))

    def first(self, column: int) -> int:
        """Return the number of the first category of a segment column."""
        return 1 + sum(map(len, self.categories[:column]))


@dataclass(frozen=True)
class Groups:
    """What a statement's GROUP BY returned for each group, as arrays of one length."""

    rows: NDArray[np.int64]
    minimum: NDArray[np.float64]
    """NaN without a value."""
    maximum: NDArray[np.float64]
    total: NDArray[Any]
    """Python integers, as in `ColumnTally`."""
    total_squares: NDArray[Any]

    @classmethod
    def of(cls, answer: pa.Table) -> Groups:
        """Read the columns n, l, h, t and q of a statement's answer."""
        total, squares = (np.array(whole_numbers(answer[name]), object) for name in "tq")
        return cls(integers(answer["n"], 0), floats(answer["l"]), floats(answer["h"]), total, squares)

    def __getitem__(self, chosen: NDArray[np.bool_]) -> Groups:
        """Return some of the groups."""
        return Groups(*(getattr(self, each.name)[chosen] for each in fields(self)))


@dataclass
class ColumnTally:
    """One column; every array begins with the axes window, segment."""

    column: Column
    bins: Bins
    counts: NDArray[np.int64]
    """Shape (windows, segments, bins)."""
    minimum: NDArray[np.float64]
    """NaN without a value."""
    maximum: NDArray[np.float64]
    total: NDArray[Any]
    """Python integers, in `Bins.unit`: exact, so that no order of rows or threads changes them."""
    total_squares: NDArray[Any]
    unseen: dict[tuple[int, int], tuple[tuple[str, int], ...] | None] = field(default_factory=dict)
    """By window and segment: the values in the bin *unseen*, where there are any. See `ColumnProfile.unseen`."""

    @classmethod
    def empty(cls, column: Column, bins: Bins, windows: int, segments: int) -> ColumnTally:
        """Return zeros."""
        shape = (windows, segments)
        return cls(
            column=column,
            bins=bins,
            counts=np.zeros((*shape, len(bins)), np.int64),
            minimum=np.full(shape, np.nan),
            maximum=np.full(shape, np.nan),
            total=np.zeros(shape, object),
            total_squares=np.zeros(shape, object),
        )

    def count(self, places: NDArray[np.int64], bins: NDArray[np.int64], groups: Groups) -> None:
        """Add groups of rows, each in one bin of one place; places number windows and segments in one, row by row."""
        np.add.at(self.counts.reshape(-1, len(self.bins)), (places, bins), groups.rows)
        if self.column.kind != "categorical":
            np.fmin.at(self.minimum.reshape(-1), places, groups.minimum)
            np.fmax.at(self.maximum.reshape(-1), places, groups.maximum)
            np.add.at(self.total.reshape(-1), places, groups.total)
            np.add.at(self.total_squares.reshape(-1), places, groups.total_squares)

    def profile(self, window: int, segment: int) -> ColumnProfile:
        """Return one window's profile of one segment."""
        numeric = self.column.kind != "categorical"
        counts = self.counts[window, segment]
        has_sums = numeric and counts.sum() > counts[0]
        low, high = float(self.minimum[window, segment]), float(self.maximum[window, segment])
        return ColumnProfile(
            column=self.column.name,
            kind=self.column.kind,
            counts=tuple(counts.tolist()),
            minimum=low + 0.0 if has_sums and np.isfinite(low) else None,  # 0.0 for -0.0, which engines hold equal
            maximum=high + 0.0 if has_sums and np.isfinite(high) else None,
            total=int(self.total[window, segment]) * self.bins.unit if has_sums else None,
            total_squares=int(self.total_squares[window, segment]) * self.bins.square_unit if has_sums else None,
            origin=self.bins.origin,
            unseen=self.unseen.get((window, segment), ()),
        )


@dataclass
class Tally:
    """All columns of a run of windows."""

    windows: Sequence[Window]
    segments: Segments
    rows: NDArray[np.int64]
    """Shape (windows, segments)."""
    columns: dict[str, ColumnTally] = field(default_factory=dict)

    @classmethod
    def empty(cls, windows: Sequence[Window], segments: Segments) -> Tally:
        """Return a tally of no rows and no columns."""
        return cls(windows, segments, np.zeros((len(windows), len(segments)), np.int64))

    def add(self, column: Column, bins: Bins) -> ColumnTally:
        """Begin a column, or begin it again."""
        self.columns[column.name] = ColumnTally.empty(column, bins, len(self.windows), len(self.segments))
        return self.columns[column.name]

    def count(
        self,
        columns: Sequence[ColumnTally | None],
        number: NDArray[np.int64],
        places: NDArray[np.int64],
        bins: NDArray[np.int64],
        groups: Groups,
    ) -> None:
        """Add groups of rows to the columns that they count.

        Parameters
        ----------
        columns
            Columns of this tally; None stands for the rows.
        number
            Which of `columns` each group counts.
        places
            The window and segment of each group, as ``window * len(segments) + segment``; below 0 for neither.
        bins
            The bin of each group.
        groups
            What was counted and summed.
        """
        for i, column in enumerate(columns):
            chosen = (number == i) & (places >= 0)
            if column is None:
                np.add.at(self.rows.reshape(-1), places[chosen], groups.rows[chosen])
            else:
                column.count(places[chosen], bins[chosen], groups[chosen])

    def profiles(self, window: int, names: Sequence[str]) -> tuple[Profile, ...]:
        """Return the window's profile of all rows and those of the segments that have rows."""
        found = [s for s in range(len(self.segments)) if s == 0 or self.rows[window, s] > 0]
        segments = self.segments.names
        return tuple(
            Profile(
                window=self.windows[window],
                rows=int(self.rows[window, s]),
                columns={name: self.columns[name].profile(window, s) for name in names},
                segment=segments[s],
            )
            for s in found
        )


def integers(column: pa.ChunkedArray, null: int) -> NDArray[np.int64]:
    """Return an Arrow column as integers."""
    return np.asarray(pc.fill_null(pc.cast(column, pa.int64()), null))


def whole_numbers(column: pa.ChunkedArray) -> list[int]:
    """Return an Arrow column of sums as Python integers, NULL as 0; they may not fit 64 bits."""
    return [0 if value is None else int(value) for value in column.to_pylist()]


def floats(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """Return an Arrow column as doubles, NULL as NaN."""
    return np.asarray(pc.fill_null(pc.cast(column, pa.float64()), float("nan")))
