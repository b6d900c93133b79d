"""The laws of the results store over the whole line: order, repetition, death and addition change no row."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from functools import reduce
from itertools import count
from operator import add
from pathlib import Path

import duckdb
import psycopg
import pytest

from monitoring_tasks import demo
from monitoring_tasks.checks import CheckContext, enabled
from monitoring_tasks.config import load_monitor
from monitoring_tasks.results.migrate import migrate
from monitoring_tasks.results.retention import rollup
from monitoring_tasks.results.store import Store, open_store
from monitoring_tasks.run import check_window, close_window, run_windows, scan_windows
from monitoring_tasks.samples import Samples
from monitoring_tasks.warehouse.engine import open_warehouse
from monitoring_tasks.window import format_instant, parse_instant
from tests import inference_log
from tests.inference_log import EMPTY, END, START, contents, day

# Children are forked from a server that has imported everything once and runs no thread.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["__main__", "tests.inference_log"])

pytestmark = pytest.mark.usefixtures("remembered_fits")

DAYS = tuple(day(number) for number in range(20, 32))
NOW = parse_instant("2024-05-01", "UTC")

CHECK_NAMES = ("data_drift", "prediction_drift", "data_quality", "operations", "multivariate_drift")


@pytest.fixture
def file(tmp_path):
    """The monitor as a file."""
    path = tmp_path / "loans.yaml"
    path.write_text(inference_log.MONITOR.format(checks="{}"))
    return path


def test_law_1_running_again_changes_no_row(store: Store, warehouse, undisturbed):
    for _ in range(2):
        run_windows(inference_log.monitor(), START, END, warehouse=warehouse, store=store)
        assert contents(store) == undisturbed(inference_log.monitor())


@pytest.mark.integration
@pytest.mark.parametrize("order", ["forwards", "backwards", "shuffled"])
def test_law_2_one_by_one_in_any_order_comes_to_the_same_rows(store: Store, warehouse, undisturbed, order):
    days = list(DAYS)
    {"forwards": list, "backwards": list.reverse, "shuffled": random.Random(1).shuffle}[order](days)
    for window in days:
        run_windows(inference_log.monitor(), window.start, window.end, warehouse=warehouse, store=store)
    assert contents(store) == undisturbed(inference_log.monitor())
    assert [run.window for run in store.window_runs("loans", START, END)] == list(DAYS)


@pytest.mark.integration
def test_law_2_step_by_step_as_airflow_does_comes_to_the_same_rows(store: Store, warehouse, undisturbed):
    monitor = inference_log.monitor()
    for window in DAYS:
        scan_windows(monitor, [window], warehouse, store)
        for check in reversed(enabled(monitor)):
            assert close_window(monitor, window, store, NOW).state == "failed"
            check_window(monitor, window, [check.name], store, samples=Samples(monitor, warehouse, [window]))
        assert close_window(monitor, window, store, NOW).state == ("empty" if window == day(EMPTY) else "done")
    assert contents(store) == undisturbed(inference_log.monitor())


@pytest.mark.integration
def test_law_2_in_parallel_processes_comes_to_the_same_rows(empty_url, duckdb_url, undisturbed, file):
    """Four processes, every day in two of them; on SQLite they also create the file, all at once."""
    if not empty_url.startswith("sqlite"):
        migrate(empty_url)
    periods = [(20, 26), (26, 32), (22, 29), (20, 32)]
    processes = [
        PROCESSES.Process(
            target=inference_log.run_in_process,
            args=(str(file), duckdb_url, empty_url, day(first).start, day(last).start),
        )
        for first, last in periods
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=120)
    assert [process.exitcode for process in processes] == [0] * 4
    with open_store(empty_url) as store:
        assert contents(store) == undisturbed(inference_log.monitor())


def command(file: Path, *more: str) -> list[str]:
    period = ("--start", format_instant(START), "--end", format_instant(END))
    return [sys.executable, "-m", "monitoring_tasks", "run", str(file), *period, *more]


def assert_nothing_is_half_written(store: Store, complete: dict) -> str:
    """Hold what a killed run left against an undisturbed run's rows: a step is there as a whole, or not at all."""
    left = contents(store, *inference_log.TABLES, "window_run")
    steps = [run["window_start"] for run in left["window_run"]]
    for window in DAYS:
        checked = {row["check_name"] for row in left["check_run"] if row["window_start"] == window.start}
        for name in ("profile", "result"):
            for check in ("", *CHECK_NAMES) if name == "result" else ("",):
                found, whole = (
                    [
                        row
                        for row in rows[name]
                        if row["window_start"] == window.start and (name == "profile" or row["check_name"] == check)
                    ]
                    for rows in (left, complete)
                )
                assert found in ([], whole), (window, name, check)
                if name == "result":
                    assert bool(found) == (check in checked), (window, check)
        if window.start in steps:
            assert checked == set(CHECK_NAMES)
    for name in ("baseline", "baseline_bin"):
        assert left[name] in ([], complete[name])
    if not left["baseline"]:
        return "nothing"
    return "all windows" if len(steps) == len(DAYS) else "some windows" if steps else "no window"


