"""Performance without labels: the outcomes that a window may expect, from what the baseline's labels have shown."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from monitoring_tasks.statistics.bayesian_bootstrap import bayesian_bootstrap
from monitoring_tasks.statistics.histogram import FloatArray
from monitoring_tasks.statistics.intervals import Z
from monitoring_tasks.statistics.performance.calibration_map import (
    SMALLEST,
    Calibration,
    Redrawn,
    RedrawnClasses,
    label_shares,
    redraw,
)
from monitoring_tasks.statistics.performance.outcomes import Outcomes
from monitoring_tasks.statistics.performance.reweighting import CLASS_VARIANCE, reweighted

Metric = Callable[[Outcomes], FloatArray]
"""A metric of outcomes, vectorised over their leading axes; NaN where it is not defined."""

Target = Literal["labels", "population"]
"""What an interval is to hold: the metric that this window's labels will show, or that of endless rows like it."""

RAKES = 30
"""Rounds of raking the expected confusion; its margins are then met within about one in a thousand rows."""


@dataclass(frozen=True, eq=False)
class Expectation:
    """What a window without labels may expect: drawn once, and then any number of metrics are taken of it."""

    expected: Outcomes
    """The outcomes that are likely, see `expected_outcomes`."""
    drawn: Outcomes
    """Outcomes as they may come, with one leading axis of draws."""


@dataclass(frozen=True)
class EstimatedPerformance:
    """A metric that was estimated without labels; value and interval lie within the bounds that were given for it."""

    value: float
    lower: float
    """Lower end of the 95 % interval."""
    upper: float
    standard_error: float
    """Of sampling and of the calibration, with the variance between windows."""


def expected_outcomes(
    calibration: Calibration, counts: npt.ArrayLike, class_scores: npt.ArrayLike | None = None
) -> Outcomes:
    """Return the outcomes that a window without labels may expect: confidence-based performance estimation [1]_.

    A row counts as each label as much as that is likely. Any metric can then be taken. Sums are those of the baseline's
    rows with the same place, prediction and label; where it has none, of a row with the cell's mean score.

    Of a multiclass model with class scores, the share of right predictions of each class is that of as many rows with
    the highest scores of the class, calibrated, and corrected by the odds with which that was right or wrong of the
    baseline. Wrong ones are spread as the baseline's, raked [2]_ to the labels that the calibrated scores expect. A
    class without a score is expected as often as the baseline's predictions were of it. Log loss and Brier score are
    larger or smaller than those of the cells as the scores say that the window has.

    Parameters
    ----------
    calibration : Calibration
        See `fit_calibration`.
    counts : int array, shape (..., n_places, n_predictions)
        All rows of the window.
    class_scores : int array, shape (..., n_classes, n_bins), optional
        Multiclass: rows by class and bin of that class's score.

    Returns
    -------
    Outcomes
        With fractions of rows.

    Raises
    ------
    ValueError
        If the counts are not on the calibration's places and predictions.

    References
    ----------
    .. [1] Bialek, J., Kivimaki, J., Kuberski, W., & Perrakis, N. (2024). Estimating model performance under covariate
       shift without labels. arXiv:2401.08348.
    .. [2] Deming, W. E., & Stephan, F. F. (1940). On a least squares adjustment of a sampled frequency table when the
       expected marginal totals are known. Annals of Mathematical Statistics, 11(4), 427-444.

    Examples
    --------
    >>> from monitoring_tasks.statistics.performance.calibration_map import fit_calibration
    >>> counts = np.zeros((5, 3, 2), dtype=np.int64)
    >>> counts[2, 1], counts[3, 2] = (900, 100), (400, 600)
    >>> fitted = fit_calibration(Outcomes(counts, edges=np.array([0.0, 0.5, 1.0])))
    >>> window = np.zeros((5, 3), dtype=np.int64)
    >>> window[2, 1], window[3, 2] = 50, 200
    >>> expected_outcomes(fitted, window).confusion
    array([[ 45.,   5.],
           [ 80., 120.]])
    """
    rows, scores = _checked_window(calibration, counts, class_scores)
    if scores is None or calibration.class_probability is None or calibration.class_rows is None:
        return reweighted(_unit(calibration), rows[..., np.newaxis] * calibration.probability)
    fitted = calibration.class_probability
    its = RedrawnClasses(calibration.class_rows.sum(axis=-1), fitted, fitted)
    expected = _expected_confusion(rows, scores, calibration.rows, its)
    labels = scores * calibration.class_probability
    found = reweighted(_unit(calibration), expected, np.stack([scores - labels, labels], axis=-1))
    return _with_losses(found, _loss_ratios(calibration, expected, scores, calibration.rows, its))


