"""Columns that stopped: constant in this window, or exactly what they were in the windows before."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from monitoring_tasks.checks.check import CheckContext
from monitoring_tasks.checks.drift import AS_INDEPENDENT, compared_with
from monitoring_tasks.checks.result import Result, Status
from monitoring_tasks.checks.unfamiliar import shown, shown_number
from monitoring_tasks.checks.wording import p_value
from monitoring_tasks.profile import Bins, ColumnProfile
from monitoring_tasks.statistics.homogeneity import INDEPENDENT_ROWS, ColumnDispersion, Dispersion
from monitoring_tasks.statistics.homogeneity.unchanging import one_bin_p_value, same_shares_probability
from monitoring_tasks.statistics.multiple_testing import holm_p_values
from monitoring_tasks.window_counts import SUMS, Places, WindowCounts

if TYPE_CHECKING:
    from monitoring_tasks.config.checks import DataQuality

FEWEST = 10
"""Effective rows of a window below which it says nothing that it is like the one before: both have one weather."""

LIVELY = 0.1
"""Of what chance alone makes of the differences between windows, the share that the baseline's must have.

With less they are all alike by their nature, as where every window scores the same customers once and this column is
where they live: a column that never changed does not stop.
"""


AS_ONE_WINDOW = "rows are taken as independent, for the baseline's period does not show how much windows differ"


@dataclass(frozen=True)
class _Stopped:
    """What was found of one column, not yet decided."""

    result: Result
    p_value: float
    """That chance alone does this."""
    assumed: str = ""
    """What that had to assume; empty for nothing."""


def unchanging(context: CheckContext, columns: Sequence[str], settings: DataQuality, rate: float) -> list[Result]:
    """Return a row `constant` or `stale` of each column that is so now and was not in the baseline.

    An alarm says that chance does not explain it, after Holm's correction over both of all columns.

    Parameters
    ----------
    context
        The window, and what it is compared with.
    columns
        Names of columns that both sides have.
    settings
        The check's.
    rate
        Share of windows without any change that may have an alarm.
    """
    if context.profile.rows < settings.minimum_rows:
        return []
    before = _Before(context, settings)
    found: list[_Stopped] = []
    for name in columns:
        column = _Column(context, name)
        if column.current.rows < settings.minimum_rows or not column.varies:
            continue
        if column.current.rows - column.current.nulls >= settings.minimum_rows:
            found += _constant(column)
        found += _stale(column, before)
    # The tests of columns that did change have a p-value of 1: they stand for the rest of two for each column.
    adjusted = holm_p_values([*(each.p_value for each in found), *[1.0] * (2 * len(columns) - len(found))])
    return [
        compared_with(context, _decided(each, float(by_all), rate))
        for each, by_all in zip(found, adjusted, strict=False)
    ]


@dataclass(frozen=True)
class _Column:
    """One column of the window beside the reference."""

    context: CheckContext
    name: str

    @property
    def bins(self) -> Bins:
        return self.context.baseline.bins[self.name]

    @property
    def current(self) -> ColumnProfile:
        return self.context.profile.columns[self.name]

    @property
    def reference(self) -> ColumnProfile:
        return self.context.reference.columns[""][self.name]

    @property
    def dispersion(self) -> ColumnDispersion | None:
        return self.context.reference.dispersions.get("", {}).get(self.name)

    @property
    def belief(self) -> Dispersion:
        return INDEPENDENT_ROWS if self.dispersion is None else self.dispersion.of_shares(1)

    @property
    def assumed(self) -> str:
        if self.dispersion is not None:
            return ""
        # Such as that of one nightly batch: all of its rows have one time.
        return AS_INDEPENDENT if self.context.monitor.baseline.period is None else AS_ONE_WINDOW

    @cached_property
    def varies(self) -> bool:
        """Whether the reference holds more than one value."""
        return self.reference.rows > self.reference.nulls and _single_value(self.bins, self.reference) is None


def _single_value(bins: Bins, column: ColumnProfile) -> str | None:
    """Return the only value that the rows hold; None where there are several, or none, or that is not known."""
    occupied = np.flatnonzero(column.array()[1:]) + 1
    if len(occupied) != 1:
        return None
    place = int(occupied[0])
    if bins.kind != "categorical":
        low, high = column.minimum, column.maximum
        # Without a finite value all are infinite; of two infinities in one bin nothing is known.
        return shown_number(bins.kind, low) if low is not None and low == high else None
    if place <= len(bins.categories):
        return shown(bins.categories[place - 1])
    if place == len(bins) - 2:
        return shown(bins.others[0]) if len(bins.others) == 1 else None
    return shown(column.unseen[0][0]) if column.unseen is not None and len(column.unseen) == 1 else None


def _constant(column: _Column) -> Iterator[_Stopped]:
    value = _single_value(column.bins, column.current)
    if value is None:
        return
    current, reference = column.current, column.reference
    values = current.rows - current.nulls
    belief = column.belief
    chance = belief.averaged(partial(one_bin_p_value, reference.array()[1:], values), values)
    place = int(np.flatnonzero(current.array()[1:])[0]) + 1
    share = reference.counts[place] / (reference.rows - reference.nulls)
    result = Result(
        "constant",
        value=1.0,
        column_name=current.column,
        p_value=chance,
        baseline_rows=reference.rows,
        window_rows=current.rows,
        message=f"{current.column} has one value, {value}, in all {values:,} rows that have any",
        detail={"expected": share, "design_effect": belief.mean},
    )
    yield _Stopped(result, chance, column.assumed)


class _Before:
    """The windows right before this one, if as many are known as make a column stale."""

    def __init__(self, context: CheckContext, settings: DataQuality) -> None:
        self._places = Places(context.baseline.bins)
        self._order = {name: place for place, name in enumerate(context.baseline.bins)}
        known = context.latest_before() if settings.stale_windows > 1 else ()
        chain = [*(window.window for window in known), context.window]
        neighbours = all(first.end == second.start for first, second in pairwise(chain))
        enough = sum(window.windows for window in known) >= settings.stale_windows - 1
        full = all(window.rows >= settings.minimum_rows and window.windows == 1 for window in known)
        self.windows: tuple[WindowCounts, ...] = known if enough and neighbours and full else ()

    def counts(self, window: WindowCounts, name: str) -> NDArray[np.int64]:
        return window.counts[""][self._places.slices[name]]

    def sums(self, window: WindowCounts, name: str) -> dict[str, float]:
        values = window.sums[""][:, self._order[name]]
        return dict(zip(SUMS, values.tolist(), strict=True))


def _stale(column: _Column, before: _Before) -> Iterator[_Stopped]:
    current, dispersion = column.current, column.dispersion
    if not before.windows or current.rows == current.nulls:
        return
    if not all(
        _same(current, before.counts(each, column.name), before.sums(each, column.name)) for each in before.windows
    ):
        return
    belief, reference = column.belief, column.reference
    if current.rows < FEWEST * belief.mean:
        return
    if dispersion is not None and dispersion.parts >= 2 and dispersion.shares < LIVELY * (dispersion.parts - 1):
        return
    chance = 1.0  # of each of them that it repeats the one before
    for each in before.windows:
        counts = before.counts(each, column.name)
        repeats = partial(same_shares_probability, reference.array(), counts)
        chance *= belief.averaged(repeats, float(counts.sum()))
    windows = len(before.windows) + 1
    result = Result(
        "stale",
        value=float(windows),
        column_name=current.column,
        p_value=chance,
        baseline_rows=reference.rows,
        window_rows=current.rows,
        message=f"{current.column} has not changed at all for {windows} windows: the same shares, extremes and mean",
        detail={"design_effect": belief.mean},
    )
    yield _Stopped(result, chance, column.assumed)


def _same(current: ColumnProfile, counts: NDArray[np.int64], sums: dict[str, float]) -> bool:
    """Tell whether two windows have the same shares in all bins, the same extremes and the same mean."""
    rows = int(counts.sum())
    if not rows or not np.array_equal(current.array() * rows, counts * current.rows):
        return False
    for name in ("minimum", "maximum"):
        value = getattr(current, name)
        if (math.nan if value is None else value) != sums[name] and not (value is None and math.isnan(sums[name])):
            return False
    if current.mean is None or math.isnan(sums["total"]):
        return current.mean is None and math.isnan(sums["total"])
    return math.isclose(current.mean, sums["total"] / (rows - int(counts[0])), rel_tol=1e-9, abs_tol=1e-300)


def _decided(found: _Stopped, adjusted: float, rate: float) -> Result:
    result = found.result
    if adjusted > rate:
        return replace(
            result, status="ok", message=f"{result.message}, but chance alone may do this: {p_value(found.p_value)}"
        )
    status: Status = "alarm"
    if result.metric == "stale" and found.assumed:
        # What shows no windows does not show that they differ: where each scores the same customers, none do.
        status = "info"
    more = f"; {found.assumed}" if found.assumed else ""
    return replace(result, status=status, message=f"{result.message} ({p_value(found.p_value)} by chance){more}")
