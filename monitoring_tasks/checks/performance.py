"""Performance: how right the model was, over all rows, in each segment and in every bin of every feature."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from monitoring_tasks.checks.check import CheckContext
from monitoring_tasks.checks.comparison import added_by_chance, compare, value_of_windows
from monitoring_tasks.checks.labelled_rows import labelled_rows
from monitoring_tasks.checks.labels import label_results, provisional, too_few_labels, without_labels, wrong_classes
from monitoring_tasks.checks.measurable import lacks
from monitoring_tasks.checks.performance_by_bin import loss_metric, performance_by_bin
from monitoring_tasks.checks.performance_change import performance_change
from monitoring_tasks.checks.result import Result, Status
from monitoring_tasks.checks.weakest_segments import weakest_segments
from monitoring_tasks.checks.wording import counted, number, p_value, percent
from monitoring_tasks.config import Performance
from monitoring_tasks.label_maturity import complete_at
from monitoring_tasks.labels_profile import LabelsProfile
from monitoring_tasks.profile import readable
from monitoring_tasks.statistics.performance import (
    PERFORMANCE_METRICS,
    PerformanceMetric,
    interval,
    performance_metric,
    standard_error,
    task_of,
)
from monitoring_tasks.window import format_instant

DECIDED: Mapping[str, tuple[str, ...]] = {
    "binary_classification": ("roc_auc", "f1", "brier"),
    "multiclass_classification": ("f1", "accuracy", "log_loss"),
    "regression": ("mae", "rmse"),
}
"""By task: the metrics that are held against the baseline where the file names none; all others are told."""

NO_ROW_OF_SEGMENT = "the baseline holds no labelled row of this segment"
"""Why a segment that is new is compared with nothing."""


def performance(context: CheckContext) -> list[Result]:
    """Compute every metric of the labelled rows, and hold those that decide against the baseline's."""
    settings = context.monitor.checks.performance
    if settings is None:
        return []
    missing = without_labels(context)
    if missing is not None:
        return missing
    if wrong := wrong_classes(context):
        return wrong
    assert context.labels is not None
    results = label_results(context, settings.minimum_coverage)
    whole = context.labels.profiles[0]
    baseline = context.labelled_baseline
    decided = decided_metrics(context, settings)
    tests = len(decided) * len(context.labels.profiles)
    for profile in context.labels.profiles:
        few = too_few_labels(profile, settings.minimum_coverage)
        for metric in measured_metrics(profile, settings):
            reference = None if baseline is None else baseline.profiles.get(profile.segment)
            measured = Measured.of(metric, profile)
            if metric not in decided:
                results.append(measured.result(context, few))
                continue
            results.append(_decided(context, measured, reference, settings, few, tests))
        results += per_class(context, profile, decided, few)
    results += _not_measured(whole, settings)
    if too_few_labels(whole, settings.minimum_coverage) is not None:
        return results
    results += performance_by_bin(context, whole, decided)
    drawn = labelled_rows(context)
    if decided:
        results += performance_change(context, decided[0], drawn)
    loss = loss_metric(context, whole)
    if loss is not None and drawn is not None:
        results.append(weakest_segments(context, loss, drawn))
    return results


@dataclass(frozen=True)
class Measured:
    """One metric of the labelled rows of one segment."""

    metric: PerformanceMetric
    profile: LabelsProfile
    value: float
    """NaN where it is not defined."""
    lower: float
    upper: float

    @classmethod
    def of(cls, metric: PerformanceMetric, profile: LabelsProfile) -> Measured:
        """Measure it."""
        outcomes = profile.outcomes
        lower, upper = interval(metric, outcomes)
        return cls(metric, profile, float(metric.function(outcomes)), float(lower), float(upper))

    def result(self, context: CheckContext, few: str | None = None) -> Result:
        """Return it as a plain number; `few` says that the labels are too few for a verdict."""
        rows = self.profile.labelled
        result = Result(self.metric.name, segment=self.profile.segment, window_rows=rows, status="info")
        if math.isnan(self.value):
            return replace(result, status="insufficient_data", message=f"{self.metric.label}: {why_not(self.profile)}")
        words = f"{self.metric.label} {number(self.value)}{self._between()} of {counted(rows, 'labelled row')}"
        return replace(
            result,
            value=self.value,
            value_lower=_known(self.lower),
            value_upper=_known(self.upper),
            message=f"{words}{_caveat(context, few)}",
        )

    def _between(self) -> str:
        if math.isnan(self.lower) or math.isnan(self.upper):
            return ""
        return f" ({number(self.lower)} to {number(self.upper)})"


