"""What validating a window's rows with a suite comes to. Plain values, without Great Expectations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["critical", "warning", "info"]


@dataclass(frozen=True)
class Outcome:
    """One expectation, held against the rows."""

    expectation: str
    """Its type, such as ``expect_column_values_to_not_be_null``."""
    column: str = ""
    """The column that it is about; of several their names with commas between; empty for the table."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """What the suite says beside the column, as JSON values."""
    severity: Severity = "critical"
    success: bool | None = None
    """None where it could not be computed."""
    observed: Any = None
    """Of an aggregate what was measured, as a JSON value."""
    unexpected_share: float | None = None
    """Of an expectation about each value, the share of the values that are not as expected, 0 to 1; of values that are
    not null, but for expectations about null itself."""
    unexpected_rows: int | None = None
    judged_rows: int | None = None
    """Rows that were judged."""
    examples: tuple[Any, ...] = ()
    """Some unexpected values, as JSON values."""
    absent: tuple[Any, ...] = ()
    """Some values that should have been there, as JSON values."""
    unjudged: str | None = None
    """Why the rows that were read cannot tell, of a window of which a sample was read; `success` is then None."""
    notes: str = ""
    """The author's reason, from the suite."""
    error: str | None = None
    """Why it could not be computed, in one sentence without secrets."""


@dataclass(frozen=True)
class SuiteRun:
    """A suite, held against the rows of one window."""

    suite: str
    """Its name."""
    outcomes: tuple[Outcome, ...]
    """In the order of the suite."""
    rows: int
    """Rows that were validated."""
    window_rows: int
    """Rows of the window; more than `rows` where a sample was drawn."""
    pushed_down: bool = False
    """Whether the warehouse itself computed it, so that no row left it."""
    notes: tuple[str, ...] = ()
    """What of the file has no effect, one sentence each."""
    data_docs: str | None = None
    """Where the page about this window is, relative to the monitor file; None where none is written."""
    data_docs_error: str | None = None
    """Why the page could not be written, in one sentence."""
