"""What `status` says below its table, of rows as the views return them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitoring_tasks.checks.result import Result
from monitoring_tasks.results.store import WindowRun
from monitoring_tasks.traffic import Traffic
from monitoring_tasks.views.standing import RESULTS, late_since, standing
from monitoring_tasks.window import Window
from tests.results.example import BASELINE, NOW, day, drift, fill, flights

LATEST = day(4)


def said(store):
    """Return the lines of the one monitor in the store."""
    (health,) = store.query("SELECT * FROM monitor_health")
    late = store.late_rows(health["monitor"], late_since(health), health["window_end"])
    return standing(health, store.query(RESULTS, monitor=health["monitor"]), late)


def write(store, *results):
    store.write_results("flights", LATEST, "data_drift", results)


def in_alarm(metric, value, *, column="distance", segment=""):
    return Result(metric, value, column, segment, threshold_upper=0.1, message=f"{column}: {metric} {value}")


@pytest.fixture
def filled(store):
    fill(store)
    return store


def test_nothing_is_in_alarm(filled):
    write(filled, drift(0.0))
    assert said(filled) == ("flights: nothing is in alarm in its latest window",)


def test_a_window_of_which_nothing_was_judged_is_not_silently_green(filled):
    """As of thirty rows a day, every day."""
    write(filled, Result("drifted_share", status="insufficient_data", message="no column could be judged"))
    assert said(filled) == (
        "flights: nothing is in alarm in its latest window",
        f"flights: data_drift judged nothing in window {LATEST}: no column could be judged",
    )


@pytest.mark.parametrize("noticed", [True, False])
def test_of_an_empty_window_it_is_said_once_that_no_row_came(store, noticed):
    """By `operations`; where that is off, each check says that it judged nothing."""
    fill(store)
    run = WindowRun("flights", LATEST, "empty", "config", NOW, rows=0, baseline_id=BASELINE.id)
    store.write_window_run(run, ("data_drift", "operations"))
    write(store, Result("drifted_share", status="insufficient_data", message="no column could be judged"))
    no_data = Result("rows", 0.0, status="alarm", message="no data")
    store.write_results("flights", LATEST, "operations", [no_data] if noticed else [])
    alone = (
        "flights: nothing is in alarm in its latest window",
        f"flights: data_drift judged nothing in window {LATEST}: no column could be judged",
    )
    told = ("flights: 1 alarm (0 of segments) in its latest window", "  operations: no data")
    assert said(store) == (told if noticed else alone)


def test_a_column_is_one_line_with_its_worst_metric_and_its_segments(filled):
    segments = [in_alarm("psi", 9.0, segment=f"origin={name}") for name in ("JFK", "LGA")]
    write(filled, in_alarm("jensen_shannon", 0.2), in_alarm("psi", 0.3), *segments)
    assert said(filled) == (
        "flights: 4 alarms (2 of segments) in its latest window",
        "  distance: psi 0.3 (also jensen_shannon; in origin=JFK, origin=LGA)",
    )


def test_an_alarm_of_a_segment_alone_is_not_hidden(filled):
    write(filled, drift(0.0), in_alarm("psi", 0.5, segment="origin=JFK"), in_alarm("psi", 0.4, segment="origin=LGA"))
    assert said(filled) == (
        "flights: 2 alarms (2 of segments) in its latest window",
        "  origin=JFK: distance: psi 0.5 (also in origin=LGA)",
    )


def test_what_is_said_of_the_window_as_a_whole_names_its_check_and_segment(store):
    fill(store)
    for check in ("data_drift", "prediction_drift"):
        whole = [
            Result("global_test", 0.0, segment=segment, status="alarm", message="the window differs")
            for segment in (("", "origin=JFK") if check == "data_drift" else ("origin=JFK",))
        ]
        store.write_results("flights", LATEST, check, whole)
    assert said(store) == (
        "flights: 3 alarms (2 of segments) in its latest window",
        "  data_drift: the window differs (also in origin=JFK)",
        "  prediction_drift: origin=JFK: the window differs",
    )


def test_a_check_that_failed_is_named_once(filled):
    write(filled, Result("check", status="error", message="check data_drift failed: LookupError: no such lake"))
    assert said(filled)[1:] == ("  check data_drift failed: LookupError: no such lake",)


def test_many_segments_are_cut(filled):
    write(filled, *(in_alarm("psi", 0.5, segment=f"origin={number}") for number in range(9)))
    assert said(filled)[1].endswith("(also in origin=1, origin=2, origin=3, origin=4, origin=5 and 3 more)")


def test_a_check_that_could_not_be_computed_is_no_alarm(filled):
    write(filled, in_alarm("psi", 0.5), Result("unreadable", None, "distance", status="error", message="a struct"))
    assert said(filled) == (
        "flights: 1 alarm (0 of segments) and 1 error in its latest window",
        "  distance: psi 0.5",
        "  a struct",
    )


def test_a_failed_window_says_why_and_older_alarms_are_said_to_be_older(filled):
    write(filled, in_alarm("psi", 0.5))
    failed = WindowRun("flights", day(5), "failed", "config", NOW, error="the warehouse is gone")
    filled.write_failed_scan(failed)
    assert said(filled) == (
        "flights: its latest window failed: the warehouse is gone",
        "flights: 1 alarm (0 of segments) in window 2013-04-05T00:00Z/2013-04-06T00:00Z, the newest that these checks "
        "could judge",
        "  distance: psi 0.5",
    )


def test_a_failed_window_is_never_said_to_be_in_order(store):
    store.write_failed_scan(WindowRun("flights", day(5), "failed", "config", NOW, error="the warehouse is gone"))
    assert said(store) == ("flights: its latest window failed: the warehouse is gone",)


def judged(store, window, check, *results):
    store.write_results("flights", window, check, results)


def wrong(status, value=0.5, metric="f1", **fields):
    return Result(metric, value, status=status, message=f"F1 score is {status}", **fields)


def coverage(status, known):
    return Result("label_coverage", known, status=status, message=f"{known:.0%} of 10 rows have a label")


LATE = (coverage("insufficient_data", 0.0), wrong("insufficient_data", None), wrong("info", 0.5, "recall"))
"""What `performance` writes of a window whose labels are still to come."""


def test_an_alarm_of_late_labels_is_not_hidden_by_newer_windows_that_wait_for_theirs(filled):
    """As of labels two days late: the newest window never has any."""
    write(filled, drift(0.0))
    judged(filled, day(1), "performance", coverage("ok", 1.0), wrong("alarm", 0.1))
    judged(filled, day(2), "performance", coverage("ok", 1.0), wrong("alarm", 0.2, segment=""))
    for window in (day(3), LATEST):
        judged(filled, window, "performance", *LATE)
    assert said(filled) == (
        f"flights: 1 alarm (0 of segments) in window {day(2)}, the newest that these checks could judge",
        "  performance: F1 score is alarm",
        f"flights: performance judged nothing in window {LATEST}: 0% of 10 rows have a label",
    )
    (health,) = filled.query("SELECT alarms, too_few_rows FROM monitor_health")
    assert health == {"alarms": 1, "too_few_rows": 2}


def test_an_alarm_that_a_newer_verdict_has_taken_back_is_not_told(filled):
    write(filled, drift(0.0))
    judged(filled, day(1), "concept_drift", Result("drifted_share", 1.0, status="alarm", message="changed"))
    judged(filled, day(2), "concept_drift", Result("drifted_share", 0.0, status="ok", message="as before"))
    judged(filled, LATEST, "concept_drift", Result("drifted_share", status="insufficient_data", message="no labels"))
    assert said(filled) == (
        "flights: nothing is in alarm in its latest window",
        f"flights: concept_drift judged nothing in window {LATEST}: no labels",
    )


def test_a_check_without_labels_is_told_of_its_latest_window_only(filled):
    """Its alarm of yesterday is no news where today's rows are too few."""
    write(filled, Result("drifted_share", status="insufficient_data", message="no column could be judged"))
    assert said(filled)[0] == "flights: nothing is in alarm in its latest window"


