"""How a baseline's rows become bins, the same on DuckDB and PostgreSQL."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from monitoring_tasks.profile import Bins, ColumnProfile, Kind, just_above
from monitoring_tasks.warehouse.bins import (
    BEYOND,
    BINS,
    CATEGORIES,
    FRACTIONS,
    LATENCY_EDGES,
    LONGEST,
    edges_beyond,
    measure_bins,
    quantile_edges,
    ranks_of,
)
from monitoring_tasks.warehouse.scan import scan
from monitoring_tasks.window import Window
from tests.warehouse import oracle, tables
from tests.warehouse.overheard import Overheard

WHOLE = Window(datetime(2013, 1, 1, tzinfo=UTC), datetime(2014, 1, 1, tzinfo=UTC))

Measure = Callable[..., tuple[Bins, ColumnProfile]]


@pytest.fixture(params=["duckdb", pytest.param("postgresql", marks=pytest.mark.integration)])
def measure(request: pytest.FixtureRequest, tmp_path: Path) -> Measure:
    """Measures one column's bins, and counts the same rows on them; every count is held to the oracle's."""

    def measured(
        values: Sequence[Any],
        type_: pa.DataType,
        kind: Kind | None = None,
        role: str = "feature",
        moves: bool = False,
    ) -> tuple[Bins, ColumnProfile]:
        rows = pa.table({"x": pa.array(values, type_)})
        if request.param == "duckdb":
            url, table = tables.parquet_file(rows, tmp_path)
        else:
            url, table = request.getfixturevalue("postgres_database"), "log"
            tables.write_postgres(url, rows)
        with tables.opened(url, table, timestamp=None) as (warehouse, source, types):
            columns = tables.columns_of(types, {"x": kind} if kind else {}, {"x": (role,)})
            bins = measure_bins(warehouse, source, columns, None, moves)
            ((profile,),) = scan(warehouse, source, columns, bins, [WHOLE])
        ((expected,),) = oracle.profiles(rows, None, columns, bins, [WHOLE])
        oracle.assert_equal(profile, expected, bins)
        found = bins["x"]
        assert list(found.edges) == sorted(set(found.edges))
        assert all(map(math.isfinite, found.edges))
        assert Bins.from_json(found.to_json()) == found
        assert len(found.labels()) == len(found) == len(profile.columns["x"].counts)
        return found, profile.columns["x"]

    return measured


RNG = np.random.default_rng(1)
CONTINUOUS = {
    "normal": RNG.normal(size=20_000),
    "uniform": RNG.uniform(-1, 1, size=20_000),
    "exponential": RNG.exponential(size=20_000),
    "log-normal": RNG.lognormal(sigma=2, size=20_000),
    "cauchy": RNG.standard_cauchy(size=20_000),
    "fourth power": RNG.uniform(size=20_000) ** 4,
    "dense at the maximum": 1 - RNG.uniform(size=20_000) ** 4,
    "far from zero": 1e9 + RNG.normal(size=20_000),
    "large": RNG.normal(size=20_000) * 1e300,
    "small": RNG.normal(size=20_000) * 1e-300,
    "two clusters": np.concatenate([RNG.normal(size=10_000), 1000 + RNG.normal(size=10_000)]),
}


@pytest.mark.parametrize("name", CONTINUOUS)
def test_a_continuous_column_has_32_bins_of_equal_frequency_and_tails(measure: Measure, name: str) -> None:
    bins, column = measure(CONTINUOUS[name], pa.float64())
    assert len(bins.edges) == BINS + 1 + 4
    assert column.counts[0] == column.counts[1] == column.counts[-1] == 0
    low, inner, high = column.counts[2:5], column.counts[5:-4], column.counts[-4:-1][::-1]
    assert set(inner) <= {624, 625, 626}
    for tail in (low, high):  # 1/1024, then up to 1/128, then up to 1/32 of 20,000
        assert tail == pytest.approx((19.5, 136.7, 468.75), abs=2)


@pytest.mark.parametrize("name", CONTINUOUS)
def test_bins_that_move_on_are_the_same_and_more_outside(measure: Measure, name: str) -> None:
    fixed, counted = measure(CONTINUOUS[name], pa.float64())
    moving, same = measure(CONTINUOUS[name], pa.float64(), moves=True)
    first = moving.edges.index(fixed.edges[0])
    last = first + len(fixed.edges)
    assert moving.edges[first:last] == fixed.edges
    assert same.counts[first + 2 : last + 1] == counted.counts[2:-1]
    assert sum(same.counts) == sum(counted.counts)
    never_negative = bool(min(CONTINUOUS[name]) >= 0)
    assert len(moving.edges) - last == len(BEYOND)
    assert first <= len(BEYOND) if never_negative else first == len(BEYOND)
    assert (moving.edges[0] >= 0) is never_negative


def test_numbers_one_standard_deviation_apart_never_share_the_bins_outside() -> None:
    """Up to three standard deviations beyond the extremes; further out there are wider ones."""
    normal = np.sort(CONTINUOUS["normal"])
    quantiles = [normal[rank - 1] for rank in ranks_of(len(normal))]
    edges = edges_beyond((quantiles[0], just_above(quantiles[-1])), quantiles)
    fine = [width for low, width in zip(edges, np.diff(edges), strict=False) if abs(low) < normal[-1] + 3]
    assert max(width for width in fine if width < 1) == pytest.approx(0.256, abs=0.005)
    assert edges[-1] > 30


@pytest.mark.parametrize("values", [[0.0, 1.0] * 50, [7.0] * 50])
def test_a_column_of_one_or_two_values_has_no_bins_outside(measure: Measure, values: list[float]) -> None:
    assert measure(values, pa.float64(), moves=True)[0] == measure(values, pa.float64())[0]


@pytest.mark.parametrize("shift", [0.0, 1e6], ids=["about zero", "far from zero"])
def test_bins_of_single_precision_have_equal_frequency(measure: Measure, shift: float) -> None:
    bins, column = measure((RNG.normal(size=5_000) * 1000 + shift).astype(np.float32), pa.float32())
    assert len(bins.edges) == BINS + 1 + 2
    # Of 5,000 rows 1/1024 is too few for a bin, 1/128 is not.
    assert set(column.counts[4:-3]) <= {155, 156, 157, 158}
    assert column.counts[2:4] == pytest.approx((39, 117), abs=2)


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        ([*range(32)] * 4, pa.int64()),
        ([-1.5, 0.0, 2.25] * 10, pa.float64()),
        ([0.1 + 0.2, 0.3] * 10, pa.float64()),
        ([5e-324, 0.0, 1.5, -5e-301] * 5, pa.float64()),
        ([Decimal("0.10"), Decimal("19.99")] * 10, pa.decimal128(9, 2)),
        ([2**53 + 2, 2**62] * 5, pa.int64()),
        ([7] * 3, pa.int16()),
        ([0.0, -0.0] * 3, pa.float64()),
        ([date(2013, 1, 1), date(1969, 12, 31)] * 5, pa.date32()),
        ([datetime(2013, 1, 1, 12, 0, 0, 1, UTC)] * 5, pa.timestamp("us", "UTC")),
    ],
    ids=[
        "integers",
        "numbers",
        "neighbouring doubles",
        "denormal",
        "decimals",
        "beyond 2**53",
        "constant",
        "minus zero",
        "dates",
        "times",
    ],
)
def test_a_discrete_column_has_a_bin_for_every_value(measure: Measure, values: list[Any], type_: pa.DataType) -> None:
    bins, column = measure(values, type_)
    distinct = sorted({oracle.number(value) for value in values})
    assert set(distinct) <= set(bins.edges)
    assert max(column.counts) == len(values) // len(distinct)
    assert column.counts[1] == column.counts[-1] == 0
    assert not any(math.copysign(1, edge) < 0 for edge in bins.edges if edge == 0)


def test_33_values_are_no_longer_discrete(measure: Measure) -> None:
    bins, column = measure([*range(33)] * 20, pa.int64())
    assert len(bins.edges) < 2 * 33
    assert column.counts[1] == column.counts[-1] == 0


def test_few_rows_of_many_values_are_not_discrete(measure: Measure) -> None:
    bins, _ = measure([*range(20)] * 2, pa.int64())
    assert len(bins.edges) == 5  # four bins of ten rows


def test_a_heavy_value_has_a_bin_of_its_own(measure: Measure) -> None:
    values = np.where(RNG.random(20_000) < 0.6, 0.0, RNG.exponential(size=20_000))
    bins, column = measure(values, pa.float64())
    zero = bins.edges.index(0.0)
    assert bins.edges[zero + 1] == just_above(0.0)
    assert column.counts[2 + zero] == (values == 0).sum()
    assert bins.labels()[2 + zero] == "[0]"
    others = np.array(column.counts[3 + zero : -1])
    assert others[1:-1].max() / 20_000 * BINS < 1.2


@pytest.mark.parametrize(
    ("values", "origin"),
    [
        ([1e6 + i for i in range(640)], 1e6 + 319),
        ([1e6, *(2e6 + i for i in range(640))], 0.0),
        ([-5.0 + i / 1e6 for i in range(640)], -5.0 + 319 / 1e6),
        ([1e308 + i * 1e295 for i in range(640)], 0.0),
        ([0.0] * 9, 0.0),
        ([1e8 + 0.1] * 9, 1e8 + 0.1),
    ],
    ids=["close together", "wide", "negative", "too large to be squared", "zeros", "constant"],
)
def test_values_close_together_and_far_from_zero_are_squared_as_distances_to_their_median(
    measure: Measure, values: list[float], origin: float
) -> None:
    bins, column = measure(values, pa.float64())
    assert bins.origin == column.origin == origin
    if len(set(values)) == 1:
        assert column.standard_deviation == 0.0
    elif origin:
        assert column.standard_deviation == pytest.approx(np.std(values), rel=1e-3)


@pytest.mark.parametrize("rows", [0, 1, 2, 20, 39, 40, 319, 320])
def test_a_tiny_baseline_has_fewer_bins(measure: Measure, rows: int) -> None:
    bins, column = measure(RNG.normal(size=rows), pa.float64())
    expected = {0: 0, 1: 2, 2: 2, 20: 3, 39: 3, 40: 5, 319: 17, 320: 33}
    assert len(bins.edges) == expected[rows]
    assert column.rows == rows
    assert column.counts[1] == 0
    assert rows == 0 or column.counts[-1] == 0


@pytest.mark.parametrize("value", [None, math.nan], ids=["null", "nan"])
def test_a_column_without_a_value_has_no_edges(measure: Measure, value: float | None) -> None:
    bins, column = measure([value] * 10, pa.float64())
    assert bins == Bins("numeric")
    assert column == ColumnProfile("x", "numeric", (10, 0, 0))


def test_what_is_not_finite_does_not_move_the_edges(measure: Measure) -> None:
    values = CONTINUOUS["normal"][:1000].tolist()
    plain, _ = measure(values, pa.float64())
    awkward = [math.nan] * 90 + [math.inf] * 80 + [-math.inf] * 70 + [None] * 60 + [1.7976931348623157e308] * 2
    bins, column = measure(values + awkward, pa.float64())
    assert bins == plain
    assert (column.counts[0], column.counts[1], column.counts[-1]) == (150, 70, 82)
    assert column.minimum == min(values)
    assert column.maximum == max(values)
    only, _ = measure([math.inf, -math.inf], pa.float64())
    assert only.edges == ()


@pytest.mark.parametrize("kind", ["numeric", "categorical"])
def test_booleans_are_numbers_or_categories(measure: Measure, kind: Kind) -> None:
    bins, column = measure([True, False, False, False, None], pa.bool_(), kind)
    if kind == "numeric":
        assert (column.minimum, column.maximum, column.total) == (0.0, 1.0, 1.0)
    else:
        assert bins.categories == ("false", "true")
        assert column.counts == (1, 3, 1, 0, 0)


def test_timestamps_are_binned_as_seconds(measure: Measure) -> None:
    start = datetime(2013, 1, 1, tzinfo=UTC)
    for zone in (None, "UTC"):
        moments = [
            (start + timedelta(microseconds=int(us))).replace(tzinfo=None) for us in RNG.integers(0, 10**13, 640)
        ]
        bins, column = measure(moments, pa.timestamp("us", zone))
        assert len(bins.edges) == BINS + 1
        assert bins.kind == column.kind == "timestamp"
        assert bins.edges[0] <= start.timestamp() + 10**6 < bins.edges[-1]
        assert 10 <= min(column.counts[2:-1]) <= max(column.counts[2:-1]) <= 30


def test_magnitudes_from_denormal_to_the_largest_are_counted_together(measure: Measure) -> None:
    values = [sign * 10.0**power for power in range(-320, 309, 4) for sign in (-1, 1)] + [1e308, -1e308]
    _, column = measure(values * 2, pa.float64())
    assert column.counts[0] == column.counts[1] == column.counts[-1] == 0
    assert (column.minimum, column.maximum) == (-1e308, 1e308)


def test_scores_near_zero_do_not_stop_a_scan(measure: Measure) -> None:
    """PostgreSQL refuses the square of 1e-200: it underflows."""
    _, column = measure([1e-200, 1e-310, 0.5, 1.0] * 5, pa.float64(), role="score")
    assert column.total == 7.5


def test_a_latency_has_bins_that_need_no_baseline(measure: Measure) -> None:
    bins, column = measure([0.0, 0.05, 12.5, 1e9, None], pa.float64(), role="latency")
    assert bins.edges == LATENCY_EDGES
    assert column.counts[0] == column.counts[1] == column.counts[-1] == 1
    assert all(after / before < 1.0401 for before, after in pairwise(bins.edges))


def test_of_many_categories_the_100_most_frequent_have_bins(measure: Measure) -> None:
    values = [f"c{i:04}" for i in range(5000) for _ in range(3 if i < CATEGORIES else 1)] + [None]
    bins, column = measure(values, pa.string())
    assert bins.categories == tuple(f"c{i:04}" for i in range(100))
    assert bins.others == ()
    assert bins.open_ended
    assert column.counts == (1, *[3] * 100, 4900, 0)


def test_what_the_baseline_did_not_know_is_unseen(measure: Measure) -> None:
    bins, _ = measure([f"c{i:03}" for i in range(150)], pa.string())
    assert not bins.open_ended
    assert len(bins.others) == 50
    _, column = measure(["c000", "c149", "new"], pa.string())
    assert column.counts == (0, 1, 1, 1, 0, 0)


@pytest.mark.parametrize(
    ("values", "singletons"),
    [
        (["a", "a", "b", None], 1),
        ([None], 0),
        (["a", "a", *map(str, range(999))], 999),
        (["a", "a", *map(str, range(1000))], 0),
        (["a", "b", "x" * (LONGEST + 1)], 0),
    ],
    ids=["one", "none", "as many as are listed", "more", "a text too long"],
)
def test_values_that_came_once_are_counted_where_all_are_listed(
    measure: Measure, values: list[str | None], singletons: int
) -> None:
    bins, _ = measure(values, pa.string())
    assert bins.singletons == singletons
    assert bins.open_ended == (singletons == 0 and len(values) > 1)


@pytest.mark.parametrize(("values", "columns"), [(4000, 4), (3999, 3), (2500, 2), (1000, 1), (999, 0)])
def test_duckdb_is_asked_for_as_many_quantiles_as_its_memory_holds(
    values: int, columns: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = pa.table({f"x{i}": RNG.normal(size=1000) for i in range(5)})
    with tables.opened(*tables.parquet_file(rows, tmp_path), timestamp=None) as (warehouse, source, types):
        expected = measure_bins(warehouse, source, tables.columns_of(types), None)
        monkeypatch.setattr("monitoring_tasks.warehouse.bins.QUANTILE_VALUES", values)
        overheard = Overheard(warehouse)
        assert measure_bins(overheard, source, tables.columns_of(types), None) == expected
    assert max(statement.count("QUANTILE_DISC") for statement in overheard.statements) == columns


@pytest.mark.integration
def test_a_baseline_larger_than_duckdbs_memory_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten million values of 8 bytes in 64 MB."""
    monkeypatch.setattr("monitoring_tasks.warehouse.duckdb_engine.MEMORY_LIMIT", "64MB")
    monkeypatch.setattr("monitoring_tasks.warehouse.bins.QUANTILE_VALUES", 1_000_000)
    url = tables.write_duckdb(
        tmp_path / "large.duckdb",
        ["CREATE TABLE log AS SELECT (i * 7919 % 10000019)::DOUBLE x FROM range(10000000) t(i)"],
    )
    with tables.opened(url, "log", timestamp=None) as (warehouse, source, types):
        edges = measure_bins(warehouse, source, tables.columns_of(types), None)["x"].edges
    assert edges == pytest.approx([fraction * 10_000_019 for fraction in FRACTIONS], abs=40)


