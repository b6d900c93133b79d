"""A message with what the store knows: the numbers, the picture, the links, and SQL that runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import insert

from monitoring_tasks.alerts import html
from monitoring_tasks.alerts.alert import Series
from monitoring_tasks.alerts.message import Bars, Code, Course, Facts, Headline, Links, Numbers, Paragraph
from monitoring_tasks.alerts.verdicts import Verdicts
from monitoring_tasks.config import AlertRule, parse_monitor
from monitoring_tasks.errors import ConfigError, DataError
from monitoring_tasks.history import History
from monitoring_tasks.notice import message, report_url
from monitoring_tasks.results import tables
from monitoring_tasks.results.migrate import migrate
from monitoring_tasks.results.store import Store, open_store
from tests.alerts.example_notices import (
    CARRIER,
    DISTANCE,
    JFK,
    MONITOR,
    NOTICES,
    alert,
    drifting,
    event,
    filled,
    hostile,
    matched,
    monitor,
    told,
)
from tests.results.example import BASELINE, NOW, day


def block(message, kind):
    return next(each for each in message.blocks if isinstance(each, kind))


def kinds(message):
    return [type(each) for each in message.blocks]


@pytest.fixture(scope="module")
def filled_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One that every test of this file reads."""
    url = f"sqlite:///{tmp_path_factory.mktemp('notice') / 'results.db'}"
    migrate(url)
    with open_store(url) as opened:
        yield filled(opened)


def test_the_sql_of_every_message_runs(store: Store) -> None:
    """As it is, on SQLite and on PostgreSQL, and it finds what the message is about."""
    filled(store)
    for name, make in NOTICES.items():
        (sql,) = [each.text for each in make(store).blocks if isinstance(each, Code) and each.language == "sql"]
        with store.reading() as connection:
            rows = connection.exec_driver_sql(sql).mappings().all()
        assert rows, name
        if name == "opened":
            assert {(row["metric"], row["column_name"], row["segment"]) for row in rows} == {
                (each.metric, each.column_name, each.segment) for each in matched(store, 3)
            }


def test_the_worst_column_is_drawn(filled_store: Store) -> None:
    found = NOTICES["opened"](filled_store)
    drawn = block(found, Bars)
    assert drawn.labels == ("missing", "[0,500)", "[500,1000)", "from 1000 on")
    assert drawn.baseline == (0.0, 0.6, 0.4, 0.0)
    assert drawn.window == (0.1, 0.5, 0.3, 0.1)
    assert (drawn.baseline_rows, drawn.window_rows) == (100, 10)
    course = block(found, Course)
    assert course.values == (0.05, 0.3, 0.1, 0.25)
    assert course.statuses == ("ok", "alarm", "ok", "alarm")
    assert (course.upper, course.bound) == (0.2, "above 0.2")


@pytest.mark.parametrize(
    ("moving", "number", "called"),
    [
        pytest.param("rolling: 3d", 4, "baseline rolling 3d", id="three days before"),
        pytest.param("rolling: 3d", 1, "baseline", id="one day before"),
        pytest.param("seasonal: {by: day_of_week, over: 8w}", 4, "baseline", id="no such day before"),
    ],
)
def test_a_moving_baseline_is_drawn_as_the_checks_count_it(
    filled_store: Store, moving: str, number: int, called: str
) -> None:
    """Where too few windows lie before, the baseline's own rows stand in their place."""
    watched = parse_monitor(MONITOR.replace("end: 2013-04-01}", f"end: 2013-04-01}}, {moving}"), environ={})
    window = day(number)
    of = alert("drift", number, number, [DISTANCE], "drift: distance in alarm")
    happened = event(of, "opened", number, matched(filled_store, number))
    bars = block(message(watched, filled_store, of, happened, watched.alerts[0]), Bars)
    counts = History(watched, [window], filled_store).reference(window, BASELINE).columns[""]["distance"].counts
    assert bars.baseline_rows == sum(counts)
    assert bars.baseline == tuple(count / sum(counts) for count in (counts[0], *counts[2:]))
    assert bars.baseline_name == called


