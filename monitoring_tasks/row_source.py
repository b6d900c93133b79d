"""What a run draws rows from: the inference log and the baseline's table, their columns and their key."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Generic, TypeVar

from monitoring_tasks.columns import Column, monitored_columns
from monitoring_tasks.config import ColumnType, Monitor
from monitoring_tasks.errors import DataError, NoKeyError
from monitoring_tasks.inference_log import log_source
from monitoring_tasks.profile import Kind
from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.statement import Source
from monitoring_tasks.window import Window

SORTED_VALUES = 4_000_000
"""Values of windows that one statement draws from: opening a thousand Parquet files for each window is what costs."""

T = TypeVar("T")


class RowSource:
    """Looks up what is there once, and says what is missing."""

    def __init__(self, monitor: Monitor, warehouse: Warehouse, kinds: Mapping[str, Kind]) -> None:
        """Ask the warehouse nothing yet; `kinds` are those of the columns to draw."""
        self.monitor, self.warehouse, self.kinds = monitor, warehouse, kinds

    @cached_property
    def types(self) -> dict[str, ColumnType]:
        """The columns of the inference log."""
        return self.warehouse.columns(self.monitor.inference_log.table)

    @cached_property
    def log(self) -> Source:
        """The inference log."""
        return log_source(self.monitor, self.types)

    def several(self, window_rows: int) -> int:
        """Return how many windows of so many rows one statement may draw from."""
        return max(1, SORTED_VALUES // (window_rows * max(len(self.kinds), 1)))

    def key(self, types: Mapping[str, ColumnType], baseline_table: str | None = None) -> str:
        """Return the column by which rows are drawn.

        Raises
        ------
        NoKeyError
            If the baseline's table does not have it.
        DataError
            If the inference log does not.
        """
        key, table = self.monitor.inference_log.key, self.monitor.inference_log.table
        if key in types:
            return key
        if baseline_table is not None:
            raise NoKeyError(
                f"table {baseline_table!r} has no column {key!r} (inference_log.key), by which rows are drawn: add it "
                "to the baseline's table, with a value of its own for each row, or name a period under `baseline`"
            )
        raise DataError(
            f"table {table!r} has no column {key!r} (inference_log.key), by which rows are drawn; it has "
            f"{', '.join(types)}"
        )

    def columns(self, types: Mapping[str, ColumnType], table: str) -> list[Column]:
        """Return the columns to draw of a table; raises DataError if one cannot be read."""
        kinds = self.kinds
        found, unreadable = monitored_columns(self.monitor, types, tuple(kinds), kinds=kinds, table=table)
        readable = {column.name: column for column in found}
        missing = [unreadable.get(name, f"column {name!r} cannot be read") for name in kinds if name not in readable]
        if missing:
            raise DataError(missing[0])
        return [readable[name] for name in kinds]


def _disjoint(windows: Sequence[Window]) -> Sequence[Window]:
    """Return the first windows that share no row: those of another schedule, which wait, may overlap the run's."""
    for i in range(1, len(windows)):
        if windows[i].start < windows[i - 1].end:
            return windows[:i]
    return windows


class ReadAhead(Generic[T]):
    """Draws from a window and from those that will be asked for next at once."""

    def __init__(self, windows: Sequence[Window], read: Callable[[Sequence[Window]], Sequence[T]]) -> None:
        """Read nothing yet; `windows` are those that will be asked for, in time order."""
        self._windows, self._read = windows, read
        self._ahead: dict[Window, T] = {}

    def take(self, window: Window, several: int) -> T:
        """Return what is drawn of a window; `several` is how many are read if it was not."""
        if window not in self._ahead:  # what was taken is read anew: the window may have been written to meanwhile
            places = [i for i, known in enumerate(self._windows) if known == window]
            part = _disjoint(self._windows[places[0] : places[0] + several]) if places else [window]
            try:
                self._ahead = dict(zip(part, self._read(part), strict=True))
            except DataError:
                if len(part) == 1:
                    raise
                self._ahead = dict(zip([window], self._read([window]), strict=True))  # another one is to blame
        return self._ahead.pop(window)
