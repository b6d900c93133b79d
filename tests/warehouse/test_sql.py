"""The SQL of one small monitor, for people to review: `sql/scan.DIALECT.sql`.

Real servers of DuckDB and PostgreSQL answer theirs. That of the others is only rendered and parsed again: it shows what
a server would be asked, not that it would answer.

After a change, ``OVERWRITE=1 pytest tests/warehouse/test_sql.py`` writes the files anew.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitoring_tasks.columns import Column
from monitoring_tasks.errors import TransientError
from monitoring_tasks.outcome_bins import OutcomeBins
from monitoring_tasks.profile import Bins
from monitoring_tasks.traffic import Expected
from monitoring_tasks.warehouse import unseen
from monitoring_tasks.warehouse.bins import measure_bins
from monitoring_tasks.warehouse.labels import (
    Labelled,
    LabelSource,
    arrivals,
    arrived,
    corrected,
    has_mistimed,
    mistimed,
    values_of_no_class,
    watermark,
)
from monitoring_tasks.warehouse.sample import sample
from monitoring_tasks.warehouse.scan import scan, scan_with_labels
from monitoring_tasks.warehouse.statement import Source
from monitoring_tasks.warehouse.tally import Segments, Tally
from monitoring_tasks.warehouse.traffic import ExpectedSource, count_rows, read_traffic
from monitoring_tasks.window import Window
from tests.warehouse import tables
from tests.warehouse.overheard import Overheard, Unanswered

GOLDEN = Path(__file__).parent / "sql"
DIALECTS = ["duckdb", "postgres", "snowflake", "bigquery", "trino", "spark"]
LABELLED_DIALECTS = ["duckdb", "postgres", "snowflake"]

START = datetime(2013, 4, 1, 4, tzinfo=UTC)
DAYS = [Window(START + i * timedelta(days=1), START + (i + 1) * timedelta(days=1)) for i in range(2)]
SOURCE = Source("airline.inference_log", "scheduled_at", "timestamp")
COLUMNS = (
    Column("distance", "numeric", "number", ("feature",)),
    Column("scheduled_hour", "numeric", "integer", ("feature",)),
    Column("booked_at", "timestamp", "timestamptz", ("feature",)),
    Column("carrier", "categorical", "string", ("feature",)),
    Column("origin", "categorical", "string", ("segment",)),
    Column("error", "categorical", "integer", ("error",)),
)
BINS = {
    "distance": Bins("numeric", (17.5, 500.0, 1000.25), exponent=10),
    "scheduled_hour": Bins("numeric", (5.0, 5.000000000000001, 6.0, 6.000000000000001), exponent=3),
    "booked_at": Bins("timestamp", (1.3e9, 1.35e9, 1.4e9), exponent=31, origin=1.35e9, spread_exponent=26),
    "carrier": Bins("categorical", categories=("UA", "O'Hare\\"), others=("B6",)),
    "origin": Bins("categorical", categories=("EWR", "JFK"), open_ended=True),
    "error": Bins("categorical", categories=("503",)),
}


def compare(name: str, statements: list[str]) -> None:
    golden = GOLDEN / f"{name}.sql"
    text = "".join(f"{statement};\n\n" for statement in statements).rstrip("\n") + "\n"
    if os.environ.get("OVERWRITE"):
        GOLDEN.mkdir(exist_ok=True)
        golden.write_text(text)
    assert text == golden.read_text()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_sql_of_a_scan(dialect: str) -> None:
    warehouse = Unanswered(dialect)
    for profile, *_ in scan(warehouse, SOURCE, COLUMNS, BINS, DAYS, ("origin",)):
        assert profile.rows == 0
    compare(f"scan.{dialect}", warehouse.statements)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_sql_that_names_unseen_values(dialect: str) -> None:
    """Of one segment in both windows; the answer, which is empty, does not add up to the counts."""
    warehouse = Unanswered(dialect)
    tally = Tally.empty(DAYS, Segments(("origin",), (BINS["origin"].categories,)))
    carrier = next(column for column in COLUMNS if column.name == "carrier")
    tally.add(carrier, BINS["carrier"]).counts[:, 2, -1] = 1
    with pytest.raises(TransientError, match=r"table 'airline\.inference_log' was written to while it was read"):
        unseen.read(warehouse, SOURCE, BINS, tally)
    compare(f"unseen.{dialect}", warehouse.statements)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_sql_of_a_sample(dialect: str) -> None:
    """Of one window, and of two at once."""
    warehouse = Unanswered(dialect)
    features = COLUMNS[:4]
    for windows in (DAYS[:1], DAYS):
        for drawn in sample(warehouse, SOURCE, features, "flight_id", windows, 5000):
            assert (len(drawn), drawn.rows.column_names) == (0, [column.name for column in features])
    compare(f"sample.{dialect}", warehouse.statements)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_sql_of_traffic(dialect: str) -> None:
    """Of two days, with the keys and then the counts that were expected."""
    warehouse = Unanswered(dialect)
    keys = ExpectedSource(Source("airline.schedule", "departs_at"), "flight", key_type="string")
    counts = ExpectedSource(Source("airline.plan", "day", "date"), None, "flights")
    assert [found.rows for found in read_traffic(warehouse, SOURCE, "flight_id", DAYS, keys)] == [0, 0]
    asked = len(warehouse.statements)
    assert [found.expected for found in read_traffic(warehouse, SOURCE, "flight_id", DAYS, counts)] == [Expected(0)] * 2
    assert count_rows(warehouse, SOURCE, DAYS) == [0, 0]
    compare(f"traffic.{dialect}", [*warehouse.statements[:asked], *warehouse.statements[-2:]])


CREATE = (
    "CREATE TABLE airline.inference_log AS SELECT TIMESTAMP '2013-04-01 05:00:00' AS scheduled_at, "
    "CAST(100.5 AS DOUBLE PRECISION) AS distance, 5 AS scheduled_hour, "
    "CAST('2013-03-01 05:00:00+00' AS TIMESTAMPTZ) AS booked_at, "
    "CAST('UA' AS TEXT) AS carrier, CAST('JFK' AS TEXT) AS origin, 503 AS error"
)


@pytest.mark.parametrize("dialect", ["duckdb", pytest.param("postgres", marks=pytest.mark.integration)])
def test_the_sql_of_a_baseline_and_a_scan_that_a_server_answers(
    dialect: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    statements = ["CREATE SCHEMA airline", CREATE]
    if dialect == "duckdb":
        url = tables.write_duckdb(tmp_path / "warehouse.duckdb", statements)
    else:
        url = request.getfixturevalue("postgres_database")
        tables.run_postgres(url, statements)
    with tables.opened(url, SOURCE.table, "scheduled_at") as (warehouse, source, types):
        assert source == SOURCE
        assert {column.name: column.type for column in COLUMNS} == {
            name: types[name] for name in types if name != "scheduled_at"
        }
        overheard = Overheard(warehouse)
        measure_bins(overheard, source, COLUMNS, DAYS[0])
        compare(f"baseline.{dialect}", overheard.statements)
        overheard.statements.clear()
        (first, *_), (second,) = scan(overheard, source, COLUMNS, BINS, DAYS, ("origin",))
    assert (first.rows, second.rows) == (1, 0)
    compare(f"scan.{dialect}", overheard.statements)


LABELS = LabelSource("airline.outcomes", "flight", "delayed", "boolean", "known_at", "timestamptz", "flight_id")
LABELLED = Labelled(
    LABELS,
    OutcomeBins("binary_classification", ("not 1", "1"), (0.0, 0.35, 0.5, 1.0)),
    Column("predicted", "categorical", "integer", ("prediction",)),
    (Column("probability", "numeric", "number", ("score",)),),
)


@pytest.mark.parametrize("dialect", LABELLED_DIALECTS)
def test_the_sql_of_labels(dialect: str) -> None:
    """A scan that splits its counts by label, and what else is asked of labels: corrections, arrivals, what is odd."""
    warehouse = Unanswered(dialect)
    for (profile, *_), (labels, *_) in scan_with_labels(
        warehouse, SOURCE, COLUMNS[:1] + COLUMNS[3:4], BINS, DAYS, (), LABELLED
    ):
        assert profile.rows == labels.rows == 0
    assert corrected(warehouse, SOURCE, LABELS, LABELLED.bins, DAYS) == [0, 0]
    assert arrivals(warehouse, SOURCE, LABELS, DAYS) == {}
    assert arrived(warehouse, SOURCE, LABELS, DAYS) == {}
    assert watermark(warehouse, LABELS, DAYS[-1].end) is None
    assert not has_mistimed(warehouse, LABELS, DAYS[-1].end)
    assert mistimed(warehouse, SOURCE, LABELS, DAYS, DAYS[-1].end) == {}
    assert values_of_no_class(warehouse, SOURCE, LABELS, LABELLED.bins, DAYS, 5) == ()
    compare(f"labels.{dialect}", warehouse.statements)


def test_every_golden_file_has_its_test() -> None:
    names = {f"{what}.{dialect}.sql" for what in ("sample", "scan", "traffic", "unseen") for dialect in DIALECTS} | {
        "baseline.duckdb.sql",
        "baseline.postgres.sql",
        *(f"labels.{dialect}.sql" for dialect in LABELLED_DIALECTS),
    }
    assert {path.name for path in GOLDEN.iterdir()} == names
