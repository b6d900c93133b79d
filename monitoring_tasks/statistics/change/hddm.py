"""Drift detection methods by Hoeffding's and McDiarmid's bounds (HDDM_A and HDDM_W)."""

from __future__ import annotations

import math

import numpy.typing as npt

from monitoring_tasks.statistics.change.detector import ChangeDetector, Changes, checked_series, checked_setting


def hddm_a(
    values: npt.ArrayLike,
    *,
    drift_confidence: float = 0.001,
    warning_confidence: float = 0.005,
    two_sided: bool = False,
    rows: npt.ArrayLike | None = None,
) -> Changes:
    """HDDM_A: the mean of all rows against the mean up to a cut, by Hoeffding's inequality [1]_.

    The cut is the row at which mean plus Hoeffding's bound was lowest. With n rows of mean z, of which the first m have
    mean x, a change is reported when ``z - x >= sqrt((n - m) / (2 m n) * log(2 / drift_confidence))``. Whatever the
    distribution in [0, 1], one such comparison is wrong with at most that chance; one is made at every row.

    Equal to ``river.drift.binary.HDDMA`` to the row, which follows MOA. The paper and frouros have ``log(1 / ...)`` for
    one side: they report a little earlier and more often. frouros also waits for 30 rows, and its two-sided form
    reports at every other chance, as it compares a distance of 0 with a bound of 0.

    Parameters
    ----------
    values : float array, shape (n,)
        Errors or losses in [0, 1] per row, or a batch's mean.
    drift_confidence, warning_confidence : float, default: 0.001 and 0.005
        Chance that a comparison wrongly says change, and warning.
    two_sided : bool, default: False
        Whether a fall is reported too, against the cut where mean minus bound was highest.
    rows : int array, shape (n,), optional
        Rows per batch. A batch of k rows of mean m counts exactly as k rows of value m; the test is made, and the
        cut looked for, at its end.

    Returns
    -------
    Changes
        Of which `statistic` is the distance of the two means. False alarms without change, measured: less than 0.1 per
        10,000 rows of 0/1 errors at a rate of 0.1, 0.2 at 0.3. Per 1000 batches of 1000 rows at a rate of 0.1: none in
        100,000, and 3 if the batches' own rates have a standard deviation of 0.02.

    Raises
    ------
    ValueError
        If a value is NaN or outside [0, 1], a batch is not of whole rows, a confidence is not inside (0, 1), or
        that of a warning is below that of a change.

    References
    ----------
    .. [1] Frias-Blanco, I., et al. (2015). Online and non-parametric drift detection methods based on Hoeffding's
       bounds. IEEE Transactions on Knowledge and Data Engineering, 27(3), 810-823.

    Examples
    --------
    >>> found = hddm_a([0, 0, 0, 0, 1] * 100 + [0, 1, 1] * 40)
    >>> found.changes, found.warnings[:1]
    ((516,), (511,))
    """
    positions, series, sizes = checked_series(values, rows, bounded=True)
    _check_confidences(drift_confidence, warning_confidence)
    changes: list[int] = []
    warnings: list[int] = []
    statistic: float | None = None
    bound: float | None = None
    n, z = 0, 0.0
    low_n, low, high_n, high = 0, 0.0, 0, 0.0
    for position, value, k in zip(positions.tolist(), series.tolist(), sizes.tolist(), strict=True):
        n += k
        z += (k / n) * (value - z)
        own = _hoeffding_bound(n, drift_confidence)
        if low_n == 0 or low + _hoeffding_bound(low_n, drift_confidence) >= z + own:
            low_n, low = n, z
        if high_n == 0 or high - _hoeffding_bound(high_n, drift_confidence) <= z - own:
            high_n, high = n, z
        sides = [(z - low, low_n), (high - z, high_n)] if two_sided else [(z - low, low_n)]
        statistic, bound, changed, warned = None, None, False, False
        for distance, cut in sides:
            if cut == n:  # no row since
                continue
            share = (n - cut) / cut * (1.0 / n)
            drift_bound = math.sqrt(share / 2 * math.log(2.0 / drift_confidence))
            changed |= distance >= drift_bound
            warned |= distance >= math.sqrt(share / 2 * math.log(2.0 / warning_confidence))
            if statistic is None or bound is None or distance - drift_bound > statistic - bound:
                statistic, bound = distance, drift_bound
        if changed:
            changes.append(position)
            n, z, low_n, high_n = 0, 0.0, 0, 0
        elif warned:
            warnings.append(position)
    return Changes(tuple(changes), tuple(warnings), statistic, bound)


