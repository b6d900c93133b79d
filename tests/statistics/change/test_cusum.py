"""CUSUM against textbook numbers, its exact run length and its own rows; frouros is in test_against_frouros.py."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from monitoring_tasks.statistics.change import average_run_length, cusum, standard_deviation_of_means

# Montgomery (2009), Introduction to Statistical Quality Control, 6th ed., table 9.1: measurements of a process with
# target 10 and standard deviation 1, whose mean is 11 from the 21st on.
MONTGOMERY = [
    9.45, 7.99, 9.29, 11.66, 12.16, 10.18, 8.04, 11.46, 9.20, 10.34, 9.03, 11.47, 10.51, 9.40, 10.08, 9.37, 10.62,
    10.31, 8.52, 10.84, 10.90, 9.33, 12.29, 11.50, 10.60, 11.08, 10.38, 11.62, 11.31, 10.52,
]  # fmt: skip


def exact_run_length(drift, threshold, shift=0.0, states=401):
    """One side's, by Brook and Evans (1972), Biometrika 59: a Markov chain over the heights of the sum."""
    width = 2 * threshold / (2 * states - 1)
    heights = np.arange(states) * width
    upper = norm.cdf(heights[np.newaxis] + width / 2 - heights[:, np.newaxis], loc=shift - drift)
    step = np.diff(upper, axis=1, prepend=0.0)
    return float(np.linalg.solve(np.eye(states) - step, np.ones(states))[0])


def test_the_worked_example_of_montgomery():
    """Table 9.2: with drift 0.5 and threshold 5 the upper sum is 5.28 at the 29th, the first to signal."""
    found = cusum(MONTGOMERY[:29], target=10.0, standard_deviation=1.0)
    assert found.changes == (28,)
    assert found.statistic == pytest.approx(5.28)
    sums = [cusum(MONTGOMERY[:n], 10.0, direction="up").statistic for n in (4, 5, 6, 20, 24, 28)]
    assert sums == pytest.approx([1.16, 2.82, 2.50, 0.34, 2.79, 4.47])


@pytest.mark.parametrize(
    ("threshold", "shift", "published"),
    [(4, 0, 168), (4, 0.5, 26.6), (4, 1, 8.38), (4, 2, 3.34), (5, 0, 465), (5, 0.5, 38.0), (5, 1, 10.4), (5, 2, 4.01)],
)
def test_the_run_lengths_of_montgomerys_table(threshold, shift, published):
    """Table 9.3 (from Lucas and Crosier 1982): two sides, drift 0.5. Siegmund's is within 4 %."""
    assert average_run_length(0.5, threshold, shift) == pytest.approx(published, rel=0.04)


def test_siegmunds_number_in_montgomery():
    """Section 9.1.3: 938.2 for one side and 469.1 for two, where the mean is on target."""
    assert average_run_length(sides=1) == pytest.approx(938.2, abs=0.05)
    assert average_run_length() == pytest.approx(469.1, abs=0.05)


@pytest.mark.parametrize("drift", [0.25, 0.5, 1.0])
@pytest.mark.parametrize("threshold", [3.0, 5.0, 6.0])
def test_the_run_length_is_near_the_exact_one(drift, threshold):
    assert average_run_length(drift, threshold, sides=1) == pytest.approx(
        exact_run_length(drift, threshold), rel={0.25: 0.01, 0.5: 0.01, 1.0: 0.06}[drift]
    )


def test_the_run_length_of_a_walk_without_drift_is_the_limit():
    limit = average_run_length(0.5, 5.0, shift=0.5, sides=1)
    assert limit == pytest.approx(6.166**2)
    for near in (1e-3, 1e-6, -1e-6, -1e-3):
        assert average_run_length(0.5, 5.0, shift=0.5 + near, sides=1) == pytest.approx(limit, rel=0.01)
    below, above = (average_run_length(0.5, 5.0, shift=0.5 + at / 6.166, sides=1) for at in (0.99e-4, 1.01e-4))
    assert below == pytest.approx(above * (1 + 2 / 3 * 0.02e-4), rel=1e-7)  # where the two formulas meet
    assert average_run_length(20, 50) == float("inf")


