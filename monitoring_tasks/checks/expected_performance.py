"""What a window's performance may be before its labels are known, from those of the baseline. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any
from zlib import crc32

import numpy as np

from monitoring_tasks.checks.comparison import (
    FEWEST_PARTS,
    Comparison,
    between_windows,
    usually_worse,
    windows_in,
)
from monitoring_tasks.labelled_baseline import LabelledBaseline
from monitoring_tasks.labels_profile import LabelsProfile
from monitoring_tasks.statistics.histogram import FloatArray, IntArray
from monitoring_tasks.statistics.performance import Outcomes, PerformanceMetric, off_scale, on_scale, scaled
from monitoring_tasks.statistics.performance.between_variance import between_variance
from monitoring_tasks.statistics.performance.calibration_map import (
    Calibration,
    Redrawn,
    fit_calibration,
    merge_class_bins,
    merge_places,
    redraw,
    shifted_odds,
    weigh_classes,
)
from monitoring_tasks.statistics.performance.direct_loss_estimation import (
    expectation_by_bin,
    expected_by_bin,
    loss_explained,
)
from monitoring_tasks.statistics.performance.estimation import (
    EstimatedPerformance,
    Expectation,
    Target,
    estimated,
    expectation,
    expected_outcomes,
)
from monitoring_tasks.statistics.performance.shift_correction import (
    ShiftCorrection,
    fit_corrected,
    label_correlation,
    shift_correction,
)

Inputs = tuple[tuple[str, float], ...]
"""Columns by whose bins a window may be estimated, and by how much more than independent rows their shares vary from
window to window."""

SEED = 20130101

DRAWS = 200
"""Ends of an interval are then uncertain by an eighth of its half width."""

MINIMUM_ROWS = 50
"""Rows, of a binary model with a score, below which a window's performance is not estimated."""

MERGED = 4
"""Neighbouring places, or bins of classes' scores, that are one for the draws: an interval's width is then within 1 %,
at a third of the time."""

FEWEST_LABELS = 500
"""Labelled rows of a segment's baseline; with fewer it is calibrated on those of all rows."""

SIGNIFICANCE = 0.01
"""At which a feature's shift is corrected for, over all features."""

LOSS = "absolute_error"
"""Of a regression: the loss that the chosen column has to explain."""


@dataclass(frozen=True, eq=False)
class Expected:
    """A window's outcomes as they may come, all rows' or one segment's."""

    profile: LabelsProfile
    reference: LabelsProfile
    """The baseline's rows that it rests on: those of the segment, or of all rows."""
    found: Expectation
    by_column: str = ""
    """The feature whose shift is corrected for, or, of a regression, the column by whose bins it is estimated."""
    calibration: Calibration | None = None
    """On fewer places and bins of class scores, for draws; None of a regression."""
    redrawn: Redrawn | None = None
    """This calibration fitted to redrawn baselines."""
    answers: IntArray | None = None
    """The window's rows on these places."""
    class_answers: IntArray | None = None
    """Multiclass: its rows by class and bin of the class's score, on these bins; None without scores."""

    @cached_property
    def chance(self) -> Outcomes | None:
        """Outcomes with labels drawn by the likely chances themselves; None of a regression."""
        if self.calibration is None or self.answers is None:
            return None
        rng, calibration = _rng(self.profile, "chance"), self.calibration
        probability = calibration.probability / calibration.probability.sum(axis=-1, keepdims=True)
        drawn = rng.multinomial(self.answers, probability, (DRAWS, *self.answers.shape))
        sums, scores = {name: drawn * mean for name, mean in calibration.means.items()}, None
        if self.class_answers is not None and calibration.class_probability is not None:
            rows = self.class_answers
            labels = rng.binomial(rows, np.clip(calibration.class_probability, 0, 1), (DRAWS, *rows.shape))
            scores = np.stack([rows - labels, labels], axis=-1)
        return Outcomes(drawn, sums, calibration.edges, scores)


