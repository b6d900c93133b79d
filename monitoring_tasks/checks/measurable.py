"""Whether a monitor's model gives what a performance metric needs."""

from __future__ import annotations

from monitoring_tasks.labels_profile import LabelsProfile
from monitoring_tasks.statistics.performance import PerformanceMetric, task_of


def lacks(metric: PerformanceMetric, profile: LabelsProfile) -> str | None:
    """Say what the monitor file does not name that the metric needs; None where it can be measured."""
    task = task_of(profile.outcomes)
    if task not in metric.tasks:
        return f"it is not defined of a {task} model"
    if not profile.bins.has_prediction and (task == "regression" or "predictions" in metric.needs):
        return "the monitor file names no `prediction`"
    return None if metric.suits(profile.outcomes) else "the monitor file names no `score`"
