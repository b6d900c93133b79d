"""The whole line on real engines: what is planted on a day is found on that day, and nowhere else."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import duckdb
import numpy as np
import pytest
import scipy.stats

from monitoring_tasks import checks
from monitoring_tasks.checks import Check, Result
from monitoring_tasks.config import column_problems
from monitoring_tasks.errors import ConfigError, DataError, TransientError, UnreadError
from monitoring_tasks.reference import Reference
from monitoring_tasks.results.store import Store, open_store
from monitoring_tasks.run import check_window, close_window, run_windows, scan_windows
from monitoring_tasks.statistics.drift import DRIFT_METRICS, select
from monitoring_tasks.statistics.homogeneity import column_test
from monitoring_tasks.warehouse.engine import open_warehouse
from monitoring_tasks.window import Window, parse_instant
from tests import inference_log
from tests.inference_log import EMPTY, END, FAILING, FEW, FIRST, MISSING, NEW_COUNTRY, QUIET, SHIFTED, START, day
from tests.warehouse.overheard import Overheard

ALL_METRICS = f"[{', '.join(metric.name for metric in DRIFT_METRICS)}]"
EVERYTHING = (
    f"{{data_drift: {{metrics: {ALL_METRICS}}}, prediction_drift: {{metrics: {ALL_METRICS}}}, "
    "operations: {maximum_error_rate: 0.05, latency_p95_ms: 200, expected_rows: 400}}"
)


@pytest.fixture(scope="module")
def monitored(one_run):
    """A results store with every metric of the twelve days."""
    with open_store(f"sqlite:///{one_run(inference_log.monitor(EVERYTHING))}") as store:
        yield store


def rows(store, number=None, **wanted):
    """Return the results of one day, or of all."""
    window = (None, None) if number is None else (day(number).start, day(number).end)
    return list(store.results("loans", *window, **{name: [value] for name, value in wanted.items()}))


def one(store, number, metric, column="", segment=""):
    (found,) = rows(store, number, metrics=metric, columns=column, segments=segment)
    return found


def number_of(row):
    return (row["window_start"] - FIRST).days


def test_what_is_planted_on_a_day_is_found_on_that_day_only(monitored):
    found = defaultdict(set)
    for row in rows(monitored, statuses="alarm"):
        found[number_of(row)].add(row["column_name"])
    assert found == {
        SHIFTED: {"", "amount"},
        NEW_COUNTRY: {"", "country"},
        MISSING: {"", "age"},
        EMPTY: {""},
        FEW: {""},
        FAILING: {"", "predicted", "probability", "error", "latency_ms"},
    }
    assert not rows(monitored, statuses="error")
    assert {number_of(row) for row in rows(monitored, statuses="ok")} >= set(QUIET)


def test_every_metric_that_suits_finds_its_drift_in_all_rows_and_in_each_segment(monitored):
    shifted = {
        (row["metric"], row["segment"]) for row in rows(monitored, SHIFTED, statuses="alarm", checks="data_drift")
    }
    segments = ("", "region=north", "region=south")
    names = {"global_test", *(metric.name for metric in DRIFT_METRICS)}
    # Of half the rows, chance makes so much of the largest difference that this one is not large enough.
    assert shifted == {(name, segment) for name in names for segment in segments} - {("l_infinity", "region=north")}
    missing = {row["metric"] for row in rows(monitored, MISSING, statuses="alarm", segments="", checks="data_drift")}
    # The order of values has not changed where values went missing, and metrics of order are over the values alone.
    assert missing == names - {"kolmogorov_smirnov", "wasserstein"}
    unseen = {row["metric"] for row in rows(monitored, NEW_COUNTRY, statuses="alarm", segments="", checks="data_drift")}
    assert unseen == {"global_test", *(metric.name for metric in DRIFT_METRICS if "categorical" in metric.layouts)}


def test_what_the_baseline_never_saw_is_stored_by_name(monitored):
    _, (whole, *segments) = monitored.read_profiles("loans", day(NEW_COUNTRY))
    country = whole.columns["country"]
    assert country.unseen == (("NL", country.counts[-1]),)
    assert sum(rows for part in segments for _, rows in part.columns["country"].unseen) == country.counts[-1]
    assert monitored.read_profiles("loans", day(QUIET[0]))[1][0].columns["country"].unseen == ()


def test_a_metric_that_does_not_suit_a_column_gives_no_row(monitored):
    for column, kind in (("amount", "numeric"), ("country", "categorical"), ("member", "categorical")):
        measured = {row["metric"] for row in rows(monitored, QUIET[0], columns=column, checks="data_drift")}
        assert measured == {metric.name for metric in DRIFT_METRICS if kind in metric.layouts}


@pytest.mark.parametrize(
    ("number", "metric", "column", "message"),
    [
        (
            SHIFTED,
            "psi",
            "amount",
            "amount moved: PSI 0.996 (alarm above 0.123; 0.023 expected by chance with 480 rows); "
            "[137.25,147.97) rose from 2.3 % to 13 %; "
            "0.21 % of rows lie above 180, the largest value of the baseline (up to 188)",
        ),
        (
            SHIFTED,
            "chi_squared",
            "amount",
            "amount moved: chi-squared 692, effect 0.474 (alarm above 0.144; 33 expected by chance with 480 rows); "
            "[137.25,147.97) rose from 2.3 % to 13 %; "
            "0.21 % of rows lie above 180, the largest value of the baseline (up to 188)",
        ),
        (
            NEW_COUNTRY,
            "jensen_shannon",
            "country",
            "country moved: Jensen-Shannon distance 0.372 (alarm above 0.105; 0.032 expected by chance with 480 rows); "
            "25 % of rows hold a value never seen in the baseline: NL",
        ),
        (
            MISSING,
            "psi",
            "age",
            "age moved: PSI 1.48 (alarm above 0.122; 0.022 expected by chance with 480 rows); "
            "missing values rose from 2 % to 42 %",
        ),
        (MISSING, "drifted_share", "", "1 of 5 columns moved: age"),
        (
            20,
            "psi",
            "amount",
            "amount is in order: PSI 0.0192 (alarm above 0.123; 0.023 expected by chance with 480 rows)",
        ),
        (
            20,
            "jensen_shannon",
            "amount",
            "amount is in order: Jensen-Shannon distance 0.109 (alarm above 0.153; 0.12 expected by chance with 480 "
            "rows)",
        ),
        (20, "wasserstein", "one", "one: Wasserstein distance cannot be measured, its baseline is constant"),
        (FEW, "psi", "amount", "amount: 40 rows are too few to judge, 50 are needed"),
        (FEW, "rows", "", "40 rows, not as expected (200 to 800 expected)"),
        (EMPTY, "rows", "", "no data: table 'inference_log' has no row in 2024-03-29T00:00Z/2024-03-30T00:00Z"),
        (EMPTY, "psi", "amount", "amount: 0 rows are too few to judge, 50 are needed"),
        (
            FAILING,
            "error_rate",
            "error",
            "44 of 480 inferences failed: 9.2 % (alarm above 5 %); Timeout: no answer (44)",
        ),
        (FAILING, "latency_p95", "latency_ms", "95 % of answers took at most 1,216 ms (alarm above 200 ms)"),
        (FAILING, "missing_predictions", "predicted", "44 of 480 inferences have no prediction: 9.2 %"),
    ],
)
def test_messages_read_as_a_person_writes(monitored, number, metric, column, message):
    found = rows(monitored, number, metrics=metric, columns=column, segments="")
    assert {row["message"] for row in found if row["check_name"] != "prediction_drift" or column} == {message}


def test_an_empty_window_is_no_data_and_the_others_are_done(monitored):
    runs = monitored.window_runs("loans", START, END)
    assert {run.window: run.state for run in runs} == {
        day(number): "empty" if number == EMPTY else "done" for number in range(20, 32)
    }
    assert [run.rows for run in runs] == [{EMPTY: 0, FEW: 40}.get(number, 480) for number in range(20, 32)]
    known = {row["metric"]: row["status"] for row in rows(monitored, EMPTY) if row["status"] != "insufficient_data"}
    assert known == {"rows": "alarm", "longest_silence": "alarm", "throughput": "info"}
    assert {row["value"] for row in rows(monitored, EMPTY) if row["metric"] not in known} == {None}


def raw(number, column):
    """Return a column's values in the baseline and on a day, straight from the made rows."""
    frame = inference_log.log()
    of_day = frame["asked_at"].dt.floor("D") == np.datetime64(day(number).start.replace(tzinfo=None))
    before = frame["asked_at"] < np.datetime64(START.replace(tzinfo=None))
    return frame.loc[before, column], frame.loc[of_day, column]


