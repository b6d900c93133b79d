"""Performance without labels: the outcomes that a window may expect, from what the baseline's labels have shown."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from monitoring_tasks.statistics.bayesian_bootstrap import bayesian_bootstrap
from monitoring_tasks.statistics.histogram import FloatArray, IntArray
from monitoring_tasks.statistics.intervals import Z
from monitoring_tasks.statistics.performance.outcomes import Outcomes
from monitoring_tasks.statistics.performance.reweighting import CLASS_VARIANCE, cell_means, reweighted

Metric = Callable[[Outcomes], FloatArray]
"""A metric of outcomes, vectorised over their leading axes; NaN where it is not defined."""

Target = Literal["labels", "population"]
"""What an interval is to hold: the metric that this window's labels will show, or that of endless rows like it."""

RAKES = 30
"""Rounds of raking the expected confusion; its margins are then met within about one in a thousand rows."""

SMALLEST = 1e-6
"""Scores are held this far from 0 and 1 before a logarithm is taken of one that no row of the baseline shows."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """What a label is likely to be, by the bin of the score and by the prediction; fitted to a labelled baseline."""

    probability: FloatArray
    """Shape (n_places, n_predictions, n_labels): P(label | place, prediction)."""
    isotonic: bool
    """Whether the labels' isotonic regression is used; else the score itself is the probability, or there is none."""
    rows: FloatArray
    """Baseline rows, weighted, shape (n_places, n_predictions, n_labels)."""
    squares: FloatArray
    """Sums of the squared weights, shaped so."""
    means: Mapping[str, FloatArray]
    """Of each sum of `Outcomes`, that of a row with this place, prediction and label; shaped so."""
    edges: FloatArray
    """Of the places."""
    class_probability: FloatArray | None = None
    """Multiclass: P(label is the class | bin of the class's score), shape (n_classes, n_bins)."""
    class_rows: FloatArray | None = None
    """Weighted, shape (n_classes, n_bins, 2)."""
    class_squares: FloatArray | None = None
    scores: FloatArray = field(default_factory=lambda: np.empty((0, 0)))
    """Mean score of each place and prediction."""

    @property
    def effective_rows(self) -> float:
        """Unweighted rows that would be as informative, by Kish's formula."""
        return float(self.rows.sum() ** 2 / self.squares.sum())


@dataclass(frozen=True, eq=False)
class RedrawnClasses:
    """The calibrated scores of a multiclass model, fitted to redrawn rows, each by draw, class and bin."""

    rows: FloatArray
    """Redrawn rows."""
    probability: FloatArray
    """P(label is the class), fitted to them."""
    scattered: FloatArray
    """The same of rows that vary by `CLASS_VARIANCE` times as much."""


@dataclass(frozen=True, eq=False)
class Redrawn:
    """A calibration fitted to the baseline's rows as they may have come otherwise, with one leading axis of draws."""

    probability: FloatArray
    """Shape (draws, n_places, n_predictions, n_labels); by place and prediction they add up to 1."""
    rows: FloatArray
    """Redrawn rows, shaped so."""
    of_classes: RedrawnClasses | None = None
    """Multiclass: of the classes' scores; None without any."""


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


