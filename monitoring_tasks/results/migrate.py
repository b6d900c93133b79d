"""Creates and upgrades the results store: Alembic for the tables, one file per view."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

from sqlalchemy import URL, Connection, Engine, inspect, text

from monitoring_tasks.errors import ConfigError
from monitoring_tasks.results.connection import WRITING, connect, failures, lock, results_url, shown
from monitoring_tasks.results.tables import REVISION, REVISION_TABLE

VIEWS = (
    "latest_result",
    "latest_verdict",
    "metric_history",
    "open_alerts",
    "monitor_health",
    "silence",
    "feature_histogram",
    "window_length",
    "databricks_profile_metrics",
    "databricks_drift_metrics",
)
"""In the order of creation: a view stands after those it reads."""

_ONE_AT_A_TIME = Lock()
"""Alembic keeps the running migration in a module, so threads of one process must take turns."""


def migrate(url: str | None = None) -> tuple[str | None, str]:
    """Create or upgrade the tables and replace the views. Safe to repeat, and to run from many processes at once.

    Parameters
    ----------
    url
        As in `results_url`.

    Returns
    -------
    tuple
        The revision found (None for an empty database) and the revision the store has now.

    Raises
    ------
    ConfigError
        If the store is newer than this version of the package, or cannot be opened.
    TransientError
        If the database does not answer.
    """
    engine = connect(results_url(url))
    try:
        return upgrade(engine)
    finally:
        engine.dispose()


def upgrade(engine: Engine) -> tuple[str | None, str]:
    """Do what `migrate` says on an open engine: everything in one transaction, or nothing."""
    with _ONE_AT_A_TIME, failures(engine.url), engine.execution_options(**WRITING).begin() as connection:
        lock(connection, "monitoring-tasks migrate")
        before = revision(connection)
        if before is not None and before > REVISION:
            raise ConfigError(_newer(engine.url, before))
        if before != REVISION:
            _run_migrations(connection)
        _create_views(connection)
    return before, REVISION


def revision(connection: Connection) -> str | None:
    """Return the revision of the store's tables; None where there are none."""
    if not inspect(connection).has_table(REVISION_TABLE):
        return None
    return connection.execute(text(f"SELECT version_num FROM {REVISION_TABLE}")).scalar()  # noqa: S608 - our constant


def require_current(engine: Engine) -> None:
    """Raise unless the store has this version's tables. An empty SQLite file gets them: nobody else could want it.

    Raises
    ------
    ConfigError
        If the tables are missing, older or newer; names the remedy.
    """
    with failures(engine.url), engine.connect() as connection:
        found = revision(connection)
        empty = found is None and not inspect(connection).get_table_names()
    if found == REVISION:
        return
    if empty and engine.dialect.name == "sqlite":
        upgrade(engine)
    elif found is None:
        raise ConfigError(f"results store {shown(engine.url)} has no tables yet: run `monitoring-tasks migrate`")
    elif found < REVISION:
        raise ConfigError(
            f"results store {shown(engine.url)} has the tables of revision {found}, {REVISION} is needed: "
            "run `monitoring-tasks migrate`"
        )
    else:
        raise ConfigError(_newer(engine.url, found))


def sql_folder() -> Path:
    """Return the folder of migrations, views and queries: inside an installed package, or the checkout's ``sql/``."""
    package = Path(__file__).parents[1]
    installed = package / "sql"
    return installed if installed.is_dir() else package.parent / "sql"


def view_file(name: str, dialect: str) -> Path:
    """Return the view's SQL: ``name.dialect.sql`` where databases must differ, else ``name.sql``."""
    views = sql_folder() / "views"
    special = views / f"{name}.{dialect}.sql"
    return special if special.exists() else views / f"{name}.sql"


def _run_migrations(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(sql_folder() / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, REVISION)


def _create_views(connection: Connection) -> None:
    """Replace every view. On PostgreSQL in place, which keeps the rights people gave on it and the views they built."""
    for name in VIEWS:
        select = view_file(name, connection.dialect.name).read_text(encoding="utf-8")
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(f"DROP VIEW IF EXISTS {name}")
        create = "CREATE VIEW" if connection.dialect.name == "sqlite" else "CREATE OR REPLACE VIEW"
        connection.exec_driver_sql(f"{create} {name} AS\n{select}")


def _newer(url: URL, found: str) -> str:
    return (
        f"results store {shown(url)} has the tables of revision {found}, this version of monitoring-tasks knows "
        f"{REVISION}: upgrade monitoring-tasks (`monitoring-tasks migrate` does not go back)"
    )
