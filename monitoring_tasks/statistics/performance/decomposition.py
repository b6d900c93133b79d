"""Why performance moved: the part of the inputs and that of the relation between inputs and outcomes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

from monitoring_tasks.statistics.histogram import FloatArray, IntArray
from monitoring_tasks.statistics.intervals import Z
from monitoring_tasks.statistics.performance.outcomes import Outcomes
from monitoring_tasks.statistics.performance.reweighting import cell_means

Metric = Callable[[Outcomes], FloatArray]
"""A metric of outcomes, vectorised over their leading axes; NaN where it is not defined."""

STEP = 1e-4
"""Part of its rows by which a cell is made larger and smaller to see what the metric does."""

FEWEST = 20
"""Rows of each label that either side must have for standard errors to be told.

They are estimated of these rows, and by luck are far too small together with a value that is far off: without change,
500 rows beside 20,000, intervals of the relation's part of ROC AUC held 0 in 52 % of the windows with 2 positive rows
on average, in 76 and 87 % of those with 4 and 8, and in 94 % of those with 20.
"""

FEWEST_FREEDOM = 4.0
"""Degrees of freedom that the metric's own variance must have on either side: of two rows wrong. Where all rows are
right nothing is known of how often one is not."""

NOTHING = 1e-12
"""Part of the metric's values below which a part of its change is rounding, and 0. Sums of some hundred terms leave
1e-16 to 1e-15 of them."""

NO_VARIANCE = 1e-16
"""The same of a part's variance beside that of the change: its standard error is a hundred-millionth. Rounding of the
numeric slopes, of steps of 1e-4, was seen to leave ten-billionths."""

FEWEST_OF_ALL = 2.0
"""Degrees of freedom of a variance of whole rows at least: ``2 (sum n h^2)^2 / sum n h^4`` with n of 1 or more."""

STRATA = 20
"""Strata of the propensity: five already leave only a tenth of the bias (Rosenbaum & Rubin, 1984)."""

AT_ONCE = 2_000_000
"""Cells of tables that are held at once: 16 MB, and as much again for every sum."""

SQUARES = {
    "log_loss": "log_loss_squares",
    "brier": "brier_squares",
    "error": "error_squares",
    "absolute_error": "error_squares",
    "percentage_error": "percentage_error_squares",
    "label": "label_squares",
}
"""Sum of the squares of what each sum is of: how much rows of one cell differ."""

PARTS = np.array(
    [
        [-1, 0, 0, 0, 0, 1],  # change
        [0, -0.5, 0.5, -0.5, 0.5, 0],  # inputs
        [0, -0.5, -0.5, 0.5, 0.5, 0],  # relation
        [-1, 1, 0, 0, -1, 1],  # rest
        [0, 1, -1, -1, 1, 0],  # interaction
    ]
)
"""Each part as a sum of the metric's values of the six tables of `_corners`."""

PRODUCTS = np.array([0, 1, 0, 0, 1])
"""Parts that are a difference of shares times outcomes.

The observed difference has its noise already, and the variance of outcomes that it is multiplied with would count that
noise once more: of inputs that had not moved, 3000 and 1000 rows in 8 bins, standard errors were 6 to 11 % too large.
"""


@dataclass(frozen=True)
class Part:
    """A part of a change of a metric, in its units."""

    value: float
    lower: float
    """Lower end of the 95 % interval."""
    upper: float
    standard_error: float
    """Of both samples, and of the windows' levels; NaN, as the interval is, where too few rows tell it."""


@dataclass(frozen=True)
class Decomposition:
    """The change of a metric, current minus reference, in parts that add up to it."""

    reference: float
    """The metric of the reference window."""
    current: float
    change: Part
    inputs: Part
    """From the bins' shares: what the change would be had only the inputs moved (covariate shift)."""
    relation: Part
    """From the outcomes within the bins: what it would be had only P(outcome | inputs) changed (concept shift)."""
    rest: Part
    """What cannot be split: rows in bins that only one side has. 0 where there are none."""
    interaction: Part
    """By how much the inputs' part is larger at the current relation than at the reference's, and the relation's at the
    current inputs than at the reference's. Half of it is in either part."""
    shared: float
    """Share of the rows, of the side where it is smaller, that lie in bins with rows on both sides."""


