"""Labels in the warehouse: joined to their inferences by key, the latest of each, and when they arrived."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from sqlglot import exp

from monitoring_tasks.class_spelling import class_boolean, class_number, class_spellings
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
from monitoring_tasks.warehouse.keys import comparable_key
from monitoring_tasks.warehouse.statement import Source, rows_of, window_number
from monitoring_tasks.window import Window

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

MINUTE = timedelta(minutes=1)
"""Windows begin and end at whole minutes."""

TIMES = (datetime(1900, 1, 1, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC))
"""A label has arrived at a time between these. Infinity, and the last day of the calendar, stand for none."""

FIRST_MINUTE, LAST_MINUTE = ((moment - EPOCH) / MINUTE for moment in TIMES)
"""No window holds an inference of another time."""

PACKED_CLASSES = 36
"""Most classes of which one and any of `TIMES`, in microseconds, go into one number of 64 bits."""

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
    key_type: ColumnType = "other"
    log_key_type: ColumnType = "other"
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
    *,
    apart: bool = True,
) -> exp.Select:
    """Return the SELECT of these expressions over all rows of the windows, with each row's label.

    The labels that count are those with a value and a time. Of several for one key it is the latest by its timestamp,
    of those that arrived together the largest: so a correction replaces what it corrects, in whatever order rows are
    stored.

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
    apart
        Whether labels of other inferences are left out before the latest of each key is looked for.

    Returns
    -------
    exp.Select
        The columns, and beside them ``y``: the label's number (a class) or value, NULL where it is not known; ``f``:
        when it was first known, in seconds since 1970; ``n``: how many labels there were.
    """
    dialect = warehouse.dialect
    if labels.inline:
        y = _known(_label_that_arrived(labels, bins, dialect), labels, source)
        known = {
            "y": y,
            "f": _when_first(y, labels, dialect) if labels.timestamp else double(exp.null()),
            "n": exp.cast(integer(1), "int"),
        }
        return rows_of(warehouse, source, windows, {**columns, **known})
    inner = subquery(rows_of(warehouse, source, windows, {**columns, "k": _key_of_inference(labels)}), "inferences")
    latest = subquery(_latest(warehouse, source, labels, bins, windows, apart=apart), "labels")
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
    warehouse: Warehouse,
    source: Source,
    labels: LabelSource,
    bins: OutcomeBins,
    windows: Sequence[Window],
    *,
    apart: bool,
) -> exp.Select:
    """Return the latest label of every key that the windows hold, with what came before it; others may be there too."""
    dialect = warehouse.dialect
    rows = _labels_of(warehouse, source, labels, bins, windows, apart=apart)
    if dialect == "duckdb" and labels.timestamp and 0 < len(bins.classes) <= PACKED_CLASSES:
        return _latest_class(rows, labels, len(bins.classes))
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


def labels_between(
    warehouse: Warehouse, source: Source, labels: LabelSource, bins: OutcomeBins, low: int, high: int
) -> exp.Select:
    """Return all labels of the keys from `low` to `high`: key k, value y (of a class in a byte) and time t."""
    rows = _labels_of(warehouse, source, labels, bins, [], apart=False)
    of_keys = exp.Between(this=named(labels.key), low=integer(low), high=integer(high))
    y = exp.cast(named("y"), "tinyint") if bins.classes else named("y")
    return selected({"k": named("k"), "y": y, "t": named("t")}, _valued(rows.where(of_keys, copy=False)))


def _latest_class(rows: exp.Select, labels: LabelSource, classes: int) -> exp.Select:
    """Return the same by one aggregate of time and class as one number.

    Of ten million labels it takes DuckDB 0.7 s less than functions over a window of rows, and no more memory than it
    is given.
    """
    moment = exp.Anonymous(this="epoch_us", expressions=[named("t")])
    both = exp.Add(this=exp.Mul(this=moment, expression=integer(classes)), expression=named("y"))
    aggregates = {"m": exp.Max(this=both), "f": exp.Min(this=named("t")), "n": exp.Count(this=exp.Star())}
    grouped = selected({"k": named("k"), **aggregates}, _valued(rows))
    grouped.set("group", exp.Group(expressions=[named("k")]))
    # The remainder of a time before 1970 is negative.
    rest = exp.Paren(this=exp.Mod(this=named("m"), expression=integer(classes)))
    y = exp.Mod(this=exp.Paren(this=exp.Add(this=rest, expression=integer(classes))), expression=integer(classes))
    first = {"f": _seconds("f", labels.timestamp_type, "duckdb")}
    return selected({"k": named("k"), "y": exp.cast(y, "int"), **first, "n": named("n")}, subquery(grouped, "grouped"))


def are_of_others(warehouse: Warehouse, source: Source, labels: LabelSource, windows: Sequence[Window]) -> bool:
    """Tell whether most labels are of inferences outside of the windows: then it pays to look them up first.

    Where they are not, it costs DuckDB 0.8 s of ten million, and memory that it does not always find.
    """
    mine = rows_of(warehouse, source, windows, {"k": named(labels.log_key)})
    every = selected({"k": named(labels.key)}, warehouse.table(labels.table))
    rows, of_all = (_count(warehouse, each) for each in (mine, every))
    return of_all > 2 * rows


def values_of_no_class(
    warehouse: Warehouse, source: Source, labels: LabelSource, bins: OutcomeBins, windows: Sequence[Window], most: int
) -> tuple[str, ...]:
    """Return the most frequent values among these rows' labels that are no class of the model, or not the positive.

    Parameters
    ----------
    warehouse, source, labels, bins, windows
        As in `joined`.
    most
        So many.
    """
    dialect = warehouse.dialect
    rest = 0 if bins.task == "binary_classification" else len(bins.classes) - 1
    y = _known(_label_that_arrived(labels, bins, dialect), labels, source)
    columns = {"v": exp.cast(named(labels.value), "text"), "y": y}
    if labels.inline:
        rows = rows_of(warehouse, source, windows, columns)
    else:
        wanted = rows_of(warehouse, source, windows, {"k": _key_of_inference(labels)})
        wanted = wanted.where(_present(named(labels.log_key)), copy=False)
        rows = selected(columns, warehouse.table(labels.table))
        rows = rows.where(exp.In(this=_key_of_label(labels), query=exp.Subquery(this=wanted)), copy=False)
    others = selected({"v": named("v"), "n": exp.Count(this=exp.Star())}, subquery(rows, "valued"))
    others = others.where(exp.EQ(this=named("y"), expression=integer(rest)), copy=False)
    others.set("group", exp.Group(expressions=[named("v")]))
    order = [exp.Ordered(this=named("n"), desc=True), exp.Ordered(this=named("v"), nulls_first=False)]
    first = selected({"v": named("v")}, subquery(others, "others"))
    first.set("order", exp.Order(expressions=order))
    answer = warehouse.query(first.limit(most, copy=False))
    return tuple(str(each) for each in answer["v"].to_pylist())


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
    mine = rows_of(warehouse, source, windows, {"w": number_of, "k": _key_of_inference(labels)})
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
    warehouse: Warehouse,
    source: Source,
    labels: LabelSource,
    bins: OutcomeBins,
    windows: Sequence[Window],
    *,
    apart: bool = True,
) -> exp.Select:
    """Return all labels, `apart` from those of other keys than the windows hold: key k, value y and time t."""
    y = _label_that_arrived(labels, bins, warehouse.dialect)
    columns = {"k": _key_of_label(labels), "y": y, "t": _arrival(labels, warehouse.dialect)}
    rows = selected(columns, warehouse.table(labels.table))
    rows = rows.where(_has_value(labels, warehouse.dialect), copy=False)
    if labels.until is not None:
        rows = rows.where(_is_before(labels, source), copy=False)
    if not apart:
        return rows
    wanted = rows_of(warehouse, source, windows, {"k": _key_of_inference(labels)})
    wanted = wanted.where(_present(named(labels.log_key)), copy=False)
    return rows.where(exp.In(this=_key_of_label(labels), query=exp.Subquery(this=wanted)), copy=False)


def _when_first(y: exp.Expr, labels: LabelSource, dialect: str) -> exp.Expr:
    """Return when a label in the log was known, NULL of a row without one."""
    there = exp.Not(this=exp.Is(this=exp.Paren(this=y.copy()), expression=exp.null()))
    return exp.Case(ifs=[exp.If(this=there, true=_seconds(labels.timestamp, labels.timestamp_type, dialect))])


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
    """Leave out labels that are no number, or have not arrived."""
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
    binary = bins.task == "binary_classification"
    known = bins.classes[1:] if binary else bins.classes[:-1]
    rest = 0 if binary else len(bins.classes) - 1
    ifs = [exp.If(this=exp.Is(this=x, expression=exp.null()), true=exp.null())]
    for i, each in enumerate(known):
        found = _is_class(x, each, known, type_)
        if found is not None:
            ifs.append(exp.If(this=found, true=integer(i + 1 if binary else i)))
    return exp.cast(exp.Case(ifs=ifs, default=integer(rest)), "int")


def _is_class(x: exp.Expr, name: str, classes: Sequence[str], type_: ColumnType) -> exp.Expr | None:
    """Return the test for a class in a column of this type; None where no value can be it.

    A number is compared as one: no cast could overflow, and none rounds a fraction to a class.
    """
    if type_ in NUMBERS:
        value_ = class_number(name)
        if value_ is None or (isinstance(value_, float) and type_ == "integer"):
            return None
        literal = integer(value_) if isinstance(value_, int) and type_ != "number" else number(float(value_))
        return exp.EQ(this=x.copy(), expression=literal)
    spelled = (class_boolean(name),) if type_ == "boolean" else class_spellings(name, classes)
    texts = [exp.Literal.string(each) for each in spelled if each is not None]
    tests = [exp.EQ(this=exp.cast(x.copy(), "text"), expression=text) for text in texts]
    return exp.or_(*tests) if tests else None


def _number_or_null(name: str, type_: ColumnType, dialect: str) -> exp.Expr:
    """Return the column, NULL for NaN: that is how some writers of doubles say that there is none."""
    return finite(double(named(name)), dialect) if type_ == "number" else named(name)


def watermark(
    warehouse: Warehouse, labels: LabelSource, before: datetime, timezone: str = "UTC", *, valued: bool = False
) -> datetime | None:
    """Return when the latest of the labels that arrived before this instant did; None without one.

    Parameters
    ----------
    warehouse
        An open warehouse.
    labels
        The labels; one without a value counts too, for it says how far the warehouse has come, unless with `valued`.
    before
        After the present, no time is one of an arrival.
    timezone
        A date is when its day begins in this zone.
    """
    already = exp.LT(this=named(labels.timestamp), expression=_instant(labels, before, timezone))
    first = _instant(labels, TIMES[0])
    rows = selected({"t": exp.Max(this=named(labels.timestamp))}, warehouse.table(labels.table))
    rows = rows.where(exp.GTE(this=named(labels.timestamp), expression=first), already, copy=False)
    if valued:
        rows = rows.where(_has_value(labels, warehouse.dialect), copy=False)
    last = subquery(rows, "arrived")
    answer = warehouse.query(selected({"t": _seconds("t", labels.timestamp_type, warehouse.dialect)}, last))
    return _moment(answer["t"][0].as_py() if len(answer) else None, labels.timestamp_type, timezone)


def _moment(seconds: float | None, type_: ColumnType, timezone: str) -> datetime | None:
    """Return the instant so many seconds after 1970; of a date when its day begins."""
    if seconds is None:
        return None
    return _begin(EPOCH + timedelta(microseconds=round(seconds * 1e6)), type_, timezone)


@dataclass(frozen=True)
class Mistimed:
    """Labels of one window's inferences whose time cannot be that of their arrival."""

    untimed: int = 0
    """Without a time, or with one that stands for none: they count for nothing, because no window would be read again
    for them."""
    future: int = 0
    """With a time after the present: they count, and no window is read again for them before that time."""


