"""Why a window calls for a new model or not: each reason, and that the first that holds is the one that is given."""

from dataclasses import replace
from datetime import timedelta

import pytest

from monitoring_tasks.actions.retraining import (
    Asked,
    Decision,
    WindowLabels,
    action_id,
    decide,
    is_open,
    run_id,
    within_noise,
)
from monitoring_tasks.alerts.alert import Alert, Evidence, Series
from monitoring_tasks.config import Retraining
from monitoring_tasks.window import Window, parse_instant


def day(number):
    start = parse_instant("2013-04-01", "UTC") + timedelta(days=number - 1)
    return Window(start, start + timedelta(days=1))


RULE = Retraining.model_validate(
    {"when": {"check": "performance", "windows": "2 of 3"}, "trigger_dag": "train", "minimum_labels": 500}
)
ALERT = Alert(
    "a95b2208f557",
    "flight-delays",
    "retraining",
    "",
    "high",
    "open",
    day(10),
    day(12),
    (Series("performance", "", ""),),
    "performance is in alarm in 2 of the last 3 windows",
)
DROP = Evidence(day(12), "performance", "roc_auc", "", "", "alarm", 0.64, 0.62, 0.66, p_value=1e-5, threshold_lower=0.7)
NOISE = replace(DROP, value=0.69, value_lower=0.66, value_upper=0.72, p_value=None)
EARLIER = Asked("f00", "another", "train", day(1), "approved", "triggered")
MINE = Asked("f01", ALERT.alert_id, "train", day(11), "approved", "triggered")


LATEST = day(12)


def labels(*rows, final=True, first=9):
    return [WindowLabels(day(first + i), each, final) for i, each in enumerate(rows)]


def made(window=LATEST, *, alert=ALERT, evidence=(DROP,), rule=RULE, **more):
    arguments = {"change": day(9).start, "target": "train", "labels": labels(400, 400, 400), **more}
    return decide(rule, window, alert, evidence, **arguments)


CASES = {
    "trigger": ({}, "trigger", "A new model is asked for. performance is in alarm"),
    "no-alert": ({"alert": None}, "not_open", "is not open"),
    "before-it-opened": ({"window": day(9)}, "not_open", "is not open"),
    "resolved": ({"alert": replace(ALERT, state="resolved", resolved_end=day(12).end)}, "not_open", "is not open"),
    "resolved-by-a-person": ({"alert": replace(ALERT, state="resolved")}, "not_open", "A person has resolved"),
    "withdrawn": ({"alert": replace(ALERT, state="withdrawn")}, "not_open", "is not open"),
    "acknowledged": ({"alert": replace(ALERT, state="acknowledged")}, "trigger", "A new model is asked for"),
    "confirmed": ({"alert": replace(ALERT, state="confirmed")}, "trigger", "A new model is asked for"),
    "asked": ({"asked": [MINE]}, "asked", "has asked for a new model in 2013-04-11"),
    "asked-and-failed": (
        {"asked": [replace(MINE, state="failed", error="DAG train is paused.\nUnpause it")]},
        "asked",
        "it asks once. That failed (DAG train is paused. Unpause it): clear the run of that window.",
    ),
    "nobody-can-answer-any-more": (
        {"asked": [replace(MINE, approval="waiting", state="recorded", lapsed=True)]},
        "trigger",
        "A new model is asked for",
    ),
    "ended-since": (
        {"alert": replace(ALERT, state="resolved", resolved_end=day(14).end)},
        "ended",
        "any more: the alert of `retraining` ended in the window up to 2013-04-15T00:00Z.",
    ),
    "asked-while-waiting": (
        {"asked": [replace(MINE, approval="waiting", state="recorded", running="a person's answer")]},
        "asked",
        "it asks once",
    ),
    "another-target-may-be-asked": ({"asked": [replace(MINE, target="ci:/go")]}, "trigger", "is asked for"),
    "false-alarm": ({"alert": replace(ALERT, state="false_alarm")}, "false_alarm", "called this alert a false alarm"),
    "rejected": ({"asked": [replace(MINE, approval="rejected", state="recorded")]}, "rejected", "A person said no"),
    "timed-out": ({"asked": [replace(MINE, approval="timed_out")]}, "rejected", "Nobody answered in time"),
    "waits-for-a-person": (
        {"asked": [replace(EARLIER, approval="waiting", running="a person's answer")]},
        "running",
        "The request of 2013-04-01T00:00Z/2013-04-02T00:00Z is still at work: it waits for a person's answer",
    ),
    "dag-run-not-finished": (
        {"asked": [replace(EARLIER, running="DAG run monitoring__f00 of train")]},
        "running",
        "DAG run monitoring__f00",
    ),
    "cooldown": (
        {"asked": [replace(EARLIER, window=day(6))]},
        "cooldown",
        "ended 2013-04-07T00:00Z; with a cooldown of 7d the next is asked for from 2013-04-14T00:00Z",
    ),
    "cooldown-over": ({"asked": [replace(EARLIER, window=day(5))]}, "trigger", "is asked for"),
    "cooldown-of-a-later-window": ({"asked": [replace(EARLIER, window=day(20))]}, "trigger", "is asked for"),
    "too-few-labels": (
        {"labels": labels(100, 200, 100)},
        "too_few_labels",
        "400 of complete windows since 2013-04-09T00:00Z, and `minimum_labels` is 500",
    ),
    "labels-not-complete": (
        {"labels": labels(400, 400, final=False)},
        "too_few_labels",
        "0 of complete windows since 2013-04-09T00:00Z (800 more labels in windows whose labels are not complete yet)",
    ),
    "no-labels": ({"labels": None}, "trigger", "It may learn from 2013-04-09T00:00Z/2013-04-13T00:00Z."),
    "within-noise": (
        {"evidence": [NOISE]},
        "within_noise",
        "may explain the drop: roc_auc 0.69 (95 % interval 0.66 to 0.72, the bound is 0.7)",
    ),
    "quiet": ({"quiet": True}, "quiet", "nobody is, because this window was not run to tell people"),
}


