"""Labels of made-up windows, made of arrays: no warehouse, no store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from monitoring_tasks.checks import CheckContext
from monitoring_tasks.config import Monitor
from monitoring_tasks.labelled_baseline import LabelledBaseline
from monitoring_tasks.labels_profile import LabelsProfile, WindowLabels
from monitoring_tasks.outcome_bins import OutcomeBins, residual_edges
from monitoring_tasks.profile import Baseline, Bins, Profile
from monitoring_tasks.window import Window

FIRST = datetime(2024, 3, 1, tzinfo=UTC)

BINARY = OutcomeBins("binary_classification", ("not 1", "1"), tuple(np.linspace(0, 1, 65)))
MULTICLASS = OutcomeBins("multiclass_classification", ("a", "b", "c", "(other)"))
SCORED = OutcomeBins("multiclass_classification", ("a", "b", "c", "(other)"), score_edges=tuple(np.linspace(0, 1, 65)))
REGRESSION = OutcomeBins("regression", edges=residual_edges(5), exponent=5)

BY_COLUMN = 20
"""Bins of each feature, beside that of what is missing."""


def window_of(day: int) -> Window:
    """Return a day."""
    return Window(FIRST + timedelta(days=day), FIRST + timedelta(days=day + 1))


def labels_of(
    bins: OutcomeBins,
    day: int,
    label: np.ndarray,
    prediction: np.ndarray,
    score: np.ndarray | None = None,
    columns: dict[str, np.ndarray] | None = None,
    segment: str = "",
) -> LabelsProfile:
    """Count rows as a scan does; a label of NaN is not known, columns are numbers of bins.

    The score of a multiclass model has a column for each class but the last.
    """
    _, predictions, labels = bins.shape
    known = ~np.isnan(label)
    answer = score if bins.task == "binary_classification" else prediction - label
    place = np.zeros(len(label), int)
    if bins.edges and answer is not None:
        place = np.where(np.isnan(answer), 0, 1 + np.searchsorted(np.array(bins.edges), answer, "right"))
    predicted = prediction.astype(int) + 1 if bins.classes else np.zeros(len(label), int)
    number = np.where(known, np.nan_to_num(label) if bins.classes else 0, labels - 1).astype(int)
    cell = (place * predictions + predicted) * labels + number
    sums = {
        name: np.where(known | (name == "score"), each, 0.0) for name, each in losses(bins, label, prediction, score)
    }
    units = {name: np.zeros(bins.cells, object) for name in bins.losses}
    for name in bins.losses:
        whole = np.round(np.nan_to_num(sums[name]) / bins.unit(name))
        for at, value in zip(cell, whole, strict=True):
            units[name][at] += int(value)
    outcome = bins.outcome_of_cell[cell]
    counted = {}
    for name, number_of_bin in (columns or {}).items():
        counted[name] = np.zeros((BY_COLUMN + 1, bins.outcomes), np.int64)
        np.add.at(counted[name], (number_of_bin, outcome), 1)
    scores = None
    if bins.class_scores is not None and score is not None:
        scores = np.zeros(bins.class_scores, np.int64)
        for one in range(score.shape[1]):
            its = np.where(known, label == one, 2).astype(int)
            np.add.at(scores[one], (np.searchsorted(np.array(bins.score_edges), score[:, one], "right"), its), 1)
    cells = np.bincount(cell, minlength=bins.cells)
    return LabelsProfile(window_of(day), bins, cells, units, counted, class_scores=scores, segment=segment)


def losses(bins, label, prediction, score):
    """Return what is summed of each row."""
    if bins.task == "regression":
        error = prediction - label
        share = np.abs(error / np.where(label == 0, 1, label))
        yield from (("error", error), ("error_squares", error**2), ("absolute_error", abs(error)))
        yield from (("percentage_error", share), ("percentage_error_squares", share**2))
        yield from (("label", label), ("label_squares", label**2))
    elif bins.task == "multiclass_classification" and bins.losses:
        of_label = np.take_along_axis(score, np.nan_to_num(label).astype(int)[:, np.newaxis], axis=1)[:, 0]
        loss, square = -np.log(of_label), (score**2).sum(axis=1) - 2 * of_label + 1
        yield from (("log_loss", loss), ("log_loss_squares", loss**2))
        yield from (("brier", square), ("brier_squares", square**2))
    elif bins.losses:
        loss = -np.log(np.where(label == 1, score, 1 - score))
        square = (score - label) ** 2
        yield from (("score", score), ("log_loss", loss), ("log_loss_squares", loss**2))
        yield from (("brier", square), ("brier_squares", square**2))


def context_of(
    monitor: Monitor,
    profiles: list[LabelsProfile],
    baseline: LabelledBaseline | None,
    final: bool = False,
    before: tuple[LabelsProfile, ...] = (),
) -> CheckContext:
    """Return what a check of labels is given."""
    bins = profiles[0].bins
    features = list(profiles[0].columns)
    edges = {name: Bins("numeric", tuple(range(BY_COLUMN - 1))) for name in features}
    whole = Profile(profiles[0].window, profiles[0].rows, {})
    fixed = Baseline(monitor.name, {"features": features}, edges, {}, 1, outcomes=bins)
    return CheckContext(
        monitor,
        profiles[0].window,
        whole,
        fixed,
        labels=WindowLabels(tuple(profiles), final),
        labelled_baseline=baseline,
        labels_before=lambda: before,
    )
