"""A message as Markdown that reads well in Slack and in Teams, and in what is like them.

It is CommonMark, which Apprise turns into Slack's mrkdwn. Teams shows of it bold text, lists and links, and neither
headings nor tables nor fixed-width text; Slack shows no tables and no headings. So numbers and pictures are lists, and
only what people copy stands in code. Text of others keeps no character that means something in any of these dialects:
a backslash before it would do in CommonMark, but Slack would show the backslash.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from monitoring_tasks.alerts import text_picture
from monitoring_tasks.alerts.message import (
    Bars,
    Block,
    Code,
    Course,
    Facts,
    Headline,
    Links,
    Message,
    Numbers,
    Paragraph,
)
from monitoring_tasks.alerts.shortening import within
from monitoring_tasks.checks.wording import percent

LIMIT = 8000
"""Characters of a body where the channel names no limit: Slack cuts the text of an attachment there."""

_LOOK_ALIKE = str.maketrans({"*": "∗", "`": "'", "<": "＜", ">": "＞", "~": "∼", "\\": "＼", "|": "∣"})
_ROUND = str.maketrans("[]", "()")
_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_BRACKET = re.compile(r"\](?=[(\[:])")
_MENTION = re.compile(r"(?<![\w.])@(?=\w)")
_START = re.compile(r"^(?:#{1,6}|[-+]|\d{1,9}[.)])(?=\s|$)|^[-=]{2,}")
_ENTITY = re.compile(r"&(?=#?\w+;)")


def render(message: Message, limit: int | None = LIMIT) -> tuple[str, str]:
    """Return title and body.

    Parameters
    ----------
    message
        Any message; whatever others wrote in it links nowhere, calls nobody and changes no line's look.
    limit
        Characters that the channel takes of a body; whole blocks are left out first, pictures and SQL before numbers.

    Examples
    --------
    >>> print(*render(Message("loans: drift", "high", "opened", (Headline("age *moved*"), Facts((("Since", "now"),))))))
    loans: drift **age ∗moved∗**
    <BLANKLINE>
    - Since: **now**
    """
    return unmarked(message.title), within(message.blocks, limit, _body)


def unmarked(text: str) -> str:
    """Replace what a dialect of Markdown would read as markup by what looks like it.

    Where nothing looks like it (a mention, the start of a list or of a heading) a space without width breaks it.

    Examples
    --------
    >>> unmarked("wind_speed of [10,20) rose, _not_ <!channel> [this](http://x) @here")
    'wind_speed of [10,20) rose, ＿not＿ ＜!channel＞ [this] (http://x) @\\u200bhere'
    """
    text = _START.sub("\u200b\\g<0>", text)
    text = _UNDERSCORE.sub("＿", text.translate(_LOOK_ALIKE))
    return _MENTION.sub("@\u200b", _ENTITY.sub("＆", _BRACKET.sub("] ", text)))


def _body(blocks: Sequence[Block]) -> str:
    return "\n\n".join(filter(None, (_block(block) for block in blocks)))


def _block(block: Block) -> str:
    match block:
        case Headline(text):
            return _bold(text)
        case Paragraph(text):
            return unmarked(text)
        case Facts(pairs):
            return "\n".join(f"- {unmarked(name)}: {_bold(value)}" for name, value in pairs)
        case Numbers(caption, header, rows, more):
            left = [f"- and {more:,} more"] if more else []
            return "\n".join([_bold(caption), "", *(_row(header, row) for row in rows), *left])
        case Bars():
            before, after = map(unmarked, block.sides)
            head = f"{_bold(block.caption)}: {before} → **{after}**"
            sides = zip(block.labels, block.baseline, block.window, strict=True)
            return "\n".join([head, "", *(_change(label, before, after) for label, before, after in sides)])
        case Course():
            bound = unmarked(block.subtitle)
            ends = f"{unmarked(block.labels[0])} to {unmarked(block.labels[-1])}" if block.labels else ""
            return f"{_bold(block.caption)}{', ' * bool(bound)}{bound}: {text_picture.sparkline(block)} ({ends})"
        case Code(caption, text, "shell"):
            return "\n".join([_bold(caption), "", *(_command(line) for line in text.splitlines())])
        case Code(caption, text):
            return f"{_bold(caption)}\n\n```\n{_literal(text)}\n```"
        case Links(pairs):
            return "\n".join(f"- [{unmarked(name).translate(_ROUND)}](<{url}>)" for name, url in pairs)


def _row(header: Sequence[str], row: Sequence[str]) -> str:
    """Write a row as a list's item: the two cells that say what it is of, then each other with its column's name."""
    rest = [
        _bold(cell) if name == "value" else f"{unmarked(name)} {unmarked(cell)}"
        for name, cell in zip(header[2:], row[2:], strict=True)
        if cell
    ]
    what = [_bold(row[0]), *map(unmarked, filter(None, row[1:2]))]
    return f"- {', '.join(what)}: {', '.join(rest)}"


def _change(label: str, before: float, after: float) -> str:
    drawn = "▲" if after > before else "▼" if after < before else "="
    moved = f" {drawn}" if abs(after - before) >= 0.01 else ""
    return f"- {unmarked(label)}: {percent(before)} → **{percent(after)}**{moved}"


def _bold(text: str) -> str:
    """Write text of others in bold; stars around nothing would be a line across."""
    return f"**{unmarked(text)}**" if text else ""


def _command(line: str) -> str:
    words, _, comment = line.partition("  # ")
    return f"- {unmarked(comment)}: `{_literal(words)}`" if comment else f"- `{_literal(words)}`"


def _literal(text: str) -> str:
    """Keep code from ending early."""
    return text.replace("`", "'")
