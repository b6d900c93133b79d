"""Conditional shift: by how much the mean of a label or a residual differs at equal inputs, beside windows' own levels.

Windows of a real model have levels of their own, in all bins together or in some, and a test of independent rows, such
as Cochran, Mantel and Haenszel's, which does not know them, finds a change every day. Here each difference is held
against its own variance among windows in which nothing drifted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from monitoring_tasks.statistics.histogram import FloatArray
from monitoring_tasks.statistics.performance.between_variance import between_variance

FEWEST_WINDOWS = 4
"""With fewer windows it is not known how much they differ."""

EXPECTED = 5.0
"""Rows of either label that a window should have in a bin which is tested by itself: Cochran's rule."""

FEWEST_ROWS = 20
"""The same of a residual, whose mean is to be about normal."""


@dataclass(frozen=True)
class BetweenWindows:
    """By how much windows differ at equal inputs beyond what their rows explain."""

    level: float
    """Variance of the differences averaged over the bins."""
    bins: FloatArray
    """Variance of the difference in each bin, shape (n_bins,); at least that of all bins together."""
    windows: int
    """Of how many windows it is; 0: not known, and both are 0."""


@dataclass(frozen=True)
class ConditionalShift:
    """Differences of means at equal inputs, current minus reference."""

    difference: float
    """Mean over the bins, weighted by the current rows; NaN where nothing is shared."""
    expected: float
    """The reference's mean at the current rows' inputs: direct standardisation."""
    sampling_error: float
    """Standard error of `difference` for these rows: of both sides."""
    standard_error: float
    """The same for any window: with its own level."""
    freedom: float
    """Degrees of freedom of the tests."""
    p_level: float
    """Of no common change."""
    bins: FloatArray
    """Differences in each bin, shape (n_bins,); NaN where a side has no rows."""
    p_bins: FloatArray
    """Of no change in each bin; NaN of a bin that is too small to be tested by itself."""
    p_value: float
    """Of no change at all: twice the smaller of `p_level` and Bonferroni's over `p_bins`; `p_level` where no bin was
    tested by itself. NaN where nothing was tested."""

    @property
    def strongest(self) -> int | None:
        """The bin with the smallest p-value, None where none was tested."""
        return None if np.isnan(self.p_bins).all() else int(np.nanargmin(self.p_bins))

    @property
    def p_any_bin(self) -> float:
        """Of no change in any bin: Bonferroni's."""
        tested = np.isfinite(self.p_bins)
        return min(1.0, float(np.nanmin(self.p_bins)) * int(tested.sum())) if tested.any() else math.nan


def between_windows(reference: npt.ArrayLike, parts: npt.ArrayLike) -> BetweenWindows:
    """Measure how much windows without drift differ at equal inputs, each against all the others.

    Parameters
    ----------
    reference : float array, shape (n_bins, 3)
        Rows, sum and sum of squares in each bin, of all windows together.
    parts : float array, shape (n_windows, n_bins, 3)
        The same of each window.

    Returns
    -------
    BetweenWindows
        By Paule and Mandel's estimate, see `between_variance`.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    Two bins, six windows of 100 rows each in either; the windows' rates go up and down together.

    >>> rates = np.array([0.2, 0.4, 0.2, 0.4, 0.2, 0.4])
    >>> parts = np.stack([np.full((6, 2), 100.0), *[np.outer(rates, [100, 100])] * 2], axis=-1)
    >>> round(between_windows(parts.sum(axis=0), parts).level, 4)
    0.016
    """
    whole, each = np.asarray(reference, np.float64), np.asarray(parts, np.float64)
    if whole.ndim != 2 or whole.shape[1] != 3 or each.ndim != 3 or each.shape[1:] != whole.shape:
        raise ValueError(
            f"`reference` of shape {whole.shape} and `parts` of shape {each.shape} must be rows, sums and squares by "
            "bin, and the same by window and bin"
        )
    bins = len(whole)
    rest = whole - each
    n, m = each[..., 0], rest[..., 0]
    shared = (n > 0) & (m > 0)
    if int((shared.any(axis=1)).sum()) < FEWEST_WINDOWS:
        return BetweenWindows(0.0, np.zeros(bins), 0)
    noise = _variance(whole)
    with np.errstate(divide="ignore", invalid="ignore"):
        difference = np.where(shared, each[..., 1] / n - rest[..., 1] / m, 0.0)
        sampling = np.where(shared, noise * (1 / n + 1 / m), 0.0)
        weight = np.where(shared, n, 0.0)
        weight /= weight.sum(axis=1, keepdims=True)
    level = between_variance(np.sum(weight * difference, axis=1), np.sqrt(np.sum(weight**2 * sampling, axis=1)))
    # A bin without rows in a window, or whose values are all alike, has a standard error of 0 and is left out.
    error = np.sqrt(sampling)
    together = between_variance(difference.reshape(-1), error.reshape(-1))
    alone = [between_variance(difference[:, i], error[:, i]) for i in range(bins)]
    return BetweenWindows(
        level=_or_zero(level),
        bins=np.maximum(np.nan_to_num(np.array(alone)), _or_zero(together)),
        windows=int(shared.any(axis=1).sum()),
    )


