"""The command line as a user has it: a process, its output, and its exit code."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pandas as pd
import pytest

MONITOR = """\
monitor: loans
schedule: "@daily"
timezone: America/New_York
start: 2024-03-05
warehouse: lake
inference_log:
  table: scores
  timestamp: asked_at
  key: id
  features: [amount, plan]
  prediction: approved
baseline: {period: {start: 2024-03-01, end: 2024-03-05}}
"""

SCORES = """
CREATE TABLE scores AS SELECT range AS id, TIMESTAMP '2024-03-01 05:00' + range * INTERVAL 5 minutes AS asked_at,
    range % 97 + 0.5 AS amount, CASE WHEN range % 3 = 0 THEN 'free' ELSE 'paid' END AS plan, range % 2 AS approved
FROM range(2304)
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a warehouse of eight New York days and a monitor of it."""
    with duckdb.connect(str(tmp_path / "lake.duckdb")) as connection:
        connection.execute(SCORES)
    (tmp_path / "loans.yaml").write_text(MONITOR)
    return tmp_path


def environment(**changes: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MONITORING_")}
    return {**kept, "MONITORING_WAREHOUSE_LAKE": "duckdb:///lake.duckdb", "NO_COLOR": "1", "COLUMNS": "200", **changes}


def call(place: Path, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "monitoring_tasks", *arguments]
    done = subprocess.run(
        command, cwd=place, env=environment(**changes), capture_output=True, text=True, check=False, timeout=120
    )
    assert "Traceback" not in done.stderr
    return done


def run(place: Path, *more: str, **changes: str) -> subprocess.CompletedProcess[str]:
    return call(place, "run", "loans.yaml", "--start", "2024-03-05", "--end", "2024-03-09", *more, **changes)


@pytest.mark.parametrize(
    "command", ["demo", "validate", "migrate", "run", "status", "alerts", "export", "prune", "rollup"]
)
def test_every_command_explains_itself(tmp_path, command):
    done = call(tmp_path, command, "--help")
    assert done.returncode == 0
    assert "Usage:" in done.stdout


def test_run_monitors_the_days_of_the_monitors_own_zone(place):
    done = run(place)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "loans: 4 windows (4 done), 1,152 rows\n"
    assert done.stderr.splitlines() == ["Measure the baseline: 1", "Scan: 6", "Check: 4"]
    assert (place / ".monitoring" / "results.db").is_file()


def test_a_window_that_failed_is_exit_code_1_and_says_why(place):
    (place / "loans.yaml").write_text(MONITOR.replace("[amount, plan]", "[amount, plam]"))
    done = run(place)
    assert done.returncode == 1
    assert "4 failed" in done.stdout
    assert "column 'plam' is not in table 'scores'; did you mean 'plan'?" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "changes", "text"),
    [
        (("--check", "data_drifd"), {}, "monitor 'loans' computes no check data_drifd: it has data_drift"),
        ((), {"MONITORING_WAREHOUSE_LAKE": ""}, "warehouse 'lake' is not known: set MONITORING_WAREHOUSE_LAKE"),
        ((), {"MONITORING_RESULTS_URL": "nonsense"}, "MONITORING_RESULTS_URL"),
    ],
    ids=["check", "warehouse", "results"],
)
def test_a_wrong_setting_is_exit_code_2_with_its_name(place, arguments, changes, text):
    done = run(place, *arguments, **changes)
    assert done.returncode == 2
    assert text in done.stderr


def test_a_period_without_a_whole_window_is_exit_code_2(place):
    done = call(place, "run", "loans.yaml", "--start", "2024-03-05T01:00", "--end", "2024-03-06T01:00")
    assert done.returncode == 2
    assert "no whole window of '0 0 * * *' (America/New_York) lies between 2024-03-05T06:00Z" in done.stderr


def test_a_period_that_ends_before_it_starts_is_exit_code_2(place):
    done = call(place, "run", "loans.yaml", "--start", "2024-03-06", "--end", "2024-03-05")
    assert done.returncode == 2
    assert "--start 2024-03-06 must be before --end 2024-03-05" in done.stderr


def test_a_window_that_has_not_ended_is_exit_code_2(place):
    done = call(place, "run", "loans.yaml", "--start", "2024-03-05", "--end", "2999-01-02")
    assert done.returncode == 2
    assert "has not ended yet, it is 2" in done.stderr
    assert not (place / ".monitoring" / "results.db").exists()


def test_one_window_is_not_called_windows(place):
    done = call(place, "run", "loans.yaml", "--start", "2024-03-05", "--end", "2024-03-06")
    assert done.stdout == "loans: 1 window (1 done), 288 rows\n"


def test_validate_looks_into_the_warehouse_and_says_what_later_versions_will_do(place):
    (place / "loans.yaml").write_text(MONITOR + 'checks: {night: {use: "mine:night"}}\n')
    done = call(place, "validate", "loans.yaml")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "loans.yaml: monitor 'loans' is valid; its columns are in scores",
        "loans.yaml: this version does not act on checks.night yet",
    ]


def test_run_says_which_keys_are_without_effect(place):
    (place / "loans.yaml").write_text(MONITOR + 'checks: {night: {use: "mine:night"}}\n')
    done = run(place)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[0] == "loans.yaml: this version does not act on checks.night yet"
    assert done.stdout == "loans: 4 windows (4 done), 1,152 rows\n"


def test_validate_takes_a_file_that_is_named_twice_as_one(place):
    done = call(place, "validate", "loans.yaml", "loans.yaml", "./loans.yaml", str(place / "loans.yaml"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "loans.yaml: monitor 'loans' is valid; its columns are in scores\n"
    (place / "copy.yaml").write_text(MONITOR)
    done = call(place, "validate", "copy.yaml", "loans.yaml", "copy.yaml")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "loans.yaml:1: monitor: 'loans' is also the name of the monitor in copy.yaml:1: give each monitor its own name",
        "1 error",
    ]


def test_validate_holds_the_training_set_against_what_a_run_would_compare(place):
    with duckdb.connect(str(place / "lake.duckdb")) as connection:
        connection.execute("CREATE TABLE training AS SELECT 'EUR ' || amount AS amount, plan FROM scores")
    (place / "loans.yaml").write_text(
        MONITOR.replace("{period: {start: 2024-03-01, end: 2024-03-05}}", "{table: training}")
    )
    done = call(place, "validate", "loans.yaml")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "loans.yaml:10: inference_log.features[0]: 'amount' is text and is counted as numeric: cast it in a view",
        "loans.yaml:11: inference_log.prediction: 'approved' is not a column of 'training': write amount or plan",
        "2 errors",
    ]
    assert "the baseline was measured without column 'approved'" in run(place).stderr


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("{period: {start: 2024-03-01, end: 2024-03-05}}", "{table: nosuch}", "12: baseline.table"),
        ("table: scores", "table: nosuch", "7: inference_log.table"),
        ("key: id", "key: id\n  expected_rows: {table: nosuch}", "10: inference_log.expected_rows.table"),
    ],
)
def test_validate_names_the_key_of_a_table_that_is_not_there(place, old, new, key):
    (place / "loans.yaml").write_text(MONITOR.replace(old, new))
    done = call(place, "validate", "loans.yaml")
    assert done.returncode == 1
    error, count = done.stderr.splitlines()
    assert error.startswith(f"loans.yaml:{key}: table 'nosuch': Catalog Error: Table with name nosuch does not exist")
    assert error.endswith(": name a table, a view or Parquet files that the warehouse holds and lets you read")
    assert count == "1 error"


def test_validate_prints_every_error_of_every_file(place):
    (place / "columns.yaml").write_text(MONITOR.replace("[amount, plan]", "[amuont, plan]").replace("loans", "other"))
    (place / "broken.yaml").write_text(MONITOR.replace("@daily", "@dayly").replace("features:", "featurs:"))
    done = call(place, "validate", "loans.yaml", "columns.yaml", "broken.yaml", "missing.yaml")
    assert done.returncode == 1
    assert "loans.yaml: monitor 'loans' is valid" in done.stdout
    lines = done.stderr.splitlines()
    assert lines[-1] == f"{len(lines) - 1} errors"
    for text in (
        "columns.yaml:10: inference_log.features[0]: 'amuont' is not a column of 'scores': did you mean 'amount'?",
        "broken.yaml:2: schedule: '@dayly' is not a preset",
        "broken.yaml:10: inference_log.featurs: unknown key: did you mean 'features'?",
        "missing.yaml: no such file",
    ):
        assert any(text in line for line in lines), (text, lines)


@pytest.mark.integration
def test_status_is_about_the_latest_window(place):
    assert call(place, "status").returncode == 2
    run(place)
    done = call(place, "status")
    assert done.returncode == 0
    assert "2024-03-08T05:00Z/2024-03-09T05:00Z" in done.stdout
    assert "loans: nothing is in alarm in its latest window" in done.stdout
    (place / "lake.duckdb").unlink()
    assert call(place, "run", "loans.yaml", "--start", "2024-03-09", "--end", "2024-03-10").returncode == 1
    lines = call(place, "status").stdout.splitlines()
    assert lines[-1].startswith("loans: its latest window failed: warehouse 'duckdb:///lake.duckdb': there is no file")
    assert "holds no window of a monitor 'laons'" in call(place, "status", "laons").stderr


@pytest.mark.integration
def test_export_gives_the_same_rows_in_three_formats(place):
    run(place)
    period = ("--start", "2024-03-05", "--end", "2024-03-09")
    done = call(place, "export", "loans", *period, "--format", "parquet,csv,json")
    assert done.returncode == 0, done.stderr
    parquet = pd.read_parquet(place / "loans-results.parquet")
    csv = pd.read_csv(place / "loans-results.csv")
    records = json.loads((place / "loans-results.json").read_text())
    assert len(parquet) == len(csv) == len(records) > 20
    assert parquet["window_start"].nunique() == 4
    assert {record["value"] for record in records} == {None if pd.isna(x) else x for x in parquet["value"]}
    assert csv["metric"].tolist() == parquet["metric"].tolist() == [record["metric"] for record in records]
    assert "xls" in call(place, "export", "loans", *period, "--format", "xls").stderr


def test_exported_json_keeps_every_digit_and_its_details(place):
    (place / "loans.yaml").write_text(MONITOR + "checks: {data_drift: {metrics: [chi_squared]}}\n")
    run(place)
    period = ("--start", "2024-03-05T05:00Z", "--end", "2024-03-06T05:00Z")
    call(place, "export", "loans", *period, "--format", "json,parquet", "--output", "out.json")
    records = {
        (record["check_name"], record["metric"], record["column_name"]): record
        for record in json.loads((place / "out.json").read_text())
    }
    parquet = pd.read_parquet(place / "out.parquet")
    for row in parquet.to_dict("records"):
        record = records[row["check_name"], row["metric"], row["column_name"]]
        assert record["detail"] == json.loads(row["detail"])
        for name in ("value", "p_value", "value_lower"):
            assert record[name] == (None if pd.isna(row[name]) else row[name])
    found = records["data_drift", "chi_squared", "amount"]
    assert (found["window_start"], found["window_rows"]) == ("2024-03-05T05:00Z", 288)
    assert found["detail"].keys() == {"expected", "test", "design_effect", "effect", "effect_threshold"}


@pytest.mark.integration
def test_days_of_an_export_are_the_monitors_own_unless_a_zone_is_named(place):
    """The same days hold one New York day less in UTC: the number of windows is printed for that."""
    run(place)
    period = ("--start", "2024-03-05", "--end", "2024-03-09")
    assert " of 4 windows in loans-results.parquet" in call(place, "export", "loans", *period).stdout
    assert (
        " of 3 windows in loans-results.parquet" in call(place, "export", "loans", *period, "--timezone", "UTC").stdout
    )


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--output", "no/such/name"), "--output 'no/such/name': there is no folder 'no/such'"),
        (("--timezone", "Mars"), "'Mars' is not a time zone"),
        (("--start", "soon"), "'soon' is not a date or time"),
        (("--start", "2025-01-01", "--end", "2025-01-02"), "monitor 'loans' has no results between 2025-01-01T00:00Z"),
        (("--format", ","), "--format ',': write one or more of parquet,csv,json"),
    ],
)
def test_an_export_that_cannot_be_is_exit_code_2(place, arguments, text):
    done = call(place, "export", "loans", "--start", "2024-03-05", "--end", "2024-03-09", *arguments)
    assert done.returncode == 2
    assert text in done.stderr


def test_a_file_that_may_not_be_written_is_named(place):
    run(place)
    (place / "taken.csv").mkdir()
    period = ("--start", "2024-03-05", "--end", "2024-03-09")
    done = call(place, "export", "loans", *period, "--format", "csv", "--output", "taken")
    assert done.returncode == 1
    assert done.stderr == "error: taken.csv: Is a directory\n"


@pytest.mark.parametrize(
    ("url", "code", "text"),
    [
        ("", 0, "its columns were not checked: warehouse 'lake' is not known: set MONITORING_WAREHOUSE_LAKE to"),
        ("postgresql://nobody@127.0.0.1:1/none", 0, "its columns were not checked, the warehouse does not answer: "),
        ("duckdb:///gone.duckdb", 1, "loans.yaml: warehouse 'duckdb:///gone.duckdb': there is no file or directory"),
        ("mysql://somewhere/db", 1, "loans.yaml: a warehouse cannot be 'mysql': it is duckdb or one of"),
    ],
)
def test_validate_goes_on_whatever_the_warehouse_does(place, url, code, text):
    """A warehouse that does not answer is not the file's fault; one that cannot exist is."""
    (place / "broken.yaml").write_text(MONITOR.replace("@daily", "@dayly").replace("loans", "other"))
    done = call(place, "validate", "loans.yaml", MONITORING_WAREHOUSE_LAKE=url)
    assert done.returncode == code
    assert text in (done.stderr if code else done.stdout)
    both = call(place, "validate", "loans.yaml", "broken.yaml", MONITORING_WAREHOUSE_LAKE=url)
    assert both.returncode == 1
    assert "broken.yaml:2: schedule: '@dayly' is not a preset" in both.stderr
    assert text in both.stdout + both.stderr


