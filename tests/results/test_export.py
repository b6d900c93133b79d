"""Files hold what the frame holds, in all formats."""

from __future__ import annotations

import json

import pandas as pd

from monitoring_tasks.checks.result import Result
from monitoring_tasks.results.export import FORMATS, write_file
from monitoring_tasks.results.frame import results
from tests.results.example import day


def test_each_format_keeps_every_digit_and_what_was_not_measured(store, tmp_path):
    full = Result("psi", 0.1 + 0.2, "größe", 'origin=a,"b"', p_value=5e-324, window_rows=2**40, detail={"parts": [0.1]})
    store.write_results("flights", day(0), "data_drift", [full, Result("rows", None, message="two\nlines")])
    frame = results("flights", store=store)
    for ending in FORMATS:
        write_file(frame, tmp_path / f"results.{ending}")
    records = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    parquet = pd.read_parquet(tmp_path / "results.parquet").to_dict("records")
    csv = pd.read_csv(tmp_path / "results.csv", keep_default_na=False).to_dict("records")
    assert [list(row) for row in records] == [list(frame.columns)] * 2
    for rows, detail in ((records, {"parts": [0.1]}), (parquet, '{"parts": [0.1]}'), (csv, '{"parts": [0.1]}')):
        first, second = sorted(rows, key=lambda row: row["metric"])
        assert (float(first["value"]), float(first["p_value"])) == (0.1 + 0.2, 5e-324)
        assert (first["column_name"], first["segment"], first["detail"]) == ("größe", 'origin=a,"b"', detail)
        assert int(first["window_rows"]) == 2**40
        assert second["message"] == "two\nlines"
        assert second["value"] in (None, "") or pd.isna(second["value"])
