"""Which earlier windows a window is compared with, by a moving or seasonal baseline or by a band. Pure."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from monitoring_tasks.window import Window, format_duration, parse_instant

if TYPE_CHECKING:
    from monitoring_tasks.config.models import Monitor, SeasonName

MINIMUM_WINDOWS = 3
"""With fewer earlier windows that have rows, a window is compared with the fixed baseline.

Of two windows, one that was out of order is half of what the next is compared with, and nobody could tell which of the
two it was.
"""

MINIMUM_BAND_WINDOWS = 8
"""With fewer earlier windows that count, a band of what is usual is not trusted.

Its width is a median of as many deviations: of normal values 1.6 % lie above a band of width 4 after 8 windows, 4.9 %
after 5.
"""

SOME = 28
"""At most of so many earlier windows it is asked what they were compared with themselves: of four weeks all days."""

CYCLES: Mapping[SeasonName, timedelta] = {
    "hour_of_day": timedelta(days=1),
    "day_of_week": timedelta(weeks=1),
    "hour_of_week": timedelta(weeks=1),
}
"""How long each cycle is."""


def place_in(season: SeasonName, instant: datetime, timezone: str) -> tuple[int, ...]:
    """Return where the zone's wall clock stands in the cycle at `instant`.

    Examples
    --------
    >>> place_in("hour_of_week", parse_instant("2013-04-01T05:30", "America/New_York"), "America/New_York")
    (0, 5, 30)
    """
    wall_clock = instant.astimezone(ZoneInfo(timezone))
    day, time = (wall_clock.weekday(),), (wall_clock.hour, wall_clock.minute)
    return {"hour_of_day": time, "day_of_week": day, "hour_of_week": day + time}[season]


def look_back_start(end: datetime, length: timedelta, timezone: str) -> datetime:
    """Return the instant `length` before `end`: whole days are days of the zone, of 23 or 25 hours where clocks change.

    Examples
    --------
    >>> look_back_start(parse_instant("2013-03-11T00:00", "America/New_York"), timedelta(days=1), "America/New_York")
    datetime.datetime(2013, 3, 10, 5, 0, tzinfo=datetime.timezone.utc)
    """
    try:
        if length % timedelta(days=1):
            return end.astimezone(UTC) - length
        wall_clock = end.astimezone(ZoneInfo(timezone)).replace(tzinfo=None)
        return parse_instant(wall_clock - length, timezone)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)


class LookBack:
    """The earlier windows that some windows of a monitor are compared with: by its baseline, or by its bands.

    ``rolling: D`` are the windows of the schedule that lie wholly inside ``[start - D, start)`` of the window,
    ``seasonal: {by, over}`` those inside ``[start - over, start)`` that begin at the same place of the cycle, as the
    wall clock of the monitor's time zone shows it. Bands look at all of the longest time that one of them is taken
    over. Nothing before the baseline's period is looked at; with a baseline
    that is a table, nothing before the monitor's `start`: what the log holds before that, nobody has vouched for.

    Parameters
    ----------
    monitor
        With a moving or a seasonal baseline; or with bands.
    windows
        Those that will be asked for, in time order; the schedule is worked out once for all of them.
    over
        How far back each window itself looks, such as the longest time that a band is taken over; None for what the
        baseline looks at.
    season
        With `over`, look only at windows that begin at the same place of this cycle.
    whole_cycles
        Of a seasonal baseline, all windows inside ``[start - over, start)``, of the windows that begin a cycle.

    Attributes
    ----------
    reach
        Nothing before this instant is looked at.
    windows
        The windows of the schedule since then.
    """

    def __init__(
        self,
        monitor: Monitor,
        windows: Sequence[Window],
        over: timedelta | None = None,
        *,
        season: SeasonName | None = None,
        whole_cycles: bool = False,
    ) -> None:
        seasonal, rolling, period = monitor.baseline.seasonal, monitor.baseline.rolling, monitor.baseline.period
        self._schedule = monitor.schedule
        self._of_band = over is not None
        self._season = season if self._of_band else seasonal.by if seasonal and not whole_cycles else None
        self._cycle = seasonal.by if seasonal and whole_cycles else None
        length = over or (seasonal.over if seasonal else rolling)
        if length is None:
            raise ValueError(f"the baseline of monitor {monitor.name!r} does not move")
        self._length = length
        self._floor = monitor.start if period is None else period.start
        self._since = monitor.start if period is None else period.end
        self._first, self._last = windows[0].start, windows[-1].start
        self.reach = self._start(self._first) if self._of_band else self._start(self._start(self._first))
        found = monitor.schedule.windows(self.reach, self._last) if self.reach < self._last else ()
        self.windows = frozenset(found)
        self._by_place: dict[tuple[int, ...], list[Window]] = {}
        for window in found:
            self._by_place.setdefault(self._place(window), []).append(window)

    @property
    def label(self) -> str:
        """What the baseline is, as results say it."""
        length = format_duration(self._length)
        return f"seasonal {self._season} over {length}" if self._season else f"rolling {length}"

    def begins_cycle(self, window: Window) -> bool:
        """Tell whether a window is the first of a day or of a week of the zone, whichever the season repeats by."""
        zone = ZoneInfo(self._schedule.timezone)
        mine, before = (each.astimezone(zone).date() for each in (window.start, window.start - window.length))
        if self._cycle is not None and CYCLES[self._cycle] > timedelta(days=1):
            return mine.isocalendar()[:2] != before.isocalendar()[:2]
        return mine != before

    def is_asked(self, window: Window) -> bool:
        """Tell whether this window looks back: for whole cycles only the first one of each."""
        return self._cycle is None or self.begins_cycle(window)

    @property
    def singly(self) -> bool:
        """Whether each window counts by itself: a longer one that it was rolled up into cannot stand for it."""
        return self._of_band or self._season is not None

    def looks(self, window: Window) -> tuple[tuple[Window, ...], ...]:
        """Return all that must be known of for this one: of a baseline also all that `before_some` returns."""
        mine, spans = self._spans(window)
        return tuple(tuple(mine[first:last]) for first, last in spans)

    def looks_at_any(self, window: Window, others: Sequence[Window]) -> bool:
        """Tell whether one of the others, in time order, must be known of for this one: see `looks`."""
        if not self.is_asked(window):
            return False
        mine, spans = self._spans(window)
        for first, last in spans:
            if first < last:
                since = bisect_left(others, mine[first].start, key=_start_of)
                near = others[since : bisect_right(others, mine[last - 1].start, key=_start_of)]
                if any(mine[bisect_left(mine, other.start, key=_start_of)] == other for other in near):
                    return True
        return False

    def looked_at(self, windows: Sequence[Window]) -> frozenset[Window]:
        """Return what `looks` returns for all of these together, without the list of each: most are in thousands."""
        by_place: dict[tuple[int, ...], set[tuple[int, int]]] = {}
        for window in windows:
            by_place.setdefault(self._place(window), set()).update(self._spans(window)[1])
        found: set[Window] = set()
        for place, spans in by_place.items():
            mine, end = self._by_place.get(place, []), 0
            for first, last in sorted(spans):
                found.update(mine[max(first, end) : last])
                end = max(end, last)
        return frozenset(found)

    def before(self, window: Window) -> tuple[Window, ...]:
        """Return the windows that this one is compared with, in time order; none of a monitor that is too young."""
        self._check(window)
        return self._inside(window)

    def before_some(self, window: Window) -> tuple[tuple[Window, ...], ...]:
        """Return what some of those windows are themselves compared with: of the latest, and of at most `SOME` in all.

        The latest comes first, the others lie evenly back to the earliest that does not begin in the baseline's period.
        """
        before = [each for each in self._after_the_period(self.before(window))[::-1] if self.is_asked(each)]
        step = max(1, math.ceil(len(before) / SOME))
        return tuple(self._inside(earlier) for earlier in before[::step])

    def _after_the_period(self, windows: Sequence[Window]) -> Sequence[Window]:
        """Leave out those that begin in the period: a few days of a month are not like the month, nor need they be."""
        return windows[bisect_left(windows, self._since, key=_start_of) :]

    def _inside(self, window: Window) -> tuple[Window, ...]:
        mine = self._like(window)
        first, last = self._span(mine, self._start(window.start), window)
        return tuple(mine[first:last])

    def _spans(self, window: Window) -> tuple[Sequence[Window], tuple[tuple[int, int], ...]]:
        """Return the windows of the same place, and from where to where in them `looks` looks."""
        self._check(window)
        mine = self._like(window)
        before = first, last = self._span(mine, self._start(window.start), window)
        later = bisect_left(mine, self._since, first, last, key=_start_of)
        if self._of_band or later == last:
            return mine, (before,)
        return mine, (before, self._span(mine, self._start(mine[later].start), mine[last - 1]))

    def _span(self, mine: Sequence[Window], start: datetime, window: Window) -> tuple[int, int]:
        """Return which of these lie between an instant and a window."""
        first = bisect_left(mine, start, key=_start_of)
        return first, max(first, bisect_right(mine, window.start, key=lambda earlier: earlier.end))

    def _like(self, window: Window) -> Sequence[Window]:
        return self._by_place.get(self._place(window), [])

    def _check(self, window: Window) -> None:
        if not self._first <= window.start <= self._last:
            raise ValueError(f"{window} is not among the windows that are looked back from")

    def _start(self, end: datetime) -> datetime:
        return max(look_back_start(end, self._length, self._schedule.timezone), self._floor)

    def _place(self, window: Window) -> tuple[int, ...]:
        return () if self._season is None else place_in(self._season, window.start, self._schedule.timezone)


def _start_of(window: Window) -> datetime:
    return window.start
