import math

import numpy as np
import pytest
import scipy.optimize
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from monitoring_tasks.statistics.multivariate import domain_classifier
from monitoring_tasks.statistics.multivariate.domain_classifier import mann_whitney, newcombe_interval


def samples(seed, rows=(400, 300), columns=4):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((rows[0], columns)), rng.standard_normal((rows[1], columns))


scores = st.lists(st.integers(-3, 3), min_size=2, max_size=60).flatmap(
    lambda values: st.tuples(st.just(values), st.lists(st.booleans(), min_size=len(values), max_size=len(values)))
)


@given(scores)
def test_the_auc_is_that_of_scikit_learn_and_its_variance_that_of_scipy(drawn):
    values, current = np.array(drawn[0], float), np.array(drawn[1])
    if current.all() or not current.any():
        return
    auc, variance = mann_whitney(values, current)
    assert auc == pytest.approx(roc_auc_score(current, values))
    if len(set(values)) == 1:
        assert (auc, variance) == (0.5, pytest.approx(0.0, abs=1e-12))
        return
    options = {"alternative": "greater", "method": "asymptotic", "use_continuity": False}
    expected = scipy.stats.mannwhitneyu(values[current], values[~current], **options).pvalue
    assert scipy.stats.norm.sf((auc - 0.5) / math.sqrt(variance)) == pytest.approx(expected)


def hanley_mcneil(auc, n, m):
    """Variance of an AUC, equation 1 of Hanley and McNeil (1982), as it is written there."""
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    return (auc * (1 - auc) + (m - 1) * (q1 - auc**2) + (n - 1) * (q2 - auc**2)) / (n * m)


@given(st.floats(0.05, 0.95), st.integers(5, 500))
def test_the_ends_of_the_interval_are_as_far_as_hanley_and_mcneil_say(auc, rows):
    def distance(theta):
        return abs(auc - theta) - 1.959963984540054 * math.sqrt(hanley_mcneil(theta, rows, rows))

    lower, upper = newcombe_interval(auc, rows, rows)
    assert lower == pytest.approx(scipy.optimize.brentq(distance, 1e-12, auc), abs=1e-9)
    assert upper == pytest.approx(scipy.optimize.brentq(distance, auc, 1 - 1e-12), abs=1e-9)


def test_the_interval_covers_the_truth_95_times_in_a_hundred():
    rng, truth = np.random.default_rng(1), scipy.stats.norm.cdf(1.2 / math.sqrt(2))
    covered = 0
    for _ in range(2000):
        values = np.concatenate([rng.standard_normal(40), rng.standard_normal(30) + 1.2])
        lower, upper = newcombe_interval(mann_whitney(values, np.arange(70) >= 40)[0], 40, 30)
        covered += lower <= truth <= upper
    assert 0.935 <= covered / 2000 <= 0.975


def test_the_interval_of_what_is_told_apart_without_a_mistake_has_a_width():
    def distance(theta):
        return 1 - theta - 1.959963984540054 * math.sqrt(hanley_mcneil(theta, 50, 50))

    end = scipy.optimize.brentq(distance, 0.5, 1 - 1e-9)
    assert end == pytest.approx(0.9603, abs=1e-4)
    assert newcombe_interval(1.0, 50, 50) == (pytest.approx(end), 1.0)
    assert newcombe_interval(0.0, 50, 50) == (0.0, pytest.approx(1 - end))


@pytest.mark.integration
def test_the_p_value_is_right_without_drift():
    """K folds with the variance of independent ones would give 17 of 150 below 5 %."""
    p_values = [domain_classifier(*samples(seed, (100, 100), 3), explain_below=0).p_value for seed in range(150)]
    assert 1 <= np.sum(np.array(p_values) < 0.05) <= 15  # 99.7 % of binomial(150, 0.05)
    assert scipy.stats.kstest(p_values, "uniform").pvalue > 0.01


