"""What the performance checks know about a metric, and what a metric's estimate consists of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

import numpy as np

from monitoring_tasks.statistics.histogram import FloatArray
from monitoring_tasks.statistics.performance.outcomes import Outcomes

Task = Literal["binary", "multiclass", "regression"]
"""What the model answers."""
Average = Literal["macro", "weighted"]
"""How the classes of a multiclass model are averaged: alike, or by their labelled rows."""
Need = Literal["predictions", "scores", "sums"]
"""What outcomes must hold: rows by predicted class, rows by bin of a score or residual, or sums over rows."""
Scale = Literal["logit", "fisher", "log", "log_of_remainder", "identity"]
"""On which a metric's error is about normal and its bounds are infinitely far, see `interval.on_scale`."""


class MetricFunction(Protocol):
    """Outcomes in, one value per table out. `average` matters to a multiclass model only."""

    def __call__(self, outcomes: Outcomes, average: Average = "macro") -> FloatArray:
        """Return the value of each table, NaN where it is not defined; shape (...)."""
        ...


@dataclass(frozen=True, eq=False)
class Estimate:
    """A metric's value with its sampling error; all arrays have the shape of the outcomes' leading axes."""

    value: FloatArray
    """What the metric's function gives."""
    variance: FloatArray
    """Of the value, by its influence function: the sum over cells of rows times squared derivative."""
    trials: FloatArray
    """Rows that a value at a bound stands for, where the variance is 0 and says nothing."""
    freedom: FloatArray = field(default_factory=lambda: np.asarray(np.inf))
    """Degrees of freedom of the variance."""
    ends: tuple[FloatArray, FloatArray] | None = None
    """Lower and upper end of the 95 % interval where the metric has a better one than `interval` makes of these."""
    centre: FloatArray | None = None
    """The value less what chance adds to it, where that depends on the rows; None: the value."""


class EstimateFunction(Protocol):
    """Outcomes in, value and sampling error out."""

    def __call__(self, outcomes: Outcomes, average: Average = "macro") -> Estimate:
        """Return the estimate of each table."""
        ...


@dataclass(frozen=True)
class PerformanceMetric:
    """How right a model's answers are: a function of counted outcomes, with what is needed to judge its value."""

    name: str
    """Name in monitor files and result rows."""
    label: str
    """As messages call it."""
    function: MetricFunction
    """``function(outcomes, average="macro")``."""
    estimate: EstimateFunction
    """The same with its sampling error, for `interval`."""
    tasks: tuple[Task, ...]
    """Models it suits."""
    needs: tuple[Need, ...]
    """What the outcomes must hold."""
    better: Literal["higher", "lower", "zero"]
    """Where a good model's values lie."""
    lowest: float
    """Smallest possible value."""
    highest: float
    """Largest possible value, of a model of any of the tasks."""
    scale: Scale
    """On which windows are compared."""
    per_class: Callable[[Outcomes], FloatArray] | None = None
    """Outcomes of a classification model in, shape (..., n_classes): the binary metric of each class against the rest;
    None where there is no such thing."""
    highest_of_binary: float | None = None
    """Largest possible value of a binary model, where that is less."""

    def of_task(self, task: Task) -> PerformanceMetric:
        """Return the metric with the range that it has for models of one task: a binary Brier score is at most 1.

        Examples
        --------
        >>> from monitoring_tasks.statistics.performance import performance_metric
        >>> [performance_metric("brier").of_task(task).highest for task in ("binary", "multiclass")]
        [1.0, 2.0]
        """
        if task != "binary" or self.highest_of_binary is None:
            return self
        return replace(self, highest=self.highest_of_binary)

    def suits(self, outcomes: Outcomes) -> bool:
        """Tell whether the outcomes are of a task it fits and hold what it needs."""
        task = task_of(outcomes)
        # The calibration error of a multiclass model is from its counted scores.
        counted = task == "multiclass" and "scores" in self.needs
        summed = counted or all(name in outcomes.sums for name in SUMS.get(self.name, ()))
        return (
            task in self.tasks
            and summed
            and ("scores" not in self.needs or has_scores(outcomes))
            and ("predictions" not in self.needs or outcomes.counts.shape[-2] > 1)
        )


SUMS = {
    "log_loss": ("log_loss", "log_loss_squares"),
    "brier": ("brier", "brier_squares"),
    "expected_calibration_error": ("score",),
    "mae": ("absolute_error", "error_squares"),
    "rmse": ("error_squares", "absolute_error"),
    "mape": ("percentage_error", "percentage_error_squares"),
    "medae": ("error",),
    "r2": ("error_squares", "absolute_error", "label", "label_squares"),
    "bias": ("error", "error_squares"),
}
"""Sums that each metric or its error reads."""


def task_of(outcomes: Outcomes) -> Task:
    """Return what the model answers, by the shape of its outcomes.

    One label is a regression; more than two, or scores by class, are multiclass; else it is binary.

    Examples
    --------
    >>> task_of(Outcomes(np.zeros((1, 3, 2), dtype=int)))
    'binary'
    """
    n_labels = outcomes.counts.shape[-1]
    if n_labels == 1:
        return "regression"
    return "multiclass" if n_labels > 2 or outcomes.class_scores is not None else "binary"


def has_scores(outcomes: Outcomes) -> bool:
    """Tell whether rows are counted by bin of a score (of a residual, for regression)."""
    return outcomes.class_scores is not None if task_of(outcomes) == "multiclass" else outcomes.counts.shape[-3] > 1


def require(outcomes: Outcomes, tasks: tuple[Task, ...], name: str) -> Task:
    """Return the task of the outcomes.

    Raises
    ------
    ValueError
        If it is none of `tasks`, the ones that the metric called `name` fits.
    """
    task = task_of(outcomes)
    if task not in tasks:
        raise ValueError(
            f"`outcomes` of shape {outcomes.counts.shape} are of a {task} model, and {name} is for "
            f"{' and '.join(tasks)} ones: take a metric whose `tasks` hold {task!r}"
        )
    return task


def total(outcomes: Outcomes, name: str, first_place: int = 0) -> FloatArray:
    """Return one of the sums over the cells from a place on, shape (...).

    Raises
    ------
    ValueError
        If nothing of that name was summed.
    """
    return np.asarray(cells(outcomes, name)[..., first_place:, :, :].sum(axis=(-3, -2, -1)), dtype=np.float64)


def cells(outcomes: Outcomes, name: str) -> FloatArray:
    """Return one of the sums, shaped as the counts.

    Raises
    ------
    ValueError
        If nothing of that name was summed.
    """
    if name not in outcomes.sums:
        raise ValueError(
            f"`outcomes` have no sum {name!r}, only {sorted(outcomes.sums)}: sum it, or ask `metric.suits` first"
        )
    return np.asarray(outcomes.sums[name], dtype=np.float64)


def ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Divide, NaN where the denominator is not above 0."""
    numerator, denominator = np.broadcast_arrays(
        np.asarray(numerator, dtype=np.float64), np.asarray(denominator, dtype=np.float64)
    )
    quotient: FloatArray = np.full(denominator.shape, np.nan)
    np.divide(numerator, denominator, out=quotient, where=denominator > 0)
    return quotient
