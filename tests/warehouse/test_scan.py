"""Every engine and every plan count what an independent count of the same rows finds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlglot import exp

from monitoring_tasks.columns import Column
from monitoring_tasks.errors import TransientError
from monitoring_tasks.profile import Bins, Profile
from monitoring_tasks.statistics.drift.wasserstein import wasserstein
from monitoring_tasks.warehouse import union_all, unseen
from monitoring_tasks.warehouse.bins import measure_bins
from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.scan import scan
from monitoring_tasks.warehouse.statement import Source
from monitoring_tasks.warehouse.tally import Segments, Tally
from monitoring_tasks.window import Schedule, Window
from tests.warehouse import oracle, tables
from tests.warehouse.overheard import Overheard

START = datetime(2013, 3, 9, 5, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)

WINDOWS = {
    "one": [Window(START, START + DAY)],
    "days": [Window(START + i * DAY, START + (i + 1) * DAY) for i in range(4)],
    "days of 23 and 24 hours": list(
        Schedule("0 0 * * *", "America/New_York").windows(START, START + timedelta(days=4))
    ),
    "with gaps": [Window(START + i * DAY, START + i * DAY + 5 * HOUR) for i in range(4)],
    "gaps and neighbours": [
        Window(START + HOUR, START + 2 * HOUR),
        Window(START + 2 * HOUR, START + 3 * HOUR),
        Window(START + 30 * HOUR, START + 31 * HOUR),
        Window(START + 31 * HOUR, START + 60 * HOUR),
    ],
    "of a microsecond": [
        Window(START, START + timedelta(microseconds=1)),
        Window(START + timedelta(microseconds=1), START + timedelta(microseconds=2)),
    ],
    "before all rows": [Window(START - 9 * DAY, START - 8 * DAY), Window(START - 8 * DAY, START - 7 * DAY)],
}

SCHEMA = pa.schema(
    {
        "at": pa.timestamp("us"),
        "number": pa.float64(),
        "far": pa.float64(),
        "single": pa.float32(),
        "whole": pa.int64(),
        "small": pa.int16(),
        "price": pa.decimal128(12, 4),
        "flag": pa.bool_(),
        "moment": pa.timestamp("us", "UTC"),
        "day": pa.date32(),
        "text": pa.string(),
        "shop": pa.string(),
        "code": pa.int32(),
    }
)

MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1))  # noqa: DTZ001
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
CELLS: dict[str, st.SearchStrategy[Any]] = {
    "at": st.one_of(
        st.integers(0, 96).map(lambda hours: START + hours * HOUR),
        st.integers(-3, 3).map(lambda microseconds: START + DAY + timedelta(microseconds=microseconds)),
        st.timedeltas(timedelta(0), 4 * DAY).map(lambda elapsed: START + elapsed),
    ).map(lambda moment: moment.replace(tzinfo=None)),
    "number": st.one_of(st.floats(-10, 10), st.floats(), st.sampled_from([0.0, -0.0, math.nan, math.inf, -math.inf])),
    "far": st.one_of(st.floats(-9, 9).map(lambda x: 1e9 + x), st.floats(), st.sampled_from([1e9, -1e308, 1e308])),
    "single": st.floats(width=32),
    "whole": st.one_of(st.integers(-9, 9), st.integers(-(2**63), 2**63 - 1), st.just(2**53 + 1)),
    "small": st.integers(-(2**15), 2**15 - 1),
    "price": st.decimals(-1_000_000, 1_000_000, places=4),
    "flag": st.booleans(),
    "moment": MOMENTS.map(lambda moment: moment.replace(tzinfo=UTC)),
    "day": st.dates(date(1900, 1, 1), date(2100, 1, 1)),
    "text": st.one_of(st.sampled_from(["", "a", "b"]), TEXTS),
    "shop": st.sampled_from(["north", "south", "o'hare"]),
    "code": st.sampled_from([0, 0, 0, 500, 503]),
}
ROWS = st.lists(
    st.fixed_dictionaries({name: cell if name == "at" else st.none() | cell for name, cell in CELLS.items()}),
    max_size=40,
).map(lambda rows: pa.Table.from_pylist(rows, schema=SCHEMA))

PHASES = (Phase.explicit, Phase.reuse, Phase.generate)  # every example is a scan: minutes of shrinking would be no help

HAND_MADE: Mapping[str, Bins] = {
    "number": Bins("numeric", (-2.0, -1.0, 0.0, 0.5, 4.0), exponent=2),
    "far": Bins("numeric", (1e9 - 1, 1e9, 1e9 + 1.5), exponent=30, origin=1e9 + 0.1, spread_exponent=2),
    "single": Bins("numeric", (-1.5, 0.1, 3.3), exponent=2),
    "whole": Bins("numeric", (-3.0, 0.0, math.nextafter(0.0, 1.0), 7.0), exponent=3),
    "small": Bins("numeric", (5000.0, 5001.0, 6000.0), exponent=13),
    "price": Bins("numeric", (-0.25, 0.0, 1000.5), exponent=10),
    "flag": Bins("numeric", (0.0, 1.0, 2.0), exponent=1),
    "moment": Bins("timestamp", (0.0, 86400.0, 1.4e9), exponent=31),
    "day": Bins("timestamp", (-86400.0, 0.0, 1e9), exponent=30),
    "text": Bins("categorical", categories=("", "a"), others=("b",)),
    "shop": Bins("categorical", categories=("south", "o'hare"), open_ended=True),
    "code": Bins("categorical", categories=("503",)),
}


def counted(types: Mapping[str, Any]) -> tuple[Column, ...]:
    return tables.columns_of(types, {"flag": "numeric", "code": "categorical"}, {"code": ("error",)})


def check(
    warehouse: Warehouse,
    source: Source,
    columns: Sequence[Column],
    bins: Mapping[str, Bins],
    windows: Sequence[Window],
    rows: pa.Table,
    segments: Sequence[str] = (),
) -> list[tuple[Profile, ...]]:
    """Hold the scan to the oracle."""
    found = list(scan(warehouse, source, columns, bins, windows, segments))
    expected = oracle.profiles(rows, source.timestamp, columns, bins, windows, segments, source.timezone)
    assert [[profile.segment for profile in part] for part in found] == [[p.segment for p in part] for part in expected]
    for got, wanted in zip(found, expected, strict=True):
        for profile, other in zip(got, wanted, strict=True):
            oracle.assert_equal(profile, other, bins)
    return found


@given(rows=ROWS, windows=st.sampled_from(list(WINDOWS)), split=st.sampled_from([(), ("shop",), ("shop", "text")]))
@settings(
    deadline=None,
    phases=PHASES,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@pytest.mark.integration
def test_duckdb_counts_as_the_oracle_does(rows: pa.Table, windows: str, split: tuple[str, ...]) -> None:
    with (
        TemporaryDirectory() as folder,
        tables.opened(*tables.parquet_file(rows, Path(folder))) as (warehouse, source, types),
    ):
        columns = counted(types)
        check(warehouse, source, columns, HAND_MADE, WINDOWS[windows], rows, split)
        measured = measure_bins(warehouse, source, columns, WINDOWS[windows][0])
        check(warehouse, source, columns, measured, WINDOWS[windows], rows, split)


@given(rows=ROWS, windows=st.sampled_from(list(WINDOWS)), split=st.sampled_from([(), ("shop",), ("shop", "text")]))
@settings(
    deadline=None,
    phases=PHASES,
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
@pytest.mark.integration
def test_postgresql_counts_as_the_oracle_and_duckdb_do(
    postgres_database: str, rows: pa.Table, windows: str, split: tuple[str, ...]
) -> None:
    tables.write_postgres(postgres_database, rows)
    with (
        TemporaryDirectory() as folder,
        tables.opened(*tables.parquet_file(rows, Path(folder))) as (duckdb, file, duckdb_types),
        tables.opened(postgres_database, "log") as (server, source, types),
    ):
        assert types == duckdb_types
        columns = counted(types)
        check(server, source, columns, HAND_MADE, WINDOWS[windows], rows, split)
        measured = measure_bins(server, source, columns, WINDOWS[windows][0])
        assert measured == measure_bins(duckdb, file, columns, WINDOWS[windows][0])
        found = check(server, source, columns, measured, WINDOWS[windows], rows, split)
        assert found == list(scan(duckdb, file, columns, measured, WINDOWS[windows], split))


def awkward(rows: int = 3000) -> pa.Table:
    """Every type with every awkward value, over five days, in no order of time."""
    rng = np.random.default_rng(20130401)
    number = rng.normal(size=rows)
    number[rng.random(rows) < 0.02] = math.nan
    number[:4] = math.inf, -math.inf, 1e300, -1e-300
    columns = {
        "at": [(START + timedelta(seconds=int(s))).replace(tzinfo=None) for s in rng.integers(0, 5 * 86400, rows)],
        "number": number.tolist(),
        "far": (1e9 + rng.normal(size=rows)).tolist(),
        "single": rng.exponential(size=rows).astype(np.float32).tolist(),
        "whole": [2**53 + 1, -(2**63), *rng.integers(10_000, 12_000, rows - 2).tolist()],
        "small": rng.integers(-4, 5, rows).tolist(),
        "price": [Decimal(int(cents)) / 100 for cents in rng.integers(0, 10**6, rows)],
        "flag": (rng.random(rows) < 0.2).tolist(),
        "moment": [START + timedelta(microseconds=int(us)) for us in rng.integers(0, 10**12, rows)],
        "day": [(START + int(days) * DAY).date() for days in rng.integers(-400, 400, rows)],
        "text": [f"word {i}" for i in rng.zipf(1.3, rows) % 3000],
        "shop": rng.choice(["north", "south", "o'hare", "w%st", ":east", "back\\slash", "ñandú\n"], rows).tolist(),
        "code": rng.choice([0, 500, 503], rows, p=[0.9, 0.05, 0.05]).tolist(),
    }
    for name, values in columns.items():
        if name not in ("at", "whole"):
            for i in rng.choice(rows, rows // 50):
                values[i] = None
    return pa.table(columns, schema=SCHEMA)


@pytest.mark.integration
@pytest.mark.parametrize("zone", [None, "UTC"], ids=["naive", "aware"])
@pytest.mark.parametrize("storage", [*tables.DUCKDB, "postgresql"])
def test_every_storage_is_counted_as_by_the_oracle(
    storage: str, zone: str | None, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    rows = awkward()
    rows = rows.set_column(0, "at", rows["at"].cast(pa.timestamp("us", zone)))
    if storage == "postgresql":
        url, table = request.getfixturevalue("postgres_database"), "log"
        tables.write_postgres(url, rows)
    else:
        url, table = tables.DUCKDB[storage](rows, tmp_path)
    with tables.opened(url, table) as (warehouse, source, types):
        assert source.timestamp_type == ("timestamptz" if zone else "timestamp")
        columns = counted(types)
        bins = measure_bins(warehouse, source, columns, Window(START, START + DAY))
        for windows in WINDOWS.values():
            check(warehouse, source, columns, bins, windows, rows, ("shop", "text"))


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Tokyo"])
@pytest.mark.parametrize("storage", ["parquet file", pytest.param("postgresql", marks=pytest.mark.integration)])
def test_a_date_is_a_day_of_the_time_zone(
    storage: str, zone: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Also on the day of 23 hours: the clocks of New York go forward on 10 March."""
    rows = awkward(300)
    rows = rows.set_column(0, "at", rows["at"].cast(pa.date32()))
    midnights = [datetime(2013, 3, d, tzinfo=ZoneInfo(zone)) for d in range(9, 14)]
    days = [Window(*pair) for pair in pairwise(midnights)]
    if storage == "postgresql":
        url, table = request.getfixturevalue("postgres_database"), "log"
        tables.write_postgres(url, rows)
    else:
        url, table = tables.parquet_file(rows, tmp_path)
    with tables.opened(url, table) as (warehouse, source, types):
        source = replace(source, timezone=zone)
        columns = counted(types)
        bins = measure_bins(warehouse, source, columns, days[0])
        two = [Window(days[0].start, days[1].end), Window(days[2].start, days[3].end)]
        for windows in (days, days[:1], [days[0], days[2]], two):
            found = check(warehouse, source, columns, bins, windows, rows)
            assert all(profile.rows for (profile,) in found)
        per_day = rows["at"].to_pylist()
        for day, (profile,) in zip(midnights, check(warehouse, source, columns, bins, days, rows), strict=False):
            assert profile.rows == per_day.count(day.date())


