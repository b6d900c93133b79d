"""Why performance moved: what the inputs' shift explains, and what the changed relation does."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from monitoring_tasks.checks.check import CheckContext
from monitoring_tasks.checks.comparison import (
    FEWEST_PARTS,
    added_by_chance,
    between_windows,
    compare,
    value_of_windows,
    windows_in,
)
from monitoring_tasks.checks.labelled_rows import LEARNT, features
from monitoring_tasks.checks.labels import provisional
from monitoring_tasks.checks.result import Result
from monitoring_tasks.checks.wording import number, percent
from monitoring_tasks.labelled_baseline import LabelledBaseline
from monitoring_tasks.labels_profile import LabelsProfile
from monitoring_tasks.statistics.histogram import FloatArray
from monitoring_tasks.statistics.multivariate.propensity_score import told_apart
from monitoring_tasks.statistics.performance import (
    Outcomes,
    PerformanceMetric,
    off_scale,
    scaled,
    standard_error,
)
from monitoring_tasks.statistics.performance.decomposition import (
    Decomposition,
    Part,
    by_place,
    by_propensity,
    decompose,
    student_quantile,
)
from monitoring_tasks.statistics.performance.metric import SUMS, task_of

if TYPE_CHECKING:
    from monitoring_tasks.labelled_rows import LabelledSamples

MISSING = 0.05
"""A share of missing or never seen values that is larger than the baseline's by this is named beside a change."""

ROWS_PER_BIN = 20
"""Labelled rows of either side that a bin must have to say in what way labels follow a feature."""

SURE = 0.001
"""p-value below which a feature is named as one that labels follow in another way."""

JOINTLY = ""
"""The column of the decomposition by all features at once."""

APART = 0.97
"""Area under the curve from which on two sides are told apart so well that nothing is left to compare."""

COMPARABLE = 0.8
"""Share of the rows that must have like ones on the other side, for a split to say what moved performance."""


@dataclass(frozen=True)
class Split:
    """The change of a metric, split by one column or by all."""

    column: str
    parts: Decomposition
    rest: float
    """What is left of the whole change: it is also what coarser bins of the score do not tell."""

    @property
    def tells(self) -> bool:
        """Whether most rows could be compared, and enough of them to know the parts' errors."""
        return self.parts.shared >= COMPARABLE and not math.isnan(self.parts.inputs.standard_error)


@dataclass(frozen=True)
class Levels:
    """What the windows' own levels add to the error of a change, in units of the metric."""

    standard_deviation: float
    freedom: float

    @classmethod
    def of(cls, context: CheckContext, metric: PerformanceMetric, current: LabelsProfile) -> Levels:
        """Return that by which performance differs from window to window beyond chance, as the verdict takes it."""
        variance, parts = between_windows(metric, context.labelled_baseline)
        if not variance > 0:
            return cls(0.0, math.inf)
        at = float(scaled(metric, current.outcomes)[0])
        windows = windows_in(current.window, context.labelled_baseline)
        spread = math.sqrt(variance * (1 / windows + 1 / parts))
        low, high = (float(off_scale(metric, at + sign * spread)) for sign in (-1, 1))
        return cls((high - low) / 2 if math.isfinite(high - low) else 0.0, parts - 1.0)


def performance_change(
    context: CheckContext, metric: PerformanceMetric, drawn: LabelledSamples | None = None
) -> list[Result]:
    """Split the change of the metric against the baseline by the score, by each feature and jointly.

    The parts of every split add up to the whole exactly. For each column there are the rows
    ``<metric>_change_inputs`` and ``<metric>_change_relation``; with an empty column they are of all features at once.
    The row ``<metric>_change`` has the whole change, and says in one sentence what moved it.
    """
    current, baseline = context.labels_profile, context.labelled_baseline
    if current is None or baseline is None or not current.labelled or not baseline.whole.labelled:
        return []
    before, after = (float(metric.function(each.outcomes)) for each in (baseline.whole, current))
    if math.isnan(before) or math.isnan(after):
        return []
    levels = Levels.of(context, metric, current)
    splits = _splits(context, metric, baseline.whole, current, after - before, levels)
    of_joint: list[Result] = []
    if drawn is not None and _can_be_split(metric, baseline.whole.outcomes, baseline.whole):
        joint = _jointly(context, metric, baseline.whole, current, after - before, drawn, levels)
        splits += [joint] if isinstance(joint, Split) else []
        of_joint += [] if isinstance(joint, Split) else _not_comparable(context, metric, joint)
    results = [_whole(context, metric, before, after, splits, levels), *of_joint]
    for split in splits:
        results += _rows(context, metric, split, current.labelled, baseline.whole.labelled)
    return results


