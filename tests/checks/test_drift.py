"""What the drift check decides, from counts alone."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from monitoring_tasks.checks import Result
from monitoring_tasks.checks.data_drift import data_drift
from monitoring_tasks.checks.drift import Measured, drift
from monitoring_tasks.checks.error_budget import share_of_rate
from monitoring_tasks.checks.prediction_drift import prediction_drift
from monitoring_tasks.profile import Bins, ColumnProfile
from monitoring_tasks.reference import Reference
from monitoring_tasks.statistics.drift import DRIFT_METRICS, drift_metric, select
from monitoring_tasks.statistics.homogeneity import ColumnDispersion
from monitoring_tasks.statistics.null_distribution import null_distribution
from tests import inference_log
from tests.checks.context import WINDOW, categorical, context, numeric

CARRIERS = Bins("categorical", categories=("AA", "UA"), others=("B6",))
DECILES = Bins("numeric", edges=tuple(float(edge) for edge in range(0, 110, 10)), exponent=7)
BY_CHANCE = "(alarm above 0.104; 0.0043 expected by chance with 1,000 rows)"
ALL = f"[{', '.join(metric.name for metric in DRIFT_METRICS)}]"


def carrier_drift(settings: str, reference: tuple[int, ...], current: tuple[int, ...]) -> list[Result]:
    before, after = categorical("carrier", *reference), categorical("carrier", *current)
    return drifts(settings, {"carrier": CARRIERS}, [before], [after])


def drifts(settings: str, bins: dict[str, Bins], reference: list, current: list, **segments: tuple) -> list[Result]:
    monitor = inference_log.monitor(f"{{data_drift: {settings}}}")
    before = {"": reference} | {f"origin={name}": pair[0] for name, pair in segments.items()}
    after = {"": current} | {f"origin={name}": pair[1] for name, pair in segments.items()}
    assert monitor.checks.data_drift is not None
    return drift(context(monitor, bins, before, after), list(bins), monitor.checks.data_drift)


def by_metric(results: list[Result]) -> dict[str, Result]:
    return {result.metric: result for result in results if result.segment == ""}


@pytest.mark.parametrize(
    ("current", "status", "message"),
    [
        (
            (0, 500, 400, 100, 0),
            "ok",
            f"carrier is in order: PSI 0.00207 {BY_CHANCE}",
        ),
        (
            (0, 610, 350, 40, 0),
            "warning",
            f"carrier moved a little: PSI 0.0844 {BY_CHANCE}; AA rose from 50 % to 61 %",
        ),
        (
            (0, 250, 650, 100, 0),
            "alarm",
            f"carrier moved: PSI 0.296 {BY_CHANCE}; AA fell from 50 % to 25 %",
        ),
        (
            (100, 450, 360, 90, 0),
            "alarm",
            f"carrier moved: PSI 0.774 {BY_CHANCE}; missing values rose from 0 % to 10 %",
        ),
        (
            (0, 400, 320, 80, 200),
            "alarm",
            f"carrier moved: PSI 1.7 {BY_CHANCE}; values never seen before rose from 0 % to 20 %",
        ),
        (
            (0, 400, 300, 300, 0),
            "alarm",
            f"carrier moved: PSI 0.273 {BY_CHANCE}; rarer values rose from 10 % to 30 %",
        ),
        ((0, 10, 30, 9, 0), "insufficient_data", "carrier: 49 rows are too few to judge, 50 are needed"),
        ((0, 0, 0, 0, 0), "insufficient_data", "carrier: 0 rows are too few to judge, 50 are needed"),
    ],
)
def test_every_status_and_what_it_says(current, status, message):
    found = by_metric(carrier_drift("{metrics: [psi]}", (0, 5000, 4000, 1000, 0), current))["psi"]
    assert (found.status, found.message) == (status, message)
    assert (found.baseline_rows, found.window_rows) == (10_000, sum(current))
    if sum(current) == 1000:
        assert found.threshold_upper == pytest.approx(0.1 + found.detail["expected"])


def test_a_large_change_that_chance_may_make_is_no_alarm():
    """Of a small baseline: the size is there, the evidence is not."""
    found = by_metric(carrier_drift("{metrics: [psi], minimum_rows: 10}", (0, 8, 5, 2, 0), (0, 3, 3, 6, 0)))["psi"]
    assert found.value is not None
    assert found.value > 0.1
    assert found.status == "ok"
    assert found.message == (
        "carrier is in order: PSI 0.542 (alarm above 0.333; 0.23 expected by chance with 12 rows), but chance alone "
        "may do this: p = 0.226"
    )


def test_the_threshold_itself_is_no_alarm():
    """`alarm above` means above, for a fixed threshold and for a minimum effect."""
    value = by_metric(carrier_drift("{metrics: [total_variation]}", (0, 600, 400, 0, 0), (0, 400, 600, 0, 0)))[
        "total_variation"
    ].value
    assert value == pytest.approx(0.2)
    for setting in ("fixed", "minimum_effect"):
        settings = f"{{metrics: [total_variation], {setting}: {{total_variation: {value!r}}}}}"
        found = by_metric(carrier_drift(settings, (0, 600, 400, 0, 0), (0, 400, 600, 0, 0)))["total_variation"]
        assert found.status == ("ok" if setting == "fixed" else "warning")
        assert found.threshold_upper == (
            value if setting == "fixed" else pytest.approx(math.hypot(0.2, 0.0178), rel=1e-3)
        )


def test_metrics_of_order_are_for_numbers_only():
    counted = carrier_drift(f"{{metrics: {ALL}}}", (0, 5, 5, 0, 0), (0, 50, 50, 0, 0))
    assert {result.metric for result in counted} == {
        "drifted_share",
        "global_test",
        *(metric.name for metric in DRIFT_METRICS if "categorical" in metric.layouts),
    }


def test_a_column_whose_values_are_all_gone_is_drift_and_has_no_order():
    values = np.arange(100.0).repeat(10)
    reference, current = numeric("distance", DECILES, values), numeric("distance", DECILES, np.full(500, np.nan))
    found = by_metric(drifts(f"{{metrics: {ALL}}}", {"distance": DECILES}, [reference], [current]))
    assert found["psi"].status == "alarm"
    assert found["psi"].message.endswith("; missing values rose from 0 % to 100 %")
    for name, title in (("kolmogorov_smirnov", "Kolmogorov-Smirnov"), ("wasserstein", "Wasserstein distance")):
        assert (found[name].status, found[name].value, found[name].p_value) == ("insufficient_data", None, None)
        assert found[name].message == f"distance: {title} cannot be measured, the window holds no value"
    back = by_metric(drifts(f"{{metrics: {ALL}}}", {"distance": DECILES}, [current], [reference]))
    assert (
        back["wasserstein"].message == "distance: Wasserstein distance cannot be measured, the baseline holds no value"
    )
    assert back["psi"].status == "alarm"


def test_a_constant_baseline_has_no_unit_for_wasserstein_and_every_other_metric():
    bins = Bins("numeric", edges=(5.0, np.nextafter(5.0, 6.0)), exponent=3)
    reference, current = numeric("one", bins, np.full(900, 5.0)), numeric("one", bins, np.full(300, 6.0))
    found = by_metric(drifts(f"{{metrics: {ALL}}}", {"one": bins}, [reference], [current]))
    assert found["wasserstein"].message == "one: Wasserstein distance cannot be measured, its baseline is constant"
    assert {found[metric.name].status for metric in DRIFT_METRICS if metric.name != "wasserstein"} == {"alarm"}
    fives = numeric("one", bins, np.full(300, 5.0))
    same = by_metric(drifts(f"{{metrics: {ALL}}}", {"one": bins}, [reference], [fives]))
    assert {same[metric.name].status for metric in DRIFT_METRICS if metric.name != "wasserstein"} == {"ok"}


def test_a_baseline_without_any_value_is_compared_by_its_missing_share():
    bins = Bins("numeric")
    reference, current = numeric("gust", bins, np.full(900, np.nan)), numeric("gust", bins, np.full(300, 6.0))
    found = by_metric(drifts("{metrics: [psi, wasserstein]}", {"gust": bins}, [reference], [current]))
    assert found["psi"].status == "alarm"
    assert found["psi"].message.endswith("; missing values fell from 100 % to 0 %")
    assert found["wasserstein"].message == "gust: Wasserstein distance cannot be measured, the baseline holds no value"


def test_a_segment_is_compared_with_its_own_baseline_and_not_by_its_own_column():
    bins = {"origin": Bins("categorical", categories=("JFK", "LGA")), "carrier": CARRIERS}
    reference = [categorical("origin", 0, 500, 500, 0, 0), categorical("carrier", 0, 500, 500, 0, 0)]
    current = [categorical("origin", 0, 500, 500, 0, 0), categorical("carrier", 0, 400, 600, 0, 0)]
    jfk = (
        [categorical("origin", 0, 500, 0, 0, 0), categorical("carrier", 0, 400, 100, 0, 0)],
        [categorical("origin", 0, 500, 0, 0, 0), categorical("carrier", 0, 100, 400, 0, 0)],
    )
    found = drifts("{metrics: [psi]}", bins, reference, current, JFK=jfk)
    assert {(result.segment, result.metric, result.column_name, result.status) for result in found} == {
        ("", "psi", "origin", "ok"),
        ("", "psi", "carrier", "ok"),
        ("", "drifted_share", "", "info"),
        ("", "global_test", "", "ok"),
        ("origin=JFK", "psi", "carrier", "alarm"),
        ("origin=JFK", "drifted_share", "", "info"),
        ("origin=JFK", "global_test", "", "alarm"),
    }
    shares = {result.segment: (result.value, result.message) for result in found if result.metric == "drifted_share"}
    assert shares == {"": (0.0, "0 of 2 columns moved"), "origin=JFK": (1.0, "1 of 1 column moved: carrier")}


def test_a_segment_too_small_to_judge_is_no_further_test():
    """Benjamini and Hochberg's bound is rate / m for one small p-value: what is not judged must not raise m."""
    reference, current = (0, 5000, 5000, 0, 0), (0, 644, 516, 0, 0)
    alone = by_metric(
        carrier_drift("{metrics: [psi], minimum_effect: {psi: 0.001}, false_alarm_rate: 0.0005}", reference, current)
    )
    assert alone["psi"].status == "alarm"
    assert alone["psi"].p_value is not None
    assert 0.0005 / 2 < alone["psi"].p_value < 0.0005
    small = ([categorical("carrier", 0, 50, 50, 0, 0)], [categorical("carrier", 0, 9, 9, 0, 0)])
    large = ([categorical("carrier", 0, 50, 50, 0, 0)], [categorical("carrier", 0, 90, 90, 0, 0)])
    for segment, status in ((small, "alarm"), (large, "ok")):
        found = drifts(
            "{metrics: [psi], minimum_effect: {psi: 0.001}, false_alarm_rate: 0.0005}",
            {"carrier": CARRIERS},
            [categorical("carrier", *reference)],
            [categorical("carrier", *current)],
            JFK=segment,
        )
        assert by_metric(found)["psi"].status == status


