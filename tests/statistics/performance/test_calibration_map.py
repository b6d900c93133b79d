"""The calibration: closed forms and scikit-learn's isotonic regression."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.isotonic import IsotonicRegression

from monitoring_tasks.statistics.performance.calibration_map import (
    fit_calibration,
    merge_class_bins,
    shifted_odds,
    weigh_classes,
)
from monitoring_tasks.statistics.performance.outcomes import Outcomes
from tests.statistics.performance.made_scores import BINS, EDGES, scores, summed, table


@given(arrays(np.int64, (BINS + 3, 1, 2), elements=st.integers(0, 30)))
def test_the_map_is_scikit_learns_isotonic_regression(counts):
    counts[0] = 0
    counts[3] = (20, 1)
    counts[7] = (1, 20)  # such that steps pay
    rows = counts.sum(axis=(1, 2))
    fitted = fit_calibration(Outcomes(counts, edges=EDGES))
    some = np.flatnonzero(rows)
    expected = IsotonicRegression().fit(some, counts[some, 0, 1] / rows[some], sample_weight=rows[some])
    if fitted.isotonic:
        assert fitted.probability[1:, 0, 1] == pytest.approx(
            np.interp(np.arange(1, BINS + 3), some, expected.predict(some)), abs=1e-9
        )
    assert fitted.probability.sum(axis=-1) == pytest.approx(1)
    assert (np.diff(fitted.probability[1:, 0, 1]) >= -1e-12).all() or not fitted.isotonic


def test_a_score_that_is_right_is_its_own_probability_and_one_that_is_wrong_is_not():
    """Steps cost more than they explain where there is nothing to explain."""
    rng = np.random.default_rng(1)
    kept = []
    for _ in range(50):
        score = rng.beta(2, 2, 2000)
        kept.append(fit_calibration(summed(table(score, rng.random(2000) < score))).isotonic)
    assert np.mean(kept) < 0.1
    fitted = fit_calibration(summed(table(*scores(rng, 5000))))
    assert fitted.isotonic
    score = rng.beta(2, 2, 2000)
    right = fit_calibration(summed(table(score, rng.random(2000) < score)))
    assert right.probability[5, 1, 1] == pytest.approx(score[(score >= 0.15) & (score < 0.2)].mean())


def test_mallowss_criterion_estimates_the_brier_score_on_new_rows():
    """The in-sample distance plus twice the steps' noise is, on average, that from new labels of the same rows."""
    rng = np.random.default_rng(2)
    truth = np.linspace(0.1, 0.6, 10)
    differences = []
    for _ in range(400):
        labels, new = rng.binomial(100, truth), rng.binomial(100, truth)
        fit = IsotonicRegression().fit(np.arange(10), labels / 100).predict(np.arange(10))
        levels = np.unique(fit)
        inside = 100 * np.sum((labels / 100 - fit) ** 2) + 2 * np.sum(levels * (1 - levels))
        differences.append(100 * np.sum((new / 100 - fit) ** 2) - inside)
    assert abs(np.mean(differences)) < 0.4  # without the noise it would be 3


def test_within_a_bin_a_prediction_splits_the_rows():
    """A threshold inside of a bin: rows above it are positive more often."""
    counts = np.zeros((5, 3, 2), int)
    counts[2, 1:] = [(450, 50), (300, 200)]
    counts[3, 2] = (200, 800)
    fitted = fit_calibration(Outcomes(counts, edges=np.array([0.0, 0.5, 1.0])))
    assert fitted.probability[2, 1:, 1] == pytest.approx([0.1, 0.4])
    # Nobody was left without a prediction: between the two.
    assert 0.1 <= fitted.probability[2, 0, 1] <= 0.4


def test_rows_without_a_score_have_the_label_shares_of_their_prediction():
    counts = np.zeros((5, 3, 2), int)
    counts[0] = [(60, 40), (9, 1), (0, 0)]
    counts[2, 1] = (80, 20)
    fitted = fit_calibration(Outcomes(counts, edges=np.array([0.0, 0.5, 1.0])))
    assert fitted.probability[0, :2, 1] == pytest.approx([0.4, 0.1])
    assert fitted.probability[0, 2, 1] == pytest.approx(61 / 210)


def test_weights_are_as_good_as_rows():
    """Whole weights: the same map as of rows counted so often, with the effective rows of Kish."""
    outcomes = summed(table(*scores(np.random.default_rng(3), 4000)))
    weights = np.array([1, 3]).reshape(2, 1) * np.ones(2, int)  # of the places below and above, by label
    weights = np.repeat(weights, [12, BINS + 3 - 12], axis=0)[:, np.newaxis]
    fitted = fit_calibration(outcomes, weights)
    repeated = Outcomes(outcomes.counts * weights, {n: t * weights for n, t in outcomes.sums.items()}, EDGES)
    again = fit_calibration(repeated)
    assert fitted.isotonic
    assert fitted.probability == pytest.approx(again.probability)
    n = outcomes.counts[:12].sum(), outcomes.counts[12:].sum()
    assert fitted.effective_rows == pytest.approx((n[0] + 3 * n[1]) ** 2 / (n[0] + 9 * n[1]))
    assert fitted.means["brier"] == pytest.approx(again.means["brier"])


def test_bad_input_is_named():
    counts = np.zeros((5, 3, 2), int)
    counts[2, 1] = (80, 20)
    outcomes = Outcomes(counts, edges=np.array([0.0, 0.5, 1.0]))
    fitted = fit_calibration(outcomes)
    with pytest.raises(ValueError, match="`reference` has no rows with a weight"):
        fit_calibration(Outcomes(counts * 0, edges=outcomes.edges))
    with pytest.raises(ValueError, match=r"`weights` of shape \(7,\) do not fit the counts of shape \(5, 3, 2\)"):
        fit_calibration(outcomes, np.ones(7))
    with pytest.raises(ValueError, match="`weights` must be finite and not negative"):
        fit_calibration(outcomes, -1.0)
    with pytest.raises(ValueError, match="`calibration` has no class scores whose bins could be merged"):
        merge_class_bins(fitted, [0, 0, 1])
    with pytest.raises(ValueError, match=r"`odds` of shape \(2,\) must have one for each .*, 0$"):
        weigh_classes(fitted, np.ones(2))
    tables = np.ones((3, 10, 2), int)
    scored = fit_calibration(Outcomes(np.ones((1, 4, 3), int), edges=np.linspace(0.1, 0.9, 9), class_scores=tables))
    with pytest.raises(ValueError, match=r"`odds` of shape \(2,\) must .* scores, 3$"):
        weigh_classes(scored, np.ones(2))
    with pytest.raises(ValueError, match=r"`class_scores` of shape \(3, 9\) must have .*, \(3, 10\), and `ratio` of"):
        shifted_odds(scored, np.ones((3, 9)), np.ones(3))
    with pytest.raises(ValueError, match="`groups` must number the groups of 10 bins in order"):
        merge_class_bins(scored, [0, 0, 1])
