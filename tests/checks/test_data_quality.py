"""The whole check: windows that cannot be judged, real runs, and how often it is wrong."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pytest

from monitoring_tasks.checks import CheckContext
from monitoring_tasks.checks.data_quality import data_quality
from monitoring_tasks.profile import Baseline, ColumnProfile, Profile
from monitoring_tasks.reference import Reference
from monitoring_tasks.results.store import Store, open_store
from monitoring_tasks.run import run_windows
from monitoring_tasks.statistics.homogeneity import column_dispersion, with_shared_priors
from monitoring_tasks.warehouse.engine import open_warehouse
from tests import inference_log
from tests.benchmarks.decisions.column import Column, column
from tests.benchmarks.decisions.rate import Rate, at_most, rate
from tests.benchmarks.decisions.streams import Dependence, Kind
from tests.checks.context import WINDOW, context
from tests.checks.quality import AMOUNT, amounts, found
from tests.inference_log import day

# Windows that cannot be judged


def test_too_few_rows_are_measured_and_not_judged():
    results = found(amounts(40, 40), amounts(10_000))
    assert results["missing_share"].value == 1
    assert {result.decided() for result in results.values()} == {"insufficient_data"}
    assert results["missing_share"].message == "amount: 40 rows are too few to judge, 50 are needed"
    assert found(amounts(40, 40), amounts(10_000), "{minimum_rows: 20}")["missing_share"].decided() == "alarm"


def test_a_window_without_rows_has_one_row():
    empty = ColumnProfile("amount", "numeric", (0,) * len(AMOUNT))
    results = found(empty, amounts(10_000))
    assert [(result.metric, result.value, result.decided()) for result in results.values()] == [
        ("missing_share", None, "insufficient_data")
    ]
    assert results["missing_share"].message == "no column can be judged: the window has no row"


def test_a_column_that_cannot_be_read_is_told_once():
    """By the drift checks, or by operations, or else here."""
    for off, told in (("", 0), ("data_drift: off", 0), ("data_drift: off, operations: off", 1)):
        monitor = inference_log.monitor(f"{{{off}}}")
        made = context(monitor, {"amount": AMOUNT}, {"": [amounts(100)]}, {"": [amounts(100)]}, {"age": "is gone"})
        errors = [result for result in data_quality(made) if result.metric == "unreadable"]
        assert [(each.column_name, each.status, each.message) for each in errors] == [
            ("age", "error", "is gone")
        ] * told


# A run


def run(tmp_path: Path, checks: str = "{}", *statements: str) -> Iterator[Store]:
    tmp_path.mkdir(exist_ok=True)
    url = inference_log.to_duckdb(tmp_path / "log.duckdb")
    with duckdb.connect(url.removeprefix("duckdb:///")) as database:
        for statement in statements:
            database.execute(statement)
    monitor = inference_log.monitor(checks)
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store, open_warehouse(url) as warehouse:
        run_windows(monitor, day(20).start, day(22).end, warehouse=warehouse, store=store)
        yield store


QUALITY_ALONE = "{multivariate_drift: off, data_drift: off, prediction_drift: off, operations: off}"


def bad(store: Store) -> list[tuple[str, str, str, str, str]]:
    rows = store.query(
        "SELECT * FROM result WHERE status NOT IN ('ok', 'info') ORDER BY window_start, metric, column_name"
    )
    return [(str(r["window_start"])[:10], r["metric"], r["column_name"], r["status"], r["message"]) for r in rows]  # type: ignore[misc]


DAY_21 = "asked_at >= '2024-03-22' AND asked_at < '2024-03-23'"


def test_eighty_per_cent_nulls_are_visible(tmp_path):
    """Tools that drop nulls before they compare see nothing: the values that are left are like the baseline's."""
    planted = f"UPDATE inference_log SET amount = NULL WHERE {DAY_21} AND id % 5 != 0"
    for store in run(tmp_path, QUALITY_ALONE, planted):
        assert bad(store) == [
            (
                "2024-03-22",
                "missing_share",
                "amount",
                "alarm",
                "amount is missing in 80 % of rows, in the baseline in 0 % (alarm above 1 %)",
            )
        ]


