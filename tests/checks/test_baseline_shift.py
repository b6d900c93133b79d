"""How far a moving baseline has left the fixed one, and that it is said once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitoring_tasks.checks import CheckContext, Result
from monitoring_tasks.checks.baseline_shift import baseline_shift
from monitoring_tasks.checks.data_drift import data_drift
from monitoring_tasks.checks.prediction_drift import prediction_drift
from monitoring_tasks.profile import Bins, ColumnProfile
from monitoring_tasks.reference import Reference
from monitoring_tasks.statistics.drift import population_stability_index
from monitoring_tasks.window import Window
from tests import inference_log
from tests.checks.context import WINDOW, categorical, context

CARRIERS = Bins("categorical", categories=("AA", "UA"), others=("B6",))
PERIOD = "period: {start: 2024-03-01, end: 2024-03-21}"
LIKE, SHIFTED = (0, 5100, 3900, 1000, 0), (0, 2500, 6500, 1000, 0)


def given(moving: tuple[int, ...], *before: tuple[int, ...], look_back: str = "rolling: 28d", **changes):
    """A window of 1,000 rows, what it is compared with, and what earlier windows were, the latest first."""
    monitor = inference_log.monitor(baseline=f"{{{PERIOD}, {look_back}}}", **changes)
    made = context(
        monitor,
        {"carrier": CARRIERS},
        {"": [categorical("carrier", 0, 5000, 4000, 1000, 0)]},
        {"": [categorical("carrier", 0, 500, 400, 100, 0)]},
    )
    earlier = Reference(
        "rolling 28d: 28 windows",
        {"": {"carrier": categorical("carrier", *moving)}},
        windows=28,
        period=Window(WINDOW.start, WINDOW.end),
    )
    return replace(
        made,
        earlier=earlier,
        season=earlier,
        seasons_before=lambda: ({"carrier": categorical("carrier", *each)} if each else {} for each in before),
    )


def shift(of: CheckContext) -> list[Result]:
    settings = of.monitor.checks.data_drift
    assert settings is not None
    return baseline_shift(of, ["carrier"], settings)


def test_it_is_the_population_stability_index_of_the_two_baselines():
    (found,) = shift(given(SHIFTED, SHIFTED))
    # Of five bins nothing is merged.
    assert found.value == pytest.approx(population_stability_index((0, 5000, 4000, 1000, 0), SHIFTED), rel=1e-12)
    assert (found.metric, found.column_name, found.segment) == ("baseline_shift", "carrier", "")
    assert (found.baseline_rows, found.window_rows, found.threshold_upper) == (10_000, 10_000, 0.1)
    assert found.detail == {"reference": "rolling 28d: 28 windows"}
    assert found.message == (
        "carrier: the 28 days before this window differ from the baseline's period: PSI 0.295; AA fell "
        "from 50 % to 25 %"
    )


@pytest.mark.parametrize(
    ("moving", "before", "status"),
    [
        (LIKE, [LIKE], "info"),
        (SHIFTED, [LIKE, LIKE], "warning"),
        (SHIFTED, [], "warning"),
        (SHIFTED, [()], "warning"),  # the window before was compared with the fixed baseline
        (SHIFTED, [SHIFTED], "info"),
        (SHIFTED, [LIKE, LIKE, SHIFTED, LIKE], "info"),  # back over the limit: said already
        (LIKE, [SHIFTED], "info"),
    ],
)
def test_it_is_a_warning_in_the_one_window_where_it_first_exceeds(moving, before, status):
    (found,) = shift(given(moving, *before))
    assert found.decided() == status


def test_where_nothing_moved_the_message_says_so():
    (found,) = shift(given(LIKE))
    assert found.message == "carrier: the 28 days before this window are like the baseline's period: PSI 0.000451"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"look_back": "rolling: 36h", "schedule": '"@hourly"'}, "the 1d12h before this window differ"),
        (
            {"look_back": "seasonal: {by: hour_of_week, over: 8w}", "schedule": '"@hourly"'},
            "the 56 days before this window differ",
        ),
        (
            {"look_back": "seasonal: {by: day_of_week, over: 8w}"},
            "the 56 days before this window differ",
        ),
    ],
)
def test_every_baseline_has_its_words(changes, words):
    (found,) = shift(given(SHIFTED, **changes))
    assert found.message.startswith(f"carrier: {words} from the baseline's period: PSI 0.295")


def test_the_bin_that_is_named_is_the_one_that_the_number_comes_from():
    """Two points of the largest value are not a PSI of 0.3."""
    (found,) = shift(given((0, 4800, 4000, 1000, 200)))
    assert found.message.endswith("; values never seen before rose from 0 % to 2 %")


def test_the_floor_is_the_monitors():
    of = given(SHIFTED, LIKE)
    settings = of.monitor.checks.data_drift
    assert settings is not None
    (found,) = baseline_shift(of, ["carrier"], settings.model_copy(update={"minimum_effect": {"psi": 0.3}}))
    assert (found.status, found.threshold_upper) == ("info", 0.3)


def test_a_floor_of_0_does_not_make_every_number_a_change_of_season():
    """It asks for significance alone, which is not tested here."""
    of = given(LIKE, LIKE)
    settings = of.monitor.checks.data_drift
    assert settings is not None
    (found,) = baseline_shift(of, ["carrier"], settings.model_copy(update={"minimum_effect": {"psi": 0.0}}))
    assert (found.status, found.threshold_upper) == ("info", 0.1)
    assert "are like the baseline's period" in found.message


def test_nothing_is_said_of_a_fixed_a_young_or_an_empty_baseline():
    of = given(SHIFTED)
    assert of.earlier is not None
    young = replace(of.earlier, windows=0)
    fell_back = replace(of.earlier, exceptions={"": {"carrier": "baseline: ..."}})
    none = replace(of.earlier, columns={"": {"carrier": ColumnProfile("carrier", "categorical", (0,) * 5)}})
    for earlier in (None, young, fell_back, none):
        assert shift(replace(of, season=earlier)) == []


def test_both_drift_checks_say_it_of_their_own_columns_beside_what_drifted():
    of = given(SHIFTED, features="[carrier]", prediction="carrier_", score="score_")
    data = data_drift(of)
    assert [(r.metric, r.column_name) for r in data] == [
        ("psi", "carrier"),
        ("jensen_shannon", "carrier"),
        ("drifted_share", ""),
        ("global_test", ""),
        ("baseline_shift", "carrier"),
    ]
    assert all(r.detail["compared_with"] == "rolling 28d: 28 windows" for r in data[:4])
    predicted = given(SHIFTED, features="[amount]", prediction="carrier")
    assert [r.metric for r in prediction_drift(predicted)] == [
        "psi",
        "jensen_shannon",
        "drifted_share",
        "global_test",
        "baseline_shift",
    ]
