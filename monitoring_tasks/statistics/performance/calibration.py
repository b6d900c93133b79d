"""Metrics of scores as probabilities: log loss, Brier score, expected calibration error."""

from __future__ import annotations

import numpy as np

from monitoring_tasks.statistics.histogram import FloatArray
from monitoring_tasks.statistics.intervals import Z
from monitoring_tasks.statistics.performance.metric import (
    Average,
    Estimate,
    PerformanceMetric,
    cells,
    ratio,
    require,
    total,
)
from monitoring_tasks.statistics.performance.outcomes import Outcomes
from monitoring_tasks.statistics.performance.score_table import (
    CLASSIFICATION,
    is_multiclass,
    ranked,
    ranked_estimate,
    table_per_class,
)

GROUPS = 10
"""Groups of bins that `expected_calibration_error` is taken over."""

FEWEST = 40
"""Rows of either label below which it has no interval."""


def log_loss(outcomes: Outcomes, average: Average = "macro") -> FloatArray:
    """Mean of minus the logarithm of the score that the label's class was given, exactly from its sum.

    Scores are clipped to the double's epsilon from 0 and 1 when they are summed, as scikit-learn does, so one row adds
    at most 36.04.

    Parameters
    ----------
    outcomes : Outcomes
        Of a binary or multiclass model, with the sum ``log_loss``.
    average : "macro" or "weighted"
        Changes nothing here: it is the same of all classes at once.

    Returns
    -------
    float ndarray, shape (...)
        Nats, at least 0; NaN without rows that have a score.

    Raises
    ------
    ValueError
        If the outcomes are of a regression, or nothing was summed.

    Examples
    --------
    Two rows whose label's class was given 0.9 and 0.5.

    >>> counts = np.zeros((2, 3, 2), dtype=int)
    >>> counts[1, 2, 1] = 2
    >>> losses = np.where(counts > 0, -np.log(0.9) - np.log(0.5), 0.0)
    >>> log_loss(Outcomes(counts, {"log_loss": losses})).round(4)
    np.float64(0.3993)
    """
    del average
    require(outcomes, CLASSIFICATION, "log_loss")
    return ratio(np.maximum(total(outcomes, "log_loss"), 0.0), _scored_rows(outcomes))


def brier(outcomes: Outcomes, average: Average = "macro") -> FloatArray:
    """Mean squared distance of the scores from the label [1]_, exactly from its sum.

    Of a binary model it is the mean of (score - label)**2, in [0, 1]. Of a multiclass model the squares of all classes
    add up, in [0, 2]: scikit-learn's `brier_score_loss` with ``scale_by_half=False``.

    Parameters
    ----------
    outcomes : Outcomes
        Of a binary or multiclass model, with the sum ``brier``.
    average : "macro" or "weighted"
        Changes nothing here: it is the same of all classes at once.

    Returns
    -------
    float ndarray, shape (...)
        NaN without rows that have a score.

    Raises
    ------
    ValueError
        If the outcomes are of a regression, or nothing was summed.

    References
    ----------
    .. [1] Brier, G. W. (1950). Verification of forecasts expressed in terms of probability. Monthly Weather Review,
       78(1), 1-3.

    Examples
    --------
    >>> counts = np.zeros((2, 3, 2), dtype=int)
    >>> counts[1, 2, 1] = 2
    >>> brier(Outcomes(counts, {"brier": np.where(counts > 0, 0.1**2 + 0.5**2, 0.0)})).round(4)
    np.float64(0.13)
    """
    del average
    require(outcomes, CLASSIFICATION, "brier")
    return ratio(np.maximum(total(outcomes, "brier"), 0.0), _scored_rows(outcomes))


