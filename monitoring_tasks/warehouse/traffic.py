"""When the rows of windows came, which came twice, and which of those expected did not: read beside the scan.

Three statements, each over few columns and any number of windows: the minutes in which rows came, keys that came more
than once, and the table of expected rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sqlglot import exp

from monitoring_tasks.config import ColumnType
from monitoring_tasks.traffic import EPOCH, EXAMPLES, MICROSECOND, MINUTE, Expected, Traffic, traffic_by_minute
from monitoring_tasks.warehouse.arrow import integers, microseconds
from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.expressions import instant, integer, named, selected, subquery
from monitoring_tasks.warehouse.keys import comparable_key, compared_as_text
from monitoring_tasks.warehouse.statement import Source, rows_of, window_number
from monitoring_tasks.window import Window

if TYPE_CHECKING:
    from monitoring_tasks.warehouse.duckdb_engine import DuckDBWarehouse

MINUTES = 1_000_000
"""Minutes of all windows of one statement together."""

HASHED = 20_000_000
"""Rows whose keys are hashed in memory, at most: 320 MB."""

BATCH = 100_000
"""Hashes that are fetched at once."""

GOLDEN_RATIO = 0x9E3779B97F4A7C15
"""Odd, and its multiples lie far apart: times a window's number it tells the hashes of a key in two windows apart."""

DAY = timedelta(days=1)

LATEST = datetime(2200, 1, 1, tzinfo=UTC)
"""No window is after it."""


@dataclass(frozen=True)
class ExpectedSource:
    """Where the expected rows are."""

    source: Source
    key: str | None
    """The column with the key of each; None where the table holds counts."""
    rows: str | None = None
    """The column that says how many rows should come."""
    key_type: ColumnType = "string"
    log_key_type: ColumnType = "string"
    """The inference log's, with which it is compared."""

    @property
    def as_text(self) -> bool:
        """Whether keys are compared by their texts: a text may stand beside an identifier that is called text too."""
        return "string" in (self.key_type, self.log_key_type) or compared_as_text(self.log_key_type, self.key_type)


def read_traffic(
    warehouse: Warehouse,
    source: Source,
    key: str | None,
    windows: Sequence[Window],
    expected: ExpectedSource | str | None = None,
) -> Iterator[Traffic]:
    """Yield the traffic of every window.

    Parameters
    ----------
    warehouse
        An open warehouse.
    source
        The inference log; with a timestamp.
    key
        The column whose value is unique for each row; None where it cannot be read.
    windows
        Disjoint, in time order.
    expected
        The table of expected rows, or why it cannot be read; None of a monitor that names none.
    """
    for part in _parts(windows):
        counts = _counts(warehouse, source, part, key)
        repeats = {}
        if key is not None and not _are_unique(warehouse, source, key, part, counts.read):
            repeats = _repeats(warehouse, source, key, part)
        awaited = {} if expected is None else _expected(warehouse, source, key, part, expected)
        for i, window in enumerate(part):
            mine = slice(*counts.spans[i])
            known = {} if key is None else {"without_key": int(counts.no_key[mine].sum()), **repeats.get(i, _NONE)}
            if source.timestamp_type == "date":
                found = Traffic(window, int(counts.rows[mine].sum()), **known)
            else:
                minutes = counts.places[mine] - _minute(window.start)
                its = counts.rows[mine], counts.first[mine], counts.last[mine]
                found = traffic_by_minute(window, minutes, *its, known)
            yield replace(found, expected=awaited.get(i)) if awaited else found


def read_earlier_traffic(warehouse: Warehouse, source: Source, windows: Sequence[Window]) -> list[Traffic]:
    """Return when the rows of windows came that others look back on; their keys say nothing to those.

    Windows before the log's first row are left out: that they had no row is not known of a log that keeps some weeks.
    """
    found = list(read_traffic(warehouse, source, None, windows))
    empty = next((i for i, each in enumerate(found) if each.rows), len(found))
    if not empty:
        return found
    begins = _first_place(warehouse, source, found[empty - 1].window.end)
    reached = (
        i for i, each in enumerate(found[:empty]) if begins is not None and _place(source, each.window.end) > begins
    )
    return found[next(reached, empty) :]


def _first_place(warehouse: Warehouse, source: Source, before: datetime) -> int | None:
    """Return the minute, or the day, of the log's first row; None if no row came before this instant."""
    assert source.timestamp is not None
    dates = source.timestamp_type == "date"
    time, type_ = named(source.timestamp), source.timestamp_type
    # A year 1 or an infinity stands for no time, and has no minute.
    real = exp.and_(time >= instant(source.place(EPOCH), type_), time.copy() < instant(source.place(before), type_))
    first = selected({"t": exp.Min(this=time.copy())}, warehouse.table(source.table)).where(real)
    place = named("t") if dates else _minute_of(named("t"), type_, warehouse.dialect)
    answer = warehouse.query(selected({"m": place}, subquery(first, "begun")))
    return None if answer["m"].null_count else int(_whole(answer["m"], DAY if dates else MINUTE)[0])


