"""Page-Hinkley by its definition; river's rows are in test_against_river.py."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring_tasks.statistics.change import page_hinkley
from monitoring_tasks.statistics.change.page_hinkley import sum_of_shares

batches = st.lists(st.tuples(st.floats(-1, 1), st.integers(1, 40)), min_size=1, max_size=20)


def by_definition(values, delta):
    """Sums of deviations from running means above their minimum and below their maximum, in one go."""
    means = np.cumsum(values) / np.arange(1, len(values) + 1)
    rises, falls = np.cumsum(values - means - delta), np.cumsum(values - means + delta)
    return max(rises[-1] - rises.min(), falls.max() - falls[-1])


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=100), st.floats(0, 1))
def test_the_statistic_is_that_of_the_definition(values, delta):
    found = page_hinkley(values, delta=delta, alpha=1, threshold=1e9, minimum_rows=1)
    assert found.statistic == pytest.approx(by_definition(np.array(values), delta), abs=1e-9)


@given(batches, st.floats(0, 0.1))
def test_batches_have_the_statistic_of_their_rows(drawn, delta):
    values, rows = map(np.array, zip(*drawn, strict=True))
    settings = {"delta": delta, "alpha": 1.0, "threshold": 1e9, "minimum_rows": 1}
    batched = page_hinkley(values, rows=rows, **settings)
    assert batched.statistic == pytest.approx(page_hinkley(np.repeat(values, rows), **settings).statistic, abs=1e-8)


def test_batches_fade_as_their_rows_do():
    settings = {"delta": 0.05, "alpha": 0.99, "threshold": 1e9, "direction": "up"}
    batched = page_hinkley([0.0, 1.0], rows=[100, 40], **settings)
    assert batched.statistic == pytest.approx(page_hinkley(np.repeat([0.0, 1.0], [100, 40]), **settings).statistic)


@given(st.integers(0, 200), st.integers(1, 200), st.sampled_from([1.0, 0.9999, 0.9, 0.5]))
def test_the_sum_of_shares_is_the_sum(before, k, alpha):
    expected = math.fsum(alpha ** (k - j) * before / (before + j) for j in range(1, k + 1))
    assert sum_of_shares(before, k, alpha) == pytest.approx(expected, rel=1e-11, abs=1e-11)


@pytest.mark.parametrize("before", [1, 30, 1000, 10**6, 10**9])
@pytest.mark.parametrize("alpha", [0.995, 0.9999, 0.999999, 1 - 1e-12])
def test_the_sum_of_shares_of_a_large_batch_is_the_sum(before, alpha):
    for k in (4096, 4097, 5000, 100_000, 700_000):
        j = np.arange(1, k + 1, dtype=np.float64)
        expected = math.fsum(np.exp(math.log(alpha) * (k - j)) * (before / (before + j)))
        assert sum_of_shares(before, k, alpha) == pytest.approx(expected, rel=1e-11)


def test_the_sum_of_shares_of_large_batches():
    """Without fading against the logarithm, with it against the limit ``before / (before + k) / (1 - alpha)``."""
    assert sum_of_shares(10**9, 10**9) == pytest.approx(10**9 * math.log(2), rel=1e-8)
    assert sum_of_shares(10**7, 10**7, 0.99) == pytest.approx(0.5 / 0.01, rel=1e-4)


def test_a_batchs_sum_is_the_mean_over_the_orders_of_its_rows():
    """500 orders of ten errors in forty rows, after a hundred rows without: standard error below 0.1."""
    rng = np.random.default_rng(1)
    inside = np.repeat([0.0, 1.0], [30, 10])
    settings = {"delta": 0.0, "alpha": 1.0, "threshold": 1e9, "direction": "up"}
    sums = [page_hinkley(np.append(np.zeros(100), rng.permutation(inside)), **settings).statistic for _ in range(500)]
    batch = page_hinkley([0.0, 0.25], rows=[100, 40], **settings).statistic
    assert np.mean(sums) == pytest.approx(batch, abs=4 * np.std(sums) / 500**0.5)


def test_a_rise_is_no_fall():
    values = np.repeat([0.0, 1.0], [500, 200])
    assert page_hinkley(values, direction="up").changes == page_hinkley(values).changes == (553,)
    assert page_hinkley(values, direction="down").changes == ()
    assert page_hinkley(-values, direction="down").changes == (553,)


def test_nothing_is_compared_before_the_minimum_of_rows():
    assert page_hinkley([0.5] * 29).statistic is None
    assert page_hinkley([0.5] * 30).statistic == 0.0
    assert page_hinkley([0.5], rows=[30]).statistic == 0.0
    assert page_hinkley([0.0] * 500 + [1.0] * 60).statistic is None  # a change, and seven rows since


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"threshold": 0}, r"`threshold` must lie inside \(0, inf\), not 0"),
        ({"threshold": float("nan")}, r"`threshold` must lie inside \(0, inf\), not nan"),
        ({"delta": float("nan")}, "`delta` must lie inside"),
        ({"alpha": 0}, r"`alpha` must lie in \(0, 1\], not 0: 0.9999 forgets half in 6931 rows"),
        ({"alpha": 1.1}, r"`alpha` must lie in \(0, 1\], not 1.1"),
        ({"direction": "left"}, "`direction` must be 'up', 'down' or 'both', not 'left'"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        page_hinkley([0.1], **settings)
