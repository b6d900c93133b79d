"""What the check says of samples that are given to it; and, on real engines, that it is given the same ones always."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from monitoring_tasks import samples
from monitoring_tasks.baseline import find_baseline
from monitoring_tasks.checks import CheckContext, RowSamples
from monitoring_tasks.checks.multivariate_drift import encoded, multivariate_drift
from monitoring_tasks.config import MonitorFileError
from monitoring_tasks.errors import NoKeyError, TransientError
from monitoring_tasks.profile import Baseline, Bins, ColumnProfile, Profile
from monitoring_tasks.reference import Reference
from monitoring_tasks.results.store import Store, open_store
from monitoring_tasks.run import check_window, close_window, run_windows, scan_windows
from monitoring_tasks.samples import Samples
from monitoring_tasks.warehouse.engine import open_warehouse
from monitoring_tasks.window import Window, parse_instant
from tests import inference_log
from tests.checks.context import WINDOW
from tests.inference_log import EMPTY, END, FEW, MISSING, NEW_COUNTRY, QUIET, SHIFTED, START, day
from tests.warehouse.overheard import Overheard

pytestmark = pytest.mark.usefixtures("remembered_fits")

AUC, ERROR = "domain_classifier_auc", "pca_reconstruction_error"


def drawn(seed, rows, correlation=0.0, columns=4):
    """Standard normal columns a, b, c, d, of which b and c are so correlated."""
    found = np.random.default_rng(seed).standard_normal((rows, columns))
    found[:, 2] = correlation * found[:, 1] + math.sqrt(1 - correlation**2) * found[:, 2]
    return pa.table({chr(97 + i): column for i, column in enumerate(found.T)})


def context(baseline, window, settings="{}", *, rows=None, draw=None):
    """A context of these samples; `rows` are the window's, by default as many as were drawn."""
    names = baseline.column_names
    checks = "{}" if settings is None else f"{{multivariate_drift: {settings}}}"
    monitor = inference_log.monitor(checks, features=f"[{', '.join(names)}]", segments="[]")
    rows = len(window) if rows is None else rows
    counts = {name: ColumnProfile(name, "numeric", (0, 0, rows, 0)) for name in names}
    bins = {name: Bins("numeric", (0.0, 1.0)) for name in names}
    known = Baseline("loans", {"features": names}, bins, counts, len(baseline))
    asked = []

    def give(columns, limit, _fewest):
        asked.append((tuple(columns), limit))
        return RowSamples(baseline.select(columns).slice(0, limit), window.select(columns).slice(0, limit))

    return CheckContext(monitor, WINDOW, Profile(WINDOW, rows, counts), known, draw=draw or give), asked


def by_metric(context):
    return {result.metric: result for result in multivariate_drift(context)}


def test_a_new_correlation_is_an_alarm_that_names_the_two_columns():
    found = by_metric(context(drawn(1, 2000), drawn(2, 600, 0.8))[0])
    auc = found[AUC]
    assert (auc.status, auc.threshold_upper) == ("alarm", 0.55)
    assert auc.value_lower < auc.value < auc.value_upper
    assert auc.p_value < 1e-8
    assert auc.message.startswith(
        "the features moved together: a classifier tells window from baseline with AUC 0.69 ("
    )
    assert auc.message.endswith(("; most by b and c", "; most by c and b"))
    assert (auc.detail["baseline_sample"], auc.detail["window_sample"]) == (2000, 600)
    assert set(list(auc.detail["contributions"])[:2]) == {"b", "c"}


def test_a_correlation_that_is_lost_is_a_reconstruction_error_above_the_baselines():
    found = by_metric(context(drawn(1, 2000, 0.8), drawn(2, 600))[0])
    error = found[ERROR]
    assert (error.status, error.threshold_lower, error.threshold_upper) == ("alarm", -0.2, 0.2)
    assert error.message.startswith("the features hang together less than in the baseline: PCA reconstruction error 0.")
    assert error.message.endswith(
        "standard deviations above its own (0.2 is the floor; rows are taken as independent, for no undrifted windows "
        "show how much such windows differ)"
    )
    assert (error.detail["components"], error.detail["columns"]) == (2, 4)
    tighter = by_metric(context(drawn(1, 2000, 0.3), drawn(2, 600, 0.99))[0])[ERROR]
    assert tighter.value < 0
    assert "hang together more than in the baseline" in tighter.message


