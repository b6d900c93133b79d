import json
import logging

import duckdb
import pytest
from airflow.providers.common.sql.hooks.sql import DbApiHook
from airflow.sdk import Connection
from sqlalchemy import URL, make_url

from monitoring_tasks.airflow.connections import http_of, results_store, url_of, warehouse_of
from monitoring_tasks.errors import ConfigError
from monitoring_tasks.results.store import open_store
from monitoring_tasks.warehouse.engine import open_warehouse


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    monkeypatch.delenv("MONITORING_WAREHOUSE_LAKE", raising=False)
    monkeypatch.delenv("MONITORING_RESULTS_URL", raising=False)


def connection(**fields):
    return Connection(conn_id="lake", **fields)


def test_the_environment_wins_over_the_connection(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_LAKE", "duckdb:////data/connection.duckdb")
    assert warehouse_of("lake") == "duckdb:////data/connection.duckdb"
    monkeypatch.setenv("MONITORING_WAREHOUSE_LAKE", "duckdb:////data/environment.duckdb")
    assert warehouse_of("lake") == "duckdb:////data/environment.duckdb"


def test_an_unknown_warehouse_names_both_remedies():
    with pytest.raises(ConfigError) as error:
        warehouse_of("lake")
    assert "'lake'" in str(error.value)
    assert "MONITORING_WAREHOUSE_LAKE" in str(error.value)
    assert "connection" in str(error.value)


def test_the_results_connection_wins_over_the_environment(monkeypatch):
    assert results_store() is None
    monkeypatch.setenv("MONITORING_RESULTS_URL", "sqlite:////data/environment.db")
    assert results_store() == "sqlite:////data/environment.db"
    monkeypatch.setenv("AIRFLOW_CONN_MONITORING_RESULTS", json.dumps({"conn_type": "sqlite", "host": "/data/c.db"}))
    assert results_store() == "sqlite:////data/c.db"


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({"conn_type": "duckdb", "host": "/data/w.duckdb"}, "duckdb:////data/w.duckdb"),
        ({"conn_type": "duckdb", "host": "w.duckdb"}, "duckdb:///w.duckdb"),
        ({"conn_type": "duckdb", "schema": "/data/w.duckdb"}, "duckdb:////data/w.duckdb"),
        ({"conn_type": "duckdb", "extra": '{"path": "/data/lake"}'}, "duckdb:////data/lake"),
        ({"conn_type": "duckdb"}, "duckdb://"),
        ({"conn_type": "sqlite", "host": "/data/r.db"}, "sqlite:////data/r.db"),
        ({"conn_type": "generic", "extra": '{"url": "trino://ada@host:8080/hive"}'}, "trino://ada@host:8080/hive"),
        (
            {
                "conn_type": "postgres",
                "host": "db.example.com",
                "port": 5433,
                "login": "ada",
                "password": "p@ss/w:rd",
                "schema": "scores",
                "extra": '{"sslmode": "require", "cursor": "dictcursor", "connect_timeout": 5}',
            },
            "postgresql+psycopg://ada:p%40ss%2Fw%3Ard@db.example.com:5433/scores?connect_timeout=5&sslmode=require",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_url_of_a_connection(fields, url):
    assert url_of(connection(**fields)) == url
    assert make_url(url)


def test_url_of_a_connection_given_as_a_uri(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_LAKE", "postgresql://ada:p%40ss@db.example.com/scores?sslmode=require")
    assert warehouse_of("lake") == "postgresql+psycopg://ada:p%40ss@db.example.com/scores?sslmode=require"


class OracleHook(DbApiHook):
    conn_name_attr = "conn_id"

    @property
    def sqlalchemy_url(self):
        return URL.create("oracle", "ada", "s3cret", "host", 1521, "scores")


class OlderHook(DbApiHook):
    conn_name_attr = "conn_id"

    def get_uri(self):
        return "oracle://ada:s3cret@host:1521/scores"


@pytest.mark.parametrize("hook", [OracleHook, OlderHook])
def test_other_types_ask_their_providers_hook(hook):
    class OracleConnection(Connection):
        def get_hook(self, **_):
            return hook(conn_id=self.conn_id)

    assert url_of(OracleConnection(conn_id="lake", conn_type="oracle")) == "oracle://ada:s3cret@host:1521/scores"


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"conn_type": "snowflake"}, "install the Airflow provider of 'snowflake', or write a SQLAlchemy URL into"),
        ({"conn_type": "smtp"}, "connection 'lake' (smtp) is no SQL database"),
        ({"conn_type": "postgres", "extra": "{sslmode}"}, "its extra field is not JSON"),
    ],
)
def test_a_connection_without_url_says_what_to_do(fields, text):
    with pytest.raises(ConfigError) as error:
        url_of(connection(**fields))
    assert text in str(error.value)


