"""Each view shows the planted rows of `example.fill`, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import insert

from monitoring_tasks.checks.result import Result
from monitoring_tasks.profile import ColumnProfile
from monitoring_tasks.results import tables
from monitoring_tasks.results.migrate import VIEWS
from monitoring_tasks.results.store import WindowRun
from monitoring_tasks.traffic import Traffic
from monitoring_tasks.window import Window
from tests.results.example import BASELINE, NOW, day, drift, fill, flights, hour, profile


def test_every_view_of_an_empty_store_is_empty(store):
    assert {name: store.query(f"SELECT * FROM {name}") for name in VIEWS} == {name: [] for name in VIEWS}


def test_latest_result_is_each_checks_newest_window(store):
    fill(store)
    store.write_results("flights", day(9), "slow", [Result("lift", 1.0)])
    store.write_results("flights", day(2), "slow", [Result("lift", 2.0)])
    store.write_results("other", hour(1), "data_drift", [drift(0.7)])
    rows = store.query("SELECT monitor, check_name, window_start, metric, value FROM latest_result WHERE segment = ''")
    found = {(row["monitor"], row["check_name"], row["metric"]): (row["window_start"], row["value"]) for row in rows}
    assert found["flights", "data_drift", "jensen_shannon"] == (day(4).start, 0.05)
    assert found["flights", "operations", "latency_p99"] == (day(4).start, 104.0)
    assert found["flights", "slow", "lift"] == (day(9).start, 1.0)
    assert found["other", "data_drift", "psi"] == (hour(1).start, 0.7)
    assert {start for start, _ in found.values()} == {day(4).start, day(9).start, hour(1).start}


def test_latest_verdict_is_the_newest_window_that_a_check_of_labels_has_judged(store):
    fill(store)
    waits = Result("label_coverage", 0.1, status="insufficient_data")
    estimates = Result("estimate_coverage", 0.9, status="ok")
    of_windows = [
        (0, "performance", [Result("f1", 0.5, status="alarm"), Result("f1", 0.4, segment="origin=JFK", status="ok")]),
        (
            1,
            "performance",
            [
                waits,
                Result("label_lag", 99.0, status="warning"),
                Result("f1", status="insufficient_data"),
                Result("lift", 2.0, status="info"),
            ],
        ),
        (0, "estimated_performance", [estimates, Result("f1", 0.6, status="ok")]),
        (1, "estimated_performance", [replace(estimates, status="insufficient_data"), Result("f1", 0.7, status="ok")]),
        (1, "concept_drift", [Result("drifted_share", status="insufficient_data")]),
    ]
    for number, check, results in of_windows:
        store.write_results("flights", day(number), check, results)
    rows = store.query("SELECT check_name, window_start, metric, segment FROM latest_verdict ORDER BY 1, 2, 3, 4")
    assert [tuple(row.values()) for row in rows] == [
        ("estimated_performance", day(0).start, "estimate_coverage", ""),
        ("estimated_performance", day(1).start, "f1", ""),
        ("performance", day(0).start, "f1", ""),
        ("performance", day(0).start, "f1", "origin=JFK"),
    ]
    columns = [list(store.query(f"SELECT * FROM {view}")[0]) for view in ("latest_verdict", "latest_result")]
    assert columns[0] == columns[1]


def test_metric_history_has_the_value_before_and_the_state_of_the_labels(store):
    fill(store, [0.1, 0.3])
    store.write_window_run(WindowRun("flights", day(1), "done", "config", NOW, labels="final"))
    rows = store.query(
        "SELECT window_start, value, previous_value, status, window_state, labels FROM metric_history "
        "WHERE metric = 'psi' AND column_name = 'distance' AND segment = '' ORDER BY window_start"
    )
    assert [tuple(row.values()) for row in rows] == [
        (day(0).start, 0.1, None, "ok", "done", None),
        (day(1).start, 0.3, 0.1, "alarm", "done", "final"),
    ]


def open_alert(store, alert_id, state="open", resolved=None):
    window = {"window_start": day(1).start, "window_end": day(1).end}
    last = {"last_window_start": day(3).start, "last_window_end": day(3).end, "resolved_window_end": resolved}
    event = {
        "event_id": f"{alert_id}-1",
        "alert_id": alert_id,
        "sequence": 1,
        "event": "opened",
        "actor": "",
        "note": "",
    }
    sent = {"event_id": event["event_id"], "attempts": 1, "message": [], "created_at": NOW}
    with store.writing("flights") as connection:
        alert = {"alert_id": alert_id, "monitor": "flights", "name": "drift", "group_key": alert_id, "severity": "high"}
        said = {"state": state, "columns": ["distance"], "message": "distance drifts", "snoozed_until": None}
        connection.execute(insert(tables.alert), alert | said | window | last)
        connection.execute(
            insert(tables.alert_event), event | window | {"evidence": [], "tell": True, "recorded_at": NOW}
        )
        for channel, outcome in (("ops", "sent"), ("mail", "waiting")):
            row = sent | {"delivery_id": f"{alert_id}-{channel}", "channel": channel, "state": outcome}
            connection.execute(insert(tables.delivery), row)


def test_open_alerts_are_those_nobody_closed(store):
    for alert_id, state, resolved in [
        ("a", "open", None),
        ("b", "snoozed", None),
        ("c", "false_alarm", None),
        ("d", "resolved", day(4).end),
        ("e", "confirmed", day(4).end),
        ("f", "confirmed", None),
        ("g", "open", day(4).end),  # it waits for a person, though its condition has ended
        ("h", "withdrawn", None),
        ("i", "acknowledged", None),
    ]:
        open_alert(store, alert_id, state, resolved)
    rows = store.query("SELECT * FROM open_alerts ORDER BY alert_id")
    assert [(row["alert_id"], row["events"], row["messages_sent"], row["messages_not_sent"]) for row in rows] == [
        ("a", 1, 1, 1),
        ("b", 1, 1, 1),
        ("f", 1, 1, 1),
        ("g", 1, 1, 1),
        ("i", 1, 1, 1),
    ]
    assert (rows[0]["window_start"], rows[0]["last_window_end"]) == (day(1).start, day(3).end)


def test_monitor_health_is_one_row_per_monitor(store):
    store.write_baseline(BASELINE, "hash")
    for number, rows in ((1, 10), (1, 17), (2, 10), (2, 8)):  # each is read twice
        timed(store, day(number), Traffic(day(number), rows))
    fill(store)
    store.write_window_run(WindowRun("flights", day(0), "failed", "config", NOW, error="gone"))
    store.write_window_run(WindowRun("other", day(7), "empty", "config", NOW, rows=0))
    open_alert(store, "a")
    flights_row, other_row = store.query("SELECT * FROM monitor_health ORDER BY monitor")
    assert flights_row == {
        "monitor": "flights",
        "window_start": day(4).start,
        "window_end": day(4).end,
        "state": "done",
        "rows": 10,
        "label_coverage": None,
        "labels": None,
        "seconds": 1.5,
        "computed_at": NOW,
        "error": None,
        "windows": 5,
        "failed_windows": 1,
        "alarms": 2,  # of the newest window: psi 0.5 of all rows and 0.25 of JFK
        "warnings": 0,
        "errors": 0,
        "too_few_rows": 0,
        "open_alerts": 1,
        "late_rows": 7,  # of day 1; of day 2 some went
    }
    assert (other_row["monitor"], other_row["state"], other_row["alarms"]) == ("other", "empty", 0)


def timed(store, window, traffic):
    store.write_profiles("flights", window, flights(window), BASELINE.id, traffic=traffic)


def test_silence_is_each_time_without_a_row_whole_across_windows(store):
    store.write_baseline(BASELINE, "hash")

    def at(hours):
        return day(0).start + timedelta(hours=hours)

    planted = {  # first and last row, and the longest pause between
        0: (at(2), at(20), Window(at(5), at(9))),
        1: (None, None, None),
        2: (at(50), at(71), Window(at(51), at(60))),
        4: (at(96), at(119), None),  # day 3 was not read: what came there nobody knows
        5: (None, None, None),
    }
    for number, (first, last, pause) in planted.items():
        rows = 0 if first is None else 9
        timed(store, day(number), Traffic(day(number), rows, first, last, pause, parts=(rows,)))
    rows = store.query("SELECT since, until, seconds FROM silence ORDER BY since")
    assert [(Window(row["since"], row["until"]), row["seconds"] / 3600) for row in rows] == [
        (Window(at(0), at(2)), 2),
        (Window(at(5), at(9)), 4),
        (Window(at(20), at(50)), 30),
        (Window(at(51), at(60)), 9),
        (Window(at(71), at(72)), 1),
        (Window(at(119), at(144)), 25),
    ]


def test_silence_of_windows_without_any_row_is_all_of_them_and_of_dates_nothing(store):
    store.write_baseline(BASELINE, "hash")
    for number in range(2):
        timed(store, day(number), Traffic(day(number), 0, parts=(0,)))
    for number in (3, 4):
        timed(store, day(number), Traffic(day(number), 9 * (number - 3)))
    rows = store.query("SELECT since, until, seconds FROM silence")
    assert [tuple(row.values()) for row in rows] == [(day(0).start, day(1).end, 2 * 86_400)]


def test_feature_histogram_is_a_profiles_counts_as_rows(store):
    fill(store, [0.1])
    rows = store.query(
        "SELECT column_name, segment, bin_index, bin_label, rows, share, baseline_rows, baseline_share "
        "FROM feature_histogram WHERE window_start = :start AND column_name = 'distance' ORDER BY segment, bin_index",
        start=day(0).start,
    )
    assert [tuple(row.values())[2:] for row in rows if row["segment"] == ""] == [
        (0, "(null)", 1, 0.1, 0, 0.0),
        (1, "(-inf,0)", 0, 0.0, 0, 0.0),
        (2, "[0,500)", 5, 0.5, 60, 0.6),
        (3, "[500,1000)", 3, 0.3, 40, 0.4),
        (4, "[1000,inf)", 1, 0.1, 0, 0.0),
    ]
    jfk = [(row["rows"], row["share"], row["baseline_share"]) for row in rows if row["segment"] == "origin=JFK"]
    assert jfk == [(0, 0.0, 0.0), (0, 0.0, 0.0), (2, 0.5, 0.5), (2, 0.5, 0.5), (0, 0.0, 0.0)]


def test_a_segment_that_the_baseline_never_saw_has_no_baseline_share(store):
    fill(store, [0.1])
    whole, jfk = flights(day(0))
    new = type(jfk)(jfk.window, jfk.rows, jfk.columns, "origin=EWR")
    store.write_profiles("flights", day(0), [whole, new], BASELINE.id)
    rows = store.query("SELECT bin_label, rows, baseline_rows FROM feature_histogram WHERE segment = 'origin=EWR'")
    assert len(rows) == 10
    assert {row["baseline_rows"] for row in rows} == {None}


@pytest.mark.parametrize(
    ("hours", "granularity"),
    [
        (0.5, "30 minutes"),
        (1, "1 hour"),
        (6, "6 hours"),
        (23, "1 day"),
        (24, "1 day"),
        (25, "1 day"),
        (48, "2 days"),
        (167, "1 week"),
        (336, "2 weeks"),
        (31 * 24, "1 month"),
        (365 * 24, "1 year"),
    ],
)
def test_window_length_has_databricks_names(store, hours, granularity):
    window = Window(day(0).start, day(0).start + timedelta(hours=hours))
    store.write_window_run(WindowRun("flights", window, "done", "config", NOW))
    (row,) = store.query("SELECT seconds, granularity FROM window_length")
    assert row == {"seconds": hours * 3600, "granularity": granularity}


def test_databricks_profile_metrics(store):
    fill(store, [0.1])
    store.write_profiles(
        "flights", day(1), [type(flights(day(1))[0])(day(1), 4, {}, "", {"distance": "a struct"})], BASELINE.id
    )
    rows = store.query("SELECT * FROM databricks_profile_metrics ORDER BY window_start, column_name, slice_value")
    found = {(row["window_start"], row["column_name"], row["slice_key"], row["slice_value"]): row for row in rows}
    assert set(found) == {
        (day(0).start, ":table", None, None),
        (day(0).start, ":table", "origin", "JFK"),
        (day(0).start, "distance", None, None),
        (day(0).start, "distance", "origin", "JFK"),
        (day(0).start, "carrier", None, None),
        (day(0).start, "carrier", "origin", "JFK"),
        (day(1).start, ":table", None, None),
    }
    distance = found[day(0).start, "distance", None, None]
    # 5 x 250, 3 x 750, 1 x 1500 and one NULL
    assert distance["avg"] == pytest.approx(5000 / 9)
    assert distance["stddev"] == pytest.approx(((5 * 250**2 + 3 * 750**2 + 1500**2) / 9 - (5000 / 9) ** 2) ** 0.5)
    shown = ("granularity", "count", "num_nulls", "percent_null", "min", "max", "data_type", "log_type")
    assert [distance[name] for name in shown] == ["1 day", 10, 1, 10.0, 250.0, 1500.0, "double", "INPUT"]
    assert found[day(0).start, "carrier", None, None]["data_type"] == "string"
    assert found[day(0).start, "carrier", None, None]["avg"] is None
    assert found[day(1).start, ":table", None, None]["count"] == 4


def test_a_standard_deviation_far_from_zero(store):
    """Of 1e8 - 1, 1e8 and 1e8 + 4; the squares of such numbers leave no digit for it."""
    far = ColumnProfile("distance", "numeric", (0, 0, 1, 1, 1), 1e8 - 1, 1e8 + 4, 3e8 + 3, 17.0, origin=1e8)
    store.write_baseline(BASELINE, "hash")
    both = [profile(day(0), far), profile(day(0), far, segment="origin=JFK")]
    store.write_profiles("flights", day(0), both, BASELINE.id)
    rows = store.query("SELECT avg, stddev FROM databricks_profile_metrics WHERE column_name = 'distance'")
    assert rows == [{"avg": 1e8 + 1, "stddev": pytest.approx((17 / 3 - 1) ** 0.5)}] * 2
    assert store.read_profiles("flights", day(0)) == (BASELINE.id, tuple(both))


def test_a_segment_value_may_hold_an_equals_sign(store):
    fill(store, [0.1])
    whole, jfk = flights(day(0))
    odd = type(jfk)(jfk.window, jfk.rows, jfk.columns, "query=a=b=c")
    store.write_profiles("flights", day(0), [whole, odd], BASELINE.id)
    rows = store.query("SELECT DISTINCT slice_key, slice_value FROM databricks_profile_metrics WHERE slice_key <> ''")
    assert rows == [{"slice_key": "query", "slice_value": "a=b=c"}]


def test_drift_is_of_the_baseline_that_the_window_was_run_with(store):
    """A newer one that looks back has counted the old window again, on its own bins."""
    fill(store, [0.3])
    newer = replace(BASELINE, rows=BASELINE.rows + 1)
    store.write_baseline(newer, "newer")
    assert store.write_missing_profiles("flights", day(0), flights(day(0)), newer.id)
    assert store.read_profiles("flights", day(0))[0] == newer.id
    rows = store.query("SELECT DISTINCT monitor_version FROM databricks_drift_metrics")
    assert rows == [{"monitor_version": BASELINE.id}] != [{"monitor_version": newer.id}]


def test_databricks_drift_metrics(store):
    fill(store, [0.3])
    rows = store.query("SELECT * FROM databricks_drift_metrics ORDER BY column_name, slice_value")
    found = {(row["column_name"], row["slice_key"], row["slice_value"]): row for row in rows}
    assert set(found) == {("distance", None, None), ("distance", "origin", "JFK"), ("carrier", None, None)}
    whole = found["distance", None, None]
    assert (whole["population_stability_index"], whole["js_distance"]) == (0.3, 0.03)
    assert (whole["ks_test_statistic"], whole["ks_test_pvalue"], whole["tv_distance"]) == (0.06, 0.5, None)
    assert (whole["count_delta"], whole["drift_type"], whole["granularity"]) == (-90, "BASELINE", "1 day")
    assert found["distance", "origin", "JFK"]["population_stability_index"] == 0.15
