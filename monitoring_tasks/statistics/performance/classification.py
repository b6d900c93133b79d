"""Metrics of predicted classes: accuracy, balanced accuracy, precision, recall, specificity, F1 and MCC."""

from __future__ import annotations

from functools import partial

import numpy as np

from monitoring_tasks.statistics.histogram import FloatArray
from monitoring_tasks.statistics.performance.confusion import (
    ConfusionRatio,
    averaged,
    averaged_estimate,
    derivative_per_class,
    multinomial_variance,
    one_versus_rest,
    value_per_class,
)
from monitoring_tasks.statistics.performance.metric import (
    Average,
    Estimate,
    MetricFunction,
    PerformanceMetric,
    Task,
    ratio,
    require,
)
from monitoring_tasks.statistics.performance.outcomes import Outcomes
from monitoring_tasks.statistics.performance.wilson import wilson_ends

CLASSIFICATION: tuple[Task, ...] = ("binary", "multiclass")
_ACCURACY = ConfusionRatio((1, 0, 0, 1), (1, 1, 1, 1))
_PRECISION = ConfusionRatio((1, 0, 0, 0), (1, 1, 0, 0))
_RECALL = ConfusionRatio((1, 0, 0, 0), (1, 0, 1, 0))
_SPECIFICITY = ConfusionRatio((0, 0, 0, 1), (0, 1, 0, 1), empty=np.nan)
_F1 = ConfusionRatio((2, 0, 0, 0), (2, 1, 1, 0))


def accuracy(outcomes: Outcomes, average: Average = "macro") -> FloatArray:
    """Share of the rows with a prediction whose prediction is the label.

    Parameters
    ----------
    outcomes : Outcomes
        Of a binary or multiclass model.
    average : "macro" or "weighted"
        Changes nothing here: it is the same of all classes at once.

    Returns
    -------
    float ndarray, shape (...)
        In [0, 1], NaN without rows.

    Raises
    ------
    ValueError
        If the outcomes are of a regression.

    Examples
    --------
    >>> accuracy(Outcomes(np.array([[[0, 0], [50, 10], [5, 35]]])))
    array(0.85)
    """
    del average
    require(outcomes, CLASSIFICATION, "accuracy")
    matrix = np.asarray(outcomes.confusion, dtype=np.float64)
    return ratio(np.trace(matrix, axis1=-2, axis2=-1), matrix.sum(axis=(-2, -1)))


def balanced_accuracy(outcomes: Outcomes, average: Average = "macro") -> FloatArray:
    """Mean recall of the classes that have labelled rows, as scikit-learn's `balanced_accuracy_score`.

    Parameters
    ----------
    outcomes : Outcomes
        Of a binary or multiclass model.
    average : "macro" or "weighted"
        Changes nothing here: all classes weigh the same by definition.

    Returns
    -------
    float ndarray, shape (...)
        In [0, 1], NaN without rows. Of one labelled class it is that class's recall.

    Raises
    ------
    ValueError
        If the outcomes are of a regression.

    Examples
    --------
    >>> balanced_accuracy(Outcomes(np.array([[[0, 0], [50, 10], [5, 35]]]))).round(4)
    np.float64(0.8434)
    """
    del average
    require(outcomes, CLASSIFICATION, "balanced_accuracy")
    recalls = value_per_class(_RECALL, one_versus_rest(outcomes.confusion))
    there = ~np.isnan(recalls)
    return ratio(np.where(there, recalls, 0.0).sum(axis=-1), there.sum(axis=-1))


