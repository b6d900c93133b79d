"""Keys of the window that came more than once, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from monitoring_tasks.checks.check import CheckContext
from monitoring_tasks.checks.result import Result, Status
from monitoring_tasks.checks.wording import counted, percent
from monitoring_tasks.config.checks import QualityMetricName

if TYPE_CHECKING:
    from monitoring_tasks.config.checks import DataQuality

TOLERATED = 0.001
"""The share of rows that may repeat a key, or have none, unless the file says otherwise.

A queue that delivers at least once repeats a row in some ten thousand; a batch that was loaded twice repeats all.
"""


def duplicates(context: CheckContext, settings: DataQuality) -> list[Result]:
    """Return the shares of rows that repeat a key and that have none; an ``error`` row where the key cannot be read.

    What is tolerated is a share of all rows that ever come. Of a few hundred, two are more than that by chance: then
    they are a warning, unless the file has a fixed threshold.
    """
    traffic = context.traffic
    if traffic is None or traffic.rows == 0:
        return []
    key, results = context.monitor.inference_log.key, []
    if traffic.key_unreadable is not None:
        return [Result("unreadable", column_name=key, status="error", message=traffic.key_unreadable)]
    if traffic.repeats is not None:
        found = (
            f"{counted(traffic.repeats, 'row')} of {traffic.rows:,} {_verb(traffic.repeats, 'repeat')} a key ({key})"
        )
        times = ", ".join(f"{name} came {rows:,} times" for name, rows in traffic.repeated)
        words = f"{found}: {times}" if times else found
        examples = {"keys": [[name, rows] for name, rows in traffic.repeated]} if traffic.repeated else {}
        results.append(_row("duplicate_share", traffic.repeats, traffic.rows, key, words, settings, examples))
    if traffic.without_key is not None:
        none = traffic.without_key
        words = f"{counted(none, 'row')} of {traffic.rows:,} {_verb(none, 'have')} no key ({key})"
        results.append(_row("missing_keys", none, traffic.rows, key, words, settings, {}))
    return results


def _row(
    metric: QualityMetricName,
    rows: int,
    of: int,
    key: str,
    words: str,
    settings: DataQuality,
    detail: Mapping[str, object],
) -> Result:
    fixed = settings.fixed.get(metric)
    tolerated: float = settings.minimum_effect.get(metric, TOLERATED)
    threshold = tolerated if fixed is None else fixed
    status: Status = "ok"
    if rows / of > threshold:
        surely = fixed is not None or _chance(rows, of, tolerated) <= settings.false_alarm_rate
        status = "alarm" if surely else "warning"
    bound = f"alarm above {100 * threshold:g} %" + (", which is fixed" if fixed is not None else "")
    return Result(
        metric,
        rows / of,
        column_name=key,
        threshold_upper=threshold,
        window_rows=of,
        status=status,
        message=f"{words}; that is {percent(rows / of)} ({bound})",
        detail=detail,
    )


def _chance(rows: int, of: int, share: float) -> float:
    """Return how likely so many rows, or more, are of rows that each are bad with this probability."""
    from scipy.special import betainc

    return float(betainc(rows, of - rows + 1, share))


def _verb(rows: int, verb: str) -> str:
    singular = {"repeat": "repeats", "have": "has"}
    return singular[verb] if rows == 1 else verb
