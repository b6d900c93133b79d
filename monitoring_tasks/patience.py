"""How long a PostgreSQL server is waited for: for a connection, for a lock, and for a network that went dead."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import URL

CONNECT_SECONDS = 30
"""For an answer to an attempt to connect: TCP's own patience is minutes."""

LOCK_SECONDS = 60
"""For a lock that another session holds, such as a load or an ALTER TABLE; then the task is retried, not hung."""

KEEPALIVE = {"keepalives_idle": 60, "keepalives_interval": 10, "keepalives_count": 6}
"""A silent network is found dead after two minutes; Linux alone takes more than two hours."""

UNACKNOWLEDGED_MILLISECONDS = 120_000
"""The same for what was sent and never acknowledged, which no keepalive follows."""

LEFT_ALONE = "10s"
"""How often the server looks whether the client of a running statement is still there.

Without it, the statement of a killed task goes on until it has an answer.
"""

_LIBPQ = ("psycopg", "psycopg2", "psycopg_async")
"""Drivers that know libpq's settings."""


def libpq_patience(url: URL) -> dict[str, Any]:
    """Return the settings of a connection by libpq that the URL leaves open; none for other drivers.

    Examples
    --------
    >>> from sqlalchemy import make_url
    >>> libpq_patience(make_url("postgresql+psycopg://db/x?keepalives_idle=9&connect_timeout=5"))
    {'keepalives_interval': 10, 'keepalives_count': 6, 'tcp_user_timeout': 120000}
    """
    if url.get_backend_name() != "postgresql" or url.get_driver_name() not in _LIBPQ:
        return {}
    ours = {"connect_timeout": CONNECT_SECONDS, **KEEPALIVE, "tcp_user_timeout": UNACKNOWLEDGED_MILLISECONDS}
    return {name: value for name, value in ours.items() if name not in url.query}


def session_patience(lock_timeout: str, server: tuple[int | str, ...] | None, lock_seconds: int) -> list[str]:
    """Return the SET statements of a session: none of them takes a snapshot, and a lock_timeout of one's own stays.

    Parameters
    ----------
    lock_timeout
        What ``SHOW lock_timeout`` says.
    server
        The server's version.
    lock_seconds
        How long to wait for a lock.

    Examples
    --------
    >>> session_patience("0", (15, 4), 60)
    ["SET lock_timeout = '60s'", "SET client_connection_check_interval = '10s'"]
    >>> session_patience("2s", (13, 1), 60)
    []
    """
    statements = [f"SET lock_timeout = '{lock_seconds}s'"] if re.fullmatch(r"0\w*", lock_timeout) else []
    if server is not None and int(server[0]) >= 14:
        statements.append(f"SET client_connection_check_interval = '{LEFT_ALONE}'")
    return statements
