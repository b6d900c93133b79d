"""Estimated performance: how right the model probably was, before the window's labels are known."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from monitoring_tasks.checks.check import CheckContext
from monitoring_tasks.checks.comparison import Comparison, value_of_windows
from monitoring_tasks.checks.estimate_coverage import estimate_coverage
from monitoring_tasks.checks.expected_performance import (
    MINIMUM_ROWS,
    Expected,
    Inputs,
    answered,
    chance_adds,
    compare_expected,
    drawn_inside,
    estimate_of,
    expect,
    has_two_labels,
    holds,
    is_enough,
    population,
)
from monitoring_tasks.checks.labels import no_classes, too_few_labels, without_labels
from monitoring_tasks.checks.performance import bounds_in_words, decided_metrics, few_of_baseline, no_baseline
from monitoring_tasks.checks.result import Result, Status
from monitoring_tasks.checks.wording import counted, number, p_value
from monitoring_tasks.config import Performance
from monitoring_tasks.labels_profile import LabelsProfile
from monitoring_tasks.reference import Reference
from monitoring_tasks.statistics.performance import PERFORMANCE_METRICS, PerformanceMetric, performance_metric, task_of
from monitoring_tasks.statistics.performance.estimation import EstimatedPerformance


def estimated_performance(context: CheckContext) -> list[Result]:
    """Estimate every metric from the window's rows alone, hold it against the baseline's, and later against the truth.

    Rows are written for all rows and each segment. Once the labels are complete, the truth stands beside the estimate,
    and a last row tells how often the intervals of the latest windows held it.
    """
    settings = context.monitor.checks.estimated_performance
    if settings is None:
        return []
    missing = without_labels(context)
    if missing is not None:
        return missing
    assert context.labels is not None
    whole, baseline = context.labels.profiles[0], context.labelled_baseline
    decided = _decided_metrics(context)
    tests = max(len(decided) * len(context.labels.profiles), 1)
    inputs = inputs_of(context)
    results: list[Result] = []
    for profile in context.labels.profiles:
        why = _why_not(context, profile)
        expected = None if baseline is None or why is not None else expect(profile, baseline, inputs)
        if baseline is None or expected is None:
            results += [_not_estimated(metric, profile, why or NO_COLUMN) for metric in decided]
            continue
        endless = population(expected) if any(can_estimate(metric, profile) for metric in decided) else None
        for metric in [metric for metric in _metrics(context) if can_estimate(metric, profile)]:
            comparison, usual = None, None
            if metric in decided and endless is not None:
                comparison = compare_expected(metric, expected, endless, baseline)
            row = Row(metric, expected, estimate_of(metric, expected, baseline), realised(context, metric, profile))
            rate = settings.false_alarm_rate / tests
            more = chance_adds(metric, expected) - drawn_inside(metric, expected, baseline)
            if comparison is not None:
                usual = value_of_windows(comparison, baseline, more)
            results.append(row.result(comparison, rate, more, usual) if metric in decided else row.plain())
            if row.truth is not None and not profile.segment and metric in decided:
                results.append(row.error())
        results += [
            _not_estimated(metric, profile, NO_SCORES) for metric in decided if not can_estimate(metric, profile)
        ]
    watched = [metric for metric in decided if can_estimate(metric, whole)]
    if watched and baseline is not None and _nothing_to_estimate_from(context) is None:
        results.append(estimate_coverage(context, watched, baseline, inputs))
    return results


NO_COLUMN = "no column's bins say anything about the errors"
NO_SCORES = "the model gives no scores"


@dataclass(frozen=True)
class Row:
    """One estimated metric of all rows or one segment."""

    metric: PerformanceMetric
    expected: Expected
    found: EstimatedPerformance
    truth: float | None
    """What the labels show; None before they are complete."""

    @property
    def inside(self) -> bool | None:
        """Whether the interval holds the truth; None where either is not known."""
        return holds(self.found, self.truth)

    def plain(self) -> Result:
        """Return it as a plain number."""
        profile, found = self.expected.profile, self.found
        result = Result(
            self.metric.name,
            segment=profile.segment,
            baseline_rows=self.expected.reference.labelled,
            window_rows=profile.rows,
            status="info",
            detail=self.detail(),
        )
        if math.isnan(found.value):
            why = f"it is not defined of what {counted(profile.rows, 'row')} may show"
            return replace(result, status="insufficient_data", message=f"{self.metric.label} is not estimated: {why}")
        return replace(
            result,
            value=found.value,
            value_lower=_known(found.lower),
            value_upper=_known(found.upper),
            message=f"{self._words()}{self._truth_in_words()}",
        )

    def result(
        self, comparison: Comparison | None, rate: float, more: float = 0.0, usual: float | None = None
    ) -> Result:
        """Return it with its decision, at this rate of false alarms.

        The bounds are those of the value that is told: `more` is by how much it is above the one that is compared.
        `usual` is what windows of the baseline usually have, where that is worse than the baseline's.
        """
        result = self.plain()
        if result.value is None:
            return result
        if comparison is None:
            why = "the baseline's cannot be compared with"
            return replace(
                result, status="insufficient_data", message=f"{self._words()}; {why}{self._truth_in_words()}"
            )
        low, high = comparison.bounds(rate, more)
        status: Status = "alarm" if comparison.p_value < rate else "ok"
        told_apart = usual is not None and number(usual) != number(comparison.reference)
        usually = f", of its windows usually {number(usual)}" if usual is not None and told_apart else ""
        worse = ", which is worse" if status == "alarm" else ""
        return replace(
            result,
            status=status,
            p_value=comparison.p_value,
            threshold_lower=low,
            threshold_upper=high,
            message=f"{self._words()}, the baseline's is {number(comparison.reference)}{usually}{worse} "
            f"({bounds_in_words(self.metric, low, high)}; {p_value(comparison.p_value)}){self._truth_in_words()}",
            detail={
                **result.detail,
                "baseline": comparison.reference,
                "between_windows": comparison.between,
            },
        )

    def error(self) -> Result:
        """Return by how much the estimate was off."""
        assert self.truth is not None
        off = self.found.value - self.truth
        words = f"estimated {number(self.found.value)}{self._between()}, the labels show {number(self.truth)}"
        return Result(
            f"{self.metric.name}_error",
            value=_known(off),
            window_rows=self.expected.profile.labelled,
            status="info",
            message=f"{self.metric.label}: {words}",
        )

    def detail(self) -> dict[str, Any]:
        """Say how it was estimated, and what came of it."""
        regression = self.expected.calibration is None
        of = self.expected.reference.segment
        found: dict[str, Any] = {
            "method": "bins" if regression else "calibration",
            "by_column" if regression else "corrected_for": self.expected.by_column or None,
            "calibrated_on": of or "all rows",
        }
        if self.truth is not None:
            found |= {"realised": self.truth, "inside": self.inside}
        return found

    def _words(self) -> str:
        profile, column = self.expected.profile, self.expected.by_column
        if self.expected.calibration is None:
            source = f"{counted(profile.rows, 'row')} by {column}"
        else:
            source = counted(profile.rows, "score" if profile.bins.edges or profile.bins.score_edges else "prediction")
            source += f", corrected for the shift of {column}" * bool(column)
        return f"{self.metric.label} is estimated at {number(self.found.value)}{self._between()} from {source}"

    def _between(self) -> str:
        if math.isnan(self.found.lower) or math.isnan(self.found.upper):
            return ""
        return f" ({number(self.found.lower)} to {number(self.found.upper)})"

    def _truth_in_words(self) -> str:
        if self.truth is None:
            return ""
        where = {True: ", inside", False: ", outside", None: ""}[self.inside]
        return f"; the labels show {number(self.truth)}{where}"


def inputs_of(context: CheckContext) -> Inputs:
    """Return the columns by whose bins a window may be estimated: the features, and of a regression its prediction."""
    prediction = context.monitor.inference_log.prediction
    names = list(context.baseline.features)
    if context.monitor.task == "regression" and prediction is not None:
        names.append(prediction)
    known = Reference.of_baseline(context.baseline, context.window.length).dispersions.get("", {})
    return tuple((name, max(known[name].of_all_shares.mean, 1.0) if name in known else 1.0) for name in names)


def can_estimate(metric: PerformanceMetric, profile: LabelsProfile) -> bool:
    """Tell whether a metric can be taken of rows whose labels are not known."""
    return metric.suits(profile.outcomes)


def minimum_coverage(context: CheckContext) -> float:
    """Return the share of labels from which on they are taken as the truth."""
    return (context.monitor.checks.performance or Performance()).minimum_coverage


def realised(context: CheckContext, metric: PerformanceMetric, profile: LabelsProfile) -> float | None:
    """Return what the window's labels show; None before they are complete, or where they are too few."""
    assert context.labels is not None
    if not context.labels.final or too_few_labels(profile, minimum_coverage(context)) is not None:
        return None
    return _known(float(metric.function(profile.outcomes)))


