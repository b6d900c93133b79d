from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from airflow.sdk.exceptions import ParamValidationError
from airflow.serialization.serialized_objects import DagSerialization
from hypothesis import given
from hypothesis import strategies as st

from monitoring_tasks.airflow.backfill import MOST_CHUNKS, backfill_dag, chunks
from monitoring_tasks.airflow.maintenance import maintenance_dag
from monitoring_tasks.errors import ConfigError
from monitoring_tasks.window import Window


def test_form_offers_the_monitors_and_requires_a_period(tmp_path, write_monitor):
    write_monitor("snow")
    write_monitor("rain")
    dag = backfill_dag(tmp_path / "monitors")
    choice = dag.params.get_param("monitor").schema
    assert choice["enum"] == ["rain", "snow"]
    assert choice["values_display"]["snow"] == "snow (since 2013-04-01 00:00 UTC)"
    dag.params.update({"monitor": "rain", "start": "2013-04-01T00:00:00Z", "end": "2013-05-01T00:00:00Z"})
    assert dag.params.validate()["chunk"] == 500
    with pytest.raises(ParamValidationError, match="'fog' is not one of"):
        dag.params.get_param("monitor").resolve("fog")


def test_chunks_are_mapped_tasks(tmp_path, write_monitor):
    write_monitor()
    dag = backfill_dag(tmp_path / "monitors")
    assert dag.get_task("plan").downstream_task_ids == {"chunk"}
    assert dag.get_task("chunk").is_mapped
    assert DagSerialization.to_dict(dag)


def test_a_task_that_starts_reads_no_file(tmp_path, write_monitor, monkeypatch):
    write_monitor()
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "monitoring.backfill")
    assert "enum" not in backfill_dag(tmp_path / "monitors").params.get_param("monitor").schema


@given(st.integers(1, 3000), st.integers(1, 700))
def test_chunks_tile_the_windows_and_are_few(count, size):
    first, hour = datetime(2013, 3, 1, 5, tzinfo=UTC), timedelta(hours=1)
    windows = [Window(first + number * hour, first + (number + 1) * hour) for number in range(count)]
    periods = chunks(windows, size)
    assert (periods[0].start, periods[-1].end) == (windows[0].start, windows[-1].end)
    assert all(before.end == after.start for before, after in pairwise(periods))
    assert len(periods) <= MOST_CHUNKS
    if count <= size * MOST_CHUNKS:
        assert all(period.length == timedelta(hours=size) for period in periods[:-1])


def test_maintenance_deletes_nothing_unless_told(tmp_path, monkeypatch):
    assert maintenance_dag(tmp_path).params.validate() == {"rollup_after": None, "prune_after": None}
    monkeypatch.setenv("MONITORING_PRUNE_AFTER", "730d")
    assert maintenance_dag(tmp_path).params.validate() == {"rollup_after": None, "prune_after": "730d"}
    monkeypatch.setenv("MONITORING_ROLLUP_AFTER", "a year")
    with pytest.raises(ConfigError, match="MONITORING_ROLLUP_AFTER: 'a year' is not a duration"):
        maintenance_dag(tmp_path)


def test_maintenance_goes_on_when_rollup_is_skipped(tmp_path):
    dag = maintenance_dag(tmp_path)
    assert dag.get_task("migrate").downstream_task_ids == {"rollup"}
    assert dag.get_task("rollup").downstream_task_ids == {"prune"}
    assert dag.get_task("prune").trigger_rule == "none_failed"
    assert DagSerialization.to_dict(dag)
