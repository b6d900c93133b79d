"""What one rule sees of one window: which series match, which do not, and of which nothing is known."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, NamedTuple

from monitoring_tasks.alerts.alert import Series
from monitoring_tasks.config.models import AlertStatusName, When
from monitoring_tasks.window import Window

ABOUT_LABELS = ("label_coverage", "label_lag", "unknown_label_keys", "labels_without_time", "labels_of_the_future")
"""Metrics that are known before the labels are: that they are in order says nothing of a model's performance."""

MATCHING: Mapping[AlertStatusName, tuple[str, ...]] = MappingProxyType(
    {
        "alarm": ("alarm",),
        "warning": ("warning", "alarm"),
        "insufficient_data": ("insufficient_data",),
        "error": ("error",),
    }
)
"""The statuses of results that a rule's status means: where one is worse than another, the worse ones too."""

JUDGED: Mapping[AlertStatusName, tuple[str, ...]] = MappingProxyType(
    {
        "alarm": ("ok", "warning", "alarm"),
        "warning": ("ok", "warning", "alarm"),
        "insufficient_data": ("ok", "warning", "alarm", "info", "insufficient_data"),
        "error": ("ok", "warning", "alarm", "info", "insufficient_data", "error"),
    }
)
"""The statuses that say whether a rule's status is met; the others leave it open."""


class Seen(NamedTuple):
    """The rows of one series in one window, added up."""

    series: Series
    matched: bool
    """Whether one of them matches the rule."""
    judged: bool
    """Whether one of them says whether it does."""
    excess: float = 1.0
    """How many times the bound the worst of those that match is beyond it."""


@dataclass(frozen=True)
class Sighting:
    """What one rule sees of one window."""

    window: Window
    matched: Mapping[Series, float] = field(default_factory=dict)
    """The series that match, and how many times their bound they are beyond it."""
    unknown: frozenset[Series] = frozenset()
    """Series that have rows none of which says anything."""
    judged: frozenset[str] = frozenset()
    """Checks that judged something: a series of theirs without rows does not match."""
    whole: frozenset[Series] = frozenset()
    """Those of the series that match because the window has no data, not because of a result."""
    state: Literal["done", "failed", "empty"] = "done"
    """How the window ended."""

    def matches(self, series: Series) -> bool | None:
        """Tell whether the series matches; None if that is not known."""
        if series in self.matched:
            return True
        if series in self.unknown or series.check_name not in self.judged:
            return None
        return False


def sighting(
    when: When,
    window: Window,
    state: Literal["done", "failed", "empty"],
    seen: Iterable[Seen] = (),
    judged: Collection[str] = (),
    written: Collection[str] = (),
) -> Sighting:
    """Return what a rule sees of a window.

    A check that did not write a *failed* window is unknown there, whatever rows of an earlier run still stand; of a
    rule about errors it matches as a whole. So does each check of an *empty* window of a rule about insufficient data.

    Parameters
    ----------
    when
        The rule's condition.
    window, state
        The window and how it ended.
    seen
        The series with rows of the rule's checks, metric and column; those that are judged and do not match may be left
        out.
    judged
        The checks with a row that is judged, of whatever metric and column.
    written
        The checks that wrote the window since it was read. Only asked for if it failed.

    Examples
    --------
    >>> window, drift = Window.parse("2013-04-01", "2013-04-02"), Series("data_drift", "temp", "")
    >>> found = sighting(When(check="data_drift"), window, "done", [Seen(drift, True, True, 2.5)], ["data_drift"])
    >>> found.matches(drift), found.matches(drift._replace(column_name="dewp"))
    (True, False)
    >>> print(sighting(When(check="data_drift"), window, "failed").matches(drift))
    None
    """
    checks = {name for name in when.check if state != "failed" or name in written}
    mine = [each for each in seen if each.series.check_name in checks]
    matched = {each.series: each.excess for each in mine if each.matched}
    known = {name for name in judged if name in checks}
    whole = {Series(name, "", "") for name in when.check if name not in checks} if when.status == "error" else set()
    if state == "empty" and when.status == "insufficient_data":
        whole = {Series(name, "", "") for name in when.check}
    matched |= dict.fromkeys(whole - matched.keys(), 1.0)
    unknown = frozenset(each.series for each in mine if not each.matched and not each.judged)
    known |= {series.check_name for series in whole}
    return Sighting(window, matched, unknown - whole, frozenset(known), frozenset(whole), state)


def concerns(when: When, series: Series) -> bool:
    """Tell whether a rule is about the series: not any more, maybe, once the monitor file was edited."""
    return series.check_name in when.check and (when.column is None or series.column_name in (when.column, ""))
