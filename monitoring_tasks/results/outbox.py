"""The outbox: messages that wait in table `delivery`, claimed one at a time, and how each attempt ended. SQL only.

A message is claimed before it is sent, so that two processes side by side send each one once. A claim runs out after
`LEASE`: what a killed process had claimed is then claimed again. Messages of one alert to one channel keep their order:
a later one waits until the earlier ones are sent or given up.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select, true, update

from monitoring_tasks.results import tables
from monitoring_tasks.results.store import Store

LEASE = timedelta(minutes=3)
"""How long a claim holds: longer than the slowest sending, shorter than Airflow's three retries of a task."""

FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)

MOST_ATTEMPTS = 12
LONGEST_TRIED = timedelta(hours=24)
"""After which a message that was tried by a task and its three retries is given up."""
ATTEMPTS_OF_ONE_TASK = 4

_delivery, _event = tables.delivery, tables.alert_event
_other, _other_event = _delivery.alias("other"), _event.alias("other_event")
_PENDING = ("waiting", "sending")


@dataclass(frozen=True)
class Claim:
    """A message that this process alone may send until the claim runs out."""

    delivery_id: str
    monitor: str
    channel: str
    message: Any = field(repr=False)
    """What `Message.from_json` reads."""
    attempts: int
    """This one included."""
    created_at: datetime
    claimed_at: datetime

    @property
    def title(self) -> str:
        """What the message is about."""
        return _title(self.message)


@dataclass(frozen=True)
class Undelivered:
    """A message that has not reached its channel, and why."""

    delivery_id: str
    channel: str
    title: str
    attempts: int
    error: str


def wait(attempts: int) -> timedelta:
    """Return how long to wait after so many attempts that failed: 30 seconds, each time twice as long, at most 1 h.

    Examples
    --------
    >>> [str(wait(attempts)) for attempts in (1, 2, 3, 7, 8, 1000)]
    ['0:00:30', '0:01:00', '0:02:00', '0:32:00', '1:00:00', '1:00:00']
    """
    return min(FIRST_WAIT * (1 << min(attempts - 1, 20)), LONGEST_WAIT)


def is_given_up(attempts: int, created_at: datetime, now: datetime) -> bool:
    """Tell whether a message that cannot be sent is tried no more.

    One that is a day old when it is tried first, since nothing ran for a day, still gets a task's retries.
    """
    return attempts >= MOST_ATTEMPTS or (attempts >= ATTEMPTS_OF_ONE_TASK and now - created_at >= LONGEST_TRIED)


def claim(store: Store, monitor: str, now: datetime, *, without: Collection[str] = ()) -> Claim | None:
    """Claim the monitor's next message that is due, the oldest first; none of the channels `without`.

    The claim is committed when this returns. None when nothing is due.
    """
    with store.writing(monitor) as connection:
        found = connection.execute(_due(monitor, now, without).limit(1)).mappings().first()
        if found is None:
            return None
        same = and_(
            _delivery.c.delivery_id == found["delivery_id"],
            _delivery.c.state == found["state"],
            _delivery.c.attempts == found["attempts"],
        )
        # The lock keeps others out on SQLite and PostgreSQL; the condition does so on every database.
        claimed = connection.execute(
            update(_delivery).where(same).values(state="sending", claimed_at=now, attempts=found["attempts"] + 1)
        )
        if claimed.rowcount != 1:
            return None
    return Claim(
        found["delivery_id"],
        monitor,
        found["channel"],
        found["message"],
        found["attempts"] + 1,
        found["created_at"],
        now,
    )


def record_sent(store: Store, claim: Claim, now: datetime, *, note: str | None = None) -> None:
    """Record that the message is with its channel, whoever holds the claim by now; `note` says what was amiss."""
    with store.writing(claim.monitor) as connection:
        sent = {"state": "sent", "sent_at": now, "next_attempt_at": None, "error": note}
        mine = and_(_delivery.c.delivery_id == claim.delivery_id, _delivery.c.state != "sent")
        connection.execute(update(_delivery).where(mine).values(sent))


def record_not_sent(store: Store, claim: Claim, now: datetime, error: str, *, for_good: bool) -> bool:
    """Record why the message could not be sent, and when it is tried again; with `for_good`, that it never is.

    Nothing is recorded when the claim has run out and another process holds it.

    Returns
    -------
    bool
        Whether it is given up.
    """
    given_up = for_good or is_given_up(claim.attempts, claim.created_at, now)
    values = {
        "state": "failed" if given_up else "waiting",
        "next_attempt_at": None if given_up else now + wait(claim.attempts),
        "error": error,
    }
    mine = and_(
        _delivery.c.delivery_id == claim.delivery_id,
        _delivery.c.state == "sending",
        _delivery.c.claimed_at == claim.claimed_at,
    )
    with store.writing(claim.monitor) as connection:
        return connection.execute(update(_delivery).where(mine).values(values)).rowcount == 1 and given_up


