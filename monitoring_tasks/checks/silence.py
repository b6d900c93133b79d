"""Whether rows stopped coming: the longest time without one in the window, and that at its end."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from statistics import median

from monitoring_tasks.checks.check import CheckContext
from monitoring_tasks.checks.result import Result
from monitoring_tasks.checks.wording import at_this_time, counted
from monitoring_tasks.statistics.longest_gap import last_gap, longest_gap
from monitoring_tasks.statistics.prediction_interval import FEWEST, MOST, prediction_interval
from monitoring_tasks.traffic import MINUTE, Traffic
from monitoring_tasks.window import format_duration, format_instant

LONGER = 2.0
"""So many times what is usual is the smallest change that matters."""

LEAST = 0.05
"""Standard deviation that the logarithm of a silence is taken to have at least: a twentieth of itself, about."""

LARGEST = 1.5
"""The largest that is thought of: that of one gap between rows that come at random is 1.28 (Gumbel, 1935)."""


def longest_silence(context: CheckContext, maximum: timedelta | None, rate: float) -> Result | None:
    """Return the row `longest_silence`, in seconds; None where the times of the rows are not known.

    Above `maximum` it is an alarm. By default it must be longer than earlier windows of the same time of the week let
    expect, at least `LONGER` times what is usual in them, and longer than chance makes it between as many rows as they
    have (or as came, where those are fewer, down to half of them), were they spread evenly.

    Parameters
    ----------
    context
        The window.
    maximum
        The longest one that is in order.
    rate
        Share of windows in order that chance may make as silent, for earlier windows.
    """
    traffic = context.traffic
    if traffic is None or traffic.silence is None:
        return None
    silence = traffic.silence
    start, end = format_instant(silence.start), format_instant(silence.end)
    value = silence.length.total_seconds()
    earlier = [(each.rows, each.silence.length) for each in context.traffic_before() if each.silence is not None]
    bound = _bound(traffic, earlier, maximum, longest_gap, rate)
    result = Result(
        "longest_silence",
        value=value,
        threshold_upper=bound.seconds,
        window_rows=traffic.rows,
        detail={"from": start, "to": end, **bound.detail},
    )
    word = "no row for" if result.decided() == "alarm" else "longest time without a row:"
    return replace(result, message=f"{word} {in_words(value)}, from {start} to {end}{bound.words}")


def freshness(context: CheckContext, maximum: timedelta | None, rate: float) -> Result | None:
    """Return the row `freshness`, the seconds from the last row to the window's end, decided as `longest_silence` is.

    None where the times of the rows are not known.
    """
    traffic = context.traffic
    if traffic is None or not traffic.parts:
        return None
    if traffic.last is None:
        return Result("freshness", window_rows=0, status="insufficient_data", message="no rows")
    value = (traffic.window.end - traffic.last).total_seconds()
    before = [each for each in context.traffic_before() if each.parts]
    earlier = [(each.rows, each.window.end - (each.last or each.window.start)) for each in before]
    bound = _bound(traffic, earlier, maximum, last_gap, rate)
    last = format_instant(traffic.last.replace(microsecond=0))
    result = Result(
        "freshness",
        value=value,
        threshold_upper=bound.seconds,
        window_rows=traffic.rows,
        detail={"last": format_instant(traffic.last), **bound.detail},
    )
    verb = "rows came until" if result.decided() != "alarm" else "rows came only until"
    return replace(result, message=f"{verb} {last}, {in_words(value)} before the window's end{bound.words}")


@dataclass(frozen=True)
class _Bound:
    seconds: float | None
    words: str
    detail: Mapping[str, object] = field(default_factory=dict)


def _bound(
    traffic: Traffic,
    earlier: Sequence[tuple[int, timedelta]],
    maximum: timedelta | None,
    by_chance: Callable[[float, float], float],
    rate: float,
) -> _Bound:
    """Return the longest time that is in order, by the rows and the times of earlier windows."""
    if maximum is not None:
        return _Bound(maximum.total_seconds(), f" (alarm above {in_words(maximum.total_seconds())})")
    if len(earlier) < FEWEST:
        few = f"{counted(len(earlier), 'earlier window')}{at_this_time(traffic.window, 'of')}, {FEWEST} are needed"
        return _Bound(None, f", with too few to compare: {few}")
    recent = earlier[-MOST:]
    # Silences of less than a minute are not seen where they lie inside of one.
    seconds = [max(length.total_seconds(), MINUTE.total_seconds()) for _, length in recent]
    usual = median(seconds)
    interval = prediction_interval([math.log(each) for each in seconds], least=LEAST, most=LARGEST, sure=0.0)
    # Only longer ones are out of order: one side of an interval that errs twice as often on both.
    unlike = round(math.exp(interval.bounds(min(2 * rate, 0.5))[1]), 6)
    rows = median(rows for rows, _ in recent)
    chance = by_chance(min(rows, max(traffic.rows, rows / 2)), rate) * traffic.window.length.total_seconds()
    bound = max(LONGER * usual, unlike, chance)
    detail = {"usual": usual, "earlier": seconds, "by_chance": chance}
    words = f" ({in_words(usual)} is usual{at_this_time(traffic.window, 'at')}; "
    if bound >= traffic.window.length.total_seconds():
        return _Bound(bound, f"{words}no alarm, for even a window without a row would not be unusual)", detail)
    return _Bound(bound, f"{words}alarm above {in_words(bound)})", detail)


def in_words(seconds: float) -> str:
    """Write how long something lasted, to the minute from an hour on.

    Examples
    --------
    >>> in_words(42.4), in_words(312), in_words(18_750), in_words(0)
    ('42s', '5m12s', '5h12m', '0s')
    """
    step = 60 if seconds >= 3600 else 1
    return format_duration(timedelta(seconds=seconds // step * step))
