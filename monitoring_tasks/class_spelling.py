"""How a class is written: by the monitor file, and by columns of texts, of numbers, and of true and false. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?", re.ASCII)
_WHOLE = re.compile(r"(-?(?:0|[1-9]\d*))\.0+", re.ASCII)
"""How engines write a double that is whole; a code such as 01 or 1e3 is no number that one of them wrote."""

_TRUTH = {"true": 1, "false": 0}


def class_text(value: object) -> str:
    """Return a class as it is written, true and false in small letters as every engine writes them.

    Examples
    --------
    >>> class_text(1), class_text("01"), class_text(True), class_text("late")
    ('1', '01', 'true', 'late')
    """
    return str(value).lower() if isinstance(value, bool) else str(value)


def plain_number(text: str) -> str:
    """Return a whole number that an engine wrote as a double without its point; any other text as it is.

    Examples
    --------
    >>> plain_number("2.0"), plain_number("02"), plain_number("2e3"), plain_number("2.5")
    ('2', '02', '2e3', '2.5')
    """
    found = _WHOLE.fullmatch(text)
    return text if found is None else found[1]


def class_number(text: str) -> int | float | None:
    """Return the number that a class is in a column of numbers; None of a class that can be none.

    Examples
    --------
    >>> class_number("1"), class_number("0.5"), class_number("true"), class_number("late"), class_number("1_000")
    (1, 0.5, 1, None, None)
    """
    if text in _TRUTH:
        return _TRUTH[text]
    if not _NUMBER.fullmatch(text):
        return None
    if text.lstrip("+-").isdigit():
        return int(text)
    value = float(text)
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() else value


def class_boolean(text: str) -> str | None:
    """Return how a class is written in a column of true and false; None of a class that can be neither.

    Examples
    --------
    >>> class_boolean("true"), class_boolean("0"), class_boolean("1.0"), class_boolean("late")
    ('true', 'false', 'true', None)
    """
    return {1: "true", 0: "false"}.get(class_number(text))  # type: ignore[arg-type]


def class_spellings(text: str, classes: Sequence[str]) -> tuple[str, ...]:
    """Return how a class is written in a column of texts: as it is, and without the point of a double.

    The second only where that is no other class.

    Parameters
    ----------
    text
        One of the classes.
    classes
        All of the model.

    Examples
    --------
    >>> class_spellings("2.0", ["1.0", "2.0"]), class_spellings("2.0", ["2", "2.0"]), class_spellings("02", ["02"])
    (('2.0', '2'), ('2.0',), ('02',))
    """
    plain = plain_number(text)
    taken = [each for each in classes if each != text and plain_number(each) == plain]
    return (text,) if plain == text or taken else (text, plain)
