"""What a file becomes: values with their defaults, times in UTC, one hash for what can change a number."""

from __future__ import annotations

import math
import pickle
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from pydantic import ValidationError

from monitoring_tasks.config import (
    CustomCheck,
    DataDrift,
    Features,
    Monitor,
    MonitorFileError,
    RowRange,
    Windows,
    load_monitor,
    load_monitors,
    parse_monitor,
)
from monitoring_tasks.config.checks import LARGEST_SIZE
from monitoring_tasks.errors import ConfigError
from monitoring_tasks.statistics.drift import DRIFT_METRICS
from monitoring_tasks.window import Schedule

CASES = Path(__file__).parent / "cases"
MINIMAL = (CASES / "minimal.yaml").read_text()
DEMO = Path(__file__).parents[2] / "dags" / "monitors" / "flight_delays.yaml"


def with_key(path: str, value: Any) -> Monitor:
    """Read the minimal file with one key set."""
    values = yaml.safe_load(MINIMAL)
    place = values
    *outer, last = path.split(".")
    for part in outer:
        place = place.setdefault(part, {})
    place[last] = value
    return parse_monitor(yaml.safe_dump(values), environ={})


def got(monitor: Monitor, path: str) -> Any:
    value: Any = monitor
    for part in path.split("."):
        value = getattr(value, part)
    return value


def test_the_complete_file_of_the_documentation_loads() -> None:
    monitor = load_monitor(CASES / "complete.yaml")
    assert monitor.name == "flight-delays"
    assert monitor.dag_id == "monitor.flight-delays"
    assert monitor.path == CASES / "complete.yaml"
    assert monitor.schedule == Schedule("0 0 * * *", "America/New_York")
    assert monitor.start == datetime(2013, 4, 1, 4, tzinfo=UTC)
    assert monitor.start.utcoffset() == timedelta(0)
    assert monitor.delay == timedelta(minutes=15)
    assert monitor.inference_log.features == Features(
        names=("distance", "carrier"), kinds={"distance": "numeric", "carrier": "categorical"}
    )
    assert monitor.inference_log.positive_class == 1
    assert monitor.labels is not None
    assert monitor.labels.complete_after == timedelta(days=2)
    assert monitor.baseline.period is not None
    assert monitor.baseline.period.start == datetime(2013, 3, 1, 5, tzinfo=UTC)  # before the clocks went forward
    assert monitor.baseline.period.end == monitor.start
    assert monitor.segments == ("origin",)
    assert monitor.check("data_drift") == DataDrift(minimum_effect={"psi": 0.1})
    assert monitor.check("night_flights") == CustomCheck.model_validate(
        {"use": "my_package.checks:night_flights", "with": {"limit": 0.2}}
    )
    assert monitor.checks.names[-2:] == ("multivariate_drift", "night_flights")
    assert monitor.alerts[0].when.check == ("data_drift",)
    assert monitor.alerts[0].when.windows == Windows(k=2, n=3)
    assert monitor.retraining is not None
    assert monitor.retraining.when.check == ("concept_drift", "performance")
    assert monitor.retraining.cooldown == timedelta(days=7)


def test_defaults() -> None:
    monitor = load_monitor(CASES / "minimal.yaml")
    assert monitor.timezone == "UTC"
    assert monitor.delay == timedelta(0)
    assert monitor.labels is None
    assert monitor.task is None
    assert monitor.segments == ()
    assert monitor.alerts == ()
    assert monitor.retraining is None
    drift = monitor.checks.data_drift
    assert drift is not None
    assert (drift.metrics, drift.false_alarm_rate, drift.minimum_rows) == (("psi", "jensen_shannon"), 0.01, 50)
    assert drift.minimum_effect == {}
    assert monitor.checks.names == (
        "data_drift",
        "prediction_drift",
        "concept_drift",
        "performance",
        "estimated_performance",
        "data_quality",
        "operations",
        "multivariate_drift",
    )