ODD_TEXTS = [
    "",
    " ",
    "it's",
    '"quoted"',
    "100 %",
    "%s %(name)s",
    ":name",
    "back\\slash",
    "\\'",
    "line\nbreak",
    "tab\t",
    "ünïcödé",
    "日本",
    "🛫",
    "-- comment",
    "/* comment */",
    "x'); DROP TABLE log; --",
    "$$",
    "{brace}",
    "NULL",
    "(null)",
    "NaN",
]


def test_odd_texts_are_categories_like_any_other(measure: Measure) -> None:
    bins, column = measure([*ODD_TEXTS, None, None], pa.string())
    assert bins.categories == tuple(sorted(ODD_TEXTS))
    assert column.counts == (2, *[1] * len(ODD_TEXTS), 0, 0)


def test_a_long_text_is_no_category(measure: Measure) -> None:
    bins, column = measure(["a", "x" * LONGEST, "x" * (LONGEST + 1), "y" * 100_000], pa.string())
    assert bins.categories == ("a", "x" * LONGEST)
    assert bins.open_ended
    assert column.counts == (0, 1, 1, 2, 0)


@pytest.mark.parametrize(
    ("values", "type_", "errors"),
    [
        (["", None, "timeout", "timeout"], pa.string(), ("timeout",)),
        ([0, None, 503, 503], pa.int32(), ("503",)),
        ([False, None, True, True], pa.bool_(), ("true",)),
    ],
    ids=["text", "number", "boolean"],
)
def test_an_error_column_counts_errors_only(
    measure: Measure, values: list[Any], type_: pa.DataType, errors: tuple[str, ...]
) -> None:
    bins, column = measure(values, type_, "categorical", "error")
    assert bins.categories == errors
    assert column.counts == (2, 2, 0, 0)


