"""One column by hand, judged by the check `data_quality`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from monitoring_tasks.checks import Result
from monitoring_tasks.checks.data_quality import data_quality
from monitoring_tasks.profile import Bins, ColumnProfile, just_above
from tests import inference_log
from tests.checks.context import context, numeric

AMOUNT = Bins("numeric", (0.0, 25.0, 50.0, 75.0, just_above(100.0)))
COUNTRY = Bins("categorical", categories=("DE", "FR", "IT"))


def amounts(rows: int, nulls: int = 0, *more: float) -> ColumnProfile:
    """Numbers evenly from 0 to 100, with nulls and with `more`."""
    values = np.concatenate((np.linspace(0.0, 100.0, rows - nulls - len(more)), np.full(nulls, np.nan), more))
    return numeric("amount", AMOUNT, values)


def found(
    current: ColumnProfile,
    reference: ColumnProfile,
    settings: str = "{}",
    bins: Bins | None = None,
    **changes: object,
) -> dict[str, Result]:
    """Judge one column, by metric."""
    monitor = inference_log.monitor(f"{{data_quality: {settings}}}")
    bins = bins or (AMOUNT if current.kind == "numeric" else COUNTRY)
    name = current.column
    made = context(monitor, {name: bins}, {"": [reference]}, {"": [current]})
    baseline = replace(made.baseline, definition={"features": [name]})
    results = data_quality(replace(made, baseline=baseline, **changes))  # type: ignore[arg-type]
    assert len({result.metric for result in results}) == len(results)
    return {result.metric: result for result in results}