@pytest.mark.parametrize("number", [20, SHIFTED, NEW_COUNTRY, MISSING, FAILING])
def test_result_rows_hold_the_pure_functions_of_the_stored_counts(monitored, number):
    baseline_id, (whole, *_) = monitored.read_profiles("loans", day(number))
    baseline = monitored.read_baseline(baseline_id)
    seen = 0
    for name, current in whole.columns.items():
        reference, bins = baseline.columns[name], baseline.bins[name]
        for metric in DRIFT_METRICS:
            for row in rows(monitored, number, metrics=metric.name, columns=name, segments=""):
                if row["value"] is None:
                    assert (name, metric.name) == ("one", "wasserstein")
                    continue
                pair = select(metric, bins.kind, reference.array(), current.array())
                edges = (
                    [min(bins.edges[0], current.minimum), *bins.edges, max(bins.edges[-1], current.maximum)]
                    if (metric.needs_edges)
                    else None
                )
                extra = (edges, reference.standard_deviation) if metric.needs_edges else ()
                assert row["value"] == pytest.approx(metric.function(*pair, *extra), rel=1e-12)
                seen += 1
    assert seen == 9 * 3 - 1 + 7 * 2 + 9 + 7  # three numeric and two categorical features, the score, the prediction


@pytest.mark.parametrize("number", [20, SHIFTED])
def test_result_rows_agree_with_scipy_on_the_raw_rows(monitored, number):
    before, after = (values.to_numpy() for values in raw(number, "amount"))
    exact = scipy.stats.ks_2samp(before, after)
    found = one(monitored, number, "kolmogorov_smirnov", "amount")
    assert found["value"] <= exact.statistic + 1e-12
    assert found["value"] == pytest.approx(exact.statistic, abs=1 / 32)
    assert (found["p_value"] < 1e-10) == (exact.pvalue < 1e-10)
    distance = scipy.stats.wasserstein_distance(before, after) / before.std()
    baseline_id, _ = monitored.read_profiles("loans", day(number))
    edges = np.array([-np.inf, *monitored.read_baseline(baseline_id).bins["amount"].edges, np.inf])
    spans = np.diff(np.clip(edges, min(before.min(), after.min()), max(before.max(), after.max())))
    in_bins = sum(np.histogram(values, edges)[0] / len(values) for values in (before, after))
    error = (spans * in_bins / 2).sum() / before.std()  # as the metric's documentation states it
    assert error < 0.5
    assert one(monitored, number, "wasserstein", "amount")["value"] == pytest.approx(distance, abs=error)
    assert found["baseline_rows"] == len(before)
    assert found["window_rows"] == len(after)


@pytest.mark.parametrize("number", [20, NEW_COUNTRY])
def test_categories_agree_with_scipy_on_the_raw_rows(monitored, number):
    before, after = (values.value_counts() for values in raw(number, "country"))
    names = sorted({*before.index, *after.index})
    a, b = (np.array([counts.get(name, 0) for name in names]) for counts in (before, after))
    table = scipy.stats.chi2_contingency([a, b], correction=False)
    found = one(monitored, number, "chi_squared", "country")
    assert found["value"] == pytest.approx(table.statistic, rel=1e-9)
    # The bound is on the effect: in the column of bounds on the value it would be read against chi-squared itself.
    assert (found["threshold_upper"], found["detail"]["effect_threshold"]) == (None, pytest.approx(0.105, abs=0.005))
    p, q = a / a.sum(), b / b.sum()
    assert found["detail"]["effect"] == pytest.approx(np.sqrt(((p - q) ** 2 / (p + q)).sum() / 2))
    distance = scipy.spatial.distance.jensenshannon(a, b, base=2)
    assert one(monitored, number, "jensen_shannon", "country")["value"] == pytest.approx(distance)


def test_all_rows_of_a_column_have_the_p_value_of_the_test_of_the_column(monitored):
    for number in (20, SHIFTED):
        baseline_id, (whole, *_) = monitored.read_profiles("loans", day(number))
        baseline = monitored.read_baseline(baseline_id)
        reference, current = baseline.columns["amount"].array(), whole.columns["amount"].array()
        dispersion = Reference.of_baseline(baseline, timedelta(days=1)).dispersions[""]["amount"]
        assert dispersion.parts == 20
        expected = column_test(reference, current, "numeric", dispersion)
        for metric in DRIFT_METRICS:
            found = one(monitored, number, metric.name, "amount")
            assert found["p_value"] == pytest.approx(expected.p_value, rel=1e-9, abs=1e-300)
            assert found["detail"]["test"] == expected.strongest


