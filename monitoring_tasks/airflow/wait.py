"""The wait for late rows, in the triggerer: no worker is held."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow.providers.standard.triggers.temporal import DateTimeTrigger
from airflow.sdk import BaseOperator, Context

from monitoring_tasks.airflow.retries import heals_by_waiting
from monitoring_tasks.airflow.tasks import windows_of
from monitoring_tasks.config import Monitor


class WaitForRows(BaseOperator):
    """Wait until the monitor's ``delay`` after the end of the run's last window has passed.

    ``DateTimeSensorAsync`` defers even when the moment is long gone, which costs every run of a backfill two task
    starts, and takes its moment from a template, which cannot know the windows of a manual run.

    Parameters
    ----------
    monitor
        Whose schedule and delay hold.
    """

    def __init__(self, *, monitor: Monitor, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._monitor = monitor

    @heals_by_waiting
    def execute(self, context: Context) -> None:
        """Return at once when the moment has passed, and defer until then otherwise."""
        moment = windows_of(self._monitor, context)[-1].end + self._monitor.delay
        if datetime.now(UTC) < moment:
            self.log.info("Waiting until %s for rows that arrive late", moment.isoformat())
            self.defer(trigger=DateTimeTrigger(moment=moment), method_name="resume")

    def resume(self, context: Context, event: object = None) -> None:
        """Go on: the moment has come."""
