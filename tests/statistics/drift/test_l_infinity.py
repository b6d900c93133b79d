"""L-infinity distance against scipy, and what it is deaf to."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import chebyshev

from monitoring_tasks.statistics.drift import l_infinity, total_variation

side = st.lists(st.integers(0, 1000), min_size=5, max_size=5).filter(any)


def test_is_the_change_of_the_bin_that_changed_most():
    """Shares [.5, .3, .2] become [.2, .2, .6]."""
    assert l_infinity([50, 30, 20], [20, 20, 60]) == pytest.approx(0.4)


@pytest.mark.parametrize("seed", range(10))
def test_against_scipy(seed):
    a, b = np.random.default_rng(seed).integers(0, 500, (2, 12))
    assert l_infinity(a, b) == pytest.approx(chebyshev(a / a.sum(), b / b.sum()))


@given(side, side)
def test_is_at_most_the_total_variation(reference, current):
    assert l_infinity(reference, current) <= total_variation(reference, current) + 1e-12


def test_is_deaf_to_a_change_spread_over_many_bins():
    reference, current = [12, 8] * 50, [8, 12] * 50
    assert l_infinity(reference, current) == pytest.approx(0.004)
    assert total_variation(reference, current) == pytest.approx(0.2)
