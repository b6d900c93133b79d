"""A message as markdown."""

from __future__ import annotations

from monitoring_tasks.alerts.message import Message


def render(message: Message, limit: int | None = None) -> tuple[str, str]:
    """Return title and body."""
    return message.title, message.title[:limit]
