"""By how much each test's statistic differs between parts, by hand and in simulation."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring_tasks.statistics.homogeneity import ColumnDispersion, column_dispersion, pooled
from monitoring_tasks.statistics.homogeneity.column_dispersion import EXPECTED, OTHERS
from monitoring_tasks.statistics.homogeneity.dispersion import PRIOR

layouts = pytest.mark.parametrize("layout", ["numeric", "categorical"])
side = st.lists(st.integers(0, 10**6), min_size=7, max_size=7).filter(any)
small = st.lists(st.integers(0, 20), min_size=7, max_size=7).filter(any)

THIRTY_TWO = np.array([0, *[1 / 32] * 32, 0])
"""Shares of a continuous column."""


def chi_squared_parts(rng, shares, rows, parts, times=1):
    return np.array([rng.multinomial(rows // times, shares) * times for _ in range(parts)])


@pytest.mark.parametrize("times", [1, 20])
def test_the_squares_of_the_parts_add_up_to_their_number_times_the_dispersion(times):
    """A window of rows that come twenty times each varies twentyfold."""
    rng = np.random.default_rng(5)
    parts, many = 200, 40
    found = [column_dispersion(chi_squared_parts(rng, THIRTY_TWO, 4000, parts, times), "numeric") for _ in range(many)]
    for name in ("level", "spread", "shares"):
        mean = np.mean([getattr(each, name) for each in found])
        assert mean == pytest.approx(parts * times, rel=0.05)
    assert np.mean([each.bins for each in found], axis=0)[1:-1] == pytest.approx(parts * times, rel=0.12)
    assert {(each.parts, each.rows) for each in found} == {(parts, 4000)}


def test_the_statistics_are_the_z_statistics_of_each_part_against_the_others():
    """By hand: two of three parts, 40 and 60 of 100 against 110 and 90 of 200."""
    parts = np.array([[0, 40, 60], [0, 60, 40], [0, 50, 50]])
    found = column_dispersion(parts, "categorical")
    z = (0.4 - 110 / 200) / math.sqrt(0.25 * (1 / 100 + 1 / 200))
    assert found.bins == (3.0, pytest.approx(2 * z**2), pytest.approx(2 * z**2))
    assert found.shares == pytest.approx(2 * z**2, rel=1e-3)


def test_a_part_without_rows_is_none():
    parts = [[0, 40, 60], [0, 0, 0], [0, 60, 40], [0, 50, 50]]
    assert column_dispersion(parts, "categorical") == column_dispersion([parts[0], *parts[2:]], "categorical")
    assert column_dispersion(parts[:2], "categorical") is None
    assert column_dispersion(np.zeros((5, 3), int), "numeric") is None


def test_parts_without_a_value_do_not_make_those_with_values_look_alike():
    """A sensor that is off for nine tenths of the time, and bursts of twenty equal values while it is on.

    Once the sum over the few parts with values was taken for that over all: a dispersion of 20 looked like one of 2.
    """
    rng = np.random.default_rng(6)
    on = chi_squared_parts(rng, THIRTY_TWO, 4000, 40, 20)
    off = np.zeros((360, on.shape[1]), int)
    off[:, 0] = 4000
    found = column_dispersion(np.concatenate((on, off)), "numeric")
    assert found.parts == 400
    for name in ("level", "spread"):
        assert found.of(name).mean == pytest.approx(column_dispersion(on, "numeric").of(name).mean, rel=0.1)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([1, 2, 3], "`parts` must have two dimensions"),
        ([[0.5, 0.5], [1.0, 0.0]], "pass counts, not proportions"),
        ([[1, -1], [2, 0]], "non-negative"),
    ],
)
def test_parts_that_are_no_counts_are_refused(parts, message):
    with pytest.raises(ValueError, match=message):
        column_dispersion(parts, "categorical")


@layouts
@given(parts=st.lists(side | small, min_size=2, max_size=9))
def test_what_is_stored_is_what_was_measured(layout, parts):
    """Rounded to four digits before it is used, so that a baseline that was just measured decides like a stored one."""
    found = column_dispersion(parts, layout)
    assert ColumnDispersion.from_json(found.to_json()) == found
    for value in (
        found.rows,
        found.level,
        found.spread,
        found.shares,
        found.evenness,
        found.spread_skewness,
        *found.bins,
    ):
        assert math.isfinite(value)
        assert value == float(f"{value:.4g}")
    assert 0 < found.evenness <= 1
    assert len(found.groups) == len(found.bins) == 7


OWN = ColumnDispersion(
    parts=4,
    rows=10.0,
    level=9.0,
    spread=6.0,
    shares=9.0,
    groups=(0, 1, 1),
    bins=(9.0, 3.0, 0.0),
    level_skewness=1.1,
    spread_skewness=2.2,
    evenness=0.5,
)
"""Of its three degrees of freedom a level and shares that differ three times as much as chance, a spread twice."""


def test_where_rows_hang_together_groups_have_enough_of_them():
    """Five rows that are one are a group's least; of ten groups of twenty rows each would have four."""
    rng = np.random.default_rng(6)
    alone, fives = (column_dispersion(chi_squared_parts(rng, THIRTY_TWO, 200, 100, each), "numeric") for each in (1, 5))
    assert len(set(alone.groups)) == 10
    rows = np.bincount(fives.groups, weights=200 * THIRTY_TWO)
    assert len(rows) > 1
    assert rows.min() >= EXPECTED * 5


