"""The results that an alert stands on, as numbers to believe or to doubt. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import timedelta

from monitoring_tasks.alerts.alert import Evidence, Series
from monitoring_tasks.alerts.clean_text import one_line
from monitoring_tasks.alerts.message import Numbers
from monitoring_tasks.checks.result import STATUSES
from monitoring_tasks.checks.wording import number, p_value, percent
from monitoring_tasks.window import format_duration

SHOWN = 10
"""Rows of a table of numbers; the rest is counted."""

NAMED = 3
"""Columns, or what else there is several of, that a sentence names."""

NAME = 80
"""Characters of a name within a sentence."""

NOT_MEASURED = "not measured"

WHOLE = "whole window"
"""What a number is about that is about no column."""


def worst_first(evidence: Iterable[Evidence], series: Sequence[Series] = ()) -> tuple[tuple[Evidence, ...], ...]:
    """Return the evidence of each series together, the worst series and of each the worst number first.

    Parameters
    ----------
    evidence
        Of one window.
    series
        Worst first, as the alert has it; those that are not in it come last.
    """
    place = {each: position for position, each in enumerate(series)}
    groups: dict[Series, list[Evidence]] = {}
    for each in sorted(evidence, key=_badness, reverse=True):
        groups.setdefault(each.series, []).append(each)
    return tuple(tuple(groups[key]) for key in sorted(groups, key=lambda key: place.get(key, len(place))))


def evidence_table(caption: str, evidence: Iterable[Evidence], series: Sequence[Series] = ()) -> Numbers:
    """Set the evidence of one window below each other: a row for each series, by its worst number.

    Parameters
    ----------
    caption
        Of which window it is.
    evidence
        Results of one window.
    series
        See `worst_first`.
    """
    groups = worst_first(evidence, series)
    several = len({group[0].check_name for group in groups}) > 1
    rows = [_row(group, several) for group in groups[:SHOWN]]
    header = ("column", "metric", "value", "bound", "baseline rows", "window rows")
    return Numbers(caption, header, tuple(rows), len(groups) - len(rows))


def series_name(series: Series, *, with_check: bool = False) -> str:
    """Name what is watched: the column, or the whole window; and the segment.

    Examples
    --------
    >>> series_name(Series("data_drift", "temp", "origin=JFK")), series_name(Series("performance", "", ""))
    ('temp in origin=JFK', 'whole window')
    """
    name = series.column_name or WHOLE
    if with_check:
        name = f"{name} ({series.check_name})"
    return f"{name} in {series.segment}" if series.segment else name


def listed(names: Iterable[str], shown: int = NAMED) -> str:
    """Write several names, each once, the first ones in full.

    Examples
    --------
    >>> listed(["temp"]), listed(["temp", "dewp"]), listed("abcdef")
    ('temp', 'temp and dewp', 'a, b, c and 3 more')
    """
    named = list(dict.fromkeys(one_line(name, NAME) for name in names))
    if len(named) > shown:
        return f"{', '.join(named[:shown])} and {len(named) - shown} more"
    return f"{', '.join(named[:-1])} and {named[-1]}" if len(named) > 1 else "".join(named)


def value_in_words(metric: str, value: float | None) -> str:
    """Write a metric's value with its unit.

    Examples
    --------
    >>> value_in_words("psi", 0.0312), value_in_words("error_rate", 0.507), value_in_words("latency_p95", 2106.3)
    ('0.0312', '51 %', '2,106 ms')
    >>> value_in_words("longest_silence", 5400.0), value_in_words("roc_auc", None)
    ('1h30m', 'not measured')
    """
    if value is None or not math.isfinite(value):
        return NOT_MEASURED
    if metric.endswith(("_share", "_rate", "_coverage")) or metric == "completeness":
        return percent(value) if value >= 0 else number(value)
    if metric in ("longest_silence", "freshness"):
        return format_duration(timedelta(seconds=round(value)))
    return f"{number(value)} ms" if metric.startswith("latency_p") else number(value)


def bound_in_words(evidence: Evidence) -> str:
    """Say which bounds a value was held against, or how sure its change is where it had none.

    Examples
    --------
    >>> from monitoring_tasks.window import Window
    >>> day = Window.parse("2013-04-02", "2013-04-03")
    >>> bound_in_words(Evidence(day, "operations", "rows", "", "", "alarm", threshold_lower=795, threshold_upper=1191))
    'below 795 or above 1,191'
    >>> bound_in_words(Evidence(day, "data_drift", "global_test", "", "", "alarm", p_value=3e-12))
    'p = 3e-12'
    """
    lower, upper = evidence.threshold_lower, evidence.threshold_upper
    parts = [f"below {value_in_words(evidence.metric, lower)}"] if lower is not None else []
    parts += [f"above {value_in_words(evidence.metric, upper)}"] if upper is not None else []
    if not parts and evidence.p_value is not None:
        return p_value(evidence.p_value)
    return " or ".join(parts)


def times_bound(evidence: Evidence) -> float:
    """Return how far beyond its bound a value is, 1 being at it; 0 where that cannot be said."""
    value, lower, upper = evidence.value, evidence.threshold_lower, evidence.threshold_upper
    if value is None or not math.isfinite(value):
        return 0.0
    above = value / upper if upper else 0.0
    below = lower / value if lower and value > 0 else math.inf if lower else 0.0
    return max(above, below, 0.0)


def _badness(evidence: Evidence) -> tuple[int, bool, float]:
    status = STATUSES.index(evidence.status) if evidence.status in STATUSES else 0
    return status, evidence.segment == "", times_bound(evidence)


def _row(group: Sequence[Evidence], several: bool) -> tuple[str, ...]:
    worst = group[0]
    others = list(dict.fromkeys(each.metric for each in group[1:] if each.metric != worst.metric))
    metric = f"{worst.metric} (also {', '.join(others)})" if others else worst.metric
    sides = ("" if rows is None else f"{rows:,}" for rows in (worst.baseline_rows, worst.window_rows))
    value = value_in_words(worst.metric, worst.value)
    return series_name(worst.series, with_check=several), metric, value, bound_in_words(worst), *sides
