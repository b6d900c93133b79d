"""By how much each test's statistic differs between the parts of a reference, measured on their counts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from monitoring_tasks.statistics.drift.metric import Layout
from monitoring_tasks.statistics.histogram import (
    FloatArray,
    IntArray,
    checked_counts,
    merge_ordered,
    merge_unordered,
)
from monitoring_tasks.statistics.homogeneity.dispersion import PRIOR, Dispersion, shared_priors
from monitoring_tasks.statistics.homogeneity.scores import level_scores, spread_scores

EXPECTED = 5.0
"""Independent rows that a group of the test of shares must have in the window on average [1]_.

.. [1] Cochran, W. G. (1954). Some methods for strengthening the common chi-squared tests. Biometrics, 10(4), 417-451.
"""

OTHERS = 8.0
"""Parts of another reference that count beside a column's own, at most: as many as are enough by themselves."""

SURE = 0.99
"""Of each bin it is not believed more surely than this that its rows are independent, before its own parts are seen."""


@dataclass(frozen=True)
class ColumnDispersion:
    """The dispersion of every test's statistic over the parts of the reference."""

    parts: float
    """How many parts had rows; of some that count less than others, so many as they come to."""
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
        """Return that of one bin's share.

        Where rows are independent, they are so in all bins, and all bins together say that better than each: thirty
        parts alone leave so much open that ten rows where one is expected would be no surprise. So what all say is
        expected of each, until its own parts clearly say otherwise, as when values are missing on some days.
        """
        return self._belief("bin", total, self.parts)

    def _belief(self, name: str, total: float, parts: float) -> Dispersion:
        if (name, total, parts) not in self._known:
            prior = self._expected_of_bins if name == "bin" else self.priors.get(name, PRIOR)
            self._known[name, total, parts] = Dispersion(total, parts, self.rows, prior)
        return self._known[name, total, parts]

    @cached_property
    def _expected_of_bins(self) -> FloatArray:
        independent = min(self.of_all_shares.independent, SURE)
        rest = self.priors.get("shares", PRIOR)[1:]
        return np.concatenate(([independent], rest * ((1 - independent) / rest.sum())))

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


def pooled(own: ColumnDispersion, other: ColumnDispersion) -> ColumnDispersion:
    """Return what a column's own parts and those of another reference come to together.

    A few parts that happen to be alike do not show that windows never differ, as in a week without rain. The others
    count as at most `OTHERS` of them. A bin is at least as dispersed as its own parts say: the other reference may
    have no rows in it.

    Parameters
    ----------
    own, other
        On the same bins; the other's rows hang together in proportion to how many there are.
    """
    others, more = min(other.parts - 1, OTHERS), own.rows / other.rows if other.rows > 0 else 1.0

    def mean(total: float, of: ColumnDispersion) -> float:
        each = total / (of.parts - 1)
        return 1 + (each - 1) * more if each > 1 and of is other else each

    parts = own.parts + others
    known = own.parts - 1

    def together(name: str) -> float:
        mine, its = mean(getattr(own, name), own), mean(getattr(other, name), other)
        return (mine * known + its * others) if getattr(other, name) else mine * (parts - 1)

    bins = tuple(
        max((parts - 1) * mean(mine, own), mean(mine, own) * known + mean(its, other) * others)
        for mine, its in zip(own.bins, other.bins, strict=True)
    )
    return replace(
        own,
        parts=parts,
        level=together("level"),
        spread=together("spread"),
        shares=together("shares"),
        bins=bins,
        level_skewness=(own.level_skewness * known + other.level_skewness * others) / (parts - 1),
        spread_skewness=(own.spread_skewness * known + other.spread_skewness * others) / (parts - 1),
        evenness=(own.evenness * known + other.evenness * others) / (parts - 1),
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


def groups_of(a: IntArray, b: IntArray | FloatArray, layout: Layout, expected: float) -> IntArray:
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


def _grouped_statistics(counts: FloatArray, layout: Layout, expected: float) -> tuple[IntArray, FloatArray]:
    """Return the groups in which a mean part has the expected rows, and each part's mean square over them."""
    total = counts.sum(axis=0)
    groups = groups_of(total.astype(np.int64), total / len(counts), layout, expected)
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
