"""One window reads its own rows, not the table: seen in the engine's own account of what it read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from sqlglot import exp

from monitoring_tasks.profile import Bins
from monitoring_tasks.warehouse import statement
from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.scan import scan
from monitoring_tasks.window import Window
from tests.warehouse import tables

START = datetime(2013, 4, 1, tzinfo=UTC)
DAYS = 100
ROWS_PER_DAY = 500
DAY = Window(START + timedelta(days=40), START + timedelta(days=41))
BINS = {"x": Bins("numeric", tuple(float(i) for i in range(-3, 4)), exponent=2)}


def a_hundred_days(zone: str | None = None) -> pa.Table:
    rng = np.random.default_rng(3)
    step = timedelta(days=1) / ROWS_PER_DAY
    moments = [(START + i * step).replace(tzinfo=None) for i in range(DAYS * ROWS_PER_DAY)]
    return pa.table({"at": pa.array(moments, pa.timestamp("us", zone)), "x": rng.normal(size=len(moments))})


class Explained:
    """A warehouse that keeps the plan of every statement beside running it."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self.dialect = warehouse.dialect
        self.table = warehouse.table
        self.columns = warehouse.columns
        self.explain = warehouse.explain
        self.plans: list[str] = []

    def query(self, select: exp.Query) -> Any:
        self.plans.append(self.warehouse.explain(select))
        return self.warehouse.query(select)

    def batches(self, select: exp.Query, rows: int) -> Iterator[pa.RecordBatch]:
        yield from self.query(select).to_batches(rows)


def of_dates() -> pa.Table:
    rows = a_hundred_days()
    return rows.set_column(0, "at", rows["at"].cast(pa.date32()))


def plans(url: str, table: str, *days: Window) -> list[str]:
    """Scan one day, or these; return the plans of the statements."""
    with tables.opened(url, table) as (warehouse, source, types):
        explained = Explained(warehouse)
        found = list(scan(explained, source, tables.columns_of(types, without=("at", "day")), BINS, days or [DAY]))
    assert [profile.rows for (profile,) in found] == [ROWS_PER_DAY] * (len(days) or 1)
    assert explained.plans
    return explained.plans


def row_groups(plan: str) -> tuple[int, int]:
    """Return the row groups that DuckDB scanned, and all there are."""
    scanned, all_ = re.search(r"Row Groups Scanned: (\d+) / (\d+)", plan).groups()  # type: ignore[union-attr]
    return int(scanned), int(all_)


@pytest.mark.parametrize("zone", [None, "UTC"], ids=["naive", "aware"])
def test_one_day_reads_its_row_groups_of_a_parquet_file(zone: str | None, tmp_path: Path) -> None:
    pq.write_table(a_hundred_days(zone), tmp_path / "log.parquet", row_group_size=5 * ROWS_PER_DAY)
    for plan in plans("duckdb://", str(tmp_path / "log.parquet")):
        assert row_groups(plan) == (1, 20)


APART = tuple(Window(DAY.start + timedelta(days=n), DAY.end + timedelta(days=n)) for n in (-28, -14, 0, 1))
"""Two days apart from each other and from two neighbours."""


def test_between_days_that_are_apart_nothing_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pq.write_table(a_hundred_days(), tmp_path / "log.parquet", row_group_size=5 * ROWS_PER_DAY)
    for plan in plans("duckdb://", str(tmp_path / "log.parquet"), *APART):
        assert row_groups(plan) == (3, 20)
    monkeypatch.setattr(statement, "RUNS", 2)  # more than are named one by one: the same counts
    for plan in plans("duckdb://", str(tmp_path / "log.parquet"), *APART):
        assert row_groups(plan) == (7, 20)


@pytest.mark.integration
def test_between_days_that_are_apart_nothing_is_read_on_postgresql(postgres_database: str) -> None:
    tables.write_postgres(postgres_database, a_hundred_days())
    tables.run_postgres(postgres_database, ["CREATE INDEX ON log (at)", "ANALYZE log"])
    (plan,) = plans(postgres_database, "log", *APART)
    assert plan.count("Bitmap Index Scan") == 3
    assert "Seq Scan" not in plan


def test_one_date_reads_its_row_groups_of_a_parquet_file(tmp_path: Path) -> None:
    pq.write_table(of_dates(), tmp_path / "log.parquet", row_group_size=5 * ROWS_PER_DAY)
    for plan in plans("duckdb://", str(tmp_path / "log.parquet")):
        assert row_groups(plan) == (1, 20)


def test_one_day_reads_its_files_of_a_hive_directory(tmp_path: Path) -> None:
    rows = a_hundred_days()
    days = rows.append_column("day", pc.strftime(rows["at"], "%Y-%m-%d"))
    pq.write_to_dataset(days, tmp_path / "log", partition_cols=["day"])
    for plan in plans(f"duckdb:///{tmp_path}", "log"):
        scanned, all_ = row_groups(plan)
        assert scanned == 1
        assert all_ >= DAYS


def test_one_day_reads_its_row_groups_of_a_duckdb_table(tmp_path: Path) -> None:
    create = (
        "CREATE TABLE small.log AS SELECT TIMESTAMP '2013-04-01' + i * INTERVAL 172800 MILLISECOND AS at, "
        f"random() AS x FROM range({DAYS * ROWS_PER_DAY}) t(i)"
    )
    url = tables.write_duckdb(
        tmp_path / "log.duckdb",
        [f"ATTACH '{tmp_path / 'small.duckdb'}' AS small (ROW_GROUP_SIZE 2048)", create],
    )
    for plan in plans(url.replace("log.duckdb", "small.duckdb"), "log"):
        scanned, all_ = row_groups(plan)
        assert scanned <= 2
        assert all_ >= 20


@pytest.mark.integration
@pytest.mark.parametrize("zone", [None, "UTC"], ids=["naive", "aware"])
def test_one_day_uses_the_index_on_postgresql(zone: str | None, postgres_database: str) -> None:
    tables.write_postgres(postgres_database, a_hundred_days(zone))
    tables.run_postgres(postgres_database, ["CREATE INDEX ON log (at)", "ANALYZE log"])
    (plan,) = plans(postgres_database, "log")
    assert "Index Scan" in plan
    assert "Index Cond: ((at >= " in plan
    assert "Seq Scan" not in plan


@pytest.mark.integration
def test_one_date_uses_the_index_on_postgresql(postgres_database: str) -> None:
    tables.write_postgres(postgres_database, of_dates())
    tables.run_postgres(postgres_database, ["CREATE INDEX ON log (at)", "ANALYZE log"])
    (plan,) = plans(postgres_database, "log")
    assert "Index Cond: ((at >= '2013-05-11'::date) AND (at < '2013-05-12'::date))" in plan
    assert "Seq Scan" not in plan


@pytest.mark.integration
def test_one_day_reads_its_partition_on_postgresql(postgres_database: str) -> None:
    tables.write_postgres(postgres_database, a_hundred_days(), "unpartitioned")
    months = zip(range(4, 8), range(5, 9), strict=True)
    tables.run_postgres(
        postgres_database,
        [
            "CREATE TABLE log (at timestamp, x double precision) PARTITION BY RANGE (at)",
            *(
                f"CREATE TABLE month_{a} PARTITION OF log FOR VALUES FROM ('2013-{a:02}-01') TO ('2013-{b:02}-01')"
                for a, b in months
            ),
            "INSERT INTO log SELECT * FROM unpartitioned",
            "ANALYZE",
        ],
    )
    (plan,) = plans(postgres_database, "log")
    assert "month_5" in plan
    assert not any(f"month_{other}" in plan for other in (4, 6, 7))
