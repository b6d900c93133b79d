"""Every engine joins labels and splits its counts by outcome as an independent count of the same rows does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import psycopg
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

from monitoring_tasks.columns import Column
from monitoring_tasks.labels_profile import DELAY_EDGES, LabelsProfile
from monitoring_tasks.outcome_bins import OutcomeBins, residual_edges, shared_edges
from monitoring_tasks.profile import Bins, just_above
from monitoring_tasks.statistics.performance import performance_metric
from monitoring_tasks.warehouse import lateral, stream
from monitoring_tasks.warehouse.bins import measure_score_edges
from monitoring_tasks.warehouse.engine import Warehouse, open_warehouse
from monitoring_tasks.warehouse.expressions import named, selected
from monitoring_tasks.warehouse.labels import Labelled, LabelSource, arrivals, label_value, watermark
from monitoring_tasks.warehouse.scan import scan, scan_with_labels
from monitoring_tasks.warehouse.statement import Source
from monitoring_tasks.window import Window
from tests.warehouse import tables

START = datetime(2024, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
AFTER = datetime(2025, 1, 1, tzinfo=UTC)
DAYS = [Window(START + i * DAY, START + (i + 1) * DAY) for i in range(4)]

EDGES = (0.0, 0.2, 0.4, 0.41, 0.7, 1.0)
BINS = {
    "amount": Bins("numeric", (-1.0, 0.0, 1.0), exponent=3),
    "shop": Bins("categorical", categories=("north", "south")),
    "score": Bins("numeric", (0.25, 0.5, 0.75), exponent=0),
}
COLUMNS = (
    Column("amount", "numeric", "number", ("feature",)),
    Column("shop", "categorical", "string", ("feature", "segment")),
    Column("score", "numeric", "number", ("score",)),
)
BINARY = OutcomeBins("binary_classification", ("0", "1"), EDGES)
MULTICLASS = OutcomeBins("multiclass_classification", ("red", "green", "(other)"), score_edges=(0.0, 0.3, 0.6, 1.0))
REGRESSION = OutcomeBins("regression", edges=residual_edges(3), exponent=3)


@dataclass
class Case:
    """A log and its labels."""

    log: pd.DataFrame
    labels: pd.DataFrame
    labelled: Labelled


def log_of(rows: int = 2000) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    at = START.replace(tzinfo=None) + pd.to_timedelta(rng.integers(0, 5 * 86400 * 1000, rows) * 1000, unit="us")
    return pd.DataFrame(
        {
            "id": np.arange(rows),
            "at": at.astype("datetime64[us]"),
            "amount": np.where(rng.random(rows) < 0.05, np.nan, rng.normal(size=rows)),
            "shop": rng.choice(np.array(["north", "south", "east", None], dtype=object), rows),
            "score": np.where(rng.random(rows) < 0.05, np.nan, rng.random(rows).round(2)),
            "green": rng.random(rows).round(2),
            "predicted": rng.integers(0, 2, rows).astype(np.int32),
            "colour": rng.choice(np.array(["red", "green", "blue", None], dtype=object), rows),
            "number": np.where(rng.random(rows) < 0.05, np.nan, rng.normal(size=rows)),
        }
    )


def labels_of(log: pd.DataFrame, values: Sequence[object]) -> pd.DataFrame:
    """Some labels missing, some without a value, some twice or thrice, some of keys that nobody knows."""
    rng = np.random.default_rng(6)
    delay = pd.to_timedelta((rng.exponential(40_000, len(log)) * 1e6).astype(np.int64), unit="us")
    first = pd.DataFrame({"id": log["id"], "value": values, "known_at": log["at"] + delay})
    again = first.sample(300, random_state=1)
    later = again.assign(known_at=again["known_at"] + timedelta(hours=5))
    later["value"] = rng.permutation(later["value"].to_numpy())
    tied = again.sample(50, random_state=2).assign(value=first["value"].dropna().max())
    unknown = first.sample(40, random_state=3).assign(id=lambda frame: frame["id"] + 10_000)
    kept = first[rng.random(len(first)) < 0.8]
    return pd.concat([kept, later, tied, unknown]).sample(frac=1, random_state=4).reset_index(drop=True)


def binary() -> Case:
    log = log_of()
    rng = np.random.default_rng(7)
    value = (rng.random(len(log)) < log["score"].fillna(0.5)).astype(float)
    value[rng.random(len(log)) < 0.03] = np.nan
    source = LabelSource("labels", "id", "value", "number", "known_at", "timestamp", "id")
    prediction = Column("predicted", "categorical", "integer", ("prediction",))
    scores = (Column("score", "numeric", "number", ("score",)),)
    return Case(log, labels_of(log, value), Labelled(source, BINARY, prediction, scores))


def multiclass() -> Case:
    log = log_of()
    value = np.random.default_rng(8).choice(np.array(["red", "green", "violet", None], dtype=object), len(log))
    source = LabelSource("labels", "id", "value", "string", "known_at", "timestamp", "id")
    prediction = Column("colour", "categorical", "string", ("prediction",))
    scores = tuple(Column(name, "numeric", "number", ("score",)) for name in ("score", "green"))
    return Case(log, labels_of(log, value), Labelled(source, MULTICLASS, prediction, scores))


def regression() -> Case:
    log = log_of()
    rng = np.random.default_rng(9)
    value = log["number"].fillna(0.0) + rng.normal(size=len(log)) * 0.2
    value[rng.random(len(log)) < 0.03] = np.nan
    value[rng.random(len(log)) < 0.01] = 0.0
    source = LabelSource("labels", "id", "value", "number", "known_at", "timestamp", "id")
    return Case(
        log, labels_of(log, value), Labelled(source, REGRESSION, Column("number", "numeric", "number", ("prediction",)))
    )


CASES = {"binary": binary, "multiclass": multiclass, "regression": regression}


def latest(labels: pd.DataFrame) -> pd.DataFrame:
    """Return the label that counts of each key, when the first came, how many there are and whether they differ."""
    present = labels[labels["value"].notna()]
    order = present.sort_values(["known_at", "value"]).groupby("id")
    return pd.DataFrame(
        {
            "label": order["value"].last(),
            "first": order["known_at"].min(),
            "count": order.size(),
            "values": order["value"].nunique(),
        }
    )


def bin_of(x: float, edges: Sequence[float]) -> int:
    return 0 if np.isnan(x) else 1 + int(np.searchsorted(edges, x, side="right"))


def expected(case: Case, window: Window, shop: str | None) -> dict[str, object]:
    """Count, row by row, what the scan should find."""
    rows = case.log.merge(latest(case.labels), left_on="id", right_index=True, how="left")
    start, end = (moment.replace(tzinfo=None) for moment in (window.start, window.end))
    rows = rows[(rows["at"] >= start) & (rows["at"] < end)]
    if shop is not None:
        rows = rows[rows["shop"] == shop]
    bins = case.labelled.bins
    _, predictions, labels = bins.shape
    cells = np.zeros(bins.cells, np.int64)
    sums = {name: np.zeros(bins.cells) for name in bins.losses}
    amount = np.zeros((len(BINS["amount"]), bins.outcomes), np.int64)
    parts = np.zeros((24, bins.outcomes), np.int64)
    delays = np.zeros(len(DELAY_EDGES) + 2, np.int64)
    scores = np.zeros((len(bins.classes), len(bins.score_edges) + 1, 3), np.int64)
    epsilon = np.finfo(float).eps
    for row in rows.itertuples():
        known = not pd.isna(row.label)
        place = predicted = 0
        label = labels - 1
        found: dict[str, float] = {}
        if bins.task == "binary_classification":
            place, predicted = bin_of(row.score, EDGES), row.predicted + 1
            label = int(row.label) if known else label
            if not np.isnan(row.score):
                found["score"] = row.score
                if known:
                    right = min(max(row.score if label else 1 - row.score, epsilon), 1 - epsilon)
                    found |= {"log_loss": -np.log(right), "brier": (row.score - label) ** 2}
        elif bins.task == "regression":
            label = 0 if known else label
            if known and not np.isnan(row.number):
                error = row.number - row.label
                place = bin_of(error, bins.edges)
                share = abs(error / row.label) if row.label else 0.0
                found = {"error": error, "absolute_error": abs(error), "percentage_error": share, "label": row.label}
        else:
            classes = {"red": 0, "green": 1}
            predicted = 0 if pd.isna(row.colour) else 1 + classes.get(row.colour, 2)
            label = classes.get(row.label, 2) if known else label
            if label == 2 and predicted == 3:  # violet may be blue, for all that the model's classes tell
                predicted = 0
            its = [row.score, row.green]
            if known and not any(np.isnan(its)):
                found["brier"] = sum((score - (label == i)) ** 2 for i, score in enumerate(its))
            if known and label < 2 and not np.isnan(its[label]):
                found["log_loss"] = -np.log(min(max(its[label], epsilon), 1 - epsilon))
            for i, score in enumerate(its):
                if not np.isnan(score):
                    scores[i, bin_of(score, bins.score_edges) - 1, int(label == i) if known else 2] += 1
        cell = (place * predictions + predicted) * labels + label
        cells[cell] += 1
        for name, value in found.items():
            sums[name][cell] += value
            if f"{name}_squares" in sums:
                sums[f"{name}_squares"][cell] += value**2
        outcome = bins.outcome_of_cell[cell]
        amount[bin_of(row.amount, BINS["amount"].edges), outcome] += 1
        parts[min(int((row.at - start) / timedelta(hours=1)), 23), outcome] += 1
        delays[0 if not known else bin_of((row.first - row.at).total_seconds(), DELAY_EDGES)] += 1
    return {
        "cells": cells,
        "sums": sums,
        "amount": amount,
        "parts": parts,
        "delays": delays,
        "class_scores": scores if bins.score_edges else None,
        "repeated": int((rows["count"] > 1).sum()),
        "corrected": int((rows["values"] > 1).sum()),
    }


def hold(case: Case, found: LabelsProfile, shop: str | None) -> None:
    wanted = expected(case, found.window, shop)
    for name in ("cells", "parts", "delays", "class_scores"):
        np.testing.assert_array_equal(getattr(found, name), wanted[name], err_msg=name)
    np.testing.assert_array_equal(found.columns["amount"], wanted["amount"])
    sums = wanted["sums"]
    assert isinstance(sums, dict)
    assert found.sums.keys() == sums.keys()
    for name, total in sums.items():
        np.testing.assert_allclose(found.sums[name], total, rtol=1e-9, atol=1e-9, err_msg=name)
    assert found.repeated == wanted["repeated"]
    assert found.corrected == (wanted["corrected"] if shop is None else None)
    assert found.rows == sum(found.columns["amount"].sum(axis=1))


@contextmanager
def made(case: Case, engine: str, folder: Path, url: str = "") -> Iterator[Warehouse]:
    """Write both tables; those of Parquet are named by their paths in a folder of tables."""
    frames = {"log": case.log, "labels": case.labels}
    if engine == "parquet":
        for name, frame in frames.items():
            frame.to_parquet(folder / f"{name}.parquet", index=False)
        url = f"duckdb:///{folder}"
    elif engine in ("duckdb", "plain SQL"):
        with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
            for name, frame in frames.items():
                connection.register("frame", frame)
                connection.execute(f"CREATE TABLE {name} AS SELECT * FROM frame")
                connection.unregister("frame")
        url = f"duckdb:///{folder / 'warehouse.duckdb'}"
    else:
        for name, frame in frames.items():
            tables.write_postgres(url, pa.Table.from_pandas(frame, preserve_index=False), name)
    with open_warehouse(url) as warehouse:
        yield warehouse


LOG = Source("log", "at", "timestamp")


@pytest.mark.parametrize("kind", CASES)
@pytest.mark.parametrize(
    "engine", ["parquet", "duckdb", "plain SQL", pytest.param("postgres", marks=pytest.mark.integration)]
)
def test_outcomes_are_counted_as_row_by_row(
    kind: str, engine: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = CASES[kind]()
    if engine == "plain SQL":  # the plan of all engines that are not at hand here
        monkeypatch.setattr(stream, "read", lateral.read)
    url = request.getfixturevalue("postgres_database") if engine == "postgres" else ""
    with made(case, engine, tmp_path, url) as warehouse:
        found = list(scan_with_labels(warehouse, LOG, COLUMNS, BINS, DAYS, ["shop"], case.labelled))
        monkeypatch.undo()
        plain = list(scan(warehouse, LOG, COLUMNS, BINS, DAYS, ["shop"]))
        assert [profiles for profiles, _ in found] == plain  # a label changes nothing of the profile
        for window, (_, labels) in zip(DAYS, found, strict=True):
            assert {each.window for each in labels} == {window}
            for each in labels:
                hold(case, each, each.segment.partition("=")[2] or None)


@pytest.mark.parametrize("kind", ["binary", "multiclass"])
@pytest.mark.parametrize("engine", ["parquet", "plain SQL", pytest.param("postgres", marks=pytest.mark.integration)])
def test_an_infinite_score_is_none_on_every_engine(
    kind: str, engine: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = CASES[kind]()
    log = case.log.assign(score=case.log["score"].where(case.log["id"] % 7 != 0, np.inf))
    if engine == "plain SQL":
        monkeypatch.setattr(stream, "read", lateral.read)
    url = request.getfixturevalue("postgres_database") if engine == "postgres" else ""
    missing = Case(log.assign(score=log["score"].replace(np.inf, np.nan)), case.labels, case.labelled)
    with made(Case(log, case.labels, case.labelled), engine, tmp_path, url) as warehouse:
        for _, labels in scan_with_labels(warehouse, LOG, COLUMNS, BINS, DAYS, [], case.labelled):
            hold(missing, labels[0], None)


@pytest.mark.parametrize("engine", ["parquet", pytest.param("postgres", marks=pytest.mark.integration)])
def test_arrivals_are_the_windows_of_the_inferences_whose_labels_came(
    engine: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    case = binary()
    url = request.getfixturevalue("postgres_database") if engine == "postgres" else ""
    with made(case, engine, tmp_path, url) as warehouse:
        found = arrivals(warehouse, LOG, case.labelled.source, DAYS)
        last = watermark(warehouse, case.labelled.source, AFTER)
    labels = case.labels[case.labels["value"].notna()]
    assert last == case.labels["known_at"].max().to_pydatetime().replace(tzinfo=UTC)
    both = labels.merge(case.log[["id", "at"]], on="id", how="left")
    for window in DAYS:
        start, end = (moment.replace(tzinfo=None) for moment in (window.start, window.end))
        mine = both[(both["known_at"] >= start) & (both["known_at"] < end)]
        minutes = sorted({at.to_pydatetime().replace(tzinfo=UTC) for at in mine["at"].dropna().dt.floor("min")})
        assert found[window].minutes == tuple(minutes)
        assert found[window].rows == len(mine)
        assert found[window].unknown == int(mine["at"].isna().sum())


def test_labels_may_stand_in_the_inference_log(tmp_path: Path) -> None:
    case = binary()
    label = latest(case.labels)
    log = case.log.merge(label[["label", "first"]], left_on="id", right_index=True, how="left")
    inline = LabelSource("log", "id", "label", "number", "first", "timestamp", "id", inline=True)
    joined = Case(case.log, label.reset_index().rename(columns={"label": "value", "first": "known_at"}), case.labelled)
    with made(Case(log, case.labels, case.labelled), "parquet", tmp_path) as warehouse:
        labelled = Labelled(inline, BINARY, case.labelled.prediction, case.labelled.scores)
        found = list(scan_with_labels(warehouse, LOG, COLUMNS, BINS, DAYS, [], labelled))
        for _, (labels,) in found:
            hold(joined, labels, None)
        came = arrivals(warehouse, LOG, inline, DAYS)
    assert sum(each.rows for each in came.values()) == int((log["first"] < DAYS[-1].end.replace(tzinfo=None)).sum())
    assert not any(each.unknown for each in came.values())


def test_keys_of_two_types_are_compared_as_texts(tmp_path: Path) -> None:
    case = binary()
    labels = case.labels.assign(id=case.labels["id"].astype(str))
    source = LabelSource("labels", "id", "value", "number", "known_at", "timestamp", "id", as_text=True)
    labelled = Labelled(source, BINARY, case.labelled.prediction, case.labelled.scores)
    with made(Case(case.log, labels, labelled), "parquet", tmp_path) as warehouse:
        for _, (found,) in scan_with_labels(warehouse, LOG, COLUMNS, BINS, DAYS, [], labelled):
            hold(case, found, None)


FEW = {
    "two": ([0.15], [0.7]),
    "three": ([0.1], [0.6, 0.8]),
    "ten": ([0.05, 0.1, 0.15, 0.2, 0.25], [0.5, 0.6, 0.7, 0.8, 0.9]),
}


@pytest.mark.parametrize("values", FEW)
def test_scores_of_few_values_are_told_apart_in_every_class(values: str, tmp_path: Path) -> None:
    """Area under the curve, held to scikit-learn's on the raw rows: no bin holds two values, so it is exact."""
    rng = np.random.default_rng(12)
    log, classes = log_of(), ("red", "green", "blue")
    truth = rng.choice(classes, len(log))
    low, high = FEW[values]
    for name in classes:
        hit = np.where(rng.random(len(log)) < 0.8, truth == name, truth != name)
        log[name] = np.where(hit, rng.choice(high, len(log)), rng.choice(low, len(log)))
    scores = tuple(Column(name, "numeric", "number", ("score",)) for name in classes)
    known = pd.DataFrame({"id": log["id"], "value": truth, "known_at": log["at"]})
    source = LabelSource("labels", "id", "value", "string", "known_at", "timestamp", "id")
    with made(Case(log, known, Labelled(source, MULTICLASS)), "duckdb", tmp_path) as warehouse:
        edges = measure_score_edges(warehouse, LOG, scores, DAYS[0])
        shared = shared_edges(list(edges.values()))
        bins = OutcomeBins("multiclass_classification", (*classes, "(other)"), score_edges=shared)
        labelled = Labelled(source, bins, None, scores)
        ((_, (found,)),) = scan_with_labels(warehouse, LOG, COLUMNS, BINS, DAYS[1:2], [], labelled)
    assert all(set(its) <= set(shared) for its in edges.values())
    start, end = (moment.replace(tzinfo=None) for moment in (DAYS[1].start, DAYS[1].end))
    mine = ((log["at"] >= start) & (log["at"] < end)).to_numpy()
    exact = [roc_auc_score(truth[mine] == name, log[name][mine]) for name in classes]
    assert performance_metric("roc_auc").function(found.outcomes) == pytest.approx(np.mean(exact), abs=1e-12)