def expect(profile: LabelsProfile, baseline: LabelledBaseline, inputs: Inputs) -> Expected | None:
    """Return what may become of a window's rows, whether their labels are known or not; None without any.

    Classification is estimated from the calibrated answers, corrected for the shift of the feature that changes the
    chances of the labels most; regression from the bins of the column that explains most of the loss.

    Measured, how often the interval holds what the labels show, of 300 simulated windows of 800 rows against a baseline
    of 10,000, through the whole check: ROC AUC, accuracy and Brier score of a model that has learned too little of `x`.

    ============================= ==================
    inputs of the window          in the interval
    ============================= ==================
    as in the baseline            96, 93, 95 %
    `x` higher by 0.3             95, 94, 96 %
    `x` higher by 0.8             96, 92, 96 %
    `x` lower by 1                94, 96, 95 %
    higher by 0.8, not corrected  94, 52, 40 %
    ============================= ==================

    Of three classes with scores the intervals of accuracy, F1, MCC, ROC AUC, log loss and Brier score hold in 95 to
    97 % of 150 quiet windows of 800 rows, and in 95 to 100 % of windows whose rows are harder or easier.

    Of a regression the interval of MAE, RMSE and the median holds in 93, 90 and 94 % of 100 quiet windows. Errors are
    counted by doubling in each bin of the column: where they have another shape there than elsewhere, the mean loss is
    off, by 6 % of a window whose rows have moved to the bin with the widest errors.

    Parameters
    ----------
    profile
        A window's.
    baseline
        That of the same monitor.
    inputs
        Features, and the prediction of a regression, with their dispersions.
    """
    reference = reference_of(profile, baseline)
    if reference is None:
        return None
    if profile.bins.task == "regression":
        column = explaining_column(reference, tuple(name for name, _ in inputs))
        if column is None or column not in profile.columns:
            return None
        by_bin, rows = reference.by_bin(column), profile.columns[column].sum(axis=1)
        drawn = expectation_by_bin(by_bin, rows, rng=_rng(profile, "labels"), draws=DRAWS).drawn
        # The value is on the fine places, which medians need; how it may vary shows on their groups as well.
        expected = _on_places(reference, by_bin, expected_by_bin(by_bin, rows))
        return Expected(profile, reference, Expectation(expected, drawn), column)
    calibration, column = _calibration(profile, reference, inputs, correlation_of(baseline))
    expected = expected_outcomes(calibration, profile.answers, profile.class_answers)
    merged, redrawn = _redrawn(calibration) if column else _plain_redrawn(reference)
    answers, scores = np.zeros(merged.rows.shape[:2], np.int64), None
    np.add.at(answers, _merged_places(calibration), profile.answers)
    if profile.class_answers is not None:
        scores = np.add.reduceat(profile.class_answers, np.arange(0, profile.class_answers.shape[1], MERGED), axis=1)
    rng = _rng(profile, "labels")
    drawn = expectation(merged, answers, scores, rng=rng, draws=DRAWS, redrawn=redrawn).drawn
    return Expected(profile, reference, Expectation(expected, drawn), column, merged, redrawn, answers, scores)


def estimate_of(metric: PerformanceMetric, expected: Expected, baseline: LabelledBaseline) -> EstimatedPerformance:
    """Return what the window's labels may show of a metric, with an interval that holds it in 95 of 100 windows.

    A distance or a calibration error of a few rows is larger by chance than that of endless rows, and the labels will
    show the larger one: such a metric is given as it comes out by chance.
    """
    value = float(metric.function(expected.found.expected))
    usual = _usual(metric, expected, baseline)
    at, deviation = on_scale(metric, value), math.sqrt(usual.variance)
    low, centre, high = (float(off_scale(metric, at + usual.mean + sign * deviation)) for sign in (-1, 0, 1))
    return estimated(
        metric.function,
        expected.found,
        ((high - low) / 2) ** 2 if deviation else 0.0,
        added=(centre - value if usual.mean else 0.0) + chance_adds(metric, expected),
        bounds=(metric.lowest, metric.highest),
    )


