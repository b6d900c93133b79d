"""Months of stored windows: their rows are those of the raw log, and what is missing of them is said."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from monitoring_tasks.config import Monitor, parse_monitor
from monitoring_tasks.errors import DataError
from monitoring_tasks.results.store import open_store
from monitoring_tasks.run import run_windows
from monitoring_tasks.views.performance_by_month import MonthPerformance, performance_by_month
from monitoring_tasks.views.period import period_context, period_results
from monitoring_tasks.warehouse.engine import open_warehouse
from monitoring_tasks.window import Window

FIRST, START, END = (
    datetime(2024, 3, 20, tzinfo=UTC),
    datetime(2024, 3, 29, tzinfo=UTC),
    datetime(2024, 4, 4, tzinfo=UTC),
)
MARCH, APRIL = Window(START, datetime(2024, 4, 1, tzinfo=UTC)), Window(datetime(2024, 4, 1, tzinfo=UTC), END)
ROWS = 300
"""A day."""

MONITOR = """\
monitor: loans
schedule: "@daily"
start: 2024-03-29
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
baseline: {period: {start: 2024-03-20, end: 2024-03-29}}
segments: [shop]
checks:
  {data_drift: off, prediction_drift: off, multivariate_drift: off, data_quality: off, concept_drift: off,
   estimated_performance: off}
"""


def monitor(**changes: str) -> Monitor:
    text = MONITOR
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return parse_monitor(text, environ={})


@pytest.fixture(scope="module")
def log() -> pd.DataFrame:
    """Rows with their labels, half a day late; in April chance decides in the north, and one label in ten lacks."""
    rng = np.random.default_rng(12)
    n = ROWS * (END - FIRST).days
    asked_at = pd.Timestamp(FIRST.replace(tzinfo=None)) + pd.to_timedelta(np.arange(n) * 86_400 // ROWS, unit="s")
    amount = rng.normal(size=n)
    shop = rng.choice(np.array(["north", "south"], dtype=object), n)
    probability = 1 / (1 + np.exp(-amount))
    chance = (asked_at >= pd.Timestamp("2024-04-01")) & (shop == "north")
    repaid = rng.random(n) < np.where(chance, 0.5, probability)
    known_at = asked_at + pd.Timedelta(hours=12)
    frame = pd.DataFrame({"id": np.arange(n), "asked_at": asked_at.astype("datetime64[us]"), "amount": amount})
    frame = frame.assign(shop=pd.array(shop, dtype="str"), probability=probability)
    frame = frame.assign(predicted=(probability > 0.5).astype(int), repaid=repaid.astype(int))
    labelled = (asked_at < pd.Timestamp("2024-04-01")) | (rng.random(n) < 0.9)
    return frame.assign(known_at=pd.Series(known_at.astype("datetime64[us]")).where(labelled))


@pytest.fixture(scope="module")
def filled(log: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store after one run over all days; the last labels are of the last day, which is therefore provisional."""
    folder = tmp_path_factory.mktemp("months")
    with duckdb.connect(str(folder / "w.duckdb")) as database:
        database.register("made", log)
        database.execute("CREATE TABLE inference_log AS SELECT * EXCLUDE (repaid, known_at) FROM made")
        database.execute("CREATE TABLE outcomes AS SELECT id, repaid, known_at FROM made WHERE known_at IS NOT NULL")
    with open_warehouse(f"duckdb:///{folder}/w.duckdb") as warehouse, open_store(f"sqlite:///{folder}/r.db") as store:
        runs = run_windows(monitor(), START, END, warehouse=warehouse, store=store)
    assert [run.state for run in runs] == ["done"] * 6
    return folder / "r.db"


def of(path: Path, of_monitor: Monitor | None = None) -> tuple[MonthPerformance, ...]:
    with open_store(f"sqlite:///{path}") as store:
        return performance_by_month(of_monitor or monitor(), Window(START, END), store)


