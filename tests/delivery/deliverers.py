"""What the child processes of `test_killed` do: send a monitor's messages, and die by SIGKILL at a given step."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from datetime import datetime
from typing import Any

from monitoring_tasks.delivery import deliver as module
from monitoring_tasks.delivery.send import open_channel
from monitoring_tasks.results import outbox
from monitoring_tasks.results.store import open_store
from tests.delivery.outbox_rows import MONITOR

# Apprise imports its services, which takes a second, before the server that has imported this forks the children.
open_channel("any", "json://localhost")

STEPS = ("before the claim", "after the claim", "after sending", "after the record")


def deliver_and_die(url: str, port: int, now: datetime, step: str, message: int) -> None:
    """Send what is due, and die at this step of the message of this number, counted from 1."""

    def killing(function: Callable[..., Any], *, before: bool = False) -> Callable[..., Any]:
        calls = 0

        def wrapped(*arguments: Any, **keywords: Any) -> Any:
            nonlocal calls
            calls += 1
            if before and calls == message:
                os.kill(os.getpid(), signal.SIGKILL)
            returned = function(*arguments, **keywords)
            if calls == message:
                os.kill(os.getpid(), signal.SIGKILL)
            return returned

        return wrapped

    match step:
        case "before the claim":
            outbox.claim = killing(outbox.claim, before=True)
        case "after the claim":
            outbox.claim = killing(outbox.claim)
        case "after sending":
            module.send = killing(module.send)
        case "after the record":
            outbox.record_sent = killing(outbox.record_sent)
    deliver(url, port, now)


def deliver(url: str, port: int, now: datetime) -> None:
    with open_store(url) as store:
        module.deliver(store, MONITOR, lambda name: f"json://127.0.0.1:{port}/{name}", now=lambda: now)
