"""Calibration drift: against scipy's chi-squared, the binomial variance by hand, and simulated levels."""

import math

import numpy as np
import pytest
from scipy.stats import chi2, chi2_contingency, kstest, norm

from monitoring_tasks.statistics.performance.calibration_drift import calibration_drift


def scored(rng, rows, bins=20, slope=1.0, intercept=0.0):
    """Labels by bin of a score that is right for slope 1 and intercept 0."""
    score = rng.beta(1.5, 3, rows)
    logit = np.log(score / (1 - score)) * slope + intercept
    label = rng.random(rows) < 1 / (1 + np.exp(-logit))
    place = np.minimum((score * bins).astype(int), bins - 1)
    return np.stack([np.bincount(place[label == side], minlength=bins) for side in (False, True)], axis=1)


def p_of(drifts):
    """The p-values of both tests."""
    return [np.array([one.p_value for one in drifts]), 2 * norm.sf(np.abs([one.z for one in drifts]))]


def test_where_nothing_is_pooled_it_is_pearsons_chi_squared():
    a, b = np.array([[900, 100], [600, 400], [200, 800]]), np.array([[170, 30], [120, 80], [30, 170]])
    each = [chi2_contingency(np.stack(pair), correction=False).statistic for pair in zip(a, b, strict=True)]
    drift = calibration_drift(a, b)
    assert drift.statistic == pytest.approx(sum(each))
    assert (drift.freedom, drift.groups) == (3, 3)
    assert drift.p_value == pytest.approx(chi2.sf(sum(each), 3))
    residuals = np.array([30 - 20, 80 - 80, 170 - 160])
    p = np.array([130 / 1200, 480 / 1200, 970 / 1200])
    error = np.sqrt(np.sum(p * (1 - p) * (200 + 200**2 / 1000)))
    assert drift.z == pytest.approx(residuals.sum() / error)
    assert drift.mean_residual == pytest.approx(20 / 600)
    assert drift.standard_error == pytest.approx(error / 600)


def test_what_the_map_has_pooled_shares_its_error():
    """Shares of 0.3 and 0.1 are pooled to 0.2: the two bins of the current rows are held against one number."""
    drift = calibration_drift([[70, 30], [90, 10]], [[160, 40], [160, 40]])
    assert drift.mean_residual == pytest.approx(0.0)
    assert drift.standard_error == pytest.approx(np.sqrt(0.2 * 0.8 * (400 + 400**2 / 200)) / 400)
    assert drift.statistic == pytest.approx(0.0, abs=1e-12)


def test_sparse_bins_are_merged_for_the_test_of_any_change_only():
    """Ten bins of ten rows, half of them positive, are two groups; the residual is of all of them."""
    drift = calibration_drift([[50, 50]] * 10, [[1, 1]] * 10)
    assert drift.groups == 2
    assert drift.freedom == 2
    assert drift.standard_error == pytest.approx(np.sqrt(0.25 * (20 + 20**2 / 1000)) / 20)


def test_without_change_it_keeps_its_level():
    rng = np.random.default_rng(9)
    drifts = [calibration_drift(scored(rng, 3000), scored(rng, 1000)) for _ in range(1500)]
    for p_values in p_of(drifts):
        for level in (0.01, 0.05, 0.2):
            assert np.mean(p_values <= level) == pytest.approx(
                level, abs=0.01 + 3.5 * np.sqrt(level * (1 - level) / 1500)
            )
    assert kstest([one.z for one in drifts], norm.cdf).pvalue > 0.001


@pytest.mark.parametrize("rows", [100, 300])
def test_inputs_that_move_within_merged_bins_are_no_change(rows):
    """Once the map was fitted on the merged bins: of 100 rows 10.8 % were rejected at 5 %, their residual was 0.031."""
    rng = np.random.default_rng(13)
    edges = norm.ppf(np.arange(1, 50) / 50)

    def window(size, moved):
        score = rng.normal(moved, 1, size)
        label = rng.random(size) < 1 / (1 + np.exp(-1.5 * score))
        return np.stack([np.bincount(np.searchsorted(edges, score[label == one]), minlength=50) for one in (0, 1)], 1)

    drifts = [calibration_drift(window(10_000, 0), window(rows, 1)) for _ in range(800)]
    assert abs(np.mean([one.mean_residual for one in drifts])) < 0.006
    for p_values in p_of(drifts):
        for level in (0.01, 0.05):
            assert np.mean(p_values <= level) < level + 3.5 * np.sqrt(level * (1 - level) / 800)
    assert kstest([one.z for one in drifts], norm.cdf).pvalue > 0.001


def test_a_shift_in_the_large_and_a_slope_that_cancels_are_told_apart():
    rng = np.random.default_rng(10)
    reference = scored(rng, 10_000)
    shifted = calibration_drift(reference, scored(rng, 2000, intercept=0.4))
    assert shifted.z > 4
    assert shifted.p_value < 1e-3
    steeper = [calibration_drift(reference, scored(rng, 2000, slope=1.8, intercept=0.55)) for _ in range(50)]
    assert np.mean([one.p_value < 0.05 for one in steeper]) > 0.9
    assert abs(np.mean([one.z for one in steeper])) < 2.5


def test_labels_of_one_kind_cannot_drift():
    drift = calibration_drift([[50, 0], [60, 0]], [[20, 0], [30, 0]])
    assert (drift.p_value, drift.mean_residual, drift.standard_error, drift.z) == (1.0, 0.0, 0.0, 0.0)
    nothing = calibration_drift([[5, 5]], [[0, 0]])
    assert math.isnan(nothing.mean_residual)
    assert math.isnan(nothing.standard_error)
    assert (nothing.z, nothing.p_value, nothing.groups) == (0.0, 1.0, 0)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"`reference` of shape \(2, 2\) and `current` of shape \(1, 2\)"):
        calibration_drift([[1, 2], [3, 4]], [[1, 2]])
    with pytest.raises(ValueError, match="`current` must hold counts, not -3: pass rows"):
        calibration_drift([[1, 2]], [[1, -3]])
    with pytest.raises(ValueError, match=r"shape \(1, 3\) must be rows by bin and label, .*, of two labels"):
        calibration_drift([[1, 2, 3]], [[1, 3, 3]])
