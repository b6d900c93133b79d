"""The life of alerts: a state machine over the windows of a monitor, in their order, and what people decide between.

A window may open an alert, keep it open, escalate it or resolve it; what a person decides takes effect right after the
newest window of then. There is no clock here: a cooldown, a snooze and an escalation are measured by the ends of
windows, so that a replay of last year's windows comes to the events of last year.

============  ============================================================  =========================================
state         while the condition holds                                     when it does not any more
============  ============================================================  =========================================
open          told again after the cooldown; escalated if nobody answers    resolved (``reset: manual``: stays open)
acknowledged  quiet                                                         resolved, and told
snoozed       quiet until its end, then open and told                       resolved, quietly
confirmed     quiet                                                         told; stays confirmed, with its end
false_alarm   quiet                                                         quiet; stays a false alarm, with its end
============  ============================================================  =========================================
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from monitoring_tasks.alerts import wording
from monitoring_tasks.alerts.alert import Alert, MonitorEventName, Series, alert_id
from monitoring_tasks.alerts.decision import Decision, decide
from monitoring_tasks.alerts.firing import Firing, firing
from monitoring_tasks.alerts.grouping import group_key
from monitoring_tasks.alerts.sighting import Sighting, concerns
from monitoring_tasks.config.models import AlertRule
from monitoring_tasks.window import Window


@dataclass(frozen=True)
class Watch:
    """Whose alerts they are."""

    monitor: str
    rule: AlertRule
    timezone: str = "UTC"
    """In which dates are said."""


@dataclass(frozen=True)
class GroupStanding:
    """How a group of series stands after a window."""

    alert: Alert | None = None
    """The one that is not over, if any."""
    told_end: datetime | None = None
    """End of the latest window in which this alert or an earlier one of the group was told."""
    first_told_end: datetime | None = None
    """End of the window in which this alert was told first."""
    escalated: bool = False
    """Whether this alert was."""
    since: datetime | None = None
    """Matches of windows that ended by then do not count: a person resolved an alert after them."""
    stands_on: Window | None = None
    """The first window that the opening of this alert looked at; None if that was in an earlier replay."""


@dataclass(frozen=True)
class Standing:
    """All that the machine must know of the windows before."""

    groups: Mapping[str, GroupStanding] = field(default_factory=dict)
    recent: tuple[Sighting, ...] = ()
    """The last n - 1 sightings, in window order."""


@dataclass(frozen=True)
class Told:
    """What of the windows that are replayed people were told before: it is never told again, and stays told."""

    events: Mapping[tuple[str, Window], frozenset[MonitorEventName]] = field(default_factory=dict)
    """By group and window."""
    latest: Mapping[str, datetime] = field(default_factory=dict)
    """Of each group, the end of the latest window that was told."""


@dataclass(frozen=True)
class Happening:
    """What a window did to an alert."""

    alert: Alert
    """As it was right after."""
    event: MonitorEventName
    window: Window
    tell: bool


@dataclass(frozen=True)
class Replayed:
    """What came of some windows."""

    standing: Standing
    alerts: tuple[Alert, ...]
    """All that these windows or decisions have touched, as they are at the end, in the order of their opening."""
    happenings: tuple[Happening, ...]
    """In window order."""


NOTHING_TOLD = Told()


def replay(
    watch: Watch,
    standing: Standing,
    sightings: Sequence[Sighting],
    *,
    telling: Collection[Window] = (),
    decisions: Sequence[Decision] = (),
    told: Told = NOTHING_TOLD,
) -> Replayed:
    """Take the machine through some windows.

    Parameters
    ----------
    watch, standing
        Whose alerts, and how they stood before these windows.
    sightings
        What the rule sees of each window, in window order.
    telling
        The windows that people are to be told of. An event is told if one of the last n windows is among them, and
        neither cooldown nor snooze is in the way; the end of an alert also if another window of it is.
    decisions
        What people decided about alerts that open in these windows, in their order.
    told
        What was told of these windows before, if they are replayed.
    """
    waiting, telling = list(decisions), sorted(telling)
    found: dict[tuple[str, Window], Alert] = {}
    happenings: list[Happening] = []
    for sighting in sightings:
        while waiting and waiting[0].window < sighting.window:
            standing = _decided(standing, found, waiting.pop(0))
        standing, happened = _next(watch, standing, sighting, telling, told)
        happenings += happened
        standing = _without_what_is_over(standing, found)
    for decision in waiting:
        standing = _decided(standing, found, decision)
    in_order = sorted(found.values(), key=lambda alert: (alert.opened, alert.group_key))
    return Replayed(standing, tuple(in_order), tuple(happenings))


def _without_what_is_over(standing: Standing, found: dict[tuple[str, Window], Alert]) -> Standing:
    groups = dict(standing.groups)
    for key, group in standing.groups.items():
        if group.alert is not None:
            found[key, group.alert.opened] = group.alert
            if group.alert.is_over:
                groups[key] = replace(group, alert=None)
    return replace(standing, groups=groups)


def _decided(standing: Standing, found: dict[tuple[str, Window], Alert], decision: Decision) -> Standing:
    """Apply a decision to the alert of its group that it was about, which may begin elsewhere in a replay."""
    group = standing.groups.get(decision.group_key, GroupStanding())
    known = {alert.opened: alert for (key, _), alert in found.items() if key == decision.group_key}
    if group.alert is not None:
        known[group.alert.opened] = group.alert
    overlapping = [alert for alert in known.values() if alert.span.overlaps(decision.about)]
    exact = [alert for alert in overlapping if alert.opened.start == decision.about.start]
    about = next(iter(exact), max(overlapping, key=lambda alert: alert.opened, default=None))
    if about is None:
        return standing
    decided = decide(about, decision.decision, decision.window, decision.until)
    found[decision.group_key, about.opened] = decided
    if group.alert is not None and group.alert.opened == about.opened:
        since = decision.window.end if decision.decision == "resolved" else group.since
        group = replace(group, alert=None if decided.is_over else decided, since=since)
    return replace(standing, groups={**standing.groups, decision.group_key: group})


@dataclass(frozen=True)
class _Moment:
    """A window as one group sees it."""

    watch: Watch
    key: str
    sightings: tuple[Sighting, ...]
    """Of the last n windows, this one last."""
    fires: Firing
    telling: Sequence[Window]
    """The windows that people are to be told of, in their order."""
    told: frozenset[MonitorEventName]
    """What they were told."""
    newer: bool
    """Whether they were told of this or a later window already: more news of it would only confuse them."""

    @property
    def window(self) -> Window:
        """The window itself."""
        return self.sightings[-1].window

    def is_fresh(self, since: Window | None = None) -> bool:
        """Tell whether people are to be told of a window since then; by default of one of those looked at."""
        place = bisect_left(self.telling, since or self.sightings[0].window)
        return place < len(self.telling) and self.telling[place] <= self.window


def _next(
    watch: Watch, standing: Standing, sighting: Sighting, telling: Sequence[Window], told: Told
) -> tuple[Standing, list[Happening]]:
    when, window = watch.rule.when, sighting.window
    sightings = (*standing.recent, sighting)[-when.windows.n :]
    candidates: dict[str, set[Series]] = {
        key: {*group.alert.series} for key, group in standing.groups.items() if group.alert is not None
    }
    for series in (series for each in sightings for series in each.matched):
        candidates.setdefault(group_key(watch.rule.group_by, series), set()).add(series)
    groups = dict(standing.groups)
    happenings = []
    for key in sorted(candidates):
        group = groups.get(key, GroupStanding())
        holding = () if group.alert is None or group.alert.resolved_end is not None else group.alert.series
        active = [each for each in holding if concerns(when, each)]
        fires = firing(when.windows.k, sightings, candidates[key], active, group.since)
        before = told.events.get((key, window), frozenset())
        newer = key in told.latest and told.latest[key] >= window.end
        moment = _Moment(watch, key, sightings, fires, telling, before, newer)
        group, happening = _step(moment, group)
        if before and (happening is None or not happening.tell):  # it was told in other words than those of now
            first = group.first_told_end or window.end
            group = replace(group, told_end=window.end, first_told_end=first)
        groups[key] = group
        happenings += [] if happening is None else [happening]
    return Standing(groups, sightings[len(sightings) - min(len(sightings), when.windows.n - 1) :]), happenings


def _step(moment: _Moment, group: GroupStanding) -> tuple[GroupStanding, Happening | None]:
    alert, fires = group.alert, moment.fires
    if alert is None:
        return _open(moment, group) if fires.series else (group, None)
    if fires.series:
        return _continue(moment, group, alert)
    if fires.held:
        return replace(group, alert=_with_series(alert, fires.held)), None
    return _end(moment, group, alert)


def _open(moment: _Moment, group: GroupStanding) -> tuple[GroupStanding, Happening]:
    watch, window = moment.watch, moment.window
    alert = Alert(
        alert_id=alert_id(watch.monitor, watch.rule.name, moment.key, window),
        monitor=watch.monitor,
        name=watch.rule.name,
        group_key=moment.key,
        severity=watch.rule.severity,
        state="open",
        opened=window,
        last=window,
        series=moment.fires.series,
        message=_sentence(moment, window),
    )
    tell = _has_told(moment, "opened") or (_may_tell(moment) and not _cools_down(moment, group))
    stands_on = moment.sightings[0].window
    group = replace(group, alert=alert, first_told_end=None, escalated=False, stands_on=stands_on)
    return _recorded(group, alert, "opened", window, tell)


def _continue(moment: _Moment, group: GroupStanding, alert: Alert) -> tuple[GroupStanding, Happening | None]:
    rule, window, fires = moment.watch.rule, moment.window, moment.fires
    woke = alert.state == "snoozed" and alert.snoozed_until is not None and window.end > alert.snoozed_until
    joined = not {*alert.series, *alert.series_before}.issuperset(fires.series)
    alert = replace(
        _with_series(alert, (*fires.series, *fires.held)),
        last=window,
        severity=rule.severity,
        resolved_end=None,
        message=_sentence(moment, alert.opened),
    )
    if woke:
        alert = replace(alert, state="open", snoozed_until=None)
    group = replace(group, alert=alert)
    tells = alert.state == "open" and _may_tell(moment)
    unanswered = (
        rule.escalate is not None
        and not group.escalated
        and group.first_told_end is not None
        and window.end >= group.first_told_end + rule.escalate.after
    )
    if _has_told(moment, "escalated") or (tells and unanswered):
        return _recorded(replace(group, escalated=True), alert, "escalated", window, tell=True)
    if _has_told(moment, "continued") or (tells and (woke or not _cools_down(moment, group))):
        return _recorded(group, alert, "continued", window, tell=True)
    if joined and alert.state != "false_alarm":
        return _recorded(group, alert, "continued", window, tell=False)
    return group, None


def _end(moment: _Moment, group: GroupStanding, alert: Alert) -> tuple[GroupStanding, Happening | None]:
    window = moment.window
    if alert.resolved_end is not None:  # it waits for a person, and says since when its condition has ended
        return group, None
    snoozed = alert.state == "snoozed" and alert.snoozed_until is not None and window.end <= alert.snoozed_until
    ended = replace(alert, resolved_end=window.end, message=wording.over(alert.message, window, moment.watch.timezone))
    if alert.state == "false_alarm":
        return replace(group, alert=ended), None
    if alert.state != "confirmed":
        if moment.watch.rule.reset == "manual":
            return replace(group, alert=ended), None
        ended = replace(ended, state="resolved", snoozed_until=None)
    tell = _has_told(moment, "resolved") or (
        group.first_told_end is not None
        and not snoozed
        and (moment.is_fresh() or moment.is_fresh(group.stands_on or alert.opened))
    )
    return _recorded(group, ended, "resolved", window, tell)


def _recorded(
    group: GroupStanding, alert: Alert, event: MonitorEventName, window: Window, tell: bool
) -> tuple[GroupStanding, Happening]:
    if tell:
        alert = replace(alert, told_end=window.end)
        group = replace(group, told_end=window.end, first_told_end=group.first_told_end or window.end)
    return replace(group, alert=alert), Happening(alert, event, window, tell)


def _has_told(moment: _Moment, event: MonitorEventName) -> bool:
    return event in moment.told


def _may_tell(moment: _Moment) -> bool:
    return moment.is_fresh() and not moment.newer


def _cools_down(moment: _Moment, group: GroupStanding) -> bool:
    return group.told_end is not None and moment.window.end < group.told_end + moment.watch.rule.cooldown


def _with_series(alert: Alert, series: tuple[Series, ...]) -> Alert:
    """Return the alert with what fires now, which it keeps apart from what fired earlier."""
    before = dict.fromkeys([*alert.series_before, *alert.series])
    return replace(alert, series=series, series_before=tuple(sorted(before.keys() - {*series})))


def _sentence(moment: _Moment, opened: Window) -> str:
    watch, fires = moment.watch, moment.fires
    latest = next(each for each in reversed(moment.sightings) if not each.matched.keys().isdisjoint(fires.series))
    without_data = latest.state == "empty" or latest.whole.issuperset(fires.series)
    about_data = watch.rule.when.status in ("insufficient_data", "error") and not latest.whole.isdisjoint(fires.series)
    no_data = latest.state if about_data and without_data else ""
    return wording.sentence(watch.rule, fires, opened, watch.timezone, no_data=no_data)
