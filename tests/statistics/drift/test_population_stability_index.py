"""PSI against popmon, the closed form of two normal distributions, and its own distribution without drift."""

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import entropy

from monitoring_tasks.statistics.drift import population_stability_index


def test_against_popmon():
    """popmon, test_comparisons.py: [.85, .05, .05, .05] against uniform is 1.699815077214137.

    popmon adds 0.00001 to every share. Half a row is that share of 50 000 rows; there our shares, which are made to
    sum to 1 again, are popmon's over 1.00004, and so is the result.
    """
    value = population_stability_index([12500] * 4, [42500, 2500, 2500, 2500])
    assert value * 1.00004 == pytest.approx(1.699815077214137, abs=1e-14)


def test_smoothing_fades_with_the_rows():
    """The formula on plain shares gives .6 log(.85 / .25) + .6 log(.25 / .05)."""
    plain = 0.6 * np.log(3.4) + 0.6 * np.log(5)
    for rows, error in ((4000, 3e-3), (10**6, 1e-5), (10**12, 1e-11)):
        value = population_stability_index([rows // 4] * 4, [rows * 85 // 100, *[rows // 20] * 3])
        assert value == pytest.approx(plain, abs=error)


def test_an_empty_bin_costs_what_half_a_row_says_not_a_constant():
    """Evidently's test data (values 3, 2, 2 against 1, 2, 3) give 2.93 there, most of it from a filled-in 0.0001."""
    by_hand = (1 / 9 - 1 / 3) * np.log(1 / 3) + (5 / 9 - 1 / 3) * np.log(5 / 3)
    assert population_stability_index([0, 2, 1], [1, 1, 1]) == pytest.approx(by_hand)
    assert by_hand == pytest.approx(0.3577, abs=1e-4)


def test_a_bin_that_is_empty_on_both_sides_adds_what_is_stated():
    added = population_stability_index([10**6, 0], [100, 0]) - population_stability_index([10**6], [100])
    assert added == pytest.approx(np.log(10**4) / 200, rel=0.05)


@pytest.mark.parametrize("shift", [0.1, 0.5, 1.0])
def test_two_normal_distributions_that_differ_by_a_shift_have_its_square(shift):
    """Jeffreys divergence of N(0, 1) and N(s, 1) is s**2 (frouros prints 134.95 for s = 1)."""
    edges = np.linspace(-8, 9, 3401)
    reference, current = (np.rint(np.diff(ndtr(edges - mean)) * 1e15) for mean in (0, shift))
    assert population_stability_index(reference, current) == pytest.approx(shift**2, rel=1e-4)


@pytest.mark.parametrize("seed", range(10))
def test_is_the_sum_of_both_relative_entropies(seed):
    reference, current = np.random.default_rng(seed).integers(0, 500, (2, 12))
    p, q = reference + 0.5, current + 0.5
    assert population_stability_index(reference, current) == pytest.approx(entropy(p, q) + entropy(q, p))


def test_without_drift_it_is_as_large_as_stated():
    """Yurdakul (2018): (1/n + 1/m) chi2(9) for ten bins, so here 9 * 0.0015 on average."""
    rng = np.random.default_rng(0)
    pairs = zip(rng.multinomial(1000, [0.1] * 10, 2000), rng.multinomial(2000, [0.1] * 10, 2000), strict=True)
    values = [population_stability_index(reference, current) for reference, current in pairs]
    assert np.mean(values) == pytest.approx(9 * 0.0015, rel=0.05)
    assert np.quantile(values, 0.95) == pytest.approx(16.919 * 0.0015, rel=0.1)
