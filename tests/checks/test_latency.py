"""Latency percentiles of a window, and the 95th against the baseline's."""

from __future__ import annotations

import numpy as np
import pytest

from monitoring_tasks.checks import Result
from monitoring_tasks.checks.operations import operations
from monitoring_tasks.profile import Bins
from monitoring_tasks.reference import Reference
from monitoring_tasks.statistics.homogeneity import column_dispersion
from monitoring_tasks.warehouse.bins import LATENCY_EDGES
from tests import inference_log
from tests.checks.context import context, numeric

BINS = {"latency_ms": Bins("numeric", LATENCY_EDGES, exponent=20)}


def judged(
    now: np.ndarray, before: np.ndarray, settings: str = "{}", parts: list[np.ndarray] | None = None
) -> dict[str, Result]:
    monitor = inference_log.monitor(f"{{operations: {settings}}}")
    of = [[numeric("latency_ms", BINS["latency_ms"], values)] for values in (before, now)]
    given = context(monitor, BINS, {"": of[0]}, {"": of[1]})
    if parts is not None:
        counts = [numeric("latency_ms", BINS["latency_ms"], part).counts for part in parts]
        dispersion = column_dispersion(np.array(counts), "numeric")
        assert dispersion is not None
        given.__dict__["reference"] = Reference("baseline", given.reference.columns, {"": {"latency_ms": dispersion}})
    return {result.metric: result for result in operations(given)}


def lognormal(rows: int, seed: int = 1, times: float = 1.0) -> np.ndarray:
    return times * np.random.default_rng(seed).lognormal(4.0, 0.5, rows)


def test_latency_of_2300_ms_is_2300_ms():
    """A known hole of the field: what is kept as the microseconds of a second wraps, and 2.3 s become 0.3 s."""
    found = judged(np.full(500, 2300.0), np.full(500, 2300.0))
    assert [found[f"latency_p{percentile}"].value for percentile in (50, 90, 95, 99)] == [2300.0] * 4
    assert found["latency_p95"].message.startswith("95 % of answers took at most 2,300 ms (2,300 ms in the baseline; ")


def test_a_95th_percentile_that_doubled_is_an_alarm():
    found = judged(lognormal(480, 2, times=2.0), lognormal(20_000))
    result = found["latency_p95"]
    assert (result.decided(), result.threshold_upper) == ("alarm", pytest.approx(1.5 * 124.3, rel=0.03))
    assert result.value_lower is not None
    assert result.value_upper is not None
    assert result.value_lower < result.value < result.value_upper
    assert "ms in the baseline; alarm above" in result.message
    assert {found[f"latency_p{each}"].decided() for each in (50, 90, 99)} == {"info"}


def test_a_95th_percentile_as_in_the_baseline_is_in_order():
    assert judged(lognormal(480, 3, times=1.2), lognormal(20_000))["latency_p95"].decided() == "ok"


def test_two_slow_answers_of_twenty_may_be_chance():
    now = np.concatenate([lognormal(18, 4), [900.0, 950.0]])
    result = judged(now, lognormal(20_000))["latency_p95"]
    assert result.decided() == "ok"
    assert "but chance alone may do this: p = " in result.message


def test_slow_days_that_the_baseline_has_had_too_are_in_order():
    days = [lognormal(500, seed, times=3.0 if seed % 8 == 0 else 1.0) for seed in range(32)]
    slow = lognormal(500, 99, times=2.0)
    before = np.concatenate([day for day in days if day.mean() < 100] * 4 + [days[0]])
    assert judged(slow, before)["latency_p95"].decided() == "alarm"
    assert judged(slow, before, parts=days)["latency_p95"].decided() == "ok"


def test_a_bound_of_the_file_counts_more_than_the_baseline():
    result = judged(lognormal(480, 2, times=2.0), lognormal(20_000), "{latency_p95_ms: 500}")["latency_p95"]
    assert (result.decided(), result.threshold_upper) == ("ok", 500)
    assert result.message.endswith(" ms (alarm above 500 ms)")


@pytest.mark.parametrize("before", [0, 99])
def test_a_baseline_of_few_latencies_judges_nothing(before):
    result = judged(lognormal(480), lognormal(before))["latency_p95"]
    assert (result.decided(), result.threshold_upper) == ("info", None)


def test_latencies_out_of_all_bounds_are_said_to_be():
    found = judged(np.full(100, 9e6), np.full(100, 9e6))
    assert found["latency_p50"].value == 9e6
    mixed = judged(np.array([10.0] * 90 + [8e6, 9e6] * 5), lognormal(200))["latency_p95"]
    assert mixed.message.startswith("more than 5 % of answers took longer than 7,")
    negative = judged(np.full(100, -5.0), lognormal(200))["latency_p95"]
    assert (negative.value, negative.decided()) == (-5.0, "ok")
    assert negative.message.startswith("95 % of answers took at most -5 ms, which no clock can say")
    assert judged(lognormal(100), np.full(200, -5.0))["latency_p95"].decided() == "info"


def test_latencies_that_are_missing_are_no_latencies():
    found = judged(np.full(100, np.nan), lognormal(200))
    assert {result.status for name, result in found.items() if "latency" in name} == {"insufficient_data"}
    half = judged(np.array([10.0, np.nan] * 50), lognormal(200))["latency_p50"]
    assert (half.value, half.window_rows) == (10.0, 50)


@pytest.mark.integration
@pytest.mark.parametrize("spread", [0.4, 1.0, 2.0])
@pytest.mark.parametrize("together", [1, 20])
@pytest.mark.parametrize("rows", [100, 1000])
def test_latencies_as_in_the_baseline_are_in_order(rows, together, spread):
    """Asked for are 0.05 % of windows; whole hours are slow together, and known from thirty parts."""
    rng = np.random.default_rng(rows + together)
    alarms = 0
    for _ in range(150):
        drawn = [np.repeat(rng.lognormal(4, spread, rows // together), together) for _ in range(31)]
        found = judged(drawn[30], np.concatenate(drawn[:30]), parts=drawn[:30])
        alarms += found["latency_p95"].decided() == "alarm"
    assert alarms <= 1