@pytest.mark.parametrize(
    ("parts", "shown"), [(0, "no undrifted windows show"), (1, "a single undrifted window does not show"), (2, None)]
)
def test_a_message_says_that_rows_are_taken_as_independent_where_fewer_than_two_parts_are_known(parts, shown):
    before, after = drawn(1, 2000, 0.8), drawn(2, 600)
    undrifted = [drawn(100 + i, 600, 0.8) for i in range(parts)]
    rows = RowSamples(before, after, parts=lambda measure, _mine: [measure(before, part) for part in undrifted])
    found = by_metric(replace(context(before, after)[0], draw=lambda *_: rows))
    for metric in (AUC, ERROR):
        assert found[metric].detail["parts"] == parts
        doubt = f"; rows are taken as independent, for {shown} how much such windows differ"
        assert (doubt in found[metric].message) == (shown is not None)
        assert ("taken as independent" in found[metric].message) == (shown is not None)


def test_without_drift_both_are_in_order_and_nothing_is_named():
    found = by_metric(context(drawn(1, 2000, 0.5), drawn(2, 600, 0.5))[0])
    assert {metric: result.status for metric, result in found.items()} == {AUC: "ok", ERROR: "ok"}
    assert "contributions" not in found[AUC].detail
    assert found[AUC].message.startswith("the features together are in order: a classifier tells window from baseline")


def test_significant_and_small_is_no_alarm_and_large_by_chance_is_none():
    shifted = drawn(2, 5000)
    shifted = shifted.set_column(0, "a", pa.array(shifted["a"].to_numpy() + 0.25))
    certain = {
        floor: by_metric(context(drawn(1, 5000), shifted, f"{{minimum_effect: {{{AUC}: {floor}}}}}")[0])[AUC]
        for floor in (0.52, 0.6, 0.9)
    }
    assert {floor: result.status for floor, result in certain.items()} == {0.52: "alarm", 0.6: "warning", 0.9: "ok"}
    assert certain[0.6].message.startswith("the features moved a little together")
    chance = by_metric(context(drawn(1, 100), drawn(4, 100), f"{{minimum_effect: {{{AUC}: 0.5}}}}")[0])[AUC]
    assert (chance.status, chance.value > 0.5) == ("ok", True)
    assert ", but chance alone may do this: p = 0." in chance.message


def test_two_statistics_share_the_rate():
    """Holm's: the smaller p-value is held to half of it."""
    given = drawn(1, 2000), drawn(2, 600, 0.3)
    floors = f"minimum_effect: {{{AUC}: 0.5, {ERROR}: 0.0}}"
    p_value = min(result.p_value for result in by_metric(context(*given, f"{{{floors}}}")[0]).values())
    assert 1e-6 < p_value < 0.05
    for times, alarms in ((1.5, 0), (2.5, 1)):
        found = by_metric(context(*given, f"{{{floors}, false_alarm_rate: {times * p_value:.9f}}}")[0])
        assert [result.status for result in found.values()].count("alarm") == alarms


def test_an_auc_that_every_undrifted_window_has_is_no_drift():
    """Each hour has a level of its own, which tells its rows from all others; and so has this one."""
    rng = np.random.default_rng(5)

    def hour(seed, level):
        rows = drawn(seed, 400)
        return pa.table({name: rows[name].to_numpy() + level for name in rows.column_names})

    before = drawn(1, 2000)
    hours = [hour(100 + i, level) for i, level in enumerate(rng.choice([-0.5, 0.5], 10))]
    for level, status in ((0.5, "ok"), (2.5, "alarm")):
        after = hour(2, level)
        rows = RowSamples(before, after, parts=lambda measure, _mine: [measure(before, each) for each in hours])
        found = by_metric(replace(context(before, after)[0], draw=lambda *_, rows=rows: rows))[AUC]
        assert found.value > 0.6
        assert found.detail["usual"] > 0.6
        assert (found.status, found.p_value > 0.05) == (status, status == "ok")


def test_the_rows_that_are_told_are_those_of_the_columns_with_earlier_windows():
    """A column that came just now is compared with the baseline's own."""
    given, _ = context(drawn(1, 500), drawn(2, 200))
    columns = {name: replace(its, counts=(0, 0, 700, 0)) for name, its in given.profile.columns.items()}
    columns["a"] = given.baseline.columns["a"]
    exceptions = {"": {"a": "baseline: rolling 28d holds no window with rows, 3 are needed"}}
    earlier = Reference("rolling 28d: 28 windows", {"": columns}, windows=28, exceptions=exceptions)
    assert by_metric(replace(given, earlier=earlier))[AUC].baseline_rows == 700


