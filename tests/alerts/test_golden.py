"""Each rendering of each event, as people see it.

After a change, ``OVERWRITE=1 pytest tests/alerts/test_golden.py`` writes the files anew: look at them, the HTML in a
browser.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from monitoring_tasks.alerts import html, markdown, plain_text
from monitoring_tasks.alerts.message import Message
from monitoring_tasks.results.migrate import migrate
from monitoring_tasks.results.store import open_store
from tests.alerts.example_notices import NOTICES, filled

GOLDEN = Path(__file__).parent / "golden"
RENDERINGS = {"txt": plain_text.render, "md": markdown.render, "html": html.render}


@pytest.fixture(scope="module")
def notices(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Message]:
    """SQLite only: on another database the SQL in a message is another."""
    url = f"sqlite:///{tmp_path_factory.mktemp('notices') / 'results.db'}"
    migrate(url)
    with open_store(url) as store:
        filled(store)
        return {name: make(store) for name, make in NOTICES.items()}


@pytest.mark.parametrize("suffix", RENDERINGS)
@pytest.mark.parametrize("name", NOTICES)
def test_what_people_see(notices: dict[str, Message], name: str, suffix: str) -> None:
    title, body = RENDERINGS[suffix](notices[name])
    text = body if suffix == "html" else f"{title}\n\n{body}\n"
    golden = GOLDEN / f"{name}.{suffix}"
    if os.environ.get("OVERWRITE"):
        GOLDEN.mkdir(exist_ok=True)
        golden.write_text(text)
    assert text == golden.read_text()


@pytest.mark.parametrize("name", NOTICES)
def test_it_comes_back_from_the_outbox(notices: dict[str, Message], name: str) -> None:
    message = notices[name]
    assert Message.from_json(json.loads(json.dumps(message.to_json()))) == message


@pytest.mark.parametrize("name", NOTICES)
def test_it_fits_into_a_block_of_slack_or_nearly(notices: dict[str, Message], name: str) -> None:
    title, body = markdown.render(notices[name])
    assert len(title) <= 150
    assert len(body) <= markdown.LIMIT
    assert len(markdown.render(notices[name], 3000)[1]) <= 3000
