"""Values that are no good: the shares of a column's rows that are missing, out of range or never seen before."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from monitoring_tasks.checks.check import CheckContext
from monitoring_tasks.checks.drift import AS_INDEPENDENT, WARNING, compared_with
from monitoring_tasks.checks.impossible_times import apart_from, impossible_times
from monitoring_tasks.checks.result import Result, Status
from monitoring_tasks.checks.unfamiliar import beyond_in_words, rows_beyond, rows_unseen, unfamiliar
from monitoring_tasks.checks.wording import counted, p_value, percent
from monitoring_tasks.config.checks import QualityMetricName
from monitoring_tasks.profile import Bins, ColumnProfile
from monitoring_tasks.statistics.histogram import FloatArray
from monitoring_tasks.statistics.homogeneity import (
    INDEPENDENT_ROWS,
    ColumnDispersion,
    Dispersion,
    belief_in_bin,
    risen_share_test,
    totals_of_bins,
)
from monitoring_tasks.statistics.intervals import wilson_interval
from monitoring_tasks.statistics.multiple_testing import benjamini_hochberg

if TYPE_CHECKING:
    from monitoring_tasks.config.checks import DataQuality

MINIMUM_EFFECT = 0.01
"""The smallest rise of a share that matters, unless the file says otherwise: one row in a hundred."""

WEIGHTS: Mapping[QualityMetricName, float] = {"missing_share": 1.0, "unseen_share": 1.0, "out_of_range_share": 0.2}
"""Each test's share of the error rate, over the mean of those that are made.

Of every column of numbers it is tested whether some are out of range, and mostly none is. Where some are it is seldom
subtle, so that a small weight is enough, and leaves power to what is.
"""

TRACE = 0.01
"""What the reference never had is worth a warning from this part of the smallest rise that matters on: one row in ten
thousand. Of a million rows a few are always odd, and the same warning every night is read by nobody."""

ONCE = 1.5
"""A value with at most so many effective rows came once."""


@dataclass(frozen=True)
class BadShare:
    """One share of one column, not yet decided."""

    metric: QualityMetricName
    current: ColumnProfile
    rows: int
    """Rows of the window that are bad."""
    expected: float
    """Share that is bad without any change."""
    familiar: bool
    """Whether such rows are known to come now and then; else a significant share is worth a warning from `TRACE` on."""
    p_value: float
    """Of no rise; NaN where neither side has such a row."""
    reference_rows: int
    design_effect: float
    words: str
    """What was found: follows the column's name at once."""
    assumed: str = ""
    """What the test had to assume; empty for nothing."""

    @property
    def share(self) -> float:
        """Of all rows of the column, nulls included; in [0, 1]."""
        return self.rows / self.current.rows


def value_quality(context: CheckContext, columns: Sequence[str], settings: DataQuality, rate: float) -> list[Result]:
    """Hold the shares of bad values of these columns against what the reference lets expect.

    An alarm needs both: significance, after Benjamini and Hochberg's correction over all columns of the window; and a
    rise by more than `minimum_effect`. A fixed threshold replaces both. A share that fell is in order.

    Parameters
    ----------
    context
        The window, and what it is compared with.
    columns
        Names of columns that both sides have.
    settings
        The check's.
    rate
        Share of windows without any change that may have an alarm.
    """
    reference, dispersions = context.reference.columns[""], context.reference.dispersions.get("", {})
    found: list[BadShare] = []
    for name in columns:
        if context.profile.columns[name].rows and reference[name].rows:
            dispersion = dispersions.get(name)
            timeless = dispersion is None and context.monitor.baseline.period is None
            assumed = AS_INDEPENDENT if timeless else ""
            found += [replace(each, assumed=assumed) for each in _of_column(context, name, reference, dispersion)]
    judged = [
        math.nan if each.current.rows < settings.minimum_rows or each.metric in settings.fixed else each.p_value
        for each in found
    ]
    significant = benjamini_hochberg(_weighted(found, judged), rate)
    return [
        compared_with(context, _decided(each, bool(sure), settings))
        for each, sure in zip(found, significant, strict=True)
    ]


