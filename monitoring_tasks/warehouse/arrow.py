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


def microseconds(times: pa.Array) -> NDArray[np.int64]:
    """Return the whole microseconds since 1970 of an Arrow array of times or dates; nanoseconds are rounded down.

    DuckDB's own ``epoch_us`` rounds up, and the last nanoseconds of a window into the next one.
    """
    if pa.types.is_date32(times.type):
        return np.asarray(times.cast(pa.int32())).astype(np.int64) * (86_400 * 1_000_000)
    whole = np.asarray(times.view(pa.int64()))
    match times.type.unit:
        case "ns":
            return whole // 1000
        case "us":
            return whole
        case "ms":
            return whole * 1000
        case _:
            return whole * 1_000_000