def test_a_check_that_raises_is_exit_code_1_and_the_others_write(place):
    code = (
        "from monitoring_tasks import checks, cli\n"
        "def broken(context): raise LookupError('no such lake')\n"
        "checks.CHECKS += (checks.Check('concept_drift', 'performance', broken),)\n"
        "cli.main()"
    )
    command = [sys.executable, "-c", code, "run", "loans.yaml", "--start", "2024-03-05", "--end", "2024-03-09"]
    done = subprocess.run(command, cwd=place, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == "loans: 4 windows (4 failed), 1,152 rows\n"
    assert done.stderr.splitlines()[3] == (
        "failed 2024-03-05T05:00Z/2024-03-06T05:00Z: "
        "concept_drift: check concept_drift failed: LookupError: no such lake"
    )
    assert "  check concept_drift failed: LookupError: no such lake" in call(place, "status").stdout


@pytest.mark.integration
def test_migrate_prune_and_rollup_say_what_they_did(place):
    assert "to revision" in call(place, "migrate").stdout
    assert "already" in call(place, "migrate").stdout
    run(place)
    added = call(place, "rollup", "--before", "2024-03-09", "--to", "0 0 5,9 * *")
    assert added.stdout == "loans: 1 windows of 0 0 5,9 * * made of shorter ones\n", added.stderr
    unknown = call(place, "rollup", "nobody", "--before", "2024-03-09", "--to", "1d")
    assert unknown.returncode == 2
    assert "the results store holds no window of a monitor 'nobody': run one first" in unknown.stderr
    done = call(place, "prune", "--before", "2024-03-09", COLUMNS="40")
    assert done.returncode == 0
    assert "4 rows of window_run" in done.stdout
    assert done.stdout.count("\n") == 1
    again = call(place, "prune", "--before", "2024-03-09")
    assert (again.returncode, again.stdout) == (0, "nothing to remove\n")


def test_a_terminal_gets_progress_bars(place):
    terminal, other = pty.openpty()
    command = [
        sys.executable,
        "-m",
        "monitoring_tasks",
        "run",
        "loans.yaml",
        "--start",
        "2024-03-05",
        "--end",
        "2024-03-09",
    ]
    process = subprocess.Popen(
        command, cwd=place, env=environment(TERM="xterm"), stdout=subprocess.DEVNULL, stderr=other
    )
    os.close(other)
    seen = b""
    try:
        while part := os.read(terminal, 4096):
            seen += part
    except OSError:  # the other end of a pseudo-terminal is closed with an error
        pass
    os.close(terminal)
    assert process.wait(timeout=60) == 0
    assert b"4/4" in seen
    assert "━".encode() in seen


@pytest.mark.integration
def test_the_demo_says_what_moved_since_when_and_how_much(tmp_path):
    done = call(tmp_path, "demo", "--days", "5")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert any(line.split()[:5] == ["error", "rate", "02", "Apr", "1"] for line in lines), done.stdout
    # The weather of five days is like that of the weeks before; that the season changes is said by itself.
    assert any(line.split()[:3] == ["dewp", "05", "Apr"] for line in lines), done.stdout
    assert "4,911" in next(line for line in lines if "inferences in 5 daily windows" in line)
    assert "Next             MONITORING_RESULTS_URL=sqlite:///.demo/results.db" in done.stdout
    (heading,) = [line for line in lines if line.startswith("Month ")]
    assert re.split(r"\s{2,}", heading.strip()) == [
        *("Month", "Labels", "ROC AUC", "95 % interval", "Change", "Other inputs by probability"),
        *("Relation by probability", "Estimated", "Loses most where"),
    ]
    (month,) = [line for line in lines if line.startswith("April ")]
    assert month.split()[1] == "4,911", month
    again = call(tmp_path, "demo", "--days", "1")
    assert again.returncode == 0, again.stderr
    assert "was made by another version" not in again.stderr


LABELS = """\
  positive_class: {positive}
labels: {{table: outcomes, key: id, value: outcome, timestamp: known_at, complete_after: 1d}}
task: binary_classification
"""


@pytest.mark.parametrize(
    ("positive", "outcomes", "error"),
    [
        ("'yes'", "'yes', 'no'", None),
        ("'Yes'", "'yes', 'no'", "positive_class: no label is 'Yes': 'outcome' holds 'no', 'yes': write no or yes"),
        ("2", "0, 1", "positive_class: no label is 2: 'outcome' holds 0, 1: write 0 or 1"),
        ("1", "CAST('nan' AS DOUBLE), 1.0, 0.0, NULL", None),
        ("2", "NULL, 0", None),  # what is rare may be still to come
    ],
)
def test_validate_looks_whether_any_label_is_positive(place, positive, outcomes, error):
    with duckdb.connect(str(place / "lake.duckdb")) as connection:
        connection.execute(
            f"CREATE TABLE outcomes AS SELECT range AS id, [{outcomes}][1 + CAST(range % len([{outcomes}]) AS INT)] AS "
            "outcome, TIMESTAMP '2024-03-02' AS known_at FROM range(100)"
        )
    text = MONITOR.replace("  prediction: approved\n", "  prediction: approved\n" + LABELS.format(positive=positive))
    (place / "loans.yaml").write_text(text)
    done = call(place, "validate", "loans.yaml")
    assert done.returncode == (0 if error is None else 1), done.stderr
    assert (error or "") in done.stderr
