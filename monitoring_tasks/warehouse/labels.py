"""Labels in the warehouse: joined to their inferences by key, the latest of each, and when they arrived."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from sqlglot import exp

from monitoring_tasks.columns import NUMBERS, Column
from monitoring_tasks.config import ColumnType
from monitoring_tasks.outcome_bins import OutcomeBins
from monitoring_tasks.warehouse.arrow import integers
from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.expressions import (
    double,
    finite,
    instant,
    integer,
    named,
    number,
    selected,
    subquery,
    value,
)
from monitoring_tasks.warehouse.statement import Source, rows_of, window_number
from monitoring_tasks.window import Window

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

MINUTE = timedelta(minutes=1)
"""Windows begin and end at whole minutes."""

WINDOWS = 500
"""Arrivals in so many windows are counted by one statement."""


@dataclass(frozen=True)
class LabelSource:
    """Where the labels are, and what they are joined to."""

    table: str
    key: str
    value: str
    value_type: ColumnType
    timestamp: str
    """Empty where labels stand in a table without times."""
    timestamp_type: ColumnType
    log_key: str
    """The column of the inference log that holds the same keys."""
    as_text: bool = False
    """Keys are of two types, so their texts are compared."""
    until: datetime | None = None
    """Labels that arrived then or later do not count; None if all do."""
    inline: bool = False
    """Each label stands in the row of its inference: nothing is joined."""


@dataclass(frozen=True)
class Labelled:
    """How a scan splits its counts by label."""

    source: LabelSource
    bins: OutcomeBins
    prediction: Column | None = None
    """The predicted class or number; None where there is none, or it cannot be read."""
    scores: tuple[Column, ...] = ()
    """P(positive), or of a multiclass model that of every class but the last, in the order of the classes."""


def joined(
    warehouse: Warehouse,
    source: Source,
    labels: LabelSource,
    bins: OutcomeBins,
    windows: Sequence[Window],
    columns: Mapping[str, exp.Expr],
) -> exp.Select:
    """Return the SELECT of these expressions over all rows of the windows, with each row's label.

    The labels that count are those with a value. Of several for one key it is the latest by its timestamp, of those
    that arrived together the largest: so a correction replaces what it corrects, in whatever order rows are stored.

    Parameters
    ----------
    warehouse
        An open warehouse.
    source
        The inference log.
    labels
        The labels.
    bins
        Which say what a label is: a class, or a number.
    windows
        Disjoint, in time order.
    columns
        Expressions over the inference log by name.

    Returns
    -------
    exp.Select
        The columns, and beside them ``y``: the label's number (a class) or value, NULL where it is not known; ``f``:
        when it was first known, in seconds since 1970; ``n``: how many labels there were.
    """
    dialect = warehouse.dialect
    if labels.inline:
        known = {
            "y": _known(label_value(labels, bins, dialect), labels, source),
            "f": _seconds(labels.timestamp, labels.timestamp_type, dialect) if labels.timestamp else double(exp.null()),
            "n": exp.cast(integer(1), "int"),
        }
        return rows_of(warehouse, source, windows, {**columns, **known})
    inner = subquery(rows_of(warehouse, source, windows, {**columns, "k": _key(labels.log_key, labels)}), "inferences")
    latest = subquery(_latest(warehouse, source, labels, bins, windows), "labels")
    found = selected(
        {
            **{name: named(name, "inferences") for name in columns},
            **{name: named(name, "labels") for name in "yfn"},
        },
        inner,
    )
    same = exp.EQ(this=named("k", "inferences"), expression=named("k", "labels"))
    found.set("joins", [exp.Join(this=latest, side="LEFT", on=same)])
    return found


def _latest(
    warehouse: Warehouse, source: Source, labels: LabelSource, bins: OutcomeBins, windows: Sequence[Window]
) -> exp.Select:
    """Return the latest label of every key that the windows hold, with what came before it."""
    dialect = warehouse.dialect
    rows = _labels_of(warehouse, source, labels, bins, windows)
    mine = {"partition_by": [named("k")]}
    order = [exp.Ordered(this=named(name), desc=True, nulls_first=False) for name in "ty"]
    over = {
        "r": exp.Window(this=exp.RowNumber(), order=exp.Order(expressions=order), **mine),
        "f": exp.Window(this=exp.Min(this=named("t")), **mine),
        "n": exp.Window(this=exp.Count(this=exp.Star()), **mine),
    }
    numbered = selected({**{name: named(name) for name in "ky"}, **over}, _valued(rows))
    first = {"f": _seconds("f", labels.timestamp_type, dialect)}
    found = selected({"k": named("k"), "y": named("y"), **first, "n": named("n")}, subquery(numbered, "numbered"))
    return found.where(exp.EQ(this=named("r"), expression=integer(1)), copy=False)


def corrected(
    warehouse: Warehouse, source: Source, labels: LabelSource, bins: OutcomeBins, windows: Sequence[Window]
) -> list[int]:
    """Return for each window how many of its rows have labels that differ."""
    if labels.inline:
        return [0] * len(windows)
    rows = _labels_of(warehouse, source, labels, bins, windows)
    differ = exp.select(named("k")).from_(_valued(rows)).group_by(named("k"))
    differ = differ.having(exp.LT(this=exp.Min(this=named("y")), expression=exp.Max(this=named("y"))))
    number_of = exp.cast(window_number(source, windows, warehouse.dialect), "int")
    mine = rows_of(warehouse, source, windows, {"w": number_of, "k": _key(labels.log_key, labels)})
    keyed = exp.select(named("w")).from_(subquery(mine, "inferences"))
    keyed = keyed.where(exp.In(this=named("k"), query=exp.Subquery(this=differ)))
    counted = selected({"w": named("w"), "n": exp.Count(this=exp.Star())}, subquery(keyed, "corrected"))
    counted.set("group", exp.Group(expressions=[named("w")]))
    answer = warehouse.query(counted)
    found = [0] * len(windows)
    for window, count in zip(integers(answer["w"], -1), integers(answer["n"], 0), strict=True):
        if window >= 0:
            found[window] = int(count)
    return found


def _labels_of(
    warehouse: Warehouse, source: Source, labels: LabelSource, bins: OutcomeBins, windows: Sequence[Window]
) -> exp.Select:
    """Return all labels of the keys that the windows hold: key k, value y and time t."""
    wanted = rows_of(warehouse, source, windows, {"k": _key(labels.log_key, labels)})
    wanted = wanted.where(_present(named(labels.log_key)), copy=False)
    value_ = label_value(labels, bins, warehouse.dialect)
    columns = {"k": _key(labels.key, labels), "y": value_, "t": named(labels.timestamp)}
    rows = selected(columns, warehouse.table(labels.table))
    rows = rows.where(_has_value(labels, warehouse.dialect), copy=False)
    if labels.until is not None:
        rows = rows.where(_is_before(labels, source), copy=False)
    return rows.where(exp.In(this=_key(labels.key, labels), query=exp.Subquery(this=wanted)), copy=False)


def _known(y: exp.Expr, labels: LabelSource, source: Source) -> exp.Expr:
    """Return the label, NULL where it arrived too late."""
    if labels.until is None:
        return y
    return exp.Case(ifs=[exp.If(this=_is_before(labels, source), true=y)])


def _is_before(labels: LabelSource, source: Source) -> exp.Expr:
    assert labels.until is not None
    arriving = Source(labels.table, labels.timestamp, labels.timestamp_type, source.timezone)
    return named(labels.timestamp) < instant(arriving.place(labels.until), labels.timestamp_type)


def _valued(rows: exp.Select) -> exp.Subquery:
    """Leave out labels that are no number."""
    columns = {name: named(name) for name in "kyt"}
    return subquery(selected(columns, subquery(rows, "present")).where(_present(named("y")), copy=False), "valued")


def label_value(labels: LabelSource, bins: OutcomeBins, dialect: str) -> exp.Expr:
    """Return the number of the label's class, or of a regression its value; NULL where there is none."""
    if bins.task == "regression":
        return finite(value(Column(labels.value, "numeric", labels.value_type, ()), dialect), dialect)
    return _class_of(labels.value, labels.value_type, bins, dialect)


