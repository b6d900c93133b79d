"""Database URLs as people may see them: without what must stay secret."""

from __future__ import annotations

import re
from urllib.parse import quote, quote_plus, unquote, unquote_plus

HIDDEN = "***"

_LOGIN = re.compile(r"(?<=://)(?P<user>[^/?#@:]*):(?P<secret>[^/?#]*)(?=@)")
_SETTING = re.compile(
    r"(?<=[?&;])(?P<name>[^=&;#]*(?:passw|pwd|passphrase|secret|token|credential|private_?key|api_?key|access_?key)[^=&;#]*)"
    r"=(?P<secret>[^&;#]+)",
    re.IGNORECASE,
)


def shown(url: str) -> str:
    """Return the URL with every password, token and key in it hidden, wherever it stands.

    Examples
    --------
    >>> shown("postgresql://ada:s3cret@db/monitoring?sslmode=require&sslpassword=hush")
    'postgresql://ada:***@db/monitoring?sslmode=require&sslpassword=***'
    """
    without_login = _LOGIN.sub(lambda match: f"{match['user']}:{HIDDEN}", url)
    return _SETTING.sub(lambda match: f"{match['name']}={HIDDEN}", without_login)


def secrets(url: str) -> tuple[str, ...]:
    """Return the secrets of a URL, as they stand in it and decoded.

    Examples
    --------
    >>> secrets("postgresql://ada:s%40fe@db/monitoring")
    ('s%40fe', 's@fe')
    """
    found = [match["secret"] for pattern in (_LOGIN, _SETTING) for match in pattern.finditer(url)]
    forms = [form for secret in found for form in (secret, unquote(secret), unquote_plus(secret))]
    return tuple(dict.fromkeys(form for form in forms if form))


def without_secrets(text: str, url: str) -> str:
    """Return a text, such as a driver's error, with the URL's secrets hidden.

    Examples
    --------
    >>> without_secrets("no such login: ada/s@fe", "postgresql://ada:s%40fe@db/monitoring")
    'no such login: ada/***'
    """
    forms = {form for secret in secrets(url) for form in (secret, quote(secret), quote_plus(secret))}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, HIDDEN)
    return text
