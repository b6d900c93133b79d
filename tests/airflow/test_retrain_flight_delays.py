import importlib.util
import shutil
from itertools import pairwise
from pathlib import Path
from unittest.mock import Mock

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from monitoring_tasks.airflow.files import PLACES, may_be_written
from monitoring_tasks.config import load_monitor
from monitoring_tasks.demo import monitor_file
from monitoring_tasks.demo_retraining import model_version
from monitoring_tasks.demo_retraining.request import Request

FILE = Path(__file__).parents[2] / "dags" / "retrain_flight_delays.py"
REQUEST = Request.of({"train_start": "2013-07-08", "train_end": "2013-07-22", "action_id": "2602d71b2d5c"})


@pytest.fixture
def module():
    spec = importlib.util.spec_from_file_location("retrain_flight_delays", FILE)
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@pytest.fixture
def monitor(tmp_path):
    copy = tmp_path / "flight_delays.yaml"
    shutil.copy(monitor_file(), copy)
    return load_monitor(copy)


def test_the_dag_trains_when_it_is_triggered_and_only_then(module):
    dag = module.dag
    assert (dag.dag_id, dag.timetable.can_be_scheduled, dag.is_paused_upon_creation) == (
        load_monitor(monitor_file()).retraining.trigger_dag,
        False,
        False,
    )
    order = ["training_set", "train", "compare", "promote"]
    assert sorted(dag.task_ids) == sorted(order)
    for first, second in pairwise(order):
        assert dag.task_dict[first].downstream_task_ids == {second}


def test_a_refused_model_is_no_failure_and_says_where_to_look(module, monitor, tmp_path, monkeypatch):
    (tmp_path / "warehouse").mkdir()
    model_version.folder(tmp_path, REQUEST).mkdir(parents=True)
    model_version.write_version(tmp_path, REQUEST, {"state": "refused", "reason": "not better for sure"})
    monkeypatch.setattr(module, "asked", lambda: (monitor, tmp_path, REQUEST))
    with pytest.raises(AirflowSkipException, match="task `compare` says why"):
        module.dag.task_dict["promote"].python_callable()


def test_a_step_that_cannot_be_taken_fails_at_once(module, monitor, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "asked", lambda: (monitor, tmp_path, REQUEST))
    with pytest.raises(AirflowFailException, match=r"learned\.parquet is missing"):
        module.dag.task_dict["train"].python_callable()


def test_the_run_s_configuration_says_what_is_asked(module, monitor, tmp_path, monkeypatch):
    (tmp_path / "warehouse" / "inference_log").mkdir(parents=True)
    monkeypatch.setenv("MONITORING_WAREHOUSE_DEMO", f"duckdb:///{tmp_path}/warehouse")
    monkeypatch.setenv(PLACES, str(monitor.path))

    asked = {"train_start": "2013-04-01", "train_end": "2013-04-22", "action_id": "abcdefabcdef", "query": "select 1"}
    form = {"monitor": "flight-delays", "train_start": "2013-07-08", "train_end": "2013-07-22"}
    monkeypatch.setattr(module, "get_current_context", lambda: {"params": form, "dag_run": Mock(conf=asked)})
    found, demo, request = module.asked()
    assert (found.path, demo) == (monitor.path, tmp_path)
    assert request.version == "2013-04-22-abcdef"


def test_only_a_file_that_the_environment_names_is_written(monitor, monkeypatch):
    monkeypatch.delenv(PLACES, raising=False)
    assert not may_be_written(monitor)
    monkeypatch.setenv(PLACES, str(monitor.path))
    assert may_be_written(monitor)
