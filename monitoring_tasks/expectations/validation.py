"""A window's rows, held against a suite: inside the warehouse where Great Expectations can, else on a bounded frame."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from monitoring_tasks.config import ColumnType, DataQuality, Monitor
from monitoring_tasks.config.problem import suggestion
from monitoring_tasks.config.roles import NUMBERS
from monitoring_tasks.errors import ConfigError, DataError, about, first_line
from monitoring_tasks.expectations.frame import window_frame
from monitoring_tasks.expectations.library import (
    condition_of,
    configuration,
    ephemeral_context,
    quiet_library,
    refused,
    require_known,
)
from monitoring_tasks.expectations.outcome import Outcome, SuiteRun
from monitoring_tasks.expectations.pushed_down import PUSHED_DOWN, query_batch
from monitoring_tasks.expectations.sample_limits import unjudged
from monitoring_tasks.expectations.suite_file import QUERY, Expectation, Suite, read_suite
from monitoring_tasks.expectations.type_names import kind_of
from monitoring_tasks.expectations.unexpected_rows import unexpected_rows
from monitoring_tasks.inference_log import log_source
from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.window import Window

EXAMPLES = 5
"""Unexpected values that a result keeps."""

READ_EXAMPLES = 100
"""Unexpected values that are looked at for them: the same one may come again and again."""

LONGEST_TEXT = 200
"""Characters of a text that a result keeps."""

LONGEST_LIST = 50
"""Values of a list that a result keeps of what was observed: a column may have a million."""

DIGITS = 12
"""Digits of a number that a result keeps: the last ones depend on the order in which an engine adds."""

_TYPES = {"expect_column_values_to_be_in_type_list": "type_list", "expect_column_values_to_be_of_type": "type_"}

_PAIRS = {
    "expect_column_pair_values_a_to_be_greater_than_b",
    "expect_column_pair_values_to_be_equal",
    "expect_column_pair_values_to_be_in_set",
}
_SEVERAL = {
    "expect_compound_columns_to_be_unique",
    "expect_multicolumn_sum_to_equal",
    "expect_multicolumn_values_to_be_equal",
    "expect_select_column_values_to_be_unique_within_record",
}
_EQUAL_SET = "expect_column_distinct_values_to_equal_set"
_PATTERNS = ("regex", "regex_list", "like_pattern", "like_pattern_list")
_LIKE = {
    "expect_column_values_to_match_like_pattern": "expect_column_values_to_match_regex",
    "expect_column_values_to_not_match_like_pattern": "expect_column_values_to_not_match_regex",
    "expect_column_values_to_match_like_pattern_list": "expect_column_values_to_match_regex_list",
    "expect_column_values_to_not_match_like_pattern_list": "expect_column_values_to_not_match_regex_list",
}


@dataclass(frozen=True)
class _Asked:
    """One expectation, for the batch that answers it."""

    number: int
    expectation: Expectation
    arguments: Mapping[str, Any]
    type: str


def suite_path(monitor: Monitor) -> Path | None:
    """Return where the monitor's suite is; None of a monitor without one."""
    settings = monitor.checks.data_quality
    return None if settings is None or settings.suite is None else monitor.path.parent / settings.suite


def require_valid(monitor: Monitor) -> None:
    """Read the monitor's suite, if it names one, and hold it against what Great Expectations knows.

    Raises
    ------
    ConfigError
        With everything that is wrong in it, one line each.
    """
    path = suite_path(monitor)
    if path is not None:
        require_known(read_suite(path), path)


def missing_columns(monitor: Monitor, columns: Mapping[str, ColumnType]) -> list[str]:
    """Return what the monitor's suite expects of columns that the inference log does not have, one line each.

    Raises
    ------
    ConfigError
        If the suite cannot be read.
    """
    path = suite_path(monitor)
    if path is None:
        return []
    found = [(each, _missing(each, columns)) for each in read_suite(path).expectations]
    return [f"{path}: {each.place}: {missing}" for each, missing in found if missing is not None]


def _missing(expectation: Expectation, columns: Mapping[str, ColumnType]) -> str | None:
    missing = [name for name in expectation.columns if name not in columns]
    if not missing or expectation.is_structure:
        return None
    hint = suggestion(missing[0], list(columns))
    return f"there is no column {missing[0]!r}" + (f": {hint}" if len(hint) < LONGEST_TEXT else "")


