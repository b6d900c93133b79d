"""Concept drift over the whole line: the rows do not depend on the order of runs, though detectors look back."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from monitoring_tasks.config import Monitor, parse_monitor
from monitoring_tasks.label_look_back import all_looked_back_on, looked_back_on, looking_back_on
from monitoring_tasks.results.store import Store, open_store
from monitoring_tasks.run import check_window, run_windows, scan_windows
from monitoring_tasks.warehouse.engine import Warehouse, open_warehouse
from monitoring_tasks.window import Window
from tests.inference_log import contents

START = datetime(2024, 3, 1, tzinfo=UTC)
BASELINE, LAST = 8, 16
"""Days: of the baseline, and of all."""
ROWS = 240
LOOK_BACK = 3

MONITOR = """\
monitor: loans
schedule: "@daily"
start: 2024-03-09
warehouse: loans
inference_log:
  table: inference_log
  timestamp: asked_at
  key: id
  features: {amount: numeric, shop: categorical}
  prediction: predicted
  score: probability
  positive_class: 1
labels: {table: outcomes, key: id, value: repaid, timestamp: known_at, complete_after: 1d}
task: binary_classification
baseline: {period: {start: 2024-03-01, end: 2024-03-09}}
segments: [shop]
checks:
  data_drift: off
  prediction_drift: off
  multivariate_drift: off
  estimated_performance: off
  data_quality: off
  concept_drift: {look_back: 3}