def conditional_shift(
    reference: npt.ArrayLike,
    current: npt.ArrayLike,
    between: BetweenWindows | None = None,
    *,
    rates: bool = True,
) -> ConditionalShift:
    """Test whether a mean has changed at equal inputs: in one direction, or in any bin.

    A shift of the inputs alone changes nothing here: every bin is compared with itself. The variance of a difference
    has three parts, of the window's rows, of the reference's, and from window to window. The first two are the larger
    of what they are without change and with it: rare labels are skewed, and their own variance is small by the same
    chance by which they are few. Where windows differ, Student's t with one degree of freedom less than windows.

    Parameters
    ----------
    reference, current : float array, shape (n_bins, 3)
        Rows, sum and sum of squares in each bin; of a label that is 0 or 1 the last two are equal.
    between : BetweenWindows, optional
        Of the reference's windows. None: rows are taken as independent.
    rates : bool, default: True
        Whether the values are 0 or 1: then a bin is tested by itself where five of either may be expected of it, else
        where it has 20 rows.

    Returns
    -------
    ConditionalShift

    Raises
    ------
    ValueError
        If the shapes do not fit.

    References
    ----------
    .. [1] Keiding, N., & Clayton, D. (2014). Standardization and control for confounding in observational studies.
       Statistical Science, 29(4), 529-558.

    Examples
    --------
    >>> shift = conditional_shift([[100, 20, 20], [100, 50, 50]], [[50, 15, 15], [100, 60, 60]])
    >>> round(shift.difference, 3), round(shift.expected, 3), round(shift.p_level, 4)
    (0.1, 0.4, 0.0598)
    """
    a, b = np.asarray(reference, np.float64), np.asarray(current, np.float64)
    if a.ndim != 2 or a.shape[1] != 3 or a.shape != b.shape:
        raise ValueError(
            f"`reference` of shape {a.shape} and `current` of shape {b.shape} must be rows, sums and squares by bin"
        )
    between = between or BetweenWindows(0.0, np.zeros(len(a)), 0)
    n, m = b[:, 0], a[:, 0]
    shared = (n > 0) & (m > 1)
    nothing = np.full(len(a), np.nan)
    if not shared.any():
        return ConditionalShift(math.nan, math.nan, math.nan, math.nan, math.inf, math.nan, nothing, nothing, math.nan)
    pooled = _variance(a + b)
    with np.errstate(divide="ignore", invalid="ignore"):
        before, after = a[:, 1] / m, b[:, 1] / n
        difference = np.where(shared, after - before, np.nan)
        without = np.where(shared, pooled * (1 / n + 1 / m), 0.0)
        sampling = np.where(shared, _variance(b) / n + _variance(a) / m, 0.0)
    weight = np.where(shared, n, 0.0) / n[shared].sum()
    level = float(weight[shared] @ difference[shared])
    own = float(weight**2 @ sampling)
    windows = max(between.windows, 1)
    variance = max(own, float(weight**2 @ without)) + between.level * (1 + 1 / windows)
    error = math.sqrt(variance)
    of_bins = np.sqrt(np.maximum(without, sampling) + between.bins * (1 + 1 / windows))
    share = (a + b)[:, 1] / np.maximum(n + m, 1)
    enough = n * np.minimum(share, 1 - share) >= EXPECTED if rates else n >= FEWEST_ROWS
    tested = shared & enough & (of_bins > 0)
    p_bins = nothing.copy()
    p_bins[tested] = _two_sided(difference[tested] / of_bins[tested], _freedom(between.bins[tested], between.windows))
    freedom = float(_freedom(np.array([between.level]), between.windows)[0])
    p_level = float(_two_sided(np.array([level / error]), np.array([freedom]))[0]) if error > 0 else 1.0
    found = ConditionalShift(
        difference=level,
        expected=float(weight[shared] @ before[shared]),
        sampling_error=math.sqrt(own),
        standard_error=error,
        freedom=freedom,
        p_level=p_level,
        bins=difference,
        p_bins=p_bins,
        p_value=math.nan,
    )
    any_bin = found.p_any_bin
    p_value = p_level if math.isnan(any_bin) else min(1.0, 2 * min(p_level, any_bin))
    return replace(found, p_value=p_value)


