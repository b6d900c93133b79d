"""The ratio of two densities that are known."""

import numpy as np
import pytest

from monitoring_tasks.statistics.multivariate.density_ratio import LARGEST, density_ratio, propensity_logits, told_apart


def test_of_two_normal_samples_it_is_near_the_closed_form():
    """Ratio exp(x/2 - 1/8) of N(0.5, 1) over N(0, 1); the weighted reference has the current mean."""
    rng = np.random.default_rng(1)
    before, after = rng.normal(size=(8000, 2)), rng.normal(size=(4000, 2))
    after[:, 0] += 0.5
    weights, back = density_ratio(before, after)
    assert np.corrcoef(np.log(weights), before[:, 0])[0, 1] > 0.9
    assert np.average(before[:, 0], weights=weights) == pytest.approx(0.5, abs=0.08)
    assert np.average(after[:, 0], weights=back) == pytest.approx(0.0, abs=0.08)
    assert np.average(before[:, 1], weights=weights) == pytest.approx(0.0, abs=0.08)
    assert weights.mean() == pytest.approx(1)


def test_without_a_shift_rows_weigh_about_the_same():
    rng = np.random.default_rng(2)
    weights, back = density_ratio(rng.normal(size=(4000, 3)), rng.normal(size=(2000, 3)))
    # Effective rows by Kish's formula.
    assert 1 / np.mean(weights**2) > 0.85
    assert 1 / np.mean(back**2) > 0.85


def test_rows_that_the_other_side_never_has_are_clipped():
    weights, _ = density_ratio([[0.0], [1.0]] * 300, [[0.0]] * 300)
    assert 1 / LARGEST / 2 < weights[1] / weights[0] < 0.1


def test_gaps_are_a_value_and_empty_columns_say_nothing():
    gaps = np.array([[np.nan, np.nan], [1.0, np.nan]])
    weights, _ = density_ratio(np.tile(gaps, (200, 1)), np.tile(gaps[[0, 0, 0, 1]], (100, 1)))
    assert weights[:2] == pytest.approx([1.5, 0.5], abs=0.05)


def test_too_few_rows_are_named():
    for function in (density_ratio, propensity_logits, told_apart):
        with pytest.raises(ValueError, match="`current` has 2 rows, 5 are needed"):
            function(np.zeros((9, 1)), np.zeros((2, 1)))
        with pytest.raises(ValueError, match="`reference` has 3 rows, 5 are needed"):
            function(np.zeros((3, 1)), np.ones((200, 1)))


def test_a_quick_look_tells_sides_apart_that_have_nothing_in_common():
    rng = np.random.default_rng(3)
    before, after, other = rng.normal(size=(1000, 2)), rng.normal(size=(200, 2)), rng.normal(size=(30, 2)) + 5
    assert told_apart(before, before + 9) == 1.0
    assert told_apart(before, after) == pytest.approx(0.5, abs=0.15)
    assert told_apart(before, other) > 0.99
    # Of ten rows eight are learned from, which no leaf of 20 can hold apart from others.
    assert told_apart(before, other[:10]) < 0.9