def _splits(
    context: CheckContext,
    metric: PerformanceMetric,
    before: LabelsProfile,
    after: LabelsProfile,
    change: float,
    levels: Levels,
) -> list[Split]:
    sides: list[tuple[str, Outcomes, Outcomes]] = []
    score = context.monitor.inference_log.score
    if before.bins.task == "binary_classification" and isinstance(score, str) and before.bins.edges:
        sides.append((score, by_place(before.coarse), by_place(after.coarse)))
    names = [name for name in context.baseline.features if name in before.columns and name in after.columns]
    sides += [(name, before.by_bin(name), after.by_bin(name)) for name in names]
    found = []
    for column, reference, current in sides:
        if _can_be_split(metric, reference, before) and _can_be_split(metric, current, after):
            parts = _decomposed(metric, reference, current, levels)
            if not math.isnan(parts.inputs.value + parts.relation.value):
                found.append(Split(column, parts, change - parts.inputs.value - parts.relation.value))
    return found


def _decomposed(metric: PerformanceMetric, reference: Outcomes, current: Outcomes, levels: Levels) -> Decomposition:
    some = reference.rows + current.rows > 0
    before, after = (_needed(metric, side, some) for side in (reference, current))
    return decompose(metric.function, before, after, levels=levels.standard_deviation, levels_freedom=levels.freedom)


def _can_be_split(metric: PerformanceMetric, outcomes: Outcomes, whole: LabelsProfile) -> bool:
    """Tell whether the metric is the same function of these outcomes without scores by class.

    Those are counted neither by bin nor by row of a sample, and without them a model of two classes counts as binary.
    """
    without = _without_class_scores(outcomes)
    return metric.suits(without) and task_of(without) == task_of(whole.outcomes)


def _without_class_scores(outcomes: Outcomes) -> Outcomes:
    return Outcomes(outcomes.counts, outcomes.sums, outcomes.edges)


def _jointly(
    context: CheckContext,
    metric: PerformanceMetric,
    before: LabelsProfile,
    after: LabelsProfile,
    change: float,
    drawn: LabelledSamples,
    levels: Levels,
) -> Split | float:
    """Split the change by all features at once, on the rows that were drawn of either side.

    Where too few rows have their like on the other side it is their share that is returned.
    """
    bins = dict(context.baseline.bins)
    sides = [features(rows, bins) for rows in (drawn.baseline, drawn.window)]
    if told_apart(*sides) > APART:
        return 0.0
    reference, current = by_propensity(
        _without_class_scores(before.outcomes),
        _without_class_scores(after.outcomes),
        sides[0],
        drawn.baseline.outcome_cells[:LEARNT],
        sides[1],
        drawn.window.outcome_cells[:LEARNT],
    )
    parts = _decomposed(metric, reference, current, levels)
    if parts.shared < COMPARABLE or math.isnan(parts.inputs.value + parts.relation.value):
        return parts.shared
    return Split(JOINTLY, parts, change - parts.inputs.value - parts.relation.value)


def _not_comparable(context: CheckContext, metric: PerformanceMetric, shared: float) -> list[Result]:
    few = f"only {percent(shared)} of the rows have" if shared else "nearly no row has"
    why = f"{few} inputs, taken together, that both sides have"
    message = f"the change of {metric.label} cannot be split by all features at once: {why}{provisional(context)}"
    return [
        Result(f"{metric.name}_change_{name}", status="insufficient_data", message=message, detail={"shared": shared})
        for name in ("inputs", "relation")
    ]


