from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import bindparam, insert, inspect, select, text

from monitoring_tasks.errors import ConfigError
from monitoring_tasks.results import migrate as migrations
from monitoring_tasks.results.connection import WRITING
from monitoring_tasks.results.migrate import VIEWS, migrate, sql_folder, view_file
from monitoring_tasks.results.store import open_store
from monitoring_tasks.results.tables import REVISION, REVISION_TABLE, Instant, metadata
from tests.inference_log import contents
from tests.results.example import day, fill


def test_migrate_creates_once_and_repeats_without_effect(empty_url):
    assert migrate(empty_url) == (None, REVISION)
    assert migrate(empty_url) == (REVISION, REVISION)
    with open_store(empty_url) as store:
        found = inspect(store.engine)
        assert set(found.get_table_names()) == {*metadata.tables, REVISION_TABLE}
        assert set(found.get_view_names()) == set(VIEWS)


def test_the_migrated_schema_is_that_of_the_tables(store):
    options = {"version_table": REVISION_TABLE, "compare_type": True, "compare_server_default": True}
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


def test_the_migrated_keys_are_those_of_the_tables(store):
    """Alembic compares neither keys nor whether a key may be NULL."""
    found = inspect(store.engine)
    for table in metadata.tables.values():
        keys = [column.name for column in table.primary_key.columns]
        assert found.get_pk_constraint(table.name)["constrained_columns"] == keys, table.name
        nullable = {column["name"]: column["nullable"] for column in found.get_columns(table.name)}
        assert nullable == {column.name: bool(column.nullable) for column in table.columns}, table.name


def test_the_revision_is_the_newest_migration():
    config = Config()
    config.set_main_option("script_location", str(sql_folder() / "migrations"))
    assert ScriptDirectory.from_config(config).get_current_head() == REVISION


def test_every_view_has_its_file_and_every_file_its_view():
    files = {path.name.split(".")[0] for path in (sql_folder() / "views").glob("*.sql")}
    assert files == set(VIEWS)
    assert all(view_file(name, dialect).exists() for name in VIEWS for dialect in ("sqlite", "postgresql"))


def test_a_fresh_sqlite_file_is_migrated_when_it_is_opened(tmp_path):
    with open_store(f"sqlite:///{tmp_path / 'new' / 'results.db'}") as store:
        assert store.query("SELECT * FROM monitor_health") == []
        assert store.query("PRAGMA journal_mode") == [{"journal_mode": "wal"}]


@pytest.mark.integration
def test_an_empty_postgresql_database_is_left_alone_when_it_is_opened(postgres_database):
    with pytest.raises(ConfigError, match=r"has no tables yet: run `monitoring-tasks migrate`"):
        open_store(postgres_database)


def test_a_sqlite_file_with_other_peoples_tables_is_left_alone_when_it_is_opened(tmp_path):
    path = tmp_path / "warehouse.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE inference_log (x)")
    connection.close()
    with pytest.raises(ConfigError, match=r"warehouse\.db has no tables yet: run `monitoring-tasks migrate`"):
        open_store(f"sqlite:///{path}")
    assert migrate(f"sqlite:///{path}") == (None, REVISION)
    open_store(f"sqlite:///{path}").close()


@pytest.fixture
def first_release(empty_url, tmp_path, monkeypatch):
    """A store as the first release left it: its tables, and the rows it would have written."""
    monkeypatch.setattr(migrations, "REVISION", "0001")
    monkeypatch.setattr(migrations, "VIEWS", ())
    assert migrations.migrate(empty_url) == (None, "0001")
    monkeypatch.undo()
    engine = migrations.connect(migrations.results_url(empty_url))
    there = inspect(engine)
    with (
        open_store(f"sqlite:///{tmp_path / 'present.db'}") as present,
        engine.execution_options(**WRITING).begin() as connection,
    ):
        fill(present)
        for table in metadata.sorted_tables:
            if there.has_table(table.name):
                known = [table.c[column["name"]] for column in there.get_columns(table.name)]
                with present.reading() as reading:
                    rows = [row._asdict() for row in reading.execute(select(*known))]
                if rows:
                    connection.execute(insert(table), rows)
        wanted = contents(present, *metadata.tables)
    engine.dispose()
    return empty_url, wanted