def pending(store: Store, monitor: str) -> tuple[Undelivered, ...]:
    """Return the monitor's messages that are to be sent, now or later, the oldest first."""
    return _undelivered(store, _of(monitor) & _delivery.c.state.in_(_PENDING))


def given_up(store: Store, monitor: str, since: datetime | None = None) -> tuple[Undelivered, ...]:
    """Return the monitor's messages that were given up, the oldest first; with `since`, those given up since then."""
    recent = true() if since is None else _delivery.c.claimed_at >= since
    return _undelivered(store, _of(monitor) & (_delivery.c.state == "failed") & recent)


def try_again(store: Store, monitor: str, since: datetime | None = None) -> int:
    """Let every message of the monitor be due now: those that wait, and those given up, with `since` since then.

    What a later message of the same alert has overtaken on its channel stays given up: that an alert was opened is
    wrong news to those who have heard that it is over.

    Returns how many.
    """
    values = {"state": "waiting", "attempts": 0, "next_attempt_at": None}
    recent = true() if since is None else _delivery.c.claimed_at >= since
    given_up = (
        (_delivery.c.state == "failed") & recent & ~_other_of_alert(_other_event.c.sequence > _event.c.sequence, "sent")
    )
    due = (
        select(_delivery.c.delivery_id)
        .join(_event, _event.c.event_id == _delivery.c.event_id)
        .where(_of(monitor), or_(_delivery.c.state == "waiting", given_up))
    )
    those = _delivery.c.delivery_id.in_(due)
    with store.writing(monitor) as connection:
        return connection.execute(update(_delivery).where(those).values(values)).rowcount


def monitors(store: Store) -> tuple[str, ...]:
    """Return the monitors with messages that are not sent, in alphabetical order."""
    statement = select(_delivery.c.monitor).where(_delivery.c.state != "sent", _delivery.c.monitor.is_not(None))
    with store.reading() as connection:
        return tuple(connection.execute(statement.distinct().order_by(_delivery.c.monitor)).scalars())


def _due(monitor: str, now: datetime, without: Collection[str]) -> Select[Any]:
    ready = or_(
        and_(
            _delivery.c.state == "waiting",
            or_(_delivery.c.next_attempt_at.is_(None), _delivery.c.next_attempt_at <= now),
        ),
        and_(_delivery.c.state == "sending", _delivery.c.claimed_at <= now - LEASE),
    )
    first = ~_other_of_alert(_other_event.c.sequence < _event.c.sequence, *_PENDING)
    return _oldest_first(_of(monitor) & ready & first & _delivery.c.channel.not_in(without), _delivery)


def _other_of_alert(which: ColumnElement[bool], *states: str) -> ColumnElement[bool]:
    """Tell whether there is another message of the same alert to the same channel, in one of these states."""
    return (
        select(_other.c.delivery_id)
        .join(_other_event, _other_event.c.event_id == _other.c.event_id)
        .where(
            _other_event.c.alert_id == _event.c.alert_id,
            which,
            _other.c.channel == _delivery.c.channel,
            _other.c.state.in_(states),
        )
        .correlate(_delivery, _event)
        .exists()
    )


def _oldest_first(where: ColumnElement[bool], columns: Any) -> Select[Any]:
    return (
        select(columns)
        .join(_event, _event.c.event_id == _delivery.c.event_id)
        .where(where)
        .order_by(_delivery.c.created_at, _event.c.window_end, _event.c.alert_id, _event.c.sequence)
    )


def _undelivered(store: Store, where: ColumnElement[bool]) -> tuple[Undelivered, ...]:
    with store.reading() as connection:
        rows = connection.execute(_oldest_first(where, _delivery)).mappings().all()
    return tuple(
        Undelivered(
            row["delivery_id"],
            row["channel"],
            _title(row["message"]),
            row["attempts"],
            row["error"] or "",
        )
        for row in rows
    )


def _title(message: Any) -> str:
    return str(message.get("title", "")) if isinstance(message, dict) else ""


def _of(monitor: str) -> ColumnElement[bool]:
    return _delivery.c.monitor == monitor
