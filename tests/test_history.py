"""What earlier windows a run still needs profiles of, and how little that takes to find out."""

from __future__ import annotations

import random
import tracemalloc
from bisect import bisect_left
from datetime import timedelta

import pytest

from monitoring_tasks.history import History
from monitoring_tasks.look_back import LookBack
from monitoring_tasks.results.store import Store
from monitoring_tasks.window import Window
from tests import inference_log
from tests.results.example import BASELINE, flights

START = inference_log.START
PERIOD = "period: {start: 2024-03-01, end: 2024-03-11}"


def lacking(back: LookBack, windows: tuple[Window, ...], stored: list[Window]) -> set[Window]:
    """Return what no stored window is or, of neighbours, stands for; look-back by look-back and window by window."""
    found = set()
    for looked in (each for window in windows for each in back.looks(window)):
        starts, ends = {each.start for each in looked}, {each.end for each in looked}
        made = [each for each in stored if each in looked or (each.start in starts and each.end in ends)]
        if back.singly:
            made = [each for each in made if each in looked]
        found |= {each for each in looked if not any(each.start < its.end and its.start < each.end for its in made)}
    return found


@pytest.mark.parametrize("moves", ["rolling: 4d", "seasonal: {by: hour_of_day, over: 4d}"])
@pytest.mark.parametrize("seed", range(4))
def test_missing_is_what_the_look_back_of_any_window_lacks(moves: str, seed: int, store: Store):
    """Also where some eight hours were rolled up into days, of which a look-back may begin in the middle."""
    checks = "{data_quality: off}"  # which looks at the windows right before, rolled up or not
    monitor = inference_log.monitor(checks, baseline=f"{{{PERIOD}, {moves}}}", schedule='"8h"')
    rng = random.Random(seed)
    windows = monitor.schedule.windows(START, START + timedelta(days=3))
    stored = []
    for number in range(9):
        first = START - timedelta(days=9 - number)
        hours = monitor.schedule.windows(first, first + timedelta(days=1))
        day = Window(hours[0].start, hours[-1].end)
        stored += rng.choice([[], [day], rng.sample(hours, 2), list(hours)])
    store.write_baseline(BASELINE, "hash")
    for each in stored:
        store.write_profiles("loans", each, flights(each), BASELINE.id)
    expected = lacking(LookBack(monitor, windows), windows, stored)
    assert History(monitor, windows, store).missing(BASELINE.id) == tuple(sorted(expected.difference(windows)))


def test_what_many_short_windows_look_back_on_is_not_held_for_each_of_them(store: Store):
    """Two days of ten minutes with four weeks each: 2.6 million of them in all, and 8,346 different ones."""
    monitor = inference_log.monitor(baseline=f"{{{PERIOD}, rolling: 28d}}", schedule="10m")
    start = START + timedelta(days=60)
    windows = monitor.schedule.windows(start, start + timedelta(days=2))
    history = History(monitor, windows, store)
    tracemalloc.start()
    try:
        missing = history.missing("none")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    earliest = bisect_left(missing, start - timedelta(days=56), key=lambda window: window.start)
    assert (earliest, len(missing)) == (0, 56 * 24 * 6)
    assert peak < 20_000_000
