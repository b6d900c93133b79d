"""Total variation against scipy and the closed form of two normal distributions."""

import numpy as np
import pytest
from scipy.spatial.distance import cityblock
from scipy.special import ndtr

from monitoring_tasks.statistics.drift import total_variation


@pytest.mark.parametrize("shift", [0.1, 1.0, 2.0])
def test_two_normal_distributions_that_differ_by_a_shift(shift):
    """2 Phi(shift / 2) - 1, reached because the middle between the means is an edge."""
    edges = np.array([-np.inf, 0.0, shift / 2, 1.5, np.inf])
    reference, current = (np.rint(np.diff(ndtr(edges - mean)) * 1e15) for mean in (0, shift))
    assert total_variation(reference, current) == pytest.approx(2 * ndtr(shift / 2) - 1)


@pytest.mark.parametrize("seed", range(10))
def test_against_scipy(seed):
    a, b = np.random.default_rng(seed).integers(0, 500, (2, 12))
    assert total_variation(a, b) == pytest.approx(cityblock(a / a.sum(), b / b.sum()) / 2)


@pytest.mark.parametrize("moved", [0, 1, 37, 100])
def test_is_the_share_of_rows_that_moved(moved):
    assert total_variation([100, 50, 50], [100 - moved, 50 + moved, 50]) == pytest.approx(moved / 200)


def test_eighty_percent_missing_is_seen():
    """MLRun divides by the non-null rows and reads 0.04 here: missingness is a bin of its own instead."""
    assert total_variation([0, 500, 500], [800, 100, 100]) == pytest.approx(0.8)


def test_without_drift_it_stays_below_the_stated_average():
    rng = np.random.default_rng(0)
    pairs = zip(rng.multinomial(1000, [0.05] * 20, 1000), rng.multinomial(2000, [0.05] * 20, 1000), strict=True)
    average = np.mean([total_variation(reference, current) for reference, current in pairs])
    bound = np.sqrt(0.0015 * 19) / 2
    assert 0.7 * bound < average < bound
