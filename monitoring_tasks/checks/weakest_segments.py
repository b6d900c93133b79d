"""The weakest segments of a window: groups by one feature or by two in which the model loses more than elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitoring_tasks.checks.check import CheckContext
from monitoring_tasks.checks.labels import provisional
from monitoring_tasks.checks.result import Result
from monitoring_tasks.checks.wording import counted, number, percent
from monitoring_tasks.profile import Bins
from monitoring_tasks.segment_labels import segment_label
from monitoring_tasks.statistics.histogram import FloatArray
from monitoring_tasks.statistics.performance import PerformanceMetric
from monitoring_tasks.statistics.performance.weak_segments import (
    SegmentFeature,
    WeakSegment,
    weak_segments,
)

if TYPE_CHECKING:
    from monitoring_tasks.labelled_rows import LabelledRows, LabelledSamples

NAMED = 5
"""Segments that are named, at most."""


def weakest_segments(context: CheckContext, loss: PerformanceMetric, drawn: LabelledSamples) -> Result:
    """Search all features and all pairs of them for where the model is worst, on the rows that were drawn."""
    from monitoring_tasks.bin_numbers import bin_numbers

    rows, bins = drawn.window, dict(context.baseline.bins)
    names = rows.features.column_names
    layouts = [SegmentFeature(name, bins[name].layout) for name in names]
    found = weak_segments(
        layouts, bin_numbers(rows.features, [bins[name] for name in names]), _losses(rows, loss), limit=NAMED
    )
    named = [
        {
            "segment": segment_label(each.groups, bins),
            "rows": each.rows,
            "row_share": each.row_share,
            "loss": each.mean_loss,
            "loss_lower": each.lower,
            "loss_upper": each.upper,
            "loss_share": each.loss_share,
            "other_loss": each.other_mean_loss,
            "p_value": each.p_value,
        }
        for each in found
    ]
    message = f"no segment by one feature or by two is worse than chance explains, of {counted(len(rows), 'row')} drawn"
    if found:
        message = "; ".join(_sentence(each, bins) for each in found[:3])
    detail = {"loss": loss.name, "segments": named, "rows": len(rows)}
    return Result(
        "weakest_segments",
        value=len(found),
        window_rows=len(rows),
        status="info",
        message=f"{message}{provisional(context)}",
        detail=detail,
    )


def _losses(rows: LabelledRows, loss: PerformanceMetric) -> FloatArray:
    if loss.name == "accuracy":
        return rows.wrong
    return rows.losses[{"brier": "brier", "mae": "absolute_error"}[loss.name]]


def _sentence(segment: WeakSegment, bins: dict[str, Bins]) -> str:
    shares = f"{percent(segment.loss_share)} of all in {percent(segment.row_share)} of the rows"
    losses = f"loss {number(segment.mean_loss)} instead of {number(segment.other_mean_loss)}"
    return f"{segment_label(segment.groups, bins)}: {losses}, {shares}"
