"""How the false-alarm rate of a window is divided among the checks that compare column by column."""

from __future__ import annotations

from monitoring_tasks.checks.check import CheckContext
from monitoring_tasks.config.checks import CheckSettings
from monitoring_tasks.config.roles import uses

DECIDING = ("data_drift", "prediction_drift")
"""Checks that share the rate."""


def share_of_rate(context: CheckContext, name: str) -> float:
    """Return the share of undrifted windows in which a check may raise an alarm.

    ``false_alarm_rate`` is that of a window. Each of these checks has a part of it in proportion to the columns that it
    compares, so at most the larger of their rates is spent. `multivariate_drift` has a rate of its own.

    Parameters
    ----------
    context
        The window.
    name
        A check of `DECIDING` that is on.
    """
    compared = {
        "data_drift": len(context.baseline.features),
        "prediction_drift": sum(use.role in ("prediction", "score") for use in uses(context.monitor)),
    }
    total = sum(number for check, number in compared.items() if context.monitor.check(check) is not None)
    settings = context.monitor.check(name)
    assert isinstance(settings, CheckSettings)
    return settings.false_alarm_rate * compared[name] / max(total, 1)
