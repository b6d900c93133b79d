"""Performance without labels: closed forms, scikit-learn's isotonic regression, and the coverage of the intervals."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss as sklearn_log_loss

from monitoring_tasks.statistics.performance.estimation import (
    estimated,
    expectation,
    expectation_by_bin,
    expected_by_bin,
    expected_outcomes,
    fit_calibration,
    loss_explained,
    merge_class_bins,
    redraw,
    weigh_classes,
)
from monitoring_tasks.statistics.performance.outcomes import Outcomes

BINS = 20
EDGES = np.linspace(0, 1, BINS + 1)


def accuracy(outcomes):
    matrix = outcomes.confusion
    with np.errstate(invalid="ignore"):
        return np.trace(matrix, axis1=-2, axis2=-1) / matrix.sum(axis=(-2, -1))


def recall(outcomes):
    matrix = np.asarray(outcomes.confusion, float)
    with np.errstate(invalid="ignore"):
        return matrix[..., 1, 1] / matrix[..., :, 1].sum(axis=-1)


def f1(outcomes):
    matrix = np.asarray(outcomes.confusion, float)
    return 2 * matrix[..., 1, 1] / (matrix[..., 1, :].sum(axis=-1) + matrix[..., :, 1].sum(axis=-1))


def roc_auc(outcomes):
    rows = np.asarray(outcomes.scores, float)
    below = np.cumsum(rows[..., 0], axis=-1) - rows[..., 0] / 2
    return np.sum(rows[..., 1] * below, axis=-1) / (rows[..., 0].sum(axis=-1) * rows[..., 1].sum(axis=-1))


def log_loss(outcomes):
    return outcomes.sums["log_loss"].sum(axis=(-3, -2, -1)) / outcomes.counts.sum(axis=(-3, -2, -1))


def brier(outcomes):
    return outcomes.sums["brier"].sum(axis=(-3, -2, -1)) / outcomes.counts.sum(axis=(-3, -2, -1))


def mean_absolute_error(outcomes):
    return outcomes.sums["absolute_error"].sum(axis=(-3, -2, -1)) / outcomes.counts.sum(axis=(-3, -2, -1))


def root_mean_squared_error(outcomes):
    return np.sqrt(outcomes.sums["error_squares"].sum(axis=(-3, -2, -1)) / outcomes.counts.sum(axis=(-3, -2, -1)))


def estimate(metric, calibration, counts, class_scores=None, *, between_variance=0.0, **how):
    return estimated(metric, expectation(calibration, counts, class_scores, **how), between_variance)


def table(score, label, group=None, groups=1):
    """Outcomes by bin of a group, with all sums of a binary model; predicted is what scores above 0.5."""
    group = np.zeros(len(score), int) if group is None else group
    label = label.astype(int)
    at = group, 1 + np.searchsorted(EDGES, score, side="right"), 1 + (score > 0.5), label
    counts = np.zeros((groups, BINS + 3, 3, 2), int)
    np.add.at(counts, at, 1)
    loss = -np.log(np.where(label == 1, score, 1 - score))
    square = (score - label) ** 2
    sums = {}
    for name, value in (("score", score), ("log_loss", loss), ("log_loss_squares", loss**2), ("brier", square)):
        sums[name] = np.zeros(counts.shape)
        np.add.at(sums[name], at, value)
    return Outcomes(counts, sums, EDGES)


def summed(outcomes):
    return Outcomes(
        outcomes.counts.sum(axis=0), {name: total.sum(axis=0) for name, total in outcomes.sums.items()}, outcomes.edges
    )


def scores(rng, rows, level=0.0):
    """Scores and labels; the score is not the probability: it is too sure."""
    logit = rng.normal(level, 1.2, rows)
    label = rng.random(rows) < 1 / (1 + np.exp(-logit * 0.6 + 0.3))
    return 1 / (1 + np.exp(-logit)), label


# --- the calibration ---


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


# --- expected outcomes ---


def test_of_the_baseline_itself_the_expectation_is_what_was_seen():
    rng = np.random.default_rng(5)
    outcomes = summed(table(*scores(rng, 20_000)))
    fitted = fit_calibration(outcomes)
    expected = expected_outcomes(fitted, outcomes.counts.sum(axis=-1))
    assert expected.counts.sum(axis=-1) == pytest.approx(outcomes.counts.sum(axis=-1))
    # Isotonic regression keeps the number of positives.
    assert expected.confusion.sum(axis=-2) == pytest.approx(outcomes.confusion.sum(axis=-2))
    for metric in (accuracy, f1, recall, roc_auc, log_loss, brier):
        assert metric(expected) == pytest.approx(metric(outcomes), abs=0.002)


def test_losses_are_those_of_the_rows_and_without_any_of_the_mean_score():
    """scikit-learn's log loss and Brier score of fresh rows; and of cells that the baseline does not show."""
    rng = np.random.default_rng(6)
    fitted = fit_calibration(summed(table(*scores(rng, 50_000))))
    score, label = scores(rng, 50_000, 0.3)
    window = summed(table(score, label))
    expected = expected_outcomes(fitted, window.counts.sum(axis=-1))
    assert log_loss(expected) == pytest.approx(sklearn_log_loss(label, score), abs=0.006)
    assert brier(expected) == pytest.approx(brier_score_loss(label, score), abs=0.004)
    counts = np.zeros((5, 3, 2), int)
    counts[2, 1] = (10, 0)
    counts[3, 2] = (0, 10)
    zeros = {name: np.zeros(counts.shape) for name in ("log_loss", "brier", "brier_squares")}
    fitted = fit_calibration(Outcomes(counts, {"score": counts * 0.2, **zeros}, edges=np.array([0.0, 0.5, 1.0])))
    assert fitted.means["log_loss"][2, 1, 1] == pytest.approx(-math.log(0.2))
    assert fitted.means["brier"][2, 1, 1] == pytest.approx(0.8**2)
    assert fitted.means["brier_squares"][2, 1, 1] == pytest.approx(0.8**4)