@pytest.mark.integration
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_law_3_killed_at_random_moments_the_next_run_completes_it(
    kind, request, tmp_path, duckdb_url, warehouse, undisturbed, file, monkeypatch
):
    """Each time the real command, a store of its own, and a moment that no step has chosen."""
    monkeypatch.setenv("MONITORING_WAREHOUSE_LOANS", duckdb_url)
    numbers = count()
    base = request.getfixturevalue("postgres_database") if kind == "postgresql" else None

    def new_store() -> str:
        if base is None:
            return f"sqlite:///{tmp_path / f'{next(numbers)}.db'}"
        name = f"{base.rsplit('/', 1)[1]}_{next(numbers)}"
        with psycopg.connect(base, autocommit=True) as server:
            server.execute(f"CREATE DATABASE {name}")
        return f"{base.rsplit('/', 1)[0]}/{name}"

    def migrated() -> str:
        url = new_store()
        migrate(url)
        monkeypatch.setenv("MONITORING_RESULTS_URL", url)
        return url

    def begun() -> subprocess.Popen[bytes]:
        """Start the command; return when it has read the baseline, for killing an import proves nothing."""
        process = subprocess.Popen(command(file), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        assert process.stderr is not None
        assert process.stderr.readline().startswith(b"Measure the baseline")
        return process

    migrated()
    with begun() as process:
        began = time.monotonic()
        assert process.wait(timeout=60) == 0
        duration = time.monotonic() - began

    moments = random.Random(20130401)
    progress = []
    for _ in range(20 if base is None else 8):
        url = migrated()
        with begun() as process:
            time.sleep(moments.uniform(0.0, 0.9 * duration))
            os.kill(process.pid, signal.SIGKILL)
            assert process.wait(timeout=60) in (-signal.SIGKILL, 0)
        with open_store(url) as store:
            progress.append(assert_nothing_is_half_written(store, undisturbed(inference_log.monitor())))
            run_windows(inference_log.monitor(), START, END, warehouse=warehouse, store=store)
            assert contents(store) == undisturbed(inference_log.monitor())
            assert len(store.window_runs("loans", START, END)) == len(DAYS)
    # The moments were spread over the run: some before its first window was done, some in the midst of them.
    assert "some windows" in progress
    assert len(set(progress)) >= 2


def hours(store: Store, warehouse, first: int, last: int) -> None:
    """Monitor these days hour by hour."""
    monitor = inference_log.monitor(schedule='"@hourly"')
    run_windows(monitor, day(first).start, day(last).end, warehouse=warehouse, store=store)


@pytest.mark.integration
def test_law_6_profiles_of_the_hours_add_up_to_those_of_the_day_and_so_do_results(store: Store, warehouse, tmp_path):
    hours(store, warehouse, 22, 24)
    monitor = inference_log.monitor()
    with open_store(f"sqlite:///{tmp_path / 'days.db'}") as days:
        run_windows(monitor, day(22).start, day(24).end, warehouse=warehouse, store=days)
        for number in (22, 23, 24):
            window = day(number)
            baseline_id, expected = days.read_profiles("loans", window)
            parts = list(store.profiles("loans", window.start, window.end))
            assert len(parts) == 24
            assert {identifier for _, identifier, _ in parts} == {baseline_id}
            whole = reduce(add, (profiles[0] for _, _, profiles in parts))
            assert whole == expected[0]
            baseline = store.read_baseline(baseline_id)
            for check in (check for check in enabled(monitor) if not check.reads_rows(monitor)):
                of_hours = check.run(CheckContext(monitor, window, whole, baseline, expected[1:]))
                assert of_hours == check.run(CheckContext(monitor, window, expected[0], baseline, expected[1:]))


@pytest.mark.integration
def test_law_6_results_on_rolled_up_profiles_are_those_of_the_long_windows(store: Store, warehouse, tmp_path):
    hours(store, warehouse, 22, 23)
    made = rollup(store, day(23).end, "1d")
    assert made == {"loans": (day(22), day(23))}
    monitor = inference_log.monitor()
    with open_store(f"sqlite:///{tmp_path / 'days.db'}") as days:
        run_windows(monitor, day(22).start, day(23).end, warehouse=warehouse, store=days)
        for number in (22, 23):
            samples = Samples(monitor, warehouse, [day(number)])
            check_window(monitor, day(number), [check.name for check in enabled(monitor)], store, samples=samples)
            assert close_window(monitor, day(number), store, NOW).state == "done"
        # Which keys came twice is not known of a sum: one may have come once in each of two hours.
        long, scanned = (
            [
                row
                for row in results.results("loans")
                if (row["window_end"] - row["window_start"]).days == 1 and row["metric"] != "duplicate_share"
            ]
            for results in (store, days)
        )
        assert long == scanned
        profiles = {
            number: [found.read_profiles("loans", day(number)) for found in (store, days)] for number in (22, 23)
        }
        for rolled_up, whole in profiles.values():
            assert rolled_up[0] == whole[0]
            assert {profile.segment: profile for profile in rolled_up[1]} == {
                profile.segment: profile for profile in whole[1]
            }


def comparable(store: Store, monitor: str = "loans") -> dict[tuple[object, ...], dict[str, object]]:
    keys = ("window_start", "window_end", "check_name", "metric", "column_name", "segment")
    return {tuple(row[key] for key in keys): dict(row) for row in store.results(monitor)}


NUMBERS = ("value", "value_lower", "value_upper", "p_value", "threshold_lower", "threshold_upper")


def assert_same_values(one: object, other: object, about: object) -> None:
    """Numbers within 1e-9, in lists and mappings too; all else exactly."""
    if isinstance(other, dict):
        assert one.keys() == other.keys(), about
        for name, value in other.items():
            assert_same_values(one[name], value, (about, name))
    elif isinstance(other, list):
        assert len(one) == len(other), about
        for place, (a, b) in enumerate(zip(one, other, strict=True)):
            assert_same_values(a, b, (about, place))
    elif isinstance(other, float):
        assert one == pytest.approx(other, rel=1e-9, abs=1e-12), about
    else:
        assert one == other, about


def assert_same_numbers(one: dict, other: dict) -> None:
    """Counts and statuses exactly, numbers within 1e-9."""
    assert one.keys() == other.keys()
    for key, row in one.items():
        for name, value in row.items():
            found = other[key][name]
            if name in NUMBERS and value is not None:
                assert found == pytest.approx(value, rel=1e-9, abs=1e-12), (key, name)
            elif name == "detail":
                assert found.keys() == value.keys()
                assert_same_values(found, value, key)
            else:
                assert found == value, (key, name)


EVERY_METRIC = (
    "{data_drift: {metrics: [psi, jensen_shannon, hellinger, total_variation, kl_divergence, kolmogorov_smirnov, "
    "wasserstein, chi_squared, l_infinity]}, operations: {expected_rows: 400, maximum_error_rate: 0.05}}"
)


@pytest.mark.integration
def test_postgresql_for_both_gives_the_numbers_of_duckdb_and_sqlite(postgres_database, warehouse, tmp_path):
    monitor = inference_log.monitor(EVERY_METRIC)
    migrate(postgres_database)
    inference_log.to_postgres(postgres_database)
    with (
        open_store(postgres_database) as there,
        open_warehouse(postgres_database) as server,
        open_store(f"sqlite:///{tmp_path / 'results.db'}") as here,
    ):
        ran = [
            run_windows(monitor, START, END, warehouse=read, store=store)
            for read, store in ((server, there), (warehouse, here))
        ]
        assert [(run.window, run.state, run.rows) for run in ran[0]] == [
            (run.window, run.state, run.rows) for run in ran[1]
        ]
        assert_same_numbers(comparable(here), comparable(there))
        assert contents(here, "profile", "baseline_bin") == contents(there, "profile", "baseline_bin")


FLIGHTS = """CREATE TABLE inference_log (flight_id text, scheduled_at timestamp, carrier text, origin text, dest text,
    distance integer, scheduled_minutes integer, hour integer, weekday integer, plane_age integer, temp float8,
    dewp float8, humid float8, wind_dir float8, wind_speed float8, wind_gust float8, precip float8, pressure float8,
    visib float8, predicted integer, probability float8, model_version text, latency_ms float8, error text)"""


@pytest.mark.integration
def test_nine_days_of_real_flights_give_the_same_numbers_on_both(postgres_database, tmp_path):
    prepared = demo.prepare(tmp_path / "demo")
    monitor = load_monitor(demo.monitor_file())
    end = parse_instant("2013-04-10", monitor.timezone)
    migrate(postgres_database)
    names = [line.split()[0] for line in FLIGHTS.split("(", 1)[1].split(",")]
    with duckdb.connect() as files:
        files.read_parquet(f"{prepared.warehouse}/inference_log/**/*.parquet").create_view("flights")
        rows = f"SELECT {', '.join(names)} FROM flights WHERE scheduled_at < '2013-04-10 04:00'"
        files.execute(f"COPY ({rows}) TO '{tmp_path / 'flights.csv'}' (HEADER false)")
        known = f"SELECT flight_id, delayed, known_at FROM '{prepared.warehouse}/outcomes/*.parquet'"
        files.execute(f"COPY ({known}) TO '{tmp_path / 'outcomes.csv'}' (HEADER false)")
    with psycopg.connect(postgres_database) as database, database.cursor() as cursor:
        cursor.execute(FLIGHTS)
        with cursor.copy("COPY inference_log FROM STDIN (FORMAT csv)") as copy:
            copy.write((tmp_path / "flights.csv").read_bytes())
        cursor.execute("CREATE TABLE outcomes (flight_id text, delayed integer, known_at timestamp)")
        with cursor.copy("COPY outcomes FROM STDIN (FORMAT csv)") as copy:
            copy.write((tmp_path / "outcomes.csv").read_bytes())
        cursor.execute("ANALYZE")
    with (
        open_store(postgres_database) as there,
        open_warehouse(postgres_database) as server,
        open_store(f"sqlite:///{tmp_path / 'results.db'}") as here,
        open_warehouse(f"duckdb:///{prepared.warehouse}") as parquet,
    ):
        for read, store in ((server, there), (parquet, here)):
            runs = run_windows(monitor, monitor.start, end, warehouse=read, store=store)
            assert [run.state for run in runs] == ["done"] * 9
        assert_same_numbers(comparable(here, monitor.name), comparable(there, monitor.name))
        assert contents(here, "profile", "baseline_bin") == contents(there, "profile", "baseline_bin")
