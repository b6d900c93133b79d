"""Actions in the store, and the decisions that they keep: one for each alert, however often a window is run."""

import multiprocessing
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, update

from monitoring_tasks.actions.retraining import Decision
from monitoring_tasks.alerts.alert import Evidence, alert_id, event_id
from monitoring_tasks.results import actions, tables
from monitoring_tasks.results.actions import (
    read_actions,
    record_answered,
    record_approval,
    record_failed,
    record_rows,
    record_triggered,
    record_triggering,
)
from monitoring_tasks.results.migrate import migrate
from monitoring_tasks.results.store import open_store
from monitoring_tasks.retraining import decide_retraining, targets, to_ask
from monitoring_tasks.window import Window
from tests import inference_log

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
DAYS = [inference_log.day(number) for number in range(1, 9)]
DROP = Evidence(DAYS[2], "data_drift", "psi", "age", "", "alarm", 0.4, threshold_upper=0.1, window_rows=500)


def monitor(approval="required", more=""):
    return inference_log.monitor(
        more=f"retraining: {{when: {{check: data_drift}}, trigger_dag: train, approval: {approval}{more}}}\n"
    )


@pytest.fixture(scope="module")
def rule():
    return monitor()


def open_alert(store, name="loans", first=2, last=3, **changes):
    """Write the alert that the third day opened because of it and the day before."""
    window, latest = DAYS[first], DAYS[last]
    found = alert_id(name, "retraining", "", window)
    row = {
        "alert_id": found,
        "monitor": name,
        "name": "retraining",
        "group_key": "",
        "severity": "high",
        "state": "open",
        "window_start": window.start,
        "window_end": window.end,
        "last_window_start": latest.start,
        "last_window_end": latest.end,
        "series": [["data_drift", "age", ""]],
        "columns": ["age"],
        "message": "data_drift: age is in alarm",
    }
    evidence = [replace(DROP, window=DAYS[first - 1]), replace(DROP, window=window)]
    event = {
        "event_id": event_id(found, "opened", window),
        "alert_id": found,
        "sequence": 1,
        "event": "opened",
        "window_start": window.start,
        "window_end": window.end,
        "actor": "",
        "note": "",
        "evidence": [each.to_json() for each in evidence],
        "tell": False,
        "recorded_at": NOW,
    }
    with store.writing(name) as connection:
        connection.execute(insert(tables.alert).values({**row, **changes}))
        connection.execute(insert(tables.alert_event).values(event))
    return found


def change_alert(store, found, **changes):
    with store.writing("loans") as connection:
        connection.execute(update(tables.alert).where(tables.alert.c.alert_id == found).values(changes))


def decide(store, rule, *windows, ask=True, now=NOW, running=None):
    return decide_retraining(rule, store, windows or (DAYS[3],), ask=ask, now=now, running=running)


def decisions(store):
    return [(each.window, each.decision) for each in read_actions(store, "loans")]


def test_a_decision_to_ask_is_kept_with_all_that_it_stands_on(store, rule):
    found = open_alert(store)
    (action,) = decide(store, rule)
    assert (action.alert_id, action.target, action.window) == (found, "train", DAYS[3])
    assert (action.decision, action.approval, action.state, action.recorded_at) == (
        "trigger",
        "waiting",
        "recorded",
        NOW,
    )
    assert action.train == Window(DAYS[1].start, DAYS[3].end), "since the first window that matched"
    assert action.evidence == (replace(DROP, window=DAYS[1]), DROP)
    assert action.request.to_json()["evidence"][1]["column_name"] == "age"


def test_a_hundred_decisions_about_one_window_are_one(store, rule):
    open_alert(store)
    (first,) = decide(store, rule)
    for i in range(100):
        assert decide(store, rule, now=NOW + timedelta(minutes=i)) == (first,)
    assert read_actions(store, "loans") == (first,)
    record_approval(store, first, "approved", by="ada", at=NOW)
    record_triggering(store, first)
    record_triggered(store, first, "monitoring__1")
    for _ in range(100):
        assert decide(store, rule) == ()
    assert len(read_actions(store, "loans")) == 1


def test_later_windows_of_the_alert_say_that_it_has_asked(store, rule):
    open_alert(store, last=6)
    decide(store, rule, DAYS[3])
    assert decide(store, rule, DAYS[4]) == ()
    assert decide(store, rule, DAYS[2]) == ()
    assert decisions(store) == [(DAYS[2], "asked"), (DAYS[3], "trigger"), (DAYS[4], "asked")]


def test_a_backfill_records_and_asks_nobody(store, rule):
    open_alert(store)
    assert decide(store, rule, *DAYS, ask=False) == ()
    assert decisions(store) == [(window, "quiet") for window in DAYS[2:]]
    (asked,) = decide(store, rule)
    assert (asked.window, asked.decision) == (DAYS[3], "trigger")


def test_of_several_windows_only_the_last_can_ask(store, rule):
    open_alert(store)
    (action,) = decide(store, rule, *DAYS[:5])
    assert action.window == DAYS[4]
    assert decisions(store) == [(DAYS[2], "quiet"), (DAYS[3], "quiet"), (DAYS[4], "trigger")]


