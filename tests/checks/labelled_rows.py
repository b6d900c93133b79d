"""Labelled rows, made up and counted as the scan counts them: what a check of labels is given, without a warehouse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from monitoring_tasks.checks import CheckContext
from monitoring_tasks.config import Monitor, parse_monitor
from monitoring_tasks.labelled_baseline import LabelledBaseline
from monitoring_tasks.labels_profile import LabelsProfile, WindowLabels
from monitoring_tasks.outcome_bins import OutcomeBins, residual_edges
from monitoring_tasks.profile import Baseline, Bins, Profile
from monitoring_tasks.window import Window

START = datetime(2024, 3, 1, tzinfo=UTC)
PARTS = 24

BINARY = OutcomeBins("binary_classification", ("not 1", "1"), tuple(i / 20 for i in range(1, 20)))
REGRESSION = OutcomeBins("regression", edges=residual_edges(6), exponent=6)
MULTICLASS = OutcomeBins("multiclass_classification", ("red", "green", "blue", "(other)"))
FEATURE = Bins("numeric", tuple(float(i) for i in range(9)), exponent=4)
"""Eight bins, [0, 1) to [7, 8), and null, below and above."""

MONITOR = """\
monitor: loans
schedule: "@daily"
start: 2024-04-01
warehouse: loans
inference_log:
  table: inference_log
  timestamp: asked_at
  key: id
  features: {{{features}}}
  prediction: predicted
{score}
labels: {{table: outcomes, key: id, value: repaid, timestamp: known_at, complete_after: 2d}}
task: {task}
baseline: {{period: {{start: 2024-03-01, end: 2024-04-01}}}}
checks: {checks}
"""


def day(number: int) -> Window:
    return Window(START + timedelta(days=number), START + timedelta(days=number + 1))


def monitor(features: Sequence[str], task: str = "binary_classification", checks: str = "{}") -> Monitor:
    score = "  score: probability\n  positive_class: 1" if task == "binary_classification" else ""
    text = ", ".join(f"{name}: numeric" for name in features)
    return parse_monitor(MONITOR.format(features=text, score=score, task=task, checks=checks), environ={})


@dataclass
class Rows:
    """Rows of one window: features in [0, 8), all labelled."""

    features: Mapping[str, np.ndarray]
    label: np.ndarray
    """0 or 1; the number of a class; or a number."""
    prediction: np.ndarray
    score: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.label)

    def where(self, mask: np.ndarray) -> Rows:
        features = {name: each[mask] for name, each in self.features.items()}
        score = None if self.score is None else self.score[mask]
        return Rows(features, self.label[mask], self.prediction[mask], score)


def counted(rows: Rows, bins: OutcomeBins, window: Window, segment: str = "") -> LabelsProfile:
    """Count rows as the scan does."""
    n = len(rows)
    place, prediction, label = (np.zeros(n, np.int64) for _ in range(3))
    losses: dict[str, np.ndarray] = {}
    if bins.task == "regression":
        error = rows.prediction - rows.label
        place = 1 + np.searchsorted(np.array(bins.edges), error, "right")
        share = np.abs(error) / np.maximum(np.abs(rows.label), 1e-9)
        losses = {
            "error": error,
            "error_squares": error**2,
            "absolute_error": np.abs(error),
            "percentage_error": share,
            "percentage_error_squares": share**2,
            "label": rows.label,
            "label_squares": rows.label**2,
        }
    else:
        prediction, label = rows.prediction.astype(np.int64) + 1, rows.label.astype(np.int64)
        if rows.score is not None:
            place = 1 + np.searchsorted(np.array(bins.edges), rows.score, "right")
            p = np.clip(rows.score, 1e-6, 1 - 1e-6)
            log_loss, brier = -np.log(np.where(label == 1, p, 1 - p)), (rows.score - label) ** 2
            losses = {
                "score": rows.score,
                "log_loss": log_loss,
                "log_loss_squares": log_loss**2,
                "brier": brier,
                "brier_squares": brier**2,
            }
    _, predictions, labels = bins.shape
    cell = (place * predictions + prediction) * labels + label
    units = {}
    for name in bins.losses:
        sums = np.bincount(cell, losses[name], minlength=bins.cells) / bins.unit(name)
        units[name] = np.array([round(each) for each in sums], dtype=object)
    outcome = bins.outcome_of_cell[cell]
    columns = {}
    for name, values in rows.features.items():
        place_in = 1 + np.searchsorted(np.array(FEATURE.edges), values, "right")
        flat = np.bincount(place_in * bins.outcomes + outcome, minlength=len(FEATURE) * bins.outcomes)
        columns[name] = flat.reshape(len(FEATURE), bins.outcomes)
    part = np.arange(n) * PARTS // max(n, 1)
    parts = np.bincount(part * bins.outcomes + outcome, minlength=PARTS * bins.outcomes).reshape(PARTS, bins.outcomes)
    return LabelsProfile(
        window=window,
        bins=bins,
        cells=np.bincount(cell, minlength=bins.cells),
        units=units,
        columns=columns,
        parts=parts,
        segment=segment,
    )


def labelled_baseline(days: Sequence[Rows], bins: OutcomeBins, **segments: str) -> LabelledBaseline:
    """Count the baseline's days; `segments` are masks by name, see `split`."""
    parts = [split(rows, bins, day(i), **segments) for i, rows in enumerate(days)]
    return LabelledBaseline.of(Window(day(0).start, day(len(days) - 1).end), parts)


def split(rows: Rows, bins: OutcomeBins, window: Window, **segments: str) -> tuple[LabelsProfile, ...]:
    """Count all rows, and those of each segment: ``low="a"`` are the rows whose `a` is below 4."""
    its = [counted(rows, bins, window)]
    for name, column in segments.items():
        its.append(counted(rows.where(rows.features[column] < 4), bins, window, f"{column}={name}"))
    return tuple(its)


def context(
    its_monitor: Monitor,
    baseline: LabelledBaseline | None,
    profiles: Sequence[LabelsProfile],
    before: Sequence[LabelsProfile] = (),
    *,
    final: bool = True,
) -> CheckContext:
    """Put together what a check is given."""
    names = tuple(its_monitor.inference_log.features.names or ())
    whole = profiles[0]
    bins = dict.fromkeys(names, FEATURE)
    known = Baseline(its_monitor.name, {"features": list(names)}, bins, {}, 0, {})
    known = replace(known, outcomes=whole.bins)
    return CheckContext(
        monitor=its_monitor,
        window=whole.window,
        profile=Profile(whole.window, whole.rows, {}, "", {}),
        baseline=known,
        labels=WindowLabels(tuple(profiles), final=final),
        labelled_baseline=baseline,
        labels_before=lambda: tuple(before),
    )
