"""Suite files: both generations of Great Expectations' JSON, SageMaker's constraints, and what is wrong in them."""

import json

import pytest

from monitoring_tasks.errors import ConfigError
from monitoring_tasks.expectations.library import require_known
from monitoring_tasks.expectations.suite_digest import suite_digest
from monitoring_tasks.expectations.suite_file import read_suite
from tests.expectations import suites


def written(folder, content):
    path = folder / "suite.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


NOT_NULL = {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "age"}}


def test_a_suite_of_great_expectations_before_1_0_is_read_as_one_of_today(tmp_path):
    today = read_suite(written(tmp_path, {"name": "s", "expectations": [{**NOT_NULL, "meta": {"notes": "why"}}]}))
    old = {"expectation_type": NOT_NULL["type"], "kwargs": {"column": "age", "result_format": "BASIC"}}
    old["meta"] = {"notes": {"format": "markdown", "content": ["why"]}}
    content = {"expectation_suite_name": "s", "data_asset_type": None, "expectations": [old], "ge_cloud_id": None}
    before = read_suite(written(tmp_path, content))
    assert before.name == today.name == "s"
    assert before.expectations[0].type == today.expectations[0].type
    assert before.expectations[0].arguments == today.expectations[0].arguments == {"column": "age"}
    assert today.expectations[0].notes == "why"


def test_arguments_of_before_1_0_have_no_effect_and_the_suite_says_so(tmp_path):
    kwargs = {"column": "at", "min_value": "2024-01-01", "parse_strings_as_datetimes": True, "auto": False}
    kwargs |= {"allow_cross_type_comparisons": None, "mostly": None}
    each = {"expectation_type": "expect_column_values_to_be_between", "kwargs": kwargs}
    suite = read_suite(written(tmp_path, {"expectation_suite_name": "s", "expectations": [each]}))
    assert suite.notes == (
        "expectations[0].kwargs.parse_strings_as_datetimes has no effect: Great Expectations knows it no more since "
        "1.0",
    )
    require_known(suite, tmp_path)


def test_parameters_are_put_in_and_one_without_a_value_is_an_error(tmp_path):
    each = {
        "type": "expect_column_values_to_be_between",
        "kwargs": {"column": "age", "max_value": {"$PARAMETER": "top"}},
    }
    content = {"name": "s", "expectations": [each], "suite_parameters": {"top": 90}}
    assert read_suite(written(tmp_path, content)).expectations[0].arguments["max_value"] == 90
    with pytest.raises(ConfigError, match=r"expectations\[0\]\.kwargs\.max_value: parameter 'top' has no value"):
        read_suite(written(tmp_path, content | {"suite_parameters": {}}))


def test_parameters_are_put_in_wherever_they_stand_and_before_1_0_had_values_beside_them(tmp_path):
    ranges = {"quantiles": [0.5], "value_ranges": [[1, {"$PARAMETER": "top"}]]}
    low = {"$PARAMETER": "low", "$PARAMETER.low": 5}
    each = {"expectation_type": "x", "kwargs": {"column": "age", "quantile_ranges": ranges, "min_value": low}}
    content = {"expectation_suite_name": "s", "evaluation_parameters": {"top": 90}, "expectations": [each]}
    assert read_suite(written(tmp_path, content)).expectations[0].arguments == {
        "column": "age",
        "quantile_ranges": {"quantiles": [0.5], "value_ranges": [[1, 90]]},
        "min_value": 5,
    }


