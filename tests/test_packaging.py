"""What is handed out: the checkout's shape, the locked requirements, the wheel, and the files for Docker."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from monitoring_tasks.results.tables import REVISION

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCKED = ("airflow", "expectations", "postgres", "demo", "dev")
"""The extras that `make setup` installs."""

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_the_top_level_is_what_people_expect():
    made = {"build", "dist", "__pycache__"}
    found = {path.name for path in ROOT.iterdir() if path.name[0] != "." and path.suffix != ".egg-info"} - made
    folders = {"dags", "monitoring_tasks", "tests", "sql", "docker"}
    assert found == folders | {"pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "Makefile"}


def test_the_extras():
    assert set(PROJECT["optional-dependencies"]) == {
        *("airflow", "expectations", "postgres", "spark", "snowflake", "bigquery", "trino", "demo", "dev")
    }


def test_the_version_has_an_entry_in_the_changelog():
    versions = re.findall(r"^## (\S+?),", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert versions[0] == PROJECT["version"]


# --- Locked requirements ----------------------------------------------------------------------------------------------


@pytest.fixture(params=["dev.txt", "uv.txt"])
def lock(request: pytest.FixtureRequest) -> str:
    """The text of a file of locked requirements, each on one line."""
    return (ROOT / ".requirements" / request.param).read_text(encoding="utf-8").replace("\\\n", " ")


def test_every_requirement_is_one_version_with_its_hashes(lock: str):
    for line in lock.splitlines():
        assert re.fullmatch(r"[\w.-]+(\[[\w,-]+\])?==\S+( ; [^#]*?)?(\s+--hash=sha256:[0-9a-f]{64})+\s*", line), line[
            :80
        ]


def test_no_registry_is_named(lock: str):
    assert [line for line in lock.splitlines() if re.search(r"://|--index|--find-links|--extra-index| @ ", line)] == []


def test_whatever_the_project_needs_is_locked():
    text = (ROOT / ".requirements/dev.txt").read_text(encoding="utf-8")
    locked = {canonicalize_name(name) for name in re.findall(r"^([\w.-]+)", text, re.MULTILINE)}
    needed = [*PROJECT["dependencies"], *(need for extra in LOCKED for need in PROJECT["optional-dependencies"][extra])]
    assert {canonicalize_name(Requirement(need).name) for need in needed} - locked == set()


# --- Make -------------------------------------------------------------------------------------------------------------


def test_programs_that_cannot_be_installed_are_named_and_stop_nothing(tmp_path: Path):
    for name in ("bash", "id"):
        (tmp_path / name).symlink_to(shutil.which(name) or name)
    line = [shutil.which("make") or "make", "servers"]
    done = subprocess.run(line, cwd=ROOT, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(
        r"not installed, and apt-get may not be used here: .*\bchromium; the tests .* skipped", done.stdout
    )


# --- Without Airflow --------------------------------------------------------------------------------------------------

WITHOUT_AIRFLOW = """
import sys

class NoAirflow:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "airflow":
            raise ModuleNotFoundError(f"{name} is forbidden here")

sys.meta_path.insert(0, NoAirflow())
import importlib, pkgutil
import monitoring_tasks

left_out = ("monitoring_tasks.airflow", "monitoring_tasks.__main__")
names = [module.name for module in pkgutil.walk_packages(monitoring_tasks.__path__, "monitoring_tasks.")
         if not module.name.startswith(left_out)]
for name in names:
    importlib.import_module(name)
assert len(names) > 40, names

import duckdb
with duckdb.connect("log.duckdb") as connection:
    connection.execute("create table log as select range as id, range % 7 as x, range % 2 as y, "
                       "timestamp '2026-01-01' + interval (range) minute as at from range(7200)")
from monitoring_tasks.cli import main
sys.argv = ["monitoring-tasks", "run", "monitor.yaml", "--start", "2026-01-04", "--end", "2026-01-06"]
main()
"""

MONITOR = """\
monitor: small
schedule: "@daily"
start: 2026-01-04
warehouse: small
inference_log: {table: log, timestamp: at, key: id, features: [x], prediction: y}
baseline:
  period: {start: 2026-01-01, end: 2026-01-04}