def has_mistimed(warehouse: Warehouse, labels: LabelSource, now: datetime, timezone: str = "UTC") -> bool:
    """Tell whether the table holds a label that is one of `Mistimed`."""
    rows = selected({"n": exp.Count(this=exp.Star())}, warehouse.table(labels.table))
    rows = rows.where(_mistimed(labels, now, timezone), _has_value(labels, warehouse.dialect), copy=False)
    answer = warehouse.query(rows)
    return bool(len(answer)) and int(answer["n"][0].as_py()) > 0


def mistimed(
    warehouse: Warehouse, source: Source, labels: LabelSource, windows: Sequence[Window], now: datetime
) -> dict[Window, Mistimed]:
    """Return how many of the labels of each window's inferences are mistimed; a window without one is left out.

    Parameters
    ----------
    warehouse
        An open warehouse.
    source
        The inference log.
    labels
        The labels.
    windows
        Disjoint, in time order: when the inferences were made.
    now
        The present.
    """
    found: dict[Window, Mistimed] = {}
    for first in range(0, len(windows), WINDOWS):
        part = windows[first : first + WINDOWS]
        answer = warehouse.query(_mistimed_by_window(warehouse, source, labels, part, now))
        numbers, future, rows = (integers(answer[name], -1) for name in ("w", "later", "n"))
        for i in np.unique(numbers[numbers >= 0]):
            mine = [int(rows[(numbers == i) & (future == kind)].sum()) for kind in (0, 1)]
            found[part[i]] = Mistimed(*mine)
    return found


