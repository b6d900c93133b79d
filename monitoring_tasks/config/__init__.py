"""Monitor files: YAML read once into frozen, validated values, or refused with every problem and its line.

document     YAML -> plain values, each with its line; ``${NAME}`` from the environment
models       the shape of a monitor, and the only place with defaults, together with ``checks``
consistency  what the keys say about each other
roles        what the columns are to the monitor, and which types can be that
columns      what the keys say about the warehouse's columns
wording      pydantic's errors in our words
load         the way through them
"""

from __future__ import annotations

from monitoring_tasks.config.checks import (
    Checks,
    CheckSettings,
    ConceptDrift,
    CustomCheck,
    DataDrift,
    DataQuality,
    DriftMetricName,
    DriftSettings,
    EstimatedPerformance,
    MultivariateDrift,
    Operations,
    Performance,
    PerformanceMetricName,
    PredictionDrift,
    RowRange,
)
from monitoring_tasks.config.columns import column_problems, label_value_problems
from monitoring_tasks.config.load import load_monitor, load_monitors, parse_monitor
from monitoring_tasks.config.models import (
    RETRAINING,
    AlertRule,
    Baseline,
    Escalation,
    Features,
    Http,
    InferenceLog,
    Labels,
    Monitor,
    Period,
    Retraining,
    Seasonal,
    When,
    Windows,
)
from monitoring_tasks.config.problem import MonitorFileError, Problem
from monitoring_tasks.config.roles import ColumnType

__all__ = [
    "RETRAINING",
    "AlertRule",
    "Baseline",
    "CheckSettings",
    "Checks",
    "ColumnType",
    "ConceptDrift",
    "CustomCheck",
    "DataDrift",
    "DataQuality",
    "DriftMetricName",
    "DriftSettings",
    "Escalation",
    "EstimatedPerformance",
    "Features",
    "Http",
    "InferenceLog",
    "Labels",
    "Monitor",
    "MonitorFileError",
    "MultivariateDrift",
    "Operations",
    "Performance",
    "PerformanceMetricName",
    "Period",
    "PredictionDrift",
    "Problem",
    "Retraining",
    "RowRange",
    "Seasonal",
    "When",
    "Windows",
    "column_problems",
    "label_value_problems",
    "load_monitor",
    "load_monitors",
    "parse_monitor",
]
