"""Many windows' results in a few lines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from monitoring_tasks.views.findings import findings, seasons
from monitoring_tasks.window import Window

FIRST = datetime(2024, 4, 1, tzinfo=UTC)


def day(number: int) -> Window:
    return Window(FIRST + timedelta(days=number), FIRST + timedelta(days=number + 1))


def rows(check: str, metric: str, column: str, *values: tuple[float | None, str], segment: str = "") -> list[dict]:
    """One result per day: its value and its status."""
    return [
        {
            "check_name": check,
            "metric": metric,
            "column_name": column,
            "segment": segment,
            "window_start": day(number).start,
            "window_end": day(number).end,
            "value": value,
            "threshold_upper": 0.1,
            "status": status,
            "message": f"day {number}",
        }
        for number, (value, status) in enumerate(values)
    ]


def test_a_column_that_moved_is_one_line_with_its_first_and_its_worst_day():
    (found,) = findings(
        rows("data_drift", "psi", "temp", (0.02, "ok"), (0.3, "alarm"), (0.9, "alarm"), (None, "insufficient_data"))
    )
    assert (found.what, found.metric, found.alarms, found.windows) == ("temp", "psi", 2, 3)
    assert (found.first, found.worst_window, found.worst, found.median) == (day(1), day(2), 0.9, 0.3)
    assert found.message == "day 2"


def test_the_most_often_in_alarm_come_first_and_what_is_in_order_does_not_come():
    found = findings(
        [
            *rows("data_drift", "psi", "once", (0.9, "alarm"), (0.0, "ok")),
            *rows("data_drift", "psi", "twice", (0.2, "alarm"), (0.2, "alarm")),
            *rows("data_drift", "psi", "never", (0.1, "warning"), (0.0, "ok")),
            *rows("prediction_drift", "psi", "score", (0.3, "alarm"), (0.0, "ok")),
        ]
    )
    assert [finding.what for finding in found] == ["twice", "once", "score"]


def test_other_metrics_segments_and_checks_say_nothing_twice():
    assert not findings(
        [
            *rows("data_drift", "jensen_shannon", "temp", (0.9, "alarm")),
            *rows("data_drift", "psi", "temp", (0.9, "alarm"), segment="origin=JFK"),
            *rows("operations", "missing_predictions", "predicted", (0.9, "alarm")),
        ]
    )
    (found,) = findings(rows("data_drift", "jensen_shannon", "temp", (0.9, "alarm")), metric="jensen_shannon")
    assert found.what == "temp"


def test_the_worst_number_of_rows_is_the_one_furthest_from_what_is_usual():
    many = [(1000.0, "ok")] * 5
    (few,) = findings(rows("operations", "rows", "", *many, (0.0, "alarm"), (400.0, "alarm")))
    assert (few.what, few.worst, few.median) == ("rows", 0.0, 1000.0)
    (both,) = findings(rows("operations", "rows", "", *many, (400.0, "alarm"), (3000.0, "alarm")))
    assert both.worst == 3000.0


def test_a_season_is_one_line_with_since_when_and_where_it_was_furthest():
    shifts = [(0.05, "info"), (0.3, "warning"), (2.0, "info"), (0.09, "info"), (None, "info"), (0.2, "warning")]
    (found,) = seasons(
        [
            *rows("data_drift", "baseline_shift", "temp", *shifts),
            *rows("data_drift", "baseline_shift", "distance", (0.05, "info"), (0.1, "info")),
            *rows("data_drift", "psi", "carrier", (0.9, "alarm")),
        ]
    )
    assert (found.what, found.first, found.beyond, found.windows) == ("temp", day(1), 3, 5)
    assert (found.largest, found.largest_window, found.message) == (2.0, day(2), "day 2")


def test_seasons_come_by_how_far_they_went_and_are_no_findings():
    both = [
        *rows("data_drift", "baseline_shift", "near", (0.3, "warning")),
        *rows("prediction_drift", "baseline_shift", "far", (0.9, "warning"), (0.8, "info")),
    ]
    assert [season.what for season in seasons(both)] == ["far", "near"]
    assert findings(both) == ()
    assert seasons([]) == ()
