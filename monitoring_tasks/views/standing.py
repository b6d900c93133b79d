"""How a monitor stands: did its latest window fail, and what is in alarm, a line for each column. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from monitoring_tasks.alerts.alert import Alert, AlertEvent
from monitoring_tasks.alerts.clean_text import clean
from monitoring_tasks.alerts.verdicts import Verdicts
from monitoring_tasks.checks.wording import counted
from monitoring_tasks.window import Window, format_instant

SHOWN = 5
"""Segments named in a line; the rest is counted."""

RESULTS = """\
WITH newest AS (SELECT * FROM latest_result WHERE monitor = :monitor)
SELECT * FROM newest
WHERE status IN ('alarm', 'error')
  OR metric = 'estimate_coverage' AND status = 'warning'
  OR segment = '' AND status = 'insufficient_data' AND (
    metric IN ('drifted_share', 'label_coverage')
    OR check_name = 'performance' AND column_name = '' AND value IS NOT NULL AND NOT EXISTS (
      SELECT 1 FROM newest AS judged
      WHERE judged.check_name = newest.check_name AND judged.segment = '' AND judged.metric NOT IN (
        'label_coverage', 'label_lag', 'unknown_label_keys', 'labels_without_time', 'labels_of_the_future'
      ) AND judged.status IN ('ok', 'warning', 'alarm')
    )
  )
UNION ALL
SELECT * FROM latest_verdict
WHERE monitor = :monitor
  AND (status = 'alarm' OR metric = 'estimate_coverage' AND status = 'warning')
  AND NOT EXISTS (
    SELECT 1 FROM newest
    WHERE newest.check_name = latest_verdict.check_name AND newest.window_start = latest_verdict.window_start
  )
ORDER BY check_name, column_name, metric, segment
"""
"""What of a monitor is told: what is in alarm or failed, also in the newest window whose labels allowed a verdict; that
the estimates miss too often; and that a whole check judged nothing."""


LATE = timedelta(days=1)
"""It is told that rows came late of windows that began at most so long before the latest, or right before it."""


def late_since(health: Mapping[str, Any]) -> datetime:
    """Return from which window on it is told that rows came late, of a monitor's row of the view `monitor_health`."""
    latest = _window(health)
    return latest.start - max(LATE, latest.length)


def standing(
    health: Mapping[str, Any], results: Iterable[Mapping[str, Any]], late: Mapping[Window, int] = MappingProxyType({})
) -> tuple[str, ...]:
    """Say how a monitor stands.

    Parameters
    ----------
    health
        Its row of the view `monitor_health`.
    results
        Its rows that `RESULTS` asks for. A check that has not written the latest window, or waits for its labels, has
        its rows of an earlier one there, and they are said to be of that.
    late
        How many rows came to its windows since `late_since` after they were read, below 0 if rows went; of those to
        which some did.

    Returns
    -------
    tuple of str
        Lines of text; those that begin with two spaces belong to the one before.
    """
    name, latest = health["monitor"], _window(health)
    lines = [f"{name}: its latest window failed: {health['error']}"] * (health["state"] == "failed")
    by_window: dict[Window, list[Mapping[str, Any]]] = {}
    unjudged: dict[str, Mapping[str, Any]] = {}
    for row in results:
        if row["status"] != "insufficient_data":
            by_window.setdefault(_window(row), []).append(row)
        elif row["metric"] == "label_coverage":  # the reason, before each metric that it is the reason of
            unjudged[row["check_name"]] = row
        else:
            unjudged.setdefault(row["check_name"], row)
    if health["state"] == "empty" and latest in by_window:  # that no row came is among its alarms
        unjudged = {check: row for check, row in unjudged.items() if _window(row) != latest}
    for window, rows in sorted(by_window.items(), reverse=True):
        which = (
            "its latest window" if window == latest else f"window {window}, the newest that these checks could judge"
        )
        lines += [f"{name}: {_counted(rows)} in {which}", *(f"  {line}" for line in _by_column(rows))]
    return (
        *(lines or [f"{name}: nothing is in alarm in its latest window"]),
        *(
            f"{name}: {check} judged nothing in window {_window(row)}: {row['message']}"
            for check, row in unjudged.items()
        ),
        *(f"{name}: {line}" for line in _late_rows(late)),
    )


def alert_lines(
    name: str,
    alerts: Iterable[Alert],
    decisions: Mapping[str, AlertEvent] = MappingProxyType({}),
    verdicts: Mapping[str, Verdicts] = MappingProxyType({}),
) -> tuple[str, ...]:
    """Say which alerts are open, who has said what of them, and which rules cry wolf.

    Parameters
    ----------
    name, alerts
        The monitor, and its open alerts.
    decisions
        What a person decided last, by alert id.
    verdicts
        What people called earlier alerts, by rule.

    Returns
    -------
    tuple of str
        Lines of text; those that begin with two spaces belong to the one before.
    """
    lines = []
    for alert in alerts:
        group = f" ({alert.group_key})" if alert.group_key else ""
        lines.append(f"{name}: {alert.severity} alert {alert.alert_id}{group} is {in_words(alert)}: {alert.message}")
        if (decided := decisions.get(alert.alert_id)) is not None:
            note = f": {decided.note}" if decided.note else ""
            lines.append(f"  {decided.event.replace('_', ' ')} by {decided.actor}{note}")
        if alert.name in verdicts and verdicts[alert.name].hint:
            lines.append(f"  {verdicts[alert.name].hint}")
    return tuple(map(clean, lines))


def in_words(alert: Alert) -> str:
    """Say the state of an alert."""
    if alert.state == "snoozed" and alert.snoozed_until is not None:
        return f"snoozed until {format_instant(alert.snoozed_until)}"
    if alert.state == "open" and alert.resolved_end is not None:
        return "over and waits to be resolved"
    return alert.state.replace("_", " ")


def _late_rows(late: Mapping[Window, int]) -> list[str]:
    """Say to which windows rows came after they were read; of many only how many they are."""
    if len(late) <= SHOWN:
        return [
            f"{counted(rows, 'row')} came after {window} was read; it was read again"
            if rows > 0
            else f"{counted(-rows, 'row')} of {window} {'was' if rows == -1 else 'were'} gone when it was read again"
            for window, rows in sorted(late.items())
        ]
    came, went = (sum(rows for rows in late.values() if rows * sign > 0) * sign for sign in (1, -1))
    gone = f", and {counted(went, 'row')} went" if went else ""
    return [
        f"{counted(came, 'row')} came after their windows were read{gone}: {len(late)} windows since "
        f"{format_instant(min(late).start)} were read again"
    ]


def _window(row: Mapping[str, Any]) -> Window:
    return Window(row["window_start"], row["window_end"])


def _counted(rows: Sequence[Mapping[str, Any]]) -> str:
    """Count alarms, those of segments among them, warnings, and results that could not be computed."""
    alarms, warnings, errors = (
        [row for row in rows if row["status"] == status] for status in ("alarm", "warning", "error")
    )
    of_segments = sum(row["segment"] != "" for row in alarms)
    parts = [f"{counted(len(alarms), 'alarm')} ({of_segments} of segments)"] * bool(alarms)
    parts += [counted(len(warnings), "warning")] * bool(warnings)
    parts += [counted(len(errors), "error")] * bool(errors)
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
