"""``make demo-loop``: drift, alert, approval, retraining and recovery on real flights, in a real Airflow, unattended.

``python -m monitoring_tasks.airflow.demo_loop`` lets the demo's model meet the summer of 2013: it learned January and
February, and in July it orders flights by their risk worse than it may. The monitor says so, asks for a new model, a
person's answer is given over the REST API, the DAG ``retrain_flight_delays`` trains and compares, and the weeks after
are answered by the new model. Nothing is planted. What is printed is read from the results store, the warehouse and
the messages that came.

Everything is written under ``.demo-loop/``, made anew each time; the demo's data are taken from ``.demo/`` as hard
links. Exit code 0 says that the loop closed; otherwise the last line says where it stopped.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any
from urllib.error import URLError
from zoneinfo import ZoneInfo

from rich.console import Console

from monitoring_tasks.airflow import standalone
from monitoring_tasks.airflow.rest_api import RestApi
from monitoring_tasks.errors import ConfigError, MonitoringError

MONITOR, RETRAIN = "flight-delays", "retrain_flight_delays"
DAG = f"monitor.{MONITOR}"
BEFORE, CHANGE, DEPLOYED, END = (
    datetime(2013, month, day, tzinfo=ZoneInfo("America/New_York"))
    for month, day in ((6, 24), (7, 8), (7, 22), (8, 12))
)
"""The weeks that are watched: two in order, two that call for a new model, and three with it."""

PATIENCE = 240.0
"""Seconds that one step may take on a busy machine."""

LEAST_ROC_AUC = 0.71
CHANGES = {
    "schedule": 'schedule: "0 0 * * 1"   # weeks: one day says little of a model whose errors come with the weather',
    "start": f"start: {BEFORE:%Y-%m-%d}",
    "baseline": "baseline:\n  period: {start: 2013-03-01, end: 2013-04-01}   # what windows are compared with",
    "delay": "",
    "segments": "",
    "checks": f"""\
checks:
  data_drift:
    metrics: [psi]
    false_alarm_rate: 0.01
    minimum_effect: {{psi: 0.1}}
  performance:
    metrics: [roc_auc, brier]
    fixed: {{roc_auc: {LEAST_ROC_AUC}}}   # agreed with those who use it: March's 0.722, less 0.01
  estimated_performance: off
  multivariate_drift: off
  data_quality: off""",
    "alerts": """\
alerts:
  - name: model-too-weak
    when: {check: performance, metric: roc_auc, status: alarm, windows: 2 of 2}
    severity: high
    notify: [ops]""",
    "retraining": f"""\
retraining:
  when: {{check: performance, metric: roc_auc, status: alarm, windows: 2 of 2}}
  trigger_dag: {RETRAIN}
  approval: required
  approval_timeout: 1h
  cooldown: 28d
  minimum_labels: 5000""",
}
"""What the loop's copy of the monitor file says otherwise: the sections of the demo's file that are replaced."""

DAG_FILE = '''\
"""The DAG ``monitor.flight-delays``, with an end: the flights end in 2013, and nothing is scheduled after them."""

from datetime import UTC, datetime
from pathlib import Path

from monitoring_tasks.airflow.folder import monitor_dags

dags = monitor_dags(Path(__file__).parent / "monitors")
for dag in dags.values():
    dag.end_date = datetime(2014, 1, 1, tzinfo=UTC)
globals().update(dags)
'''


class NotClosed(MonitoringError):
    """The loop did not close, and why."""


@dataclass
class Story:
    """What is told, with the seconds since the beginning before it."""

    console: Console
    began: float = field(default_factory=time.monotonic)

    def tell(self, text: str) -> None:
        """Print one step."""
        self.console.print(f"{time.monotonic() - self.began:4.0f} s  {text}", markup=False)

    def more(self, text: str) -> None:
        """Print what belongs to it."""
        for line in text.splitlines():
            self.console.print(f"        {line}", markup=False)


@dataclass(frozen=True)
class Place:
    """The folder of one loop."""

    root: Path
    demo: Path
    """The demo's own folder, which is only read."""

    @property
    def monitor_file(self) -> Path:
        """The copy of the demo's monitor file."""
        return self.root / "monitors" / "flight_delays.yaml"

    @property
    def results(self) -> str:
        """The results store's URL."""
        return f"sqlite:///{self.root / 'results.db'}"

    @property
    def warehouse(self) -> Path:
        """The copy of the demo's warehouse."""
        return self.root / "warehouse"

    @property
    def log(self) -> Path:
        """What Airflow's processes say."""
        return self.root / "airflow.log"


