import subprocess
import sys
from datetime import UTC, datetime

import pytest

from monitoring_tasks.demo_retraining.request import Request
from monitoring_tasks.errors import ConfigError
from monitoring_tasks.window import Window

JULY = {"train_start": "2013-07-08T04:00Z", "train_end": "2013-07-22T04:00Z"}


def test_the_last_four_weeks_are_held_back_and_the_half_year_before_is_learned():
    request = Request.of({**JULY, "monitor": "flight-delays", "action_id": "2602d71b2d5c", "query": "select 1"})
    assert request.held_back == Window.parse("2013-06-24T04:00", "2013-07-22T04:00")
    assert request.learned.end == request.held_back.start
    assert request.learned.start == datetime(2012, 12, 24, 5, tzinfo=UTC)  # midnight in New York, in winter
    assert request.version == "2013-07-22-2602d7"


def test_what_changed_longer_ago_than_half_a_year_is_learned_whole():
    request = Request.of({"train_start": "2013-03-01", "train_end": "2013-12-01"})
    assert request.learned.start == datetime(2013, 3, 1, 5, tzinfo=UTC)


def test_a_model_is_in_service_after_the_window_that_was_decided_on():
    assert Request.of({**JULY, "window_end": "2013-07-29T04:00Z"}).deployed == datetime(2013, 7, 29, 4, tzinfo=UTC)
    assert Request.of({**JULY, "window_end": "2013-07-15T04:00Z"}).deployed == datetime(2013, 7, 22, 4, tzinfo=UTC)
    assert Request.of(JULY).deployed == datetime(2013, 7, 22, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("conf", "message"),
    [
        ({}, "train_start and train_end is missing"),
        ({"train_start": "2013-07-08"}, "train_end is missing"),
        ({"train_start": "2013-07-22", "train_end": "2013-07-08"}, "2013-07-22T04:00Z is not before"),
    ],
)
def test_a_wrong_period_is_named(conf, message):
    with pytest.raises(ConfigError, match=message):
        Request.of(conf)


def test_the_steps_need_no_airflow():
    code = "import sys, monitoring_tasks.demo_retraining.steps; sys.exit('airflow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
