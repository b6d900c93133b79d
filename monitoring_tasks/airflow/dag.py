"""A monitor as a DAG: wait, scan, one task per family of checks, close; then alerts, messages and retraining."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from airflow.providers.common.compat.sdk import conf
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Asset, Context, CronDataIntervalTimetable, Param, TaskGroup, get_current_context

from monitoring_tasks.airflow import tasks
from monitoring_tasks.airflow.retries import RETRIES, monitoring_task
from monitoring_tasks.airflow.wait import WaitForRows
from monitoring_tasks.airflow.windows import latest_window
from monitoring_tasks.checks import families, not_computed_in_words
from monitoring_tasks.config import Monitor, load_monitor
from monitoring_tasks.window import format_duration

ACTIVE_RUNS = 4
"""Runs of one monitor at work at the same time; runs that wait for late rows or for a person come on top."""

MOST_REVIEWS = 10
"""Runs of one monitor that wait for a person before they hold up the others."""

NOTIFY = (
    "Whether people are told of alerts in a period of the past, and asked for a new model. They are told of the latest "
    "window anyway."
)


def monitor_dag(monitor: Monitor | Path | str) -> DAG:
    """Return the DAG ``monitor.<name>`` of a monitor or of a monitor file.

    Its data intervals are the monitor's windows. It can be scheduled, run by hand for any period (``window_start`` and
    ``window_end``, in the form or in the run's configuration), cleared, and backfilled.

    Raises
    ------
    ConfigError
        If the file is wrong.
    """
    monitor = _loaded(monitor)
    with DAG(
        dag_id=monitor.dag_id,
        description=monitor.description or None,
        schedule=CronDataIntervalTimetable(monitor.schedule.expression, monitor.schedule.timezone),
        start_date=monitor.start,
        catchup=False,
        max_active_runs=_active_runs(monitor),
        default_args={"owner": monitor.owner} if monitor.owner else {},
        params=window_params(monitor),
        tags={"monitoring", *filter(None, [monitor.task])},
        doc_md=_page(monitor),
    ) as dag:
        _add_tasks(monitor)
    return dag


def monitor_tasks(monitor: Monitor | Path | str, group_id: str | None = None) -> TaskGroup:
    """Add a monitor's tasks to the DAG being defined, as one task group that can be put before and after others.

    The windows are those of the *monitor's* schedule that lie in the run's data interval, or the latest complete one
    when the DAG has no intervals (it is triggered by an asset, say). Add ``params=window_params(monitor)`` to the DAG
    for runs by hand over other periods.

    Parameters
    ----------
    monitor
        A monitor or the path of its file.
    group_id
        Name of the group; the monitor's by default.
    """
    monitor = _loaded(monitor)
    with TaskGroup(group_id or monitor.name) as group:
        _add_tasks(monitor)
    return group


def window_params(monitor: Monitor) -> dict[str, Param]:
    """Return the parameters of a run by hand, as the form shows them: its two ends, and whether people are told.

    The form's calendar reads in the time zone of the page, not of the monitor, and the form of a backfill shows the two
    as well: both have to be said there.
    """
    zone = monitor.schedule.timezone
    begin = latest_window(monitor.schedule, monitor.start).end
    local = "" if zone == "UTC" else f" ({begin.astimezone(ZoneInfo(zone)):%H:%M} in {zone})"
    period = {
        name: Param(None, type=["null", "string"], format="date-time", title=title, description_md=text)
        for name, title, text in (
            (
                "window_start",
                "From",
                f"Start of the first window, such as **{begin:%Y-%m-%d %H:%M} UTC**{local}. The calendar's times are "
                "UTC, unless you chose another time zone for these pages.",
            ),
            (
                "window_end",
                "To",
                "End of the last window, itself not included. Every whole window between the two is computed, again if "
                "it was before. Leave both empty for the latest complete window, and for a backfill.",
            ),
        )
    }
    if not monitor.alert_rules:
        return period
    return {**period, "notify": Param(False, type="boolean", title="Tell people", description_md=NOTIFY)}


def _add_tasks(monitor: Monitor) -> None:
    @monitoring_task(task_id="scan")
    def scan() -> str:
        return tasks.scan(monitor, tasks.windows_of(monitor, get_current_context()))

    @monitoring_task(
        task_id="close",
        trigger_rule="all_done",
        outlets=[Asset(name=f"monitoring.{monitor.name}.results", uri=f"monitoring://{monitor.name}/results")],
    )
    def close() -> str:
        context = get_current_context()
        windows, failed = tasks.windows_of(monitor, context), tasks.failed_before(context)
        return tasks.close(monitor, windows, failed, tell=tasks.tells_people(context))

    scanned = scan()
    closed = close()
    scanned >> closed
    for family in families(monitor):
        scanned >> _check(monitor, family)() >> closed
    if monitor.delay:
        WaitForRows(task_id="wait", monitor=monitor, **RETRIES) >> scanned
    if monitor.alert_rules:
        _add_alerts(monitor, closed)


def _add_alerts(monitor: Monitor, closed: Any) -> None:
    @monitoring_task(task_id="alerts", trigger_rule="all_done")
    def alerts() -> str:
        return tasks.decide_alerts(monitor, run_page(get_current_context()))

    decided = alerts()
    last: Any = decided
    closed >> decided
    # A window that failed keeps its run red, though tasks after `close` succeed.
    outcome = EmptyOperator(task_id="outcome", trigger_rule="none_failed")
    closed >> outcome
    if any(rule.notify or rule.escalate for rule in monitor.alerts):

        @monitoring_task(task_id="deliver")
        def deliver() -> str:
            return tasks.deliver(monitor)

        last = deliver()
        decided >> last
    last >> outcome
    if monitor.retraining is not None:
        from monitoring_tasks.airflow.retraining import add_retraining  # most monitors need no operator of it

        first, requested = add_retraining(monitor)
        decided >> first
        requested >> outcome


def run_page(context: Context) -> str | None:
    """Return the address of the DAG run's page; None where Airflow does not know its own."""
    base = conf.get("api", "base_url", fallback=None)
    run = context["dag_run"]
    return f"{base.rstrip('/')}/dags/{quote(run.dag_id)}/runs/{quote(run.run_id)}" if base else None


