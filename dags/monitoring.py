"""Airflow finds every monitor here: one DAG ``monitor.<name>`` for each file in ``monitors/`` beside this file.

Set MONITORING_MONITORS to other folders, files or globs (separated as in PATH) to keep the files elsewhere. A broken
file costs only its own DAG; what is wrong with it stands in the import error of ``broken_monitors.py``.
"""

from pathlib import Path

from monitoring_tasks.airflow.folder import monitor_dags

globals().update(monitor_dags(Path(__file__).parent / "monitors"))
