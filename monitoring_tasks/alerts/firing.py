"""Which series fire: those that match in at least k of the last n windows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitoring_tasks.alerts.alert import Series
from monitoring_tasks.alerts.sighting import Sighting


@dataclass(frozen=True)
class Firing:
    """What fires in a window."""

    series: tuple[Series, ...] = ()
    """The series that fire, worst first: those that match now, then by how far they are beyond their bound."""
    held: tuple[Series, ...] = ()
    """Series that fired before, and of which nothing is known now."""
    matched: int = 0
    """In how many of the windows looked at the one matched that matched most often."""
    of: int = 0
    """How many windows were looked at."""


def firing(
    k: int,
    sightings: Sequence[Sighting],
    candidates: Collection[Series],
    active: Collection[Series] = (),
    since: datetime | None = None,
) -> Firing:
    """Return which series fire in the last of the windows.

    One fires if it matches in at least `k` of them, and matches in the last or fired before. An unknown window counts
    as one that does not match, and does not end what fired before: that stays, held, until something is known of it,
    and fires on if it matches then, however few matches the unknown windows have left.

    Parameters
    ----------
    k
        How often the same series must match.
    sightings
        Those of the last n windows, in window order; fewer at a monitor's beginning.
    candidates
        The series to look at.
    active
        The series that fired in the window before or were held there.
    since
        Matches of windows that ended by then do not count: a person has closed the alert that they opened.

    Examples
    --------
    >>> from monitoring_tasks.window import Window
    >>> days = [Window.parse(f"2013-04-0{day}", f"2013-04-0{day + 1}") for day in (1, 2, 3)]
    >>> drift = Series("data_drift", "temp", "")
    >>> seen = [Sighting(day, {drift: 2.0}, judged=frozenset(["data_drift"])) for day in days[:2]]
    >>> firing(2, seen, [drift]).matched
    2
    >>> firing(2, [*seen, Sighting(days[2])], [drift], active=[drift]).series == (drift,)
    True
    """
    last = sightings[-1]
    counting = [each for each in sightings if since is None or each.window.end > since]
    found: dict[Series, tuple[int, bool, float]] = {}
    held = []
    for series in candidates:
        excesses = [each.matched[series] for each in counting if series in each.matched]
        now, fired = last.matches(series), series in active
        if len(excesses) >= (1 if now and fired else k) and (now or fired):
            found[series] = len(excesses), bool(now), excesses[-1]
        elif fired and now is None:
            held.append(series)

    def order(series: Series) -> tuple[bool, float, bool, Series]:
        _, now, excess = found[series]
        return not now, -excess, series.segment != "", series

    matched = max((count for count, _, _ in found.values()), default=0)
    return Firing(tuple(sorted(found, key=order)), tuple(sorted(held)), matched, len(sightings))
