"""A new model in a real Airflow: called for by an alert, reviewed by a person over the REST API, triggered once."""

import json
import time
from urllib.parse import quote

import pytest

from tests.end_to_end.server import until

pytestmark = pytest.mark.integration

ONE_CHECK = (
    "{data_drift: {metrics: [psi]}, prediction_drift: off, data_quality: off, multivariate_drift: off, operations: off}"
)
RULE = "retraining: {{when: {{check: data_drift}}, trigger_dag: train_{name}, approval: {approval}}}\n"
WINDOW = {"window_start": "2013-04-07T04:00:00Z", "window_end": "2013-04-08T04:00:00Z", "notify": True}


@pytest.fixture(scope="module")
def runs(airflow):
    """Start a run of each monitor on a day whose pressure has drifted; return their ids."""
    for name, approval in (("storm", "required"), ("gale", "required"), ("frost", "none")):
        airflow.write_monitor(name, checks=ONE_CHECK, more=RULE.format(name=name, approval=approval))
    for name in ("storm", "gale", "frost"):
        airflow.unpause(f"monitor.{name}")
    until(lambda: {"train_storm", "train_gale", "train_frost"} <= set(airflow.dags()), "the DAGs that train")
    for name in ("storm", "gale", "frost"):  # the run of yesterday has no row to look at
        scheduled = f"/dags/monitor.{name}/dagRuns?run_type=scheduled"
        until(lambda path=scheduled: airflow.call(path)["dag_runs"], "the scheduled run")
        run = airflow.call(scheduled)["dag_runs"][0]["dag_run_id"]
        airflow.call(f"/dags/monitor.{name}/dagRuns/{quote(run)}", {"state": "success"}, "PATCH")
    return {name: airflow.trigger(f"monitor.{name}", **WINDOW) for name in ("storm", "gale", "frost")}


def state(airflow, name, run, task):
    return airflow.tasks(f"monitor.{name}", run).get(task, {}).get("state")


def states(airflow, name, run):
    return {task: each["state"] for task, each in airflow.tasks(f"monitor.{name}", run).items()}


def answer(airflow, name, run, option, **params):
    """Answer as a person would: not at once, and again where Airflow asks again.

    Airflow 3.3 takes a task whose answer comes before its scheduler has seen it wait for one that ended without a word,
    and tries it again. So a second is left.
    """
    path = f"/dags/monitor.{name}/dagRuns/{quote(run)}/taskInstances/review/-1/hitlDetails"
    asked = {}

    def answered():
        if state(airflow, name, run, "review") != "awaiting_input":
            return action(airflow, name)["approval"] != "waiting"
        time.sleep(2)
        asked.update(airflow.call(path))
        defaults = {key: each["value"] for key, each in asked["params"].items()}
        airflow.call(path, {"chosen_options": [option], "params_input": {**defaults, **params}}, "PATCH")
        until(lambda: state(airflow, name, run, "review") != "awaiting_input", "the answer to be taken")
        return False

    until(lambda: state(airflow, name, run, "review") == "awaiting_input", f"the review of {name}")
    until(answered, f"the answer to {name} to be kept")
    return asked


def clear(airflow, name, run, **more):
    airflow.call(
        f"/dags/monitor.{name}/dagRuns/{quote(run)}/clear", {"dry_run": False, "only_failed": False, **more}, "POST"
    )


def clear_from(airflow, name, run, task, *, downstream=False):
    body = {"dry_run": False, "only_failed": False, "dag_run_id": run, "task_ids": [task]}
    airflow.call(f"/dags/monitor.{name}/clearTaskInstances", {**body, "include_downstream": downstream}, "POST")


def action(airflow, name):
    (row,) = airflow.rows("action", name)
    return row


def trained(airflow, name):
    return airflow.call(f"/dags/train_{name}/dagRuns")["dag_runs"]


@pytest.fixture(scope="module")
def approved(airflow, runs):
    """Approve with another period and a note, and return what was shown."""
    asked = answer(
        airflow, "storm", runs["storm"], "Approve", train_start="2013-04-06T04:00:00Z", note="the sensor was replaced"
    )
    assert airflow.finish("monitor.storm", runs["storm"]) == "success"
    return asked


def test_the_reviewer_sees_why_and_from_which_rows(airflow, approved):
    assert approved["options"] == ["Approve", "Reject"]
    assert approved["subject"] == "A new model for storm?"
    assert approved["params"]["train_start"]["value"] == "2013-04-07T04:00Z"
    assert approved["params"]["train_end"]["value"] == "2013-04-08T04:00Z"
    for part in (f"{action(airflow, 'storm')['action_id']}.parquet", "```sql", '"asked_at" >=', "pressure"):
        assert part in approved["body"]


