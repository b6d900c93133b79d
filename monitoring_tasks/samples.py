"""The rows that some checks need beside the profile: bounded samples of a window and of what it is compared with.

With a fixed baseline that is its period or table, with a moving one the earlier windows. Either shows by its parts,
windows as long as the tested one in which nothing drifted, how much such windows differ.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

import pyarrow as pa

from monitoring_tasks.baseline_parts import FEWEST_PARTS
from monitoring_tasks.bottom_k import BottomK, merged, too_short
from monitoring_tasks.checks.check import RowSamples
from monitoring_tasks.columns import Column, monitored_columns
from monitoring_tasks.config import ColumnType, Monitor
from monitoring_tasks.errors import DataError, NoKeyError, TransientError, about
from monitoring_tasks.inference_log import log_source
from monitoring_tasks.look_back import MINIMUM_WINDOWS, LookBack
from monitoring_tasks.profile import Baseline, Kind
from monitoring_tasks.reference import OWN_ROWS, earlier_windows, too_few, with_a_part, without_window
from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.sample import sample
from monitoring_tasks.warehouse.statement import Source
from monitoring_tasks.window import Window

SORTED_VALUES = 4_000_000
"""Values of windows that one statement draws from: opening a thousand Parquet files for each window is what costs."""

KEPT = 256 * 2**20
"""Bytes of earlier windows' samples that are kept from one window to the next."""

PARTS = 10
"""Undrifted windows that show how much such windows differ: with as few a decision is careful, and takes a second."""

AMPLE = 4
"""Of each of very many earlier windows, n, this many times the n-th part of a sample is drawn; more of those that need
it."""

Measure = Callable[[pa.Table, pa.Table], Any]
"""A statistic of two samples: of what is compared with, and of a window."""


class Samples:
    """Draws from one warehouse for any number of windows; from the baseline and from each window once.

    What is drawn for a window is the same in whatever order and company: see `monitoring_tasks.warehouse.sample`.
    """

    def __init__(self, monitor: Monitor, warehouse: Warehouse, windows: Sequence[Window]) -> None:
        """Read nothing yet; `windows` are those that will be asked for, in time order."""
        self._monitor = monitor
        self._warehouse = warehouse
        self._windows = windows
        self._drawn: tuple[object, _Drawn] | None = None
        self._given_up = False

    def draw(
        self,
        window: Window,
        window_rows: int,
        baseline: Baseline,
        incidents: Sequence[Window],
        columns: Sequence[str],
        rows: int,
        fewest: int,
    ) -> RowSamples:
        """Return at most `rows` rows of the window and of what it is compared with.

        Parameters
        ----------
        window
            With `window_rows` rows.
        baseline
            The one on whose bins the window was counted.
        incidents
            What people confirmed as such: nothing is compared with it.
        columns
            What to read.
        rows
            Of each side at most.
        fewest
            Rows that a part must have, and what it is compared with.

        Raises
        ------
        NoKeyError
            If the baseline's table does not have the key.
        DataError
            If the warehouse does not hold what the monitor file says.
        TransientError
            If the warehouse does not answer, or did not so often that it is not asked again.
        """
        if self._given_up:
            raise TransientError("the warehouse did not answer for the windows before and was not asked again")
        before = baseline.id, tuple(columns), rows, fewest, tuple(incidents)
        if self._drawn is None or self._drawn[0] != before:
            kinds = {name: baseline.bins[name].kind for name in columns}
            drawn = _Drawn(self._monitor, self._warehouse, self._windows, kinds, rows, fewest, tuple(incidents))
            self._drawn = before, drawn
        return self._drawn[1].of(window, window_rows)

    def give_up(self) -> None:
        """Ask the warehouse no more: each time that it does not answer may take minutes."""
        self._given_up = True


