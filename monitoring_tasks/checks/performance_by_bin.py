"""Performance in every bin of every feature: where the model is wrong, and how much of its loss that is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from monitoring_tasks.checks.check import CheckContext
from monitoring_tasks.checks.labels import provisional
from monitoring_tasks.checks.measurable import lacks
from monitoring_tasks.checks.result import Result
from monitoring_tasks.checks.wording import counted, number, percent
from monitoring_tasks.labels_profile import LabelsProfile
from monitoring_tasks.profile import readable
from monitoring_tasks.statistics.histogram import FloatArray, IntArray
from monitoring_tasks.statistics.multiple_testing import benjamini_hochberg
from monitoring_tasks.statistics.performance import Outcomes, PerformanceMetric, interval, performance_metric

LOSSES: Mapping[str, tuple[str, ...]] = {
    "binary_classification": ("brier", "accuracy"),
    "multiclass_classification": ("brier", "accuracy"),
    "regression": ("mae",),
}
"""By task: what a bin's share of the loss is a share of; the first that is known."""

ROWS_FOR_METRIC = 50
"""Labelled rows from which on a bin has a row of the deciding metric too; of fewer its interval says nothing."""

WITHIN: Mapping[str, str] = {
    "mae": "about 6 %",
    "rmse": "about 9 %",
    "brier": "about 4 %",
    "log_loss": "about 4 %",
}
"""How exact a bin's metric is that is a mean of losses, see `LabelsProfile.by_bin`."""

NAMED_BINS = 10
"""Worst bins that are named, at most."""


def performance_by_bin(
    context: CheckContext, whole: LabelsProfile, decided: Sequence[PerformanceMetric]
) -> list[Result]:
    """Return performance, its interval and its share of the loss of every bin of every feature; and the worst bins."""
    loss = loss_metric(context, whole)
    if loss is None or not whole.labelled:
        return []
    metrics = list(dict.fromkeys([*decided[:1], loss]))
    results: list[Result] = []
    judged: list[Bin] = []
    for name in context.baseline.features:
        if name not in whole.columns:
            continue
        outcomes, labels = whole.by_bin(name), context.baseline.bins[name].labels()
        rows = outcomes.rows
        bins = _bins(name, labels, outcomes, loss)
        for metric in metrics:
            if not metric.suits(outcomes) or name in context.monitor.segments:  # segments have rows of their own
                continue
            values = metric.function(outcomes)
            lower, upper = interval(metric, outcomes)
            for i in np.flatnonzero(rows if metric is loss else rows >= ROWS_FOR_METRIC):
                value = float(values[i])
                segment = f"{name}={readable(labels[i])}"
                its = Result(
                    metric.name, segment=segment, window_rows=int(rows[i]), status="info", detail=bins[i].detail
                )
                if math.isnan(value):
                    continue
                words = f"{metric.label} {number(value)} of {segment}, {counted(int(rows[i]), 'labelled row')}"
                share = f"{percent(bins[i].loss_share)} of the loss in {percent(bins[i].row_share)} of the rows"
                if metric.name in WITHIN:
                    share += f" (losses by outcome, within {WITHIN[metric.name]})"
                results.append(
                    replace(
                        its,
                        value=value,
                        value_lower=_known(float(lower[i])),
                        value_upper=_known(float(upper[i])),
                        message=f"{words}: {share}{provisional(context)}",
                    )
                )
        judged += [bins[i] for i in np.flatnonzero(rows)]
    worst = _worst(judged, loss, whole)
    return [*results, replace(worst, message=f"{worst.message}{provisional(context)}")]


@dataclass(frozen=True)
class Bin:
    """One bin of a feature: how much of the loss lies in it, and whether that is more than elsewhere."""

    column: str
    label: str
    rows: int
    loss: float
    """Mean over its rows."""
    loss_share: float
    row_share: float
    p_value: float
    """Of a mean loss no larger than that of all other rows."""

    @property
    def detail(self) -> dict[str, float]:
        """What stands beside its performance."""
        return {"loss": self.loss, "loss_share": self.loss_share, "row_share": self.row_share}