def other(parts: int, rows: float = 10.0, *, bins=(1.0,) * 3, **means: float) -> ColumnDispersion:
    totals = {name: (parts - 1) * mean for name, mean in means.items()}
    return ColumnDispersion(parts, rows, groups=OWN.groups, bins=tuple((parts - 1) * each for each in bins), **totals)


def means(dispersion: ColumnDispersion) -> dict[str, float]:
    return {name: getattr(dispersion, name) / (dispersion.parts - 1) for name in ("level", "spread", "shares")}


def test_the_parts_of_another_reference_count_as_eight():
    """By hand: (3 own + 8 others) / 11, and of a bin no less than its own."""
    found = pooled(OWN, other(30, level=1.5, spread=0.9, shares=1.0, bins=(1.5, 4.0, 1.0)))
    assert (found.parts, found.rows, found.groups) == (4 + OTHERS, 10.0, OWN.groups) == (12, 10.0, (0, 1, 1))
    wanted = {"level": (9 + 12) / 11, "spread": (6 + 7.2) / 11, "shares": (9 + 8) / 11}
    assert means(found) == pytest.approx(wanted)
    assert [total / 11 for total in found.bins] == pytest.approx([3.0, (3 + 32) / 11, 8 / 11])
    assert found.level_skewness == pytest.approx(3.3 / 11)
    assert found.spread_skewness == pytest.approx(6.6 / 11)
    assert found.evenness == pytest.approx((1.5 + 8) / 11)


def test_fewer_parts_of_another_reference_count_as_what_they_are():
    found = pooled(OWN, other(3, level=1.0, spread=1.0, shares=1.0))
    assert found.parts == 4 + 2
    assert means(found) == pytest.approx({"level": 11 / 5, "spread": 8 / 5, "shares": 11 / 5})


def test_what_rows_of_another_reference_have_in_common_grows_with_how_many_there_are():
    """Parts of five rows with a dispersion of 1.5 are windows of ten with 2; what is below 1 is chance and stays."""
    found = pooled(OWN, other(30, 5.0, level=1.5, spread=0.9, shares=1.5, bins=(1.5,) * 3))
    assert means(found) == pytest.approx({"level": (9 + 16) / 11, "spread": (6 + 7.2) / 11, "shares": (9 + 16) / 11})
    assert found.bins[1] / 11 == pytest.approx((3 + 16) / 11)


def test_of_what_another_reference_does_not_show_a_columns_own_parts_stand_alone():
    """Its values were all missing there: it has no level, which is not one that never differs."""
    found = pooled(OWN, other(30, shares=1.0))
    assert means(found) == pytest.approx({"level": 3.0, "spread": 2.0, "shares": (9 + 8) / 11})


def test_a_bin_that_wanders_is_believed_to_though_all_others_are_independent():
    """Fifty columns say so, and all bins of this one together: of values that are missing on some days it is wrong."""
    sure = np.full(len(PRIOR), 1e-9 / (len(PRIOR) - 1))
    sure[0] = 1 - 1e-9
    all_alike = replace(other(30, shares=1.0), priors={"shares": sure})
    assert all_alike.of_all_shares.independent > 1 - 1e-6
    assert all_alike.of_bin(29 * 1.0).independent > 0.99
    assert all_alike.of_bin(29 * 3.0).independent < 0.01
    assert OWN.of_bin(3.0).independent < all_alike.of_bin(3.0).independent
