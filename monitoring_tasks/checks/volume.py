"""How many rows came: against what the file expects, or what earlier windows of the same time of the week had."""

from __future__ import annotations

from dataclasses import replace

from monitoring_tasks.checks.check import CheckContext
from monitoring_tasks.checks.result import Result
from monitoring_tasks.checks.wording import at_this_time, counted, number, percent
from monitoring_tasks.config import Operations, RowRange
from monitoring_tasks.statistics.prediction_interval import FEWEST, MOST
from monitoring_tasks.statistics.seasonal_volume import SeasonalVolume, seasonal_volume
from monitoring_tasks.window import format_instant

NOT_MANY = 50
"""So many rows are never too many beside earlier windows: where a customer at night brings ten, most nights have none,
and each that has some would be out of order. The file's own `expected_rows` may say less."""


def volume(context: CheckContext, settings: Operations, rate: float) -> Result:
    """Return the row `rows`.

    No row at all is an alarm, unless the file or the earlier windows say that it is in order: be they only a few, of
    which none had a row, as in the first weeks of a shop that closes at night.

    Parameters
    ----------
    context
        The window.
    settings
        With `expected_rows`, a number or a range; by default earlier windows tell.
    rate
        Share of windows in order whose number chance may make too small or too large, for earlier windows.
    """
    rows, expected = context.profile.rows, settings.expected_rows
    if isinstance(expected, RowRange):
        return _within(context, expected.minimum, expected.maximum)
    if isinstance(expected, int):
        return _within(context, max(1, expected // 2), expected * 2)
    earlier = [traffic.rows for traffic in context.traffic_before()][-MOST:]
    if len(earlier) >= FEWEST:
        usual = seasonal_volume(rows, earlier, rate, settings.minimum_effect)
        return _against(context, replace(usual, upper=max(usual.upper, NOT_MANY)), earlier)
    if rows == 0 and (not earlier or any(earlier)):
        return _within(context, None, None)
    few = f"{counted(len(earlier), 'earlier window')}{at_this_time(context.window, 'of')}, {FEWEST} are needed"
    message = f"{counted(rows, 'row')}, with too few to compare: {few}"
    if rows == 0:
        none = f"{counted(len(earlier), 'earlier window')}{at_this_time(context.window, 'of')}"
        message = f"no row in {context.window}, as in the {none}; of {FEWEST} it would be said that this is usual"
    return Result("rows", value=rows, window_rows=rows, status="info", message=message)


def _within(context: CheckContext, lower: int | None, upper: int | None) -> Result:
    rows = context.profile.rows
    if rows == 0 and lower is None:
        lower = 1
    result = Result("rows", value=rows, window_rows=rows, threshold_lower=lower, threshold_upper=upper)
    if rows == 0:
        return replace(result, message=_no_data(context))
    verdict = "in order" if result.decided() == "ok" else "not as expected"
    expected = f"{lower if lower is not None else 0} to {upper if upper is not None else 'any'} expected"
    return replace(result, message=f"{rows} rows, {verdict} ({expected})")


def _no_data(context: CheckContext) -> str:
    return f"no data: table {context.monitor.inference_log.table!r} has no row in {context.window}"


def _against(context: CheckContext, usual: SeasonalVolume, earlier: list[int]) -> Result:
    rows = context.profile.rows
    result = Result(
        "rows",
        value=rows,
        p_value=usual.p_value,
        threshold_lower=usual.lower,
        threshold_upper=usual.upper,
        window_rows=rows,
        detail={"expected": usual.expected, "earlier": earlier},
    )
    those = f"{counted(usual.windows, 'earlier window')}{at_this_time(context.window, 'of')}"
    of = f"the median of {those} is {number(usual.expected)}"
    bounds = [f"below {number(usual.lower)}"] * (usual.lower > 0) + [f"above {number(usual.upper)}"]
    expected = f"{of} (alarm {' or '.join(bounds)})"
    if rows == 0:
        if result.decided() == "alarm":
            return replace(result, message=f"{_no_data(context)}; {expected}")
        without = sum(each == 0 for each in earlier)
        none = f"{without} of {counted(usual.windows, 'earlier window')} had none"
        message = f"no row in {context.window}, which is usual{at_this_time(context.window, 'at')}: {none}"
        if 4 * without <= usual.windows:
            message = f"no row in {context.window}, but chance alone may do this: {none}, and {of}"
        return replace(result, message=message)
    verdict = "as usual"
    if result.decided() == "alarm":
        verdict = "fewer than usual" if rows < usual.expected else "more than usual"
        if usual.expected > 0:
            change = rows / usual.expected - 1
            verdict = f"{percent(-change)} {verdict}" if change < 0 else f"{number(1 + change)} times as many as usual"
    return replace(result, message=f"{counted(rows, 'row')}, {verdict}: {expected}")


def throughput(context: CheckContext) -> Result | None:
    """Return the row `throughput`, rows per second, with the rows of each part of the window; None if not known."""
    traffic = context.traffic
    if traffic is None:
        return None
    seconds = traffic.window.length.total_seconds()
    value = traffic.rows / seconds
    message = f"{number(value)} rows a second"
    detail: dict[str, object] = {}
    if traffic.parts:
        length = traffic.window.length / len(traffic.parts)
        most = max(traffic.parts)
        place = traffic.parts.index(most)
        peak, at = most / length.total_seconds(), traffic.window.start + place * length
        detail = {
            "parts": list(traffic.parts),
            "part_seconds": length.total_seconds(),
            "peak": peak,
            "peak_from": format_instant(at),
        }
        if most:
            message += f", {number(peak)} at most: from {format_instant(at)} to {format_instant(at + length)}"
    return Result("throughput", value=value, window_rows=traffic.rows, status="info", message=message, detail=detail)