def test_the_first_releases_rows_are_kept_and_must_be_run_again(first_release):
    url, wanted = first_release
    assert migrate(url) == ("0001", REVISION)
    with open_store(url) as store:
        found = contents(store, *metadata.tables)
        assert set(inspect(store.engine).get_view_names()) == set(VIEWS)
        state = store.window_state("flights", day(0))
        whole, _ = store.read_profiles("flights", day(0))[1]
    for row in wanted["profile"]:
        row["digest"] = row["unseen"] = None
    for row in wanted["baseline"]:
        row["dispersions"] = None
    assert wanted["window_run"]
    for row in wanted["window_due"]:
        row["tell"] = False  # what they mean for alerts is due, and nobody is told
    assert (wanted["monitor"], found["monitor"]) == ([], [])
    assert found == {name: sorted(rows, key=repr) for name, rows in wanted.items()}
    assert (state.digest, state.rows) == (None, 10)
    # One carrier was unseen, and its name was not kept; of distances there is no such thing.
    assert (whole.columns["carrier"].unseen, whole.columns["distance"].unseen) == (None, ())
    assert [(run.check_name, run.state, run.config_hash) for run in state.checks] == [
        ("data_drift", "done", None),
        ("operations", "done", None),
    ]


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ("0000", f"has the tables of revision 0000, {REVISION} is needed: run `monitoring-tasks migrate`"),
        ("9999", f"revision 9999, this version of monitoring-tasks knows {REVISION}: upgrade monitoring-tasks"),
    ],
    ids=["older", "newer"],
)
def test_another_versions_tables_are_refused_with_the_remedy(store, found, message):
    with store.writing("any") as connection:
        connection.exec_driver_sql(f"UPDATE {REVISION_TABLE} SET version_num = '{found}'")
    with pytest.raises(ConfigError, match=message):
        open_store(store.engine.url.render_as_string())


def test_migrate_does_not_touch_a_newer_store(store):
    with store.writing("any") as connection:
        connection.exec_driver_sql(f"UPDATE {REVISION_TABLE} SET version_num = '9999'")
    with pytest.raises(ConfigError, match="does not go back"):
        migrate(store.engine.url.render_as_string())


def test_a_migration_that_fails_leaves_nothing_behind(empty_url, monkeypatch):
    monkeypatch.setattr(migrations, "VIEWS", (*VIEWS[:2], "no_such_view"))
    with pytest.raises(FileNotFoundError):
        migrate(empty_url)
    engine = migrations.connect(migrations.results_url(empty_url))
    assert inspect(engine).get_table_names() == []
    engine.dispose()
    monkeypatch.undo()
    assert migrate(empty_url) == (None, REVISION)


@pytest.mark.integration
def test_migrating_again_keeps_the_rights_and_views_that_people_built_on_ours(postgres_database):
    migrate(postgres_database)
    with open_store(postgres_database) as store:
        with store.writing("any") as connection:
            connection.exec_driver_sql("GRANT SELECT ON latest_result TO PUBLIC")
            connection.exec_driver_sql("CREATE VIEW mine AS SELECT monitor FROM latest_result")
        migrate(postgres_database)
        assert store.query("SELECT * FROM mine") == []
        rights = "SELECT grantee FROM information_schema.role_table_grants WHERE table_name = 'latest_result'"
        assert {"grantee": "PUBLIC"} in store.query(rights)


