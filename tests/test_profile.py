"""Profiles are values: they add up and survive being written."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring_tasks.columns import Column
from monitoring_tasks.profile import (
    Baseline,
    Bins,
    ColumnProfile,
    Profile,
    added,
    column_from_json,
    column_to_json,
    just_above,
    named_values,
)
from monitoring_tasks.window import Window
from tests.warehouse import oracle

START = datetime(2013, 4, 1, tzinfo=UTC)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=6)

EDGES = st.lists(FINITE, unique=True, max_size=8).map(lambda edges: tuple(sorted(edges)))
NUMERIC = st.builds(Bins, kind=st.sampled_from(["numeric", "timestamp"]), edges=EDGES, exponent=st.integers(-400, 400))
FAR = st.builds(
    Bins,
    kind=st.just("numeric"),
    edges=EDGES,
    exponent=st.integers(-400, 400),
    origin=FINITE.filter(bool),
    spread_exponent=st.integers(-400, 400),
)
CATEGORICAL = st.builds(
    Bins,
    kind=st.just("categorical"),
    categories=st.lists(TEXTS, unique=True, max_size=5).map(tuple),
    others=st.lists(TEXTS, unique=True, max_size=5).map(tuple),
    open_ended=st.booleans(),
)
BINS = NUMERIC | FAR | CATEGORICAL
COLUMNS = st.builds(
    ColumnProfile,
    column=TEXTS,
    kind=st.sampled_from(["numeric", "categorical", "timestamp"]),
    counts=st.lists(st.integers(0, 2**62), min_size=3, max_size=8).map(tuple),
    minimum=st.none() | FINITE,
    maximum=st.none() | FINITE,
    total=st.none() | FINITE,
    total_squares=st.none() | FINITE,
    origin=st.just(0.0) | FINITE.filter(bool),
    unseen=st.none() | st.lists(st.tuples(TEXTS, st.integers(1, 2**40)), max_size=3).map(tuple),
)


def by_name(columns: list[ColumnProfile]) -> dict[str, ColumnProfile]:
    return {column.column: column for column in columns}


BASELINES = st.builds(
    Baseline,
    monitor=TEXTS,
    definition=st.dictionaries(TEXTS, st.none() | st.integers() | TEXTS | st.lists(TEXTS)),
    bins=st.dictionaries(TEXTS, BINS, max_size=3),
    columns=st.lists(COLUMNS, max_size=3).map(by_name),
    rows=st.integers(0, 2**62),
    segments=st.dictionaries(TEXTS, st.lists(COLUMNS, max_size=2).map(by_name), max_size=2),
)


def through_text(values: dict[str, Any]) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(json.dumps(values, allow_nan=False))
    return read


@given(BINS)
def test_bins_survive_json_exactly(bins: Bins) -> None:
    assert Bins.from_json(through_text(bins.to_json())) == bins


@given(COLUMNS)
def test_a_column_survives_json_exactly(column: ColumnProfile) -> None:
    assert column_from_json(column.column, through_text(column_to_json(column))) == column


@given(BASELINES)
@settings(max_examples=50)
def test_a_baseline_survives_json_exactly_with_its_id(baseline: Baseline) -> None:
    read = Baseline.from_json(through_text(baseline.to_json()))
    assert read == baseline
    assert read.id == baseline.id


def test_without_an_origin_the_json_is_that_of_the_first_release() -> None:
    """A baseline's id is a digest of it."""
    assert list(Bins("numeric", (0.0, 1.0)).to_json()) == ["kind", "edges", "exponent"]
    names = ["kind", "counts", "minimum", "maximum", "total", "total_squares"]
    assert list(column_to_json(ColumnProfile("x", "numeric", (0, 0, 5, 0), 0.0, 0.5, 1.0, 1.0))) == names


def test_without_unseen_values_the_json_is_that_of_the_first_release() -> None:
    column = ColumnProfile("x", "categorical", (0, 5, 0, 2))
    assert "unseen" not in column_to_json(column)
    assert column_to_json(replace(column, unseen=None))["unseen"] is None
    assert column_to_json(replace(column, unseen=(("a", 2),)))["unseen"] == [["a", 2]]


