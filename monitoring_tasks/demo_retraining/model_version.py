"""Versions of the demo's model: each a folder with model and training set, and a row that says what became of it.

All of it is a function of the request and the warehouse, so a cleared task writes the same again.
"""

from __future__ import annotations

import json
import os
import pickle
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitoring_tasks.demo_retraining.comparison import Comparison
from monitoring_tasks.demo_retraining.request import Request
from monitoring_tasks.demo_retraining.training_set import TrainingSet
from monitoring_tasks.errors import ConfigError

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier

MODEL = "model.pickle"
LEARNED = "learned.parquet"
HELD_BACK = "held_back.parquet"
TABLE = "model_versions"


def folder(demo: Path, request: Request) -> Path:
    """Return the folder of the version that `request` makes, under the demo's directory."""
    return demo / "models" / request.version


def write_training_set(demo: Path, request: Request, flights: TrainingSet) -> Path:
    """Keep the rows of a version beside its model."""
    target = folder(demo, request)
    target.mkdir(parents=True, exist_ok=True)
    for name, rows in ((LEARNED, flights.learned), (HELD_BACK, flights.held_back)):
        partial = target / f".{name}.partial"
        rows.to_parquet(partial, index=False)
        os.replace(partial, target / name)
    return target


def read_training_set(demo: Path, request: Request) -> TrainingSet:
    """Read the rows of a version."""
    import pandas as pd

    target = folder(demo, request)
    return TrainingSet(*(pd.read_parquet(_there(target / name)) for name in (LEARNED, HELD_BACK)))


def write_model(demo: Path, request: Request, model: HistGradientBoostingClassifier) -> Path:
    """Keep the model of a version."""
    target = folder(demo, request) / MODEL
    write_beside(target, pickle.dumps(model))
    return target


def read_model(demo: Path, request: Request) -> HistGradientBoostingClassifier:
    """Read the model of a version. It is a pickle: read only those of a folder that you trust."""
    found: HistGradientBoostingClassifier = pickle.loads(_there(folder(demo, request) / MODEL).read_bytes())
    return found


def version_row(request: Request, flights: TrainingSet, comparison: Comparison) -> dict[str, Any]:
    """Return the row of a version that was compared with the one in service; times in UTC, without a zone."""
    row = {
        "model_version": request.version,
        "state": comparison.decision,
        "reason": comparison.reason,
        "monitor": request.monitor,
        "action_id": request.action_id,
        "deployed_at": request.deployed,
        "learned_start": request.learned.start,
        "learned_end": request.learned.end,
        "learned_flights": len(flights.learned),
        "held_back_start": request.held_back.start,
        "held_back_end": request.held_back.end,
        "old_model_version": ", ".join(sorted(flights.held_back["model_version"].unique())),
        **asdict(comparison),
        "segments": json.dumps({name: round(value, 6) for name, value in comparison.segments.items()}),
    }
    return {
        name: value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value
        for name, value in row.items()
    }


def write_version(demo: Path, request: Request, row: dict[str, Any]) -> None:
    """Write a version's row of the warehouse's table `model_versions`, and the same as JSON beside the model."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = demo / "warehouse" / TABLE
    table.mkdir(exist_ok=True)
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist([row]), sink)
    write_beside(table / f"{request.version}.parquet", sink.getvalue().to_pybytes())
    write_beside(folder(demo, request) / "version.json", f"{json.dumps(row, indent=2, default=str)}\n".encode())


def read_version(demo: Path, request: Request) -> dict[str, Any]:
    """Return the version's row."""
    import pyarrow.parquet as pq

    file = _there(demo / "warehouse" / TABLE / f"{request.version}.parquet")
    row: dict[str, Any] = pq.read_table(file).to_pylist()[0]
    return row


def write_beside(file: Path, content: bytes) -> None:
    """Write a file so that whoever opens it sees all of the old content or all of the new."""
    partial = file.with_name(f".{file.name}.partial")
    partial.write_bytes(content)
    os.replace(partial, file)


def _there(file: Path) -> Path:
    if not file.is_file():
        raise ConfigError(f"{file} is missing: clear the task that writes it, and those after it")
    return file
