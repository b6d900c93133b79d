"""Columns that stopped: constant ones, and stale ones."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
import scipy.stats

from monitoring_tasks.profile import Bins, ColumnProfile, Profile, just_above
from monitoring_tasks.reference import Reference
from monitoring_tasks.statistics.homogeneity import column_dispersion, with_shared_priors
from monitoring_tasks.window import Window
from monitoring_tasks.window_counts import Places, WindowCounts
from tests import inference_log
from tests.checks.context import WINDOW, categorical, numeric
from tests.checks.quality import AMOUNT, COUNTRY, amounts, found


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