@pytest.mark.integration
@pytest.mark.parametrize(("metric", "fewest"), [("psi", 4), ("kolmogorov_smirnov", 1)])
def test_of_windows_without_drift_no_more_raise_a_false_alarm_than_the_rate_says(metric, fewest):
    """Eight columns and two segments that nothing moves, 200 windows, no minimum effect: at 10 %, some 20 or fewer."""
    rng = np.random.default_rng(20240301)
    bins = {f"x{i}": DECILES for i in range(8)}

    def columns(sample: np.ndarray) -> list[ColumnProfile]:
        return [numeric(name, DECILES, sample[i]) for i, name in enumerate(bins)]

    drawn = rng.uniform(0.0, 100.0, (8, 20_000))
    north = rng.random(20_000) < 0.5
    alarms = 0
    for _ in range(200):
        window = rng.uniform(0.0, 100.0, (8, 1000))
        found = drifts(
            f"{{metrics: [{metric}], minimum_effect: {{{metric}: 0.0}}, false_alarm_rate: 0.1}}",
            bins,
            columns(drawn),
            columns(window),
            north=(columns(drawn[:, north]), columns(window[:, :500])),
            south=(columns(drawn[:, ~north]), columns(window[:, 500:])),
        )
        alarms += any(result.status == "alarm" for result in found)
    assert fewest <= alarms <= 30  # 2.4 standard deviations above 20; on so few bins Kolmogorov's test is cautious


