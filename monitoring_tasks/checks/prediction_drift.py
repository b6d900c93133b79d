"""Prediction drift: a change of P(prediction), the first sign of trouble that needs no labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitoring_tasks.checks.baseline_shift import baseline_shift
from monitoring_tasks.checks.check import CheckContext
from monitoring_tasks.checks.drift import drift
from monitoring_tasks.checks.error_budget import share_of_rate
from monitoring_tasks.checks.result import Result
from monitoring_tasks.config.roles import uses

if TYPE_CHECKING:
    from monitoring_tasks.config import Monitor


def prediction_drift(context: CheckContext) -> list[Result]:
    """Compare the prediction and its scores with the baseline."""
    settings = context.monitor.checks.prediction_drift
    if settings is None:
        return []
    columns = predictions(context.monitor)
    if not columns:
        return []
    compared = drift(context, columns, settings, rate=share_of_rate(context, "prediction_drift"))
    return [*compared, *baseline_shift(context, columns, settings)]


def predictions(monitor: Monitor) -> tuple[str, ...]:
    """Return the columns of the prediction and its scores."""
    return tuple(use.column for use in uses(monitor) if use.role in ("prediction", "score"))
