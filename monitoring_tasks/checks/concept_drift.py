"""Concept drift: whether labels have changed at equal inputs, in a window and over the windows up to it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

import numpy as np

from monitoring_tasks.checks.check import CheckContext
from monitoring_tasks.checks.comparison import Comparison, compare
from monitoring_tasks.checks.detectors import LOSS, detector_results
from monitoring_tasks.checks.estimated_performance import minimum_coverage
from monitoring_tasks.checks.labels import no_classes, provisional, too_few_labels, without_labels
from monitoring_tasks.checks.performance import NO_ROW_OF_SEGMENT, few_of_baseline, no_baseline
from monitoring_tasks.checks.result import Result, Status
from monitoring_tasks.checks.wording import counted, number, p_value, percent
from monitoring_tasks.config import ConceptDrift
from monitoring_tasks.labelled_baseline import WHOLE, LabelledBaseline, label_table, moments, stratified_table
from monitoring_tasks.labels_profile import LabelsProfile
from monitoring_tasks.profile import readable
from monitoring_tasks.statistics.histogram import FloatArray
from monitoring_tasks.statistics.multiple_testing import benjamini_hochberg
from monitoring_tasks.statistics.performance import performance_metric, task_of
from monitoring_tasks.statistics.performance.calibration_drift import calibration_drift
from monitoring_tasks.statistics.performance.conditional_shift import (
    BetweenWindows,
    ConditionalShift,
    WithinStrata,
    conditional_shift,
    standardised,
    within_strata,
)

FEWEST_LABELS = 5
"""Rows that a window should have of either label, or its share of labels is not judged: Cochran's rule."""

CHANGED = {"calibration_drift": "the calibration has changed", "loss_drift": "the mean loss has risen"}
"""What an alarm says where none is of a column."""

OF_TESTS = 0.8
"""Share of the rate of false alarms that the tests of the window may use; the rest is for the CUSUM chart."""


def concept_drift(context: CheckContext) -> list[Result]:
    """Test P(label | inputs) against the baseline's, in the window and in the series of windows.

    For every feature and the score: the share of labels (of a regression, the mean residual) at equal values, each bin
    held against the same bin of the baseline and against how much it differs among the baseline's windows. Of a feature
    rows of equal scores (without a score, of equal predictions) are compared, or a shift of one feature would change
    the labels at equal values of all others: a shift of the inputs alone moves nothing that the score knows. A model
    that scores otherwise than the baseline's did is a change. Calibration in the large and the mean loss are tested
    beside it. What is tested in one window, in all columns and segments, is corrected together (Benjamini and
    Hochberg), and the detectors look at the windows before.

    Windows without drift that raise any alarm, by simulation (400 windows of 20 baselines of 30 windows each, at a
    `false_alarm_rate` of 1 %, the detectors not counted), where windows differ by nothing but chance: 0.5 % with 200
    rows and one feature, 0.3 % with 1,000 rows and ten; where the share of labels of each window has a standard
    deviation of its own, of 5 points: 0 % with 200 rows and ten features, 0.8 % with 1,000 and ten, 0 % with 10,000 and
    one; of 3 points: 0.5 % with 1,000 rows and fifty features. Where three of four rows move to one bin of the feature
    that labels hang on: 0 to 0.5 % with 200 to 10,000 rows, one to ten features and levels of 0 or 5 points. How much
    windows differ is known from the baseline's, so that a baseline of fewer than four windows takes rows as
    independent, and one that is calmer than the time after it raises more alarms.

    A share of labels, and how far it is from the baseline's, are of the rows whose values the baseline knows. A window
    inside the baseline's period is compared with a baseline that holds it too.
    """
    settings = context.monitor.checks.concept_drift
    if settings is None:
        return []
    missing = without_labels(context)
    if missing is not None:
        return missing
    assert context.labels is not None
    baseline = context.labelled_baseline
    verdicts: list[Result] = []
    tested: list[Tested] = []
    for profile in context.labels.profiles:
        why = _why_not_judged(context, profile, settings, baseline)
        if why is not None:
            its = Result("drifted_share", segment=profile.segment, window_rows=profile.labelled)
            verdicts.append(replace(its, status="insufficient_data", message=why))
            continue
        assert baseline is not None
        tested += [*_columns(context, profile, baseline), *_calibration(context, profile, baseline)]
        tested += _loss(profile, baseline)
    p_values = np.array([each.p_value for each in tested])
    rate = settings.false_alarm_rate * OF_TESTS
    significant = benjamini_hochberg(p_values, rate)
    results = [
        each.result(bool(significant[i]), _cut(p_values, i, rate), settings, provisional(context))
        for i, each in enumerate(tested)
    ]
    verdicts += [
        _verdict([each for each in results if each.segment == segment], provisional(context))
        for segment in dict.fromkeys(each.segment for each in results)
    ]
    return [*results, *verdicts, *detector_results(context, settings)]


