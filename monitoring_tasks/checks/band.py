"""The band of what is usual: what a metric was in the windows before, each compared as this one is."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from monitoring_tasks.checks.wording import number
from monitoring_tasks.look_back import MINIMUM_BAND_WINDOWS, look_back_start
from monitoring_tasks.statistics.drift import DriftMetric, Layout, select_many, sizes
from monitoring_tasks.statistics.hampel_identifier import HampelIdentifier, hampel_identifier
from monitoring_tasks.window import format_duration
from monitoring_tasks.window_counts import Places, stack

if TYPE_CHECKING:
    from monitoring_tasks.checks.check import CheckContext
    from monitoring_tasks.config import DriftSettings


@dataclass(frozen=True)
class Band:
    """What one metric of one column in one segment usually is."""

    over: timedelta
    """How long before the window it begins."""
    windows: int
    """Earlier windows in which the metric could be measured and judged."""
    usual: HampelIdentifier | None
    """Of the sizes in those; None of too few."""

    @property
    def detail(self) -> dict[str, object]:
        """Return it as it stands in results."""
        median, mad = (None, None) if self.usual is None else (self.usual.median, self.usual.mad)
        return {"median": median, "mad": mad, "windows": self.windows, "over": format_duration(self.over)}

    def bound_in_words(self, threshold: float) -> str:
        """Say what the threshold is that was applied: the band's, or another for want of earlier windows."""
        if self.usual is None:
            few = "no earlier window" if self.windows == 0 else f"only {self.windows} earlier window"
            return f"{number(threshold)}, {few}{'s' if self.windows > 1 else ''} for its band"
        if self.usual.mad == 0:
            return f"{number(threshold)} if it is significant: most of the {self.windows} windows before had that"
        return f"{number(threshold)}, the usual range of the {self.windows} windows before"


class Bands:
    """The bands that the settings of a check ask for, in one window.

    Parameters
    ----------
    context
        The window, with the windows before it.
    settings
        The check's.
    """

    def __init__(self, context: CheckContext, settings: DriftSettings) -> None:
        self._context, self._settings = context, settings
        self._places = Places(context.baseline.bins if settings.band else {})
        self._stacked: dict[str, NDArray[np.int64]] = {}
        self._firsts: dict[timedelta, int] = {}

    def of(self, metric: DriftMetric, column: str, segment: str) -> Band | None:
        """Return the band of a metric whose size could be measured in this window; None if the file asks for none.

        Windows do not count in which the column has fewer than `minimum_rows` rows in the segment, or nothing that
        the metric is taken over.
        """
        asked = self._settings.band.get(metric.name)  # type: ignore[call-overload]
        if asked is None:
            return None
        context, bins = self._context, self._context.baseline.bins[column]
        before, first = context.windows_before, self._first(asked.over)
        if first == len(before):
            return Band(asked.over, 0, None)
        if segment not in self._stacked:
            self._stacked[segment] = stack(before, segment, self._places)
        layout: Layout = "categorical" if bins.kind == "categorical" else "numeric"
        profile = context.reference.columns[segment][column]
        counts = self._stacked[segment][first:, self._places.slices[column]]
        reference, windows = select_many(metric, layout, profile.array(), counts)
        counted = (counts.sum(axis=1) >= self._settings.minimum_rows) & windows.any(axis=1)
        if not counted.any():
            return Band(asked.over, 0, None)
        edges = scale = None
        if metric.needs_edges:
            place = list(self._places.bins).index(column)
            extremes = [each.sums[segment][:2, place] for each, its in zip(before[first:], counted, strict=True) if its]
            edges = _closed_edges(bins.edges, profile.minimum, profile.maximum, np.array(extremes))
            scale = profile.standard_deviation
        found = sizes(metric, reference, windows[counted], edges, scale)
        usual = hampel_identifier(found, asked.width) if found.size >= MINIMUM_BAND_WINDOWS else None
        return Band(asked.over, found.size, usual)

    def _first(self, over: timedelta) -> int:
        """Return the place of the first window inside the time."""
        if over not in self._firsts:
            since = look_back_start(self._context.window.start, over, self._context.monitor.schedule.timezone)
            self._firsts[over] = bisect_left(self._context.windows_before, since, key=lambda each: each.window.start)
        return self._firsts[over]


def _closed_edges(
    edges: tuple[float, ...], minimum: float | None, maximum: float | None, extremes: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return each window's edges with the two open bins closed by the extreme values seen, as for the window itself."""
    low = np.fmin(extremes[:, 0], edges[0] if minimum is None else min(edges[0], minimum))
    high = np.fmax(extremes[:, 1], edges[-1] if maximum is None else max(edges[-1], maximum))
    inner = np.broadcast_to(edges, (len(extremes), len(edges)))
    return np.column_stack((low, inner, high))
