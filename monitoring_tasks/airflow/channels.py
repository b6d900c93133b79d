"""Channels as Airflow knows them: environment variables and connections, as Apprise URLs."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, urlencode

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException
from airflow.sdk.log import mask_secret

from monitoring_tasks.airflow.connections import extra_of, web_address_of
from monitoring_tasks.delivery.channels import channel_url
from monitoring_tasks.delivery.redaction import secrets
from monitoring_tasks.delivery.send import is_apprise_url
from monitoring_tasks.errors import ConfigError, TransientError

SLACK_WEBHOOKS = "https://hooks.slack.com/services"

OF_HTTP_HOOK = frozenset(
    {
        "allow_redirects", "auth_kwargs", "auth_type", "cert", "check_response", "headers", "max_redirects", "proxies",
        "proxy", "stream", "timeout", "trust_env", "verify",
    }
)  # fmt: skip
"""Extra settings of an HTTP connection that are no headers."""

_HARMLESS = re.compile(r"[a-z]{1,11}|.{1,4}")
"""Plain words of a path, and what Airflow takes for too short to mask."""


def channel_of(name: str) -> str:
    """Return the Apprise URL of the channel that a monitor file calls `name`.

    The environment variable ``MONITORING_CHANNEL_<NAME>`` wins; otherwise it is the Airflow connection of that id. What
    is secret in it is masked in the task's log.

    Raises
    ------
    TransientError
        If there is neither. Airflow says that there is no such connection also when its API server or its secrets
        backend did not answer, and for that no message is to be given up.
    ConfigError
        If the connection is of a type that Apprise has no URL for.
    """
    try:
        return _masked(channel_url(name))
    except ConfigError as error:
        unset = error
    try:
        connection = Connection.get(name)
    except AirflowNotFoundException:
        raise TransientError(str(unset)) from None
    return _masked(apprise_url_of(connection))


def apprise_url_of(connection: Connection) -> str:
    """Return the Apprise URL of an Airflow connection, secrets included.

    In turn: an extra field ``apprise`` or ``url``, taken as it is; mail, Slack, Discord, Telegram and HTTP connections
    by the fields that their Airflow hooks read. Mail needs to know who gets it, ``{"to": "ops@example.com"}`` in extra,
    as Slack's API does, ``{"channel": "#ops"}``.

    Raises
    ------
    ConfigError
        If the type is another, or a field is missing.
    """
    extra = extra_of(connection)
    given = extra.get("apprise") or extra.get("url")
    if given:
        return str(given)
    match connection.conn_type:
        case "smtp" | "email":
            return _mail(connection, extra)
        case "slackwebhook":
            return _slack_webhook(connection)
        case "slack":
            token, channel = _needed(connection, "password"), str(extra.get("channel") or "").lstrip("#")
            if not channel:
                raise _missing(connection, 'who gets it: write {"channel": "#ops"} into its extra field')
            return f"slack://{_quoted(token)}/%23{_quoted(channel)}"
        case "discord":
            endpoint = str(extra.get("webhook_endpoint") or "")
            found = re.search(r"webhooks/([^/]+)/([^/?]+)", endpoint)
            if found is None:
                raise _missing(connection, 'its webhook: write {"webhook_endpoint": "webhooks/ID/TOKEN"} into extra')
            return f"discord://{_quoted(found[1])}/{_quoted(found[2])}"
        case "telegram":
            return f"tgram://{_needed(connection, 'password')}/{_quoted(_needed(connection, 'host'))}"
        case "http" | "https":
            return _http(connection, extra)
    raise ConfigError(
        f"connection {connection.conn_id!r} ({connection.conn_type}) is no channel that messages can be sent to: write "
        'an Apprise URL into its extra field, such as {"apprise": "slack://TOKEN_A/TOKEN_B/TOKEN_C"}, or set '
        "MONITORING_CHANNEL_<NAME> to one"
    )


def _mail(connection: Connection, extra: dict[str, Any]) -> str:
    """Return the URL of a mail server; encrypted as the SMTP hook does it, which its extra fields may switch off."""
    to = extra.get("to") or ()
    recipients = to if isinstance(to, str) else ",".join(str(each) for each in to)
    sender = str(extra.get("from_email") or "") or (connection.login if "@" in (connection.login or "") else "")
    if not recipients:
        raise _missing(connection, 'who gets it: write {"to": "ops@example.com"} into its extra field')
    if not sender:
        raise _missing(connection, 'who sends it: write {"from_email": "monitoring@example.com"} into its extra field')
    mode = "insecure" if extra.get("disable_tls") else "starttls"
    mode = mode if extra.get("disable_ssl") else "ssl"
    settings = urlencode({"from": sender, "to": recipients, "mode": mode})
    scheme = "mailto" if mode == "insecure" else "mailtos"
    return f"{scheme}://{_login(connection)}{_needed(connection, 'host')}{_port(connection)}/?{settings}"


def _slack_webhook(connection: Connection) -> str:
    token = _needed(connection, "password")
    if "://" in token:
        return token
    return f"{SLACK_WEBHOOKS}/{token.strip('/')}"


def _http(connection: Connection, extra: dict[str, Any]) -> str:
    """Return the URL of a webhook: a service that Apprise knows by its address, else JSON to that address."""
    _needed(connection, "host")
    address = web_address_of(connection)
    if is_apprise_url(address):
        return address
    scheme, _, place = address.partition("://")
    server, slash, path = place.partition("/")
    headers = {name: value for name, value in extra.items() if name not in OF_HTTP_HOOK}
    headers |= extra["headers"] if isinstance(extra.get("headers"), dict) else {}
    settings = "&".join(f"%2B{_quoted(name)}={_quoted(str(value))}" for name, value in sorted(headers.items()))
    path, mark, query = path.partition("?")
    settings = "&".join(filter(None, (*(f"-{each}" for each in query.split("&") if mark and each), settings)))
    json = "jsons" if scheme == "https" else "json"
    return f"{json}://{_login(connection)}{server}{slash}{path}" + (f"?{settings}" if settings else "")


def _login(connection: Connection) -> str:
    if not connection.login:
        return ""
    password = f":{_quoted(connection.password)}" if connection.password else ""
    return f"{_quoted(connection.login)}{password}@"


def _port(connection: Connection) -> str:
    return f":{connection.port}" if connection.port else ""


def _needed(connection: Connection, field: str) -> str:
    value = getattr(connection, field)
    if not value:
        raise _missing(connection, f"its {field}: fill it in")
    return str(value)


def _missing(connection: Connection, what: str) -> ConfigError:
    return ConfigError(f"connection {connection.conn_id!r} ({connection.conn_type}) does not say {what}")


def _quoted(text: str) -> str:
    return quote(text, safe="")


def _masked(url: str) -> str:
    """Tell Airflow's log filter what is secret in the URL; plain words in its path, such as hooks, are none."""
    for secret in secrets(url):
        if f":{secret}@" in url or not _HARMLESS.fullmatch(secret):
            mask_secret(secret)
    return url
