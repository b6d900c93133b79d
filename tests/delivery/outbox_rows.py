"""Alerts, events and messages that wait, as the alert step would have written them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import insert

from monitoring_tasks.alerts.message import Code, Facts, Headline, Links, Message, Numbers
from monitoring_tasks.results import tables
from monitoring_tasks.results.store import Store

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MONITOR = "flights"


def message(event: str = "opened", severity: str = "high", title: str = "") -> Message:
    return Message(
        title=title or f"flights: drift of distance – {event}",
        severity=severity,
        event=event,
        blocks=(
            Headline("distance has drifted: PSI 0.31, bound 0.1, in Zürich"),
            Facts((("since", "2026-02-27"), ("severity", severity))),
            Numbers("What moved", ("column", "PSI"), (("distance", "0.31"), ("carrier", "0.12"))),
            Code("The numbers", "SELECT value FROM result WHERE metric = 'psi'"),
            Links((("report", "https://example.com/report?id=1"),)),
        ),
    )


def put(
    store: Store,
    *events: str,
    alert: str = "a1",
    channels: tuple[str, ...] = ("ops",),
    monitor: str = MONITOR,
    created_at: datetime = NOW,
    first: int = 1,
) -> list[str]:
    """Write an alert and a message of each event for each channel; return the ids of the messages."""
    ids = []
    with store.writing(monitor) as connection:
        if first == 1:
            connection.execute(insert(tables.alert), _alert(alert, monitor))
        for sequence, event in enumerate(events, first):
            start = NOW + timedelta(days=sequence)
            one = {
                "event_id": f"{alert}-{sequence}",
                "alert_id": alert,
                "sequence": sequence,
                "event": event,
                "window_start": start,
                "window_end": start + timedelta(days=1),
                "actor": "",
                "note": "",
                "evidence": [],
                "tell": True,
                "recorded_at": created_at,
            }
            connection.execute(insert(tables.alert_event), one)
            for channel in channels:
                ids.append(f"{alert}-{sequence}-{channel}")
                row = {
                    "delivery_id": ids[-1],
                    "event_id": one["event_id"],
                    "monitor": monitor,
                    "channel": channel,
                    "state": "waiting",
                    "attempts": 0,
                    "message": message(event, title=f"{alert} {event}").to_json(),
                    "created_at": created_at,
                }
                connection.execute(insert(tables.delivery), row)
    return ids


def states(store: Store) -> dict[str, str]:
    """Return the state of every message."""
    rows = store.query("SELECT delivery_id, state FROM delivery ORDER BY delivery_id")
    return {str(row["delivery_id"]): str(row["state"]) for row in rows}


def row_of(store: Store, delivery_id: str) -> dict[str, object]:
    return store.query("SELECT * FROM delivery WHERE delivery_id = :id", id=delivery_id)[0]


def _alert(alert: str, monitor: str) -> dict[str, object]:
    return {
        "alert_id": alert,
        "monitor": monitor,
        "name": "drift",
        "group_key": alert,
        "severity": "high",
        "state": "open",
        "window_start": NOW,
        "window_end": NOW + timedelta(days=1),
        "last_window_start": NOW,
        "last_window_end": NOW + timedelta(days=1),
        "columns": ["distance"],
        "message": "distance has drifted",
    }