def measured_metrics(profile: LabelsProfile, settings: Performance) -> list[PerformanceMetric]:
    """Return the metrics that the file names, or all that suit the outcomes."""
    if settings.metrics is not None:
        wanted = [performance_metric(name) for name in settings.metrics]
    else:
        wanted = list(PERFORMANCE_METRICS)
    return [metric.of_task(task_of(profile.outcomes)) for metric in wanted if lacks(metric, profile) is None]


def decided_metrics(context: CheckContext, settings: Performance) -> list[PerformanceMetric]:
    """Return those that are held against the baseline: the ones that the file names, else the task's usual ones."""
    task = context.monitor.task
    names: tuple[str, ...] = settings.metrics or (*DECIDED[task or "regression"], *settings.fixed)
    profile = context.labels_profile
    assert profile is not None
    wanted = [performance_metric(name) for name in dict.fromkeys(names)]
    return [metric.of_task(task_of(profile.outcomes)) for metric in wanted if lacks(metric, profile) is None]


def _not_measured(whole: LabelsProfile, settings: Performance) -> list[Result]:
    """Say of every metric that the file names, or of the usual ones where there is none at all, why it is missing."""
    names: list[str] = [*(settings.metrics or ()), *settings.fixed]
    if not names and not measured_metrics(whole, settings):
        names = [*DECIDED[whole.bins.task]]
    missing = []
    for metric in map(performance_metric, dict.fromkeys(names)):
        why = lacks(metric, whole)
        if why is not None:
            missing.append(Result(metric.name, status="insufficient_data", message=f"{metric.label}: {why}"))
    return missing


def _caveat(context: CheckContext, few: str | None) -> str:
    """Say that labels are still to come, or that those known are too few for a verdict; empty where neither is so."""
    assert context.labels is not None
    if few is None:
        return provisional(context)
    return f"{'' if context.labels.final else ', provisional'}; {few}"


def _decided(
    context: CheckContext,
    measured: Measured,
    reference: LabelsProfile | None,
    settings: Performance,
    few: str | None,
    tests: int,
) -> Result:
    """Hold a metric against a fixed bound, or against the baseline's value with the errors of both."""
    metric, result = measured.metric, measured.result(context, few)
    if result.value is None:
        return result
    fixed = settings.fixed.get(metric.name)  # type: ignore[call-overload]
    if few is not None:
        return replace(result, status="insufficient_data")
    if fixed is not None:
        return _against_fixed(result, metric, fixed)
    if reference is None or reference.coverage is None:
        why = no_baseline(context) if context.labelled_baseline is None else NO_ROW_OF_SEGMENT
        return replace(result, status="insufficient_data", message=f"{result.message}; {why}")
    few = few_of_baseline(reference, settings.minimum_coverage)
    if few is not None:
        return replace(result, status="insufficient_data", message=f"{result.message}; {few}")
    comparison = compare(metric, reference, measured.profile, context.labelled_baseline)
    result = replace(result, baseline_rows=reference.labelled)
    if comparison is None:
        why = _why_not_compared(metric, reference, measured)
        return replace(result, status="insufficient_data", message=f"{result.message}; {why}")
    rate = settings.false_alarm_rate / tests
    more = added_by_chance(metric, measured.profile)
    low, high = comparison.bounds(rate, more)
    status: Status = "alarm" if comparison.p_value < rate else "ok"
    change = f"the baseline's is {number(comparison.reference)}"
    usual = value_of_windows(comparison, context.labelled_baseline, more)
    if usual is not None and number(usual) != number(comparison.reference):
        change += f", of its windows usually {number(usual)}"
    ups_and_downs = "usual ups and downs explain" if comparison.between else "chance explains"
    verdict = "is worse than the baseline's" if status == "alarm" else f"is no worse than {ups_and_downs}"
    unknown = "; how much windows differ beyond chance is not known" if comparison.between is None else ""
    return replace(
        result,
        status=status,
        p_value=comparison.p_value,
        threshold_lower=low,
        threshold_upper=high,
        message=f"{metric.label} {verdict}: {result.message.removeprefix(metric.label).strip()}, {change} "
        f"({bounds_in_words(metric, low, high)}; {p_value(comparison.p_value)}{unknown})",
        detail={"baseline": comparison.reference, "between_windows": comparison.between},
    )


