"""Deciding on windows that were closed: over a real store, with results written straight into it."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from sqlalchemy import event as listen
from sqlalchemy import func, insert, select

from monitoring_tasks.alerting import decide_alerts
from monitoring_tasks.alerts.alert import Series
from monitoring_tasks.checks import Result
from monitoring_tasks.config.models import When
from monitoring_tasks.errors import ConfigError
from monitoring_tasks.results import alerts as rows
from monitoring_tasks.results import sightings, tables
from monitoring_tasks.results.migrate import migrate
from monitoring_tasks.results.retention import prune
from monitoring_tasks.results.store import Store, WindowRun, open_store
from tests import inference_log
from tests.alerts.watched import day

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RULE = "{{name: drift, when: {{check: data_drift, windows: {windows}}}, notify: [ops], cooldown: 2d{more}}}"


def monitor(windows: object = "2 of 3", more: str = "", rules: str = ""):
    rule = RULE.format(windows=windows, more=more)
    return inference_log.monitor("{}", f"\nalerts: [{rule}{rules}]\n")


def close(store: Store, number: int, seen: str, *, tell: bool = True) -> None:
    """Write what a day's check found of amount, and then of age: ``x`` is an alarm; ``F`` a failed day, ``E`` empty."""
    window = day(number)
    if seen == "F":
        store.write_failed_scan(WindowRun("loans", window, "failed", "h", NOW, error="table gone"), tell=tell)
        return
    results = [
        Result(
            "psi",
            value={"x": 0.3, ".": 0.01, "?": None}[mark],
            column_name=column,
            threshold_upper=0.1,
            status={"x": "alarm", ".": "ok", "?": "insufficient_data"}[mark],
            message=f"{column}: PSI",
        )
        for column, mark in zip(("amount", "age"), "??" if seen == "E" else seen.ljust(2, "."), strict=True)
    ]
    store.write_results("loans", window, "data_drift", results)
    state = "empty" if seen == "E" else "done"
    store.write_window_run(WindowRun("loans", window, state, "h", NOW), tell=tell)


def decide(store: Store, of=None) -> list[str]:
    """Decide on what is due, and return what happened: ``opened@1``, with ``(quiet)`` where nobody is told."""
    events = decide_alerts(of or monitor(), store, now=NOW, message=plain)
    return [
        f"{each.event}@{(each.window.start - day(0).start).days}{'' if each.tell else '(quiet)'}" for each in events
    ]


def plain(_monitor, _store, alert, event, *_, **__):
    return {"title": alert.message, "event": event.event}


def contents(store: Store) -> dict[str, list[dict[str, object]]]:
    """Return what the tables of alerts hold, without clocks."""
    found = {}
    for table in (tables.alert, tables.alert_event, tables.delivery):
        with store.reading() as connection:
            read = [row._asdict() for row in connection.execute(select(table))]
        clocks = ("recorded_at", "created_at", "next_attempt_at")
        kept = [{name: value for name, value in row.items() if name not in clocks} for row in read]
        found[table.name] = sorted(kept, key=repr)
    return found


@pytest.fixture
def made(tmp_path):
    """Return a function that makes another store."""
    numbers, opened = count(), []
    url = f"sqlite:///{tmp_path}/first.db"
    migrate(url)
    template = (tmp_path / "first.db").read_bytes()

    def make() -> Store:
        path = tmp_path / f"{next(numbers)}.db"
        path.write_bytes(template)
        opened.append(open_store(f"sqlite:///{path}"))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


DAYS = ["xx", "x.", "F", "xx", "..", "..", ".x", ".x", "E", ".."]


def test_an_alert_is_opened_told_and_resolved(store: Store):
    said = []
    for number, seen in enumerate(["x.", "xx", "..", ".."]):
        close(store, number, seen)
        said.append(decide(store))
    assert said == [[], ["opened@1"], [], ["resolved@3"]]
    (alert,) = rows.read_alerts(store, "loans")
    assert (alert.state, alert.columns, alert.told_end) == ("resolved", ("amount",), day(3).end)
    assert alert.message == "drift: amount in alarm in 2 of the last 3 windows, since 2013-04-02; over since 2013-04-04"
    opened, resolved = rows.read_events(store, alert.alert_id)
    assert [(each.column_name, each.value, each.threshold_upper) for each in opened.evidence] == [("amount", 0.3, 0.1)]
    assert [each.status for each in resolved.evidence] == ["ok"]
    waiting = store.query("SELECT channel, state, attempts FROM delivery")
    assert waiting == [{"channel": "ops", "state": "waiting", "attempts": 0}] * 2
    assert store.query("SELECT * FROM window_due") == []


