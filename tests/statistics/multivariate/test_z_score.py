"""What a value means beside those of windows without drift: simulated, for the mixture has no closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from monitoring_tasks.statistics.multivariate import Undrifted, ZScore, domain_classifier

PARTS, DRAWN = 10, 2000


def rates(mean: float, deviation: float) -> dict[str, float]:
    """Return the share of values without drift that are below 5 % beside ten others."""
    rng = np.random.default_rng(1)
    below = {"upper": 0, "both": 0}
    for values in rng.normal(0, deviation, (DRAWN, PARTS + 1)):
        upper = [ZScore(float(value) + mean, 500.0) for value in values]
        both = [ZScore(float(value), 500.0) for value in values]
        below["upper"] += Undrifted.around_their_mean(upper[1:]).upper_tail(upper[0]) < 0.05
        below["both"] += Undrifted.around_zero(both[1:]).both_tails(both[0]) < 0.05
    return {name: number / DRAWN for name, number in below.items()}


@pytest.mark.parametrize(
    ("mean", "deviation", "most"), [(0, 1, 1.5), (0, 2, 2), (8, 1, 1.5), (30, 4, 1.5), (30, 20, 1.5)]
)
def test_undrifted_values_are_significant_about_as_often_as_they_should(mean, deviation, most):
    found = rates(mean, deviation)
    assert all(0.3 * 0.05 <= rate <= most * 0.05 for rate in found.values()), found


def test_where_rows_surely_hang_together_it_is_students_t():
    """With ten parts: nine degrees of freedom around their mean (Student 1908), as predictions have."""
    values = np.random.default_rng(2).normal(300, 40, PARTS)
    undrifted = Undrifted.around_their_mean([ZScore(float(value), 500.0) for value in values])
    t = (420 - values.mean()) / (values.std(ddof=1) * math.sqrt(1 + 1 / PARTS))
    assert undrifted.upper_tail(ZScore(420, 500.0)) == pytest.approx(stats.t.sf(t, PARTS - 1), rel=0.02)
    assert undrifted.usual(500.0) == pytest.approx(values.mean())


def test_without_parts_rows_are_independent():
    for undrifted in (Undrifted.around_their_mean([]), Undrifted.around_zero([ZScore(9.0, 1.0)])):
        assert undrifted.upper_tail(ZScore(1.96, 500.0)) == pytest.approx(stats.norm.sf(1.96))
        assert undrifted.both_tails(ZScore(1.96, 500.0)) == pytest.approx(2 * stats.norm.sf(1.96))
        assert (undrifted.design_effect(500.0), undrifted.usual(500.0)) == (1.0, 0.0)


def test_customers_who_come_twenty_times_are_no_drift():
    """Without the parts an AUC as high as this has a p-value of nothing."""
    rng = np.random.default_rng(3)
    days = [np.repeat(rng.standard_normal((20, 4)), 20, axis=0)[rng.permutation(400)] for _ in range(12)]
    scores = []
    for number, day in enumerate(days):
        others = np.vstack([other for place, other in enumerate(days) if place != number])
        scores.append(domain_classifier(others[rng.permutation(len(others))], day).z)
    *parts, last = scores
    assert stats.norm.sf(last.value) < 1e-6
    assert 0.01 < Undrifted.around_their_mean(parts).upper_tail(last) < 0.99
