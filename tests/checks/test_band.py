"""What the drift check decides by a band, from counts alone."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from scipy.stats import median_abs_deviation

from monitoring_tasks.checks import Result
from monitoring_tasks.checks.drift import drift
from monitoring_tasks.profile import Bins, ColumnProfile, Profile
from monitoring_tasks.statistics.drift import DRIFT_METRICS, drift_metric, select
from monitoring_tasks.window import Window
from monitoring_tasks.window_counts import Places, WindowCounts
from tests import inference_log
from tests.checks.context import WINDOW, categorical, context, numeric

CARRIERS = Bins("categorical", categories=("AA", "UA"))
BINS = {"carrier": CARRIERS}
BASELINE = (0, 5000, 4000, 1000, 0)
ALL = f"[{', '.join(metric.name for metric in DRIFT_METRICS)}]"
PSI = "{metrics: [psi], band: {psi: {over: 28d}}}"


def before(number: int) -> Window:
    """The window so many days before the one that is decided."""
    return Window(WINDOW.start - timedelta(days=number), WINDOW.end - timedelta(days=number))


def decide(
    settings: str,
    bins: dict[str, Bins],
    reference: ColumnProfile,
    current: ColumnProfile,
    past: list[ColumnProfile],
    segment: str = "",
) -> dict[str, Result]:
    """Decide a window after as many days as `past` has columns, the last of them the day before; by metric."""
    monitor = inference_log.monitor(f"{{data_drift: {settings}}}")
    names = dict.fromkeys(("", segment))
    of = context(monitor, bins, {name: [reference] for name in names}, {name: [current] for name in names})
    places = Places(bins)
    windows = []
    for number, column in enumerate(reversed(past), start=1):
        profiles = [Profile(before(number), column.rows, {column.column: column}, name) for name in names]
        windows.append(WindowCounts.of(profiles, places))
    assert monitor.checks.data_drift is not None
    of = replace(of, windows_before=tuple(reversed(windows)))
    found = drift(of, list(bins), monitor.checks.data_drift)
    return {result.metric: result for result in found if result.segment == segment and result.column_name}


def carriers(first: int, rows: int = 1000) -> ColumnProfile:
    """So many of `rows` are AA, one in ten is rare."""
    return categorical("carrier", 0, first, rows - rows // 10 - first, rows // 10, 0)


def psi(column: ColumnProfile) -> float:
    return drift_metric("psi").function(*select(drift_metric("psi"), "categorical", BASELINE, column.counts))


def band(current: ColumnProfile, past: list[ColumnProfile], settings: str = PSI, segment: str = "") -> Result:
    return decide(settings, BINS, categorical("carrier", *BASELINE), current, past, segment)["psi"]


USUAL = [carriers(first) for first in (650, 690, 730, 660, 700, 740, 670, 710, 680, 720)]
"""Ten days that are all beyond 0.1: a column that is never like its baseline."""


@pytest.mark.parametrize("segment", ["", "origin=JFK"])
def test_the_bound_is_the_median_and_four_deviations_of_the_windows_before(segment):
    known = [psi(column) for column in USUAL]
    upper = np.median(known) + 4 * median_abs_deviation(known, scale="normal")
    found = band(carriers(760), USUAL, segment=segment)
    assert found.threshold_upper == pytest.approx(upper, rel=1e-12)
    detail = found.detail["band"]
    assert detail["median"] == pytest.approx(np.median(known), rel=1e-12)
    assert detail["mad"] == pytest.approx(median_abs_deviation(known), rel=1e-12)
    assert (detail["windows"], detail["over"]) == (10, "28d")
    assert 0.3 < found.value < upper
    assert (found.status, found.p_value < 1e-9) == ("ok", True)
    assert f"(alarm above {upper:.3g}, the usual range of the 10 windows before; " in found.message


def test_beyond_the_band_is_an_alarm_and_says_what_the_band_is():
    found = band(carriers(850), USUAL)
    assert found.status == "alarm"
    assert found.message == (
        "carrier moved: PSI 0.911 (alarm above 0.527, the usual range of the 10 windows before; "
        "0.0043 expected by chance with 1,000 rows); UA fell from 40 % to 5 %"
    )


def test_within_the_field_s_usual_bound_and_without_significance_it_alarms_all_the_same():
    """It replaces both: the days before were all closer."""
    past = [carriers(500 + number) for number in range(10)]
    found = band(carriers(525), past)
    assert found.value < 0.01
    assert found.p_value > 0.01
    assert found.status == "alarm"


def test_a_narrower_band_is_lower():
    narrow = band(carriers(740), USUAL, "{metrics: [psi], band: {psi: {over: 28d, width: 1}}}")
    assert narrow.status == "alarm"
    median, mad = narrow.detail["band"]["median"], narrow.detail["band"]["mad"]
    assert narrow.threshold_upper == pytest.approx(median + 1.4826 * mad, rel=1e-5)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "alarm above 0.104, no earlier window for its band;"),
        (1, "alarm above 0.104, only 1 earlier window for its band;"),
        (7, "alarm above 0.104, only 7 earlier windows for its band;"),
    ],
)
def test_after_fewer_than_eight_windows_the_calibrated_decision_is_taken(number, words):
    calibrated = decide("{metrics: [psi]}", BINS, categorical("carrier", *BASELINE), carriers(660), [])["psi"]
    found = band(carriers(660), USUAL[:number])
    assert (found.status, found.threshold_upper) == ("alarm", calibrated.threshold_upper)
    assert words in found.message
    assert found.detail["band"] == {"median": None, "mad": None, "windows": number, "over": "28d"}
    assert band(carriers(630), USUAL[:number]).status == "warning"


def test_only_windows_inside_the_time_count():
    found = band(carriers(660), USUAL, "{metrics: [psi], band: {psi: {over: 9d}}}")
    known = [psi(column) for column in USUAL[1:]]
    assert found.detail["band"]["windows"] == 9
    assert found.detail["band"]["median"] == pytest.approx(np.median(known))


def test_windows_of_too_few_rows_and_without_the_column_do_not_count():
    past = [*USUAL, carriers(10, 20), carriers(0, 0), categorical("carrier", 0, 0, 0, 0, 0)]
    assert band(carriers(660), past).detail["band"] == band(carriers(660), USUAL).detail["band"]


@pytest.mark.parametrize(("first", "status"), [(500, "ok"), (505, "ok"), (570, "alarm")])
def test_where_all_windows_before_were_alike_a_change_must_be_more_than_chance(first, status):
    found = band(carriers(first), [carriers(500)] * 10)
    assert found.detail["band"]["mad"] == 0
    assert found.threshold_upper == psi(carriers(500))
    assert found.status == status
    bound = f"alarm above {found.threshold_upper:.3g} if it is significant: most of the 10 windows before had that;"
    assert bound in found.message
    assert ("but chance alone may do this" in found.message) == (first == 505)


def test_every_metric_has_its_band_of_the_sizes_that_were_found_then():
    """What the band is made of is what the windows before were decided by."""
    rng = np.random.default_rng(7)
    bins = {"age": Bins("numeric", edges=tuple(float(edge) for edge in range(-2, 3)), exponent=3)}
    reference = numeric("age", bins["age"], rng.normal(0, 1, 5000))
    columns = [numeric("age", bins["age"], rng.normal(0.1 * (i % 4), 1 + 0.05 * i, 400)) for i in range(12)]
    plain = [decide(f"{{metrics: {ALL}}}", bins, reference, column, []) for column in columns]
    bands = ", ".join(f"{metric.name}: {{over: 28d}}" for metric in DRIFT_METRICS)
    found = decide(f"{{metrics: {ALL}, band: {{{bands}}}}}", bins, reference, columns[-1], columns[:-1])
    assert len(found) == len(DRIFT_METRICS)
    for name, result in found.items():
        sizes = [each[name].detail.get("effect", each[name].value) for each in plain[:-1]]
        assert result.detail["band"]["median"] == pytest.approx(np.median(sizes), rel=1e-9), name
        assert result.detail["band"]["mad"] == pytest.approx(median_abs_deviation(sizes), rel=1e-9), name
        upper = np.median(sizes) + 4 * median_abs_deviation(sizes, scale="normal")
        assert result.detail.get("effect_threshold", result.threshold_upper) == pytest.approx(upper, rel=1e-9), name


def test_what_cannot_be_measured_has_no_band():
    bins = {"one": Bins("numeric", edges=(1.0,), exponent=3)}
    column = numeric("one", bins["one"], np.ones(500))
    settings = "{metrics: [wasserstein], band: {wasserstein: {over: 28d}}}"
    found = decide(settings, bins, column, column, [column] * 10)["wasserstein"]
    assert (found.status, "band" in found.detail) == ("insufficient_data", False)


def test_a_metric_without_a_band_is_decided_as_before():
    found = decide("{band: {psi: {over: 28d}}}", BINS, categorical("carrier", *BASELINE), carriers(660), USUAL)[
        "jensen_shannon"
    ]
    assert found.threshold_upper == pytest.approx(math.hypot(0.1, found.detail["expected"]), rel=0.01)
    assert "band" not in found.detail
