"""A small monitor's rows, planted so that every number that a view shows can be counted by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from monitoring_tasks.checks.result import Result
from monitoring_tasks.profile import Baseline, Bins, ColumnProfile, Profile
from monitoring_tasks.results.store import Store, WindowRun
from monitoring_tasks.window import Window

START = datetime(2013, 4, 1, tzinfo=UTC)
NOW = datetime(2013, 6, 1, 12, 30, tzinfo=UTC)

BINS = {
    "distance": Bins("numeric", edges=(0.0, 500.0, 1000.0), exponent=10),
    "carrier": Bins("categorical", categories=("AA", "UA"), others=("B6",)),
}


def day(number: int) -> Window:
    """The `number`-th day of the example, from 0."""
    return Window(START + timedelta(days=number), START + timedelta(days=number + 1))


def hour(number: int) -> Window:
    return Window(START + timedelta(hours=number), START + timedelta(hours=number + 1))


def distance(*counts: int) -> ColumnProfile:
    """Null, below, [0,500), [500,1000), above; every value of a bin is its middle, those above are 1500."""
    values = (-100.0, 250.0, 750.0, 1500.0)
    seen = [value for value, rows in zip(values, counts[1:], strict=True) if rows]
    sums = [sum(value**power * rows for value, rows in zip(values, counts[1:], strict=True)) for power in (1, 2)]
    return ColumnProfile("distance", "numeric", counts, min(seen, default=None), max(seen, default=None), *sums)


def carrier(*counts: int) -> ColumnProfile:
    """Null, AA, UA, other, unseen: all of those are HA."""
    return ColumnProfile("carrier", "categorical", counts, unseen=(("HA", counts[-1]),) if counts[-1] else ())


def profile(window: Window, *columns: ColumnProfile, segment: str = "", **unreadable: str) -> Profile:
    rows = columns[0].rows if columns else 0
    return Profile(window, rows, {column.column: column for column in columns}, segment, unreadable)


BASELINE = Baseline(
    monitor="flights",
    definition={"period": {"start": "2013-03-01T00:00Z", "end": "2013-04-01T00:00Z"}, "table": "log"},
    bins=BINS,
    columns={"distance": distance(0, 0, 60, 40, 0), "carrier": carrier(0, 50, 40, 10, 0)},
    rows=100,
    segments={"origin=JFK": {"distance": distance(0, 0, 10, 10, 0), "carrier": carrier(0, 20, 0, 0, 0)}},
)


def flights(window: Window) -> tuple[Profile, ...]:
    """Ten rows: one distance missing, half of the rest as in the baseline; one unseen carrier."""
    return (
        profile(window, distance(1, 0, 5, 3, 1), carrier(0, 4, 4, 1, 1)),
        profile(window, distance(0, 0, 2, 2, 0), carrier(0, 4, 0, 0, 0), segment="origin=JFK"),
    )


def drift(psi: float, *, column: str = "distance", metric: str = "psi", segment: str = "") -> Result:
    return Result(metric, psi, column, segment, threshold_upper=0.2, baseline_rows=100, window_rows=10)


def fill(store: Store, psi: Sequence[float] = (0.05, 0.3, 0.1, 0.25, 0.5)) -> None:
    """Monitor one day per number in `psi`: profiles, drift of distance by that much, operations, and the run itself."""
    store.write_baseline(BASELINE, "hash")
    for number, value in enumerate(psi):
        window = day(number)
        store.write_profiles("flights", window, flights(window), BASELINE.id)
        store.write_results(
            "flights",
            window,
            "data_drift",
            [
                drift(value),
                drift(value / 10, metric="jensen_shannon"),
                Result("kolmogorov_smirnov", value / 5, "distance", p_value=0.5, window_rows=10, baseline_rows=100),
                drift(value / 2, segment="origin=JFK"),
                drift(0.01, column="carrier"),
            ],
        )
        store.write_results(
            "flights",
            window,
            "operations",
            [
                Result("rows", 10.0),
                Result("error_rate", number / 100, threshold_upper=0.05),
                Result("latency_p50", 20.0),
                Result("latency_p95", 80.0 + number),
                Result("latency_p99", 100.0 + number),
            ],
        )
        run = WindowRun("flights", window, "done", "config", NOW, rows=10, baseline_id=BASELINE.id, seconds=1.5)
        store.write_window_run(run, ("data_drift", "operations"))


def contents(store: Store, *names: str) -> dict[str, list[dict[str, object]]]:
    """Every row of the tables, in the order of their columns."""
    return {name: sorted(store.query(f"SELECT * FROM {name}"), key=repr) for name in names}