@pytest.mark.parametrize(
    ("rows", "settings", "message"),
    [
        (0, "{}", "the features together: 0 rows are too few to judge, 100 are needed"),
        (99, "{}", "the features together: 99 rows are too few to judge, 100 are needed"),
        (40, "{minimum_rows: 60}", "the features together: 40 rows are too few to judge, 60 are needed"),
        (7, "{minimum_rows: 1}", "the features together: 7 rows are too few to judge, 8 are needed"),
    ],
)
def test_too_few_rows_are_not_judged_and_nothing_is_read(rows, settings, message):
    given, asked = context(drawn(1, 500), drawn(2, rows), settings)
    (result,) = multivariate_drift(given)
    assert (result.metric, result.status, result.value, result.message) == (AUC, "insufficient_data", None, message)
    assert asked == []


@pytest.mark.parametrize("side", ["window", "baseline"])
def test_too_few_rows_with_a_key_are_not_judged(side):
    rows = {"baseline": 500, "window": 500, side: 60}
    (result,) = multivariate_drift(context(drawn(1, rows["baseline"]), drawn(2, rows["window"]), rows=500)[0])
    assert result.status == "insufficient_data"
    assert result.message == f"the features together: the {side} has 60 rows with a key, 100 are needed"


def test_above_200_features_it_is_off_unless_the_file_names_it():
    before, after = drawn(1, 200, columns=201), drawn(2, 150, columns=201)
    given, asked = context(
        before.rename_columns([f"x{i}" for i in range(201)]), after.rename_columns([f"x{i}" for i in range(201)]), None
    )
    (result,) = multivariate_drift(given)
    assert (result.status, asked) == ("info", [])
    assert result.message.startswith("not compared: 201 features are more than 200; name checks.multivariate_drift")
    named, asked = context(
        before.rename_columns([f"x{i}" for i in range(201)]), after.rename_columns([f"x{i}" for i in range(201)]), "on"
    )
    assert {result.status for result in multivariate_drift(named)} == {"ok"}
    assert asked == [(tuple(f"x{i}" for i in range(201)), 5000)]


def test_one_feature_has_no_relations_and_is_still_told_apart():
    found = by_metric(context(drawn(1, 500).select(["a"]), drawn(2, 500).select(["a"]))[0])
    assert found[AUC].status == "ok"
    assert (found[ERROR].status, found[ERROR].value) == ("insufficient_data", None)
    assert found[ERROR].message == f"{ERROR} cannot be measured, a is the only feature that is compared"


def test_a_column_without_values_or_of_one_value_is_no_trouble():
    nothing = pa.table({"a": pa.nulls(300, pa.float64()), "b": np.ones(300)})
    found = by_metric(context(nothing, nothing)[0])
    assert (found[AUC].value, found[AUC].status, found[ERROR].status) == (0.5, "ok", "insufficient_data")
    assert found[ERROR].message == (
        f"{ERROR} cannot be measured, of 2 features fewer than two vary in the rows that were drawn from the baseline"
    )


def temperatures(seed, rows, *, broken=False):
    """Two columns of one thermometer, as doubles; or of two thermometers."""
    rng = np.random.default_rng(seed)
    celsius = rng.normal(12, 8, rows)
    return pa.table({"celsius": celsius, "fahrenheit": (rng.normal(12, 8, rows) if broken else celsius) * 1.8 + 32})


@pytest.mark.parametrize("parts", [0, 10])
def test_an_exact_relation_that_breaks_is_an_alarm_and_none_while_it_holds(parts):
    before = temperatures(1, 1000)
    undrifted = [temperatures(100 + i, 300) for i in range(parts)]

    def by_window(window):
        given, _ = context(before, window)
        drawn = RowSamples(before, window, parts=lambda measure, _mine: [measure(before, part) for part in undrifted])
        return by_metric(replace(given, draw=lambda *_: drawn))[ERROR]

    whole = [by_window(temperatures(seed, 300)) for seed in (2, 3, 4)]
    assert {(result.status, result.value) for result in whole} == {("ok", 0.0)}
    broken = by_window(temperatures(5, 300, broken=True))
    assert broken.status == "alarm"
    assert broken.value > 2
    assert broken.message.startswith("the features hang together less than in the baseline: PCA reconstruction error ")