def bounds_in_words(metric: PerformanceMetric, low: float | None, high: float | None) -> str:
    """Say beyond which values an alarm begins; nothing lies beyond an end of the metric's range."""
    bounds = [
        f"{side} {number(each)}"
        for side, each, end in (("below", low, metric.lowest), ("above", high, metric.highest))
        if each is not None and each != end
    ]
    return f"alarm {' or '.join(bounds)}" if bounds else "no value of so few rows is an alarm"


def _against_fixed(result: Result, metric: PerformanceMetric, fixed: float) -> Result:
    low = fixed if metric.better == "higher" else -abs(fixed) if metric.better == "zero" else None
    high = None if metric.better == "higher" else abs(fixed) if metric.better == "zero" else fixed
    decided = replace(result, status=None, threshold_lower=low, threshold_upper=high)
    side = "below" if metric.better == "higher" else "beyond" if metric.better == "zero" else "above"
    return replace(
        decided, status=decided.decided(), message=f"{result.message} (alarm {side} {fixed:g}, which is fixed)"
    )


def per_class(
    context: CheckContext, profile: LabelsProfile, decided: Sequence[PerformanceMetric], few: str | None = None
) -> list[Result]:
    """Return the metrics of each class of a multiclass model against the rest, and their mean by rows."""
    bins, labels = profile.bins, context.monitor.labels
    if bins.task != "multiclass_classification" or labels is None or profile.segment:
        return []
    rows = profile.cells.reshape(bins.shape)[..., :-1].sum(axis=(0, 1))
    results = []
    for metric in decided:
        weighted = float(metric.function(profile.outcomes, average="weighted"))
        if metric.per_class is None or math.isnan(weighted):
            continue
        message = f"{metric.label} {number(weighted)}, classes weighted by their rows{_caveat(context, few)}"
        shown = Result(f"{metric.name}_weighted", value=weighted, window_rows=profile.labelled, status="info")
        results.append(replace(shown, message=message))
        for i, value in enumerate(metric.per_class(profile.outcomes)):
            if rows[i] and not math.isnan(value):
                segment = f"{labels.value}={readable(bins.classes[i])}"
                words = f"{metric.label} {number(float(value))} of {segment}, {counted(int(rows[i]), 'row')}"
                words += _caveat(context, few)
                its = Result(metric.name, value=float(value), segment=segment, window_rows=int(rows[i]), status="info")
                results.append(replace(its, message=words, column_name=labels.value))
    return results


def why_not(profile: LabelsProfile) -> str:
    """Say why a metric is not defined."""
    if not profile.labelled:
        return "no label is known"
    outcomes = profile.outcomes
    if profile.bins.classes:
        labels = outcomes.counts.sum(axis=(0, 1))
        if (labels > 0).sum() == 1:
            return f"all {profile.labelled:,} labels are of one class"
    return f"it is not defined of these {counted(profile.labelled, 'labelled row')}"


def _why_not_compared(metric: PerformanceMetric, reference: LabelsProfile, measured: Measured) -> str:
    """Say why a metric that the window has is not held against the baseline's."""
    if math.isnan(float(metric.function(reference.outcomes))):
        return f"the baseline's cannot be compared with: {why_not(reference)}"
    whose, profile = "its", measured.profile
    if math.isnan(float(standard_error(metric, reference.outcomes))):
        whose, profile = "the baseline's", reference
    rows = counted(profile.labelled, "labelled row")
    return f"it is not compared with the baseline's: {rows} do not tell {whose} standard error"


def no_baseline(context: CheckContext) -> str:
    """Say why there is nothing to compare with."""
    period, labels = context.monitor.baseline.period, context.monitor.labels
    if period is None or labels is None:
        table = context.monitor.baseline.table
        return f"it is compared with nothing: table {table!r} of `baseline` holds no labels"
    when = format_instant(complete_at(context.monitor, period.window))
    return (
        f"it is compared with nothing yet: the baseline's labels are complete from {when} on, by the labels' own times"
    )


def few_of_baseline(reference: LabelsProfile, minimum: float) -> str | None:
    """Say that too few labels of the baseline are known to compare with it; None where they are enough."""
    coverage = reference.coverage
    if coverage is None or coverage >= minimum:
        return None
    return f"{percent(coverage)} of the baseline's labels are known, a verdict needs {percent(minimum)}"


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
