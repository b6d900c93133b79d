"""The results store: whole windows in, rows out. Each write is one transaction, all of it or nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from types import TracebackType
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    Select,
    Table,
    bindparam,
    delete,
    insert,
    select,
    text,
    true,
    update,
)
from sqlalchemy.exc import IntegrityError

from monitoring_tasks.checks.result import Result
from monitoring_tasks.errors import DataError, ReplacedError
from monitoring_tasks.labelled_baseline import LabelledBaseline
from monitoring_tasks.labels_profile import LabelsProfile, WindowLabels
from monitoring_tasks.labels_read import LabelsRead, Place
from monitoring_tasks.profile import Baseline, Profile
from monitoring_tasks.results import rows as values
from monitoring_tasks.results import tables
from monitoring_tasks.results.connection import WRITING, connect, failures, lock, results_url
from monitoring_tasks.results.migrate import require_current
from monitoring_tasks.results.rows import CheckRun, LabelsState, WindowRun, WindowState
from monitoring_tasks.results.selection import apart, is_inside, is_window, of_same_window, select_profiles
from monitoring_tasks.results.tables import Instant
from monitoring_tasks.traffic import Traffic
from monitoring_tasks.window import Schedule, Window

__all__ = ["CheckRun", "Store", "WindowRun", "WindowState", "open_store"]

_COLUMNS = [column for table in tables.metadata.tables.values() for column in table.c]
_TIMES = {column.name for column in _COLUMNS if isinstance(column.type, Instant)} | {"since", "until"}
"""Names under which `Store.query` returns times; a query of one's own may use `since` and `until` as well."""

LABELS_KEPT = 64
"""Windows whose labels are kept from one read to the next: half a megabyte each."""

LABELS_PER_READ = 50
"""Windows whose labels are read at once: a tenth of a megabyte each."""

STARTS_PER_READ = 500
"""Windows that one statement names: every database takes so many parameters."""


def open_store(url: str | None = None) -> Store:
    """Open the results store; it is closed by ``with`` or by `Store.close`.

    Parameters
    ----------
    url
        A SQLAlchemy URL; by default ``MONITORING_RESULTS_URL``, else the SQLite file ``MONITORING_HOME/results.db``,
        which is created with its tables where there is none.

    Raises
    ------
    ConfigError
        If the URL is wrong, or the tables are missing, older or newer than this version of the package.
    TransientError
        If the database does not answer.
    """
    engine = connect(results_url(url))
    try:
        require_current(engine)
    except BaseException:
        engine.dispose()
        raise
    return Store(engine)


