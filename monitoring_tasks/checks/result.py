"""A result: one number of one window, with its decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["ok", "warning", "alarm", "insufficient_data", "error", "info"]

STATUSES: tuple[Status, ...] = ("ok", "info", "insufficient_data", "warning", "error", "alarm")
"""By rising need of a person."""


@dataclass(frozen=True)
class Result:
    """One number of one window. What is None was not measured; it is never written as 0."""

    metric: str
    """The field's name for the number: ``psi``, ``roc_auc``, ``rows``."""
    value: float | None = None
    column_name: str = ""
    """A feature, the prediction, the score or the label; empty for the whole window."""
    segment: str = ""
    """``origin=JFK``, or a feature's bin ``distance=[0,500)``; empty for all rows."""
    value_lower: float | None = None
    """Lower end of the 95 % interval."""
    value_upper: float | None = None
    p_value: float | None = None
    threshold_lower: float | None = None
    """A value below this is not in order."""
    threshold_upper: float | None = None
    """A value above this is not in order."""
    baseline_rows: int | None = None
    window_rows: int | None = None
    status: Status | None = None
    """None follows from the thresholds: ``alarm`` outside them, ``ok`` inside, ``info`` without any."""
    message: str = ""
    """One sentence for a person."""
    detail: Mapping[str, Any] = field(default_factory=dict)
    """JSON values, such as the parts of a decomposition."""

    def decided(self) -> Status:
        """Return the status, or what follows from the thresholds where none was given.

        Examples
        --------
        >>> Result("night_share", 0.3, threshold_upper=0.2).decided()
        'alarm'
        >>> Result("rows", 120).decided()
        'info'
        """
        if self.status is not None:
            return self.status
        if self.threshold_lower is None and self.threshold_upper is None:
            return "info"
        if self.value is None or self.value != self.value:
            return "insufficient_data"
        if self.threshold_lower is not None and self.value < self.threshold_lower:
            return "alarm"
        if self.threshold_upper is not None and self.value > self.threshold_upper:
            return "alarm"
        return "ok"
