"""README keeps its word: commands, monitor files, SQL and Python in it are run, and what it prints is what is printed.

The outputs it shows are held against the demo (marked integration). After a change of numbers or words,
``python -m tests.test_readme`` runs the demo and writes the outputs and the picture anew.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, get_args
from xml.etree import ElementTree

import duckdb
import pytest
import yaml
from pydantic import BaseModel
from typer.testing import CliRunner

from monitoring_tasks import checks
from monitoring_tasks.checks import Check, CheckContext, not_computed
from monitoring_tasks.cli import app
from monitoring_tasks.config import DriftMetricName, Monitor, MonitorFileError, load_monitor, parse_monitor
from monitoring_tasks.config.checks import Checks, CustomCheck, RowRange
from monitoring_tasks.config.models import (
    AlertRule,
    Baseline,
    Escalation,
    Http,
    InferenceLog,
    Labels,
    Period,
    Retraining,
    Seasonal,
    When,
)
from monitoring_tasks.results import tables
from monitoring_tasks.results.migrate import VIEWS, migrate
from monitoring_tasks.results.store import Store, open_store
from monitoring_tasks.statistics import drift
from monitoring_tasks.statistics.drift import DRIFT_METRICS, DriftMetric, select
from monitoring_tasks.window import parse_instant

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PICTURE = ROOT / ".github/pictures/nine_months.svg"
MONITOR = ROOT / "dags/monitors/flight_delays.yaml"
QUERIES = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "sql/queries").glob("*.sql")}
SHOWN = 8
"""Rows of an answer that README shows."""

ASKED: Mapping[str, Mapping[str, Any]] = {
    "bins_that_moved": {"window_start": datetime(2013, 7, 13, 4, tzinfo=UTC), "column_name": "dest"},
    "metric_over_time": {"check_name": "prediction_drift", "metric": "psi", "column_name": "predicted", "segment": ""},
    "errors_and_latency_per_day": {},
    "performance_over_time": {"metric": "roc_auc", "segment": ""},
    "why_performance_moved": {"metric": "roc_auc", "window_start": datetime(2013, 4, 22, 4, tzinfo=UTC)},
}
"""With what README says its questions are asked."""


def blocks(language: str) -> list[str]:
    """Return the fenced blocks of a language, in the order of README."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def block(language: str, words: str) -> str:
    """Return the one block that holds these words."""
    (found,) = [text for text in blocks(language) if words in text]
    return found


def lines_of_shell() -> list[str]:
    return [line for text in blocks("sh") for line in text.splitlines()]


# --- The text ---------------------------------------------------------------------------------------------------------


def test_links_lead_somewhere():
    titles = re.findall(r"^#+ (.*)$", README, re.MULTILINE)
    headings = {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}
    targets = re.findall(r"\]\(([^)]+)\)", README)
    assert len(targets) > 5
    assert [to for to in targets if to.startswith("#") and to[1:] not in headings] == []
    assert [to for to in targets if not to.startswith(("#", "https://")) and not (ROOT / to).is_file()] == []


def test_the_picture_is_small_and_whole():
    assert PICTURE.stat().st_size < 150_000
    picture = ElementTree.parse(PICTURE).getroot()
    words = {element.text for element in picture.iter("{http://www.w3.org/2000/svg}text")}
    assert {*load_monitor(MONITOR).inference_log.features.names, "predicted", "probability"} <= words


@pytest.mark.parametrize("words", [*tables.metadata.tables, *VIEWS, *(m.name for m in DRIFT_METRICS), *QUERIES])
def test_everything_people_can_ask_for_is_named(words):
    if words in ASKED:
        assert QUERIES[words] in blocks("sql")
    elif words in QUERIES:
        assert f"`{words}.sql`" in README
    else:
        assert f"`{words}`" in README


def test_statuses_are_named():
    assert [status for status in checks.STATUSES if f"`{status}`" not in README] == []


