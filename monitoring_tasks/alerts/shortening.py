"""A body that fits its channel: what can be spared goes first, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from monitoring_tasks.alerts.clean_text import CUT
from monitoring_tasks.alerts.message import Bars, Block, Code, Course, Facts, Links, Numbers, Paragraph

FEW = 3
"""Rows that are left of a table of numbers before more is left out."""

LEFT_OUT = "More of this stands in the results store; it was left out because this channel takes only short messages."


def within(blocks: Sequence[Block], limit: int | None, body: Callable[[Sequence[Block]], str]) -> str:
    """Render as many blocks as fit.

    Parameters
    ----------
    blocks
        Of a message, in its order.
    limit
        Characters that the channel takes; None or 0 for any number.
    body
        Renders blocks.

    Examples
    --------
    >>> from monitoring_tasks.alerts.message import Headline
    >>> within([Headline("age moved."), Code("SQL", "SELECT 1")], 20, lambda blocks: " ".join(b.text for b in blocks))
    'age moved. SELECT 1'
    >>> within([Headline("age moved."), Code("SQL", "SELECT 1")], 12, lambda blocks: " ".join(b.text for b in blocks))
    'age moved.'
    """
    text = body(blocks)
    if not limit or len(text) <= limit:
        return text
    for kept in _ever_fewer(blocks):
        for end in ([Paragraph(LEFT_OUT)], []):
            text = body([*kept, *end])
            if len(text) <= limit:
                return text
    return text[: max(limit - len(CUT), 0)] + CUT[:limit]


def _ever_fewer(blocks: Sequence[Block]) -> Iterator[list[Block]]:
    """Yield what is left, with one thing less each time: pictures, SQL and all but the worst numbers are spared first.

    What to type goes before the last numbers do: a message without evidence is not believed, and the commands are
    always the same; and so do the facts, most of which title and headline have named. Of each kind the last goes first.
    """
    kept = list(blocks)
    last = (_is(kind) for kind in (Facts, Links, Numbers, Paragraph))
    for spared in (_is(Bars), _is(Course), _is_sql, _is_long, _is(Code), *last):
        for place in reversed(range(len(kept))):
            block = kept[place]
            if not spared(block):
                continue
            kept[place : place + 1] = [_few(block)] if spared is _is_long and isinstance(block, Numbers) else []
            yield list(kept)


def _few(block: Numbers) -> Numbers:
    return replace(block, rows=block.rows[:FEW], more=block.more + len(block.rows) - FEW)


def _is(kind: type[Block]) -> Callable[[Block], bool]:
    return lambda block: isinstance(block, kind)


def _is_sql(block: Block) -> bool:
    return isinstance(block, Code) and block.language != "shell"


def _is_long(block: Block) -> bool:
    return isinstance(block, Numbers) and len(block.rows) > FEW
