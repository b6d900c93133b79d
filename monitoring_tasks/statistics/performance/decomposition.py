"""Why performance moved: the part of the inputs and that of the relation between inputs and outcomes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from monitoring_tasks.statistics.bayesian_bootstrap import bayesian_bootstrap
from monitoring_tasks.statistics.histogram import FloatArray, IntArray
from monitoring_tasks.statistics.intervals import Z
from monitoring_tasks.statistics.performance.outcomes import Outcomes
from monitoring_tasks.statistics.performance.reweighting import CLASS_VARIANCE, cell_means

Metric = Callable[[Outcomes], FloatArray]
"""A metric of outcomes, vectorised over their leading axes; NaN where it is not defined."""

STEP = 0.3
"""Draws go only this part of a standard deviation away from the counts, and are scaled up: the infinitesimal jackknife
in random directions.

The inputs' part is a product of a difference of shares and of outcomes, either with noise. The observed product has the
noise of both already, and full draws add it once more: of inputs that had not moved, 1000 rows in 8 bins, standard
errors were 12 % too large (1500 simulated windows), with small steps they are 4 to 8 %.
"""

STRATA = 20
"""Strata of the propensity: five already leave only a tenth of the bias (Rosenbaum & Rubin, 1984)."""

AT_ONCE = 2_000_000
"""Cells of drawn tables that are held at once: 16 MB, and as much again for every sum."""


@dataclass(frozen=True)
class Part:
    """A part of a change of a metric, in its units."""

    value: float
    lower: float
    """Lower end of the 95 % interval."""
    upper: float
    standard_error: float
    """Of both samples; NaN, as the interval is, where the metric is not defined in most of the draws."""


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
    rng: np.random.Generator,
    draws: int = 200,
    dispersion: float = 1.0,
) -> Decomposition:
    """Split the change of a metric into that of the inputs and that of the relation.

    The method is Kitagawa's [1]_, known in economics as Oaxaca and Blinder's. With the rows of one side in the bins and
    the outcomes of the other within them, there are four tables, and the metric of each; the inputs' part is the mean
    of the two steps that change the rows, the relation's that of the two that change the outcomes. The mean over both
    orders is Shapley's value [2]_: no order is preferred, and with the sides exchanged every part changes its sign. The
    metric may be any function of the summed outcomes.

    A bin that only one side has cannot be split, for nobody knows the other side's outcomes there. As Nopo [3]_ does,
    the parts are those of the rows in shared bins, and what the other rows change is the rest.

    Both samples are redrawn by the Bayesian bootstrap over the cells of their tables, in small steps, see `STEP`. The
    intervals are normal ones.

    Within a bin the inputs are taken as equal. Bins of one feature leave the shifts of the others to the relation's
    part; bins of the score (see `by_place`) leave it to the calibration alone.

    Parameters
    ----------
    metric : callable
        Takes `Outcomes` with leading axes and returns an array of their shape.
    reference, current : Outcomes
        With one leading axis, the bins: counts of shape (n_bins, n_places, n_predictions, n_labels).
    rng : Generator
        Source of the draws.
    draws : int
        Number of redrawn tables; 200 leave the standard errors uncertain by 5 %.
    dispersion : float
        At least 1; inflates the squared standard errors: windows of a real model vary by so much more than independent
        rows.

    Returns
    -------
    Decomposition
        ``inputs + relation + rest`` is the change, to rounding.

    Raises
    ------
    ValueError
        If the sides do not share bins, places and classes, or one has no rows.

    References
    ----------
    .. [1] Kitagawa, E. M. (1955). Components of a difference between two rates. JASA, 50(272), 1168-1194.
    .. [2] Shorrocks, A. F. (2013). Decomposition procedures for distributional analysis: a unified framework based on
       the Shapley value. Journal of Economic Inequality, 11(1), 99-126.
    .. [3] Nopo, H. (2008). Matching as a tool to decompose wage gaps. Review of Economics and Statistics, 90(2),
       290-299.

    Examples
    --------
    Right in 90 % of the rows in the one bin and 50 % in the other, and half of the rows in each; then a quarter in the
    first, and 80 % right there: ``(0.25 - 0.5) (0.9 + 0.8 - 0.5 - 0.5) / 2`` and ``(0.5 + 0.25) / 2 (0.8 - 0.9)``.

    >>> before = np.array([[[[0, 0], [90, 10], [0, 0]]], [[[0, 0], [50, 50], [0, 0]]]])
    >>> after = np.array([[[[0, 0], [40, 10], [0, 0]]], [[[0, 0], [75, 75], [0, 0]]]])
    >>> def accuracy(outcomes):
    ...     return np.trace(outcomes.confusion, axis1=-2, axis2=-1) / outcomes.confusion.sum(axis=(-2, -1))
    >>> parts = decompose(accuracy, Outcomes(before), Outcomes(after), rng=np.random.default_rng(1))
    >>> [round(part.value, 4) for part in (parts.change, parts.inputs, parts.relation)]
    [-0.125, -0.0875, -0.0375]
    """
    _check(reference, current, dispersion)
    found = _corners(metric, _Tables.of(reference), _Tables.of(current), reference)[:, 0]
    before, after = (_row_counts(side) for side in (reference, current))
    both = (before > 0) & (after > 0)
    size = max(reference.counts.size, current.counts.size)
    drawn = []
    for first in range(0, draws, max(1, AT_ONCE // size)):
        count = min(max(1, AT_ONCE // size), draws - first)
        redrawn = [_Tables.drawn(side, count, rng) for side in (reference, current)]
        drawn.append(_corners(metric, redrawn[0], redrawn[1], reference))
    shared = min(float(rows[both].sum() / rows.sum()) for rows in (before, after))
    return _decomposition(found, np.concatenate(drawn, axis=1), dispersion, shared)


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


def joint_decomposition(
    metric: Metric,
    reference: Outcomes,
    current: Outcomes,
    reference_features: npt.ArrayLike,
    reference_cells: npt.ArrayLike,
    current_features: npt.ArrayLike,
    current_cells: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    draws: int = 200,
    dispersion: float = 1.0,
) -> Decomposition:
    """Split the change of a metric by all features at once, from samples of rows.

    A cross-fitted classifier tells the sides apart, see `propensity_logits`. Rows of equal propensity to be current
    have the same features on both sides, so the bins are strata of it [1]_, of about equally many rows, and the rest is
    `decompose`. The intervals contain the noise of both sides' inputs, which weighting each row by its density ratio,
    held fixed, would leave out: intervals built so held in 75 % of 40 simulated windows.

    Trees learn a shift of few rows only in part, and a stratum is not quite one propensity: what they miss is in the
    relation's part. Rows in strata that only one side has are the rest.

    Parameters
    ----------
    metric : callable
        As in `decompose`.
    reference, current : Outcomes
        Of the sampled windows, without leading axes: they give the shape of the tables and the mean of each sum in each
        cell.
    reference_features, current_features : float array, shape (n, n_columns) and (m, n_columns)
        Samples of rows in random order: numbers, NaN where missing, and codes of categories.
    reference_cells, current_cells : int array, shape (n,) and (m,)
        The cell of each row in the flattened table, as of ``np.ravel_multi_index((place, prediction, label), shape)``.
    rng, draws, dispersion
        As in `decompose`.

    Returns
    -------
    Decomposition
        Of the samples.

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

    if reference.counts.ndim != 3 or reference.counts.shape != current.counts.shape or dispersion < 1:
        raise ValueError(
            f"`reference` and `current` must have the axes place, prediction and label of one shape, not "
            f"{reference.counts.shape} and {current.counts.shape}, and `dispersion` must be at least 1, not "
            f"{dispersion:g}"
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
    return decompose(metric, tables[0], tables[1], rng=rng, draws=draws, dispersion=dispersion)


def _checked_cells(name: str, values: npt.ArrayLike, features: npt.ArrayLike, size: int) -> IntArray:
    cells = np.asarray(values)
    if cells.shape != (len(np.asarray(features)),) or not np.issubdtype(cells.dtype, np.integer):
        raise ValueError(f"`{name}` must be one whole number for each row of features, not of shape {cells.shape}")
    if cells.size and not 0 <= cells.min() <= cells.max() < size:
        raise ValueError(f"`{name}` must lie in [0, {size}), not from {cells.min()} to {cells.max()}")
    return cells.astype(np.int64)


@dataclass(frozen=True)
class _Tables:
    """Tables of one side, many draws at once; each array has the axes draw, bin and cell."""

    counts: FloatArray
    sums: dict[str, FloatArray]
    class_scores: FloatArray | None
    """With the axes draw, bin, class and cell."""

    @classmethod
    def of(cls, outcomes: Outcomes) -> _Tables:
        """Return the table itself as the only draw."""
        bins = len(outcomes.counts)
        scores = outcomes.class_scores
        return cls(
            np.asarray(outcomes.counts, dtype=np.float64).reshape(1, bins, -1),
            {name: np.asarray(total, dtype=np.float64).reshape(1, bins, -1) for name, total in outcomes.sums.items()},
            None if scores is None else scores.astype(np.float64).reshape(1, bins, scores.shape[1], -1),
        )

    @classmethod
    def drawn(cls, outcomes: Outcomes, draws: int, rng: np.random.Generator) -> _Tables:
        """Return so many redrawn tables; those of the class scores are redrawn on their own."""
        bins = len(outcomes.counts)
        counts = _near(outcomes.counts, draws, rng).reshape(draws, bins, -1)
        means = {name: mean.reshape(1, bins, -1) for name, mean in cell_means(outcomes).items()}
        scores = None
        if outcomes.class_scores is not None:
            classes = outcomes.class_scores.shape[1]
            original = outcomes.class_scores.reshape(bins, classes, -1).sum(axis=2, dtype=np.float64)
            scores = _near(outcomes.class_scores, draws, rng, CLASS_VARIANCE).reshape(draws, bins, classes, -1)
            # Every row has a score of every class: a bin's rows are as many as its redrawn counts say.
            rows = _row_counts(outcomes)
            grown = np.divide(counts.sum(axis=2), rows, out=np.zeros((draws, bins)), where=rows > 0)
            total = scores.sum(axis=3)
            factor = np.divide(grown[:, :, np.newaxis] * original, total, out=np.zeros(total.shape), where=total > 0)
            scores = scores * factor[..., np.newaxis]
        return cls(counts, {name: counts * mean for name, mean in means.items()}, scores)


def _corners(metric: Metric, before: _Tables, after: _Tables, like: Outcomes) -> FloatArray:
    """Return the metric of six tables, for every draw: shape (6, draws).

    Of the reference with all of its rows; with those in shared bins; of the current rows with the reference's outcomes;
    of the reference's rows with the current outcomes; of the current side in shared bins, and of all of it.
    """
    sides = (before, after)
    rows = [side.counts.sum(axis=2) for side in sides]
    both = (rows[0] > 0) & (rows[1] > 0)
    found = [metric(_summed(before, np.ones(rows[0].shape), like))]
    for inputs, relation in ((0, 0), (1, 0), (0, 1), (1, 1)):
        # Exactly 1 where both are of one side, so that its own metric is what it is.
        factor = np.divide(rows[inputs], rows[relation], out=np.zeros(rows[0].shape), where=both)
        found.append(metric(_summed(sides[relation], factor, like)))
    found.append(metric(_summed(after, np.ones(rows[1].shape), like)))
    return np.stack([np.asarray(one, dtype=np.float64) for one in found])


def _summed(side: _Tables, factor: FloatArray, like: Outcomes) -> Outcomes:
    """Return the sum over the bins, each so many times."""
    draws = len(factor)
    shape = (draws, *like.counts.shape[1:])

    def added(values: FloatArray) -> FloatArray:
        return (factor[:, np.newaxis, :] @ values).reshape(shape)

    scores = None
    if side.class_scores is not None and like.class_scores is not None:
        scores = np.einsum("db,dbkc->dkc", factor, side.class_scores)
        scores = scores.reshape(draws, *like.class_scores.shape[1:])
    return Outcomes(
        counts=cast(IntArray, added(side.counts)),
        sums={name: added(total) for name, total in side.sums.items()},
        edges=like.edges,
        class_scores=cast("IntArray | None", scores),
    )


def _decomposition(found: FloatArray, drawn: FloatArray, dispersion: float, shared: float) -> Decomposition:
    values = _parts(found)
    parts = []
    for value, each in zip(values, _parts(drawn), strict=True):
        known = each[np.isfinite(each)]
        error = float(np.std(known, ddof=1) / STEP * np.sqrt(dispersion)) if known.size > each.size / 2 > 1 else np.nan
        parts.append(Part(float(value), float(value) - Z * error, float(value) + Z * error, error))
    change, inputs, relation, rest, interaction = parts
    return Decomposition(float(found[0]), float(found[5]), change, inputs, relation, rest, interaction, shared)


def _parts(corners: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return change, inputs, relation, rest and interaction."""
    all_before, before, moved, changed, after, all_after = corners
    change = all_after - all_before
    inputs = ((moved - before) + (after - changed)) / 2
    relation = ((changed - before) + (after - moved)) / 2
    # Where all rows are in shared bins there must be no rest, not even rounding.
    outside = np.where((all_before == before) & (all_after == after), 0.0, change - inputs - relation)
    return change, inputs, relation, outside, (after - changed) - (moved - before)


def _near(rows: npt.ArrayLike, draws: int, rng: np.random.Generator, variance: float = 1.0) -> FloatArray:
    """Return redrawn counts whose deviations are `STEP` times as large as those of another sample."""
    mean = np.asarray(rows, dtype=np.float64)
    return bayesian_bootstrap(mean, squares=STEP**2 * variance * mean, draws=draws, rng=rng)


def _row_counts(outcomes: Outcomes) -> FloatArray:
    rows: FloatArray = np.asarray(outcomes.counts, dtype=np.float64).sum(axis=(1, 2, 3))
    return rows


def _check(reference: Outcomes, current: Outcomes, dispersion: float) -> None:
    a, b = reference.counts, current.counts
    if a.ndim != 4 or a.shape != b.shape or not np.array_equal(reference.edges, current.edges):
        raise ValueError(
            f"`reference` of shape {a.shape} and `current` of shape {b.shape} must have the axes bin, place, "
            "prediction and label, and be on the same bins"
        )
    for name, side in (("reference", a), ("current", b)):
        if side.sum() == 0:
            raise ValueError(f"`{name}` has no rows: there is no performance to compare")
    if not dispersion >= 1:
        raise ValueError(f"`dispersion` must be at least 1, not {dispersion:g}: 1 is that of independent rows")
