"""Rows are binned as the scan bins them."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from monitoring_tasks.bin_numbers import bin_numbers
from monitoring_tasks.profile import Bins
from monitoring_tasks.warehouse.sample import sample
from monitoring_tasks.warehouse.scan import scan
from tests.warehouse import tables
from tests.warehouse.test_sample import DAYS, rows

BINS = {
    "x": Bins("numeric", (-1.0, -0.5, 0.0, 1.0)),
    "flag": Bins("categorical", categories=("true",)),
    "word": Bins("categorical", categories=("b", "ä"), others=("B",)),
    "seen_at": Bins("timestamp", tuple(DAYS[0].start.timestamp() + 3600 * i for i in range(0, 72, 5))),
}


@pytest.mark.parametrize("word", [BINS["word"], Bins("categorical", categories=("b", "ä"), open_ended=True)])
def test_bins_hold_the_rows_that_the_scan_counts(tmp_path, word):
    bins = BINS | {"word": word}
    keyed = rows().filter(pc.is_valid(rows()["key"]))
    with tables.opened(*tables.parquet_file(keyed, tmp_path)) as (warehouse, source, types):
        columns = tables.columns_of(types, without=("at", "key"))
        drawn = sample(warehouse, source, columns, "key", DAYS, 10_000)
        scanned = list(scan(warehouse, source, columns, bins, DAYS, []))
    for sampled, profiles in zip(drawn, scanned, strict=True):
        names = sampled.rows.column_names
        found = bin_numbers(sampled.rows, [bins[name] for name in names])
        for name, numbers in zip(names, found.T, strict=True):
            counts = np.bincount(numbers, minlength=len(bins[name]))
            assert counts.tolist() == list(profiles[0].columns[name].counts), name


def test_columns_without_edges_and_infinities():
    table = pa.table({"x": [1.0, None, float("nan"), float("inf")], "y": [float("-inf"), 0.0, 5.0, float("inf")]})
    found = bin_numbers(table, [Bins("numeric"), Bins("numeric", (0.0, 5.0))])
    assert found.T.tolist() == [[2, 0, 0, 2], [1, 2, 3, 3]]
    assert bin_numbers(table.slice(0, 0), [Bins("numeric"), Bins("numeric", (0.0, 5.0))]).shape == (0, 2)
