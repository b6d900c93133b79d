"""What the next of a few values will be, if it is like them: an interval that wild ones among them do not blow up."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from monitoring_tasks.statistics.histogram import FloatArray
from monitoring_tasks.statistics.homogeneity.dispersion import NODES, Dispersion
from monitoring_tasks.statistics.qn_scale import qn_scale

FEWEST = 4
"""Values that are enough to say what is usual: of three, one that is wild is a third of all."""

FREEDOM: Mapping[int, float] = {4: 1.73, 5: 1.78, 6: 3.0, 7: 3.0, 8: 4.3}
"""Degrees of freedom of the chi-squared variable that has the relative variance of Qn squared, of so many normal
values. Drawn 400,000 times; a standard deviation has 3 to 7."""

MEAN_SQUARE: Mapping[int, float] = {4: 1.29, 5: 1.29, 6: 1.17, 7: 1.17, 8: 1.12}
"""Mean of Qn squared of standard normal values, drawn with those."""

MOST = max(FREEDOM)
"""Values that are looked at, the last ones: those before are too old to tell."""


@dataclass(frozen=True)
class PredictionInterval:
    """Where the next value is expected."""

    median: float
    """Of the values, the middle of the interval."""
    scale: float
    """Qn of the values; `least` counts where that is less."""
    values: int
    """How many they are, from `FEWEST` to `MOST`."""
    least: float
    """The standard deviation that they have at least."""
    most: float
    """The largest that is thought of."""
    sure: float
    """Belief, before the values are seen, that the standard deviation is the least."""
    common: tuple[float, float]
    """The extremes of what came more than once in four: a shop that opens every other week has two kinds of weeks, both
    of which are usual, and Qn sees none of the distance between them."""

    def p_value(self, value: float) -> float:
        """Return the two-sided probability of a value that lies at least so far from the median, in [0, 1]."""
        low, high = self.common
        return 1.0 if low <= value <= high else self._beyond(abs(value - self.median))

    def averaged(self, probability: Callable[[FloatArray], npt.ArrayLike]) -> float:
        """Return a probability that depends on the variance of the next value, averaged over what is believed of it."""
        return self._dispersion.averaged(lambda times: probability(self.least**2 * times))

    def bounds(self, rate: float) -> tuple[float, float]:
        """Return the interval beyond which the next value lies with this probability, in (0, 1); it holds `common`."""
        if not 0 < rate < 1:
            raise ValueError(f"`rate` must be inside (0, 1), not {rate:g}")
        near, far = 0.0, self.least
        while self._beyond(far) > rate:
            near, far = far, 2 * far
        for _ in range(40):
            middle = (near + far) / 2
            near, far = (middle, far) if self._beyond(middle) > rate else (near, middle)
        return min(self.median - far, self.common[0]), max(self.median + far, self.common[1])

    def _beyond(self, distance: float) -> float:
        from scipy.special import ndtr

        # Of a median's own variance this is what so few values have, within 12 %.
        uncertain = self.least * math.sqrt(1 + math.pi / 2 / (self.values + 1))
        return self._dispersion.averaged(lambda times: 2 * ndtr(-distance / (uncertain * np.sqrt(times))))

    @cached_property
    def _dispersion(self) -> Dispersion:
        """What is believed of the variance, over the least one."""
        freedom = FREEDOM[self.values]
        total = freedom * (self.scale / self.least) ** 2 / MEAN_SQUARE[self.values]
        largest = max((self.most / self.least) ** 2, float(NODES[1]))
        rest = np.where((NODES > 1) & (largest >= NODES), 1.0, 0.0)
        prior = rest / rest.sum() * (1 - self.sure)
        prior[0] = self.sure
        return Dispersion(min(total, 1e12), freedom + 1, prior=prior)


def prediction_interval(values: npt.ArrayLike, *, least: float, most: float, sure: float) -> PredictionInterval:
    """Return where the next value is expected, by the median and Qn of the last ones.

    Student's prediction interval [1]_ of estimates that some wild values do not move far: the variance is averaged over
    what the values let believe of it, as that of a `Dispersion`. Qn squared is taken for chi-squared, of the degrees of
    freedom that it has.

    Parameters
    ----------
    values : float array, shape (n,)
        In time order, finite, on a scale on which they scatter evenly; at least `FEWEST`. The last `MOST` count.
    least : float
        The standard deviation that the next value has at least, above 0: 1 for counts on Anscombe's scale.
    most : float
        The largest that is thought of, at least `least`.
    sure : float
        Belief that it is the least, in [0, 1). Of any other the logarithm could be anything in between.

    Returns
    -------
    PredictionInterval
        Of normal values it errs by at most twice the rate that is asked for, where the standard deviation is two to
        five times the least one and hides behind it best; by as much as it should where that is far larger.

    Raises
    ------
    ValueError
        If `values` is no vector of finite numbers or has too few, or one of the others is not of that order.

    References
    ----------
    .. [1] Hahn, G. J., & Meeker, W. Q. (1991). Statistical Intervals, section 4.7. Wiley.

    Examples
    --------
    >>> interval = prediction_interval([20.1, 19.2, 21.0, 20.3, 2.0, 20.9, 19.5, 20.6], least=1, most=20, sure=0.5)
    >>> round(interval.median, 1), [round(end, 1) for end in interval.bounds(0.01)]
    (20.2, [16.9, 23.5])
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or array.size < FEWEST:
        raise ValueError(f"`values` must be {FEWEST} or more numbers in one dimension, not the shape {array.shape}")
    if not 0 < least <= most or not 0 <= sure < 1:
        raise ValueError(f"`least` ({least:g}), `most` ({most:g}) and `sure` ({sure:g}) are not of that order")
    last = array[-MOST:]
    ordered, quarter = np.sort(last), len(last) // 4
    return PredictionInterval(
        median=float(np.median(last)),
        scale=qn_scale(last),
        values=len(last),
        least=float(least),
        most=float(most),
        sure=sure,
        common=(float(ordered[quarter]), float(ordered[-1 - quarter])),
    )


def anscombe(count: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return counts on the scale on which Poisson's have a standard deviation of 1, from about 4 expected on [1]_.

    References
    ----------
    .. [1] Anscombe, F. J. (1948). The transformation of Poisson, binomial and negative-binomial data. Biometrika,
       35(3/4), 246-254.

    Examples
    --------
    >>> anscombe([0, 100]).round(3)
    array([ 1.225, 20.037])
    """
    return 2 * np.sqrt(np.asarray(count, dtype=np.float64) + 3 / 8)


def from_anscombe(value: float) -> float:
    """Return the count that lies there on Anscombe's scale; 0 below that of no count.

    Examples
    --------
    >>> round(from_anscombe(20.037), 1), from_anscombe(1.0)
    (100.0, 0.0)
    """
    return max(0.0, (value / 2) ** 2 - 3 / 8) if value > 0 else 0.0
