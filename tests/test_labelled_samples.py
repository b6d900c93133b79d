"""Which labelled rows a check is given: of the window and of the fixed baseline, without those that are in both."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from monitoring_tasks import run
from monitoring_tasks.baseline import find_baseline
from monitoring_tasks.bin_numbers import bin_numbers
from monitoring_tasks.checks import Check
from monitoring_tasks.checks.check import CheckContext
from monitoring_tasks.config import Monitor
from monitoring_tasks.errors import DataError, NoKeyError, TransientError
from monitoring_tasks.profile import Baseline
from monitoring_tasks.results.migrate import migrate
from monitoring_tasks.results.store import Store, open_store
from monitoring_tasks.run import check_window, scan_windows
from monitoring_tasks.samples import Samples
from monitoring_tasks.segment_labels import segment_label
from monitoring_tasks.statistics.performance.weak_segments import SegmentFeature, weak_segments
from monitoring_tasks.warehouse.engine import Warehouse, open_warehouse
from monitoring_tasks.window import Window
from tests import inference_log
from tests.inference_log import EMPTY, ROWS, day
from tests.warehouse.overheard import Overheard

LABELS = "{table: labels, key: id, value: repaid, timestamp: known_at, complete_after: 1d}"
FEATURES = ["amount", "country"]


def monitor(checks: str = "{multivariate_drift: off}", **changes: str) -> Monitor:
    return inference_log.monitor(checks, task=f"binary_classification\nlabels: {LABELS}", **changes)


def labels() -> pd.DataFrame:
    """Two rows of three have a label, every tenth of them a second one, which is the other class."""
    log = inference_log.log()
    rng = np.random.default_rng(3)
    first = pd.DataFrame(
        {"id": log["id"], "repaid": rng.random(len(log)) < log["probability"], "known_at": log["asked_at"]}
    )[rng.random(len(log)) < 2 / 3]
    again = first[::10].assign(known_at=lambda each: each["known_at"] + timedelta(hours=1), repaid=lambda x: ~x.repaid)
    return pd.concat([first, again]).astype({"repaid": int})


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, duckdb_url: str) -> str:
    file = shutil.copy(duckdb_url.removeprefix("duckdb:///"), tmp_path_factory.mktemp("labelled") / "loans.duckdb")
    known = labels()
    with duckdb.connect(str(file)) as connection:
        connection.register("known", known)
        connection.execute("CREATE TABLE labels AS SELECT * FROM known")
        joined = (
            "SELECT l.*, k.repaid FROM inference_log l LEFT JOIN "
            "(SELECT id, arg_max(repaid, known_at) AS repaid FROM known GROUP BY id) k USING (id) "
            "WHERE l.asked_at < '2024-03-21'"
        )
        connection.execute(f"CREATE TABLE training AS {joined}")
        connection.execute("CREATE TABLE keyless AS SELECT * EXCLUDE (id) FROM training")
        connection.execute("CREATE TABLE unlabelled AS SELECT * EXCLUDE (repaid) FROM training")
    return f"duckdb:///{file}"


@pytest.fixture
def opened(url: str) -> Iterator[Warehouse]:
    with open_warehouse(url) as warehouse:
        yield warehouse


@pytest.fixture
def results(tmp_path: Path) -> Iterator[Store]:
    migrate(f"sqlite:///{tmp_path / 'results.db'}")
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store:
        yield store


def measured(monitor: Monitor, warehouse: Warehouse, store: Store, number: int = 20) -> Baseline:
    scan_windows(monitor, [day(number)], warehouse, store)
    baseline = find_baseline(monitor, store)
    assert baseline is not None
    return baseline


def of_days(first: int, last: int) -> pd.DataFrame:
    """The labelled rows of these days with their latest label."""
    latest = labels().sort_values("known_at").groupby("id")["repaid"].last()
    log = inference_log.log().merge(latest, left_on="id", right_index=True)
    times = log["asked_at"].dt.tz_localize("UTC")
    return log[(times >= day(first).start) & (times < day(last).start)]


def test_both_sides_are_the_labelled_rows(opened: Warehouse, results: Store) -> None:
    baseline = measured(monitor(), opened, results)
    samples = Samples(monitor(), opened, [day(20)])
    found = samples.labelled(day(20), ROWS, baseline, FEATURES, 100_000)
    for rows, wanted in ((found.baseline, of_days(0, 20)), (found.window, of_days(20, 21))):
        assert rows.features.column_names == FEATURES
        np.testing.assert_array_equal(np.sort(rows.features["amount"].to_numpy()), np.sort(wanted["amount"]))
        assert np.sum(rows.cells % 3 == 1) == wanted["repaid"].sum()
        brier = (wanted["probability"] - wanted["repaid"]) ** 2
        np.testing.assert_allclose(np.sort(rows.losses["brier"]), np.sort(brier), rtol=1e-12)
    assert found.compared_with == "baseline"
    few = samples.labelled(day(20), ROWS, baseline, FEATURES, 50)
    for small, large in ((few.baseline, found.baseline), (few.window, found.window)):
        np.testing.assert_array_equal(small.drawn.hashes, large.drawn.hashes[:50])


def test_the_baseline_is_read_once_and_windows_ahead(opened: Warehouse, results: Store) -> None:
    baseline = measured(monitor(), opened, results)
    overheard = Overheard(opened)
    overheard.columns = opened.columns  # type: ignore[method-assign]
    days = [day(number) for number in range(20, 32)]
    samples = Samples(monitor(), overheard, days)
    found = [samples.labelled(window, ROWS, baseline, FEATURES, 200) for window in days]
    assert len(overheard.answers) == 2
    assert len({id(each.baseline) for each in found}) == 1
    assert len(found[EMPTY - 20].window) == 0
    alone = Samples(monitor(), opened, [days[5]]).labelled(days[5], ROWS, baseline, FEATURES, 200)
    np.testing.assert_array_equal(alone.window.drawn.hashes, found[5].window.drawn.hashes)
    np.testing.assert_array_equal(alone.window.cells, found[5].window.cells)
    samples.labelled(days[0], ROWS, baseline, FEATURES, 200)  # it may have been written to meanwhile
    assert len(overheard.answers) == 3
    samples.labelled(days[0], ROWS, baseline, ["age"], 200)
    assert len(overheard.answers) == 5
    samples.labelled(days[0], ROWS, baseline, FEATURES, 200)  # of which the baseline's are kept
    assert len(overheard.answers) == 6


def test_draws_of_other_columns_do_not_pile_up(opened: Warehouse, results: Store) -> None:
    baseline = measured(monitor(), opened, results)
    samples = Samples(monitor(), opened, [day(20)])
    for rows in range(1, 6):
        samples.labelled(day(20), ROWS, baseline, FEATURES, rows)
    assert len(samples._labelled) == 2


@pytest.mark.parametrize("limit", [150, 100_000])
def test_a_window_inside_the_period_is_not_in_its_own_baseline(opened: Warehouse, results: Store, limit: int) -> None:
    baseline = measured(monitor(), opened, results)
    samples = Samples(monitor(), opened, [day(5)])
    found = samples.labelled(day(5), ROWS, baseline, FEATURES, limit)
    assert found.compared_with == "baseline, without this window"
    assert not set(found.baseline.drawn.hashes) & set(found.window.drawn.hashes)
    others = pd.concat([of_days(0, 5), of_days(6, 20)])["amount"]
    assert set(found.baseline.features["amount"].to_pylist()) <= set(others)
    assert len(found.baseline) == len(others) if limit > 150 else 130 < len(found.baseline) < 150
    half = Window(day(19).start, day(21).start)
    part = samples.labelled(half, 2 * ROWS, baseline, FEATURES, limit)
    assert part.compared_with == "baseline, which holds a part of this window"


def test_a_moving_baseline_is_not_what_performance_is_compared_with(opened: Warehouse, results: Store) -> None:
    moving = monitor(baseline="{period: {start: 2024-03-01, end: 2024-03-21}, rolling: 7d}")
    found = Samples(moving, opened, [day(25)]).labelled(
        day(25), ROWS, measured(moving, opened, results), FEATURES, 100_000
    )
    assert len(found.baseline) == len(of_days(0, 20))
    assert found.compared_with == "baseline"


def test_a_baseline_may_be_a_table_with_labels(opened: Warehouse, results: Store) -> None:
    table = monitor(baseline="{table: training}")
    baseline = measured(table, opened, results)
    found = Samples(table, opened, [day(20)]).labelled(day(20), ROWS, baseline, FEATURES, 100_000)
    period = Samples(monitor(), opened, [day(20)]).labelled(day(20), ROWS, baseline, FEATURES, 100_000)
    np.testing.assert_array_equal(found.baseline.cells, period.baseline.cells)
    np.testing.assert_array_equal(found.baseline.drawn.hashes, period.baseline.drawn.hashes)


@pytest.mark.parametrize(
    ("table", "error", "match"),
    [
        ("keyless", NoKeyError, r"table 'keyless' has no column 'id' \(inference_log.key\)"),
        ("unlabelled", DataError, r"table 'unlabelled' of `baseline` has no column 'repaid'"),
    ],
)
def test_what_a_baselines_table_lacks(
    opened: Warehouse, results: Store, table: str, error: type[Exception], match: str
) -> None:
    other = monitor(baseline=f"{{table: {table}}}")
    baseline = measured(other, opened, results)
    with pytest.raises(error, match=match):
        Samples(other, opened, [day(20)]).labelled(day(20), ROWS, baseline, FEATURES, 100)


def test_what_cannot_be_drawn(opened: Warehouse, results: Store) -> None:
    baseline = measured(monitor(), opened, results)
    samples = Samples(monitor(key="nothing"), opened, [day(20)])
    with pytest.raises(DataError, match="has no column 'nothing'"):
        samples.labelled(day(20), ROWS, baseline, FEATURES, 100)
    samples.give_up()
    with pytest.raises(TransientError, match="was not asked again"):
        samples.labelled(day(20), ROWS, baseline, FEATURES, 100)


def test_a_monitor_without_labels_has_no_labelled_rows(opened: Warehouse, results: Store) -> None:
    plain = inference_log.monitor("{multivariate_drift: off}")
    baseline = measured(plain, opened, results)
    with pytest.raises(ValueError, match="has no labels"):
        Samples(plain, opened, [day(20)]).labelled(day(20), ROWS, baseline, FEATURES, 100)


def test_a_weak_segment_of_the_drawn_rows_is_found_and_named(opened: Warehouse, results: Store) -> None:
    """From the warehouse to its name: rows, their bins, the segment, what people read. Members of one country."""
    baseline = measured(monitor(), opened, results)
    names = ["amount", "age", "country", "member"]
    rows = Samples(monitor(), opened, [day(20)]).labelled(day(20), ROWS, baseline, names, 20_000).baseline
    country, member = (np.array(rows.features[name].to_pylist(), object) for name in ("country", "member"))
    planted = np.where((country == "FR") & (member == "true"), 2.0, 1.0) * np.nan_to_num(rows.losses["brier"])
    bins = [baseline.bins[name] for name in names]
    features = [SegmentFeature(name, its.layout) for name, its in zip(names, bins, strict=True)]
    codes = bin_numbers(rows.features, bins)
    (found,) = weak_segments(features, codes, planted)
    assert segment_label(found.groups, baseline.bins) == "country=FR and member=true"
    assert found.rows == np.sum((country == "FR") & (member == "true"))
    assert weak_segments(features, codes, rows.losses["brier"]) == ()


@pytest.mark.parametrize("with_labels", [True, False])
def test_a_check_is_given_what_draws_labelled_rows(
    opened: Warehouse, results: Store, monkeypatch: pytest.MonkeyPatch, with_labels: bool
) -> None:
    mine = monitor() if with_labels else inference_log.monitor("{multivariate_drift: off}")
    measured(mine, opened, results)
    seen: list[CheckContext] = []
    check = Check("weak_segments", "performance", lambda context: seen.append(context) or [], reads_rows=lambda _: True)
    monkeypatch.setattr(run, "enabled", lambda _: [check])
    check_window(mine, day(20), ["weak_segments"], results, samples=Samples(mine, opened, [day(20)]))
    check_window(mine, day(20), ["weak_segments"], results)
    given, without = (context.draw_labelled for context in seen)
    assert without is None
    assert (given is not None) == with_labels
    if given is not None:
        assert (len(given(FEATURES, 100).window), len(given(FEATURES, 100).baseline)) == (100, 100)
