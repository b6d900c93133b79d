"""The cell of each row's outcome, from its label, its prediction and its scores. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from monitoring_tasks.outcome_bins import OutcomeBins
from monitoring_tasks.statistics.bin_search import BinSearch
from monitoring_tasks.statistics.histogram import FloatArray, IntArray


def answers(bins: OutcomeBins, label: FloatArray, prediction: FloatArray, scores: Sequence[FloatArray]) -> FloatArray:
    """Return what the losses are of: a score, that of the label's class, or the predicted number.

    Parameters
    ----------
    bins, label, prediction, scores
        As in `cell_numbers`.

    Returns
    -------
    float ndarray, shape (n_rows,)
        NaN where there is none.
    """
    if bins.task == "regression":
        return prediction
    if bins.task == "binary_classification":
        return scores[0] if scores else np.full(len(label), np.nan)
    answer = np.full(len(label), np.nan)
    for i, score in enumerate(scores):
        answer = np.where(label == i, score, answer)
    return answer


def cell_numbers(
    bins: OutcomeBins, label: FloatArray, prediction: FloatArray, scores: Sequence[FloatArray] = ()
) -> IntArray:
    """Return the number of each row's cell, as `OutcomeBins` counts them.

    Parameters
    ----------
    bins
        How outcomes are counted.
    label : float array, shape (n_rows,)
        Number of the label's class, or the label; NaN where it is not known.
    prediction : float array, shape (n_rows,)
        The same of the prediction; NaN where there is none.
    scores : sequence of float arrays, shape (n_rows,)
        P(positive), or of a multiclass model that of every class but the last; NaN where there is none.

    Returns
    -------
    int ndarray, shape (n_rows,)
        In ``[0, bins.cells)``.

    Examples
    --------
    >>> bins = OutcomeBins("binary_classification", ("no", "yes"), edges=(0.0, 0.5, 1.0))
    >>> cell_numbers(bins, np.array([1.0, np.nan]), np.array([0.0, 1.0]), [np.array([0.2, np.nan])])
    array([22, 8])
    >>> [np.ravel_multi_index(each, bins.shape).item() for each in ((2, 1, 1), (0, 2, 2))]
    [22, 8]
    """
    _, predictions, labels = bins.shape
    known = ~np.isnan(label)
    place = np.zeros(len(label), np.intp)
    if bins.edges:
        answer = answers(bins, label, prediction, scores)
        x = answer - label if bins.task == "regression" else answer
        place = _places(bins.edges)(x)
        place[np.isnan(x)] = 0
    if bins.task == "multiclass_classification":
        # Two classes that are not told apart: that both are among the others says nothing of the prediction.
        other = len(bins.classes) - 1
        prediction = np.where((label == other) & (prediction == other), np.nan, prediction)
    predicted = np.nan_to_num(prediction + 1, nan=0.0).astype(np.intp) if bins.classes else 0
    number = np.where(known, label, 0).astype(np.intp) if bins.classes else np.zeros(len(label), np.intp)
    found: IntArray = (place * predictions + predicted) * labels + np.where(known, number, labels - 1)
    return found


@lru_cache(maxsize=8)
def _places(edges: tuple[float, ...]) -> BinSearch:
    """Return the search, whose tables take longer to make than a small batch to number."""
    return BinSearch(edges, first=1)
