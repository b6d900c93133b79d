import math
from datetime import UTC, datetime, timedelta

import pytest
from airflow.sdk import DAG, Asset, task
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred
from airflow.serialization.serialized_objects import DagSerialization

from monitoring_tasks.airflow import monitor_dag, monitor_tasks
from monitoring_tasks.airflow.dag import window_params
from monitoring_tasks.airflow.wait import WaitForRows
from monitoring_tasks.config import load_monitor
from monitoring_tasks.errors import ConfigError

NO_CHECKS_BUT_OPERATIONS = """\
checks: {data_drift: off, prediction_drift: off, concept_drift: off, performance: off, estimated_performance: off,
         data_quality: off, multivariate_drift: off}
"""


def edges(dag):
    return {(task.task_id, after) for task in dag.tasks for after in task.downstream_task_ids}


def test_tasks_are_scan_one_per_family_and_close(write_monitor):
    dag = monitor_dag(write_monitor())
    for family in ("drift", "data_quality", "operations", "multivariate"):
        assert {("scan", family), (family, "close")} < edges(dag)
    assert "wait" not in dag.task_ids
    assert dag.get_task("close").trigger_rule == "all_done"
    assert [task.task_id for task in dag.leaves] == ["close"]
    assert dag.get_task("close").outlets == [Asset(name="monitoring.rain.results", uri="monitoring://rain/results")]


def test_a_family_without_checks_has_no_task(write_monitor):
    dag = monitor_dag(write_monitor(more=NO_CHECKS_BUT_OPERATIONS))
    assert set(dag.task_ids) == {"scan", "operations", "close"}


def test_a_delay_adds_the_wait(write_monitor):
    dag = monitor_dag(write_monitor(delay="15m"))
    assert ("wait", "scan") in edges(dag)
    assert [task.task_id for task in dag.roots] == ["wait"]


def test_dag_says_what_it_is(write_monitor):
    path = write_monitor(timezone="America/New_York")
    dag = monitor_dag(path)
    assert dag.dag_id == "monitor.rain"
    assert dag.description == "Will it rain?"
    assert dag.owner == "weather@example.com"
    assert dag.tags == {"monitoring", "binary_classification"}
    assert dag.start_date == datetime(2013, 4, 1, 4, tzinfo=UTC)
    assert dag.catchup is False
    assert path.read_text().rstrip() in dag.doc_md
    assert "monitors/rain.yaml" in dag.doc_md
    assert str(path.parent.parent) not in dag.doc_md, "the page would differ from machine to machine"


def test_the_page_says_what_this_version_does_not_act_on(write_monitor):
    assert "Without effect" not in monitor_dag(write_monitor()).doc_md
    page = monitor_dag(write_monitor(more="checks: {night: {use: 'checks:night'}}")).doc_md
    assert "**Without effect**: this version does not act on checks.night yet." in page.splitlines()


def test_the_page_says_who_is_told_and_who_is_asked(write_monitor):
    plain = monitor_dag(write_monitor()).doc_md
    page = monitor_dag(write_monitor(more=ALERT + retraining(trigger_dag="train"))).doc_md
    assert "- **drift** (medium): data_drift in alarm, told to ops" in page.splitlines()
    for part in ("DAG `train` once a person has agreed", "3d at most, and then takes the answer *reject*"):
        assert part in page
        assert part not in plain


def test_data_intervals_are_the_windows(write_monitor):
    serialized = DagSerialization.to_dict(monitor_dag(write_monitor(schedule="1h", timezone="Europe/Berlin")))["dag"]
    assert serialized["timetable"]["__type"].endswith("CronDataIntervalTimetable")
    assert serialized["timetable"]["__var"] == {"expression": "0 * * * *", "timezone": "Europe/Berlin"}


@pytest.mark.parametrize(
    ("schedule", "delay", "runs"), [("@daily", "0s", 4), ("@daily", "15m", 5), ("1h", "2d", 4 + 48), ("10m", "1h", 10)]
)
def test_runs_that_wait_leave_room_for_those_that_work(write_monitor, schedule, delay, runs):
    assert monitor_dag(write_monitor(schedule=schedule, delay=delay)).max_active_runs == runs


