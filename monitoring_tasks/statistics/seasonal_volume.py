"""How many rows a window should have, by how many the earlier ones of its season had."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monitoring_tasks.statistics.histogram import FloatArray
from monitoring_tasks.statistics.homogeneity.dispersion import LARGEST
from monitoring_tasks.statistics.prediction_interval import (
    MOST,
    PredictionInterval,
    anscombe,
    from_anscombe,
    prediction_interval,
)

SURE = 0.5
"""Belief, before the earlier windows are seen, that rows come as Poisson's do."""

LARGEST_TIMES = 3.0
"""The largest standard deviation that is thought of, over that of rows that vary by all of themselves.

With 1, the tail that so few values leave open was cut where rows vary that much: 7 to 10 % of geometric numbers were
too many at a rate of 0.8 %, and are 1 to 2 % with this. The power against half of the rows missing is the same.
"""

WIDEST = math.sqrt(LARGEST)
"""The largest standard deviation that is thought of, over the least: of more than a million rows that is above 1."""


@dataclass(frozen=True)
class SeasonalVolume:
    """What is expected of a window."""

    expected: float
    """Median of the earlier windows' rows."""
    lower: int
    """Fewer rows than that are less than chance explains, and by more than matters; 0 where no number is too small."""
    upper: int
    p_value: float
    """Two-sided, of the window's rows."""
    windows: int
    """Earlier windows that were looked at."""


def seasonal_volume(rows: int, earlier: Sequence[int], rate: float, minimum_effect: float) -> SeasonalVolume:
    """Return how many rows a window should have, by the earlier windows of the same place in the season.

    Their counts are taken to Anscombe's scale, on which Poisson's have a standard deviation of 1 and those that vary
    more, by a share of themselves, vary evenly. There `prediction_interval` says where the next one is expected: a
    holiday, an outage, or two of them among eight hardly move it. The standard deviation is 1 or up to `LARGEST_TIMES`
    what makes the rows vary by all of themselves. A window is out of order if it is outside, and by more than
    `minimum_effect`; or if it has no row at all, which chance does not explain and none of the earlier ones shows.

    Parameters
    ----------
    rows
        Of the window.
    earlier
        Rows of the earlier windows in time order, of which the last eight count; at least four.
    rate
        Share of windows in order that may be outside, in (0, 1).
    minimum_effect
        The smallest change that matters, as a share of what is expected, at least 0.

    Raises
    ------
    ValueError
        If `earlier` has too few counts.

    Examples
    --------
    >>> found = seasonal_volume(50, [98, 104, 95, 0, 101, 110, 93, 100], rate=0.01, minimum_effect=0.2)
    >>> found.expected, found.lower, found.upper, round(found.p_value, 4)
    (99.0, 71, 132, 0.0006)
    """
    expected = float(np.median(np.asarray(earlier[-MOST:], dtype=np.float64)))
    # Rows that vary by all of themselves do so by their root on this scale.
    most = LARGEST_TIMES * math.sqrt(1 + expected)
    interval = prediction_interval(anscombe(earlier), least=max(1.0, most / WIDEST), most=most, sure=SURE)
    # To the digits that the scale leaves of a whole number.
    low, high = (round(from_anscombe(end), 6) for end in interval.bounds(rate))
    lower = math.ceil(min(low, expected * (1 - min(minimum_effect, 1.0))))
    p_value = interval.p_value(anscombe(rows).item())
    if min(earlier[-MOST:]) > 0:
        none = _no_row(interval, expected)
        lower = max(lower, 1 if none <= rate else 0)
        p_value = min(p_value, none) if rows == 0 else p_value
    return SeasonalVolume(
        expected=expected,
        lower=lower,
        upper=math.floor(max(high, expected * (1 + minimum_effect))),
        p_value=p_value,
        windows=interval.values,
    )


def _no_row(interval: PredictionInterval, expected: float) -> float:
    """Return how likely a window without a row is, of a negative binomial's [1]_ with this mean.

    Anscombe's scale has an end where the normal law has none: of windows whose rows vary by all of themselves, and that
    have a thousand of them on average, one of a thousand is empty.

    .. [1] Its variance over its mean D is the variance on that scale, about; the probability is D ** (-mean / (D - 1)).
    """

    def probability(variance: FloatArray) -> FloatArray:
        more = np.clip(variance - 1, 1e-9, expected)  # of what varies more most are 0, which the earlier ones are not
        return np.asarray(np.exp(-expected * np.log1p(more) / more))

    return interval.averaged(probability)
