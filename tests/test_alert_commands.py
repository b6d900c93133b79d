"""``monitoring-tasks alerts ...`` as a person on call uses it: on windows that were really run."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from monitoring_tasks.cli import app, main
from monitoring_tasks.errors import ConfigError
from monitoring_tasks.results.alerts import read_alert, read_alerts
from monitoring_tasks.results.store import open_store
from tests import inference_log
from tests.inference_log import day

CHECKS = "{multivariate_drift: off, prediction_drift: off, data_quality: off, operations: off}"
ALERTS = """
alerts:
  - name: amount
    when: {check: data_drift, column: amount, metric: psi}
    severity: high
    notify: [ops]
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, duckdb_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a monitor on a moving baseline, and a results store of its own."""
    text = inference_log.MONITOR.format(checks=CHECKS) + ALERTS
    baseline = inference_log.changed(text, "baseline")
    (tmp_path / "loans.yaml").write_text(text.replace(baseline, baseline.replace("{period", "{rolling: 7d, period")))
    monkeypatch.setenv("MONITORING_RESULTS_URL", f"sqlite:///{tmp_path / 'results.db'}")
    monkeypatch.setenv("MONITORING_WAREHOUSE_LOANS", duckdb_url)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("getpass.getuser", lambda: "grace")
    return tmp_path


def call(line: str) -> Result:
    return CliRunner().invoke(app, shlex.split(line))


def run(first: int, last: int, more: str = "") -> Result:
    return call(f"run loans.yaml --start {day(first).start.date()} --end {day(last).end.date()} {more}")


def test_an_incident_is_found_told_confirmed_and_leaves_the_baseline():
    assert run(20, 22, "--notify").output.splitlines()[-1] == (
        "loans: 1 message waits to be sent: `monitoring-tasks alerts send loans`, or the next run in Airflow"
    )
    with open_store() as store:
        (alert,) = read_alerts(store, "loans")
        assert store.query("SELECT channel, state FROM delivery") == [{"channel": "ops", "state": "waiting"}]
    assert (alert.opened, alert.columns, alert.state) == (day(22), ("amount",), "open")
    listed = call("alerts list")
    assert alert.alert_id in listed.output
    assert "amount: amount in alarm, since 2024-03-23" in listed.output
    status = call("status loans").output
    assert f"loans: high alert {alert.alert_id} is open: amount: amount in alarm, since 2024-03-23" in status
    shown = call(f"alerts show {alert.alert_id[:5]}").output.splitlines()
    assert shown[0] == f"loans: high alert {alert.alert_id} is open"
    assert shown[2:4] == [f"{day(22)}  opened", "  to ops: waiting"]
    assert shown[4].startswith(f"{day(22)}  amount moved: PSI ")

    done = call(f"alerts confirm {alert.alert_id[:5]} --by ada --note 'prices\n\x1b[31m went up'")
    assert done.output == f"loans: alert {alert.alert_id} (amount): confirmed by ada\n"
    assert "  confirmed by ada: prices [31m went up" in call("status").output.splitlines()
    assert run(23, 25).exit_code == 0
    with open_store() as store:
        found = list(store.results("loans", day(25).start, day(25).end, metrics=["psi"], columns=["amount"]))
        (row,) = (each for each in found if each["segment"] == "")
        assert row["baseline_rows"] == 480 * 6, "of the 7 days before all but the incident"
        (alert,) = read_alerts(store, "loans")
    assert (alert.state, alert.resolved_end) == ("confirmed", day(23).end)
    assert call("alerts list").output == "no open alert\n"
    assert "confirmed" in call("alerts list loans --all").output
    shown = call(f"alerts show {alert.alert_id}").output.splitlines()
    assert shown[0].endswith("is confirmed")
    assert shown[-1].startswith(f"{day(22)}  amount moved: PSI "), "what it stood on, not that it is over"


def test_a_run_tells_nobody_unless_it_is_asked_to():
    assert run(22, 22).exit_code == 0
    with open_store() as store:
        (alert,) = read_alerts(store)
        assert (alert.told_end, store.query("SELECT * FROM delivery")) == (None, [])
    assert "opened (nobody was told)" in call(f"alerts show {alert.alert_id}").output
    before = datetime.now(UTC)
    assert call(f"alerts snooze {alert.alert_id} --until 2d").exit_code == 0
    with open_store() as store:
        until = read_alert(store, alert.alert_id).snoozed_until
    assert before + timedelta(days=2) <= until <= datetime.now(UTC) + timedelta(days=2), "from now on"
    for line, said in (
        (f"snooze {alert.alert_id} --until 2024-03-26", "snoozed until 2024-03-26T00:00Z by grace"),
        (f"ack {alert.alert_id}", "acknowledged by grace"),
        (f"false-alarm {alert.alert_id} --note no", "false alarm by grace"),
    ):
        assert call(f"alerts {line}").output == f"loans: alert {alert.alert_id} (amount): {said}\n"
    with pytest.raises(ConfigError, match="'other'"):
        CliRunner().invoke(app, ["alerts", "list", "other"], catch_exceptions=False)
    with pytest.raises(ConfigError, match="called a false alarm already: only a verdict"):
        CliRunner().invoke(app, ["alerts", "resolve", alert.alert_id], catch_exceptions=False)
    with pytest.raises(ConfigError, match=r"--until 'soon' is not a date or time: .* or a duration such as 12h or 2d"):
        CliRunner().invoke(app, ["alerts", "snooze", alert.alert_id, "--until", "soon"], catch_exceptions=False)


def test_an_alert_that_is_not_there_is_exit_code_2(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["monitoring-tasks", "alerts", "ack", "abc"])
    with pytest.raises(SystemExit) as done:
        main()
    assert done.value.code == 2
    assert "there is no alert 'abc': `monitoring-tasks alerts list --all` shows all" in capsys.readouterr().err


def test_what_a_killed_run_could_not_tell_the_next_one_tells(monkeypatch):
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("monitoring_tasks.run.decide_alerts", killed)
        assert run(22, 22, "--notify").exit_code != 0
    with open_store() as store:
        assert read_alerts(store) == ()
    with monkeypatch.context() as patched:
        patched.setattr("monitoring_tasks.run._check_until_written", killed)
        assert run(22, 22).exit_code != 0, "killed after its scan, which forgot that the window was done"
    assert run(22, 22).exit_code == 0, "which would have told nobody"
    with open_store() as store:
        (alert,) = read_alerts(store)
        assert (alert.opened, alert.told_end) == (day(22), day(22).end)
        assert store.query("SELECT channel FROM delivery") == [{"channel": "ops"}]