def test_an_installed_package_finds_its_own_sql(tmp_path):
    """As the wheel lays it out: the repository's sql/ inside the package, and no repository around it."""
    package = Path(migrations.__file__).parents[1]
    installed = tmp_path / "site-packages" / "monitoring_tasks"
    shutil.copytree(package, installed, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(sql_folder(), installed / "sql", ignore=shutil.ignore_patterns("__pycache__"))
    code = (
        "from monitoring_tasks.results.migrate import migrate, sql_folder;"
        f"print(sql_folder()); print(migrate('sqlite:///{tmp_path / 'results.db'}'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=installed.parent, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [str(installed / "sql"), str((None, REVISION))]


@pytest.mark.integration
def test_many_processes_may_migrate_at_once(empty_url):
    code = f"from monitoring_tasks.results.migrate import migrate; print(migrate({empty_url!r})[1])"
    started = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert [process.communicate()[0].strip() for process in started] == [REVISION] * 4
    open_store(empty_url).close()


LABELS_OF_0006 = """
INSERT INTO labels_profile (monitor, window_start, window_end, segment, column_name, rows, label_rows, final, arrived,
    unknown, counts, unreadable, waiting, position, digest, baseline_id)
VALUES
    ('flights', :monday, :tuesday, '', '', 10, 9, false, 7, 2, '{"cells": {"gaps": [16], "rows": [9]}}', NULL, true, 0,
     'digest of monday', 'base'),
    ('flights', :monday, :tuesday, '', 'distance', NULL, NULL, NULL, NULL, NULL, '{"gaps": [], "rows": []}', NULL, NULL,
     1, NULL, 'base'),
    ('flights', :monday, :tuesday, 'origin=JFK', '', 4, 3, NULL, NULL, NULL, '{"cells": {"gaps": [], "rows": []}}',
     NULL, NULL, 2, NULL, 'base'),
    ('flights', :tuesday, :wednesday, '', '', NULL, NULL, false, 0, 0, NULL, 'no table outcomes', false, 0,
     'digest of tuesday', 'base')
"""


def test_what_0006_knew_of_windows_labels_is_kept_with_its_counts(empty_url, monkeypatch):
    monkeypatch.setattr(migrations, "REVISION", "0006")
    monkeypatch.setattr(migrations, "VIEWS", ())  # today's read tables of later revisions
    assert migrations.migrate(empty_url) == (None, "0006")
    monkeypatch.undo()
    engine = migrations.connect(migrations.results_url(empty_url))
    days = {"monday": day(0).start, "tuesday": day(1).start, "wednesday": day(2).start}
    times = [bindparam(name, moment, type_=Instant()) for name, moment in days.items()]
    with engine.execution_options(**WRITING).begin() as connection:
        base = "INSERT INTO baseline VALUES ('base', 'flights', '{}', 'hash', '{}', '{}', 10, NULL, '{}')"
        connection.execute(text(base))
        connection.execute(text(LABELS_OF_0006).bindparams(*times))
        connection.execute(
            text("INSERT INTO labelled_baseline VALUES ('base', 'flights', '{}', '{}', 10, 9, 'digest')")
        )
    engine.dispose()
    assert migrate(empty_url) == ("0006", REVISION)
    with open_store(empty_url) as store:
        found = contents(store, "window_labels", "labels_profile", "labelled_baseline")
        assert (store.waiting("flights"), store.provisional("flights")) == ((day(0),), (day(0), day(1)))
        assert store.labelled_windows("flights") == (day(0), day(1))
        state = store.window_state("flights", day(0)).labels
        unread = store.window_state("flights", day(1)).labels
    assert (state.digest, state.baseline_id, state.rows, state.final) == ("digest of monday", "base", 9, False)
    assert (state.unreadable, state.baseline_digest) == (None, "digest")
    assert (unread.digest, unread.rows, unread.unreadable) == ("digest of tuesday", None, "no table outcomes")
    monday, tuesday = found["window_labels"]
    assert (monday["rows"], monday["arrived"], monday["unknown"]) == (10, 7, 2)
    assert (monday["read_through"], tuesday["rows"]) == (None, None)
    kept = {(row["segment"], row["column_name"]): (row["rows"], row["counts"]) for row in found["labels_profile"]}
    assert kept == {
        ("", ""): (10, {"cells": {"gaps": [16], "rows": [9]}}),
        ("", "distance"): (None, {"gaps": [], "rows": []}),
        ("origin=JFK", ""): (4, {"cells": {"gaps": [], "rows": []}}),
    }
    assert found["labelled_baseline"][0]["labels_until"] is None
