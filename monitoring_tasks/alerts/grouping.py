"""Which alert a series belongs to: one alert stands for all of a rule's series, or each group has its own."""

from __future__ import annotations

from collections.abc import Sequence

from monitoring_tasks.alerts.alert import Series
from monitoring_tasks.config.models import GroupName


def group_key(group_by: Sequence[GroupName], series: Series) -> str:
    """Return the name of the series' group; empty if one alert stands for all.

    Examples
    --------
    >>> group_key(("column", "segment"), Series("data_drift", "temp", "origin=JFK"))
    'column=temp, segment=origin=JFK'
    >>> group_key((), Series("data_drift", "temp", "origin=JFK"))
    ''
    """
    parts = {"check": series.check_name, "column": series.column_name, "segment": series.segment}
    return ", ".join(f"{name}={parts[name]}" for name in group_by)
