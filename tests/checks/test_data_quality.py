"""Missing, impossible, unseen and repeated values; columns that came, went or stopped. From counts alone, and run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pytest
import scipy.stats

from monitoring_tasks.checks import CheckContext, Result
from monitoring_tasks.checks.data_quality import data_quality
from monitoring_tasks.profile import Baseline, Bins, ColumnProfile, Profile, just_above
from monitoring_tasks.reference import Reference
from monitoring_tasks.results.store import Store, open_store
from monitoring_tasks.run import run_windows
from monitoring_tasks.statistics.homogeneity import column_dispersion, with_shared_priors
from monitoring_tasks.traffic import Traffic
from monitoring_tasks.warehouse.engine import open_warehouse
from monitoring_tasks.window import Window
from monitoring_tasks.window_counts import Places, WindowCounts
from tests import inference_log
from tests.benchmarks.decisions.column import Column, column
from tests.benchmarks.decisions.rate import Rate, at_most, rate
from tests.benchmarks.decisions.streams import Dependence, Kind
from tests.checks.context import WINDOW, categorical, context, numeric
from tests.inference_log import day

AMOUNT = Bins("numeric", (0.0, 25.0, 50.0, 75.0, just_above(100.0)))
COUNTRY = Bins("categorical", categories=("DE", "FR", "IT"))


def amounts(rows: int, nulls: int = 0, *more: float) -> ColumnProfile:
    """Numbers evenly from 0 to 100, with nulls and with `more`."""
    values = np.concatenate((np.linspace(0.0, 100.0, rows - nulls - len(more)), np.full(nulls, np.nan), more))
    return numeric("amount", AMOUNT, values)


def found(
    current: ColumnProfile,
    reference: ColumnProfile,
    settings: str = "{}",
    bins: Bins | None = None,
    **changes: object,
) -> dict[str, Result]:
    """Judge one column, by metric."""
    monitor = inference_log.monitor(f"{{data_quality: {settings}}}")
    bins = bins or (AMOUNT if current.kind == "numeric" else COUNTRY)
    name = current.column
    made = context(monitor, {name: bins}, {"": [reference]}, {"": [current]})
    baseline = replace(made.baseline, definition={"features": [name]})
    results = data_quality(replace(made, baseline=baseline, **changes))  # type: ignore[arg-type]
    assert len({result.metric for result in results}) == len(results)
    return {result.metric: result for result in results}


# Missing values


@pytest.mark.parametrize(
    ("nulls", "status", "message"),
    [
        (0, "ok", "amount has no missing value (alarm above 3 %)"),
        (25, "ok", "amount is missing in 2.5 % of rows, in the baseline in 2 % (alarm above 3 %)"),
        (60, "alarm", "amount is missing in 6 % of rows, in the baseline in 2 % (alarm above 3 %)"),
    ],
)
def test_a_missing_share_is_held_against_the_baselines(nulls, status, message):
    result = found(amounts(1000, nulls), amounts(10_000, 200))["missing_share"]
    assert (result.value, result.threshold_upper) == (nulls / 1000, pytest.approx(0.03))
    assert (result.decided(), result.message) == (status, message)
    interval = scipy.stats.binomtest(nulls, 1000).proportion_ci(method="wilson")
    assert (result.value_lower, result.value_upper) == pytest.approx((interval.low, interval.high), abs=1e-12)
    table = [[nulls, 1000 - nulls], [200, 9800]]
    exact = scipy.stats.fisher_exact(table, alternative="greater").pvalue
    assert result.p_value == (1.0 if nulls <= 20 else pytest.approx(exact, rel=0.25))


def test_a_large_rise_that_chance_may_be_is_no_alarm():
    result = found(amounts(60, 3), amounts(3000, 60))["missing_share"]
    assert result.decided() == "ok"
    assert result.message == (
        "amount is missing in 5 % of rows, in the baseline in 2 % (alarm above 3 %), but chance alone may do this: "
        f"p = {result.p_value:.3g}"
    )


@pytest.mark.parametrize(
    ("before", "nulls", "status"),
    [(0, 50, "warning"), (0, 101, "alarm"), (200, 245, "ok"), (200, 265, "warning"), (200, 320, "alarm")],
)
def test_what_was_never_missing_is_worth_a_warning_however_few(before, nulls, status):
    """0.5 % of 10,000 rows where the baseline had none; where it has 2 %, half a point more is a warning."""
    assert found(amounts(10_000, nulls), amounts(10_000, before))["missing_share"].decided() == status


@pytest.mark.parametrize(
    ("settings", "nulls", "status"),
    [
        ("{}", 9, "ok"),
        ("{}", 12, "warning"),
        ("{minimum_effect: {missing_share: 0.02}}", 12, "ok"),
        ("{minimum_effect: {missing_share: 0.001}}", 9, "warning"),
    ],
)
def test_a_few_rows_of_very_many_are_not_worth_a_warning_every_night(settings, nulls, status):
    """Of 100,000 rows where the baseline's three million had none: significant, however few."""
    result = found(amounts(100_000, nulls), amounts(3_000_000), settings)["missing_share"]
    assert (result.decided(), result.p_value < 1e-9) == (status, True)