def count_rows(warehouse: Warehouse, source: Source, windows: Sequence[Window]) -> list[int]:
    """Return how many rows the warehouse holds of each of these windows now."""
    found: list[int] = []
    for part in _parts(windows):
        counts = _counts(warehouse, source, part, times=False)
        found += [int(counts.rows[first:last].sum()) for first, last in counts.spans]
    return found


_NONE: Mapping[str, Any] = {"repeats": 0, "repeated": ()}


@dataclass(frozen=True)
class _Counts:
    """What was counted in each minute, or on each date, that has rows: arrays in the order of time."""

    spans: list[tuple[int, int]]
    """From where to where in the arrays each window is."""
    places: NDArray[np.int64]
    """Minutes since 1970, or days."""
    rows: NDArray[np.int64]
    no_key: NDArray[np.int64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]

    @property
    def read(self) -> int:
        """Rows that the statement has read, those of the gaps between the windows included."""
        return int(self.rows.sum())


def _parts(windows: Sequence[Window]) -> Iterator[Sequence[Window]]:
    """Yield the windows of one statement after the other."""
    first, minutes = 0, 0
    for i, window in enumerate(windows):
        minutes += window.length // MINUTE
        if minutes > MINUTES and i > first:
            yield windows[first:i]
            first, minutes = i, window.length // MINUTE
    if first < len(windows):
        yield windows[first:]


def _counts(
    warehouse: Warehouse, source: Source, windows: Sequence[Window], key: str | None = None, *, times: bool = True
) -> _Counts:
    """Count the rows of each minute, or of each date; with `times`, also find the first and the last.

    In which window a minute lies is found here: of thousands of windows an engine takes longer to say so of every row
    than to count them.
    """
    assert source.timestamp is not None
    dates = source.timestamp_type == "date"
    time = named(source.timestamp)
    columns: dict[str, exp.Expr] = {"m": time if dates else _minute_of(time, source.timestamp_type, warehouse.dialect)}
    counts: dict[str, exp.Expr] = {"n": exp.Count(this=exp.Star())}
    if times and not dates:
        columns["t"] = time.copy()
        counts |= {"f": exp.Min(this=named("t")), "l": exp.Max(this=named("t"))}
    if key is not None:
        no_key = exp.If(this=exp.Is(this=named(key), expression=exp.null()), true=integer(1))
        columns["z"] = exp.Case(ifs=[no_key], default=integer(0))
        counts["z"] = exp.Sum(this=named("z"))
    rows = subquery(rows_of(warehouse, source, windows, columns), "timed")
    answer = warehouse.query(_grouped({"m": named("m"), **counts}, rows, "m"))
    places = _whole(answer["m"], DAY if dates else MINUTE)
    order = places.argsort()
    places = places[order]
    none = np.zeros(len(order), np.int64)
    ends = [[_place(source, moment) for moment in (window.start, window.end)] for window in windows]
    spans = np.searchsorted(places, np.array(ends, np.int64))
    return _Counts(
        spans=[(int(first), int(last)) for first, last in spans],
        places=places,
        rows=integers(answer["n"], 0)[order],
        no_key=none if key is None else integers(answer["z"], 0)[order],
        first=_whole(answer["f"])[order] if "f" in counts else none,
        last=_whole(answer["l"])[order] if "l" in counts else none,
    )


def _minute_of(time: exp.Expr, type_: ColumnType, dialect: str) -> exp.Expr:
    """Return the minute of a time: when it begins, or on DuckDB its number, for that rounds nanoseconds up.

    DuckDB counts nanoseconds of the years 1678 to 2261 only, and tries with the least and the latest time of a table
    before it reads any: a year 1 or 9999 that stands for no time would fail all windows.
    """
    if dialect == "duckdb":
        first, last = (instant(moment, type_) for moment in (EPOCH, LATEST))
        counted = exp.Least(this=exp.Greatest(this=time.copy(), expressions=[first]), expressions=[last])
        nanoseconds = exp.Anonymous(this="epoch_ns", expressions=[counted])
        return exp.IntDiv(this=nanoseconds, expression=integer(60 * 1_000_000_000))
    return exp.TimestampTrunc(this=time.copy(), unit=exp.Var(this="MINUTE"))


