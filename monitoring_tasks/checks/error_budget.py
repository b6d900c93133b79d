"""How a monitor's false-alarm rate is divided among the checks that decide by significance."""

from __future__ import annotations

from monitoring_tasks.checks.check import CheckContext
from monitoring_tasks.config.checks import CheckSettings
from monitoring_tasks.config.roles import uses

DECIDING = ("data_drift", "prediction_drift", "multivariate_drift")
"""Checks that share the rate."""


def share_of_rate(context: CheckContext, name: str) -> float:
    """Return the share of undrifted windows in which a check may raise an alarm.

    ``false_alarm_rate`` is that of a window, whatever its checks are. Each has a part of it in proportion to what it
    compares: columns, and the multivariate check all of them as one. So at most the largest rate that the file states
    is spent.

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
        "multivariate_drift": 1,
    }
    total = sum(number for check, number in compared.items() if context.monitor.check(check) is not None)
    settings = context.monitor.check(name)
    assert isinstance(settings, CheckSettings)
    return settings.false_alarm_rate * compared[name] / max(total, 1)
