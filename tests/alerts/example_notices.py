"""Messages of a small store: one of each event, one about missing data, and one in which everything is hostile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from monitoring_tasks.alerts.alert import Alert, AlertEvent, Evidence, MonitorEventName, Series, alert_id, event_id
from monitoring_tasks.alerts.message import Message
from monitoring_tasks.alerts.verdicts import Verdicts
from monitoring_tasks.checks.result import Result
from monitoring_tasks.config import Monitor, parse_monitor
from monitoring_tasks.notice import Links, message
from monitoring_tasks.profile import Bins
from monitoring_tasks.results.store import Store, WindowRun
from tests.alerts.hostile import STORED
from tests.results.example import BASELINE, NOW, carrier, day, distance, fill, profile

MONITOR = """\
monitor: flights
owner: flight-ops@example.com
schedule: "@daily"
start: 2013-04-01
warehouse: demo
inference_log: {table: log, timestamp: at, key: id, features: {distance: numeric, carrier: categorical}}
task: regression
baseline: {period: {start: 2013-03-01, end: 2013-04-01}}
alerts:
  - {name: drift, when: {check: data_drift, windows: 2 of 3}, severity: high, notify: [ops],
     escalate: {after: 4h, notify: [boss]}}
  - {name: silence, when: {check: operations, status: insufficient_data}, severity: critical, notify: [ops]}
  - {name: failures, when: {check: data_drift, status: error}, severity: critical, notify: [ops]}
