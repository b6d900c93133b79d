"""What PostgreSQL's SQLSTATE says of an error: whether waiting can heal it, and what to do about it.

The codes are those of appendix A of its manual. Drivers map whole classes of them to one exception, so that a statement
that is too complex looks like a server that is away.
"""

from __future__ import annotations

import re

HEALED_BY_WAITING = (
    "08",  # connection
    "40",  # deadlock, conflict with a standby's recovery
    "53",  # out of connections, memory or disk
    "55P03",  # lock timeout
    "55006",  # in use
    "57",  # cancelled, shut down, starting up
    "58",  # the system beneath it
    "HV",  # another server behind a foreign table
    "XX000",  # a table was replaced while the statement was planned
)
"""SQL states, and classes of them, after which the same statement may succeed."""

INSUFFICIENT_PRIVILEGE = "42501"
READ_ONLY = "25006"
OUT_OF_MEMORY = "53200"
"""Also of that in which locks are kept: see max_locks_per_transaction."""

REFUSED = (
    "password authentication failed",
    "no password supplied",
    "no pg_hba.conf entry",
    '" does not exist',
    "is not permitted to log in",
    "permission denied for database",
)
"""How PostgreSQL words a refused login: an attempt to connect that failed has no SQLSTATE."""

_DENIED = re.compile(
    r"permission denied for (?P<kind>table|view|materialized view|foreign table|sequence|schema|function|database) "
    r'"?(?P<name>[^"]+)"?'
)
_CONNECTIONS = ("too many connections", "too many clients", "connection slots are reserved")


def sql_state(error: object) -> str | None:
    """Return the SQLSTATE of a driver's error, if the server gave one: psycopg's name for it, or psycopg2's."""
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    return None if state is None else str(state)


def heals(state: str) -> bool:
    """Tell whether waiting may heal an error of this SQLSTATE.

    Examples
    --------
    >>> heals("53300"), heals("57014"), heals("42501"), heals("22012")
    (True, True, False, False)
    """
    return state.startswith(HEALED_BY_WAITING)


def is_refused(error: object) -> bool:
    """Tell a refused login (SQLSTATE class 28, or no such database) from a server that is merely away."""
    state = sql_state(error)
    if state is not None:
        return state.startswith("28") or state == "3D000"
    return any(words in str(error) for words in REFUSED)


def remedy(reason: str, role: str | None, *, writes: bool = False) -> str:
    """Return what to do about an error, to stand after its reason; '' where that says enough.

    Parameters
    ----------
    reason
        The first line of the server's message, in English.
    role
        Who was refused, where that is known.
    writes
        Whether it is the results store, which is written to; else a warehouse, which is read.

    Examples
    --------
    >>> remedy("permission denied for table scores", "monitor")
    '; as its owner run GRANT SELECT ON "scores" TO "monitor" (of what a view reads: to the owner of the view)'
    >>> remedy("division by zero", "monitor")
    ''
    """
    denied = _DENIED.search(reason)
    if denied:
        return f"; as its owner run {_grant(denied['kind'], denied['name'], role, writes=writes)}"
    if "statement timeout" in reason:
        less = ", read fewer windows in one run, or give the table an index on its timestamp"
        return f"; raise statement_timeout for this role{'' if writes else less}"
    if "lock timeout" in reason:
        return "; another session holds a lock on it, such as a load: let it end, or raise lock_timeout for this role"
    if "read-only transaction" in reason and writes:
        return "; name a server that is no standby, and a role that may write"
    if any(words in reason for words in _CONNECTIONS):
        return "; let fewer tasks run at once (an Airflow pool), or raise the server's or the role's connection limit"
    return ""


def _grant(kind: str, name: str, role: str | None, *, writes: bool) -> str:
    to = "" if role is None else f" TO {_quoted(role)}"
    if kind == "schema":
        return f"GRANT USAGE ON SCHEMA {_quoted(name)}{to}"
    if kind == "database":
        return f"GRANT CONNECT ON DATABASE {_quoted(name)}{to}"
    if kind == "function":
        return f"GRANT EXECUTE ON FUNCTION {name}{to}"
    if writes:
        return f"GRANT SELECT, INSERT, UPDATE, DELETE ON {_quoted(name)}{to}, as on all tables of the store"
    return f"GRANT SELECT ON {_quoted(name)}{to} (of what a view reads: to the owner of the view)"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
