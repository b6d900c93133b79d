"""The design effect: by how much windows without drift differ beyond what as many independent rows would.

Rows come in bursts, a customer comes twenty times, an hour has one weather. Then a window's counts vary more than those
of independent rows, by a factor that survey statistics calls the design effect [1]_, and a test that does not know it
alarms on every window. The parts of the reference, windows as long as the one that is tested, show it.

.. [1] Kish, L. (1965). Survey Sampling. Wiley. Rao, J. N. K., & Scott, A. J. (1984). On chi-squared tests for multiway
   contingency tables with cell proportions estimated from survey data. Annals of Statistics, 12(1), 46-60.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from monitoring_tasks.statistics.histogram import FloatArray

INDEPENDENT = 1 / 3
"""Belief, before the parts are seen, that rows are independent.

Of tests at 1 %, 0.1 % and 0.005 % with thirty parts, 0.83, 0.69 and 0.47 times as many then reject independent rows
(drawn 4,000 times), and 1.6, 2.3 and 3.4 times as many those with a dispersion of 2, where it hides best; from 5 on as
many as they should. Less belief takes power away from monitors of many columns: by chance alone thirty parts leave room
for a dispersion of 1.5. More makes the small ones hide better.
"""

LARGEST = 1e4
"""The largest dispersion that is thought of, before the parts are seen: a window whose rows are all the same one."""

SMALLEST = 1e-250
"""Probability from which on down its logarithm is worked out instead."""

NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
POWER = 4
"""The nodes lie closer to 0 by this power: what is far out decides the tail."""


@dataclass(frozen=True)
class Dispersion:
    """What is known of one statistic's dispersion: its values over the parts of the reference.

    The belief is a mixture. Either rows are independent, and the dispersion is 1; or it is some D from 1 to `LARGEST`,
    of which the logarithm could be anything, and which the parts narrow down. A p-value is averaged over it, so that
    few parts lead to careful decisions and many to sharp ones: where rows surely hang together, it is that of Student's
    t with one degree of freedom less than parts.
    """

    total: float
    """Sum of the parts' standardised squares, each about 1 for independent rows."""
    parts: float
    """How many; more where each shows it several times."""
    rows: float = math.nan
    """Mean rows of a part, per the time that the tested window takes; NaN if all windows have as many."""

    @cached_property
    def independent(self) -> float:
        """Probability that rows are independent, in [0, 1]."""
        from scipy.special import gammaln

        if self.parts < 2:
            return 1.0
        shape, half = self._shape, self.total / 2
        if half <= 0:
            return INDEPENDENT
        # Likelihoods without their common factor: exp(-S/2), and with u = 1/D the mean of u**shape exp(-S u/2).
        inside = self._log_chance - math.log(math.log(LARGEST))
        other = float(gammaln(shape)) - shape * math.log(half) + inside
        log_odds = -half - other + math.log(INDEPENDENT / (1 - INDEPENDENT))
        return 1 / (1 + math.exp(-log_odds)) if log_odds > -700 else 0.0

    @cached_property
    def mean(self) -> float:
        """Return the expected dispersion, at least 1."""
        return float(self.independent + (1 - self.independent) * (_weights() @ self._values))

    @property
    def _shape(self) -> float:
        return (self.parts - 1) / 2

    @cached_property
    def _log_chance(self) -> float:
        """Logarithm of the probability that 1/D, were it not limited, would be at most 1.

        It is too small for a float where parts differ less than those of independent rows, as when every day has the
        same timetable.
        """
        from scipy.special import gammainc, gammaln, hyp1f1

        shape, half = self._shape, self.total / 2
        chance = float(gammainc(shape, half))
        if chance > SMALLEST:
            return math.log(chance)
        # https://dlmf.nist.gov/8.5.E1
        return float(shape * math.log(half) - half - gammaln(shape + 1) + np.log(hyp1f1(1.0, shape + 1, half)))

    @cached_property
    def _values(self) -> FloatArray:
        """Return quantiles of D, given that rows are not independent, at the nodes of the average."""
        from scipy.special import gammaincinv

        half = self.total / 2
        if self.parts < 2 or half <= 0:
            return np.ones(len(NODES))
        chance = ((NODES + 1) / 2) ** POWER
        if self._log_chance <= math.log(SMALLEST):  # all of it lies close below 1, and falls off exponentially there
            return np.asarray(chance ** (-1 / (self._shape - half)))
        inverse = gammaincinv(self._shape, chance * math.exp(self._log_chance)) / half
        return np.asarray(1 / np.clip(inverse, 1 / LARGEST, 1.0))

    def averaged(self, p_value: Callable[[FloatArray], npt.ArrayLike], rows: float = math.nan) -> float:
        """Return the p-value averaged over the belief.

        Parameters
        ----------
        p_value
            Returns the p-values at dispersions, float arrays of the same shape.
        rows
            Of the window that is tested. What windows have in common counts the more, the more rows each has:
            D - 1 is in proportion to them.
        """
        at_one = float(np.asarray(p_value(np.ones(1)))[0])
        if self.independent > 1 - 1e-9:
            return at_one
        more = 1.0 if math.isnan(rows) or math.isnan(self.rows) or self.rows <= 0 else rows / self.rows
        dispersed = np.asarray(p_value(1 + (self._values - 1) * more))
        return min(1.0, self.independent * at_one + (1 - self.independent) * float(_weights() @ dispersed))


INDEPENDENT_ROWS = Dispersion(0.0, 0)
"""What is believed without parts."""


def _weights() -> FloatArray:
    """Return the nodes' weights, which add up to 1."""
    weights: FloatArray = _WEIGHTS / 2 * POWER * ((NODES + 1) / 2) ** (POWER - 1)
    scaled: FloatArray = weights / weights.sum()
    return scaled