def expected_calibration_error(outcomes: Outcomes, average: Average = "macro") -> FloatArray:
    """Mean distance between the mean score and the share of positive rows, over ten groups of bins, by their rows [1]_.

    The groups are frozen with the bins, so that windows compare: consecutive bins, as many in each group as in any
    other but one. On the quantile bins of a reference they hold about a tenth of its rows each.

    Of a multiclass model it is the classes' own [2]_, averaged. Scores are then counted and not summed: every row has
    the score in the middle of its bin, the outermost bins ending at 0 and 1. That is off by less than half the width
    of the bins.

    Parameters
    ----------
    outcomes : Outcomes
        Of a binary model, with the sum ``score``, or of a multiclass one with `class_scores`.
    average : "macro" or "weighted"
        Multiclass: how the classes, each against the rest, are averaged; those without scored rows are left out.

    Returns
    -------
    float ndarray, shape (...)
        In [0, 1]; NaN without rows that have a score. Of perfectly calibrated scores it is not 0 but about
        ``0.8 * sum(sqrt(share_g * p_g * (1 - p_g) / n))`` over the groups g: 0.1 for 100 rows with p about 0.3.

    Raises
    ------
    ValueError
        If the outcomes are of a regression, rows are not counted by score, or no scores were summed.

    References
    ----------
    .. [1] Naeini, M. P., Cooper, G. F., & Hauskrecht, M. (2015). Obtaining well calibrated probabilities using
       Bayesian binning. AAAI, 2901-2907.
    .. [2] Kull, M., et al. (2019). Beyond temperature scaling: obtaining well-calibrated multi-class probabilities with
       Dirichlet calibration. NeurIPS.

    Examples
    --------
    A hundred rows of score 0.2, 30 of them positive, and a hundred of score 0.8, 80 of them positive.

    >>> counts, scores = np.zeros((3, 3, 2), dtype=int), np.zeros((3, 3, 2))
    >>> counts[1, 1], counts[2, 2] = [70, 30], [20, 80]
    >>> scores[1, 1], scores[2, 2] = [14.0, 6.0], [16.0, 64.0]
    >>> expected_calibration_error(Outcomes(counts, {"score": scores}, edges=np.array([0.5])))
    np.float64(0.05)
    """
    return ranked(
        outcomes,
        average,
        "expected_calibration_error",
        lambda table: _calibration_error(table, _scores_of(outcomes, table)),
    )


def _scored_rows(outcomes: Outcomes) -> FloatArray:
    """Return the rows that have a score, shape (...): a row of a multiclass model has that of every class or none."""
    if outcomes.class_scores is not None:
        rows = outcomes.class_scores[..., 0, :, :].sum(axis=(-2, -1))
    elif outcomes.counts.shape[-3] > 1:
        rows = outcomes.counts[..., 1:, :, :].sum(axis=(-3, -2, -1))
    else:
        rows = outcomes.confusion.sum(axis=(-2, -1))
    return np.asarray(rows, dtype=np.float64)


def _mean_estimate(outcomes: Outcomes, name: str) -> Estimate:
    """Return a mean over rows with its error, from the sum of squares."""
    rows = _scored_rows(outcomes)
    mean = ratio(np.maximum(total(outcomes, name), 0.0), rows)
    squares = ratio(total(outcomes, f"{name}_squares"), rows)
    variance = ratio(np.maximum(squares - mean**2, 0.0), rows - 1)
    return Estimate(mean, variance, rows, np.maximum(rows - 1, 1.0))


def _scores_of(outcomes: Outcomes, table: FloatArray) -> FloatArray:
    """Return the sum of the scores of each bin of a table, (..., n_bins)."""
    if is_multiclass(outcomes):
        return np.asarray(table.sum(axis=-1) * _middles(outcomes))
    return np.asarray(cells(outcomes, "score").sum(axis=(-2, -1))[..., 1:])


def _middles(outcomes: Outcomes) -> FloatArray:
    ends = np.concatenate(([0.0], np.clip(outcomes.edges, 0.0, 1.0), [1.0]))
    return np.asarray((ends[1:] + ends[:-1]) / 2)


