"""Which columns of a table a monitor counts, and as what."""

from __future__ import annotations

from itertools import product
from typing import get_args

import pytest

from monitoring_tasks.columns import Column, feature_names, monitored_columns
from monitoring_tasks.config import ColumnType, Monitor, column_problems, parse_monitor
from monitoring_tasks.config.roles import Role, uses

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


def test_a_star_means_no_column_that_cannot_be_counted() -> None:
    every = monitor(("{distance: numeric, carrier: categorical}", "'*'"))
    columns, unreadable = monitored_columns(every, {**TYPES, "embedding": "other"})
    assert "embedding" not in {column.name for column in columns} | unreadable.keys()


@pytest.mark.parametrize(("table", "arrival"), [("log", []), ("outcomes", ["known"])])
def test_a_star_never_means_the_label(table: str, arrival: list[str]) -> None:
    labels = f"labels: {{table: {table}, key: id, value: delayed, timestamp: known, complete_after: 2d}}\ntask: "
    every = monitor(("{distance: numeric, carrier: categorical}", "'*'"), ("task: ", labels))
    names = feature_names(every, {**TYPES, "delayed": "integer", "known": "timestamp"})
    assert names == ("distance", "carrier", "origin", *arrival)


@pytest.mark.parametrize(
    ("column", "type_", "reason"),
    [
        ("distance", "string", "is text, not numeric: declare it categorical, or cast it in a view"),
        ("distance", "date", "is a date, not numeric: declare it timestamp, or cast it in a view"),
        (
            "carrier",
            "other",
            "is of a type that cannot be counted, not categorical: take it out of the features, or cast it in a view",
        ),
        ("probability", "timestamp", "is a time, not a number: name another column, or cast this one in a view"),
    ],
)
def test_a_column_of_the_wrong_type_costs_itself_only(column: str, type_: str, reason: str) -> None:
    columns, unreadable = monitored_columns(monitor(), {**TYPES, column: type_})
    assert unreadable == {column: f"column {column!r} of table 'log' {reason}"}
    assert [c.name for c in columns] == [c.name for c in monitored_columns(monitor(), TYPES)[0] if c.name != column]


def test_a_timestamp_feature_must_be_a_time() -> None:
    _, unreadable = monitored_columns(monitor(("distance: numeric", "distance: timestamp")), TYPES)
    assert unreadable == {
        "distance": "column 'distance' of table 'log' is a whole number, not a time: "
        "declare it categorical, or cast it in a view"
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
        "distance": "column 'distance' of table 'log' is a segment, which is categorical, and is counted as numeric: "
        "declare it categorical, or name another column"
    }
    assert "carrier" in {column.name for column in columns}


REGRESSION = ("  score: probability\n  positive_class: 1\n", ""), ("binary_classification", "regression")
UNSTATED = (("{distance: numeric, carrier: categorical}", "[distance, carrier]"),)
PLACES: dict[str, tuple[Role, tuple[tuple[str, str], ...]]] = {
    "numeric feature": ("feature", (("distance: numeric", "x: numeric"),)),
    "categorical feature": ("feature", (("distance: numeric", "x: categorical"),)),
    "timestamp feature": ("feature", (("distance: numeric", "x: timestamp"),)),
    "listed feature": ("feature", (*UNSTATED, ("[distance,", "[x,"))),
    "class": ("prediction", (("prediction: predicted", "prediction: x"),)),
    "number": ("prediction", (*REGRESSION, ("prediction: predicted", "prediction: x"))),
    "prediction of no stated task": (
        "prediction",
        (*REGRESSION, ("task: regression\n", ""), ("prediction: predicted", "prediction: x")),
    ),
    "score": ("score", (("score: probability", "score: x"),)),
    "segment": ("segment", (("[origin, carrier]", "[x]"),)),
    "version": ("model_version", (("model_version: version", "model_version: x"),)),
    "latency": ("latency", (("latency_ms: latency", "latency_ms: x"),)),
    "error": ("error", (("error: error", "error: x"),)),
    "numeric feature and segment": ("segment", (("distance: numeric", "x: numeric"), ("[origin, carrier]", "[x]"))),
    "categorical feature and latency": (
        "latency",
        (("distance: numeric", "x: categorical"), ("latency_ms: latency", "latency_ms: x")),
    ),
    "listed feature and latency": (
        "latency",
        (*UNSTATED, ("[distance,", "[x,"), ("latency_ms: latency", "latency_ms: x")),
    ),
    "score and error": ("error", (("score: probability", "score: x"), ("error: error", "error: x"))),
}


def test_every_role_has_its_place() -> None:
    assert {role for role, _ in PLACES.values()} == set(get_args(Role))


@pytest.mark.parametrize(("place", "type_"), [*product(PLACES, [*get_args(ColumnType), None])])
def test_validate_complains_of_a_column_exactly_when_a_run_cannot_read_it(place: str, type_: str | None) -> None:
    role, changes = PLACES[place]
    named = monitor(*changes)
    assert role in {use.role for use in uses(named) if use.column == "x"}
    types = TYPES if type_ is None else TYPES | {"x": type_}
    _, unreadable = monitored_columns(named, types)
    problems = column_problems(named, types, "log")
    assert unreadable.keys() == ({"x"} if problems else set())
    if type_ is not None:
        assert [f"{problem.message.partition(' is ')[2]}: {problem.remedy}" for problem in problems] == [
            reason.partition(" is ")[2] for reason in unreadable.values()
        ]
