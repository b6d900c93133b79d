"""Traffic: when a window's rows came, which came twice, and which did not come. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitoring_tasks.window import Window

PARTS = 24
"""Equal parts of a window in which its rows are counted, at most."""

EXAMPLES = 5
"""Keys that came twice, or that did not come, which are kept by name."""

MINUTE = timedelta(minutes=1)
"""Silences are found between the minutes in which rows came: a shorter one inside of a minute is not seen."""


@dataclass(frozen=True)
class Expected:
    """What the table of expected rows says of a window."""

    rows: int | None = None
    """How many should have come; None where the table cannot be read."""
    missing: int | None = None
    """How many of the expected keys did not come; None where the table holds counts, or cannot be read."""
    examples: tuple[str, ...] = ()
    """The first of those keys in code-point order, at most `EXAMPLES`."""
    unreadable: str | None = None
    """Why the table cannot be read."""


@dataclass(frozen=True)
class Traffic:
    """The rows of one window in time."""

    window: Window
    rows: int
    first: datetime | None = None
    """When the first row came, by the log's timestamp; None without rows, and where the timestamp is a date."""
    last: datetime | None = None
    pause: Window | None = None
    """The longest time without a row between two rows, the first of several as long; None where `first` is, and of rows
    that all came in one minute."""
    parts: tuple[int, ...] = ()
    """Rows in equal parts of the window, see `parts_of`; empty where the timestamp is a date."""
    without_key: int | None = None
    """Rows whose key is null; None where the key cannot be read."""
    repeats: int | None = None
    """Rows beyond the first of each key; None where the key cannot be read."""
    repeated: tuple[tuple[str, int], ...] = ()
    """Keys that came more than once with their rows: by falling rows, ties in code-point order; at most `EXAMPLES`."""
    expected: Expected | None = None
    """None of a monitor that names no such table."""

    @property
    def silence(self) -> Window | None:
        """The longest time without a row, that from the window's start and that to its end included.

        None where times are not known. A window without rows is one silence.

        Examples
        --------
        >>> day = Window.parse("2013-04-01", "2013-04-02")
        >>> morning = Window.parse("2013-04-01T08:00", "2013-04-01T09:00")
        >>> str(Traffic(day, 2, morning.start, morning.end, morning, (0,) * 24).silence)
        '2013-04-01T09:00Z/2013-04-02T00:00Z'
        """
        if self.rows == 0 and self.parts:
            return self.window
        if self.first is None or self.last is None:
            return None
        ends = [(self.window.start, self.first), (self.last, self.window.end)]
        found = [Window(start, end) for start, end in ends if start < end]
        found += [self.pause] if self.pause is not None else []
        return max(found, key=lambda each: (each.length, -each.start.timestamp()), default=None)


def parts_of(window: Window) -> int:
    """Return into how many equal parts of whole minutes a window is cut: as many as go, up to `PARTS`.

    Examples
    --------
    >>> parts_of(Window.parse("2013-04-01", "2013-04-02")), parts_of(Window.parse("2013-04-01", "2013-04-01T00:10"))
    (24, 10)
    """
    minutes = window.length // MINUTE
    return next((parts for parts in range(PARTS, 0, -1) if minutes % parts == 0), 1)


def traffic_of(
    window: Window,
    minutes: Sequence[tuple[datetime, int, datetime, datetime]],
    keys: Mapping[str, object] | None = None,
) -> Traffic:
    """Return the traffic of a window from what was counted in each of its minutes.

    Parameters
    ----------
    window
        The window.
    minutes
        Of each minute that has rows, in time order: when it begins, its rows, its first and its last row.
    keys
        The fields about keys, if they are known.
    """
    number = parts_of(window)
    length = window.length / number
    parts = [0] * number
    pause: Window | None = None
    before: datetime | None = None
    for start, rows, first, last in minutes:
        parts[(start - window.start) // length] += rows
        if before is not None and first > before and (pause is None or first - before > pause.length):
            pause = Window(before, first)
        before = last
    return Traffic(
        window,
        rows=sum(parts),
        first=minutes[0][2] if minutes else None,
        last=minutes[-1][3] if minutes else None,
        pause=pause,
        parts=tuple(parts),
        **(keys or {}),  # type: ignore[arg-type]
    )
