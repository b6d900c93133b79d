from __future__ import annotations

import pytest

from monitoring_tasks.errors import ConfigError, DataError, TransientError
from monitoring_tasks.results.connection import results_url, shown
from monitoring_tasks.results.migrate import migrate
from monitoring_tasks.results.store import open_store


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_way_to_name_postgresql_uses_psycopg(scheme):
    assert results_url(f"{scheme}://ada@db/monitoring").drivername == "postgresql+psycopg"


def test_the_default_is_a_file_under_the_home_and_the_environment_wins(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert results_url(environ={}).database == str(tmp_path / ".monitoring" / "results.db")
    both = {"MONITORING_HOME": "/srv", "MONITORING_RESULTS_URL": "sqlite:////data/r.db"}
    assert results_url(environ=both).database == "/data/r.db"
    assert results_url("sqlite:////mine.db", both).database == "/mine.db"


def test_the_password_is_hidden_wherever_it_stands():
    url = results_url("postgresql://ada:secret@db/monitoring?sslpassword=secret&sslmode=require")
    assert "secret" not in shown(url)
    assert "sslmode=require" in shown(url)
    assert url.password == "secret"


def test_a_url_that_cannot_be_read_is_not_shown():
    with pytest.raises(ConfigError, match="MONITORING_RESULTS_URL") as caught:
        results_url("ada:secret at db")
    assert "secret" not in str(caught.value)


def test_an_unknown_database_is_a_config_error():
    with pytest.raises(ConfigError, match="nosuchdatabase"):
        open_store("nosuchdatabase://ada:secret@db/monitoring")


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_store_in_memory_is_refused(url):
    with pytest.raises(ConfigError, match="would be lost at the end: name a file"):
        results_url(url)


@pytest.mark.parametrize(
    ("url", "remedy"),
    [
        (
            "mysql://ada:secret@db/x",
            "install SQLAlchemy's driver of 'mysql', or use sqlite or postgresql, which are tested",
        ),
        (
            "nosql://ada:secret@db/x",
            "install SQLAlchemy's driver of 'nosql', or use sqlite or postgresql, which are tested",
        ),
        ("postgresql+psycopg2://ada:secret@db/x", "install 'monitoring-tasks[postgres]'"),
    ],
)
def test_a_driver_that_is_not_installed_is_named_with_its_own_remedy(url, remedy):
    with pytest.raises(ConfigError) as caught:
        open_store(url)
    assert str(caught.value).startswith(f"results store {url.replace('secret', '***')}: ")
    assert str(caught.value).endswith(f"; {remedy}")


def test_no_server_is_transient_and_hides_the_password():
    with pytest.raises(TransientError, match=r"ada:\*\*\*@127\.0\.0\.1:1/monitoring.*refused") as caught:
        open_store("postgresql://ada:secret@127.0.0.1:1/monitoring")
    assert "secret" not in str(caught.value)


@pytest.mark.integration
def test_a_database_that_does_not_exist_is_a_config_error(postgres_url):
    with pytest.raises(ConfigError, match='database "nowhere" does not exist'):
        open_store(postgres_url.removesuffix("/postgres") + "/nowhere")


def test_a_file_that_is_no_database_is_a_config_error(tmp_path):
    (tmp_path / "results.db").write_text("not a database, " * 100)
    with pytest.raises(ConfigError, match="file is not a database"):
        open_store(f"sqlite:///{tmp_path / 'results.db'}")


def test_a_folder_is_a_config_error(tmp_path):
    with pytest.raises(ConfigError, match="unable to open database file"):
        migrate(f"sqlite:///{tmp_path}")


def test_a_missing_column_is_a_config_error_that_names_it(store):
    with pytest.raises(ConfigError, match="no_such_column"):
        store.query("SELECT no_such_column FROM result")


def test_a_row_that_breaks_a_key_is_a_data_error(store):
    with pytest.raises(DataError, match=r"(?i)foreign key"), store.writing("any") as connection:
        connection.exec_driver_sql("INSERT INTO baseline_bin VALUES ('none', '', 'x', 0, 'a', 1, NULL)")


@pytest.mark.integration
def test_a_server_that_goes_away_is_transient(postgres_database):
    migrate(postgres_database)
    with open_store(postgres_database) as store:
        ends_itself = "SELECT pg_terminate_backend(pg_backend_pid())"
        with pytest.raises(TransientError, match="terminating connection"):
            store.query(ends_itself)
        assert store.query("SELECT 1 AS one") == [{"one": 1}]


def test_a_locked_file_is_transient(tmp_path, monkeypatch):
    monkeypatch.setattr("monitoring_tasks.results.connection.BUSY_SECONDS", 0.1)
    url = f"sqlite:///{tmp_path / 'results.db'}"
    with open_store(url) as first, open_store(url) as second, first.writing("any"):
        assert second.query("SELECT * FROM result") == []
        with pytest.raises(TransientError, match="database is locked"), second.writing("any"):
            raise AssertionError("two writers at once")