def test_a_baseline_of_other_rows_has_another_id() -> None:
    bins = {"x": Bins("numeric", (0.0, 1.0))}
    one = Baseline("m", {}, bins, {"x": ColumnProfile("x", "numeric", (0, 0, 5, 0), 0.0, 0.5, 1.0, 1.0)}, 5)
    other = Baseline("m", {}, bins, {"x": ColumnProfile("x", "numeric", (0, 0, 4, 1), 0.0, 0.5, 1.0, 1.0)}, 5)
    assert one.id != other.id
    assert len(one.id) == 16


WHOLE_UNITS = st.integers(-(2**20), 2**20).map(lambda units: units / 2**10)
"""Numbers whose sums and squares are whole units of bins of exponent 11: their totals have no rounding."""


@given(
    values=st.lists(st.none() | st.just(math.nan) | WHOLE_UNITS, max_size=60),
    cut=st.integers(0, 60),
    bins=st.lists(st.floats(-1000, 1000), unique=True, max_size=8).map(
        lambda edges: Bins("numeric", tuple(sorted(edges)), exponent=11)
    ),
)
def test_profiles_of_adjacent_windows_add_up_to_the_profile_of_their_union(
    values: list[float | None], cut: int, bins: Bins
) -> None:
    column = Column("x", "numeric", "number", ("feature",))
    first, second, whole = (oracle.column(column, bins, part) for part in (values[:cut], values[cut:], values))
    for both in (first + second, second + first):
        assert (both.counts, both.minimum, both.maximum) == (whole.counts, whole.minimum, whole.maximum)
        assert both.total == whole.total
        assert both.total_squares == whole.total_squares
        assert (both.rows, both.nulls) == (len(values), whole.nulls)
    left = whole.without(first)
    assert left is not None
    assert (left.counts, left.total, left.total_squares) == (second.counts, second.total, second.total_squares)
    assert first.without(whole) is None or not any(second.counts)


@given(st.lists(st.sampled_from([None, "a", "b", "c", "d"]), max_size=30), st.integers(0, 30))
def test_categories_of_adjacent_windows_add_up(values: list[str | None], cut: int) -> None:
    bins = Bins("categorical", categories=("a", "b"), others=("c",))
    column = Column("x", "categorical", "string", ("feature",))
    first, second, whole = (oracle.column(column, bins, part) for part in (values[:cut], values[cut:], values))
    assert first + second == second + first == whole


NEW = st.one_of(
    st.sampled_from(["ANC", "HDN", "ñ", "", "nul\0", "nul␀", "w" * 200, "w" * 201, "w" * 300]),
    st.integers(0, 30).map(str),
)


@given(
    values=st.lists(NEW, max_size=60),
    cuts=st.lists(st.integers(0, 60), max_size=3),
    order=st.randoms(use_true_random=False),
)
def test_named_unseen_values_add_up_in_any_order_and_grouping(
    values: list[str], cuts: list[int], order: random.Random
) -> None:
    """Also where there are more than can be named in the sum, in a part, or in both."""
    bins = Bins("categorical", categories=("a",))
    column = Column("x", "categorical", "string", ("feature",))
    whole = oracle.column(column, bins, values)
    places = sorted({0, *cuts, 60})
    parts = [oracle.column(column, bins, values[low:high]) for low, high in pairwise(places)]
    while len(parts) > 1:  # add up any two, until one is left
        one, other = (parts.pop(order.randrange(len(parts))) for _ in range(2))
        parts.append(one + other)
    assert parts == [whole]
    if whole.unseen is not None:
        assert sum(rows for _, rows in whole.unseen) == whole.counts[-1] == len(values)


