"""A window's rows against a suite, in DuckDB: typed, bounded, its own, and quiet."""

import logging
import math
import os
import subprocess
import sys

import duckdb
import pytest

from monitoring_tasks.expectations import library
from monitoring_tasks.expectations.validation import validate_window
from monitoring_tasks.results.migrate import migrate
from monitoring_tasks.results.store import open_store
from monitoring_tasks.run import run_windows
from monitoring_tasks.warehouse.engine import open_warehouse
from tests import inference_log
from tests.expectations import suites
from tests.expectations.suites import expected
from tests.inference_log import ROWS, day


def new_store(url):
    migrate(url)
    return open_store(url)


def outcomes(monitor, warehouse, number, rows=ROWS):
    run = validate_window(monitor, warehouse, day(number), rows)
    return {f"{each.expectation.removeprefix('expect_')} {each.column}".strip(): each for each in run.outcomes}


def test_every_expectation_has_an_outcome_with_its_numbers_in_the_order_of_the_suite(tmp_path, warehouse):
    run = validate_window(suites.monitor(tmp_path), warehouse, day(inference_log.NEW_COUNTRY), ROWS)
    assert [each.expectation for each in run.outcomes] == [each["type"] for each in suites.EVERY]
    assert (run.rows, run.window_rows, run.pushed_down) == (ROWS, ROWS, False)
    country = run.outcomes[4]
    assert (country.success, country.unexpected_rows, country.judged_rows) == (False, ROWS // 4, ROWS)
    assert country.unexpected_share == 0.25
    assert country.examples == ("NL",)
    log = inference_log.log()
    mine = log[(log["asked_at"] >= "2024-03-25") & (log["asked_at"] < "2024-03-26")]
    mean = next(each for each in run.outcomes if each.expectation == "expect_column_mean_to_be_between")
    assert math.isclose(mean.observed, mine["amount"].mean(), rel_tol=1e-11)
    nulls = run.outcomes[0]
    assert nulls.unexpected_rows == int(mine["age"].isna().sum())
    missing = run.outcomes[-1]
    assert missing.success is None
    assert missing.error is not None
    assert missing.error.startswith("there is no column 'amuont': did you mean 'amount'?")


def test_a_backfill_validates_its_own_window_not_the_latest(tmp_path, duckdb_url):
    monitor = suites.monitor(tmp_path, [expected("column_values_to_be_in_set", "country", value_set=suites.COUNTRIES)])
    first, last = day(inference_log.NEW_COUNTRY), day(inference_log.NEW_COUNTRY + 1)
    with new_store(f"sqlite:///{tmp_path / 'results.db'}") as store, open_warehouse(duckdb_url) as lake:
        run_windows(monitor, first.start, last.end, warehouse=lake, store=store)
        run_windows(monitor, first.start, first.end, warehouse=lake, store=store)
        found = {
            row["window_start"]: (row["status"], row["value"])
            for row in store.results(monitor.name, first.start, last.end)
            if row["metric"] == "expect_column_values_to_be_in_set"
        }
    assert found == {first.start: ("alarm", 0.25), last.start: ("ok", 0.0)}


def test_null_and_nan_are_both_missing_and_types_are_the_columns_own(tmp_path):
    with duckdb.connect(str(tmp_path / "lake.duckdb")) as database:
        database.execute(
            """CREATE TABLE inference_log AS SELECT i AS id, TIMESTAMP '2024-03-21' AS asked_at,
            CASE WHEN i = 0 THEN NULL WHEN i = 1 THEN 'nan'::DOUBLE ELSE i END AS x,
            CASE WHEN i > 0 THEN i END AS n, CASE WHEN i > 0 THEN i + 9007199254740992 END AS large,
            CASE WHEN i > 0 THEN i % 2 = 0 END AS b, (i / 4)::DECIMAL(9, 2) AS d, DATE '2024-03-01' + i::INT AS day,
            TIMESTAMPTZ '2024-03-01 00:00:00+02' + i * INTERVAL 1 DAY AS at, uuid() AS u,
            ('a' || i)::ENUM ('a0', 'a1', 'a2', 'a3') AS e FROM range(4) t(i)"""
        )
    suite = [
        expected("column_values_to_not_be_null", "x"),
        expected("column_values_to_not_be_null", "n"),
        expected("column_values_to_be_between", "n", max_value=2),
        expected("column_values_to_be_between", "large", max_value=2**53 + 2),
        expected("column_values_to_be_in_set", "b", value_set=[True]),
        expected("column_values_to_be_between", "d", max_value=0.25),
        expected("column_values_to_be_in_set", "day", value_set=["2024-03-01", "2024-03-02"]),
        expected("column_values_to_be_between", "at", min_value="2024-03-01", max_value="2024-03-03T00:00:00+02:00"),
        expected("column_value_lengths_to_equal", "u", value=36),
        expected("column_values_to_be_in_set", "e", value_set=["a0", "a1", "a2"]),
        expected("column_values_to_be_of_type", "e", type_="VARCHAR"),
    ]
    monitor = suites.monitor(tmp_path, suite)
    with open_warehouse(f"duckdb:///{tmp_path / 'lake.duckdb'}") as lake:
        found = validate_window(monitor, lake, day(20), 4).outcomes
    assert [(each.error, each.unexpected_rows, each.judged_rows, each.examples) for each in found] == [
        (None, 2, 4, ()),
        (None, 1, 4, ()),
        (None, 1, 3, (3,)),
        (None, 1, 3, (2**53 + 3,)),
        (None, 2, 3, (False,)),
        (None, 2, 4, (0.5, 0.75)),
        (None, 2, 4, ("2024-03-03", "2024-03-04")),
        (None, 2, 4, ("2024-02-29T22:00:00+00:00", "2024-03-03T22:00:00+00:00")),
        (None, 0, 4, ()),
        (None, 1, 4, ("a3",)),
        (None, None, None, ()),
    ]


def test_a_larger_window_is_sampled_the_same_rows_each_time_and_says_what_they_cannot_tell(tmp_path, warehouse):
    suite = [
        expected("column_values_to_be_in_set", "country", value_set=suites.COUNTRIES),
        expected("column_values_to_be_unique", "id"),
        expected("column_sum_to_be_between", "one", min_value=1),
        expected("table_row_count_to_equal", value=ROWS),
        expected("column_max_to_be_between", "amount", max_value=1),
    ]
    monitor = suites.monitor(tmp_path, suite, maximum_rows=100)
    run = validate_window(monitor, warehouse, day(inference_log.NEW_COUNTRY), ROWS)
    assert run == validate_window(monitor, warehouse, day(inference_log.NEW_COUNTRY), ROWS)
    assert (run.rows, run.window_rows) == (100, ROWS)
    sampled, unique, total, count, largest = run.outcomes
    assert sampled.judged_rows == 100
    assert sampled.unexpected_share == pytest.approx(0.25, abs=0.15)
    assert (unique.success, unique.unjudged) == (
        None,
        "a value that occurs once in a sample may occur again in the window",
    )
    assert (total.success, total.unjudged) == (None, "the sum of a sample is not that of the window")
    assert (count.success, count.observed) == (True, ROWS)
    assert largest.success is False


def test_a_sample_with_a_value_beyond_the_set_fails_as_the_window_does(tmp_path, warehouse):
    equal = "column_distinct_values_to_equal_set"
    for countries, success in ((suites.COUNTRIES, False), ([*suites.COUNTRIES, "NL"], None)):
        monitor = suites.monitor(tmp_path, [expected(equal, "country", value_set=countries)], maximum_rows=100)
        (found,) = outcomes(monitor, warehouse, inference_log.NEW_COUNTRY).values()
        assert found.success is success


def test_constraints_of_sagemaker_are_held_against_the_rows(tmp_path, warehouse):
    features = [
        {
            "name": "age",
            "inferred_type": "Fractional",
            "completeness": 0.9,
            "num_constraints": {"is_non_negative": True},
        },
        {"name": "country", "inferred_type": "String", "string_constraints": {"domains": suites.COUNTRIES}},
    ]
    constraints = {"features": features, "monitoring_config": {"domain_content_threshold": 0.8}}
    monitor = suites.monitor(tmp_path, constraints)
    assert all(each.success for each in outcomes(monitor, warehouse, 21).values())
    failed = [
        name for name, each in outcomes(monitor, warehouse, inference_log.NEW_COUNTRY).items() if not each.success
    ]
    assert failed == ["column_values_to_be_in_set country"]
    failed = [name for name, each in outcomes(monitor, warehouse, inference_log.MISSING).items() if not each.success]
    assert failed == ["column_values_to_not_be_null age"]


def test_rows_without_any_column_are_counted(tmp_path, warehouse):
    monitor = suites.monitor(tmp_path, [expected("table_row_count_to_equal", value=ROWS)])
    assert outcomes(monitor, warehouse, 21)["table_row_count_to_equal"].success is True


def test_a_condition_reads_its_columns(tmp_path, warehouse):
    suite = [expected("column_values_to_be_between", "amount", min_value=60, row_condition='col("country") == "DE"')]
    found = outcomes(suites.monitor(tmp_path, suite), warehouse, 21)["column_values_to_be_between amount"]
    assert found.error is None
    assert found.judged_rows is not None
    assert 0.4 * ROWS < found.judged_rows < 0.6 * ROWS


def test_a_suite_that_cannot_be_used_is_one_error_row_and_the_drift_is_still_written(tmp_path, duckdb_url, monkeypatch):
    monitor = suites.monitor(tmp_path)

    def not_installed(*_):
        raise library.ConfigError(library.NOT_INSTALLED)

    monkeypatch.setattr("monitoring_tasks.expectations.validation.refused", not_installed)
    with new_store(f"sqlite:///{tmp_path / 'results.db'}") as store, open_warehouse(duckdb_url) as lake:
        (run,) = run_windows(monitor, day(21).start, day(21).end, warehouse=lake, store=store)
        rows = list(store.results(monitor.name, day(21).start, day(21).end))
    assert run.state == "failed"
    assert 'pip install "monitoring-tasks[expectations]"' in str(run.error)
    assert [row["metric"] for row in rows if row["status"] == "error"] == ["suite_success_share"]
    assert any(row["check_name"] == "data_drift" for row in rows)


def test_a_run_of_a_broken_suite_ends_before_it_reads_anything(tmp_path, warehouse):
    monitor = suites.monitor(tmp_path, "{")
    with pytest.raises(library.ConfigError, match=r"suite\.json:1: column 2: the suite is not JSON"):
        run_windows(monitor, day(21).start, day(21).end, warehouse=warehouse)


def test_it_is_quiet_and_writes_no_file(tmp_path, warehouse, monkeypatch, capfd, caplog):
    (tmp_path / "work").mkdir()
    monitor = suites.monitor(tmp_path)
    monkeypatch.chdir(tmp_path / "work")
    with caplog.at_level(logging.INFO):
        validate_window(monitor, warehouse, day(21), ROWS)
    assert list((tmp_path / "work").iterdir()) == []
    assert capfd.readouterr() == ("", "")
    assert [record.message for record in caplog.records] == []
    assert os.environ["GX_ANALYTICS_ENABLED"] == "false"


def test_data_docs_are_one_page_that_loads_nothing(tmp_path, warehouse):
    monitor = suites.monitor(tmp_path, data_docs="docs")
    run = validate_window(monitor, warehouse, day(inference_log.NEW_COUNTRY), ROWS)
    assert run.data_docs == "docs/loans/2024-03-25T000000Z.html"
    page = (tmp_path / run.data_docs).read_text()
    assert "NL" in page
    assert "amuont" in page
    for loads in ("<script", "<link", "<img", "src=", 'href="http', "url("):
        assert loads not in page
    assert [path.suffix for path in (tmp_path / "docs" / "loans").iterdir()] == [".html"]
    validate_window(monitor, warehouse, day(inference_log.NEW_COUNTRY), ROWS)
    assert (tmp_path / run.data_docs).read_text() == page


def test_data_docs_show_what_was_observed(tmp_path, warehouse):
    suite = [expected("column_mean_to_be_between", "age", min_value=1)]
    run = validate_window(suites.monitor(tmp_path, suite, data_docs="docs"), warehouse, day(21), ROWS)
    page = "".join((tmp_path / str(run.data_docs)).read_text().split())
    assert f"{run.outcomes[0].observed:.8g}"[:-1] in page
    assert "--</" not in page  # nothing is left out


def test_data_docs_that_cannot_be_written_say_so_and_the_verdicts_stand(tmp_path, warehouse):
    (tmp_path / "docs").write_text("a file")
    run = validate_window(suites.monitor(tmp_path, suites.EVERY[:1], data_docs="docs"), warehouse, day(21), ROWS)
    assert [each.success for each in run.outcomes] == [True]
    assert run.data_docs is None
    assert run.data_docs_error is not None
    assert run.data_docs_error.startswith("data docs cannot be written to")


def test_what_great_expectations_does_not_know_costs_itself_only(tmp_path, warehouse):
    suite = [expected("my_own", "age"), expected("column_values_to_not_be_null", "id", most=1), suites.EVERY[0]]
    mine, misspelt, known = outcomes(suites.monitor(tmp_path, suite, data_docs="docs"), warehouse, 21).values()
    assert mine.error is not None
    assert "'expect_my_own' is no expectation that Great Expectations knows" in mine.error
    assert misspelt.error is not None
    assert "expectations[1].kwargs.most: expect_column_values_to_not_be_null has no such argument" in misspelt.error
    assert known.success is True
    assert "expect_my_own" in (tmp_path / "docs" / "loans" / "2024-03-22T000000Z.html").read_text()


def test_a_list_of_all_spellings_of_a_type_may_hold_one_that_is_not_known(tmp_path, warehouse):
    suite = [
        expected("column_values_to_be_in_type_list", "country", type_list=["int_", "int64", "INTEGER"]),
        expected("column_values_to_be_in_type_list", "age", type_list=["int_"]),
    ]
    known, unknown = outcomes(suites.monitor(tmp_path, suite), warehouse, 21).values()
    assert (known.error, known.success) == (None, False)
    assert unknown.error is not None


def test_of_a_million_observed_values_fifty_are_kept(tmp_path, warehouse):
    suite = [
        expected("column_most_common_value_to_be_in_set", "id", value_set=[-1]),
        expected("column_distinct_values_to_equal_set", "id", value_set=[-1]),
    ]
    common, distinct = outcomes(suites.monitor(tmp_path, suite), warehouse, 21).values()
    assert len(common.observed) == 51
    assert common.observed[-1] == f"and {ROWS - 50:,} more"
    assert (len(distinct.examples), distinct.absent) == (5, (-1,))


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("DELETE FROM {batch}", "the query is no SELECT"),
        ("SELECT FROM WHERE {batch}", "the query"),
        ("SELECT nothing FROM {batch}", "nothing"),
    ],
)
def test_a_query_that_cannot_be_asked_is_one_error(tmp_path, warehouse, query, error):
    suite = [{"type": "unexpected_rows_expectation", "kwargs": {"unexpected_rows_query": query}}, suites.EVERY[0]]
    refused, other = outcomes(suites.monitor(tmp_path, suite), warehouse, 21).values()
    assert refused.error is not None
    assert error in refused.error
    assert other.success is True


