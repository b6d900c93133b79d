"""What the files in ``dags/`` call: every monitor file in a folder, as DAGs or as an import error."""

from __future__ import annotations

from pathlib import Path

from airflow.sdk import DAG, get_parsing_context

from monitoring_tasks.airflow.dag import monitor_dag
from monitoring_tasks.airflow.files import find_monitor, read_monitor_files
from monitoring_tasks.errors import ConfigError

PREFIX = "monitor."
"""DAG ids of monitors begin with it."""


def monitor_dags(folder: Path) -> dict[str, DAG]:
    """Return the DAG of every good monitor file, by DAG id; broken files are left to `raise_problems`.

    Airflow parses this before every task too. It then says which DAG it wants, and only that one is made: with 200
    monitors a task would otherwise start seconds later.
    """
    wanted = get_parsing_context().dag_id
    if wanted is not None:
        return {wanted: monitor_dag(find_monitor(folder, wanted.removeprefix(PREFIX)))}
    return {monitor.dag_id: monitor_dag(monitor) for monitor in read_monitor_files(folder).monitors}


def raise_problems(folder: Path) -> None:
    """Raise one error that names every broken monitor file with all that is wrong in it; return if there is none.

    To be called by a DAG file of its own, without a DAG. Airflow keeps one import error per Python file and takes
    *every* DAG of that file down with it (``_update_import_errors`` marks them stale), so the error must not come from
    the file that makes the good DAGs. An error under the YAML's own path would be deleted whenever the folder is
    listed again, because Airflow knows only Python files there.
    """
    files = read_monitor_files(folder)
    if files.problems:
        raise ConfigError(
            f"{len(files.problems)} problem{'s' if len(files.problems) > 1 else ''} in {files.broken} of {files.found} "
            f"monitor files. Monitors that run: {len(files.monitors)}.\n\n" + "\n".join(files.problems)
        )
