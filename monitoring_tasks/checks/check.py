"""What a check is: a pure function of one window's context to results."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from monitoring_tasks.checks.result import Result
from monitoring_tasks.profile import Baseline, ColumnProfile, Profile
from monitoring_tasks.reference import OWN_ROWS, Reference
from monitoring_tasks.traffic import Traffic
from monitoring_tasks.window import Window
from monitoring_tasks.window_counts import WindowCounts

if TYPE_CHECKING:
    import pyarrow as pa

    from monitoring_tasks.config import Monitor
    from monitoring_tasks.expectations.outcome import SuiteRun
    from monitoring_tasks.labelled_baseline import LabelledBaseline
    from monitoring_tasks.labelled_rows import LabelledSamples
    from monitoring_tasks.labels_profile import LabelsProfile, WindowLabels


@dataclass(frozen=True)
class RowSamples:
    """Rows of the two sides, drawn without chance: numbers and times as doubles, categories as texts."""

    baseline: pa.Table
    """Of what the window is compared with."""
    window: pa.Table
    compared_with: str = OWN_ROWS
    """What the baseline's rows are: see `Reference.named`."""
    parts: Callable[[Callable[[pa.Table, pa.Table], Any], Any], Sequence[Any]] = lambda _measure, _mine: ()
    """Measures, by the function that is given, windows as long as this one in which nothing drifted, each against what
    it would be compared with. It is told what was measured of this window, which may be such a one to a later. Empty
    where there are none."""


@dataclass(frozen=True)
class CheckContext:
    """What a check may look at."""

    monitor: Monitor
    window: Window
    profile: Profile
    """All rows of the window."""
    baseline: Baseline
    segments: tuple[Profile, ...] = ()
    """The same window, split; a segment without rows is left out."""
    earlier: Reference | None = None
    """What a moving or seasonal baseline compares with; None for one that is fixed."""
    season: Reference | None = None
    """All rows of the time that a moving or seasonal baseline reaches back; of a seasonal one only where the window is
    the first of its cycle, else None."""
    seasons_before: Callable[[], Iterable[Mapping[str, ColumnProfile]]] = lambda: ()
    """Works out the same of earlier windows, the latest first, others evenly back to the earliest: by column, without
    the columns of which too few windows had rows."""
    windows_before: tuple[WindowCounts, ...] = ()
    """What bands are taken over: the profiles of the windows before, in time order, as far as the longest of them."""
    traffic: Traffic | None = None
    """When the window's rows came; None of a window that a version before 0008 read."""
    traffic_before: Callable[[], tuple[Traffic, ...]] = lambda: ()
    """Reads the same of the earlier windows that are expected to be like this one, in time order: those that begin at
    the same time of the week. For checks that declare it (`Check.looks_at_traffic`)."""
    latest_before: Callable[[], tuple[WindowCounts, ...]] = lambda: ()
    """Reads the profiles of the windows right before this one, in time order: of so many that with this one they are
    `data_quality.stale_windows`. Fewer where some are not known."""
    run_suite: Callable[[], SuiteRun] | None = None
    """Validates the window's rows with the suite of `data_quality`; None of a monitor without one.
    Raises DataError where the suite cannot be used, TransientError where the warehouse does not answer."""
    labels: WindowLabels | None = None
    """What became of the window's rows; None of a monitor without labels, and for checks that do not declare that they
    read them (`Check.reads_labels`)."""
    labelled_baseline: LabelledBaseline | None = None
    """The same of the baseline's rows; None before they are complete."""
    labels_before: Callable[[], tuple[LabelsProfile, ...]] = lambda: ()
    """Reads what became of all rows of the windows before, without their columns, in time order: of as many as the
    detectors look back on, without those whose labels are not known. For checks that declare it
    (`Check.looks_back_on_labels`)."""
    draw: Callable[[Sequence[str], int, int], RowSamples] | None = None
    """Reads at most so many rows of these columns on either side, for checks that declare it (`Check.reads_rows`); what
    has fewer than the last number is no part.
    Raises NoKeyError where the baseline's rows cannot be drawn."""
    draw_labelled: Callable[[Sequence[str], int], LabelledSamples] | None = None
    """Reads at most so many labelled rows of these columns of the window and of the fixed baseline, for checks that
    declare that they read rows and labels.
    Raises NoKeyError where the baseline's rows cannot be drawn."""

    @property
    def labels_profile(self) -> LabelsProfile | None:
        """What became of all rows of the window; None where labels are not known or not read."""
        return self.labels.profiles[0] if self.labels is not None and self.labels.profiles else None

    @cached_property
    def reference(self) -> Reference:
        """What the window is compared with; a window is never in its own baseline."""
        reference = self.earlier or Reference.of_baseline(self.baseline, self.window.length)
        period = self.monitor.baseline.period
        if period is None or not period.window.overlaps(self.window):
            return reference
        if period.window.holds(self.window):
            return reference.without((self.profile, *self.segments))
        return reference.with_a_part_of_it()


@dataclass(frozen=True)
class Check:
    """One check."""

    name: str
    """As in the monitor file and in result rows."""
    family: str
    """Checks that people read and clear together: one Airflow task."""
    run: Callable[[CheckContext], list[Result]]
    """Raises nothing for a bad column: it writes an ``error`` row and goes on."""
    reads_rows: Callable[[Monitor], bool] = lambda _: False
    """Whether the profile is not enough for it: only such a check costs a look into the warehouse."""
    reads_labels: bool = False
    """Whether it reads `CheckContext.labels`: then it runs again when labels have come."""
    looks_back_on_labels: bool = False
    """Whether it reads `CheckContext.labels_before`: then it runs again when the labels of an earlier window change."""
    looks_at_traffic: bool = False
    """Whether it reads `CheckContext.traffic_before`: then the traffic of earlier windows is read for it."""
    compares: bool = False
    """Whether it reads `CheckContext.reference`: then earlier windows are read for it, where the file asks for them."""
