"""A suite file, read without Great Expectations: its own JSON of either generation, or SageMaker's constraints."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast, get_args

from monitoring_tasks.config.problem import show
from monitoring_tasks.errors import ConfigError
from monitoring_tasks.expectations.outcome import Severity

REPORTING = frozenset({"result_format", "catch_exceptions", "include_config", "batch_id"})
"""Arguments that say how to report, which is not theirs to say here."""

BEFORE_1_0 = frozenset(
    {"parse_strings_as_datetimes", "auto", "profiler_config", "allow_cross_type_comparisons", "output_strftime_format"}
)
"""Arguments that Great Expectations knew before 1.0 and does not know any more."""

COLUMN_ARGUMENTS = ("column", "column_A", "column_B")

UNEXPECTED_ROWS = "unexpected_rows_expectation"
"""The type of a query for the rows that should not be there."""

QUERY = "unexpected_rows_query"
"""The argument that is SQL of the author's own."""

Form = Literal["great_expectations", "sagemaker"]


@dataclass(frozen=True)
class Expectation:
    """One expectation of a suite, not yet known to Great Expectations."""

    type: str
    """Such as ``expect_column_values_to_not_be_null``."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """JSON values, the column among them."""
    severity: Severity = "critical"
    notes: str = ""
    """Why it is expected."""
    place: str = ""
    """Where it stands in the file, such as ``expectations[3]``."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it is about."""
        named = [self.arguments[name] for name in COLUMN_ARGUMENTS if isinstance(self.arguments.get(name), str)]
        listed = self.arguments.get("column_list") if self.type not in _STRUCTURE else None
        return (*named, *(name for name in listed or () if isinstance(name, str)))

    @property
    def is_structure(self) -> bool:
        """Whether it is about the table's columns and not about its rows."""
        return self.type in _STRUCTURE

    @property
    def is_query(self) -> bool:
        """Whether it is a query for the rows that should not be there."""
        return self.type == UNEXPECTED_ROWS

    @property
    def is_row_count(self) -> bool:
        """Whether it is about how many rows there are, of all."""
        return self.type in _ROW_COUNT and not self.arguments.get("row_condition")


_STRUCTURE = frozenset(
    {
        "expect_column_to_exist",
        "expect_table_column_count_to_be_between",
        "expect_table_column_count_to_equal",
        "expect_table_columns_to_match_ordered_list",
        "expect_table_columns_to_match_set",
    }
)
_ROW_COUNT = frozenset({"expect_table_row_count_to_be_between", "expect_table_row_count_to_equal"})


@dataclass(frozen=True)
class Suite:
    """What a file expects."""

    name: str
    expectations: tuple[Expectation, ...]
    notes: tuple[str, ...] = ()
    """What of the file has no effect, one sentence each."""


def read_suite(path: Path) -> Suite:
    """Return the suite of a file.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    ConfigError
        With everything that is wrong in the file, one line each. Types and arguments of expectations are Great
        Expectations' to judge, see `monitoring_tasks.expectations.validation.require_valid`.
    """
    content = _content(path)
    if _is_sagemaker(content):
        from monitoring_tasks.expectations.sagemaker_constraints import constraints_suite

        return constraints_suite(content, path)
    problems: list[str] = []
    notes: list[str] = []
    expectations = tuple(_expectations(content, problems, notes))
    if problems:
        raise ConfigError("\n".join(f"{path}: {problem}" for problem in problems))
    name = content.get("name") or content.get("expectation_suite_name") or path.stem
    return Suite(str(name), expectations, tuple(dict.fromkeys(notes)))


class _NoNumberError(Exception):
    """NaN or an infinity, which Python's writer of JSON writes and no database reads."""


def _no_number(text: str) -> float:
    raise _NoNumberError(text)


def _content(path: Path) -> Mapping[str, Any]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        remedy = "write its path from the monitor file, or make it by `monitoring-tasks suggest-suite`"
        raise ConfigError(f"{path}: there is no such suite: {remedy}") from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(f"{path}: the suite cannot be read: {reason}: write its path from the monitor file") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: the suite is not UTF-8 text: write it as JSON in UTF-8") from None
    try:
        content = json.loads(text, parse_constant=_no_number)
    except _NoNumberError as error:
        raise ConfigError(f"{path}: {error} is no number of JSON: leave that argument out") from None
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"{path}:{error.lineno}: column {error.colno}: the suite is not JSON: {error.msg}: correct it there"
        ) from None
    except RecursionError:
        raise ConfigError(f"{path}: the suite is nested too deeply to be read: flatten it") from None
    if not isinstance(content, dict):
        raise ConfigError(f'{path}: the suite is {_shown(content)}, no object: write {{"expectations": [...]}}')
    if _is_sagemaker(content) or "expectations" in content:
        return content
    remedy = 'write {"name": ..., "expectations": [...]}, or SageMaker\'s constraints with "features"'
    raise ConfigError(f'{path}: the suite has no "expectations", it has {", ".join(content) or "nothing"}: {remedy}')


