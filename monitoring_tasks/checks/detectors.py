"""Change detectors over the mean loss of the windows up to this one, and of the parts that they are cut into."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

import numpy as np

from monitoring_tasks.checks.check import CheckContext
from monitoring_tasks.checks.comparison import FEWEST_PARTS
from monitoring_tasks.checks.estimated_performance import minimum_coverage
from monitoring_tasks.checks.labels import no_classes, provisional, too_few_labels
from monitoring_tasks.checks.performance_by_bin import losses
from monitoring_tasks.checks.result import Result, Status
from monitoring_tasks.checks.wording import counted, number
from monitoring_tasks.config import ConceptDrift
from monitoring_tasks.labelled_baseline import LabelledBaseline
from monitoring_tasks.labels_profile import LabelsProfile
from monitoring_tasks.statistics.change import (
    CHANGE_DETECTORS,
    ChangeDetector,
    average_run_length,
    cusum,
    effective_rows,
    standard_deviation_of_means,
)
from monitoring_tasks.statistics.histogram import FloatArray, IntArray
from monitoring_tasks.statistics.performance import Outcomes, performance_metric
from monitoring_tasks.statistics.performance.between_variance import between_variance
from monitoring_tasks.window import format_instant

LOSS = ("accuracy", "brier", "mae")
"""The loss of a row is that of the first of these that suits: 0 or 1 where there are predictions."""

OF_CHART = 0.2
"""Share of the rate of false alarms that the CUSUM chart may use."""

DRIFT = 0.5
"""Of the chart: a lasting rise of one standard deviation of a window's mean is what it finds fastest."""


SETTINGS: Mapping[str, Mapping[str, float]] = {
    "page_hinkley": {"delta": 0.25, "threshold": 20.0},
    "hddm_w": {"drift_confidence": 1e-4},
    "kswin": {"alpha": 0.0002, "window_size": 24, "stat_size": 8},
}
"""Where a detector's own default is not rare enough, see `detector_results`."""


WEIGHT_OF_PART = 0.05
"""Of the newest part in HDDM_W's means. Were it of a row, a part of 60 rows would leave nothing of those before it, and
the bound would be that of one value."""


@dataclass(frozen=True)
class Series:
    """What a detector looks at: a mean per window or part, in time order."""

    values: FloatArray
    rows: IntArray
    starts: tuple[datetime, ...]
    first_of_window: int
    """From here on the values are this window's."""


@dataclass(frozen=True)
class Usual:
    """The loss of the baseline: of a row, and how much its windows differ."""

    mean: float
    deviation: float
    """Of a row."""
    between: float
    """Of the windows' own levels."""
    windows: int


def detector_results(context: CheckContext, settings: ConceptDrift) -> list[Result]:
    """Return what each change detector says of the windows up to this one.

    Only the standardised CUSUM chart decides. It has one value per window, whose standard deviation, rows and own level
    together, the baseline's windows show, so its run length is known: its bound is the one at which it reports a false
    alarm in one of ``1 / (0.2 * false_alarm_rate)`` windows, 500 by default, even if the baseline's mean is one
    standard error off. The other detectors are made for independent rows. They look at the parts of the windows, each
    of which counts for its share of the independent rows of its window, and a change that they report is a warning.
    KSWIN, which cannot weigh rows, looks at whole windows: its newest 8 and 8 of the 16 before must not overlap.

    Page-Hinkley looks at the parts' means in their own standard deviations, HDDM_W forgets by parts: both were made for
    single rows, and with parts of thousands the one would report most windows and the other none.

    Of 1,000 windows without change each reports, by simulation with 100, 500, 5,000 and 50,000 rows and errors of 0.2
    (500 windows of 25 baselines each), where windows differ by chance alone: DDM 0 to 2, all others 0; where their own
    rates have a standard deviation of 0.03: CUSUM 0 to 4, DDM 0 to 2, all others 0. With their defaults, in windows of
    500 rows, by chance alone and with levels of 10 points, Page-Hinkley reported 43 and 17, HDDM_W 47 and 0, and KSWIN
    over parts 0 and 23.
    """
    baseline, whole = context.labelled_baseline, context.labels_profile
    if baseline is None or whole is None or no_classes(context) is not None:
        return []
    coverage = minimum_coverage(context)

    def counts(profile: LabelsProfile) -> bool:
        return too_few_labels(profile, coverage) is None and profile.labelled >= settings.minimum_rows

    if not counts(whole):
        return []
    before = context.labels_before()[-settings.look_back :]
    profiles = [*(each for each in before if counts(each)), whole]
    results = []
    for column, name in _measured(context, whole):
        usual = _usual(baseline, name)
        if usual is None:
            continue
        windows = _windows(profiles, name)
        for detector in CHANGE_DETECTORS:
            if detector.standardised:
                result = _chart(detector, windows, usual, settings, two_sided=name == "residual")
            else:
                series = _parts(profiles, name, usual) if detector.weighs_rows else windows
                result = _warning(detector, series, usual, name)
            if result is not None:
                message = f"{result.message}{provisional(context)}"
                its_rows = whole.labelled
                results.append(replace(result, column_name=column, window_rows=its_rows, message=message))
    return results


