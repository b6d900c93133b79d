"""When rows came, by minutes counted by hand; and which silence is the longest."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from monitoring_tasks.traffic import MINUTE, PARTS, Expected, Traffic, added, parts_of, traffic_of
from monitoring_tasks.window import Window, parse_schedule

DAY = Window.parse("2013-04-01", "2013-04-02")


def at(hour: int, minute: int = 0, second: float = 0.0) -> datetime:
    return DAY.start + timedelta(hours=hour, minutes=minute, seconds=second)


def counted(times: list[datetime]) -> list[tuple[datetime, int, datetime, datetime]]:
    """Count times by their minutes, as a warehouse does."""
    minutes: dict[datetime, list[datetime]] = {}
    for each in sorted(times):
        minutes.setdefault(each.replace(second=0, microsecond=0), []).append(each)
    return [(start, len(its), its[0], its[-1]) for start, its in minutes.items()]


def test_the_longest_pause_is_that_between_two_rows_and_the_first_of_several_as_long() -> None:
    found = traffic_of(DAY, counted([at(1), at(3), at(5), at(5, 0, 59), at(6)]))
    assert found.pause == Window(at(1), at(3))
    assert (found.rows, found.first, found.last) == (5, at(1), at(6))


def test_the_rows_of_each_part_add_up() -> None:
    found = traffic_of(DAY, counted([at(0), at(0, 59, 59.999999), at(1), at(23, 59, 59)]))
    assert found.parts == (2, 1, *[0] * 21, 1)


@pytest.mark.parametrize(
    ("times", "silence"),
    [
        ([at(8), at(9)], Window(at(9), DAY.end)),
        ([at(20), at(21)], Window(DAY.start, at(20))),
        ([at(1), at(12), at(20)], Window(at(1), at(12))),
        ([at(0), at(23, 59, 59)], Window(at(0), at(23, 59, 59))),
        ([at(12)], Window(DAY.start, at(12))),  # the first of two as long
        ([at(6), at(18)], Window(at(6), at(18))),
        ([at(8), at(16)], Window(DAY.start, at(8))),
        ([], DAY),
    ],
)
def test_the_silence_is_the_longest_time_without_a_row_from_end_to_end(times: list[datetime], silence: Window) -> None:
    assert traffic_of(DAY, counted(times)).silence == silence


def test_where_times_are_not_known_no_silence_is_measured() -> None:
    """Of a log whose timestamp is a date; neither with rows nor without is it 0, or all day."""
    assert Traffic(DAY, 5).silence is None
    assert Traffic(DAY, 0).silence is None
    assert Traffic(DAY, 5).parts == ()


def test_silences_of_a_random_day_are_those_of_its_sorted_times() -> None:
    """Held against numpy's differences; a pause inside of one minute is not seen, and none here is the longest."""
    rng = np.random.default_rng(5)
    for rows in (1, 2, 10, 300):
        seconds = np.sort(rng.integers(0, 86_400, rows))
        found = traffic_of(DAY, counted([at(0, 0, int(second)) for second in seconds]))
        gaps = np.diff([0, *seconds, 86_400])
        assert found.silence is not None
        assert found.silence.length == timedelta(seconds=int(gaps.max()))
        np.testing.assert_array_equal(found.parts, np.histogram(seconds, 24, (0, 86_400))[0])


@pytest.mark.parametrize(
    ("schedule", "parts", "length"),
    [("10m", 10, 1), ("12m", 12, 1), ("15m", 15, 1), ("20m", 20, 1), ("30m", 15, 2), ("1h", 20, 3), ("8h", 24, 20)],
)
def test_parts_are_equal_and_of_whole_minutes(schedule: str, parts: int, length: int) -> None:
    window = parse_schedule(schedule).windows(DAY.start, DAY.end)[0]
    assert parts_of(window) == parts <= PARTS
    assert window.length / parts == length * MINUTE


@pytest.mark.parametrize(("hours", "parts"), [(23, 23), (24, 24), (25, 20)])
def test_days_on_which_clocks_change_are_cut_too(hours: int, parts: int) -> None:
    window = Window(DAY.start, DAY.start + timedelta(hours=hours))
    found = traffic_of(window, counted([window.start, window.end - timedelta(microseconds=1)]))
    assert (len(found.parts), found.parts[0], found.parts[-1]) == (parts, 1, 1)


@pytest.mark.parametrize("schedule", ["1h", "6h", "12h"])
@pytest.mark.parametrize("rows", [0, 1, 12, 400])
def test_the_traffic_of_parts_of_a_day_adds_up_to_the_days(schedule: str, rows: int) -> None:
    rng = np.random.default_rng(rows)
    times = sorted(at(0, 0, int(second)) for second in rng.integers(0, 86_400, rows))
    windows = parse_schedule(schedule).windows(DAY.start, DAY.end)
    inside = [[each for each in times if window.start <= each < window.end] for window in windows]
    parts = [traffic_of(window, counted(its), {"without_key": 1}) for window, its in zip(windows, inside, strict=True)]
    whole = traffic_of(DAY, counted(times), {"without_key": len(windows)})
    assert added(parts, DAY) == whole
    assert added(parts, DAY).silence == whole.silence


def test_what_was_expected_adds_up_and_what_one_part_lacks_is_not_known() -> None:
    halves = [Window(at(0), at(12)), Window(at(12), DAY.end)]

    def of(*expected: Expected | None) -> Expected | None:
        parts = [Traffic(half, 3, expected=each) for half, each in zip(halves, expected, strict=True)]
        return added(parts, DAY).expected

    assert of(Expected(5, 2, ("b", "d")), Expected(4, 1, ("a",))) == Expected(9, 3, ("a", "b", "d"))
    assert of(Expected(5), Expected(4)) == Expected(9)
    assert of(Expected(5), Expected(unreadable="gone")) == Expected(unreadable="gone")
    assert of(None, None) is None
    dates = added([Traffic(half, 3, without_key=None, repeats=1) for half in halves], DAY)
    assert (dates.rows, dates.parts, dates.without_key, dates.repeats) == (6, (), None, None)


def test_parts_that_lie_in_two_parts_of_the_sum_are_not_known() -> None:
    two = [Window(at(0), at(0, 50)), Window(at(0, 50), at(1))]  # 10 parts of 5 minutes, and of 1, beside 20 of 3
    assert added([traffic_of(each, []) for each in two], Window(at(0), at(1))).parts == ()


def test_what_is_known_of_keys_goes_with_it() -> None:
    keys = {"without_key": 1, "repeats": 2, "repeated": (("a", 3),)}
    assert traffic_of(DAY, [], keys) == replace(traffic_of(DAY, []), without_key=1, repeats=2, repeated=(("a", 3),))
    assert traffic_of(DAY, []).repeats is None
