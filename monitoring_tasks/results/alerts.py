"""Alerts in the results store: what rules see of the stored results, alerts and events as rows, what people decide."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    true,
    update,
)

from monitoring_tasks.actions.retraining import action_id
from monitoring_tasks.alerts.alert import Alert, AlertEvent, DecisionName, Evidence, Series, event_id
from monitoring_tasks.alerts.decision import decide, decision_event_id, refusal
from monitoring_tasks.alerts.sighting import ABOUT_LABELS, JUDGED, MATCHING, Seen, Sighting, sighting
from monitoring_tasks.alerts.verdicts import Verdicts
from monitoring_tasks.config.models import AlertRule, When
from monitoring_tasks.errors import ConfigError
from monitoring_tasks.results import tables
from monitoring_tasks.results.selection import is_window, of_same_window
from monitoring_tasks.results.store import Store
from monitoring_tasks.results.tables import Instant
from monitoring_tasks.window import Window

EVIDENCE = 100
"""Results that an event keeps, the worst of them: the others are in the table `result`."""

VERDICTS = 10
"""Alerts with a verdict that are looked back on."""

OPEN = ("open", "acknowledged", "snoozed")


@dataclass(frozen=True)
class StoredEvent:
    """An event without its evidence."""

    event_id: str
    sequence: int
    event: str
    window: Window
    tell: bool
    actor: str
    until: datetime | None


# Windows.


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
    kept = [_evidence(window, row) for row in rows if _series(row) in places]
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


def _evidence(window: Window, row: Mapping[str, Any]) -> Evidence:
    names = ("check_name", "metric", "column_name", "segment", "status", "value", "value_lower", "value_upper")
    numbers = ("p_value", "threshold_lower", "threshold_upper", "baseline_rows", "window_rows", "message")
    return Evidence(window, **{name: row[name] for name in (*names, *numbers)})


def _series(row: Mapping[str, Any]) -> Series:
    return Series(row["check_name"], row["column_name"], row["segment"])


def _excess(evidence: Evidence) -> float:
    return excess(evidence.value, evidence.threshold_lower, evidence.threshold_upper)


# Alerts and events as rows.


def alert_row(alert: Alert) -> dict[str, Any]:
    """Return the row of `alert`."""
    return {
        "alert_id": alert.alert_id,
        "monitor": alert.monitor,
        "name": alert.name,
        "group_key": alert.group_key,
        "severity": alert.severity,
        "state": alert.state,
        "window_start": alert.opened.start,
        "window_end": alert.opened.end,
        "last_window_start": alert.last.start,
        "last_window_end": alert.last.end,
        "resolved_window_end": alert.resolved_end,
        "snoozed_until": alert.snoozed_until,
        "told_window_end": alert.told_end,
        "series": [list(each) for each in alert.series],
        "series_before": [list(each) for each in alert.series_before],
        "columns": list(alert.columns),
        "message": alert.message,
    }


def alert_of(row: Mapping[str, Any]) -> Alert:
    """Undo `alert_row`."""
    return Alert(
        alert_id=row["alert_id"],
        monitor=row["monitor"],
        name=row["name"],
        group_key=row["group_key"],
        severity=row["severity"],
        state=row["state"],
        opened=Window(row["window_start"], row["window_end"]),
        last=Window(row["last_window_start"], row["last_window_end"]),
        series=tuple(Series(*each) for each in row["series"] or ()),
        message=row["message"],
        resolved_end=row["resolved_window_end"],
        snoozed_until=row["snoozed_until"],
        told_end=row["told_window_end"],
        series_before=tuple(Series(*each) for each in row["series_before"] or ()),
    )


def event_row(event: AlertEvent, recorded_at: datetime) -> dict[str, Any]:
    """Return the row of `alert_event`."""
    return {
        "event_id": event.event_id,
        "alert_id": event.alert_id,
        "sequence": event.sequence,
        "event": event.event,
        "window_start": event.window.start,
        "window_end": event.window.end,
        "actor": event.actor,
        "note": event.note,
        "until": event.until,
        "evidence": [each.to_json() for each in event.evidence],
        "tell": event.tell,
        "recorded_at": recorded_at,
    }


def event_of(row: Mapping[str, Any]) -> AlertEvent:
    """Undo `event_row`."""
    return AlertEvent(
        event_id=row["event_id"],
        alert_id=row["alert_id"],
        sequence=row["sequence"],
        event=row["event"],
        window=Window(row["window_start"], row["window_end"]),
        tell=row["tell"],
        actor=row["actor"],
        note=row["note"],
        until=row["until"],
        evidence=tuple(Evidence.from_json(each) for each in row["evidence"]),
    )


def select_alerts(connection: Connection, where: ColumnElement[bool]) -> tuple[Alert, ...]:
    """Return the alerts for which the condition holds, in the order of their opening."""
    table = tables.alert
    order = (table.c.window_start, table.c.window_end, table.c.name, table.c.group_key)
    rows = connection.execute(select(table).where(where).order_by(*order))
    return tuple(alert_of(row._asdict()) for row in rows)


def stored_events(connection: Connection, alerts: Iterable[str]) -> dict[str, list[StoredEvent]]:
    """Return the events of these alerts without their evidence, in their order."""
    table = tables.alert_event
    names = ("alert_id", "event_id", "sequence", "event", "window_start", "window_end", "tell", "actor", "until")
    found: dict[str, list[StoredEvent]] = {alert: [] for alert in alerts}
    ids = list(found)
    for first in range(0, len(ids), 500):
        mine = table.c.alert_id.in_(ids[first : first + 500])
        for row in connection.execute(
            select(*(table.c[name] for name in names)).where(mine).order_by(table.c.sequence)
        ):
            window = Window(row.window_start, row.window_end)
            event = StoredEvent(row.event_id, row.sequence, row.event, window, row.tell, row.actor, row.until)
            found[row.alert_id].append(event)
    return found


def with_requests(connection: Connection, alerts: Collection[str]) -> set[str]:
    """Return those of the alerts because of which a new model was asked for."""
    table = tables.action
    found: set[str] = set()
    ids = list(alerts)
    for first in range(0, len(ids), 500):
        mine = table.c.alert_id.in_(ids[first : first + 500]) & (table.c.decision == "trigger")
        found.update(connection.execute(select(table.c.alert_id).where(mine).distinct()).scalars())
    return found


def last_of_groups(
    connection: Connection, monitor: str, name: str, *, told: bool, before: datetime | None = None
) -> dict[str, datetime]:
    """Return for each group of a rule the end of the last window that was told, or after which a person resolved.

    With `before`, of windows that begin before it.
    """
    event, alert = tables.alert_event, tables.alert
    of_rule = and_(alert.c.monitor == monitor, alert.c.name == name)
    which = event.c.tell if told else and_(event.c.event == "resolved", event.c.actor != "")
    end = func.max(event.c.window_end, type_=Instant())
    found = select(alert.c.group_key, end).join(alert, alert.c.alert_id == event.c.alert_id).where(of_rule, which)
    if before is not None:
        found = found.where(event.c.window_start < before)
    return {row[0]: row[1] for row in connection.execute(found.group_by(alert.c.group_key))}


def write_alert(connection: Connection, alert: Alert, *, new: bool) -> None:
    """Insert or update the alert's row."""
    row, table = alert_row(alert), tables.alert
    if new:
        connection.execute(insert(table), row)
    else:
        connection.execute(update(table).where(table.c.alert_id == alert.alert_id).values(row))


