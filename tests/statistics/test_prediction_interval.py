"""The interval of the next value: the constants it stands on, Student's interval as its limit, and its error rate."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm, t

from monitoring_tasks.statistics.prediction_interval import (
    FREEDOM,
    MEAN_SQUARE,
    anscombe,
    from_anscombe,
    prediction_interval,
)
from monitoring_tasks.statistics.qn_scale import qn_scale


@pytest.mark.parametrize("n", sorted(FREEDOM))
def test_the_degrees_of_freedom_of_qn_squared(n):
    drawn = np.random.default_rng(n).standard_normal((8000, n))
    squares = np.array([qn_scale(each) for each in drawn]) ** 2
    assert squares.mean() == pytest.approx(MEAN_SQUARE[n], rel=0.06)
    assert 2 * squares.mean() ** 2 / squares.var() == pytest.approx(FREEDOM[n], rel=0.12)


def test_of_a_known_variance_it_is_the_normal_interval():
    interval = prediction_interval([0.0] * 8, least=1.0, most=1.0, sure=0.999999)
    low, high = interval.bounds(0.05)
    assert high == -low == pytest.approx(norm.ppf(0.975) * (1 + np.pi / 18) ** 0.5, rel=1e-4)


def test_of_an_unknown_variance_it_is_students_interval():
    """Where the least variance is far below what the values show, and any larger one may be."""
    values = [103.0, 98.0, 101.0, 96.0, 104.0, 99.0, 107.0, 95.0]
    interval = prediction_interval(values, least=0.1, most=100.0, sure=0.0)
    low, high = interval.bounds(0.02)
    scale = interval.scale / MEAN_SQUARE[8] ** 0.5 * (1 + np.pi / 18) ** 0.5
    assert (low + high) / 2 == pytest.approx(interval.median) == pytest.approx(100.0)
    assert (high - low) / 2 == pytest.approx(t.ppf(0.99, FREEDOM[8]) * scale, rel=0.05)


def test_the_p_value_at_a_bound_is_the_rate_and_falls_with_the_distance():
    interval = prediction_interval([20.0, 21.0, 19.5, 20.5, 22.0], least=1, most=20, sure=0.5)
    for rate in (0.2, 0.01, 1e-4):
        low, high = interval.bounds(rate)
        assert interval.p_value(low) == pytest.approx(rate) == pytest.approx(interval.p_value(high))
    assert interval.p_value(interval.median) == pytest.approx(1.0)


def test_only_the_last_eight_values_count():
    recent = [20.0, 21.0, 19.5, 20.5, 22.0, 20.1, 20.2, 20.3]
    assert prediction_interval([1e6, -1e6, *recent], least=1, most=9, sure=0.5) == prediction_interval(
        recent, least=1, most=9, sure=0.5
    )


@pytest.mark.parametrize(
    ("deviation", "most_often"), [(1.0, 0.012), (3.0, 0.042), (20.0, 0.026)], ids=["least", "hiding", "far above"]
)
def test_so_often_is_a_normal_value_outside(deviation, most_often):
    rng = np.random.default_rng(7)
    drawn = deviation * rng.standard_normal((1500, 8))
    # The share beyond each interval is exact, the intervals are drawn.
    ends = [prediction_interval(each, least=1.0, most=100.0, sure=0.5).bounds(0.02) for each in drawn]
    outside = np.mean([norm.cdf(low / deviation) + norm.sf(high / deviation) for low, high in ends])
    assert most_often / 2 < outside <= most_often


def test_anscombes_scale():
    """His variance of 1, to 2 % from 4 expected on; and back again."""
    drawn = np.random.default_rng(3).poisson(4, 200_000)
    assert np.var(anscombe(drawn)) == pytest.approx(1.0, abs=0.05)
    assert from_anscombe(float(anscombe(17))) == pytest.approx(17)
    assert from_anscombe(-3.0) == from_anscombe(0.5) == 0.0


@pytest.mark.parametrize(
    ("values", "settings", "message"),
    [
        ([1, 2, 3], {}, r"must be 4 or more numbers in one dimension, not the shape \(3,\)"),
        ([1, 2, 3, np.inf], {}, "must be finite"),
        ([1, 2, 3, 4], {"least": 0}, r"`least` \(0\), `most` \(9\) and `sure` \(0.5\) are not of that order"),
        ([1, 2, 3, 4], {"sure": 1}, "are not of that order"),
    ],
)
def test_what_says_nothing_is_refused(values, settings, message):
    with pytest.raises(ValueError, match=message):
        prediction_interval(values, **{"least": 1, "most": 9, "sure": 0.5} | settings)
    if len(values) == 4 and not settings:
        return
    with pytest.raises(ValueError, match="`rate` must be inside"):
        prediction_interval([1, 2, 3, 4], least=1, most=9, sure=0.5).bounds(0)
