"""What every change detector takes and gives: a series of values, or of batches, and the places of its changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from monitoring_tasks.statistics.histogram import FloatArray, IntArray

Direction = Literal["up", "down", "both"]
"""Which changes of the mean count."""


@dataclass(frozen=True)
class Changes:
    """Where a detector reports a change in a series, and how near it stands to the next report at the end of it."""

    changes: tuple[int, ...]
    """Positions in the series after which a change is reported, ascending. The change itself lies before."""
    warnings: tuple[int, ...]
    """Positions in the zone of warning, ascending, without those of a change. Always empty if it has no such zone."""
    statistic: float | None
    """Last value of what is compared; None if nothing has been compared since the start or the last change."""
    threshold: float | None
    """What `statistic` was compared with. At a change at the end of the series it is passed or reached."""


@dataclass(frozen=True)
class ChangeDetector:
    """A detector with what is needed to apply it to a series."""

    name: str
    """Name of its function, and in files."""
    function: Callable[..., Changes]
    """``function(values, rows=None, **settings)``, the settings by keyword and with published defaults."""
    title: str
    """As messages call it."""
    bounded: bool
    """Whether the values must lie in [0, 1], as errors do."""
    two_sided: bool
    """Whether it reports a fall of the mean too, by default."""
    warns: bool
    """Whether it has a zone of warning."""
    weighs_rows: bool
    """Whether a batch counts by its rows; else every batch counts as one value, however many rows it has."""
    standardised: bool = False
    """Whether it takes the `target` and `standard_deviation` of values without change, and needs them to be of use."""


def checked_series(
    values: npt.ArrayLike, rows: npt.ArrayLike | None, *, bounded: bool = False
) -> tuple[IntArray, FloatArray, IntArray]:
    """Check a series of values or batches, and leave out the batches without rows.

    Parameters
    ----------
    values : float array, shape (n,)
        A value per row, or the mean of each batch. That of a batch without rows may be anything, NaN too.
    rows : int array, shape (n,), optional
        Rows per batch, not negative. None: one each.
    bounded : bool, default: False
        Whether the values must lie in [0, 1].

    Returns
    -------
    positions : int ndarray, shape (n_with_rows,)
        Where the batches with rows stand in `values`.
    values : float ndarray, shape (n_with_rows,)
    rows : int ndarray, shape (n_with_rows,)

    Raises
    ------
    ValueError
        If an array is no vector of numbers, if their lengths differ, if `rows` are not whole or negative, or if a
        value is NaN or infinite, or with `bounded` outside [0, 1].

    Examples
    --------
    >>> checked_series([0.5, float("nan"), 1.0], [4, 0, 2])
    (array([0, 2]), array([0.5, 1. ]), array([4, 2]))
    """
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"`values` must have one dimension, not the shape {array.shape}: pass one series")
    if array.size and array.dtype.kind not in "biuf":
        raise ValueError(f"`values` must hold numbers, not values of type {array.dtype}: pass losses or residuals")
    series = array.astype(np.float64)
    positions, sizes = np.arange(series.size), np.ones(series.size, dtype=np.int64)
    if rows is not None:
        sizes = _checked_rows(rows, series.size)
        positions = np.flatnonzero(sizes)
        series, sizes = series[positions], sizes[positions]
    outside = ~np.isfinite(series)
    if outside.any():
        place = int(np.argmax(outside))
        raise ValueError(
            f"`values` must be finite, not {series[place]:g} (position {positions[place]}): leave out what was not "
            "measured, or give its batch no rows"
        )
    if bounded:
        outside = (series < 0) | (series > 1)
        if outside.any():
            place = int(np.argmax(outside))
            raise ValueError(
                f"`values` must lie in [0, 1], not {series[place]:g} (position {positions[place]}): pass errors or "
                "losses on that scale, or take page_hinkley, cusum or adwin"
            )
    return positions, series, sizes


def checked_setting(name: str, value: float, low: float, high: float, remedy: str) -> None:
    """Refuse a setting that is not inside the open interval from `low` to `high`.

    Raises
    ------
    ValueError
        If it is not, NaN included.

    Examples
    --------
    >>> checked_setting("delta", 2.0, 0, 1, "0.002 is usual")
    Traceback (most recent call last):
    ValueError: `delta` must lie inside (0, 1), not 2: 0.002 is usual
    """
    if not low < value < high:
        raise ValueError(f"`{name}` must lie inside ({low:g}, {high:g}), not {value:g}: {remedy}")


def checked_direction(direction: Direction) -> tuple[bool, bool]:
    """Return whether a rise counts, and whether a fall does.

    Raises
    ------
    ValueError
        If `direction` is none of the three.

    Examples
    --------
    >>> checked_direction("up")
    (True, False)
    """
    if direction not in ("up", "down", "both"):
        raise ValueError(f"`direction` must be 'up', 'down' or 'both', not {direction!r}: a loss gets worse 'up'")
    return direction != "down", direction != "up"


def _checked_rows(rows: npt.ArrayLike, length: int) -> IntArray:
    array = np.asarray(rows)
    if array.shape != (length,):
        raise ValueError(f"`rows` has the shape {array.shape} for {length} values: pass the rows of every batch")
    if array.size and array.dtype.kind not in "biuf":
        raise ValueError(f"`rows` must hold numbers of rows, not values of type {array.dtype}")
    sizes = array.astype(np.float64)
    wrong = ~(np.isfinite(sizes) & (sizes >= 0) & (sizes == np.floor(sizes)))
    if wrong.any():
        place = int(np.argmax(wrong))
        raise ValueError(
            f"`rows` must hold whole numbers of rows, at least 0, not {sizes[place]:g} (position {place}): pass the "
            "size of every batch"
        )
    return array.astype(np.int64)