@pytest.mark.integration
def test_the_false_alarms_of_normal_values_are_those_of_the_theory():
    """A million values: 465 by the exact value of Lucas and Crosier, give or take four standard errors."""
    alarms = len(cusum(np.random.default_rng(3).normal(size=1_000_000), target=0.0).changes)
    assert alarms == pytest.approx(1_000_000 / 465, abs=4 * (1_000_000 / 465) ** 0.5)


def test_means_of_batches_alarm_by_the_theory_where_their_own_levels_are_counted():
    """20,000 batches of sizes from 100 to 5000, whose rates differ by 0.02: one alarm per 465, or many more without."""
    rng = np.random.default_rng(4)
    rows = rng.integers(100, 5000, 20_000)
    means = rng.binomial(rows, np.clip(rng.normal(0.2, 0.02, rows.size), 0, 1)) / rows
    counted = cusum(means, 0.2, standard_deviation_of_means(rows, 0.4, between=0.02))
    assert len(counted.changes) == pytest.approx(20_000 / 465, abs=4 * (20_000 / 465) ** 0.5)
    assert len(cusum(means, 0.2, standard_deviation_of_means(rows, 0.4)).changes) > 1000


@given(
    st.lists(st.tuples(st.floats(-2, 2), st.integers(1, 40)), min_size=1, max_size=20),
    st.floats(0, 1),
    st.sampled_from([None, 0.0, 0.5]),
)
def test_batches_have_the_statistic_of_their_rows(drawn, drift, target):
    values, rows = map(np.array, zip(*drawn, strict=True))
    settings = {"target": target, "standard_deviation": 0.7, "drift": drift, "threshold": 1e9}
    batched = cusum(values, rows=rows, **settings)
    assert batched.statistic == pytest.approx(cusum(np.repeat(values, rows), **settings).statistic, abs=1e-8)


@given(st.floats(-5, 5), st.floats(0.1, 10))
def test_it_is_standardised(target, scale):
    values = np.random.default_rng(5).normal(0.3, 1, 300)
    plain = cusum(values, 0.0)
    scaled = cusum(target + scale * values, target, scale)
    assert scaled.changes == plain.changes
    assert scaled.statistic == pytest.approx(plain.statistic, abs=1e-9)


def test_targets_may_differ_by_value():
    """A series that is higher at weekends has no change if that is its target."""
    values = np.tile([0.1] * 5 + [0.9] * 2, 20)
    assert cusum(values, target=values, standard_deviation=0.1).changes == ()
    assert cusum(values, target=0.1, standard_deviation=0.1).changes != ()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"standard_deviation": 0}, r"`standard_deviation` must be positive, not 0 \(position 0\)"),
        ({"standard_deviation": [1, np.nan]}, r"`standard_deviation` must be positive, not nan \(position 1\)"),
        ({"standard_deviation": [1]}, r"`standard_deviation` has the shape \(1,\) for 2 values"),
        ({"target": [0, np.nan]}, r"`target` must be finite, not nan \(position 1\)"),
        ({"target": [0, 0, 0]}, r"`target` has the shape \(3,\) for 2 values: pass one number, or one per value"),
        ({"threshold": -1}, r"`threshold` must lie inside \(0, inf\), not -1"),
        ({"drift": float("nan")}, "`drift` must lie inside"),
        ({"direction": "left"}, "`direction` must be 'up', 'down' or 'both', not 'left'"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        cusum([0.1, 0.2], **settings)


def test_a_run_length_needs_a_threshold_and_sides():
    with pytest.raises(ValueError, match="`threshold` must lie inside"):
        average_run_length(threshold=0)
    with pytest.raises(ValueError, match="`sides` must be 1 or 2, not 3"):
        average_run_length(sides=3)
