"""The first suite that is suggested from a baseline."""

import json

import pytest

from monitoring_tasks.config import load_monitor
from monitoring_tasks.expectations.library import require_known
from monitoring_tasks.expectations.suggestion import suggested_suite
from monitoring_tasks.expectations.suite_file import read_suite
from monitoring_tasks.expectations.validation import validate_window
from monitoring_tasks.results.migrate import migrate
from monitoring_tasks.results.store import open_store
from monitoring_tasks.run import run_windows
from tests import inference_log
from tests.expectations import suites
from tests.inference_log import ROWS, day


@pytest.fixture
def monitor(tmp_path):
    file = tmp_path / "loans.yaml"
    file.write_text(inference_log.MONITOR.format(checks="{multivariate_drift: off, performance: off}"))
    return load_monitor(file, {})


@pytest.fixture
def baseline(tmp_path, warehouse, monitor):
    migrate(f"sqlite:///{tmp_path / 'results.db'}")
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store:
        run_windows(monitor, day(21).start, day(21).end, warehouse=warehouse, store=store)
        baseline_id, _ = store.read_profiles(monitor.name, day(21))
        return store.read_baseline(baseline_id)


@pytest.fixture
def suggested(monitor, baseline):
    text = suggested_suite(monitor, baseline)
    assert suggested_suite(monitor, baseline) == text
    return text


def test_it_has_reasons_and_room_in_the_order_of_the_monitor_file(tmp_path, suggested):
    content = json.loads(suggested)
    assert content["meta"]["notes"].startswith("Suggested from 9,600 rows, 2024-03-01T00:00Z to 2024-03-21T00:00Z")
    assert all(each["meta"]["notes"].endswith(".") for each in content["expectations"])
    columns = [each["kwargs"].get("column", "") for each in content["expectations"]]
    order = ["", "id", "amount", "age", "country", "member", "one", "predicted", "probability", "region", "latency_ms"]
    assert list(dict.fromkeys(columns)) == order
    path = tmp_path / "suggested.json"
    path.write_text(suggested)
    require_known(read_suite(path), path)
    by_type = {(each["type"], each["kwargs"].get("column")): each["kwargs"] for each in content["expectations"]}
    assert by_type["expect_column_values_to_be_in_set", "country"]["value_set"] == ["DE", "ES", "FR", "IT"]
    assert by_type["expect_column_values_to_be_in_set", "member"]["value_set"] == [False, True]
    assert ("expect_column_values_to_be_in_set", "region") in by_type
    rows = by_type["expect_table_row_count_to_be_between", None]
    assert rows["min_value"] < ROWS / 2
    assert rows["max_value"] > 2 * ROWS
    assert by_type["expect_column_values_to_not_be_null", "age"]["mostly"] == pytest.approx(0.96, abs=0.01)
    ages = by_type["expect_column_values_to_be_between", "age"]
    assert (ages["min_value"], ages["max_value"]) == (10, 97)


def test_the_next_version_of_the_model_is_no_fault(baseline):
    versioned = inference_log.monitor(error="error\n  model_version: region")
    about = [
        each["type"]
        for each in json.loads(suggested_suite(versioned, baseline))["expectations"]
        if each["kwargs"].get("column") == "region"
    ]
    assert about == ["expect_column_values_to_be_in_type_list", "expect_column_values_to_not_be_null"]


def test_it_is_met_by_the_baselines_own_windows_and_by_quiet_ones_and_not_by_broken_ones(
    tmp_path, warehouse, suggested
):
    monitor = suites.monitor(tmp_path, suggested)
    for number in (0, 7, 19, *inference_log.QUIET[:2]):
        run = validate_window(monitor, warehouse, day(number), ROWS)
        assert [each for each in run.outcomes if not each.success] == []
    for number, type_, column in (
        (inference_log.NEW_COUNTRY, "expect_column_values_to_be_in_set", "country"),
        (inference_log.MISSING, "expect_column_values_to_not_be_null", "age"),
        (inference_log.FEW, "expect_table_row_count_to_be_between", ""),
    ):
        run = validate_window(monitor, warehouse, day(number), 40 if number == inference_log.FEW else ROWS)
        assert (type_, column) in [(each.expectation, each.column) for each in run.outcomes if not each.success]
