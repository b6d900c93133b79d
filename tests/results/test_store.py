from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitoring_tasks.checks.result import Result
from monitoring_tasks.errors import DataError, ReplacedError
from monitoring_tasks.profile import Baseline, Bins, ColumnProfile, Profile
from monitoring_tasks.results.retention import prune
from monitoring_tasks.results.rows import profile_digest
from monitoring_tasks.results.store import CheckRun, WindowRun, open_store
from monitoring_tasks.results.tables import metadata
from monitoring_tasks.window import Schedule
from tests.results.example import (
    BASELINE,
    BINS,
    NOW,
    START,
    carrier,
    contents,
    day,
    distance,
    drift,
    fill,
    flights,
    hour,
    profile,
)

# Values at the edge of what a float is, and text that a quote or an encoding could break.
BASELINE_OF_ODD_THINGS = Baseline(
    monitor="odd",
    definition={"table": 'x"; drop table y; --', "where": None, "list": [1, 2.5, {"a": "é"}]},
    bins={
        'x"; drop table y; --': Bins("numeric", edges=(-0.0, 5e-324, 0.1, 1.7976931348623157e308), exponent=1024),
        "größe 📏": Bins(
            "categorical", categories=("", "NULL", "nul\0", "'", "\u2028"), others=("…",), open_ended=True
        ),
        "empty": Bins("numeric"),
        "when": Bins("timestamp", edges=(1364774400.0, 1364774400.0000002), exponent=31),
    },
    columns={
        'x"; drop table y; --': ColumnProfile(
            'x"; drop table y; --', "numeric", (0, 1, 2, 3, 2**53 + 1, 0), -0.0, 1e308, 0.1 + 0.2, 1e-320
        ),
        "größe 📏": ColumnProfile("größe 📏", "categorical", (1, 2, 3, 4, 5, 6, 7, 8)),
        "empty": ColumnProfile("empty", "numeric", (5, 0, 0)),
        "when": ColumnProfile("when", "timestamp", (0, 0, 5, 0), 1364774400.0, 1364774400.0, 6823872000.0, 9.3e18),
    },
    rows=2**40,
)


def test_a_baseline_comes_back_as_it_was(store):
    for baseline in (BASELINE, BASELINE_OF_ODD_THINGS):
        assert store.write_baseline(baseline, "hash") == baseline
        assert store.find_baseline(baseline.monitor, "hash") == baseline
        assert store.read_baseline(baseline.id) == baseline
        assert store.read_baseline(baseline.id).id == baseline.id
    assert math.copysign(1, store.read_baseline(BASELINE_OF_ODD_THINGS.id).bins['x"; drop table y; --'].edges[0]) == -1
    assert list(store.read_baseline(BASELINE.id).columns) == ["distance", "carrier"]


def test_an_odd_baseline_does_not_break_the_histogram_of_others(store):
    fill(store)
    store.write_baseline(BASELINE_OF_ODD_THINGS, "hash")
    window = day(0)
    columns = tuple(BASELINE_OF_ODD_THINGS.columns.values())
    store.write_profiles("odd", window, [profile(window, *columns)], BASELINE_OF_ODD_THINGS.id)
    labels = (
        "SELECT bin_label FROM feature_histogram WHERE monitor = 'odd' AND column_name = 'größe 📏' ORDER BY bin_index"
    )
    found = [row["bin_label"] for row in store.query(labels)]
    assert found == ["(null)", "", "NULL", "nul␀", "'", "\u2028", "(other)", "(unseen)"]


def test_the_first_baseline_of_a_definition_stays(store):
    store.write_baseline(BASELINE, "hash")
    later = Baseline("flights", BASELINE.definition, BINS, {"distance": distance(0, 0, 1, 0, 0)}, 1)
    assert store.write_baseline(later, "hash") == BASELINE
    assert store.write_baseline(BASELINE, "hash") == BASELINE
    with pytest.raises(DataError, match=r"baseline_id|baseline_key"):
        store.write_baseline(BASELINE, "the hash of another definition")
    assert len(store.query("SELECT * FROM baseline")) == 1


def test_a_baseline_that_is_not_there(store):
    assert store.find_baseline("flights", "hash") is None
    with pytest.raises(DataError, match="has no baseline 'nothing'"):
        store.read_baseline("nothing")


def test_profiles_come_back_as_they_were_in_their_order(store):
    store.write_baseline(BASELINE, "hash")
    whole, jfk = flights(day(0))
    written = (jfk, whole, profile(day(0), segment="origin=LGA", carrier="the column is a struct"))
    store.write_profiles("flights", day(0), written, BASELINE.id)
    baseline_id, found = store.read_profiles("flights", day(0))
    assert baseline_id == BASELINE.id
    assert found == written
    assert [list(part.columns) for part in found] == [["distance", "carrier"], ["distance", "carrier"], []]
    assert found[2].unreadable == {"carrier": "the column is a struct"}


