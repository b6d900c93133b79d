"""What the texts of an error have in common, wherever it came: without numbers and quoted parts. Pure."""

from __future__ import annotations

import re

NUMBER = "#"
"""Stands for a number, a time or an identifier."""

QUOTED = "'…'"
"""Stands for a quoted part."""

_VARYING = re.compile(
    r"""
    (?P<code>\b(?:https?(?:/\d(?:\.\d)?)?|status|code|error|errno|sqlstate|exit)\b[\s:=(#-]*\d{1,5}\b)
    | (?P<quoted>(?<!\w)'[^']*'(?!\w) | "[^"]*" | `[^`]*`)
    | (?P<time>\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)?(?:Z|[+-]\d\d:?\d\d)?)
    | (?P<uuid>\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b)
    | (?P<hexadecimal>\b0x[0-9a-f]+\b | \b(?=[a-f]*\d)[0-9a-f]{8,}\b)
    | (?P<number>\d+(?:[.,:/]\d+)*)
    """,
    re.IGNORECASE | re.VERBOSE,
)


def template(text: str) -> str:
    """Return the text with what differs from one inference to the next left out.

    Numbers, times, identifiers and quoted parts differ; a short number after a word such as HTTP, status or errno does
    not, for it says what went wrong, nor does one that is the whole text.

    Examples
    --------
    >>> template("WeatherServiceTimeout: no answer within 2000 ms for JFK at 2013-04-01T05:00Z")
    'WeatherServiceTimeout: no answer within # ms for JFK at #'
    >>> template("HTTP 503 for '/v1/score' after 3 tries"), template("504")
    ("HTTP 503 for '…' after # tries", '504')
    """
    if text.strip().isdigit():
        return text
    return _VARYING.sub(_replacement, text)


def _replacement(found: re.Match[str]) -> str:
    if found["code"] is not None:
        return found["code"]
    return QUOTED if found["quoted"] is not None else NUMBER
