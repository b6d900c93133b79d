"""Traffic by hand: windows whose rows come evenly, and those before them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from monitoring_tasks.checks import CheckContext
from monitoring_tasks.traffic import Expected, Traffic
from monitoring_tasks.window import Window
from tests.checks.context import WINDOW, categorical, context
from tests.inference_log import monitor


def traffic(
    rows: int,
    weeks_before: int = 0,
    *,
    silence: timedelta = timedelta(hours=1),
    last: timedelta = timedelta(minutes=5),
    expected: Expected | None = None,
) -> Traffic:
    """Return the traffic of a day, which is silent from noon on for so long, and at its end."""
    week = timedelta(weeks=weeks_before)
    window = Window(WINDOW.start - week, WINDOW.end - week)
    if rows == 0:
        return Traffic(window, 0, parts=(0,) * 24, expected=expected)
    parts = tuple(rows * (i + 1) // 24 - rows * i // 24 for i in range(24))
    noon = window.start + timedelta(hours=12)
    pause = Window(noon, noon + silence)
    first = window.start + timedelta(minutes=1)
    return Traffic(window, rows, first, window.end - last, pause, parts, expected=expected)


def given(
    now: Traffic | None, before: Sequence[Traffic] = (), settings: str = "{}", table: str = "inference_log"
) -> CheckContext:
    """Return what a check is given of a window with this traffic."""
    rows = 480 if now is None else now.rows
    columns = {"": [categorical("predicted", 0, rows, 0, 0, 0)]}
    # A file that says what to expect may say which share of it.
    key = "id" if now is None or now.expected is None else "id\n  expected_rows: due"
    own = context(monitor(f"{{operations: {settings}}}", table=table, key=key), {}, columns, columns)
    return replace(own, traffic=now, traffic_before=lambda: tuple(before))


def at(hour: int, minute: int = 0) -> datetime:
    """Return a time of the window."""
    return WINDOW.start + timedelta(hours=hour, minutes=minute)
