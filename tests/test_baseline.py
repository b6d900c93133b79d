"""A baseline is found by what the monitor file declares of it, and by nothing else."""

from __future__ import annotations

import tracemalloc

import pytest

from monitoring_tasks.baseline import find_baseline, measure_baseline
from monitoring_tasks.columns import feature_names
from monitoring_tasks.errors import DataError
from monitoring_tasks.results.store import open_store
from monitoring_tasks.warehouse import scan
from monitoring_tasks.warehouse.bins import LATENCY_BINS
from monitoring_tasks.warehouse.engine import open_warehouse
from monitoring_tasks.warehouse.statement import Source
from tests import inference_log

LOG = Source("inference_log", "asked_at")
FEATURES = "{amount: numeric, age: numeric, country: categorical, member: categorical, one: numeric}"
MOVING = "{period: {start: 2024-03-01, end: 2024-03-21}, rolling: 7d}"


def measured(monitor, warehouse, store, *without):
    """Measure the monitor's baseline as if the table lacked these columns."""
    types = {name: type_ for name, type_ in warehouse.columns("inference_log").items() if name not in without}
    return measure_baseline(monitor, types, feature_names(monitor, types), LOG, warehouse, store)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory):
    url = inference_log.to_duckdb(tmp_path_factory.mktemp("warehouse") / "loans.duckdb")
    with open_warehouse(url) as opened:
        yield opened


@pytest.fixture(scope="module")
def store(warehouse, tmp_path_factory):
    """A store with the baseline of the monitor."""
    with open_store(f"sqlite:///{tmp_path_factory.mktemp('results') / 'results.db'}") as opened:
        measured(inference_log.monitor(), warehouse, opened)
        yield opened


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"features": "{one: numeric, member: categorical, country: categorical, age: numeric, amount: numeric}"},
        {"schedule": '"@hourly"'},
        {"start": "2024-03-25"},
        {"positive_class": "0"},
    ],
)
def test_what_does_not_define_the_baseline_leaves_it(changes, store):
    found = find_baseline(inference_log.monitor(**changes), store)
    assert found is not None
    assert found == find_baseline(inference_log.monitor("{operations: off}"), store)


@pytest.mark.parametrize(
    "changes",
    [
        {"features": FEATURES.replace("one: numeric", "one: categorical")},
        {"features": FEATURES.replace(", one: numeric", "")},
        {"features": "[amount, age, country, member, one]"},
        {"features": "'*'"},
        {"baseline": "{period: {start: 2024-03-02, end: 2024-03-21}}"},
        {"baseline": "{table: training}"},
        {"baseline": MOVING},
        {"warehouse": "other"},
        {"segments": "[country]"},
        {"prediction": "failed"},
        {"latency_ms": "one"},
    ],
)
def test_what_defines_the_baseline_asks_for_another(changes, store):
    assert find_baseline(inference_log.monitor(**changes), store) is None


def test_all_that_moves_has_the_same_bins(warehouse, tmp_path):
    seasonal = MOVING.replace("rolling: 7d", "seasonal: {by: day_of_week, over: 8w}")
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store:
        baseline = measured(inference_log.monitor(baseline=MOVING), warehouse, store)
        assert find_baseline(inference_log.monitor(baseline=MOVING.replace("7d", "8d")), store) == baseline
        assert find_baseline(inference_log.monitor(baseline=seasonal), store) == baseline


def test_another_meaning_of_a_star_is_another_baseline(warehouse, tmp_path):
    """A column that becomes the label is no feature any more."""
    every = inference_log.monitor(features="'*'")
    labels = "labels: {table: inference_log, key: id, value: failed, timestamp: asked_at, complete_after: 1d}"
    labelled = inference_log.monitor(features="'*'", schedule=f'"@daily"\n{labels}')
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store:
        assert "failed" in measured(every, warehouse, store).features
        assert find_baseline(labelled, store) is None
        assert "failed" not in measured(labelled, warehouse, store).features


def test_columns_that_need_no_reference_have_bins_all_the_same(warehouse, tmp_path):
    lacking = ("age", "region", "predicted", "probability", "latency_ms", "error")
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store:
        baseline = measured(inference_log.monitor(), warehouse, store, *lacking)
        assert store.read_baseline(baseline.id) == baseline
    assert set(baseline.unreadable) == set(lacking)
    assert {"age", "region"}.isdisjoint(baseline.bins)
    assert baseline.bins["latency_ms"] == LATENCY_BINS
    assert {name: len(baseline.bins[name]) for name in ("predicted", "probability", "error")} == {
        "predicted": 3,
        "probability": 3,
        "error": 3,
    }
    for name in ("predicted", "probability", "latency_ms", "error"):
        assert baseline.columns[name].rows == 0
    assert baseline.rows == baseline.columns["amount"].rows == 9600


def test_a_baseline_without_rows_is_said_with_its_period(warehouse, store):
    early = inference_log.monitor(baseline="{period: {start: 2023-03-01, end: 2023-03-21}}")
    with pytest.raises(DataError) as raised:
        measured(early, warehouse, store)
    assert str(raised.value) == (
        "monitor 'loans': the baseline's table 'inference_log' has no rows between 2023-03-01T00:00Z and "
        "2023-03-21T00:00Z"
    )


def test_segments_of_many_parts_take_little_memory(warehouse, tmp_path, monkeypatch):
    """2,304 parts of seven segments: a profile of each is 230 MB."""
    monkeypatch.setattr(scan, "COUNTS", 500_000)
    period = "{period: {start: 2024-03-01, end: 2024-03-17}}"
    monitor = inference_log.monitor(baseline=period, segments="[country, region]")
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store:
        tracemalloc.start()
        try:
            baseline = measured(monitor, warehouse, store)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert (len(baseline.segments), len(baseline.dispersions[600.0])) == (6, 7)
    assert peak < 100_000_000