@pytest.mark.usefixtures("approved")
def test_an_approved_request_becomes_one_run_with_the_evidence(airflow, runs):
    (run,) = trained(airflow, "storm")
    row = action(airflow, "storm")
    assert run["dag_run_id"] == row["run_id"] == f"monitoring__{row['action_id']}"
    assert (row["decision"], row["approval"], row["state"]) == ("trigger", "approved", "triggered")
    assert (row["decided_by"], row["note"]) == ("admin", "the sensor was replaced")
    conf = run["conf"]
    assert conf["train_start"] == "2013-04-06T04:00Z", "what the reviewer asked for"
    assert (conf["train_end"], conf["approved_by"]) == ("2013-04-08T04:00Z", "admin")
    assert "2013-04-06 04:00:00" in conf["query"]
    assert "pressure" in {each["column_name"] for each in conf["evidence"]}
    assert states(airflow, "storm", runs["storm"])["outcome"] == "success"


@pytest.mark.usefixtures("approved")
def test_the_asset_says_what_was_asked_for(airflow):
    (asset,) = airflow.call("/assets?uri_pattern=monitoring://storm/retraining")["assets"]
    (event,) = airflow.call(f"/assets/events?asset_id={asset['id']}")["asset_events"]
    assert event["extra"]["action_id"] == action(airflow, "storm")["action_id"]
    assert event["source_task_id"] == "retraining_requested"


def test_a_rejected_request_triggers_nothing_and_is_not_asked_again(airflow, runs):
    answer(airflow, "gale", runs["gale"], "Reject", note="known")
    assert airflow.finish("monitor.gale", runs["gale"]) == "success"
    assert states(airflow, "gale", runs["gale"])["train"] == "skipped"
    row = action(airflow, "gale")
    assert (row["approval"], row["decided_by"], row["note"]) == ("rejected", "admin", "known")
    clear_from(airflow, "gale", runs["gale"], "retraining", downstream=True)
    assert airflow.finish("monitor.gale", runs["gale"]) == "success"
    assert states(airflow, "gale", runs["gale"])["review"] == "skipped"
    assert trained(airflow, "gale") == []


def test_a_paused_dag_is_red_and_says_what_to_do(airflow, runs):
    assert airflow.finish("monitor.frost", runs["frost"]) == "failed"
    found = airflow.tasks("monitor.frost", runs["frost"])
    assert (found["train"]["state"], found["train"]["try_number"]) == ("failed", 1)
    row = action(airflow, "frost")
    assert row["error"] == "DAG train_frost is paused, so that nothing would train: unpause it, then clear this task"
    log = json.dumps(airflow.call(f"/dags/monitor.frost/dagRuns/{quote(runs['frost'])}/taskInstances/train/logs/1"))
    assert "unpause it, then clear this task" in log
    airflow.unpause("train_frost")
    clear(airflow, "frost", runs["frost"], only_failed=True)
    assert airflow.finish("monitor.frost", runs["frost"]) == "success"
    (run,) = trained(airflow, "frost")
    assert run["conf"]["approved_by"] is None


@pytest.mark.usefixtures("approved")
def test_a_single_task_that_is_cleared_asks_nobody_again(airflow, runs):
    row = action(airflow, "storm")
    for task in ("review", "train"):
        clear_from(airflow, "storm", runs["storm"], task)
        assert airflow.finish("monitor.storm", runs["storm"]) == "success"
        assert states(airflow, "storm", runs["storm"])[task] in ("success", "skipped")
    assert action(airflow, "storm") == row
    assert len(trained(airflow, "storm")) == 1


@pytest.mark.usefixtures("approved")
def test_a_run_that_is_cleared_asks_for_no_second_model(airflow, runs):
    """Once, from the scan on: a hundred times the step that decides is in tests/results, each task in tests/airflow."""
    before = action(airflow, "storm")
    clear(airflow, "storm", runs["storm"])
    assert airflow.finish("monitor.storm", runs["storm"]) == "success"
    assert states(airflow, "storm", runs["storm"])["review"] == "skipped"
    assert action(airflow, "storm") == before
    assert len(trained(airflow, "storm")) == 1
    (asset,) = airflow.call("/assets?uri_pattern=monitoring://storm/retraining")["assets"]
    assert airflow.call(f"/assets/events?asset_id={asset['id']}")["total_entries"] == 1
