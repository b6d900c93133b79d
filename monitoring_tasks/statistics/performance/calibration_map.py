"""What a label is likely to be, by score and prediction: isotonic regression, fitted to a labelled baseline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from monitoring_tasks.statistics.bayesian_bootstrap import bayesian_bootstrap
from monitoring_tasks.statistics.histogram import FloatArray, IntArray
from monitoring_tasks.statistics.performance.outcomes import Outcomes
from monitoring_tasks.statistics.performance.reweighting import CLASS_VARIANCE

SMALLEST = 1e-6
"""Scores are held this far from 0 and 1 before a logarithm is taken of one that no row of the baseline shows."""

LARGEST_LOGIT = 7.0
"""By how much the logit of a class's chance is shifted at most: its odds by a thousand times."""


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
    found = Calibration(label_shares(rows), False, rows, squares, means, reference.edges)
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


def weigh_classes(calibration: Calibration, odds: npt.ArrayLike, inflation: npt.ArrayLike = 1.0) -> Calibration:
    """Return a multiclass calibration whose classes are likelier at each score, as `shifted_odds` says.

    The rows at each score stay as many: what is corrected for is not a shift of the scores, which the window shows.

    Parameters
    ----------
    calibration : Calibration
        Of a model with class scores, see `fit_calibration`.
    odds : float array, shape (n_classes,)
        By which the odds of each class are multiplied.
    inflation : float array, shape (n_classes,)
        By how much more the rows of each class vary than those that all count alike; at least 1.

    Returns
    -------
    Calibration

    Raises
    ------
    ValueError
        If there are no class scores, or not as many classes.

    Examples
    --------
    Odds of 1 : 9 and 8 : 2 are doubled:

    >>> counts = np.zeros((1, 3, 2), dtype=np.int64)
    >>> counts[0, 1:] = [(80, 20), (10, 90)]
    >>> scores = np.array([[[90, 10], [20, 80]], [[80, 20], [10, 90]]])
    >>> fitted = fit_calibration(Outcomes(counts, edges=np.array([0.5]), class_scores=scores))
    >>> weigh_classes(fitted, [2, 1]).class_probability.round(3)
    array([[0.182, 0.889],
           [0.2  , 0.9  ]])
    """
    its, squares = calibration.class_rows, calibration.class_squares
    factor, more = np.asarray(odds, dtype=np.float64), np.asarray(inflation, dtype=np.float64)
    if its is None or squares is None or factor.shape != (len(its),):
        raise ValueError(
            f"`odds` of shape {factor.shape} must have one for each of the calibration's classes with scores, "
            f"{0 if its is None else len(its)}"
        )
    weight = np.stack([np.ones(len(factor)), factor], axis=-1)[:, np.newaxis, :]
    before, after = its.sum(axis=-1, keepdims=True), (its * weight).sum(axis=-1, keepdims=True)
    weight = weight * np.divide(before, after, out=np.ones(after.shape), where=after > 0)
    return replace(
        calibration,
        class_probability=_fit_classes((its * weight)[np.newaxis])[0],
        class_rows=its * weight,
        class_squares=squares * weight**2 * (more[:, np.newaxis, np.newaxis] if more.ndim else more),
    )


