import shutil
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import duckdb
import pandas as pd
import pytest

from monitoring_tasks.config import load_monitor
from monitoring_tasks.demo import monitor_file
from monitoring_tasks.demo_retraining import steps, training_set
from monitoring_tasks.demo_retraining.deployment import compare_with, fit, in_words
from monitoring_tasks.demo_retraining.model_version import read_training_set, read_version
from monitoring_tasks.demo_retraining.request import Request
from monitoring_tasks.errors import ConfigError, DataError
from monitoring_tasks.window import Window
from tests.demo_retraining import flights

CHANGED = Request.of({"train_start": "2013-06-03", "train_end": "2013-08-05", "action_id": "2602d71b2d5c"})
SAME = Request.of({"train_start": "2013-04-15", "train_end": "2013-05-20"})


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    demo = tmp_path_factory.mktemp("demo")
    flights.write(demo / "warehouse")
    return demo


@pytest.fixture
def demo(made, tmp_path):
    shutil.copytree(made, tmp_path / "demo")
    return tmp_path / "demo"


@pytest.fixture
def monitor(tmp_path):
    copy = tmp_path / "flight_delays.yaml"
    shutil.copy(monitor_file(), copy)
    return load_monitor(copy)


def log(demo: Path) -> pd.DataFrame:
    files = f"{demo}/warehouse/inference_log/*/*.parquet"
    return duckdb.read_parquet(files, hive_partitioning=False).order("flight_id").df()


def test_nothing_is_used_that_was_not_known_when_the_model_went_into_service(made):
    rows = training_set.training_set(made / "warehouse", CHANGED)
    learned, held_back = rows.learned["scheduled_at"], rows.held_back["scheduled_at"]
    assert learned.max() < pd.Timestamp("2013-07-08 04:00") <= held_back.min()
    assert held_back.max() < pd.Timestamp("2013-08-05 04:00") - training_set.SETTLED
    late = pd.concat([rows.learned, rows.held_back])
    known = duckdb.read_parquet(f"{made}/warehouse/outcomes/*.parquet").df().set_index("flight_id")["known_at"]
    assert known[late["flight_id"]].max() <= pd.Timestamp(CHANGED.deployed.replace(tzinfo=None))
    # Had flights of the last days counted as soon as their outcome was known, those on time would be too many.
    assert rows.held_back["delayed"].mean() == pytest.approx(0.3, abs=0.03)


def test_days_are_those_of_new_york(made):
    rows = training_set.training_set(made / "warehouse", CHANGED).held_back
    assert (rows["day"] == rows["scheduled_at"].sub(pd.Timedelta(hours=4)).dt.floor("D")).all()


def test_too_few_flights_are_said(made):
    early = Request.of({"train_start": "2013-03-01", "train_end": "2013-03-20"})
    with pytest.raises(DataError, match=r"0 flights with known outcome to learn from .* must be 5,000"):
        training_set.training_set(made / "warehouse", early)


def test_a_better_model_goes_into_service_and_stays_the_same_when_steps_are_taken_again(demo, monitor):
    before = log(demo)
    for _ in range(2):
        assert "to learn from" in steps.build(demo, CHANGED)
        steps.train(demo, CHANGED)
        assert steps.judge(demo, CHANGED).startswith("2013-08-05-2602d7 is accepted: better: ")
        said = steps.promote(demo, CHANGED, monitor, write=True)
        after = log(demo)
        assert said is not None
        assert "2013-08-05-2602d7 answers 1," in said
        new = (before["scheduled_at"] >= "2013-08-05 04:00") & before["error"].isna()
        kept = ["flight_id", "scheduled_at", "latency_ms", "error", "hour", "origin"]
        pd.testing.assert_frame_equal(before[kept], after[kept])
        pd.testing.assert_frame_equal(before[~new], after[~new])
        assert set(after.loc[new, "model_version"]) == {"2013-08-05-2602d7"}
        morning = after.loc[new].groupby(after["hour"] < 12)["probability"].mean()
        assert morning[True] > 0.15  # it has learned the spring as well
        assert morning[False] < 0.45
        assert ((after.loc[new, "probability"] >= 0.35) == after.loc[new, "predicted"]).all()
        version = read_version(demo, CHANGED)
        assert version["state"] == "in_service"
        assert version["old_model_version"] == "2013-02"
        assert version["deployed_at"] == datetime(2013, 8, 5, 4)  # noqa: DTZ001 - as stored
        assert not list(demo.rglob("*.partial"))
        baseline = load_monitor(monitor.path).baseline
        assert baseline.period.window == CHANGED.held_back
        assert baseline.rolling is not None
    assert read_training_set(demo, CHANGED).learned["delayed"].sum() > 0


