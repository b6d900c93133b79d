"""What became of the baseline's rows: the performance that windows are held against. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from typing import Any

import numpy as np

from monitoring_tasks.labels_profile import LabelsProfile, dense, sparse
from monitoring_tasks.outcome_bins import SCORE_GROUPS, OutcomeBins
from monitoring_tasks.statistics.histogram import FloatArray, IntArray
from monitoring_tasks.statistics.performance.conditional_shift import BetweenWindows, between_windows
from monitoring_tasks.statistics.performance.outcomes import Outcomes
from monitoring_tasks.window import Window

WHOLE = ""
"""The segment of all rows, and the column of all outcomes."""

MOST_PARTS = 100
"""Windows of the baseline whose columns are kept one by one; of more, neighbours are added up."""

MOST_CELLS = 1_000_000
"""Numbers that are kept of them in all: 8 MB. With many columns and segments fewer windows are."""


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
    part_columns: Mapping[str, Mapping[str, FloatArray]] = field(default_factory=dict, repr=False)
    """By segment and column, what `label_table` returns of at most `MOST_PARTS` windows or neighbours: shape
    (windows, bins, numbers); under '' by group of places."""
    part_class_scores: IntArray | None = field(default=None, repr=False)
    """`Outcomes.class_scores` of each window, of neighbouring bins where there are very many; None where scores are
    not counted by class."""
    measured_in: str = ""
    """A digest of the windows that were measured and of what says when a label arrived."""
    no_class: tuple[str, ...] = ()
    """Some values of labels that are no class of the model, or not the positive one, where the rows show no other."""
    _between: dict[tuple[str, str, int], BetweenWindows] = field(default_factory=dict, init=False, repr=False)

    @property
    def whole(self) -> LabelsProfile:
        """That of all rows."""
        return self.profiles[WHOLE]

    @property
    def shows_no_class(self) -> bool:
        """Whether no label is the positive class, or most are no class of the model: the file names other classes."""
        if not self.bins.classes or not self.whole.labelled:
            return False
        labels = self.whole.cells.reshape(self.bins.shape)[..., :-1].sum(axis=(0, 1))
        if self.bins.task == "binary_classification":
            return bool(labels[1] == 0)
        return bool(labels[-1] > labels.sum() / 2)

    @cached_property
    def parts(self) -> Outcomes:
        """The labelled rows of each window, coarsely: what shows how much performance varies from window to window."""
        shape, scores = self.bins.split, self.part_class_scores
        edges = self.bins.group_edges
        if scores is not None:
            edges = np.array(self.bins.score_edges)[_first_of_groups(self.bins, scores.shape[-2])[1:] - 1]
        return Outcomes(
            counts=self.part_counts.reshape(-1, *shape)[..., :-1],
            sums={name: each.reshape(-1, *shape)[..., :-1] for name, each in self.part_sums.items()},
            edges=edges,
            class_scores=scores,
        )

    def between(self, segment: str, column: str, label: int = 0) -> BetweenWindows | None:
        """Return by how much windows differ at equal values of a column; None where it was not kept.

        It is that of the share of one label, or of the mean residual of a regression. It takes milliseconds and is
        worked out once.
        """
        key = segment, column, label
        if key not in self._between:
            parts = self.part_columns.get(segment, {}).get(column)
            if parts is None:
                return None
            each = moments(parts, label, self.bins)
            self._between[key] = between_windows(each.sum(axis=0), each)
        return self._between[key]

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
            part_columns=_columns_of_parts(parts),
            part_class_scores=_class_scores_of_parts(whole),
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
        columns = {
            segment: {name: _numbers(each) for name, each in found.items()}
            for segment, found in self.part_columns.items()
        }
        scores = self.part_class_scores
        # Without such scores the key is left out, so that a baseline stored before this was counted is still the same.
        of_classes = {} if scores is None else {"class_scores": {"groups": scores.shape[-2], **sparse(scores)}}
        parts = {"count": len(self.part_counts), "rows": rows, "columns": columns, **of_classes}
        return profiles, parts | {"measured_in": self.measured_in, "no_class": list(self.no_class)}

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
        columns = {
            segment: {name: _array(each) for name, each in its.items()} for segment, its in parts["columns"].items()
        }
        scores = parts.get("class_scores")
        return cls(
            window=window,
            bins=bins,
            profiles=found,
            part_counts=counts,
            part_sums=sums,
            part_columns=columns,
            part_class_scores=None
            if scores is None
            else dense(scores, (len(counts), len(bins.classes), scores["groups"], 2)),
            measured_in=parts.get("measured_in", ""),
            no_class=tuple(parts.get("no_class", ())),
        )


def label_table(profile: LabelsProfile, column: str) -> FloatArray:
    """Return the labelled rows of each bin of a column by label, or of a regression rows, residuals and their squares.

    Parameters
    ----------
    profile
        A window's labels.
    column
        Its name; '' for the groups of places of the score.

    Returns
    -------
    float ndarray, shape (bins, labels) or, of a regression, (bins, 3)
        Rows of a regression without a prediction have no residual and are left out.
    """
    bins = profile.bins
    if bins.task == "regression":
        outcomes = profile.by_bin(column)
        with_residual = outcomes.counts[:, 1:].sum(axis=(1, 2, 3))
        sums = [outcomes.sums[name].sum(axis=(1, 2, 3)) for name in ("error", "error_squares")]
        return np.stack([with_residual, *sums], axis=-1).astype(np.float64)
    if column == WHOLE:
        counts = profile.counts_by_outcome.reshape(bins.split)[..., :-1].sum(axis=1)
    else:
        counts = profile.columns[column].reshape(-1, *bins.split)[..., :-1].sum(axis=(1, 2))
    found: FloatArray = counts.astype(np.float64)
    return found


def stratified_table(profile: LabelsProfile, column: str) -> FloatArray:
    """Return the labelled rows of each bin of a column by what the model said, and by label.

    Shape (bins, groups of the score's places, labels), without a score (bins, predictions, labels).
    """
    bins = profile.bins
    counts = profile.columns[column].reshape(-1, *bins.split)[..., :-1]
    found: FloatArray = counts.sum(axis=2 if bins.split[0] > 1 else 1).astype(np.float64)
    return found


def moments(table: FloatArray, label: int, bins: OutcomeBins) -> FloatArray:
    """Return rows, sum and sum of squares by bin, of 1 for one label and 0 for the others, or of the residual."""
    if bins.task == "regression":
        return table
    return np.stack([table.sum(axis=-1), table[..., label], table[..., label]], axis=-1)


def _columns_of_parts(parts: Sequence[Sequence[LabelsProfile]]) -> dict[str, dict[str, FloatArray]]:
    bins = parts[0][0].bins
    names = {profile.segment: tuple(profile.columns) for profiles in parts for profile in profiles}
    first = {profile.segment: profile for profiles in parts for profile in profiles}
    with_places = (WHOLE,) if bins.task == "binary_classification" and bins.edges else ()
    shapes = {
        segment: {name: label_table(first[segment], name).shape for name in (*with_places, *its)}
        for segment, its in names.items()
    }
    cells = sum(int(np.prod(shape)) for its in shapes.values() for shape in its.values())
    groups = max(1, min(len(parts), MOST_PARTS, MOST_CELLS // max(cells, 1)))
    found = {
        segment: {name: np.zeros((groups, *shape)) for name, shape in its.items()} for segment, its in shapes.items()
    }
    for i, profiles in enumerate(parts):
        for profile in profiles:
            for name, array in found[profile.segment].items():
                if name == WHOLE or name in profile.columns:
                    array[i * groups // len(parts)] += label_table(profile, name)
    return found


def _class_scores_of_parts(parts: Sequence[LabelsProfile]) -> IntArray | None:
    scores = [each for part in parts if (each := part.outcomes.class_scores) is not None]
    if len(scores) < len(parts):
        return None
    bins = parts[0].bins
    groups = min(len(bins.score_edges) + 1, max(SCORE_GROUPS, MOST_CELLS // (2 * len(parts) * len(bins.classes))))
    found: IntArray = np.add.reduceat(np.stack(scores), _first_of_groups(bins, groups), axis=-2)
    return found


def _first_of_groups(bins: OutcomeBins, groups: int) -> IntArray:
    """Return the first bin of every group of the classes' score bins, of which each holds as many but one."""
    first: IntArray = np.arange(groups) * (len(bins.score_edges) + 1) // groups
    return first


def _numbers(array: FloatArray) -> dict[str, Any]:
    """Return an array as its shape, the places of what is not zero, and what stands there; floats survive exactly."""
    flat = array.reshape(-1)
    places = np.flatnonzero(flat)
    values = [int(value) if value.is_integer() else value for value in flat[places].tolist()]
    return {"shape": list(array.shape), "places": places.tolist(), "values": values}


def _array(values: Mapping[str, Any]) -> FloatArray:
    flat = np.zeros(int(np.prod(values["shape"])))
    flat[values["places"]] = values["values"]
    return flat.reshape(values["shape"])
