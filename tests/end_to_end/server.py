"""A real Airflow: API server, scheduler with LocalExecutor, DAG processor and triggerer, as its REST API shows it."""

import json
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

import duckdb
from sqlalchemy import create_engine, text

from monitoring_tasks.airflow import standalone

ROOT = Path(__file__).parents[2]
PATIENCE = 150.0
"""Seconds that a DAG run may take on a busy machine."""

MONITOR = """\
monitor: {name}
schedule: "{schedule}"
timezone: America/New_York
start: 2013-04-01
delay: {delay}
warehouse: {warehouse}
task: binary_classification
inference_log:
  table: scores
  timestamp: asked_at
  key: id
  features: {{pressure: numeric, sky: categorical}}
  prediction: predicted
  score: probability
  positive_class: 1
baseline:
  period: {{start: 2013-03-01, end: 2013-04-01}}
checks: {checks}
"""

TRAINERS = """\
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG

for name in ("train_storm", "train_gale", "train_frost"):
    with DAG(name, schedule=None, is_paused_upon_creation=name == "train_frost") as dag:
        EmptyOperator(task_id="train")
    globals()[name] = dag
"""
"""DAGs that `retraining.trigger_dag` names. Airflow looks for new files every five minutes only."""

NO_DATA = "alerts: [{name: no-data, when: {check: data_drift, status: error}}]\n"

CHECKS = "{data_quality: off, multivariate_drift: off}"

SCORES = """
copy (
    select row_number() over () as id, asked_at,
        1000 + 20 * sin(hash(asked_at) % 1000) + if(asked_at >= '2013-04-06', 30, 0) as pressure,
        ['clear', 'cloudy', 'fog'][1 + (hash(asked_at) % 3)::int] as sky,
        (hash(asked_at) % 997) / 997 as probability, (hash(asked_at) % 997 > 500)::int as predicted
    from (select unnest(generate_series('2013-03-01'::timestamp, '2013-04-20', interval 5 minutes)) as asked_at)
) to '{file}' (format parquet)
"""


@dataclass(frozen=True)
class Airflow:
    """The running Airflow, as its REST API shows it."""

    url: str
    password: str
    token: str
    monitors: Path
    warehouse: str
    results: str

    def call(self, path: str, body: Mapping[str, Any] | None = None, method: str | None = None) -> Any:
        """Return what the server answers; asked again while it says that it is busy, which on SQLite it may be."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.url}/api/v2{path}", data=data, headers=headers, method=method)
        for last in (False, False, True):
            try:
                # Longer than one of Airflow's processes waits for another one's lock on SQLite.
                with urlopen(request, timeout=PATIENCE) as answer:
                    return json.load(answer)
            except HTTPError as error:
                reason = error.read().decode()
                error.add_note(reason)
                # A lock of SQLite is a "Database error" whose cause the server hides; what failed was rolled back.
                if last or not (error.code == 503 or "locked" in reason or "Database error" in reason):
                    raise
        raise AssertionError("the last try returns or raises")

    def write_monitor(
        self, name: str, schedule="@daily", delay="0s", warehouse="lake", checks=CHECKS, more: str = ""
    ) -> Path:
        path = self.monitors / f"{name}.yaml"
        text = MONITOR.format(name=name, schedule=schedule, delay=delay, warehouse=warehouse, checks=checks)
        path.write_text(text + more)
        return path

    def unpause(self, dag: str) -> None:
        until(lambda: dag in self.dags(), f"{dag} to appear")
        self.call(f"/dags/{dag}", {"is_paused": False}, "PATCH")

    def dags(self) -> list[str]:
        return [dag["dag_id"] for dag in self.call("/dags?exclude_stale=true&limit=100")["dags"]]

    def trigger(self, dag: str, **conf: Any) -> str:
        run = self.call(f"/dags/{dag}/dagRuns", {"logical_date": None, "conf": conf})
        return run["dag_run_id"]

    def state(self, dag: str, run: str) -> str:
        return self.call(f"/dags/{dag}/dagRuns/{quote(run)}")["state"]

    def finish(self, dag: str, run: str) -> str:
        until(lambda: self.state(dag, run) in ("success", "failed"), f"{dag} {run} to end")
        return self.state(dag, run)

    def tasks(self, dag: str, run: str) -> dict[str, Any]:
        instances = self.call(f"/dags/{dag}/dagRuns/{quote(run)}/taskInstances")["task_instances"]
        return {
            each["task_id"] + (f"[{each['map_index']}]" if each["map_index"] >= 0 else ""): each for each in instances
        }

    def rows(self, table: str, monitor: str, url: str | None = None) -> list[dict[str, Any]]:
        """Return a table's rows for one monitor, without clocks, sorted."""
        engine = create_engine(url or self.results)
        try:
            with engine.connect() as connection:
                found = connection.execute(
                    text(f"select * from {table} where monitor = :monitor"), {"monitor": monitor}
                )
                rows = [dict(row) for row in found.mappings()]
        finally:
            engine.dispose()
        return sorted(({k: v for k, v in row.items() if k not in ("computed_at", "seconds")} for row in rows), key=repr)


def until(condition, what: str, patience: float = PATIENCE) -> None:
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, f"waited {patience:.0f} s for {what}"
        time.sleep(0.5)


@contextmanager
def running(root: Path) -> Iterator[Airflow]:
    """Start Airflow over this project's DAG files and a generated warehouse; end every process of it afterwards."""
    dags, warehouse, home = root / "dags", root / "warehouse", root / "home"
    for folder in (dags / "monitors", warehouse, home):
        folder.mkdir(parents=True)
    for file in (ROOT / "dags").glob("*.py"):
        shutil.copy(file, dags)
    (dags / "trainers.py").write_text(TRAINERS)
    duckdb.sql(SCORES.format(file=warehouse / "scores.parquet"))
    port = standalone.free_port()
    settings = {
        "MONITORING_WAREHOUSE_LAKE": f"duckdb:///{warehouse}",
        "MONITORING_RESULTS_URL": f"sqlite:///{root / 'results.db'}",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "5",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
    }
    log = root / "airflow.log"
    with log.open("wb") as output:
        process = standalone.start(home, dags, port, settings, output)
    try:
        standalone.wait_until_ready(process, port, log)
        url = f"http://{standalone.HOST}:{port}"
        password = standalone.password(home)
        login = json.dumps({"username": "admin", "password": password}).encode()
        with urlopen(Request(f"{url}/auth/token", login, {"Content-Type": "application/json"}), timeout=60) as answer:
            token = json.load(answer)["access_token"]
        warehouse_url, results_url = settings["MONITORING_WAREHOUSE_LAKE"], settings["MONITORING_RESULTS_URL"]
        server = Airflow(url, password, token, dags / "monitors", warehouse_url, results_url)
        server.write_monitor("rain")
        server.write_monitor("sun")
        server.write_monitor("adrift", warehouse="nowhere", more=NO_DATA)
        server.write_monitor("typo", schedule="@dialy")
        yield server
    finally:
        standalone.stop(process)
    assert standalone.session(process.pid) == []
