"""Bounded samples of rows whose label is known, with what became of each. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from monitoring_tasks.bottom_k import BottomK
from monitoring_tasks.outcome_bins import OutcomeBins
from monitoring_tasks.statistics.histogram import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class LabelledRows:
    """Rows with the smallest hashes of those whose label is known, in the order of the hash."""

    drawn: BottomK
    """The features: numbers and times as doubles, categories as texts."""
    bins: OutcomeBins = field(repr=False)
    cells: IntArray = field(repr=False)
    """The cell of each row, as `bins` numbers them, shape (n_rows,)."""
    losses: Mapping[str, FloatArray] = field(repr=False)
    """Of each of `OutcomeBins.losses` that of every row, shape (n_rows,); NaN without a score or prediction."""

    def __len__(self) -> int:
        """Return how many rows were drawn."""
        return len(self.drawn)

    @property
    def features(self) -> pa.Table:
        """One column for each feature."""
        return self.drawn.rows

    @property
    def nbytes(self) -> int:
        """Return the size in memory."""
        return self.drawn.nbytes + int(self.cells.nbytes) + sum(int(each.nbytes) for each in self.losses.values())

    @property
    def outcome_cells(self) -> IntArray:
        """The cell of each row in `LabelsProfile.outcomes`, which has no place for rows without a label."""
        labels = self.bins.shape[-1]
        found: IntArray = self.cells // labels * (labels - 1) + self.cells % labels
        return found

    @property
    def wrong(self) -> FloatArray:
        """1 where the predicted class is not the label's, 0 where it is, NaN without a prediction; of classes only."""
        _, predictions, labels = self.bins.shape
        predicted = self.cells // labels % predictions
        found: FloatArray = np.where(predicted == 0, np.nan, predicted - 1 != self.cells % labels)
        return found

    def without(self, other: LabelledRows) -> LabelledRows:
        """Return the rows whose key is not among those of the other, see `BottomK.without`."""
        kept = ~np.isin(self.drawn.hashes, other.drawn.hashes)
        drawn = BottomK(self.drawn.rows.filter(pa.array(kept)), self.drawn.hashes[kept], self.drawn.limit)
        return LabelledRows(
            drawn, self.bins, self.cells[kept], {name: each[kept] for name, each in self.losses.items()}
        )


@dataclass(frozen=True, eq=False)
class LabelledSamples:
    """Labelled rows of both sides."""

    baseline: LabelledRows
    """Of the fixed baseline, without those of the window."""
    window: LabelledRows
    compared_with: str
    """What the baseline's rows are: see `monitoring_tasks.reference.Reference.named`."""
