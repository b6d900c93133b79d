"""The test of each bin against scipy's exact ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import betabinom, binom, fisher_exact, poisson_means_test

from monitoring_tasks.statistics.homogeneity.cell_test import cell_p_values, wandering_share_p_value

side = st.lists(st.integers(0, 10**6), min_size=6, max_size=6).filter(any)


def of_bin(before: int, n: int, after: int, m: int) -> float:
    return float(cell_p_values([before, n - before], [after, m - after])[0])


@pytest.mark.parametrize(
    ("before", "n", "after", "m"),
    [(3, 10**7, 9, 10**7), (0, 10**8, 2, 10**6), (40, 10**8, 3, 10**6), (7, 10**7, 0, 10**7), (500, 10**9, 9, 10**7)],
)
def test_a_rare_bin_is_the_exact_test_of_two_poisson_rates(before, n, after, m):
    """Przyborowski and Wilenski: given both counts' sum, the current one is binomial."""
    law = binom(before + after, m / (n + m))
    expected = min(1.0, 2 * min(law.sf(after - 1), law.cdf(after)))
    assert of_bin(before, n, after, m) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(
    ("before", "n", "after", "m"), [(3, 10_000, 4, 1000), (2, 30_000, 3, 1000), (50, 30_000, 9, 1000)]
)
def test_a_rare_bin_is_fishers_test(before, n, after, m):
    table = [[after, m - after], [before, n - before]]
    expected = 2 * min(fisher_exact(table, alternative=side).pvalue for side in ("less", "greater"))
    assert of_bin(before, n, after, m) == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize(
    ("before", "n", "after", "m"), [(3000, 10_000, 340, 1000), (9000, 30_000, 260, 1000), (400, 1000, 480, 1000)]
)
def test_a_common_bin_is_within_a_tenth_of_fishers_test(before, n, after, m):
    table = [[after, m - after], [before, n - before]]
    expected = 2 * min(fisher_exact(table, alternative=side).pvalue for side in ("less", "greater"))
    assert of_bin(before, n, after, m) == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize(("before", "n", "after", "m"), [(20, 10**6, 40, 10**6), (15, 10**7, 32, 10**7)])
def test_it_is_more_careful_than_a_test_that_takes_the_rate_as_known(before, n, after, m):
    """scipy's E-test (Krishnamoorthy and Thomson, 2004), for samples of one size, where its tails are alike."""
    assumed_known = poisson_means_test(after, m, before, n).pvalue
    assert assumed_known < of_bin(before, n, after, m) < 2 * assumed_known


@given(side, side)
def test_lies_in_0_to_1_and_an_empty_bin_has_1(reference, current):
    p_values = cell_p_values(reference, current)
    assert ((p_values >= 0) & (p_values <= 1)).all()
    assert (p_values[np.array(reference) + current == 0] == 1).all()


@given(side, side)
def test_the_sides_may_change_places(reference, current):
    assert cell_p_values(reference, current) == pytest.approx(cell_p_values(current, reference), rel=1e-6, abs=1e-300)


@given(side, side)
def test_dispersion_makes_none_smaller(reference, current):
    p_values = cell_p_values(reference, current, np.geomspace(1, 1e4, 30)[:, None])
    assert p_values.shape == (30, 6)
    assert (np.diff(p_values, axis=0) >= -1e-9).all()


@given(st.integers(0, 10**4), st.integers(0, 10**4), st.integers(0, 10**4), st.integers(0, 10**4))
def test_a_bin_of_more_than_half_the_rows_is_tested_by_the_others(inside, outside, now_inside, now_outside):
    if not (inside + outside and now_inside + now_outside) or inside + now_inside == outside + now_outside:
        return
    large, small = cell_p_values([inside, outside], [now_inside, now_outside])
    assert large == pytest.approx(small, rel=1e-9)


def test_without_drift_it_rejects_no_more_often_than_it_says():
    """A bin of 0.2 % of 5,000 rows, in 1e5 windows of 500."""
    rng = np.random.default_rng(0)
    before, after = rng.binomial(5000, 0.002, 100_000), rng.binomial(500, 0.002, 100_000)
    pairs, times = np.unique(np.stack((before, after)), axis=1, return_counts=True)
    p_values = np.array([of_bin(int(a), 5000, int(b), 500) for a, b in pairs.T])
    for rate in (0.05, 0.01, 0.001):
        assert times[p_values <= rate].sum() <= 100_000 * rate * 1.1


@pytest.mark.parametrize("share", [0.001, 0.03, 0.3])
@pytest.mark.parametrize("alike", [0.05, 0.2, 0.6])
@pytest.mark.parametrize("chance", [1e-2, 1e-4])
def test_a_share_that_wanders_has_the_tail_of_a_beta_binomial(share, alike, chance):
    """Skellam 1948, of a reference that is known and a window of many effective rows; more careful of few."""
    m, n = 400, 10**9
    law = betabinom(m, share * (1 / alike - 1), (1 - share) * (1 / alike - 1))
    count = min(m, int(law.isf(chance / 2)) + 1)
    dispersion = 1 + (m - 1) * alike
    found = float(
        wandering_share_p_value([round(share * n), n - round(share * n)], [count, m - count], np.array([dispersion]))[0]
    )
    exact = 2 * min(law.sf(count - 1), law.cdf(count))
    assert found >= 0.7 * exact
    if alike == 0.05:
        assert found <= 4 * exact


def test_what_was_never_seen_is_not_impossible_where_rows_hang_together():
    """After thirty days a thirty-first that is colder than all of them is no wonder, with independent rows it is."""
    colder = [0, 30 * 400], [200, 200]
    together = float(wandering_share_p_value(*colder, np.array([200.0]))[0])
    assert 1e-3 < together < 0.1
    assert float(cell_p_values(*colder, 200.0)[0]) > 1e-3
    assert float(cell_p_values(*colder)[0]) < 1e-100