def fit_calibration(reference: Outcomes, weights: npt.ArrayLike | None = None) -> Calibration:
    """Fit P(label | score, prediction) to a labelled baseline.

    Binary: isotonic regression [1]_ of the label on the bin of the score and, within a bin, on the predicted class. It
    is kept if by Mallows's criterion it is expected to have the smaller Brier score on new rows: the squared distance
    from the label shares, plus twice the noise of as many free values as there are steps [2]_. Otherwise the mean score
    of each cell is its probability. Rows without a score have the label shares of their prediction.

    Multiclass: the label shares of each prediction, and the isotonic regression of each class on its own score.

    Parameters
    ----------
    reference : Outcomes
        Labelled rows, without leading axes.
    weights : float array, broadcastable to `reference.counts`, optional
        By which each row counts, for a calibration that is right for the window's inputs, see `shift_correction`. The
        fewer rows carry the weight, the wider the intervals. Class scores are weighed by `weigh_classes`.

    Returns
    -------
    Calibration

    Raises
    ------
    ValueError
        If there are no rows, there are leading axes, or the weights do not fit.

    References
    ----------
    .. [1] Zadrozny, B., & Elkan, C. (2002). Transforming classifier scores into accurate multiclass probability
       estimates. KDD, 694-699.
    .. [2] Meyer, M., & Woodroofe, M. (2000). On the degrees of freedom in shape-restricted regression. Annals of
       Statistics, 28(4), 1083-1104.

    Examples
    --------
    Scores of 0.25 and 0.75, of which 10 % and 60 % were positive:

    >>> counts = np.zeros((5, 3, 2), dtype=np.int64)
    >>> counts[2, 1], counts[3, 2] = (900, 100), (400, 600)
    >>> score = np.array([0, 0, 0.25, 0.75, 0])[:, np.newaxis, np.newaxis] * counts
    >>> fitted = fit_calibration(Outcomes(counts, {"score": score}, edges=np.array([0.0, 0.5, 1.0])))
    >>> fitted.isotonic, fitted.probability[2, 1, 1], fitted.probability[3, 2, 1]
    (True, np.float64(0.1), np.float64(0.6))
    """
    counts = np.asarray(reference.counts, dtype=np.float64)
    weight = np.asarray(1.0 if weights is None else weights, dtype=np.float64)
    if (weight < 0).any() or not np.isfinite(weight).all():
        raise ValueError("`weights` must be finite and not negative: write 0 for rows that do not count")
    if counts.ndim != 3:
        raise ValueError(f"`reference` must have no leading axes, and its counts have the shape {counts.shape}: add up")
    try:
        weight = np.broadcast_to(weight, counts.shape)
    except ValueError:
        raise ValueError(
            f"`weights` of shape {weight.shape} do not fit the counts of shape {counts.shape}: each axis must be as "
            "long, or 1"
        ) from None
    rows = weight * counts
    if rows.sum() <= 0:
        raise ValueError("`reference` has no rows with a weight: there is nothing to fit")
    squares = weight**2 * counts
    sums = {name: weight * total for name, total in reference.sums.items()}
    if rows.shape[-1] == 2 and len(rows) > 1:
        scores = _mean_scores(rows, sums.get("score"), reference.edges)
        means = _filled(rows, sums, scores)
        positive, isotonic = _fit_binary(rows[np.newaxis], squares, scores)
        probability = np.stack([1 - positive[0], positive[0]], axis=-1)
        return Calibration(probability, isotonic, rows, squares, means, reference.edges, scores=scores)
    # Of a cell that no row of the baseline is in, the mean of all rows.
    means = {
        name: np.divide(total, rows, out=np.full(rows.shape, total.sum() / rows.sum()), where=rows > 0)
        for name, total in sums.items()
    }
    found = Calibration(_label_shares(rows), False, rows, squares, means, reference.edges)
    if reference.class_scores is None:
        return found
    classes = np.asarray(reference.class_scores, dtype=np.float64)
    return replace(
        found,
        isotonic=True,
        class_probability=_fit_classes(classes[np.newaxis])[0],
        class_rows=classes,
        class_squares=classes,
    )


def weigh_classes(calibration: Calibration, weights: npt.ArrayLike, inflation: npt.ArrayLike = 1.0) -> Calibration:
    """Return a multiclass calibration whose classes' scores are fitted again, with rows that count by these weights.

    Parameters
    ----------
    calibration : Calibration
        Of a model with class scores, see `fit_calibration`.
    weights : float array, shape (n_classes, 2)
        By which the rows of another label and those of the class count.
    inflation : float array, shape (n_classes, 2)
        By how much more their sums vary than those of rows that all count alike; at least 1.

    Returns
    -------
    Calibration

    Raises
    ------
    ValueError
        If there are no class scores, or not as many classes.

    Examples
    --------
    Rows of the first class count twice: the odds at each score are doubled.

    >>> counts = np.zeros((1, 3, 2), dtype=np.int64)
    >>> counts[0, 1:] = [(80, 20), (10, 90)]
    >>> scores = np.array([[[90, 10], [20, 80]], [[80, 20], [10, 90]]])
    >>> fitted = fit_calibration(Outcomes(counts, edges=np.array([0.5]), class_scores=scores))
    >>> weigh_classes(fitted, [(1, 2), (1, 1)]).class_probability.round(3)
    array([[0.182, 0.889],
           [0.2  , 0.9  ]])
    """
    weight, more = np.asarray(weights, dtype=np.float64), np.asarray(inflation, dtype=np.float64)
    if calibration.class_rows is None or calibration.class_squares is None or weight.shape != _classes(calibration):
        raise ValueError(
            f"`weights` of shape {weight.shape} must have the calibration's classes, and rows that are and are not of "
            f"one: {_classes(calibration)}"
        )
    each = weight[:, np.newaxis, :]
    rows = calibration.class_rows * each
    return replace(
        calibration,
        class_probability=_fit_classes(rows[np.newaxis])[0],
        class_rows=rows,
        class_squares=calibration.class_squares * each**2 * (more[:, np.newaxis, :] if more.ndim else more),
    )