def validate_window(monitor: Monitor, warehouse: Warehouse, window: Window, window_rows: int) -> SuiteRun:
    """Hold the rows of a window against the monitor's suite.

    Parameters
    ----------
    monitor
        One whose `data_quality` names a suite.
    warehouse
        An open warehouse.
    window
        Whose rows, no others.
    window_rows
        How many it has, by its profile.

    Raises
    ------
    DataError
        If the suite cannot be read or understood, Great Expectations is not installed, or the rows cannot be read.
    TransientError
        If the warehouse does not answer.
    """
    settings, path = monitor.checks.data_quality, suite_path(monitor)
    if settings is None or path is None:
        raise ValueError(f"monitor {monitor.name!r} has no suite")
    try:
        suite = read_suite(path)
        unknown = refused(suite)
    except ConfigError as error:
        raise DataError(str(error)) from error
    table = monitor.inference_log.table
    with about(f"table {table!r}"):
        types = warehouse.columns(table)
        return _Validation(monitor, settings, warehouse, suite, unknown, types).of(window, window_rows)


class _Validation:
    """A suite against one table."""

    def __init__(
        self,
        monitor: Monitor,
        settings: DataQuality,
        warehouse: Warehouse,
        suite: Suite,
        unknown: Mapping[int, Sequence[str]],
        types: dict[str, ColumnType],
    ) -> None:
        self._monitor, self._settings, self._warehouse = monitor, settings, warehouse
        self._suite, self._unknown, self._types = suite, unknown, types
        self._source = log_source(monitor, types)
        self._outcomes: dict[int, Outcome] = {}
        self._results: dict[int, Any] = {}

    def of(self, window: Window, window_rows: int) -> SuiteRun:
        """Validate one window."""
        pushed = self._warehouse.dialect in PUSHED_DOWN
        drawn = not pushed and window_rows > self._settings.maximum_rows
        structure, counts, values = self._sorted(pushed=pushed)
        rows = window_rows
        for each in [each for each in values if not pushed and each.expectation.is_query]:
            values.remove(each)
            self._outcomes[each.number] = self._unexpected_rows(window, each.expectation)
        with quiet_library() as library:
            context = ephemeral_context(library)
            if structure or counts or not pushed:
                frames = context.data_sources.add_pandas("frames")
            if structure:
                import pandas as pd

                self._ask(library, _frame_batch(frames, "columns", pd.DataFrame(columns=list(self._types))), structure)
            if counts:
                import pandas as pd

                frame = pd.DataFrame(index=pd.RangeIndex(window_rows))
                self._ask(library, _frame_batch(frames, "rows", frame), counts)
            if values and pushed:
                columns = {name: self._types[name] for name in self._needed(values)}
                with query_batch(context, self._warehouse, self._source, window, columns) as batch:
                    self._ask(library, batch, values)
            elif values:
                frame = self._frame(window, values, drawn=drawn)
                rows = len(frame)
                self._ask(library, _frame_batch(frames, "values", frame), values, drawn=drawn)
            outcomes = tuple(self._outcomes[number] for number in range(len(self._suite.expectations)))
            docs, unwritten = None, None
            try:
                docs = self._data_docs(window, outcomes)
            except DataError as error:
                unwritten = str(error)
        return SuiteRun(self._suite.name, outcomes, rows, window_rows, pushed, self._suite.notes, docs, unwritten)

    def _data_docs(self, window: Window, outcomes: Sequence[Outcome]) -> str | None:
        if self._settings.data_docs is None:
            return None
        from monitoring_tasks.expectations.data_docs import write_page

        judged = [(outcome, self._results.get(number)) for number, outcome in enumerate(outcomes)]
        monitor, table = self._monitor, self._monitor.inference_log.table
        return write_page(
            monitor.path.parent, self._settings.data_docs, monitor.name, table, window, self._suite, judged
        )

    def _sorted(self, *, pushed: bool) -> tuple[list[_Asked], list[_Asked], list[_Asked]]:
        """Return what is asked of the columns, of the number of rows, and of the rows; answer the rest at once."""
        structure: list[_Asked] = []
        counts: list[_Asked] = []
        values: list[_Asked] = []
        for number, each in enumerate(self._suite.expectations):
            wrong = "; ".join(self._unknown.get(number, ())) or _missing(each, self._types)
            wrong = wrong or self._unasked(each, pushed=pushed)
            if wrong:
                self._outcomes[number] = _outcome(each, error=wrong)
            elif each.type in _TYPES:
                self._outcomes[number] = self._type(each)
            elif each.is_structure:
                structure.append(_Asked(number, each, each.arguments, each.type))
            elif each.is_row_count and not pushed:
                counts.append(_Asked(number, each, each.arguments, each.type))
            else:
                values.append(self._adapted(number, each, pushed=pushed))
        return structure, counts, values

    def _type(self, expectation: Expectation) -> Outcome:
        """Answer for the type of a column, which the warehouse knows: its values are all of it, or none is."""
        listed = expectation.arguments.get(_TYPES[expectation.type])
        names = [listed] if isinstance(listed, str) else list(listed or ())
        observed = self._types[expectation.columns[0]]
        kinds = {name: kind_of(str(name)) for name in names}
        unknown = [name for name, kind in kinds.items() if kind is None]
        if not names or observed in kinds.values():
            return _outcome(expectation, success=True, observed=observed)
        # A list of all spellings of a type that its author knew may hold one that is not known here.
        if unknown and (observed == "other" or len(unknown) == len(names)):
            reason = f"{unknown[0]!r} is no name of a type that is known: write INTEGER, DOUBLE, TEXT or the like"
            return _outcome(expectation, error=reason)
        return _outcome(expectation, success=False, observed=observed)

    def _unexpected_rows(self, window: Window, expectation: Expectation) -> Outcome:
        query = str(expectation.arguments.get(QUERY))
        try:
            found = unexpected_rows(self._warehouse, self._source, window, self._types, query)
        except DataError as error:
            return _outcome(expectation, error=str(error))
        return _outcome(expectation, success=not found, observed=found)

    def _adapted(self, number: int, expectation: Expectation, *, pushed: bool) -> _Asked:
        """Return the expectation so that both engines of Great Expectations understand the same by it."""
        arguments, type_ = dict(expectation.arguments), expectation.type
        column = expectation.columns[0] if len(expectation.columns) == 1 else ""
        kind = self._types.get(column, "other")
        for name in ("min_value", "max_value", "value_set"):
            if name in arguments:
                arguments[name] = _typed(arguments[name], kind)
        # A comparison with null is neither true nor false in SQL, and is never counted as unexpected there.
        if type_ in _PAIRS:
            arguments.setdefault("ignore_row_if", "either_value_is_missing")
        if type_ in _SEVERAL:
            arguments.setdefault("ignore_row_if", "any_value_is_missing")
        if arguments.get("row_condition"):
            condition = condition_of(expectation)
            # A frame's conditions are texts, and pandas reads the times in them.
            condition = self._typed_condition(condition) if pushed else _without_unknown(condition)
            arguments["row_condition"] = condition
            arguments.pop("condition_parser", None)
        if not pushed and type_ == "expect_column_quantile_values_to_be_between":
            # As percentile_disc, which is always one of the values.
            arguments["allow_relative_error"] = "lower"
        if not pushed and type_ in _LIKE:
            type_ = _LIKE[type_]
            for old, new in (("like_pattern", "regex"), ("like_pattern_list", "regex_list")):
                if old in arguments:
                    like = arguments.pop(old)
                    arguments[new] = _regex(like) if isinstance(like, str) else [_regex(each) for each in like]
        return _Asked(number, expectation, arguments, type_)

    def _typed_condition(self, condition: Mapping[str, Any]) -> dict[str, Any]:
        if condition.get("type") in ("and", "or"):
            return {**condition, "conditions": [self._typed_condition(each) for each in condition["conditions"]]}
        if condition.get("type") != "comparison":
            return dict(condition)
        kind = self._types.get(condition["column"]["name"], "other")
        return {**condition, "parameter": _typed(condition["parameter"], kind)}

    def _unasked(self, expectation: Expectation, *, pushed: bool) -> str | None:
        """Return why an expectation need not be asked: what both engines would make of it differs, or misleads."""
        condition = expectation.arguments.get("row_condition")
        if pushed and condition and condition_of(expectation)["type"] == "pass_through":
            return 'its row_condition is one of pandas, which the warehouse cannot read: write it as col("age") > 30'
        kind = self._types.get(expectation.columns[0], "other") if len(expectation.columns) == 1 else "other"
        if any(name in _PATTERNS for name in expectation.arguments) and kind not in ("string", "other"):
            return f"it is about texts, and {expectation.columns[0]!r} is a column of type {kind}"
        return None

    def _needed(self, asked: Iterable[_Asked]) -> list[str]:
        """Return the columns that expectations read, in the table's order."""
        named = {name for each in asked for name in each.expectation.columns}
        conditions = " ".join(_text(each.arguments.get("row_condition")) for each in asked)
        # SQL without quotes may spell a name in capitals.
        queries = " ".join(_text(each.arguments.get(QUERY)).casefold() for each in asked)
        return [name for name in self._types if name in named or name in conditions or name.casefold() in queries]

    def _frame(self, window: Window, asked: Sequence[_Asked], *, drawn: bool) -> Any:
        key = self._monitor.inference_log.key
        if drawn and key not in self._types:
            raise DataError(f"there is no column {key!r} (inference_log.key), by which a sample is drawn")
        columns = {name: self._types[name] for name in self._needed(asked)}
        rows = self._settings.maximum_rows
        known = key if key in self._types else None
        return window_frame(self._warehouse, self._source, window, columns, known, rows, drawn=drawn)

    def _ask(self, library: Any, batch: Any, asked: Sequence[_Asked], *, drawn: bool = False) -> None:
        """Validate a batch, and keep what became of each expectation."""
        from dataclasses import replace

        suite = library.ExpectationSuite(
            name=self._suite.name,
            expectations=[
                configuration(replace(each.expectation, type=each.type), each.arguments, each.number) for each in asked
            ],
        )
        format_ = {"result_format": "BASIC", "partial_unexpected_count": READ_EXAMPLES}
        validated = batch.validate(suite, result_format=format_)
        results = {int(result.expectation_config.id): result for result in validated.results}
        for each in asked:
            result = results.get(each.number)
            if result is None:
                self._outcomes[each.number] = _outcome(each.expectation, error="Great Expectations gave no answer")
                continue
            self._results[each.number] = result
            self._outcomes[each.number] = self._judged(each, result, drawn=drawn)

    def _judged(self, asked: _Asked, result: Any, *, drawn: bool) -> Outcome:
        error = _error(result)
        if error is not None:
            return _outcome(asked.expectation, error=error)
        found: Mapping[str, Any] = result.result
        success: bool | None = bool(result.success)
        observed = json_value(found.get("observed_value"))
        if isinstance(observed, list) and len(asked.expectation.columns) == 1:
            observed = self._whole(asked.expectation.columns, observed)
        unexpected, elements = found.get("unexpected_count"), found.get("element_count")
        judged = share = None
        if unexpected is not None and elements is not None:
            judged = int(elements) - int(found.get("missing_count") or 0)
            share = int(unexpected) / judged if judged else None
        beyond = found.get("partial_unexpected_list") or ()
        measured = list(beyond) if asked.type == _EQUAL_SET else found.get("observed_value")
        why = unjudged(asked.type, asked.arguments, bool(success), measured) if drawn else None
        return _outcome(
            asked.expectation,
            success=None if why else success,
            observed=_cut(observed),
            unexpected_share=share,
            unexpected_rows=None if judged is None or unexpected is None else int(unexpected),
            judged_rows=judged,
            examples=self._examples(asked.expectation, beyond),
            absent=self._examples(asked.expectation, found.get("partial_missing_list") or ()),
            unjudged=why,
        )

    def _examples(self, expectation: Expectation, values: Iterable[Any]) -> tuple[Any, ...]:
        found: list[Any] = []
        for value in values:
            example = self._whole(expectation.columns, json_value(value))
            if example is not None and example not in found:
                found.append(example)
            if len(found) == EXAMPLES:
                break
        return tuple(found)

    def _whole(self, columns: Sequence[str], value: Any) -> Any:
        """Return values of whole numbers as such: beside missing ones a frame holds doubles."""
        if isinstance(value, dict):
            return {name: self._whole([name], each) for name, each in value.items()}
        if isinstance(value, list):
            each_of = columns if len(columns) == len(value) > 1 else [*columns] * len(value)
            return [self._whole([name], each) for name, each in zip(each_of, value, strict=False)]
        whole = len(columns) == 1 and self._types.get(columns[0]) == "integer"
        return int(value) if whole and isinstance(value, float) and value.is_integer() else value