def test_many_windows_at_once_are_each_on_its_own():
    rng = np.random.default_rng(7)
    fitted = fit_calibration(summed(table(*scores(rng, 3000))))
    windows = np.stack([summed(table(*scores(rng, 500))).counts.sum(axis=-1) for _ in range(3)])
    together = accuracy(expected_outcomes(fitted, windows))
    assert together == pytest.approx([float(accuracy(expected_outcomes(fitted, one))) for one in windows])


# --- intervals ---


def coverage(runs, one):
    return np.mean([found.lower <= truth <= found.upper for found, truth in (one() for _ in range(runs))])


@pytest.mark.integration
@pytest.mark.parametrize("metric", [accuracy, f1, roc_auc, log_loss, brier])
def test_without_shift_the_interval_holds_what_the_labels_show(metric):
    rng = np.random.default_rng(8)

    def one():
        fitted = fit_calibration(summed(table(*scores(rng, 4000))))
        window = summed(table(*scores(rng, 800)))
        return estimate(metric, fitted, window.counts.sum(axis=-1), rng=rng, draws=200), float(metric(window))

    assert 0.92 <= coverage(300, one) <= 0.98


@pytest.mark.integration
@pytest.mark.parametrize("metric", [accuracy, roc_auc])
def test_without_shift_the_other_interval_holds_that_of_endless_rows(metric):
    rng = np.random.default_rng(9)
    truth = float(metric(summed(table(*scores(rng, 2_000_000)))))

    def one():
        fitted = fit_calibration(summed(table(*scores(rng, 4000))))
        window = summed(table(*scores(rng, 800))).counts.sum(axis=-1)
        return estimate(metric, fitted, window, rng=rng, draws=200, target="population"), truth

    assert 0.92 <= coverage(300, one) <= 0.985


