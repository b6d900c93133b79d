"""Columns that came, went or changed their type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from monitoring_tasks.checks import Result
from monitoring_tasks.checks.data_quality import data_quality
from tests import inference_log
from tests.checks.context import context
from tests.checks.quality import AMOUNT, amounts


def schema(
    before: Mapping[str, str], now: Mapping[str, str], unreadable: Mapping[str, str] = {}, rows: int = 100
) -> list[Result]:
    monitor = inference_log.monitor(features="'*'")
    made = context(monitor, {"amount": AMOUNT, "age": AMOUNT}, {"": [amounts(100)]}, {"": [amounts(100)]})
    definition = {**made.baseline.definition, "types": dict(before), "features": ["amount", "age"]}
    changed = replace(made.profile, types=dict(now), unreadable=dict(unreadable), rows=rows)
    results = data_quality(replace(made, profile=changed, baseline=replace(made.baseline, definition=definition)))
    return [result for result in results if result.metric in ("new_columns", "vanished_columns", "type_change")]


def test_a_vanished_column_is_an_alarm_and_a_new_one_is_said():
    types = {"amount": "number", "age": "number"}
    new, gone = schema(types, {"amount": "number"}, {"age": "is gone", "height": "is new"})
    assert (new.value, new.decided()) == (1, "info")
    assert (new.message, new.detail) == ("1 new column since the baseline: height", {"columns": ["height"]})
    assert (gone.value, gone.decided()) == (1, "alarm")
    assert gone.message == "1 column of the baseline is gone from the table: age"
    assert gone.detail == {"columns": ["age"]}


def test_a_table_with_the_same_columns_is_in_order():
    types = {"amount": "number", "age": "number"}
    assert [(result.metric, result.value, result.decided()) for result in schema(types, types)] == [
        ("new_columns", 0, "info"),
        ("vanished_columns", 0, "ok"),
    ]


def test_a_column_that_cannot_be_read_any_more_has_not_vanished():
    types = {"amount": "number", "age": "number"}
    _, gone, changed = schema(types, {**types, "age": "string"}, {"age": "is text"})
    assert (gone.metric, gone.value, gone.message) == (
        "vanished_columns",
        0,
        "the table has every column that the baseline had",
    )
    assert (changed.metric, changed.column_name, changed.decided()) == ("type_change", "age", "alarm")


def test_what_types_are_is_not_known_of_old_windows():
    assert [result.metric for result in schema({}, {})] == ["new_columns"]


@pytest.mark.parametrize(
    ("before", "now", "status", "message"),
    [
        ("integer", "number", "warning", "age is a number now and was a whole number in the baseline"),
        ("number", "string", "alarm", "age is text now and was a number in the baseline"),
        ("timestamp", "timestamptz", "alarm", "age is a time (timestamptz) now and was a time in the baseline"),
    ],
)
def test_a_changed_type_is_told_from_what_to_what(before, now, status, message):
    (result,) = [each for each in schema({"age": before}, {"age": now}) if each.metric == "type_change"]
    assert (result.column_name, result.decided(), result.message) == ("age", status, message)
    assert result.detail == {"from": before, "to": now}


def test_of_an_empty_window_nothing_is_said_to_be_in_order():
    types = {"amount": "number", "age": "number"}
    assert schema(types, types, rows=0) == []
    (gone,) = schema(types, {"amount": "number"}, {"age": "is gone"}, rows=0)
    assert gone.decided() == "alarm"
