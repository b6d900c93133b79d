"""Operations: did the data arrive, does the model answer, how quickly, how often does it fail."""

from __future__ import annotations

from monitoring_tasks.checks.check import CheckContext
from monitoring_tasks.checks.completeness import completeness
from monitoring_tasks.checks.data_drift import new_features
from monitoring_tasks.checks.failures import error_rate, missing_predictions
from monitoring_tasks.checks.latency import latencies
from monitoring_tasks.checks.model_versions import model_versions
from monitoring_tasks.checks.prediction_drift import predictions
from monitoring_tasks.checks.result import Result
from monitoring_tasks.checks.silence import freshness, longest_silence
from monitoring_tasks.checks.unreadable import unreadable
from monitoring_tasks.checks.volume import throughput, volume

OF_VOLUME = 0.8
"""Share of the false-alarm rate that the number of rows has: of all that is judged here, chance moves it most.

The others share the rest evenly. Each asks for a change so large that chance alone hardly ever makes it.
"""

OF_EACH_OTHER = (1 - OF_VOLUME) / 4
"""That of the longest silence, of freshness, of the errors and of the latency."""


def operations(context: CheckContext) -> list[Result]:
    """Judge how many rows came and when, which answers are missing, what failed, and how quick the model was."""
    settings = context.monitor.checks.operations
    if settings is None:
        return []
    log, counted = context.monitor.inference_log, context.profile.columns
    rate = settings.false_alarm_rate * OF_EACH_OTHER
    when = [
        throughput(context),
        longest_silence(context, settings.maximum_silence, rate),
        freshness(context, settings.maximum_silence, rate),
        completeness(context, settings.minimum_completeness),
    ]
    results = [volume(context, settings, settings.false_alarm_rate * OF_VOLUME)]
    results += [result for result in when if result is not None]
    results += unreadable(context, _reported_nowhere_else(context))
    if log.prediction is not None and log.prediction in counted:
        results.append(missing_predictions(context, log.prediction))
    if log.error is not None and log.error in counted:
        results.append(error_rate(context, log.error, settings.maximum_error_rate, rate))
    if log.latency_ms is not None and log.latency_ms in counted:
        results += latencies(context, log.latency_ms, settings.latency_p95_ms, rate)
    if log.model_version is not None and log.model_version in counted:
        results += model_versions(context, log.model_version)
    return results


def _reported_nowhere_else(context: CheckContext) -> list[str]:
    """Return the columns for which no other check of the monitor writes a row when they cannot be read."""
    checks, baseline = context.monitor.checks, context.baseline
    needed = dict.fromkeys([*context.profile.unreadable, *baseline.features, *context.monitor.segments])
    reported = set(new_features(context))
    reported |= set(baseline.features) if checks.data_drift is not None else set()
    reported |= set(predictions(context.monitor)) if checks.prediction_drift is not None else set()
    return [name for name in needed if name not in reported]
