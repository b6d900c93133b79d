"""What went wrong most: error texts, of which those that differ in numbers and quoted parts alone are one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from monitoring_tasks.profile import Bins, ColumnProfile

TOP = 5
"""Errors that are named, at most."""

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


@dataclass(frozen=True)
class Errors:
    """The errors of a window."""

    top: tuple[tuple[str, int], ...]
    """Templates with their rows, by falling rows, ties in code-point order; at most `TOP`."""
    kinds: int
    """How many templates there are."""
    unnamed: int
    """Rows whose text is not known: rarer ones, and new ones where those are too many to name."""


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


def errors_of(bins: Bins, column: ColumnProfile) -> Errors:
    """Return the errors of a window by the column that holds their texts.

    Parameters
    ----------
    bins
        How it is counted; of a category.
    column
        The window's counts.

    Examples
    --------
    >>> bins = Bins("categorical", categories=("no answer within 2000 ms", "no answer within 500 ms"))
    >>> errors_of(bins, ColumnProfile("error", "categorical", (90, 3, 2, 1, 4), unseen=(("out of memory", 4),)))
    Errors(top=(('no answer within # ms', 5), ('out of memory', 4)), kinds=2, unnamed=1)
    """
    texts = [*zip(bins.categories, column.counts[1:], strict=False), *(column.unseen or ())]
    others, new = column.counts[-2:]
    rows = _added((template(text), count) for text, count in texts if count)
    named = sum(count for _, count in column.unseen or ())
    top = sorted(rows.items(), key=lambda item: (-item[1], item[0]))
    return Errors(tuple(top[:TOP]), len(top), others + new - named)


def _added(rows: Iterable[tuple[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for name, count in rows:
        total[name] = total.get(name, 0) + count
    return total
