"""What a check is: a pure function of one window's context to results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from monitoring_tasks.checks.result import Result
from monitoring_tasks.profile import Baseline, ColumnProfile, Profile
from monitoring_tasks.reference import Reference
from monitoring_tasks.window import Window

if TYPE_CHECKING:
    from monitoring_tasks.config import Monitor


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
    earlier_before: Mapping[str, ColumnProfile] = field(default_factory=dict)
    """All rows of what the latest of the earlier windows was compared with itself, by column; without the columns of
    which too few windows had rows."""

    @cached_property
    def reference(self) -> Reference:
        """What the window is compared with."""
        return self.earlier or Reference.of_baseline(self.baseline)


@dataclass(frozen=True)
class Check:
    """One check."""

    name: str
    """As in the monitor file and in result rows."""
    family: str
    """Checks that people read and clear together: one Airflow task."""
    run: Callable[[CheckContext], list[Result]]
    """Raises nothing for a bad column: it writes an ``error`` row and goes on."""
    compares: bool = False
    """Whether it reads `CheckContext.reference`: then earlier windows are read for it, where the file asks for them."""
