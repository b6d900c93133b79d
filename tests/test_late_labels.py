"""Labels come late, and whatever order they come in, the final rows are those of one run over everything: law 5."""

from __future__ import annotations

import multiprocessing
import random
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from monitoring_tasks import demo, labels, late_labels
from monitoring_tasks import run as steps
from monitoring_tasks.checks import enabled
from monitoring_tasks.config import Monitor, parse_monitor
from monitoring_tasks.errors import DataError, TransientError
from monitoring_tasks.results.migrate import migrate
from monitoring_tasks.results.retention import prune, rollup
from monitoring_tasks.results.store import Store, WindowRun, open_store
from monitoring_tasks.run import run_windows
from monitoring_tasks.samples import Samples
from monitoring_tasks.warehouse.engine import open_warehouse
from monitoring_tasks.warehouse.scan import scan_with_labels
from monitoring_tasks.window import Window, parse_instant, parse_schedule
from tests import labelled_log
from tests.inference_log import EMPTY, END, FIRST, MONITOR, START, contents, day, log, run_in_process
from tests.labelled_log import TABLES, append, arrived

# Children are forked from a server that has imported everything once and runs no thread.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["__main__", "tests.inference_log"])

DAYS = tuple(day(number) for number in range(20, 32))

MORE = pytest.mark.integration

pytestmark = pytest.mark.usefixtures("remembered_fits")

ORDERS: dict[str, Callable[[list[Window]], None]] = {
    "in order": lambda _: None,
    "reversed": list.reverse,
    "shuffled": random.Random(1).shuffle,
}


def watch(monitor: Monitor, url: str, store: Store, *windows: Window) -> None:
    """Run these neighbouring windows on the warehouse as it is now."""
    with open_warehouse(url) as warehouse:
        run_windows(monitor, windows[0].start, windows[-1].end, warehouse=warehouse, store=store)


def replay(monitor: Monitor, url: str, store: Store, days: Sequence[Window]) -> None:
    """Append each day's labels, then run the day."""
    for window in days:
        append(url, arrived(window.start, window.end))
        watch(monitor, url, store, window)


def performance(store: Store, number: int, **wanted: str) -> list[dict[str, Any]]:
    """Return the results of the check of labels on one day."""
    rows = store.results("loans", day(number).start, day(number).end, checks=["performance"])
    return [dict(row) for row in rows if all(row[name] == value for name, value in wanted.items())]


def runs(store: Store) -> dict[Window, WindowRun]:
    return {run.window: run for run in store.window_runs("loans", START, END)}


def final(store: Store) -> dict[str, list[dict[str, object]]]:
    """Return what must not depend on any order: all but the clocks."""
    rows = contents(store, *TABLES, "window_run")
    for row in rows["window_run"]:
        del row["computed_at"], row["seconds"]
    for row in (
        *rows["window_labels"],
        *rows["labelled_baseline"],
    ):  # how far the labels had come, which is a clock too
        del row["read_through"], row["read_labels"]
    return rows


def assert_same(found: dict[str, list[dict[str, object]]], expected: dict[str, list[dict[str, object]]]) -> None:
    for name, rows in expected.items():
        differing = [
            {key: (a[key], b[key]) for key in b if a[key] != b[key]}
            for a, b in zip(found[name], rows, strict=False)
            if a != b
        ]
        assert len(found[name]) == len(rows), name
        assert not differing, (name, differing[0])


@pytest.fixture(scope="module")
def bulk(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, object]]]:
    """The tables after one run over everything."""
    folder = tmp_path_factory.mktemp("bulk")
    url = labelled_log.to_duckdb(folder / "loans.duckdb", arrived(None, END))
    with open_store(f"sqlite:///{folder / 'results.db'}") as store:
        watch(labelled_log.monitor(labelled_log.ALL), url, store, *DAYS)
        return final(store)


@pytest.mark.parametrize(
    ("empty_url", "order"),
    [
        ("sqlite", "shuffled"),
        # On PostgreSQL they come in order where the steps are those of Airflow, see below.
        *(pytest.param(*each, marks=MORE) for each in (("sqlite", "in order"), ("sqlite", "reversed"))),
        pytest.param("postgresql", "shuffled", marks=MORE),
    ],
    indirect=["empty_url"],
)
def test_law_5_labels_in_any_order_come_to_the_rows_of_one_run(store: Store, tmp_path: Path, bulk, order: str) -> None:
    days = list(DAYS)
    ORDERS[order](days)
    url = labelled_log.to_duckdb(tmp_path / "loans.duckdb")
    replay(labelled_log.monitor(labelled_log.ALL), url, store, days)
    assert_same(final(store), bulk)


LOADED = 29
"""The days whose labels are there at `halfway`, and which have been run, are those before."""


@pytest.fixture(scope="module")
def halfway_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("halfway")
    url = labelled_log.to_duckdb(folder / "loans.duckdb", arrived(None, day(LOADED).start))
    with open_store(f"sqlite:///{folder / 'results.db'}") as store:
        watch(labelled_log.monitor(), url, store, *DAYS[:9])
    return folder


@pytest.fixture
def halfway(halfway_files: Path, tmp_path: Path) -> Iterator[tuple[str, Store]]:
    """A warehouse and a store of its own, as they were on the morning of day 29."""
    for file in halfway_files.iterdir():
        shutil.copy(file, tmp_path)
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store:
        yield f"duckdb:///{tmp_path / 'loans.duckdb'}", store


def days_of(labels: pd.DataFrame) -> set[int]:
    """Return the days of the inferences whose labels these are."""
    present = labels[labels["defaulted"].notna()]
    asked_at = log().set_index("id")["asked_at"].reindex(present["id"].dropna()).dropna()
    return {(at.to_pydatetime() - FIRST.replace(tzinfo=None)).days for at in asked_at}


@contextmanager
def scans(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, list[Window]]]]:
    """Record which windows each scan reads, and what for."""
    read: list[tuple[str, list[Window]]] = []
    for name, module in (("windows", steps), ("baseline", labels)):
        original = module.scan_with_labels

        def recorded(*arguments: Any, name: str = name, original: Any = original) -> Any:
            read.append((name, list(arguments[4])))
            return original(*arguments)

        monkeypatch.setattr(module, "scan_with_labels", recorded)
    yield read
    monkeypatch.undo()


