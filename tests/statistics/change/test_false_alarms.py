"""The false alarms without change that the docstrings name, simulated anew."""

import numpy as np
import pytest

from monitoring_tasks.statistics.change import (
    CHANGE_DETECTORS,
    adwin,
    change_detector,
    cusum,
    effective_rows,
    hddm_w,
    standard_deviation_of_means,
)
from tests.statistics.change.streams import generator

pytestmark = pytest.mark.integration

PER_10_000_ROWS = {
    0.1: {"page_hinkley": 0.04, "cusum": 47, "adwin": 0, "ddm": 0.64, "hddm_a": 0.07, "hddm_w": 0, "kswin": 0},
    0.3: {"page_hinkley": 0.46, "cusum": 27.7, "adwin": 0, "ddm": 0.33, "hddm_a": 0.2, "hddm_w": 3.8, "kswin": 0.8},
}
"""Of 0/1 errors at a rate of 0.1 and 0.3, in series of 10,000 rows; 100 series made the docstrings' numbers."""

PER_1000_BATCHES = {
    "page_hinkley": (21.8, 96.8, 4.7),
    "adwin": (0.04, 59.4, 0),
    "ddm": (0.09, 11.3, 0.17),
    "hddm_a": (0, 3.05, 0),
    "hddm_w": (0, 0, 0),
    "kswin": (0.8, 1.05, 1.05),
}
"""Of 1000 rows at a rate of 0.1: without levels of their own, with a standard deviation of 0.02, and that with
`effective_rows`; in series of 1000 batches."""

SERIES = 30


def near(count, expected):
    """Within five standard deviations of a count, and three more: alarms come in groups, and numbers are rounded."""
    return abs(count - expected) <= 5 * expected**0.5 + 3


@pytest.mark.parametrize("rate", PER_10_000_ROWS)
@pytest.mark.parametrize("detector", CHANGE_DETECTORS, ids=lambda detector: detector.name)
def test_of_rows(detector, rate):
    rng = generator(21)
    settings = {"target": rate, "standard_deviation": (rate * (1 - rate)) ** 0.5} if detector.standardised else {}
    count = sum(len(detector.function(rng.random(10_000) < rate, **settings).changes) for _ in range(SERIES))
    assert near(count, SERIES * PER_10_000_ROWS[rate][detector.name])


@pytest.mark.parametrize("name", PER_1000_BATCHES)
def test_of_batches(name):
    rows = np.full(1000, 1000)
    detect = change_detector(name).function
    cases = ((0.0, rows), (0.02, rows), (0.02, effective_rows(rows, 0.3, 0.02)))
    for (between, counted), expected in zip(cases, PER_1000_BATCHES[name], strict=True):
        rng = generator(22)
        count = sum(len(detect(means(rng, rows, between), rows=counted).changes) for _ in range(SERIES))
        assert near(count, SERIES * expected)


@pytest.mark.parametrize(("between", "told", "expected"), [(0.0, 0.0, 2.14), (0.02, 0.0, 108.8), (0.02, 0.02, 2.2)])
def test_of_batches_by_cusum(between, told, expected):
    rng, rows = generator(23), np.full(1000, 1000)
    deviations = standard_deviation_of_means(rows, 0.3, told)
    count = sum(len(cusum(means(rng, rows, between), 0.1, deviations).changes) for _ in range(SERIES))
    assert near(count, SERIES * expected)


def test_of_batches_by_adwin_without_the_variance_inside():
    rng, rows = generator(24), np.full(1000, 1000)
    count = sum(len(adwin(means(rng, rows, 0.0), rows=rows, variances=0).changes) for _ in range(SERIES))
    assert near(count, SERIES * 297.5)


@pytest.mark.parametrize(("between", "rows", "expected"), [(0.0, 1000, 0), (0.02, 1000, 1.6), (0.02, 184, 0)])
def test_of_batches_by_hddm_w_that_forgets_by_batches(between, rows, expected):
    rng, drawn = generator(26), np.full(1000, 1000)
    batches = [means(rng, drawn, between) for _ in range(SERIES)]
    count = sum(len(hddm_w(each, rows=np.full(1000, rows), weight=0.05 / rows).changes) for each in batches)
    assert near(count, SERIES * expected)


@pytest.mark.parametrize(("rate", "expected"), [(0.05, 0.83), (0.1, 0.37), (0.3, 0.07)])
def test_of_errors_by_cusum_with_a_high_threshold(rate, expected):
    errors = generator(25).random(300_000) < rate
    changes = cusum(errors, rate, (rate * (1 - rate)) ** 0.5, drift=0.25, threshold=20).changes
    assert near(len(changes), 30 * expected)


def means(rng, rows, between):
    rates = np.clip(rng.normal(0.1, between, rows.size), 0.001, 0.999)
    return rng.binomial(rows, rates) / rows