def precision(outcomes: Outcomes, average: Average = "macro") -> FloatArray:
    """Share of the rows predicted positive whose label is positive.

    Parameters
    ----------
    outcomes : Outcomes
        Of a binary or multiclass model.
    average : "macro" or "weighted"
        Multiclass: how the classes, each against the rest, are averaged. A class that is never predicted counts as 0,
        as in scikit-learn; one without labelled and predicted rows is left out.

    Returns
    -------
    float ndarray, shape (...)
        In [0, 1]; NaN where nothing is predicted positive (scikit-learn warns and says 0).

    Raises
    ------
    ValueError
        If the outcomes are of a regression.

    Examples
    --------
    >>> precision(Outcomes(np.array([[[0, 0], [50, 10], [5, 35]]])))
    array(0.875)
    """
    return _ratio(_PRECISION, "precision", outcomes, average)


def recall(outcomes: Outcomes, average: Average = "macro") -> FloatArray:
    """Share of the rows labelled positive that are predicted positive.

    Parameters
    ----------
    outcomes : Outcomes
        Of a binary or multiclass model.
    average : "macro" or "weighted"
        Multiclass: how the classes, each against the rest, are averaged. A class that is predicted and never labelled
        counts as 0, as in scikit-learn.

    Returns
    -------
    float ndarray, shape (...)
        In [0, 1]; NaN without positive labels (scikit-learn warns and says 0).

    Raises
    ------
    ValueError
        If the outcomes are of a regression.

    Examples
    --------
    >>> recall(Outcomes(np.array([[[0, 0], [50, 10], [5, 35]]]))).round(4)
    np.float64(0.7778)
    """
    return _ratio(_RECALL, "recall", outcomes, average)


def specificity(outcomes: Outcomes, average: Average = "macro") -> FloatArray:
    """Share of the rows labelled negative that are predicted negative.

    Parameters
    ----------
    outcomes : Outcomes
        Of a binary or multiclass model.
    average : "macro" or "weighted"
        Multiclass: how the classes, each against the rest, are averaged. A class that all rows are labelled as has
        none and is left out.

    Returns
    -------
    float ndarray, shape (...)
        In [0, 1]; NaN without negative labels.

    Raises
    ------
    ValueError
        If the outcomes are of a regression.

    Examples
    --------
    >>> specificity(Outcomes(np.array([[[0, 0], [50, 10], [5, 35]]]))).round(4)
    np.float64(0.9091)
    """
    return _ratio(_SPECIFICITY, "specificity", outcomes, average)


def f1(outcomes: Outcomes, average: Average = "macro") -> FloatArray:
    """Harmonic mean of precision and recall: 2 TP / (2 TP + FP + FN).

    Parameters
    ----------
    outcomes : Outcomes
        Of a binary or multiclass model.
    average : "macro" or "weighted"
        Multiclass: how the classes, each against the rest, are averaged.

    Returns
    -------
    float ndarray, shape (...)
        In [0, 1]; NaN where nothing is labelled or predicted positive (scikit-learn warns and says 0).

    Raises
    ------
    ValueError
        If the outcomes are of a regression.

    Examples
    --------
    >>> f1(Outcomes(np.array([[[0, 0], [50, 10], [5, 35]]]))).round(4)
    np.float64(0.8235)
    """
    return _ratio(_F1, "f1", outcomes, average)


def mcc(outcomes: Outcomes, average: Average = "macro") -> FloatArray:
    """Matthews' correlation of prediction and label [1]_, of several classes Gorodkin's R_K [2]_.

    Parameters
    ----------
    outcomes : Outcomes
        Of a binary or multiclass model.
    average : "macro" or "weighted"
        Changes nothing here: it is the same of all classes at once.

    Returns
    -------
    float ndarray, shape (...)
        In [-1, 1]; 0 where one class only is predicted, as such a model knows nothing; NaN where one class only is
        labelled, as then nothing can be known of it (scikit-learn says 0).

    Raises
    ------
    ValueError
        If the outcomes are of a regression.

    References
    ----------
    .. [1] Matthews, B. W. (1975). Comparison of the predicted and observed secondary structure of T4 phage lysozyme.
       Biochimica et Biophysica Acta, 405(2), 442-451.
    .. [2] Gorodkin, J. (2004). Comparing two K-category assignments by a K-category correlation coefficient.
       Computational Biology and Chemistry, 28(5-6), 367-374.

    Examples
    --------
    >>> mcc(Outcomes(np.array([[[0, 0], [50, 10], [5, 35]]]))).round(4)
    np.float64(0.6975)
    """
    del average
    require(outcomes, CLASSIFICATION, "mcc")
    return _correlation(np.asarray(outcomes.confusion, dtype=np.float64))


