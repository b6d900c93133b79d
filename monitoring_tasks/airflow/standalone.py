"""``make airflow``: a whole Airflow on this machine, for one person, with the demo's monitor in it.

``python -m monitoring_tasks.airflow.standalone`` prepares the demo's data where they are missing, starts the parts that
``airflow standalone`` starts (API server, scheduler, DAG processor, triggerer) and says where to look. Ctrl-C ends all
of it. What it writes stays under ``.airflow/`` and ``.demo/``.

The parts are started here and not by ``airflow standalone`` because that also opens two servers of log files on every
network interface. Only 127.0.0.1 is listened to.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex
from typing import IO
from urllib.error import URLError
from urllib.request import Request, urlopen

import psutil  # type: ignore[import-untyped]
from rich.console import Console

from monitoring_tasks.errors import ConfigError

HOST = "127.0.0.1"
PORT = 8080
PATIENCE = 180.0
"""Seconds for the first answer: the metadata database is created first."""
PARTS = ("api-server", "scheduler --skip-serve-logs", "dag-processor", "triggerer --skip-serve-logs")
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GRACE = 15.0
"""Seconds between asking the processes to end and ending them."""


def main() -> int:
    """Start, show the way, and wait for Ctrl-C; return the process's exit code."""
    for number in ENDINGS:
        signal.signal(number, _interrupt)
    console = Console(highlight=False, soft_wrap=True)
    root = Path.cwd()
    home = root / ".airflow"
    home.mkdir(exist_ok=True)
    lock = claim(home)
    port = choose_port(os.environ.get("AIRFLOW_PORT") or os.environ.get("PORT"), console)
    warehouse = _demo(root / ".demo", home, console)
    log = home / "airflow.log"
    console.print(f"Airflow is starting (half a minute; its log is {log.relative_to(root)}) ...")
    settings = {
        "MONITORING_WAREHOUSE_DEMO": f"duckdb:///{warehouse}",
        "MONITORING_RESULTS_URL": f"sqlite:///{home / 'results.db'}",
    }
    with log.open("wb") as output:
        process = start(home, root / "dags", port, settings, output, lock)
    say(lock, port)
    try:
        wait_until_ready(process, port, log)
        console.print(
            f"\n  [bold]http://{HOST}:{port}[/bold]   user [bold]admin[/bold]   password "
            f"[bold]{password(home)}[/bold]\n\n"
            "  Unpause the DAG [bold]monitor.flight-delays[/bold] and press Trigger: for one run, or for a backfill\n"
            "  of any days from 2013-04-01 to 2013-12-31. [bold]monitoring.backfill[/bold] does all in one scan.\n"
            f"  The results appear in [bold]{(home / 'results.db').relative_to(root)}[/bold].\n\n"
            "  Ctrl-C ends Airflow."
        )
        process.wait()
        console.print(f"Airflow ended by itself: {log.relative_to(root)} says why.")
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        # make passes Ctrl-C on a second time, and people press it twice.
        for number in ENDINGS:
            signal.signal(number, signal.SIG_IGN)
        console.print("\nAirflow is ending ...")
        stop(process)


def claim(home: Path) -> IO[str]:
    """Lock the folder for one Airflow: a second one would write to the same database and the same log.

    The lock is given back when this process and the one that runs the parts have ended, however they end. Where only
    the first was killed, the parts are ending, and that is waited for.

    Raises
    ------
    ConfigError
        If an Airflow runs there.
    """
    lock = (home / "running.lock").open("a+", encoding="utf-8")
    until = time.monotonic() + 2 * GRACE
    while not _locked(lock):
        lock.seek(0)
        starter, _, address = lock.read().partition(" ")
        if (starter.isdigit() and psutil.pid_exists(int(starter))) or time.monotonic() > until:
            lock.close()
            raise ConfigError(
                f"Airflow runs here already{address and f' at {address}'}, started by process {starter}: use it, or "
                "end it with Ctrl-C first"
            )
        time.sleep(0.2)
    say(lock)
    return lock


def say(lock: IO[str], port: int | None = None) -> None:
    """Write who holds the lock, and where Airflow answers once that is known."""
    lock.seek(0)
    lock.truncate()
    lock.write(f"{os.getpid()} {f'http://{HOST}:{port}' if port else ''}")
    lock.flush()


def environment(home: Path, dags: Path, port: int) -> dict[str, str]:
    """Return the variables of a small Airflow: this process's own, and what a machine of two cores can carry."""
    return {
        **os.environ,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "AIRFLOW__API_AUTH__JWT_SECRET": token_hex(32),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONNECT_ARGS": "monitoring_tasks.airflow.sqlite.CONNECT",
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__BASE_URL": f"http://{HOST}:{port}",
        # Without it tasks report to port 8080, whatever the API server's is, and fail.
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://{HOST}:{port}/execution/",
        "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
    }


