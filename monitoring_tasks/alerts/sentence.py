"""What happened to an alert, in one sentence. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from monitoring_tasks.alerts.alert import Alert, AlertEvent, Evidence
from monitoring_tasks.alerts.clean_text import one_line
from monitoring_tasks.alerts.evidence_table import WHOLE, bound_in_words, listed, series_name, value_in_words
from monitoring_tasks.alerts.local_time import instant_in_words, window_in_words
from monitoring_tasks.alerts.message import TITLE
from monitoring_tasks.checks.wording import counted
from monitoring_tasks.window import Window, format_duration

_NAMES = re.compile(r"(\d+ (?:columns|segments|checks)) \(.*?\)(?= (?:of|in|without|not) )")

ERROR = 120
"""Characters of an error that stand in the sentence."""


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
    mixed: bool = False
    """Whether some of them failed and others were empty."""


def title(monitor: str, alert: Alert, event: AlertEvent, sentence: str) -> str:
    """Return the sentence behind what it is about, in one line for a subject or a short message.

    What stands behind the last semicolon is left out where the line would be too long, then the names of what is
    counted: how often and since when says more.
    """
    how = event.event if event.event in ("resolved", "withdrawn") else alert.severity
    line = f"[{how}] {monitor}: {sentence}"
    if len(line) > TITLE:
        line = line.rpartition("; ")[0] or line
    return line if len(line) <= TITLE else _NAMES.sub(r"\1", line)


def opened(alert: Alert, worst: Evidence | None) -> str:
    """Say what fires since when, and how bad it is."""
    return f"{alert.message}{_worst(worst, 'the worst is')}"


def resolved(alert: Alert, windows: int, worst: Evidence | None, zone: str) -> str:
    """Say that it is over, how long it lasted, and what the worst was."""
    lasted = f"it lasted {counted(windows, 'window')}, {_from_to(alert, zone)}"
    when = "" if worst is None or windows == 1 else f" in {window_in_words(worst.window, zone, named=False)}"
    return f"{alert.name} is over: {lasted}{_worst(worst, 'the worst was')}{when}"


def continued(
    alert: Alert, new: Sequence[str], before: Sequence[str], windows: int, worst: Evidence | None = None
) -> str:
    """Say since when it is open, what is new, what is as before, and how bad it is.

    Parameters
    ----------
    alert
        The alert.
    new, before
        Names of what joined and of what was told before.
    windows
        For how many it has been open.
    worst
        The worst number now.
    """
    open_for = f"{alert.name} is still open after {counted(windows, 'window')}"
    parts = [f"{listed(new)} {'is' if len(new) == 1 else 'are'} new"] if new else []
    parts += [f"{listed(before)} as before"] if before else []
    return f"{open_for}{': ' * bool(parts)}{', '.join(parts)}{_worst(worst, 'the worst is')}"


def escalated(alert: Alert, event: AlertEvent, worst: Evidence | None = None) -> str:
    """Say for how long nobody has acknowledged it, and how bad it is."""
    waited = event.window.end - alert.opened.end
    span = "" if waited <= timedelta() else f" for {format_duration(waited)}"
    return f"nobody has acknowledged {alert.name}{span}: {alert.message}{_worst(worst, 'the worst is')}"


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
    begun, many = instant_in_words(since, zone), f"{silence.windows} windows in a row"
    error = f" ({one_line(silence.error, ERROR)})" if silence.error else ""
    if silence.mixed:
        return f"there are no results since {begun}: {many} failed or were empty, the latest {_ended(silence)}{error}"
    if silence.state == "empty":
        which = f"{many} are empty" if silence.windows > 1 else "a whole window is empty"
        return f"no row has come into {table} since {begun}: {which}"
    which = f"{many} have failed" if silence.windows > 1 else "the window has failed"
    return f"there are no results since {begun}: {which}{error}"


def _ended(silence: Silence) -> str:
    return "failed" if silence.state == "failed" else "was empty"


def _from_to(alert: Alert, zone: str) -> str:
    if alert.last == alert.opened or alert.last.start < alert.opened.start:
        return window_in_words(alert.opened, zone)
    first, last = (window_in_words(each, zone, named=False) for each in (alert.opened, alert.last))
    return f"from {first} until {last} ({zone})"


def _worst(worst: Evidence | None, verb: str) -> str:
    """Say what the worst number is, and its bound."""
    if worst is None or not worst.metric or worst.value is None:
        return ""
    number = f"{worst.metric} {value_in_words(worst.metric, worst.value)}"
    named = series_name(worst.series)
    what = f"{named} with {number}" if worst.column_name else number + named.removeprefix(WHOLE)
    bound = bound_in_words(worst)
    return f"; {verb} {what}{f' (alarm {bound})' if bound.startswith(('above', 'below')) else ''}"
