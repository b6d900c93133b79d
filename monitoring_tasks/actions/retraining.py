"""Whether a window calls for a new model, and if not why: a pure decision with its reason."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from monitoring_tasks.alerts.alert import Alert, Evidence
from monitoring_tasks.checks.wording import counted, number
from monitoring_tasks.config import Retraining
from monitoring_tasks.window import Window, format_duration, format_instant

DecisionCode = Literal[
    "trigger", "not_open", "asked", "false_alarm", "rejected", "running", "cooldown", "too_few_labels", "within_noise",
    "quiet", "ended", "unanswered",
]  # fmt: skip
"""What is decided: to ask for a new model, or why not."""

PERFORMANCE = frozenset({"performance", "estimated_performance"})
"""The checks whose numbers have an interval that says how far chance alone reaches."""

LIKELY = 0.05
"""What an interval of 95 % leaves to chance."""


@dataclass(frozen=True)
class WindowLabels:
    """What is known of a window's labels."""

    window: Window
    labelled: int
    """Rows whose label is known."""
    final: bool
    """Whether its labels are complete."""


@dataclass(frozen=True)
class Asked:
    """An earlier decision to ask for a new model."""

    action_id: str
    alert_id: str
    target: str
    window: Window
    """The window that was decided on."""
    approval: str
    """not_required, waiting, approved, rejected or timed_out."""
    state: str
    """recorded, triggering, triggered or failed."""
    running: str = ""
    """What it waits for, for a person: ``a person's answer``, ``DAG run ...``; empty if it waits for nothing."""
    lapsed: bool = False
    """Whether nobody can answer any more: its run was deleted or failed before its question had an answer."""
    error: str | None = None
    """Why nobody could be asked."""

    @property
    def refused(self) -> bool:
        """Whether a person, or nobody in time, said no."""
        return self.approval in ("rejected", "timed_out")


@dataclass(frozen=True)
class Decision:
    """What was decided about one window and one target."""

    decision: DecisionCode
    reason: str
    """One sentence for a person."""
    evidence: tuple[Evidence, ...] = ()
    train: Window | None = None
    """The period to learn from; None where nobody is asked."""


def decide(
    rule: Retraining,
    window: Window,
    alert: Alert | None,
    evidence: Sequence[Evidence],
    *,
    change: datetime | None = None,
    target: str = "",
    asked: Sequence[Asked] = (),
    labels: Sequence[WindowLabels] | None = None,
    quiet: bool = False,
) -> Decision:
    """Decide whether `window` calls for a new model.

    The reasons not to are looked at in this order: the alert is not open; it has asked already, or a person said no to
    it; an earlier request is still at work; the cooldown; too few labels; a drop within noise; what called for it has
    ended by now, as when the run of an old window is cleared. The first that holds is the reason that is given. Nothing
    here knows a clock: the cooldown is counted in the windows' own time.

    Parameters
    ----------
    rule
        The section `retraining` of the monitor file.
    window
        The window that is decided on.
    alert
        The alert of `retraining` that this window is inside, None if there is none.
    evidence
        The results by which it fires.
    change
        Start of the first window that matched for this alert; by default the window that opened it.
    target
        Who would be asked.
    asked
        All decisions of this monitor to ask, of whichever windows.
    labels
        What is known of the labels of the windows since the change, in time order; None of a monitor without labels.
    quiet
        Whether nobody is to be asked, as in a backfill: the decision is then what it would have been.

    Returns
    -------
    Decision
        The training period begins with the change and ends with the newest window whose labels are complete; without
        labels with `window`.
    """
    if alert is None or not is_open(alert, window):
        return Decision(
            "not_open", f"Nothing calls for a new model in {window}: the alert of `retraining` is not open."
        )
    found = tuple(evidence)
    since = change or alert.opened.start
    if (no := _told_already(alert, target, asked) or _at_work(alert, window, rule, asked)) is not None:
        return Decision(no.decision, no.reason, found)
    train, labelled = _training_period(window, since, labels)
    if labelled is not None and labelled < rule.minimum_labels:
        return Decision("too_few_labels", _few(rule, since, labelled, labels or ()), found, train)
    if within_noise(found):
        return Decision("within_noise", _noise(found), found, train)
    said = f"{alert.message.rstrip('.')}." if alert.message else f"The alert of `retraining` is open since {since}."
    period = f"It may learn from {train}" + (f" with {counted(labelled, 'label')}." if labelled is not None else ".")
    if quiet:
        reason = f"A new model would be asked for; nobody is, because this window was not run to tell people. {said}"
        return Decision("quiet", reason, found, train)
    if alert.resolved_end is not None:
        ended = format_instant(alert.resolved_end)
        reason = f"Nothing calls for a new model any more: the alert of `retraining` ended in the window up to {ended}."
        return Decision("ended", reason, found, train)
    return Decision("trigger", f"A new model is asked for. {said} {period}", found, train)


def is_open(alert: Alert, window: Window) -> bool:
    """Return whether the alert is open in this window, whatever a person has called it since.

    Examples
    --------
    >>> week = [Window.parse(f"2013-04-0{day}", f"2013-04-0{day + 1}") for day in (1, 2, 3, 4)]
    >>> alert = Alert("", "", "retraining", "", "high", "resolved", week[1], week[1], (), "", week[2].end)
    >>> [is_open(alert, window) for window in week]
    [False, True, False, False]
    """
    ended = alert.resolved_end is not None and window.end >= alert.resolved_end
    return alert.state != "withdrawn" and alert.opened.end <= window.end and not ended


