"""What other monitoring tools are known to miss, shown to be seen here: each test is named after the hole."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from monitoring_tasks.results.store import Store, open_store
from monitoring_tasks.run import run_windows
from monitoring_tasks.warehouse.engine import open_warehouse
from tests import inference_log
from tests.warehouse import tables

START = inference_log.START
END = START + timedelta(days=1)


@pytest.fixture
def results(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store:
        yield store


def log_with(folder: Path, name: str, *statements: str) -> str:
    """Return the URL of a copy of the log after these statements."""
    url = inference_log.to_duckdb(folder / f"{name}.duckdb")
    return tables.write_duckdb(Path(url.removeprefix("duckdb:///")), statements)


def rows_of(url: str, store: Store) -> list[dict[str, object]]:
    """Monitor the first day; return its result rows of single columns."""
    with open_warehouse(url) as warehouse:
        run_windows(inference_log.monitor("{multivariate_drift: off}"), START, END, warehouse=warehouse, store=store)
    return store.query(
        "SELECT * FROM result WHERE check_name IN ('data_drift', 'prediction_drift', 'operations') "
        "AND column_name <> '' ORDER BY check_name, metric, column_name, segment"
    )


def without(column: str, rows: list[dict[str, object]], *fields: str) -> list[dict[str, object]]:
    """Return the rows of all other columns, or some fields of them."""
    return [{name: row[name] for name in fields or row} for row in rows if row["column_name"] != column]


@pytest.fixture(scope="module")
def whole(duckdb_url: str, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    """The rows of the log as it is."""
    with open_store(f"sqlite:///{tmp_path_factory.mktemp('whole') / 'results.db'}") as store:
        return rows_of(duckdb_url, store)


def test_one_empty_column_costs_one_row_not_the_report(
    whole: list[dict[str, object]], results: Store, tmp_path: Path
) -> None:
    """A column without a single value ends in its own rows; the others have what they had."""
    url = log_with(tmp_path, "empty", "UPDATE inference_log SET age = NULL WHERE asked_at >= '2024-03-21'")
    found = rows_of(url, results)
    assert without("age", found) == without("age", whole)
    its = [row for row in found if row["column_name"] == "age" and row["check_name"] == "data_drift"]
    assert "alarm" in {row["status"] for row in its}, "every value is missing now"
    assert "error" not in {row["status"] for row in its}
    assert [run.state for run in results.window_runs("loans", START, END)] == ["done"]


def test_a_column_that_was_empty_in_the_baseline_costs_the_others_nothing(
    whole: list[dict[str, object]], results: Store, tmp_path: Path
) -> None:
    url = log_with(tmp_path, "empty", "UPDATE inference_log SET age = NULL WHERE asked_at < '2024-03-21'")
    found = rows_of(url, results)
    # Bounds and p-values are of all columns together, so they differ a little.
    measured = ("check_name", "metric", "column_name", "segment", "value", "status")
    assert without("age", found, *measured) == without("age", whole, *measured)
    assert "error" not in {row["status"] for row in found}


def test_one_unreadable_column_costs_one_row_not_the_report(
    whole: list[dict[str, object]], results: Store, tmp_path: Path
) -> None:
    first = inference_log.ROWS * 20
    age = f"(CASE WHEN id = {first} THEN 'n/a' ELSE age::text END)::double"
    url = log_with(
        tmp_path,
        "broken",
        "ALTER TABLE inference_log RENAME TO raw",
        f"CREATE VIEW inference_log AS SELECT * REPLACE ({age} AS age) FROM raw",
    )
    found = rows_of(url, results)
    assert without("age", found) == without("age", whole)
    assert [(row["metric"], row["status"]) for row in found if row["column_name"] == "age"] == [("unreadable", "error")]


def test_a_backfill_reads_its_own_window_not_the_latest(
    whole: list[dict[str, object]], results: Store, tmp_path: Path
) -> None:
    """What was logged after the window changes nothing in its results."""
    url = log_with(tmp_path, "then", f"DELETE FROM inference_log WHERE asked_at >= '{END:%Y-%m-%d}'")
    assert rows_of(url, results) == whole
