"""Each state of the machine with everything that can happen to it, and its laws over random histories."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring_tasks.alerts.decision import Decision
from monitoring_tasks.alerts.lifecycle import Replayed, Standing, Told, Watch, replay
from monitoring_tasks.alerts.sighting import Sighting
from monitoring_tasks.window import Window
from tests.alerts.watched import DEWP, TEMP, day, sightings, watch


def decided(decision: str, after: int, opened: int = 0, until: int | None = None) -> Decision:
    """Return a decision taken after day `after` about the alert of day `opened`; a snooze until the end of a day."""
    about = Window(day(opened).start, day(max(after, opened)).end)
    return Decision(decision, "", about, day(after), None if until is None else day(until).end)


def play(seen: str, *decisions: Decision, of: Watch | None = None, tell: bool = True) -> Replayed:
    found = sightings(seen)
    telling = [each.window for each in found] if tell else []
    return replay(of or watch(), Standing(), found, telling=telling, decisions=decisions)


def story(replayed: Replayed) -> str:
    """Return what happened as words: ``opened@0``, with ``(quiet)`` where nobody is told."""
    return " ".join(
        f"{each.event}@{(each.window.start - day(0).start).days}{'' if each.tell else '(quiet)'}"
        for each in replayed.happenings
    )


CONFIRM, FALSE = "confirmed", "false_alarm"
SNOOZE = decided("snoozed", 0, until=2)

CASES = {
    # state, thing that happens: (what is seen, decisions, rule, story, states at the end)
    "nothing, no match": ("..", (), {}, "", []),
    "nothing, a match opens": ("x", (), {}, "opened@0", ["open"]),
    "nothing, one of two is too few": ("x.x", (), {"windows": 2}, "", []),
    "nothing, two of three open": ("x.x", (), {"windows": "2 of 3"}, "opened@2", ["open"]),
    "nothing, two of three need the same series": ("x. .x", (), {"windows": "2 of 3"}, "", []),
    "nothing, an unknown window counts as no match": ("x?x", (), {"windows": 2}, "", []),
    "open, the condition holds within the cooldown": ("xx", (), {}, "opened@0", ["open"]),
    "open, the condition holds after the cooldown": ("xxxxx", (), {}, "opened@0 continued@2 continued@4", ["open"]),
    "open, a series joins within the cooldown": ("x. xx", (), {}, "opened@0 continued@1(quiet)", ["open"]),
    "open, a series leaves and comes back": ("xx x. xx", (), {"cooldown": "9d"}, "opened@0", ["open"]),
    "open, the condition ends": ("x.", (), {}, "opened@0 resolved@1", ["resolved"]),
    "open, nothing is known": ("x???", (), {}, "opened@0", ["open"]),
    "open, nothing is known, then it ends": ("x??.", (), {}, "opened@0 resolved@3", ["resolved"]),
    "open, nothing is known, then it holds": ("xx?x.", (), {"windows": 2, "cooldown": "9d"}, "opened@1 resolved@4",
                                             ["resolved"]),
    "open, no reminder of what is not known": ("x????x", (), {}, "opened@0 continued@5", ["open"]),
    "open, two of three ends when one is left": ("xxx..", (), {"windows": "2 of 3", "cooldown": "9d"},
                                                 "opened@1 resolved@4", ["resolved"]),
    "open, flaps within the cooldown": ("x.x.", (), {}, "opened@0 resolved@1 opened@2(quiet) resolved@3(quiet)",
                                        ["resolved", "resolved"]),
    "open, flaps and then lasts": ("x.xx", (), {}, "opened@0 resolved@1 opened@2(quiet) continued@3",
                                   ["resolved", "open"]),
    "open, in a backfill": ("xxxx.", (), {"tell": False}, "opened@0(quiet) resolved@4(quiet)", ["resolved"]),
    "open, manual reset stays": ("x..", (), {"reset": "manual"}, "opened@0", ["open"]),
    "open, manual reset holds again": ("x.xx", (), {"reset": "manual"}, "opened@0 continued@2", ["open"]),
    "open, manual reset needs as many matches again": ("xx..x.xx", (), {"reset": "manual", "windows": 2},
                                                      "opened@1 continued@7", ["open"]),
    "open, manual reset by a person": ("x..x", (decided("resolved", 2),), {"reset": "manual"}, "opened@0 opened@3",
                                       ["resolved", "open"]),
    "open, nobody acknowledges": ("xxxx", (), {"escalate": {"after": "1d", "notify": ["boss"]}, "cooldown": "9d"},
                                  "opened@0 escalated@1", ["open"]),
    "open, escalated instead of reminded": ("xxx", (), {"escalate": {"after": "2d", "notify": ["boss"]}},
                                            "opened@0 escalated@2", ["open"]),
    "open, nobody was told and nobody is escalated to": ("xxxx", (), {"escalate": {"after": "1d", "notify": ["boss"]},
                                                         "tell": False}, "opened@0(quiet)", ["open"]),
    "acknowledged, the condition holds": ("xxxxx", (decided("acknowledged", 0),), {}, "opened@0", ["acknowledged"]),
    "acknowledged, no escalation": ("xxx", (decided("acknowledged", 0),),
                                    {"escalate": {"after": "1d", "notify": ["boss"]}}, "opened@0", ["acknowledged"]),
    "acknowledged, a series joins": ("x. xx", (decided("acknowledged", 0),), {}, "opened@0 continued@1(quiet)",
                                     ["acknowledged"]),
    "acknowledged, the condition ends": ("x.", (decided("acknowledged", 0),), {}, "opened@0 resolved@1", ["resolved"]),
    "acknowledged, nothing is known": ("x?", (decided("acknowledged", 0),), {}, "opened@0", ["acknowledged"]),
    "acknowledged, snoozed instead": ("xx", (decided("acknowledged", 0), SNOOZE), {}, "opened@0", ["snoozed"]),
    "acknowledged, confirmed": ("xx", (decided("acknowledged", 0), decided(CONFIRM, 0)), {}, "opened@0", [CONFIRM]),
    "snoozed, the condition holds": ("xxx", (SNOOZE,), {"cooldown": "1d"}, "opened@0", ["snoozed"]),
    "snoozed, it wakes up": ("xxxx", (SNOOZE,), {"cooldown": "9d"}, "opened@0 continued@3", ["open"]),
    "snoozed, it wakes up in a window that is known": ("xxx??x", (SNOOZE,), {"cooldown": "9d"}, "opened@0 continued@5",
                                                      ["open"]),
    "snoozed, no escalation": ("xxx", (SNOOZE,), {"escalate": {"after": "1d", "notify": ["boss"]}}, "opened@0",
                               ["snoozed"]),
    "snoozed, the condition ends": ("x.", (SNOOZE,), {}, "opened@0 resolved@1(quiet)", ["resolved"]),
    "snoozed, the condition ends after it": ("xxx.", (SNOOZE,), {}, "opened@0 resolved@3", ["resolved"]),
    "snoozed, acknowledged": ("xxxxx", (SNOOZE, decided("acknowledged", 1)), {}, "opened@0", ["acknowledged"]),
    "confirmed, the condition holds": ("xxxxx", (decided(CONFIRM, 0),), {}, "opened@0", [CONFIRM]),
    "confirmed, the condition ends": ("x..", (decided(CONFIRM, 0),), {}, "opened@0 resolved@1", [CONFIRM]),
    "confirmed, nothing is known": ("x?", (decided(CONFIRM, 0),), {}, "opened@0", [CONFIRM]),
    "confirmed, ends and another opens": ("x..xx", (decided(CONFIRM, 0),), {}, "opened@0 resolved@1 opened@3",
                                          [CONFIRM, "open"]),
    "confirmed, resolved by a person": ("xx", (decided(CONFIRM, 0), decided("resolved", 0)), {"cooldown": "1d"},
                                        "opened@0 opened@1", [CONFIRM, "open"]),
    "false alarm, the condition holds": ("xxxxx", (decided(FALSE, 0),), {}, "opened@0", [FALSE]),
    "false alarm, a series joins": ("x. xx", (decided(FALSE, 0),), {}, "opened@0", [FALSE]),
    "false alarm, the condition ends": ("x.", (decided(FALSE, 0),), {}, "opened@0", [FALSE]),
    "false alarm, nothing is known": ("x?x", (decided(FALSE, 0),), {}, "opened@0", [FALSE]),
    "false alarm, ends and another opens": ("xx.x", (decided(FALSE, 0),), {}, "opened@0 opened@3", [FALSE, "open"]),
    "resolved, a match opens another": ("x..x", (), {}, "opened@0 resolved@1 opened@3", ["resolved", "open"]),
    "resolved, a verdict comes after it": ("x..", (decided(CONFIRM, 2),), {}, "opened@0 resolved@1", [CONFIRM]),
    "resolved by a person, earlier matches are spent": ("xxx..", (decided("resolved", 1),), {"windows": "2 of 3"},
                                                       "opened@1", ["resolved"]),
    "resolved by a person, later ones open another": ("xxxx", (decided("resolved", 1),), {"windows": 2},
                                                     "opened@1 opened@3", ["resolved", "open"]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_each_state_and_what_can_happen_to_it(case: str):
    seen, decisions, keys, said, states = CASES[case]
    keys = dict(keys)
    found = play(seen, *decisions, tell=keys.pop("tell", True), of=watch(**keys))
    assert story(found) == said
    assert [alert.state for alert in found.alerts] == states


def test_an_alert_says_what_is_in_it_since_when_and_for_how_long():
    (alert,) = play("x. xx .x", of=watch("1 of 2")).alerts
    assert alert.message == "drift: 2 columns (dewp, temp) in alarm in 2 windows in a row, since 2013-04-01"
    assert alert.series == (DEWP, TEMP), "what matches now is worst"
    assert (alert.opened, alert.last) == (day(0), day(2))
    (alert,) = play("xx .x .x", of=watch("2 of 3")).alerts
    assert alert.message == "drift: dewp in alarm in 3 windows in a row, since 2013-04-02"


def test_the_whole_window_is_no_column():
    names = ("a", "b", "c", "d", "e", "f", "g", "")
    (alert,) = replay(
        watch(), Standing(), [Sighting(day(0), {TEMP._replace(column_name=name): 2.0 for name in names})]
    ).alerts
    assert alert.message == "drift: data_drift and 7 columns (a, b, c, d, e and 2 more) in alarm, since 2013-04-01"
    assert len(alert.columns) == 7


def test_the_end_stands_beside_the_sentence_and_the_verdict():
    (alert,) = play("x..", decided(CONFIRM, 0)).alerts
    assert alert.message == "drift: temp in alarm, since 2013-04-01; over since 2013-04-02"
    assert alert.resolved_end == day(1).end
    (alert,) = play("x.x", of=watch(reset="manual")).alerts
    assert (alert.state, alert.resolved_end) == ("open", None)
    (alert,) = play("x..", of=watch(reset="manual")).alerts
    assert (alert.state, alert.resolved_end) == ("open", day(1).end)


def test_one_alert_stands_for_all_columns_and_groups_have_their_own():
    assert [alert.columns for alert in play("xx").alerts] == [("temp",)]
    assert [alert.columns for alert in play("xx xx").alerts] == [("temp", "dewp")]
    found = play("xx x. ..", of=watch(group_by=["column"])).alerts
    assert [(alert.group_key, alert.state) for alert in found] == [
        ("column=dewp", "resolved"),
        ("column=temp", "resolved"),
    ]
    assert [alert.resolved_end for alert in found] == [day(1).end, day(2).end]


def test_a_backfill_that_left_an_alert_open_is_told_by_the_next_run():
    found = replay(watch(), Standing(), sightings("xxxx"), telling=[day(3)])
    assert story(found) == "opened@0(quiet) continued@3"


def test_an_alert_that_is_told_late_is_told_to_be_over():
    found = replay(watch(), Standing(), sightings("xx.x"), telling=[day(0)])
    assert story(found) == "opened@0 resolved@2 opened@3(quiet)"
    found = replay(watch(2), Standing(), sightings("xx."), telling=[day(0)])
    assert story(found) == "opened@1 resolved@2"


def test_of_earlier_windows_nothing_is_told_once_a_later_one_was():
    told = Told({("", day(4)): frozenset(["opened"])}, {"": day(4).end})
    found = replay(watch(), Standing(), sightings("x...x"), telling=[day(0)], told=told)
    assert story(found) == "opened@0(quiet) resolved@1(quiet) opened@4"


# Laws over random histories.

HISTORIES = st.lists(st.sampled_from(["..", "x.", ".x", "xx", "?.", "??", "x?"]), min_size=1, max_size=14)
RULES = st.builds(
    watch,
    windows=st.sampled_from([1, 2, "2 of 3", "1 of 3", "3 of 5"]),
    cooldown=st.sampled_from(["0s", "1d", "3d"]),
    group_by=st.sampled_from([[], ["column"]]),
    reset=st.sampled_from(["automatic", "manual"]),
    escalate=st.sampled_from([None, {"after": "2d", "notify": ["boss"]}]),
)
CHOICES = st.sampled_from(["acknowledged", "snoozed", "resolved", "confirmed", "false_alarm"])


@st.composite
def lives(draw):
    """Return a rule, what it saw, the windows that are told, and decisions that were possible when they were taken."""
    rule, seen = draw(RULES), draw(HISTORIES)
    found = [each for number, marks in enumerate(seen) for each in sightings(f"{marks} ..", number)[:1]]
    telling = draw(st.sets(st.sampled_from([each.window for each in found])))
    decisions: list[Decision] = []
    standing = Standing()
    for number, each in enumerate(found):
        standing = replay(rule, standing, [each], telling=telling).standing
        for key, group in sorted(standing.groups.items()):
            if group.alert is not None and draw(st.integers(0, 5)) == 0:
                what = draw(CHOICES)
                until = day(number + 2).end if what == "snoozed" else None
                decisions.append(Decision(what, key, group.alert.span, day(number), until))
                standing = replay(rule, standing, [], decisions=decisions[-1:]).standing
    return rule, found, telling, decisions


@given(lives(), st.integers(0, 14))
def test_one_by_one_or_in_bulk_comes_to_the_same(life, cut):
    rule, found, telling, decisions = life
    whole = replay(rule, Standing(), found, telling=telling, decisions=decisions)
    before = [each for each in decisions if each.window < day(cut)]
    first = replay(rule, Standing(), found[:cut], telling=telling, decisions=before)
    rest = replay(rule, first.standing, found[cut:], telling=telling, decisions=decisions[len(before) :])
    assert first.happenings + rest.happenings == whole.happenings
    assert rest.standing == whole.standing
    ends = {(alert.group_key, alert.opened): alert for alert in (*first.alerts, *rest.alerts)}
    assert ends == {(alert.group_key, alert.opened): alert for alert in whole.alerts}


@given(lives())
def test_a_replay_tells_again_what_was_told_and_nothing_else(life):
    rule, found, telling, decisions = life
    whole = replay(rule, Standing(), found, telling=telling, decisions=decisions)
    told: dict = {}
    latest: dict = {}
    for each in whole.happenings:
        if each.tell:
            key = each.alert.group_key, each.window
            told[key] = told.get(key, frozenset()) | {each.event}
            latest[key[0]] = each.window.end
    again = replay(rule, Standing(), found, decisions=decisions, told=Told(told, latest))
    assert again.happenings == whole.happenings
    assert again.alerts == whole.alerts


@given(lives())
def test_an_event_happens_once_and_an_unknown_window_resolves_nothing(life):
    rule, found, telling, decisions = life
    whole = replay(rule, Standing(), found, telling=telling, decisions=decisions)
    ids = [(each.alert.alert_id, each.event, each.window) for each in whole.happenings]
    assert len(ids) == len(set(ids))
    by_window = {each.window: each for each in found}
    for each in whole.happenings:
        if each.event == "resolved":
            assert all(by_window[each.window].matches(series) is False for series in each.alert.series)
        if each.event == "opened":
            assert any(by_window[each.window].matches(series) for series in each.alert.series)
    escalated = [each.alert.alert_id for each in whole.happenings if each.event == "escalated"]
    assert len(escalated) == len(set(escalated))
