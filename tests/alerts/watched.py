"""A made-up monitor's windows as rules see them, in a notation that tests can be read in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from monitoring_tasks.alerts.alert import Series
from monitoring_tasks.alerts.lifecycle import Watch
from monitoring_tasks.alerts.sighting import Sighting
from monitoring_tasks.config.models import AlertRule
from monitoring_tasks.window import Window

FIRST = datetime(2013, 4, 1, tzinfo=UTC)
TEMP, DEWP = Series("data_drift", "temp", ""), Series("data_drift", "dewp", "")


def day(number: int) -> Window:
    """Return day 0, 1, 2, ..."""
    start = FIRST + timedelta(days=number)
    return Window(start, start + timedelta(days=1))


def watch(windows: str | int = 1, **keys: object) -> Watch:
    """Return a rule over `data_drift`, by default of one window and a cooldown of two days."""
    keys = {"cooldown": "2d", "notify": ["ops"]} | keys
    return Watch("flights", AlertRule(name="drift", when={"check": "data_drift", "windows": windows}, **keys))


def sighting(number: int, seen: str) -> Sighting:
    """Return what day `number` shows: of temp, and then of dewp, ``x`` matches, ``.`` does not, ``?`` is not known."""
    pairs = list(zip((TEMP, DEWP), seen.ljust(2, "."), strict=True))
    matched = {series: 3.0 if series == TEMP else 2.0 for series, mark in pairs if mark == "x"}
    unknown = frozenset(series for series, mark in pairs if mark == "?")
    return Sighting(day(number), matched, unknown, frozenset(["data_drift"]))


def sightings(seen: str, first: int = 0) -> list[Sighting]:
    """Return one sighting for each character, or for each word if there are several."""
    marks = seen.split() if " " in seen else list(seen)
    return [sighting(first + number, mark) for number, mark in enumerate(marks)]