def test_the_error_is_that_of_labels_and_calibration_in_closed_form():
    """One bin: p (1 - p) / m of the labels and p (1 - p) / n of the calibration; and the windows' own variance."""
    counts = np.zeros((5, 3, 2), int)
    counts[2, 1] = (320, 80)
    fitted = fit_calibration(Outcomes(counts, edges=np.array([0.0, 0.5, 1.0])))
    window = np.zeros((5, 3), int)
    window[2, 1] = 200
    found = estimate(accuracy, fitted, window, rng=np.random.default_rng(1), draws=20_000)
    assert found.value == pytest.approx(0.8)
    assert found.standard_error == pytest.approx(math.sqrt(0.16 * (1 / 200 + 1 / 400)), rel=0.02)
    assert found.upper - found.lower == pytest.approx(2 * 1.96 * found.standard_error, rel=0.05)
    wide = estimate(accuracy, fitted, window, rng=np.random.default_rng(1), draws=20_000, between_variance=0.01)
    assert wide.standard_error == pytest.approx(math.hypot(found.standard_error, 0.1), rel=1e-6)
    assert wide.upper - wide.value == pytest.approx(math.hypot(found.upper - found.value, 0.196), rel=1e-3)
    unknown = estimate(accuracy, fitted, window, rng=np.random.default_rng(1), draws=500, between_variance=math.nan)
    assert math.isfinite(unknown.lower)


def test_few_effective_rows_widen_the_interval():
    counts = np.zeros((5, 3, 2), int)
    counts[2, 1] = (80, 20)
    outcomes = Outcomes(counts, edges=np.array([0.0, 0.5, 1.0]))
    window = np.zeros((5, 3), int)
    window[2, 1] = 10_000
    fitted = fit_calibration(outcomes, 45.0)  # 4500 in all, but of 100 rows
    few = estimate(accuracy, fitted, window, rng=np.random.default_rng(1), draws=4000)
    assert few.standard_error == pytest.approx(math.sqrt(0.16 * (1 / 100 + 1 / 10_000)), rel=0.05)


def test_a_metric_that_is_not_defined_is_not_estimated():
    counts = np.zeros((5, 3, 2), int)
    counts[2, 1] = (80, 20)
    fitted = fit_calibration(Outcomes(counts, edges=np.array([0.0, 0.5, 1.0])))
    found = estimate(accuracy, fitted, np.zeros((5, 3), int), rng=np.random.default_rng(1))
    assert np.isnan([found.value, found.lower, found.upper, found.standard_error]).all()


# --- multiclass ---

CLASS_EDGES = np.linspace(0.1, 0.9, 9)
"""As in the store: the lowest bin and the highest have rows."""


def classes(rng, rows, sharpness, prior=(0.5, 0.3, 0.2), stray=0.0):
    """A model of three classes: scores by softmax, labels drawn from a flatter softmax; sharper rows are easier."""
    kind = rng.choice(3, rows, p=prior)
    logits = rng.normal(size=(rows, 3)) + sharpness * np.eye(3)[kind]
    score, chance = (np.exp(logits * scale) for scale in (1.0, 0.7))
    score, chance = score / score.sum(axis=1, keepdims=True), chance / chance.sum(axis=1, keepdims=True)
    label = (rng.random((rows, 1)) > np.cumsum(chance, axis=1)[:, :2]).sum(axis=1)
    counts, tables = np.zeros((1, 4, 3), int), np.zeros((3, len(CLASS_EDGES) + 1, 2), int)
    predicted = score.argmax(axis=1)
    if stray:
        predicted = np.where(rng.random(rows) < stray, rng.integers(0, 3, rows), predicted)
    np.add.at(counts, (0, 1 + predicted, label), 1)
    for one in range(3):
        np.add.at(tables[one], (np.searchsorted(CLASS_EDGES, score[:, one], side="right"), (label == one) * 1), 1)
    return Outcomes(counts, edges=CLASS_EDGES, class_scores=tables)


