"""Names and texts are data: nothing in them is ever read as SQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from monitoring_tasks.warehouse.bins import measure_bins
from monitoring_tasks.warehouse.scan import scan
from monitoring_tasks.window import Window
from tests.warehouse import oracle, tables

EVIL = 'x"; drop table y; --'
NAMES = [EVIL, "it's", "100 %", "%(x)s", ":name", "select", "back\\slash", "a.b", "ünïcödé 🛫", " ", "p", "b0", "n"]
START = datetime(2013, 4, 1, tzinfo=UTC)
DAYS = [Window(START + i * timedelta(days=1), START + (i + 1) * timedelta(days=1)) for i in range(2)]


def rows() -> pa.Table:
    """A number and a category under every odd name; the categories are the odd names too."""
    moments = [(START + i * timedelta(hours=1)).replace(tzinfo=None) for i in range(48)]
    texts = [NAMES[i % len(NAMES)] for i in range(48)]
    columns = {name: texts if i % 2 else [float(n * i) for n in range(48)] for i, name in enumerate(NAMES)}
    return pa.table({"at; --": pa.array(moments, pa.timestamp("us")), **columns, "shop'": texts})


STORAGES = ["parquet file", "duckdb file", pytest.param("postgresql", marks=pytest.mark.integration)]


@pytest.mark.parametrize("storage", STORAGES)
def test_columns_and_categories_may_be_called_anything(
    storage: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    log = rows()
    if storage == "postgresql":
        url, table = request.getfixturevalue("postgres_database"), "log"
        tables.write_postgres(url, log)
        tables.run_postgres(url, ["CREATE TABLE y AS SELECT 1 AS z"])
    else:
        url, table = tables.DUCKDB[storage](log, tmp_path)
    with tables.opened(url, table, "at; --") as (warehouse, source, types):
        assert list(types) == log.column_names
        columns = tables.columns_of(types, without=("at; --",))
        bins = measure_bins(warehouse, source, columns, DAYS[0])
        assert set(bins["shop'"].categories) <= set(NAMES)
        found = list(scan(warehouse, source, columns, bins, DAYS, ("shop'",)))
        expected = oracle.profiles(log, "at; --", columns, bins, DAYS, ("shop'",))
        assert f"shop'={EVIL}" in {profile.segment for part in found for profile in part}
        for got, wanted in zip(found, expected, strict=True):
            assert [profile.segment for profile in got] == [profile.segment for profile in wanted]
            for profile, other in zip(got, wanted, strict=True):
                oracle.assert_equal(profile, other, bins)
        if storage == "postgresql":
            assert warehouse.columns("y") == {"z": "integer"}


TABLES = {
    "log": ("main", "log"),
    '"Odd Table"': ("main", "Odd Table"),
    '"x""; drop table y; --"': ("main", EVIL),
    '"My Schema"."the.table"': ("My Schema", "the.table"),
    "plain.select": ("plain", "select"),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_duckdb_table_may_be_called_anything(name: str, tmp_path: Path) -> None:
    schema, table = (part.replace('"', '""') for part in TABLES[name])
    url = tables.write_duckdb(
        tmp_path / "odd.duckdb",
        [f'CREATE SCHEMA IF NOT EXISTS "{schema}"', f'CREATE TABLE "{schema}"."{table}" AS SELECT 7.5::double x'],
    )
    count_one_row(url, name)


@pytest.mark.integration
@pytest.mark.parametrize("name", TABLES)
def test_a_postgresql_table_may_be_called_anything(name: str, postgres_database: str) -> None:
    schema, table = TABLES[name]
    schema = schema.replace("main", "public")
    tables.run_postgres(postgres_database, [f'CREATE SCHEMA IF NOT EXISTS "{schema}"'])
    tables.write_postgres(postgres_database, pa.table({"x": [7.5]}), table, schema)
    count_one_row(postgres_database, name)


def count_one_row(url: str, name: str) -> None:
    with tables.opened(url, name, timestamp=None) as (warehouse, source, types):
        columns = tables.columns_of(types)
        bins = measure_bins(warehouse, source, columns, None)
        ((profile,),) = scan(warehouse, source, columns, bins, DAYS[:1])
    assert profile.columns["x"].total == 7.5


@pytest.mark.parametrize("name", ["odd file.parquet", "it's.parquet", 'x"; drop table y; --.parquet', "ünï.parquet"])
def test_a_parquet_file_may_be_called_anything(name: str, tmp_path: Path) -> None:
    tables.parquet_file(pa.table({"x": [7.5]}), tmp_path)
    (tmp_path / "log.parquet").rename(tmp_path / name)
    count_one_row("duckdb://", str(tmp_path / name))
    count_one_row(f"duckdb:///{tmp_path}", name)