def expectation(
    calibration: Calibration,
    counts: npt.ArrayLike,
    class_scores: npt.ArrayLike | None = None,
    *,
    rng: np.random.Generator,
    draws: int = 500,
    target: Target = "labels",
    redrawn: Redrawn | None = None,
) -> Expectation:
    """Return what a window without labels may expect, for as many metrics as are wanted, see `estimated`.

    The draws join two errors. The calibration's: the baseline's weighted counts are redrawn by the Bayesian bootstrap
    with their effective rows, and the calibration is fitted again, always by isotonic regression. The window's: labels
    are drawn by their probabilities, or the window's rows are redrawn, see `target`. Neither knows of a change of
    P(label | inputs).

    Measured, how often the interval holds what the labels show, of 250 to 1000 simulated windows each: accuracy, ROC
    AUC and Brier score of a score that is too sure, in 20 bins; of three classes accuracy and mean ROC AUC.

    ======================================== ====================
    baseline, window                         in the interval
    ======================================== ====================
    1000, 1000                               93.8, 92.5, 92.4 %
    4000, 800                                93.8, 94.8, 95.2 %
    4000, 800, the score right               98.0, 96.7, 96.3 %
    4000, 800, three classes                 96.4, 97.6 %
    6000, 1000, inputs moved                 3.7, 11.7, 0.0 %
    ======================================== ====================

    In the last, P(label) at a score is another than the baseline's, as a feature that the score does not know has
    moved: `shift_correction` is for that. A small baseline makes the AUC of a calibrated score a little too high, as
    steps fitted to noise rank the noise too: by 0.003 with 1000 rows, 0.001 with 4000.

    Parameters
    ----------
    calibration, counts, class_scores
        As in `expected_outcomes`; one window, without leading axes.
    rng : Generator
        Source of the draws.
    draws : int
        Number of redrawn tables.
    target : "labels" or "population"
        Whether an interval is to hold the metric that the window's own labels will show, or that of endless rows of
        which the window is a sample.
    redrawn : Redrawn, optional
        What `redraw` returned for this calibration, where many windows share it; else it is drawn here.

    Returns
    -------
    Expectation

    Raises
    ------
    ValueError
        If the counts do not fit or are no whole numbers.

    Examples
    --------
    >>> from monitoring_tasks.statistics.performance.calibration_map import fit_calibration
    >>> counts = np.zeros((5, 3, 2), dtype=np.int64)
    >>> counts[2, 1], counts[3, 2] = (9000, 1000), (4000, 6000)
    >>> fitted = fit_calibration(Outcomes(counts, edges=np.array([0.0, 0.5, 1.0])))
    >>> window = np.zeros((5, 3), dtype=np.int64)
    >>> window[2, 1], window[3, 2] = 50, 200
    >>> found = expectation(fitted, window, rng=np.random.default_rng(1), draws=100)
    >>> found.expected.confusion.tolist(), found.drawn.counts.shape
    ([[45.0, 5.0], [80.0, 120.0]], (100, 5, 3, 2))
    """
    rows, scores = _checked_window(calibration, counts, class_scores)
    if rows.ndim != 2:
        raise ValueError(f"`counts` must be of one window, with the axes place and prediction, not {rows.shape}")
    fitted = redraw(calibration, rng=rng, draws=draws) if redrawn is None else redrawn
    if fitted.probability.shape != (draws, *calibration.rows.shape):
        raise ValueError(
            f"`redrawn` must have the shape {(draws, *calibration.rows.shape)} of this calibration, not "
            f"{fitted.probability.shape}"
        )
    window = bayesian_bootstrap(rows, draws=draws, rng=rng) if target == "population" else rows
    probability, drawn_scores = fitted.probability, None
    ratios: dict[str, FloatArray] = {}
    if scores is not None and fitted.of_classes is not None:
        seen = bayesian_bootstrap(scores, draws=draws, rng=rng) if target == "population" else scores
        confusion = _expected_confusion(window, seen, fitted.rows, fitted.of_classes)
        probability = label_shares(confusion)
        ratios = _loss_ratios(calibration, confusion, seen, fitted.rows, fitted.of_classes)
        drawn_scores = _drawn_class_scores(fitted.of_classes.scattered, scores, target, rng)
    drawn = drawn_labels(window, probability, target, rng)
    if target == "labels":
        by_chance = rng.standard_normal(draws)
        ratios = {name: each * _spread(calibration, drawn, name, by_chance) for name, each in ratios.items()}
    expected = expected_outcomes(calibration, rows, scores)
    return Expectation(expected, _with_losses(reweighted(_unit(calibration), drawn, drawn_scores), ratios))


