"""The task's body: what it sends, and when it is retried, fails or sends again what was given up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowFailException

from monitoring_tasks.airflow import deliver as module
from monitoring_tasks.airflow.deliver import deliver_alerts
from monitoring_tasks.airflow.retries import heals_by_waiting
from monitoring_tasks.config import load_monitor
from monitoring_tasks.errors import TransientError
from monitoring_tasks.results.migrate import migrate
from monitoring_tasks.results.store import open_store
from tests.delivery.outbox_rows import put, states
from tests.delivery.servers import web_server


@pytest.fixture
def web():
    with web_server() as server:
        yield server


@pytest.fixture
def monitor(write_monitor, tmp_path, monkeypatch, web):
    url = f"sqlite:///{tmp_path / 'results.db'}"
    migrate(url)
    monkeypatch.setenv("MONITORING_RESULTS_URL", url)
    monkeypatch.setenv("MONITORING_CHANNEL_OPS", f"json://127.0.0.1:{web.port}/ops")
    monkeypatch.setenv("MONITORING_CHANNEL_BOSS", "no URL that Apprise can use")
    return load_monitor(write_monitor("rain"))


@pytest.fixture
def store(monitor, tmp_path):  # noqa: ARG001  the monitor's store is there before
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as opened:
        yield opened


def task_try(monkeypatch, number, *, last=4, began=None):
    """Let the task believe that this is its try of this number, of at most so many since it was cleared."""
    context = {
        "ti": SimpleNamespace(try_number=number, max_tries=last - 1),
        "task": SimpleNamespace(retries=3),
        "dag_run": SimpleNamespace(start_date=began or datetime.now(UTC) - timedelta(seconds=5)),
    }
    monkeypatch.setattr(module, "get_current_context", lambda: context)


def send(monitor):
    return heals_by_waiting(deliver_alerts)(monitor)


def test_messages_are_sent_once(monitor, store, web):
    put(store, "opened", "resolved", monitor="rain")
    assert send(monitor) == "2 messages sent"
    assert web.titles == ["a1 opened", "a1 resolved"]
    assert send(monitor) == "0 messages sent"
    assert len(web.requests) == 2


def test_a_message_that_waits_lets_airflow_retry(monitor, store, web):
    put(store, "opened", "resolved", monitor="rain")
    web.answer(503)
    with pytest.raises(TransientError) as error:
        send(monitor)
    assert str(error.value) == (
        "2 messages could not be sent yet: channel 'ops', 'a1 opened': answered 503 Service Unavailable; "
        "channel 'ops', 'a1 resolved': not tried yet. Retries of this task and later runs of the monitor try again"
    )


def test_a_message_that_is_given_up_fails_the_task_in_every_try_of_the_run(monitor, store, web, monkeypatch):
    put(store, "opened", monitor="rain", channels=("boss", "ops"))
    task_try(monkeypatch, 1)
    with web_server() as broken:
        broken.answer(500)
        monkeypatch.setenv("MONITORING_CHANNEL_OPS", f"json://127.0.0.1:{broken.port}")
        with pytest.raises(
            TransientError, match=r"1 message could not be sent yet: .*; 1 message given up: channel 'boss'"
        ):
            send(monitor)
    monkeypatch.setenv("MONITORING_CHANNEL_OPS", f"json://127.0.0.1:{web.port}")
    with store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE delivery SET next_attempt_at = NULL")
    task_try(monkeypatch, 2)
    with pytest.raises(
        AirflowFailException, match=r"1 message given up: channel 'boss', 'a1 opened': channel 'boss': its URL"
    ):
        send(monitor)
    assert states(store) == {"a1-1-boss": "failed", "a1-1-ops": "sent"}


def test_a_channel_that_airflow_does_not_know_now_may_be_known_later(monitor, store, web, monkeypatch):
    """Airflow says the same of a connection when its API server or its secrets backend is away."""
    put(store, "opened", monitor="rain", channels=("boss",))
    monkeypatch.delenv("MONITORING_CHANNEL_BOSS")
    with pytest.raises(TransientError, match="channel 'boss' is not known: set MONITORING_CHANNEL_BOSS to"):
        send(monitor)
    assert states(store) == {"a1-1-boss": "waiting"}
    monkeypatch.setenv("AIRFLOW_CONN_BOSS", f"http://127.0.0.1:{web.port}/http")
    with store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE delivery SET next_attempt_at = NULL")
    assert send(monitor) == "1 message sent"


def test_a_later_run_is_not_failed_by_what_an_earlier_one_gave_up(monitor, store, monkeypatch):
    put(store, "opened", monitor="rain", channels=("boss",))
    with pytest.raises(AirflowFailException, match="given up"):
        send(monitor)
    task_try(monkeypatch, 1, began=datetime.now(UTC))
    assert send(monitor) == "0 messages sent"


def test_clearing_the_task_sends_what_was_given_up(monitor, store, web, monkeypatch):
    put(store, "opened", monitor="rain", channels=("boss",))
    task_try(monkeypatch, 1)
    with pytest.raises(AirflowFailException, match="Mend the channel, and clear this task to send them after all"):
        send(monitor)
    monkeypatch.setenv("MONITORING_CHANNEL_BOSS", f"json://127.0.0.1:{web.port}/boss")
    task_try(monkeypatch, 3, last=5)  # a retry of what was cleared is no clearing
    with pytest.raises(AirflowFailException):
        send(monitor)
    task_try(monkeypatch, 2, last=5)
    assert send(monitor) == "1 message sent"
    for number in range(3, 23):
        task_try(monkeypatch, number, last=number + 3)
        assert send(monitor) == "0 messages sent", "however often it is cleared, nothing is sent twice"
    assert web.titles == ["a1 opened"]
