"""What whoever trains is told: the `conf` of the DAG run, and what the body of an HTTP request may name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from monitoring_tasks.alerts.alert import Evidence
from monitoring_tasks.window import Window, format_instant


@dataclass(frozen=True)
class RetrainingRequest:
    """A new model is asked for: why, from which rows, and who agreed."""

    monitor: str
    action_id: str
    alert_id: str
    target: str
    """The DAG id, or the connection and endpoint."""
    reason: str
    """One sentence for a person."""
    window: Window
    """The window that was decided on."""
    train: Window
    """The rows to learn from: since the change, or what the reviewer asked for."""
    query: str | None = None
    """SQL for these rows with their labels, in the warehouse's dialect."""
    export: str | None = None
    """The Parquet file that holds them."""
    approved_by: str | None = None
    """None where nobody was asked."""
    note: str = ""
    """What the reviewer wrote."""
    evidence: tuple[Evidence, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values, times as text: this is the `conf` that the DAG run gets.

        Examples
        --------
        >>> april = Window.parse("2013-04-01", "2013-05-01")
        >>> conf = RetrainingRequest("flight-delays", "3c631204a133", "a95b2208f557", "retrain", "", april, april)
        >>> conf.to_json()["train_start"], sorted(conf.to_json())[:4]
        ('2013-04-01T00:00Z', ['action_id', 'alert_id', 'approved_by', 'evidence'])
        """
        return {
            "monitor": self.monitor,
            "action_id": self.action_id,
            "alert_id": self.alert_id,
            "reason": self.reason,
            "window_start": format_instant(self.window.start),
            "window_end": format_instant(self.window.end),
            "train_start": format_instant(self.train.start),
            "train_end": format_instant(self.train.end),
            "query": self.query,
            "export": self.export,
            "approved_by": self.approved_by,
            "note": self.note,
            "evidence": [each.to_json() for each in self.evidence],
        }