def merge_places(calibration: Calibration, groups: npt.ArrayLike) -> Calibration:
    """Return a calibration on fewer places: for draws, whose spread hardly depends on how fine the places are.

    Parameters
    ----------
    calibration : Calibration
        See `fit_calibration`; of a multiclass model see `merge_class_bins`.
    groups : int array, shape (n_places,)
        The group of each place, from 0, ascending.

    Returns
    -------
    Calibration
        Probabilities and means are those of the baseline's rows of each group, of one without rows plain means.

    Raises
    ------
    ValueError
        If the groups do not fit.

    Examples
    --------
    >>> counts = np.zeros((5, 3, 2), dtype=np.int64)
    >>> counts[2, 1], counts[3, 2] = (900, 100), (400, 600)
    >>> fitted = fit_calibration(Outcomes(counts, edges=np.array([0.0, 0.5, 1.0])))
    >>> found = merge_places(fitted, [0, 1, 1, 2, 2])
    >>> found.rows.shape, found.edges, found.probability[1, 1]
    ((3, 3, 2), array([0.5]), array([0.9, 0.1]))
    """
    places = len(calibration.rows)
    group = _checked_groups(groups, places, "places")
    first = _first_of(group)
    rows = np.add.reduceat(calibration.rows, first)

    def mean(values: FloatArray, weight: FloatArray) -> FloatArray:
        ones = np.where(np.add.reduceat(weight, first)[group] > 0, weight, 1.0)
        found: FloatArray = np.add.reduceat(values * ones, first) / np.add.reduceat(ones, first)
        return found

    of_place = calibration.rows.sum(axis=-1)
    return Calibration(
        probability=mean(calibration.probability, np.broadcast_to(of_place[..., np.newaxis], calibration.rows.shape)),
        isotonic=calibration.isotonic,
        rows=rows,
        squares=np.add.reduceat(calibration.squares, first),
        means={name: mean(each, calibration.rows) for name, each in calibration.means.items()},
        edges=np.array([calibration.edges[i - 1] for i in range(1, places - 1) if group[i] != group[i + 1]]),
        scores=mean(calibration.scores, of_place) if len(calibration.scores) else calibration.scores,
    )


def merge_class_bins(calibration: Calibration, groups: npt.ArrayLike) -> Calibration:
    """Return a multiclass calibration on fewer bins of the classes' scores, for draws as `merge_places` does.

    Parameters
    ----------
    calibration : Calibration
        Of a model with class scores, see `fit_calibration`.
    groups : int array, shape (n_bins,)
        The group of each bin, from 0, ascending.

    Returns
    -------
    Calibration

    Raises
    ------
    ValueError
        If there are no class scores, or the groups do not fit.

    Examples
    --------
    >>> counts = np.zeros((1, 3, 2), dtype=np.int64)
    >>> counts[0, 1:] = [(80, 20), (10, 90)]
    >>> scores = np.array([[[60, 5], [30, 5], [20, 80]], [[80, 20], [5, 30], [5, 60]]])
    >>> fitted = fit_calibration(Outcomes(counts, edges=np.array([0.2, 0.5]), class_scores=scores))
    >>> found = merge_class_bins(fitted, [0, 0, 1])
    >>> found.class_probability, found.edges
    (array([[0.1  , 0.8  ],
           [0.371, 0.923]]), array([0.5]))
    """
    if calibration.class_rows is None or calibration.class_squares is None:
        raise ValueError("`calibration` has no class scores whose bins could be merged: fit it to some that have")
    bins = calibration.class_rows.shape[1]
    group = _checked_groups(groups, bins, "bins")
    first = _first_of(group)
    rows = np.add.reduceat(calibration.class_rows, first, axis=1)
    edges = calibration.edges
    return replace(
        calibration,
        class_probability=_fit_classes(rows[np.newaxis])[0],
        class_rows=rows,
        class_squares=np.add.reduceat(calibration.class_squares, first, axis=1),
        edges=edges[first[1:] - 1] if len(edges) == bins - 1 else edges,
    )


