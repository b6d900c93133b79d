"""Warehouses open for reading only, and say what is wrong and whether waiting can heal it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from time import monotonic

import duckdb
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from sqlglot import exp

from monitoring_tasks.errors import ConfigError, DataError, MonitoringError, TransientError
from monitoring_tasks.warehouse.duckdb_engine import DuckDBWarehouse, duckdb_errors
from monitoring_tasks.warehouse.engine import open_warehouse, warehouse_url
from monitoring_tasks.warehouse.sqlalchemy_engine import SQLAlchemyWarehouse
from tests.warehouse import tables

SECRET = "hunter2"
LOG = pa.table({"x": [1.5, 2.5]})


def fails(url: str, table: str = "log") -> MonitoringError:
    """Open, look at the columns and read: return what that raised, which names no secret."""

    def read() -> None:
        with open_warehouse(url) as warehouse:
            warehouse.columns(table)
            warehouse.query(exp.select("*").from_(warehouse.table(table)))

    with pytest.raises(MonitoringError) as caught:
        read()
    assert SECRET not in str(caught.value)
    return caught.value


def test_the_environment_names_warehouses() -> None:
    assert warehouse_url("my-demo.1", {"MONITORING_WAREHOUSE_MY_DEMO_1": " duckdb:// "}) == "duckdb://"
    for environ in ({}, {"MONITORING_WAREHOUSE_DEMO": " "}):
        with pytest.raises(ConfigError, match="warehouse 'demo' is not known: set MONITORING_WAREHOUSE_DEMO to a SQLA"):
            warehouse_url("demo", environ)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (f"mysql://user:{SECRET}@host/db", "a warehouse cannot be 'mysql': it is duckdb or one of postgresql, snow"),
        (f"sqlite:///{SECRET}.db", "a warehouse cannot be 'sqlite'"),
        (f"user:{SECRET}@host", "a warehouse's URL cannot be read: write duckdb:///FILE or a SQLAlchemy URL"),
        (f"postgresql://user:{SECRET}@host:port/db", "a warehouse's URL cannot be read"),
        (f"postgresql+nothing://user:{SECRET}@host/db", "the SQLAlchemy dialect 'postgresql+nothing' for the wareh"),
        ("", "a warehouse's URL cannot be read"),
    ],
)
def test_a_url_of_no_engine_is_refused(url: str, message: str) -> None:
    error = fails(url)
    assert isinstance(error, ConfigError)
    assert message in str(error)


@pytest.mark.parametrize(
    ("url", "driver", "package"),
    [
        ("postgresql://user@host/db", "psycopg", 'pip install "monitoring-tasks[postgres]"'),
        ("postgresql+psycopg2://user@host/db", "psycopg2", 'pip install "monitoring-tasks[postgres]"'),
    ],
)
def test_a_missing_driver_is_named(url: str, driver: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, driver, None)
    error = fails(url)
    assert isinstance(error, ConfigError)
    assert package in str(error)


@pytest.mark.parametrize("dialect", ["snowflake", "bigquery", "trino", "databricks"])
def test_a_missing_dialect_is_named(dialect: str) -> None:
    try:
        sa.make_url(f"{dialect}://").get_dialect()
    except sa.exc.NoSuchModuleError:
        error = fails(f"{dialect}://user:{SECRET}@host/db")
        assert isinstance(error, ConfigError)
        assert f"the SQLAlchemy dialect {dialect!r} for the warehouse is not installed" in str(error)
    else:
        pytest.skip(f"the dialect {dialect} is installed here")


def test_a_duckdb_file_that_is_not_there(tmp_path: Path) -> None:
    error = fails(f"duckdb:///{tmp_path / 'nothing.duckdb'}")
    assert isinstance(error, DataError)
    assert "there is no file or directory" in str(error)
    assert not (tmp_path / "nothing.duckdb").exists()


def test_a_token_in_a_duckdb_url_is_not_shown() -> None:
    assert "motherduck_token=***" in str(fails(f"duckdb:///md:prod?motherduck_token={SECRET}"))


@pytest.mark.parametrize("name", ["nothing", "folder/nothing", "nothing.parquet", "nothing-*.parquet"])
def test_a_parquet_table_that_is_not_there(name: str, tmp_path: Path) -> None:
    error = fails(f"duckdb:///{tmp_path}", name)
    assert isinstance(error, DataError)
    assert "nothing" in str(error)


def test_a_directory_without_parquet_files(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    error = fails(f"duckdb:///{tmp_path}")
    assert isinstance(error, DataError)
    assert str(tmp_path / "log") in str(error)


def test_a_duckdb_table_that_is_not_there(tmp_path: Path) -> None:
    error = fails(tables.write_duckdb(tmp_path / "x.duckdb", ["CREATE TABLE other (x int)"]))
    assert isinstance(error, DataError)
    assert "table 'log': Catalog Error: Table with name log does not exist" in str(error)


def test_a_parquet_file_without_its_end_may_still_be_being_written(tmp_path: Path) -> None:
    pq.write_table(LOG, tmp_path / "cut.parquet")
    whole = (tmp_path / "cut.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.parquet").touch()
    (tmp_path / "folder").mkdir()
    pq.write_table(LOG, tmp_path / "folder" / "a.parquet")
    (tmp_path / "folder" / "b.parquet").write_bytes(whole[: len(whole) // 2])
    for name, file in (("cut", "cut"), ("empty", "empty"), ("folder", "folder/b")):
        error = fails(f"duckdb:///{tmp_path}", name)
        assert isinstance(error, TransientError), error
        assert f"{file}.parquet" in str(error)
        assert str(error).endswith(
            "; it is being written, or its writer was stopped: write it under another name and rename it when it is "
            "whole, or write it again"
        )


def test_a_corrupt_parquet_file_is_not_retried(tmp_path: Path) -> None:
    """Not even where its name says clock, which holds the word lock."""
    (tmp_path / "clock.parquet").write_bytes(b"PAR1" + b"\0" * 96 + b"\x40\0\0\0PAR1")
    error = fails(f"duckdb:///{tmp_path}", "clock")
    assert isinstance(error, DataError), error
    assert str(error).startswith("table 'clock': ")


def test_files_that_vanish_while_they_are_read_may_be_on_their_way_back(tmp_path: Path) -> None:
    """A loader that replaces a folder's files removes the old ones under the reader's hands."""
    (tmp_path / "log").mkdir()
    for i in range(200):
        pq.write_table(pa.table({"x": [1.5] * 50_000}), tmp_path / "log" / f"{i:03}.parquet")
    with open_warehouse(f"duckdb:///{tmp_path}") as warehouse:
        assert isinstance(warehouse, DuckDBWarehouse)
        batches = warehouse.batches(exp.select("x").from_(warehouse.table("log")), 2048)
        next(batches)
        shutil.rmtree(tmp_path / "log")
        with pytest.raises(TransientError, match=r"Cannot open file .*parquet\": No such file or directory"):
            list(batches)


def test_a_duckdb_file_that_is_half_copied_may_be_whole_later(tmp_path: Path) -> None:
    tables.write_duckdb(tmp_path / "x.duckdb", ["CREATE TABLE log AS SELECT range::double AS x FROM range(100000)"])
    whole = (tmp_path / "x.duckdb").read_bytes()
    (tmp_path / "x.duckdb").write_bytes(whole[: len(whole) // 2])
    error = fails(f"duckdb:///{tmp_path / 'x.duckdb'}")
    assert isinstance(error, TransientError)
    assert "Could not read enough bytes" in str(error)


def streamed(url: str, columns: str = "x") -> MonitoringError:
    """Read all rows piecewise; return what that raised on the way."""

    def read() -> None:
        with open_warehouse(url) as warehouse:
            select = exp.select(columns).from_(warehouse.table("log"))
            assert isinstance(warehouse, DuckDBWarehouse)
            for batch in warehouse.batches(select, 2048):
                assert batch.num_rows

    with pytest.raises(MonitoringError) as caught:
        read()
    return caught.value


def test_what_breaks_while_rows_stream_is_told_as_well_as_at_once(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": [float(i) for i in range(200_000)]}), tmp_path / "log.parquet", row_group_size=20_000)
    content = bytearray((tmp_path / "log.parquet").read_bytes())
    start = pq.ParquetFile(tmp_path / "log.parquet").metadata.row_group(7).column(0).dictionary_page_offset
    content[start : start + 2000] = b"\xff" * 2000
    (tmp_path / "log.parquet").write_bytes(content)
    corrupt = streamed(f"duckdb:///{tmp_path}")
    assert isinstance(corrupt, DataError)
    assert str(corrupt).startswith("the query: ")
    assert len(str(corrupt)) > len("the query: ")

    rows = "SELECT CASE WHEN i = 250000 THEN 'bad' ELSE i::text END AS x FROM range(300000) t(i)"
    url = tables.write_duckdb(tmp_path / "x.duckdb", [f"CREATE TABLE log AS {rows}"])
    wrong = streamed(url, "CAST(x AS DOUBLE)")
    assert isinstance(wrong, DataError)
    assert "Could not convert string 'bad' to DOUBLE" in str(wrong)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (duckdb.HTTPException("HTTP Error: Unable to connect to URL"), TransientError),
        (OSError("HTTP Error: HTTP GET error on 'https://bucket/log.parquet' (HTTP 503)"), TransientError),
        (duckdb.IOException('IO Error: Could not set lock on file "x": Conflicting lock is held'), TransientError),
        (duckdb.IOException("IO Error: No files found that match the pattern"), DataError),
        (duckdb.OutOfMemoryException("Out of Memory Error: failed to allocate data (1.0 GiB/1.0 GiB used)"), DataError),
    ],
)
def test_only_what_waiting_heals_is_tried_again(error: Exception, kind: type[MonitoringError]) -> None:
    with pytest.raises(kind, match="the query: "), duckdb_errors("the query"):
        raise error


def test_a_file_that_is_no_duckdb_file(tmp_path: Path) -> None:
    (tmp_path / "x.duckdb").write_text("this is no database" * 1000)
    assert isinstance(fails(f"duckdb:///{tmp_path / 'x.duckdb'}"), DataError)


def test_a_duckdb_file_that_another_process_writes_may_be_free_later(tmp_path: Path) -> None:
    import subprocess

    url = tables.write_duckdb(tmp_path / "x.duckdb", ["CREATE TABLE log (x int)"])
    program = f"import duckdb; c = duckdb.connect({str(tmp_path / 'x.duckdb')!r}); print(1, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        error = fails(url)
        writer.communicate("\n")
    assert isinstance(error, TransientError)
    with open_warehouse(url) as warehouse:
        assert warehouse.columns("log") == {"x": "integer"}


def test_a_duckdb_file_is_opened_for_reading_only(tmp_path: Path) -> None:
    url = tables.write_duckdb(tmp_path / "x.duckdb", ["CREATE TABLE log AS SELECT 1.5::double x"])
    with open_warehouse(url) as warehouse:
        for statement in ("DELETE FROM log", "CREATE TABLE other (x int)", "DROP TABLE log", "UPDATE log SET x = 2"):
            with pytest.raises(duckdb.InvalidInputException, match="read-only"):
                warehouse._connection.execute(statement)
        assert warehouse.query(exp.select("*").from_(warehouse.table("log"))).to_pylist() == [{"x": 1.5}]


@pytest.mark.parametrize("name", ["read_csv('/etc/hostname')", "", "a.b.c.d", "read_parquet(['x'])"])
@pytest.mark.parametrize("url", ["duckdb file", pytest.param("postgresql", marks=pytest.mark.integration)])
def test_a_table_is_a_name_and_nothing_else(
    url: str, name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if url == "postgresql":
        url = request.getfixturevalue("postgres_database")
    else:
        url = tables.write_duckdb(tmp_path / "x.duckdb", ["CREATE TABLE log (x int)"])
    error = fails(url, name)
    if "/" not in name or url.startswith("postgresql"):
        assert isinstance(error, ConfigError)
        assert "is not a table: write table or schema.table, with quotes round odd names" in str(error)


DUCKDB_TYPES = {
    "DECIMAL(10,2)[]": "other",
    "TIMESTAMP[3]": "other",
    "TINYINT": "integer",
    "SMALLINT": "integer",
    "INTEGER": "integer",
    "BIGINT": "integer",
    "HUGEINT": "integer",
    "UTINYINT": "integer",
    "UBIGINT": "integer",
    "FLOAT": "number",
    "DOUBLE": "number",
    "DECIMAL(9, 2)": "decimal",
    "BOOLEAN": "boolean",
    "VARCHAR": "string",
    "UUID": "string",
    "ENUM ('a', 'b')": "string",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP_NS": "timestamp",
    "TIMESTAMP_S": "timestamp",
    "TIMESTAMPTZ": "timestamptz",
    "TIME": "other",
    "INTERVAL": "other",
    "BLOB": "other",
    "INTEGER[]": "other",
    "INTEGER[3]": "other",
    "STRUCT(a INTEGER)": "other",
    "MAP(VARCHAR, INTEGER)": "other",
    "JSON": "other",
}


def test_the_types_of_duckdb(tmp_path: Path) -> None:
    columns = ", ".join(f'"{type_.replace(chr(34), "")}" {type_}' for type_ in DUCKDB_TYPES)
    with open_warehouse(tables.write_duckdb(tmp_path / "x.duckdb", [f"CREATE TABLE log ({columns})"])) as warehouse:
        assert warehouse.columns("log") == DUCKDB_TYPES


POSTGRES_TYPES = {
    "smallint": "integer",
    "integer": "integer",
    "bigint": "integer",
    "real": "number",
    "double precision": "number",
    "numeric": "decimal",
    "numeric(9, 2)": "decimal",
    "boolean": "boolean",
    "text": "string",
    "varchar(9)": "string",
    "char(9)": "string",
    "uuid": "string",
    "date": "date",
    "timestamp": "timestamp",
    "timestamptz": "timestamptz",
    "time": "other",
    "interval": "other",
    "bytea": "other",
    "integer[]": "other",
    "jsonb": "other",
    "point": "other",
}


@pytest.mark.integration
def test_the_types_of_postgresql(postgres_database: str) -> None:
    columns = ", ".join(f'"{type_}" {type_}' for type_ in POSTGRES_TYPES)
    tables.run_postgres(postgres_database, [f"CREATE TABLE log ({columns})"])
    with open_warehouse(postgres_database) as warehouse:
        assert warehouse.columns("log") == POSTGRES_TYPES


def test_a_server_that_is_away_may_come_back() -> None:
    began = monotonic()
    error = fails(f"postgresql://user:{SECRET}@127.0.0.1:1/db")
    assert isinstance(error, TransientError)
    assert "warehouse 'postgresql+psycopg://user:***@127.0.0.1:1/db'" in str(error)
    assert monotonic() - began < 30


@pytest.mark.integration
def test_a_database_that_is_not_there_is_a_mistake(postgres_url: str) -> None:
    error = fails(postgres_url.removesuffix("/postgres") + "/nothing")
    assert isinstance(error, ConfigError)
    assert 'database "nothing" does not exist' in str(error)


@pytest.mark.integration
def test_a_role_that_is_not_there_is_a_mistake(postgres_url: str) -> None:
    error = fails(postgres_url.replace("postgres@", f"nobody:{SECRET}@"))
    assert isinstance(error, ConfigError)
    assert 'role "nobody" does not exist' in str(error)


@pytest.mark.integration
def test_a_wrong_password_is_a_mistake(postgres_database: str) -> None:
    """The server trusts everybody; a line of its configuration makes it ask for this database's password."""
    database = postgres_database.rpartition("/")[2]
    with psycopg.connect(postgres_database, autocommit=True) as server:
        rules = Path(server.execute("SHOW hba_file").fetchone()[0])  # type: ignore[index]
        before = rules.read_text()
        server.execute("CREATE ROLE guest LOGIN PASSWORD 'right'")
        rules.write_text(f"host {database} guest 127.0.0.1/32 scram-sha-256\n{before}")
        try:
            server.execute("SELECT pg_reload_conf()")
            server.execute("SELECT pg_sleep(0.5)")
            wrong = fails(postgres_database.replace("postgres@", f"guest:{SECRET}@"))
            none = fails(postgres_database.replace("postgres@", "guest@"))
        finally:
            rules.write_text(before)
            server.execute("SELECT pg_reload_conf()")
            server.execute("DROP ROLE guest")
    assert isinstance(wrong, ConfigError)
    assert 'password authentication failed for user "guest"' in str(wrong)
    assert isinstance(none, ConfigError)
    assert "no password supplied" in str(none)