def estimated(
    metric: Metric,
    found: Expectation,
    between_variance: float = 0.0,
    *,
    added: float = 0.0,
    bounds: tuple[float, float] = (-math.inf, math.inf),
) -> EstimatedPerformance:
    """Take a metric of what a window may expect, with its 95 % interval.

    Parameters
    ----------
    metric : callable
        Takes `Outcomes` with leading axes and returns an array of their shape.
    found : Expectation
        See `expectation` and `expectation_by_bin`.
    between_variance : float
        Variance of the metric between windows of the baseline beyond sampling, see `between_variance`; NaN is not
        known and taken as 0.
    added : float
        By how much the metric of labels is usually larger than the expected one.
    bounds : (float, float)
        Least and largest value of the metric, within which value and interval are held.

    Returns
    -------
    EstimatedPerformance
        NaN where the metric is not defined.

    Raises
    ------
    ValueError
        If the variance is negative.

    Examples
    --------
    >>> from monitoring_tasks.statistics.performance.calibration_map import fit_calibration
    >>> counts = np.zeros((5, 3, 2), dtype=np.int64)
    >>> counts[2, 1], counts[3, 2] = (9000, 1000), (4000, 6000)
    >>> fitted = fit_calibration(Outcomes(counts, edges=np.array([0.0, 0.5, 1.0])))
    >>> window = np.zeros((5, 3), dtype=np.int64)
    >>> window[2, 1], window[3, 2] = 50, 200
    >>> def accuracy(outcomes):
    ...     return np.trace(outcomes.confusion, axis1=-2, axis2=-1) / outcomes.confusion.sum(axis=(-2, -1))
    >>> round(estimated(accuracy, expectation(fitted, window, rng=np.random.default_rng(1))).value, 3)
    0.66
    """
    value = float(metric(found.expected))
    error = _interval(value, np.asarray(metric(found.drawn), dtype=np.float64), between_variance)
    low, value, high = (float(np.clip(each + added, *bounds)) for each in (error.lower, value, error.upper))
    return EstimatedPerformance(value, low, high, error.standard_error)


def drawn_labels(rows: FloatArray, probability: FloatArray, target: Target, rng: np.random.Generator) -> FloatArray:
    """Return labels drawn by their probabilities, or, for a population, as many as are likely.

    Parameters
    ----------
    rows : float array
        Rows of the window by cell.
    probability : float array
        Of each label in the cell, the last axis; leading axes are draws.
    target, rng
        As in `expectation`.

    Returns
    -------
    float ndarray
        Shaped as `probability`; the labels of a cell add up to its rows.

    Raises
    ------
    ValueError
        If labels are to be drawn of fractions of rows.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> drawn_labels(np.array([10.0]), np.array([[0.9, 0.1]]), "population", rng)
    array([[9., 1.]])
    >>> float(drawn_labels(np.array([10.0]), np.array([[0.9, 0.1]]), "labels", rng).sum())
    10.0
    """
    if target == "population":
        return rows[..., np.newaxis] * probability
    if (rows != np.floor(rows)).any():
        raise ValueError("`counts` must be whole rows for labels to be drawn: pass counts, or target='population'")
    drawn = rng.multinomial(rows.astype(np.int64), probability / probability.sum(axis=-1, keepdims=True))
    return drawn.astype(np.float64)


def _interval(value: float, drawn: FloatArray, between: float) -> EstimatedPerformance:
    if between < 0:
        raise ValueError(f"`between_variance` must not be negative, as {between:g} is: 0 is that of stable windows")
    more = 0.0 if math.isnan(between) else between
    known = drawn[np.isfinite(drawn)]
    if not math.isfinite(value) or known.size <= drawn.size / 2:
        return EstimatedPerformance(value, math.nan, math.nan, math.nan)
    # The bootstrap repeats what bias the estimate has: only the spread around its own mean is its own.
    ends = np.quantile(known, (0.025, 0.975))
    low, high = ends - known.mean()
    lower = value - math.hypot(float(low), Z * math.sqrt(more))
    upper = value + math.hypot(float(high), Z * math.sqrt(more))
    if low > 0 or high < 0:
        # Nearly all draws are one value, such as all rows right, and the mean is none that labels can show.
        lower, upper = min(lower, float(ends[0])), max(upper, float(ends[1]))
    return EstimatedPerformance(value, lower, upper, math.sqrt(float(np.var(known, ddof=1)) + more))


