"""A message about an alert, with what the results store knows of it: joins `alerts` with the store."""

from __future__ import annotations

from dataclasses import dataclass

from monitoring_tasks.alerts.alert import Alert, AlertEvent
from monitoring_tasks.alerts.message import Headline, Message
from monitoring_tasks.alerts.verdicts import Verdicts
from monitoring_tasks.config import AlertRule, Monitor
from monitoring_tasks.results import Store


@dataclass(frozen=True)
class Links:
    """Where a person looks further; None where there is no such place."""

    run: str | None = None
    """The Airflow run."""
    report: str | None = None
    """A dashboard or a report: what `report_url` made of ``MONITORING_REPORT_URL``."""


NOWHERE = Links()
NO_VERDICTS = Verdicts()


def message(
    monitor: Monitor,
    store: Store,  # noqa: ARG001
    alert: Alert,
    event: AlertEvent,
    rule: AlertRule,
    links: Links = NOWHERE,  # noqa: ARG001
    verdicts: Verdicts = NO_VERDICTS,  # noqa: ARG001
) -> Message:
    """Return what people are told because of this event."""
    return Message(f"{monitor.name}: {alert.message}", rule.severity, event.event, (Headline(alert.message),))
