"""The profile of a table, counted row by row in plain Python from what `Bins` promises: slow, and independent."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from monitoring_tasks.columns import Column
from monitoring_tasks.error_template import template
from monitoring_tasks.profile import Bins, ColumnProfile, Profile
from monitoring_tasks.window import Window

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def profiles(
    rows: pa.Table,
    timestamp: str | None,
    columns: Sequence[Column],
    bins: Mapping[str, Bins],
    windows: Sequence[Window],
    segments: Sequence[str] = (),
    zone: str = "UTC",
) -> list[tuple[Profile, ...]]:
    """Return for each window the profile of all rows, then of each segment that has rows."""
    records = rows.to_pylist()
    found = []
    for window in windows:
        inside = [row for row in records if timestamp is None or _inside(row[timestamp], window, zone)]
        split = {"": inside}
        for name in segments:
            for category in bins[name].categories:
                part = [row for row in inside if text(row[name]) == category]
                if part:
                    split[f"{name}={category}"] = part
        found.append(
            tuple(
                Profile(
                    window,
                    len(part),
                    {c.name: column(c, bins[c.name], [row[c.name] for row in part], segment) for c in columns},
                    segment,
                )
                for segment, part in split.items()
            )
        )
    return found


def column(column: Column, bins: Bins, values: Sequence[Any], segment: str = "") -> ColumnProfile:
    """Count and sum the values of one column; sums are of the doubles themselves."""
    counts = [0] * len(bins)
    if column.kind == "categorical":
        texts = [error(value) if "error" in column.roles else text(value) for value in values]
        for each in texts:
            counts[category(each, bins)] += 1
        new = [] if bins.open_ended else [x for x in texts if x is not None and category(x, bins) == len(bins) - 1]
        if "error" not in column.roles:
            return ColumnProfile(column.name, column.kind, tuple(counts), unseen=names(new))
        found = names([template(x[:200]) for x in new]) if not segment else None if new else ()
        return ColumnProfile(column.name, column.kind, tuple(counts), unseen=found)
    numbers = [number(value) for value in values]
    for x in numbers:
        counts[place(x, bins)] += 1
    there = [x for x in numbers if x is not None and not math.isnan(x)]
    finite = [x for x in there if abs(x) <= 1e308]
    summed = [x for x in finite if abs(x) < math.ldexp(bins.unit, 63)]
    distances = [x - bins.origin for x in finite]
    squared = [x for x in distances if abs(x) < 1e150 and x * x < math.ldexp(bins.square_unit, 63)]
    return ColumnProfile(
        column=column.name,
        kind=column.kind,
        counts=tuple(counts),
        minimum=min(finite, default=None),
        maximum=max(finite, default=None),
        total=math.fsum(summed) if there else None,
        total_squares=math.fsum(x * x for x in squared) if there else None,
        origin=bins.origin,
    )


def place(x: float | None, bins: Bins) -> int:
    """Return the bin of a number."""
    if x is None or math.isnan(x):
        return 0
    return 1 + bisect_right(bins.edges, x) if bins.edges else 2


def category(value: str | None, bins: Bins) -> int:
    """Return the bin of a text."""
    if value is None:
        return 0
    if value in bins.categories:
        return 1 + bins.categories.index(value)
    return len(bins.categories) + (1 if bins.open_ended or value in bins.others else 2)


def names(texts: Sequence[str]) -> tuple[tuple[str, int], ...] | None:
    """Return what is called unseen: at most 20 names of at most 200 characters."""
    kept = [x.replace("\0", "␀")[:200] for x in texts]
    order = sorted(set(kept), key=lambda name: (-kept.count(name), name))
    return tuple((name, kept.count(name)) for name in order) if len(order) <= 20 else None


def number(value: Any) -> float | None:
    """Return what is counted of a numeric column: times are seconds since 1970."""
    if value is None:
        return None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if isinstance(value, datetime):
        return (_utc(value) - EPOCH) // timedelta(microseconds=1) / 1_000_000
    return float(value)


def text(value: Any) -> str | None:
    """Return what is counted of a categorical column."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal | date):
        return str(value)
    raise TypeError(f"the engines write {value!r} each in its own way")


def error(value: Any) -> str | None:
    """Return the text of an error column: what says that there was none counts as null."""
    return None if value in (None, "", 0, False) else text(value)


def assert_equal(found: Profile, expected: Profile, bins: Mapping[str, Bins]) -> None:
    """Hold a profile to the oracle's: all exactly but the sums, of which each value may be off by half a unit."""
    assert (found.window, found.segment, found.rows) == (expected.window, expected.segment, expected.rows)
    assert list(found.columns) == list(expected.columns)
    for name, column in found.columns.items():
        other, unit, square_unit = expected.columns[name], bins[name].unit, bins[name].square_unit
        assert (column.column, column.kind, column.counts) == (other.column, other.kind, other.counts), name
        assert column.unseen == other.unseen, name
        assert (column.minimum, column.maximum, column.origin) == (other.minimum, other.maximum, other.origin), name
        for sum_, exact, step in (
            (column.total, other.total, unit),
            (column.total_squares, other.total_squares, square_unit),
        ):
            if exact is None:
                assert sum_ is None, name
            else:
                assert sum_ is not None, name
                tolerance = found.rows * step / 2 + 1e-12 * abs(exact)
                assert abs(sum_ - exact) <= tolerance, (name, sum_, exact, tolerance)


def _inside(moment: Any, window: Window, zone: str) -> bool:
    if moment is None:
        return False
    if not isinstance(moment, datetime):  # a date is where its day begins
        moment = datetime.combine(moment, time(), ZoneInfo(zone))
    return window.start <= _utc(moment) < window.end


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
