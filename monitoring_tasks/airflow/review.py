"""The review: a person sees why a new model is called for, in Airflow's own pages, and agrees or not."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from airflow.providers.standard.operators.hitl import ApprovalOperator, HITLOperator
from airflow.sdk import Context, Param
from airflow.sdk.exceptions import AirflowSkipException

from monitoring_tasks.airflow.connections import results_store
from monitoring_tasks.airflow.retries import heals_by_waiting
from monitoring_tasks.airflow.tasks import windows_of
from monitoring_tasks.alerts.clean_text import one_line
from monitoring_tasks.config import Monitor
from monitoring_tasks.errors import ConfigError, TransientError
from monitoring_tasks.window import Window, format_duration, format_instant, parse_instant

if TYPE_CHECKING:
    from monitoring_tasks.results.actions import Action
    from monitoring_tasks.results.store import Store

_log = logging.getLogger(__name__)

MARKUP = frozenset("\\`*_{}[]()<>#|!~&")

LONGEST = 2000
"""Characters of a text of others that the page shows."""

PERIOD = {
    "train_start": ("Learn from", "Start of the rows to learn from. It is filled in with the beginning of the change."),
    "train_end": ("Learn until", "End of the rows to learn from, itself not included."),
}

TOO_LATE = (
    "this changes nothing, because the question had been answered in another run, or the alert that asked had been "
    "called a false alarm or withdrawn"
)

KEPT_AGAIN = (2.0, 10.0, 30.0, 60.0)
"""Seconds between tries to keep an answer: a retry of the task would put the question to people again."""


class ReviewRetraining(ApprovalOperator):
    """Ask a person whether a new model is to be trained, and keep who agreed or not, why, and from which rows.

    The task waits in the state *awaiting input*; no worker and no triggerer is held. What was decided stands in the
    results store: a cleared run does not ask again, and what follows is skipped where the answer was no.

    Parameters
    ----------
    monitor
        Whose section `retraining` says how long to wait, and what holds when nobody answers.
    """

    def __init__(self, *, monitor: Monitor, **arguments: Any) -> None:
        rule = monitor.retraining
        if rule is None:
            raise ConfigError(f"monitor {monitor.name!r} has no section `retraining`: there is nothing to review")
        fields = {
            name: Param(None, type=["null", "string"], format="date-time", title=title, description=text)
            for name, (title, text) in PERIOD.items()
        }
        fields["note"] = Param("", type=["null", "string"], title="Note", description="Why, for others to read.")
        # Airflow hands in the DAG's parameters here; this form has its own.
        super().__init__(
            subject=f"A new model for {monitor.name}?",
            body="",
            defaults=self.APPROVE if rule.approval_default == "approve" else self.REJECT,
            response_timeout=rule.approval_timeout,
            **{**arguments, "params": fields},
        )
        self._monitor, self._rule = monitor, rule

    @heals_by_waiting
    def execute(self, context: Context) -> Any:
        """Ask, unless that was decided before."""
        from monitoring_tasks.notice import report_url

        actions = self._asked_for(context)
        waiting = [action for action in actions if action.waits]
        if not waiting:
            return self._decided_before(context, actions)
        first = waiting[0]
        train = first.train or first.window
        report = report_url(self._monitor.name, first.window, first.alert_id)
        self.body = body(self._monitor, waiting, report)
        values = {"train_start": format_instant(train.start), "train_end": format_instant(train.end)}
        for name, value in values.items():
            self.params[name] = value
        return super().execute(context)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Keep the answer; skip what follows where it is no, or where it came too late to change anything."""
        answer = HITLOperator.execute_complete(self, context, event)
        approved = answer["chosen_options"] == [self.APPROVE]
        kept = self._keep(context, answer, approved)
        if approved and not kept:
            raise AirflowSkipException(TOO_LATE)
        if not approved:
            self._skip_what_follows(context)
        return None

    @heals_by_waiting
    def _keep(self, context: Context, answer: Mapping[str, Any], approved: bool) -> bool:
        """Keep the answer and return whether it counts: a question that has an answer, or none any more, takes none."""
        from monitoring_tasks.results.actions import record_approval, record_failed
        from monitoring_tasks.results.store import open_store

        given = answer["params_input"] or {}
        user = answer["responded_by_user"]
        train = self._period(given) if approved else None
        note = str(given.get("note") or "")
        who = "nobody" if user is None else str(user["name"] or user["id"])
        said = f"{'Approved' if approved else 'Rejected'} by {who}"
        if user is None:
            waited = f"nobody answered within {format_duration(self._rule.approval_timeout)}"
            note = f"{waited}, and `approval_default` is {self._rule.approval_default}"

        code: Literal["approved", "timed_out", "rejected"]
        code = "approved" if approved else "timed_out" if user is None else "rejected"
        by, at = None if user is None else who, answer["responded_at"] or datetime.now(UTC)

        def record() -> bool:
            with open_store(results_store()) as store:
                for action in self._asked_for(context):
                    record_approval(store, action, code, by=by, at=at, note=note, train=train)
                asked = self._asked(store, context)
                kept = any((each.approval, each.decided_by, each.decided_at) == (code, by, at) for each in asked)
                for action in asked:
                    if action.waits:  # for an alert that calls for nothing any more
                        record_failed(store, action, f"{said}: {TOO_LATE}")
            return kept

        kept = _waited_for(record)
        if kept and approved:
            with open_store(results_store()) as store:
                self._with_rows(store, context)
        if kept:
            self.log.info("%s", said)
        else:
            self.log.warning("%s: %s", said, TOO_LATE)
        return kept

    def _period(self, given: Mapping[str, Any]) -> Window | None:
        """Return the period asked for; None where it was not changed."""
        first, last = given.get("train_start"), given.get("train_end")
        if not first and not last:
            return None
        if not first or not last:
            raise ConfigError(
                f"train_start {first!r} and train_end {last!r} go together: clear this task to be asked again"
            )
        zone = self._monitor.schedule.timezone
        start, end = parse_instant(first, zone), parse_instant(last, zone)
        if start >= end:
            raise ConfigError(
                f"no rows to learn from lie between train_start {first} and train_end {last}: clear this task to be "
                "asked again"
            )
        return Window(start, end)

    def _asked_for(self, context: Context) -> tuple[Action, ...]:
        from monitoring_tasks.results.store import open_store
        from monitoring_tasks.retraining import to_ask

        with open_store(results_store()) as store:
            return to_ask(self._monitor, store, windows_of(self._monitor, context))

    def _asked(self, store: Store, context: Context) -> tuple[Action, ...]:
        """Return the questions of these windows, also of an alert that calls for nothing any more."""
        from monitoring_tasks.results.actions import read_actions

        windows = windows_of(self._monitor, context)
        return read_actions(store, self._monitor.name, windows=windows, decision="trigger")

    def _with_rows(self, store: Store, context: Context) -> None:
        """Export the rows of another period than was proposed."""
        from monitoring_tasks.airflow.retraining import with_rows
        from monitoring_tasks.retraining import to_ask

        with_rows(self._monitor, store, to_ask(self._monitor, store, windows_of(self._monitor, context)))

    def _decided_before(self, context: Context, actions: Sequence[Action]) -> None:
        from monitoring_tasks.results.store import open_store

        if actions:
            with open_store(results_store()) as store:
                self._with_rows(store, context)
            self.log.info("Approved before, by %s", actions[0].decided_by or "nobody")
            return
        self.log.info("Nothing is asked for any more")
        self._skip_what_follows(context)

    def _skip_what_follows(self, context: Context) -> None:
        self.skip(ti=context["ti"], tasks=context["task"].get_direct_relatives(upstream=False))