def test_errors_are_no_distribution_to_draw(filled_store: Store) -> None:
    """A row without an error is not one that misses something."""
    watched = parse_monitor(MONITOR.replace("key: id,", "key: id, error: fault,"), environ={})
    of = alert("drift", 3, 3, [DISTANCE], "drift: fault in alarm")
    happened = event(of, "opened", 3, matched(filled_store, 3))
    assert Bars in kinds(message(watched, filled_store, of, happened, watched.alerts[0]))
    log = watched.inference_log.model_copy(update={"error": "distance"})
    watched = watched.model_copy(update={"inference_log": log})
    assert Bars not in kinds(message(watched, filled_store, of, happened, watched.alerts[0]))


def test_numbers_stand_worst_first_and_are_counted_beyond_ten(filled_store: Store) -> None:
    table = block(hostile(filled_store), Numbers)
    assert len(table.rows) == 10
    assert table.more == 5
    assert [float(row[2]) for row in table.rows] == sorted((float(row[2]) for row in table.rows), reverse=True)


def test_what_joined_is_said_from_the_stored_events(filled_store: Store) -> None:
    of = drifting(4, DISTANCE, JFK)
    with filled_store.writing("flights") as connection:
        connection.execute(insert(tables.alert), _alert_row(of))
        connection.execute(insert(tables.alert_event), _event_row(of, matched(filled_store, 3)[:1]))
    rule = monitor().alerts[0]
    found = message(monitor(), filled_store, of, event(of, "continued", 4, matched(filled_store, 4), 2), rule)
    assert block(found, Headline).text == (
        "drift is still open after 2 windows: distance in origin=JFK is new, distance as before; "
        "the worst is distance with psi 0.5 (alarm above 0.2)"
    )


def test_a_reminder_says_that_nothing_is_new(filled_store: Store) -> None:
    of = drifting(4)
    earlier = [event(of, "opened", 3, matched(filled_store, 3))]
    earlier = [event(of, "opened", 3, matched(filled_store, 4))]
    found = told(filled_store, of, event(of, "continued", 4, matched(filled_store, 4), 2), earlier)
    assert block(found, Headline).text == (
        "drift is still open after 2 windows: distance and distance in origin=JFK as before; "
        "the worst is distance with psi 0.5 (alarm above 0.2)"
    )


def test_the_sentence_says_how_bad_it_is_where_a_title_has_room(filled_store: Store) -> None:
    found = NOTICES["opened"](filled_store)
    assert block(found, Headline).text == (
        "drift: distance in alarm in 2 of the last 3 windows, since 2013-04-04; "
        "the worst is distance with psi 0.25 (alarm above 0.2)"
    )
    assert found.title == f"[high] flights: {block(found, Headline).text}"
    of = replace(drifting(3), message=f"drift: {'distance' * 9} in alarm, since 2013-04-04")
    longer = told(filled_store, of, event(of, "opened", 3, matched(filled_store, 3)))
    assert longer.title == f"[high] flights: {of.message}"


def test_a_title_counts_columns_rather_than_losing_its_end(filled_store: Store) -> None:
    names = ", ".join(f"scheduled_minutes_{place}" for place in range(5))
    counted = f"drift: 7 columns ({names} and 2 more) in alarm in 2 of the last 3 windows, since 2013-04-04"
    of = replace(drifting(3), message=counted)
    found = told(filled_store, of, event(of, "opened", 3, matched(filled_store, 3)))
    assert found.title == "[high] flights: drift: 7 columns in alarm in 2 of the last 3 windows, since 2013-04-04"
    assert names in block(found, Headline).text


