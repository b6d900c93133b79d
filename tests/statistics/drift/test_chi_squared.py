"""Chi-squared and Cramer's V against scipy and what frouros, popmon, Evidently and Deepchecks state."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency
from scipy.stats.contingency import association

from monitoring_tasks.statistics.drift import (
    balanced_cramers_v,
    chi_squared,
    chi_squared_test,
    cramers_v,
    drift_metric,
)

side = st.lists(st.integers(0, 1000), min_size=6, max_size=6).filter(any)


@pytest.mark.parametrize(
    ("reference", "current", "statistic", "p_value"),
    [
        pytest.param([4, 2, 0], [1, 1, 4], 6.13333333, 0.04657615, id="frouros-aabaab-bacccc"),
        pytest.param([1, 2, 0, 5], [3, 4, 0, 2], 2.9036, 0.2341, id="popmon-with-an-empty-bin"),
    ],
)
def test_against_other_projects(reference, current, statistic, p_value):
    """frouros tests/integration; popmon test_comparisons.py."""
    test = chi_squared_test(reference, current)
    assert test.statistic == pytest.approx(statistic, abs=1e-4)
    assert test.p_value == pytest.approx(p_value, abs=1e-4)
    assert test.degrees_of_freedom == 2


def test_evidently_is_the_limit_of_an_infinite_reference():
    """evidently, tests/stattests/test_stattests.py states p = 0.67309, taking one side's shares as exact."""
    exact, sampled = np.array([16, 18, 16, 14, 12, 12]), [16, 16, 16, 16, 16, 8]
    assert chi_squared_test(exact * 10**10, sampled).p_value == pytest.approx(0.67309, abs=1e-5)
    assert chi_squared_test(exact, sampled).p_value > 0.8  # both sides are samples, so less is sure


def test_a_new_category_is_no_proof_of_drift():
    """whylogs and Evidently expect 0 rows of it and find p = 0: here one new row in 1000 is a chance find."""
    assert chi_squared_test([500, 500, 0], [500, 499, 1]).p_value > 0.5


@given(side, side)
def test_against_scipy(reference, current):
    table = np.array([reference, current])
    table = table[:, table.any(axis=0)]
    test = chi_squared_test(reference, current)
    expected = chi2_contingency(table, correction=False)
    assert test.statistic == pytest.approx(expected.statistic, rel=1e-9, abs=1e-9)
    assert test.p_value == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)
    assert test.degrees_of_freedom == expected.dof
    assert chi_squared(reference, current) == test.statistic
    assert cramers_v(reference, current) == test.cramers_v
    if table.shape[1] > 1:
        assert test.cramers_v == pytest.approx(association(table, method="cramer"), abs=1e-9)


def test_with_a_single_bin_nothing_can_differ():
    test = chi_squared_test([0, 70], [0, 3])
    assert (test.statistic, test.degrees_of_freedom, test.p_value, test.cramers_v) == (0.0, 0, 1.0, 0.0)


@pytest.mark.parametrize(
    ("reference", "current", "stated"),
    [
        pytest.param([200, 800], [400, 600], 0.21, id="two-levels"),
        pytest.param([200, 800, 100], [400, 600, 0], 0.30, id="a-level-disappears"),
        pytest.param([200, 800, 10, 10], [400, 620, 0, 0], 0.228, id="rare-levels"),
        pytest.param([1000, 0], [0, 1000], 1.0, id="nothing-shared"),
    ],
)
def test_against_deepchecks_whose_v_is_corrected_for_bias(reference, current, stated):
    """deepchecks, tests/utils/drift_test.py, all to 0.01; the correction is Bergsma's (2013), which ours leaves out."""
    rows, bins = sum(reference) + sum(current), len(reference)
    phi = max(0.0, cramers_v(reference, current) ** 2 - (bins - 1) / (rows - 1))
    corrected_bins, corrected_sides = bins - (bins - 1) ** 2 / (rows - 1), 2 - 1 / (rows - 1)
    corrected = np.sqrt(phi / min(corrected_bins - 1, corrected_sides - 1))
    assert corrected == pytest.approx(stated, abs=0.01)
    assert cramers_v(reference, current) == pytest.approx(corrected, abs=0.01)


@given(side, side)
def test_balanced_v_is_cramers_v_where_the_sides_have_equally_many_rows(reference, current):
    """Any two samples, brought to the same rows by repetition."""
    same = [a * sum(current) for a in reference], [b * sum(reference) for b in current]
    assert balanced_cramers_v(reference, current) == pytest.approx(cramers_v(*same), abs=1e-9)


def test_the_size_of_a_drift_does_not_depend_on_how_long_the_reference_is():
    """Half of a window's rows move, against a reference of 100 times its rows: plain V stays below the usual 0.1."""
    reference, current = [50_000, 50_000], [750, 250]
    assert cramers_v(reference, current) < 0.1
    assert drift_metric("chi_squared").effect(reference, current) == pytest.approx(cramers_v([500, 500], [750, 250]))


def test_without_drift_the_p_value_is_uniform():
    rng = np.random.default_rng(0)
    pairs = zip(rng.multinomial(400, [0.2] * 5, 4000), rng.multinomial(4000, [0.2] * 5, 4000), strict=True)
    p_values = np.array([chi_squared_test(reference, current).p_value for reference, current in pairs])
    for level in (0.01, 0.05, 0.5):
        assert np.mean(p_values <= level) == pytest.approx(level, abs=4 * np.sqrt(level * (1 - level) / 4000))
