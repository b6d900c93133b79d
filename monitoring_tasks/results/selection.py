"""Which rows a read or a write is about: one window's, or those of the windows inside a period."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, select

from monitoring_tasks.profile import Profile
from monitoring_tasks.results import tables
from monitoring_tasks.results.rows import profiles_of
from monitoring_tasks.window import Window


def is_window(table: Table, monitor: str, window: Window) -> ColumnElement[bool]:
    """Select the rows of one window."""
    return and_(table.c.monitor == monitor, table.c.window_start == window.start, table.c.window_end == window.end)


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
    """Yield each window's profiles with their baseline's id, in time order, without holding them all in memory."""
    table = tables.profile
    found = select(table).where(where).order_by(table.c.window_start, table.c.window_end, table.c.position)
    rows = connection.execute(found.execution_options(yield_per=1000))
    for (start, end), group in groupby(rows, key=_window):
        of_window = [row._asdict() for row in group]
        yield Window(start, end), of_window[0]["baseline_id"], profiles_of(of_window)


def _window(row: Row[Any]) -> tuple[datetime, datetime]:
    return row.window_start, row.window_end
