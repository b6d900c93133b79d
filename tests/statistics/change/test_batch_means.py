"""Standard deviations and effective sizes of batches against simulation and closed forms."""

import numpy as np
import pytest

from monitoring_tasks.statistics.change import effective_rows, page_hinkley, standard_deviation_of_means


def test_the_standard_deviation_is_that_of_simulated_means():
    rng = np.random.default_rng(0)
    means = rng.binomial(500, rng.normal(0.3, 0.03, 40_000)) / 500
    # the variance inside is p (1 - p) less the variance of p, on average
    inside = (0.3 * 0.7 - 0.03**2) ** 0.5
    assert standard_deviation_of_means([500], inside, 0.03)[0] == pytest.approx(means.std(), rel=0.02)


def test_effective_rows_have_the_same_standard_deviation():
    rows = np.array([10**3, 10**4, 10**6])
    alone = standard_deviation_of_means(effective_rows(rows, 0.3, 0.01), 0.3)
    assert alone == pytest.approx(standard_deviation_of_means(rows, 0.3, 0.01), rel=0.002)


def test_without_levels_of_their_own_all_rows_count():
    assert effective_rows([0, 1, 7, 10**9], 0.3, 0.0).tolist() == [0, 1, 7, 10**9]


def test_a_batch_counts_as_one_row_at_least():
    assert effective_rows([0, 1, 5, 1000], 0.1, 1.0).tolist() == [0, 1, 1, 1]


def test_a_batch_without_rows_has_no_standard_deviation():
    assert np.isnan(standard_deviation_of_means([0, 100], 0.3, 0.1)).tolist() == [True, False]


def test_effective_rows_keep_levels_from_being_called_changes():
    """Of 2000 batches of 1000 rows with rates of 0.1 give or take 0.02: 97 per 1000 fall to 5."""
    rng = np.random.default_rng(2)
    rows = np.full(2000, 1000)
    means = rng.binomial(1000, np.clip(rng.normal(0.1, 0.02, 2000), 0, 1)) / 1000
    assert len(page_hinkley(means, rows=rows).changes) > 150
    assert len(page_hinkley(means, rows=effective_rows(rows, 0.3, 0.02)).changes) < 20


def test_bad_input_is_refused():
    for function in (standard_deviation_of_means, effective_rows):
        with pytest.raises(ValueError, match=r"`rows` must hold whole numbers of rows, at least 0, not -1"):
            function([-1], 0.3, 0.1)
        with pytest.raises(ValueError, match=r"`between` must not be negative, not -0\.1"):
            function([1], 0.3, -0.1)
        with pytest.raises(ValueError, match="`standard_deviation` must not be negative, not nan"):
            function([1], float("nan"), 0.1)
    with pytest.raises(ValueError, match="`standard_deviation` must be positive, not 0"):
        effective_rows([1], 0.0, 0.1)
