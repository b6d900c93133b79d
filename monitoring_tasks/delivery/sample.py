"""A message that tries a channel out: it says that it is one, and has a block of each kind."""

from __future__ import annotations

from monitoring_tasks.alerts.message import Bars, Code, Course, Facts, Headline, Message, Numbers, Paragraph


def sample_message(channel: str) -> Message:
    """Return the message that ``monitoring-tasks alerts test`` sends.

    Examples
    --------
    >>> sample_message("ops").title
    'Test of channel ops: nothing has happened'
    """
    return Message(
        title=f"Test of channel {channel}: nothing has happened",
        severity="low",
        event="opened",
        blocks=(
            Headline(f"This is what a message in channel {channel} looks like; nothing has happened."),
            Paragraph("The numbers below are made up."),
            Facts((("Window", "2013-04-02 (America/New_York)"), ("Severity", "low"))),
            Numbers(
                "What moved, worst first",
                ("column", "metric", "value", "bound"),
                (("distance", "psi", "0.31", "0.10"), ("carrier", "psi", "0.12", "0.10")),
            ),
            Bars(
                "distance",
                ("under 500", "500 to 1,000", "1,000 and more"),
                (0.3, 0.4, 0.3),
                (0.1, 0.3, 0.6),
                baseline_rows=27_000,
                window_rows=900,
            ),
            Course(
                "psi of distance",
                ("30 Mar", "31 Mar", "1 Apr", "2 Apr"),
                (0.02, 0.04, 0.12, 0.31),
                ("0.02", "0.04", "0.12", "0.31"),
                ("ok", "ok", "alarm", "alarm"),
                upper=0.1,
            ),
            Code("Try it again", f"monitoring-tasks alerts test {channel}", "shell"),
        ),
    )
