"""What a monitor names, held against the warehouse's columns."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from monitoring_tasks.config import Monitor, column_problems, label_value_problems, parse_monitor

COMPLETE = (Path(__file__).parent / "cases" / "complete.yaml").read_text()

LOG = {
    "scheduled_at": "timestamptz",
    "flight_id": "string",
    "distance": "number",
    "carrier": "string",
    "origin": "string",
    "predicted": "integer",
    "probability": "number",
    "model_version": "string",
    "latency_ms": "decimal",
    "error": "string",
}
OUTCOMES = {"flight_id": "string", "delayed": "integer", "known_at": "timestamp"}


def read(*changes: tuple[str, str]) -> Monitor:
    text = COMPLETE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return parse_monitor(text, "flights.yaml", {"COLUMN": "hunter2"})


def problems(monitor: Monitor, columns: dict[str, str], table: str) -> list[str]:
    return [str(problem) for problem in column_problems(monitor, columns, table)]


def test_fitting_columns_are_no_problem() -> None:
    assert problems(read(), LOG, "inference_log") == []
    assert problems(read(), OUTCOMES, "outcomes") == []
    assert problems(read(), {}, "another table") == []


@pytest.mark.parametrize(
    ("column", "found", "expected"),
    [
        (
            "scheduled_at",
            "string",
            "11: inference_log.timestamp: 'scheduled_at' is text, not a time: "
            "name another column, or cast this one in a view",
        ),
        (
            "distance",
            "string",
            "13: inference_log.features.distance: the column is text, not numeric: "
            "declare it categorical, or cast it in a view",
        ),
        (
            "distance",
            "date",
            "13: inference_log.features.distance: the column is a date, not numeric: "
            "declare it timestamp, or cast it in a view",
        ),
        (
            "carrier",
            "other",
            "13: inference_log.features.carrier: the column is of a type that cannot be counted, not categorical: "
            "take it out of the features, or cast it in a view",
        ),
        (
            "latency_ms",
            "timestamp",
            "18: inference_log.latency_ms: 'latency_ms' is a time, not a number: "
            "name another column, or cast this one in a view",
        ),
        (
            "probability",
            "string",
            "15: inference_log.score: 'probability' is text, not a number: "
            "name another column, or cast this one in a view",
        ),
        (
            "origin",
            "other",
            "30: segments[0]: 'origin' is of a type that cannot be counted, not a value to group by: "
            "name another column, or cast this one in a view",
        ),
    ],
)
def test_a_column_of_the_wrong_type(column: str, found: str, expected: str) -> None:
    assert problems(read(), LOG | {column: found}, "inference_log") == [f"flights.yaml:{expected}"]


def test_missing_columns_suggest_the_nearest() -> None:
    columns = {name.upper(): kind for name, kind in LOG.items() if name != "error"}
    got = problems(read(), columns, "inference_log")
    assert len(got) == 10
    assert got[0] == (
        "flights.yaml:11: inference_log.timestamp: 'scheduled_at' is not a column of 'inference_log': "
        "did you mean 'SCHEDULED_AT'?"
    )
    assert got[2] == (
        "flights.yaml:13: inference_log.features.distance: is not a column of 'inference_log': did you mean 'DISTANCE'?"
    )


def test_an_empty_table_has_no_suggestion() -> None:
    got = problems(read(), {}, "outcomes")
    assert got[0] == "flights.yaml:22: labels.key: 'flight_id' is not a column of 'outcomes'"


def test_listed_features_and_classes() -> None:
    monitor = read(
        ("{distance: numeric, carrier: categorical}", "[distance, carier]"),
        ("score: probability", "score: {on_time: probability, late: p_late}"),
        ("positive_class: 1", ""),
        ("binary_", "multiclass_"),
    )
    assert problems(monitor, LOG, "inference_log") == [
        "flights.yaml:13: inference_log.features[1]: 'carier' is not a column of 'inference_log': "
        "did you mean 'carrier'?",
        "flights.yaml:15: inference_log.score.late: 'p_late' is not a column of 'inference_log': "
        "write one of scheduled_at, flight_id, distance, carrier, origin, predicted, probability, model_version, "
        "latency_ms, error",
    ]


def test_a_regression_needs_numbers() -> None:
    monitor = read(
        ("score: probability", ""),
        ("positive_class: 1", ""),
        ("binary_classification", "regression"),
        ("[roc_auc, f1, brier]", "[mae]"),
    )
    assert problems(monitor, LOG | {"predicted": "string"}, "inference_log") == [
        "flights.yaml:14: inference_log.prediction: 'predicted' is text, not a number: "
        "name another column, or cast this one in a view"
    ]
    assert problems(monitor, OUTCOMES | {"delayed": "boolean"}, "outcomes") == [
        "flights.yaml:23: labels.value: 'delayed' is true or false, not a number: "
        "name another column, or cast this one in a view"
    ]


@pytest.mark.parametrize(
    ("written", "found", "remedy"),
    [
        ("yes", "string", "text: put it in quotes"),
        ("1", "string", "text: put it in quotes"),
        ("1", "boolean", "true or false: write true or false"),
        ("'1'", "integer", "a whole number: write it as digits, without quotes"),
    ],
)
def test_a_positive_class_that_no_label_can_equal(written: str, found: str, remedy: str) -> None:
    monitor = read(("positive_class: 1", f"positive_class: {written}"))
    assert problems(monitor, OUTCOMES | {"delayed": found}, "outcomes") == [
        f"flights.yaml:16: inference_log.positive_class: {written} can never be a label: 'delayed' is {remedy}"
    ]


@pytest.mark.parametrize(
    ("written", "values", "remedy"),
    [
        ("'Yes'", ("no", "yes"), "'Yes': 'delayed' holds 'no', 'yes': write no or yes"),
        ("2", (0, 1), "2: 'delayed' holds 0, 1: write 0 or 1"),
        ("2", (0.0, Decimal("1.00")), "2: 'delayed' holds 0, 1: write 0 or 1"),
        ("late", tuple("abcdef"), "'late': 'delayed' holds 'a', 'b', 'c', 'd', 'e' and 1 more: write one of a, b, c, "),
    ],
)
def test_a_positive_class_that_no_label_is(written: str, values: tuple[object, ...], remedy: str) -> None:
    """Every metric would be of a class that never comes: F1 0, "like the baseline's"."""
    (found,) = label_value_problems(read(("positive_class: 1", f"positive_class: {written}")), values)
    assert str(found).startswith(f"flights.yaml:16: inference_log.positive_class: no label is {remedy}")


@pytest.mark.parametrize(
    ("written", "values"),
    [
        ("1", (0, 1)),
        ("1", (0.0, 1.0)),
        ("1", (Decimal(0), Decimal(1))),
        ("true", (False, True)),
        ("late", ("late", "on time", "unknown")),
        ("1", ()),
        ("1", (0,)),  # what is rare may be still to come
    ],
)
def test_a_positive_class_that_labels_are_or_may_become(written: str, values: tuple[object, ...]) -> None:
    assert label_value_problems(read(("positive_class: 1", f"positive_class: {written}")), values) == []


def test_scores_of_classes_that_no_label_is() -> None:
    monitor = read(
        ("score: probability", "score: {1: probability, 2: p_late}"),
        ("positive_class: 1", ""),
        ("binary_", "multiclass_"),
    )
    for values in ((), (1, 7), (2.0,), ("1", "x")):
        assert label_value_problems(monitor, values) == []
    (found,) = label_value_problems(monitor, ("late", "on time"))
    assert str(found) == (
        "flights.yaml:15: inference_log.score: no label is of one of its classes: 'delayed' holds 'late', 'on time': "
        "name the classes as the labels do"
    )


def test_a_baseline_table_needs_what_is_compared_or_split_by() -> None:
    monitor = read(("period: {start: 2013-03-01, end: 2013-04-01}", "table: training_set"))
    training_set = {"distance": "number", "carriers": "string"}
    assert [line.split(": ", 1)[1] for line in problems(monitor, training_set, "training_set")] == [
        f"{key}is not a column of 'training_set': write distance or carriers"
        for key in (
            "inference_log.features.carrier: ",
            "inference_log.prediction: 'predicted' ",
            "inference_log.score: 'probability' ",
            "segments[0]: 'origin' ",
        )
    ]


def test_a_baseline_table_needs_no_prediction_that_is_not_compared() -> None:
    monitor = read(
        ("period: {start: 2013-03-01, end: 2013-04-01}", "table: training_set"),
        ("  performance: {metrics: [roc_auc, f1, brier]}", "  prediction_drift: off"),
    )
    assert problems(monitor, {"distance": "number", "carrier": "string", "origin": "string"}, "training_set") == []


def test_a_baseline_table_has_the_kinds_of_the_inference_log() -> None:
    monitor = read(
        ("{distance: numeric, carrier: categorical}", "[distance, carrier]"),
        ("period: {start: 2013-03-01, end: 2013-04-01}", "table: training_set"),
    )
    training_set = LOG | {"distance": "string"}
    assert [str(problem) for problem in column_problems(monitor, training_set, "training_set", LOG)] == [
        "flights.yaml:13: inference_log.features[0]: 'distance' is text and is counted as numeric: cast it in a view"
    ]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            ("segments: [origin]", "segments: [distance]"),
            "30: segments[0]: 'distance' is a segment, which is categorical, and is counted as numeric: "
            "declare it categorical, or name another column",
        ),
        (
            ("latency_ms: latency_ms", "latency_ms: carrier"),
            "18: inference_log.latency_ms: 'carrier' is the latency, which is numeric, and is counted as categorical: "
            "declare it numeric, or name another column",
        ),
        (
            ("error: error", "error: probability"),
            "19: inference_log.error: 'probability' is the error, which is categorical, and is counted as numeric: "
            "name another column",
        ),
    ],
)
def test_a_column_of_two_roles_that_are_counted_differently(change: tuple[str, str], expected: str) -> None:
    assert problems(read(change), LOG | {"carrier": "number"}, "inference_log") == [f"flights.yaml:{expected}"]


def test_labels_in_the_inference_log() -> None:
    monitor = read(("table: outcomes", "table: inference_log"))
    assert problems(monitor, LOG | OUTCOMES, "inference_log") == []
    assert [line.split(": ")[1] for line in problems(monitor, LOG, "inference_log")] == [
        "labels.value",
        "labels.timestamp",
    ]


def test_a_name_from_the_environment_is_not_shown() -> None:
    monitor = read(("latency_ms: latency_ms", "latency_ms: ${COLUMN}"))
    assert problems(monitor, LOG, "inference_log")[0].startswith(
        "flights.yaml:18: inference_log.latency_ms: '${COLUMN}' is not a column of 'inference_log': write one of"
    )


def test_a_weight_of_no_feature_of_a_star() -> None:
    monitor = read(
        ("{distance: numeric, carrier: categorical}", "'*'"),
        ("minimum_effect: {psi: 0.1}", "importance: {distance: 2, distnce: 3, predicted: 4, route: 5}"),
    )
    assert problems(monitor, LOG | {"route": "other"}, "inference_log") == [
        "flights.yaml:32: checks.data_drift.importance.distnce: is not a column of 'inference_log': "
        "did you mean 'distance'?",
        "flights.yaml:32: checks.data_drift.importance.predicted: is no feature: its part in the monitor is another: "
        "remove its weight",
        "flights.yaml:32: checks.data_drift.importance.route: is no feature: it is of a type that cannot be counted: "
        "remove its weight",
    ]
    assert problems(monitor, OUTCOMES, "outcomes") == []


EXPECTED = {"scheduled_at": "timestamp", "flight_id": "string", "seats": "integer", "due_at": "date"}


def expecting(written: str, *changes: tuple[str, str]) -> Monitor:
    return read(("  error: error\n", f"  error: error\n  expected_rows: {written}\n"), *changes)


@pytest.mark.parametrize(
    ("written", "columns", "expected"),
    [
        ("schedule", EXPECTED, ()),
        ("{table: schedule, rows: seats}", EXPECTED, ()),
        ("{table: schedule, timestamp: due_at, key: seats}", EXPECTED, ()),  # days, of a daily monitor
        (
            "schedule",
            {"scheduled_at": "timestamp", "flight": "string"},
            (
                "20: inference_log.expected_rows: 'flight_id' is not a column of 'schedule': name its column: "
                "expected_rows: {table: ..., key: ...}",
            ),
        ),
        (
            "{table: schedule, key: flight, timestamp: seats}",
            EXPECTED,
            (
                "20: inference_log.expected_rows.timestamp: 'seats' of 'schedule' is a whole number, not a time: "
                "name another column, or cast this one in a view",
                "20: inference_log.expected_rows.key: 'flight' is not a column of 'schedule': "
                "write scheduled_at, flight_id, seats or due_at",
            ),
        ),
        (
            "{table: schedule, rows: flight_id}",
            EXPECTED,
            (
                "20: inference_log.expected_rows.rows: 'flight_id' of 'schedule' is text, not a number of rows: "
                "name another column, or cast this one in a view",
            ),
        ),
        (
            "schedule",
            EXPECTED | {"flight_id": "other"},
            (
                "20: inference_log.expected_rows: 'flight_id' of 'schedule' is of a type that cannot be counted, not "
                "a key: name another column, or cast this one in a view",
            ),
        ),
    ],
)
def test_the_table_of_expected_rows(written: str, columns: dict[str, str], expected: tuple[str, ...]) -> None:
    assert problems(expecting(written), columns, "schedule") == [f"flights.yaml:{each}" for each in expected]
    assert problems(expecting(written), LOG, "inference_log") == []


def test_expected_rows_of_a_date_have_no_part_of_the_day_to_come_in() -> None:
    monitor = expecting("{table: schedule, timestamp: due_at}", ('"@daily"', '"@hourly"'))
    (problem,) = problems(monitor, EXPECTED, "schedule")
    assert "inference_log.expected_rows.timestamp: 'due_at' of 'schedule' is a date, and windows of" in problem


def test_labels_of_a_date_have_no_part_of_the_day_to_arrive_in() -> None:
    dates = {**OUTCOMES, "known_at": "date"}
    assert problems(read(), dates, "outcomes") == []
    (problem,) = problems(read(('"@daily"', '"@hourly"')), dates, "outcomes")
    assert "labels.timestamp: 'known_at' is a date, and windows of `schedule` '0 * * * *' do not begin at" in problem