@pytest.mark.parametrize("number", [20, FAILING])
def test_latency_percentiles_are_within_two_per_cent_of_numpys(monitored, number):
    _, latencies = raw(number, "latency_ms")
    for percentile in (50, 90, 95, 99):
        found = one(monitored, number, f"latency_p{percentile}", "latency_ms")
        exact = np.percentile(latencies, percentile, method="inverted_cdf")
        assert found["value"] == pytest.approx(exact, rel=0.02)
        assert found["window_rows"] == len(latencies)
    assert one(monitored, number, "latency_p95", "latency_ms")["threshold_upper"] == 200


def test_error_rate_counts_the_failures_of_a_text_and_of_a_boolean_column(monitored, duckdb_url, tmp_path):
    _, failed = raw(FAILING, "failed")
    found = one(monitored, FAILING, "error_rate", "error")
    assert found["value"] == failed.mean()
    interval = scipy.stats.binomtest(int(failed.sum()), len(failed)).proportion_ci(method="wilson")
    assert (found["value_lower"], found["value_upper"]) == pytest.approx((interval.low, interval.high))
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store, open_warehouse(duckdb_url) as warehouse:
        run_windows(inference_log.monitor(error="failed"), day(FAILING).start, END, warehouse=warehouse, store=store)
        assert one(store, FAILING, "error_rate", "failed")["value"] == failed.mean()


def test_a_fixed_threshold_replaces_significance_and_minimum_effect(duckdb_url, tmp_path):
    monitor = inference_log.monitor(
        "{data_drift: {metrics: [psi, jensen_shannon], fixed: {psi: 0.015}, minimum_effect: {jensen_shannon: 0.9}}}"
    )
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store, open_warehouse(duckdb_url) as warehouse:
        run_windows(monitor, day(20).start, day(23).end, warehouse=warehouse, store=store)
        quiet, shifted = one(store, 20, "psi", "amount"), one(store, SHIFTED, "jensen_shannon", "amount")
        assert (quiet["status"], quiet["threshold_upper"]) == ("alarm", 0.015)
        assert quiet["p_value"] > 0.1
        assert (shifted["status"], shifted["threshold_upper"]) == ("ok", pytest.approx(0.907, abs=0.001))


def test_a_profile_of_another_baseline_is_not_checked(duckdb_url, tmp_path):
    """As when only the check tasks are cleared after the file was edited."""
    monitor = inference_log.monitor()
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store, open_warehouse(duckdb_url) as warehouse:
        run_windows(monitor, day(20).start, day(20).end, warehouse=warehouse, store=store)
        edited = monitor.model_copy(update={"warehouse": "another"})
        with pytest.raises(DataError, match="was scanned before the monitor file named other columns or another"):
            check_window(edited, day(20), ["operations"], store)


def test_a_change_of_half_the_size_is_a_warning(duckdb_url, tmp_path):
    monitor = inference_log.monitor("{data_drift: {metrics: [psi], minimum_effect: {psi: 1.5}}}")
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store, open_warehouse(duckdb_url) as warehouse:
        run_windows(monitor, day(SHIFTED).start, day(SHIFTED).end, warehouse=warehouse, store=store)
        found = one(store, SHIFTED, "psi", "amount")
    assert found["status"] == "warning"
    assert found["message"].startswith("amount moved a little: PSI 0.996 (alarm above 1.52; 0.023 expected")


def copied(duckdb_url, tmp_path, *statements):
    """Return the URL of a copy of the warehouse in which something was changed."""
    copy = tmp_path / "changed.duckdb"
    copy.write_bytes(Path(duckdb_url.removeprefix("duckdb:///")).read_bytes())
    with duckdb.connect(str(copy)) as database:
        for statement in statements:
            database.execute(statement)
    return f"duckdb:///{copy}"


def test_a_vanished_and_a_retyped_column_cost_one_error_row_each(duckdb_url, tmp_path):
    statements = (
        "ALTER TABLE inference_log DROP age",
        "ALTER TABLE inference_log ALTER amount TYPE varchar",
        "ALTER TABLE inference_log DROP latency_ms",
    )
    with (
        open_store(f"sqlite:///{tmp_path / 'results.db'}") as store,
        open_warehouse(copied(duckdb_url, tmp_path, *statements)) as warehouse,
    ):
        runs = run_windows(inference_log.monitor(), START, day(24).end, warehouse=warehouse, store=store)
        errors = rows(store, 20, statuses="error")
        assert sorted((row["check_name"], row["column_name"], row["metric"], row["value"]) for row in errors) == [
            ("data_drift", "age", "unreadable", None),
            ("data_drift", "amount", "unreadable", None),
            ("operations", "latency_ms", "unreadable", None),
        ]
        messages = {row["column_name"]: row["message"] for row in errors}
        assert messages["age"].startswith("column 'age' is not in table 'inference_log'")
        assert messages["amount"] == (
            "column 'amount' of table 'inference_log' is text, not numeric: "
            "declare it categorical, or cast it in a view"
        )
        assert one(store, NEW_COUNTRY, "psi", "country")["status"] == "alarm"
        assert one(store, 20, "error_rate", "error")["status"] == "ok"
        assert {run.state for run in runs} == {"failed"}
        assert runs[0].error is not None
        assert "column 'age' is not in table" in runs[0].error


def without_clocks(runs):
    return [(run.window, run.state, run.rows, run.error) for run in runs]


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (ZeroDivisionError("division by zero"), "check concept_drift failed: ZeroDivisionError: division by zero"),
        (None, "check concept_drift failed: TypeError: 'NoneType' object is not iterable"),
        (
            [Result("auc", 0.5), Result("auc", 0.6)],
            "check concept_drift failed: DataError: check 'concept_drift' returned metric 'auc' of column '' and "
            "segment '' twice: return each once",
        ),
    ],
)
def test_a_failing_check_is_one_error_row_and_the_others_write(
    returned, message, monkeypatch, store: Store, duckdb_url
):
    def failing(_):
        if isinstance(returned, Exception):
            raise returned
        return returned

    monkeypatch.setattr(checks, "CHECKS", (Check("concept_drift", "performance", failing), *checks.CHECKS))
    with open_warehouse(duckdb_url) as warehouse:
        runs = run_windows(inference_log.monitor(), START, day(21).end, warehouse=warehouse, store=store)
    assert [run.state for run in runs] == ["failed"] * 2
    assert {run.error for run in runs} == {f"concept_drift: {message}"}
    for number in (20, 21):
        (error,) = rows(store, number, checks="concept_drift")
        assert (error["metric"], error["value"], error["status"], error["message"]) == ("check", None, "error", message)
        assert len(rows(store, number, checks="data_drift")) > 20
        assert one(store, number, "rows")["value"] == 480
    monkeypatch.undo()
    with open_warehouse(duckdb_url) as warehouse:
        healed = run_windows(inference_log.monitor(), START, day(21).end, warehouse=warehouse, store=store)
    assert [run.state for run in healed] == ["done"] * 2
    assert not rows(store, checks="concept_drift"), "a check that is no longer there leaves nothing behind"