def test_a_baseline_without_the_key_is_said_with_the_remedy():
    def draw(_columns, _limit, _fewest):
        raise NoKeyError("table 'training' has no column 'id': add it")

    (result,) = multivariate_drift(context(drawn(1, 500), drawn(2, 500), draw=draw)[0])
    assert (result.status, result.message) == (
        "insufficient_data",
        "the features together: table 'training' has no column 'id': add it",
    )


def test_categories_are_the_places_of_their_bins():
    words = pa.table({"word": ["b", None, "a", "z", "rare"], "x": [1.0, None, math.nan, math.inf, -2.0]})
    numeric = Bins("numeric", (0.0, 1.0))
    closed = encoded(words, [Bins("categorical", categories=("a", "b"), others=("rare",)), numeric])
    np.testing.assert_array_equal(closed[:, 0], [1, np.nan, 0, 3, 2])
    np.testing.assert_array_equal(closed[:, 1], [1, np.nan, np.nan, np.inf, -2])
    open_ended = encoded(words, [Bins("categorical", categories=("a", "b"), open_ended=True), numeric])
    np.testing.assert_array_equal(open_ended[:, 0], [1, np.nan, 0, 2, 2])
    assert encoded(words.slice(0, 0), [Bins("categorical"), numeric]).shape == (0, 2)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (f"{{minimum_effect: {{{AUC}: 0.05}}}}", "has a `domain_classifier_auc` outside 0.5 to 1: write an AUC"),
        ("{maximum_rows: 50}", "`maximum_rows` is below `minimum_rows`, so that no window could be judged: raise "),
        ("{maximum_rows: 100000000}", "100000000 is above 100,000: the rows that are drawn are held in memory: write "),
        ("{minimum_effect: {auc: 0.6}}", "is not a metric of two samples"),
    ],
)
def test_settings_that_can_only_be_mistakes_are_refused(settings, message):
    with pytest.raises(MonitorFileError, match=message):
        inference_log.monitor(f"{{multivariate_drift: {settings}}}")


# --- On real engines --------------------------------------------------------------------------------------------------

ONLY = "{data_drift: off, prediction_drift: off, operations: off}"
NOW = parse_instant("2024-05-01", "UTC")
NAMES = ["multivariate_drift"]


def of(store):
    return list(store.results("loans", checks=NAMES))


@pytest.fixture(scope="module")
def in_bulk(duckdb_url, tmp_path_factory):
    url = f"sqlite:///{tmp_path_factory.mktemp('results') / 'results.db'}"
    with open_store(url) as store, open_warehouse(duckdb_url) as warehouse:
        overheard = Overheard(warehouse)
        overheard.columns, overheard.partition_keys = warehouse.columns, warehouse.partition_keys
        overheard.batches = warehouse.batches
        run_windows(inference_log.monitor(ONLY), START, END, warehouse=overheard, store=store)
        drawing = [text for text in overheard.statements if "MD5" in text]
        yield of(store), drawing


def test_what_is_planted_on_a_day_is_found_on_that_day_only(in_bulk):
    rows, _ = in_bulk
    status = {((row["window_start"] - START).days + 20, row["metric"]): row["status"] for row in rows}
    alarms = {number for (number, metric), value in status.items() if value == "alarm" and metric == AUC}
    assert alarms == {SHIFTED, NEW_COUNTRY, MISSING}
    assert {status[number, metric] for number in QUIET for metric in (AUC, ERROR)} == {"ok"}
    assert {status[number, AUC] for number in (EMPTY, FEW)} == {"insufficient_data"}
    told = {(row["window_start"] - START).days + 20: row["message"] for row in rows if row["metric"] == AUC}
    for number, name in ((SHIFTED, "amount"), (NEW_COUNTRY, "country"), (MISSING, "age")):
        assert told[number].endswith(f"most by {name}")


def test_in_bulk_the_baseline_is_drawn_once_and_many_windows_by_one_statement(in_bulk):
    _, drawing = in_bulk
    assert len([text for text in drawing if "2024-03-01 00:00:00" in text]) == 1
    assert len(drawing) == 3  # and its parts