def test_a_run_reads_again_the_windows_whose_labels_came_or_are_complete_now_and_no_others(
    halfway: tuple[str, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, store = halfway
    before = runs(store)
    today = day(LOADED)
    came = arrived(today.start, today.end)
    touched, complete = days_of(came), {26}  # whose two days end with day 28
    assert not touched & set(range(20)), "of the baseline: another test's matter"
    append(url, came)
    with scans(monkeypatch) as read:
        watch(labelled_log.monitor(), url, store, today)
    expected = sorted({LOADED} | touched | complete)
    assert min(touched) > 20
    assert len(expected) < 9
    assert read == [("windows", [day(number) for number in expected])]
    after = runs(store)
    assert [window for window in after if window not in before or after[window] != before[window]] == read[0][1]


def test_labels_that_no_window_of_the_run_holds_wait_for_the_run_of_theirs(
    halfway: tuple[str, Store], tmp_path: Path
) -> None:
    url, store = halfway
    append(url, arrived(day(LOADED).start, day(31).start))
    before = runs(store)
    watch(labelled_log.monitor(), url, store, day(30))
    changed = {window for window, run in runs(store).items() if before.get(window) != run}
    touched = days_of(arrived(day(30).start, day(31).start)) - {LOADED}  # which was never run
    assert changed == {day(number) for number in touched | {26, 27, 30}}
    watch(labelled_log.monitor(), url, store, day(LOADED))
    with open_store(f"sqlite:///{tmp_path / 'at once.db'}") as other:
        watch(labelled_log.monitor(), url, other, *DAYS[:11])
        assert_same(final(store), final(other))


def test_late_labels_of_the_baseline_are_measured_and_every_window_is_compared_with_them(
    halfway: tuple[str, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, store = halfway
    before, old = runs(store), contents(store, "labelled_baseline", "labels_profile")
    moment = day(21).start + timedelta(hours=3)  # before the baseline's labels had to be complete
    flipped = log()[log()["asked_at"] < START.replace(tzinfo=None)].iloc[::20]
    late = pd.DataFrame({"id": flipped["id"], "defaulted": 1, "known_at": moment.replace(tzinfo=None)})
    append(url, late)
    with scans(monkeypatch) as read:
        watch(labelled_log.monitor(), url, store, day(21))
    assert [name for name, _ in read] == ["baseline", "windows"]
    assert read[0][1] == [day(number) for number in range(20)]
    # Two days of the baseline's period are looked back on, and have late labels too.
    assert read[1][1] == [day(number) for number in (18, 19, 20, 21)], "the others are compared anew, and not read"
    new = contents(store, "labelled_baseline", "labels_profile")
    assert new["labelled_baseline"] != old["labelled_baseline"]
    of_run, known = ([row for row in each["labels_profile"] if row["window_start"] >= START] for each in (new, old))
    assert of_run == known
    assert all(run != before.get(window) for window, run in runs(store).items())
    with scans(monkeypatch) as read:
        watch(labelled_log.monitor(), url, store, day(21))
    again = runs(store)
    assert [name for name, _ in read] == ["baseline", "windows"]
    assert {window for window, run in again.items() if run.computed_at > max(r.computed_at for r in before.values())}


def test_labels_of_the_baseline_that_trickle_in_are_measured_together(
    halfway: tuple[str, Store], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, store = halfway
    before, old = runs(store), contents(store, "labelled_baseline")
    late = log()[log()["asked_at"] < START.replace(tzinfo=None)].iloc[::20]
    at = (day(LOADED).start + timedelta(hours=3)).replace(tzinfo=None)
    append(url, pd.DataFrame({"id": late["id"], "defaulted": 1, "known_at": at}))
    with scans(monkeypatch) as read:
        watch(labelled_log.monitor(), url, store, day(LOADED))
    assert read == [("windows", [day(18), day(19), day(26), day(LOADED)])]
    changed = {window for window, run in runs(store).items() if before.get(window) != run}
    assert changed == {day(26), day(LOADED)}, "no other is compared anew"
    assert _counted(store) == _counted_in(old)
    # A label of nobody's says that the warehouse has come further, by the length of the baseline's period.
    at = day(42).start.replace(tzinfo=None)
    append(url, pd.DataFrame({"id": [None], "defaulted": [None], "known_at": [at]}, dtype=object))
    for window, names in ((day(LOADED), ["baseline", "windows"]), (day(30), ["windows"])):
        with scans(monkeypatch) as read:
            watch(labelled_log.monitor(), url, store, window)
        assert [name for name, _ in read] == names
    assert _counted(store) != _counted_in(old)
    with open_store(f"sqlite:///{tmp_path / 'at once.db'}") as other:
        watch(labelled_log.monitor(), url, other, *DAYS[:11])
        assert_same(final(store), final(other))


def _counted(store: Store) -> object:
    return _counted_in(contents(store, "labelled_baseline"))


def _counted_in(rows: dict[str, list[dict[str, Any]]]) -> object:
    (row,) = rows["labelled_baseline"]
    return row["profile"]


def test_provisional_becomes_final_by_the_latest_label_and_not_by_the_clock(halfway: tuple[str, Store]) -> None:
    url, store = halfway
    known = labelled_log.label(arrived(None, day(LOADED).start), log()["id"])
    for window, run in runs(store).items():
        start, end = (moment.replace(tzinfo=None) for moment in (window.start, window.end))
        mine = known[((log()["asked_at"] >= start) & (log()["asked_at"] < end)).to_numpy()]
        assert run.labels == ("final" if window.end + timedelta(days=2) < day(LOADED).start else "provisional")
        assert (run.rows, run.label_rows) == (len(mine), mine.notna().sum())
        assert run.label_coverage == (mine.notna().mean() if len(mine) else None)
    assert [run.labels for run in runs(store).values()] == ["final"] * 6 + ["provisional"] * 3
    # One label of nobody's, without a value: it says how far the warehouse has come, and nothing else.
    at = (day(30).start + timedelta(seconds=1)).replace(tzinfo=None)
    append(url, pd.DataFrame({"id": [None], "defaulted": [None], "known_at": [at]}, dtype=object))
    watch(labelled_log.monitor(), url, store, day(LOADED))
    assert [run.labels for run in runs(store).values()] == ["final"] * 8 + ["provisional"] * 2
    (coverage,) = performance(store, 27, metric="label_coverage", segment="")
    assert "provisional" not in coverage["message"]
    (coverage,) = performance(store, LOADED, metric="label_coverage", segment="")
    assert "provisional, more are to come until 2024-04-02T00:00Z" in coverage["message"]


def verdicts(store: Store, number: int) -> set[str]:
    return {row["status"] for row in performance(store, number, metric="roc_auc", column_name="", segment="")}


def test_no_verdict_while_few_labels_are_known_or_those_of_the_baseline_are_incomplete(
    store: Store, tmp_path: Path
) -> None:
    monitor = labelled_log.monitor()
    url = labelled_log.to_duckdb(tmp_path / "loans.duckdb", arrived(None, day(21).start))
    watch(monitor, url, store, day(20))
    (coverage,) = performance(store, 20, metric="label_coverage", segment="")
    assert (coverage["status"], verdicts(store, 20)) == ("insufficient_data", {"insufficient_data"})
    assert 0.4 < coverage["value"] < 0.8
    assert not {row["status"] for row in performance(store, 20)} & {"ok", "alarm", "warning"}
    append(url, arrived(day(21).start, day(22).start - timedelta(hours=1)))
    watch(monitor, url, store, day(21))
    (auc,) = performance(store, 20, metric="roc_auc", column_name="", segment="")
    (coverage,) = performance(store, 20, metric="label_coverage", segment="")
    assert (coverage["status"], auc["status"]) == ("ok", "insufficient_data")
    assert (
        "it is compared with nothing yet: the baseline's labels are complete from 2024-03-23T00:00Z on"
        in (auc["message"])
    )
    assert contents(store, "labelled_baseline") == {"labelled_baseline": []}
    append(url, arrived(day(22).start - timedelta(hours=1), day(23).start))
    watch(monitor, url, store, day(22))
    assert [verdicts(store, number) for number in (20, 21)] == [{"ok"}] * 2
    assert [run.labels for run in runs(store).values()] == ["provisional"] * 3
    (baseline,) = contents(store, "labelled_baseline")["labelled_baseline"]
    # Counted are those that arrived before they had to be complete.
    known = labelled_log.label(arrived(None, day(22).start), log()["id"])[: 20 * 480]
    assert (baseline["rows"], baseline["label_rows"]) == (20 * 480, known.notna().sum())


ONLY = (
    "{data_drift: off, prediction_drift: off, data_quality: off, operations: off, multivariate_drift: off, "
    "concept_drift: off, estimated_performance: off}"
)
"""Nothing but performance."""

TEN_DAYS = "{period: {start: 2024-03-11, end: 2024-03-21}}"


def briefly(checks: str = ONLY, labels: str = labelled_log.LABELS, **changes: str) -> Monitor:
    """Return the monitor with half of its baseline: what labels look like is as plain, and read in half the time."""
    return labelled_log.monitor(checks, labels, **{"baseline": TEN_DAYS} | changes)


TEXTS = "ALTER TABLE outcomes ALTER id TYPE text"
KEYS = {
    "keys as texts": (TEXTS,),
    "keys of the log as texts": ("ALTER TABLE inference_log ALTER id TYPE text",),
    "keys as doubles": ("ALTER TABLE outcomes ALTER id TYPE double precision",),
    "keys of the log as decimals": ("ALTER TABLE inference_log ALTER id TYPE numeric(12, 0)",),
    "keys as short integers": ("ALTER TABLE outcomes ALTER id TYPE integer",),
}
VALUES = {
    "decimals": ("ALTER TABLE outcomes ALTER defaulted TYPE numeric(6, 2)",),
    "doubles": ("ALTER TABLE outcomes ALTER defaulted TYPE double precision",),
    "doubles, NaN for none": (
        "ALTER TABLE outcomes ALTER defaulted TYPE double precision",
        "UPDATE outcomes SET defaulted = 'NaN' WHERE defaulted IS NULL",
    ),
    "texts": ("ALTER TABLE outcomes ALTER defaulted TYPE text",),
    "booleans": ("ALTER TABLE outcomes ALTER defaulted TYPE boolean USING defaulted = 1",),
}
TIMES = {
    "times with a zone": ("ALTER TABLE outcomes ALTER known_at TYPE timestamptz USING known_at AT TIME ZONE 'UTC'",),
}
ROWS = {
    "other order": (
        "CREATE TABLE ordered AS SELECT * FROM outcomes ORDER BY known_at DESC, defaulted DESC",
        "DROP TABLE outcomes",
        "ALTER TABLE ordered RENAME TO outcomes",
    ),
    "a view": ("ALTER TABLE outcomes RENAME TO stored", "CREATE VIEW outcomes AS SELECT * FROM stored"),
}
SAME = {**KEYS, **VALUES, **TIMES, **ROWS}
"""Other ways to hold the same labels."""

LABELLED_DAYS = DAYS[2:4]


def _some_are_quick(ways: Iterable[str], *quick: str) -> list[Any]:
    """Let all but these wait for the whole suite."""
    return [way if way in quick else pytest.param(way, marks=MORE) for way in ways]


@pytest.fixture(params=["duckdb", pytest.param("postgres", marks=MORE)])
def everything(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A warehouse of all rows and labels, to be changed."""
    if request.param == "duckdb":
        return labelled_log.to_duckdb(tmp_path / "loans.duckdb", arrived(None, END))
    return labelled_log.to_postgres(request.getfixturevalue("postgres_database"), arrived(None, END))


def measured(monitor: Monitor, url: str, tmp_path: Path) -> tuple[list[dict[str, Any]], list[WindowRun]]:
    """Run two days into a new store; return the results of the check of labels, and the runs."""
    with open_store(f"sqlite:///{tmp_path / f'{random.random()}.db'}") as store:
        watch(monitor, url, store, *LABELLED_DAYS)
        rows = [dict(row) for row in store.results("loans", checks=["performance"])]
        found = list(runs(store).values())
    assert {run.state for run in found} == {"done"}, found
    return rows, found


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The results of labels as they are written."""
    folder = tmp_path_factory.mktemp("plain")
    url = labelled_log.to_duckdb(folder / "loans.duckdb", arrived(None, END))
    rows, found = measured(briefly(), url, folder)
    known = labelled_log.label(arrived(None, END), log()["id"])
    for window, run in zip(LABELLED_DAYS, found, strict=True):
        start, end = (moment.replace(tzinfo=None) for moment in (window.start, window.end))
        mine = known[((log()["asked_at"] >= start) & (log()["asked_at"] < end)).to_numpy()]
        assert run.label_rows == mine.notna().sum()
        (brier,) = [
            row
            for row in rows
            if (row["window_start"], row["metric"], row["column_name"], row["segment"])
            == (window.start, "brier", "", "")
        ]
        both = log().set_index("id").loc[mine.dropna().index, "probability"].sub(mine.dropna().astype(float)).dropna()
        assert brier["value"] == pytest.approx((both**2).mean())
    return rows


def assert_close(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    """Numbers within 1e-9: PostgreSQL adds in another order."""
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        for name, value in other.items():
            if isinstance(value, float):
                assert one[name] == pytest.approx(value, rel=1e-9, abs=1e-12), (name, one, other)
            elif name != "detail":
                assert one[name] == value, (name, one, other)


@pytest.mark.parametrize("way", _some_are_quick(SAME, "keys as doubles", "doubles, NaN for none", "booleans"))
def test_the_same_labels_held_otherwise_are_the_same(
    everything: str, tmp_path: Path, plain: list[dict[str, Any]], way: str
) -> None:
    labelled_log.execute(everything, *SAME[way])
    rows, _ = measured(briefly(), everything, tmp_path)
    assert_close(rows, plain)


def results(store: Store, metric: str) -> list[dict[str, Any]]:
    """Return the rows of one metric of all rows, of the check of labels."""
    rows = store.results("loans", checks=["performance"])
    return [dict(row) for row in rows if (row["metric"], row["column_name"], row["segment"]) == (metric, "", "")]


DOUBLES = "ALTER TABLE outcomes ALTER defaulted TYPE double precision"
ODD = log().loc[log()["asked_at"] >= DAYS[2].start.replace(tzinfo=None), "id"].iloc[0]
"""The key of an inference of the first of `LABELLED_DAYS`."""


@pytest.mark.parametrize("value", ["1e300", "'infinity'", "'-infinity'", "0.5"])
def test_an_odd_value_of_one_label_costs_no_result_but_its_own(everything: str, tmp_path: Path, value: str) -> None:
    labelled_log.execute(everything, DOUBLES, f"DELETE FROM outcomes WHERE id = {ODD}")
    rows, found = measured(briefly(), everything, tmp_path)
    labelled_log.execute(everything, f"INSERT INTO outcomes VALUES ({ODD}, {value}, '2024-03-24 01:00:00')")
    with_it, again = measured(briefly(), everything, tmp_path)
    more = 0 if "infinity" in value else 1  # which is no number, and so no label
    assert again[0].label_rows == (found[0].label_rows or 0) + more
    whole = [{row["metric"] for row in each if row["column_name"] == ""} for each in (rows, with_it)]
    assert whole[0] == whole[1]
    assert not {row["status"] for row in with_it} & {"error"}


@pytest.mark.parametrize("time", ["NULL", "'infinity'", "'-infinity'", "'9999-12-31'"])
def test_a_label_without_a_time_counts_for_nothing_and_is_told(everything: str, tmp_path: Path, time: str) -> None:
    """It could not be said when to read its window again; and it must not say that all labels have arrived."""
    labelled_log.execute(everything, f"DELETE FROM outcomes WHERE id = {ODD} OR known_at >= '2024-03-25'")
    rows, _ = measured(briefly(), everything, tmp_path)
    labelled_log.execute(everything, f"INSERT INTO outcomes VALUES ({ODD}, 1, {time})")
    with_it, found = measured(briefly(), everything, tmp_path)
    assert [run.labels for run in found] == ["provisional"] * 2
    told = [row for row in with_it if row["metric"] == "labels_without_time"]
    assert [(row["window_start"], row["value"], row["status"]) for row in told] == [(DAYS[2].start, 1, "warning")]
    assert told[0]["message"].startswith("1 label of this window's rows has no time of arrival")
    assert_close([row for row in with_it if row not in told], rows)


def test_a_label_of_the_future_counts_and_does_not_make_the_others_final(everything: str, tmp_path: Path) -> None:
    labelled_log.execute(everything, f"DELETE FROM outcomes WHERE id = {ODD} OR known_at >= '2024-03-25'")
    _, before = measured(briefly(), everything, tmp_path)
    labelled_log.execute(
        everything,
        f"INSERT INTO outcomes VALUES ({ODD}, 1, '2190-01-01')",
        f"INSERT INTO outcomes VALUES ({ODD}, NULL, '2191-01-01')",
    )
    rows, found = measured(briefly(), everything, tmp_path)
    assert [run.labels for run in found] == ["provisional"] * 2
    assert found[0].label_rows == (before[0].label_rows or 0) + 1
    told = [(row["window_start"], row["value"]) for row in rows if row["metric"] == "labels_of_the_future"]
    assert told == [(DAYS[2].start, 1)]


@pytest.mark.parametrize(
    "ways",
    [
        ("ALTER TABLE outcomes ALTER id TYPE double precision", "ALTER TABLE inference_log ALTER id TYPE text"),
        ("ALTER TABLE outcomes ALTER id TYPE numeric(12, 2)", "ALTER TABLE inference_log ALTER id TYPE text"),
        ("ALTER TABLE outcomes ALTER id TYPE text", "ALTER TABLE inference_log ALTER id TYPE numeric(12, 2)"),
    ],
)
def test_keys_that_are_numbers_here_and_texts_there_are_the_same(
    everything: str, tmp_path: Path, plain: list[dict[str, Any]], ways: tuple[str, str]
) -> None:
    labelled_log.execute(everything, *ways)
    rows, _ = measured(briefly(), everything, tmp_path)
    assert_close(_but_weakest(rows), _but_weakest(plain))  # whose rows are drawn by the text of their keys


def _but_weakest(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if row["metric"] != "weakest_segments" and "change" not in row["metric"]]


@pytest.mark.parametrize("of", ["text", "bigint"])
def test_a_double_is_no_key_that_it_was_rounded_to(everything: str, tmp_path: Path, of: str) -> None:
    """9007199254740993 and 9007199254740992 are one double; and 1.5 is the key of nobody."""
    large = 2**53 + 1
    labelled_log.execute(
        everything,
        "DELETE FROM outcomes WHERE known_at >= '2024-03-23'",
        f"UPDATE inference_log SET id = {large} WHERE id = {ODD}",
        f"INSERT INTO outcomes VALUES ({large}, 1, '2024-03-23 12:00:00'), ({ODD}, 1, '2024-03-23 12:00:00')",
        "ALTER TABLE outcomes ALTER id TYPE double precision",
        f"UPDATE outcomes SET id = id + 0.5 WHERE id = {ODD}",
        f"ALTER TABLE inference_log ALTER id TYPE {of}",
    )
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store:
        watch(briefly(), everything, store, DAYS[2])
        (unknown,) = results(store, "unknown_label_keys")
        (came,) = results(store, "labels_arrived")
        (run,) = runs(store).values()
    assert (came["value"], unknown["value"], run.label_rows) == (2, 2, 0)
    assert unknown["status"] == "warning"
    assert "is labels.key the same key as inference_log.key?" in unknown["message"]


def test_a_feed_of_labels_that_has_ended_is_told(store: Store, tmp_path: Path) -> None:
    url = labelled_log.to_duckdb(tmp_path / "loans.duckdb", arrived(None, day(22).start))
    watch(labelled_log.monitor(ONLY), url, store, *DAYS[:6])
    last = arrived(None, day(22).start)["known_at"].max().to_pydatetime()
    lags = results(store, "label_lag")
    # Two days until labels are complete, and one for those that are loaded once in a window.
    assert [row["status"] for row in lags] == ["info", "info", "info", "info", "warning", "warning"]
    ends = [day(number).end.replace(tzinfo=None) for number in range(21, 26)]
    assert [row["value"] for row in lags[1:]] == pytest.approx([(end - last).total_seconds() / 3600 for end in ends])
    assert {row["threshold_upper"] for row in lags} == {72.0}


def test_labels_that_never_came_are_told_from_when_they_must_have(store: Store, tmp_path: Path) -> None:
    url = labelled_log.to_duckdb(tmp_path / "loans.duckdb", arrived(None, None)[:0])
    watch(labelled_log.monitor(ONLY), url, store, *DAYS[:5])
    lags = results(store, "label_lag")
    assert [(row["value"], row["status"]) for row in lags] == [
        *[(None, "insufficient_data")] * 3,
        *[(None, "warning")] * 2,
    ]


YES = "ALTER TABLE outcomes ALTER defaulted TYPE text USING CASE defaulted WHEN 1 THEN 'yes' WHEN 0 THEN 'no' END"


@pytest.mark.parametrize(
    ("statements", "positive", "shown"),
    [
        ((YES,), "'Yes'", "'yes', 'no'"),
        ((DOUBLES, "UPDATE outcomes SET defaulted = 0.6 WHERE defaulted = 1"), "1", "'0"),
    ],
)
def test_a_positive_class_that_no_label_of_the_baseline_is_costs_one_error_row(
    everything: str, tmp_path: Path, statements: tuple[str, ...], positive: str, shown: str
) -> None:
    """The other checks have nothing to compare with, and say so."""
    labelled_log.execute(everything, *statements)
    checks = "{data_drift: off, prediction_drift: off, operations: off, multivariate_drift: off}"
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store:
        watch(briefly(checks, positive_class=positive), everything, store, DAYS[2])
        (row,) = store.results("loans", checks=["performance"])
        others = list(store.results("loans", checks=["concept_drift", "estimated_performance"]))
        (run,) = runs(store).values()
    assert {other["check_name"] for other in others} == {"concept_drift", "estimated_performance"}
    assert not [other["message"] for other in others if other["status"] not in ("insufficient_data", "info")]
    assert (row["metric"], row["status"], row["value"]) == ("label_coverage", "error", None)
    assert f"is the positive_class {positive}: they are such as {shown}" in row["message"]
    assert (run.state, run.error) == ("failed", f"performance: {row['message']}")


def test_a_score_that_the_log_does_not_have_is_an_error_and_the_other_metrics_are_there(
    everything: str, tmp_path: Path
) -> None:
    monitor = briefly()
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store:
        watch(monitor, everything, store, DAYS[2])
        (before,) = results(store, "accuracy")
        labelled_log.execute(everything, "ALTER TABLE inference_log DROP probability")
        watch(monitor, everything, store, DAYS[2])
        (after,) = results(store, "accuracy")
        errors = [row for row in store.results("loans", checks=["performance"]) if row["status"] == "error"]
        (run,) = runs(store).values()
    assert after["value"] == before["value"]
    assert [(row["metric"], row["column_name"]) for row in errors] == [("unreadable", "probability")]
    assert run.state == "failed"
    assert "probability" in errors[0]["message"]


@pytest.mark.parametrize("statement", ["arrivals", "joined scan", "baseline"])
def test_labels_that_fail_a_statement_cost_one_error_row_and_no_other_check(
    everything: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    """As a view does that casts what is no number."""
    checks = "{prediction_drift: off, operations: off, multivariate_drift: off, concept_drift: off, "
    monitor = briefly(checks + "estimated_performance: off}")

    def failing(*_: object) -> Any:
        raise DataError("'n/a' is no number")

    def failing_with_labels(*arguments: Any) -> Any:
        yield from failing() if arguments[6] is not None else scan_with_labels(*arguments)

    if statement == "arrivals":
        monkeypatch.setattr(late_labels, "arrivals", failing)
    else:
        monkeypatch.setattr(steps if statement == "joined scan" else labels, "scan_with_labels", failing_with_labels)
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store:
        watch(monitor, everything, store, DAYS[2])
        (row,) = store.results("loans", checks=["performance"])
        assert row["status"] == "error"
        assert re.fullmatch("the labels cannot be read: .*'n/a' is no number", row["message"])
        drift = {each["status"] for each in store.results("loans", checks=["data_drift"])}
        monkeypatch.undo()
        assert drift
        assert "error" not in drift
        watch(monitor, everything, store, DAYS[2])
        assert [run.state for run in runs(store).values()] == ["done"]


def test_labels_of_a_date_are_refused_where_windows_are_shorter_than_days(everything: str, tmp_path: Path) -> None:
    labelled_log.execute(everything, "ALTER TABLE outcomes ALTER known_at TYPE date USING CAST(known_at AS date)")
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store:
        watch(briefly(ONLY, schedule="6h"), everything, store, DAYS[2])
        rows = [dict(row) for row in store.results("loans", checks=["performance"])]
    assert {row["status"] for row in rows} == {"error"}
    assert (
        "labels.timestamp 'known_at' of table 'outcomes' is a date, and windows of `schedule` '0 */6 * * *'"
        in (rows[0]["message"])
    )


@pytest.mark.parametrize("edited", [{"schedule": '"0 12 * * *"'}, {"labels": "loaded_at"}])
def test_another_schedule_or_time_of_arrival_measures_the_labels_of_the_baseline_again(
    store: Store, tmp_path: Path, edited: dict[str, str]
) -> None:
    url = labelled_log.to_duckdb(tmp_path / "loans.duckdb", arrived(None, END))
    labelled_log.execute(url, "ALTER TABLE outcomes ADD loaded_at TIMESTAMP")
    labelled_log.execute(
        url, "UPDATE outcomes SET loaded_at = TIMESTAMP '2024-05-01' - (known_at - TIMESTAMP '2024-03-01')"
    )
    noon = Window(day(30).start + timedelta(hours=12), day(31).start + timedelta(hours=12))
    changes = {"labels": labelled_log.LABELS.replace("known_at", edited["labels"])} if "labels" in edited else edited
    window = noon if "schedule" in edited else day(30)
    before = Window(day(30).start + timedelta(hours=6), day(31).start + timedelta(hours=6))
    watch(labelled_log.monitor(ONLY, schedule='"0 6 * * *"'), url, store, before)
    with open_store(f"sqlite:///{tmp_path / 'other.db'}") as other:
        for each in (store, other):
            watch(labelled_log.monitor(ONLY, **changes), url, each, window)
        found, fresh = (contents(each, "labelled_baseline")["labelled_baseline"] for each in (store, other))
        assert [row["digest"] for row in found] == [row["digest"] for row in fresh]
        of_both = (each.results("loans", window.start, window.end, checks=["performance"]) for each in (store, other))
        for one, same in zip(*of_both, strict=True):
            assert dict(one) == dict(same)


def test_windows_read_again_join_only_labels_that_were_not_counted_before(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a window whose labels came late nothing more arrived in its own time, and all of known keys."""
    url = labelled_log.to_duckdb(tmp_path / "loans.duckdb", arrived(None, day(LOADED).start))
    known = "DELETE FROM outcomes WHERE id IS NULL OR id NOT IN (SELECT id FROM inference_log)"
    labelled_log.execute(url, known)
    watch(labelled_log.monitor(), url, store, *DAYS[:9])
    append(url, arrived(day(LOADED).start, day(LOADED).end))
    labelled_log.execute(url, known)
    joins: list[list[Window]] = []
    original = late_labels.arrivals

    def recorded(*arguments: Any) -> Any:
        joins.append(list(arguments[3]))
        return original(*arguments)

    monkeypatch.setattr(late_labels, "arrivals", recorded)
    watch(labelled_log.monitor(), url, store, day(LOADED))
    assert [window for windows in joins for window in windows] == [day(LOADED)]


CLASSES = {
    "true": ("boolean USING {0} = 1", "true"),
    "1 of booleans": ("boolean USING {0} = 1", "1"),
    "yes": ("text USING CASE {0} WHEN 1 THEN 'yes' WHEN 0 THEN 'no' END", "'yes'"),
    "text 1": ("text USING CAST({0} AS text)", "'1'"),
    "true of integers": ("integer", "true"),
    "double": ("double precision", "1"),
}


@pytest.mark.parametrize("spelled", _some_are_quick(CLASSES, "yes", "1 of booleans"))
def test_a_positive_class_of_every_type(
    everything: str, tmp_path: Path, plain: list[dict[str, Any]], spelled: str
) -> None:
    type_, positive = CLASSES[spelled]
    for table, column in (("outcomes", "defaulted"), ("inference_log", "predicted")):
        labelled_log.execute(everything, f"ALTER TABLE {table} ALTER {column} TYPE {type_.format(column)}")
    rows, _ = measured(briefly(ONLY, positive_class=positive), everything, tmp_path)
    assert_close(_overall(rows), _overall(plain))


def _overall(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the metrics of all rows, without words, which name the class."""
    return [
        {name: value for name, value in row.items() if name != "message"}
        for row in rows
        if row["column_name"] == row["segment"] == ""
    ]


def labels_of(store: Store, table: str = "labels_profile") -> list[dict[str, Any]]:
    return contents(store, table)[table]


ROLLING = "{period: {start: 2024-03-01, end: 2024-03-21}, rolling: 5d}"


@pytest.mark.integration
@pytest.mark.parametrize("order", ["shuffled", "in order"])
def test_windows_that_others_look_back_on_have_their_labels_too(store: Store, tmp_path: Path, order: str) -> None:
    monitor = labelled_log.monitor(baseline=ROLLING)
    url = labelled_log.to_duckdb(tmp_path / "loans.duckdb")
    days = list(DAYS[:6])
    ORDERS[order](days)
    replay(monitor, url, store, days)
    with open_store(f"sqlite:///{tmp_path / 'at once.db'}") as other:
        watch(monitor, url, other, *DAYS[:6])
        assert_same(final(store), final(other))
        assert {row["window_start"] for row in labels_of(other)} == {day(number).start for number in range(15, 26)}
        with open_store(f"sqlite:///{tmp_path / 'fixed.db'}") as fixed:
            watch(labelled_log.monitor(ONLY), url, fixed, *DAYS[:6])
            # Drift is held against the days before, performance against the fixed period all the same.
            of_both = [_of_segments(each) for each in (other, fixed)]
    assert {row["status"] for row in of_both[0]} >= {"ok", "info"}
    assert of_both[0] == of_both[1]


def _of_segments(store: Store) -> list[dict[str, Any]]:
    """Return what does not depend on the bins of columns: a moving baseline's are finer."""
    rows = store.results("loans", checks=["performance"])
    segments = ("", "region=north", "region=south")
    return [dict(row) for row in rows if row["segment"] in segments and row["metric"] != "worst_bins"]


def test_windows_of_another_schedule_are_not_read_into_those_of_the_run(store: Store, tmp_path: Path) -> None:
    url = labelled_log.to_duckdb(tmp_path / "loans.duckdb", arrived(None, END))
    watch(labelled_log.monitor(ONLY), url, store, *DAYS[:4])
    quarters = labelled_log.monitor(ONLY, schedule="6h")
    watch(quarters, url, store, DAYS[3])
    with open_store(f"sqlite:///{tmp_path / 'other.db'}") as other:
        watch(quarters, url, other, DAYS[3])
        for table in ("profile", "labels_profile"):
            mine = [row for row in labels_of(store, table) if row["window_end"] - row["window_start"] < timedelta(1)]
            assert mine == labels_of(other, table)


def without_parts(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out what a sum of windows has not: its own parts."""
    found = []
    for row in rows:
        counts = row["counts"]
        if isinstance(counts, dict):
            counts = {name: value for name, value in counts.items() if name != "parts"}
        found.append({**row, "counts": counts})
    return found


def test_labels_of_hours_add_up_to_those_of_the_day_and_go_with_their_profiles(store: Store, tmp_path: Path) -> None:
    hourly = labelled_log.monitor(ONLY, schedule='"@hourly"')
    url = labelled_log.to_duckdb(tmp_path / "loans.duckdb", arrived(None, day(30).start))
    watch(hourly, url, store, DAYS[2])
    assert len({row["window_start"] for row in labels_of(store)}) == 24
    assert rollup(store, DAYS[2].end, "1d") == {"loans": (DAYS[2],)}
    with open_store(f"sqlite:///{tmp_path / 'days.db'}") as days:
        watch(labelled_log.monitor(ONLY), url, days, DAYS[2])
        assert without_parts(labels_of(store)) == without_parts(labels_of(days))
    # A label of the day comes late: the sum is read again, as a day, and still nobody runs checks on it.
    append(url, arrived(day(30).start, day(31).start))
    late = log()[log()["asked_at"] >= DAYS[2].start.replace(tzinfo=None)].iloc[:1]
    at = (day(31).start + timedelta(minutes=5)).replace(tzinfo=None)
    append(url, pd.DataFrame({"id": late["id"], "defaulted": 1, "known_at": at}))
    ran = runs(store)
    watch(hourly, url, store, Window(day(31).start, day(31).start + timedelta(hours=1)))
    assert {window: run for window, run in runs(store).items() if window.start < day(31).start} == ran
    (whole,) = [
        row
        for row in labels_of(store)
        if row["window_end"] == DAYS[2].end and row["column_name"] == row["segment"] == ""
    ]
    assert whole["counts"]["parts"]["count"] == 24
    # An hour of it that is run again stands beside the sum, until the next rollup drops it with its labels.
    watch(hourly, url, store, Window(DAYS[2].start, DAYS[2].start + timedelta(hours=1)))
    inside = [row for row in labels_of(store) if row["window_start"] == DAYS[2].start]
    assert {row["window_end"] for row in inside} == {DAYS[2].start + timedelta(hours=1), DAYS[2].end}
    assert rollup(store, DAYS[2].end, "1d") == {"loans": ()}
    inside = [row for row in labels_of(store) if row["window_start"] == DAYS[2].start]
    assert {row["window_end"] for row in inside} == {DAYS[2].end}
    assert prune(store, DAYS[2].end)["labels_profile"] == len(inside)
    assert {row["window_start"] for row in labels_of(store)} == {day(31).start}


BROKEN = {
    "DROP TABLE outcomes": ("outcomes",),
    "ALTER TABLE outcomes DROP known_at": ("outcomes", "known_at", "labels.timestamp"),
    "ALTER TABLE outcomes DROP defaulted": ("outcomes", "defaulted", "labels.value"),
    "ALTER TABLE outcomes DROP id": ("outcomes", "id", "labels.key"),
    "ALTER TABLE outcomes ALTER known_at TYPE text": ("outcomes", "known_at", "labels.timestamp"),
}


@pytest.mark.parametrize("statement", BROKEN)
def test_labels_that_cannot_be_read_cost_one_error_row_and_no_other_check(
    halfway: tuple[str, Store], statement: str
) -> None:
    url, store = halfway
    labelled_log.execute(url, statement)
    watch(labelled_log.monitor(), url, store, *DAYS[:2])
    for window, number in ((DAYS[0], 20), (DAYS[1], 21)):
        (error,) = performance(store, number)
        assert (error["status"], error["metric"], error["value"]) == ("error", "label_coverage", None)
        assert all(name in error["message"] for name in BROKEN[statement]), error["message"]
        run = runs(store)[window]
        assert (run.state, run.error) == ("failed", f"performance: {error['message']}")
        assert (run.rows, run.label_rows, run.labels) == (480, None, None)
        others = {row["check_name"]: row["status"] for row in store.results("loans", window.start, window.end)}
        assert set(others) == {"data_drift", "prediction_drift", "data_quality", "operations", "performance"}
    assert [run.state for run in runs(store).values()][2:] == ["done"] * 6 + ["empty"], "the others stay as they were"


def test_labels_that_can_be_read_again_heal_their_windows(halfway: tuple[str, Store], bulk: Any) -> None:
    url, store = halfway
    labelled_log.execute(url, "ALTER TABLE outcomes RENAME TO gone")
    watch(labelled_log.monitor(labelled_log.ALL), url, store, DAYS[0])
    assert runs(store)[DAYS[0]].state == "failed"
    labelled_log.execute(url, "ALTER TABLE gone RENAME TO outcomes")
    append(url, arrived(day(LOADED).start, END))
    watch(labelled_log.monitor(labelled_log.ALL), url, store, DAYS[1], DAYS[11])
    assert runs(store)[DAYS[0]].state == "done", "its labels are not final, and the warehouse says that they are"
    assert_same(final(store), bulk)


@pytest.mark.parametrize("at", ["watermark", "arrivals", "scan_with_labels"])
def test_a_warehouse_that_stops_answering_fails_the_windows_of_the_run_and_no_other(
    halfway: tuple[str, Store], monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    url, store = halfway
    append(url, arrived(day(LOADED).start, day(30).start))
    before = final(store)

    def unanswered(*_: object) -> Any:
        raise TransientError("the warehouse does not answer")

    monkeypatch.setattr(steps if at == "scan_with_labels" else late_labels, at, unanswered)
    with pytest.raises(TransientError, match="does not answer"):
        watch(labelled_log.monitor(), url, store, day(LOADED))
    monkeypatch.undo()
    after = final(store)
    failed = [row for row in after["window_run"] if row not in before["window_run"]]
    assert [(row["window_start"], row["state"]) for row in failed] == [(day(LOADED).start, "failed")]
    del after["window_run"], before["window_run"]
    assert_same(after, before)
    watch(labelled_log.monitor(), url, store, day(LOADED))
    assert runs(store)[day(LOADED)].state == "done"


class Killed(KeyboardInterrupt):
    """What a process does not survive."""


WRITES = ("write_profiles", "write_labels", "write_labelled_baseline", "write_results", "write_window_run")


@pytest.mark.integration
def test_killed_before_any_write_the_next_run_of_the_interval_completes_it(
    halfway: tuple[str, Store], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, _ = halfway
    # One check beside that of labels, and cheap: what another one writes is of this window alone.
    monitor = labelled_log.monitor(ONLY.replace("operations: off, ", ""))
    began = tmp_path / "began.db"
    with open_store(f"sqlite:///{began}") as store:
        watch(monitor, url, store, *DAYS[6:9])
    # Labels of the baseline too, and one so late that they count: then every window is at stake.
    append(url, arrived(day(LOADED).start, day(30).start))
    at = (day(LOADED).start + timedelta(hours=1)).replace(tzinfo=None)
    append(url, pd.DataFrame({"id": log()["id"].iloc[:300:3], "defaulted": 1, "known_at": at}))
    at = day(42).start.replace(tzinfo=None)
    append(url, pd.DataFrame({"id": [None], "defaulted": [None], "known_at": [at]}, dtype=object))

    def run_until(write: int, file: Path) -> dict[str, Any]:
        left = iter(range(write))
        for name in WRITES:
            original = getattr(Store, name)

            def dying(self: Store, *arguments: Any, original: Any = original, **named: Any) -> Any:
                if next(left, None) is None:
                    raise Killed
                return original(self, *arguments, **named)

            monkeypatch.setattr(Store, name, dying)
        with open_store(f"sqlite:///{file}") as store:
            try:
                watch(monitor, url, store, day(LOADED))
            finally:
                monkeypatch.undo()
            return final(store)

    expected = run_until(1000, shutil.copy(began, tmp_path / "whole.db"))
    assert {row["state"] for row in expected["window_run"]} == {"done", "empty"}
    for write in range(1000):
        file = shutil.copy(began, tmp_path / f"{write}.db")
        try:
            run_until(write, file)
        except Killed:
            assert_same(run_until(1000, file), expected)
        else:
            break
    assert write > 8


def test_law_1_running_again_changes_no_row(halfway: tuple[str, Store]) -> None:
    url, store = halfway
    before = final(store)
    watch(labelled_log.monitor(), url, store, *DAYS[:9])
    assert_same(final(store), before)
    watch(labelled_log.monitor(), url, store, *DAYS[4:6])
    assert_same(final(store), before)


@pytest.mark.integration
def test_law_2_one_by_one_backwards_over_all_labels_comes_to_the_same_rows(store: Store, tmp_path: Path, bulk) -> None:
    url = labelled_log.to_duckdb(tmp_path / "loans.duckdb", arrived(None, END))
    for window in reversed(DAYS):
        watch(labelled_log.monitor(labelled_log.ALL), url, store, window)
    assert_same(final(store), bulk)


@pytest.mark.integration
@pytest.mark.parametrize("empty_url", ["postgresql"], indirect=True)
def test_law_2_step_by_step_as_airflow_does_comes_to_the_same_rows(store: Store, tmp_path: Path, bulk) -> None:
    monitor = labelled_log.monitor(labelled_log.ALL)
    url = labelled_log.to_duckdb(tmp_path / "loans.duckdb")
    for window in DAYS:
        append(url, arrived(window.start, window.end))
        with open_warehouse(url) as warehouse:
            again = steps.scan_windows(monitor, [window], warehouse, store)
            assert again == store.waiting("loans")
            for each in (window, *again):
                samples = Samples(monitor, warehouse, [each])
                for check in reversed(enabled(monitor)):
                    steps.check_window(monitor, each, [check.name], store, None, samples)
                run = steps.close_window(monitor, each, store, END)
                assert run.state == ("empty" if each == day(EMPTY) else "done")
        assert store.waiting("loans") == ()
    assert_same(final(store), bulk)


@pytest.mark.integration
def test_law_2_in_parallel_processes_comes_to_the_same_rows(empty_url: str, tmp_path: Path, bulk) -> None:
    """Three processes whose labels are of each other's windows."""
    if not empty_url.startswith("sqlite"):
        migrate(empty_url)
    url = labelled_log.to_duckdb(tmp_path / "loans.duckdb", arrived(None, END))
    file = tmp_path / "loans.yaml"
    file.write_text(MONITOR.format(checks=labelled_log.ALL) + labelled_log.LABELS)
    processes = [
        PROCESSES.Process(target=run_in_process, args=(str(file), url, empty_url, day(first).start, day(last).start))
        for first, last in ((20, 25), (25, 29), (29, 32))
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=200)
    assert [process.exitcode for process in processes] == [0] * 3
    with open_store(empty_url) as store:
        assert_same(final(store), bulk)


@pytest.mark.integration
def test_law_5_on_postgresql_for_both(postgres_database: str, tmp_path: Path) -> None:
    migrate(postgres_database)
    labelled_log.to_postgres(postgres_database)
    days = list(DAYS[:4])
    random.Random(3).shuffle(days)
    monitor = labelled_log.monitor()
    with open_store(postgres_database) as store, open_store(f"sqlite:///{tmp_path / 'other.db'}") as other:
        replay(monitor, postgres_database, store, days)
        watch(monitor, postgres_database, other, *DAYS[:4])
        assert_same(final(store), final(other))


FORTNIGHT = parse_schedule("@daily", "America/New_York").windows(
    *(parse_instant(f"2013-04-{number}", "America/New_York") for number in ("01", "15"))
)


OF_LABELS = (
    "{data_drift: off, prediction_drift: off, data_quality: off, operations: off, multivariate_drift: off, "
    "performance: {metrics: [roc_auc, f1]}, estimated_performance: {metrics: [roc_auc, f1]}}"
)


@pytest.mark.integration
def test_law_5_on_two_weeks_of_real_outcomes_in_three_orders(tmp_path: Path) -> None:
    """The demo's flights, with each day's outcomes as they became known, for the checks that read labels."""
    prepared = demo.prepare(tmp_path / "demo").warehouse
    text = demo.monitor_file().read_text(encoding="utf-8")
    features = "{carrier: categorical, distance: numeric, plane_age: numeric, wind_gust: numeric}"
    text = re.sub(r"^  features:\n(?: {4}.*\n)+", f"  features: {features}\n", text, flags=re.MULTILINE)
    text = re.sub(r"^segments:.*\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"^checks:\n(?: .*\n)+", f"checks: {OF_LABELS}\n", text, flags=re.MULTILINE)
    text = re.sub(r"^alerts:\n(?: .*\n)+", "", text, flags=re.MULTILINE)  # some are of checks that are off here
    monitor = parse_monitor(text, environ={})
    assert len(monitor.inference_log.features.names) == 4

    def load(url: str, condition: str) -> None:
        rows = f"SELECT * FROM '{prepared}/outcomes/**/*.parquet' WHERE {condition}"
        labelled_log.execute(url, f"INSERT INTO outcomes {rows}")

    def between(first: Window, last: Window) -> str:
        return f"known_at >= '{first.start:%F %T}' AND known_at < '{last.end:%F %T}'"

    def made(name: str) -> str:
        url = f"duckdb:///{tmp_path / name}.duckdb"
        flights = f"SELECT * FROM '{prepared}/inference_log/**/*.parquet' WHERE scheduled_at < '2013-04-16'"
        outcomes = f"SELECT * FROM '{prepared}/outcomes/**/*.parquet' LIMIT 0"
        labelled_log.execute(url, f"CREATE TABLE inference_log AS {flights}", f"CREATE TABLE outcomes AS {outcomes}")
        load(url, f"known_at < '{FORTNIGHT[0].start:%F %T}'")
        return url

    whole = made("bulk")
    load(whole, between(FORTNIGHT[0], FORTNIGHT[-1]))
    with open_store(f"sqlite:///{tmp_path / 'bulk.db'}") as store:
        watch(monitor, whole, store, *FORTNIGHT)
        expected = final(store)
    assert (len(expected["window_run"]), len(expected["labelled_baseline"])) == (14, 1)
    assert {row["labels"] for row in expected["window_run"]} == {"provisional", "final"}
    for name, order in ORDERS.items():
        days = list(FORTNIGHT)
        order(days)
        url = made(name)
        with open_store(f"sqlite:///{tmp_path / name}.db") as store:
            for window in days:
                load(url, between(window, window))
                watch(monitor, url, store, window)
            assert_same(final(store), expected)


def test_labels_of_the_inference_log_itself(everything: str, tmp_path: Path, plain: list[dict[str, Any]]) -> None:
    """Those that count, in the rows of their inferences: their own delay is that of the latest, so it is left aside."""
    latest = (
        "SELECT id AS of, defaulted, known_at, row_number() OVER (PARTITION BY id ORDER BY known_at DESC, "
        "defaulted DESC) AS place FROM outcomes WHERE defaulted IS NOT NULL"
    )
    # A correction of the baseline that is too late to count leaves what it corrects where that stands in another row.
    too_late = "known_at >= '2024-03-23' AND id IN (SELECT id FROM inference_log WHERE asked_at < '2024-03-21')"
    labelled_log.execute(
        everything,
        f"DELETE FROM outcomes WHERE {too_late}",
        f"CREATE TABLE both_of AS SELECT * FROM inference_log LEFT JOIN ({latest}) AS l ON of = id AND place = 1",
        "DROP TABLE inference_log",
        "ALTER TABLE both_of RENAME TO inference_log",
    )
    monitor = briefly(ONLY, labelled_log.LABELS.replace("outcomes", "inference_log"))
    rows, _ = measured(monitor, everything, tmp_path)
    assert_close(*(_without_labels_own(each) for each in (rows, plain)))


def _without_labels_own(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if "label" not in row["metric"]]


def test_labels_of_days_without_a_time(everything: str, tmp_path: Path) -> None:
    """A date is when its day begins where the monitor's days do; the last of them says how far labels are."""
    labelled_log.execute(
        everything,
        "DELETE FROM outcomes WHERE known_at >= '2024-03-27'",
        "ALTER TABLE outcomes ALTER known_at TYPE date USING CAST(known_at AS date)",
    )
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store:
        watch(briefly(), everything, store, *DAYS[:7])
        assert [run.labels for run in runs(store).values()] == ["final"] * 3 + ["provisional"] * 4
        came = arrived(day(22).start, day(23).start)
        (row,) = performance(store, 22, metric="labels_arrived")
        assert row["value"] == came["defaulted"].notna().sum()


def test_what_labels_may_look_like(everything: str, tmp_path: Path) -> None:
    """Each rule on one key: repeated, corrected in any order, together, empty, of nobody, and of two inferences."""
    labelled_log.execute(
        everything,
        "DELETE FROM outcomes WHERE known_at >= '2024-03-21'",
        "DELETE FROM inference_log WHERE asked_at >= '2024-03-21'",
        *(
            f"INSERT INTO inference_log (id, asked_at, probability, predicted) VALUES "
            f"({key}, '2024-03-21 0{i}:00:00', 0.9, 1)"
            for i, key in enumerate((1_001_001, 1_001_002, 1_001_003, 1_001_004, 1_001_005, 1_001_006, 1_001_006))
        ),
        "INSERT INTO inference_log (id, asked_at, probability, predicted) VALUES (NULL, '2024-03-21 09:00:00', 0.9, 1)",
        *(
            f"INSERT INTO outcomes VALUES ({key}, {value}, '2024-03-21 {time}')"
            for key, value, time in (
                (1_001_001, 1, "10:00:00"),  # twice the same
                (1_001_001, 1, "11:00:00"),
                (1_001_002, 0, "12:00:00"),  # the later one counts, which stands first
                (1_001_002, 1, "10:00:00"),
                (1_001_003, 0, "10:00:00"),  # of two at once the larger
                (1_001_003, 1, "10:00:00"),
                (1_001_004, 1, "10:00:00"),  # no value takes nothing back
                (1_001_004, "NULL", "12:00:00"),
                (1_001_005, "NULL", "12:00:00"),
                (1_001_006, 0, "10:00:00"),  # of two inferences with one key
                (1_001_999, 1, "10:00:00"),  # of nobody
                ("NULL", 1, "10:00:00"),  # neither: a key that is NULL is that of no inference
            )
        ),
    )
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store:
        watch(briefly(), everything, store, day(20))
        (run,) = runs(store).values()
        (coverage,) = performance(store, 20, metric="label_coverage", segment="")
        (accuracy,) = performance(store, 20, metric="accuracy", column_name="", segment="")
        (unknown,) = performance(store, 20, metric="unknown_label_keys")
        (came,) = performance(store, 20, metric="labels_arrived")
    assert (run.rows, run.label_rows, run.label_coverage) == (8, 6, 6 / 8)
    assert accuracy["value"] == 3 / 6, "1_001_001, 3 and 4 are right; 2, and 6 twice, are wrong"
    assert {name: coverage["detail"][name] for name in ("labelled", "repeated", "corrected")} == {
        "labelled": 6,
        "repeated": 3,
        "corrected": 2,
    }
    assert (unknown["value"], came["value"]) == (2, 10)


def test_dates_are_days_where_the_monitors_days_are(everything: str, tmp_path: Path) -> None:
    """Labels and inferences with a date each: of New York's days, which begin at four or five in UTC."""
    labelled_log.execute(
        everything,
        "DELETE FROM outcomes WHERE known_at >= '2024-03-26'",
        "ALTER TABLE outcomes ALTER known_at TYPE date USING CAST(known_at AS date)",
        "ALTER TABLE inference_log ALTER asked_at TYPE date USING CAST(asked_at AS date)",
    )
    text = labelled_log.LABELS + "timezone: America/New_York\n"
    days = parse_schedule("@daily", "America/New_York").windows(
        *(parse_instant(each, "America/New_York") for each in ("2024-03-21", "2024-03-26"))
    )
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store:
        watch(briefly(ONLY, text), everything, store, *days)
        found = store.window_runs("loans", days[0].start, days[-1].end)
        # The last label is of the 25th, so the two days after the 22nd have passed.
        assert [run.labels for run in found] == ["final"] * 2 + ["provisional"] * 3
        assert [run.rows for run in found] == [480] * 5
        at = pd.Timestamp("2024-03-26").date()
        key = int(log()["id"][log()["asked_at"] >= "2024-03-22"].iloc[0])
        append(everything, pd.DataFrame({"id": [key], "defaulted": [1], "known_at": [at]}))
        late = parse_instant("2024-03-26", "America/New_York")
        watch(briefly(ONLY, text), everything, store, Window(late, late + timedelta(days=1)))
        again = store.window_runs("loans", days[0].start, days[-1].end)
    changed = [before != after for before, after in zip(found, again, strict=True)]
    assert changed == [False, True, True, False, False], "the 22nd has a label, the 23rd is complete"


def test_labels_that_cannot_be_read_leave_those_of_earlier_windows_as_they_are(
    halfway: tuple[str, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A done window became a failed one that only a person could heal."""
    url, store = halfway
    before = {run.window: (run.state, run.label_rows) for run in runs(store).values()}
    append(url, arrived(day(LOADED).start, day(LOADED).end))

    def failing(*arguments: Any) -> Any:
        yield from scan_with_labels(*arguments) if arguments[6] is None else _refuse()

    monkeypatch.setattr(steps, "scan_with_labels", failing)
    watch(labelled_log.monitor(), url, store, day(LOADED))
    after = {run.window: (run.state, run.label_rows) for run in runs(store).values()}
    assert after.pop(day(LOADED)) == ("failed", None)
    assert after == before
    monkeypatch.undo()
    watch(labelled_log.monitor(), url, store, day(LOADED))
    assert runs(store)[day(LOADED)].state == "done"
    assert {run.state for run in runs(store).values()} <= {"done", "empty"}
    assert store.waiting("loans") == ()


def _refuse() -> Any:
    raise DataError("'n/a' is no number")


def test_keys_that_become_known_later_are_known_when_the_day_of_their_labels_is_read_again(tmp_path: Path) -> None:
    """As many labels had arrived as before, and so the number of unknown ones was kept."""
    url = labelled_log.to_duckdb(tmp_path / "loans.duckdb", arrived(None, day(22).start))
    half = f"asked_at::date = DATE '{day(20).start:%Y-%m-%d}' AND id % 2 = 0"
    labelled_log.execute(
        url,
        f"CREATE TABLE kept AS SELECT * FROM inference_log WHERE {half}",
        f"DELETE FROM inference_log WHERE {half}",
    )

    def unknown(store: Store) -> float:
        wanted = {"checks": ["performance"], "metrics": ["unknown_label_keys"]}
        (row,) = store.results("loans", day(21).start, day(21).end, **wanted)
        return float(row["value"])

    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store:
        watch(labelled_log.monitor(), url, store, day(20), day(21))
        first = unknown(store)
        labelled_log.execute(url, "INSERT INTO inference_log SELECT * FROM kept")
        append(url, arrived(day(22).start, day(22).end))
        watch(labelled_log.monitor(), url, store, day(22))
        again = unknown(store)
    with open_store(f"sqlite:///{tmp_path / 'fresh.db'}") as store:
        watch(labelled_log.monitor(), url, store, day(21))
        assert again == unknown(store) < first / 2
