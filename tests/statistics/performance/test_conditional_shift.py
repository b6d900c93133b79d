"""Differences at equal inputs against scipy, direct standardisation by hand, and simulated windows without drift."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from monitoring_tasks.statistics.performance.conditional_shift import (
    BetweenWindows,
    between_windows,
    conditional_shift,
    standardised,
    within_strata,
)


def shares(rows: list[int], positive: list[int]) -> np.ndarray:
    return np.stack([rows, positive, positive], axis=-1).astype(float)


def test_one_bin_is_the_test_of_two_proportions():
    """Pearson's chi-squared without correction, by scipy; here the pooled variance is the larger of the two."""
    shift = conditional_shift(shares([1000], [300]), shares([200], [54]))
    statistic, p_value, *_ = stats.chi2_contingency([[700, 300], [146, 54]], correction=False)
    assert (shift.difference / shift.standard_error) ** 2 == pytest.approx(statistic, rel=1e-12)
    assert shift.p_level == pytest.approx(p_value, rel=1e-9)
    assert shift.p_bins[0] == pytest.approx(p_value, rel=1e-9)
    assert shift.p_value == pytest.approx(2 * p_value, rel=1e-9)


def test_the_means_of_a_residual_are_welchs_normal_test():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=400), rng.normal(0.2, 2.0, size=100)
    sides = [np.array([[len(x), x.sum(), (x**2).sum()]]) for x in (a, b)]
    shift = conditional_shift(*sides, rates=False)
    error = math.sqrt(a.var() / len(a) + b.var() / len(b))
    assert shift.sampling_error == pytest.approx(error, rel=1e-12)
    assert shift.p_level == pytest.approx(2 * stats.norm.sf(abs(b.mean() - a.mean()) / error), rel=1e-9)


def test_direct_standardisation_by_hand():
    """Rates 0.2 and 0.5 at 50 and 100 rows give 0.4; 75 of 150 are positive."""
    shift = conditional_shift(shares([100, 100], [20, 50]), shares([50, 100], [15, 60]))
    assert shift.expected == pytest.approx((50 * 0.2 + 100 * 0.5) / 150)
    assert shift.difference == pytest.approx(75 / 150 - 0.4)
    assert shift.bins == pytest.approx([0.1, 0.1])


@given(
    st.lists(st.tuples(st.integers(1, 60), st.integers(0, 60)), min_size=2, max_size=6),
    st.lists(st.integers(0, 500), min_size=6, max_size=6),
)
def test_inputs_that_shift_alone_change_nothing(bins: list[tuple[int, int]], rows: list[int]) -> None:
    """Whatever the window's mix of bins, equal rates in each are no difference."""
    reference = shares([10 * n for n, _ in bins], [10 * min(n, k) for n, k in bins])
    scale = np.array(rows[: len(bins)], float)
    current = reference / np.maximum(reference[:, :1], 1) * scale[:, np.newaxis]
    shift = conditional_shift(reference, current)
    if scale.sum() == 0:
        assert math.isnan(shift.difference)
    else:
        assert shift.difference == pytest.approx(0.0, abs=1e-9)
        assert shift.p_value == pytest.approx(1.0)


def test_bins_that_one_side_lacks_are_left_out():
    shift = conditional_shift(shares([100, 0, 50], [30, 0, 10]), shares([50, 40, 0], [20, 40, 0]))
    assert shift.difference == pytest.approx(0.1)
    assert np.isnan(shift.bins).tolist() == [False, True, True]
    assert math.isnan(conditional_shift(shares([100, 0], [30, 0]), shares([0, 10], [0, 5])).p_value)


def test_rare_labels_have_the_variance_that_they_show_too():
    """Eight of 200 where two are expected: chance of it 0.001 by Poisson's law, 1e-5 by the variance of two."""
    shift = conditional_shift(shares([100_000], [1000]), shares([200], [8]))
    assert 0.001 < shift.p_level < 0.1
    assert math.isnan(shift.p_bins[0]), "and the bin is not tested by itself"


def test_where_no_bin_is_tested_by_itself_the_common_change_is_the_only_test():
    shift = conditional_shift(shares([1000] * 20, [20] * 20), shares([10] * 20, [1] * 20))
    assert math.isnan(shift.p_any_bin)
    assert shift.p_value == shift.p_level
    assert 1e-4 < shift.p_value < 1e-3


def test_what_windows_differ_by_is_found():
    rng = np.random.default_rng(2)
    levels = rng.normal(0, 0.05, 400)
    rates = np.clip(np.array([0.2, 0.4, 0.6]) + levels[:, np.newaxis], 0, 1)
    rows = rng.integers(50, 500, rates.shape)
    positive = rng.binomial(rows, rates)
    parts = np.stack([rows, positive, positive], axis=-1).astype(float)
    between = between_windows(parts.sum(axis=0), parts)
    assert math.sqrt(between.level) == pytest.approx(0.05, rel=0.1)
    assert np.sqrt(between.bins) == pytest.approx([0.05] * 3, rel=0.2)
    assert between.windows == 400


def test_of_few_windows_nothing_is_known():
    parts = np.array([[[100.0, 20, 20]], [[100.0, 80, 80]], [[100.0, 50, 50]]])
    assert between_windows(parts.sum(axis=0), parts) == BetweenWindows(0.0, pytest.approx(np.zeros(1)), 0)


