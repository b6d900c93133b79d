"""Outcomes of a suite as results: statuses, numbers, thresholds and sentences."""

from dataclasses import replace

import pytest

from monitoring_tasks.checks.expectations import expectation_results
from monitoring_tasks.errors import DataError, TransientError
from monitoring_tasks.expectations.outcome import Outcome, SuiteRun
from monitoring_tasks.profile import Bins
from tests.checks.context import categorical, context
from tests.inference_log import monitor

SET = Outcome(
    "expect_column_values_to_be_in_set",
    "country",
    {"value_set": ["DE", "FR"], "mostly": 0.99},
    success=False,
    unexpected_share=0.25,
    unexpected_rows=120,
    judged_rows=480,
    examples=("NL",),
)
MEAN = Outcome(
    "expect_column_mean_to_be_between", "amount", {"min_value": 95, "max_value": 105}, success=True, observed=101.0
)


def results(*outcomes, rows=480, **run):
    columns = {"": [categorical("country", 0, rows, 0, 0)]}
    bins = {"country": Bins("categorical", categories=("DE",))}
    made = SuiteRun("loans", outcomes, **{"rows": rows, "window_rows": rows, **run})
    return expectation_results(replace(context(monitor(), bins, columns, columns), run_suite=lambda: made))


def test_a_share_of_values_is_held_against_what_may_be_otherwise():
    result, _ = results(SET)
    assert (result.metric, result.column_name) == ("expect_column_values_to_be_in_set", "country")
    assert (result.value, result.threshold_upper, result.window_rows) == (0.25, 0.01, 480)
    assert result.status == "alarm"
    assert result.message == (
        'expected values to be in set ["DE", "FR"]: 120 of 480 values are not (25 %, 1 % allowed), such as NL'
    )
    assert result.detail["examples"] == ["NL"]
    assert result.detail["unexpected_rows"] == 120
    assert result.detail["arguments"] == {"value_set": ["DE", "FR"], "mostly": 0.99}


def test_an_aggregate_is_held_against_its_bounds():
    result, _ = results(MEAN)
    assert (result.value, result.threshold_lower, result.threshold_upper) == (101.0, 95.0, 105.0)
    assert result.status == "ok"
    assert result.message == "expected mean to be between 95 and 105: as expected, found 101"


@pytest.mark.parametrize(
    ("severity", "status", "suite"),
    [("critical", "alarm", "alarm"), ("warning", "warning", "warning"), ("info", "info", "ok")],
)
def test_the_severity_decides_what_a_failure_is(severity, status, suite):
    failed, share = results(replace(SET, severity=severity))
    assert (failed.status, share.status) == (status, suite)
    met, share = results(replace(SET, severity=severity, success=True))
    assert (met.status, share.status) == ("ok", "ok")


def test_an_expectation_that_cannot_be_computed_is_one_error_and_the_others_count():
    error = Outcome("expect_column_max_to_be_between", "amuont", error="there is no column 'amuont'")
    mean, failed, share = results(MEAN, error)
    assert mean.status == "ok"
    assert (failed.status, failed.value) == ("error", None)
    assert failed.message == "expected max to be between: it could not be computed: there is no column 'amuont'"
    assert (share.status, share.value) == ("ok", 1.0)
    assert share.message == "1 of 1 expectation of suite 'loans' met, 1 could not be computed"


def test_what_a_sample_cannot_tell_is_insufficient_data():
    unique = Outcome("expect_column_values_to_be_unique", "id", unjudged="a value may come again")
    mean, unknown, share = results(MEAN, unique, rows=100, window_rows=480)
    assert mean.message.endswith("as expected, found 101, of a sample of 100 of 480 rows")
    assert mean.detail["sampled_rows"] == 100
    assert unknown.status == "insufficient_data"
    assert unknown.message == (
        "expected values to be unique: not judged on a sample of 100 of 480 rows: a value may come again"
    )
    assert share.message == "1 of 1 expectation of suite 'loans' met, 1 not judged, on a sample of 100 of 480 rows"