def _ratio(quotient: ConfusionRatio, name: str, outcomes: Outcomes, average: Average) -> FloatArray:
    if require(outcomes, CLASSIFICATION, name) == "multiclass":
        return averaged(quotient, outcomes, average)
    return value_per_class(quotient, one_versus_rest(outcomes.confusion))[..., 1]


def _per_class(quotient: ConfusionRatio, outcomes: Outcomes) -> FloatArray:
    return value_per_class(quotient, one_versus_rest(outcomes.confusion))


def _balanced_per_class(outcomes: Outcomes) -> FloatArray:
    four = one_versus_rest(outcomes.confusion)
    return (value_per_class(_RECALL, four) + value_per_class(_SPECIFICITY, four)) / 2


def _mcc_per_class(outcomes: Outcomes) -> FloatArray:
    hit, false_alarm, miss, rest = np.moveaxis(one_versus_rest(outcomes.confusion), -1, 0)
    return _correlation(np.stack([np.stack([rest, miss], -1), np.stack([false_alarm, hit], -1)], -2))


def _ratio_estimate(quotient: ConfusionRatio, name: str, outcomes: Outcomes, average: Average = "macro") -> Estimate:
    if require(outcomes, CLASSIFICATION, name) == "multiclass":
        return averaged_estimate(quotient, outcomes, average)
    four = one_versus_rest(outcomes.confusion)[..., 1, :]
    value = value_per_class(quotient, four)
    trials = four @ np.array(quotient.denominator)
    if quotient is _F1:
        # F1 is 2 J / (1 + J) of the share J of true positives among rows labelled or predicted positive: the logit of
        # the one is that of the other less log 2, so an interval of J is one of F1, also at its bounds.
        union = four[..., :3].sum(axis=-1)
        trials = np.where(value == 1, 2 * union, union / 2)
    return Estimate(value, multinomial_variance(four, derivative_per_class(quotient, four), (-1,)), trials)


def _accuracy_estimate(outcomes: Outcomes, average: Average = "macro") -> Estimate:
    value = accuracy(outcomes, average)
    rows = np.asarray(outcomes.confusion.sum(axis=(-2, -1)), dtype=np.float64)
    return Estimate(value, ratio(value * (1 - value), rows), rows)


def _balanced_estimate(outcomes: Outcomes, average: Average = "macro") -> Estimate:
    """Square and add: the ends of a sum of independent shares from the Wilson ends of each [1]_.

    .. [1] Zou, G. Y., & Donner, A. (2008). Construction of confidence limits about effect measures. Statistics in
       Medicine, 27(10), 1693-1702.
    """
    value = balanced_accuracy(outcomes, average)
    four = one_versus_rest(outcomes.confusion)
    recalls = value_per_class(_RECALL, four)
    support = four[..., 0] + four[..., 2]
    classes = np.maximum((support > 0).sum(axis=-1), 1)
    lower, upper = wilson_ends(recalls, support)
    variance = np.nansum(ratio(recalls * (1 - recalls), support), axis=-1) / classes**2
    below = np.sqrt(np.nansum((recalls - lower) ** 2, axis=-1)) / classes
    above = np.sqrt(np.nansum((upper - recalls) ** 2, axis=-1)) / classes
    variance = np.where(np.isnan(value), np.nan, variance)
    return Estimate(value, variance, support.sum(axis=-1), ends=(value - below, value + above))


