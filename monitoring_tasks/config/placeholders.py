"""What a request of `retraining.http` may name in braces, and what it names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from monitoring_tasks.config.document import KeyPath

PLACEHOLDERS = (
    "action_id", "alert_id", "approved_by", "evidence", "export", "monitor", "note", "query", "reason", "token",
    "train_end", "train_start", "window_end", "window_start",
)  # fmt: skip
"""``{token}`` is the connection's password; every other one stands for a value of the request."""

_NAMED = re.compile(r"\{\{|\}\}|\{([A-Za-z_][A-Za-z0-9_]*)\}")


def named_in(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    """Yield the names in braces of every text in a JSON value, with the place of the text.

    Examples
    --------
    >>> list(named_in({"ref": "main", "variables": [{"key": "WHY", "value": "{reason} ({monitor})"}]}))
    [(('variables', 0, 'value'), 'reason'), (('variables', 0, 'value'), 'monitor')]
    """
    if isinstance(value, str):
        yield from ((path, match[1]) for match in _NAMED.finditer(value) if match[1])
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from named_in(each, (*path, key))
    elif isinstance(value, Sequence):
        for i, each in enumerate(value):
            yield from named_in(each, (*path, i))


def filled_in(text: str, value_of: Callable[[str], str]) -> str:
    """Return the text with every name in braces replaced by its value; doubled braces become single ones.

    Examples
    --------
    >>> filled_in("{{not me}} but {monitor}", lambda name: name.upper())
    '{not me} but MONITOR'
    """
    return _NAMED.sub(lambda match: value_of(match[1]) if match[1] else match[0][0], text)
