"""Retraining, where the pure decision meets the store: what it is decided on is read here, and kept with its reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import select

from monitoring_tasks.actions.retraining import Asked, Decision, WindowLabels, decide, is_open
from monitoring_tasks.alerts.alert import Alert, Evidence
from monitoring_tasks.config import RETRAINING, Monitor, When
from monitoring_tasks.results import tables
from monitoring_tasks.results.actions import Action, read_actions, record_decisions
from monitoring_tasks.results.alerts import read_alerts, read_events
from monitoring_tasks.results.sightings import matched_since
from monitoring_tasks.results.store import Store
from monitoring_tasks.url import shown
from monitoring_tasks.window import Window

RECENT = 10
"""Earlier requests that are looked at whether they are still at work: each costs Airflow a question."""

LAPSES = timedelta(days=1)
"""How much longer than `approval_timeout` a question stands: Airflow's clock begins when it is put to people."""


def targets(monitor: Monitor) -> tuple[str, ...]:
    """Return who is asked for a new model: a DAG id, and the connection and endpoint of a request, without secrets."""
    if monitor.retraining is None:
        return ()
    found = [monitor.retraining.trigger_dag, http_target(monitor)]
    return tuple(target for target in found if target is not None)


def http_target(monitor: Monitor) -> str | None:
    """Return the connection and the endpoint as the file writes it: the environment's values stay ``${NAME}``."""
    if monitor.retraining is None or monitor.retraining.http is None:
        return None
    http = monitor.retraining.http
    written = monitor.document.raw
    for key in ("retraining", "http", "endpoint"):
        written = written.get(key, {}) if isinstance(written, dict) else {}
    return shown(f"{http.connection}:{written if isinstance(written, str) else http.endpoint}")


def decide_retraining(
    monitor: Monitor,
    store: Store,
    windows: Sequence[Window],
    *,
    ask: bool,
    now: datetime,
    running: Callable[[Action], str] | None = None,
) -> tuple[Action, ...]:
    """Decide about each window whether a new model is called for, and keep the decisions.

    Only the last window can ask: an earlier one is decided on as what it would have asked for.

    Parameters
    ----------
    monitor, store, windows
        In time order, with their alerts decided.
    ask
        Whether anybody is to be asked, which a backfill does not.
    now
        Is stored.
    running
        Says what an earlier request still waits for; empty if it is through. By default none waits.

    Returns
    -------
    tuple of Action
        What is to be asked for now: decisions of these windows to ask that have not been carried out or refused.
    """
    rule = monitor.retraining
    if rule is None or not windows:
        return ()
    asked_before = read_actions(store, monitor.name, decision="trigger")[-RECENT:]
    # A question ends with its alert; a DAG run goes on.
    at_work = [each for each in asked_before if not each.waits or _stands(store, each)]
    waiting = {} if running is None else {each.action_id: running(each) for each in at_work}
    alerts = read_alerts(store, monitor.name, name=RETRAINING)
    decided = {each.window for each in read_actions(store, monitor.name, windows=windows)}
    labels: dict[datetime, tuple[WindowLabels, ...]] = {}
    for window in windows:
        alert = _alert_of(alerts, window)
        if alert is None and window not in decided:
            continue
        evidence, change = ((), None) if alert is None else _evidence(store, rule.when, alert, window)
        known = None
        if alert is not None and monitor.labels is not None:
            since = change or alert.opened.start
            if since not in labels:  # once for all windows of an alert: there may be months of them
                labels[since] = _labels(monitor, store, since, windows[-1].end)
            known = tuple(each for each in labels[since] if each.window.end <= window.end)
        quiet = not ask or window != windows[-1]
        made = partial(decide, rule, window, alert, evidence, change=change, labels=known, quiet=quiet)

        def decision(
            target: str, asked: Sequence[Action], made: Callable[..., Decision] = made, alert: Alert | None = alert
        ) -> tuple[str | None, Decision]:
            earlier = [_asked(each, waiting.get(each.action_id, ""), now - rule.approval_timeout) for each in asked]
            return (None if alert is None else alert.alert_id), made(target=target, asked=earlier)

        approval = "waiting" if rule.approval == "required" else "not_required"
        record_decisions(store, monitor.name, window, targets(monitor), decision, approval=approval, now=now)  # type: ignore[arg-type]
    return to_ask(monitor, store, windows)


def to_ask(monitor: Monitor, store: Store, windows: Sequence[Window]) -> tuple[Action, ...]:
    """Return the decisions of these windows to ask for a new model that are still to be carried out.

    What a person has called a false alarm since, or what the results have withdrawn, is not asked for any more.
    """
    actions = [each for each in read_actions(store, monitor.name, windows=windows, decision="trigger") if each.asks]
    wanted = targets(monitor)
    return tuple(each for each in actions if each.target in wanted and _stands(store, each))


def _asked(action: Action, running: str, timed_out: datetime) -> Asked:
    """Return an earlier request as the decision looks at it; questions of before `timed_out` have had their time."""
    return Asked(
        action.action_id,
        action.alert_id,
        action.target,
        action.window,
        action.approval,
        action.state,
        running,
        lapsed=action.approval == "waiting" and action.recorded_at + LAPSES < timed_out,
        error=action.error,
    )


def _stands(store: Store, action: Action) -> bool:
    table = tables.alert
    found = select(table.c.state).where(table.c.alert_id == action.alert_id)
    with store.reading() as connection:
        state = connection.execute(found).scalar()
    return action.approval == "approved" or state not in (None, "false_alarm", "withdrawn")


def _alert_of(alerts: Sequence[Alert], window: Window) -> Alert | None:
    """Return the latest alert that this window is inside."""
    return next((alert for alert in reversed(alerts) if is_open(alert, window)), None)


def _evidence(store: Store, when: When, alert: Alert, window: Window) -> tuple[tuple[Evidence, ...], datetime | None]:
    """Return the results of the newest event up to `window`, and the start of the first window that matched."""
    events = [event.evidence for event in read_events(store, alert.alert_id) if event.window.end <= window.end]
    events = [evidence for evidence in events if evidence]
    if not events:
        return (), None
    series = tuple(dict.fromkeys(each.series for each in events[0]))
    first = matched_since(store, alert.monitor, when, alert.opened, series)
    return events[-1], min(first.start, *(each.window.start for each in events[0]))


def _labels(monitor: Monitor, store: Store, since: datetime, end: datetime) -> tuple[WindowLabels, ...]:
    runs = store.window_runs(monitor.name, since, end)
    return tuple(WindowLabels(run.window, run.label_rows or 0, run.labels == "final") for run in runs)
