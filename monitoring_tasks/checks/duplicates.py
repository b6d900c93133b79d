"""Keys of the window that came more than once, or not at all. Facts about its rows, not samples."""

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

    A single row is no alarm unless the file has a fixed threshold: of a few hundred it is more than `TOLERATED`.
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
        status = "alarm" if rows > 1 or fixed is not None else "warning"
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


def _verb(rows: int, verb: str) -> str:
    singular = {"repeat": "repeats", "have": "has"}
    return singular[verb] if rows == 1 else verb