"""


def test_the_core_works_without_airflow(tmp_path: Path):
    (tmp_path / "monitor.yaml").write_text(MONITOR)
    settings = {"MONITORING_HOME": str(tmp_path), "MONITORING_WAREHOUSE_SMALL": "duckdb:///log.duckdb"}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MONITORING_")} | settings
    line = [sys.executable, "-W", "error", "-c", WITHOUT_AIRFLOW]
    done = subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "small: 2 windows (2 done), 2,880 rows"
    assert (tmp_path / "results.db").is_file()


# --- The wheel --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    uv = Path(sys.executable).parent / "uv"
    line = [str(uv), "build", "--quiet", "--wheel", "--out-dir", str(folder), str(ROOT)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A function that runs a program of an environment where only the wheel is new; it sees what is installed here."""
    home = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home / "venv")], check=True)
    programs = home / "venv" / "bin"
    uv = Path(sys.executable).parent / "uv"
    line = [
        str(uv),
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--offline",
        "--python",
        str(programs / "python"),
        str(wheel),
    ]
    subprocess.run(line, check=True)
    (site,) = (home / "venv" / "lib").glob("python*/site-packages")
    # After the wheel on the path, and without the .pth files of this environment: its checkout stays out of sight.
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("MONITORING_", "PYTHON"))},
        "AIRFLOW_HOME": str(home / "airflow"),
        "MONITORING_RESULTS_URL": f"sqlite:///{home / 'results.db'}",
    }

    def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        line = [str(programs / program), *arguments]
        done = subprocess.run(line, cwd=home, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done

    return run


@pytest.mark.integration
def test_the_wheel_carries_everything(wheel: Path):
    with ZipFile(wheel) as archive:
        carried = set(archive.namelist())
    sql = {
        f"monitoring_tasks/{path.relative_to(ROOT)}"
        for path in (ROOT / "sql").rglob("*")
        if path.suffix in (".sql", ".py")
    }
    code = {str(path.relative_to(ROOT)) for path in (ROOT / "monitoring_tasks").rglob("*.py")}
    assert len(sql) > 15
    assert sql | code | {"monitoring_tasks/py.typed", "monitoring_tasks/monitors/flight_delays.yaml"} <= carried
    assert "monitoring_tasks/monitors/weather_feed.yaml" in carried
    others = {name.partition("/")[0] for name in carried}
    assert others == {"monitoring_tasks", f"monitoring_tasks-{PROJECT['version']}.dist-info"}
    assert [name for name in carried if "__pycache__" in name or name.endswith((".db", ".pyc"))] == []


@pytest.mark.integration
def test_the_wheel_has_the_command(installed: Run):
    assert "Model monitoring as Airflow pipelines" in installed("monitoring-tasks", "--help").stdout


@pytest.mark.integration
def test_the_wheel_makes_a_results_store(installed: Run):
    assert f"from nothing to revision {REVISION}" in installed("monitoring-tasks", "migrate").stdout


@pytest.mark.integration
def test_the_wheel_makes_dags_and_knows_the_demo(installed: Run):
    code = (
        "import json, monitoring_tasks;"
        "from monitoring_tasks.airflow import monitor_dag; from monitoring_tasks.demo import monitor_file;"
        "dag = monitor_dag(monitor_file());"
        "print('ANSWER', json.dumps([monitoring_tasks.__file__, str(monitor_file()), dag.dag_id]))"
    )
    package, monitor, dag_id = json.loads(installed("python", "-c", code).stdout.partition("ANSWER")[2])
    assert not Path(package).is_relative_to(ROOT)
    assert Path(monitor) == Path(package).parent / "monitors" / "flight_delays.yaml"
    assert dag_id == "monitor.flight-delays"


# --- Docker -----------------------------------------------------------------------------------------------------------

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker/compose.yaml").read_text(encoding="utf-8"))
DOCKERFILE = (ROOT / "docker/Dockerfile").read_text(encoding="utf-8")


def test_the_image_is_made_of_what_is_there():
    ignore = (ROOT / "docker/Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    sent = {line.removeprefix("!") for line in ignore if line.startswith("!")}
    copied = {
        name for line in re.findall(r"^COPY --chown=\S+ (.*) \S+$", DOCKERFILE, re.MULTILINE) for name in line.split()
    }
    assert copied == sent
    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert set(re.search(r"monitoring-tasks\[([\w,]+)\]", DOCKERFILE)[1].split(",")) <= set(
        PROJECT["optional-dependencies"]
    )


def test_the_image_is_of_the_airflow_that_is_tested():
    assert re.search(r"AIRFLOW_VERSION=(\S+)", DOCKERFILE)[1] == version("apache-airflow")


def test_the_services_hold_together():
    services = COMPOSE["services"]
    assert {"postgres", "redis", "migrate", "api-server", "scheduler", "dag-processor", "triggerer", "worker"} == set(
        services
    )
    for name, service in services.items():
        assert set(service.get("depends_on", {})) < set(services), name
        volumes = {volume.partition(":")[0] for volume in service.get("volumes", [])}
        assert volumes <= set(COMPOSE["volumes"]), name
        assert {config["source"] for config in service.get("configs", [])} <= set(COMPOSE["configs"]), name
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), name


def test_every_variable_of_the_services_is_in_the_example():
    example = re.findall(r"^(\w+)=", (ROOT / "docker/example.env").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(re.findall(r"\$\{(\w+)", json.dumps(COMPOSE))) == set(example)


def test_no_link_is_part_of_the_project():
    """A link leads out of a fresh clone, to what only one machine has."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    entries = subprocess.run(["git", "ls-files", "--stage"], cwd=ROOT, check=True, capture_output=True, text=True)
    assert [line for line in entries.stdout.splitlines() if line.startswith("120000")] == []
