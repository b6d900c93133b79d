"""Which windows a window looks back on depends on it alone, not on the others that it is run with."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from monitoring_tasks import earlier_windows
from monitoring_tasks.config import Monitor
from monitoring_tasks.earlier_windows import EarlierWindows
from monitoring_tasks.window import Window, parse_instant
from tests import inference_log

ZONE = "America/New_York"


def monitor(schedule: str, zone: str = ZONE) -> Monitor:
    period = "baseline: {period: {start: 2022-01-01, end: 2023-01-01}}"
    text = inference_log.MONITOR.format(checks="{}").replace("@daily", schedule)
    text = text.replace("baseline: {period: {start: 2024-03-01, end: 2024-03-21}}", period)
    text = text.replace("start: 2024-03-21", f"timezone: {zone}\nstart: 2023-01-01")
    return inference_log.parse_monitor(text, environ={})


def windows(schedule: str, start: str, end: str) -> tuple[Monitor, tuple[Window, ...]]:
    mine = monitor(schedule)
    return mine, mine.schedule.windows(parse_instant(start, ZONE), parse_instant(end, ZONE))


@pytest.mark.parametrize("schedule", ["@daily", "@hourly", "10m", "0 0 1 * *", "0 0 * * 1", "0 9,17 * * *"])
@pytest.mark.parametrize("many", [0, 10**6])
def test_right_before_are_so_many_whatever_their_length(
    schedule: str, many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also over both changes of the clocks: a day of 23 hours looks at as many days as any."""
    monkeypatch.setattr(earlier_windows, "MANY", many)
    start = {"10m": "2024-03-09", "@hourly": "2024-03-06"}.get(schedule, "2023-01-01")
    mine, every = windows(schedule, start, "2024-03-13")
    checked = every[max(5, len(every) - 60) :]
    for number in (1, 2, 5):
        back = EarlierWindows(mine, checked, number)
        for window in checked:
            place = every.index(window)
            assert back.right_before(window) == every[place - number : place]
            if many:  # else this is the same once more, and slow
                assert EarlierWindows(mine, [window], number).right_before(window) == back.right_before(window)


@pytest.mark.parametrize("many", [0, 10**6])
@pytest.mark.parametrize("schedule", ["@daily", "@hourly", "30m"])
def test_weeks_before_begin_when_the_wall_clock_shows_the_same(
    schedule: str, many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Held against a search of the whole schedule; the clocks went forward on 10 March."""
    monkeypatch.setattr(earlier_windows, "MANY", many)
    mine, every = windows(schedule, "2024-02-12", "2024-03-15")
    back = EarlierWindows(mine, every, 4)

    def clock(window: Window) -> datetime:
        return window.start.astimezone(ZoneInfo(ZONE)).replace(tzinfo=None)

    by_clock = {clock(each): each for each in mine.schedule.windows(*(parse_instant(day, ZONE) for day in SPAN))}
    for window in every[:: max(1, len(every) // 40)]:
        starts = [clock(window) - timedelta(weeks=weeks) for weeks in (4, 3, 2, 1)]
        assert back.weeks_before(window) == tuple(by_clock[start] for start in starts if start in by_clock)
        if many:
            assert EarlierWindows(mine, [window], 4).weeks_before(window) == back.weeks_before(window)


SPAN = ("2024-01-01", "2024-03-16")


def test_nothing_before_the_period_is_looked_at() -> None:
    mine, every = windows("@daily", "2022-01-01", "2022-01-20")
    back = EarlierWindows(mine, every, 8)
    assert back.right_before(every[3]) == every[:3]
    assert back.right_before(every[0]) == ()
    assert back.weeks_before(every[15]) == (every[1], every[8])
    assert EarlierWindows(mine, every, 0).right_before(every[9]) == ()


def test_a_time_that_the_clocks_skipped_a_week_ago_has_no_window_then() -> None:
    mine, every = windows("@hourly", "2024-03-17", "2024-03-18")
    of_two = next(each for each in every if each.start.astimezone(ZoneInfo(ZONE)).hour == 2)
    found = EarlierWindows(mine, [of_two], 2).weeks_before(of_two)
    assert [each.start.astimezone(ZoneInfo(ZONE)).hour for each in found] == [2, 3]
