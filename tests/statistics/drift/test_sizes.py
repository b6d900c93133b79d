"""One reference against many windows: the same as one by one, for every drift metric."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring_tasks.statistics.drift import DRIFT_METRICS, select, select_many, sizes

BINS = 20
rows = st.lists(st.integers(0, 10**5), min_size=BINS, max_size=BINS).filter(lambda counts: any(counts[1:]))


@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "one by one"])
@pytest.mark.parametrize("metric", DRIFT_METRICS, ids=lambda metric: metric.name)
@given(reference=rows, windows=st.lists(rows, min_size=1, max_size=4), ends=st.integers(0, 5))
def test_many_windows_have_the_sizes_of_each(metric, at_once, reference, windows, ends):
    """A metric of one's own has no form for many windows: then its function is called for each."""
    asked = metric if at_once else replace(metric, many=None, many_effects=None)
    edges = np.arange(len(windows))[:, np.newaxis] * -ends + np.zeros((len(windows), BINS))
    edges = np.sort(np.column_stack((edges[:, :1], np.tile(np.arange(1.0, BINS), (len(windows), 1)))), axis=1)
    for layout in metric.layouts:
        found = sizes(asked, *select_many(metric, layout, np.array(reference), np.array(windows)), edges, 2.0)
        expected = []
        for window, its in zip(windows, edges, strict=True):
            pair = select(metric, layout, reference, window)
            one = metric.effect or metric.function
            expected.append(one(*pair, *((its, 2.0) if metric.needs_edges else ())))
        assert found.tolist() == pytest.approx(expected, rel=1e-9, abs=1e-12)