def expected_outcomes(
    calibration: Calibration, counts: npt.ArrayLike, class_scores: npt.ArrayLike | None = None
) -> Outcomes:
    """Return the outcomes that a window without labels may expect: confidence-based performance estimation [1]_.

    A row counts as each label as much as that is likely. Any metric can then be taken. Sums are those of the baseline's
    rows with the same place, prediction and label; where it has none, of a row with the cell's mean score.

    Of a multiclass model with class scores, the share of right predictions of each class is that of as many rows with
    the highest scores of the class, calibrated, and corrected by the odds with which that was right or wrong of the
    baseline. Wrong ones are spread as the baseline's, raked [2]_ to the labels that the calibrated scores expect. A
    class without a score is expected as often as the baseline's predictions were of it.

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
    return reweighted(_unit(calibration), expected, np.stack([scores - labels, labels], axis=-1))


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
    if scores is not None and fitted.of_classes is not None:
        seen = bayesian_bootstrap(scores, draws=draws, rng=rng) if target == "population" else scores
        probability = _label_shares(_expected_confusion(window, seen, fitted.rows, fitted.of_classes))
        drawn_scores = _drawn_class_scores(fitted.of_classes.scattered, scores, target, rng)
    drawn = _drawn_labels(window, probability, target, rng)
    expected = expected_outcomes(calibration, rows, scores)
    return Expectation(expected, reweighted(_unit(calibration), drawn, drawn_scores))


def redraw(calibration: Calibration, *, rng: np.random.Generator, draws: int = 500) -> Redrawn:
    """Fit a calibration to the baseline's rows as they may have come otherwise.

    It is the costly part of `expectation`, and the same for every window.

    Parameters
    ----------
    calibration : Calibration
        See `fit_calibration`.
    rng : Generator
        Source of the draws.
    draws : int
        Number of calibrations.

    Returns
    -------
    Redrawn

    Examples
    --------
    >>> counts = np.zeros((5, 3, 2), dtype=np.int64)
    >>> counts[2, 1], counts[3, 2] = (90, 10), (40, 60)
    >>> fitted = fit_calibration(Outcomes(counts, edges=np.array([0.0, 0.5, 1.0])))
    >>> drawn = redraw(fitted, rng=np.random.default_rng(1), draws=400).probability[:, 2, 1, 1]
    >>> round(float(drawn.mean()), 2), round(float(drawn.std()), 2)  # sqrt(0.1 * 0.9 / 100) = 0.03
    (0.1, 0.03)
    """
    tables = bayesian_bootstrap(calibration.rows, squares=calibration.squares, draws=draws, rng=rng)
    if len(calibration.scores):
        positive, _ = _fit_binary(tables, None, calibration.scores)
        return Redrawn(np.stack([1 - positive, positive], axis=-1), tables)
    shares = _label_shares(tables)
    if calibration.class_rows is None or calibration.class_squares is None:
        return Redrawn(shares, tables)
    its, squares = calibration.class_rows, calibration.class_squares
    seen = bayesian_bootstrap(its, squares=squares, draws=draws, rng=rng)
    scattered = bayesian_bootstrap(its, squares=CLASS_VARIANCE * squares, draws=draws, rng=rng)
    return Redrawn(shares, tables, RedrawnClasses(seen.sum(axis=-1), _fit_classes(seen), _fit_classes(scattered)))


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


def expected_by_bin(reference: Outcomes, rows: npt.ArrayLike) -> Outcomes:
    """Return the outcomes that a window may expect from those of the baseline in each bin: direct loss estimation.

    For regression, where no score says how sure the model is: bins of the prediction, or of the feature that explains
    most of the loss, see `loss_explained`. The loss of a bin is the baseline's there, and the window's rows weigh it;
    NannyML learns it by a second model instead [1]_. It holds for classification too.

    Parameters
    ----------
    reference : Outcomes
        The baseline's, with one leading axis of bins.
    rows : int array, shape (..., n_bins)
        All rows of the window. Those in a bin where the baseline has none are taken like the nearest bin's.

    Returns
    -------
    Outcomes
        Without the axis of bins, with fractions of rows.

    Raises
    ------
    ValueError
        If the bins are not the same, or the baseline has no rows.

    References
    ----------
    .. [1] NannyML (2023). Direct Loss Estimation. NannyML documentation, "How it works: estimating performance".

    Examples
    --------
    Mean absolute errors of 1 and 4 in two bins, and a window with three quarters of its rows in the second:

    >>> counts = np.array([100, 100]).reshape(2, 1, 1, 1)
    >>> errors = np.array([100.0, 400.0]).reshape(2, 1, 1, 1)
    >>> expected = expected_by_bin(Outcomes(counts, {"absolute_error": errors}), [10, 30])
    >>> float(expected.sums["absolute_error"].sum() / expected.rows)
    3.25
    """
    counts, window = _checked_bins(reference, rows)
    known = counts.sum(axis=(1, 2, 3))
    factor = window / np.where(known > 0, known, 1)
    found = reweighted(Outcomes(reference.counts[0], {}, reference.edges), np.tensordot(factor, counts, axes=1))
    sums = {name: np.tensordot(factor, total, axes=1) for name, total in reference.sums.items()}
    return Outcomes(found.counts, sums, reference.edges)


def expectation_by_bin(
    reference: Outcomes,
    rows: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    draws: int = 500,
    target: Target = "labels",
) -> Expectation:
    """Return what a window without labels may expect from its rows per bin, for `estimated`.

    The cells of the baseline are redrawn by the Bayesian bootstrap, and the window's outcomes drawn from them bin by
    bin. A cell's sums are those of rows with its mean: of a regression's residuals, the spread within a bin of the
    residual is left out, so that these bins should be fine.

    Parameters
    ----------
    reference, rows
        As in `expected_by_bin`; one window.
    rng, draws, target
        As in `expectation`.

    Returns
    -------
    Expectation

    Raises
    ------
    ValueError
        As `expected_by_bin` and `expectation`.

    Examples
    --------
    >>> counts = np.array([100, 100]).reshape(2, 1, 1, 1)
    >>> baseline = Outcomes(counts, {"absolute_error": np.array([100.0, 400.0]).reshape(2, 1, 1, 1)})
    >>> found = expectation_by_bin(baseline, [10, 30], rng=np.random.default_rng(1), draws=2)
    >>> found.expected.sums["absolute_error"].ravel(), found.drawn.rows
    (array([130.]), array([40., 40.]))
    """
    counts, window = _checked_bins(reference, rows)
    if window.ndim != 1:
        raise ValueError(f"`rows` must be of one window, with the axis bin, not of shape {window.shape}")
    tables = bayesian_bootstrap(counts, draws=draws, rng=rng).reshape(draws, len(counts), -1)
    total = tables.sum(axis=-1, keepdims=True)
    chance = np.divide(tables, total, out=np.zeros(tables.shape), where=total > 0)
    chance[..., 0] += total[..., 0] <= 0
    if target == "population":
        window = bayesian_bootstrap(window, draws=draws, rng=rng)
    drawn = _drawn_labels(window, chance, target, rng).reshape(draws, *counts.shape)
    sums = {name: np.einsum("db...,b...->d...", drawn, mean) for name, mean in cell_means(reference).items()}
    found = reweighted(Outcomes(reference.counts[0], {}, reference.edges), drawn.sum(axis=1))
    return Expectation(expected_by_bin(reference, rows), Outcomes(found.counts, sums, reference.edges))


def loss_explained(reference: Outcomes, loss: str) -> float:
    """Return how much of the variance of a loss lies between the bins, for choosing the feature to estimate by.

    Omega squared [1]_, which has no bias to features with many bins. The variance within a bin is that between the
    means of its cells.

    Parameters
    ----------
    reference : Outcomes
        The baseline's, with one leading axis of bins.
    loss : str
        A sum of the outcomes, such as ``absolute_error`` or ``error_squares``.

    Returns
    -------
    float
        At most 1; about 0, of either sign, where the bins explain nothing. NaN if the loss does not vary.

    Raises
    ------
    ValueError
        If the outcomes have no such sum.

    References
    ----------
    .. [1] Hays, W. L. (1963). Statistics for Psychologists. Holt, Rinehart & Winston.

    Examples
    --------
    >>> counts = np.full((2, 2, 1, 1), 500)
    >>> errors = counts * np.array([[0.5, 1.5], [2.0, 6.0]])[:, :, np.newaxis, np.newaxis]
    >>> round(loss_explained(Outcomes(counts, {"absolute_error": errors}), "absolute_error"), 3)
    0.514
    """
    if loss not in reference.sums or reference.counts.ndim != 4:
        raise ValueError(
            f"`loss` must be one of {sorted(reference.sums)}, not {loss!r}, and `reference` have one axis of bins, not "
            f"the shape {reference.counts.shape}"
        )
    counts = np.asarray(reference.counts, dtype=np.float64).reshape(len(reference.counts), -1)
    means = cell_means(reference)[loss].reshape(counts.shape)
    rows = counts.sum(axis=1)
    counts, means, rows = counts[rows > 0], means[rows > 0], rows[rows > 0]
    center = np.sum(counts * means, axis=1) / rows
    within = float(np.sum(counts * (means - center[:, np.newaxis]) ** 2))
    between = float(rows @ (center - rows @ center / rows.sum()) ** 2)
    freedom = rows.sum() - rows.size
    if within + between <= 0 or freedom <= 0:
        return math.nan
    noise = within / freedom
    return float((between - (rows.size - 1) * noise) / (between + within + noise))


def _interval(value: float, drawn: FloatArray, between: float) -> EstimatedPerformance:
    if between < 0:
        raise ValueError(f"`between_variance` must not be negative, as {between:g} is: 0 is that of stable windows")
    more = 0.0 if math.isnan(between) else between
    known = drawn[np.isfinite(drawn)]
    if not math.isfinite(value) or known.size <= drawn.size / 2:
        return EstimatedPerformance(value, math.nan, math.nan, math.nan)
    # The bootstrap repeats what bias the estimate has: only the spread around its own mean is its own.
    low, high = np.quantile(known, (0.025, 0.975)) - known.mean()
    return EstimatedPerformance(
        value,
        value - math.hypot(float(low), Z * math.sqrt(more)),
        value + math.hypot(float(high), Z * math.sqrt(more)),
        math.sqrt(float(np.var(known, ddof=1)) + more),
    )


def _drawn_class_scores(chance: FloatArray, scores: FloatArray, target: Target, rng: np.random.Generator) -> FloatArray:
    """Return class scores by drawn labels, of `CLASS_VARIANCE` times the variance."""
    if target == "population":
        seen = bayesian_bootstrap(scores, squares=CLASS_VARIANCE * scores, draws=len(chance), rng=rng)
        return np.stack([seen * (1 - chance), seen * chance], axis=-1)
    # Pairs of rows with one label have twice the variance of single ones.
    pairs, single = np.divmod(scores.astype(np.int64), round(CLASS_VARIANCE))
    labels = round(CLASS_VARIANCE) * rng.binomial(pairs, chance) + rng.binomial(single, chance)
    return np.stack([scores - labels, labels], axis=-1)


def _drawn_labels(rows: FloatArray, probability: FloatArray, target: Target, rng: np.random.Generator) -> FloatArray:
    """Return labels drawn by their probabilities, or, for a population, as many as are likely."""
    if target == "population":
        return rows[..., np.newaxis] * probability
    if (rows != np.floor(rows)).any():
        raise ValueError("`counts` must be whole rows for labels to be drawn: pass counts, or target='population'")
    drawn = rng.multinomial(rows.astype(np.int64), probability / probability.sum(axis=-1, keepdims=True))
    return drawn.astype(np.float64)


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


def _checked_bins(reference: Outcomes, rows: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return the baseline's counts, and the window's rows with those of unknown bins in the nearest known one."""
    counts, window = np.asarray(reference.counts, dtype=np.float64), np.asarray(rows, dtype=np.float64)
    if counts.ndim != 4 or window.shape[-1:] != counts.shape[:1]:
        raise ValueError(
            f"`rows` of shape {window.shape} must count the bins of `reference`, the first axis of {counts.shape}"
        )
    known = np.flatnonzero(counts.sum(axis=(1, 2, 3)) > 0)
    if not known.size:
        raise ValueError("`reference` has no rows: there is nothing to estimate from")
    nearest = known[np.argmin(np.abs(np.arange(len(counts))[:, np.newaxis] - known), axis=1)]
    into = (nearest[:, np.newaxis] == np.arange(len(counts))).astype(np.float64)
    return counts, window @ into


