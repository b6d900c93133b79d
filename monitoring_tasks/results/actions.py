"""Actions in the results store: what was decided about a window, who agreed, and what became of it.

Each function is one transaction under the monitor's lock, so that two runs of a monitor never both decide to ask. Times
that are stored are the caller's; nothing is decided on them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, delete, false, func, insert, select, update

from monitoring_tasks.actions.request import RetrainingRequest
from monitoring_tasks.actions.retraining import Decision, action_id
from monitoring_tasks.alerts.alert import Evidence
from monitoring_tasks.results import tables
from monitoring_tasks.results.store import Store
from monitoring_tasks.window import Window

KIND = "retraining"

Approval = Literal["not_required", "waiting", "approved", "rejected", "timed_out"]
State = Literal["recorded", "triggering", "triggered", "failed"]


@dataclass(frozen=True)
class Action:
    """One row of table `action`."""

    action_id: str
    monitor: str
    alert_id: str
    target: str
    """The DAG id, or the connection and endpoint of a request."""
    window: Window
    decision: str
    reason: str
    approval: Approval
    state: State
    recorded_at: datetime
    evidence: tuple[Evidence, ...] = ()
    train: Window | None = None
    query: str | None = None
    export: str | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    note: str = ""
    attempts: int = 0
    run_id: str | None = None
    """The DAG run it became, or what a server answered to the request."""
    error: str | None = None

    @property
    def asks(self) -> bool:
        """Whether a new model is to be asked for, now or once somebody agrees."""
        return (
            self.decision == "trigger" and self.state != "triggered" and self.approval not in ("rejected", "timed_out")
        )

    @property
    def waits(self) -> bool:
        """Whether a person has still to agree."""
        return self.asks and self.approval == "waiting"

    @property
    def request(self) -> RetrainingRequest:
        """What is sent to whoever trains."""
        return RetrainingRequest(
            self.monitor,
            self.action_id,
            self.alert_id,
            self.target,
            self.reason,
            self.window,
            self.train or self.window,
            self.query,
            self.export,
            self.decided_by,
            self.note,
            self.evidence,
        )


def read_actions(
    store: Store,
    monitor: str,
    *,
    windows: Collection[Window] | None = None,
    decision: str | None = None,
    action: str | None = None,
) -> tuple[Action, ...]:
    """Return a monitor's actions in the order of their windows: of these windows, with this decision, or one by id."""
    table = tables.action
    found = select(table).where(table.c.monitor == monitor, table.c.kind == KIND)
    if decision is not None:
        found = found.where(table.c.decision == decision)
    if action is not None:
        found = found.where(table.c.action_id == action)
    if windows is not None:
        # A year of ten minutes has more windows than a statement may have parameters.
        starts = [window.start for window in windows]
        found = found.where(table.c.window_start.between(min(starts), max(starts))) if starts else found.where(false())
    with store.reading() as connection:
        rows = connection.execute(found.order_by(table.c.window_start, table.c.window_end, table.c.target)).all()
    wanted = None if windows is None else set(windows)
    actions = (_action(row._asdict()) for row in rows)
    return tuple(each for each in actions if wanted is None or each.window in wanted)


def record_decisions(
    store: Store,
    monitor: str,
    window: Window,
    targets: Sequence[str],
    decide: Callable[[str, Sequence[Action]], tuple[str | None, Decision]],
    *,
    approval: Approval,
    now: datetime,
) -> tuple[Action, ...]:
    """Decide about a window and keep the decision, one row for each target; return the rows that then stand.

    A decision to ask is never taken back or made twice: that row stays as it is, however often the window is run. Any
    other decision is made anew, on what the store holds now. Where `decide` asks again for an alert that has asked,
    because its question cannot be answered any more, the earlier row says that it was not, and nothing came of it.

    Parameters
    ----------
    store, monitor, window, targets
        Who might be asked.
    decide
        Is called for each target with the monitor's earlier decisions to ask, while no other run may decide; returns
        the alert's id and the decision.
    approval
        Of a decision to ask: ``waiting`` for a person, or ``not_required``.
    now
        Is stored.
    """
    table = tables.action
    about = (table.c.monitor == monitor) & (table.c.kind == KIND)
    same = about & (table.c.window_start == window.start) & (table.c.window_end == window.end)
    with store.writing(monitor) as connection:
        asked = _rows(connection, about & (table.c.decision == "trigger"))
        kept = {each.target: each for each in asked if each.window == window}
        made = dict(kept)
        for target in targets:
            if target in kept:
                continue
            alert, decision = decide(target, asked)
            connection.execute(delete(table).where(same, table.c.target == target))
            if alert is None or decision.decision == "not_open" or not _exists(connection, alert):
                continue
            asks = decision.decision == "trigger"
            action = Action(
                action_id(alert, target, None if asks else window),
                monitor,
                alert,
                target,
                window,
                decision.decision,
                decision.reason,
                approval if asks else "not_required",
                "recorded",
                now,
                decision.evidence,
                decision.train,
            )
            if asks:
                _end_unanswered(connection, [each for each in asked if each.action_id == action.action_id])
            connection.execute(insert(table).values(_row(action)))
            made[target] = action
    return tuple(made[target] for target in targets if target in made)