def shifted_odds(calibration: Calibration, class_scores: npt.ArrayLike, ratio: npt.ArrayLike) -> FloatArray:
    """Return by what to multiply the odds of each class for so many times as many rows of it in a window.

    It is the same factor at all scores of the class [1]_; the better they tell rows, the more it takes.

    Parameters
    ----------
    calibration : Calibration
        Of a model with class scores, see `fit_calibration`.
    class_scores : int array, shape (n_classes, n_bins)
        The window's rows by class and bin of that class's score.
    ratio : float array, shape (n_classes,)
        Expected rows of each class over those that this calibration expects.

    Returns
    -------
    float ndarray, shape (n_classes,)
        Within a thousand times; 1 where no row of the window can have another label.

    Raises
    ------
    ValueError
        If there are no class scores, or not as many classes.

    References
    ----------
    .. [1] Saerens, M., Latinne, P., & Decaestecker, C. (2002). Adjusting the outputs of a classifier to new a priori
       probabilities. Neural Computation, 14(1), 21-41.

    Examples
    --------
    Half of the rows have a chance of 0.1, half of 0.8. With odds of 3 instead of 1, of each, it is 0.25 and 0.923:

    >>> counts = np.zeros((1, 3, 2), dtype=np.int64)
    >>> counts[0, 1:] = [(80, 20), (10, 90)]
    >>> scores = np.array([[[90, 10], [20, 80]], [[80, 20], [10, 90]]])
    >>> fitted = fit_calibration(Outcomes(counts, edges=np.array([0.5]), class_scores=scores))
    >>> shifted_odds(fitted, [(500, 500), (500, 500)], [(0.25 + 12 / 13) / 0.9, 1.0]).round(3)
    array([3., 1.])
    """
    rows, wanted = np.asarray(class_scores, dtype=np.float64), np.asarray(ratio, dtype=np.float64)
    chance = calibration.class_probability
    if chance is None or rows.shape != chance.shape or wanted.shape != chance.shape[:1]:
        raise ValueError(
            f"`class_scores` of shape {rows.shape} must have the calibration's classes and bins, "
            f"{None if chance is None else chance.shape}, and `ratio` of shape {wanted.shape} its classes"
        )
    total = wanted * (rows * chance).sum(axis=-1)
    low, high = np.full(len(rows), -LARGEST_LOGIT), np.full(len(rows), LARGEST_LOGIT)
    for _ in range(50):  # of bisection: a quadrillionth
        middle = (low + high) / 2
        odds = np.exp(middle)[:, np.newaxis] * chance
        too_few = (rows * odds / (odds + 1 - chance)).sum(axis=-1) < total
        low, high = np.where(too_few, middle, low), np.where(too_few, high, middle)
    moves = ((rows > 0) & (chance > 0) & (chance < 1)).any(axis=-1) & (wanted != 1)
    return np.where(moves, np.exp((low + high) / 2), 1.0)


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
    shares = label_shares(tables)
    if calibration.class_rows is None or calibration.class_squares is None:
        return Redrawn(shares, tables)
    its, squares = calibration.class_rows, calibration.class_squares
    seen = bayesian_bootstrap(its, squares=squares, draws=draws, rng=rng)
    scattered = bayesian_bootstrap(its, squares=CLASS_VARIANCE * squares, draws=draws, rng=rng)
    return Redrawn(shares, tables, RedrawnClasses(seen.sum(axis=-1), _fit_classes(seen), _fit_classes(scattered)))


def label_shares(tables: FloatArray) -> FloatArray:
    """Return P(label | place, prediction); of a cell without rows the whole table's, of an empty table even shares.

    Parameters
    ----------
    tables : float array, shape (..., n_places, n_predictions, n_labels)
        Rows per cell.

    Returns
    -------
    float ndarray
        Shaped so; by place and prediction the shares add up to 1.

    Examples
    --------
    >>> label_shares(np.array([[[8, 2], [0, 0]]]))
    array([[[0.8, 0.2],
            [0.8, 0.2]]])
    """
    rows = tables.sum(axis=-1, keepdims=True)
    overall = tables.sum(axis=(-3, -2), keepdims=True)
    even, total = np.full(overall.shape, 1 / tables.shape[-1]), overall.sum(axis=-1, keepdims=True)
    overall = np.divide(overall, total, out=even, where=np.broadcast_to(total > 0, overall.shape))
    overall = np.broadcast_to(overall, tables.shape).copy()
    shares: FloatArray = np.divide(tables, rows, out=overall, where=np.broadcast_to(rows > 0, tables.shape))
    return shares


def _checked_groups(groups: npt.ArrayLike, size: int, what: str) -> IntArray:
    group = np.asarray(groups)
    if group.shape != (size,) or group[0] != 0 or not np.isin(np.diff(group), (0, 1)).all():
        raise ValueError(f"`groups` must number the groups of {size} {what} in order, from 0 without gaps")
    return group


def _first_of(group: IntArray) -> IntArray:
    """Return the first member of each group."""
    return np.flatnonzero(np.diff(group, prepend=-1))


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
