"""The test of a column: how often it is wrong, what it finds, and what it does not depend on."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.signal import lfilter
from scipy.stats import chi2_contingency, ks_2samp, norm

from monitoring_tasks.statistics.homogeneity import ColumnTest, column_dispersion, column_test
from monitoring_tasks.statistics.homogeneity.column_test import WEIGHTS, _p_value_of_bin, _p_value_of_bins
from monitoring_tasks.statistics.homogeneity.share_test import belief_in_bin

layouts = pytest.mark.parametrize("layout", ["numeric", "categorical"])
side = st.lists(st.integers(0, 10**6), min_size=7, max_size=7).filter(any)
small = st.lists(st.integers(0, 20), min_size=7, max_size=7).filter(any)

TAILS = np.array([1 / 1024, 1 / 128])
LIMITS = np.concatenate((TAILS, np.arange(1, 32) / 32, 1 - TAILS[::-1]))
"""Where a continuous column is cut: as the baseline's bins are."""

SHARES = {
    "numeric": np.concatenate(([0.0, 0.0], np.diff(np.concatenate(([0], LIMITS, [1]))), [0.0])),
    "missing": np.concatenate(([0.01, 0.0], 0.99 * np.diff(np.concatenate(([0], LIMITS, [1]))), [0.0])),
    "discrete": np.array([0, 0, 0.05, 0, 0.15, 0, 0.224, 0, 0.224, 0, 0.168, 0, 0.183, 0]),
    "skewed": np.concatenate(([0.0], 1 / np.arange(1, 31) / np.sum(1 / np.arange(1, 31)), [0.0, 0.0])),
}
LAYOUT = {"numeric": "numeric", "missing": "numeric", "discrete": "numeric", "skewed": "categorical"}


def share_of(kind: str) -> np.ndarray:
    return SHARES[kind] / SHARES[kind].sum()


