"""What a window's rows came to against the suite, as results: one for each expectation, and one for all of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from monitoring_tasks.checks.check import CheckContext
from monitoring_tasks.checks.result import Result, Status
from monitoring_tasks.checks.wording import counted, number, percent
from monitoring_tasks.errors import DataError, TransientError
from monitoring_tasks.expectations.outcome import Outcome, SuiteRun
from monitoring_tasks.expectations.suite_file import QUERY, UNEXPECTED_ROWS

SHARE = "suite_success_share"
"""The metric of the whole suite."""

PAGE = "suite_data_docs"
"""The metric of the page about it, where that could not be written."""

FAILED: dict[str, Status] = {"critical": "alarm", "warning": "warning", "info": "info"}
"""The status of an expectation that is not met, by its severity."""

LONGEST = 160
"""Characters of an argument that a message shows."""

_BOUNDS = ("min_value", "max_value")


def expectation_results(context: CheckContext) -> list[Result]:
    """Hold the window against its suite: nothing of a monitor without one, one row of a window without rows."""
    if context.run_suite is None:
        return []
    rows = context.profile.rows
    if rows == 0:
        message = "the suite was not judged: the window has no rows"
        return [Result(SHARE, window_rows=0, status="insufficient_data", message=message)]
    try:
        run = context.run_suite()
    except TransientError:
        raise
    except DataError as error:
        message = f"the suite was not judged: {error}"
        return [Result(SHARE, window_rows=rows, status="error", message=message)]
    seen: Counter[tuple[str, str]] = Counter()
    results = []
    for outcome in run.outcomes:
        same = outcome.expectation, outcome.column
        seen[same] += 1
        metric = outcome.expectation if seen[same] == 1 else f"{outcome.expectation} ({seen[same]})"
        results.append(_result(outcome, metric, run))
    if run.data_docs_error is not None:
        message = f"the page about the suite is not there: {run.data_docs_error}"
        results.append(Result(PAGE, window_rows=rows, status="error", message=message))
    return [*results, _share(run)]


def _result(outcome: Outcome, metric: str, run: SuiteRun) -> Result:
    lower, upper = _thresholds(outcome)
    return Result(
        metric,
        value=_value(outcome),
        column_name=outcome.column,
        threshold_lower=lower,
        threshold_upper=upper,
        window_rows=run.window_rows if outcome.judged_rows is None else outcome.judged_rows,
        status=_status(outcome),
        message=_message(outcome, run),
        detail=_detail(outcome, run),
    )


def _status(outcome: Outcome) -> Status:
    if outcome.error is not None:
        return "error"
    if outcome.success is None:
        return "insufficient_data"
    return "ok" if outcome.success else FAILED[outcome.severity]


def _value(outcome: Outcome) -> float | None:
    """Return the share that is not as expected, or what was measured of an aggregate, if that is a number."""
    if outcome.unexpected_rows is not None:
        return outcome.unexpected_share
    return _number(outcome.observed)


def _thresholds(outcome: Outcome) -> tuple[float | None, float | None]:
    arguments = outcome.arguments
    if outcome.unexpected_rows is not None:
        return None, _room(arguments)
    if _number(outcome.observed) is None:
        return None, None
    if outcome.expectation == UNEXPECTED_ROWS:
        return None, 0.0
    if "threshold" in arguments:
        return None, _number(arguments["threshold"])
    if "value" in arguments:
        return _number(arguments["value"]), _number(arguments["value"])
    return _number(arguments.get("min_value")), _number(arguments.get("max_value"))


def _room(arguments: Mapping[str, Any]) -> float | None:
    """Return the share of values that may be otherwise, without the noise of a subtraction."""
    mostly = _number(arguments.get("mostly", 1))
    return None if mostly is None else round(1 - mostly, 12)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _message(outcome: Outcome, run: SuiteRun) -> str:
    words, said = _words(outcome.expectation), _said(outcome.arguments)
    if sum(outcome.arguments.get(bound) is not None for bound in _BOUNDS) == 1:
        words = words.removesuffix(" between")
    subject = f"expected {words}{said}"
    if outcome.expectation == UNEXPECTED_ROWS:
        subject = f"expected no row of {_short(outcome.arguments.get(QUERY))}"
    if outcome.error is not None:
        return f"{subject}: it could not be computed: {outcome.error}"
    sample = f", of a sample of {run.rows:,} of {run.window_rows:,} rows" * (run.rows < run.window_rows)
    if outcome.success is None:
        return f"{subject}: not judged on a sample of {run.rows:,} of {run.window_rows:,} rows: {outcome.unjudged}"
    verdict = "as expected" if outcome.success else "not as expected"
    if outcome.unexpected_rows is not None:
        judged = outcome.judged_rows or 0
        if not judged:
            return f"{subject}: no value to judge{sample}"
        share = outcome.unexpected_rows / judged
        room = _room(outcome.arguments)
        bound = "" if outcome.success and not room else f", {percent(room or 0)} allowed"
        examples = "" if outcome.success else _such_as(outcome.examples)
        values = counted(judged, "value")
        if not outcome.unexpected_rows:
            return f"{subject}: all {values} are{sample}"
        return f"{subject}: {outcome.unexpected_rows:,} of {values} are not ({percent(share)}{bound}){examples}{sample}"
    measured = _number(outcome.observed)
    found = number(measured) if measured is not None else _short(outcome.observed)
    examples = "" if outcome.success else _such_as(outcome.examples) + _without(outcome.absent)
    return f"{subject}: {verdict}{f', found {found}' if outcome.observed is not None else ''}{examples}{sample}"


def _words(expectation: str) -> str:
    """Write an expectation's type as words.

    Examples
    --------
    >>> _words("expect_column_values_to_not_be_null"), _words("expect_table_row_count_to_equal")
    ('values to not be null', 'row count to equal')
    """
    bare = expectation.removeprefix("expect_").removeprefix("column_").removeprefix("table_")
    return bare.replace("_", " ")


def _said(arguments: Mapping[str, Any]) -> str:
    """Write the arguments that bound a value; the others are in the detail."""
    unsaid = ("mostly", "ignore_row_if", "column_list", "condition_parser")
    shown = {name: value for name, value in arguments.items() if name not in unsaid and value is not None}
    condition = shown.pop("row_condition", None)
    bounds = [shown.pop(name, None) for name in _BOUNDS]
    parts = []
    if bounds != [None, None]:
        lower, upper = (None if bound is None else _short(bound) for bound in bounds)
        parts.append(f"{lower} and {upper}" if lower and upper else f"{lower} or more" if lower else f"{upper} or less")
    parts += [f"{_short(value)}" if len(shown) == 1 else f"{name} {_short(value)}" for name, value in shown.items()]
    where = "" if condition is None else f" where {_short(_where(condition))}"
    return f" {', '.join(parts)}{where}" if parts else where


def _where(condition: Any) -> str:
    """Write which rows an expectation is about.

    Examples
    --------
    >>> country = {"type": "comparison", "column": {"name": "country"}, "operator": "NOT_IN", "parameter": ["DE"]}
    >>> age = {"type": "nullity", "column": {"name": "age"}, "is_null": False}
    >>> _where({"type": "and", "conditions": [country, age]})
    '(country not in ["DE"] and age is not null)'
    """
    if not isinstance(condition, Mapping):
        return str(condition)
    kind, column = condition.get("type"), (condition.get("column") or {}).get("name", "")
    if kind in ("and", "or"):
        return f"({f' {kind} '.join(map(_where, condition['conditions']))})"
    if kind == "nullity":
        return f"{column} is {'' if condition['is_null'] else 'not '}null"
    if kind == "comparison":
        operator = str(condition["operator"]).lower().replace("_", " ")
        return f"{column} {operator} {json.dumps(condition['parameter'], ensure_ascii=False, default=str)}"
    return str(condition.get("pass_through_filter", ""))


def _short(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _such_as(examples: Sequence[Any]) -> str:
    return f", such as {_short(examples[0])}" if examples else ""


def _without(absent: Sequence[Any]) -> str:
    return f", without {_short(absent[0])}" if absent else ""


def _detail(outcome: Outcome, run: SuiteRun) -> dict[str, Any]:
    detail: dict[str, Any] = {"suite": run.suite, "arguments": dict(outcome.arguments), "severity": outcome.severity}
    found = {
        "unexpected_rows": outcome.unexpected_rows,
        "examples": list(outcome.examples) or None,
        "absent": list(outcome.absent) or None,
        "observed": outcome.observed,
        "notes": outcome.notes or None,
        "sampled_rows": run.rows if run.rows < run.window_rows else None,
    }
    return detail | {name: value for name, value in found.items() if value is not None}


def _share(run: SuiteRun) -> Result:
    """Return how many expectations are met of those that were judged."""
    failed = [each for each in run.outcomes if each.success is False]
    errors = sum(each.error is not None for each in run.outcomes)
    unjudged = sum(each.error is None and each.success is None for each in run.outcomes)
    judged = len(run.outcomes) - errors - unjudged
    parts = [f"{judged - len(failed):,} of {counted(judged, 'expectation')} of suite {run.suite!r} met"]
    parts += [f"{errors:,} could not be computed"] * bool(errors)
    parts += [f"{unjudged:,} not judged"] * bool(unjudged)
    parts += [f"on a sample of {run.rows:,} of {run.window_rows:,} rows"] * (run.rows < run.window_rows)
    detail: dict[str, Any] = {"suite": run.suite, "rows": run.rows, "pushed_down": run.pushed_down}
    if run.notes:
        detail["notes"] = list(run.notes)
    if run.data_docs is not None:
        detail["data_docs"] = run.data_docs
    severities = {each.severity for each in failed}
    worst: Status = "alarm" if "critical" in severities else "warning" if "warning" in severities else "ok"
    return Result(
        SHARE,
        value=(judged - len(failed)) / judged if judged else None,
        window_rows=run.window_rows,
        status=worst if judged else "insufficient_data",
        message=", ".join(parts),
        detail=detail,
    )
