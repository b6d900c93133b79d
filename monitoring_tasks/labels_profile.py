"""A window's labels: every column's counts split by outcome, and sums of losses. What performance is computed from.

As profiles do, they add up, here to the last bit: outcomes are counted on bins that the baseline froze, and losses are
summed in whole multiples of a power of two.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitoring_tasks.outcome_bins import OutcomeBins
from monitoring_tasks.profile import Bins
from monitoring_tasks.statistics.histogram import FloatArray, IntArray
from monitoring_tasks.statistics.performance.outcomes import Outcomes, added_class_scores
from monitoring_tasks.window import Window

DELAY_EDGES = tuple(60 * 1.15**i for i in range(98))
"""Seconds from an inference to the first label of it: from a minute to a year, a percentile is within 8 % of the exact
one."""

DELAY_BINS = Bins("numeric", DELAY_EDGES)

LONGEST_PART = 24
"""Parts that a window is cut into at most, to see when within it a model failed."""

SHORTEST_PART = timedelta(minutes=10)


def parts_of_window(length: timedelta) -> int:
    """Return into how many parts of equal length a window is cut: hours of a day, ten minutes of an hour.

    Examples
    --------
    >>> [parts_of_window(timedelta(minutes=minutes)) for minutes in (10, 60, 240, 1440)]
    [1, 6, 24, 24]
    """
    return max(1, min(LONGEST_PART, length // SHORTEST_PART))


@dataclass(frozen=True, eq=False)
class LabelsProfile:
    """All labels of one window, for all rows or one segment."""

    window: Window
    bins: OutcomeBins = field(repr=False)
    cells: IntArray = field(repr=False)
    """Rows by cell, shape (`OutcomeBins.cells`,): those without a label too."""
    units: Mapping[str, NDArray[np.object_]] = field(repr=False)
    """Of each of `OutcomeBins.losses`: its sum over the labelled rows of each cell, in Python integers of
    `OutcomeBins.unit`, which add up exactly."""
    columns: Mapping[str, IntArray] = field(default_factory=dict, repr=False)
    """Rows by bin of the column and outcome, shape (bins, `OutcomeBins.outcomes`), by column name."""
    delays: IntArray = field(default_factory=lambda: np.zeros(len(DELAY_BINS), np.int64), repr=False)
    """Rows by the time from the inference to its first label, on `DELAY_BINS`; first those without one."""
    parts: IntArray | None = field(default=None, repr=False)
    """Rows by part of the window and outcome, see `parts_of_window`; None of a sum of windows."""
    class_scores: IntArray | None = field(default=None, repr=False)
    """Multiclass, shape `OutcomeBins.class_scores`: rows by class, bin of that class's score, and whether the label is
    another class, that class, or not known; bins as in `Outcomes.class_scores`. None where there are no scores."""
    repeated: int = 0
    """Rows that have more than one label."""
    corrected: int | None = 0
    """Of these, the rows whose labels differ; None of a segment, where they are not counted."""
    segment: str = ""

    @property
    def rows(self) -> int:
        """Rows of the window, labelled or not."""
        return int(self.cells.sum())

    @property
    def labelled(self) -> int:
        """Rows whose label is known."""
        return int(self.cells.reshape(self.bins.shape)[..., :-1].sum())

    @property
    def coverage(self) -> float | None:
        """Share of rows whose label is known, 0 to 1; None without rows."""
        return self.labelled / self.rows if self.rows else None

    @cached_property
    def sums(self) -> Mapping[str, NDArray[np.float64]]:
        """The same as numbers; the score's are over all rows that have one, labelled or not."""
        return {name: each.astype(np.float64) * self.bins.unit(name) for name, each in self.units.items()}

    @cached_property
    def outcomes(self) -> Outcomes:
        """The labelled rows, by cell."""
        return Outcomes(
            counts=self.cells.reshape(self.bins.shape)[..., :-1],
            sums={name: each.reshape(self.bins.shape)[..., :-1] for name, each in self.sums.items()},
            edges=np.array(self.bins.score_edges or self.bins.edges),
            class_scores=None if self.class_scores is None else self.class_scores[..., :-1],
        )

    @cached_property
    def counts_by_outcome(self) -> IntArray:
        """Rows by outcome, labelled or not, shape (`OutcomeBins.outcomes`,)."""
        counts = np.zeros(self.bins.outcomes, np.int64)
        np.add.at(counts, self.bins.outcome_of_cell, self.cells)
        return counts

    @cached_property
    def sums_by_outcome(self) -> Mapping[str, NDArray[np.float64]]:
        """Of each loss its sum over the rows of each outcome."""
        found = {}
        for name, each in self.sums.items():
            found[name] = np.zeros(self.bins.outcomes)
            np.add.at(found[name], self.bins.outcome_of_cell, each)
        return found

    @property
    def coarse(self) -> Outcomes:
        """The labelled rows by outcome, on which the columns' counts are split too."""
        shape = self.bins.split
        sums = {name: each.reshape(shape)[..., :-1] for name, each in self.sums_by_outcome.items()}
        return Outcomes(self.counts_by_outcome.reshape(shape)[..., :-1], sums, self.bins.group_edges)

    def by_bin(self, column: str) -> Outcomes:
        """Return the labelled rows of every bin of a column, as outcomes with one leading axis.

        Losses are counted as the window's mean over the rows of the same outcome, so that those of all bins add up to
        the window's; within a bin they are off by what the losses of one outcome differ, which its interval does not
        know. Shares of rows, such as accuracy, are exact.

        An outcome of a regression is a doubling of the residual and its sign: a mean loss is within half and twice the
        exact one whatever the rows. Where errors spread from bin to bin by a factor of 8 and are normal or Laplace's,
        MAE is within 6 % and RMSE within 9 %; of errors that are all alike within a bin, 32 and 36 % were seen. An
        outcome of a binary model is a tenth of the scores, the prediction and the label: Brier score and log loss of
        bins of a feature that the score follows are within 4 %, of half of the bins within 0.3 %.

        Summing the losses of each bin in the scan would be exact. It takes ten more weighted counts of the rows per
        column, 0.4 ms of each 32,768 rows beside the 1.1 ms that a number takes and the 0.1 ms of a category, and as
        many sums more in the store.
        """
        return self._coarse(self.columns[column])

    def by_part(self) -> Outcomes | None:
        """Return the same of every part of the window; None of a sum of windows."""
        return None if self.parts is None else self._coarse(self.parts)

    def _coarse(self, counts: IntArray) -> Outcomes:
        shape = self.bins.split
        rows = self.counts_by_outcome
        sums: dict[str, FloatArray] = {}
        for name, each in self.sums_by_outcome.items():
            mean: FloatArray = np.divide(each, rows, out=np.zeros(len(rows)), where=rows > 0)
            sums[name] = (counts * mean).reshape(-1, *shape)[..., :-1]
        return Outcomes(counts.reshape(-1, *shape)[..., :-1], sums, self.bins.group_edges)

    @property
    def answers(self) -> IntArray:
        """All rows, labelled or not, by place and prediction: shape (places, predictions)."""
        every: IntArray = self.cells.reshape(self.bins.shape).sum(axis=-1)
        return every

    @property
    def class_answers(self) -> IntArray | None:
        """Multiclass: all rows, labelled or not, by class and bin of that class's score; None without scores."""
        return None if self.class_scores is None else self.class_scores.sum(axis=-1)

    def __add__(self, other: LabelsProfile) -> LabelsProfile:
        """Return the labels of the union of two neighbouring windows."""
        first, second = sorted((self, other), key=lambda profile: profile.window)
        if first.window.end != second.window.start or self.segment != other.segment or self.bins != other.bins:
            raise ValueError(
                f"labels add up over neighbouring windows of one segment, not {first.window} {first.segment!r} and "
                f"{second.window} {second.segment!r}"
            )
        return first.with_rows_of(second, Window(first.window.start, second.window.end))

    def with_rows_of(self, other: LabelsProfile, window: Window) -> LabelsProfile:
        """Return the labels of both, as those of a window that holds both."""
        return replace(
            self,
            window=window,
            cells=self.cells + other.cells,
            units={name: each + other.units[name] for name, each in self.units.items()},
            columns={name: each + other.columns[name] for name, each in self.columns.items() if name in other.columns},
            delays=self.delays + other.delays,
            parts=None,
            class_scores=added_class_scores(self.class_scores, other.class_scores),
            repeated=self.repeated + other.repeated,
            corrected=None if self.corrected is None or other.corrected is None else self.corrected + other.corrected,
        )

    def to_json(self) -> dict[str, Any]:
        """Return what stands in the row of all columns, as JSON values: only what is not zero."""
        filled = np.flatnonzero(self.cells)
        return {
            "cells": [
                [int(cell), int(self.cells[cell]), *(int(each[cell]) for each in self.units.values())]
                for cell in filled
            ],
            "delays": sparse(self.delays),
            "parts": None if self.parts is None else {"count": len(self.parts), "rows": sparse(self.parts)},
            "class_scores": None if self.class_scores is None else sparse(self.class_scores),
            "repeated": self.repeated,
            "corrected": self.corrected,
        }

    @classmethod
    def from_json(
        cls,
        window: Window,
        segment: str,
        bins: OutcomeBins,
        values: Mapping[str, Any],
        columns: Mapping[str, IntArray],
    ) -> LabelsProfile:
        """Undo `to_json`."""
        cells = np.zeros(bins.cells, np.int64)
        units = {name: np.zeros(bins.cells, object) for name in bins.losses}
        for cell, rows, *totals in values["cells"]:
            cells[cell] = rows
            for each, total in zip(units.values(), totals, strict=True):
                each[cell] = total
        parts, scores = values["parts"], values["class_scores"]
        return cls(
            window=window,
            bins=bins,
            cells=cells,
            units=units,
            columns=columns,
            delays=dense(values["delays"], (len(DELAY_BINS),)),
            parts=None if parts is None else dense(parts["rows"], (parts["count"], bins.outcomes)),
            class_scores=None if scores is None or bins.class_scores is None else dense(scores, bins.class_scores),
            repeated=values["repeated"],
            corrected=values["corrected"],
            segment=segment,
        )


