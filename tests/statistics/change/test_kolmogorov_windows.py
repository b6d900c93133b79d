"""KSWIN against scipy's test at every row; river's rows are in test_against_river.py."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from monitoring_tasks.statistics.change import kswin
from monitoring_tasks.statistics.change.kolmogorov_windows import TESTS_AT_ONCE, _critical_count, evenly_spaced


def by_scipy(values, alpha, window_size, stat_size):
    """Test at every row, as the paper has it, with the older values evenly spaced."""
    changes, start = [], 0
    for row in range(len(values)):
        if row + 1 - start < window_size:
            continue
        window = values[row + 1 - window_size : row + 1]
        older = window[evenly_spaced(window_size - stat_size, stat_size)]
        distance, p_value = ks_2samp(older, window[-stat_size:], method="exact")
        if p_value <= alpha and distance > 0.1:
            changes.append(row)
            start = row + 1
    return tuple(changes)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.001, 0.01, 0.1]), st.booleans())
def test_it_reports_where_scipys_test_does(seed, alpha, tied):
    rng = np.random.default_rng(seed)
    values = rng.normal(np.repeat([0, 1.5], [120, 80]), 1)
    values = np.round(values) if tied else values
    assert kswin(values, alpha=alpha, window_size=50, stat_size=20).changes == by_scipy(values, alpha, 50, 20)


def test_rows_are_the_same_across_the_windows_tested_together():
    values = np.random.default_rng(3).normal(size=2 * TESTS_AT_ONCE + 150)
    values[TESTS_AT_ONCE + 90 :] += 2
    assert kswin(values, alpha=1e-5).changes == by_scipy(values, 1e-5, 100, 30)


def test_the_critical_distance_is_the_smallest_of_at_most_alpha():
    """Tables of Kolmogorov and Smirnov's two-sample test, n = 10 and 20 each, 5 %: 7/10 and 9/20 (Massey 1952)."""
    assert _critical_count(10, 0.05) == 7
    assert _critical_count(20, 0.05) == 9
    assert _critical_count(3, 0.005) == 4  # no distance is: even the largest has a p-value of 0.1
    assert kswin(np.repeat([0.0, 1.0], [20, 20]), window_size=6, stat_size=3).changes == ()


def test_the_places_are_evenly_spaced():
    assert evenly_spaced(70, 30)[[0, 1, 2, -1]].tolist() == [1, 3, 5, 68]
    assert evenly_spaced(30, 30).tolist() == list(range(30))
    assert np.diff(evenly_spaced(1000, 7)).tolist() == [143, 143, 143, 142, 143, 143]


def test_a_change_of_spread_alone_is_seen():
    values = np.random.default_rng(4).normal(0, np.repeat([1, 4], [300, 300]))
    assert any(300 <= row < 400 for row in kswin(values).changes)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"alpha": 0}, r"`alpha` must lie inside \(0, 1\), not 0"),
        ({"stat_size": 0}, "`stat_size` must be at least 1, not 0"),
        ({"window_size": 59}, r"`window_size` must be at least twice `stat_size` \(30\), not 59"),
    ],
)
def test_settings_out_of_range_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        kswin([0.1], **arguments)
