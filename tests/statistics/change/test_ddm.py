"""DDM by its definition; the rows of river and frouros are in their own files."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring_tasks.statistics.change import ddm


def test_statistic_and_threshold_are_those_of_the_paper():
    """30 correct rows and one more leave p = s = 0 as the lowest point, so the first error is a change."""
    assert ddm([0] * 31 + [1]).changes == (31,)
    # 5 errors in 50 rows are the lowest point, 7 in 54 the end
    values = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0] * 5 + [1, 0, 1, 0]
    found = ddm(values)
    points = [(p := sum(values[:n]) / n) + math.sqrt(p * (1 - p) / n) for n in range(31, 55)]
    lowest = 31 + int(np.argmin(points))
    p = sum(values[:lowest]) / lowest
    assert found.statistic == pytest.approx(points[-1])
    assert found.threshold == pytest.approx(p + 3 * math.sqrt(p * (1 - p) / lowest))


@given(st.lists(st.tuples(st.floats(0.1, 0.9), st.integers(1, 50)), min_size=1, max_size=20))
def test_batches_have_the_error_rate_of_their_rows(drawn):
    values, rows = map(np.array, zip(*drawn, strict=True))
    settings = {"warm_start": 0, "drift_threshold": 1e9, "warning_threshold": 1e9}
    batched, single = ddm(values, rows=rows, **settings), ddm(np.repeat(values, rows), **settings)
    assert batched.statistic == pytest.approx(single.statistic, rel=1e-12)


def test_nothing_is_compared_until_it_is_warm():
    assert ddm([0, 1] * 15).statistic is None
    assert ddm([0, 1] * 15 + [0]).statistic is not None
    assert ddm([0.5], rows=[31]).statistic == pytest.approx(0.5 + 0.5 / 31**0.5)


@pytest.mark.parametrize("name", ["drift_threshold", "warning_threshold"])
def test_settings_out_of_range_are_refused(name):
    with pytest.raises(ValueError, match=rf"`{name}` must lie inside \(0, inf\), not 0: . is the paper's"):
        ddm([0.1], **{name: 0})


def test_a_warning_may_not_come_after_the_change():
    with pytest.raises(ValueError, match=r"`warning_threshold` must be at most `drift_threshold`, not 3\.5 with 3"):
        ddm([0.1], warning_threshold=3.5)
    values = [0, 0, 0, 0, 1] * 100 + [0, 1] * 60
    assert ddm(values).warnings
    assert ddm(values, warning_threshold=3.0).warnings == ()