def _mistimed_by_window(
    warehouse: Warehouse, source: Source, labels: LabelSource, windows: Sequence[Window], now: datetime
) -> exp.Select:
    """Return the statement: mistimed labels by the window of their inference and by whether they are of the future."""
    dialect = warehouse.dialect
    number_of = exp.cast(window_number(source, windows, dialect), "int")
    future = _is_future(labels, now, source.timezone, dialect)
    later = exp.Case(ifs=[exp.If(this=future, true=integer(1))], default=integer(0))
    wrong = (_mistimed(labels, now, source.timezone), _has_value(labels, dialect))
    if labels.inline:
        rows = rows_of(warehouse, source, windows, {"w": number_of, "later": later}).where(*wrong, copy=False)
        pairs = subquery(rows, "arrived")
    else:
        of_labels = selected({"k": _key_of_label(labels), "later": later}, warehouse.table(labels.table))
        mine = rows_of(warehouse, source, windows, {"w": number_of, "k": _key_of_inference(labels)})
        both = {"w": named("w", "inferences"), "later": named("later", "arrived")}
        joined_ = selected(both, subquery(of_labels.where(*wrong, copy=False), "arrived"))
        same = exp.EQ(this=named("k", "arrived"), expression=named("k", "inferences"))
        joined_.set("joins", [exp.Join(this=subquery(mine, "inferences"), on=same)])
        pairs = subquery(joined_, "arrived")
    names = ("w", "later")
    counted = selected({**{name: named(name) for name in names}, "n": exp.Count(this=exp.Star())}, pairs)
    counted.set("group", exp.Group(expressions=[named(name) for name in names]))
    return counted


