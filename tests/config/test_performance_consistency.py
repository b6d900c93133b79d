"""What a file says of labels and performance and could not have an effect, or could not mean, is refused."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitoring_tasks.config import Monitor, MonitorFileError, parse_monitor
from monitoring_tasks.config.performance_metrics import METRIC_FACTS, metrics_of
from monitoring_tasks.statistics.performance import PERFORMANCE_METRICS

MINIMAL = yaml.safe_load((Path(__file__).parent / "cases" / "minimal.yaml").read_text())
LABELS = {"table": "outcomes", "key": "id", "value": "late", "timestamp": "known_at", "complete_after": "2d"}
BINARY = {"prediction": "predicted", "score": "probability", "positive_class": 1}
CLASSES = {"prediction": "predicted", "score": {"a": "p_a", "b": "p_b", "c": "p_c"}}
NUMBER = {"prediction": "predicted"}
OFF = {"performance": False, "concept_drift": False, "estimated_performance": False}


def read(task: str, log: dict[str, Any], checks: dict[str, Any], **keys: Any) -> Monitor:
    """Read the minimal file with labels, the task, columns of the log and checks."""
    values = {**MINIMAL, "labels": LABELS, "task": f"{task}_classification" if task != "regression" else task}
    values = {**values, "inference_log": {**MINIMAL["inference_log"], **log}, "checks": checks, **keys}
    return parse_monitor(yaml.safe_dump({key: value for key, value in values.items() if value is not None}), environ={})


def refused(*args: Any, **keys: Any) -> list[str]:
    """Return the errors of such a file, without file and line."""
    with pytest.raises(MonitorFileError) as caught:
        read(*args, **keys)
    return [line.split(": ", 1)[1] for line in str(caught.value).splitlines()]


@pytest.mark.parametrize("metric", PERFORMANCE_METRICS, ids=lambda metric: metric.name)
def test_the_facts_that_files_are_held_against_are_the_metrics_own(metric: Any) -> None:
    facts = METRIC_FACTS[metric.name]
    assert (facts.lowest, facts.highest, facts.better) == (metric.lowest, metric.highest, metric.better)
    # Of a regression the "scores" are bins of the residual; what losses are sums of, the task tells.
    of_scores = metric.tasks != ("regression",) and "predictions" not in metric.needs
    assert facts.reads == ("score" if of_scores else "prediction")
    for task in ("binary", "multiclass", "regression"):
        name = task if task == "regression" else f"{task}_classification"
        assert (metric.name in metrics_of(name)) == (task in metric.tasks)


def test_facts_are_of_every_metric_and_of_no_other() -> None:
    assert list(METRIC_FACTS) == [metric.name for metric in PERFORMANCE_METRICS]


@pytest.mark.parametrize(
    ("task", "log", "fixed"),
    [
        ("binary", BINARY, {"roc_auc": 0.7, "f1": 1, "mcc": 0, "brier": 0.2, "log_loss": 0, "lift": 2.5}),
        ("multiclass", CLASSES, {"brier": 1.5, "accuracy": 0.6}),
        ("regression", NUMBER, {"mae": 70, "r2": -3, "bias": -5, "rmse": 0}),
    ],
)
def test_a_bound_that_can_decide_is_taken(task: str, log: dict[str, Any], fixed: dict[str, float]) -> None:
    monitor = read(task, log, {"performance": {"fixed": fixed}})
    assert monitor.checks.performance is not None
    assert monitor.checks.performance.fixed == fixed


@pytest.mark.parametrize(
    ("task", "log", "settings", "error"),
    [
        ("binary", BINARY, {"roc_auc": 70}, "70 is never reached: roc_auc is at least 0 and at most 1: write a number"),
        ("binary", BINARY, {"f1": -1}, "-1 is never fallen below: f1 is at least 0 and at most 1"),
        ("binary", BINARY, {"f1": 0}, "0 is never fallen below"),
        ("binary", BINARY, {"brier": 1.5}, "1.5 is never exceeded: brier is at least 0 and at most 1: write"),
        ("multiclass", CLASSES, {"brier": 2}, "2 is never exceeded: brier is at least 0 and at most 2"),
        ("binary", BINARY, {"mae": 3}, "'mae' is not a metric of a binary classification"),
        ("regression", NUMBER, {"mae": -1}, "-1 is always exceeded: mae is at least 0: write a number of at least 0"),
        ("regression", NUMBER, {"r2": 1.5}, "1.5 is never reached: r2 is at most 1: write a number of at most 1"),
        ("regression", NUMBER, {"f1": 0.5}, "'f1' is not a metric of a regression"),
    ],
)
def test_a_bound_that_decides_nothing_is_refused(
    task: str, log: dict[str, Any], settings: dict[str, float], error: str
) -> None:
    (found,) = refused(task, log, {"performance": {"fixed": settings}})
    assert found.startswith(f"checks.performance.fixed.{next(iter(settings))}: {error}")


def test_a_bound_of_a_metric_that_is_not_computed_is_refused() -> None:
    found = refused("binary", BINARY, {"performance": {"metrics": ["f1"], "fixed": {"roc_auc": 0.9, "f1": 0.5}}})
    assert found == [
        "checks.performance.fixed.roc_auc: 'roc_auc' is not among `metrics`: add it there, or remove it here"
    ]


@pytest.mark.parametrize("check", ["performance", "estimated_performance"])
@pytest.mark.parametrize(("metric", "missing"), [("roc_auc", "score"), ("f1", "prediction")])
def test_a_metric_of_a_column_that_the_log_does_not_name_is_refused(check: str, metric: str, missing: str) -> None:
    log = {key: value for key, value in BINARY.items() if key != missing}
    assert refused("binary", log, {check: {"metrics": [metric]}}) == [
        f"checks.{check}.metrics[0]: '{metric}' is computed from the `{missing}`, and `inference_log` names none: "
        f"add `{missing}:` there, or remove it here"
    ]


def test_a_fixed_metric_of_a_column_that_the_log_does_not_name_is_refused() -> None:
    log = {"prediction": "predicted", "positive_class": 1}
    (found,) = refused("binary", log, {"performance": {"fixed": {"roc_auc": 0.9}}})
    assert found.startswith("checks.performance.fixed.roc_auc: 'roc_auc' is computed from the `score`")


def test_labels_that_nothing_is_held_against_are_refused() -> None:
    (found,) = refused("binary", {"positive_class": 1}, {})
    assert found.startswith("labels: there is neither `prediction` nor `score` that they could be held against")


@pytest.mark.parametrize(("value", "part"), [("predicted", "prediction"), ("probability", "score")])
def test_a_label_that_is_the_models_own_answer_is_refused(value: str, part: str) -> None:
    own = {**LABELS, "table": MINIMAL["inference_log"]["table"], "value": value}
    (found,) = refused("binary", BINARY, {}, labels=own)
    assert found == (
        f"labels.value: '{value}' is also the `{part}`, which would be held against itself: "
        "name the column with what really happened"
    )
    assert read("binary", BINARY, {}, labels={**LABELS, "value": value})  # another table's column of that name


@pytest.mark.parametrize(("value", "part"), [("id", "key"), ("known_at", "timestamp")])
def test_a_label_that_is_its_own_key_or_time_is_refused(value: str, part: str) -> None:
    (found,) = refused("binary", BINARY, {}, labels={**LABELS, "value": value})
    assert found.startswith(f"labels.value: '{value}' is also the labels' `{part}`: name the column")


@pytest.mark.parametrize("check", ["performance", "concept_drift", "estimated_performance"])
def test_a_check_of_labels_without_labels_is_refused_where_it_is_asked_for(check: str) -> None:
    error = "computed from `labels`, and there are none"
    (found,) = refused("binary", BINARY, {check: {"false_alarm_rate": 0.02}}, labels=None)
    assert found == f"checks.{check}: is {error}: add `labels:`, or remove it"
    retraining = {"when": {"check": [check]}, "trigger_dag": "retrain"}
    (found,) = refused("binary", BINARY, {}, labels=None, retraining=retraining)
    assert found == f"retraining.when.check[0]: '{check}' is {error}: add `labels:`, or name another check"
    (found,) = refused("binary", BINARY, {}, labels=None, alerts=[{"name": "a", "when": {"check": check}}])
    assert found.startswith(f"alerts[0].when.check: '{check}' is {error}")
    assert read("binary", BINARY, OFF, labels=None)


def test_a_smallest_change_of_a_share_is_below_one() -> None:
    (found,) = refused("binary", BINARY, {"concept_drift": {"minimum_effect": 5}})
    assert found.startswith("checks.concept_drift.minimum_effect: 5 is never exceeded")
    assert read("regression", NUMBER, {"concept_drift": {"minimum_effect": 5}})  # of standard deviations


def test_an_infinite_bound_is_refused_by_the_reader_already() -> None:
    (found,) = refused("binary", BINARY, {"performance": {"fixed": {"roc_auc": math.inf}}})
    assert "fixed.roc_auc" in found