def test_without_class_scores_the_baselines_confusion_is_weighed():
    counts = np.zeros((1, 4, 3), int)
    counts[0, 1:] = [(80, 10, 10), (20, 70, 10), (0, 0, 50)]
    fitted = fit_calibration(Outcomes(counts))
    expected = expected_outcomes(fitted, [[0, 10, 20, 5]])
    assert expected.confusion == pytest.approx(np.array([(8, 1, 1), (4, 14, 2), (0, 0, 5)]))
    found = estimate(accuracy, fitted, [[0, 10, 20, 5]], rng=np.random.default_rng(1), draws=500)
    assert found.value == pytest.approx(27 / 35)
    assert found.lower < 27 / 35 < found.upper


def test_of_the_baseline_itself_class_scores_give_its_confusion():
    outcomes = classes(np.random.default_rng(11), 20_000, 2.0)
    fitted = fit_calibration(outcomes)
    expected = expected_outcomes(fitted, outcomes.counts.sum(axis=-1), outcomes.class_scores.sum(axis=-1))
    assert expected.counts.sum(axis=-1) == pytest.approx(outcomes.counts.sum(axis=-1), abs=1e-6)
    assert expected.confusion / 20_000 == pytest.approx(outcomes.confusion / 20_000, abs=0.002)
    assert expected.class_scores.sum(axis=-1) == pytest.approx(outcomes.class_scores.sum(axis=-1))


def test_rows_of_the_lowest_bin_are_among_those_with_the_highest_scores_where_there_are_no_others():
    """A hundred rows are predicted the second class: 60 with scores of which 9 of 10 are right, 40 of which 1 of 10."""
    second = np.array([(126, 14), (6, 54)])
    counts = np.zeros((1, 3, 2), int)
    counts[0, 1:] = [(90, 10), (42, 58)]
    fitted = fit_calibration(
        Outcomes(counts, edges=np.array([0.5]), class_scores=np.stack([second[::-1, ::-1], second]))
    )
    found = expected_outcomes(fitted, [[0, 100, 100]], [(60, 140), (140, 60)])
    assert found.confusion[1] == pytest.approx([42, 58])
    fewer = expected_outcomes(fitted, [[0, 100, 100]], [(20, 180), (180, 20)])
    assert fewer.confusion[1] == pytest.approx([74, 26])  # 20 * 0.9 + 80 * 0.1


def test_predictions_that_do_not_follow_the_scores_are_as_right_as_they_were():
    """Three in ten rows are predicted another class than that of the highest score: the scores alone do not know."""
    rng = np.random.default_rng(18)
    baseline, window = (classes(rng, 40_000, sharpness, stray=0.3) for sharpness in (2.5, 2.0))
    fitted = fit_calibration(baseline)
    for outcomes, within in ((baseline, 0.002), (window, 0.03)):
        expected = expected_outcomes(fitted, outcomes.counts.sum(axis=-1), outcomes.class_scores.sum(axis=-1))
        assert float(accuracy(expected)) == pytest.approx(float(accuracy(outcomes)), abs=within)


def test_less_sure_scores_are_expected_to_be_wrong_more_often():
    """Where the rows become harder, the weighed confusion of the baseline does not see it, and class scores do."""
    rng = np.random.default_rng(12)
    baseline, harder = classes(rng, 40_000, 2.5), classes(rng, 40_000, 0.8)
    rows, scored = harder.counts.sum(axis=-1), harder.class_scores.sum(axis=-1)
    truth = float(accuracy(harder))
    with_scores = float(accuracy(expected_outcomes(fit_calibration(baseline), rows, scored)))
    without = float(accuracy(expected_outcomes(fit_calibration(baseline), rows)))
    assert abs(with_scores - truth) < 0.015
    assert abs(without - truth) > 0.05