@pytest.mark.parametrize(
    ("settings", "nulls", "status"),
    [
        ("{minimum_effect: {missing_share: 0.1}}", 60, "ok"),
        ("{minimum_effect: {missing_share: 0}}", 45, "alarm"),
        ("{fixed: {missing_share: 0.06}}", 60, "ok"),
        ("{fixed: {missing_share: 0.05}}", 60, "alarm"),
        ("{fixed: {missing_share: 0}}", 1, "alarm"),
    ],
)
def test_the_file_says_what_matters_or_what_is_too_much(settings, nulls, status):
    result = found(amounts(1000, nulls), amounts(10_000, 200), settings)["missing_share"]
    assert result.decided() == status
    if settings == "{fixed: {missing_share: 0.05}}":
        expected = "amount is missing in 6 % of rows, in the baseline in 2 % (alarm above 5 %, which is fixed)"
        assert (result.message, result.threshold_upper) == (expected, 0.05)


@pytest.mark.parametrize(
    ("nulls", "usual", "beside", "alone"), [(8, 140, "ok", "alarm"), (7, 100, "alarm", "alarm"), (6, 140, "ok", "ok")]
)
def test_what_has_a_fixed_threshold_is_no_test_more_to_correct_for(nulls, usual, beside, alone):
    """8 of 200 rows where the baseline has 1.4 % is significant by itself, and not beside the test of the range.

    That has a fifth of the weight of this one: at a rate of 1 % the bounds on the p-value are 0.0095 and 0.0079.
    """
    current, reference = amounts(200, nulls), amounts(10_000, usual)
    one = found(current, reference, "{fixed: {out_of_range_share: 0.5}}")["missing_share"]
    two = found(current, reference)["missing_share"]
    assert (two.decided(), one.decided()) == (beside, alone)
    assert (one.p_value <= 0.0095, one.p_value <= 0.0095 / 2 / 0.6) == (alone == "alarm", beside == "alarm")


def test_an_empty_column_has_one_row():
    results = found(amounts(1000, 1000), amounts(10_000))
    assert {name: result.decided() for name, result in results.items()} == {"missing_share": "alarm"}


def test_a_column_that_the_baseline_never_had_a_value_of_is_judged_by_nothing_but_what_is_missing():
    results = found(amounts(1000), amounts(10_000, 10_000))
    assert {name: result.decided() for name, result in results.items()} == {"missing_share": "ok"}


def test_where_values_are_missing_on_some_days_another_such_day_is_no_alarm():
    """A tenth of the rows of every fifth day: 2 % of all. The same rows, evenly spread, make it one."""
    bursts = [[48 if part % 5 == 0 else 0, 0, 216, 216, 0, 0] for part in range(20)]
    steady = [[10, 0, 235, 235, 0, 0] for _ in range(20)]
    bins = Bins("numeric", (0.0, 50.0, 100.0, 150.0))
    statuses = []
    for parts in (bursts, steady):
        whole = ColumnProfile("amount", "numeric", tuple(map(int, np.sum(parts, axis=0))), 0.0, 100.0)
        dispersions = {"amount": replace(column_dispersion(parts, "numeric"), rows=math.nan)}
        earlier = Reference("baseline", {"": {"amount": whole}}, {"": with_shared_priors(dispersions)})
        now = ColumnProfile("amount", "numeric", (48, 0, 216, 216, 0, 0), 0.0, 100.0)
        result = found(now, whole, bins=bins, earlier=earlier)["missing_share"]
        statuses.append(result.decided())
    assert statuses == ["ok", "alarm"]


# Values out of range


def test_values_beyond_the_extremes_are_counted_and_said():
    result = found(amounts(1000, 0, *[150.0] * 30, *[-5.0] * 10), amounts(10_000))["out_of_range_share"]
    assert (result.value, result.decided()) == (0.04, "alarm")
    assert result.message == (
        "amount: 1 % of rows lie below 0, the smallest value of the baseline (down to -5); 3 % of rows lie above 100, "
        "the largest value of the baseline (up to 150) (alarm above 1 %)"
    )
    exact = scipy.stats.betabinom(1000, 2, 9_999).pmf(np.arange(40, 1001)).sum()
    assert result.p_value == pytest.approx(exact, rel=0.5)


def test_infinite_values_are_out_of_range():
    current = replace(amounts(1000), counts=(0, 0, *amounts(980).counts[2:-1], 20))
    result = found(current, amounts(10_000))["out_of_range_share"]
    assert (result.value, result.decided()) == (0.02, "alarm")
    assert "infinite values" in result.message


