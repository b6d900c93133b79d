"""Where the rows of a monitor's inference log are."""

from __future__ import annotations

from collections.abc import Mapping

from monitoring_tasks.config import ColumnType, Monitor
from monitoring_tasks.config.roles import timestamp_misfit
from monitoring_tasks.errors import DataError
from monitoring_tasks.warehouse.statement import Source


def log_source(monitor: Monitor, types: Mapping[str, ColumnType]) -> Source:
    """Return the inference log, whose columns have these types, as what a statement reads.

    Raises
    ------
    DataError
        If it has no such timestamp, or one by which its windows cannot be cut.
    """
    log = monitor.inference_log
    type_ = types.get(log.timestamp)
    if type_ is None:
        raise DataError(
            f"monitor {monitor.name!r}: table {log.table!r} has no column {log.timestamp!r} (inference_log.timestamp); "
            f"it has {', '.join(types)}"
        )
    wrong = timestamp_misfit(monitor, type_)
    if wrong is not None:
        raise DataError(
            f"monitor {monitor.name!r}: inference_log.timestamp {log.timestamp!r} of table {log.table!r} {wrong[0]}: "
            f"{wrong[1]}"
        )
    return Source(log.table, log.timestamp, type_, monitor.schedule.timezone)