@dataclass(frozen=True)
class WithinStrata:
    """By how much the reference's mean in each stratum of the score changes if places in it are as frequent as now."""

    shift: FloatArray
    """Shape (n_strata,)."""
    inflation: FloatArray
    """Of the mean's variance, at least 1: rows of places count unequally."""

    def applied(self, reference: FloatArray) -> FloatArray:
        """Return moments of the reference by stratum, shape (n_strata, 3), with these means and as steady as they."""
        rows = reference[:, 0] / self.inflation
        mean = np.divide(reference[:, 1], reference[:, 0], out=np.zeros(len(rows)), where=reference[:, 0] > 0)
        total = rows * np.clip(mean + self.shift, 0, 1)
        return np.stack([rows, total, total], axis=-1)


def within_strata(reference: npt.ArrayLike, current: npt.ArrayLike, strata: npt.ArrayLike) -> WithinStrata:
    """Measure what inputs that move inside the strata of a score do to their means.

    Parameters
    ----------
    reference, current : float array, shape (n_places, 2)
        Rows and sum of a label that is 0 or 1 at each place of the score.
    strata : int array, shape (n_places,)
        The stratum of each place.

    Returns
    -------
    WithinStrata
        Without a shift where nothing is shared.

    Examples
    --------
    A stratum of two places with shares of 0.2 and 0.4; now three rows of four are at the second.

    >>> found = within_strata([[100, 20], [100, 40]], [[10, 2], [30, 12]], [0, 0])
    >>> found.shift.round(2).tolist(), found.inflation.round(2).tolist()
    ([0.05], [1.25])
    """
    a, b, group = np.asarray(reference, np.float64), np.asarray(current, np.float64), np.asarray(strata)
    size = int(group.max()) + 1
    rows = np.bincount(group, a[:, 0], size)
    now = np.where(a[:, 0] > 0, b[:, 0], 0.0)
    total = np.bincount(group, now, size)
    there = total > 0
    share = np.divide(now, total[group], out=np.zeros(len(a)), where=there[group])
    mean = np.divide(a[:, 1], a[:, 0], out=np.zeros(len(a)), where=a[:, 0] > 0)
    inverse = np.divide(share**2, a[:, 0], out=np.zeros(len(a)), where=a[:, 0] > 0)
    before = np.divide(np.bincount(group, a[:, 1], size), rows, out=np.zeros(size), where=rows > 0)
    return WithinStrata(
        np.where(there, np.bincount(group, share * mean, size) - before, 0.0),
        np.where(there, np.bincount(group, inverse, size) * rows, 1.0),
    )


