"""What the keys of a monitor file say about labels and performance: which of them could not have an effect."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from monitoring_tasks.config.checks import Checks, EstimatedPerformance, Performance
from monitoring_tasks.config.contradiction import Contradiction
from monitoring_tasks.config.document import KeyPath
from monitoring_tasks.config.models import AlertRule, InferenceLog, Labels, Retraining, When
from monitoring_tasks.config.performance_metrics import METRIC_FACTS, metrics_of
from monitoring_tasks.config.problem import suggestion

OF_LABELS = ("performance", "concept_drift", "estimated_performance")
"""Checks that compute nothing without labels."""


def performance_contradictions(found: Mapping[str, Any]) -> Iterator[Contradiction]:
    """Yield what is wrong between labels, task, columns and the checks of performance, `found` by their names."""
    yield from _without_labels(found)
    yield from _labels(found)
    yield from _metrics(found)
    yield from _fixed(found)
    yield from _smallest_change(found)


def _without_labels(found: Mapping[str, Any]) -> Iterator[Contradiction]:
    """A check of labels that the file asks for would be computed never, and nothing would say so."""
    checks: Checks | None = found.get("checks")
    if checks is None or found.get("labels", "misspelt") is not None:
        return
    for name in OF_LABELS:
        if name in checks.model_fields_set and getattr(checks, name) is not None:
            yield Contradiction(
                ("checks", name), "is computed from `labels`, and there are none", "add `labels:`, or remove it"
            )
    alerts: tuple[AlertRule, ...] = found.get("alerts") or ()
    whens: list[tuple[KeyPath, When]] = [(("alerts", i, "when"), alert.when) for i, alert in enumerate(alerts)]
    retraining: Retraining | None = found.get("retraining")
    if retraining is not None:
        whens.append((("retraining", "when"), retraining.when))
    for path, when in whens:
        for i, name in enumerate(when.check):
            if name in OF_LABELS and getattr(checks, name) is not None:
                message = "{value} is computed from `labels`, and there are none"
                yield Contradiction((*path, "check", i), message, "add `labels:`, or name another check")


def _labels(found: Mapping[str, Any]) -> Iterator[Contradiction]:
    """Labels are held against something else that the log holds."""
    labels: Labels | None = found.get("labels")
    log: InferenceLog | None = found.get("inference_log")
    if labels is None or log is None:
        return
    scores = [log.score] if isinstance(log.score, str) else list((log.score or {}).values())
    if log.prediction is None and not scores:
        message = "there is neither `prediction` nor `score` that they could be held against"
        yield Contradiction(("labels",), message, "add one of them to `inference_log`")
    for part, column in (("key", labels.key), ("timestamp", labels.timestamp)):
        if labels.value == column:
            message = f"{{value}} is also the labels' `{part}`"
            yield Contradiction(("labels", "value"), message, "name the column with what really happened")
    if labels.table != log.table:
        return
    for part, columns in (("prediction", [log.prediction]), ("score", scores)):
        if labels.value in columns:
            message = f"{{value}} is also the `{part}`, which would be held against itself"
            yield Contradiction(("labels", "value"), message, "name the column with what really happened")


def _metrics(found: Mapping[str, Any]) -> Iterator[Contradiction]:
    """A metric that is named must be of the task, and what it is read from must be there."""
    checks: Checks | None = found.get("checks")
    task: str | None = found.get("task")
    if checks is None or task is None:
        return
    for name in ("performance", "estimated_performance"):
        settings: Performance | EstimatedPerformance | None = getattr(checks, name)
        for i, metric in enumerate((settings and settings.metrics) or ()):
            path: KeyPath = ("checks", name, "metrics", i)
            if metric not in metrics_of(task):
                message = f"{{value}} is not a metric of a {task.replace('_', ' ')}"
                yield Contradiction(path, message, suggestion(metric, metrics_of(task)))
            else:
                yield from _unread(found, path, "{value}", metric)


def _unread(found: Mapping[str, Any], path: KeyPath, subject: str, metric: str) -> Iterator[Contradiction]:
    log: InferenceLog | None = found.get("inference_log")
    reads = METRIC_FACTS[metric].reads  # type: ignore[index]
    if log is not None and getattr(log, reads) is None and (log.prediction is not None or log.score is not None):
        message = f"{subject} is computed from the `{reads}`, and `inference_log` names none"
        yield Contradiction(path, message, f"add `{reads}:` there, or remove it here")


def _fixed(found: Mapping[str, Any]) -> Iterator[Contradiction]:
    """A fixed bound of what is not computed, or that no value or every value is beyond, would decide nothing."""
    checks: Checks | None = found.get("checks")
    task: str | None = found.get("task")
    settings = checks and checks.performance
    if not settings or task is None:
        return
    for metric, bound in settings.fixed.items():
        path: KeyPath = ("checks", "performance", "fixed", metric)
        if metric not in metrics_of(task):
            message = f"{metric!r} is not a metric of a {task.replace('_', ' ')}"
            yield Contradiction(path, message, suggestion(metric, metrics_of(task)))
        elif settings.metrics is not None and metric not in settings.metrics:
            yield Contradiction(path, f"{metric!r} is not among `metrics`", "add it there, or remove it here")
        else:
            yield from _unread(found, path, repr(metric), metric)
            yield from _out_of_reach(path, metric, bound, task)


def _out_of_reach(path: KeyPath, metric: str, bound: float, task: str) -> Iterator[Contradiction]:
    facts = METRIC_FACTS[metric]  # type: ignore[index]
    low, high = facts.lowest, facts.highest
    if metric == "brier" and task == "binary_classification":
        high = 1.0
    if facts.better == "zero":
        return
    is_low = bound <= low if facts.better == "higher" else bound < low
    is_high = bound >= high if facts.better == "lower" else bound > high
    if not (is_low or is_high):
        return
    if facts.better == "higher":
        why = "is never fallen below" if is_low else "is never reached"
        remedy = f"write a number of at most {high:g}" + ("" if math.isinf(low) else f" and above {low:g}")
    else:
        why = "is always exceeded" if is_low else "is never exceeded"
        remedy = f"write a number of at least {low:g}" + ("" if math.isinf(high) else f" and below {high:g}")
    lies = " and ".join(
        [f"is at least {low:g}"] * math.isfinite(low)
        + [f"{'' if math.isfinite(low) else 'is '}at most {high:g}"] * math.isfinite(high)
    )
    yield Contradiction(path, f"{{value}} {why}: {metric} {lies}", remedy)


def _smallest_change(found: Mapping[str, Any]) -> Iterator[Contradiction]:
    """Of classes the smallest change that matters is one of a share."""
    checks: Checks | None = found.get("checks")
    task: str | None = found.get("task")
    settings = checks and checks.concept_drift
    if settings and task in ("binary_classification", "multiclass_classification") and settings.minimum_effect >= 1:
        path: KeyPath = ("checks", "concept_drift", "minimum_effect")
        message = "{value} is never exceeded: the share of a label changes by less than 1"
        yield Contradiction(path, message, "write a share, such as 0.02")