@pytest.mark.skipif(not DEMO.exists(), reason="an installed package without its checkout has no dags/")
def test_the_demo_monitor_loads() -> None:
    assert load_monitor(DEMO, {}).name == "flight-delays"


@pytest.mark.parametrize(
    ("path", "written", "expected"),
    [
        ("schedule", "10m", Schedule("*/10 * * * *", "UTC")),
        ("schedule", "0  6 * *  1", Schedule("0 6 * * 1", "UTC")),
        ("start", "2013-04-01T06:30", datetime(2013, 4, 1, 6, 30, tzinfo=UTC)),
        ("start", "2013-04-01T06:30+02:00", datetime(2013, 4, 1, 4, 30, tzinfo=UTC)),
        ("start", datetime.fromisoformat("2013-04-01T06:30"), datetime(2013, 4, 1, 6, 30, tzinfo=UTC)),
        ("delay", 0, timedelta(0)),
        ("delay", "1h30m", timedelta(minutes=90)),
        ("inference_log.features", ["distance", "carrier"], Features(names=("distance", "carrier"))),
        ("inference_log.features", "*", Features()),
        ("inference_log.score", "p", "p"),
        ("inference_log.score", {0: "p_0", 1: "p_1"}, {"0": "p_0", "1": "p_1"}),
        ("inference_log.latency_ms", None, None),
        ("segments", None, ()),
        ("segments", [], ()),
        ("checks.data_drift", False, None),
        ("checks.data_drift", True, DataDrift()),
        ("checks.data_drift", None, DataDrift()),
        (
            "checks.data_drift",
            {"metrics": ["wasserstein"], "minimum_effect": None},
            DataDrift(metrics=("wasserstein",)),
        ),
        ("checks.operations.expected_rows", 1000, 1000),
        ("checks.operations.expected_rows", "seasonal", "seasonal"),
        ("checks.operations.expected_rows", {"minimum": 5}, RowRange(minimum=5)),
        ("checks.operations.latency_p95_ms", "250", 250.0),
    ],
)
def test_what_is_written_becomes(path: str, written: Any, expected: Any) -> None:
    value = got(with_key(path, written), path)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize("drift", [{"metrics": ["wasserstein"]}, {"fixed": {"psi": 0.3}}], ids=str)
def test_a_moving_baseline_is_judged_by_the_minimum_effect_of_psi_whatever_the_metrics(drift: dict[str, Any]) -> None:
    values = yaml.safe_load(MINIMAL)
    values["checks"] = {"data_drift": {**drift, "minimum_effect": {"psi": 0.2}}}
    with pytest.raises(MonitorFileError, match=r"checks\.data_drift\.minimum_effect\.psi: 'psi' is "):
        parse_monitor(yaml.safe_dump(values), environ={})
    values["baseline"]["rolling"] = "28d"
    settings = parse_monitor(yaml.safe_dump(values), environ={}).checks.data_drift
    assert settings is not None
    assert settings.minimum_effect == {"psi": 0.2}


@pytest.mark.parametrize(("written", "k", "n"), [("2 of 3", 2, 3), (2, 2, 2), ("4", 4, 4), (None, 1, 1)])
def test_windows_of_an_alert(written: Any, k: int, n: int) -> None:
    monitor = with_key("alerts", [{"name": "drift", "when": {"check": "data_drift", "windows": written}}])
    assert monitor.alerts[0].when.windows == Windows(k=k, n=n)


@pytest.mark.parametrize("written", [1, "1", True, "late"])
def test_a_positive_class_keeps_its_type(written: Any) -> None:
    values = yaml.safe_load(MINIMAL) | {"task": "binary_classification"}
    values["inference_log"]["positive_class"] = written
    value = parse_monitor(yaml.safe_dump(values)).inference_log.positive_class
    assert value == written
    assert type(value) is type(written)


@pytest.mark.parametrize("look_back", [{"rolling": "28d"}, {"seasonal": {"by": "hour_of_week", "over": "8w"}}])
def test_a_moving_baseline_takes_its_edges_from_a_period_or_a_table(look_back: dict[str, Any]) -> None:
    for edges in ({"table": "training_set"}, {"period": {"start": "2013-03-01", "end": "2013-04-01"}}):
        assert with_key("baseline", look_back | edges).baseline_is_past
    assert not load_monitor(CASES / "minimal.yaml").baseline_is_past


