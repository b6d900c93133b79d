"""Monitors as Airflow DAGs. Nothing outside this package and ``dags/`` imports Airflow.

`monitor_dag` makes the DAG of one monitor file, `monitor_tasks` puts the same tasks into a DAG of your own:

.. code-block:: python

    with DAG("score-and-watch", schedule=CronDataIntervalTimetable("0 0 * * *", "UTC"), start_date=...):
        score() >> monitor_tasks("monitors/churn.yaml") >> publish()
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from monitoring_tasks.airflow.dag import monitor_dag, monitor_tasks, window_params

__all__ = ["monitor_dag", "monitor_tasks", "window_params"]


def __getattr__(name: str) -> Any:
    """Import the names when they are asked for: Airflow loads `sqlite` from here before it is itself complete."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from monitoring_tasks.airflow import dag

    return getattr(dag, name)