def _checked_groups(groups: npt.ArrayLike, size: int, what: str) -> IntArray:
    group = np.asarray(groups)
    if group.shape != (size,) or group[0] != 0 or not np.isin(np.diff(group), (0, 1)).all():
        raise ValueError(f"`groups` must number the groups of {size} {what} in order, from 0 without gaps")
    return group


def _first_of(group: IntArray) -> IntArray:
    """Return the first member of each group."""
    return np.flatnonzero(np.diff(group, prepend=-1))


def _classes(calibration: Calibration) -> tuple[int, int] | None:
    return None if calibration.class_rows is None else (len(calibration.class_rows), 2)


def _unit(calibration: Calibration) -> Outcomes:
    """Return outcomes of one row per cell, whose sums are the means."""
    return Outcomes(np.ones(calibration.rows.shape, dtype=np.int64), calibration.means, calibration.edges)


def _mean_scores(rows: FloatArray, total: FloatArray | None, edges: FloatArray) -> FloatArray:
    """Return the mean score of each place and prediction; of a cell without rows the middle of the bin."""
    middle = np.concatenate([[np.nan], edges[:1], (edges[1:] + edges[:-1]) / 2, edges[-1:]])
    middle = middle if len(middle) == len(rows) else np.full(len(rows), np.nan)
    counted = rows.sum(axis=-1)
    scores = np.repeat(middle[:, np.newaxis], rows.shape[1], axis=1)
    if total is not None:
        np.divide(total.sum(axis=-1), counted, out=scores, where=counted > 0)
    scores[0] = np.nan
    return scores