def test_an_unreadable_column_is_null_not_zero(store):
    store.write_baseline(BASELINE, "hash")
    store.write_profiles("flights", day(0), [profile(day(0), distance(0, 0, 1, 0, 0), carrier="a struct")], BASELINE.id)
    query = "SELECT rows, nulls, counts, unreadable FROM profile WHERE column_name = 'carrier'"
    assert store.query(query) == [{"rows": None, "nulls": None, "counts": None, "unreadable": "a struct"}]


def test_unseen_values_that_are_not_named_are_null_and_none_is_an_empty_list(store):
    store.write_baseline(BASELINE, "hash")
    written = []
    for number, unseen in enumerate([(), (("HA", 2), ("F9", 1)), None]):
        counts = (0, 4, 4, 1, 3 if number else 0)
        column = replace(carrier(*counts), unseen=unseen)
        written.append(profile(day(number), distance(0, 0, 9, 0, counts[-1]), column))
        store.write_profiles("flights", day(number), [written[-1]], BASELINE.id)
    query = "SELECT unseen FROM profile WHERE column_name = :name ORDER BY window_start"
    found = [row["unseen"] for row in store.query(query, name="carrier")]
    assert [json.loads(text) if isinstance(text, str) else text for text in found] == [[], [["HA", 2], ["F9", 1]], None]
    assert [row["unseen"] for row in store.query(query, name="distance")] == [None] * 3
    assert [store.read_profiles("flights", day(number))[1][0] for number in range(3)] == written


def test_the_digest_tells_unseen_values_apart():
    named = profile(day(0), carrier(0, 4, 4, 1, 3))
    column = named.columns["carrier"]
    others = [replace(column, unseen=unseen) for unseen in ((("F9", 3),), (("HA", 2), ("F9", 1)), None)]
    digests = {profile_digest([profile(day(0), each)], BASELINE.id) for each in (column, *others)}
    assert len(digests) == 4


finite = st.floats(allow_nan=False, allow_infinity=False)
names = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)


@st.composite
def columns_of_any_kind(draw, name):
    kind = draw(st.sampled_from(["numeric", "categorical", "timestamp"]))
    counts = tuple(draw(st.lists(st.integers(0, 2**55), min_size=3, max_size=5)))
    unseen = ()
    if kind == "categorical" and counts[-1]:
        pairs = st.tuples(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), st.integers(1, 9))
        unseen = draw(st.none() | st.lists(pairs, min_size=1, max_size=3).map(tuple))
    return ColumnProfile(name, kind, counts, *(draw(st.none() | finite) for _ in range(4)), unseen=unseen)


@st.composite
def windows_profiles(draw):
    segments = ["", *draw(st.lists(names, unique=True, max_size=2))]
    found = []
    for segment in segments:
        columns = draw(st.lists(names, unique=True, max_size=3))
        readable = {name: draw(columns_of_any_kind(name)) for name in columns}
        unreadable = draw(
            st.dictionaries(names.filter(lambda name, kept=readable: name not in kept), names, max_size=2)
        )
        rows = draw(st.integers(0, 2**62))
        found.append(Profile(day(0), rows, readable, segment, unreadable))
    return tuple(found)


@given(written=windows_profiles())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_profile_comes_back_as_it_was(store, written):
    store.write_baseline(BASELINE, "hash")
    store.write_profiles("flights", day(0), written, BASELINE.id)
    _, found = store.read_profiles("flights", day(0))
    assert found == written  # -0.0 becomes 0.0 on SQLite, and equals it
    digest = store.window_state("flights", day(0)).digest
    assert digest == profile_digest(written, BASELINE.id) == profile_digest(found, BASELINE.id)
    assert [list(part.columns) for part in found] == [list(part.columns) for part in written]


def test_a_window_without_a_profile(store):
    with pytest.raises(DataError, match="no profile of 2013-04-01T00:00Z/2013-04-02T00:00Z in the results store"):
        store.read_profiles("flights", day(0))


