"""Whether all the rows that were expected came, where a table says which or how many those are."""

from __future__ import annotations

from dataclasses import replace

from monitoring_tasks.checks.check import CheckContext
from monitoring_tasks.checks.result import Result
from monitoring_tasks.checks.unfamiliar import shown
from monitoring_tasks.checks.wording import counted, percent


def completeness(context: CheckContext, minimum: float) -> Result | None:
    """Return the row `completeness`; None of a monitor that names no table of expected rows.

    Of keys it is the share of the expected ones that came. Of counts it is the rows that came over those expected, at
    most 1: rows too many do not make up for others that are missing, and the message tells how many they are. It is a
    fact about the window, not a sample of anything, and so has no interval.

    Parameters
    ----------
    context
        The window.
    minimum
        The share that must have come.
    """
    traffic = context.traffic
    if traffic is None or traffic.expected is None:
        return None
    expected, rows = traffic.expected, traffic.rows
    if expected.unreadable is not None:
        return Result("completeness", status="error", window_rows=rows, message=expected.unreadable)
    if expected.rows is None:
        message = "it is not known how many rows were expected"
        return Result("completeness", status="insufficient_data", window_rows=rows, message=message)
    if expected.rows == 0:
        message = "no row was expected" + (f", {rows:,} came" if rows else "")
        return Result("completeness", status="info", window_rows=rows, message=message)
    missing = expected.missing if expected.missing is not None else max(expected.rows - rows, 0)
    came = expected.rows - missing
    share = came / expected.rows
    result = Result(
        "completeness",
        value=share,
        threshold_lower=minimum,
        window_rows=rows,
        detail={"expected": expected.rows, "missing": missing, "examples": list(expected.examples)},
    )
    message = f"{came:,} of {counted(expected.rows, 'expected row')} came: {percent(share)}"
    message += f" (alarm below {percent(minimum)})"
    if expected.missing is None and rows > expected.rows:
        message = f"all of {counted(expected.rows, 'expected row')} came, and {rows - expected.rows:,} more"
    if expected.examples and missing:
        more = missing - len(expected.examples)
        named = ", ".join(shown(key) for key in expected.examples)
        message += f"; missing: {named}{f' and {more:,} more' if more > 0 else ''}"
    return replace(result, message=message)
