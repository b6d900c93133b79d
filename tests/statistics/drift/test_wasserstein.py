"""Wasserstein against scipy on the raw rows, within the stated error of binning."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr
from scipy.stats import wasserstein_distance

from monitoring_tasks.statistics.drift import wasserstein

values = st.integers(-20, 20).map(float) | st.floats(-20, 20)
samples = st.lists(values, min_size=1, max_size=60)


@st.composite
def edges(draw):
    """Edges from -21 to 21; some values have a bin of their own, one unit in the last place wide."""
    inner = draw(st.lists(values, max_size=8))
    own = draw(st.lists(values, max_size=4))
    return [-21.0, *sorted({*inner, *own, *(math.nextafter(value, math.inf) for value in own)}), 21.0]


def binned(rows, edges):
    """Count rows in [a, b) bins."""
    return np.bincount(np.searchsorted(edges, rows, side="right") - 1, minlength=len(edges) - 1)


def test_against_deepchecks():
    """deepchecks, tests/utils/drift_test.py: 0 to 99 against 50 to 149, in units of the range, is 1/3."""
    reference, current = binned(np.arange(100), np.arange(151)), binned(np.arange(50, 150), np.arange(151))
    assert wasserstein(reference, current, np.arange(151.0), scale=150) == pytest.approx(1 / 3)


def test_against_frouros():
    """frouros, tests/integration: 3.85346006 for N(1, 1) against N(5, 2), 100 rows each, seed 31 before each."""
    reference = np.random.RandomState(31).normal(1, 1, 100)
    current = np.random.RandomState(31).normal(5, 2, 100)
    fine = np.linspace(-10, 20, 300_001)
    value = wasserstein(binned(reference, fine), binned(current, fine), fine, scale=1)
    assert value == pytest.approx(3.85346006, abs=1e-4)


@pytest.mark.parametrize("shift", [0.1, 1.0, 2.0])
def test_a_shift_by_so_many_standard_deviations_is_that_many(shift):
    fine = np.linspace(-8, 10, 1801)
    reference, current = (np.rint(np.diff(ndtr(fine - mean)) * 1e15) for mean in (0, shift))
    assert wasserstein(reference, current, 3 * fine, scale=3) == pytest.approx(shift, rel=1e-4)


def test_cdfs_that_cross_inside_a_bin():
    """The CDFs' difference is 0, 1/4, -1/4, 0 at the edges: triangles of base 1, 1/2, 1/2, 1 and height 1/4."""
    value = wasserstein([2, 0, 2], [1, 2, 1], edges=[0, 1, 2, 3], scale=1)
    assert value == pytest.approx((1 + 0.5 + 0.5 + 1) * 0.25 / 2)


@given(samples, samples, edges())
def test_differs_from_the_raw_rows_distance_by_no_more_than_stated(reference, current, edges):
    a, b = binned(reference, edges), binned(current, edges)
    bound = np.sum(np.diff(edges) * (a / a.sum() + b / b.sum()) / 2)
    raw = wasserstein_distance(reference, current)
    assert abs(wasserstein(a, b, edges, scale=2) - raw / 2) <= bound / 2 + 1e-9


def test_the_stated_error_is_reached():
    """One bin [0, 1): all of one side at its left edge, all of the other at its right. Raw 1, binned 0, bound 1."""
    right = math.nextafter(1, 0)
    assert wasserstein([4], [4], edges=[0, 1], scale=1) == 0
    assert wasserstein_distance([0.0] * 4, [right] * 4) == pytest.approx(1)


@given(samples, samples)
def test_values_with_bins_of_their_own_lose_nothing(reference, current):
    own = sorted({edge for value in reference + current for edge in (value, math.nextafter(value, math.inf))})
    value = wasserstein(binned(reference, own)[: len(own) - 1], binned(current, own)[: len(own) - 1], own, scale=1)
    assert value == pytest.approx(wasserstein_distance(reference, current), abs=1e-9)


@given(samples, samples, edges())
def test_equals_the_distance_of_rows_spread_evenly_inside_their_bins(reference, current, edges):
    """Independent way to the same area: the CDFs on a fine grid, by the trapezium rule."""
    a, b = binned(reference, edges), binned(current, edges)
    grid = np.unique(np.concatenate([np.linspace(-21, 21, 20_001), edges]))
    cdfs = [np.interp(grid, edges, np.concatenate([[0], np.cumsum(side) / side.sum()])) for side in (a, b)]
    area = np.trapezoid(np.abs(cdfs[0] - cdfs[1]), grid)
    assert wasserstein(a, b, edges, scale=1) == pytest.approx(area, abs=1e-2)


@given(samples, samples, edges(), st.floats(0.1, 10), st.floats(-5, 5))
def test_does_not_depend_on_the_columns_unit(reference, current, edges, factor, offset):
    a, b = binned(reference, edges), binned(current, edges)
    other = wasserstein(a, b, np.array(edges) * factor + offset, scale=2 * factor)
    assert other == pytest.approx(wasserstein(a, b, edges, scale=2), abs=1e-9)


def test_a_bin_without_width_is_a_jump():
    assert wasserstein([4, 0, 0], [0, 0, 4], edges=[1, 1, 3, 3], scale=1) == pytest.approx(2)


def test_without_drift_it_is_as_large_as_stated():
    rng = np.random.default_rng(0)
    fine = np.linspace(-5, 5, 501)
    shares = np.diff(ndtr(fine)) / np.diff(ndtr(fine)).sum()
    pairs = zip(rng.multinomial(1000, shares, 1000), rng.multinomial(2000, shares, 1000), strict=True)
    average = np.mean([wasserstein(a, b, fine, scale=1) for a, b in pairs])
    assert average == pytest.approx(1.29 * np.sqrt(0.0015), rel=0.05)


@pytest.mark.parametrize(
    ("edges", "scale", "message"),
    [
        ([0, 1], 1, r"`edges` has the shape \(2,\): 2 bins need 3 edges"),
        ([[0, 1, 2]], 1, r"`edges` has the shape \(1, 3\): 2 bins need 3 edges"),
        ([0, 1, math.inf], 1, r"`edges` must be finite, not inf \(edge 2\): close open bins with the extreme values"),
        ([math.nan, 1, 2], 1, r"`edges` must be finite, not nan \(edge 0\)"),
        ([0, 2, 1], 1, "`edges` must ascend, not fall from 2 to 1"),
        ([-1.5e308, 0, 1.5e308], 1, r"`edges` span more than a float holds, from -1.5e\+308 to 1.5e\+308"),
        ([0, 1, 2], 0, "`scale` must be a finite standard deviation above 0, not 0: a constant baseline"),
        ([0, 1, 2], math.nan, "`scale` must be a finite standard deviation above 0, not nan"),
        ([0, 1, 2], math.inf, "`scale` must be a finite standard deviation above 0, not inf"),
    ],
)
def test_edges_and_scales_that_measure_nothing_are_refused(edges, scale, message):
    with pytest.raises(ValueError, match=message):
        wasserstein([1, 2], [3, 4], edges, scale)