def _exists(connection: Connection, alert: str) -> bool:
    """Return whether the alert is still there: a run of other windows may have found since that it never was one."""
    table = tables.alert
    return connection.execute(select(table.c.alert_id).where(table.c.alert_id == alert)).first() is not None


def _end_unanswered(connection: Connection, actions: Sequence[Action]) -> None:
    table = tables.action
    for each in actions:
        changes = {
            "action_id": action_id(each.alert_id, each.target, each.window),
            "decision": "unanswered",
            "reason": "A new model was asked for, and nobody could answer: the run that asked had ended. A later "
            "window has asked again.",
            "approval": "timed_out",
            "export": None,
        }
        waits = (table.c.action_id == each.action_id) & (table.c.approval == "waiting")
        connection.execute(update(table).where(waits).values(changes))


def record_rows(store: Store, action: Action, query: str | None, export: str | None, error: str | None) -> Action:
    """Keep the SQL of the rows to learn from and the file that holds them, or why there is none."""
    changes = {"query": query, "export": export, "error": error}
    _update(store, action, changes)
    return replace(action, query=query, export=export, error=error)


def record_approval(
    store: Store,
    action: Action,
    approval: Literal["approved", "rejected", "timed_out"],
    *,
    by: str | None,
    at: datetime,
    note: str = "",
    train: Window | None = None,
) -> bool:
    """Keep who agreed or not, why, and the period asked for; return False where that was decided before.

    With another period, the rows that were exported are not those to learn from any more: they are forgotten.
    """
    changes: dict[str, Any] = {"approval": approval, "decided_by": by, "decided_at": at, "note": note}
    if train is not None and train != action.train:
        changes |= {"train_start": train.start, "train_end": train.end, "query": None, "export": None, "error": None}
    return _update(store, action, changes, approval=("waiting",), state=("recorded", "failed"))


def record_triggering(store: Store, action: Action) -> bool:
    """Keep that whoever trains is about to be asked; return False where that is done, or where nobody agreed."""
    changes = {"state": "triggering", "attempts": func.coalesce(tables.action.c.attempts, 0) + 1, "error": None}
    agreed = ("not_required", "approved")
    return _update(store, action, changes, approval=agreed, state=("recorded", "triggering", "failed"))


def record_answered(store: Store, action: Action, answer: str) -> bool:
    """Keep what a server answered to the request, so that it is not sent again."""
    return _update(store, action, {"run_id": answer}, state=("triggering",))


def record_triggered(store: Store, action: Action, run_id: str | None) -> bool:
    """Keep which DAG run it became; return False where that was kept before."""
    return _update(store, action, {"state": "triggered", "run_id": run_id, "error": None}, state=("triggering",))


def record_failed(store: Store, action: Action, error: str) -> bool:
    """Keep why nobody could be asked. It may be tried again."""
    return _update(store, action, {"state": "failed", "error": error}, state=("recorded", "triggering", "failed"))


def _update(store: Store, action: Action, changes: dict[str, Any], **before: Collection[str]) -> bool:
    table = tables.action
    found = update(table).where(table.c.action_id == action.action_id)
    for name, values in before.items():
        found = found.where(table.c[name].in_(values))
    with store.writing(action.monitor) as connection:
        return connection.execute(found.values(changes)).rowcount > 0


def _rows(connection: Connection, where: Any) -> tuple[Action, ...]:
    table = tables.action
    found = connection.execute(select(table).where(where).order_by(table.c.window_start, table.c.target))
    return tuple(_action(row._asdict()) for row in found)


def _row(action: Action) -> dict[str, Any]:
    train = action.train
    return {
        "action_id": action.action_id,
        "monitor": action.monitor,
        "alert_id": action.alert_id,
        "kind": KIND,
        "target": action.target,
        "window_start": action.window.start,
        "window_end": action.window.end,
        "decision": action.decision,
        "reason": action.reason,
        "evidence": [each.to_json() for each in action.evidence],
        "train_start": None if train is None else train.start,
        "train_end": None if train is None else train.end,
        "approval": action.approval,
        "note": action.note,
        "state": action.state,
        "recorded_at": action.recorded_at,
    }


def _action(row: dict[str, Any]) -> Action:
    train = Window(row["train_start"], row["train_end"]) if row["train_start"] and row["train_end"] else None
    kept = ("action_id", "monitor", "alert_id", "target", "decision", "reason", "approval", "state", "recorded_at")
    more = ("query", "export", "decided_by", "decided_at", "note", "run_id", "error")
    return Action(
        **{name: row[name] for name in (*kept, *more)},
        window=Window(row["window_start"], row["window_end"]),
        evidence=tuple(Evidence.from_json(each) for each in row["evidence"]),
        train=train,
        attempts=row["attempts"] or 0,
    )
