"""Prediction drift: a change of P(prediction), the first sign of trouble that needs no labels."""

from __future__ import annotations

from monitoring_tasks.checks.check import CheckContext
from monitoring_tasks.checks.drift import drift
from monitoring_tasks.checks.result import Result


def prediction_drift(context: CheckContext) -> list[Result]:
    """Compare the prediction and its scores with the baseline."""
    settings = context.monitor.checks.prediction_drift
    if settings is None:
        return []
    log = context.monitor.inference_log
    scores = (log.score,) if isinstance(log.score, str) else tuple((log.score or {}).values())
    return drift(context, [name for name in (log.prediction, *scores) if name is not None], settings)
