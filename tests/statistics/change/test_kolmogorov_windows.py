"""KSWIN against scipy's test at every row; river's rows are in test_against_river.py."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from monitoring_tasks.statistics.change import kolmogorov_windows, kswin
from monitoring_tasks.statistics.change.kolmogorov_windows import _critical_count, evenly_spaced


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


@pytest.mark.parametrize("at_once", [1, 3, 1024])
def test_rows_are_the_same_however_many_windows_are_tested_together(monkeypatch, at_once):
    monkeypatch.setattr(kolmogorov_windows, "TESTS_AT_ONCE", at_once)
    values = np.random.default_rng(3).normal(np.repeat([0, 2, 0, 1, 3], 80))
    expected = by_scipy(values, 0.01, 60, 20)
    assert len(expected) >= 4
    assert kswin(values, alpha=0.01, window_size=60, stat_size=20).changes == expected


def test_after_a_change_nothing_is_measured_before_the_window_is_full():
    values = np.random.default_rng(5).normal(np.repeat([0, 3], 150))
    change = kswin(values, alpha=1e-4).changes[0]
    at = kswin(values[: change + 1], alpha=1e-4)
    assert at.statistic >= at.threshold == 17 / 30
    assert kswin(values[: change + 100], alpha=1e-4).statistic is None
    assert kswin(values[: change + 101], alpha=1e-4).statistic is not None


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