@given(
    reference=st.lists(st.integers(0, 10_000), min_size=5, max_size=5),
    current=st.lists(st.integers(0, 10_000), min_size=5, max_size=5),
)
def test_any_counts_have_a_decision_a_message_and_no_number_that_is_not_one(reference, current):
    for result in carrier_drift(f"{{metrics: {ALL}}}", tuple(reference), tuple(current)):
        assert result.status is not None
        assert result.message
        if result.value is not None:
            assert np.isfinite(result.value)
            assert result.value >= 0
        if result.p_value is not None:
            assert 0 <= result.p_value <= 1


def test_unreadable_columns_are_errors_and_the_rest_is_measured():
    monitor = inference_log.monitor()
    bins = {"country": CARRIERS}
    of = {"": [categorical("country", 0, 500, 400, 100, 0)]}
    found = data_drift(context(monitor, bins, of, of, {"age": "column 'age' is not in table 'x'", "gone": "unused"}))
    assert [(result.column_name, result.status, result.message) for result in found if result.status == "error"] == [
        ("age", "error", "column 'age' is not in table 'x'")
    ]
    assert {result.column_name for result in found if result.metric == "psi"} == {"country"}


def test_prediction_drift_is_of_the_prediction_and_of_every_score():
    monitor = inference_log.monitor(score="{a: p_a, b: p_b}", positive_class="null", task="multiclass_classification")
    names = ("predicted", "p_a", "p_b", "amount")
    of = {"": [categorical(name, 0, 500, 400, 100, 0) for name in names]}
    found = prediction_drift(context(monitor, dict.fromkeys(names, CARRIERS), of, of))
    assert {result.column_name for result in found} == {"predicted", "p_a", "p_b", ""}