def _needed(metric: PerformanceMetric, outcomes: Outcomes, bins: NDArray[np.bool_]) -> Outcomes:
    """Leave out what the metric does not read, and bins without a row: every table would carry them along."""
    places, predictions = outcomes.counts.shape[-3:-1]
    # Residuals of a regression tell how much the squares of its errors vary, which are not summed.
    by_score = "scores" in metric.needs or task_of(outcomes) == "regression"
    # Rows without a score, place 0, have no loss and do not count in its mean.
    first_places = np.arange(places) if by_score else np.arange(min(places, 2 if "sums" in metric.needs else 1))
    first_predictions = np.arange(predictions if "predictions" in metric.needs else 1)

    def added_up(cells: NDArray[Any]) -> NDArray[Any]:
        by_place: NDArray[Any] = np.add.reduceat(cells[bins], first_places, axis=-3)
        found: NDArray[Any] = np.add.reduceat(by_place, first_predictions, axis=-2)
        return found

    needed = SUMS.get(metric.name, ())
    return Outcomes(
        added_up(outcomes.counts),
        {name: added_up(each) for name, each in outcomes.sums.items() if name in needed},
        outcomes.edges if by_score else outcomes.edges[:0],
    )


def _rows(
    context: CheckContext, metric: PerformanceMetric, split: Split, rows: int, baseline_rows: int
) -> list[Result]:
    by = _by(split)
    words = {
        "inputs": f"other inputs explain {{}} of the change of {metric.label}, {by}",
        "relation": f"equal inputs that come out otherwise explain {{}} of the change of {metric.label}, {by}",
    }
    detail = {
        "rest": split.rest,
        "interaction": split.parts.interaction.value,
        "shared": split.parts.shared,
    }
    return [
        Result(
            f"{metric.name}_change_{name}",
            value=part.value,
            value_lower=_known(part.lower),
            value_upper=_known(part.upper),
            column_name=split.column,
            window_rows=rows,
            baseline_rows=baseline_rows,
            status="info",
            message=words[name].format(_signed(part)) + provisional(context),
            detail=detail,
        )
        for name, part in (("inputs", split.parts.inputs), ("relation", split.parts.relation))
    ]


def _by(split: Split) -> str:
    """Say which split it is, and of how many rows where that is not about all."""
    by, shared = f"by {split.column or 'all features at once'}", split.parts.shared
    return by if shared >= 0.99 else f"{by} ({percent(shared)} of the rows lie where both sides have some)"


def _whole(
    context: CheckContext,
    metric: PerformanceMetric,
    before: float,
    after: float,
    splits: Sequence[Split],
    levels: Levels,
) -> Result:
    """Return the whole change, and the sentence that says it."""
    reference, current = context.labelled_baseline, context.labels_profile
    assert reference is not None
    assert current is not None
    change = after - before
    errors = [float(standard_error(metric, each.outcomes)) for each in (reference.whole, current)]
    half = student_quantile(levels.freedom) * math.hypot(*errors, levels.standard_deviation)
    telling = [split for split in splits if split.tells]
    jointly = next((split for split in telling if split.column == JOINTLY), None)
    by_feature = [split for split in telling if split.column not in (JOINTLY, context.monitor.inference_log.score)]
    shown = jointly or max(by_feature, key=_certainty, default=next(iter(telling), None))
    verb = "rose" if change > 0 else "fell"
    usual = _of_windows(context, metric, reference.whole, current)
    start = number(before)
    if usual is not None and number(usual) != start:
        start += f" (of its windows usually {number(usual)})"
    sentence = f"{metric.label} {verb} {number(abs(change))} from {start} to {number(after)}"
    # Where windows are usually worse than all of their rows together, as the verdict takes it, that is no news; nor is
    # it that one comes out as all rows do.
    from_usual = 0.0 if usual is None else usual - before
    if min(from_usual, 0.0) - half <= change <= max(from_usual, 0.0) + half or math.isnan(half):
        ups_and_downs = "and the windows' usual ups and downs" if levels.standard_deviation > 0 else "alone"
        sentence = f"{sentence}, which chance {ups_and_downs} may do"
    turned = turned_most(reference, current, context.baseline.features)
    beside = data_failures(context)
    detail: dict[str, object] = {"baseline": before, "relation_of": turned, "data_failures": beside}
    detail |= {} if usual is None else {"usual": usual}
    if shown is None:
        sentence = f"{sentence}: {_untold(metric, reference.whole, splits)}"
    else:
        sentence = f"{sentence}: {_explained(shown, by_feature, turned)}"
        parts = {"inputs": shown.parts.inputs.value, "relation": shown.parts.relation.value, "rest": shown.rest}
        detail |= {"by": shown.column or "all features", **parts, "shared": shown.parts.shared}
    return Result(
        f"{metric.name}_change",
        value=change,
        value_lower=_known(change - half),
        value_upper=_known(change + half),
        window_rows=current.labelled,
        baseline_rows=reference.whole.labelled,
        status="info",
        message="; ".join([sentence + provisional(context), *beside[:3]]),
        detail=detail,
    )