def test_the_defaults_it_states():
    assert {metric.minimum_effect for metric in DRIFT_METRICS} == {0.1}
    assert "(default 0.1 for every metric)" in README
    monitor = parse_monitor(blocks("yaml")[0])
    assert monitor.checks.data_drift.metrics == ("psi", "jensen_shannon")
    assert (monitor.checks.data_drift.false_alarm_rate, monitor.checks.data_drift.minimum_rows) == (0.01, 50)
    merged = {metric.name for metric in DRIFT_METRICS if metric.bins == "merged"}
    assert merged == set(re.findall(r"^\| `(\w+)` .*\| ten merged bins", README, re.MULTILINE))


# --- Monitor files ----------------------------------------------------------------------------------------------------


def test_the_monitor_files_load_and_nothing_in_them_is_ignored():
    for text in (text for text in blocks("yaml") if re.search("^monitor:", text, re.MULTILINE)):
        monitor = parse_monitor(text)
        assert not_computed(monitor) == ()
        assert "later version" not in text


def test_the_explained_file_is_that_of_the_demo_in_short():
    explained, demo = yaml.safe_load(blocks("yaml")[1]), yaml.safe_load(MONITOR.read_text(encoding="utf-8"))
    for name in (
        "monitor",
        "schedule",
        "timezone",
        "start",
        "delay",
        "warehouse",
        "task",
        "labels",
        "baseline",
        "segments",
    ):
        assert explained[name] == demo[name]
    features = demo["inference_log"].pop("features")
    assert explained["inference_log"].pop("features").items() <= features.items()
    assert explained["inference_log"] == demo["inference_log"]


def test_the_keys_of_later_versions_are_valid_and_all_of_them_are_told():
    explained, later = yaml.safe_load(blocks("yaml")[1]), yaml.safe_load(block("yaml", "night_flights"))
    assert set(later) == {"checks"}
    monitor = parse_monitor(yaml.safe_dump(merged(explained, later)))
    names = {*Checks.model_fields, "night_flights"} - {check.name for check in checks.CHECKS}
    assert set(not_computed(monitor)) == {f"checks.{name}" for name in names}


@pytest.mark.parametrize("number", range(5))
def test_alerts_and_retraining_are_valid(number):
    parts = [yaml.safe_load(text) for text in blocks("yaml") if re.search(r"^(alerts|retraining|http):", text, re.M)]
    assert len(parts) == 5
    part, monitor = parts[number], yaml.safe_load(blocks("yaml")[1])
    if "http" in part:
        part = {"retraining": {"when": {"check": "performance"}, **part}}
    assert parse_monitor(yaml.safe_dump(merged(monitor, part))).alert_rules


def merged(into: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """Return `into` with the keys of `more`, section by section."""
    for key, value in more.items():
        old = into.get(key)
        into[key] = merged(old, value) if isinstance(value, dict) and isinstance(old, dict) else value
    return into


SECTIONS: tuple[type[BaseModel], ...] = (
    *(Monitor, InferenceLog, Labels, Baseline, Period, Seasonal, AlertRule, Escalation, When, Retraining, Http),
    *(Checks, CustomCheck, RowRange),
    *(type(info.default) for info in Checks.model_fields.values()),
)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.__name__)
def test_every_key_is_explained(section):
    keys = {info.alias or name for name, info in section.model_fields.items()}
    assert [key for key in keys if not re.search(rf"\b{key}: ", "\n".join(blocks("yaml")).replace(":\n", ": \n"))] == []


def test_the_mistakes_are_told_as_shown():
    wrong = blocks("yaml")[0].replace("features", "fetures").replace("2026-01-01\n", "tomorrow\n")
    with pytest.raises(MonitorFileError) as raised:
        parse_monitor(wrong, "monitors/churn.yaml")
    shown = block("text", "monitors/churn.yaml").splitlines()
    assert len(shown) == 2
    assert set(shown) <= set(str(raised.value).splitlines())


# --- Commands ---------------------------------------------------------------------------------------------------------


