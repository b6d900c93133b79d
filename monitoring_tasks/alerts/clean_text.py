"""Text that others wrote, made fit for a message: nothing invisible, nothing that turns lines around, not too long."""

from __future__ import annotations

import unicodedata

CUT = "…"

KEPT_FORMATS = {"\u200d"}
"""The joiner of emoji and of Indic scripts: without it the text would say something else."""

MARKS = 3
"""Marks on one letter: Vietnamese has two, and a pile of them covers the lines above."""


def clean(text: str) -> str:
    """Remove what is not seen and what changes how the rest is seen, and put blanks where lines end.

    Out go control characters, lone surrogates, zero-width characters, and those that set the direction of text: after
    U+202E a harmless file name reads backwards. Letters of right-to-left scripts stay. Of marks that are stacked on one
    letter three stay.

    Examples
    --------
    >>> clean("temp\\u202e\\u200b\\n*drifted*\\x00")
    'temp *drifted*'
    """
    if text.isascii() and text.isprintable():
        return text
    kept: list[str] = []
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        if character in "\n\r\t\v\f\x85" or category in ("Zl", "Zp"):
            character, category = " ", "Zs"
        if category in ("Cc", "Cf", "Cs") and character not in KEPT_FORMATS:
            continue
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks <= MARKS:
            kept.append(character)
    return "".join(kept)


def one_line(text: str, length: int) -> str:
    """Return the text clean, with single blanks between its words, and no longer than `length` characters.

    Examples
    --------
    >>> one_line("connection  refused:\\n  is the server running?", 24)
    'connection refused: is…'
    """
    # Of a text of megabytes only the beginning is looked at.
    words = " ".join(clean(text[: 4 * length + 100]).split())
    if len(words) <= length and len(text) <= 4 * length + 100:
        return words
    return words[: length - len(CUT)].rstrip() + CUT