def test_a_scan_that_fails_fails_its_windows_also_those_that_were_done(store: Store, duckdb_url, tmp_path):
    monitor = inference_log.monitor()
    with open_warehouse(duckdb_url) as warehouse:
        run_windows(monitor, START, day(20).end, warehouse=warehouse, store=store)
    gone = copied(duckdb_url, tmp_path, "ALTER TABLE inference_log RENAME TO moved")
    with open_warehouse(gone) as warehouse, pytest.raises(DataError, match="inference_log") as raised:
        run_windows(monitor, START, day(21).end, warehouse=warehouse, store=store)
    failed = [(day(20), "failed", None, str(raised.value)), (day(21), "failed", None, str(raised.value))]
    assert without_clocks(store.window_runs("loans", START, END)) == failed
    # What Airflow's last task does whatever the others did: it cannot close the window as done on the old profile.
    now = parse_instant("2024-05-01", "UTC")
    assert [close_window(monitor, day(number), store, now).state for number in (20, 21)] == ["failed"] * 2
    assert without_clocks(store.window_runs("loans", START, END)) == failed
    assert one(store, 20, "rows")["value"] == 480, "what was known stays to be looked at"
    with open_warehouse(duckdb_url) as warehouse:
        healed = run_windows(monitor, START, day(21).end, warehouse=warehouse, store=store)
    assert [run.state for run in healed] == ["done", "done"]


class Exhausted:
    """A warehouse whose driver runs out of memory while the windows are read, or is interrupted then."""

    def __init__(self, warehouse, error):
        self.warehouse, self.error = warehouse, error

    def __getattr__(self, name):
        return getattr(self.warehouse, name)

    def batches(self, _select, _rows):
        raise self.error


def test_any_error_of_a_scan_fails_its_windows(store: Store, duckdb_url):
    monitor = inference_log.monitor()
    with open_warehouse(duckdb_url) as warehouse:
        run_windows(monitor, START, day(20).end, warehouse=warehouse, store=store)
        with pytest.raises(MemoryError):
            run_windows(monitor, START, day(21).end, warehouse=Exhausted(warehouse, MemoryError("8 GB")), store=store)
    assert without_clocks(store.window_runs("loans", START, END)) == [
        (day(number), "failed", None, "MemoryError: 8 GB") for number in (20, 21)
    ]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(1)])
def test_an_interrupt_leaves_windows_as_they_were(error, store: Store, duckdb_url):
    monitor = inference_log.monitor()
    with open_warehouse(duckdb_url) as warehouse:
        run_windows(monitor, START, day(20).end, warehouse=warehouse, store=store)
        before = inference_log.contents(store, *inference_log.TABLES, "window_run")
        with pytest.raises(type(error)):
            run_windows(monitor, START, day(21).end, warehouse=Exhausted(warehouse, error), store=store)
        assert inference_log.contents(store, *inference_log.TABLES, "window_run") == before
        runs = run_windows(monitor, START, day(21).end, warehouse=warehouse, store=store)
    assert [run.state for run in runs] == ["done", "done"]


def test_an_error_goes_on_as_itself_when_it_cannot_be_recorded(duckdb_url, tmp_path):
    file = tmp_path / "results.db"

    class Full(Exhausted):
        def batches(self, select, rows):
            with closing(sqlite3.connect(file)) as database:
                database.execute("DROP TABLE window_run")
            return super().batches(select, rows)

    with (
        open_store(f"sqlite:///{file}") as store,
        open_warehouse(duckdb_url) as warehouse,
        pytest.raises(MemoryError) as raised,
    ):
        scan_windows(inference_log.monitor(), [day(20)], Full(warehouse, MemoryError()), store)
    assert raised.value.__notes__[0].startswith("the windows could not be recorded as failed: ")


@pytest.mark.parametrize(
    ("url", "kind"),
    [("postgresql://nobody@127.0.0.1:1/none", TransientError), ("duckdb:///not/there.duckdb", DataError)],
)
def test_a_warehouse_that_cannot_be_opened_keeps_its_class_and_fails_the_windows(url, kind, tmp_path, monkeypatch):
    monkeypatch.setenv("MONITORING_WAREHOUSE_LOANS", url)
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store:
        with pytest.raises(kind) as raised:
            run_windows(inference_log.monitor(), START, day(21).end, store=store)
        runs = without_clocks(store.window_runs("loans", START, END))
    assert runs == [(day(number), "failed", None, str(raised.value)) for number in (20, 21)]


def test_a_missing_setting_changes_nothing(store: Store, duckdb_url, monkeypatch):
    with open_warehouse(duckdb_url) as warehouse:
        run_windows(inference_log.monitor(), START, day(20).end, warehouse=warehouse, store=store)
    before = inference_log.contents(store, *inference_log.TABLES, "window_run")
    monkeypatch.delenv("MONITORING_WAREHOUSE_LOANS", raising=False)
    with pytest.raises(ConfigError, match="set MONITORING_WAREHOUSE_LOANS to a SQLAlchemy URL"):
        run_windows(inference_log.monitor(), START, day(20).end, store=store)
    assert inference_log.contents(store, *inference_log.TABLES, "window_run") == before


@pytest.mark.parametrize("number", [5, 21], ids=["baseline", "window"])
def test_a_file_of_another_type_is_told_with_its_table(number, duckdb_url, tmp_path):
    (tmp_path / "inference_log").mkdir()
    file = f"{tmp_path}/inference_log/day_{{}}.parquet"
    days = [5, 20, 21]
    with duckdb.connect(duckdb_url.removeprefix("duckdb:///"), read_only=True) as database:
        for each in days:
            moment = "epoch_us(asked_at)" if each == number else "asked_at"
            chosen = f"FROM inference_log WHERE asked_at::date = DATE '{day(each).start:%F}'"
            rows = f"SELECT * REPLACE ({moment} AS asked_at) {chosen}"
            database.execute(f"COPY ({rows}) TO '{file.format(f'{each:02}')}'")
        if number == 5:  # the first file decides the types of all
            database.execute(f"COPY (FROM inference_log LIMIT 1) TO '{file.format('00')}'")
    with (
        open_store(f"sqlite:///{tmp_path / 'results.db'}") as store,
        open_warehouse(f"duckdb:///{tmp_path}") as warehouse,
    ):
        with pytest.raises(DataError, match=r"^table 'inference_log': the query: .*BIGINT") as raised:
            run_windows(inference_log.monitor(), START, day(21).end, warehouse=warehouse, store=store)
        assert {run.error for run in store.window_runs("loans", START, END)} == {str(raised.value)}