def test_a_description_is_a_reason_too(tmp_path):
    each = {**NOT_NULL, "meta": {}, "expectation_context": {"description": "asked by the law"}}
    assert read_suite(written(tmp_path, {"name": "s", "expectations": [each]})).expectations[0].notes == (
        "asked by the law"
    )


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (
            '{"expectations": [{"type": "x", "kwargs": {"max_value": Infinity}}]}',
            "Infinity is no number of JSON: leave that argument out",
        ),
        ('{"name": "s",\n "expectations": [}', r"suite\.json:2: column 19: the suite is not JSON: "),
        ("[]", r"the suite is \[\], no object"),
        ({"name": "s"}, 'no "expectations", it has name: write'),
        ({"name": "s", "expectations": {}}, r"expectations: \{\} is no list"),
        ({"name": "s", "expectations": []}, "expectations: the list is empty"),
        ({"name": "s", "expectations": [3]}, r"expectations\[0\]: 3 is no object"),
        ({"name": "s", "expectations": [{"kwargs": {}}]}, r"expectations\[0\]: the type is missing"),
        (
            {"name": "s", "expectations": [{**NOT_NULL, "kwargs": [1]}]},
            r"expectations\[0\]\.kwargs: \[1\] is no object",
        ),
        (
            {"name": "s", "expectations": [{**NOT_NULL, "severity": "high"}]},
            r"expectations\[0\]\.severity: 'high': write critical or warning or info",
        ),
    ],
)
def test_a_broken_file_says_where_with_the_value_and_the_remedy(tmp_path, content, text):
    path = written(tmp_path, content)
    with pytest.raises(ConfigError, match=text) as caught:
        read_suite(path)
    assert str(caught.value).startswith(str(path))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.json: there is no such suite: .*suggest-suite"):
        read_suite(tmp_path / "nowhere.json")


@pytest.mark.parametrize(
    ("each", "text"),
    [
        (
            {"type": "expect_column_values_to_not_be_nul", "kwargs": {"column": "age"}},
            r"expectations\[0\]\.type: 'expect_column_values_to_not_be_nul' .*did you mean "
            r"'expect_column_values_to_not_be_null'\?",
        ),
        (
            {"type": "expect_column_values_to_be_between", "kwargs": {"column": "age", "max": 3}},
            r"expectations\[0\]\.kwargs\.max: expect_column_values_to_be_between has no such argument",
        ),
        (
            {"type": "expect_column_values_to_not_be_null", "kwargs": {}},
            r"expectations\[0\]\.kwargs\.column: expect_column_values_to_not_be_null needs it",
        ),
        (
            {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "age", "mostly": 2}},
            r"expectations\[0\]\.kwargs\.mostly: 2: ",
        ),
        (
            {"type": "unexpected_rows_expectation", "kwargs": {"unexpected_rows_query": "SELECT * FROM loans"}},
            r"unexpected_rows_query: it reads other rows than the window's: write \{batch\}",
        ),
    ],
)
def test_what_great_expectations_does_not_know_is_said_before_a_run(tmp_path, each, text):
    path = written(tmp_path, {"name": "s", "expectations": [each]})
    with pytest.raises(ConfigError, match=text):
        require_known(read_suite(path), path)


def test_the_digest_counts_what_is_expected_and_nothing_else(tmp_path):
    first = suite_digest(written(tmp_path, {"name": "s", "expectations": [NOT_NULL]}))
    noted = {**NOT_NULL, "meta": {"notes": "why"}, "id": "7"}
    assert suite_digest(written(tmp_path, {"name": "s", "meta": {"a": 1}, "expectations": [noted]})) == first
    stricter = {**NOT_NULL, "kwargs": {"column": "age", "mostly": 0.9}}
    assert suite_digest(written(tmp_path, {"name": "s", "expectations": [stricter]})) != first
    assert suite_digest(tmp_path / "nowhere.json") is None


def test_the_config_hash_changes_with_the_suite(tmp_path):
    before = suites.monitor(tmp_path).config_hash
    assert suites.monitor(tmp_path).config_hash == before
    assert suites.monitor(tmp_path, suites.EVERY[1:]).config_hash != before


CONSTRAINTS = {
    "version": 0,
    "features": [
        {
            "name": "age",
            "inferred_type": "Integral",
            "completeness": 0.98,
            "num_constraints": {"is_non_negative": True},
        },
        {
            "name": "country",
            "inferred_type": "String",
            "completeness": 1.0,
            "string_constraints": {"domains": ["DE", "FR"]},
        },
    ],
    "monitoring_config": {
        "evaluate_constraints": "Enabled",
        "emit_metrics": "Enabled",
        "datatype_check_threshold": 1.0,
        "domain_content_threshold": 0.9,
        "distribution_constraints": {"perform_comparison": "Enabled", "comparison_threshold": 0.1},
    },
}


