"""Tests of labels at equal inputs: against published tables, scipy, exact enumeration, and simulated levels."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import chi2, chi2_contingency, kstest, multivariate_hypergeom, norm, ttest_ind

from monitoring_tasks.statistics.performance.concept_drift import (
    _pearson_moments,
    calibration_drift,
    cochran_mantel_haenszel,
    common_odds_ratio,
    label_homogeneity,
    residual_drift,
    welch_test,
)

# Agresti (2002), Categorical Data Analysis, 2nd ed., table 6.9: success and failure by center, control and drug.
CONTROL = np.array([(10, 27), (22, 10), (7, 12), (1, 16), (0, 12), (0, 10), (1, 8), (6, 1)])
DRUG = np.array([(11, 25), (16, 4), (14, 5), (2, 14), (6, 11), (1, 10), (1, 4), (4, 2)])
# Bickel, Hammel & O'Connell (1975), Science 187: admitted and rejected by department, men and women.
MEN = np.array([(512, 313), (353, 207), (120, 205), (138, 279), (53, 138), (22, 351)])
WOMEN = np.array([(89, 19), (17, 8), (202, 391), (131, 244), (94, 299), (24, 317)])

tables = arrays(np.int64, (4, 3), elements=st.integers(0, 30))


def test_of_agrestis_eight_centers_it_is_6_38():
    """Section 6.3.2: CMH = 6.38 with p = 0.012, and the common odds ratio 2.13 (section 6.3.5)."""
    test = cochran_mantel_haenszel(CONTROL, DRUG)
    assert test.statistic == pytest.approx(6.38, abs=0.005)
    assert test.freedom == 1
    assert test.p_value == pytest.approx(0.012, abs=5e-4)
    assert common_odds_ratio(CONTROL[:, ::-1], DRUG[:, ::-1]) == pytest.approx(2.13, abs=0.005)


def test_of_berkeleys_admissions_it_is_what_r_prints():
    """R's `mantelhaen.test(UCBAdmissions)`: X-squared = 1.4269, p = 0.2323; common odds ratio 0.9046968."""
    test = cochran_mantel_haenszel(WOMEN, MEN, continuity=True)
    assert (test.statistic, test.p_value) == (pytest.approx(1.4269, abs=5e-5), pytest.approx(0.2323, abs=5e-5))
    assert common_odds_ratio(WOMEN[:, ::-1], MEN[:, ::-1]) == pytest.approx(0.9046968, abs=5e-8)


@given(tables, tables)
def test_any_direction_counts_once_and_the_sides_may_change_places(a, b):
    there, back = cochran_mantel_haenszel(a, b), cochran_mantel_haenszel(b, a)
    assert back.statistic == pytest.approx(there.statistic, rel=1e-6, abs=1e-8)
    turned = cochran_mantel_haenszel(a[:, ::-1], b[:, ::-1])
    assert turned.statistic == pytest.approx(there.statistic, rel=1e-6, abs=1e-8)
    assert 0 <= there.p_value <= 1


def test_of_one_bin_it_is_pearsons_less_one_row():
    """Agresti, section 6.3.2: with one table (N - 1) / N times Pearson's chi-squared, whatever the labels."""
    a, b = np.array([[30, 20, 10]]), np.array([[15, 25, 12]])
    pearson = chi2_contingency(np.vstack([a, b]), correction=False).statistic
    assert cochran_mantel_haenszel(a, b).statistic == pytest.approx(pearson * 111 / 112)


def test_the_sum_over_bins_is_that_of_scipys_chi_squared():
    rng = np.random.default_rng(5)
    a, b = rng.integers(200, 900, (6, 4)), rng.integers(200, 900, (6, 4))
    b = a + rng.integers(-30, 30, (6, 4))
    each = [chi2_contingency(np.stack(pair), correction=False) for pair in zip(a, b, strict=True)]
    test = label_homogeneity(a, b)
    assert test.statistic == pytest.approx(sum(one.statistic for one in each))
    assert test.freedom == sum(one.dof for one in each)
    assert test.p_value == pytest.approx(chi2.sf(test.statistic, test.freedom), rel=0.02)


