"""SQL that a person copies out of a message: it runs as it is on the store it was written for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Dialect

from monitoring_tasks.alerts.clean_text import clean
from monitoring_tasks.results.tables import Instant
from monitoring_tasks.window import Window


def results_sql(
    dialect: Dialect,
    monitor: str,
    period: Window,
    checks: Iterable[str] = (),
    columns: Iterable[str] = (),
    statuses: Iterable[str] = (),
) -> str:
    """Return the statement that shows a period's results.

    Parameters
    ----------
    dialect
        Of the store: an instant is text on SQLite.
    monitor
        Name of the monitor.
    period
        Windows inside it are shown, the latest first.
    checks, columns, statuses
        Values to show; empty for all. A condition is left out where one of its values could not be copied from a chat.
    """
    conditions = [
        f"monitor = {_text(monitor)}",
        f"window_start >= {_instant(dialect, period.start)}",
        f"window_end <= {_instant(dialect, period.end)}",
    ]
    for name, wanted in (("check_name", checks), ("column_name", columns), ("status", statuses)):
        values = list(dict.fromkeys(wanted))
        if values and all(map(_can_be_copied, values)):
            conditions.append(f"{name} IN ({', '.join(map(_text, values))})")
    return (
        "SELECT window_start, check_name, column_name, segment, metric, value,\n"
        "  threshold_lower, threshold_upper, p_value, status, message\n"
        f"FROM result\nWHERE {f'{chr(10)}  AND '.join(conditions)}\n"
        "ORDER BY window_start DESC, check_name, column_name, metric, segment"
    )


def window_runs_sql(dialect: Dialect, monitor: str, until: datetime, windows: int) -> str:
    """Return the statement that shows how the last windows ended, the latest first."""
    return (
        "SELECT window_start, window_end, state, rows, error\nFROM window_run\n"
        f"WHERE monitor = {_text(monitor)}\n  AND window_end <= {_instant(dialect, until)}\n"
        f"ORDER BY window_start DESC\nLIMIT {windows:d}"
    )


def _instant(dialect: Dialect, instant: datetime) -> str:
    return _text(str(Instant().process_bind_param(instant, dialect)))


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _can_be_copied(value: str) -> bool:
    """Tell whether every channel shows the text as it is, and every database reads it so within quotes."""
    return value == clean(value) and not any(character in value for character in "`\\") and len(value) <= 200
