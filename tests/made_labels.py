"""Labels of made-up rows, as a scan would have counted them; and the context that a check sees them in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from monitoring_tasks.bottom_k import BottomK
from monitoring_tasks.checks import CheckContext
from monitoring_tasks.config import Monitor, parse_monitor
from monitoring_tasks.labelled_baseline import LabelledBaseline
from monitoring_tasks.labelled_rows import LabelledRows
from monitoring_tasks.labels_profile import DELAY_BINS, LabelsProfile, WindowLabels
from monitoring_tasks.outcome_bins import OutcomeBins, residual_edges
from monitoring_tasks.profile import Baseline, Bins, ColumnProfile, Profile
from monitoring_tasks.warehouse.outcome_tally import losses
from monitoring_tasks.window import Window

START = datetime(2024, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
PERIOD = Window(START, START + 20 * DAY)
WINDOW = Window(START + 30 * DAY, START + 31 * DAY)

BINS = {
    "amount": Bins("numeric", tuple(np.linspace(-2, 2, 9)), exponent=2),
    "shop": Bins("categorical", categories=("north", "south", "east")),
    "score": Bins("numeric", tuple(np.linspace(0, 1, 9)), exponent=0),
}

BINARY = OutcomeBins("binary_classification", ("not 1", "1"), tuple(i / 256 for i in range(257)))
CLASSES = OutcomeBins(
    "multiclass_classification", ("red", "green", "blue", "(other)"), score_edges=tuple(i / 64 for i in range(65))
)
REGRESSION = OutcomeBins("regression", edges=residual_edges(3), exponent=3)

MONITOR = """\
monitor: made
schedule: "@daily"
start: 2024-03-21
warehouse: made
inference_log:
  table: log
  timestamp: at
  key: id
  features: {{amount: numeric, shop: categorical}}
  prediction: predicted
{extra}
labels: {{table: labels, key: id, value: late, timestamp: known_at, complete_after: 2d}}
task: {task}
baseline: {{period: {{start: 2024-03-01, end: 2024-03-21}}}}
segments: [shop]
checks: {checks}
"""


@dataclass
class Rows:
    """Made-up rows. A label of NaN is not known."""

    amount: np.ndarray
    shop: np.ndarray
    """Number of the category, from 0."""
    answer: np.ndarray
    """Score of the positive class or predicted number; of several classes shape (rows, classes)."""
    predicted: np.ndarray
    """Number of the class."""
    label: np.ndarray

    def __getitem__(self, chosen: np.ndarray) -> Rows:
        return Rows(
            self.amount[chosen], self.shop[chosen], self.answer[chosen], self.predicted[chosen], self.label[chosen]
        )


def binary_rows(
    rows: int, rng: np.random.Generator, *, shift: float = 0.0, concept: float = 0.0, level: float = 0.0
) -> Rows:
    """Rows of a model that is right about the chance: `shift` moves the input, `concept` and `level` the relation.

    `concept` makes rows of large amounts come out otherwise, `level` all.
    """
    amount = rng.normal(size=rows) + shift
    shop = rng.integers(0, 3, rows)
    logit = -0.5 + 1.5 * amount
    score = 1 / (1 + np.exp(-logit))
    true = 1 / (1 + np.exp(-(logit + level - concept * (amount > 0.5) * 3)))
    label = (rng.random(rows) < true).astype(float)
    return Rows(amount, shop, score, (score >= 0.5).astype(np.int64), label)


def counted(rows: Rows, bins: OutcomeBins, window: Window = WINDOW, segment: str = "") -> LabelsProfile:
    """Count the rows as the scan does, one by one where that is plain."""
    n = len(rows.label)
    known = ~np.isnan(rows.label)
    place = np.zeros(n, np.int64)
    _, predictions, labels = bins.shape
    if bins.task == "binary_classification":
        place = 1 + np.searchsorted(bins.edges, rows.answer, side="right")
    elif bins.task == "regression":
        place[known] = 1 + np.searchsorted(bins.edges, (rows.answer - rows.label)[known], side="right")
    predicted = rows.predicted + 1 if bins.classes else np.zeros(n, np.int64)
    number = np.where(known, rows.label, labels - 1).astype(np.int64) if bins.classes else (~known).astype(np.int64)
    cells = (place * predictions + predicted) * labels + number
    answer, scores = rows.answer, []
    if bins.task == "multiclass_classification":
        scores = list(rows.answer.T)
        answer = rows.answer[np.arange(n), np.minimum(np.where(known, rows.label, 0), len(scores) - 1).astype(int)]
    units = {}
    for name, each in losses(bins, np.where(known, rows.label, np.nan), answer, scores).items():
        units[name] = np.zeros(bins.cells, object)
        for cell, loss in zip(cells[known], np.asarray(each)[known], strict=True):
            units[name][cell] += round(loss / bins.unit(name))
    outcomes = bins.outcome_of_cell[cells]
    columns = {}
    for name, values in (("amount", rows.amount), ("shop", rows.shop)):
        edges = BINS[name].edges
        place_ = 1 + np.searchsorted(edges, values, side="right") if edges else 1 + values
        columns[name] = np.zeros((len(BINS[name]), bins.outcomes), np.int64)
        np.add.at(columns[name], (place_, outcomes), 1)
    class_scores = None
    if scores:
        class_scores = np.zeros((len(bins.classes), len(bins.score_edges) + 1, 3), np.int64)
        for i, score in enumerate(scores):
            label_is = np.where(known, rows.label == i, 2)
            np.add.at(class_scores[i], (np.searchsorted(bins.score_edges, score, "right"), label_is), 1)
    delays = np.zeros(len(DELAY_BINS), np.int64)
    delays[0], delays[20] = (~known).sum(), known.sum()
    return LabelsProfile(
        window=window,
        bins=bins,
        cells=np.bincount(cells, minlength=bins.cells),
        units=units,
        columns=columns,
        delays=delays,
        class_scores=class_scores,
        segment=segment,
    )


def by_segment(rows: Rows, bins: OutcomeBins, window: Window = WINDOW) -> tuple[LabelsProfile, ...]:
    """Count all rows, and those of each shop."""
    names = BINS["shop"].categories
    shops = [counted(rows[rows.shop == i], bins, window, f"shop={name}") for i, name in enumerate(names)]
    return counted(rows, bins, window), *(shop for shop in shops if shop.rows)


def baseline_of(days: list[Rows], bins: OutcomeBins) -> LabelledBaseline:
    """Add up one window of rows for each day of the period."""
    windows = [Window(START + i * DAY, START + (i + 1) * DAY) for i in range(len(days))]
    parts = [by_segment(rows, bins, window) for rows, window in zip(days, windows, strict=True)]
    return LabelledBaseline.of(Window(windows[0].start, windows[-1].end), parts)


def monitor_of(bins: OutcomeBins, checks: str = "{}") -> Monitor:
    extra = {
        "binary_classification": "  score: score\n  positive_class: 1",
        "multiclass_classification": "  score: {red: score_red, green: score_green, blue: score_blue}",
        "regression": "",
    }[bins.task]
    return parse_monitor(MONITOR.format(task=bins.task, extra=extra, checks=checks), environ={})


def context_of(
    rows: Rows,
    bins: OutcomeBins,
    baseline: LabelledBaseline | None,
    checks: str = "{}",
    *,
    final: bool = True,
    window: Window = WINDOW,
    profiles: tuple[LabelsProfile, ...] | None = None,
) -> CheckContext:
    """Return what a check sees of these rows."""
    profiles = profiles or by_segment(rows, bins, window)
    columns = {name: _profile(name, profiles[0]) for name in ("amount", "shop")}
    its = {} if baseline is None else {name: _profile(name, baseline.whole) for name in ("amount", "shop")}
    monitor = monitor_of(bins, checks)
    return CheckContext(
        monitor=monitor,
        window=window,
        profile=Profile(window, profiles[0].rows, columns),
        baseline=Baseline(
            "made",
            {"features": ["amount", "shop"]},
            BINS,
            its,
            0 if baseline is None else baseline.whole.rows,
            outcomes=bins,
        ),
        labels=WindowLabels(profiles, final=final, latest=window.end - DAY / 24),
        labelled_baseline=baseline,
    )


def _profile(name: str, profile: LabelsProfile) -> ColumnProfile:
    return ColumnProfile(name, BINS[name].kind, tuple(profile.columns[name].sum(axis=1).tolist()))


def kinds(results: list) -> Mapping[str, list]:
    """Return results by metric."""
    found: dict[str, list] = {}
    for result in results:
        found.setdefault(result.metric, []).append(result)
    return found


def drawn(rows: Rows, bins: OutcomeBins) -> LabelledRows:
    """Return the rows as a sample of themselves."""
    known = rows[~np.isnan(rows.label)]
    one_by_one = [counted(known[np.arange(len(known.label)) == i], bins) for i in range(len(known.label))]
    cells = np.array([int(np.flatnonzero(each.cells)[0]) for each in one_by_one])
    found = losses(bins, known.label, known.answer)
    shops = np.array(BINS["shop"].categories, dtype=object)[known.shop]
    table = pa.table({"amount": known.amount, "shop": shops.tolist()})
    hashes = np.array([f"{i:032x}" for i in range(len(cells))], dtype="S32")
    return LabelledRows(BottomK(table, hashes, len(cells)), bins, cells, found)
