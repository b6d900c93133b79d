"""Database URLs as people may see them: without what must stay secret."""

from __future__ import annotations

import re
from urllib.parse import quote, quote_plus, unquote, unquote_plus

HIDDEN = "***"

# As SQLAlchemy reads a login: any character but `@`. A secret with an `@` goes on to the last one before the settings.
# An address without `://` is none, and what might be a login in it is hidden all the same.
_LOGIN = re.compile(
    r"(?s)(?:(?<=://)(?P<user>[^/:]*):(?P<secret>[^@]*(?:@(?![^@]*[?&][^@&=]*=)[^@]*)*)"
    r"|\A(?!.*://)(?P<user_>[^:@]*):(?P<secret_>.*))(?=@)"
)
# `authenticator` and the like name a way to log in, and drivers repeat such words in their errors.
_SETTING = re.compile(
    r"(?<=[?&;])(?P<name>[^=&;#]*(?:passw|pwd|passphrase|secret|token|credential|(?:private|api|access|account)_?key"
    r"|(?<![a-z])(?:pass|sig|signature|pat)(?==)|auth(?!enticator|_?type|_?method|_?mechanism))[^=&;#]*)"
    r"=(?P<secret>[^&]+)",
    re.IGNORECASE,
)


def shown(url: str) -> str:
    """Return the URL with every password, token and key in it hidden, wherever it stands.

    Examples
    --------
    >>> shown("postgresql://ada:s3cret@db/monitoring?sslmode=require&sslpassword=hush")
    'postgresql://ada:***@db/monitoring?sslmode=require&sslpassword=***'
    """
    without_login = _LOGIN.sub(lambda match: f"{match['user'] or match['user_'] or ''}:{HIDDEN}", url)
    return _SETTING.sub(lambda match: f"{match['name']}={HIDDEN}", without_login)


def secrets(url: str) -> tuple[str, ...]:
    """Return the secrets of a URL, as they stand in it and decoded.

    Examples
    --------
    >>> secrets("postgresql://ada:s%40fe@db/monitoring")
    ('s%40fe', 's@fe')
    """
    logins = [match["secret"] or match["secret_"] or "" for match in _LOGIN.finditer(url)]
    # SQLAlchemy cuts at the first `@`, so that drivers may repeat the rest of the secret as a part of the host's name.
    cut = [part for login in logins if "@" in login for part in (login.split("@")[0], login.split("@", 1)[1] + "@")]
    found = [*logins, *cut, *(match["secret"] for match in _SETTING.finditer(url))]
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


def speaks_no_tls(error: str) -> bool:
    """Tell whether an error of OpenSSL's says that the answer was no TLS at all, rather than that it is not trusted.

    Examples
    --------
    >>> speaks_no_tls("[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1016)")
    True
    >>> speaks_no_tls("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate")
    False
    """
    return any(f"SSL: {name}]" in error for name in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"))