def main() -> int:
    """Run the loop; return the process's exit code."""
    for number in standalone.ENDINGS:
        signal.signal(number, _interrupt)
    story = Story(Console(highlight=False, soft_wrap=True))
    place = Place(Path.cwd() / ".demo-loop", Path.cwd() / ".demo")
    place.root.mkdir(exist_ok=True)
    with standalone.claim(place.root) as lock:
        try:
            _run(place, story, lock)
        except (MonitoringError, URLError, OSError) as error:
            story.tell(f"The loop did not close: {error}")
            story.more("Look into .demo-loop/airflow.log, and into .demo-loop/airflow/logs for each task.")
            return 1
    story.tell("The loop closed.")
    return 0


def _run(place: Place, story: Story, lock: IO[str]) -> None:
    story.tell("The demo's flights are looked for in .demo/ (prepared first if need be: a minute, once)")
    prepare(place)
    with messages_received(place.root / "messages.jsonl") as (channel, messages):
        port = standalone.free_port()
        with place.log.open("wb") as output:
            home, dags = place.root / "airflow", place.root / "dags"
            process = standalone.start(home, dags, port, settings(place, channel), output, lock)
        try:
            standalone.say(lock, port)
            story.tell(f"Airflow is starting on {standalone.HOST}:{port}; its log is .demo-loop/airflow.log")
            standalone.wait_until_ready(process, port, place.log)
            api = RestApi.log_in(f"http://{standalone.HOST}:{port}", "admin", standalone.password(home))
            close_the_loop(api, place, story, messages)
        finally:
            for number in standalone.ENDINGS:
                signal.signal(number, signal.SIG_IGN)
            standalone.stop(process)


def prepare(place: Place) -> None:
    """Make the folder anew: DAGs, monitor file and warehouse, and an empty results store."""
    from monitoring_tasks.demo import copy_warehouse, monitor_file
    from monitoring_tasks.demo import prepare as prepare_demo
    from monitoring_tasks.results.migrate import migrate

    made = prepare_demo(place.demo)
    for name in ("airflow", "dags", "monitors", "models", "training", "warehouse"):
        shutil.rmtree(place.root / name, ignore_errors=True)
    for file in place.root.glob("results.db*"):
        file.unlink()
    for name in ("airflow", "dags", "monitors"):
        (place.root / name).mkdir()
    copy_warehouse(made.warehouse, place.warehouse)
    place.monitor_file.write_text(with_sections(monitor_file().read_text(encoding="utf-8"), CHANGES), encoding="utf-8")
    (place.root / "dags" / "monitoring.py").write_text(DAG_FILE, encoding="utf-8")
    shutil.copy(retraining_file(), place.root / "dags")
    migrate(place.results)


def retraining_file() -> Path:
    """Return the file of the DAG that trains, which a checkout has and an installed package has not."""
    file = Path(__file__).parents[2] / "dags" / f"{RETRAIN}.py"
    if not file.is_file():
        raise ConfigError(f"there is no {file}: run `make demo-loop` in a checkout of the project")
    return file


def with_sections(text: str, sections: Mapping[str, str]) -> str:
    """Return a monitor file with some of its sections replaced, or left out where the text is empty.

    Raises
    ------
    ConfigError
        If the file does not have one of them.
    """
    for key, section in sections.items():
        found = re.findall(rf"^{key}:.*\n(?:(?:[ \t].*)?\n)*?(?=^\S|\Z)", text, flags=re.MULTILINE)
        if len(found) != 1:
            raise ConfigError(f"the demo's monitor file has {len(found)} sections {key!r}, and the loop replaces one")
        text = text.replace(found[0], section and f"{section}\n\n")
    return text


def settings(place: Place, channel: str) -> dict[str, str]:
    """Return what the monitor finds where, and an Airflow that does not wait."""
    return {
        "MONITORING_HOME": str(place.root),
        "MONITORING_MONITORS": str(place.root / "monitors"),
        "MONITORING_WAREHOUSE_DEMO": f"duckdb:///{place.warehouse}",
        "MONITORING_RESULTS_URL": place.results,
        "MONITORING_CHANNEL_OPS": channel,
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "60",
    }