def _mistimed(labels: LabelSource, now: datetime, timezone: str) -> exp.Expr:
    column = named(labels.timestamp)
    never = exp.Is(this=column, expression=exp.null())
    early = exp.LT(this=column.copy(), expression=_instant(labels, TIMES[0]))
    late = exp.GTE(this=column.copy(), expression=_instant(labels, now, timezone))
    return exp.Paren(this=exp.or_(never, early, late))


def _is_future(labels: LabelSource, now: datetime, timezone: str, dialect: str) -> exp.Expr:
    last = exp.LTE(this=_arrival(labels, dialect), expression=_instant(labels, TIMES[1]))
    return exp.and_(exp.GTE(this=named(labels.timestamp), expression=_instant(labels, now, timezone)), last)


def label_count(warehouse: Warehouse, labels: LabelSource) -> int:
    """Return how many labels there are."""
    rows = selected({"k": named(labels.key)}, warehouse.table(labels.table))
    return _count(warehouse, rows.where(_has_value(labels, warehouse.dialect), copy=False))


def count_between(warehouse: Warehouse, labels: LabelSource, low: int, high: int) -> int:
    """Return how many labels the keys from `low` to `high` have, with a value or without."""
    rows = selected({"k": named(labels.key)}, warehouse.table(labels.table))
    of_keys = exp.Between(this=named(labels.key), low=integer(low), high=integer(high))
    return _count(warehouse, rows.where(of_keys, copy=False))