def class_auc(outcomes):
    """Mean over the classes of the AUC of each against the others."""
    rows = np.asarray(outcomes.class_scores, float)
    below = np.cumsum(rows[..., 0], axis=-1) - rows[..., 0] / 2
    return np.mean(
        np.sum(rows[..., 1] * below, axis=-1) / (rows[..., 0].sum(axis=-1) * rows[..., 1].sum(axis=-1)), axis=-1
    )


@pytest.mark.integration
@pytest.mark.parametrize("metric", [accuracy, class_auc])
@pytest.mark.parametrize("sharpness", [2.0, 1.2])
def test_the_interval_of_a_multiclass_model_holds_even_where_rows_are_harder(metric, sharpness):
    rng = np.random.default_rng(13)

    def one():
        fitted, window = fit_calibration(classes(rng, 4000, 2.0)), classes(rng, 800, sharpness)
        rows, scored = window.counts.sum(axis=-1), window.class_scores.sum(axis=-1)
        return estimate(metric, fitted, rows, scored, rng=rng, draws=100), float(metric(window))

    assert 0.9 <= coverage(200, one) <= 0.99


def test_of_two_classes_the_mean_auc_varies_as_the_binary_one_does():
    """Either class's table is the other's mirror: what is redrawn twice must not vary half as much."""
    rng = np.random.default_rng(17)
    score, label = scores(rng, 6000)
    binary = summed(table(score, label))
    mirrored = Outcomes(
        binary.counts.sum(axis=0, keepdims=True),
        edges=np.empty(0),
        class_scores=np.stack([binary.counts.sum(axis=1)[::-1, ::-1], binary.counts.sum(axis=1)]),
    )
    # The mirror of bin 0, rows without a score, holds those above the last edge: no rows are in either.
    assert binary.counts[[0, -1]].sum() == 0
    window = summed(table(*scores(rng, 1000))).counts.sum(axis=-1)
    both = window.sum(axis=1)
    one = estimate(roc_auc, fit_calibration(binary), window, rng=rng, draws=2000)
    two = estimate(
        class_auc,
        fit_calibration(mirrored),
        window.sum(axis=0, keepdims=True),
        np.stack([both[::-1], both]),
        rng=rng,
        draws=2000,
    )
    assert two.value == pytest.approx(one.value, abs=0.005)
    assert two.standard_error == pytest.approx(one.standard_error, rel=0.1)


def test_the_losses_of_a_multiclass_model_are_its_cells_mean_losses():
    counts = np.zeros((1, 3, 2), int)
    counts[0, 1:] = [(80, 20), (0, 50)]
    fitted = fit_calibration(Outcomes(counts, {"brier": counts * np.array([0.1, 0.9])}))
    found = brier(expected_outcomes(fitted, [[0, 10, 10]]))
    assert found == pytest.approx((8 * 0.1 + 2 * 0.9 + 10 * 0.9) / 20)
    # The mean of all rows stands for a cell without any.
    assert fitted.means["brier"][0, 2, 0] == pytest.approx((80 * 0.1 + 70 * 0.9) / 150)


@given(
    arrays(np.int64, (1, 4, 3), elements=st.integers(0, 20)),
    arrays(np.int64, (3, 6, 2), elements=st.integers(0, 20)),
    arrays(np.int64, (1, 4), elements=st.integers(0, 20)),
    arrays(np.int64, (3, 6), elements=st.integers(0, 20)),
)
def test_every_row_is_expected_once_whatever_the_tables(counts, tables, rows, scored):
    counts[0, 1, 0] += 1
    fitted = fit_calibration(Outcomes(counts, class_scores=tables))
    for expected in (expected_outcomes(fitted, rows), expected_outcomes(fitted, rows, scored)):
        assert (expected.counts >= 0).all()
        assert expected.counts.sum(axis=-1) == pytest.approx(rows, abs=1e-9)
    assert expected.class_scores.sum(axis=-1) == pytest.approx(scored)
    found = estimate(accuracy, fitted, rows, scored, rng=np.random.default_rng(1), draws=5)
    assert math.isnan(found.value) or 0 <= found.value <= 1 + 1e-12


