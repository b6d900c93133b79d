"""Suites of twenty expectations and more about the made-up inference log, and monitors that name them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from monitoring_tasks.config import Monitor, load_monitor
from tests.inference_log import MONITOR

COUNTRIES = ["DE", "FR", "IT", "ES"]
COLUMNS = [
    *("id", "asked_at", "amount", "age", "country", "member", "one", "region"),
    *("predicted", "probability", "latency_ms", "error", "failed"),
]


def expected(what: str, column: str | None = None, severity: str = "critical", **arguments: Any) -> dict[str, Any]:
    """Write one expectation as Great Expectations' users do."""
    kwargs = ({} if column is None else {"column": column}) | arguments
    return {"type": f"expect_{what}", "kwargs": kwargs, "severity": severity}


OTHER_AGES = {"type": "comparison", "column": {"name": "age"}, "operator": "NOT_IN", "parameter": [50, 51]}

AFTER_NOON = 'col("asked_at") > date("2024-03-22 12:00:00")'
EVERY = [
    expected("column_values_to_not_be_null", "age", mostly=0.95),
    expected("column_values_to_be_null", "error", mostly=0.9),
    expected("column_values_to_be_between", "age", min_value=18, max_value=89),
    expected("column_values_to_be_between", "asked_at", min_value="2024-03-01", max_value="2024-04-01"),
    expected("column_values_to_be_in_set", "country", value_set=COUNTRIES),
    expected("column_values_to_be_in_set", "member", value_set=[True]),
    expected("column_values_to_not_be_in_set", "country", value_set=["NL"]),
    expected("column_values_to_match_regex", "country", regex="^[A-Z]{2}$"),
    expected("column_values_to_match_like_pattern", "region", like_pattern="%o_t%"),
    expected("column_values_to_not_match_like_pattern", "country", like_pattern="N_"),
    expected("column_values_to_be_unique", "id"),
    expected("column_values_to_be_unique", "age"),
    expected("compound_columns_to_be_unique", column_list=["id", "country"]),
    expected("compound_columns_to_be_unique", column_list=["age", "country"]),
    expected("column_values_to_be_in_type_list", "predicted", type_list=["int64", "BIGINT"]),
    expected("column_values_to_be_of_type", "amount", type_="DOUBLE"),
    expected("column_values_to_be_of_type", "country", type_="INTEGER"),
    expected("column_value_lengths_to_equal", "country", value=2),
    expected("column_value_lengths_to_be_between", "region", min_value=6),
    expected("column_mean_to_be_between", "amount", min_value=95, max_value=105),
    expected("column_median_to_be_between", "age", min_value=50, max_value=58),
    expected("column_stdev_to_be_between", "amount", min_value=18, max_value=22),
    expected("column_min_to_be_between", "age", min_value=18),
    expected("column_max_to_be_between", "amount", max_value=150),
    expected("column_sum_to_be_between", "one", min_value=480, max_value=480),
    expected(
        "column_quantile_values_to_be_between",
        "amount",
        quantile_ranges={"quantiles": [0.1, 0.5, 0.9], "value_ranges": [[70, 78], [95, 105], [122, 130]]},
    ),
    expected("column_unique_value_count_to_be_between", "country", min_value=4, max_value=4),
    expected("column_proportion_of_unique_values_to_be_between", "age", max_value=0.5),
    expected("column_distinct_values_to_be_in_set", "country", value_set=COUNTRIES),
    expected("column_distinct_values_to_equal_set", "region", value_set=["north", "south"]),
    expected("column_distinct_values_to_contain_set", "country", value_set=["NL"]),
    expected("column_most_common_value_to_be_in_set", "country", value_set=["DE"]),
    expected("column_value_z_scores_to_be_less_than", "amount", threshold=3, double_sided=True),
    expected("column_pair_values_a_to_be_greater_than_b", column_A="amount", column_B="age"),
    expected("column_pair_values_to_be_equal", column_A="predicted", column_B="one"),
    expected("multicolumn_sum_to_equal", column_list=["one", "predicted"], sum_total=2),
    expected("select_column_values_to_be_unique_within_record", column_list=["one", "predicted"]),
    expected("column_values_to_be_between", "amount", min_value=60, row_condition='col("country") == "DE"'),
    expected("column_values_to_be_between", "amount", min_value=60, row_condition='col("age") != 50'),
    expected("column_values_to_be_between", "amount", min_value=60, row_condition=OTHER_AGES),
    expected("column_values_to_be_between", "amount", min_value=60, row_condition=AFTER_NOON),
    expected("column_values_to_be_in_set", "predicted", value_set=["0", "1"]),
    expected("column_values_to_be_in_set", "member", value_set=["True"]),
    expected("column_values_to_match_regex", "predicted", regex="^[01]$"),
    {
        "type": "unexpected_rows_expectation",
        "kwargs": {"unexpected_rows_query": "SELECT * FROM {batch} WHERE AGE < 18 OR Country = 'NL';"},
    },
    expected("table_row_count_to_be_between", min_value=400, max_value=500),
    expected("table_row_count_to_equal", value=480),
    expected("table_column_count_to_equal", value=13),
    expected("table_columns_to_match_ordered_list", column_list=COLUMNS),
    expected("table_columns_to_match_set", column_set=["id", "amount"], exact_match=False),
    expected("column_to_exist", "amount"),
    expected("column_to_exist", "amuont"),
    expected("column_values_to_not_be_null", "amuont"),
]
"""All kinds that both engines of Great Expectations compute; some are met on every day, some on few, some on none."""


def monitor(folder: Path, expectations: object = EVERY, **settings: object) -> Monitor:
    """Write a suite and a monitor of it into a folder, and load the monitor."""
    content = {"name": "loans", "expectations": expectations} if isinstance(expectations, list) else expectations
    (folder / "suite.json").write_text(content if isinstance(content, str) else json.dumps(content))
    quality = {"suite": "suite.json", **settings}
    checks = {"data_quality": quality, "multivariate_drift": False}
    file = folder / "loans.yaml"
    file.write_text(MONITOR.format(checks=json.dumps(checks)))
    return load_monitor(file, {})
