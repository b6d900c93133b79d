"""A real Airflow: API server, scheduler with LocalExecutor, DAG processor and triggerer.

It is used over the REST API, as its UI uses it, and, where Chromium is installed, in the UI itself.
"""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

from monitoring_tasks.config import load_monitor
from monitoring_tasks.results.store import open_store
from monitoring_tasks.run import run_windows
from monitoring_tasks.warehouse.engine import open_warehouse
from tests.end_to_end import browser
from tests.end_to_end.server import until

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def backfill(airflow):
    """Backfill five windows as the UI does, and return their runs."""
    airflow.unpause("monitor.rain")
    made = airflow.call(
        "/backfills",
        {
            "dag_id": "monitor.rain",
            "from_date": "2013-04-03T04:00:00Z",
            "to_date": "2013-04-07T04:00:00Z",
            "max_active_runs": 2,
            "reprocess_behavior": "none",
            "run_backwards": False,
        },
    )
    until(lambda: airflow.call(f"/backfills/{made['id']}")["completed_at"] is not None, "the backfill to end")
    runs = airflow.call("/dags/monitor.rain/dagRuns?limit=100")["dag_runs"]
    return sorted((run for run in runs if run["run_type"] == "backfill"), key=lambda run: run["data_interval_start"])


def of_windows(rows, first: str, last: str):
    return [row for row in rows if first <= row["window_start"] <= last]


def reference(airflow, tmp_path, start: str, end: str, monitor: str = "rain") -> str:
    """Compute a period of a monitor with `run_windows`, in this process, into a store of its own; return its URL."""
    url = f"sqlite:///{tmp_path / 'reference.db'}"
    with open_store(url) as store, open_warehouse(airflow.warehouse) as warehouse:
        run_windows(
            load_monitor(airflow.monitors / f"{monitor}.yaml"),
            datetime.fromisoformat(start),
            datetime.fromisoformat(end),
            warehouse=warehouse,
            store=store,
        )
    return url