def test_a_query_reads_all_rows_of_a_window_of_which_others_get_a_sample(tmp_path, warehouse):
    query = "SELECT 1 FROM {batch} HAVING count(*) <> 480"
    suite = [{"type": "unexpected_rows_expectation", "kwargs": {"unexpected_rows_query": query}}, suites.EVERY[0]]
    found, sampled = outcomes(suites.monitor(tmp_path, suite, maximum_rows=100), warehouse, 21).values()
    assert (found.success, found.observed, sampled.judged_rows) == (True, 0, 100)


def test_a_run_without_a_suite_does_not_import_great_expectations(tmp_path, duckdb_url):
    file = tmp_path / "loans.yaml"
    file.write_text(inference_log.MONITOR.format(checks="{multivariate_drift: off}"))
    code = f"""
import sys
from datetime import datetime, UTC
from monitoring_tasks import load_monitor, run_windows
from monitoring_tasks.warehouse.engine import open_warehouse
from monitoring_tasks.results.migrate import migrate
from monitoring_tasks.results.store import open_store
url = "sqlite:///{tmp_path / "r.db"}"
migrate(url)
with open_store(url) as store, open_warehouse("{duckdb_url}") as lake:
    run_windows(load_monitor("{file}"), datetime(2024, 3, 22, tzinfo=UTC), datetime(2024, 3, 23, tzinfo=UTC),
        warehouse=lake, store=store)
print("great_expectations" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.strip() == "False", done.stderr