def standardised(
    reference: npt.ArrayLike, current: npt.ArrayLike, within: WithinStrata | None = None
) -> tuple[FloatArray, FloatArray]:
    """Return moments by bin of a reference that has, inside each bin, the current strata: direct standardisation.

    Labels in a bin of one feature change when another feature moves that says more of them. Held against a reference
    with as many rows of each stratum of the score, they do so only as far as the score does not know.

    Parameters
    ----------
    reference, current : float array, shape (n_bins, n_strata, 3)
        Rows, sum and sum of squares, of a label that is 0 or 1.
    within : WithinStrata, optional
        Of all bins together. What the bins show in the same direction is left out of it: a feature that the score
        depends on moves inside a stratum as the score does, and that is no news.

    Returns
    -------
    reference, current : float ndarray, shape (n_bins, 3)
        As `conditional_shift` takes them. Of the current rows those in cells that the reference has too; of the
        reference as many as have a mean that is as steady: Kish's effective rows [1]_ of weighted strata.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    References
    ----------
    .. [1] Kish, L. (1965). Survey Sampling. Wiley.

    Examples
    --------
    The score's strata have shares of 0.1 and 0.5 on both sides; in the current rows the second is more frequent.

    >>> before, after = [[[100, 10, 10], [100, 50, 50]]], [[[20, 2, 2], [80, 40, 40]]]
    >>> a, b = standardised(before, after)
    >>> a.round(1).tolist(), b.tolist()
    ([[147.1, 61.8, 61.8]], [[100.0, 42.0, 42.0]])
    """
    a, b = np.asarray(reference, np.float64), np.asarray(current, np.float64)
    if a.ndim != 3 or a.shape[2] != 3 or a.shape != b.shape:
        raise ValueError(
            f"`reference` of shape {a.shape} and `current` of shape {b.shape} must be rows, sums and squares by bin "
            "and stratum"
        )
    shared = (a[..., 0] > 0) & (b[..., 0] > 0)
    kept = np.where(shared[..., np.newaxis], b, 0.0).sum(axis=1)
    some = kept[:, :1] > 0
    weight = np.divide(b[..., 0], kept[:, :1], out=np.zeros(shared.shape), where=shared & some)
    mean = np.divide(a[..., 1], a[..., 0], out=np.zeros(shared.shape), where=shared)
    inverse = np.divide(weight**2, a[..., 0], out=np.zeros(shared.shape), where=shared)
    if within is not None:
        before, after = (_shares_of_bins(np.where(shared, each[..., 0], 0.0)) for each in (a, b))
        by_bins = ((after - before) * mean).sum(axis=0)
        same = np.clip(within.shift, np.minimum(by_bins, 0), np.maximum(by_bins, 0))
        mean, inverse = np.clip(mean + within.shift - same, 0, 1), inverse * within.inflation
    inverse = inverse.sum(axis=1)
    rows = np.divide(1.0, inverse, out=np.zeros(len(a)), where=some[:, 0])
    total = rows * (weight * mean).sum(axis=1)
    return np.stack([rows, total, total], axis=-1), kept


def _shares_of_bins(rows: FloatArray) -> FloatArray:
    """Return the share of each bin, the first axis, in its stratum."""
    total = rows.sum(axis=0)
    shares: FloatArray = np.divide(rows, total, out=np.zeros(rows.shape), where=total > 0)
    return shares


def _variance(moments: FloatArray) -> FloatArray:
    """Return the variance of the rows of each bin, 0 without rows."""
    rows = moments[..., 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        deviance = moments[..., 2] - moments[..., 1] ** 2 / rows
        # Of a constant, rounding alone would leave a variance a little above or below 0.
        deviance = np.where(deviance > 1e-12 * moments[..., 2], deviance, 0.0)
        found: FloatArray = np.where(rows > 0, deviance / rows, 0.0)
    return found


def _freedom(between: FloatArray, windows: int) -> FloatArray:
    return np.where(between > 0, max(windows - 1.0, 1.0), np.inf)


def _two_sided(z: FloatArray, freedom: FloatArray) -> FloatArray:
    from scipy.special import ndtr, stdtr

    found: FloatArray = 2 * np.where(
        np.isinf(freedom), ndtr(-np.abs(z)), stdtr(np.where(np.isinf(freedom), 1.0, freedom), -np.abs(z))
    )
    return found


def _or_zero(value: float) -> float:
    return 0.0 if math.isnan(value) else float(value)
