"""The rows that some checks need beside the profile: bounded samples of a window and of what it is compared with.

With a fixed baseline that is its period or table, with a moving one the earlier windows. Either shows by its parts,
windows as long as the tested one in which nothing drifted, how much such windows differ.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property, partial
from typing import Any

import pyarrow as pa

from monitoring_tasks.baseline_parts import FEWEST_PARTS
from monitoring_tasks.bottom_k import BottomK, merged, too_short
from monitoring_tasks.checks.check import RowSamples
from monitoring_tasks.config import Monitor
from monitoring_tasks.errors import TransientError, about
from monitoring_tasks.expectations.outcome import SuiteRun
from monitoring_tasks.expectations.validation import validate_window
from monitoring_tasks.labelled_rows import LabelledSamples
from monitoring_tasks.labelled_samples import LabelledDraws
from monitoring_tasks.look_back import MINIMUM_WINDOWS, LookBack
from monitoring_tasks.profile import Baseline, Kind
from monitoring_tasks.reference import OWN_ROWS, earlier_windows, too_few, with_a_part, without_window
from monitoring_tasks.row_source import SORTED_VALUES, ReadAhead, RowSource
from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.sample import sample
from monitoring_tasks.warehouse.statement import Source
from monitoring_tasks.window import Window

KEPT = 256 * 2**20
"""Bytes of earlier windows' samples that are kept from one window to the next."""

DRAWS = 2
"""Samples of labelled rows, of other columns or more rows each, that are kept at a time."""

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
        self._labelled: dict[object, LabelledDraws] = {}
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
        self._require_answers()
        before = baseline.id, tuple(columns), rows, fewest, tuple(incidents)
        if self._drawn is None or self._drawn[0] != before:
            kinds = {name: baseline.bins[name].kind for name in columns}
            drawn = _Drawn(self._monitor, self._warehouse, self._windows, kinds, rows, fewest, tuple(incidents))
            self._drawn = before, drawn
        return self._drawn[1].of(window, window_rows)

    def labelled(
        self,
        window: Window,
        window_rows: int,
        baseline: Baseline,
        columns: Sequence[str],
        rows: int,
        *,
        until: datetime | None = None,
    ) -> LabelledSamples:
        """Return at most `rows` labelled rows of the window and of the fixed baseline, its period or its table.

        A window's own rows are left out of the baseline's where the period holds it.

        Parameters
        ----------
        window
            With `window_rows` rows, labelled or not.
        baseline
            The one on whose bins the window was counted.
        columns
            What to read beside what became of each row.
        rows
            Of each side at most.
        until
            By when the labels of the baseline's rows must have arrived to be counted; None for any time.

        Raises
        ------
        NoKeyError
            If the baseline's table does not have the key.
        DataError
            If the warehouse does not hold what the monitor file says: the baseline's table may be without labels.
        TransientError
            If the warehouse does not answer, or did not so often that it is not asked again.
        ValueError
            If the monitor has no labels.
        """
        if baseline.outcomes is None:
            raise ValueError(f"monitor {self._monitor.name!r} has no labels: draw its rows without, by `draw`")
        self._require_answers()
        asked = baseline.id, tuple(columns), rows, until
        if asked not in self._labelled:
            while len(self._labelled) >= DRAWS:
                del self._labelled[next(iter(self._labelled))]
            drawn = LabelledDraws(self._monitor, self._warehouse, self._windows, baseline, columns, rows, until)
            self._labelled[asked] = drawn
        return self._labelled[asked].of(window, window_rows)

    def run_suite(self, window: Window, window_rows: int) -> SuiteRun:
        """Hold the window's rows against the suite of `data_quality`.

        Parameters
        ----------
        window
            With `window_rows` rows.

        Raises
        ------
        DataError
            If the suite cannot be used, or the warehouse does not hold what it needs.
        TransientError
            If the warehouse does not answer, or did not so often that it is not asked again.
        """
        self._require_answers()
        return validate_window(self._monitor, self._warehouse, window, window_rows)

    def give_up(self) -> None:
        """Ask the warehouse no more: each time that it does not answer may take minutes."""
        self._given_up = True

    def _require_answers(self) -> None:
        if self._given_up:
            raise TransientError("the warehouse did not answer for the windows before and was not asked again")


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
        self._rows, self._fewest, self._incidents = rows, fewest, incidents
        self._source = RowSource(monitor, warehouse, kinds)
        self._ahead = ReadAhead(windows, lambda part: self._read(part, rows))
        self._kept: OrderedDict[Window, BottomK] = OrderedDict()
        self._size = 0
        self._measured: dict[Window, Any] = {}
        self._measured_of_baseline: dict[tuple[Window, ...], list[Any]] = {}

    def of(self, window: Window, window_rows: int) -> RowSamples:
        """Return the samples for a window."""
        current = self._ahead.take(window, self._source.several(max(window_rows, self._rows)))
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
        if len(looked) * limit * max(len(self._source.kinds), 1) > SORTED_VALUES:
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
        several = self._source.several(self._rows)
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
        source = self._source
        with about(f"table {self._monitor.inference_log.table!r}"):
            read = source.columns(source.types, self._monitor.inference_log.table)
            return sample(self._warehouse, source.log, read, source.key(source.types), windows, limit)

    @cached_property
    def _baseline(self) -> BottomK:
        table, period = self._monitor.baseline.table, self._monitor.baseline.period
        if table is None:
            return self._read([] if period is None else [period.window], self._rows)[0]
        with about(f"table {table!r}"):
            types = self._warehouse.columns(table)
            key = self._source.key(types, table)
            read = self._source.columns(types, table)
            return sample(self._warehouse, Source(table, None), read, key, [], self._rows)[0]


def _enough(earlier: Mapping[Window, BottomK]) -> bool:
    return len(earlier) >= MINIMUM_WINDOWS