def _of_windows(
    context: CheckContext, metric: PerformanceMetric, before: LabelsProfile, after: LabelsProfile
) -> float | None:
    """Return the value that the verdict holds the window against, where windows are usually worse than the baseline."""
    baseline = context.labelled_baseline
    comparison = compare(metric, before, after, baseline)
    return None if comparison is None else value_of_windows(comparison, baseline, added_by_chance(metric, after))


def _untold(metric: PerformanceMetric, before: LabelsProfile, splits: Sequence[Split]) -> str:
    """Say why nothing says what moved the metric."""
    if not splits and not _can_be_split(metric, before.outcomes, before):
        return "it is not split, for scores by class are not counted by bin"
    if not splits:
        return "no input of the window is like one of the baseline"
    shared = max(split.parts.shared for split in splits)
    if shared < COMPARABLE:
        return f"what moved it cannot be told, for at most {percent(shared)} of the rows lie where both sides have some"
    return "too few rows to tell what moved it"


def _certainty(split: Split) -> float:
    """Return how many standard errors the inputs' part is from none: the largest part of all is one of the noisiest."""
    error = split.parts.inputs.standard_error
    return abs(split.parts.inputs.value) / error if error > 1e-9 else 0.0


def _explained(shown: Split, by_feature: Sequence[Split], turned: str | None) -> str:
    """Say the two parts, each with the feature that shows it most."""
    moved = max(by_feature, key=_certainty, default=None)
    inputs = f"{_signed(shown.parts.inputs)} from other inputs"
    inputs += f" (most by {moved.column}, {_signed(moved.parts.inputs)})" if moved and not shown.column else ""
    inputs += f", {_by(shown)}" if shown.column else ""
    relation = f"{_signed(shown.parts.relation)} because equal inputs come out otherwise"
    relation += f" (labels follow {turned} in another way)" if turned is not None else ""
    rest = f", {shown.rest:+.2g} not told apart" if abs(shown.rest) >= 0.005 else ""
    return f"{inputs}, {relation}{rest}"


def turned_most(before: LabelledBaseline, after: LabelsProfile, names: Sequence[str]) -> str | None:
    """Return the feature along which the labels' change differs most from bin to bin; None where that is usual.

    A change that all bins share says nothing of a feature. What is left of each bin's change beside the mean of all is
    tested by a chi-squared sum, as heterogeneity in a meta-analysis is [1]_. Bins of a real model have levels of their
    own from day to day, as a morning's fog has, and of independent rows the sum is too large nearly always. So it must
    also lie above what the baseline's windows show, each beside all the others: the logarithm of the sum per degree of
    freedom is taken as normal, and the window as one more of them. Both with Bonferroni's correction. Where too few
    windows are known nothing is said.

    .. [1] Cochran, W. G. (1954). The combination of estimates from different experiments. Biometrics, 10, 101-129.
    """
    if before.bins.task != "binary_classification":
        return None
    found: list[tuple[float, float, str]] = []
    for name in names:
        if name not in before.whole.columns or name not in after.columns:
            continue
        sides = [each.by_bin(name).counts.sum(axis=(1, 2)).astype(np.float64) for each in (before.whole, after)]
        statistic, freedom = _heterogeneity(*sides)
        usual = _usually(before, name)
        if not freedom or len(usual) < FEWEST_PARTS:
            continue
        # What the levels add grows with the rows that a stretch of time has: more of them make nothing unusual.
        denser = max(1.0, _per_time(after) / _per_time(before.whole))
        found.append((_tail(statistic, freedom, denser, usual), -statistic / freedom, name))
    if not found:
        return None
    p_value, _, name = min(found)
    return name if p_value * len(found) < SURE else None


