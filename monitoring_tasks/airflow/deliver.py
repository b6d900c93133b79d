"""The body of the task that sends a monitor's messages."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from airflow.sdk import get_current_context

from monitoring_tasks.airflow.connections import results_store
from monitoring_tasks.config import Monitor

if TYPE_CHECKING:
    from monitoring_tasks.results.outbox import Undelivered

_log = logging.getLogger(__name__)

SHOWN = 5
"""Messages named in an error; the rest is counted."""

SENT_AGAIN = timedelta(days=7)
"""When its task is cleared, a message that was given up is tried again unless it was so longer ago."""


def deliver_alerts(monitor: Monitor) -> str:
    """Send the monitor's messages that are due.

    Whether the alerts were decided by this run or by another, whose task could not send them, makes no difference. When
    a person clears the task, what was given up is tried again: the channel may have been mended.

    Raises
    ------
    TransientError
        If a message waits for another try: Airflow retries the task. It says which messages were given up, too.
    DataError
        If a message was given up, in this try or in an earlier one of this run.
    """
    from monitoring_tasks.airflow.channels import channel_of
    from monitoring_tasks.checks.wording import counted
    from monitoring_tasks.delivery.deliver import deliver
    from monitoring_tasks.errors import DataError, TransientError
    from monitoring_tasks.results import outbox
    from monitoring_tasks.results.store import open_store

    began, is_cleared = _this_run()
    with open_store(results_store()) as store:
        if is_cleared:
            outbox.try_again(store, monitor.name, since=datetime.now(UTC) - SENT_AGAIN)
        delivered = deliver(store, monitor.name, channel_of, since=began)
    sent = f"{counted(delivered.sent, 'message')} sent"
    _log.info(sent)
    lost = (
        f"{counted(len(delivered.failed), 'message')} given up: {_these(delivered.failed)}. Mend the channel, and "
        "clear this task to send them after all"
    )
    if delivered.waiting:
        waits = f"{counted(len(delivered.waiting), 'message')} could not be sent yet: {_these(delivered.waiting)}"
        raise TransientError(
            f"{waits}. Retries of this task and later runs of the monitor try again"
            + (f"; {lost}" if delivered.failed else "")
        )
    if delivered.failed:
        raise DataError(lost)
    return sent


def _this_run() -> tuple[datetime | None, bool]:
    """Return when the DAG run began, and whether this is the first try after a person has cleared the task."""
    try:
        context = get_current_context()
    except RuntimeError:
        return None, False
    instance, retries = context["ti"], context["task"].retries or 0
    first = instance.max_tries - retries + 1
    return context["dag_run"].start_date, first > 1 and instance.try_number == first


def _these(messages: Sequence[Undelivered]) -> str:
    named = [f"channel {one.channel!r}, {one.title!r}: {one.error or 'not tried yet'}" for one in messages[:SHOWN]]
    more = f"; and {len(messages) - SHOWN} more" if len(messages) > SHOWN else ""
    return "; ".join(named) + more
