"""Jensen-Shannon distance against scipy and by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import distance

from monitoring_tasks.statistics.drift import jensen_shannon

side = st.lists(st.integers(0, 1000), min_size=5, max_size=5).filter(any)


def test_by_hand():
    """scipy's documented example: [1, 0] against [.5, .5] is 0.46450140402245893 in nats; in bits over sqrt(log 2)."""
    assert jensen_shannon([2, 0], [1, 1]) == pytest.approx(0.46450140402245893 / np.sqrt(np.log(2)))
    assert jensen_shannon([2, 0], [1, 1]) ** 2 == pytest.approx(1.5 - 0.75 * np.log2(3))


@given(side, side)
def test_against_scipy(reference, current):
    expected = distance.jensenshannon(reference, current, base=2)
    assert jensen_shannon(reference, current) == pytest.approx(expected, abs=1e-7)


@given(side, side, side)
def test_is_a_metric(a, b, c):
    assert jensen_shannon(a, c) <= jensen_shannon(a, b) + jensen_shannon(b, c) + 1e-7


def test_without_drift_it_is_as_large_as_stated():
    rng = np.random.default_rng(0)
    pairs = zip(rng.multinomial(1000, [0.05] * 20, 1000), rng.multinomial(2000, [0.05] * 20, 1000), strict=True)
    values = [jensen_shannon(reference, current) for reference, current in pairs]
    assert np.sqrt(np.mean(np.square(values))) == pytest.approx(np.sqrt(0.0015 * 19 / 5.5), rel=0.05)
