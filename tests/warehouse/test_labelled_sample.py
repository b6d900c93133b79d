"""The labelled rows of the smallest hashes on every engine, each in the cell in which the scan counts it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from monitoring_tasks.labelled_rows import LabelledRows
from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.labelled_sample import labelled_sample
from monitoring_tasks.warehouse.labels import Labelled, LabelSource
from monitoring_tasks.warehouse.scan import scan_with_labels
from monitoring_tasks.warehouse.statement import Source
from monitoring_tasks.window import Window
from tests.warehouse.overheard import Overheard, Unanswered
from tests.warehouse.test_labels import BINS, CASES, COLUMNS, DAYS, LOG, Case, latest, made

ALL = 10_000
FEATURES = COLUMNS[:2]
ENGINES = ["parquet", pytest.param("postgres", marks=pytest.mark.integration)]


def keyed(kind: str, seed: int = 1) -> Case:
    """A case whose keys are texts, of which some are missing; some rows of the log stand twice with other values."""
    case = CASES[kind]()
    log, labels = (frame.assign(id="key-" + frame["id"].astype(str)) for frame in (case.log, case.labels))
    twice = log[::40].assign(amount=lambda frame: frame["amount"] + 1)
    log = pd.concat([log, twice], ignore_index=True)
    log["id"] = log["id"].where(np.arange(len(log)) % 50 != 7, None)
    log = log.sample(frac=1, random_state=seed).reset_index(drop=True)
    return Case(log, labels.sample(frac=1, random_state=seed).reset_index(drop=True), case.labelled)


def draw(warehouse: Warehouse, case: Case, windows: list[Window], limit: int) -> list[LabelledRows]:
    return labelled_sample(warehouse, LOG, FEATURES, "id", windows, limit, case.labelled)


def same(one: LabelledRows, other: LabelledRows) -> None:
    np.testing.assert_array_equal(one.drawn.hashes, other.drawn.hashes)
    np.testing.assert_array_equal(one.cells, other.cells)
    assert one.losses.keys() == other.losses.keys()
    for name, each in one.losses.items():
        np.testing.assert_array_equal(each, other.losses[name], err_msg=name)
    assert str(one.features.to_pylist()) == str(other.features.to_pylist())


@pytest.fixture
def url(request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue("postgres_database") if request.node.callspec.params["engine"] == "postgres" else ""


@pytest.mark.parametrize("kind", CASES)
@pytest.mark.parametrize("engine", ENGINES)
def test_all_labelled_rows_have_the_cells_and_losses_that_the_scan_counts(
    kind: str, engine: str, url: str, tmp_path: Path
) -> None:
    case = keyed(kind)
    with made(case, engine, tmp_path, url) as warehouse:
        scanned = [labels for _, (labels,) in scan_with_labels(warehouse, LOG, COLUMNS, BINS, DAYS, [], case.labelled)]
        drawn = draw(warehouse, case, DAYS, ALL)
    for labels, rows in zip(scanned, drawn, strict=True):
        labelled = labels.outcomes.counts
        assert len(rows) == labels.labelled > 200
        np.testing.assert_array_equal(np.bincount(rows.outcome_cells, minlength=labelled.size), labelled.reshape(-1))
        assert rows.losses.keys() == labels.outcomes.sums.keys()
        for name, total in labels.outcomes.sums.items():
            mine = np.bincount(rows.outcome_cells, np.nan_to_num(rows.losses[name]), labelled.size)
            # The score's sum is over rows without a label too, which lie in other cells.
            np.testing.assert_allclose(mine, total.reshape(-1), rtol=1e-9, atol=1e-8, err_msg=name)
        amount = rows.features["amount"].to_numpy()
        assert np.isnan(amount).sum() == labels.columns["amount"][0].reshape(labels.bins.split)[..., :-1].sum()
        if labels.bins.classes:
            right = np.trace(labels.outcomes.confusion)
            assert np.nansum(1 - rows.wrong) == right
            assert np.isfinite(rows.wrong).sum() == labels.outcomes.confusion.sum()


@pytest.mark.parametrize("kind", CASES)
@pytest.mark.parametrize("engine", ENGINES)
def test_the_rows_are_those_of_the_smallest_hashes_with_the_latest_label(
    kind: str, engine: str, url: str, tmp_path: Path
) -> None:
    case, limit = keyed(kind), 60
    with made(case, engine, tmp_path, url) as warehouse:
        (drawn,) = draw(warehouse, case, DAYS[:1], limit)
        assert [len(each) for each in draw(warehouse, case, DAYS, limit)] == [limit] * len(DAYS)
    rows = case.log.merge(latest(case.labels), left_on="id", right_index=True)
    start, end = (moment.replace(tzinfo=None) for moment in (DAYS[0].start, DAYS[0].end))
    rows = rows[(rows["at"] >= start) & (rows["at"] < end)]
    rows = rows.assign(hash=[hashlib.md5(key.encode()).hexdigest() for key in rows["id"]])
    # NULL stands first, as in the sample.
    rows = rows.sort_values(["hash", "amount", "shop"], na_position="first").head(limit)
    assert [each.decode() for each in drawn.drawn.hashes] == rows["hash"].tolist()
    np.testing.assert_array_equal(drawn.features["amount"].to_numpy(), rows["amount"])
    assert drawn.features["shop"].to_pylist() == [None if pd.isna(each) else each for each in rows["shop"]]
    classes = {"binary": {0.0: 0, 1.0: 1}, "multiclass": {"red": 0, "green": 1}, "regression": {}}[kind]
    labels = case.labelled.bins.shape[-1]
    assert (drawn.cells % labels).tolist() == [
        classes.get(label, 2 if kind == "multiclass" else 0) for label in rows["label"]
    ]
    if kind == "regression":
        np.testing.assert_allclose(drawn.losses["error"], rows["number"] - rows["label"], rtol=0, atol=1e-15)


@pytest.mark.parametrize("engine", ENGINES)
def test_neither_order_nor_company_changes_what_is_drawn(engine: str, url: str, tmp_path: Path) -> None:
    found = []
    for seed in (1, 2):
        (folder := tmp_path / str(seed)).mkdir()
        case = keyed("binary", seed)
        with made(case, engine, folder, url) as warehouse:
            together = draw(warehouse, case, DAYS[::2], 60)
            for window, each in zip(DAYS[::2], together, strict=True):
                same(draw(warehouse, case, [window], 60)[0], each)
            found.append(together)
    for one, other in zip(*found, strict=True):
        same(one, other)


@pytest.mark.integration
@pytest.mark.parametrize("kind", CASES)
def test_postgres_draws_what_duckdb_does(kind: str, tmp_path: Path, postgres_database: str) -> None:
    found = []
    for engine, seed in (("duckdb", 1), ("postgres", 2)):
        case = keyed(kind, seed)
        with made(case, engine, tmp_path, postgres_database) as warehouse:
            found.append([each for limit in (7, 60, ALL) for each in draw(warehouse, case, DAYS, limit)])
    for one, other in zip(*found, strict=True):
        same(one, other)
    assert len(found[0][0]) == 7


@pytest.mark.parametrize("engine", ENGINES)
def test_labels_in_the_log_itself_and_a_table_without_times(engine: str, url: str, tmp_path: Path) -> None:
    """Rows without a key have a label here, and are not drawn all the same."""
    case = keyed("binary")
    log = case.log.assign(label=(case.log["score"].fillna(1.0) < 0.5).astype(float).where(case.log["amount"] < 1))
    source = LabelSource("log", "id", "label", "number", "", "timestamp", "id", inline=True)
    inline = Labelled(source, case.labelled.bins, case.labelled.prediction, case.labelled.scores)
    wanted = log[log["id"].notna() & log["label"].notna()]
    assert len(wanted) < log["label"].notna().sum()
    with made(Case(log, case.labels, inline), engine, tmp_path, url) as warehouse:
        (drawn,) = labelled_sample(warehouse, Source("log", None), FEATURES, "id", [], ALL, inline)
    assert len(drawn) == len(wanted)
    assert np.sum(drawn.cells % 3 == 1) == wanted["label"].sum()
    np.testing.assert_array_equal(np.sort(drawn.losses["score"]), np.sort(wanted["score"]))


@pytest.mark.parametrize("engine", ["duckdb"])
def test_keys_of_two_types_and_a_model_without_predictions(engine: str, tmp_path: Path) -> None:
    case = CASES["binary"]()
    labels = case.labels.assign(id=case.labels["id"].astype(str))
    source = replace(case.labelled.source, as_text=True)
    labelled = replace(case.labelled, source=source, prediction=None)
    with made(Case(case.log, labels, labelled), engine, tmp_path) as warehouse:
        (drawn,) = draw(warehouse, Case(case.log, labels, labelled), DAYS[:1], ALL)
    with made(case, "parquet", tmp_path) as warehouse:
        (numbers,) = draw(warehouse, case, DAYS[:1], ALL)
    np.testing.assert_array_equal(drawn.drawn.hashes, numbers.drawn.hashes)
    np.testing.assert_array_equal(drawn.losses["brier"], numbers.losses["brier"])
    assert np.isnan(drawn.wrong).all()


def test_no_more_rows_come_than_are_asked_for_and_none_of_an_empty_window(tmp_path: Path) -> None:
    case = keyed("multiclass")
    long_ago = [Window(each.start.replace(year=2001), each.end.replace(year=2001)) for each in DAYS]
    with made(case, "duckdb", tmp_path) as warehouse:
        overheard = Overheard(warehouse)
        draw(overheard, case, DAYS[:1], 25)
        draw(overheard, case, DAYS, 25)
        assert [len(answer) for answer in overheard.answers] == [25, 100]
        for windows in (long_ago[:1], long_ago):
            for each in draw(warehouse, case, windows, 25):
                assert (len(each), each.cells.shape, each.wrong.shape) == (0, (0,), (0,))
                assert each.features.column_names == ["amount", "shop"]


@pytest.mark.parametrize("kind", CASES)
@pytest.mark.parametrize("dialect", ["snowflake", "bigquery", "trino", "spark"])
def test_other_engines_can_parse_the_statement(dialect: str, kind: str) -> None:
    server = Unanswered(dialect)
    for windows in (DAYS[:1], DAYS):
        for each in draw(server, CASES[kind](), windows, 25):
            assert (len(each), each.features.column_names) == (0, ["amount", "shop"])
    assert [statement.count("MD5") for statement in server.statements] == [1, 1]


def test_rows_of_a_part_are_left_out(tmp_path: Path) -> None:
    case = keyed("binary")
    whole, part = Window(DAYS[0].start, DAYS[-1].end), DAYS[1]
    with made(case, "duckdb", tmp_path) as warehouse:
        (every,), (mine,) = (draw(warehouse, case, [window], 200) for window in (whole, part))
    rest = every.without(mine)
    assert 0 < len(rest) < 200
    assert not set(rest.drawn.hashes) & set(mine.drawn.hashes)
    assert len(rest) == len(rest.cells) == len(rest.features) == len(rest.losses["brier"])
    kept = ~np.isin(every.drawn.hashes, mine.drawn.hashes)
    np.testing.assert_array_equal(rest.cells, every.cells[kept])
    assert rest.nbytes < every.nbytes