def latent(rng: np.random.Generator, rows: int, dependence: str) -> np.ndarray:
    """Standard normal rows: one after the other with a correlation of 0.9, or each twenty times."""
    if dependence == "autocorrelated":
        start = rng.normal()
        return lfilter([math.sqrt(1 - 0.81)], [1, -0.9], rng.normal(size=rows), zi=[0.9 * start])[0]
    return np.repeat(rng.normal(size=-(-rows // 20)), 20)[:rows]


def counted(values: np.ndarray, kind: str) -> np.ndarray:
    limits = norm.ppf(np.cumsum(share_of(kind))[:-1].clip(0, 1))
    return np.bincount(np.searchsorted(limits, values, "right"), minlength=len(share_of(kind)))


def false_alarms(p_values: list[float], rate: float) -> tuple[float, float]:
    return float(np.mean(np.array(p_values) <= rate)), 3 * math.sqrt(rate * (1 - rate) / len(p_values))


@pytest.mark.integration
@pytest.mark.parametrize("rows", [50, 1000])
@pytest.mark.parametrize("kind", SHARES)
def test_independent_rows_without_drift_are_rejected_as_often_as_they_should_be(kind, rows):
    """At 1 % and 5 %; bins that hold whole rows, and the correction for several tests, make it less than that."""
    rng = np.random.default_rng(7)
    found = [
        column_test(rng.multinomial(30_000, share_of(kind)), rng.multinomial(rows, share_of(kind)), LAYOUT[kind])
        for _ in range(2000)
    ]
    for rate in (0.01, 0.05):
        rejected, error = false_alarms([each.p_value for each in found], rate)
        assert 0.3 * rate - error <= rejected <= 1.5 * rate
    for name in ("level", "spread"):
        if kind == "numeric":  # the tests that have no steps are uniform
            each = np.array([one.p_values[name] for one in found])
            assert np.abs(np.quantile(each, [0.1, 0.5, 0.9]) - [0.1, 0.5, 0.9]).max() < 0.04


@pytest.mark.integration
@pytest.mark.parametrize("dependence", ["autocorrelated", "repeated"])
@pytest.mark.parametrize("kind", ["numeric", "discrete", "skewed"])
def test_rows_that_hang_together_are_rejected_at_most_twice_as_often(kind, dependence):
    """Against thirty parts of the reference, as long as the window; without them a third or more are rejected."""
    rng = np.random.default_rng(8)
    found, unaware = [], []
    for _ in range(40):
        parts = np.array([counted(latent(rng, 1000, dependence), kind) for _ in range(30)])
        dispersion, reference = column_dispersion(parts, LAYOUT[kind]), parts.sum(axis=0)
        for _ in range(40):
            window = counted(latent(rng, 1000, dependence), kind)
            found.append(column_test(reference, window, LAYOUT[kind], dispersion).p_value)
            unaware.append(column_test(reference, window, LAYOUT[kind]).p_value)
    rejected, error = false_alarms(found, 0.01)
    # Forty references, each with a belief of its own: their windows are not independent either.
    assert rejected <= 0.02 + error
    assert false_alarms(unaware, 0.01)[0] > 0.3


@pytest.mark.integration
@pytest.mark.parametrize("shift", [0.1, 0.15, 0.2])
def test_a_moved_mean_is_found_at_least_as_often_as_by_kolmogorov_and_smirnov_on_the_rows(shift):
    rng = np.random.default_rng(9)
    ours = theirs = 0
    for _ in range(300):
        before, after = rng.normal(size=10_000), rng.normal(shift, size=500)
        ours += column_test(counted(before, "numeric"), counted(after, "numeric"), "numeric").p_value <= 0.01
        theirs += ks_2samp(before, after).pvalue <= 0.01
    assert ours >= theirs
    assert ours > 40


@pytest.mark.parametrize(
    ("current", "strongest"),
    [
        (lambda share: norm.cdf(norm.ppf(share) + 0.3), "level"),
        (lambda share: norm.cdf(norm.ppf(share) * 1.5), "spread"),
        (lambda share: np.where(share < 0.5, share, np.where(share < 0.53, 0.5, 0.5 + (share - 0.53) / 0.94)), "bins"),
    ],
    ids=["level", "spread", "one bin"],
)
def test_each_way_to_move_has_the_test_that_finds_it(current, strongest):
    moved = current(np.concatenate(([0.0], LIMITS, [1.0])))
    rows = np.concatenate(([0, 0], np.round(np.diff(moved) * 2000), [0])).astype(int)
    found = column_test(np.round(share_of("numeric") * 102_400).astype(int), rows, "numeric")
    assert found.strongest == strongest
    assert found.p_value < 1e-6


def test_shares_that_move_everywhere_are_found_by_their_test():
    reference = np.array([0, *[3000] * 10, 0, 0])
    current = np.array([0, *[125, 75] * 5, 0, 0])
    found = column_test(reference, current, "categorical")
    assert found.strongest == "shares"
    table = np.stack((reference, current))[:, 1:11]
    assert found.p_values["shares"] == pytest.approx(chi2_contingency(table).pvalue, rel=1e-6)
    assert found.p_value == pytest.approx(found.p_values["shares"] / 0.7)  # its weight, beside that of the bins


@given(reference=side, current=side)
def test_the_weights_share_out_no_more_than_the_whole_error_rate(reference, current):
    """Each p-value over the column's is at least its test's share of the rate; of all tests made that is 1."""
    found = column_test(reference, current, "numeric")
    made = [*found.p_values, *["bins"] * ("bins" not in found.p_values)]
    total = sum(WEIGHTS["numeric"][name] for name in made)
    for name, p_value in found.p_values.items():
        share = WEIGHTS["numeric"][name] / total
        assert found.p_value <= min(1.0, p_value / share) * (1 + 1e-9) + 1e-300  # where floats lose their digits


@layouts
@given(reference=side | small, current=side | small)
def test_any_counts_have_a_p_value(layout, reference, current):
    found = column_test(reference, current, layout)
    assert 0 <= found.p_value <= 1
    assert found.design_effect == 1.0
    assert all(0 <= each <= 1 for each in found.p_values.values())
    assert found.strongest in WEIGHTS[layout]


@layouts
@given(reference=side | small, current=side | small, parts=st.lists(small | side, min_size=2, max_size=9))
def test_any_counts_and_any_parts_have_a_p_value_that_is_no_smaller(layout, reference, current, parts):
    dispersion = column_dispersion(parts, layout)
    aware = column_test(reference, current, layout, dispersion)
    assert 0 <= aware.p_value <= 1
    assert aware.design_effect >= 1
    for name in ("level", "spread"):
        if name in aware.p_values:
            assert aware.p_values[name] >= column_test(reference, current, layout).p_values[name] * (1 - 1e-9)


@layouts
@given(reference=side, rows=st.integers(1, 10**6))
def test_the_same_shares_never_look_moved(layout, reference, rows):
    window = np.array(reference)
    assert column_test(reference, window, layout).p_value == 1.0
    assert column_test(window * rows, window, layout).p_value == 1.0


@given(reference=side | small, current=side | small, others=st.permutations(range(1, 7)))
def test_categories_have_no_order(reference, current, others):
    """Missing values stay the first. Of bins with as many rows the first is merged with those of few: no two have."""
    both = np.array(reference) + current
    assume(len(np.unique(both[both > 0])) == np.count_nonzero(both))
    order = [0, *others]
    shuffled = column_test([reference[i] for i in order], [current[i] for i in order], "categorical")
    found = column_test(reference, current, "categorical")
    assert shuffled.p_value == pytest.approx(found.p_value, rel=1e-6, abs=1e-300)


def test_bins_without_rows_on_either_side_add_nothing():
    reference, current = [0, 40, 500, 300, 200], [0, 2, 40, 45, 15]
    for layout in ("numeric", "categorical"):
        found = column_test(reference, current, layout)
        wider = column_test([0, 40, 0, 500, 0, 300, 200, 0], [0, 2, 0, 40, 0, 45, 15, 0], layout)
        assert wider.p_value == pytest.approx(found.p_value)


@layouts
def test_more_of_the_same_is_more_evidence(layout):
    reference = [0, 2000, 3000, 3000, 2000, 0]
    p_values = [column_test(reference, [0, 200 - by, 300, 300, 200 + by, 0], layout).p_value for by in range(0, 200, 5)]
    assert all(after < before for before, after in itertools.pairwise(p_values[2:]))
    rows = [column_test(reference, np.array([0, 18, 30, 30, 22, 0]) * times, layout).p_value for times in range(3, 60)]
    assert all(after < before for before, after in itertools.pairwise(rows))


@layouts
def test_evidence_beyond_what_floats_hold_is_0_and_no_nan(layout):
    found = column_test([0, 10**9, 0, 0], [0, 0, 10**9, 0], layout)
    assert found.p_value == 0.0
    assert not any(map(math.isnan, found.p_values.values()))


def test_two_occupied_bins_have_one_test():
    found = column_test([0, 500, 500, 0], [0, 60, 40, 0], "categorical")
    assert set(found.p_values) == {"bins"}
    assert found.p_value == pytest.approx(chi2_contingency([[500, 500], [60, 40]], correction=False).pvalue, rel=0.15)


@pytest.mark.parametrize("counts", [[0, 0, 5, 0], [9, 0, 0, 0]])
@layouts
def test_a_column_of_one_bin_cannot_move(layout, counts):
    assert column_test(counts, counts, layout) == ColumnTest(1.0, "bins", 1.0, {"shares": 1.0}, {})


@pytest.mark.parametrize(("level", "row"), [(1.0, 0.5), (1.0, 1.0), (0.33, 1.0)])
def test_days_that_each_have_their_level_do_not_alarm_for_a_bin_or_a_spread(level, row):
    """A cold day puts half its rows where a year has a hundredth: a binomial of few rows calls that impossible.

    So it was, at 0.1 %: 35, 2 and 3 times too often, and at 0.01 % 300, 12 and 12 times.
    """
    rng = np.random.default_rng(9)

    def days(number: int) -> np.ndarray:
        values = rng.normal(0, level, (number, 1)) + rng.normal(0, row, (number, 400))
        return np.array([counted(each / math.hypot(level, row), "numeric") for each in values])

    p_values = []
    for _ in range(10):
        parts = days(28)
        dispersion = column_dispersion(parts, "numeric")
        p_values += [column_test(parts.sum(axis=0), day, "numeric", dispersion).p_value for day in days(200)]
    smaller = {rate: int((np.array(p_values) <= rate).sum()) for rate in (0.01, 0.001, 0.0001)}
    assert smaller[0.01] <= 40
    assert smaller[0.001] <= 6
    assert smaller[0.0001] <= 4


def test_a_level_that_is_skewed_from_day_to_day_does_not_alarm():
    """It rains on one day of five."""
    rng = np.random.default_rng(10)

    def days(number: int) -> np.ndarray:
        wet = rng.random((number, 1)) < 0.2
        values = np.where(wet, rng.exponential(1.0, (number, 400)), 0) + rng.normal(0, 0.1, (number, 400))
        return np.array([counted(each, "numeric") for each in values])

    p_values, skewed = [], []
    for _ in range(10):
        parts = days(60)
        dispersion = column_dispersion(parts, "numeric")
        skewed.append(dispersion.level_skewness)
        p_values += [column_test(parts.sum(axis=0), day, "numeric", dispersion).p_value for day in days(100)]
    assert min(skewed) > 0
    assert np.mean(np.array(p_values) <= 0.01) <= 0.02


def test_a_rare_bin_that_is_stable_is_known_to_be_so_where_others_wander():
    """Missing values that come one by one are judged as such, though the level of each day is its own."""
    rng = np.random.default_rng(11)

    def day(missing: float) -> np.ndarray:
        values = rng.normal(0, 1.0) + rng.normal(0, 0.3, 400)
        counts = counted(values[rng.random(400) >= missing], "numeric")
        counts[0] = 400 - counts.sum()
        return counts

    parts = np.array([day(0.02) for _ in range(60)])
    dispersion = column_dispersion(parts, "numeric")
    found = [column_test(parts.sum(axis=0), day(0.12), "numeric", dispersion) for _ in range(20)]
    assert sum(each.strongest == "missing" and each.p_value < 0.001 for each in found) >= 15


def test_values_that_are_missing_more_on_some_days_do_not_alarm():
    """A binomial of as many rows as the design effect leaves was below 0.1 % five times too often."""
    rng = np.random.default_rng(12)

    def days(number: int) -> np.ndarray:
        share = norm.cdf((norm.ppf(0.01) - math.sqrt(0.5) * rng.normal(size=number)) / math.sqrt(0.5))
        missing = rng.binomial(200, share)
        return np.array([[each, *rng.multinomial(200 - each, [0.5, 0.5])] for each in missing])

    p_values = []
    for _ in range(15):
        parts = days(150)
        dispersion = column_dispersion(parts, "categorical")
        found = [column_test(parts.sum(axis=0), day, "categorical", dispersion) for day in days(200)]
        p_values += [each.p_values["missing"] for each in found]
    assert np.sum(np.array(p_values) <= 0.001) <= 8


@pytest.mark.parametrize("times", [1, 20])
def test_of_the_bins_the_smallest_p_value_counts_though_most_are_not_asked(times):
    """Which bins can have it is told by cheaper tests, and must not depend on them: held against asking each bin."""
    rng = np.random.default_rng(14)
    for case in range(60):
        bins, rows = int(rng.integers(3, 35)), int(rng.choice([60, 300, 3000]))
        share = rng.dirichlet(np.ones(bins))
        parts, (window,) = (
            np.array([[0, *rng.multinomial(rows // times, share)] for _ in range(number)]) * times for number in (30, 1)
        )
        window[1 + rng.integers(bins)] += case % 3 * rows // 10
        dispersion, whole = column_dispersion(parts, "categorical"), parts.sum(axis=0)
        tests = np.count_nonzero(whole + window)
        asked = [
            _p_value_of_bin(whole, window, place, belief_in_bin(whole, place, dispersion))
            for place in np.flatnonzero(whole + window)
        ]
        found = _p_value_of_bins(whole, window, dispersion, below=1.0)
        assert (1.0 if found is None else found) == pytest.approx(min(1.0, (tests - (tests == 2)) * min(asked)))
