from __future__ import annotations

import json
import shutil
from datetime import timedelta
from itertools import count

import pytest
from sqlalchemy import update

from monitoring_tasks.delivery import deliver as module
from monitoring_tasks.delivery.deliver import deliver
from monitoring_tasks.errors import ConfigError, TransientError
from monitoring_tasks.results import outbox, tables
from monitoring_tasks.results.migrate import migrate
from monitoring_tasks.results.store import open_store
from tests.delivery.outbox_rows import MONITOR, NOW, put, row_of, states
from tests.delivery.servers import web_server


@pytest.fixture(scope="module")
def empty_file(tmp_path_factory):
    file = tmp_path_factory.mktemp("results") / "results.db"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture
def store(empty_file, tmp_path):
    """A store on SQLite; what is SQL is tested on PostgreSQL too, in `test_outbox` and `test_killed`."""
    with open_store(f"sqlite:///{shutil.copy(empty_file, tmp_path)}") as opened:
        yield opened


@pytest.fixture
def web():
    with web_server() as server:
        yield server


def urls(web, **others):
    """Return what gives the URL of a channel: of this web server, with the channel's name as path."""
    return lambda name: others.get(name, f"json://127.0.0.1:{web.port}/{name}")


def clock(start=NOW, step=timedelta(milliseconds=1)):
    ticks = count()
    return lambda: start + next(ticks) * step


def paths(web):
    return [request.path.strip("/") for request in web.requests]


def test_messages_are_sent_once_and_in_order(store, web):
    put(store, "opened", "resolved", channels=("ops", "boss"))
    put(store, "opened", alert="a2", created_at=NOW + timedelta(seconds=1))
    put(store, "opened", alert="a3", monitor="another-monitor")
    delivered = deliver(store, MONITOR, urls(web), now=clock(NOW + timedelta(seconds=2)))
    assert (delivered.sent, delivered.waiting, delivered.failed) == (5, (), ())
    assert [title for path, title in zip(paths(web), web.titles, strict=True) if path == "ops"] == [
        "a1 opened",
        "a1 resolved",
        "a2 opened",
    ]
    assert sorted(paths(web)) == ["boss", "boss", "ops", "ops", "ops"]
    assert states(store)["a3-1-ops"] == "waiting"
    row = row_of(store, "a1-1-ops")
    assert (row["state"], row["attempts"], row["error"]) == ("sent", 1, None)
    assert row["sent_at"] > row["claimed_at"] > NOW
    assert deliver(store, MONITOR, urls(web), now=clock(NOW + timedelta(days=1))).sent == 0
    assert len(web.requests) == 5


def test_a_channel_that_fails_holds_up_only_itself(store, web):
    put(store, "opened", "resolved", channels=("ops", "boss"))
    put(store, "opened", alert="a2", channels=("ops",))
    web.answers = [(503, b"", {})]
    with web_server() as other:
        both = urls(web, boss=f"json://127.0.0.1:{other.port}")
        delivered = deliver(store, MONITOR, both, now=clock())
        assert other.titles == ["a1 opened", "a1 resolved"]
        assert delivered.sent == 2
        assert [(one.title, one.error) for one in delivered.waiting] == [
            ("a1 opened", "answered 503 Service Unavailable"),
            ("a2 opened", ""),
            ("a1 resolved", ""),
        ]
        assert len(web.requests) == 1, "it is left alone for the rest of the call"
        web.answers = []
        later = deliver(store, MONITOR, both, now=clock(NOW + timedelta(seconds=10)))
        assert web.titles[1:] == ["a2 opened"], "the opened one is due after 30 s, and the resolved one waits for it"
        assert len(later.waiting) == 2
        deliver(store, MONITOR, both, now=clock(NOW + timedelta(seconds=31)))
    assert web.titles[2:] == ["a1 opened", "a1 resolved"]
    assert set(states(store).values()) == {"sent"}


def test_a_channel_that_is_not_configured_is_given_up_by_name(store, web):
    put(store, "opened", "resolved", channels=("ops", "nobody"))

    def url(name):
        if name == "nobody":
            raise ConfigError("channel 'nobody' is not known: set MONITORING_CHANNEL_NOBODY")
        return urls(web)(name)

    delivered = deliver(store, MONITOR, url, now=clock())
    assert (delivered.sent, delivered.waiting) == (2, ())
    assert [(one.channel, one.title, one.error) for one in delivered.failed] == [
        ("nobody", "a1 opened", "channel 'nobody' is not known: set MONITORING_CHANNEL_NOBODY"),
        ("nobody", "a1 resolved", "channel 'nobody' is not known: set MONITORING_CHANNEL_NOBODY"),
    ]
    assert deliver(store, MONITOR, url, now=clock(NOW + timedelta(hours=1))).failed == (), "it was said"
    assert len(deliver(store, MONITOR, url, now=clock(NOW + timedelta(hours=1)), since=NOW).failed) == 2


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (TransientError("Airflow's API server does not answer"), "Airflow's API server does not answer"),
        (PermissionError("token hu5h-w0rd is refused"), "channel 'ops' could not be looked up (PermissionError)"),
    ],
    ids=["away", "denied"],
)
def test_connections_that_cannot_be_read_now_are_asked_for_again(store, web, error, said):
    put(store, "opened", channels=("ops", "boss"))

    def url(name):
        if name == "ops":
            raise error
        return urls(web)(name)

    delivered = deliver(store, MONITOR, url, now=clock())
    assert (delivered.sent, [one.error for one in delivered.waiting]) == (1, [said])
    assert deliver(store, MONITOR, urls(web), now=clock(NOW + timedelta(minutes=1))).sent == 1