def decompose(
    metric: Metric,
    reference: Outcomes,
    current: Outcomes,
    *,
    levels: float = 0.0,
    levels_freedom: float = math.inf,
) -> Decomposition:
    """Split the change of a metric into that of the inputs and that of the relation.

    The method is Kitagawa's [1]_, known in economics as Oaxaca and Blinder's. With the rows of one side in the bins and
    the outcomes of the other within them, there are four tables, and the metric of each; the inputs' part is the mean
    of the two steps that change the rows, the relation's that of the two that change the outcomes. The mean over both
    orders is Shapley's value [2]_: no order is preferred, and with the sides exchanged every part changes its sign. The
    metric may be any function of the summed outcomes.

    A bin that only one side has cannot be split, for nobody knows the other side's outcomes there. As Nopo [3]_ does,
    the parts are those of the rows in shared bins, and what the other rows change is the rest.

    Standard errors are those of the influence function, as the infinitesimal jackknife [4]_ has them: every cell of
    either side is a Poisson count, and what a row in it does to a part is differentiated numerically. Intervals have
    Student's quantile, of as many degrees of freedom as the squared error's own variance leaves it (Satterthwaite
    [5]_); of few rows, see `FEWEST`, there are none. Windows of a real model have levels of their own as well, days on
    which all comes out worse: they move the relation, and of the inputs' part at most so much of it as shares have
    moved, for it is the relation's difference between the rows that came and those that went.

    Within a bin the inputs are taken as equal. Bins of one feature leave the shifts of the others to the relation's
    part; bins of the score (see `by_place`) leave it to the calibration alone.

    Parameters
    ----------
    metric : callable
        Takes `Outcomes` with leading axes and returns an array of their shape.
    reference, current : Outcomes
        With one leading axis, the bins: counts of shape (n_bins, n_places, n_predictions, n_labels).
    levels : float
        Standard deviation of the change that the windows' own levels make, in units of the metric. 0 is that of
        independent rows.
    levels_freedom : float
        Degrees of freedom of that deviation.

    Returns
    -------
    Decomposition
        ``inputs + relation + rest`` is the change, to rounding; a part that is rounding alone is 0.

    Raises
    ------
    ValueError
        If the sides do not share bins, places and classes, one has no rows, or they hold scores by class, which are not
        counted by bin.

    References
    ----------
    .. [1] Kitagawa, E. M. (1955). Components of a difference between two rates. JASA, 50(272), 1168-1194.
    .. [2] Shorrocks, A. F. (2013). Decomposition procedures for distributional analysis: a unified framework based on
       the Shapley value. Journal of Economic Inequality, 11(1), 99-126.
    .. [3] Nopo, H. (2008). Matching as a tool to decompose wage gaps. Review of Economics and Statistics, 90(2),
       290-299.
    .. [4] Efron, B. (1982). The Jackknife, the Bootstrap and Other Resampling Plans. SIAM.
    .. [5] Satterthwaite, F. E. (1946). An approximate distribution of estimates of variance components. Biometrics
       Bulletin, 2(6), 110-114.

    Examples
    --------
    Right in 90 % of the rows in the one bin and 50 % in the other, and half of the rows in each; then a quarter in the
    first, and 80 % right there: ``(0.25 - 0.5) (0.9 + 0.8 - 0.5 - 0.5) / 2`` and ``(0.5 + 0.25) / 2 (0.8 - 0.9)``.

    >>> before = np.array([[[[0, 0], [90, 10], [0, 0]]], [[[0, 0], [50, 50], [0, 0]]]])
    >>> after = np.array([[[[0, 0], [40, 10], [0, 0]]], [[[0, 0], [75, 75], [0, 0]]]])
    >>> def accuracy(outcomes):
    ...     return np.trace(outcomes.confusion, axis1=-2, axis2=-1) / outcomes.confusion.sum(axis=(-2, -1))
    >>> parts = decompose(accuracy, Outcomes(before), Outcomes(after))
    >>> [round(part.value, 4) for part in (parts.change, parts.inputs, parts.relation)]
    [-0.125, -0.0875, -0.0375]
    """
    _check(reference, current, levels)
    sides = (_Side.of(reference), _Side.of(current))
    both = (sides[0].rows > 0) & (sides[1].rows > 0)
    corners = _corners(sides, both)
    found = _values(metric, corners, reference)
    values = np.where(PARTS == 0, 0.0, PARTS * found).sum(axis=1)
    size = float(np.abs(found[np.isfinite(found)]).max(initial=0.0))
    values[np.abs(values) < NOTHING * size] = 0.0
    if (found[0], found[5]) == (found[1], found[4]):
        values[3] = 0.0  # where all rows are in shared bins there must be no rest, not even rounding
    variances, freedoms = _sampling(metric, sides, corners, np.isfinite(found), reference)
    if not _enough(reference, current):
        variances[:] = np.nan
    shares = [np.divide(side.rows, side.rows[both].sum()) * both if both.any() else side.rows * 0.0 for side in sides]
    moved = float(np.abs(shares[1] - shares[0]).sum()) / 2
    moved = moved if moved > NOTHING else 0.0
    parts = []
    for value, variance, freedom, level in zip(values, variances, freedoms, (1, moved, 1, 0, 2 * moved), strict=True):
        parts.append(_part(float(value), float(variance), float(freedom), level * levels, levels_freedom))
    change, inputs, relation, rest, interaction = parts
    shared = min(float(side.rows[both].sum() / side.rows.sum()) for side in sides)
    return Decomposition(float(found[0]), float(found[5]), change, inputs, relation, rest, interaction, shared)