def test_keys_are_the_text_that_was_written() -> None:
    text = MINIMAL.replace("{distance: numeric,", "{on: numeric, no: numeric, 1: numeric,")
    assert parse_monitor(text).inference_log.features.names == ("on", "no", "1", "carrier")


def test_anchors_aliases_and_merges() -> None:
    text = MINIMAL + (
        "checks:\n"
        "  data_drift: &drift {metrics: &metrics [psi, wasserstein], minimum_rows: 50}\n"
        "  prediction_drift: {<<: *drift, minimum_rows: 20}\n"
        "  multivariate_drift: {<<: [{minimum_rows: 7}, {minimum_rows: 8}]}\n"
    )
    checks = parse_monitor(text).checks
    assert checks.prediction_drift is not None
    assert checks.multivariate_drift is not None
    assert checks.prediction_drift.metrics == ("psi", "wasserstein")
    assert checks.prediction_drift.minimum_rows == 20
    assert checks.multivariate_drift.minimum_rows == 7


def test_the_environment_is_put_in() -> None:
    text = MINIMAL.replace("table: scored", "table: ${SCHEMA}.${TABLE}_$${x}").replace('"@daily"', "${EVERY}")
    monitor = parse_monitor(text, environ={"SCHEMA": "live", "TABLE": "scored", "EVERY": "1h"})
    assert monitor.inference_log.table == "live.scored_${x}"
    assert monitor.schedule.expression == "0 * * * *"


def test_an_unknown_check_is_an_error() -> None:
    monitor = load_monitor(CASES / "complete.yaml")
    with pytest.raises(ConfigError, match="'data_drfit' is not a check of this monitor: did you mean 'data_drift'"):
        monitor.check("data_drfit")


def test_monitors_are_frozen_and_survive_pickling() -> None:
    monitor = load_monitor(CASES / "complete.yaml")
    with pytest.raises(ValidationError, match="frozen"):
        monitor.name = "other"  # type: ignore[misc]
    again = pickle.loads(pickle.dumps(monitor))
    assert again == monitor
    assert again.config_hash == monitor.config_hash
    assert again.path == monitor.path


def test_errors_survive_pickling() -> None:
    with pytest.raises(MonitorFileError) as caught:
        load_monitor(CASES / "dates.yaml")
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.problems == caught.value.problems
    assert str(again) == str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MonitorFileError) as caught:
        load_monitor(tmp_path / "flights.yaml")
    assert str(caught.value) == f"{tmp_path}/flights.yaml: no such file: check the path"
    with pytest.raises(MonitorFileError) as caught:
        load_monitor(tmp_path)
    assert str(caught.value) == f"{tmp_path}: cannot be read (Is a directory): check the path and its permissions"


def test_a_byte_order_mark_and_windows_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "flights.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + MINIMAL.replace("\n", "\r\n").encode())
    assert load_monitor(path).name == "flights"


def test_several_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_text("# copied\n" + MINIMAL)
    Path("b.yaml").write_text(MINIMAL)
    Path("c.yaml").write_text(MINIMAL.replace("flights", "other"))
    Path("d.yaml").write_text(MINIMAL + "owners: me\n")
    assert [monitor.name for monitor in load_monitors(["a.yaml", "c.yaml"])] == ["flights", "other"]
    with pytest.raises(MonitorFileError) as caught:
        load_monitors(["a.yaml", "b.yaml", "c.yaml", "d.yaml"])
    assert str(caught.value).splitlines() == [
        "b.yaml:1: monitor: 'flights' is also the name of the monitor in a.yaml:2: give each monitor its own name",
        "d.yaml:12: owners: unknown key: did you mean 'owner'?",
    ]