def _cut(p_values: FloatArray, place: int, rate: float) -> float:
    """Return the largest p-value with which this one would be significant beside all others."""
    others = p_values.copy()
    others[place] = 0.0
    rejected, tested = int(benjamini_hochberg(others, rate).sum()), int(np.isfinite(others).sum())
    return rate * rejected / tested


@dataclass(frozen=True)
class Tested:
    """One number that is held against the baseline's."""

    metric: str
    column: str
    segment: str
    value: float
    lower: float
    upper: float
    p_value: float
    """NaN of one that is not judged."""
    effect: float
    """Size that is held against `minimum_effect`."""
    unit: float
    """Value of an effect of 1."""
    error: float
    freedom: float
    sides: int
    """In how many ways it may be large: twice as many where bins are looked at one by one too."""
    words: str
    baseline_rows: int
    window_rows: int
    detail: Mapping[str, object]
    share: bool = True
    """Whether the value is a difference of shares."""
    higher_is_worse: bool = False
    """Whether only a rise counts."""
    comparison: Comparison | None = None
    """Of the loss, whose bound is not as many errors away on either scale."""
    reach: float = math.inf
    """The largest value that there is, of either sign: a share is at most 1."""
    in_bin: str = ""
    """The bin that changed most surely, in words that follow on `words`."""
    of_bin: str = ""
    """The same as a sentence of its own, where the bin is surer than all bins together and so what was found."""

    def result(self, significant: bool, cut: float, settings: ConceptDrift, how_final: str) -> Result:
        """Decide it. `cut` is the largest p-value that would be significant."""
        result = Result(
            self.metric,
            column_name=self.column,
            segment=self.segment,
            baseline_rows=self.baseline_rows,
            window_rows=self.window_rows,
            detail=self.detail,
        )
        if math.isnan(self.value) or math.isnan(self.p_value):
            return replace(result, status="insufficient_data", message=f"{self.words}{how_final}")
        margin = self._margin(cut)
        bound = max(settings.minimum_effect * self.unit, margin)
        status: Status = "alarm" if significant and self.effect >= settings.minimum_effect else "ok"
        sure, bound_in_words = p_value(self.p_value), self._bound_in_words(bound, margin)
        message = f"{self.words}{self.in_bin} ({bound_in_words}; {sure})"
        if status == "alarm" and self.of_bin:
            # Of all rows together nothing may be beyond its bound then: the p-value is the bin's.
            message = f"{self.of_bin} ({sure} of the bin that changed most surely); {self.words}"
            message += f" ({bound_in_words})" if bound < self.reach else ""
        return replace(
            result,
            value=self.value,
            value_lower=None if math.isnan(self.lower) else self.lower,
            value_upper=None if math.isnan(self.upper) else self.upper,
            p_value=self.p_value,
            threshold_lower=None if self.higher_is_worse else -min(bound, self.reach),
            threshold_upper=min(bound, self.reach),
            status=status,
            message=f"{message}{how_final}",
        )

    def _margin(self, cut: float) -> float:
        """Return how far from the baseline's chance and the usual ups and downs reach, at this p-value."""
        if self.comparison is None:
            return _quantile(cut / self.sides, self.freedom) * self.error
        low, high = self.comparison.bounds(cut)
        if low is not None:
            return self.comparison.reference - low
        return math.inf if high is None else high - self.comparison.reference

    def _bound_in_words(self, bound: float, margin: float) -> str:
        if bound >= self.reach:
            what = "share" if self.share else "value"
            if margin >= self.reach and math.isfinite(self.freedom):
                return f"no {what} is beyond the usual ups and downs"
            return f"no {what}{' of so few rows' if margin >= self.reach else ''} is an alarm"
        size = f"{number(100 * bound)} points" if self.share else number(bound)
        return f"alarm beyond {'+' if self.higher_is_worse else '±'}{size}"


