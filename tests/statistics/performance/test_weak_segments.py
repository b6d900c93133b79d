"""Weak segments against a search with loops and SciPy's Welch test, against what was planted, and against noise."""

from __future__ import annotations

import math
import time
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student
from scipy.stats import ttest_ind, ttest_ind_from_stats

from monitoring_tasks.statistics.histogram import merge_ordered, merge_unordered
from monitoring_tasks.statistics.intervals import wilson_interval
from monitoring_tasks.statistics.performance import weak_segments as module
from monitoring_tasks.statistics.performance.weak_segments import SegmentFeature, SegmentGroup, weak_segments


def features(number: int) -> list[SegmentFeature]:
    return [SegmentFeature(f"f{i}", "numeric" if i % 2 else "categorical") for i in range(number)]


def codes(rng: np.random.Generator, rows: int, number: int) -> np.ndarray:
    """Odd columns have twenty even bins, even ones twelve categories of falling frequency; 3 % are missing."""
    columns = [rng.integers(2, 22, rows) if i % 2 else np.minimum(rng.geometric(0.3, rows), 12) for i in range(number)]
    found = np.column_stack(columns)
    found[rng.random(found.shape) < 0.03] = 0
    return found


def names(found) -> list[list[str]]:
    return [[group.feature for group in segment.groups] for segment in found]


def by_loops(known: list[SegmentFeature], binned: np.ndarray, loss: np.ndarray) -> dict[tuple, tuple[float, float]]:
    """Return score and corrected p-value of every segment, by features and sets of bins."""

    def test(inside: np.ndarray, outside: np.ndarray) -> tuple[float, float]:
        deviation = max(np.std(inside, ddof=1), np.std(outside, ddof=1))
        sides = [x for side in (inside, outside) for x in (side.mean(), deviation, side.size)]
        return ttest_ind_from_stats(*sides, equal_var=False, alternative="greater")

    groups = []
    for i, feature in enumerate(known):
        bins, counts = np.unique(binned[binned[:, i] > 0, i], return_counts=True)
        merged = (merge_ordered if feature.layout == "numeric" else merge_unordered)(counts, 6)
        sets = [(0,), *(tuple(bins[merged == number].tolist()) for number in range(merged.max() + 1))]
        groups.append([(feature.name, each, np.isin(binned[:, i], each)) for each in sets])
    fewest = max(30, 0.01 * loss.size)
    singles, pairs = {}, {}
    for name, bins, mask in (each for its in groups for each in its):
        if mask.sum() >= fewest:
            singles[(name, bins),] = test(loss[mask], loss[~mask])
    for first, second in combinations(groups, 2):
        for a, b in ((a, b) for a in first for b in second):
            mask = a[2] & b[2]
            if mask.sum() >= fewest:
                score, p_value = test(loss[mask], loss[~mask])
                rest = [test(loss[mask], loss[single & ~mask])[1] for single in (a[2], b[2])]
                pairs[a[:2], b[:2]] = score, max(p_value, *rest)
    found = {}
    for family in (singles, pairs):
        largest = 0.0
        for place, (key, (score, p_value)) in enumerate(sorted(family.items(), key=lambda item: item[1][1])):
            largest = max(largest, (len(family) - place) * p_value)
            found[key] = score, min(1.0, 2 * largest)
    return found


@pytest.mark.parametrize("seed", range(4))
def test_against_a_search_with_loops(seed):
    rng = np.random.default_rng(seed)
    binned, known = codes(rng, 3000, 4), features(4)
    loss = rng.lognormal(0, 0.7, 3000) * np.where((binned[:, 0] == 1) & (binned[:, 1] > 11), 2.0, 1.0)
    loss *= np.where(binned[:, 2] == 2, 1.3, 1.0)
    expected = by_loops(known, binned, loss)
    significant = {key: value for key, value in expected.items() if value[1] <= 0.05}
    found = weak_segments(known, binned, loss, limit=50)
    keys = [tuple((group.feature, group.bins) for group in segment.groups) for segment in found]
    assert keys
    assert set(keys) <= set(significant)
    assert keys[0] == max(significant, key=lambda key: significant[key][0])
    for key, segment in zip(keys, found, strict=True):
        assert (segment.score, segment.p_value) == pytest.approx(significant[key], rel=1e-9)
        mask = np.ones(3000, bool)
        for name, bins in key:
            mask &= np.isin(binned[:, int(name[1:])], bins)
        mine = loss[mask]
        margin = student.ppf(0.975, mine.size - 1) * mine.std(ddof=1) / math.sqrt(mine.size)
        assert segment.rows == mine.size
        assert (segment.mean_loss, segment.other_mean_loss) == pytest.approx((mine.mean(), loss[~mask].mean()))
        assert (segment.lower, segment.upper) == pytest.approx((mine.mean() - margin, mine.mean() + margin))
        assert (segment.row_share, segment.loss_share) == pytest.approx((mine.size / 3000, mine.sum() / loss.sum()))


