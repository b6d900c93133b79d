"""Retraining as tasks: decide, let a person review, ask whoever trains, and record that it was asked for."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.trigger_dagrun import DagIsPaused, TriggerDagRunOperator
from airflow.sdk import Asset, Context, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowRuntimeError, AirflowSkipException

from monitoring_tasks.airflow.connections import http_of, results_store, warehouse_of
from monitoring_tasks.airflow.retries import RETRIES, heals_by_waiting, is_retry, monitoring_task
from monitoring_tasks.airflow.review import ReviewRetraining
from monitoring_tasks.airflow.tasks import tells_people, windows_of
from monitoring_tasks.config import Monitor
from monitoring_tasks.errors import ConfigError, MonitoringError, TransientError
from monitoring_tasks.window import Window

if TYPE_CHECKING:
    from monitoring_tasks.results.actions import Action
    from monitoring_tasks.results.store import Store

_log = logging.getLogger(__name__)

NOTHING = "Nothing is to be asked for: it was asked for before, nobody agreed, or it is not called for any more"


def retraining_asset(monitor: Monitor) -> Asset:
    """Return the asset that is updated when a new model is asked for."""
    return Asset(name=f"monitoring.{monitor.name}.retraining", uri=f"monitoring://{monitor.name}/retraining")


def add_retraining(monitor: Monitor) -> tuple[Any, Any]:
    """Add the tasks to the DAG being defined; return the first and the last of them."""
    rule = monitor.retraining
    if rule is None:
        raise ConfigError(f"monitor {monitor.name!r} has no section `retraining`")
    asset = retraining_asset(monitor)

    @task.short_circuit(task_id="retraining", ignore_downstream_trigger_rules=False, **RETRIES)
    @heals_by_waiting
    def retraining() -> list[str]:
        context = get_current_context()
        return decide(monitor, windows_of(monitor, context), context)

    @monitoring_task(task_id="retraining_requested", trigger_rule="none_failed_min_one_success", outlets=[asset])
    def requested() -> list[str]:
        context = get_current_context()
        actions = record_requested(monitor, windows_of(monitor, context), context)
        if not actions:
            raise AirflowSkipException("Nothing was asked for that is not recorded already")
        # One update for all targets: they are asked because of the same alert, for the same rows.
        told = {k: v for k, v in actions[0].request.to_json().items() if k not in ("evidence", "query")}
        context["outlet_events"][asset].extra = {**told, "runs": [action.run_id for action in actions]}
        return [action.action_id for action in actions]

    first, last = retraining(), requested()
    before: Any = first
    if rule.approval == "required":
        # Airflow tries again what is answered within a second of being asked: nobody is to wait long for that.
        before = ReviewRetraining(task_id="review", monitor=monitor, **{**RETRIES, "retry_delay": timedelta(seconds=5)})
        first >> before
    if rule.trigger_dag is not None:
        before >> TrainingRun(task_id="train", monitor=monitor, **RETRIES) >> last
    if rule.http is not None:

        @monitoring_task(task_id="call")
        def call() -> str:
            return send_request(monitor, windows_of(monitor, get_current_context()))

        before >> call() >> last
    return first, last


def decide(monitor: Monitor, windows: Sequence[Window], context: Context) -> list[str]:
    """Decide about the run's windows and return the ids of what is to be asked for; none skips what follows."""
    from monitoring_tasks.results.store import open_store
    from monitoring_tasks.retraining import decide_retraining

    rule, now = monitor.retraining, datetime.now(UTC)
    assert rule is not None

    def running(action: Action) -> str:
        if action.waits:
            return "a person's answer" if now < action.recorded_at + rule.approval_timeout else ""
        if action.target != rule.trigger_dag or action.state not in ("triggering", "triggered"):
            return ""
        run = action.run_id or dag_run_of(action)
        return f"DAG run {run} of {action.target}" if _runs(context, action.target, run, "queued", "running") else ""

    with open_store(results_store()) as store:
        actions = decide_retraining(monitor, store, windows, ask=tells_people(context), now=now, running=running)
        with_rows(monitor, store, actions)
    for action in actions:
        _log.info("%s: %s", action.target, action.reason)
    return [action.action_id for action in actions]


def dag_run_of(action: Action) -> str:
    """Return the id of the DAG run that the action becomes."""
    from monitoring_tasks.actions.retraining import run_id

    return run_id(action.action_id)


def with_rows(monitor: Monitor, store: Store, actions: Sequence[Action]) -> None:
    """Keep the SQL of the rows to learn from beside what is to be asked for, and the file that holds them.

    They are for the reviewer and for whoever trains, who may read the warehouse instead: a warehouse that does not
    answer, or a disk that is full, stops nothing, and why there is no file is told.
    """
    from monitoring_tasks.results.actions import record_rows
    from monitoring_tasks.training_rows import export_rows, training_query
    from monitoring_tasks.warehouse.engine import open_warehouse

    missing = [action for action in actions if action.export is None and action.train is not None]
    if not missing:
        return
    query = export = error = None
    first = missing[0]
    assert first.train is not None
    try:
        with open_warehouse(warehouse_of(monitor.warehouse)) as warehouse:
            query = training_query(monitor, warehouse, first.train)
            file, rows = export_rows(monitor, warehouse, first.train, first.action_id)
        export = str(file)
        _log.info("%s rows to learn from: %s", f"{rows:,}", file)
    except Exception as reason:  # noqa: BLE001 - whatever a warehouse or a disk trips over, the review goes on
        error = str(reason) if isinstance(reason, MonitoringError) else f"{type(reason).__name__}: {reason}"
        _log.warning("The rows to learn from could not be exported: %s", error)
    for action in missing:
        record_rows(store, action, query, export, error)


