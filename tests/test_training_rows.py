"""The rows to learn from, on both warehouses, held against pandas."""

from datetime import timedelta

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitoring_tasks import training_rows
from monitoring_tasks.errors import DataError
from monitoring_tasks.training_rows import export_rows, training_query
from monitoring_tasks.warehouse.engine import open_warehouse
from monitoring_tasks.window import Window
from tests import inference_log, labelled_log

PERIOD = Window(inference_log.START + timedelta(days=1), inference_log.START + timedelta(days=3))


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return labelled_log.to_duckdb(tmp_path_factory.mktemp("warehouse") / "loans.duckdb", labelled_log.outcomes())


@pytest.fixture(autouse=True)
def exports(tmp_path, monkeypatch):
    monkeypatch.setenv("MONITORING_EXPORTS", str(tmp_path / "exports"))
    return tmp_path / "exports"


@pytest.fixture(params=["duckdb", pytest.param("postgresql", marks=pytest.mark.integration)])
def warehouse(request, file):
    url = file
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_database")
        labelled_log.to_postgres(url, labelled_log.outcomes())
    with open_warehouse(url) as opened:
        yield opened


def expected():
    """Return each labelled row of the period with the latest label of its key, worked out by pandas."""
    rows = inference_log.log()
    asked = pd.to_datetime(rows["asked_at"], utc=True)
    inside = rows[(asked >= PERIOD.start) & (asked < PERIOD.end)]
    labels = labelled_log.outcomes().dropna(subset=["id", "defaulted", "known_at"])
    latest = labels.sort_values(["known_at", "defaulted"]).groupby("id")["defaulted"].last()
    return inside.assign(defaulted=inside["id"].map(latest)).dropna(subset=["defaulted"])


def test_each_row_has_its_latest_label(warehouse):
    path, rows = export_rows(labelled_log.monitor(), warehouse, PERIOD, "abc")
    found = pq.read_table(path).to_pandas()
    wanted = expected()
    assert rows == len(found) == len(wanted) > 100
    assert dict(zip(found["id"], found["defaulted"], strict=True)) == dict(
        zip(wanted["id"], wanted["defaulted"], strict=True)
    )
    assert set(wanted.columns) | {"known_at"} == set(found.columns)


def test_the_query_runs_as_it_is(file):
    with open_warehouse(file) as warehouse:
        query = training_query(labelled_log.monitor(), warehouse, PERIOD)
    with duckdb.connect(file.removeprefix("duckdb:///"), read_only=True) as database:
        assert len(database.sql(query)) == len(expected())


def test_too_many_rows_are_cut_by_their_keys_and_not_by_chance(warehouse, exports):
    monitor = labelled_log.monitor()
    path, rows = export_rows(monitor, warehouse, PERIOD, "few", most=50)
    first = pq.read_table(path)
    assert rows == first.num_rows == 50
    export_rows(monitor, warehouse, PERIOD, "few", most=50)
    assert pq.read_table(path).equals(first)
    assert [each.name for each in (exports / monitor.name).iterdir()] == ["few.parquet"]


def test_without_labels_every_row_counts(file, exports, monkeypatch):
    monkeypatch.chdir(exports.parent)
    monkeypatch.setenv("MONITORING_EXPORTS", exports.name)
    with open_warehouse(file) as warehouse:
        path, rows = export_rows(inference_log.monitor("{}"), warehouse, PERIOD, "all")
    assert path.is_absolute(), "whoever trains stands elsewhere"
    plain = exports / "plain"
    plain.touch()
    assert path.stat().st_mode == plain.stat().st_mode, "others than this process's user train"
    assert rows == pq.read_table(path).num_rows > len(expected())


def test_numbers_that_do_not_fit_are_no_other_numbers():
    schema = pa.schema([("id", pa.int64())])
    with pytest.raises(pa.ArrowInvalid, match="not in range"):
        training_rows._as(schema, pa.record_batch({"id": pa.array([2**64 - 1], pa.uint64())}))


def test_memory_does_not_grow_with_the_rows(file, monkeypatch):
    monkeypatch.setattr(training_rows, "BATCH", 64)
    with open_warehouse(file) as warehouse:
        path, rows = export_rows(labelled_log.monitor(), warehouse, PERIOD, "abc")
    assert pq.read_metadata(path).num_row_groups > 1
    assert pq.read_metadata(path).num_rows == rows


def test_an_export_that_cannot_be_written_says_where_and_leaves_nothing(file, exports):
    exports.write_text("a file, not a folder")
    with (
        open_warehouse(file) as warehouse,
        pytest.raises(DataError, match=r"the rows cannot be written to .*abc\.parquet"),
    ):
        export_rows(labelled_log.monitor(), warehouse, PERIOD, "abc")
