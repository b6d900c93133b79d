"""What the windows that were closed mean for alerts: joins the state machine of `alerts` with the results store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from monitoring_tasks.alerts.alert import AlertEvent
from monitoring_tasks.config import Monitor
from monitoring_tasks.notice import Links
from monitoring_tasks.results.store import Store


def decide_alerts(
    monitor: Monitor,
    store: Store,
    *,
    now: datetime,
    links: Links | None = None,
    message: Callable | None = None,
) -> tuple[AlertEvent, ...]:
    """Decide on every window that is due, and put the messages of what people are told into the outbox."""
    return ()
