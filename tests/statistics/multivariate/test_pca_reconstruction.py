import sys

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from monitoring_tasks.statistics.multivariate import pca_reconstruction


def samples(seed, rows=(600, 400), correlations=(0.7, 0.7), columns=5):
    """Every pair of columns so correlated, before and after."""
    rng = np.random.default_rng(seed)
    return tuple(
        np.sqrt(r) * rng.standard_normal((n, 1)) + np.sqrt(1 - r) * rng.standard_normal((n, columns))
        for n, r in zip(rows, correlations, strict=True)
    )


NUMBERS = [False] * 5


def test_it_is_what_scikit_learn_and_scipy_find():
    before, after = samples(1, correlations=(0.4, 0.2))
    scaler = StandardScaler().fit(before[::2])
    pca = PCA(n_components=0.65, svd_solver="full").fit(scaler.transform(before[::2]))

    def errors(rows):
        scaled = scaler.transform(rows)
        return np.log(np.linalg.norm(scaled - pca.inverse_transform(pca.transform(scaled)), axis=1))

    usual, now = errors(before[1::2]), errors(after)
    welch = scipy.stats.ttest_ind(now, usual, equal_var=False)
    interval = welch.confidence_interval(0.95)
    found = pca_reconstruction(before, after, NUMBERS)
    spread = usual.std(ddof=1)
    assert found.difference == pytest.approx((now.mean() - usual.mean()) / spread)
    assert found.p_value == pytest.approx(welch.pvalue)
    assert (found.lower, found.upper) == pytest.approx((interval.low / spread, interval.high / spread))
    assert (found.components, found.columns) == (pca.n_components_, 5)
    assert found.explained == pytest.approx(pca.explained_variance_ratio_.sum())


def test_relations_that_break_are_rebuilt_worse_and_tighter_ones_better():
    worse, better = (pca_reconstruction(*samples(2, correlations=(0.7, r)), NUMBERS) for r in (0.2, 0.95))
    assert worse.lower > 0.5
    assert better.upper < -0.5
    assert max(worse.p_value, better.p_value) < 1e-20


@pytest.mark.parametrize("shape", ["normal", "skewed", "heavy"])
def test_the_p_value_is_right_without_drift(shape):
    p_values = []
    for seed in range(600):
        before, after = samples(seed, (300, 120))
        if shape == "skewed":
            before, after = np.exp(before), np.exp(after)
        elif shape == "heavy":
            before, after = before**3, after**3
        p_values.append(pca_reconstruction(before, after, NUMBERS).p_value)
    below = np.sum(np.array(p_values) < 0.05)
    assert 16 <= below <= 47  # 99.7 % of binomial(600, 0.05)


def test_rows_that_were_fitted_are_no_measure_of_the_others():
    """With 8 rows a component, errors of fitted rows are smaller by half their spread: nothing of that shows."""
    found = [pca_reconstruction(*samples(seed, (80, 80), (0.3, 0.3), 30), [False] * 30) for seed in range(60)]
    assert abs(np.mean([one.difference for one in found])) < 0.08


def test_bad_values_cost_little():
    before, after = samples(3)
    clean = pca_reconstruction(before, after, NUMBERS)
    extra = np.column_stack([before, np.full(600, 4.0), np.full(600, np.nan)])
    now = np.column_stack([after, np.full(400, 5.0), np.ones(400)])
    widened = pca_reconstruction(extra, now, [False] * 7)
    assert widened == clean  # neither a constant nor an empty column has relations
    after[0, 0], after[1, 1], after[2, 2] = np.inf, np.nan, 1e300
    assert pca_reconstruction(before, after, NUMBERS).difference == pytest.approx(clean.difference, abs=0.1)