@given(
    arrays(np.int64, (6, 3, 2), elements=st.integers(0, 3)),
    arrays(np.int64, (6, 3), elements=st.integers(0, 20)),
    st.sampled_from(["labels", "population"]),
)
def test_every_row_of_a_binary_model_is_expected_once_whatever_the_table(counts, rows, target):
    counts[2, 1, 0] += 1
    fitted = fit_calibration(Outcomes(counts, {"brier": counts * 0.3}, np.array([0.0, 0.25, 0.5, 1.0])))
    assert ((fitted.probability >= 0) & (fitted.probability <= 1)).all()
    expected = expected_outcomes(fitted, rows)
    assert expected.counts.sum(axis=-1) == pytest.approx(rows, abs=1e-9)
    found = estimate(accuracy, fitted, rows, rng=np.random.default_rng(1), draws=5, target=target)
    assert math.isnan(found.lower) or found.lower <= found.value <= found.upper


# --- regression ---

RESIDUALS = np.linspace(-6, 6, 41)


def residuals(rng, rows, shares):
    """Residuals whose spread doubles from each of four bins to the next."""
    group = rng.choice(4, rows, p=shares)
    error = rng.normal(0, 0.25 * 2.0**group)
    at = group, 1 + np.searchsorted(RESIDUALS, error, side="right"), np.zeros(rows, int), np.zeros(rows, int)
    counts = np.zeros((4, 43, 1, 1), int)
    np.add.at(counts, at, 1)
    sums = {}
    for name, value in (("absolute_error", np.abs(error)), ("error", error), ("error_squares", error**2)):
        sums[name] = np.zeros(counts.shape)
        np.add.at(sums[name], at, value)
    return Outcomes(counts, sums, RESIDUALS)


def test_the_expected_error_is_the_bins_mean_error_weighed():
    rng = np.random.default_rng(14)
    baseline = residuals(rng, 4000, [0.4, 0.3, 0.2, 0.1])
    mean = baseline.sums["absolute_error"].sum(axis=(1, 2, 3)) / baseline.rows
    found = mean_absolute_error(expected_by_bin(baseline, [10, 20, 30, 40]))
    assert found == pytest.approx(mean @ [0.1, 0.2, 0.3, 0.4])
    itself = expected_by_bin(baseline, baseline.rows)
    assert root_mean_squared_error(itself) == pytest.approx(root_mean_squared_error(summed(baseline)))


def test_a_bin_that_the_baseline_does_not_have_is_taken_like_the_nearest():
    counts = np.array([0, 10, 0, 0, 20]).reshape(5, 1, 1, 1)
    errors = np.array([0, 10.0, 0, 0, 60.0]).reshape(5, 1, 1, 1)
    baseline = Outcomes(counts, {"absolute_error": errors})
    assert mean_absolute_error(expected_by_bin(baseline, [1, 0, 1, 0, 0])) == pytest.approx(1.0)
    assert mean_absolute_error(expected_by_bin(baseline, [0, 0, 0, 1, 0])) == pytest.approx(3.0)


@pytest.mark.integration
@pytest.mark.parametrize("metric", [mean_absolute_error, root_mean_squared_error])
@pytest.mark.parametrize("shares", [[0.4, 0.3, 0.2, 0.1], [0.1, 0.2, 0.3, 0.4]])
def test_the_interval_of_an_error_holds_with_and_without_a_shift(metric, shares):
    rng = np.random.default_rng(15)

    def one():
        baseline, window = residuals(rng, 4000, [0.4, 0.3, 0.2, 0.1]), residuals(rng, 500, shares)
        found = expectation_by_bin(baseline, window.rows, rng=rng, draws=200)
        return estimated(metric, found), float(metric(summed(window)))

    assert 0.92 <= coverage(400, one) <= 0.98