def loss_metric(context: CheckContext, profile: LabelsProfile) -> PerformanceMetric | None:
    """Return the metric whose loss is shared out among bins."""
    for name in LOSSES[context.monitor.task or "regression"]:
        metric = performance_metric(name)
        if lacks(metric, profile) is None:
            return metric
    return None


def _bins(name: str, labels: Sequence[str], outcomes: Outcomes, loss: PerformanceMetric) -> list[Bin]:
    """Measure the loss of every bin, and test it against that of all other rows by Welch's test."""
    from scipy.special import ndtr

    rows, sums, squares = losses(outcomes, loss)
    total, all_rows = sums.sum(), rows.sum()
    others = all_rows - rows
    with np.errstate(divide="ignore", invalid="ignore"):
        mean, rest = sums / rows, (total - sums) / others
        variance = np.maximum(squares / rows - mean**2, 0) / np.maximum(rows - 1, 1)
        rest_variance = np.maximum((squares.sum() - squares) / others - rest**2, 0) / np.maximum(others - 1, 1)
        z = (mean - rest) / np.sqrt(variance + rest_variance)
    p_values = np.where(np.isfinite(z), ndtr(-z), np.nan)
    return [
        Bin(
            column=name,
            label=label,
            rows=int(rows[i]),
            loss=float(mean[i]),
            loss_share=float(sums[i] / total) if total else 0.0,
            row_share=float(rows[i] / all_rows) if all_rows else 0.0,
            p_value=float(p_values[i]),
        )
        for i, label in enumerate(labels)
    ]


def losses(outcomes: Outcomes, loss: PerformanceMetric) -> tuple[IntArray, FloatArray, FloatArray]:
    """Return rows, summed loss and summed squares of it, of each table."""
    axes = (-3, -2, -1)
    if loss.name == "accuracy":
        confusion = outcomes.confusion
        rows = confusion.sum(axis=(-2, -1))
        wrong = rows - np.trace(confusion, axis1=-2, axis2=-1)
        return rows, wrong.astype(np.float64), wrong.astype(np.float64)
    names = {"brier": ("brier", "brier_squares"), "mae": ("absolute_error", "error_squares")}[loss.name]
    counted_rows = outcomes.counts[..., 1:, :, :].sum(axis=axes) if outcomes.counts.shape[-3] > 1 else outcomes.rows
    return counted_rows, *(outcomes.sums[name].sum(axis=axes) for name in names)


FEWEST_ROWS = 20
"""Labelled rows of a bin that is called one of the worst."""


def _worst(bins: Sequence[Bin], loss: PerformanceMetric, whole: LabelsProfile) -> Result:
    """Name the bins whose loss is above that of all other rows, corrected for how many were looked at."""
    judged = [each for each in bins if each.rows >= FEWEST_ROWS and not math.isnan(each.p_value)]
    significant = benjamini_hochberg([each.p_value for each in judged], 0.05) if judged else np.zeros(0, bool)
    worst = [each for each, is_worse in zip(judged, significant, strict=True) if is_worse]
    worst.sort(key=lambda each: (-(each.loss_share - each.row_share), each.column, each.label))
    named = [
        {"column": each.column, "bin": readable(each.label), "rows": each.rows, "p_value": each.p_value, **each.detail}
        for each in worst[:NAMED_BINS]
    ]
    first = "; ".join(
        f"{each.column}={readable(each.label)} ({percent(each.loss_share)} of the loss in {percent(each.row_share)} "
        "of the rows)"
        for each in worst[:3]
    )
    message = f"{len(worst)} of {counted(len(judged), 'bin')} lose more than the rest{': ' + first if first else ''}"
    return Result(
        "worst_bins",
        value=len(worst),
        window_rows=whole.labelled,
        status="info",
        message=message,
        detail={"loss": loss.name, "bins": named, "looked_at": len(judged)},
    )


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
