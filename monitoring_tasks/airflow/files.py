"""The monitor files of an Airflow installation: found, read, and what is wrong with them kept apart."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from glob import glob
from pathlib import Path

from monitoring_tasks.config import Monitor, MonitorFileError, load_monitor
from monitoring_tasks.errors import ConfigError

PLACES = "MONITORING_MONITORS"
"""Environment variable: folders, files and globs of monitor files, separated as in PATH."""


@dataclass(frozen=True)
class MonitorFiles:
    """What was read, and what could not be."""

    monitors: tuple[Monitor, ...]
    """In the order of the files; one per name."""
    problems: tuple[str, ...]
    """One line each, with the file and the line in it; or a place without files."""
    found: int
    """Files, broken ones included."""

    @property
    def broken(self) -> int:
        """Files that are no monitor."""
        return self.found - len(self.monitors)


def read_monitor_files(folder: Path) -> MonitorFiles:
    """Read the monitor files in `folder`, or where ``MONITORING_MONITORS`` says.

    Of two files with one monitor's name the first is a monitor and the second a problem.
    """
    return _read(*_find(folder))


def find_monitor(folder: Path, name: str) -> Monitor:
    """Return the monitor of this name without reading all files, as a task that starts has to.

    Raises
    ------
    ConfigError
        If no good file defines it.
    """
    paths, _ = _find(folder)
    mentioned = [path for path in paths if name in path.read_text(encoding="utf-8", errors="replace")]
    # A name may be put together from the environment, and is then in no file as it stands.
    for candidates in (mentioned, paths):
        monitors = {monitor.name: monitor for monitor in _read(candidates, []).monitors}
        if name in monitors:
            return monitors[name]
    raise ConfigError(f"no monitor file defines {name!r}; there are: {', '.join(sorted(monitors)) or 'none'}")


def may_be_written(monitor: Monitor) -> bool:
    """Return whether the monitor's file is a copy that tasks may change: only where ``MONITORING_MONITORS`` names it.

    The files beside the DAGs are under version control, and belong to people.
    """
    return bool(os.environ.get(PLACES)) and os.access(monitor.path, os.W_OK)


def _read(paths: Sequence[Path], problems: list[str]) -> MonitorFiles:
    monitors: dict[str, Monitor] = {}
    for path in paths:
        try:
            monitor = load_monitor(path)
        except MonitorFileError as error:
            problems.extend(str(problem) for problem in error.problems)
            continue
        first = monitors.setdefault(monitor.name, monitor)
        if first is not monitor:
            message = f"{{value}} is also the name of the monitor in {first.path}, which runs"
            problems.append(str(monitor.document.problem(("monitor",), message, "give each monitor its own name")))
    return MonitorFiles(tuple(monitors.values()), tuple(problems), len(paths))


def _find(folder: Path) -> tuple[list[Path], list[str]]:
    """Return the files of all places in order, each once, and a problem for each place that holds none."""
    setting = os.environ.get(PLACES)
    places = setting.split(os.pathsep) if setting else [str(folder)]
    paths: list[Path] = []
    problems: list[str] = []
    for place in places:
        patterns = [f"{place}/*.yaml", f"{place}/*.yml"] if os.path.isdir(place) else [place]
        here = sorted(Path(path) for pattern in patterns for path in glob(pattern, recursive=True))
        if not here:
            problems.append(f"{place}: no monitor file is there; write one, or set {PLACES} to other folders or globs")
        paths.extend(path for path in here if path not in paths)
    return paths, problems