def test_two_expectations_of_one_type_about_one_column_have_two_names():
    names = [result.metric for result in results(SET, MEAN, SET, replace(SET, column="region"), SET)]
    assert names == [
        "expect_column_values_to_be_in_set",
        "expect_column_mean_to_be_between",
        "expect_column_values_to_be_in_set (2)",
        "expect_column_values_to_be_in_set",
        "expect_column_values_to_be_in_set (3)",
        "suite_success_share",
    ]


def test_the_suite_has_a_row_of_its_own_with_its_page_and_what_has_no_effect():
    *_, share = results(SET, MEAN, data_docs="docs/loans/1.html", notes=("x has no effect",), pushed_down=True)
    assert (share.metric, share.value, share.status) == ("suite_success_share", 0.5, "alarm")
    assert share.message == "1 of 2 expectations of suite 'loans' met"
    assert share.detail["data_docs"] == "docs/loans/1.html"
    assert share.detail["notes"] == ["x has no effect"]


def test_a_window_without_rows_is_not_judged():
    (result,) = results(SET, rows=0)
    assert (result.status, result.value) == ("insufficient_data", None)
    assert result.message == "the suite was not judged: the window has no rows"


def test_a_column_of_nulls_has_no_value_to_judge():
    result, _ = results(
        replace(SET, success=True, unexpected_share=None, unexpected_rows=0, judged_rows=0, examples=())
    )
    assert result.value is None
    assert result.message.endswith("no value to judge")


def test_a_suite_that_cannot_be_used_is_one_error_and_a_warehouse_that_is_away_is_none():
    def fails(error):
        def run():
            raise error

        columns = {"": [categorical("country", 0, 5, 0, 0)]}
        bins = {"country": Bins("categorical", categories=("DE",))}
        return expectation_results(replace(context(monitor(), bins, columns, columns), run_suite=run))

    (result,) = fails(DataError("suite.json: it is not JSON"))
    assert (result.metric, result.status) == ("suite_success_share", "error")
    assert result.message == "the suite was not judged: suite.json: it is not JSON"
    with pytest.raises(TransientError):
        fails(TransientError("away"))


def test_a_monitor_without_a_suite_has_no_row():
    columns = {"": [categorical("country", 0, 5, 0, 0)]}
    bins = {"country": Bins("categorical", categories=("DE",))}
    assert expectation_results(context(monitor(), bins, columns, columns)) == []


def test_a_page_that_is_not_there_is_one_error_beside_the_verdicts():
    mean, page, share = results(MEAN, data_docs_error="data docs cannot be written to 'x': No space left on device")
    assert (mean.status, share.status) == ("ok", "ok")
    assert (page.metric, page.status, page.value) == ("suite_data_docs", "error", None)
    assert "No space left" in page.message


def test_a_query_says_how_many_rows_it_found():
    query = Outcome(
        "unexpected_rows_expectation",
        arguments={"unexpected_rows_query": "SELECT * FROM {batch} WHERE age < 0"},
        success=False,
        observed=7,
    )
    result, _ = results(query)
    assert (result.value, result.threshold_upper, result.status) == (7.0, 0.0, "alarm")
    assert result.message == ("expected no row of SELECT * FROM {batch} WHERE age < 0: not as expected, found 7")


def test_a_condition_is_written_as_one_reads_it():
    condition = {"type": "comparison", "column": {"name": "country"}, "operator": "!=", "parameter": "DE"}
    arguments = {"min_value": 60.0, "row_condition": condition, "condition_parser": "great_expectations"}
    some = replace(SET, expectation="expect_column_values_to_be_between", arguments=arguments)
    result, _ = results(some)
    assert result.message.startswith('expected values to be 60 or more where country != "DE": 120 of 480 values')


def test_a_value_that_should_be_there_is_named():
    some = Outcome(
        "expect_column_distinct_values_to_contain_set",
        "country",
        {"value_set": ["DE", "NL"]},
        success=False,
        absent=("NL",),
    )
    result, _ = results(some)
    assert result.message.endswith('expected distinct values to contain set ["DE", "NL"]: not as expected, without NL')
    assert result.detail["absent"] == ["NL"]
