"""Percentiles read off the latency histogram, held to numpy's exact ones; their intervals to order statistics."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from monitoring_tasks.statistics.quantile import histogram_quantile, quantile_interval, rows_above
from monitoring_tasks.warehouse.bins import LATENCY_EDGES

EDGES = np.array(LATENCY_EDGES)
SHARES = (0.5, 0.9, 0.95, 0.99)


def counted(values: np.ndarray) -> list[int]:
    return np.bincount(np.searchsorted(EDGES, values, "right"), minlength=len(EDGES) + 1).tolist()


def shape(name: str, n: int) -> np.ndarray:
    rng = np.random.default_rng(5)
    return {
        "lognormal": lambda: rng.lognormal(4, 1, n),
        "heavy tail": lambda: 5 * (1 + rng.pareto(1.1, n)),
        "two humps": lambda: np.where(rng.random(n) < 0.93, rng.normal(30, 2, n), rng.normal(2000, 20, n)),
        "exponential": lambda: rng.exponential(40, n) + 0.06,
        "whole numbers": lambda: rng.integers(1, 9, n).astype(float),
        "constant": lambda: np.full(n, 2300.0),
        "all below 50 microseconds": lambda: np.full(n, 0.01),
        "all above two hours": lambda: np.full(n, 9e6),
    }[name]()


@pytest.mark.parametrize("n", [1, 20, 5000])
@pytest.mark.parametrize(
    "name",
    [
        "lognormal",
        "heavy tail",
        "two humps",
        "exponential",
        "whole numbers",
        "constant",
        "all below 50 microseconds",
        "all above two hours",
    ],
)
def test_within_two_per_cent_of_numpys_quantile(name, n):
    values = shape(name, n)
    for share in SHARES:
        found = histogram_quantile(counted(values), LATENCY_EDGES, share, values.min(), values.max())
        assert found == pytest.approx(np.quantile(values, share, method="inverted_cdf"), rel=0.02)


def test_latency_of_2300_ms_is_2300_ms():
    """A known hole of the field: what is kept as microseconds of a second wraps, and 2.3 s read as 0.3 s."""
    values = np.array([2300.0] * 60 + [40.0] * 40)
    for share in (0.5, 0.9, 0.95, 0.99):
        found = histogram_quantile(counted(values), LATENCY_EDGES, share, 40.0, 2300.0)
        assert found == pytest.approx(2300.0, rel=0.02)


def test_latencies_that_no_clock_can_say_do_not_hide_the_others():
    values = np.array([-5.0] * 3 + [100.0] * 97)
    assert histogram_quantile(counted(values), LATENCY_EDGES, 0.5, -5.0, 100.0) == pytest.approx(100.0, rel=0.02)
    assert histogram_quantile(counted(np.full(9, -5.0)), LATENCY_EDGES, 0.5, -5.0, -5.0) == -5.0


@pytest.mark.parametrize("n", [10, 100, 2500])
@pytest.mark.parametrize("share", SHARES)
def test_the_interval_is_that_of_the_ranks(n, share):
    """Each value in a bin of its own: the bins tell the ranks."""
    edges = [float(i) for i in range(n + 1)]
    lower, upper = quantile_interval([0, *[1] * n, 0], edges, share)
    first, last = binom.ppf(0.025, n, share), binom.ppf(0.975, n, share) + 1
    assert lower == (first - 1 if first >= 1 else None)
    assert upper == (last if last <= n else None)
    low, high = (0 if lower is None else first), (n + 1 if upper is None else last)
    assert binom.cdf(high - 1, n, share) - binom.cdf(low - 1, n, share) >= 0.95


def test_the_interval_holds_the_true_quantile_as_often_as_it_says():
    from scipy.stats import lognorm

    rng, hits = np.random.default_rng(2), 0
    true = lognorm.ppf(0.95, 0.7, scale=60)
    for _ in range(600):
        values = rng.lognormal(np.log(60), 0.7, 400)
        lower, upper = quantile_interval(counted(values), LATENCY_EDGES, 0.95, values.min(), values.max())
        assert lower is not None
        assert upper is not None
        hits += lower <= true <= upper
    assert 0.94 <= hits / 600 <= 0.995


def test_where_no_value_bounds_it_there_is_no_end():
    assert quantile_interval([0, 0, 0], [1.0, 2.0], 0.5) == (None, None)
    assert quantile_interval([0, 5, 0], [1.0, 2.0], 0.99) == (1.0, None)
    assert quantile_interval([0, 0, 500], [1.0, 2.0], 0.5) == (2.0, None)
    assert quantile_interval([0, 0, 500], [1.0, 2.0], 0.5, 3.0, 7.0) == (3.0, 7.0)


def test_rows_above_are_certainly_above():
    values = shape("lognormal", 5000)
    for bound in (10.0, 99.0, 1000.0):
        found, exact = rows_above(counted(values), LATENCY_EDGES, bound), int((values > bound).sum())
        assert int((values > 1.04 * bound).sum()) <= found <= exact


def test_counts_of_other_edges_are_refused():
    for function in (lambda: histogram_quantile([1, 2], [1.0, 2.0], 0.5), lambda: rows_above([1, 2], [1.0, 2.0], 1.0)):
        with pytest.raises(ValueError, match=r"must have one entry more than the 2 `edges`, not shape \(2,\)"):
            function()


def test_the_interval_of_billions_of_values_is_narrow():
    half = 3 * 10**9 // 2
    assert quantile_interval([0, half - 10**6, 2 * 10**6, half - 10**6, 0], [1.0, 2.0, 3.0, 4.0], 0.5) == (2.0, 3.0)
