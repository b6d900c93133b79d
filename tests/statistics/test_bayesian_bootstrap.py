"""The Bayesian bootstrap against the moments of the Dirichlet distribution."""

import numpy as np
import pytest

from monitoring_tasks.statistics.bayesian_bootstrap import bayesian_bootstrap


def test_shares_have_the_moments_of_the_dirichlet_distribution():
    rows = np.array([5, 20, 0, 75])
    drawn = bayesian_bootstrap(rows, draws=40_000, rng=np.random.default_rng(1))
    shares = drawn / drawn.sum(axis=1, keepdims=True)
    p = rows / 100
    assert shares.mean(axis=0) == pytest.approx(p, abs=1e-3)
    assert shares.var(axis=0) == pytest.approx(p * (1 - p) / 101, rel=0.03)
    assert np.cov(shares[:, 1], shares[:, 3])[0, 1] == pytest.approx(-p[1] * p[3] / 101, rel=0.05)


def test_weights_have_their_effective_rows():
    """100 rows of weight 3 vary as 100 rows do, not as 300."""
    drawn = bayesian_bootstrap([300.0], squares=[900.0], draws=40_000, rng=np.random.default_rng(2))
    assert drawn.mean() == pytest.approx(300, rel=0.01)
    assert drawn.std() == pytest.approx(30, rel=0.02)


def test_cells_keep_their_shape_and_never_come_or_go():
    drawn = bayesian_bootstrap([[1, 0], [0, 2]], draws=500, rng=np.random.default_rng(3))
    assert drawn.shape == (500, 2, 2)
    assert ((drawn > 0) == [[True, False], [False, True]]).all()


def test_counts_that_cannot_be():
    for wrong in (-1, np.nan, np.inf):
        with pytest.raises(ValueError, match=f"must not be negative, as {wrong:g} is"):
            bayesian_bootstrap([1, wrong], draws=1, rng=np.random.default_rng(1))
    for squares in ([1, 0], [1, -2], [1, np.nan], [1, np.inf]):
        with pytest.raises(ValueError, match=rf"cell 1 has {squares[1]:g} of 2 rows"):
            bayesian_bootstrap([1, 2], squares=squares, draws=1, rng=np.random.default_rng(1))
    with pytest.raises(ValueError, match=r"`squares` of shape \(1,\) and `rows` of shape \(2,\)"):
        bayesian_bootstrap([1, 2], squares=[1], draws=1, rng=np.random.default_rng(1))
    with pytest.raises(ValueError, match="`draws` must be at least 1, not 0"):
        bayesian_bootstrap([1], draws=0, rng=np.random.default_rng(1))
