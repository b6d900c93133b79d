"""Every engine finds when rows came, which came twice and which did not come, as a count row by row does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pandas as pd
import psycopg
import pytest

from monitoring_tasks.errors import DataError
from monitoring_tasks.traffic import EXAMPLES, Expected, Traffic
from monitoring_tasks.warehouse import traffic as reading
from monitoring_tasks.warehouse.engine import Warehouse, open_warehouse
from monitoring_tasks.warehouse.statement import RUNS, Source
from monitoring_tasks.warehouse.traffic import ExpectedSource, count_rows, read_earlier_traffic, read_traffic
from monitoring_tasks.window import Window, parse_schedule
from tests import labelled_log

START = datetime(2024, 3, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DAYS = [Window(START + i * DAY, START + (i + 1) * DAY) for i in range(4)]
GAPS = [DAYS[0], DAYS[2], Window(START + 3.5 * DAY, START + 3.75 * DAY), Window(START + 4 * DAY, START + 5 * DAY)]
HOURS = [Window(START + i * HOUR, START + (i + 1) * HOUR) for i in range(0, 24, 7)]
PLANS = {"one": DAYS[:1], "days": DAYS, "gaps": GAPS, "hours": HOURS}

ENGINES = ["table", "parquet", "plain SQL", pytest.param("postgres", marks=pytest.mark.integration)]
NO_KEY: dict[str, Any] = {"without_key": None, "repeats": None, "repeated": ()}
SQL = {"text": "text", "integer": "bigint", "uuid": "uuid"}


def log_of(kind: str = "text", rows: int = 350) -> pd.DataFrame:
    """Rows of four and a half days, some on the borders of windows, with nulls among the keys and keys that repeat."""
    rng = np.random.default_rng(11)
    seconds = rng.integers(0, int(4.5 * 86_400), rows)
    seconds[:8] = [0, 86_400, 86_399, 2 * 86_400, 3.5 * 86_400, 3 * 86_400 - 1, 7 * 3600, 4 * 86_400]
    micro = rng.integers(0, 1_000_000, rows)
    micro[:8] = [0, 0, 999_999, 0, 0, 999_999, 0, 0]
    number = np.arange(rows)
    number[250:] = rng.integers(0, 20, rows - 250)  # within a window and across them
    key = [None if i % 50 == 49 else spelled(int(each), kind) for i, each in enumerate(number)]
    at = pd.Timestamp(START.replace(tzinfo=None)) + pd.to_timedelta(seconds * 1_000_000 + micro, unit="us")
    return pd.DataFrame({"at": pd.DatetimeIndex(at).astype("datetime64[us]"), "key": pd.Series(key, dtype=object)})


def spelled(number: int, kind: str) -> object:
    return {"integer": number, "uuid": UUID(int=number * 2**96 + 7), "text": f"k{number % 7}Ä{number}"}[kind]


@contextmanager
def made(engine: str, folder: Path, url: str, **frames: pd.DataFrame) -> Iterator[Warehouse]:
    """Write tables whose columns are of the types that the keys and times are of."""
    if engine == "parquet":
        for name, frame in frames.items():
            with duckdb.connect() as connection:
                connection.register("frame", text_uuids(frame))
                connection.execute(f"COPY (SELECT {columns(frame)} FROM frame) TO '{folder / name}.parquet'")
        url = f"duckdb:///{folder}"
    elif engine == "postgres":
        with psycopg.connect(url, autocommit=True) as server:
            for name, frame in frames.items():
                types = ", ".join(f'"{column}" {sql_type(frame[column])}' for column in frame)
                server.execute(f"CREATE TABLE {name} ({types})")  # type: ignore[arg-type]
                with server.cursor().copy(f"COPY {name} FROM STDIN") as copy:  # type: ignore[arg-type]
                    for row in frame.itertuples(index=False):
                        copy.write_row([None if pd.isna(each) else each for each in row])
    else:
        with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
            for name, frame in frames.items():
                connection.register("frame", text_uuids(frame))
                connection.execute(f"CREATE TABLE {name} AS SELECT {columns(frame)} FROM frame")
        url = f"duckdb:///{folder / 'warehouse.duckdb'}"
    with open_warehouse(url) as warehouse:
        yield warehouse


def text_uuids(frame: pd.DataFrame) -> pd.DataFrame:
    plain = {name: frame[name].map(lambda x: str(x) if isinstance(x, UUID) else x) for name in frame}
    return pd.DataFrame(plain)


def columns(frame: pd.DataFrame) -> str:
    kept = ("timestamp", "timestamptz", "date")
    types = {name: sql_type(frame[name]) for name in frame}
    return ", ".join(
        f'"{name}"' if types[name] in kept else f'CAST("{name}" AS {types[name]}) AS "{name}"' for name in frame
    )


def sql_type(column: pd.Series) -> str:
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return "timestamptz"
    if pd.api.types.is_datetime64_dtype(column):
        return "timestamp"
    found = {type(each) for each in column if each is not None and each == each}
    return {UUID: "uuid", str: "text", date: "date", float: "double precision"}.get(next(iter(found)), "bigint")


def moment(value: object, zone: str = "UTC") -> datetime:
    if isinstance(value, pd.Timestamp):
        value = value.to_pydatetime(warn=False)
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    assert isinstance(value, date)
    return datetime.combine(value, time(), ZoneInfo(zone)).astimezone(UTC)


def expected_traffic(log: pd.DataFrame, window: Window, zone: str = "UTC", *, dates: bool = False) -> Traffic:
    """Count row by row, without any of the product's arithmetic."""
    at = [moment(each, zone) for each in log["at"]]
    rows = sorted((t, i) for i, t in enumerate(at) if window.start <= t < window.end)
    times = [t for t, _ in rows]
    keys = [log["key"].iloc[i] for _, i in rows]
    without = sum(key is None for key in keys)
    counts = Counter(str(key) for key in keys if key is not None)
    repeated = sorted(((key, n) for key, n in counts.items() if n > 1), key=lambda its: (-its[1], its[0]))
    about = {"without_key": without, "repeats": sum(n - 1 for _, n in repeated), "repeated": tuple(repeated[:EXAMPLES])}
    if dates:
        return Traffic(window, len(rows), **about)  # type: ignore[arg-type]
    same_minute = [a.replace(second=0, microsecond=0) == b.replace(second=0, microsecond=0) for a, b in pairs(times)]
    gaps = [(b - a, a, b) for (a, b), same in zip(pairs(times), same_minute, strict=True) if not same]
    longest = max(gaps, key=lambda gap: (gap[0], -gap[1].timestamp()), default=None)
    minutes = int(window.length / timedelta(minutes=1))
    number = max(n for n in range(1, 25) if minutes % n == 0)
    parts = [0] * number
    for t in times:
        parts[int((t - window.start) / (window.length / number))] += 1
    return Traffic(
        window,
        len(rows),
        first=times[0] if times else None,
        last=times[-1] if times else None,
        pause=None if longest is None else Window(longest[1], longest[2]),
        parts=tuple(parts),
        **about,  # type: ignore[arg-type]
    )


