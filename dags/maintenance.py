"""The DAG ``monitoring.maintenance``: migrate, roll up and prune the results store, every day."""

from pathlib import Path

from monitoring_tasks.airflow.maintenance import maintenance_dag

dag = maintenance_dag(Path(__file__).parent / "monitors")
