"""Gaps between rows that come at random, held to Fisher's table and to drawn ones."""

from __future__ import annotations

import numpy as np
import pytest

from monitoring_tasks.statistics.longest_gap import last_gap, longest_gap


@pytest.mark.parametrize(("shares", "critical"), [(5, 0.68377), (6, 0.61615), (10, 0.44495)])
def test_fishers_table_of_the_largest_share(shares, critical):
    """Fisher (1929), table I at 5 %: the first term of his series, which is all there is above one half."""
    assert longest_gap(shares - 1, 0.05) == pytest.approx(critical, rel=0.001)
    assert longest_gap(shares - 1, 0.05) >= critical - 1e-5


@pytest.mark.parametrize("rows", [3, 30, 1000])
def test_so_often_are_drawn_gaps_longer(rows):
    rng = np.random.default_rng(rows)
    drawn = np.sort(rng.random((6000, rows)), axis=1)
    edges = np.concatenate([np.zeros((6000, 1)), drawn, np.ones((6000, 1))], axis=1)
    gaps = np.diff(edges, axis=1)
    assert np.mean(gaps.max(axis=1) > longest_gap(rows, 0.05)) == pytest.approx(0.05, abs=0.009)
    assert np.mean(gaps[:, -1] > last_gap(rows, 0.05)) == pytest.approx(0.05, abs=0.009)


def test_of_no_row_the_whole_window_is_no_surprise():
    assert longest_gap(0, 0.01) == last_gap(0, 0.01) == 1.0
    assert longest_gap(0.5, 0.01) > 0.99
