"""Traffic: when a window's rows came, which came twice, and which did not come. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from monitoring_tasks.window import Window

PARTS = 24
"""Equal parts of a window in which its rows are counted, at most."""

EXAMPLES = 5
"""Keys that came twice, or that did not come, which are kept by name."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

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
    key_unreadable: str | None = None
    """Why the key cannot be read."""
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
    """Return the traffic of a window from a few of its minutes; of many see `traffic_by_minute`.

    Parameters
    ----------
    window
        The window.
    minutes
        Of each minute that has rows, in time order: when it begins, its rows, its first and its last row.
    keys
        The fields about keys, if they are known.
    """
    counts = [
        ((start - window.start) // MINUTE, rows, (first - EPOCH) // MICROSECOND, (last - EPOCH) // MICROSECOND)
        for start, rows, first, last in minutes
    ]
    starts, rows_, firsts, lasts = np.array(counts, np.int64).reshape(-1, 4).T
    return traffic_by_minute(window, starts, rows_, firsts, lasts, keys)


def traffic_by_minute(
    window: Window,
    minutes: NDArray[np.int64],
    rows: NDArray[np.int64],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    keys: Mapping[str, object] | None = None,
) -> Traffic:
    """Return the traffic of a window from what was counted in each of its minutes.

    Parameters
    ----------
    window
        The window, which begins and ends at whole minutes.
    minutes : int ndarray, shape (k,)
        Those that have rows, ascending, counted from 0 at the window's start.
    rows : int ndarray, shape (k,)
        Rows in each.
    first, last : int ndarray, shape (k,)
        Its first and its last row, in microseconds since 1970.
    keys
        The fields about keys, if they are known.

    Examples
    --------
    >>> day = Window.parse("1970-01-01", "1970-01-02")
    >>> second = 1_000_000
    >>> found = traffic_by_minute(
    ...     day, np.array([0, 90]), np.array([2, 5]), np.array([0, 5400]) * second, np.array([59, 5401]) * second)
    >>> found.parts[:3], str(found.pause), str(found.silence)
    ((2, 5, 0), '1970-01-01T00:00:59Z/1970-01-01T01:30Z', '1970-01-01T01:30:01Z/1970-01-02T00:00Z')
    """
    number = parts_of(window)
    parts = np.zeros(number, np.int64)
    np.add.at(parts, minutes // (window.length // MINUTE // number), rows)
    pauses = first[1:] - last[:-1]
    longest = int(pauses.argmax()) if len(pauses) else None  # the first of several as long
    pause = None
    if longest is not None and pauses[longest] > 0:
        pause = Window(_instant(last[longest]), _instant(first[longest + 1]))
    return Traffic(
        window,
        rows=int(rows.sum()),
        first=_instant(first[0]) if len(first) else None,
        last=_instant(last[-1]) if len(last) else None,
        pause=pause,
        parts=tuple(parts.tolist()),
        **(keys or {}),  # type: ignore[arg-type]
    )


def added(parts: Sequence[Traffic], window: Window) -> Traffic:
    """Return the traffic of a window from that of shorter ones that fill it, in time order.

    A key may have come once in each of two of them: how many came twice, and which, is not known of the sum. Nor are
    the rows in its own parts if one of theirs lies in two of those.
    """
    seen = [each for each in parts if each.first is not None and each.last is not None]
    pauses = [each.pause for each in seen if each.pause is not None]
    between = ((before.last, after.first) for before, after in pairwise(seen))
    pauses += [
        Window(last, first) for last, first in between if last is not None and first is not None and last < first
    ]
    expected = [each.expected for each in parts if each.expected is not None]
    no_key = [each.without_key for each in parts if each.without_key is not None]
    return Traffic(
        window,
        rows=sum(each.rows for each in parts),
        first=seen[0].first if seen else None,
        last=seen[-1].last if seen else None,
        pause=max(pauses, key=lambda each: (each.length, -each.start.timestamp()), default=None),
        parts=_parts_added(parts, window),
        without_key=sum(no_key) if len(no_key) == len(parts) else None,
        expected=_expected_added(expected) if len(expected) == len(parts) else None,
    )


def _parts_added(parts: Sequence[Traffic], window: Window) -> tuple[int, ...]:
    counts, length = [0] * parts_of(window), window.length / parts_of(window)
    for each in parts:
        if not each.parts:
            return ()
        step = each.window.length / len(each.parts)
        for i, rows in enumerate(each.parts):
            begin = each.window.start - window.start + i * step
            if begin // length != (begin + step - MICROSECOND) // length:
                return ()
            counts[begin // length] += rows
    return tuple(counts)


def _expected_added(expected: Sequence[Expected]) -> Expected:
    unreadable = next((each.unreadable for each in expected if each.unreadable is not None), None)
    if unreadable is not None:
        return Expected(unreadable=unreadable)
    missing = [each.missing for each in expected if each.missing is not None]
    return Expected(
        rows=sum(each.rows or 0 for each in expected),
        missing=sum(missing) if len(missing) == len(expected) else None,
        examples=tuple(sorted(key for each in expected for key in each.examples)[:EXAMPLES]),
    )


def _instant(microseconds: np.int64) -> datetime:
    return EPOCH + int(microseconds) * MICROSECOND
