"""`validate` and `suggest-suite`, as a user has them."""

import json

import pytest
from typer.testing import CliRunner

from monitoring_tasks.cli import app
from monitoring_tasks.errors import ConfigError
from tests.expectations import suites


@pytest.fixture
def call(tmp_path, duckdb_url, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MONITORING_WAREHOUSE_LOANS", duckdb_url)
    monkeypatch.setenv("MONITORING_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MONITORING_RESULTS_URL", raising=False)
    return lambda *arguments: CliRunner().invoke(app, arguments)


def test_validate_says_what_is_wrong_in_the_suite(tmp_path, call):
    suites.monitor(tmp_path, [{"type": "expect_column_to_exsit", "kwargs": {"column": "age"}}])
    done = call("validate", "loans.yaml")
    assert done.exit_code == 1
    assert "suite.json: expectations[0].type: 'expect_column_to_exsit' is no expectation" in done.output
    assert "did you mean 'expect_column_to_exist'?" in done.output
    suites.monitor(tmp_path)
    done = call("validate", "loans.yaml")
    assert done.exit_code == 1
    place = len(suites.EVERY) - 1
    assert f"suite.json: expectations[{place}]: there is no column 'amuont': did you mean 'amount'?" in done.output
    suites.monitor(tmp_path, suites.EVERY[:-1])
    done = call("validate", "loans.yaml")
    assert done.exit_code == 0, done.output


def test_suggest_suite_writes_where_the_monitor_looks_and_overwrites_nothing(tmp_path, call):
    suites.monitor(tmp_path)
    mine = (tmp_path / "suite.json").read_text()
    done = call("suggest-suite", "loans.yaml")
    assert isinstance(done.exception, ConfigError)
    assert "suite.json is there already: write --force" in str(done.exception)
    assert (tmp_path / "suite.json").read_text() == mine
    done = call("suggest-suite", "loans.yaml", "--force")
    assert done.exit_code == 0, done.output
    first = (tmp_path / "suite.json").read_text()
    assert f"{len(json.loads(first)['expectations'])} expectations in suite.json" in done.output
    assert call("suggest-suite", "loans.yaml", "--output", "again.json").exit_code == 0
    assert (tmp_path / "again.json").read_text() == first


def test_suggest_suite_prints_it_where_no_file_is_named(tmp_path, call):
    monitor = suites.monitor(tmp_path)
    text = monitor.path.read_text().replace('"suite": "suite.json"', '"maximum_rows": 10')
    monitor.path.write_text(text)
    done = call("suggest-suite", "loans.yaml")
    assert json.loads(done.output)["name"] == "loans"
