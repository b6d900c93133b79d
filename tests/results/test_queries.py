"""Each question of sql/queries is asked of the planted rows of `example.fill`, on both databases."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from monitoring_tasks.checks import Result
from monitoring_tasks.results import tables
from monitoring_tasks.results.migrate import sql_folder
from monitoring_tasks.results.store import WindowRun
from monitoring_tasks.statistics.performance import PERFORMANCE_METRICS
from monitoring_tasks.traffic import Expected, Traffic
from monitoring_tasks.window import Window
from tests.results.example import BASELINE, NOW, carrier, day, distance, fill, flights, hour, profile

QUERIES = sorted((sql_folder() / "queries").glob("*.sql"))


def ask(store, name, **parameters):
    sql = (sql_folder() / "queries" / f"{name}.sql").read_text(encoding="utf-8")
    return store.query(sql, monitor="flights", **parameters)


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_every_query_begins_with_its_question(path):
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("-- ")
    assert "?" in first


def test_every_query_is_asked_here():
    asked = Path(__file__).read_text(encoding="utf-8")
    assert [path.stem for path in QUERIES if f'ask(store, "{path.stem}"' not in asked] == []


def test_what_drifted(store):
    fill(store)
    first, *rest = ask(store, "what_drifted", start=day(0).start, end=day(4).start)
    assert first == {
        "check_name": "data_drift",
        "column_name": "distance",
        "segment": "",
        "metric": "psi",
        "windows_in_alarm": 2,
        "since": day(1).start,
        "until": day(3).end,
        "highest": 0.3,
        "threshold": 0.2,
    }
    assert rest == []
    assert len(ask(store, "what_drifted", start=day(4).start, end=day(5).start)) == 2


def test_drifting_since(store):
    fill(store)  # psi of distance: calm, alarm, calm, alarm, alarm; at JFK half of that: alarm on the last day only
    rows = ask(store, "drifting_since")
    assert [tuple(row.values()) for row in rows] == [
        ("distance", "", "psi", day(3).start, 2, 0.5),
        ("distance", "origin=JFK", "psi", day(4).start, 1, 0.25),
    ]


def test_nothing_is_drifting_after_a_calm_day(store):
    fill(store, [0.5, 0.5, 0.0])
    assert ask(store, "drifting_since") == []


def test_worst_columns(store):
    fill(store)
    rows = ask(store, "worst_columns", window_start=day(4).start)
    found = [(row["metric"], row["column_name"], row["segment"], round(row["times_threshold"], 6)) for row in rows]
    assert found == [
        ("psi", "distance", "", 2.5),
        ("psi", "distance", "origin=JFK", 1.25),
        ("jensen_shannon", "distance", "", 0.25),
        ("psi", "carrier", "", 0.05),
    ]


def test_metric_over_time(store):
    fill(store)
    which = {"check_name": "data_drift", "metric": "psi", "column_name": "distance", "segment": ""}
    rows = ask(store, "metric_over_time", **which)
    assert [(row["window_start"], row["value"]) for row in rows] == [
        (day(number).start, psi) for number, psi in enumerate((0.05, 0.3, 0.1, 0.25, 0.5))
    ]


def test_missing_share_per_day(store):
    store.write_baseline(BASELINE, "hash")
    for window, nulls in ((hour(0), 1), (hour(1), 3), (day(1), 0), (hour(24), 4)):  # the last is a part of that day
        counted = (distance(nulls, 0, 4 - nulls, 0, 0), carrier(0, 4, 0, 0, 0))
        store.write_profiles("flights", window, [profile(window, *counted, score="a struct")], BASELINE.id)
    assert [tuple(row.values()) for row in ask(store, "missing_share_per_day")] == [
        ("2013-04-01", "distance", 8, 4, 0.5),
        ("2013-04-01", "carrier", 8, 0, 0.0),
        ("2013-04-02", "carrier", 4, 0, 0.0),
        ("2013-04-02", "distance", 4, 0, 0.0),
    ]


def test_errors_and_latency_per_day(store):
    fill(store, [0.1, 0.1])
    assert [tuple(row.values()) for row in ask(store, "errors_and_latency_per_day")] == [
        ("2013-04-01", 10.0, 0.0, 20.0, 80.0, 100.0),
        ("2013-04-02", 10.0, 0.01, 20.0, 81.0, 101.0),
    ]


def test_bins_that_moved(store):
    fill(store)
    rows = ask(store, "bins_that_moved", window_start=day(0).start, column_name="carrier")
    found = [(row["bin_label"], row["rows"], row["baseline_rows"], round(row["moved"], 6)) for row in rows]
    assert sorted(found[:2]) == [("(unseen)", 1, 0, 0.1), ("AA", 4, 50, -0.1)]
    assert {abs(moved) for *_, moved in found[2:]} == {0.0}


def test_failed_or_missing_windows(store):
    for number, state, error in ((0, "done", None), (1, "failed", "gone"), (2, "empty", None), (5, "done", None)):
        store.write_window_run(WindowRun("flights", day(number), state, "config", NOW, error=error))
    rows = ask(store, "failed_or_missing_windows", start=day(0).start, end=day(9).start)
    assert [tuple(row.values()) for row in rows] == [
        (day(1).start, day(1).end, "failed", "gone"),
        (day(3).start, day(4).end, "missing", None),
    ]
    assert flights(day(3))[0].window == day(3)


def test_rows_per_window(store):
    store.write_baseline(BASELINE, "hash")
    for number, its in (
        (0, {"rows": 9, "without_key": 1, "repeats": 2, "expected": Expected(12, 4, ("a",))}),
        (1, {"rows": 9, "expected": Expected(12)}),
        (1, {"rows": 10, "expected": Expected(12)}),
        (2, {"rows": 13, "expected": Expected(12)}),
        (3, {"rows": 0, "expected": Expected(unreadable="gone")}),
        (9, {"rows": 1}),
    ):
        window = day(number)
        store.write_profiles("flights", window, flights(window), BASELINE.id, traffic=Traffic(window, **its))
    rows = ask(store, "rows_per_window", start=day(0).start, end=day(4).start)
    assert [tuple(row.values())[2:] for row in rows] == [
        (9, 0, 2, 1, 12, 4, None),
        (10, 1, None, None, 12, 2, None),
        (13, 0, None, None, 12, 0, None),
        (0, 0, None, None, None, None, "gone"),
    ]


def test_gaps(store):
    store.write_baseline(BASELINE, "hash")
    for number in range(3):
        window = day(number)
        noon, evening = window.start + timedelta(hours=12), window.start + timedelta(hours=18)
        its = Traffic(window, 2, noon, evening, Window(noon, evening))
        store.write_profiles("flights", window, flights(window), BASELINE.id, traffic=its)
    rows = ask(store, "gaps", start=day(0).start, end=day(2).start)
    assert [((row["since"] - day(0).start) / timedelta(hours=1), row["seconds"] // 3600) for row in rows] == [
        (18, 18),
        (0, 12),
        (12, 6),
        (36, 6),
    ]


def perform(store, number: int, labels: str = "final") -> None:
    """Store a day's performance: at JFK less, and a change that other inputs explain by half."""
    window = day(number)
    store.write_results(
        "flights",
        window,
        "performance",
        [
            Result(
                "roc_auc", 0.7 - number / 100, value_lower=0.6, value_upper=0.8, threshold_lower=0.65, window_rows=9
            ),
            Result("roc_auc", 0.6, segment="origin=JFK", window_rows=4),
            Result("brier", 0.2 + number / 100, segment="distance=[0,500)", window_rows=4),
            Result("brier", 0.1, segment="distance=[500,inf)", window_rows=5),
            Result(
                "roc_auc_change_inputs", 0.01, "distance", value_lower=0.0, value_upper=0.02, detail={"shared": 0.75}
            ),
            Result("roc_auc_change_relation", -0.03, "distance", value_lower=-0.05, value_upper=-0.01),
            Result("roc_auc_change_inputs", -0.02, "carrier", value_lower=-0.03, value_upper=-0.01),
            Result("roc_auc_change_relation", 0.0, "carrier", value_lower=-0.01, value_upper=0.01),
            Result("roc_auc_change_inputs", status="insufficient_data"),
            Result("roc_auc_change_relation", status="insufficient_data"),
        ],
    )
    run = WindowRun("flights", window, "done", "config", NOW, rows=10, label_rows=9, label_coverage=0.9, labels=labels)
    store.write_window_run(run)


