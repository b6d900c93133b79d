"""The kinds of values that monitor files hold, each read from what people write, each refusing in their words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from monitoring_tasks.config.problem import suggestion
from monitoring_tasks.errors import ConfigError
from monitoring_tasks.window import Schedule, parse_duration, parse_instant, parse_schedule

Item = TypeVar("Item")


class Section(BaseModel):
    """One mapping of a monitor file. A field's docstring is also the remedy that errors give for its key."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def _without_empty_keys(cls, values: object) -> object:
        """Read an optional key without a value as if it were left out."""
        if not isinstance(values, dict) or None not in values.values():
            return values
        optional = {info.alias or name for name, info in cls.model_fields.items() if not info.is_required()}
        return {key: value for key, value in values.items() if value is not None or key not in optional}


def refused(message: str, remedy: str = "") -> PydanticCustomError:
    """Return the error for a value that is wrong; ``{value}`` in the message becomes the value as written in the file.

    The message must not hold the value itself: it may come from the environment.
    """
    return PydanticCustomError("refused", "{message}: {remedy}", {"message": message, "remedy": remedy})


@contextmanager
def reading() -> Iterator[None]:
    """Turn the errors of `monitoring_tasks.window`, which quote what they read, into refusals of a field."""
    try:
        yield
    except ConfigError as error:
        raise PydanticCustomError("quotes_value", "{message}", {"message": str(error)}) from None
    except OverflowError:
        raise refused("{value} is out of range", "write a time between the years 1 and 9999") from None


def one_of(what: str, literal: Any, aliases: Mapping[str, str] = {}) -> BeforeValidator:
    """Return a validator that names the choices of a Literal type; `aliases` are what people also call them."""
    choices = get_args(literal)

    def check(value: object) -> object:
        if isinstance(value, str) and value in choices:
            return value
        meant = aliases.get(str(value).casefold())
        remedy = f"did you mean '{meant}'?" if meant else suggestion(str(value), choices)
        raise refused(f"{{value}} is not {what}", remedy)

    return BeforeValidator(check)


def reference(purpose: str, variable: str | None = None) -> AfterValidator:
    """Return a validator for names of connections. A URL has no place in a file: it may hold a password."""

    def check(value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9_.-]+", value):
            otherwise = f", or a name and set {variable}_<NAME> to its URL" if variable else ""
            raise refused(f"{{value}} is not the name of {purpose}", f"write an Airflow connection id{otherwise}")
        return value

    return AfterValidator(check)


def pattern(regex: str, what: str, remedy: str) -> AfterValidator:
    """Return a validator for texts of a form."""

    def check(value: str) -> str:
        if not re.fullmatch(regex, value):
            raise refused(f"{{value}} is not {what}", remedy)
        return value

    return AfterValidator(check)


def distinct(what: str, empty: bool = False) -> AfterValidator:
    """Return a validator that refuses a list that names something twice, or nothing unless it may be empty."""

    def check(values: tuple[Item, ...]) -> tuple[Item, ...]:
        if not values and not empty:
            raise refused(f"names no {what}", f"name at least one {what}")
        twice = [i for i, value in enumerate(values) if value in values[:i]]
        if twice:
            raise refused(f"names a {what} twice (item {twice[0] + 1})", "remove one of them")
        return values

    return AfterValidator(check)


def one_or_more(value: object) -> object:
    """Read a single text as a list of one."""
    return (value,) if isinstance(value, str) else value


def within(fits: Callable[[float], bool], words: str) -> AfterValidator:
    """Return a validator for a range of numbers, `words` such as "above 0 and below 1"."""

    def check(value: float) -> float:
        if not fits(value):
            raise refused("{value} is out of range", f"write a number {words}")
        return value

    return AfterValidator(check)


def _number(value: object) -> object:
    if isinstance(value, bool):  # pydantic would read it as 0 or 1
        raise refused("{value} is not a number", "write digits")
    return value


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if value == 0 and not isinstance(value, bool):
        return timedelta()
    if not isinstance(value, str):
        raise refused("{value} is not a duration", "write a number and a unit, such as 30m, 12h, 7d or 8w")
    with reading():
        return parse_duration(value)


def _positive(value: timedelta) -> timedelta:
    if not value:
        raise refused("{value} is no time at all", "write a duration such as 7d")
    return value


def _time(value: object) -> datetime:
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value.strip())
        except ValueError:
            pass  # refused below, like everything else that is no time
    elif isinstance(value, datetime):
        return value
    elif isinstance(value, date):
        return datetime.combine(value, time())
    raise refused("{value} is not a date or time", "write 2013-04-01, 2013-04-01T06:00 or 2013-04-01T06:00Z")


def in_utc(value: datetime, timezone: str) -> datetime:
    """Return an instant in UTC, or refuse; without a zone of its own it is read in `timezone`."""
    with reading():
        return parse_instant(value, timezone)


def read_schedule(value: object, timezone: str) -> Schedule:
    """Return the schedule, or refuse."""
    if isinstance(value, Schedule):
        return value
    if not isinstance(value, str):
        raise refused("{value} is not a schedule", 'write a cron expression, "@daily", or 10m')
    with reading():
        return parse_schedule(value, timezone)


def _class(value: object) -> int | str | bool:
    if isinstance(value, (bool, int, str)) and value != "":
        return value
    raise refused("{value} is not a class", "write a whole number, a text, true or false, as the labels hold it")


Text = Annotated[str, StringConstraints(min_length=1)]
Column = Text
Duration = Annotated[timedelta, BeforeValidator(_duration)]
PositiveDuration = Annotated[Duration, AfterValidator(_positive)]
Number = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
Positive = Annotated[Number, within(lambda value: value > 0, "above 0")]
NotNegative = Annotated[Number, within(lambda value: value >= 0, "of 0 or above")]
Rate = Annotated[Number, within(lambda value: 0 < value < 1, "above 0 and below 1")]
Share = Annotated[Number, within(lambda value: 0 <= value <= 1, "from 0 to 1")]
Count = Annotated[int, BeforeValidator(_number), within(lambda value: value >= 1, "of 1 or above")]
Class = Annotated[int | str | bool, BeforeValidator(_class)]
Time = Annotated[datetime, BeforeValidator(_time)]