class TrainingRun(TriggerDagRunOperator):
    """Trigger the DAG that trains, once for each alert, with the evidence in its `conf`.

    The id of the run follows from the alert, so that the same run cannot be made twice, however often this task is
    killed, retried or cleared.

    Parameters
    ----------
    monitor
        Whose `retraining.trigger_dag` is triggered.
    """

    def __init__(self, *, monitor: Monitor, **arguments: Any) -> None:
        if monitor.retraining is None or monitor.retraining.trigger_dag is None:
            raise ConfigError(f"monitor {monitor.name!r} names no `retraining.trigger_dag`")
        super().__init__(
            trigger_dag_id=monitor.retraining.trigger_dag,
            logical_date=None,
            skip_when_already_exists=True,
            fail_when_dag_is_paused=True,
            **arguments,
        )
        self._monitor = monitor

    @heals_by_waiting
    def execute(self, context: Context) -> None:
        """Trigger it, unless it runs already."""
        from monitoring_tasks.results.actions import record_failed, record_triggering
        from monitoring_tasks.results.store import open_store

        with open_store(results_store()) as store:
            action = _agreed(self._monitor, store, windows_of(self._monitor, context), self.trigger_dag_id)
            if action is None or not record_triggering(store, action):
                raise AirflowSkipException(NOTHING)
            self.trigger_run_id, self.conf = dag_run_of(action), action.request.to_json()
            if _runs(context, self.trigger_dag_id, self.trigger_run_id):
                self.log.info("DAG run %s is there already", self.trigger_run_id)
                return
            try:
                super().execute(context)
            except (DagIsPaused, AirflowRuntimeError) as error:
                reason = self._why_not(error)
                record_failed(store, action, reason)
                raise AirflowFailException(reason) from error

    def _why_not(self, error: Exception) -> str:
        if isinstance(error, DagIsPaused):
            return f"DAG {self.trigger_dag_id} is paused, so that nothing would train: unpause it, then clear this task"
        return (
            f"DAG {self.trigger_dag_id} (`retraining.trigger_dag`) could not be triggered: is there a DAG of that id? "
            f"Then clear this task. Airflow says: {error}"
        )


def send_request(monitor: Monitor, windows: Sequence[Window]) -> str:
    """Send the request of `retraining.http`, unless it was answered before; return what was answered."""
    from monitoring_tasks.actions.http_request import http_request
    from monitoring_tasks.http_call import send
    from monitoring_tasks.results.actions import record_answered, record_failed, record_triggering
    from monitoring_tasks.results.store import open_store
    from monitoring_tasks.retraining import http_target

    rule = monitor.retraining
    assert rule is not None
    assert rule.http is not None
    with open_store(results_store()) as store:
        action = _agreed(monitor, store, windows, http_target(monitor) or "")
        if action is None:
            raise AirflowSkipException(NOTHING)
        if action.state == "triggering" and action.run_id is not None:
            return action.run_id
        try:
            request = http_request(rule.http, http_of(rule.http.connection), action.request)
            if not record_triggering(store, action):
                raise AirflowSkipException(NOTHING)
            answer = send(request)
        except MonitoringError as error:
            record_failed(store, action, str(error))
            if isinstance(error, TransientError):
                raise
            raise type(error)(f"{error}. Mend that, then clear this task") from None
        record_answered(store, action, answer)
    return answer


def record_requested(monitor: Monitor, windows: Sequence[Window], context: Context) -> list[Action]:
    """Keep which DAG run each request became; return those that were not kept before.

    A try that was killed may have kept them, and told nobody: Airflow updates the asset when the task has succeeded.
    """
    from dataclasses import replace

    from monitoring_tasks.results.actions import read_actions, record_failed, record_triggered
    from monitoring_tasks.results.store import open_store
    from monitoring_tasks.retraining import to_ask

    rule = monitor.retraining
    done: list[Action] = []
    assert rule is not None
    with open_store(results_store()) as store:
        if is_retry(context):
            kept = read_actions(store, monitor.name, windows=windows, decision="trigger")
            done += [action for action in kept if action.state == "triggered"]
        for action in to_ask(monitor, store, windows):
            if action.state != "triggering":
                continue
            run = action.run_id
            if action.target == rule.trigger_dag:
                run = dag_run_of(action)
                if not _runs(context, action.target, run):
                    reason = f"DAG run {run} of {action.target} is not there: clear task train"
                    record_failed(store, action, reason)
                    raise AirflowFailException(reason)
            if record_triggered(store, action, run):
                done.append(replace(action, state="triggered", run_id=run))
    return done


def _agreed(monitor: Monitor, store: Store, windows: Sequence[Window], target: str) -> Action | None:
    """Return what this target is to be asked for and nobody has still to agree to."""
    from monitoring_tasks.retraining import to_ask

    found = [each for each in to_ask(monitor, store, windows) if each.target == target and not each.waits]
    return found[0] if found else None


def _runs(context: Context, dag: str, run: str, *states: str) -> bool:
    """Return whether there is such a DAG run, in one of these states if any are given."""
    return bool(context["ti"].get_dr_count(dag_id=dag, run_ids=[run], states=list(states) or None))