def test_an_error_code_stored_as_a_double_is_no_error_when_it_is_zero(measure: Measure) -> None:
    rows = [0.0, -0.0, None, 503.5]
    with pytest.raises(TypeError, match="each in its own way"):  # the oracle has no text for a double
        measure(rows, pa.float64(), "categorical", "error")
    bins, column = measure([0.0, -0.0, None], pa.float64(), "categorical", "error")
    assert bins.categories == ()
    assert column.counts == (3, 0, 0)


def test_types_that_are_text_by_a_cast_are_counted_as_text_on_duckdb(tmp_path: Path) -> None:
    statements = [
        "CREATE TYPE mood AS ENUM ('sad', 'glad')",
        "CREATE TABLE log AS SELECT uuid() id, (CASE WHEN i < 6 THEN 'glad' ELSE 'sad' END)::mood mood "
        "FROM range(9) t(i)",
    ]
    url = tables.write_duckdb(tmp_path / "types.duckdb", statements)
    assert categories(url) == {"id": 9, "mood": ("glad", "sad")}


@pytest.mark.integration
def test_types_that_are_text_by_a_cast_are_counted_as_text_on_postgresql(postgres_database: str) -> None:
    statements = [
        "CREATE TYPE mood AS ENUM ('sad', 'glad')",
        "CREATE TABLE log AS SELECT gen_random_uuid() id, (CASE WHEN i < 6 THEN 'glad' ELSE 'sad' END)::mood mood, "
        "(CASE WHEN i < 6 THEN 'AA' ELSE 'B' END)::char(4) padded FROM generate_series(0, 8) t(i)",
    ]
    tables.run_postgres(postgres_database, statements)
    assert categories(postgres_database) == {"id": 9, "mood": ("glad", "sad"), "padded": ("AA", "B")}


