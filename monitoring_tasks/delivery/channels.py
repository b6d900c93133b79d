"""Channels as the environment knows them: a name in the monitor file, and an Apprise URL that stays out of it."""

from __future__ import annotations

import os
from collections.abc import Mapping

from monitoring_tasks.environment import variable
from monitoring_tasks.errors import ConfigError


def channel_url(name: str, environ: Mapping[str, str] = os.environ) -> str:
    """Return the Apprise URL that the environment gives a channel of a monitor file.

    Raises
    ------
    ConfigError
        If it gives none.

    Examples
    --------
    >>> channel_url("on-call", {"MONITORING_CHANNEL_ON_CALL": "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7"})
    'slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7'
    """
    setting = variable("channel", name)
    url = environ.get(setting, "").strip()
    if not url:
        raise ConfigError(
            f"channel {name!r} is not known: set {setting} to an Apprise URL such as "
            "mailtos://USER:PASSWORD@HOST?to=ops@example.com or slack://TOKEN_A/TOKEN_B/TOKEN_C, or under Airflow make "
            "a connection of that id"
        )
    return url
