"""How fast the scan is: rows x columns per second, peak memory, and the ratio to the floor.

The floor is one statement that sums every column: no plan that looks at every value can be faster. Every measurement is
a process of its own, so that its peak memory is its own. Run it by ``make benchmark``; ``make benchmark ROWS=50`` for
fifty million rows. A busy machine slows all of it; the ratios hold still.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

FOLDER = Path(".benchmark")
START = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 30
NUMERIC = 18
PLANS = {
    "1 window": (1, timedelta(days=DAYS)),
    "30 days": (30, timedelta(days=1)),
    "720 hours": (720, timedelta(hours=1)),
}
WITH_LABELS = " + labels"
"""Ends the name of a plan that also joins as many labels by key and splits every count by outcome."""
WITH_TRAFFIC = " + traffic"
"""Ends the name of a plan that also finds when rows came and which keys came twice: what a run adds to every scan."""


def make(millions: int) -> Path:
    """Write a log of 25 columns: 18 normal, two whole-number, two categorical, a flag, a score and a latency."""
    import duckdb

    path = FOLDER / f"log_{millions}m.parquet"
    if path.exists():
        return path
    FOLDER.mkdir(exist_ok=True)
    rows = millions * 1_000_000
    normal = "sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())"
    columns = [f"{normal} * {1 + 0.3 * i} + {i} AS num_{i:02d}" for i in range(NUMERIC)]
    columns += ["floor(random() * 5)::INTEGER AS whole_0", "floor(random() * 100)::INTEGER AS whole_1"]
    columns += ["'c' || floor(pow(random(), 2) * 20)::INTEGER AS category_0"]
    columns += ["'c' || floor(pow(random(), 3) * 300)::INTEGER AS category_1"]
    columns += ["random() < 0.3 AS flag", "random() AS score", "exp(3 + random()) AS latency_ms"]
    step = int(timedelta(days=DAYS) / timedelta(microseconds=1)) // rows
    connection = duckdb.connect()
    connection.execute("SET memory_limit = '2GB'; SET preserve_insertion_order = false; SELECT setseed(0.5)")
    connection.execute(
        f"COPY (SELECT i AS id, TIMESTAMP '2024-01-01' + to_microseconds(i * {step}) AS ts, {', '.join(columns)} "
        f"FROM range({rows}) numbers(i)) TO '{path}.partial' (FORMAT parquet, ROW_GROUP_SIZE 250000)"
    )
    Path(f"{path}.partial").rename(path)
    return path


def make_labels(millions: int, log: Path) -> Path:
    """Write a label for every row of the log, in the order in which they arrived: up to 20 hours later."""
    import duckdb

    path = FOLDER / f"labels_{millions}m.parquet"
    if path.exists():
        return path
    connection = duckdb.connect()
    connection.execute("SET memory_limit = '2GB'; SELECT setseed(0.5)")
    connection.execute(
        "COPY (SELECT id, (random() < score)::INTEGER AS label, "
        "ts + to_microseconds((exp(random() * 3) * 3.6e9)::BIGINT) AS known_at "
        f"FROM read_parquet('{log}') ORDER BY known_at) TO '{path}.partial' "
        "(FORMAT parquet, ROW_GROUP_SIZE 250000)"
    )
    Path(f"{path}.partial").rename(path)
    return path


def measure(path: Path, plan: str) -> dict[str, float]:
    """Run one plan and return what it took."""
    from monitoring_tasks.columns import KIND_OF_TYPE, Column
    from monitoring_tasks.outcome_bins import SCORE_BINS, OutcomeBins
    from monitoring_tasks.warehouse.bins import measure_bins
    from monitoring_tasks.warehouse.engine import open_warehouse
    from monitoring_tasks.warehouse.labels import Labelled, LabelSource
    from monitoring_tasks.warehouse.scan import scan_with_labels
    from monitoring_tasks.warehouse.statement import Source
    from monitoring_tasks.warehouse.traffic import read_traffic
    from monitoring_tasks.window import Window

    source = Source(str(path), "ts", "timestamp")
    with open_warehouse("duckdb://") as warehouse:
        types = {name: type_ for name, type_ in warehouse.columns(source.table).items() if name not in ("id", "ts")}
        if plan == "floor":
            began = perf_counter()
            floor(path, types)
            return {"seconds": perf_counter() - began, "columns": len(types)}
        columns = [
            Column(name, KIND_OF_TYPE[type_], type_, ("latency",) if name == "latency_ms" else ("feature",))
            for name, type_ in types.items()
        ]
        bins = measure_bins(warehouse, source, columns, Window(START, START + timedelta(days=3)))
        count, length = PLANS[plan.removesuffix(WITH_LABELS).removesuffix(WITH_TRAFFIC)]
        labelled = None
        if plan.endswith(WITH_LABELS):
            table = str(path.with_name(path.name.replace("log", "labels")))
            edges = tuple(i / SCORE_BINS for i in range(SCORE_BINS + 1))
            labelled = Labelled(
                LabelSource(
                    table, "id", "label", "integer", "known_at", "timestamp", "id", False, "integer", "integer"
                ),
                OutcomeBins("binary_classification", ("not 1", "1"), edges),
                Column("flag", "categorical", "boolean", ()),
                (Column("score", "numeric", "number", ()),),
            )
        windows = [Window(START + i * length, START + (i + 1) * length) for i in range(count)]
        began = perf_counter()
        found = scan_with_labels(warehouse, source, columns, bins, windows, (), labelled)
        rows = sum(labels[0].labelled if labels else profiles[0].rows for profiles, labels in found)
        if plan.endswith(WITH_TRAFFIC):
            assert sum(each.rows for each in read_traffic(warehouse, source, "id", windows)) == rows
        return {"seconds": perf_counter() - began, "columns": len(types), "rows": rows}


def floor(path: Path, types: dict[str, str]) -> None:
    """Sum every number, and take the largest of every other column, as the cheapest statement that reads all of it."""
    import duckdb

    sums = [
        f'sum("{name}")' if type_ in ("integer", "number", "decimal") else f'max("{name}")'
        for name, type_ in types.items()
    ]
    connection = duckdb.connect()
    connection.execute("SET memory_limit = '1GB'")
    connection.execute(f"SELECT {', '.join(sums)} FROM read_parquet('{path}')").fetchall()


def in_a_process(path: Path, plan: str) -> dict[str, float]:
    """Measure in a process of its own; the better of two runs, for the first one warms the page cache."""
    command = [sys.executable, __file__, "measure", str(path), plan]
    runs = [json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout) for _ in range(2)]
    return min(runs, key=lambda run: run["seconds"])


def main(arguments: Sequence[str]) -> None:
    """Print one table per number of rows."""
    if arguments and arguments[0] == "measure":
        found = measure(Path(arguments[1]), arguments[2])
        found["megabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(found))
        return
    for millions in map(int, arguments or ["1", "10"]):
        path = make(millions)
        make_labels(millions, path)
        lowest = in_a_process(path, "floor")
        print(f"\n{millions} million rows x {lowest['columns']:.0f} columns, {path.stat().st_size / 1e6:,.0f} MB")
        print(f"{'':20}{'seconds':>9}{'million values/s':>18}{'peak MB':>9}{'x floor':>9}")
        for plan in ("floor", *(f"{plan}{more}" for more in ("", WITH_TRAFFIC, WITH_LABELS) for plan in PLANS)):
            run = lowest if plan == "floor" else in_a_process(path, plan)
            values = millions * lowest["columns"] / run["seconds"]
            ratio = run["seconds"] / lowest["seconds"]
            print(f"{plan:20}{run['seconds']:9.2f}{values:18,.0f}{run['megabytes']:9,.0f}{ratio:9.1f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