"""


def monitor() -> Monitor:
    return parse_monitor(MONITOR, environ={})


def day(number: int) -> Window:
    return Window(START + timedelta(days=number), START + timedelta(days=number + 1))


def log() -> pd.DataFrame:
    """Rows with their labels, which come within two and a half days; from day 12 on more are repaid in the north."""
    rng = np.random.default_rng(8)
    days = []
    for number in range(LAST):
        amount = rng.normal(size=ROWS)
        shop = rng.choice(np.array(["north", "south"], dtype=object), ROWS)
        probability = 1 / (1 + np.exp(-amount))
        rate = probability + np.where((shop == "north") & (number >= 12), (1 - probability) * 0.8, 0.0)
        asked_at = day(number).start.replace(tzinfo=None) + pd.to_timedelta(
            np.sort(rng.integers(0, 86_400, ROWS)), unit="s"
        )
        delay = pd.to_timedelta((rng.random(ROWS) ** 3 * 2.5 * 86_400).astype(int), unit="s")
        days.append(
            pd.DataFrame(
                {
                    "asked_at": asked_at,
                    "amount": amount,
                    "shop": pd.array(shop, dtype="str"),
                    "probability": probability,
                    "predicted": (probability > 0.5).astype(int),
                    "repaid": (rng.random(ROWS) < rate).astype(int),
                    "known_at": asked_at + delay,
                }
            )
        )
    frame = pd.concat(days, ignore_index=True)
    frame.insert(0, "id", np.arange(len(frame)))
    return frame


def warehouse_of(path: Path, until: datetime) -> str:
    """Write the log and the labels that are known by then, and return its URL."""
    with duckdb.connect(str(path)) as database:
        rows = log()
        rows = rows.assign(**{name: rows[name].astype("datetime64[us]") for name in ("asked_at", "known_at")})
        database.register("made", rows)
        database.execute("CREATE OR REPLACE TABLE inference_log AS SELECT * EXCLUDE (repaid, known_at) FROM made")
        database.execute(
            "CREATE OR REPLACE TABLE outcomes AS SELECT id, repaid, known_at FROM made WHERE known_at < ?",
            [until.replace(tzinfo=None)],
        )
    return f"duckdb:///{path}"


def run(days: list[Window], warehouse: Warehouse, store: Store) -> None:
    for window in days:
        run_windows(monitor(), window.start, window.end, warehouse=warehouse, store=store)


ALL = [day(number) for number in range(BASELINE, LAST)]
LATER = START + timedelta(days=LAST + 5)


@pytest.fixture
def expected(tmp_path: Path) -> dict:
    """The rows of one run over all days and the two after, when every label has come."""
    url = warehouse_of(tmp_path / "whole.duckdb", LATER)
    with open_warehouse(url) as warehouse, open_store(f"sqlite:///{tmp_path}/expected.db") as store:
        run_windows(monitor(), ALL[0].start, ALL[-1].end, warehouse=warehouse, store=store)
        return contents(store, "result", "check_run")


@pytest.mark.parametrize("order", ["forwards", "backwards", "shuffled"])
def test_labels_that_come_late_lead_to_the_same_rows_in_any_order(order: str, tmp_path: Path, expected: dict):
    path = tmp_path / "growing.duckdb"
    with open_store(f"sqlite:///{tmp_path}/results.db") as store:
        phases = [(13, ALL[:5]), (15, ALL[5:7]), (LAST + 5, ALL[7:])]
        for known, its in phases:
            days = list(its)
            {"forwards": list, "backwards": list.reverse, "shuffled": random.Random(3).shuffle}[order](days)
            url = warehouse_of(path, START + timedelta(days=known))
            with open_warehouse(url) as warehouse:
                run(days, warehouse, store)
        # What came after the last day is of nobody's interval, but the labels are complete by then.
        with open_warehouse(f"duckdb:///{path}") as warehouse:
            run([ALL[-1]], warehouse, store)
        found = contents(store, "result", "check_run")
        runs = store.window_runs("loans", ALL[0].start, ALL[-1].end)
    assert {each.state for each in runs} == {"done"}
    assert [each.window for each in runs] == ALL
    assert found == expected


def test_a_segment_whose_labels_changed_is_found_and_named(expected: dict):
    mine = [row for row in expected["result"] if row["check_name"] == "concept_drift"]
    alarms = {(row["window_start"], row["segment"]) for row in mine if row["status"] == "alarm"}
    assert {(day(number).start, "shop=north") for number in range(12, LAST)} <= alarms
    assert not [start for start, _ in alarms if start < day(12).start]
    (row,) = [
        row
        for row in mine
        if row["window_start"] == day(13).start
        and row["metric"] == "label_shift"
        and row["column_name"] == "amount"
        and row["segment"] == "shop=north"
    ]
    assert row["status"] == "alarm"


def test_windows_before_the_first_are_read_in_the_same_scan(tmp_path: Path):
    url = warehouse_of(tmp_path / "log.duckdb", LATER)
    with open_warehouse(url) as warehouse, open_store(f"sqlite:///{tmp_path}/results.db") as store:
        run([day(10)], warehouse, store)
        assert store.labelled_windows("loans") == (day(7), day(8), day(9), day(10))
        assert [each.window for each in store.window_runs("loans", START, LATER)] == [day(10)]
        (row,) = list(store.results("loans", metrics=["cusum"]))
        assert row["detail"]["windows"] == 4


def test_the_estimates_are_held_against_more_windows_than_the_detectors_look_at(tmp_path: Path):
    its = parse_monitor(MONITOR.replace("  estimated_performance: off\n", ""), environ={})
    url = warehouse_of(tmp_path / "log.duckdb", LATER)
    with open_warehouse(url) as warehouse, open_store(f"sqlite:///{tmp_path}/results.db") as store:
        scan_windows(its, [day(13)], warehouse, store)
        check_window(its, day(13), ["concept_drift", "estimated_performance"], store)
        (chart,) = list(store.results("loans", metrics=["cusum"]))
        (coverage,) = list(store.results("loans", metrics=["estimate_coverage"]))
    assert chart["detail"]["windows"] == LOOK_BACK + 1
    assert coverage["value"] is not None, "ten windows are needed"


def test_a_window_is_checked_again_when_labels_that_it_looks_back_on_have_come(tmp_path: Path):
    path = tmp_path / "log.duckdb"
    with open_store(f"sqlite:///{tmp_path}/results.db") as store:
        with open_warehouse(warehouse_of(path, START + timedelta(days=13))) as warehouse:
            run([day(number) for number in (10, 11, 12)], warehouse, store)
        warehouse_of(path, LATER)
        with open_warehouse(f"duckdb:///{path}") as warehouse:
            again = scan_windows(monitor(), [day(10)], warehouse, store)
        assert again == (day(11), day(12))
        assert "concept_drift" not in {each.check_name for each in store.check_runs("loans", day(12))}
        with open_warehouse(f"duckdb:///{path}") as warehouse:
            assert scan_windows(monitor(), [day(10)], warehouse, store) == again, "it is owed until it has run"
            run([day(10)], warehouse, store)
            assert "concept_drift" in {each.check_name for each in store.check_runs("loans", day(12))}
            assert scan_windows(monitor(), [day(10)], warehouse, store) == ()


def test_what_is_looked_back_on():
    its = monitor()
    assert looked_back_on(its, day(12)) == (day(9), day(10), day(11))
    assert looked_back_on(its, day(1)) == (day(0),), "nothing before the baseline"
    assert looked_back_on(its, day(0)) == ()
    assert all_looked_back_on(its, [day(12), day(11)]) == {day(8), day(9), day(10)}
    assert all_looked_back_on(its, [day(12), day(3)]) == {day(number) for number in (0, 1, 2, 9, 10, 11)}
    assert looking_back_on(its, day(5)) == (day(6), day(7), day(8))
    estimated = parse_monitor(MONITOR.replace("  estimated_performance: off\n", ""), environ={})
    assert len(looked_back_on(estimated, day(50))) == 29
    assert day(21) in looked_back_on(estimated, day(50))
    more = parse_monitor(MONITOR.replace("  estimated_performance: off\n", "").replace(": 3}", ": 40}"), environ={})
    assert len(looked_back_on(more, day(50))) == 40
    assert looking_back_on(its, day(-1)) == (), "nothing looks at what is before the baseline"
    for number in range(20):
        assert all(day(number) in looked_back_on(its, later) for later in looking_back_on(its, day(number)))
    far = Window(datetime(9999, 12, 29, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC))
    assert looking_back_on(its, far) == ()
