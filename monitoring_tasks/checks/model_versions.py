"""Which versions of the model answered, and which of them are new."""

from __future__ import annotations

from monitoring_tasks.checks.check import CheckContext
from monitoring_tasks.checks.drift import compared_with
from monitoring_tasks.checks.result import Result
from monitoring_tasks.checks.unfamiliar import shown
from monitoring_tasks.checks.wording import counted, percent
from monitoring_tasks.profile import NULL, OTHER, UNSEEN
from monitoring_tasks.statistics.intervals import wilson_interval

MOST = 20
"""Versions that have a row of their own; those with fewer rows are one."""

NAMES = 5
"""New versions that the message names, at most; all of them stand in `detail`."""


def model_versions(context: CheckContext, column: str) -> list[Result]:
    """Return a row with the share of each version, and one that names those that the reference does not know.

    Parameters
    ----------
    context
        The window.
    column
        The model's version.
    """
    profile, bins = context.profile.columns[column], context.baseline.bins[column]
    total = profile.rows
    if not total:
        return []
    named = [*zip(bins.categories, profile.counts[1:], strict=False), *(profile.unseen or ())]
    found = sorted(((name, rows) for name, rows in named if rows), key=lambda item: (-item[1], item[0]))
    unnamed = profile.counts[-1] - sum(rows for _, rows in profile.unseen or ())
    others = profile.counts[-2] + sum(rows for _, rows in found[MOST:])
    special = [(NULL, profile.nulls), (OTHER, others), (UNSEEN, unnamed)]
    shares = [
        _share(column, name, rows, total) for name, rows in (*found[:MOST], *(each for each in special if each[1]))
    ]
    return [*shares, *_new(context, column, found)]


def _share(column: str, version: str, rows: int, total: int) -> Result:
    lower, upper = wilson_interval(rows, total)
    words = {
        NULL: "inferences without a version",
        OTHER: "inferences by rarer versions",
        UNSEEN: "inferences by new versions, too many to name",
    }
    return Result(
        "model_version_share",
        value=rows / total,
        column_name=column,
        segment=f"{column}={version}",
        value_lower=lower,
        value_upper=upper,
        window_rows=total,
        status="info",
        message=f"{rows} of {total} {words.get(version, f'inferences by {shown(version)}')}: {percent(rows / total)}",
    )


def _new(context: CheckContext, column: str, found: list[tuple[str, int]]) -> list[Result]:
    reference = context.reference.columns[""].get(column)
    if reference is None or reference.rows == reference.nulls:
        return []
    profile, bins = context.profile.columns[column], context.baseline.bins[column]
    known = {name for name, rows in zip(bins.categories, reference.counts[1:], strict=False) if rows}
    known |= {name for name, _ in reference.unseen or ()}
    new = [(name, rows) for name, rows in found if name not in known]
    unnamed = 0 if reference.counts[-1] else profile.counts[-1] - sum(rows for _, rows in profile.unseen or ())
    if reference.unseen is None:  # what it did not know by name may be these
        new = [(name, rows) for name, rows in new if name in bins.categories]
    rows = unnamed + sum(rows for _, rows in new)
    if not rows:
        return []
    names = ", ".join(shown(name) for name, _ in new[:NAMES])
    more = f" and {len(new) - NAMES} more" if len(new) > NAMES else ""
    what = counted(len(new), "new version") if not unnamed else "new versions, too many to name,"
    message = f"{what} answered {percent(rows / profile.rows)} of inferences{': ' * bool(names)}{names}{more}"
    result = Result(
        "new_model_version",
        value=rows / profile.rows,
        column_name=column,
        baseline_rows=reference.rows,
        window_rows=profile.rows,
        status="info",
        message=message,
        detail={"versions": dict(new)},
    )
    return [compared_with(context, result)]