def test_every_feature_of_a_table_is_compared_when_none_is_named():
    monitor = inference_log.monitor(features='"*"')
    of = {"": [categorical(name, 0, 500, 400, 100, 0) for name in ("a", "b")]}
    found = data_drift(context(monitor, dict.fromkeys(("a", "b"), CARRIERS), of, of))
    assert {result.column_name for result in found} == {"a", "b", ""}


def test_a_check_that_is_off_has_no_results():
    monitor = inference_log.monitor("{data_drift: off, prediction_drift: off}")
    of = {"": [categorical("country", 0, 500, 400, 100, 0)]}
    assert data_drift(context(monitor, {"country": CARRIERS}, of, of)) == []
    assert prediction_drift(context(monitor, {"country": CARRIERS}, of, of)) == []


@pytest.mark.parametrize(("exponent", "before", "after"), [(1.5, 3000, 500), (1.5, 3000, 3000), (1.3, 2000, 1000)])
def test_values_that_keep_coming_new_are_no_drift(exponent, before, after):
    """Zipf's law over 2,000 values. Of the counts as they are, all of these windows are rejected at 1 %."""
    rng = np.random.default_rng(3)
    share = np.arange(1, 2001) ** -exponent
    share /= share.sum()
    rejected = 0
    for _ in range(200):
        seen, now = rng.multinomial(before, share), rng.multinomial(after, share)
        order = np.argsort(-seen, kind="stable")
        kept, others = order[:100], order[100 : (seen > 0).sum()]
        names = tuple(map(str, kept))
        bins = Bins("categorical", (), names, tuple(map(str, others)), singletons=int((seen == 1).sum()))
        reference = categorical("code", 0, *seen[kept].tolist(), int(seen[others].sum()), 0)
        unseen = int(now[seen == 0].sum())
        current = categorical("code", 0, *now[kept].tolist(), int(now[others].sum()), unseen)
        (found,) = [
            each for each in drifts("{metrics: [psi]}", {"code": bins}, [reference], [current]) if each.metric == "psi"
        ]
        rejected += found.p_value <= 0.01
    assert rejected <= 10  # 2 % and three standard errors


