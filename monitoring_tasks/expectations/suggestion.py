"""A first suite, from what the baseline's rows are like. Its author edits it: each expectation says why it is there.

It asks for less than the baseline shows, so that most windows like the baseline's meet it. What drifts slowly is for
`data_drift`; a suite says what must never be.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from monitoring_tasks.checks.wording import counted, number, percent
from monitoring_tasks.config import ColumnType, Monitor
from monitoring_tasks.config.roles import NUMBERS, Role, roles_of
from monitoring_tasks.profile import Baseline, Bins, ColumnProfile
from monitoring_tasks.window import format_instant

MOST_CATEGORIES = 50
"""A set of more values is nothing that a person would keep up to date."""

MOSTLY = 0.99
"""Share of values that must be inside a range or a set of values."""

TYPE_NAMES: Mapping[ColumnType, tuple[str, ...]] = {
    "integer": ("INTEGER", "BIGINT"),
    "number": ("DOUBLE", "FLOAT"),
    "decimal": ("DECIMAL", "NUMERIC"),
    "boolean": ("BOOLEAN",),
    "string": ("TEXT", "VARCHAR"),
    "date": ("DATE",),
    "timestamp": ("TIMESTAMP",),
    "timestamptz": ("TIMESTAMPTZ",),
}

_Written = dict[str, Any]


def suggested_suite(monitor: Monitor, baseline: Baseline) -> str:
    """Return a suite as JSON text: the same for the same baseline.

    Parameters
    ----------
    monitor
        What the columns are.
    baseline
        What its rows were like.
    """
    expectations = list(_expectations(monitor, baseline))
    period = monitor.baseline.period
    of = f"table {monitor.baseline.table}"
    if period is not None:
        of = f"{format_instant(period.start)} to {format_instant(period.end)} of table {monitor.inference_log.table}"
    notes = f"Suggested from {counted(baseline.rows, 'row')}, {of}. Edit it: it is yours."
    content = {"name": monitor.name, "expectations": expectations, "meta": {"notes": notes}}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _expectations(monitor: Monitor, baseline: Baseline) -> Iterator[_Written]:
    types: Mapping[str, ColumnType] = baseline.definition.get("types", {})
    rows = _window_rows(monitor, baseline)
    yield _row_count(rows)
    key = monitor.inference_log.key
    yield _expected("expect_column_values_to_not_be_null", key, why="The key tells inferences apart.")
    yield _expected("expect_column_values_to_be_unique", key, why="A key that comes twice is an inference told twice.")
    roles = roles_of(monitor)
    names = dict.fromkeys([*baseline.definition.get("features", ()), *roles])
    for name in names:
        profile = baseline.columns.get(name)
        its: tuple[Role, ...] = tuple(roles.get(name, ("feature",)))
        # An error is text where something failed, and nothing else is known of it.
        if profile is None or profile.rows == 0 or "error" in its or name == key:
            continue
        effect = _null_design_effect(monitor, baseline, name)
        nulls = _nulls(name, profile, (rows or profile.rows) / effect)
        yield from _of_column(name, its, profile, baseline.bins[name], types.get(name), nulls)


def _window_rows(monitor: Monitor, baseline: Baseline) -> float | None:
    """Return the rows that a window of the baseline has on average; None of a table, which has no windows."""
    period = monitor.baseline.period
    if period is None:
        return None
    return float(baseline.rows * (_window_length(monitor) / (period.end - period.start)))


def _window_length(monitor: Monitor) -> timedelta:
    for days in (1, 8, 63, 800):
        windows = monitor.schedule.windows(monitor.start, monitor.start + timedelta(days=days))
        if windows:
            return windows[0].length
    return timedelta(days=1)


def _null_design_effect(monitor: Monitor, baseline: Baseline, name: str) -> float:
    """Return how many times more the share of nulls varies between windows than chance would make it."""
    if not baseline.dispersions:
        return 1.0
    length = _window_length(monitor).total_seconds()
    nearest = min(sorted(baseline.dispersions), key=lambda seconds: abs(seconds - length))
    found = baseline.dispersions[nearest].get("", {}).get(name)
    return 1.0 if found is None or not found.bins else max(1.0, found.bins[0] / found.parts)


def _row_count(rows: float | None) -> _Written:
    if rows is None:
        why = "A window without rows is no window that was monitored."
        return _expected("expect_table_row_count_to_be_between", min_value=1, why=why)
    noise = 3 * math.sqrt(rows)
    low, high = max(1, math.floor(rows / 2 - noise)), math.ceil(2 * rows + noise)
    why = f"Windows of the baseline have {number(rows)} rows on average; half to twice as many are allowed."
    return _expected("expect_table_row_count_to_be_between", min_value=low, max_value=high, severity="warning", why=why)


def _of_column(
    name: str,
    roles: tuple[Role, ...],
    profile: ColumnProfile,
    bins: Bins,
    type_: ColumnType | None,
    nulls: _Written | None,
) -> Iterator[_Written]:
    if type_ is not None and type_ in TYPE_NAMES:
        yield _expected(
            "expect_column_values_to_be_in_type_list",
            name,
            type_list=list(TYPE_NAMES[type_]),
            why=f"The baseline's column is of type {type_}.",
        )
    if nulls is not None:
        yield nulls
    if profile.rows == profile.nulls:
        return
    if "latency" in roles:
        yield _expected("expect_column_values_to_be_between", name, min_value=0, why="No answer comes before its time.")
    elif "score" in roles and profile.minimum is not None and profile.maximum is not None:
        if profile.minimum >= 0 and profile.maximum <= 1:
            why = "A probability lies between 0 and 1."
            yield _expected("expect_column_values_to_be_between", name, min_value=0, max_value=1, why=why)
    elif bins.kind == "numeric" and type_ != "boolean":
        yield from _range(name, profile, type_)
    elif bins.kind == "categorical" and "model_version" not in roles:  # the next version is no fault
        yield from _set(name, profile, bins, type_)


def _nulls(name: str, profile: ColumnProfile, rows: float) -> _Written | None:
    """Allow half as many nulls again, what the baseline's own windows differ by, and one in a hundred."""
    share = profile.nulls / profile.rows
    room = max(0.01, share / 2, 3 * math.sqrt(share * (1 - share) / max(rows, 1)))
    mostly = math.floor(1000 * (1 - share - room) + 1e-9) / 1000
    if mostly <= 0:
        return None
    allowed = percent(1 - mostly)
    why = f"{percent(share)} of the baseline's {counted(profile.rows, 'value')} are null; {allowed} are allowed."
    return _expected("expect_column_values_to_not_be_null", name, mostly=mostly, severity="warning", why=why)