def _in_groups(per_bin: FloatArray) -> FloatArray:
    """Add up consecutive bins to at most ten groups of as many bins each, shape (..., n_groups)."""
    n_bins = per_bin.shape[-1]
    groups = min(GROUPS, n_bins)
    return np.asarray(np.add.reduceat(per_bin, np.arange(groups) * n_bins // groups, axis=-1))


def _calibration_error(table: FloatArray, scores: FloatArray) -> FloatArray:
    apart = np.abs(_in_groups(table[..., 1] - scores)).sum(axis=-1)
    return np.minimum(ratio(apart, table.sum(axis=(-2, -1))), 1.0)


def _calibration_estimate(table: FloatArray, summed: FloatArray) -> Estimate:
    """Take the calibration errors that could have given this value, which is biased upwards, by inverting a test.

    The groups' errors are those found, all times one factor, or alike in all groups, whichever reaches further. At
    either end the factor is such that the value found lies 1.96 of its standard deviations from its mean, both being
    those of sums of folded normal variables [1]_. Of scores that may be calibrated perfectly the lower end is 0.

    There is none where a label has fewer than `FEWEST` rows, whose sums are not normal.

    .. [1] Leone, F. C., Nelson, L. S., & Nottingham, R. B. (1961). The folded normal distribution. Technometrics, 3(4),
       543-550.
    """
    value = _calibration_error(table, summed)
    rows = _in_groups(table.sum(axis=-1))
    labels, scores = _in_groups(table[..., 1]), _in_groups(summed)
    share = np.clip((labels + scores + 1) / (2 * rows + 2), 0.0, 1.0)
    spread = np.sqrt(rows * share * (1 - share))
    total_rows = rows.sum(axis=-1)
    found = np.abs(labels - scores)
    goal = found.sum(axis=-1)
    even = ratio(rows * goal[..., np.newaxis], total_rows[..., np.newaxis])
    shapes = np.nan_to_num(np.stack([found, even]))
    above, below = _factors(shapes, spread, goal, np.array([Z, -Z]))
    lower, upper = ratio(above.min(axis=0) * goal, total_rows), ratio(below.max(axis=0) * goal, total_rows)
    _, variance = _folded(found, spread)
    lower, upper = np.minimum(lower, value), np.clip(upper, value, 1.0)
    enough = table.sum(axis=-2).min(axis=-1) >= FEWEST
    lower, upper = np.where(enough, lower, np.nan), np.where(enough, upper, np.nan)
    variance = np.where(enough, ratio(variance, total_rows**2), np.nan)
    return Estimate(value, variance, total_rows, ends=(lower, upper), centre=(lower + upper) / 2)


def _factors(shapes: FloatArray, spread: FloatArray, goal: FloatArray, sides: FloatArray) -> FloatArray:
    """Return the factors on errors of each shape at which `goal` lies so many standard deviations above the mean.

    Shapes (n_shapes, ..., n_groups), (..., n_groups), (...) and (n_sides,) give (n_sides, n_shapes, ...).
    """
    side = sides.reshape(-1, *[1] * (shapes.ndim - 1))
    low = np.zeros((len(sides), *shapes.shape[:-1]))
    high = np.full(low.shape, 64.0)
    for _ in range(40):
        middle = (low + high) / 2
        mean, variance = _folded(middle[..., np.newaxis] * shapes, spread)
        reached = mean + side * np.sqrt(variance) >= goal
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    return np.where(high < 1e-9, 0.0, high)


def _folded(distance: FloatArray, spread: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return mean and variance of the sum of absolute values of normal variables, over the last axis."""
    from scipy.special import ndtr

    z = np.divide(
        distance, spread, out=np.full(distance.shape, 40.0), where=np.broadcast_to(spread > 0, distance.shape)
    )
    z = np.minimum(z, 40.0)
    mean = spread * np.sqrt(2 / np.pi) * np.exp(-(z**2) / 2) + distance * (2 * ndtr(z) - 1)
    variance = np.maximum(distance**2 + spread**2 - mean**2, 0.0)
    return np.asarray(mean.sum(axis=-1)), np.asarray(variance.sum(axis=-1))


METRICS: tuple[PerformanceMetric, ...] = (
    PerformanceMetric(
        "log_loss",
        "log loss",
        log_loss,
        lambda outcomes, average="macro": _mean_estimate(outcomes, "log_loss"),  # noqa: ARG005
        CLASSIFICATION,
        ("sums",),
        "lower",
        0.0,
        -np.log(np.finfo(np.float64).eps),
        "log",
    ),
    PerformanceMetric(
        "brier",
        "Brier score",
        brier,
        lambda outcomes, average="macro": _mean_estimate(outcomes, "brier"),  # noqa: ARG005
        CLASSIFICATION,
        ("sums",),
        "lower",
        0.0,
        2.0,
        "log",
        highest_of_binary=1.0,
    ),
    PerformanceMetric(
        "expected_calibration_error",
        "expected calibration error",
        expected_calibration_error,
        lambda outcomes, average="macro": ranked_estimate(
            outcomes,
            average,
            "expected_calibration_error",
            lambda table: _calibration_estimate(table, _scores_of(outcomes, table)),
        ),
        CLASSIFICATION,
        ("scores", "sums"),
        "lower",
        0.0,
        1.0,
        "identity",
        lambda outcomes: table_per_class(
            outcomes,
            "expected_calibration_error",
            lambda table: _calibration_error(table, _scores_of(outcomes, table)),
        ),
    ),
)
"""In the order people see them."""