def test_window_parameters_are_optional_and_picked_from_a_calendar(write_monitor):
    params = monitor_dag(write_monitor(timezone="Europe/Berlin")).params
    assert params.validate() == {"window_start": None, "window_end": None}
    for name in ("window_start", "window_end"):
        param = params.get_param(name)
        assert param.schema["format"] == "date-time"
        assert param.resolve("2013-04-01T00:00:00+02:00")


@pytest.mark.parametrize(
    ("schedule", "timezone", "example"),
    [
        ("@daily", "Europe/Berlin", "**2013-03-31 22:00 UTC** (00:00 in Europe/Berlin)."),
        ("@daily", "UTC", "**2013-04-01 00:00 UTC**. "),
        ("0 6 * * *", "America/New_York", "**2013-03-31 10:00 UTC** (06:00 in America/New_York)."),
    ],
)
def test_the_form_says_when_windows_begin_on_the_calendars_clock(write_monitor, schedule, timezone, example):
    monitor = load_monitor(write_monitor(schedule=schedule, timezone=timezone))
    assert example in window_params(monitor)["window_start"].schema["description_md"]
    begin = datetime.strptime(example[2:18], "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
    assert begin in {window.start for window in monitor.schedule.windows(begin, begin + timedelta(days=2))}


def test_only_what_waiting_heals_is_retried(write_monitor):
    for each in monitor_dag(write_monitor(delay="1h")).tasks:
        assert each.retries == 3
        assert each.retry_delay == timedelta(seconds=30)
        assert each.retry_exponential_backoff == 2


def test_dag_survives_serialization(write_monitor):
    dag = monitor_dag(write_monitor(delay="15m"))
    again = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    assert set(again.task_dict) == set(dag.task_ids)


def test_a_broken_file_raises_with_every_problem(write_monitor):
    path = write_monitor(schedule="@dialy", more="chekcs: {}")
    with pytest.raises(ConfigError) as error:
        monitor_dag(path)
    lines = str(error.value).splitlines()
    assert len(lines) == 2
    assert all(line.startswith(f"{path}:") for line in lines)


def test_the_tasks_fit_into_a_dag_of_ones_own(write_monitor):
    monitor = load_monitor(write_monitor(delay="15m"))
    with DAG(
        "score", schedule="@daily", start_date=datetime(2013, 4, 1, tzinfo=UTC), params=window_params(monitor)
    ) as dag:

        @task
        def predict():
            return None

        @task
        def publish():
            return None

        predict() >> monitor_tasks(monitor) >> publish()
    assert {("predict", "rain.wait"), ("rain.wait", "rain.scan"), ("rain.close", "publish")} < edges(dag)
    assert "rain.drift" in dag.task_ids


class Run:
    """A DAG run as tasks see it."""

    conf = None

    def __init__(self, interval, run_type="scheduled"):
        self.data_interval_start, self.data_interval_end = interval
        self.run_after = self.data_interval_end
        self.run_type = run_type


def wait(path, start, run_type="scheduled", **params):
    operator = WaitForRows(task_id="wait", monitor=load_monitor(path))
    interval = (start, start + timedelta(days=1))
    WaitForRows.execute.__wrapped__(operator, {"dag_run": Run(interval, run_type), "params": params})


TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def test_wait_is_over_at_once_when_the_moment_has_passed(write_monitor):
    wait(write_monitor(delay="15m"), datetime(2013, 4, 1, tzinfo=UTC))


@pytest.mark.parametrize("run_type", ["scheduled", "backfill", "manual"])
def test_wait_defers_to_the_windows_end_plus_the_delay(write_monitor, run_type):
    with pytest.raises(TaskDeferred) as deferred:
        wait(write_monitor(delay="2d"), TODAY - timedelta(days=1), run_type)
    assert deferred.value.trigger.moment == TODAY + timedelta(days=2)
    assert deferred.value.method_name == "resume"


def test_wait_of_a_run_by_hand_is_for_its_last_window(write_monitor):
    with pytest.raises(TaskDeferred) as deferred:
        wait(
            write_monitor(delay="2d"),
            TODAY,
            "manual",
            window_start=(TODAY - timedelta(days=5)).isoformat(),
            window_end=(TODAY - timedelta(days=1)).isoformat(),
        )
    assert deferred.value.trigger.moment == TODAY + timedelta(days=1)


def test_wait_fails_on_parameters_that_make_no_window(write_monitor):
    with pytest.raises(AirflowFailException, match="no whole window"):
        wait(write_monitor(delay="2d"), TODAY, "manual", window_start="2013-04-01", window_end="2013-04-01T12:00")


def test_delay_is_rounded_up_to_whole_windows(write_monitor):
    assert monitor_dag(write_monitor(schedule="6h", delay="7h")).max_active_runs == 4 + math.ceil(7 / 6)


ALERT = "alerts: [{name: drift, when: {check: data_drift}, notify: [ops]}]\n"


def retraining(**keys):
    written = ", ".join(f"{key}: {value}" for key, value in {"when": "{check: data_drift}", **keys}.items())
    return f"retraining: {{{written}}}\n"


def after_close(dag):
    return {edge for edge in edges(dag) if edge[0] in {"close"} | dag.get_task("close").get_flat_relative_ids()}


def test_alerts_are_decided_and_told_after_close(write_monitor):
    dag = monitor_dag(write_monitor(more=ALERT))
    assert after_close(dag) == {
        ("close", "alerts"),
        ("alerts", "deliver"),
        ("deliver", "outcome"),
        ("close", "outcome"),
    }
    assert dag.get_task("alerts").trigger_rule == "all_done", "a failed window is told too"
    assert dag.get_task("outcome").trigger_rule == "none_failed"
    assert dag.params.validate() == {"window_start": None, "window_end": None, "notify": False}


def test_alerts_that_nobody_is_told_need_no_task_that_sends(write_monitor):
    dag = monitor_dag(write_monitor(more="alerts: [{name: drift, when: {check: data_drift}}]\n"))
    assert after_close(dag) == {("close", "alerts"), ("alerts", "outcome"), ("close", "outcome")}


@pytest.mark.parametrize(
    ("keys", "chain"),
    [
        ({"trigger_dag": "train"}, {("retraining", "review"), ("review", "train")}),
        ({"trigger_dag": "train", "approval": "none"}, {("retraining", "train")}),
        (
            {"trigger_dag": "train", "http": "{connection: ci, endpoint: /go}"},
            {("retraining", "review"), ("review", "train"), ("review", "call"), ("call", "retraining_requested")},
        ),
        (
            {"http": "{connection: ci, endpoint: /go}", "approval": "none"},
            {("retraining", "call"), ("call", "retraining_requested")},
        ),
    ],
    ids=["review-dag", "dag", "review-both", "http"],
)
def test_retraining_has_the_tasks_that_the_file_calls_for(write_monitor, keys, chain):
    dag = monitor_dag(write_monitor(more=retraining(**keys)))
    train = {("train", "retraining_requested")} if "trigger_dag" in keys else set()
    fixed = {
        ("close", "alerts"),
        ("close", "outcome"),
        ("alerts", "outcome"),
        ("alerts", "retraining"),
        ("retraining_requested", "outcome"),
    }
    assert after_close(dag) == fixed | train | chain
    assert [each.task_id for each in dag.leaves] == ["outcome"]
    asset = Asset(name="monitoring.rain.retraining", uri="monitoring://rain/retraining")
    assert dag.get_task("retraining_requested").outlets == [asset]
    DagSerialization.from_dict(DagSerialization.to_dict(dag))


@pytest.mark.parametrize(
    ("keys", "runs"),
    [
        ({"approval": "none"}, 4),
        ({"approval": "required"}, 4 + 2),
        ({"cooldown": "1d"}, 4 + 1 + 3),
        ({"cooldown": "0s"}, 4 + 1 + 3),
        ({"cooldown": "0s", "approval_timeout": "60d"}, 4 + 10),
    ],
)
def test_runs_that_wait_for_a_person_leave_room_for_others(write_monitor, keys, runs):
    """One question waits on after its alert has been called a false alarm; the next may ask after the cooldown."""
    more = retraining(trigger_dag="train", **keys)
    assert monitor_dag(write_monitor(more=more)).max_active_runs == runs


def test_the_tasks_after_close_fit_into_a_dag_of_ones_own(write_monitor):
    with DAG("score", schedule="@daily", start_date=datetime(2013, 4, 1, tzinfo=UTC)) as dag:

        @task
        def publish():
            return None

        monitor_tasks(write_monitor(more=ALERT + retraining(trigger_dag="train"))) >> publish()
    assert ("rain.outcome", "publish") in edges(dag)
    assert ("rain.close", "publish") not in edges(dag)