def test_constraints_of_sagemaker_are_expectations(tmp_path):
    path = written(tmp_path, CONSTRAINTS)
    suite = read_suite(path)
    require_known(suite, path)
    found = [(each.type.removeprefix("expect_column_values_to_"), dict(each.arguments)) for each in suite.expectations]
    assert found == [
        ("be_in_type_list", {"column": "age", "type_list": ["INTEGER", "BIGINT", "BOOLEAN"]}),
        ("not_be_null", {"column": "age", "mostly": 0.98}),
        ("be_between", {"column": "age", "min_value": 0}),
        (
            "be_in_type_list",
            {"column": "country", "type_list": ["TEXT", "BOOLEAN", "DATE", "TIMESTAMP", "TIMESTAMPTZ"]},
        ),
        ("not_be_null", {"column": "country"}),
        ("be_in_set", {"column": "country", "value_set": ["DE", "FR"], "mostly": 0.9}),
    ]
    assert suite.notes == (
        "monitoring_config.distribution_constraints has no effect: `data_drift` compares distributions",
    )


def test_constraints_that_are_switched_off_expect_nothing(tmp_path):
    off = {**CONSTRAINTS, "monitoring_config": {"evaluate_constraints": "Disabled"}}
    suite = read_suite(written(tmp_path, off))
    assert suite.expectations == ()
    assert "nothing is expected" in suite.notes[0]


@pytest.mark.parametrize(
    "off",
    [
        {"monitoringConfigOverrides": {"evaluate_constraints": "Disabled"}},  # as its guide says
        {
            "num_constraints": {
                "is_non_negative": True,
                "monitoring_config_overrides": {"evaluate_constraints": "Disabled"},
            }
        },  # as its Python library writes
    ],
)
def test_a_feature_whose_constraints_are_switched_off_is_not_judged(tmp_path, off):
    age, country = CONSTRAINTS["features"]
    features = [{**age, **off}, {**country, "monitoringConfigOverrides": {}}]
    suite = read_suite(written(tmp_path, {**CONSTRAINTS, "features": features}))
    assert {each.columns for each in suite.expectations} == {("country",)}
    assert suite.notes[1:] == ("features[0]: evaluate_constraints is Disabled: nothing is expected of 'age'",)


def test_a_feature_has_a_threshold_of_its_own(tmp_path):
    country = CONSTRAINTS["features"][1]
    features = [{**country, "monitoringConfigOverrides": {"domain_content_threshold": 0.5}}]
    suite = read_suite(written(tmp_path, {**CONSTRAINTS, "features": features}))
    assert suite.expectations[-1].arguments["mostly"] == 0.5


def test_constraints_that_nobody_reads_are_named(tmp_path):
    features = [{"name": "age", "num_constraints": {"is_non_negative": True, "max_value": 100}}]
    suite = read_suite(written(tmp_path, {"version": 0.0, "features": features}))
    assert suite.notes == ("features[0].num_constraints.max_value has no effect: it is not read",)


def test_broken_constraints_say_where(tmp_path):
    features = [{"name": "age", "completeness": 3}, {"name": "", "x": 1}, {"name": "b", "inferred_type": "Int"}]
    with pytest.raises(ConfigError) as caught:
        read_suite(written(tmp_path, {"version": 0, "features": features}))
    lines = [line.split(": ", 1)[1] for line in str(caught.value).splitlines()]
    assert lines == [
        "features[0].completeness: 3 is no share: write a number from 0 to 1".replace("3 is", "3 is"),
        'features[1]: the name is missing: write "name": a column',
        "features[2].inferred_type: 'Int': write Integral, Fractional, String or Unknown",
    ]
