"""How often rows that come as they used to are out of order, and how often half of them missing is."""

from __future__ import annotations

import numpy as np
import pytest

from monitoring_tasks.statistics.seasonal_volume import seasonal_volume

RATE = 0.01


def outside(mean: float, windows: int, draws: int, *, varies: float = 0.0, growth: float = 0.0, left: float = 1.0):
    """Return how often a window is out of order after so many, whose rows are negative binomial about their mean."""
    rng = np.random.default_rng(int(mean) + windows)
    means = mean * (1 + growth) ** (np.arange(windows + 1) - windows) * np.ones((draws, windows + 1))
    if varies:
        means = means * rng.gamma(1 / varies**2, varies**2, means.shape)
    means[:, -1] *= left
    found = 0
    for *earlier, rows in rng.poisson(means).tolist():
        usual = seasonal_volume(rows, earlier, RATE, 0.2)
        found += not usual.lower <= rows <= usual.upper
    return found / draws


def test_a_holiday_and_an_outage_among_eight_weeks_hardly_matter():
    plain = seasonal_volume(0, [1000, 1040, 980, 1010, 1020, 990, 970, 1030], RATE, 0.2)
    marred = seasonal_volume(0, [1000, 1040, 0, 1010, 1020, 320, 970, 1030], RATE, 0.2)
    assert plain.expected == pytest.approx(marred.expected, rel=0.02)
    assert (plain.lower, plain.upper) == (804, 1206)
    assert marred.lower > 0.65 * plain.lower
    assert marred.upper < 1.35 * plain.upper


def test_where_nothing_ever_comes_nothing_is_usual():
    usual = seasonal_volume(0, [0] * 8, RATE, 0.2)
    assert (usual.expected, usual.lower, usual.p_value) == (0, 0, 1.0)
    assert 1 <= usual.upper <= 6


@pytest.mark.parametrize("earlier", [[1000, 100, 3000, 5], [80, 20, 120, 40, 60, 30, 100, 50], [9, 12, 15, 10]])
def test_no_row_at_all_is_out_of_order_where_every_week_had_some(earlier):
    """However much they differ: without rows there is no scale on which they would do that by chance."""
    usual = seasonal_volume(0, earlier, RATE, 0.2)
    assert (usual.lower >= 1, usual.p_value <= RATE) == (True, True)
    some = seasonal_volume(0, [*earlier[1:], 0], RATE, 0.2)
    assert some.lower <= usual.lower


def test_of_a_handful_of_rows_none_may_be_chance():
    """Poisson's law has none with 5 % where three are expected."""
    usual = seasonal_volume(0, [3, 4, 2, 3, 5, 3, 2, 3], RATE, 0.2)
    assert usual.lower == 0
    assert usual.p_value > np.exp(-3) / 2


@pytest.mark.parametrize("windows", [4, 5, 6, 7, 8])
def test_every_other_week_is_as_usual_as_the_weeks_between(windows):
    """Qn of as many values of either kind is 0, which says that nothing else may come."""
    earlier = [0, 1000] * 4
    for before in (earlier[:windows], earlier[::-1][:windows]):
        for rows in (0, 1000):
            usual = seasonal_volume(rows, before, RATE, 0.2)
            assert usual.lower <= rows <= usual.upper
            assert usual.p_value == 1.0


def test_a_rare_week_is_no_usual_one():
    for windows in (4, 8):
        usual = seasonal_volume(0, [0, *[1000] * (windows - 1)], RATE, 0.2)
        assert usual.lower > 500
    assert seasonal_volume(0, [0, 0, *[1000] * 6], RATE, 0.2).lower > 500


def test_as_many_rows_as_usual_are_in_order_whatever_the_number():
    for rows in (1, 3, 10, 100, 10**4, 10**9):
        usual = seasonal_volume(rows, [rows] * 4, RATE, 0.2)
        assert usual.lower <= rows <= usual.upper
        assert usual.p_value == pytest.approx(1.0)


@pytest.mark.parametrize(("windows", "power"), [(8, 0.85), (6, 0.65)])
def test_half_of_a_hundred_rows_missing_is_seen(windows, power):
    assert outside(100, windows, 400, left=0.5) > power


def test_rows_that_vary_by_all_of_themselves_are_seldom_too_many_or_none():
    """Geometric numbers, as of windows with a campaign now and then."""
    rng, found = np.random.default_rng(3), 0
    for *earlier, rows in (rng.geometric(1 / 101, (600, 9)) - 1).tolist():
        usual = seasonal_volume(rows, earlier, RATE, 0.2)
        found += not usual.lower <= rows <= usual.upper
    assert found <= 0.03 * 600


def test_three_per_cent_more_every_week_is_in_order():
    assert outside(1000, 8, 400, growth=0.03) <= 0.02


def test_of_a_billion_rows_the_variation_counts():
    """Three tenths of themselves, which on Anscombe's scale are ten thousand."""
    assert outside(1e9, 8, 300, varies=0.3) <= 0.035


@pytest.mark.integration
@pytest.mark.parametrize("windows", [4, 8])
@pytest.mark.parametrize("varies", [0.0, 0.1, 0.3])
@pytest.mark.parametrize("mean", [5, 100, 2000])
def test_rows_that_vary_as_they_did_are_seldom_out_of_order(mean, varies, windows):
    """Twice the rate at most, where a variation hides behind Poisson's; Poisson's own hardly ever."""
    draws = 1500
    allowed = 2 * RATE if varies else RATE / 2
    assert outside(mean, windows, draws, varies=varies) <= allowed + 3 * (allowed / draws) ** 0.5