def categories(url: str) -> dict[str, Any]:
    """Return the categories of each column, of `id` their number, and see that every row falls into one."""
    with tables.opened(url, "log", timestamp=None) as (warehouse, source, types):
        assert set(types.values()) == {"string"}
        columns = tables.columns_of(types)
        bins = measure_bins(warehouse, source, columns, None)
        ((profile,),) = scan(warehouse, source, columns, bins, [WHOLE])
    for name, column in profile.columns.items():
        assert column.counts[0] == column.counts[-1] == column.counts[-2] == 0, name
    return {name: len(bins[name].categories) if name == "id" else bins[name].categories for name in types}


@pytest.mark.parametrize("type_", ["UTINYINT", "UINTEGER", "UBIGINT", "TINYINT", "BIGINT", "HUGEINT"])
def test_whole_numbers_at_the_ends_of_their_types_are_counted(type_: str, tmp_path: Path) -> None:
    ends = "(SELECT {0} x UNION ALL SELECT 0)"
    high = {"UTINYINT": "255", "TINYINT": "127", "UINTEGER": "4294967295"}.get(type_, "9223372036854775807")
    statements = [
        f"CREATE TABLE baseline AS SELECT (CASE WHEN {high} > 9000 THEN 5000 ELSE 60 END + i % 60)::{type_} x "
        "FROM range(9000) t(i)",
        f"CREATE TABLE log AS SELECT x::{type_} x FROM {ends.format(high)}",
    ]
    url = tables.write_duckdb(tmp_path / "ends.duckdb", statements)
    with (
        tables.opened(url, "baseline", timestamp=None) as (warehouse, baseline, types),
        tables.opened(url, "log", timestamp=None) as (_, source, _),
    ):
        columns = tables.columns_of(types)
        bins = measure_bins(warehouse, baseline, columns, None)
        ((profile,),) = scan(warehouse, source, columns, bins, [WHOLE])
    assert profile.columns["x"].counts[1] == profile.columns["x"].counts[-1] == 1


