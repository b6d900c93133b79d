"""A statistic of two samples in standard deviations of independent rows, and what such values are without drift.

Rows that hang together make a statistic differ more from window to window than independent rows do. Of a statistic that
lies around 0 either way it is the dispersion that grows. An AUC grows itself: what an hour's rows have in common tells
them from all others, so that without any drift it is above 0.5 in each window, and the question is by how much more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monitoring_tasks.statistics.histogram import FloatArray
from monitoring_tasks.statistics.homogeneity.dispersion import INDEPENDENT_ROWS, Dispersion


@dataclass(frozen=True)
class ZScore:
    """A statistic in standard deviations that it would have if rows were independent."""

    value: float
    """0 is none."""
    rows: float
    """``n m / (n + m)`` of the two samples: what rows have in common moves the value by the square root of it."""
    freedom: float = math.inf
    """Degrees of freedom of the Student distribution that it has without drift."""
    stretched: float = math.nan
    """The same on a scale without end, where the statistic has one; NaN: it has none."""

    @property
    def unbounded(self) -> float:
        """The value on a scale without end."""
        return self.value if math.isnan(self.stretched) else self.stretched


@dataclass(frozen=True)
class Undrifted:
    """What a statistic is without drift, known from windows in which there was none (parts)."""

    parts: int = 0
    """How many; with less than two, rows are taken to be independent."""
    independent: float = 0.0
    """Probability that `mean` and `dispersion` do not matter because rows are independent, in [0, 1]."""
    mean: float = 0.0
    """Of the unbounded z-scores, for each square root of `ZScore.rows`."""
    dispersion: Dispersion = INDEPENDENT_ROWS
    """Of the z-scores around it."""
    doubt: float = 1.0
    """By how much the dispersion of a new value around the mean is larger, for the mean is of few parts itself."""

    @classmethod
    def around_zero(cls, parts: Sequence[ZScore]) -> Undrifted:
        """Return what is known of a statistic that lies on both sides of 0.

        Examples
        --------
        >>> Undrifted.around_zero([ZScore(3.0, 100.0), ZScore(-4.0, 200.0)]).dispersion
        Dispersion(total=25.0, parts=2, rows=150.0)
        """
        if len(parts) < 2:
            return cls()
        return cls(len(parts), dispersion=_dispersion([part.value for part in parts], parts))

    @classmethod
    def around_their_mean(cls, parts: Sequence[ZScore]) -> Undrifted:
        """Return what is known of a statistic that rows which hang together move upwards.

        Examples
        --------
        >>> usual = Undrifted.around_their_mean([ZScore(30.0, 100.0), ZScore(32.0, 100.0)])
        >>> usual.mean, usual.dispersion.total
        (3.1, 2.0)
        """
        if len(parts) < 2:
            return cls()
        roots = [math.sqrt(part.rows) for part in parts]
        scaled = [part.unbounded / root for part, root in zip(parts, roots, strict=True)]
        mean = max(sum(scaled) / len(parts), 0.0)
        around = [(each - mean) * root for each, root in zip(scaled, roots, strict=True)]
        return cls(
            parts=len(parts),
            independent=_dispersion([part.value for part in parts], parts).independent,
            mean=mean,
            dispersion=_dispersion(around, parts),
            doubt=1 + 1 / len(parts),
        )

    def usual(self, rows: float) -> float:
        """Return the z-score that is expected with so many rows (`ZScore.rows`), on the unbounded scale."""
        return (1 - self.independent) * self.mean * math.sqrt(rows)

    def upper_tail(self, score: ZScore) -> float:
        """Return the p-value of a value this high."""
        beyond = score.unbounded - self.mean * math.sqrt(score.rows)
        hangs = self.dispersion.averaged(
            lambda each: _tail(beyond / np.sqrt(each * self.doubt), score.freedom), score.rows
        )
        alone = float(_tail(np.array([score.value]), score.freedom)[0])
        return self.independent * alone + (1 - self.independent) * hangs

    def both_tails(self, score: ZScore) -> float:
        """Return the p-value of a value this far from 0 either way."""
        distance = abs(score.value)
        return self.dispersion.averaged(lambda each: 2 * _tail(distance / np.sqrt(each), score.freedom), score.rows)

    def design_effect(self, rows: float) -> float:
        """Return by how much the variance exceeds that of independent rows (`ZScore.rows`) as expected, at least 1."""
        more = rows / self.dispersion.rows if self.dispersion.rows > 0 else 1.0
        return 1 + (1 - self.independent) * (self.dispersion.mean - 1) * more


def _dispersion(values: Sequence[float], parts: Sequence[ZScore]) -> Dispersion:
    total = sum(value**2 for value in values)
    return Dispersion(total, len(parts), sum(part.rows for part in parts) / len(parts))


def _tail(value: FloatArray, freedom: float) -> FloatArray:
    """Return the chance of more than this."""
    from scipy.special import ndtr, stdtr  # 0.3 s to import: only whoever wants a p-value pays

    return np.asarray(ndtr(-value) if math.isinf(freedom) else stdtr(freedom, -value), dtype=np.float64)
