"""The picture of a column: which bins are drawn, and how wide."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring_tasks.alerts.message import Bars
from monitoring_tasks.alerts.picture import SHOWN, share_bars
from monitoring_tasks.alerts.text_picture import bar, bars, display_width, padded
from monitoring_tasks.profile import Bins, ColumnProfile

EDGES = tuple(float(edge) for edge in range(0, 210, 10))
TEMPERATURE = Bins("numeric", EDGES, exponent=8)
CITIES = Bins("categorical", categories=tuple(f"city {number:02}" for number in range(30)))


def numeric(*counts: int) -> ColumnProfile:
    return ColumnProfile("temp", "numeric", counts)


def categorical(*counts: int, unseen: tuple[tuple[str, int], ...] = ()) -> ColumnProfile:
    return ColumnProfile("city", "categorical", counts, unseen=unseen)


def drawn(bins: Bins, before: ColumnProfile, after: ColumnProfile) -> Bars:
    picture = share_bars("shares", bins, before, after)
    assert picture is not None
    return picture


def test_bins_that_hold_nothing_at_the_ends_are_left_out() -> None:
    before = numeric(0, 0, *[0] * 8, 60, 40, *[0] * 10, 0)
    after = numeric(0, 0, *[0] * 8, 50, 50, *[0] * 10, 0)
    assert drawn(TEMPERATURE, before, after).labels == ("[80,90)", "[90,100)")


def test_missing_values_and_those_beyond_the_edges_have_bars_of_their_own() -> None:
    before = numeric(0, 0, *[10] * 20, 0)
    after = numeric(100, 20, *[4] * 20, 0)
    picture = drawn(TEMPERATURE, before, after)
    assert picture.labels[:3] == ("missing", "below 0", "[0,20)")
    assert picture.window[:2] == (0.5, 0.1)
    assert len(picture.labels) == SHOWN


def test_what_moved_differently_is_kept_apart() -> None:
    """Nineteen bins stay as they are, the smallest gained: it is drawn by itself, though it holds least."""
    before = numeric(0, 0, *[50] * 10, 1, *[50] * 9, 0)
    after = numeric(0, 0, *[50] * 10, 30, *[50] * 9, 0)
    picture = drawn(TEMPERATURE, before, after)
    place = picture.labels.index("[100,110)")
    assert picture.window[place] > 5 * picture.baseline[place]


def test_a_value_that_has_a_bin_of_its_own_keeps_its_name() -> None:
    bins = Bins("numeric", (5.0, 5.000000000000001, 6.0, 6.000000000000001), exponent=3)
    counts = numeric(0, 0, 10, 0, 10, 0)
    assert drawn(bins, counts, counts).labels == ("[5]", "[5,6)", "[6]")


def test_of_many_categories_those_that_moved_are_drawn() -> None:
    before = categorical(0, *[10] * 30, 0, 0)
    after = categorical(
        0, *[10] * 25, 200, *[10] * 4, 0, 30, unseen=(("Atlantis", 20), ("Ys", 5), ("Lyonesse", 4), ("Mu", 1))
    )
    picture = drawn(CITIES, before, after)
    assert len(picture.labels) == SHOWN
    assert "city 25" in picture.labels
    assert "never seen before: Atlantis, Ys, Lyonesse and 1 more" in picture.labels
    assert picture.labels[-1] == "20 other values"


def test_values_that_only_earlier_windows_knew_are_called_newer() -> None:
    cities = Bins("categorical", categories=("Paris",))
    picture = drawn(cities, categorical(0, 9, 0, 1), categorical(0, 5, 0, 5, unseen=(("Rome", 5),)))
    assert picture.labels == ("Paris", "newer values: Rome")


def test_a_column_without_edges_in_its_baseline() -> None:
    bins = Bins("numeric", ())
    picture = drawn(bins, numeric(10, 0, 0), numeric(2, 0, 8))
    assert picture.labels == ("missing", "any value")
    assert picture.window == (0.2, 0.8)


def test_times_keep_their_edges() -> None:
    bins = Bins("timestamp", (1364788800.0, 1364875200.0, 1364961600.0), exponent=31)
    counts = ColumnProfile("at", "timestamp", (0, 0, 5, 5, 0))
    assert drawn(bins, counts, counts).labels[0] == "[2013-04-01 04:00,2013-04-02 04:00)"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(numeric(*[0] * 23), numeric(*[1] * 23), id="a baseline without rows"),
        pytest.param(numeric(*[1] * 23), numeric(*[0] * 23), id="a window without rows"),
        pytest.param(numeric(*[1] * 22), numeric(*[1] * 23), id="other bins"),
    ],
)
def test_nothing_to_draw(before: ColumnProfile, after: ColumnProfile) -> None:
    assert share_bars("shares", TEMPERATURE, before, after) is None


COUNTS = st.lists(st.integers(0, 50), min_size=23, max_size=23).filter(any).map(lambda counts: numeric(*counts))


@settings(max_examples=60)
@given(COUNTS, COUNTS)
def test_every_row_is_drawn_once(before: ColumnProfile, after: ColumnProfile) -> None:
    picture = drawn(TEMPERATURE, before, after)
    assert sum(picture.baseline) == pytest.approx(1)
    assert sum(picture.window) == pytest.approx(1)
    assert len(picture.labels) == len(set(picture.labels)) <= SHOWN


@given(st.floats(0, 1))
def test_a_bar_is_as_long_as_its_share(share: float) -> None:
    text = bar(share, 16)
    assert len(text) <= 16
    assert (text == "") == (share == 0)
    assert abs(len(text) - 16 * share) <= 1


def test_lines_are_aligned_where_letters_are_wide() -> None:
    picture = Bars("x", ("東京", "ab"), (0.5, 0.5), (0.1, 0.9))
    starts = {display_width(line.partition("baseline")[0]) for line in bars(picture) if "baseline" in line}
    assert len(starts) == 1
    assert padded("東", 4) == "東  "
