"""A small warehouse like the demo's: flights whose delays depend on the hour, and since June on its other half."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from monitoring_tasks.demo import _inference_schema

START, CHANGE, END = (pd.Timestamp(day) for day in ("2013-03-01 05:00", "2013-06-01 04:00", "2013-08-15 04:00"))


def write(warehouse: Path, *, per_day: int = 200, seed: int = 5) -> pd.DataFrame:
    """Write `inference_log` and `outcomes`; return the flights."""
    rng = np.random.default_rng(seed)
    days = pd.date_range(START, END - pd.Timedelta(days=1), freq="D")
    at = pd.DatetimeIndex(np.repeat(days.to_numpy(), per_day)) + pd.to_timedelta(
        np.tile(np.arange(per_day) * (1440 / per_day), len(days)), unit="min"
    )
    hour = ((at - pd.Timedelta(hours=4)).hour).to_numpy()
    late = np.where(at < CHANGE, hour >= 12, hour < 12)
    flights = pd.DataFrame(
        {
            "flight_id": [f"f{number}" for number in range(len(at))],
            "scheduled_at": at.floor("s"),
            "carrier": rng.choice(["AA", "UA"], len(at)),
            "origin": rng.choice(["EWR", "JFK", "LGA"], len(at)),
            "dest": rng.choice(["ATL", "ORD"], len(at)),
            "hour": hour,
            "delayed": (rng.random(len(at)) < np.where(late, 0.5, 0.1)).astype(int),
            "probability": np.where(hour >= 12, 0.5, 0.1),
            "predicted": (hour >= 12).astype(int),
            "model_version": "2013-02",
            "latency_ms": 30.0,
            "error": None,
        }
    )
    for column in ("distance", "scheduled_minutes", "weekday", "plane_age"):
        flights[column] = 1
    for column in _inference_schema().names:
        if column not in flights:
            flights[column] = 1.0
    failed = rng.random(len(at)) < 0.01
    flights.loc[failed, ["probability", "predicted"]] = np.nan
    flights.loc[failed, "error"] = "WeatherServiceTimeout"
    flights["known_at"] = flights["scheduled_at"] + pd.to_timedelta(60 + 600 * flights["delayed"], unit="min")
    for day, rows in flights.groupby(flights["scheduled_at"].dt.floor("D")):
        folder = warehouse / "inference_log" / f"day={day:%Y-%m-%d}"
        folder.mkdir(parents=True)
        table = pa.Table.from_pandas(rows, schema=_inference_schema(), preserve_index=False)
        pq.write_table(table, folder / "part-0.parquet")
    (warehouse / "outcomes").mkdir()
    outcomes = flights[["flight_id", "delayed", "known_at"]].astype({"delayed": "int32"})
    outcomes.to_parquet(warehouse / "outcomes" / "part-0.parquet", index=False)
    return flights