@pytest.mark.integration
@pytest.mark.parametrize("order", [1, -1])
def test_one_by_one_in_any_order_gives_the_rows_of_one_bulk_run(in_bulk, duckdb_url, tmp_path, order):
    monitor = inference_log.monitor(ONLY)
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store, open_warehouse(duckdb_url) as warehouse:
        for number in range(20, 32)[::order]:
            run_windows(monitor, day(number).start, day(number).end, warehouse=warehouse, store=store)
        assert of(store) == in_bulk[0]


ROLLING = "{period: {start: 2024-03-01, end: 2024-03-21}, rolling: 12d}"


@pytest.mark.integration
@pytest.mark.parametrize("kept", [samples.KEPT, 0])
def test_earlier_windows_are_the_same_in_bulk_and_one_by_one(duckdb_url, tmp_path, monkeypatch, kept):
    """Each day is compared with the days before it, and known by what those were compared with; kept or not."""
    monkeypatch.setattr(samples, "KEPT", kept)
    monitor = inference_log.monitor(ONLY, baseline=ROLLING)
    with open_store(f"sqlite:///{tmp_path / 'bulk.db'}") as bulk, open_warehouse(duckdb_url) as warehouse:
        run_windows(monitor, START, END, warehouse=warehouse, store=bulk)
        wanted = of(bulk)
        with open_store(f"sqlite:///{tmp_path / 'single.db'}") as store:
            for number in reversed(range(20, 32)):
                run_windows(monitor, day(number).start, day(number).end, warehouse=warehouse, store=store)
            assert of(store) == wanted
    first = wanted[0]["detail"]
    assert first["compared_with"] == "rolling 12d: 12 windows from 2024-03-09T00:00Z to 2024-03-21T00:00Z"
    assert (first["parts"], wanted[0]["baseline_rows"]) == (10, 12 * inference_log.ROWS)
    status = {((row["window_start"] - START).days + 20, row["metric"]): row["status"] for row in wanted}
    # The later ones hide behind it: nobody has confirmed that it was an incident, so it counts as undrifted.
    assert {number for (number, metric), value in status.items() if value == "alarm" and metric == AUC} == {SHIFTED}
    assert {status[number, metric] for number in QUIET for metric in (AUC, ERROR)} == {"ok"}


def test_a_part_of_the_period_is_told_from_the_rest_of_it(duckdb_url, tmp_path):
    """What is measured of a day in which nothing drifted, without that day on both sides."""
    monitor = inference_log.monitor(ONLY)
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store, open_warehouse(duckdb_url) as warehouse:
        scan_windows(monitor, [day(20)], warehouse, store)
        baseline = find_baseline(monitor, store)
        drawing = Samples(monitor, warehouse, [day(20)])
        found = drawing.draw(day(20), 480, baseline, (), ["amount", "age"], 10_000, 100)
        assert found.parts(lambda rest, part: (len(rest), len(part)), None) == [(9600 - 480, 480)] * 10


def test_incidents_are_left_out_of_what_is_drawn(duckdb_url, tmp_path):
    """A day in the middle of the twelve, and half of the day before it."""
    monitor = inference_log.monitor(ONLY, baseline=ROLLING)
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store, open_warehouse(duckdb_url) as warehouse:
        scan_windows(monitor, [day(20)], warehouse, store)
        baseline = find_baseline(monitor, store)
        incident = Window(day(14).start + timedelta(hours=12), day(15).end)
        for incidents, days in (((), 12), ((incident,), 10)):
            drawing = Samples(monitor, warehouse, [day(20)])
            found = drawing.draw(day(20), 480, baseline, incidents, ["amount"], 10_000, 100)
            assert len(found.baseline) == days * 480
            assert found.compared_with.startswith(f"rolling 12d: {days} windows from ")


@pytest.mark.parametrize("baseline", ["", ROLLING])
def test_a_window_inside_the_period_is_told_from_the_rest_of_it(duckdb_url, tmp_path, baseline):
    """It is run by hand. With its own 480 rows on both sides it would look more alike than it is."""
    all_rows = "{maximum_rows: 10000}}"
    monitor = inference_log.monitor(
        ONLY.replace("}", f", multivariate_drift: {all_rows}"), **({"baseline": baseline} if baseline else {})
    )
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store, open_warehouse(duckdb_url) as warehouse:
        run_windows(monitor, day(0).start, day(0).end, warehouse=warehouse, store=store)
        auc, error = of(store)
    assert auc["metric"] == AUC
    for row in (auc, error):
        assert (row["baseline_rows"], row["detail"]["baseline_sample"]) == (9600 - 480, 9600 - 480)
        name = "baseline: rolling 12d holds no window with rows, 3 are needed" if baseline else "baseline"
        assert row["detail"]["compared_with"] == f"{name}, without this window"


