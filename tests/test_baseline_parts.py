"""Into which parts a baseline is cut, and what is measured over them."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from monitoring_tasks.baseline_parts import FEWEST_PARTS, LENGTHS, MOST_PARTS, PartCounts, parts_of
from monitoring_tasks.columns import Column
from monitoring_tasks.profile import Bins, ColumnProfile, Dispersions, Profile, added
from monitoring_tasks.statistics.homogeneity import column_dispersion
from monitoring_tasks.warehouse import scan as module
from monitoring_tasks.warehouse.bins import measure_bins
from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.scan import scan, tallies
from monitoring_tasks.warehouse.statement import Source
from monitoring_tasks.warehouse.tally import Segments, Tally
from monitoring_tasks.window import Window
from tests import inference_log

CARRIER = Column("carrier", "categorical", "text", ("feature",))
BINS = {"carrier": Bins("categorical", categories=("AA", "UA"), others=("B6",))}
START = datetime(2013, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def filled(windows: tuple[Window, ...], seed: int = 0) -> list[tuple[Profile, ...]]:
    rng = np.random.default_rng(seed)
    rows = [tuple(rng.multinomial(200, [0.01, 0.5, 0.3, 0.19, 0]).tolist()) for _ in windows]
    return [
        (Profile(window, 200, {"carrier": ColumnProfile("carrier", "categorical", counts)}),)
        for window, counts in zip(windows, rows, strict=True)
    ]


def dispersions_of(parts: list[tuple[Profile, ...]], bins: dict[str, Bins]) -> Dispersions:
    """Return what is measured of parts that come in two tallies."""
    windows = tuple(profiles[0].window for profiles in parts)
    counts = PartCounts(windows, bins)
    for some in filter(None, (parts[: len(parts) // 3], parts[len(parts) // 3 :])):
        tally = Tally.empty([profiles[0].window for profiles in some], Segments())
        tally.rows[:, 0] = [profiles[0].rows for profiles in some]
        tally.add(CARRIER, bins["carrier"]).counts[:, 0] = [profiles[0].columns["carrier"].counts for profiles in some]
        counts.add(tally)
    return counts.dispersions()


@pytest.mark.parametrize("days", [1, 7, 17, 31, 100, 365, 3650])
def test_parts_are_of_a_usual_length_not_too_many_and_cover_the_period(days):
    parts = parts_of(Window(START, START + days * DAY), "UTC")
    assert parts[0].length in LENGTHS
    assert len(parts) <= MOST_PARTS
    assert (parts[0].start, parts[-1].end) == (START, START + days * DAY)
    assert all(before.end == after.start for before, after in itertools.pairwise(parts))


def test_a_remainder_is_a_part_of_the_baseline_but_not_of_the_measure():
    whole = filled(parts_of(Window(START, START + 10 * DAY), "UTC"))
    more = filled(parts_of(Window(START, START + 10 * DAY + timedelta(minutes=3)), "UTC"))
    assert len(more) == len(whole) + 1
    assert dispersions_of(more, BINS) == dispersions_of(whole, BINS)


def test_a_period_shorter_than_any_part_says_nothing():
    for minutes in (5, 7, 10, 79):
        parts = parts_of(Window(START, START + timedelta(minutes=minutes)), "UTC")
        assert dispersions_of(filled(parts), BINS) == {}
    enough = parts_of(Window(START, START + timedelta(minutes=10 * FEWEST_PARTS)), "UTC")
    assert set(dispersions_of(filled(enough), BINS)) == {600.0}


def test_hours_that_are_added_up_are_measured_as_the_days_that_they_make():
    hours = filled(tuple(Window(START + i * DAY / 24, START + (i + 1) * DAY / 24) for i in range(24 * 20)))
    days = [added(hours[i : i + 24]) for i in range(0, len(hours), 24)]
    assert dispersions_of(hours, BINS)[86400.0] == dispersions_of(days, BINS)[86400.0]


@pytest.mark.parametrize("first", [(2013, 3, 9), (2013, 3, 10), (2013, 11, 2), (2013, 11, 3)])
def test_a_log_of_dates_has_whole_days_also_where_the_clock_changes(first):
    zone = ZoneInfo("America/New_York")
    period = Window(datetime(*first, tzinfo=zone).astimezone(UTC), datetime(2014, 1, 1, tzinfo=zone).astimezone(UTC))
    parts = parts_of(period, "America/New_York", whole_days=True)
    assert {part.length for part in parts} <= {timedelta(hours=hours) for hours in (23, 24, 25)}
    found = dispersions_of(filled(parts), BINS)
    assert set(found) == {days * 86400.0 for days in (1, 2, 3, 7) if len(parts) // days >= FEWEST_PARTS}
    assert found[86400.0][""]["carrier"].parts == len(parts)


LOG = Source("inference_log", "asked_at")
COLUMNS = (
    Column("amount", "numeric", "number", ("feature",)),
    Column("age", "numeric", "number", ("feature",)),
    Column("member", "categorical", "boolean", ("feature",)),
    Column("country", "categorical", "text", ("segment",)),
    Column("region", "categorical", "text", ("segment",)),
)
SEGMENTS = ("country", "region")


@pytest.mark.parametrize("most", [20_000_000, 4_000])
def test_packed_counts_say_what_the_profiles_of_all_parts_say(
    most: int, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
):
    """Bit by bit, in whatever pieces they were read; of bins that know neither all values nor all countries."""
    first = inference_log.FIRST
    period = Window(first, first + 4 * DAY + timedelta(minutes=7))
    parts = parts_of(period, "UTC")
    known = Window(first, first + timedelta(minutes=5))
    bins = measure_bins(warehouse, LOG, COLUMNS, known, False)
    monkeypatch.setattr(module, "COUNTS", most)
    profiles = list(scan(warehouse, LOG, COLUMNS, bins, parts, SEGMENTS))
    counts, sums, pieces = PartCounts(parts, bins), {}, 0
    for tally in tallies(warehouse, LOG, COLUMNS, bins, parts, SEGMENTS):
        sums = tally.added(sums)
        counts.add(tally)
        pieces += 1
    assert (pieces > 10) == (most < 1_000_000)
    assert sums == {profile.segment: profile.columns for profile in added(profiles)}
    found = counts.dispersions()
    assert list(found) == [600.0, *(3600.0 * hours for hours in (1, 2, 3, 4, 6, 8, 12))]
    for seconds, of_segments in found.items():
        times = round(seconds / 600)
        whole = profiles[: len(profiles) - 1 - (len(profiles) - 1) % times]
        longer = [added(whole[i : i + times]) for i in range(0, len(whole), times)]
        expected: dict[str, dict] = {}
        for segment in of_segments:
            expected[segment] = {}
            for name, its in bins.items():
                rows = [
                    next((part.columns[name].counts for part in each if part.segment == segment), (0,) * len(its))
                    for each in longer
                ]
                if (dispersion := column_dispersion(rows, its.layout)) is not None:
                    expected[segment][name] = dispersion
        assert of_segments == expected
    assert len(found[600.0]) == 1 + len(bins["country"].categories) + 2