@pytest.mark.integration
def test_without_drift_the_auc_spreads_as_stated():
    aucs = [domain_classifier(*samples(seed, (150, 60), 2), explain_below=0).auc for seed in range(100)]
    assert np.mean(aucs) == pytest.approx(0.5, abs=0.015)
    assert np.std(aucs) == pytest.approx(math.sqrt(210 / (8.6 * 150 * 60)), rel=0.2)


def correlated(seed, rows, correlation):
    """Two standard normal columns so correlated, between two of noise."""
    found = np.random.default_rng(seed).standard_normal((rows, 4))
    found[:, 2] = correlation * found[:, 1] + math.sqrt(1 - correlation**2) * found[:, 2]
    return found


def test_a_new_correlation_is_found_that_no_column_shows():
    before, after = correlated(1, 2000, 0.0), correlated(2, 600, 0.8)
    for column in range(4):
        assert scipy.stats.ks_2samp(before[:, column], after[:, column]).pvalue > 0.05
    found = domain_classifier(before, after)
    assert found.auc > 0.65
    assert found.p_value < 1e-8
    assert set(np.argsort(-found.contributions)[:2]) == {1, 2}
    assert np.all(np.abs(found.contributions[[0, 3]]) < found.contributions[[1, 2]].min() / 3)


def test_contributions_cost_nothing_where_nothing_is_significant():
    assert np.isnan(domain_classifier(*samples(1), explain_below=1e-9).contributions).all()


@pytest.mark.parametrize("planted", ["missing", "new category", "infinite"])
def test_a_change_of_one_column_is_found_whatever_it_is(planted):
    before, after = samples(3, (1000, 500), 3)
    if planted == "missing":
        after[::3, 1] = np.nan
    elif planted == "new category":
        rng = np.random.default_rng(4)
        before[:, 1], after[:, 1] = rng.integers(0, 100, 1000), rng.integers(0, 100, 500)
        after[::5, 1] = 101
    else:
        after[::5, 1] = np.inf
    found = domain_classifier(before, after)
    assert found.p_value < 1e-4
    assert np.argmax(found.contributions) == 1


def test_columns_that_say_nothing_are_no_trouble():
    nothing = np.column_stack([np.full(100, np.nan), np.full(100, 7.0)])
    found = domain_classifier(nothing, nothing)
    late = np.where(np.arange(100) % 4 == 3, 1.0, np.nan)[:, np.newaxis]  # the last block alone has values
    assert domain_classifier(late, late).auc == 0.5
    assert (found.auc, found.p_value) == (0.5, 1.0)
    assert found.lower < 0.5 < found.upper


@settings(max_examples=8)
@given(st.integers(0, 10**6))
def test_only_the_order_of_values_counts_and_a_repetition_finds_the_same(seed):
    before, after = samples(seed, (60, 60), 2)  # few enough values to be taken as they are
    found = domain_classifier(before, after, explain_below=0)
    assert domain_classifier(before, after, explain_below=0).auc == found.auc
    assert domain_classifier(np.exp(before), np.exp(after), explain_below=0).auc == found.auc


def test_of_a_far_larger_reference_only_a_part_is_used():
    before, after = samples(5, (5000, 200), 2)
    first = domain_classifier(before[:2000], after, explain_below=0)
    assert domain_classifier(before, after, explain_below=0).auc == first.auc


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (np.zeros((7, 2)), np.zeros((9, 2)), r"`reference` has 7 rows, 8 are needed for 4 blocks of two"),
        (np.zeros((9, 2)), np.zeros((9, 3)), r"`reference` of shape \(9, 2\) and `current` of shape \(9, 3\) must be"),
        (np.zeros(9), np.zeros(9), r"must be rows of the same columns"),
    ],
)
def test_what_cannot_be_compared_is_refused(before, after, message):
    with pytest.raises(ValueError, match=message):
        domain_classifier(before, after)
