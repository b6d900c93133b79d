"""Labelled rows as counts and sums: what every performance metric is computed from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from monitoring_tasks.statistics.histogram import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Outcomes:
    """How a model's answers came out: labelled rows, counted by place, prediction and label. Adds up.

    A *place* is the bin of the row's score (binary classification) or of its residual, prediction minus label
    (regression); a multiclass model's rows all have place 0. Bins are numbered as a profile's counts are: 0 holds rows
    without a score, 1 lies below the first edge, the last one above the last edge.

    A prediction is 0 where there is none, else 1 + the number of the class; a label is the number of the class. Binary
    classes are 0, negative, and 1, positive. Regression has one prediction and one label, 0.

    All arrays may have leading axes, for example one per bin of a feature: they are then many tables at once.
    """

    counts: IntArray
    """Shape (..., n_places, n_predictions, n_labels)."""
    sums: Mapping[str, FloatArray] = field(default_factory=dict)
    """Sums over the rows of each cell, each shaped as `counts`. Binary: ``score``, ``log_loss``, ``log_loss_squares``,
    ``brier``, ``brier_squares``; multiclass: the latter four; regression: ``error``, ``error_squares``,
    ``absolute_error``, ``percentage_error``, ``percentage_error_squares`` (both absolute, as shares), ``label``,
    ``label_squares``. Empty where nothing was summed; rows without a score, or a prediction, add 0."""
    edges: FloatArray = field(default_factory=lambda: np.empty(0))
    """Shape (n_places - 2,): ascending edges of the places; empty where there is one place."""
    class_scores: IntArray | None = None
    """Multiclass: rows by class, bin of that class's score and whether the label is that class; shape
    (..., n_classes, len(edges) + 1, 2). Unlike those of the places, these bins have none of rows without a score, which
    are left out: bin 0 lies below the first edge, the last one above the last edge. A class whose score the model does
    not give, such as the rest of all classes, has no rows. None where the model gives no scores."""

    def __add__(self, other: Outcomes) -> Outcomes:
        """Return the outcomes of both windows' rows."""
        if self.counts.shape != other.counts.shape or not np.array_equal(self.edges, other.edges):
            raise ValueError(
                f"outcomes add up only on the same places and classes, not {self.counts.shape} and {other.counts.shape}"
            )
        if self.sums.keys() != other.sums.keys():
            raise ValueError(
                f"outcomes add up only if the same was summed, not {sorted(self.sums)} and {sorted(other.sums)}: sum "
                "the same losses of both"
            )
        return Outcomes(
            counts=self.counts + other.counts,
            sums={name: self.sums[name] + other.sums[name] for name in self.sums},
            edges=self.edges,
            class_scores=added_class_scores(self.class_scores, other.class_scores),
        )

    def added(self) -> Outcomes:
        """Return the tables of the first leading axis as one.

        Examples
        --------
        >>> Outcomes(np.array([[[[3, 1]]], [[[0, 2]]]])).added().counts
        array([[[3, 3]]])
        """
        return Outcomes(
            counts=self.counts.sum(axis=0),
            sums={name: each.sum(axis=0) for name, each in self.sums.items()},
            edges=self.edges,
            class_scores=None if self.class_scores is None else self.class_scores.sum(axis=0),
        )

    @cached_property
    def rows(self) -> IntArray:
        """Labelled rows, shape (...)."""
        total: IntArray = self.counts.sum(axis=(-3, -2, -1))
        return total

    @cached_property
    def confusion(self) -> IntArray:
        """Rows by predicted class and label, those without a prediction left out; shape (..., n_classes, n_classes)."""
        matrix: IntArray = self.counts.sum(axis=-3)[..., 1:, :]
        return matrix

    @cached_property
    def scores(self) -> IntArray:
        """Rows of a binary model by bin of the score and label, those without a score left out: (..., n_bins, 2)."""
        matrix: IntArray = self.counts.sum(axis=-2)[..., 1:, :]
        return matrix


def added_class_scores(first: IntArray | None, second: IntArray | None) -> IntArray | None:
    """Return the class scores of both windows' rows.

    Raises
    ------
    ValueError
        If only one of them has any, or their classes or bins are not the same.

    Examples
    --------
    >>> added_class_scores(np.array([[[3, 1]]]), np.array([[[2, 2]]]))
    array([[[5, 3]]])
    """
    if first is None and second is None:
        return None
    if first is None or second is None or first.shape != second.shape:
        shapes = " and ".join("None" if each is None else str(each.shape) for each in (first, second))
        raise ValueError(
            f"outcomes add up only with `class_scores` on the same bins, not {shapes}: count the scores of both, or of "
            "neither"
        )
    total: IntArray = first + second
    return total