def test_the_hundred_most_frequent_of_many_equally_rare_values_were_so_by_luck():
    """Four thousand values of eight rows each: those with a bin had seventeen of them, and will have eight."""
    rng = np.random.default_rng(13)
    small = 0
    for _ in range(20):
        seen, now = rng.multinomial(32_000, [1 / 4000] * 4000), rng.multinomial(10_000, [1 / 4000] * 4000)
        order = np.argsort(-seen, kind="stable")
        kept, others = order[:100], order[100 : (seen > 0).sum()]
        once = int((seen == 1).sum())
        bins = Bins("categorical", (), tuple(map(str, kept)), tuple(map(str, others)), singletons=once)
        before = categorical("code", 0, *seen[kept].tolist(), int(seen[others].sum()), 0)
        unseen = int(now[seen == 0].sum())
        after = categorical("code", 0, *now[kept].tolist(), int(now[others].sum()), unseen)
        (found,) = [e for e in drifts("{metrics: [psi]}", {"code": bins}, [before], [after]) if e.metric == "psi"]
        small += found.p_value <= 0.01
    assert small <= 2


def test_one_new_value_that_is_frequent_is_drift_also_where_values_keep_coming_new():
    bins = Bins("categorical", categories=("AA", "UA"), others=("B6", "HA"), singletons=2)
    before, after = categorical("carrier", 0, 5000, 4000, 2, 0), categorical("carrier", 0, 440, 360, 0, 200)
    found = by_metric(drifts("{metrics: [psi]}", {"carrier": bins}, [before], [after]))["psi"]
    assert found.status == "alarm"
    assert found.message.endswith("values never seen before rose from 0 % to 20 %")


@pytest.mark.parametrize("once", [0, 1, 3])
def test_a_misspelt_value_of_the_baseline_hides_no_drift_of_a_small_segment(once):
    """Ten values, of which a segment has twelve rows each: all of its rows come to be of one of them."""
    names = tuple("abcdefghij") + tuple(f"typo {number}" for number in range(once))
    bins = Bins("categorical", (), names, singletons=once)
    whole = categorical("plan", 0, *[3000] * 10, *[1] * once, 0, 0)
    still = categorical("plan", 0, *[150] * 10, *[0] * once, 0, 0)
    small = categorical("plan", 0, *[12] * 10, *[0] * once, 0, 0)
    moved = categorical("plan", 0, 120, *[0] * (9 + once), 0, 0)
    found = drifts("{metrics: [psi]}", {"plan": bins}, [whole], [still], small=([small], [moved]))
    (segment,) = [each for each in found if each.metric == "psi" and each.segment == "origin=small"]
    assert (segment.status, segment.p_value < 1e-12) == ("alarm", True)


def test_a_misspelt_value_hides_no_drift_of_a_small_baseline():
    names = (*"abcdefghij", "typo")
    bins = Bins("categorical", (), names, singletons=1)
    before, after = categorical("plan", 0, *[19] * 10, 1, 0, 0), categorical("plan", 0, 190, *[0] * 10, 0, 0)
    (found,) = [each for each in drifts("{metrics: [psi]}", {"plan": bins}, [before], [after]) if each.metric == "psi"]
    assert (found.status, found.p_value < 1e-12) == ("alarm", True)


