"""Paule and Mandel's variance on a published meta-analysis, and its laws."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring_tasks.statistics.performance.between_variance import between_variance

BCG = [  # Colditz et al. (1994), JAMA 271, 698-702: tuberculosis and rows, vaccinated and not, of 13 trials
    (4, 119, 11, 128), (6, 300, 29, 274), (3, 228, 11, 209), (62, 13536, 248, 12619), (33, 5036, 47, 5761),
    (180, 1361, 372, 1079), (8, 2537, 10, 619), (505, 87886, 499, 87892), (29, 7470, 45, 7232), (17, 1699, 65, 1600),
    (186, 50448, 141, 27197), (5, 2493, 3, 2338), (27, 16886, 29, 17825),
]  # fmt: skip


def test_of_the_bcg_trials_it_is_what_the_metafor_package_prints():
    """Viechtbauer (2010), J. Stat. Softw. 36(3): log relative risks, `rma(method="PM")` prints tau^2 = 0.3181."""
    sick, well, sick_without, well_without = np.array(BCG, float).T
    with_rows, without_rows = sick + well, sick_without + well_without
    values = np.log(sick / with_rows) - np.log(sick_without / without_rows)
    errors = np.sqrt(1 / sick - 1 / with_rows + 1 / sick_without - 1 / without_rows)
    assert between_variance(values, errors) == pytest.approx(0.3181, abs=5e-5)


def test_with_equal_errors_it_is_the_variance_less_theirs():
    values = [0.8, 0.9, 0.7, 0.85]
    assert between_variance(values, [0.03] * 4) == pytest.approx(np.var(values, ddof=1) - 0.03**2)


def test_values_as_close_as_their_errors_have_none():
    assert between_variance([0.80, 0.81, 0.79], [0.05, 0.05, 0.05]) == 0.0


def test_what_was_not_measured_is_left_out():
    known = between_variance([0.8, 0.9, 0.7], [0.02, 0.03, 0.02])
    assert between_variance([0.8, math.nan, 0.9, 0.7, 1.0], [0.02, 0.1, 0.03, 0.02, 0.0]) == known
    assert math.isnan(between_variance([0.8, math.nan], [0.1, 0.1]))


@given(st.lists(st.tuples(st.floats(-10, 10), st.floats(0.01, 5)), min_size=2, max_size=10), st.floats(0.1, 10))
def test_it_has_no_origin_and_the_unit_of_the_squares(pairs, unit):
    values, errors = map(np.array, zip(*pairs, strict=True))
    found = between_variance(values, errors)
    assert found >= 0
    assert between_variance(values * unit + 3, errors * unit) == pytest.approx(found * unit**2, rel=1e-6, abs=1e-9)


def test_it_finds_a_planted_variance():
    """30 parts of very different sizes: the mean of 300 estimates within 5 % of 0.04."""
    rng = np.random.default_rng(1)
    errors = np.linspace(0.05, 0.4, 30)
    found = [between_variance(rng.normal(0.8, np.sqrt(0.04 + errors**2)), errors) for _ in range(300)]
    assert np.mean(found) == pytest.approx(0.04, rel=0.05)


def test_errors_that_cannot_be():
    with pytest.raises(ValueError, match=r"must not be negative, as -1 \(position 1\) is: write NaN"):
        between_variance([1, 2], [1, -1])
    with pytest.raises(ValueError, match="must be vectors of one length"):
        between_variance([1, 2], [1])
