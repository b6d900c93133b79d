"""An answer's Arrow columns as arrays of numpy."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


def integers(column: pa.ChunkedArray, null: int) -> NDArray[np.int64]:
    """Return an Arrow column as integers."""
    return np.asarray(pc.fill_null(pc.cast(column, pa.int64()), null))


def whole_numbers(column: pa.ChunkedArray) -> list[int]:
    """Return an Arrow column of sums as Python integers, NULL as 0; they may not fit 64 bits."""
    return [0 if value is None else int(value) for value in column.to_pylist()]


def floats(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """Return an Arrow column as doubles, NULL as NaN."""
    return np.asarray(pc.fill_null(pc.cast(column, pa.float64()), float("nan")))


def as_floats(values: pa.Array) -> NDArray[np.float64]:
    """Return an Arrow array as doubles, NULL as NaN."""
    return np.asarray(values.to_numpy(zero_copy_only=False), np.float64)
