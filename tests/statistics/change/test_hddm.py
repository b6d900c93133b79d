"""HDDM_A and HDDM_W by their definitions; the rows of river and frouros are in their own files."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring_tasks.statistics.change import hddm_a, hddm_w
from monitoring_tasks.statistics.change.hddm import _EMPTY, _weighted

both = pytest.mark.parametrize("detect", [hddm_a, hddm_w])


def test_hddm_a_compares_two_means_by_hoeffdings_bound():
    """100 rows of 0, whose end is the cut, then 3 of 1."""
    found = hddm_a(np.repeat([0.0, 1.0], [100, 3]))
    assert found.statistic == pytest.approx(3 / 103)
    assert found.threshold == pytest.approx(math.sqrt(3 / (2 * 100 * 103) * math.log(2 / 0.001)))


def test_hddm_a_counts_a_batch_as_its_rows():
    single, batched = hddm_a(np.repeat([0.0, 1.0], [100, 3])), hddm_a([0.0, 1.0], rows=[100, 3])
    assert (batched.statistic, batched.threshold) == pytest.approx((single.statistic, single.threshold))


def test_hddm_w_compares_two_weighted_means_by_mcdiarmids_bound():
    """20 rows of 0, whose end is the cut, then 3 of 1: a weighted mean starts with its first value."""
    found = hddm_w(np.repeat([0.0, 1.0], [20, 3]))
    squares = [1.0, 1.0]
    for side, rows in enumerate((20, 3)):
        for _ in range(rows):
            squares[side] = 0.05**2 + 0.95**2 * squares[side]
    assert found.statistic == 1.0
    assert found.threshold == pytest.approx(math.sqrt(sum(squares) * math.log(1000) / 2))


@given(st.floats(0, 1), st.integers(2, 300), st.sampled_from([0.01, 0.05, 0.5]), st.booleans())
def test_the_weighted_mean_of_a_batch_is_that_of_its_rows(value, k, weight, started):
    start = _weighted(_EMPTY, 0.3, 1, weight) if started else _EMPTY
    single = start
    for _ in range(k):
        single = _weighted(single, value, 1, weight)
    assert _weighted(start, value, k, weight) == pytest.approx(single, abs=1e-12)


@both
def test_a_fall_is_reported_if_both_sides_are_asked_for(detect):
    values = (np.random.default_rng(0).random(1000) < np.repeat([0.9, 0.1], [500, 500])).astype(float)
    assert detect(values).changes == ()
    assert 500 <= detect(values, two_sided=True).changes[0] < 540


@both
def test_the_statistic_is_that_of_the_side_nearer_to_a_report(detect):
    for values in (np.repeat([0.9, 0.1], [300, 2]), np.repeat([0.1, 0.9], [300, 2])):
        found = detect(values, two_sided=True)
        assert found.statistic > 0
        assert found.statistic == pytest.approx(detect(np.abs(values - values[0]), two_sided=False).statistic)
    for values in ([0.5, 0.0, 0.9], [0.5, 1.0, 0.1]):  # rows since both cuts
        series = np.repeat(values, [300, 5, 1])
        rise, fall, found = detect(series), detect(1 - series), detect(series, two_sided=True)
        nearer = max(rise, fall, key=lambda side: side.statistic - side.threshold)
        assert (found.statistic, found.threshold) == pytest.approx((nearer.statistic, nearer.threshold))


@both
def test_the_two_sides_mirror_each_other(detect):
    """One minus the errors turns a rise into a fall: the statistics are the same, but for rounding at ties."""
    values = (np.random.default_rng(1).random(600) < np.repeat([0.2, 0.7], [400, 200])).astype(float)
    assert detect(values, two_sided=True).changes == detect(1 - values, two_sided=True).changes


@pytest.mark.parametrize(
    ("detect", "settings", "message"),
    [
        (hddm_a, {"drift_confidence": 0}, r"`drift_confidence` must lie inside \(0, 1\), not 0: 0.001 is the paper's"),
        (hddm_a, {"warning_confidence": 1}, r"`warning_confidence` must lie inside \(0, 1\), not 1"),
        (hddm_w, {"drift_confidence": 1}, r"`drift_confidence` must lie inside \(0, 1\), not 1"),
        (hddm_w, {"weight": 0}, r"`weight` must lie inside \(0, 1\), not 0: 0.05 is the paper's"),
        (hddm_a, {"drift_confidence": 0.01}, "at least `drift_confidence`, not 0.005 with 0.01: every warning would"),
        (hddm_w, {"warning_confidence": 1e-4}, "at least `drift_confidence`, not 0.0001 with 0.001: every warning"),
    ],
)
def test_settings_out_of_range_are_refused(detect, settings, message):
    with pytest.raises(ValueError, match=message):
        detect([0.1], **settings)


@both
def test_one_confidence_for_both_leaves_no_warnings(detect):
    values = (np.random.default_rng(2).random(600) < np.repeat([0.2, 0.7], [500, 100])).astype(float)
    assert detect(values).warnings
    found = detect(values, warning_confidence=0.001)
    assert (found.changes, found.warnings) == (detect(values).changes, ())