def test_no_whole_window_is_said_with_the_period(duckdb_url, tmp_path):
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store, open_warehouse(duckdb_url) as warehouse:
        noon = parse_instant("2024-03-21T12:00", "UTC")
        with pytest.raises(ConfigError) as raised:
            run_windows(inference_log.monitor(), START, noon, warehouse=warehouse, store=store)
    assert str(raised.value) == (
        "monitor 'loans': no whole window of '0 0 * * *' (UTC) lies between 2024-03-21T00:00Z and 2024-03-21T12:00Z"
    )


def test_windows_that_have_not_ended_are_refused_before_anything_is_read(duckdb_url, tmp_path):
    noon = parse_instant("2024-03-22T12:00:30.5", "UTC")
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store, open_warehouse(duckdb_url) as warehouse:
        arguments = {"warehouse": warehouse, "store": store, "now": noon}
        with pytest.raises(ConfigError) as raised:
            run_windows(inference_log.monitor(), START, day(23).end, **arguments)
        assert str(raised.value) == (
            "monitor 'loans': window 2024-03-22T00:00Z/2024-03-23T00:00Z has not ended yet, it is "
            "2024-03-22T12:00:30Z: choose a period that ends by 2024-03-22T00:00Z"
        )
        assert store.query("SELECT * FROM baseline") == store.query("SELECT * FROM window_run") == []
        runs = run_windows(inference_log.monitor(), START, parse_instant("2024-03-22T23:00", "UTC"), **arguments)
        assert [run.window for run in runs] == [day(20)]


def planted(store, monitor, *names):
    """Replace these checks' results of day 20 by one that no check computes."""
    for name in names:
        digest = store.window_state("loans", day(20)).digest
        result = [Result("planted", 1.0)]
        store.write_results("loans", day(20), name, result, config_hash=monitor.config_hash, digest=digest)


def test_one_check_can_be_run_again_and_leaves_the_others_alone(store: Store, duckdb_url):
    monitor = inference_log.monitor()
    with open_warehouse(duckdb_url) as warehouse:
        run_windows(monitor, START, day(21).end, warehouse=warehouse, store=store)
        before = rows(store, checks="operations")
        planted(store, monitor, "data_drift", "operations")
        runs = run_windows(monitor, START, day(21).end, checks=["operations"], warehouse=warehouse, store=store)
        assert [run.state for run in runs] == ["done"] * 2
        assert {row["check_name"] for row in rows(store, metrics="planted")} == {"data_drift"}
        assert rows(store, checks="operations") == before
        with pytest.raises(ConfigError, match="computes no check typo: it has data_drift, prediction_drift, data_q"):
            run_windows(monitor, START, day(21).end, checks=["typo"], warehouse=warehouse, store=store)


def test_after_an_edit_of_the_file_one_check_does_not_stand_beside_the_old_results_of_others(store: Store, duckdb_url):
    strict = inference_log.monitor("{data_drift: {fixed: {psi: 0.0}}, operations: {expected_rows: 9}}")
    with open_warehouse(duckdb_url) as warehouse:
        arguments = {"warehouse": warehouse, "store": store}
        run_windows(strict, START, day(21).end, **arguments)
        wanted = inference_log.contents(store)
        run_windows(inference_log.monitor(), START, day(21).end, **arguments)
        assert inference_log.contents(store) != wanted
        runs = run_windows(strict, START, day(21).end, checks=["operations"], **arguments)
    assert inference_log.contents(store) == wanted
    assert {(run.state, run.config_hash) for run in runs} == {("done", strict.config_hash)}


def test_a_window_is_not_closed_over_results_of_an_edited_file(store: Store, duckdb_url):
    strict = inference_log.monitor("{data_drift: {fixed: {psi: 0.0}}}")
    with open_warehouse(duckdb_url) as warehouse:
        run_windows(inference_log.monitor(), START, day(20).end, warehouse=warehouse, store=store)
    check_window(strict, day(20), ["data_drift"], store)
    closed = close_window(strict, day(20), store, parse_instant("2024-05-01", "UTC"))
    assert (closed.state, closed.error) == (
        "failed",
        "written before the monitor file was edited, run again: data_quality, multivariate_drift, operations, "
        "prediction_drift",
    )


def test_what_an_earlier_version_stored_is_run_again(store: Store, duckdb_url):
    """It kept neither the digest of the profile nor the hash of the monitor file."""
    monitor = inference_log.monitor()
    with open_warehouse(duckdb_url) as warehouse:
        run_windows(monitor, START, day(21).end, warehouse=warehouse, store=store)
        wanted = inference_log.contents(store)
        planted(store, monitor, "data_drift", "prediction_drift")
        with store.writing("loans") as connection:
            connection.exec_driver_sql("UPDATE profile SET digest = NULL WHERE window_start >= '2024-03-21'")
            connection.exec_driver_sql("UPDATE check_run SET config_hash = NULL")
        with pytest.raises(DataError, match=r"no profile of .* that this version has stored: scan the window first"):
            check_window(monitor, day(20), ["operations"], store)
        closed = close_window(monitor, day(20), store, parse_instant("2024-05-01", "UTC"))
        assert closed.state == "failed"
        run_windows(monitor, START, day(21).end, checks=["operations"], warehouse=warehouse, store=store)
    assert inference_log.contents(store) == wanted


def test_progress_tells_each_step_from_nothing_to_all(duckdb_url, tmp_path):
    told = []
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store, open_warehouse(duckdb_url) as warehouse:
        run_windows(
            inference_log.monitor(),
            START,
            day(22).end,
            warehouse=warehouse,
            store=store,
            progress=lambda *step: told.append(step),
        )
    steps = list(dict.fromkeys(step for step, _, _ in told))
    assert sorted(steps) == ["Check", "Measure the baseline", "Scan"]
    for step, total in (("Measure the baseline", 1), ("Scan", 5), ("Check", 3)):
        assert [done for name, done, _ in told if name == step] == list(range(total + 1))


def errors_of(store, number):
    """Return the day's error rows: check and message by column."""
    found = rows(store, number, statuses="error")
    assert len({row["column_name"] for row in found}) == len(found), "one row per column"
    return {row["column_name"]: (row["check_name"], row["message"]) for row in found}


def without(column, reason):
    """Return what is said of a column that the baseline does not have."""
    return (
        f"the baseline was measured without column {column!r} and never changes ({reason}): once that is mended, name "
        "another period or table under `baseline` to measure a new one"
    )


