"""The old model and the new one on the same flights, and whether the new one may go into service."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from monitoring_tasks.statistics.interval_over_days import mean_over_days

if TYPE_CHECKING:
    import pandas as pd

SEGMENT = "origin"
WORST_OF_SEGMENT = 0.005
"""By how much the new model's Brier score may be higher at one airport: a fortieth of what it usually is."""


@dataclass(frozen=True)
class Comparison:
    """Two models on flights that neither has learned from; Brier scores, so lower is better."""

    flights: int
    days: int
    old_brier: float
    new_brier: float
    improvement: float
    """Old minus new."""
    lower: float
    upper: float
    """95 % interval of the improvement, see `mean_over_days`; NaN with too few days."""
    old_roc_auc: float
    new_roc_auc: float
    segments: dict[str, float]
    """The improvement at each airport."""

    @property
    def decision(self) -> Literal["accepted", "refused"]:
        """Whether the new model is better for sure, and worse at no airport."""
        worst = min(self.segments.values(), default=0.0)
        return "accepted" if self.lower > 0 and worst >= -WORST_OF_SEGMENT else "refused"

    @property
    def reason(self) -> str:
        """One sentence with the numbers."""
        scores = f"its Brier score is {self.new_brier:.4f}, the old one's {self.old_brier:.4f}"
        gain = f"{scores}, an improvement of {self.improvement:+.4f}"
        on = f"on {self.flights:,} flights of {self.days} days"
        if math.isnan(self.lower):
            return f"not known to be better: {gain} {on}, which are too few days for an interval"
        gain += f" ({self.lower:+.4f} to {self.upper:+.4f})"
        if self.lower <= 0:
            return f"not better for sure: {gain} {on}, and the interval reaches 0"
        worst = min(self.segments, key=self.segments.__getitem__, default="")
        if self.decision == "refused":
            return (
                f"worse for {SEGMENT}={worst}: there its Brier score is {-self.segments[worst]:.4f} higher, more than "
                f"{WORST_OF_SEGMENT:g}; over all {gain} {on}"
            )
        return f"better: {gain} {on}"


def compare(held_back: pd.DataFrame, new: np.ndarray) -> Comparison:
    """Compare what the model in service said of these flights with what the new one says.

    Parameters
    ----------
    held_back
        With `day`, `origin`, `delayed` and `probability`; flights without an answer are left out for both.
    new : float ndarray, shape (n_flights,)
        Probability of a delay, by the new model.
    """
    from sklearn.metrics import roc_auc_score

    answered = held_back["probability"].notna().to_numpy()
    flights, new = held_back[answered], new[answered]
    old, delayed = flights["probability"].to_numpy(float), flights["delayed"].to_numpy(float)
    gain = (old - delayed) ** 2 - (new - delayed) ** 2
    mean = mean_over_days(gain, flights["day"].to_numpy("datetime64[D]").astype(np.int64))
    segment = flights[SEGMENT].to_numpy(str)
    return Comparison(
        flights=len(flights),
        days=mean.days,
        old_brier=float(np.mean((old - delayed) ** 2)),
        new_brier=float(np.mean((new - delayed) ** 2)),
        improvement=mean.value,
        lower=mean.lower,
        upper=mean.upper,
        old_roc_auc=float(roc_auc_score(delayed, old)),
        new_roc_auc=float(roc_auc_score(delayed, new)),
        segments={name: float(gain[segment == name].mean()) for name in np.unique(segment).tolist()},
    )
