"""A message as plain text: for terminals, logs, SMS, and as the part of a mail that every client can show."""

from __future__ import annotations

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


def render(message: Message, limit: int | None = None) -> tuple[str, str]:
    """Return title and body.

    Parameters
    ----------
    message
        Any message: its text is clean, and plain text knows no markup.
    limit
        Characters that the channel takes of a body; whole blocks are left out first, pictures and SQL before numbers.

    Examples
    --------
    >>> render(Message("loans: drift", "high", "opened", (Headline("age moved."), Facts((("Since", "2013-04-02"),)))))
    ('loans: drift', 'age moved.\\n\\nSince: 2013-04-02')
    """
    return message.title, within(message.blocks, limit, _body)


def _body(blocks: Sequence[Block]) -> str:
    return "\n\n".join(filter(None, (_block(block) for block in blocks)))


def _block(block: Block) -> str:
    match block:
        case Headline(text) | Paragraph(text):
            return text
        case Facts(pairs):
            return "\n".join(f"{name}: {value}" for name, value in pairs)
        case Numbers(caption, header, rows, more):
            left = [f"and {more:,} more"] if more else []
            return "\n".join([caption, *text_picture.table(header, rows), *left])
        case Bars():
            before, after = block.sides
            return "\n".join([f"{block.caption}: {before} and {after}", *text_picture.bars(block)])
        case Course():
            bound = block.subtitle
            ends = f"{block.labels[0]} to {block.labels[-1]}" if block.labels else ""
            return "\n".join(
                [f"{block.caption}{', ' * bool(bound)}{bound}", f"{text_picture.sparkline(block)}  {ends}"]
            )
        case Code(caption, text):
            return f"{caption}\n" + "\n".join(f"  {line}" for line in text.splitlines())
        case Links(pairs):
            return "\n".join(f"{name}: {url}" for name, url in pairs)