def _drawn_class_scores(chance: FloatArray, scores: FloatArray, target: Target, rng: np.random.Generator) -> FloatArray:
    """Return class scores by drawn labels, of `CLASS_VARIANCE` times the variance."""
    if target == "population":
        seen = bayesian_bootstrap(scores, squares=CLASS_VARIANCE * scores, draws=len(chance), rng=rng)
        return np.stack([seen * (1 - chance), seen * chance], axis=-1)
    # Pairs of rows with one label have twice the variance of single ones.
    pairs, single = np.divmod(scores.astype(np.int64), round(CLASS_VARIANCE))
    labels = round(CLASS_VARIANCE) * rng.binomial(pairs, chance) + rng.binomial(single, chance)
    return np.stack([scores - labels, labels], axis=-1)


def _checked_window(
    calibration: Calibration, counts: npt.ArrayLike, class_scores: npt.ArrayLike | None
) -> tuple[FloatArray, FloatArray | None]:
    rows = np.asarray(counts, dtype=np.float64)
    if rows.shape[-2:] != calibration.rows.shape[:2]:
        raise ValueError(
            f"`counts` of shape {rows.shape} must end with the calibration's places and predictions, "
            f"{calibration.rows.shape[:2]}"
        )
    if class_scores is None:
        return rows, None
    scores = np.asarray(class_scores, dtype=np.float64)
    if calibration.class_rows is None or scores.shape[-2:] != calibration.class_rows.shape[:2]:
        expected = None if calibration.class_rows is None else calibration.class_rows.shape[:2]
        raise ValueError(
            f"`class_scores` of shape {scores.shape} must end with the calibration's classes and bins, {expected}"
        )
    return rows, scores


def _unit(calibration: Calibration) -> Outcomes:
    """Return outcomes of one row per cell, whose sums are the means."""
    return Outcomes(np.ones(calibration.rows.shape, dtype=np.int64), calibration.means, calibration.edges)


def _expected_confusion(counts: FloatArray, scores: FloatArray, tables: FloatArray, its: RedrawnClasses) -> FloatArray:
    """Return expected rows by place (one), prediction and label; all arguments may have leading axes."""
    probability = its.probability
    expected = counts[..., np.newaxis] * label_shares(tables)
    predicted, total = counts[..., 0, 1:], counts.sum(axis=(-2, -1))[..., np.newaxis]
    seen, right = tables[..., 0, 1:, :].sum(axis=-1), np.einsum("...cc->...c", tables[..., 0, 1:, :])
    # Of the rows that are predicted to be a class, as many have its score as of all rows.
    share = scores.sum(axis=-1) / np.maximum(total, 1e-300)
    share_seen = its.rows.sum(axis=-1) / np.maximum(tables.sum(axis=(-3, -2, -1)), 1e-300)[..., np.newaxis]
    known = (share > 0) & (share_seen > 0)
    harder = _logit(_top_share(scores, probability, predicted * share), predicted) - _logit(
        _top_share(its.rows, probability, seen * share_seen), seen
    )
    odds = _logit(right / np.maximum(seen, 1e-300), seen) + np.where(known, harder, 0.0)
    precision = np.where(
        seen > 0, 1 / (1 + np.exp(-odds)), np.einsum("...cc->...c", label_shares(tables)[..., 0, 1:, :])
    )
    hits = predicted * precision
    # What the calibrated scores expect of labels, less those that are right or have no prediction.
    labels = np.where(
        known,
        np.sum(scores * probability, axis=-1) / np.maximum(share, 1e-300),
        expected[..., 0, :, :].sum(axis=-2),
    )
    labels = labels * (total / np.maximum(labels.sum(axis=-1, keepdims=True), 1e-300))
    columns = np.maximum(labels - expected[..., 0, 0, :] - hits, 0.0)
    wrong_rows = predicted - hits
    off = ~np.eye(predicted.shape[-1], dtype=np.bool_)
    # Half a row: a mistake that the baseline does not show is not impossible; a label that it never has is.
    off = off & (tables.sum(axis=(-3, -2)) > 0)[..., np.newaxis, :]
    usual = np.where(off, tables[..., 0, 1:, :] + 0.5, 0.0)
    wrong = np.broadcast_to(usual, expected[..., 0, 1:, :].shape)
    for _ in range(RAKES):
        for axis, margin in ((-2, columns[..., np.newaxis, :]), (-1, wrong_rows[..., np.newaxis])):
            found = wrong.sum(axis=axis, keepdims=True)
            wrong = wrong * np.divide(margin, found, out=np.zeros(found.shape), where=found > 0)
    # Where no column was left to take them, wrong ones are spread as the baseline's, and where it has no other label
    # than this class there are none.
    total = usual.sum(axis=-1, keepdims=True)
    usual = np.divide(usual, total, out=np.zeros(usual.shape), where=total > 0)
    wrong = np.where(wrong.sum(axis=-1, keepdims=True) > 0, wrong, wrong_rows[..., np.newaxis] * usual)
    hits = np.where(total[..., 0] > 0, hits, predicted)
    expected[..., 0, 1:, :] = wrong + np.eye(predicted.shape[-1]) * hits[..., np.newaxis]
    return expected


