"""Data drift: a change of P(X), feature by feature."""

from __future__ import annotations

from collections.abc import Mapping

from monitoring_tasks.checks.baseline_shift import baseline_shift
from monitoring_tasks.checks.check import CheckContext
from monitoring_tasks.checks.drift import drift
from monitoring_tasks.checks.error_budget import share_of_rate
from monitoring_tasks.checks.result import Result
from monitoring_tasks.config.problem import suggestion
from monitoring_tasks.config.roles import roles_of


def data_drift(context: CheckContext) -> list[Result]:
    """Compare every feature with the baseline, and name those that have come since."""
    settings = context.monitor.checks.data_drift
    if settings is None:
        return []
    new = [
        Result("new_column", column_name=name, status="info", message=context.profile.unreadable[name])
        for name in new_features(context)
    ]
    features = context.baseline.features
    if not features:
        message = "no column is compared: besides the key, the timestamp and the prediction the table has none"
        rows = context.profile.rows
        return [Result("drifted_share", status="insufficient_data", window_rows=rows, message=message), *new]
    rate, importance = share_of_rate(context, "data_drift"), settings.importance
    compared = drift(context, features, settings, rate=rate, importance=importance)
    weights = _weights_of_no_feature(context, settings.importance)
    return [*compared, *baseline_shift(context, features, settings), *weights, *new]


def _weights_of_no_feature(context: CheckContext, importance: Mapping[str, float]) -> list[Result]:
    """Return a row for each weight that weighs nothing; of a column that has come since, its own row tells."""
    features, new = context.baseline.features, new_features(context)
    return [
        Result(
            "unreadable",
            column_name=name,
            status="error",
            message=f"column {name!r} has a weight in `importance` and is no feature: {suggestion(name, features)}",
        )
        for name in importance
        if name not in features and name not in new
    ]


def new_features(context: CheckContext) -> tuple[str, ...]:
    """Return the columns that ``features: '*'`` would stand for now, and did not when the baseline was measured."""
    known = {*context.baseline.features, *roles_of(context.monitor)}
    return tuple(name for name in context.profile.unreadable if name not in known)
