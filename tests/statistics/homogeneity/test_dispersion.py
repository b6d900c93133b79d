"""The average over what is known of the dispersion, against its limits and what its constants' docstrings state."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import ndtr
from scipy.stats import chi2, norm, t

from monitoring_tasks.statistics.homogeneity.dispersion import (
    INDEPENDENT,
    LARGEST,
    NODES,
    PRIOR,
    Dispersion,
    shared_priors,
)


def normal(z):
    """Two-sided p-value of a z-statistic whose variance is inflated."""
    return lambda dispersion: 2 * ndtr(-z / np.sqrt(dispersion))


def integrated(total, parts, function):
    """Integral of a function of D times prior and likelihood, log-uniform from 1 to LARGEST, and that of D = 1."""

    def likelihood(log_dispersion: float) -> float:
        inverse = math.exp(-log_dispersion)
        return math.exp((parts - 1) / 2 * (-log_dispersion) - total / 2 * inverse + offset)

    peak = min(max(total / (parts - 1), 1.0), LARGEST)
    offset = (parts - 1) / 2 * math.log(peak) + total / 2 / peak
    around = [math.log(peak) + step / math.sqrt(parts) for step in (-6, -2, 0, 2, 6)]
    points = [0.0, *(each for each in around if 0 < each < math.log(LARGEST)), math.log(LARGEST)]
    other = sum(
        quad(lambda x: likelihood(x) * float(function(math.exp(x))), low, high)[0]
        for low, high in itertools.pairwise(points)
    ) / math.log(LARGEST)
    return other, math.exp(-total / 2 + offset)


@pytest.mark.parametrize(
    ("total", "parts"),
    [
        (3.0, 3),
        (8.0, 10),
        (30.0, 30),
        (60.0, 30),
        (200.0, 30),
        (30.0, 100),
        (1000.0, 1000),
        (1300.0, 1000),
        (60.0, 400),
    ],
)
def test_the_belief_is_that_of_bayes_rule(total, parts):
    """The integral over the dispersion by quadrature, instead of the incomplete gamma function and its quantiles."""
    belief = Dispersion(total, parts)
    other, same = integrated(total, parts, lambda _: 1.0)
    independent = INDEPENDENT * same / (INDEPENDENT * same + (1 - INDEPENDENT) * other)
    assert belief.independent == pytest.approx(independent, rel=1e-3)  # the limit above is left out
    for z in (2.0, 3.0, 4.0):
        tail = integrated(total, parts, normal(z))[0] / other
        expected = independent * 2 * norm.sf(z) + (1 - independent) * tail
        assert belief.averaged(normal(z)) == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("parts", [0, 1, 1.9])
def test_without_two_parts_rows_are_independent(parts):
    belief = Dispersion(1e6, parts)
    assert (belief.independent, belief.mean) == (1.0, 1.0)
    assert belief.averaged(normal(3.0)) == 2 * ndtr(-3.0)


@pytest.mark.parametrize("parts", [5, 10, 30, 100])
@pytest.mark.parametrize("dispersion", [50.0, 300.0])
def test_where_rows_surely_hang_together_it_is_students_t(parts, dispersion):
    belief = Dispersion(dispersion * (parts - 1), parts)
    for quantile in (1.0, 2.0, 3.0, 4.0):
        if 2 * t.sf(quantile, parts - 1) > 1e-4:
            p_value = belief.averaged(normal(quantile * math.sqrt(dispersion)))
            assert p_value == pytest.approx(2 * t.sf(quantile, parts - 1), rel=0.02)


@given(st.floats(0, 1e7), st.floats(0, 1e4), st.floats(0, 40))
def test_the_average_is_never_below_the_p_value_of_independent_rows(total, parts, z):
    belief = Dispersion(total, parts)
    at_one = 2 * ndtr(-z)
    assert at_one * (1 - 1e-9) <= belief.averaged(normal(z)) <= 1
    assert 0 <= belief.independent <= 1
    assert 1 <= belief.mean <= LARGEST * (1 + 1e-9)


@pytest.mark.parametrize(("total", "parts"), [(20.0, 2000), (5.0, 400), (2000.0, 21_600), (1e-9, 1e4), (50.0, 1e5)])
def test_parts_that_differ_less_than_independent_rows_do_not_hide_drift(total, parts):
    """Every day the same timetable. Once a probability below 1e-300 turned into a dispersion of 10,000 here."""
    belief = Dispersion(total, parts)
    assert belief.independent > 0.99
    assert belief.mean == pytest.approx(1.0, abs=1e-3)
    assert belief.averaged(normal(5.0)) == pytest.approx(2 * norm.sf(5.0), rel=0.02)


def test_what_rows_have_in_common_counts_the_more_the_more_there_are():
    """A window of twice the rows of the parts has a dispersion of 2 D - 1."""
    belief = Dispersion(300.0 * 999, 1000, rows=500.0)
    seen = []
    belief.averaged(lambda dispersion: (seen.append(dispersion.copy()), np.ones_like(dispersion))[1], rows=1000)
    twice = seen[-1]
    seen.clear()
    belief.averaged(lambda dispersion: (seen.append(dispersion.copy()), np.ones_like(dispersion))[1], rows=500)
    assert twice == pytest.approx(2 * seen[-1] - 1)


def rejected(rate: float, dispersion: float, parts: int = 30) -> float:
    """Share of windows without drift that are rejected: over what the parts' squares may come to, by quantiles."""
    chances = (np.arange(400) + 0.5) / 400
    rejections = []
    for total in dispersion * chi2.ppf(chances, parts - 1):
        belief = Dispersion(float(total), parts)
        low, high = 0.0, 400.0
        while high - low > 1e-3:
            middle = (low + high) / 2
            low, high = (middle, high) if belief.averaged(normal(middle)) > rate else (low, middle)
        rejections.append(2 * norm.sf(high / math.sqrt(dispersion)))
    return float(np.mean(rejections) / rate)


