"""How many rows came, against earlier windows of the same time of the week."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from monitoring_tasks.checks import Result
from monitoring_tasks.checks.operations import operations
from monitoring_tasks.traffic import Traffic
from monitoring_tasks.window import Window
from tests.checks.traffic import given, traffic

USUAL = (480, 470, 495, 502, 466, 488, 475, 490)


def rows_of(rows: int, before: Sequence[int] = USUAL, settings: str = "{}") -> Result:
    earlier = [traffic(each, len(before) - i) for i, each in enumerate(before)]
    found = operations(given(traffic(rows), earlier, settings))
    return next(result for result in found if result.metric == "rows")


@pytest.mark.parametrize(
    ("rows", "status", "message"),
    [
        (
            478,
            "ok",
            "478 rows, as usual: the median of 8 earlier windows of this time of the week is 484 (alarm below 388 or "
            "above 580)",
        ),
        (
            240,
            "alarm",
            "240 rows, 50 % fewer than usual: the median of 8 earlier windows of this time of the week is 484 (alarm "
            "below 388 or above 580)",
        ),
        (
            1450,
            "alarm",
            "1,450 rows, 3 times as many as usual: the median of 8 earlier windows of this time of the week is 484 "
            "(alarm below 388 or above 580)",
        ),
        (
            0,
            "alarm",
            "no data: table 'inference_log' has no row in 2024-04-01T00:00Z/2024-04-02T00:00Z; the median of 8 earlier "
            "windows of this time of the week is 484 (alarm below 388 or above 580)",
        ),
    ],
)
def test_rows_against_earlier_weeks(rows, status, message):
    for settings in ("{}", "{expected_rows: seasonal}"):
        result = rows_of(rows, settings=settings)
        assert (result.decided(), result.message) == (status, message)
        assert (result.threshold_lower, result.threshold_upper) == (388, 580)
        assert result.detail == {"expected": 484.0, "earlier": list(USUAL)}


def test_the_last_eight_weeks_count():
    assert rows_of(478, (10**6, *USUAL)) == rows_of(478)


def test_what_the_file_expects_counts_more_than_earlier_weeks():
    result = rows_of(240, settings="{expected_rows: 250}")
    assert (result.decided(), result.threshold_lower, result.threshold_upper) == ("ok", 125, 500)


@pytest.mark.parametrize(("weeks", "known"), [(0, "0 earlier windows"), (1, "1 earlier window"), (3, "3 earlier w")])
def test_of_too_few_earlier_weeks_nothing_is_said(weeks, known):
    result = rows_of(10, USUAL[:weeks])
    assert (result.decided(), result.threshold_lower) == ("info", None)
    assert result.message.startswith(f"10 rows, with too few to compare: {known}")


def test_no_row_is_an_alarm_before_earlier_weeks_are_known():
    assert rows_of(0, USUAL[:3]).decided() == "alarm"


def test_a_shop_that_is_closed_at_that_hour_has_no_row_and_that_is_usual():
    result = rows_of(0, (0, 0, 0, 0, 0, 2, 0, 0))
    assert (result.value, result.decided()) == (0, "ok")
    assert result.message == (
        "no row in 2024-04-01T00:00Z/2024-04-02T00:00Z, which is usual at this time of the week: 7 of 8 earlier "
        "windows had none"
    )
    busy = rows_of(300, (0, 0, 0, 0, 0, 2, 0, 0))
    assert busy.decided() == "alarm"
    assert busy.message.startswith("300 rows, more than usual: the median of 8 earlier windows of this time of the ")


@pytest.mark.parametrize("before", [(0,), (0, 0, 0)])
def test_a_shop_that_closes_at_night_is_no_alarm_in_its_first_weeks(before):
    result = rows_of(0, before)
    assert (result.decided(), result.value) == ("info", 0)
    known = "the 1 earlier window" if len(before) == 1 else "the 3 earlier windows"
    assert result.message == (
        f"no row in 2024-04-01T00:00Z/2024-04-02T00:00Z, as in {known} of this time of the week; of 4 it would be said "
        "that this is usual"
    )
    assert rows_of(0, (0, 9)).decided() == rows_of(0, ()).decided() == "alarm"


def test_a_customer_at_night_is_not_too_many():
    result = rows_of(12, (0, 0, 0, 0, 0, 20, 0, 0))
    assert (result.decided(), result.threshold_upper) == ("ok", 50)
    assert rows_of(51, (0, 0, 0, 0, 0, 20, 0, 0)).decided() == "alarm"


def test_no_row_that_chance_may_explain_is_not_called_usual():
    result = rows_of(0, (3, 4, 2, 3, 5, 3, 2, 3))
    assert (result.decided(), result.threshold_lower) == ("ok", 0)
    assert result.message == (
        "no row in 2024-04-01T00:00Z/2024-04-02T00:00Z, but chance alone may do this: 0 of 8 earlier windows had none, "
        "and the median of 8 earlier windows of this time of the week is 3"
    )


def test_no_data_is_an_alarm_however_much_the_weeks_differ():
    result = rows_of(0, (1000, 100, 3000, 5))
    assert (result.decided(), result.threshold_lower) == ("alarm", 1)
    assert result.message.startswith("no data: table 'inference_log' has no row in 2024-04-01T00:00Z/2024-04-02T00:00Z")
    assert rows_of(0, USUAL, "{minimum_effect: 1.5}").decided() == "alarm"


def test_a_change_that_does_not_matter_is_in_order_however_certain():
    many = [100_000 + each for each in USUAL]
    assert rows_of(85_000, many).decided() == "ok"
    assert rows_of(85_000, many, "{minimum_effect: 0.1}").decided() == "alarm"


def test_a_month_has_no_time_of_the_week():
    month = Window.parse("2024-04-01", "2024-05-01")
    earlier = tuple(Traffic(month, rows) for rows in USUAL)
    made = replace(given(traffic(0), earlier), window=month)
    (rows,) = (result for result in operations(made) if result.metric == "rows")
    assert rows.message == (
        "no data: table 'inference_log' has no row in 2024-04-01T00:00Z/2024-05-01T00:00Z; the median of 8 earlier "
        "windows is 484 (alarm below 388 or above 580)"
    )


def test_throughput_and_the_rows_of_each_part():
    found = {result.metric: result for result in operations(given(traffic(1200)))}
    result = found["throughput"]
    assert (result.value, result.decided()) == (1200 / 86_400, "info")
    assert result.message == ("0.0139 rows a second, 0.0139 at most: from 2024-04-01T00:00Z to 2024-04-01T01:00Z")
    assert result.detail == {
        "parts": [50] * 24,
        "part_seconds": 3600.0,
        "peak": 50 / 3600,
        "peak_from": "2024-04-01T00:00Z",
    }
    empty = {result.metric: result for result in operations(given(traffic(0)))}["throughput"]
    assert (empty.value, empty.message) == (0, "0 rows a second")


def test_of_a_window_that_an_older_version_read_nothing_is_said_of_its_times():
    found = {result.metric for result in operations(given(None))}
    assert found.isdisjoint({"throughput", "longest_silence", "freshness", "completeness"})
    assert "rows" in found
