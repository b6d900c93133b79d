"""What every drift metric obeys, and a new one must."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from monitoring_tasks.statistics.drift import DRIFT_METRICS

ASYMMETRIC = {"kl_divergence"}
SMOOTHED = {"psi", "kl_divergence"}

every_metric = pytest.mark.parametrize("metric", DRIFT_METRICS, ids=lambda metric: metric.name)
side = st.lists(st.integers(0, 10**6), min_size=8, max_size=8).filter(any)


def distance(metric, reference, current):
    """Distance on bins of width 1 where edges are needed, in units of 2."""
    if metric.needs_edges:
        return metric.function(reference, current, np.arange(len(reference) + 1.0), 2.0)
    return metric.function(reference, current)


def size(metric, reference, current):
    """Size of the drift: the effect where the value also grows with the rows."""
    if metric.effect is not None:
        return metric.effect(reference, current)
    return distance(metric, reference, current)


def times(rows, counts):
    return [rows * count for count in counts]


@every_metric
@given(reference=side)
def test_is_zero_on_itself(metric, reference):
    assert distance(metric, reference, reference) == 0.0
    assert size(metric, reference, reference) == 0.0


@every_metric
@given(reference=side, current=side)
def test_is_a_finite_python_float_within_its_range_also_on_empty_bins(metric, reference, current):
    value = distance(metric, reference, current)
    assert type(value) is float
    assert math.isfinite(value)
    assert 0.0 <= value <= metric.maximum
    assert 0.0 <= size(metric, reference, current) <= (1.0 if metric.effect else metric.maximum)


@every_metric
def test_reaches_its_maximum_where_no_bin_is_shared(metric):
    for reference, current in (([7, 0, 0], [0, 0, 9]), ([0, 1, 0], [1, 0, 0])):
        value = distance(metric, reference, current)
        if math.isfinite(metric.maximum):
            assert value == pytest.approx(metric.maximum)
        if metric.effect is not None:
            assert metric.effect(reference, current) == pytest.approx(1.0)
        if metric.name in SMOOTHED:  # without a maximum it goes on growing with the rows that say so
            assert distance(metric, times(10, reference), times(10, current)) > value


@every_metric
@given(reference=side, current=side)
def test_is_symmetric(metric, reference, current):
    there, back = distance(metric, reference, current), distance(metric, current, reference)
    if metric.name in ASYMMETRIC:
        assert distance(metric, [90, 10], [50, 50]) != pytest.approx(distance(metric, [50, 50], [90, 10]), rel=0.1)
    else:
        assert there == pytest.approx(back, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("metric", [m for m in DRIFT_METRICS if m.name not in SMOOTHED], ids=lambda m: m.name)
@given(reference=side, current=side, reference_times=st.integers(1, 10), current_times=st.integers(1, 10))
def test_has_the_same_size_whatever_the_rows(metric, reference, current, reference_times, current_times):
    scaled = size(metric, times(reference_times, reference), times(current_times, current))
    assert scaled == pytest.approx(size(metric, reference, current), rel=1e-9, abs=1e-7)


@pytest.mark.parametrize("metric", [m for m in DRIFT_METRICS if m.name in SMOOTHED], ids=lambda m: m.name)
@given(
    reference=st.lists(st.integers(1, 10**4), min_size=6, max_size=6),
    current=st.lists(st.integers(1, 10**4), min_size=6, max_size=6),
)
def test_smoothing_moves_it_by_no_more_than_stated(metric, reference, current):
    p, q = np.array(reference) / sum(reference), np.array(current) / sum(current)
    log_ratio = np.log(p / q)
    unsmoothed = {"psi": np.sum((p - q) * log_ratio), "kl_divergence": np.sum(q * -log_ratio)}[metric.name]
    bound = (2 + np.abs(log_ratio).max()) / min(reference + current)
    for rows in (1, 10, 10**6):
        value = distance(metric, times(rows, reference), times(rows, current))
        assert abs(value - unsmoothed) <= bound / rows + 1e-9


@every_metric
@given(reference=side, target=side)
def test_grows_as_more_drift_is_planted(metric, reference, target):
    """Of the same number of rows, ever more come from another distribution."""
    reference, target = times(sum(target), reference), times(sum(reference), target)
    assume(reference != target)
    mixtures = [
        [(10 - tenths) * a + tenths * b for a, b in zip(reference, target, strict=True)] for tenths in range(11)
    ]
    values = [distance(metric, times(10, reference), mixture) for mixture in mixtures]
    assert values[0] == 0.0
    assert all(after >= before - 1e-7 for before, after in pairwise(values))
    assert values[-1] > 0.0


@every_metric
def test_grows_strictly_with_the_rows_that_move_from_the_first_bin_to_the_last(metric):
    values = [distance(metric, [500, 300, 200], [500 - moved, 300, 200 + moved]) for moved in range(0, 501, 50)]
    assert all(after > before for before, after in pairwise(values))


@every_metric
@pytest.mark.parametrize(("reference", "current", "side"), [([0, 0], [1, 2], "reference"), ([1, 2], [0, 0], "current")])
def test_names_the_side_that_holds_no_rows(metric, reference, current, side):
    with pytest.raises(ValueError, match=f"`{side}` holds no rows in its 2 bins"):
        distance(metric, reference, current)


@every_metric
def test_refuses_proportions(metric):
    with pytest.raises(ValueError, match="pass counts, not proportions"):
        distance(metric, [0.5, 0.5], [0.6, 0.4])


def test_a_small_drift_has_sizes_in_the_stated_ratio():
    """By this the usual floors of the metrics compare, see DriftMetric.minimum_effect."""
    reference, current = [10**10] * 4, [10**10 + 10**8, 10**10 - 10**8, 10**10 + 10**7, 10**10 - 10**7]
    sizes = {metric.name: size(metric, reference, current) for metric in DRIFT_METRICS}
    assert 2 * sizes["kl_divergence"] == pytest.approx(sizes["psi"], rel=1e-2)
    assert 8 * sizes["hellinger"] ** 2 == pytest.approx(sizes["psi"], rel=1e-2)
    assert 5.5 * sizes["jensen_shannon"] ** 2 == pytest.approx(sizes["psi"], rel=1e-2)
    assert 4 * sizes["chi_squared"] ** 2 == pytest.approx(sizes["psi"], rel=1e-2)


@pytest.mark.parametrize("metric", [m for m in DRIFT_METRICS if "categorical" in m.layouts], ids=lambda m: m.name)
@given(reference=side, current=side, order=st.permutations(range(8)))
def test_order_of_the_bins_is_nothing_to_a_metric_for_categories(metric, reference, current, order):
    shuffled = distance(metric, [reference[i] for i in order], [current[i] for i in order])
    assert shuffled == pytest.approx(distance(metric, reference, current), rel=1e-9, abs=1e-7)


@every_metric
@given(reference=side, windows=st.lists(side, min_size=1, max_size=5))
def test_many_windows_at_once_have_the_distances_of_each(metric, reference, windows):
    extra = (np.arange(len(reference) + 1.0), 2.0) if metric.needs_edges else ()
    assert metric.many is not None
    found = metric.many(np.array(reference, float), np.array(windows, float), *extra)
    assert found.shape == (len(windows),)
    assert found == pytest.approx([distance(metric, reference, each) for each in windows], rel=1e-12, abs=1e-12)
