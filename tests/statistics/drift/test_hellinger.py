"""Hellinger distance against Evidently, frouros and the closed form of two normal distributions."""

import numpy as np
import pytest
from scipy.spatial.distance import euclidean
from scipy.special import ndtr

from monitoring_tasks.statistics.drift import hellinger


def test_against_evidently():
    """evidently, tests/stattests/test_stattests.py: levels 1 to 6 repeated as often as this."""
    assert hellinger([16, 16, 16, 16, 16, 8], [16, 18, 16, 14, 12, 12]) == pytest.approx(0.06812, abs=1e-5)


def test_against_frouros():
    """frouros, tests/integration: 100 of N(1, 1) against 100 of N(5, 2), seed 31 before each, ten bins over both."""
    reference = np.random.RandomState(31).normal(1, 1, 100)
    current = np.random.RandomState(31).normal(5, 2, 100)
    edges = np.histogram_bin_edges(np.concatenate([reference, current]), 10)
    binned = (np.histogram(rows, edges)[0] for rows in (reference, current))
    assert hellinger(*binned) == pytest.approx(0.74509099, abs=1e-8)


@pytest.mark.parametrize("shift", [0.01, 0.5, 3.0])
def test_two_normal_distributions_that_differ_by_a_shift(shift):
    """sqrt(1 - exp(-shift**2 / 8))."""
    edges = np.linspace(-8, 11, 3801)
    reference, current = (np.rint(np.diff(ndtr(edges - mean)) * 1e15) for mean in (0, shift))
    assert hellinger(reference, current) == pytest.approx(np.sqrt(-np.expm1(-(shift**2) / 8)), rel=1e-4)


@pytest.mark.parametrize("seed", range(10))
def test_against_scipy(seed):
    a, b = np.random.default_rng(seed).integers(0, 500, (2, 12))
    expected = euclidean(np.sqrt(a / a.sum()), np.sqrt(b / b.sum())) / np.sqrt(2)
    assert hellinger(a, b) == pytest.approx(expected)


def test_sees_one_row_in_a_hundred_million():
    """Shares differ by 1e-8: squared 1e-16, where 1 - sum(sqrt(p q)) has no digit left."""
    half = 5 * 10**7
    assert hellinger([half, half], [half + 1, half - 1]) == pytest.approx(1e-8 / np.sqrt(2), rel=1e-6)


def test_without_drift_it_is_as_large_as_stated():
    rng = np.random.default_rng(0)
    pairs = zip(rng.multinomial(1000, [0.05] * 20, 1000), rng.multinomial(2000, [0.05] * 20, 1000), strict=True)
    values = [hellinger(reference, current) for reference, current in pairs]
    assert np.sqrt(np.mean(np.square(values))) == pytest.approx(np.sqrt(0.0015 * 19 / 8), rel=0.05)