def pairs(times: Sequence[datetime]) -> list[tuple[datetime, datetime]]:
    return list(pairwise(times))


@pytest.fixture
def plain_sql(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask which keys repeat, as all engines are asked that have no hashes for us."""
    if request.node.callspec.params.get("engine") == "plain SQL":
        monkeypatch.setattr(reading, "_are_unique", lambda *_: False)


def postgres(engine: str, request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue("postgres_database") if engine == "postgres" else ""


@pytest.mark.usefixtures("plain_sql")
@pytest.mark.parametrize("kind", SQL)
@pytest.mark.parametrize("engine", ENGINES)
def test_traffic_is_that_of_a_count_row_by_row(
    kind: str, engine: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Of naive times; one window, several, with gaps between them, and hours whose borders rows lie on."""
    log = log_of(kind)
    with made(engine, tmp_path, postgres(engine, request), log=log) as warehouse:
        source = Source("log", "at", warehouse.columns("log")["at"])
        for name, windows in PLANS.items():
            found = list(read_traffic(warehouse, source, "key", windows))
            assert found == [expected_traffic(log, window) for window in windows], name
            assert count_rows(warehouse, source, windows) == [each.rows for each in found], name
        assert sum(each.repeats or 0 for each in found) == 0
    assert any(expected_traffic(log, window).repeats for window in DAYS)
    assert any(expected_traffic(log, window).without_key for window in DAYS)


@pytest.mark.parametrize("engine", ["table", "parquet", pytest.param("postgres", marks=pytest.mark.integration)])
@pytest.mark.parametrize("type_", ["timestamptz", "date"])
def test_times_of_other_types(type_: str, engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """With a zone; and dates, which are days of the monitor's zone and know no hours."""
    zone, log = "America/New_York", log_of()
    at = log["at"].dt.tz_localize("UTC") if type_ == "timestamptz" else pd.Series(log["at"].dt.date, dtype=object)
    log = log.assign(at=at)
    windows = parse_schedule("@daily", zone).windows(START, START + 4 * DAY)
    with made(engine, tmp_path, postgres(engine, request), log=log) as warehouse:
        source = Source("log", "at", warehouse.columns("log")["at"], zone)
        assert source.timestamp_type == type_
        found = list(read_traffic(warehouse, source, "key", windows))
        assert count_rows(warehouse, source, windows) == [each.rows for each in found]
    assert found == [expected_traffic(log, window, zone, dates=type_ == "date") for window in windows]
    assert all(each.silence is None for each in found) == (type_ == "date")


@pytest.mark.parametrize("unit", ["TIMESTAMP_NS", "TIMESTAMP_MS", "TIMESTAMP_S"])
def test_times_of_other_units_are_told_to_the_microsecond(unit: str, tmp_path: Path) -> None:
    """DuckDB's own: nanoseconds are cut off, as Python cannot hold them."""
    step = {"TIMESTAMP_NS": "us", "TIMESTAMP_MS": "ms", "TIMESTAMP_S": "s"}[unit]
    log = log_of()
    log["at"] = log["at"].dt.floor(step)
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.register("frame", log)
        nanosecond = 'make_timestamp_ns(epoch_ns("at") + 789)' if unit == "TIMESTAMP_NS" else '"at"'
        connection.execute(f'CREATE TABLE log AS SELECT CAST({nanosecond} AS {unit}) AS "at", key FROM frame')
    with open_warehouse(f"duckdb:///{tmp_path / 'warehouse.duckdb'}") as warehouse:
        source = Source("log", "at", warehouse.columns("log")["at"])
        assert list(read_traffic(warehouse, source, "key", GAPS)) == [expected_traffic(log, window) for window in GAPS]


@pytest.mark.parametrize("never", ["0001-01-01", "9999-12-31", "infinity", "-infinity", None])
@pytest.mark.parametrize("type_", ["TIMESTAMP", "TIMESTAMPTZ"])
def test_a_time_that_stands_for_none_is_in_no_window(type_: str, never: str | None, tmp_path: Path) -> None:
    """DuckDB computes with the least and the latest time of a table before it reads a row."""
    log = log_of()
    with made("table", tmp_path, "", log=log):
        pass
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f'ALTER TABLE log ALTER "at" TYPE {type_}')
        connection.execute(f"INSERT INTO log VALUES (CAST($1 AS {type_}), 'never')", [never])
    with open_warehouse(f"duckdb:///{tmp_path / 'warehouse.duckdb'}") as warehouse:
        source = Source("log", "at", warehouse.columns("log")["at"])
        assert list(read_traffic(warehouse, source, "key", DAYS)) == [expected_traffic(log, each) for each in DAYS]
        assert len(read_earlier_traffic(warehouse, source, [DAYS[0]])) == 1


def test_windows_of_more_minutes_than_one_statement_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = log_of()
    asked = []
    original = reading._counts
    monkeypatch.setattr(reading, "_counts", lambda *its: asked.append(len(its[2])) or original(*its))
    monkeypatch.setattr(reading, "MINUTES", 3000)
    with made("table", tmp_path, "", log=log) as warehouse:
        found = list(read_traffic(warehouse, Source("log", "at"), "key", DAYS))
    assert found == [expected_traffic(log, window) for window in DAYS]
    assert asked == [2, 2]


def test_a_window_longer_than_one_statement_takes_is_read_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MINUTES", 60)
    with made("table", tmp_path, "", log=log_of()) as warehouse:
        found = list(read_traffic(warehouse, Source("log", "at"), "key", DAYS))
    assert found == [expected_traffic(log_of(), window) for window in DAYS]


def test_more_runs_of_windows_than_are_named_one_by_one(tmp_path: Path) -> None:
    """Then what lies between them is read too, and counts for none of them."""
    windows = [Window(START + i * HOUR, START + i * HOUR + HOUR / 2) for i in range(RUNS + 5)]
    log = log_of()
    with made("table", tmp_path, "", log=log) as warehouse:
        found = list(read_traffic(warehouse, Source("log", "at"), "key", windows))
        counted = count_rows(warehouse, Source("log", "at"), windows)
    assert found == [expected_traffic(log, window) for window in windows]
    assert counted == [each.rows for each in found]


def test_no_window_is_no_statement(tmp_path: Path) -> None:
    with made("table", tmp_path, "", log=log_of()) as warehouse:
        assert list(read_traffic(warehouse, Source("log", "nobody"), "key", [])) == []
        assert count_rows(warehouse, Source("log", "nobody"), []) == []


def test_a_key_that_is_not_read_is_not_measured(tmp_path: Path) -> None:
    with made("table", tmp_path, "", log=log_of()) as warehouse:
        (found,) = read_traffic(warehouse, Source("log", "at"), None, DAYS[:1])
    assert (found.without_key, found.repeats, found.repeated) == (None, None, ())
    assert found.rows == expected_traffic(log_of(), DAYS[0]).rows


@pytest.mark.parametrize("engine", ENGINES)
def test_windows_before_the_first_row_of_the_log_are_not_known_to_be_empty(
    engine: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """A log that keeps some days holds day 2 alone; of an empty window between two rows it is known."""
    log = log_of()
    kept = log[(log["at"] >= "2024-03-03 09:30") & (log["at"] < "2024-03-04")]
    never = pd.DataFrame({"at": [pd.Timestamp("0001-01-01").as_unit("us")], "key": ["never"]})
    kept = pd.concat([never, kept], ignore_index=True)
    windows = [
        *DAYS[:2],
        *(Window(DAYS[2].start + i * HOUR, DAYS[2].start + (i + 1) * HOUR) for i in range(24)),
        DAYS[3],
    ]
    with made(engine, tmp_path, postgres(engine, request), log=kept) as warehouse:
        found = read_earlier_traffic(warehouse, Source("log", "at"), windows)
        assert found[0].window == windows[2 + 9]
        assert found == [replace(expected_traffic(kept, each), **NO_KEY) for each in windows[2 + 9 :]]
        outside = [each for each in windows if each.start.hour not in (9, 10)]  # the log begins between two of them
        begun = [each.window for each in read_earlier_traffic(warehouse, Source("log", "at"), outside[:11])]
        assert begun == []
        assert read_earlier_traffic(warehouse, Source("log", "at"), []) == []
        late = [DAYS[3], Window(DAYS[3].end, DAYS[3].end + DAY)]
        assert [each.rows for each in read_earlier_traffic(warehouse, Source("log", "at"), late)] == [0, 0]


def test_days_before_the_first_date_of_the_log_are_not_known_to_be_empty(tmp_path: Path) -> None:
    log = pd.DataFrame({"at": [date(2024, 3, 2)], "key": ["a"]})
    zone = "America/New_York"
    days = parse_schedule("@daily", zone).windows(START, START + 5 * DAY)
    with made("table", tmp_path, "", log=log) as warehouse:
        found = read_earlier_traffic(warehouse, Source("log", "at", "date", zone), days)
    assert [(each.window, each.rows) for each in found] == [(days[1], 1), (days[2], 0), (days[3], 0)]


@pytest.mark.parametrize("windows", [DAYS[:1], DAYS])
def test_on_duckdb_hashes_tell_whether_any_key_repeats(
    windows: list[Window], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys that repeat across windows only are not asked for, nor are nulls; one that repeats within one is."""
    asked: list[int] = []
    original = reading._repeats
    monkeypatch.setattr(reading, "_repeats", lambda *its: asked.append(1) or original(*its))
    log = log_of()
    log["day"] = log["at"].dt.floor("D")
    once = log[log["key"].isna() | ~log.duplicated(["day", "key"])][["at", "key"]]
    twice = pd.concat([once, once[once["key"].notna()].iloc[:1]])
    for frame, wanted in ((once, 0), (twice, 1)):
        folder = tmp_path / str(wanted)
        folder.mkdir()
        with made("table", folder, "", log=frame) as warehouse:
            found = list(read_traffic(warehouse, Source("log", "at"), "key", windows))
        assert found == [expected_traffic(frame, window) for window in windows]
        assert len(asked) == wanted
    monkeypatch.setattr(reading, "HASHED", 10)  # too many to hold: they are grouped by the warehouse
    with made("table", tmp_path, "", log=once) as warehouse:
        assert list(read_traffic(warehouse, Source("log", "at"), "key", windows)) == [
            expected_traffic(once, window) for window in windows
        ]
    assert len(asked) == 2


# Expected rows.


def expected_of(log: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Two of three of the log's keys when they came, as many that did not come, some twice, some nobody's."""
    kept = log[log["key"].notna()].iloc[::3]
    missing = kept.assign(key=[spelled(90_000 + i, kind) for i in range(len(kept))])
    nobodys = kept.iloc[:9].assign(key=None)
    return pd.concat([kept, missing, missing.iloc[::4], nobodys]).sample(frac=1, random_state=3).reset_index(drop=True)


def expected_keys(log: pd.DataFrame, should: pd.DataFrame, window: Window) -> Expected:
    def inside(frame: pd.DataFrame) -> set[str]:
        rows = zip(frame["key"], map(moment, frame["at"]), strict=True)
        return {str(key) for key, t in rows if key is not None and window.start <= t < window.end}

    wanted, came = inside(should), inside(log)
    absent = sorted(wanted - came)
    return Expected(len(wanted), len(absent), tuple(absent[:EXAMPLES]))


@pytest.mark.parametrize("kind", SQL)
@pytest.mark.parametrize("engine", ["table", "parquet", pytest.param("postgres", marks=pytest.mark.integration)])
def test_expected_keys_that_did_not_come_are_those_of_a_count_row_by_row(
    kind: str, engine: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    log = log_of(kind)
    should = expected_of(log, kind)
    type_ = "integer" if kind == "integer" else "string"
    source = ExpectedSource(Source("due", "at"), "key", key_type=type_, log_key_type=type_)
    with made(engine, tmp_path, postgres(engine, request), log=log, due=should) as warehouse:
        for name, windows in PLANS.items():
            found = [each.expected for each in read_traffic(warehouse, Source("log", "at"), "key", windows, source)]
            if kind == "integer":  # by their texts
                assert [each and (each.rows, each.missing) for each in found] == [
                    (its.rows, its.missing) for its in (expected_keys(log, should, window) for window in windows)
                ], name
            assert found == [expected_keys(log, should, window) for window in windows], name
    assert any(each is not None and each.missing for each in found)


@pytest.mark.parametrize("engine", ["table", pytest.param("postgres", marks=pytest.mark.integration)])
@pytest.mark.parametrize("kind", ["integer", "uuid"])
def test_expected_keys_of_another_type_are_compared_as_texts(
    kind: str, engine: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Numbers beside texts; identifiers beside texts, which are both called text here and are not the same there."""
    log = log_of(kind)
    should = expected_of(log, kind)
    texts = should.assign(key=[None if key is None else str(key) for key in should["key"]])
    types = {"key_type": "string", "log_key_type": "integer" if kind == "integer" else "string"}
    with made(engine, tmp_path, postgres(engine, request), log=log, due=texts) as warehouse:
        source = ExpectedSource(Source("due", "at"), "key", **types)  # type: ignore[arg-type]
        found = [each.expected for each in read_traffic(warehouse, Source("log", "at"), "key", DAYS, source)]
    assert found == [expected_keys(log, should, window) for window in DAYS]


def test_a_window_for_which_no_key_is_expected(tmp_path: Path) -> None:
    log = log_of()
    should = expected_of(log, "text")
    should = should[should["at"] < pd.Timestamp(DAYS[1].start.replace(tzinfo=None))]
    with made("table", tmp_path, "", log=log, due=should) as warehouse:
        source = ExpectedSource(Source("due", "at"), "key")
        found = [each.expected for each in read_traffic(warehouse, Source("log", "at"), "key", DAYS[:2], source)]
    assert found[1] == Expected(0, 0)


@pytest.mark.parametrize("engine", ["table", pytest.param("postgres", marks=pytest.mark.integration)])
@pytest.mark.parametrize("dtype", ["int64", "float64"])
def test_expected_counts_add_up_in_each_window(
    engine: str, dtype: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    hours = [START + i * HOUR for i in range(30)]
    due = pd.DataFrame(
        {
            "at": pd.DatetimeIndex([each.replace(tzinfo=None) for each in hours]).astype("datetime64[us]"),
            "n": np.arange(30).astype(dtype),
        }
    )
    with made(engine, tmp_path, postgres(engine, request), log=log_of(), due=due) as warehouse:
        source = ExpectedSource(Source("due", "at"), None, "n")
        found = list(read_traffic(warehouse, Source("log", "at"), "key", DAYS, source))
    assert [each.expected for each in found] == [
        Expected(sum(range(24))),
        Expected(sum(range(24, 30))),
        Expected(0),
        Expected(0),
    ]


@pytest.mark.parametrize("bad", ["nan", "infinity", "-5000"])
def test_an_expected_count_that_is_no_number_of_rows_costs_its_own_window(bad: str, tmp_path: Path) -> None:
    due = pd.DataFrame({"at": log_of()["at"], "n": 1.0}).iloc[:300].copy()
    with made("table", tmp_path, "", log=log_of(), due=due):
        pass
    url = f"duckdb:///{tmp_path / 'warehouse.duckdb'}"
    labelled_log.execute(url, f"UPDATE due SET n = '{bad}' WHERE \"at\" = '2024-03-01'")
    with open_warehouse(url) as warehouse:
        source = ExpectedSource(Source("due", "at"), None, "n")
        first, second = (
            each.expected for each in read_traffic(warehouse, Source("log", "at"), "key", DAYS[:2], source)
        )
    assert first is not None
    assert first.rows is None
    assert str(first.unreadable).startswith("column 'n' of table 'due' adds up to ")
    assert second is not None
    assert (second.unreadable, second.rows) == (None, int((due["at"].dt.day == 2).sum()))


def test_why_expected_rows_cannot_be_read_is_said_of_every_window(tmp_path: Path) -> None:
    with made("table", tmp_path, "", log=log_of()) as warehouse:
        found = list(read_traffic(warehouse, Source("log", "at"), "key", DAYS, "the table is gone"))
    assert [each.expected for each in found] == [Expected(unreadable="the table is gone")] * 4
    assert [each.rows for each in found] == [expected_traffic(log_of(), window).rows for window in DAYS]


def test_a_log_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with (
        made("table", tmp_path, "", log=log_of()) as warehouse,
        pytest.raises(DataError, match=r"nobody"),
    ):
        list(read_traffic(warehouse, Source("log", "nobody"), "key", DAYS))
