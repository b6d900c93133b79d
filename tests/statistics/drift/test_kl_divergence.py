"""Kullback-Leibler divergence against popmon, scipy and the closed form of two normal distributions."""

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import entropy

from monitoring_tasks.statistics.drift import kl_divergence

UNIFORM = [12500] * 4
PEAKED = [42500, 2500, 2500, 2500]


def test_against_popmon_in_both_directions():
    """popmon, test_comparisons.py, to four digits; these rows repeat its smoothing, see the test of PSI."""
    assert kl_divergence(reference=PEAKED, current=UNIFORM) == pytest.approx(0.90105, abs=1e-4)
    assert kl_divergence(reference=UNIFORM, current=PEAKED) == pytest.approx(0.79875, abs=1e-4)


def test_smoothing_fades_with_the_rows():
    """The formula on plain shares gives .85 log 3.4 - .15 log 5."""
    many = kl_divergence([10**12 // 4] * 4, [10**12 * 85 // 100, *[10**12 // 20] * 3])
    assert many == pytest.approx(0.85 * np.log(3.4) - 0.15 * np.log(5), abs=1e-11)


def test_is_loud_where_rows_appear_and_quiet_where_they_cease():
    appear = kl_divergence(reference=[1000, 0], current=[900, 100])
    cease = kl_divergence(reference=[900, 100], current=[1000, 0])
    assert appear > 4 * cease


@pytest.mark.parametrize("shift", [0.1, 0.5, 1.0])
def test_two_normal_distributions_that_differ_by_a_shift_have_half_its_square(shift):
    edges = np.linspace(-8, 9, 3401)
    reference, current = (np.rint(np.diff(ndtr(edges - mean)) * 1e15) for mean in (0, shift))
    assert kl_divergence(reference, current) == pytest.approx(shift**2 / 2, rel=1e-4)


@pytest.mark.parametrize("seed", range(10))
def test_against_scipy(seed):
    reference, current = np.random.default_rng(seed).integers(0, 500, (2, 12))
    assert kl_divergence(reference, current) == pytest.approx(entropy(current + 0.5, reference + 0.5))


def test_without_drift_it_is_as_large_as_stated():
    rng = np.random.default_rng(0)
    pairs = zip(rng.multinomial(1000, [0.1] * 10, 2000), rng.multinomial(2000, [0.1] * 10, 2000), strict=True)
    values = [kl_divergence(reference, current) for reference, current in pairs]
    assert np.mean(values) == pytest.approx(9 * 0.0015 / 2, rel=0.05)
