"""What earlier windows come to, and what stands where too few of them have rows."""

from __future__ import annotations

import gc
import math
import weakref
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from scipy.signal import lfilter

from monitoring_tasks.baseline_parts import FEWEST_PARTS
from monitoring_tasks.look_back import MINIMUM_WINDOWS
from monitoring_tasks.reference import KEPT, Reference, moving_columns
from monitoring_tasks.statistics.homogeneity import ColumnDispersion, column_dispersion, column_test
from monitoring_tasks.window import Window
from monitoring_tasks.window_counts import Places, WindowCounts
from tests.results.example import BASELINE, BINS, carrier, day, distance, profile

PLACES = Places(BINS)


def counted(number: int, *columns, windows: int = 1, **segments) -> WindowCounts:
    parts = [profile(day(number), *its, segment=f"origin={name}") for name, its in segments.items()]
    return WindowCounts.of((profile(day(number), *columns), *parts), PLACES, windows)


DAY = timedelta(days=1)


def whole(number: int, rows: int = 10, **segments) -> WindowCounts:
    return counted(number, distance(0, 0, rows, 0, 0), carrier(0, rows, 0, 0, 0), **segments)


def test_windows_with_rows_are_added_up_and_named():
    empty = counted(2, distance(0, 0, 0, 0, 0), carrier(0, 0, 0, 0, 0))
    found = Reference.of_windows("rolling 5d", [whole(0), whole(1), empty, whole(3, 5)], BASELINE, DAY)
    assert found.name == found.named() == "rolling 5d: 3 windows from 2013-04-01T00:00Z to 2013-04-05T00:00Z"
    assert (found.windows, found.period) == (3, Window(day(0).start, day(3).end))
    assert found.columns[""] == {"distance": distance(0, 0, 25, 0, 0), "carrier": carrier(0, 25, 0, 0, 0)}
    assert found.exceptions[""] == {}


@pytest.mark.parametrize(("windows", "holds"), [([], "no window"), ([0], "1 window"), ([0, 4], "2 windows")])
def test_of_too_few_windows_the_baseline_stands_for_them_and_says_so(windows, holds):
    found = Reference.of_windows("rolling 5d", [whole(number) for number in windows], BASELINE, DAY)
    assert found == replace(
        Reference.of_baseline(BASELINE, DAY), name=f"baseline: rolling 5d holds {holds} with rows, 3 are needed"
    )
    assert found.windows == 0
    assert moving_columns([whole(number) for number in windows], BASELINE) == {}


def test_a_column_that_too_few_windows_hold_is_the_baselines():
    """It was unreadable in the others, or came back just now."""
    windows = [whole(0), whole(1), counted(2, carrier(0, 10, 0, 0, 0)), counted(3, carrier(0, 10, 0, 0, 0))]
    found = Reference.of_windows("rolling 5d", windows, BASELINE, DAY)
    assert found.columns[""]["distance"] == BASELINE.columns["distance"]
    assert found.columns[""]["carrier"] == carrier(0, 40, 0, 0, 0)
    assert found.named("", "carrier") == found.name
    assert found.named("", "distance") == "baseline: rolling 5d holds 2 windows with rows, 3 are needed"
    assert moving_columns(windows, BASELINE) == {"carrier": carrier(0, 40, 0, 0, 0)}


def test_segments_are_compared_with_their_own_rows():
    """One with too few windows with the baseline's; one that the baseline does not know, with earlier windows only."""
    rows = (distance(0, 0, 2, 0, 0), carrier(0, 2, 0, 0, 0))
    windows = [whole(0, JFK=rows, EWR=rows, LGA=rows), whole(1, EWR=rows), whole(2, EWR=rows, LGA=rows), whole(3)]
    found = Reference.of_windows("rolling 5d", windows, BASELINE, DAY)
    assert set(found.columns) == {"", "origin=JFK", "origin=EWR"}
    assert found.columns["origin=JFK"] == BASELINE.segments["origin=JFK"]
    assert found.named("origin=JFK", "carrier") == "baseline: rolling 5d holds 1 window with rows, 3 are needed"
    assert found.columns["origin=EWR"] == {"distance": distance(0, 0, 6, 0, 0), "carrier": carrier(0, 6, 0, 0, 0)}
    assert found.named("origin=EWR", "carrier") == found.name


