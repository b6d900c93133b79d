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
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from monitoring_tasks.statistics.histogram import FloatArray

INDEPENDENT = 1 / 4
"""Belief, before the parts are seen, that rows are independent.

Of tests at 1 %, 0.1 % and 0.005 % with thirty parts, 0.83, 0.69 and 0.47 times as many then reject independent rows
(drawn 4,000 times), and 1.6, 2.3 and 3.4 times as many those with a dispersion of 2, where it hides best; from 5 on as
many as they should. Less belief takes power away from monitors of many columns: by chance alone thirty parts leave room
for a dispersion of 1.5. More makes the small ones hide better.
"""

LARGEST = 1e6
"""The largest dispersion that is thought of, before the parts are seen: a window of a million rows that are all one."""

CELLS = 360
NODES = np.concatenate(([1.0], LARGEST ** ((np.arange(CELLS) + 0.5) / CELLS)))
"""Dispersions that are thought of: 1 of independent rows, and the middles of cells that are 4 % wide."""

_LOGARITHMS = np.log(NODES)

PRIOR = np.concatenate(([INDEPENDENT], np.full(CELLS, (1 - INDEPENDENT) / CELLS)))
"""Belief in each, before the parts are seen: of a dispersion that is not 1 the logarithm could be anything."""

STRENGTH = 3.0
"""So many columns `PRIOR` weighs as much as, where columns tell each other what to expect."""

ROUNDS = 10
"""Of what columns tell each other. With 20 the rates of false alarms are the same within 0.05 of the configured."""

NEGLIGIBLE = 1e-12
"""Belief below which a dispersion is left out."""


@dataclass(frozen=True)
class Dispersion:
    """What is known of one statistic's dispersion: its values over the parts of the reference.

    The belief is a mixture. Either rows are independent, and the dispersion is 1; or it is some D up to `LARGEST`,
    which the parts narrow down, as do other columns, see `shared_priors`. A p-value is averaged over it, so that
    few parts lead to careful decisions and many to sharp ones: where rows surely hang together, it is that of Student's
    t with one degree of freedom less than parts.
    """

    total: float
    """Sum of the parts' standardised squares, each about 1 for independent rows."""
    parts: float
    """How many; more where each shows it several times."""
    rows: float = math.nan
    """Mean rows of a part, per the time that the tested window takes; NaN if all windows have as many."""
    prior: FloatArray = field(default_factory=lambda: PRIOR, compare=False, repr=False)
    """Belief in each of `NODES` before the parts are seen, see `shared_priors`."""

    @cached_property
    def belief(self) -> FloatArray:
        """Probability of each of `NODES`; they add up to 1."""
        if self.parts < 2:
            return np.where(NODES == 1, 1.0, 0.0)
        unscaled = self.prior * np.exp(self.log_likelihood)
        return np.asarray(unscaled / unscaled.sum())

    @cached_property
    def log_likelihood(self) -> FloatArray:
        """Logarithm of what the parts say of each of `NODES`; that of the likeliest is 0."""
        if self.parts < 2:
            return np.zeros(len(NODES))
        values = -self.total / 2 / NODES - (self.parts - 1) / 2 * _LOGARITHMS
        return np.asarray(values - values.max())

    @property
    def independent(self) -> float:
        """Probability that rows are independent, in [0, 1]."""
        return float(self.belief[0])

    @property
    def mean(self) -> float:
        """Return the expected dispersion, at least 1."""
        return max(1.0, float(self.belief @ NODES))

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
        some = self.belief > NEGLIGIBLE
        more = 1.0 if math.isnan(rows) or math.isnan(self.rows) or self.rows <= 0 else rows / self.rows
        return min(1.0, float(self.belief[some] @ np.asarray(p_value(1 + (NODES[some] - 1) * more))))


INDEPENDENT_ROWS = Dispersion(0.0, 0)
"""What is believed without parts."""


def shared_priors(log_likelihoods: FloatArray) -> FloatArray:
    """Return of each column what the others let expect of its dispersion (empirical Bayes).

    Thirty parts of one column leave room for a dispersion of 1.5, by chance alone; thirty of each of fifty do not. A
    column does not count for itself, so of one alone it is `PRIOR`.

    Parameters
    ----------
    log_likelihoods : float array, shape (n_columns, n_nodes)
        See `Dispersion.log_likelihood`.

    Returns
    -------
    float ndarray
        Of the same shape; each row adds up to 1.
    """
    likelihoods, columns = np.exp(log_likelihoods), len(log_likelihoods)
    priors: FloatArray = np.tile(PRIOR, (columns, 1))
    for _ in range(ROUNDS):
        beliefs = priors * likelihoods
        beliefs /= beliefs.sum(axis=1, keepdims=True)
        priors = (STRENGTH * PRIOR + beliefs.sum(axis=0) - beliefs) / (STRENGTH + columns - 1)
    return priors
