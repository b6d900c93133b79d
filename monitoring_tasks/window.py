"""Windows: half-open UTC intervals, cut by a schedule in the monitor's own time zone.

Airflow's ``CronDataIntervalTimetable`` cuts the same intervals, so a window made on the command line and one made by
the scheduler are the same window. A test holds the two together over both daylight-saving changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise, starmap, takewhile
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import CroniterBadDateError, CroniterError, croniter

from monitoring_tasks.errors import ConfigError

SHORTEST = timedelta(minutes=10)
"""Below ten minutes a scheduler spends longer on starting the tasks than the window lasts."""

PRESETS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@quarterly": "0 0 1 */3 *",
    "@yearly": "0 0 1 1 *",
}

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True, order=True)
class Window:
    """The half-open interval ``[start, end)``, in UTC.

    Examples
    --------
    >>> str(Window.parse("2013-04-01T04:00Z", "2013-04-02T04:00Z"))
    '2013-04-01T04:00Z/2013-04-02T04:00Z'
    """

    start: datetime
    """First instant inside, aware, UTC."""
    end: datetime
    """First instant after, aware, UTC."""

    def __post_init__(self) -> None:
        """Refuse naive times and empty intervals; turn other zones into UTC."""
        for name in ("start", "end"):
            value = getattr(self, name)
            if value.tzinfo is None:
                raise ValueError(f"`{name}` must have a time zone, not {value.isoformat()}")
            object.__setattr__(self, name, value.astimezone(UTC))
        if self.start >= self.end:
            raise ValueError(f"a window must end after it starts, not {self}")

    @classmethod
    def parse(cls, start: str, end: str) -> Window:
        """Make a window of two ISO 8601 instants; those without a zone are UTC."""
        return cls(parse_instant(start, "UTC"), parse_instant(end, "UTC"))

    @property
    def length(self) -> timedelta:
        """Elapsed time from start to end."""
        return self.end - self.start

    def overlaps(self, other: Window) -> bool:
        """Tell whether the two have an instant in common."""
        return self.start < other.end and other.start < self.end

    def holds(self, other: Window) -> bool:
        """Tell whether all of the other is in this one."""
        return self.start <= other.start and other.end <= self.end

    def __str__(self) -> str:
        """Render as an ISO 8601 interval."""
        return f"{format_instant(self.start)}/{format_instant(self.end)}"


ALL_TIME = Window(datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))
"""The window that a table without times is."""


@dataclass(frozen=True)
class Schedule:
    """A cron expression in a time zone; every two neighbouring ticks bound one window.

    Examples
    --------
    >>> days = Schedule("0 0 * * *", "America/New_York").windows(
    ...     datetime(2013, 3, 9, 5, tzinfo=UTC), datetime(2013, 3, 12, 4, tzinfo=UTC))
    >>> [int(day.length.total_seconds() // 3600) for day in days]  # the clocks go forward on 10 March
    [24, 23, 24]
    """

    expression: str
    """Five cron fields."""
    timezone: str = "UTC"
    """IANA name of the zone the fields are read in."""

    def __post_init__(self) -> None:
        """Refuse what Airflow's timetable would refuse, and windows under ten minutes."""
        _zone(self.timezone)
        parts = self.expression.split()
        if len(parts) > 5:
            raise ConfigError(
                f"schedule {self.expression!r} has {len(parts)} fields: write five (minute hour day month weekday)"
            )
        if any(re.match(r"[rh](?![a-z])", part, re.IGNORECASE) for part in parts):
            raise ConfigError(
                f"schedule {self.expression!r} is not a cron expression: R and H are drawn at random, and windows must "
                "be the same every time"
            )
        try:
            ticks = croniter(self.expression, 0)
            ticks.get_next()
        except CroniterBadDateError:
            raise ConfigError(
                f"schedule {self.expression!r} never ticks: there is no such date, write another day or month"
            ) from None
        except CroniterError as error:
            raise ConfigError(f"schedule {self.expression!r} is not a cron expression: {error}") from None
        fields = ticks.expanded
        minutes = range(60) if fields[0] == ["*"] else sorted(int(minute) for minute in fields[0])
        gaps = [after - before for before, after in pairwise([*minutes, minutes[0] + 60])]
        if timedelta(minutes=min(gaps)) < SHORTEST:
            raise ConfigError(
                f"schedule {self.expression!r} makes windows of {min(gaps)} minutes: the shortest is 10 minutes"
            )

    @property
    def of_whole_days(self) -> bool:
        """Whether every window begins and ends with a day of the time zone."""
        return all([str(tick) for tick in field] == ["0"] for field in croniter(self.expression).expanded[:2])

    def windows(self, start: datetime, end: datetime) -> tuple[Window, ...]:
        """Return every whole window inside ``[start, end)``, in time order.

        Raises
        ------
        ConfigError
            If the calendar begins after the first tick or ends before the last one that must be looked at.
        """
        return tuple(self.each_window(start, end))

    def each_window(self, start: datetime, end: datetime) -> Iterator[Window]:
        """Yield what `windows` returns, one by one: of an `end` in a far future nobody needs all."""
        try:
            ticks = takewhile(lambda tick: tick <= end, self._ticks(start - timedelta(microseconds=1)))
            yield from starmap(Window, pairwise(ticks))
        except (OverflowError, ValueError):  # ValueError: of the libraries that compute the next tick
            raise ConfigError(
                f"windows of {self.expression!r} ({self.timezone}) between {format_instant(start)} and "
                f"{format_instant(end)} reach beyond the calendar's years 1 to 9999: choose a period well inside them"
            ) from None

    def _ticks(self, after: datetime) -> Iterator[datetime]:
        """Yield the ticks later than `after`, by the algorithm of Airflow's cron timetable.

        croniter knows no daylight saving, so ticks are found on the wall clock and then placed in the zone. A schedule
        that ticks in every hour must tick in the repeated hour of autumn too: there the elapsed time is added instead.
        """
        zone = _zone(self.timezone)
        ticks = croniter(self.expression)
        every_hour = ticks.expanded[1] == ["*"]
        current = after.astimezone(UTC)
        while True:
            naive = current.astimezone(zone).replace(tzinfo=None, fold=0)
            following = ticks.get_next(datetime, start_time=naive)
            current = current + (following - naive) if every_hour else _place(following, zone, fold=1)
            yield current


def require_ended(windows: Iterable[Window], now: datetime, whose: str) -> None:
    """Raise if a window ends after `now`: it would be stored with a part of its rows, or none.

    Examples
    --------
    >>> require_ended([Window.parse("2013-04-01", "2013-04-02")], datetime(2013, 4, 2, tzinfo=UTC), "monitor 'loans'")

    Raises
    ------
    ConfigError
        Which begins with `whose` and names the first such window.
    """
    first = next((window for window in windows if window.end > now), None)
    if first is not None:
        raise ConfigError(
            f"{whose}: window {first} has not ended yet, it is {format_instant(now.replace(microsecond=0))}: choose a "
            f"period that ends by {format_instant(first.start)}"
        )


def parse_schedule(text: str, timezone: str = "UTC") -> Schedule:
    """Read a cron expression, a preset such as ``@daily``, or a duration such as ``10m``.

    A duration is the length of a window. It must divide an hour or a day, so that windows begin at the same times every
    day whatever the first one was.

    Examples
    --------
    >>> parse_schedule("10m").expression, parse_schedule("6h").expression
    ('*/10 * * * *', '0 */6 * * *')
    """
    text = text.strip()
    if text.startswith("@"):
        if text not in PRESETS:
            raise ConfigError(f"schedule {text!r} is not a preset: write one of {', '.join(PRESETS)}")
        return Schedule(PRESETS[text], timezone)
    if " " in text:
        return Schedule(" ".join(text.split()), timezone)
    minutes = parse_duration(text) / timedelta(minutes=1)
    if minutes < 10:
        raise ConfigError(f"schedule {text!r} is too short: the shortest window is 10 minutes")
    if minutes < 60 and 60 % minutes == 0:
        return Schedule(f"*/{minutes:.0f} * * * *", timezone)
    if minutes % 60 == 0 and minutes < 1440 and 1440 % minutes == 0:
        hours = minutes / 60
        return Schedule("0 * * * *" if hours == 1 else f"0 */{hours:.0f} * * *", timezone)
    if minutes == 1440:
        return Schedule(PRESETS["@daily"], timezone)
    raise ConfigError(
        f"schedule {text!r} divides neither an hour nor a day: write 10m, 12m, 15m, 20m, 30m, 1h, 2h, 3h, 4h, 6h, 8h, "
        "12h or 1d, or a cron expression such as '0 0 * * 1' for weeks that begin on Monday"
    )


def parse_duration(text: str) -> timedelta:
    """Read a duration: digits and one of s, m, h, d, w; several may follow each other.

    Examples
    --------
    >>> parse_duration("1d12h")
    datetime.timedelta(days=1, seconds=43200)
    """
    parts = re.findall(r"(\d+)([smhdw])", text.strip())
    if not parts or "".join(number + unit for number, unit in parts) != text.strip():
        raise ConfigError(f"{text!r} is not a duration: write a number and a unit, such as 30m, 12h, 7d or 8w")
    try:
        return sum((timedelta(**{_UNITS[unit]: int(number)}) for number, unit in parts), timedelta())
    except (OverflowError, ValueError):  # ValueError: Python reads no number of over 4300 digits
        raise ConfigError(f"{text.strip()[:40]!r} is longer than time can be counted: write such as 7d or 8w") from None


def format_duration(duration: timedelta) -> str:
    """Render a duration as `parse_duration` reads it, in days, hours, minutes and seconds.

    Examples
    --------
    >>> format_duration(timedelta(weeks=4)), format_duration(timedelta(minutes=90))
    ('28d', '1h30m')
    """
    minutes, seconds = divmod(int(duration.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours // 24, "d"), (hours % 24, "h"), (minutes, "m"), (seconds, "s")]
    return "".join(f"{number}{unit}" for number, unit in parts if number) or "0s"


def parse_instant(value: str | date, timezone: str) -> datetime:
    """Read an ISO 8601 date or time; without a zone of its own it is read in `timezone`. Returns UTC.

    Examples
    --------
    >>> parse_instant("2013-04-01", "America/New_York").isoformat()
    '2013-04-01T04:00:00+00:00'
    """
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            raise ConfigError(
                f"{value!r} is not a date or time: write 2013-04-01, 2013-04-01T06:00 or 2013-04-01T06:00Z"
            ) from None
    if not isinstance(value, datetime):
        value = datetime.combine(value, time())
    try:
        return _place(value, _zone(timezone)) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        raise ConfigError(f"{value.isoformat()!r} is not a date or time between the years 1 and 9999 in UTC") from None


def begins_day(instant: datetime, timezone: str) -> bool:
    """Tell whether a day of the zone begins at `instant`: at midnight, or later where the clocks skip that."""
    wall_clock = instant.astimezone(_zone(timezone))
    return wall_clock.time() == time() or parse_instant(wall_clock.date(), timezone) == instant


def first_date(instant: datetime, timezone: str) -> date:
    """Return the date of the first day of the zone that does not begin before `instant`.

    Examples
    --------
    >>> first_date(datetime(2013, 4, 1, 4, tzinfo=UTC), "America/New_York").isoformat()
    '2013-04-01'
    >>> first_date(datetime(2013, 4, 1, 4, 1, tzinfo=UTC), "America/New_York").isoformat()
    '2013-04-02'
    """
    today = instant.astimezone(_zone(timezone)).date()
    return today if begins_day(instant, timezone) else today + timedelta(days=1)


def format_instant(instant: datetime) -> str:
    """Render a UTC instant as short as it goes: seconds only where there are any."""
    text = instant.astimezone(UTC).isoformat(timespec="auto").removesuffix("+00:00")
    return text.removesuffix(":00") + "Z"


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigError(f"{name!r} is not a time zone: write an IANA name such as Europe/Berlin, or UTC") from None


def _place(wall_clock: datetime, zone: ZoneInfo, fold: int = 0) -> datetime:
    """Return the UTC instant at which `zone`'s clocks show `wall_clock`; a skipped time moves forward by the gap.

    `fold` chooses between the two instants that show a repeated time: 0 the first, 1 the second.
    """
    instant = wall_clock.replace(tzinfo=zone, fold=fold).astimezone(UTC)
    skipped = instant.astimezone(zone).replace(tzinfo=None, fold=0) != wall_clock.replace(fold=0)
    return wall_clock.replace(tzinfo=zone, fold=0).astimezone(UTC) if skipped else instant
