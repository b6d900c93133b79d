import os
import socket
import subprocess
import sys
import time
from io import StringIO

import psutil
import pytest
from rich.console import Console

from monitoring_tasks.airflow import standalone
from monitoring_tasks.errors import ConfigError


@pytest.fixture
def busy():
    """Return a port on which somebody listens."""
    with socket.socket() as server:
        server.bind((standalone.HOST, 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_free_port_is_taken_as_wished():
    port = standalone.free_port()
    assert standalone.choose_port(str(port), Console(file=StringIO())) == port


def test_a_busy_port_is_replaced_with_a_message(busy):
    said = StringIO()
    port = standalone.choose_port(str(busy), Console(file=said))
    assert port != busy
    assert standalone.is_free(port)
    assert f"Port {busy} is in use: Airflow takes {port}. Set AIRFLOW_PORT to choose one." in said.getvalue()


@pytest.mark.parametrize("wrong", ["web", "0", "70000"])
def test_a_port_that_is_none_is_refused(wrong):
    with pytest.raises(ConfigError, match=f"AIRFLOW_PORT '{wrong}' is not a port"):
        standalone.choose_port(wrong, Console(file=StringIO()))


def test_a_second_airflow_in_the_same_folder_is_refused_with_the_address_of_the_first(tmp_path):
    with standalone.claim(tmp_path) as lock:
        standalone.say(lock, 8123)
        with pytest.raises(
            ConfigError, match=f"at http://127.0.0.1:8123, started by process {os.getpid()}: use it, or"
        ):
            standalone.claim(tmp_path)
    standalone.claim(tmp_path).close()


KILLED = """
import os, subprocess, sys
from pathlib import Path
from monitoring_tasks.airflow import standalone
lock = standalone.claim(Path(sys.argv[1]))
subprocess.Popen(["sleep", sys.argv[2]], pass_fds=[lock.fileno()])
os.kill(os.getpid(), 9)
"""


def test_the_parts_of_a_killed_airflow_are_waited_for(tmp_path):
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), "2"], check=False)
    killed = time.monotonic()
    standalone.claim(tmp_path).close()
    assert time.monotonic() - killed > 1


def test_parts_that_do_not_end_are_not_waited_for_in_vain(tmp_path, monkeypatch):
    monkeypatch.setattr(standalone, "GRACE", 0.2)
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), "3"], check=False)
    with pytest.raises(ConfigError, match=r"Airflow runs here already, started by process \d+"):
        standalone.claim(tmp_path)


def test_tasks_report_to_the_port_that_the_server_has(tmp_path):
    variables = standalone.environment(tmp_path / "home", tmp_path / "dags", 8123)
    assert variables["AIRFLOW__API__PORT"] == "8123"
    assert variables["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:8123/execution/"
    assert variables["AIRFLOW__API__HOST"] == "127.0.0.1"


FAMILY = """
import os, signal, subprocess, sys, time
child = "import os, signal, time; os.setpgid(0, 0); signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
subprocess.Popen([sys.executable, "-c", child])
time.sleep(60)
"""


def test_stop_ends_children_with_groups_of_their_own_and_those_that_will_not(monkeypatch):
    monkeypatch.setattr(standalone, "GRACE", 1.0)
    process = subprocess.Popen([sys.executable, "-c", FAMILY], start_new_session=True)
    until = time.monotonic() + 20
    while len(standalone.session(process.pid)) < 2 and time.monotonic() < until:
        time.sleep(0.1)
    time.sleep(0.5)
    members = standalone.session(process.pid)
    assert len(members) == 2
    standalone.stop(process)
    assert standalone.session(process.pid) == []
    assert not any(member.is_running() and member.status() != psutil.STATUS_ZOMBIE for member in members)


def test_a_start_that_fails_shows_the_end_of_the_log(tmp_path):
    log = tmp_path / "airflow.log"
    log.write_text("\n".join(f"line {number}" for number in range(50)))
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    with pytest.raises(ConfigError, match="Airflow did not start") as error:
        standalone.wait_until_ready(process, standalone.free_port(), log)
    assert str(error.value).endswith("line 48\nline 49")
    assert "line 29" not in str(error.value)
