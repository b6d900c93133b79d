"""An alert in one sentence: what, in how many windows, since when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from monitoring_tasks.alerts.alert import Series
from monitoring_tasks.alerts.firing import Firing
from monitoring_tasks.checks.wording import counted
from monitoring_tasks.config.models import AlertRule, AlertStatusName
from monitoring_tasks.window import Window, begins_day, first_date, format_instant

NAMED = 5
"""Columns and segments that are named; the rest is counted."""

_OVER = "; over since "

_IS: dict[AlertStatusName, str] = {
    "alarm": "in alarm",
    "warning": "in warning or alarm",
    "insufficient_data": "without enough rows to judge",
    "error": "not computed because of an error",
}


def sentence(rule: AlertRule, firing: Firing, opened: Window, timezone: str, *, no_data: str = "") -> str:
    """Say what a rule found.

    Parameters
    ----------
    rule, firing
        The rule, and what fires.
    opened
        The window that opened the alert.
    timezone
        The monitor's: windows that begin with a day are called by its date.
    no_data
        ``empty`` or ``failed`` if what matches is that windows held no rows or could not be read, and nothing else.

    Examples
    --------
    >>> rule = AlertRule(name="drift", when={"check": "data_drift", "windows": "2 of 3"})
    >>> fires = Firing(tuple(Series("data_drift", name, "") for name in ("temp", "dewp", "carrier")), (), 2, 3)
    >>> sentence(rule, fires, Window.parse("2013-04-03", "2013-04-04"), "UTC")
    'drift: 3 columns (temp, dewp, carrier) in alarm in 2 of the last 3 windows, since 2013-04-03'
    >>> rule = AlertRule(name="silence", when={"check": "operations", "status": "insufficient_data"})
    >>> fires = Firing((Series("operations", "", ""),), (), 1, 1)
    >>> sentence(rule, fires, Window.parse("2013-04-03T06:00", "2013-04-03T07:00"), "UTC", no_data="empty")
    'silence: no rows, since 2013-04-03T06:00Z'
    """
    windows = rule.when.windows
    often = "" if windows.n == 1 else f" in {firing.matched} of the last {counted(firing.of, 'window')}"
    if firing.matched == firing.of > 1:
        often = f" in {firing.of} windows in a row"
    since = f", since {called(opened, timezone)}"
    if no_data == "empty":
        return f"{rule.name}: no rows{often}{since}"
    if no_data == "failed":
        return f"{rule.name}: {_listed('check', _checks(firing.series))} not computed: the window failed{often}{since}"
    return f"{rule.name}: {_subject(firing.series)} {_IS[rule.when.status]}{often}{since}"


def over(message: str, window: Window, timezone: str) -> str:
    """Say beside an alert's sentence since which window its condition does not hold any more.

    Examples
    --------
    >>> over("drift: temp in alarm, since 2013-04-03", Window.parse("2013-04-05", "2013-04-06"), "UTC")
    'drift: temp in alarm, since 2013-04-03; over since 2013-04-05'
    """
    return f"{message.partition(_OVER)[0]}{_OVER}{called(window, timezone)}"


def withdrawn(message: str, *, rule_is_gone: bool = False) -> str:
    """Say beside an alert's sentence that it should not have been told, or that nothing asks for it any more."""
    why = "the monitor file no longer asks for it" if rule_is_gone else "the results that opened it have changed"
    return f"{message.partition(_OVER)[0]}; withdrawn: {why}"


def called(window: Window, timezone: str) -> str:
    """Write when a window begins: the date in the monitor's zone if a day begins there, else the instant in UTC."""
    if begins_day(window.start, timezone):
        return first_date(window.start, timezone).isoformat()
    return format_instant(window.start)


def _subject(series: Sequence[Series]) -> str:
    columns = list(dict.fromkeys(each.column_name for each in series if each.column_name))
    whole = _checks(each for each in series if not each.column_name)
    parts = [" and ".join(whole)] * bool(whole) + [_listed("column", columns)] * bool(columns)
    subject = " and ".join(parts)
    if all(each.segment for each in series):
        subject += f" of {_listed('segment', list(dict.fromkeys(each.segment for each in series)))}"
    return subject


def _checks(series: Iterable[Series]) -> list[str]:
    return list(dict.fromkeys(each.check_name for each in series))


def _listed(what: str, names: Sequence[str]) -> str:
    if len(names) == 1:
        return names[0]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{counted(len(names), what)} ({', '.join(names[:NAMED])}{more})"
