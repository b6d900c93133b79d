"""The pieces of SQL that several statements share, as sqlglot trees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlglot import exp
from sqlglot.errors import SqlglotError

from monitoring_tasks.columns import NUMBERS, Column
from monitoring_tasks.config import ColumnType
from monitoring_tasks.errors import ConfigError
from monitoring_tasks.profile import LARGEST


def number(value: float) -> exp.Expr:
    """Return a literal that every engine reads as exactly this double.

    The exponent matters: without it DuckDB reads a decimal, whose conversion is not correctly rounded.

    Examples
    --------
    >>> number(-0.1).sql("duckdb")
    '-0.1e0'
    """
    text = repr(abs(value))
    literal = exp.Literal.number(text if "e" in text else f"{text}e0")
    return exp.Neg(this=literal) if value < 0 else literal


def named(name: str, table: str | None = None) -> exp.Column:
    """Return a quoted column."""
    return exp.column(name, table=table, quoted=True)


def double(expression: exp.Expr) -> exp.Cast:
    """Return the expression as a double."""
    return exp.cast(expression, "double")


def value(column: Column, dialect: str) -> exp.Expr:
    """Return what is counted of a column: a double, or text; for an error column text only where there is an error."""
    raw = named(column.name)
    if column.kind == "categorical":
        text = exp.cast(raw, "text")  # of text too: it may be an enum, a UUID, or padded with blanks
        if "error" not in column.roles:
            return text
        if column.type == "boolean":
            return exp.Case(ifs=[exp.If(this=raw.copy(), true=text)])
        if column.type in NUMBERS:
            return exp.Case(ifs=[exp.If(this=exp.NEQ(this=raw.copy(), expression=integer(0)), true=text)])
        return exp.Nullif(this=text, expression=exp.Literal.string(""))
    if column.kind == "timestamp":
        return _epoch(raw, column.type, dialect)
    if column.type == "boolean":
        return double(exp.cast(raw, "int"))
    return double(raw)


MICROSECONDS = {
    "bigquery": "UNIX_MICROS",
    "clickhouse": "toUnixTimestamp64Micro",
    "databricks": "UNIX_MICROS",
    "spark": "UNIX_MICROS",
}
"""Functions that return the whole microseconds since 1970 of a time with a zone."""


def _epoch(raw: exp.Expr, type_: ColumnType, dialect: str) -> exp.Expr:
    """Return the seconds since 1970, as a double."""
    if dialect in MICROSECONDS:
        whole = exp.Anonymous(this=MICROSECONDS[dialect], expressions=[exp.cast(raw, "timestamptz")])
        return double(whole) / number(1e6)
    if dialect == "snowflake":
        part = exp.Anonymous(
            this="DATE_PART", expressions=[exp.Var(this="EPOCH_MICROSECOND"), exp.cast(raw, "timestamp")]
        )
        return double(part) / number(1e6)
    if dialect == "trino":
        return exp.Anonymous(this="TO_UNIXTIME", expressions=[exp.cast(raw, "timestamptz")])
    # DuckDB's seconds of a time with a zone are off by a rounding; in its sessions, as in PostgreSQL's, we set UTC.
    in_utc = type_ == "timestamptz" and dialect not in ("duckdb", "postgres")
    return double(exp.Extract(this=exp.Var(this="EPOCH"), expression=raw if in_utc else exp.cast(raw, "timestamp")))


NAN_IS_LARGEST = ("postgres", "redshift", "snowflake", "spark", "databricks")
"""Engines that hold NaN equal to itself and greater than every number, as indexes need it."""


def is_nan(expression: exp.Expr, dialect: str) -> exp.Expr:
    """Return the test for NaN."""
    if dialect in NAN_IS_LARGEST:
        return exp.EQ(this=expression, expression=double(exp.Literal.string("NaN")))
    return exp.IsNan(this=expression)


def finite(expression: exp.Expr, dialect: str) -> exp.Expr:
    """Return the value, or NULL where it is NaN or infinite."""
    test: exp.Expr = exp.Between(this=expression, low=number(-LARGEST), high=number(LARGEST))
    if dialect == "duckdb":
        # There too NaN is the largest, but a Parquet file's own extremes, which leave NaN out, make it take this
        # comparison for always true, and NOT ISNAN beside it as well.
        test = exp.and_(exp.Anonymous(this="ISFINITE", expressions=[expression.copy()]), test)
    elif dialect not in NAN_IS_LARGEST:
        test = exp.and_(test, exp.not_(exp.IsNan(this=expression)))
    return exp.Case(ifs=[exp.If(this=test, true=expression)])


def instant(moment: datetime | date, type_: ColumnType) -> exp.Expr:
    """Return a literal of the column's own type, so that the engine can use an index, a partition or a zone map."""
    if type_ == "date":
        return exp.cast(exp.Literal.string(moment.isoformat()), "date")
    assert isinstance(moment, datetime)
    if type_ == "timestamptz":
        return exp.cast(exp.Literal.string(moment.isoformat(sep=" ")), "timestamptz")
    return exp.cast(exp.Literal.string(moment.replace(tzinfo=None).isoformat(sep=" ")), "timestamp")


