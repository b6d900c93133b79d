"""Checking, sharing and merging counts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring_tasks.statistics.histogram import (
    cumulative_proportions,
    grouped,
    merge_ordered,
    merge_unordered,
    paired_counts,
    proportions,
    smoothed_proportions,
)

counts = st.lists(st.integers(0, 10**9), max_size=60)
counts_with_rows = counts.filter(any)
bins = st.integers(1, 20)


@pytest.mark.parametrize(
    ("reference", "current", "message"),
    [
        ([[1, 2]], [1, 2], r"`reference` must have one dimension \(rows per bin\), not the shape \(1, 2\)"),
        ([1, 2], 3, r"`current` must have one dimension \(rows per bin\), not the shape \(\)"),
        (["a", "b"], [1, 2], r"`reference` must hold numbers of rows, not values of type <U1"),
        ([1, None], [1, 2], r"`reference` must hold numbers of rows, not values of type object"),
        ([1, 2], [True, False], r"`current` must hold numbers of rows, not values of type bool"),
        ([1, float("nan")], [1, 2], r"`reference` must hold finite numbers of rows, not nan \(bin 1\)"),
        ([1, 2], [float("inf"), 2], r"`current` must hold finite numbers of rows, not inf \(bin 0\)"),
        ([1, 2], [3, -1], r"`current` must hold non-negative numbers of rows, not -1 \(bin 1\)"),
        ([0.5, 0.5], [1, 2], r"`reference` must hold whole .* 0.5 \(bin 0\): pass counts, not proportions"),
        ([1, 2, 3], [1, 2], r"`reference` has 3 bins and `current` 2: count both on the reference's bins"),
        ([0, 0], [1, 2], r"`reference` holds no rows in its 2 bins: compare only sides that have rows"),
        ([1, 2], [0, 0], r"`current` holds no rows in its 2 bins"),
        ([], [], r"`reference` holds no rows in its 0 bins"),
    ],
)
@pytest.mark.parametrize("function", [paired_counts, proportions, smoothed_proportions, cumulative_proportions])
def test_what_is_no_pair_of_count_vectors_is_refused(function, reference, current, message):
    with pytest.raises(ValueError, match=message):
        function(reference, current)


def test_counts_of_any_whole_number_type_are_taken():
    for dtype in (np.int8, np.uint64, np.int64, np.float32):
        a, b = paired_counts(np.array([1, 2], dtype=dtype), [3, 4])
        assert (a.tolist(), b.tolist()) == ([1, 2], [3, 4])


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)), min_size=1, max_size=60))
def test_shares_sum_to_one_and_smoothed_ones_are_never_zero(pairs):
    reference, current = zip(*((a + 1, b + 1) if i == 0 else (a, b) for i, (a, b) in enumerate(pairs)), strict=True)
    for side in proportions(reference, current):
        assert side.sum() == pytest.approx(1)
    for side in smoothed_proportions(reference, current):
        assert side.sum() == pytest.approx(1)
        assert (side > 0).all()
    for side in cumulative_proportions(reference, current):
        assert side[-1] == 1.0
        assert (np.diff(side) >= 0).all()


def test_smoothing_is_half_a_row_in_every_bin():
    p, q = smoothed_proportions([0, 9], [19, 0])
    assert p.tolist() == [0.5 / 10, 9.5 / 10]
    assert q.tolist() == [19.5 / 20, 0.5 / 20]


@given(counts, bins)
def test_ordered_groups_are_contiguous_and_at_most_as_many_as_wanted(reference, bins):
    groups = merge_ordered(reference, bins)
    assert groups.shape == (len(reference),)
    assert set(np.diff(groups)) <= {0, 1}
    if reference:
        assert groups[0] == 0
        assert groups[-1] < bins


@given(counts_with_rows, bins)
def test_an_ordered_group_holds_its_part_and_at_most_its_largest_bin_more(reference, bins):
    groups = merge_ordered(reference, bins)
    for group in range(groups[-1] + 1):
        rows = [r for r, g in zip(reference, groups, strict=True) if g == group]
        if len(rows) > 1:
            assert sum(rows) <= sum(reference) / bins + max(rows)


@pytest.mark.parametrize("bins", [2, 5, 8, 10])
def test_equal_bins_merge_into_groups_that_differ_by_one_bin_at_most(bins):
    sizes = np.bincount(merge_ordered([7] * 32, bins))
    assert len(sizes) == bins
    assert sizes.max() - sizes.min() <= 1


def test_a_heavy_value_stays_alone():
    groups = merge_ordered([3] * 16 + [400] + [3] * 16)
    assert (groups == groups[16]).sum() == 1


@given(counts, bins)
def test_unordered_groups_keep_the_most_frequent_apart(reference, bins):
    groups = merge_unordered(reference, bins)
    assert sorted(set(groups.tolist())) == list(range(min(bins, len(reference))))
    if len(reference) > bins:
        own = sorted((r for r, g in zip(reference, groups, strict=True) if g < bins - 1), reverse=True)
        assert own == sorted(reference, reverse=True)[: bins - 1]


def test_of_equally_frequent_categories_the_earlier_stay_apart():
    assert merge_unordered([5, 5, 5, 5], bins=3).tolist() == [0, 1, 2, 2]
    many = merge_unordered([5, 9] * 50, bins=10)
    assert np.flatnonzero(many < 9).tolist() == [1, 3, 5, 7, 9, 11, 13, 15, 17]


@pytest.mark.parametrize("merge", [merge_ordered, merge_unordered])
def test_few_bins_are_left_as_they_are(merge):
    assert merge([9, 0, 4], bins=3).tolist() == [0, 1, 2]


@pytest.mark.parametrize("merge", [merge_ordered, merge_unordered])
@given(counts, bins)
def test_ten_times_the_rows_make_the_same_groups(merge, reference, bins):
    assert merge([10 * rows for rows in reference], bins).tolist() == merge(reference, bins).tolist()


@pytest.mark.parametrize("merge", [merge_ordered, merge_unordered])
@given(counts, bins)
def test_grouping_keeps_the_total(merge, reference, bins):
    totals = grouped(reference, merge(reference, bins))
    assert totals.dtype == np.int64
    assert totals.sum() == sum(reference)


def test_a_reference_without_rows_makes_one_ordered_group():
    assert merge_ordered([0] * 12).tolist() == [0] * 12


@pytest.mark.parametrize("merge", [merge_ordered, merge_unordered])
def test_less_than_one_group_is_refused(merge):
    with pytest.raises(ValueError, match="`bins` must be at least 1, not 0"):
        merge([1, 2], bins=0)


def test_grouping_needs_the_group_of_every_bin():
    with pytest.raises(ValueError, match=r"`groups` has the shape \(2,\) for 3 bins"):
        grouped([1, 2, 3], [0, 1])
