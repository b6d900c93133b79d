"""The tasks of retraining, on a real store, with Airflow's own parts stood in for: what each does when run again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow.parquet as pq
import pytest
from airflow.providers.standard.operators import hitl
from airflow.providers.standard.operators.trigger_dagrun import DagIsPaused
from airflow.sdk import DAG
from airflow.sdk.exceptions import (
    AirflowFailException,
    AirflowSkipException,
    DagRunTriggerException,
    DownstreamTasksSkipped,
    TaskAwaitingInput,
)
from sqlalchemy import update

from monitoring_tasks.airflow import retraining, review
from monitoring_tasks.airflow.backfill import run_chunk
from monitoring_tasks.airflow.retraining import TrainingRun, dag_run_of, decide, record_requested, send_request
from monitoring_tasks.airflow.review import ReviewRetraining, body
from monitoring_tasks.alerts.alert import Evidence
from monitoring_tasks.errors import DataError, TransientError
from monitoring_tasks.results import tables
from monitoring_tasks.results.actions import Action, read_actions, record_approval
from monitoring_tasks.results.store import open_store
from monitoring_tasks.window import Window
from tests import inference_log
from tests.results.test_actions import DAYS, NOW, change_alert, monitor, open_alert

DAY = DAYS[3]
RUN = "monitoring__"


class TaskInstance:
    """As much of Airflow as the tasks ask, with the DAG runs that there are."""

    id = "5"

    def __init__(self):
        self.runs, self.paused = {}, False
        self.try_number, self.max_tries = 1, 3

    def get_dr_count(self, dag_id, run_ids, states=None):
        return sum((dag_id, run) in self.runs and (not states or self.runs[dag_id, run] in states) for run in run_ids)

    def get_dag(self, dag_id):
        return type("Dag", (), {"is_paused": self.paused, "dag_id": dag_id})()

    def xcom_push(self, **keywords):
        pass


class Run:
    conf, run_type = None, "scheduled"
    data_interval_start, data_interval_end, run_after = DAY.start, DAY.end, DAY.end


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("MONITORING_RESULTS_URL", f"sqlite:///{tmp_path / 'results.db'}")
    monkeypatch.setenv("MONITORING_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MONITORING_WAREHOUSE_LOANS", f"duckdb:///{tmp_path / 'gone.duckdb'}")
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as opened:
        yield opened


@pytest.fixture
def ti():
    return TaskInstance()


@pytest.fixture
def context(ti):
    task = type("Task", (), {"retries": 3})
    return {"ti": ti, "task_instance": ti, "task": task, "dag_run": Run(), "params": {}}


def only(store):
    (action,) = read_actions(store, "loans", decision="trigger")
    return action


def test_a_warehouse_that_is_gone_stops_no_review(store, context):
    open_alert(store)
    assert decide(monitor(), [DAY], context) == [only(store).action_id]
    assert (only(store).export, only(store).query) == (None, None)
    assert "gone.duckdb" in only(store).error


def test_a_file_that_could_not_be_written_is_written_by_a_later_try(store, context, monkeypatch, duckdb_url, tmp_path):
    monkeypatch.setenv("MONITORING_WAREHOUSE_LOANS", duckdb_url)
    monkeypatch.setenv("MONITORING_EXPORTS", str(tmp_path / "full"))
    (tmp_path / "full").write_text("no folder")
    open_alert(store)
    decide(monitor(), [DAY], context)
    assert (only(store).export, only(store).query is None) == (None, False)
    assert "cannot be written" in only(store).error
    (tmp_path / "full").unlink()
    decide(monitor(), [DAY], context)
    assert only(store).export is not None
    assert only(store).error is None


def test_rows_are_exported_once(store, context, monkeypatch, duckdb_url):
    monkeypatch.setenv("MONITORING_WAREHOUSE_LOANS", duckdb_url)
    open_alert(store)
    decide(monitor(), [DAY], context)
    action = only(store)
    assert action.export.endswith(f"training/loans/{action.action_id}.parquet")
    assert action.query.startswith("SELECT")
    monkeypatch.setenv("MONITORING_WAREHOUSE_LOANS", "duckdb:////nowhere.duckdb")
    decide(monitor(), [DAY], context)
    assert only(store) == action


@pytest.mark.parametrize(
    ("state", "decided"),
    [("queued", "running"), ("running", "running"), ("success", "cooldown"), ("failed", "cooldown")],
)
def test_a_dag_run_that_is_not_finished_is_waited_for(store, context, ti, state, decided):
    rule = monitor("none")
    first = open_alert(store, first=1, last=1)
    decide(rule, [DAYS[1]], context)
    change_alert(store, first, state="resolved", resolved_window_end=DAYS[2].end)
    run_train(rule, {**context, "dag_run": of(DAYS[1])})
    ti.runs["train", dag_run_of(only(store))] = state
    record_requested(rule, [DAYS[1]], context)
    open_alert(store, first=3, last=3)
    assert decide(rule, [DAY], context) == []
    assert read_actions(store, "loans", windows=[DAY])[0].decision == decided


def test_a_question_that_nobody_answered_in_time_is_waited_for_no_longer(store, context):
    first = open_alert(store, first=1, last=1)
    decide(monitor(), [DAYS[1]], context)
    change_alert(store, first, state="resolved", resolved_window_end=DAYS[2].end)
    open_alert(store, first=3, last=3)
    decide(monitor(), [DAY], context)
    assert read_actions(store, "loans", windows=[DAY])[0].decision == "running"
    with store.writing("loans") as connection:
        connection.execute(update(tables.action).values(recorded_at=datetime.now(UTC) - timedelta(days=3, hours=12)))
    decide(monitor(), [DAY], context)
    assert read_actions(store, "loans", windows=[DAY])[0].decision == "cooldown"


def of(window):
    run = Run()
    run.data_interval_start, run.data_interval_end, run.run_after = window.start, window.end, window.end
    return run


def run_train(rule, context):
    operator = TrainingRun(task_id="train", monitor=rule)
    with pytest.raises(DagRunTriggerException) as raised:
        operator.execute(context)
    return raised.value


def test_the_run_is_named_by_the_alert_and_knows_the_evidence(store, context):
    rule = monitor("none")
    open_alert(store)
    decide(rule, [DAY], context)
    asked = run_train(rule, context)
    action = only(store)
    assert (asked.trigger_dag_id, asked.dag_run_id) == ("train", RUN + action.action_id)
    assert asked.conf == action.request.to_json()
    assert (asked.logical_date, asked.skip_when_already_exists) == (None, True)
    assert (action.state, action.attempts) == ("triggering", 1)


def test_a_run_that_is_there_is_not_made_again(store, context, ti):
    rule = monitor("none")
    open_alert(store)
    decide(rule, [DAY], context)
    run_train(rule, context)
    ti.runs["train", dag_run_of(only(store))] = "running"
    assert TrainingRun(task_id="train", monitor=rule).execute(context) is None
    assert [each.run_id for each in record_requested(rule, [DAY], context)] == [dag_run_of(only(store))]
    assert record_requested(rule, [DAY], context) == []
    ti.try_number = 2  # the first was killed before Airflow knew of its success, and the asset was not updated
    assert [each.run_id for each in record_requested(rule, [DAY], context)] == [dag_run_of(only(store))]
    ti.try_number, ti.max_tries = 3, 5  # a person has cleared it since
    assert record_requested(rule, [DAY], context) == []
    with pytest.raises(AirflowSkipException):
        TrainingRun(task_id="train", monitor=rule).execute(context)
    ti.runs.clear()
    with pytest.raises(AirflowSkipException):
        TrainingRun(task_id="train", monitor=rule).execute(context)


def test_nothing_is_recorded_of_a_run_that_was_never_made(store, context):
    rule = monitor("none")
    open_alert(store)
    decide(rule, [DAY], context)
    run_train(rule, context)
    with pytest.raises(AirflowFailException, match="is not there: clear task train"):
        record_requested(rule, [DAY], context)
    assert only(store).state == "failed"
    run_train(rule, context)


def test_a_paused_dag_says_what_to_do(store, context, ti):
    rule = monitor("none")
    open_alert(store)
    decide(rule, [DAY], context)
    ti.paused = True
    with pytest.raises(AirflowFailException, match="DAG train is paused, so that nothing would train: unpause it"):
        TrainingRun(task_id="train", monitor=rule).execute(context)
    assert only(store).state == "failed"
    ti.paused = False
    run_train(rule, context)
    assert (only(store).state, only(store).attempts, only(store).error) == ("triggering", 2, None)
    assert DagIsPaused is retraining.DagIsPaused


def test_nothing_is_triggered_before_a_person_agrees(store, context):
    open_alert(store)
    decide(monitor(), [DAY], context)
    with pytest.raises(AirflowSkipException):
        TrainingRun(task_id="train", monitor=monitor()).execute(context)


class Reviewing:
    """A review whose question is kept instead of being put to Airflow's server."""

    def __init__(self, monkeypatch, rule, context):
        self.asked = []
        monkeypatch.setattr(hitl, "upsert_hitl_detail", lambda **detail: self.asked.append(detail))
        self.rule, self.context = rule, context

    def operator(self):
        with DAG("monitor.loans"):
            found = ReviewRetraining(task_id="review", monitor=self.rule)
        self.context["task"] = found
        return found

    def ask(self):
        with pytest.raises(TaskAwaitingInput) as waiting:
            self.operator().execute(self.context)
        return waiting.value

    def answer(self, option, user="ada", **params):
        event = {
            "chosen_options": [option],
            "params_input": {"train_start": None, "train_end": None, "note": "", **params},
            "responded_at": NOW,
            "responded_by_user": user and {"id": user, "name": user},
        }
        return self.operator().execute_complete(self.context, event)


