"""The DAG ``monitoring.backfill``: many windows of one monitor in few scans, for a period chosen in the form."""

from pathlib import Path

from monitoring_tasks.airflow.backfill import backfill_dag

dag = backfill_dag(Path(__file__).parent / "monitors")