def predicted_value(name: str, type_: ColumnType, bins: OutcomeBins, dialect: str) -> exp.Expr:
    """Return the same of a prediction: the number of its class, or its value."""
    if bins.task == "regression":
        return finite(value(Column(name, "numeric", type_, ()), dialect), dialect)
    return _class_of(name, type_, bins, dialect)


def _class_of(name: str, type_: ColumnType, bins: OutcomeBins, dialect: str) -> exp.Expr:
    """Return the number of a class, NULL for NULL; what is no class of the model counts as the last."""
    x = _number_or_null(name, type_, dialect)
    number_ = exp.cast(x.copy(), "bigint") if type_ in NUMBERS and type_ != "integer" else x.copy()
    text = exp.cast(number_, "text")
    binary = bins.task == "binary_classification"
    known = bins.classes[1:] if binary else bins.classes[:-1]
    rest = 0 if binary else len(bins.classes) - 1
    ifs = [exp.If(this=exp.Is(this=x, expression=exp.null()), true=exp.null())]
    ifs += [
        exp.If(
            this=exp.EQ(this=text.copy(), expression=exp.Literal.string(_spelled(each, type_))),
            true=integer(i + 1 if binary else i),
        )
        for i, each in enumerate(known)
    ]
    return exp.cast(exp.Case(ifs=ifs, default=integer(rest)), "int")