def test_the_bins_that_explain_a_loss_are_told_from_those_that_do_not():
    rng = np.random.default_rng(16)
    explaining = residuals(rng, 5000, [0.25] * 4)
    whole = summed(explaining)
    random = [rng.multivariate_hypergeometric(whole.counts.ravel(), 1250).reshape(whole.counts.shape) for _ in range(4)]
    means = whole.sums["absolute_error"] / np.maximum(whole.counts, 1)
    nothing = Outcomes(np.stack(random), {"absolute_error": np.stack(random) * means}, RESIDUALS)
    assert loss_explained(explaining, "absolute_error") > 0.3
    assert abs(loss_explained(nothing, "absolute_error")) < 0.01


def test_bad_input_is_named():
    counts = np.zeros((5, 3, 2), int)
    counts[2, 1] = (80, 20)
    outcomes = Outcomes(counts, edges=np.array([0.0, 0.5, 1.0]))
    fitted = fit_calibration(outcomes)
    rng = np.random.default_rng(1)
    with pytest.raises(ValueError, match="`reference` has no rows with a weight"):
        fit_calibration(Outcomes(counts * 0, edges=outcomes.edges))
    with pytest.raises(ValueError, match=r"`weights` of shape \(7,\) do not fit the counts of shape \(5, 3, 2\)"):
        fit_calibration(outcomes, np.ones(7))
    with pytest.raises(ValueError, match="`weights` must be finite and not negative"):
        fit_calibration(outcomes, -1.0)
    with pytest.raises(ValueError, match=r"`counts` of shape \(2,\) must end with"):
        expected_outcomes(fitted, [1, 2])
    with pytest.raises(ValueError, match="`class_scores` of shape"):
        expected_outcomes(fitted, np.zeros((5, 3)), np.zeros((3, 4)))
    with pytest.raises(ValueError, match="must be of one window"):
        estimate(accuracy, fitted, np.zeros((2, 5, 3)), rng=rng)
    window = np.zeros((5, 3))
    window[2, 1] = 0.5
    with pytest.raises(ValueError, match="`counts` must be whole rows for labels to be drawn"):
        estimate(accuracy, fitted, window, rng=rng)
    with pytest.raises(ValueError, match=r"`between_variance` must not be negative, as -0\.1 is"):
        estimate(accuracy, fitted, window * 2, rng=rng, between_variance=-0.1)
    with pytest.raises(ValueError, match="`calibration` has no class scores whose bins could be merged"):
        merge_class_bins(fitted, [0, 0, 1])
    with pytest.raises(ValueError, match=r"`weights` of shape \(2, 2\) must have the calibration's classes.*None"):
        weigh_classes(fitted, np.ones((2, 2)))
    scored = fit_calibration(classes(rng, 100, 1.0))
    with pytest.raises(ValueError, match=r"`weights` of shape \(2, 2\) must .*: \(3, 2\)"):
        weigh_classes(scored, np.ones((2, 2)))
    with pytest.raises(ValueError, match="`groups` must number the groups of 10 bins in order"):
        merge_class_bins(scored, [0, 0, 1])
    with pytest.raises(ValueError, match=r"`redrawn` must have the shape \(5, 1, 4, 3\)"):
        expectation(scored, np.ones((1, 4)), rng=rng, draws=5, redrawn=redraw(scored, rng=rng, draws=4))
    with pytest.raises(ValueError, match=r"`rows` of shape \(3,\) must count the bins"):
        expected_by_bin(Outcomes(np.ones((2, 1, 1, 1), int)), [1, 2, 3])
    with pytest.raises(ValueError, match="there is nothing to estimate from"):
        expected_by_bin(Outcomes(np.zeros((2, 1, 1, 1), int)), [1, 2])
    with pytest.raises(ValueError, match="must be of one window, with the axis bin"):
        expectation_by_bin(Outcomes(np.ones((2, 1, 1, 1), int)), [[1, 2]], rng=rng)
    with pytest.raises(ValueError, match=r"`loss` must be one of \[\], not 'error'"):
        loss_explained(Outcomes(np.ones((2, 1, 1, 1), int)), "error")
