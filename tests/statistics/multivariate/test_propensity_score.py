"""Propensity scores of two samples whose densities are known."""

import pickle

import numpy as np
import pytest

from monitoring_tasks.statistics.multivariate.propensity_score import propensity_logits, told_apart


def test_of_two_normal_samples_they_are_near_the_closed_form():
    """The ratio of N(0.5, 1) over N(0, 1) is exp(x/2 - 1/8); weighted by it the reference has the current mean."""
    rng = np.random.default_rng(1)
    before, after = rng.normal(size=(8000, 2)), rng.normal(size=(4000, 2))
    after[:, 0] += 0.5
    here, there = propensity_logits(before, after)
    assert np.sqrt(np.mean((here - (before[:, 0] / 2 - 1 / 8)) ** 2)) < 0.25
    assert np.corrcoef(here, before[:, 0])[0, 1] > 0.9
    assert np.average(before[:, 0], weights=np.exp(here)) == pytest.approx(0.5, abs=0.08)
    assert np.average(after[:, 0], weights=np.exp(-there)) == pytest.approx(0.0, abs=0.08)
    assert np.average(before[:, 1], weights=np.exp(here)) == pytest.approx(0.0, abs=0.08)


def test_without_a_shift_they_are_about_0_whatever_the_rows():
    rng = np.random.default_rng(2)
    for logits in propensity_logits(rng.normal(size=(4000, 3)), rng.normal(size=(2000, 3))):
        assert np.sqrt(np.mean(logits**2)) < 0.4
        assert abs(logits.mean()) < 0.1


def test_rows_that_the_other_side_never_has_are_the_least_likely():
    logits, _ = propensity_logits([[0.0], [1.0]] * 300, [[0.0]] * 300)
    assert logits[1] < -2
    assert logits[0] == pytest.approx(np.log(2), abs=0.2)


def test_gaps_are_a_value_and_empty_columns_say_nothing():
    gaps = np.array([[np.nan, np.nan], [1.0, np.nan]])
    logits, _ = propensity_logits(np.tile(gaps, (200, 1)), np.tile(gaps[[0, 0, 0, 1]], (100, 1)))
    assert np.exp(logits[:2]) == pytest.approx([1.5, 0.5], abs=0.05)


@pytest.mark.parametrize("function", [propensity_logits, told_apart])
def test_a_repetition_finds_the_same_to_the_last_bit(function):
    rng = np.random.default_rng(3)
    before, after = rng.normal(size=(900, 6)), rng.normal(0.2, size=(500, 6))
    after[::7, 2] = np.nan
    once, again = (pickle.dumps(function(before.copy(), after.copy())) for _ in range(2))
    assert once == again


@pytest.mark.parametrize("function", [propensity_logits, told_apart])
def test_too_few_rows_are_named(function):
    with pytest.raises(ValueError, match="`current` has 2 rows, 5 are needed for as many folds: pass more rows"):
        function(np.zeros((9, 1)), np.zeros((2, 1)))
    with pytest.raises(ValueError, match="`reference` has 1 rows"):
        function(np.zeros((1, 1)), np.zeros((1, 1)))
