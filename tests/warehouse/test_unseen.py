"""Which values the baseline never saw: by name, in bounded answers, and only asked for where there are some."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from sqlglot import exp

from monitoring_tasks.config.roles import Role
from monitoring_tasks.errors import TransientError
from monitoring_tasks.profile import Bins, Profile
from monitoring_tasks.warehouse.scan import scan
from monitoring_tasks.window import Window
from tests.warehouse import oracle, tables
from tests.warehouse.overheard import Overheard

START = datetime(2013, 4, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
HOURS = [Window(START + i * HOUR, START + (i + 1) * HOUR) for i in range(4)]
BINS = {
    "carrier": Bins("categorical", categories=("UA", "AA"), others=("B6",)),
    "origin": Bins("categorical", categories=("EWR", "JFK")),
}

Scan = Callable[..., tuple[list[tuple[Profile, ...]], Overheard]]
"""Scans rows of (hour, carrier, origin); returns the profiles, held to the oracle, and what was asked."""


@pytest.fixture(params=["parquet file", pytest.param("postgresql", marks=pytest.mark.integration)])
def scanned(request: pytest.FixtureRequest, tmp_path: Path) -> Scan:
    def scanned(
        rows: Sequence[tuple[int, str | None, str | None]],
        windows: Sequence[Window] = HOURS,
        segments: Sequence[str] = ("origin",),
        roles: Mapping[str, tuple[Role, ...]] | None = None,
    ) -> tuple[list[tuple[Profile, ...]], Overheard]:
        table = log(rows)
        if request.param == "postgresql":
            url, name = request.getfixturevalue("postgres_database"), "log"
            tables.write_postgres(url, table)
        else:
            url, name = tables.parquet_file(table, tmp_path)
        with tables.opened(url, name) as (warehouse, source, types):
            overheard = Overheard(warehouse)
            columns = tables.columns_of(types, roles=roles)
            found = list(scan(overheard, source, columns, BINS, windows, segments))
        expected = oracle.profiles(table, "at", columns, BINS, windows, segments)
        for profile, other in zip(sum(found, ()), sum(expected, ()), strict=True):
            oracle.assert_equal(profile, other, BINS)
        return found, overheard

    return scanned


def log(rows: Sequence[tuple[int, str | None, str | None]]) -> pa.Table:
    schema = pa.schema({"at": pa.timestamp("us"), "carrier": pa.string(), "origin": pa.string()})
    at = [
        (START + hour * HOUR + i * timedelta(microseconds=1)).replace(tzinfo=None) for i, (hour, *_) in enumerate(rows)
    ]
    columns = [at, [carrier for _, carrier, _ in rows], [origin for _, _, origin in rows]]
    return pa.table([pa.array(values, type_) for values, type_ in zip(columns, schema.types, strict=True)], schema)


KNOWN = [(hour, carrier, "JFK") for hour in range(4) for carrier in ("UA", "AA", "B6", None)]


def test_without_unseen_values_nothing_more_is_asked(scanned: Scan) -> None:
    found, overheard = scanned(KNOWN)
    assert len(overheard.statements) == 1
    assert {profile.columns["carrier"].unseen for profile in sum(found, ())} == {()}


def test_unseen_values_are_named_in_their_window_and_segment(scanned: Scan) -> None:
    """Of the columns one has some, in two of four windows: one statement for all rows, and one for the segments."""
    found, overheard = scanned(
        [*KNOWN, (1, "HDN", "JFK"), (1, "ANC", "JFK"), (1, "ANC", "EWR"), (3, "ua", None), (3, "HDN", "EWR")]
    )
    assert len(overheard.statements) == 1 + 2
    named = [{profile.segment: profile.columns["carrier"].unseen for profile in part} for part in found]
    assert named == [
        {"": (), "origin=JFK": ()},
        {"": (("ANC", 2), ("HDN", 1)), "origin=EWR": (("ANC", 1),), "origin=JFK": (("ANC", 1), ("HDN", 1))},
        {"": (), "origin=JFK": ()},
        {"": (("HDN", 1), ("ua", 1)), "origin=EWR": (("HDN", 1),), "origin=JFK": ()},
    ]


def test_of_too_many_values_one_comes_back(scanned: Scan) -> None:
    """Of 21 in one window, of 500 in another, and of 20 in a third, which are named."""
    sizes = [21, 500, 20]
    rows = [(hour, f"{hour} {i}", "JFK") for hour, size in enumerate(sizes) for i in range(size)]
    found, overheard = scanned(rows)
    assert [answer.num_rows for answer in overheard.answers[-2:]] == [22, 22]
    for segment in range(2):
        unseen = [part[segment].columns["carrier"].unseen for part in found[:3]]
        assert [names and len(names) for names in unseen] == [None, None, 20]


def test_a_segment_is_named_where_all_rows_have_too_many(scanned: Scan) -> None:
    """So that hours add up to their day: they may have few values each."""
    rows = [(0, f"{i}", "JFK") for i in range(30)] + [(0, "ANC", "EWR")]
    ((whole, ewr, jfk), *_), _ = scanned(rows)
    unseen = [profile.columns["carrier"].unseen for profile in (whole, ewr, jfk)]
    assert unseen == [None, (("ANC", 1),), None]


def test_errors_are_named_by_what_their_texts_have_in_common(scanned: Scan) -> None:
    """Of a thousand texts that differ in numbers; those of a segment have no names, and none is asked for."""
    rows = [(0, f"no answer within {i} ms for {('JFK', 'EWR')[i % 2]}", "JFK") for i in range(1000)]
    rows += [(1, f"error of kind {chr(97 + i)}", "JFK") for i in range(21)]
    found, overheard = scanned([*KNOWN, *rows], roles={"carrier": ("error",)})
    assert len(overheard.statements) == 1 + 1
    whole, jfk = found[0]
    expected = (("no answer within # ms for EWR", 500), ("no answer within # ms for JFK", 500))
    assert whole.columns["carrier"].unseen == expected
    assert jfk.columns["carrier"].unseen is None
    assert found[1][0].columns["carrier"].unseen is None
    assert found[2][1].columns["carrier"].unseen == ()
    assert (whole.columns["carrier"] + found[2][0].columns["carrier"]).unseen == expected


def test_values_alike_in_their_first_200_characters_are_one(scanned: Scan) -> None:
    """Characters are code points: an accent that stands alone is one, and so is a thumb and its colour."""
    long = ["w" * 200 + end for end in ("", "a", "b" * 100)]
    wide = ["e\N{COMBINING ACUTE ACCENT}" * 100 + end for end in ("", "x")]
    thumbs = ["\N{THUMBS UP SIGN}\N{EMOJI MODIFIER FITZPATRICK TYPE-3}" * 99 + "👍" + end for end in ("a", "ab", "ac")]
    rows = [(0, value, "JFK") for value in (*long, *wide, *thumbs, *(f"{i}" for i in range(17)))]
    ((whole, _), *_), _ = scanned(rows)
    unseen = whole.columns["carrier"].unseen
    assert unseen is not None
    assert unseen[:3] == (("w" * 200, 3), (thumbs[0], 3), (wide[0], 2))
    assert len(unseen) == 20


def test_values_that_differ_in_how_nul_is_written_are_one(tmp_path: Path) -> None:
    """PostgreSQL has no such character."""
    rows = [(0, value, "JFK") for value in ("J\0K", "J␀K", *(f"{i}" for i in range(19)))]
    with tables.opened(*tables.parquet_file(log(rows), tmp_path)) as (warehouse, source, types):
        ((profile,), *_) = scan(warehouse, source, tables.columns_of(types), BINS, HOURS)
    unseen = profile.columns["carrier"].unseen
    assert unseen is not None
    assert (unseen[0], len(unseen)) == (("J␀K", 2), 20)


def test_windows_between_which_rows_are_left_out_are_not_mixed_up(scanned: Scan) -> None:
    rows = [(hour, f"{hour}", "JFK") for hour in range(4)]
    found, _ = scanned(rows, windows=[HOURS[0], HOURS[2]])
    assert [whole.columns["carrier"].unseen for whole, _ in found] == [(("0", 1),), (("2", 1),)]


def test_more_windows_than_one_statement_takes(scanned: Scan, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(hour, f"{i}", "JFK") for hour in (0, 2, 3) for i in range(hour + 1)]
    at_once, before = scanned(rows)
    monkeypatch.setattr("monitoring_tasks.warehouse.unseen.GROUPS", 1)
    found, overheard = scanned(rows)
    assert found == at_once
    assert len(overheard.statements) == len(before.statements) + 2 * 2


def test_hours_add_up_to_their_day_by_name(scanned: Scan) -> None:
    """Two hours of 12 values have 18 together, four have 30: too many."""
    rows = [(hour, f"{i}", "JFK") for hour in range(4) for i in range(6 * hour, 6 * hour + 12)]
    hours, _ = scanned(rows)
    for count in (2, 4):
        ((whole, jfk),), _ = scanned(rows, windows=[Window(START, START + count * HOUR)])
        for segment, expected in enumerate((whole, jfk)):
            first, *others = [part[segment] for part in hours[:count]]
            assert sum(others, start=first) == expected
        assert (whole.columns["carrier"].unseen is None) == (count == 4)


@pytest.mark.parametrize(
    "after",
    [
        pytest.param([(0, "ANC", "JFK")] * 2, id="more rows"),
        pytest.param([(0, "UA", "JFK")], id="none"),
        pytest.param([(0, f"{i}", "JFK") for i in range(30)], id="too many values"),
        pytest.param([(1, "ANC", "JFK")], id="in another window"),
    ],
)
def test_a_file_that_is_replaced_before_its_values_are_named_is_read_again(
    after: list[tuple[int, str, str]], tmp_path: Path
) -> None:
    class Replaced(Overheard):
        def batches(self, select: exp.Query, rows: int) -> Iterator[pa.RecordBatch]:
            yield from super().batches(select, rows)
            tables.parquet_file(log(after), tmp_path)

    with (
        tables.opened(*tables.parquet_file(log([(0, "ANC", "JFK")]), tmp_path)) as (warehouse, source, types),
        pytest.raises(TransientError, match=r"table '.*log.parquet' was written to while it was read: try again"),
    ):
        list(scan(Replaced(warehouse), source, tables.columns_of(types), BINS, HOURS[:2]))


def test_an_open_ended_column_has_no_unseen_values(tmp_path: Path) -> None:
    bins = {**BINS, "carrier": replace(BINS["carrier"], others=(), open_ended=True)}
    with tables.opened(*tables.parquet_file(log([(0, "ANC", "JFK")]), tmp_path)) as (warehouse, source, types):
        overheard = Overheard(warehouse)
        ((profile,), *_) = scan(overheard, source, tables.columns_of(types), bins, HOURS)
    assert (len(overheard.statements), profile.columns["carrier"].unseen) == (1, ())
