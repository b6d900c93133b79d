"""What the rules of alerts see: windows that are due, what checks found in them, and what an event stands on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    delete,
    func,
    or_,
    select,
)

from monitoring_tasks.alerts.alert import Evidence, Series
from monitoring_tasks.alerts.sighting import ABOUT_LABELS, JUDGED, MATCHING, Seen, Sighting, sighting
from monitoring_tasks.config.models import When
from monitoring_tasks.results import tables
from monitoring_tasks.results.selection import is_window, of_same_window
from monitoring_tasks.results.store import Store
from monitoring_tasks.window import Window

EVIDENCE = 100
"""Results that an event keeps, the worst of them: the others are in the table `result`."""


def due_windows(connection: Connection, monitor: str) -> dict[Window, bool]:
    """Return the closed windows that alerts are still to be decided on, and whether people are to be told of each."""
    due, run = tables.window_due, tables.window_run
    closed = select(run.c.state).where(of_same_window(run, due)).exists()  # a join would read all windows on SQLite
    found = select(due.c.window_start, due.c.window_end, due.c.tell).where(due.c.monitor == monitor, closed)
    rows = connection.execute(found)
    return dict(sorted((Window(row.window_start, row.window_end), row.tell) for row in rows))


def set_done(connection: Connection, monitor: str, windows: Collection[Window]) -> None:
    """Record that alerts were decided on these windows."""
    table = tables.window_due
    this = and_(table.c.window_start == bindparam("start"), table.c.window_end == bindparam("end"))
    if windows:
        keys = [{"start": window.start, "end": window.end} for window in windows]
        connection.execute(delete(table).where(table.c.monitor == monitor, this), keys)


def newest_decided(connection: Connection, monitor: str) -> Window | None:
    """Return the newest window that alerts were decided on."""
    due, run = tables.window_due, tables.window_run
    waits = select(due.c.tell).where(of_same_window(due, run)).exists()
    found = select(run.c.window_start, run.c.window_end).where(run.c.monitor == monitor, ~waits)
    row = connection.execute(found.order_by(run.c.window_start.desc(), run.c.window_end.desc()).limit(1)).first()
    return None if row is None else Window(*row)


def oldest_run(connection: Connection, monitor: str) -> Window | None:
    """Return the oldest window that is still known."""
    table = tables.window_run
    found = select(table.c.window_start, table.c.window_end).where(table.c.monitor == monitor)
    row = connection.execute(found.order_by(table.c.window_start, table.c.window_end).limit(1)).first()
    return None if row is None else Window(*row)


def touched(connection: Connection, monitor: str, window: Window) -> bool:
    """Tell whether an alert or an event knows of this window or a later one."""
    alert, event = tables.alert, tables.alert_event
    mine = alert.c.monitor == monitor
    later = or_(alert.c.last_window_start >= window.start, alert.c.resolved_window_end >= window.end)
    if connection.execute(select(alert.c.alert_id).where(mine, later).limit(1)).first() is not None:
        return True
    of_alert = select(event.c.event_id).join(alert, alert.c.alert_id == event.c.alert_id)
    return connection.execute(of_alert.where(mine, event.c.window_start >= window.start).limit(1)).first() is not None


_State = Literal["done", "failed", "empty"]


def windows_since(
    connection: Connection, monitor: str, first: Window, newest: Window | None, *, last: Window | None = None
) -> dict[Window, _State]:
    """Return this window and all later ones, or those up to the `last`, with how they ended, in window order.

    Those that are run again just now, because rows or labels of theirs have come, are among them as they were, up to
    the `newest` that alerts were decided on.
    """
    table = tables.window_run
    found = select(table.c.window_start, table.c.window_end, table.c.state)
    found = found.where(table.c.monitor == monitor, table.c.window_start >= first.start)
    if last is not None:
        found = found.where(table.c.window_start <= last.start)
    states = {Window(row.window_start, row.window_end): row.state for row in connection.execute(found)}
    for window in () if newest is None else _waiting(connection, monitor):
        if newest is not None and window <= newest:
            states.setdefault(window, "done")
    return {window: states[window] for window in sorted(states) if first <= window <= (last or window)}


def windows_before(connection: Connection, monitor: str, window: Window, number: int) -> dict[Window, _State]:
    """Return the last so many windows before this one with how they ended, in window order."""
    if number == 0:
        return {}
    table = tables.window_run
    earlier = and_(table.c.monitor == monitor, table.c.window_start <= window.start)
    found = select(table.c.window_start, table.c.window_end, table.c.state).where(earlier)
    # Several windows may begin together after the schedule was changed; at most one more of them is not before.
    found = found.order_by(table.c.window_start.desc(), table.c.window_end.desc()).limit(number + 10)
    states = {Window(row.window_start, row.window_end): row.state for row in connection.execute(found)}
    for waiting in _waiting(connection, monitor):
        states.setdefault(waiting, "done")
    chosen = sorted(each for each in states if each < window)[-number:]
    return {each: states[each] for each in chosen}


def _waiting(connection: Connection, monitor: str) -> set[Window]:
    found: set[Window] = set()
    for table in (tables.window_labels, tables.traffic):
        waits = select(table.c.window_start, table.c.window_end).where(table.c.monitor == monitor, table.c.waiting)
        found.update(Window(*row) for row in connection.execute(waits))
    return found


# What rules see.


def read_sightings(
    connection: Connection, monitor: str, when: When, windows: Mapping[Window, _State]
) -> tuple[Sighting, ...]:
    """Return what a rule's condition sees of these windows, in window order."""
    if not windows:
        return ()
    table = tables.result
    starts = [window.start for window in windows]
    inside = and_(
        table.c.monitor == monitor,
        table.c.window_start.between(min(starts), max(starts)),
        table.c.check_name.in_(when.check),
    )
    key = (table.c.window_start, table.c.window_end, table.c.check_name, table.c.column_name, table.c.segment)
    seen: dict[Window, dict[Series, Seen]] = {window: {} for window in windows}
    bounds = (table.c.value, table.c.threshold_lower, table.c.threshold_upper)
    for each in connection.execute(select(*key, *bounds).where(inside, *_meant(when), _matches(when))):
        _add(seen, each, Seen(Series(*each[2:5]), matched=True, judged=True, excess=excess(*each[5:])))
    meant = _says_something(when)
    judged = table.c.status.in_(JUDGED[when.status])
    open_ = [name for name in ("insufficient_data", "error") if name not in JUDGED[when.status]]
    if open_:
        asked = select(*key).where(inside, *_meant(when), meant, or_(judged, table.c.status.in_(open_)))
        none_judged = func.max(case((judged, 1), else_=0)) == 0
        for row in connection.execute(asked.group_by(*key).having(none_judged)):
            _add(seen, row, Seen(Series(*row[2:5]), matched=False, judged=False))
    checks: dict[Window, set[str]] = {}
    for start, end, check in connection.execute(select(*key[:3]).where(inside, meant, judged).distinct()):
        checks.setdefault(Window(start, end), set()).add(check)
    written = _written(connection, monitor, [window for window, state in windows.items() if state == "failed"])
    return tuple(
        sighting(when, window, state, seen[window].values(), checks.get(window, ()), written.get(window, ()))
        for window, state in windows.items()
    )