@pytest.mark.parametrize(("sides", "labels"), [((5, 7), (3, 9)), ((4, 3), (2, 2, 3)), ((10, 2), (4, 5, 3))])
def test_its_mean_and_variance_in_a_sparse_bin_are_exact(sides, labels):
    """By enumeration of all tables with these margins."""
    grid = np.stack(np.meshgrid(*[np.arange(count + 1) for count in labels], indexing="ij"), -1).reshape(
        -1, len(labels)
    )
    grid = grid[grid.sum(axis=1) == sides[0]]
    chance = multivariate_hypergeom.pmf(grid, labels, sides[0])
    values = np.array([chi2_contingency(np.stack([one, labels - one]), correction=False).statistic for one in grid])
    mean, variance, _ = _pearson_moments(np.array([sides], float), np.array([labels], float))
    assert mean[0] == pytest.approx(chance @ values)
    assert variance[0] == pytest.approx(chance @ values**2 - (chance @ values) ** 2)


def test_bins_that_tell_nothing_change_nothing():
    a, b = np.array([[80, 20], [50, 50]]), np.array([[70, 30], [40, 60]])
    nothing = [[5, 5], [0, 0], [9, 0], [1, 0], [0, 0]], [[0, 0], [3, 4], [8, 0], [0, 1], [0, 0]]
    more_a, more_b = np.vstack([a, nothing[0]]), np.vstack([b, nothing[1]])
    assert label_homogeneity(more_a, more_b) == label_homogeneity(a, b)
    for test in (label_homogeneity, cochran_mantel_haenszel):
        found = test(np.array(nothing[0])[:3], np.array(nothing[1])[:3])
        assert (found.statistic, found.freedom, found.p_value) == (0.0, 0.0, 1.0)


def sparse(rng, bins=12, labels=2, rows=(400, 150), odds=0.0):
    """Labels of two samples over bins of very different sizes, many of them sparse."""
    shares = rng.dirichlet(np.full(bins, 0.7))
    p = rng.dirichlet(np.ones(labels), bins)
    moved = p * np.exp(odds * np.arange(labels))
    sides = []
    for size, chance in ((rows[0], p), (rows[1], moved / moved.sum(axis=1, keepdims=True))):
        in_bin = rng.multinomial(size, shares)
        sides.append(np.stack([rng.multinomial(n, one) for n, one in zip(in_bin, chance, strict=True)]))
    return sides


@pytest.mark.parametrize("test", [cochran_mantel_haenszel, label_homogeneity])
@pytest.mark.parametrize("labels", [2, 4])
def test_without_change_p_values_are_uniform_even_in_sparse_bins(test, labels):
    rng = np.random.default_rng(7)
    p_values = np.array([test(*sparse(rng, labels=labels)).p_value for _ in range(1500)])
    for level in (0.01, 0.05, 0.2, 0.5):
        assert np.mean(p_values <= level) == pytest.approx(level, abs=3.5 * np.sqrt(level * (1 - level) / 1500))


def test_a_common_direction_is_found_by_the_one_and_a_change_that_cancels_by_the_other():
    rng = np.random.default_rng(8)
    common = [sparse(rng, odds=0.6, rows=(2000, 500)) for _ in range(200)]
    assert np.mean([cochran_mantel_haenszel(*pair).p_value < 0.05 for pair in common]) > 0.9
    a = np.array([[500, 500]] * 6)
    up_and_down = np.array([[120, 80], [80, 120]] * 3)
    assert cochran_mantel_haenszel(a, up_and_down).p_value > 0.99
    assert label_homogeneity(a, up_and_down).p_value < 1e-6


@given(st.lists(st.tuples(st.integers(1, 1000), st.integers(1, 1000)), min_size=1, max_size=6), st.integers(0, 2))
def test_bins_of_one_label_each_leave_no_rounding_to_test(rows, first):
    a, b = np.zeros((len(rows), 3)), np.zeros((len(rows), 3))
    for place, sides in enumerate(rows):
        a[place, (place + first) % 3], b[place, (place + first) % 3] = sides
    for test in (cochran_mantel_haenszel, label_homogeneity):
        assert test(a, b).p_value == 1.0


