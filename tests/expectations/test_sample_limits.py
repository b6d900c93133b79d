"""What a sample can judge."""

import pytest

from monitoring_tasks.expectations.sample_limits import unjudged

UNIQUE = "expect_column_values_to_be_unique"
LARGEST, SMALLEST = "expect_column_max_to_be_between", "expect_column_min_to_be_between"


@pytest.mark.parametrize(
    ("type_", "arguments", "success", "observed", "judged"),
    [
        ("expect_column_values_to_not_be_null", {}, True, None, True),
        ("expect_column_mean_to_be_between", {"min_value": 1}, False, 0.5, True),
        ("expect_column_sum_to_be_between", {"min_value": 1}, False, 0.5, False),
        (UNIQUE, {}, False, None, True),  # what comes twice in a sample comes twice in the window
        (UNIQUE, {}, True, None, False),
        (UNIQUE, {"mostly": 0.9}, False, None, False),
        (LARGEST, {"max_value": 10}, False, 11, True),
        (LARGEST, {"max_value": 10}, True, 9, False),
        (LARGEST, {"min_value": 5}, False, 4, False),  # a larger value may be in other rows
        (SMALLEST, {"min_value": 5}, False, 4, True),
        (SMALLEST, {"max_value": 3}, False, 4, False),
        (LARGEST, {"max_value": "2024-03-01"}, False, "2024-03-02", True),
        ("expect_column_distinct_values_to_contain_set", {"value_set": [1]}, True, [1, 2], True),
        ("expect_column_distinct_values_to_contain_set", {"value_set": [3]}, False, [1, 2], False),
        ("expect_column_distinct_values_to_be_in_set", {"value_set": [1]}, False, [1, 2], True),
    ],
)
def test_failures_and_successes_that_other_rows_cannot_undo_count(type_, arguments, success, observed, judged):
    assert (unjudged(type_, arguments, success, observed) is None) == judged
