"""A column that cannot be read costs itself, in the windows in which it fails and in no other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitoring_tasks.columns import Column
from monitoring_tasks.errors import DataError, ForbiddenError, TransientError
from monitoring_tasks.late_labels import Counted, Labels, scanned
from monitoring_tasks.profile import Profile
from monitoring_tasks.results.store import open_store
from monitoring_tasks.run import run_windows
from monitoring_tasks.warehouse.bins import measure_bins
from monitoring_tasks.warehouse.broken_columns import failing, without_broken
from monitoring_tasks.warehouse.engine import open_warehouse
from monitoring_tasks.warehouse.labels import Labelled
from monitoring_tasks.warehouse.scan import scan
from monitoring_tasks.window import ALL_TIME, Window
from tests import inference_log, labelled_log
from tests.warehouse import tables

FIRST = 20 * inference_log.ROWS
"""The key of the first row of the first monitored window."""


@pytest.mark.parametrize(("broken", "most"), [((), 1), ((7,), 11), ((0, 19), 19), (tuple(range(20)), 39)])
def test_what_fails_is_found_by_halving(broken: tuple[int, ...], most: int) -> None:
    taken = []

    def take(numbers: Sequence[int]) -> None:
        taken.append(numbers)
        if set(numbers) & set(broken):
            raise DataError(f"{len(numbers)} numbers")

    assert [number for number, _ in failing(range(20), take)] == list(broken)
    assert all(str(error) == "1 numbers" for _, error in failing(range(20), take))
    assert len(taken) <= 2 * most


def test_a_server_that_goes_away_while_it_is_asked_is_no_broken_column() -> None:
    def take(numbers: Sequence[int]) -> None:
        raise DataError("bad") if len(numbers) > 2 else TransientError("away")

    with pytest.raises(TransientError, match="away"):
        failing(range(8), take)


def duckdb_view(folder: Path, **expressions: str) -> str:
    """Return the URL of a copy of the log whose table `odd` has other expressions in these columns."""
    url = inference_log.to_duckdb(folder / "odd.duckdb")
    others = ", ".join(f"{expression} AS {column}" for column, expression in expressions.items())
    return tables.write_duckdb(
        Path(url.removeprefix("duckdb:///")),
        [f"CREATE VIEW odd AS SELECT * REPLACE ({others}) FROM inference_log"],
    )


def failed_rows(
    url: str, store_url: str, parts: Sequence[Window]
) -> tuple[dict[str, list[dict[str, object]]], list[Any]]:
    """Run the parts one by one; return the tables, and day and column of each error row."""
    monitor = inference_log.monitor("{multivariate_drift: off, data_quality: off}", table="odd")
    with open_store(store_url) as store, open_warehouse(url) as warehouse:
        for part in parts:
            run_windows(monitor, part.start, part.end, warehouse=warehouse, store=store)
        rows = store.query("SELECT window_start, column_name FROM result WHERE status = 'error' ORDER BY 1, 2")
        return inference_log.contents(store), [(row["window_start"].day, row["column_name"]) for row in rows]


def test_what_fails_in_some_windows_is_the_same_one_by_one(tmp_path: Path) -> None:
    days = [FIRST + day * inference_log.ROWS + 3 for day in (1, 2, 4)]
    url = duckdb_view(
        tmp_path,
        age=f"(CASE WHEN id IN ({days[0]}, {days[1]}) THEN 'n/a' ELSE age::text END)::double",
        region=f"CASE WHEN id IN ({days[1]}, {days[2]}) THEN error('no region') ELSE region END",
    )
    days_of_run = [inference_log.day(number) for number in range(20, 26)]
    whole = [Window(days_of_run[0].start, days_of_run[-1].end)]
    bulk, failed = failed_rows(url, f"sqlite:///{tmp_path / 'bulk.db'}", whole)
    assert failed == [(22, "age"), (23, "age"), (23, "region"), (25, "region")]
    backwards, same = failed_rows(url, f"sqlite:///{tmp_path / 'backwards.db'}", days_of_run[::-1])
    assert same == failed
    assert backwards == bulk


def test_a_broken_window_is_left_out_of_what_later_ones_look_back_on(tmp_path: Path) -> None:
    """A moving baseline adds up the windows before; of the column, those in which it could be read."""
    broken = FIRST + inference_log.ROWS + 3
    url = duckdb_view(tmp_path, age=f"(CASE WHEN id = {broken} THEN 'n/a' ELSE age::text END)::double")
    monitor = inference_log.monitor("{multivariate_drift: off, data_quality: off}", table="odd")
    rolling = monitor.model_copy(
        update={"baseline": monitor.baseline.model_copy(update={"rolling": 4 * inference_log.day(0).length})}
    )
    found = []
    days = [inference_log.day(number) for number in range(20, 24)]
    for name, parts in (("bulk", [Window(days[0].start, days[-1].end)]), ("single", days[::-1])):
        with open_store(f"sqlite:///{tmp_path / name}.db") as store, open_warehouse(url) as warehouse:
            for part in parts:
                run_windows(rolling, part.start, part.end, warehouse=warehouse, store=store)
            found.append(inference_log.contents(store, "result"))
            errors = store.query("SELECT window_start, column_name FROM result WHERE status = 'error' ORDER BY 1, 2")
    assert found[0] == found[1]
    assert (22, "age") in [(row["window_start"].day, row["column_name"]) for row in errors]


def test_a_latency_that_fails_in_the_baseline_is_measured_in_windows(tmp_path: Path) -> None:
    """Its bins are fixed and it is compared with nothing, so nothing of the baseline is missing."""
    url = duckdb_view(tmp_path, latency_ms="if(id = 5, error('no latency')::double, latency_ms)")
    store_url = f"sqlite:///{tmp_path / 'results.db'}"
    _, failed = failed_rows(url, store_url, [inference_log.day(20)])
    assert failed == []
    with open_store(store_url) as store:
        latencies = store.query("SELECT value FROM result WHERE column_name = 'latency_ms' AND segment = ''")
    assert latencies
    assert None not in {row["value"] for row in latencies}


def test_a_broken_feature_costs_a_window_with_labels_no_metric(tmp_path: Path) -> None:
    broken = FIRST + inference_log.ROWS + 3
    days = [inference_log.day(20), inference_log.day(22)]
    url = labelled_log.to_duckdb(tmp_path / "loans.duckdb", labelled_log.arrived(None, inference_log.day(25).start))
    text = f"(CASE WHEN id = {broken} THEN 'n/a' ELSE age::text END)::double"
    labelled_log.execute(url, f"CREATE VIEW odd AS SELECT * REPLACE ({text} AS age) FROM inference_log")
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store, open_warehouse(url) as warehouse:
        runs = run_windows(
            labelled_log.monitor(table="odd"), days[0].start, days[1].start, warehouse=warehouse, store=store
        )
        rows = store.query("SELECT * FROM result WHERE window_start = :day", day=days[0].end)
    assert [(run.state, run.label_rows is not None) for run in runs] == [("done", True), ("failed", True)]
    assert {row["column_name"] for row in rows if row["status"] == "error"} == {"age"}
    metrics = {row["metric"]: row["value"] for row in rows if row["check_name"] == "performance" and not row["segment"]}
    assert None not in [metrics[name] for name in ("roc_auc", "f1", "brier", "log_loss")]
    assert "age" in str([row["message"] for row in rows if row["metric"] == "unreadable"])


def test_labels_that_cannot_be_read_in_one_window_cost_that_window() -> None:
    windows = [inference_log.day(number) for number in range(20, 28)]
    labels = Labels(cast("Labelled", object()), now=windows[-1].end)
    asked = []

    def scan_(some: Sequence[Window], how: Labelled | None) -> Iterator[Counted]:
        asked.append((len(some), how is not None))
        if how is not None and windows[3] in some:
            raise DataError("division by zero")
        yield from (((Profile(window, 1, {}),), ()) for window in some)

    found = list(scanned(scan_, windows, labelled_log.monitor(), labels))
    assert [profiles[0].window for profiles, _ in found] == windows
    assert [None if its is None else its.unreadable for _, its in found] == [
        "the labels cannot be read: division by zero" if window == windows[3] else None for window in windows
    ]
    assert asked == [(8, True), (4, True), (2, True), (2, True), (1, True), (1, True), (1, False), (4, True)]


def test_a_corrupt_page_costs_one_column(tmp_path: Path) -> None:
    rows = pa.table({"x": [float(i) for i in range(50_000)], "y": [float(i % 7) for i in range(50_000)]})
    pq.write_table(rows, tmp_path / "log.parquet")
    chunk = pq.ParquetFile(tmp_path / "log.parquet").metadata.row_group(0).column(0)
    content = bytearray((tmp_path / "log.parquet").read_bytes())
    start = chunk.dictionary_page_offset or chunk.data_page_offset
    content[start : start + 2000] = b"\xff" * 2000
    with tables.opened("duckdb://", str(tmp_path / "log.parquet"), None) as (warehouse, source, types):
        columns = tables.columns_of(types)
        bins = measure_bins(warehouse, source, columns, None)
        (tmp_path / "log.parquet").write_bytes(content)
    with tables.opened("duckdb://", str(tmp_path / "log.parquet"), None) as (warehouse, source, _):
        ((whole,),) = scan(warehouse, source, columns, bins, [ALL_TIME])
        assert list(whole.columns) == ["y"]
        assert whole.rows == 50_000
        assert whole.columns["y"].total == sum(i % 7 for i in range(50_000))
        assert list(whole.unreadable) == ["x"]
        assert whole.unreadable["x"].startswith(
            f"column 'x' of table {str(tmp_path / 'log.parquet')!r} cannot be read: "
        )


def test_a_table_without_a_readable_column_is_no_row(tmp_path: Path) -> None:
    url = tables.write_duckdb(
        tmp_path / "x.duckdb", ["CREATE VIEW log AS SELECT (i || 'x')::int AS x FROM range(3) t(i)"]
    )
    with tables.opened(url, "log", None) as (warehouse, source, types):
        columns = tables.columns_of(types)
        with pytest.raises(DataError, match=r"^the query: Conversion Error"):
            without_broken(warehouse, source, columns, None, lambda some: measure_bins(warehouse, source, some, None))


def test_a_column_that_may_not_be_read_is_not_left_out_of_what_is_kept_for_good(tmp_path: Path) -> None:
    url = tables.write_duckdb(tmp_path / "x.duckdb", ["CREATE TABLE log AS SELECT 1.5::double AS x, 2.5::double AS y"])

    def count(some: Sequence[Column]) -> None:
        if any(column.name == "y" for column in some):
            raise ForbiddenError("permission denied")

    with (
        tables.opened(url, "log", None) as (warehouse, source, types),
        pytest.raises(ForbiddenError, match=r"^column 'y' of table 'log' cannot be read: permission denied$"),
    ):
        without_broken(warehouse, source, tables.columns_of(types), None, count)
