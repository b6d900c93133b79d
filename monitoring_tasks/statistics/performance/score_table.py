"""Rows by bin of the score and label: what the ranking of a model's rows is read from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from monitoring_tasks.statistics.histogram import FloatArray
from monitoring_tasks.statistics.performance.metric import Average, Estimate, Task, ratio, require
from monitoring_tasks.statistics.performance.outcomes import Outcomes

CLASSIFICATION: tuple[Task, ...] = ("binary", "multiclass")


def score_table(outcomes: Outcomes, name: str) -> FloatArray:
    """Return rows by bin of the score, ascending, and label, negative before positive.

    Parameters
    ----------
    outcomes : Outcomes
        Of a model that gives scores.
    name : str
        Metric that asks.

    Returns
    -------
    float ndarray
        Shape (..., n_bins, 2) of a binary model, (..., n_classes, n_bins, 2) of a multiclass one.

    Raises
    ------
    ValueError
        If the outcomes are of a regression, or rows are not counted by score.
    """
    task = require(outcomes, CLASSIFICATION, name)
    if task == "multiclass":
        if outcomes.class_scores is None:
            raise ValueError(f"{name} needs scores and `class_scores` is None: count them, or ask `metric.suits` first")
        return np.asarray(outcomes.class_scores, dtype=np.float64)
    if outcomes.counts.shape[-3] < 2:
        raise ValueError(
            f"{name} needs scores and `counts` of shape {outcomes.counts.shape} have one place, of rows without: "
            "count them, or ask `metric.suits` first"
        )
    return np.asarray(outcomes.scores, dtype=np.float64)


def is_multiclass(outcomes: Outcomes) -> bool:
    """Tell whether `score_table` has one table per class."""
    return outcomes.class_scores is not None


def over_classes(value: FloatArray, table: FloatArray, average: Average) -> tuple[FloatArray, FloatArray]:
    """Return the average over the classes whose value is defined, and each class's weight in it.

    Parameters
    ----------
    value : array, shape (..., n_classes)
        Of each class, NaN where not defined.
    table : array, shape (..., n_classes, n_bins, 2)
        Rows.
    average : "macro" or "weighted"
        Alike, or by the rows labelled as the class.

    Returns
    -------
    mean : float ndarray, shape (...)
    weights : float ndarray, shape (..., n_classes)
    """
    defined = ~np.isnan(value)
    support = table[..., 1].sum(axis=-1)
    raw = np.where(defined, 1.0 if average == "macro" else support, 0.0)
    weights = ratio(raw, raw.sum(axis=-1, keepdims=True))
    return (weights * np.where(defined, value, 0.0)).sum(axis=-1), weights


def ranked(outcomes: Outcomes, average: Average, name: str, of_table: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """Return a metric of the table, of a multiclass model averaged over the classes' tables."""
    table = score_table(outcomes, name)
    value = of_table(table)
    return over_classes(value, table, average)[0] if is_multiclass(outcomes) else value


def ranked_estimate(
    outcomes: Outcomes, average: Average, name: str, of_table: Callable[[FloatArray], Estimate]
) -> Estimate:
    """Return the same with its sampling error.

    The tables of several classes hold the same rows, and how their errors go together is not counted. The error of the
    average is what it is if they go fully together, which is the largest it can be; so are its ends, those of the
    classes averaged.
    """
    table = score_table(outcomes, name)
    each = of_table(table)
    if not is_multiclass(outcomes):
        return each
    value, weights = over_classes(each.value, table, average)
    some = weights > 0

    def averaged(of_class: FloatArray) -> FloatArray:
        mean = np.where(some, weights * of_class, 0.0).sum(axis=-1)
        return np.where(np.isnan(value), np.nan, mean)

    smallest = np.where(some, each.trials, np.inf).min(axis=-1)
    freedom = np.where(some, np.broadcast_to(each.freedom, some.shape), np.inf).min(axis=-1)
    return Estimate(
        value,
        averaged(np.sqrt(each.variance)) ** 2,
        smallest,
        freedom,
        ends=None if each.ends is None else (averaged(each.ends[0]), averaged(each.ends[1])),
        centre=None if each.centre is None else averaged(each.centre),
    )


def table_per_class(outcomes: Outcomes, name: str, of_table: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """Return the metric of each class of a multiclass model against the rest, shape (..., n_classes).

    Raises
    ------
    ValueError
        If the outcomes have no scores by class.
    """
    table = score_table(outcomes, name)
    if not is_multiclass(outcomes):
        raise ValueError(f"{name} per class needs `class_scores`, which is None: a binary model has one value")
    return of_table(table)