def _why_not_judged(
    context: CheckContext, profile: LabelsProfile, settings: ConceptDrift, baseline: LabelledBaseline | None
) -> str | None:
    minimum = minimum_coverage(context)
    few = too_few_labels(profile, minimum)
    if few is not None:
        return few
    if profile.labelled < settings.minimum_rows:
        return f"{counted(profile.labelled, 'labelled row')} are too few to judge, {settings.minimum_rows} are needed"
    if baseline is None:
        return no_baseline(context)
    if (other := no_classes(context)) is not None:
        return other
    if profile.segment not in baseline.profiles or not baseline.profiles[profile.segment].labelled:
        return NO_ROW_OF_SEGMENT
    return few_of_baseline(baseline.profiles[profile.segment], minimum)


def _columns(context: CheckContext, profile: LabelsProfile, baseline: LabelledBaseline) -> list[Tested]:
    """Test the label at equal values of every feature and of the score, or of the prediction where there is none."""
    reference = baseline.profiles[profile.segment]
    bins = context.baseline.bins
    found = []
    for name in _names(context, profile):
        if name in reference.columns and profile.segment.partition("=")[0] != name:
            labels = [readable(label) for label in bins[name].labels()]
            found.append(_at_equal(context, name, name, labels, profile, reference, baseline))
    score = context.monitor.inference_log.score
    if profile.bins.task == "binary_classification" and profile.bins.edges and isinstance(score, str):
        found.append(_at_equal(context, WHOLE, score, _places(profile), profile, reference, baseline))
    return found


def _names(context: CheckContext, profile: LabelsProfile) -> list[str]:
    names = list(context.baseline.features)
    prediction = context.monitor.inference_log.prediction
    if prediction is not None and not (profile.bins.task == "binary_classification" and profile.bins.edges):
        names.append(prediction)
    return [name for name in dict.fromkeys(names) if name in profile.columns]


def _places(profile: LabelsProfile) -> list[str]:
    """Name the groups of the score's places."""
    edges = [f"{edge:.3g}" for edge in profile.bins.group_edges]
    inner = [f"[{low},{high})" for low, high in pairwise(edges)]
    return ["null", f"(-inf,{edges[0]})", *inner, f"[{edges[-1]},inf)"] if edges else ["null", "all"]