def test_a_change_began_in_the_first_of_the_windows_that_opened_the_alert(store: Store):
    for number, seen in enumerate(["x.", "F", "x."]):
        close(store, number, seen)
    assert decide(store, monitor("2 of 3")) == ["opened@2"]
    for number, seen in ((3, ".x"), (4, "x.")):
        close(store, number, seen)
    (alert,) = rows.read_alerts(store, "loans")
    when = monitor("2 of 3").alerts[0].when
    assert sightings.matched_since(store, "loans", when, alert.opened, alert.series) == day(0)
    assert sightings.matched_since(store, "loans", when, day(4), [Series("data_drift", "amount", "")]) == day(2)
    assert sightings.matched_since(store, "loans", when, day(2), [Series("data_drift", "age", "")]) == day(2)


@pytest.mark.parametrize("tell", [True, False], ids=["told", "quiet"])
def test_law_7_one_by_one_in_bulk_and_repeated_come_to_the_same(made, tell):
    one_by_one, bulk, repeated = made(), made(), made()
    for number, seen in enumerate(DAYS):
        for store in (one_by_one, bulk, repeated):
            close(store, number, seen, tell=tell)
        decide(one_by_one)
        decide(repeated)
        close(repeated, number, seen, tell=tell)
        assert decide(repeated) == []
    decide(bulk)
    assert contents(one_by_one) == contents(bulk) == contents(repeated)
    for number, seen in enumerate(DAYS):  # a hundred clears would be the same
        close(repeated, number, seen)
    events = decide(repeated)
    assert tell is False or events == []
    kept = [event for event in contents(repeated)["alert_event"] if event["event"] != "continued"]
    assert len(kept) == len([event for event in contents(bulk)["alert_event"] if event["event"] != "continued"])


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_law_7_any_order_of_quiet_windows_comes_to_the_same(made, seed):
    wanted = made()
    for number, seen in enumerate(DAYS):
        close(wanted, number, seen, tell=False)
    decide(wanted)
    store, order = made(), list(enumerate(DAYS))
    chance = random.Random(seed)
    chance.shuffle(order)
    for number, seen in order:
        if chance.random() < 0.5:  # before its rows or labels were complete
            close(store, number, chance.choice(DAYS), tell=False)
            decide(store)
        close(store, number, seen, tell=False)
        decide(store)
    assert contents(store) == contents(wanted)


@pytest.mark.parametrize("seed", range(4))
def test_law_7_in_any_order_nobody_is_told_twice_and_alerts_cover_the_same_windows(made, seed):
    wanted = made()
    for number, seen in enumerate(DAYS):
        close(wanted, number, seen)
    decide(wanted)
    store, order = made(), list(enumerate(DAYS))
    random.Random(seed).shuffle(order)
    told = []
    for number, seen in order:
        close(store, number, seen)
        told += [event for event in decide_alerts(monitor(), store, now=NOW, message=plain) if event.tell]
    ids = [event.event_id for event in told]
    assert len(ids) == len(set(ids)) == len(contents(store)["delivery"])
    cover = [(alert.opened, alert.last, alert.resolved_end) for alert in rows.read_alerts(wanted)]
    found = [alert for alert in rows.read_alerts(store) if alert.state != "withdrawn"]
    assert [(alert.opened, alert.last, alert.resolved_end) for alert in found] == cover
    assert decide(store) == []


def test_law_7_many_windows_are_decided_on_in_parts_that_come_to_the_same(made, monkeypatch):
    bulk, parts = made(), made()
    for store in (bulk, parts):
        for number, seen in enumerate(DAYS):
            close(store, number, seen, tell=number in (1, 3, 4))
    wanted = decide(bulk)
    monkeypatch.setattr("monitoring_tasks.alerting.PART", 2)
    pauses: list[int] = []

    def pause(_: float) -> None:
        with parts.writing("loans") as connection:
            pauses.append(len(sightings.due_windows(connection, "loans")))

    monkeypatch.setattr("monitoring_tasks.alerting.sleep", pause)
    assert decide(parts) == wanted
    assert contents(parts) == contents(bulk)
    assert pauses == [8, 6, 4, 2], "in between others may write, and what is decided on stays so"