def test_a_few_values_beyond_a_small_baselines_extremes_are_chance():
    result = found(amounts(1000, 0, *[150.0] * 12), amounts(500))["out_of_range_share"]
    assert (result.value, result.decided()) == (0.012, "ok")
    assert result.detail["expected"] == pytest.approx(2 / 501)


def test_time_that_goes_on_is_not_out_of_range():
    """A feature such as the time of registration: the window is a month after the baseline."""
    start, month = datetime(2024, 3, 1, tzinfo=UTC).timestamp(), 20 * 86_400
    bins = Bins("timestamp", (start, start + month / 2, just_above(start + month)))
    before = ColumnProfile("registered", "timestamp", (0, 0, 5000, 5000, 0), start, start + month)

    def share(counts: tuple[int, ...], low: float, high: float) -> Result:
        current = ColumnProfile("registered", "timestamp", counts, low, high)
        return found(current, before, bins=bins)["out_of_range_share"]

    newer = WINDOW.end.timestamp() - 60
    assert share((0, 0, 100, 100, 800), start, newer).value == 0
    assert share((0, 0, 100, 100, 800), start, newer + 400 * 86_400).value == 0.001, "how many more is not known"
    old = share((0, 100, 100, 100, 700), start - 1e6, newer)
    assert (old.value, old.decided()) == (0.1, "alarm")


@pytest.mark.parametrize(("late", "status"), [(1000, "alarm"), (300, "alarm"), (1, "ok"), (0, "ok")])
@pytest.mark.parametrize("sign", [1, -1], ids=["after", "before"])
def test_dates_of_a_far_future_are_counted_among_those_that_are_new(late, status, sign):
    """Or of a far past, where a window before the baseline is read: the sum of all says how many there are at least."""
    bins = Bins("timestamp", (-3e6, -2e6, 0.0, 2e6, just_above(3e6)), exponent=22)
    before = ColumnProfile("due", "timestamp", (0, 0, 3000, 3000, 3000, 3000, 0), -3e6, 3e6)
    new, far = sign * 3.05e6, sign * 2.5e11
    counts = [0, 0, 0, 0, 0, 0, 0]
    counts[-1 if sign > 0 else 1] = 1000
    extremes = sorted((new, far)) if 0 < late < 1000 else [far, far] if late else [new, new]
    now = ColumnProfile("due", "timestamp", tuple(counts), *extremes, total=late * far + (1000 - late) * new)
    start = 0 if sign > 0 else -86_400
    period = Window(*(datetime.fromtimestamp(start + end, UTC) for end in (0, 86_400)))
    earlier = Reference("baseline", {"": {"due": before}}, period=period)
    day = Window(*(datetime.fromtimestamp(start + sign * 86_400 + end, UTC) for end in (0, 86_400)))
    result = found(now, before, bins=bins, earlier=earlier, window=day)["out_of_range_share"]
    assert (result.value, result.decided()) == (late / 1000, status)
    if late == 300:
        said = "due: at least 30 % of rows lie after 1970-02-05 17:20, which the time since the baseline does not "
        assert result.message.startswith(said if sign > 0 else "due: at least 30 % of rows lie before 1969-11-26 06:40")


def test_after_a_table_without_times_no_time_is_too_late():
    bins = Bins("timestamp", (0.0, 50.0, just_above(100.0)))
    before, now = (
        ColumnProfile("seen", "timestamp", (0, 0, 0, n, m), 0.0, high)
        for n, m, high in ((900, 0, 100.0), (0, 900, 1e9))
    )
    timeless = inference_log.monitor(baseline="{table: training}")
    assert found(now, before, bins=bins, monitor=timeless)["out_of_range_share"].value == 0


# Unseen categories


def test_unseen_categories_are_named():
    current = replace(categorical("country", 0, 500, 300, 150, 0, 50), unseen=(("NL", 40), ("BE", 10)))
    result = found(current, categorical("country", 0, 5000, 3000, 2000, 0, 0))["unseen_share"]
    assert (result.value, result.decided()) == (0.05, "alarm")
    assert result.message == (
        "country: 5 % of rows hold values never seen in the baseline: NL (4 %), BE (1 %) (alarm above 1 %)"
    )


def test_where_values_keep_coming_new_so_many_are_expected():
    """Good and Turing: 300 of 10,000 rows held a value that came once, so about 3 % of others will."""
    bins = replace(COUNTRY, others=("XX",), singletons=300)
    before = categorical("country", 0, 5000, 3000, 1500, 500, 0)
    current = replace(categorical("country", 0, 500, 300, 150, 15, 35), unseen=None)
    result = found(current, before, bins=bins)["unseen_share"]
    assert (result.decided(), result.detail["expected"]) == ("ok", pytest.approx(0.03))
    plain = found(current, before, bins=replace(bins, singletons=0))["unseen_share"]
    assert plain.decided() == "alarm"


