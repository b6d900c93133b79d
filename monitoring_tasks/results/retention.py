"""Keeps the store small: old windows are deleted, or their profiles are added up to longer windows."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import reduce

from sqlalchemy import Connection, delete, insert, select, union

from monitoring_tasks.labels_profile import LabelsProfile, WindowLabels
from monitoring_tasks.profile import added
from monitoring_tasks.results import tables
from monitoring_tasks.results.connection import BEGIN, failures
from monitoring_tasks.results.rows import labels_of, labels_rows, place_of, profile_rows, window_labels_row
from monitoring_tasks.results.selection import is_inside, is_window, select_profiles
from monitoring_tasks.results.store import Store
from monitoring_tasks.window import Window, parse_instant, parse_schedule

WINDOWS_PER_DELETE = 200
"""A writer of the newest window waits for no more than this many old ones to go."""


def prune(
    store: Store, before: str | date, monitor: str | None = None, *, timezone: str | None = None
) -> dict[str, int]:
    """Delete the windows that ended at or before `before`: results, profiles, and the record that they were run.

    Baselines stay, because the next run would only read them again. So do alerts, deliveries and actions: they are few,
    and they are the record of who decided what.

    Parameters
    ----------
    store
        The results store.
    before
        Day or instant.
    monitor
        Only this one; None for every monitor.
    timezone
        Where `before` is read if it names no zone; by default where each monitor's own days begin.

    Returns
    -------
    dict
        Rows deleted, by table.
    """
    deleted = dict.fromkeys((table.name for table in tables.WINDOWED), 0)
    for name in monitors(store) if monitor is None else (monitor,):
        end = parse_instant(before, timezone or store.timezone(name))
        starts = _starts(store, name, end)
        for first in range(0, len(starts), WINDOWS_PER_DELETE):
            chunk = starts[first : first + WINDOWS_PER_DELETE]
            with store.writing(name) as connection:
                for table in tables.WINDOWED:
                    old = is_inside(table, name, chunk[0], end) & (table.c.window_start <= chunk[-1])
                    deleted[table.name] += connection.execute(delete(table).where(old)).rowcount
    if any(deleted.values()):
        _give_space_back(store)
    return deleted


def rollup(
    store: Store, before: str | date, to: str, monitor: str | None = None, *, timezone: str | None = None
) -> dict[str, tuple[Window, ...]]:
    """Replace short windows' profiles by their sum over the longer windows of `to`, those that end by `before`.

    A longer window is made only if stored windows tile it from end to end, all on one baseline, and none of them waits
    for its checks to run again (see `Store.waiting`), which need its own profile; else it is left as it is. The sum is
    exact: it is the profile that a scan of the longer window would have made. The short windows' results stay until
    they are pruned. They are small, alerts point to them, and they cannot be had from the sum.

    Short windows that were run again since they were added up stand beside the longer one. Those that tile it replace
    it, and are added up again; others are dropped, because the rest of it is only in the sum. So to correct a part of
    a longer window, run all of it again.

    Parameters
    ----------
    store
        The results store.
    before
        Day or instant.
    to
        The longer windows, as a monitor file's ``schedule`` says them: ``1d``, or a cron expression.
    monitor
        Only this one; None for every monitor.
    timezone
        Where both are read; by default where each monitor's own days begin.

    Returns
    -------
    dict
        The windows that were made, by monitor.
    """
    made = {}
    for name in monitors(store) if monitor is None else (monitor,):
        zone = timezone or store.timezone(name)
        end = parse_instant(before, zone)
        found = store.profiled_windows(name, None, end, overlapping=True)
        # The shortest first: an hour is reconciled with its day before the day is with its week.
        holding = sorted((window for window in found if _inside(found, window)), key=lambda window: window.length)
        targets = parse_schedule(to, zone).windows(found[0].start, end) if found else ()
        added = set()
        for target in (*holding, *targets):
            parts = tiles(_inside(found, target), target)
            if parts and _roll_up(store, name, target, parts):
                added.add(target)
            elif target in holding:
                _drop_inside(store, name, target)
        made[name] = tuple(sorted(added))
    return made


def _inside(windows: Sequence[Window], target: Window) -> list[Window]:
    """Return those of the ordered `windows` that are a part of `target`."""
    started = windows[bisect_left(windows, target.start, key=_start) : bisect_left(windows, target.end, key=_start)]
    return [window for window in started if window.end <= target.end and window != target]


def _start(window: Window) -> datetime:
    return window.start


def tiles(windows: Sequence[Window], target: Window) -> tuple[Window, ...]:
    """Return the shorter windows that fill `target` without gap or overlap, as few as there are; empty if none do.

    Examples
    --------
    >>> day = Window.parse("2013-04-01", "2013-04-02")
    >>> halves = [Window.parse("2013-04-01", "2013-04-01T12:00"), Window.parse("2013-04-01T12:00", "2013-04-02")]
    >>> tiles([day, *halves], day) == tuple(halves), tiles(halves[:1], day), tiles([day], day)
    (True, (), ())
    """
    chosen: list[Window] = []
    at = target.start
    for window in sorted(windows, key=lambda window: (window.start, -window.length)):
        if window.start == at and window != target:
            chosen.append(window)
            at = window.end
    return tuple(chosen) if at == target.end else ()


def _roll_up(store: Store, monitor: str, target: Window, parts: Sequence[Window]) -> bool:
    """Add up one target window in one transaction. Returns False, and changes nothing, if its parts do not add up."""
    with store.writing(monitor) as connection:
        if _waits_inside(connection, monitor, target):
            return False
        inside = is_inside(tables.profile, monitor, target.start, target.end)
        found = {
            window: (baseline_id, profiles) for window, baseline_id, profiles in select_profiles(connection, inside)
        }
        baselines = {found[part][0] for part in parts if part in found}
        if len(baselines) > 1 or not all(part in found for part in parts):
            return False
        profiles = added([found[part][1] for part in parts])
        connection.execute(delete(tables.profile).where(inside))
        baseline_id = baselines.pop()
        connection.execute(insert(tables.profile), profile_rows(monitor, target, profiles, baseline_id))
        _roll_up_labels(store, connection, monitor, target, parts, baseline_id)
    return True


def _roll_up_labels(
    store: Store, connection: Connection, monitor: str, target: Window, parts: Sequence[Window], baseline_id: str
) -> None:
    """Add up the labels as well, where every part has some on this baseline; else they go with the parts."""
    table, counts = tables.window_labels, tables.labels_profile
    baseline = store.read_baseline(baseline_id)
    found: dict[Window, WindowLabels] = {}
    places = []
    for part in parts:
        mine = is_window(table, monitor, part) & (table.c.baseline_id == baseline_id)
        known = connection.execute(select(table).where(mine)).first()
        if known is not None:
            rows = connection.execute(
                select(counts).where(is_window(counts, monitor, part)).order_by(counts.c.position)
            )
            of_part = [row._asdict() for row in rows]
            found[part] = labels_of(known._asdict(), of_part, baseline.bins, baseline.outcomes)
            places.append(place_of(known.read_through, known.read_labels))
    for each in tables.OF_LABELS:
        connection.execute(delete(each).where(is_inside(each, monitor, target.start, target.end)))
    if len(found) < len(parts) or not all(each.profiles for each in found.values()):
        return
    by_segment: dict[str, list[LabelsProfile]] = {}
    for its in found.values():
        for profile in its.profiles:
            by_segment.setdefault(profile.segment, []).append(profile)
    sums = tuple(reduce(lambda a, b: a.with_rows_of(b, target), its[1:], its[0]) for its in by_segment.values())
    alone = tuple(replace(each, window=target, parts=None) for each in sums)
    labels = WindowLabels(
        alone,
        final=all(each.final for each in found.values()),
        arrived=sum(each.arrived for each in found.values()),
        unknown=sum(each.unknown for each in found.values()),
        latest=max((each.latest for each in found.values() if each.latest is not None), default=None),
        untimed=sum(each.untimed for each in found.values()),
        future=sum(each.future for each in found.values()),
    )
    read = min((place for place in places if place is not None), default=None)
    connection.execute(insert(table), window_labels_row(monitor, target, labels, baseline_id, place=read))
    connection.execute(insert(counts), labels_rows(monitor, target, labels, baseline_id))


def _drop_inside(store: Store, monitor: str, target: Window) -> None:
    """Delete the profiles and labels of shorter windows, if the longer one's profile is still there."""
    with store.writing(monitor) as connection:
        longer = is_window(tables.profile, monitor, target)
        stored = connection.execute(select(tables.profile.c.rows).where(longer)).first() is not None
        if stored and not _waits_inside(connection, monitor, target):
            for table in (tables.profile, *tables.OF_LABELS):
                inside = is_inside(table, monitor, target.start, target.end)
                connection.execute(delete(table).where(inside, ~is_window(table, monitor, target)))


