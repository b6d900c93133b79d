"""Baseline shift: how far a moving or seasonal baseline has left the fixed one, said once when it has.

Compared with the weeks before it, a day of summer is no drift. That the weeks before it are not what the model was
trained on, or what the bins were cut from, is worth knowing all the same: once, and not on every day of the season.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from monitoring_tasks.checks.check import CheckContext
from monitoring_tasks.checks.drift import what_moved
from monitoring_tasks.checks.result import Result
from monitoring_tasks.checks.wording import number
from monitoring_tasks.profile import Bins, ColumnProfile
from monitoring_tasks.statistics.drift import Layout, drift_metric, select
from monitoring_tasks.window import format_duration

if TYPE_CHECKING:
    from monitoring_tasks.config import DriftSettings, Monitor

METRIC = "baseline_shift"


def baseline_shift(context: CheckContext, columns: Sequence[str], settings: DriftSettings) -> list[Result]:
    """Return the population stability index of the moving baseline's rows against the fixed baseline's.

    One row for each column that has both, over all rows of the window, and none while the monitor is too young for a
    moving baseline. A seasonal one is taken as a whole, once in each of its cycles: the windows of one hour never are
    like all hours. It is ``info``: nobody need act on a season. In the one window where it first exceeds the minimum
    effect of ``psi`` it is a ``warning``: nothing that the earlier windows were compared with themselves exceeded it
    yet. So a season that goes back and forth over the limit is said once, and again only after one that was like the
    baseline throughout.
    """
    season = context.season
    if season is None or not season.windows:
        return []
    # A floor of 0 asks for significance alone: here there is none, and every number would exceed it.
    threshold = settings.minimum_effect.get("psi") or _PSI.minimum_effect
    shifts = {}
    for name in columns:
        fixed, moving = context.baseline.columns.get(name), season.columns[""].get(name)
        if fixed is None or moving is None or name in season.exceptions.get("", {}):
            continue
        value = _shift(context.baseline.bins[name], fixed, moving)
        if value is not None:
            shifts[name] = value
    first = _first(context, [name for name, value in shifts.items() if value > threshold], threshold)
    results = []
    for name, value in shifts.items():
        bins, fixed, moving = context.baseline.bins[name], context.baseline.columns[name], season.columns[""][name]
        shifted = value > threshold
        message = f"{name}: {_in_words(context.monitor)} {'differ from' if shifted else 'are like'} the baseline's "
        message += f"{'table' if context.monitor.baseline.period is None else 'period'}: PSI {number(value)}"
        if shifted:
            message += f"; {what_moved(bins, fixed.array(), moving.array(), adding_most=True)}"
        results.append(
            Result(
                METRIC,
                value=value,
                column_name=name,
                threshold_upper=threshold,
                baseline_rows=fixed.rows,
                window_rows=moving.rows,
                status="warning" if name in first else "info",
                message=message,
                detail={"reference": season.name},
            )
        )
    return results


def _first(context: CheckContext, shifted: Sequence[str], threshold: float) -> set[str]:
    """Return those of the columns of which nothing that earlier windows were compared with was beyond the threshold."""
    left = set(shifted)
    before = iter(context.seasons_before()) if left else iter(())
    while left and (columns := next(before, None)) is not None:
        for name in left & columns.keys():
            value = _shift(context.baseline.bins[name], context.baseline.columns[name], columns[name])
            if value is not None and value > threshold:
                left.discard(name)
    return left


def _shift(bins: Bins, fixed: ColumnProfile, moving: ColumnProfile) -> float | None:
    """Return PSI over the merged bins, None if a side has no rows."""
    layout: Layout = "categorical" if bins.kind == "categorical" else "numeric"
    a, b = select(_PSI, layout, fixed.array(), moving.array())
    return _PSI.function(a, b) if a.any() and b.any() else None


def _in_words(monitor: Monitor) -> str:
    seasonal, rolling = monitor.baseline.seasonal, monitor.baseline.rolling
    return f"the {_length(seasonal.over if seasonal else rolling or timedelta())} before this window"


def _length(duration: timedelta) -> str:
    days = duration // timedelta(days=1)
    return f"{days} days" if duration == timedelta(days=days) else format_duration(duration)


_PSI = drift_metric("psi")
