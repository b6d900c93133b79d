"""What is known of the labels themselves: how many have come, how late, and what that allows to be said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from monitoring_tasks.checks.check import CheckContext
from monitoring_tasks.checks.result import Result, Status
from monitoring_tasks.checks.wording import counted, number, percent
from monitoring_tasks.label_maturity import complete_at
from monitoring_tasks.labels_profile import DELAY_EDGES, LabelsProfile
from monitoring_tasks.outcome_bins import CLASSES
from monitoring_tasks.profile import readable
from monitoring_tasks.statistics.quantile import histogram_quantile
from monitoring_tasks.window import format_instant

DELAYS = (50, 90, 99)
"""Percentiles of the time to the first label."""

CURVE_HOURS = (1, 3, 6, 12, 24, 48, 72, 168, 336, 720, 2160)
"""Ages at which the delay curve says how many labels were known."""

UNKNOWN_SHARE = 0.5
"""Of the labels that arrived: more of unknown keys are a sign that they are joined by another key than the log's."""

APART = 3.0
"""Standard errors from which on labelled rows are said to be unlike the others."""


def without_labels(context: CheckContext) -> list[Result] | None:
    """Return what a check of labels writes where there are none; None where there are some."""
    if context.monitor.labels is None:
        return []
    labels = context.labels
    if labels is None:
        message = "the window was scanned before the monitor file named labels: run it again"
        return [Result("label_coverage", status="error", message=message)]
    if labels.unreadable is not None:
        return [Result("label_coverage", status="error", message=labels.unreadable)]
    return None


def wrong_classes(context: CheckContext) -> list[Result]:
    """Return an error where the labels of the baseline's rows are other classes than the model's; none elsewhere.

    One check writes it for all: the others have nothing to compare with then, and say so.
    """
    message = _no_class(context)
    return [] if message is None else [Result("label_coverage", status="error", message=message)]


def no_classes(context: CheckContext) -> str | None:
    """Say in the other checks that the labels of the baseline's rows are other classes; None where they are not."""
    return (
        None if _no_class(context) is None else "the labels of the baseline's rows are other classes than the model's"
    )


def _no_class(context: CheckContext) -> str | None:
    """Say that the labels of the baseline's rows are other classes than the model's; None where they are not."""
    baseline, log = context.labelled_baseline, context.monitor.inference_log
    if baseline is None or not baseline.shows_no_class:
        return None
    if baseline.bins.task == "binary_classification" and len(baseline.no_class) < 2:
        return None  # of events so rare that the baseline holds none, all labels are alike
    values = ", ".join(f"{readable(each)!r}" for each in baseline.no_class)
    of_them = f"{counted(baseline.whole.labelled, 'label')} of the baseline's rows"
    if baseline.bins.task == "binary_classification":
        return (
            f"none of the {of_them} is the positive_class {log.positive_class!r}: they are such as {values}; write "
            "inference_log.positive_class as the labels have it"
        )
    return (
        f"most of the {of_them} are none of the {len(baseline.bins.classes) - 1} classes that are told apart: they are "
        f"such as {values}; write the classes as the labels have them (at most {CLASSES} are told apart)"
    )


def label_results(context: CheckContext, minimum_coverage: float) -> list[Result]:
    """Return coverage of all rows and each segment, the delays, and what arrived in the window's time."""
    labels = context.labels
    assert labels is not None
    results = [_coverage(context, profile, minimum_coverage) for profile in labels.profiles]
    whole = labels.profiles[0]
    for percentile in DELAYS:
        seconds = histogram_quantile(whole.delays[1:], DELAY_EDGES, percentile / 100)
        if seconds is not None:
            hours = seconds / 3600
            message = f"{percentile} % of the labels that are known came within {number(hours)} hours"
            its = Result(f"label_delay_p{percentile}", value=hours, window_rows=whole.labelled, status="info")
            results.append(replace(its, message=message))
    return [*results, *_unreadable_answers(context), *_arrivals(context), *_mistimed(context)]


def _unreadable_answers(context: CheckContext) -> list[Result]:
    """Return an error for each column of scores, or of the prediction, without which there are no metrics of it."""
    log = context.monitor.inference_log
    scores = {} if isinstance(log.score, str) or log.score is None else dict(log.score)
    names = [*([log.score] if isinstance(log.score, str) else scores.values()), *filter(None, [log.prediction])]
    # Of the window only: a baseline's table may do without them.
    reasons = context.profile.unreadable
    results = [
        Result("unreadable", column_name=name, status="error", message=reasons[name])
        for name in dict.fromkeys(names)
        if name in reasons
    ]
    if len(scores) > CLASSES:
        message = f"there are scores of {len(scores)} classes, and at most {CLASSES} classes are told apart: no metric "
        message += "of scores is computed"
        results.append(Result("score", status="insufficient_data", message=message))
    return results


def _arrivals(context: CheckContext) -> list[Result]:
    """Return how many labels arrived in the window's time, and whether the feed of labels is alive."""
    labels, end = context.labels, context.window.end
    assert labels is not None
    assert context.monitor.labels is not None
    message = f"{counted(labels.arrived, 'label')} arrived in this window's time, {labels.unknown:,} of unknown keys"
    results = [Result("labels_arrived", value=labels.arrived, status="info", message=message)]
    most = labels.arrived * UNKNOWN_SHARE
    unknown = Result("unknown_label_keys", value=labels.unknown, threshold_upper=most, status="info", message=message)
    if labels.unknown > most:
        hint = "is labels.key the same key as inference_log.key?"
        unknown = replace(unknown, status="warning", message=f"{message}: {hint}")
    results.append(unknown)
    patience = context.monitor.labels.complete_after + context.window.length
    hours = patience.total_seconds() / 3600
    since = end - (labels.latest or context.monitor.start)
    status: Status = "warning" if since > patience else "insufficient_data" if labels.latest is None else "info"
    message = f"no label had arrived by {format_instant(end)}"
    if labels.latest is not None:
        message = (
            f"the last label before {format_instant(end)} had arrived {number(since.total_seconds() / 3600)} hours "
        )
        message += f"earlier (warning above {number(hours)})"
    value = None if labels.latest is None else since.total_seconds() / 3600
    return [*results, Result("label_lag", value=value, threshold_upper=hours, status=status, message=message)]