def test_a_lost_column_leaves_the_bins_of_the_others_as_they_are(duckdb_url, store: Store, tmp_path):
    monitor = inference_log.monitor()
    changed = copied(
        duckdb_url,
        tmp_path,
        "ALTER TABLE inference_log DROP age",
        "ALTER TABLE inference_log ALTER amount TYPE varchar",
        "DELETE FROM inference_log WHERE id < 5000",
    )
    for url, number in ((duckdb_url, 20), (changed, 21), (duckdb_url, 23)):
        with open_warehouse(url) as warehouse:
            (run,) = run_windows(monitor, day(number).start, day(number).end, warehouse=warehouse, store=store)
        assert run.state == ("failed" if number == 21 else "done")
    assert len(store.query("SELECT baseline_id FROM baseline")) == 1
    assert one(store, 21, "psi", "one")["baseline_rows"] == one(store, 20, "psi", "one")["baseline_rows"] == 9600
    errors = errors_of(store, 21)
    assert errors.keys() == {"age", "amount"}
    assert errors["age"][1].startswith(
        "column 'age' was in the baseline and is not in table 'inference_log' any more; it has id, asked_at, amount,"
    )
    assert one(store, 23, "psi", "age")["status"] == "ok"


class Faltering(Overheard):
    """A warehouse that scans, and does not answer the first few statements that draw rows."""

    def __init__(self, warehouse, times):
        super().__init__(warehouse)
        self.columns, self.partition_keys, self.batches = warehouse.columns, warehouse.partition_keys, warehouse.batches
        self.times = times
        self.refused = 0

    def query(self, select):
        if self.refused < self.times and "MD5(" in select.sql(dialect=self.dialect):
            self.refused += 1
            raise TransientError("the server closed the connection")
        return super().query(select)


@pytest.mark.parametrize("times", [1, 100])
def test_rows_that_cannot_be_read_cost_a_window_one_check_and_no_other_window(times, duckdb_url, undisturbed, tmp_path):
    monitor = inference_log.monitor()
    wanted = undisturbed(monitor)
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store, open_warehouse(duckdb_url) as warehouse:
        with pytest.raises(UnreadError) as raised:
            run_windows(monitor, START, END, warehouse=Faltering(warehouse, times), store=store)
        # After three windows in a row it is not asked any more; two of the twelve have too few rows to draw from.
        failed = set(range(20, 20 + times)) if times < 3 else {*range(20, 32)} - {EMPTY, FEW}
        reason = (
            "multivariate_drift: table 'inference_log': the server closed the connection"
            if times < 3
            else "multivariate_drift: the warehouse did not answer for the windows before and was not asked again"
        )
        first = f"{day(20)}: multivariate_drift: table 'inference_log': the server closed the connection"
        assert str(raised.value) == (
            f"monitor 'loans': {len(failed)} of 12 windows failed because their rows could not be read, first {first}; "
            "run them again"
        )
        runs = {(run.window.start - FIRST).days: run for run in store.window_runs("loans", START, END)}
        assert runs.keys() == {*range(20, 32)}
        assert {number for number, run in runs.items() if run.state == "failed"} == failed
        assert runs[max(failed)].error == reason
        unread = {("multivariate_drift", day(number).start) for number in failed}
        assert inference_log.contents(store)["result"] == [
            row for row in wanted["result"] if (row["check_name"], row["window_start"]) not in unread
        ]
        runs = run_windows(monitor, START, END, warehouse=warehouse, store=store)
        assert {run.state for run in runs} == {"done", "empty"}
        assert inference_log.contents(store) == wanted


def test_a_done_window_is_failed_when_its_rows_cannot_be_read_again(duckdb_url, tmp_path):
    monitor = inference_log.monitor()
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store, open_warehouse(duckdb_url) as warehouse:
        run_windows(monitor, day(20).start, day(20).end, warehouse=warehouse, store=store)
        again = {"checks": ["multivariate_drift"], "store": store}
        with pytest.raises(UnreadError):
            run_windows(monitor, day(20).start, day(20).end, warehouse=Faltering(warehouse, 1), **again)
        (run,) = store.window_runs("loans", day(20).start, day(20).end)
        reason = "multivariate_drift: table 'inference_log': the server closed the connection"
        assert (run.state, run.error, run.rows) == ("failed", reason, 480)
        (run,) = run_windows(monitor, day(20).start, day(20).end, warehouse=warehouse, **again)
        assert (run.state, run.error) == ("done", None)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            "ALTER TABLE inference_log DROP age",
            "column 'age' was in the baseline and is not in table 'inference_log' any more; it has id, asked_at,",
        ),
        (
            "ALTER TABLE inference_log ALTER age TYPE varchar",
            "column 'age' of table 'inference_log' is text and is counted as numeric: cast it in a view",
        ),
    ],
)
@pytest.mark.parametrize("features", ["'*'", "[amount, age, country, member, one]"])
def test_what_the_table_decided_holds_on_when_the_table_changes(features, statement, message, duckdb_url, tmp_path):
    monitor = inference_log.monitor(features=features)
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store:
        for url, number in ((duckdb_url, 20), (copied(duckdb_url, tmp_path, statement), 21)):
            with open_warehouse(url) as warehouse:
                run_windows(monitor, day(number).start, day(number).end, warehouse=warehouse, store=store)
        assert len(store.query("SELECT baseline_id FROM baseline")) == 1
        assert errors_of(store, 20) == {}
        assert errors_of(store, 21).keys() == {"age"}
        assert errors_of(store, 21)["age"][0] == "data_drift"
        assert errors_of(store, 21)["age"][1].startswith(message)
        assert one(store, 21, "psi", "amount")["status"] == "ok"


def test_a_segment_whose_value_holds_nul_is_monitored_like_any_other(duckdb_url, store: Store, tmp_path):
    """No database keeps the character in a text; DuckDB and Parquet do."""
    odd = copied(
        duckdb_url, tmp_path, "UPDATE inference_log SET region = 'nor' || chr(0) || 'th' WHERE region = 'north'"
    )
    for number in (20, SHIFTED):  # the second finds the baseline in the store
        with open_warehouse(odd) as warehouse:
            (run,) = run_windows(
                inference_log.monitor(), day(number).start, day(number).end, warehouse=warehouse, store=store
            )
        assert run.state == "done"
        assert {row["segment"] for row in rows(store, number)} == {"", "region=nor␀th", "region=south"}
    assert len(store.query("SELECT baseline_id FROM baseline")) == 1
    assert one(store, SHIFTED, "psi", "amount", "region=nor␀th")["status"] == "alarm"