def test_performance_over_time(store):
    perform(store, 1)
    perform(store, 0, "provisional")
    rows = ask(store, "performance_over_time", metric="roc_auc", segment="")
    assert [tuple(row.values()) for row in rows] == [
        (day(0).start, 0.7, 0.6, 0.8, 0.65, None, 9, "ok", "provisional"),
        (day(1).start, 0.69, 0.6, 0.8, 0.65, None, 9, "ok", "final"),
    ]
    assert [row["value"] for row in ask(store, "performance_over_time", metric="roc_auc", segment="origin=JFK")] == [
        0.6
    ] * 2


def test_why_performance_moved(store):
    perform(store, 0)
    perform(store, 1)
    rows = ask(store, "why_performance_moved", metric="roc_auc", window_start=day(1).start)
    assert [tuple(row.values()) for row in rows] == [
        ("carrier", -0.02, -0.03, -0.01, 0.0, -0.01, 0.01, None),
        ("distance", 0.01, 0.0, 0.02, -0.03, -0.05, -0.01, 0.75),
        ("", None, None, None, None, None, None, None),
    ]


def test_where_the_model_loses(store):
    for number in range(3):
        perform(store, number)
    period = {"since": day(0).start, "until": day(2).start}
    rows = ask(store, "where_the_model_loses", metric="brier", column_name="distance", **period)
    assert [tuple(row.values()) for row in rows] == [
        ("distance=[0,500)", pytest.approx(0.205), 8, 2),
        ("distance=[500,inf)", pytest.approx(0.1), 10, 2),
    ]


