"""Monitor files into monitors, or into every problem they have."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from monitoring_tasks.config import wording
from monitoring_tasks.config.consistency import contradictions
from monitoring_tasks.config.document import Document, read_file, read_text
from monitoring_tasks.config.models import Monitor
from monitoring_tasks.config.problem import MonitorFileError, Problem


@dataclass
class _Context:
    """What validation is given, and what it leaves."""

    document: Document
    """Without the values: they may come from the environment."""
    found: dict[str, Any] = field(default_factory=dict)
    """The top-level parts that are valid, by attribute."""


def load_monitor(path: str | Path, environ: Mapping[str, str] = os.environ) -> Monitor:
    """Return the monitor that a file describes.

    Raises
    ------
    MonitorFileError
        With everything that is wrong in the file.
    """
    return _monitor(read_file(Path(path), environ))


def parse_monitor(text: str, path: str | Path = "monitor.yaml", environ: Mapping[str, str] = os.environ) -> Monitor:
    """Return the monitor that a text describes; `path` is what errors call it, and where relative paths begin.

    Raises
    ------
    MonitorFileError
        With everything that is wrong in the text.
    """
    return _monitor(read_text(text, str(path), environ))


def load_monitors(paths: Iterable[str | Path], environ: Mapping[str, str] = os.environ) -> tuple[Monitor, ...]:
    """Return the monitors of several files, in their order.

    Raises
    ------
    MonitorFileError
        With everything that is wrong in any of them, two monitors of one name included.
    """
    monitors: dict[str, Monitor] = {}
    problems: list[Problem] = []
    for path in paths:
        try:
            monitor = load_monitor(path, environ)
        except MonitorFileError as error:
            problems += error.problems
            continue
        other = monitors.setdefault(monitor.name, monitor)
        if other is not monitor:
            place = other.document.place(("monitor",))
            where = f"{other.path}:{place.line}" if place else str(other.path)
            message = f"{{value}} is also the name of the monitor in {where}"
            problems.append(monitor.document.problem(("monitor",), message, "give each monitor its own name"))
    if problems:
        raise MonitorFileError(problems)
    return tuple(monitors.values())


def _monitor(document: Document) -> Monitor:
    if document.values is None:
        raise MonitorFileError(document.problems)
    context = _Context(replace(document, values=None))
    problems = list(document.problems)
    said = {problem.key for problem in problems}
    monitor = None
    broken: set[str | int] = set()
    try:
        monitor = Monitor.model_validate(document.values, context=context)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=False):
            broken.update(detail["loc"][:1])
            problem = wording.problem(document, detail)
            if problem.key not in said:
                problems.append(problem)
    # A part that the file leaves out is not validated; its default holds together with the others too.
    for name, info in Monitor.model_fields.items():
        if name not in context.found and name not in broken and not info.is_required():
            context.found[name] = info.default
    problems += [document.problem(each.path, each.message, each.remedy) for each in contradictions(context.found)]
    if monitor is None or problems:
        raise MonitorFileError(problems)
    return monitor
