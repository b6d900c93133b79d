"""When the rows of windows came, which came twice, and which of those expected did not: read beside the scan.

Three statements, each over few columns and any number of windows: the minutes in which rows came, keys that came more
than once, and the table of expected rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa
from sqlglot import exp

from monitoring_tasks.config import ColumnType
from monitoring_tasks.traffic import EXAMPLES, MINUTE, Expected, Traffic, traffic_of
from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.expressions import integer, named, selected, subquery
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
        minutes = _minutes(warehouse, source, key, part)
        repeats = {}
        if key is not None and not _are_unique(warehouse, source, key, part, minutes.read):
            repeats = _repeats(warehouse, source, key, part)
        awaited = {} if expected is None else _expected(warehouse, source, key, part, expected)
        for i, window in enumerate(part):
            known = {} if key is None else {"without_key": minutes.without_key.get(i, 0), **repeats.get(i, _NONE)}
            if source.timestamp_type == "date":
                found = Traffic(window, minutes.rows.get(i, 0), **known)
            else:
                found = traffic_of(window, minutes.of.get(i, []), known)
            yield replace(found, expected=awaited.get(i)) if awaited else found


def count_rows(warehouse: Warehouse, source: Source, windows: Sequence[Window]) -> list[int]:
    """Return how many rows the warehouse holds of each of these windows now."""
    counts = [0] * len(windows)
    if not windows:
        return counts
    rows = subquery(rows_of(warehouse, source, windows, {"w": _window(source, windows, warehouse)}), "counted")
    query = _grouped({"w": named("w"), "n": exp.Count(this=exp.Star())}, rows, "w")
    answer = warehouse.query(query)
    for window, number in zip(answer["w"].to_pylist(), answer["n"].to_pylist(), strict=True):
        if window >= 0:
            counts[int(window)] = int(number)
    return counts


_NONE: Mapping[str, Any] = {"repeats": 0, "repeated": ()}


@dataclass(frozen=True)
class _Minutes:
    """By window, its minutes with rows; of dates the rows alone."""

    of: dict[int, list[tuple[datetime, int, datetime, datetime]]]
    rows: dict[int, int]
    without_key: dict[int, int]
    read: int
    """Rows that the statement has read, those of the gaps between the windows included."""


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


def _minutes(warehouse: Warehouse, source: Source, key: str | None, windows: Sequence[Window]) -> _Minutes:
    assert source.timestamp is not None
    dates = source.timestamp_type == "date"
    time = named(source.timestamp)
    columns: dict[str, exp.Expr] = {"w": _window(source, windows, warehouse)}
    columns |= {} if dates else {"t": time, "m": exp.TimestampTrunc(this=time.copy(), unit=exp.Var(this="MINUTE"))}
    if key is not None:
        no_key = exp.If(this=exp.Is(this=named(key), expression=exp.null()), true=integer(1))
        columns["z"] = exp.Case(ifs=[no_key], default=integer(0))
    counts: dict[str, exp.Expr] = {"n": exp.Count(this=exp.Star())}
    counts |= {} if dates else {"f": exp.Min(this=named("t")), "l": exp.Max(this=named("t"))}
    counts |= {} if key is None else {"z": exp.Sum(this=named("z"))}
    keys = ["w"] if dates else ["w", "m"]
    rows = subquery(rows_of(warehouse, source, windows, columns), "timed")
    answer = warehouse.query(_grouped({**{name: named(name) for name in keys}, **counts}, rows, *keys))
    found = _Minutes({}, {}, {}, sum(map(int, answer["n"].to_pylist())))
    if not dates:  # nanoseconds are none of Python's times
        for name in "mfl":
            zone = answer[name].type.tz
            place = answer.schema.get_field_index(name)
            times = answer[name].cast(pa.timestamp("us", zone), safe=False)
            answer = answer.set_column(place, name, times)
    for row in answer.to_pylist():
        window = int(row["w"])
        if window < 0:
            continue
        found.rows[window] = found.rows.get(window, 0) + int(row["n"])
        if key is not None:
            found.without_key[window] = found.without_key.get(window, 0) + int(row["z"])
        if not dates:
            minute, first, last = (_instant(row[name]) for name in "mfl")
            found.of.setdefault(window, []).append((minute, int(row["n"]), first, last))
    for minutes in found.of.values():
        minutes.sort()
    return found


def _are_unique(warehouse: Warehouse, source: Source, key: str, windows: Sequence[Window], rows: int) -> bool:
    """Tell whether no key came twice in a window, where that costs less than to ask which did: on DuckDB.

    Hashes of ten million keys are sorted here in a quarter of the time, and half of the memory, that DuckDB takes to
    group them. Equal hashes of two keys only cost the question.
    """
    if warehouse.dialect != "duckdb" or rows > HASHED:
        return False
    several = [_window(source, windows, warehouse)] * (len(windows) > 1)
    hashed = exp.Anonymous(this="hash", expressions=[named(key), *several])
    present = exp.not_(exp.Is(this=named(key), expression=exp.null()))
    query = rows_of(warehouse, source, windows, {"h": hashed}).where(present, copy=False)
    batches = cast("DuckDBWarehouse", warehouse).batches(query, BATCH)
    hashes = np.concatenate([np.empty(0, np.uint64), *(batch["h"].to_numpy() for batch in batches)])
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
            "k": exp.cast(named("k"), "text"),
            "n": named("n"),
            "r": exp.Window(this=exp.Sum(this=named("n") - integer(1)), partition_by=[named("w")]),
            "p": exp.Window(this=exp.RowNumber(), partition_by=[named("w")], order=order),
        },
        subquery(groups, "repeated"),
    )
    first = selected({name: named(name) for name in "wknrp"}, subquery(wide, "numbered"))
    answer = warehouse.query(first.where(named("p") <= integer(EXAMPLES), copy=False))
    found: dict[int, dict[str, Any]] = {}
    for row in sorted(answer.to_pylist(), key=lambda row: (int(row["w"]), int(row["p"]))):
        its = found.setdefault(int(row["w"]), {"repeats": int(row["r"]), "repeated": ()})
        its["repeated"] = (*its["repeated"], (str(row["k"]), int(row["n"])))
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
            "k": text.copy(),
            "c": missing.copy(),
            "e": exp.Window(this=exp.Count(this=exp.Star()), partition_by=[named("w")]),
            "z": exp.Window(this=exp.Sum(this=missing.copy()), partition_by=[named("w")]),
            "p": exp.Window(this=exp.RowNumber(), partition_by=[named("w")], order=order),
        },
        subquery(held, "held"),
    )
    first = selected({name: named(name) for name in "wkcezp"}, subquery(wide, "numbered"))
    answer = warehouse.query(first.where(named("p") <= integer(EXAMPLES), copy=False))
    found = dict.fromkeys(range(len(windows)), Expected(rows=0, missing=0))
    for row in sorted(answer.to_pylist(), key=lambda row: (int(row["w"]), int(row["p"]))):
        window = int(row["w"])
        if window < 0:
            continue
        before = found[window].examples
        examples = (*before, str(row["k"])) if int(row["c"]) else before
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


def _instant(moment: datetime) -> datetime:
    """Return an aware time: one without a zone is UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