def _at_equal(
    context: CheckContext,
    key: str,
    column: str,
    labels: Sequence[str],
    profile: LabelsProfile,
    reference: LabelsProfile,
    baseline: LabelledBaseline,
) -> Tested:
    bins = profile.bins
    settings = context.monitor.checks.concept_drift
    assert settings is not None
    regression = bins.task == "regression"
    before = label_table(reference, key)
    # Of two labels one says all; of more the one that changed most surely is told, and all are counted as tests.
    candidates = [0] if regression else [1] if before.shape[1] == 2 else list(range(before.shape[1]))
    shifts: list[tuple[int, ConditionalShift, BetweenWindows | None]] = []
    compared = 0
    tables: dict[int, FloatArray] = {}
    for label in candidates:
        a, b = _sides(key, label, reference, profile)
        # Of values that the baseline does not know nothing is said, and so not of a window that has few others.
        b = np.where(a[:, :1] > 1, b, 0.0)
        tables[label] = b
        compared = int(b[:, 0].sum())
        if compared < settings.minimum_rows:
            continue
        expected = b[:, 0].sum() * a[:, 1].sum() / max(a[:, 0].sum(), 1)
        if not regression and max(expected, b[:, 1].sum()) < FEWEST_LABELS:
            continue
        if not regression and b[:, 0].sum() - min(expected, b[:, 1].sum()) < FEWEST_LABELS:
            continue
        between = baseline.between(profile.segment, key, label)
        shifts.append((label, conditional_shift(a, b, between, rates=not regression), between))
    nothing = Tested(
        metric="residual_drift" if regression else "label_shift",
        column=column,
        segment=profile.segment,
        value=math.nan,
        lower=math.nan,
        upper=math.nan,
        p_value=math.nan,
        effect=0.0,
        unit=1.0,
        error=math.nan,
        freedom=math.inf,
        sides=4 * len(candidates),
        share=not regression,
        words=f"{column}: too few rows of values that the baseline knows, or of either label, to judge",
        detail={},
        baseline_rows=int(before[:, 0].sum() if regression else before.sum()),
        window_rows=profile.labelled,
    )
    known = [each for each in shifts if not math.isnan(each[1].p_value)]
    if not known:
        return nothing
    label, shift, between = min(known, key=lambda each: each[1].p_value)
    unit = _residual_deviation(before) if regression else 1.0
    strongest = shift.strongest
    detail: dict[str, object] = {
        "expected": shift.expected,
        "observed": shift.expected + shift.difference,
        "compared_rows": compared,
        "sampling_error": shift.sampling_error,
        "between_windows": math.sqrt(between.level) if between else 0.0,
        "windows": between.windows if between else 0,
    }
    in_bin = of_bin = ""
    effect = abs(shift.difference) / unit
    if strongest is not None:
        its = tables[label][strongest]
        rate = float(its[1] / its[0])
        change = float(shift.bins[strongest])
        detail["bin"] = {
            "bin": labels[strongest],
            "expected": rate - change,
            "observed": rate,
            "rows": int(its[0]),
            "p_value": float(shift.p_bins[strongest]),
        }
        sizes = _pair(rate, rate - change, regression)
        in_bin = f"; most in {column}={labels[strongest]}: {sizes} of {counted(int(its[0]), 'row')}"
        if shift.p_any_bin < shift.p_level:  # the bin is what was found
            effect = max(effect, abs(change) / unit)
            of_bin = _sentence_of_bin(context, profile, f"{column}={labels[strongest]}", label, sizes, int(its[0]))
    half = _quantile(0.025, shift.freedom) * shift.standard_error
    if not regression:
        detail["label"] = readable(_label_names(profile)[label])
    return replace(
        nothing,
        value=shift.difference,
        lower=shift.difference - half,
        upper=shift.difference + half,
        p_value=min(1.0, shift.p_value * len(candidates)),
        effect=effect,
        unit=unit,
        error=shift.standard_error,
        freedom=shift.freedom,
        sides=(2 if strongest is None else 4) * len(candidates),
        words=_sentence(context, profile, column, label, shift, known_too=key != WHOLE),
        detail=detail,
        reach=math.inf if regression else max(shift.expected, 1 - shift.expected),
        in_bin=in_bin,
        of_bin=of_bin,
    )


def _sides(key: str, label: int, reference: LabelsProfile, profile: LabelsProfile) -> tuple[FloatArray, FloatArray]:
    """Return moments by bin of the baseline, at the window's scores or predictions, and of the window."""
    bins, both = profile.bins, (reference, profile)
    if bins.task == "regression" or key == WHOLE:
        a, b = (moments(label_table(each, key), label, bins) for each in both)
    else:
        a, b = (moments(stratified_table(each, key), label, bins) for each in both)
    if bins.task == "regression":
        return a, b
    within = _within_groups(reference, profile, label) if bins.split[0] > 1 else None
    if key == WHOLE:
        return (a if within is None else within.applied(a)), b
    return standardised(a, b, within)


