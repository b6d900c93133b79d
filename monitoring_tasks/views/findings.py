"""What moved over a period, since when and how much: many windows' results in a few lines. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Any

from monitoring_tasks.checks.wording import number, percent
from monitoring_tasks.window import Window, format_duration

OPERATIONS = {
    "rows": "rows",
    "completeness": "rows that came",
    "longest_silence": "silence",
    "freshness": "freshness",
    "error_rate": "error rate",
    "latency_p95": "95 % latency",
}
"""Metrics of the check `operations` as people say them."""

QUALITY = {
    "missing_share": "{} missing",
    "out_of_range_share": "{} beyond its range",
    "unseen_share": "{} unseen",
    "duplicate_share": "{} repeated",
    "missing_keys": "{} missing",
    "constant": "{} constant",
    "stale": "{} stale",
    "type_change": "{} of another type",
    "vanished_columns": "columns gone",
}
"""Metrics of the check `data_quality` about a column, as people say them."""

SHARES = {*QUALITY, "completeness", "error_rate"} - {"stale", "type_change", "vanished_columns"}
DURATIONS = {"longest_silence", "freshness"}
FEWER_IS_WORSE = {"completeness"}


@dataclass(frozen=True)
class Finding:
    """One metric that was in alarm."""

    what: str
    """The column, or the operational metric."""
    metric: str
    first: Window
    """The first window in alarm."""
    alarms: int
    """Windows in alarm."""
    windows: int
    """Windows in which it was measured."""
    median: float
    """Of all windows in which it was measured."""
    worst: float
    worst_window: Window
    message: str
    """The worst window's result in words."""


@dataclass(frozen=True)
class Season:
    """One column of which a moving or seasonal baseline has left the fixed one."""

    what: str
    """The column."""
    first: Window
    """The first window that was compared with something beyond the minimum effect."""
    beyond: int
    """Windows that were."""
    windows: int
    """Windows that had a moving baseline."""
    largest: float
    """PSI of the moving baseline against the fixed one, where it was furthest."""
    largest_window: Window
    message: str
    """That window's result in words."""


def in_words(metric: str, value: float) -> str:
    """Write a metric's value with its unit.

    Examples
    --------
    >>> in_words("psi", 0.0312), in_words("error_rate", 0.507), in_words("latency_p95", 2106.3)
    ('PSI 0.031', '51 %', '2,106 ms')
    >>> in_words("longest_silence", 5400.0)
    '1h30m'
    """
    if metric in SHARES:
        return percent(value)
    if metric in DURATIONS:
        return format_duration(timedelta(seconds=round(value)))
    if metric == "latency_p95":
        return f"{number(value)} ms"
    return f"{metric.upper()} {value:.2g}" if metric == "psi" else number(value)


def findings(rows: Iterable[Mapping[str, Any]], metric: str = "psi") -> tuple[Finding, ...]:
    """Sum up the alarms of a period, those in alarm most often first.

    What `data_quality` says of a column stands for itself only where no drift of the column was found: missing values
    move its distribution too, and one line is enough.

    Parameters
    ----------
    rows
        Rows of `result` over all rows of each window.
    metric
        The drift metric that stands for a column.

    Returns
    -------
    tuple of Finding
        One for each column that drifted and each operational metric that was not in order.
    """
    series: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        drifts = row["check_name"] in ("data_drift", "prediction_drift") and row["metric"] == metric
        works = row["check_name"] == "operations" and row["metric"] in OPERATIONS
        works |= row["check_name"] == "data_quality" and row["metric"] in QUALITY
        if (drifts or works) and row["value"] is not None and row["segment"] == "":
            series.setdefault((row["metric"], row["column_name"]), []).append(row)
    by_key = {key: _finding(*key, of) for key, of in series.items()}
    found = [
        finding
        for (name, column), finding in by_key.items()
        if finding is not None and not (name in QUALITY and by_key.get((metric, column)) is not None)
    ]
    return tuple(sorted(found, key=lambda f: (-f.alarms, -f.worst, f.what)))


def seasons(rows: Iterable[Mapping[str, Any]]) -> tuple[Season, ...]:
    """Sum up since when, and how far, the season has left the baseline: once for each column, the furthest first.

    Parameters
    ----------
    rows
        Rows of `result`; those of metric ``baseline_shift`` count.
    """
    series: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        if row["metric"] == "baseline_shift" and row["value"] is not None and row["segment"] == "":
            series.setdefault(row["column_name"], []).append(row)
    found = [_season(column, of) for column, of in series.items()]
    return tuple(sorted((season for season in found if season is not None), key=lambda s: (-s.largest, s.what)))


def _season(column: str, rows: list[Mapping[str, Any]]) -> Season | None:
    beyond = [row for row in rows if row["value"] > row["threshold_upper"]]
    if not beyond:
        return None
    first = min(beyond, key=lambda row: row["window_start"])
    largest = max(beyond, key=lambda row: row["value"])
    return Season(
        what=column,
        first=Window(first["window_start"], first["window_end"]),
        beyond=len(beyond),
        windows=len(rows),
        largest=largest["value"],
        largest_window=Window(largest["window_start"], largest["window_end"]),
        message=largest["message"],
    )


def _finding(metric: str, column: str, rows: list[Mapping[str, Any]]) -> Finding | None:
    alarms = [row for row in rows if row["status"] == "alarm"]
    if not alarms:
        return None
    first = min(alarms, key=lambda row: row["window_start"])
    typical = median(row["value"] for row in rows)
    # Too few rows are as bad as too many; of nearly everything else more is worse.
    sign = -1 if metric in FEWER_IS_WORSE else 1
    worst = max(alarms, key=lambda row: abs(row["value"] - typical) if metric == "rows" else sign * row["value"])
    return Finding(
        what=QUALITY[metric].format(column) if metric in QUALITY else OPERATIONS.get(metric, column),
        metric=metric,
        first=Window(first["window_start"], first["window_end"]),
        alarms=len(alarms),
        windows=len(rows),
        median=typical,
        worst=worst["value"],
        worst_window=Window(worst["window_start"], worst["window_end"]),
        message=worst["message"],
    )
