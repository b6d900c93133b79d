import pytest
from typer.testing import CliRunner

from monitoring_tasks.cli import app
from monitoring_tasks.errors import ConfigError
from monitoring_tasks.results.migrate import migrate
from monitoring_tasks.results.store import open_store
from tests.delivery.outbox_rows import put, row_of
from tests.delivery.servers import web_server


@pytest.fixture
def web():
    with web_server() as server:
        yield server


@pytest.fixture
def store(tmp_path, monkeypatch, web):
    url = f"sqlite:///{tmp_path / 'results.db'}"
    monkeypatch.setenv("MONITORING_RESULTS_URL", url)
    monkeypatch.setenv("MONITORING_CHANNEL_OPS", f"json://127.0.0.1:{web.port}/hush-hush")
    monkeypatch.delenv("MONITORING_CHANNEL_BOSS", raising=False)
    migrate(url)
    with open_store(url) as opened:
        yield opened


def run(*arguments):
    return CliRunner().invoke(app, ["alerts", *arguments])


def test_what_waits_is_sent_for_every_monitor_or_for_one(store, web):
    put(store, "opened", "resolved")
    put(store, "opened", alert="a2", monitor="loans")
    found = run("send", "loans")
    assert (found.exit_code, found.output) == (0, "loans: 1 message sent\n")
    found = run("send")
    assert (found.exit_code, found.output) == (0, "flights: 2 messages sent\n")
    assert web.titles == ["a2 opened", "a1 opened", "a1 resolved"]
    assert run("send").output == "no messages to send\n"


def test_what_cannot_be_sent_is_named_and_fails_the_command(store, web):
    put(store, "opened", "resolved", channels=("ops", "boss"))
    web.answer(403, b"hush-hush is unknown")
    found = run("send")
    assert found.exit_code == 1
    assert found.stdout == "flights: 0 messages sent\n"
    reason = "answered 403 Forbidden (*** is unknown); the channel's URL may have been revoked or mistyped"
    assert found.stderr.splitlines() == [
        "flights: 2 messages not tried, channel 'boss' is not known: set "
        "MONITORING_CHANNEL_BOSS to an Apprise URL such as mailtos://USER:PASSWORD@HOST?to=ops@example.com or "
        "slack://TOKEN_A/TOKEN_B/TOKEN_C, or under Airflow make a connection of that id, "
        "which its tasks read and this command does not",
        f"flights: given up, channel 'ops', 'a1 opened': {reason}",
        f"flights: given up, channel 'ops', 'a1 resolved': {reason}",
    ]
    row = row_of(store, "a1-1-boss")
    assert (row["state"], row["attempts"], row["error"]) == ("waiting", 0, None), "Airflow may know the channel"


def test_what_was_given_up_is_sent_when_asked_for(store, web):
    put(store, "opened")
    web.answer(404)
    assert run("send").exit_code == 1
    web.answers = []
    assert run("send").output == "flights: 0 messages sent\n"
    assert run("send", "--again").output == "flights: 1 message sent\n"
    assert web.titles == ["a1 opened", "a1 opened"]


@pytest.mark.usefixtures("store")
def test_a_channel_is_tried_out(web):
    found = run("test", "ops")
    assert (found.exit_code, found.output) == (0, "channel ops (JSON): sent\n")
    assert web.titles == ["Test of channel ops: nothing has happened"]
    assert "monitoring-tasks alerts test ops" in web.requests[0].json["message"]
    web.answer(500, b"hush-hush")
    found = run("test", "ops")
    assert found.exit_code == 1
    assert found.stderr == "channel ops (JSON): not sent, answered 500 Internal Server Error (***)\n"
    found = run("test", "boss")
    assert isinstance(found.exception, ConfigError)
    assert "set MONITORING_CHANNEL_BOSS" in str(found.exception)
    assert "which its tasks read and this command does not" in str(found.exception)