def test_law_7_killed_between_any_two_statements_nothing_is_lost_or_doubled(made):
    wanted = made()
    close_all(wanted, DAYS[:5])
    decide(wanted)
    for last in count(1, 3):
        store = made()
        close_all(store, DAYS[:5])
        left = iter(range(last))

        def die(*_: object, left=left) -> None:
            if next(left, None) is None:
                raise KeyboardInterrupt

        listen.listen(store.engine, "before_cursor_execute", die)
        try:
            decide(store)
            survived = True
        except KeyboardInterrupt:
            survived = False
        listen.remove(store.engine, "before_cursor_execute", die)
        if survived:
            break
        assert contents(store)["alert"] == []
        decide(store)
        assert contents(store) == contents(wanted)
    assert last > 10


def close_all(store: Store, seen: Iterable[str]) -> None:
    for number, each in enumerate(seen):
        close(store, number, each)


def test_a_backfill_tells_nobody_and_the_next_run_says_what_is_still_open(store: Store):
    for number in range(3):
        close(store, number, "x", tell=False)
    assert decide(store) == ["opened@1(quiet)"]
    close(store, 3, "x")
    assert decide(store) == ["continued@3"]
    (alert,) = rows.read_alerts(store)
    assert alert.opened == day(1)


@pytest.mark.parametrize("scanned", [False, True])
def test_a_window_stays_due_to_tell_when_it_is_run_again_quietly(made, scanned):
    store = made()
    close(store, 0, "x")
    if scanned:  # which forgets that the window was done
        with store.writing("loans") as connection:
            connection.execute(tables.window_run.delete())
        assert decide(store, monitor(1)) == [], "nothing can be said of a window that is at work"
    close(store, 0, "x", tell=False)
    assert decide(store, monitor(1)) == ["opened@0"]
    close(store, 0, "x", tell=False)
    close(store, 1, "x", tell=False)
    assert decide(store, monitor(1)) == [], "what was told once stays so, and the next is quiet"


# Late rows and labels.


def test_what_an_event_stands_on_follows_the_results_until_people_are_told(store: Store):
    def evidence() -> list[list[str]]:
        (alert,) = rows.read_alerts(store)
        return [[each.column_name for each in event.evidence] for event in rows.read_events(store, alert.alert_id)]

    close(store, 0, "x.", tell=False)
    decide(store, monitor(1))
    close(store, 0, "xx", tell=False)
    decide(store, monitor(1))
    assert evidence() == [["age", "amount"]]
    close(store, 0, ".x")
    assert decide(store, monitor(1)) == ["opened@0"]
    assert evidence() == [["age"]]
    close(store, 0, "xx")
    decide(store, monitor(1))
    assert evidence() == [["age"]], "as people were told it"


def test_an_alert_that_nobody_knows_of_vanishes_with_what_opened_it(store: Store):
    for number in range(2):
        close(store, number, "x", tell=False)
    decide(store)
    close(store, 0, ".", tell=False)
    assert decide(store) == []
    assert contents(store) == {"alert": [], "alert_event": [], "delivery": []}


def test_what_nobody_was_told_of_an_alert_vanishes_with_what_made_it(store: Store):
    for number, seen in enumerate(["x.", "xx", "x."]):
        close(store, number, seen, tell=False)
    assert decide(store, monitor(1)) == ["opened@0(quiet)", "continued@1(quiet)"]
    close(store, 1, "x.", tell=False)
    assert decide(store, monitor(1)) == []
    (alert,) = rows.read_alerts(store)
    assert [event.event for event in rows.read_events(store, alert.alert_id)] == ["opened"]
    assert alert.columns == ("amount",)


def test_an_alert_that_was_told_is_withdrawn_and_that_is_told(store: Store):
    close_all(store, ["x", "x"])
    assert decide(store) == ["opened@1"]
    close(store, 0, ".")
    assert decide(store) == ["withdrawn@1"]
    (alert,) = rows.read_alerts(store)
    assert alert.state == "withdrawn"
    assert alert.message.endswith("since 2013-04-02; withdrawn: the results that opened it have changed")
    close(store, 0, ".")
    assert decide(store) == []
    close(store, 0, "x")
    assert decide(store) == []
    (again,) = rows.read_alerts(store)
    assert (again.alert_id, again.state) == (alert.alert_id, "open")