def _filled(rows: FloatArray, sums: Mapping[str, FloatArray], scores: FloatArray) -> dict[str, FloatArray]:
    """Return the mean of each sum in each cell; where no row is, what its mean score would give."""
    score = np.clip(np.nan_to_num(scores, nan=0.5), SMALLEST, 1 - SMALLEST)
    log_loss = np.stack([-np.log1p(-score), -np.log(score)], axis=-1)
    brier = np.stack([score**2, (1 - score) ** 2], axis=-1)
    otherwise = {
        "score": np.stack([score, score], axis=-1),
        "log_loss": log_loss,
        "log_loss_squares": log_loss**2,
        "brier": brier,
        "brier_squares": brier**2,
    }
    filled = {}
    for name, total in sums.items():
        filled[name] = otherwise.get(name, np.zeros(rows.shape)).copy()
        np.divide(total, rows, out=filled[name], where=rows > 0)
        if np.isnan(scores[0]).all():
            filled[name][0] = np.where(rows[0] > 0, filled[name][0], 0.0)  # rows without a score add nothing
    return filled


def _fit_binary(tables: FloatArray, squares: FloatArray | None, scores: FloatArray) -> tuple[FloatArray, bool]:
    """Return P(positive | place, prediction) of each table, shape (draws, n_places, n_predictions).

    With `squares`, the scores themselves where they are better.
    """
    from scipy.optimize import isotonic_regression

    draws, places, predictions = tables.shape[:3]
    # Within a bin of the score rows predicted positive lie above those predicted negative, and others between.
    order = np.array([1, 0, *range(2, predictions)]) if predictions > 2 else np.arange(predictions)
    rows = tables.sum(axis=-1)
    ordered = rows[:, 1:, order].reshape(draws, -1)
    positives = tables[:, 1:, order, 1].reshape(draws, -1)
    some = np.flatnonzero(ordered.max(axis=0) > 0)
    overall = tables[..., 1].sum(axis=(1, 2)) / rows.sum(axis=(1, 2))
    fitted = np.repeat(overall[:, np.newaxis], ordered.shape[1], axis=1)
    isotonic = True
    if some.size:
        # A cell whose few rows have small weights may lose them all in a draw: it then counts for next to nothing.
        ordered = np.maximum(ordered, np.finfo(np.float64).tiny)
        shares = positives[:, some] / ordered[:, some]
        for draw in range(draws):
            steps = isotonic_regression(shares[draw], weights=ordered[draw, some])
            fitted[draw] = np.interp(np.arange(ordered.shape[1]), some, steps.x)
        if squares is not None:
            score = scores[1:, order].reshape(-1)
            noise = np.add.reduceat(squares.sum(axis=-1)[1:, order].reshape(-1)[some], steps.blocks[:-1])
            weight = np.add.reduceat(ordered[0, some], steps.blocks[:-1])
            level = steps.x[steps.blocks[:-1]]
            optimism = 2 * float(np.sum(level * (1 - level) * noise / weight))
            after = float(ordered[0, some] @ (shares[0] - steps.x) ** 2) + optimism
            before = float(ordered[0, some] @ (shares[0] - score[some]) ** 2)
            if before <= after and score[some].min() >= 0 and score[some].max() <= 1:
                isotonic = False
                held = np.where(np.isfinite(score), np.clip(score, 0, 1), fitted[0])
                fitted[0] = held
    probability = np.empty(rows.shape)
    probability[:, 1:, order] = fitted.reshape(draws, places - 1, predictions)
    probability[:, 0] = np.divide(
        tables[:, 0, :, 1],
        rows[:, 0],
        out=np.repeat(overall[:, np.newaxis], predictions, axis=1),
        where=rows[:, 0] > 0,
    )
    return probability, isotonic