def _cut(observed: Any) -> Any:
    if not isinstance(observed, list) or len(observed) <= LONGEST_LIST:
        return observed
    return [*observed[:LONGEST_LIST], f"and {len(observed) - LONGEST_LIST:,} more"]


def _frame_batch(frames: Any, name: str, frame: Any) -> Any:
    definition = frames.add_dataframe_asset(name).add_batch_definition_whole_dataframe("whole")
    return definition.get_batch({"dataframe": frame})


def _outcome(expectation: Expectation, **found: Any) -> Outcome:
    said = {name: value for name, value in expectation.arguments.items() if name not in ("column",)}
    return Outcome(
        expectation=expectation.type,
        column=", ".join(expectation.columns),
        arguments=said,
        severity=expectation.severity,
        notes=expectation.notes,
        **found,
    )


def _error(result: Any) -> str | None:
    """Return why an expectation could not be computed; None of one that was."""
    info = result.exception_info or {}
    if "raised_exception" in info:
        raised = [info] if info["raised_exception"] else []
    else:
        raised = [each for each in info.values() if isinstance(each, Mapping) and each.get("raised_exception")]
    if not raised:
        return None
    message = first_line(Exception(raised[0].get("exception_message") or "no reason was given"))
    if message.startswith("No provider found for"):
        return "Great Expectations cannot compute it in this engine"
    return message


