"""Which alert a series belongs to: one alert stands for all of a rule's series, or each group has its own."""

from __future__ import annotations

from collections.abc import Sequence

from monitoring_tasks.alerts.alert import Alert, Series
from monitoring_tasks.config.models import AlertRule, GroupName


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


def is_of(rule: AlertRule, alert: Alert) -> bool:
    """Tell whether the alert is one of the rule's groups: not any more, maybe, once ``group_by`` was edited.

    Examples
    --------
    >>> from monitoring_tasks.window import Window
    >>> day, temp = Window.parse("2013-04-01", "2013-04-02"), Series("data_drift", "temp", "")
    >>> alert = Alert("a95b2208f557", "flights", "drift", "column=temp", "high", "open", day, day, (temp,), "drift")
    >>> rules = [AlertRule(name="drift", when={"check": "data_drift"}, group_by=each) for each in (["column"], [])]
    >>> [is_of(rule, alert) for rule in rules]
    [True, False]
    """
    return all(group_key(rule.group_by, series) == alert.group_key for series in alert.series)