@pytest.fixture
def reviewing(store, context, monkeypatch):
    open_alert(store)
    found = Reviewing(monkeypatch, monitor(), context)
    decide(found.rule, [DAY], context)
    return found


def test_a_review_shows_the_period_and_keeps_the_answer(store, reviewing):
    waiting = reviewing.ask()
    assert (waiting.method_name, waiting.timeout) == ("execute_complete", timedelta(days=3))
    (asked,) = reviewing.asked
    values = {name: each["value"] for name, each in asked["params"].items()}
    assert values == {"train_start": "2024-03-03T00:00Z", "train_end": "2024-03-06T00:00Z", "note": ""}
    assert (asked["options"], asked["defaults"]) == (["Approve", "Reject"], ["Reject"])
    assert "data_drift: age is in alarm" in asked["body"].replace("\\", "")
    reviewing.answer("Approve", train_start="2024-03-01", train_end="2024-03-04T12:00:00+00:00", note="sensor")
    action = only(store)
    assert (action.approval, action.decided_by, action.decided_at, action.note) == ("approved", "ada", NOW, "sensor")
    assert action.train == Window.parse("2024-03-01", "2024-03-04T12:00Z")


def test_a_cleared_review_does_not_ask_again(store, reviewing):
    reviewing.ask()
    reviewing.answer("Approve")
    assert reviewing.operator().execute(reviewing.context) is None
    assert len(reviewing.asked) == 1
    assert only(store).train == Window.parse("2024-03-03", "2024-03-06")