"""
LINKS = Links(
    run="https://airflow.example.com/dags/monitor.flights/runs/scheduled__2013-04-05T00:00:00+00:00",
    report="https://grafana.example.com/d/1?var-monitor=flights&from=2013-04-05T00%3A00Z",
)
DISTANCE, JFK, CARRIER = (
    Series("data_drift", "distance", ""),
    Series("data_drift", "distance", "origin=JFK"),
    Series("data_drift", "carrier", ""),
)


def monitor() -> Monitor:
    return parse_monitor(MONITOR, environ={})


def filled(store: Store) -> Store:
    """Five days of which the second, the fourth and the fifth drift, one without rows, and one that failed."""
    fill(store)
    empty = WindowRun("flights", day(5), "empty", "config", NOW, rows=0, baseline_id=BASELINE.id, seconds=0.1)
    store.write_profiles(
        "flights", day(5), (profile(day(5), distance(0, 0, 0, 0, 0), carrier(0, 0, 0, 0, 0)),), BASELINE.id
    )
    store.write_window_run(empty, ())
    store.write_failed_scan(
        replace(empty, window=day(6), state="failed", rows=None, baseline_id=None, error="table 'log': no such table")
    )
    return store


def matched(store: Store, number: int) -> tuple[Evidence, ...]:
    """What is in alarm on a day, as evidence."""
    names = set(Evidence.__dataclass_fields__) - {"window"}
    return tuple(
        Evidence(day(number), **{name: row[name] for name in names})
        for row in store.results(
            "flights", day(number).start, day(number).end, checks=["data_drift"], statuses=["alarm"]
        )
    )


def alert(name: str, opened: int, last: int, series: Sequence[Series], sentence: str) -> Alert:
    severity = {rule.name: rule.severity for rule in monitor().alerts}[name]
    key = alert_id("flights", name, "", day(opened))
    return Alert(key, "flights", name, "", severity, "open", day(opened), day(last), tuple(series), sentence)


def event(
    of: Alert, name: MonitorEventName, number: int, evidence: tuple[Evidence, ...] = (), sequence: int = 1
) -> AlertEvent:
    return AlertEvent(
        event_id(of.alert_id, name, day(number)), of.alert_id, sequence, name, day(number), True, evidence=evidence
    )


def told(
    store: Store, of: Alert, happened: AlertEvent, earlier: Sequence[AlertEvent] = (), verdicts: Verdicts | None = None
) -> Message:
    rule = next(rule for rule in monitor().alerts if rule.name == of.name)
    return message(monitor(), store, of, happened, rule, LINKS, verdicts or Verdicts(), earlier)


def drifting(last: int, *series: Series) -> Alert:
    return alert(
        "drift",
        3,
        last,
        series or (DISTANCE, JFK),
        "drift: distance in alarm in 2 of the last 3 windows, since 2013-04-04",
    )


def opened(store: Store) -> Message:
    of = drifting(3)
    return told(store, of, event(of, "opened", 3, matched(store, 3)), verdicts=Verdicts(false_alarms=5, confirmed=3))


def continued(store: Store) -> Message:
    of = drifting(4)
    first = event(of, "opened", 3, tuple(each for each in matched(store, 3) if not each.segment))
    return told(store, of, event(of, "continued", 4, matched(store, 4), 2), [first])


def escalated(store: Store) -> Message:
    of = drifting(4)
    return told(store, of, event(of, "escalated", 4, matched(store, 4), 2), [event(of, "opened", 3, matched(store, 3))])


def resolved(store: Store) -> Message:
    of = replace(drifting(4), state="resolved", resolved_end=day(5).end)
    return told(store, of, event(of, "resolved", 5, (), 3))


def withdrawn(store: Store) -> Message:
    of = replace(drifting(3), state="withdrawn")
    then = tuple(replace(each, value=2 * (each.value or 0.0)) for each in matched(store, 3))
    gone = replace(then[0], metric="hellinger", value=0.5)
    return told(store, of, event(of, "withdrawn", 3, (), 2), [event(of, "opened", 3, (*then, gone))])


def no_data(store: Store) -> Message:
    of = alert("silence", 5, 5, [Series("operations", "", "")], "silence: no rows, since 2013-04-06")
    asked = Evidence(day(5), "operations", "freshness", "", "", "insufficient_data", window_rows=0, message="no rows")
    return told(store, of, event(of, "opened", 5, (asked,)))


def no_results(store: Store) -> Message:
    of = alert(
        "failures",
        6,
        6,
        [Series("data_drift", "", "")],
        "failures: data_drift not computed: the window failed, since 2013-04-07",
    )
    return told(store, of, event(of, "opened", 6))


def hostile(store: Store) -> Message:
    """Columns, categories, segments, messages and an error that are markup."""
    bins = {**BASELINE.bins, STORED[0]: Bins("categorical", categories=STORED[1:9], others=STORED[9:10])}
    counts = {name: replace(carrier(0, *range(8), 1, 1), column=name, unseen=((STORED[6], 1),)) for name in [STORED[0]]}
    baseline = replace(BASELINE, bins=bins, columns={**BASELINE.columns, **counts})
    store.write_baseline(baseline, "hostile")
    window = day(20)
    own = profile(window, distance(1, 0, 5, 3, 1), *counts.values())
    store.write_profiles("flights", window, (own,), baseline.id)
    results = [
        Result(
            "psi",
            0.5 - place / 100,
            text,
            f"origin={STORED[-1 - place]}" if place else "",
            threshold_upper=0.2,
            message=f"{text} moved",
        )
        for place, text in enumerate(STORED)
    ]
    store.write_results("flights", window, "data_drift", results)
    done = WindowRun("flights", window, "done", "config", NOW, rows=10, baseline_id=baseline.id, seconds=1.5)
    store.write_window_run(done, ("data_drift",))
    evidence = tuple(sorted(matched(store, 20), key=lambda each: each.value or 0.0, reverse=True))
    of = alert("drift", 20, 20, [each.series for each in evidence], f"drift: {' '.join(STORED)}")
    return told(store, of, event(of, "opened", 20, evidence))


NOTICES: dict[str, Callable[[Store], Message]] = {
    make.__name__: make for make in (opened, continued, escalated, resolved, withdrawn, no_data, no_results, hostile)
}