@pytest.mark.parametrize(("names", "named"), [(20, True), (21, False)])
def test_twenty_values_are_named(names: int, named: bool) -> None:
    """Values of one name are one."""
    values = [(f"value {i}", i) for i in range(1, names)] + [("w" * 201, 1), ("w" * 202, 1)]
    found = named_values(values)
    assert (found is not None) == named
    if found is not None:
        assert found[0] == ("value 19", 19)
        assert found[-3:] == (("value 2", 2), ("w" * 200, 2), ("value 1", 1))


def profile(start: int, end: int, column: ColumnProfile, segment: str = "", **unreadable: str) -> Profile:
    window = Window(START + timedelta(hours=start), START + timedelta(hours=end))
    return Profile(window, column.rows, {column.column: column}, segment, unreadable)


ONE = ColumnProfile("x", "numeric", (1, 0, 2, 0), -1.0, 1.0, 0.5, 2.0)
NONE = ColumnProfile("x", "numeric", (3, 0, 0, 0))


def test_profiles_add_up_in_either_order() -> None:
    both = profile(0, 2, ColumnProfile("x", "numeric", (4, 0, 2, 0), -1.0, 1.0, 0.5, 2.0))
    assert profile(0, 1, ONE) + profile(1, 2, NONE) == profile(1, 2, NONE) + profile(0, 1, ONE) == both


def test_what_could_not_be_read_in_one_window_cannot_be_read_in_the_sum() -> None:
    other = ColumnProfile("y", "numeric", (1, 0, 0))
    added = profile(0, 1, ONE, y="y is text") + profile(1, 2, other, x="x is gone")
    assert added.columns == {}
    assert added.unreadable == {"y": "y is text", "x": "x is gone"}


@pytest.mark.parametrize(
    "other",
    [profile(2, 3, ONE), profile(0, 1, ONE), profile(1, 2, ONE, "origin=JFK")],
    ids=["with a gap", "of the same window", "of another segment"],
)
def test_windows_that_are_no_neighbours_do_not_add_up(other: Profile) -> None:
    with pytest.raises(ValueError, match="profiles add up over neighbouring windows of one segment, not 2013-04-01T"):
        profile(0, 1, ONE) + other


@pytest.mark.parametrize(
    "other",
    [
        ColumnProfile("y", "numeric", (0, 0, 0, 0)),
        ColumnProfile("x", "timestamp", (0, 0, 0, 0)),
        ColumnProfile("x", "numeric", (0, 0, 0)),
    ],
    ids=["another column", "another kind", "other bins"],
)
def test_columns_on_other_bins_do_not_add_up(other: ColumnProfile) -> None:
    with pytest.raises(ValueError, match="profiles add up only on the same bins: 'x' \\(numeric, 4 bins\\) and"):
        ONE + other


def test_squares_of_distances_to_other_origins_do_not_add_up() -> None:
    with pytest.raises(ValueError, match=r"the squares of 'x' are of distances to 0\.0 and to 100000000\.0"):
        ONE + replace(ONE, origin=1e8)


def test_the_standard_deviation_is_taken_from_the_origin() -> None:
    column = ColumnProfile("x", "numeric", (5, 0, 3, 1), 1.0, 4.0, total=4e8 + 10, total_squares=30.0, origin=1e8)
    assert column.mean == 1e8 + 2.5
    assert column.standard_deviation == math.sqrt(30 / 4 - 2.5**2)


def test_mean_and_standard_deviation_are_of_the_values_that_are_not_null() -> None:
    column = ColumnProfile("x", "numeric", (5, 0, 3, 1), 1.0, 4.0, total=10.0, total_squares=30.0)
    assert column.mean == 2.5
    assert column.standard_deviation == pytest.approx(math.sqrt(30 / 4 - 2.5**2))
    assert NONE.mean is None
    assert NONE.standard_deviation is None


def test_rounding_makes_no_negative_variance() -> None:
    third = ColumnProfile("x", "numeric", (0, 0, 3, 0), 0.1, 0.1, total=0.1 * 3, total_squares=0.1 * 0.1 * 3 - 1e-17)
    assert third.standard_deviation == 0.0


