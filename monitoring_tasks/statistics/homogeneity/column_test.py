"""Did a column move? One p-value of the tests that find the ways in which columns move, on the baseline's bins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import numpy.typing as npt

from monitoring_tasks.statistics.drift import chi_squared
from monitoring_tasks.statistics.drift.metric import Layout
from monitoring_tasks.statistics.histogram import (
    FloatArray,
    IntArray,
    grouped,
    paired_counts,
)
from monitoring_tasks.statistics.homogeneity.cell_test import cell_p_values
from monitoring_tasks.statistics.homogeneity.column_dispersion import EXPECTED, ColumnDispersion, groups_of
from monitoring_tasks.statistics.homogeneity.dispersion import INDEPENDENT_ROWS, Dispersion
from monitoring_tasks.statistics.homogeneity.score_test import score_test
from monitoring_tasks.statistics.homogeneity.scores import level_scores, spread_scores
from monitoring_tasks.statistics.homogeneity.share_test import belief_in_bin, share_test, totals_of_bins

WEIGHTS: Mapping[Layout, Mapping[str, float]] = {
    "numeric": {"level": 0.90, "spread": 0.04, "shares": 0.03, "bins": 0.03, "missing": 0.05},
    "categorical": {"shares": 0.7, "bins": 0.3, "missing": 0.05},
}
"""Each test's share of the error rate, over the sum of those of the tests that can be made.

A moved level is what happens most and is hardest to see, so it gets nearly all: that costs a point of power against a
test of the level alone. The other shares are enough for what they find, because that is seldom subtle.
"""


@dataclass(frozen=True)
class ColumnTest:
    """What the tests found."""

    p_value: float
    """Of the column: the smallest p-value over its share of the error rate, at most 1."""
    strongest: str
    """The test that it came from: level, spread, shares, missing or bins."""
    design_effect: float
    """Expected dispersion of that test's statistic; 1 for independent rows."""
    design_effects: Mapping[str, float] = field(default_factory=dict)
    """The same of level, spread and shares, as far as they were tested; always of shares."""
    p_values: Mapping[str, float] = field(default_factory=dict)
    """Of each test that was made, before its share is taken into account: not of the bins if another is stronger."""


def column_test(
    reference: npt.ArrayLike, current: npt.ArrayLike, layout: Layout, dispersion: ColumnDispersion | None = None
) -> ColumnTest:
    """Test whether a column's two samples come from one distribution.

    Of an ordered column the level (van der Waerden's scores), the spread (Klotz's), the shares of ten groups
    (chi-squared), the share of every bin and that of missing values (exact), of a categorical one the last three. The
    smallest p-value counts, over its weight: a weighted Bonferroni correction [1]_, right for tests that depend on each
    other in any way.

    Parameters
    ----------
    reference, current : int array, shape (n_bins,)
        Rows per bin of the whole column, null bin first, both on the reference's bins.
    layout : "numeric" or "categorical"
        That of the counts, see `monitoring_tasks.statistics.drift.select`.
    dispersion : ColumnDispersion, optional
        Measured on the parts of the reference; by default rows are independent.

    Returns
    -------
    ColumnTest
        `p_value` in [0, 1]; without drift uniform, or larger.

    Raises
    ------
    ValueError
        If a side is no vector of counts or holds no rows, or the sides do not share their bins.

    References
    ----------
    .. [1] Genovese, C. R., Roeder, K., & Wasserman, L. (2006). False discovery control with p-value weighting.
       Biometrika, 93(3), 509-524.

    Examples
    --------
    >>> column_test([0, 500, 300, 200, 0], [0, 40, 45, 15, 0], "categorical").p_value
    0.0121
    """
    paired_counts(reference, current)
    a, b = (np.asarray(counts).astype(np.int64) for counts in (reference, current))
    rows, occupied = float(b.sum()), int(np.count_nonzero(a + b))
    found: dict[str, float] = {}
    effects: dict[str, float] = {"shares": _of_shares(dispersion, 1).mean}
    if layout == "numeric" and a[1:].any() and b[1:].any():
        for name, scores in (("level", level_scores), ("spread", spread_scores)):
            test = score_test(a[1:], b[1:], scores(a[1:] + b[1:]))
            if test.root:
                belief = INDEPENDENT_ROWS if dispersion is None else dispersion.of(name)
                skewness = 0.0 if dispersion is None else getattr(dispersion, f"{name}_skewness")
                p_value = partial(test.p_value, skewness=skewness)
                found[name], effects[name] = belief.averaged(p_value, rows), belief.mean
    if occupied > 2 and (shares := _p_value_of_shares(a, b, layout, dispersion, rows)) is not None:
        found["shares"] = shares
    if occupied > 2 and a[0] + b[0] > 0:
        found["missing"] = _p_value_of_bin(a, b, 0, belief_in_bin(a, 0, dispersion))
    names = [*found, *["bins"] * (occupied > 1)]
    weights = {name: WEIGHTS[layout][name] / sum(WEIGHTS[layout][each] for each in names) for name in names}
    weighted = {name: p_value / weights[name] for name, p_value in found.items()}
    if occupied > 1:
        bins = _p_value_of_bins(a, b, dispersion, below=min([1.0, *weighted.values()]) * weights["bins"])
        if bins is not None:
            found["bins"], weighted["bins"] = bins, bins / weights["bins"]
    strongest = min(weighted, key=weighted.__getitem__, default="bins")
    effect = effects.get(strongest, effects["shares"])
    return ColumnTest(min(1.0, weighted.get(strongest, 1.0)), strongest, effect, effects, found)