def test_another_period_has_rows_of_its_own(store, context, monkeypatch, duckdb_url):
    monkeypatch.setenv("MONITORING_WAREHOUSE_LOANS", duckdb_url)
    open_alert(store)
    found = Reviewing(monkeypatch, monitor(), context)
    decide(found.rule, [DAY], context)
    before = only(store)
    found.ask()
    assert before.export in found.asked[0]["body"]
    assert pq.read_metadata(before.export).num_rows == 3 * inference_log.ROWS
    found.answer("Approve", train_start="2024-03-01", train_end="2024-03-03")
    after = only(store)
    assert "2024-03-01 00:00:00" in after.query
    assert "2024-03-01 00:00:00" not in before.query
    assert pq.read_metadata(after.export).num_rows == 2 * inference_log.ROWS


def test_a_review_that_was_killed_asks_again(reviewing):
    reviewing.ask()
    reviewing.ask()
    assert len(reviewing.asked) == 2


@pytest.mark.parametrize(
    ("option", "user", "approval", "note"),
    [
        ("Reject", "ada", "rejected", ""),
        ("Reject", None, "timed_out", "nobody answered within 3d, and `approval_default` is reject"),
    ],
)
def test_no_skips_what_follows(store, reviewing, option, user, approval, note):
    with pytest.raises(DownstreamTasksSkipped):
        skipping(reviewing.answer, option, user)
    assert (only(store).approval, only(store).note) == (approval, note)
    with pytest.raises(DownstreamTasksSkipped):
        skipping(reviewing.operator().execute, reviewing.context)
    assert reviewing.asked == []