def _mistimed(context: CheckContext) -> list[Result]:
    labels, results = context.labels, []
    assert labels is not None
    if labels.untimed:
        message = (
            f"{counted(labels.untimed, 'label')} of this window's rows {_have(labels.untimed)} no time of arrival, "
        )
        message += "or one that stands for none, such as infinity: none of them counts"
        results.append(Result("labels_without_time", value=labels.untimed, status="warning", message=message))
    if labels.future:
        message = f"{counted(labels.future, 'label')} of this window's rows {_have(labels.future)} a time of arrival "
        message += "that was still to come when they were read"
        results.append(Result("labels_of_the_future", value=labels.future, status="warning", message=message))
    return results


def _have(count: int) -> str:
    return "has" if count == 1 else "have"


def _coverage(context: CheckContext, profile: LabelsProfile, minimum: float) -> Result:
    rows, coverage = profile.rows, profile.coverage
    result = Result("label_coverage", segment=profile.segment, window_rows=rows, threshold_lower=minimum)
    if coverage is None:
        return replace(result, status="insufficient_data", message="no rows")
    parts = [f"{percent(coverage)} of {counted(rows, 'row')} have a label", maturity(context)]
    if profile.repeated:
        parts.append(f"{profile.repeated:,} {_have(profile.repeated)} more than one")
    if profile.corrected:
        were = "was" if profile.corrected == 1 else "were"
        parts.append(f"{counted(profile.corrected, 'label')} {were} corrected later, the latest counts")
    few = too_few_labels(profile, minimum)
    parts += filter(None, [few, unlike_the_others(context, profile)])
    return replace(
        result,
        value=coverage,
        status="ok" if few is None else "insufficient_data",
        message="; ".join(filter(None, parts)),
        detail={
            "labelled": profile.labelled,
            "repeated": profile.repeated,
            "corrected": profile.corrected,
            "delay_curve": delay_curve(profile, _ages(context)),
        },
    )


def too_few_labels(profile: LabelsProfile, minimum: float) -> str | None:
    """Say that too few labels are known for a verdict; None where they are enough."""
    coverage = profile.coverage
    if coverage is None:
        return "no rows"
    if coverage >= minimum and profile.labelled:
        return None
    return f"{percent(coverage)} of the labels are known, a verdict needs {percent(minimum)}"


def maturity(context: CheckContext) -> str:
    """Say until when labels are still to come; empty where they are complete."""
    if context.labels is None or context.labels.final:
        return ""
    return f"provisional, more are to come until {format_instant(complete_at(context.monitor, context.window))}"


def provisional(context: CheckContext) -> str:
    """Say, where it is so, that labels are still to come."""
    if context.labels is None or context.labels.final:
        return ""
    coverage = context.labels.profiles[0].coverage
    known = "" if coverage is None else f", {percent(coverage)} of the labels are known"
    return f", provisional{known}"


def _ages(context: CheckContext) -> tuple[int, ...]:
    """Return the ages, of `CURVE_HOURS`, that all rows of a window have reached by its labels' own times.

    They end where labels are complete, however much later the latest label of all has come: else the curve would depend
    on when the window was read. Of a provisional window there are none.
    """
    labels = context.monitor.labels
    if labels is None or context.labels is None or not context.labels.final:
        return ()
    return tuple(hours for hours in CURVE_HOURS if timedelta(hours=hours) <= labels.complete_after)


def delay_curve(profile: LabelsProfile, ages: Sequence[int] = CURVE_HOURS) -> list[list[float]]:
    """Return pairs: hours since the inference, share of the window's rows whose label was known by then."""
    known = profile.delays[1:].cumsum()  # below the first edge, then to each edge
    rows = max(profile.rows, 1)
    places = [sum(edge <= hours * 3600 for edge in DELAY_EDGES) for hours in ages]
    return [[hours, round(float(known[place - 1] / rows), 4)] for hours, place in zip(ages, places, strict=True)]


def unlike_the_others(context: CheckContext, profile: LabelsProfile) -> str:
    """Say that rows whose label is known are predicted otherwise than those still without: early labels mislead."""
    bins = profile.bins
    if bins.task != "binary_classification" or context.labels is None or context.labels.final:
        return ""
    by_prediction = profile.cells.reshape(bins.shape).sum(axis=0)[1:]
    known, unknown = by_prediction[:, :-1].sum(axis=1), by_prediction[:, -1]
    if not known.sum() or not unknown.sum():
        return ""
    before, after = known[1] / known.sum(), unknown[1] / unknown.sum()
    share = (known[1] + unknown[1]) / (known.sum() + unknown.sum())
    error = (share * (1 - share) * (1 / known.sum() + 1 / unknown.sum())) ** 0.5
    if not error or abs(before - after) < APART * error:
        return ""
    return (
        f"those known are of another kind: {percent(before)} of them are predicted {bins.classes[1]}, "
        f"of the others {percent(after)}"
    )
