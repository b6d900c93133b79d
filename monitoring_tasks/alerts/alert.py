"""An alert, its events, and the results that it stands on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Literal, NamedTuple

from monitoring_tasks.window import Window, format_instant

AlertStateName = Literal["open", "acknowledged", "snoozed", "resolved", "confirmed", "false_alarm", "withdrawn"]

MonitorEventName = Literal["opened", "continued", "escalated", "resolved", "withdrawn"]
"""What results do to an alert."""

DecisionName = Literal["acknowledged", "snoozed", "resolved", "confirmed", "false_alarm"]
"""What a person does to it."""


class Series(NamedTuple):
    """What is watched from window to window: one column in one segment, as one check sees it, by whichever metric."""

    check_name: str
    column_name: str
    """A feature, the prediction, the score or the label; empty for the whole window."""
    segment: str
    """``origin=JFK``; empty for all rows."""


@dataclass(frozen=True)
class Evidence:
    """A result that a rule matched, with the numbers that a person needs to believe it."""

    window: Window
    check_name: str
    metric: str
    column_name: str
    segment: str
    status: str
    value: float | None = None
    value_lower: float | None = None
    value_upper: float | None = None
    p_value: float | None = None
    threshold_lower: float | None = None
    threshold_upper: float | None = None
    baseline_rows: int | None = None
    window_rows: int | None = None
    message: str = ""

    @property
    def series(self) -> Series:
        """What it is a number of."""
        return Series(self.check_name, self.column_name, self.segment)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values: as in the table `result`, times as text."""
        values = {name: value for name, value in asdict(self).items() if name != "window"}
        window = {"window_start": format_instant(self.window.start), "window_end": format_instant(self.window.end)}
        return {**window, **values}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Evidence:
        """Return what `to_json` was made of."""
        window = Window.parse(values["window_start"], values["window_end"])
        known = {field.name for field in fields(cls)} - {"window"}
        return cls(window, **{name: value for name, value in values.items() if name in known})


@dataclass(frozen=True)
class Alert:
    """What a rule says of one group of series: open since a window, until its condition ends or a person closes it."""

    alert_id: str
    monitor: str
    name: str
    group_key: str
    severity: str
    state: AlertStateName
    opened: Window
    """The window that opened it."""
    last: Window
    """The latest window in which its condition held."""
    series: tuple[Series, ...]
    """What fires, worst first; of a resolved alert what fired last."""
    message: str
    """One sentence for a person."""
    resolved_end: datetime | None = None
    """End of the window in which the condition ended. A person's verdict stays beside it."""
    snoozed_until: datetime | None = None
    told_end: datetime | None = None
    """End of the latest window whose message went into the outbox."""
    series_before: tuple[Series, ...] = ()
    """What fired earlier in this alert and does not any more: if it fires again, that is no news."""

    @property
    def span(self) -> Window:
        """The time from the window that opened it to the last that it covers."""
        return Window(self.opened.start, max(self.last.end, self.resolved_end or self.last.end))

    @property
    def is_over(self) -> bool:
        """Whether nothing that happens from now on belongs to it: a later window may open a new alert."""
        verdict = self.state in ("confirmed", "false_alarm")
        return self.state in ("resolved", "withdrawn") or (verdict and self.resolved_end is not None)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns inside, worst first, each once; without the whole window."""
        return tuple(dict.fromkeys(series.column_name for series in self.series if series.column_name))


@dataclass(frozen=True)
class AlertEvent:
    """One thing that happened to an alert, because of a window or because of a person."""

    event_id: str
    alert_id: str
    sequence: int
    """1, 2, ... within the alert."""
    event: MonitorEventName | DecisionName
    window: Window
    """The window that made it; of a person's decision the newest that alerts had been decided on by then."""
    tell: bool
    """Whether people are told; false for backfilled windows, within the cooldown, and for what a person did."""
    actor: str = ""
    """Who decided; empty for the monitor itself."""
    note: str = ""
    until: datetime | None = None
    """End of a snooze."""
    evidence: tuple[Evidence, ...] = ()


def alert_id(monitor: str, name: str, group_key: str, opened: Window) -> str:
    """Return the id of the alert that this window opens: the same whenever and wherever it is worked out.

    Examples
    --------
    >>> alert_id("flight-delays", "drift", "", Window.parse("2013-04-01", "2013-04-02"))
    'a95b2208f557'
    """
    return _digest(monitor, name, group_key, str(opened))


def event_id(alert: str, event: str, window: Window) -> str:
    """Return the id of what a window does to an alert: the same whenever and wherever it is worked out."""
    return _digest(alert, event, str(window))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
