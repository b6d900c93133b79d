"""The commands about channels: ``monitoring-tasks alerts send`` and ``monitoring-tasks alerts test``."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from monitoring_tasks.errors import ConfigError

if TYPE_CHECKING:
    from monitoring_tasks.results.outbox import Undelivered

channels = typer.Typer()
"""To be added to the group ``alerts`` without a name of its own."""

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


@channels.command()
def send(
    monitor: Annotated[str | None, typer.Argument(help="A monitor's name; all of them without.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Also what was given up, and what is not due yet.")] = False,
) -> None:
    """Send the messages that wait, without Airflow; exit 1 if some could not be sent.

    Channels are those of the environment: MONITORING_CHANNEL_<NAME>, an Apprise URL.
    """
    from monitoring_tasks.checks.wording import counted
    from monitoring_tasks.delivery.deliver import deliver
    from monitoring_tasks.results import outbox
    from monitoring_tasks.results.store import open_store

    logging.getLogger("monitoring_tasks.delivery").setLevel(logging.ERROR)  # its warnings are printed below
    left = False
    with open_store() as store:
        names = (monitor,) if monitor is not None else outbox.monitors(store)
        for name in names:
            if again:
                outbox.try_again(store, name)
            unknown = _unknown({one.channel for one in outbox.pending(store, name)})
            delivered = deliver(store, name, _url, without=unknown)
            out.print(f"{escape(name)}: {counted(delivered.sent, 'message')} sent", soft_wrap=True)
            for channel, reason in unknown.items():
                waiting = sum(one.channel == channel for one in delivered.waiting)
                err.print(
                    f"[bold red]{escape(name)}: {counted(waiting, 'message')} not tried[/], {escape(reason)}",
                    soft_wrap=True,
                )
            tried = tuple(one for one in delivered.waiting if one.channel not in unknown)
            _print(f"{escape(name)}: could not be sent yet", tried)
            _print(f"{escape(name)}: given up", delivered.failed)
            left = left or bool(delivered.waiting or delivered.failed)
    if not names:
        out.print("no messages to send")
    if left:
        raise typer.Exit(1)


@channels.command("test")
def try_out(channel: Annotated[str, typer.Argument(help="A channel's name, as in notify: [ops].")]) -> None:
    """Send a made-up message to a channel; exit 1 if it could not be sent.

    The channel is MONITORING_CHANNEL_<NAME>, an Apprise URL.
    """
    from monitoring_tasks.delivery.sample import sample_message
    from monitoring_tasks.delivery.send import open_channel
    from monitoring_tasks.delivery.send import send as send_to

    opened = open_channel(channel, _url(channel))
    outcome = send_to(opened, sample_message(channel))
    of = f"channel {escape(channel)} ({escape(opened.kind)})"
    if outcome.state != "sent":
        err.print(f"[bold red]{of}: not sent[/], {escape(outcome.reason)}", soft_wrap=True)
        raise typer.Exit(1)
    out.print(f"{of}: sent" + (f", but {escape(outcome.reason)}" if outcome.reason else ""), soft_wrap=True)


def _url(name: str) -> str:
    """Return the Apprise URL of a channel; the error says that this is no task, which would know connections too."""
    from monitoring_tasks.delivery.channels import channel_url

    try:
        return channel_url(name)
    except ConfigError as error:
        raise ConfigError(f"{error}, which its tasks read and this command does not") from None


def _unknown(names: set[str]) -> dict[str, str]:
    """Return those of the channels that the environment does not know, each with what to set.

    Airflow may know them: an attempt that is none must not bring their messages nearer to being given up.
    """
    reasons = {}
    for name in sorted(names):
        try:
            _url(name)
        except ConfigError as error:
            reasons[name] = str(error)
    return reasons


def _print(what: str, messages: tuple[Undelivered, ...]) -> None:
    for one in messages:
        reason = one.error or "it waits for an earlier message of its channel"
        text = f"channel {one.channel!r}, {one.title!r}: {reason}"
        err.print(f"[bold red]{what}[/], {escape(text)}", soft_wrap=True)