@lru_cache(maxsize=8)
def _within_groups(reference: LabelsProfile, profile: LabelsProfile, label: int) -> WithinStrata:
    """Return what scores that move inside the groups of places do: the same for every column."""
    counts = [each.outcomes.counts.sum(axis=1) for each in (reference, profile)]
    before, after = (np.stack([each.sum(axis=1), each[:, label]], axis=1) for each in counts)
    return within_strata(before, after, profile.bins.place_groups)


def _sentence(
    context: CheckContext, profile: LabelsProfile, column: str, label: int, shift: ConditionalShift, *, known_too: bool
) -> str:
    sizes = _pair(shift.expected + shift.difference, shift.expected, profile.bins.task == "regression")
    if profile.bins.task == "regression":
        return f"at equal {column} the mean residual (prediction less label) is {sizes}"
    log = context.monitor.inference_log
    score = log.score if profile.bins.edges and isinstance(log.score, str) else log.prediction
    equal = f"{column} and {score}" if known_too and score not in (None, column) else column
    return f"at equal {equal} {sizes} of the rows have {_label_in_words(context, profile, label)}"


def _sentence_of_bin(
    context: CheckContext, profile: LabelsProfile, which: str, label: int, sizes: str, rows: int
) -> str:
    of_rows = counted(rows, "row")
    if profile.bins.task == "regression":
        return f"in {which} the mean residual (prediction less label) of {of_rows} is {sizes}"
    return f"in {which} {sizes} of {of_rows} have {_label_in_words(context, profile, label)}"


def _label_in_words(context: CheckContext, profile: LabelsProfile, label: int) -> str:
    labels = context.monitor.labels
    return f"{labels.value if labels else 'label'}={readable(_label_names(profile)[label])}"


def _pair(after: float, before: float, regression: bool) -> str:
    write = number if regression else percent
    return f"{write(after)} instead of {write(before)}"


def _label_names(profile: LabelsProfile) -> Sequence[str]:
    classes = profile.bins.classes
    groups = profile.bins.split[2] - 1
    return classes if len(classes) == groups else (*classes[: groups - 1], "(other)")


def _residual_deviation(table: FloatArray) -> float:
    rows, total, squares = table.sum(axis=0)
    return math.sqrt(max(squares / rows - (total / rows) ** 2, 0.0)) or 1.0 if rows else 1.0


def _calibration(context: CheckContext, profile: LabelsProfile, baseline: LabelledBaseline) -> list[Tested]:
    """Test whether the score still means what it meant: labels against the baseline's calibration map."""
    score = context.monitor.inference_log.score
    if profile.bins.task != "binary_classification" or not profile.bins.edges or not isinstance(score, str):
        return []
    reference = baseline.profiles[profile.segment]
    before, after = reference.outcomes.scores, profile.outcomes.scores
    drift = calibration_drift(before, after)
    between = baseline.between(profile.segment, WHOLE, 1)
    level, windows = (between.level, between.windows) if between else (0.0, 0)
    rows = int(after.sum())
    residual = drift.mean_residual
    own = drift.standard_error
    # Both labels must be there to be judged, see FEWEST_LABELS.
    judged = own > 0 and after.sum(axis=0).min() >= FEWEST_LABELS
    error = math.sqrt(own**2 + level * (1 + 1 / max(windows, 1))) if judged else math.nan
    freedom = float(windows - 1) if level > 0 else math.inf
    half = _quantile(0.025, freedom) * error
    observed = float(after[:, 1].sum() / rows) if rows else math.nan
    expected = min(max(observed - residual, 0.0), 1.0) if rows else math.nan
    words = f"{score}: too few labels of either kind to test the calibration"
    if judged:
        words = (
            f"{percent(observed)} of the rows have {_label_in_words(context, profile, 1)}, the baseline's calibration "
            f"of {score} expects {percent(expected)}"
        )
    return [
        Tested(
            metric="calibration_drift",
            column=score,
            segment=profile.segment,
            value=residual,
            lower=residual - half,
            upper=residual + half,
            p_value=_two_sided(residual / error, freedom) if judged else math.nan,
            effect=abs(residual),
            unit=1.0,
            error=error,
            freedom=freedom,
            sides=2,
            words=words,
            baseline_rows=int(before.sum()),
            window_rows=rows,
            reach=max(expected, 1 - expected),
            detail={
                "sampling_error": own,
                "between_windows": math.sqrt(level),
                "windows": windows,
                "any_change_p_value": drift.p_value,
            },
        )
    ]