@given(st.floats(-1e308, 1e308))
def test_just_above_is_above_and_can_be_written_in_sql(value: float) -> None:
    above = just_above(value)
    assert above > value
    assert above == math.nextafter(value, math.inf) or above == 1e-300


CLOSE = st.lists(st.floats(1.7e9, 1.7e9 + 90), unique=True, max_size=8).map(lambda edges: tuple(sorted(edges)))


@given(NUMERIC | st.builds(Bins, kind=st.sampled_from(["numeric", "timestamp"]), edges=CLOSE))
def test_labels_differ_and_show_where_their_bin_ends(bins: Bins) -> None:
    labels = bins.labels()
    assert len(set(labels)) == len(labels) == len(bins)
    for label in labels[2:-1]:
        low, _, high = label.strip("[)]").partition(",")
        assert low != high


@pytest.mark.parametrize(
    ("bins", "labels"),
    [
        (Bins("numeric"), ("(null)", "(-inf,-inf)", "(-inf,inf)")),
        (Bins("numeric", (0.0, 1e-300, 2.5)), ("(null)", "(-inf,0)", "[0]", "[1e-300,2.5)", "[2.5,inf)")),
        (Bins("categorical", categories=("a", ""), others=("c",)), ("(null)", "a", "", "(other)", "(unseen)")),
        (
            Bins("numeric", (1e8, 1e8 + 0.5, 1e8 + 1)),
            ("(null)", "(-inf,100000000)", "[100000000,100000000.5)", "[100000000.5,100000001)", "[100000001,inf)"),
        ),
        (
            Bins("numeric", (0.3, just_above(0.3), just_above(just_above(0.3)))),
            (
                "(null)",
                "(-inf,0.29999999999999999)",
                "[0.29999999999999999]",
                "[0.30000000000000004]",
                "[0.3000000000000001,inf)",
            ),
        ),
        (
            Bins("timestamp", (1704067200.0, 1704067200.25, 1704070800.0)),
            (
                "(null)",
                "(-inf,2024-01-01 00:00:00.000000)",
                "[2024-01-01 00:00:00.000000,2024-01-01 00:00:00.250000)",
                "[2024-01-01 00:00:00.250000,2024-01-01 01:00:00.000000)",
                "[2024-01-01 01:00:00.000000,inf)",
            ),
        ),
        (
            Bins("timestamp", (-62135596800.0, just_above(-62135596800.0), -62135596799.0)),
            (
                "(null)",
                "(-inf,0001-01-01 00:00:00)",
                "[0001-01-01 00:00:00]",
                "[0001-01-01 00:00:00,0001-01-01 00:00:01)",
                "[0001-01-01 00:00:01,inf)",
            ),
        ),
        (
            Bins("timestamp", (0.0, 86400.0, 253402300800.0)),
            ("(null)", "(-inf,0)", "[0,86400)", "[86400,2.53402e+11)", "[2.53402e+11,inf)"),
        ),
        (
            Bins("timestamp", (0.0, 1e-9)),
            ("(null)", "(-inf,0)", "[0,1e-09)", "[1e-09,inf)"),
        ),
    ],
    ids=[
        "no edges",
        "edges",
        "categories",
        "far from zero",
        "neighbouring doubles",
        "within a second",
        "the first second of all",
        "beyond the year 9999",
        "closer than microseconds",
    ],
)
def test_every_bin_has_a_label(bins: Bins, labels: tuple[str, ...]) -> None:
    assert bins.labels() == labels
    assert len(bins) == len(labels)


def test_types_are_of_all_rows_and_no_segment_gets_them_by_adding_up() -> None:
    first, second = Window.parse("2024-03-01", "2024-03-02"), Window.parse("2024-03-02", "2024-03-03")
    whole = [Profile(window, 0, {}, types={"age": "integer"}) for window in (first, second)]
    whole_of_both, north = added([(whole[0], Profile(first, 0, {}, "region=north")), (whole[1],)])
    assert (whole_of_both.types, north.types) == ({"age": "integer"}, {})
