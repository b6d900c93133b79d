"""Inferences that failed: those without a prediction, and those with an error."""

from __future__ import annotations

from dataclasses import replace

from monitoring_tasks.checks.check import CheckContext
from monitoring_tasks.checks.drift import compared_with
from monitoring_tasks.checks.error_texts import Errors, errors_of
from monitoring_tasks.checks.result import Result, Status
from monitoring_tasks.checks.wording import p_value, percent
from monitoring_tasks.statistics.homogeneity import belief_in_bin, risen_share_test
from monitoring_tasks.statistics.intervals import wilson_interval

MINIMUM_EFFECT = 0.01
"""The smallest rise of the error rate that matters, as a share of all inferences."""

NAMES = 3
"""Errors that the message names, at most."""

LONGEST = 60
"""Characters of an error that the message shows."""


def missing_predictions(context: CheckContext, column: str) -> Result:
    """Return the row `missing_predictions`: a number that nobody judges here.

    As far as the counts tell, the message says how many of them no error explains.
    """
    log, columns = context.monitor.inference_log, context.profile.columns
    nulls, rows = columns[column].nulls, context.profile.rows
    result = _share("missing_predictions", column, nulls, rows, "inferences have no prediction")
    if log.error is None or log.error not in columns or not nulls:
        return result
    failures = rows - columns[log.error].nulls
    if failures >= nulls:
        return result
    least = f"{nulls - failures} of them" if failures else "none of them"
    words = f"at least {least} ended without an error" if failures else f"{least} with an error"
    return replace(result, message=f"{result.message}; {words}")


def error_rate(context: CheckContext, column: str, maximum: float | None, rate: float) -> Result:
    """Return the row `error_rate`, with the errors that came most.

    Parameters
    ----------
    context
        The window.
    column
        The error.
    maximum
        The share that is in order. By default that of the reference and `MINIMUM_EFFECT` more: then an alarm needs as
        well a rise that is more than chance, as far as the parts of the reference show how much windows differ.
    rate
        Share of windows without a change in which chance may make that rise.
    """
    profile, rows = context.profile.columns[column], context.profile.rows
    failures = rows - profile.nulls
    result = _share("error_rate", column, failures, rows, "inferences failed")
    if not rows:
        return result
    if maximum is not None:
        bound = f"{result.message} (alarm above {100 * maximum:g} %)"
        result = replace(result, threshold_upper=maximum, message=bound)
    else:
        result = _compared(context, result, rate)
    if not failures:
        return result
    errors = errors_of(context.baseline.bins[column], profile)
    detail = {"top": [[text, count] for text, count in errors.top], "kinds": errors.kinds, "unnamed": errors.unnamed}
    message = "; ".join(filter(None, [result.message, _named(errors)]))
    return replace(result, message=message, detail={**result.detail, **detail})


def _compared(context: CheckContext, result: Result, rate: float) -> Result:
    column = result.column_name
    reference = context.reference.columns[""].get(column)
    if reference is None or not reference.rows or result.value is None:
        return result
    before, after = reference.array(), context.profile.columns[column].array()
    usual = 1 - reference.nulls / reference.rows
    bound = usual + MINIMUM_EFFECT
    belief = belief_in_bin(before, 0, context.reference.dispersions.get("", {}).get(column))
    known, seen = ([int(counts.sum() - counts[0]), int(counts[0])] for counts in (before, after))
    chance = risen_share_test(known, seen, belief)
    certain = chance <= rate
    status: Status = "alarm" if result.value > bound and certain else "ok"
    message = f"{result.message} ({percent(usual)} in the baseline; alarm above {percent(bound)})"
    if result.value > bound and not certain:
        message = f"{message}, but chance alone may do this: {p_value(chance)}"
    judged = replace(
        result,
        p_value=None if chance != chance else chance,
        threshold_upper=bound,
        baseline_rows=reference.rows,
        status=status,
        message=message,
        detail={"usual": usual, "design_effect": belief.mean},
    )
    return compared_with(context, judged)


def _named(errors: Errors) -> str:
    named = [f"{_shortened(text)} ({count})" for text, count in errors.top[:NAMES]]
    more = errors.kinds - len(named)
    others = [f"{more} others"] * (more > 0) + [f"{errors.unnamed} with texts too many to name"] * (errors.unnamed > 0)
    return ", ".join([*named, *others])


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _share(metric: str, column: str, rows: int, of: int, words: str) -> Result:
    if of == 0:
        return Result(metric, column_name=column, window_rows=0, status="insufficient_data", message="no rows")
    lower, upper = wilson_interval(rows, of)
    return Result(
        metric,
        value=rows / of,
        column_name=column,
        value_lower=lower,
        value_upper=upper,
        window_rows=of,
        message=f"{rows} of {of} {words}: {percent(rows / of)}",
    )