@pytest.mark.parametrize(
    ("now", "before", "status"),
    [
        ((1000, None), (3, (("XX", 3),)), "alarm"),
        ((500, (("YY", 500),)), (90, None), "alarm"),
        ((5, None), (90, None), "ok"),
    ],
)
def test_new_values_too_many_to_name_are_held_against_how_many_there_were(now, before, status):
    """Of a moving baseline that knows some values without a bin: a code in a new format is no value that it knows."""
    current = replace(categorical("country", 0, 1000 - now[0], 0, 0, 0, now[0]), unseen=now[1])
    reference = replace(categorical("country", 0, 9000, 6000, 3000, 0, before[0]), unseen=before[1])
    result = found(current, reference)["unseen_share"]
    assert (result.value, result.decided()) == (now[0] / 1000, status)
    assert (
        f"{now[0] / 10:.3g} % of rows hold values that are new since the baseline, too many to tell" in result.message
    )


def test_a_column_of_too_many_values_to_remember_has_no_unseen_ones():
    assert "unseen_share" not in found(
        categorical("country", 0, 50, 30, 20, 900, 0),
        categorical("country", 0, 50, 30, 20, 900, 0),
        bins=replace(COUNTRY, open_ended=True),
    )


# Columns that stopped


def test_a_constant_column_is_an_alarm_where_chance_cannot_explain_it():
    result = found(numeric("amount", AMOUNT, np.full(200, 60.0)), amounts(10_000))["constant"]
    assert (result.value, result.decided()) == (1.0, "alarm")
    assert result.message.startswith("amount has one value, 60, in all 200 rows that have any (p = ")
    country = found(categorical("country", 0, 0, 200, 0, 0, 0), categorical("country", 0, 5000, 3000, 2000, 0, 0))
    assert country["constant"].decided() == "alarm"
    assert "one value, FR," in country["constant"].message


def test_a_rare_flag_that_is_never_raised_is_chance():
    flags = Bins("categorical", categories=("false", "true"))
    before = categorical("country", 0, 9990, 10, 0, 0)
    result = found(categorical("country", 0, 200, 0, 0, 0), before, bins=flags)["constant"]
    assert (result.decided(), result.p_value) == ("ok", pytest.approx(0.999**200, rel=0.05))
    assert result.message.endswith(f"but chance alone may do this: p = {result.p_value:.3g}")


def test_a_column_that_was_constant_in_the_baseline_has_no_row():
    ones = Bins("numeric", (1.0, just_above(1.0)))
    before, now = (numeric("amount", ones, np.ones(rows)) for rows in (5000, 200))
    assert set(found(now, before, bins=ones)) == {"missing_share", "out_of_range_share"}


def test_a_column_with_one_value_per_window_is_not_constant_but_as_ever():
    """One weather per hour: a third of the baseline's windows are all of one category each."""
    parts = [[0, *(60 if i == part % 3 else 0 for i in range(3)), 0, 0] for part in range(30)]
    whole = ColumnProfile("country", "categorical", tuple(map(int, np.sum(parts, axis=0))))
    dispersions = {"country": replace(column_dispersion(parts, "categorical"), rows=math.nan)}
    earlier = Reference("baseline", {"": {"country": whole}}, {"": with_shared_priors(dispersions)})
    now = categorical("country", 0, 60, 0, 0, 0, 0)
    results = found(now, whole, earlier=earlier, latest_before=lambda: before(now, now))
    assert results["constant"].decided() == "ok"
    assert "stale" not in results


def before(*profiles: ColumnProfile, bins: Bins | None = None, gap: int = 0) -> tuple[WindowCounts, ...]:
    """Return the windows right before `WINDOW`, days of one column each."""
    name = profiles[0].column
    places = Places({name: bins or (AMOUNT if profiles[0].kind == "numeric" else COUNTRY)})
    made = []
    for number, column_profile in enumerate(profiles):
        back = timedelta(days=len(profiles) - number + gap)
        window = Window(WINDOW.start - back, WINDOW.start - back + timedelta(days=1))
        made.append(WindowCounts.of([Profile(window, column_profile.rows, {name: column_profile})], places))
    return tuple(made)


def with_parts(rows: int, number: int = 20) -> dict[str, object]:
    """Return a reference whose parts differ as chance has it."""
    drawn = np.random.default_rng(3).multinomial(rows, [0.25] * 4, size=number)
    parts = np.concatenate((np.zeros((number, 2), int), drawn, np.zeros((number, 1), int)), axis=1)
    whole = ColumnProfile("amount", "numeric", tuple(map(int, parts.sum(axis=0))), 0.0, 100.0)
    dispersions = {"amount": replace(column_dispersion(parts, "numeric"), rows=math.nan)}
    return {"earlier": Reference("baseline", {"": {"amount": whole}}, {"": with_shared_priors(dispersions)})}


def drawn(seed: int, rows: int = 400) -> ColumnProfile:
    return numeric("amount", AMOUNT, np.random.default_rng(seed).uniform(0.0, 100.0, rows))