def test_a_new_column_is_named_and_changes_nothing(duckdb_url, tmp_path):
    monitor = inference_log.monitor(features="'*'")
    more = copied(duckdb_url, tmp_path, "ALTER TABLE inference_log ADD COLUMN city varchar DEFAULT 'Paris'")
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store:
        for url, number in ((duckdb_url, 20), (more, 21)):
            with open_warehouse(url) as warehouse:
                (run,) = run_windows(monitor, day(number).start, day(number).end, warehouse=warehouse, store=store)
            assert run.state == "done"
        assert len(store.query("SELECT baseline_id FROM baseline")) == 1
        (new,) = rows(store, columns="city")
    assert (number_of(new), new["check_name"], new["metric"], new["status"]) == (21, "data_drift", "new_column", "info")
    assert new["message"] == (
        "column 'city' is in table 'inference_log' and not in the baseline, so it is compared with nothing: "
        "to compare it, name another period or table under `baseline`"
    )


def test_a_weight_of_no_feature_of_a_star_is_one_error_row(duckdb_url, tmp_path):
    checks = "{data_drift: {importance: {amount: 2, amuont: 3, predicted: 4, city: 5}}}"
    monitor = inference_log.monitor(checks, features="'*'")
    more = copied(duckdb_url, tmp_path, "ALTER TABLE inference_log ADD COLUMN city varchar DEFAULT 'Paris'")
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store:
        for url, number in ((duckdb_url, 20), (more, 21)):
            with open_warehouse(url) as warehouse:
                (run,) = run_windows(monitor, day(number).start, day(number).end, warehouse=warehouse, store=store)
            assert run.state == "failed"
        assert {name: check for name, (check, _) in errors_of(store, 20).items()} == dict.fromkeys(
            ["amuont", "predicted", "city"], "data_drift"
        )
        assert errors_of(store, 20)["amuont"][1] == (
            "column 'amuont' has a weight in `importance` and is no feature: did you mean 'amount'?"
        )
        # What has come since the baseline has a row of its own.
        assert errors_of(store, 21).keys() == {"amuont", "predicted"}
        assert [row["column_name"] for row in rows(store, 21, metrics="new_column")] == ["city"]


def test_a_column_that_the_baseline_was_measured_without_says_how_to_get_it(duckdb_url, tmp_path):
    monitor = inference_log.monitor()
    less = copied(
        duckdb_url,
        tmp_path,
        *(f"ALTER TABLE inference_log DROP {name}" for name in ("age", "predicted", "latency_ms", "error", "region")),
    )
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store:
        for url, number in ((less, 20), (duckdb_url, FAILING)):
            with open_warehouse(url) as warehouse:
                run_windows(monitor, day(number).start, day(number).end, warehouse=warehouse, store=store)
        assert {name: check for name, (check, _) in errors_of(store, 20).items()} == {
            "age": "data_drift",
            "predicted": "prediction_drift",
            "latency_ms": "operations",
            "error": "operations",
            "region": "operations",
        }
        first, later = errors_of(store, 20), errors_of(store, FAILING)
        # What needs no reference is counted as soon as it is there.
        assert later.keys() == {"age", "predicted", "region"}
        for name, (check, message) in later.items():
            assert (check, message) == (first[name][0], without(name, first[name][1]))
        assert one(store, FAILING, "error_rate", "error")["value"] == raw(FAILING, "failed")[1].mean()
        assert one(store, FAILING, "missing_predictions", "predicted")["value"] == raw(FAILING, "failed")[1].mean()
        exact = np.percentile(raw(FAILING, "latency_ms")[1], 95, method="inverted_cdf")
        assert one(store, FAILING, "latency_p95", "latency_ms")["value"] == pytest.approx(exact, rel=0.02)
        new = inference_log.monitor(baseline="{period: {start: 2024-03-02, end: 2024-03-21}}")
        with open_warehouse(duckdb_url) as warehouse:
            (run,) = run_windows(new, day(20).start, day(20).end, warehouse=warehouse, store=store)
        assert (run.state, run.error) == ("done", None)


def test_a_training_set_lacks_what_only_inferences_have(duckdb_url, tmp_path):
    """Each column costs itself at most: one is not there, one is of another type, and nothing vanishes silently."""
    url = copied(
        duckdb_url,
        tmp_path,
        "CREATE TABLE training AS SELECT 'EUR ' || amount AS amount, country, member, one, probability "
        "FROM inference_log WHERE id < 9000",
        "ALTER TABLE inference_log ADD COLUMN version varchar DEFAULT '7'",
    )
    monitor = inference_log.monitor(baseline="{table: training}", error="error\n  model_version: version")
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store, open_warehouse(url) as warehouse:
        run_windows(monitor, day(FAILING).start, day(FAILING).end, warehouse=warehouse, store=store)
        assert one(store, FAILING, "psi", "country")["baseline_rows"] == 9000
        assert one(store, FAILING, "psi", "probability")["status"] == "alarm"
        assert one(store, FAILING, "latency_p50", "latency_ms")["window_rows"] == 480
        assert one(store, FAILING, "error_rate", "error")["value"] == raw(FAILING, "failed")[1].mean()
        assert one(store, FAILING, "missing_predictions", "predicted")["value"] == raw(FAILING, "failed")[1].mean()
        assert store.read_profiles("loans", day(FAILING))[1][0].columns["version"].counts == (0, 0, 480)
        has = "is not in table 'training'; it has amount, country, member, one, probability"
        text = "column 'amount' of table 'training' is text, not numeric: declare it categorical, or cast it in a view"
        assert errors_of(store, FAILING) == {
            "age": ("data_drift", without("age", f"column 'age' {has}")),
            "amount": ("data_drift", without("amount", text)),
            "predicted": ("prediction_drift", without("predicted", f"column 'predicted' {has}")),
            "region": ("operations", without("region", f"column 'region' {has}")),
        }
        problems = column_problems(
            monitor, warehouse.columns("training"), "training", warehouse.columns("inference_log")
        )
    assert {problem.key.rpartition(".")[2] for problem in problems} == {"age", "amount", "prediction", "segments[0]"}


def test_a_training_set_that_a_star_shares_some_columns_with(duckdb_url, tmp_path):
    url = copied(
        duckdb_url,
        tmp_path,
        "CREATE TABLE training AS SELECT amount, age::varchar AS age, predicted, probability, region "
        "FROM inference_log WHERE id < 9000",
    )
    monitor = inference_log.monitor(features="'*'", baseline="{table: training}")
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store, open_warehouse(url) as warehouse:
        run_windows(monitor, day(20).start, day(20).end, warehouse=warehouse, store=store)
        assert {row["column_name"] for row in rows(store, metrics="psi", checks="data_drift")} == {"amount", "region"}
        new = {row["column_name"] for row in rows(store, metrics="new_column")}
        assert new == {"country", "member", "one", "failed"}
        text = "column 'age' of table 'training' is text and is counted as numeric: cast it in a view"
        assert errors_of(store, 20) == {"age": ("data_drift", without("age", text))}


