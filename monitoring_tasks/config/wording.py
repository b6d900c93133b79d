"""Pydantic's errors in our words: the key, the value as written, the remedy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from monitoring_tasks.config.checks import Band, Checks, CustomCheck
from monitoring_tasks.config.document import Document, KeyPath, Place
from monitoring_tasks.config.models import Monitor
from monitoring_tasks.config.problem import Problem, alternatives, show, suggestion

_WRONG_TYPE = {
    "string": ("{value} is not text", "put it in quotes"),
    "int": ("{value} is not a whole number", "write digits"),
    "float": ("{value} is not a number", "write digits"),
    "finite": ("{value} is not a finite number", "write digits"),
    "model": ("{value} is not a mapping", "write `key: value` lines beneath the key"),
    "dict": ("{value} is not a mapping", "write `key: value` lines beneath the key"),
    "mapping": ("{value} is not a mapping", "write `key: value` lines beneath the key"),
    "tuple": ("{value} is not a list", "write [one, two], or one `- item` on each line"),
    "greater": ("{value} is out of range", "write a larger number"),
}
"""Message and remedy by the first word of pydantic's error type."""

_PERCENTAGE = re.compile(r"'\s*(\d{1,2}(?:\.\d*)?|\.\d+)\s*%\s*'")
"""As `show` shows it: what comes from the environment, as its ``${NAME}``. Above 100 % another number may be meant."""


def problem(document: Document, detail: ErrorDetails) -> Problem:
    """Return one of pydantic's errors as a problem of the file."""
    kind, path = detail["type"], tuple(detail["loc"])
    context = detail.get("ctx", {})
    if path[-1:] == ("[key]",):  # keys are never taken from the environment
        message = context.get("message", "a key cannot be empty").replace("{value}", show(str(path[-2]), quoted=True))
        return document.problem(path[:-1], message, context.get("remedy", "write a name before the colon"))
    if kind == "missing":
        return _missing(document, path)
    if kind == "extra_forbidden":
        return _unknown_key(document, path)
    place = document.places.get(path)
    if place is not None and place.shown in ("nothing", "null", "Null", "NULL", "~"):
        return _empty(document, path)
    if kind == "refused":
        return document.problem(path, context["message"], context["remedy"])
    if kind == "quotes_value":
        if place is None or place.substituted or place.shown == "***":
            return document.problem(path, "{value} stands for a value that does not fit", f"write {_expected(path)}")
        return document.problem(path, context["message"].removeprefix(f"{path[-1]} "))
    if path[:1] == ("checks",) and len(path) == 2 and kind == "model_type" and path[1] not in Checks.model_fields:
        return _no_check(document, path)
    if special := _no_threshold(kind, path, place):
        return document.problem(path, *special)
    message, remedy = _WRONG_TYPE.get(kind.split("_")[0], ("{value} does not fit", f"write {_expected(path)}"))
    if kind == "string_type" and place is not None and place.shown in ("a list", "a mapping"):
        remedy = f"write {_expected(path)}"
    return document.problem(path, message, remedy)


def _no_threshold(kind: str, path: KeyPath, place: Place | None) -> tuple[str, str] | None:
    """Return message and remedy for numbers that people write in another way, None for other values."""
    if place is None:
        return None
    if kind.startswith("float") and (percentage := _PERCENTAGE.fullmatch(place.shown)):
        return "{value} is not a number", f"write {float(percentage[1]) / 100:.12g}"
    if place.shown == "a mapping" and path[-2:-1] in (("fixed",), ("minimum_effect",)):
        return "{value} is not a number: a metric has one threshold for all columns", "write one number"
    if kind.startswith(("mapping", "dict")) and path[-1] in ("fixed", "minimum_effect"):
        example = re.search(r"\{.*?\}", _expected(path))
        return "{value} names no metric", f"write one for each metric, such as {example[0] if example else '...'}"
    return None


def _missing(document: Document, path: KeyPath) -> Problem:
    if path[:1] == ("checks",) and path[2:] == ("use",):
        return _no_check(document, path[:2])
    return document.problem(path, "is missing", f"add `{path[-1]}:`, {_expected(path)}")


def _empty(document: Document, path: KeyPath) -> Problem:
    field = _field(path)
    optional = field is not None and not field.is_required()
    return document.problem(path, "is empty", f"write {_expected(path)}" + (", or remove the key" if optional else ""))


def _no_check(document: Document, path: KeyPath) -> Problem:
    near = suggestion(str(path[1]), [*Checks.model_fields])
    remedy = f'{near if near.startswith("did") else ""} A check of your own needs `use: "module:function"`'.strip()
    return document.problem(path, "is no built-in check", remedy)


def _unknown_key(document: Document, path: KeyPath) -> Problem:
    section = _section(path[:-1])
    if section is CustomCheck and (*path[:-1], "use") not in document.places:
        return _no_check(document, path[:-1])
    known = [info.alias or name for name, info in section.model_fields.items()] if section else []
    remedy = suggestion(str(path[-1]), known)
    homes = list(dict.fromkeys(_homes(str(path[-1]), Monitor)))
    if homes and not remedy.startswith("did you mean"):
        remedy = f"it belongs {alternatives(homes)}"
    return document.problem(path, "unknown key", remedy)


def _homes(key: str, section: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield where in a file a key may stand; an item of a list or mapping is not told from another."""
    for name, info in section.model_fields.items():
        here = info.alias or name
        if here == key:
            yield f"under {'.'.join(path)}" if path else "at the top of the file"
        for model in _models(info.annotation):
            yield from _homes(key, model, (*path, here))


def _expected(path: KeyPath) -> str:
    """Return what a key's docstring says should be written there."""
    field = _field(path)
    return (field.description if field else None) or "a value that fits"


def _field(path: KeyPath) -> FieldInfo | None:
    """Return the field that a path leads to, or leads into."""
    section = _section(path[:-1])
    for name, info in section.model_fields.items() if section else ():
        if path[-1] in (name, info.alias):
            return info
    return _field(path[:-1]) if len(path) > 1 else None


def _section(path: KeyPath) -> type[BaseModel] | None:
    """Return the model of the mapping at a path."""
    model: type[BaseModel] | None = Monitor
    for part in path:
        if isinstance(part, int) or model is None:
            continue  # an item of a list is described by the list's type
        fields = {info.alias or name: info for name, info in model.model_fields.items()}
        if part in fields:
            model = next(_models(fields[part].annotation), None)
        elif model is not Band:  # of bands there is one for each metric: the name leads to itself
            model = CustomCheck if model is Checks else None
    return model


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)
