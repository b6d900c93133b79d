"""The chance of a window that does not vary, against scipy's laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import betabinom, multinomial

from monitoring_tasks.statistics.homogeneity.unchanging import one_bin_p_value, same_shares_probability

several = st.lists(st.integers(1, 10**5), min_size=2, max_size=8)


@given(several, st.integers(1, 1000))
def test_all_rows_in_one_bin_has_the_probability_of_beta_binomial_laws(reference, rows):
    total = sum(reference)
    exact = sum(betabinom(rows, each + 0.5, total - each + 0.5).pmf(rows) for each in reference)
    assert float(one_bin_p_value(reference, rows)) == pytest.approx(min(1.0, exact), rel=1e-6, abs=1e-290)


def test_all_rows_in_one_bin_come_about_as_often_as_it_says():
    rng = np.random.default_rng(2)
    windows = rng.multinomial(5, [0.6, 0.3, 0.1], size=100_000)
    assert float(one_bin_p_value([6000, 3000, 1000], 5)) == pytest.approx((windows == 5).any(axis=1).mean(), abs=0.003)


@given(several, st.data())
def test_the_same_counts_again_have_the_multinomial_probability(reference, data):
    current = data.draw(st.lists(st.integers(0, 200), min_size=len(reference), max_size=len(reference)))
    shares = (np.array(reference) + 0.5) / (np.array(reference) + 0.5).sum()
    exact = multinomial(sum(current), shares).pmf(current)
    assert float(same_shares_probability(reference, current)) == pytest.approx(exact, rel=1e-6, abs=1e-290)


@given(several, st.integers(1, 500))
def test_fewer_effective_rows_make_it_likelier_that_all_have_one_value(reference, rows):
    chances = one_bin_p_value(reference, rows, np.geomspace(1, 1000, 20))
    assert chances.shape == (20,)
    assert (np.diff(chances) >= -1e-9).all()


def test_where_all_rows_are_one_every_window_has_one_value():
    assert float(one_bin_p_value([6000, 3000, 1000], 60, 60.0)) == pytest.approx(1.0, abs=1e-3)
    assert float(one_bin_p_value([6000, 3000, 1000], 60, 1e6)) == float(one_bin_p_value([6000, 3000, 1000], 60, 60.0))


def test_rows_that_come_twenty_times_each_repeat_a_window_as_a_twentieth_of_them_do():
    assert float(same_shares_probability([500, 300, 200], [100, 60, 40], 20.0)) == pytest.approx(
        multinomial(10, [0.5, 0.3, 0.2]).pmf([5, 3, 2]), rel=1e-2
    )