def by_place(outcomes: Outcomes) -> Outcomes:
    """Return the outcomes with their places as bins too: for decomposing by the score.

    Parameters
    ----------
    outcomes : Outcomes
        Without leading axes, of a binary model: a place is the bin of the score.

    Returns
    -------
    Outcomes
        With one leading axis of n_places bins, each with rows at its own place only.

    Raises
    ------
    ValueError
        If the outcomes have leading axes.

    Examples
    --------
    >>> by_place(Outcomes(np.array([[[1, 2]], [[3, 4]]]))).counts[:, :, 0].tolist()
    [[[1, 2], [0, 0]], [[0, 0], [3, 4]]]
    """
    if outcomes.counts.ndim != 3:
        raise ValueError(
            f"`outcomes` must have the axes place, prediction and label, not the shape {outcomes.counts.shape}"
        )
    own = np.eye(len(outcomes.counts), dtype=np.int64)[:, :, np.newaxis, np.newaxis]
    return Outcomes(
        counts=own * outcomes.counts,
        sums={name: own * total for name, total in outcomes.sums.items()},
        edges=outcomes.edges,
    )


def by_propensity(
    reference: Outcomes,
    current: Outcomes,
    reference_features: npt.ArrayLike,
    reference_cells: npt.ArrayLike,
    current_features: npt.ArrayLike,
    current_cells: npt.ArrayLike,
) -> tuple[Outcomes, Outcomes]:
    """Return samples of rows with strata of the propensity as bins: for decomposing by all features at once.

    A cross-fitted classifier tells the sides apart, see `propensity_logits`. Rows of equal propensity to be current
    have the same features on both sides, so the bins are strata of it [1]_, of about equally many rows. The intervals
    of `decompose` contain the noise of both sides' inputs, which weighting each row by its density ratio, held fixed,
    would leave out: intervals built so held in 75 % of 40 simulated windows.

    Trees learn a shift of few rows only in part, and a stratum is not quite one propensity: what they miss is in the
    relation's part. Rows in strata that only one side has are the rest.

    Parameters
    ----------
    reference, current : Outcomes
        Of the sampled windows, without leading axes: they give the shape of the tables and the mean of each sum in each
        cell.
    reference_features, current_features : float array, shape (n, n_columns) and (m, n_columns)
        Samples of rows in random order: numbers, NaN where missing, and codes of categories.
    reference_cells, current_cells : int array, shape (n,) and (m,)
        The cell of each row in the flattened table, as of ``np.ravel_multi_index((place, prediction, label), shape)``.

    Returns
    -------
    reference, current : Outcomes
        Of the samples, with one leading axis of at most `STRATA` + 1 strata.

    Raises
    ------
    ValueError
        If the tables or the columns differ, or a row has no cell.

    References
    ----------
    .. [1] Rosenbaum, P. R., & Rubin, D. B. (1984). Reducing bias in observational studies using subclassification on
       the propensity score. JASA, 79(387), 516-524.
    """
    from monitoring_tasks.statistics.multivariate.propensity_score import propensity_logits

    if reference.counts.ndim != 3 or reference.counts.shape != current.counts.shape:
        raise ValueError(
            f"`reference` and `current` must have the axes place, prediction and label of one shape, not "
            f"{reference.counts.shape} and {current.counts.shape}"
        )
    cells = [
        _checked_cells(name, values, features, reference.counts.size)
        for name, values, features in (
            ("reference_cells", reference_cells, reference_features),
            ("current_cells", current_cells, current_features),
        )
    ]
    logits = propensity_logits(reference_features, current_features)
    weight = np.concatenate([np.full(len(side), 1 / len(side)) for side in logits])
    order = np.argsort(np.concatenate(logits), kind="stable")
    reached = np.cumsum(weight[order]) / weight.sum()
    limits = np.concatenate(logits)[order][np.searchsorted(reached, np.arange(1, STRATA) / STRATA)]
    limits = np.unique(limits)
    tables = []
    for side, logit, cell in zip((reference, current), logits, cells, strict=True):
        stratum = np.searchsorted(limits, logit, side="left")
        counts = np.bincount(stratum * side.counts.size + cell, minlength=(limits.size + 1) * side.counts.size)
        counts = counts.reshape(-1, *side.counts.shape)
        tables.append(Outcomes(counts, {name: counts * mean for name, mean in cell_means(side).items()}, side.edges))
    return tables[0], tables[1]


