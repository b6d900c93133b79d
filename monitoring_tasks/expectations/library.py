"""Great Expectations itself: imported quietly and late, told what to expect, asked nothing else.

Importing it takes seconds and hundreds of megabytes, so nothing here does so before it is called.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from monitoring_tasks.config.problem import suggestion
from monitoring_tasks.errors import ConfigError, first_line
from monitoring_tasks.expectations.suite_file import QUERY, Expectation, Suite

NOT_INSTALLED = 'Great Expectations is not installed: pip install "monitoring-tasks[expectations]"'

CONTROL = ("id", "meta", "notes", "description", "severity", "windows", "batch_id", "rendered_content")
"""Fields of its classes that are no arguments of an expectation."""


@contextmanager
def quiet_library() -> Iterator[Any]:
    """Yield the imported package; inside, its analytics, progress bars, log and warnings are off.

    Raises
    ------
    ConfigError
        If it is not installed.
    """
    # It reads this when it is imported.
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logger, nowhere = logging.getLogger("great_expectations"), logging.NullHandler()
    propagates = logger.propagate
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logger.propagate = False
        logger.addHandler(nowhere)
        try:
            try:
                import great_expectations
                import great_expectations.expectations
            except ImportError as error:
                if (error.name or "").split(".")[0] != "great_expectations":
                    raise ConfigError(f"Great Expectations cannot be imported: {first_line(error)}") from error
                raise ConfigError(NOT_INSTALLED) from None
            yield great_expectations
        finally:
            logger.propagate = propagates
            logger.removeHandler(nowhere)


def ephemeral_context(library: Any) -> Any:
    """Return a context in memory, without progress bars and without a folder for pages."""
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    memory = InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
    context = library.get_context(mode="ephemeral", project_config=DataContextConfig(store_backend_defaults=memory))
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    return context


def require_known(suite: Suite, path: Path) -> None:
    """Hold every expectation of a suite against what Great Expectations knows.

    Raises
    ------
    ConfigError
        With every type and argument that it does not know, one line each; or if it is not installed.
    """
    problems = [problem for found in refused(suite).values() for problem in found]
    if problems:
        raise ConfigError("\n".join(f"{path}: {problem}" for problem in problems))


def refused(suite: Suite) -> dict[int, list[str]]:
    """Return what Great Expectations does not know of each expectation, by its number; of the others nothing.

    Raises
    ------
    ConfigError
        If it is not installed.
    """
    with quiet_library():
        from great_expectations.expectations.registry import list_registered_expectation_implementations

        known = sorted(list_registered_expectation_implementations())
        found = {number: _problems(each, known) for number, each in enumerate(suite.expectations)}
    return {number: problems for number, problems in found.items() if problems}


def configuration(expectation: Expectation, arguments: Mapping[str, Any], number: int) -> Any:
    """Return the expectation as Great Expectations reads it; its id is its number, by which its result is found."""
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    return ExpectationConfiguration(
        type=expectation.type,
        kwargs=dict(arguments),
        severity=expectation.severity,  # type: ignore[arg-type]
        notes=expectation.notes or None,
        id=str(number),
    )


def condition_of(expectation: Expectation) -> dict[str, Any]:
    """Return which rows an expectation is about as an object, in whatever form the suite has it."""
    with quiet_library():
        made = configuration(expectation, expectation.arguments, 0).to_domain_obj()
    return dict(made.row_condition.dict())


def _problems(expectation: Expectation, known: Sequence[str]) -> list[str]:
    from great_expectations.compatibility.pydantic import ValidationError
    from great_expectations.expectations.registry import get_expectation_impl

    if expectation.type not in known:
        where = f"{expectation.place}.type"
        hint = _nearest(expectation.type, known)
        return [f"{where}: {expectation.type!r} is no expectation that Great Expectations knows: {hint}"]
    arguments = set(get_expectation_impl(expectation.type).__fields__) - set(CONTROL)
    where = f"{expectation.place}.kwargs"
    unknown = [
        f"{where}.{name}: {expectation.type} has no such argument: {_nearest(name, sorted(arguments))}"
        for name in expectation.arguments
        if name not in arguments
    ]
    if unknown:
        return unknown
    query = expectation.arguments.get(QUERY)
    if isinstance(query, str) and "{batch}" not in query:
        return [f"{where}.{QUERY}: it reads other rows than the window's: write {{batch}} in place of the table"]
    try:
        configuration(expectation, expectation.arguments, 0).to_domain_obj()
    except ValidationError as error:
        return [_in_words(where, expectation, detail) for detail in error.errors()]
    except Exception as error:  # noqa: BLE001  a class of its own may raise whatever it wants
        return [f"{where}: {first_line(error)}: correct it"]
    return []


def _in_words(where: str, expectation: Expectation, detail: Mapping[str, Any]) -> str:
    name = str(detail["loc"][0]) if detail["loc"] and detail["loc"][0] != "__root__" else ""
    place = f"{where}.{name}" if name else where
    if detail["type"] == "value_error.missing":
        return f"{place}: {expectation.type} needs it: write it"
    value = expectation.arguments.get(name)
    shown = f"{value!r}: " if name in expectation.arguments else ""
    return f"{place}: {shown}{detail['msg']}: correct it"


def _nearest(wrong: str, known: Sequence[str]) -> str:
    hint = suggestion(wrong, known)
    return hint if len(hint) < 400 else "write one of docs.greatexpectations.io's gallery"