@dataclass(frozen=True)
class UsualError:
    """How far estimates are usually off, on the metric's scale: what the windows of the baseline show."""

    mean: float
    """Truth minus estimate. Windows are not samples of all rows: on any one day the scores tell late flights from
    punctual ones less well than over a month, which tells stormy days from clear ones, too."""
    variance: float
    """From window to window, beyond chance, and of that mean."""

    @staticmethod
    @lru_cache(maxsize=128)
    def of(metric: PerformanceMetric, baseline: LabelledBaseline, windows: int = 1) -> UsualError:
        """Estimate every window of the baseline from the calibration of all of them.

        Parameters
        ----------
        metric
            Of what.
        baseline
            Whose windows.
        windows
            How many of them the estimated one is as long as. The mean is that of so many together, as far as the
            baseline has them: of a month it is not that of its days. A mean over so many varies less.
        """
        parts = baseline.parts
        whole = parts.added()
        if baseline.bins.task == "regression" or not metric.suits(whole):
            return UsualError(0.0, between_windows(metric, baseline)[0] / windows)
        if not whole.rows:
            return UsualError(0.0, 0.0)
        off, errors = _off(metric, parts, whole)
        if len(off) < FEWEST_PARTS:
            return UsualError(0.0, 0.0)
        between, count = between_variance(off, errors), len(off)
        if windows > 1:
            together = min(windows, len(parts.counts))
            first = np.arange(len(parts.counts) // together) * together
            kept = len(first) * together
            off, errors = _off(metric, _tables(parts, lambda each: np.add.reduceat(each[:kept], first)), whole)
        if not len(off):
            return UsualError(0.0, between * (1 / windows + 1 / count))
        weight = 1 / (errors**2 + between / windows)
        return UsualError(float(weight @ off / weight.sum()), between * (1 / windows + 1 / count))


def _off(metric: PerformanceMetric, parts: Outcomes, whole: Outcomes) -> tuple[FloatArray, FloatArray]:
    """Return by how much the truth of windows is above their estimate, where both are known, and its errors."""
    scores = None if parts.class_scores is None else parts.class_scores.sum(axis=-1)
    expected = metric.function(expected_outcomes(fit_calibration(whole), parts.counts.sum(axis=-1), scores))
    values, errors = scaled(metric, parts)
    off = values - on_scale(metric, expected)
    known = np.isfinite(off) & np.isfinite(errors) & (errors > 0)
    return off[known], errors[known]


def _tables(outcomes: Outcomes, function: Callable[[Any], Any]) -> Outcomes:
    """Return outcomes of whose tables this was made."""
    sums = {name: function(each) for name, each in outcomes.sums.items()}
    scores = None if outcomes.class_scores is None else function(outcomes.class_scores)
    return Outcomes(function(outcomes.counts), sums, outcomes.edges, scores)


def _usual(metric: PerformanceMetric, expected: Expected, baseline: LabelledBaseline) -> UsualError:
    return UsualError.of(metric, baseline, round(windows_in(expected.profile.window, baseline)))


def holds(found: EstimatedPerformance, truth: float | None) -> bool | None:
    """Tell whether an interval holds the truth; None where either is not known."""
    if truth is None or math.isnan(found.lower) or math.isnan(found.upper):
        return None
    return found.lower <= truth <= found.upper


def is_enough(profile: LabelsProfile) -> bool:
    """Tell whether the window has rows enough for an estimate."""
    return answered(profile) >= MINIMUM_ROWS


def answered(profile: LabelsProfile) -> int:
    """Return the rows from which a window is estimated: of a binary model with scores those that have one."""
    has_scores = profile.bins.task == "binary_classification" and profile.bins.edges
    return int(profile.answers[1:].sum()) if has_scores else profile.rows


def chance_adds(metric: PerformanceMetric, expected: Expected) -> float:
    """Return by how much the metric of labels is larger than that of chances; 0 of most metrics."""
    if not by_chance(metric, expected.reference) or expected.chance is None:
        return 0.0
    drawn = metric.function(expected.chance)
    known = drawn[~np.isnan(drawn)]
    return float(known.mean() - metric.function(expected.found.expected)) if known.size else math.nan


@lru_cache(maxsize=128)
def by_chance(metric: PerformanceMetric, reference: LabelsProfile) -> bool:
    """Tell whether chance adds to the metric, the more the fewer rows there are."""
    return metric.estimate(reference.outcomes).centre is not None


def compare_expected(
    metric: PerformanceMetric, expected: Expected, population: Outcomes, baseline: LabelledBaseline
) -> Comparison | None:
    """Compare the expected metric with the baseline's, one-sided; None where it cannot be told.

    A share within half a row of its bound has the error of as many labels: its draws hardly differ. And the window's
    rows cannot show a baseline that is nearer to the bound than that, so that such a one is taken to be as far from it.
    Where a loss is 0 on either side its logarithm is infinite, and the losses themselves are compared.

    Parameters
    ----------
    metric
        One of both.
    expected
        The window's.
    population
        The same for endless rows of which the window is a sample, with one leading axis of draws, see `population`.
    baseline
        Shows how much windows differ beyond chance.
    """
    found = _compared(metric, expected, population, baseline)
    if found is None and metric.scale in ("log", "log_of_remainder"):
        return _compared(replace(metric, scale="identity"), expected, population, baseline)
    return found


def _compared(
    metric: PerformanceMetric, expected: Expected, population: Outcomes, baseline: LabelledBaseline
) -> Comparison | None:
    at, error = (float(each) for each in scaled(metric, expected.reference.outcomes))
    outcomes, usual = expected.found.expected, _usual(metric, expected, baseline).mean
    low, high = half_a_row_inside(metric, outcomes)
    if is_at_bound(metric, outcomes):
        value, own = (float(each) for each in scaled(metric, outcomes))
        at = float(np.clip(at, *on_scale(metric, (low, high))))
    else:
        value = float(on_scale(metric, metric.function(outcomes)))
        drawn = on_scale(metric, np.clip(metric.function(population), low, high))
        known = drawn[np.isfinite(drawn)]
        own = float(np.std(known, ddof=1)) if known.size > DRAWS / 2 else math.nan
    if not all(map(math.isfinite, (at, error, value, own))):
        return None
    windows = windows_in(expected.profile.window, baseline)
    return Comparison.of(
        metric,
        reference=float(metric.function(expected.reference.outcomes)),
        # As a window's labels would show it, and as they usually do in the baseline's windows.
        before=(at + usually_worse(metric, baseline) / windows, error),
        after=(value + usual, own),
        between=between_windows(metric, baseline),
        windows=windows,
    )


def is_at_bound(metric: PerformanceMetric, outcomes: Outcomes) -> bool:
    """Tell whether a share or a correlation lies within half a row of its bounds."""
    low, high = half_a_row_inside(metric, outcomes)
    value = float(metric.function(outcomes))
    return value < low or value > high


def half_a_row_inside(metric: PerformanceMetric, outcomes: Outcomes) -> tuple[float, float]:
    """Return the least and the largest value of a metric that `scaled` leaves as it is; infinite where it has none."""
    if metric.scale not in ("logit", "fisher"):
        return -math.inf, math.inf
    room = (metric.highest - metric.lowest) / (2 * (float(metric.estimate(outcomes).trials) + 1))
    return metric.lowest + room, metric.highest - room


def drawn_inside(metric: PerformanceMetric, expected: Expected, baseline: LabelledBaseline) -> float:
    """Return by how much the value that `compare_expected` compares is above the one that `estimate_of` tells."""
    outcomes, usual = expected.found.expected, _usual(metric, expected, baseline).mean
    if not is_at_bound(metric, outcomes):
        return 0.0
    compared, told = scaled(metric, outcomes)[0], on_scale(metric, metric.function(outcomes))
    return float(off_scale(metric, compared + usual) - off_scale(metric, told + usual))


def population(expected: Expected) -> Outcomes:
    """Return the outcomes of endless rows of which the window may be a sample, with one leading axis of draws."""
    profile = expected.profile
    target: Target = "population"
    rng = _rng(profile, target)
    if expected.calibration is None or expected.answers is None:
        rows = profile.columns[expected.by_column].sum(axis=1)
        by_bin = expected.reference.by_bin(expected.by_column)
        return expectation_by_bin(by_bin, rows, rng=rng, draws=DRAWS, target=target).drawn
    rows, scores, redrawn = expected.answers, expected.class_answers, expected.redrawn
    return expectation(expected.calibration, rows, scores, rng=rng, draws=DRAWS, target=target, redrawn=redrawn).drawn


def reference_of(profile: LabelsProfile, baseline: LabelledBaseline) -> LabelsProfile | None:
    """Return the baseline's rows that an estimate rests on: the segment's if they are enough; None without labels."""
    its = baseline.profiles.get(profile.segment)
    if its is None or its.labelled < FEWEST_LABELS or (its.bins.classes and not has_two_labels(its)):
        its = baseline.whole
    return its if its.labelled else None


def has_two_labels(profile: LabelsProfile) -> bool:
    """Tell whether the labels are not all of one class: without another nothing says what a score is worth."""
    return bool((profile.outcomes.counts.sum(axis=(0, 1)) > 0).sum() > 1)


@lru_cache(maxsize=32)
def explaining_column(reference: LabelsProfile, columns: tuple[str, ...]) -> str | None:
    """Return the column whose bins explain most of the loss; of equal ones the first, None if there is none."""
    found = {name: loss_explained(reference.by_bin(name), LOSS) for name in columns if name in reference.columns}
    known = {name: share for name, share in found.items() if not np.isnan(share)}
    return max(known, key=lambda name: known[name], default=next(iter(found), None))


def _calibration(
    profile: LabelsProfile, reference: LabelsProfile, inputs: Inputs, correlation: float
) -> tuple[Calibration, str]:
    """Return the baseline's calibration, corrected for one feature's shift, and that feature; '' for none."""
    plain = plain_calibration(reference)
    bins = profile.bins
    groups, predictions, labels = bins.split
    expected = np.zeros(bins.outcomes)
    expected_rows = expected_outcomes(plain, profile.answers, profile.class_answers).counts
    whole = np.concatenate([expected_rows, np.zeros((*expected_rows.shape[:2], 1))], axis=2)
    np.add.at(expected, bins.outcome_of_cell, whole.reshape(-1))
    by_group = expected.reshape(bins.split)[..., :-1]
    chosen = [each for each in inputs if each[0] in reference.columns and each[0] in profile.columns]
    best: tuple[float, str, ShiftCorrection | None] = (0.0, "", None)
    for name, dispersion in chosen:
        rows = profile.columns[name].reshape(-1, groups, predictions, labels).sum(axis=3)
        by_bin = reference.by_bin(name)
        found = shift_correction(by_bin, rows, by_group, correlation=correlation, dispersion=dispersion)
        # A change below what windows of the same inputs differ by is not worth its noise.
        if found.p_value < SIGNIFICANCE / len(chosen) and found.effect > max(best[0], found.usual):
            best = found.effect, name, found
    _, name, correction = best
    if correction is None:
        return plain, ""
    predicted = np.concatenate(([0], 1 + bins.class_groups))
    fitted = fit_corrected(reference.outcomes, correction, bins.place_groups, predicted, bins.class_groups)
    if profile.class_answers is not None and plain.class_rows is not None:
        # Of each class by how much more rows have it, and by how much more their sum varies.
        before, after, noise = (
            (by_group * factor).sum(axis=(0, 1))[bins.class_groups]
            for factor in (1.0, correction.weights, correction.inflation)
        )
        ratio, inflation = (
            np.divide(total, before, out=np.ones(len(total)), where=before > 0) for total in (after, noise)
        )
        fitted = weigh_classes(fitted, shifted_odds(plain, profile.class_answers, ratio), inflation)
    return fitted, name


@lru_cache(maxsize=32)
def correlation_of(baseline: LabelledBaseline) -> float:
    """Return how much the labels of one window of the baseline have in common beyond their scores."""
    return label_correlation(baseline.parts)


@lru_cache(maxsize=32)
def plain_calibration(reference: LabelsProfile) -> Calibration:
    """Return the calibration of a baseline's rows as they are."""
    return fit_calibration(reference.outcomes)


def _merged_places(calibration: Calibration) -> IntArray:
    return np.concatenate(([0], 1 + np.arange(len(calibration.rows) - 1) // MERGED))


def _redrawn(calibration: Calibration) -> tuple[Calibration, Redrawn]:
    """Return a calibration on fewer places, and it fitted to redrawn baselines: the same ones every time."""
    if calibration.class_rows is not None:
        merged = merge_class_bins(calibration, np.arange(calibration.class_rows.shape[1]) // MERGED)
    else:
        merged = merge_places(calibration, _merged_places(calibration))
    return merged, redraw(merged, rng=np.random.default_rng(SEED), draws=DRAWS)


@lru_cache(maxsize=32)
def _plain_redrawn(reference: LabelsProfile) -> tuple[Calibration, Redrawn]:
    """Return the same of a baseline's rows as they are, for all windows whose inputs have not shifted."""
    return _redrawn(plain_calibration(reference))


def _on_places(reference: LabelsProfile, by_bin: Outcomes, expected: Outcomes) -> Outcomes:
    """Return expected outcomes over groups of places on the places themselves, spread as the baseline's rows are."""
    before = by_bin.counts.sum(axis=0)
    factor = np.divide(expected.counts, before, out=np.zeros(before.shape), where=before > 0)
    weights = factor[reference.bins.place_groups]
    outcomes = reference.outcomes
    sums = {name: weights * each for name, each in outcomes.sums.items()}
    return Outcomes(weights * outcomes.counts, sums, outcomes.edges)


def _rng(profile: LabelsProfile, purpose: str) -> np.random.Generator:
    """Return random numbers that are the same whenever this window is estimated, and others for other windows."""
    start = int(profile.window.start.timestamp()) % 2**63
    return np.random.default_rng([SEED, start, crc32(f"{purpose} {profile.segment}".encode())])
