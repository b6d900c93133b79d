"""The outcomes of the rows that stream through this process: numbered by numpy, as their bins are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sqlglot import exp

from monitoring_tasks.labels_profile import DELAY_EDGES
from monitoring_tasks.outcome_cells import answers, cell_numbers
from monitoring_tasks.profile import LARGEST
from monitoring_tasks.statistics.bin_search import BinSearch
from monitoring_tasks.warehouse.arrow import as_floats
from monitoring_tasks.warehouse.expressions import value
from monitoring_tasks.warehouse.labels import predicted_value
from monitoring_tasks.warehouse.outcome_tally import HALF, OutcomeTally, losses

if TYPE_CHECKING:
    from monitoring_tasks.warehouse.numbered_labels import NumberedLabels
    from monitoring_tasks.warehouse.runs import Runs


class StreamedOutcomes:
    """Numbers the outcomes of batches and adds them to a tally."""

    def __init__(self, tally: OutcomeTally, starts: Sequence[int]) -> None:
        self._tally, self._bins = tally, tally.labelled.bins
        self._starts = np.array(starts, np.int64)
        self._part = max(round(tally.part_seconds * 1e6), 1)
        self._class_places = BinSearch(self._bins.score_edges, first=1)
        self._delays = BinSearch(DELAY_EDGES, first=1)
        self.numbered: NumberedLabels | None = None
        """Where the labels of the rows are found by their keys; None where they are joined."""

    def select(self) -> dict[str, exp.Expr]:
        """Return what the statement selects of the inference log beside its columns."""
        labelled = self._tally.labelled
        columns = {f"z{i}": value(score, "duckdb") for i, score in enumerate(labelled.scores)}
        if labelled.prediction is not None:
            prediction = labelled.prediction
            columns["p"] = predicted_value(prediction.name, prediction.type, self._bins, "duckdb")
        return columns

    def add(
        self, batch: pa.RecordBatch, moments: NDArray[np.int64] | None, windows: NDArray[np.intp], runs: Sequence[Runs]
    ) -> NDArray[np.intp]:
        """Add the batch, and return each row's outcome.

        Parameters
        ----------
        batch
            Rows of `monitoring_tasks.warehouse.labels.joined`, or with their keys.
        moments
            Microseconds since 1970 of each row; None for a table without times.
        windows
            Each row's window, -1 for none; one number where all have the same.
        runs
            The rows by window, and by each segment column.
        """
        bins, tally = self._bins, self._tally
        if self.numbered is None:
            label, since, repeated = as_floats(batch["y"]), as_floats(batch["f"]), as_floats(batch["n"]) > 1
        else:
            label, since, repeated = self.numbered.of(batch["k"])
        known = ~np.isnan(label)
        scores = [_finite(as_floats(batch[f"z{i}"])) for i in range(len(tally.labelled.scores))]
        prediction = as_floats(batch["p"]) if "p" in batch.schema.names else np.full(len(label), np.nan)
        answer = answers(bins, label, prediction, scores)
        number = np.where(known, label, 0).astype(np.intp) if bins.classes else np.zeros(len(label), np.intp)
        cells = cell_numbers(bins, label, prediction, scores)
        outcomes = bins.outcome_of_cell.take(cells)
        units = self._losses(label, answer, scores, known)
        delays = self._delay(since, moments)
        parts = None if moments is None else self._parts(moments, windows) * bins.outcomes + outcomes
        for each in runs:
            mine = each.take(cells)
            each.count(tally.cells.reshape(-1, bins.cells), mine)
            for name, whole in units.items():
                mine_of_loss = each.take(whole)
                each.add(tally.high[name].reshape(-1, bins.cells), mine, mine_of_loss >> HALF)
                each.add(tally.low[name].reshape(-1, bins.cells), mine, mine_of_loss & (2**HALF - 1))
            each.count(tally.delays.reshape(-1, tally.delays.shape[-1]), each.take(delays))
            if parts is not None:
                each.count(tally.parts.reshape(-1, tally.parts.shape[2] * bins.outcomes), each.take(parts))
            if repeated.any():
                np.add.at(tally.repeated.reshape(-1), each.places.take(each.numbers[each.take(repeated)]), 1)
            if tally.class_scores is not None:
                self._count_scores(each, scores, number, known)
        return outcomes

    def _parts(self, moments: NDArray[np.int64], windows: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the part of its window that each row lies in; of rows of no window any."""
        since = moments - self._starts.take(np.maximum(windows, 0))
        part: NDArray[np.intp] = np.clip(since // self._part, 0, self._tally.parts.shape[2] - 1)
        return part

    def _losses(
        self,
        label: NDArray[np.float64],
        answer: NDArray[np.float64],
        scores: Sequence[NDArray[np.float64]],
        known: NDArray[np.bool_],
    ) -> dict[str, NDArray[np.int64]]:
        """Return each loss of every row in whole units; 0 without a label or an answer."""
        if not self._bins.losses:
            return {}
        with np.errstate(invalid="ignore", over="ignore"):
            found = losses(self._bins, label, answer, scores)
            units = {}
            for name, each in found.items():
                whole = np.rint(each * (1 / self._bins.unit(name)))
                counts = np.abs(whole) < 2.0**62
                if name != "score":
                    counts &= known
                units[name] = np.where(counts, whole, 0.0).astype(np.int64)
        return units

    def _delay(self, since: NDArray[np.float64], moments: NDArray[np.int64] | None) -> NDArray[np.intp]:
        """Return the bin of the time to the first label, 0 without one."""
        if moments is None:
            return np.zeros(len(since), np.intp)
        delay = np.round(since * 1e6 - moments) / 1e6
        place = self._delays(delay)
        place[np.isnan(delay)] = 0
        return place

    def _count_scores(
        self, runs: Runs, scores: Sequence[NDArray[np.float64]], number: NDArray[np.intp], known: NDArray[np.bool_]
    ) -> None:
        """Count, for each class, the bin of its score and whether the label is that class, or is not known."""
        counted = self._tally.class_scores
        assert counted is not None
        classes, size, kinds = counted.shape[2:]
        for i, score in enumerate(scores):
            place = self._class_places(score)
            index = (i * size + place - 1) * kinds + np.where(known, number == i, kinds - 1)
            chosen = runs.take(~np.isnan(score))
            places = runs.places.take(runs.numbers[chosen])
            np.add.at(counted.reshape(-1, classes * size * kinds), (places, runs.take(index)[chosen]), 1)


def _finite(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the scores, NaN where they are infinite: no score to the engines that count by themselves."""
    return x if np.abs(x).max(initial=0.0) <= LARGEST else np.where(np.abs(x) <= LARGEST, x, np.nan)
