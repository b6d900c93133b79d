"""The DAG ``retrain_flight_delays``: what the demo's monitor triggers when its model has become worse.

It learns from the log and the labels known by then, holds the new model against the one in service on the last four
weeks, and puts it into service only if it is better for sure. Replace the four functions by your own training.
"""

from pathlib import Path

from airflow.sdk import DAG, Param, get_current_context
from airflow.sdk.exceptions import AirflowSkipException

from monitoring_tasks.airflow.connections import warehouse_of
from monitoring_tasks.airflow.files import find_monitor, may_be_written
from monitoring_tasks.airflow.retries import monitoring_task
from monitoring_tasks.config import Monitor
from monitoring_tasks.demo_retraining.request import Request

MONITORS = Path(__file__).parent / "monitors"


def asked() -> tuple[Monitor, Path, Request]:
    """Return who asked, the demo's directory, and for what: the run's parameters, which a monitor fills in."""
    from monitoring_tasks.demo_retraining.steps import demo_directory

    context = get_current_context()
    request = Request.of({**context["params"], **(context["dag_run"].conf or {})})
    monitor = find_monitor(MONITORS, request.monitor)
    return monitor, demo_directory(warehouse_of(monitor.warehouse)), request


with DAG(
    dag_id="retrain_flight_delays",
    description="Train the demo's model anew, compare it with the one in service, and replace that if it is better",
    schedule=None,
    is_paused_upon_creation=False,
    max_active_runs=1,
    tags={"monitoring", "demo"},
    doc_md=__doc__,
    params={
        "monitor": Param("flight-delays", type="string", title="Monitor"),
        "train_start": Param("2013-07-08", type="string", title="Since", description="When things changed."),
        "train_end": Param("2013-07-22", type="string", title="Until", description="End of the flights to look at."),
    },
) as dag:

    @monitoring_task()
    def training_set() -> str:
        """Keep the flights to learn from, and those to compare the models on."""
        from monitoring_tasks.demo_retraining import steps

        _, demo, request = asked()
        return steps.build(demo, request)

    @monitoring_task()
    def train() -> str:
        """Train a model of the same kind."""
        from monitoring_tasks.demo_retraining import steps

        _, demo, request = asked()
        return steps.train(demo, request)

    @monitoring_task()
    def compare() -> str:
        """Hold it against the one in service, and register it with the verdict."""
        from monitoring_tasks.demo_retraining import steps

        _, demo, request = asked()
        return steps.judge(demo, request)

    @monitoring_task()
    def promote() -> str:
        """Put it into service; skipped when it was refused, for that is no failure: nothing is to be repaired."""
        from monitoring_tasks.demo_retraining import steps

        monitor, demo, request = asked()
        done = steps.promote(demo, request, monitor, write=may_be_written(monitor))
        if done is None:
            raise AirflowSkipException("the new model was refused: the log of task `compare` says why")
        return done

    training_set() >> train() >> compare() >> promote()