def test_edges_that_are_thinned_keep_a_value_of_its_own_apart() -> None:
    """Three classes of 250 values and more, in each of which one value has a bin of its own."""
    heavy = [0.25, 0.5, 0.75]
    edges = [
        sorted({*np.linspace(0.001 * i, 1, 250).tolist(), heavy[i], just_above(heavy[i])}) for i in range(len(heavy))
    ]
    shared = shared_edges(edges)
    assert len(shared) < 400
    assert all((value in shared) == (just_above(value) in shared) for value in heavy)


CODES = ("01", "1", "02", "1e3", "1_000", "2.0")
"""The texts of classes: no two of them are one class."""

COLUMNS_OF_CLASSES = {
    "codes": (
        "text",
        ["01", "1", "02", "2", "1e3", "1000", "1_000", "2.0", None],
        CODES,
        [0, 1, 2, 5, 3, 6, 4, 5, None],
    ),
    "texts of doubles": ("text", ["1.0", "1", "01", "2.0", "2"], ("1.0", "2", "2.0"), [0, 0, 3, 2, 1]),
    "doubles": (
        "double precision",
        [1.0, 0.6, 2.0, 1e300, -1e300, float("inf"), float("nan"), 0.5, None],
        ("1", "02", "0.5", "late"),
        [0, 4, 1, 4, 4, None, None, 2, None],
    ),
    "decimals": ("numeric(30, 2)", [1, 0.6, 10**20, 2, None], ("1.0", "0.6", str(10**20)), [0, 1, 2, 3, None]),
    "integers": ("bigint", [1, 2**53 + 1, 2**53, 3], ("1.0", str(2**53 + 1), "0.5"), [0, 1, 3, 3]),
    "booleans": ("boolean", [True, False, None], ("0", "true", "late"), [1, 0, None]),
}


