"""Weak segments: groups of rows, by one feature or by two, in which a model's loss is higher than in all others."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, islice

import numpy as np
import numpy.typing as npt

from monitoring_tasks.statistics.drift.metric import Layout
from monitoring_tasks.statistics.histogram import FloatArray, IntArray, merge_ordered, merge_unordered
from monitoring_tasks.statistics.intervals import wilson_interval
from monitoring_tasks.statistics.multiple_testing import BoolArray, holm_p_values

GROUPS = 6
"""Groups of a feature's values at most; missing values are one more."""

PAIRED = 20
"""Features of which all pairs are looked at: 190 pairs of 36 cells."""

FEWEST = 30
"""Rows that a segment must have, and not less than `SMALLEST_SHARE` of all."""

SMALLEST_SHARE = 0.01

EXAMINED = 200
"""Significant segments, the worst first, of which those are named that say something new."""


@dataclass(frozen=True)
class SegmentFeature:
    """A column of codes."""

    name: str
    layout: Layout
    """Whether neighbouring bins belong together. Bin 0 holds missing values in either."""


@dataclass(frozen=True)
class SegmentGroup:
    """Some bins of one feature."""

    feature: str
    bins: tuple[int, ...]
    """Those that have rows, ascending; of a numeric feature all between them belong to it."""


@dataclass(frozen=True)
class WeakSegment:
    """Rows in one group, or in both of two."""

    groups: tuple[SegmentGroup, ...]
    rows: int
    row_share: float
    """Of all rows with a loss."""
    mean_loss: float
    lower: float
    """Lower end of the 95 % interval of `mean_loss`: Student's, or for a loss of 0 and 1 Wilson's."""
    upper: float
    other_mean_loss: float
    """Of all other rows."""
    loss_share: float
    """Of the total loss; NaN if that is 0."""
    score: float
    """`mean_loss` less `other_mean_loss`, in standard errors."""
    p_value: float
    """One-sided, corrected for every segment that was looked at."""