def _add(seen: dict[Window, dict[Series, Seen]], row: Any, found: Seen) -> None:
    of_window = seen.get(Window(row[0], row[1]))
    if of_window is None:
        return
    before = of_window.get(found.series)
    if before is None or (found.matched and found.excess > before.excess):
        of_window[found.series] = found


def _meant(when: When) -> list[ColumnElement[bool]]:
    table = tables.result
    metric = [] if when.metric is None else [table.c.metric == when.metric]
    return metric + ([] if when.column is None else [table.c.column_name == when.column])


def _matches(when: When) -> ColumnElement[bool]:
    return tables.result.c.status.in_(MATCHING[when.status])


def _says_something(when: When) -> ColumnElement[bool]:
    metric = tables.result.c.metric
    about_labels = metric.in_([name for name in ABOUT_LABELS if name != when.metric])
    return ~about_labels


def _written(connection: Connection, monitor: str, failed: Sequence[Window]) -> dict[Window, set[str]]:
    """Return which checks wrote each of these windows."""
    found: dict[Window, set[str]] = {}
    if not failed:
        return found
    table = tables.check_run
    starts = [window.start for window in failed]
    inside = table.c.window_start.between(min(starts), max(starts))
    rows = select(table.c.window_start, table.c.window_end, table.c.check_name).where(
        table.c.monitor == monitor, inside
    )
    for row in connection.execute(rows):
        found.setdefault(Window(row.window_start, row.window_end), set()).add(row.check_name)
    return found


