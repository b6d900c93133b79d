"""What happened to an alert, in one sentence. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from monitoring_tasks.alerts.alert import Alert, AlertEvent, Evidence, Series
from monitoring_tasks.alerts.evidence_table import bound_in_words, names, series_name, value_in_words
from monitoring_tasks.alerts.local_time import instant_in_words, window_in_words
from monitoring_tasks.checks.wording import counted
from monitoring_tasks.window import Window, format_duration


@dataclass(frozen=True)
class Silence:
    """Windows in a row without results: they failed, or no row came."""

    state: str
    """``failed`` or ``empty``."""
    windows: int
    """How many, the window of the event with them."""
    first: Window
    before: Window | None
    """The last window with results; None if there is none."""
    error: str = ""


def title(monitor: str, alert: Alert, event: AlertEvent, sentence: str) -> str:
    """Return the sentence behind what it is about, in one line for a subject or a short message."""
    over = event.event in ("resolved", "withdrawn")
    short = sentence.partition("; ")[0] if over else sentence
    return f"[{event.event if over else alert.severity}] {monitor}: {short}"


def resolved(alert: Alert, windows: int, worst: Evidence | None, zone: str) -> str:
    """Say that it is over, how long it lasted, and what the worst was."""
    lasted = f"it lasted {counted(windows, 'window')}, {_from_to(alert, zone)}"
    return f"{alert.name} is over: {lasted}{_worst(worst, zone)}"


def continued(alert: Alert, new: Sequence[Series], before: Sequence[Series], windows: int) -> str:
    """Say since when it is open, what is new, and what is as before."""
    open_for = f"{alert.name} is still open after {counted(windows, 'window')}"
    if new:
        rest = f", {names(before)} as before" if before else ""
        return f"{open_for}: {names(new)} {'is' if len(new) == 1 else 'are'} new{rest}"
    return f"{open_for}: {names(alert.series)} as before" if alert.series else open_for


def escalated(alert: Alert, event: AlertEvent) -> str:
    """Say for how long nobody has acknowledged it."""
    waited = event.window.end - alert.opened.end
    span = "" if waited <= timedelta() else f" for {format_duration(waited)}"
    return f"nobody has acknowledged {alert.name}{span}: {alert.message}"


def withdrawn(alert: Alert, *, rule_is_gone: bool) -> str:
    """Say why it never was."""
    if rule_is_gone:
        return f"{alert.name} is withdrawn: the monitor file no longer has such an alert"
    return f"{alert.name} is withdrawn: the results that opened it have changed"


def silent(silence: Silence, table: str, zone: str) -> str:
    """Say that no data or no results came, and since when.

    Examples
    --------
    >>> day = Window.parse("2013-04-02", "2013-04-03")
    >>> silent(Silence("empty", 2, day, Window.parse("2013-04-01", "2013-04-02")), "log", "UTC")
    'no row has come into log since 2013-04-02 (UTC): 2 windows in a row are empty'
    """
    since = silence.first.start if silence.before is None else silence.before.end
    begun = instant_in_words(since, zone)
    many = silence.windows > 1
    if silence.state == "empty":
        which = f"{silence.windows} windows in a row are empty" if many else "a whole window is empty"
        return f"no row has come into {table} since {begun}: {which}"
    which = f"{silence.windows} windows in a row have failed" if many else "the window has failed"
    return f"there are no results since {begun}: {which}{f', with {silence.error}' if silence.error else ''}"


def _from_to(alert: Alert, zone: str) -> str:
    if alert.last == alert.opened or alert.last.start < alert.opened.start:
        return window_in_words(alert.opened, zone)
    first, last = (window_in_words(each, zone, named=False) for each in (alert.opened, alert.last))
    return f"from {first} until {last} ({zone})"


def _worst(worst: Evidence | None, zone: str) -> str:
    if worst is None:
        return ""
    number = f"{worst.metric} {value_in_words(worst.metric, worst.value)}"
    what = f"{series_name(worst.series)} with {number}" if worst.column_name or worst.segment else number
    bound = bound_in_words(worst)
    held = f" (alarm {bound})" if bound.startswith(("above", "below")) else ""
    return f"; the worst was {what}{held} in {window_in_words(worst.window, zone, named=False)}"