def _measured(context: CheckContext, profile: LabelsProfile) -> list[tuple[str, str]]:
    """Return what is looked at, by the column that it is told of: the loss, and of a regression the residual too."""
    for name in LOSS:
        suits = performance_metric(name).suits(profile.outcomes)
        if suits and (name != "accuracy" or profile.bins.has_prediction):
            residual = [(context.monitor.inference_log.prediction or "prediction", "residual")]
            return [("", name), *(residual if name == "mae" else [])]
    return []


def _losses(outcomes: Outcomes, name: str) -> tuple[IntArray, FloatArray, FloatArray]:
    """Return rows, summed losses and their squares of each table; losses of classes lie in [0, 1]."""
    if name == "residual":
        axes = (-3, -2, -1)
        rows = outcomes.counts[..., 1:, :, :].sum(axis=axes)
        return rows, outcomes.sums["error"].sum(axis=axes), outcomes.sums["error_squares"].sum(axis=axes)
    rows, sums, squares = losses(outcomes, performance_metric(name))
    scale = 2.0 if name == "brier" and outcomes.counts.shape[-1] > 2 else 1.0
    return rows, sums / scale, squares / scale**2


def _usual(baseline: LabelledBaseline, name: str) -> Usual | None:
    rows, sums, squares = _losses(baseline.parts, name)
    if rows.sum() < 2:
        return None
    mean = float(sums.sum() / rows.sum())
    deviation = math.sqrt(max(float(squares.sum() / rows.sum()) - mean**2, 0.0))
    known = rows > 0
    if deviation == 0:
        return None
    between = 0.0
    if known.sum() >= FEWEST_PARTS:
        found = between_variance(sums[known] / rows[known], deviation / np.sqrt(rows[known]))
        between = 0.0 if math.isnan(found) else math.sqrt(found)
    return Usual(mean, deviation, between, int(known.sum()))


def _windows(profiles: Sequence[LabelsProfile], name: str) -> Series:
    totals = [_losses(profile.coarse, name) for profile in profiles]
    rows = np.array([int(each[0]) for each in totals], np.int64)
    sums = np.array([float(each[1]) for each in totals])
    return Series(sums / np.maximum(rows, 1), rows, tuple(each.window.start for each in profiles), len(profiles) - 1)


def _parts(profiles: Sequence[LabelsProfile], name: str, usual: Usual) -> Series:
    """Return the parts of the windows, each with the independent rows that it stands for.

    A window's rows share its level, so that all its parts together count as the effective rows of the window.
    Neighbours that have less than one such row are one value.
    """
    found = [_parts_of(profile, name, usual) for profile in profiles]
    values = [each for window in found for each in window[0]]
    rows = [each for window in found for each in window[1]]
    starts = [each for window in found for each in window[2]]
    last = len(found[-1][0]) if found else 0
    return Series(np.array(values), np.array(rows, np.int64), tuple(starts), len(values) - last)


@lru_cache(maxsize=256)
def _parts_of(
    profile: LabelsProfile, name: str, usual: Usual
) -> tuple[tuple[float, ...], tuple[int, ...], tuple[datetime, ...]]:
    """Return value, rows and start of each part of a window: the next window's detectors ask for the same."""
    outcomes = profile.by_part() or profile.coarse
    its_rows, sums, _ = (np.atleast_1d(each) for each in _losses(outcomes, name))
    total = int(its_rows.sum())
    if not total:
        return (), (), ()
    effective = int(effective_rows([total], usual.deviation, usual.between)[0])
    reached = np.floor(np.cumsum(its_rows) * (effective / total) + 1e-9).astype(np.int64)
    ends = np.flatnonzero(np.diff(reached, prepend=0)) + 1
    begins = np.concatenate(([0], ends[:-1]))
    length = profile.window.length / len(its_rows)
    values = [float(sums[i:j].sum() / its_rows[i:j].sum()) for i, j in zip(begins, ends, strict=True)]
    rows = [int(reached[j - 1] - (reached[i - 1] if i else 0)) for i, j in zip(begins, ends, strict=True)]
    return tuple(values), tuple(rows), tuple(profile.window.start + i * length for i in begins.tolist())


