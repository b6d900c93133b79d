"""The same rows on every engine, whatever order they lie in, and those that Python finds by hashing the keys."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.sample import sample
from monitoring_tasks.warehouse.statement import Source
from monitoring_tasks.window import Window
from tests.warehouse import tables
from tests.warehouse.overheard import Overheard

START = datetime(2024, 3, 1, tzinfo=UTC)
DAYS = [Window(START + i * timedelta(days=1), START + (i + 1) * timedelta(days=1)) for i in range(4)]
SOURCE = Source("log", "at", "timestamp")
ROWS = 600


def rows(seed: int = 1) -> pa.Table:
    """150 rows a day; some keys are missing, some stand twice with other values, some rows stand twice."""
    rng = np.random.default_rng(1)
    moments = [START + timedelta(seconds=float(s)) for s in rng.uniform(0, 4 * 86400, ROWS)]
    keys = [None if i % 50 == 7 else f"key-{i - i % 2 if i % 20 < 4 else i}" for i in range(ROWS)]
    x = rng.standard_normal(ROWS)
    x[::9] = np.nan
    table = pa.table(
        {
            "key": keys,
            "at": pa.array([moment.replace(tzinfo=None) for moment in moments], pa.timestamp("us")),
            "x": pa.array(x, pa.float64(), mask=np.arange(ROWS) % 11 == 0),
            "flag": rng.random(ROWS) < 0.5,
            "word": [["b", "B", "ä", None, ""][i] for i in rng.integers(0, 5, ROWS)],
            "seen_at": pa.array(moments, pa.timestamp("us", "UTC")),
        }
    )
    table = pa.concat_tables([table, table.slice(0, 40)])
    return table.take(np.random.default_rng(seed).permutation(len(table)))


def draw(warehouse: Warehouse, types: dict, windows: list[Window], limit: int) -> list[list[dict]]:
    columns = tables.columns_of(types, without=("at", "key"))
    drawn = sample(warehouse, SOURCE, columns, "key", windows, limit)
    return [
        [{name: str(value) for name, value in row.items()} for row in table.to_pylist()]
        for table in (each.rows for each in drawn)
    ]


@pytest.fixture(params=["duckdb", pytest.param("postgres", marks=pytest.mark.integration)])
def log(request: pytest.FixtureRequest, tmp_path: Path):
    """Write the rows of a seed's order, and return the URL."""

    def write(seed: int) -> str:
        if request.param == "duckdb":
            folder = tmp_path / str(seed)
            folder.mkdir()
            return tables.duckdb_file(rows(seed), folder)[0]
        url = request.getfixturevalue("postgres_database")
        tables.write_postgres(url, rows(seed))
        return url

    return write


def by_hand(window: Window, limit: int) -> list[str]:
    """Return the texts of x by the MD5 of the key."""
    inside = [row for row in rows().to_pylist() if window.start <= row["at"].replace(tzinfo=UTC) < window.end]
    known = [row for row in inside if row["key"] is not None]
    found = [(hashlib.md5(row["key"].encode()).hexdigest(), str(row["x"])) for row in known]
    return [x for _, x in sorted(found)][:limit]


def test_the_rows_are_those_of_the_smallest_hashes(log):
    with tables.opened(log(1), "log") as (warehouse, _, types):
        for limit in (5, 60, 10_000):
            (drawn,) = draw(warehouse, types, DAYS[:1], limit)
            # Rows of one key may stand in another order here.
            assert len(drawn) == len(by_hand(DAYS[0], limit))
            assert len(set(by_hand(DAYS[0], limit)) ^ {row["x"] for row in drawn}) <= 2


def test_the_order_in_which_rows_lie_does_not_count_and_a_repetition_finds_the_same(log):
    with tables.opened(log(1), "log") as (warehouse, _, types):
        first = draw(warehouse, types, DAYS[:2], 60)
        assert draw(warehouse, types, DAYS[:2], 60) == first
    with tables.opened(log(2), "log") as (warehouse, _, types):
        assert draw(warehouse, types, DAYS[:2], 60) == first


def test_several_windows_at_once_are_the_same_as_one_by_one(log):
    with tables.opened(log(1), "log") as (warehouse, _, types):
        for windows in (DAYS, DAYS[::2]):
            alone = [draw(warehouse, types, [window], 60)[0] for window in windows]
            assert draw(warehouse, types, windows, 60) == alone
            assert [len(drawn) for drawn in alone] == [60] * len(windows)


def test_a_smaller_sample_is_the_beginning_of_a_larger_one(log):
    with tables.opened(log(1), "log") as (warehouse, _, types):
        (large,), (small,) = draw(warehouse, types, DAYS[:1], 100), draw(warehouse, types, DAYS[:1], 30)
        assert large[:30] == small


def test_a_row_without_a_key_is_never_drawn(log):
    without = {str(row["x"]) for row in rows().to_pylist() if row["key"] is None} - {"nan", "None"}
    with tables.opened(log(1), "log") as (warehouse, _, types):
        drawn = {row["x"] for day in draw(warehouse, types, DAYS, 10_000) for row in day}
    assert without
    assert not without & drawn


@pytest.mark.integration
@pytest.mark.parametrize("limit", [7, 60, 10_000])
def test_postgres_draws_the_rows_of_duckdb(tmp_path, postgres_database, limit):
    tables.write_postgres(postgres_database, rows(2))
    found = []
    for url in (tables.duckdb_file(rows(1), tmp_path)[0], postgres_database):
        with tables.opened(url, "log") as (warehouse, _, types):
            found.append(draw(warehouse, types, DAYS, limit))
    assert found[0] == found[1]
    assert len(found[0][0]) == min(limit, len(by_hand(DAYS[0], limit)))


def test_a_table_without_times_is_drawn_from_as_a_whole(tmp_path):
    with tables.opened(tables.duckdb_file(rows(), tmp_path)[0], "log") as (warehouse, _, types):
        (drawn,) = sample(
            warehouse, Source("log", None), tables.columns_of(types, without=("at", "key")), "key", [], 10_000
        )
    assert len(drawn) == len([key for key in rows()["key"].to_pylist() if key is not None])
    assert drawn.rows.schema.types == [pa.float64(), pa.string(), pa.string(), pa.float64()]


def test_the_warehouse_cuts_so_that_no_more_rows_come_than_are_asked_for(tmp_path):
    with tables.opened(tables.duckdb_file(rows(), tmp_path)[0], "log") as (warehouse, _, types):
        overheard = Overheard(warehouse)
        columns = tables.columns_of(types, without=("at", "key"))
        sample(overheard, SOURCE, columns, "key", DAYS[:1], 25)
        sample(overheard, SOURCE, columns, "key", DAYS, 25)
    assert [len(answer) for answer in overheard.answers] == [25, 100]