def _checked_cells(name: str, values: npt.ArrayLike, features: npt.ArrayLike, size: int) -> IntArray:
    cells = np.asarray(values)
    if cells.shape != (len(np.asarray(features)),) or not np.issubdtype(cells.dtype, np.integer):
        raise ValueError(f"`{name}` must be one whole number for each row of features, not of shape {cells.shape}")
    if cells.size and not 0 <= cells.min() <= cells.max() < size:
        raise ValueError(f"`{name}` must lie in [0, {size}), not from {cells.min()} to {cells.max()}")
    return cells.astype(np.int64)


@dataclass(frozen=True)
class _Side:
    """The outcomes of one side; every array has the shape (bins, cells)."""

    counts: FloatArray
    rows: FloatArray
    """By bin."""
    means: dict[str, FloatArray]
    """Mean of each sum over the rows of a cell."""
    spreads: dict[str, FloatArray]
    """Its variance from row to row within the cell, where the squares were summed too."""

    @classmethod
    def of(cls, outcomes: Outcomes) -> _Side:
        """Lay out the cells of a bin in a row."""
        bins = len(outcomes.counts)
        counts = np.asarray(outcomes.counts, dtype=np.float64).reshape(bins, -1)
        means = {name: mean.reshape(bins, -1) for name, mean in cell_means(outcomes).items()}
        spreads = {
            name: np.maximum(means[squares] - means[name] ** 2, 0.0)
            for name, squares in SQUARES.items()
            if name in means and squares in means
        }
        return cls(counts, counts.sum(axis=1), means, spreads)


@dataclass(frozen=True)
class _Corner:
    """A table of the outcomes of one side, with the rows of one."""

    inputs: int
    """The side whose rows are in the bins."""
    relation: int
    """The side of the outcomes."""
    factor: FloatArray
    """How many times each bin counts, shape (bins,)."""
    counts: FloatArray
    """Sum over the bins, shape (cells,)."""
    sums: dict[str, FloatArray]
    sizes: dict[str, FloatArray]
    """Of the sums without their signs."""


def _corners(sides: tuple[_Side, _Side], both: NDArray[np.bool_]) -> list[_Corner]:
    """Return six tables.

    The reference with all of its rows; with those in shared bins; the current rows with the reference's outcomes; the
    reference's rows with the current outcomes; the current side in shared bins, and all of it.
    """
    found = []
    for inputs, relation, bins in ((0, 0, None), (0, 0, both), (1, 0, both), (0, 1, both), (1, 1, both), (1, 1, None)):
        side = sides[relation]
        # Exactly 1 where both are of one side, so that its own metric is what it is.
        factor = np.ones(len(both))
        if bins is not None:
            factor = np.divide(sides[inputs].rows, side.rows, out=np.zeros(len(both)), where=bins)
        sums = {name: _added_up(factor, side.counts * mean) for name, mean in side.means.items()}
        sizes = {name: _added_up(factor, side.counts * np.abs(mean)) for name, mean in side.means.items()}
        found.append(_Corner(inputs, relation, factor, _added_up(factor, side.counts), sums, sizes))
    return found


def _added_up(factor: FloatArray, cells: FloatArray) -> FloatArray:
    """Add up the bins, each so many times: in one order, for a matrix product's last bits may differ between runs."""
    total: FloatArray = (factor[:, np.newaxis] * cells).sum(axis=0)
    return total


