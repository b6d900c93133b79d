"""How right the model was month by month, why that moved, and where it loses most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitoring_tasks.checks import Result
from monitoring_tasks.config import Monitor
from monitoring_tasks.results.store import Store
from monitoring_tasks.views.period import months, period_results
from monitoring_tasks.window import Window

CHECKS = ("performance", "estimated_performance")


@dataclass(frozen=True)
class MonthPerformance:
    """The deciding metric over the labelled rows of one month."""

    month: Window
    metric: str
    rows: int
    """Whose label is known."""
    value: float
    lower: float | None
    upper: float | None
    baseline: float | None
    alarm: bool
    """Whether it is worse than the baseline's by more than chance and its usual ups and downs explain."""
    estimated: float | None
    """What was estimated of it without labels."""
    inputs: float | None
    """Part of the change against the baseline that other inputs explain."""
    relation: float | None
    """Part that equal inputs explain which come out otherwise."""
    explained_by: str
    """The column that the inputs' part is by."""
    worst: str
    """Where the model loses most beyond its share of the rows; empty for nowhere."""


def performance_by_month(monitor: Monitor, period: Window, store: Store) -> tuple[MonthPerformance, ...]:
    """Return a row for each calendar month of the monitor's zone, from stored windows alone.

    Parameters
    ----------
    monitor
        The monitor file.
    period
        Stored windows fill it.
    store
        An open store.
    """
    found = []
    for month in months(period.start, period.end, monitor.timezone):
        results = period_results(monitor, month, CHECKS, store)
        row = _row(month, results)
        if row is not None:
            found.append(row)
    return tuple(found)


def _row(month: Window, results: Mapping[str, Sequence[Result]]) -> MonthPerformance | None:
    whole, estimates = (
        {result.metric: result for result in results[check] if result.segment == "" and result.column_name == ""}
        for check in CHECKS
    )
    change = next((result for name, result in whole.items() if name.endswith("_change")), None)
    name = "" if change is None else change.metric.removesuffix("_change")
    its = whole.get(name)
    if change is None or its is None or its.value is None:
        return None
    worst = whole["worst_bins"].detail["bins"] if "worst_bins" in whole else []
    estimate = estimates.get(name)
    return MonthPerformance(
        month=month,
        metric=name,
        rows=its.window_rows or 0,
        value=its.value,
        lower=its.value_lower,
        upper=its.value_upper,
        baseline=its.detail.get("baseline"),
        alarm=its.decided() == "alarm",
        estimated=None if estimate is None else estimate.value,
        inputs=change.detail.get("inputs"),
        relation=change.detail.get("relation"),
        explained_by=str(change.detail.get("by", "")),
        worst="" if not worst else f"{worst[0]['column']}={worst[0]['bin']}",
    )
