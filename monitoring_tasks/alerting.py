"""What the windows that were closed mean for alerts: joins the state machine of `alerts` with the results store.

A window that is closed is *due*. Deciding on it writes alerts, their events and the messages of what people are told,
and that it is due no more, in one transaction: a process that is killed before leaves it due, and the next run of the
monitor decides. A window that is older than one that was decided on is decided by a replay from the opening of the
alert that covers it, so that alerts do not depend on the order of runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from time import sleep
from typing import Any

from sqlalchemy import Connection, and_

from monitoring_tasks import notice
from monitoring_tasks.alerts import wording
from monitoring_tasks.alerts.alert import Alert, AlertEvent, Evidence, event_id
from monitoring_tasks.alerts.decision import Decision
from monitoring_tasks.alerts.grouping import is_of
from monitoring_tasks.alerts.lifecycle import (
    NOTHING_TOLD,
    GroupStanding,
    Happening,
    Replayed,
    Standing,
    Told,
    Watch,
    replay,
)
from monitoring_tasks.alerts.message import Headline, Message, Paragraph
from monitoring_tasks.alerts.reconciliation import Stored, reconcile
from monitoring_tasks.alerts.sighting import concerns
from monitoring_tasks.alerts.verdicts import Verdicts
from monitoring_tasks.config import AlertRule, Monitor
from monitoring_tasks.errors import TransientError
from monitoring_tasks.notice import Links
from monitoring_tasks.results import alerts as rows
from monitoring_tasks.results import sightings, tables
from monitoring_tasks.results.alerts import StoredEvent
from monitoring_tasks.results.store import Store
from monitoring_tasks.window import Window

PART = 500
"""Windows that are decided on in one transaction, where none is older than those before: others may write between."""

PAUSE = 0.1
"""Seconds between them: a writer that waits for SQLite looks no more often, and would never find it free."""


def decide_alerts(
    monitor: Monitor,
    store: Store,
    *,
    now: datetime,
    links: Links | None = None,
    message: Callable[..., Any] | None = None,
) -> tuple[AlertEvent, ...]:
    """Decide on every window that is due, and put the messages of what people are told into the outbox.

    Parameters
    ----------
    monitor, store
        Whose alerts, and an open store.
    now
        The present, aware: when events are recorded. No decision depends on it.
    links
        Where the messages point to.
    message
        What makes them, called as `monitoring_tasks.notice.message` is, which is the default. If it fails, the message
        is one sentence.

    Returns
    -------
    tuple of AlertEvent
        Those that are new, or that people are told of only now.

    Raises
    ------
    TransientError
        If the store does not answer; what is not decided on is due still.
    """
    events: list[AlertEvent] = []
    telling: set[Window] = set()
    left = True
    while left:
        with store.writing(monitor.name) as connection:
            due = sightings.due_windows(connection, monitor.name)
            newest = sightings.newest_decided(connection, monitor.name)
            ahead = _are_ahead(connection, monitor, [*due], newest)
            part = [*due][:PART] if ahead else [*due]
            telling |= {window for window in part if due[window]}
            said = message or notice.message
            step = _Step(monitor, store, connection, part, frozenset(telling), newest, now, links or Links(), said)
            step.withdraw_without_rule()
            if part:
                oldest = sightings.oldest_run(connection, monitor.name) or part[0]
                for rule in monitor.alert_rules:
                    if ahead:
                        step.go_on(rule)
                    else:
                        step.go_back(rule, oldest)
                sightings.set_done(connection, monitor.name, part)
        left = len(part) < len(due)
        events += step.events
        if left:
            sleep(PAUSE)
    return tuple(events)


def _are_ahead(connection: Connection, monitor: Monitor, due: Sequence[Window], newest: Window | None) -> bool:
    """Tell whether all that is due is newer than all that was decided on."""
    if not due or (newest is not None and due[0] <= newest):
        return False
    # A window that is closed again is not known to have been decided on, but alerts know that they were.
    return not sightings.touched(connection, monitor.name, due[0])


@dataclass(frozen=True)
class _Known:
    """A stored alert with its events."""

    alert: Alert
    events: Sequence[StoredEvent]

    @property
    def of_monitor(self) -> list[StoredEvent]:
        """The events that windows made."""
        return [event for event in self.events if not event.actor]

    @property
    def decisions(self) -> list[StoredEvent]:
        """Those that people made."""
        return [event for event in self.events if event.actor]

    @property
    def covered_until(self) -> datetime | None:
        """Until when windows belong to it; None if that is not over."""
        if self.alert.state == "withdrawn":
            return self.alert.opened.end
        if not self.alert.is_over:
            return None
        ends = [self.alert.resolved_end, *(each.window.end for each in self.decisions if each.event == "resolved")]
        return max((end for end in ends if end is not None), default=self.alert.last.end)

    def told(self, *events: str) -> list[StoredEvent]:
        """Return the events that people were told of, of these kinds or of all."""
        return [each for each in self.of_monitor if each.tell and (not events or each.event in events)]


class _Step:
    """One decision on windows that are due, within its transaction."""

    def __init__(
        self,
        monitor: Monitor,
        store: Store,
        connection: Connection,
        due: Sequence[Window],
        telling: frozenset[Window],
        newest: Window | None,
        now: datetime,
        links: Links,
        message: Callable[..., Any],
    ) -> None:
        self._monitor, self._store, self._connection = monitor, store, connection
        self._due, self._telling, self._newest = due, telling, newest
        self._now, self._links, self._message = now, links, message
        self.events: list[AlertEvent] = []

    def go_on(self, rule: AlertRule) -> None:
        """Decide on windows that are newer than all that were decided on."""
        first = min(self._due)
        known = self._known(rule, rows.is_open())
        known += self._known(rule, _false_alarms_that_last())
        groups = self._told_before(rule, None)
        for each in known:
            group = groups.get(each.alert.group_key, GroupStanding())
            groups[each.alert.group_key] = _standing(group, each)
        replayed = self._replay(rule, first, groups, last=max(self._due))
        self._write(rule, first, known, replayed)

    def go_back(self, rule: AlertRule, oldest: Window) -> None:
        """Decide on windows some of which are older than those that were decided on: replay from where it is clear."""
        first = min(self._due)
        known = self._known(rule)
        frozen: list[_Known] = []
        while True:
            covering = [
                each
                for each in known
                if each.alert.opened < first
                and (each.covered_until is None or each.covered_until >= first.end)
                and each not in frozen
            ]
            frozen += [each for each in covering if each.alert.opened < oldest]
            earlier = [each.alert.opened for each in covering if each.alert.opened >= oldest]
            if not earlier:
                break
            first = min(earlier)
        if frozen:  # they stay as they are as long as some of the windows that they look back on are gone
            complete = [*sightings.windows_since(self._connection, self._monitor.name, oldest, self._newest)]
            complete = complete[rule.when.windows.n - 1 :]
            if not complete:
                return
            first = max(first, complete[0])
        groups = self._told_before(rule, first.start)
        for each in frozen:
            groups[each.alert.group_key] = _standing(groups.get(each.alert.group_key, GroupStanding()), each)
        inside = [each for each in known if each.alert.opened >= first]
        decisions = [
            (event.window, event.sequence, _decision(each, event)) for each in inside for event in each.decisions
        ]
        told: dict[tuple[str, Window], frozenset[Any]] = {}
        latest: dict[str, datetime] = {}
        for each in known:
            for event in each.told():
                if event.window >= first:
                    key = each.alert.group_key
                    told[key, event.window] = told.get((key, event.window), frozenset()) | {event.event}
                    latest[key] = max(latest.get(key, event.window.end), event.window.end)
        decided = [decision for *_, decision in sorted(decisions, key=lambda each: each[:2])]
        before = Told(told, latest)
        replayed = self._replay(rule, first, groups, decided, before)
        self._write(rule, first, [*inside, *frozen], replayed, before)

    def withdraw_without_rule(self) -> None:
        """Close the alerts that no rule of the monitor file stands for any more."""
        rules = {rule.name: rule for rule in self._monitor.alert_rules}
        asked = and_(tables.alert.c.monitor == self._monitor.name, rows.is_open())
        for alert in rows.select_alerts(self._connection, asked):
            rule = rules.get(alert.name)
            asks = rule is not None and is_of(rule, alert) and any(concerns(rule.when, each) for each in alert.series)
            if not asks and alert.state != "confirmed":
                self._withdraw(alert, None, max([alert.last, *self._due]), tell=False)

    def _known(self, rule: AlertRule, *where: Any) -> list[_Known]:
        table = tables.alert
        asked = and_(table.c.monitor == self._monitor.name, table.c.name == rule.name, *where)
        found = [alert for alert in rows.select_alerts(self._connection, asked) if is_of(rule, alert)]
        events = rows.stored_events(self._connection, [alert.alert_id for alert in found])
        return [_Known(alert, events[alert.alert_id]) for alert in found]

    def _told_before(self, rule: AlertRule, before: datetime | None) -> dict[str, GroupStanding]:
        of_group = (self._connection, self._monitor.name, rule.name)
        told = rows.last_of_groups(*of_group, told=True, before=before)
        since = rows.last_of_groups(*of_group, told=False, before=before)
        return {key: GroupStanding(told_end=told.get(key), since=since.get(key)) for key in {**told, **since}}

    def _replay(
        self,
        rule: AlertRule,
        first: Window,
        groups: Mapping[str, GroupStanding],
        decisions: Sequence[Decision] = (),
        told: Told | None = None,
        *,
        last: Window | None = None,
    ) -> Replayed:
        name, n = self._monitor.name, rule.when.windows.n
        before = sightings.windows_before(self._connection, name, first, n - 1)
        windows = sightings.windows_since(self._connection, name, first, self._newest, last=last)
        seen = sightings.read_sightings(self._connection, name, rule.when, {**before, **windows})
        standing = Standing(groups, seen[: len(before)])
        watch = Watch(name, rule, self._monitor.timezone)
        new = seen[len(before) :]
        telling = self._telling if rows.channels_of(rule, escalated=True) else frozenset()
        return replay(watch, standing, new, telling=telling, decisions=decisions, told=told or Told())

    def _write(
        self, rule: AlertRule, first: Window, known: Sequence[_Known], replayed: Replayed, told: Told = NOTHING_TOLD
    ) -> None:
        by_id = {each.alert.alert_id: each for each in known}
        acted = rows.with_requests(self._connection, by_id)
        stored = [
            Stored(each.alert, bool(each.told()), bool(each.decisions) or each.alert.alert_id in acted)
            for each in known
        ]
        found = reconcile(stored, replayed.alerts)
        for gone in found.withdrawn:
            if gone.alert.state not in ("confirmed", "false_alarm", "withdrawn"):
                newest = max([gone.alert.last, *self._due])
                self._withdraw(gone.alert, rule, newest, tell=gone.told and bool(self._telling))
        happened: dict[tuple[str, Window], list[Happening]] = {}
        for happening in replayed.happenings:
            happened.setdefault((happening.alert.group_key, happening.alert.opened), []).append(happening)
        written = []
        for alert, same in found.kept:
            before = None if same is None else by_id[same.alert.alert_id]
            happens = happened.get((alert.group_key, alert.opened), [])
            written.append(self._write_alert(rule, first, alert, before, happens, told))
        successors = {each.alert.alert_id: _successor(each.alert, written) for each in found.deleted}
        rows.delete_alerts(self._connection, successors)

    def _write_alert(
        self,
        rule: AlertRule,
        first: Window,
        alert: Alert,
        before: _Known | None,
        happened: Sequence[Happening],
        told: Told,
    ) -> Alert:
        stored = [] if before is None else before.events
        told_ends = [each.window.end for each in stored if each.tell]
        told_end = max([*told_ends, *([] if alert.told_end is None else [alert.told_end])], default=None)
        alert = replace(alert, told_end=told_end)
        if before is None:
            alert = replace(alert, alert_id=rows.free_id(self._connection, alert))
        if before is None or before.alert != alert:
            rows.write_alert(self._connection, alert, new=before is None)
        known = {(each.event, each.window): each for each in stored if not each.actor}
        names = {each.event for each in known.values()}
        happens = {(each.event, each.window) for each in happened}
        outdated = [
            each.event_id
            for key, each in known.items()
            if key not in happens
            and not each.tell
            and each.window >= first
            and each.event not in ("opened", "withdrawn")
        ]
        rows.delete_events(self._connection, outdated)
        number = len(stored)
        escalated = any(each.event == "escalated" and each.tell for each in stored)
        for happening in happened:
            escalated |= happening.event == "escalated"
            same = known.get((happening.event, happening.window))
            if same is None and happening.event in ("opened", "escalated") and happening.event in names:
                continue
            snapshot = replace(happening.alert, alert_id=alert.alert_id)
            if same is not None and (same.tell or not happening.tell):
                if not same.tell and same.window >= self._due[0]:  # what people were told stays as it was
                    self._renew(rule, snapshot, same)
                continue
            number += 1
            # When an alert falls apart in a replay, the message of one part may have been sent as that of the other.
            sent = happening.event in told.events.get((alert.group_key, happening.window), ())
            self._happen(
                rule, snapshot, happening.event, happening.window, number, happening.tell, escalated, same, sent=sent
            )
        rows.number_events(self._connection, alert.alert_id)
        return alert

    def _happen(
        self,
        rule: AlertRule | None,
        alert: Alert,
        event: Any,
        window: Window,
        number: int,
        tell: bool,
        escalated: bool,
        same: StoredEvent | None = None,
        *,
        sent: bool = False,
    ) -> None:
        """Record what happened, and put its message into the outbox if people are told and it was not sent before."""
        evidence = () if rule is None or event == "withdrawn" else self._evidence(rule, alert, event, window)
        made = AlertEvent(
            event_id=event_id(alert.alert_id, event, window),
            alert_id=alert.alert_id,
            sequence=number,
            event=event,
            window=window,
            tell=tell,
            evidence=evidence,
        )
        if same is None:
            rows.insert_event(self._connection, made, self._now)
        else:
            rows.update_event(self._connection, same.event_id, evidence, tell=True)
        if sent:
            return
        self.events.append(made)
        channels = () if rule is None or not tell else rows.channels_of(rule, escalated=escalated)
        if rule is None or not channels:
            return
        verdicts = rows.select_verdicts(self._connection, self._monitor.name, rule.name)
        said = self._said(rule, alert, made, verdicts)
        rows.insert_deliveries(self._connection, self._monitor.name, made.event_id, channels, said, self._now)

    def _renew(self, rule: AlertRule, alert: Alert, same: StoredEvent) -> None:
        """Put what an event stands on now in place of what it stood on before the results changed."""
        evidence = self._evidence(rule, alert, same.event, same.window)
        rows.update_event(self._connection, same.event_id, evidence, tell=same.tell)

    def _evidence(self, rule: AlertRule, alert: Alert, event: str, window: Window) -> tuple[Evidence, ...]:
        over = event == "resolved"
        of_rule = (self._connection, self._monitor.name, rule.when)
        evidence = sightings.read_evidence(*of_rule, window, alert.series, over=over)
        # It may hold by earlier windows alone: the latest of those in which something matched is the evidence.
        earlier = () if evidence or over else sightings.windows_before(*of_rule[:2], window, rule.when.windows.n - 1)
        for each in reversed([*earlier]):
            evidence = evidence or sightings.read_evidence(*of_rule, each, alert.series)
        return evidence

    def _said(self, rule: AlertRule, alert: Alert, event: AlertEvent, verdicts: Verdicts) -> Mapping[str, Any]:
        earlier = [each for each in rows.select_events(self._connection, alert.alert_id) if each.window < event.window]
        about = (self._monitor, self._store, alert, event, rule, self._links, verdicts)
        try:
            said = self._message(*about, earlier=earlier)
        except TransientError:
            raise
        except Exception as error:  # noqa: BLE001  that something went wrong with the picture must not cost the alert
            doubt = f"The rest of this message could not be made: {type(error).__name__}: {error}"
            blocks = (Headline(alert.message), Paragraph(doubt))
            said = Message(f"{self._monitor.name}: {alert.message}", rule.severity, event.event, blocks)
        return said if isinstance(said, Mapping) else said.to_json()

    def _withdraw(self, alert: Alert, rule: AlertRule | None, window: Window, *, tell: bool) -> None:
        events = rows.stored_events(self._connection, [alert.alert_id])[alert.alert_id]
        told_end = window.end if tell else alert.told_end
        message = wording.withdrawn(alert.message, rule_is_gone=rule is None)
        gone = replace(alert, state="withdrawn", snoozed_until=None, message=message, told_end=told_end)
        rows.write_alert(self._connection, gone, new=False)
        if any(each.event == "withdrawn" and each.window == window for each in events):
            return
        escalated = any(each.event == "escalated" and each.tell for each in events)
        number = max((each.sequence for each in events), default=0) + 1
        self._happen(rule, gone, "withdrawn", window, number, tell, escalated)


def _standing(group: GroupStanding, known: _Known) -> GroupStanding:
    """Return how a group stands with an open alert."""
    first_told = min((each.window.end for each in known.told()), default=None)
    escalated = any(each.event == "escalated" for each in known.of_monitor)
    return replace(group, alert=known.alert, first_told_end=first_told, escalated=escalated)


def _successor(gone: Alert, alerts: Sequence[Alert]) -> str | None:
    """Return the id of the alert that takes the place of one that nobody knows of; None if none does."""
    of_group = [each for each in alerts if each.group_key == gone.group_key and each.span.overlaps(gone.span)]
    return min(of_group, key=lambda each: each.opened).alert_id if of_group else None


def _decision(known: _Known, event: StoredEvent) -> Decision:
    return Decision(event.event, known.alert.group_key, known.alert.span, event.window, event.until)  # type: ignore[arg-type]


def _false_alarms_that_last() -> Any:
    table = tables.alert
    return and_(table.c.state == "false_alarm", table.c.resolved_window_end.is_(None))
