"""Missing values, values out of range and unseen ones: from counts alone."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
import scipy.stats

from monitoring_tasks.checks import Result
from monitoring_tasks.profile import Bins, ColumnProfile, just_above
from monitoring_tasks.reference import Reference
from monitoring_tasks.statistics.homogeneity import column_dispersion, with_shared_priors
from monitoring_tasks.window import Window
from tests import inference_log
from tests.checks.context import WINDOW, categorical
from tests.checks.quality import COUNTRY, amounts, found

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
