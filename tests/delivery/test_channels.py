import pytest

from monitoring_tasks.delivery.channels import channel_url
from monitoring_tasks.errors import ConfigError


def test_a_channel_is_an_environment_variable_by_its_name():
    environ = {"MONITORING_CHANNEL_ON_CALL_2": " json://example.com \n"}
    assert channel_url("on-call.2", environ) == "json://example.com"


@pytest.mark.parametrize("environ", [{}, {"MONITORING_CHANNEL_OPS": "  "}])
def test_an_unknown_channel_names_both_remedies(environ):
    with pytest.raises(
        ConfigError, match=r"channel 'ops' is not known: set MONITORING_CHANNEL_OPS .* or under Airflow"
    ):
        channel_url("ops", environ)