def test_an_alert_that_was_told_keeps_its_id_when_it_begins_earlier(store: Store):
    for number, seen in enumerate([".", ".", "x", "x"]):
        close(store, number, seen)
    decide(store)
    (before,) = rows.read_alerts(store)
    close(store, 1, "x")
    assert decide(store) == []
    (after,) = rows.read_alerts(store)
    assert (after.alert_id, before.opened, after.opened) == (before.alert_id, day(3), day(2))


def test_an_alert_that_falls_apart_is_not_told_twice(store: Store):
    of = inference_log.monitor("{}", "\nalerts: [" + RULE.format(windows=1, more="").replace("2d", "0s") + "]\n")
    for number in (0, 2, 4, 5):
        close(store, number, "." if number == 5 else "x")
        decide(store, of)
    sent = store.query("SELECT message FROM delivery")
    close(store, 3, ".")
    assert decide(store, of) == ["resolved@3", "opened@4(quiet)"]
    assert {(alert.opened, alert.state) for alert in rows.read_alerts(store)} == {
        (day(0), "resolved"),
        (day(4), "resolved"),
    }
    assert len(store.query("SELECT message FROM delivery")) == len(sent) + 1


def test_what_windows_that_came_late_mean_is_told(store: Store):
    for number, seen in enumerate(["x", "?", "."]):
        close(store, number, seen)
    assert decide(store) == []
    close(store, 1, "x")  # its labels have come
    assert decide(store) == ["opened@1"]
    close(store, 3, ".")
    assert decide(store) == ["resolved@3"]


def test_windows_that_were_pruned_leave_their_alerts_as_they_were(store: Store):
    close_all(store, ["x", "x", "x", "x", "x"])
    decide(store)
    rows.record_decision(store, rows.read_alerts(store)[0].alert_id, "acknowledged", "ada", now=NOW)
    prune(store, day(3).start.isoformat())
    close(store, 3, "x")
    assert decide(store) == []
    (alert,) = rows.read_alerts(store)
    assert (alert.opened, alert.state, alert.last) == (day(1), "acknowledged", day(4))
    close(store, 5, ".")
    close(store, 6, ".")
    assert decide(store) == ["resolved@6"]


OTHER = "\nalerts: [{name: other, when: {check: data_drift}}]\n"
ELSEWHERE = "\nalerts: [{name: drift, when: {check: operations}}]\n"


@pytest.mark.parametrize("edited", [OTHER, ELSEWHERE], ids=["renamed", "about another check"])
def test_an_alert_that_no_rule_asks_for_any_more_is_withdrawn_quietly(store: Store, edited):
    close_all(store, ["x", "x"])
    decide(store)
    assert decide(store, inference_log.monitor("{}", edited)) == ["withdrawn@1(quiet)"]
    (alert,) = rows.read_alerts(store)
    assert alert.message.endswith("since 2013-04-02; withdrawn: the monitor file no longer asks for it")
    assert decide(store, inference_log.monitor("{}", edited)) == []


def test_alerts_are_grouped_anew_when_the_file_says_so(store: Store):
    grouped = monitor(1, ", group_by: column")
    close_all(store, ["xx", "xx"])
    assert decide(store, monitor(1)) == ["opened@0"]
    close(store, 2, "xx")
    assert decide(store, grouped) == ["withdrawn@2(quiet)", "opened@2", "opened@2"]
    close(store, 3, "x.")
    assert decide(store, grouped) == ["resolved@3"]
    close(store, 0, "..")
    decide(store, grouped)
    states = {alert.group_key: alert.state for alert in rows.read_alerts(store)}
    assert states == {"": "withdrawn", "column=age": "resolved", "column=amount": "open"}
    close(store, 4, "x.")
    assert decide(store, monitor(1))[0] == "withdrawn@4(quiet)"
    assert [alert.group_key for alert in rows.read_alerts(store, only_open=True)] == [""]


# No data.

NO_DATA = ", {name: silence, when: {check: data_drift, status: insufficient_data, windows: 2}, notify: [ops]}"
BROKEN = ", {name: broken, when: {check: data_drift, status: error}, notify: [ops]}"