def search(expression: exp.Expr, bounds: Sequence[exp.Expr], results: Sequence[exp.Expr]) -> exp.Expr:
    """Return a binary search as nested CASEs: ``results[i]`` where i of the ascending `bounds` are not above the value.

    A NULL value takes the ELSE branches and ends at the last result: test for NULL before.

    Parameters
    ----------
    expression
        The value.
    bounds
        k ascending literals.
    results
        k + 1 results.
    """
    if not bounds:
        return results[0]
    middle = len(bounds) // 2
    return exp.Case(
        ifs=[
            exp.If(
                this=exp.LT(this=expression.copy(), expression=bounds[middle].copy()),
                true=search(expression, bounds[:middle], results[: middle + 1]),
            )
        ],
        default=search(expression, bounds[middle + 1 :], results[middle + 1 :]),
    )


def integer(value: int) -> exp.Expr:
    """Return a whole number."""
    return exp.Neg(this=exp.Literal.number(str(-value))) if value < 0 else exp.Literal.number(str(value))


def selected(columns: Mapping[str, exp.Expr], source: exp.Expr) -> exp.Select:
    """Return ``SELECT ... AS name, ... FROM source``, built in place: sqlglot's builders copy what they are given."""
    aliased = [exp.Alias(this=e, alias=exp.to_identifier(name, quoted=True)) for name, e in columns.items()]
    return exp.Select(expressions=aliased, from_=exp.From(this=source))


def subquery(select: exp.Query, name: str) -> exp.Subquery:
    """Return a SELECT as a source of another."""
    return exp.Subquery(this=select, alias=exp.TableAlias(this=exp.to_identifier(name, quoted=True)))


def quoted_table(name: str, dialect: str) -> exp.Table:
    """Return a table of the monitor file, each part of its name quoted.

    Raises
    ------
    ConfigError
        If the text is not one to three names with dots between.
    """
    try:
        parts = exp.to_table(name, dialect=dialect).parts
    except SqlglotError:
        parts = []
    if not 1 <= len(parts) <= 3 or not all(isinstance(part, exp.Identifier) for part in parts):
        raise ConfigError(f"{name!r} is not a table: write table or schema.table, with quotes round odd names")
    names = [exp.to_identifier(part.name, quoted=True) for part in reversed(parts)]
    return exp.Table(**dict(zip(("this", "db", "catalog"), names, strict=False)))


def rendered(select: exp.Query, dialect: str) -> str:
    """Return the statement as text of the engine's dialect, every identifier quoted."""
    return select.sql(dialect=dialect, identify=True, comments=False)
