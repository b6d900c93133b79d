"""Data quality: missing, impossible, unseen and repeated values, columns that came, went or stopped, and a suite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitoring_tasks.checks.check import CheckContext
from monitoring_tasks.checks.expectations import expectation_results
from monitoring_tasks.checks.result import Result

if TYPE_CHECKING:
    from monitoring_tasks.config import Monitor


def has_suite(monitor: Monitor) -> bool:
    """Tell whether the monitor names a suite, which reads rows."""
    settings = monitor.checks.data_quality
    return settings is not None and settings.suite is not None


def data_quality(context: CheckContext) -> list[Result]:
    """Hold the window's columns against what the baseline's rows were like, and its rows against the suite."""
    settings = context.monitor.checks.data_quality
    if settings is None:
        return []
    return expectation_results(context)