def test_empty_and_failed_windows_have_alerts_and_words_of_their_own(store: Store):
    of = monitor(rules=NO_DATA + BROKEN)
    said = []
    for number, seen in enumerate(["..", "E", "E", "F", ".."]):
        close(store, number, seen)
        said.append(decide(store, of))
    assert said == [[], [], ["opened@2"], ["opened@3"], ["resolved@4", "resolved@4"]]
    silence, broken = rows.read_alerts(store)
    assert silence.message == "silence: no rows in 2 windows in a row, since 2013-04-03; over since 2013-04-05"
    assert broken.message == (
        "broken: data_drift not computed: the window failed, since 2013-04-04; over since 2013-04-05"
    )
    assert [each.message for each in rows.read_events(store, broken.alert_id)[0].evidence] == ["table gone"]


def test_a_failed_window_counts_with_the_checks_that_wrote_it(store: Store):
    close(store, 0, "x")
    store.write_window_run(WindowRun("loans", day(0), "failed", "h", NOW, error="another check failed"), tell=True)
    assert decide(store, monitor(1)) == ["opened@0"]
    assert [alert.state for alert in rows.read_alerts(store)] == ["open"]
    close(store, 1, "F")
    assert decide(store, monitor(1)) == []


def test_that_labels_are_known_to_be_missing_resolves_no_alert_about_performance(store: Store):
    rule = monitor(1).alerts[0].model_copy(update={"when": When(check="performance")})
    of = monitor(1).model_copy(update={"alerts": (rule,)})
    for number, status in enumerate(["alarm", "insufficient_data", "ok"]):
        found = [Result("roc_auc", value=0.6, status=status), Result("label_coverage", value=0.9, status="ok")]
        store.write_results("loans", day(number), "performance", found)
        store.write_window_run(WindowRun("loans", day(number), "done", "h", NOW), tell=True)
    assert decide(store, of) == ["opened@0", "resolved@2"]


# People.


def test_a_decision_takes_effect_at_once_and_in_every_replay(store: Store):
    close_all(store, ["x", "x"])
    decide(store)
    (alert,) = rows.read_alerts(store)
    decided = rows.record_decision(store, alert.alert_id[:4], "acknowledged", "ada", "looking", now=NOW)
    assert decided.state == rows.read_alert(store, alert.alert_id).state == "acknowledged"
    for number in range(2, 6):
        close(store, number, "x")
        assert decide(store) == []
    close(store, 1, "x")  # a replay from the opening on
    assert decide(store) == []
    assert rows.read_alert(store, alert.alert_id).state == "acknowledged"
    close(store, 6, ".")
    close(store, 7, ".")
    assert decide(store) == ["resolved@7"]
    assert [event.event for event in rows.read_events(store, alert.alert_id)] == ["opened", "acknowledged", "resolved"]
    assert [event.sequence for event in rows.read_events(store, alert.alert_id)] == [1, 2, 3]


@pytest.mark.parametrize("decision", ["acknowledged", "snoozed", "resolved", "confirmed", "false_alarm"])
def test_a_replay_after_a_decision_comes_to_what_going_on_came_to(made, decision):
    seen = ["x", "x", "x", "x", ".", ".", "x", "x", "x"]
    going_on, replayed = made(), made()
    for store in (going_on, replayed):
        for number in range(3):
            close(store, number, seen[number])
        decide(store)
        (alert,) = rows.read_alerts(store)
        until = timedelta(days=1) if decision == "snoozed" else None
        rows.record_decision(store, alert.alert_id, decision, "ada", until=until, now=NOW)
    for number in range(3, len(seen)):
        close(going_on, number, seen[number])
        decide(going_on)
    for number in reversed(range(3, len(seen))):
        close(replayed, number, seen[number], tell=False)
    close(replayed, 0, seen[0])
    for number in range(3, len(seen)):
        close(replayed, number, seen[number])
    decide(replayed)
    assert contents(replayed) == contents(going_on)


def test_what_cannot_be_decided_is_refused(store: Store):
    close_all(store, ["x", "x"])
    decide(store)
    (alert,) = rows.read_alerts(store)

    def refuse(text: str, decision: str, which: str = alert.alert_id, by: str = "ada", **more: object) -> None:
        with pytest.raises(ConfigError, match=text):
            rows.record_decision(store, which, decision, by, now=NOW, **more)

    refuse("there is no alert 'nope'", "acknowledged", "nope")
    refuse("there is no alert ''", "acknowledged", "")
    refuse("needs somebody", "acknowledged", by=" ")
    refuse("a snooze until 2013-04-03T00:00Z is over before it begins", "snoozed", until=day(1).end)
    rows.record_decision(store, alert.alert_id, "resolved", "ada", now=NOW)
    refuse("it is resolved already: only a verdict", "acknowledged")
    rows.record_decision(store, alert.alert_id, "false_alarm", "ada", now=NOW)
    refuse("it is called false alarm already", "false_alarm")


