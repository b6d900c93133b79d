"""Results as files: Parquet and CSV for tools, JSON for programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from monitoring_tasks.window import format_instant

if TYPE_CHECKING:
    import pandas as pd

FORMATS = ("parquet", "csv", "json")


def write_file(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame of `monitoring_tasks.results` in the format that the file's ending names, one of `FORMATS`.

    Every digit of the numbers is kept. `detail` is JSON text in Parquet and CSV, and an object in JSON.
    """
    if path.suffix == ".json":
        path.write_text(_json_records(frame), encoding="utf-8")
        return
    flat = frame.assign(detail=[json.dumps(value, sort_keys=True) for value in frame["detail"]])
    flat.to_parquet(path, index=False) if path.suffix == ".parquet" else flat.to_csv(path, index=False)


def _json_records(frame: pd.DataFrame) -> str:
    """Return a JSON list with an object per row: null for what was not measured."""
    times = {name: [format_instant(time) for time in frame[name]] for name in ("window_start", "window_end")}
    plain = frame.assign(**times).astype(object)
    rows = plain.where(plain.notna(), None).to_dict("records")
    return "[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n"
