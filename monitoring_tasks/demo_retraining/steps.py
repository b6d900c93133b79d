"""The retraining, step by step: each reads what the one before wrote, and may be taken again."""

from __future__ import annotations

from pathlib import Path

from monitoring_tasks.config import Monitor
from monitoring_tasks.demo_retraining import model_version
from monitoring_tasks.demo_retraining.comparison import compare
from monitoring_tasks.demo_retraining.deployment import compare_with, fit, in_words, probabilities, score_anew
from monitoring_tasks.demo_retraining.request import Request
from monitoring_tasks.demo_retraining.training_set import training_set
from monitoring_tasks.errors import ConfigError


def demo_directory(url: str) -> Path:
    """Return the demo's directory, which a warehouse ``duckdb:///DIRECTORY/warehouse`` lies in.

    Raises
    ------
    ConfigError
        If the URL is that of another kind of warehouse.
    """
    warehouse = Path(url.removeprefix("duckdb:///"))
    if not url.startswith("duckdb:///") or not (warehouse / "inference_log").is_dir():
        raise ConfigError(
            "retrain_flight_delays trains the demo's model on the demo's warehouse, and the monitor's is another one: "
            "set MONITORING_WAREHOUSE_DEMO to duckdb:/// and the folder that `monitoring-tasks demo` made"
        )
    return warehouse.parent


def build(demo: Path, request: Request) -> str:
    """Keep the flights to learn from and those to compare the models on."""
    flights = training_set(demo / "warehouse", request)
    model_version.write_training_set(demo, request, flights)
    return (
        f"{len(flights.learned):,} flights of {request.learned} to learn from, "
        f"{len(flights.held_back):,} of {request.held_back} held back"
    )


def train(demo: Path, request: Request) -> str:
    """Train on the former, on one thread."""
    model = fit(model_version.read_training_set(demo, request).learned)
    return str(model_version.write_model(demo, request, model))


def judge(demo: Path, request: Request) -> str:
    """Compare both models on the latter and register the new one, accepted or refused; return why."""
    flights = model_version.read_training_set(demo, request)
    new = probabilities(model_version.read_model(demo, request), flights.held_back)
    row = model_version.version_row(request, flights, compare(flights.held_back, new))
    model_version.write_version(demo, request, row)
    return f"{request.version} is {row['state']}: {row['reason']}"


def promote(demo: Path, request: Request, monitor: Monitor, *, write: bool) -> str | None:
    """Put an accepted model into service; return what was done, None of a model that was refused.

    Parameters
    ----------
    demo
        The demo's directory.
    request
        What was asked for.
    monitor
        Its baseline becomes the held-back period, which neither model has learned from.
    write
        Whether the monitor's file may be written; else the return value says what to write.
    """
    row = model_version.read_version(demo, request)
    if row["state"] == "refused":
        return None
    flights = score_anew(demo / "warehouse", request, model_version.read_model(demo, request))
    done = f"{request.version} answers {flights:,} flights from {row['deployed_at']:%Y-%m-%d %H:%M} UTC on"
    if write:
        done += f"; {monitor.path} now has {compare_with(Path(monitor.path), request.held_back)}"
    else:
        done += f". Write into {monitor.path}: {in_words(request.held_back)}"
    model_version.write_version(demo, request, {**row, "state": "in_service"})
    return done