def _weighted(found: Sequence[BadShare], p_values: Sequence[float]) -> FloatArray:
    """Return the p-values over their tests' weights [1]_, at most 1; NaN of what is not judged.

    .. [1] Genovese, C. R., Roeder, K., & Wasserman, L. (2006). False discovery control with p-value weighting.
       Biometrika, 93(3), 509-524.
    """
    values, weights = np.array(p_values), np.array([WEIGHTS[each.metric] for each in found])
    made = ~np.isnan(values)
    return np.asarray(np.minimum(1.0, values * (weights[made].mean() / weights))) if made.any() else values


def _of_column(
    context: CheckContext, name: str, reference: Mapping[str, ColumnProfile], dispersion: ColumnDispersion | None
) -> Iterator[BadShare]:
    before, now, bins = reference[name], context.profile.columns[name], context.baseline.bins[name]
    period = context.monitor.baseline.period
    declared = None if period is None else period.window
    yield _missing(before, now, dispersion)
    if before.rows == before.nulls or now.rows == now.nulls:
        return  # of no value nothing more can be said
    if bins.kind != "categorical":
        yield _out_of_range(
            bins, before, now, dispersion, apart_from(context.window, context.reference.period or declared)
        )
    elif not bins.open_ended:
        fixed = context.baseline.columns[name]
        once = bins.singletons / fixed.rows if fixed.rows else 0.0
        yield _unseen(bins, before, now, dispersion, once)


def _missing(before: ColumnProfile, now: ColumnProfile, dispersion: ColumnDispersion | None) -> BadShare:
    belief = belief_in_bin(before.array(), 0, dispersion)
    usual = before.nulls / before.rows
    return BadShare(
        "missing_share",
        now,
        rows=now.nulls,
        expected=usual,
        familiar=before.nulls > 0,
        p_value=_p_value(before.nulls, before.rows, now.nulls, now.rows, belief),
        reference_rows=before.rows,
        design_effect=_design_effect(belief, now.rows),
        words=f" is missing in {percent(now.nulls / now.rows)} of rows, in the baseline in {percent(usual)}"
        if now.nulls
        else " has no missing value",
    )


def _out_of_range(
    bins: Bins,
    before: ColumnProfile,
    now: ColumnProfile,
    dispersion: ColumnDispersion | None,
    apart: tuple[float, float],
) -> BadShare:
    """Compare with what exchangeable rows have beyond the extremes of others: about two for each of those others."""
    (below, above), words = rows_beyond(bins, before, now), beyond_in_words(bins, before, now)
    if bins.kind == "timestamp":
        (below, above), words = impossible_times(bins, before, now, apart)
    beyond, values, others = below + above, now.rows - now.nulls, before.rows - before.nulls
    belief = INDEPENDENT_ROWS
    if dispersion is not None and dispersion.parts >= 2:
        # What is far out moves with the level or the spread more than with any bin's share.
        sums = (dispersion.level, dispersion.spread, dispersion.shares)
        belief = dispersion.of_bin(max(*sums, *_outermost(before, totals_of_bins(before.array(), dispersion))))
    effect = _design_effect(belief, values)
    # The reference's extremes are an effective row at either end; see `risen_share_test`.
    ends = min(math.ceil(effect), others)
    phrase = "; ".join(filter(None, words))
    return BadShare(
        "out_of_range_share",
        now,
        rows=beyond,
        expected=min(1.0, 2 * effect / (others + effect)),
        familiar=False,
        p_value=_p_value(ends, others, beyond, values, belief) if beyond else 1.0,
        reference_rows=before.rows,
        design_effect=effect,
        words=f": {phrase}" if phrase else " has no value beyond the baseline's extremes",
    )


def _outermost(before: ColumnProfile, totals: Sequence[float]) -> tuple[float, float]:
    """Return what the first and the last bin with values say of their dispersion."""
    places = np.flatnonzero(before.array()[1:]) + 1
    return totals[places[0]], totals[places[-1]]


