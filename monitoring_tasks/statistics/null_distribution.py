"""What a distance is without drift: its distribution on these bins, for this baseline and this many rows.

Small samples read high: two halves of one log are never at distance 0. What chance alone makes is a property of the
bins and of both numbers of rows, so it is computed for each, and stands beside the value.

Against 4,000 windows drawn from uniform and Zipf's shares the means and 95 % quantiles are within 10 %; only those of
Kullback-Leibler are up to 18 % too large for a window of 50 rows over 30 bins.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from monitoring_tasks.statistics.drift.metric import DriftMetric
from monitoring_tasks.statistics.histogram import FloatArray, checked_counts

DRAWS = 400
"""Windows that are drawn where there is no closed form: the mean is then known to 2 % or so."""

FULL = 200.0
"""Expected rows from which on a bin adds as much as infinitely many would."""


@dataclass(frozen=True)
class NullDistribution:
    """The distribution of a distance between a reference and a window that did not drift."""

    mean: float
    """In the units of the distance."""
    draws: tuple[float, ...] = ()
    """Ascending, where it was drawn; else empty, and the next three describe it."""
    freedom: float = 0.0
    """The distance is ``(scale * chi-squared(freedom)) ** power``."""
    scale: float = 0.0
    power: float = 1.0
    offset: float = 0.0
    """What is added to that: smoothing makes bins that are empty on both sides differ where windows are small."""

    def p_value(self, value: float) -> float:
        """Return the probability of a distance at least this large, in (0, 1].

        Of draws it is at least 1 / (their number + 1).
        """
        from scipy.special import chdtrc

        if self.draws:
            above = len(self.draws) - int(np.searchsorted(self.draws, value, "left"))
            return (above + 1) / (len(self.draws) + 1)
        if self.scale == 0:
            return 1.0 if value <= self.offset else 0.0
        value = max(0.0, value - self.offset)
        return float(chdtrc(self.freedom, value ** (1 / self.power) / self.scale)) if value > 0 else 1.0

    def quantile(self, chance: float) -> float:
        """Return the distance that a window without drift stays below with this probability, in (0, 1)."""
        from scipy.special import chdtri

        if self.draws:
            return float(np.quantile(self.draws, chance))
        return self.offset + float((self.scale * chdtri(self.freedom, 1 - chance)) ** self.power if self.freedom else 0)


def null_distribution(
    metric: DriftMetric,
    reference: npt.ArrayLike,
    current_rows: int,
    *extra: object,
    design_effect: float = 1.0,
) -> NullDistribution:
    """Return the distribution of a distance without drift.

    PSI, Kullback-Leibler and Jensen-Shannon divergence, squared Hellinger distance and chi-squared are to first order
    the same quadratic form of the counts [1]_: a chi-squared variable, to which a full bin adds one degree of freedom.
    A bin of few expected rows adds less, or for a moment more: what it adds on average for Poisson's counts. Everything
    else is drawn: the bins' true shares from what the reference leaves open about them (Dirichlet), the window from
    those (multinomial). So both numbers of rows count, and the draws are of bins, not of rows. Seeded by what goes in:
    the same answer every time.

    Parameters
    ----------
    metric : DriftMetric
        The distance.
    reference : int array, shape (n_bins,)
        The reference's rows on the bins that the distance is taken over.
    current_rows : int
        Rows of the window on those bins, at least 1.
    *extra
        What the distance needs beside counts, as `wasserstein` does.
    design_effect : float
        By how much rows that are not independent inflate the variance, at least 1: they count as so many times fewer.

    Raises
    ------
    ValueError
        If `reference` holds no valid counts or no rows, or `current_rows` is below 1.

    References
    ----------
    .. [1] Csiszar, I., & Shields, P. C. (2004). Information theory and statistics: a tutorial, section 4. Foundations
       and Trends in Communications and Information Theory, 1(4), 417-528.

    Examples
    --------
    >>> from monitoring_tasks.statistics.drift import drift_metric
    >>> by_chance = null_distribution(drift_metric("psi"), [10_000] * 10, 800)
    >>> by_chance.mean, by_chance.quantile(0.95)
    (0.0113, 0.0212)
    """
    counts = checked_counts("reference", reference)
    if not counts.any():
        raise ValueError("`reference` holds no rows: there is nothing to draw from")
    if current_rows < 1:
        raise ValueError(f"`current_rows` must be at least 1, not {current_rows}")
    effect = max(1.0, design_effect)
    rows = counts.sum()
    if metric.quadratic is not None:
        freedom = float(np.sum(_added(metric, counts / rows * current_rows / effect))) - 1
        scale = 1.0 if metric.grows_with_rows else 1 / rows + 1 / current_rows
        if metric.smoothed:
            scale *= current_rows / (current_rows + counts.size / 2)
        closed = _closed(metric.quadratic * scale * effect, max(freedom, 1e-3), metric.power)
        if metric.smoothed and (offset := _of_empty_bins(metric, counts, current_rows)) > 0:
            return replace(closed, mean=closed.mean + offset, offset=offset)
        return closed
    # Of nearly as many rows the draws are the same but for a factor: a long history then needs few of them.
    step = max(1, round(10 ** (round(40 * math.log10(max(current_rows / effect, 1.0))) / 40)))
    drawn = _drawn(metric, counts.tobytes(), step, extra, effect)
    times = 1.0 if metric.grows_with_rows else _per_rows(metric, rows / effect, step, current_rows / effect)
    inflated = effect if metric.grows_with_rows else 1.0
    return NullDistribution(float(np.mean(drawn)) * times * inflated, tuple(x * times * inflated for x in drawn))


def _of_empty_bins(metric: DriftMetric, reference: FloatArray, rows: int) -> float:
    """Return what bins without any row on either side add to a distance that is smoothed."""
    known = reference[reference > 0]
    if metric.many is None or known.size == reference.size:
        return 0.0
    with_them, without = (metric.many(each, each[None] * (rows / each.sum()))[0] for each in (reference, known))
    return max(0.0, float(with_them - without))


def _added(metric: DriftMetric, expected: FloatArray) -> FloatArray:
    """Return what bins of so many expected rows add to the degrees of freedom."""
    rows, added = _of_few_rows(metric)
    return np.where(expected > 0, np.interp(np.log(np.maximum(expected, 1e-9)), rows, added), 0.0)


@lru_cache(maxsize=64)
def _of_few_rows(metric: DriftMetric) -> tuple[FloatArray, FloatArray]:
    """Return logarithms of expected rows, and what a bin of so many adds beside one that holds all others."""
    from scipy.special import gammaln

    many, quadratic = metric.many, metric.quadratic
    assert many is not None
    assert quadratic is not None
    others = 1e7
    grid = np.geomspace(1e-3, FULL, 96)
    added = []
    for expected in grid:
        seen = np.arange(math.ceil(expected + 12 * math.sqrt(expected) + 12), dtype=np.float64)
        chance = np.exp(seen * math.log(expected) - expected - gammaln(seen + 1))
        windows = np.stack((seen, np.full_like(seen, others)), axis=-1)
        # The reference is so large that it is known.
        values = many(np.array([expected, others]) * 1e6, windows)
        times = 1.0 if metric.grows_with_rows else others
        added.append(float(chance @ values ** (1 / metric.power)) * times / quadratic)
    return np.log(grid), np.array(added)


def _closed(scale: float, freedom: float, power: float) -> NullDistribution:
    """Return (scale * chi-squared(freedom)) ** power with its exact mean."""
    half = freedom / 2
    mean = (2 * scale) ** power * math.exp(math.lgamma(half + power) - math.lgamma(half))
    return NullDistribution(float(mean), freedom=freedom, scale=float(scale), power=power)


def _per_rows(metric: DriftMetric, rows: float, drawn_rows: float, current_rows: float) -> float:
    """Return by what a distance shrinks from windows of `drawn_rows` to those of `current_rows`, about as many."""
    ratio = (1 / rows + 1 / current_rows) / (1 / rows + 1 / drawn_rows)
    return float(ratio if metric.quadratic is not None and metric.power == 1 else math.sqrt(ratio))


@lru_cache(maxsize=4096)
def _drawn(
    metric: DriftMetric, reference: bytes, rows: int, extra: tuple[object, ...], effect: float
) -> tuple[float, ...]:
    counts: FloatArray = np.frombuffer(reference)
    name = f"{metric.name} {rows} {effect:.6g}".encode()
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(reference + name).digest()[:8]))
    shares = rng.gamma((counts + 0.5) / effect, size=(DRAWS, len(counts)))
    shares /= shares.sum(axis=1, keepdims=True)
    windows = rng.multinomial(rows, shares)
    if metric.many is None:
        return tuple(sorted(float(metric.function(counts, window, *extra)) for window in windows))
    return tuple(np.sort(metric.many(counts, windows.astype(np.float64), *extra)).tolist())