def _count(warehouse: Warehouse, rows: exp.Select) -> int:
    answer = warehouse.query(selected({"n": exp.Count(this=exp.Star())}, subquery(rows, "counted")))
    return int(integers(answer["n"], 0)[0]) if len(answer) else 0


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
    latest: datetime | None = None
    """When the last of them did."""


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
        latest = answer["l"].to_pylist()
        for i in np.unique(numbers[numbers >= 0]):
            mine = numbers == i
            known = np.unique(minutes[mine & (minutes >= FIRST_MINUTE) & (minutes <= LAST_MINUTE)])
            found[part[i]] = Arrivals(
                minutes=tuple(
                    _begin(EPOCH + int(minute) * MINUTE, source.timestamp_type, source.timezone) for minute in known
                ),
                rows=int(labels_of_window[mine][0]),
                unknown=int(rows[mine & np.isnan(minutes)].sum()),
                latest=_moment(latest[int(np.flatnonzero(mine)[0])], labels.timestamp_type, source.timezone),
            )
    return found


def arrived(
    warehouse: Warehouse, source: Source, labels: LabelSource, windows: Sequence[Window]
) -> dict[Window, Arrivals]:
    """Return how many labels arrived in each of the windows, and when the last: as `arrivals`, without the log."""
    arriving = Source(labels.table, labels.timestamp, labels.timestamp_type, source.timezone)
    found: dict[Window, Arrivals] = {}
    for first in range(0, len(windows), WINDOWS):
        part = windows[first : first + WINDOWS]
        columns = {"w": exp.cast(window_number(arriving, part, warehouse.dialect), "int"), "t": named(labels.timestamp)}
        rows = rows_of(warehouse, arriving, part, columns).where(_has_value(labels, warehouse.dialect), copy=False)
        counts = {"n": exp.Count(this=exp.Star()), "t": exp.Max(this=named("t"))}
        counted = selected({"w": named("w"), **counts}, subquery(rows, "valued"))
        counted.set("group", exp.Group(expressions=[named("w")]))
        last = _seconds("t", labels.timestamp_type, warehouse.dialect)
        answer = warehouse.query(selected({"w": named("w"), "n": named("n"), "l": last}, subquery(counted, "arrived")))
        latest = answer["l"].to_pylist()
        for i, window in enumerate(integers(answer["w"], -1)):
            if window >= 0:
                at = _moment(latest[i], labels.timestamp_type, source.timezone)
                found[part[window]] = Arrivals(rows=int(integers(answer["n"], 0)[i]), latest=at)
    return found


