"""Qn, held to the pairs' distances by hand, to the published factors and to its breakdown point."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring_tasks.statistics.qn_scale import CONSISTENCY, OF_FEW, qn_scale

values = st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=2, max_size=12)


def test_by_hand():
    """Of five values h = 3, so the third smallest of ten distances: 1, 1, 2 of 0, 1, 2, 10, 100."""
    assert qn_scale([0, 1, 2, 10, 100]) == pytest.approx(2.2219 * 0.844 * 2)


@given(values, st.floats(0.01, 100), st.floats(-1e3, 1e3))
def test_it_follows_the_unit_and_not_the_origin(found, times, by):
    moved = [times * each + by for each in found]
    assert qn_scale(moved) == pytest.approx(times * qn_scale(found), rel=1e-6, abs=1e-4)


@pytest.mark.parametrize("n", sorted(OF_FEW))
def test_of_few_normal_values_it_is_their_standard_deviation_on_average(n):
    """Croux and Rousseeuw's factors for 2 to 9 values."""
    drawn = np.random.default_rng(n).standard_normal((4000, n))
    assert np.mean([qn_scale(each) for each in drawn]) == pytest.approx(1.0, abs=4 * 0.9 / 4000**0.5 + 0.005)


def test_of_many_normal_values_it_is_their_standard_deviation():
    """Their constant is 1 / (sqrt(2) * Phi^-1(5/8))."""
    from scipy.stats import norm

    assert pytest.approx(1 / (2**0.5 * norm.ppf(5 / 8)), rel=0.002) == CONSISTENCY
    drawn = np.random.default_rng(1).standard_normal((60, 200))
    assert np.mean([qn_scale(each) for each in drawn]) == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("wild", [1, 2, 3])
def test_three_wild_values_of_eight_do_not_blow_it_up(wild):
    assert qn_scale([*np.linspace(10, 11, 8 - wild), *[1e9 * (i + 1) for i in range(wild)]]) < 3


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ([1.0], r"two or more numbers in one dimension, not the shape \(1,\)"),
        ([[1.0, 2.0]], r"not the shape \(1, 2\)"),
        ([1.0, np.nan], "must be finite: leave out what was not measured"),
    ],
)
def test_what_has_no_scale_is_refused(found, message):
    with pytest.raises(ValueError, match=message):
        qn_scale(found)
