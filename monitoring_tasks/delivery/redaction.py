"""Texts without what an Apprise URL keeps secret.

Apprise URLs hold tokens anywhere: as host (``slack://T.../B.../X...``), in the path (webhooks), as login, in a header.
So all parts of the URL are secret but the few that help to see what is wrong: a host's name and mail addresses.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from monitoring_tasks.url import HIDDEN
from monitoring_tasks.url import secrets as login_secrets

SHORTEST = 4
"""Characters of a part that is hidden, passwords aside: shorter ones hide more of a text than of a secret."""

_HOST = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,}|localhost|[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_ADDRESS = re.compile(r"[^@\s/]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z0-9-]+|[^@\s/]+@localhost")
_OPEN = frozenset(
    {"from", "to", "cc", "bcc", "reply", "name", "smtp", "mode", "format", "method", "verify", "redirect"}
)
"""Settings of mail and web channels that say nothing secret."""


def secrets(url: str) -> tuple[str, ...]:
    """Return every part of an Apprise URL that may be secret, as it stands there and decoded, the longest first.

    Examples
    --------
    >>> secrets("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7")
    ('TIiajkdnlazkcOXrIdevi7', 'A1BRTD4JD', 'T1JJ3T3L2')
    >>> secrets("mailtos://ada:hush@smtp.example.com?to=ops@example.com")
    ('hush',)
    """
    always = login_secrets(url)
    parts = [part for part in _parts(url) if len(part) >= SHORTEST]
    every = dict.fromkeys((*always, *(unquote(each) for each in always), *parts))
    return tuple(sorted((part for part in every if part), key=len, reverse=True))


def redacted(text: str, url: str) -> str:
    """Return a text, such as a server's answer, with the secrets of a channel's URL hidden.

    Examples
    --------
    >>> redacted("no such hook: /services/T1/hush-hush", "json://hooks.example.com/services/T1/hush-hush")
    'no such hook: /***/T1/***'
    """
    forms = {form for secret in secrets(url) for form in _forms(secret)} | set(_basic(url))
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, HIDDEN)
    return text


def _parts(url: str) -> Iterator[str]:
    """Yield the parts of the URL that are not known to be harmless, raw and decoded."""
    scheme, colon, rest = url.partition("://")
    rest = rest if colon else url
    mail = scheme.lower().startswith("mailto")
    place, _, settings = rest.partition("?")
    authority, _, path = place.partition("/")
    login, _, host = authority.rpartition("@")
    name = host.partition(":")[0]
    pieces = [*(login.split(":") if login and not mail else []), *re.split("[/#]", path)]
    if not _HOST.fullmatch(name):
        pieces += [host, *host.split(":")]
    for setting in re.split("[&;]", settings):
        key, _, value = setting.partition("=")
        if key.lower() not in _OPEN:
            pieces += [value, *value.split(",")]
    for piece in pieces:
        for form in (piece, unquote(piece), unquote_plus(piece)):
            if mail and _ADDRESS.fullmatch(form):
                break
            yield form
            yield from form.split()


def _forms(secret: str) -> tuple[str, ...]:
    return secret, quote(secret), quote_plus(secret), quote(secret, safe=""), repr(secret)[1:-1]


def _basic(url: str) -> Iterator[str]:
    """Yield what HTTP's and SMTP's plain logins make of user and password."""
    login = url.partition("://")[2].partition("/")[0].rpartition("@")[0]
    user, colon, password = login.partition(":")
    if colon:
        user, password = unquote(user), unquote(password)
        for joined in (f"{user}:{password}", f"\0{user}\0{password}", password):
            yield b64encode(joined.encode()).decode()