@pytest.mark.parametrize("rows", [200, 400, 1000])
def test_what_chance_adds_makes_no_trifle_large(rows):
    """A shift of 0.15 standard deviations is a Jensen-Shannon distance of 0.064: the floor is 0.1."""
    rng = np.random.default_rng(20240301)
    edges = norm.ppf(np.arange(1, 33) / 33)
    bins = Bins("numeric", edges=tuple(edges), exponent=3)
    before = numeric("amount", bins, rng.normal(size=30_000))
    statuses = []
    for _ in range(100):
        after = numeric("amount", bins, rng.normal(0.15, 1.0, rows))
        found = drifts("{metrics: [jensen_shannon]}", {"amount": bins}, [before], [after])
        statuses += [each.status for each in found if each.metric == "jensen_shannon"]
    assert statuses.count("alarm") <= 20  # 62 to 78 where the distance itself is held against the floor
    assert statuses.count("warning") > 0


@pytest.mark.parametrize("metric", [m.name for m in DRIFT_METRICS if "categorical" in m.layouts and m.minimum_effect])
def test_a_column_that_is_replaced_is_large_however_much_its_rows_hang_together(metric):
    """What chance makes of two effective rows is no bound that nothing can exceed."""
    before, after = categorical("carrier", 0, 5000, 4000, 1000, 0), categorical("carrier", 0, 0, 0, 0, 500)
    of = drift_metric(metric)
    a, b = select(of, "categorical", before.array(), after.array())
    value = of.function(a, b)
    size = value if of.effect is None else of.effect(a, b)
    expected = null_distribution(of, a, 500, design_effect=500).mean
    assert size > Measured(of, value, size, expected).bound(of.minimum_effect)


def test_of_a_hundred_values_one_effective_row_is_no_bound_that_nothing_can_exceed():
    """By chance alone the distance of one row is 0.99; all of the window is of a value never seen."""
    of = drift_metric("total_variation")
    a, b = (np.array([0, *counts, 0, unseen]) for counts, unseen in (([100] * 100, 0), ([0] * 100, 500)))
    size = of.function(a, b)
    expected = null_distribution(of, a, 500, design_effect=500).mean
    assert math.hypot(expected, of.minimum_effect) > 0.95 * of.maximum
    assert size > Measured(of, size, size, expected).bound(of.minimum_effect) == pytest.approx(0.95 * of.maximum)


def test_rows_that_hang_together_are_one_at_least():
    """Parts that differ by more than their rows: what chance makes of less than one row is nothing."""
    monitor = inference_log.monitor("{data_drift: {metrics: [jensen_shannon]}}")
    made = context(
        monitor,
        {"carrier": CARRIERS},
        {"": [categorical("carrier", 0, 5000, 4000, 1000, 0)]},
        {"": [categorical("carrier", 0, 0, 0, 0, 100)]},
    )
    parts = ColumnDispersion(30, 100.0, shares=29 * 5000.0, groups=(0, 1, 2, 3, 3), bins=(29 * 5000.0,) * 5)
    length = WINDOW.length.total_seconds()
    baseline = replace(made.baseline, dispersions={length: {"": {"carrier": parts}}})
    found = by_metric(drift(replace(made, baseline=baseline), ["carrier"], monitor.checks.data_drift))["jensen_shannon"]
    assert found.detail["design_effect"] > 100
    one = null_distribution(drift_metric("jensen_shannon"), np.array([5000, 4000, 1000]), 100, design_effect=100)
    assert found.detail["expected"] == pytest.approx(one.mean, rel=0.01)
    assert "which vary like 1 independent one" in found.message


