"""Losses by bin: closed forms, and the coverage of the intervals."""

import numpy as np
import pytest

from monitoring_tasks.statistics.performance.direct_loss_estimation import (
    expectation_by_bin,
    expected_by_bin,
    loss_explained,
)
from monitoring_tasks.statistics.performance.estimation import estimated
from monitoring_tasks.statistics.performance.outcomes import Outcomes
from tests.statistics.performance.made_scores import coverage, summed

RESIDUALS = np.linspace(-6, 6, 41)


def mean_absolute_error(outcomes):
    return outcomes.sums["absolute_error"].sum(axis=(-3, -2, -1)) / outcomes.counts.sum(axis=(-3, -2, -1))


def root_mean_squared_error(outcomes):
    return np.sqrt(outcomes.sums["error_squares"].sum(axis=(-3, -2, -1)) / outcomes.counts.sum(axis=(-3, -2, -1)))


def residuals(rng, rows, shares):
    """Residuals whose spread doubles from each of four bins to the next."""
    group = rng.choice(4, rows, p=shares)
    error = rng.normal(0, 0.25 * 2.0**group)
    at = group, 1 + np.searchsorted(RESIDUALS, error, side="right"), np.zeros(rows, int), np.zeros(rows, int)
    counts = np.zeros((4, 43, 1, 1), int)
    np.add.at(counts, at, 1)
    sums = {}
    for name, value in (("absolute_error", np.abs(error)), ("error", error), ("error_squares", error**2)):
        sums[name] = np.zeros(counts.shape)
        np.add.at(sums[name], at, value)
    return Outcomes(counts, sums, RESIDUALS)


def test_the_expected_error_is_the_bins_mean_error_weighed():
    rng = np.random.default_rng(14)
    baseline = residuals(rng, 4000, [0.4, 0.3, 0.2, 0.1])
    mean = baseline.sums["absolute_error"].sum(axis=(1, 2, 3)) / baseline.rows
    found = mean_absolute_error(expected_by_bin(baseline, [10, 20, 30, 40]))
    assert found == pytest.approx(mean @ [0.1, 0.2, 0.3, 0.4])
    itself = expected_by_bin(baseline, baseline.rows)
    assert root_mean_squared_error(itself) == pytest.approx(root_mean_squared_error(summed(baseline)))


def test_a_bin_that_the_baseline_does_not_have_is_taken_like_the_nearest():
    counts = np.array([0, 10, 0, 0, 20]).reshape(5, 1, 1, 1)
    errors = np.array([0, 10.0, 0, 0, 60.0]).reshape(5, 1, 1, 1)
    baseline = Outcomes(counts, {"absolute_error": errors})
    assert mean_absolute_error(expected_by_bin(baseline, [1, 0, 1, 0, 0])) == pytest.approx(1.0)
    assert mean_absolute_error(expected_by_bin(baseline, [0, 0, 0, 1, 0])) == pytest.approx(3.0)


@pytest.mark.integration
@pytest.mark.parametrize("metric", [mean_absolute_error, root_mean_squared_error])
@pytest.mark.parametrize("shares", [[0.4, 0.3, 0.2, 0.1], [0.1, 0.2, 0.3, 0.4]])
def test_the_interval_of_an_error_holds_with_and_without_a_shift(metric, shares):
    rng = np.random.default_rng(15)

    def one():
        baseline, window = residuals(rng, 4000, [0.4, 0.3, 0.2, 0.1]), residuals(rng, 500, shares)
        found = expectation_by_bin(baseline, window.rows, rng=rng, draws=200)
        return estimated(metric, found), float(metric(summed(window)))

    assert 0.92 <= coverage(400, one) <= 0.98


def test_the_bins_that_explain_a_loss_are_told_from_those_that_do_not():
    rng = np.random.default_rng(16)
    explaining = residuals(rng, 5000, [0.25] * 4)
    whole = summed(explaining)
    random = [rng.multivariate_hypergeometric(whole.counts.ravel(), 1250).reshape(whole.counts.shape) for _ in range(4)]
    means = whole.sums["absolute_error"] / np.maximum(whole.counts, 1)
    nothing = Outcomes(np.stack(random), {"absolute_error": np.stack(random) * means}, RESIDUALS)
    assert loss_explained(explaining, "absolute_error") > 0.3
    assert abs(loss_explained(nothing, "absolute_error")) < 0.01


def test_bad_input_is_named():
    rng = np.random.default_rng(1)
    with pytest.raises(ValueError, match=r"`rows` of shape \(3,\) must count the bins"):
        expected_by_bin(Outcomes(np.ones((2, 1, 1, 1), int)), [1, 2, 3])
    with pytest.raises(ValueError, match="there is nothing to estimate from"):
        expected_by_bin(Outcomes(np.zeros((2, 1, 1, 1), int)), [1, 2])
    with pytest.raises(ValueError, match="must be of one window, with the axis bin"):
        expectation_by_bin(Outcomes(np.ones((2, 1, 1, 1), int)), [[1, 2]], rng=rng)
    with pytest.raises(ValueError, match=r"`loss` must be one of \[\], not 'error'"):
        loss_explained(Outcomes(np.ones((2, 1, 1, 1), int)), "error")
