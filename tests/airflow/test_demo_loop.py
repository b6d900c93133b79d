import json
from unittest.mock import Mock
from urllib.request import Request, urlopen

import pytest
from rich.console import Console

from monitoring_tasks.airflow import demo_loop
from monitoring_tasks.config import load_monitor
from monitoring_tasks.demo import monitor_file
from monitoring_tasks.errors import ConfigError


def test_the_copy_of_the_monitor_file_watches_weeks_and_asks_for_a_new_model(tmp_path):
    copy = tmp_path / "flight_delays.yaml"
    copy.write_text(demo_loop.with_sections(monitor_file().read_text(), demo_loop.CHANGES))
    monitor, original = load_monitor(copy), load_monitor(monitor_file())
    assert monitor.name == demo_loop.MONITOR
    assert monitor.schedule.windows(demo_loop.BEFORE, demo_loop.END)[0].length.days == 7
    assert monitor.inference_log == original.inference_log
    assert monitor.labels == original.labels
    assert (monitor.baseline.rolling, monitor.segments, monitor.delay.total_seconds()) == (None, (), 0)
    assert monitor.retraining is not None
    assert monitor.retraining.trigger_dag == original.retraining.trigger_dag == demo_loop.RETRAIN
    assert demo_loop.retraining_file().is_file()


def test_sections_are_replaced_and_left_out_whole():
    text = "a: 1\nb:\n  c: 2\n\n  # still of b\n  d: 3\ne: 4\n"
    assert demo_loop.with_sections(text, {"b": "b: {}"}) == "a: 1\nb: {}\n\ne: 4\n"
    assert demo_loop.with_sections(text, {"b": "", "e": ""}) == "a: 1\n"
    with pytest.raises(ConfigError, match="has 0 sections 'f'"):
        demo_loop.with_sections(text, {"f": "f: 1"})


def test_messages_that_come_are_kept(tmp_path):
    with demo_loop.messages_received(tmp_path / "messages.jsonl") as (channel, came):
        body = json.dumps({"title": "ROC AUC", "message": "below"}).encode()
        with urlopen(Request(channel.replace("json://", "http://"), body), timeout=5) as answer:
            assert answer.status == 200
        assert came == [{"title": "ROC AUC", "message": "below"}]
    assert json.loads((tmp_path / "messages.jsonl").read_text()) == came[0]


def test_what_does_not_happen_in_time_is_named():
    with pytest.raises(demo_loop.NotClosed, match="waited 0 s for the moon"):
        demo_loop.until(lambda: False, "the moon", 0)


def test_a_monitor_that_asks_for_nothing_does_not_close_the_loop(tmp_path, monkeypatch):
    monkeypatch.setattr(demo_loop, "weeks_told", lambda *_: None)
    api = Mock()
    api.dags.return_value = [demo_loop.DAG, demo_loop.RETRAIN]
    api.trigger.return_value = "run"
    api.questions.return_value = []
    api.runs.return_value = {"run": "success"}
    with pytest.raises(demo_loop.NotClosed, match="nobody was asked for a new model: run run of"):
        demo_loop.close_the_loop(api, demo_loop.Place(tmp_path, tmp_path), demo_loop.Story(Console(quiet=True)), [])


def test_a_loop_that_cannot_begin_ends_with_the_reason_and_not_with_0(tmp_path, monkeypatch, capsys):
    def missing(place):
        raise ConfigError(f"no flights in {place.demo.name}")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo_loop.standalone, "ENDINGS", ())
    monkeypatch.setattr(demo_loop, "prepare", missing)
    assert demo_loop.main() == 1
    assert "The loop did not close: no flights in .demo" in capsys.readouterr().out


@pytest.mark.parametrize(("alerts", "reason"), [([], "not resolved"), (["resolved", "open"], "not resolved: too weak")])
def test_an_alert_that_stays_open_is_no_recovery(tmp_path, monkeypatch, alerts, reason):
    rows = [{"name": "a", "alert_id": "1", "state": state, "message": "too weak"} for state in alerts]
    monkeypatch.setattr(demo_loop, "rows", lambda *_: rows)
    with pytest.raises(demo_loop.NotClosed, match=reason):
        demo_loop.recovered(demo_loop.Place(tmp_path, tmp_path), demo_loop.Story(Console(quiet=True)))