def free_id(connection: Connection, alert: Alert) -> str:
    """Return the alert's id, or another if it belongs to one that began in the same window once and was moved."""
    table, found = tables.alert, alert.alert_id
    while connection.execute(select(table.c.alert_id).where(table.c.alert_id == found)).first() is not None:
        found = event_id(found, "moved", alert.opened)
    return found


def delete_alerts(connection: Connection, replaced: Mapping[str, str | None]) -> None:
    """Delete alerts that nobody knows of, with their events.

    What was decided not to be done because of one stands on the alert that takes its place, and goes where there is
    none.
    """
    table = tables.action
    for alert, successor in replaced.items():
        mine = table.c.alert_id == alert
        if successor is None:
            connection.execute(delete(table).where(mine))
        else:
            for row in connection.execute(select(table).where(mine)).all():
                window = Window(row.window_start, row.window_end)
                moved = {"alert_id": successor, "action_id": action_id(successor, row.target, window)}
                connection.execute(update(table).where(table.c.action_id == row.action_id).values(moved))
        for other in (tables.alert_event, tables.alert):
            connection.execute(delete(other).where(other.c.alert_id == alert))


def delete_events(connection: Connection, events: Collection[str]) -> None:
    """Delete events that nobody was told of."""
    table = tables.alert_event
    for event in events:
        connection.execute(delete(table).where(table.c.event_id == event))