def _values(metric: Metric, corners: Sequence[_Corner], like: Outcomes) -> FloatArray:
    """Return the metric of each table."""
    shape = (len(corners), *like.counts.shape[1:])
    counts = np.stack([corner.counts for corner in corners]).reshape(shape)
    sums = {name: np.stack([corner.sums[name] for corner in corners]).reshape(shape) for name in like.sums}
    return np.asarray(metric(Outcomes(cast(IntArray, counts), sums, like.edges)), dtype=np.float64)


def _sampling(
    metric: Metric, sides: tuple[_Side, _Side], corners: Sequence[_Corner], known: NDArray[np.bool_], like: Outcomes
) -> tuple[FloatArray, FloatArray]:
    """Return the variance of each part and its degrees of freedom; tables without a metric add nothing.

    The variance is NaN where too few rows tell that of the metric itself on either side.
    """
    # What a row more of a cell does to the metric of each table, and what a unit more of a sum does in one of its rows.
    of_row = np.zeros((2, len(corners), *sides[0].counts.shape))
    of_unit = {name: np.zeros(of_row.shape) for name in sides[0].spreads}
    # Variance within the bins that the noise of their shares adds to that of products, by part and bin.
    added = np.zeros((2, len(PARTS), len(sides[0].rows)))
    noise = sum((_per_row(np.ones(len(side.rows)), side.rows) for side in sides), np.zeros(len(sides[0].rows)))
    for number, (by_count, by_sum) in enumerate(_slopes_of_corners(metric, sides, corners, like)):
        if not known[number]:
            continue
        corner, side = corners[number], sides[corners[number].relation]
        factor = corner.factor[:, np.newaxis]
        slope = by_count + sum((by_sum[name] * side.means[name] for name in by_sum), np.zeros(side.counts.shape))
        for name, each in of_unit.items():
            each[corner.relation, number] = factor * by_sum[name]
        of_row[corner.relation, number] += factor * slope
        if number in (0, len(corners) - 1):
            continue
        # A row more of the outcomes' side makes those of its bin count less, one of the rows' side makes them more.
        mean = _per_row((side.counts * slope).sum(axis=1), side.rows)[:, np.newaxis]
        of_row[corner.relation, number] -= factor * mean
        of_row[corner.inputs, number] += np.where(factor > 0, mean, 0.0)
        if corner.inputs != corner.relation:
            within = (side.counts * (slope - mean) ** 2).sum(axis=1)
            for name in of_unit:
                within += (side.counts * side.spreads[name] * by_sum[name] ** 2).sum(axis=1)
            shares = (PARTS[:, number] * PRODUCTS) ** 2
            added[corner.relation] += np.outer(shares, corner.factor**2 * noise * within)
    variance, fourth, told = np.zeros(len(PARTS)), np.zeros(len(PARTS)), True
    for side, its_row, its_added, number in zip(sides, of_row, added, (0, 1), strict=True):
        influence = np.einsum("pt,tbc->pbc", PARTS, its_row)
        whole = (side.counts * influence**2).sum(axis=2)
        for name, each in of_unit.items():
            whole += (side.counts * side.spreads[name] * np.einsum("pt,tbc->pbc", PARTS, each[number]) ** 2).sum(axis=2)
        between = side.rows * _per_row((side.counts * influence).sum(axis=2), side.rows) ** 2
        variance += between.sum(axis=1) + np.maximum((whole - between - its_added).sum(axis=1), 0.0)
        its_fourth = (side.counts * influence**4).sum(axis=(1, 2))
        fourth += its_fourth
        of_change = float(whole[0].sum())
        told &= of_change > 0 and 2 * of_change**2 >= FEWEST_FREEDOM * its_fourth[0]
    # A part that is 0 by its nature, as the inputs' is where all rows are in one bin, has the rounding of slopes that
    # cancel: a standard error of a hundred-millionth of the change's is none.
    variance[variance < NO_VARIANCE * variance[0]] = 0.0
    some = (variance > 0) & (fourth > 0)
    freedom = np.divide(2 * variance**2, fourth, out=np.full(len(PARTS), np.inf), where=some)
    # No cell has less than one row, so what all cells say is at least of two. Less comes of what was taken off the
    # variance and not of the fourth powers, and Student's quantile of next to no freedom has a hundred digits.
    freedom = np.maximum(freedom, FEWEST_OF_ALL)
    return variance if told else np.full(len(PARTS), np.nan), freedom


