"""The labelled rows that some checks need: bounded samples of a window and of the fixed baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property

from monitoring_tasks.config import Monitor
from monitoring_tasks.errors import about
from monitoring_tasks.labelled_rows import LabelledRows, LabelledSamples
from monitoring_tasks.labels import labelled
from monitoring_tasks.profile import Baseline
from monitoring_tasks.reference import OWN_ROWS, with_a_part, without_window
from monitoring_tasks.row_source import ReadAhead, RowSource
from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.labelled_sample import labelled_sample
from monitoring_tasks.warehouse.labels import Labelled
from monitoring_tasks.warehouse.statement import Source
from monitoring_tasks.window import Window


class LabelledDraws:
    """What was drawn of some columns: of the baseline once, as its labels are then, and of each window.

    It is always the fixed baseline's period, or table: performance is compared with it where inputs have a moving
    baseline too.
    """

    def __init__(
        self,
        monitor: Monitor,
        warehouse: Warehouse,
        windows: Sequence[Window],
        baseline: Baseline,
        columns: Sequence[str],
        rows: int,
        until: datetime | None = None,
    ) -> None:
        """Read nothing yet; parameters as in `monitoring_tasks.samples.Samples.labelled`."""
        self._monitor, self._baseline, self._rows, self._until = monitor, baseline, rows, until
        self._source = RowSource(monitor, warehouse, {name: baseline.bins[name].kind for name in columns})
        self._ahead = ReadAhead(windows, self._of_windows)

    def of(self, window: Window, window_rows: int) -> LabelledSamples:
        """Return the samples for a window."""
        period = self._monitor.baseline.period
        reference, name = self._of_baseline, OWN_ROWS
        current = self._ahead.take(window, self._source.several(max(window_rows, self._rows)))
        if period is not None and period.window.holds(window):
            reference, name = reference.without(current), without_window(name)
        elif period is not None and period.window.overlaps(window):
            name = with_a_part(name)
        return LabelledSamples(reference, current, name)

    @cached_property
    def _of_baseline(self) -> LabelledRows:
        table, period = self._monitor.baseline.table, self._monitor.baseline.period
        if table is None:
            counted = replace(self._labelled, source=replace(self._labelled.source, until=self._until))
            return self._rows_of([] if period is None else [period.window], counted)[0]
        with about(f"table {table!r}"):
            types = self._source.warehouse.columns(table)
            key = self._source.key(types, table)
            read = self._source.columns(types, table)
            how = labelled(self._monitor, self._source.warehouse, types, self._baseline, table)
            return labelled_sample(self._source.warehouse, Source(table, None), read, key, [], self._rows, how)[0]

    def _of_windows(self, windows: Sequence[Window]) -> list[LabelledRows]:
        return self._rows_of(windows, self._labelled)

    def _rows_of(self, windows: Sequence[Window], how: Labelled) -> list[LabelledRows]:
        source = self._source
        with about(f"table {self._monitor.inference_log.table!r}"):
            key = source.key(source.types)
            read = source.columns(source.types, self._monitor.inference_log.table)
            return labelled_sample(source.warehouse, source.log, read, key, windows, self._rows, how)

    @cached_property
    def _labelled(self) -> Labelled:
        return labelled(self._monitor, self._source.warehouse, self._source.types, self._baseline)
