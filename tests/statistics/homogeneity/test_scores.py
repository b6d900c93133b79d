"""Normal scores against numeric integration of the normal quantile, and closed forms."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from monitoring_tasks.statistics.homogeneity.scores import level_scores, spread_scores

counts = st.lists(st.integers(0, 10**6), min_size=1, max_size=12).filter(any)


@pytest.mark.parametrize("rows", [[1], [3, 1], [5, 0, 2, 900, 1], [1] * 10, [1, 10, 100, 1000, 10_000]])
def test_each_is_the_mean_over_the_bins_ranks(rows):
    """By quadrature: the mean of the normal quantile, or of its square less 1, between the bin's cumulative shares."""
    limits = np.concatenate(([0], np.cumsum(rows))) / sum(rows)
    for scores, function in ((level_scores, norm.ppf), (spread_scores, lambda u: norm.ppf(u) ** 2 - 1)):
        expected = [
            quad(function, low, high)[0] / (high - low) if high > low else 0.0
            for low, high in itertools.pairwise(limits)
        ]
        assert scores(rows) == pytest.approx(expected, abs=1e-6)


def test_two_equal_bins_have_the_means_of_the_half_normal_distribution():
    assert level_scores([7, 7]) == pytest.approx([-math.sqrt(2 / math.pi), math.sqrt(2 / math.pi)])
    assert spread_scores([7, 7]) == pytest.approx([0.0, 0.0])


@given(counts)
def test_their_mean_over_the_rows_is_0(rows):
    share = np.array(rows) / sum(rows)
    assert share @ level_scores(rows) == pytest.approx(0.0, abs=1e-12)
    assert share @ spread_scores(rows) == pytest.approx(0.0, abs=1e-12)


@given(counts)
def test_the_other_way_round_the_level_turns_and_the_spread_stays(rows):
    assert level_scores(rows[::-1])[::-1] == pytest.approx(-level_scores(rows), abs=1e-6)
    assert spread_scores(rows[::-1])[::-1] == pytest.approx(spread_scores(rows), abs=1e-4)


@given(counts)
def test_the_level_ascends_over_bins_with_rows_and_an_empty_bin_has_0(rows):
    some = np.array(rows) > 0
    assert (np.diff(level_scores(rows)[some]) > 0).all()
    assert (level_scores(rows)[~some] == 0).all()
    assert (spread_scores(rows)[~some] == 0).all()


@given(counts, st.integers(2, 1000))
def test_only_shares_matter(rows, times):
    assert level_scores(np.array(rows) * times) == pytest.approx(level_scores(rows), abs=1e-9)


@pytest.mark.parametrize(("bins", "level", "spread"), [(10, 0.05, 0.3), (100, 0.005, 0.05), (10_000, 1e-4, 2e-3)])
def test_the_more_bins_the_nearer_are_their_variances_to_1_and_2(bins, level, spread):
    for scores, expected, missing in ((level_scores, 1.0, level), (spread_scores, 2.0, spread)):
        variance = np.mean(scores(np.ones(bins)) ** 2)
        assert expected - missing * expected <= variance < expected