def hddm_w(
    values: npt.ArrayLike,
    *,
    drift_confidence: float = 0.001,
    warning_confidence: float = 0.005,
    weight: float = 0.05,
    two_sided: bool = False,
    rows: npt.ArrayLike | None = None,
) -> Changes:
    """HDDM_W: exponentially weighted means before and since a cut, by McDiarmid's inequality [1]_.

    The cut is the row at which weighted mean plus bound was lowest. A change is reported when the weighted mean since
    the cut is above that at the cut by more than ``sqrt((b1 + b2) / 2 * log(1 / drift_confidence))``, b the sums of
    squared weights. It forgets, so it is quicker than `hddm_a` on a sudden change and blind to a small one.

    Equal to ``river.drift.binary.HDDMW`` to the row. frouros starts its weighted means at 0 instead of the first
    value, takes the weight for the confidence of the cut and waits for 30 rows: its rows may differ.

    Parameters
    ----------
    values : float array, shape (n,)
        Errors or losses in [0, 1] per row, or a batch's mean.
    drift_confidence, warning_confidence : float, default: 0.001 and 0.005
        Chance that a comparison wrongly says change, and warning.
    weight : float, default: 0.05
        Of the newest row, in (0, 1): about the last ``2 / weight`` rows count.
    two_sided : bool, default: False
        Whether a fall is reported too.
    rows : int array, shape (n,), optional
        Rows per batch. A batch of k rows of mean m counts exactly as k rows of value m; the test is made at its end.
        A batch of many more than ``1 / weight`` rows leaves nothing of those before it, and a batch takes no side of
        the cut in part: with such batches the detector compares each with the lowest so far, by a bound as wide as
        for one row. Let ``weight`` be 0.05 over the rows of a usual batch there.

    Returns
    -------
    Changes
        Of which `statistic` is the distance of the two weighted means. False alarms without change, measured: none in
        a million rows of 0/1 errors at a rate of 0.1, 3.8 per 10,000 at 0.3. Per 1000 batches of 100 or 1000 rows
        at a rate of 0.1: none in 100,000, for a mean of many rows is far steadier than the bound allows for. With a
        weight of 0.05 over their rows: none in 30,000 batches of 1000, 1.6 per 1000 if the batches' own rates have a
        standard deviation of 0.02, and none of these with `effective_rows`.

    Raises
    ------
    ValueError
        If a value is NaN or outside [0, 1], a batch is not of whole rows, a setting is not inside (0, 1), or
        the confidence of a warning is below that of a change.

    References
    ----------
    .. [1] Frias-Blanco, I., et al. (2015). Online and non-parametric drift detection methods based on Hoeffding's
       bounds. IEEE Transactions on Knowledge and Data Engineering, 27(3), 810-823.

    Examples
    --------
    >>> found = hddm_w([0, 0, 0, 0, 1] * 100 + [0, 1, 1] * 40)
    >>> found.changes, found.warnings[:1]
    ((532,), (523,))
    """
    positions, series, sizes = checked_series(values, rows, bounded=True)
    _check_confidences(drift_confidence, warning_confidence)
    checked_setting("weight", weight, 0, 1, "0.05 is the paper's")
    drift, warning = math.log(1 / drift_confidence), math.log(1 / warning_confidence)
    changes: list[int] = []
    warnings: list[int] = []
    statistic: float | None = None
    bound: float | None = None
    total, low, since_low, high, since_high = (_EMPTY,) * 5
    lowest, highest = math.inf, -math.inf
    for position, value, k in zip(positions.tolist(), series.tolist(), sizes.tolist(), strict=True):
        total = _weighted(total, value, k, weight)
        mean, squares = total
        own = math.sqrt(squares * drift / 2)
        if mean + own < lowest:
            lowest, low, since_low = mean + own, total, _EMPTY
        else:
            since_low = _weighted(since_low, value, k, weight)
        if mean - own > highest:
            highest, high, since_high = mean - own, total, _EMPTY
        else:
            since_high = _weighted(since_high, value, k, weight)
        sides = [(low, since_low)] if not two_sided else [(low, since_low), (since_high, high)]
        statistic, bound, changed, warned = None, None, False, False
        for (smaller, first), (larger, second) in sides:
            distance = larger - smaller
            if math.isnan(distance):
                continue
            drift_bound = math.sqrt((first + second) * drift / 2)
            changed |= distance > drift_bound
            warned |= distance > math.sqrt((first + second) * warning / 2)
            if statistic is None or bound is None or distance - drift_bound > statistic - bound:
                statistic, bound = distance, drift_bound
        if changed:
            changes.append(position)
            total, low, since_low, high, since_high = (_EMPTY,) * 5
            lowest, highest = math.inf, -math.inf
        elif warned:
            warnings.append(position)
    return Changes(tuple(changes), tuple(warnings), statistic, bound)


_EMPTY = (math.nan, 1.0)
"""Weighted mean and sum of squared weights of no rows, the latter as in MOA and river."""


def _weighted(before: tuple[float, float], value: float, k: int, weight: float) -> tuple[float, float]:
    """Return the weighted mean and the sum of squared weights after k more rows of one value."""
    mean, squares = before
    square, fade = weight * weight, (1 - weight) ** 2
    if k == 1:
        kept = 1 - weight
        squares = square + fade * squares
        new = weight
    else:
        kept = (1 - weight) ** k
        squares = fade**k * squares + square * (1 - fade**k) / (1 - fade)
        new = 1 - kept
    return (value if math.isnan(mean) else new * value + kept * mean), squares


def _hoeffding_bound(n: int, confidence: float) -> float:
    return math.sqrt(1.0 / (2 * n) * math.log(1.0 / confidence))


def _check_confidences(drift_confidence: float, warning_confidence: float) -> None:
    checked_setting("drift_confidence", drift_confidence, 0, 1, "0.001 is the paper's")
    checked_setting("warning_confidence", warning_confidence, 0, 1, "0.005 is the paper's")
    if warning_confidence < drift_confidence:
        raise ValueError(
            f"`warning_confidence` must be at least `drift_confidence`, not {warning_confidence:g} with "
            f"{drift_confidence:g}: every warning would be a change before; pass a larger one, or the same for none"
        )


DETECTOR_A = ChangeDetector(
    "hddm_a",
    hddm_a,
    title="HDDM_A",
    bounded=True,
    two_sided=False,
    warns=True,
    weighs_rows=True,
)
DETECTOR_W = ChangeDetector(
    "hddm_w",
    hddm_w,
    title="HDDM_W",
    bounded=True,
    two_sided=False,
    warns=True,
    weighs_rows=True,
)