def test_only_a_complete_windows_profiles_are_written(store):
    store.write_baseline(BASELINE, "hash")
    whole, jfk = flights(day(0))
    with pytest.raises(ValueError, match="one of all rows and one per segment, not of \\['origin=JFK'\\]"):
        store.write_profiles("flights", day(0), [jfk], BASELINE.id)
    with pytest.raises(ValueError, match="cannot be written as one of"):
        store.write_profiles("flights", day(1), [whole], BASELINE.id)
    broken = profile(day(0), carrier(0, 1, 0, 0, 0), segment="origin=J\0K")
    with pytest.raises(DataError, match=r"'origin=J\\x00K' holds the character NUL"):
        store.write_profiles("flights", day(0), [whole, broken], BASELINE.id)
    assert store.query("SELECT * FROM profile") == []


def test_profiles_of_a_period_in_time_order(store):
    store.write_baseline(BASELINE, "hash")
    for number in (3, 1, 2, 0):
        store.write_profiles("flights", day(number), flights(day(number)), BASELINE.id)
    found = list(store.profiles("flights", day(1).start, day(3).start + timedelta(hours=1)))
    assert found == [(day(number), BASELINE.id, flights(day(number))) for number in (1, 2)]
    assert store.profiled_windows("flights", None, None) == tuple(day(number) for number in range(4))


def test_a_result_comes_back_as_it_was(store):
    full = Result(
        metric="psi",
        value=0.1 + 0.2,
        column_name="distance",
        segment="origin=JFK",
        value_lower=0.0,
        value_upper=1e300,
        p_value=5e-324,
        threshold_lower=-1.5,
        threshold_upper=0.25,
        baseline_rows=2**40,
        window_rows=0,
        message="Distance moved: “much”.",
        detail={"parts": [0.1, {"a": None}], "é": True},
    )
    store.write_results("flights", day(0), "data_drift", [full])
    (row,) = store.results("flights")
    assert row == {
        "monitor": "flights",
        "window_start": day(0).start,
        "window_end": day(0).end,
        "check_name": "data_drift",
        **{name: getattr(full, name) for name in full.__dataclass_fields__},
        "status": "alarm",
    }


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf], ids=str)
def test_a_number_that_is_not_finite_is_stored_as_not_measured(store, value):
    result = Result(
        "lift", value, value_lower=value, p_value=value, threshold_upper=value, detail={"parts": [value, 1.0]}
    )
    store.write_results("flights", day(0), "mine", [result, Result("other", 1.0, value_upper=value)])
    first, second = store.results("flights")
    assert (first["value"], first["value_lower"], first["p_value"], first["threshold_upper"]) == (None,) * 4
    assert first["message"] == f"(lift came out as {value}: not measured)"
    assert first["detail"] == {"parts": [None, 1.0]}
    assert (second["value"], second["value_upper"], second["message"]) == (1.0, None, "")


def test_numbers_and_arrays_of_numpy_are_taken(store):
    result = Result(
        "share", np.float32(0.5), window_rows=np.int64(7), detail={"counts": np.array([1, 2]), "n": np.int8(3)}
    )
    store.write_results("flights", day(0), "mine", [result])
    (row,) = store.results("flights")
    assert (row["value"], row["window_rows"], row["detail"]) == (0.5, 7, {"counts": [1, 2], "n": 3})


def test_one_result_twice_is_refused_and_nothing_is_written(store):
    with pytest.raises(DataError, match="check 'mine' returned metric 'psi' of column 'distance' and segment '' twice"):
        store.write_results("flights", day(0), "mine", [drift(0.1), drift(0.2)])
    assert store.check_runs("flights", day(0)) == ()


def test_writing_again_changes_nothing(store):
    fill(store)
    before = contents(store, *metadata.tables)
    assert all(before[name] for name in ("result", "profile", "baseline", "baseline_bin", "check_run", "window_run"))
    fill(store)
    assert contents(store, *metadata.tables) == before


def test_the_order_in_which_windows_are_written_does_not_matter(store):
    fill(store)
    before = contents(store, *metadata.tables)
    prune(store, day(4).end)
    for number in (3, 0, 4, 1, 2):
        window = day(number)
        rows = [row for row in before["result"] if row["window_start"] == window.start]
        for check in ("operations", "data_drift"):
            taken = [row for row in rows if row["check_name"] == check]
            store.write_results("flights", window, check, [result_of(row) for row in taken])
    after = contents(store, "result", "check_run")
    assert after == {name: before[name] for name in after}


def result_of(row):
    return Result(**{name: row[name] for name in Result.__dataclass_fields__ if name != "detail"})


def test_a_check_replaces_its_own_results_only(store):
    fill(store, [0.3, 0.3])
    store.write_results("flights", day(0), "data_drift", [drift(0.0)])
    kept = {(row["window_start"], row["check_name"]): row for row in store.results("flights")}
    assert set(kept) == {(day(number).start, name) for number in (0, 1) for name in ("data_drift", "operations")}
    assert [row["value"] for row in store.results("flights", day(0).start, day(0).end, checks=["data_drift"])] == [0.0]
    assert len(list(store.results("flights", day(1).start, day(1).end, checks=["data_drift"]))) == 5