class Store:
    """An open results store. Threads may share it; a process must open its own."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writer = engine.execution_options(**WRITING)
        self._baselines: dict[str, Baseline] = {}
        """Those read before: an id is a digest of the content, so what it names never changes."""
        self._labels: dict[str, LabelsProfile] = {}
        """Those of all rows that were read last, by their digests."""
        self._labelled_baselines: dict[str, tuple[str, LabelledBaseline]] = {}
        """With the digest by which one is known that was replaced since."""

    def __enter__(self) -> Store:
        """Return the store itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that sees one moment's rows and keeps no writer waiting."""
        with failures(self.engine.url), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self, monitor: str, window: Window | None = None) -> Iterator[Connection]:
        """Open a transaction, kept if the block ends well; no other writes this window (or monitor) meanwhile."""
        with failures(self.engine.url), self._writer.begin() as connection:
            lock(connection, f"monitor {monitor}", None if window is None else str(window))
            yield connection

    # Writing: each method is one transaction and replaces what it wrote before.

    def write_baseline(self, baseline: Baseline, definition_hash: str) -> Baseline:
        """Keep a baseline for good. Returns it, or the one another process was first to write for this definition.

        Raises
        ------
        DataError
            If it is stored already under another `definition_hash`: the definition is a part of what an id stands for.
        """
        row, bins = values.baseline_row(baseline, definition_hash), values.baseline_bin_rows(baseline)
        with failures(self.engine.url):
            try:
                with self._writer.begin() as connection:
                    connection.execute(insert(tables.baseline), row)
                    if bins:
                        connection.execute(insert(tables.baseline_bin), bins)
            except IntegrityError:
                first = self.find_baseline(baseline.monitor, definition_hash)
                if first is None:
                    raise
                return first
        return baseline

    def write_profiles(
        self,
        monitor: str,
        window: Window,
        profiles: Sequence[Profile],
        baseline_id: str,
        labels: WindowLabels | None = None,
        *,
        traffic: Traffic | None = None,
        waiting: bool = False,
        owed: bool = False,
        read: LabelsRead | None = None,
    ) -> bool:
        """Replace the window's profile: all rows (segment '') and each segment, on the bins of one baseline.

        With it goes what is known of its traffic and labels; with `waiting`, the window is then one of `waiting`, with
        `owed` if it was run or waits. With `read`, nothing is written if another run has read more labels of it and
        stored them meanwhile.

        What stood on the old profile is forgotten with it: which checks had run, and that the window was done. Their
        results stay until each check has written again, so that a dashboard does not empty in between.

        Returns
        -------
        bool
            Whether it was written.

        Raises
        ------
        ValueError
            If a profile is of another window, or none is of all rows.
        """
        rows = values.profile_rows(monitor, window, profiles, baseline_id, traffic)
        with self.writing(monitor, window) as connection:
            if _is_behind(connection, monitor, window, read):
                return False
            waiting = waiting or (owed and _was_run(connection, monitor, window))
            if traffic is not None:
                _replace_traffic(connection, monitor, traffic, waiting=waiting)
            for table in (tables.profile, *tables.OF_LABELS, tables.check_run, tables.window_run):
                connection.execute(delete(table).where(is_window(table, monitor, window)))
            connection.execute(insert(tables.profile), rows)
            if labels is not None:
                _insert_labels(connection, monitor, window, labels, baseline_id, waiting=waiting, read=read)
        return True

    def write_labels(
        self,
        monitor: str,
        window: Window,
        labels: WindowLabels,
        baseline_id: str,
        checks: Collection[str],
        *,
        waiting: bool = False,
        owed: bool = False,
        read: LabelsRead | None = None,
    ) -> bool:
        """Replace what is known of the window's labels, and forget what stood on it: `checks`, and that it was done.

        The profile and the checks that do not read labels stay. With `waiting`, the window is then one of `waiting`,
        with `owed` if it was run or waits: another run may have run it since this one looked.

        Returns
        -------
        bool
            Whether it was written: not if another run has read more labels and stored them meanwhile.
        """
        with self.writing(monitor, window) as connection:
            if _is_behind(connection, monitor, window, read):
                return False
            waiting = waiting or (owed and _was_run(connection, monitor, window))
            for table in (*tables.OF_LABELS, tables.window_run):
                connection.execute(delete(table).where(is_window(table, monitor, window)))
            table = tables.check_run
            mine = is_window(table, monitor, window) & table.c.check_name.in_(checks)
            connection.execute(delete(table).where(mine))
            _insert_labels(connection, monitor, window, labels, baseline_id, waiting=waiting, read=read)
        return True

    def forget_checks(self, monitor: str, windows: Collection[Window], checks: Collection[str]) -> None:
        """Forget that these checks ran on these windows, and that they were done: they are then among `waiting`.

        A window without stored labels stays as it is: it could not wait, and what is forgotten would never come back.
        """
        for window in windows:
            with self.writing(monitor, window) as connection:
                labels = tables.window_labels
                mine = is_window(labels, monitor, window)
                if connection.execute(update(labels).where(mine).values(waiting=True)).rowcount == 0:
                    continue
                table = tables.check_run
                mine = is_window(table, monitor, window) & table.c.check_name.in_(checks)
                connection.execute(delete(table).where(mine))
                connection.execute(delete(tables.window_run).where(is_window(tables.window_run, monitor, window)))

    def write_labelled_baseline(
        self,
        monitor: str,
        baseline_id: str,
        baseline: LabelledBaseline,
        checks: Collection[str],
        *,
        until: datetime | None = None,
        read: LabelsRead | None = None,
    ) -> bool:
        """Replace the labels of a baseline's rows, and forget what stood on them: these checks of every window.

        Those windows are then among `waiting`. `until` is when the last of them had to have arrived to be counted.

        Returns
        -------
        bool
            Whether they are others than those that were stored, and no run has read more meanwhile; if not, nothing is
            forgotten.
        """
        place = None if read is None else read.place
        row = values.labelled_baseline_row(monitor, baseline_id, baseline, until=until, place=place)
        table, runs, labels = tables.labelled_baseline, tables.check_run, tables.window_labels
        this = table.c.baseline_id == baseline_id
        with self.writing(monitor) as connection:
            stored = connection.execute(select(table.c.digest, table.c.read_through, table.c.read_labels).where(this))
            if (found := stored.first()) is not None:
                if read is not None and read.is_behind(values.place_of(found.read_through, found.read_labels)):
                    return False
                if found.digest == row["digest"]:
                    its = {name: row[name] for name in ("labels_until", "read_through", "read_labels")}
                    connection.execute(update(table).where(this).values(its))
                    return False
            connection.execute(delete(table).where(this))
            connection.execute(insert(table), row)
            mine = runs.c.check_name.in_(checks)
            ran = select(runs.c.state).where(of_same_window(runs, labels), mine).exists()
            on_it = (labels.c.monitor == monitor) & (labels.c.baseline_id == baseline_id)
            connection.execute(update(labels).where(on_it, ran).values(waiting=True))
            for other, some in ((tables.window_run, true()), (runs, mine)):
                waits = select(labels.c.digest).where(of_same_window(labels, other), on_it, labels.c.waiting)
                connection.execute(delete(other).where(other.c.monitor == monitor, some, waits.exists()))
        return True

    def write_missing_profiles(
        self,
        monitor: str,
        window: Window,
        profiles: Sequence[Profile],
        baseline_id: str,
        labels: WindowLabels | None = None,
        *,
        read: LabelsRead | None = None,
        anew: bool = False,
    ) -> bool:
        """Store the window's profile, unless it has one on this baseline: that one, and what stands on it, stays.

        With `anew`, one that only stands there because others look back on it is replaced as well.

        For windows that others look back on, and that were not run themselves: another run may be at work on them. A
        profile on another baseline says nothing beside this one and is replaced; that window's results, and the record
        of how it ended, stay as what they are, results on the other baseline. If it waits, it goes on waiting. Its
        traffic, which stands on no baseline, stays too: see `write_missing_traffic`.

        Returns
        -------
        bool
            Whether it was written.
        """
        rows = values.profile_rows(monitor, window, profiles, baseline_id)
        with self.writing(monitor, window) as connection:
            stored = _whole_window(connection, monitor, window)[1]
            replaced = anew and not _was_run(connection, monitor, window)
            if stored == baseline_id and (not replaced or _is_behind(connection, monitor, window, read)):
                return False
            waiting = _waits(connection, is_window, monitor, window)
            if stored is not None:
                for table in (tables.profile, *tables.OF_LABELS, tables.check_run):
                    connection.execute(delete(table).where(is_window(table, monitor, window)))
            connection.execute(insert(tables.profile), rows)
            if labels is not None:
                _insert_labels(connection, monitor, window, labels, baseline_id, waiting=waiting, read=read)
        return True

    def write_missing_traffic(self, monitor: str, traffic: Traffic) -> bool:
        """Store the traffic of a window that others look back on, unless some is stored; returns whether it was."""
        with self.writing(monitor, traffic.window) as connection:
            if _stored_traffic(connection, monitor, traffic.window) is not None:
                return False
            _replace_traffic(connection, monitor, traffic)
        return True

    def run_again(self, monitor: str, windows: Collection[Window], checks: Collection[str]) -> None:
        """Forget that these checks ran on these windows, and that they were done: they are then among `waiting`.

        A window without stored traffic stays as it is: it could not wait, and what is forgotten would never come back.
        """
        table = tables.traffic
        for window in windows:
            with self.writing(monitor, window) as connection:
                if connection.execute(
                    update(table).where(is_window(table, monitor, window)).values(waiting=True)
                ).rowcount:
                    ran = tables.check_run
                    mine = is_window(ran, monitor, window) & ran.c.check_name.in_(checks)
                    connection.execute(delete(ran).where(mine))
                    connection.execute(delete(tables.window_run).where(is_window(tables.window_run, monitor, window)))

    def write_results(
        self,
        monitor: str,
        window: Window,
        check: str,
        results: Sequence[Result],
        error: str | None = None,
        *,
        config_hash: str | None = None,
        digest: str | None = None,
        labels: LabelsState | None = None,
    ) -> None:
        """Replace one check's results of the window, and record that it has run; with `error`, that it failed.

        The record holds `config_hash`, that of the monitor file. With `digest`, that of the profile they were computed
        from, the results are written only while it is the stored one; with `labels` also only while those are.

        Raises
        ------
        DataError
            If two results have the same metric, column and segment.
        ReplacedError
            If the window's profile is another by now; nothing is written.
        """
        rows = values.result_rows(monitor, window, check, results)
        run = values.window_key(monitor, window) | {"check_name": check, "state": "failed" if error else "done"}
        with self.writing(monitor, window) as connection:
            if digest is not None and _whole_window(connection, monitor, window)[0] != digest:
                raise ReplacedError(_replaced(monitor, window))
            if labels is not None and _labels_state(connection, monitor, window) != labels:
                raise ReplacedError(_replaced(monitor, window))
            for table in (tables.result, tables.check_run):
                mine = is_window(table, monitor, window) & (table.c.check_name == check)
                connection.execute(delete(table).where(mine))
            if rows:
                connection.execute(insert(tables.result), rows)
            connection.execute(insert(tables.check_run), run | {"error": error, "config_hash": config_hash})

    def write_window_run(
        self,
        run: WindowRun,
        checks: Collection[str] | None = None,
        *,
        schedule: Schedule | None = None,
        state: WindowState | None = None,
        waiting: bool = False,
        tell: bool = False,
    ) -> None:
        """Replace the window's row of `window_run`; unless checks are still missing, it is none of `waiting` any more.

        What it means for alerts is then due, see `monitoring_tasks.alerting`. With `tell`, people are to be told of it;
        that stays so if the window is scanned or written again before it was decided on.

        With `checks`, the monitor's enabled ones, results of all others are deleted: a check that was switched off
        since the last run leaves no rows behind that a first run would not have written. With `schedule`, the
        monitor's, the row of `monitor` says what this run's file said. With `state`, that from which the run was
        concluded, it is written only while that is the stored one.

        Raises
        ------
        ReplacedError
            If profile or checks are others by now; nothing is written.
        """
        with self.writing(run.monitor, run.window) as connection:
            if state is not None and _state(connection, run.monitor, run.window) != state:
                raise ReplacedError(_replaced(run.monitor, run.window))
            _replace_window_run(connection, run, tell=tell)
            if not waiting:
                _end_waiting(connection, run.monitor, run.window)
            for table in (tables.result, tables.check_run) if checks is not None else ():
                gone = is_window(table, run.monitor, run.window) & table.c.check_name.not_in(checks or ())
                connection.execute(delete(table).where(gone))
            if schedule is not None:
                _write_monitor(connection, values.monitor_row(run, schedule))

    def write_failed_scan(self, run: WindowRun, *, tell: bool = False) -> None:
        """Record that the window could not be read from the warehouse; what its checks wrote before no longer counts.

        Their results and the old profile stay to be looked at, but nothing can be closed as done on them. `tell` is as
        in `write_window_run`.
        """
        with self.writing(run.monitor, run.window) as connection:
            table = tables.check_run
            connection.execute(delete(table).where(is_window(table, run.monitor, run.window)))
            _replace_window_run(connection, run, tell=tell)
            _end_waiting(connection, run.monitor, run.window)

    # Reading.

    def find_baseline(self, monitor: str, definition_hash: str) -> Baseline | None:
        """Return the baseline that was made for this definition, if any."""
        table = tables.baseline
        return self._baseline((table.c.monitor == monitor) & (table.c.definition_hash == definition_hash))

    def read_baseline(self, baseline_id: str) -> Baseline:
        """Return a baseline by its id.

        Raises
        ------
        DataError
            If there is none.
        """
        found = self._baselines.get(baseline_id) or self._baseline(tables.baseline.c.baseline_id == baseline_id)
        if found is None:
            raise DataError(f"the results store has no baseline {baseline_id!r}: run the window again")
        self._baselines[baseline_id] = found
        return found

    def read_profiles(self, monitor: str, window: Window) -> tuple[str, tuple[Profile, ...]]:
        """Return the baseline's id and the profiles of all rows and each segment, as they were written.

        Raises
        ------
        DataError
            If the window has no profile.
        """
        for _, baseline_id, profiles in self._profiles(is_window(tables.profile, monitor, window)):
            return baseline_id, profiles
        raise DataError(f"monitor {monitor!r} has no profile of {window} in the results store: scan the window first")

    def read_labels(self, monitor: str, window: Window) -> WindowLabels | None:
        """Return what is known of the window's labels; None where it was scanned without them."""
        table, counts = tables.window_labels, tables.labels_profile
        known = select(table).where(is_window(table, monitor, window))
        found = select(counts).where(is_window(counts, monitor, window)).order_by(counts.c.position)
        with self.reading() as connection:
            first = connection.execute(known).first()
            if first is None:
                return None
            rows = [row._asdict() for row in connection.execute(found)]
        baseline = self.read_baseline(first.baseline_id)
        return values.labels_of(first._asdict(), rows, baseline.bins, baseline.outcomes)

    def labelled_baseline(self, baseline: Baseline) -> LabelledBaseline | None:
        """Return the labels of the baseline's rows; None before they are complete."""
        table = tables.labelled_baseline
        with self.reading() as connection:
            digest = _labelled_digest(connection, baseline.id)
            known = self._labelled_baselines.get(baseline.id)
            if digest is None or (known is not None and known[0] == digest):
                return None if digest is None or known is None else known[1]
            row = connection.execute(select(table).where(table.c.baseline_id == baseline.id)).one()
        found = values.labelled_baseline_of(row._asdict(), baseline)
        self._labelled_baselines[baseline.id] = (row.digest, found)
        return found

    def labelled_until(self, baseline_id: str) -> datetime | None:
        """Return until when the labels of the baseline's rows that were counted had arrived, if they were."""
        table = tables.labelled_baseline
        with self.reading() as connection:
            return connection.execute(select(table.c.labels_until).where(table.c.baseline_id == baseline_id)).scalar()

    def labels_read(self, monitor: str) -> Place | None:
        """Return the furthest that the labels had come when one of the stored windows was read."""
        table = tables.window_labels
        columns = (table.c.read_through, table.c.read_labels)
        place = select(*columns).where(table.c.monitor == monitor, columns[0].is_not(None))
        with self.reading() as connection:
            found = connection.execute(place.order_by(*(column.desc() for column in columns)).limit(1)).first()
        return None if found is None else values.place_of(found.read_through, found.read_labels)

    def labels_arrived(
        self, monitor: str, windows: Sequence[Window], baseline_id: str
    ) -> dict[Window, tuple[int, int]]:
        """Return of each of these windows with labels how many arrived in it, and how many of these of unknown keys."""
        table = tables.window_labels
        columns = (table.c.window_start, table.c.window_end, table.c.arrived, table.c.unknown)
        rows = self._label_rows(monitor, windows, baseline_id, *columns)
        return {Window(row["window_start"], row["window_end"]): (row["arrived"], row["unknown"]) for row in rows}

    def provisional(self, monitor: str, until: datetime | None = None) -> tuple[Window, ...]:
        """Return the windows whose labels were not complete when they were read, in time order.

        Parameters
        ----------
        monitor, until
            Its name, and when they had ended; None for no bound.
        """
        table = tables.window_labels
        mine = (table.c.monitor == monitor) & ~table.c.final
        if until is not None:  # the second condition follows from the first, and is the one the index can use
            mine &= (table.c.window_end <= until) & (table.c.window_start < until)
        return self._windows(table, mine)

    def labelled_windows(
        self, monitor: str, start: datetime | None = None, end: datetime | None = None
    ) -> tuple[Window, ...]:
        """Return the windows that have labels, in time order; no two of them overlap.

        With `start` and `end`, those that have an instant in common with ``[start, end)``.
        """
        table = tables.window_labels
        mine = table.c.monitor == monitor
        mine = mine if start is None else mine & (table.c.window_end > start)
        mine = mine if end is None else mine & (table.c.window_start < end)
        return tuple(apart(self._windows(table, mine), lambda window: window))

    def waiting(self, monitor: str, baseline_id: str | None = None) -> tuple[Window, ...]:
        """Return the windows that were run and whose checks must run again, in time order; or those on this baseline.

        Their rows or labels, or the baseline's labels, were replaced since, and they were not closed on the new ones
        yet: a run is at work on them, or was killed.
        """
        found: set[Window] = set()
        for table in (tables.window_labels, tables.traffic):
            found.update(self._windows(table, (table.c.monitor == monitor) & table.c.waiting))
        if found and baseline_id is not None:
            start, end = min(found).start, max(window.end for window in found)
            found &= {*self.profiled_windows(monitor, start, end, overlapping=True, baseline_id=baseline_id)}
        return tuple(sorted(found, key=lambda window: (window.start, -window.length)))

    def traffic(self, monitor: str, windows: Collection[Window]) -> tuple[Traffic, ...]:
        """Return the stored traffic of these windows, in time order; those without any are left out."""
        if not windows:
            return ()
        table, wanted = tables.traffic, set(windows)
        mine = (table.c.monitor == monitor) & table.c.window_start.between(min(wanted).start, max(wanted).start)
        starts = {window.start for window in wanted}
        if len(starts) <= STARTS_PER_READ:
            mine &= table.c.window_start.in_(starts)
        with self.reading() as connection:
            rows = connection.execute(select(table).where(mine).order_by(table.c.window_start))
            found = [values.traffic_of_row(row._asdict()) for row in rows]
        return tuple(each for each in found if each.window in wanted)

    def traffic_inside(self, monitor: str, window: Window) -> tuple[Traffic, ...]:
        """Return the stored traffic of the windows that are a part of this one, in time order."""
        table = tables.traffic
        parts = is_inside(table, monitor, window.start, window.end) & ~is_window(table, monitor, window)
        found = select(table).where(parts).order_by(table.c.window_start, table.c.window_end)
        with self.reading() as connection:
            return tuple(values.traffic_of_row(row._asdict()) for row in connection.execute(found))

    def late_rows(self, monitor: str, start: datetime, end: datetime) -> dict[Window, int]:
        """Return how many rows came to each window inside ``[start, end)`` after it was read first, where some did."""
        table = tables.traffic
        late = is_inside(table, monitor, start, end) & (table.c.late_rows != 0)
        found = select(table.c.window_start, table.c.window_end, table.c.late_rows).where(late)
        with self.reading() as connection:
            rows = connection.execute(found.order_by(table.c.window_start))
            return {Window(row.window_start, row.window_end): row.late_rows for row in rows}

    def labels_of_all_rows(
        self, monitor: str, windows: Sequence[Window], baseline: Baseline
    ) -> tuple[LabelsProfile, ...]:
        """Return what became of all rows of these windows, without segments, in time order.

        Those without labels on this baseline are left out. The latest that were read are kept: neighbouring windows ask
        for the same ones.
        """
        if baseline.outcomes is None:
            return ()
        table, known = tables.labels_profile, tables.window_labels
        found = self._label_rows(
            monitor, windows, baseline.id, known.c.window_start, known.c.window_end, known.c.digest
        )
        lacking = [row for row in found if row["digest"] not in self._labels]
        for first in range(0, len(lacking), LABELS_PER_READ):
            part = [Window(row["window_start"], row["window_end"]) for row in lacking[first : first + LABELS_PER_READ]]
            start, end = part[0].start, part[-1].end
            inside = is_inside(table, monitor, start, end) & (table.c.segment == "")
            of_labels = select(known.c.window_start, known.c.window_end, known.c.digest)
            with self.reading() as connection:
                read = connection.execute(select(table).where(inside).order_by(table.c.window_start, table.c.position))
                rows = [row._asdict() for row in read]
                now = connection.execute(of_labels.where(is_inside(known, monitor, start, end)))
                digests = {Window(row.window_start, row.window_end): row.digest for row in now}
            for window in part:
                mine = [row for row in rows if (row["window_start"], row["window_end"]) == (window.start, window.end)]
                for profile in values.label_profiles_of(mine, baseline.bins, baseline.outcomes):
                    self._labels[digests[window]] = profile
        profiles = tuple(self._labels[row["digest"]] for row in found if row["digest"] in self._labels)
        for digest in [*self._labels][: max(len(self._labels) - max(LABELS_KEPT, len(found)), 0)]:
            del self._labels[digest]
        return profiles

    def label_digests(self, monitor: str, windows: Sequence[Window], baseline_id: str) -> tuple[str, ...]:
        """Return the digest of the labels of each of these windows that has some on this baseline, in time order."""
        table = tables.window_labels
        columns = (table.c.window_start, table.c.window_end, table.c.digest)
        return tuple(row["digest"] for row in self._label_rows(monitor, windows, baseline_id, *columns))

    def _label_rows(
        self, monitor: str, windows: Sequence[Window], baseline_id: str, *columns: ColumnElement[Any]
    ) -> list[Mapping[str, Any]]:
        if not windows:
            return []
        table, wanted = tables.window_labels, set(windows)
        mine = (table.c.monitor == monitor) & table.c.window_start.between(min(wanted).start, max(wanted).start)
        mine &= (table.c.baseline_id == baseline_id) & table.c.unreadable.is_(None)
        with self.reading() as connection:
            found = connection.execute(select(*columns).where(mine).order_by(table.c.window_start))
            rows = [row._asdict() for row in found]
        return [row for row in rows if Window(row["window_start"], row["window_end"]) in wanted]

    def windows_checked(
        self, monitor: str, start: datetime, end: datetime, checks: Collection[str] = ()
    ) -> set[Window]:
        """Return the windows inside ``[start, end)`` on which one of these checks, or any, ran since it was scanned."""
        table = tables.check_run
        where = is_inside(table, monitor, start, end)
        return set(self._windows(table, where & table.c.check_name.in_(checks) if checks else where))

    def windows_run(
        self, monitor: str, start: datetime | None = None, end: datetime | None = None
    ) -> tuple[Window, ...]:
        """Return the windows inside ``[start, end)`` that were run, not only looked back on; None for no bound."""
        found = {
            window
            for table in (tables.check_run, tables.window_run)
            for window in self._windows(table, is_inside(table, monitor, start, end))
        }
        return tuple(sorted(found))

    def _windows(self, table: Table, where: ColumnElement[bool]) -> tuple[Window, ...]:
        """Return the windows of some rows, of those that begin together the longest first."""
        found = select(table.c.window_start, table.c.window_end).distinct().where(where)
        with self.reading() as connection:
            rows = connection.execute(found.order_by(table.c.window_start, table.c.window_end.desc()))
            return tuple(Window(*row) for row in rows)

    def profiles(
        self, monitor: str, start: datetime, end: datetime
    ) -> Iterator[tuple[Window, str, tuple[Profile, ...]]]:
        """Yield, in time order, each profiled window inside ``[start, end)`` with its baseline's id and profiles.

        No two of them overlap, so that whoever adds them up counts no row twice: a short window that was run again
        after a rollup is left out as long as the longer one is there. The next rollup reconciles the two.
        """
        inside = self._profiles(is_inside(tables.profile, monitor, start, end))
        yield from apart(inside, lambda found: found[0])

    def profiles_of(
        self, monitor: str, windows: Collection[Window]
    ) -> Iterator[tuple[Window, str, tuple[Profile, ...]]]:
        """Yield those of these windows that have a profile, with its baseline's id, in no order."""
        wanted, table = set(windows), tables.profile
        starts = sorted({window.start for window in windows})
        for first in range(0, len(starts), STARTS_PER_READ):
            part = starts[first : first + STARTS_PER_READ]
            # The bounds are what the key's index can use where the list is long.
            beside = (table.c.monitor == monitor) & table.c.window_start.between(part[0], part[-1])
            for found in self._profiles(beside & table.c.window_start.in_(part)):
                if found[0] in wanted:
                    yield found

    def profiled_windows(
        self,
        monitor: str,
        start: datetime | None,
        end: datetime | None,
        *,
        overlapping: bool = False,
        baseline_id: str | None = None,
    ) -> tuple[Window, ...]:
        """Return the windows inside ``[start, end)`` that have a profile, in time order; None for no bound.

        They are those of `profiles`; with `overlapping`, all that are stored, of those that begin together the longest
        first. With `baseline_id`, only those whose profile is on this baseline.
        """
        table = tables.profile
        whole = (table.c.segment == "") & (table.c.column_name == "")
        if baseline_id is not None:
            whole &= table.c.baseline_id == baseline_id
        stored = select(table.c.window_start, table.c.window_end).where(is_inside(table, monitor, start, end), whole)
        with self.reading() as connection:
            rows = connection.execute(stored.order_by(table.c.window_start, table.c.window_end.desc()))
            found = [Window(*row) for row in rows]
        return tuple(found if overlapping else apart(found, lambda window: window))

    def rows_read(self, monitor: str, start: datetime, end: datetime, baseline_id: str) -> dict[Window, int]:
        """Return how many rows each window inside ``[start, end)`` with a profile on this baseline held when read."""
        table = tables.profile
        whole = (table.c.segment == "") & (table.c.column_name == "") & (table.c.baseline_id == baseline_id)
        found = select(table.c.window_start, table.c.window_end, table.c.rows)
        with self.reading() as connection:
            rows = connection.execute(found.where(is_inside(table, monitor, start, end), whole))
            return {Window(row.window_start, row.window_end): row.rows for row in rows}

    def incidents(self, monitor: str, start: datetime, end: datetime) -> tuple[Window, ...]:
        """Return what people confirmed as incidents: from the window that opened an alert to the last that held it.

        The window in which its condition ended is as windows should be, and no part of it. Those that have an instant
        in common with ``[start, end)``, in time order.
        """
        table = tables.alert
        until = table.c.last_window_end
        confirmed = (table.c.monitor == monitor) & (table.c.state == "confirmed")
        inside = (table.c.window_start < end) & (until > start) & (until > table.c.window_start)
        found = select(table.c.window_start, until).where(confirmed, inside).order_by(table.c.window_start, until)
        with self.reading() as connection:
            return tuple(Window(*row) for row in connection.execute(found))

    def timezone(self, monitor: str) -> str:
        """Return the zone in which the monitor's days begin; UTC where no run since revision 0002 has said it."""
        table = tables.monitor
        with self.reading() as connection:
            return connection.execute(select(table.c.timezone).where(table.c.monitor == monitor)).scalar() or "UTC"

    def window_state(self, monitor: str, window: Window) -> WindowState:
        """Return the digest of the window's profile, and which checks have written the window since it was scanned."""
        with self.reading() as connection:
            return _state(connection, monitor, window)

    def check_runs(self, monitor: str, window: Window) -> tuple[CheckRun, ...]:
        """Return which checks have written this window since it was last scanned, by name."""
        return self.window_state(monitor, window).checks

    def window_runs(self, monitor: str, start: datetime, end: datetime) -> tuple[WindowRun, ...]:
        """Return how the windows inside ``[start, end)`` ended, in time order."""
        table = tables.window_run
        found = select(table).where(is_inside(table, monitor, start, end)).order_by(table.c.window_start)
        with self.reading() as connection:
            return tuple(values.window_run_of(row._asdict()) for row in connection.execute(found))

    def results(
        self,
        monitor: str,
        start: datetime | None = None,
        end: datetime | None = None,
        *,
        checks: Collection[str] = (),
        metrics: Collection[str] = (),
        columns: Collection[str] = (),
        segments: Collection[str] = (),
        statuses: Collection[str] = (),
    ) -> Iterator[Mapping[str, Any]]:
        """Yield rows of `result` in time order, without holding them in memory.

        Parameters
        ----------
        monitor
            Name of the monitor.
        start, end
            Whole windows inside ``[start, end)``; None for no bound.
        checks, metrics, columns, segments, statuses
            Values to keep; empty for all.
        """
        table = tables.result
        found = select(table).where(is_inside(table, monitor, start, end))
        wanted = {"check_name": checks, "metric": metrics, "column_name": columns, "segment": segments}
        for name, kept in (wanted | {"status": statuses}).items():
            if kept:
                found = found.where(table.c[name].in_(kept))
        yield from self._stream(found.order_by(*table.primary_key.columns))

    def query(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        """Run a question of ``sql/queries`` or one's own; ``:name`` stands for a parameter. Times are aware and UTC.

        Examples
        --------
        ``store.query("SELECT window_start, value FROM result WHERE monitor = :monitor", monitor="flight-delays")``
        """
        bound = [
            bindparam(name, value, type_=Instant() if isinstance(value, datetime) else None)
            for name, value in parameters.items()
        ]
        statement = text(sql).bindparams(*bound).columns(**dict.fromkeys(_TIMES, Instant()))
        with self.reading() as connection:
            return [row._asdict() for row in connection.execute(statement)]

    def _baseline(self, where: ColumnElement[bool]) -> Baseline | None:
        with self.reading() as connection:
            row = connection.execute(select(tables.baseline).where(where)).first()
        return None if row is None else values.baseline_of(row._asdict())

    def _profiles(self, where: ColumnElement[bool]) -> Iterator[tuple[Window, str, tuple[Profile, ...]]]:
        with self.reading() as connection:
            yield from select_profiles(connection, where)

    def _stream(self, statement: Select[Any]) -> Iterator[Mapping[str, Any]]:
        with self.reading() as connection:
            yield from (row._asdict() for row in connection.execute(statement.execution_options(yield_per=1000)))


def _whole_window(connection: Connection, monitor: str, window: Window) -> tuple[str | None, str | None, int | None]:
    """Return digest, baseline and rows of the window's profile; None thrice without one."""
    table = tables.profile
    whole = is_window(table, monitor, window) & (table.c.segment == "") & (table.c.column_name == "")
    found = connection.execute(select(table.c.digest, table.c.baseline_id, table.c.rows).where(whole)).first()
    return (None, None, None) if found is None else tuple(found)


def _state(connection: Connection, monitor: str, window: Window) -> WindowState:
    table = tables.check_run
    checks = select(table.c.check_name, table.c.state, table.c.error, table.c.config_hash)
    of_window = checks.where(is_window(table, monitor, window)).order_by(table.c.check_name)
    runs = tuple(CheckRun(*row) for row in connection.execute(of_window))
    labels = _labels_state(connection, monitor, window)
    return WindowState(*_whole_window(connection, monitor, window), runs, labels)


def _labels_state(connection: Connection, monitor: str, window: Window) -> LabelsState | None:
    table = tables.window_labels
    columns = (table.c.digest, table.c.baseline_id, table.c.label_rows, table.c.final, table.c.unreadable)
    found = connection.execute(select(*columns).where(is_window(table, monitor, window))).first()
    return None if found is None else LabelsState(*found, _labelled_digest(connection, found.baseline_id))


def _labelled_digest(connection: Connection, baseline_id: str) -> str | None:
    table = tables.labelled_baseline
    return connection.execute(select(table.c.digest).where(table.c.baseline_id == baseline_id)).scalar()


def _is_behind(connection: Connection, monitor: str, window: Window, read: LabelsRead | None) -> bool:
    if read is None:
        return False
    table = tables.window_labels
    place = select(table.c.read_through, table.c.read_labels).where(is_window(table, monitor, window))
    found = connection.execute(place).first()
    return found is not None and read.is_behind(values.place_of(found.read_through, found.read_labels))


def _was_run(connection: Connection, monitor: str, window: Window) -> bool:
    """Tell whether a check has written the window, it was closed, or it waits."""
    tables_ = (tables.check_run, tables.window_run)
    of_runs = (select(table.c.monitor).where(is_window(table, monitor, window)) for table in tables_)
    ran = any(connection.execute(each.limit(1)).first() is not None for each in of_runs)
    return ran or _waits(connection, is_window, monitor, window)


def _waits(connection: Connection, where: Callable[..., ColumnElement[bool]], *about: Any) -> bool:
    """Tell whether a window for which the condition holds must be checked again."""
    for table in (tables.window_labels, tables.traffic):
        waits = select(table.c.monitor).where(where(table, *about), table.c.waiting).limit(1)
        if connection.execute(waits).first() is not None:
            return True
    return False


def _stored_traffic(connection: Connection, monitor: str, window: Window) -> Row[Any, Any] | None:
    table = tables.traffic
    found = select(table.c.late_rows, table.c.rows).where(is_window(table, monitor, window))
    return connection.execute(found).first()


def _replace_traffic(connection: Connection, monitor: str, traffic: Traffic, *, waiting: bool = False) -> None:
    """Replace the window's traffic; what its rows are more than before, or than those of its profile, has come late."""
    before = _stored_traffic(connection, monitor, traffic.window)
    late, rows = (0, _whole_window(connection, monitor, traffic.window)[2]) if before is None else before
    late += 0 if rows is None else traffic.rows - rows
    connection.execute(delete(tables.traffic).where(is_window(tables.traffic, monitor, traffic.window)))
    connection.execute(insert(tables.traffic), values.traffic_row(monitor, traffic, late_rows=late, waiting=waiting))


def _insert_labels(
    connection: Connection,
    monitor: str,
    window: Window,
    labels: WindowLabels,
    baseline_id: str,
    *,
    waiting: bool,
    read: LabelsRead | None,
) -> None:
    place = None if read is None else read.place
    row = values.window_labels_row(monitor, window, labels, baseline_id, waiting=waiting, place=place)
    connection.execute(insert(tables.window_labels), row)
    if rows := values.labels_rows(monitor, window, labels, baseline_id):
        connection.execute(insert(tables.labels_profile), rows)


def _replace_window_run(connection: Connection, run: WindowRun, *, tell: bool) -> None:
    due = is_window(tables.window_due, run.monitor, run.window)
    tell = tell or bool(connection.execute(select(tables.window_due.c.tell).where(due)).scalar())
    connection.execute(delete(tables.window_run).where(is_window(tables.window_run, run.monitor, run.window)))
    connection.execute(delete(tables.window_due).where(due))
    connection.execute(insert(tables.window_run), values.window_run_row(run))
    row = {"monitor": run.monitor, "window_start": run.window.start, "window_end": run.window.end, "tell": tell}
    connection.execute(insert(tables.window_due), row)


def _end_waiting(connection: Connection, monitor: str, window: Window) -> None:
    for table in (tables.window_labels, tables.traffic):
        mine = is_window(table, monitor, window) & table.c.waiting
        connection.execute(update(table).where(mine).values(waiting=False))


def _write_monitor(connection: Connection, row: values.Row) -> None:
    """Replace the monitor's row if it says something else: most runs find it as it is, and keep nobody waiting."""
    mine = tables.monitor.c.monitor == row["monitor"]
    stored = select(tables.monitor).where(mine)
    if (found := connection.execute(stored).first()) is not None and found._asdict() == row:
        return
    lock(connection, f"row of monitor {row['monitor']}")
    connection.execute(delete(tables.monitor).where(mine))
    connection.execute(insert(tables.monitor), row)


def _replaced(monitor: str, window: Window) -> str:
    return (
        f"monitor {monitor!r}: another run has replaced the profile or results of {window} meanwhile: "
        "run it again when no other run of this window is at work"
    )
