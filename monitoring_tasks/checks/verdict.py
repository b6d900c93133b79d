"""The whole window in two rows: which share of the columns moved, and whether anything did at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from monitoring_tasks.checks import wording
from monitoring_tasks.checks.result import Result, Status
from monitoring_tasks.statistics.multiple_testing import simes

NAMED = 3
"""Columns that the message names; all of them stand in `detail`."""


def verdict(
    results: Sequence[Result], p_values: Sequence[float], rate: float, importance: Mapping[str, float]
) -> list[Result]:
    """Return the rows `drifted_share` and `global_test` of one segment.

    Parameters
    ----------
    results
        The decided rows of its columns.
    p_values
        Of its columns; NaN of those that were not judged.
    rate
        Share of undrifted windows that may have an alarm.
    importance
        Weights of columns, 1 for those without.

    Returns
    -------
    list of Result
        Empty where there are no rows: none of the metrics asked for suits any of the columns.
    """
    if not results:
        return []
    judged = dict.fromkeys(r.column_name for r in results if r.decided() in ("ok", "warning", "alarm"))
    moved = {r.column_name for r in results if r.decided() == "alarm"}
    rows, segment, baseline_rows = results[0].window_rows, results[0].segment, results[0].baseline_rows
    about = {"segment": segment, "window_rows": rows}
    if not judged:
        message = f"no column could be judged, with {wording.counted(rows or 0, 'row')} in the window"
        return [Result("drifted_share", status="insufficient_data", message=message, **about)]  # type: ignore[arg-type]
    ranking = _ranking(results, importance)
    weights = {name: importance.get(name, 1.0) for name in judged}
    total = sum(weights.values())
    first = [name for name, _ in ranking if name in moved][:NAMED]
    more = f" and {len(moved) - len(first)} more" if len(moved) > len(first) else ""
    most = f": {', '.join(first)}{more}" if first else ""
    message = f"{len(moved)} of {wording.counted(len(judged), 'column')} moved{most}"
    share = Result(
        "drifted_share",
        value=sum(weights[name] for name in moved) / total if total else None,
        segment=segment,
        baseline_rows=baseline_rows,
        window_rows=rows,
        status="info",
        message=message,
        detail={"ranking": [{"column": name, "moved": moved_by} for name, moved_by in ranking]},
    )
    p_value = simes(p_values)
    if np.isnan(p_value):
        return [share]
    worst = {result.decided() for result in results}
    status: Status = "alarm" if "alarm" in worst else "warning" if "warning" in worst else "ok"
    sure = f"{wording.p_value(p_value)} over {wording.counted(len(judged), 'column')}"
    if p_value <= rate:
        found = "the window differs, by less than matters" if status == "ok" else "the window differs from its baseline"
    else:
        found = "nothing beyond chance" if status == "ok" else "chance alone may do this, but a column moved"
    return [
        share,
        Result(
            "global_test",
            value=p_value,
            segment=segment,
            p_value=p_value,
            baseline_rows=baseline_rows,
            window_rows=rows,
            status=status,
            message=f"{found}: {sure}",
        ),
    ]


def _ranking(results: Sequence[Result], importance: Mapping[str, float]) -> list[tuple[str, float]]:
    """Return the judged columns, those that moved farthest first.

    How far is the size over the smallest one that matters, of the metric that shows it most, times the importance.
    """
    moved: dict[str, float] = {}
    for result in results:
        size = result.detail.get("effect", result.value)
        bound = result.detail.get("effect_threshold", result.threshold_upper)
        if result.decided() in ("ok", "warning", "alarm") and size is not None and bound is not None:
            by = float(size) / bound if bound > 0 else float(size)
            by *= importance.get(result.column_name, 1.0)
            moved[result.column_name] = max(moved.get(result.column_name, 0.0), by)
    return sorted(moved.items(), key=lambda item: (-item[1], item[0]))