@pytest.mark.parametrize("metric", PERFORMANCE_METRICS, ids=lambda metric: metric.name)
def test_the_worst_comes_first_of_every_metric(store, metric):
    values = {"higher": (0.3, 0.6), "lower": (0.6, 0.3), "zero": (-0.6, 0.3)}[metric.better]
    its = [Result(metric.name, value, segment=f"a={i}", window_rows=2) for i, value in enumerate(values)]
    store.write_results("flights", day(0), "performance", its)
    period = {"since": day(0).start, "until": day(1).start}
    rows = ask(store, "where_the_model_loses", metric=metric.name, column_name="a", **period)
    assert [row["segment"] for row in rows] == ["a=0", "a=1"]


def test_a_window_of_one_row_weighs_as_one_row(store):
    for number, value, rows in ((0, 1.0, 1), (1, 0.5, 99)):
        its = Result("accuracy", value, segment="a=0", window_rows=rows)
        store.write_results("flights", day(number), "performance", [its])
    period = {"since": day(0).start, "until": day(2).start}
    (row,) = ask(store, "where_the_model_loses", metric="accuracy", column_name="a", **period)
    assert tuple(row.values()) == ("a=0", pytest.approx(0.505), 100, 2)


def test_a_column_is_asked_for_by_its_whole_name_and_not_by_classes_of_the_label(store):
    results = [
        Result("f1", 0.1, segment="wind_dir=[0,90)", window_rows=1),
        Result("f1", 0.2, segment="windXdir=[0,90)", window_rows=1),
        Result("f1", 0.3, segment="wind_dir=calm", column_name="wind_dir", window_rows=1),
        Result("f1", 0.4, segment="100%=yes", window_rows=1),
    ]
    store.write_results("flights", day(0), "performance", results)
    period = {"since": day(0).start, "until": day(1).start}
    for column, segment in (("wind_dir", "wind_dir=[0,90)"), ("100%", "100%=yes")):
        rows = ask(store, "where_the_model_loses", metric="f1", column_name=column, **period)
        assert [row["segment"] for row in rows] == [segment]


def alerted(store):
    """Open an alert on day 1, tell it to two channels, one of which refuses, and call it a false alarm."""
    window = {"window_start": day(1).start, "window_end": day(1).end}
    alert = {"alert_id": "a", "monitor": "flights", "name": "drift", "group_key": "", "severity": "high"}
    alert |= {"state": "false_alarm", "last_window_start": day(2).start, "last_window_end": day(2).end}
    alert |= {"columns": ["distance"], "message": "drift: distance in alarm"}
    events = [("opened", "", ""), ("acknowledged", "ada", "looking"), ("false_alarm", "bob", "a holiday")]
    delivery = {"event_id": "a1", "monitor": "flights", "attempts": 1, "message": {}, "created_at": NOW}
    with store.writing("flights") as connection:
        connection.execute(insert(tables.alert), window | alert)
        for number, (event, actor, note) in enumerate(events, start=1):
            row = {"event_id": f"a{number}", "alert_id": "a", "sequence": number, "event": event, "actor": actor}
            row |= {"note": note, "evidence": [], "tell": not actor, "recorded_at": NOW}
            connection.execute(insert(tables.alert_event), window | row)
        for channel, state, error in (("mail", "failed", "refused"), ("ops", "sent", None)):
            row = {"delivery_id": channel, "channel": channel, "state": state, "error": error}
            connection.execute(insert(tables.delivery), delivery | row)


def test_alerts_and_verdicts(store):
    alerted(store)
    (row,) = ask(store, "alerts_and_verdicts", start=day(0).start, end=day(4).start)
    assert (row["name"], row["state"], row["since"], row["until"]) == (
        *("drift", "false_alarm", day(1).start, day(2).end),
    )
    assert (row["decided"], row["decided_by"], row["note"]) == ("false_alarm", "bob", "a holiday")
    assert ask(store, "alerts_and_verdicts", start=day(2).start, end=day(4).start) == []


def test_who_was_told(store):
    alerted(store)
    rows = ask(store, "who_was_told", start=day(0).start, end=day(4).start)
    assert [(row["event"], row["channel"], row["state"], row["error"]) for row in rows] == [
        ("opened", "mail", "failed", "refused"),
        ("opened", "ops", "sent", None),
    ]
    assert ask(store, "who_was_told", start=day(2).start, end=day(4).start) == []