def _fit_classes(tables: FloatArray) -> FloatArray:
    """Return P(label is the class | bin of its score), shape (draws, n_classes, n_bins): isotonic in the score."""
    from scipy.optimize import isotonic_regression

    rows = tables.sum(axis=-1)
    overall = tables[..., 1].sum(axis=-1) / np.maximum(rows.sum(axis=-1), 1e-300)
    probability = np.repeat(overall[..., np.newaxis], rows.shape[-1], axis=-1)
    bins = np.arange(rows.shape[-1])
    for place in np.ndindex(rows.shape[:-1]):
        some = np.flatnonzero(rows[place] > 0)
        if some.size:
            steps = isotonic_regression(tables[place][some, 1] / rows[place][some], weights=rows[place][some])
            probability[place] = np.interp(bins, some, steps.x)
    return probability


def _label_shares(tables: FloatArray) -> FloatArray:
    """Return P(label | place, prediction); of a cell without rows the whole table's, of an empty table even shares."""
    rows = tables.sum(axis=-1, keepdims=True)
    overall = tables.sum(axis=(-3, -2), keepdims=True)
    even, total = np.full(overall.shape, 1 / tables.shape[-1]), overall.sum(axis=-1, keepdims=True)
    overall = np.divide(overall, total, out=even, where=np.broadcast_to(total > 0, overall.shape))
    overall = np.broadcast_to(overall, tables.shape).copy()
    shares: FloatArray = np.divide(tables, rows, out=overall, where=np.broadcast_to(rows > 0, tables.shape))
    return shares


def _expected_confusion(counts: FloatArray, scores: FloatArray, tables: FloatArray, its: RedrawnClasses) -> FloatArray:
    """Return expected rows by place (one), prediction and label; all arguments may have leading axes."""
    probability = its.probability
    expected = counts[..., np.newaxis] * _label_shares(tables)
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
        seen > 0, 1 / (1 + np.exp(-odds)), np.einsum("...cc->...c", _label_shares(tables)[..., 0, 1:, :])
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