def _typed(value: Any, kind: ColumnType) -> Any:
    """Return texts that stand for days, times, numbers and truth as such, where the column holds those.

    Examples
    --------
    >>> _typed(["1", "2.5", "x"], "number"), _typed("True", "boolean"), _typed("2024-03-01", "date")
    ([1, 2.5, 'x'], True, datetime.date(2024, 3, 1))
    """
    if isinstance(value, list):
        return [_typed(each, kind) for each in value]
    if not isinstance(value, str):
        return value
    if kind == "boolean":
        return {"true": True, "false": False}.get(value.lower(), value)
    if kind in NUMBERS:
        for number in (int, float):
            with suppress(ValueError):
                return number(value)
        return value
    if kind not in ("date", "timestamp", "timestamptz"):
        return value
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return value
    if kind == "date":
        return moment.date()
    if kind == "timestamptz":
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)


def _text(argument: Any) -> str:
    """Return all texts inside an argument."""
    if isinstance(argument, Mapping):
        return " ".join(map(_text, argument.values()))
    if isinstance(argument, list):
        return " ".join(map(_text, argument))
    return argument if isinstance(argument, str) else ""


def _without_unknown(condition: Any) -> Any:
    """Return a condition of Great Expectations under which null is unequal to nothing, as in SQL."""
    if not isinstance(condition, Mapping):
        return condition
    if condition.get("type") in ("and", "or"):
        return {**condition, "conditions": [_without_unknown(each) for each in condition["conditions"]]}
    if condition.get("type") != "comparison" or condition["operator"] not in ("!=", "NOT_IN"):
        return condition
    known = {"type": "nullity", "column": condition["column"], "is_null": False}
    return {"type": "and", "conditions": [condition, known]}