def test_an_alarm_of_the_latest_window_is_told_once(filled):
    write(filled, drift(0.0))
    judged(filled, LATEST, "performance", coverage("ok", 1.0), wrong("alarm"))
    assert said(filled) == (
        "flights: 1 alarm (0 of segments) in its latest window",
        "  performance: F1 score is alarm",
    )


def test_a_segment_with_enough_labels_does_not_stand_for_all_rows(filled):
    write(filled, drift(0.0))
    judged(filled, day(3), "performance", coverage("ok", 1.0), wrong("alarm"))
    judged(filled, LATEST, "performance", *LATE, wrong("ok", segment="origin=JFK"))
    assert said(filled)[:2] == (
        f"flights: 1 alarm (0 of segments) in window {day(3)}, the newest that these checks could judge",
        "  performance: F1 score is alarm",
    )


def test_performance_that_is_compared_with_nothing_is_not_silently_green(filled):
    write(filled, drift(0.0))
    judged(filled, LATEST, "performance", coverage("ok", 1.0), wrong("insufficient_data"), wrong("info", metric="lift"))
    assert said(filled) == (
        "flights: nothing is in alarm in its latest window",
        f"flights: performance judged nothing in window {LATEST}: F1 score is insufficient_data",
    )
    judged(filled, LATEST, "performance", coverage("ok", 1.0), wrong("insufficient_data"), wrong("ok", metric="brier"))
    assert said(filled) == ("flights: nothing is in alarm in its latest window",)