@pytest.mark.parametrize(
    ("rate", "independent", "twice"), [(0.01, 0.83, 1.6), (0.001, 0.69, 2.3), (0.00005, 0.47, 3.4)]
)
def test_the_rates_that_the_constant_states(rate, independent, twice):
    """See INDEPENDENT; here by quantiles of the chi-squared distribution instead of draws."""
    assert rejected(rate, 1.0) == pytest.approx(independent, rel=0.1)
    assert rejected(rate, 2.0) == pytest.approx(twice, rel=0.15)
    assert rejected(rate, 6.0) == pytest.approx(1.0, abs=0.3)


@pytest.mark.parametrize(("rate", "off"), [(0.01, 0.25), (0.001, 0.3), (0.00005, 0.45)])
@pytest.mark.parametrize("dispersion", [1.0, 1.3, 2.0, 6.0])
def test_fifty_columns_tell_each_other_what_to_expect(rate, off, dispersion):
    """Alone, columns of thirty parts reject 0.47 to 3.4 times the rate of 0.005 %, see INDEPENDENT."""
    rng = np.random.default_rng(20240301)
    quantiles = np.linspace(0, 40, 1601)
    p_values = normal(quantiles[:, None])(NODES)
    rejections = []
    for _ in range(10):
        beliefs = [Dispersion(float(total), 30) for total in dispersion * rng.chisquare(29, 50)]
        priors = shared_priors(np.array([each.log_likelihood for each in beliefs]))
        assert priors.sum(axis=1) == pytest.approx(1)
        for belief, prior in zip(beliefs, priors, strict=True):
            averaged = p_values @ replace(belief, prior=prior).belief
            rejections.append(2 * norm.sf(quantiles[np.argmax(averaged <= rate)] / math.sqrt(dispersion)))
    assert np.mean(rejections) / rate == pytest.approx(1.0, abs=off)


def test_one_column_alone_expects_what_was_expected_before():
    assert shared_priors(Dispersion(60.0, 30).log_likelihood[None])[0] == pytest.approx(PRIOR)