def _heterogeneity(before: FloatArray, after: FloatArray) -> tuple[float, int]:
    """Return the chi-squared sum of rows by bin and label, and its degrees of freedom; 0 where it is of no two bins."""
    enough = (before.sum(axis=1) >= ROWS_PER_BIN) & (after.sum(axis=1) >= ROWS_PER_BIN)
    freedom = int(enough.sum()) - 1
    if freedom < 1:
        return 0.0, 0
    rows = [side[enough].sum(axis=1) for side in (before, after)]
    rates = [(side[enough, 1] + 0.5) / (of + 1) for side, of in zip((before, after), rows, strict=True)]
    variance = sum(rate * (1 - rate) / of for rate, of in zip(rates, rows, strict=True))
    changes, weights = rates[1] - rates[0], 1 / np.asarray(variance)
    mean = float((weights * changes).sum() / weights.sum())
    return float((weights * (changes - mean) ** 2).sum()), freedom


@lru_cache(maxsize=512)
def _usually(baseline: LabelledBaseline, name: str) -> list[tuple[float, int]]:
    """Return what `_heterogeneity` is of each of the baseline's windows beside all the others: once for every run."""
    parts = baseline.part_columns.get("", {}).get(name)
    if parts is None:
        return []
    whole = parts.sum(axis=0)
    return [each for part in parts if (each := _heterogeneity(whole - part, part))[1]]


def _tail(statistic: float, freedom: int, denser: float, usual: Sequence[tuple[float, int]]) -> float:
    """Return the larger of two p-values: of chance, and of one more window like the usual ones."""
    from scipy.special import chdtrc, stdtr

    chance = float(chdtrc(freedom, statistic))
    if not statistic > 0:
        return chance
    # Windows that are alike by luck, or one window many times, do not vary less than chance does.
    logs = np.log([max(each / its, 1e-3) for each, its in usual])
    centre = max(float(logs.mean()), 0.0)
    spread = max(float(logs.std(ddof=1)), math.sqrt(2 / freedom)) * math.sqrt(1 + 1 / len(logs))
    return max(chance, float(stdtr(len(logs) - 1, (centre - math.log(statistic / freedom / denser)) / spread)))


def _per_time(profile: LabelsProfile) -> float:
    """Return the labelled rows in a second of the window."""
    return profile.labelled / profile.window.length.total_seconds()


def data_failures(context: CheckContext) -> list[str]:
    """Return what is wrong with the window's data: a reason that no split of performance can tell."""
    found = [f"{name} could not be read" for name in context.profile.unreadable]
    for name in context.baseline.features:
        column, reference = context.profile.columns.get(name), context.baseline.columns.get(name)
        if column is None or reference is None or not column.rows or not reference.rows:
            continue
        missing, usual = column.nulls / column.rows, reference.nulls / reference.rows
        if missing - usual > MISSING:
            found.append(f"{name} is missing in {percent(missing)} of the rows instead of {percent(usual)}")
        unseen = column.counts[-1] / column.rows if column.kind == "categorical" else 0.0
        if unseen > MISSING:
            found.append(f"{percent(unseen)} of the rows have a {name} that the baseline never saw")
    return found


def _signed(part: Part) -> str:
    return f"{part.value:+.2g}"


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