def _metrics(context: CheckContext) -> list[PerformanceMetric]:
    """Return the metrics that the file names, or all."""
    settings = context.monitor.checks.estimated_performance
    names = None if settings is None else settings.metrics
    wanted = list(PERFORMANCE_METRICS) if names is None else [performance_metric(name) for name in names]
    assert context.labels_profile is not None
    return [metric.of_task(task_of(context.labels_profile.outcomes)) for metric in wanted]


def _decided_metrics(context: CheckContext) -> list[PerformanceMetric]:
    """Return those that are held against the baseline: the ones that the file names, else those of `performance`."""
    settings = context.monitor.checks.estimated_performance
    if settings is not None and settings.metrics is not None:
        return _metrics(context)
    return decided_metrics(context, context.monitor.checks.performance or Performance())


def _nothing_to_estimate_from(context: CheckContext) -> str | None:
    """Say why the labels of the baseline's rows allow no estimate; None where they do."""
    if context.labelled_baseline is None:
        return no_baseline(context).partition(": ")[2]
    if (other := no_classes(context)) is not None:
        return other
    whole = context.labelled_baseline.whole
    if not whole.labelled:
        return "no row of the baseline has a label"
    few = few_of_baseline(whole, minimum_coverage(context))
    if few is None and whole.bins.classes and not has_two_labels(whole):
        return f"all {whole.labelled:,} labels of the baseline's rows are of one class"
    return few


def _why_not(context: CheckContext, profile: LabelsProfile) -> str | None:
    """Say why nothing can be estimated; None where it can."""
    why = _nothing_to_estimate_from(context)
    if why is not None or is_enough(profile):
        return why
    usable = answered(profile)
    some = (
        counted(profile.rows, "row") if usable == profile.rows else f"{usable:,} of {profile.rows:,} rows have a score"
    )
    return f"{some}, an estimate needs {MINIMUM_ROWS}"


def _not_estimated(metric: PerformanceMetric, profile: LabelsProfile, why: str) -> Result:
    return Result(
        metric.name,
        segment=profile.segment,
        window_rows=profile.rows,
        status="insufficient_data",
        message=f"{metric.label} is not estimated: {why}",
    )


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
