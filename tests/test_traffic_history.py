"""Which earlier windows say how many rows to expect."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from monitoring_tasks.results.store import open_store
from monitoring_tasks.traffic_history import TrafficHistory
from monitoring_tasks.window import Window, parse_instant, parse_schedule
from tests import inference_log

ZONE = "America/New_York"


def looked_at(schedule: str, start: str, end: str, folder: Path) -> list[Window]:
    """Return the windows that the one in this period looks back on."""
    period = "{period: {start: 2022-01-01, end: 2023-01-01}}"
    monitor = inference_log.monitor(schedule=f'"{schedule}"\ntimezone: {ZONE}', baseline=period, start="2023-01-01")
    (window,) = parse_schedule(schedule, ZONE).windows(parse_instant(start, ZONE), parse_instant(end, ZONE))
    with open_store(f"sqlite:///{folder / 'results.db'}") as store:
        return sorted(TrafficHistory(monitor, [window], store).looked_at([window]))


@pytest.mark.parametrize(
    ("schedule", "start", "end", "days", "step"),
    [
        ("0 6 * * 1-5", "2024-03-29T06:00", "2024-04-01T06:00", 3, 7),
        ("0 6 * * 1-5", "2024-03-28T06:00", "2024-03-29T06:00", 1, 7),
        ("0 0 * * 1", "2024-03-25", "2024-04-01", 7, 7),
        ("0 0 * * *", "2024-04-01", "2024-04-02", 1, 7),
        ("0 0 1 * *", "2024-04-01", "2024-05-01", 30, 30.5),
    ],
)
def test_windows_are_like_those_of_the_same_time_of_the_week_or_like_those_right_before(
    schedule, start, end, days, step, tmp_path
):
    """A weekend of a schedule from Monday to Friday is like weekends, not like the days before it."""
    found = looked_at(schedule, start, end, tmp_path)
    assert len(found) == 8
    for back, each in enumerate(reversed(found), start=1):
        assert each.length / timedelta(days=1) == pytest.approx(days, abs=1.1 if days == 30 else 0.05)
        away = (parse_instant(start, ZONE) - each.start) / timedelta(days=1)
        assert away == pytest.approx(back * step, abs=3 if days == 30 else 0.05)