def insert_event(connection: Connection, event: AlertEvent, now: datetime) -> None:
    """Insert an event."""
    connection.execute(insert(tables.alert_event), event_row(event, now))


def update_event(connection: Connection, event: str, evidence: Sequence[Evidence], *, tell: bool) -> None:
    """Record what an event stands on by now, and whether people are told of it."""
    table = tables.alert_event
    values = {"evidence": [each.to_json() for each in evidence], "tell": tell}
    connection.execute(update(table).where(table.c.event_id == event).values(values))


def number_events(connection: Connection, alert: str) -> None:
    """Number an alert's events in window order; what a person decided comes after what its window did."""
    table = tables.alert_event
    columns = (table.c.event_id, table.c.sequence, table.c.window_start, table.c.window_end, table.c.actor)
    rows = list(connection.execute(select(*columns).where(table.c.alert_id == alert)))
    rows.sort(key=lambda row: (row.window_start, row.window_end, row.actor != "", row.sequence))
    if [row.sequence for row in rows] == list(range(1, len(rows) + 1)):
        return
    for sign in (-1, 1):  # the numbers are unique at every moment
        for number, row in enumerate(rows, start=1):
            mine = table.c.event_id == row.event_id
            connection.execute(update(table).where(mine).values(sequence=sign * number))


def insert_deliveries(
    connection: Connection, monitor: str, event: str, channels: Iterable[str], message: Mapping[str, Any], now: datetime
) -> None:
    """Put a message into the outbox, once for each channel."""
    rows = [
        {
            "delivery_id": hashlib.sha256(f"{event}\n{channel}".encode()).hexdigest()[:12],
            "event_id": event,
            "monitor": monitor,
            "channel": channel,
            "state": "waiting",
            "attempts": 0,
            "message": message,
            "created_at": now,
            "next_attempt_at": now,
        }
        for channel in dict.fromkeys(channels)
    ]
    if rows:
        connection.execute(insert(tables.delivery), rows)


# What people ask and decide.


def read_alerts(
    store: Store, monitor: str | None = None, *, name: str | None = None, only_open: bool = False
) -> tuple[Alert, ...]:
    """Return alerts, of one monitor and rule or of all, in the order of their opening."""
    with store.reading() as connection:
        return select_alerts(connection, _asked(monitor, name, only_open=only_open))


def _asked(monitor: str | None, name: str | None, *, only_open: bool) -> ColumnElement[bool]:
    table = tables.alert
    asked: list[ColumnElement[bool]] = [true()]
    asked += [] if monitor is None else [table.c.monitor == monitor]
    asked += [] if name is None else [table.c.name == name]
    asked += [is_open()] if only_open else []
    return and_(*asked)


def is_open() -> ColumnElement[bool]:
    """Return the condition for alerts that still ask for somebody, as in the view `open_alerts`."""
    table = tables.alert
    incident = and_(table.c.state == "confirmed", table.c.resolved_window_end.is_(None))
    return or_(table.c.state.in_(OPEN), incident)


def read_alert(store: Store, alert: str) -> Alert:
    """Return an alert by its id or the beginning of it.

    Raises
    ------
    ConfigError
        If there is none, or several begin so.
    """
    with store.reading() as connection:
        return _find(connection, alert)


def _find(connection: Connection, alert: str) -> Alert:
    table = tables.alert
    asked = alert.strip()
    begins = func.substr(table.c.alert_id, 1, len(asked)) == asked
    found = select_alerts(connection, begins) if asked else ()
    if len(found) == 1:
        return found[0]
    if not found:
        raise ConfigError(
            f"there is no alert {alert!r}: `monitoring-tasks alerts list --all` shows all, with their ids"
        )
    ids = ", ".join(each.alert_id for each in found[:5])
    raise ConfigError(f"alert {alert!r} could be any of {len(found)}: {ids}; write more of the id")


def read_events(store: Store, alert: str) -> tuple[AlertEvent, ...]:
    """Return what happened to an alert, in its order."""
    with store.reading() as connection:
        return select_events(connection, alert)


