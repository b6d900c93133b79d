"""How the results store is reached: its URL, its connections, and what their failures mean.

SQLite runs with a write-ahead log, so that readers never wait and never see half a write. A writer takes the one write
lock when it begins (``BEGIN IMMEDIATE``), because a transaction that asks for the lock after it has read is refused at
once, however long it would be willing to wait.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from json import JSONEncoder
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
    ProgrammingError,
    StatementError,
)
from sqlalchemy.exc import DataError as RefusedValue
from sqlalchemy.exc import TimeoutError as PoolTimeout

from monitoring_tasks.errors import ConfigError, DataError, MonitoringError, TransientError
from monitoring_tasks.patience import libpq_patience, session_patience
from monitoring_tasks.sql_state import READ_ONLY, heals, remedy, sql_state
from monitoring_tasks.url import shown as hide_secrets
from monitoring_tasks.url import without_secrets

BUSY_SECONDS = 120
"""How long a writer waits for the others. A write takes milliseconds; fifty at once wait for one second or so."""

BEGIN = "monitoring_begin"
"""Execution option: how a transaction begins on SQLite. `WRITING` takes the write lock; '' begins none."""

WRITING = {BEGIN: "BEGIN IMMEDIATE"}

_MISSING = ("42P01", "42703")
"""SQL states of a table or column that is not there."""

_HOPELESS = re.compile(
    r"password authentication failed|no pg_hba.conf entry|(database|role) \".*\" does not exist"
    r"|unable to open database file|readonly database|not a database|malformed|no such (table|column)"
)
"""Failures that waiting does not heal, though drivers report them like a lost connection."""


def results_url(url: str | None = None, environ: Mapping[str, str] = os.environ) -> URL:
    """Return the store's URL: `url`, else ``MONITORING_RESULTS_URL``, else ``MONITORING_HOME/results.db``.

    Examples
    --------
    >>> results_url("postgres://ada:secret@db/monitoring")
    postgresql+psycopg://ada:***@db/monitoring
    >>> results_url(environ={"MONITORING_HOME": "/srv/monitoring"})
    sqlite:////srv/monitoring/results.db
    """
    url = url or environ.get("MONITORING_RESULTS_URL")
    if not url:
        home = Path(environ.get("MONITORING_HOME") or ".monitoring").absolute()
        return URL.create("sqlite", database=str(home / "results.db"))
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigError(
            "the results store's URL cannot be read (it is not shown, it may hold a password): write sqlite:///FILE or "
            "postgresql://USER:PASSWORD@HOST/DATABASE in MONITORING_RESULTS_URL"
        ) from None
    if parsed.drivername in ("postgres", "postgresql"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise ConfigError(f"results store {shown(parsed)} would be lost at the end: name a file, sqlite:///FILE")
    return parsed


def shown(url: URL) -> str:
    """Render the URL without its password, wherever the password stands in it."""
    return hide_secrets(url.render_as_string(hide_password=False))


def connect(url: URL) -> Engine:
    """Return the engine whose connections behave as described above. Connects to nothing yet, except for SQLite."""
    options: dict[str, Any] = {"json_serializer": JSONEncoder(allow_nan=False, separators=(",", ":")).encode}
    if url.get_backend_name() == "sqlite":
        if not str(url.database).startswith("file:"):
            _make_folder(url)
        options["connect_args"] = {"timeout": BUSY_SECONDS, "isolation_level": None}
        options |= {"max_overflow": 60, "pool_timeout": BUSY_SECONDS}
    elif url.get_backend_name() == "postgresql":
        name = {} if "application_name" in url.query else {"application_name": "monitoring-tasks"}
        options["connect_args"] = {**name, **libpq_patience(url)}
        options["pool_pre_ping"] = True
    try:
        engine = create_engine(url, **options)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        backend = url.get_backend_name()
        raise ConfigError(
            f"results store {shown(url)}: {error}; "
            + (
                "install 'monitoring-tasks[postgres]'"
                if backend == "postgresql"
                else f"install SQLAlchemy's driver of {backend!r}, or use sqlite or postgresql, which are tested"
            )
        ) from error
    if url.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        try:
            with failures(url):
                _use_write_ahead_log(engine)
        except MonitoringError:
            engine.dispose()
            raise
    elif url.get_backend_name() == "postgresql":
        event.listen(engine, "connect", _prepare_postgresql)
    return engine


@contextmanager
def failures(url: URL) -> Iterator[None]:
    """Turn the database's errors into ours, which say whether trying again can help. Passwords stay hidden."""
    try:
        yield
    except IntegrityError as error:
        raise DataError(_describe(url, error)) from error
    except RefusedValue as error:
        raise DataError(_describe(url, error)) from error
    except ProgrammingError as error:
        missing = getattr(error.orig, "sqlstate", None) in _MISSING
        raise ConfigError(_describe(url, error) + ("; run `monitoring-tasks migrate`" if missing else "")) from error
    except (OperationalError, InterfaceError, DatabaseError) as error:
        raise _error_class(error)(_describe(url, error)) from error
    except PoolTimeout as error:
        raise TransientError(f"results store {shown(url)}: {error}") from error
    except StatementError as error:
        if error.orig is None or isinstance(error, DBAPIError):
            raise
        raise error.orig from None  # a value that its column type refused: the reason is ours, not the database's