@given(st.lists(st.floats(-1e308, 1e308), min_size=2, max_size=40), st.integers(2, 10_000))
@example([-7e252, -1.6e237, *[0.0] * 15], 2)
@example([*[0.0] * 15, 1.6e237, 7e252], 2)
@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_edges_ascend_and_hold_every_value(values: list[float], rows: int) -> None:
    values = sorted(value + 0.0 for value in values)
    quantiles = [values[rank - 1] for rank in ranks_of(len(values))]
    edges = quantile_edges(quantiles, rows)
    beyond = edges_beyond(tuple(edges), quantiles)
    assert set(edges) <= set(beyond)
    assert all(before < after for before, after in pairwise(beyond))
    assert all(map(math.isfinite, beyond))
    assert all(before < after for before, after in pairwise(edges))
    assert edges[0] <= values[0]
    assert edges[-1] > values[-1]
    assert all(map(math.isfinite, edges))


@pytest.mark.parametrize("largest", [7.0, 1e308])
def test_nan_is_no_value_whatever_extremes_a_parquet_file_states(measure: Measure, largest: float) -> None:
    """The file's leave NaN out: DuckDB took `BETWEEN` for always true by them, and `NOT ISNAN` beside it."""
    values = [math.nan, *np.linspace(-5.0, 5.0, 600).tolist(), largest]
    bins, profile = measure(values, pa.float64())
    assert all(math.isfinite(edge) for edge in bins.edges)
    assert bins == measure([value for value in values if not math.isnan(value)], pa.float64())[0]
    assert (profile.nulls, profile.rows) == (1, len(values))