def within_noise(evidence: Sequence[Evidence]) -> bool:
    """Return whether all that calls for a new model are performance numbers that chance alone may explain.

    A number that was held against the baseline's carries the p-value of their difference, which knows the errors of
    both sides: it decides, at 5 %. (Whether two intervals overlap does not say that [1]_.) A number that was held
    against a fixed bound has an error on one side only: there its 95 % interval reaches the bound exactly if the test
    of the bound does not refuse it at 5 % [2]_. A number without interval and p-value is taken as it is.

    References
    ----------
    .. [1] Schenker, N., Gentleman, J. F. (2001). On judging the significance of differences by examining the overlap
       between confidence intervals. The American Statistician, 55(3), 182-186.
    .. [2] Casella, G., Berger, R. L. (2002). Statistical Inference, 2nd ed., theorem 9.2.2: a confidence set is the
       set of the values that a test accepts.

    Examples
    --------
    >>> day = Window.parse("2013-04-01", "2013-04-02")
    >>> drop = Evidence(day, "performance", "roc_auc", "", "", "alarm", 0.69, 0.66, 0.72, threshold_lower=0.7)
    >>> within_noise([drop])
    True
    """
    return bool(evidence) and all(each.check_name in PERFORMANCE and _is_noise(each) for each in evidence)


def action_id(alert_id: str, target: str, window: Window | None = None) -> str:
    """Return the id of an action: of the alert and target if it asks, with the window if it does not.

    So an alert asks one target once, and the DAG run that it becomes has one name, whenever that is worked out.

    Examples
    --------
    >>> action_id("a95b2208f557", "retrain_flight_delays")
    '3c631204a133'
    """
    parts = ["retraining", alert_id, target, *([] if window is None else [str(window)])]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def run_id(action: str) -> str:
    """Return the id of the DAG run that an action becomes."""
    return f"monitoring__{action}"


def _is_noise(evidence: Evidence) -> bool:
    if evidence.p_value is not None:
        return evidence.p_value >= LIKELY
    low, high = evidence.value_lower, evidence.value_upper
    if low is None or high is None:
        return False
    bounds = [bound for bound in (evidence.threshold_lower, evidence.threshold_upper) if bound is not None]
    return any(low <= bound <= high for bound in bounds)


def _told_already(alert: Alert, target: str, asked: Sequence[Asked]) -> Decision | None:
    mine = [each for each in asked if each.alert_id == alert.alert_id and each.target == target and not each.lapsed]
    if mine and not mine[-1].refused:
        reason = f"This alert has asked for a new model in {mine[-1].window}; it asks once."
        if mine[-1].state == "failed":
            why = f" ({' '.join(mine[-1].error.split()).rstrip('.')})" if mine[-1].error else ""
            reason += f" That failed{why}: clear the run of that window."
        return Decision("asked", reason)
    if alert.state == "false_alarm":
        return Decision("false_alarm", "A person has called this alert a false alarm.")
    if alert.state == "resolved" and alert.resolved_end is None:
        return Decision("not_open", "A person has resolved this alert.")
    if mine:
        who = "Nobody answered in time" if mine[-1].approval == "timed_out" else "A person said no"
        return Decision("rejected", f"{who} when this alert asked for a new model in {mine[-1].window}; it asks once.")
    return None


def _at_work(alert: Alert, window: Window, rule: Retraining, asked: Sequence[Asked]) -> Decision | None:
    others = [each for each in asked if each.alert_id != alert.alert_id and not each.lapsed]
    for each in others:
        if each.running:
            reason = f"The request of {each.window} is still at work: it waits for {each.running}."
            return Decision("running", reason)
    before = [each.window for each in others if each.window.end <= window.end]
    if before and window.end < (latest := max(each.end for each in before)) + rule.cooldown:
        until = format_instant(latest + rule.cooldown)
        return Decision(
            "cooldown",
            f"A new model was asked for in the window that ended {format_instant(latest)}; with a cooldown of "
            f"{format_duration(rule.cooldown)} the next is asked for from {until} on.",
        )
    return None


def _training_period(
    window: Window, since: datetime, labels: Sequence[WindowLabels] | None
) -> tuple[Window, int | None]:
    """Return the period to learn from, and how many labels there are inside; None of a monitor without labels."""
    if labels is None:
        return Window(since, window.end), None
    inside = [each for each in labels if since <= each.window.start and each.window.end <= window.end]
    final = [each.window.end for each in inside if each.final]
    if not final:
        return Window(since, window.end), 0
    end = max(final)
    return Window(since, end), sum(each.labelled for each in inside if each.window.end <= end)


def _few(rule: Retraining, since: datetime, labelled: int, labels: Sequence[WindowLabels]) -> str:
    provisional = sum(each.labelled for each in labels) - labelled
    more = (
        f" ({counted(provisional, 'more label')} in windows whose labels are not complete yet)" if provisional else ""
    )
    return (
        f"Too few labels to learn from: {labelled:,} of complete windows since {format_instant(since)}{more}, and "
        f"`minimum_labels` is {rule.minimum_labels:,}."
    )


def _noise(evidence: Sequence[Evidence]) -> str:
    first = evidence[0]
    of = f" of {first.segment}" if first.segment else ""
    value = "" if first.value is None else f" {number(first.value)}"
    if first.p_value is not None:
        against = f"p = {number(first.p_value)} against the baseline's"
    else:
        low, high = first.value_lower, first.value_upper
        bound = first.threshold_lower if first.threshold_lower is not None else first.threshold_upper
        assert low is not None
        assert high is not None
        assert bound is not None
        against = f"95 % interval {number(low)} to {number(high)}, the bound is {number(bound)}"
    more = f", and {counted(len(evidence) - 1, 'other number')} like it" if len(evidence) > 1 else ""
    return f"Chance alone may explain the drop: {first.metric}{of}{value} ({against}){more}."
