"""Outcomes as they would be if the cells held other numbers of rows."""

from __future__ import annotations

from typing import cast

import numpy as np
import numpy.typing as npt

from monitoring_tasks.statistics.histogram import FloatArray, IntArray
from monitoring_tasks.statistics.performance.outcomes import Outcomes

CLASS_VARIANCE = 2.0
"""How many times as variable class scores are redrawn, for want of the joint table of all classes' scores.

Each class's table is redrawn on its own, and yet the tables are of the same rows: one whose score is high for a wrong
class counts against both. Of two classes the tables are each other's mirror, and the variance of a mean over the
classes is twice that of independent tables. Of K classes with errors correlated by 1 / (K - 1) it is twice as well; in
simulation, of three, 1.6 times.
"""


def reweighted(outcomes: Outcomes, counts: npt.ArrayLike, class_scores: npt.ArrayLike | None = None) -> Outcomes:
    """Return the outcomes with these counts, every cell's sums in proportion.

    Parameters
    ----------
    outcomes : Outcomes
        Counted rows; they give the mean of each sum in each cell, 0 in an empty one.
    counts : float array, shape (..., *outcomes.counts.shape)
        Rows per cell, which need not be whole; leading axes are many tables at once.
    class_scores : float array, shape (..., n_classes, n_bins, 2), optional
        Rows by class, bin of its score, and whether the label is that class.

    Returns
    -------
    Outcomes
        On the same places.

    Examples
    --------
    >>> day = Outcomes(np.array([[[2, 8]]]), {"score": np.array([[[1.0, 6.0]]])})
    >>> reweighted(day, [[[4.0, 4.0]]]).sums["score"]
    array([[[2., 3.]]])
    """
    rows = np.asarray(counts, dtype=np.float64)
    scores = None if class_scores is None else np.asarray(class_scores, dtype=np.float64)
    return Outcomes(
        # Expected rows are shares of rows: the metrics take doubles as they take whole numbers.
        counts=cast(IntArray, rows),
        sums={name: rows * mean for name, mean in cell_means(outcomes).items()},
        edges=outcomes.edges,
        class_scores=cast("IntArray | None", scores),
    )


def cell_means(outcomes: Outcomes) -> dict[str, FloatArray]:
    """Return the mean of each sum in each cell, shaped as the counts; 0 where no row is.

    Examples
    --------
    >>> cell_means(Outcomes(np.array([[[2, 0]]]), {"score": np.array([[[1.0, 0.0]]])}))["score"]
    array([[[0.5, 0. ]]])
    """
    rows = np.asarray(outcomes.counts, dtype=np.float64)
    some = rows > 0
    return {name: np.divide(total, rows, out=np.zeros(rows.shape), where=some) for name, total in outcomes.sums.items()}
