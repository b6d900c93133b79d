"""The test of mean scores against exact distributions, and what it must not depend on."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu, norm, pearson3

from monitoring_tasks.statistics.homogeneity.score_test import ScoreTest, score_test
from monitoring_tasks.statistics.homogeneity.scores import level_scores

side = st.lists(st.integers(0, 10**5), min_size=5, max_size=5).filter(any)
scores = st.lists(st.floats(-100, 100), min_size=5, max_size=5)


def exact(reference, current) -> float:
    """Twice the smaller tail of the difference of sums, both sides of the same rows drawn from the pooled shares.

    The scores are 0, 1, 2 ...; the sums' distributions are convolved. Half of the probability of the value itself
    counts, for the approximation knows no steps.
    """
    rows = sum(reference)
    assert rows == sum(current)
    share = (np.array(reference) + current) / (2 * rows)
    one = share
    of_sum = np.array([1.0])
    for _ in range(rows):
        of_sum = np.convolve(of_sum, one)
    difference = np.convolve(of_sum, of_sum[::-1])
    score = np.arange(len(share))
    place = len(of_sum) - 1 + int(np.dot(current, score) - np.dot(reference, score))
    above = difference[place + 1 :].sum() + difference[place] / 2
    below = difference[:place].sum() + difference[place] / 2
    return float(2 * min(above, below))


def rare_tail(rows: int, step: int) -> tuple[np.ndarray, np.ndarray]:
    """Two samples with scores as skewed as an exponential distribution, whose means differ by `step`."""
    values = np.minimum(np.round(-20 * np.log(1 - (np.arange(rows) + 0.5) / rows)), 199).astype(int)
    moved = np.minimum(values + step, 199)
    return np.bincount(values, minlength=200), np.bincount(moved, minlength=200)


@pytest.mark.parametrize("step", [5, 10, 15, 18, 21])
def test_the_tail_of_skewed_scores_of_50_rows_is_within_a_few_per_cent(step):
    """From 0.2 down to 1e-6."""
    reference, current = rare_tail(50, step)
    assert float(score_test(reference, current, np.arange(200)).p_value()) == pytest.approx(
        exact(reference, current), rel=0.05
    )


def one_sided(share: np.ndarray, rows: int, total: int) -> float:
    """Probability that the sum of so many scores 0, 1, 2 ... is at least `total`, half of that value itself."""
    of_sum = np.array([1.0])
    for _ in range(rows):
        of_sum = np.convolve(of_sum, share)
    return float(of_sum[total + 1 :].sum() + of_sum[total] / 2)


@pytest.mark.parametrize("mean", [28, 32, 36, 40])
def test_a_small_window_against_a_reference_that_is_known(mean):
    """A window of 50 rows with skewness 2: the normal tail is off many times, the saddlepoint by a few per cent."""
    share = np.exp(-np.arange(400) / 20)
    share /= share.sum()
    reference = np.round(share * 1e12).astype(int)
    current = np.zeros(400, int)
    current[mean] = 50
    test = score_test(reference, current, np.arange(400))
    expected = 2 * one_sided(share, 50, mean * 50)
    assert float(test.p_value()) == pytest.approx(expected, rel=0.05)
    z = (mean - share @ np.arange(400)) / np.sqrt(share @ np.arange(400) ** 2 - (share @ np.arange(400)) ** 2) * 50**0.5
    if mean == 40:
        assert 2 * norm.sf(z) < expected / 20


@pytest.mark.parametrize("shift", [0.05, 0.1, 0.15])
def test_with_ranks_as_scores_it_is_mann_and_whitneys(shift):
    """scipy's normal approximation, of the same rows with ties."""
    rng = np.random.default_rng(3)
    edges = norm.ppf(np.arange(1, 20) / 20)
    a, b = np.digitize(rng.normal(size=2000), edges), np.digitize(rng.normal(shift, size=1000), edges)
    before, after = np.bincount(a, minlength=20), np.bincount(b, minlength=20)
    both = before + after
    ranks = np.cumsum(both) - both / 2
    expected = mannwhitneyu(a, b, method="asymptotic", use_continuity=False).pvalue
    assert float(score_test(before, after, ranks).p_value()) == pytest.approx(expected, rel=0.02)