def test_a_column_that_has_not_changed_for_three_windows_is_stale():
    now = drawn(1)
    result = found(now, amounts(10_000), latest_before=lambda: before(now, now), **with_parts(400))["stale"]
    assert (result.value, result.decided()) == (3, "alarm")
    assert result.message.startswith(
        "amount has not changed at all for 3 windows: the same shares, extremes and mean (p = "
    )
    once = scipy.stats.multinomial(400, [0.25] * 4).pmf(now.counts[2:-1])
    assert result.p_value == pytest.approx(once**2, rel=2.0)


@pytest.mark.parametrize(
    "windows",
    [
        lambda now: before(now, drawn(2)),
        lambda now: before(drawn(2), now),
        lambda now: before(now),
        lambda now: before(now, now, gap=1),
        lambda now: before(now, replace(now, maximum=99.0)),
        lambda now: before(now, replace(now, total=now.total * 1.001)),
        lambda _: (),
    ],
    ids=["another yesterday", "another before", "too few known", "a gap", "another maximum", "another mean", "none"],
)
def test_whatever_changed_is_not_stale(windows):
    now = drawn(1)
    assert "stale" not in found(now, amounts(10_000), latest_before=lambda: windows(now), **with_parts(400))


def test_a_column_that_is_alike_in_all_windows_by_its_nature_is_not_stale():
    """Every night scores the same customers, and this is where they live."""
    parts = np.tile([[0, 0, 100, 100, 100, 100, 0]], (20, 1))
    whole = ColumnProfile("amount", "numeric", tuple(map(int, parts.sum(axis=0))), 0.0, 100.0)
    dispersions = {"amount": replace(column_dispersion(parts, "numeric"), rows=math.nan)}
    earlier = Reference("baseline", {"": {"amount": whole}}, {"": with_shared_priors(dispersions)})
    now = drawn(1)
    assert "stale" not in found(now, whole, earlier=earlier, latest_before=lambda: before(now, now))


@pytest.mark.parametrize(
    ("baseline", "said"),
    [
        ("{table: training}", "for a table does not show"),
        ("{period: {start: 2024-03-01, end: 2024-03-02}}", "period does"),
    ],
)
def test_what_does_not_show_how_much_windows_differ_makes_no_column_stale(baseline, said):
    """Such as one night's batch: where each scores the same customers, no column ever changes."""
    now, monitor = drawn(1), inference_log.monitor(baseline=baseline)
    result = found(now, amounts(10_000), latest_before=lambda: before(now, now), monitor=monitor)["stale"]
    assert result.decided() == "info"
    assert said in result.message


def test_how_many_windows_make_a_column_stale_is_the_files_to_say():
    now, settings = drawn(1), "{stale_windows: 4}"
    parts = with_parts(400)
    assert "stale" not in found(now, amounts(10_000), settings, latest_before=lambda: before(now, now), **parts)
    result = found(now, amounts(10_000), settings, latest_before=lambda: before(now, now, now), **parts)["stale"]
    assert result.value == 4
    once = found(now, amounts(10_000), "{stale_windows: 1}", latest_before=lambda: pytest.fail("read"), **parts)
    assert "stale" not in once


# The table


def schema(
    before: Mapping[str, str], now: Mapping[str, str], unreadable: Mapping[str, str] = {}, rows: int = 100
) -> list[Result]:
    monitor = inference_log.monitor(features="'*'")
    made = context(monitor, {"amount": AMOUNT, "age": AMOUNT}, {"": [amounts(100)]}, {"": [amounts(100)]})
    definition = {**made.baseline.definition, "types": dict(before), "features": ["amount", "age"]}
    changed = replace(made.profile, types=dict(now), unreadable=dict(unreadable), rows=rows)
    results = data_quality(replace(made, profile=changed, baseline=replace(made.baseline, definition=definition)))
    return [result for result in results if result.metric in ("new_columns", "vanished_columns", "type_change")]


def test_a_vanished_column_is_an_alarm_and_a_new_one_is_said():
    types = {"amount": "number", "age": "number"}
    new, gone = schema(types, {"amount": "number"}, {"age": "is gone", "height": "is new"})
    assert (new.value, new.decided()) == (1, "info")
    assert (new.message, new.detail) == ("1 new column since the baseline: height", {"columns": ["height"]})
    assert (gone.value, gone.decided()) == (1, "alarm")
    assert gone.message == "1 column of the baseline is gone from the table: age"
    assert gone.detail == {"columns": ["age"]}


def test_a_table_with_the_same_columns_is_in_order():
    types = {"amount": "number", "age": "number"}
    assert [(result.metric, result.value, result.decided()) for result in schema(types, types)] == [
        ("new_columns", 0, "info"),
        ("vanished_columns", 0, "ok"),
    ]


def test_a_column_that_cannot_be_read_any_more_has_not_vanished():
    types = {"amount": "number", "age": "number"}
    _, gone, changed = schema(types, {**types, "age": "string"}, {"age": "is text"})
    assert (gone.metric, gone.value, gone.message) == (
        "vanished_columns",
        0,
        "the table has every column that the baseline had",
    )
    assert (changed.metric, changed.column_name, changed.decided()) == ("type_change", "age", "alarm")