def _check(monitor: Monitor, family: str) -> Any:
    @monitoring_task(task_id=family)
    def check() -> str:
        return tasks.check(monitor, family, tasks.windows_of(monitor, get_current_context()))

    return check


def _loaded(monitor: Monitor | Path | str) -> Monitor:
    return monitor if isinstance(monitor, Monitor) else load_monitor(monitor)


def _active_runs(monitor: Monitor) -> int:
    """Return how many runs may be active: without those that wait, a delay of two days would stop an hourly monitor.

    Nor may runs that wait for a person hold up the others. There may be one for each cooldown: a question waits on when
    its alert has been called a false alarm, and the next alert may ask.
    """
    length, rule = latest_window(monitor.schedule, monitor.start).length, monitor.retraining
    reviews = 0
    if rule is not None and rule.approval == "required":
        reviews = min(MOST_REVIEWS, 1 + math.ceil(rule.approval_timeout / max(rule.cooldown, length)))
    return ACTIVE_RUNS + math.ceil(monitor.delay / length) + reviews


def _alerts_page(monitor: Monitor) -> str:
    if not monitor.alerts:
        return ""
    rules = "\n".join(
        f"- **{rule.name}** ({rule.severity}): {', '.join(rule.when.check)} in {rule.when.status}"
        + (f", told to {', '.join(rule.notify)}" if rule.notify else ", told to nobody")
        for rule in monitor.alerts
    )
    return f"""\
Alerts are decided on in task `alerts`, after `close`, also of a window that failed:

{rules}

Scheduled runs and runs of the latest window tell people. A backfill, and a run over a period of the past, record alerts
and tell nobody, unless *Tell people* is set. `monitoring-tasks alerts list {monitor.name}` names the open ones."""


def _retraining_page(monitor: Monitor) -> str:
    rule = monitor.retraining
    if rule is None:
        return ""
    named = [f"DAG `{rule.trigger_dag}`"] if rule.trigger_dag else []
    named += [f"a request to connection `{rule.http.connection}`"] if rule.http else []
    review = ""
    if rule.approval == "required":
        review = (
            f" once a person has agreed: task `review` waits under *Required Actions*, "
            f"{format_duration(rule.approval_timeout)} at most, and then takes the answer *{rule.approval_default}*"
        )
    return f"""\
A new model is asked for when {", ".join(rule.when.check)} is in {rule.when.status} in {rule.when.windows.k} of
{rule.when.windows.n} windows, by {" and ".join(named)}{review}. One alert asks once, however often its run is cleared.
Each decision is a row of table `action`, with its reason, who agreed, and the run that it became."""


def _page(monitor: Monitor) -> str:
    """Return the DAG's documentation: what is watched, how, and the file itself."""
    path = Path(monitor.path)
    checks = "\n".join(f"- **{family}**: {', '.join(names)}" for family, names in families(monitor).items())
    note = not_computed_in_words(monitor)
    without_effect = f"\n**Without effect**: {note}.\n" if note else ""
    afterwards = "".join(f"\n{part}\n" for part in (_alerts_page(monitor), _retraining_page(monitor)) if part)
    schedule = f"`{monitor.schedule.expression}` ({monitor.schedule.timezone})"
    return f"""\
{monitor.description}

Watches the inference log `{monitor.inference_log.table}` in the warehouse `{monitor.warehouse}`: one window for each
interval of {schedule}, since {monitor.start:%Y-%m-%d %H:%M} UTC. Owner: {monitor.owner or "nobody"}.

{checks}
{without_effect}{afterwards}
Every number is a row of table `result`, every window a row of table `window_run`, for monitor `{monitor.name}`.
A window that failed is red here and `failed` there. Clear a run to compute its window again. For another period:

- *Trigger > Single Run* with *From* and *To*, which stand under *Run Parameters*: one run computes every whole window
  between the two. (In a configuration written by hand, a time without a zone is read in {monitor.schedule.timezone}.)
- *Trigger > Backfill*: one run per window, from the one that begins at *From* to the one that begins at *To*.
- The DAG `monitoring.backfill`: months and years in few scans.

Defined in `{path.parent.name}/{path.name}`:

```yaml
{path.read_text(encoding="utf-8").rstrip()}
```
"""
