"""The rows that some checks need beside the profile: a bounded sample of the window, and one of the baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import pyarrow as pa

from monitoring_tasks.checks.check import RowSamples
from monitoring_tasks.columns import Column, monitored_columns
from monitoring_tasks.config import ColumnType, Monitor
from monitoring_tasks.errors import DataError, NoKeyError, about
from monitoring_tasks.inference_log import log_source
from monitoring_tasks.profile import Baseline, Kind
from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.sample import sample
from monitoring_tasks.warehouse.statement import Source
from monitoring_tasks.window import Window

SORTED_VALUES = 4_000_000
"""Values of windows that one statement draws from: opening a thousand Parquet files for each window is what costs."""


class Samples:
    """Draws from one warehouse for any number of windows; from the baseline once.

    What is drawn for a window is the same in whatever order and company: see `monitoring_tasks.warehouse.sample`. The
    baseline is drawn from the period or table of the monitor file, even where counts are compared with moving ones.
    """

    def __init__(self, monitor: Monitor, warehouse: Warehouse, windows: Sequence[Window]) -> None:
        """Read nothing yet; `windows` are those that will be asked for, in time order."""
        self._monitor = monitor
        self._warehouse = warehouse
        self._windows = windows
        self._baseline: dict[tuple[str, tuple[str, ...], int], pa.Table] = {}
        self._ahead: dict[tuple[Window, tuple[str, ...], int], pa.Table] = {}

    def draw(
        self, window: Window, window_rows: int, baseline: Baseline, columns: Sequence[str], rows: int
    ) -> RowSamples:
        """Return at most `rows` rows of the baseline and of the window, which has `window_rows`.

        Raises
        ------
        NoKeyError
            If the baseline's table does not have the key.
        DataError
            If the warehouse does not hold what the monitor file says.
        TransientError
            If the warehouse does not answer.
        """
        kinds = {name: baseline.bins[name].kind for name in columns}
        before = baseline.id, tuple(columns), rows
        if before not in self._baseline:
            self._baseline = {before: self._of_baseline(kinds, rows)}
        now = window, tuple(columns), rows
        if now not in self._ahead:  # what was taken is read anew: the window may have been written to meanwhile
            places = [i for i, known in enumerate(self._windows) if known == window]
            several = max(1, SORTED_VALUES // (max(window_rows, rows) * max(len(columns), 1)))
            part = self._windows[places[0] : places[0] + several] if places else [window]
            with about(f"table {self._log.table!r}"):
                read = self._columns(self._types, kinds, self._log.table)
                drawn = sample(self._warehouse, self._log, read, self._key(self._types), part, rows)
            self._ahead = {(each, *now[1:]): table for each, table in zip(part, drawn, strict=True)}
        return RowSamples(self._baseline[before], self._ahead.pop(now))

    def _of_baseline(self, kinds: Mapping[str, Kind], rows: int) -> pa.Table:
        table, period = self._monitor.baseline.table, self._monitor.baseline.period
        source, types = (self._log, self._types) if table is None else (Source(table, None), {})
        with about(f"table {source.table!r}"):
            types = types or self._warehouse.columns(source.table)
            key = self._key(types, table)
            read = self._columns(types, kinds, source.table)
            windows = [] if period is None else [Window(period.start, period.end)]
            return sample(self._warehouse, source, read, key, windows, rows)[0]

    def _key(self, types: Mapping[str, ColumnType], baseline_table: str | None = None) -> str:
        key = self._monitor.inference_log.key
        if key in types:
            return key
        if baseline_table is not None:
            raise NoKeyError(
                f"table {baseline_table!r} has no column {key!r} (inference_log.key), by which rows are drawn: add it "
                "to the baseline's table, with a value of its own for each row, or name a period under `baseline`"
            )
        raise DataError(
            f"table {self._log.table!r} has no column {key!r} (inference_log.key), by which rows are drawn; it has "
            f"{', '.join(types)}"
        )

    def _columns(self, types: Mapping[str, ColumnType], kinds: Mapping[str, Kind], table: str) -> list[Column]:
        found, unreadable = monitored_columns(self._monitor, types, tuple(kinds), kinds=kinds, table=table)
        readable = {column.name: column for column in found}
        missing = [unreadable.get(name, f"column {name!r} cannot be read") for name in kinds if name not in readable]
        if missing:
            raise DataError(missing[0])
        return [readable[name] for name in kinds]

    @cached_property
    def _types(self) -> dict[str, ColumnType]:
        return self._warehouse.columns(self._monitor.inference_log.table)

    @cached_property
    def _log(self) -> Source:
        return log_source(self._monitor, self._types)