def test_days_that_were_compared_with_hardly_a_row_say_nothing_in_bulk_nor_one_by_one(tmp_path):
    """The log began with a row a day, so that the week before the first full day is seven rows."""
    url = inference_log.to_duckdb(tmp_path / "loans.duckdb")
    with duckdb.connect(str(tmp_path / "loans.duckdb")) as connection:
        connection.execute(
            "DELETE FROM inference_log WHERE asked_at >= '2024-03-14' AND asked_at < '2024-03-21' AND id NOT IN "
            "(SELECT min(id) FROM inference_log GROUP BY asked_at::date)"
        )
    monitor = inference_log.monitor(ONLY, baseline=ROLLING.replace("12d", "7d"))
    with open_store(f"sqlite:///{tmp_path / 'bulk.db'}") as bulk, open_warehouse(url) as warehouse:
        runs = run_windows(monitor, START, day(23).end, warehouse=warehouse, store=bulk)
        with open_store(f"sqlite:///{tmp_path / 'single.db'}") as store:
            for number in (23, 22, 21, 20):
                run_windows(monitor, day(number).start, day(number).end, warehouse=warehouse, store=store)
            assert of(store) == of(bulk)
        found = {row["window_start"].day - 1: row for row in of(bulk) if row["metric"] == AUC}
    assert [run.state for run in runs] == ["done"] * 4
    assert found[20]["message"] == "the features together: the baseline has 7 rows with a key, 100 are needed"
    assert (found[21]["status"], found[SHIFTED]["status"]) == ("ok", "alarm")
    # The first full day is no part, so that ten days of the fixed baseline stand for it, of which six are full.
    assert found[21]["detail"]["parts"] == 6


@pytest.mark.integration
def test_on_postgres_the_rows_are_those_of_duckdb(in_bulk, postgres_database, tmp_path):
    inference_log.to_postgres(postgres_database)
    monitor = inference_log.monitor(ONLY)
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store, open_warehouse(postgres_database) as warehouse:
        run_windows(monitor, START, END, warehouse=warehouse, store=store)
        assert of(store) == in_bulk[0]


def test_a_training_set_without_the_key_costs_a_row_and_no_window(store: Store, tmp_path):
    url = inference_log.to_duckdb(tmp_path / "loans.duckdb")
    with duckdb.connect(str(tmp_path / "loans.duckdb")) as connection:
        connection.execute("CREATE TABLE training AS SELECT * EXCLUDE (id) FROM inference_log")
    monitor = inference_log.monitor(ONLY, baseline="{table: training}")
    with open_warehouse(url) as warehouse:
        (run,) = run_windows(monitor, day(20).start, day(20).end, warehouse=warehouse, store=store)
    assert run.state == "done"
    (row,) = of(store)
    assert row["status"] == "insufficient_data"
    assert row["message"] == (
        "the features together: table 'training' has no column 'id' (inference_log.key), by which rows are drawn: add "
        "it to the baseline's table, with a value of its own for each row, or name a period under `baseline`"
    )


def test_a_log_without_the_key_is_one_error_row(store: Store, duckdb_url):
    monitor = inference_log.monitor(ONLY, key="request")
    with open_warehouse(duckdb_url) as warehouse:
        (run,) = run_windows(monitor, day(20).start, day(20).end, warehouse=warehouse, store=store)
    assert run.state == "failed"
    (row,) = of(store)
    assert row["status"] == "error"
    assert (
        "table 'inference_log' has no column 'request' (inference_log.key), by which rows are drawn" in row["message"]
    )


class Away:
    """A warehouse that went away."""

    dialect = "duckdb"

    def columns(self, _name):
        raise TransientError("the server does not answer")


def test_a_warehouse_that_does_not_answer_is_no_result(store: Store, duckdb_url):
    monitor = inference_log.monitor(ONLY)
    with open_warehouse(duckdb_url) as warehouse:
        scan_windows(monitor, [day(20)], warehouse, store)
    with pytest.raises(TransientError, match="the server does not answer"):
        check_window(monitor, day(20), NAMES, store, samples=Samples(monitor, Away(), [day(20)]))
    assert of(store) == []
    assert close_window(monitor, day(20), store, NOW).error == "not written: data_quality, multivariate_drift"