def lock(connection: Connection, name: str, part: str | None = None) -> None:
    """Hold off other writers of `name`, or only of this part of it, until the transaction ends.

    Two writers of one window would each delete the rows they see and then collide on inserting. SQLite needs no lock:
    it has one writer at a time.
    """
    if connection.dialect.name != "postgresql":
        return
    if part is None:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})
    else:
        both = text(
            "SELECT pg_advisory_xact_lock_shared(hashtextextended(:name, 0)), "
            "pg_advisory_xact_lock(hashtextextended(:part, 0))"
        )
        connection.execute(both, {"name": name, "part": f"{name} {part}"})


def _error_class(error: DBAPIError) -> type[MonitoringError]:
    if _HOPELESS.search(str(error.orig)):
        return ConfigError
    state = sql_state(error.orig)
    # A server that is read-only may be about to take over from one that failed.
    healed = state is None or error.connection_invalidated or heals(state) or state == READ_ONLY
    return TransientError if healed else DataError


def _describe(url: URL, error: DBAPIError) -> str:
    said = " ".join(str(error.orig).partition("\nLINE ")[0].split())  # without the statement, which comes after it
    reason = without_secrets(said, url.render_as_string(hide_password=False))
    return f"results store {shown(url)}: {reason}{_remedy(url, said)}"


def _remedy(url: URL, reason: str) -> str:
    if url.get_backend_name() != "sqlite":
        return remedy(reason, url.username, writes=True)
    if "disk is full" in reason:
        return "; free space on its disk, `monitoring-tasks prune` removes old windows"
    if "database is locked" in reason:
        return f"; another process has been writing to it for more than {BUSY_SECONDS} seconds"
    if "readonly database" in reason:
        return "; let this user write the file and its folder"
    return ""


def _make_folder(url: URL) -> None:
    try:
        Path(str(url.database)).absolute().parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"results store {shown(url)}: its folder cannot be made ({error.strerror}); name another file, or make the "
            "folder"
        ) from error


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
    # With a write-ahead log this loses nothing when a process dies, and cannot corrupt the file when the machine does.
    connection.execute("PRAGMA synchronous = NORMAL")


def _begin_sqlite(connection: Connection) -> None:
    begin = connection.get_execution_options().get(BEGIN, "BEGIN")
    if begin:
        connection.exec_driver_sql(begin)


def _prepare_postgresql(connection: Any, _record: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET TIME ZONE 'UTC'")
        cursor.execute("SHOW lock_timeout")
        for statement in session_patience(str(cursor.fetchone()[0]), None, BUSY_SECONDS):
            cursor.execute(statement)
    connection.commit()


def _use_write_ahead_log(engine: Engine) -> None:
    """Switch the file over, once in its life. SQLite does not wait for other connections here, so this does."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            with engine.connect().execution_options(**{BEGIN: ""}) as connection:
                mode = connection.exec_driver_sql("PRAGMA journal_mode = WAL").scalar()
            break
        except OperationalError as error:
            if "locked" not in str(error.orig) or time.monotonic() > deadline:
                raise
        time.sleep(0.05)
    if mode != "wal":
        raise ConfigError(
            f"results store {shown(engine.url)}: its file system allows no write-ahead log; put it on a local disk"
        )