class _Drawn:
    """What was drawn of some columns."""

    def __init__(
        self,
        monitor: Monitor,
        warehouse: Warehouse,
        windows: Sequence[Window],
        kinds: Mapping[str, Kind],
        rows: int,
        fewest: int,
        incidents: Sequence[Window],
    ) -> None:
        self._monitor, self._warehouse, self._windows = monitor, warehouse, windows
        self._kinds, self._rows, self._fewest, self._incidents = kinds, rows, fewest, incidents
        self._ahead: dict[Window, BottomK] = {}
        self._kept: OrderedDict[Window, BottomK] = OrderedDict()
        self._size = 0
        self._measured: dict[Window, Any] = {}
        self._measured_of_baseline: dict[tuple[Window, ...], list[Any]] = {}

    def of(self, window: Window, window_rows: int) -> RowSamples:
        """Return the samples for a window."""
        current = self._of_window(window, window_rows)
        if not self._monitor.baseline_is_past:
            name, rows = self._beside(window, current, OWN_ROWS)
            return RowSamples(rows, current.rows, name, lambda measure, _: self._of_baseline_parts(window, measure))
        earlier = self._earlier(window)
        if _enough(earlier):
            period = Window(next(iter(earlier)).start, next(reversed(earlier)).end)
            name, rows = earlier_windows(self._label, len(earlier), period), self._union(earlier).rows
        else:
            name, rows = self._beside(window, current, too_few(self._label, len(earlier)))
        parts = partial(self._of_earlier_parts, window, earlier)
        self._remember({window: current})
        return RowSamples(rows, current.rows, name, parts)

    # --- The window itself

    def _of_window(self, window: Window, window_rows: int) -> BottomK:
        if window not in self._ahead:  # what was taken is read anew: the window may have been written to meanwhile
            places = [i for i, known in enumerate(self._windows) if known == window]
            several = max(1, SORTED_VALUES // (max(window_rows, self._rows) * max(len(self._kinds), 1)))
            part = self._windows[places[0] : places[0] + several] if places else [window]
            self._ahead = dict(zip(part, self._read(part, self._rows), strict=True))
        return self._ahead.pop(window)

    # --- The fixed baseline and its parts

    def _beside(self, window: Window, current: BottomK, name: str) -> tuple[str, pa.Table]:
        """Return the baseline's rows without those of the window, if its period holds it, and their name."""
        period = self._monitor.baseline.period
        if period is None or not period.window.overlaps(window):
            return name, self._baseline.rows
        if period.window.holds(window):
            return without_window(name), self._baseline.without(current)
        return with_a_part(name), self._baseline.rows

    def _of_baseline_parts(self, window: Window, measure: Measure) -> list[Any]:
        """Measure each part of the baseline's period against the rest of it; a table has no times and no parts."""
        windows = self._baseline_parts(window)
        if windows not in self._measured_of_baseline:
            found = []
            for part in self._read(windows, self._rows) if windows else []:
                rest = self._baseline.without(part)
                if min(len(part), len(rest)) >= self._fewest:
                    found.append(measure(rest, part.rows))
            self._measured_of_baseline[windows] = found
        return self._measured_of_baseline[windows]

    def _baseline_parts(self, window: Window) -> tuple[Window, ...]:
        """Return windows spread evenly over the period: as long as this one, shorter if fewer than eight would fit."""
        period = self._monitor.baseline.period
        if period is None:
            return ()
        length = min(window.length, (period.end - period.start) / FEWEST_PARTS)
        number = (period.end - period.start) // length
        places = [(2 * i + 1) * number // (2 * PARTS) for i in range(PARTS)] if number > PARTS else range(number)
        starts = [period.start + place * length for place in places]
        return tuple(Window(start, start + length) for start in starts)

    # --- Earlier windows

    def _of_earlier_parts(self, window: Window, earlier: Mapping[Window, BottomK], measure: Measure, mine: Any) -> Any:
        """Measure each of the latest earlier windows against what came before it, as this one was.

        So what is known of a window once serves every later one. Where they are fewer than eight, the parts of the
        fixed baseline say more, if they are more.
        """
        if _enough(earlier):
            self._measured[window] = mine
        latest = [each for each, drawn in earlier.items() if len(drawn) >= self._fewest][-PARTS:]
        for each in latest:
            if each not in self._measured:
                before = self._earlier(each)
                reference = self._union(before) if _enough(before) else None
                # Where a log began with a row a day, a week of it is no more than seven rows.
                if reference is not None and len(reference) >= self._fewest:
                    self._measured[each] = measure(reference.rows, self._first([each], self._rows)[0].rows)
        found = [self._measured[each] for each in latest if each in self._measured]
        if len(found) >= FEWEST_PARTS:
            return found
        of_baseline = self._of_baseline_parts(window, measure)
        return of_baseline if len(of_baseline) > len(found) else found

    def _earlier(self, window: Window) -> dict[Window, BottomK]:
        """Return what a window is compared with, in time order: earlier windows with rows, without incidents."""
        looked = [
            each for each in self._look_back(window).before(window) if not any(map(each.overlaps, self._incidents))
        ]
        if not looked:
            return {}
        limit = self._rows
        if len(looked) * limit * max(len(self._kinds), 1) > SORTED_VALUES:
            limit = min(limit, max(AMPLE * limit // len(looked), self._fewest) + 1)
        found = self._first(looked, limit)
        # What is not measured any more need not be kept whole.
        self._remember({each: drawn.first(limit) for each, drawn in zip(looked[:-PARTS], found, strict=False)})
        return {each: drawn for each, drawn in zip(looked, found, strict=True) if len(drawn)}

    def _union(self, earlier: Mapping[Window, BottomK]) -> BottomK:
        """Return the sample of all rows of these windows together."""
        windows, samples = list(earlier), list(earlier.values())
        short = too_short(samples, self._rows)
        for place, deeper in zip(short, self._first([windows[i] for i in short], self._rows), strict=True):
            samples[place] = deeper
        return merged(samples, self._rows)

    def _first(self, windows: Sequence[Window], limit: int) -> list[BottomK]:
        """Return the first `limit` rows of earlier windows at least, from what is kept where that is enough."""
        known = {each: self._kept[each] for each in windows if each in self._kept}
        found = {each: drawn for each, drawn in known.items() if drawn.reaches(limit)}
        unread = [each for each in windows if each not in found]
        several = max(1, SORTED_VALUES // (self._rows * max(len(self._kinds), 1)))
        for first in range(0, len(unread), several):
            part = unread[first : first + several]
            found.update(zip(part, self._read(part, limit), strict=True))
        self._remember({each: found[each] for each in windows})
        return [found[each] for each in windows]

    def _remember(self, found: Mapping[Window, BottomK]) -> None:
        for each, drawn in found.items():
            if self._kept.get(each) is not drawn:
                self._size += drawn.nbytes - (self._kept[each].nbytes if each in self._kept else 0)
                self._kept[each] = drawn
            self._kept.move_to_end(each)
        while self._size > KEPT and self._kept:
            self._size -= self._kept.popitem(last=False)[1].nbytes

    def _look_back(self, window: Window) -> LookBack:
        """Return one that knows this window: those of the run, and those that they look back on."""
        if not (self._reach[0].start <= window.start <= self._reach[1].start):
            return LookBack(self._monitor, [window])
        return self._look_back_of_all

    @cached_property
    def _reach(self) -> tuple[Window, Window]:
        windows = self._windows
        look_back = LookBack(self._monitor, windows)
        looked = [before[0] for window in windows if (before := look_back.before(window))]
        return min([*looked, windows[0]]), windows[-1]

    @cached_property
    def _look_back_of_all(self) -> LookBack:
        return LookBack(self._monitor, self._reach)

    @cached_property
    def _label(self) -> str:
        return self._look_back_of_all.label

    # --- Reading

    def _read(self, windows: Sequence[Window], limit: int) -> list[BottomK]:
        with about(f"table {self._log.table!r}"):
            read = self._columns(self._types, self._log.table)
            return sample(self._warehouse, self._log, read, self._key(self._types), windows, limit)

    @cached_property
    def _baseline(self) -> BottomK:
        table, period = self._monitor.baseline.table, self._monitor.baseline.period
        source, types = (self._log, self._types) if table is None else (Source(table, None), {})
        with about(f"table {source.table!r}"):
            types = types or self._warehouse.columns(source.table)
            key = self._key(types, table)
            read = self._columns(types, source.table)
            windows = [] if period is None else [period.window]
            return sample(self._warehouse, source, read, key, windows, self._rows)[0]

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

    def _columns(self, types: Mapping[str, ColumnType], table: str) -> list[Column]:
        kinds = self._kinds
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


def _enough(earlier: Mapping[Window, BottomK]) -> bool:
    return len(earlier) >= MINIMUM_WINDOWS