def test_what_types_are_is_not_known_of_old_windows():
    assert [result.metric for result in schema({}, {})] == ["new_columns"]


@pytest.mark.parametrize(
    ("before", "now", "status", "message"),
    [
        ("integer", "number", "warning", "age is a number now and was a whole number in the baseline"),
        ("number", "string", "alarm", "age is text now and was a number in the baseline"),
        ("timestamp", "timestamptz", "alarm", "age is a time (timestamptz) now and was a time in the baseline"),
    ],
)
def test_a_changed_type_is_told_from_what_to_what(before, now, status, message):
    (result,) = [each for each in schema({"age": before}, {"age": now}) if each.metric == "type_change"]
    assert (result.column_name, result.decided(), result.message) == ("age", status, message)
    assert result.detail == {"from": before, "to": now}


# Keys


def keys(settings: str = "{}", rows: int = 10_000, **counted: object) -> dict[str, Result]:
    traffic = Traffic(WINDOW, rows, **counted)  # type: ignore[arg-type]
    results = found(amounts(1000), amounts(10_000), settings, traffic=traffic)
    return {
        name: result for name, result in results.items() if name in ("duplicate_share", "missing_keys", "unreadable")
    }


@pytest.mark.parametrize(
    ("settings", "repeats", "rows", "status"),
    [
        ("{}", 0, 10_000, "ok"),
        ("{}", 10, 10_000, "ok"),
        ("{}", 11, 10_000, "warning"),
        ("{}", 19, 10_000, "alarm"),
        ("{}", 1, 200, "warning"),
        ("{}", 2, 500, "warning"),
        ("{}", 4, 500, "alarm"),
        ("{minimum_effect: {duplicate_share: 0}}", 1, 10_000, "alarm"),
        ("{minimum_effect: {duplicate_share: 0.01}}", 11, 10_000, "ok"),
        ("{fixed: {duplicate_share: 0}}", 1, 10_000, "alarm"),
    ],
)
def test_repeated_keys(settings, repeats, rows, status):
    result = keys(settings, rows, repeats=repeats)["duplicate_share"]
    assert (result.value, result.column_name, result.decided()) == (repeats / rows, "id", status)


def test_repeated_keys_are_named():
    result = keys(repeats=100, repeated=(("a7", 90), ("b2", 12)), without_key=1)
    assert result["duplicate_share"].message == (
        "100 rows of 10,000 repeat a key (id): a7 came 90 times, b2 came 12 times; that is 1 % (alarm above 0.1 %)"
    )
    assert result["duplicate_share"].detail == {"keys": [["a7", 90], ["b2", 12]]}
    assert result["missing_keys"].message == "1 row of 10,000 has no key (id); that is 0.01 % (alarm above 0.1 %)"
    assert result["missing_keys"].decided() == "ok"


def test_keys_that_were_not_read_have_no_row():
    assert keys() == {}
    assert keys(rows=0, repeats=0, without_key=0) == {}


def test_a_key_that_cannot_be_read_is_an_error_with_its_reason():
    (result,) = keys(key_unreadable="table 'log' has no column 'id'").values()
    assert (result.metric, result.decided(), result.message) == (
        "unreadable",
        "error",
        "table 'log' has no column 'id'",
    )


# Windows that cannot be judged


def test_too_few_rows_are_measured_and_not_judged():
    results = found(amounts(40, 40), amounts(10_000))
    assert results["missing_share"].value == 1
    assert {result.decided() for result in results.values()} == {"insufficient_data"}
    assert results["missing_share"].message == "amount: 40 rows are too few to judge, 50 are needed"
    assert found(amounts(40, 40), amounts(10_000), "{minimum_rows: 20}")["missing_share"].decided() == "alarm"


def test_a_window_without_rows_has_one_row():
    empty = ColumnProfile("amount", "numeric", (0,) * len(AMOUNT))
    results = found(empty, amounts(10_000))
    assert [(result.metric, result.value, result.decided()) for result in results.values()] == [
        ("missing_share", None, "insufficient_data")
    ]
    assert results["missing_share"].message == "no column can be judged: the window has no row"


def test_of_an_empty_window_nothing_is_said_to_be_in_order():
    types = {"amount": "number", "age": "number"}
    assert schema(types, types, rows=0) == []
    (gone,) = schema(types, {"amount": "number"}, {"age": "is gone"}, rows=0)
    assert gone.decided() == "alarm"


def test_a_column_that_cannot_be_read_is_told_once():
    """By the drift checks, or by operations, or else here."""
    for off, told in (("", 0), ("data_drift: off", 0), ("data_drift: off, operations: off", 1)):
        monitor = inference_log.monitor(f"{{{off}}}")
        made = context(monitor, {"amount": AMOUNT}, {"": [amounts(100)]}, {"": [amounts(100)]}, {"age": "is gone"})
        errors = [result for result in data_quality(made) if result.metric == "unreadable"]
        assert [(each.column_name, each.status, each.message) for each in errors] == [
            ("age", "error", "is gone")
        ] * told