@dataclass(frozen=True)
class WindowLabels:
    """The labels of one window as the warehouse held them."""

    profiles: tuple[LabelsProfile, ...]
    """All rows first, then those of each segment; empty where they could not be read."""
    final: bool
    """Whether a label had arrived by then that is later than when the window's are complete."""
    unreadable: str | None = None
    """Why there are none."""
    arrived: int = 0
    """Labels that arrived in the window's time, whatever they are of."""
    unknown: int = 0
    """Of these, the labels whose key no inference has."""
    latest: datetime | None = None
    """When the last label before the window's end arrived; None where none had, or where that is not known."""
    untimed: int = 0
    """Labels of the window's inferences without a time of arrival: they count for nothing."""
    future: int = 0
    """Labels of the window's inferences whose time of arrival was still to come when they were read."""


def sparse(counts: IntArray) -> dict[str, list[int]]:
    """Return what is not zero, row by row, and how far each stands behind the one before.

    Lists of numbers are written and read several times faster than lists of pairs.

    Examples
    --------
    >>> sparse(np.array([[0, 3], [5, 0]]))
    {'gaps': [1, 1], 'rows': [3, 5]}
    """
    flat = counts.reshape(-1)
    places = np.flatnonzero(flat)
    return {"gaps": np.diff(places, prepend=0).tolist(), "rows": flat[places].tolist()}


def dense(values: Mapping[str, list[int]], shape: tuple[int, ...]) -> IntArray:
    """Undo `sparse`.

    Examples
    --------
    >>> dense({"gaps": [1, 1], "rows": [3, 5]}, (2, 2))
    array([[0, 3],
           [5, 0]])
    """
    flat = np.zeros(math.prod(shape), np.int64)
    flat[np.cumsum(values["gaps"], dtype=np.int64)] = values["rows"]
    return flat.reshape(shape)
