"""What a suite file expects, in one number: a part of what can change a result."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any


def suite_digest(path: Path) -> str | None:
    """Return a digest of what the file expects: notes and ids do not count. None where it cannot be read."""
    try:
        raw = path.read_bytes()
    except OSError:
        return None
    try:
        content = _without_notes(json.loads(raw))
    except ValueError:
        return hashlib.sha256(raw).hexdigest()
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


_SAYS_NOTHING = {"meta", "notes", "id", "ge_cloud_id", "rendered_content", "description", "expectation_context"}


def _without_notes(content: Any) -> Any:
    if not isinstance(content, dict):
        return content
    kept = {key: value for key, value in content.items() if key not in _SAYS_NOTHING}
    if isinstance(kept.get("expectations"), list):
        kept["expectations"] = [
            {key: value for key, value in each.items() if key not in _SAYS_NOTHING} if isinstance(each, dict) else each
            for each in kept["expectations"]
        ]
    return kept
