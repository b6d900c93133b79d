"""A page about one window's suite, drawn by Great Expectations, that needs nothing but itself to be read.

Its own template loads styles and scripts from six hosts, and looks like a heap of lists where they are out of reach.
Here they are left out, and a small style sheet stands instead.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from monitoring_tasks.errors import DataError
from monitoring_tasks.expectations.library import configuration, refused
from monitoring_tasks.expectations.outcome import Outcome
from monitoring_tasks.expectations.suite_file import Suite
from monitoring_tasks.window import Window

STYLE = """
body { font: 14px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 76rem; padding: 1rem; color: #222 }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem }
td, th { border-bottom: 1px solid #ddd; padding: .3rem .6rem; text-align: left; vertical-align: top }
h5 { font-size: 1.2rem; margin: 1rem 0 .3rem }
ul { padding-left: 1.2rem }
.badge { background: #eee; border-radius: 3px; padding: 0 .3rem }
.navbar, .modal, .nav, .btn, footer, .cooltip, .cooltip-text, .popover, .col-lg-2 { display: none }
[data-toggle=collapse] { display: none }
.fa-check-circle::before, .fa-check::before { content: "\\2713"; color: #18794e }
.fa-times::before, .fa-times-circle::before { content: "\\2717"; color: #c62828 }
.fa-exclamation-triangle::before { content: "!"; color: #b26a00 }
"""

_LOADED = re.compile(r"<script\b.*?</script>|<link\b[^>]*>|<img\b[^>]*>|<style\b.*?</style>", re.DOTALL | re.IGNORECASE)

_ELSEWHERE = re.compile(r'<a\b[^>]*href="(?:\.\./|https?:)[^"]*"[^>]*>(.*?)</a>', re.DOTALL)

_RANDOM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}(?=[-\"])")


def write_page(
    folder: Path,
    name: str,
    monitor: str,
    table: str,
    window: Window,
    suite: Suite,
    judged: Sequence[tuple[Outcome, Any]],
) -> str:
    """Write the page of a window in one step, over an earlier one, and return where it is.

    Parameters
    ----------
    folder
        The monitor file's.
    name
        Of the folder for pages, relative to that.
    monitor, table
        Their names.
    window
        Whose rows.
    suite
        What was expected.
    judged
        Of each expectation what it came to, and Great Expectations' own result if it was asked.

    Raises
    ------
    DataError
        If the page cannot be written.
    """
    path = Path(name) / monitor / f"{window.start:%Y-%m-%dT%H%M%SZ}.html"
    page = _page(monitor, table, window, suite, judged)
    try:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(
            "w", encoding="utf-8", dir=(folder / path).parent, suffix=".part", delete=False
        ) as file:
            file.write(page)
        os.chmod(file.name, 0o644)
        os.replace(file.name, folder / path)
    except OSError as error:
        raise DataError(f"data docs cannot be written to {str(folder / path)!r}: {error.strerror or error}") from error
    return path.as_posix()


def _page(monitor: str, table: str, window: Window, suite: Suite, judged: Sequence[tuple[Outcome, Any]]) -> str:
    import great_expectations
    from great_expectations.core.expectation_validation_result import ExpectationSuiteValidationResult
    from great_expectations.core.run_identifier import RunIdentifier
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
    from great_expectations.render.view.view import DefaultJinjaPageView

    unknown = refused(suite)
    results = [
        _result(suite, number, outcome) if result is None or outcome.success is None else _shortened(outcome, result)
        for number, (outcome, result) in enumerate(judged)
        if number not in unknown
    ]
    met = sum(bool(outcome.success) for outcome, _ in judged)
    validated = ExpectationSuiteValidationResult(
        success=met == len(judged),
        results=results,
        suite_name=suite.name,
        statistics={
            "evaluated_expectations": len(judged),
            "successful_expectations": met,
            "unsuccessful_expectations": len(judged) - met,
            "success_percent": 100 * met / len(judged) if judged else None,
        },
        # The window stands for the time of the run: the page says nothing that another run would say otherwise.
        meta={
            "run_id": RunIdentifier(run_name=f"{monitor} {window}", run_time=window.start),
            "batch_spec": {"data_asset_name": table},
            "great_expectations_version": great_expectations.__version__,
        },
    )
    view: Any = DefaultJinjaPageView()
    rendered: str = view.render(ValidationResultsPageRenderer().render(validated))
    page = _ELSEWHERE.sub(r"\1", _LOADED.sub("", rendered))
    # Its sections have random names.
    for place, name in enumerate(dict.fromkeys(_RANDOM.findall(page))):
        page = page.replace(name, f"part-{place}")
    page = page.replace("</body>", f"{_unknown([judged[number][0] for number in unknown])}</body>", 1)
    return page.replace("</head>", f"<style>{STYLE}</style></head>", 1)


def _unknown(outcomes: Sequence[Outcome]) -> str:
    """Say what Great Expectations cannot draw, because it does not know it."""
    if not outcomes:
        return ""
    items = "".join(f"<li>{escape(f'{each.expectation} {each.column}: {each.error}')}</li>" for each in outcomes)
    return f"<h5>Could not be computed</h5><ul>{items}</ul>"


def _shortened(outcome: Outcome, result: Any) -> Any:
    """Keep as many unexpected values as the result row does, and plain numbers: those of numpy are not shown."""
    found = dict(result.result)
    if found.get("observed_value") is not None:
        found["observed_value"] = outcome.observed
    if "partial_unexpected_list" in found:
        found["partial_unexpected_list"] = list(outcome.examples)
    result.result = found
    return result


def _result(suite: Suite, number: int, outcome: Outcome) -> Any:
    """Return a result of what Great Expectations was not asked, or could not tell."""
    from great_expectations.core.expectation_validation_result import ExpectationValidationResult

    expectation = suite.expectations[number]
    why = outcome.error or outcome.unjudged
    failed: Mapping[str, Any] = {"raised_exception": True, "exception_message": why, "exception_traceback": ""}
    return ExpectationValidationResult(
        success=bool(outcome.success),
        expectation_config=configuration(expectation, expectation.arguments, number),
        result={} if why else {"observed_value": outcome.observed},
        exception_info=dict(failed) if why else None,
    )
