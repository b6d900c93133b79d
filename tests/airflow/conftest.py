"""Airflow reads its settings when it is first imported: they are set here, before any test module does so."""

import os
import tempfile

import pytest

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="monitoring-airflow-"))
os.environ.setdefault("AIRFLOW__CORE__LOAD_EXAMPLES", "False")

MONITOR = """\
monitor: {name}
description: Will it rain?
owner: weather@example.com
schedule: "{schedule}"
timezone: {timezone}
start: 2013-04-01
delay: {delay}
warehouse: demo
task: binary_classification
inference_log:
  table: inference_log
  timestamp: asked_at
  key: id
  features: {{pressure: numeric, sky: categorical}}
  prediction: predicted
  score: probability
  positive_class: 1
baseline:
  period: {{start: 2013-03-01, end: 2013-04-01}}
{more}
"""


@pytest.fixture
def write_monitor(tmp_path):
    """Return a function that writes a monitor file and returns its path."""

    def write(name="rain", *, schedule="@daily", timezone="UTC", delay="0s", more="", file=None):
        path = tmp_path / "monitors" / (file or f"{name}.yaml")
        path.parent.mkdir(exist_ok=True)
        text = MONITOR.format(name=name, schedule=schedule, timezone=timezone, delay=delay, more=more)
        path.write_text(text, encoding="utf-8")
        return path

    return write