def _loss_ratios(
    calibration: Calibration, confusion: FloatArray, scores: FloatArray, tables: FloatArray, its: RedrawnClasses
) -> dict[str, FloatArray]:
    """Return by how much the scores say that losses are larger than those of rows like the baseline's in each cell."""
    edges = calibration.edges
    if "brier" not in calibration.means or len(edges) != scores.shape[-1] - 1 or not len(edges):
        return {}
    middle = np.clip(np.concatenate([edges[:1], (edges[1:] + edges[:-1]) / 2, edges[-1:]]), SMALLEST, 1 - SMALLEST)

    def by_scores(rows: FloatArray) -> tuple[FloatArray, FloatArray]:
        labels = rows * its.probability
        of_label = _ratio(np.sum(labels * -np.log(middle), axis=(-2, -1)), labels.sum(axis=(-2, -1)))
        squares = np.sum(labels * (1 - middle) ** 2 + (rows - labels) * middle**2, axis=-1)
        return of_label, _ratio(squares, rows.sum(axis=-1)).sum(axis=-1)

    found = {}
    for name, after, before in zip(("log_loss", "brier"), by_scores(scores), by_scores(its.rows), strict=True):
        in_cells = (np.sum(each * calibration.means[name], axis=(-3, -2, -1)) for each in (confusion, tables))
        of_window, of_baseline = (
            _ratio(total, each.sum(axis=(-3, -2, -1)))
            for total, each in zip(in_cells, (confusion, tables), strict=True)
        )
        known = (before > 0) & (after > 0) & (of_window > 0) & (of_baseline > 0)
        found[name] = np.where(known, _ratio(after, before) * _ratio(of_baseline, of_window), 1.0)
        found[f"{name}_squares"] = found[name] ** 2
    return found


def _spread(calibration: Calibration, drawn: FloatArray, name: str, by_chance: FloatArray) -> FloatArray:
    """Return by how much a sum of losses differs from that of its cells' means, as the losses of one cell differ."""
    squares = calibration.means.get(f"{name}_squares")
    if squares is None:
        return np.ones(len(drawn))
    mean = calibration.means[name]
    axes = (-3, -2, -1)
    noise = np.sqrt(np.sum(drawn * np.maximum(squares - mean**2, 0.0), axis=axes))
    return np.asarray(np.maximum(1 + by_chance * _ratio(noise, np.sum(drawn * mean, axis=axes)), 0.0))


def _with_losses(outcomes: Outcomes, ratios: Mapping[str, FloatArray]) -> Outcomes:
    sums = {name: each * ratios[name][..., None, None, None] for name, each in outcomes.sums.items() if name in ratios}
    return replace(outcomes, sums={**outcomes.sums, **sums})


def _ratio(top: FloatArray, bottom: FloatArray) -> FloatArray:
    """Return a quotient, 0 of nothing."""
    top, bottom = np.broadcast_arrays(top, bottom)
    found: FloatArray = np.divide(top, bottom, out=np.zeros(top.shape), where=bottom > 0)
    return found


def _top_share(scores: FloatArray, probability: FloatArray, predicted: FloatArray) -> FloatArray:
    """Return P(label is the class) of as many rows with the highest scores of each class as are predicted to be it."""
    rows = scores[..., ::-1]
    taken = np.clip(predicted[..., np.newaxis] - (np.cumsum(rows, axis=-1) - rows), 0.0, rows)
    total = taken.sum(axis=-1)
    right = np.sum(taken * probability[..., ::-1], axis=-1)
    share: FloatArray = np.divide(right, total, out=np.full(right.shape, 0.5), where=total > 0)
    return share


def _logit(share: FloatArray, rows: FloatArray) -> FloatArray:
    """Return the logarithm of the odds, at most those of half a row."""
    least = np.minimum(0.5 / np.maximum(rows, 1.0), 0.5)
    held = np.clip(share, least, 1 - least)
    return np.log(held) - np.log1p(-held)
