"""A made-up inference log with what moves planted on known days, for every warehouse; and a monitor that watches it.

day 0 .. 19    baseline
day 20 .. 31   monitored: `QUIET` days are like the baseline, the others differ in one way each
"""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import psycopg

from monitoring_tasks.config import Monitor, load_monitor, parse_monitor
from monitoring_tasks.results.store import Store, open_store
from monitoring_tasks.run import run_windows
from monitoring_tasks.warehouse.engine import open_warehouse
from monitoring_tasks.window import Window

FIRST = datetime(2024, 3, 1, tzinfo=UTC)
START, END = FIRST + timedelta(days=20), FIRST + timedelta(days=32)
ROWS = 480
"""Per day."""

SHIFTED = 22
"""`amount` is one standard deviation higher."""
NEW_COUNTRY = 24
"""Every fourth row has a `country` that the baseline never saw."""
MISSING = 26
"""`age` is missing in four rows of ten instead of one in fifty."""
EMPTY = 28
"""No row at all."""
FEW = 29
"""Forty rows."""
FAILING = 30
"""One inference in ten fails, and all are ten times slower."""
QUIET = (20, 21, 23, 25, 27, 31)

MONITOR = """\
monitor: loans
schedule: "@daily"
start: 2024-03-21
warehouse: loans
inference_log:
  table: inference_log
  timestamp: asked_at
  key: id
  features: {{amount: numeric, age: numeric, country: categorical, member: categorical, one: numeric}}
  prediction: predicted
  score: probability
  positive_class: 1
  latency_ms: latency_ms
  error: error
task: binary_classification
baseline: {{period: {{start: 2024-03-01, end: 2024-03-21}}}}
segments: [region]
checks: {checks}
"""

TABLES = ("result", "profile", "traffic", "baseline", "baseline_bin", "check_run", "monitor")
"""What is a function of monitor file, baseline and warehouse alone; of traffic all but `late_rows`."""


def monitor(checks: str = "{}", more: str = "", **changes: str) -> Monitor:
    """Return the monitor, with its `checks`, with `more` keys, and with pieces of its text exchanged."""
    text = MONITOR.format(checks=checks) + more
    for old, new in changes.items():
        assert changed(text, old) != text, old
        text = text.replace(f"{old}: {changed(text, old)}", f"{old}: {new}")
    return parse_monitor(text, environ={})


def changed(text: str, key: str) -> str:
    return next(line.split(": ", 1)[1] for line in text.splitlines() if line.strip().startswith(f"{key}: "))


def day(number: int) -> Window:
    """The `number`-th day, from 0; the first monitored one is 20."""
    return Window(FIRST + timedelta(days=number), FIRST + timedelta(days=number + 1))


@cache
def log() -> pd.DataFrame:
    """Return the log, seeded; `asked_at` is naive and UTC."""
    rng = np.random.default_rng(20240301)
    days = [_day(rng, number) for number in range(32)]
    frame = pd.concat(days, ignore_index=True)
    frame.insert(0, "id", np.arange(len(frame)))
    return frame


def _day(rng: np.random.Generator, number: int) -> pd.DataFrame:
    n = {EMPTY: 0, FEW: 40}.get(number, ROWS)
    amount = rng.normal(100.0, 20.0, n) + (20.0 if number == SHIFTED else 0.0)
    age = rng.integers(18, 90, n).astype(float)
    age[rng.random(n) < (0.4 if number == MISSING else 0.02)] = np.nan
    country = rng.choice(np.array(["DE", "FR", "IT", "ES"], dtype=object), n, p=[0.5, 0.3, 0.15, 0.05])
    if number == NEW_COUNTRY:
        country[::4] = "NL"
    probability = 1 / (1 + np.exp(rng.normal(0.0, 1.0, n)))
    failed = rng.random(n) < (0.1 if number == FAILING else 0.002)
    latency = rng.lognormal(4.0, 0.5, n) * (10.0 if number == FAILING else 1.0)
    asked_at = day(number).start.replace(tzinfo=None) + pd.to_timedelta(np.sort(rng.integers(0, 86_400, n)), unit="s")
    return pd.DataFrame(
        {
            "asked_at": pd.DatetimeIndex(asked_at).astype("datetime64[us]"),
            "amount": amount.round(2),
            "age": age,
            "country": pd.array(country, dtype="str"),
            "member": rng.random(n) < 0.6,
            "one": np.ones(n, dtype=np.int64),
            "region": pd.array(rng.choice(np.array(["north", "south"], dtype=object), n, p=[0.7, 0.3]), dtype="str"),
            "predicted": pd.array(np.where(failed, None, (probability > 0.5).astype(int)), dtype="Int64"),
            "probability": np.where(failed, np.nan, probability.round(6)),
            "latency_ms": latency.round(3),
            "error": pd.array(np.where(failed, "Timeout: no answer", None), dtype="str"),
            "failed": failed,
        }
    )


def to_duckdb(path: Path) -> str:
    """Write the log into a new DuckDB file and return its URL. NaN becomes NULL."""
    with duckdb.connect(str(path)) as database:
        database.register("made", log())
        database.execute("CREATE TABLE inference_log AS SELECT * FROM made")
        for name in ("age", "probability"):
            database.execute(f"UPDATE inference_log SET {name} = NULL WHERE isnan({name})")
    return f"duckdb:///{path}"


def to_postgres(url: str) -> str:
    """Write the log into a PostgreSQL database and return its URL."""
    with psycopg.connect(url) as database, database.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE inference_log (id bigint, asked_at timestamp, amount double precision, age double precision, "
            "country text, member boolean, one bigint, region text, predicted bigint, probability double precision, "
            "latency_ms double precision, error text, failed boolean)"
        )
        text = io.StringIO()
        log().to_csv(text, index=False, header=False)
        with cursor.copy("COPY inference_log FROM STDIN (FORMAT csv)") as copy:
            copy.write(text.getvalue())
        # Of a table that nobody analyzed yet the server guesses; of one that lives on it knows, by autovacuum.
        cursor.execute("ANALYZE inference_log")
    return url


def contents(store: Store, *names: str) -> dict[str, list[dict[str, object]]]:
    """Return every row of the tables, `TABLES` by default, the same from every database: SQLite keeps JSON as text."""
    return {
        name: sorted((_without_text_json(row) for row in store.query(f"SELECT * FROM {name}")), key=repr)
        for name in names or TABLES
    }


def _without_text_json(row: dict[str, object]) -> dict[str, object]:
    names = {"detail", "counts", "unseen", "definition", "bins", "profile", "dispersions", "outcomes", "parts"}
    names |= {"repeated", "missing_keys"}
    return {name: json.loads(v) if name in names and isinstance(v, str) else v for name, v in row.items()}


def run_in_process(file: str, warehouse_url: str, store_url: str, start: datetime, end: datetime) -> None:
    """Run a period as a process of its own does."""
    with open_store(store_url) as store, open_warehouse(warehouse_url) as warehouse:
        run_windows(load_monitor(file), start, end, warehouse=warehouse, store=store)