@contextmanager
def messages_received(file: Path) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Stand in for the channel of those on call: yield its Apprise URL and the messages that have come."""
    came: list[dict[str, Any]] = []
    file.unlink(missing_ok=True)

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            came.append(message)
            with file.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(message) + "\n")
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer((standalone.HOST, 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"json://{standalone.HOST}:{server.server_address[1]}/", came
    finally:
        server.shutdown()
        server.server_close()


def close_the_loop(api: RestApi, place: Place, story: Story, messages: list[dict[str, Any]]) -> None:
    """Drift, alert, approval, retraining, recovery.

    Raises
    ------
    NotClosed
        If one of them does not happen.
    """
    until(lambda: {DAG, RETRAIN} <= set(api.dags()), "Airflow to find the two DAGs")
    api.unpause(DAG)
    first = api.trigger(DAG, window_start=BEFORE.isoformat(), window_end=DEPLOYED.isoformat(), notify=True)
    story.tell(f"DAG {DAG} looks at the four weeks from {BEFORE:%d %B} 2013, run {first}")

    until(lambda: bool(api.questions(DAG, first)) or _ended(api, DAG, first), f"{DAG} to ask for a review")
    weeks_told(place, story, BEFORE)
    if not (asked := api.questions(DAG, first)):
        raise NotClosed(f"nobody was asked for a new model: run {first} of {DAG} ended; table action says why")
    told(messages, 1, story, "of the alert")
    question = asked[0]
    story.tell(f"Airflow asks: {question['subject']}")
    # All fields of the form, as Airflow's own page sends them: what it fills in, and a note.
    form = {name: each.get("value") if isinstance(each, dict) else each for name, each in question["params"].items()}
    form["note"] = "agreed by make demo-loop"
    who = api.answer(DAG, first, question["task_instance"]["task_id"], "Approve", form)
    story.more(f"{who} approves it, over the REST API, with the rows from {form['train_start']} on")
    finished(api, DAG, first)

    (run,) = (name for name in api.runs(RETRAIN)) if len(api.runs(RETRAIN)) == 1 else (None,)
    if run is None:
        raise NotClosed(f"{RETRAIN} has {len(api.runs(RETRAIN))} runs, and one was asked for")
    story.tell(f"DAG {RETRAIN} trains, run {run}")
    finished(api, RETRAIN, run)
    version = newest_version(place)
    story.tell(f"Model {version['model_version']} is {version['reason']}")
    story.more(
        f"It has learned {version['learned_flights']:,} flights until {version['learned_end']:%Y-%m-%d}; neither model "
        "has seen those that they are compared on."
    )
    if version["state"] != "in_service":
        raise NotClosed(f"model {version['model_version']} is {version['state']}")
    story.more(
        f"It is in service from {version['deployed_at']:%Y-%m-%d %H:%M} UTC on; the monitor now compares with the four "
        "weeks it was judged on:"
    )
    story.more(re.findall(r"period: .*", place.monitor_file.read_text(encoding="utf-8"))[0])

    second = api.trigger(DAG, window_start=DEPLOYED.isoformat(), window_end=END.isoformat(), notify=True)
    story.tell(f"DAG {DAG} looks at the three weeks after, run {second}")
    finished(api, DAG, second)
    weeks_told(place, story, DEPLOYED)
    told(messages, 2, story, "of the recovery")
    recovered(place, story)


def recovered(place: Place, story: Story) -> None:
    """Tell what became of it; fail when the alert is still open, or the new model too weak in two weeks in a row."""
    from monitoring_tasks.results import tables

    alerts = rows(place, tables.alert)
    still = [each for each in alerts if each["state"] != "resolved"]
    for each in alerts:
        story.more(f"alert {each['name']} {each['alert_id']}: {each['state']}")
    if still or not alerts:
        raise NotClosed("the alert is not resolved: " + "; ".join(each["message"] for each in still))
    story.tell("ROC AUC by week, from the same flights:")
    story.more("week         old model   model in service")
    weeks = side_by_side(place)
    for week, old, served in weeks:
        story.more(f"{week}   {old:9.3f}   {served:16.3f}{'' if old == served else '   the new one'}")
    since = [(old, served) for _, old, served in weeks if old != served]
    old_weak, new_weak = (sum(each[which] < LEAST_ROC_AUC for each in since) for which in (0, 1))
    story.more(
        f"The alert asks for two weeks in a row below {LEAST_ROC_AUC}. Since the deployment the new model was below it "
        f"in {new_weak} of {len(since)} weeks, the old one would have been in {old_weak}."
    )
    story.more(
        "Where to look: .demo-loop/results.db (tables result, alert, alert_event, delivery, action),\n"
        ".demo-loop/messages.jsonl, .demo-loop/models/, .demo-loop/monitors/flight_delays.yaml"
    )


def weeks_told(place: Place, story: Story, since: datetime) -> None:
    """Tell the results of the weeks since then: how many numbers of data drift alarm, and how good the model is."""
    from monitoring_tasks.results import tables

    found = rows(place, tables.result)
    for start in sorted({each["window_start"] for each in found if each["window_start"] >= since}):
        here = [each for each in found if each["window_start"] == start]
        drifted = sum(each["check_name"] == "data_drift" and each["status"] == "alarm" for each in here)
        words = [
            f"{each['status']}: {each['message']}"
            for each in here
            if (each["check_name"], each["metric"], each["column_name"], each["segment"])
            == ("performance", "roc_auc", "", "")
        ]
        story.more(f"{start:%Y-%m-%d}  {drifted} numbers of data drift in alarm; {''.join(words)}")


def side_by_side(place: Place) -> list[tuple[str, float, float]]:
    """Return for each week the ROC AUC of the old model and of the one that served."""
    import pandas as pd
    from sklearn.metrics import roc_auc_score

    from monitoring_tasks.demo_retraining.training_set import flights_with_outcome

    old, served = (flights_with_outcome(folder, BEFORE, END) for folder in (place.demo / "warehouse", place.warehouse))
    answered = old["probability"].notna() & served["probability"].notna()
    week = old["day"] - pd.to_timedelta(old["day"].dt.day_of_week, unit="D")
    table = []
    for start in sorted(week[answered].unique()):
        here = answered & (week == start)
        before, after = (
            float(roc_auc_score(each.loc[here, "delayed"], each.loc[here, "probability"])) for each in (old, served)
        )
        table.append((f"{start:%Y-%m-%d}", before, after))
    return table


def told(messages: Sequence[Mapping[str, Any]], count: int, story: Story, what: str) -> None:
    """Wait until so many messages have come, and tell what the last one is about."""
    until(lambda: len(messages) >= count, f"the message {what} to arrive", 60)
    last = messages[-1]
    story.tell(f"A message {what} arrived in channel ops: {last['title']}")


def newest_version(place: Place) -> dict[str, Any]:
    """Return the row of the model that was trained."""
    import pyarrow.parquet as pq

    found = sorted((place.warehouse / "model_versions").glob("*.parquet"))
    if not found:
        raise NotClosed(f"{RETRAIN} has registered no model")
    row: dict[str, Any] = pq.read_table(found[-1]).to_pylist()[0]
    return row


def rows(place: Place, table: Any) -> list[dict[str, Any]]:
    """Return the rows of a table of the results store."""
    from sqlalchemy import make_url, select

    from monitoring_tasks.results.connection import connect

    engine = connect(make_url(place.results))
    try:
        with engine.connect() as connection:
            return [dict(row) for row in connection.execute(select(table)).mappings()]
    finally:
        engine.dispose()


def finished(api: RestApi, dag: str, run: str) -> None:
    """Wait for the end of a run.

    Raises
    ------
    NotClosed
        If it failed; the states of its tasks are in the text.
    """
    until(lambda: _ended(api, dag, run), f"run {run} of {dag} to end")
    if (state := api.runs(dag)[run]) != "success":
        tasks = ", ".join(f"{name} {state}" for name, state in api.tasks(dag, run).items() if state != "success")
        raise NotClosed(f"run {run} of {dag} is {state}: {tasks}")


def until(condition: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    """Wait for a condition.

    Raises
    ------
    NotClosed
        If it does not come true in time.
    """
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            raise NotClosed(f"waited {patience:.0f} s for {what}")
        time.sleep(0.5)


def _ended(api: RestApi, dag: str, run: str) -> bool:
    return api.runs(dag).get(run) in ("success", "failed")


def _interrupt(number: int, frame: object) -> None:  # noqa: ARG001 - the signature of a signal's handler
    raise KeyboardInterrupt


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ConfigError as error:
        sys.exit(f"make demo-loop: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