def test_a_table_without_times_is_one_window(tmp_path: Path) -> None:
    rows = awkward(300)
    with tables.opened(*tables.parquet_file(rows, tmp_path), timestamp=None) as (warehouse, source, types):
        columns = counted(types)
        bins = measure_bins(warehouse, source, columns, None)
        ((profile,),) = check(warehouse, source, columns, bins, [Window(START, START + DAY)], rows)
        assert profile.rows == 300


@pytest.mark.integration
def test_segment_columns_do_not_multiply_what_postgresql_returns(postgres_database: str) -> None:
    """Of 40 and 30 values come at most 72 groups per window and bin (both nulls included), not 1,200."""
    count = 4000
    rng = np.random.default_rng(7)
    rows = pa.table(
        {
            "at": [(START + i * HOUR / 60).replace(tzinfo=None) for i in range(count)],
            "x": rng.choice([0.0, 1.0, math.nan], count),
            "shop": [f"shop {i}" for i in rng.integers(0, 40, count)],
            "text": [f"text {i}" for i in rng.integers(0, 30, count)],
        }
    )
    tables.write_postgres(postgres_database, rows)
    with tables.opened(postgres_database, "log") as (warehouse, source, types):
        (x,) = (column for column in tables.columns_of(types) if column.name == "x")
        bins = measure_bins(warehouse, source, tables.columns_of(types), None)
        overheard = Overheard(warehouse)
        check(overheard, source, [x], bins, WINDOWS["days"], rows, ("shop", "text"))
    assert len(overheard.statements) == 2
    most = len(WINDOWS["days"]) * (1 + len(bins["x"]))
    for answer, values in zip(overheard.answers, (40, 30), strict=True):
        assert len(answer) <= most * (values + 1)