def test_rules_that_cry_wolf_say_so(store: Store):
    of = monitor(1)
    for number in range(8):
        close(store, number, "x." if number % 2 == 0 else "..")
        decide(store, of)
    for place, alert in enumerate(rows.read_alerts(store)):
        rows.record_decision(store, alert.alert_id, "confirmed" if place == 0 else "false_alarm", "ada", now=NOW)
    verdicts = rows.verdict_counts(store, "loans", "drift")
    assert (verdicts.false_alarms, verdicts.confirmed) == (3, 1)
    assert verdicts.hint.startswith("3 of its last 4 alerts with a verdict were false alarms")
    assert rows.verdict_counts(store, "loans", "drift", Series("data_drift", "amount", "")) == verdicts
    assert rows.verdict_counts(store, "loans", "drift", Series("data_drift", "age", "")).hint == ""


def test_who_is_told_of_the_escalation_is_told_of_the_end(store: Store):
    of = monitor(1, ", escalate: {after: 1d, notify: [boss, ops]}")
    for number, seen in enumerate("xx."):
        close(store, number, seen)
    assert decide(store, of) == ["opened@0", "escalated@1", "resolved@2"]
    sent = store.query(
        "SELECT event, channel FROM delivery JOIN alert_event USING (event_id) ORDER BY window_start, channel"
    )
    assert [tuple(row.values()) for row in sent] == [
        *(("opened", "ops"), ("escalated", "boss"), ("escalated", "ops"), ("resolved", "boss"), ("resolved", "ops"))
    ]


def test_a_message_that_cannot_be_made_costs_only_its_picture(store: Store):
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("division by zero")

    close(store, 0, "x")
    (event,) = decide_alerts(monitor(1), store, now=NOW, message=broken)
    assert event.tell
    (row,) = store.query("SELECT message FROM delivery")
    assert "loans: drift: amount in alarm, since 2013-04-01" in str(row["message"])
    assert "could not be made: ZeroDivisionError" in str(row["message"])


def write_action(store: Store, alert: str, decision: str, number: int) -> None:
    row = dict.fromkeys(("action_id", "kind", "target", "reason", "approval", "note", "state"), "a")
    row |= {"monitor": "loans", "alert_id": alert, "decision": decision, "evidence": [], "recorded_at": NOW}
    with store.writing("loans") as connection:
        window = {"window_start": day(number).start, "window_end": day(number).end}
        connection.execute(insert(tables.action), row | window)


def test_an_alert_that_has_asked_for_a_new_model_is_not_deleted(store: Store):
    for number in range(2):
        close(store, number, "x", tell=False)
    decide(store)
    (alert,) = rows.read_alerts(store)
    write_action(store, alert.alert_id, "trigger", 1)
    close(store, 0, ".", tell=False)
    assert decide(store) == ["withdrawn@1(quiet)"]
    with store.reading() as connection:
        assert connection.execute(select(func.count()).select_from(tables.alert)).scalar() == 1


@pytest.mark.parametrize("earlier", ["x", "."], ids=["opens earlier", "never opens"])
def test_what_was_not_done_because_of_an_alert_follows_the_alert(made, earlier):
    """So that backfills in any order come to the same ids."""
    late, in_order = made(), made()
    for store in (late, in_order):
        for number, seen in enumerate([earlier, earlier, "x", "x" if earlier == "x" else "."]):
            if store is in_order or number > 1:
                close(store, number, seen, tell=False)
        decide(store)
    if earlier == ".":
        close(late, 3, "x", tell=False)
        decide(late)
    (alert,) = rows.read_alerts(late)
    write_action(late, alert.alert_id, "quiet", 3)
    for number in (0, 1):
        close(late, number, earlier, tell=False)
    close(late, 3, "x" if earlier == "x" else ".", tell=False)
    decide(late)
    alerts = [(each.alert_id, each.opened) for each in rows.read_alerts(late)]
    assert alerts == [(each.alert_id, each.opened) for each in rows.read_alerts(in_order)]
    followed = [(row["alert_id"], row["decision"]) for row in late.query("SELECT alert_id, decision FROM action")]
    assert followed == [(alert_id, "quiet") for alert_id, _ in alerts]