def _unseen(
    bins: Bins, before: ColumnProfile, now: ColumnProfile, dispersion: ColumnDispersion | None, once: float
) -> BadShare:
    """Compare with the share of rows that the reference's values which came once have: Good and Turing's estimate.

    Where rows hang together, once means in one effective row.
    """
    new, values, others = rows_unseen(bins, before, now), now.rows - now.nulls, before.rows - before.nulls
    belief = INDEPENDENT_ROWS if dispersion is None or dispersion.parts < 2 else dispersion.of_bin(dispersion.shares)
    words = f": {unfamiliar(bins, before, now)}" if new else " has no value that the baseline never saw"
    unnamed = (now.unseen is None or before.unseen is None) and min(now.counts[-1], before.counts[-1]) > 0
    if unnamed:
        # Earlier windows too have values without a bin. Which of them are the same has no name: their shares tell.
        belief = belief_in_bin(before.array(), len(bins) - 1, dispersion)
        new += now.counts[-1]
        words = (
            f": {percent(new / now.rows)} of rows hold values that are new since the baseline, too many to tell by "
            f"name; in the windows before {percent(before.counts[-1] / before.rows)}"
        )
    effect = _design_effect(belief, values)
    counts = before.array()[1:-2]
    known = max(round(once * before.rows), int(counts[counts <= ONCE * effect].sum()))
    known += before.counts[-1] if unnamed else 0
    known = min(known, others)
    return BadShare(
        "unseen_share",
        now,
        rows=new,
        expected=known / others,
        familiar=known > 0,
        p_value=_p_value(known, others, new, values, belief) if new else math.nan if not known else 1.0,
        reference_rows=before.rows,
        design_effect=effect,
        words=words,
    )


def _p_value(before: int, others: int, now: int, values: int, belief: Dispersion) -> float:
    return risen_share_test([before, others - before], [now, values - now], belief)


def _design_effect(belief: Dispersion, rows: int) -> float:
    """Return by how much the variance of a share is expected to be inflated, at least 1: at most all rows are one."""
    return min(max(belief.mean, 1.0), float(max(rows, 1)))


def _decided(found: BadShare, significant: bool, settings: DataQuality) -> Result:
    fixed = settings.fixed.get(found.metric)
    floor: float = settings.minimum_effect.get(found.metric, MINIMUM_EFFECT)
    threshold = min(1.0, found.expected + floor) if fixed is None else fixed
    rows, name, share = found.current.rows, found.current.column, found.share
    lower, upper = wilson_interval(found.rows / found.design_effect, rows / found.design_effect)
    result = Result(
        found.metric,
        value=share,
        column_name=name,
        value_lower=lower,
        value_upper=upper,
        p_value=None if math.isnan(found.p_value) else found.p_value,
        threshold_upper=threshold,
        baseline_rows=found.reference_rows,
        window_rows=rows,
        detail={"expected": found.expected, "design_effect": found.design_effect},
    )
    if rows < settings.minimum_rows:
        message = f"{name}: {rows} rows are too few to judge, {settings.minimum_rows} are needed"
        return replace(result, status="insufficient_data", message=message)
    status: Status = "ok"
    if share > threshold and (significant or fixed is not None):
        status = "alarm"
    elif fixed is None and significant and share > found.expected + (WARNING if found.familiar else TRACE) * floor:
        status = "warning"
    bound = f"alarm above {percent(threshold)}" if fixed is None else f"alarm above {100 * fixed:g} %, which is fixed"
    if found.design_effect >= 1.5:
        bound += f"; {rows:,} rows vary like {counted(max(1, round(rows / found.design_effect)), 'independent one')}"
    message = f"{name}{found.words} ({bound})"
    if share > threshold and status == "ok":
        message += f", but chance alone may do this: {p_value(found.p_value)}"
    if status != "ok" and found.assumed:
        message += f"; {found.assumed}"
    return replace(result, status=status, message=message)
