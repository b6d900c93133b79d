"""Columns whose distribution never moves, and the shifts that are planted into them. Seeded by the caller's generator.

Numbers are standard normal, whole numbers are Poisson's, categories Zipf's; one kind misses values. Rows are
independent, or one of three ways of hanging together: an autoregressive process, whose latent normal values are cut at
the quantiles of the other kinds; the same row many times, as when a customer asks again; and a level that all rows of a
window share, as a day has its weather.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.stats import norm, poisson

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

Kind = Literal["numeric", "missing", "discrete", "categorical"]
Dependence = Literal["independent", "repeated", "autocorrelated", "levelled"]

CATEGORIES = 30
ZIPF: FloatArray = 1 / np.arange(1, CATEGORIES + 1)
ZIPF /= ZIPF.sum()
"""Shares of the categories: from 25 % down to 0.8 %."""

POISSON: FloatArray = poisson.pmf(np.arange(40), 3.0)
POISSON /= POISSON.sum()
"""Shares of the whole numbers 0 to 39, mean 3; what is cut off is below 1e-25."""

MISSING = 0.01
"""Share of the rows without a value, of the kind `missing`."""

CORRELATION = 0.9
"""Between neighbours of the autocorrelated rows."""

SHARED = 0.5
"""Of the variance of levelled rows, what all rows of a window share (the intraclass correlation)."""

REPEATS = 20
"""Rows of one customer, one after the other."""


@dataclass(frozen=True)
class Shift:
    """What is planted into one column."""

    kind: Kind = "numeric"
    """Of the column."""
    mean: float = 0.0
    """Added, in standard deviations."""
    scale: float = 1.0
    """Times the standard deviation."""
    tail: float = 0.0
    """Share of the rows that become 4 standard deviations."""
    missing: float = MISSING
    """Share of the rows without a value, of the kind `missing`."""
    category: float = ZIPF[4]
    """Share of the fifth category; the others keep their proportions."""
    columns: int = 1
    """Columns of the monitor; all but the first stay as they are."""


SHIFTS: Mapping[str, Shift] = {
    "mean + 0.1 sd": Shift(mean=0.1),
    "mean + 0.2 sd": Shift(mean=0.2),
    "mean + 0.5 sd": Shift(mean=0.5),
    "sd x 1.2": Shift(scale=1.2),
    "sd x 0.8": Shift(scale=0.8),
    "1 % of rows at 4 sd": Shift(tail=0.01),
    "missing 1 % to 3 %": Shift("missing", missing=0.03),
    "one category 5 % to 8 %": Shift("categorical", category=0.08),
    "mean + 0.3 sd, 1 of 50 columns": Shift(mean=0.3, columns=50),
}


def repeats(dependence: Dependence, length: int) -> int:
    """Return how many rows in a row are the same: 20, or 10 where windows of this length would cut through them."""
    return 1 if dependence != "repeated" else REPEATS if length % REPEATS == 0 else REPEATS // 2


def latent(dependence: Dependence, shape: tuple[int, int], rng: np.random.Generator) -> FloatArray:
    """Return stretches of rows, each standard normal on its own, shape ``(stretches, rows)``."""
    stretches, rows = shape
    if dependence == "repeated":
        times = repeats(dependence, rows)
        return rng.standard_normal((stretches, rows // times)).repeat(times, axis=1)
    noise = rng.standard_normal(shape)
    if dependence == "independent":
        return noise
    if dependence == "levelled":
        return np.sqrt(SHARED) * rng.standard_normal((stretches, 1)) + np.sqrt(1 - SHARED) * noise
    # The first value has the process's own spread, so that every row has the same distribution.
    noise[:, 1:] *= np.sqrt(1 - CORRELATION**2)
    filtered: FloatArray = lfilter([1.0], [1.0, -CORRELATION], noise, axis=1)
    return filtered


def shares(kind: Kind, shift: Shift | None = None) -> FloatArray:
    """Return the probabilities of 0, 1, 2 ... of a kind with so few values."""
    if kind == "discrete":
        return POISSON
    if shift is None:
        return ZIPF
    moved: FloatArray = ZIPF * (1 - shift.category) / (1 - ZIPF[4])
    moved[4] = shift.category
    return moved


def rows(
    kind: Kind,
    dependence: Dependence,
    shape: tuple[int, int],
    rng: np.random.Generator,
    shift: Shift | None = None,
) -> FloatArray:
    """Return values, shape ``(stretches, rows)``; NaN is null, a category is its number from 0."""
    values = latent(dependence, shape, rng)
    if kind in ("discrete", "categorical"):
        cuts = norm.ppf(np.cumsum(shares(kind, shift))[:-1])
        return np.searchsorted(cuts, values, "right").astype(np.float64)
    if shift is not None:
        values = values * shift.scale + shift.mean
        if shift.tail:
            values[rng.random(shape) < shift.tail] = 4.0
    if kind == "missing":
        # Nulls hang together as the values do: they are decided by a latent value of their own.
        share = MISSING if shift is None else shift.missing
        values[latent(dependence, shape, rng) < norm.ppf(share)] = np.nan
    return values
