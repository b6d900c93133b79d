"""The request that asks a server for a new model: what the monitor file says, with the evidence filled in. Pure."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from monitoring_tasks.actions.request import RetrainingRequest
from monitoring_tasks.config import Http
from monitoring_tasks.config.placeholders import filled_in, named_in
from monitoring_tasks.errors import ConfigError


@dataclass(frozen=True)
class HttpConnection:
    """Where requests go, and how they log in."""

    name: str
    url: str
    """Without a login: scheme, host, port and what stands before every endpoint."""
    login: str | None = None
    password: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be shown: the password, what it becomes in the header, and all headers of the connection."""
        password = self.password or ""
        basic = b64encode(f"{self.login or ''}:{password}".encode()).decode() if password else ""
        found = (password, quote(password, safe=""), basic, *self.headers.values())
        return tuple(dict.fromkeys(secret for secret in found if len(secret) > 3))


@dataclass(frozen=True)
class HttpRequest:
    """What is sent. Only `target` may be shown."""

    target: str
    """Connection and endpoint as the file writes it."""
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    method: str = "POST"


def http_request(http: Http, connection: HttpConnection, request: RetrainingRequest) -> HttpRequest:
    """Build the request of a monitor file's section `retraining.http`.

    In the texts of `json` and in the endpoint, names in braces stand for values: see
    `monitoring_tasks.config.placeholders`. A text that is ``{evidence}`` alone becomes the list of results itself,
    one that is another name alone becomes its value, null where there is none. In the endpoint values are quoted. A
    form's fields are texts: the list of results stands there as its JSON, and what there is none of is empty.

    The password is a bearer's token, with a login that of Basic authentication. Where the file puts it into the body or
    the endpoint itself, as ``{token}``, no header holds it: GitLab would refuse a trigger's token there.

    Parameters
    ----------
    http
        The section.
    connection
        The connection that it names.
    request
        What is asked for.

    Raises
    ------
    ConfigError
        If the file uses ``{token}`` and the connection has no password, or names what is not known.
    """
    values: dict[str, Any] = request.to_json()
    written = dict(http.body if http.form is None else http.form)
    names = {name for _, name in [*named_in(http.endpoint), *named_in(written)]}
    if "token" in names:
        if not connection.password:
            raise ConfigError(f"connection {connection.name!r} has no password, and the request names {{token}}")
        values["token"] = connection.password
    if unknown := sorted(names - values.keys()):
        raise ConfigError(f"`retraining.http` names {{{unknown[0]}}}, which no request has")
    headers = {
        "Accept": "application/json",
        "Content-Type": "application/json" if http.form is None else "application/x-www-form-urlencoded",
        "User-Agent": "monitoring-tasks",
        "Idempotency-Key": request.action_id,
    }
    if connection.password and "token" not in names and not _names(connection.headers, "authorization"):
        headers["Authorization"] = _authorization(connection)
    for name, value in connection.headers.items():
        headers = {known: its for known, its in headers.items() if known.lower() != name.lower()} | {name: value}
    endpoint = filled_in(http.endpoint, lambda name: quote(_text(values[name]), safe=""))
    sent = _filled(written, values)
    if http.form is None:
        body = json.dumps(sent, ensure_ascii=False)
    else:
        body = urlencode({name: _text(value) for name, value in sent.items()})
    return HttpRequest(request.target, _joined(connection.url, endpoint), headers, body.encode(), connection.secrets)


def _filled(value: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(value, str):
        named = [name for _, name in named_in(value)]
        if len(named) == 1 and value.strip() == f"{{{named[0]}}}":
            return values[named[0]]
        return filled_in(value, lambda name: _text(values[name]))
    if isinstance(value, Mapping):
        return {key: _filled(each, values) for key, each in value.items()}
    return [_filled(each, values) for each in value] if isinstance(value, Sequence) else value


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _authorization(connection: HttpConnection) -> str:
    if not connection.login:
        return f"Bearer {connection.password}"
    return "Basic " + b64encode(f"{connection.login}:{connection.password}".encode()).decode()


def _names(headers: Mapping[str, str], name: str) -> bool:
    return any(each.lower() == name for each in headers)


def _joined(url: str, endpoint: str) -> str:
    base, asked = urlsplit(url), urlsplit(endpoint)
    path = f"{base.path.rstrip('/')}/{asked.path.lstrip('/')}"
    return urlunsplit((base.scheme, base.netloc, path, asked.query or base.query, ""))
