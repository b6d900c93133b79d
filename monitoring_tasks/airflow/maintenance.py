"""The DAG ``monitoring.maintenance``: upgrades the results store, rolls old profiles up, deletes old windows."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from airflow.sdk import DAG, Param, get_current_context
from airflow.sdk.exceptions import AirflowSkipException

from monitoring_tasks.airflow.connections import results_store
from monitoring_tasks.airflow.files import read_monitor_files
from monitoring_tasks.airflow.retries import monitoring_task
from monitoring_tasks.errors import ConfigError
from monitoring_tasks.window import parse_duration

PAGE = """\
Every day: creates or upgrades the tables and views of the results store; adds the profiles of short windows up to days
once they are older than *Roll up after* (exact, but what a seasonal or rolling baseline lacks then, each scan reads
again: choose longer than it looks back); deletes windows older than *Delete after*. Both are empty by default, and then
nothing is touched. Set MONITORING_ROLLUP_AFTER and MONITORING_PRUNE_AFTER (such as 180d and 730d) where the DAG
processor runs to fill them in for the daily runs.
"""


def maintenance_dag(folder: Path) -> DAG:
    """Return the DAG. Days begin in each monitor's own time zone, which the files in `folder` say."""
    with DAG(
        dag_id="monitoring.maintenance",
        description="Migrate, roll up and prune the results store",
        schedule="@daily",
        start_date=datetime(2024, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        doc_md=PAGE,
        tags={"monitoring"},
        params={
            "rollup_after": _age("Roll up after", "are added up to days", "MONITORING_ROLLUP_AFTER"),
            "prune_after": _age("Delete after", "are deleted", "MONITORING_PRUNE_AFTER"),
        },
    ) as dag:

        @monitoring_task()
        def migrate() -> str:
            from monitoring_tasks.results.migrate import migrate

            before, after = migrate(results_store())
            return f"{before} -> {after}"

        @monitoring_task()
        def rollup() -> dict[str, int]:
            before = _older_than("rollup_after")
            from monitoring_tasks.results.retention import rollup
            from monitoring_tasks.results.store import open_store

            made = {}
            with open_store(results_store()) as store:
                for monitor in read_monitor_files(folder).monitors:
                    added = rollup(store, before, "1d", monitor.name, timezone=monitor.schedule.timezone)
                    made[monitor.name] = len(added[monitor.name])
            return made

        # A rollup that was not asked for is skipped; that must not skip this.
        @monitoring_task(trigger_rule="none_failed")
        def prune() -> dict[str, int]:
            before = _older_than("prune_after")
            from monitoring_tasks.results.retention import prune
            from monitoring_tasks.results.store import open_store

            with open_store(results_store()) as store:
                return prune(store, before)

        migrate() >> rollup() >> prune()
    return dag


def _age(title: str, what: str, variable: str) -> Param:
    """Return the parameter, after refusing a variable that is no duration."""
    default = os.environ.get(variable) or None
    if default is not None:
        try:
            parse_duration(default)
        except ConfigError as error:
            raise ConfigError(f"{variable}: {error}") from None
    return Param(
        default,
        type=["null", "string"],
        title=title,
        description=f"Windows older than this {what}: an age such as 180d, empty for never. {variable} fills it in.",
    )


def _older_than(name: str) -> datetime:
    age = get_current_context()["params"][name]
    if not age:
        raise AirflowSkipException(f"{name} is empty: nothing to do")
    return datetime.now(UTC) - parse_duration(age)