def skipping(function, *arguments):
    """Call what skips the tasks after it, and hold Airflow's own mark, which needs a server, back."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(review.ReviewRetraining, "skip", lambda self, ti, tasks: raise_skipped())  # noqa: ARG005
        return function(*arguments)


def raise_skipped():
    raise DownstreamTasksSkipped(tasks=["train"])


def test_where_the_file_says_so_silence_is_consent(store, context, monkeypatch):
    open_alert(store)
    consent = Reviewing(monkeypatch, monitor(more=", approval_default: approve"), context)
    decide(consent.rule, [DAY], context)
    consent.ask()
    assert consent.asked[0]["defaults"] == ["Approve"]
    consent.answer("Approve", user=None)
    assert (only(store).approval, only(store).decided_by) == ("approved", None)
    assert "nobody answered within 3d" in only(store).note


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        ("2024-03-05", "2024-03-04", "no rows to learn from lie between"),
        ("2024-03-05", None, "go together"),
        ("soon", "2024-03-04", "'soon' is not a date or time"),
    ],
)
def test_a_period_that_is_none_is_refused_and_can_be_asked_again(store, reviewing, start, end, text):
    with pytest.raises(AirflowFailException, match=text):
        reviewing.answer("Approve", train_start=start, train_end=end)
    assert only(store).waits


def test_a_false_alarm_ends_the_question(store, reviewing):
    change_alert(store, only(store).alert_id, state="false_alarm")
    with pytest.raises(DownstreamTasksSkipped):
        skipping(reviewing.operator().execute, reviewing.context)
    with pytest.raises(DownstreamTasksSkipped):
        skipping(reviewing.operator().execute, reviewing.context)


@pytest.mark.parametrize("state", ["false_alarm", "withdrawn"])
def test_an_answer_after_the_alert_is_gone_says_that_it_changes_nothing(store, reviewing, state):
    reviewing.ask()
    change_alert(store, only(store).alert_id, state=state)
    with pytest.raises(AirflowSkipException, match="changes nothing"):
        reviewing.answer("Approve")
    assert (only(store).approval, only(store).state) == ("waiting", "failed")
    assert only(store).error.startswith("Approved by ada: this changes nothing, because the question had been answered")


def test_of_two_runs_that_ask_the_first_answer_counts(store, reviewing):
    with pytest.raises(DownstreamTasksSkipped):
        skipping(reviewing.answer, "Reject", "bob")
    with pytest.raises(AirflowSkipException, match="answered in another run"):
        reviewing.answer("Approve")
    assert (only(store).approval, only(store).decided_by) == ("rejected", "bob")


def test_an_answer_waits_for_a_store_that_is_away(store, reviewing, monkeypatch):
    """A retry of the task would ask again, and Airflow would have forgotten what was answered."""
    away = iter([TransientError("away"), TransientError("away")])
    pauses = []

    def asked_for(self, context, whole=ReviewRetraining._asked_for):
        if (error := next(away, None)) is not None:
            raise error
        return whole(self, context)

    monkeypatch.setattr(ReviewRetraining, "_asked_for", asked_for)
    monkeypatch.setattr(review.time, "sleep", pauses.append)
    reviewing.answer("Approve")
    assert (only(store).approval, pauses) == ("approved", [2.0, 10.0])


def test_names_from_the_data_do_not_make_the_page():
    hostile = "x|y `a` [approve](https://evil.example.com) ![](http://x.org) <script>alert(1)</script> **b**\n# c"
    evidence = Evidence(DAY, "data_drift", "psi", hostile, "", "alarm", 0.4, 0.3, 0.5, threshold_upper=0.1)
    action = Action(
        "1", "loans", "2", "train", DAY, "trigger", hostile, "waiting", "recorded", NOW, (evidence,) * 12, DAY
    )
    text = body(monitor(), [replace(action, error=hostile, query='SELECT "```" FROM "log"')])
    assert "<script" not in text.replace("\\<", "")
    assert "](http" not in text
    assert text.count("````") == 2
    assert "\n# c" not in text
    (row,) = {line for line in text.splitlines() if line.startswith("| 2024")}
    assert row.replace("\\|", "").count("|") == 7
    assert "and 2 more" in text


HTTP = ", http: {connection: ci, endpoint: /go, json: {why: '{reason}'}}"


@pytest.fixture
def answers(monkeypatch):
    """Return what servers answer, in turn; each request is kept."""
    found = {"answers": [], "sent": []}

    def send(request):
        found["sent"].append(request)
        answer = found["answers"].pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr("monitoring_tasks.http_call.send", send)
    monkeypatch.setenv("MONITORING_HTTP_CI", "https://:s3cret@ci.example.com")
    return found


def test_a_request_is_sent_until_it_is_answered_and_then_no_more(store, context, answers):
    rule = monitor("none", HTTP)
    open_alert(store)
    decide(rule, [DAY], context)
    answers["answers"] = [TransientError("HTTP 503"), DataError("HTTP 401"), "HTTP 204"]
    with pytest.raises(TransientError):
        send_request(rule, [DAY])
    with pytest.raises(DataError):
        send_request(rule, [DAY])
    assert send_request(rule, [DAY]) == "HTTP 204"
    assert send_request(rule, [DAY]) == "HTTP 204", "killed before it was recorded, it is not sent again"
    assert len(answers["sent"]) == 3
    assert len({request.headers["Idempotency-Key"] for request in answers["sent"]}) == 1
    kept = {each.target: each for each in read_actions(store, "loans")}
    assert (kept["ci:/go"].run_id, kept["ci:/go"].attempts, kept["ci:/go"].state) == ("HTTP 204", 3, "triggering")
    assert "s3cret" not in repr(kept)
    assert [each.target for each in record_requested(rule, [DAY], context)] == ["ci:/go"]
    with pytest.raises(AirflowSkipException):
        send_request(rule, [DAY])


@pytest.mark.usefixtures("answers")
def test_why_a_request_failed_is_kept(store, context, monkeypatch):
    rule = monitor("none", HTTP)
    open_alert(store)
    decide(rule, [DAY], context)
    monkeypatch.delenv("MONITORING_HTTP_CI")
    with pytest.raises(Exception, match="MONITORING_HTTP_CI"):
        send_request(rule, [DAY])
    kept = {each.target: each for each in read_actions(store, "loans")}
    assert (kept["ci:/go"].state, kept["train"].state) == ("failed", "recorded")
    assert "MONITORING_HTTP_CI" in kept["ci:/go"].error


def test_approved_rows_are_those_that_were_asked_for(store, context, reviewing):
    record_approval(
        store, only(store), "approved", by="ada", at=datetime.now(UTC), train=Window.parse("2024-01-01", "2024-02-01")
    )
    assert run_train(reviewing.rule, context).conf["train_start"] == "2024-01-01T00:00Z"


def test_a_backfill_records_what_it_would_have_asked_and_a_later_run_asks(store, context, monkeypatch, duckdb_url):
    monkeypatch.setenv("MONITORING_WAREHOUSE_LOANS", duckdb_url)
    others = "prediction_drift: off, data_quality: off, operations: off, multivariate_drift: off"
    checks = f"{{data_drift: {{metrics: [psi]}}, {others}}}"
    rule = inference_log.monitor(checks, "retraining: {when: {check: data_drift}, trigger_dag: train}\n")
    shifted = inference_log.day(inference_log.SHIFTED)
    run_chunk(rule, Window(inference_log.START, shifted.end), notify=True)
    (quiet,) = read_actions(store, "loans")
    assert (quiet.window, quiet.decision) == (shifted, "quiet")
    assert quiet.train == shifted
    assert {each.column_name for each in quiet.evidence} == {"", "amount"}
    assert decide(rule, [shifted], {**context, "dag_run": of(shifted)}) == [only(store).action_id]
    assert only(store).export is not None
    assert read_actions(store, "loans") == (only(store),)
