"""A column as the product counts it: frozen bins, the baseline's parts, and windows to draw.

Where rows are independent, or each is repeated a fixed number of times, counts are drawn instead of rows, with exactly
their distribution: those of known shares are multinomial, and the probabilities between the order statistics of n
uniform values, at which the bins of a continuous column are cut, are Dirichlet's [1]_. So a window of 100 000 rows
costs no more than one of 50. Only the autocorrelated are drawn row by row.

.. [1] David, H. A., & Nagaraja, H. N. (2003). Order Statistics, 3rd ed., section 6.4. Wiley.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from monitoring_tasks.profile import Bins, just_above
from monitoring_tasks.warehouse.bins import quantile_edges, ranks_of
from tests.benchmarks.decisions.streams import (
    CATEGORIES,
    MISSING,
    Dependence,
    FloatArray,
    IntArray,
    Kind,
    repeats,
    rows,
    shares,
)

Number = TypeVar("Number", np.int64, np.float64)

CHUNK = 4_000_000
"""Rows that are drawn at once."""

DEALT_ONE_BY_ONE = 100_000
"""Rows up to which shuffling them takes less time than drawing the counts of many small parts."""


@dataclass(frozen=True)
class Frozen:
    """One column of one baseline."""

    bins: Bins
    parts: IntArray
    """Rows per bin of each part of the baseline, shape ``(n_parts, n_bins)``."""


def parts_of(length: int) -> int:
    """Return how many windows the baseline is long: thirty, or as many as make 30 000 rows."""
    return max(30, -(-30_000 // length))


def column(
    kind: Kind, dependence: Dependence, length: int, rng: np.random.Generator, parts: int | None = None
) -> Column:
    """Draw a baseline of so many windows of this length, by default `parts_of`, and freeze its bins."""
    parts = parts or parts_of(length)
    if dependence in ("autocorrelated", "levelled"):
        return _drawn_by_row(kind, dependence, length, parts, rng)
    times = repeats(dependence, length)
    if kind in ("discrete", "categorical"):
        return _of_known_shares(kind, length, parts, times, rng)
    return _continuous(kind, length, parts, times, rng)


@dataclass(frozen=True)
class Column(Frozen):
    """The same, with windows to draw."""

    windows: Callable[[int], IntArray]
    """Draws so many windows without drift, each from another stretch: shape ``(n, n_bins)``."""


def of_rows(kind: Kind, values: FloatArray) -> Frozen:
    """Return the column whose baseline is made of these parts, shape ``(n_parts, rows)``."""
    bins = _bins(kind, values)
    return Frozen(bins, counted(kind, bins, values))


def counted(kind: Kind, bins: Bins, values: FloatArray) -> IntArray:
    """Count values on bins as the scan does, shape ``(n, rows)`` to ``(n, n_bins)``."""
    return _tallied(_places(kind, bins, values), len(bins))


def _tallied(places: IntArray, width: int) -> IntArray:
    offsets = np.arange(len(places))[:, None] * width
    return np.bincount((places + offsets).ravel(), minlength=len(places) * width).reshape(-1, width)


def _places(kind: Kind, bins: Bins, values: FloatArray) -> IntArray:
    """Return the number of each value's bin."""
    if kind == "categorical":
        place = np.full(CATEGORIES, len(bins) - 1)  # unseen
        place[[int(name) for name in bins.categories]] = np.arange(1, len(bins.categories) + 1)
        return place[values.astype(np.int64)]
    places = np.searchsorted(np.array(bins.edges), values, "right") + 1
    return np.where(np.isnan(values), 0, places)


def _bins(kind: Kind, values: FloatArray) -> Bins:
    """Freeze the bins as `measure_bins` does in the warehouse."""
    known = values[~np.isnan(values)]
    if kind in ("discrete", "categorical"):
        return _bins_of_few(kind, np.bincount(known.astype(np.int64)))
    ranks = _ranks(known.size)
    return Bins("numeric", tuple(quantile_edges(np.partition(known, ranks - 1)[ranks - 1].tolist(), known.size)))