def select_events(connection: Connection, alert: str) -> tuple[AlertEvent, ...]:
    """Return what `read_events` does, within a transaction."""
    table = tables.alert_event
    found = select(table).where(table.c.alert_id == alert).order_by(table.c.sequence)
    return tuple(event_of(row._asdict()) for row in connection.execute(found))


def read_deliveries(store: Store, alert: str) -> tuple[Mapping[str, Any], ...]:
    """Return what was told of an alert: event, channel, state and when it was sent, in the order of its events."""
    event, delivery = tables.alert_event, tables.delivery
    columns = (delivery.c.event_id, delivery.c.channel, delivery.c.state, delivery.c.sent_at, delivery.c.error)
    found = select(*columns).join(event, event.c.event_id == delivery.c.event_id).where(event.c.alert_id == alert)
    with store.reading() as connection:
        rows = connection.execute(found.order_by(event.c.sequence, delivery.c.channel))
        return tuple(row._asdict() for row in rows)


def record_decision(
    store: Store,
    alert: str,
    decision: DecisionName,
    by: str,
    note: str = "",
    until: datetime | timedelta | None = None,
    *,
    now: datetime,
) -> Alert:
    """Record what a person decided about an alert, and return the alert as it is then.

    Parameters
    ----------
    store, alert
        The store, and the alert's id or the beginning of it.
    decision
        ``acknowledged``, ``snoozed``, ``resolved``, ``confirmed`` or ``false_alarm``.
    by, note
        Who decided, and why.
    until
        End of a snooze: an aware instant, or how long from now. Windows that end by then tell nothing.
    now
        The present: it is recorded, and a snooze of some hours begins with it.

    Raises
    ------
    ConfigError
        If there is no such alert, nobody decides, or this cannot be decided about it any more.
    """
    if not by.strip():
        raise ConfigError("a decision about an alert needs somebody who takes it: write --by NAME")
    monitor = read_alert(store, alert).monitor
    with store.writing(monitor) as connection:
        found = _find(connection, alert)
        newest = newest_decided(connection, monitor) or found.last
        window = max(newest, found.opened, found.last)
        until = now + until if isinstance(until, timedelta) else until
        reason = refusal(found, decision, window, until)
        if reason is not None:
            raise ConfigError(f"alert {found.alert_id} ({found.name}): {reason}")
        decided = decide(found, decision, window, until)
        sequence = 1 + max(
            (each.sequence for each in stored_events(connection, [found.alert_id])[found.alert_id]), default=0
        )
        event = AlertEvent(
            event_id=decision_event_id(found.alert_id, decision, window, now),
            alert_id=found.alert_id,
            sequence=sequence,
            event=decision,
            window=window,
            tell=False,
            actor=by.strip(),
            note=note,
            until=until,
        )
        insert_event(connection, event, now)
        write_alert(connection, decided, new=False)
    return decided


def last_decisions(store: Store, alerts: Iterable[str]) -> dict[str, AlertEvent]:
    """Return of each of these alerts what a person decided last, if anybody did."""
    with store.reading() as connection:
        events = {alert: [each for each in select_events(connection, alert) if each.actor] for alert in alerts}
    return {alert: decided[-1] for alert, decided in events.items() if decided}


def verdict_counts(store: Store, monitor: str, name: str, series: Series | None = None) -> Verdicts:
    """Return how many of the last alerts with a verdict of a rule, or of one of its series, people called what."""
    with store.reading() as connection:
        return select_verdicts(connection, monitor, name, series)


def select_verdicts(connection: Connection, monitor: str, name: str, series: Series | None = None) -> Verdicts:
    """Return what `verdict_counts` does, within a transaction."""
    table = tables.alert
    verdicts = and_(table.c.monitor == monitor, table.c.name == name, table.c.state.in_(["confirmed", "false_alarm"]))
    found = select(table.c.state, table.c.series, table.c.series_before).where(verdicts)
    states = [
        row.state
        for row in connection.execute(found.order_by(table.c.window_start.desc(), table.c.window_end.desc()))
        if series is None or list(series) in [*(row.series or ()), *(row.series_before or ())]
    ][:VERDICTS]
    return Verdicts(states.count("false_alarm"), states.count("confirmed"))


def channels_of(rule: AlertRule, *, escalated: bool) -> tuple[str, ...]:
    """Return who is told of an alert: from its escalation on others too, of its end as well."""
    more = rule.escalate.notify if escalated and rule.escalate is not None else ()
    return tuple(dict.fromkeys((*rule.notify, *more)))