def test_a_new_profile_forgets_that_the_checks_ran_and_keeps_their_results(store):
    fill(store, [0.3, 0.3])
    store.write_profiles("flights", day(0), flights(day(0)), BASELINE.id)
    assert store.check_runs("flights", day(0)) == ()
    assert [run.window for run in store.window_runs("flights", day(0).start, day(1).end)] == [day(1)]
    assert len(list(store.results("flights", day(0).start, day(0).end))) == 10
    assert [run.check_name for run in store.check_runs("flights", day(1))] == ["data_drift", "operations"]


def changed(part, **changes):
    """The profile with one thing changed."""
    return replace(part, **changes)


def of_distance(part, **changes):
    return replace(part, columns={**part.columns, "distance": replace(part.columns["distance"], **changes)})


@pytest.mark.parametrize(
    "edit",
    [
        lambda whole, jfk: [changed(whole, rows=11), jfk],
        lambda whole, jfk: [of_distance(whole, counts=(1, 0, 5, 2, 2)), jfk],
        lambda whole, jfk: [of_distance(whole, minimum=250.5), jfk],
        lambda whole, jfk: [of_distance(whole, total=None), jfk],
        lambda whole, jfk: [whole, of_distance(jfk, total_squares=1.0)],
        lambda whole, jfk: [whole, of_distance(jfk, origin=1.0)],
        lambda whole, jfk: [whole, changed(jfk, segment="origin=LGA")],
        lambda whole, jfk: [changed(whole, unreadable={"plan": "a struct"}), jfk],
        lambda whole, _: [whole],
    ],
)
def test_a_digest_differs_with_every_part_of_a_profile(edit):
    before = flights(day(0))
    assert profile_digest(edit(*before), BASELINE.id) != profile_digest(before, BASELINE.id)
    assert profile_digest(before, "another") != profile_digest(before, BASELINE.id)


def test_without_an_origin_and_names_of_unseen_values_the_digest_is_that_of_revision_0002():
    first = [
        replace(part, columns={name: replace(column, unseen=()) for name, column in part.columns.items()})
        for part in flights(day(0))
    ]
    assert profile_digest(first, "0123456789abcdef") == "bcec0d39d52dc80b"


def test_results_of_a_profile_that_was_replaced_are_refused(store):
    store.write_baseline(BASELINE, "hash")
    store.write_profiles("flights", day(0), flights(day(0)), BASELINE.id)
    read = store.window_state("flights", day(0)).digest
    store.write_results("flights", day(0), "data_drift", [drift(0.1)], digest=read)
    store.write_profiles("flights", day(0), [profile(day(0), distance(0, 0, 1, 0, 0))], BASELINE.id)
    before = contents(store, *metadata.tables)
    with pytest.raises(ReplacedError, match="another run has replaced the profile or results of 2013-04-01T00:00Z/"):
        store.write_results("flights", day(0), "data_drift", [drift(0.9)], digest=read)
    assert contents(store, *metadata.tables) == before


def test_a_run_is_closed_only_on_what_it_was_concluded_from(store):
    fill(store, [0.3])
    run = WindowRun("flights", day(0), "failed", "config", NOW, error="too late")
    state = store.window_state("flights", day(0))
    store.write_results("flights", day(0), "operations", [], "broken")
    before = contents(store, *metadata.tables)
    with pytest.raises(ReplacedError):
        store.write_window_run(run, ("operations",), state=state)
    assert contents(store, *metadata.tables) == before
    store.write_window_run(run, ("operations",), state=store.window_state("flights", day(0)))
    assert [found.error for found in store.window_runs("flights", day(0).start, day(0).end)] == ["too late"]


def test_a_failed_check_is_on_record_with_its_reason(store):
    failed = Result("error", status="error", message="no such column")
    store.write_results("flights", day(0), "mine", [failed], error="no such column")
    store.write_results("flights", day(0), "empty", [])
    assert store.check_runs("flights", day(0)) == (
        CheckRun("empty", "done"),
        CheckRun("mine", "failed", "no such column"),
    )
    store.write_results("flights", day(0), "mine", [])
    assert store.check_runs("flights", day(0)) == (CheckRun("empty", "done"), CheckRun("mine", "done"))


