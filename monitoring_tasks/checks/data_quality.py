"""Data quality: missing, impossible, unseen and repeated values, columns that came, went or stopped, and a suite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitoring_tasks.checks.check import CheckContext
from monitoring_tasks.checks.duplicates import duplicates
from monitoring_tasks.checks.expectations import expectation_results
from monitoring_tasks.checks.prediction_drift import predictions
from monitoring_tasks.checks.result import Result
from monitoring_tasks.checks.schema_change import schema_change
from monitoring_tasks.checks.unchanging import unchanging
from monitoring_tasks.checks.unreadable import unreadable
from monitoring_tasks.checks.value_quality import value_quality

if TYPE_CHECKING:
    from monitoring_tasks.config import Monitor
    from monitoring_tasks.config.checks import DataQuality

RATE_OF_UNCHANGING = 0.05
"""Share of the rate of false alarms that columns which stopped may spend: what stops is seldom hard to see."""


def has_suite(monitor: Monitor) -> bool:
    """Tell whether the monitor names a suite, which reads rows."""
    settings = monitor.checks.data_quality
    return settings is not None and settings.suite is not None


def data_quality(context: CheckContext) -> list[Result]:
    """Hold the window's columns against what the baseline's rows were like, and its rows against the suite."""
    settings = context.monitor.checks.data_quality
    if settings is None:
        return []
    from_the_profile = [*_columns(context, settings), *schema_change(context), *duplicates(context, settings)]
    return [*from_the_profile, *expectation_results(context)]


def _columns(context: CheckContext, settings: DataQuality) -> list[Result]:
    errors = unreadable(context, _reported_nowhere_else(context))
    if context.profile.rows == 0:
        message = "no column can be judged: the window has no row"
        return [*errors, Result("missing_share", window_rows=0, status="insufficient_data", message=message)]
    judged = dict.fromkeys([*context.baseline.features, *predictions(context.monitor)])
    known = context.reference.columns.get("", {})
    columns = [name for name in judged if name in context.profile.columns and name in known]
    rate = settings.false_alarm_rate
    return [
        *errors,
        *value_quality(context, columns, settings, (1 - RATE_OF_UNCHANGING) * rate),
        *unchanging(context, columns, settings, RATE_OF_UNCHANGING * rate),
    ]


def _reported_nowhere_else(context: CheckContext) -> list[str]:
    """Return the columns for which no other check of the monitor writes a row when they cannot be read."""
    checks = context.monitor.checks
    if checks.operations is not None:  # which reports what the drift checks do not
        return []
    features = context.baseline.features if checks.data_drift is None else ()
    answers = predictions(context.monitor) if checks.prediction_drift is None else ()
    return list(dict.fromkeys([*features, *answers]))
