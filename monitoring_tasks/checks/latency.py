"""How quickly the model answers: percentiles read off the histogram of latencies."""

from __future__ import annotations

from dataclasses import replace

from monitoring_tasks.checks.check import CheckContext
from monitoring_tasks.checks.drift import compared_with
from monitoring_tasks.checks.result import Result, Status
from monitoring_tasks.checks.wording import number, p_value
from monitoring_tasks.profile import ColumnProfile
from monitoring_tasks.statistics.homogeneity import INDEPENDENT_ROWS, risen_share_test
from monitoring_tasks.statistics.quantile import histogram_quantile, quantile_interval, rows_above

PERCENTILES = (50, 90, 95, 99)

JUDGED = 95
"""The percentile that has a bound."""

SLOWER = 1.5
"""So many times the reference's percentile is the smallest change that matters."""

FEWEST = 100
"""Latencies of the reference below which its 95th percentile is hardly more than its largest ones."""


def latencies(context: CheckContext, column: str, limit: float | None, rate: float) -> list[Result]:
    """Return a row for each of `PERCENTILES`.

    Parameters
    ----------
    context
        The window.
    column
        The latency, in milliseconds.
    limit
        The 95th percentile that is in order. By default `SLOWER` times that of the reference: then an alarm needs as
        well that more than 5 % of the window's rows lie above that bound by more than chance, as far as the parts of
        the reference show how much windows differ in their level.
    rate
        Share of windows without a change in which chance may do that.
    """
    profile = context.profile.columns[column]
    results = [_percentile(context, profile, percentile) for percentile in PERCENTILES]
    if not any(profile.counts[1:]):
        return results
    place = PERCENTILES.index(JUDGED)
    judged = _fixed(results[place], limit) if limit is not None else _compared(context, results[place], profile, rate)
    return [*results[:place], judged, *results[place + 1 :]]


def _percentile(context: CheckContext, profile: ColumnProfile, percentile: int) -> Result:
    counts, edges = profile.counts[1:], context.baseline.bins[profile.column].edges
    result = Result(f"latency_p{percentile}", column_name=profile.column, window_rows=sum(counts))
    if not any(counts):
        return replace(result, status="insufficient_data", message="no latencies")
    about = (counts, edges, percentile / 100, profile.minimum, profile.maximum)
    value, (lower, upper) = histogram_quantile(*about), quantile_interval(*about)
    assert value is not None
    message = f"{percentile} % of answers took at most {number(value)} ms"
    above = sum(counts[:-1]) < percentile / 100 * sum(counts)
    if above:
        message = f"more than {100 - percentile} % of answers took longer than {number(edges[-1])} ms"
    elif value < 0:
        message += ", which no clock can say"
    return replace(result, value=value, value_lower=lower, value_upper=upper, message=message)


def _fixed(result: Result, limit: float) -> Result:
    return replace(result, threshold_upper=limit, message=f"{result.message} (alarm above {limit:g} ms)")


def _compared(context: CheckContext, result: Result, profile: ColumnProfile, rate: float) -> Result:
    reference = context.reference.columns[""].get(profile.column)
    edges = context.baseline.bins[profile.column].edges
    if reference is None or sum(reference.counts[1:]) < FEWEST:
        return result
    usual = histogram_quantile(reference.counts[1:], edges, JUDGED / 100, reference.minimum, reference.maximum)
    assert usual is not None
    assert result.value is not None
    if usual <= 0:
        return result
    bound = SLOWER * usual
    counts = profile.counts[1:]
    slow, known = rows_above(counts, edges, bound), sum(reference.counts[1:])
    dispersion = context.reference.dispersions.get("", {}).get(profile.column)
    belief = INDEPENDENT_ROWS if dispersion is None or dispersion.parts < 2 else dispersion.of("level")
    expected = known * (100 - JUDGED) // 100  # as if the reference had moved by just so much
    chance = risen_share_test([expected, known - expected], [slow, sum(counts) - slow], belief)
    status: Status = "alarm" if result.value > bound and chance <= rate else "ok"
    message = f"{result.message} ({number(usual)} ms in the baseline; alarm above {number(bound)} ms)"
    if result.value > bound and status == "ok":
        message = f"{message}, but chance alone may do this: {p_value(chance)}"
    judged = replace(
        result,
        p_value=chance,
        threshold_upper=bound,
        baseline_rows=known,
        status=status,
        message=message,
        detail={"usual": usual, "design_effect": belief.mean},
    )
    return compared_with(context, judged)
