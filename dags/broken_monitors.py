"""No DAG is here: the import error of this file, in Airflow's list, names every broken monitor file and its problems.

It is a file of its own because Airflow takes down all DAGs of a file with an import error.
"""

from pathlib import Path

from monitoring_tasks.airflow.folder import raise_problems

raise_problems(Path(__file__).parent / "monitors")
