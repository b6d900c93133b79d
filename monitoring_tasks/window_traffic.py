"""The traffic of a monitor's windows as the warehouse holds it; a key or a table that cannot be read costs itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from monitoring_tasks.config import ColumnType, Monitor
from monitoring_tasks.config.problem import suggestion
from monitoring_tasks.config.roles import expected_columns
from monitoring_tasks.errors import DataError
from monitoring_tasks.traffic import Traffic
from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.expressions import named, selected
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
    log = monitor.inference_log
    expected = None if log.expected_rows is None else expected_source(monitor, warehouse, types)
    reason = _unreadable(log.key, log.table, types)
    found = _read(warehouse, source, log.key, reason, windows, expected)
    return {each.window: each for each in found}


def _unreadable(key: str, table: str, types: Mapping[str, ColumnType]) -> str | None:
    """Say why a log's key cannot be read; None where it can."""
    type_ = types.get(key)
    if type_ is None:
        return f"table {table!r} has no column {key!r} (inference_log.key): it is not known which rows came twice"
    if type_ == "other":
        return f"column {key!r} of table {table!r} (inference_log.key) is of a type that cannot be compared"
    return None


def _read(
    warehouse: Warehouse,
    source: Source,
    key: str,
    key_unreadable: str | None,
    windows: Sequence[Window],
    expected: ExpectedSource | str | None,
    *,
    planned: bool = False,
) -> list[Traffic]:
    """Read the traffic; where a statement fails, of each window for itself, and then without what fails.

    What fails whatever the window, such as a column without a GRANT, is found first: unless it was `planned`.
    """
    reason: DataError | None = None
    for with_key, with_expected in _WITHOUT:
        if (key_unreadable and with_key) or (not isinstance(expected, ExpectedSource) and not with_expected):
            continue
        its_expected = expected
        if isinstance(expected, ExpectedSource) and not (with_expected and (with_key or expected.key is None)):
            its_expected = f"the expected rows cannot be read: {reason or key_unreadable}"
        try:
            found = list(read_traffic(warehouse, source, key if with_key else None, windows, its_expected))
        except DataError as error:
            if not planned:
                key_unreadable = key_unreadable or _refused(warehouse, source.table, key)
                expected = _planned(warehouse, expected)
                return _read(warehouse, source, key, key_unreadable, windows, expected, planned=True)
            if len(windows) > 1:
                half = len(windows) // 2
                halves = (
                    _read(warehouse, source, key, key_unreadable, part, expected, planned=True)
                    for part in (windows[:half], windows[half:])
                )
                return [each for found in halves for each in found]
            reason = reason or error
            continue
        why = None if with_key else key_unreadable or f"column {key!r} (inference_log.key) cannot be read: {reason}"
        return [replace(each, key_unreadable=why) for each in found]
    assert reason is not None
    raise reason


_WITHOUT = ((True, True), (True, False), (False, True), (False, False))
"""Whether the key, and the expected rows, are read: which of them costs the statement shows where one is left out."""


def _refused(warehouse: Warehouse, table: str, key: str) -> str | None:
    """Say why a key can be read in no window; None where it can in some."""
    failed = _plan(warehouse, table, key)
    return None if failed is None else f"column {key!r} (inference_log.key) cannot be read: {failed}"


def _planned(warehouse: Warehouse, expected: ExpectedSource | str | None) -> ExpectedSource | str | None:
    """Return the table of expected rows, or why it can be read in no window."""
    if not isinstance(expected, ExpectedSource):
        return expected
    its = (expected.source.timestamp, expected.key, expected.rows)
    failed = _plan(warehouse, expected.source.table, *(name for name in its if name is not None))
    return expected if failed is None else f"the expected rows cannot be read: {failed}"


def _plan(warehouse: Warehouse, table: str, *columns: str) -> DataError | None:
    """Ask for no row of the columns: what fails then fails in every window."""
    try:
        warehouse.query(selected({name: named(name) for name in columns}, warehouse.table(table)).limit(0))
    except DataError as error:
        return error
    return None


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
