"""What tests of several packages share: a PostgreSQL server, and results stores on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import hypothesis
import psycopg
import pytest

from monitoring_tasks.config import Monitor
from monitoring_tasks.results.migrate import migrate
from monitoring_tasks.results.store import Store, open_store
from monitoring_tasks.run import run_windows
from monitoring_tasks.warehouse.engine import Warehouse, open_warehouse
from tests import fits, inference_log, postgres

# How long one example takes says something about the machine, not about the code.
hypothesis.settings.register_profile("unhurried", deadline=None)
# The gate draws the same examples everywhere: a red one says what the change did. `make test-fast` draws new ones.
hypothesis.settings.register_profile("repeatable", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("unhurried")

_numbers = count(1)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """URL of a server that lives as long as the session (under pytest-xdist, each worker has its own)."""
    programs = postgres.binaries()
    if programs is None:
        pytest.skip("no PostgreSQL server here: neither `postgres` on the path nor in /usr/lib/postgresql")
    with postgres.running(programs) as url:
        yield url


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[str]:
    """URL of an empty database of this test's own."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
    yield postgres_url.removesuffix("/postgres") + f"/{name}"
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.integration)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a database without tables, on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'results.db'}"
    url: str = request.getfixturevalue("postgres_database")
    return url


@pytest.fixture
def store(empty_url: str) -> Iterator[Store]:
    """A migrated, empty results store, on SQLite and on PostgreSQL."""
    migrate(empty_url)
    with open_store(empty_url) as opened:
        yield opened


@pytest.fixture(scope="session")
def duckdb_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """URL of the made-up inference log in DuckDB: tests read it, none writes."""
    return inference_log.to_duckdb(tmp_path_factory.mktemp("warehouse") / "loans.duckdb")


@pytest.fixture
def warehouse(duckdb_url: str) -> Iterator[Warehouse]:
    """The same, open."""
    with open_warehouse(duckdb_url) as opened:
        yield opened


@pytest.fixture(scope="session")
def one_run(duckdb_url: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Monitor], Path]:
    """Return the file of a SQLite store after one run of a monitor over all days: tests read it, none writes."""
    files: dict[str, Path] = {}

    def run(monitor: Monitor) -> Path:
        if monitor.config_hash not in files:
            file = tmp_path_factory.mktemp("results") / "results.db"
            with open_store(f"sqlite:///{file}") as store, open_warehouse(duckdb_url) as warehouse:
                run_windows(monitor, inference_log.START, inference_log.END, warehouse=warehouse, store=store)
            files[monitor.config_hash] = file
        return files[monitor.config_hash]

    return run


@pytest.fixture(scope="session")
def undisturbed(one_run: Callable[[Monitor], Path]) -> Callable[[Monitor], dict[str, list[dict[str, object]]]]:
    """Return what the tables hold after one run of a monitor over all days."""

    def rows(monitor: Monitor) -> dict[str, list[dict[str, object]]]:
        with open_store(f"sqlite:///{one_run(monitor)}") as store:
            return inference_log.contents(store)

    return rows


@pytest.fixture(scope="module")
def remembered_fits() -> Iterator[None]:
    """In a module that names it, trees are trained once for the same rows."""
    with fits.remembered():
        yield