def test_earlier_windows_that_know_values_which_the_baseline_never_saw_did_not_choose_the_bins():
    """Rare in the baseline, frequent since: of those the shares are right, and one that replaces the other is seen."""
    bins = Bins("categorical", (), ("AA", "UA", "B6", "HA"), singletons=2)
    made = context(
        inference_log.monitor("{data_drift: {metrics: [psi]}}"),
        {"carrier": bins},
        {"": [categorical("carrier", 0, 5000, 4000, 5, 5, 0, 0)]},
        {"": [categorical("carrier", 0, 250, 200, 550, 0, 0, 0)]},
    )
    for unseen, moved in ((3, True), (0, False)):
        since = categorical("carrier", 0, 2500, 2000, 0, 5500, 0, unseen)
        earlier = Reference("rolling 28d: 28 windows", {"": {"carrier": since}}, windows=28)
        settings = made.monitor.checks.data_drift
        found = by_metric(drift(replace(made, earlier=earlier), ["carrier"], settings))["psi"]
        assert (found.p_value < 1e-6) == moved


def test_a_column_that_cannot_move_is_what_chance_makes_of_it():
    """Half a row in each empty bin makes PSI of a small window against a large baseline."""
    found = by_metric(carrier_drift("{metrics: [psi]}", (0, 18_000, 0, 0, 0), (0, 50, 0, 0, 0)))["psi"]
    assert found.value > 0.1
    assert found.detail["expected"] == pytest.approx(found.value, rel=0.01)
    assert found.status == "ok"


def test_a_column_that_was_all_null_when_the_bins_were_cut_has_no_distance_over_their_edges():
    """With a moving baseline it has values by now, and all other columns have results."""
    bins = Bins("numeric", edges=(), exponent=3)
    before, after = (numeric("late", bins, np.arange(float(rows))) for rows in (2000, 500))
    found = by_metric(drifts("{metrics: [psi, wasserstein]}", {"late": bins}, [before], [after]))
    assert (found["psi"].status, found["wasserstein"].status) == ("ok", "insufficient_data")
    assert found["wasserstein"].message.endswith("the baseline that the bins were cut from holds no value")


def test_a_monitor_without_features_says_that_nothing_is_compared():
    of = {"": [categorical("predicted", 0, 500, 400, 100, 0)]}
    given_ = context(inference_log.monitor("{data_drift: {}}"), {"predicted": CARRIERS}, of, of)
    (found,) = data_drift(replace(given_, baseline=replace(given_.baseline, definition={"features": []})))
    assert (found.status, found.value, found.window_rows) == ("insufficient_data", None, 1000)
    assert found.message.startswith("no column is compared")


def test_of_a_table_it_is_said_that_rows_are_taken_as_independent():
    monitor = inference_log.monitor("{data_drift: {metrics: [psi]}}", baseline="{table: training}")
    before, moved, still = (
        {"": [categorical("carrier", 0, *counts, 0)]}
        for counts in ((5000, 4000, 1000), (250, 650, 100), (510, 390, 100))
    )
    words = "rows are taken as independent, for a table does not show how much windows differ"
    for current, said in ((moved, True), (still, False)):
        given_ = context(monitor, {"carrier": CARRIERS}, before, current)
        assert by_metric(drift(given_, ["carrier"], monitor.checks.data_drift))["psi"].message.endswith(words) == said


def test_a_monitor_without_predictions_has_no_prediction_drift():
    monitor = inference_log.monitor(prediction="null", score="null", positive_class="null", task="regression")
    of = {"": [categorical("country", 0, 500, 400, 100, 0)]}
    assert prediction_drift(context(monitor, {"country": CARRIERS}, of, of)) == []


def test_features_and_predictions_share_the_rate_in_proportion_to_their_columns():
    bins = {"country": CARRIERS}
    of = {"": [categorical("country", 0, 500, 400, 100, 0)]}
    both = context(inference_log.monitor(), bins, of, of)
    features = len(both.baseline.features)
    assert share_of_rate(both, "data_drift") == pytest.approx(0.01 * features / (features + 2))
    assert share_of_rate(both, "prediction_drift") == pytest.approx(0.01 * 2 / (features + 2))
    alone = context(inference_log.monitor("{prediction_drift: off}"), bins, of, of)
    assert share_of_rate(alone, "data_drift") == 0.01
