import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag

from monitoring_tasks.airflow.files import read_monitor_files
from monitoring_tasks.airflow.folder import monitor_dags, raise_problems
from monitoring_tasks.errors import ConfigError

ROOT = Path(__file__).parents[2]
DAGS = ROOT / "dags"


@pytest.fixture
def dags(tmp_path):
    """Return a copy of this project's DAG files, without its monitors."""
    for file in DAGS.glob("*.py"):
        shutil.copy(file, tmp_path)
    return tmp_path


def bag_of(folder):
    bag = DagBag(dag_folder=folder, collect_dags=False, bundle_path=Path(folder))
    bag.collect_dags(dag_folder=folder, safe_mode=True)
    return bag


def test_this_projects_dags_load_without_an_error():
    bag = bag_of(DAGS)
    assert bag.import_errors == {}
    assert {"monitor.flight-delays", "monitoring.backfill", "monitoring.maintenance"} <= set(bag.dag_ids)


def test_broken_files_are_import_errors_and_the_other_monitors_stay(dags, write_monitor):
    write_monitor("rain")
    write_monitor("snow")
    fog = write_monitor("fog", schedule="@dialy", more="chekcs: {}")
    hail = write_monitor("hail", file="hail.yml", delay="soon")
    bag = bag_of(dags)
    assert {"monitor.rain", "monitor.snow"} == {dag for dag in bag.dag_ids if dag.startswith("monitor.")}
    # Not that of monitoring.py: Airflow takes down every DAG of a file that has an import error.
    assert list(bag.import_errors) == ["broken_monitors.py"]
    text = bag.import_errors["broken_monitors.py"]
    assert "3 problems in 2 of 4 monitor files. Monitors that run: 2." in text
    for place in (f"{fog}:4: schedule: ", f"{fog}:20: chekcs: ", f"{hail}:7: delay: "):
        assert place in text


def test_a_repaired_file_leaves_no_error(dags, write_monitor):
    write_monitor("rain", schedule="@dialy")
    assert bag_of(dags).import_errors
    write_monitor("rain")
    bag = bag_of(dags)
    assert bag.import_errors == {}
    assert "monitor.rain" in bag.dag_ids


def test_of_two_monitors_of_one_name_the_first_runs(tmp_path, write_monitor):
    first = write_monitor("rain", file="a.yaml")
    second = write_monitor("rain", file="b.yaml", schedule="1h")
    files = read_monitor_files(tmp_path / "monitors")
    assert [monitor.path for monitor in files.monitors] == [first]
    assert files.problems == (
        f"{second}:1: monitor: 'rain' is also the name of the monitor in {first}, which runs: "
        "give each monitor its own name",
    )


def test_files_come_from_folders_files_and_globs(tmp_path, write_monitor, monkeypatch):
    rain, snow = write_monitor("rain"), write_monitor("snow")
    (tmp_path / "teams" / "deep").mkdir(parents=True)
    fog = write_monitor("fog").rename(tmp_path / "teams" / "deep" / "fog.yaml")
    places = [str(snow), str(tmp_path / "teams" / "**" / "*.yaml"), str(tmp_path / "monitors"), str(tmp_path / "none")]
    monkeypatch.setenv("MONITORING_MONITORS", os.pathsep.join(places))
    files = read_monitor_files(tmp_path / "elsewhere")
    assert [monitor.path for monitor in files.monitors] == [snow, fog, rain]
    (problem,) = files.problems
    assert problem.startswith(f"{tmp_path / 'none'}: no monitor file is there; write one")


def test_an_empty_folder_is_said(tmp_path):
    (tmp_path / "monitors").mkdir()
    with pytest.raises(ConfigError, match="no monitor file is there"):
        raise_problems(tmp_path / "monitors")


def test_a_task_that_starts_makes_only_its_own_dag(tmp_path, write_monitor, monkeypatch):
    monkeypatch.setenv("TEAM", "north")
    for name in ("rain", "rain-and-snow", "fog"):
        write_monitor(name)
    write_monitor("${TEAM}-hail", file="hail.yaml")
    assert len(monitor_dags(tmp_path / "monitors")) == 4
    for wanted in ("monitor.rain", "monitor.rain-and-snow", "monitor.north-hail"):
        monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", wanted)
        assert list(monitor_dags(tmp_path / "monitors")) == [wanted]


PARSE = """
import json, sys, time
from pathlib import Path
from airflow.dag_processing.dagbag import BundleDagBag
from airflow.dag_processing.processor import _serialize_dags
import structlog
before = set(sys.modules)
began = time.process_time()
bag = BundleDagBag(dag_folder=sys.argv[1] + "/monitoring.py", bundle_path=Path(sys.argv[1]), bundle_name="dags-folder")
dags, errors = _serialize_dags(bag, structlog.get_logger())
print(json.dumps({
    "seconds": time.process_time() - began, "dags": len(dags), "errors": {**errors, **bag.import_errors},
    "modules": sorted(set(sys.modules) - before),
}))
"""


def parse(dags):
    environment = {**os.environ, "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "60"}
    done = subprocess.run(
        [sys.executable, "-c", PARSE, str(dags)], capture_output=True, text=True, check=True, env=environment
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.integration
def test_200_monitors_are_parsed_in_under_10_seconds(dags, write_monitor):
    """Seconds of this process, so that what else the machine does cannot fail it."""
    for number in range(200):
        write_monitor(f"rain-{number:03}", delay="15m")
    parsed = parse(dags)
    print(f"200 monitor files: {parsed['seconds']:.1f} s")
    assert (parsed["dags"], parsed["errors"]) == (200, {})
    assert parsed["seconds"] < 10


def test_parsing_imports_nothing_heavy(dags, write_monitor):
    write_monitor()
    parsed = parse(dags)
    assert parsed["dags"] == 1
    roots = {module.partition(".")[0] for module in parsed["modules"]}
    assert "monitoring_tasks" in roots
    assert roots.isdisjoint({"pandas", "duckdb", "scipy", "pyarrow", "sqlglot", "sklearn", "plotly"})