# A run


def run(tmp_path: Path, checks: str = "{}", *statements: str) -> Iterator[Store]:
    tmp_path.mkdir(exist_ok=True)
    url = inference_log.to_duckdb(tmp_path / "log.duckdb")
    with duckdb.connect(url.removeprefix("duckdb:///")) as database:
        for statement in statements:
            database.execute(statement)
    monitor = inference_log.monitor(checks)
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store, open_warehouse(url) as warehouse:
        run_windows(monitor, day(20).start, day(22).end, warehouse=warehouse, store=store)
        yield store


QUALITY_ALONE = "{multivariate_drift: off, data_drift: off, prediction_drift: off, operations: off}"


def bad(store: Store) -> list[tuple[str, str, str, str, str]]:
    rows = store.query(
        "SELECT * FROM result WHERE status NOT IN ('ok', 'info') ORDER BY window_start, metric, column_name"
    )
    return [(str(r["window_start"])[:10], r["metric"], r["column_name"], r["status"], r["message"]) for r in rows]  # type: ignore[misc]


DAY_21 = "asked_at >= '2024-03-22' AND asked_at < '2024-03-23'"


def test_eighty_per_cent_nulls_are_visible(tmp_path):
    """Tools that drop nulls before they compare see nothing: the values that are left are like the baseline's."""
    planted = f"UPDATE inference_log SET amount = NULL WHERE {DAY_21} AND id % 5 != 0"
    for store in run(tmp_path, QUALITY_ALONE, planted):
        assert bad(store) == [
            (
                "2024-03-22",
                "missing_share",
                "amount",
                "alarm",
                "amount is missing in 80 % of rows, in the baseline in 0 % (alarm above 1 %)",
            )
        ]


def test_a_nan_in_the_baseline_harms_nothing(tmp_path):
    """One NaN makes a mean, an edge or a range of the baseline NaN, and then nothing is ever beyond it."""
    planted = (
        "UPDATE inference_log SET amount = 'nan' WHERE id = 7",
        f"UPDATE inference_log SET amount = 1000 WHERE {DAY_21} AND id % 10 = 0",
    )
    for store in run(tmp_path, QUALITY_ALONE, *planted):
        ((day_21, metric, name, status, message),) = bad(store)
        assert (day_21, metric, name, status) == ("2024-03-22", "out_of_range_share", "amount", "alarm")
        assert message.startswith("amount: 10 % of rows lie above ")
        first = store.query("SELECT * FROM result WHERE metric = 'missing_share' AND column_name = 'amount'")[0]
        assert first["message"] == "amount has no missing value (alarm above 1 %)"


def test_one_empty_column_costs_one_row_not_the_report(tmp_path):
    planted = f"UPDATE inference_log SET amount = NULL WHERE {DAY_21}"
    for store in run(tmp_path, "{multivariate_drift: off}", planted):
        rows = [row for row in store.query("SELECT * FROM result") if str(row["window_start"]).startswith("2024-03-22")]
        assert not [row for row in rows if row["status"] == "error"]
        quality = [row for row in rows if row["check_name"] == "data_quality"]
        assert [(row["metric"], row["status"]) for row in quality if row["column_name"] == "amount"] == [
            ("missing_share", "alarm")
        ]
        assert {row["status"] for row in quality if row["column_name"] != "amount"} == {"ok"}
        others = {row["column_name"] for row in quality} - {"amount"}
        assert others >= {"age", "country", "member", "one", "predicted", "probability"}


def test_a_stopped_column_and_a_batch_that_was_loaded_twice_are_found(tmp_path):
    """From day 20 on `amount` is that of day 20 again and again; day 21 has fifty rows twice."""
    again = (
        "CREATE TABLE places AS SELECT id, row_number() OVER (PARTITION BY asked_at::date ORDER BY id) AS place, "
        "asked_at::date AS day, amount FROM inference_log WHERE asked_at >= '2024-03-21'",
        "UPDATE inference_log SET amount = first.amount FROM places, places AS first "
        "WHERE places.id = inference_log.id AND first.place = places.place AND first.day = '2024-03-21'",
        f"INSERT INTO inference_log SELECT * FROM inference_log WHERE {DAY_21} ORDER BY id LIMIT 50",
    )
    for store in run(tmp_path, QUALITY_ALONE, *again[:2]):
        assert [row[:4] for row in bad(store)] == [("2024-03-23", "stale", "amount", "alarm")]
    for store in run(tmp_path / "twice", QUALITY_ALONE, again[2]):
        ((start, metric, column_name, status, message),) = bad(store)
        assert (start, metric, column_name, status) == ("2024-03-22", "duplicate_share", "id", "alarm")
        assert message.startswith("50 rows of 530 repeat a key (id): ")
        assert message.endswith(" came 2 times; that is 9.4 % (alarm above 0.1 %)")


