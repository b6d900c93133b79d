"""The traffic of a monitor's windows as the warehouse holds it; a key or a table that cannot be read costs itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitoring_tasks.config import ColumnType, Monitor
from monitoring_tasks.config.problem import suggestion
from monitoring_tasks.config.roles import IN_WORDS, NUMBERS, TIMES
from monitoring_tasks.errors import DataError
from monitoring_tasks.traffic import Traffic
from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.statement import Source
from monitoring_tasks.warehouse.traffic import ExpectedSource, compared_as_texts, read_traffic
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
    key = log.key if types.get(log.key, "other") != "other" else None
    expected = None if log.expected_rows is None else expected_source(monitor, warehouse, types)
    try:
        found = list(read_traffic(warehouse, source, key, windows, expected))
    except DataError as error:  # of the key's values, or of the other table's: the scan tells of the log's own
        if not isinstance(expected, ExpectedSource) and key is None:
            raise
        why = None if expected is None else expected if isinstance(expected, str) else str(error)
        found = list(read_traffic(warehouse, source, None if expected is None else key, windows, why))
    return {each.window: each for each in found}


def expected_source(monitor: Monitor, warehouse: Warehouse, types: Mapping[str, ColumnType]) -> ExpectedSource | str:
    """Return where a monitor's expected rows are, or why they cannot be read."""
    log, expected = monitor.inference_log, monitor.inference_log.expected_rows
    assert expected is not None
    try:
        found = warehouse.columns(expected.table)
    except DataError as error:
        return f"the expected rows cannot be read: {error}"
    timestamp = expected.timestamp or log.timestamp
    key = None if expected.rows is not None else expected.key or log.key
    for name, allowed, noun, part in (
        (timestamp, TIMES, "a time", "timestamp"),
        (key, None, "a key", "key"),
        (expected.rows, NUMBERS, "a number of rows", "rows"),
    ):
        if name is None:
            continue
        if name not in found:
            told = f"inference_log.expected_rows.{part}"
            return (
                f"table {expected.table!r} of the expected rows has no column {name!r} ({told}): "
                f"{suggestion(name, list(found))}"
            )
        if allowed is not None and found[name] not in allowed:
            return f"column {name!r} of table {expected.table!r} is {IN_WORDS[found[name]]}, not {noun}"
    if key is not None and log.key not in types:
        return f"the inference log has no column {log.key!r} (inference_log.key) to hold the expected keys against"
    its = Source(expected.table, timestamp, found[timestamp], monitor.schedule.timezone)
    as_texts = key is not None and compared_as_texts(types[log.key], found[key])
    return ExpectedSource(its, key, expected.rows, as_texts)