def test_the_statistic_is_welchs_where_the_variances_are_equal():
    """And not above it elsewhere: the larger of both variances stands for either."""
    rng = np.random.default_rng(2)
    for spread in (1.0, 0.5, 2.0):
        inside, outside = rng.normal(5.5, spread, 60), rng.normal(5.0, 1.0, 600)
        inside = (inside - inside.mean()) / inside.std(ddof=1) * spread * outside.std(ddof=1) + 5.5
        sides = [np.array([[x.size], [x.sum()], [(x * x).sum()]]) for x in (inside, outside)]
        score, p_value = (float(each[0]) for each in module._excess(*sides))
        welch = ttest_ind(inside, outside, equal_var=False, alternative="greater")
        if spread == 1.0:
            assert (score, p_value) == pytest.approx((welch.statistic, welch.pvalue), rel=1e-9)
        else:
            assert score < welch.statistic


@pytest.mark.parametrize("seed", range(10))
def test_a_planted_pair_is_found_first_and_named(seed):
    """Only the combination is bad: three times as many errors, in 2.5 % of the rows."""
    rng = np.random.default_rng(seed)
    binned = codes(rng, 20_000, 10)
    # The numeric column's quarters are not groups of it: 3 bins of 20 are found as the 3 or 4 that hold most of them.
    bad = (binned[:, 4] == 2) & np.isin(binned[:, 7], (2, 3, 4))
    wrong = (rng.random(20_000) < np.where(bad, 0.3, 0.1)).astype(float)
    found = weak_segments(features(10), binned, wrong)
    assert names(found[:1]) == [["f4", "f7"]]
    first = found[0]
    assert first.groups[0] == SegmentGroup("f4", (2,))
    assert set(first.groups[1].bins) >= {2, 3, 4}
    assert first.lower < first.mean_loss < first.upper
    assert (first.lower, first.upper) == wilson_interval(round(first.mean_loss * first.rows), first.rows)
    assert first.loss_share > 1.7 * first.row_share
    # Its two groups are bad because of it alone, and are not named beside it.
    assert names(found) == [["f4", "f7"]]


def test_a_bad_group_is_named_without_its_pairs_and_without_those_of_a_copy():
    rng = np.random.default_rng(5)
    binned = codes(rng, 10_000, 8)
    noisy = np.where(rng.random(10_000) < 0.9, binned[:, 2], rng.permutation(binned[:, 2]))
    binned = np.column_stack([binned, binned[:, 2], noisy])
    loss = rng.lognormal(0, 0.5, 10_000) * np.where(binned[:, 2] == 3, 1.5, 1.0)
    found = weak_segments(
        [*features(8), *(SegmentFeature(name, "categorical") for name in ("copy", "near"))], binned, loss
    )
    assert [segment.groups for segment in found] == [(SegmentGroup("f2", (3,)),)]


def test_a_pair_that_is_worse_than_its_bad_group_is_named_with_it():
    rng = np.random.default_rng(6)
    binned = codes(rng, 20_000, 4)
    one, two = binned[:, 0] == 1, binned[:, 2] == 2
    loss = rng.lognormal(0, 0.5, 20_000) * np.where(one & two, 2.5, np.where(one, 1.5, 1.0))
    groups = {segment.groups for segment in weak_segments(features(4), binned, loss)}
    assert groups == {(SegmentGroup("f0", (1,)),), (SegmentGroup("f0", (1,)), SegmentGroup("f2", (2,)))}


LOSSES = {
    "log-normal": lambda rng, rows: rng.lognormal(0, 1.5, rows),
    "half-normal": lambda rng, rows: np.abs(rng.normal(size=rows)),
    "rare errors": lambda rng, rows: (rng.random(rows) < 0.02).astype(float),
    "few right": lambda rng, rows: (rng.random(rows) < 0.9).astype(float),
    "Pareto": lambda rng, rows: rng.pareto(1.5, rows),
}