def _whole(column: pa.ChunkedArray, unit: timedelta | None = None) -> NDArray[np.int64]:
    """Return times as whole microseconds, or units, since 1970; numbers are in that unit already."""
    if not pa.types.is_temporal(column.type):
        return integers(column, 0)
    found = [microseconds(chunk) for chunk in column.chunks]
    whole = np.concatenate([np.empty(0, np.int64), *found])
    return whole if unit is None else whole // (unit // MICROSECOND)


def _place(source: Source, moment: datetime) -> int:
    """Return where an instant stands among the minutes, or the days, that were counted."""
    place = source.place(moment)
    return _minute(place) if isinstance(place, datetime) else (place - EPOCH.date()) // DAY


def _minute(moment: datetime) -> int:
    return (moment - EPOCH) // MINUTE


def _are_unique(warehouse: Warehouse, source: Source, key: str, windows: Sequence[Window], rows: int) -> bool:
    """Tell whether no key came twice in a window, where that costs less than to ask which did: on DuckDB.

    Hashes of ten million keys are sorted here in a quarter of the time, and half of the memory, that DuckDB takes to
    group them. Equal hashes of two keys only cost the question.
    """
    if warehouse.dialect != "duckdb" or rows > HASHED:
        return False
    assert source.timestamp is not None
    columns: dict[str, exp.Expr] = {"h": exp.Anonymous(this="hash", expressions=[named(key)])}
    ends = None
    if len(windows) > 1:
        time = named(source.timestamp)
        columns["m"] = (
            time if source.timestamp_type == "date" else _minute_of(time, source.timestamp_type, warehouse.dialect)
        )
        ends = np.array([_place(source, window.end) for window in windows], np.int64)
    present = exp.not_(exp.Is(this=named(key), expression=exp.null()))
    query = rows_of(warehouse, source, windows, columns).where(present, copy=False)
    hashes = np.empty(0, np.uint64)
    parts = []
    for batch in cast("DuckDBWarehouse", warehouse).batches(query, BATCH):
        part = batch["h"].to_numpy()
        if ends is not None:  # a key may come again in another window
            unit = DAY if source.timestamp_type == "date" else MINUTE
            window = np.searchsorted(ends, _whole(pa.chunked_array([batch["m"]]), unit), side="right")
            part = part + window.astype(np.uint64) * np.uint64(GOLDEN_RATIO)
        parts.append(part)
    hashes = np.concatenate([hashes, *parts])
    hashes.sort()
    return not bool((hashes[1:] == hashes[:-1]).any())


def _repeats(warehouse: Warehouse, source: Source, key: str, windows: Sequence[Window]) -> dict[int, dict[str, Any]]:
    """Return, by window, how many rows are beyond the first of their key, and the keys of most of them."""
    present = exp.not_(exp.Is(this=named(key), expression=exp.null()))
    columns = {"w": _window(source, windows, warehouse), "k": named(key)}
    rows = rows_of(warehouse, source, windows, columns).where(present, copy=False)
    counted = {"w": named("w"), "k": named("k"), "n": exp.Count(this=exp.Star())}
    groups = _grouped(counted, subquery(rows, "keyed"), "w", "k")
    groups.set("having", exp.Having(this=exp.GT(this=exp.Count(this=exp.Star()), expression=integer(1))))
    text = exp.cast(named("k"), "text")
    order = exp.Order(
        expressions=[exp.Ordered(this=named("n"), desc=True), exp.Ordered(this=_code_points(text, warehouse.dialect))]
    )
    wide = selected(
        {
            "w": named("w"),
            "x": text.copy(),
            "n": named("n"),
            "r": exp.Window(this=exp.Sum(this=named("n") - integer(1)), partition_by=[named("w")]),
            "p": exp.Window(this=exp.RowNumber(), partition_by=[named("w")], order=order),
        },
        subquery(groups, "repeated"),
    )
    first = selected({name: named(name) for name in "wxnrp"}, subquery(wide, "numbered"))
    answer = warehouse.query(first.where(named("p") <= integer(EXAMPLES), copy=False))
    found: dict[int, dict[str, Any]] = {}
    for row in sorted(answer.to_pylist(), key=lambda row: (int(row["w"]), int(row["p"]))):
        its = found.setdefault(int(row["w"]), {"repeats": int(row["r"]), "repeated": ()})
        its["repeated"] = (*its["repeated"], (str(row["x"]), int(row["n"])))
    return found


def _expected(
    warehouse: Warehouse, source: Source, key: str | None, windows: Sequence[Window], expected: ExpectedSource | str
) -> dict[int, Expected]:
    if isinstance(expected, str):
        return dict.fromkeys(range(len(windows)), Expected(unreadable=expected))
    if expected.key is None:
        return _expected_counts(warehouse, expected, windows)
    assert key is not None
    return _expected_keys(warehouse, source, key, expected, windows)