def _correlation(matrix: FloatArray) -> FloatArray:
    rows = matrix.sum(axis=(-2, -1))
    predicted, labelled = matrix.sum(axis=-1), matrix.sum(axis=-2)
    shared = np.trace(matrix, axis1=-2, axis2=-1) * rows - (predicted * labelled).sum(axis=-1)
    by_prediction = rows**2 - (predicted**2).sum(axis=-1)
    by_label = rows**2 - (labelled**2).sum(axis=-1)
    value = ratio(shared, np.sqrt(by_prediction) * np.sqrt(by_label))
    value = np.where((by_prediction <= 0) & (by_label > 0), 0.0, value)
    return np.asarray(np.clip(value, -1.0, 1.0))


def _mcc_estimate(outcomes: Outcomes, average: Average = "macro") -> Estimate:
    """Take the error where three rows were spread over the cells: of few rows, cells are empty by chance."""
    value = mcc(outcomes, average)
    matrix = np.asarray(outcomes.confusion, dtype=np.float64)
    n_classes = matrix.shape[-1]
    rows = matrix.sum(axis=(-2, -1))
    smoothed = matrix + 3 / n_classes**2
    n = smoothed.sum(axis=(-2, -1))
    predicted, labelled = smoothed.sum(axis=-1), smoothed.sum(axis=-2)
    by_prediction = n**2 - (predicted**2).sum(axis=-1)
    by_label = n**2 - (labelled**2).sum(axis=-1)
    hits = np.trace(smoothed, axis1=-2, axis2=-1)

    def cell(each: FloatArray) -> FloatArray:
        return np.asarray(each)[..., np.newaxis, np.newaxis]

    column, row = predicted[..., :, np.newaxis], labelled[..., np.newaxis, :]
    shared = np.eye(n_classes) * cell(n) + cell(hits) - labelled[..., :, np.newaxis] - predicted[..., np.newaxis, :]
    around = _correlation(smoothed)
    slope = shared / np.sqrt(cell(by_prediction * by_label)) - cell(around) * (
        (cell(n) - column) / cell(by_prediction) + (cell(n) - row) / cell(by_label)
    )
    variance = multinomial_variance(smoothed, slope)
    support = matrix.sum(axis=-2)
    fewest = np.where(support > 0, support, np.inf).min(axis=-1)
    return Estimate(value, np.where(np.isnan(value), np.nan, variance), rows, np.maximum(fewest - 1, 2.0))


def _share(name: str, label: str, function: MetricFunction, quotient: ConfusionRatio) -> PerformanceMetric:
    return PerformanceMetric(
        name,
        label,
        function,
        partial(_ratio_estimate, quotient, name),
        CLASSIFICATION,
        ("predictions",),
        "higher",
        0.0,
        1.0,
        "logit",
        partial(_per_class, quotient),
    )


METRICS: tuple[PerformanceMetric, ...] = (
    PerformanceMetric(
        "accuracy",
        "accuracy",
        accuracy,
        _accuracy_estimate,
        CLASSIFICATION,
        ("predictions",),
        "higher",
        0.0,
        1.0,
        "logit",
        partial(_per_class, _ACCURACY),
    ),
    PerformanceMetric(
        "balanced_accuracy",
        "balanced accuracy",
        balanced_accuracy,
        _balanced_estimate,
        CLASSIFICATION,
        ("predictions",),
        "higher",
        0.0,
        1.0,
        "logit",
        _balanced_per_class,
    ),
    _share("precision", "precision", precision, _PRECISION),
    _share("recall", "recall", recall, _RECALL),
    _share("specificity", "specificity", specificity, _SPECIFICITY),
    _share("f1", "F1 score", f1, _F1),
    PerformanceMetric(
        "mcc",
        "Matthews correlation",
        mcc,
        _mcc_estimate,
        CLASSIFICATION,
        ("predictions",),
        "higher",
        -1.0,
        1.0,
        "fisher",
        _mcc_per_class,
    ),
)
"""In the order people see them."""