def test_a_duckdb_connection_can_be_read(monkeypatch, tmp_path):
    file = tmp_path / "lake.duckdb"
    with duckdb.connect(str(file)) as database:
        database.execute("create table scores as select 1 as id, 0.5 as probability")
    monkeypatch.setenv("AIRFLOW_CONN_LAKE", json.dumps({"conn_type": "duckdb", "host": str(file)}))
    with open_warehouse(warehouse_of("lake")) as warehouse:
        assert list(warehouse.columns("scores")) == ["id", "probability"]


def test_a_sqlite_connection_can_be_the_results_store(monkeypatch, tmp_path):
    file = tmp_path / "results.db"
    monkeypatch.setenv("AIRFLOW_CONN_MONITORING_RESULTS", json.dumps({"conn_type": "sqlite", "host": str(file)}))
    with open_store(results_store()) as store:
        assert store.query("SELECT count(*) AS rows FROM result") == [{"rows": 0}]
    assert file.exists()


def test_passwords_are_masked_in_the_log(monkeypatch, caplog):
    from airflow.sdk._shared.secrets_masker import redact

    monkeypatch.setenv("MONITORING_WAREHOUSE_LAKE", "postgresql+psycopg://ada:tr%C3%A8s-secret@host/scores")
    with caplog.at_level(logging.DEBUG):
        url = warehouse_of("lake")
    assert "secret" not in caplog.text
    assert redact(f"cannot open {url}") == "cannot open postgresql+psycopg://ada:***@host/scores"
    assert redact("password très-secret refused") == "password *** refused"


@pytest.mark.parametrize("url", ["postgresql//ada:très-secret@host/scores", "postgresql://ada:très-secret@host:port/x"])
def test_the_password_of_a_url_that_cannot_be_read_is_masked_too(monkeypatch, url):
    from airflow.sdk._shared.secrets_masker import redact

    monkeypatch.setenv("MONITORING_WAREHOUSE_LAKE", url)
    monkeypatch.setenv("MONITORING_RESULTS_URL", url.replace("très-secret", "other-secret"))
    assert redact(f"cannot open {warehouse_of('lake')}") == f"cannot open {url.replace('très-secret', '***')}"
    assert redact(f"cannot open {results_store()}") == f"cannot open {url.replace('très-secret', '***')}"


@pytest.mark.parametrize(
    ("fields", "url", "login"),
    [
        ({"host": "ci.example.com"}, "https://ci.example.com", (None, None)),
        ({"host": "ci.example.com", "schema": "http", "port": 8080}, "http://ci.example.com:8080", (None, None)),
        ({"host": "https://api.github.com", "password": "ghp_x"}, "https://api.github.com", (None, "ghp_x")),
        (
            {"host": "http://[::1]/ci", "port": 81, "login": "ada", "password": "a/b@c"},
            "http://[::1]:81/ci",
            ("ada", "a/b@c"),
        ),
        ({"host": "ci", "port": 80}, "http://ci:80", (None, None)),
        ({"host": "ci", "port": 80, "conn_type": "https"}, "https://ci:80", (None, None)),
        ({"host": "ci:81/x", "schema": "HTTP", "port": 80}, "http://ci:81/x", (None, None)),
    ],
    ids=["host", "port", "bearer", "basic", "port-80", "type-https", "port-in-host"],
)
def test_where_a_request_goes(monkeypatch, fields, url, login):
    headers = {"headers": {"Accept": "application/vnd.github+json"}}
    written = {"conn_type": "http", "extra": json.dumps(headers), **fields}
    monkeypatch.setenv("AIRFLOW_CONN_CI", json.dumps(written))
    found = http_of("ci")
    assert (found.url, (found.login, found.password), found.headers) == (url, login, headers["headers"])
    monkeypatch.setenv("MONITORING_HTTP_CI", "https://other.example.com")
    assert http_of("ci").url == "https://other.example.com"


@pytest.mark.parametrize(
    ("connection", "text"),
    [
        (None, "set MONITORING_HTTP_CI to https://USER:PASSWORD@HOST, or under Airflow make a connection of that id"),
        ({"conn_type": "http"}, "connection 'ci' is no URL of a server"),
        (
            {"conn_type": "http", "host": "ci", "extra": '{"headers": ["a"]}'},
            "write {.headers.: .*} into its extra field",
        ),
    ],
    ids=["none", "no-host", "no-headers"],
)
def test_a_request_that_goes_nowhere_says_what_to_do(monkeypatch, connection, text):
    if connection is not None:
        monkeypatch.setenv("AIRFLOW_CONN_CI", json.dumps(connection))
    with pytest.raises(ConfigError, match=text):
        http_of("ci")


def test_what_a_request_logs_in_with_is_masked(monkeypatch):
    from airflow.sdk._shared.secrets_masker import redact

    monkeypatch.setenv("MONITORING_HTTP_CI", "https://ada:s3cret-of-ada@ci.example.com")
    http_of("ci")
    assert redact("sent s3cret-of-ada") == "sent ***"
    assert redact("Basic YWRhOnMzY3JldC1vZi1hZGE=") == "Basic ***"
