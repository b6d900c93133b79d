"""A body that fits its channel: what can be spared goes first, block by block."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from monitoring_tasks.alerts.clean_text import CUT
from monitoring_tasks.alerts.message import Bars, Block, Code, Course, Facts, Links, Numbers, Paragraph

SPARED: tuple[type[Block], ...] = (Bars, Course, Code, Numbers, Links, Facts, Paragraph)
"""What goes first. Of code the SQL stands before the commands, and of each kind the last goes first."""

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
    kept = list(blocks)
    text = body(kept)
    if not limit or len(text) <= limit:
        return text
    for kind in SPARED:
        for block in _last_first(kept, kind):
            kept.remove(block)
            for end in ([Paragraph(LEFT_OUT)], []):
                text = body([*kept, *end])
                if len(text) <= limit:
                    return text
    return text[: max(limit - len(CUT), 0)] + CUT[:limit]


def _last_first(blocks: Sequence[Block], kind: type[Block]) -> list[Block]:
    found = [block for block in reversed(blocks) if isinstance(block, kind)]
    # What to type matters more than what to read.
    return sorted(found, key=lambda block: isinstance(block, Code) and block.language == "shell")
