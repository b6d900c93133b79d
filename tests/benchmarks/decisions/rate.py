"""How often windows alarm, how sure that number is, and thresholds at which a score alarms as often as wanted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.decisions.streams import FloatArray

Verdict = Literal["", "?", "!"]
"""Kept; broken by no more than chance may do; broken."""


@dataclass(frozen=True)
class Rate:
    """A share of windows."""

    value: float
    error: float
    """Standard error, in the same unit."""
    windows: int


@dataclass(frozen=True)
class Threshold:
    """Where a score alarms at a given rate."""

    value: float
    """Scores above it alarm."""
    at_it: float
    """Share of the scores equal to it that alarm, as if by lot: few distinct scores hit a rate only so."""


def rate(alarms_by_baseline: Sequence[NDArray[np.bool_]] | Sequence[FloatArray]) -> Rate:
    """Return the share of alarms over several baselines, each with as many windows.

    Windows that are compared with one baseline share its chance, so the error is the larger of the binomial one and
    that of the spread from baseline to baseline.
    """
    shares = np.array([np.mean(alarms) for alarms in alarms_by_baseline], dtype=np.float64)
    windows = sum(len(alarms) for alarms in alarms_by_baseline)
    value = float(shares.mean())
    # Agresti and Coull: half a window more of each kind, or no alarm in 100 windows would have no error.
    around = (value * windows + 0.5) / (windows + 1)
    binomial = math.sqrt(around * (1 - around) / windows)
    between = float(shares.std(ddof=1)) / math.sqrt(shares.size) if shares.size > 1 else 0.0
    return Rate(value, max(binomial, between), windows)


def difference(ours: Sequence[FloatArray], theirs: Sequence[FloatArray]) -> Rate:
    """Return by how much one share of alarms is larger than another on the same windows, baseline by baseline."""
    each = [np.asarray(a, np.float64) - b for a, b in zip(ours, theirs, strict=True)]
    of_windows = np.concatenate(each)
    means = np.array([values.mean() for values in each])
    within = float(of_windows.std()) / math.sqrt(of_windows.size)
    between = float(means.std(ddof=1)) / math.sqrt(means.size) if means.size > 1 else 0.0
    return Rate(float(of_windows.mean()), max(within, between), of_windows.size)


def at_most(found: Rate, limit: float) -> Verdict:
    """Return whether a rate keeps below a limit; above it by two standard errors it is broken."""
    return "" if found.value <= limit else "?" if found.value - 2 * found.error <= limit else "!"


def at_least(found: Rate, limit: float) -> Verdict:
    """Return whether a rate reaches a limit; below it by two standard errors it is broken."""
    return "" if found.value >= limit else "?" if found.value + 2 * found.error >= limit else "!"


def held_to(scores: FloatArray, wanted: float) -> Threshold:
    """Return the threshold at which exactly the wanted share of these scores alarms.

    Examples
    --------
    >>> held_to(np.array([1.0, 2.0, 2.0, 3.0]), wanted=0.5)
    Threshold(value=2.0, at_it=0.5)
    """
    descending = np.sort(scores)[::-1]
    value = float(descending[min(math.floor(wanted * scores.size), scores.size - 1)])
    above, equal = int((scores > value).sum()), int((scores == value).sum())
    return Threshold(value, (wanted * scores.size - above) / equal)


def of_several(wanted: float, columns: int) -> float:
    """Return the rate of each of several independent columns at which a window of them alarms as often as wanted."""
    return -math.expm1(math.log1p(-wanted) / columns)


def alarm_shares(scores: FloatArray, threshold: Threshold) -> FloatArray:
    """Return the chance that each score alarms: 1 above the threshold, 0 below."""
    return np.where(scores > threshold.value, 1.0, np.where(scores == threshold.value, threshold.at_it, 0.0))
