"""Data drift: a change of P(X), feature by feature."""

from __future__ import annotations

from monitoring_tasks.checks.check import CheckContext
from monitoring_tasks.checks.drift import drift
from monitoring_tasks.checks.result import Result


def data_drift(context: CheckContext) -> list[Result]:
    """Compare every feature with the baseline."""
    settings = context.monitor.checks.data_drift
    if settings is None:
        return []
    names = context.monitor.inference_log.features.names
    if names is None:  # features: '*', every column that was counted and has no other meaning
        names = tuple(name for name in context.baseline.bins if name in context.baseline.definition["features"])
    return drift(context, names, settings)
