"""Performance without labels: closed forms, and the coverage of the intervals."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss as sklearn_log_loss

from monitoring_tasks.statistics.performance.calibration_map import fit_calibration, redraw
from monitoring_tasks.statistics.performance.estimation import estimated, expectation, expected_outcomes
from monitoring_tasks.statistics.performance.outcomes import Outcomes
from tests.statistics.performance.made_scores import coverage, scores, summed, table


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


def estimate(metric, calibration, counts, class_scores=None, *, between_variance=0.0, **how):
    return estimated(metric, expectation(calibration, counts, class_scores, **how), between_variance)


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


def test_value_and_interval_stay_within_the_bounds_of_the_metric():
    """Windows differ by more than there is room above 0.95: the upper end was 1.021."""
    counts = np.zeros((5, 3, 2), int)
    counts[2, 1] = (95, 5)
    window = np.zeros((5, 3), int)
    window[2, 1] = 100
    expected = expectation(
        fit_calibration(Outcomes(counts, edges=np.array([0.0, 0.5, 1.0]))), window, rng=np.random.default_rng(1)
    )
    free = estimated(accuracy, expected, 0.01)
    held = estimated(accuracy, expected, 0.01, bounds=(0.0, 1.0))
    assert free.upper > 1.1
    assert (held.value, held.lower, held.upper) == (free.value, free.lower, 1.0)
    assert estimated(accuracy, expected, added=0.2, bounds=(0.0, 1.0)).value == 1.0


def test_the_interval_of_what_goes_wrong_once_in_many_windows_holds_a_window_without_error():
    """In 98 of 100 windows all 200 rows are right, and 0.9999 of them never are."""
    counts = np.zeros((1, 3, 2), dtype=np.int64)
    counts[0, 1:] = [[30_000, 3], [3, 30_000]]
    window = np.array([[0, 100, 100]])
    expected = expectation(fit_calibration(Outcomes(counts)), window, rng=np.random.default_rng(7))
    found = estimated(accuracy, expected, bounds=(0.0, 1.0))
    assert found.value == pytest.approx(0.9999, abs=1e-4)
    assert found.lower <= found.value < found.upper == 1.0


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


def test_bad_input_is_named():
    counts = np.zeros((5, 3, 2), int)
    counts[2, 1] = (80, 20)
    outcomes = Outcomes(counts, edges=np.array([0.0, 0.5, 1.0]))
    fitted = fit_calibration(outcomes)
    rng = np.random.default_rng(1)
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
    scored = fit_calibration(classes(rng, 100, 1.0))
    with pytest.raises(ValueError, match=r"`redrawn` must have the shape \(5, 1, 4, 3\)"):
        expectation(scored, np.ones((1, 4)), rng=rng, draws=5, redrawn=redraw(scored, rng=rng, draws=4))