@pytest.mark.parametrize("off", [(), ("data_drift",), ("prediction_drift",), ("data_drift", "prediction_drift")])
def test_every_missing_column_is_one_error_row_whatever_checks_are_on(off, duckdb_url, tmp_path):
    monitor = inference_log.monitor(
        f"{{{', '.join(f'{name}: off' for name in off)}}}", error="error\n  model_version: version"
    )
    url = copied(duckdb_url, tmp_path, "CREATE VIEW bare AS SELECT id, asked_at FROM inference_log")
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store, open_warehouse(url) as warehouse:
        bare = monitor.inference_log.model_copy(update={"table": "bare"})
        monitor = monitor.model_copy(update={"inference_log": bare})
        run_windows(monitor, day(20).start, day(20).end, warehouse=warehouse, store=store)
        found = {name: check for name, (check, _) in errors_of(store, 20).items()}
    features = dict.fromkeys(["amount", "age", "country", "member", "one"], "data_drift")
    predictions = dict.fromkeys(["predicted", "probability"], "prediction_drift")
    operated = dict.fromkeys(["region", "version", "latency_ms", "error"], "operations")
    expected = {**features, **predictions, **operated}
    assert found == {name: "operations" if check in off else check for name, check in expected.items()}


def test_a_star_does_not_stand_for_the_folders_of_a_table(duckdb_url, tmp_path):
    with duckdb.connect(duckdb_url.removeprefix("duckdb:///"), read_only=True) as database:
        dated = "SELECT *, asked_at::date AS day FROM inference_log"
        database.execute(f"COPY ({dated}) TO '{tmp_path / 'inference_log'}' (FORMAT parquet, PARTITION_BY (day))")
    monitor = inference_log.monitor(features="'*'")
    with (
        open_store(f"sqlite:///{tmp_path / 'results.db'}") as store,
        open_warehouse(f"duckdb:///{tmp_path}") as warehouse,
    ):
        assert "day" in warehouse.columns("inference_log")
        run_windows(monitor, START, day(20).end, warehouse=warehouse, store=store)
        features = {row["column_name"] for row in rows(store, checks="data_drift")} - {""}
    assert features == {"amount", "age", "country", "member", "one", "region", "failed"}


DATED = "CREATE VIEW dated AS SELECT * REPLACE (asked_at::date AS asked_at) FROM inference_log"


def dated(**changes):
    monitor = inference_log.monitor(**changes)
    log = monitor.inference_log.model_copy(update={"table": "dated"})
    return monitor.model_copy(update={"inference_log": log})


def test_a_date_names_a_day_of_the_monitors_time_zone(duckdb_url, tmp_path):
    monitor = dated(schedule='"@daily"\ntimezone: America/New_York')
    with (
        open_store(f"sqlite:///{tmp_path / 'results.db'}") as store,
        open_warehouse(copied(duckdb_url, tmp_path, DATED)) as warehouse,
    ):
        runs = run_windows(monitor, START, END, warehouse=warehouse, store=store)
        assert str(runs[0].window) == "2024-03-21T04:00Z/2024-03-22T04:00Z"
        rows_of_day = {EMPTY: 0, FEW: 40}
        assert [run.rows for run in runs] == [rows_of_day.get(number, 480) for number in range(20, 31)]
        (baseline,) = store.query("SELECT rows FROM baseline")
        assert baseline["rows"] == 20 * 480


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"schedule": '"@hourly"'},
            "is a date, and windows of `schedule` '0 * * * *' do not begin at midnight: "
            "write a schedule of whole days such as @daily, or name a column of times",
        ),
        (
            {"baseline": "{period: {start: 2024-03-01T06:00, end: 2024-03-21}}"},
            "is a date, and `baseline.period` does not begin and end at midnight in UTC: "
            "write dates without times there, or name a column of times",
        ),
    ],
)
def test_a_date_cannot_tell_parts_of_a_day(changes, message, duckdb_url, tmp_path):
    monitor = dated(**changes)
    with (
        open_store(f"sqlite:///{tmp_path / 'results.db'}") as store,
        open_warehouse(copied(duckdb_url, tmp_path, DATED)) as warehouse,
    ):
        with pytest.raises(DataError) as raised:
            run_windows(monitor, START, END, warehouse=warehouse, store=store)
        (problem,) = column_problems(monitor, warehouse.columns("dated"), "dated")
    assert str(raised.value) == f"monitor 'loans': inference_log.timestamp 'asked_at' of table 'dated' {message}"
    assert f"{problem.key} {problem.message}: {problem.remedy}" == f"inference_log.timestamp 'asked_at' {message}"


def test_a_scan_reads_the_baseline_once(duckdb_url, tmp_path):
    steps = []
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store, open_warehouse(duckdb_url) as warehouse:
        for number in (20, 21):
            windows = [day(number)]
            scan_windows(inference_log.monitor(), windows, warehouse, store, lambda step, *_: steps.append(step))
        assert len(store.query("SELECT baseline_id FROM baseline")) == 1
    assert steps.count("Measure the baseline") == 2  # begun and ended, in the first scan only


def test_a_window_of_the_baselines_period_is_compared_with_the_rest_of_it(warehouse, tmp_path):
    """A window is never in its own baseline; rows that came since are no reason to fail."""
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store:
        run_windows(inference_log.monitor(), day(3).start, day(5).end, warehouse=warehouse, store=store)
        run_windows(inference_log.monitor(), day(20).start, day(20).end, warehouse=warehouse, store=store)
        (inside,) = rows(store, 3, metrics="psi", columns="amount", segments="")
        (after,) = rows(store, 20, metrics="psi", columns="amount", segments="")
        assert inside["baseline_rows"] == after["baseline_rows"] - inside["window_rows"]
        assert inside["detail"]["compared_with"] == "baseline, without this window"
        assert "compared_with" not in after["detail"]
        (north,) = rows(store, 3, metrics="psi", columns="amount", segments="region=north")
        (later,) = rows(store, 20, metrics="psi", columns="amount", segments="region=north")
        assert north["baseline_rows"] == later["baseline_rows"] - north["window_rows"]


def test_a_window_that_ends_after_the_period_is_compared_with_all_of_it_and_says_so(warehouse, tmp_path):
    """Its rows before the end cannot be told from those after it by the profile; a week is of both."""
    monitor = inference_log.monitor(schedule='"@weekly"')
    week = Window.parse("2024-03-17", "2024-03-24")
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store:
        run_windows(monitor, week.start, week.end, warehouse=warehouse, store=store)
        found = [*store.results("loans", metrics=["psi", "domain_classifier_auc"], segments=[""])]
    assert {row["baseline_rows"] for row in found} == {9600}
    assert {row["detail"]["compared_with"] for row in found} == {"baseline, which holds a part of this window"}
    assert {row["metric"] for row in found} == {"psi", "domain_classifier_auc"}
