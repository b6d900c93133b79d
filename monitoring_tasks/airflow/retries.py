"""What Airflow retries: only what time can heal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from airflow.sdk import Context, task
from airflow.sdk.exceptions import (
    AirflowFailException,
    AirflowSkipException,
    DagRunTriggerException,
    DownstreamTasksSkipped,
)

from monitoring_tasks.errors import TransientError

P = ParamSpec("P")
R = TypeVar("R")

RETRIES: dict[str, Any] = {
    "retries": 3,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": 2,
    "max_retry_delay": timedelta(minutes=10),
}
"""Task arguments: three more tries, 30 seconds and then each twice as long apart."""


_SIGNALS = (AirflowSkipException, DownstreamTasksSkipped, DagRunTriggerException)
"""No errors: by raising these a task says what Airflow is to do."""


def is_retry(context: Context) -> bool:
    """Return whether an earlier try of this task failed or was killed, since a person cleared it if one did."""
    instance = context["ti"]
    return instance.try_number > instance.max_tries - (context["task"].retries or 0) + 1


def monitoring_task(**arguments: Any) -> Callable[[Callable[..., object]], Any]:
    """Make a function an Airflow task, as ``@task`` does, that is retried for what waiting heals."""

    def decorate(function: Callable[..., object]) -> Any:
        return task(**RETRIES, **arguments)(heals_by_waiting(function))

    return decorate


def heals_by_waiting(function: Callable[P, R]) -> Callable[P, R]:
    """Let Airflow retry a task for `TransientError` (and for a killed worker), and fail it at once for all else.

    A wrong monitor file, wrong data and a bug are the same on the next try: retrying them only hides the message for
    some minutes. (Airflow 3.3 could be told so by an ``ExceptionRetryPolicy``; this works in every Airflow 3.)
    """

    @wraps(function)
    def guarded(*arguments: P.args, **keywords: P.kwargs) -> R:
        try:
            return function(*arguments, **keywords)
        except (TransientError, AirflowFailException, *_SIGNALS):
            raise
        except Exception as error:
            raise AirflowFailException(f"{type(error).__name__}: {error}") from error

    return guarded
