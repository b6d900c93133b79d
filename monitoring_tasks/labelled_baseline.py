"""What became of the baseline's rows: the performance that windows are held against. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from typing import Any

import numpy as np

from monitoring_tasks.labels_profile import LabelsProfile, dense, sparse
from monitoring_tasks.outcome_bins import OutcomeBins
from monitoring_tasks.statistics.histogram import FloatArray, IntArray
from monitoring_tasks.statistics.performance.outcomes import Outcomes
from monitoring_tasks.window import Window

WHOLE = ""
"""The segment of all rows, and the column of all outcomes."""


@dataclass(frozen=True, eq=False)
class LabelledBaseline:
    """The labels of a baseline's rows, measured when they were complete, and again when more of them have come."""

    window: Window
    bins: OutcomeBins = field(repr=False)
    profiles: Mapping[str, LabelsProfile]
    """By segment, all rows under ''."""
    part_counts: IntArray = field(repr=False)
    """Rows by window of the schedule inside the baseline's period and by outcome."""
    part_sums: Mapping[str, FloatArray] = field(repr=False)
    """Of each loss, shaped as `part_counts`."""

    @property
    def whole(self) -> LabelsProfile:
        """That of all rows."""
        return self.profiles[WHOLE]

    @cached_property
    def parts(self) -> Outcomes:
        """The labelled rows of each window, coarsely: what shows how much performance varies from window to window."""
        shape = self.bins.split
        return Outcomes(
            counts=self.part_counts.reshape(-1, *shape)[..., :-1],
            sums={name: each.reshape(-1, *shape)[..., :-1] for name, each in self.part_sums.items()},
            edges=self.bins.group_edges,
        )

    @classmethod
    def of(cls, window: Window, parts: Sequence[Sequence[LabelsProfile]]) -> LabelledBaseline:
        """Add up the windows inside a period; of each come all its rows first, then its segments."""
        bins = parts[0][0].bins
        by_segment: dict[str, list[LabelsProfile]] = {}
        for profiles in parts:
            for profile in profiles:
                by_segment.setdefault(profile.segment, []).append(profile)
        whole = [profiles[0] for profiles in parts]
        return cls(
            window=window,
            bins=bins,
            profiles={
                segment: reduce(lambda a, b: a.with_rows_of(b, window), found[1:], found[0])
                for segment, found in by_segment.items()
            },
            part_counts=np.stack([profile.counts_by_outcome for profile in whole]),
            part_sums={name: np.stack([profile.sums_by_outcome[name] for profile in whole]) for name in bins.losses},
        )

    def to_json(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the profiles and the parts as JSON values."""
        profiles = {
            segment: {WHOLE: profile.to_json(), **{name: sparse(each) for name, each in profile.columns.items()}}
            for segment, profile in self.profiles.items()
        }
        filled = np.flatnonzero(self.part_counts.reshape(-1))
        sums = [each.reshape(-1) for each in self.part_sums.values()]
        flat = self.part_counts.reshape(-1)
        rows = [[int(i), int(flat[i]), *(float(each[i]) for each in sums)] for i in filled]
        return profiles, {"count": len(self.part_counts), "rows": rows}

    @classmethod
    def from_json(
        cls,
        window: Window,
        bins: OutcomeBins,
        sizes: Mapping[str, int],
        profiles: Mapping[str, Any],
        parts: Mapping[str, Any],
    ) -> LabelledBaseline:
        """Undo `to_json`; `sizes` are the numbers of bins by column."""
        shape = (parts["count"], bins.outcomes)
        counts = np.zeros(shape, np.int64)
        sums = {name: np.zeros(shape) for name in bins.losses}
        for place, rows, *totals in parts["rows"]:
            counts.reshape(-1)[place] = rows
            for each, total in zip(sums.values(), totals, strict=True):
                each.reshape(-1)[place] = total
        found = {
            segment: LabelsProfile.from_json(
                window,
                segment,
                bins,
                columns[WHOLE],
                {
                    name: dense(each, (sizes[name], bins.outcomes))
                    for name, each in columns.items()
                    if name != WHOLE and name in sizes
                },
            )
            for segment, columns in profiles.items()
        }
        return cls(window=window, bins=bins, profiles=found, part_counts=counts, part_sums=sums)
