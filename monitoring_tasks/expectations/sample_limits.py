"""What a sample of a window's rows can say about an expectation, and what it cannot.

The share of values that are not as expected is of the sample what it is of the window, but for chance. A sum, a number
of different values, or whether a value occurs twice, is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NEVER = {
    "expect_column_sum_to_be_between": "the sum of a sample is not that of the window",
    "expect_column_unique_value_count_to_be_between": "a sample holds fewer different values than the window",
    "expect_column_proportion_of_unique_values_to_be_between": "values that occur twice may occur once in a sample",
    "expect_column_values_to_be_increasing": "neighbours in the window are no neighbours in a sample",
    "expect_column_values_to_be_decreasing": "neighbours in the window are no neighbours in a sample",
    "expect_table_row_count_to_be_between": "a sample holds fewer rows than the window",
    "expect_table_row_count_to_equal": "a sample holds fewer rows than the window",
}
"""Neither failure nor success of a sample says anything of the window."""

ONLY_FAILS = {
    "expect_column_values_to_be_unique": "a value that occurs once in a sample may occur again in the window",
    "expect_compound_columns_to_be_unique": "values that occur once in a sample may occur again in the window",
    "expect_column_distinct_values_to_be_in_set": "a value that is not in the set may be in other rows",
    "expect_column_distinct_values_to_equal_set": "other values may be in other rows",
}
"""Where a sample fails the window does too, but not the other way round."""

ONLY_SUCCEEDS = {"expect_column_distinct_values_to_contain_set": "the values that are missing may be in other rows"}

EXTREMES = {"expect_column_max_to_be_between": 1, "expect_column_min_to_be_between": -1}


def unjudged(type_: str, arguments: Mapping[str, Any], success: bool, observed: Any = None) -> str | None:
    """Return why a sample cannot judge the expectation; None where it can.

    Parameters
    ----------
    type_, arguments
        The expectation.
    success
        Whether the sample is as expected.
    observed
        What was measured of an aggregate.

    Examples
    --------
    >>> unjudged("expect_column_max_to_be_between", {"max_value": 10}, False, 12) is None
    True
    >>> unjudged("expect_column_max_to_be_between", {"max_value": 10}, True, 9)
    'a larger value may be in other rows'
    """
    if type_ in NEVER:
        return NEVER[type_]
    if type_ in ONLY_SUCCEEDS:
        return None if success else ONLY_SUCCEEDS[type_]
    if type_ in EXTREMES:
        return _of_extreme(EXTREMES[type_], arguments, observed, success=success)
    if type_ not in ONLY_FAILS:
        return None
    if type_ == "expect_column_distinct_values_to_equal_set" and not success:
        extra = isinstance(observed, list) and bool(set(map(str, observed)) - set(map(str, arguments["value_set"])))
        return None if extra else ONLY_FAILS[type_]
    # With room for some, the share of a sample is not that of the window either.
    return ONLY_FAILS[type_] if success or arguments.get("mostly", 1) < 1 else None


def _of_extreme(sign: int, arguments: Mapping[str, Any], observed: Any, *, success: bool) -> str | None:
    bound = arguments.get("max_value" if sign > 0 else "min_value")
    words = f"a {'larger' if sign > 0 else 'smaller'} value may be in other rows"
    if success:
        return words
    try:
        beyond = bound is not None and sign * (observed - bound) >= 0
    except TypeError:
        beyond = bound is not None and (str(observed) >= str(bound)) == (sign > 0)
    return None if beyond else words
