"""Which columns of a table a monitor counts, and as what."""

from __future__ import annotations

import pytest

from monitoring_tasks.columns import Column, feature_names, monitored_columns
from monitoring_tasks.config import Monitor, parse_monitor

COMPLETE = """\
monitor: flights
schedule: "@daily"
start: 2013-04-01
warehouse: demo
inference_log:
  table: log
  timestamp: at
  key: id
  features: {distance: numeric, carrier: categorical}
  prediction: predicted
  score: probability
  positive_class: 1
  model_version: version
  latency_ms: latency
  error: error
task: binary_classification
baseline:
  period: {start: 2013-03-01, end: 2013-04-01}
segments: [origin, carrier]
"""
TYPES = {
    "at": "timestamptz",
    "id": "string",
    "distance": "integer",
    "carrier": "string",
    "predicted": "integer",
    "probability": "number",
    "version": "integer",
    "latency": "decimal",
    "error": "string",
    "origin": "string",
}


def monitor(*changes: tuple[str, str]) -> Monitor:
    text = COMPLETE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return parse_monitor(text, environ={})


def test_every_part_of_the_log_is_counted_once_as_what_it_is_to_the_monitor() -> None:
    assert monitored_columns(monitor(), TYPES) == (
        (
            Column("distance", "numeric", "integer", ("feature",)),
            Column("carrier", "categorical", "string", ("feature", "segment")),
            Column("predicted", "categorical", "integer", ("prediction",)),
            Column("probability", "numeric", "number", ("score",)),
            Column("origin", "categorical", "string", ("segment",)),
            Column("version", "categorical", "integer", ("model_version",)),
            Column("latency", "numeric", "decimal", ("latency",)),
            Column("error", "categorical", "string", ("error",)),
        ),
        {},
    )


def test_the_prediction_of_a_regression_is_a_number() -> None:
    regression = monitor(("  score: probability\n  positive_class: 1\n", ""), ("binary_classification", "regression"))
    columns, _ = monitored_columns(regression, TYPES)
    assert Column("predicted", "numeric", "integer", ("prediction",)) in columns


@pytest.mark.parametrize(
    ("type_", "kind"),
    [
        ("integer", "numeric"),
        ("number", "numeric"),
        ("decimal", "numeric"),
        ("boolean", "categorical"),
        ("string", "categorical"),
        ("timestamp", "timestamp"),
        ("timestamptz", "timestamp"),
        ("date", "timestamp"),
    ],
)
def test_a_feature_of_no_stated_kind_is_what_its_type_says(type_: str, kind: str) -> None:
    listed = monitor(("{distance: numeric, carrier: categorical}", "[distance, carrier]"))
    columns, _ = monitored_columns(listed, {**TYPES, "distance": type_})
    assert columns[0] == Column("distance", kind, type_, ("feature",))


def test_a_star_means_every_column_without_another_meaning() -> None:
    every = monitor(("{distance: numeric, carrier: categorical}", "'*'"))
    assert feature_names(every, TYPES) == ("distance", "carrier", "origin")


@pytest.mark.parametrize(("table", "arrival"), [("log", []), ("outcomes", ["known"])])
def test_a_star_never_means_the_label(table: str, arrival: list[str]) -> None:
    labels = f"labels: {{table: {table}, key: id, value: delayed, timestamp: known, complete_after: 2d}}\ntask: "
    every = monitor(("{distance: numeric, carrier: categorical}", "'*'"), ("task: ", labels))
    names = feature_names(every, {**TYPES, "delayed": "integer", "known": "timestamp"})
    assert names == ("distance", "carrier", "origin", *arrival)


@pytest.mark.parametrize(
    ("column", "type_", "reason"),
    [
        (
            "distance",
            "string",
            "column 'distance' is string in the warehouse, not a number: declare it categorical, or cast it in a view",
        ),
        (
            "distance",
            "date",
            "column 'distance' is date in the warehouse, not a number: declare it categorical, or cast it in a view",
        ),
        (
            "carrier",
            "other",
            "column 'carrier' has a type that cannot be counted: leave it out of the features, or cast it in a view",
        ),
        (
            "probability",
            "timestamp",
            "column 'probability' is timestamp in the warehouse, not a number: "
            "declare it categorical, or cast it in a view",
        ),
    ],
)
def test_a_column_of_the_wrong_type_costs_itself_only(column: str, type_: str, reason: str) -> None:
    columns, unreadable = monitored_columns(monitor(), {**TYPES, column: type_})
    assert unreadable == {column: reason}
    assert [c.name for c in columns] == [c.name for c in monitored_columns(monitor(), TYPES)[0] if c.name != column]


def test_a_timestamp_feature_must_be_a_time() -> None:
    _, unreadable = monitored_columns(monitor(("distance: numeric", "distance: timestamp")), TYPES)
    assert unreadable == {
        "distance": "column 'distance' is integer in the warehouse, not a time: "
        "declare another kind, or cast it in a view"
    }


def test_a_boolean_may_be_declared_a_number() -> None:
    columns, unreadable = monitored_columns(monitor(), {**TYPES, "distance": "boolean"})
    assert columns[0] == Column("distance", "numeric", "boolean", ("feature",))
    assert unreadable == {}


def test_a_missing_column_is_named_with_the_nearest_that_is_there() -> None:
    types = {name: type_ for name, type_ in TYPES.items() if name not in ("distance", "origin")} | {"distanc": "number"}
    columns, unreadable = monitored_columns(monitor(), types)
    assert unreadable == {
        "distance": "column 'distance' is not in table 'log'; did you mean 'distanc'?",
        "origin": f"column 'origin' is not in table 'log'; it has {', '.join(types)}",
    }
    assert {"carrier", "predicted"} <= {column.name for column in columns}


def test_a_segment_is_split_by_its_values_whatever_their_type() -> None:
    listed = monitor(("{distance: numeric, carrier: categorical}", "[distance, carrier]"), ("[origin,", "[distance,"))
    columns, unreadable = monitored_columns(listed, TYPES)
    assert columns[0] == Column("distance", "categorical", "integer", ("feature", "segment"))
    assert unreadable == {}


def test_a_segment_declared_a_number_is_refused() -> None:
    columns, unreadable = monitored_columns(monitor(("[origin, carrier]", "[distance]")), TYPES)
    assert unreadable == {
        "distance": "column 'distance' is a segment and declared numeric: "
        "declare it categorical, or take it out of `segments`"
    }
    assert "carrier" in {column.name for column in columns}