def _per_row(total: FloatArray, rows: FloatArray) -> FloatArray:
    """Divide by the rows of each bin, 0 where there are none."""
    quotient: FloatArray = np.divide(total, rows, out=np.zeros(total.shape), where=rows > 0)
    return quotient


def _slopes_of_corners(
    metric: Metric, sides: tuple[_Side, _Side], corners: Sequence[_Corner], like: Outcomes
) -> list[tuple[FloatArray, dict[str, FloatArray]]]:
    """Return `_slopes` of each table; where all rows lie in shared bins the outer ones are their neighbours."""
    if all(np.array_equal(corners[place].factor > 0, side.rows > 0) for place, side in zip((1, 4), sides, strict=True)):
        inner = [_slopes(metric, corner, like) for corner in corners[1:-1]]
        return [inner[0], *inner, inner[-1]]
    return [_slopes(metric, corner, like) for corner in corners]


def _slopes(metric: Metric, corner: _Corner, like: Outcomes) -> tuple[FloatArray, dict[str, FloatArray]]:
    """Return what a row more in each cell does to the metric of a table, and a unit more of each sum."""
    some = np.flatnonzero(corner.counts)

    def slope(name: str, step: FloatArray) -> FloatArray:
        found = np.zeros(corner.counts.shape)
        each = max(1, AT_ONCE // (2 * corner.counts.size))
        for places in (some[first : first + each] for first in range(0, some.size, each)):
            tables = np.repeat((corner.sums[name] if name else corner.counts)[np.newaxis], 2 * places.size, axis=0)
            tables = tables.reshape(2, places.size, -1)
            tables[0, np.arange(places.size), places] += step[places]
            tables[1, np.arange(places.size), places] -= step[places]
            shape = (2, places.size, *like.counts.shape[1:])
            sums = {
                other: np.broadcast_to(total.reshape(like.counts.shape[1:]), shape)
                for other, total in corner.sums.items()
            }
            counts = np.broadcast_to(corner.counts.reshape(like.counts.shape[1:]), shape)
            if name:
                sums[name] = tables.reshape(shape)
            else:
                counts = tables.reshape(shape)
            up, down = metric(Outcomes(cast(IntArray, counts), sums, like.edges))
            found[places] = np.divide(up - down, 2 * step[places], out=np.zeros(places.size), where=step[places] > 0)
        return found

    return slope("", STEP * corner.counts), {name: slope(name, STEP * size) for name, size in corner.sizes.items()}


def _enough(reference: Outcomes, current: Outcomes) -> bool:
    """Tell whether either side has enough rows of every label that occurs."""
    rows = np.stack([side.counts.sum(axis=(0, 1, 2)) for side in (reference, current)])
    occurs = rows.any(axis=0)
    return rows.shape[1] == 1 or bool((rows[:, occurs] >= FEWEST).all())


def _part(value: float, variance: float, freedom: float, level: float, levels_freedom: float) -> Part:
    """Return a part with its interval."""
    if math.isnan(value) or math.isnan(variance):
        return Part(value, math.nan, math.nan, math.nan)
    error = math.hypot(math.sqrt(variance), level)
    uncertain = variance**2 / freedom + level**4 / levels_freedom
    quantile = student_quantile(error**4 / uncertain if uncertain > 0 else math.inf)
    return Part(value, value - quantile * error, value + quantile * error, error)


def student_quantile(freedom: float) -> float:
    """Return the 97.5 % quantile of Student's distribution.

    Examples
    --------
    >>> round(student_quantile(10.0), 3), round(student_quantile(math.inf), 3)
    (2.228, 1.96)
    """
    from scipy.special import stdtrit

    return Z if math.isinf(freedom) else float(stdtrit(freedom, 0.975))


def _check(reference: Outcomes, current: Outcomes, levels: float) -> None:
    a, b = reference.counts, current.counts
    if a.ndim != 4 or a.shape != b.shape or not np.array_equal(reference.edges, current.edges):
        raise ValueError(
            f"`reference` of shape {a.shape} and `current` of shape {b.shape} must have the axes bin, place, "
            "prediction and label, and be on the same bins"
        )
    for name, side in (("reference", reference), ("current", current)):
        if side.class_scores is not None:
            raise ValueError(f"`{name}` has scores by class, which are not counted by bin: leave `class_scores` out")
        if side.counts.sum() == 0:
            raise ValueError(f"`{name}` has no rows: there is no performance to compare")
    if not levels >= 0:
        raise ValueError(f"`levels` must be at least 0, not {levels:g}: 0 is that of independent rows")
