"""What a scan with labels returns beside the counts of its columns, sorted into arrays: raw material of labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from monitoring_tasks.labels_profile import DELAY_BINS, LabelsProfile, parts_of_window
from monitoring_tasks.outcome_bins import OutcomeBins
from monitoring_tasks.profile import Bins
from monitoring_tasks.statistics.histogram import IntArray
from monitoring_tasks.window import Window

if TYPE_CHECKING:
    from monitoring_tasks.warehouse.labels import Labelled
    from monitoring_tasks.warehouse.tally import Groups

HALF = 31
"""Bits of the lower half of a sum: numbers of so many add up exactly in doubles, however many rows a batch has."""


@dataclass
class OutcomeTally:
    """The outcomes of a run of windows; every array begins with the axes window, segment."""

    labelled: Labelled
    windows: Sequence[Window]
    cells: IntArray
    """Shape (windows, segments, cells)."""
    high: dict[str, IntArray]
    """Of each loss, shaped as `cells`: its sum in `OutcomeBins.unit`, divided by ``2**HALF``."""
    low: dict[str, IntArray]
    """The rest: sums of whole numbers, so that no order of rows or threads changes them."""
    delays: IntArray
    parts: IntArray
    """Shape (windows, segments, parts, outcomes)."""
    repeated: IntArray
    """Shape (windows, segments)."""
    corrected: IntArray
    """Shape (windows,): of all rows."""
    class_scores: IntArray | None
    """Shape (windows, segments, *`OutcomeBins.class_scores`)."""
    columns: dict[str, IntArray] = field(default_factory=dict)
    """Shape (windows, segments, bins, outcomes), by column name."""

    @classmethod
    def empty(cls, labelled: Labelled, windows: Sequence[Window], segments: int) -> OutcomeTally:
        """Return zeros."""
        bins, shape = labelled.bins, (len(windows), segments)
        lengths = sorted(window.length for window in windows)
        return cls(
            labelled=labelled,
            windows=windows,
            cells=np.zeros((*shape, bins.cells), np.int64),
            high={name: np.zeros((*shape, bins.cells), np.int64) for name in bins.losses},
            low={name: np.zeros((*shape, bins.cells), np.int64) for name in bins.losses},
            delays=np.zeros((*shape, len(DELAY_BINS)), np.int64),
            parts=np.zeros((*shape, parts_of_window(lengths[len(lengths) // 2]), bins.outcomes), np.int64),
            repeated=np.zeros(shape, np.int64),
            corrected=np.zeros(len(windows), np.int64),
            class_scores=None if bins.class_scores is None else np.zeros((*shape, *bins.class_scores), np.int64),
        )

    @property
    def part_seconds(self) -> float:
        """Length of a window's parts; a day that is an hour longer has a longer last one."""
        lengths = sorted(window.length for window in self.windows)
        return lengths[len(lengths) // 2].total_seconds() / int(self.parts.shape[2])

    def add(self, name: str, bins: Bins) -> IntArray:
        """Begin a column, or begin it again."""
        shape = (*self.repeated.shape, len(bins), self.labelled.bins.outcomes)
        self.columns[name] = np.zeros(shape, np.int32)
        return self.columns[name]

    def count(
        self,
        name: str,
        places: NDArray[np.int64],
        bins: NDArray[np.int64],
        outcomes: NDArray[np.int64],
        groups: Groups,
        losses: Sequence[str] = (),
    ) -> None:
        """Add groups of rows to what an entry or a column counts.

        Parameters
        ----------
        name
            A column's, or one of ``cells``, ``losses``, ``delays``, ``parts``, ``repeated`` and ``class <number>``.
        places
            The window and segment of each group, as ``window * segments + segment``.
        bins
            The bin of each group.
        outcomes
            Its outcome.
        groups
            What was counted and summed.
        losses
            Names of the one or two losses whose totals the groups hold.
        """
        if name in self.columns or name == "parts":
            counted = self.parts if name == "parts" else self.columns[name]
            np.add.at(counted.reshape(-1, *counted.shape[2:]), (places, bins, outcomes), groups.rows)
        elif name == "losses":
            for loss, units in zip(losses, (groups.total, groups.total_squares), strict=False):
                for half, part in ((self.high, units >> HALF), (self.low, units & (2**HALF - 1))):
                    np.add.at(half[loss].reshape(-1, self.labelled.bins.cells), (places, bins), part.astype(np.int64))
        elif name == "repeated":
            np.add.at(self.repeated.reshape(-1), places, groups.rows * bins)
        elif name.startswith("class "):
            assert self.class_scores is not None
            size = int(np.prod(self.class_scores.shape[-2:]))
            known = bins >= 0
            index = int(name.removeprefix("class ")) * size + bins[known]
            flat = self.class_scores.reshape(-1, self.class_scores.shape[2] * size)
            np.add.at(flat, (places[known], index), groups.rows[known])
        else:
            counted = self.cells if name == "cells" else self.delays
            np.add.at(counted.reshape(-1, counted.shape[-1]), (places, bins), groups.rows)

    def profile(self, window: int, segment: int, names: Sequence[str], title: str) -> LabelsProfile:
        """Return one window's labels of one segment."""
        at = (window, segment)
        return LabelsProfile(
            window=self.windows[window],
            bins=self.labelled.bins,
            cells=self.cells[at],
            units={name: self._sum(name, at) for name in self.high},
            columns={name: self.columns[name][at].astype(np.int64) for name in names},
            delays=self.delays[at],
            parts=self.parts[at],
            class_scores=None if self.class_scores is None else self.class_scores[at],
            repeated=int(self.repeated[at]),
            corrected=int(self.corrected[window]) if segment == 0 else None,
            segment=title,
        )

    def _sum(self, name: str, at: tuple[int, int]) -> NDArray[np.object_]:
        total: NDArray[np.object_] = self.high[name][at].astype(object) * 2**HALF + self.low[name][at].astype(object)
        return total


def losses(
    bins: OutcomeBins,
    label: NDArray[np.float64],
    answer: NDArray[np.float64],
    scores: Sequence[NDArray[np.float64]] = (),
) -> dict[str, NDArray[np.float64]]:
    """Return each loss of every row.

    Parameters
    ----------
    bins
        Which say which losses there are.
    label
        Number of the label's class, or the label.
    answer
        The score of the positive class, or the prediction; for several classes the score of the label's own.
    scores
        For several classes: that of each.
    """
    if bins.task == "regression":
        label = np.where(np.isnan(answer), np.nan, label)
        error = answer - label
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(label == 0, 0.0, np.abs(error / label))
        return {
            "error": error,
            "error_squares": error * error,
            "absolute_error": np.abs(error),
            "percentage_error": share,
            "percentage_error_squares": share * share,
            "label": label,
            "label_squares": label * label,
        }
    epsilon = np.finfo(np.float64).eps
    if bins.task == "binary_classification":
        brier = (answer - label) ** 2
        right = np.where(label == 1, answer, 1 - answer)
        found = {"score": answer}
    else:
        brier = sum(((score - (label == i)) ** 2 for i, score in enumerate(scores)), np.zeros_like(answer))
        right, found = answer, {}
    log_loss = -np.log(np.clip(right, epsilon, 1 - epsilon))
    return {**found, "log_loss": log_loss, "log_loss_squares": log_loss**2, "brier": brier, "brier_squares": brier**2}