def test_a_decision_that_does_not_ask_is_made_anew(store, rule):
    found = open_alert(store, state="false_alarm")
    decide(store, rule)
    assert decisions(store) == [(DAYS[3], "false_alarm")]
    change_alert(store, found, state="open")
    assert [each.decision for each in decide(store, rule)] == ["trigger"]
    assert decisions(store) == [(DAYS[3], "trigger")]


def test_what_does_not_stand_any_more_leaves_no_row(store, rule):
    found = open_alert(store)
    decide(store, rule, ask=False)
    change_alert(store, found, state="withdrawn")
    decide(store, rule, ask=False)
    assert decisions(store) == []


@pytest.mark.parametrize("state", ["false_alarm", "withdrawn"])
def test_a_waiting_question_ends_with_its_alert(store, rule, state):
    found = open_alert(store)
    decide(store, rule)
    change_alert(store, found, state=state)
    assert to_ask(rule, store, [DAYS[3]]) == ()


def test_what_a_person_agreed_to_outlives_its_alert(store, rule):
    found = open_alert(store)
    (action,) = decide(store, rule)
    record_approval(store, action, "approved", by="ada", at=LATER)
    change_alert(store, found, state="false_alarm")
    assert len(to_ask(rule, store, [DAYS[3]])) == 1


def test_two_targets_are_asked_for_one_alert(store):
    both = monitor("none", ", http: {connection: ci, endpoint: '/go?token=hush'}")
    assert targets(both) == ("train", "ci:/go?token=***")
    open_alert(store, last=6)
    assert [each.target for each in decide(store, both)] == ["ci:/go?token=***", "train"]
    assert decide(store, both, DAYS[4]) == ()
    assert len({each.action_id for each in read_actions(store, "loans", decision="trigger")}) == 2


def end_alert(store, found, window):
    change_alert(store, found, state="resolved", resolved_window_end=window.end)


def test_an_alert_that_has_ended_asks_no_more_whatever_is_cleared(store, rule):
    """The runs of a month are cleared: a drop that is over by then called for a new model in its own time only."""
    found = open_alert(store, last=4)
    end_alert(store, found, DAYS[5])
    for window in DAYS[2:5]:
        assert decide(store, rule, window) == ()
    assert decisions(store) == [(window, "ended") for window in DAYS[2:5]]


def test_a_question_whose_run_was_deleted_is_put_again_by_a_later_window(store, rule):
    open_alert(store, last=6)
    (first,) = decide(store, rule, DAYS[3])
    assert decide(store, rule, DAYS[4], now=NOW + timedelta(days=3, hours=12)) == ()
    (again,) = decide(store, rule, DAYS[5], now=NOW + timedelta(days=4, hours=1))
    assert decisions(store) == [(DAYS[3], "unanswered"), (DAYS[4], "asked"), (DAYS[5], "trigger")]
    assert (again.action_id, again.approval, again.query) == (first.action_id, "waiting", None)
    assert not to_ask(rule, store, [DAYS[3]]), "what its run still asks has no one to answer to"
    assert decide(store, rule, DAYS[3], now=NOW + timedelta(days=5)) == ()
    assert record_approval(store, again, "approved", by="ada", at=LATER)
    assert decide(store, rule, DAYS[6], now=NOW + timedelta(days=50)) == ()


def test_what_could_not_be_asked_for_says_what_to_do(store):
    rule = monitor("none")
    open_alert(store, last=6)
    (action,) = decide(store, rule)
    record_failed(store, action, "DAG train is paused")
    decide(store, rule, DAYS[4])
    assert read_actions(store, "loans")[-1].reason.endswith(
        "failed (DAG train is paused): clear the run of that window."
    )


def test_a_year_of_ten_minutes_can_be_looked_up(store, rule):
    open_alert(store)
    (action,) = decide(store, rule)
    first, step = DAYS[0].start - timedelta(days=200), timedelta(minutes=10)
    year = [Window(first + i * step, first + (i + 1) * step) for i in range(40_000)]
    assert read_actions(store, "loans", windows=[*year, DAYS[3]]) == (action,)
    assert read_actions(store, "loans", windows=[]) == ()


def test_another_request_at_work_is_waited_for(store, rule):
    first = open_alert(store, first=2, last=2)
    decide(store, rule, DAYS[2])
    end_alert(store, first, DAYS[3])
    open_alert(store, first=4, last=6)
    assert decide(store, rule, DAYS[5], running=lambda _: "DAG run x") == ()
    assert decisions(store) == [(DAYS[2], "trigger"), (DAYS[5], "running")]
    decide(store, rule, DAYS[5])
    assert decisions(store) == [(DAYS[2], "trigger"), (DAYS[5], "cooldown")]


def test_who_agreed_is_kept_once(store, rule):
    open_alert(store)
    (action,) = decide(store, rule)
    period = Window(DAYS[0].start, DAYS[2].end)
    assert record_approval(store, action, "approved", by="ada", at=LATER, note="new sensor", train=period)
    assert not record_approval(store, action, "rejected", by="bob", at=LATER)
    (kept,) = read_actions(store, "loans")
    assert (kept.approval, kept.decided_by, kept.decided_at, kept.note) == ("approved", "ada", LATER, "new sensor")
    assert kept.train == kept.request.train == period


