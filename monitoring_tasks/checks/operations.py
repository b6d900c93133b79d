"""Operations: did the data arrive, does the model answer, how quickly, how often does it fail."""

from __future__ import annotations

from dataclasses import replace

from monitoring_tasks.checks.check import CheckContext
from monitoring_tasks.checks.data_drift import new_features
from monitoring_tasks.checks.prediction_drift import predictions
from monitoring_tasks.checks.result import Result
from monitoring_tasks.checks.unreadable import unreadable
from monitoring_tasks.checks.wording import number, percent
from monitoring_tasks.config import Operations, RowRange
from monitoring_tasks.statistics.intervals import wilson_interval
from monitoring_tasks.statistics.quantile import histogram_quantile

PERCENTILES = (50, 90, 95, 99)


def operations(context: CheckContext) -> list[Result]:
    """Count rows, missing predictions and errors, and read latency percentiles off the histogram."""
    settings = context.monitor.checks.operations
    if settings is None:
        return []
    log = context.monitor.inference_log
    results = [_rows(context, settings), *unreadable(context, _reported_nowhere_else(context))]
    counted = context.profile.columns
    if log.prediction is not None and log.prediction in counted:
        nulls = counted[log.prediction].nulls
        results.append(_share("missing_predictions", log.prediction, nulls, context.profile.rows, None))
    if log.error is not None and log.error in counted:
        failures = counted[log.error].rows - counted[log.error].nulls
        rate = _share("error_rate", log.error, failures, context.profile.rows, settings.maximum_error_rate)
        results.append(rate)
    if log.latency_ms is not None and log.latency_ms in counted:
        results += _latencies(context, log.latency_ms, settings.latency_p95_ms)
    return results


def _reported_nowhere_else(context: CheckContext) -> list[str]:
    """Return the columns for which no other check of the monitor writes a row when they cannot be read."""
    checks, baseline = context.monitor.checks, context.baseline
    needed = dict.fromkeys([*context.profile.unreadable, *baseline.features, *context.monitor.segments])
    reported = set(new_features(context))
    reported |= set(baseline.features) if checks.data_drift is not None else set()
    reported |= set(predictions(context.monitor)) if checks.prediction_drift is not None else set()
    return [name for name in needed if name not in reported]


def _rows(context: CheckContext, settings: Operations) -> Result:
    rows = context.profile.rows
    lower = upper = None
    if isinstance(settings.expected_rows, RowRange):
        lower, upper = settings.expected_rows.minimum, settings.expected_rows.maximum
    elif isinstance(settings.expected_rows, int):
        lower, upper = max(1, settings.expected_rows // 2), settings.expected_rows * 2
    if rows == 0 and lower is None:
        lower = 1
    result = Result("rows", value=rows, window_rows=rows, threshold_lower=lower, threshold_upper=upper)
    if rows == 0:
        message = f"no data: table {context.monitor.inference_log.table!r} has no row in {context.window}"
        return replace(result, message=message)
    verdict = {"ok": "in order", "info": "counted"}.get(result.decided(), "not as expected")
    expected = f" ({lower if lower is not None else 0} to {upper if upper is not None else 'any'} expected)"
    message = f"{rows} rows, {verdict}{expected if lower is not None or upper is not None else ''}"
    return replace(result, message=message)


def _share(metric: str, column: str, rows: int, of: int, limit: float | None) -> Result:
    if of == 0:
        return Result(metric, column_name=column, window_rows=0, status="insufficient_data", message="no rows")
    lower, upper = wilson_interval(rows, of)
    words = "inferences failed" if metric == "error_rate" else "inferences have no prediction"
    bound = "" if limit is None else f" (alarm above {100 * limit:g} %)"
    return Result(
        metric,
        value=rows / of,
        column_name=column,
        value_lower=lower,
        value_upper=upper,
        threshold_upper=limit,
        window_rows=of,
        message=f"{rows} of {of} {words}: {percent(rows / of)}{bound}",
    )


def _latencies(context: CheckContext, column: str, limit: float | None) -> list[Result]:
    profile, edges = context.profile.columns[column], context.baseline.bins[column].edges
    counts = profile.counts[1:]
    results = []
    for percentile in PERCENTILES:
        metric = f"latency_p{percentile}"
        value = histogram_quantile(counts, edges, percentile / 100)
        if value is None:
            results.append(
                Result(metric, column_name=column, window_rows=0, status="insufficient_data", message="no latencies")
            )
            continue
        threshold = limit if percentile == 95 else None
        bound = "" if threshold is None else f" (alarm above {threshold:g} ms)"
        results.append(
            Result(
                metric,
                value=value,
                column_name=column,
                threshold_upper=threshold,
                window_rows=sum(counts),
                message=f"{percentile} % of answers took at most {number(value)} ms{bound}",
            )
        )
    return results
