"""Alerts that are stored, and what a replay of their windows makes of them now that results have changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from monitoring_tasks.alerts.alert import Alert
from monitoring_tasks.window import Window


@dataclass(frozen=True)
class Stored:
    """An alert that is stored."""

    alert: Alert
    told: bool
    """Whether people were told anything of it."""
    acted: bool
    """Whether a person decided on it, or a new model was asked for because of it."""

    @property
    def stays(self) -> bool:
        """Whether somebody knows of it: its id must not vanish."""
        return self.told or self.acted


@dataclass(frozen=True)
class Reconciled:
    """What becomes of the stored alerts and those of the replay."""

    kept: tuple[tuple[Alert, Stored | None], ...]
    """The replay's alerts, each under the id it goes by, with the stored one that it is, if any."""
    withdrawn: tuple[Stored, ...]
    """Stored ones that somebody knows of and that nothing opens any more."""
    deleted: tuple[Stored, ...]
    """Stored ones that nobody knows of and that nothing opens any more."""


def reconcile(stored: Sequence[Stored], replayed: Sequence[Alert]) -> Reconciled:
    """Find out which of the replay's alerts is which of the stored ones.

    One that opens in the same window is the same. One that somebody knows of and that opens elsewhere now keeps its id
    if an alert of its group overlaps it; one that nobody knows of is made anew, so that its id is that of its opening.

    Parameters
    ----------
    stored
        Those of one rule that opened in the windows of the replay, and those that stood open before it.
    replayed
        Those of the replay.
    """
    left = {each.alert.alert_id: each for each in stored}
    kept: list[tuple[Alert, Stored | None]] = []
    unknown = []
    for alert in replayed:
        same = next((each for each in left.values() if _place(each.alert) == _place(alert)), None)
        if same is None:
            unknown.append(alert)
        else:
            kept.append((replace(alert, alert_id=left.pop(same.alert.alert_id).alert.alert_id), same))
    for alert in unknown:
        beside = (each for each in left.values() if each.stays and each.alert.group_key == alert.group_key)
        overlapping = [each for each in beside if each.alert.span.overlaps(alert.span)]
        same = min(overlapping, key=lambda each: (each.alert.opened, each.alert.alert_id), default=None)
        if same is not None:
            del left[same.alert.alert_id]
            alert = replace(alert, alert_id=same.alert.alert_id)
        kept.append((alert, same))
    withdrawn = tuple(each for each in left.values() if each.stays)
    deleted = tuple(each for each in left.values() if not each.stays)
    return Reconciled(tuple(sorted(kept, key=lambda pair: _place(pair[0]))), withdrawn, deleted)


def _place(alert: Alert) -> tuple[Window, str]:
    return alert.opened, alert.group_key
