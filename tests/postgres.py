"""A real PostgreSQL server of the test session's own: found on this machine, started, and stopped with the session."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

# The server ends when the test process does, even if that is killed: `read` returns when the pipe to it closes.
KEEPER = 'exec 3<&0; "$@" <&- & server=$!; read -r _ <&3; kill -INT $server; wait $server'

FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200", "log_min_messages=fatal")


def binaries() -> Path | None:
    """Return the folder of PostgreSQL's server programs: on the path, or the newest that Debian installed."""
    on_path = shutil.which("postgres")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: float(path.parts[-3]))
    found = [Path(on_path).resolve()] if on_path else debian[-1:]
    return found[0].parent if found and (found[0].parent / "initdb").exists() else None


@contextmanager
def running(programs: Path) -> Iterator[str]:
    """Start a server with an empty cluster, and yield its URL."""
    with restartable(programs) as server:
        yield server.url


@contextmanager
def restartable(programs: Path) -> Iterator[Server]:
    """Start a server with an empty cluster, and yield what can be stopped and started again."""
    folder = Path(tempfile.mkdtemp(prefix="monitoring-postgres-"))
    account = _account()
    try:
        if account:
            shutil.chown(folder, account)
        cluster = folder / "cluster"
        options = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        create = [programs / "initdb", "-D", cluster, *options]
        subprocess.run(create, check=True, stdout=subprocess.DEVNULL, user=account, cwd=folder)
        server = Server(programs, cluster, account)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Server:
    """A server of one cluster, on one port as long as this lives."""

    def __init__(self, programs: Path, cluster: Path, account: str | None) -> None:
        self._programs, self._cluster, self._account = programs, cluster, account
        self._port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"postgresql://postgres@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = (*FAST, f"port={self._port}", "listen_addresses=127.0.0.1", "unix_socket_directories=")
        given = [part for setting in settings for part in ("-c", setting)]
        command = [self._programs / "postgres", "-D", self._cluster, *given]
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", KEEPER, "sh", *command], stdin=subprocess.PIPE, user=self._account, cwd=self._cluster
        )
        try:
            _wait_for(self.url, self._process)
        except BaseException:
            self.stop()
            raise

    def stop(self, *, immediately: bool = False) -> None:
        """Stop it if it runs: by leaving its clients no time to end, or as a crash does (``pg_ctl -m immediate``)."""
        if self._process is None:
            return
        if immediately:
            os.kill(int((self._cluster / "postmaster.pid").read_text().split("\n", 1)[0]), signal.SIGQUIT)
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process = None


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(url, connect_timeout=5).close()
            return
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise
        time.sleep(0.05)


def _account() -> str | None:
    """Return whom to run as: the server refuses root, so then PostgreSQL's own account, or nobody."""
    if os.getuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