def by_union_all(
    warehouse: Warehouse,
    source: Source,
    columns: Sequence[Column],
    bins: Mapping[str, Bins],
    windows: Sequence[Window],
    segments: Sequence[str] = (),
) -> list[tuple[Profile, ...]]:
    """Scan by the plan of the engines that are not here; DuckDB understands it too."""
    tally = Tally.empty(windows, Segments(tuple(segments), tuple(bins[name].categories for name in segments)))
    union_all.read(warehouse, source, columns, bins, tally)
    unseen.read(warehouse, source, bins, tally)
    return [tally.profiles(i, [column.name for column in columns]) for i in range(len(windows))]


@pytest.mark.parametrize("windows", ["one", "gaps and neighbours"])
def test_the_plan_in_standard_sql_finds_the_same(windows: str, tmp_path: Path) -> None:
    rows = awkward(1000)
    with tables.opened(*tables.parquet_file(rows, tmp_path)) as (warehouse, source, types):
        columns = counted(types)
        bins = {**measure_bins(warehouse, source, columns, WINDOWS["one"][0]), "small": HAND_MADE["small"]}
        arguments = (warehouse, source, columns, bins, WINDOWS[windows], ("shop", "text"))
        assert by_union_all(*arguments) == list(scan(*arguments))


@pytest.mark.parametrize("rows", [0, 1, 30, 1000])
def test_the_quantiles_in_standard_sql_are_the_same(rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tables.opened(*tables.parquet_file(awkward().slice(0, rows), tmp_path)) as (warehouse, source, types):
        columns = counted(types)
        at_once = measure_bins(warehouse, source, columns, None)
        monkeypatch.setattr("monitoring_tasks.warehouse.bins.QUANTILES_AT_ONCE", ())
        assert measure_bins(warehouse, source, columns, None) == at_once


def test_standard_sql_counts_more_columns_and_segments_than_a_statement_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(union_all, "BRANCHES", 8)
    rng = np.random.default_rng(7)
    names = [f"s{i}" for i in range(3)]
    rows = pa.table(
        {
            "at": [(START + i * HOUR).replace(tzinfo=None) for i in range(48)],
            **{name: rng.choice(["a", "b"], 48).tolist() for name in names},
            **{f"x{i}": rng.normal(size=48) for i in range(7)},
        }
    )
    with tables.opened(*tables.parquet_file(rows, tmp_path)) as (warehouse, source, types):
        columns = tables.columns_of(types)
        bins = measure_bins(warehouse, source, columns, WINDOWS["one"][0])
        found = by_union_all(warehouse, source, columns, bins, WINDOWS["days"], names)
        assert found == check(warehouse, source, columns, bins, WINDOWS["days"], rows, names)


def test_standard_sql_refuses_a_table_that_changed_between_its_statements(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(union_all, "BRANCHES", 8)
    rows = awkward(300)

    class Written(Overheard):
        def query(self, select: exp.Query) -> pa.Table:
            answer = self.warehouse.query(select)
            tables.parquet_file(rows.slice(0, 200), tmp_path)
            return answer

    with tables.opened(*tables.parquet_file(rows, tmp_path)) as (warehouse, source, types):
        columns = counted(types)
        bins = measure_bins(warehouse, source, columns, WINDOWS["one"][0])
        with pytest.raises(TransientError, match=r"table '.*log.parquet' was written to while it was read"):
            by_union_all(Written(warehouse), source, columns, bins, WINDOWS["days"])


def scan_all(
    warehouse: Warehouse, source: Source, columns: Sequence[Column], bins: Mapping[str, Bins]
) -> list[tuple[Profile, ...]]:
    return list(scan(warehouse, source, columns, bins, WINDOWS["days"], ("shop",)))


@pytest.mark.integration
def test_a_window_has_one_profile_however_it_is_scanned(tmp_path: Path) -> None:
    rows = awkward()
    url, table = tables.hive_directory(rows, tmp_path)
    with tables.opened(url, table) as (warehouse, source, types):
        columns = counted(types)
        bins = measure_bins(warehouse, source, columns, WINDOWS["one"][0])
        bulk = scan_all(warehouse, source, columns, bins)
        assert scan_all(warehouse, source, columns, bins) == bulk
        for threads in (1, 2):
            warehouse._connection.execute(f"SET threads = {threads}")
            assert measure_bins(warehouse, source, columns, WINDOWS["one"][0]) == bins
            assert scan_all(warehouse, source, columns, bins) == bulk
            alone = [next(scan(warehouse, source, columns, bins, [w], ("shop",))) for w in WINDOWS["days"]]
            assert alone == bulk
    reversed_rows = rows.take(list(range(rows.num_rows))[::-1])
    again = tmp_path / "again"
    again.mkdir()
    with tables.opened(*tables.parquet_file(reversed_rows, again)) as (warehouse, source, types):
        assert scan_all(warehouse, source, counted(types), bins) == bulk


@pytest.mark.parametrize("storage", ["parquet file", pytest.param("postgresql", marks=pytest.mark.integration)])
def test_hours_add_up_to_their_day(storage: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Counts and extremes exactly, sums to the last places of a double."""
    rows = awkward()
    if storage == "postgresql":
        url, table = request.getfixturevalue("postgres_database"), "log"
        tables.write_postgres(url, rows)
    else:
        url, table = tables.parquet_file(rows, tmp_path)
    with tables.opened(url, table) as (warehouse, source, types):
        columns = counted(types)
        bins = measure_bins(warehouse, source, columns, WINDOWS["one"][0])
        ((day,),) = scan(warehouse, source, columns, bins, WINDOWS["one"])
        hours = [Window(START + i * HOUR, START + (i + 1) * HOUR) for i in range(24)]
        first, *others = [profile for (profile,) in scan(warehouse, source, columns, bins, hours)]
    added = sum(others, start=first)
    assert (added.window, added.rows) == (day.window, day.rows)
    for name, column in added.columns.items():
        whole = day.columns[name]
        assert replace(column, total=None, total_squares=None) == replace(whole, total=None, total_squares=None)
        for sum_, exact in ((column.total, whole.total), (column.total_squares, whole.total_squares)):
            assert sum_ == exact if exact is None else sum_ == pytest.approx(exact, rel=1e-14), name


@pytest.mark.integration
@pytest.mark.parametrize("storage", ["parquet file", "postgresql"])
def test_more_columns_and_groups_than_one_statement_takes(
    storage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    rng = np.random.default_rng(7)
    rows = pa.table(
        {
            "at": [(START + i * HOUR).replace(tzinfo=None) for i in range(96)],
            **{f"x{i}": rng.normal(size=96) for i in range(100)},
        }
    )
    if storage == "postgresql":
        url, table = request.getfixturevalue("postgres_database"), "log"
        tables.write_postgres(url, rows)
    else:
        url, table = tables.parquet_file(rows, tmp_path)
    with tables.opened(url, table) as (warehouse, source, types):
        columns = tables.columns_of(types)
        bins = measure_bins(warehouse, source, columns, WINDOWS["one"][0])
        at_once = check(warehouse, source, columns, bins, WINDOWS["days"], rows)
        monkeypatch.setattr("monitoring_tasks.warehouse.scan.GROUPS", 1)
        monkeypatch.setattr("monitoring_tasks.warehouse.scan.COUNTS", 1)
        assert list(scan(warehouse, source, columns, bins, WINDOWS["days"])) == at_once


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_a_row_belongs_to_its_window_to_the_last_unit_of_its_timestamp(unit: str, tmp_path: Path) -> None:
    """DuckDB's own microseconds of a time in nanoseconds are rounded up, out of the window."""
    midnight = np.datetime64(START.replace(tzinfo=None) + DAY).astype(f"datetime64[{unit}]")
    times = midnight + np.array([-1, 0]).astype(f"timedelta64[{unit}]")
    rows = pa.table({"at": pa.array(times, pa.timestamp(unit)), "x": [1.0, 2.0]})
    bins = {"x": Bins("numeric", (0.0, 1.5, 3.0), exponent=2)}
    with tables.opened(*tables.parquet_file(rows, tmp_path)) as (warehouse, source, types):
        columns = tables.columns_of(types)
        both = list(scan(warehouse, source, columns, bins, WINDOWS["days"][:2]))
        alone = [next(scan(warehouse, source, columns, bins, [window])) for window in WINDOWS["days"][:2]]
    assert both == alone
    assert [profile.columns["x"].counts for (profile,) in both] == [(0, 0, 1, 0, 0), (0, 0, 0, 1, 0)]


@pytest.mark.parametrize("storage", ["parquet file", pytest.param("postgresql", marks=pytest.mark.integration)])
def test_spread_and_shift_are_the_same_however_far_from_zero(
    storage: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """A day of N(0, 1), and one that moved by two standard deviations; also of times of an hour, as seconds."""
    rng = np.random.default_rng(11)
    days = [rng.normal(size=5000), rng.normal(size=5000) + 2]
    columns: dict[str, Any] = {
        f"x{offset:g}": np.concatenate(days) + offset for offset in (0.0, 1e3, 1e6, 1e8, 1e10, -1e8)
    }
    seconds = np.concatenate(days) * 400 + START.timestamp()
    columns["moment"] = [datetime.fromtimestamp(second, UTC) for second in seconds]
    at = [(START + i // 5000 * DAY).replace(tzinfo=None) for i in range(10_000)]
    rows = pa.table({"at": at, **columns})
    if storage == "postgresql":
        url, table = request.getfixturevalue("postgres_database"), "log"
        tables.write_postgres(url, rows)
    else:
        url, table = tables.parquet_file(rows, tmp_path)
    with tables.opened(url, table) as (warehouse, source, types):
        bins = measure_bins(warehouse, source, tables.columns_of(types), WINDOWS["one"][0])
        (before,), (after,) = check(warehouse, source, tables.columns_of(types), bins, WINDOWS["days"][:2], rows)
    moved: dict[str, float] = {}
    for name, values in {**columns, "moment": seconds}.items():
        reference, current, edges = before.columns[name], after.columns[name], bins[name].edges
        for column, part in ((reference, values[:5000]), (current, values[5000:])):
            assert column.standard_deviation == pytest.approx(np.std(part), rel=1e-3), name
        assert current.maximum is not None
        assert reference.standard_deviation is not None
        closed = [min(edges[0], current.minimum or 0.0), *edges, max(edges[-1], current.maximum)]
        moved[name] = wasserstein(reference.counts[1:], current.counts[1:], closed, reference.standard_deviation)
    assert moved["x0"] == pytest.approx(2.0, rel=0.07)  # the tail is spread evenly over a wide bin
    assert moved == pytest.approx(dict.fromkeys(moved, moved["x0"]), rel=2e-3)


def test_sums_beyond_64_bits_are_exact_on_every_engine(tmp_path: Path) -> None:
    """A value may count 2**63 units alone, so two of them are more than a 64-bit sum holds."""
    rows = pa.table({"at": [START.replace(tzinfo=None)] * 5, "x": [2.0**20, 2.0**20, 2.0**20, -1.5, 2.0**21]})
    bins = {"x": Bins("numeric", (0.0, 1.0), exponent=0)}
    with tables.opened(*tables.parquet_file(rows, tmp_path)) as (warehouse, source, types):
        ((profile,),) = scan(warehouse, source, tables.columns_of(types), bins, WINDOWS["one"])
    assert profile.columns["x"].total == 3 * 2.0**20 - 1.5  # 2**21 is 2**63 units: left out
    assert profile.columns["x"].maximum == 2.0**21
