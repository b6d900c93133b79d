"""Benjamini-Hochberg and Holm against published decisions, other implementations and their own promise."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from monitoring_tasks.statistics.multiple_testing import benjamini_hochberg, holm, holm_p_values, simes

# Benjamini & Hochberg (1995), section 4.1: fifteen endpoints of a trial of thrombolysis in myocardial infarction.
FIFTEEN = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590,
    1.0000,
]  # fmt: skip

p_values = st.lists(st.floats(0, 1) | st.sampled_from([0.0, 0.01, 0.05, 1.0]), max_size=7)
rates = st.floats(0.001, 0.5)
procedures = pytest.mark.parametrize("procedure", [benjamini_hochberg, holm])


def test_against_benjamini_and_hochberg_1995():
    """The paper rejects four at 0.05 by its procedure, three by Bonferroni's (and Hochberg's)."""
    assert benjamini_hochberg(FIFTEEN, 0.05).tolist() == [True] * 4 + [False] * 11
    assert holm(FIFTEEN, 0.05).tolist() == [True] * 3 + [False] * 12


def test_a_late_p_value_carries_earlier_ones_along():
    """0.04 is over its own bound 2/4 * 0.05 and still rejected, for 0.05 is within the bound of the fourth."""
    assert benjamini_hochberg([0.05, 0.04, 0.045, 0.01], 0.05).all()


def test_holm_stops_at_the_first_failure():
    """0.03 > 0.05 / 2 stops it, though 0.04 is within the last bound, 0.05 / 1."""
    assert holm([0.01, 0.03, 0.04], 0.05).tolist() == [True, False, False]


@given(p_values.filter(len), rates)
def test_benjamini_hochberg_equals_scipys_adjusted_p_values(values, rate):
    adjusted = false_discovery_control(values)
    expected = adjusted <= rate
    close = np.abs(adjusted - rate) < 1e-12  # on the bound itself the two may round apart
    assert ((benjamini_hochberg(values, rate) == expected) | close).all()


@given(p_values, rates)
def test_holm_equals_the_closed_test_of_all_intersections(values, rate):
    """Holm (1979): a hypothesis falls if Bonferroni rejects every set of hypotheses it belongs to."""
    places = range(len(values))
    sets = [s for size in range(1, len(values) + 1) for s in combinations(places, size)]
    expected = [all(min(values[i] for i in s) <= rate / len(s) for s in sets if place in s) for place in places]
    assert holm(values, rate).tolist() == expected


def test_holm_p_values_are_those_of_r():
    """``p.adjust(c(0.01, 0.02, 0.03, 0.04, 0.05), "holm")`` in R."""
    assert holm_p_values([0.05, 0.01, 0.02, 0.03, 0.04]) == pytest.approx([0.09, 0.05, 0.08, 0.09, 0.09])
    assert holm_p_values([]).shape == (0,)


@given(p_values, rates)
def test_holm_rejects_where_its_p_value_is_at_most_the_rate(values, rate):
    adjusted = holm_p_values([*values, float("nan")])
    assert np.isnan(adjusted[-1])
    close = np.abs(adjusted[:-1] - rate) < 1e-12
    assert ((holm(values, rate) == (adjusted[:-1] <= rate)) | close).all()


@procedures
@given(values=p_values, rate=rates)
def test_what_was_not_tested_neither_counts_nor_is_rejected(procedure, values, rate):
    with_gaps = [x for value in values for x in (float("nan"), value)] + [float("nan")]
    assert procedure(with_gaps, rate)[1::2].tolist() == procedure(values, rate).tolist()
    assert not procedure(with_gaps, rate)[::2].any()


@given(p_values, rates)
def test_holm_rejects_no_less_than_bonferroni_and_no_more_than_benjamini_hochberg(values, rate):
    bonferroni = np.array(values) <= rate / max(len(values), 1)
    assert (bonferroni <= holm(values, rate)).all()
    assert (holm(values, rate) <= benjamini_hochberg(values, rate)).all()


@procedures
def test_without_drift_a_run_alarms_as_often_as_the_rate_says(procedure):
    """Independent uniform p-values: both reject anything at all in exactly (BH) or at most (Holm) `rate` of runs."""
    rng = np.random.default_rng(0)
    runs, rate = 4000, 0.05
    alarms = sum(procedure(rng.random(50), rate).any() for _ in range(runs))
    standard_error = (rate * (1 - rate) / runs) ** 0.5
    assert alarms / runs == pytest.approx(rate, abs=4 * standard_error)


def test_of_the_rejections_the_stated_share_is_false():
    """40 of 50 columns without drift: BH's false share is 40/50 of the rate."""
    rng = np.random.default_rng(1)
    false_shares = []
    for _ in range(2000):
        rejected = benjamini_hochberg(np.concatenate([rng.random(40), rng.random(10) * 1e-4]), 0.1)
        false_shares.append(rejected[:40].sum() / max(rejected.sum(), 1))
    assert np.mean(false_shares) == pytest.approx(0.08, abs=4 * np.std(false_shares) / 2000**0.5)


@procedures
def test_nothing_to_test_rejects_nothing(procedure):
    assert procedure([], 0.05).tolist() == []
    assert procedure([float("nan")], 0.05).tolist() == [False]


@procedures
@pytest.mark.parametrize(
    ("values", "rate", "message"),
    [
        ([[0.5]], 0.05, r"`p_values` must have one dimension, not the shape \(1, 1\)"),
        ([0.5, 1.5], 0.05, r"`p_values` must lie in \[0, 1\], not 1.5 \(position 1\)"),
        ([-0.1], 0.05, r"`p_values` must lie in \[0, 1\], not -0.1 \(position 0\)"),
        ([0.5], 0.0, r"`rate` must lie inside \(0, 1\), not 0"),
        ([0.5], 1.0, r"`rate` must lie inside \(0, 1\), not 1"),
        ([0.5], float("nan"), r"`rate` must lie inside \(0, 1\), not nan"),
    ],
)
def test_impossible_values_are_refused(procedure, values, rate, message):
    with pytest.raises(ValueError, match=message):
        procedure(values, rate)


@given(p_values.filter(len), rates)
def test_simes_is_at_most_a_rate_exactly_where_benjamini_hochberg_rejects_anything(values, rate):
    if abs(simes(values) - rate) > 1e-12:  # on the bound itself the two may round apart
        assert (simes(values) <= rate) == benjamini_hochberg(values, rate).any()


@given(p_values.filter(len))
def test_simes_is_the_smallest_of_scipys_adjusted_p_values(values):
    assert simes(values) == pytest.approx(false_discovery_control(values).min())
    assert simes([float("nan"), *values]) == simes(values)


def test_simes_of_nothing_tested_is_no_number():
    assert np.isnan(simes([]))
    assert np.isnan(simes([float("nan")]))