@pytest.mark.integration
def test_a_postgresql_table_that_is_not_there(postgres_database: str) -> None:
    error = fails(postgres_database)
    assert isinstance(error, DataError)
    assert str(error) == "table 'log' is not in the warehouse"


@pytest.mark.integration
def test_a_table_that_may_not_be_read(postgres_database: str) -> None:
    tables.write_postgres(postgres_database, LOG)
    tables.run_postgres(postgres_database, ["DROP ROLE IF EXISTS stranger", "CREATE ROLE stranger LOGIN"])
    error = fails(postgres_database.replace("postgres@", f"stranger:{SECRET}@"))
    tables.run_postgres(postgres_database, ["DROP ROLE stranger"])
    assert isinstance(error, DataError)
    assert "permission denied for table log" in str(error)


@pytest.mark.integration
def test_a_statement_that_took_too_long_is_tried_again(postgres_database: str) -> None:
    tables.run_postgres(
        postgres_database,
        [
            "CREATE TABLE log AS SELECT 1.5::float8 AS x",
            "CREATE VIEW slow AS SELECT x FROM log, pg_sleep(10)",
            f"ALTER DATABASE {postgres_database.rpartition('/')[2]} SET statement_timeout = '200ms'",
        ],
    )
    error = fails(postgres_database, "slow")
    assert isinstance(error, TransientError)
    assert "the query: canceling statement due to statement timeout" in str(error)


