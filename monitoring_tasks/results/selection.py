"""Which rows a read or a write is about: one window's, or those of the windows inside a period."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import groupby
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, select

from monitoring_tasks.profile import Profile
from monitoring_tasks.results import tables
from monitoring_tasks.results.rows import profiles_of
from monitoring_tasks.window import Window

T = TypeVar("T")


def is_window(table: Table, monitor: str, window: Window) -> ColumnElement[bool]:
    """Select the rows of one window."""
    return and_(table.c.monitor == monitor, table.c.window_start == window.start, table.c.window_end == window.end)


def of_same_window(one: Table, other: Table) -> ColumnElement[bool]:
    """Join the rows of two tables that are about the same window."""
    return and_(*(one.c[name] == other.c[name] for name in ("monitor", "window_start", "window_end")))


def is_inside(table: Table, monitor: str, start: datetime | None, end: datetime | None) -> ColumnElement[bool]:
    """Select the rows of whole windows inside ``[start, end)``; None is no bound."""
    conditions = [table.c.monitor == monitor]
    if start is not None:
        conditions.append(table.c.window_start >= start)
    if end is not None:
        # The second condition follows from the first, and is the one the key's index can use.
        conditions += [table.c.window_end <= end, table.c.window_start < end]
    return and_(*conditions)


def select_profiles(
    connection: Connection, where: ColumnElement[bool]
) -> Iterator[tuple[Window, str, tuple[Profile, ...]]]:
    """Yield each window's profiles with their baseline's id, without holding them all in memory.

    They come in time order, and of those that begin together the longest first.
    """
    table = tables.profile
    found = select(table).where(where).order_by(table.c.window_start, table.c.window_end.desc(), table.c.position)
    rows = connection.execute(found.execution_options(yield_per=1000))
    for (start, end), group in groupby(rows, key=_window):
        of_window = [row._asdict() for row in group]
        yield Window(start, end), of_window[0]["baseline_id"], profiles_of(of_window)


def apart(found: Iterable[T], window: Callable[[T], Window]) -> Iterator[T]:
    """Leave out what begins before the last that was kept has ended: a short window inside a longer one, say.

    Parameters
    ----------
    found
        In time order, and of those that begin together the longest first.
    window
        Returns the window of each.

    Examples
    --------
    >>> day, hour = Window.parse("2013-04-01", "2013-04-02"), Window.parse("2013-04-01T05:00", "2013-04-01T06:00")
    >>> [str(kept) for kept in apart([day, hour], lambda itself: itself)]
    ['2013-04-01T00:00Z/2013-04-02T00:00Z']
    """
    end = None
    for each in found:
        if end is None or window(each).start >= end:
            end = window(each).end
            yield each


def _window(row: Row[Any]) -> tuple[datetime, datetime]:
    return row.window_start, row.window_end
