"""What only rows can tell of performance: features jointly, and where two of them meet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from monitoring_tasks.checks.check import CheckContext
from monitoring_tasks.errors import DataError, NoKeyError, TransientError
from monitoring_tasks.profile import Bins
from monitoring_tasks.statistics.histogram import FloatArray

if TYPE_CHECKING:
    import pyarrow as pa

    from monitoring_tasks.labelled_rows import LabelledRows, LabelledSamples

ROWS = 10_000
"""Labelled rows of either side that are drawn."""

LEARNT = 1_000
"""Of these, the first so many are what a classifier learns from: it takes a fifth of a second."""

FEWEST = 200
"""With fewer on either side nothing is said."""


def labelled_rows(context: CheckContext) -> LabelledSamples | None:
    """Draw rows of the window and of the baseline; None where there are too few, or the baseline's have no key."""
    names = columns(context)
    if context.draw_labelled is None or context.labelled_baseline is None or not names:
        return None
    try:
        drawn = context.draw_labelled(names, ROWS)
    except NoKeyError:  # of the baseline's table: the counts tell all the same
        return None
    except DataError as error:  # the labels were read by the scan, and are gone by now: the window is to be run again
        raise TransientError(str(error)) from error
    return drawn if min(len(drawn.baseline), len(drawn.window)) >= FEWEST else None


def columns(context: CheckContext) -> list[str]:
    """Return the features that both sides have."""
    readable, known = context.profile.columns, context.baseline.columns
    return [name for name in context.baseline.features if name in readable and name in known]


def features(rows: LabelledRows, bins: dict[str, Bins]) -> FloatArray:
    """Return the features of the first `LEARNT` rows as numbers, NaN where missing.

    Of a category it is its place among the baseline's.
    """
    table = rows.features.slice(0, LEARNT)
    return np.column_stack([_numbers(table[name], bins[name]) for name in table.column_names])


def _numbers(column: pa.ChunkedArray, bins: Bins) -> FloatArray:
    if bins.kind == "categorical":
        import pyarrow as pa

        from monitoring_tasks.bin_numbers import bin_numbers

        place = bin_numbers(pa.table({"x": column}), [bins])[:, 0].astype(np.float64)
        return np.where(place == 0, np.nan, place)
    numbers: FloatArray = np.asarray(column.to_numpy(zero_copy_only=False), np.float64)
    return np.where(np.isinf(numbers), np.nan, numbers)
