"""The scores and default rules by which Evidently and NannyML tell a window from its reference, in numpy.

The packages take up to a second for a column, too long for the hundred thousand windows that a threshold needs. These
give the same numbers: `packages.py` compares them with the installed packages on every run. A higher score is always
more drift, so a p-value has its sign changed, and that of Kolmogorov-Smirnov is replaced by the statistic.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2, ks_2samp

from tests.benchmarks.decisions.streams import CATEGORIES, FloatArray, IntArray, Kind

Prepared: TypeAlias = NDArray[Any]
"""One window's values without nulls: ascending numbers, or rows per category."""

Score = Callable[[Prepared], float]

SMALL = 1000
"""Up to so many reference rows Evidently takes tests, above it distances."""


@dataclass(frozen=True)
class Rule:
    """What a package says of one column against one reference."""

    score: Score
    alarms: Callable[[Prepared], bool]
    """As its default settings decide."""


def prepared(kind: Kind, values: FloatArray) -> list[Prepared]:
    """Sort windows, shape ``(n, rows)``, or count their categories, and leave out the nulls."""
    if kind == "categorical":
        codes = values.astype(np.int64)
        return [np.bincount(row, minlength=CATEGORIES) for row in codes]
    ascending = np.sort(values, axis=1)  # NaN comes last
    known = values.shape[1] - np.isnan(values).sum(axis=1)
    return [row[:n] for row, n in zip(ascending, known, strict=True)]


def evidently(kind: Kind, reference: FloatArray) -> Rule:
    """Return the rule that Evidently chooses: distances, or tests if the reference has up to 1 000 values."""
    (of,) = prepared(kind, reference.reshape(1, -1))
    if kind == "categorical":
        if of.sum() > SMALL:
            distance = jensen_shannon(of, np.e)
            return Rule(distance, lambda window: distance(window) >= 0.1)
        p_value = pearson(of)
        return Rule(p_value, lambda window: -p_value(window) < 0.05)
    if of.size > SMALL:
        distance = wasserstein(of)
        return Rule(distance, lambda window: distance(window) >= 0.1)
    return Rule(kolmogorov_smirnov(of), kolmogorov_smirnov_alarms(of))


def nannyml(kind: Kind, reference: FloatArray, chunks: int) -> Rule:
    """Return NannyML's rule: three standard deviations around the mean of the scores of the reference's own chunks."""
    (of,) = prepared(kind, reference.reshape(1, -1))
    score = jensen_shannon(of, 2.0) if kind == "categorical" else jensen_shannon_on_doane(of)
    own = np.array([score(chunk) for chunk in prepared(kind, reference.reshape(chunks, -1))])
    low, high = own.mean() - 3 * own.std(), own.mean() + 3 * own.std()
    return Rule(score, lambda window: not low <= score(window) <= high)


def kolmogorov_smirnov_alarms(reference: FloatArray) -> Callable[[Prepared], bool]:
    """Return whether the p-value is at most 5 %; it is asked only of statistics between known ones."""
    statistic = kolmogorov_smirnov(reference)
    bounds: dict[int, tuple[float, float]] = {}

    def alarms(window: Prepared) -> bool:
        value = statistic(window)
        safe, sure = bounds.get(window.size, (-1.0, 2.0))
        if safe < value < sure:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # where scipy falls back from the exact p-value, Evidently does
                found = bool(ks_2samp(reference, window).pvalue <= 0.05)
            bounds[window.size] = (safe, value) if found else (value, sure)
            return found
        return value >= sure

    return alarms


def jensen_shannon_on_doane(reference: FloatArray) -> Score:
    """Return the distance in bits on Doane's bins of the reference, with one more for what lies outside."""
    edges = np.histogram_bin_edges(reference, "doane")
    on_bins = jensen_shannon(np.append(np.histogram(reference, edges)[0], 0), 2.0)

    def score(values: Prepared) -> float:
        places = np.searchsorted(values, edges, "left")
        places[-1] = np.searchsorted(values, edges[-1], "right")  # the last bin holds its right edge
        counts = np.diff(places)
        return on_bins(np.append(counts, values.size - counts.sum()))

    return score


def wasserstein(reference: FloatArray) -> Score:
    """Return the distance from a sorted reference in its standard deviations.

    Between two neighbours of the window its distribution function is level, so the area between both functions follows
    from the integral of the reference's alone: three look-ups per value of the window instead of a sort of all.
    """
    rows = reference.size
    sums = np.concatenate(([0.0], np.cumsum(reference)))
    scale = max(float(np.std(reference)), 0.001)

    def integral(x: FloatArray) -> FloatArray:
        """Integrate the reference's distribution function up to each x."""
        below = np.searchsorted(reference, x, "right")
        return (below * x - sums[below]) / rows

    def score(values: Prepared) -> float:
        ends = np.concatenate(([min(values[0], reference[0])], values, [max(values[-1], reference[-1])]))
        level = np.arange(values.size + 1) / values.size
        # Where the reference crosses the level: below it the reference's function is smaller, above it larger.
        rank = np.ceil(np.arange(values.size + 1) * rows / values.size).astype(np.int64)
        crossing = np.clip(reference[np.clip(rank - 1, 0, rows - 1)], ends[:-1], ends[1:])
        at_ends, at_crossing = integral(ends), integral(crossing)
        under = level * (crossing - ends[:-1]) - (at_crossing - at_ends[:-1])
        over = (at_ends[1:] - at_crossing) - level * (ends[1:] - crossing)
        return float((under + over).sum() / scale)

    return score


def kolmogorov_smirnov(reference: FloatArray) -> Score:
    """Return the largest difference between the distribution functions of a sorted reference and a sorted window."""

    def score(values: Prepared) -> float:
        both = np.concatenate((reference, values))
        before = np.searchsorted(reference, both, "right") / reference.size
        after = np.searchsorted(values, both, "right") / values.size
        return float(np.abs(before - after).max())

    return score


def jensen_shannon(reference: IntArray, base: float) -> Score:
    """Return the distance, the root of the divergence, between rows per category."""
    p = reference / reference.sum()

    def score(counts: Prepared) -> float:
        q = counts / counts.sum()
        middle = (p + q) / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            left = np.where(p > 0, p * np.log(p / middle), 0.0)
            right = np.where(q > 0, q * np.log(q / middle), 0.0)
        return float(np.sqrt(max(left.sum() + right.sum(), 0.0) / 2 / np.log(base)))

    return score


def pearson(reference: IntArray) -> Score:
    """Return minus the p-value of chi-squared against the reference's shares; 0 with a category that it lacks."""
    p = reference / reference.sum()
    freedom = int((p > 0).sum()) - 1

    def score(counts: Prepared) -> float:
        expected = p * counts.sum()
        if counts[expected == 0].any():
            return 0.0
        seen = expected > 0
        statistic = ((counts - expected)[seen] ** 2 / expected[seen]).sum()
        return -float(chi2.sf(statistic, freedom))

    return score