def test_a_longer_window_counts_as_the_windows_that_it_is_made_of():
    week = replace(whole(0, 70), window=Window(day(0).start, day(6).end), windows=7)
    found = Reference.of_windows("rolling 28d", [week], BASELINE, DAY)
    assert found.name == "rolling 28d: 7 windows from 2013-04-01T00:00Z to 2013-04-08T00:00Z"
    assert found.columns[""]["carrier"] == carrier(0, 70, 0, 0, 0)
    assert MINIMUM_WINDOWS <= 7


def test_dispersion_is_that_of_windows_as_long_as_those_that_are_tested():
    """Those that were rolled up differ less, and are left out."""
    singles = [whole(number, 10 + number) for number in range(FEWEST_PARTS)]
    rolled_up = replace(counted(10, distance(0, 0, 500, 0, 0), carrier(0, 500, 0, 0, 0)), windows=2)
    found = Reference.of_windows("rolling 14d", [*singles, rolled_up], BASELINE, DAY)
    assert set(found.dispersions[""]) == set(BINS)
    assert {its.parts for its in found.dispersions[""].values()} == {FEWEST_PARTS}
    assert found.dispersions[""]["distance"].rows == 13.5


def test_dispersion_is_asked_of_windows_as_long_as_the_one_that_is_compared():
    """What rows have in common counts by how many there are, and in two days there are twice as many."""
    windows = [whole(number, 10 + number) for number in range(4)]
    one, two = (Reference.of_windows("rolling 9d", windows, BASELINE, times * DAY) for times in (1, 2))
    assert one.dispersions[""]["distance"].rows == 11.5
    assert two.dispersions[""]["distance"].rows == 23.0


def test_of_fewer_windows_than_make_a_reference_no_dispersion_is_measured():
    """Two days beside a longer window, or two days in which the column could be read."""
    week = replace(whole(0, 70), window=Window(day(0).start, day(6).end), windows=7)
    found = Reference.of_windows("rolling 9d", [week, whole(7, 10), whole(8, 30)], BASELINE, DAY)
    assert (found.windows, found.dispersions[""]) == (9, {})
    parts = ColumnDispersion(30, 10.0, shares=29.0, groups=(0, 1, 1, 0, 0), bins=(29.0,) * 5)
    baseline = replace(BASELINE, dispersions={86400.0: {"": {"distance": parts, "carrier": parts}}})
    only_carrier = [counted(number, carrier(0, 10, 0, 0, 0)) for number in (2, 3)]
    found = Reference.of_windows("rolling 5d", [whole(0), whole(1), *only_carrier], baseline, DAY)
    assert found.dispersions[""]["distance"].parts == 30
    assert found.dispersions[""]["carrier"].parts == 4 + 8


def test_without_a_window_only_what_is_the_baselines_own_is_less():
    """Not earlier windows, nor a segment that the reference does not know; and not rows that came since."""
    later = profile(day(1), distance(0, 0, 99_999, 0, 0), carrier(0, 2, 0, 0, 0))
    unknown = profile(day(1), distance(0, 0, 1, 0, 0), carrier(0, 1, 0, 0, 0), segment="origin=XYZ")
    fixed = Reference.of_baseline(BASELINE, DAY)
    found = fixed.without([later, unknown])
    assert found.columns.keys() == fixed.columns.keys()
    assert found.columns[""]["distance"] == BASELINE.columns["distance"]
    assert found.columns[""]["carrier"].rows == BASELINE.columns["carrier"].rows - 2
    assert found.named() == "baseline, without this window"
    earlier = Reference.of_windows("rolling 5d", [whole(0), whole(1), whole(2)], BASELINE, DAY)
    assert earlier.without([later, unknown]).columns == earlier.columns
    assert earlier.without([later, unknown]).named() == earlier.named()


