"""How a monitor stands: did its latest window fail, and what is in alarm, a line for each column. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from monitoring_tasks.checks.wording import counted
from monitoring_tasks.window import Window

SHOWN = 5
"""Segments named in a line; the rest is counted."""

RESULTS = """\
SELECT * FROM latest_result
WHERE monitor = :monitor
  AND (status IN ('alarm', 'error') OR status = 'insufficient_data' AND metric = 'drifted_share' AND segment = '')
ORDER BY check_name, column_name, metric, segment
"""
"""What of a monitor is told: what is in alarm or failed, and that a whole check judged nothing."""


def standing(health: Mapping[str, Any], results: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Say how a monitor stands.

    Parameters
    ----------
    health
        Its row of the view `monitor_health`.
    results
        Its rows that `RESULTS` asks for. A check that has not written the latest window has its rows of an earlier one
        there, and they are said to be of that.

    Returns
    -------
    tuple of str
        Lines of text; those that begin with two spaces belong to the one before.
    """
    name, latest = health["monitor"], _window(health)
    lines = [f"{name}: its latest window failed: {health['error']}"] * (health["state"] == "failed")
    by_window: dict[Window, list[Mapping[str, Any]]] = {}
    unjudged = []
    for row in results:
        if row["status"] == "insufficient_data":
            unjudged.append(row)
        else:
            by_window.setdefault(_window(row), []).append(row)
    if health["state"] == "empty" and latest in by_window:  # that no row came is among its alarms
        unjudged = [row for row in unjudged if _window(row) != latest]
    for window, rows in sorted(by_window.items(), reverse=True):
        which = (
            "its latest window" if window == latest else f"window {window}, the newest that these checks have written"
        )
        lines += [f"{name}: {_counted(rows)} in {which}", *(f"  {line}" for line in _by_column(rows))]
    return (
        *(lines or [f"{name}: nothing is in alarm in its latest window"]),
        *(f"{name}: {row['check_name']} judged nothing in window {_window(row)}: {row['message']}" for row in unjudged),
    )


def _window(row: Mapping[str, Any]) -> Window:
    return Window(row["window_start"], row["window_end"])


def _counted(rows: Sequence[Mapping[str, Any]]) -> str:
    """Count alarms, those of segments among them, and results that could not be computed."""
    alarms = [row for row in rows if row["status"] == "alarm"]
    of_segments = sum(row["segment"] != "" for row in alarms)
    parts = [f"{counted(len(alarms), 'alarm')} ({of_segments} of segments)"] * bool(alarms)
    parts += [counted(len(rows) - len(alarms), "error")] * (len(alarms) < len(rows))
    return " and ".join(parts)


def _by_column(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a line for each column of each check: the worst result in words, of all rows if there is one."""
    columns: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        columns.setdefault((row["check_name"], row["column_name"], row["status"]), []).append(row)
    return [_line(found) for found in columns.values()]


def _line(rows: Sequence[Mapping[str, Any]]) -> str:
    worst = max(rows, key=lambda row: (row["segment"] == "", _times_threshold(row)))
    metrics = [row["metric"] for row in rows if row["segment"] == worst["segment"] and row is not worst]
    segments = list(dict.fromkeys(row["segment"] for row in rows if row["segment"] not in ("", worst["segment"])))
    more = f" and {len(segments) - SHOWN} more" if len(segments) > SHOWN else ""
    also = [", ".join(metrics)] * bool(metrics) + [f"in {', '.join(segments[:SHOWN])}{more}"] * bool(segments)
    # What is said of the window as a whole names no column, and several checks say it in the same words.
    named = worst["column_name"] or worst["check_name"] in worst["message"]
    where = "" if named else f"{worst['check_name']}: "
    where += f"{worst['segment']}: " if worst["segment"] else ""
    return f"{where}{worst['message']}" + (f" (also {'; '.join(also)})" if also else "")


def _times_threshold(row: Mapping[str, Any]) -> float:
    value, bound = row["value"], row["threshold_upper"]
    return value / bound if value is not None and bound else 0.0