@pytest.fixture(scope="module")
def late(airflow):
    """Trigger a run whose window may be read a minute from now; return its id and that moment."""
    now = datetime.now(UTC)
    end = now.replace(minute=now.minute // 10 * 10, second=0, microsecond=0)
    moment = now + timedelta(seconds=60)
    airflow.write_monitor("late", schedule="10m", delay=f"{int((moment - end).total_seconds())}s")
    airflow.unpause("monitor.late")
    start = end - timedelta(minutes=10)
    return airflow.trigger("monitor.late", window_start=start.isoformat(), window_end=end.isoformat()), moment


@pytest.fixture(scope="module")
def logged_in(airflow):
    """Return a page of Chromium whose user has logged in."""
    program = browser.program()
    if program is None:
        pytest.skip(f"no Chromium here: none of {', '.join(browser.NAMES)} is on the path")
    until(lambda: "monitor.sun" in airflow.dags(), "monitor.sun to appear")
    with browser.opened(program) as page:
        browser.log_in(page, airflow.url, airflow.password)
        yield page


@pytest.fixture
def page(logged_in):
    """Return that page, and leave Airflow's afterwards: an open one asks the server for news all the time."""
    yield logged_in
    logged_in.goto("about:blank")


@pytest.fixture(scope="module")
def clicked(airflow, logged_in):
    """Unpause monitor.sun and start a run, a bulk backfill and Airflow's own, all in forms; return their ids."""
    page = logged_in
    page.goto(f"{airflow.url}/dags")
    page.get_by_role("link", name="monitor.sun", exact=True).click()
    page.get_by_role("button", name="Dag Docs").wait_for()
    with page.expect_response(lambda answer: answer.request.method == "PATCH"):
        page.get_by_test_id("toggle-pause").click()

    form = browser.trigger_form(page, airflow.url, "monitor.sun")
    browser.pick(browser.parameter(form, "From"), "2013/04/10", "04:00")
    browser.pick(browser.parameter(form, "To"), "2013/04/12", "04:00")
    run = browser.submit(form, "Trigger", "/dagRuns")["dag_run_id"]

    def offered():
        return airflow.call("/dags/monitoring.backfill/details")["params"]["monitor"]["schema"].get("enum", ())

    until(lambda: "sun" in offered(), "monitoring.backfill to offer the monitor")
    form = browser.trigger_form(page, airflow.url, "monitoring.backfill")
    form.get_by_role("combobox").fill("sun")
    page.get_by_role("option", name="sun (since 2013-04-01 04:00 UTC)").click()
    browser.pick(browser.parameter(form, "From"), "2013/04/13", "04:00")
    browser.pick(browser.parameter(form, "To"), "2013/04/16", "04:00")
    bulk = browser.submit(form, "Trigger", "/dagRuns")["dag_run_id"]

    form = browser.trigger_form(page, airflow.url, "monitor.sun")
    form.get_by_text("Run this Dag for a range of dates").click()
    browser.pick(form.get_by_test_id("datetime-input").nth(0), "2013/04/03", "04:00")
    browser.pick(form.get_by_test_id("datetime-input").nth(1), "2013/04/07", "04:00")
    form.get_by_text("5 runs will be triggered.").wait_for()
    form.get_by_role("spinbutton").fill("4")
    backfill = browser.submit(form, "Run Backfill", "/backfills")["id"]
    return {"run": run, "bulk": bulk, "backfill": backfill}


def test_a_delay_is_waited_for_in_the_triggerer(airflow, late):
    run, _ = late
    until(lambda: airflow.tasks("monitor.late", run).get("wait", {}).get("state") == "deferred", "the wait to defer")
    assert airflow.tasks("monitor.late", run)["scan"]["state"] is None


def test_backfill_from_the_ui_writes_what_run_windows_writes(airflow, backfill, tmp_path):
    assert [run["state"] for run in backfill] == ["success"] * 5
    url = reference(airflow, tmp_path, "2013-04-03T04:00Z", "2013-04-08T04:00Z")
    for table in ("result", "profile", "window_run"):
        rows = of_windows(airflow.rows(table, "rain"), "2013-04-03", "2013-04-08")
        assert rows, table
        assert rows == airflow.rows(table, "rain", url), table
    assert airflow.rows("baseline", "rain") == airflow.rows("baseline", "rain", url)
    assert len({row["window_start"] for row in airflow.rows("result", "rain", url)}) == 5


def test_a_cleared_run_changes_nothing(airflow, backfill):
    tables = ("result", "profile", "baseline", "window_run", "check_run")
    before = {table: airflow.rows(table, "rain") for table in tables}
    run = backfill[2]["dag_run_id"]
    cleared = airflow.call(f"/dags/monitor.rain/dagRuns/{quote(run)}/clear", {"dry_run": False})
    assert cleared["state"] == "queued"
    assert airflow.finish("monitor.rain", run) == "success"
    assert {task["try_number"] for task in airflow.tasks("monitor.rain", run).values()} == {2}
    assert {table: airflow.rows(table, "rain") for table in tables} == before


@pytest.mark.usefixtures("clicked")
def test_the_form_of_a_run_says_what_to_fill_in(airflow, page):
    form = browser.trigger_form(page, airflow.url, "monitor.sun")
    start, end = (browser.parameter(form, title).inner_text() for title in ("From", "To"))
    assert "such as 2013-04-01 04:00 UTC (00:00 in America/New_York)" in start
    assert "End of the last window, itself not included" in end
    assert "Leave both empty for the latest complete window" in end


def test_the_form_of_maintenance_says_what_to_fill_in(airflow, page):
    form = browser.trigger_form(page, airflow.url, "monitoring.maintenance")
    assert "Windows older than this are added up to days" in browser.parameter(form, "Roll up after").inner_text()
    assert "Windows older than this are deleted" in browser.parameter(form, "Delete after").inner_text()


def test_the_documentation_shows_the_monitor(airflow, page):
    page.goto(f"{airflow.url}/dags/monitor.sun")
    page.get_by_role("button", name="Dag Docs").click()
    shown = page.get_by_role("dialog").filter(has_text="Dag Documentation")
    shown.get_by_text("Defined in").wait_for()
    assert "since 2013-04-01 04:00 UTC" in shown.inner_text()
    assert "features: {pressure: numeric, sky: categorical}" in shown.inner_text()


def test_a_run_by_hand_computes_the_windows_it_is_given(airflow):
    airflow.unpause("monitor.rain")
    run = airflow.trigger("monitor.rain", window_start="2013-04-10T00:00:00-04:00", window_end="2013-04-12T04:00:00Z")
    assert airflow.finish("monitor.rain", run) == "success"
    done = of_windows(airflow.rows("window_run", "rain"), "2013-04-10", "2013-04-13")
    assert [(row["window_start"], row["window_end"], row["state"]) for row in done] == [
        ("2013-04-10 04:00:00", "2013-04-11 04:00:00", "done"),
        ("2013-04-11 04:00:00", "2013-04-12 04:00:00", "done"),
    ]
    assert all(row["rows"] == 288 for row in done)


def test_a_suite_is_held_against_its_own_window_in_a_task_of_its_own(airflow, tmp_path):
    """The earlier window is the second to be run; the pressure rises in between."""
    suites = airflow.monitors / "suites"
    suites.mkdir()
    between = {"column": "pressure", "min_value": 970, "max_value": 1030}
    expectations = [
        {"type": "expect_column_values_to_be_between", "kwargs": between},
        {
            "type": "expect_column_values_to_be_in_set",
            "kwargs": {"column": "sky", "value_set": ["clear", "cloudy", "fog"]},
        },
    ]
    (suites / "sky.json").write_text(json.dumps({"name": "sky", "expectations": expectations}))
    airflow.write_monitor("hail", checks="{multivariate_drift: off, data_quality: {suite: suites/sky.json}}")
    airflow.unpause("monitor.hail")
    runs = [
        airflow.trigger(
            "monitor.hail", window_start=f"2013-04-{day:02}T04:00:00Z", window_end=f"2013-04-{day + 1:02}T04:00:00Z"
        )
        for day in (7, 4)
    ]
    assert [airflow.finish("monitor.hail", run) for run in runs] == ["success", "success"]
    assert {"scan", "drift", "data_quality", "operations", "close"} == set(airflow.tasks("monitor.hail", runs[0]))
    expected = reference(airflow, tmp_path, "2013-04-04T04:00Z", "2013-04-08T04:00Z", "hail")
    rows, wanted = (
        [row for row in airflow.rows("result", "hail", url) if row["window_start"][:10] in ("2013-04-04", "2013-04-07")]
        for url in (None, expected)
    )
    assert rows == wanted
    found = {
        (row["window_start"][:10], row["metric"]): row["status"] for row in rows if row["metric"].startswith("expect_")
    }
    assert found == {
        ("2013-04-04", "expect_column_values_to_be_between"): "ok",
        ("2013-04-04", "expect_column_values_to_be_in_set"): "ok",
        ("2013-04-07", "expect_column_values_to_be_between"): "alarm",
        ("2013-04-07", "expect_column_values_to_be_in_set"): "ok",
    }
    log = json.dumps(airflow.call(f"/dags/monitor.hail/dagRuns/{quote(runs[0])}/taskInstances/data_quality/logs/1"))
    assert "great_expectations" not in log


def test_a_missing_warehouse_is_red_recorded_and_not_retried(airflow):
    airflow.unpause("monitor.adrift")
    run = airflow.trigger("monitor.adrift", window_start="2013-04-10T04:00:00Z", window_end="2013-04-11T04:00:00Z")
    assert airflow.finish("monitor.adrift", run) == "failed"
    tasks = airflow.tasks("monitor.adrift", run)
    assert {name: (task["state"], task["try_number"]) for name, task in tasks.items()} == {
        "scan": ("failed", 1),
        "drift": ("upstream_failed", 0),
        "operations": ("upstream_failed", 0),
        "close": ("failed", 1),
        "alerts": ("success", 1),
        "outcome": ("upstream_failed", 0),
    }
    assert airflow.rows("alert", "adrift")[0]["name"] == "no-data"
    (row,) = of_windows(airflow.rows("window_run", "adrift"), "2013-04-10", "2013-04-11")
    assert row["state"] == "failed"
    assert "MONITORING_WAREHOUSE_NOWHERE" in row["error"]


def test_a_broken_file_is_shown_with_line_and_remedy(airflow, page):
    until(lambda: airflow.call("/importErrors")["import_errors"], "the import error")
    page.goto(airflow.url)
    page.get_by_role("button", name="Dag Import Error").click()
    page.get_by_role("button", name="broken_monitors.py").click()
    text = page.get_by_role("dialog").filter(has_text="Dag Import Error").locator("code")
    assert "1 problem in 1 of" in text.inner_text()
    assert f"{airflow.monitors / 'typo.yaml'}:2: schedule: '@dialy' is not a preset: write one of" in text.inner_text()


def test_a_broken_file_is_an_import_error_until_it_is_repaired(airflow):
    def errors():
        return {each["filename"]: each["stack_trace"] for each in airflow.call("/importErrors")["import_errors"]}

    until(lambda: "broken_monitors.py" in errors(), "the import error")
    assert list(errors()) == ["broken_monitors.py"]
    assert f"{airflow.monitors / 'typo.yaml'}:2: schedule: '@dialy' is not a preset" in errors()["broken_monitors.py"]
    until(lambda: {"monitor.rain", "monitor.adrift"} <= set(airflow.dags()), "the good monitors")
    assert "monitor.typo" not in airflow.dags()

    airflow.write_monitor("typo", schedule="@daily")
    until(lambda: "monitor.typo" in airflow.dags(), "the repaired monitor")
    until(lambda: not errors(), "the import error to go")


def test_the_backfill_dag_does_many_windows_in_chunks(airflow, tmp_path):
    airflow.unpause("monitoring.backfill")
    period = {"start": "2013-04-13T04:00:00Z", "end": "2013-04-18T04:00:00Z"}
    run = airflow.trigger("monitoring.backfill", monitor="rain", chunk=2, **period)
    assert airflow.finish("monitoring.backfill", run) == "success"
    tasks = airflow.tasks("monitoring.backfill", run)
    assert sorted(tasks) == ["chunk[0]", "chunk[1]", "chunk[2]", "plan"]
    assert tasks["chunk[2]"]["rendered_map_index"] == "2013-04-17T04:00Z/2013-04-18T04:00Z"
    url = reference(airflow, tmp_path, *period.values())
    for table in ("result", "profile", "window_run"):
        rows = of_windows(airflow.rows(table, "rain"), "2013-04-13", "2013-04-18")
        assert rows == airflow.rows(table, "rain", url), table


def test_a_failed_window_makes_its_chunk_red_after_all_is_planned(airflow):
    airflow.unpause("monitoring.backfill")
    period = {"start": "2013-04-13T04:00:00Z", "end": "2013-04-15T04:00:00Z"}
    run = airflow.trigger("monitoring.backfill", monitor="adrift", **period)
    assert airflow.finish("monitoring.backfill", run) == "failed"
    tasks = airflow.tasks("monitoring.backfill", run)
    assert {name: (task["state"], task["try_number"]) for name, task in tasks.items()} == {
        "plan": ("success", 1),
        "chunk[0]": ("failed", 1),
    }


@pytest.mark.usefixtures("backfill")
def test_maintenance_migrates_and_deletes_only_what_it_is_told(airflow):
    airflow.unpause("monitoring.maintenance")
    kept = len(airflow.rows("result", "rain"))
    run = airflow.trigger("monitoring.maintenance")
    assert airflow.finish("monitoring.maintenance", run) == "success"
    states = {name: task["state"] for name, task in airflow.tasks("monitoring.maintenance", run).items()}
    assert states == {"migrate": "success", "rollup": "skipped", "prune": "skipped"}
    assert len(airflow.rows("result", "rain")) == kept


def test_a_run_that_waited_goes_on_when_its_moment_has_come(airflow, late):
    run, moment = late
    assert airflow.finish("monitor.late", run) == "success"
    scanned = airflow.tasks("monitor.late", run)["scan"]["start_date"]
    assert datetime.fromisoformat(scanned) >= moment - timedelta(seconds=1)


def test_what_was_clicked_computes_exactly_its_windows(airflow, clicked, tmp_path):
    assert airflow.finish("monitor.sun", clicked["run"]) == "success"
    assert airflow.finish("monitoring.backfill", clicked["bulk"]) == "success"
    until(lambda: airflow.call(f"/backfills/{clicked['backfill']}")["completed_at"], "the clicked backfill to end")
    days = [3, 4, 5, 6, 7, 10, 11, 13, 14, 15]
    done = of_windows(airflow.rows("window_run", "sun"), "2013-03", "2013-05")
    assert [(row["window_start"], row["window_end"], row["state"]) for row in done] == [
        (f"2013-04-{day:02} 04:00:00", f"2013-04-{day + 1:02} 04:00:00", "done") for day in days
    ]
    url = reference(airflow, tmp_path, "2013-04-10T04:00Z", "2013-04-12T04:00Z", "sun")
    rows = of_windows(airflow.rows("result", "sun"), "2013-04-10", "2013-04-12")
    assert rows == airflow.rows("result", "sun", url)


def test_only_this_machine_can_reach_it(airflow):
    port = int(airflow.url.rpartition(":")[2])
    listening = {
        address.split()[1]
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        if os.path.exists(table)
        for address in Path(table).read_text().splitlines()[1:]
        if address.split()[3] == "0A" and int(address.split()[1].rpartition(":")[2], 16) == port
    }
    assert listening <= {f"0100007F:{port:04X}"}