def _is_sagemaker(content: Mapping[str, Any]) -> bool:
    return "expectations" not in content and isinstance(content.get("features"), list)


def _expectations(content: Mapping[str, Any], problems: list[str], notes: list[str]) -> Iterator[Expectation]:
    written = content["expectations"]
    if not isinstance(written, list):
        problems.append(f'expectations: {_shown(written)} is no list: write [{{"type": ..., "kwargs": ...}}]')
        return
    if not written:
        problems.append("expectations: the list is empty: write an expectation, or remove `suite` from the monitor")
    parameters = content.get("suite_parameters") or content.get("evaluation_parameters") or {}
    if not isinstance(parameters, dict):
        problems.append(f"suite_parameters: {_shown(parameters)} is no object: write {{name: value}}")
        parameters = {}
    for number, each in enumerate(written):
        place = f"expectations[{number}]"
        if not isinstance(each, dict):
            problems.append(f'{place}: {_shown(each)} is no object: write {{"type": ..., "kwargs": ...}}')
            continue
        type_ = each.get("type", each.get("expectation_type"))
        kwargs = each.get("kwargs", {})
        if not isinstance(type_, str) or not type_:
            problems.append(f'{place}: the type is missing: write "type": "expect_..."')
            continue
        if not isinstance(kwargs, dict):
            problems.append(f"{place}.kwargs: {_shown(kwargs)} is no object: write {{name: value}}")
            continue
        severity = each.get("severity", "critical")
        if severity not in get_args(Severity):
            problems.append(f"{place}.severity: {_shown(severity)}: write {' or '.join(get_args(Severity))}")
            continue
        arguments = _arguments(kwargs, parameters, place, problems, notes)
        yield Expectation(type_, arguments, cast(Severity, severity), _notes(each), place)


def _arguments(
    kwargs: Mapping[str, Any], parameters: Mapping[str, Any], place: str, problems: list[str], notes: list[str]
) -> dict[str, Any]:
    """Return the arguments with the suite's parameters put in, without what has no effect."""
    found: dict[str, Any] = {}
    for name, value in kwargs.items():
        if name in REPORTING or (name == "mostly" and value is None):
            continue
        if name in BEFORE_1_0:
            if value:  # before 1.0 those that were not set were written too
                notes.append(f"{place}.kwargs.{name} has no effect: Great Expectations knows it no more since 1.0")
            continue
        value = _filled(value, parameters, f"{place}.kwargs.{name}", problems)
        if name == "condition_parser" and value == "great_expectations__experimental__":
            value = "great_expectations"
        found[name] = value
    condition = found.get("row_condition")
    if isinstance(condition, str) and "col(" in condition:
        found.setdefault("condition_parser", "great_expectations")
    return found


def _filled(value: Any, parameters: Mapping[str, Any], place: str, problems: list[str]) -> Any:
    """Return a value with the suite's parameters put in, wherever they stand in it."""
    if isinstance(value, list):
        return [_filled(each, parameters, place, problems) for each in value]
    if not isinstance(value, dict):
        return value
    if "$PARAMETER" not in value:
        return {name: _filled(each, parameters, place, problems) for name, each in value.items()}
    parameter = str(value["$PARAMETER"])
    if parameter in parameters:
        return parameters[parameter]
    # Before 1.0 a value for the author's own trials stood beside it.
    if f"$PARAMETER.{parameter}" in value:
        return value[f"$PARAMETER.{parameter}"]
    problems.append(
        f"{place}: parameter {_shown(parameter)} has no value in the suite: write it under "
        '"suite_parameters", a clock or another run may not change a result'
    )
    return None


def _notes(expectation: Mapping[str, Any]) -> str:
    meta, context = (expectation.get(name) for name in ("meta", "expectation_context"))
    said = [
        expectation.get("notes"),
        meta.get("notes") if isinstance(meta, dict) else None,
        expectation.get("description"),
        context.get("description") if isinstance(context, dict) else None,
    ]
    notes = next(filter(None, said), "")
    if isinstance(notes, dict):
        notes = notes.get("content", "")
    return " ".join(map(str, notes)) if isinstance(notes, list) else str(notes)


def _shown(value: Any) -> str:
    return show(json.dumps(value) if not isinstance(value, str) else value, quoted=isinstance(value, str))