def weak_segments(
    features: Sequence[SegmentFeature],
    codes: npt.ArrayLike,
    loss: npt.ArrayLike,
    *,
    baseline_mean: float | None = None,
    rate: float = 0.05,
    limit: int = 5,
) -> tuple[WeakSegment, ...]:
    """Find the single groups and pairs of groups whose mean loss exceeds that of all other rows most clearly.

    Each feature's bins are merged to at most `GROUPS` groups, by their rows alone. Looked at is every group, and every
    pair of groups of the `PAIRED` features whose groups explain most of the loss, if it has enough rows. The test is
    Welch's, as in Slice Finder [1]_, with the larger of both sides' variances for either: of 30 rows that are all wrong
    the own variance would be 0, and the score infinite. A pair must be significantly worse than the rest of either of
    its groups as well, so its p-value is the largest of three. The p-values of the groups, and those of the pairs, are
    corrected by Holm's method at half the rate each: else a hundred groups would pay for two thousand pairs. Slice
    Finder spends alpha in the order of its search.

    A segment is left out if the rows that it does not share with segments named before are not worse than others: so a
    bad pair does not bring along its two groups, nor a bad group those of a correlated feature. The groups that a
    segment lies in do not count for this: that it is worse than they are was tested.

    The intervals of `mean_loss` are not corrected for the segment having been picked out: they are somewhat high.

    Deepchecks' WeakSegmentsPerformance grows a regression tree of the loss over each pair of its top features, takes
    the leaf with the worst score, at least 5 % of the rows, and holds that against a fixed ratio to the average: on
    pure noise it names a segment as well [2]_. Here nothing is named without a difference that the number of segments
    looked at does not explain.

    Parameters
    ----------
    features : sequence of SegmentFeature
        Names and layouts, all different names.
    codes : int array, shape (n_rows, n_features)
        The bin of each row; 0 is missing.
    loss : float array, shape (n_rows,)
        At least 0; NaN is not measured, and the row is left out.
    baseline_mean : float, optional
        Mean loss of the baseline: segments that are not above it are not named.
    rate : float
        Largest chance that any segment is named if the loss does not depend on the features, in (0, 1). The larger of
        two variances and the largest of three p-values keep far below it: at 0.05 up to 0.3 % of such windows name one.
    limit : int
        Most segments to name, at least 1.

    Returns
    -------
    tuple of WeakSegment
        By falling score; empty if no segment is significant, or the loss is constant. The order of the rows does not
        matter.

    Raises
    ------
    ValueError
        If the shapes do not fit, a code or a loss is negative or a loss infinite, or a setting is out of its range.

    References
    ----------
    .. [1] Chung, Y., Kraska, T., Polyzotis, N., Tae, K. H., & Whang, S. E. (2019). Slice Finder: Automated data slicing
       for model validation. IEEE 35th International Conference on Data Engineering, 1550-1553.
    .. [2] Deepchecks, ``WeakSegmentsPerformance``, module ``deepchecks.utils.performance.weak_segment_abstract``.

    Examples
    --------
    A model that is always wrong where both features are in their first bin, and every fifth time elsewhere.

    >>> carrier, origin = np.divmod(np.arange(4000) // 5 % 16, 4)
    >>> wrong = np.where((carrier == 0) & (origin == 0), 1.0, np.arange(4000) % 5 == 0)
    >>> features = [SegmentFeature("carrier", "categorical"), SegmentFeature("origin", "categorical")]
    >>> (found,) = weak_segments(features, np.column_stack([carrier + 1, origin + 1]), wrong)
    >>> found.groups
    (SegmentGroup(feature='carrier', bins=(1,)), SegmentGroup(feature='origin', bins=(1,)))
    >>> found.rows, found.mean_loss, found.other_mean_loss, found.loss_share
    (250, 1.0, 0.2, 0.25)
    """
    binned, losses = _checked(features, codes, loss, rate, limit, baseline_mean)
    if not losses.size or losses[0] == losses[-1]:
        return ()
    # A power of two: no loss is rounded, and no square overflows.
    scale = math.ldexp(1.0, min(max(math.frexp(float(losses[-1]))[1], -1000), 1000))
    centre = float(np.mean(losses / scale))
    away = losses / scale - centre
    grouped = [_grouped(column, feature.layout) for column, feature in zip(binned.T, features, strict=True)]
    cells = _cells(grouped, away, max(FEWEST, SMALLEST_SHARE * losses.size))
    p_values = _corrected(cells)
    chosen = np.flatnonzero(p_values <= rate)
    if baseline_mean is not None:
        chosen = chosen[(cells.inside[1][chosen] / cells.inside[0][chosen] + centre) * scale > baseline_mean]
    order = chosen[np.argsort(-cells.score[chosen], kind="stable")][:EXAMINED]
    binary = bool(((losses == 0) | (losses == 1)).all())
    found = []
    for place in islice(_new(order, cells, grouped, away, rate), limit):
        segment = _described(cells.groups[place], features, grouped, binned, losses, binary)
        found.append(replace(segment, score=float(cells.score[place]), p_value=float(p_values[place])))
    return tuple(found)


@dataclass(frozen=True, eq=False)
class _Cells:
    """All segments that were looked at: singles first, then pairs, in the order of features and groups."""

    groups: list[tuple[tuple[int, int], ...]]
    """Feature and group, once or twice."""
    inside: FloatArray
    """Rows, sum and sum of squares, shape (3, n)."""
    score: FloatArray
    p_value: FloatArray


def _cells(grouped: Sequence[IntArray], away: FloatArray, fewest: float) -> _Cells:
    whole = np.array([away.size, away.sum(), (away * away).sum()])
    singles = [_sums(group, away, int(group.max()) + 1) for group in grouped]
    groups: list[tuple[tuple[int, int], ...]] = []
    inside, scores, p_values = [], [], []
    for i, sums in enumerate(singles):
        kept = np.flatnonzero((sums[0] >= fewest) & (sums[0] < away.size))
        groups += [((i, int(group)),) for group in kept]
        score, p_value = _excess(sums[:, kept], whole[:, np.newaxis] - sums[:, kept])
        inside.append(sums[:, kept])
        scores.append(score)
        p_values.append(p_value)
    for i, j in combinations(_paired(singles, whole), 2):
        second = singles[j].shape[1]
        sums = _sums(grouped[i] * second + grouped[j], away, singles[i].shape[1] * second)
        kept = np.flatnonzero(sums[0] >= fewest)
        if not kept.size:
            continue
        sums = sums[:, kept]
        a, b = np.divmod(kept, second)
        groups += [((i, int(x)), (j, int(y))) for x, y in zip(a, b, strict=True)]
        score, p_value = _excess(sums, whole[:, np.newaxis] - sums)
        for single, place in ((singles[i], a), (singles[j], b)):
            p_value = np.maximum(p_value, _excess(sums, single[:, place] - sums)[1])
        inside.append(sums)
        scores.append(score)
        p_values.append(p_value)
    return _Cells(
        groups,
        np.concatenate([np.empty((3, 0)), *inside], axis=1),
        np.concatenate([np.empty(0), *scores]),
        np.concatenate([np.empty(0), *p_values]),
    )


