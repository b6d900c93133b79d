"""A new model in service: later flights are scored by it, and the monitor compares with the period it was judged on."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from monitoring_tasks.config import load_monitor
from monitoring_tasks.demo import CATEGORICAL, DECISION_THRESHOLD, FEATURES, NEW_YORK, one_thread, train
from monitoring_tasks.demo_retraining.request import Request
from monitoring_tasks.errors import ConfigError
from monitoring_tasks.window import Window

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from sklearn.ensemble import HistGradientBoostingClassifier

_START = re.compile(r"^start:[ \t]*(?P<day>\S+)", re.MULTILINE)
_PERIOD = re.compile(r"^(?P<head>(?:baseline:\s*\{\s*|[ \t]+)period:\s*)\{[^{}]*\}", re.MULTILINE)


def fit(learned: pd.DataFrame) -> HistGradientBoostingClassifier:
    """Train the demo's kind of model on these flights."""
    return train(as_learned(learned).assign(delayed=learned["delayed"]))


def probabilities(model: HistGradientBoostingClassifier, flights: pd.DataFrame) -> np.ndarray:
    """Return the model's probability of a delay of each flight, in the six digits that are logged."""
    with one_thread():
        answers: np.ndarray = model.predict_proba(as_learned(flights))[:, 1].round(6)
    return answers


def as_learned(flights: pd.DataFrame) -> pd.DataFrame:
    """Return the features as the model takes them: text as categories."""
    return flights[list(FEATURES)].astype(dict.fromkeys(CATEGORICAL, "category"))


def score_anew(warehouse: Path, request: Request, model: HistGradientBoostingClassifier) -> int:
    """Give the flights since the deployment the new model's answers; return how many.

    Each day's file is written beside the old one and takes its place, so a scan in progress reads whole days. What
    failed then has no answer now either, and latencies stay: the model is another, the service the same.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    deployed = request.deployed.astimezone(UTC).replace(tzinfo=None)
    days = [
        (file, pq.ParquetFile(file).read())
        for file in sorted((warehouse / "inference_log").glob("day=*/part-0.parquet"))
        if file.parent.name.removeprefix("day=") >= f"{deployed:%Y-%m-%d}"
    ]
    if not days:
        return 0
    flights = pa.concat_tables(table for _, table in days).to_pandas()
    served = (flights["scheduled_at"] >= deployed) & flights["error"].isna()
    new = probabilities(model, flights[served])
    flights.loc[served, "probability"] = new
    flights.loc[served, "predicted"] = (new >= DECISION_THRESHOLD).astype(int)
    flights.loc[served, "model_version"] = request.version
    first = 0
    for file, table in days:
        rows = flights.iloc[first : first + len(table)]
        first += len(table)
        partial = file.with_name(f".{file.name}.partial")
        written = pa.Table.from_pandas(rows, schema=table.schema, preserve_index=False).replace_schema_metadata(None)
        pq.write_table(written, partial, compression="zstd", row_group_size=20_000)
        os.replace(partial, file)
    return int(served.sum())


def compare_with(file: Path, period: Window) -> str:
    """Make a period the baseline of a monitor file, in place; return what stands there now.

    The monitor's first window is then the first one after it: no window is part of its own baseline, and what earlier
    windows found stays in the store. The rest of the file stays as it is, with its comments. It is replaced only by one
    that is right.

    Raises
    ------
    ConfigError
        If the file has no `start` and `baseline.period` on one line each, or the result is not a good monitor file.
    """
    text = file.read_text(encoding="utf-8")
    words = in_words(period)
    new, found = _PERIOD.subn(lambda match: f"{match['head']}{_braces(period)}", text)
    new, started = _START.subn(f"start: {_day(period.end)}", new)
    if (found, started) != (1, 1):
        raise ConfigError(f"{file}: `start` or `period` does not stand on one line: write yourself {words}")
    partial = file.with_name(f".{file.name}")
    partial.write_text(new, encoding="utf-8")
    try:
        baseline = load_monitor(partial).baseline.period
        if baseline is None or baseline.window != period:
            raise ConfigError(f"{file}: with {words} the baseline would not be {period}: write it yourself")
        os.replace(partial, file)
    finally:
        partial.unlink(missing_ok=True)
    return words


def in_words(period: Window) -> str:
    """Return what stands in a monitor file that compares with a period of whole days in New York."""
    return f"`period: {_braces(period)}` under `baseline`, and `start: {_day(period.end)}`"


def _braces(period: Window) -> str:
    return f"{{start: {_day(period.start)}, end: {_day(period.end)}}}"


def _day(instant: datetime) -> str:
    return f"{instant.astimezone(ZoneInfo(NEW_YORK)):%Y-%m-%d}"
