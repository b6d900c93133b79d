"""What one window is compared with: rows counted on the baseline's bins. Pure.

With `period` or `table` these are the baseline's own rows, the same for every window. With `rolling` and `seasonal` they
are those of earlier windows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from monitoring_tasks.profile import Baseline, ColumnProfile
from monitoring_tasks.statistics.dispersion import Dispersion


@dataclass(frozen=True)
class Reference:
    """Counts to compare with, and by how much such counts differ from one part of them to the next."""

    name: str
    """What it is, as it stands in results: ``baseline``, ``rolling 2013-03-04T05:00Z/2013-04-01T04:00Z``."""
    columns: Mapping[str, Mapping[str, ColumnProfile]]
    """By segment ('' is all rows), then by column."""
    dispersions: Mapping[str, Mapping[str, Dispersion]] = field(default_factory=dict)
    """The same; without an entry rows are taken to be independent."""

    @classmethod
    def of_baseline(cls, baseline: Baseline) -> Reference:
        """Return the baseline's own rows."""
        return cls("baseline", {"": baseline.columns, **baseline.segments})