def _waited_for(record: Callable[[], bool]) -> bool:
    """Record an answer, and wait for a store that is away: Airflow forgets an answer whose task it tries again."""
    for pause in KEPT_AGAIN:
        try:
            return record()
        except TransientError as error:
            _log.warning("The store does not answer, %g s until the next try: %s", pause, error)
            time.sleep(pause)
    return record()


def body(monitor: Monitor, actions: Sequence[Action], report: str | None = None) -> str:
    """Return in Markdown what a person needs to decide: the reason, the numbers, and the rows to learn from."""
    first = actions[0]
    parts = [_plain(first.reason), ""]
    if first.evidence:
        parts += ["| window | check | what | value | bound | rows |", "|---|---|---|---|---|---|"]
        for each in first.evidence[:10]:
            of = " ".join(filter(None, [each.metric, each.column_name, each.segment]))
            bounds = [f"{bound:.4g}" for bound in (each.threshold_lower, each.threshold_upper) if bound is not None]
            interval = (
                f" ({each.value_lower:.4g} to {each.value_upper:.4g})"
                if each.value_lower is not None and each.value_upper is not None
                else ""
            )
            value = "" if each.value is None else f"{each.value:.4g}{interval}"
            rows = "" if each.window_rows is None else f"{each.window_rows:,}"
            cells = [format_instant(each.window.start), each.check_name, of, value, " or ".join(bounds), rows]
            parts.append("| " + " | ".join(map(_plain, cells)) + " |")
        if len(first.evidence) > 10:
            parts.append(f"\nand {len(first.evidence) - 10} more: table `alert_event`, alert `{first.alert_id}`")
        parts.append("")
    train = first.train or first.window
    parts.append(
        f"**Rows to learn from**: {format_instant(train.start)} to {format_instant(train.end)} of "
        f"`{monitor.inference_log.table}`. Other times can be filled in below."
    )
    if first.export:
        parts += ["", f"They stand in `{first.export}`."]
    elif first.error:
        parts += ["", f"There is no file of them: {_plain(first.error)}."]
    if first.query:
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", first.query)), default=0))  # names may hold some
        parts += ["", f"{fence}sql", first.query, fence]
    if report:
        parts += ["", f"[Report](<{report}>)"]
    parts += ["", "**Asked**: " + ", ".join(_plain(action.target) for action in actions) + " once you approve."]
    return "\n".join(parts)


def _plain(text: str) -> str:
    """Return a text that Markdown neither splits nor decorates: names of columns and messages come from data."""
    return "".join(f"\\{char}" if char in MARKUP else char for char in one_line(text, LONGEST))
