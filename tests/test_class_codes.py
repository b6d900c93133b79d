"""Classes that are codes: a run tells them apart as they are written, and says so where labels are other classes."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from monitoring_tasks.config import parse_monitor
from monitoring_tasks.results.migrate import migrate
from monitoring_tasks.results.store import open_store
from monitoring_tasks.run import run_windows
from monitoring_tasks.warehouse.engine import open_warehouse
from monitoring_tasks.window import Window

MONITOR = parse_monitor(
    """
monitor: codes
schedule: "@daily"
start: 2024-03-21
warehouse: made
inference_log: {table: inference_log, timestamp: asked, key: id, features: {x: numeric}, prediction: predicted}
labels: {table: outcomes, key: id, value: code, timestamp: known_at, complete_after: 1d}
task: multiclass_classification
baseline: {period: {start: 2024-03-01, end: 2024-03-21}}
checks: {data_drift: off, prediction_drift: off, operations: off, multivariate_drift: off, concept_drift: off,
         estimated_performance: off}
""",
    environ={},
)

DAY = Window.parse("2024-03-23", "2024-03-24")


def performance(tmp_path: Path, code: str) -> dict[tuple[str, str], tuple[float | None, str, str]]:
    """Run a day of predictions 01, 02 and 03 in turn, labelled by this expression; return value, status and message."""
    with duckdb.connect(str(tmp_path / "codes.duckdb")) as warehouse:
        log = "SELECT i AS id, TIMESTAMP '2024-03-01' + to_minutes(i * 10) AS asked, i % 7 AS x, '0' || (1 + i % 3)"
        warehouse.execute(f"CREATE TABLE inference_log AS {log} AS predicted FROM range(3600) AS t(i)")
        outcomes = f"SELECT id, {code} AS code, asked + INTERVAL 1 hour AS known_at FROM inference_log"
        warehouse.execute(f"CREATE TABLE outcomes AS {outcomes}")
    url = f"sqlite:///{tmp_path / 'results.db'}"
    migrate(url)
    with open_store(url) as store, open_warehouse(f"duckdb:///{tmp_path / 'codes.duckdb'}") as warehouse:
        run_windows(MONITOR, DAY.start, DAY.end, warehouse=warehouse, store=store)
        rows = list(store.results("codes", checks=["performance"]))
    return {
        (row["metric"], row["segment"]): (row["value"], row["status"], row["message"])
        for row in rows
        if row["column_name"] in ("", "code")  # of all rows, or of those of one class
    }


def test_codes_that_are_one_number_are_several_classes(tmp_path: Path) -> None:
    """From the 21st on every prediction is wrong."""
    found = performance(tmp_path, "'0' || (1 + (id + (asked >= '2024-03-21')::int) % 3)")
    value, status, message = found["accuracy", ""]
    assert (value, status) == (0.0, "alarm")
    assert "the baseline's is 1" in message
    assert {segment for _, segment in found if segment.startswith("code=")} == {"code=01", "code=02", "code=03"}


@pytest.mark.parametrize("code", ["'class ' || predicted", "predicted || '.0'"])
def test_labels_that_are_no_class_of_the_model_cost_one_error_row(tmp_path: Path, code: str) -> None:
    found = performance(tmp_path, code)
    ((value, status, message),) = found.values()
    assert (value, status) == (None, "error")
    shown = code.replace("'", "").replace(" || ", "")
    values = ", ".join(repr(shown.replace("predicted", f"0{i}")) for i in (1, 2, 3))
    assert message == (
        "most of the 2,880 labels of the baseline's rows are none of the 3 classes that are told apart: they are such "
        f"as {values}; write the classes as the labels have them (at most 100 are told apart)"
    )
