"""How right the model was month by month, why that moved, and where it loses most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from monitoring_tasks.checks import Result
from monitoring_tasks.config import Monitor
from monitoring_tasks.errors import DataError
from monitoring_tasks.results.store import Store
from monitoring_tasks.views.period import months, period_context, period_results
from monitoring_tasks.window import Window

CHECKS = ("performance", "estimated_performance")


@dataclass(frozen=True)
class MonthPerformance:
    """The deciding metric over the labelled rows of one month."""

    month: Window
    why_not: str = ""
    """Why nothing is known of it; empty where something is."""
    metric: str = ""
    rows: int = 0
    """Whose label is known."""
    final: bool = False
    """Whether all labels that count have come."""
    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    """95 % interval of the value."""
    baseline: float | None = None
    alarm: bool = False
    """Whether it is worse than the baseline's by more than chance and its usual ups and downs explain."""
    estimated: float | None = None
    """What was estimated of it without labels."""
    split_by: str = ""
    """The column that the change is split by: the same in every month, or their parts could not be compared."""
    inputs: float | None = None
    """Part of the change against the baseline that other inputs explain; None where no split by that column exists."""
    relation: float | None = None
    """Part that equal inputs explain which come out otherwise."""
    worst: str = ""
    """Where the model loses most beyond its share of the rows; empty for nowhere."""


def performance_by_month(monitor: Monitor, period: Window, store: Store) -> tuple[MonthPerformance, ...]:
    """Return a row for each calendar month of the monitor's zone, from stored windows alone.

    The change is split by the score, which sums up all that the model makes of the inputs; without one by the feature
    that explains most of it over all months. Of a monitor without labels there are no rows.

    Parameters
    ----------
    monitor
        The monitor file.
    period
        A month that stored windows do not fill, or whose labels are not known, says so in `why_not`.
    store
        An open store.
    """
    if monitor.labels is None or monitor.checks.performance is None:
        return ()
    rows, splits = [], []
    for month in months(period.start, period.end, monitor.timezone):
        row, its = _month(monitor, month, store)
        rows.append(row)
        splits.append(its)
    column = _basis(monitor, splits)
    return tuple(_split(row, column, its) for row, its in zip(rows, splits, strict=True))


_Splits = dict[str, dict[str, float]]
"""By column: the parts of the change, by name."""


def _month(monitor: Monitor, month: Window, store: Store) -> tuple[MonthPerformance, _Splits]:
    """Return the month without its split, and the splits by each column."""
    try:
        context = period_context(monitor, month, store)
    except DataError as error:
        return MonthPerformance(month, why_not=str(error)), {}
    results = period_results(context, CHECKS)
    performance, estimates = (
        {result.metric: result for result in results.get(check, ()) if result.segment == result.column_name == ""}
        for check in CHECKS
    )
    change = next((result for name, result in performance.items() if name.endswith("_change")), None)
    name = "" if change is None else change.metric.removesuffix("_change")
    its = performance.get(name)
    if change is None or its is None or change.value is None or its.value is None or context.labels is None:
        return MonthPerformance(month, why_not=_why_not(performance)), {}
    worst = performance["worst_bins"].detail["bins"] if "worst_bins" in performance else []
    estimate = estimates.get(name)
    row = MonthPerformance(
        month=month,
        metric=name,
        rows=its.window_rows or 0,
        final=context.labels.final,
        value=its.value,
        lower=its.value_lower,
        upper=its.value_upper,
        baseline=its.value - change.value,
        alarm=its.decided() == "alarm",
        estimated=None if estimate is None else estimate.value,
        worst="" if not worst else f"{worst[0]['column']}={worst[0]['bin']}",
    )
    return row, _splits(name, results["performance"])


def _why_not(performance: dict[str, Result]) -> str:
    """Say why the change of performance is not known: by the labels, or by what it would be compared with."""
    coverage = performance.get("label_coverage")
    if coverage is not None and coverage.status != "ok":
        return coverage.message
    undecided = (result for result in performance.values() if result.status == "insufficient_data")
    return next((result.message for result in undecided), "no metric of it was computed")


def _splits(metric: str, results: Sequence[Result]) -> _Splits:
    found: _Splits = {}
    for part in ("inputs", "relation"):
        for result in results:
            if result.metric == f"{metric}_change_{part}" and result.column_name and result.value is not None:
                found.setdefault(result.column_name, {})[part] = result.value
    return {column: parts for column, parts in found.items() if len(parts) == 2}


def _basis(monitor: Monitor, splits: Sequence[_Splits]) -> str:
    """Return the column that all months are split by; empty where there is no split."""
    score = monitor.inference_log.score
    columns = sorted({column for its in splits for column in its})
    if isinstance(score, str) and score in columns:
        return score

    def explained(column: str) -> tuple[int, float]:
        its = [abs(each[column]["inputs"]) for each in splits if column in each]
        return len(its), sum(its)

    return max(columns, key=explained, default="")


def _split(row: MonthPerformance, column: str, splits: _Splits) -> MonthPerformance:
    parts = splits.get(column)
    if parts is None:
        return row
    return replace(row, split_by=column, inputs=parts["inputs"], relation=parts["relation"])
