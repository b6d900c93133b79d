"""How long the check `data_quality` takes: from the profile alone, and with a suite of twenty expectations.

A whole run of one window, in a process of its own, on the log of `scan.py`: the baseline's bins are measured before it
begins. On DuckDB a suite reads at most a million rows of the columns that it needs. Run it by ``make benchmark``.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

from tests.benchmarks.scan import FOLDER, START, make

ON = "data_drift: off, prediction_drift: off, multivariate_drift: off, operations: off"
MONITOR = """\
monitor: benchmark-{name}
schedule: "0 0 1 * *"
start: 2024-01-01
warehouse: benchmark
inference_log:
  table: {table}
  timestamp: ts
  key: id
  features: '*'
baseline: {{table: {table}}}
checks: {{{on}, data_quality: {{stale_windows: 1{suite}}}}}
"""
SUITE = [
    *({"type": "expect_column_values_to_not_be_null", "kwargs": {"column": f"num_{i:02d}"}} for i in range(6)),
    *(
        {"type": "expect_column_values_to_be_between", "kwargs": {"column": f"num_{i:02d}", "max_value": 99}}
        for i in range(6)
    ),
    *({"type": "expect_column_mean_to_be_between", "kwargs": {"column": f"num_{i:02d}"}} for i in range(4)),
    {"type": "expect_column_values_to_be_in_set", "kwargs": {"column": "whole_0", "value_set": [0, 1, 2, 3, 4]}},
    {"type": "expect_column_values_to_match_regex", "kwargs": {"column": "category_0", "regex": "^c[0-9]+$"}},
    {"type": "expect_column_value_lengths_to_be_between", "kwargs": {"column": "category_1", "max_value": 4}},
    {"type": "expect_table_row_count_to_be_between", "kwargs": {"min_value": 1}},
]
"""Twenty expectations about nine columns and the table."""


def measure(path: Path, name: str) -> dict[str, float]:
    """Run one window without a suite or with it, and return what the run took."""
    from monitoring_tasks.config import load_monitor
    from monitoring_tasks.results.migrate import migrate
    from monitoring_tasks.results.store import open_store
    from monitoring_tasks.run import run_windows, scan_windows
    from monitoring_tasks.warehouse.engine import open_warehouse

    folder = FOLDER / "quality"
    folder.mkdir(exist_ok=True)
    suite = folder / "suite.json"
    suite.write_text(json.dumps({"name": "twenty", "expectations": SUITE}))
    file, database = folder / f"{name}.yaml", folder / f"{name}_{os.getpid()}.db"
    named = ", suite: suite.json" if name == "suite" else ""
    file.write_text(MONITOR.format(name=name, table=path.absolute(), on=ON, suite=named))
    monitor = load_monitor(file)
    migrate(f"sqlite:///{database}")
    end = START + timedelta(days=31)
    try:
        with open_store(f"sqlite:///{database}") as store, open_warehouse("duckdb://") as warehouse:
            scan_windows(monitor, monitor.schedule.windows(START, end), warehouse, store)
            began = perf_counter()
            (run,) = run_windows(monitor, START, end, warehouse=warehouse, store=store, now=datetime.now(UTC))
            seconds = perf_counter() - began
            assert run.state == "done", run.error
            assert len(list(store.results(monitor.name, metrics=["suite_success_share"]))) == (name == "suite")
    finally:
        database.unlink()
    return {"seconds": seconds, "rows": run.rows or 0}


def main(arguments: Sequence[str]) -> None:
    """Print a line for each number of rows, without the suite and with it."""
    if arguments and arguments[0] == "measure":
        found = measure(Path(arguments[1]), arguments[2])
        found["megabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(found))
        return
    print(f"\n{'data quality':34}{'seconds':>9}{'million rows/s':>16}{'peak MB':>9}")
    for millions in map(int, arguments or ["1", "10"]):
        for name in ("profile", "suite"):
            command = [sys.executable, "-m", "tests.benchmarks.quality", "measure", str(make(millions)), name]
            run = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            title = f"{millions} million rows, " + ("from the profile" if name == "profile" else "twenty expectations")
            print(
                f"{title:34}{run['seconds']:9.2f}{millions / run['seconds']:16.1f}{run['megabytes']:9,.0f}", flush=True
            )


if __name__ == "__main__":
    main(sys.argv[1:])
