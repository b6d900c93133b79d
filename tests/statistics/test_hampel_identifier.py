"""Hampel's identifier, held to scipy's median absolute deviation and to normal noise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2, median_abs_deviation, norm

from monitoring_tasks.statistics.hampel_identifier import CONSISTENCY, hampel_identifier

values = st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=1, max_size=60)


@given(values, st.floats(0.1, 10))
def test_median_and_deviation_are_those_of_numpy_and_scipy(found, width):
    band = hampel_identifier(found, width)
    assert band.median == pytest.approx(np.median(found), rel=1e-12, abs=1e-9)
    assert band.mad == pytest.approx(median_abs_deviation(found), rel=1e-12, abs=1e-9)
    expected = np.median(found) + width * median_abs_deviation(found, scale="normal")
    assert band.upper == pytest.approx(expected, rel=1e-9, abs=1e-8)


def test_the_deviation_of_normal_values_is_their_standard_deviation():
    assert pytest.approx(1 / norm.ppf(0.75), rel=1e-15) == CONSISTENCY
    known = norm.ppf((np.arange(100_001) + 0.5) / 100_001)
    assert hampel_identifier(known, 4.0).upper == pytest.approx(4.0, rel=1e-4)
    assert norm.sf(4.0) == pytest.approx(0.00003, rel=0.06)


@given(values, st.floats(0.001, 1000))
def test_it_follows_the_unit_of_the_values(found, times):
    band, scaled = hampel_identifier(found), hampel_identifier([times * each for each in found])
    assert scaled.upper == pytest.approx(times * band.upper, rel=1e-9, abs=1e-6)


@given(st.lists(st.floats(0, 1), min_size=3, max_size=40), st.floats(2, 1e9))
def test_fewer_than_half_of_the_values_cannot_move_it_beyond_the_others(found, wild):
    """Both ends of what the median and the deviation can be are those of the values that stayed."""
    spoiled = [*found, *[wild] * ((len(found) - 1) // 2)]
    band = hampel_identifier(spoiled)
    assert 0 <= band.median <= 1
    assert band.mad <= 1


@pytest.mark.parametrize(("windows", "normal", "skewed"), [(8, 0.016, 0.036), (14, 0.0054, 0.019), (28, 0.0013, 0.010)])
def test_so_often_is_a_value_like_the_others_above_a_width_of_four(windows, normal, skewed):
    """The numbers of the docstring: the share beyond each bound is exact, the bounds are drawn."""
    rng = np.random.default_rng(4)
    drawn = rng.standard_normal((20_000, windows))
    assert np.mean(norm.sf([hampel_identifier(each).upper for each in drawn])) == pytest.approx(normal, rel=0.06)
    drawn = rng.chisquare(9, (20_000, windows))
    assert np.mean(chi2.sf([hampel_identifier(each).upper for each in drawn], 9)) == pytest.approx(skewed, rel=0.06)


@pytest.mark.parametrize(
    ("found", "width", "message"),
    [
        ([], 4, r"one or more numbers in one dimension, not the shape \(0,\)"),
        ([[1.0]], 4, r"not the shape \(1, 1\)"),
        ([1.0, np.nan], 4, r"`values` must be finite, not nan \(item 1\): leave out what was not measured"),
        ([1.0], 0, "`width` must be above 0, not 0"),
        ([1.0], np.nan, "`width` must be above 0, not nan"),
    ],
)
def test_what_has_no_band_is_refused(found, width, message):
    with pytest.raises(ValueError, match=message):
        hampel_identifier(found, width)
