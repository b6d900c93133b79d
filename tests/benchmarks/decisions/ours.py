"""What the product's drift check decides of windows that are already counted."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from monitoring_tasks.checks import CheckContext
from monitoring_tasks.checks.drift import drift
from monitoring_tasks.config import Monitor, parse_monitor
from monitoring_tasks.config.checks import DataDrift, DriftSettings
from monitoring_tasks.profile import Baseline, ColumnProfile, Profile
from monitoring_tasks.reference import Reference
from monitoring_tasks.statistics.drift import DRIFT_METRICS
from monitoring_tasks.statistics.homogeneity import column_dispersion, with_shared_priors
from monitoring_tasks.window import Window
from tests.benchmarks.decisions.column import Frozen
from tests.benchmarks.decisions.streams import IntArray

RATE = 0.01
"""The configured false-alarm rate: the default."""

DEFAULT = DataDrift(false_alarm_rate=RATE)

ANY_SIZE = DataDrift(
    metrics=("psi",), false_alarm_rate=RATE, minimum_effect={metric.name: 0.0 for metric in DRIFT_METRICS}
)
"""Significance alone: every change counts, however small. All metrics of a column have its p-value: one is enough."""


@dataclass(frozen=True)
class Decisions:
    """Which windows raised an alarm, each array of shape ``(n_windows,)``."""

    any_size: NDArray[np.bool_]
    default: NDArray[np.bool_]


def reference(columns: Sequence[Frozen]) -> Reference:
    """Return what windows are compared with: the baseline, and how much its parts differ."""
    profiles = {name: _profile(name, column, column.parts.sum(axis=0)) for name, column in _named(columns)}
    dispersions = {}
    for name, column in _named(columns):
        found = column_dispersion(column.parts, column.bins.layout)
        if found is not None:
            dispersions[name] = replace(found, rows=math.nan)  # the windows come as densely as the parts
    return Reference("baseline", {"": profiles}, {"": with_shared_priors(dispersions)})


def decider(columns: Sequence[Frozen], settings: DriftSettings) -> Callable[[Sequence[IntArray]], bool]:
    """Return a function of one window's rows per bin, an array for each column: whether anything is in alarm."""
    bins = {name: column.bins for name, column in _named(columns)}
    earlier = reference(columns)
    rows = int(columns[0].parts.sum())
    baseline = Baseline(MONITOR.name, {"features": list(bins)}, bins, earlier.columns[""], rows)

    def alarms(counts: Sequence[IntArray]) -> bool:
        profiles = {
            name: _profile(name, column, its) for (name, column), its in zip(_named(columns), counts, strict=True)
        }
        profile = Profile(WINDOW, int(counts[0].sum()), profiles)
        context = CheckContext(MONITOR, WINDOW, profile, baseline, earlier=earlier)
        return any(result.status == "alarm" for result in drift(context, list(bins), settings))

    return alarms


def decide(columns: Sequence[Frozen], windows: Sequence[IntArray]) -> Decisions:
    """Decide windows, for each column an array of shape ``(n_windows, n_bins)``, under both settings.

    What is no alarm when every size counts is none with a floor: the default is asked only where there is one.
    """
    any_size, default = decider(columns, ANY_SIZE), decider(columns, DEFAULT)
    significant = np.array([any_size(counts) for counts in zip(*windows, strict=True)])
    large = [bool(sure) and default(counts) for sure, *counts in zip(significant, *windows, strict=True)]
    return Decisions(significant, np.array(large))


def _named(columns: Sequence[Frozen]) -> list[tuple[str, Frozen]]:
    return [(f"x{i}", column) for i, column in enumerate(columns)]


def _profile(name: str, column: Frozen, counts: IntArray) -> ColumnProfile:
    return ColumnProfile(name, column.bins.kind, tuple(counts.tolist()))


WINDOW = Window(datetime(2024, 4, 1, tzinfo=UTC), datetime(2024, 4, 2, tzinfo=UTC))

MONITOR: Monitor = parse_monitor(
    """\
monitor: benchmark
schedule: "@daily"
start: 2024-04-01
warehouse: nowhere
inference_log: {table: log, timestamp: at, key: id, features: {x0: numeric}, prediction: y}
task: regression
baseline: {period: {start: 2024-03-01, end: 2024-04-01}}
""",
    environ={},
)
