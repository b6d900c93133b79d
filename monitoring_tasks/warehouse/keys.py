"""The keys of two tables as they are held against each other."""

from __future__ import annotations

from sqlglot import exp

from monitoring_tasks.config import ColumnType
from monitoring_tasks.config.roles import NUMBERS
from monitoring_tasks.warehouse.expressions import named, number

EXACT = 2.0**53
"""Doubles below it are whole numbers one by one."""

DIGITS = 1e37
"""Decimals below it have a place in 38 digits."""


def compared_as_text(one: ColumnType, other: ColumnType) -> bool:
    """Tell whether keys of these types are compared by their texts: numbers are not, nor are two of one type."""
    return one != other and not {one, other} <= {*NUMBERS}


def comparable_key(name: str, type_: ColumnType, other: ColumnType, *, as_text: bool) -> exp.Expr:
    """Return a key as it is compared with one of the `other` type.

    Of a number beside a text or a number of another type it is the whole number, and none where it is not whole, or is
    a double so large that two keys are one: texts of doubles and decimals differ from engine to engine, and a double
    equals whole numbers that it was not made from.
    """
    if as_text:
        return exp.cast(_whole(name, type_) if type_ in ("number", "decimal") else named(name), "text")
    return _whole(name, type_) if type_ == "number" and other in ("integer", "decimal") else named(name)


def _whole(name: str, type_: ColumnType) -> exp.Expr:
    """Return a number that is whole, NULL of one that is not."""
    size, exact = (number(EXACT), "bigint") if type_ == "number" else (number(DIGITS), "decimal(38, 0)")
    is_whole = exp.EQ(this=named(name), expression=exp.Floor(this=named(name)))
    small = exp.LT(this=exp.Abs(this=named(name)), expression=size)
    return exp.Case(ifs=[exp.If(this=exp.and_(is_whole, small), true=exp.cast(named(name), exact))])
