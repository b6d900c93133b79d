"""How many rows a window should have, by how many the earlier ones of its season had."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monitoring_tasks.statistics.homogeneity.dispersion import LARGEST
from monitoring_tasks.statistics.prediction_interval import MOST, anscombe, from_anscombe, prediction_interval

SURE = 0.5
"""Belief, before the earlier windows are seen, that rows come as Poisson's do."""

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
    holiday, an outage, or two of them among eight hardly move it. The standard deviation is 1 or up to as much as makes
    the rows vary by all of themselves. A window is out of order if it is outside, and by more than `minimum_effect`.

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
    (99.0, 70, 133, 0.0008)
    """
    expected = float(np.median(np.asarray(earlier[-MOST:], dtype=np.float64)))
    # Rows that vary by all of themselves do so by their root on this scale.
    most = math.sqrt(1 + expected)
    interval = prediction_interval(anscombe(earlier), least=max(1.0, most / WIDEST), most=most, sure=SURE)
    low, high = (from_anscombe(end) for end in interval.bounds(rate))
    return SeasonalVolume(
        expected=expected,
        lower=math.ceil(min(low, expected * (1 - min(minimum_effect, 1.0)))),
        upper=math.floor(max(high, expected * (1 + minimum_effect))),
        p_value=interval.p_value(float(anscombe(rows))),
        windows=interval.values,
    )
