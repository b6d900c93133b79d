"""The request that asks a server for a new model, sent: what is retried, what is refused, and nothing secret said."""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit, urlunsplit

import requests

from monitoring_tasks.actions.http_request import HttpConnection, HttpRequest
from monitoring_tasks.environment import variable
from monitoring_tasks.errors import ConfigError, DataError, TransientError
from monitoring_tasks.url import HIDDEN, speaks_no_tls

TIMEOUT = (10.0, 60.0)
"""Seconds to connect, and between two parts of an answer."""

SHOWN = 300
"""Characters of an answer that an error shows."""


def http_connection(name: str, environ: Mapping[str, str] = os.environ) -> HttpConnection:
    """Return the connection that ``MONITORING_HTTP_<NAME>`` names: a URL with the login in it.

    Examples
    --------
    >>> http_connection("ci", {"MONITORING_HTTP_CI": "https://ada:secret@jenkins.example.com/ci"})
    HttpConnection(name='ci', url='https://jenkins.example.com/ci', login='ada')

    Raises
    ------
    ConfigError
        If it is not set, or no URL of a server.
    """
    setting = variable("http", name)
    url = environ.get(setting, "").strip()
    if not url:
        raise ConfigError(
            f"connection {name!r} of `retraining.http` is not known: set {setting} to https://USER:PASSWORD@HOST, or "
            "under Airflow make a connection of that id"
        )
    return connection_of(name, url, setting)


def connection_of(name: str, url: str, where: str) -> HttpConnection:
    """Return the connection of a URL with a login; `where` it was found is named in the error, the URL is not."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = None, None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(
            f"{where} is no URL of a server (it is not shown, it may hold a password): write https://HOST, or "
            "http://HOST if it speaks no TLS"
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    address = urlunsplit((parts.scheme, host + (f":{port}" if port else ""), parts.path, parts.query, ""))
    login, password = (unquote(part) if part else None for part in (parts.username, parts.password))
    return HttpConnection(name, address, login, password)


def send(request: HttpRequest, timeout: tuple[float, float] = TIMEOUT) -> str:
    """Send it and return what was answered, such as ``HTTP 204``.

    A request whose answer was lost is sent again by a retry, with the same ``Idempotency-Key``: a server that knows the
    header starts nothing twice. GitHub, GitLab and Jenkins do not know it: what they start has the action's id to see
    that it was started before.

    Raises
    ------
    TransientError
        If there is no answer, or it is 429 or 5xx: waiting may heal that.
    DataError
        If the server refuses.
    """
    what = f"the request to {request.target}"
    try:
        with requests.Session() as session:
            asked = requests.Request(
                request.method, request.url, headers=dict(request.headers), data=request.body, auth=_as_it_is
            )
            prepared = session.prepare_request(asked)
            # A company's own authority and its proxy stand in the environment, as for every other program.
            settings = session.merge_environment_settings(prepared.url, {}, None, None, None)
            # Redirects are not followed: a POST would become a GET.
            answer = session.send(prepared, timeout=timeout, allow_redirects=False, **settings)
    # The error's own text holds the address or a header, and what may be secret in them.
    except (requests.exceptions.InvalidHeader, UnicodeError):
        raise DataError(
            f"{what} was not sent: a header of the connection, or its password, holds what no header may, such as a "
            "line break or a letter outside Latin-1"
        ) from None
    except requests.exceptions.InvalidURL:
        raise DataError(f"{what} was not sent: the connection's host is none") from None
    except requests.exceptions.RequestException as error:
        if speaks_no_tls(str(error)):
            raise DataError(
                f"{what} was not sent: the server speaks no TLS, and without a scheme a connection means https; write "
                "http:// before its host if the password may be sent without encryption"
            ) from None
        if isinstance(error, requests.exceptions.SSLError):
            raise DataError(
                f"{what} was not sent: the server's certificate is refused. Name the file of the authority that "
                "vouches for it in REQUESTS_CA_BUNDLE"
            ) from None
        raise TransientError(f"{what} was not answered: {_reason(error)}") from None
    except OSError as error:
        raise DataError(f"{what} was not sent: {_hidden(str(error), request)}") from None
    if answer.ok and not answer.is_redirect and answer.status_code < 300:
        place = answer.headers.get("Location", "")
        return _hidden(f"HTTP {answer.status_code}" + (f", {place}" if place else ""), request)
    said = f"{what} was answered with HTTP {answer.status_code}"
    if 300 <= answer.status_code < 400:
        raise DataError(f"{said}: the server is elsewhere, write its address into the connection")
    lines = answer.text.strip().splitlines()
    first = f": {_hidden(lines[0], request)[:SHOWN]}" if lines else ""
    transient = answer.status_code == 429 or answer.status_code >= 500
    raise (TransientError if transient else DataError)(f"{said}{first}")


def _as_it_is(prepared: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep requests from putting a login of a file ``.netrc`` into the header."""
    return prepared


def _reason(error: requests.exceptions.RequestException) -> str:
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return "no connection in time"
    if isinstance(error, requests.exceptions.Timeout):
        return "no answer in time"
    return "no connection, or it broke off"


def _hidden(text: str, request: HttpRequest) -> str:
    for secret in sorted(request.secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text