def test_with_normal_scores_of_many_bins_it_is_van_der_waerdens():
    """Its statistic by the textbook: the sum of normal scores of the ranks over its exact variance."""
    rng = np.random.default_rng(4)
    values = np.concatenate((rng.normal(size=3000), rng.normal(0.15, size=1000)))
    ranks = values.argsort().argsort()
    score = norm.ppf((ranks + 1) / 4001)
    z = score[3000:].sum() / np.sqrt(3000 * 1000 / (4000 * 3999) * (score**2).sum())
    before, after = np.bincount(ranks[:3000], minlength=4000), np.bincount(ranks[3000:], minlength=4000)
    test = score_test(before, after, level_scores(before + after))
    assert test.root == pytest.approx(z, rel=0.02)
    assert float(test.p_value()) == pytest.approx(2 * norm.sf(z), rel=0.1)


@given(side, side, scores)
def test_the_sides_may_change_places(reference, current, score):
    there, back = score_test(reference, current, score), score_test(current, reference, score)
    assert back.root == pytest.approx(-there.root, rel=1e-6, abs=1e-9)
    assert float(back.p_value()) == pytest.approx(float(there.p_value()), rel=1e-4, abs=1e-300)


@given(side, side, st.lists(st.integers(-100, 100), min_size=5, max_size=5), st.integers(-50, 50), st.integers(1, 50))
def test_scores_have_neither_origin_nor_unit(reference, current, score, origin, unit):
    test = score_test(reference, current, score)
    other = score_test(reference, current, (np.array(score) * unit + origin).astype(float))
    assert other.root == pytest.approx(test.root, rel=1e-6, abs=1e-9)
    turned = score_test(reference, current, -np.array(score))
    assert turned.root == pytest.approx(-test.root, rel=1e-6, abs=1e-9)


@given(side, side, scores)
def test_the_root_has_the_sign_of_the_difference_and_every_p_value_is_one(reference, current, score):
    test = score_test(reference, current, score)
    a, b = np.array(reference), np.array(current)
    difference = b @ np.array(score) / b.sum() - a @ np.array(score) / a.sum()
    assume(abs(difference) > 1e-9)
    assert np.sign(test.root) in (np.sign(difference), 0.0)
    assert 0 <= float(test.p_value()) <= 1


@given(side, side, scores)
def test_dispersion_makes_it_no_smaller(reference, current, score):
    p_values = score_test(reference, current, score).p_value(np.geomspace(1, 1e4, 50))
    assert (np.diff(p_values) >= -1e-12).all()


def test_a_small_difference_of_skewed_scores_is_not_made_significant_by_dispersion():
    """Once 0.16 at a dispersion of 10,000, down from 1: the correction for skewness grew without bound."""
    test = score_test([4, 1033, 1319, 7644], [36, 38, 10, 16], [1.66, -0.184, 8.425, 0.32])
    assert test.correction == 0 or test.p_value([1e4])[0] > test.p_value([1.0])[0]
    assert ScoreTest(0.4, 0.01).p_value([1e4])[0] > 0.99


def test_without_two_scores_there_is_nothing_to_test():
    for current in ([1, 2, 0], [0, 0, 9]):
        test = score_test([5, 5, 0], current, [2.0, 2.0, 2.0])
        assert (test.root, float(test.p_value())) == (0.0, 1.0)


@pytest.mark.parametrize("skewness", [0.3, 1.0, 2.5])
@pytest.mark.parametrize("root", [1.0, 3.0, 6.0])
def test_a_skewed_difference_has_pearsons_tail_where_it_is_the_heavier_one(root, skewness):
    plain, skewed = ScoreTest(root, 0.0), ScoreTest(root, 0.0).p_value(4.0, skewness)
    assert skewed == pytest.approx(max(2 * pearson3.sf(root / 2, skewness), 2 * norm.sf(root / 2)), rel=1e-9)
    # Towards the other side the normal tail stays, and independent rows are what they are.
    assert ScoreTest(root, 0.0).p_value(4.0, -skewness) == plain.p_value(4.0)
    assert ScoreTest(-root, 0.0).p_value(4.0, -skewness) == skewed
    assert plain.p_value(1.0, skewness) == plain.p_value(1.0)