@pytest.mark.integration
def test_noise_names_a_segment_in_no_more_windows_than_stated():
    """500 windows of five kinds of loss, at most 5 % of them. Measured: none, for a pair must pass three tests."""
    named = []
    for seed in range(500):
        rng = np.random.default_rng(seed)
        loss = list(LOSSES.values())[seed % 5](rng, 2000)
        named.append(bool(weak_segments(features(8), codes(rng, 2000, 8), loss)))
    assert sum(named) <= 25


def test_noise_reaches_the_stated_rate_where_only_groups_are_tested():
    """With one feature nothing but the test itself decides: 500 windows at 20 %."""
    named = 0
    for seed in range(500):
        rng = np.random.default_rng(seed)
        binned = rng.integers(1, 3, (1000, 1))
        named += bool(weak_segments(features(1), binned, np.abs(rng.normal(size=1000)), rate=0.2))
    # Two groups, of which one is the mirror of the other: 0.1 + 0.1, less three binomial deviations of 0.018.
    assert 0.146 <= named / 500 <= 0.254


def test_features_beyond_twenty_are_paired_if_they_explain_most():
    rng = np.random.default_rng(7)
    binned = codes(rng, 20_000, 40)
    bad = (binned[:, 30] == 1) & (binned[:, 38] == 2)
    loss = rng.lognormal(0, 1, 20_000) * np.where(bad, 2.0, 1.0)
    assert names(weak_segments(features(40), binned, loss)) == [["f30", "f38"]]


def test_thirty_rows_that_are_all_wrong_are_chance_where_most_are():
    """0.9**30 is 0.04. The own variance of those rows is 0, and Welch's score would be 31."""
    code = np.repeat([1, 2], (30, 1970))[:, np.newaxis]
    wrong = np.concatenate([np.ones(30), np.tile([1.0] * 9 + [0.0], 197)])
    assert weak_segments(features(1), code, wrong) == ()


def test_rows_that_are_all_wrong_beside_rows_that_are_all_right():
    """Neither side varies: the score is then that of both together, sqrt(n + m - 1)."""
    code = np.repeat([1, 2], (100, 900))[:, np.newaxis]
    (found,) = weak_segments(features(1), code, (code[:, 0] == 1).astype(float))
    assert (found.mean_loss, found.other_mean_loss, found.loss_share) == (1.0, 0.0, 1.0)
    assert found.score == pytest.approx(math.sqrt(999))