@pytest.fixture
def without(filled: Path, tmp_path: Path) -> Callable[[str, str], Path]:
    """Return a function: the store without the rows of a day in the tables whose names hold a word."""

    def less(word: str, day: str) -> Path:
        shutil.copy(filled, tmp_path / "less.db")
        with closing(sqlite3.connect(tmp_path / "less.db")) as database, database:
            found = "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE ? AND sql LIKE '%window_start%'"
            names = [name for (name,) in database.execute(found, [f"%{word}%"])]
            deleted = [database.execute(f"DELETE FROM {name} WHERE window_start LIKE '{day}%'") for name in names]
            assert all(each.rowcount for each in deleted)
        return tmp_path / "less.db"

    return less


def test_a_months_numbers_are_those_of_its_raw_rows(filled: Path, log: pd.DataFrame) -> None:
    march, april = of(filled)
    baseline = log[log["asked_at"] < "2024-03-29"]
    before = roc_auc_score(baseline["repaid"], baseline["probability"])
    for row, month in ((march, MARCH), (april, APRIL)):
        inside = log["asked_at"].between(*(edge.replace(tzinfo=None) for edge in (month.start, month.end)), "left")
        known = log[inside & log["known_at"].notna()]
        assert (row.month, row.metric, row.why_not) == (month, "roc_auc", "")
        assert row.rows == len(known)
        truth = roc_auc_score(known["repaid"], known["probability"])
        assert row.value == pytest.approx(truth, abs=1e-3)
        assert row.baseline == pytest.approx(before, abs=1e-3)
        assert row.lower is not None
        assert row.upper is not None
        assert row.lower < row.value < row.upper
    assert not march.alarm
    assert april.alarm, "in the north the model knew nothing"


def test_all_months_are_split_by_the_score(filled: Path) -> None:
    march, april = of(filled)
    assert march.split_by == april.split_by == "probability"
    assert april.relation is not None
    assert april.inputs is not None
    assert april.relation < -0.05 < april.inputs, "the same rows, with other labels"


def test_without_a_score_all_months_are_split_by_one_feature(filled: Path) -> None:
    march, april = of(filled, monitor(**{"  score: probability\n": ""}))
    assert march.split_by == april.split_by
    assert march.split_by in ("amount", "shop")
    assert None not in (march.inputs, march.relation, april.inputs, april.relation)


def test_a_month_that_waits_for_labels_is_provisional(filled: Path) -> None:
    march, april = of(filled)
    assert march.final
    assert not april.final


def test_a_day_without_labels_leaves_no_others_to_stand_for_its_month(
    without: Callable[[str, str], Path],
) -> None:
    """Of 900 rows 600 would have been said to be all, with all their labels."""
    march, april = of(without("labels", "2024-03-30"))
    assert march.value is None
    assert march.why_not == "the labels of 1 of 3 windows are not known"
    assert april.value is not None


@pytest.mark.parametrize("day", ["2024-03-29", "2024-03-30", "2024-03-31"])
def test_a_period_with_a_gap_is_refused_wherever_that_is(without: Callable[[str, str], Path], day: str) -> None:
    path = without("profile", day)
    after = datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=1)
    gap = f"{day}T00:00Z/{after:%Y-%m-%dT%H:%MZ} is not stored: run it first"
    with open_store(f"sqlite:///{path}") as store, pytest.raises(DataError, match=gap):
        period_context(monitor(), MARCH, store)
    march, april = of(path)
    assert gap in march.why_not
    assert march.value is None
    assert april.value is not None


def test_a_monitor_without_labels_has_no_months(filled: Path) -> None:
    lines = MONITOR.splitlines(keepends=True)
    without_labels = "".join(line for line in lines if not line.startswith("labels:"))
    assert of(filled, parse_monitor(without_labels, environ={})) == ()


def test_a_period_is_what_one_long_window_is(filled: Path) -> None:
    """The rows of a month are the sums of its days'."""
    with open_store(f"sqlite:///{filled}") as store:
        whole = period_results(period_context(monitor(), Window(START, END), store), ["performance"])["performance"]
        parts = [period_context(monitor(), month, store).labels_profile for month in (MARCH, APRIL)]
    coverage = next(result for result in whole if result.metric == "label_coverage" and result.segment == "")
    assert coverage.window_rows == 6 * ROWS
    assert coverage.detail["labelled"] == sum(each.labelled for each in parts if each is not None)