@pytest.mark.integration
def test_a_lost_connection_is_tried_again(postgres_database: str, postgres_url: str) -> None:
    tables.write_postgres(postgres_database, LOG)
    with open_warehouse(postgres_database) as warehouse:
        log = exp.select("*").from_(warehouse.table("log"))
        assert warehouse.query(log).num_rows == 2
        with psycopg.connect(postgres_url, autocommit=True) as server:
            name = postgres_database.rpartition("/")[2]
            server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        with pytest.raises(TransientError):
            warehouse.query(log)


@pytest.mark.integration
def test_postgresql_itself_refuses_to_write(postgres_database: str) -> None:
    tables.write_postgres(postgres_database, LOG)
    for statement in ("DELETE FROM log", "CREATE TABLE other (x int)", "DROP TABLE log", "UPDATE log SET x = 2"):
        with (
            open_warehouse(postgres_database) as warehouse,
            pytest.raises(sa.exc.InternalError, match="in a read-only transaction"),
        ):
            warehouse._connection.exec_driver_sql(statement)
    with open_warehouse(postgres_database) as warehouse:
        assert warehouse.query(exp.select("x").from_(warehouse.table("log"))).num_rows == 2


@pytest.mark.integration
def test_postgresql_shows_one_moment_as_long_as_it_is_open(postgres_database: str) -> None:
    tables.write_postgres(postgres_database, LOG)
    with open_warehouse(postgres_database) as warehouse:
        log = exp.select("*").from_(warehouse.table("log"))
        assert warehouse.query(log).num_rows == 2
        tables.run_postgres(postgres_database, ["INSERT INTO log VALUES (3)"])
        assert warehouse.query(log).num_rows == 2
    with open_warehouse(postgres_database) as warehouse:
        assert warehouse.query(log).num_rows == 3