def test_a_nan_in_the_baseline_harms_nothing(tmp_path):
    """One NaN makes a mean, an edge or a range of the baseline NaN, and then nothing is ever beyond it."""
    planted = (
        "UPDATE inference_log SET amount = 'nan' WHERE id = 7",
        f"UPDATE inference_log SET amount = 1000 WHERE {DAY_21} AND id % 10 = 0",
    )
    for store in run(tmp_path, QUALITY_ALONE, *planted):
        ((day_21, metric, name, status, message),) = bad(store)
        assert (day_21, metric, name, status) == ("2024-03-22", "out_of_range_share", "amount", "alarm")
        assert message.startswith("amount: 10 % of rows lie above ")
        first = store.query("SELECT * FROM result WHERE metric = 'missing_share' AND column_name = 'amount'")[0]
        assert first["message"] == "amount has no missing value (alarm above 1 %)"


def test_one_empty_column_costs_one_row_not_the_report(tmp_path):
    planted = f"UPDATE inference_log SET amount = NULL WHERE {DAY_21}"
    for store in run(tmp_path, "{multivariate_drift: off}", planted):
        rows = [row for row in store.query("SELECT * FROM result") if str(row["window_start"]).startswith("2024-03-22")]
        assert not [row for row in rows if row["status"] == "error"]
        quality = [row for row in rows if row["check_name"] == "data_quality"]
        assert [(row["metric"], row["status"]) for row in quality if row["column_name"] == "amount"] == [
            ("missing_share", "alarm")
        ]
        assert {row["status"] for row in quality if row["column_name"] != "amount"} == {"ok"}
        others = {row["column_name"] for row in quality} - {"amount"}
        assert others >= {"age", "country", "member", "one", "predicted", "probability"}


def test_a_stopped_column_and_a_batch_that_was_loaded_twice_are_found(tmp_path):
    """From day 20 on `amount` is that of day 20 again and again; day 21 has fifty rows twice."""
    again = (
        "CREATE TABLE places AS SELECT id, row_number() OVER (PARTITION BY asked_at::date ORDER BY id) AS place, "
        "asked_at::date AS day, amount FROM inference_log WHERE asked_at >= '2024-03-21'",
        "UPDATE inference_log SET amount = first.amount FROM places, places AS first "
        "WHERE places.id = inference_log.id AND first.place = places.place AND first.day = '2024-03-21'",
        f"INSERT INTO inference_log SELECT * FROM inference_log WHERE {DAY_21} ORDER BY id LIMIT 50",
    )
    for store in run(tmp_path, QUALITY_ALONE, *again[:2]):
        assert [row[:4] for row in bad(store)] == [("2024-03-23", "stale", "amount", "alarm")]
    for store in run(tmp_path / "twice", QUALITY_ALONE, again[2]):
        ((start, metric, column_name, status, message),) = bad(store)
        assert (start, metric, column_name, status) == ("2024-03-22", "duplicate_share", "id", "alarm")
        assert message.startswith("50 rows of 530 repeat a key (id): ")
        assert message.endswith(" came 2 times; that is 9.4 % (alarm above 0.1 %)")


def test_a_table_that_changes_after_the_baseline_is_told_once_per_change(tmp_path):
    url = inference_log.to_duckdb(tmp_path / "log.duckdb")
    monitor = inference_log.monitor(QUALITY_ALONE, features="'*'")
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store:
        for number, statements in (
            (20, ()),
            (21, ("DROP age", "ADD height double", "ALTER one TYPE double", "ALTER amount TYPE varchar")),
        ):
            with duckdb.connect(url.removeprefix("duckdb:///")) as database:
                for statement in statements:
                    database.execute(f"ALTER TABLE inference_log {statement}")
            with open_warehouse(url) as warehouse:
                run_windows(monitor, day(number).start, day(number).end, warehouse=warehouse, store=store)
        assert [(metric, name, status) for _, metric, name, status, _ in bad(store)] == [
            ("type_change", "amount", "alarm"),
            ("type_change", "one", "warning"),
            ("unreadable", "age", "error"),
            ("unreadable", "amount", "error"),
            ("vanished_columns", "", "alarm"),
        ]
        counted = store.query("SELECT value, message FROM result WHERE metric = 'new_columns' ORDER BY window_start")
        assert [row["value"] for row in counted] == [0, 1]
        assert counted[1]["message"] == "1 new column since the baseline: height"


