"""The checks, one file each.

A new check is its file, its entry in `CHECKS`, and its settings in `config.checks`; everything else (the command line,
the DAGs, the stored rows, the isolation of its failures) follows from that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitoring_tasks.checks.check import Check, CheckContext, RowSamples
from monitoring_tasks.checks.concept_drift import concept_drift
from monitoring_tasks.checks.data_drift import data_drift
from monitoring_tasks.checks.data_quality import data_quality, has_suite
from monitoring_tasks.checks.estimated_performance import estimated_performance
from monitoring_tasks.checks.multivariate_drift import multivariate_drift
from monitoring_tasks.checks.operations import operations
from monitoring_tasks.checks.performance import performance
from monitoring_tasks.checks.prediction_drift import prediction_drift
from monitoring_tasks.checks.result import STATUSES, Result, Status

if TYPE_CHECKING:
    from monitoring_tasks.config import Monitor

__all__ = [
    "CHECKS",
    "STATUSES",
    "Check",
    "CheckContext",
    "Result",
    "RowSamples",
    "Status",
    "enabled",
    "families",
    "not_computed",
    "not_computed_in_words",
]


def _always(_: Monitor) -> bool:
    return True


CHECKS: tuple[Check, ...] = (
    Check("data_drift", "drift", data_drift, compares=True),
    Check("prediction_drift", "drift", prediction_drift, compares=True),
    Check("performance", "performance", performance, reads_rows=_always, reads_labels=True),
    Check("concept_drift", "performance", concept_drift, reads_labels=True, looks_back_on_labels=True),
    Check("estimated_performance", "performance", estimated_performance, reads_labels=True, looks_back_on_labels=True),
    Check("data_quality", "data_quality", data_quality, reads_rows=has_suite, compares=True),
    Check("operations", "operations", operations, looks_at_traffic=True, compares=True),
    Check("multivariate_drift", "multivariate", multivariate_drift, reads_rows=_always, compares=True),
)
"""In the order in which they are run and read."""


def enabled(monitor: Monitor) -> tuple[Check, ...]:
    """Return the checks that the monitor file leaves on; those that read labels only of a monitor that has some."""
    return tuple(
        check
        for check in CHECKS
        if monitor.check(check.name) is not None and (monitor.labels is not None or not check.reads_labels)
    )


def families(monitor: Monitor) -> dict[str, tuple[str, ...]]:
    """Return the names of the enabled checks by family."""
    found: dict[str, tuple[str, ...]] = {}
    for check in enabled(monitor):
        found[check.family] = (*found.get(check.family, ()), check.name)
    return found


def not_computed(monitor: Monitor) -> tuple[str, ...]:
    """Return the keys of the monitor file that this version reads and does not act on yet, in the order of the file."""
    known = {check.name for check in CHECKS}
    written = set(monitor.checks.model_fields_set) | set(monitor.checks.custom)
    keys = [f"checks.{name}" for name in monitor.checks.names if name not in known and name in written]
    return tuple(keys)


def not_computed_in_words(monitor: Monitor) -> str | None:
    """Say which keys of the file are without effect, so that none of them is silently; None where all have theirs."""
    keys = not_computed(monitor)
    return f"this version does not act on {', '.join(keys)} yet" if keys else None