def _waits_inside(connection: Connection, monitor: str, target: Window) -> bool:
    """Tell whether a part of the target must run again: without its profile it never could."""
    for table in (tables.window_labels, tables.traffic):
        inside = is_inside(table, monitor, target.start, target.end) & ~is_window(table, monitor, target)
        if connection.execute(select(table.c.monitor).where(inside, table.c.waiting)).first() is not None:
            return True
    return False


def monitors(store: Store) -> tuple[str, ...]:
    """Return the names of the monitors that have a window in the store."""
    names = union(*(select(table.c.monitor) for table in tables.WINDOWED))
    with store.reading() as connection:
        return tuple(sorted(connection.execute(names).scalars()))


def _starts(store: Store, monitor: str, before: datetime) -> tuple[datetime, ...]:
    """Return the starts of the windows that ended by `before`, each once, in time order."""
    starts = union(
        *(select(table.c.window_start).where(is_inside(table, monitor, None, before)) for table in tables.WINDOWED)
    )
    with store.reading() as connection:
        return tuple(sorted(connection.execute(starts).scalars()))


def _give_space_back(store: Store) -> None:
    """Shrink a SQLite file, which keeps deleted pages otherwise. PostgreSQL does so by itself."""
    if store.engine.dialect.name != "sqlite":
        return
    with failures(store.engine.url), store.engine.connect().execution_options(**{BEGIN: ""}) as connection:
        connection.exec_driver_sql("VACUUM")