# How often it is wrong, and what it finds

ANY_SIZE = "{minimum_effect: {missing_share: 0, out_of_range_share: 0, unseen_share: 0}}"


def judge(columns: Sequence[Column], windows: Sequence[np.ndarray], settings: str) -> np.ndarray:
    """Return which windows raise an alarm; `windows` are of each column, shape (n, n_bins)."""
    monitor = inference_log.monitor(f"{{data_quality: {settings}}}")
    names = [f"x{number}" for number in range(len(columns))]
    whole, bins, dispersions = {}, {}, {}
    for name, its in zip(names, columns, strict=True):
        counts = its.parts.sum(axis=0)
        ends = (its.bins.edges[0], math.nextafter(its.bins.edges[-1], -math.inf)) if its.bins.edges else ()
        whole[name] = ColumnProfile(name, its.bins.kind, tuple(counts.tolist()), *ends)
        once = int((counts[1:] == 1).sum()) if its.bins.kind == "categorical" else 0
        bins[name] = replace(its.bins, singletons=once)
        dispersions[name] = replace(column_dispersion(its.parts, its.bins.layout), rows=math.nan)
    earlier = Reference("baseline", {"": whole}, {"": with_shared_priors(dispersions)})
    baseline = Baseline("loans", {"features": names}, bins, whole, whole[names[0]].rows)
    alarms = []
    for counts in zip(*windows, strict=True):
        profiles = {
            name: ColumnProfile(name, bins[name].kind, tuple(its.tolist()))
            for name, its in zip(names, counts, strict=True)
        }
        profile = Profile(WINDOW, int(counts[0].sum()), profiles)
        results = data_quality(CheckContext(monitor, WINDOW, profile, baseline, earlier=earlier))
        alarms.append(any(result.decided() == "alarm" for result in results))
    return np.array(alarms)


def false_alarms(dependence: Dependence, length: int, kinds: Sequence[Kind], settings: str) -> Rate:
    """Judge 2,000 windows without drift: 100 of each of 20 baselines, of thirty parts or more."""
    rng = np.random.default_rng([length, *map(ord, f"{dependence}{kinds}")])
    found = []
    for _ in range(20):
        columns = [column(kind, dependence, length, rng) for kind in kinds]
        found.append(judge(columns, [one.windows(100) for one in columns], settings))
    return rate(found)


@pytest.mark.integration
@pytest.mark.parametrize("dependence", ["independent", "repeated"])
@pytest.mark.parametrize("length", [200, 1000])
def test_windows_without_drift_raise_no_more_alarms_than_configured(dependence, length):
    """Numbers, some of them missing, and categories; every size counts."""
    assert not at_most(false_alarms(dependence, length, ("numeric", "missing", "categorical"), ANY_SIZE), 0.01)


@pytest.mark.integration
@pytest.mark.parametrize(("length", "least"), [(200, 0.25), (1000, 0.9)])
def test_three_per_cent_missing_instead_of_one_are_found(length, least):
    rng = np.random.default_rng(length)
    found = []
    for _ in range(10):
        one = column("missing", "independent", length, rng)
        windows = one.windows(40)
        missing = rng.binomial(length, 0.03, size=40)
        shares = windows[:, 1:].sum(axis=0) / windows[:, 1:].sum()
        moved = np.array([[nulls, *rng.multinomial(length - nulls, shares)] for nulls in missing])
        found.append(judge([one], [moved], "{}"))
    assert np.mean(found) >= least
