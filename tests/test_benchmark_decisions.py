"""What the benchmark of the decisions rests on: its data is what it says, and a threshold alarms at its rate."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import binomtest, chisquare, ks_2samp, kstest, norm, poisson, wasserstein_distance

from monitoring_tasks.checks.drift import drift
from monitoring_tasks.warehouse.bins import FRACTIONS
from tests.benchmarks.decisions import scores
from tests.benchmarks.decisions.column import column, counted, of_rows
from tests.benchmarks.decisions.ours import ANY_SIZE, DEFAULT, MONITOR, decide, decider, reference
from tests.benchmarks.decisions.rate import alarm_shares, at_least, at_most, held_to, of_several, rate
from tests.benchmarks.decisions.streams import CORRELATION, MISSING, SHIFTS, ZIPF, Shift, latent, rows
from tests.checks.context import context, numeric

DEPENDENCES = ("independent", "repeated", "autocorrelated", "levelled")
KINDS = ("numeric", "missing", "discrete", "categorical")
BINS = [0, 1, 2, 3, 4, 8, -2, -1]
"""Null, the lowest ones, one in the middle, and the highest: what lies outside of the baseline is the rarest."""

CAREFUL = 1e-4
"""A p-value below it would be a coincidence, were the distribution the one that is claimed; seeds are fixed."""


@pytest.mark.parametrize("dependence", DEPENDENCES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_row_has_the_distribution_that_its_kind_claims(kind, dependence):
    """The last rows of many stretches: independent of each other, however the rows of one stretch hang together."""
    values = rows(kind, dependence, (4000, 40), np.random.default_rng(1))[:, -1]
    known = values[~np.isnan(values)]
    if kind in ("numeric", "missing"):
        assert kstest(known, norm.cdf).pvalue > CAREFUL
    elif kind == "discrete":
        seen = np.bincount(np.minimum(known.astype(int), 8), minlength=9)
        expected = 4000 * np.append(poisson.pmf(np.arange(8), 3), poisson.sf(7, 3))
        assert chisquare(seen, expected).pvalue > CAREFUL
    else:
        assert chisquare(np.bincount(known.astype(int), minlength=30), 4000 * ZIPF).pvalue > CAREFUL
    nulls = values.size - known.size
    assert binomtest(nulls, values.size, MISSING if kind == "missing" else 1e-12).pvalue > CAREFUL


def test_rows_hang_together_as_they_claim():
    rng = np.random.default_rng(2)
    correlations = {}
    for dependence in DEPENDENCES:
        stretches = latent(dependence, (2000, 40), rng)
        correlations[dependence] = np.corrcoef(stretches[:, 18], stretches[:, 19])[0, 1]
    assert correlations["independent"] == pytest.approx(0.0, abs=4 / sqrt(2000))
    assert correlations["autocorrelated"] == pytest.approx(CORRELATION, abs=4 * (1 - CORRELATION**2) / sqrt(2000))
    repeated = latent("repeated", (3, 100), rng)
    assert all(len(set(block)) == 1 for stretch in repeated for block in stretch.reshape(5, 20))
    assert len(np.unique(repeated)) == 15


@pytest.mark.parametrize("dependence", ["independent", "repeated"])
@pytest.mark.parametrize("kind", KINDS)
def test_counts_that_are_drawn_have_the_distribution_of_rows_that_are_counted(kind, dependence):
    """Of baselines so short that their own chance shows: a window, many windows of one baseline, and its parts."""
    rng = np.random.default_rng(3)
    length, parts = 100, 10
    drawn: list[np.ndarray] = []
    tallied: list[np.ndarray] = []
    for _ in range(200):
        made = column(kind, dependence, length, rng, parts)
        of = of_rows(kind, rows(kind, dependence, (1, length * parts), rng).reshape(parts, length))
        if kind == "numeric":  # elsewhere it depends on the values that occur
            assert len(made.bins) == len(of.bins)
        fresh = counted(kind, of.bins, rows(kind, dependence, (20, length), rng))
        for into, windows, its in ((drawn, made.windows(20), made.parts), (tallied, fresh, of.parts)):
            assert its.shape[0] == parts
            assert {*windows.sum(axis=1), *its.sum(axis=1)} == {length}
            into.append(np.concatenate([x[BINS] for x in (windows[0], windows.sum(axis=0), its[0], its.sum(axis=0))]))
    for a, b in zip(np.array(drawn).T, np.array(tallied).T, strict=True):
        assert ks_2samp(a, b, method="asymp").pvalue > CAREFUL


def test_the_baseline_of_drawn_counts_is_cut_at_its_own_quantiles():
    made = column("numeric", "independent", 1000, np.random.default_rng(4))
    baseline = made.parts.sum(axis=0)
    assert baseline[[0, 1, -1]].tolist() == [0, 0, 0]
    assert baseline[5:-4].max() - baseline[5:-4].min() <= 2
    assert np.allclose(baseline[2:5] / 30_000, np.diff(FRACTIONS[:4]), atol=1e-4)
    assert np.allclose(made.bins.edges[2:-2], norm.ppf(FRACTIONS[2:-2]), atol=0.08)


def test_shifts_are_what_they_say():
    rng = np.random.default_rng(5)
    planted = {name: rows(s.kind, "independent", (1, 200_000), rng, s)[0] for name, s in SHIFTS.items()}
    close = 5 / sqrt(200_000)
    assert planted["mean + 0.2 sd"].mean() == pytest.approx(0.2, abs=close)
    assert planted["sd x 1.2"].std() == pytest.approx(1.2, abs=close)
    assert planted["sd x 0.8"].std() == pytest.approx(0.8, abs=close)
    assert (planted["1 % of rows at 4 sd"] == 4.0).mean() == pytest.approx(0.01, abs=close)
    assert np.isnan(planted["missing 1 % to 3 %"]).mean() == pytest.approx(0.03, abs=close)
    moved = np.bincount(planted["one category 5 % to 8 %"].astype(int), minlength=30) / 200_000
    assert ZIPF[4] == pytest.approx(0.05, abs=1e-4)
    assert moved[4] == pytest.approx(0.08, abs=close)
    assert moved[0] / moved[1] == pytest.approx(2.0, abs=0.05)


@given(
    values=st.lists(st.integers(0, 20), min_size=1, max_size=200),
    wanted=st.floats(0.001, 0.999),
)
def test_exactly_the_wanted_share_of_the_scores_alarms_at_a_threshold_held_to_it(values, wanted):
    of = np.array(values, np.float64)
    assert alarm_shares(of, held_to(of, wanted)).mean() == pytest.approx(wanted, abs=1e-12)


def test_a_threshold_held_to_a_rate_alarms_at_that_rate_on_other_windows_of_one_and_of_several_columns():
    rng = np.random.default_rng(6)
    for columns in (1, 50):
        threshold = held_to(rng.standard_normal(1_000_000), of_several(0.01, columns))
        alarms = (rng.standard_normal((20_000, columns)) > threshold.value).any(axis=1)
        assert binomtest(int(alarms.sum()), alarms.size, 0.01).pvalue > CAREFUL


def test_the_error_of_a_rate_counts_that_windows_share_a_baseline():
    independent = [np.arange(100) < 10] * 10
    assert rate(independent).value == pytest.approx(0.1)
    assert rate(independent).error == pytest.approx(sqrt(0.1 * 0.9 / 1000), rel=0.01)
    shared = [np.full(100, i == 0) for i in range(10)]
    assert rate(shared).value == pytest.approx(0.1)
    assert rate(shared).error == pytest.approx(0.1)  # one baseline of ten: sqrt(0.1 * 0.9 / 9)
    assert rate([np.zeros(100, np.bool_)]).error > 0


def test_a_promise_is_broken_only_by_more_than_chance():
    found = rate([np.arange(1000) < 20])  # 2 % with an error of 0.44 points
    assert [at_most(found, limit) for limit in (0.03, 0.015, 0.01)] == ["", "?", "!"]
    assert [at_least(found, limit) for limit in (0.01, 0.025, 0.03)] == ["", "?", "!"]


@pytest.mark.parametrize("whole", [False, True])
def test_scores_of_numbers_are_those_of_scipy(whole):
    rng = np.random.default_rng(7)
    reference, window = np.sort(rng.normal(0, 3, 3000)), np.sort(rng.normal(1, 4, 170))
    if whole:
        reference, window = np.round(reference), np.round(window)
    expected = wasserstein_distance(reference, window) / reference.std()
    assert scores.wasserstein(reference)(window) == pytest.approx(expected, rel=1e-12)
    assert scores.kolmogorov_smirnov(reference)(window) == pytest.approx(ks_2samp(reference, window).statistic)


def test_scores_of_categories_are_those_of_scipy():
    rng = np.random.default_rng(8)
    reference, window = rng.multinomial(3000, ZIPF), rng.multinomial(150, ZIPF[::-1])
    expected = jensenshannon(reference, window, 2.0)
    assert scores.jensen_shannon(reference, 2.0)(window) == pytest.approx(expected, rel=1e-12)
    p_value = chisquare(window, reference * 150 / 3000).pvalue
    assert -scores.pearson(reference)(window) == pytest.approx(p_value, rel=1e-9)


def test_the_decision_is_that_of_windows_with_all_their_rows():
    """The product's check needs no more than the counts: sums and extremes change no decision."""
    rng = np.random.default_rng(9)
    baseline = rows("numeric", "independent", (30, 1000), rng)
    of = of_rows("numeric", baseline)
    windows = np.concatenate(
        [rows("numeric", "independent", (15, 1000), rng, Shift(mean=mean)) for mean in (0, 0.1, 0.2)]
    )
    settings = ANY_SIZE.model_copy(update={"false_alarm_rate": 0.1})
    alarms = decider([of], settings)
    expected = []
    for window in windows:
        before, after = numeric("x0", of.bins, baseline.ravel()), numeric("x0", of.bins, window)
        given_rows = context(MONITOR, {"x0": of.bins}, {"": [before]}, {"": [after]})
        given_rows = replace(given_rows, earlier=reference([of]))
        expected.append(any(result.status == "alarm" for result in drift(given_rows, ["x0"], settings)))
    assert [alarms([counts]) for counts in counted("numeric", of.bins, windows)] == expected
    assert 5 < sum(expected) < 40


def test_the_default_settings_alarm_only_where_every_size_does():
    """So `decide` asks for the default only there; with its floors it alarms less often, but does."""
    rng = np.random.default_rng(10)
    made = [column(kind, "independent", 1000, rng) for kind in KINDS]
    still = [one.windows(50) for one in made]
    moved = counted("numeric", made[0].bins, rows("numeric", "independent", (50, 1000), rng, Shift(mean=0.2)))
    found = decide(made, [moved, *still[1:]])
    default = decider(made, DEFAULT)
    assert [default(counts) for counts in zip(moved, *still[1:], strict=True)] == found.default.tolist()
    assert 0 < found.default.sum() < found.any_size.sum()
    assert decide(made, still).any_size.sum() <= 6
