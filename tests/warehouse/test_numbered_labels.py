"""Labels that are found by their number are those that are joined, on the same rows counted one by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from monitoring_tasks.labels_profile import WindowLabels
from monitoring_tasks.results.rows import labels_digest
from monitoring_tasks.warehouse import numbered_labels, stream
from monitoring_tasks.warehouse.labels import Labelled, LabelSource, are_of_others
from monitoring_tasks.warehouse.numbered_labels import NumberedLabels
from monitoring_tasks.warehouse.scan import scan_with_labels
from monitoring_tasks.window import Window
from tests.warehouse.test_labels import BINS, CASES, COLUMNS, DAYS, LOG, START, Case, hold, made


def numbered(case: Case, number: Callable[[pd.Series], pd.Series] = lambda ids: ids) -> Case:
    """Return the case with keys that are known to be whole numbers."""
    log, labels = (frame.assign(id=number(frame["id"])) for frame in (case.log, case.labels))
    source = replace(case.labelled.source, key_type="integer", log_key_type="integer")
    return Case(log, labels, replace(case.labelled, source=source))


@pytest.mark.parametrize("kind", CASES)
@pytest.mark.parametrize("factor", [1, -3])
def test_they_are_counted_as_row_by_row(kind: str, factor: int, tmp_path: Path) -> None:
    """Labels are repeated, corrected, tied, missing and of unknown keys."""
    case = numbered(CASES[kind](), lambda ids: ids * factor + 700)
    with made(case, "parquet", tmp_path) as warehouse:
        assert NumberedLabels.read(warehouse, LOG, case.labelled, DAYS) is not None
        for _, labels in scan_with_labels(warehouse, LOG, COLUMNS, BINS, DAYS, ["shop"], case.labelled):
            for each in labels:
                hold(case, each, each.segment.partition("=")[2] or None)


@pytest.mark.parametrize("kind", CASES)
def test_they_are_those_that_are_joined(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With inferences of no key, labels of before 1970 and a time until which they count."""
    case = numbered(CASES[kind]())
    case.log["id"] = case.log["id"].astype("Int64").mask(case.log["id"] % 11 == 0)
    case.labels.loc[::17, "known_at"] = pd.Timestamp("1950-06-01 12:00:00.000001")
    with made(case, "duckdb", tmp_path) as warehouse:
        for until in (None, START + timedelta(days=3)):
            labelled = replace(case.labelled, source=replace(case.labelled.source, until=until))
            found = list(scan_with_labels(warehouse, LOG, COLUMNS, BINS, DAYS, ["shop"], labelled))
            with monkeypatch.context() as patch:
                patch.setattr(numbered_labels, "MOST", 0)
                assert NumberedLabels.read(warehouse, LOG, labelled, DAYS) is None
                joined = list(scan_with_labels(warehouse, LOG, COLUMNS, BINS, DAYS, ["shop"], labelled))
            for (_, ours), (_, theirs) in zip(found, joined, strict=True):
                assert labels_digest(WindowLabels(ours, final=True), "") == labels_digest(
                    WindowLabels(theirs, final=True), ""
                )
            assert sum(labels[0].labelled for _, labels in found) > 500


@pytest.mark.parametrize("kind", CASES)
def test_labels_of_others_are_looked_up_first_where_most_are_and_it_changes_nothing(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = CASES[kind]()
    with made(case, "duckdb", tmp_path) as warehouse:
        assert are_of_others(warehouse, LOG, case.labelled.source, DAYS[:1])
        assert not are_of_others(warehouse, LOG, case.labelled.source, DAYS)
        digests = []
        for apart in (True, False):
            monkeypatch.setattr(stream, "are_of_others", lambda *_, apart=apart: apart)
            ((_, labels),) = scan_with_labels(warehouse, LOG, COLUMNS, BINS, DAYS[:1], ["shop"], case.labelled)
            hold(case, labels[0], None)
            digests.append(labels_digest(WindowLabels(labels, final=True), ""))
        assert digests[0] == digests[1]


@pytest.mark.parametrize("found", ["by number", "joined"])
@pytest.mark.parametrize("kind", ["binary", "regression"])
def test_times_in_nanoseconds_are_those_of_microseconds(kind: str, found: str, tmp_path: Path) -> None:
    """9999-12-30 is no nanosecond: DuckDB refused to compare it with one, and no label could be read."""
    case = numbered(CASES[kind]()) if found == "by number" else CASES[kind]()
    case.labels["known_at"] = case.labels["known_at"].astype("datetime64[ns]")
    with made(case, "parquet", tmp_path) as warehouse:
        for _, labels in scan_with_labels(warehouse, LOG, COLUMNS, BINS, DAYS, [], case.labelled):
            hold(case, labels[0], None)


def test_labels_of_few_keys_that_come_again_and_again_are_joined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each takes memory, however few keys there are."""
    case = numbered(CASES["binary"]())
    monkeypatch.setattr(numbered_labels, "FEW", 0)
    with made(case, "duckdb", tmp_path) as warehouse:
        assert NumberedLabels.read(warehouse, LOG, case.labelled, DAYS) is not None
        monkeypatch.setattr(numbered_labels, "REPEATED", 0.5)
        assert NumberedLabels.read(warehouse, LOG, case.labelled, DAYS) is None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"key_type": "string"}, "texts"),
        ({"as_text": True}, "compared as texts"),
        ({"inline": True}, "in the log itself"),
        ({"timestamp": ""}, "without times"),
    ],
)
def test_other_keys_are_joined(change: dict[str, object], why: str, tmp_path: Path) -> None:
    case = numbered(CASES["binary"]())
    source: LabelSource = replace(case.labelled.source, **change)
    with made(case, "duckdb", tmp_path) as warehouse:
        assert NumberedLabels.read(warehouse, LOG, replace(case.labelled, source=source), DAYS) is None, why


@pytest.mark.parametrize("factor", [5, 2**61 // 1000])
def test_keys_far_apart_are_joined(factor: int, tmp_path: Path) -> None:
    case = numbered(CASES["binary"](), lambda ids: ids * factor)
    with made(case, "duckdb", tmp_path) as warehouse:
        assert NumberedLabels.read(warehouse, LOG, case.labelled, DAYS) is None


def test_windows_without_rows_have_no_labels(tmp_path: Path) -> None:
    case = numbered(CASES["binary"]())
    labelled: Labelled = case.labelled
    before = Window.parse("1999-01-01", "1999-01-02")
    with made(case, "duckdb", tmp_path) as warehouse:
        assert NumberedLabels.read(warehouse, LOG, labelled, [before]) is None
        ((_, (labels,)),) = scan_with_labels(warehouse, LOG, COLUMNS, BINS, [before], [], labelled)
        assert labels.labelled == 0
