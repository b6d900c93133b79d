"""The bodies of the tasks. Each says what the run is about, makes one call into `run`, and returns little text.

Everything heavy is imported inside: the DAG processor imports this module every few seconds.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException

from monitoring_tasks.airflow import windows as runs
from monitoring_tasks.airflow.connections import results_store, warehouse_of
from monitoring_tasks.airflow.windows import windows_of_run
from monitoring_tasks.checks import enabled, families
from monitoring_tasks.config import Monitor
from monitoring_tasks.window import Window

if TYPE_CHECKING:
    from monitoring_tasks.results.store import Store, WindowRun
    from monitoring_tasks.samples import Samples
    from monitoring_tasks.warehouse.engine import Warehouse

_log = logging.getLogger(__name__)

SHOWN = 5
"""Failed windows named in a message; the rest is counted."""


def windows_of(monitor: Monitor, context: Context) -> tuple[Window, ...]:
    """Return the windows of the DAG run in `context`."""
    run = context["dag_run"]
    interval = None
    if run.data_interval_start is not None and run.data_interval_end is not None:
        interval = (run.data_interval_start, run.data_interval_end)
    return windows_of_run(
        monitor.schedule,
        run_type=_run_type(context),
        interval=interval,
        run_after=run.run_after,
        params=context["params"],
        now=datetime.now(UTC),
    )


def tells_people(context: Context) -> bool:
    """Return whether people are told what the DAG run in `context` finds."""
    return runs.tells_people(run_type=_run_type(context), params=context["params"])


def _run_type(context: Context) -> str:
    run_type = context["dag_run"].run_type
    return str(getattr(run_type, "value", run_type))


def failed_before(context: Context) -> tuple[str, ...]:
    """Return the names of the tasks right before this one that did not succeed in this DAG run."""
    run_id, upstream = context["dag_run"].run_id, sorted(context["task"].upstream_task_ids)
    states = context["ti"].get_task_states(dag_id=context["dag"].dag_id, task_ids=upstream, run_ids=[run_id])[run_id]
    return tuple(name.rpartition(".")[2] for name in upstream if states.get(name) not in ("success", "skipped"))


def scan(monitor: Monitor, windows: Sequence[Window]) -> str:
    """Read the windows from the warehouse in one scan and store their profiles and labels.

    Earlier windows whose rows or labels have come wait in the store until the tasks after this one have run them too.
    """
    from monitoring_tasks.results.store import open_store
    from monitoring_tasks.run import scan_windows

    _log.info("Scanning %s", period(windows))
    with open_store(results_store()) as store, open_warehouse_of(monitor, windows, store) as warehouse:
        again = scan_windows(monitor, windows, warehouse, store)
    if again:
        _log.info("Rows or labels have come for %s", period(again))
    return period(windows)


def check(monitor: Monitor, family: str, windows: Sequence[Window]) -> str:
    """Run one family of checks over the stored profiles; fail when one of them could not be computed.

    Of earlier windows that wait because rows or labels of theirs have come, the checks run that have not written since.

    The warehouse is opened only for a family that reads rows. One that does not answer is asked again by a retry.

    The failed check has then written its error rows, and the others theirs. A window that cannot be checked at all,
    such as one without a profile, costs the others nothing.
    """
    from monitoring_tasks.errors import DataError
    from monitoring_tasks.results.store import open_store
    from monitoring_tasks.run import check_window, history_of, missing_checks, waiting_windows

    names = families(monitor)[family]
    reasons, written = [], ""
    with open_store(results_store()) as store, ExitStack() as stack:
        every = sorted({*windows, *waiting_windows(monitor, store)})
        samples = None
        if any(check.reads_rows(monitor) for check in enabled(monitor) if check.name in names):
            samples = stack.enter_context(samples_of(monitor, every))
        history = history_of(monitor, every, store)
        for window in every:
            wanted = names if window in windows else missing_checks(monitor, window, names, store)
            try:
                failed = check_window(monitor, window, wanted, store, history, samples) if wanted else ()
            except DataError as error:
                reasons.append(f"{window} ({error})")
                continue
            if failed:
                reasons.append(f"{window} ({', '.join(failed)})")
                written = ": the rows with status 'error' in table result say why"
    if reasons:
        raise AirflowFailException(_these("could not be checked", reasons) + written)
    return period(windows)


def close(monitor: Monitor, windows: Sequence[Window], failed_tasks: Sequence[str] = (), *, tell: bool = True) -> str:
    """Record each window as done or failed; fail when one failed, so that no failed window is green.

    So it does with earlier windows that waited because rows or labels of theirs have come; those that another run is
    still at work on go on waiting. Where another run has had checks of these windows forgotten since they ran, because
    it found late rows or labels that they look at, they are run again here.

    `tell` says whether people are told what these windows mean for alerts.

    `failed_tasks` are the tasks before this one that failed. A scan that ended too early to say so itself (its worker
    was killed) left the rows of an earlier run, which must not make the window look done.
    """
    from monitoring_tasks.alerting import decide_alerts
    from monitoring_tasks.results.store import open_store
    from monitoring_tasks.run import close_window, missing_checks, record_failed, waiting_windows

    with open_store(results_store()) as store:
        if "scan" in failed_tasks:  # what the scan has recorded itself keeps its reason
            known = {run.window for run in _failed(monitor, windows, store)}
            unread = [window for window in windows if window not in known]
            record_failed(monitor, unread, store, "task scan failed: its log says why", tell=tell)
        elif not failed_tasks:
            _check_again(monitor, windows, store)
        names = [check.name for check in enabled(monitor)]
        waited = [
            window
            for window in waiting_windows(monitor, store)
            if window not in windows and not missing_checks(monitor, window, names, store)
        ]
        every = sorted({*windows, *waited})
        runs = [close_window(monitor, window, store, datetime.now(UTC), tell=tell) for window in every]
        if not monitor.alert_rules:  # no task does it: a rule of tomorrow would tell people of months that are over
            decide_alerts(monitor, store, now=datetime.now(UTC))
    fail_if_failed({run.window: run.error for run in runs if run.state == "failed"})
    if failed_tasks:
        raise AirflowFailException(f"task {', '.join(failed_tasks)} failed: what is stored is of an earlier run")
    return period(windows)


def decide_alerts(monitor: Monitor, run_page: str | None = None) -> str:
    """Decide on the alerts of every window whose results were not looked at yet; what is told goes into the outbox."""
    from monitoring_tasks.alerting import decide_alerts
    from monitoring_tasks.notice import Links, message
    from monitoring_tasks.results.store import open_store

    with open_store(results_store()) as store:
        events = decide_alerts(monitor, store, now=datetime.now(UTC), links=Links(run=run_page), message=message)
    told = sum(event.tell for event in events)
    return f"{len(events)} events, {told} told"


def deliver(monitor: Monitor) -> str:
    """Send what the outbox holds."""
    from monitoring_tasks.airflow.deliver import deliver_alerts

    return deliver_alerts(monitor)


def _check_again(monitor: Monitor, windows: Sequence[Window], store: Store) -> None:
    """Run the checks of these windows that another run has had forgotten; what they cannot compute is recorded."""
    from monitoring_tasks.run import missing_checks, waiting_windows

    for family, names in families(monitor).items():
        waiting = waiting_windows(monitor, store)
        again = [each for each in windows if each in waiting and missing_checks(monitor, each, names, store)]
        if again:
            _log.info("Another run has read again what %s is compared with", period(again))
            with suppress(AirflowFailException):
                check(monitor, family, again)


@contextmanager
def open_warehouse_of(monitor: Monitor, windows: Sequence[Window], store: Store) -> Iterator[Warehouse]:
    """Open the monitor's warehouse; when that fails, record the windows as failed for that reason."""
    from monitoring_tasks.run import recording_failure
    from monitoring_tasks.warehouse.engine import open_warehouse

    with ExitStack() as stack:
        with recording_failure(monitor, windows, store):
            warehouse = stack.enter_context(open_warehouse(warehouse_of(monitor.warehouse)))
        yield warehouse


