"""When something happened, as the people say who read about it: in the monitor's zone, by name."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from monitoring_tasks.window import Window, begins_day


def instant_in_words(instant: datetime, zone: str) -> str:
    """Write an instant in a zone, as a date where a day begins.

    Examples
    --------
    >>> instant_in_words(Window.parse("2013-04-01T04:00Z", "2013-04-01T05:00Z").end, "America/New_York")
    '2013-04-01 01:00 (America/New_York)'
    """
    return f"{_wall_clock(instant, zone)} ({zone})"


def window_in_words(window: Window, zone: str, *, named: bool = True) -> str:
    """Write a window in a zone, as short as it goes; the zone is named unless a line beside it has done so.

    Examples
    --------
    >>> window_in_words(Window.parse("2013-04-02T04:00Z", "2013-04-03T04:00Z"), "America/New_York")
    '2013-04-02 (America/New_York)'
    >>> window_in_words(Window.parse("2013-04-02T10:00Z", "2013-04-02T10:10Z"), "UTC")
    '2013-04-02 10:00 to 10:10 (UTC)'
    >>> window_in_words(Window.parse("2013-04-01", "2013-04-08"), "UTC", named=False)
    '2013-04-01 to 2013-04-07'
    """
    first, last = window.start.astimezone(ZoneInfo(zone)), window.end.astimezone(ZoneInfo(zone))
    if begins_day(window.start, zone) and begins_day(window.end, zone):
        until = last.date() - timedelta(days=1)
        text = f"{first.date()}" if until <= first.date() else f"{first.date()} to {until}"
    elif first.date() == last.date() and first.utcoffset() == last.utcoffset():
        text = f"{first:%Y-%m-%d %H:%M} to {last:%H:%M}"
    else:
        text = f"{_wall_clock(window.start, zone)} to {_wall_clock(window.end, zone)}"
    return f"{text} ({zone})" if named else text


def _wall_clock(instant: datetime, zone: str) -> str:
    local = instant.astimezone(ZoneInfo(zone))
    return f"{local.date()}" if begins_day(instant, zone) else f"{local:%Y-%m-%d %H:%M}"