@pytest.mark.parametrize("kind", COLUMNS_OF_CLASSES)
@pytest.mark.parametrize("engine", ["duckdb", pytest.param("postgres", marks=pytest.mark.integration)])
def test_classes_are_compared_as_they_are_written_and_numbers_as_numbers(
    kind: str, engine: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    type_, values, classes, expected_numbers = COLUMNS_OF_CLASSES[kind]
    url = request.getfixturevalue("postgres_database") if engine == "postgres" else f"duckdb:///{tmp_path / 'w.duckdb'}"
    create, insert = f"CREATE TABLE labels (id bigint, value {type_})", "INSERT INTO labels VALUES ({0}, {0})"
    rows = list(enumerate(values))
    if engine == "postgres":
        with psycopg.connect(url) as server, server.cursor() as cursor:
            cursor.execute(create)
            cursor.executemany(insert.format("%s"), rows)
    else:
        with duckdb.connect(str(tmp_path / "w.duckdb")) as connection:
            connection.execute(create)
            connection.executemany(insert.format("?"), rows)
    bins = OutcomeBins("multiclass_classification", (*classes, "(other)"))
    with open_warehouse(url) as warehouse:
        its = warehouse.columns("labels")["value"]
        number = label_value(LabelSource("labels", "id", "value", its, "", "timestamp", "id"), bins, warehouse.dialect)
        answer = warehouse.query(selected({"id": named("id"), "y": number}, warehouse.table("labels")))
    found = dict(zip(answer["id"].to_pylist(), answer["y"].to_pylist(), strict=True))
    assert [found[i] for i in range(len(values))] == expected_numbers


def test_labels_of_neighbouring_windows_add_up(tmp_path: Path) -> None:
    for kind in CASES:
        case = CASES[kind]()
        folder = tmp_path / kind
        folder.mkdir()
        with made(case, "parquet", folder) as warehouse:
            days = [labels for _, (labels,) in scan_with_labels(warehouse, LOG, COLUMNS, BINS, DAYS, [], case.labelled)]
            whole = [Window(DAYS[0].start, DAYS[-1].end)]
            ((_, (at_once,)),) = scan_with_labels(warehouse, LOG, COLUMNS, BINS, whole, [], case.labelled)
        added = days[0] + days[1] + days[2] + days[3]
        np.testing.assert_array_equal(added.cells, at_once.cells)
        np.testing.assert_array_equal(added.delays, at_once.delays)
        for name, total in at_once.units.items():
            np.testing.assert_array_equal(added.units[name], total)
        for name, counts in at_once.columns.items():
            np.testing.assert_array_equal(added.columns[name], counts)
        np.testing.assert_array_equal(added.class_scores, at_once.class_scores)
        assert (added.repeated, added.corrected, added.window) == (at_once.repeated, at_once.corrected, whole[0])
        again = LabelsProfile.from_json(
            at_once.window, "", at_once.bins, json.loads(json.dumps(at_once.to_json())), at_once.columns
        )
        for name in ("cells", "delays", "parts", "class_scores"):
            np.testing.assert_array_equal(getattr(again, name), getattr(at_once, name))
        for name, total in at_once.units.items():
            np.testing.assert_array_equal(again.units[name], total)
        assert OutcomeBins.from_json(json.loads(json.dumps(case.labelled.bins.to_json()))) == case.labelled.bins
