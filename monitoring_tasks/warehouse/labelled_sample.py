"""A bounded sample of the rows whose label is known, with what became of each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sqlglot import exp

from monitoring_tasks.columns import Column
from monitoring_tasks.labelled_rows import LabelledRows
from monitoring_tasks.outcome_cells import answers, cell_numbers
from monitoring_tasks.warehouse.arrow import floats
from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.expressions import finite, named, selected, subquery, value
from monitoring_tasks.warehouse.labels import Labelled, joined, predicted_value
from monitoring_tasks.warehouse.outcome_tally import losses
from monitoring_tasks.warehouse.sample import bottom_k, first_rows, sampled, texts_of
from monitoring_tasks.warehouse.statement import Source
from monitoring_tasks.window import Window


def labelled_sample(
    warehouse: Warehouse,
    source: Source,
    columns: Sequence[Column],
    key: str,
    windows: Sequence[Window],
    rows: int,
    labelled: Labelled,
) -> list[LabelledRows]:
    """Draw as `monitoring_tasks.warehouse.sample.sample` does, among the rows whose label is known.

    The label is that of `monitoring_tasks.warehouse.labels.joined`: of several for one key the latest. The warehouse
    joins, sorts and cuts; cells and losses are computed here, alike for every engine.

    Parameters
    ----------
    warehouse, source, columns, key, windows, rows
        As in `sample`.
    labelled
        Where the labels are, and how outcomes are counted.

    Returns
    -------
    list of LabelledRows
        For each window (for the table, if it has no times).
    """
    dialect, bins = warehouse.dialect, labelled.bins
    hashed = exp.MD5(this=exp.cast(named(key), "text"))
    inner = {"h": hashed, **sampled(source, columns, windows, dialect)}
    inner |= {f"z{i}": finite(value(score, dialect), dialect) for i, score in enumerate(labelled.scores)}
    if labelled.prediction is not None:
        inner["p"] = predicted_value(labelled.prediction.name, labelled.prediction.type, bins, dialect)
    every = subquery(joined(warehouse, source, labelled.source, bins, windows, inner), "joined")
    known = selected({name: named(name) for name in (*inner, "y")}, every)
    # Only a row without a key has no hash.
    present = [exp.not_(exp.Is(this=named(name), expression=exp.null())) for name in ("h", "y")]
    keyed = subquery(known.where(*present, copy=False), "keyed")
    values = [*(name for name in inner if name not in ("h", "w")), "y"]
    found = []
    for answer in first_rows(warehouse, keyed, ["h", *values], texts_of(columns), values, len(windows), rows):
        label = floats(answer["y"])
        prediction = floats(answer["p"]) if "p" in inner else np.full(len(label), np.nan)
        scores = [floats(answer[f"z{i}"]) for i in range(len(labelled.scores))]
        each = {}
        if bins.losses:
            with np.errstate(invalid="ignore", over="ignore"):
                each = losses(bins, label, answers(bins, label, prediction, scores), scores)
        cells = cell_numbers(bins, label, prediction, scores)
        found.append(LabelledRows(bottom_k(answer, columns, rows), bins, cells, each))
    return found