def _regex(like: str) -> str:
    """Return a regular expression of the same meaning; a backslash takes theirs from the special characters.

    Examples
    --------
    >>> _regex("a.c%_"), _regex(r"100\\%")
    ('(?s)^a\\\\.c.*.$', '(?s)^100%$')
    """
    parts = {"%": ".*", "_": "."}
    each = (
        re.escape(found[1]) if len(found) > 1 else parts.get(found) or re.escape(found)
        for found in re.findall(r"\\.|.", like, re.DOTALL)
    )
    return "(?s)^" + "".join(each) + "$"


def json_value(value: Any) -> Any:
    """Return a value as JSON holds it: numbers with 12 digits, times as texts, null for what is missing.

    Examples
    --------
    >>> json_value({"a": (1, float("nan"), Decimal("0.5"), date(2024, 3, 1))})
    {'a': [1, None, 0.5, '2024-03-01']}
    """
    if value is None or isinstance(value, (bool, str)):
        return value[:LONGEST_TEXT] if isinstance(value, str) else value
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    if type(value).__name__ == "bool":
        return bool(value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, (Real, Decimal)):
        number = float(value)
        return float(f"{number:.{DIGITS}g}") if math.isfinite(number) else None
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): json_value(each) for key, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [json_value(each) for each in value]
    if hasattr(value, "tolist"):
        return json_value(value.tolist())
    return str(value)[:LONGEST_TEXT]
