"""What distances are by chance, against windows that are drawn here."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from monitoring_tasks.statistics.drift import DRIFT_METRICS, drift_metric
from monitoring_tasks.statistics.null_distribution import null_distribution

every_metric = pytest.mark.parametrize("metric", DRIFT_METRICS, ids=lambda metric: metric.name)
REFERENCES = {
    "uniform": np.full(10, 3000),
    "Zipf": np.round(30_000 / np.arange(1, 31) / np.sum(1 / np.arange(1, 31))).astype(int),
    "small": np.full(10, 100),
}


def extra(metric, bins):
    return (tuple(map(float, range(bins + 1))), 2.0) if metric.needs_edges else ()


@every_metric
@pytest.mark.parametrize("rows", [200, 5000])
@pytest.mark.parametrize("name", REFERENCES)
def test_mean_and_quantile_are_those_of_windows_that_are_drawn(metric, name, rows):
    """The bins' shares are drawn from what the reference leaves open, the windows from those."""
    reference, rng = REFERENCES[name], np.random.default_rng(1)
    windows = [rng.multinomial(rows, rng.dirichlet(reference + 0.5)) for _ in range(3000)]
    drawn = [metric.function(reference, each, *extra(metric, len(reference))) for each in windows]
    found = null_distribution(metric, reference, rows, *extra(metric, len(reference)))
    assert found.mean == pytest.approx(np.mean(drawn), rel=0.1)
    assert found.quantile(0.95) == pytest.approx(np.quantile(drawn, 0.95), rel=0.15)


@every_metric
def test_the_same_answer_every_time_and_the_quantile_undoes_the_p_value(metric):
    found = null_distribution(metric, [300] * 10, 500, *extra(metric, 10))
    assert found == null_distribution(metric, [300] * 10, 500, *extra(metric, 10))
    for chance in (0.1, 0.5, 0.95):
        assert 1 - found.p_value(found.quantile(chance)) == pytest.approx(chance, abs=0.03)  # draws tie


def test_a_metric_of_ones_own_needs_neither_many_nor_a_quadratic_form():
    own = replace(drift_metric("total_variation"), name="own", many=None)
    assert null_distribution(own, [300] * 10, 500).mean == pytest.approx(
        null_distribution(drift_metric("total_variation"), [300] * 10, 500).mean, rel=0.1
    )