def _bins_of_few(kind: Kind, counts: IntArray) -> Bins:
    """Return bins of the values that occur: each its own, and as numbers each gap between them."""
    seen = np.flatnonzero(counts)
    if kind == "categorical":
        return Bins("categorical", categories=tuple(str(i) for i in seen[np.argsort(-counts[seen], kind="stable")]))
    return Bins("numeric", tuple(sorted({edge for x in map(float, seen) for edge in (x, just_above(x))})))


def _ranks(n: int) -> IntArray:
    """Return the ranks, from 1, of minimum, quantiles and maximum of n values."""
    return np.array(ranks_of(n))


def _drawn_by_row(kind: Kind, dependence: Dependence, length: int, parts: int, rng: np.random.Generator) -> Column:
    # An autoregressive process goes on from one part to the next.
    stretches = 1 if dependence == "autocorrelated" else parts
    baseline = rows(kind, dependence, (stretches, parts * length // stretches), rng).reshape(-1, length)
    bins = _bins(kind, baseline)
    at_once = max(1, CHUNK // length)

    def windows(n: int) -> IntArray:
        chunks = [min(at_once, n - done) for done in range(0, n, at_once)]
        return np.concatenate([counted(kind, bins, rows(kind, dependence, (k, length), rng)) for k in chunks])

    return Column(bins, counted(kind, bins, baseline), windows)


def _of_known_shares(kind: Kind, length: int, parts: int, times: int, rng: np.random.Generator) -> Column:
    p = shares(kind)
    values = np.arange(p.size, dtype=np.float64)

    def draw(n: int) -> IntArray:
        return rng.multinomial(length // times, p, size=n) * times

    baseline = draw(parts)
    bins = _bins_of_few(kind, baseline.sum(axis=0))
    onto = np.eye(len(bins), dtype=np.int64)[_places(kind, bins, values)]
    return Column(bins, baseline @ onto, lambda n: draw(n) @ onto)


def _dealt(counts: IntArray, parts: int, rng: np.random.Generator) -> IntArray:
    """Deal rows out to parts of equal size in random order, shape ``(parts, n_bins)``."""
    total = int(counts.sum())
    if total <= DEALT_ONE_BY_ONE:
        places = np.repeat(np.arange(counts.size), counts)
        rng.shuffle(places)
        return _tallied(places.reshape(parts, -1), counts.size)
    dealt = []
    for _ in range(parts - 1):
        dealt.append(rng.multivariate_hypergeometric(counts, total // parts))
        counts = counts - dealt[-1]
    return np.array([*dealt, counts])


def _merged(cells: NDArray[Number], onto: IntArray) -> NDArray[Number]:
    """Add up cells that are in one bin, along the last axis."""
    merged = np.zeros((*cells.shape[:-1], int(onto.max()) + 1), cells.dtype)
    np.add.at(merged.T, onto, cells.T)
    return merged


def _continuous(kind: Kind, length: int, parts: int, times: int, rng: np.random.Generator) -> Column:
    null = MISSING if kind == "missing" else 0.0
    per_part = length // times
    nulls = int(rng.binomial(per_part * parts, null))
    known = per_part * parts - nulls
    ranks = -(-_ranks(known * times) // times)
    # Of [null, below, 32 bins, above]: the last bin holds the maximum, and above it there is no row of the baseline.
    baseline = np.concatenate(([nulls, 0], np.diff(ranks[:-1]), [known - ranks[-2] + 1, 0]))
    gaps = rng.dirichlet(np.concatenate(([1], np.diff(ranks), [1])))
    cuts = norm.ppf(np.cumsum(gaps[:-1]))
    edges = quantile_edges(cuts.tolist(), known * times)
    # Of a small baseline some of the cuts are no edges.
    onto = np.concatenate(([0, 1], np.searchsorted(edges, cuts[:-1], "right") + 1, [len(edges) + 1]))
    by_part = _merged(_dealt(baseline, parts, rng), onto)
    p = np.concatenate(([null], gaps * (1 - null)))
    p = _merged(p / p.sum(), onto)
    return Column(
        Bins("numeric", tuple(edges)),
        by_part * times,
        lambda n: rng.multinomial(per_part, p, size=n) * times,
    )
