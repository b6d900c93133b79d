"""What is DuckDB's alone: rows that stream by, and can be stopped."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import gettempdir
from time import monotonic, sleep

import pytest
from sqlglot import exp

from monitoring_tasks.profile import Bins
from monitoring_tasks.warehouse.duckdb_engine import DuckDBWarehouse
from monitoring_tasks.warehouse.scan import scan
from monitoring_tasks.window import Window
from tests.warehouse import tables


@pytest.fixture
def heeds_ctrl_c() -> Iterator[None]:
    """A shell starts what it runs in the background with SIGINT ignored, and Python leaves it so."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.integration
@pytest.mark.usefixtures("heeds_ctrl_c")
def test_an_interrupt_does_not_wait_for_the_scan(tmp_path: Path) -> None:
    """The statement takes twenty seconds until its first row: it sorts a hundred million random numbers."""
    slow = "SELECT TIMESTAMP '2024-01-01' AS at, random() AS x FROM range(100000000) ORDER BY x"
    url = tables.write_duckdb(tmp_path / "x.duckdb", [f"CREATE VIEW log AS {slow}"])
    window = Window(datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC))
    bins = {"x": Bins("numeric", (0.0, 0.5, 1.0))}

    def press() -> None:
        sleep(1)
        os.kill(os.getpid(), signal.SIGINT)

    with tables.opened(url, "log") as (warehouse, source, types):
        columns = tables.columns_of(types)
        began = monotonic()
        threading.Thread(target=press).start()
        with pytest.raises(KeyboardInterrupt):
            list(scan(warehouse, source, columns, bins, [window]))
        assert monotonic() - began < 10


@pytest.mark.integration
def test_what_memory_does_not_hold_is_not_spilled_into_the_warehouse(tmp_path: Path) -> None:
    slow = "SELECT TIMESTAMP '2024-01-01' AS at, hash(i)::text || hash(i + 1)::text AS x FROM range(20000000) t(i)"
    url = tables.write_duckdb(tmp_path / "x.duckdb", [f"CREATE VIEW log AS {slow}"])
    with tables.opened(url, "log") as (warehouse, source, _):
        rows = exp.select("x").from_(warehouse.table(source.table)).order_by("x")
        assert isinstance(warehouse, DuckDBWarehouse)
        first = next(warehouse.batches(rows, 2048))
        assert first.num_rows
        assert [path.name for path in tmp_path.iterdir()] == ["x.duckdb"]
        spilled = list(Path(gettempdir()).glob(f"duckdb_temp_{os.getpid()}_*"))
        assert spilled
        with tables.opened(url, "log"):
            pass
    assert not any(path.exists() for path in spilled)
