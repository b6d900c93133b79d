"""The table's columns beside those that it had when the baseline was measured: new, vanished, of another type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from monitoring_tasks.checks.check import CheckContext
from monitoring_tasks.checks.data_drift import new_features
from monitoring_tasks.checks.result import Result
from monitoring_tasks.checks.wording import counted
from monitoring_tasks.config.roles import IN_WORDS, NUMBERS, ColumnType

NAMED = 5
"""Columns that a message names; all of them stand in `detail`."""


def schema_change(context: CheckContext) -> list[Result]:
    """Return how many columns came and how many vanished since the baseline, and a row for each changed type.

    What is not known has no row: new columns where the file names its features, and vanished ones and types of windows
    and baselines whose types were not kept.
    """
    results = []
    if context.monitor.inference_log.features.names is None:
        results.append(_new(new_features(context)))
    if context.profile.types:
        results.append(_vanished(vanished_columns(context)))
    # Of a window without rows nothing is said to be in order.
    results = [result for result in results if result.value or context.profile.rows]
    return [*results, *_types(context)]


def vanished_columns(context: CheckContext) -> tuple[str, ...]:
    """Return the columns that were counted in the baseline and that the table does not have any more."""
    types, unreadable = context.profile.types, context.profile.unreadable
    if not types:
        return ()
    return tuple(name for name in context.baseline.bins if name in unreadable and name not in types)


def _new(names: Sequence[str]) -> Result:
    what = f"{counted(len(names), 'new column')} since the baseline" if names else "no new column since the baseline"
    detail = {"columns": list(names)} if names else {}
    return Result("new_columns", float(len(names)), status="info", message=f"{what}{_listed(names)}", detail=detail)


def _vanished(names: Sequence[str]) -> Result:
    is_gone = "is" if len(names) == 1 else "are"
    what = f"{counted(len(names), 'column')} of the baseline {is_gone} gone from the table"
    return Result(
        "vanished_columns",
        float(len(names)),
        threshold_upper=0.0,
        message=f"{what}{_listed(names)}" if names else "the table has every column that the baseline had",
        detail={"columns": list(names)} if names else {},
    )


def _types(context: CheckContext) -> Iterator[Result]:
    for name, now in context.profile.types.items():
        before = context.baseline.types.get(name)
        if before is None or before == now:
            continue
        yield Result(
            "type_change",
            column_name=name,
            status="warning" if before in NUMBERS and now in NUMBERS else "alarm",
            message=f"{name} is {_words(now)} now and was {_words(before)} in the baseline",
            detail={"from": before, "to": now},
        )


def _words(type_: ColumnType) -> str:
    return f"{IN_WORDS[type_]} (timestamptz)" if type_ == "timestamptz" else IN_WORDS[type_]


def _listed(names: Sequence[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f": {', '.join(names[:NAMED])}{more}"
