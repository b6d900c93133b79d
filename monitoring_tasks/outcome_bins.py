"""How labelled rows are counted: places, predictions and labels, fixed when the baseline is made. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from monitoring_tasks.config.models import TaskName

SCORE_BINS = 256
"""Places of a score: a ROC AUC read off as many bins is within 0.001 of the exact one."""

SCORE_GROUPS = 10
"""Groups of places by which every bin of every feature is split: its own AUC is within 0.01 of the exact one."""

CLASSES = 100
"""Classes of a multiclass model that are told apart; the rest is one more."""

SPLIT_CLASSES = 10
"""Of these, so many by which every bin of every feature is split."""

OTHER_CLASS = "(other)"

LABELS_OF_CLASS = 3
"""What the label of a row is to one class of a multiclass model: another class, that class, or not known."""

EPSILON = 2.0**-52
"""Two doubles with none between them differ by no larger a share; those about zero are told apart in any case."""

OCTAVES = (-16, 3)
"""Residuals have places from 2**-16 to 2**3 of the largest prediction's size, on both sides of zero."""

PER_OCTAVE = 6
"""Places of residuals in each doubling: neighbours are 12 % apart."""


@dataclass(frozen=True)
class OutcomeBins:
    """How a row's outcome is numbered, finely as a *cell* and, for the split of every column, coarsely.

    A cell is ``(place * predictions + prediction) * labels + label``, of `shape`. Places are those of
    `monitoring_tasks.statistics.performance.outcomes.Outcomes`; prediction 0 is none; the last label stands for rows
    without one. An outcome is the same over groups of places and of classes.
    """

    task: TaskName
    classes: tuple[str, ...] = ()
    """As texts, by number; of a binary model the negative one, then the positive one. Empty for a regression.

    The last of a multiclass model stands for all others. Where label and prediction both are among those, nobody knows
    whether they are the same, and the row counts as one without a prediction.
    """
    edges: tuple[float, ...] = ()
    """Of the places, ascending: of the score, or of the residual, prediction minus label."""
    has_prediction: bool = True
    score_edges: tuple[float, ...] = ()
    """Of a multiclass model: those of every class's score."""
    exponent: int = 0
    """Of a regression: ``2**exponent`` is the power of two above the largest prediction of the baseline."""

    @cached_property
    def shape(self) -> tuple[int, int, int]:
        """Numbers of places, predictions and labels; the last label is that of rows without one."""
        places = len(self.edges) + 2 if self.edges else 1
        predictions = 1 + len(self.classes) if self.classes else 1
        return places, predictions, max(len(self.classes), 1) + 1

    @property
    def cells(self) -> int:
        """Number of cells."""
        return math.prod(self.shape)

    @property
    def class_scores(self) -> tuple[int, int, int] | None:
        """Numbers of classes, of bins of their scores and `LABELS_OF_CLASS`; None where there are no such scores."""
        return (len(self.classes), len(self.score_edges) + 1, LABELS_OF_CLASS) if self.score_edges else None

    @cached_property
    def place_groups(self) -> NDArray[np.intp]:
        """The group of each place; 0 is that of place 0."""
        places = self.shape[0]
        groups = np.zeros(places, np.intp)
        if places > 1:
            each = SCORE_GROUPS if self.task == "binary_classification" else -(-(places - 1) // PER_OCTAVE)
            groups[1:] = 1 + np.arange(places - 1) * min(each, places - 1) // (places - 1)
        return groups

    @cached_property
    def group_edges(self) -> NDArray[np.float64]:
        """Edges of the groups of places."""
        return np.array([self.edges[i - 1] for i in range(1, self.shape[0] - 1) if self._ends_group(i)])

    def _ends_group(self, place: int) -> bool:
        return bool(self.place_groups[place] != self.place_groups[place + 1])

    @cached_property
    def class_groups(self) -> NDArray[np.intp]:
        """The group of each class; those after the first `SPLIT_CLASSES` are one."""
        return np.minimum(np.arange(max(len(self.classes), 1)), SPLIT_CLASSES)

    @cached_property
    def split(self) -> tuple[int, int, int]:
        """Numbers of groups of places, of predictions and of labels; the last label is that of rows without one."""
        groups = int(self.class_groups[-1]) + 1
        return int(self.place_groups[-1]) + 1, 1 + groups if self.classes else 1, groups + 1

    @property
    def outcomes(self) -> int:
        """Number of outcomes."""
        return math.prod(self.split)

    @cached_property
    def outcome_of_cell(self) -> NDArray[np.intp]:
        """The outcome of each cell, shape (cells,)."""
        predictions = np.concatenate(([0], 1 + self.class_groups)) if self.classes else np.zeros(1, np.intp)
        labels = np.append(self.class_groups, self.split[2] - 1)
        place, prediction, label = np.ix_(self.place_groups, predictions, labels)
        found: NDArray[np.intp] = ((place * self.split[1] + prediction) * self.split[2] + label).reshape(-1)
        return found

    @property
    def losses(self) -> tuple[str, ...]:
        """What is summed over the rows of each cell: names of `Outcomes.sums`."""
        if self.task == "regression":
            return (
                "error",
                "error_squares",
                "absolute_error",
                "percentage_error",
                "percentage_error_squares",
                "label",
                "label_squares",
            )
        losses = ("log_loss", "log_loss_squares", "brier", "brier_squares")
        if self.task == "binary_classification":
            return ("score", *losses) if self.edges else ()
        return losses if self.score_edges else ()

    def unit(self, loss: str) -> float:
        """Return the power of two in whole multiples of which a loss is summed, so that no order changes the sum."""
        if self.task != "regression" or loss.startswith("percentage"):
            return 2.0**-42
        return math.ldexp(
            1.0, (2 if loss.endswith("squares") else 1) * self.exponent - 42 - 14 * loss.endswith("squares")
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; floats survive exactly."""
        return {
            "task": self.task,
            "classes": list(self.classes),
            "edges": list(self.edges),
            "has_prediction": self.has_prediction,
            "score_edges": list(self.score_edges),
            "exponent": self.exponent,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> OutcomeBins:
        """Undo `to_json`."""
        return cls(
            task=values["task"],
            classes=tuple(values["classes"]),
            edges=tuple(values["edges"]),
            has_prediction=values["has_prediction"],
            score_edges=tuple(values["score_edges"]),
            exponent=values["exponent"],
        )


def residual_edges(exponent: int) -> tuple[float, ...]:
    """Return the edges of residuals' places: about zero the closer, the smaller the residual.

    Parameters
    ----------
    exponent
        ``2**exponent`` is the power of two above the largest prediction.

    Examples
    --------
    >>> edges = residual_edges(10)
    >>> len(edges), edges[0], edges[-1]
    (230, -8192.0, 8192.0)
    """
    first, last = (octave * PER_OCTAVE for octave in OCTAVES)
    above = [
        math.ldexp(2.0 ** (step % PER_OCTAVE / PER_OCTAVE), exponent + step // PER_OCTAVE)
        for step in range(first, last + 1)
    ]
    return (*(-edge for edge in reversed(above)), *above)


def shared_edges(edges: Sequence[Sequence[float]]) -> tuple[float, ...]:
    """Return one list of edges for the scores of several classes, each with as many of its own.

    All of them where they are few, as of scores with few values; else as many as one class has. A value that has a
    bin of its own, from itself to the next float, keeps both of its edges: with one of them alone it would be tied with
    the values beside it.

    Examples
    --------
    >>> shared_edges([(0.0, 0.1, 0.2), (0.7, 0.8, 0.9)])
    (0.0, 0.1, 0.2, 0.7, 0.8, 0.9)
    >>> len(shared_edges([[i + j / 3 for i in range(600)] for j in range(3)]))
    601
    """
    every = sorted({edge for its in edges for edge in its})
    if len(every) <= 2 * SCORE_BINS + 2:
        return tuple(every)
    kept = {*every[:: len(edges)], every[-1]}
    pairs = [(edge, after) for edge, after in pairwise(every) if after - edge <= abs(edge) * EPSILON]
    kept.update(edge for pair in pairs for edge in pair if not kept.isdisjoint(pair))
    return tuple(sorted(kept))
