"""How far columns moved away from the baseline, and whether that is more than chance and more than a trifle."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from monitoring_tasks.checks.band import Band, Bands
from monitoring_tasks.checks.check import CheckContext
from monitoring_tasks.checks.result import Result, Status
from monitoring_tasks.checks.unfamiliar import unfamiliar
from monitoring_tasks.checks.unreadable import unreadable
from monitoring_tasks.checks.verdict import verdict
from monitoring_tasks.checks.wording import counted, number, p_value, percent
from monitoring_tasks.profile import NULL, OTHER, UNSEEN, Bins, ColumnProfile
from monitoring_tasks.reference import OWN_ROWS
from monitoring_tasks.statistics.drift import DriftMetric, drift_metric, select
from monitoring_tasks.statistics.histogram import IntArray, smoothed_shares
from monitoring_tasks.statistics.homogeneity import ColumnDispersion, ColumnTest, column_test
from monitoring_tasks.statistics.multiple_testing import benjamini_hochberg
from monitoring_tasks.statistics.null_distribution import null_distribution

if TYPE_CHECKING:
    from monitoring_tasks.config import DriftSettings

WARNING = 0.5
"""A significant change above this share of the smallest one that matters is a warning."""

NEARLY_ALL = 0.95
"""Of the largest possible distance: above it a drift is large, whatever chance makes of few effective rows."""

AS_INDEPENDENT = "rows are taken as independent, for a table does not show how much windows differ"

RARE = 20
"""Baseline rows below which a value is rare, where values keep coming new."""


@dataclass(frozen=True)
class Measured:
    """One metric of one column, not yet decided."""

    metric: DriftMetric
    value: float | None = None
    size: float | None = None
    """What a threshold is applied to; None where it could not be measured."""
    expected: float | None = None
    """What chance alone makes of the value on average."""
    why_not: str = ""
    """Why it could not be measured."""

    def bound(self, floor: float) -> float:
        """Return the size that a drift of the smallest size that matters comes to, with what chance adds to it."""
        if floor <= 0 or self.size is None or not self.value:
            return floor
        by_chance = self.expected or 0.0
        if self.metric.effect is not None:  # the expected value, in the units of the effect
            by_chance = self.size * math.sqrt(by_chance / self.value)
        power = 0.5 if self.metric.quadratic is None or self.metric.effect is not None else self.metric.power
        together = (floor ** (1 / power) + by_chance ** (1 / power)) ** power
        return float(min(together, max(floor, NEARLY_ALL * self.metric.maximum)))


@dataclass(frozen=True)
class Compared:
    """One column in one segment: what was counted, tested and measured."""

    current: ColumnProfile
    segment: str
    reference_rows: int
    test: ColumnTest | None = None
    """Of the whole column; None where a side holds no rows."""
    test_of_values: ColumnTest | None = None
    """Without the null bin, for metrics that are taken without it; None where a side holds no value."""
    measured: tuple[Measured, ...] = ()
    moved: Callable[[], str] = field(default=str)
    """Says which bin moved most; asked only where something did."""
    unfamiliar: str = ""
    """What the window holds that the reference never saw; empty for nothing."""
    assumed: str = ""
    """What the test had to assume; empty for nothing."""

    def test_for(self, metric: DriftMetric) -> ColumnTest | None:
        """Return the test that decides whether what the metric measured is more than chance."""
        return self.test_of_values if metric.bins == "non_null" else self.test


def drift(
    context: CheckContext,
    columns: Sequence[str],
    settings: DriftSettings,
    *,
    rate: float | None = None,
    importance: Mapping[str, float] | None = None,
) -> list[Result]:
    """Compare these columns with the reference, over all rows and in every segment that the reference knows.

    An alarm needs both: significance, after Benjamini and Hochberg's correction over all columns and segments of the
    window that have rows enough to be judged; and a size above `minimum_effect`. A significant change above half that
    size is a warning. A `fixed` threshold replaces both, as does a `band` of enough earlier windows.

    Parameters
    ----------
    context
        The window, and what it is compared with.
    columns
        Names of the columns.
    settings
        The check's.
    rate
        Share of undrifted windows that may have an alarm; by default `settings.false_alarm_rate`.
    importance
        Weights of columns, 1 for those without; they rank what moved.
    """
    results = unreadable(context, columns)
    missing = {result.column_name for result in results}
    readable = [name for name in columns if name in context.profile.columns and name not in missing]
    baseline = context.baseline
    rarest = {name: _rarest(baseline.bins[name], baseline.columns.get(name)) for name in readable}
    compared: list[Compared] = []
    for profile in (context.profile, *context.segments):
        reference = context.reference.columns.get(profile.segment)
        if reference is None:
            continue
        dispersions = context.reference.dispersions.get(profile.segment, {})
        for name in readable:
            if profile.segment.partition("=")[0] != name:  # within origin=JFK the origin cannot move
                bins, current = baseline.bins[name], profile.columns[name]
                pair, dispersion = (reference[name], current), dispersions.get(name)
                one = _compared(settings.metrics, bins, *pair, profile.segment, rarest[name], dispersion)
                timeless = dispersion is None and context.monitor.baseline.period is None
                compared.append(replace(one, assumed=AS_INDEPENDENT) if timeless else one)
    rate = settings.false_alarm_rate if rate is None else rate
    p_values = [_judged(each, each.test, settings.minimum_rows) for each in compared]
    of_values = [_judged(each, each.test_of_values, settings.minimum_rows) for each in compared]
    significant, significant_values = (benjamini_hochberg(tested, rate) for tested in (p_values, of_values))
    bands = Bands(context, settings)
    decided = [
        _decided(
            each,
            item,
            bool((significant_values if item.metric.bins == "non_null" else significant)[i]),
            settings,
            None if item.size is None else bands.of(item.metric, each.current.column, each.segment),
        )
        for i, each in enumerate(compared)
        for item in each.measured
    ]
    verdicts = []
    for segment in dict.fromkeys(each.segment for each in compared):
        mine = [i for i, each in enumerate(compared) if each.segment == segment]
        rows = [result for result in decided if result.segment == segment]
        verdicts += verdict(rows, [p_values[i] for i in mine], rate, importance or {})
    return [*results, *(compared_with(context, result) for result in (*decided, *verdicts))]


def compared_with(context: CheckContext, result: Result) -> Result:
    """Say what the numbers were compared with, where that is not the same in every window."""
    name = context.reference.named(result.segment, result.column_name)
    if name == OWN_ROWS:
        return result
    return replace(result, detail={**result.detail, "compared_with": name})


def _compared(
    names: Sequence[str],
    bins: Bins,
    reference: ColumnProfile,
    current: ColumnProfile,
    segment: str,
    together: NDArray[np.bool_] | None,
    dispersion: ColumnDispersion | None,
) -> Compared:
    """Test the column, and take every metric that suits it."""
    metrics = [metric for name in names if bins.layout in (metric := drift_metric(name)).layouts]
    before, after = reference.array(), current.array()
    test = test_of_values = None
    if before.any() and after.any():
        # Earlier windows, which know values that the baseline never saw, did not choose the bins.
        sides = (before, after) if before[-1] else (_as_one(before, together), _as_one(after, together))
        test = test_of_values = column_test(*sides, bins.layout, dispersion)
    if (before[0] or after[0]) and any(metric.bins == "non_null" for metric in metrics):
        known, seen = (np.concatenate(([0], counts[1:])) for counts in (before, after))
        test_of_values = column_test(known, seen, bins.layout, dispersion) if known.any() and seen.any() else None
    # Several metrics are taken over the same bins.
    by_bins = {metric.bins: metric for metric in metrics}
    taken = {name: select(metric, bins.layout, before, after) for name, metric in by_bins.items()}
    measured = tuple(_measured(metric, *taken[metric.bins], bins, reference, current, test) for metric in metrics)
    new = unfamiliar(bins, reference, current)
    moved = partial(what_moved, bins, before, after, new)
    return Compared(current, segment, reference.rows, test, test_of_values, measured, moved, new)


def _measured(
    metric: DriftMetric,
    before: IntArray,
    after: IntArray,
    bins: Bins,
    reference: ColumnProfile,
    current: ColumnProfile,
    test: ColumnTest | None,
) -> Measured:
    scale = reference.standard_deviation if metric.needs_edges else None
    if not before.any() or not after.any() or (metric.needs_edges and not scale):
        empty = "the window holds no value" if before.any() else "the baseline holds no value"
        why = "its baseline is constant" if before.any() and after.any() else empty
        return Measured(metric, why_not=why)
    if metric.needs_edges and not bins.edges:
        return Measured(metric, why_not="the baseline that the bins were cut from holds no value")
    extra = (_closed_edges(bins, reference, current), scale) if metric.needs_edges else ()
    by_chance = (tuple(_closed_edges(bins, reference, reference)), scale) if metric.needs_edges else ()
    value = metric.function(before, after, *extra)
    size = value if metric.effect is None else float(metric.effect(before, after))
    rows = int(after.sum())
    effect = 1.0 if test is None else test.design_effects.get("level" if metric.needs_edges else "shares", 1.0)
    effect = min(effect, rows)  # all rows are one
    null = null_distribution(metric, before, rows, *by_chance, design_effect=effect)
    return Measured(metric, value, size, null.mean)


def _rarest(bins: Bins, fixed: ColumnProfile | None) -> NDArray[np.bool_] | None:
    """Return which values count as one, with other and unseen ones, where values came that came only once.

    Then more are to come that the baseline never saw: about as large a share of the rows as came once [1]_. By as much
    the shares of the rare values that it did see are too large, for it saw them by luck. Only of all of them together
    is the share right. Where every value has a bin it is right enough of so many of the rarest as have `RARE` rows for
    each that came once: one misspelt value takes one other with it, and no more. Rare is what the baseline has few rows
    of, whatever a segment has.

    .. [1] Good, I. J. (1953). The population frequencies of species and the estimation of population parameters.
       Biometrika, 40, 237-264.
    """
    if not bins.singletons or fixed is None:
        return None
    baseline = fixed.array()
    rare = baseline < RARE
    rare[0], rare[-2:] = False, True
    if baseline[-2]:  # the bins are those of the most frequent values, chosen by luck among many as frequent
        return rare
    places = np.flatnonzero(rare[:-2])
    places = places[np.argsort(baseline[places], kind="stable")]
    enough = np.cumsum(baseline[places]) - baseline[places] >= RARE * bins.singletons
    rare[places[enough]] = False
    return rare


def _as_one(counts: IntArray, together: NDArray[np.bool_] | None) -> IntArray:
    """Return the counts with these bins added up in the one of other values."""
    if together is None:
        return counts
    sums = np.where(together, 0, counts)
    sums[-2] = counts[together].sum()
    return sums


def _judged(compared: Compared, test: ColumnTest | None, minimum_rows: int) -> float:
    """Return the p-value, or NaN for what is not judged, so that it does not count as one more test."""
    return test.p_value if test is not None and compared.current.rows >= minimum_rows else math.nan


def _decided(
    compared: Compared, item: Measured, significant: bool, settings: DriftSettings, band: Band | None
) -> Result:
    metric, test, name = item.metric, compared.test_for(item.metric), compared.current.column
    fixed = settings.fixed.get(metric.name)  # type: ignore[call-overload]
    floor: float = settings.minimum_effect.get(metric.name, metric.minimum_effect)  # type: ignore[call-overload]
    usual = None if band is None else band.usual
    threshold: float = fixed if fixed is not None else item.bound(floor) if usual is None else usual.upper
    plain = fixed is not None or usual is not None
    # Where most windows before were alike, any other value is above them: it must be more than chance as well.
    certain = significant or fixed is not None or (usual is not None and usual.mad > 0)
    rows = compared.current.rows
    detail: dict[str, object] = {}
    if test is not None and item.value is not None:
        detail = {"expected": item.expected, "test": test.strongest, "design_effect": test.design_effect}
    if band is not None:
        detail |= {"band": band.detail}
    if metric.effect is not None:  # the bound is on the effect: beside the value, in other units, it would mislead
        detail |= {"effect": item.size} if item.size is not None else {}
        detail |= {"effect_threshold": threshold}
    result = Result(
        metric.name,
        value=item.value,
        column_name=name,
        segment=compared.segment,
        p_value=None if test is None or item.value is None else test.p_value,
        threshold_upper=threshold if metric.effect is None else None,
        baseline_rows=compared.reference_rows,
        window_rows=rows,
        detail=detail,
    )
    if rows < settings.minimum_rows:
        message = f"{name}: {rows} rows are too few to judge, {settings.minimum_rows} are needed"
        return replace(result, status="insufficient_data", message=message)
    if item.size is None or test is None:
        message = f"{name}: {metric.label} cannot be measured, {item.why_not}"
        return replace(result, status="insufficient_data", message=message)
    status: Status = "ok"
    if item.size > threshold and certain:
        status = "alarm"
    elif item.size > item.bound(WARNING * floor) and significant and not plain:
        status = "warning"
    verb = {"ok": "is in order", "warning": "moved a little", "alarm": "moved"}[status]
    size = f"{metric.label} {number(item.value or 0.0)}"
    if metric.effect is not None:
        size += f", effect {number(item.size)}"
    bound = number(threshold) if band is None else band.bound_in_words(threshold)
    if fixed is not None:
        bound = f"{fixed:g}, which is fixed"
    message = f"{name} {verb}: {size} (alarm above {bound}; {_by_chance(item, test, rows)})"
    if item.size > threshold and status == "ok":
        message = f"{message}, but chance alone may do this: {p_value(test.p_value)}"
    parts = [message, "" if status == "ok" else compared.moved(), compared.unfamiliar]
    parts += [compared.assumed] if status != "ok" else []
    return replace(result, status=status, message="; ".join(filter(None, parts)))


def _by_chance(item: Measured, test: ColumnTest, rows: int) -> str:
    words = f"{item.expected or 0.0:.2g} expected by chance with {rows:,} rows"
    if test.design_effect < 1.5:
        return words
    return f"{words}, which vary like {counted(max(1, round(rows / test.design_effect)), 'independent one')}"


def _closed_edges(bins: Bins, reference: ColumnProfile, current: ColumnProfile) -> NDArray[np.float64]:
    """Return the edges with the two open bins closed by the extreme values seen."""
    low = min(x for x in (bins.edges[0], reference.minimum, current.minimum) if x is not None)
    high = max(x for x in (bins.edges[-1], reference.maximum, current.maximum) if x is not None)
    return np.array([low, *bins.edges, high])


def what_moved(
    bins: Bins, reference: IntArray, current: IntArray, unfamiliar: str = "", *, adding_most: bool = False
) -> str:
    """Name the bin whose share changed most; nothing where that is what is said to be unfamiliar.

    With `adding_most` it is the one that adds most to a divergence (Jensen-Shannon's: empty bins do not dominate it),
    for where that is all that is said.
    """
    before, after = reference / reference.sum(), current / current.sum()
    changes = np.abs(after - before)
    if adding_most:
        p, q = (smoothed_shares(counts.astype(np.float64)) for counts in (reference, current))
        middle = (p + q) / 2
        changes = p * np.log(p / middle) + q * np.log(q / middle)
    place = int(np.argmax(changes))
    outer = (1, len(current) - 1) if bins.kind != "categorical" else (len(current) - 1,)
    if unfamiliar and place in outer and not reference[place]:
        return ""
    label = bins.labels()[place] if place == 0 or bins.kind == "categorical" or bins.edges else "known values"
    verb = "rose" if after[place] > before[place] else "fell"
    return f"{_WORDS.get(label, label)} {verb} from {percent(before[place])} to {percent(after[place])}"


_WORDS = {NULL: "missing values", OTHER: "rarer values", UNSEEN: "values never seen before"}
