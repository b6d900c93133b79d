"""The scan's plan in plain SQL, for every engine without one of its own: a GROUP BY per column, all in one UNION ALL.

Column stores read for each of them the column itself and the timestamp. For ten million rows of 25 columns Spark takes
25 s, where GROUPING SETS take 103; and those are written differently from engine to engine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot import exp

from monitoring_tasks.columns import Column
from monitoring_tasks.errors import TransientError
from monitoring_tasks.profile import Bins
from monitoring_tasks.warehouse.arrow import integers
from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.expressions import double, finite, integer, named, selected, subquery, value
from monitoring_tasks.warehouse.statement import (
    Source,
    bin_number,
    rows_of,
    segment_number,
    whole_units,
    window_number,
)
from monitoring_tasks.warehouse.tally import ColumnTally, Groups, Tally

BRANCHES = 60
"""Of one statement."""

WINDOWS = 50
"""In one statement: each stands in every branch, and BigQuery and Trino take a text of a megabyte."""


def read(
    warehouse: Warehouse, source: Source, columns: Sequence[Column], bins: Mapping[str, Bins], tally: Tally
) -> None:
    """Count and sum these columns into the tally.

    Raises
    ------
    TransientError
        If the table changed between two statements: not all engines have a snapshot that holds for both.
    """
    tallies = [tally.add(column, bins[column.name]) for column in columns]
    splits = [None, *range(len(tally.segments.columns))]
    branches = [(split, counted) for split in splits for counted in (None, *tallies)]
    tally.rows[:] = 0
    for first in range(0, len(branches), BRANCHES - 1):
        some = branches[first : first + BRANCHES - 1]
        counted_before = tally.rows[:, 0].copy() if first else None
        tally.rows[:, 0] = 0
        _read(warehouse, source, bins, tally, some if not first else [(None, None), *some])
        if counted_before is not None and (tally.rows[:, 0] != counted_before).any():
            raise TransientError(f"table {source.table!r} was written to while it was read: try again")


def _read(
    warehouse: Warehouse,
    source: Source,
    bins: Mapping[str, Bins],
    tally: Tally,
    branches: Sequence[tuple[int | None, ColumnTally | None]],
) -> None:
    """Ask one statement. A branch counts one column, or None for the rows, by one segment column, or None for all."""
    selects = [
        _branch(warehouse, source, bins, tally, number, split, counted)
        for number, (split, counted) in enumerate(branches)
    ]
    answer = warehouse.query(exp.union(*selects, distinct=False, copy=False) if len(selects) > 1 else selects[0])
    number, places, bin_ = (integers(answer[name], -1) for name in "ipb")
    tally.count([counted for _, counted in branches], number, places, bin_, Groups.of(answer))


def _branch(
    warehouse: Warehouse,
    source: Source,
    bins: Mapping[str, Bins],
    tally: Tally,
    number: int,
    split: int | None,
    counted: ColumnTally | None,
) -> exp.Select:
    dialect, size = warehouse.dialect, len(tally.segments)
    window = window_number(source, tally.windows, dialect)
    place = exp.Paren(this=window) * integer(size) if size > 1 else window
    if split is not None:
        place = place + segment_number(tally.segments, split, bins, dialect)
    inside: dict[str, exp.Expr] = {"p": place, "b": exp.cast(integer(0), "int")}
    sums: list[exp.Expr] = [double(exp.null()), double(exp.null()), *(_decimal(exp.null()) for _ in "tq")]
    if counted is not None:
        inside["b"] = exp.cast(bin_number(counted.column, counted.bins, dialect), "int")
        if counted.column.kind != "categorical":
            inside["x"] = value(counted.column, dialect)
            x = named("x")
            numbers = finite(x, dialect)
            wholes = (whole_units(x, counted.bins, squares=squares) for squares in (False, True))
            extremes = [exp.Min(this=numbers), exp.Max(this=numbers.copy())]
            # 64 bits do not hold the sum, and not every engine widens them by itself.
            sums = [*extremes, *(exp.Sum(this=_decimal(whole)) for whole in wholes)]
    rows = subquery(rows_of(warehouse, source, tally.windows, inside), "monitored")
    keys = {"i": exp.cast(integer(number), "int"), "p": named("p"), "b": named("b"), "n": exp.Count(this=exp.Star())}
    select = selected({**keys, **dict(zip("lhtq", sums, strict=True))}, rows)
    select.set("group", exp.Group(expressions=[named("p"), named("b")]))
    return select


def _decimal(expression: exp.Expr) -> exp.Cast:
    return exp.cast(expression, "decimal(38, 0)")