@pytest.mark.parametrize("approval", ["rejected", "timed_out"])
def test_what_was_refused_is_not_asked_for(store, rule, approval):
    open_alert(store, last=6)
    (action,) = decide(store, rule)
    record_approval(store, action, approval, by=None, at=LATER)
    assert not record_triggering(store, action)
    assert decide(store, rule) == ()
    decide(store, rule, DAYS[4])
    assert decisions(store)[-1] == (DAYS[4], "rejected")


def test_nothing_is_triggered_before_somebody_agreed(store, rule):
    open_alert(store)
    (action,) = decide(store, rule)
    assert not record_triggering(store, action)
    assert not record_triggered(store, action, "x")


def test_each_step_is_kept_and_none_is_taken_back(store):
    rule = monitor("none")
    open_alert(store)
    (action,) = decide(store, rule)
    assert action.approval == "not_required"
    action = record_rows(store, action, "SELECT 1", "/exports/1.parquet", None)
    assert record_triggering(store, action)
    assert record_failed(store, action, "DAG train is paused")
    (failed,) = to_ask(rule, store, [DAYS[3]])
    assert (failed.state, failed.error, failed.attempts) == ("failed", "DAG train is paused", 1)
    assert record_triggering(store, action)
    assert record_answered(store, action, "HTTP 204")
    assert record_triggered(store, action, "monitoring__1")
    assert not record_triggered(store, action, "monitoring__2")
    assert not record_triggering(store, action)
    assert not record_failed(store, action, "too late")
    (done,) = read_actions(store, "loans")
    assert (done.state, done.run_id, done.error, done.attempts) == ("triggered", "monitoring__1", None, 2)
    assert (done.query, done.export) == ("SELECT 1", "/exports/1.parquet")


def test_side_by_side_runs_ask_once(store, rule):
    open_alert(store, last=7)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda window: decide(store, rule, window), DAYS[2:8]))
    found = [decision for _, decision in decisions(store)]
    assert sorted(found) == ["asked"] * 5 + ["trigger"]


def test_what_is_not_open_leaves_the_table_empty(store, rule):
    assert decide(store, rule, *DAYS) == ()
    open_alert(store, first=5, last=6)
    assert decide(store, rule, *DAYS[:5]) == ()
    assert decisions(store) == []


def test_an_alert_that_another_run_has_deleted_meanwhile_leaves_no_row(store):
    """As when chunks of a backfill end in an order of their own: the alert that was read is none by now."""

    def decide(*_):
        return "gone", Decision("quiet", "")

    made = actions.record_decisions(store, "loans", DAYS[3], ["train"], decide, approval="waiting", now=NOW)
    assert made == read_actions(store, "loans") == ()


STEPS = (
    "record_decisions",
    "record_rows",
    "record_approval",
    "record_triggering",
    "record_answered",
    "record_triggered",
)


def take_steps(url, killed, after):
    """Take every step as the tasks do, each only where it is still to be taken, and die before or after one of them."""
    rule = monitor("required")
    with open_store(url) as store:

        def step(name, function, *arguments, **keywords):
            if name == killed and not after:
                os.kill(os.getpid(), signal.SIGKILL)
            found = function(*arguments, **keywords)
            if name == killed:
                os.kill(os.getpid(), signal.SIGKILL)
            return found

        for action in step("record_decisions", decide, store, rule):
            if action.query is None:
                step("record_rows", record_rows, store, action, "SELECT 1", None, None)
            if action.waits:
                step("record_approval", record_approval, store, action, "approved", by="ada", at=NOW)
        for action in to_ask(rule, store, [DAYS[3]]):
            if action.run_id is None and step("record_triggering", record_triggering, store, action):
                step("record_answered", record_answered, store, action, "monitoring__1")
        for action in to_ask(rule, store, [DAYS[3]]):
            if step("record_triggered", record_triggered, store, action, "monitoring__1"):
                pass


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("killed", STEPS)
def test_a_process_killed_at_any_step_loses_nothing_and_asks_once(tmp_path, killed, after):
    url = f"sqlite:///{tmp_path / 'results.db'}"
    migrate(url)
    with open_store(url) as store:
        open_alert(store)
    process = multiprocessing.get_context("fork").Process(target=take_steps, args=(url, killed, after))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    take_steps(url, None, after)
    with open_store(url) as store:
        (action,) = read_actions(store, "loans")
    assert (action.decision, action.approval, action.state) == ("trigger", "approved", "triggered")
    assert (action.run_id, action.query, action.decided_by) == ("monitoring__1", "SELECT 1", "ada")


def test_the_union_of_states_is_what_the_table_says(store, rule):
    """A decision is written with every column that may not be empty, on both databases."""
    open_alert(store)
    (action,) = decide(store, rule)
    assert actions._row(action).keys() <= set(tables.action.c.keys())
    assert Decision("quiet", "").evidence == ()
