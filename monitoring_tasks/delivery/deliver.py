"""All messages of a monitor that are due: each claimed, sent, recorded."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from monitoring_tasks.alerts.message import Message
from monitoring_tasks.delivery.send import SECONDS, Channel, Outcome, open_channel, send
from monitoring_tasks.errors import ConfigError, TransientError
from monitoring_tasks.results import outbox
from monitoring_tasks.results.outbox import Claim, Undelivered
from monitoring_tasks.results.store import Store

LONGEST = timedelta(minutes=5)
"""After which no further message is begun: the rest is for the next call."""

RECORDED_AGAIN = (1.0, 4.0, 10.0)
"""Seconds between the tries to record how a sending ended, while the store does not answer; a claim outlasts them."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Delivered:
    """What became of a monitor's messages."""

    sent: int
    waiting: tuple[Undelivered, ...]
    """Those that are tried again later, with why they could not be sent so far."""
    failed: tuple[Undelivered, ...]
    """Those that were given up by this call, or since the time it was asked about."""


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def deliver(
    store: Store,
    monitor: str,
    channel_url: Callable[[str], str],
    *,
    now: Callable[[], datetime] = utc_now,
    since: datetime | None = None,
    without: Collection[str] = (),
    seconds: float = SECONDS,
    longest: timedelta = LONGEST,
) -> Delivered:
    """Send the messages of a monitor that are due, the oldest first; those of one alert to one channel in their order.

    At least once: each message is claimed, which is committed, then sent, then recorded as sent. Killed between sending
    and recording, the next call after the claim has run out sends that one message again. Each channel is on its own:
    one that does not answer is left alone for the rest of the call, and the others get theirs.

    Parameters
    ----------
    channel_url
        Returns the Apprise URL of a channel; its `ConfigError` gives the channel's messages up, with that reason.
    since
        Messages given up since then are returned too: by earlier tries of the same task.
    without
        Channels that are left alone: their messages wait, and no attempt is counted.
    seconds
        How long one message may take.
    longest
        After which no further message is begun.
    """
    began = now()
    sent = 0
    silent = {*without}
    open_channels: dict[str, Channel] = {}
    while now() - began < longest:
        claim = outbox.claim(store, monitor, now(), without=silent)
        if claim is None:
            break
        outcome = _send(claim, channel_url, open_channels, now, seconds)
        if outcome.state == "sent":
            _recorded(partial(outbox.record_sent, store, claim, now(), note=outcome.reason or None))
            sent += 1
            if outcome.reason:
                _log.warning("Channel %r: %s", claim.channel, outcome.reason)
            continue
        for_good = outcome.state == "refused"
        _recorded(partial(outbox.record_not_sent, store, claim, now(), outcome.reason, for_good=for_good))
        _log.warning("Channel %r was not told %r: %s", claim.channel, claim.title, outcome.reason)
        if not for_good:
            silent.add(claim.channel)
    return Delivered(sent, outbox.pending(store, monitor), outbox.given_up(store, monitor, since or began))


def _recorded(record: Callable[[], object]) -> None:
    """Record how a sending ended. What is not recorded is sent again: a store that is away is waited for a little."""
    for pause in RECORDED_AGAIN:
        try:
            record()
        except TransientError as error:
            _log.warning("The store does not answer, %g s until the next try: %s", pause, error)
            time.sleep(pause)
        else:
            return
    record()


def _send(
    claim: Claim,
    channel_url: Callable[[str], str],
    open_channels: dict[str, Channel],
    now: Callable[[], datetime],
    seconds: float,
) -> Outcome:
    try:
        message = Message.from_json(claim.message)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return Outcome("refused", f"the message cannot be read ({type(error).__name__}: {error})")
    try:
        if claim.channel not in open_channels:  # one per call: Apprise keeps the pause that a service asks for
            open_channels[claim.channel] = open_channel(claim.channel, channel_url(claim.channel), seconds=seconds)
    except ConfigError as error:
        return Outcome("refused", str(error))
    except TransientError as error:
        return Outcome("again", str(error))
    except Exception as error:  # noqa: BLE001  of Airflow's secrets backends, whose texts may hold what they guard
        return Outcome("again", f"channel {claim.channel!r} could not be looked up ({type(error).__name__})")
    if now() - claim.claimed_at > outbox.LEASE - timedelta(seconds=seconds):
        # It waited for the store or for Airflow, or the machine slept: others may have sent it, and what follows it.
        return Outcome("again", "too long ago claimed to be sent")
    try:
        return send(open_channels[claim.channel], message, key=claim.delivery_id, seconds=seconds)
    except Exception as error:  # noqa: BLE001  it would be claimed for ever, and stop every call that comes to it
        # Its text is not shown: whatever it is about, it may hold the channel's URL.
        return Outcome("again", f"the message cannot be written for this channel ({type(error).__name__})")
