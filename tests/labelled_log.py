"""The made-up inference log with what became of its rows: labels that come late, twice, corrected, empty or never.

Every outcome is drawn by its row's score, so the model is right about how often it is wrong. Most labels come within
hours, three in a hundred only after they had to be complete.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import psycopg

from monitoring_tasks.config import Monitor
from tests import inference_log
from tests.inference_log import START, log

METRICS = "{metrics: [roc_auc, f1, brier, expected_calibration_error]}"
"""One that ranks, one that counts, one of sums and one by bins of the score."""

ALL = f"{{multivariate_drift: off, performance: {METRICS}, estimated_performance: {METRICS}}}"
"""Of the checks only the one that takes most of a run's time and reads no label is off; of the metrics, some do."""

ALONE = "{multivariate_drift: off, concept_drift: off, estimated_performance: off}"
"""Those that look back on earlier labels are off too: of late labels they write later windows anew as well."""

LABELS = "labels: {table: outcomes, key: id, value: defaulted, timestamp: known_at, complete_after: 2d}\n"

TABLES = (*inference_log.TABLES, "labels_profile", "window_labels", "labelled_baseline")
"""What is a function of monitor file, baseline and warehouse alone."""


def monitor(checks: str = ALONE, labels: str = LABELS, **changes: str) -> Monitor:
    """Return the monitor with labels, with its `checks` and with pieces of its text exchanged."""
    return inference_log.monitor(checks, more=labels, **changes)


@cache
def outcomes() -> pd.DataFrame:
    """Return all labels in the order of their arrival, seeded: `id`, `defaulted` and `known_at`, which is UTC."""
    rng = np.random.default_rng(20240302)
    rows = log()
    n = len(rows)
    value = (rng.random(n) < rows["probability"].fillna(0.5)).astype(float)
    delay = rng.exponential(8.0, n)
    late = rng.random(n) < 0.03
    delay[late] += rng.uniform(48.0, 120.0, late.sum())
    first = _frame(rows["id"], value, rows["asked_at"], delay)
    repeated = first[rng.random(n) < 0.05]
    corrected = first[rng.random(n) < 0.05].assign(defaulted=lambda frame: 1 - frame["defaulted"])
    empty = first[rng.random(n) < 0.02].assign(defaulted=np.nan)
    kept = first[rng.random(n) < 0.96]
    unknown = first[::100].assign(id=lambda frame: frame["id"] + 1_000_000)
    nobodys = first[::500].assign(id=np.nan)
    parts = [
        kept,
        _later(repeated, rng.uniform(1.0, 24.0, len(repeated))),
        _later(corrected, rng.uniform(1.0, 72.0, len(corrected))),
        _later(empty, rng.uniform(1.0, 24.0, len(empty))),
        unknown,
        nobodys,
    ]
    every = pd.concat(parts).astype({"id": "Int64", "defaulted": "Int64"})
    return every.sort_values("known_at", kind="stable").reset_index(drop=True)


def _frame(key: pd.Series, value: np.ndarray, asked_at: pd.Series, hours: np.ndarray) -> pd.DataFrame:
    return _later(pd.DataFrame({"id": key, "defaulted": value, "known_at": asked_at}), hours)


def _later(labels: pd.DataFrame, hours: np.ndarray) -> pd.DataFrame:
    delay = pd.to_timedelta(np.round(hours * 3600), unit="s").astype("timedelta64[us]")
    return labels.assign(known_at=labels["known_at"] + delay)


def arrived(start: datetime | None, end: datetime | None) -> pd.DataFrame:
    """Return the labels that arrived in ``[start, end)``; None for no bound."""
    every = outcomes()
    first, after = (None if moment is None else moment.replace(tzinfo=None) for moment in (start, end))
    mine = np.ones(len(every), bool)
    mine &= True if first is None else every["known_at"] >= first
    mine &= True if after is None else every["known_at"] < after
    return every[mine]


def to_duckdb(path: Path, labels: pd.DataFrame | None = None) -> str:
    """Write log and labels, by default those that arrived before `START`, into a new DuckDB file; return its URL."""
    url = inference_log.to_duckdb(path)
    execute(url, "CREATE TABLE outcomes (id BIGINT, defaulted BIGINT, known_at TIMESTAMP)")
    append(url, arrived(None, START) if labels is None else labels)
    return url


def to_postgres(url: str, labels: pd.DataFrame | None = None) -> str:
    """Write the same into a PostgreSQL database and return its URL."""
    inference_log.to_postgres(url)
    execute(url, "CREATE TABLE outcomes (id bigint, defaulted bigint, known_at timestamp)")
    append(url, arrived(None, START) if labels is None else labels)
    execute(url, "ANALYZE outcomes")
    return url


def append(url: str, labels: pd.DataFrame) -> None:
    """Add labels to those that are there."""
    if url.startswith("duckdb:"):
        with duckdb.connect(url.removeprefix("duckdb:///")) as database:
            database.register("more", labels)
            database.execute("INSERT INTO outcomes SELECT * FROM more")
        return
    into = "COPY outcomes FROM STDIN (FORMAT csv)"
    with psycopg.connect(url) as database, database.cursor() as cursor, cursor.copy(into) as copy:
        copy.write(labels.to_csv(index=False, header=False))


def execute(url: str, *statements: str) -> None:
    """Change the warehouse."""
    if url.startswith("duckdb:"):
        with duckdb.connect(url.removeprefix("duckdb:///")) as database:
            for statement in statements:
                database.execute(statement)
        return
    with psycopg.connect(url) as database:
        for statement in statements:
            database.execute(statement)


def label(labels: pd.DataFrame, keys: Sequence[int]) -> pd.Series:
    """Return, for each key, the value that counts: the latest by time, of those that came together the largest."""
    present = labels[labels["defaulted"].notna() & labels["id"].notna()]
    counts = present.sort_values(["known_at", "defaulted"]).groupby("id")["defaulted"].last()
    return counts.reindex(keys)
