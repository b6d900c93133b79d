"""Environment variables that hold the URLs of what a monitor file calls by a name, so that no file holds a password."""

from __future__ import annotations


def variable(kind: str, name: str) -> str:
    """Return the variable of a warehouse, of a channel or of a server that requests go to.

    Examples
    --------
    >>> variable("channel", "on-call")
    'MONITORING_CHANNEL_ON_CALL'
    """
    return f"MONITORING_{kind.upper()}_" + "".join(c if c.isalnum() else "_" for c in name.upper())
