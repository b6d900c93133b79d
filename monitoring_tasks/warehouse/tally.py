"""What the statements of a scan return, sorted into arrays: the raw material of profiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring_tasks.columns import Column
from monitoring_tasks.labels_profile import LabelsProfile
from monitoring_tasks.profile import Bins, ColumnProfile, Profile, named_values, readable
from monitoring_tasks.warehouse.arrow import floats, integers, whole_numbers
from monitoring_tasks.warehouse.outcome_tally import OutcomeTally
from monitoring_tasks.window import Window

if TYPE_CHECKING:
    from monitoring_tasks.warehouse.labels import Labelled
    from monitoring_tasks.warehouse.outcome_expressions import Entry


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
        return self._profile(
            self.counts[window, segment],
            (float(self.minimum[window, segment]), float(self.maximum[window, segment])),
            int(self.total[window, segment]) * self.bins.unit,
            int(self.total_squares[window, segment]) * self.bins.square_unit,
            self.unseen.get((window, segment), ()),
        )

    def added(self, segment: int, before: ColumnProfile | None = None) -> ColumnProfile:
        """Return what `before` and all windows' profiles of one segment add up to, one by one and bit by bit."""
        start = before or ColumnProfile(self.column.name, self.column.kind, (0,) * len(self.bins))
        low, high = (
            np.append(each[:, segment], np.nan if extreme is None else extreme)
            for each, extreme in ((self.minimum, start.minimum), (self.maximum, start.maximum))
        )
        return self._profile(
            start.array() + self.counts[:, segment].sum(axis=0),
            (float(np.fmin.reduce(low[~np.isinf(low)])), float(np.fmax.reduce(high[~np.isinf(high)]))),
            _added(start.total, self.total[:, segment], self.bins.unit),
            _added(start.total_squares, self.total_squares[:, segment], self.bins.square_unit),
            _names([start.unseen, *(names for (_, number), names in self.unseen.items() if number == segment)]),
        )

    def _profile(
        self,
        counts: NDArray[np.int64],
        extremes: tuple[float, float],
        total: float,
        total_squares: float,
        names: tuple[tuple[str, int], ...] | None,
    ) -> ColumnProfile:
        has_sums = self.column.kind != "categorical" and counts.sum() > counts[0]
        low, high = extremes
        return ColumnProfile(
            column=self.column.name,
            kind=self.column.kind,
            counts=tuple(counts.tolist()),
            minimum=low + 0.0 if has_sums and np.isfinite(low) else None,  # 0.0 for -0.0, which engines hold equal
            maximum=high + 0.0 if has_sums and np.isfinite(high) else None,
            total=total if has_sums else None,
            total_squares=total_squares if has_sums else None,
            origin=self.bins.origin,
            unseen=names,
        )


@dataclass
class Tally:
    """All columns of a run of windows."""

    windows: Sequence[Window]
    segments: Segments
    rows: NDArray[np.int64]
    """Shape (windows, segments)."""
    columns: dict[str, ColumnTally] = field(default_factory=dict)
    outcomes: OutcomeTally | None = None
    """The same rows by outcome; None of a scan without labels."""
    unreadable: Mapping[str, str] = field(default_factory=dict)
    """Columns that were to be counted and could not be read in these windows, and why."""

    @classmethod
    def empty(cls, windows: Sequence[Window], segments: Segments, labelled: Labelled | None = None) -> Tally:
        """Return a tally of no rows and no columns."""
        outcomes = None if labelled is None else OutcomeTally.empty(labelled, windows, len(segments))
        return cls(windows, segments, np.zeros((len(windows), len(segments)), np.int64), outcomes=outcomes)

    def add(self, column: Column, bins: Bins) -> ColumnTally:
        """Begin a column, or begin it again."""
        self.columns[column.name] = ColumnTally.empty(column, bins, len(self.windows), len(self.segments))
        if self.outcomes is not None:
            self.outcomes.add(column.name, bins)
        return self.columns[column.name]

    def count(
        self,
        columns: Sequence[ColumnTally | None],
        number: NDArray[np.int64],
        places: NDArray[np.int64],
        bins: NDArray[np.int64],
        groups: Groups,
        outcomes: NDArray[np.int64] | None = None,
        others: Sequence[Entry] = (),
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
        outcomes
            The outcome of each group, of a scan with labels.
        others
            What is counted of outcomes beside the columns; `number` goes on with them.
        """
        for i, column in enumerate(columns):
            chosen = (number == i) & (places >= 0)
            if column is None:
                np.add.at(self.rows.reshape(-1), places[chosen], groups.rows[chosen])
                continue
            column.count(places[chosen], bins[chosen], groups[chosen])
            if self.outcomes is not None and outcomes is not None:
                its = (places[chosen], bins[chosen], outcomes[chosen], groups[chosen])
                self.outcomes.count(column.column.name, *its)
        for i, entry in enumerate(others, start=len(columns)):
            if self.outcomes is not None and outcomes is not None:
                chosen = (number == i) & (places >= 0)
                its = (places[chosen], bins[chosen], outcomes[chosen], groups[chosen])
                self.outcomes.count(entry.name, *its, entry.losses)

    def profiles(self, window: int, names: Sequence[str]) -> tuple[Profile, ...]:
        """Return the window's profile of all rows and those of the segments that have rows."""
        segments = self.segments.names
        return tuple(
            Profile(
                window=self.windows[window],
                rows=int(self.rows[window, s]),
                columns={name: self.columns[name].profile(window, s) for name in names},
                segment=segments[s],
                unreadable={} if s else self.unreadable,
            )
            for s in self._filled(window)
        )

    def labels(self, window: int, names: Sequence[str]) -> tuple[LabelsProfile, ...]:
        """Return the labels of the same; empty of a scan without them."""
        if self.outcomes is None:
            return ()
        segments = self.segments.names
        return tuple(self.outcomes.profile(window, s, names, segments[s]) for s in self._filled(window))

    def _filled(self, window: int) -> list[int]:
        return [s for s in range(len(self.segments)) if s == 0 or self.rows[window, s] > 0]

    def added(self, before: Mapping[str, Mapping[str, ColumnProfile]]) -> dict[str, dict[str, ColumnProfile]]:
        """Return what these and the profiles of all windows add up to: by segment, all rows first, then by column.

        Other than with `monitoring_tasks.profile.added`, no window's profile is made.
        """
        sums = {segment: dict(columns) for segment, columns in before.items()}
        names = self.segments.names
        for s in self.occurring():
            of_segment = sums.setdefault(names[s], {})
            of_segment.update({name: each.added(s, of_segment.get(name)) for name, each in self.columns.items()})
        return sums

    def occurring(self) -> list[int]:
        """Return the numbers of the segments that have rows, as they come in time, after that of all rows."""
        first = (self.rows > 0).argmax(axis=0)
        return [0, *sorted((s for s in range(1, len(self.segments)) if self.rows[:, s].any()), key=first.__getitem__)]


def _added(start: float | None, parts: NDArray[Any], unit: float) -> float:
    """Add up in time order: above 2**53 units another order would come to another last digit."""
    return float(np.add.accumulate([start or 0.0, *(parts.astype(np.float64) * unit)])[-1])


def _names(unseen: Sequence[tuple[tuple[str, int], ...] | None]) -> tuple[tuple[str, int], ...] | None:
    """Return the names of all together; None if one has too many, or all have."""
    known = [names for names in unseen if names is not None]
    return named_values(chain.from_iterable(known)) if len(known) == len(unseen) else None