def _spelled(name: str, type_: ColumnType) -> str:
    """Return a class as a column of this type has it: 1 is true, and 0 false."""
    if type_ == "boolean":
        return {"1": "true", "0": "false"}.get(name, name)
    return {"true": "1", "false": "0"}.get(name, name) if type_ in NUMBERS else name


def _number_or_null(name: str, type_: ColumnType, dialect: str) -> exp.Expr:
    """Return the column, NULL for NaN: that is how some writers of doubles say that there is none."""
    return finite(double(named(name)), dialect) if type_ == "number" else named(name)


def watermark(warehouse: Warehouse, labels: LabelSource, timezone: str = "UTC") -> datetime | None:
    """Return when the latest label of all arrived; None without one. A date is when its day begins in this zone."""
    last = subquery(selected({"t": exp.Max(this=named(labels.timestamp))}, warehouse.table(labels.table)), "arrived")
    answer = warehouse.query(selected({"t": _seconds("t", labels.timestamp_type, warehouse.dialect)}, last))
    seconds = answer["t"][0].as_py() if len(answer) else None
    if seconds is None:
        return None
    return _begin(EPOCH + timedelta(microseconds=round(seconds * 1e6)), labels.timestamp_type, timezone)


def label_count(warehouse: Warehouse, labels: LabelSource) -> int:
    """Return how many labels there are."""
    rows = selected({"k": named(labels.key)}, warehouse.table(labels.table))
    rows = rows.where(_has_value(labels, warehouse.dialect), copy=False)
    answer = warehouse.query(selected({"n": exp.Count(this=exp.Star())}, subquery(rows, "valued")))
    return int(integers(answer["n"], 0)[0])


def _begin(moment: datetime, type_: ColumnType, timezone: str) -> datetime:
    """Return when a date's day begins, of which the moment is the midnight in UTC; of a time, itself."""
    if type_ != "date":
        return moment
    return datetime(moment.year, moment.month, moment.day, tzinfo=ZoneInfo(timezone)).astimezone(UTC)


@dataclass(frozen=True)
class Arrivals:
    """What arrived in one window: labels, by the time of the inference that they are of."""

    minutes: tuple[datetime, ...] = ()
    """The whole minutes, in time order, in which there was an inference whose label arrived."""
    rows: int = 0
    """Labels that arrived."""
    unknown: int = 0
    """Labels that arrived whose key no inference has."""


