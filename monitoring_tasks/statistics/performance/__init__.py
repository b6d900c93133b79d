"""How right a model is: metrics over counted outcomes, their intervals, estimates and what moved them.

A metric is added by its file and its line in `PERFORMANCE_METRICS`; the tests of the laws that all of them obey then
run over it too.
"""

from __future__ import annotations

import difflib

from monitoring_tasks.errors import ConfigError
from monitoring_tasks.statistics.performance import calibration, classification, ranking, regression
from monitoring_tasks.statistics.performance.average_precision import METRIC as AVERAGE_PRECISION
from monitoring_tasks.statistics.performance.interval import (
    interval,
    off_scale,
    on_scale,
    reach,
    scaled,
    standard_error,
)
from monitoring_tasks.statistics.performance.median_absolute_error import METRIC as MEDAE
from monitoring_tasks.statistics.performance.metric import Average, Estimate, PerformanceMetric, Task, task_of
from monitoring_tasks.statistics.performance.outcomes import Outcomes

__all__ = [
    "PERFORMANCE_METRICS",
    "Average",
    "Estimate",
    "Outcomes",
    "PerformanceMetric",
    "Task",
    "interval",
    "off_scale",
    "on_scale",
    "performance_metric",
    "reach",
    "scaled",
    "standard_error",
    "task_of",
]

PERFORMANCE_METRICS: tuple[PerformanceMetric, ...] = (
    *classification.METRICS,
    ranking.METRICS[0],
    AVERAGE_PRECISION,
    *calibration.METRICS,
    *ranking.METRICS[1:],
    *regression.METRICS[:3],
    MEDAE,
    *regression.METRICS[3:],
)
"""Every performance metric, in the order people see them."""


def performance_metric(name: str) -> PerformanceMetric:
    """Return the metric of this name.

    Raises
    ------
    ConfigError
        If there is none.

    Examples
    --------
    >>> performance_metric("brier").better
    'lower'
    """
    by_name = {metric.name: metric for metric in PERFORMANCE_METRICS}
    if name in by_name:
        return by_name[name]
    close = difflib.get_close_matches(name, by_name, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"write one of {', '.join(by_name)}"
    raise ConfigError(f"{name!r} is not a performance metric; {hint}")