SAME_NUMBERS = [
    ("description", "Other words"),
    ("owner", "me"),
    ("delay", "15m"),
    ("alerts", [{"name": "drift", "when": {"check": "data_drift"}}]),
    ("retraining", {"when": {"check": "data_drift"}, "trigger_dag": "retrain"}),
    ("schedule", "24h"),
    ("start", "2013-04-01T00:00"),
    ("checks.data_drift.false_alarm_rate", 0.01),
]
OTHER_NUMBERS = [
    ("schedule", "12h"),
    ("timezone", "Asia/Tokyo"),
    ("warehouse", "other"),
    ("inference_log.table", "other"),
    ("inference_log.features", "*"),
    ("baseline.period.start", "2013-03-02"),
    ("segments", ["origin"]),
    ("checks.data_drift.false_alarm_rate", 0.02),
    ("checks.performance", False),
    ("checks.own", {"use": "checks:own"}),
]


@pytest.mark.parametrize(("path", "written"), SAME_NUMBERS, ids=lambda value: str(value)[:30])
def test_the_hash_stays_when_no_number_can_change(path: str, written: Any) -> None:
    assert with_key(path, written).config_hash == with_key("monitor", "flights").config_hash


def test_every_change_that_can_change_a_number_changes_the_hash() -> None:
    hashes = {with_key(path, written).config_hash for path, written in OTHER_NUMBERS}
    hashes.add(with_key("monitor", "flights").config_hash)
    assert len(hashes) == len(OTHER_NUMBERS) + 1
    assert all(len(value) == 16 and int(value, 16) >= 0 for value in hashes)


def test_the_hash_is_the_same_on_every_machine() -> None:
    """A change here means that windows computed before count as computed otherwise: say so in the changelog."""
    assert load_monitor(CASES / "minimal.yaml").config_hash == "adf99b11cb8e25df"


def test_the_hash_holds_nothing_from_the_environment() -> None:
    text = MINIMAL.replace("warehouse: demo", "warehouse: ${WAREHOUSE}")
    text += "checks:\n  own: {use: 'checks:own', with: {password: '${PASSWORD}', limit: 1}}\n"
    text += "  operations: {expected_rows: 5}\n"
    one = parse_monitor(text, environ={"WAREHOUSE": "live", "PASSWORD": "hunter2"})
    two = parse_monitor(text, environ={"WAREHOUSE": "test", "PASSWORD": "hunter3"})
    assert one.checks.custom["own"].arguments == {"password": "hunter2", "limit": 1}
    assert one.config_hash == two.config_hash
    for change in (("limit: 1", "limit: 2"), ("rows: 5", "rows: 6")):
        other = parse_monitor(text.replace(*change), environ={"WAREHOUSE": "live", "PASSWORD": "hunter2"})
        assert other.config_hash != one.config_hash
    assert "hunter2" not in repr(one) + str(one) + repr(one.checks)


def test_the_largest_sizes_of_files_are_those_of_the_metrics() -> None:
    """No bin is seen on both sides: nothing is further apart."""
    apart = np.array([0, 0, 5000, 0, 0]), np.array([0, 0, 0, 5000, 0])
    largest = {metric.name: metric.maximum for metric in DRIFT_METRICS if metric.maximum < math.inf}
    largest |= {metric.name: metric.effect(*apart) for metric in DRIFT_METRICS if metric.effect is not None}
    assert largest == LARGEST_SIZE


def test_reading_imports_nothing_heavy() -> None:
    """The DAG processor reads every monitor file, and must not pay for what only the tasks need."""
    code = (
        "import sys, monitoring_tasks.config as c; c.load_monitor(sys.argv[1]);"
        "heavy = {'pandas', 'duckdb', 'scipy', 'pyarrow', 'sqlglot', 'airflow', 'numpy', 'sqlalchemy'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, str(CASES / "complete.yaml")]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == "[]\n"


def test_two_hundred_files_take_seconds_at_most() -> None:
    before = time.perf_counter()
    for _ in range(200):
        load_monitor(CASES / "complete.yaml")
    assert time.perf_counter() - before < 5  # 0.6 s on two cores