def test_a_table_that_changes_after_the_baseline_is_told_once_per_change(tmp_path):
    url = inference_log.to_duckdb(tmp_path / "log.duckdb")
    monitor = inference_log.monitor(QUALITY_ALONE, features="'*'")
    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store:
        for number, statements in (
            (20, ()),
            (21, ("DROP age", "ADD height double", "ALTER one TYPE double", "ALTER amount TYPE varchar")),
        ):
            with duckdb.connect(url.removeprefix("duckdb:///")) as database:
                for statement in statements:
                    database.execute(f"ALTER TABLE inference_log {statement}")
            with open_warehouse(url) as warehouse:
                run_windows(monitor, day(number).start, day(number).end, warehouse=warehouse, store=store)
        assert [(metric, name, status) for _, metric, name, status, _ in bad(store)] == [
            ("type_change", "amount", "alarm"),
            ("type_change", "one", "warning"),
            ("unreadable", "age", "error"),
            ("unreadable", "amount", "error"),
            ("vanished_columns", "", "alarm"),
        ]
        counted = store.query("SELECT value, message FROM result WHERE metric = 'new_columns' ORDER BY window_start")
        assert [row["value"] for row in counted] == [0, 1]
        assert counted[1]["message"] == "1 new column since the baseline: height"


# How often it is wrong, and what it finds

ANY_SIZE = "{minimum_effect: {missing_share: 0, out_of_range_share: 0, unseen_share: 0}}"


def judge(columns: Sequence[Column], windows: Sequence[np.ndarray], settings: str) -> np.ndarray:
    """Return which windows raise an alarm; `windows` are of each column, shape (n, n_bins)."""
    monitor = inference_log.monitor(f"{{data_quality: {settings}}}")
    names = [f"x{number}" for number in range(len(columns))]
    whole, bins, dispersions = {}, {}, {}
    for name, its in zip(names, columns, strict=True):
        counts = its.parts.sum(axis=0)
        ends = (its.bins.edges[0], math.nextafter(its.bins.edges[-1], -math.inf)) if its.bins.edges else ()
        whole[name] = ColumnProfile(name, its.bins.kind, tuple(counts.tolist()), *ends)
        once = int((counts[1:] == 1).sum()) if its.bins.kind == "categorical" else 0
        bins[name] = replace(its.bins, singletons=once)
        dispersions[name] = replace(column_dispersion(its.parts, its.bins.layout), rows=math.nan)
    earlier = Reference("baseline", {"": whole}, {"": with_shared_priors(dispersions)})
    baseline = Baseline("loans", {"features": names}, bins, whole, whole[names[0]].rows)
    alarms = []
    for counts in zip(*windows, strict=True):
        profiles = {
            name: ColumnProfile(name, bins[name].kind, tuple(its.tolist()))
            for name, its in zip(names, counts, strict=True)
        }
        profile = Profile(WINDOW, int(counts[0].sum()), profiles)
        results = data_quality(CheckContext(monitor, WINDOW, profile, baseline, earlier=earlier))
        alarms.append(any(result.decided() == "alarm" for result in results))
    return np.array(alarms)


def false_alarms(dependence: Dependence, length: int, kinds: Sequence[Kind], settings: str) -> Rate:
    """Judge 2,000 windows without drift: 100 of each of 20 baselines, of thirty parts or more."""
    rng = np.random.default_rng([length, *map(ord, f"{dependence}{kinds}")])
    found = []
    for _ in range(20):
        columns = [column(kind, dependence, length, rng) for kind in kinds]
        found.append(judge(columns, [one.windows(100) for one in columns], settings))
    return rate(found)


@pytest.mark.integration
@pytest.mark.parametrize("dependence", ["independent", "repeated"])
@pytest.mark.parametrize("length", [200, 1000])
def test_windows_without_drift_raise_no_more_alarms_than_configured(dependence, length):
    """Numbers, some of them missing, and categories; every size counts."""
    assert not at_most(false_alarms(dependence, length, ("numeric", "missing", "categorical"), ANY_SIZE), 0.01)


@pytest.mark.integration
@pytest.mark.parametrize(("length", "least"), [(200, 0.25), (1000, 0.9)])
def test_three_per_cent_missing_instead_of_one_are_found(length, least):
    rng = np.random.default_rng(length)
    found = []
    for _ in range(10):
        one = column("missing", "independent", length, rng)
        windows = one.windows(40)
        missing = rng.binomial(length, 0.03, size=40)
        shares = windows[:, 1:].sum(axis=0) / windows[:, 1:].sum()
        moved = np.array([[nulls, *rng.multinomial(length - nulls, shares)] for nulls in missing])
        found.append(judge([one], [moved], "{}"))
    assert np.mean(found) >= least