@pytest.mark.parametrize(
    ("storage", "keys"),
    [
        ("parquet file", set()),
        ("parquet glob", set()),
        ("hive directory", {"part"}),
        ("duckdb file", set()),
        pytest.param("postgresql", set(), marks=pytest.mark.integration),
    ],
)
def test_partition_keys_are_what_only_the_folders_hold(
    storage: str, keys: set[str], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    rows = pa.table({"x": [1.5, 2.5, 3.5], "day": ["a", "b", "c"]})
    if storage == "postgresql":
        url, table = request.getfixturevalue("postgres_database"), "log"
        tables.write_postgres(url, rows)
    else:
        url, table = tables.DUCKDB[storage](rows, tmp_path)
    with open_warehouse(url) as warehouse:
        assert warehouse.partition_keys(table) == keys
        assert warehouse.columns(table).keys() == {"x", "day"} | keys


def test_a_connection_that_was_lost_in_an_earlier_statement_heals_by_waiting() -> None:
    """SQLAlchemy then refuses every statement, by an error that is not the driver's; any server does for that."""
    select = exp.select(exp.Literal.number(1).as_("x"))
    with sa.create_engine("sqlite://").connect() as connection:
        warehouse = SQLAlchemyWarehouse(connection, "postgres", "sqlite://")
        assert warehouse.query(select)["x"].to_pylist() == [1]
        connection.invalidate()
        with pytest.raises(TransientError, match="the query: the connection to the warehouse was lost"):
            warehouse.query(select)