def some_rows(rows: int = 600, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    binned = codes(rng, rows, 5)
    return binned, rng.lognormal(0, 1, rows).round(1) * np.where(binned[:, 1] < 9, 3.0, 1.0)


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_the_order_of_the_rows_does_not_matter(seed):
    binned, loss = some_rows()
    order = np.random.default_rng(seed).permutation(loss.size)
    found = weak_segments(features(5), binned, loss)
    assert found
    assert weak_segments(features(5), binned[order], loss[order]) == found


@pytest.mark.parametrize("factor", [2.0**-1000, 1e-6, 3.0, 2.0**1000])
def test_the_unit_of_the_loss_does_not_matter(factor):
    binned, loss = some_rows()
    plain, scaled = (weak_segments(features(5), binned, loss * each) for each in (1.0, factor))
    assert plain
    for one, other in zip(plain, scaled, strict=True):
        assert one.groups == other.groups
        for name in ("score", "p_value", "loss_share", "rows"):
            assert getattr(other, name) == pytest.approx(getattr(one, name), rel=1e-9)
        for name in ("mean_loss", "other_mean_loss", "lower", "upper"):
            assert getattr(other, name) == pytest.approx(getattr(one, name) * factor, rel=1e-9)


def test_rows_without_a_loss_do_not_count():
    binned, loss = some_rows()
    missing = np.where(np.arange(loss.size) % 4 == 0, np.nan, loss)
    kept = ~np.isnan(missing)
    assert weak_segments(features(5), binned, missing) == weak_segments(features(5), binned[kept], loss[kept]) != ()


def test_of_equal_segments_the_first_feature_is_named():
    binned, loss = some_rows()
    twice = [SegmentFeature("b", "numeric"), SegmentFeature("a", "numeric")]
    (found, *more) = weak_segments(twice, binned[:, [1, 1]], loss)
    assert [group.feature for segment in (found, *more) for group in segment.groups] == ["b"] * (1 + len(more))


def test_ties_come_in_the_order_of_the_groups():
    code = np.repeat([1, 2, 3], (100, 100, 800))[:, np.newaxis]
    loss = np.where(code[:, 0] < 3, 2.0, 1.0) + np.tile([0.0, 0.5], 500)
    found = weak_segments([SegmentFeature("x", "categorical")], code, loss)
    assert [segment.groups[0].bins for segment in found] == [(1,), (2,)]
    assert found[0].score == found[1].score


def test_a_constant_loss_and_no_rows_have_no_weak_segment():
    binned, loss = some_rows()
    assert weak_segments(features(5), binned, np.full(loss.size, 0.1)) == ()
    assert weak_segments(features(5), binned, np.zeros(loss.size)) == ()
    assert weak_segments(features(5), binned, np.full(loss.size, np.nan)) == ()
    assert weak_segments(features(5), np.empty((0, 5), int), []) == ()
    assert weak_segments([], np.empty((loss.size, 0), int), loss) == ()
    assert weak_segments(features(1), np.ones((loss.size, 1), int), loss) == ()


def test_groups_have_thirty_rows_and_one_per_cent_and_are_six_beside_missing_values():
    rng = np.random.default_rng(8)
    binned = np.column_stack([rng.integers(0, 30, 9000), rng.integers(0, 30, 9000)])
    for column, layout in ((0, "numeric"), (1, "categorical")):
        groups = module._grouped(binned[:, column], layout)
        assert sorted(set(groups.tolist())) == list(range(7))
        assert ((groups == 0) == (binned[:, column] == 0)).all()
    code = np.repeat([1, 2], (89, 8911))[:, np.newaxis]
    loss = np.where(code[:, 0] == 1, 5.0, 1.0) + np.tile([0.0, 0.1], 4500)
    assert weak_segments(features(1), code, loss) == ()
    assert len(weak_segments(features(1), code[:8900], loss[:8900])) == 1


def test_only_what_is_worse_than_the_baseline_is_named():
    binned, loss = some_rows()
    found = weak_segments(features(5), binned, loss)
    mean = found[0].mean_loss
    assert weak_segments(features(5), binned, loss, baseline_mean=mean * 1.01) != found
    assert weak_segments(features(5), binned, loss, baseline_mean=0.0) == found
    assert weak_segments(features(5), binned, loss, baseline_mean=1e9) == ()
    assert weak_segments(features(5), binned, loss, limit=1) == found[:1]


def test_twenty_features_and_twenty_thousand_rows_take_well_under_a_second():
    rng = np.random.default_rng(9)
    binned = codes(rng, 20_000, 20)
    loss = rng.lognormal(0, 1, 20_000) * np.where(binned[:, 0] == 1, 1.5, 1.0) * np.where(binned[:, 2] == 1, 1.5, 1.0)
    weak_segments(features(20), binned, loss)  # imports SciPy
    began = time.perf_counter()
    assert weak_segments(features(20), binned, loss)
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"loss": np.ones((600, 2))}, "`loss` must have one number for each row"),
        ({"codes": np.ones((600, 4), int)}, r"`codes` must have a row for each loss .*\(600, 5\)"),
        ({"codes": np.ones((600, 5))}, "`codes` must be numbers of bins, not float64"),
        ({"codes": np.full((600, 5), -1)}, "`codes` must be numbers of bins from 0, not -1"),
        ({"loss": np.repeat([1.0, -2.0], (599, 1))}, r"`loss` must be finite and at least 0, not -2 \(row 599\)"),
        ({"loss": np.repeat([np.inf, 2.0], (1, 599))}, r"not inf \(row 0\): write NaN"),
        ({"features": [SegmentFeature("x", "numeric")] * 5}, "`features` must have different names"),
        ({"rate": 0.0}, r"`rate` must lie inside \(0, 1\), not 0"),
        ({"limit": 0}, "`limit` must be at least 1, not 0"),
        ({"baseline_mean": math.nan}, "`baseline_mean` must be at least 0, not nan: None"),
    ],
)
def test_what_is_refused(changes, match):
    binned, loss = some_rows()
    given = {"features": features(5), "codes": binned, "loss": loss} | changes
    with pytest.raises(ValueError, match=match):
        weak_segments(**given)
