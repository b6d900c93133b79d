"""Covariate shift correction: closed forms, an independent intraclass correlation, and the test's size."""

import numpy as np
import pytest
from scipy.stats import chi2, chi2_contingency

from monitoring_tasks.statistics.performance.calibration_map import fit_calibration, merge_places
from monitoring_tasks.statistics.performance.estimation import expected_outcomes
from monitoring_tasks.statistics.performance.outcomes import Outcomes
from monitoring_tasks.statistics.performance.shift_correction import fit_corrected, label_correlation, shift_correction

EDGES = np.array([0.0, 0.5, 1.0])


def test_the_corrected_chances_are_those_of_the_windows_bins():
    """Of a place, P(label) is 0.2 in one bin of the feature and 0.5 in the other; nine of ten rows are there."""
    counts = np.zeros((2, 4, 1, 2), int)
    counts[:, 2, 0] = [(800, 200), (500, 500)]
    window = np.zeros((2, 4, 1), int)
    window[:, 2, 0] = (100, 900)
    whole = Outcomes(counts.sum(axis=0), {}, EDGES[:2])
    plain = expected_outcomes(fit_calibration(whole), window.sum(axis=0)).counts
    found = shift_correction(Outcomes(counts), window, plain)
    each = np.arange(4), np.zeros(1, int), np.arange(2)
    fitted = fit_corrected(whole, found, *each)
    assert fitted.probability[2, 0, 1] == pytest.approx(0.1 * 0.2 + 0.9 * 0.5)
    # Kish: weights of 0.2 and 1.8 on half of the rows each are 1 / 1.64 as informative.
    assert found.inflation[2, 0, 0] == pytest.approx(
        (800 * 0.2**2 + 500 * 1.8**2) * 1300 / (800 * 0.2 + 500 * 1.8) ** 2
    )
    assert fitted.effective_rows < 2000


def test_without_a_shift_nothing_is_corrected():
    counts = np.zeros((2, 4, 1, 2), int)
    counts[:, 2, 0] = [(800, 200), (500, 500)]
    found = shift_correction(Outcomes(counts), counts.sum(axis=3), counts.sum(axis=0))
    np.testing.assert_allclose(found.weights, 1)
    assert (found.effect, found.p_value) == (0, 1)


def test_what_the_places_show_already_is_not_corrected_for_once_more():
    """The feature is the place within the group: its shift changes P(label) just as the places say."""
    counts = np.array([[[[800, 200]]], [[[500, 500]]]])
    found = shift_correction(Outcomes(counts), np.array([[[100]], [[900]]]), np.array([[[530.0, 470.0]]]))
    np.testing.assert_allclose(found.weights, 1)
    assert found.p_value == 1


def test_bins_that_the_baseline_does_not_have_say_nothing():
    counts = np.array([[[[800, 200]]], [[[0, 0]]]])
    found = shift_correction(Outcomes(counts), np.array([[[0]], [[900]]]), np.array([[[720.0, 180.0]]]))
    np.testing.assert_allclose(found.weights, 1)
    assert np.isfinite(found.inflation).all()


def test_a_feature_that_says_nothing_is_significant_as_often_as_it_may_be():
    rng = np.random.default_rng(3)
    chance = np.array([0.1, 0.3, 0.7])
    shifted = rng.multinomial(600, np.array([0.1, 0.2, 0.3, 0.4]), 3).T[:, :, np.newaxis]
    p_values = []
    for _ in range(1000):
        rows = rng.multinomial(3000, np.full(12, 1 / 12)).reshape(4, 3, 1)
        positive = rng.binomial(rows, chance[:, np.newaxis])
        counts = np.stack([rows - positive, positive], axis=-1)
        share = counts.sum(axis=0) / counts.sum(axis=(0, 3))[..., np.newaxis]
        expected = share * shifted.sum(axis=0)[..., np.newaxis]
        p_values.append(shift_correction(Outcomes(counts), shifted, expected).p_value)
    assert 0.035 < np.mean(np.array(p_values) < 0.05) < 0.07
    assert 0.45 < np.mean(p_values) < 0.55


def null_p_values(rng, rate, rows, runs):
    """Of ten bins that say nothing and have moved, in ten groups of places with rates about `rate`."""
    found = []
    for _ in range(runs):
        groups, (before, after) = rng.dirichlet(np.full(10, 5)), rng.dirichlet(np.full(10, 3), 2)
        chance = np.sort(rate * np.exp(rng.normal(0, 0.7, 10)))
        known = rng.multinomial(rows, np.outer(before, groups).ravel()).reshape(10, 10, 1)
        moved = rng.multinomial(1000, np.outer(after, groups).ravel()).reshape(10, 10, 1)
        positive = rng.binomial(known, np.minimum(chance, 0.95)[:, np.newaxis])
        counts = np.stack([known - positive, positive], axis=-1)
        share = counts.sum(axis=0) / np.maximum(counts.sum(axis=(0, 3)), 1)[..., np.newaxis]
        expected = share * moved.sum(axis=0)[..., np.newaxis]
        found.append(shift_correction(Outcomes(counts), moved, expected).p_value)
    return np.array(found)


@pytest.mark.parametrize(("rate", "rows"), [(0.2, 5000), (0.01, 5000), (0.001, 50_000)])
def test_rare_labels_are_not_significant_more_often(rate, rows):
    """Without adding up groups 3.7 and 4.1 % of the rare ones are, at 1 %, and 1.5 % at 0.1 %."""
    p_values = null_p_values(np.random.default_rng(11), rate, rows, 1000)
    assert np.mean(p_values < 0.01) < 0.02
    assert np.mean(p_values < 0.001) < 0.005
    assert np.mean(p_values < 0.5) > 0.3