def test_equal_shares_everywhere_are_no_change():
    """Once the statistic was -2e-46 and its p-value NaN."""
    test = cochran_mantel_haenszel(np.full((4, 3), 28), np.full((4, 3), 30))
    assert (test.freedom, test.p_value) == (2, 1.0)


def test_dispersion_divides_the_statistics():
    for test in (cochran_mantel_haenszel, label_homogeneity):
        plain, wide = test(CONTROL, DRUG), test(CONTROL, DRUG, dispersion=2.0)
        assert wide.statistic == pytest.approx(plain.statistic / 2)
        assert wide.p_value > plain.p_value
    plain, wide = calibration_drift(WOMEN, MEN), calibration_drift(WOMEN, MEN, dispersion=4.0)
    assert (wide.test.statistic, wide.z) == (pytest.approx(plain.test.statistic / 4), pytest.approx(plain.z / 2))


def scored(rng, rows, bins=20, slope=1.0, intercept=0.0):
    """Labels by bin of a score that is right for slope 1 and intercept 0."""
    score = rng.beta(1.5, 3, rows)
    logit = np.log(score / (1 - score)) * slope + intercept
    label = rng.random(rows) < 1 / (1 + np.exp(-logit))
    place = np.minimum((score * bins).astype(int), bins - 1)
    return np.stack([np.bincount(place[label == side], minlength=bins) for side in (False, True)], axis=1)


def test_where_nothing_is_pooled_calibration_drift_is_pearsons_chi_squared():
    a, b = np.array([[900, 100], [600, 400], [200, 800]]), np.array([[170, 30], [120, 80], [30, 170]])
    each = [chi2_contingency(np.stack(pair), correction=False).statistic for pair in zip(a, b, strict=True)]
    drift = calibration_drift(a, b)
    assert drift.test.statistic == pytest.approx(sum(each))
    assert (drift.test.freedom, drift.groups) == (3, 3)
    residuals = np.array([30 - 20, 80 - 80, 170 - 160])
    p = np.array([130 / 1200, 480 / 1200, 970 / 1200])
    error = np.sqrt(np.sum(p * (1 - p) * (200 + 200**2 / 1000)))
    assert drift.z == pytest.approx(residuals.sum() / error)
    assert drift.mean_residual == pytest.approx(20 / 600)


