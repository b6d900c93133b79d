"""What people decide about an alert, and what it is afterwards."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from monitoring_tasks.alerts.alert import Alert, AlertStateName, DecisionName, event_id
from monitoring_tasks.window import Window, format_instant


@dataclass(frozen=True)
class Decision:
    """What a person decided about one alert."""

    decision: DecisionName
    group_key: str
    about: Window
    """From the opening of the alert to the last window it covered when this was decided, or since."""
    window: Window
    """The newest window that alerts had been decided on by then: in a replay it takes effect right after it."""
    until: datetime | None = None
    """End of a snooze."""


def decide(alert: Alert, decision: DecisionName, window: Window, until: datetime | None = None) -> Alert:
    """Return the alert as a person's decision leaves it.

    A verdict on an alert that is over stands beside its end. What is confirmed stays so when a person resolves it.

    Examples
    --------
    >>> day = Window.parse("2013-04-01", "2013-04-02")
    >>> alert = Alert("a95b2208f557", "flight-delays", "drift", "", "high", "open", day, day, (), "drift")
    >>> decide(alert, "false_alarm", day).state
    'false_alarm'
    """
    if decision == "resolved":
        state: AlertStateName = "confirmed" if alert.state == "confirmed" else "resolved"
        return replace(alert, state=state, resolved_end=alert.resolved_end or window.end, snoozed_until=None)
    return replace(alert, state=decision, snoozed_until=until if decision == "snoozed" else None)


def refusal(alert: Alert, decision: DecisionName, newest: Window, until: datetime | None = None) -> str | None:
    """Say why a person cannot decide this about the alert; None if they can.

    Examples
    --------
    >>> day = Window.parse("2013-04-01", "2013-04-02")
    >>> alert = Alert("a95b2208f557", "flight-delays", "drift", "", "high", "resolved", day, day, (), "drift")
    >>> refusal(alert, "acknowledged", day)
    'it is resolved already: only a verdict (confirm, false-alarm) can be given on it'
    >>> print(refusal(alert, "confirmed", day))
    None
    """
    if alert.state == "withdrawn":
        return "it was withdrawn, because the results that opened it have changed"
    if decision in ("confirmed", "false_alarm"):
        return f"it is called {alert.state.replace('_', ' ')} already" if alert.state == decision else None
    if alert.is_over or alert.state == "false_alarm":
        state = "called a false alarm" if alert.state == "false_alarm" else alert.state
        return f"it is {state} already: only a verdict (confirm, false-alarm) can be given on it"
    if alert.state == "confirmed" and decision != "resolved":
        return "it is confirmed, and quiet already: `resolve` closes it"
    if decision == "snoozed" and (until is None or until <= newest.end):
        given = "an instant" if until is None else format_instant(until)
        return f"a snooze until {given} is over before it begins: the newest window ends {format_instant(newest.end)}"
    return None


def decision_event_id(alert: str, decision: DecisionName, window: Window, at: datetime) -> str:
    """Return the id of a decision: unlike a window, a person may do the same twice to an alert."""
    return event_id(alert, f"{decision} at {at.isoformat()}", window)