def _arrivals(warehouse: Warehouse, source: Source, labels: LabelSource, windows: Sequence[Window]) -> exp.Select:
    """Return the statement: labels by the window in which they arrived and the minute of their inference."""
    dialect = warehouse.dialect
    arriving = Source(labels.table, labels.timestamp, labels.timestamp_type, source.timezone)
    assert source.timestamp is not None
    minute = exp.Floor(this=exp.Paren(this=_seconds(source.timestamp, source.timestamp_type, dialect)) / number(60.0))
    number_of = exp.cast(window_number(arriving, windows, dialect), "int")
    columns: dict[str, exp.Expr] = {"w": number_of, "t": named(labels.timestamp)}
    if labels.inline:
        rows = rows_of(warehouse, arriving, windows, {**columns, "m": minute})
        pairs = _counted(rows.where(_has_value(labels, dialect), copy=False), "m")
    else:
        rows = rows_of(warehouse, arriving, windows, {**columns, "k": _key_of_label(labels)})
        arrived = _counted(rows.where(_has_value(labels, dialect), copy=False), "k")
        log = selected({"k": _key_of_inference(labels), "m": minute}, warehouse.table(source.table))
        same = exp.EQ(this=named("k", "arrived"), expression=named("k", "inferences"))
        of_arrived = {name: named(name, "arrived") for name in "wal"}
        both = selected({**of_arrived, "m": named("m", "inferences")}, arrived)
        both.set("joins", [exp.Join(this=subquery(log, "inferences"), side="LEFT", on=same)])
        pairs = subquery(both, "arrived")
    counts = {"n": exp.Count(this=exp.Star()), **{name: exp.Max(this=named(name)) for name in "al"}}
    counted = selected({"w": named("w"), "m": named("m"), **counts}, pairs)
    counted.set("group", exp.Group(expressions=[named("w"), named("m")]))
    last = _seconds("l", labels.timestamp_type, dialect)
    return selected({**{name: named(name) for name in "wmna"}, "l": last}, subquery(counted, "arrived"))


def _counted(arrived: exp.Select, other: str) -> exp.Subquery:
    """Count the labels of each window before they are joined: several inferences may have one key."""
    all_of_window = {"a": exp.Count(this=exp.Star()), "l": exp.Max(this=named("t"))}
    of_window = {name: exp.Window(this=each, partition_by=[named("w")]) for name, each in all_of_window.items()}
    columns = {"w": named("w"), other: named(other), **of_window}
    return subquery(selected(columns, subquery(arrived, "valued")), "arrived")


def _key_of_label(labels: LabelSource) -> exp.Expr:
    return comparable_key(labels.key, labels.key_type, labels.log_key_type, as_text=labels.as_text)


def _key_of_inference(labels: LabelSource) -> exp.Expr:
    return comparable_key(labels.log_key, labels.log_key_type, labels.key_type, as_text=labels.as_text)


def _has_value(labels: LabelSource, dialect: str) -> exp.Expr:
    return _present(_number_or_null(labels.value, labels.value_type, dialect))


def _label_that_arrived(labels: LabelSource, bins: OutcomeBins, dialect: str) -> exp.Expr:
    """Return the label's value, NULL without a time.

    As a condition of the rows the test would cost PostgreSQL minutes: of a table without statistics it expects that one
    row in two hundred lies between two bounds, and joins accordingly.
    """
    y = label_value(labels, bins, dialect)
    return exp.Case(ifs=[exp.If(this=_has_time(labels, dialect), true=y)]) if labels.timestamp else y


def _arrival(labels: LabelSource, dialect: str) -> exp.Expr:
    """Return when a label arrived; to the microsecond, for DuckDB's nanoseconds cannot be compared with all `TIMES`."""
    moment = named(labels.timestamp)
    return exp.cast(moment, "timestamp") if dialect == "duckdb" and labels.timestamp_type == "timestamp" else moment


def _has_time(labels: LabelSource, dialect: str) -> exp.Expr:
    first, last = (_instant(labels, moment) for moment in TIMES)
    return exp.Between(this=_arrival(labels, dialect), low=first, high=last)


def _instant(labels: LabelSource, moment: datetime, timezone: str = "UTC") -> exp.Expr:
    return instant(Source(labels.table, None, labels.timestamp_type, timezone).place(moment), labels.timestamp_type)


def _present(expression: exp.Expr) -> exp.Expr:
    return exp.not_(exp.Is(this=expression, expression=exp.null()))


def _seconds(name: str, type_: ColumnType, dialect: str) -> exp.Expr:
    return value(Column(name, "timestamp", type_, ()), dialect)