def start(
    home: Path, dags: Path, port: int, settings: Mapping[str, str], output: IO[bytes], lock: IO[str] | None = None
) -> subprocess.Popen[bytes]:
    """Start all parts in a session of their own, so that `stop` finds every process; `lock` is theirs too."""
    command = [sys.executable, "-m", "monitoring_tasks.airflow.standalone", "parts"]
    variables = {**environment(home, dags, port), **settings}
    return subprocess.Popen(
        command,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        pass_fds=[lock.fileno()] if lock else [],
    )


def run_parts() -> int:
    """Create or upgrade Airflow's own database and run the parts until one of them, or whoever started this, ends."""
    airflow = [sys.executable, "-m", "airflow"]
    starter = os.getppid()
    subprocess.run([*airflow, "db", "migrate"], check=True)
    parts = {part: subprocess.Popen([*airflow, *part.split()]) for part in PARTS}
    while os.getppid() == starter and all(process.poll() is None for process in parts.values()):
        time.sleep(0.5)
    for part, process in parts.items():
        if process.poll() is not None:
            print(f"airflow {part} ended with {process.returncode}", flush=True)  # noqa: T201 - the log
    end_session(os.getpid())
    return 1


def stop(process: subprocess.Popen[bytes]) -> None:
    """End what `start` started."""
    end_session(process.pid)
    process.wait()


def end_session(leader: int) -> None:
    """End every process of a session but this one: ask first, and after some seconds do not ask.

    Ending the leader alone leaves its scheduler and the tasks alive; they have process groups of their own.
    """
    for number in (signal.SIGTERM, signal.SIGKILL):
        members = [member for member in session(leader) if member.pid != os.getpid()]
        for member in members:
            _send(member, number)
        psutil.wait_procs(members, timeout=GRACE)


def session(leader: int) -> list[psutil.Process]:
    """Return the living processes of the session that `leader` began."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (ProcessLookupError, PermissionError, psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Return when API server, scheduler, DAG processor and triggerer all report that they work.

    Raises
    ------
    ConfigError
        If one of them ends or does not come up; the end of the log is in the text.
    """
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        if _healthy(port):
            return
        time.sleep(0.5)
    tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:])
    raise ConfigError(f"Airflow did not start: the end of {log} says\n{tail}")


def choose_port(wanted: str | None, console: Console) -> int:
    """Return the wanted port (8080 without a wish) if it is free, and another one, with a message, if it is not."""
    port = PORT
    if wanted:
        if not wanted.isdigit() or not 0 < int(wanted) < 65536:
            raise ConfigError(f"AIRFLOW_PORT {wanted!r} is not a port: write a number from 1 to 65535")
        port = int(wanted)
    if is_free(port):
        return port
    other = free_port()
    console.print(f"Port {port} is in use: Airflow takes {other}. Set AIRFLOW_PORT to choose one.")
    return other


def is_free(port: int) -> bool:
    """Return whether a server could listen on 127.0.0.1:`port`."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind((HOST, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """Return a port that nobody uses now."""
    with socket.socket() as server:
        server.bind((HOST, 0))
        return int(server.getsockname()[1])


def password(home: Path) -> str:
    """Return the password that Airflow made for the user admin at its first start."""
    text = (home / "simple_auth_manager_passwords.json.generated").read_text(encoding="utf-8")
    return str(json.loads(text)["admin"])


def _interrupt(number: int, frame: object) -> None:  # noqa: ARG001 - the signature of a signal's handler
    raise KeyboardInterrupt


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _healthy(port: int) -> bool:
    try:
        with urlopen(Request(f"http://{HOST}:{port}/api/v2/monitor/health"), timeout=5) as answer:
            parts = json.load(answer)
    except (URLError, OSError, ValueError):
        return False
    return all(parts[part]["status"] == "healthy" for part in ("scheduler", "dag_processor", "triggerer"))


def _send(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return


def _demo(directory: Path, home: Path, console: Console) -> Path:
    """Return a warehouse of this Airflow's own: a retraining changes it, and `make demo` wants the first model's."""
    from monitoring_tasks.demo import copy_warehouse, prepare

    if not (directory / "warehouse" / "prepared.json").exists():
        console.print("The demo's flights are prepared first (a minute, once) ...")
    warehouse = home.resolve() / "warehouse"
    copy_warehouse(prepare(directory).warehouse, warehouse)
    return warehouse


if __name__ == "__main__":
    try:
        sys.exit(run_parts() if sys.argv[1:] == ["parts"] else main())
    except ConfigError as error:
        sys.exit(f"make airflow: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
