"""What a retraining is asked for, and which flights it learns from and is judged by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from monitoring_tasks.demo import NEW_YORK
from monitoring_tasks.errors import ConfigError
from monitoring_tasks.window import Window, format_instant, parse_instant

HELD_BACK_DAYS = 28
"""Days at the end of the period that the models are compared on: four of each weekday. A gain shows in fourteen days
too, but they do not tell how much days differ."""

HISTORY_DAYS = 182
"""Days before the held-back ones to learn from at least. Few weeks teach their own weather: of models trained anew on
each of 34 Mondays from April to December, those that had learned four weeks were worse than the old one in the two
weeks that followed 19 times (Brier score 0.0011 higher on average), those of eight weeks 13 times (0.0024 lower),
those of everything since January 7 times (0.0066 lower)."""


@dataclass(frozen=True)
class Request:
    """One retraining."""

    monitor: str
    action_id: str
    """The monitor's action that asked for it; empty when a person started the DAG."""
    since: datetime
    """Since when things are different."""
    until: datetime
    """End of the flights to look at."""
    deployed: datetime
    """From when the new model is in service: nothing that became known later is used."""

    @classmethod
    def of(cls, conf: Mapping[str, Any]) -> Request:
        """Read the configuration of the DAG run, as a monitor or a person fills it in.

        Raises
        ------
        ConfigError
            If a time is missing or the period is empty.
        """
        missing = [key for key in ("train_start", "train_end") if not conf.get(key)]
        if missing:
            raise ConfigError(
                f"retrain_flight_delays: {' and '.join(missing)} is missing in the run's configuration; give when "
                "things changed and until when to look, such as 2013-07-08 and 2013-07-22"
            )
        since, until = (parse_instant(conf[key], NEW_YORK) for key in ("train_start", "train_end"))
        if since >= until:
            raise ConfigError(
                f"retrain_flight_delays: train_start {format_instant(since)} is not before train_end "
                f"{format_instant(until)}"
            )
        decided = conf.get("window_end")
        deployed = until if not decided else max(until, parse_instant(decided, NEW_YORK))
        return cls(
            str(conf.get("monitor") or "flight-delays"), str(conf.get("action_id") or ""), since, until, deployed
        )

    @property
    def version(self) -> str:
        """Name of the new model: the day of its deployment in New York, and who asked for it.

        Examples
        --------
        >>> period = {"train_start": "2013-07-08", "train_end": "2013-07-22"}
        >>> Request.of({**period, "action_id": "0123456789ab"}).version
        '2013-07-22-012345'
        """
        return f"{self.deployed.astimezone(ZoneInfo(NEW_YORK)):%Y-%m-%d}-{self.action_id[:6] or 'by-hand'}"

    @property
    def held_back(self) -> Window:
        """The flights that both models are compared on, and that the new one has not learned from: the last four weeks.

        Examples
        --------
        >>> str(Request.of({"train_start": "2013-07-08", "train_end": "2013-07-22"}).held_back)
        '2013-06-24T04:00Z/2013-07-22T04:00Z'
        """
        return Window(_days_before(self.until, HELD_BACK_DAYS), self.until)

    @property
    def learned(self) -> Window:
        """The flights to learn from: since the change, and half a year before as far as the log goes back."""
        end = self.held_back.start
        return Window(min(self.since, _days_before(end, HISTORY_DAYS)), end)


def _days_before(instant: datetime, days: int) -> datetime:
    """Return the same time of day in New York, days earlier, across changes of the clock."""
    zone = ZoneInfo(NEW_YORK)
    return (instant.astimezone(zone) - timedelta(days=days)).astimezone(instant.tzinfo)
