"""Model monitoring as Airflow pipelines: one YAML file per model, every number in SQL.

The flow, and the order in which to read the code::

    config -> window -> profile (one scan in the warehouse) -> checks -> results -> alerts -> actions -> views

`run` is that line on one page. Names are imported when they are used, so that a DAG file that only wants
`load_monitor` does not pay for DuckDB and pandas.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from monitoring_tasks.checks import CheckContext, Result
    from monitoring_tasks.config import Monitor, load_monitor
    from monitoring_tasks.results.frame import results
    from monitoring_tasks.run import run_windows
    from monitoring_tasks.window import Window

__all__ = ["CheckContext", "Monitor", "Result", "Window", "load_monitor", "results", "run_windows"]

_HOMES = {
    "CheckContext": "monitoring_tasks.checks",
    "Monitor": "monitoring_tasks.config",
    "Result": "monitoring_tasks.checks",
    "Window": "monitoring_tasks.window",
    "load_monitor": "monitoring_tasks.config",
    "run_windows": "monitoring_tasks.run",
}


def __getattr__(name: str) -> Any:
    """Import a public name from its module."""
    if name == "__version__":
        try:
            return version("monitoring-tasks")
        except PackageNotFoundError:
            return "0"
    if name == "results":  # the subpackage, which is a function too: one object, whoever imported it first
        return import_module("monitoring_tasks.results")
    if name not in _HOMES:
        raise AttributeError(f"module 'monitoring_tasks' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