def _range(name: str, profile: ColumnProfile, type_: ColumnType | None) -> Iterator[_Written]:
    """Allow a tenth of the baseline's range on either side; what was never negative stays so."""
    low, high = profile.minimum, profile.maximum
    if low is None or high is None:
        return
    room = (high - low) / 10 or abs(low) / 10 or 1.0
    step = 10.0 ** math.floor(math.log10(room))
    lower, upper = math.floor((low - room) / step) * step, math.ceil((high + room) / step) * step
    if low >= 0:
        lower = max(lower, 0.0)
    whole = type_ == "integer" or step >= 1
    bounds = {"min_value": _neat(lower, whole=whole), "max_value": _neat(upper, whole=whole)}
    why = f"The baseline's values lie between {number(low)} and {number(high)}; a tenth of that range is room."
    yield _expected("expect_column_values_to_be_between", name, **bounds, mostly=MOSTLY, severity="warning", why=why)


def _neat(value: float, *, whole: bool) -> float | int:
    return round(value) if whole else float(f"{value:.12g}")


def _set(name: str, profile: ColumnProfile, bins: Bins, type_: ColumnType | None) -> Iterator[_Written]:
    """Allow one value in a hundred that the baseline did not know, more where it often met a new one."""
    texts = [*bins.categories, *bins.others]
    if bins.open_ended or not texts or len(texts) > MOST_CATEGORIES or type_ not in (*NUMBERS, "boolean", "string"):
        return
    values = sorted(_value(text, type_) for text in texts)
    known = profile.rows - profile.nulls
    # Good and Turing: a new value is as likely as the share of those that were seen once.
    mostly = max(0.5, min(MOSTLY, math.floor(1000 * (1 - 2 * bins.singletons / known)) / 1000))
    why = f"The baseline knew {counted(len(values), 'value')}."
    yield _expected(
        "expect_column_values_to_be_in_set", name, value_set=values, mostly=mostly, severity="warning", why=why
    )


def _value(text: str, type_: ColumnType | None) -> Any:
    if type_ == "boolean":
        return text.lower() in ("true", "1", "t")
    if type_ == "integer":
        return int(text)
    return float(text) if type_ in NUMBERS else text


def _expected(
    type_: str, column: str | None = None, *, why: str, severity: str = "critical", **arguments: Any
) -> _Written:
    kwargs = ({} if column is None else {"column": column}) | arguments
    return {"type": type_, "kwargs": kwargs, "severity": severity, "meta": {"notes": why}}
