"""What people said of earlier alerts: a metric that cries wolf says so itself."""

from __future__ import annotations

from dataclasses import dataclass

FEWEST = 3
"""Verdicts from which on it is said."""


@dataclass(frozen=True)
class Verdicts:
    """Of the alerts of one rule, or of one series, those that people called one or the other."""

    false_alarms: int = 0
    confirmed: int = 0

    @property
    def hint(self) -> str:
        """One sentence if at least half of at least `FEWEST` verdicts were false alarms; else empty.

        Examples
        --------
        >>> Verdicts(false_alarms=5, confirmed=3).hint
        '5 of its last 8 alerts with a verdict were false alarms: raise its threshold or minimum_effect'
        >>> Verdicts(false_alarms=2, confirmed=0).hint
        ''
        """
        total = self.false_alarms + self.confirmed
        if total < FEWEST or 2 * self.false_alarms < total:
            return ""
        return (
            f"{self.false_alarms} of its last {total} alerts with a verdict were false alarms: "
            "raise its threshold or minimum_effect"
        )
