"""Alerts in the results store: alerts and events as rows, and what people decide about them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
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
from monitoring_tasks.alerts.verdicts import Verdicts
from monitoring_tasks.config.models import AlertRule
from monitoring_tasks.errors import ConfigError
from monitoring_tasks.results import tables
from monitoring_tasks.results.sightings import newest_decided
from monitoring_tasks.results.store import Store
from monitoring_tasks.results.tables import Instant
from monitoring_tasks.window import Window

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