def _corrected(cells: _Cells) -> FloatArray:
    """Return p-values that hold for all segments together: of groups and of pairs each with half the rate."""
    pairs = np.array([len(groups) == 2 for groups in cells.groups], bool)
    found = np.empty(pairs.size)
    families = [family for family in (~pairs, pairs) if family.any()]
    for family in families:
        found[family] = np.minimum(len(families) * holm_p_values(cells.p_value[family]), 1.0)
    return found


def _sums(group: IntArray, away: FloatArray, size: int) -> FloatArray:
    return np.stack([np.bincount(group, weight, size) for weight in (None, away, away * away)]).astype(np.float64)


def _paired(singles: Sequence[FloatArray], whole: FloatArray) -> list[int]:
    """Return the features whose groups explain most, beyond what as many groups of any rows would; in their order."""
    variance = whole[2] / max(whole[0] - 1, 1)
    explained = []
    for rows, total, _ in singles:
        between = np.divide(total * total, rows, out=np.zeros(rows.size), where=rows > 0).sum()
        explained.append(between - variance * (np.count_nonzero(rows) - 1))
    order = np.argsort(-np.array(explained), kind="stable")[:PAIRED]
    return sorted(int(i) for i in order)


def _excess(inside: FloatArray, outside: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the difference of means in standard errors, and its one-sided p-value: 1 where a side has no two rows.

    Parameters
    ----------
    inside, outside
        Rows, sum and sum of squares, each shape (3, n).
    """
    from scipy.special import stdtr

    (n, total, squares), (m, other, other_squares) = inside, outside
    with np.errstate(divide="ignore", invalid="ignore"):
        difference = total / n - other / m
        variance = np.maximum(_variance(n, total, squares), _variance(m, other, other_squares))
        # Where neither varies, as of rows that are all wrong beside rows that are all right, both together do.
        variance = np.where(variance > 0, variance, _variance(n + m, total + other, squares + other_squares))
        errors = variance / n, variance / m
        freedom = (errors[0] + errors[1]) ** 2 / (errors[0] ** 2 / (n - 1) + errors[1] ** 2 / (m - 1))
        score = difference / np.sqrt(errors[0] + errors[1])
        tested = (n > 1) & (m > 1) & np.isfinite(score)
        score = np.where(tested, score, 0.0)
        p_value = np.where(tested, stdtr(np.where(tested, freedom, 1.0), -score), 1.0)
    return score, p_value


def _variance(rows: FloatArray, total: FloatArray, squares: FloatArray) -> FloatArray:
    deviance = squares - total * total / rows
    # Of a constant, rounding alone would leave a variance a little above or below 0.
    found: FloatArray = np.where(deviance > 1e-12 * squares, deviance, 0.0) / (rows - 1)
    return found


def _grouped(bins: IntArray, layout: Layout) -> IntArray:
    """Return the group of each row's bin: 0 for missing values, then groups of values."""
    counts = np.bincount(bins)
    groups = np.zeros(counts.size, np.int64)
    if counts.size > 1:
        merge = merge_ordered if layout == "numeric" else merge_unordered
        filled = np.flatnonzero(counts[1:]) + 1
        groups[filled] = 1 + merge(counts[filled], GROUPS)
    return groups[bins]


def _mask(groups: tuple[tuple[int, int], ...], grouped: Sequence[IntArray]) -> BoolArray:
    mask: BoolArray = np.logical_and.reduce([grouped[feature] == group for feature, group in groups])
    return mask


def _new(
    order: npt.NDArray[np.intp], cells: _Cells, grouped: Sequence[IntArray], away: FloatArray, rate: float
) -> Iterator[int]:
    """Yield those that are worse than others without the rows that segments yielded before explain."""
    named: list[tuple[tuple[tuple[int, int], ...], BoolArray]] = []
    for place in order:
        groups = cells.groups[place]
        mine = _mask(groups, grouped)
        explained = np.zeros(away.size, bool)
        for before, rows in named:
            if not set(before) < set(groups):
                explained |= rows
        if explained.any():
            inside, outside = (
                np.array([[part.size], [part.sum()], [(part * part).sum()]])
                for part in (away[mine & ~explained], away[~mine & ~explained])
            )
            if not inside[0] or _excess(inside, outside)[1][0] > rate:
                continue
        named.append((groups, mine))
        yield int(place)


def _described(
    groups: tuple[tuple[int, int], ...],
    features: Sequence[SegmentFeature],
    grouped: Sequence[IntArray],
    binned: IntArray,
    losses: FloatArray,
    binary: bool,
) -> WeakSegment:
    mask = _mask(groups, grouped)
    mine, scale = losses[mask], float(losses[-1])
    rows, mean = mine.size, float(np.mean(mine / scale)) * scale
    if binary:
        lower, upper = wilson_interval(int(mine.sum()), rows)
    else:
        from scipy.special import stdtrit

        margin = float(stdtrit(rows - 1, 0.975)) * float(np.std(mine / scale, ddof=1)) / math.sqrt(rows) * scale
        lower, upper = max(0.0, mean - margin), mean + margin
    return WeakSegment(
        groups=tuple(
            SegmentGroup(features[i].name, tuple(np.unique(binned[grouped[i] == group, i]).tolist()))
            for i, group in groups
        ),
        rows=rows,
        row_share=rows / losses.size,
        mean_loss=mean,
        lower=lower,
        upper=upper,
        other_mean_loss=float(np.mean(losses[~mask] / scale)) * scale,
        loss_share=float((mine / scale).sum() / (losses / scale).sum()),
        score=math.nan,
        p_value=math.nan,
    )


def _checked(
    features: Sequence[SegmentFeature],
    codes: npt.ArrayLike,
    loss: npt.ArrayLike,
    rate: float,
    limit: int,
    baseline_mean: float | None,
) -> tuple[IntArray, FloatArray]:
    """Return the rows that have a loss, by ascending loss: every sum is then the same whatever their order was."""
    binned, losses = np.asarray(codes), np.asarray(loss, dtype=np.float64)
    if losses.ndim != 1:
        raise ValueError(f"`loss` must have one number for each row, not the shape {losses.shape}")
    if binned.shape != (losses.size, len(features)):
        raise ValueError(
            f"`codes` must have a row for each loss and a column for each feature, {(losses.size, len(features))}, not "
            f"the shape {binned.shape}"
        )
    if binned.size and not np.issubdtype(binned.dtype, np.integer):
        raise ValueError(f"`codes` must be numbers of bins, not {binned.dtype}: 0 is missing")
    if binned.size and binned.min() < 0:
        raise ValueError(f"`codes` must be numbers of bins from 0, not {binned.min()}: 0 is missing")
    wrong = (losses < 0) | np.isinf(losses)
    if wrong.any():
        place = int(np.argmax(wrong))
        raise ValueError(
            f"`loss` must be finite and at least 0, not {losses[place]:g} (row {place}): write NaN for not measured"
        )
    names = [feature.name for feature in features]
    if len(set(names)) < len(names):
        raise ValueError(f"`features` must have different names, not {', '.join(names)}")
    if not 0 < rate < 1:
        raise ValueError(
            f"`rate` must lie inside (0, 1), not {rate:g}: 0.05 names a segment by chance in one of twenty"
        )
    if limit < 1:
        raise ValueError(f"`limit` must be at least 1, not {limit}")
    if baseline_mean is not None and not baseline_mean >= 0:
        raise ValueError(f"`baseline_mean` must be at least 0, not {baseline_mean:g}: None for not measured")
    order = np.argsort(losses, kind="stable")
    order = order[: losses.size - int(np.isnan(losses).sum())]
    return binned[order].astype(np.int64), losses[order]
