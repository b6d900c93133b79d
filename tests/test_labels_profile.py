"""What a bin's rows lose: the window's mean loss of each outcome, beside the exact sum of its rows."""

import numpy as np
import pytest

from monitoring_tasks.outcome_bins import OutcomeBins
from tests.checks import simulated_labels as made

ROWS = 40_000
AXES = (1, 2, 3)


def exact(number_of_bin: np.ndarray, loss: np.ndarray) -> np.ndarray:
    rows = np.bincount(number_of_bin, minlength=made.BY_COLUMN + 1)
    sums = np.bincount(number_of_bin, loss, minlength=made.BY_COLUMN + 1)
    return np.divide(sums, rows, out=np.full(len(rows), np.nan), where=rows > 0)


@pytest.mark.parametrize("draw", ["normal", "laplace"])
def test_errors_of_a_bin_are_counted_by_doubling(draw):
    rng = np.random.default_rng(1)
    number_of_bin = rng.integers(1, 5, ROWS)
    label = 10 + rng.normal(size=ROWS)
    error = 0.25 * 2.0**number_of_bin * getattr(rng, draw)(size=ROWS)
    profile = made.labels_of(made.REGRESSION, 0, label, label + error, None, {"x": number_of_bin})
    by_bin = profile.by_bin("x")
    rows = np.maximum(by_bin.rows, 1)
    mae = by_bin.sums["absolute_error"].sum(axis=AXES) / rows
    rmse = np.sqrt(by_bin.sums["error_squares"].sum(axis=AXES) / rows)
    off_mae = mae[1:5] / exact(number_of_bin, abs(error))[1:5] - 1
    off_rmse = rmse[1:5] / np.sqrt(exact(number_of_bin, error**2)[1:5]) - 1
    assert abs(off_mae).max() < 0.07
    assert abs(off_rmse).max() < 0.1
    assert abs(off_mae).max() > 0.02  # else the docstring and the message are too modest
    assert (mae * by_bin.rows).sum() == pytest.approx(abs(error).sum())


@pytest.mark.parametrize(("slope", "noise", "base"), [(1, 1, 0), (1, 1, -2.5), (1.5, 0.5, -3), (0.5, 1.5, -1)])
def test_score_losses_of_a_bin_are_counted_by_tenths_of_the_scores(slope, noise, base):
    rng = np.random.default_rng(2)
    x = rng.normal(size=ROWS)
    score = 1 / (1 + np.exp(-(slope * x + noise * rng.normal(size=ROWS) + base)))
    label = (rng.random(ROWS) < score).astype(float)
    edges = np.quantile(score, np.arange(257) / 256)
    bins = OutcomeBins("binary_classification", ("0", "1"), tuple(np.unique(edges)))
    number_of_bin = 1 + np.searchsorted(np.quantile(x, np.arange(1, 20) / 20), x)
    profile = made.labels_of(bins, 0, label, (score > 0.5).astype(float), score, {"x": number_of_bin})
    by_bin = profile.by_bin("x")
    for name, loss in (("brier", (score - label) ** 2), ("log_loss", -np.log(np.where(label == 1, score, 1 - score)))):
        truth = exact(number_of_bin, loss)[1:]
        off = abs(by_bin.sums[name].sum(axis=AXES)[1:] / by_bin.rows[1:] / truth - 1)
        assert off.max() < 0.05
        assert np.median(off) < 0.005
