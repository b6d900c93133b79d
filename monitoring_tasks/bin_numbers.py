"""The bins that sampled rows fall into, as a profile counts them. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring_tasks.profile import Bins
from monitoring_tasks.statistics.bin_search import BinSearch
from monitoring_tasks.statistics.histogram import IntArray


def bin_numbers(rows: pa.Table, bins: Sequence[Bins]) -> IntArray:
    """Return the number of each value's bin, in the order of `Bins.labels`: 0 is missing.

    Parameters
    ----------
    rows
        As they are drawn, one column for each of `bins`: numbers and times as doubles, categories as texts.
    bins
        The baseline's frozen bins.

    Returns
    -------
    int ndarray, shape (n_rows, n_columns)

    Examples
    --------
    >>> rows = pa.table({"hour": [4.0, 17.0, None], "carrier": ["MQ", None, "XX"]})
    >>> bin_numbers(rows, [Bins("numeric", (5.0, 20.0)), Bins("categorical", categories=("EV", "MQ"))]).tolist()
    [[1, 2], [2, 0], [0, 4]]
    """
    found = np.empty((len(rows), len(bins)), np.int64)
    for place, (column, its) in enumerate(zip(rows.columns, bins, strict=True)):
        found[:, place] = _categories(column, its) if its.kind == "categorical" else _numbers(column, its)
    return found


def _numbers(column: pa.ChunkedArray, bins: Bins) -> IntArray:
    x = np.asarray(pc.fill_null(pc.cast(column, pa.float64()), float("nan")))
    number = BinSearch(bins.edges, first=1)(x) if bins.edges else np.full(len(x), 2)
    found: IntArray = np.where(np.isnan(x), 0, number)
    return found


def _categories(column: pa.ChunkedArray, bins: Bins) -> IntArray:
    other = len(bins.categories) + 1
    known = pc.index_in(column, value_set=pa.array(bins.categories, pa.string()), skip_nulls=True)
    listed = pc.is_in(column, value_set=pa.array(bins.others, pa.string()), skip_nulls=True)
    place = np.asarray(pc.fill_null(known, -1))
    rest = np.where(np.asarray(listed) | bins.open_ended, other, other + 1)
    found: IntArray = np.where(np.asarray(pc.is_null(column)), 0, np.where(place < 0, rest, place + 1))
    return found
