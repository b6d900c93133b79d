"""Did a column move? One p-value of the tests that find the ways in which columns move, on the baseline's bins."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from monitoring_tasks.statistics.drift import chi_squared
from monitoring_tasks.statistics.drift.metric import Layout
from monitoring_tasks.statistics.histogram import (
    FloatArray,
    IntArray,
    checked_counts,
    grouped,
    merge_ordered,
    merge_unordered,
    paired_counts,
)
from monitoring_tasks.statistics.homogeneity.cell_test import cell_p_values, wandering_share_p_value
from monitoring_tasks.statistics.homogeneity.dispersion import INDEPENDENT_ROWS, PRIOR, Dispersion, shared_priors
from monitoring_tasks.statistics.homogeneity.score_test import score_test
from monitoring_tasks.statistics.homogeneity.scores import level_scores, spread_scores

WEIGHTS: Mapping[Layout, Mapping[str, float]] = {
    "numeric": {"level": 0.90, "spread": 0.04, "shares": 0.03, "bins": 0.03, "missing": 0.05},
    "categorical": {"shares": 0.7, "bins": 0.3, "missing": 0.05},
}
"""Each test's share of the error rate, over the sum of those of the tests that can be made.

A moved level is what happens most and is hardest to see, so it gets nearly all: that costs a point of power against a
test of the level alone. The other shares are enough for what they find, because that is seldom subtle.
"""

EXPECTED = 5.0
"""Independent rows that a group of the test of shares must have in the window on average [1]_.

