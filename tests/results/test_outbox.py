from datetime import timedelta

import pytest
from sqlalchemy import event

from monitoring_tasks.results import outbox
from monitoring_tasks.results.outbox import LEASE, claim, given_up, pending, record_not_sent, record_sent
from monitoring_tasks.results.store import open_store
from tests.delivery.outbox_rows import MONITOR, NOW, put, row_of, states

SECOND = timedelta(seconds=1)


def claimed(store, now=NOW, **options):
    """Return the ids of all that can be claimed one after the other."""
    found = []
    while (one := claim(store, MONITOR, now, **options)) is not None:
        found.append(one.delivery_id)
    return found


def test_the_oldest_message_is_claimed_first_and_only_once(store):
    put(store, "opened", alert="late", created_at=NOW + SECOND)
    put(store, "opened", alert="early")
    put(store, "opened", alert="other", monitor="another-monitor")
    one = claim(store, MONITOR, NOW)
    assert (one.delivery_id, one.channel, one.attempts) == ("early-1-ops", "ops", 1)
    assert one.message["title"] == "early opened"
    row = row_of(store, "early-1-ops")
    assert (row["state"], row["attempts"], row["claimed_at"]) == ("sending", 1, NOW)
    assert claimed(store) == ["late-1-ops"]
    assert states(store)["other-1-ops"] == "waiting"


def test_a_later_event_of_an_alert_waits_for_the_earlier_on_the_same_channel(store):
    put(store, "opened", "continued", "resolved", channels=("ops", "boss"))
    first = claim(store, MONITOR, NOW, without=["boss"])
    assert first.delivery_id == "a1-1-ops"
    assert claim(store, MONITOR, NOW, without=["boss"]) is None
    assert claimed(store) == ["a1-1-boss"], "each channel is on its own"
    assert not record_not_sent(store, first, NOW, "no connection", for_good=False)
    assert claimed(store) == []
    again = claim(store, MONITOR, NOW + 30 * SECOND)
    assert (again.delivery_id, again.attempts) == ("a1-1-ops", 2)
    record_sent(store, again, NOW + 31 * SECOND)
    second = claim(store, MONITOR, NOW + 32 * SECOND)
    assert second.delivery_id == "a1-2-ops"
    assert record_not_sent(store, second, NOW, "refused", for_good=True)
    assert claim(store, MONITOR, NOW + 32 * SECOND).delivery_id == "a1-3-ops", "what is given up holds nothing up"


def test_a_claim_runs_out(store):
    put(store, "opened")
    lost = claim(store, MONITOR, NOW)
    assert claim(store, MONITOR, NOW + LEASE - SECOND) is None
    taken = claim(store, MONITOR, NOW + LEASE)
    assert (taken.delivery_id, taken.attempts) == (lost.delivery_id, 2)
    assert not record_not_sent(store, lost, NOW + LEASE, "late", for_good=True)
    assert row_of(store, "a1-1-ops")["state"] == "sending", "whoever lost the claim does not record a failure"
    record_sent(store, lost, NOW + LEASE)
    assert not record_not_sent(store, taken, NOW + LEASE, "no connection", for_good=False)
    assert row_of(store, "a1-1-ops")["state"] == "sent", "what was sent is sent, whoever sent it"


def test_attempts_are_further_and_further_apart_until_it_is_given_up(store):
    put(store, "opened")
    now, waits = NOW, []
    for attempt in range(1, 13):
        one = claim(store, MONITOR, now)
        assert one.attempts == attempt
        final = record_not_sent(store, one, now, f"no connection ({attempt})", for_good=False)
        if final:
            break
        due = row_of(store, "a1-1-ops")["next_attempt_at"]
        assert claim(store, MONITOR, due - SECOND) is None
        waits.append((due - now).total_seconds())
        now = due
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600, 3600]
    assert attempt == 12
    (lost,) = given_up(store, MONITOR)
    assert (lost.channel, lost.title, lost.attempts, lost.error) == ("ops", "a1 opened", 12, "no connection (12)")
    assert claim(store, MONITOR, now + timedelta(days=9)) is None
    assert given_up(store, MONITOR, since=now) == (lost,)
    assert given_up(store, MONITOR, since=now + SECOND) == ()


@pytest.mark.parametrize(
    ("attempts", "age", "expected"),
    [(1, timedelta(days=3), False), (3, timedelta(days=3), False), (4, timedelta(hours=23), False),
     (4, timedelta(hours=24), True), (11, timedelta(0), False), (12, timedelta(0), True)],
)  # fmt: skip
def test_when_a_message_is_given_up(attempts, age, expected):
    assert outbox.is_given_up(attempts, NOW, NOW + age) is expected


def test_what_was_given_up_can_be_tried_again(store):
    put(store, "opened")
    put(store, "opened", alert="other", monitor="another-monitor")
    assert outbox.monitors(store) == ("another-monitor", MONITOR)
    record_not_sent(store, claim(store, MONITOR, NOW), NOW, "channel 'ops' is not known", for_good=True)
    assert pending(store, MONITOR) == ()
    assert outbox.try_again(store, MONITOR) == 1
    assert [one.error for one in pending(store, MONITOR)] == ["channel 'ops' is not known"]
    record_sent(store, claim(store, MONITOR, NOW), NOW)
    row = row_of(store, "a1-1-ops")
    assert (row["state"], row["sent_at"], row["error"]) == ("sent", NOW, None)
    assert outbox.try_again(store, MONITOR) == 0
    assert outbox.monitors(store) == ("another-monitor",)


def test_what_later_news_has_overtaken_is_not_tried_again(store):
    """It would say that an alert was opened to those who know that it is over; on another channel nobody knows."""
    put(store, "opened", "resolved", channels=("ops", "boss"))
    while found := claim(store, MONITOR, NOW):
        if found.delivery_id == "a1-2-ops":
            record_sent(store, found, NOW)
        else:
            record_not_sent(store, found, NOW, "refused", for_good=True)
    assert outbox.try_again(store, MONITOR) == 2
    assert [one.delivery_id for one in pending(store, MONITOR)] == ["a1-1-boss", "a1-2-boss"]
    assert [one.delivery_id for one in given_up(store, MONITOR)] == ["a1-1-ops"]


def test_two_processes_never_claim_the_same(store):
    """The second looks for a message while the first is about to write its claim."""
    put(store, "opened")
    put(store, "opened", alert="a2")
    found = []
    if store.engine.dialect.name == "sqlite":  # one writer at a time: the second waits where it begins
        first, second = claim(store, MONITOR, NOW), claim(store, MONITOR, NOW)
        assert {first.delivery_id, second.delivery_id} == {"a1-1-ops", "a2-1-ops"}
        return
    import threading

    with open_store(store.engine.url.render_as_string(hide_password=False)) as other:
        thread = threading.Thread(target=lambda: found.append(claim(other, MONITOR, NOW)))

        def meanwhile(_connection, _cursor, statement, *_):
            if statement.startswith("UPDATE") and not thread.ident:
                thread.start()
                thread.join(0.2)
                assert not found, "it waits for the lock"

        event.listen(store.engine, "before_cursor_execute", meanwhile)
        found.append(claim(store, MONITOR, NOW))
        thread.join()
    assert sorted(one.delivery_id for one in found) == ["a1-1-ops", "a2-1-ops"]
