"""Held against numpy's binary search: the same places for any edges and values."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring_tasks.statistics.bin_search import BinSearch

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
EDGES = st.lists(
    st.one_of(
        FLOATS, st.floats(-3, 3), st.integers(-20, 20).map(float), st.sampled_from([5e-324, 1e-300, -0.0, 1e308])
    ),
    max_size=60,
    unique=True,
).map(sorted)
RNG = np.random.default_rng(20130401)
SHAPES = {
    "normal": RNG.normal(size=20_000),
    "log-normal": RNG.lognormal(sigma=2, size=20_000),
    "cauchy": RNG.standard_cauchy(size=20_000),
    "seconds since 1970": 1.36e9 + 2.6e6 * RNG.random(20_000),
    "whole numbers": RNG.integers(0, 24, 20_000).astype(float),
    "with an outlier": np.append(RNG.normal(size=20_000), 1e300),
}


def neighbours(edges: list[float]) -> list[float]:
    return [math.nextafter(edge, to) for edge in edges for to in (-math.inf, math.inf)]


@given(EDGES, st.lists(st.floats(allow_nan=False), max_size=30))
def test_every_value_is_where_a_binary_search_puts_it(edges: list[float], values: list[float]) -> None:
    x = np.array([*values, *edges, *neighbours(edges), 0.0, -0.0, math.inf, -math.inf])
    expected = np.searchsorted(np.array(edges), x, side="right")
    found = BinSearch(edges)(x)
    assert found.dtype == np.intp
    assert found.tolist() == expected.tolist()


@pytest.mark.parametrize("name", SHAPES)
def test_quantiles_of_any_shape_are_found_by_a_table(name: str) -> None:
    """A binary search would cost ten times as much; it is left to edges that no table tells apart."""
    values = SHAPES[name]
    edges = np.unique(np.quantile(values, np.arange(33) / 32))
    search = BinSearch(edges)
    assert search.steps is not None
    assert search.steps <= 2
    assert (search(values) == np.searchsorted(edges, values, side="right")).all()


def test_edges_that_no_table_tells_apart_are_searched() -> None:
    edges = [1.0]
    for _ in range(20):
        edges.append(math.nextafter(edges[-1], 2))
    edges = [-1e300, *edges, 1e300]
    search = BinSearch(edges)
    assert search.steps is None
    assert search(np.array(edges)).tolist() == list(range(1, 24))
    assert all(before < after for before, after in pairwise(edges))


def test_without_edges_everything_is_in_the_one_bin() -> None:
    assert BinSearch([])(np.array([-1.0, math.inf])).tolist() == [0, 0]


def test_no_values_have_no_places() -> None:
    assert BinSearch([1.0, 2.0])(np.array([])).tolist() == []
