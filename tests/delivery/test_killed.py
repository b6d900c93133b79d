"""Killed between any two steps nothing is lost, and only what was sent and not recorded is sent twice: real signals."""

from __future__ import annotations

import multiprocessing
import signal
from collections import Counter
from datetime import timedelta

import pytest

from monitoring_tasks.results.outbox import LEASE
from tests.delivery import deliverers
from tests.delivery.deliverers import STEPS
from tests.delivery.outbox_rows import NOW, put, states
from tests.delivery.servers import web_server

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["__main__", "tests.delivery.deliverers", "tests.results.writers"])

SENT_TWICE = "after sending"


def run(work, *arguments):
    process = PROCESSES.Process(target=work, args=arguments)
    process.start()
    return process


@pytest.mark.parametrize("step", STEPS)
def test_a_killed_process_loses_nothing(store, step):
    """The second of three messages is the one at which it dies, one of them on a channel of its own."""
    url = store.engine.url.render_as_string(hide_password=False)
    put(store, "opened", "resolved")
    put(store, "opened", alert="a2", channels=("boss",), created_at=NOW + timedelta(seconds=1))
    with web_server() as web:
        killed = run(deliverers.deliver_and_die, url, web.port, NOW, step, 2)
        killed.join(timeout=60)
        assert killed.exitcode == -signal.SIGKILL
        soon, later = NOW + timedelta(seconds=2), NOW + LEASE
        deliverers.deliver(url, web.port, soon)
        claimed = step in ("after the claim", SENT_TWICE)
        assert states(store)["a1-2-ops"] == ("sending" if claimed else "sent"), "a claim holds until it runs out"
        deliverers.deliver(url, web.port, later)
        deliverers.deliver(url, web.port, later + LEASE)
    assert set(states(store).values()) == {"sent"}
    twice = {"a1 resolved"} if step == SENT_TWICE else set()
    assert Counter(web.titles) == Counter(["a1 opened", "a1 resolved", "a2 opened", *twice])
    keys = {
        (title, request.headers["Idempotency-Key"]) for title, request in zip(web.titles, web.requests, strict=True)
    }
    assert keys == {("a1 opened", "a1-1-ops"), ("a1 resolved", "a1-2-ops"), ("a2 opened", "a2-1-boss")}
    order = [title for title in web.titles if title.startswith("a1")]
    assert order == sorted(order), "opened before resolved"


def test_two_processes_side_by_side_send_each_message_once(store):
    url = store.engine.url.render_as_string(hide_password=False)
    for number in range(8):
        put(store, "opened", "resolved", alert=f"a{number}", channels=("ops", "boss"))
    with web_server() as web:
        both = [run(deliverers.deliver, url, web.port, NOW) for _ in range(2)]
        for process in both:
            process.join(timeout=60)
        assert [process.exitcode for process in both] == [0, 0]
    sent = Counter((request.path, request.json["title"]) for request in web.requests)
    assert (len(sent), set(sent.values())) == (32, {1})
    assert set(states(store).values()) == {"sent"}