def test_every_line_of_shell_is_of_a_kind_that_is_tested():
    kinds = ("make ", ".venv/bin/monitoring-tasks ", "export MONITORING_", "airflow ")
    assert [line for line in lines_of_shell() if not line.startswith(kinds)] == []


def test_every_make_target_exists():
    targets = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    named = {line.split()[1] for line in lines_of_shell() if line.startswith("make ")}
    named |= set(re.findall(r"`make ([a-z-]+)`", README))
    assert {"demo", "test", "airflow", "setup"} <= named
    assert named - {*targets, "help"} == set()


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that looks like the checkout after `make demo`, with few and invented flights."""
    for name in ("dags", "sql"):
        (tmp_path / name).symlink_to(ROOT / name)
    warehouse = tmp_path / ".demo" / "warehouse"
    warehouse.mkdir(parents=True)
    names = load_monitor(MONITOR).inference_log.features.kinds
    numeric = [name for name, kind in names.items() if kind == "numeric"]
    rows = f"""
        SELECT 'F' || row_number() OVER () AS flight_id, asked AS scheduled_at, 'UA' AS carrier, 'JFK' AS origin,
            ['LAX', 'BOS', 'SFO'][1 + (hash(asked) % 3)::int] AS dest, (hash(asked) % 2)::int AS predicted,
            (hash(asked) % 100) / 100.0 AS probability, '1' AS model_version,
            40.0 AS latency_ms, NULL::varchar AS error,
            {", ".join(f"(hash(asked, '{name}') % 50)::int AS {name}" for name in numeric)}
        FROM (SELECT unnest(generate_series(TIMESTAMP '2013-03-01', '2013-04-02', INTERVAL 30 MINUTE)
            || generate_series(TIMESTAMP '2013-07-07', '2013-07-16', INTERVAL 10 MINUTE)) AS asked)
    """
    labels = "SELECT flight_id, 0 AS delayed, scheduled_at AS known_at FROM inference_log"
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE inference_log AS {rows}")
        connection.execute(f"COPY inference_log TO '{warehouse}/inference_log.parquet'")
        connection.execute(f"COPY ({labels}) TO '{warehouse}/outcomes.parquet'")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MONITORING_RESULTS_URL", "sqlite:///.demo/results.db")
    monkeypatch.setenv("MONITORING_WAREHOUSE_DEMO", "duckdb:///.demo/warehouse")
    return tmp_path


def test_the_command_lines_run(checkout: Path, monkeypatch: pytest.MonkeyPatch):
    called = set()
    for line in block("sh", "monitoring-tasks run").splitlines():
        words = shlex.split(line)
        if words[0] == "export":
            name, _, value = words[1].partition("=")
            monkeypatch.setenv(name, value)
            continue
        outcome = CliRunner().invoke(app, words[1:])
        assert outcome.exit_code == 0, f"{line}\n{outcome.output}\n{outcome.exception}"
        called.add(words[1])
    known = {command.name or command.callback.__name__ for command in app.registered_commands}
    assert called == known - {"demo"} | {"alerts"}
    assert {path.name for path in checkout.glob("flight-delays-*")} == {
        "flight-delays-results.csv",
        "flight-delays-results.parquet",
    }


# --- Python -----------------------------------------------------------------------------------------------------------


def executed(words: str, **names: Any) -> dict[str, Any]:
    space = {"__name__": "readme", **names}
    exec(compile(block("python", words), "README.md", "exec"), space)
    return space


def test_every_block_of_python_is_run_by_a_test_below():
    run = ["import load_monitor", "import population_stability", "airflow.sdk", "open_store(", "METRIC", "CheckContext"]
    assert len(blocks("python")) == len({block("python", words) for words in run}) == len(run)


@pytest.mark.usefixtures("checkout")
def test_python_runs_a_monitor():
    space = executed("import load_monitor")
    assert list(space["alarms"].columns) == [column.name for column in tables.result.columns]
    with open_store() as store:
        runs = store.window_runs("flight-delays", datetime(2013, 7, 1, tzinfo=UTC), datetime(2013, 8, 1, tzinfo=UTC))
    assert [(run.state, run.rows) for run in runs] == [("done", 144)] * 7


def test_python_takes_a_distance():
    executed("import population_stability")


@pytest.mark.usefixtures("checkout")
def test_python_asks_a_question():
    migrate()
    assert executed("open_store(")["rows"] == []


def test_the_metric_to_add_is_one():
    metric: DriftMetric = executed("METRIC")["METRIC"]
    before, after = select(metric, "numeric", [0, 0, 10, 30, 0], [4, 0, 20, 10, 6])
    assert metric.function(before, before) == 0
    assert metric.function([5, 0], [0, 9]) == metric.maximum == 2.0
    assert 0 < metric.function(before, after) < metric.maximum
    # The third step it names: the two lists are one.
    assert get_args(DriftMetricName) == tuple(metric.name for metric in DRIFT_METRICS)
    assert "DRIFT_METRICS" in (ROOT / "tests/statistics/drift/test_laws.py").read_text(encoding="utf-8")
    assert drift.DRIFT_METRICS is DRIFT_METRICS


@pytest.mark.usefixtures("checkout")
def test_the_check_to_add_is_one():
    function = executed("CheckContext")["positive_share"]
    entry = re.search(r"`(Check\(\"positive_share\".*?\))`", README)[1]
    added: Check = eval(entry, {"Check": Check, "positive_share": function})
    line = ["run", str(MONITOR), "--start", "2013-07-08", "--end", "2013-07-09"]
    assert CliRunner().invoke(app, line).exit_code == 0
    monitor = load_monitor(MONITOR)
    (window,) = monitor.schedule.windows(*(parse_instant(f"2013-07-0{day}", monitor.timezone) for day in (8, 9)))
    with open_store() as store:
        baseline_id, (whole, *_) = store.read_profiles("flight-delays", window)
        (result,) = added.run(CheckContext(monitor, window, whole, store.read_baseline(baseline_id)))
    predicted = whole.columns["predicted"]
    assert result.value == predicted.counts[2] / predicted.rows
    assert 0 < result.value_lower < result.value < result.value_upper < result.threshold_upper


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What README's DAG file holds, and how Airflow reads its command lines."""
    lines = [shlex.split(line)[1:] for line in lines_of_shell() if line.startswith("airflow ")]
    file = ROOT / "dags" / "readme.py"
    code = f"""
import json
space = {{"__name__": "readme", "__file__": {str(file)!r}}}
exec(compile({block("python", "airflow.sdk")!r}, "README.md", "exec"), space)
def tasks(dag):
    return {{task.task_id: sorted(task.downstream_task_ids) for task in dag.tasks}}
from airflow.cli.cli_parser import get_parser
parsed = [vars(get_parser().parse_args(words)) for words in {lines!r}]
print("ANSWER" + json.dumps({{
    "id": space["alone"].dag_id, "alone": tasks(space["alone"]), "together": tasks(space["together"]), "parsed": parsed
}}, default=str))
"""
    home = str(tmp_path_factory.mktemp("airflow"))
    environment = {**os.environ, "AIRFLOW_HOME": home, "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.partition("ANSWER")[2])
    return answer


def test_the_dag_has_the_tasks_that_are_drawn(airflow: dict[str, Any]):
    assert airflow["id"] == "monitor.flight-delays"
    assert airflow["alone"] == {
        "wait": ["scan"],
        "scan": ["close", "data_quality", "drift", "multivariate", "operations", "performance"],
        "data_quality": ["close"],
        "drift": ["close"],
        "multivariate": ["close"],
        "operations": ["close"],
        "performance": ["close"],
        "close": ["alerts", "outcome"],
        "alerts": ["deliver", "retraining"],
        "deliver": ["outcome"],
        "retraining": ["review"],
        "review": ["train"],
        "train": ["retraining_requested"],
        "retraining_requested": ["outcome"],
        "outcome": [],
    }
    assert set(re.findall(r"[a-z_]+", block("text", "wait ─"))) == set(airflow["alone"])


def test_tasks_go_into_a_dag_of_ones_own(airflow: dict[str, Any]):
    assert airflow["together"]["score"] == ["flight-delays.wait"]


def test_airflow_knows_the_command_lines(airflow: dict[str, Any]):
    backfill, trigger = airflow["parsed"]
    assert backfill["dag_id"] == trigger["dag_id"] == airflow["id"]
    assert set(json.loads(trigger["conf"])) == {"window_start", "window_end"}


# --- SQL and the demo -------------------------------------------------------------------------------------------------


def questions() -> list[tuple[str, Mapping[str, Any]]]:
    """Return README's SQL with its parameters."""
    names = {text: name for name, text in QUERIES.items()}
    found = []
    for text in blocks("sql"):
        parameters = {"monitor": "flight-delays", **ASKED[names[text]]} if text in names else {}
        found.append((text, parameters))
    return found


def test_every_question_runs(store: Store):
    assert len(questions()) == 6
    for text, parameters in questions():
        assert store.query(text, **parameters) == []


def answer(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the first rows as aligned text, as README shows them."""
    cells = [list(rows[0]), *([shown(value) for value in row.values()] for row in rows[:SHOWN])]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    right = [isinstance(value, int | float) for value in rows[-1].values()]
    lines = []
    for row in cells:
        padded = [c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right, strict=True)]
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines) + "\n" + ("...\n" if len(rows) > SHOWN else "")


def shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def answers(database: Path) -> list[str]:
    """Return what README's questions are answered from a results store."""
    with open_store(f"sqlite:///{database}") as opened:
        return [answer(opened.query(text, **parameters)) for text, parameters in questions()]


@cache
def picture() -> ModuleType:
    spec = importlib.util.spec_from_file_location("nine_months", PICTURE.with_suffix(".py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The demo's results store, and what the demo printed."""
    directory = tmp_path_factory.mktemp("demo")
    return directory / "results.db", run_demo(directory)


def run_demo(directory: Path) -> str:
    line = [sys.executable, "-m", "monitoring_tasks", "demo", "--directory", str(directory)]
    return subprocess.run(line, capture_output=True, text=True, check=True).stdout


def findings(printed: str) -> list[str]:
    """Return the demo's lines down to the end of its table, without the seconds it took."""
    lines = [line.rstrip() for line in re.sub(r"in [\d.]+ s\.", "in S s.", printed).strip().splitlines()]
    end = next((i for i, line in enumerate(lines) if line.startswith("Every number")), len(lines))
    return [line for line in lines[:end] if line]


@pytest.mark.integration
def test_the_demo_prints_what_is_shown(demo: tuple[Path, str]):
    assert findings(demo[1]) == findings(block("text", "What moved"))


@pytest.mark.integration
def test_the_questions_are_answered_as_shown(demo: tuple[Path, str]):
    assert answers(demo[0]) == re.findall(r"^```sql\n.*?^```\n\n```text\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.mark.integration
def test_the_picture_shows_the_demo(demo: tuple[Path, str]):
    assert picture().draw(picture().read(demo[0])) == PICTURE.read_text(encoding="utf-8")


def write_outputs(directory: Path) -> None:
    """Write what the demo prints, the answers and the picture of README anew."""
    printed = run_demo(directory)
    table = [line.rstrip() for line in printed.strip().partition("\nEvery number")[0].splitlines()]
    text = README.replace(block("text", "What moved"), "\n".join(table).strip() + "\n")
    fresh = iter(answers(directory / "results.db"))
    pattern = r"(^```sql\n.*?^```\n\n```text\n).*?(^```$)"
    text = re.sub(pattern, lambda m: m[1] + next(fresh) + m[2], text, flags=re.MULTILINE | re.DOTALL)
    (ROOT / "README.md").write_text(text, encoding="utf-8")
    PICTURE.write_text(picture().draw(picture().read(directory / "results.db")), encoding="utf-8")


if __name__ == "__main__":
    write_outputs(ROOT / ".demo")