def test_a_category_counts_by_how_frequent_it_was():
    rng = np.random.default_rng(5)
    before, after = rng.integers(0, 3, (900, 2)).astype(float), rng.integers(0, 3, (900, 2)).astype(float)
    before[:300, 0] = after[:300, 0] = 0  # so that they differ in how frequent they are
    before[:, 1] = np.where(rng.random(900) < 0.8, before[:, 0], before[:, 1])
    recoded = [np.array([5.0, 1.0, 9.0])[rows.astype(int)] for rows in (before, after)]
    one, two = pca_reconstruction(before, after, [True] * 2), pca_reconstruction(*recoded, [True] * 2)
    assert one == two
    assert one.lower > 0  # the two were nearly one


@pytest.mark.parametrize("rows", [np.zeros((50, 3)), np.full((50, 3), np.nan), np.arange(50.0).reshape(50, 1)])
def test_without_two_columns_that_vary_nothing_is_measured(rows):
    assert pca_reconstruction(rows, rows, [False] * rows.shape[1]) is None


def celsius_and_fahrenheit(seed, rows, kind):
    """One thermometer: exactly, with what is lost on the way through single precision, or as a display rounds it."""
    celsius = np.random.default_rng(seed).normal(12, 8, rows)
    if kind == "single":
        celsius = celsius.astype(np.float32)
        return np.column_stack([celsius, celsius * np.float32(1.8) + np.float32(32)]).astype(float)
    fahrenheit = celsius * 1.8 + 32
    return np.column_stack([celsius, fahrenheit] if kind == "exact" else [celsius.round(1), fahrenheit.round(1)])


@pytest.mark.parametrize("kind", ["exact", "single", "rounded"])
def test_an_exact_relation_gives_no_alarm_while_it_holds_and_one_when_it_breaks(kind):
    before = celsius_and_fahrenheit(1, 2000, kind)
    for seed in range(2, 42):
        warmer = celsius_and_fahrenheit(seed, 300, kind) + np.array([5.0, 9.0])
        holds = pca_reconstruction(before, warmer, [False] * 2)
        assert abs(holds.difference) < 0.1
        assert holds.p_value > 0.05
        assert holds.lower < holds.difference < holds.upper
    after = celsius_and_fahrenheit(50, 300, kind)
    for broken in (after[:, [0, 0]], after + np.array([0.0, 9.0]), np.column_stack([after[:, 0], after[::-1, 1]])):
        found = pca_reconstruction(before, broken, [False] * 2)
        assert found.lower > 2
        assert found.p_value < 1e-20


def test_a_row_in_a_thousand_that_breaks_an_exact_relation_is_noise_and_one_in_twenty_is_not():
    before, after = celsius_and_fahrenheit(1, 2000, "exact"), celsius_and_fahrenheit(2, 1000, "exact")
    found = {}
    for rows in (1, 50):
        broken = after.copy()
        broken[:rows, 1] = 32.0
        found[rows] = pca_reconstruction(before, broken, [False] * 2)
    assert (found[1].difference < 0.05, found[1].p_value > 0.1) == (True, True)
    assert (found[50].difference > 0.5, found[50].p_value < 1e-6) == (True, True)


@pytest.mark.parametrize("columns", [5, 40, 160])
def test_the_floor_on_the_spread_changes_nothing_where_no_relation_is_exact(columns, monkeypatch):
    before, after = samples(7, columns=columns)
    with_floor = pca_reconstruction(before, after, [False] * columns)
    monkeypatch.setattr(sys.modules[pca_reconstruction.__module__], "NARROWEST", 0.0)
    assert pca_reconstruction(before, after, [False] * columns) == with_floor


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.floats(-100, 100), st.floats(0.01, 100))
def test_units_do_not_count(seed, shift, scale):
    before, after = samples(seed, (100, 60))
    found = pca_reconstruction(before, after, NUMBERS)
    moved = pca_reconstruction(before * scale + shift, after * scale + shift, NUMBERS)
    assert moved.difference == pytest.approx(found.difference, abs=1e-6)
    assert moved.p_value == pytest.approx(found.p_value, abs=1e-6)


def test_too_few_rows_are_refused():
    with pytest.raises(ValueError, match="`reference` has 3 rows and `current` 5: 4 and 2 are needed"):
        pca_reconstruction(np.zeros((3, 2)), np.zeros((5, 2)), [False] * 2)