def _of_shares(dispersion: ColumnDispersion | None, freedom: int) -> Dispersion:
    return INDEPENDENT_ROWS if dispersion is None else dispersion.of_shares(freedom)


def _p_value_of_shares(
    a: IntArray, b: IntArray, layout: Layout, dispersion: ColumnDispersion | None, rows: float
) -> float | None:
    from scipy.special import chdtrc

    # A dispersion is that of the groups on which it was measured, and says little of others.
    groups = np.array(dispersion.groups) if dispersion is not None else groups_of(a, b, layout, EXPECTED)
    before, after = grouped(a, groups), grouped(b, groups)
    both = before + after
    freedom = int(np.count_nonzero(both)) - 1
    if freedom < 1:
        return None
    expected = both[both > 0].min() * rows / (a.sum() + b.sum())
    if dispersion is not None and expected < _of_shares(dispersion, 1).mean:
        return None
    statistic, evenness = chi_squared(before, after), 1.0 if dispersion is None else dispersion.evenness

    def p_value(inflation: FloatArray) -> FloatArray:
        # Satterthwaite: what moves together in few ways has the tail of as many degrees of freedom.
        effective = np.where(inflation > 1, max(1.0, freedom * evenness), freedom)
        return np.asarray(chdtrc(effective, statistic * effective / freedom / inflation))

    return _of_shares(dispersion, freedom).averaged(p_value, rows)


def _p_value_of_bins(a: IntArray, b: IntArray, dispersion: ColumnDispersion | None, below: float) -> float | None:
    """Return the smallest p-value of a bin, times the number of bins; None if that is not below what would count.

    Two bins share one test.
    """
    tests = int(np.count_nonzero(a + b))
    tests -= tests == 2
    alone = tests * cell_p_values(a, b)
    if dispersion is None or dispersion.parts < 2:
        smallest = float(alone.min())
        return smallest if smallest < below else None
    # More dispersion only makes p-values larger: what is large without any, or with what is thought to be, is left.
    if not (alone < below).any():
        return None
    about = alone
    if dispersion.of_all_shares.independent <= 0.5:
        thought = np.array(totals_of_bins(a, dispersion)) / (dispersion.parts - 1)
        about = tests * cell_p_values(a, b, np.maximum(1.0, thought))
    smallest = below
    for place in np.argsort(about, kind="stable"):
        if about[place] / 10 >= smallest:
            break
        smallest = min(smallest, tests * _p_value_of_bin(a, b, int(place), belief_in_bin(a, int(place), dispersion)))
    return smallest if smallest < below else None


def _p_value_of_bin(a: IntArray, b: IntArray, place: int, belief: Dispersion) -> float:
    before, after = (np.array([counts[place], counts.sum() - counts[place]]) for counts in (a, b))
    return share_test(before, after, belief)
