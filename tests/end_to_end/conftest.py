"""One Airflow for all files: its start takes half a minute."""

import pytest

from tests.end_to_end import server


@pytest.fixture(scope="session")
def airflow(tmp_path_factory):
    """Start Airflow over this project's DAG files and a generated warehouse; end every process of it afterwards."""
    with server.running(tmp_path_factory.mktemp("airflow")) as running:
        yield running