def two_bins(rare):
    """Groups of 100 rows, half of them in either bin, with so many positive; the window has the second bin only."""
    counts = np.array([[[[50 - low, low]] for low, _ in rare], [[[50 - high, high]] for _, high in rare]])
    window = np.zeros((2, len(rare), 1), int)
    window[1] = 100
    return Outcomes(counts), window, counts.sum(axis=0).astype(float)


def test_neighbours_are_added_up_until_five_rows_of_two_labels_are_expected():
    """Groups have 4 or 5 positive rows, two of them 8 and 9: these are two tables for Pearson's test."""
    found = shift_correction(*two_bins([(0, 4), (0, 4), (1, 4), (0, 4)])).p_value
    tables = [[100, 0], [92, 8]], [[99, 1], [92, 8]]
    statistic = sum(chi2_contingency(table, correction=False)[0] for table in tables)
    assert found == pytest.approx(chi2.sf(statistic, 2), rel=1e-9)


def test_what_is_left_over_joins_the_last_sum_and_too_little_is_not_tested():
    found = shift_correction(*two_bins([(0, 4), (1, 4), (0, 1)])).p_value
    assert found == pytest.approx(chi2.sf(chi2_contingency([[149, 1], [141, 9]], correction=False)[0], 1), rel=1e-9)
    assert shift_correction(*two_bins([(0, 4)])).p_value == 1


def test_a_rare_class_counts_with_the_most_frequent():
    counts = np.array([[[[60, 38, 2]]], [[[40, 58, 2]]]])
    window, expected = np.array([[[0]], [[100]]]), counts.sum(axis=0).astype(float)
    found = shift_correction(Outcomes(counts), window, expected).p_value
    two = np.array([[[[62, 38]]], [[[42, 58]]]])
    assert found == pytest.approx(shift_correction(Outcomes(two), window, two.sum(axis=0).astype(float)).p_value)


def test_clustered_rows_need_more_of_an_effect():
    counts = np.array([[[[800, 200]]], [[[500, 500]]]])
    window, expected = np.array([[[450]], [[550]]]), np.array([[[650.0, 350.0]]])
    independent = shift_correction(Outcomes(counts), window, expected)
    clustered = shift_correction(Outcomes(counts), window, expected, correlation=0.05, dispersion=101)
    # Kish's design effect, 1 + 0.05 * 100.
    np.testing.assert_allclose(clustered.inflation, 6 * independent.inflation)
    assert clustered.p_value > independent.p_value
    assert clustered.usual == pytest.approx(np.sqrt(0.05 * 2 * 0.65 * 0.35 / 2))
    assert independent.usual == 0


def test_the_correlation_of_labels_is_that_of_their_beta_binomial_distribution():
    """A share drawn anew for every window from a beta distribution with a + b = 9 has the correlation 1 / 10."""
    rng = np.random.default_rng(5)
    rows = rng.integers(50, 150, 4000)
    positive = rng.binomial(rows, rng.beta(3, 6, 4000))
    counts = np.stack([rows - positive, positive], axis=-1)[:, np.newaxis, np.newaxis]
    assert label_correlation(Outcomes(counts)) == pytest.approx(0.1, abs=0.01)
    positive = rng.binomial(rows, 1 / 3)
    counts = np.stack([rows - positive, positive], axis=-1)[:, np.newaxis, np.newaxis]
    assert label_correlation(Outcomes(counts)) == pytest.approx(0, abs=0.001)
    assert label_correlation(Outcomes(counts[:0])) == 0


def test_merged_places_keep_rows_chances_and_sums():
    rng = np.random.default_rng(6)
    counts = rng.integers(1, 50, (12, 3, 2))
    edges = np.linspace(0, 1, 10)
    score = counts * np.linspace(0, 1, 12)[:, np.newaxis, np.newaxis]
    fitted = fit_calibration(Outcomes(counts, {"score": score}, edges))
    groups = np.concatenate(([0], 1 + np.arange(11) // 4))
    merged = merge_places(fitted, groups)
    window = rng.integers(0, 30, (12, 3))
    coarse = np.zeros((4, 3), int)
    np.add.at(coarse, groups, window)
    assert merged.rows.sum() == fitted.rows.sum() == counts.sum()
    assert merged.edges.tolist() == [edges[3], edges[7]]
    np.testing.assert_allclose((merged.rows * merged.means["score"]).sum(), score[:].sum())
    same = counts.sum(axis=-1)
    merged_same = np.zeros((4, 3), int)
    np.add.at(merged_same, groups, same)
    np.testing.assert_allclose(
        expected_outcomes(merged, merged_same).confusion, expected_outcomes(fitted, same).confusion
    )


@pytest.mark.parametrize("groups", [[0, 1], [1, 1, 1, 2], [0, 2, 2, 3]])
def test_groups_must_be_of_all_places_in_order(groups):
    fitted = fit_calibration(Outcomes(np.ones((4, 1, 2), int), {}, EDGES[:2]))
    with pytest.raises(ValueError, match="`groups` must number the groups of 4 places in order"):
        merge_places(fitted, groups)


def test_bins_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="`current` of shape"):
        shift_correction(Outcomes(np.ones((2, 4, 1, 2), int)), np.ones((3, 4, 1)), np.ones((4, 1, 2)))