def test_the_windows_own_levels_widen_every_bound():
    sides = shares([10_000, 10_000], [2000, 4000]), shares([500, 500], [125, 225])
    alone = conditional_shift(*sides)
    beside = conditional_shift(*sides, BetweenWindows(0.03**2, np.full(2, 0.03**2), 30))
    assert alone.p_value < 0.01 < beside.p_value
    assert alone.sampling_error == beside.sampling_error
    error = math.sqrt(alone.standard_error**2 + 0.03**2 * (1 + 1 / 30))
    assert beside.standard_error == pytest.approx(error)
    assert beside.p_level == pytest.approx(2 * stats.t.sf(beside.difference / error, 29))


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"`reference` of shape \(2, 2\) and `current` of shape \(2, 2\)"):
        conditional_shift(np.ones((2, 2)), np.ones((2, 2)))
    with pytest.raises(ValueError, match=r"`parts` of shape \(4, 2, 3\)"):
        between_windows(np.ones((3, 3)), np.ones((4, 2, 3)))


@pytest.mark.integration
@pytest.mark.parametrize(
    ("rows", "windows", "level", "in_bins", "rate"),
    [
        (200, 30, 0.0, 0.0, 0.25),
        (1000, 30, 0.05, 0.0, 0.25),
        (1000, 8, 0.05, 0.02, 0.25),
        (10_000, 30, 0.0, 0.05, 0.25),
        (1000, 30, 0.0, 0.0, 0.03),
    ],
)
def test_without_drift_small_p_values_are_rare(rows: int, windows: int, level: float, in_bins: float, rate: float):
    """500 windows of baselines of their own; of 3,000, 0.03 to 0.5 % were below 1 %: Bonferroni's rule is cautious."""
    rng = np.random.default_rng(3)
    below = 0
    for _ in range(500):
        base = np.clip(rate * np.exp(rng.normal(0, 0.4, 10)), 0.01, 0.9)
        mix = rng.dirichlet(np.full(10, 20.0), size=windows + 1)
        n = np.array([rng.multinomial(rows, each) for each in mix])
        levels = rng.normal(0, level, windows + 1)[:, np.newaxis] + rng.normal(0, in_bins, (windows + 1, 10))
        positive = rng.binomial(n, np.clip(base + levels, 0.002, 0.998))
        parts = np.stack([n, positive, positive], axis=-1).astype(float)
        whole = parts[:-1].sum(axis=0)
        below += conditional_shift(whole, parts[-1], between_windows(whole, parts[:-1])).p_value < 0.01
    assert below <= 12


def rates(rows, share):
    rows, positive = np.asarray(rows, float), np.asarray(rows, float) * share
    return np.stack([rows, positive, positive], axis=-1)


def test_strata_that_move_and_keep_their_shares_are_no_difference():
    share = np.array([[0.1, 0.4, 0.8], [0.2, 0.3, 0.9]])
    a, b = standardised(rates([[100, 50, 50], [80, 90, 30]], share), rates([[5, 10, 85], [10, 20, 170]], share))
    np.testing.assert_allclose(b, rates([100, 200], [0.725, 0.805]))
    np.testing.assert_allclose(a[:, 1] / a[:, 0], b[:, 1] / b[:, 0])
    assert conditional_shift(a, b).difference == pytest.approx(0.0, abs=1e-12)


def test_the_reference_has_as_many_rows_as_its_weighted_mean_is_steady():
    """The variance of the sum over strata of w * mean is p(1 - p) * sum of w**2 / n, where all shares are p."""
    a, _ = standardised(rates([[100, 300]], 0.3), rates([[50, 50]], 0.3))
    np.testing.assert_allclose(a, rates([1 / (0.25 / 100 + 0.25 / 300)], 0.3))
    alike, _ = standardised(rates([[100, 300]], 0.3), rates([[25, 75]], 0.3))
    np.testing.assert_allclose(alike, rates([400], 0.3))


def test_cells_that_the_reference_does_not_have_are_left_out():
    a, b = standardised(rates([[100, 0], [0, 0]], 0.3), rates([[10, 40], [7, 0]], 0.5))
    np.testing.assert_allclose(b, rates([10, 0], 0.5))
    np.testing.assert_allclose(a, rates([100, 0], 0.3))


def test_a_mean_moves_with_the_places_inside_its_stratum():
    """Shares of 0.2 and 0.4 in the first stratum, of which the second place is now three times as frequent."""
    found = within_strata([[100, 20], [100, 40], [50, 30], [0, 0]], [[10, 9], [30, 9], [7, 1], [3, 1]], [0, 0, 1, 1])
    np.testing.assert_allclose(found.shift, [0.25 * 0.2 + 0.75 * 0.4 - 0.3, 0], atol=1e-15)
    np.testing.assert_allclose(found.inflation, [(0.25**2 / 100 + 0.75**2 / 100) * 200, 1])
    np.testing.assert_allclose(
        found.applied(rates([200, 50], [0.3, 0.6])), rates([200 / found.inflation[0], 50], [0.35, 0.6])
    )
    nothing = within_strata([[0, 0]], [[5, 1]], [0])
    assert (nothing.shift.tolist(), nothing.inflation.tolist()) == ([0.0], [1.0])


def test_bins_that_move_as_the_places_do_are_not_moved_twice():
    """One stratum; the bins are its places in the first case, and know nothing of them in the second."""
    within = within_strata([[100, 20], [100, 40]], [[10, 2], [30, 12]], [0, 0])
    places = rates([[100], [100]], [[0.2], [0.4]]), rates([[10], [30]], [[0.2], [0.4]])
    assert conditional_shift(*standardised(*places, within)).difference == pytest.approx(0.0, abs=1e-12)
    others = rates([[100], [100]], 0.3), rates([[10], [30]], 0.35)
    assert conditional_shift(*standardised(*others, within)).difference == pytest.approx(0.0, abs=1e-12)
    assert conditional_shift(*standardised(*others)).difference == pytest.approx(0.05)


def test_strata_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"`reference` of shape \(2, 3\) and `current` of shape \(1, 2, 3\)"):
        standardised(np.ones((2, 3)), np.ones((1, 2, 3)))
