"""A window's labels, and the baseline's, are stored whole, come back as they were, and say what must run again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from monitoring_tasks.checks.result import Result
from monitoring_tasks.errors import ReplacedError
from monitoring_tasks.labelled_baseline import LabelledBaseline
from monitoring_tasks.labels_profile import LabelsProfile, WindowLabels
from monitoring_tasks.outcome_bins import OutcomeBins
from monitoring_tasks.profile import Baseline
from monitoring_tasks.results.store import Store, WindowRun
from monitoring_tasks.window import Window
from tests.results import example
from tests.results.example import NOW, day, flights

OUTCOMES = OutcomeBins("binary_classification", ("0", "1"), (0.0, 0.5, 1.0))
PERIOD = {"period": ["2013-03-01T00:00Z", "2013-04-01T00:00Z"]}
BASELINE: Baseline = replace(example.BASELINE, outcomes=OUTCOMES, definition=PERIOD)
CHECKS = ("performance",)


def labels(window: Window, known: int = 4, *, final: bool = False, segment: str = "") -> WindowLabels:
    return WindowLabels((profile(window, known, segment),), final, arrived=7, unknown=2)


def profile(window: Window, known: int, segment: str = "") -> LabelsProfile:
    """Ten rows, of which the last have no label."""
    cells = np.zeros(OUTCOMES.cells, np.int64)
    cells[[16, 17]] = known, 10 - known
    columns = {name: np.zeros((len(bins), OUTCOMES.outcomes), np.int64) for name, bins in BASELINE.bins.items()}
    columns["distance"][2, :2] = known, 10 - known
    units = {name: np.zeros(OUTCOMES.cells, object) for name in OUTCOMES.losses}
    for each in units.values():
        each[16] = 2**70 + known  # more than a database's integers hold
    parts = np.zeros((24, OUTCOMES.outcomes), np.int64)
    parts[3, 1] = 10
    return LabelsProfile(window, OUTCOMES, cells, units, columns, parts=parts, repeated=1, segment=segment)


def measured(known: int = 9) -> LabelledBaseline:
    window = Window.parse("2013-03-01", "2013-04-01")
    return LabelledBaseline.of(window, [(profile(window, known),), (profile(window, known),)])


def write(store: Store, number: int, its: WindowLabels | None = None) -> None:
    """Run a window: its profile with labels, a check of each kind, and its end."""
    window = day(number)
    store.write_profiles("flights", window, flights(window), BASELINE.id, its or labels(window))
    for check in ("operations", *CHECKS):
        store.write_results("flights", window, check, [Result("m", 1.0)], config_hash="config")
    close(store, number)


def close(store: Store, number: int) -> None:
    store.write_window_run(WindowRun("flights", day(number), "done", "config", NOW))


def written(store: Store, number: int) -> list[str]:
    return [run.check_name for run in store.check_runs("flights", day(number))]


@pytest.fixture
def kept(store: Store) -> Store:
    """A store with a baseline and two windows that were run, and one that was only looked back on."""
    store.write_baseline(BASELINE, "hash")
    write(store, 0, labels(day(0), final=True))
    write(store, 1)
    assert store.write_missing_profiles("flights", day(2), flights(day(2)), BASELINE.id, labels(day(2)))
    return store


def test_labels_come_back_as_they_were(kept: Store) -> None:
    found = kept.read_labels("flights", day(1))
    assert found is not None
    expected = labels(day(1))
    assert (found.final, found.arrived, found.unknown, found.unreadable) == (False, 7, 2, None)
    (one,), (other,) = found.profiles, expected.profiles
    for name in ("cells", "delays", "parts"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert {name: list(each) for name, each in one.units.items()} == {
        name: list(each) for name, each in other.units.items()
    }
    for name, counts in other.columns.items():
        np.testing.assert_array_equal(one.columns[name], counts)
    assert kept.read_labels("flights", day(3)) is None
    kept.write_labels("flights", day(1), WindowLabels((), final=False, unreadable="no table"), BASELINE.id, CHECKS)
    found = kept.read_labels("flights", day(1))
    assert found is not None
    assert (found.profiles, found.unreadable) == ((), "no table")


def test_windows_by_what_is_known_of_their_labels(kept: Store) -> None:
    assert kept.labelled_windows("flights") == (day(0), day(1), day(2))
    assert kept.provisional("flights") == (day(1), day(2))
    assert kept.windows_run("flights") == (day(0), day(1))
    assert kept.waiting("flights") == ()


def test_new_labels_forget_the_checks_of_labels_until_the_window_is_closed_again(kept: Store) -> None:
    kept.write_labels("flights", day(1), labels(day(1), 9, final=True), BASELINE.id, CHECKS, waiting=True)
    assert (written(kept, 0), written(kept, 1)) == (["operations", "performance"], ["operations"])
    assert kept.window_runs("flights", day(1).start, day(1).end) == ()
    assert (kept.waiting("flights"), kept.provisional("flights")) == ((day(1),), (day(2),))
    kept.write_results("flights", day(1), "performance", [Result("m", 2.0)], config_hash="config")
    assert kept.waiting("flights") == (day(1),), "killed here, the next run closes it"
    failed = WindowRun("flights", day(1), "failed", "config", NOW, error="not written: operations")
    kept.write_window_run(failed, waiting=True)
    assert kept.waiting("flights") == (day(1),)
    close(kept, 1)
    assert kept.waiting("flights") == ()


def test_a_window_that_could_not_be_read_does_not_wait_for_checks_on_what_was_read_before(kept: Store) -> None:
    kept.write_labels("flights", day(1), labels(day(1), 9), BASELINE.id, CHECKS, waiting=True)
    kept.write_failed_scan(WindowRun("flights", day(1), "failed", "config", NOW, error="no answer"))
    assert kept.waiting("flights") == ()


def test_results_on_labels_that_were_replaced_are_not_written(kept: Store) -> None:
    state = kept.window_state("flights", day(1))
    arguments = ("flights", day(1), "performance", [Result("m", 3.0)])
    kept.write_results(*arguments, digest=state.digest, labels=state.labels)
    kept.write_labels("flights", day(1), labels(day(1), 9), BASELINE.id, CHECKS)
    with pytest.raises(ReplacedError, match="another run has replaced"):
        kept.write_results(*arguments, digest=state.digest, labels=state.labels)
    state = kept.window_state("flights", day(1))
    kept.write_labelled_baseline("flights", BASELINE.id, measured(), CHECKS)
    with pytest.raises(ReplacedError, match="another run has replaced"):
        kept.write_results(*arguments, digest=state.digest, labels=state.labels)
    run = WindowRun("flights", day(1), "done", "config", NOW)
    with pytest.raises(ReplacedError, match="another run has replaced"):
        kept.write_window_run(run, state=state)


def test_new_labels_of_the_baseline_make_every_window_wait_that_was_run_on_it(kept: Store) -> None:
    assert kept.labelled_baseline(BASELINE) is None
    assert kept.write_labelled_baseline("flights", BASELINE.id, measured(), CHECKS)
    assert kept.waiting("flights") == (day(0), day(1)), "and not what is only looked back on"
    assert [written(kept, number) for number in (0, 1)] == [["operations"]] * 2
    assert kept.window_runs("flights", day(0).start, day(2).end) == ()
    for number in (0, 1):
        write(kept, number)
    assert not kept.write_labelled_baseline("flights", BASELINE.id, measured(), CHECKS), "they are the same"
    assert kept.waiting("flights") == ()
    found = kept.labelled_baseline(BASELINE)
    assert found is not None
    assert found is kept.labelled_baseline(BASELINE), "which is read once"
    assert (found.whole.labelled, found.whole.rows, len(found.part_counts)) == (18, 20, 2)
    # A window that could not be read stays failed: nothing can be closed on what it holds.
    kept.write_failed_scan(WindowRun("flights", day(0), "failed", "config", NOW, error="no answer"))
    assert kept.write_labelled_baseline("flights", BASELINE.id, measured(10), CHECKS)
    found = kept.labelled_baseline(BASELINE)
    assert found is not None
    assert found.whole.labelled == 20
    assert kept.waiting("flights") == (day(1),)
    assert [run.state for run in kept.window_runs("flights", day(0).start, day(2).end)] == ["failed"]


def test_windows_on_another_baseline_are_compared_with_that(kept: Store) -> None:
    other = replace(BASELINE, rows=101)
    kept.write_baseline(other, "other hash")
    kept.write_labelled_baseline("flights", other.id, measured(), CHECKS)
    assert kept.waiting("flights") == ()
    assert written(kept, 0) == ["operations", "performance"]
