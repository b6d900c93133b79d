"""What a monitor file may say of each performance metric.

Stated here too, and tested against the metrics, because they import numpy and who reads files must not wait for that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from monitoring_tasks.config.checks import ClassificationMetricName, PerformanceMetricName, RegressionMetricName


@dataclass(frozen=True)
class MetricFacts:
    """One metric: what it is read from, and where its values lie."""

    reads: Literal["prediction", "score"]
    """The key of `inference_log` without which there is no value."""
    lowest: float
    highest: float
    better: Literal["higher", "lower", "zero"]
    """Where a good model's values lie."""


def _by_name() -> Mapping[PerformanceMetricName, MetricFacts]:
    share = MetricFacts("prediction", 0.0, 1.0, "higher")
    of_score = MetricFacts("score", 0.0, 1.0, "higher")
    loss = MetricFacts("prediction", 0.0, math.inf, "lower")
    return {
        "accuracy": share,
        "balanced_accuracy": share,
        "precision": share,
        "recall": share,
        "specificity": share,
        "f1": share,
        "mcc": MetricFacts("prediction", -1.0, 1.0, "higher"),
        "roc_auc": of_score,
        "average_precision": of_score,
        "log_loss": MetricFacts("score", 0.0, 52 * math.log(2), "lower"),
        "brier": MetricFacts("score", 0.0, 2.0, "lower"),
        "expected_calibration_error": MetricFacts("score", 0.0, 1.0, "lower"),
        "kolmogorov_smirnov": of_score,
        "lift": MetricFacts("score", 0.0, 10.0, "higher"),
        "mae": loss,
        "rmse": loss,
        "mape": loss,
        "medae": loss,
        "r2": MetricFacts("prediction", -math.inf, 1.0, "higher"),
        "bias": MetricFacts("prediction", -math.inf, math.inf, "zero"),
    }


METRIC_FACTS: Mapping[PerformanceMetricName, MetricFacts] = _by_name()
"""By metric."""


def metrics_of(task: str) -> tuple[PerformanceMetricName, ...]:
    """Return the names of a task's metrics.

    Examples
    --------
    >>> metrics_of("regression")
    ('mae', 'rmse', 'mape', 'medae', 'r2', 'bias')
    """
    names: tuple[PerformanceMetricName, ...] = get_args(
        RegressionMetricName if task == "regression" else ClassificationMetricName
    )
    return names