.. [1] Cochran, W. G. (1954). Some methods for strengthening the common chi-squared tests. Biometrics, 10(4), 417-451.
"""

FEW = 10
"""Effective reference rows below which a bin says little about its own dispersion: where all of its rows came on one
cold day, the next one may be colder. It is then taken to be at least that of the shares."""


@dataclass(frozen=True)
class ColumnDispersion:
    """The dispersion of every test's statistic over the parts of the reference."""

    parts: int
    """How many parts had rows."""
    rows: float
    """Mean rows of a part."""
    level: float = 0.0
    """Sum of the squared z-statistics of each part against all others; about `parts` for independent rows."""
    spread: float = 0.0
    level_skewness: float = 0.0
    """Of those z-statistics: where it rains on one day of five, the mean of a wet day is far above, of none below. Only
    what is beyond two standard errors of it."""
    spread_skewness: float = 0.0
    """The same as it came out: a mean of squares is skewed wherever rows hang together."""
    shares: float = 0.0
    """Sum of the chi-squared statistics, each over its degrees of freedom."""
    evenness: float = 1.0
    """Effective degrees of freedom of those statistics over their number, in (0, 1]: small where the shares move
    together in few ways, as when a level wanders."""
    groups: tuple[int, ...] = ()
    """Of each bin, the group that it was counted in for that: large enough to have `EXPECTED` rows of a part."""
    bins: tuple[float, ...] = ()
    """As `level`, of each bin's share."""
    priors: Mapping[str, FloatArray] = field(default_factory=dict, compare=False, repr=False)
    """What other columns let expect of level, spread and shares, see `with_shared_priors`; not in JSON."""

    def of(self, name: str) -> Dispersion:
        """Return that of the test called level or spread."""
        return self._belief(name, getattr(self, name), self.parts)

    def of_shares(self, freedom: int) -> Dispersion:
        """Return that of a chi-squared statistic: each part shows it once for every effective degree of freedom."""
        times = max(1.0, self.evenness * freedom)
        return self._belief("shares", self.shares * times, 1 + (self.parts - 1) * times)

    @property
    def of_all_shares(self) -> Dispersion:
        """That of the groups in which it was measured."""
        return self.of_shares(max(self.groups))

    def of_bin(self, total: float) -> Dispersion:
        """Return that of one bin's share."""
        return self._belief("shares", total, self.parts)

    def _belief(self, name: str, total: float, parts: float) -> Dispersion:
        if (name, total, parts) not in self._known:
            prior = self.priors.get(name, PRIOR)
            self._known[name, total, parts] = Dispersion(total, parts, self.rows, prior)
        return self._known[name, total, parts]

    @cached_property
    def _known(self) -> dict[tuple[str, float, float], Dispersion]:
        """Those asked for before, with what they worked out: a baseline's are asked for in every window."""
        return {}

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        values = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "priors"}
        return {**values, "groups": list(self.groups), "bins": list(self.bins)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ColumnDispersion:
        """Undo `to_json`."""
        return cls(**{**values, "groups": tuple(values["groups"]), "bins": tuple(values["bins"])})


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
        found["missing"] = _p_value_of_missing(a, b, dispersion, rows)
    names = [*found, *["bins"] * (occupied > 1)]
    weights = {name: WEIGHTS[layout][name] / sum(WEIGHTS[layout][each] for each in names) for name in names}
    weighted = {name: p_value / weights[name] for name, p_value in found.items()}
    if occupied > 1:
        bins = _p_value_of_bins(a, b, dispersion, rows, below=min([1.0, *weighted.values()]) * weights["bins"])
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
    groups = np.array(dispersion.groups) if dispersion is not None else _groups(a, b, layout, EXPECTED)
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


def _groups(a: IntArray, b: IntArray | FloatArray, layout: Layout, expected: float) -> IntArray:
    """Return the group of each bin: about ten of them, each of which the window has enough rows in on average."""
    inner = merge_ordered(a[1:]) + 1 if layout == "numeric" else merge_unordered(a[1:]) + 1
    groups = np.concatenate(([0], inner))
    both = np.zeros(groups.max() + 1)
    np.add.at(both, groups, a + b)
    few = both * (b.sum() / (a.sum() + b.sum())) < expected
    if few.any():  # small groups go together, and with the smallest of the others if they are too few still
        rest = both[few].sum() * (b.sum() / (a.sum() + b.sum()))
        if rest < expected and not few.all():
            large = np.flatnonzero(~few)
            few[large[np.argmin(both[large])]] = True
        renumbered = np.cumsum(~few)
        renumbered[few] = 0
        groups = renumbered[groups]
    return np.unique(groups, return_inverse=True)[1].astype(np.int64)


def _p_value_of_bins(
    a: IntArray, b: IntArray, dispersion: ColumnDispersion | None, rows: float, below: float
) -> float | None:
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
    thought = np.array(_totals_of_bins(a, dispersion)) / (dispersion.parts - 1)
    about = tests * cell_p_values(a, b, np.maximum(1.0, thought))
    if dispersion.of_all_shares.independent > 0.5:
        about = alone
    smallest = below
    for place in np.argsort(about, kind="stable"):
        if about[place] / 10 >= smallest:
            break
        smallest = min(smallest, tests * _dispersed_p_value(a, b, int(place), dispersion, rows))
    return smallest if smallest < below else None


def _p_value_of_missing(a: IntArray, b: IntArray, dispersion: ColumnDispersion | None, rows: float) -> float:
    if dispersion is None or dispersion.parts < 2:
        return float(_p_value_of_bin(a, b, 0, np.ones(1))[0])
    return _dispersed_p_value(a, b, 0, dispersion, rows)


def _dispersed_p_value(a: IntArray, b: IntArray, place: int, dispersion: ColumnDispersion, rows: float) -> float:
    """Return the p-value of one bin, averaged over what is believed of its dispersion.

    If rows are independent, they are so in all bins, and all bins together say that better than each: thirty parts
    alone leave so much open that ten rows where one is expected would be no surprise. If they are not, each bin has its
    own dispersion.
    """
    p_value = partial(_p_value_of_bin, a, b, place)
    own = dispersion.of_bin(_totals_of_bins(a, dispersion)[place])
    independent = dispersion.of_all_shares.independent
    return independent * float(p_value(np.ones(1))[0]) + (1 - independent) * own.averaged(p_value, rows)


def _totals_of_bins(reference: IntArray, dispersion: ColumnDispersion) -> list[float]:
    """Return the sum of squares that each bin shows over the parts."""
    own = np.array(dispersion.bins)
    known = reference >= FEW * np.maximum(1.0, own / max(dispersion.parts - 1, 1))
    totals: list[float] = np.where(known, own, np.maximum(own, dispersion.shares)).tolist()
    return totals


def _p_value_of_bin(a: IntArray, b: IntArray, place: int, inflation: FloatArray) -> FloatArray:
    before, after = (np.array([counts[place], counts.sum() - counts[place]]) for counts in (a, b))
    p_values = cell_p_values(before, after, inflation[:, None])[:, 0]
    dependent = inflation > 1
    if dependent.any():
        together = wandering_share_p_value(before, after, inflation[dependent])
        p_values[dependent] = np.maximum(p_values[dependent], together)
    return p_values


def column_dispersion(parts: npt.ArrayLike, layout: Layout) -> ColumnDispersion | None:
    """Measure how much the parts of a reference differ, each against all others.

    Parameters
    ----------
    parts : int array, shape (n_parts, n_bins)
        Rows per bin of the whole column, null bin first, of each part: windows as long as those that are tested.
    layout : "numeric" or "categorical"
        That of the counts.

    Returns
    -------
    ColumnDispersion or None
        To four digits, for it is an estimate; None of fewer than two parts with rows.

    Examples
    --------
    >>> found = column_dispersion([[0, 40, 60], [0, 60, 40], [0, 50, 50]], "categorical")
    >>> found.parts, found.rows, found.shares
    (3, 100., 12.)
    """
    whole = np.asarray(parts)
    counts = whole.astype(np.float64)
    if counts.ndim != 2:
        raise ValueError(f"`parts` must have two dimensions (parts, bins), not the shape {counts.shape}")
    checked_counts("parts", whole.reshape(-1))
    rows = counts.sum(axis=1)
    counts, rows = counts[rows > 0], rows[rows > 0]
    if len(counts) < 2:
        return None
    total = counts.sum(axis=0)
    sums = {}
    if layout == "numeric" and total[1:].any():
        for name, scores in (("level", level_scores), ("spread", spread_scores)):
            z = _of_each(counts[:, 1:], scores(total[1:]))
            # A part that says nothing, for it has no value, is taken to be like the others.
            sums[name] = _four_digits(float(np.mean(z**2)) * len(counts) if z.size else float(len(counts)))
            sums[f"{name}_skewness"] = _four_digits(_skewness(z, sure=2.0 if name == "level" else 0.0))
    groups, statistics = _grouped_statistics(counts, layout, EXPECTED)
    for _ in range(3):  # the fewer the rows that a part's count for, the larger the groups have to be
        needed = EXPECTED * float(statistics.mean())
        if needed <= 1.2 * EXPECTED:
            break
        larger, again = _grouped_statistics(counts, layout, needed)
        if (larger == groups).all() or not larger.any():
            break
        groups, statistics = larger, again
    freedom = max(int(groups.max()), 1)
    return ColumnDispersion(
        parts=len(counts),
        rows=_four_digits(rows.mean()),
        shares=_four_digits(statistics.sum()),
        evenness=_four_digits(_evenness(statistics, freedom)),
        groups=tuple(groups.tolist()),
        bins=tuple(map(_four_digits, _squares_of_shares(counts).sum(axis=0).tolist())),
        level=sums.get("level", 0.0),
        spread=sums.get("spread", 0.0),
        level_skewness=sums.get("level_skewness", 0.0),
        spread_skewness=sums.get("spread_skewness", 0.0),
    )


def with_shared_priors(dispersions: Mapping[str, ColumnDispersion]) -> dict[str, ColumnDispersion]:
    """Return the dispersions of columns of the same parts, each knowing what the others let expect of it.

    Parameters
    ----------
    dispersions
        By column.
    """
    priors: dict[str, dict[str, FloatArray]] = {name: {} for name in dispersions}
    for statistic in ("level", "spread", "shares"):
        known = {
            name: each.of_all_shares if statistic == "shares" else each.of(statistic)
            for name, each in sorted(dispersions.items())  # sums of floats depend on their order
            if (each.groups if statistic == "shares" else getattr(each, statistic))
        }
        if len(known) > 1:
            shared = shared_priors(np.array([each.log_likelihood for each in known.values()]))
            for name, prior in zip(known, shared, strict=True):
                priors[name][statistic] = prior
    return {name: replace(each, priors=priors[name]) for name, each in dispersions.items()}


def _grouped_statistics(counts: FloatArray, layout: Layout, expected: float) -> tuple[IntArray, FloatArray]:
    """Return the groups in which a mean part has the expected rows, and each part's mean square over them."""
    total = counts.sum(axis=0)
    groups = _groups(total.astype(np.int64), total / len(counts), layout, expected)
    merged = np.zeros((len(counts), groups.max() + 1))
    np.add.at(merged.T, groups, counts.T)
    # Of each group z**2 (1 - share) adds up to chi-squared.
    chi = _squares_of_shares(merged) @ (1 - merged.sum(axis=0) / total.sum())
    return groups, chi / max(int(groups.max()), 1)


def _evenness(statistics: FloatArray, freedom: int) -> float:
    """Return the effective degrees of freedom of chi-squared statistics over `freedom`, by their mean and variance.

    The variance is taken two standard errors larger than it came out: too large a number would make alarms too many.
    """
    mean, variance = float(statistics.mean()), float(statistics.var(ddof=1))
    variance *= 1 + 2 * math.sqrt(8 / len(statistics))
    effective = freedom if variance <= 0 else 2 * mean**2 / variance
    return min(max(effective, 1.0), freedom) / freedom


def _of_each(counts: FloatArray, scores: FloatArray) -> FloatArray:
    """Return the z-statistic of the mean score of each part with rows against all others'; empty of fewer than two."""
    rows = counts.sum(axis=1)
    counts, rows = counts[rows > 0], rows[rows > 0]
    total, n = counts.sum(axis=0), rows.sum()
    if len(rows) < 2:
        return np.empty(0)
    share = total / n
    centred = scores - share @ scores
    variance = float(share @ centred**2)
    if variance <= 0:
        return np.empty(0)
    sums = counts @ centred
    difference = sums / rows - (total @ centred - sums) / (n - rows)
    return np.asarray(difference / np.sqrt(variance * (1 / rows + 1 / (n - rows))))


def _skewness(values: FloatArray, sure: float) -> float:
    """Return the skewness, nearer to 0 by so many of its standard errors; 0 of too few values to tell."""
    if values.size < 8:
        return 0.0
    centred = values - values.mean()
    spread = float(np.mean(centred**2))
    found = float(np.mean(centred**3)) / spread**1.5 if spread > 0 else 0.0
    return math.copysign(max(0.0, abs(found) - sure * math.sqrt(6 / values.size)), found)


def _squares_of_shares(counts: FloatArray) -> FloatArray:
    """Return the squared z-statistic of each part's share in each bin against all others', shape (n_parts, n_bins)."""
    rows = counts.sum(axis=1, keepdims=True)
    total, n = counts.sum(axis=0), rows.sum()
    share = total / n
    variance = np.maximum(share * (1 - share), 1e-300) * (1 / rows + 1 / (n - rows))
    difference = counts / rows - (total - counts) / (n - rows)
    return np.where((share > 0) & (share < 1), difference**2 / variance, 1.0)


def _four_digits(value: float) -> float:
    return float(f"{value:.4g}")
