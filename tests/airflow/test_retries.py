import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, TaskDeferred

from monitoring_tasks.airflow.retries import heals_by_waiting
from monitoring_tasks.errors import ConfigError, DataError, TransientError


@heals_by_waiting
def task(error=None):
    if error is not None:
        raise error
    return "done"


def test_result_is_passed_on():
    assert task() == "done"


@pytest.mark.parametrize(
    "error",
    [
        TransientError("the server is away"),
        AirflowFailException("two windows failed"),
        AirflowSkipException("nothing to do"),
        TaskDeferred(trigger=None, method_name="resume"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_time_heals_and_what_airflow_decides_by_itself_pass_through(error):
    with pytest.raises(type(error)) as raised:
        task(error)
    assert raised.value is error


@pytest.mark.parametrize("error", [ConfigError("no such column"), DataError("no rows"), KeyError("x"), ValueError("y")])
def test_everything_else_fails_at_once_and_keeps_its_cause(error):
    with pytest.raises(AirflowFailException) as raised:
        task(error)
    assert str(raised.value) == f"{type(error).__name__}: {error}"
    assert raised.value.__cause__ is error