def test_what_the_check_says_stands_first_and_beside_a_mails_subject(filled_store: Store) -> None:
    said = "distance moved: PSI 0.25 (alarm above 0.2)"
    evidence = tuple(replace(each, message=said) for each in matched(filled_store, 3))
    of = drifting(3)
    found = told(filled_store, of, event(of, "opened", 3, evidence))
    assert kinds(found)[:3] == [Headline, Paragraph, Facts]
    assert found.blocks[1] == Paragraph(said)
    body = html.render(found)[1].partition("<body")[2]
    assert re.sub("<[^>]*>", "", body.partition(">")[2]).strip().startswith(said)


def test_what_is_about_no_column_is_called_by_its_number(filled_store: Store) -> None:
    of = alert("silence", 3, 4, [Series("operations", "", "")], "silence: operations, since 2013-04-04")
    numbers = [
        replace(each, check_name="operations", column_name="", segment="", metric="rows")
        for each in matched(filled_store, 4)
    ]
    found = told(
        filled_store, of, event(of, "continued", 4, tuple(numbers[:1])), [event(of, "opened", 3, tuple(numbers[:1]))]
    )
    assert block(found, Headline).text == (
        "silence is still open after 2 windows: rows as before; the worst is rows 0.5 (alarm above 0.2)"
    )


def test_a_resolved_alert_says_how_long_and_how_bad(filled_store: Store) -> None:
    found = NOTICES["resolved"](filled_store)
    assert block(found, Headline).text == (
        "drift is over: it lasted 2 windows, from 2013-04-04 until 2013-04-05 (UTC); "
        "the worst was distance with psi 0.5 (alarm above 0.2) in 2013-04-05"
    )
    assert (
        found.title == "[resolved] flights: drift is over: it lasted 2 windows, from 2013-04-04 until 2013-04-05 (UTC)"
    )


@pytest.mark.parametrize(
    ("channels", "said"),
    [(("ops",), "ops when it opened; now again"), (("ops", "boss"), "ops when it opened; now boss too")],
    ids=["nobody-new", "boss"],
)
def test_whom_an_escalation_tells(filled_store: Store, channels: tuple[str, ...], said: str) -> None:
    rule = monitor().alerts[0]
    rule = rule.model_copy(update={"escalate": rule.escalate.model_copy(update={"notify": channels})})
    of = drifting(4)
    found = message(monitor(), filled_store, of, event(of, "escalated", 4, matched(filled_store, 4), 2), rule)
    assert ("Told", said) in block(found, Facts).pairs


def test_a_withdrawn_alert_of_a_rule_that_is_gone(filled_store: Store) -> None:
    of = drifting(3)
    rule = AlertRule(name="old", when={"check": "data_drift"})
    found = message(monitor(), filled_store, of, event(of, "withdrawn", 3), rule, earlier=[])
    assert block(found, Headline).text == "drift is withdrawn: the monitor file no longer has such an alert"
    assert Numbers not in kinds(found)


def test_many_false_alarms_are_said(filled_store: Store) -> None:
    of = drifting(3)
    opened = event(of, "opened", 3)
    told(filled_store, of, opened)
    texts = [
        each.text
        for each in told(filled_store, of, opened, verdicts=Verdicts(4, 1)).blocks
        if isinstance(each, Paragraph)
    ]
    assert "4 of its last 5 alerts with a verdict were false alarms: raise its threshold or minimum_effect" in texts