def test_without_change_calibration_keeps_its_level():
    rng = np.random.default_rng(9)
    drifts = [calibration_drift(scored(rng, 3000), scored(rng, 1000)) for _ in range(1500)]
    for p_values in ([one.test.p_value for one in drifts], [one.p_value for one in drifts]):
        for level in (0.01, 0.05, 0.2):
            assert np.mean(np.array(p_values) <= level) == pytest.approx(
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
    for p_values in ([one.test.p_value for one in drifts], [one.p_value for one in drifts]):
        for level in (0.01, 0.05):
            assert np.mean(np.array(p_values) <= level) < level + 3.5 * np.sqrt(level * (1 - level) / 800)
    assert kstest([one.z for one in drifts], norm.cdf).pvalue > 0.001


def test_a_shift_in_the_large_and_a_slope_that_cancels_are_told_apart():
    rng = np.random.default_rng(10)
    reference = scored(rng, 10_000)
    shifted = calibration_drift(reference, scored(rng, 2000, intercept=0.4))
    assert shifted.z > 4
    assert shifted.test.p_value < 1e-3
    steeper = [calibration_drift(reference, scored(rng, 2000, slope=1.8, intercept=0.55)) for _ in range(50)]
    assert np.mean([one.test.p_value < 0.05 for one in steeper]) > 0.9
    assert abs(np.mean([one.z for one in steeper])) < 2.5


def test_labels_of_one_kind_cannot_drift():
    drift = calibration_drift([[50, 0], [60, 0]], [[20, 0], [30, 0]])
    assert (drift.test.p_value, drift.mean_residual, drift.p_value) == (1.0, 0.0, 1.0)
    assert math.isnan(calibration_drift([[5, 5]], [[0, 0]]).mean_residual)


def sums(values):
    return np.array([len(one) for one in values]), *(
        np.array([np.sum(one**power) for one in values]) for power in (1, 2)
    )


def test_welchs_test_is_scipys():
    rng = np.random.default_rng(11)
    before = [rng.normal(0, 2, size) for size in (40, 7, 300)]
    after = [rng.normal(0.5, 1, size) for size in (25, 30, 9)]
    test = welch_test(sums(before), sums(after))
    for place, (one, other) in enumerate(zip(before, after, strict=True)):
        expected = ttest_ind(other, one, equal_var=False)
        assert test.statistic[place] == pytest.approx(expected.statistic)
        assert test.freedom[place] == pytest.approx(expected.df)
        assert test.p_value[place] == pytest.approx(expected.pvalue)
    wide = welch_test(sums(before), sums(after), dispersion=4.0)
    assert wide.statistic == pytest.approx(test.statistic / 2)


def test_bins_weigh_by_the_rows_of_both_sides():
    """n m / (n + m): 60 x 20 / 80 = 15 and 30 x 30 / 60 = 15 weigh the same."""
    before, after = ([60, 30], [0.0, 0.0], [60.0, 30.0]), ([20, 30], [20.0, 15.0], [40.0, 60.0])
    drift = residual_drift(before, after)
    assert drift.difference == pytest.approx((1.0 + 0.5) / 2)
    errors = [60 / (60 * 59) + (40 - 20) / (20 * 19), 30 / (30 * 29) + (60 - 7.5) / (30 * 29)]
    assert drift.z == pytest.approx(0.75 / np.sqrt(sum(errors) / 4))


def test_bins_without_a_variance_are_not_tested():
    test = welch_test(([1, 5, 0], [2.0, 15.0, 0.0], [4.0, 45.0, 0.0]), ([5, 5, 5], [1.0, 15.0, 1.0], [9.0, 45.0, 2.0]))
    assert np.isnan(test.p_value).all()
    drift = residual_drift(([1], [2.0], [4.0]), ([5], [1.0], [9.0]))
    assert (math.isnan(drift.difference), drift.p_value, drift.test.p_value) == (True, 1.0, 1.0)


def test_residuals_without_change_keep_their_level_and_a_change_is_found():
    """Skewed losses of unequal variances in ten bins of 5 to 100 rows."""
    rng = np.random.default_rng(12)
    sizes = np.linspace(5, 100, 10).astype(int)

    def draw(shift):
        spread = np.linspace(1, 3, 10)
        return sums([np.sqrt(rng.gamma(2, one, size)) + shift for one, size in zip(spread, sizes, strict=True)])

    drifts = [residual_drift(draw(0), draw(0)) for _ in range(1000)]
    for p_values in ([one.p_value for one in drifts], [one.test.p_value for one in drifts]):
        assert np.mean(np.array(p_values) <= 0.05) == pytest.approx(0.05, abs=0.025)
        assert np.mean(np.array(p_values) <= 0.5) == pytest.approx(0.5, abs=0.06)
    moved = [residual_drift(draw(0), draw(0.2)) for _ in range(100)]
    assert np.mean([one.p_value < 0.05 for one in moved]) > 0.9
    assert np.mean([one.difference for one in moved]) == pytest.approx(0.2, abs=0.02)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"`reference` of shape \(2, 2\) and `current` of shape \(1, 2\)"):
        label_homogeneity([[1, 2], [3, 4]], [[1, 2]])
    with pytest.raises(ValueError, match="`current` must hold counts, not -3: pass rows"):
        cochran_mantel_haenszel([[1, 2]], [[1, -3]])
    with pytest.raises(ValueError, match=r"`dispersion` must be at least 1, not 0\.5"):
        calibration_drift([[1, 2]], [[1, 3]], dispersion=0.5)
    with pytest.raises(ValueError, match="has 3 labels: a calibration map is of two"):
        calibration_drift([[1, 2, 3]], [[1, 3, 3]])
    with pytest.raises(ValueError, match="has 3 labels: an odds ratio is of two"):
        common_odds_ratio([[1, 2, 3]], [[1, 3, 3]])
    with pytest.raises(ValueError, match="must be rows, sums and sums of squares of one shape"):
        welch_test(([1], [2.0], [4.0]), ([5, 1], [1.0], [9.0]))