def excess(value: float | None, lower: float | None, upper: float | None) -> float:
    """Return how many times a bound the value is beyond it; 1 where there is no such number.

    Examples
    --------
    >>> excess(0.3, None, 0.1), excess(0.5, 0.75, None), excess(None, None, 0.1)
    (2.9999999999999996, 1.5, 1.0)
    """
    if value is None:
        return 1.0
    if upper is not None and 0 < upper < value:
        return value / upper
    if lower is not None and 0 < value < lower:
        return lower / value
    return 1.0


def read_evidence(
    connection: Connection, monitor: str, when: When, window: Window, series: Sequence[Series], *, over: bool = False
) -> tuple[Evidence, ...]:
    """Return the results of a window that an event stands on, in the order of the series and worst first.

    Those that match the condition; with `over`, those that were judged, which say that it holds no more. Of a window
    that held no rows or could not be read, that.
    """
    table = tables.result
    of_checks = is_window(table, monitor, window) & table.c.check_name.in_(when.check)
    statuses = ("ok", "warning", "alarm") if over else MATCHING[when.status]
    found = select(table).where(of_checks, table.c.status.in_(statuses), *_meant(when))
    if over:
        found = found.where(or_(table.c.threshold_lower.is_not(None), table.c.threshold_upper.is_not(None)))
    places = {each: place for place, each in enumerate(series)}
    rows = [row._asdict() for row in connection.execute(found)]
    kept = [evidence_of(row) for row in rows if _series(row) in places]
    kept.sort(key=lambda each: (places[each.series], -_excess(each), each.metric))
    return tuple(kept[:EVIDENCE]) if kept or over else _no_data(connection, monitor, window, when, series)


def matched_since(store: Store, monitor: str, when: When, opened: Window, series: Sequence[Series]) -> Window:
    """Return the first of the windows that an alert was opened by: of k in n, the one in which the change began."""
    with store.reading() as connection:
        for window, state in windows_before(connection, monitor, opened, when.windows.n - 1).items():
            told_by_rows = state == "done" or when.status in ("insufficient_data", "error")
            if told_by_rows and read_evidence(connection, monitor, when, window, series):
                return window
    return opened


def _no_data(
    connection: Connection, monitor: str, window: Window, when: When, series: Sequence[Series]
) -> tuple[Evidence, ...]:
    table = tables.window_run
    run = connection.execute(select(table.c.state, table.c.error).where(is_window(table, monitor, window))).first()
    if run is None or run.state == "done":
        return ()
    said = f"window {window} held no rows" if run.state == "empty" else run.error or f"window {window} failed"
    return tuple(Evidence(window, *(each[0], "", *each[1:]), when.status, message=said) for each in series)[:EVIDENCE]


def evidence_of(row: Mapping[str, Any]) -> Evidence:
    """Return a row of `result` as what an alert stands on."""
    names = ("check_name", "metric", "column_name", "segment", "status", "value", "value_lower", "value_upper")
    numbers = ("p_value", "threshold_lower", "threshold_upper", "baseline_rows", "window_rows", "message")
    return Evidence(Window(row["window_start"], row["window_end"]), **{name: row[name] for name in (*names, *numbers)})


def _series(row: Mapping[str, Any]) -> Series:
    return Series(row["check_name"], row["column_name"], row["segment"])


def _excess(evidence: Evidence) -> float:
    return excess(evidence.value, evidence.threshold_lower, evidence.threshold_upper)