def test_a_message_goes_without_its_picture(filled_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(*_: object) -> None:
        raise DataError("profile of 2013-04-04 is gone")

    monkeypatch.setattr(Store, "read_profiles", unreadable)
    found = NOTICES["opened"](filled_store)
    assert Bars not in kinds(found)
    assert Numbers in kinds(found)
    assert any("The picture is missing" in each.text for each in found.blocks if isinstance(each, Paragraph))


def test_nothing_is_drawn_that_is_not_there(filled_store: Store) -> None:
    """An alert of results that were pruned."""
    of = alert("drift", 300, 300, [CARRIER], "drift: carrier in alarm, since 2014-01-26")
    found = message(monitor(), filled_store, of, event(of, "opened", 300), monitor().alerts[0])
    assert kinds(found) == [Headline, Facts, Code, Code]


def test_windows_in_a_row_without_data(filled_store: Store) -> None:
    assert block(NOTICES["no_data"](filled_store), Headline).text == (
        "no row has come into log since 2013-04-06 (UTC): a whole window is empty"
    )
    found = block(NOTICES["no_results"](filled_store), Headline).text
    assert found == (
        "there are no results since 2013-04-06 (UTC): 2 windows in a row failed or were empty, the latest failed "
        "(table 'log': no such table)"
    )


def test_an_error_of_one_check_is_no_missing_data(filled_store: Store) -> None:
    """The window of a rule about errors did not fail: one check of it did."""
    of = alert("failures", 3, 3, [DISTANCE], "failures: distance not computed because of an error, since 2013-04-04")
    evidence = tuple(
        replace(each, status="error", value=None, message="cannot be cast") for each in matched(filled_store, 3)
    )
    found = told(filled_store, of, event(of, "opened", 3, evidence))
    assert block(found, Headline).text == of.message
    assert "not measured" in block(found, Numbers).rows[0]


REPORT = "MONITORING_REPORT_URL"


def test_the_report_comes_from_the_environment(filled_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(REPORT, "https://example.com/{monitor}/{alert_id}?from={window_start}&to={window_end}")
    of = drifting(3)
    found = message(monitor(), filled_store, of, event(of, "opened", 3), monitor().alerts[0])
    url = f"https://example.com/flights/{of.alert_id}?from=2013-04-04T00%3A00Z&to=2013-04-05T00%3A00Z"
    assert block(found, Links).pairs == (("Report", url),)


def test_a_wrong_template_holds_no_alert_back(filled_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(REPORT, "https://example.com/{host}")
    of = drifting(3)
    found = message(monitor(), filled_store, of, event(of, "opened", 3), monitor().alerts[0])
    assert Links not in kinds(found)
    assert isinstance(found.blocks[-1], Paragraph)
    assert "{host}" in found.blocks[-1].text


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("https://x/{host}", "placeholder {host}, which nobody fills: write one of {monitor}, {window_start}"),
        ("https://x/{}", "placeholder {}"),
        ("https://x/{monitor.name}", "placeholder {monitor.name}"),
        ("https://x/{monitor!r}", "placeholder {monitor}"),
        ("https://x/{monitor:>10}", "placeholder {monitor}"),
        ("https://x/{monitor", "a brace that is not closed"),
    ],
)
def test_wrong_templates(template: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        report_url("flights", day(0), "abc", {REPORT: template})
    assert says in str(caught.value)


def test_no_template_is_no_report() -> None:
    assert report_url("flights", day(0), "abc", {}) is None
    assert report_url("flights", day(0), "abc", {REPORT: "https://x/{{a}}"}) == "https://x/{a}"


def _alert_row(of):
    return {
        "alert_id": of.alert_id,
        "monitor": of.monitor,
        "name": of.name,
        "group_key": "",
        "severity": of.severity,
        "state": of.state,
        "window_start": of.opened.start,
        "window_end": of.opened.end,
        "last_window_start": of.last.start,
        "last_window_end": of.last.end,
        "columns": list(of.columns),
        "message": of.message,
    }


def _event_row(of, evidence):
    first = event(of, "opened", 3, evidence)
    return {
        "event_id": first.event_id,
        "alert_id": of.alert_id,
        "sequence": 1,
        "event": "opened",
        "window_start": first.window.start,
        "window_end": first.window.end,
        "actor": "",
        "note": "",
        "evidence": [each.to_json() for each in evidence],
        "tell": True,
        "recorded_at": NOW,
    }