@pytest.mark.parametrize("content", [{}, [], {"title": "x", "blocks": [3]}, {"title": "x", "blocks": None}])
def test_a_message_that_cannot_be_read_stops_no_other(store, web, content):
    put(store, "opened", "resolved")
    with store.writing(MONITOR) as connection:
        broken = tables.delivery.c.delivery_id == "a1-1-ops"
        connection.execute(update(tables.delivery).where(broken).values(message=content))
    delivered = deliver(store, MONITOR, urls(web), now=clock())
    assert delivered.sent == 1
    assert web.titles == ["a1 resolved"]
    assert delivered.failed[0].error.startswith("the message cannot be read (")


def test_a_message_that_cannot_be_written_waits_and_stops_no_other(store, web):
    put(store, "opened", channels=("boss",))
    put(store, "opened", alert="a2")
    bars = {"block": "bars", "caption": "", "labels": ["a", "b"], "baseline": [1.0], "window": [1.0]}
    with store.writing(MONITOR) as connection:
        broken = tables.delivery.c.delivery_id == "a1-1-boss"
        content = {"title": "a1 opened", "blocks": [bars]}
        connection.execute(update(tables.delivery).where(broken).values(message=content))
    delivered = deliver(store, MONITOR, urls(web), now=clock())
    assert web.titles == ["a2 opened"]
    assert delivered.waiting[0].error == "the message cannot be written for this channel (ValueError)"
    assert states(store)["a1-1-boss"] == "waiting", "and is given up in the end"


@pytest.mark.parametrize("failures", [3, 4])
def test_a_store_that_is_away_when_it_is_recorded_is_waited_for(store, web, monkeypatch, failures):
    put(store, "opened")
    record, tries, pauses = outbox.record_sent, count(1), []

    def away(*arguments, **options):
        if next(tries) <= failures:
            raise TransientError("the server is restarting")
        record(*arguments, **options)

    monkeypatch.setattr(outbox, "record_sent", away)
    monkeypatch.setattr(module.time, "sleep", pauses.append)
    if failures == 3:
        assert deliver(store, MONITOR, urls(web), now=clock()).sent == 1
        assert states(store) == {"a1-1-ops": "sent"}
    else:
        with pytest.raises(TransientError, match="the server is restarting"):
            deliver(store, MONITOR, urls(web), now=clock())
        assert states(store) == {"a1-1-ops": "sending"}, "sent again when the claim has run out"
    assert pauses == [1, 4, 10]
    assert timedelta(seconds=sum(pauses) + module.SECONDS) < outbox.LEASE
    assert len(web.requests) == 1


def test_a_process_that_slept_sends_nothing_that_others_may_have_sent(store, web):
    put(store, "opened", "resolved")
    time = [NOW]

    def sleeping(name):
        time[0] += outbox.LEASE
        assert deliver(store, MONITOR, urls(web), now=lambda: time[0]).sent == 2, "another process, meanwhile"
        return urls(web)(name)

    assert deliver(store, MONITOR, sleeping, now=lambda: time[0]).sent == 0
    assert web.titles == ["a1 opened", "a1 resolved"], "and no opening after the recovery"
    assert set(states(store).values()) == {"sent"}


def test_no_message_is_begun_when_time_is_up(store, web):
    for number in range(4):
        put(store, "opened", alert=f"a{number}")
    minutes = clock(step=timedelta(minutes=1))
    delivered = deliver(store, MONITOR, urls(web), now=minutes, longest=timedelta(minutes=6))
    assert delivered.sent == 2
    assert [one.title for one in delivered.waiting] == ["a2 opened", "a3 opened"]


def test_a_day_of_failures_is_given_up_with_its_reason(store, web):
    put(store, "opened")
    web.answer(500)
    now, failed = NOW, ()
    for _ in range(20):
        failed = deliver(store, MONITOR, urls(web), now=lambda now=now: now).failed
        if failed:
            break
        now += timedelta(hours=7)
    assert len(web.requests) == 5, "0, 7, 14, 21 and 28 hours after it was written"
    assert failed[0].error == "answered 500 Internal Server Error"


SECRETS = ("hu5h-w0rd", "t0ken-in-path", "hu5h%2Dw0rd")


@pytest.mark.parametrize("status", [200, 403, 500])
def test_secrets_reach_no_table_and_no_log(store, web, caplog, status):
    caplog.set_level(1)
    caplog.set_level(1, logger="apprise")
    put(store, "opened")
    web.answer(status, b"who is t0ken-in-path with hu5h-w0rd?")
    url = f"json://ada:hu5h%2Dw0rd@127.0.0.1:{web.port}/in/t0ken-in-path"
    delivered = deliver(store, MONITOR, lambda _: url, now=clock())
    assert web.requests[0].path == "/in/t0ken-in-path"
    names = [table.name for table in tables.metadata.sorted_tables]
    stored = json.dumps([store.query(f"SELECT * FROM {name}") for name in names], default=str)
    assert "a1 opened" in stored
    for secret in SECRETS:
        assert secret not in f"{stored}{caplog.text}{delivered}"
