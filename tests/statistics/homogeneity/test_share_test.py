"""The one-sided test of one bin against scipy's exact ones."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import betabinom, fisher_exact

from monitoring_tasks.statistics.homogeneity import INDEPENDENT_ROWS, column_dispersion
from monitoring_tasks.statistics.homogeneity.share_test import belief_in_bin, risen_share_test, share_test

counts = st.integers(0, 10**5)


@pytest.mark.parametrize(
    ("before", "n", "after", "m"), [(0, 10_000, 2, 500), (3, 10_000, 4, 1000), (50, 30_000, 9, 1000)]
)
def test_a_rise_of_a_rare_share_is_fishers_test(before, n, after, m):
    table = [[after, m - after], [before, n - before]]
    exact = fisher_exact(table, alternative="greater").pvalue
    assert risen_share_test([before, n - before], [after, m - after]) == pytest.approx(exact, rel=0.05)


@pytest.mark.parametrize(("n", "m"), [(1000, 50), (1000, 1000), (10_000, 480), (100, 1000)])
@pytest.mark.parametrize("beyond", [1, 2, 5, 20])
def test_rows_beyond_the_extremes_of_others_are_one_more_row_of_the_reference(n, m, beyond):
    """Of n + m exchangeable values the m new ones beyond both extremes of the n are BetaBinomial(m, 2, n - 1)."""
    exact = betabinom(m, 2, n - 1).sf(beyond - 1)
    found = risen_share_test([1, n - 1], [beyond, m - beyond])
    if exact > 0.3:
        assert found > 0.3  # two-sided p-values are at most 1
    elif exact > 1e-6:
        assert found == pytest.approx(exact, rel=0.15)


def test_rows_beyond_the_extremes_are_as_often_significant_as_they_should():
    rng = np.random.default_rng(1)
    n, m, p_values = 1000, 200, []
    for _ in range(4000):
        before, after = rng.random(n), rng.random(m)
        beyond = int(((after < before.min()) | (after > before.max())).sum())
        p_values.append(risen_share_test([1, n - 1], [beyond, m - beyond]) if beyond else 1.0)
    for rate in (0.1, 0.05, 0.01):
        allowed = rate + 3 * math.sqrt(rate * (1 - rate) / 4000)
        assert np.mean(np.array(p_values) <= rate) <= allowed
    assert np.mean(np.array(p_values) <= 0.1) > 0.02  # and the test does reject


@given(counts, st.integers(1, 10**5), counts, st.integers(1, 10**5))
def test_only_a_rise_counts(before, rest, after, now_rest):
    found = risen_share_test([before, rest], [after, now_rest])
    if before + after == 0:
        assert math.isnan(found)
    elif after * (before + rest) <= before * (after + now_rest):
        assert found == 1.0
    else:
        assert found == share_test([before, rest], [after, now_rest]) / 2 <= 0.5


def test_a_share_that_comes_in_bursts_is_believed_less():
    """A value is missing in 40 rows of every fifth part of 200, or in 8 rows of every part."""
    bursts = np.array([[40 if part % 5 == 0 else 0, 160 if part % 5 == 0 else 200] for part in range(30)])
    steady = np.array([[8, 192]] * 30)
    found = []
    for parts in (bursts, steady):
        dispersion = column_dispersion(np.column_stack((parts, np.zeros(30, int))), "categorical")
        whole = np.append(parts.sum(axis=0), 0)
        found.append(risen_share_test(whole[:2], [40, 160], belief_in_bin(whole, 0, dispersion)))
    assert found[0] > 0.01 > 1e-9 > found[1]


def test_without_parts_rows_are_independent():
    assert belief_in_bin(np.array([3, 5]), 0, None) is INDEPENDENT_ROWS


def test_a_rise_among_billions_of_rows_is_one():
    """Products of the counts are beyond 64 bits; numpy's integers would turn negative."""
    assert risen_share_test([3 * 10**8, 3 * 10**10], [10**9, 10**9]) < 1e-300
    assert risen_share_test([10**9, 10**9], [3 * 10**8, 3 * 10**10]) == 1.0