@contextmanager
def samples_of(monitor: Monitor, windows: Sequence[Window]) -> Iterator[Samples]:
    """Open the monitor's warehouse to draw rows of these windows. They stay as recorded if it does not answer."""
    from monitoring_tasks.samples import Samples
    from monitoring_tasks.warehouse.engine import open_warehouse

    with open_warehouse(warehouse_of(monitor.warehouse)) as warehouse:
        yield Samples(monitor, warehouse, windows)


def _failed(monitor: Monitor, windows: Sequence[Window], store: Store) -> list[WindowRun]:
    runs = store.window_runs(monitor.name, windows[0].start, windows[-1].end)
    return [run for run in runs if run.state == "failed"]


def fail_if_failed(reasons: dict[Window, str | None]) -> None:
    """Fail the task when a window failed, with the reasons of the first few."""
    if reasons:
        raise AirflowFailException(_these("failed", [f"{window}: {reason}" for window, reason in reasons.items()]))


def period(windows: Sequence[Window]) -> str:
    """Render first start to last end, and the number of windows if several."""
    if len(windows) == 1:
        return str(windows[0])
    return f"{Window(windows[0].start, windows[-1].end)}, {len(windows)} windows"


def _these(what: str, windows: Sequence[str]) -> str:
    more = f"; and {len(windows) - SHOWN} more" if len(windows) > SHOWN else ""
    return f"{len(windows)} window{'s' if len(windows) > 1 else ''} {what}: {'; '.join(windows[:SHOWN])}{more}"