def test_a_window_run_comes_back_as_it_was(store):
    store.write_baseline(BASELINE, "hash")
    full = WindowRun("flights", day(0), "done", "abc", NOW, 10, 4, 0.4, "provisional", BASELINE.id, 1.25, None)
    bare = WindowRun("flights", day(1), "failed", "abc", NOW, error="the warehouse is gone")
    store.write_window_run(full)
    store.write_window_run(WindowRun("flights", day(1), "done", "abc", NOW, rows=3))
    store.write_window_run(bare)
    assert store.window_runs("flights", START, day(1).end) == (full, bare)
    assert store.window_runs("flights", START, day(1).start) == (full,)


def test_the_latest_run_says_where_the_monitors_days_begin(store):
    assert store.timezone("flights") == "UTC"
    run = WindowRun("flights", day(0), "done", "abc", NOW)
    for schedule, config_hash in ((Schedule("0 * * * *"), "abc"), (Schedule("0 0 * * *", "Europe/Berlin"), "def")):
        store.write_window_run(replace(run, config_hash=config_hash), schedule=schedule)
        row = {"monitor": "flights", "timezone": schedule.timezone, "schedule": schedule.expression}
        assert store.query("SELECT * FROM monitor") == [row | {"config_hash": config_hash}]
    store.write_window_run(WindowRun("trains", day(0), "done", "abc", NOW), schedule=Schedule("0 * * * *"))
    assert (store.timezone("flights"), store.timezone("trains")) == ("Europe/Berlin", "UTC")


def test_a_window_run_needs_a_time_zone():
    with pytest.raises(ValueError, match="`computed_at` must have a time zone"):
        WindowRun("flights", day(0), "done", "abc", NOW.replace(tzinfo=None))


def test_a_check_that_was_switched_off_leaves_no_results_behind(store):
    fill(store, [0.3, 0.3])
    run = WindowRun("flights", day(0), "done", "changed", NOW)
    store.write_window_run(run, ("operations",))
    assert {row["check_name"] for row in store.results("flights", day(0).start, day(0).end)} == {"operations"}
    assert [check.check_name for check in store.check_runs("flights", day(0))] == ["operations"]
    assert {row["check_name"] for row in store.results("flights", day(1).start)} == {"data_drift", "operations"}


def test_results_can_be_chosen_by_every_part_of_their_key(store):
    fill(store)
    store.write_results("other", day(0), "data_drift", [drift(0.9)])

    def psi(**wanted):
        return [row["value"] for row in store.results("flights", metrics=["psi"], columns=["distance"], **wanted)]

    assert psi(segments=[""]) == [0.05, 0.3, 0.1, 0.25, 0.5]
    assert psi(segments=[""], statuses=["alarm"]) == [0.3, 0.25, 0.5]
    assert psi(segments=[""], start=day(1).start, end=day(2).end) == [0.3, 0.1]
    assert psi(segments=["origin=JFK"], statuses=["alarm"]) == [0.25]
    assert len(list(store.results("flights"))) == 50
    assert {row["check_name"] for row in store.results("flights", checks=["operations"])} == {"operations"}


def test_results_are_read_while_others_write(store):
    """A long export neither stops a writer nor shows half of what it writes."""
    fill(store)
    rows = store.results("flights")
    first = next(rows)
    store.write_results("flights", day(0), "data_drift", [])
    store.write_results("flights", day(4), "operations", [])
    assert len([first, *rows]) == 50
    assert len(list(store.results("flights"))) == 40


def delete_and_fail(store):
    with store.writing("flights") as connection:
        connection.exec_driver_sql("DELETE FROM result")
        raise RuntimeError("every row was deleted, then this")


def test_what_fails_in_the_middle_is_not_kept(store):
    fill(store, [0.3])
    before = contents(store, *metadata.tables)
    with pytest.raises(RuntimeError, match="every row was deleted, then this"):
        delete_and_fail(store)
    assert contents(store, *metadata.tables) == before


def test_windows_of_other_lengths_and_monitors_are_kept_apart(store):
    store.write_baseline(BASELINE, "hash")
    for window in (day(0), hour(0)):
        store.write_profiles("flights", window, flights(window), BASELINE.id)
        store.write_results("flights", window, "data_drift", [drift(0.5)])
    store.write_results("flight", day(0), "data_drift", [drift(0.5)])
    store.write_results("flights", hour(0), "data_drift", [])
    assert [row["window_end"] for row in store.results("flights")] == [day(0).end]
    assert store.read_profiles("flights", hour(0))[1] == flights(hour(0))
    assert len(list(store.results("flight"))) == 1


def test_a_closed_store_leaves_no_files_beside_the_database(tmp_path):
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store:
        fill(store)
    assert [path.name for path in tmp_path.iterdir()] == ["results.db"]
