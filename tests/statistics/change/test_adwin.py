"""ADWIN's histogram and bound by hand; river's rows are in test_against_river.py."""

import math

import numpy as np
import pytest

from monitoring_tasks.statistics.change import adwin


def bound(n0, n1, variance, delta=0.002, shortest=5):
    confidence = math.log(2 * math.log(n0 + n1) / delta)
    share = 1 / (n0 - shortest + 1) + 1 / (n1 - shortest + 1)
    return math.sqrt(2 * share * variance * confidence) + 2 / 3 * confidence * share


def test_the_bound_is_that_of_the_paper_at_the_nearest_cut():
    """32 rows, 16 of 0 and 16 of 1: the buckets are of 8, 8, 4, 4, 2, 2, 1, 1, 1 and 1 rows, the nearest cut at 16."""
    found = adwin(np.repeat([0.0, 1.0], [16, 16]), max_buckets=3)
    assert (found.statistic, found.threshold) == (1.0, pytest.approx(bound(16, 16, 0.25)))
    assert found.changes == ()


def test_a_batch_is_a_bucket_with_its_own_variance():
    """Two batches of 500 rows: at the only cut the pooled variance of 0/1 errors, which is that of all 1000 rows."""
    found = adwin([0.2, 0.25], rows=[500, 500])
    assert found.statistic == pytest.approx(0.05)
    assert found.threshold == pytest.approx(bound(500, 500, 0.225 * 0.775))


def test_batches_find_what_their_rows_find():
    """Errors in batches of 64 rows, of which the rows are known too: the same batch, give or take one."""
    rng = np.random.default_rng(1)
    for _ in range(20):
        rows = (rng.random(6400) < np.repeat([0.1, 0.3], [3200, 3200])).astype(float)
        by_row = adwin(rows).changes
        by_batch = adwin(rows.reshape(100, 64).mean(axis=1), rows=np.full(100, 64)).changes
        assert len(by_batch) == len(by_row) == 1
        assert abs(by_batch[0] - by_row[0] // 64) <= 1


def test_without_the_variance_inside_batches_chance_is_a_change():
    rng = np.random.default_rng(2)
    means = rng.binomial(1000, 0.1, 300) / 1000
    assert adwin(means, rows=np.full(300, 1000)).changes == ()
    assert len(adwin(means, rows=np.full(300, 1000), variances=0).changes) > 30


def test_variances_of_batches_on_another_scale_must_be_given():
    with pytest.raises(ValueError, match=r"`variances` is needed where .* such as 7 \(position 1\)"):
        adwin([0.5, 7.0], rows=[2, 2])
    assert adwin([0.5, 7.0], rows=[2, 2], variances=[0.1, 2.0]).changes == ()
    assert adwin([0.5, 7.0], rows=[2, 1]).changes == ()  # one row has no variance


def test_the_clock_strikes_inside_a_batch():
    values = np.repeat([0.0, 1.0], [40, 40])
    assert adwin(values, rows=np.full(80, 5)).changes == (44,)  # 225 rows, the first strike with 25 rows of 1
    assert adwin(values, rows=np.full(80, 32)).changes == (40,)


def test_the_window_must_exceed_the_grace_period():
    assert adwin([0.0] * 32, grace_period=32).statistic is None
    assert adwin([0.0] * 32, grace_period=31).statistic == 0.0


def test_a_side_may_be_as_short_as_the_shortest():
    """With 12 rows on each side at least, 24 rows have one cut, and 23 none."""
    values = np.repeat([0.0, 1.0], [12, 12])
    settings = {"min_window_length": 12, "max_buckets": 100, "clock": 1}
    found = adwin(values, **settings)
    assert (found.statistic, found.threshold) == (1.0, pytest.approx(bound(12, 12, 0.25, shortest=12)))
    assert adwin(values[1:], **settings).statistic is None


def test_after_a_change_nothing_is_measured_before_the_clock():
    values = np.repeat([0.0, 1.0], [320, 70])
    change = adwin(values).changes[0]
    assert adwin(values[: change + 2]).statistic is None
    assert adwin(values[: change + 33]).statistic is not None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"delta": 1.0}, r"`delta` must lie inside \(0, 1\), not 1: 0.002 is the paper's"),
        ({"clock": 0}, "`clock` must be at least 1, not 0"),
        ({"max_buckets": 0}, "`max_buckets` must be at least 1, not 0"),
        ({"min_window_length": 0}, "`min_window_length` must be at least 1, not 0"),
        ({"variances": [1.0]}, r"`variances` has the shape \(1,\) for 2 batches"),
        ({"variances": -1.0}, r"`variances` must be finite and not negative, not -1 \(position 0\)"),
        ({"variances": [0.0, float("nan")]}, r"`variances` must be finite and not negative, not nan \(position 1\)"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        adwin([0.1, 0.2], **settings)
