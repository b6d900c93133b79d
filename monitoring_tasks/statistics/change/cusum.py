"""Cumulative sum chart (CUSUM)."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from monitoring_tasks.statistics.change.detector import (
    ChangeDetector,
    Changes,
    Direction,
    checked_direction,
    checked_series,
    checked_setting,
)
from monitoring_tasks.statistics.change.page_hinkley import sum_of_shares
from monitoring_tasks.statistics.histogram import FloatArray


def cusum(
    values: npt.ArrayLike,
    target: npt.ArrayLike | None = None,
    standard_deviation: npt.ArrayLike = 1.0,
    *,
    drift: float = 0.5,
    threshold: float = 5.0,
    minimum_rows: int = 1,
    direction: Direction = "both",
    rows: npt.ArrayLike | None = None,
) -> Changes:
    """Standardised CUSUM chart: the sum of ``(value - target) / standard_deviation - drift``, never below 0 [1]_ [2]_.

    A rise is reported when the sum is above `threshold`; for a fall the same is done with the sign turned.

    Without `target` the running mean since the last change stands in its place, which is not the chart of the
    textbooks, and its run length is not that of `average_run_length`. Upwards it is what frouros calls CUSUM:
    ``cusum(values, drift=0.005, threshold=50, minimum_rows=30, direction="up")`` reports the same rows. river has none.

    **Batches.** There are two ways, and they answer different questions. With `rows`, a batch of k rows adds k times:
    a shift of less than `drift` standard deviations of a *row* is never found, however large the batch. To find what
    is large for a *batch mean*, leave `rows` out and give the standard deviation of each mean, see
    `standard_deviation_of_means`, which also has room for levels that windows have of their own.

    Parameters
    ----------
    values : float array, shape (n,)
        A value per row, or the mean of each batch.
    target : float or float array, shape (n,), optional
        Mean without change, from earlier rows than these.
    standard_deviation : float or float array, shape (n,), default: 1
        Of a value without change, from earlier rows than these. 1: `drift` and `threshold` are in units of the values.
    drift : float, default: 0.5
        Half the shift that is to be found fastest, in standard deviations.
    threshold : float, default: 5
        In standard deviations.
    minimum_rows : int, default: 1
        Rows since the start or the last change before any is reported.
    direction : "up", "down" or "both", default: "both"
        Which changes count.
    rows : int array, shape (n,), optional
        Rows per batch. A batch of k rows of mean m counts exactly as k rows of value m; the test is made at its end.

    Returns
    -------
    Changes
        Of which `statistic` is the larger of the sums that count, in standard deviations. Without change, values that
        are normal and independent give a false alarm per 465 values at the defaults (two-sided), 930 if one side
        counts: exact values, `average_run_length` is within 1 %. Measured: 21.6 per 10,000 of those. 0/1 errors are
        skewed, which costs more: 28 per 10,000 rows at a rate of 0.3, 47 at 0.1, 79 at 0.05. Take a higher
        threshold there: with ``drift=0.25, threshold=20`` it is 0.07, 0.4 and 0.8. Per 1000 means of batches of 1000
        rows at a rate of 0.1: 2.1; if the batches' own rates have a standard deviation of 0.02: 109 with ``between=0``,
        2.2 with ``between=0.02``.

    Raises
    ------
    ValueError
        If a value is NaN, a batch is not of whole rows, the standard deviation is not positive, or a setting is out of
        its range.

    References
    ----------
    .. [1] Page, E. S. (1954). Continuous inspection schemes. Biometrika, 41(1/2), 100-115.
    .. [2] Hawkins, D. M., & Olwell, D. H. (1998). Cumulative Sum Charts and Charting for Quality Improvement. Springer.

    Examples
    --------
    A step of one standard deviation, without noise: half of it is tolerated, so after 5 / 0.5 values it is at 5.

    >>> cusum([0.2] * 50 + [0.6] * 20, target=0.2, standard_deviation=0.4)
    Changes(changes=(60,), warnings=(), statistic=4.5, threshold=5.0)
    """
    positions, series, sizes = checked_series(values, rows)
    upwards, downwards = checked_direction(direction)
    checked_setting("threshold", threshold, 0, math.inf, "5 is usual with the standard deviation of a value")
    checked_setting("drift", drift, -math.inf, math.inf, "0.5 is usual with the standard deviation of a value")
    length = np.asarray(values).size
    deviations = _per_value("standard_deviation", standard_deviation, length)[positions]
    if not (deviations > 0).all():
        place = int(np.argmin(deviations > 0))
        raise ValueError(
            f"`standard_deviation` must be positive, not {deviations[place]:g} (position {positions[place]}): take "
            "that of earlier values, and none of a constant"
        )
    targets = None if target is None else _per_value("target", target, length)[positions]
    if targets is not None and not np.isfinite(targets).all():
        place = int(np.argmin(np.isfinite(targets)))
        raise ValueError(
            f"`target` must be finite, not {targets[place]:g} (position {positions[place]}): take the mean of earlier "
            "values, or leave it out for the running mean"
        )
    changes: list[int] = []
    statistic: float | None = None
    n, mean, rise, fall = 0, 0.0, 0.0, 0.0
    for i, (value, deviation, k) in enumerate(zip(series.tolist(), deviations.tolist(), sizes.tolist(), strict=True)):
        before, n = n, n + k
        if targets is not None:
            distance = k * (value - float(targets[i]))
        else:
            step = value - mean
            mean += (k / n) * step
            distance = value - mean if k == 1 else step * sum_of_shares(before, k)
        rise = max(0.0, rise + distance / deviation - k * drift)
        fall = max(0.0, fall - distance / deviation - k * drift)
        if n < minimum_rows:
            continue
        statistic = max(rise if upwards else 0.0, fall if downwards else 0.0)
        if statistic > threshold:
            changes.append(int(positions[i]))
            n, mean, rise, fall = 0, 0.0, 0.0, 0.0
    if changes and n and n < minimum_rows:
        statistic = None
    return Changes(tuple(changes), (), statistic, None if statistic is None else threshold)


def average_run_length(drift: float = 0.5, threshold: float = 5.0, shift: float = 0.0, *, sides: int = 2) -> float:
    """Return the mean number of values until a standardised CUSUM reports, by Siegmund's approximation [1]_ [2]_.

    With ``b = threshold + 1.166`` and ``D = shift - drift`` of the side up (``-shift - drift`` of the side down) the
    run length of one side is ``(exp(-2 D b) + 2 D b - 1) / (2 D**2)``; of two the inverses add up.

    Parameters
    ----------
    drift, threshold : float
        Of the chart, in standard deviations, `threshold` above 0.
    shift : float, default: 0
        By which the mean differs from the target, in standard deviations. 0: how long until a false alarm.
    sides : 1 or 2, default: 2
        Whether only a rise is reported, or a fall too.

    Returns
    -------
    float
        In values, above 0, of independent normal ones. With a threshold of 3 to 6 and no shift it exceeds the exact
        value by at most 1 % where drift is at most 0.5, by 3 % at 0.75 and by 6 % at 1; with a shift of two standard
        deviations it falls short of it by 4 %.

    Raises
    ------
    ValueError
        If `threshold` is not positive or `sides` neither 1 nor 2.

    References
    ----------
    .. [1] Siegmund, D. (1985). Sequential Analysis. Springer. Section 2.
    .. [2] Montgomery, D. C. (2009). Introduction to Statistical Quality Control, 6th ed. Section 9.1. Its example: one
       side 938.2, two sides 469.1, where the exact value is 465.

    Examples
    --------
    >>> round(average_run_length(sides=1), 1), round(average_run_length(), 1), round(average_run_length(shift=1), 2)
    (938.2, 469.1, 10.34)
    """
    checked_setting("threshold", threshold, 0, math.inf, "5 is usual")
    if sides not in (1, 2):
        raise ValueError(f"`sides` must be 1 or 2, not {sides}: 1 where only a rise is reported")
    height = threshold + 1.166
    rates = [1 / _run_length(distance - drift, height) for distance in (shift, -shift)[:sides]]
    return 1 / sum(rates) if any(rates) else math.inf


def _run_length(drift: float, height: float) -> float:
    product = drift * height
    if abs(product) < 1e-4:  # the limit of a walk without drift, and its next term
        return height**2 * (1 - 2 * product / 3)
    if product < -350:
        return math.inf
    return (math.exp(-2 * product) + 2 * product - 1) / (2 * drift**2)


def _per_value(name: str, given: npt.ArrayLike, length: int) -> FloatArray:
    array = np.asarray(given, dtype=np.float64)
    if array.ndim == 0:
        return np.full(length, float(array))
    if array.shape != (length,):
        raise ValueError(f"`{name}` has the shape {array.shape} for {length} values: pass one number, or one per value")
    return array


DETECTOR = ChangeDetector(
    "cusum",
    cusum,
    title="CUSUM",
    bounded=False,
    two_sided=True,
    warns=False,
    weighs_rows=True,
    standardised=True,
)
