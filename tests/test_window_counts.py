"""Adding up many windows at once comes to what adding up their profiles one by one does."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import add

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitoring_tasks.profile import Bins, ColumnProfile, Profile
from monitoring_tasks.window import Window
from monitoring_tasks.window_counts import SUMS, Places, WindowCounts, add_up, stack

START = datetime(2024, 4, 1, tzinfo=UTC)
BINS = {
    "amount": Bins("numeric", edges=(0.0, 10.0, 20.0), exponent=5, origin=7.0, spread_exponent=4),
    "at": Bins("timestamp", edges=(0.0, 86400.0), exponent=20),
    "carrier": Bins("categorical", categories=("AA", "UA")),
}
UNITS = st.integers(-(2**20), 2**20).map(lambda units: units / 2**10)
"""Sums of these are exact."""


@st.composite
def columns(draw: st.DrawFn, name: str) -> ColumnProfile:
    bins = BINS[name]
    counts = tuple(draw(st.lists(st.integers(0, 2**40), min_size=len(bins), max_size=len(bins))))
    known = {} if bins.kind == "categorical" else {key: draw(st.none() | UNITS) for key in SUMS}
    return ColumnProfile(name, bins.kind, counts, origin=bins.origin, **known)


@st.composite
def windows(draw: st.DrawFn) -> list[tuple[Profile, ...]]:
    """All rows, and the segments that have some; a column may be missing from a window."""
    found = []
    for number in range(draw(st.integers(1, 5))):
        window = Window(START + timedelta(days=number), START + timedelta(days=number + 1))
        names = draw(st.lists(st.sampled_from(list(BINS)), unique=True, min_size=1))
        segments = ["", *draw(st.lists(st.sampled_from(["origin=JFK", "origin=LGA"]), unique=True))]
        found.append(
            tuple(Profile(window, 1, {name: draw(columns(name)) for name in names}, segment) for segment in segments)
        )
    return found


@given(windows())
def test_sums_are_those_of_the_profiles_one_by_one(found):
    places = Places(BINS)
    unpacked = [WindowCounts.of(profiles, places) for profiles in found]
    for segment in ("", "origin=JFK", "origin=LGA", "origin=EWR"):
        sums = add_up(unpacked, segment, places)
        assert list(sums) == list(BINS)
        for name, bins in BINS.items():
            none = ColumnProfile(name, bins.kind, (0,) * len(bins), origin=bins.origin)
            parts = [
                p.columns[name] for profiles in found for p in profiles if p.segment == segment and name in p.columns
            ]
            assert sums[name] == reduce(add, parts, none)


def test_every_field_of_a_column_is_added_up_or_is_the_columns_own():
    """A field that comes to `ColumnProfile` must be thought of here too."""
    own = {"column", "kind", "origin"}
    assert {field.name for field in fields(ColumnProfile)} == own | {"counts", "unseen", *SUMS}


def test_counts_are_stacked_by_window_and_column():
    places = Places(BINS)
    window = Window(START, START + timedelta(days=1))
    carrier = ColumnProfile("carrier", "categorical", (1, 2, 3, 4, 5))
    counts = WindowCounts.of((Profile(window, 15, {"carrier": carrier}),), places)
    stacked = stack([counts, counts], "", places)
    assert stacked.shape == (2, 5 + 4 + 5)
    assert stacked[:, places.slices["carrier"]].tolist() == [[1, 2, 3, 4, 5]] * 2
    assert not np.delete(stacked, np.r_[places.slices["carrier"]], axis=1).any()
    assert not stack([counts], "origin=JFK", places).any()
    assert counts.size == 14 * 8 + 4 * 3 * 8
    assert add_up([counts], "", Places({})) == {}