def _loss(profile: LabelsProfile, baseline: LabelledBaseline) -> list[Tested]:
    """Test whether the mean loss has risen."""
    reference = baseline.profiles[profile.segment]
    for name in LOSS:
        metric = performance_metric(name).of_task(task_of(profile.outcomes))
        if not metric.suits(profile.outcomes) or (name == "accuracy" and not profile.bins.has_prediction):
            continue
        comparison = compare(metric, reference, profile, baseline)
        if comparison is None:
            return []
        its = float(metric.function(profile.outcomes))
        error_rate = name == "accuracy"
        before, after = (1 - comparison.reference, 1 - its) if error_rate else (comparison.reference, its)
        words = "share of wrong predictions" if error_rate else metric.label
        write = percent if error_rate else number
        return [
            Tested(
                metric="loss_drift",
                column="",
                segment=profile.segment,
                value=after - before,
                lower=math.nan,
                upper=math.nan,
                p_value=comparison.p_value,
                effect=(after - before) / (1.0 if error_rate else before or 1.0),
                unit=1.0 if error_rate else before or 1.0,
                error=math.nan,
                freedom=comparison.freedom,
                sides=1,
                words=f"{words} {write(after)} instead of {write(before)}",
                baseline_rows=reference.labelled,
                window_rows=profile.labelled,
                detail={"loss": "error" if error_rate else name, "expected": before, "observed": after},
                share=error_rate,
                higher_is_worse=True,
                comparison=comparison,
                reach=comparison.reference - metric.lowest if error_rate else metric.highest - comparison.reference,
            )
        ]
    return []


def _verdict(results: Sequence[Result], how_final: str) -> Result:
    """Return one row that says of a segment in how many columns labels have changed, and where most."""
    columns = [each for each in results if each.metric in ("label_shift", "residual_drift")]
    judged = [each for each in columns if each.p_value is not None]
    moved = sorted(
        (each for each in judged if each.status == "alarm"), key=lambda each: (each.p_value, each.column_name)
    )
    others = [each for each in results if each not in columns and each.status == "alarm"]
    result = Result(
        "drifted_share",
        segment=results[0].segment,
        baseline_rows=results[0].baseline_rows,
        window_rows=results[0].window_rows,
    )
    if not judged:
        message = f"no column could be judged: {columns[0].message if columns else 'none is known'}"
        return replace(result, status="insufficient_data", message=message)
    alarm = bool(moved or others)
    columns_in_words = f"{len(moved)} of {counted(len(judged), 'column')}"
    message = f"labels changed at equal values of {columns_in_words}"
    if moved:
        message = f"{message}: {moved[0].message.removesuffix(how_final)}"
    elif others:
        what = " and ".join(dict.fromkeys(CHANGED[each.metric] for each in others))
        message = (
            f"{what}: {others[0].message.removesuffix(how_final)}; by column alone labels changed at equal values "
        )
        message += f"of {columns_in_words}"
    return replace(
        result,
        value=len(moved) / len(judged),
        status="alarm" if alarm else "ok",
        message=f"{message}{how_final}",
        detail={"columns": [each.column_name for each in moved], "judged": len(judged)},
    )


def _quantile(tail: float, freedom: float) -> float:
    """Return what is exceeded with the chance `tail`: of the normal distribution, or of Student's."""
    from scipy.special import ndtri, stdtrit

    return -float(ndtri(tail) if math.isinf(freedom) else stdtrit(freedom, tail))


def _two_sided(z: float, freedom: float) -> float:
    from scipy.special import ndtr, stdtr

    return float(2 * (ndtr(-abs(z)) if math.isinf(freedom) else stdtr(freedom, -abs(z))))