def test_the_parts_of_the_baseline_count_beside_few_earlier_windows():
    """Windows that are alike by chance do not show that all are, parts that are alike do not hide that these are not.

    Else a week of summer, of seven windows, alarmed on 50 of 62 days: in March there was no row in summer's bins.
    """
    alike = [whole(number, 10) for number in range(4)]
    apart = [
        counted(number, distance(0, 0, 10, 0, 0), carrier(0, *(((10, 0), (0, 10))[number % 2]), 0, 0))
        for number in range(4)
    ]
    for windows, dispersion, least in ((alike, 20.0, 10.0), (apart, 1.0, 2.0)):
        parts = ColumnDispersion(30, 10.0, shares=29 * dispersion, groups=(0, 1, 1, 0, 0), bins=(29 * dispersion,) * 5)
        baseline = replace(BASELINE, dispersions={86400.0: {"": {"carrier": parts}}})
        found = Reference.of_windows("rolling 4d", windows, baseline, DAY).dispersions[""]["carrier"]
        assert found.parts == 4 + 8
        assert found.shares / (found.parts - 1) > least
        assert found.bins[1] / (found.parts - 1) > least


@pytest.mark.parametrize(
    ("hours", "parts", "rows"),
    [(24, 20, 100.0), (23, 20, 2300 / 24), (6, 30, 60.0), (1, 30, 10.0), (0.5, 30, 5.0)],
)
def test_the_baselines_parts_are_the_longest_that_are_no_longer_than_the_window(hours, parts, rows):
    """Their rows are those of as long a time; a day of 23 hours is a day."""
    measured = {3600.0: ColumnDispersion(30, 10.0), 86400.0: ColumnDispersion(20, 100.0)}
    baseline = replace(BASELINE, dispersions={each: {"": {"carrier": its}} for each, its in measured.items()})
    found = Reference.of_baseline(baseline, timedelta(hours=hours)).dispersions[""]["carrier"]
    assert (found.parts, found.rows) == (parts, pytest.approx(rows))


@pytest.mark.parametrize(("together", "most"), [(0.0, 0.02), (0.5, 0.02), (0.8, 0.045)])
def test_weeks_are_judged_by_how_days_hang_together_where_there_are_too_few_of_them(together, most):
    """Of 28 days taken as independent, 10 and 27 % of the weeks were below 1 % at 0.5 and 0.8; now 1 and 3 %."""
    rng = np.random.default_rng(20240301)
    p_values = []
    for _ in range(400):
        levels = lfilter([math.sqrt(1 - together**2)], [1, -together], rng.normal(0, 0.3, 20 + 28 + 20 + 7))[20:]
        days = rng.normal(levels[:, None], 1.0, (len(levels), 300))
        edges = np.quantile(days[:28], np.arange(1, 32) / 32)
        counts = np.array([[0, *np.bincount(np.searchsorted(edges, each), minlength=32)] for each in days])
        parts, week = counts[:28], counts[-7:].sum(axis=0)
        measured = {}
        for length in (1, 2, 3):
            longer = parts[: 28 // length * length].reshape(-1, length, 33).sum(axis=1)
            measured[length * 86400.0] = {"": {"x": column_dispersion(longer, "numeric")}}
        baseline = replace(BASELINE, monitor=f"flights-{len(p_values)}", dispersions=measured)
        its = Reference.of_baseline(baseline, 7 * DAY).dispersions[""]["x"]
        p_values.append(column_test(parts.sum(axis=0), week, "numeric", its).p_value)
    assert np.mean(np.array(p_values) <= 0.01) <= most


def test_a_process_of_many_monitors_lets_go_of_their_baselines():
    known = []
    for number in range(3 * KEPT):
        baseline = replace(BASELINE, monitor=f"flights-{number}")
        Reference.of_baseline(baseline, DAY)
        known.append(weakref.ref(baseline))
        del baseline
    gc.collect()
    assert [baseline() is not None for baseline in known] == [False] * 2 * KEPT + [True] * KEPT
