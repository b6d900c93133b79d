"""The DAG ``monitoring.backfill``: months and years of one monitor, many windows in each scan."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, Param, get_current_context, get_parsing_context
from airflow.sdk.exceptions import AirflowException

from monitoring_tasks.airflow.connections import results_store
from monitoring_tasks.airflow.files import find_monitor, read_monitor_files
from monitoring_tasks.airflow.retries import monitoring_task
from monitoring_tasks.airflow.tasks import deliver, fail_if_failed, open_warehouse_of
from monitoring_tasks.config import Monitor
from monitoring_tasks.errors import ConfigError, MonitoringError
from monitoring_tasks.window import Window, format_instant, parse_instant, require_ended

_log = logging.getLogger(__name__)

CHUNK = 500
"""Windows in one scan, unless the run says otherwise: a year of days, three weeks of hours."""

MOST_CHUNKS = 1000
"""Airflow maps a task at most 1024 times by default (``core.max_map_length``); larger plans get larger chunks."""

PAGE = """\
Computes every whole window from *From* to *To* of one monitor, and writes the same rows as one run per window would,
in one scan of the warehouse per chunk. Chunks are mapped tasks: they run side by side, can be cleared one by one, and
one is red when a window in it failed, after all its windows are written.
"""


def backfill_dag(folder: Path) -> DAG:
    """Return the DAG; its form offers the monitors of `folder` (or of ``MONITORING_MONITORS``)."""
    # A task that starts needs no list of names, and reading all files would delay it.
    monitors = [] if get_parsing_context().dag_id else read_monitor_files(folder).monitors
    since = {m.name: f"{m.name} (since {m.start:%Y-%m-%d %H:%M} UTC)" for m in sorted(monitors, key=lambda m: m.name)}
    choice: dict[str, Any] = {"enum": list(since), "values_display": since} if since else {}
    with DAG(
        dag_id="monitoring.backfill",
        description="Many windows of one monitor, for a period you choose",
        schedule=None,
        doc_md=PAGE,
        tags={"monitoring"},
        is_paused_upon_creation=False,
        params={
            "monitor": Param(
                type="string",
                title="Monitor",
                description="Behind its name stands when its first window begins.",
                **choice,
            ),
            "start": Param(
                type="string",
                format="date-time",
                title="From",
                description="Start of the first window. The calendar's times are UTC, unless you chose another time "
                "zone for these pages; a monitor's days begin at midnight in its own.",
            ),
            "end": Param(
                type="string",
                format="date-time",
                title="To",
                description="End of the last window, itself not included. Every whole window between the two is "
                "computed, again if it was before.",
            ),
            "chunk": Param(
                CHUNK,
                type="integer",
                minimum=1,
                title="Windows per chunk",
                description="How many share one scan; chunks are tasks side by side.",
            ),
            "notify": Param(
                False,
                type="boolean",
                title="Tell people",
                description="Whether people are told of the alerts that these windows open. They are recorded anyway. "
                "Nobody is asked for a new model: the next scheduled run does that, if it is still called for.",
            ),
        },
    ) as dag:

        @monitoring_task()
        def plan() -> list[dict[str, str]]:
            params = get_current_context()["params"]
            monitor = find_monitor(folder, params["monitor"])
            start, end = (parse_instant(params[name], monitor.schedule.timezone) for name in ("start", "end"))
            windows = monitor.schedule.windows(start, end)
            if not windows:
                raise ConfigError(
                    f"no whole window of monitor {monitor.name!r} (schedule {monitor.schedule.expression!r}, "
                    f"{monitor.schedule.timezone}) lies in {format_instant(start)} to {format_instant(end)}"
                )
            require_ended(windows, datetime.now(UTC), f"monitor {monitor.name!r}")
            return [
                {"start": format_instant(period.start), "end": format_instant(period.end)}
                for period in chunks(windows, params["chunk"])
            ]

        @monitoring_task(map_index_template="{{ period }}")
        def chunk(start: str, end: str) -> str:
            context = get_current_context()
            period = Window.parse(start, end)
            context["period"] = str(period)  # type: ignore[typeddict-unknown-key]
            params = context["params"]
            return run_chunk(find_monitor(folder, params["monitor"]), period, notify=bool(params.get("notify")))

        chunk.expand_kwargs(plan())
    return dag


def chunks(windows: Sequence[Window], size: int) -> list[Window]:
    """Return the periods of `size` consecutive windows each, the last one shorter, at most `MOST_CHUNKS` of them."""
    size = max(size, math.ceil(len(windows) / MOST_CHUNKS))
    return [
        Window(windows[first].start, windows[min(first + size, len(windows)) - 1].end)
        for first in range(0, len(windows), size)
    ]


def run_chunk(monitor: Monitor, period: Window, *, notify: bool = False) -> str:
    """Compute the windows of `period`, then fail when one of them failed; people are told of alerts only if asked."""
    from monitoring_tasks.results.store import open_store
    from monitoring_tasks.retraining import decide_retraining
    from monitoring_tasks.run import run_windows

    windows = monitor.schedule.windows(period.start, period.end)
    with open_store(results_store()) as store, open_warehouse_of(monitor, windows, store) as warehouse:
        runs = run_windows(monitor, period.start, period.end, warehouse=warehouse, store=store, notify=notify)
        decide_retraining(monitor, store, windows, ask=False, now=datetime.now(UTC))
    if notify and any(rule.notify or rule.escalate for rule in monitor.alerts):
        try:
            deliver(monitor)
        except (MonitoringError, AirflowException) as error:  # the outbox keeps it for the next run that sends
            _log.warning("Messages are left for the next run: %s", error)
    fail_if_failed({run.window: run.error for run in runs if run.state == "failed"})
    return f"{period}, {len(runs)} windows"
