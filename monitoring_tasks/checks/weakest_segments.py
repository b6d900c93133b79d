"""The weakest segments of a window: groups by one feature or by two in which the model loses more than elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from monitoring_tasks.checks.check import CheckContext
from monitoring_tasks.checks.labelled_rows import codes
from monitoring_tasks.checks.result import Result
from monitoring_tasks.checks.wording import counted, number, percent
from monitoring_tasks.labelled_rows import LabelledRows, LabelledSamples
from monitoring_tasks.profile import Bins, readable
from monitoring_tasks.statistics.histogram import FloatArray
from monitoring_tasks.statistics.performance import PerformanceMetric
from monitoring_tasks.statistics.performance.weak_segments import (
    SegmentFeature,
    SegmentGroup,
    WeakSegment,
    weak_segments,
)

NAMED = 5
"""Segments that are named, at most."""


def weakest_segments(context: CheckContext, loss: PerformanceMetric, drawn: LabelledSamples) -> Result:
    """Search all features and all pairs of them for where the model is worst, on the rows that were drawn."""
    rows, bins = drawn.window, dict(context.baseline.bins)
    names = rows.features.column_names
    layouts = [SegmentFeature(name, bins[name].layout) for name in names]
    found = weak_segments(layouts, codes(rows, bins), _losses(rows, loss), limit=NAMED)
    named = [
        {
            "segment": in_words(each.groups, bins),
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
        "weakest_segments", value=len(found), window_rows=len(rows), status="info", message=message, detail=detail
    )


def _losses(rows: LabelledRows, loss: PerformanceMetric) -> FloatArray:
    if loss.name == "accuracy":
        return rows.wrong
    return rows.losses[{"brier": "brier", "mae": "absolute_error"}[loss.name]]


def _sentence(segment: WeakSegment, bins: dict[str, Bins]) -> str:
    shares = f"{percent(segment.loss_share)} of all in {percent(segment.row_share)} of the rows"
    losses = f"loss {number(segment.mean_loss)} instead of {number(segment.other_mean_loss)}"
    return f"{in_words(segment.groups, bins)}: {losses}, {shares}"


def in_words(groups: Sequence[SegmentGroup], bins: dict[str, Bins]) -> str:
    """Name a segment as people read it.

    Examples
    --------
    >>> hours, carriers = Bins("numeric", (5.0, 10.0, 17.0, 20.0)), Bins("categorical", categories=("EV", "MQ"))
    >>> bins = {"hour": hours, "carrier": carriers}
    >>> in_words([SegmentGroup("carrier", (1,)), SegmentGroup("hour", (3, 4))], bins)
    'carrier=EV and hour=[10,20)'
    """
    return " and ".join(f"{group.feature}{_values(group, bins[group.feature])}" for group in groups)


def _values(group: SegmentGroup, bins: Bins) -> str:
    labels = [readable(bins.labels()[place]) for place in group.bins]
    if len(labels) == 1:
        return f"={labels[0]}"
    if bins.kind == "categorical":
        return f" in ({', '.join(labels)})"
    first, last = labels[0].strip("[]()").split(",")[0], labels[-1]
    start = "(" if labels[0].startswith("(") else "["
    end = f"{last.strip('[]()')}]" if "," not in last else last.split(",")[1]
    return f"={start}{first},{end}"