def arrivals(
    warehouse: Warehouse, source: Source, labels: LabelSource, windows: Sequence[Window]
) -> dict[Window, Arrivals]:
    """Return what arrived in each of the windows; one in which nothing did is left out.

    Parameters
    ----------
    warehouse
        An open warehouse.
    source
        The inference log.
    labels
        The labels.
    windows
        Disjoint, in time order: when the labels arrived.
    """
    found: dict[Window, Arrivals] = {}
    for first in range(0, len(windows), WINDOWS):
        part = windows[first : first + WINDOWS]
        answer = warehouse.query(_arrivals(warehouse, source, labels, part))
        numbers, rows = integers(answer["w"], -1), integers(answer["n"], 0)
        labels_of_window = integers(answer["a"], 0)
        minutes = np.array([np.nan if m is None else m for m in answer["m"].to_pylist()], np.float64)
        for i in np.unique(numbers[numbers >= 0]):
            mine = numbers == i
            known = np.unique(minutes[mine & ~np.isnan(minutes)])
            found[part[i]] = Arrivals(
                minutes=tuple(
                    _begin(EPOCH + int(minute) * MINUTE, source.timestamp_type, source.timezone) for minute in known
                ),
                rows=int(labels_of_window[mine][0]),
                unknown=int(rows[mine & np.isnan(minutes)].sum()),
            )
    return found


def _arrivals(warehouse: Warehouse, source: Source, labels: LabelSource, windows: Sequence[Window]) -> exp.Select:
    """Return the statement: labels by the window in which they arrived and the minute of their inference."""
    dialect = warehouse.dialect
    arriving = Source(labels.table, labels.timestamp, labels.timestamp_type, source.timezone)
    assert source.timestamp is not None
    minute = exp.Floor(this=exp.Paren(this=_seconds(source.timestamp, source.timestamp_type, dialect)) / number(60.0))
    number_of = exp.cast(window_number(arriving, windows, dialect), "int")
    columns: dict[str, exp.Expr] = {"w": number_of}
    if labels.inline:
        rows = rows_of(warehouse, arriving, windows, {**columns, "m": minute})
        pairs = _counted(rows.where(_has_value(labels, dialect), copy=False), "m")
    else:
        rows = rows_of(warehouse, arriving, windows, {**columns, "k": _key(labels.key, labels)})
        arrived = _counted(rows.where(_has_value(labels, dialect), copy=False), "k")
        log = selected({"k": _key(labels.log_key, labels), "m": minute}, warehouse.table(source.table))
        same = exp.EQ(this=named("k", "arrived"), expression=named("k", "inferences"))
        of_arrived = {name: named(name, "arrived") for name in "wa"}
        both = selected({**of_arrived, "m": named("m", "inferences")}, arrived)
        both.set("joins", [exp.Join(this=subquery(log, "inferences"), side="LEFT", on=same)])
        pairs = subquery(both, "arrived")
    counts = {"n": exp.Count(this=exp.Star()), "a": exp.Max(this=named("a"))}
    counted = selected({"w": named("w"), "m": named("m"), **counts}, pairs)
    counted.set("group", exp.Group(expressions=[named("w"), named("m")]))
    return counted


def _counted(arrived: exp.Select, other: str) -> exp.Subquery:
    """Number the labels of each window before they are joined: several inferences may have one key."""
    of_window = exp.Window(this=exp.Count(this=exp.Star()), partition_by=[named("w")])
    columns = {"w": named("w"), other: named(other), "a": of_window}
    return subquery(selected(columns, subquery(arrived, "valued")), "arrived")


def _key(name: str, labels: LabelSource) -> exp.Expr:
    return exp.cast(named(name), "text") if labels.as_text else named(name)


def _has_value(labels: LabelSource, dialect: str) -> exp.Expr:
    return _present(_number_or_null(labels.value, labels.value_type, dialect))


def _present(expression: exp.Expr) -> exp.Expr:
    return exp.not_(exp.Is(this=expression, expression=exp.null()))


def _seconds(name: str, type_: ColumnType, dialect: str) -> exp.Expr:
    return value(Column(name, "timestamp", type_, ()), dialect)
