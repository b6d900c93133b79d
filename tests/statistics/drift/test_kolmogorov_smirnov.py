"""Kolmogorov-Smirnov against scipy on the raw rows, within the stated error of binning."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr
from scipy.stats import ks_2samp

from monitoring_tasks.statistics.drift import kolmogorov_smirnov, kolmogorov_smirnov_p_value

values = st.integers(-20, 20).map(float) | st.floats(-20, 20)
samples = st.lists(values, min_size=2, max_size=60)  # scipy divides by zero at one row each
inner_edges = st.lists(values, max_size=12, unique=True).map(sorted)


def binned(rows, edges):
    """Count rows below, in [a, b) bins and above, as a profile does."""
    return np.bincount(np.searchsorted(edges, rows, side="right"), minlength=len(edges) + 1)


def raw_statistic(reference, current):
    return ks_2samp(reference, current, method="asymp").statistic


def test_against_popmon():
    """popmon, test_comparisons.py: [2, 4] against [1, 3] gives .1291, its statistic times sqrt(n m / (n + m))."""
    statistic = kolmogorov_smirnov([2, 4], [1, 3])
    assert statistic == pytest.approx(1 / 12)
    assert statistic * math.sqrt(6 * 4 / 10) == pytest.approx(0.1291, abs=1e-4)


@pytest.mark.parametrize("shift", [0.1, 1.0, 2.0])
def test_two_normal_distributions_that_differ_by_a_shift(shift):
    """2 Phi(shift / 2) - 1 = 0.3829 for a shift of 1, at the middle, which is an edge (Deepchecks has 0.382)."""
    edges = np.array([-np.inf, -1.0, 0.0, shift / 2, 3.0, np.inf])
    reference, current = (np.rint(np.diff(ndtr(edges - mean)) * 1e15) for mean in (0, shift))
    assert kolmogorov_smirnov(reference, current) == pytest.approx(2 * ndtr(shift / 2) - 1)


@given(samples, samples, inner_edges)
def test_lies_below_the_raw_rows_statistic_by_no_more_than_stated(reference, current, edges):
    a, b = binned(reference, edges), binned(current, edges)
    value, raw = kolmogorov_smirnov(a, b), raw_statistic(reference, current)
    bound = np.max(np.minimum(a / a.sum(), b / b.sum()))
    assert value <= raw + 1e-12
    assert raw <= value + bound + 1e-12


def test_the_stated_error_is_reached():
    """All rows of both sides in one bin, one side before the other: binned 0, raw 1, bound 1."""
    assert kolmogorov_smirnov([5, 0], [5, 0]) == 0
    assert raw_statistic([0.0] * 5, [1.0] * 5) == 1


@given(samples, samples)
def test_with_an_edge_at_every_value_nothing_is_lost(reference, current):
    edges = sorted(set(reference + current))
    value = kolmogorov_smirnov(binned(reference, edges), binned(current, edges))
    assert value == pytest.approx(raw_statistic(reference, current), abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_equal_frequency_bins_lose_at_most_one_bins_share(seed):
    rng = np.random.default_rng(seed)
    reference, current = rng.normal(0, 1, 3200), rng.normal(0.3, 1.2, 2000)
    edges = np.quantile(reference, np.linspace(0, 1, 33)[1:-1])
    value = kolmogorov_smirnov(binned(reference, edges), binned(current, edges))
    assert 0 <= raw_statistic(reference, current) - value <= 1 / 32


@pytest.mark.parametrize(("argument", "p_value"), [(0.8, 0.5441), (1.2238, 0.10), (1.3581, 0.05), (1.6276, 0.01)])
def test_p_value_against_published_values(argument, p_value):
    """popmon states K(0.8) = .5441; the others are the critical values of Smirnov's table (1948)."""
    rows = 10**6
    assert kolmogorov_smirnov_p_value(argument / math.sqrt(rows / 2), rows, rows) == pytest.approx(p_value, abs=5e-5)


def test_the_largest_shifts_have_the_smallest_p_value_not_none():
    """popmon's is NaN beyond 6.81."""
    assert kolmogorov_smirnov_p_value(1.0, 10**6, 10**6) == 0.0
    assert kolmogorov_smirnov_p_value(0.0, 10, 10) == 1.0


@pytest.mark.parametrize("seed", range(5))
def test_p_value_against_scipy_with_many_rows(seed):
    rng = np.random.default_rng(seed)
    expected = ks_2samp(rng.normal(0, 1, 9000), rng.normal(0.01, 1, 7000), method="asymp")
    value = kolmogorov_smirnov_p_value(float(expected.statistic), 9000, 7000)
    assert value == pytest.approx(expected.pvalue, rel=0.05)


@pytest.mark.parametrize(("n", "m", "most"), [(5, 10, 4), (5, 100, 10), (20, 30, 2.1), (20, 100, 2), (100, 100, 1.2)])
def test_with_few_rows_it_stands_above_the_exact_probability(n, m, most):
    """The exact probability counts all orderings of the n + m rows."""
    rng = np.random.default_rng(0)
    compared = set()
    for shift in np.linspace(0, 3, 60):
        exact = ks_2samp(rng.normal(0, 1, n), rng.normal(shift, 1, m), method="exact")
        if 1e-4 < exact.pvalue <= 0.1:
            ratio = kolmogorov_smirnov_p_value(float(exact.statistic), n, m) / exact.pvalue
            assert 1 <= ratio <= most
            compared.add(exact.statistic)
    assert len(compared) >= 2


def test_binned_and_without_drift_it_alarms_no_more_often_than_stated():
    rng = np.random.default_rng(0)
    pairs = zip(rng.multinomial(500, [0.05] * 20, 2000), rng.multinomial(3000, [0.05] * 20, 2000), strict=True)
    p_values = np.array([kolmogorov_smirnov_p_value(kolmogorov_smirnov(a, b), 500, 3000) for a, b in pairs])
    for level in (0.01, 0.05, 0.2):
        assert 0 < np.mean(p_values <= level) < level + 3 * np.sqrt(level * (1 - level) / 2000)


def test_without_drift_it_is_as_large_as_stated():
    rng = np.random.default_rng(0)
    pairs = zip(rng.multinomial(1000, [1e-3] * 1000, 1000), rng.multinomial(2000, [1e-3] * 1000, 1000), strict=True)
    assert np.mean([kolmogorov_smirnov(a, b) for a, b in pairs]) == pytest.approx(0.87 * np.sqrt(0.0015), rel=0.05)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1.1, 5, 5), r"`statistic` must lie in \[0, 1\], not 1.1"),
        ((float("nan"), 5, 5), r"`statistic` must lie in \[0, 1\], not nan"),
        ((0.5, 0, 5), "`reference_rows` must be at least 1, not 0"),
        ((0.5, 5, 0), "`current_rows` must be at least 1, not 0"),
    ],
)
def test_p_value_of_the_impossible_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        kolmogorov_smirnov_p_value(*arguments)