def test_estimates_that_miss_too_often_are_told_though_newer_windows_have_estimates(filled):
    write(filled, drift(0.0))
    miss = Result("estimate_coverage", 0.4, status="warning", message="the estimates miss too often")
    waits = Result("estimate_coverage", status="insufficient_data", message="not yet")
    judged(filled, day(1), "estimated_performance", miss, wrong("alarm", metric="roc_auc"))
    judged(filled, LATEST, "estimated_performance", waits, wrong("ok", metric="roc_auc"))
    assert said(filled) == (
        f"flights: 1 warning in window {day(1)}, the newest that these checks could judge",
        "  estimated_performance: the estimates miss too often",
    )


def test_an_unreadable_label_table_is_told_beside_the_last_verdict(filled):
    write(filled, drift(0.0))
    judged(filled, day(3), "performance", coverage("ok", 1.0), wrong("alarm"))
    judged(filled, LATEST, "performance", Result("label_coverage", status="error", message="no table 'outcomes'"))
    assert said(filled) == (
        "flights: 1 error in its latest window",
        "  performance: no table 'outcomes'",
        f"flights: 1 alarm (0 of segments) in window {day(3)}, the newest that these checks could judge",
        "  performance: F1 score is alarm",
    )


def came(store, window, *rows):
    """Read a window so many times, with so many rows each time."""
    store.write_baseline(BASELINE, "hash")
    for number in rows:
        store.write_profiles("flights", window, flights(window), BASELINE.id, traffic=Traffic(window, number))


def test_rows_that_came_after_their_window_was_read_are_told(store):
    came(store, day(3), 100, 1220)
    came(store, LATEST, 50, 49)
    came(store, day(2), 100, 200)  # too long ago
    fill(store)
    assert said(store)[-2:] == (
        "flights: 1,120 rows came after 2013-04-04T00:00Z/2013-04-05T00:00Z was read; it was read again",
        "flights: 1 row of 2013-04-05T00:00Z/2013-04-06T00:00Z was gone when it was read again",
    )


def test_late_rows_of_many_windows_are_one_line(store):
    fill(store)
    for hour in range(8):
        start = day(3).start + timedelta(hours=hour)
        came(store, Window(start, start + timedelta(hours=1)), 5, 3 if hour == 7 else 6)
    assert said(store)[-1] == (
        "flights: 7 rows came after their windows were read, and 2 rows went: 8 windows since 2013-04-04T00:00Z were "
        "read again"
    )
