"""The traffic of a monitor's windows as the warehouse holds it; a key or a table that cannot be read costs itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitoring_tasks.config import ColumnType, Monitor
from monitoring_tasks.config.problem import suggestion
from monitoring_tasks.config.roles import expected_columns
from monitoring_tasks.errors import DataError
from monitoring_tasks.traffic import Traffic
from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.statement import Source
from monitoring_tasks.warehouse.traffic import ExpectedSource, read_traffic
from monitoring_tasks.window import Window


def window_traffic(
    monitor: Monitor,
    warehouse: Warehouse,
    types: Mapping[str, ColumnType],
    source: Source,
    windows: Sequence[Window],
) -> dict[Window, Traffic]:
    """Read the traffic of these windows.

    Parameters
    ----------
    monitor, warehouse
        Whose windows they are, and an open warehouse.
    types
        The inference log's columns.
    source
        The inference log.
    windows
        Disjoint, in time order.
    """
    log, reason = monitor.inference_log, None
    key = log.key if types.get(log.key, "other") != "other" else None
    expected = None if log.expected_rows is None else expected_source(monitor, warehouse, types)
    for with_key, with_expected in _WITHOUT:
        if (key is None and not with_key) or (not isinstance(expected, ExpectedSource) and not with_expected):
            continue
        its_key = key if with_key else None
        its_expected = expected
        if isinstance(expected, ExpectedSource) and not (with_expected and (with_key or expected.key is None)):
            its_expected = f"the expected rows cannot be read: {reason}"
        try:
            return {each.window: each for each in read_traffic(warehouse, source, its_key, windows, its_expected)}
        except DataError as error:
            reason = reason or error
    assert reason is not None
    raise reason


_WITHOUT = ((True, True), (True, False), (False, True), (False, False))
"""Whether the key, and the expected rows, are read: which of them costs the statement shows where one is left out."""


def expected_source(monitor: Monitor, warehouse: Warehouse, types: Mapping[str, ColumnType]) -> ExpectedSource | str:
    """Return where a monitor's expected rows are, or why they cannot be read."""
    log, expected = monitor.inference_log, monitor.inference_log.expected_rows
    assert expected is not None
    try:
        found = warehouse.columns(expected.table)
    except DataError as error:
        return f"the expected rows cannot be read: {error}"
    for need in expected_columns(monitor):
        if need.column not in found:
            told = ".".join(map(str, need.written))
            return (
                f"table {expected.table!r} of the expected rows has no column {need.column!r} ({told}): "
                f"{suggestion(need.column, list(found))}"
            )
        if (wrong := need.misfit(monitor, found[need.column])) is not None:
            return f"column {need.column!r} of table {expected.table!r} of the expected rows {wrong[0]}: {wrong[1]}"
    timestamp = expected.timestamp or log.timestamp
    its = Source(expected.table, timestamp, found[timestamp], monitor.schedule.timezone)
    if expected.rows is not None:
        return ExpectedSource(its, None, expected.rows)
    type_ = types.get(log.key)
    if type_ is None or type_ == "other":
        lacking = "is not there" if type_ is None else "is of a type that cannot be compared"
        return f"column {log.key!r} of the inference log {lacking} (inference_log.key): no expected key is found by it"
    key = expected.key or log.key
    return ExpectedSource(its, key, key_type=found[key], log_key_type=type_)
