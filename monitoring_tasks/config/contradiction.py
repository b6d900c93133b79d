"""Two keys of a monitor file that cannot both be meant."""

from __future__ import annotations

from dataclasses import dataclass

from monitoring_tasks.config.document import KeyPath


@dataclass(frozen=True)
class Contradiction:
    """Two keys that cannot both be meant."""

    path: KeyPath
    message: str
    """``{value}`` stands for the key's value and ``{name.name}`` for another key's, both as written in the file."""
    remedy: str