@pytest.mark.parametrize(("given", "code", "reason"), CASES.values(), ids=CASES.keys())
def test_each_reason(given, code, reason):
    decision = made(**given)
    assert decision.decision == code
    assert reason in decision.reason
    assert decision.reason.endswith((".", "?"))
    assert "\n" not in decision.reason


IN_ORDER = (
    ("not_open", {"alert": None}),
    ("asked", {"asked": [MINE, replace(EARLIER, running="a person's answer", window=day(8))]}),
    ("running", {"asked": [replace(EARLIER, running="a person's answer", window=day(8))]}),
    ("cooldown", {"asked": [replace(EARLIER, window=day(8))]}),
    ("too_few_labels", {}),
)


@pytest.mark.parametrize(("code", "given"), IN_ORDER, ids=[code for code, _ in IN_ORDER])
def test_the_first_reason_that_holds_is_given(code, given):
    assert made(evidence=[NOISE], labels=labels(1), quiet=True, **given).decision == code


def test_the_period_ends_where_labels_are_complete():
    known = [*labels(400, 400), *labels(90, 80, final=False, first=11)]
    decision = made(labels=known)
    assert decision.train == Window(day(9).start, day(10).end)
    assert "with 800 labels" in decision.reason
    assert made(day(10), labels=known, alert=replace(ALERT, last=day(10))).train == decision.train


def test_without_a_first_match_it_begins_with_the_alert():
    assert made(change=None, labels=None).train == Window(day(10).start, day(12).end)


def test_no_label_is_needed_where_the_file_says_so():
    rule = RULE.model_copy(update={"minimum_labels": 0})
    assert made(rule=rule, labels=labels(400, final=False)).decision == "trigger"


@pytest.mark.parametrize(
    ("evidence", "noise"),
    [
        ([NOISE], True),
        ([replace(NOISE, value_upper=0.699)], False),
        ([replace(NOISE, value_upper=0.7)], True),
        ([replace(NOISE, threshold_lower=None, threshold_upper=0.65, value_lower=0.66)], False),
        ([replace(NOISE, value_lower=None, value_upper=None)], False),
        ([replace(NOISE, threshold_lower=None)], False),
        ([DROP], False),
        ([replace(DROP, value_lower=0.5, value_upper=0.8)], False),
        ([replace(DROP, p_value=0.2)], True),
        ([NOISE, DROP], False),
        ([NOISE, replace(NOISE, check_name="concept_drift")], False),
        ([replace(NOISE, check_name="estimated_performance")], True),
        ([], False),
    ],
    ids=[
        "reaches", "just-below", "touches", "above-an-upper-bound", "no-interval", "no-bound", "p-small",
        "p-decides-not-the-interval", "p-large", "one-is-sure", "another-check", "estimated", "nothing",
    ],
)  # fmt: skip
def test_what_is_noise(evidence, noise):
    assert within_noise(evidence) is noise


def test_a_fixed_bound_is_noise_as_often_as_the_interval_says():
    """An interval of 95 % holds the true value 19 times of 20: a drop to the bound itself is called noise as often."""
    import numpy as np

    rng = np.random.default_rng(5)
    values = rng.normal(0.7, 0.01, 20_000)
    found = [
        within_noise([replace(NOISE, value=value, value_lower=value - 0.0196, value_upper=value + 0.0196)])
        for value in values
    ]
    assert abs(np.mean(found) - 0.95) < 0.005


def test_ids_tell_what_asks_once_from_what_does_not():
    ids = {
        action_id("a", "train"),
        action_id("a", "other"),
        action_id("b", "train"),
        action_id("a", "train", day(1)),
        action_id("a", "train", day(2)),
    }
    assert len(ids) == 5
    assert (
        run_id(action_id("a", "train")) == run_id(action_id("a", "train")) == f"monitoring__{action_id('a', 'train')}"
    )


def test_an_open_alert_is_open_from_its_first_window_to_its_end():
    over = replace(ALERT, state="resolved", resolved_end=day(14).end)
    assert [is_open(over, day(number)) for number in (9, 10, 13, 14, 15)] == [False, True, True, False, False]


def test_a_decision_not_to_ask_has_no_period_before_it_looked_at_labels():
    assert made(asked=[MINE]) == Decision("asked", made(asked=[MINE]).reason, (DROP,), None)