def test_a_scan_in_progress_reads_whole_days_while_they_are_replaced(demo, monitor):
    for step in (steps.build, steps.train, steps.judge):
        step(demo, CHANGED)
    rows, found = len(log(demo)), []

    def scan():
        found.extend(log(demo) for _ in range(8))

    scanning = Thread(target=scan)
    scanning.start()
    while scanning.is_alive():
        steps.promote(demo, CHANGED, monitor, write=False)
    assert len(found) == 8
    for each in found:
        assert len(each) == rows
        day = each.groupby(each["scheduled_at"].dt.floor("D"))["model_version"].nunique()
        assert day.drop(pd.Timestamp("2013-08-05")).max() <= 2  # what failed keeps the old version
        assert each["probability"].notna().sum() == each["error"].isna().sum()


def test_a_model_that_is_not_better_is_registered_and_nothing_else(demo, monitor):
    before, file = log(demo), Path(monitor.path).read_bytes()
    steps.build(demo, SAME)
    steps.train(demo, SAME)
    assert "2013-05-20-by-hand is refused: not better for sure" in steps.judge(demo, SAME)
    assert steps.promote(demo, SAME, monitor, write=True) is None
    assert read_version(demo, SAME)["state"] == "refused"
    pd.testing.assert_frame_equal(log(demo), before)
    assert Path(monitor.path).read_bytes() == file


def test_a_file_that_is_not_a_copy_is_left_alone(demo, monitor):
    file = Path(monitor.path).read_bytes()
    steps.build(demo, CHANGED)
    steps.train(demo, CHANGED)
    steps.judge(demo, CHANGED)
    said = steps.promote(demo, CHANGED, monitor, write=False)
    assert said is not None
    assert said.endswith(
        "flight_delays.yaml: `period: {start: 2013-07-08, end: 2013-08-05}` under `baseline`, and `start: 2013-08-05`"
    )
    assert Path(monitor.path).read_bytes() == file


def test_a_step_without_the_one_before_says_what_to_clear(demo):
    with pytest.raises(ConfigError, match=r"learned\.parquet is missing: clear the task that writes it"):
        steps.train(demo, CHANGED)


def test_two_trainings_make_the_same_model(made):
    rows = training_set.training_set(made / "warehouse", CHANGED)
    one, two = (steps.probabilities(fit(rows.learned), rows.held_back) for _ in range(2))
    assert (one == two).all()


def test_another_warehouse_is_refused(tmp_path):
    (tmp_path / "warehouse" / "inference_log").mkdir(parents=True)
    assert steps.demo_directory(f"duckdb:///{tmp_path}/warehouse") == tmp_path
    for url in ("postgresql://user:secret@host/db", f"duckdb:///{tmp_path}/elsewhere"):
        with pytest.raises(ConfigError, match="MONITORING_WAREHOUSE_DEMO") as refused:
            steps.demo_directory(url)
        assert "secret" not in str(refused.value)


@pytest.mark.parametrize("baseline", ["baseline: {period: {start: 2013-03-01, end: 2013-04-01}}", None])
def test_only_the_period_of_the_file_changes(monitor, baseline):
    file = Path(monitor.path)
    old = file.read_text()
    if baseline is not None:
        file.write_text(old := old.replace(old[old.index("baseline:\n") : old.index("\nsegments:")], f"{baseline}\n"))
    july = Window(datetime(2013, 7, 8, 4, tzinfo=UTC), datetime(2013, 8, 5, 4, tzinfo=UTC))
    assert compare_with(file, july) == in_words(july)
    new = old.replace("{start: 2013-03-01, end: 2013-04-01}", "{start: 2013-07-08, end: 2013-08-05}")
    assert file.read_text() == new.replace("start: 2013-04-01 ", "start: 2013-08-05 ")
    assert sorted(each.name for each in file.parent.iterdir() if each.suffix == ".yaml") == [file.name]


def test_a_period_that_cannot_be_written_is_told_and_the_file_kept(monitor):
    file = Path(monitor.path)
    text = file.read_text().replace(
        "  period: {start: 2013-03-01, end: 2013-04-01}\n", "  period:\n    start: 2013-03-01\n    end: 2013-04-01\n"
    )
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"does not stand on one line: write yourself `period: \{start: 2013-06-24"):
        compare_with(file, Request.of({"train_start": "2013-07-08", "train_end": "2013-07-22"}).held_back)
    assert file.read_text() == text