def chart_threshold(rate: float, windows: int, sides: int) -> float:
    """Return the bound at which a chart reports a false alarm in a share `rate` of the windows.

    The target is the mean of the baseline's windows, which is off by about ``1 / sqrt(windows)`` standard deviations of
    one: the bound is for a target that is off by so much.

    Examples
    --------
    >>> round(chart_threshold(0.002, 10**9, 1), 2), round(chart_threshold(0.002, 30, 1), 2)
    (4.38, 6.19)
    """
    shift = min(1 / math.sqrt(max(windows, 1)), DRIFT)
    low, high = 0.1, 200.0
    for _ in range(60):
        middle = (low + high) / 2
        reached = average_run_length(DRIFT, middle, shift, sides=sides) >= 1 / rate
        low, high = (low, middle) if reached else (middle, high)
    return high


def _chart(
    detector: ChangeDetector, series: Series, usual: Usual, settings: ConceptDrift, *, two_sided: bool
) -> Result | None:
    result = Result(detector.name)
    if usual.windows < FEWEST_PARTS:
        few = f"the baseline is of {counted(usual.windows, 'window')}, which do not show how much they differ"
        return replace(result, status="insufficient_data", message=f"{detector.title}: {few}")
    deviations = standard_deviation_of_means(series.rows, usual.deviation, usual.between)
    threshold = chart_threshold(settings.false_alarm_rate * OF_CHART, usual.windows, 2 if two_sided else 1)
    found = cusum(
        series.values,
        usual.mean,
        deviations,
        drift=DRIFT,
        threshold=threshold,
        direction="both" if two_sided else "up",
        rows=(series.rows > 0).astype(np.int64),
    )
    inside = [place for place in found.changes if place >= series.first_of_window]
    status: Status = "alarm" if inside else "ok"
    last = [series.starts[place] for place in found.changes]
    what = "the mean residual has left" if two_sided else "the mean loss has risen above"
    verb = f"{what} the baseline's" if inside else "no lasting change"
    now, before = number(float(series.values[-1])), number(usual.mean)
    words = (
        f"{detector.title} over {counted(len(series.values), 'window')}: {verb}, {now} in this window, {before} there"
    )
    bound = f"alarm above {number(threshold)}, now {number(found.statistic or 0.0)}"
    earlier = f"; last reported in the window of {format_instant(last[-1])}" if last and not inside else ""
    return replace(
        result,
        value=found.statistic,
        threshold_upper=threshold,
        status=status,
        message=f"{words} ({bound}){earlier}",
        detail={"windows": len(series.values), "changes": [format_instant(each) for each in last]},
    )


def _warning(detector: ChangeDetector, series: Series, usual: Usual, name: str) -> Result | None:
    on_a_scale = name not in ("mae", "residual")
    if detector.bounded and not on_a_scale:
        return None
    # Settings are for errors in [0, 1], or for values with a standard deviation of 1.
    standardised = (series.values - usual.mean) / usual.deviation
    values, rows = np.clip(series.values, 0.0, 1.0) if on_a_scale else standardised, series.rows
    within = {**SETTINGS.get(detector.name, {})}
    if detector.name == "page_hinkley":
        # Of rows, its threshold would be passed by chance in most windows of 10,000 rows and in few of 100.
        values, rows = standardised * np.sqrt(rows), (rows > 0).astype(np.int64)
    if detector.name == "adwin":
        within["variances"] = usual.deviation**2 if on_a_scale else 1.0
    if detector.name == "hddm_w":
        within["weight"] = WEIGHT_OF_PART / max(float(np.median(series.rows)), 1.0)
    found = detector.function(values, rows=rows, **within)
    inside = [series.starts[place] for place in found.changes if place >= series.first_of_window]
    every = [series.starts[place] for place in found.changes]
    what = counted(len(values), "part") + " of windows" if detector.weighs_rows else counted(len(values), "window")
    words = f"{detector.title} over {what}"
    if inside:
        words = f"{words} reports a change, at {format_instant(inside[0])}"
    else:
        words = f"{words} reports no change in this window"
        words += f", the last one at {format_instant(every[-1])}" if every else ""
    return Result(
        detector.name,
        value=found.statistic,
        status="warning" if inside else "ok",
        message=words,
        detail={
            "threshold": found.threshold,
            "values": len(values),
            "changes": [format_instant(each) for each in every],
            "in_this_window": [format_instant(each) for each in inside],
        },
    )
