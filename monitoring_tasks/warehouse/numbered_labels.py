"""Labels whose keys are whole numbers close together: found by their number, which is quicker than to join them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from sqlglot import exp

from monitoring_tasks.warehouse.arrow import microseconds
from monitoring_tasks.warehouse.expressions import named, selected, subquery
from monitoring_tasks.warehouse.labels import Labelled, count_between, labels_between
from monitoring_tasks.warehouse.statement import Source, rows_of
from monitoring_tasks.window import Window

if TYPE_CHECKING:
    from monitoring_tasks.warehouse.duckdb_engine import DuckDBWarehouse

MOST = 20_000_000
"""Numbers from the first key to the last: more are joined. Their labels take 200 MB, and 350 while they are read."""

NONE = -1
"""In the place of a class."""

REPEATED = 1.25
"""Labels for each number up to which they are read: those that come again take 90 bytes each, outside of DuckDB."""

FEW = 1_000_000
"""Labels that are read in any case."""

GAPS = 4
"""Times as many numbers as rows may lie between the first key and the last."""


@dataclass(frozen=True)
class NumberedLabels:
    """The latest label of every key, in an array."""

    first: int
    """The smallest key."""
    label: NDArray[Any]
    """Its class, or its value; `NONE` or NaN where there is none."""
    since: NDArray[np.int64]
    """When it was first known, in microseconds since 1970."""
    repeated: NDArray[np.bool_] | None
    """Whether there were several; None if nowhere."""

    @classmethod
    def read(
        cls, warehouse: DuckDBWarehouse, source: Source, labelled: Labelled, windows: Sequence[Window]
    ) -> NumberedLabels | None:
        """Return the labels of the windows' rows; None where their keys are no such numbers.

        Of several for one key it is the latest, of those that arrived together the largest, as in `joined`.
        """
        its = labelled.source
        if its.inline or its.as_text or not its.timestamp or {its.key_type, its.log_key_type} != {"integer"}:
            return None
        keys = subquery(rows_of(warehouse, source, windows, {"k": named(its.log_key)}), "inferences")
        ends = {"low": exp.Min(this=named("k")), "high": exp.Max(this=named("k")), "n": exp.Count(this=exp.Star())}
        answer = warehouse.query(selected(ends, keys)).to_pylist()
        if not answer or answer[0]["low"] is None:
            return None
        if not isinstance(answer[0]["low"], int | Decimal):
            return None  # DuckDB has whole numbers that Arrow has not
        low, high, rows = (int(answer[0][name]) for name in ends)
        size = high - low + 1
        if size > min(GAPS * rows, MOST) or max(abs(low), abs(high)) >= 2**62:
            return None
        if count_between(warehouse, its, low, high) > max(REPEATED * size, FEW):
            return None
        found = warehouse.query(labels_between(warehouse, source, its, labelled.bins, low, high))
        latest = np.full(size, NONE, np.int8) if labelled.bins.classes else np.full(size, np.nan)
        since = np.zeros(size, np.int64)
        for batch in found.to_batches():
            key = _whole(batch["k"]) - low
            latest[key], since[key] = batch["y"].to_numpy(), microseconds(batch["t"])
        known = latest != NONE if labelled.bins.classes else ~np.isnan(latest)
        if np.count_nonzero(known) == found.num_rows:
            return cls(low, latest, since, None)
        key, label, moment = _whole(found["k"].combine_chunks()) - low, found["y"].to_numpy(), _moments(found["t"])
        repeated = np.bincount(key, minlength=size) > 1
        several = np.flatnonzero(repeated.take(key))
        order = several[np.lexsort((label[several], moment[several], key[several]))]
        begins = np.flatnonzero(np.diff(key[order], prepend=-1))
        last = np.append(begins[1:], len(order)) - 1
        latest[key[order[last]]], since[key[order[begins]]] = label[order[last]], moment[order[begins]]
        return cls(low, latest, since, repeated)

    def of(self, keys: pa.Array) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
        """Return the labels of rows with these keys, when each was first known, and whether there were several."""
        place = _whole(keys, self.first - 1) - self.first
        outside = (place < 0) | (place >= len(self.label))
        if outside.any():
            place = np.where(outside, 0, place)
        found = self.label.take(place)
        none = outside | ((found == NONE) if found.dtype == np.int8 else np.isnan(found))
        label, since = found.astype(np.float64), self.since.take(place) / 1e6
        label[none], since[none] = np.nan, np.nan
        several = np.zeros(len(place), np.bool_) if self.repeated is None else self.repeated.take(place) & ~outside
        return label, since, several


def _whole(values: pa.Array, null: int = 0) -> NDArray[np.int64]:
    return np.asarray(pc.fill_null(values.cast(pa.int64()), null))


def _moments(values: pa.ChunkedArray) -> NDArray[np.int64]:
    return np.concatenate([microseconds(each) for each in values.chunks])
