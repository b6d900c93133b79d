"""Where a task reads and writes: environment variables and Airflow connections, as SQLAlchemy URLs."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException
from airflow.sdk.log import mask_secret

from monitoring_tasks.errors import ConfigError
from monitoring_tasks.url import secrets

if TYPE_CHECKING:
    from sqlalchemy import URL

    from monitoring_tasks.actions.http_request import HttpConnection

RESULTS_CONNECTION = "monitoring_results"

FILE_DATABASES = ("duckdb", "sqlite")
"""Connection types whose database is a path: in the field Host, in Schema, or after ``duckdb:///``."""

LIBPQ = frozenset(
    {
        "application_name", "channel_binding", "connect_timeout", "gssencmode", "keepalives", "keepalives_count",
        "keepalives_idle", "keepalives_interval", "options", "sslcert", "sslkey", "sslmode", "sslrootcert",
        "target_session_attrs",
    }
)  # fmt: skip
"""Extra settings of a PostgreSQL connection that the driver knows; Airflow's own (``cursor``, ``iam`` ...) are not."""


def warehouse_of(name: str) -> str:
    """Return the URL of the warehouse that a monitor file calls `name`.

    The environment variable ``MONITORING_WAREHOUSE_<NAME>`` wins, so that one machine can point a monitor elsewhere;
    otherwise it is the Airflow connection of that id. Passwords are masked in the task's log.

    Raises
    ------
    ConfigError
        If there is neither, or the connection is of a kind that SQLAlchemy has no URL for.
    """
    from monitoring_tasks.warehouse.engine import warehouse_url

    try:
        return _masked(warehouse_url(name))
    except ConfigError as error:
        unset = error
    try:
        connection = Connection.get(name)
    except AirflowNotFoundException:
        raise unset from None
    return _masked(url_of(connection))


def results_store() -> str | None:
    """Return the URL of the results store: the connection ``monitoring_results``, else ``MONITORING_RESULTS_URL``.

    None when neither is set: the store's own default, a SQLite file under ``MONITORING_HOME``.
    """
    try:
        connection = Connection.get(RESULTS_CONNECTION)
    except AirflowNotFoundException:
        url = os.environ.get("MONITORING_RESULTS_URL")
        return _masked(url) if url else None
    return _masked(url_of(connection))


def http_of(name: str) -> HttpConnection:
    """Return where the requests of `retraining.http` go: ``MONITORING_HTTP_<NAME>``, else the connection of that id.

    Of an Airflow connection of type http count what `web_address_of` reads, login, password and the extra field
    ``headers``. What is secret in it is masked in the task's log.

    Raises
    ------
    ConfigError
        If there is neither, or it names no host.
    """
    from monitoring_tasks.http_call import connection_of, http_connection

    try:
        found = http_connection(name)
    except ConfigError as error:
        try:
            connection = Connection.get(name)
        except AirflowNotFoundException:
            raise error from None
        headers = extra_of(connection).get("headers") or {}
        if not isinstance(headers, dict):
            raise ConfigError(
                f'connection {name!r}: write {{"headers": {{"NAME": "VALUE"}}}} into its extra field'
            ) from None
        found = replace(
            connection_of(name, web_address_of(connection), f"connection {name!r}"),
            login=connection.login or None,
            password=connection.password or None,
            headers={str(key): str(value) for key, value in headers.items()},
        )
    for secret in found.secrets:
        mask_secret(secret)
    return found


def web_address_of(connection: Connection) -> str:
    """Return the address of a web server: of messages' webhooks, and of the requests of `retraining.http`.

    The scheme is the one before the host, else the field Schema, else that of a connection of type https, else http at
    port 80, else https: Airflow's own hook would send a password without encryption because a field is empty.

    Raises
    ------
    ConfigError
        If the field Schema holds something else.
    """
    host = connection.host or ""
    scheme, given, place = host.partition("://")
    if not given:
        place, scheme = host, (connection.schema or "").strip().lower()
        if scheme not in ("", "http", "https"):
            raise ConfigError(
                f"connection {connection.conn_id!r} ({connection.conn_type}) has {connection.schema!r} in its field "
                "Schema: write https, or http if the server speaks no TLS"
            )
        if not scheme:
            scheme = "http" if connection.port == 80 and connection.conn_type != "https" else "https"
    server, slash, path = place.partition("/")
    if connection.port and not re.search(r":\d+$", server):
        server += f":{connection.port}"
    return f"{scheme}://{server}{slash}{path}"


def url_of(connection: Connection) -> str:
    """Return the SQLAlchemy URL of an Airflow connection, password included.

    In turn: an extra field ``url``, taken as it is; PostgreSQL, DuckDB and SQLite by their fields; and every other type
    by its provider's hook.

    Raises
    ------
    ConfigError
        If the type has no SQL hook here, or its hook builds no URL.
    """
    extra = extra_of(connection)
    if extra.get("url"):
        return str(extra["url"])
    if connection.conn_type in FILE_DATABASES:
        path = extra.get("path") or connection.host or connection.schema
        return f"{connection.conn_type}:///{path}" if path else f"{connection.conn_type}://"
    if connection.conn_type in ("postgres", "postgresql"):
        return _rendered(_postgres(connection, extra))
    return _from_hook(connection)


def _postgres(connection: Connection, extra: dict[str, Any]) -> URL:
    from sqlalchemy import URL

    return URL.create(
        "postgresql+psycopg",
        username=connection.login,
        password=connection.password,
        host=connection.host,
        port=connection.port,
        database=connection.schema,
        query={name: str(value) for name, value in sorted(extra.items()) if name in LIBPQ},
    )


def _from_hook(connection: Connection) -> str:
    from airflow.providers.common.sql.hooks.sql import DbApiHook
    from airflow.sdk.exceptions import AirflowException

    remedy = (
        f"install the Airflow provider of {connection.conn_type!r}, or write a SQLAlchemy URL into the connection's "
        'extra field: {"url": "snowflake://..."}'
    )
    try:
        hook = connection.get_hook()  # type: ignore[no-untyped-call]
    except (AirflowException, ImportError) as error:
        raise ConfigError(f"connection {connection.conn_id!r} cannot be used: {error}; {remedy}") from None
    if not isinstance(hook, DbApiHook):
        raise ConfigError(f"connection {connection.conn_id!r} ({connection.conn_type}) is no SQL database: {remedy}")
    try:
        return _rendered(hook.sqlalchemy_url)
    except NotImplementedError:
        return hook.get_uri()


def extra_of(connection: Connection) -> dict[str, Any]:
    """Return what a connection's extra field holds.

    Raises
    ------
    ConfigError
        If that is no JSON.
    """
    try:
        extra = json.loads(connection.extra or "{}")
    except json.JSONDecodeError as error:
        raise ConfigError(f"connection {connection.conn_id!r}: its extra field is not JSON ({error})") from None
    return extra if isinstance(extra, dict) else {}


def _rendered(url: URL) -> str:
    return url.render_as_string(hide_password=False)


def _masked(url: str) -> str:
    """Tell Airflow's log filter every secret in the URL, as it stands there and decoded."""
    for secret in secrets(url):
        mask_secret(secret)
    return url