def _expected_counts(warehouse: Warehouse, expected: ExpectedSource, windows: Sequence[Window]) -> dict[int, Expected]:
    assert expected.rows is not None
    columns = {"w": _window(expected.source, windows, warehouse), "n": named(expected.rows)}
    rows = subquery(rows_of(warehouse, expected.source, windows, columns), "expected")
    answer = warehouse.query(_grouped({"w": named("w"), "n": exp.Sum(this=named("n"))}, rows, "w"))
    found = dict.fromkeys(range(len(windows)), Expected(rows=0))
    for window, number in zip(answer["w"].to_pylist(), answer["n"].to_pylist(), strict=True):
        total = float(number or 0)
        if window < 0:
            continue
        if math.isfinite(total) and total >= 0:
            found[int(window)] = Expected(rows=round(total))
        else:
            told = f"column {expected.rows!r} of table {expected.source.table!r} adds up to {total:g} rows"
            found[int(window)] = Expected(unreadable=told)
    return found


def _expected_keys(
    warehouse: Warehouse, source: Source, key: str, expected: ExpectedSource, windows: Sequence[Window]
) -> dict[int, Expected]:
    """Hold the distinct keys that a window should have against those that it has."""
    assert expected.key is not None

    def keys(of: Source, column: str, type_: ColumnType, other: ColumnType, name: str) -> exp.Subquery:
        value = comparable_key(column, type_, other, as_text=expected.as_text)
        rows = rows_of(warehouse, of, windows, {"w": _window(of, windows, warehouse), "k": value})
        present = exp.not_(exp.Is(this=value.copy(), expression=exp.null()))
        return subquery(rows.where(present, copy=False).distinct(copy=False), name)

    should = keys(expected.source, expected.key, expected.key_type, expected.log_key_type, "should")
    came = keys(source, key, expected.log_key_type, expected.key_type, "came")
    held = selected(
        {"w": named("w", "should"), "k": named("k", "should"), "c": named("k", "came")},
        should,
    )
    same = exp.and_(
        exp.EQ(this=named("w", "should"), expression=named("w", "came")),
        exp.EQ(this=named("k", "should"), expression=named("k", "came")),
    )
    held.set("joins", [exp.Join(this=came, side="LEFT", on=same)])
    absent = exp.Is(this=named("c"), expression=exp.null())
    text = exp.cast(named("k"), "text")
    missing = exp.Case(ifs=[exp.If(this=absent, true=integer(1))], default=integer(0))
    order = exp.Order(
        expressions=[
            exp.Ordered(this=missing.copy(), desc=True),
            exp.Ordered(this=_code_points(text, warehouse.dialect)),
        ]
    )
    wide = selected(
        {
            "w": named("w"),
            "x": text.copy(),
            "a": missing.copy(),
            "e": exp.Window(this=exp.Count(this=exp.Star()), partition_by=[named("w")]),
            "z": exp.Window(this=exp.Sum(this=missing.copy()), partition_by=[named("w")]),
            "p": exp.Window(this=exp.RowNumber(), partition_by=[named("w")], order=order),
        },
        subquery(held, "held"),
    )
    first = selected({name: named(name) for name in "wxaezp"}, subquery(wide, "numbered"))
    answer = warehouse.query(first.where(named("p") <= integer(EXAMPLES), copy=False))
    found = dict.fromkeys(range(len(windows)), Expected(rows=0, missing=0))
    for row in sorted(answer.to_pylist(), key=lambda row: (int(row["w"]), int(row["p"]))):
        window = int(row["w"])
        if window < 0:
            continue
        before = found[window].examples
        examples = (*before, str(row["x"])) if int(row["a"]) else before
        found[window] = Expected(rows=int(row["e"]), missing=int(row["z"]), examples=examples)
    return found


def _window(source: Source, windows: Sequence[Window], warehouse: Warehouse) -> exp.Expr:
    return exp.cast(window_number(source, windows, warehouse.dialect), "int")


def _code_points(text: exp.Expr, dialect: str) -> exp.Expr:
    """Return a text to sort by, in the order that all engines share."""
    return exp.Collate(this=text, expression=exp.to_identifier("C", quoted=True)) if dialect == "postgres" else text


def _grouped(columns: Mapping[str, exp.Expr], source: exp.Expr, *keys: str) -> exp.Select:
    query = selected(columns, source)
    query.set("group", exp.Group(expressions=[named(key) for key in keys]))
    return query
