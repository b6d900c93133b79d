"""The flights a new model learns from, and those it is judged by: the inference log joined with what became of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from monitoring_tasks.demo import FEATURES, NEW_YORK
from monitoring_tasks.demo_retraining.request import Request
from monitoring_tasks.errors import DataError
from monitoring_tasks.window import format_instant

if TYPE_CHECKING:
    import pandas as pd

FEWEST_FLIGHTS = 5_000
"""Less than a week of flights is no training set: each leaf of the trees wants a hundred."""

SETTLED = timedelta(days=2)
"""By then every flight has landed or been cancelled. A flight that was due later is left out even if its outcome is
known: those on time are known first, and would be too many."""

_ROWS = f"""
    select flight_id, scheduled_at, {", ".join(FEATURES)}, probability, model_version, delayed,
        (timezone('{NEW_YORK}', timezone('UTC', scheduled_at)))::date as day
    from read_parquet($log, hive_partitioning = false) as inference
    join read_parquet($outcomes) as outcome using (flight_id)
    where scheduled_at >= $start and scheduled_at < least($end, $settled) and known_at <= $known
    order by scheduled_at, flight_id
"""  # noqa: S608 - names of columns that stand in this package


@dataclass(frozen=True)
class TrainingSet:
    """Flights with features, `delayed`, and the `probability` that the model in service gave (NaN where it failed)."""

    learned: pd.DataFrame
    held_back: pd.DataFrame


def training_set(warehouse: Path, request: Request) -> TrainingSet:
    """Read both parts, with nothing that was not known when the new model goes into service.

    Parameters
    ----------
    warehouse
        Directory of the demo's tables.
    request
        What was asked for.

    Raises
    ------
    DataError
        If there are too few flights to learn from or to compare on.
    """
    learned, held_back = (
        _rows(warehouse, period.start, period.end, request.deployed) for period in (request.learned, request.held_back)
    )
    for rows, what, period in (
        (learned, "to learn from", request.learned),
        (held_back, "to compare the models on", request.held_back),
    ):
        if len(rows) < FEWEST_FLIGHTS:
            raise DataError(
                f"{len(rows):,} flights with known outcome {what} from {format_instant(period.start)} to "
                f"{format_instant(period.end)}: there must be {FEWEST_FLIGHTS:,}; ask for a longer period"
            )
    return TrainingSet(learned, held_back)


def flights_with_outcome(warehouse: Path, start: datetime, end: datetime) -> pd.DataFrame:
    """Return all flights of a period with what became of them, whenever that was known."""
    return _rows(warehouse, start, end, end + 2 * SETTLED)


def _rows(warehouse: Path, start: datetime, end: datetime, known: datetime) -> pd.DataFrame:
    import duckdb

    moments = {"start": start, "end": end, "settled": known - SETTLED, "known": known}
    values = {name: moment.astimezone(UTC).replace(tzinfo=None) for name, moment in moments.items()}
    files = {"log": f"{warehouse}/inference_log/*/*.parquet", "outcomes": f"{warehouse}/outcomes/*.parquet"}
    with duckdb.connect() as database:
        database.execute("set threads = 1")
        return database.execute(_ROWS, {**values, **files}).df()
