"""Rows, failures and latencies, from counts alone."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from monitoring_tasks.checks import Result, enabled, families, not_computed, not_computed_in_words
from monitoring_tasks.checks.operations import operations
from monitoring_tasks.profile import Bins
from monitoring_tasks.warehouse.bins import LATENCY_EDGES
from tests import inference_log
from tests.checks.context import categorical, context, numeric

BINS = {
    "predicted": Bins("categorical", categories=("0", "1")),
    "error": Bins("categorical", categories=("Timeout",)),
    "latency_ms": Bins("numeric", LATENCY_EDGES, exponent=20),
}


def found(settings: str, rows: int, failed: int = 0, latencies: np.ndarray | None = None) -> dict[str, Result]:
    monitor = inference_log.monitor(f"{{operations: {settings}}}")
    values = np.full(rows, 40.0) if latencies is None else latencies
    of = [
        categorical("predicted", failed, rows - failed, 0, 0, 0),
        categorical("error", rows - failed, failed, 0, 0),
        numeric("latency_ms", BINS["latency_ms"], values),
    ]
    return {result.metric: result for result in operations(context(monitor, BINS, {"": of}, {"": of}))}


@pytest.mark.parametrize(
    ("expected", "rows", "bounds", "status", "message"),
    [
        (
            "null",
            1000,
            (None, None),
            "info",
            "1,000 rows, with too few to compare: 0 earlier windows of this time of the week, 4 are needed",
        ),
        ("1000", 1000, (500, 2000), "ok", "1000 rows, in order (500 to 2000 expected)"),
        ("1000", 499, (500, 2000), "alarm", "499 rows, not as expected (500 to 2000 expected)"),
        ("1000", 2001, (500, 2000), "alarm", "2001 rows, not as expected (500 to 2000 expected)"),
        ("{minimum: 900}", 899, (900, None), "alarm", "899 rows, not as expected (900 to any expected)"),
        ("{maximum: 900}", 899, (None, 900), "ok", "899 rows, in order (0 to 900 expected)"),
        ("{minimum: 10, maximum: 20}", 15, (10, 20), "ok", "15 rows, in order (10 to 20 expected)"),
    ],
)
def test_rows_against_what_is_expected(expected, rows, bounds, status, message):
    result = found(f"{{expected_rows: {expected}}}", rows)["rows"]
    assert (result.value, result.window_rows) == (rows, rows)
    assert (result.threshold_lower, result.threshold_upper) == bounds
    assert (result.decided(), result.message) == (status, message)


@pytest.mark.parametrize(
    ("expected", "lower", "status"),
    [("null", 1, "alarm"), ("1000", 500, "alarm"), ("{maximum: 9}", 1, "alarm"), ("{minimum: 0}", 0, "ok")],
)
def test_no_row_at_all_is_an_alarm_unless_the_file_says_that_it_is_in_order(expected, lower, status):
    results = found(f"{{expected_rows: {expected}, maximum_error_rate: 0.1, latency_p95_ms: 9}}", 0)
    rows = results.pop("rows")
    assert (rows.value, rows.threshold_lower, rows.decided()) == (0, lower, status)
    assert rows.message == "no data: table 'inference_log' has no row in 2024-04-01T00:00Z/2024-04-02T00:00Z"
    assert {(result.value, result.status, result.message) for result in results.values()} == {
        (None, "insufficient_data", "no rows"),
        (None, "insufficient_data", "no latencies"),
    }


@pytest.mark.parametrize(
    ("failed", "status", "message"),
    [
        (0, "ok", "0 of 1000 inferences failed: 0 % (alarm above 1 %)"),
        (10, "ok", "10 of 1000 inferences failed: 1 % (alarm above 1 %); Timeout (10)"),
        (11, "alarm", "11 of 1000 inferences failed: 1.1 % (alarm above 1 %); Timeout (11)"),
        (998, "alarm", "998 of 1000 inferences failed: 99.8 % (alarm above 1 %); Timeout (998)"),
        (1000, "alarm", "1000 of 1000 inferences failed: 100 % (alarm above 1 %); Timeout (1000)"),
    ],
)
def test_error_rate_with_its_interval(failed, status, message):
    result = found("{maximum_error_rate: 0.01}", 1000, failed)["error_rate"]
    assert (result.value, result.decided(), result.message) == (failed / 1000, status, message)
    interval = scipy.stats.binomtest(failed, 1000).proportion_ci(method="wilson")
    assert (result.value_lower, result.value_upper) == pytest.approx((interval.low, interval.high), abs=1e-12)


def test_missing_predictions_are_counted_and_judged_by_nobody():
    result = found("{}", 1000, 25)["missing_predictions"]
    assert (result.value, result.decided()) == (0.025, "info")
    assert result.message == "25 of 1000 inferences have no prediction: 2.5 %"


@pytest.mark.parametrize("seed", range(5))
def test_latency_percentiles_are_within_two_per_cent_of_numpys(seed):
    rng = np.random.default_rng(seed)
    latencies = rng.lognormal(rng.uniform(-1, 8), rng.uniform(0.1, 2.0), 5000)
    results = found("{}", 5000, latencies=latencies)
    for percentile in (50, 90, 95, 99):
        exact = np.percentile(latencies, percentile, method="inverted_cdf")
        assert results[f"latency_p{percentile}"].value == pytest.approx(exact, rel=0.02)


def test_the_bound_on_latency_is_on_the_95th_percentile_and_slow_answers_are_written_out():
    results = found("{latency_p95_ms: 1000}", 100, latencies=np.full(100, 25_000.0))
    assert {name: result.decided() for name, result in results.items() if name.startswith("latency")} == {
        "latency_p50": "info",
        "latency_p90": "info",
        "latency_p95": "alarm",
        "latency_p99": "info",
    }
    assert results["latency_p95"].message == "95 % of answers took at most 25,000 ms (alarm above 1000 ms)"


def test_latencies_that_are_missing_do_not_count():
    results = found("{}", 100, latencies=np.array([10.0] * 50 + [np.nan] * 50))
    assert results["latency_p50"].window_rows == 50


def test_what_this_version_does_not_compute_is_named():
    monitor = inference_log.monitor("{operations: {expected_rows: seasonal}, night: {use: 'my_checks:night'}}")
    assert not_computed(monitor) == ("checks.night",)
    assert not_computed_in_words(monitor) == "this version does not act on checks.night yet"
    assert not_computed(inference_log.monitor()) == ()
    assert not_computed_in_words(inference_log.monitor()) is None


def test_checks_that_are_off_are_not_run():
    monitor = inference_log.monitor("{data_drift: off}")
    assert [check.name for check in enabled(monitor)] == [
        "prediction_drift",
        "data_quality",
        "operations",
        "multivariate_drift",
    ]
    assert families(inference_log.monitor()) == {
        "drift": ("data_drift", "prediction_drift"),
        "data_quality": ("data_quality",),
        "operations": ("operations",),
        "multivariate": ("multivariate_drift",),
    }
