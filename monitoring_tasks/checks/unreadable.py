"""A column that cannot be judged: one ``error`` row with its reason."""

from __future__ import annotations

from collections.abc import Iterable

from monitoring_tasks.checks.check import CheckContext
from monitoring_tasks.checks.result import Result


def unreadable(context: CheckContext, columns: Iterable[str]) -> list[Result]:
    """Return a row for each of these columns that the window, or else the baseline, does not have."""
    reasons = {**context.baseline.unreadable, **context.profile.unreadable}
    return [
        Result("unreadable", column_name=name, status="error", message=reasons[name])
        for name in columns
        if name in reasons
    ]
